
/*
 * Fieldgate: CPEs that are called: whose turn it is, in this worker and among
 * all of them.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_call.h"


/* milliseconds between two looks: doubled from that to CWMP_TURN_LOOK */

#define NGX_HTTP_CWMP_CPE_PAUSE  2

/* results are of use to those that look; the rest is for a slow machine */

#define NGX_HTTP_CWMP_CPE_KEPT   10000


typedef u_char  ngx_http_cwmp_cpe_row_fits_t[
    sizeof(cwmp_turn_t) <= NGX_HTTP_CWMP_CALL_SIZE ? 1 : -1];


static void ngx_http_cwmp_cpe_free(ngx_http_cwmp_cpe_t *cpe);
static void ngx_http_cwmp_cpe_look(ngx_event_t *ev);
static ngx_http_cwmp_call_t *ngx_http_cwmp_cpe_look_locked(
    ngx_http_cwmp_cpe_t *cpe, cwmp_table_t *t, ngx_queue_t *over);
static void ngx_http_cwmp_cpe_results(ngx_http_cwmp_cpe_t *cpe,
    cwmp_turn_t *turn, ngx_queue_t *over);
static void ngx_http_cwmp_cpe_late(ngx_http_cwmp_cpe_t *cpe,
    cwmp_turn_t *turn, ngx_queue_t *over);
static void ngx_http_cwmp_cpe_over(ngx_http_cwmp_call_t *call,
    ngx_queue_t *over);


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
    cpe->pause = NGX_HTTP_CWMP_CPE_PAUSE;

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
        cpe->pause = NGX_HTTP_CWMP_CPE_PAUSE;

    } else if (ngx_queue_empty(&cpe->calls)) {
        ngx_http_cwmp_cpe_free(cpe);

    } else {
        ngx_add_timer(&cpe->look, cpe->pause);
        cpe->pause = ngx_min(cpe->pause * 2, CWMP_TURN_LOOK);
    }

    while (!ngx_queue_empty(&over)) {
        q = ngx_queue_head(&over);
        ngx_queue_remove(q);

        told = ngx_queue_data(q, ngx_http_cwmp_call_t, queue);

        if (told->outcome.result != CWMP_WAKEUP_QUEUE) {
            ngx_http_cwmp_count(told->zone, CALLS_SHARED);
        }

        ngx_http_cwmp_call_tell(told);
    }

    if (call) {
        ngx_http_cwmp_call_begin(call);
    }
}


/*
 * Moves calls that another worker has answered, and those that are too late,
 * to *over.  Returns the call that now has the row, or may do without; NULL:
 * none left, or not our turn.
 */

static ngx_http_cwmp_call_t *
ngx_http_cwmp_cpe_look_locked(ngx_http_cwmp_cpe_t *cpe, cwmp_table_t *t,
    ngx_queue_t *over)
{
    ngx_msec_t             now;
    cwmp_turn_t           *turn;
    ngx_http_cwmp_call_t  *call;

    now = ngx_current_msec;

    turn = cwmp_table_get(t, cpe->key, now);

    ngx_http_cwmp_cpe_results(cpe, turn, over);

    if (turn) {
        ngx_http_cwmp_cpe_late(cpe, turn, over);
    }

    if (ngx_queue_empty(&cpe->calls)) {
        return NULL;
    }

    call = ngx_queue_data(ngx_queue_head(&cpe->calls),
                          ngx_http_cwmp_call_t, queue);

    if (turn) {
        cwmp_table_open(t, turn);

    } else {
        turn = cwmp_table_insert(t, cpe->key, now,
                                 call->deadline + NGX_HTTP_CWMP_CPE_KEPT,
                                 ngx_http_cwmp_zone_alive);
        if (turn == NULL) {
            return call;
        }
    }

    call->serial = cwmp_turn_take(turn, ngx_pid, cwmp_table_holder(t, turn),
                                  ngx_http_cwmp_zone_alive, now,
                                  call->deadline);
    if (call->serial == 0) {
        return NULL;
    }

    cwmp_table_touch(t, turn, call->deadline + NGX_HTTP_CWMP_CPE_KEPT);
    cwmp_table_hold(t, turn, ngx_pid);

    return call;
}


/* turn: NULL, there is none */

static void
ngx_http_cwmp_cpe_results(ngx_http_cwmp_cpe_t *cpe, cwmp_turn_t *turn,
    ngx_queue_t *over)
{
    ngx_queue_t           *q, *next;
    cwmp_outcome_t        *outcome;
    ngx_http_cwmp_call_t  *call;

    for (q = ngx_queue_head(&cpe->calls);
         q != ngx_queue_sentinel(&cpe->calls);
         q = next)
    {
        next = ngx_queue_next(q);
        call = ngx_queue_data(q, ngx_http_cwmp_call_t, queue);

        if (!call->looked) {
            call->since = turn ? turn->finished : 0;
            call->looked = 1;
            continue;
        }

        outcome = turn ? cwmp_turn_result(turn, call->key, &call->since)
                       : NULL;

        if (outcome) {
            call->outcome = *outcome;
            ngx_http_cwmp_cpe_over(call, over);
        }
    }
}


static void
ngx_http_cwmp_cpe_late(ngx_http_cwmp_cpe_t *cpe, cwmp_turn_t *turn,
    ngx_queue_t *over)
{
    ngx_queue_t           *q, *next;
    ngx_http_cwmp_call_t  *call;

    for (q = ngx_queue_head(&cpe->calls);
         q != ngx_queue_sentinel(&cpe->calls);
         q = next)
    {
        next = ngx_queue_next(q);
        call = ngx_queue_data(q, ngx_http_cwmp_call_t, queue);

        if (!cwmp_turn_worth(turn, call->deadline - ngx_current_msec,
                             call->conf->timeout))
        {
            cwmp_outcome_set(&call->outcome, CWMP_WAKEUP_QUEUE, 0);
            ngx_http_cwmp_cpe_over(call, over);
        }
    }
}


static void
ngx_http_cwmp_cpe_over(ngx_http_cwmp_call_t *call, ngx_queue_t *over)
{
    ngx_queue_remove(&call->queue);
    ngx_queue_insert_tail(over, &call->queue);

    /* the CPE may be gone before all of them are told */
    call->cpe = NULL;
}


void
ngx_http_cwmp_cpe_release(ngx_http_cwmp_cpe_t *cpe,
    ngx_http_cwmp_call_t *call)
{
    cwmp_turn_t   *turn;
    cwmp_table_t  *t;

    if (call->serial == 0) {
        return;
    }

    t = ngx_http_cwmp_zone_lock(call->zone, NGX_HTTP_CWMP_CALLS);

    turn = cwmp_table_get(t, cpe->key, ngx_current_msec);

    if (turn) {
        cwmp_table_open(t, turn);

        if (cwmp_turn_end(turn, ngx_pid, cwmp_table_holder(t, turn),
                          call->serial, call->key, &call->outcome,
                          ngx_current_msec - call->started)
            == NGX_OK)
        {
            cwmp_table_hold(t, turn, 0);
            cwmp_table_touch(t, turn,
                             ngx_current_msec + NGX_HTTP_CWMP_CPE_KEPT);
        }
    }

    ngx_http_cwmp_zone_unlock(call->zone, NGX_HTTP_CWMP_CALLS);
}
