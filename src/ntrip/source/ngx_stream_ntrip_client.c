
/*
 * Fieldgate: a client of a provider that is connected: the request goes, the
 * reply comes, and what comes behind it; the end.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_stream_ntrip_client_private.h"


static void ngx_stream_ntrip_client_attach(ngx_stream_ntrip_client_t *client);
static void ngx_stream_ntrip_client_write(ngx_stream_ntrip_client_t *client);
static void ngx_stream_ntrip_client_write_handler(ngx_event_t *wev);
static void ngx_stream_ntrip_client_read_handler(ngx_event_t *rev);
static void ngx_stream_ntrip_client_read(ngx_stream_ntrip_client_t *client);
static void ngx_stream_ntrip_client_received(
    ngx_stream_ntrip_client_t *client, u_char *data, size_t len);
static ngx_int_t ngx_stream_ntrip_client_reply(
    ngx_stream_ntrip_client_t *client, ngx_str_t *in);
static void ngx_stream_ntrip_client_body(ngx_stream_ntrip_client_t *client,
    ngx_str_t *body);
static void ngx_stream_ntrip_client_drain(ngx_stream_ntrip_client_t *client);
static ngx_uint_t ngx_stream_ntrip_client_reading(
    ngx_stream_ntrip_client_t *client);
static void ngx_stream_ntrip_client_timer_handler(ngx_event_t *ev);
static const char *ngx_stream_ntrip_client_silence(
    ngx_stream_ntrip_client_t *client);
static void ngx_stream_ntrip_client_next_handler(ngx_event_t *ev);
static void ngx_stream_ntrip_client_close(ngx_stream_ntrip_client_t *client);
static void ngx_stream_ntrip_client_disconnect(
    ngx_stream_ntrip_client_t *client);


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


void
ngx_stream_ntrip_client_connected(ngx_stream_ntrip_client_t *client)
{
    ngx_connection_t  *c;

    c = client->peer.connection;

    client->state = NGX_STREAM_NTRIP_CLIENT_REPLY;
    client->log->action = "reading the reply of a provider";
    client->why = NULL;

    ngx_add_timer(&client->timer, client->timeout);

    ngx_stream_ntrip_client_attach(client);

    if (c->read->ready) {
        ngx_post_event(c->read, &ngx_posted_events);

    } else if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_stream_ntrip_client_fail(client, "connection failed");
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
            ngx_stream_ntrip_client_fail(client, "connection reset");
            return;
        }

        client->pos += n;
    }

    if (client->pos == client->last) {
        ngx_stream_ntrip_client_wipe(client);
    }

    if (ngx_handle_write_event(c->write, 0) != NGX_OK) {
        ngx_stream_ntrip_client_fail(client, "connection failed");
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
            ngx_stream_ntrip_client_fail(client, NULL);
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

    if (n == 0 || n == NGX_ERROR) {
        client->plain = 1;
        ngx_stream_ntrip_client_fail(client, n ? "connection reset"
                                               : "connection closed");

    } else if (ngx_handle_read_event(rev, 0) != NGX_OK) {
        ngx_stream_ntrip_client_fail(client, "connection failed");
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
        client->plain = 1;
        ngx_stream_ntrip_client_fail(client, rc == NGX_DONE ? "stream ended"
                                                            : "wrong chunk");
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
        ngx_stream_ntrip_client_fail(client, NULL);
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
        ngx_add_timer(&client->timer, client->timeout);
        client->events->open(client);
    }

    if (!ngx_stream_ntrip_client_reading(client)) {
        return NGX_DECLINED;
    }

    if (rc == NGX_OK) {
        ngx_stream_ntrip_client_body(client, &body);
    }

    return ngx_stream_ntrip_client_reading(client) ? rc : NGX_DECLINED;
}


static void
ngx_stream_ntrip_client_body(ngx_stream_ntrip_client_t *client,
    ngx_str_t *body)
{
    switch (client->events->body(client, body)) {

    case NGX_ERROR:
        ngx_stream_ntrip_client_fail(client, client->why);
        break;

    case NGX_AGAIN:
        client->useless = 1;
        break;

    default: /* NGX_OK */

        if (ngx_stream_ntrip_client_reading(client)) {
            client->useless = 0;
            ngx_add_timer(&client->timer, client->timeout);
        }
    }
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
        ngx_stream_ntrip_client_fail(client, NULL);
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
    const char                 *why;
    ngx_stream_ntrip_client_t  *client;

    client = ev->data;
    why = ngx_stream_ntrip_client_silence(client);

    if (client->state == NGX_STREAM_NTRIP_CLIENT_CONNECT
        && client->addr + 1 < client->addrs.naddrs)
    {
        ngx_stream_ntrip_client_next(client);
        return;
    }

    ngx_stream_ntrip_client_fail(client, why);
}


/* logs, and returns, what has not come in time */

static const char *
ngx_stream_ntrip_client_silence(ngx_stream_ntrip_client_t *client)
{
    const char  *text, *why;

    switch (client->state) {

    case NGX_STREAM_NTRIP_CLIENT_CLOSING:
        return NULL;

    case NGX_STREAM_NTRIP_CLIENT_LOOKUP:
        text = "provider timed out";
        why = "host not looked up in time";
        break;

    case NGX_STREAM_NTRIP_CLIENT_CONNECT:
        text = "provider timed out";
        why = "no connection in time";
        break;

    case NGX_STREAM_NTRIP_CLIENT_HANDSHAKE:
        client->distrusted = 1;
        text = "provider timed out";
        why = "no TLS in time";
        break;

    case NGX_STREAM_NTRIP_CLIENT_OPEN:
        text = client->useless ? "provider sends no messages"
                               : "provider is silent";
        why = client->useless ? "no messages" : "no data";
        break;

    default:
        text = "provider is silent";
        why = "no answer";
    }

    ngx_log_error(NGX_LOG_ERR, client->log, NGX_ETIMEDOUT, "%s", text);

    return why;
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

    if (!ngx_stream_ntrip_client_reading(client)) {
        ngx_stream_ntrip_client_fail(client, NULL);
        return;
    }

#if (NGX_STREAM_SSL)

    if (c->ssl) {
        ngx_stream_ntrip_tls_shutdown(c, 0);
        ngx_stream_ntrip_client_attach(client);
    }

#endif

    if (ngx_shutdown_socket(c->fd, NGX_WRITE_SHUTDOWN) == -1) {
        ngx_stream_ntrip_client_fail(client, NULL);
        return;
    }

    client->state = NGX_STREAM_NTRIP_CLIENT_CLOSING;

    ngx_stream_ntrip_client_wipe(client);

    ngx_add_timer(&client->timer, timeout);

    ngx_post_event(c->read, &ngx_posted_events);
}


void
ngx_stream_ntrip_client_fail(ngx_stream_ntrip_client_t *client,
    const char *why)
{
    client->state = NGX_STREAM_NTRIP_CLIENT_FAILED;
    client->why = why;

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
        ngx_stream_ntrip_client_disconnect(client);
    }

    client->state = NGX_STREAM_NTRIP_CLIENT_NONE;
}


static void
ngx_stream_ntrip_client_disconnect(ngx_stream_ntrip_client_t *client)
{
    ngx_pool_t        *pool;
    ngx_connection_t  *c;

    c = client->peer.connection;
    client->peer.connection = NULL;

#if (NGX_STREAM_SSL)

    if (c->ssl) {
        ngx_stream_ntrip_tls_shutdown(c, 1);
    }

#endif

    /* it has one for TLS only */

    pool = c->pool;

    ngx_close_connection(c);

    if (pool) {
        ngx_destroy_pool(pool);
    }
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
        || client->tls
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
        ngx_stream_ntrip_client_fail(client, "connection failed");
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
