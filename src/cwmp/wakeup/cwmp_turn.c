
/*
 * Fieldgate: whose turn it is to call a CPE, among all workers.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_turn.h"


static ngx_uint_t cwmp_turn_runs(cwmp_turn_t *t, uint32_t me, uint32_t holder,
    cwmp_table_alive_pt alive, ngx_msec_t now);


/*
 * The first worker to find the turn taken is next, lest one with many calls
 * keeps it for ever.
 */

uint64_t
cwmp_turn_take(cwmp_turn_t *t, uint32_t me, uint32_t holder,
    cwmp_table_alive_pt alive, ngx_msec_t now, ngx_msec_t deadline)
{
    ngx_uint_t  mine;

    mine = (t->next == 0 || t->next == me
            || (ngx_msec_int_t) (t->next_until - now) < 0);

    if (mine && !cwmp_turn_runs(t, me, holder, alive, now)) {
        t->serial = ++t->last;
        t->deadline = deadline;
        t->next = 0;

        return t->serial;
    }

    if (mine) {
        t->next = me;
        t->next_until = now + 2 * CWMP_TURN_LOOK;
    }

    return 0;
}


static ngx_uint_t
cwmp_turn_runs(cwmp_turn_t *t, uint32_t me, uint32_t holder,
    cwmp_table_alive_pt alive, ngx_msec_t now)
{
    return t->serial != 0
           && (ngx_msec_int_t) (t->deadline + CWMP_TURN_GRACE - now) > 0
           && holder != me
           && alive(holder);
}


ngx_uint_t
cwmp_turn_worth(cwmp_turn_t *t, ngx_msec_int_t rest, ngx_msec_t whole)
{
    if (t->serial != 0) {
        return 1;
    }

    return rest >= (ngx_msec_int_t) ngx_min(t->took, whole / 2);
}


ngx_int_t
cwmp_turn_end(cwmp_turn_t *t, uint32_t me, uint32_t holder, uint64_t serial,
    u_char *key, cwmp_outcome_t *outcome, ngx_msec_t took)
{
    cwmp_turn_result_t  *result;

    if (t->serial != serial || holder != me) {
        return NGX_DECLINED;
    }

    result = &t->results[serial % CWMP_TURN_RESULTS];

    ngx_memcpy(result->call, key, CWMP_TABLE_KEY_LEN);
    result->serial = serial;
    result->outcome = *outcome;

    t->finished = serial;
    t->took = took;
    t->serial = 0;

    return NGX_OK;
}


cwmp_outcome_t *
cwmp_turn_result(cwmp_turn_t *t, u_char *key, uint64_t *since)
{
    ngx_uint_t           i;
    cwmp_turn_result_t  *result;

    if (t->finished < *since) {
        *since = 0;
    }

    for (i = 0; i < CWMP_TURN_RESULTS; i++) {
        result = &t->results[i];

        if (result->serial > *since
            && ngx_memcmp(result->call, key, CWMP_TABLE_KEY_LEN) == 0)
        {
            return &result->outcome;
        }
    }

    return NULL;
}
