
/*
 * Fieldgate: pins: upstream connections attached to a CPE's connection.
 */


#include "ngx_http_cwmp_pin.h"


static void ngx_http_cwmp_pin_closed(ngx_http_cwmp_attach_t *a,
    ngx_uint_t c);
static void ngx_http_cwmp_pin_expired(ngx_http_cwmp_attach_t *a);


static ngx_http_cwmp_attach_kind_t  ngx_http_cwmp_pin_kind = {
    ngx_http_cwmp_close_upstream,
    ngx_http_cwmp_pin_closed,
    ngx_http_cwmp_pin_expired
};


ngx_http_cwmp_pin_t *
ngx_http_cwmp_pin_get(ngx_http_cwmp_session_t *s,
    ngx_http_upstream_srv_conf_t *us, ngx_http_upstream_conf_t *conf)
{
    ngx_http_cwmp_pin_t  *pin;

    for (pin = ngx_http_cwmp_pin_next(s->client, NULL);
         pin;
         pin = ngx_http_cwmp_pin_next(s->client, pin))
    {
        if (pin->upstream == us && pin->conf == conf) {
            return pin;
        }
    }

    pin = ngx_pcalloc(s->client->connection->pool,
                      sizeof(ngx_http_cwmp_pin_t));
    if (pin == NULL) {
        return NULL;
    }

    pin->session = s;
    pin->upstream = us;
    pin->conf = conf;
    pin->name.data = pin->text;

    ngx_http_cwmp_attach_add(s->client, &pin->attach, &ngx_http_cwmp_pin_kind);

    return pin;
}


ngx_http_cwmp_pin_t *
ngx_http_cwmp_pin_next(ngx_http_cwmp_client_t *client,
    ngx_http_cwmp_pin_t *pin)
{
    ngx_queue_t             *q;
    ngx_http_cwmp_attach_t  *a;

    for (q = pin ? ngx_queue_next(&pin->attach.queue)
                 : ngx_queue_head(&client->attachments);
         q != ngx_queue_sentinel(&client->attachments);
         q = ngx_queue_next(q))
    {
        a = ngx_queue_data(q, ngx_http_cwmp_attach_t, queue);

        if (a->kind == &ngx_http_cwmp_pin_kind) {
            return ngx_queue_data(a, ngx_http_cwmp_pin_t, attach);
        }
    }

    return NULL;
}


static void
ngx_http_cwmp_pin_closed(ngx_http_cwmp_attach_t *a, ngx_uint_t c)
{
    ngx_http_cwmp_pin_t  *pin;

    pin = ngx_queue_data(a, ngx_http_cwmp_pin_t, attach);

    if (c) {
        ngx_http_cwmp_count(pin->session->zone, PINNED_CLOSED);
    }

    pin->spare = 0;

    ngx_http_cwmp_admission_leave(pin);
    ngx_http_cwmp_rows_release(pin, 0);
}


static void
ngx_http_cwmp_pin_expired(ngx_http_cwmp_attach_t *a)
{
    ngx_http_cwmp_pin_t  *pin;

    pin = ngx_queue_data(a, ngx_http_cwmp_pin_t, attach);

    if (!pin->spare) {
        pin->session->expired(pin->session);
    }
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
