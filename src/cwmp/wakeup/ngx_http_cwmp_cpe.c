
/*
 * Fieldgate: CPEs that are called: whose turn it is, in this worker and among
 * all of them.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_call.h"


/* between two looks at a row of another worker: doubled from min to max */

#define NGX_HTTP_CWMP_LOOK_MIN     2
#define NGX_HTTP_CWMP_LOOK_MAX     16

/* a call ends at its deadline; a worker may be late by that much */

#define NGX_HTTP_CWMP_CALL_GRACE   500

/* results are of use to those that look; the rest is for a slow machine */

#define NGX_HTTP_CWMP_CALL_KEPT    10000


typedef u_char  ngx_http_cwmp_cpe_row_fits_t[
    sizeof(ngx_http_cwmp_cpe_row_t) <= NGX_HTTP_CWMP_CALL_SIZE ? 1 : -1];


static void ngx_http_cwmp_cpe_free(ngx_http_cwmp_cpe_t *cpe);
static void ngx_http_cwmp_cpe_look(ngx_event_t *ev);
static ngx_http_cwmp_call_t *ngx_http_cwmp_cpe_look_locked(
    ngx_http_cwmp_cpe_t *cpe, cwmp_table_t *t, ngx_queue_t *over);
static void ngx_http_cwmp_cpe_results(ngx_http_cwmp_cpe_t *cpe,
    ngx_http_cwmp_cpe_row_t *row, ngx_queue_t *over);
static ngx_uint_t ngx_http_cwmp_cpe_result(ngx_http_cwmp_call_t *call,
    ngx_http_cwmp_cpe_row_t *row);
static ngx_uint_t ngx_http_cwmp_cpe_taken(cwmp_table_t *t,
    ngx_http_cwmp_cpe_row_t *row);


/* the CPEs of this worker */

static ngx_rbtree_t       ngx_http_cwmp_cpes;
static ngx_rbtree_node_t  ngx_http_cwmp_sentinel;


ngx_http_cwmp_cpe_t *
ngx_http_cwmp_cpe_get(u_char *key, ngx_http_cwmp_zone_t *z)
{
    uint32_t              hash;
    ngx_str_t             name;
    ngx_http_cwmp_cpe_t  *cpe;

    if (ngx_http_cwmp_cpes.root == NULL) {
        ngx_rbtree_init(&ngx_http_cwmp_cpes, &ngx_http_cwmp_sentinel,
                        ngx_str_rbtree_insert_value);
    }

    ngx_memcpy(&hash, key, sizeof(uint32_t));

    name.len = CWMP_TABLE_KEY_LEN;
    name.data = key;

    cpe = (ngx_http_cwmp_cpe_t *)
              ngx_str_rbtree_lookup(&ngx_http_cwmp_cpes, &name, hash);

    if (cpe) {
        return cpe;
    }

    cpe = ngx_calloc(sizeof(ngx_http_cwmp_cpe_t), ngx_cycle->log);
    if (cpe == NULL) {
        return NULL;
    }

    ngx_memcpy(cpe->key, key, CWMP_TABLE_KEY_LEN);
    ngx_queue_init(&cpe->calls);
    cpe->zone = z;
    cpe->pause = NGX_HTTP_CWMP_LOOK_MIN;

    cpe->look.handler = ngx_http_cwmp_cpe_look;
    cpe->look.data = cpe;
    cpe->look.log = ngx_cycle->log;

    cpe->node.node.key = hash;
    cpe->node.str.len = CWMP_TABLE_KEY_LEN;
    cpe->node.str.data = cpe->key;

    ngx_rbtree_insert(&ngx_http_cwmp_cpes, &cpe->node.node);

    return cpe;
}


static void
ngx_http_cwmp_cpe_free(ngx_http_cwmp_cpe_t *cpe)
{
    if (cpe->look.posted) {
        ngx_delete_posted_event(&cpe->look);
    }

    if (cpe->look.timer_set) {
        ngx_del_timer(&cpe->look);
    }

    ngx_rbtree_delete(&ngx_http_cwmp_cpes, &cpe->node.node);
    ngx_free(cpe);
}


void
ngx_http_cwmp_cpe_update(ngx_http_cwmp_cpe_t *cpe)
{
    if (ngx_queue_empty(&cpe->calls)) {
        ngx_http_cwmp_cpe_free(cpe);
        return;
    }

    /*
     * Not from here: a call that fails at once ends its requests, which may be
     * in the hands of their content phase, and several would pile up.
     */

    if (cpe->running == NULL) {
        ngx_post_event(&cpe->look, &ngx_posted_events);
    }
}


/*
 * None of the CPE's calls runs.  Takes what other workers have found out,
 * then begins the first call, or looks again later.
 */

static void
ngx_http_cwmp_cpe_look(ngx_event_t *ev)
{
    ngx_queue_t            over, *q;
    cwmp_table_t          *t;
    ngx_http_cwmp_cpe_t   *cpe;
    ngx_http_cwmp_call_t  *call, *told;

    cpe = ev->data;

    if (cpe->running) {
        return;
    }

    if (cpe->look.timer_set) {
        ngx_del_timer(&cpe->look);
    }

    ngx_queue_init(&over);

    t = ngx_http_cwmp_zone_lock(cpe->zone, NGX_HTTP_CWMP_CALLS);
    call = ngx_http_cwmp_cpe_look_locked(cpe, t, &over);
    ngx_http_cwmp_zone_unlock(cpe->zone, NGX_HTTP_CWMP_CALLS);

    if (call) {
        cpe->running = call;
        cpe->pause = NGX_HTTP_CWMP_LOOK_MIN;

    } else if (ngx_queue_empty(&cpe->calls)) {
        ngx_http_cwmp_cpe_free(cpe);

    } else {
        ngx_add_timer(&cpe->look, cpe->pause);
        cpe->pause = ngx_min(cpe->pause * 2, NGX_HTTP_CWMP_LOOK_MAX);
    }

    while (!ngx_queue_empty(&over)) {
        q = ngx_queue_head(&over);
        ngx_queue_remove(q);

        told = ngx_queue_data(q, ngx_http_cwmp_call_t, queue);
        ngx_http_cwmp_count(told->zone, CALLS_SHARED);
        ngx_http_cwmp_call_tell(told);
    }

    if (call) {
        ngx_http_cwmp_call_begin(call);
    }
}


/*
 * Moves calls that another worker has answered to *over.  Returns the call
 * that now has the row, or may do without; NULL: none left, or not our turn.
 */

static ngx_http_cwmp_call_t *
ngx_http_cwmp_cpe_look_locked(ngx_http_cwmp_cpe_t *cpe, cwmp_table_t *t,
    ngx_queue_t *over)
{
    ngx_msec_t                now;
    ngx_http_cwmp_call_t     *call;
    ngx_http_cwmp_cpe_row_t  *row;

    now = ngx_current_msec;

    row = cwmp_table_get(t, cpe->key, now);

    ngx_http_cwmp_cpe_results(cpe, row, over);

    if (ngx_queue_empty(&cpe->calls)) {
        return NULL;
    }

    call = ngx_queue_data(ngx_queue_head(&cpe->calls),
                          ngx_http_cwmp_call_t, queue);

    if (row == NULL) {
        row = cwmp_table_insert(t, cpe->key, now,
                                call->deadline + NGX_HTTP_CWMP_CALL_KEPT,
                                ngx_http_cwmp_zone_alive);
        if (row == NULL) {
            return call;
        }

    } else {
        cwmp_table_open(t, row);

        if (ngx_http_cwmp_cpe_taken(t, row)) {
            return NULL;
        }

        cwmp_table_touch(t, row, call->deadline + NGX_HTTP_CWMP_CALL_KEPT);
    }

    cwmp_table_hold(t, row, ngx_pid);

    call->serial = ++row->last;
    row->serial = call->serial;
    row->deadline = call->deadline;
    row->turn = 0;

    return call;
}


/* row: NULL, there is none */

static void
ngx_http_cwmp_cpe_results(ngx_http_cwmp_cpe_t *cpe,
    ngx_http_cwmp_cpe_row_t *row, ngx_queue_t *over)
{
    ngx_queue_t           *q, *next;
    ngx_http_cwmp_call_t  *call;

    for (q = ngx_queue_head(&cpe->calls);
         q != ngx_queue_sentinel(&cpe->calls);
         q = next)
    {
        next = ngx_queue_next(q);
        call = ngx_queue_data(q, ngx_http_cwmp_call_t, queue);

        if (row && ngx_http_cwmp_cpe_result(call, row)) {
            ngx_queue_remove(q);
            ngx_queue_insert_tail(over, q);

            /* the CPE may be gone before all of them are told */
            call->cpe = NULL;
        }

        call->looked = 1;
    }
}


/*
 * A result that came after the call was first looked for is as good as one of
 * its own: the CPE was asked the same while this call was in flight.
 */

static ngx_uint_t
ngx_http_cwmp_cpe_result(ngx_http_cwmp_call_t *call,
    ngx_http_cwmp_cpe_row_t *row)
{
    ngx_uint_t               i;
    ngx_http_cwmp_result_t  *result;

    if (!call->looked) {
        call->since = row->finished;
        return 0;
    }

    if (row->finished < call->since) {
        /* the row is not the one of then */
        call->since = 0;
    }

    for (i = 0; i < NGX_HTTP_CWMP_CALL_RESULTS; i++) {
        result = &row->results[i];

        if (result->serial > call->since
            && ngx_memcmp(result->call, call->key, CWMP_TABLE_KEY_LEN) == 0)
        {
            call->outcome = result->outcome;
            return 1;
        }
    }

    return 0;
}


/*
 * Whether another worker calls the CPE, or is to do so next.  The row is open:
 * the first worker to find it taken asks for the next turn, lest one with many
 * calls keeps it for ever.
 */

static ngx_uint_t
ngx_http_cwmp_cpe_taken(cwmp_table_t *t, ngx_http_cwmp_cpe_row_t *row)
{
    uint32_t    holder;
    ngx_msec_t  now;
    ngx_uint_t  expired, taken;

    now = ngx_current_msec;

    expired = row->turn == 0 || (ngx_msec_int_t) (row->turn_until - now) < 0;

    holder = cwmp_table_holder(t, row);

    taken = row->serial != 0
            && (ngx_msec_int_t) (row->deadline + NGX_HTTP_CWMP_CALL_GRACE
                                 - now)
               > 0
            && holder != (uint32_t) ngx_pid
            && ngx_http_cwmp_zone_alive(holder);

    if (!taken && (expired || row->turn == (uint32_t) ngx_pid)) {
        return 0;
    }

    if (expired || row->turn == (uint32_t) ngx_pid) {
        row->turn = ngx_pid;
        row->turn_until = now + 2 * NGX_HTTP_CWMP_LOOK_MAX;
    }

    return 1;
}


void
ngx_http_cwmp_cpe_release(ngx_http_cwmp_cpe_t *cpe,
    ngx_http_cwmp_call_t *call)
{
    cwmp_table_t              *t;
    ngx_http_cwmp_result_t    *result;
    ngx_http_cwmp_cpe_row_t  *row;

    if (call->serial == 0) {
        return;
    }

    t = ngx_http_cwmp_zone_lock(call->zone, NGX_HTTP_CWMP_CALLS);

    row = cwmp_table_get(t, cpe->key, ngx_current_msec);

    if (row && row->serial == call->serial
        && cwmp_table_holder(t, row) == (uint32_t) ngx_pid)
    {
        cwmp_table_open(t, row);

        result = &row->results[call->serial % NGX_HTTP_CWMP_CALL_RESULTS];
        ngx_memcpy(result->call, call->key, CWMP_TABLE_KEY_LEN);
        result->serial = call->serial;
        result->outcome = call->outcome;

        row->finished = call->serial;
        row->serial = 0;

        cwmp_table_hold(t, row, 0);
        cwmp_table_touch(t, row, ngx_current_msec + NGX_HTTP_CWMP_CALL_KEPT);
    }

    ngx_http_cwmp_zone_unlock(call->zone, NGX_HTTP_CWMP_CALLS);
}
