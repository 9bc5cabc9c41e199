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
 *          without a line end; any other control or non-ASCII byte, and the
 *          256th, drop it
 *
 * Neither structure holds a pointer.
 */


#ifndef _NTRIP_GGA_H_INCLUDED_
#define _NTRIP_GGA_H_INCLUDED_


#include "ntrip_text.h"


/* NMEA 0183 says 82 with CRLF; str2str sends 88 and precise receivers more */
#define NTRIP_GGA_MAX         255

/* of ntrip_gga_line() */
#define NTRIP_GGA_LINE_MAX    (NTRIP_GGA_MAX + sizeof("*00" CRLF) - 1)

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
    ngx_uint_t    satellites;
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
 *   NGX_OK        a position
 *   NGX_DECLINED  well-formed, but the receiver has no fix: quality 0 or no
 *                 coordinates; keeps a session alive, goes nowhere
 *   NGX_ERROR     no GGA, wrong checksum (if there is one), out of range
 */
ngx_int_t ntrip_gga_parse(ntrip_gga_t *gga, ngx_str_t *sentence);

/* what goes upstream: the sentence, its checksum if it came without one, and
   CRLF */
void ntrip_gga_line(ntrip_out_t *out, ngx_str_t *sentence);

void ntrip_gga_position(ntrip_position_t *p, ntrip_gga_t *gga);

/* m, the straight line through the earth, as cors-relay measures its 30 km */
double ntrip_position_distance(ntrip_position_t *a, ntrip_position_t *b);

/* appends "len" characters, NTRIP_GEOHASH_MAX at most; 6 are a cell of 1.2 by
   0.6 km */
void ntrip_geohash(ntrip_out_t *out, double latitude, double longitude,
    ngx_uint_t len);


#endif /* _NTRIP_GGA_H_INCLUDED_ */
