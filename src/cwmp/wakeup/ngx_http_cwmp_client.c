
/*
 * Fieldgate: the HTTP client towards a CPE.  What to send, and what to make
 * of the replies, is decided in cwmp_wakeup.c; here are the sockets and the
 * timers.
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


static void ngx_http_cwmp_client_adopt(ngx_http_cwmp_call_t *call,
    ngx_connection_t *c);
static void ngx_http_cwmp_client_next(ngx_http_cwmp_call_t *call,
    cwmp_wakeup_action_e action);
static void ngx_http_cwmp_client_event(ngx_http_cwmp_call_t *call,
    cwmp_wakeup_event_e ev);
static ngx_int_t ngx_http_cwmp_client_address(ngx_http_cwmp_call_t *call);
static ngx_int_t ngx_http_cwmp_client_resolve(ngx_http_cwmp_call_t *call);
static void ngx_http_cwmp_client_resolved(ngx_resolver_ctx_t *ctx);
static ngx_int_t ngx_http_cwmp_client_addresses(ngx_http_cwmp_call_t *call,
    ngx_resolver_ctx_t *ctx);
static void ngx_http_cwmp_client_connect(ngx_http_cwmp_call_t *call);
static ngx_int_t ngx_http_cwmp_client_open(ngx_http_cwmp_call_t *call);
static ngx_int_t ngx_http_cwmp_client_test(ngx_connection_t *c);
static void ngx_http_cwmp_client_failed(ngx_http_cwmp_call_t *call,
    cwmp_wakeup_event_e ev);
static void ngx_http_cwmp_client_write_handler(ngx_event_t *wev);
static void ngx_http_cwmp_client_send(ngx_http_cwmp_call_t *call);
static void ngx_http_cwmp_client_dummy_handler(ngx_event_t *ev);
static void ngx_http_cwmp_client_read_handler(ngx_event_t *rev);
static void ngx_http_cwmp_client_read(ngx_http_cwmp_call_t *call);
static void ngx_http_cwmp_client_reply(ngx_http_cwmp_call_t *call,
    ngx_int_t rc);
static void ngx_http_cwmp_client_timer_handler(ngx_event_t *ev);
static void ngx_http_cwmp_client_close(ngx_http_cwmp_call_t *call);
static void ngx_http_cwmp_client_end(ngx_http_cwmp_call_t *call);
static void ngx_http_cwmp_client_keep(ngx_http_cwmp_call_t *call);
static void ngx_http_cwmp_client_measure(ngx_http_cwmp_call_t *call);


/* of the counters EXCHANGES_, in milliseconds */

static ngx_msec_int_t  ngx_http_cwmp_bounds[NGX_HTTP_CWMP_BOUNDS] = {
    5, 10, 25, 50, 100, 250, 500, 1000, 2500
};


void
ngx_http_cwmp_client_start(ngx_http_cwmp_call_t *call)
{
    cwmp_wakeup_t           *course;
    ngx_msec_int_t           rest;
    ngx_connection_t        *c;
    ngx_http_cwmp_wakeup_t  *w;

    call->started = ngx_current_msec;

    call->timer.handler = ngx_http_cwmp_client_timer_handler;
    call->timer.data = call;
    call->timer.log = &call->log;

    rest = call->deadline - ngx_current_msec;
    ngx_add_timer(&call->timer, ngx_max(rest, 0));

    course = &call->course;
    course->path = call->path;
    course->held = (call->conf->user != NULL);
    course->basic = call->conf->cpe_basic;

    if (call->path) {
        c = NULL;

        if (!ngx_queue_empty(&call->waiters)) {
            w = ngx_queue_data(ngx_queue_head(&call->waiters),
                               ngx_http_cwmp_wakeup_t, queue);
            c = ngx_http_cwmp_kept_get(w->request, call);
        }

        if (c) {
            ngx_http_cwmp_client_adopt(call, c);
            call->connected = 1;
            course->kept = 1;
        }

    } else {
        switch (ngx_http_cwmp_nonce_get(call)) {

        case NGX_OK:
            course->known = 1;
            call->known = 1;
            break;

        case NGX_DECLINED:
            break;

        default:
            ngx_http_cwmp_client_event(call, CWMP_WAKEUP_EV_INTERNAL);
            return;
        }
    }

    ngx_http_cwmp_client_next(call, cwmp_wakeup_start(course));
}


static void
ngx_http_cwmp_client_adopt(ngx_http_cwmp_call_t *call, ngx_connection_t *c)
{
    call->peer.connection = c;
    call->log.connection = c->number;

    c->data = call;
    c->log = &call->log;

    c->read->log = c->log;
    c->read->handler = ngx_http_cwmp_client_read_handler;

    c->write->log = c->log;
    c->write->handler = ngx_http_cwmp_client_write_handler;
}


/* does what the course of the wake-up asks for; the call may be gone after */

static void
ngx_http_cwmp_client_next(ngx_http_cwmp_call_t *call,
    cwmp_wakeup_action_e action)
{
    ngx_connection_t  *c;

    if (action == CWMP_WAKEUP_FINISH) {
        ngx_http_cwmp_client_end(call);
        return;
    }

    if (ngx_http_cwmp_request_create(call, action) != NGX_OK) {
        ngx_http_cwmp_client_event(call, CWMP_WAKEUP_EV_INTERNAL);
        return;
    }

    call->reading = 0;

    c = call->peer.connection;

    if (call->course.reuse && c && !c->read->pending_eof) {
        ngx_http_cwmp_client_send(call);
        return;
    }

    ngx_http_cwmp_client_close(call);
    ngx_http_cwmp_client_connect(call);
}


static void
ngx_http_cwmp_client_event(ngx_http_cwmp_call_t *call, cwmp_wakeup_event_e ev)
{
    ngx_http_cwmp_client_next(call, cwmp_wakeup_event(&call->course, ev,
                                                      call->reading
                                                      && call->reply.started));
}


/*
 * Returns NGX_OK if there is an address, NGX_AGAIN if it will come later,
 * NGX_DONE if the call may be gone.
 */

static ngx_int_t
ngx_http_cwmp_client_address(ngx_http_cwmp_call_t *call)
{
    if (call->naddrs) {
        return NGX_OK;
    }

    if (call->origin.socklen == 0) {
        return ngx_http_cwmp_client_resolve(call);
    }

    call->addrs = ngx_palloc(call->pool, sizeof(ngx_addr_t));
    if (call->addrs == NULL) {
        ngx_http_cwmp_client_event(call, CWMP_WAKEUP_EV_INTERNAL);
        return NGX_DONE;
    }

    call->addrs->sockaddr = &call->origin.sockaddr.sockaddr;
    call->addrs->socklen = call->origin.socklen;
    call->addrs->name = call->origin.hostport;
    call->naddrs = 1;

    return NGX_OK;
}


static ngx_int_t
ngx_http_cwmp_client_resolve(ngx_http_cwmp_call_t *call)
{
    ngx_resolver_ctx_t  *ctx;

    call->log.action = "resolving the name of a CPE";

    ctx = ngx_resolve_start(call->core->resolver, NULL);

    if (ctx == NULL) {
        ngx_http_cwmp_client_event(call, CWMP_WAKEUP_EV_INTERNAL);
        return NGX_DONE;
    }

    if (ctx == NGX_NO_RESOLVER) {
        ngx_log_error(NGX_LOG_ERR, &call->log, 0,
                      "no resolver defined to resolve %V", &call->origin.host);
        ngx_http_cwmp_client_event(call, CWMP_WAKEUP_EV_UNRESOLVED);
        return NGX_DONE;
    }

    ctx->name = call->origin.host;
    ctx->handler = ngx_http_cwmp_client_resolved;
    ctx->data = call;
    ctx->timeout = ngx_min(call->core->resolver_timeout, call->conf->timeout);

    call->resolving = ctx;

    if (ngx_resolve_name(ctx) != NGX_OK) {
        call->resolving = NULL;
        ngx_http_cwmp_client_event(call, CWMP_WAKEUP_EV_UNRESOLVED);
        return NGX_DONE;
    }

    /* the handler may have been called already, and have ended the call */

    return NGX_AGAIN;
}


static void
ngx_http_cwmp_client_resolved(ngx_resolver_ctx_t *ctx)
{
    ngx_int_t              rc;
    ngx_http_cwmp_call_t  *call;

    call = ctx->data;

    if (ctx->state) {
        ngx_log_error(NGX_LOG_INFO, &call->log, 0,
                      "%V could not be resolved (%i: %s)", &ctx->name,
                      ctx->state, ngx_resolver_strerror(ctx->state));

        ngx_http_cwmp_client_event(call, CWMP_WAKEUP_EV_UNRESOLVED);
        return;
    }

    rc = cwmp_policy_resolved(&call->policy, &call->origin, ctx->addrs,
                              ctx->naddrs);

    if (rc != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, &call->log, 0, "origin \"%V\" %s",
                      &call->origin.hostport, cwmp_policy_strerror(rc));

        ngx_http_cwmp_client_next(call,
                                  cwmp_wakeup_finish(&call->course,
                                                     CWMP_WAKEUP_FORBIDDEN));
        return;
    }

    if (ngx_http_cwmp_client_addresses(call, ctx) != NGX_OK) {
        ngx_http_cwmp_client_event(call, CWMP_WAKEUP_EV_INTERNAL);
        return;
    }

    ngx_resolve_name_done(ctx);
    call->resolving = NULL;

    ngx_http_cwmp_client_connect(call);
}


/* the very addresses that were checked are copied, to be connected to */

static ngx_int_t
ngx_http_cwmp_client_addresses(ngx_http_cwmp_call_t *call,
    ngx_resolver_ctx_t *ctx)
{
    ngx_uint_t        i;
    struct sockaddr  *sa;

    call->addrs = ngx_pcalloc(call->pool, ctx->naddrs * sizeof(ngx_addr_t));
    if (call->addrs == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < ctx->naddrs; i++) {
        sa = ngx_palloc(call->pool, ctx->addrs[i].socklen);
        if (sa == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(sa, ctx->addrs[i].sockaddr, ctx->addrs[i].socklen);
        ngx_inet_set_port(sa, call->origin.port);

        call->addrs[i].sockaddr = sa;
        call->addrs[i].socklen = ctx->addrs[i].socklen;
        call->addrs[i].name = call->origin.hostport;
    }

    call->naddrs = ctx->naddrs;

    return NGX_OK;
}


static void
ngx_http_cwmp_client_connect(ngx_http_cwmp_call_t *call)
{
    ngx_int_t  rc;

    if (ngx_http_cwmp_client_address(call) != NGX_OK) {
        return;
    }

    for ( ;; ) {
        rc = ngx_http_cwmp_client_open(call);

        if (rc != NGX_DECLINED || call->addr + 1 >= call->naddrs) {
            break;
        }

        call->addr++;
    }

    switch (rc) {

    case NGX_AGAIN:
        ngx_add_timer(call->peer.connection->write,
                      call->conf->connect_timeout);
        return;

    case NGX_OK:
        call->connected = 1;
        ngx_http_cwmp_client_send(call);
        return;

    case NGX_DECLINED:
        ngx_http_cwmp_client_event(call, CWMP_WAKEUP_EV_REFUSED);
        return;

    default: /* NGX_ERROR */
        ngx_http_cwmp_client_event(call, CWMP_WAKEUP_EV_INTERNAL);
        return;
    }
}


/*
 * nginx logs a refused connect() as an error.  That a CPE is off is none, so
 * it is told what is critical only, and we log the rest at info.
 */

static ngx_int_t
ngx_http_cwmp_client_open(ngx_http_cwmp_call_t *call)
{
    ngx_int_t               rc;
    ngx_log_t               log;
    ngx_addr_t             *addr;
    ngx_peer_connection_t  *peer;

    call->log.action = "connecting to a CPE";

    addr = &call->addrs[call->addr];
    peer = &call->peer;

    log = call->log;
    log.log_level = ngx_min(log.log_level, NGX_LOG_CRIT);

    ngx_memzero(peer, sizeof(ngx_peer_connection_t));

    peer->sockaddr = addr->sockaddr;
    peer->socklen = addr->socklen;
    peer->name = &addr->name;
    peer->get = ngx_event_get_peer;
    peer->log = &log;
    peer->log_error = NGX_ERROR_INFO;

    if (call->conf->bind) {

        if (call->conf->bind->sockaddr->sa_family
            != addr->sockaddr->sa_family)
        {
            ngx_log_error(NGX_LOG_WARN, &call->log, 0,
                          "\"cwmp_bind\" is of another address family");
            return NGX_DECLINED;
        }

        peer->local = call->conf->bind;
    }

    rc = ngx_event_connect_peer(peer);

    peer->log = &call->log;

    if (peer->connection) {
        ngx_http_cwmp_client_adopt(call, peer->connection);
    }

    if (rc == NGX_DECLINED) {
        ngx_log_error(NGX_LOG_INFO, &call->log, 0, "connect() failed");
    }

    return rc;
}


static ngx_int_t
ngx_http_cwmp_client_test(ngx_connection_t *c)
{
    int        err;
    socklen_t  len;

    err = 0;
    len = sizeof(int);

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, (void *) &err, &len) == -1) {
        err = ngx_socket_errno;
    }

    if (err) {
        (void) ngx_connection_error(c, err, "connect() failed");
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_http_cwmp_client_failed(ngx_http_cwmp_call_t *call, cwmp_wakeup_event_e ev)
{
    ngx_http_cwmp_client_close(call);

    if (call->addr + 1 < call->naddrs) {
        call->addr++;
        ngx_http_cwmp_client_connect(call);
        return;
    }

    ngx_http_cwmp_client_event(call, ev);
}


static void
ngx_http_cwmp_client_write_handler(ngx_event_t *wev)
{
    ngx_connection_t      *c;
    ngx_http_cwmp_call_t  *call;

    c = wev->data;
    call = c->data;

    if (wev->timedout) {
        ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT,
                      "\"cwmp_connect_timeout\" has passed");
        ngx_http_cwmp_client_failed(call, CWMP_WAKEUP_EV_TIMEOUT);
        return;
    }

    if (!call->connected) {

        if (ngx_http_cwmp_client_test(c) != NGX_OK) {
            ngx_http_cwmp_client_failed(call, CWMP_WAKEUP_EV_REFUSED);
            return;
        }

        call->connected = 1;

        if (wev->timer_set) {
            ngx_del_timer(wev);
        }
    }

    ngx_http_cwmp_client_send(call);
}


static void
ngx_http_cwmp_client_send(ngx_http_cwmp_call_t *call)
{
    ssize_t            n;
    ngx_connection_t  *c;

    c = call->peer.connection;

    c->log->action = "sending a request to a CPE";
    c->write->handler = ngx_http_cwmp_client_write_handler;

    while (call->request.len) {

        n = c->send(c, call->request.data, call->request.len);

        if (n == NGX_ERROR) {
            ngx_http_cwmp_client_event(call, CWMP_WAKEUP_EV_RESET);
            return;
        }

        if (n <= 0) {
            break;
        }

        call->request.data += n;
        call->request.len -= n;
    }

    if (call->request.len == 0) {
        c->write->handler = ngx_http_cwmp_client_dummy_handler;
    }

    if (ngx_handle_write_event(c->write, 0) != NGX_OK) {
        ngx_http_cwmp_client_event(call, CWMP_WAKEUP_EV_INTERNAL);
        return;
    }

    c->log->action = "reading the reply of a CPE";

    if (c->read->ready) {
        ngx_http_cwmp_client_read(call);
        return;
    }

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_http_cwmp_client_event(call, CWMP_WAKEUP_EV_INTERNAL);
    }
}


static void
ngx_http_cwmp_client_dummy_handler(ngx_event_t *ev)
{
    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, ev->log, 0, "cwmp client dummy handler");
}


static void
ngx_http_cwmp_client_read_handler(ngx_event_t *rev)
{
    ngx_int_t              rc;
    ngx_connection_t      *c;
    ngx_http_cwmp_call_t  *call;

    c = rev->data;
    call = c->data;

    if (c->close) {
        /* "worker_shutdown_timeout" */
        ngx_http_cwmp_client_next(call, cwmp_wakeup_finish(&call->course,
                                                        CWMP_WAKEUP_TIMEOUT));
        return;
    }

    if (rev->timedout) {
        rev->timedout = 0;

        rc = cwmp_reply_end(&call->reply, 1);

        if (rc != NGX_AGAIN) {
            ngx_http_cwmp_client_reply(call, rc);
        }

        return;
    }

    if (!call->connected) {

        /* epoll reports a failed connect() to both handlers, this one first */

        if (ngx_http_cwmp_client_test(c) != NGX_OK) {
            ngx_http_cwmp_client_failed(call, CWMP_WAKEUP_EV_REFUSED);
        }

        return;
    }

    ngx_http_cwmp_client_read(call);
}


static void
ngx_http_cwmp_client_read(ngx_http_cwmp_call_t *call)
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
                ngx_http_cwmp_client_event(call, CWMP_WAKEUP_EV_INTERNAL);
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
            ngx_http_cwmp_client_event(call, CWMP_WAKEUP_EV_RESET);
            return;
        }

        rc = n ? cwmp_reply_parse(&call->reply, buf, n)
               : cwmp_reply_end(&call->reply, 0);

        if (rc != NGX_AGAIN) {
            ngx_http_cwmp_client_reply(call, rc);
            return;
        }

        if (!c->read->ready) {
            break;
        }
    }

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_http_cwmp_client_event(call, CWMP_WAKEUP_EV_INTERNAL);
        return;
    }

    if (call->reply.started) {
        ngx_add_timer(c->read, CWMP_REPLY_SILENCE);
    }
}


static void
ngx_http_cwmp_client_reply(ngx_http_cwmp_call_t *call, ngx_int_t rc)
{
    ngx_connection_t      *c;
    cwmp_wakeup_action_e   action;

    c = call->peer.connection;

    if (c->read->timer_set) {
        ngx_del_timer(c->read);
    }

    if (rc == NGX_OK) {
        action = cwmp_wakeup_reply(&call->course, &call->reply);

    } else {
        ngx_log_error(NGX_LOG_INFO, c->log, 0, "CPE %s",
                      cwmp_reply_strerror(call->reply.error));

        action = cwmp_wakeup_bad_reply(&call->course, &call->reply);
    }

    if ((action == CWMP_WAKEUP_SEND_DIGEST || action == CWMP_WAKEUP_SEND_BASIC)
        && call->course.held
        && call->credentials.user.len == 0
        && call->credentials.password.len == 0)
    {
        /* nothing is known of this CPE; it may lock out who guesses */
        action = cwmp_wakeup_finish(&call->course, CWMP_WAKEUP_UNAUTHORIZED);
    }

    if (action == CWMP_WAKEUP_SEND_DIGEST && rc == NGX_OK) {
        call->known = 0;
        call->nc = 0;
        ngx_http_cwmp_nonce_copy(call);
    }

    ngx_http_cwmp_client_next(call, action);
}


static void
ngx_http_cwmp_client_timer_handler(ngx_event_t *ev)
{
    ngx_http_cwmp_call_t  *call;

    call = ev->data;

    ngx_http_cwmp_client_next(call, cwmp_wakeup_finish(&call->course,
                                                       CWMP_WAKEUP_TIMEOUT));
}


static void
ngx_http_cwmp_client_close(ngx_http_cwmp_call_t *call)
{
    if (call->peer.connection) {
        ngx_close_connection(call->peer.connection);
        call->peer.connection = NULL;
    }

    call->connected = 0;
}


static void
ngx_http_cwmp_client_end(ngx_http_cwmp_call_t *call)
{
    cwmp_wakeup_t  *course;

    course = &call->course;

    if (call->timer.timer_set) {
        ngx_del_timer(&call->timer);
    }

    if (call->resolving) {
        ngx_resolve_name_done(call->resolving);
        call->resolving = NULL;
    }

    call->outcome.result = course->result;
    call->outcome.status = course->status;
    call->outcome.cpe_status = course->cpe_status;
    call->outcome.auth = course->auth;
    call->outcome.scheme = call->authorization.len
                           ? cwmp_auth_scheme(&call->authorization)
                           : course->scheme;

    if (course->result == CWMP_WAKEUP_OK) {

        if (course->scheme == CWMP_AUTH_DIGEST && !call->path && !call->known)
        {
            ngx_http_cwmp_nonce_put(call);
        }

    } else {

        if (course->why) {
            ngx_log_error(NGX_LOG_INFO, &call->log, 0, "CPE sent %s",
                          cwmp_challenge_strerror(course->why));
        }

        ngx_log_error(NGX_LOG_INFO, &call->log, 0,
                      "wake-up ended: %s, last status of the CPE: %ui",
                      cwmp_wakeup_name(course->result), course->cpe_status);

        if (course->drop) {
            ngx_http_cwmp_nonce_drop(call);
        }
    }

    ngx_http_cwmp_client_keep(call);
    ngx_http_cwmp_client_close(call);
    ngx_http_cwmp_client_measure(call);

    ngx_http_cwmp_call_finish(call);
}


static void
ngx_http_cwmp_client_keep(ngx_http_cwmp_call_t *call)
{
    ngx_http_cwmp_wakeup_t  *w;

    if (!call->course.keep
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


/* the histogram of what calls take */

static void
ngx_http_cwmp_client_measure(ngx_http_cwmp_call_t *call)
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
