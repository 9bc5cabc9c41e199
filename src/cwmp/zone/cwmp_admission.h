
/*
 * Fieldgate: how many sessions may begin at an upstream.
 *
 * Rate.  A bucket that leaks, as that of nginx's limit_req: each session that
 * begins puts one into it, and "rate" leaks out, so that "burst" may begin
 * beside the one that is always due.  What is refused puts nothing in.
 *
 * Sessions.  Each process says how many it has at the upstream, as a number
 * and not by steps, so that nothing adds up to an error.  What a process had
 * that is gone counts no more.
 *
 * First come the sessions that the ACS has asked for itself: an Inform of a
 * connection request, of a transfer or diagnosis that is done, or of a method
 * ("M Reboot").  They count as any, and may use a reserve that others may not:
 * as many as begin in ten seconds by "rate", and as many again as "sessions",
 * but ten at least of either.  While they do, nobody else begins one.
 */


#ifndef _CWMP_ADMISSION_H_INCLUDED_
#define _CWMP_ADMISSION_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_table.h"


/* processes that can say what they have; sessions of others do not count */
#define CWMP_ADMISSION_PROCESSES  128

/* of each limit, so that their products fit */
#define CWMP_ADMISSION_MAX        1000000

/* a line of the log in this time, in milliseconds */
#define CWMP_ADMISSION_NOTICE     60000


typedef enum {
    CWMP_ADMISSION_NONE = 0,          /* nothing was judged */
    CWMP_ADMISSION_PASSED,
    CWMP_ADMISSION_RATE,              /* limited by the one or the other */
    CWMP_ADMISSION_SESSIONS
} cwmp_admission_e;


typedef struct {
    uint64_t              rate;       /* thousandths of a session a second;
                                         0: any */
    uint64_t              burst;      /* sessions */
    uint64_t              sessions;   /* at a time; 0: any number */
} cwmp_admission_limits_t;


typedef struct {
    uint32_t              process;    /* 0: free */
    uint32_t              sessions;
} cwmp_admission_share_t;


/*
 * A row of the zone for each upstream, all zero at first.  Each of its words is
 * right by itself, so a process may die between any two stores.
 */

typedef struct {
    uint64_t              level;      /* in the bucket: millionths of one */
    ngx_msec_t            last;       /* when it had this level */
    ngx_msec_t            told;       /* in the log; 0: never */
    uint64_t              refused;    /* since then */
    cwmp_admission_share_t  shares[CWMP_ADMISSION_PROCESSES];
} cwmp_admission_row_t;


/*
 * All are called with the lock held; "now" is as in cwmp_table.h, and may be
 * behind that of another process.
 */

/*
 * May a session begin?  "first": it is one of those; "own": how many of those
 * that are counted it replaces.  CWMP_ADMISSION_PASSED: it is in the bucket;
 * the caller says by cwmp_admission_share() that it has one more.  Else it
 * counts as refused.
 */
cwmp_admission_e cwmp_admission_judge(cwmp_admission_row_t *row,
    const cwmp_admission_limits_t *limits, ngx_uint_t first, ngx_uint_t own,
    ngx_msec_t now, cwmp_table_alive_pt alive);

/*
 * The process has that many sessions at the upstream.
 */
void cwmp_admission_share(cwmp_admission_row_t *row, uint32_t process,
    ngx_uint_t sessions, cwmp_table_alive_pt alive);

/*
 * After a refusal: how many there were since the last line of the log, if it is
 * time for another; else 0.
 */
uint64_t cwmp_admission_notice(cwmp_admission_row_t *row, ngx_msec_t now);

/*
 * Whether one of the event codes, separated by commas, lets a session go first:
 * 6 CONNECTION REQUEST, 7 TRANSFER COMPLETE, 8 DIAGNOSTICS COMPLETE, M with the
 * name of a method; with or without the words.
 */
ngx_uint_t cwmp_admission_first(const ngx_str_t *events);


#endif /* _CWMP_ADMISSION_H_INCLUDED_ */
