
/*
 * Fieldgate: whose turn it is to call a CPE, among all workers.
 *
 * A turn is what one row of the zone says of one CPE: which call runs, until
 * when, who is next, and how the last calls ended.  The caller keeps the row,
 * with its holder, under a lock; a row of zeros is a CPE that has not been
 * called.
 */


#ifndef _CWMP_TURN_H_INCLUDED_
#define _CWMP_TURN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_zone.h"
#include "cwmp_wakeup.h"


/* milliseconds: a call ends at its deadline; a worker may be late by that */
#define CWMP_TURN_GRACE    500

/* who waits looks at least that often */
#define CWMP_TURN_LOOK     16

#define CWMP_TURN_RESULTS  4


typedef struct {
    u_char             call[CWMP_TABLE_KEY_LEN];
    uint64_t           serial;
    cwmp_outcome_t     outcome;
} cwmp_turn_result_t;


typedef struct {
    uint64_t           serial;      /* of the call; 0: none runs */
    uint64_t           last;        /* serial given last */
    uint64_t           finished;    /* serial of the last result */
    ngx_msec_t         deadline;    /* of the call */
    ngx_msec_t         took;        /* what the last one took */

    /* the worker that is next, if it looks again by then */
    ngx_msec_t         next_until;
    uint32_t           next;        /* 0: nobody has asked */

    cwmp_turn_result_t  results[CWMP_TURN_RESULTS];
} cwmp_turn_t;


/*
 * Asks for the turn of worker "me".  holder: the worker that has the row, 0:
 * none; alive says whether it lives, and is asked only if that matters.
 * Returns the serial of the call, which runs until the deadline from now on,
 * and me is to be the holder; or 0: another worker calls the CPE, or is next.
 */
uint64_t cwmp_turn_take(cwmp_turn_t *t, uint32_t me, uint32_t holder,
    cwmp_table_alive_pt alive, ngx_msec_t now, ngx_msec_t deadline);


/*
 * Whether a call is to be begun that has "rest" milliseconds left of the
 * "whole" that it had at first: not if the last one took longer, be it that
 * the CPE was silent, since this one would only be broken off.  The CPE may
 * have become quicker: half of the time is always enough.  While a call runs,
 * nothing is known.
 */
ngx_uint_t cwmp_turn_worth(cwmp_turn_t *t, ngx_msec_int_t rest,
    ngx_msec_t whole);


/*
 * The call of that serial and key is over, which took so many milliseconds.
 * Returns NGX_OK, nobody is to be the holder, or NGX_DECLINED: the turn has
 * been taken over, nothing is written.
 */
ngx_int_t cwmp_turn_end(cwmp_turn_t *t, uint32_t me, uint32_t holder,
    uint64_t serial, u_char *key, cwmp_outcome_t *outcome, ngx_msec_t took);


/*
 * How an equal call ended that was over after *since: a result that came after
 * a call was first looked for is as good as one of its own, as the CPE was
 * asked the same while it was in flight.  *since is t->finished at the first
 * look; it is set to 0 if the row is not the one of then.  NULL: none.
 */
cwmp_outcome_t *cwmp_turn_result(cwmp_turn_t *t, u_char *key,
    uint64_t *since);


#endif /* _CWMP_TURN_H_INCLUDED_ */
