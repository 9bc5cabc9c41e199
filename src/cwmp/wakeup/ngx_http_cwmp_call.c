
/*
 * Fieldgate: calls to CPEs, and which wake-ups share one.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_call.h"


#define NGX_HTTP_CWMP_CALL_POOL    3072


static void ngx_http_cwmp_call_keys(ngx_http_cwmp_wakeup_t *w,
    ngx_http_cwmp_zone_t *z, u_char *cpe, u_char *call);
static ngx_http_cwmp_call_t *ngx_http_cwmp_call_find(ngx_http_cwmp_cpe_t *cpe,
    u_char *key);
static ngx_http_cwmp_call_t *ngx_http_cwmp_call_create(
    ngx_http_cwmp_wakeup_t *w, ngx_http_cwmp_zone_t *z);
static ngx_int_t ngx_http_cwmp_call_copy(ngx_http_cwmp_call_t *call,
    ngx_http_cwmp_wakeup_t *w, ngx_http_cwmp_zone_t *z);
static u_char *ngx_http_cwmp_call_log(ngx_log_t *log, u_char *buf, size_t len);
static void ngx_http_cwmp_call_wait(ngx_http_cwmp_wakeup_t *w);
static void ngx_http_cwmp_wait_handler(ngx_event_t *ev);


ngx_int_t
ngx_http_cwmp_call_join(ngx_http_cwmp_wakeup_t *w)
{
    u_char                      key[CWMP_TABLE_KEY_LEN];
    u_char                      cpe_key[CWMP_TABLE_KEY_LEN];
    ngx_http_cwmp_call_t       *call;
    ngx_http_cwmp_zone_t       *z;
    ngx_http_cwmp_cpe_t        *cpe;
    ngx_http_cwmp_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(w->request, ngx_http_cwmp_module);
    z = cmcf->shared;

    ngx_http_cwmp_call_keys(w, z, cpe_key, key);

    cpe = ngx_http_cwmp_cpe_get(cpe_key, z);
    if (cpe == NULL) {
        return NGX_ERROR;
    }

    call = ngx_http_cwmp_call_find(cpe, key);

    if (call) {
        ngx_http_cwmp_count(z, CALLS_SHARED);

    } else {
        call = ngx_http_cwmp_call_create(w, z);

        if (call == NULL) {
            ngx_http_cwmp_cpe_update(cpe);
            return NGX_ERROR;
        }

        ngx_memcpy(call->key, key, CWMP_TABLE_KEY_LEN);
        call->cpe = cpe;
        call->zone = z;
        call->deadline = w->deadline;
        ngx_queue_insert_tail(&cpe->calls, &call->queue);
    }

    ngx_queue_insert_tail(&call->waiters, &w->queue);
    w->call = call;

    ngx_http_cwmp_call_wait(w);

    ngx_http_cwmp_cpe_update(cpe);

    return NGX_OK;
}


/*
 * A name is checked against the policy of the location when it is resolved,
 * so wake-ups of other locations must not take part.  A call in path or host
 * mode equals no other, since the CPE's nonce and connection belong to one ACS.
 */

static void
ngx_http_cwmp_call_keys(ngx_http_cwmp_wakeup_t *w, ngx_http_cwmp_zone_t *z,
    u_char *cpe, u_char *call)
{
    ngx_str_t                  parts[7];
    struct {
        void                  *conf;
        ngx_pid_t              pid;
        ngx_uint_t             number;
        ngx_uint_t             flags;
    } same;
    ngx_http_cwmp_loc_conf_t  *clcf;

    static ngx_uint_t  number;

    clcf = ngx_http_get_module_loc_conf(w->request, ngx_http_cwmp_module);

    /* behind NAT many have the same inner address */

    parts[0] = w->origin.hostport;
    parts[1] = w->udp.hostport;

    ngx_http_cwmp_zone_key(z, cpe, NGX_HTTP_CWMP_KEY_ORIGIN, parts,
                           w->udp.socklen ? 2 : 1);

    ngx_memzero(&same, sizeof(same));

    same.flags = clcf->cpe_basic | (ngx_http_cwmp_acs_own(clcf) ? 0 : 2)
                 | (w->udp_only ? 4 : 0) | clcf->udp << 3;

    if (w->origin.socklen == 0) {
        same.conf = clcf;
    }

    if (clcf->url_mode != CWMP_URL_QUERY) {
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

    if (w->udp.socklen) {
        parts[6] = w->udp.hostport;
    }

    ngx_http_cwmp_zone_key(z, call, NGX_HTTP_CWMP_KEY_CALL, parts, 7);
}


static ngx_http_cwmp_call_t *
ngx_http_cwmp_call_find(ngx_http_cwmp_cpe_t *cpe, u_char *key)
{
    ngx_queue_t           *q;
    ngx_http_cwmp_call_t  *call;

    for (q = ngx_queue_head(&cpe->calls);
         q != ngx_queue_sentinel(&cpe->calls);
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
ngx_http_cwmp_call_create(ngx_http_cwmp_wakeup_t *w, ngx_http_cwmp_zone_t *z)
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
    call->path = (call->conf->url_mode != CWMP_URL_QUERY);

    /*
     * TR-069 has GET only.  But a Digest response covers the method, and here
     * it is the ACS's own.
     */
    call->head = (call->path && r->method == NGX_HTTP_HEAD);

    ngx_queue_init(&call->waiters);

    if (ngx_http_cwmp_call_copy(call, w, z) != NGX_OK) {
        goto failed;
    }

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


/* the strings of what was asked for, which go with the request */

static ngx_int_t
ngx_http_cwmp_call_copy(ngx_http_cwmp_call_t *call, ngx_http_cwmp_wakeup_t *w,
    ngx_http_cwmp_zone_t *z)
{
    ngx_str_t   *s;
    ngx_uint_t   i;

    ngx_str_t  *strings[] = {
        &call->origin.host,
        &call->origin.hostport,
        &call->origin.host_header,
        &call->origin.target,
        &call->credentials.user,
        &call->credentials.password,
        &call->authorization,
        &call->udp.hostport
    };

    call->origin = w->origin;
    call->credentials = w->credentials;
    call->authorization = w->authorization;

    if (w->udp.socklen) {
        (void) cwmp_endpoint_set(&call->udp.peer, &w->udp.sockaddr.sockaddr);

        call->udp.hostport = w->udp.hostport;
        call->udp.only = w->udp_only;

        ngx_http_cwmp_address_of_url(z, call->udp.key, &w->origin, NULL);
    }

    /* of no use once the signature has been checked */

    ngx_str_null(&call->origin.path);
    ngx_str_null(&call->origin.udp);
    ngx_str_null(&call->origin.sig);

    for (i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
        s = strings[i];

        if (s->len == 0) {
            ngx_str_set(s, "");
            continue;
        }

        s->data = ngx_pstrdup(call->pool, s);
        if (s->data == NULL) {
            return NGX_ERROR;
        }
    }

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

    if (call == call->cpe->running) {

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

void
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

    ngx_http_cwmp_exchange_start(call);
}


static void
ngx_http_cwmp_wait_handler(ngx_event_t *ev)
{
    ngx_connection_t        *c;
    ngx_http_cwmp_call_t    *call;
    ngx_http_cwmp_wakeup_t  *w;

    w = ev->data;
    call = w->call;
    c = w->request->connection;

    cwmp_outcome_set(&w->outcome, call == call->cpe->running
                                  ? CWMP_WAKEUP_TIMEOUT : CWMP_WAKEUP_QUEUE,
                     0);

    ngx_http_cwmp_call_leave(w);

    ngx_http_cwmp_answer_late(w, NULL);

    ngx_http_run_posted_requests(c);
}


void
ngx_http_cwmp_call_leave(ngx_http_cwmp_wakeup_t *w)
{
    ngx_http_cwmp_cpe_t   *cpe;
    ngx_http_cwmp_call_t  *call;

    call = w->call;
    w->call = NULL;

    ngx_queue_remove(&w->queue);

    if (w->timer.timer_set) {
        ngx_del_timer(&w->timer);
    }

    cpe = call->cpe;

    if (cpe == NULL
        || call == cpe->running
        || !ngx_queue_empty(&call->waiters))
    {
        return;
    }

    ngx_queue_remove(&call->queue);
    ngx_destroy_pool(call->pool);

    ngx_http_cwmp_cpe_update(cpe);
}


void
ngx_http_cwmp_call_finish(ngx_http_cwmp_call_t *call)
{
    ngx_http_cwmp_cpe_t  *cpe;

    cpe = call->cpe;

    cpe->running = NULL;
    ngx_queue_remove(&call->queue);

    ngx_http_cwmp_cpe_release(cpe, call);
    ngx_http_cwmp_cpe_update(cpe);

    ngx_http_cwmp_call_tell(call);
}


void
ngx_http_cwmp_call_tell(ngx_http_cwmp_call_t *call)
{
    ngx_queue_t             *q;
    ngx_connection_t        *c;
    ngx_http_cwmp_wakeup_t  *w;

    /* from now on whoever leaves only leaves the queue */
    call->cpe = NULL;

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

        ngx_http_cwmp_answer_late(w, &call->reply);

        ngx_http_run_posted_requests(c);
    }

    ngx_destroy_pool(call->pool);
}
