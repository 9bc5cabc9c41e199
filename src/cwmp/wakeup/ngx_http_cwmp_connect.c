
/*
 * Fieldgate: connections to CPEs: names, addresses, sockets.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_connect.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_call.h"


static ngx_msec_t ngx_http_cwmp_connect_timeout(ngx_http_cwmp_call_t *call);
static ngx_int_t ngx_http_cwmp_connect_address(ngx_http_cwmp_call_t *call);
static ngx_int_t ngx_http_cwmp_connect_resolve(ngx_http_cwmp_call_t *call);
static void ngx_http_cwmp_connect_resolved(ngx_resolver_ctx_t *ctx);
static ngx_int_t ngx_http_cwmp_connect_addresses(ngx_http_cwmp_call_t *call,
    ngx_resolver_ctx_t *ctx);
static ngx_int_t ngx_http_cwmp_connect_open(ngx_http_cwmp_call_t *call);
static ngx_int_t ngx_http_cwmp_connect_test(ngx_connection_t *c);
static void ngx_http_cwmp_connect_failed(ngx_http_cwmp_call_t *call,
    cwmp_exchange_event_e ev);
static void ngx_http_cwmp_connect_write_handler(ngx_event_t *wev);
static void ngx_http_cwmp_connect_read_handler(ngx_event_t *rev);


void
ngx_http_cwmp_connect(ngx_http_cwmp_call_t *call)
{
    ngx_int_t  rc;

    if (ngx_http_cwmp_connect_address(call) != NGX_OK) {
        return;
    }

    for ( ;; ) {
        rc = ngx_http_cwmp_connect_open(call);

        if (rc != NGX_DECLINED || call->addr + 1 >= call->naddrs) {
            break;
        }

        call->addr++;
    }

    switch (rc) {

    case NGX_AGAIN:
        ngx_add_timer(call->peer.connection->write,
                      ngx_http_cwmp_connect_timeout(call));
        return;

    case NGX_OK:
        call->connected = 1;
        ngx_http_cwmp_exchange_send(call);
        return;

    case NGX_DECLINED:
        ngx_http_cwmp_exchange_event(call, CWMP_EXCHANGE_REFUSED);
        return;

    default: /* NGX_ERROR */
        ngx_http_cwmp_exchange_event(call, CWMP_EXCHANGE_INTERNAL);
        return;
    }
}


/* where UDP can follow, half of what is left is for that */

static ngx_msec_t
ngx_http_cwmp_connect_timeout(ngx_http_cwmp_call_t *call)
{
    ngx_msec_int_t  rest;

    rest = call->deadline - ngx_current_msec;

    if (!call->exchange.udp || rest < 0) {
        return call->conf->connect_timeout;
    }

    return ngx_min(call->conf->connect_timeout, (ngx_msec_t) rest / 2);
}


/*
 * Returns NGX_OK if there is an address, NGX_AGAIN if it will come later,
 * NGX_DONE if the call may be gone.
 */

static ngx_int_t
ngx_http_cwmp_connect_address(ngx_http_cwmp_call_t *call)
{
    if (call->naddrs) {
        return NGX_OK;
    }

    if (call->origin.socklen == 0) {
        return ngx_http_cwmp_connect_resolve(call);
    }

    call->addrs = ngx_palloc(call->pool, sizeof(ngx_addr_t));
    if (call->addrs == NULL) {
        ngx_http_cwmp_exchange_event(call, CWMP_EXCHANGE_INTERNAL);
        return NGX_DONE;
    }

    call->addrs->sockaddr = &call->origin.sockaddr.sockaddr;
    call->addrs->socklen = call->origin.socklen;
    call->addrs->name = call->origin.hostport;
    call->naddrs = 1;

    return NGX_OK;
}


static ngx_int_t
ngx_http_cwmp_connect_resolve(ngx_http_cwmp_call_t *call)
{
    ngx_resolver_ctx_t  *ctx;

    call->log.action = "resolving the name of a CPE";

    ctx = ngx_resolve_start(call->core->resolver, NULL);

    if (ctx == NULL) {
        ngx_http_cwmp_exchange_event(call, CWMP_EXCHANGE_INTERNAL);
        return NGX_DONE;
    }

    if (ctx == NGX_NO_RESOLVER) {
        ngx_log_error(NGX_LOG_ERR, &call->log, 0,
                      "no resolver defined to resolve %V", &call->origin.host);
        ngx_http_cwmp_exchange_event(call, CWMP_EXCHANGE_UNRESOLVED);
        return NGX_DONE;
    }

    ctx->name = call->origin.host;
    ctx->handler = ngx_http_cwmp_connect_resolved;
    ctx->data = call;
    ctx->timeout = ngx_min(call->core->resolver_timeout, call->conf->timeout);

    if (call->exchange.udp) {
        ctx->timeout = ngx_min(ctx->timeout, call->conf->timeout / 2);
    }

    call->resolving = ctx;

    if (ngx_resolve_name(ctx) != NGX_OK) {
        call->resolving = NULL;
        ngx_http_cwmp_exchange_event(call, CWMP_EXCHANGE_UNRESOLVED);
        return NGX_DONE;
    }

    /* the handler may have been called already, and have ended the call */

    return NGX_AGAIN;
}


static void
ngx_http_cwmp_connect_resolved(ngx_resolver_ctx_t *ctx)
{
    ngx_int_t              rc;
    ngx_http_cwmp_call_t  *call;

    call = ctx->data;

    if (ctx->state) {
        ngx_log_error(NGX_LOG_INFO, &call->log, 0,
                      "%V could not be resolved (%i: %s)", &ctx->name,
                      ctx->state, ngx_resolver_strerror(ctx->state));

        /* the call may go on by UDP, and an answer may still come */

        ngx_resolve_name_done(ctx);
        call->resolving = NULL;

        ngx_http_cwmp_exchange_event(call, CWMP_EXCHANGE_UNRESOLVED);
        return;
    }

    rc = cwmp_policy_resolved(&call->policy, &call->origin, ctx->addrs,
                              ctx->naddrs);

    if (rc != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, &call->log, 0, "origin \"%V\" %s",
                      &call->origin.hostport, cwmp_policy_strerror(rc));

        ngx_http_cwmp_exchange_event(call, CWMP_EXCHANGE_FORBIDDEN);
        return;
    }

    if (ngx_http_cwmp_connect_addresses(call, ctx) != NGX_OK) {
        ngx_http_cwmp_exchange_event(call, CWMP_EXCHANGE_INTERNAL);
        return;
    }

    ngx_resolve_name_done(ctx);
    call->resolving = NULL;

    ngx_http_cwmp_connect(call);
}


/* the very addresses that were checked are copied, to be connected to */

static ngx_int_t
ngx_http_cwmp_connect_addresses(ngx_http_cwmp_call_t *call,
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


/*
 * nginx logs a refused connect() as an error.  That a CPE is off is none, so
 * it is told what is critical only, and we log the rest at info.
 */

static ngx_int_t
ngx_http_cwmp_connect_open(ngx_http_cwmp_call_t *call)
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
        ngx_http_cwmp_connect_adopt(call, peer->connection);
    }

    if (rc == NGX_DECLINED) {
        ngx_log_error(NGX_LOG_INFO, &call->log, 0, "connect() failed");
    }

    return rc;
}


static ngx_int_t
ngx_http_cwmp_connect_test(ngx_connection_t *c)
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
ngx_http_cwmp_connect_failed(ngx_http_cwmp_call_t *call,
    cwmp_exchange_event_e ev)
{
    ngx_http_cwmp_connect_close(call);

    if (call->addr + 1 < call->naddrs) {
        call->addr++;
        ngx_http_cwmp_connect(call);
        return;
    }

    ngx_http_cwmp_exchange_event(call, ev);
}


void
ngx_http_cwmp_connect_adopt(ngx_http_cwmp_call_t *call, ngx_connection_t *c)
{
    call->peer.connection = c;
    call->log.connection = c->number;

    c->data = call;
    c->log = &call->log;

    c->read->log = c->log;
    c->read->handler = ngx_http_cwmp_connect_read_handler;

    c->write->log = c->log;
    c->write->handler = ngx_http_cwmp_connect_write_handler;
}


static void
ngx_http_cwmp_connect_write_handler(ngx_event_t *wev)
{
    ngx_connection_t      *c;
    ngx_http_cwmp_call_t  *call;

    c = wev->data;
    call = c->data;

    if (wev->timedout) {
        ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT,
                      "\"cwmp_connect_timeout\" has passed");
        ngx_http_cwmp_connect_failed(call, CWMP_EXCHANGE_UNCONNECTED);
        return;
    }

    if (!call->connected) {

        if (ngx_http_cwmp_connect_test(c) != NGX_OK) {
            ngx_http_cwmp_connect_failed(call, CWMP_EXCHANGE_REFUSED);
            return;
        }

        call->connected = 1;

        if (wev->timer_set) {
            ngx_del_timer(wev);
        }
    }

    /* no more of it is told when the request is sent */

    if (call->request.len) {
        ngx_http_cwmp_exchange_send(call);
    }
}


static void
ngx_http_cwmp_connect_read_handler(ngx_event_t *rev)
{
    ngx_connection_t      *c;
    ngx_http_cwmp_call_t  *call;

    c = rev->data;
    call = c->data;

    if (c->close) {
        /* "worker_shutdown_timeout" */
        ngx_http_cwmp_exchange_event(call, CWMP_EXCHANGE_TIMEOUT);
        return;
    }

    if (rev->timedout) {
        rev->timedout = 0;
        ngx_http_cwmp_exchange_silence(call);
        return;
    }

    if (!call->connected) {

        /* epoll reports a failed connect() to both handlers, this one first */

        if (ngx_http_cwmp_connect_test(c) != NGX_OK) {
            ngx_http_cwmp_connect_failed(call, CWMP_EXCHANGE_REFUSED);
        }

        return;
    }

    ngx_http_cwmp_exchange_read(call);
}


void
ngx_http_cwmp_connect_close(ngx_http_cwmp_call_t *call)
{
    if (call->peer.connection) {
        ngx_close_connection(call->peer.connection);
        call->peer.connection = NULL;
    }

    call->connected = 0;
}
