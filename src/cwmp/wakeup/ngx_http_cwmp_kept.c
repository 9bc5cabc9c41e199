
/*
 * Fieldgate: path mode.  The 401 of a CPE and the authorised request that
 * follows on the same connection of the ACS share a connection to the CPE as
 * well: a CPE may bind its nonce to it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_call.h"
#include "ngx_http_cwmp_session.h"


/* in the pool of the ACS's connection */

typedef struct {
    ngx_connection_t          *client;       /* the ACS's */
    ngx_connection_t          *connection;   /* to the CPE; NULL: none */
    ngx_http_cwmp_loc_conf_t  *conf;
    u_char                     target[CWMP_TABLE_KEY_LEN];

    ngx_event_t                shield;
    ngx_event_handler_pt       keepalive;    /* see ngx_http_cwmp_shield() */
} ngx_http_cwmp_kept_t;


static ngx_http_cwmp_kept_t *ngx_http_cwmp_kept_find(ngx_http_request_t *r,
    ngx_uint_t create);
static void ngx_http_cwmp_kept_shield(ngx_event_t *ev);
static void ngx_http_cwmp_kept_handler(ngx_event_t *rev);
static void ngx_http_cwmp_kept_write_handler(ngx_event_t *wev);
static void ngx_http_cwmp_kept_cleanup(void *data);


ngx_int_t
ngx_http_cwmp_kept_put(ngx_http_request_t *r, ngx_http_cwmp_call_t *call,
    ngx_connection_t *c)
{
    ngx_http_cwmp_kept_t  *kept;

    kept = ngx_http_cwmp_kept_find(r, 1);
    if (kept == NULL) {
        return NGX_ERROR;
    }

    if (kept->connection) {
        ngx_close_connection(kept->connection);
        kept->connection = NULL;
    }

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        return NGX_ERROR;
    }

    kept->connection = c;
    kept->conf = call->conf;
    ngx_memcpy(kept->target, call->target->key, CWMP_TABLE_KEY_LEN);

    if (c->write->timer_set) {
        ngx_del_timer(c->write);
    }

    c->data = kept;
    c->log = ngx_cycle->log;

    c->write->log = c->log;
    c->write->handler = ngx_http_cwmp_kept_write_handler;

    c->read->log = c->log;
    c->read->handler = ngx_http_cwmp_kept_handler;

    ngx_add_timer(c->read, call->conf->timeout);

    if (c->read->ready) {
        ngx_post_event(c->read, &ngx_posted_events);
    }

    /* when the 401 has been sent */
    ngx_post_event(&kept->shield, &ngx_posted_events);

    return NGX_OK;
}


ngx_connection_t *
ngx_http_cwmp_kept_get(ngx_http_request_t *r, ngx_http_cwmp_call_t *call)
{
    int                    n;
    char                   buf[1];
    ngx_connection_t      *c;
    ngx_http_cwmp_kept_t  *kept;

    kept = ngx_http_cwmp_kept_find(r, 0);

    if (kept == NULL
        || kept->connection == NULL
        || kept->conf != call->conf
        || ngx_memcmp(kept->target, call->target->key, CWMP_TABLE_KEY_LEN)
           != 0)
    {
        return NULL;
    }

    c = kept->connection;
    kept->connection = NULL;
    kept->keepalive = NULL;

    /* a close may have arrived in this very moment */

    n = recv(c->fd, buf, 1, MSG_PEEK);

    if (n != -1 || ngx_socket_errno != NGX_EAGAIN) {
        ngx_close_connection(c);
        return NULL;
    }

    if (c->read->timer_set) {
        ngx_del_timer(c->read);
    }

    if (c->read->posted) {
        ngx_delete_posted_event(c->read);
    }

    return c;
}


static ngx_http_cwmp_kept_t *
ngx_http_cwmp_kept_find(ngx_http_request_t *r, ngx_uint_t create)
{
    ngx_connection_t      *c;
    ngx_pool_cleanup_t    *cln;
    ngx_http_cwmp_kept_t  *kept;

    c = ngx_http_cwmp_connection(r);

    for (cln = c->pool->cleanup; cln; cln = cln->next) {
        if (cln->handler == ngx_http_cwmp_kept_cleanup) {
            return cln->data;
        }
    }

    if (!create) {
        return NULL;
    }

    cln = ngx_pool_cleanup_add(c->pool, sizeof(ngx_http_cwmp_kept_t));
    if (cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_http_cwmp_kept_cleanup;
    kept = cln->data;

    ngx_memzero(kept, sizeof(ngx_http_cwmp_kept_t));

    kept->client = c;
    kept->shield.handler = ngx_http_cwmp_kept_shield;
    kept->shield.data = kept;
    kept->shield.log = c->log;

    return kept;
}


/*
 * The ACS has the 401 and will send its second request: GenieACS would show the
 * device as offline if its connection were closed in between.
 */

static void
ngx_http_cwmp_kept_shield(ngx_event_t *ev)
{
    ngx_http_cwmp_kept_t  *kept;

    kept = ev->data;

    if (kept->connection) {
        ngx_http_cwmp_shield(kept->client, &kept->keepalive);
    }
}


/* whatever a CPE sends now, it is not an answer; most likely it closes */

static void
ngx_http_cwmp_kept_handler(ngx_event_t *rev)
{
    int                    n;
    char                   buf[1];
    ngx_connection_t      *c;
    ngx_http_cwmp_kept_t  *kept;

    c = rev->data;
    kept = c->data;

    if (!rev->timedout && !c->close) {

        n = recv(c->fd, buf, 1, MSG_PEEK);

        if (n == -1 && ngx_socket_errno == NGX_EAGAIN) {
            rev->ready = 0;

            if (ngx_handle_read_event(rev, 0) == NGX_OK) {
                return;
            }
        }
    }

    kept->connection = NULL;
    ngx_close_connection(c);

    /* there is nothing left to wait for */

    ngx_http_cwmp_unshield(kept->client, &kept->keepalive);
}


static void
ngx_http_cwmp_kept_write_handler(ngx_event_t *wev)
{
    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, wev->log, 0, "cwmp kept write handler");
}


static void
ngx_http_cwmp_kept_cleanup(void *data)
{
    ngx_http_cwmp_kept_t *kept = data;

    if (kept->shield.posted) {
        ngx_delete_posted_event(&kept->shield);
    }

    if (kept->connection) {
        ngx_close_connection(kept->connection);
        kept->connection = NULL;
    }
}
