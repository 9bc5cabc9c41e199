
/*
 * Fieldgate: checks of passwords that wait for their turn.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_checks.h"


static void ntrip_checks_place(ntrip_checks_t *checks, ntrip_lane_t *lane);
static void ntrip_checks_unqueue(ntrip_lane_t *lane);
static ntrip_check_t *ntrip_checks_first(ntrip_lane_t *lane);


void
ntrip_checks_init(ntrip_checks_t *checks, ngx_uint_t limit, ngx_uint_t share)
{
    ngx_rbtree_init(&checks->lanes, &checks->sentinel,
                    ngx_rbtree_insert_value);
    ngx_queue_init(&checks->round);
    ngx_queue_init(&checks->deferred);

    checks->running = 0;
    checks->limit = limit;
    checks->share = share;
}


ntrip_lane_t *
ntrip_checks_lane(ntrip_checks_t *checks, uint64_t address)
{
    ngx_rbtree_node_t  *node;

    node = checks->lanes.root;

    while (node != &checks->sentinel) {

        if (node->key == (ngx_rbtree_key_t) address) {
            return ngx_rbtree_data(node, ntrip_lane_t, node);
        }

        node = ((ngx_rbtree_key_t) address < node->key) ? node->left
                                                        : node->right;
    }

    return NULL;
}


void
ntrip_checks_open(ntrip_checks_t *checks, ntrip_lane_t *lane,
    uint64_t address)
{
    lane->node.key = (ngx_rbtree_key_t) address;
    ngx_queue_init(&lane->waiting[NTRIP_CHECK_FIRST]);
    ngx_queue_init(&lane->waiting[NTRIP_CHECK_FAILED]);
    lane->running = 0;
    lane->queued = 0;
    lane->deferred = 0;

    ngx_rbtree_insert(&checks->lanes, &lane->node);
}


void
ntrip_checks_add(ntrip_checks_t *checks, ntrip_lane_t *lane,
    ntrip_check_t *check, ngx_uint_t failed)
{
    check->lane = lane;
    check->state = failed ? NTRIP_CHECK_FAILED : NTRIP_CHECK_FIRST;

    ngx_queue_insert_tail(&lane->waiting[check->state], &check->queue);

    if (lane->deferred && !failed) {
        ngx_queue_remove(&lane->queue);
        lane->deferred = 0;
    }

    ntrip_checks_place(checks, lane);
}


/* at the end of the round, if there is something that may run */

static void
ntrip_checks_place(ntrip_checks_t *checks, ntrip_lane_t *lane)
{
    if (lane->queued
        || lane->deferred
        || lane->running >= checks->share
        || ntrip_checks_first(lane) == NULL)
    {
        return;
    }

    lane->queued = 1;
    ngx_queue_insert_tail(&checks->round, &lane->queue);
}


static void
ntrip_checks_unqueue(ntrip_lane_t *lane)
{
    if (lane->queued || lane->deferred) {
        ngx_queue_remove(&lane->queue);
        lane->queued = 0;
        lane->deferred = 0;
    }
}


static ntrip_check_t *
ntrip_checks_first(ntrip_lane_t *lane)
{
    ngx_uint_t    i;
    ngx_queue_t  *waiting;

    for (i = NTRIP_CHECK_FIRST; i <= NTRIP_CHECK_FAILED; i++) {
        waiting = &lane->waiting[i];

        if (!ngx_queue_empty(waiting)) {
            return ngx_queue_data(ngx_queue_head(waiting), ntrip_check_t,
                                  queue);
        }
    }

    return NULL;
}


ntrip_check_t *
ntrip_checks_next(ntrip_checks_t *checks)
{
    ngx_queue_t  *q;

    if (checks->running >= checks->limit || ngx_queue_empty(&checks->round)) {
        return NULL;
    }

    q = ngx_queue_head(&checks->round);

    return ntrip_checks_first(ngx_queue_data(q, ntrip_lane_t, queue));
}


void
ntrip_checks_start(ntrip_checks_t *checks, ntrip_check_t *check)
{
    ntrip_lane_t  *lane;

    lane = check->lane;

    ngx_queue_remove(&check->queue);
    check->state = NTRIP_CHECK_RUNS;

    lane->running++;
    checks->running++;

    ntrip_checks_unqueue(lane);
    ntrip_checks_place(checks, lane);
}


void
ntrip_checks_demote(ntrip_checks_t *checks, ntrip_check_t *check)
{
    ngx_queue_remove(&check->queue);
    check->state = NTRIP_CHECK_FAILED;

    ngx_queue_insert_tail(&check->lane->waiting[NTRIP_CHECK_FAILED],
                          &check->queue);
}


void
ntrip_checks_defer(ntrip_checks_t *checks, ntrip_lane_t *lane)
{
    ntrip_checks_unqueue(lane);

    lane->deferred = 1;
    ngx_queue_insert_tail(&checks->deferred, &lane->queue);
}


void
ntrip_checks_resume(ntrip_checks_t *checks)
{
    ngx_queue_t   *q;
    ntrip_lane_t  *lane;

    while (!ngx_queue_empty(&checks->deferred)) {
        q = ngx_queue_head(&checks->deferred);
        lane = ngx_queue_data(q, ntrip_lane_t, queue);

        ntrip_checks_unqueue(lane);
        ntrip_checks_place(checks, lane);
    }
}


ntrip_lane_t *
ntrip_checks_end(ntrip_checks_t *checks, ntrip_check_t *check)
{
    ntrip_lane_t  *lane;

    lane = check->lane;

    if (check->state == NTRIP_CHECK_RUNS) {
        lane->running--;
        checks->running--;

        if (lane->deferred) {
            ntrip_checks_unqueue(lane);
        }

    } else {
        ngx_queue_remove(&check->queue);
    }

    if (ntrip_checks_first(lane)) {
        ntrip_checks_place(checks, lane);
        return NULL;
    }

    ntrip_checks_unqueue(lane);

    if (lane->running) {
        return NULL;
    }

    ngx_rbtree_delete(&checks->lanes, &lane->node);

    return lane;
}
