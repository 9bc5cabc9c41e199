
/*
 * What a client of NTRIP 2.0 wants of the sourcetable: the query of its
 * request.  Parts of it, with '&' between:
 *
 *    STR;...  CAS;...  NET;...  filter=FIELDS   each field by operators
 *    match=FIELDS                               each field as it is written
 *    auth    only mountpoints that the user may have
 *    strict  what is unknown is an error, and so are FIELDS without a type
 *
 * "filter" and "match" may lack their '='; "auth" and "strict" may have "=1" or
 * "=0".  Other names are passed over if it is not strict.  Of several FIELDS
 * each has to match.
 *
 * FIELDS are those of a line, with ';' between, from its type on; an empty one,
 * or one that is not there, matches anything.  With operators:
 *
 *    or    =  and *( "|" and )
 *    and   =  not *( "+" not )
 *    not   =  "!" not / "(" or ")" / term
 *    term  =  [ "=" / "!=" / "<" / ">" / "<=" / ">=" ] text
 *
 * and "~number" as a whole field: of all lines that match otherwise, the ones
 * that are nearest to the number or, with latitude and longitude, to the place.
 * '*' in a text without an order is any run of characters.  Case does not
 * matter.  Texts that are numbers are compared as such, in order only with
 * numbers.  Of navigation systems each one of the field is compared, too, so
 * that "GPS+GAL" are all lines that have both.
 *
 * Pure.  An expression is walked through for each line, there is nothing to be
 * built.  t/unit/ntrip_filter.c,
 * t/fuzz/ntrip_filter.c
 */


#ifndef _NTRIP_FILTER_H_INCLUDED_
#define _NTRIP_FILTER_H_INCLUDED_


#include "ntrip_sourcetable.h"


/* in one query, and bytes of all of them: a table of 300 KB is filtered in some
   milliseconds whatever they say */
#define NTRIP_FILTER_MAX    8
#define NTRIP_FILTER_BYTES  512

/* parentheses and '!' within each other */
#define NTRIP_FILTER_DEPTH  16


typedef struct {
    ngx_str_t     fields[NTRIP_FILTER_MAX];     /* into the query */
    ngx_uint_t    literal[NTRIP_FILTER_MAX];    /* "match" */
    ngx_uint_t    n;
    size_t        bytes;
    unsigned      auth:1;
    unsigned      strict:1;
    unsigned      nearest:1;                    /* some have a "~number" */
} ntrip_filter_t;


/*
 * The query, without its '?'; decoded in place, "filter" points into it.
 * NGX_ERROR: it is malformed, and *reason says how, for the log.
 */
ngx_int_t ntrip_filter_parse(ntrip_filter_t *filter, ngx_str_t *query,
    const char **reason);

/*
 * Appends the lines of "table" that are wanted, each with CRLF, and
 * ENDSOURCETABLE: no more than the table has, and its end.  With "mounts", as
 * of ntrip_mount_allowed(), only such mountpoints; NULL: all.
 */
void ntrip_filter_table(ntrip_filter_t *filter, ngx_str_t *table,
    ngx_str_t *mounts, ntrip_out_t *out);


#endif /* _NTRIP_FILTER_H_INCLUDED_ */
