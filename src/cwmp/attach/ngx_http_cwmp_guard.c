
/*
 * Fieldgate: clients, and how they are guarded from a reload.
 */


#include "ngx_http_cwmp_attach.h"


static ngx_connection_t *ngx_http_cwmp_client_connection(
    ngx_http_request_t *r);
static void ngx_http_cwmp_client_cleanup(void *data);
static void ngx_http_cwmp_client_exiting(ngx_event_t *ev);
static void ngx_http_cwmp_client_guard(ngx_http_cwmp_client_t *client);
static ngx_uint_t ngx_http_cwmp_client_waits(ngx_http_cwmp_client_t *client);
static void ngx_http_cwmp_client_return(ngx_http_cwmp_client_t *client);
static void ngx_http_cwmp_client_back(ngx_event_t *ev);


/* all clients of this worker */

static ngx_queue_t  ngx_http_cwmp_clients;


void
ngx_http_cwmp_attach_init_process(ngx_cycle_t *cycle)
{
    ngx_socket_t       s;
    ngx_connection_t  *c;

    ngx_queue_init(&ngx_http_cwmp_clients);

    if (ngx_process != NGX_PROCESS_WORKER) {
        /* the only other one does not exit gracefully */
        return;
    }

    /* never used for anything: a connection has to have a descriptor */

    s = ngx_socket(AF_UNIX, SOCK_DGRAM, 0);

    c = (s == (ngx_socket_t) -1) ? NULL : ngx_get_connection(s, cycle->log);

    if (c == NULL) {
        ngx_log_error(NGX_LOG_ERR, cycle->log, ngx_socket_errno,
                      "reloads will close CPEs' connections in mid-session");

        if (s != (ngx_socket_t) -1) {
            (void) ngx_close_socket(s);
        }

        return;
    }

    /* not one that has been left open, when the worker is gone */

    c->read->channel = 1;
    c->write->channel = 1;

    c->read->log = cycle->log;
    c->write->log = cycle->log;
    c->read->handler = ngx_http_cwmp_client_exiting;

    c->idle = 1;
}


ngx_http_cwmp_client_t *
ngx_http_cwmp_client_get(ngx_http_request_t *r, ngx_uint_t create)
{
    ngx_connection_t        *c;
    ngx_pool_cleanup_t      *cln;
    ngx_http_cwmp_client_t  *client;

    c = ngx_http_cwmp_client_connection(r);

    for (cln = c->pool->cleanup; cln; cln = cln->next) {

        if (cln->handler != ngx_http_cwmp_client_cleanup) {
            continue;
        }

        client = cln->data;

        if (client->state == NGX_HTTP_CWMP_CLIENT_GUARDED
            && client->http == NULL)
        {
            ngx_http_cwmp_client_return(client);
        }

        return client;
    }

    if (!create) {
        return NULL;
    }

    cln = ngx_pool_cleanup_add(c->pool, sizeof(ngx_http_cwmp_client_t));
    if (cln == NULL) {
        return NULL;
    }

    client = cln->data;
    ngx_memzero(client, sizeof(ngx_http_cwmp_client_t));

    client->connection = c;

    if (c == r->connection) {
        client->http = r->http_connection;
    }

#if (NGX_HTTP_V2)
    if (r->stream) {
        client->v2 = r->stream->connection;
    }
#endif

    client->back.handler = ngx_http_cwmp_client_back;
    client->back.data = client;
    client->back.log = c->log;

    ngx_queue_init(&client->attachments);
    ngx_queue_insert_head(&ngx_http_cwmp_clients, &client->queue);

    cln->handler = ngx_http_cwmp_client_cleanup;

    return client;
}


static ngx_connection_t *
ngx_http_cwmp_client_connection(ngx_http_request_t *r)
{
#if (NGX_HTTP_V2)
    if (r->stream) {
        return r->stream->connection->connection;
    }
#endif

#if (NGX_HTTP_V3)
    if (r->connection->quic) {
        return r->connection->quic->parent;
    }
#endif

    return r->connection;
}


/*
 * The client's connection is closed, and its requests are gone.
 */

static void
ngx_http_cwmp_client_cleanup(void *data)
{
    ngx_http_cwmp_client_t *client = data;

    ngx_queue_t             *q;
    ngx_http_cwmp_attach_t  *a;

    for (q = ngx_queue_head(&client->attachments);
         q != ngx_queue_sentinel(&client->attachments);
         q = ngx_queue_next(q))
    {
        a = ngx_queue_data(q, ngx_http_cwmp_attach_t, queue);

        ngx_http_cwmp_attach_drop(a);
    }

    if (client->back.posted) {
        ngx_delete_posted_event(&client->back);
    }

    ngx_queue_remove(&client->queue);
}


void
ngx_http_cwmp_client_need(ngx_http_cwmp_client_t *client)
{
    client->needed++;
}


void
ngx_http_cwmp_client_let_go(ngx_http_cwmp_client_t *client)
{
    client->needed--;

    if (client->needed == 0
        && client->state == NGX_HTTP_CWMP_CLIENT_GUARDED)
    {
        ngx_http_cwmp_client_return(client);
    }
}


/*
 * The read handler of a connection of ours: the worker is told to exit, and
 * nginx is about to look for idle connections.
 */

static void
ngx_http_cwmp_client_exiting(ngx_event_t *ev)
{
    ngx_queue_t             *q;
    ngx_connection_t        *c;
    ngx_http_cwmp_client_t  *client;

    c = ev->data;
    c->idle = 0;
    c->close = 0;

    for (q = ngx_queue_head(&ngx_http_cwmp_clients);
         q != ngx_queue_sentinel(&ngx_http_cwmp_clients);
         q = ngx_queue_next(q))
    {
        client = ngx_queue_data(q, ngx_http_cwmp_client_t, queue);

        if (client->needed && ngx_http_cwmp_client_waits(client)) {
            ngx_http_cwmp_client_guard(client);
        }
    }
}


static void
ngx_http_cwmp_client_guard(ngx_http_cwmp_client_t *client)
{
    ngx_connection_t  *c;

    c = client->connection;

#if (nginx_version >= 1027004)

    if (!c->idle && client->http && client->http->keepalive_timeout
        && c->read->timer_set)
    {
        /* the timer is that of keepalive_min_timeout */

        ngx_add_timer(c->read, c->read->timer.key - ngx_current_msec
                               + client->http->keepalive_timeout);
        client->http->keepalive_timeout = 0;
    }

#endif

    c->idle = 0;

    client->state = NGX_HTTP_CWMP_CLIENT_GUARDED;

    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, c->log, 0,
                   "cwmp client is guarded from being closed");
}


/* whether the client has no request under way */

static ngx_uint_t
ngx_http_cwmp_client_waits(ngx_http_cwmp_client_t *client)
{
    if (client->http) {
        return client->connection->data == client->http;
    }

#if (NGX_HTTP_V2)
    if (client->v2) {
        return client->v2->processing == 0;
    }
#endif

    return client->connection->reusable;                   /* HTTP/3 */
}


/*
 * Posted behind what is going on: to be closed right now is more than a caller
 * can bear, and HTTP/2 sets its handlers in an event of its own.
 */

static void
ngx_http_cwmp_client_return(ngx_http_cwmp_client_t *client)
{
    client->state = NGX_HTTP_CWMP_CLIENT_RETURNED;

    ngx_post_event(&client->back, &ngx_posted_next_events);
}


static void
ngx_http_cwmp_client_back(ngx_event_t *ev)
{
    ngx_connection_t        *c;
    ngx_http_cwmp_client_t  *client;

    client = ev->data;
    c = client->connection;

    if (client->http && !ngx_http_cwmp_client_waits(client)) {
        /* HTTP/1: closed by nginx when the request is done */
        return;
    }

    /* as nginx does when it is told to exit */

    c->idle = 1;
    c->close = 1;
    c->read->handler(c->read);
}
