
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


static ngx_uint_t ngx_stream_ntrip_listed(ngx_stream_ntrip_srv_conf_t *conf,
    ngx_stream_ntrip_mount_t *mount);


void
ngx_stream_ntrip_error(ngx_stream_ntrip_rover_t *rover, ngx_uint_t status,
    const char *result)
{
    ngx_buf_t         *b;
    ntrip_out_t        out;
    ntrip_request_t   *r;
    ngx_connection_t  *c;

    c = rover->session->connection;
    r = &rover->request->request;

    rover->result = result;

    b = ngx_create_temp_buf(c->pool, NTRIP_RESPONSE_MAX);
    if (b == NULL) {
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

    rover->out = b;
    rover->state = NGX_STREAM_NTRIP_ROVER_TABLE;

    ngx_stream_ntrip_send_out(rover);
}


void
ngx_stream_ntrip_table(ngx_stream_ntrip_rover_t *rover)
{
    size_t                        size;
    ngx_buf_t                    *b;
    ngx_str_t                     text, stations;
    ngx_uint_t                    i, form;
    ntrip_out_t                   table, out;
    ngx_connection_t             *c;
    ngx_stream_ntrip_mount_t     *mount;
    ngx_stream_ntrip_srv_conf_t  *conf;

    c = rover->session->connection;
    form = rover->request->request.form;
    conf = ngx_stream_get_module_srv_conf(rover->session,
                                          ngx_stream_ntrip_module);

    rover->result = "sourcetable";
    ngx_stream_ntrip_count(sourcetables);

    size = sizeof(NTRIP_TABLE_END);
    mount = NULL;

    if (conf->mounts) {
        mount = conf->mounts->elts;
        size += conf->mounts->nelts * NTRIP_STR_LINE_MAX;
    }

    ngx_str_null(&stations);

    if (conf->station.line
        && ngx_stream_ntrip_stations_table(c->pool, &stations) != NGX_OK)
    {
        goto failed;
    }

    size += stations.len;

    text.data = ngx_palloc(c->pool, size);
    if (text.data == NULL) {
        goto failed;
    }

    ntrip_out_init(&table, text.data, size);

    ntrip_out_str(&table, &stations);

    for (i = 0; mount && i < conf->mounts->nelts; i++) {

        if (!ngx_stream_ntrip_listed(conf, &mount[i])) {
            continue;
        }

        ntrip_str_line(&table, &mount[i].name, &mount[i].str, mount[i].gga,
                       mount[i].format == NTRIP_RTCM_RAW);
    }

    ntrip_out_text(&table, NTRIP_TABLE_END);
    text.len = table.last - table.start;

    size = (form == NTRIP_FORM_PAGE) ? ntrip_response_page_size(&text)
                                     : NTRIP_RESPONSE_MAX + text.len;

    b = ngx_create_temp_buf(c->pool, size);
    if (b == NULL) {
        goto failed;
    }

    ntrip_out_init(&out, b->start, size);

    if (form == NTRIP_FORM_PAGE) {
        ntrip_response_page(&out, ngx_time(), &text);

    } else {
        ntrip_response_sourcetable(&out, form, ngx_time(), text.len);
        ntrip_out_str(&out, &text);
    }

    b->last = out.last;

    rover->out = b;
    rover->state = NGX_STREAM_NTRIP_ROVER_TABLE;

    ngx_stream_ntrip_send_out(rover);

    return;

failed:

    ngx_stream_ntrip_rover_finalize(rover, "error");
}


/* a declared mountpoint: those of base stations are listed already, and their
   profiles only while they are live */

static ngx_uint_t
ngx_stream_ntrip_listed(ngx_stream_ntrip_srv_conf_t *conf,
    ngx_stream_ntrip_mount_t *mount)
{
    if (conf->station.line == 0 || mount->near) {
        return 1;
    }

    if (ngx_stream_ntrip_store_station(&mount->name)) {
        return 0;
    }

    if (ngx_stream_ntrip_store_station(&mount->as)) {
        return ngx_stream_ntrip_stations_listed(&mount->as);
    }

    return conf->relay.line != 0;
}


/*
 * What is in rover->out; then the peer has time to read it: closing with
 * bytes of it unread would reset the connection, and take the reply along.
 */

void
ngx_stream_ntrip_send_out(ngx_stream_ntrip_rover_t *rover)
{
    ssize_t                       n;
    ngx_buf_t                    *b;
    ngx_connection_t             *c;
    ngx_stream_ntrip_srv_conf_t  *conf;

    c = rover->session->connection;
    b = rover->out;

    c->log->action = "sending ntrip reply";

    while (b->pos < b->last) {

        n = c->send(c, b->pos, b->last - b->pos);

        if (n == NGX_AGAIN) {
            conf = ngx_stream_get_module_srv_conf(rover->session,
                                                  ngx_stream_ntrip_module);

            ngx_add_timer(c->write, conf->send_timeout);

            if (ngx_handle_write_event(c->write, 0) != NGX_OK) {
                ngx_stream_ntrip_rover_finalize(rover, rover->result);
            }

            return;
        }

        if (n == NGX_ERROR) {
            ngx_stream_ntrip_rover_finalize(rover, rover->result);
            return;
        }

        b->pos += n;
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
