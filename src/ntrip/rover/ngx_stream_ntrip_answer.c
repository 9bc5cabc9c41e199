
/*
 * What a peer gets that is not let in: an error, or the sourcetable; then its
 * connection lingers and is closed.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>

#include "ngx_stream_ntrip_rover_private.h"
#include "ntrip_protocol.h"


/* the peer's time to read an error, or to close */
#define NGX_STREAM_NTRIP_LINGER  5000


void
ngx_stream_ntrip_error(ngx_stream_ntrip_rover_t *rover, ngx_uint_t status,
    const char *result)
{
    ngx_buf_t         *b;
    ntrip_out_t        out;
    ngx_chain_t       *cl;
    ntrip_request_t   *r;
    ngx_connection_t  *c;

    c = rover->session->connection;
    r = &rover->request->request;

    rover->result = result;

    ngx_stream_ntrip_traced_refused(rover, status, result);

    b = ngx_create_temp_buf(c->pool, NTRIP_RESPONSE_MAX);
    cl = ngx_alloc_chain_link(c->pool);

    if (b == NULL || cl == NULL) {
        ngx_stream_ntrip_rover_finalize(rover, result);
        return;
    }

    ntrip_out_init(&out, b->start, NTRIP_RESPONSE_MAX);
    ntrip_response_error(&out, r->method ? r->method : NTRIP_GET,
                         r->form ? r->form : NTRIP_FORM_V1, status,
                         ngx_time(), &rover->name);

    b->last = out.last;

    if (b->last == b->pos) {
        ngx_stream_ntrip_rover_finalize(rover, result);
        return;
    }

    cl->buf = b;
    cl->next = NULL;

    rover->out = cl;
    rover->state = NGX_STREAM_NTRIP_ROVER_TABLE;

    ngx_stream_ntrip_send_out(rover);
}


/*
 * What is in rover->out; then the peer has time to read it: closing with
 * bytes of it unread would reset the connection, and take the reply along.
 */

void
ngx_stream_ntrip_send_out(ngx_stream_ntrip_rover_t *rover)
{
    ngx_chain_t                  *cl;
    ngx_connection_t             *c;
    ngx_stream_ntrip_srv_conf_t  *conf;

    c = rover->session->connection;

    c->log->action = "sending ntrip reply";

    /* at once: there are peers that read a small table with one call */

    cl = c->send_chain(c, rover->out, 0);

    if (cl == NGX_CHAIN_ERROR) {
        ngx_stream_ntrip_rover_finalize(rover, rover->result);
        return;
    }

    rover->out = cl;

    if (cl) {
        conf = ngx_stream_get_module_srv_conf(rover->session,
                                              ngx_stream_ntrip_module);

        ngx_add_timer(c->write, conf->send_timeout);

        if (ngx_handle_write_event(c->write, 0) != NGX_OK) {
            ngx_stream_ntrip_rover_finalize(rover, rover->result);
        }

        return;
    }

    if (c->write->timer_set) {
        ngx_del_timer(c->write);
    }

    if (rover->tls || ngx_shutdown_socket(c->fd, NGX_WRITE_SHUTDOWN) == -1) {
        ngx_stream_ntrip_rover_finalize(rover, rover->result);
        return;
    }

    ngx_add_timer(c->read, NGX_STREAM_NTRIP_LINGER);
    ngx_post_event(c->read, &ngx_posted_events);
}
