/*
 * Positions: GGA sentences in whatever a receiver sends, and distances.
 *
 * The splitter takes the bytes of a rover after its request.  ESP32-XBee
 * forwards all sentences of its receiver, others add proprietary binary: all
 * that is no GGA is dropped here, in a constant buffer.
 *
 *   SKIP   to the next '$'
 *   LINE   collecting; '$' starts anew; CR, LF or NUL end the sentence; so do
 *          the two digits of the checksum, as some rovers send one sentence
 *          without a line end, or the '$' behind a shorter one; any other
 *          control or non-ASCII byte, and the 256th, drop it
 *
 * What a sentence says clearly is used, however it is written, as the users
 * of cors-relay are used to: a checksum that is missing, short or wrong,
 * blanks around fields, a decimal comma, minutes of 60.0, which are the next
 * degree (RTKLIB rounds so).  What goes upstream is put right first.
 *
 * Neither structure holds a pointer.
 */


#ifndef _NTRIP_GGA_H_INCLUDED_
#define _NTRIP_GGA_H_INCLUDED_


#include "ntrip_text.h"


/* NMEA 0183 says 82 with CRLF; str2str sends 88 and precise receivers more */
#define NTRIP_GGA_MAX         255

/* of ntrip_gga_line(), which may add a checksum and a digit of each angle */
#define NTRIP_GGA_LINE_MAX    (NTRIP_GGA_MAX + 2 + sizeof("*00" CRLF) - 1)

/* error, with NGX_ERROR: what of the sentence cannot be used */
#define NTRIP_GGA_CHECKSUM    1       /* wrong, and so is something else */
#define NTRIP_GGA_FIELDS      2       /* too few, or no GGA at all */
#define NTRIP_GGA_LATITUDE    3
#define NTRIP_GGA_LONGITUDE   4
#define NTRIP_GGA_QUALITY     5
#define NTRIP_GGA_ALTITUDE    6

#define NTRIP_GEOHASH_MAX     12


typedef struct {
    size_t        len;
    uint32_t      collecting;
    uint32_t      digits;               /* behind '*' */
    u_char        line[NTRIP_GGA_MAX];
} ntrip_nmea_t;


typedef struct {
    double        latitude;             /* degrees, north positive */
    double        longitude;            /* degrees, east positive */
    double        height;               /* m above the ellipsoid: altitude
                                           plus geoid separation */
    ngx_uint_t    quality;              /* 1 GPS, 2 DGPS, 4 fixed, 5 float, 6
                                           estimated, 7 manual, 8 simulator */
    ngx_uint_t    satellites;           /* quality, too: 0 without a fix */
    double        age;                  /* s, of the corrections; < 0: it does
                                           not say */
    ngx_uint_t    error;                /* NTRIP_GGA_*, with NGX_ERROR */
} ntrip_gga_t;


typedef struct {
    double        x, y, z;              /* m, WGS 84, earth-fixed */
} ntrip_position_t;


void ntrip_nmea_init(ntrip_nmea_t *n);

/*
 * Takes bytes from the front of "in" and moves it on.
 *
 *   NGX_OK      "sentence" is a GGA of any talker, from '$' to the checksum,
 *               without line end; inside "n", until the next call.  Its
 *               fields and checksum are not looked at yet
 *   NGX_AGAIN   "in" is used up
 */
ngx_int_t ntrip_nmea_next(ntrip_nmea_t *n, ngx_str_t *in,
    ngx_str_t *sentence);

/*
 *   NGX_OK        a position.  A height, a satellite count or the like that
 *                 is no number counts as not given
 *   NGX_DECLINED  well-formed, but the receiver has no fix: quality 0 or no
 *                 coordinates; keeps a session alive, goes nowhere
 *   NGX_ERROR     gga->error says what is wrong with it
 */
ngx_int_t ntrip_gga_parse(ntrip_gga_t *gga, ngx_str_t *sentence);

/* for the log: "latitude"... */
const char *ntrip_gga_error(ngx_uint_t error);

/* "none", "single"... */
const char *ntrip_gga_fix(ngx_uint_t quality);

/* what goes upstream of a sentence that has a position: itself if it is well
   written, else put right; and CRLF */
void ntrip_gga_line(ntrip_out_t *out, ngx_str_t *sentence);

void ntrip_gga_position(ntrip_position_t *p, ntrip_gga_t *gga);

/* m, the straight line through the earth, as cors-relay measures its 30 km */
double ntrip_position_distance(ntrip_position_t *a, ntrip_position_t *b);

/* appends "len" characters, NTRIP_GEOHASH_MAX at most; 6 are a cell of 1.2 by
   0.6 km */
void ntrip_geohash(ntrip_out_t *out, double latitude, double longitude,
    ngx_uint_t len);


#endif /* _NTRIP_GGA_H_INCLUDED_ */
