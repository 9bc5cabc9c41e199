
/*
 * Fieldgate: a client of a provider: addresses, connecting, the request, the
 * reply, and what comes behind it.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_stream_ntrip_client.h"


/* fits a request with the longest fields of an account */
#define NGX_STREAM_NTRIP_LOGIN  3072


static ngx_int_t ngx_stream_ntrip_client_request(
    ngx_stream_ntrip_client_t *client, ntrip_reply_request_t *request);
static void ngx_stream_ntrip_client_wipe(ngx_stream_ntrip_client_t *client);
static void ngx_stream_ntrip_client_found(ngx_stream_ntrip_addrs_t *addrs);
static void ngx_stream_ntrip_client_connect(
    ngx_stream_ntrip_client_t *client);
static ngx_int_t ngx_stream_ntrip_client_try(
    ngx_stream_ntrip_client_t *client);
static void ngx_stream_ntrip_client_connect_handler(ngx_event_t *ev);
static void ngx_stream_ntrip_client_connected(
    ngx_stream_ntrip_client_t *client);
static void ngx_stream_ntrip_client_attach(ngx_stream_ntrip_client_t *client);
static void ngx_stream_ntrip_client_write(ngx_stream_ntrip_client_t *client);
static void ngx_stream_ntrip_client_write_handler(ngx_event_t *wev);
static void ngx_stream_ntrip_client_read_handler(ngx_event_t *rev);
static void ngx_stream_ntrip_client_read(ngx_stream_ntrip_client_t *client);
static void ngx_stream_ntrip_client_received(
    ngx_stream_ntrip_client_t *client, u_char *data, size_t len);
static ngx_int_t ngx_stream_ntrip_client_reply(
    ngx_stream_ntrip_client_t *client, ngx_str_t *in);
static void ngx_stream_ntrip_client_drain(ngx_stream_ntrip_client_t *client);
static ngx_uint_t ngx_stream_ntrip_client_reading(
    ngx_stream_ntrip_client_t *client);
static void ngx_stream_ntrip_client_timer_handler(ngx_event_t *ev);
static void ngx_stream_ntrip_client_fail(ngx_stream_ntrip_client_t *client);
static void ngx_stream_ntrip_client_next_handler(ngx_event_t *ev);
static void ngx_stream_ntrip_client_close(ngx_stream_ntrip_client_t *client);


void
ngx_stream_ntrip_client_init(ngx_stream_ntrip_client_t *client)
{
    client->timer.handler = ngx_stream_ntrip_client_timer_handler;
    client->timer.data = client;
    client->timer.log = client->log;

    client->next.handler = ngx_stream_ntrip_client_next_handler;
    client->next.data = client;
    client->next.log = client->log;

    client->addrs.resolver = client->resolver;
    client->addrs.resolver_timeout = client->resolver_timeout;
    client->addrs.handler = ngx_stream_ntrip_client_found;
    client->addrs.data = client;
    client->addrs.log = client->log;
}


/* ---- the way there ---- */

ngx_int_t
ngx_stream_ntrip_client_login(ngx_stream_ntrip_client_t *client,
    ntrip_reply_request_t *request)
{
    ngx_int_t  rc;

    client->log->action = "logging in at a provider";

    client->host.data = client->host_data;
    client->host.len = request->host.len;
    ngx_memcpy(client->host_data, request->host.data, request->host.len);

    if (ngx_stream_ntrip_client_request(client, request) != NGX_OK) {
        ngx_stream_ntrip_client_wipe(client);
        return NGX_ERROR;
    }

    ntrip_reply_init(&client->reply, request->mount.len
                                     ? NTRIP_REPLY_STREAM : NTRIP_REPLY_TABLE);

    client->log->action = "looking up the address of a provider";
    client->state = NGX_STREAM_NTRIP_CLIENT_LOOKUP;
    client->addr = 0;

    ngx_add_timer(&client->timer, client->connect_timeout);

    rc = ngx_stream_ntrip_addrs_find(&client->addrs, &client->host,
                                     (in_port_t) request->port);

    if (rc == NGX_OK) {
        ngx_stream_ntrip_client_connect(client);
    }

    if (rc == NGX_ERROR) {
        ngx_stream_ntrip_client_fail(client);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_stream_ntrip_client_request(ngx_stream_ntrip_client_t *client,
    ntrip_reply_request_t *request)
{
    u_char                 bracketed[NTRIP_HOST_MAX + 2];
    ntrip_out_t            out;
    ntrip_reply_request_t  r;

    client->request = ngx_alloc(NGX_STREAM_NTRIP_LOGIN, client->log);
    if (client->request == NULL) {
        return NGX_ERROR;
    }

    r = *request;

    if (ngx_strlchr(r.host.data, r.host.data + r.host.len, ':')) {
        r.host.data = bracketed;
        r.host.len = ngx_sprintf(bracketed, "[%V]", &request->host)
                     - bracketed;
    }

    ntrip_out_init(&out, client->request, NGX_STREAM_NTRIP_LOGIN);
    ntrip_reply_request(&out, &r);

    if (out.overflow) {
        ngx_log_error(NGX_LOG_ERR, client->log, 0,
                      "the name or password of the account is too long");
        return NGX_ERROR;
    }

    client->pos = out.start;
    client->last = out.last;

    return NGX_OK;
}


static void
ngx_stream_ntrip_client_wipe(ngx_stream_ntrip_client_t *client)
{
    if (client->request) {
        ngx_explicit_memzero(client->request, NGX_STREAM_NTRIP_LOGIN);
        ngx_free(client->request);
        client->request = NULL;
    }

    client->pos = client->last;
}


static void
ngx_stream_ntrip_client_found(ngx_stream_ntrip_addrs_t *addrs)
{
    ngx_stream_ntrip_client_t  *client;

    client = addrs->data;

    if (addrs->naddrs == 0) {
        ngx_stream_ntrip_client_fail(client);
        return;
    }

    ngx_stream_ntrip_client_connect(client);
}


/* to the first address that can be tried, from client->addr on */

static void
ngx_stream_ntrip_client_connect(ngx_stream_ntrip_client_t *client)
{
    ngx_int_t          rc;
    ngx_connection_t  *c;

    client->state = NGX_STREAM_NTRIP_CLIENT_CONNECT;
    client->log->action = "connecting to a provider";

    rc = NGX_DECLINED;

    for ( /* void */ ; client->addr < client->addrs.naddrs; client->addr++) {
        rc = ngx_stream_ntrip_client_try(client);

        if (rc == NGX_OK || rc == NGX_AGAIN) {
            break;
        }
    }

    if (rc != NGX_OK && rc != NGX_AGAIN) {
        ngx_stream_ntrip_client_fail(client);
        return;
    }

    c = client->peer.connection;

    c->data = client;
    c->log = client->log;
    c->read->log = client->log;
    c->write->log = client->log;
    client->log->connection = c->number;

    if (rc == NGX_OK) {
        ngx_stream_ntrip_client_connected(client);
        return;
    }

    c->read->handler = ngx_stream_ntrip_client_connect_handler;
    c->write->handler = ngx_stream_ntrip_client_connect_handler;

    ngx_add_timer(&client->timer, client->connect_timeout);
}


static ngx_int_t
ngx_stream_ntrip_client_try(ngx_stream_ntrip_client_t *client)
{
    ngx_peer_connection_t  *peer;

    peer = &client->peer;

    ngx_memzero(peer, sizeof(ngx_peer_connection_t));

    peer->sockaddr = &client->addrs.addrs[client->addr].sockaddr;
    peer->socklen = client->addrs.socklens[client->addr];
    peer->name = &client->addr_text;
    peer->get = ngx_event_get_peer;
    peer->log = client->log;
    peer->log_error = NGX_ERROR_ERR;

    client->addr_text.data = client->addr_data;
    client->addr_text.len = ngx_sock_ntop(peer->sockaddr, peer->socklen,
                                          client->addr_data,
                                          NGX_SOCKADDR_STRLEN, 1);

    return ngx_event_connect_peer(peer);
}


/* both events: which of them comes first differs */

static void
ngx_stream_ntrip_client_connect_handler(ngx_event_t *ev)
{
    int                         err;
    socklen_t                   len;
    ngx_connection_t           *c;
    ngx_stream_ntrip_client_t  *client;

    c = ev->data;
    client = c->data;

    if (client->state != NGX_STREAM_NTRIP_CLIENT_CONNECT) {
        return;
    }

    if (c->close) {
        client->events->exit(client);
        return;
    }

    err = 0;
    len = sizeof(int);

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, (void *) &err, &len) == -1) {
        err = ngx_socket_errno;
    }

    if (err) {
        (void) ngx_connection_error(c, err, "connect() failed");

        ngx_close_connection(c);
        client->peer.connection = NULL;
        client->addr++;

        ngx_stream_ntrip_client_connect(client);
        return;
    }

    ngx_stream_ntrip_client_connected(client);
}


static void
ngx_stream_ntrip_client_connected(ngx_stream_ntrip_client_t *client)
{
    ngx_connection_t  *c;

    c = client->peer.connection;

    (void) ngx_tcp_nodelay(c);

    client->state = NGX_STREAM_NTRIP_CLIENT_REPLY;
    client->log->action = "reading the reply of a provider";

    ngx_add_timer(&client->timer, client->timeout);

    ngx_stream_ntrip_client_attach(client);

    if (c->read->ready) {
        ngx_post_event(c->read, &ngx_posted_events);

    } else if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_stream_ntrip_client_fail(client);
        return;
    }

    ngx_stream_ntrip_client_write(client);
}


static void
ngx_stream_ntrip_client_attach(ngx_stream_ntrip_client_t *client)
{
    ngx_connection_t  *c;

    c = client->peer.connection;

    c->read->handler = ngx_stream_ntrip_client_read_handler;
    c->write->handler = ngx_stream_ntrip_client_write_handler;
}


/* ---- what goes ---- */

ngx_uint_t
ngx_stream_ntrip_client_ready(ngx_stream_ntrip_client_t *client)
{
    return (client->state == NGX_STREAM_NTRIP_CLIENT_HEADER
            || client->state == NGX_STREAM_NTRIP_CLIENT_OPEN)
           && client->pos == client->last;
}


void
ngx_stream_ntrip_client_send(ngx_stream_ntrip_client_t *client, u_char *data,
    size_t len)
{
    client->pos = data;
    client->last = data + len;

    ngx_stream_ntrip_client_write(client);
}


static void
ngx_stream_ntrip_client_write(ngx_stream_ntrip_client_t *client)
{
    ssize_t            n;
    ngx_connection_t  *c;

    c = client->peer.connection;

    while (client->pos < client->last) {
        n = c->send(c, client->pos, client->last - client->pos);

        if (n == NGX_AGAIN) {
            break;
        }

        if (n <= 0) {
            ngx_stream_ntrip_client_fail(client);
            return;
        }

        client->pos += n;
    }

    if (client->pos == client->last) {
        ngx_stream_ntrip_client_wipe(client);
    }

    if (ngx_handle_write_event(c->write, 0) != NGX_OK) {
        ngx_stream_ntrip_client_fail(client);
    }
}


static void
ngx_stream_ntrip_client_write_handler(ngx_event_t *wev)
{
    ngx_connection_t           *c;
    ngx_stream_ntrip_client_t  *client;

    c = wev->data;
    client = c->data;

    if (!ngx_stream_ntrip_client_reading(client)
        || client->pos == client->last)
    {
        return;
    }

    ngx_stream_ntrip_client_write(client);

    if (ngx_stream_ntrip_client_ready(client)) {
        client->events->sent(client);
    }
}


/* ---- what comes ---- */

static void
ngx_stream_ntrip_client_read_handler(ngx_event_t *rev)
{
    ngx_connection_t           *c;
    ngx_stream_ntrip_client_t  *client;

    c = rev->data;
    client = c->data;

    if (client->state == NGX_STREAM_NTRIP_CLIENT_CLOSING) {

        if (c->close) {
            ngx_stream_ntrip_client_fail(client);
            return;
        }

        ngx_stream_ntrip_client_drain(client);
        return;
    }

    if (!ngx_stream_ntrip_client_reading(client)) {
        return;
    }

    if (c->close) {
        client->events->exit(client);
        return;
    }

    ngx_stream_ntrip_client_read(client);
}


static void
ngx_stream_ntrip_client_read(ngx_stream_ntrip_client_t *client)
{
    ssize_t            n;
    ngx_event_t       *rev;
    ngx_connection_t  *c;

    static u_char  buf[NGX_STREAM_NTRIP_READ];

    c = client->peer.connection;
    rev = c->read;

    n = c->recv(c, buf, ngx_min(sizeof(buf), client->size));

    if (n > 0) {
        ngx_add_timer(&client->timer, client->timeout);

        ngx_stream_ntrip_client_received(client, buf, n);

        if (!ngx_stream_ntrip_client_reading(client)) {
            return;
        }

        if (rev->ready) {

            /* a provider that floods does not keep others waiting */

            ngx_post_event(rev, &ngx_posted_next_events);
            return;
        }
    }

    if (n == 0) {
        ngx_log_error(NGX_LOG_ERR, client->log, 0,
                      "provider closed the connection");
    }

    if (n == 0
        || n == NGX_ERROR
        || ngx_handle_read_event(rev, 0) != NGX_OK)
    {
        ngx_stream_ntrip_client_fail(client);
    }
}


static void
ngx_stream_ntrip_client_received(ngx_stream_ntrip_client_t *client,
    u_char *data, size_t len)
{
    ngx_int_t  rc;
    ngx_str_t  in;

    in.data = data;
    in.len = len;

    do {
        rc = ngx_stream_ntrip_client_reply(client, &in);
    } while (rc == NGX_OK);

    if (rc == NGX_DONE || rc == NGX_ERROR) {
        ngx_log_error(NGX_LOG_ERR, client->log, 0,
                      rc == NGX_DONE ? "provider has ended the stream"
                                     : "provider sent a wrong chunk");
        ngx_stream_ntrip_client_fail(client);
    }

    /* what came before the end is made use of in any case */

    if (client->reply.result == NTRIP_REPLY_OK
        && client->state != NGX_STREAM_NTRIP_CLIENT_CLOSING)
    {
        client->events->received(client);
    }
}


/* one step: as ntrip_reply_next(), where NGX_DECLINED is the end of reading */

static ngx_int_t
ngx_stream_ntrip_client_reply(ngx_stream_ntrip_client_t *client,
    ngx_str_t *in)
{
    ngx_int_t  rc;
    ngx_str_t  body;

    rc = ntrip_reply_next(&client->reply, in, &body);

    if (rc == NGX_DECLINED) {
        ngx_stream_ntrip_client_fail(client);
        return NGX_DECLINED;
    }

    if (client->state == NGX_STREAM_NTRIP_CLIENT_REPLY
        && client->reply.accepted)
    {
        client->state = NGX_STREAM_NTRIP_CLIENT_HEADER;
        client->events->accepted(client);
    }

    if (client->state == NGX_STREAM_NTRIP_CLIENT_HEADER
        && client->reply.result == NTRIP_REPLY_OK)
    {
        client->state = NGX_STREAM_NTRIP_CLIENT_OPEN;
        client->log->action = "reading from a provider";
        client->events->open(client);
    }

    if (!ngx_stream_ntrip_client_reading(client)) {
        return NGX_DECLINED;
    }

    if (rc == NGX_OK && client->events->body(client, &body) != NGX_OK) {
        ngx_stream_ntrip_client_fail(client);
    }

    return ngx_stream_ntrip_client_reading(client) ? rc : NGX_DECLINED;
}


/* CLOSING: what still comes is not for anybody */

static void
ngx_stream_ntrip_client_drain(ngx_stream_ntrip_client_t *client)
{
    ssize_t            n;
    ngx_connection_t  *c;
    u_char             buf[4096];

    c = client->peer.connection;

    n = c->recv(c, buf, sizeof(buf));

    if (n > 0 && c->read->ready) {
        ngx_post_event(c->read, &ngx_posted_next_events);
        return;
    }

    if (n == 0
        || n == NGX_ERROR
        || ngx_handle_read_event(c->read, 0) != NGX_OK)
    {
        ngx_stream_ntrip_client_fail(client);
    }
}


static ngx_uint_t
ngx_stream_ntrip_client_reading(ngx_stream_ntrip_client_t *client)
{
    return client->state == NGX_STREAM_NTRIP_CLIENT_REPLY
           || client->state == NGX_STREAM_NTRIP_CLIENT_HEADER
           || client->state == NGX_STREAM_NTRIP_CLIENT_OPEN;
}


/* ---- the end ---- */

static void
ngx_stream_ntrip_client_timer_handler(ngx_event_t *ev)
{
    ngx_stream_ntrip_client_t  *client;

    client = ev->data;

    switch (client->state) {

    case NGX_STREAM_NTRIP_CLIENT_CLOSING:
        break;

    case NGX_STREAM_NTRIP_CLIENT_LOOKUP:
    case NGX_STREAM_NTRIP_CLIENT_CONNECT:
        ngx_log_error(NGX_LOG_ERR, client->log, NGX_ETIMEDOUT,
                      "provider timed out");
        break;

    default:
        ngx_log_error(NGX_LOG_ERR, client->log, NGX_ETIMEDOUT,
                      "provider is silent");
    }

    if (client->state == NGX_STREAM_NTRIP_CLIENT_CONNECT
        && client->addr + 1 < client->addrs.naddrs)
    {
        ngx_close_connection(client->peer.connection);
        client->peer.connection = NULL;
        client->addr++;

        ngx_stream_ntrip_client_connect(client);
        return;
    }

    ngx_stream_ntrip_client_fail(client);
}


void
ngx_stream_ntrip_client_shutdown(ngx_stream_ntrip_client_t *client,
    ngx_msec_t timeout)
{
    ngx_connection_t  *c;

    if (client->state == NGX_STREAM_NTRIP_CLIENT_FAILED) {
        return;
    }

    c = client->peer.connection;

    client->log->action = "closing a connection to a provider";

    if (!ngx_stream_ntrip_client_reading(client)
        || ngx_shutdown_socket(c->fd, NGX_WRITE_SHUTDOWN) == -1)
    {
        ngx_stream_ntrip_client_fail(client);
        return;
    }

    client->state = NGX_STREAM_NTRIP_CLIENT_CLOSING;

    ngx_stream_ntrip_client_wipe(client);

    ngx_add_timer(&client->timer, timeout);

    ngx_post_event(c->read, &ngx_posted_events);
}


static void
ngx_stream_ntrip_client_fail(ngx_stream_ntrip_client_t *client)
{
    client->state = NGX_STREAM_NTRIP_CLIENT_FAILED;

    if (client->timer.timer_set) {
        ngx_del_timer(&client->timer);
    }

    ngx_post_event(&client->next, &ngx_posted_events);
}


static void
ngx_stream_ntrip_client_next_handler(ngx_event_t *ev)
{
    ngx_stream_ntrip_client_t  *client;

    client = ev->data;

    if (client->state == NGX_STREAM_NTRIP_CLIENT_FAILED) {
        ngx_stream_ntrip_client_close(client);
        client->events->closed(client);
        return;
    }

    client->events->exit(client);
}


void
ngx_stream_ntrip_client_stop(ngx_stream_ntrip_client_t *client)
{
    if (client->next.posted) {
        ngx_delete_posted_event(&client->next);
    }

    ngx_stream_ntrip_client_close(client);

    client->log->connection = 0;
}


static void
ngx_stream_ntrip_client_close(ngx_stream_ntrip_client_t *client)
{
    ngx_stream_ntrip_addrs_cancel(&client->addrs);

    ngx_stream_ntrip_client_wipe(client);

    if (client->timer.timer_set) {
        ngx_del_timer(&client->timer);
    }

    if (client->peer.connection) {
        ngx_close_connection(client->peer.connection);
        client->peer.connection = NULL;
    }

    client->state = NGX_STREAM_NTRIP_CLIENT_NONE;
}


/* ---- the connection goes to another process ---- */

ngx_int_t
ngx_stream_ntrip_client_park(ngx_stream_ntrip_client_t *client,
    ngx_socket_t *fd)
{
    ngx_connection_t  *c;

    c = client->peer.connection;

    if (client->state != NGX_STREAM_NTRIP_CLIENT_OPEN
        || client->pos < client->last
        || c->close)
    {
        return NGX_DECLINED;
    }

    ngx_stream_ntrip_park(c);

    if (client->timer.timer_set) {
        ngx_del_timer(&client->timer);
    }

    client->state = NGX_STREAM_NTRIP_CLIENT_PARKED;

    *fd = c->fd;

    return NGX_OK;
}


void
ngx_stream_ntrip_client_unpark(ngx_stream_ntrip_client_t *client)
{
    ngx_connection_t  *c;

    c = client->peer.connection;

    client->state = NGX_STREAM_NTRIP_CLIENT_OPEN;
    client->log->action = "reading from a provider";

    if (c->close) {

        /* the worker's time came while it was parked */

        ngx_post_event(&client->next, &ngx_posted_events);
        return;
    }

    ngx_add_timer(&client->timer, client->timeout);

    if (ngx_stream_ntrip_unpark(c) != NGX_OK) {
        ngx_stream_ntrip_client_fail(client);
    }
}


void
ngx_stream_ntrip_client_give(ngx_stream_ntrip_client_t *client)
{
    ngx_stream_ntrip_unhand(client->peer.connection);
    client->peer.connection = NULL;

    ngx_stream_ntrip_client_stop(client);
}


ngx_int_t
ngx_stream_ntrip_client_take(ngx_stream_ntrip_client_t *client,
    ngx_socket_t fd, ntrip_reply_t *reply)
{
    ngx_connection_t  *c;

    c = ngx_get_connection(fd, client->log);
    if (c == NULL) {
        return NGX_ERROR;
    }

    c->type = SOCK_STREAM;
    c->data = client;
    c->log = client->log;
    c->log_error = NGX_ERROR_ERR;
    c->read->log = c->log;
    c->write->log = c->log;
    c->write->ready = 1;
    c->number = ngx_atomic_fetch_add(ngx_connection_counter, 1);
    c->start_time = ngx_current_msec;

    c->recv = ngx_recv;
    c->send = ngx_send;
    c->recv_chain = ngx_recv_chain;
    c->send_chain = ngx_send_chain;

    client->peer.connection = c;
    client->reply = *reply;
    client->state = NGX_STREAM_NTRIP_CLIENT_PARKED;
    client->log->connection = c->number;

    ngx_stream_ntrip_client_attach(client);

    return NGX_OK;
}


void
ngx_stream_ntrip_client_untake(ngx_stream_ntrip_client_t *client)
{
    ngx_connection_t  *c;

    c = client->peer.connection;
    client->peer.connection = NULL;

    ngx_free_connection(c);
    c->fd = (ngx_socket_t) -1;

    ngx_stream_ntrip_client_stop(client);
}
