
/*
 * Fieldgate: connections that may belong to another worker.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_stream_ntrip_worker.h"


void
ngx_stream_ntrip_park(ngx_connection_t *c)
{
    if (c->read->posted) {
        ngx_delete_posted_event(c->read);
    }

    if (c->write->posted) {
        ngx_delete_posted_event(c->write);
    }

    if (!c->read->active && !c->write->active) {
        return;
    }

    if (ngx_del_conn) {
        (void) ngx_del_conn(c, 0);
        return;
    }

    if (c->read->active) {
        (void) ngx_del_event(c->read, NGX_READ_EVENT, 0);
    }

    if (c->write->active) {
        (void) ngx_del_event(c->write, NGX_WRITE_EVENT, 0);
    }
}


ngx_int_t
ngx_stream_ntrip_unpark(ngx_connection_t *c)
{
    if (ngx_add_conn) {
        return ngx_add_conn(c);
    }

    return ngx_handle_read_event(c->read, 0);
}


void
ngx_stream_ntrip_unhand(ngx_connection_t *c)
{
    ngx_pool_t  *pool;

    pool = c->pool;

    ngx_close_connection(c);

    if (pool) {
        ngx_destroy_pool(pool);
    }
}
