
/*
 * Fieldgate: exchanges with CPEs.  What to send, and what to make of the
 * replies, is decided in cwmp_exchange.c, and carried out here.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_connect.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_call.h"


#define NGX_HTTP_CWMP_READ_SIZE  4096

#define NGX_HTTP_CWMP_BOUNDS                                                  \
    (NGX_HTTP_CWMP_EXCHANGES_INF - NGX_HTTP_CWMP_EXCHANGES_5)


static ngx_connection_t *ngx_http_cwmp_exchange_kept(
    ngx_http_cwmp_call_t *call);
static void ngx_http_cwmp_exchange_next(ngx_http_cwmp_call_t *call,
    cwmp_exchange_action_e action);
static void ngx_http_cwmp_exchange_reply(ngx_http_cwmp_call_t *call,
    ngx_int_t rc);
static void ngx_http_cwmp_exchange_timer_handler(ngx_event_t *ev);
static void ngx_http_cwmp_exchange_end(ngx_http_cwmp_call_t *call);
static void ngx_http_cwmp_exchange_keep(ngx_http_cwmp_call_t *call);
static void ngx_http_cwmp_exchange_measure(ngx_http_cwmp_call_t *call);


/* of the counters EXCHANGES_, in milliseconds */

static ngx_msec_int_t  ngx_http_cwmp_bounds[NGX_HTTP_CWMP_BOUNDS] = {
    5, 10, 25, 50, 100, 250, 500, 1000, 2500
};


void
ngx_http_cwmp_exchange_start(ngx_http_cwmp_call_t *call)
{
    cwmp_exchange_t   *x;
    ngx_msec_int_t     rest;
    ngx_connection_t  *c;

    call->started = ngx_current_msec;

    call->timer.handler = ngx_http_cwmp_exchange_timer_handler;
    call->timer.data = call;
    call->timer.log = &call->log;

    rest = call->deadline - ngx_current_msec;
    ngx_add_timer(&call->timer, ngx_max(rest, 0));

    x = &call->exchange;
    x->path = call->path;
    x->held = !ngx_http_cwmp_acs_own(call->conf);
    x->none = (x->held && call->credentials.user.len == 0
               && call->credentials.password.len == 0);
    x->basic = call->conf->cpe_basic;
    x->udp = (call->udp.peer.family
              && ngx_http_cwmp_binding_lives(call->zone, &call->udp.peer));
    x->udp_first = (call->conf->udp == NGX_HTTP_CWMP_UDP_FIRST);
    x->udp_only = call->udp.only;

    if (call->path) {
        if (call->authorization.len) {
            x->outcome.scheme = cwmp_auth_scheme(&call->authorization);
        }

        c = ngx_http_cwmp_exchange_kept(call);

        if (c) {
            ngx_http_cwmp_connect_adopt(call, c);
            call->connected = 1;
            x->kept = 1;
        }

    } else if (ngx_http_cwmp_nonce_get(call) != NGX_OK) {
        ngx_http_cwmp_exchange_event(call, CWMP_EXCHANGE_INTERNAL);
        return;
    }

    ngx_http_cwmp_exchange_next(call, cwmp_exchange_start(x));
}


/* path mode: the connection that is kept for the ACS, or NULL */

static ngx_connection_t *
ngx_http_cwmp_exchange_kept(ngx_http_cwmp_call_t *call)
{
    ngx_queue_t             *q;
    ngx_http_cwmp_wakeup_t  *w;

    if (ngx_queue_empty(&call->waiters)) {
        return NULL;
    }

    q = ngx_queue_head(&call->waiters);
    w = ngx_queue_data(q, ngx_http_cwmp_wakeup_t, queue);

    return ngx_http_cwmp_kept_get(w->request, call);
}


/* does what has been decided; the call may be gone after */

static void
ngx_http_cwmp_exchange_next(ngx_http_cwmp_call_t *call,
    cwmp_exchange_action_e action)
{
    ngx_connection_t  *c;

    if (action == CWMP_EXCHANGE_FINISH) {
        ngx_http_cwmp_exchange_end(call);
        return;
    }

    if (action == CWMP_EXCHANGE_SEND_UDP) {
        ngx_http_cwmp_connect_close(call);
        ngx_http_cwmp_udp_start(call);
        return;
    }

    if (ngx_http_cwmp_request_create(call, action) != NGX_OK) {
        ngx_http_cwmp_exchange_event(call, CWMP_EXCHANGE_INTERNAL);
        return;
    }

    call->reading = 0;

    c = call->peer.connection;

    if (call->exchange.reuse && c && !c->read->pending_eof) {
        ngx_http_cwmp_exchange_send(call);
        return;
    }

    ngx_http_cwmp_connect_close(call);
    ngx_http_cwmp_connect(call);
}


void
ngx_http_cwmp_exchange_event(ngx_http_cwmp_call_t *call,
    cwmp_exchange_event_e ev)
{
    ngx_http_cwmp_exchange_next(call,
                                cwmp_exchange_event(&call->exchange, ev,
                                                    call->reading
                                                    && call->reply.started));
}


void
ngx_http_cwmp_exchange_silence(ngx_http_cwmp_call_t *call)
{
    ngx_int_t  rc;

    rc = cwmp_reply_end(&call->reply, 1);

    if (rc != NGX_AGAIN) {
        ngx_http_cwmp_exchange_reply(call, rc);
    }
}


void
ngx_http_cwmp_exchange_send(ngx_http_cwmp_call_t *call)
{
    ssize_t            n;
    ngx_connection_t  *c;

    c = call->peer.connection;

    c->log->action = "sending a request to a CPE";

    while (call->request.len) {

        n = c->send(c, call->request.data, call->request.len);

        if (n == NGX_ERROR) {
            ngx_http_cwmp_exchange_event(call, CWMP_EXCHANGE_RESET);
            return;
        }

        if (n <= 0) {
            break;
        }

        call->request.data += n;
        call->request.len -= n;
    }

    if (ngx_handle_write_event(c->write, 0) != NGX_OK) {
        ngx_http_cwmp_exchange_event(call, CWMP_EXCHANGE_INTERNAL);
        return;
    }

    c->log->action = "reading the reply of a CPE";

    if (c->read->ready) {
        ngx_http_cwmp_exchange_read(call);
        return;
    }

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_http_cwmp_exchange_event(call, CWMP_EXCHANGE_INTERNAL);
    }
}


void
ngx_http_cwmp_exchange_read(ngx_http_cwmp_call_t *call)
{
    u_char             buf[NGX_HTTP_CWMP_READ_SIZE];
    ssize_t            n;
    ngx_int_t          rc;
    ngx_connection_t  *c;

    c = call->peer.connection;

    if (!call->reading) {

        /* not before there is something: a silent CPE costs no buffer */

        if (call->buffer == NULL) {
            call->buffer = ngx_palloc(call->pool, CWMP_REPLY_HEADER_MAX);
            if (call->buffer == NULL) {
                ngx_http_cwmp_exchange_event(call, CWMP_EXCHANGE_INTERNAL);
                return;
            }
        }

        cwmp_reply_init(&call->reply, call->buffer, call->head);
        call->reading = 1;
    }

    for ( ;; ) {
        n = c->recv(c, buf, NGX_HTTP_CWMP_READ_SIZE);

        if (n == NGX_AGAIN) {
            break;
        }

        if (n == NGX_ERROR) {
            ngx_http_cwmp_exchange_event(call, CWMP_EXCHANGE_RESET);
            return;
        }

        rc = n ? cwmp_reply_parse(&call->reply, buf, n)
               : cwmp_reply_end(&call->reply, 0);

        if (rc != NGX_AGAIN) {
            ngx_http_cwmp_exchange_reply(call, rc);
            return;
        }

        if (!c->read->ready) {
            break;
        }
    }

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_http_cwmp_exchange_event(call, CWMP_EXCHANGE_INTERNAL);
        return;
    }

    if (call->reply.started) {
        ngx_add_timer(c->read, CWMP_REPLY_SILENCE);
    }
}


static void
ngx_http_cwmp_exchange_reply(ngx_http_cwmp_call_t *call, ngx_int_t rc)
{
    ngx_connection_t        *c;
    cwmp_exchange_action_e   action;

    c = call->peer.connection;

    if (c->read->timer_set) {
        ngx_del_timer(c->read);
    }

    if (rc == NGX_OK) {
        action = cwmp_exchange_reply(&call->exchange, &call->reply);

        if (action == CWMP_EXCHANGE_SEND_DIGEST) {
            ngx_http_cwmp_nonce_copy(call);
        }

    } else {
        ngx_log_error(NGX_LOG_INFO, c->log, 0, "CPE %s",
                      cwmp_reply_strerror(call->reply.error));

        action = cwmp_exchange_bad_reply(&call->exchange, &call->reply);
    }

    ngx_http_cwmp_exchange_next(call, action);
}


static void
ngx_http_cwmp_exchange_timer_handler(ngx_event_t *ev)
{
    ngx_http_cwmp_exchange_event(ev->data, CWMP_EXCHANGE_TIMEOUT);
}


static void
ngx_http_cwmp_exchange_end(ngx_http_cwmp_call_t *call)
{
    cwmp_exchange_t  *x;

    x = &call->exchange;

    if (call->timer.timer_set) {
        ngx_del_timer(&call->timer);
    }

    ngx_http_cwmp_udp_stop(call);

    if (call->resolving) {
        ngx_resolve_name_done(call->resolving);
        call->resolving = NULL;
    }

    call->outcome = x->outcome;

    if (x->why) {
        ngx_log_error(NGX_LOG_INFO, &call->log, 0, "CPE sent %s",
                      cwmp_challenge_strerror(x->why));
    }

    if (x->outcome.result != CWMP_WAKEUP_OK
        && x->outcome.result != CWMP_WAKEUP_UDP)
    {
        ngx_log_error(NGX_LOG_INFO, &call->log, 0,
                      "wake-up ended: %s, last status of the CPE: %ui",
                      cwmp_wakeup_name(x->outcome.result),
                      (ngx_uint_t) x->outcome.cpe_status);
    }

    if (x->remember) {
        ngx_http_cwmp_nonce_put(call);
    }

    if (x->forget) {
        ngx_http_cwmp_nonce_drop(call);
    }

    ngx_http_cwmp_exchange_keep(call);
    ngx_http_cwmp_connect_close(call);
    ngx_http_cwmp_exchange_measure(call);

    ngx_http_cwmp_call_finish(call);
}


static void
ngx_http_cwmp_exchange_keep(ngx_http_cwmp_call_t *call)
{
    ngx_http_cwmp_wakeup_t  *w;

    if (!call->exchange.keep
        || call->peer.connection == NULL
        || ngx_queue_empty(&call->waiters))
    {
        return;
    }

    w = ngx_queue_data(ngx_queue_head(&call->waiters), ngx_http_cwmp_wakeup_t,
                       queue);

    if (ngx_http_cwmp_kept_put(w->request, call, call->peer.connection)
        == NGX_OK)
    {
        call->peer.connection = NULL;
    }
}


/* the histogram of what exchanges take */

static void
ngx_http_cwmp_exchange_measure(ngx_http_cwmp_call_t *call)
{
    ngx_uint_t      i;
    ngx_msec_int_t  taken;

    taken = ngx_max((ngx_msec_int_t) (ngx_current_msec - call->started), 0);

    for (i = 0; i < NGX_HTTP_CWMP_BOUNDS; i++) {
        if (taken <= ngx_http_cwmp_bounds[i]) {
            break;
        }
    }

    ngx_http_cwmp_add(call->zone, NGX_HTTP_CWMP_EXCHANGES_5 + i, 1);
    ngx_http_cwmp_add(call->zone, NGX_HTTP_CWMP_EXCHANGES_TIME, taken);
}
