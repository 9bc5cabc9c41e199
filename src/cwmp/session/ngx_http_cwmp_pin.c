
/*
 * Fieldgate: connections of CPEs, and the upstream connections that are
 * pinned to them.
 */


#include "ngx_http_cwmp_session.h"


static void ngx_http_cwmp_conn_cleanup(void *data);
static void ngx_http_cwmp_conn_shield(ngx_event_t *ev);
static void ngx_http_cwmp_conn_wanted(ngx_event_t *ev);
static void ngx_http_cwmp_pin_idle_handler(ngx_event_t *ev);
static void ngx_http_cwmp_pin_dummy_handler(ngx_event_t *ev);


/* all connections of CPEs in this worker */

static ngx_queue_t                 ngx_http_cwmp_conns;

/* looks every NGX_HTTP_CWMP_WANTED_STEP while anything is parked */

static ngx_event_t                 ngx_http_cwmp_wanted_event;
static ngx_connection_t            ngx_http_cwmp_wanted_dummy;
static ngx_http_cwmp_main_conf_t  *ngx_http_cwmp_wanted_conf;
static ngx_atomic_uint_t           ngx_http_cwmp_wanted_seen;
static ngx_uint_t                  ngx_http_cwmp_parked;


ngx_http_cwmp_conn_t *
ngx_http_cwmp_conn_get(ngx_http_request_t *r, ngx_uint_t create)
{
    ngx_connection_t      *c;
    ngx_pool_cleanup_t    *cln;
    ngx_http_cwmp_conn_t  *conn;

    c = ngx_http_cwmp_connection(r);

    for (cln = c->pool->cleanup; cln; cln = cln->next) {
        if (cln->handler == ngx_http_cwmp_conn_cleanup) {
            return cln->data;
        }
    }

    if (!create) {
        return NULL;
    }

    cln = ngx_pool_cleanup_add(c->pool, sizeof(ngx_http_cwmp_conn_t));
    if (cln == NULL) {
        return NULL;
    }

    conn = cln->data;
    ngx_memzero(conn, sizeof(ngx_http_cwmp_conn_t));

    conn->connection = c;
    conn->conf = ngx_http_get_module_main_conf(r, ngx_http_cwmp_module);
    conn->shield.handler = ngx_http_cwmp_conn_shield;
    conn->shield.data = conn;
    conn->shield.log = c->log;

    ngx_queue_init(&conn->pins);

    if (ngx_http_cwmp_conns.next == NULL) {
        ngx_queue_init(&ngx_http_cwmp_conns);
    }

    ngx_queue_insert_head(&ngx_http_cwmp_conns, &conn->queue);

    cln->handler = ngx_http_cwmp_conn_cleanup;

    return conn;
}


/*
 * The CPE's connection is closed, and its requests are gone.
 */

static void
ngx_http_cwmp_conn_cleanup(void *data)
{
    ngx_http_cwmp_conn_t  *conn = data;

    ngx_http_cwmp_conn_drop(conn);

    if (conn->shield.posted) {
        ngx_delete_posted_event(&conn->shield);
    }

    ngx_queue_remove(&conn->queue);
}


ngx_connection_t *
ngx_http_cwmp_connection(ngx_http_request_t *r)
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


void
ngx_http_cwmp_conn_drop(ngx_http_cwmp_conn_t *conn)
{
    ngx_queue_t          *q;
    ngx_http_cwmp_pin_t  *pin;

    conn->open = 0;
    conn->known = 0;

    for (q = ngx_queue_head(&conn->pins);
         q != ngx_queue_sentinel(&conn->pins);
         q = ngx_queue_next(q))
    {
        pin = ngx_queue_data(q, ngx_http_cwmp_pin_t, queue);

        pin->server.len = 0;

        if (pin->busy) {
            pin->drop = 1;
            continue;
        }

        ngx_http_cwmp_pin_close(pin, pin->connection);
    }

    ngx_http_cwmp_unshield(conn->connection, &conn->keepalive);
}


ngx_uint_t
ngx_http_cwmp_conn_holds(ngx_http_cwmp_conn_t *conn, u_char *key)
{
    ngx_queue_t          *q;
    ngx_http_cwmp_pin_t  *pin;

    for (q = ngx_queue_head(&conn->pins);
         q != ngx_queue_sentinel(&conn->pins);
         q = ngx_queue_next(q))
    {
        pin = ngx_queue_data(q, ngx_http_cwmp_pin_t, queue);

        if (pin->held && !pin->drop
            && ngx_memcmp(pin->key, key, CWMP_TABLE_KEY_LEN) == 0)
        {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_http_cwmp_conn_leave(ngx_atomic_uint_t number, u_char *key)
{
    ngx_uint_t             busy;
    ngx_queue_t           *q, *p;
    ngx_http_cwmp_pin_t   *pin;
    ngx_http_cwmp_conn_t  *conn;

    busy = 0;

    if (ngx_http_cwmp_conns.next == NULL) {
        return 0;
    }

    for (q = ngx_queue_head(&ngx_http_cwmp_conns);
         q != ngx_queue_sentinel(&ngx_http_cwmp_conns);
         q = ngx_queue_next(q))
    {
        conn = ngx_queue_data(q, ngx_http_cwmp_conn_t, queue);

        if (conn->connection->number != number) {
            continue;
        }

        for (p = ngx_queue_head(&conn->pins);
             p != ngx_queue_sentinel(&conn->pins);
             p = ngx_queue_next(p))
        {
            pin = ngx_queue_data(p, ngx_http_cwmp_pin_t, queue);

            if (!pin->held
                || ngx_memcmp(pin->key, key, CWMP_TABLE_KEY_LEN) != 0)
            {
                continue;
            }

            if (pin->busy) {
                pin->drop = 1;
                busy = 1;
                continue;
            }

            ngx_http_cwmp_pin_close(pin, pin->connection);
        }

        break;
    }

    return busy;
}


/* a request of the connection is done, its session goes on */

static void
ngx_http_cwmp_conn_shield(ngx_event_t *ev)
{
    ngx_http_cwmp_conn_t  *conn;

    conn = ev->data;

    if (conn->open) {
        ngx_http_cwmp_shield(conn->connection, &conn->keepalive);
    }
}


void
ngx_http_cwmp_shield(ngx_connection_t *c, ngx_event_handler_pt *keepalive)
{
    if (c->idle) {
        c->idle = 0;
        ngx_reusable_connection(c, 0);

        *keepalive = c->read->handler;
    }
}


void
ngx_http_cwmp_unshield(ngx_connection_t *c, ngx_event_handler_pt *keepalive)
{
    ngx_event_handler_pt  handler;

    handler = *keepalive;
    *keepalive = NULL;

    if (handler == NULL
        || c->fd == (ngx_socket_t) -1
        || c->read->handler != handler)
    {
        return;
    }

    c->idle = 1;
    ngx_reusable_connection(c, 1);

    if (ngx_exiting) {
        c->close = 1;
        ngx_post_event(c->read, &ngx_posted_events);
    }
}


ngx_http_cwmp_pin_t *
ngx_http_cwmp_pin_get(ngx_http_cwmp_conn_t *conn,
    ngx_http_upstream_srv_conf_t *us, ngx_http_upstream_conf_t *conf)
{
    ngx_queue_t          *q;
    ngx_http_cwmp_pin_t  *pin;

    for (q = ngx_queue_head(&conn->pins);
         q != ngx_queue_sentinel(&conn->pins);
         q = ngx_queue_next(q))
    {
        pin = ngx_queue_data(q, ngx_http_cwmp_pin_t, queue);

        if (pin->upstream == us && pin->conf == conf) {
            return pin;
        }
    }

    pin = ngx_pcalloc(conn->connection->pool, sizeof(ngx_http_cwmp_pin_t));
    if (pin == NULL) {
        return NULL;
    }

    pin->conn = conn;
    pin->upstream = us;
    pin->conf = conf;
    pin->name.data = pin->text;

    ngx_queue_insert_tail(&conn->pins, &pin->queue);

    return pin;
}


ngx_http_cwmp_pin_t *
ngx_http_cwmp_pin_of(ngx_http_cwmp_conn_t *conn, ngx_http_upstream_t *u)
{
    ngx_queue_t          *q;
    ngx_http_cwmp_pin_t  *pin;

    for (q = ngx_queue_head(&conn->pins);
         q != ngx_queue_sentinel(&conn->pins);
         q = ngx_queue_next(q))
    {
        pin = ngx_queue_data(q, ngx_http_cwmp_pin_t, queue);

        if (pin->busy == u) {
            return pin;
        }
    }

    return NULL;
}


ngx_connection_t *
ngx_http_cwmp_pin_take(ngx_http_cwmp_pin_t *pin, ngx_log_t *log)
{
    char               buf[1];
    ssize_t            n;
    ngx_connection_t  *c;

    c = pin->connection;

    if (c == NULL) {
        return NULL;
    }

    /* the ACS may have closed it, and the event not been seen yet */

    n = recv(c->fd, buf, 1, MSG_PEEK);

    if (n != -1 || ngx_socket_errno != NGX_EAGAIN) {
        ngx_http_cwmp_pin_close(pin, c);
        return NULL;
    }

    if (c->read->timer_set) {
        ngx_del_timer(c->read);
    }

    c->sent = 0;
    c->data = NULL;
    c->log = log;
    c->read->log = log;
    c->write->log = log;
    c->pool->log = log;

    pin->connection = NULL;
    ngx_http_cwmp_parked--;

    return c;
}


/*
 * c->idle stays 0: a reload would close it.
 */

void
ngx_http_cwmp_pin_park(ngx_http_cwmp_pin_t *pin, ngx_connection_t *c,
    ngx_msec_t timeout)
{
    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_http_cwmp_pin_close(pin, c);
        return;
    }

    c->read->delayed = 0;
    ngx_add_timer(c->read, timeout);

    if (c->write->timer_set) {
        ngx_del_timer(c->write);
    }

    c->write->handler = ngx_http_cwmp_pin_dummy_handler;
    c->read->handler = ngx_http_cwmp_pin_idle_handler;

    c->data = pin;
    c->log = ngx_cycle->log;
    c->read->log = ngx_cycle->log;
    c->write->log = ngx_cycle->log;
    c->pool->log = ngx_cycle->log;

#if (NGX_HTTP_SSL)

    /*
     * A session ticket that comes later, be it with SSL_shutdown(), would be
     * handed to a request that is no more; the first one has been saved.
     */

    if (c->ssl) {
        c->ssl->save_session = NULL;
    }

#endif

    pin->connection = c;
    ngx_http_cwmp_parked++;

    if (!ngx_http_cwmp_wanted_event.timer_set
        && pin->conn->conf->shared->shpool)
    {
        ngx_http_cwmp_wanted_dummy.fd = (ngx_socket_t) -1;
        ngx_http_cwmp_wanted_conf = pin->conn->conf;
        ngx_http_cwmp_wanted_seen = 0;
        ngx_http_cwmp_wanted_event.handler = ngx_http_cwmp_conn_wanted;
        ngx_http_cwmp_wanted_event.data = &ngx_http_cwmp_wanted_dummy;
        ngx_http_cwmp_wanted_event.log = ngx_cycle->log;
        ngx_http_cwmp_wanted_event.cancelable = 1;

        ngx_add_timer(&ngx_http_cwmp_wanted_event, NGX_HTTP_CWMP_WANTED_STEP);
    }

    if (c->read->ready) {
        ngx_http_cwmp_pin_idle_handler(c->read);
    }
}


void
ngx_http_cwmp_pin_spare(ngx_http_cwmp_pin_t *pin)
{
    pin->drop = 0;
    pin->spare = 1;
    ngx_memcpy(pin->last, pin->conn->id.key, CWMP_TABLE_KEY_LEN);
}


void
ngx_http_cwmp_pin_close(ngx_http_cwmp_pin_t *pin, ngx_connection_t *c)
{
    if (c) {
        if (c == pin->connection) {
            pin->connection = NULL;
            ngx_http_cwmp_parked--;
        }

        ngx_http_cwmp_close_upstream(c);
        ngx_http_cwmp_count(pin->conn->conf->shared, PINNED_CLOSED);
    }

    pin->drop = 0;
    pin->spare = 0;

    ngx_http_cwmp_session_release(pin);
}


void
ngx_http_cwmp_close_upstream(ngx_connection_t *c)
{
    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, c->log, 0,
                   "close cwmp upstream connection: %d", c->fd);

    /* the request's log may be gone before a shutdown that has to wait */

    c->log = ngx_cycle->log;
    c->read->log = ngx_cycle->log;
    c->write->log = ngx_cycle->log;

    if (c->pool) {
        c->pool->log = ngx_cycle->log;
    }

#if (NGX_HTTP_SSL)

    if (c->ssl) {
        c->ssl->no_wait_shutdown = 1;
        c->ssl->save_session = NULL;

        if (ngx_ssl_shutdown(c) == NGX_AGAIN) {
            c->ssl->handler = ngx_http_cwmp_close_upstream;
            return;
        }
    }

#endif

    if (c->pool) {
        ngx_destroy_pool(c->pool);
    }

    ngx_close_connection(c);
}


static void
ngx_http_cwmp_pin_idle_handler(ngx_event_t *ev)
{
    char                   buf[1];
    ssize_t                n;
    ngx_connection_t      *c;
    ngx_http_cwmp_pin_t   *pin;
    ngx_http_cwmp_conn_t  *conn;

    c = ev->data;
    pin = c->data;
    conn = pin->conn;

    if (ev->timedout) {

        /* the time of "cwmp_affinity": the session is over */

        if (conn->open && !pin->spare) {
            ngx_http_cwmp_session_end(conn);
            return;
        }

        goto close;
    }

    if (c->close) {
        goto close;
    }

    n = recv(c->fd, buf, 1, MSG_PEEK);

    if (n == -1 && ngx_socket_errno == NGX_EAGAIN) {
        ev->ready = 0;

        if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
            goto close;
        }

        return;
    }

close:

    ngx_http_cwmp_pin_close(pin, c);
}


static void
ngx_http_cwmp_pin_dummy_handler(ngx_event_t *ev)
{
    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, ev->log, 0,
                   "cwmp pinned connection dummy handler");
}


/*
 * A session of ours came back in another worker, which waits until we have
 * closed its upstream connection.
 */

static void
ngx_http_cwmp_conn_wanted(ngx_event_t *ev)
{
    ngx_queue_t           *q, *p;
    ngx_atomic_uint_t      wanted;
    ngx_http_cwmp_pin_t   *pin;
    ngx_http_cwmp_conn_t  *conn;

    wanted = ngx_http_cwmp_wanted_conf->shared->sh->wanted;

    if (wanted != ngx_http_cwmp_wanted_seen) {
        ngx_http_cwmp_wanted_seen = wanted;

        for (q = ngx_queue_head(&ngx_http_cwmp_conns);
             q != ngx_queue_sentinel(&ngx_http_cwmp_conns);
             q = ngx_queue_next(q))
        {
            conn = ngx_queue_data(q, ngx_http_cwmp_conn_t, queue);

            for (p = ngx_queue_head(&conn->pins);
                 p != ngx_queue_sentinel(&conn->pins);
                 p = ngx_queue_next(p))
            {
                pin = ngx_queue_data(p, ngx_http_cwmp_pin_t, queue);

                if (!pin->held || !ngx_http_cwmp_session_wanted(pin)) {
                    continue;
                }

                if (pin->busy) {
                    pin->drop = 1;

                } else {
                    ngx_http_cwmp_pin_close(pin, pin->connection);
                }
            }
        }
    }

    if (ngx_http_cwmp_parked) {
        ngx_add_timer(ev, NGX_HTTP_CWMP_WANTED_STEP);
    }
}
