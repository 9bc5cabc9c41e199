/*
 * Sourcetables: reading a provider's, writing ours, finding a mountpoint.
 *
 *    STR;mountpoint;identifier;format;format-details;carrier;nav-system;
 *        network;country;latitude;longitude;nmea;solution;generator;
 *        compr-encryp;authentication;fee;bitrate;misc
 *
 * A line of ours always has all 19 fields: Lefebure, SW Maps and RTKLIB show
 * nothing for a sparse one, and gpsd refuses formats it does not know.
 */


#ifndef _NTRIP_SOURCETABLE_H_INCLUDED_
#define _NTRIP_SOURCETABLE_H_INCLUDED_


#include "ntrip_text.h"


/* of a provider's table: longer lines are passed over, and so is what comes
   behind so many bytes (the largest known table has 275 KB) */
#define NTRIP_TABLE_LINE_MAX     1024
#define NTRIP_TABLE_MAX          (2 * 1024 * 1024)

#define NTRIP_TABLE_END          "ENDSOURCETABLE\r\n"

/* the country of a line of our own: ISO 3166-1 leaves this code to its users,
   and CLDR takes it for an unknown one */
#define NTRIP_TABLE_NOWHERE      "ZZZ"

#define NTRIP_STR_FIELDS         19

/* indices in a STR line's fields */
#define NTRIP_STR_MOUNT          1
#define NTRIP_STR_IDENTIFIER     2
#define NTRIP_STR_FORMAT         3
#define NTRIP_STR_DETAILS        4
#define NTRIP_STR_CARRIER        5
#define NTRIP_STR_NAV            6
#define NTRIP_STR_NETWORK        7
#define NTRIP_STR_COUNTRY        8
#define NTRIP_STR_LATITUDE       9
#define NTRIP_STR_LONGITUDE      10
#define NTRIP_STR_NMEA           11      /* "1": needs a position */
#define NTRIP_STR_SOLUTION       12
#define NTRIP_STR_GENERATOR      13
#define NTRIP_STR_COMPRESSION    14
#define NTRIP_STR_AUTH           15      /* N, B or D */
#define NTRIP_STR_FEE            16
#define NTRIP_STR_BITRATE        17
#define NTRIP_STR_MISC           18      /* may have ';' itself */


/*
 * Reading.
 */

typedef struct {
    size_t        len;
    size_t        total;                 /* bytes of the table so far */
    uint32_t      overlong;              /* passing over the current line */
    uint32_t      ended;
    u_char        line[NTRIP_TABLE_LINE_MAX];
} ntrip_sourcetable_t;


typedef struct {
    ngx_str_t     field[NTRIP_STR_FIELDS];   /* [0] is "STR" */
    ngx_uint_t    nfields;
} ntrip_str_t;


void ntrip_sourcetable_init(ntrip_sourcetable_t *t);

/*
 * Takes bytes of the body from the front of "in" and moves it on.
 *
 *   NGX_OK       a line, without its line end, not empty; inside "t", until
 *                the next call
 *   NGX_AGAIN    "in" is used up
 *   NGX_DONE     ENDSOURCETABLE was read; also without CRLF behind it, if the
 *                caller gives an empty "in" at the end of the connection
 *   NGX_ERROR    larger than NTRIP_TABLE_MAX
 */
ngx_int_t ntrip_sourcetable_next(ntrip_sourcetable_t *t, ngx_str_t *in,
    ngx_str_t *line);

/* the fields of a STR line; missing ones are empty.  NGX_DECLINED for CAS,
   NET and other lines, and for an empty mountpoint */
ngx_int_t ntrip_str_parse(ntrip_str_t *str, ngx_str_t *line);

/* the same of what an administrator wrote, see ntrip_str_check() */
void ntrip_str_fields(ntrip_str_t *str, ngx_str_t *text);

/* the position in them, degrees.  NGX_DECLINED: none, or 0,0 */
ngx_int_t ntrip_str_place(ntrip_str_t *str, double *latitude,
    double *longitude);


/*
 * Writing.
 */

/*
 * What an administrator wrote as str="..." of a mountpoint: a whole line
 * beginning with STR;, or the fields from the identifier on, or nothing.
 * Returns NULL, or what is wrong with it: a control character, another
 * mountpoint than "mount", too long.
 */
const char *ntrip_str_check(ngx_str_t *mount, ngx_str_t *str);

/*
 * Appends the line with CRLF.  Fields that are missing or empty in "str" get
 * their defaults; with "gga" nmea and solution are 1.  "raw" only chooses the
 * default of the format.
 */
void ntrip_str_line(ntrip_out_t *out, ngx_str_t *mount, ngx_str_t *str,
    ngx_uint_t gga, ngx_uint_t raw);

/* the same of a line of a provider, whose users are ours here, and so need a
   password: "Basic" */
void ntrip_str_relayed(ntrip_out_t *out, ngx_str_t *line);

/* longest that ntrip_str_line() appends for a "str" that passed the check */
#define NTRIP_STR_LINE_MAX       (NTRIP_TABLE_LINE_MAX + 256)


/*
 * Mountpoints.  Printable ASCII without space and ; , / ? # % " \ and at
 * most NTRIP_MOUNT_MAX; returns NULL, or what is wrong.
 */
const char *ntrip_mount_check(ngx_str_t *mount);

/* whether a list, as of a user, has the mountpoint: names and patterns with
   '*', with commas between; an empty one has all */
ngx_uint_t ntrip_mount_allowed(ngx_str_t *list, ngx_str_t *mount);


/*
 * Which of some names is meant: the one that is equal, else the only one that
 * is equal without regard to case.  Names that differ only in case thus match
 * exactly or not at all.  Give all names, in any order, with a number >= 0
 * each; ntrip_mount_match_result() returns the number, or NGX_DECLINED.
 */

typedef struct {
    ngx_str_t     name;
    ngx_int_t     exact;
    ngx_int_t     folded;
    ngx_str_t     spelling;              /* of the only folded one */
    ngx_uint_t    ambiguous;
} ntrip_mount_match_t;


void ntrip_mount_match_init(ntrip_mount_match_t *m, ngx_str_t *name);
void ntrip_mount_match_add(ntrip_mount_match_t *m, ngx_str_t *candidate,
    ngx_int_t number);
ngx_int_t ntrip_mount_match_result(ntrip_mount_match_t *m);


#endif /* _NTRIP_SOURCETABLE_H_INCLUDED_ */
