
/*
 * Fieldgate: connections to backends that are tied to a client's connection:
 * the states of an attachment.
 */


#include "ngx_http_cwmp_attach.h"


static void ngx_http_cwmp_attach_close(ngx_http_cwmp_attach_t *a,
    ngx_connection_t *c);
static void ngx_http_cwmp_attach_handler(ngx_event_t *rev);
static ngx_uint_t ngx_http_cwmp_attach_silent(ngx_connection_t *c);


void
ngx_http_cwmp_attach_add(ngx_http_cwmp_client_t *client,
    ngx_http_cwmp_attach_t *a, ngx_http_cwmp_attach_kind_t *kind)
{
    a->client = client;
    a->kind = kind;

    ngx_queue_insert_tail(&client->attachments, &a->queue);
}


void
ngx_http_cwmp_attach_begin(ngx_http_cwmp_attach_t *a, void *user)
{
    a->state = NGX_HTTP_CWMP_ATTACH_BUSY;
    a->user = user;
}


ngx_connection_t *
ngx_http_cwmp_attach_take(ngx_http_cwmp_attach_t *a, void *user,
    ngx_log_t *log)
{
    ngx_connection_t  *c;

    if (a->state != NGX_HTTP_CWMP_ATTACH_PARKED) {
        return NULL;
    }

    c = a->connection;

    /* the backend may have closed it, and the event not been seen yet */

    if (!ngx_http_cwmp_attach_silent(c)) {
        ngx_http_cwmp_attach_close(a, c);
        return NULL;
    }

    if (c->read->timer_set) {
        ngx_del_timer(c->read);
    }

    if (c->read->posted) {
        ngx_delete_posted_event(c->read);
    }

    c->sent = 0;
    c->data = NULL;
    c->log = log;
    c->read->log = log;
    c->write->log = log;

    if (c->pool) {
        c->pool->log = log;
    }

    a->connection = NULL;

    ngx_http_cwmp_attach_begin(a, user);

    return c;
}


/*
 * c->idle stays 0: a reload would close it.
 */

void
ngx_http_cwmp_attach_park(ngx_http_cwmp_attach_t *a, ngx_connection_t *c,
    ngx_msec_t timeout)
{
    if (a->state == NGX_HTTP_CWMP_ATTACH_LEAVING
        || ngx_handle_read_event(c->read, 0) != NGX_OK)
    {
        ngx_http_cwmp_attach_close(a, c);
        return;
    }

    if (c->write->timer_set) {
        ngx_del_timer(c->write);
    }

    c->read->delayed = 0;
    ngx_add_timer(c->read, timeout);

    c->read->handler = ngx_http_cwmp_attach_handler;
    c->write->handler = ngx_http_empty_handler;

    c->data = a;
    c->log = ngx_cycle->log;
    c->read->log = ngx_cycle->log;
    c->write->log = ngx_cycle->log;

    if (c->pool) {
        c->pool->log = ngx_cycle->log;
    }

#if (NGX_HTTP_SSL)

    /*
     * A session ticket that comes later, be it with SSL_shutdown(), would be
     * handed to a request that is no more; the first one has been saved.
     */

    if (c->ssl) {
        c->ssl->save_session = NULL;
    }

#endif

    a->state = NGX_HTTP_CWMP_ATTACH_PARKED;
    a->connection = c;
    a->user = NULL;

    if (c->read->ready) {
        ngx_http_cwmp_attach_handler(c->read);
    }
}


void
ngx_http_cwmp_attach_done(ngx_http_cwmp_attach_t *a, ngx_connection_t *c)
{
    ngx_http_cwmp_attach_close(a, c);
}


void
ngx_http_cwmp_attach_drop(ngx_http_cwmp_attach_t *a)
{
    switch (a->state) {

    case NGX_HTTP_CWMP_ATTACH_BUSY:
        a->state = NGX_HTTP_CWMP_ATTACH_LEAVING;
        break;

    case NGX_HTTP_CWMP_ATTACH_PARKED:
        ngx_http_cwmp_attach_close(a, a->connection);
        break;

    case NGX_HTTP_CWMP_ATTACH_EMPTY:
    case NGX_HTTP_CWMP_ATTACH_LEAVING:
        break;
    }
}


/* any state -> EMPTY */

static void
ngx_http_cwmp_attach_close(ngx_http_cwmp_attach_t *a, ngx_connection_t *c)
{
    a->state = NGX_HTTP_CWMP_ATTACH_EMPTY;
    a->connection = NULL;
    a->user = NULL;

    if (c) {
        ngx_log_debug1(NGX_LOG_DEBUG_HTTP, c->log, 0,
                       "close cwmp attached connection: %d", c->fd);

        a->kind->close(c);
    }

    if (a->kind->closed) {
        a->kind->closed(a, c != NULL);
    }
}


/*
 * Whatever a backend sends now, it is not an answer; most likely it closes.
 */

static void
ngx_http_cwmp_attach_handler(ngx_event_t *rev)
{
    ngx_connection_t        *c;
    ngx_http_cwmp_attach_t  *a;

    c = rev->data;
    a = c->data;

    if (rev->timedout) {

        if (a->kind->expired) {
            a->kind->expired(a);
        }

    } else if (!c->close && ngx_http_cwmp_attach_silent(c)) {

        rev->ready = 0;

        if (ngx_handle_read_event(rev, 0) == NGX_OK) {
            return;
        }
    }

    ngx_http_cwmp_attach_drop(a);
}


static ngx_uint_t
ngx_http_cwmp_attach_silent(ngx_connection_t *c)
{
    char  buf[1];

    return recv(c->fd, buf, 1, MSG_PEEK) == -1
           && ngx_socket_errno == NGX_EAGAIN;
}
