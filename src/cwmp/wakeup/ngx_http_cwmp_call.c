
/*
 * Fieldgate: calls to CPEs: which wake-ups share one, and whose turn it is.
 * What the parts are is told in ngx_http_cwmp_wakeup.h.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_call.h"


#define NGX_HTTP_CWMP_CALL_POOL    3072

/* between two looks at a row of another worker: doubled from min to max */

#define NGX_HTTP_CWMP_LOOK_MIN     2
#define NGX_HTTP_CWMP_LOOK_MAX     16

/* a call ends at its deadline; a worker may be late by that much */

#define NGX_HTTP_CWMP_CALL_GRACE   500

/* results are of use to those that look; the rest is for a slow machine */

#define NGX_HTTP_CWMP_CALL_KEPT    10000


typedef u_char  ngx_http_cwmp_call_row_fits_t[
    sizeof(ngx_http_cwmp_call_row_t) <= NGX_HTTP_CWMP_CALL_SIZE ? 1 : -1];


static void ngx_http_cwmp_call_keys(ngx_http_cwmp_wakeup_t *w,
    ngx_http_cwmp_zone_t *z, u_char *target, u_char *call);
static ngx_http_cwmp_target_t *ngx_http_cwmp_target_get(u_char *key,
    ngx_http_cwmp_zone_t *z);
static void ngx_http_cwmp_target_free(ngx_http_cwmp_target_t *target);
static ngx_http_cwmp_call_t *ngx_http_cwmp_call_find(
    ngx_http_cwmp_target_t *target, u_char *key);
static ngx_http_cwmp_call_t *ngx_http_cwmp_call_create(
    ngx_http_cwmp_wakeup_t *w);
static ngx_int_t ngx_http_cwmp_call_copy(ngx_pool_t *pool, ngx_str_t *dst,
    ngx_str_t *src);
static u_char *ngx_http_cwmp_call_log(ngx_log_t *log, u_char *buf, size_t len);
static void ngx_http_cwmp_call_wait(ngx_http_cwmp_wakeup_t *w);
static void ngx_http_cwmp_call_begin(ngx_http_cwmp_call_t *call);
static void ngx_http_cwmp_wait_handler(ngx_event_t *ev);
static void ngx_http_cwmp_look_handler(ngx_event_t *ev);
static void ngx_http_cwmp_look(ngx_http_cwmp_target_t *target);
static ngx_http_cwmp_call_t *ngx_http_cwmp_look_locked(
    ngx_http_cwmp_target_t *target, cwmp_table_t *t, ngx_queue_t *over);
static ngx_uint_t ngx_http_cwmp_call_result(ngx_http_cwmp_call_t *call,
    ngx_http_cwmp_call_row_t *row);
static ngx_uint_t ngx_http_cwmp_row_taken(cwmp_table_t *t,
    ngx_http_cwmp_call_row_t *row);
static void ngx_http_cwmp_call_release(ngx_http_cwmp_call_t *call);
static void ngx_http_cwmp_call_tell(ngx_http_cwmp_call_t *call);


/* the targets of this worker */

static ngx_rbtree_t       ngx_http_cwmp_targets;
static ngx_rbtree_node_t  ngx_http_cwmp_sentinel;


ngx_int_t
ngx_http_cwmp_call_join(ngx_http_cwmp_wakeup_t *w)
{
    u_char                      tkey[CWMP_TABLE_KEY_LEN];
    u_char                      ckey[CWMP_TABLE_KEY_LEN];
    ngx_http_cwmp_call_t       *call;
    ngx_http_cwmp_zone_t       *z;
    ngx_http_cwmp_target_t     *target;
    ngx_http_cwmp_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(w->request, ngx_http_cwmp_module);
    z = cmcf->shared;

    ngx_http_cwmp_call_keys(w, z, tkey, ckey);

    target = ngx_http_cwmp_target_get(tkey, z);
    if (target == NULL) {
        return NGX_ERROR;
    }

    call = ngx_http_cwmp_call_find(target, ckey);

    if (call) {
        ngx_http_cwmp_count(z, CALLS_SHARED);

    } else {
        call = ngx_http_cwmp_call_create(w);

        if (call == NULL) {
            if (ngx_queue_empty(&target->calls)) {
                ngx_http_cwmp_target_free(target);
            }

            return NGX_ERROR;
        }

        ngx_memcpy(call->key, ckey, CWMP_TABLE_KEY_LEN);
        call->target = target;
        call->zone = z;
        call->deadline = w->deadline;
        ngx_queue_insert_tail(&target->calls, &call->queue);
    }

    ngx_queue_insert_tail(&call->waiters, &w->queue);
    w->call = call;

    ngx_http_cwmp_call_wait(w);

    if (target->running == NULL) {

        /*
         * Not from here: a call that fails at once ends its requests, and this
         * one is still in the hands of its content phase.
         */

        ngx_post_event(&target->look, &ngx_posted_events);
    }

    return NGX_OK;
}


/*
 * A name is checked against the policy of the location when it is resolved,
 * so wake-ups of other locations must not take part.  A call in path mode
 * equals no other, since the CPE's nonce and connection belong to one ACS.
 */

static void
ngx_http_cwmp_call_keys(ngx_http_cwmp_wakeup_t *w, ngx_http_cwmp_zone_t *z,
    u_char *target, u_char *call)
{
    ngx_str_t                  parts[6];
    struct {
        void                  *conf;
        ngx_pid_t              pid;
        ngx_uint_t             number;
        ngx_uint_t             flags;
    } same;
    ngx_http_cwmp_loc_conf_t  *clcf;

    static ngx_uint_t  number;

    clcf = ngx_http_get_module_loc_conf(w->request, ngx_http_cwmp_module);

    ngx_http_cwmp_zone_key(z, target, NGX_HTTP_CWMP_KEY_ORIGIN,
                           &w->origin.hostport, 1);

    ngx_memzero(&same, sizeof(same));

    same.flags = clcf->cpe_basic | (clcf->user ? 2 : 0);

    if (w->origin.socklen == 0) {
        same.conf = clcf;
    }

    if (clcf->url_mode == CWMP_URL_PATH) {
        same.pid = ngx_pid;
        same.number = ++number;
    }

    ngx_memzero(parts, sizeof(parts));

    parts[0].data = (u_char *) &same;
    parts[0].len = sizeof(same);
    parts[1] = w->origin.hostport;
    parts[2] = w->origin.target;
    parts[3] = w->credentials.user;
    parts[4] = w->credentials.password;

    if (clcf->bind) {
        parts[5] = clcf->bind->name;
    }

    ngx_http_cwmp_zone_key(z, call, NGX_HTTP_CWMP_KEY_CALL, parts, 6);
}


static ngx_http_cwmp_target_t *
ngx_http_cwmp_target_get(u_char *key, ngx_http_cwmp_zone_t *z)
{
    uint32_t                 hash;
    ngx_str_t                name;
    ngx_http_cwmp_target_t  *target;

    if (ngx_http_cwmp_targets.root == NULL) {
        ngx_rbtree_init(&ngx_http_cwmp_targets, &ngx_http_cwmp_sentinel,
                        ngx_str_rbtree_insert_value);
    }

    ngx_memcpy(&hash, key, sizeof(uint32_t));

    name.len = CWMP_TABLE_KEY_LEN;
    name.data = key;

    target = (ngx_http_cwmp_target_t *)
                  ngx_str_rbtree_lookup(&ngx_http_cwmp_targets, &name, hash);

    if (target) {
        return target;
    }

    target = ngx_calloc(sizeof(ngx_http_cwmp_target_t), ngx_cycle->log);
    if (target == NULL) {
        return NULL;
    }

    ngx_memcpy(target->key, key, CWMP_TABLE_KEY_LEN);
    ngx_queue_init(&target->calls);
    target->zone = z;
    target->pause = NGX_HTTP_CWMP_LOOK_MIN;

    target->look.handler = ngx_http_cwmp_look_handler;
    target->look.data = target;
    target->look.log = ngx_cycle->log;

    target->node.node.key = hash;
    target->node.str.len = CWMP_TABLE_KEY_LEN;
    target->node.str.data = target->key;

    ngx_rbtree_insert(&ngx_http_cwmp_targets, &target->node.node);

    return target;
}


static void
ngx_http_cwmp_target_free(ngx_http_cwmp_target_t *target)
{
    if (target->look.posted) {
        ngx_delete_posted_event(&target->look);
    }

    if (target->look.timer_set) {
        ngx_del_timer(&target->look);
    }

    ngx_rbtree_delete(&ngx_http_cwmp_targets, &target->node.node);
    ngx_free(target);
}


static ngx_http_cwmp_call_t *
ngx_http_cwmp_call_find(ngx_http_cwmp_target_t *target, u_char *key)
{
    ngx_queue_t           *q;
    ngx_http_cwmp_call_t  *call;

    for (q = ngx_queue_head(&target->calls);
         q != ngx_queue_sentinel(&target->calls);
         q = ngx_queue_next(q))
    {
        call = ngx_queue_data(q, ngx_http_cwmp_call_t, queue);

        if (ngx_memcmp(call->key, key, CWMP_TABLE_KEY_LEN) == 0) {
            return call;
        }
    }

    return NULL;
}


static ngx_http_cwmp_call_t *
ngx_http_cwmp_call_create(ngx_http_cwmp_wakeup_t *w)
{
    ngx_pool_t            *pool;
    ngx_http_request_t    *r;
    ngx_http_cwmp_call_t  *call;

    r = w->request;

    pool = ngx_create_pool(NGX_HTTP_CWMP_CALL_POOL, ngx_cycle->log);
    if (pool == NULL) {
        return NULL;
    }

    call = ngx_pcalloc(pool, sizeof(ngx_http_cwmp_call_t));
    if (call == NULL) {
        goto failed;
    }

    call->pool = pool;
    call->conf = ngx_http_get_module_loc_conf(r, ngx_http_cwmp_module);
    call->core = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
    call->policy = w->policy;
    call->origin = w->origin;
    call->path = (call->conf->url_mode == CWMP_URL_PATH);

    /*
     * TR-069 has GET only.  But a Digest response covers the method, and here
     * it is the ACS's own.
     */
    call->head = (call->path && r->method == NGX_HTTP_HEAD);

    ngx_queue_init(&call->waiters);

    if (ngx_http_cwmp_call_copy(pool, &call->origin.host, &w->origin.host)
        != NGX_OK
        || ngx_http_cwmp_call_copy(pool, &call->origin.hostport,
                                   &w->origin.hostport)
           != NGX_OK
        || ngx_http_cwmp_call_copy(pool, &call->origin.host_header,
                                   &w->origin.host_header)
           != NGX_OK
        || ngx_http_cwmp_call_copy(pool, &call->origin.target,
                                   &w->origin.target)
           != NGX_OK
        || ngx_http_cwmp_call_copy(pool, &call->credentials.user,
                                   &w->credentials.user)
           != NGX_OK
        || ngx_http_cwmp_call_copy(pool, &call->credentials.password,
                                   &w->credentials.password)
           != NGX_OK
        || ngx_http_cwmp_call_copy(pool, &call->authorization,
                                   &w->authorization)
           != NGX_OK)
    {
        goto failed;
    }

    /* of no use once the signature has been checked */

    ngx_str_null(&call->origin.path);
    ngx_str_null(&call->origin.sig);

    call->log = *call->core->error_log;
    call->log.handler = ngx_http_cwmp_call_log;
    call->log.data = call;
    call->log.action = NULL;
    call->log.connection = 0;
    pool->log = &call->log;

    return call;

failed:

    ngx_destroy_pool(pool);

    return NULL;
}


static ngx_int_t
ngx_http_cwmp_call_copy(ngx_pool_t *pool, ngx_str_t *dst, ngx_str_t *src)
{
    dst->len = src->len;
    dst->data = ngx_pnalloc(pool, src->len);

    if (dst->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(dst->data, src->data, src->len);

    return NGX_OK;
}


static u_char *
ngx_http_cwmp_call_log(ngx_log_t *log, u_char *buf, size_t len)
{
    u_char                *p;
    ngx_http_cwmp_call_t  *call;

    p = buf;

    if (log->action) {
        p = ngx_snprintf(p, len, " while %s", log->action);
        len -= p - buf;
        buf = p;
    }

    call = log->data;

    return ngx_snprintf(buf, len, ", CPE: %V", &call->origin.hostport);
}


/*
 * A running call is over at its deadline; only who cannot wait that long, or
 * does not know yet when it begins, needs a timer.
 */

static void
ngx_http_cwmp_call_wait(ngx_http_cwmp_wakeup_t *w)
{
    ngx_msec_int_t         later, rest;
    ngx_http_cwmp_call_t  *call;

    call = w->call;
    later = w->deadline - call->deadline;

    if (call == call->target->running) {

        if (later >= 0) {
            return;
        }

    } else if (later > 0) {
        /* a queued call has as much time as the most patient one */
        call->deadline = w->deadline;
    }

    w->timer.handler = ngx_http_cwmp_wait_handler;
    w->timer.data = w;
    w->timer.log = w->request->connection->log;

    rest = w->deadline - ngx_current_msec;

    ngx_add_timer(&w->timer, ngx_max(rest, 0));
}


/* a queued call begins: its own timer does for those who waited for it */

static void
ngx_http_cwmp_call_begin(ngx_http_cwmp_call_t *call)
{
    ngx_queue_t             *q;
    ngx_http_cwmp_wakeup_t  *w;

    for (q = ngx_queue_head(&call->waiters);
         q != ngx_queue_sentinel(&call->waiters);
         q = ngx_queue_next(q))
    {
        w = ngx_queue_data(q, ngx_http_cwmp_wakeup_t, queue);

        if (w->timer.timer_set
            && (ngx_msec_int_t) (w->deadline - call->deadline) >= 0)
        {
            ngx_del_timer(&w->timer);
        }
    }

    ngx_http_cwmp_client_start(call);
}


static void
ngx_http_cwmp_wait_handler(ngx_event_t *ev)
{
    cwmp_wakeup_t            course;
    ngx_connection_t        *c;
    ngx_http_cwmp_call_t    *call;
    ngx_http_cwmp_wakeup_t  *w;

    w = ev->data;
    call = w->call;
    c = w->request->connection;

    ngx_memzero(&course, sizeof(cwmp_wakeup_t));

    (void) cwmp_wakeup_finish(&course, call == call->target->running
                                       ? CWMP_WAKEUP_TIMEOUT
                                       : CWMP_WAKEUP_QUEUE);

    w->outcome.result = course.result;
    w->outcome.status = course.status;

    ngx_http_cwmp_call_leave(w);

    ngx_http_cwmp_wakeup_done(w, NULL);

    ngx_http_run_posted_requests(c);
}


void
ngx_http_cwmp_call_leave(ngx_http_cwmp_wakeup_t *w)
{
    ngx_http_cwmp_call_t    *call;
    ngx_http_cwmp_target_t  *target;

    call = w->call;
    w->call = NULL;

    ngx_queue_remove(&w->queue);

    if (w->timer.timer_set) {
        ngx_del_timer(&w->timer);
    }

    target = call->target;

    if (target == NULL
        || call == target->running
        || !ngx_queue_empty(&call->waiters))
    {
        return;
    }

    ngx_queue_remove(&call->queue);
    ngx_destroy_pool(call->pool);

    if (ngx_queue_empty(&target->calls)) {
        ngx_http_cwmp_target_free(target);
    }
}


static void
ngx_http_cwmp_look_handler(ngx_event_t *ev)
{
    ngx_http_cwmp_look(ev->data);
}


/*
 * None of the target's calls runs.  Takes what other workers have found out,
 * then begins the first call, or looks again later.
 */

static void
ngx_http_cwmp_look(ngx_http_cwmp_target_t *target)
{
    ngx_queue_t            over, *q;
    cwmp_table_t          *t;
    ngx_http_cwmp_call_t  *call, *told;

    if (target->running) {
        return;
    }

    if (target->look.timer_set) {
        ngx_del_timer(&target->look);
    }

    ngx_queue_init(&over);

    t = ngx_http_cwmp_zone_lock(target->zone, NGX_HTTP_CWMP_CALLS);
    call = ngx_http_cwmp_look_locked(target, t, &over);
    ngx_http_cwmp_zone_unlock(target->zone, NGX_HTTP_CWMP_CALLS);

    if (call) {
        target->running = call;
        target->pause = NGX_HTTP_CWMP_LOOK_MIN;

    } else if (ngx_queue_empty(&target->calls)) {
        ngx_http_cwmp_target_free(target);

    } else {
        ngx_add_timer(&target->look, target->pause);
        target->pause = ngx_min(target->pause * 2, NGX_HTTP_CWMP_LOOK_MAX);
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
ngx_http_cwmp_look_locked(ngx_http_cwmp_target_t *target, cwmp_table_t *t,
    ngx_queue_t *over)
{
    ngx_msec_t                 now;
    ngx_queue_t               *q, *next;
    ngx_http_cwmp_call_t      *call;
    ngx_http_cwmp_call_row_t  *row;

    now = ngx_current_msec;

    row = cwmp_table_get(t, target->key, now);

    for (q = ngx_queue_head(&target->calls);
         q != ngx_queue_sentinel(&target->calls);
         q = next)
    {
        next = ngx_queue_next(q);
        call = ngx_queue_data(q, ngx_http_cwmp_call_t, queue);

        if (row && ngx_http_cwmp_call_result(call, row)) {
            ngx_queue_remove(q);
            ngx_queue_insert_tail(over, q);

            /* it may be gone before all of them are told */
            call->target = NULL;
        }

        call->looked = 1;
    }

    if (ngx_queue_empty(&target->calls)) {
        return NULL;
    }

    call = ngx_queue_data(ngx_queue_head(&target->calls),
                          ngx_http_cwmp_call_t, queue);

    if (row == NULL) {
        row = cwmp_table_insert(t, target->key, now,
                                call->deadline + NGX_HTTP_CWMP_CALL_KEPT,
                                ngx_http_cwmp_zone_alive);
        if (row == NULL) {
            return call;
        }

    } else {
        cwmp_table_open(t, row);

        if (ngx_http_cwmp_row_taken(t, row)) {
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


/*
 * A result that came after the call was first looked for is as good as one of
 * its own: the CPE was asked the same while this call was in flight.
 */

static ngx_uint_t
ngx_http_cwmp_call_result(ngx_http_cwmp_call_t *call,
    ngx_http_cwmp_call_row_t *row)
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
ngx_http_cwmp_row_taken(cwmp_table_t *t, ngx_http_cwmp_call_row_t *row)
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
ngx_http_cwmp_call_finish(ngx_http_cwmp_call_t *call)
{
    ngx_http_cwmp_target_t  *target;

    target = call->target;

    target->running = NULL;
    ngx_queue_remove(&call->queue);

    ngx_http_cwmp_call_release(call);

    if (ngx_queue_empty(&target->calls)) {
        ngx_http_cwmp_target_free(target);

    } else {
        /* not from here: calls that fail at once would pile up */
        ngx_post_event(&target->look, &ngx_posted_events);
    }

    ngx_http_cwmp_call_tell(call);
}


static void
ngx_http_cwmp_call_release(ngx_http_cwmp_call_t *call)
{
    cwmp_table_t              *t;
    ngx_http_cwmp_result_t    *result;
    ngx_http_cwmp_call_row_t  *row;

    if (call->serial == 0) {
        return;
    }

    t = ngx_http_cwmp_zone_lock(call->zone, NGX_HTTP_CWMP_CALLS);

    row = cwmp_table_get(t, call->target->key, ngx_current_msec);

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


/* tells all who wait for the call how it ended, and frees it */

static void
ngx_http_cwmp_call_tell(ngx_http_cwmp_call_t *call)
{
    ngx_queue_t             *q;
    ngx_connection_t        *c;
    ngx_http_cwmp_wakeup_t  *w;

    /* from now on whoever leaves only leaves the queue */
    call->target = NULL;

    while (!ngx_queue_empty(&call->waiters)) {
        q = ngx_queue_head(&call->waiters);
        ngx_queue_remove(q);

        w = ngx_queue_data(q, ngx_http_cwmp_wakeup_t, queue);
        w->call = NULL;
        w->outcome = call->outcome;

        if (w->timer.timer_set) {
            ngx_del_timer(&w->timer);
        }

        c = w->request->connection;

        ngx_http_cwmp_wakeup_done(w, call);

        ngx_http_run_posted_requests(c);
    }

    ngx_destroy_pool(call->pool);
}
