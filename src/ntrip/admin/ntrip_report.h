
/*
 * Lines of the periodic report, whose tables are those of cors-relay: one line
 * of the log for each of its rows.
 */


#ifndef _NTRIP_REPORT_H_INCLUDED_
#define _NTRIP_REPORT_H_INCLUDED_


#include "ntrip_zone.h"


/* characters of a position: about a kilometre */
#define NTRIP_REPORT_GEOHASH  6

/* longest that any of these functions appends */
#define NTRIP_REPORT_LINE    1024


typedef struct {
    ngx_uint_t      users_online;
    ngx_uint_t      users_total;         /* unexpired; with "known" */
    ngx_uint_t      sources_using;
    ngx_uint_t      sources_total;       /* same */
    ngx_uint_t      known;               /* 0: the database did not tell */
} ntrip_report_usage_t;


typedef struct {
    ngx_str_t       source;              /* account@host:port; empty: none */
    ngx_str_t       mount;
    ngx_uint_t      slot;                /* of the rover's worker */
    ngx_str_t       user;
    ngx_str_t       addr;                /* text */
    ntrip_point_t   point;               /* NTRIP_POINT_NONE: none */
    struct tm       login;               /* in local time */
    time_t          seconds;             /* since login */
    uint64_t        bytes;               /* delivered */
} ntrip_report_row_t;


/* "Users Online 12 of 500 (2.4%), ..." */
void ntrip_report_usage(ntrip_out_t *out, const ntrip_report_usage_t *usage);

/* the names of the columns, and a row of them; of names from outside only
   printable ASCII is written, anything else as "?" */
void ntrip_report_head(ntrip_out_t *out);
void ntrip_report_row(ntrip_out_t *out, const ntrip_report_row_t *row);


#endif /* _NTRIP_REPORT_H_INCLUDED_ */
