
/*
 * The hand-over of an upload, seen from the base's session: see
 * ngx_stream_ntrip_rover.h.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>

#include "ngx_stream_ntrip_rover_private.h"


static ngx_stream_ntrip_rover_t *ngx_stream_ntrip_base_new(
    ngx_stream_session_t *s, ntrip_handover_t *msg);


ngx_int_t
ngx_stream_ntrip_base_offer(ngx_stream_ntrip_rover_t *rover,
    ntrip_handover_t *msg, ngx_socket_t *fds)
{
    ngx_uint_t         chunked;
    ngx_connection_t  *c;

    c = rover->session->connection;

    if (rover->tls) {
        return NGX_DECLINED;
    }

    ngx_stream_ntrip_rover_save(rover, msg);

    ngx_stream_ntrip_upload_save(rover->upload, &chunked, &msg->reply.body,
                                 &msg->rtcm);
    msg->reply.chunked = chunked;

    msg->mount_len = (uint16_t) rover->name.len;
    ngx_memcpy(msg->mount, rover->name.data, rover->name.len);

    if (c->read->timer_set) {
        ngx_del_timer(c->read);
    }

    ngx_stream_ntrip_park(c);

    fds[0] = c->fd;

    return NGX_OK;
}


/* as if the timeout began anew */

void
ngx_stream_ntrip_base_resume(ngx_stream_ntrip_rover_t *rover)
{
    ngx_connection_t             *c;
    ngx_stream_ntrip_srv_conf_t  *conf;

    c = rover->session->connection;
    conf = ngx_stream_get_module_srv_conf(rover->session,
                                          ngx_stream_ntrip_module);

    if (ngx_stream_ntrip_unpark(c) != NGX_OK) {
        ngx_stream_ntrip_rover_finalize(rover, "error");
        return;
    }

    ngx_add_timer(c->read, conf->source_timeout);
    ngx_post_event(c->read, &ngx_posted_events);
}


/* the heir has it: no line in the access log */

void
ngx_stream_ntrip_base_release(ngx_stream_ntrip_rover_t *rover)
{
    ngx_connection_t  *c;

    c = rover->session->connection;

    ngx_stream_ntrip_station_part(rover);

    ngx_queue_remove(&rover->queue);

    ngx_stream_ntrip_upload_free(rover->upload);
    rover->upload = NULL;

    ngx_stream_ntrip_rover_free(rover);

    ngx_stream_ntrip_unhand(c);
}


static ngx_stream_ntrip_rover_t *
ngx_stream_ntrip_base_new(ngx_stream_session_t *s, ntrip_handover_t *msg)
{
    ngx_str_t                  name;
    ngx_stream_ntrip_rover_t  *rover;

    rover = ngx_stream_ntrip_rover_restore(s, msg);
    if (rover == NULL) {
        return NULL;
    }

    rover->base = 1;

    name.len = msg->mount_len;
    name.data = msg->mount;

    rover->name.len = name.len;
    rover->name.data = ngx_pstrdup(s->connection->pool, &name);

    if (rover->name.data == NULL) {
        return NULL;
    }

    rover->upload = ngx_stream_ntrip_upload_create(msg->index, msg->serial,
                                                   msg->reply.chunked);
    if (rover->upload == NULL) {
        return NULL;
    }

    ngx_stream_ntrip_upload_restore(rover->upload, &msg->reply.body,
                                    &msg->rtcm);

    ngx_stream_ntrip_nrovers++;

    return rover;
}


ngx_int_t
ngx_stream_ntrip_base_adopt(ngx_stream_session_t *s, ntrip_handover_t *msg)
{
    ngx_int_t                     rc;
    ngx_connection_t             *c;
    ngx_stream_ntrip_rover_t     *rover;
    ngx_stream_ntrip_srv_conf_t  *conf;

    c = s->connection;
    conf = ngx_stream_get_module_srv_conf(s, ngx_stream_ntrip_module);

    if (conf->station.line == 0) {
        return NGX_DECLINED;
    }

    rover = ngx_stream_ntrip_base_new(s, msg);
    if (rover == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_stream_ntrip_offer_accept(msg);

    if (rc != NGX_OK) {
        ngx_stream_ntrip_upload_free(rover->upload);
        rover->upload = NULL;
        ngx_stream_ntrip_rover_free(rover);
        return rc;
    }

    /* from here on the stream is this worker's, whatever happens */

    c->read->handler = ngx_stream_ntrip_read_handler;
    c->write->handler = ngx_stream_ntrip_write_handler;

    ngx_stream_ntrip_base_label(rover);
    ngx_stream_ntrip_base_begin(rover);

    if (ngx_stream_ntrip_station_feed(rover, msg->index, msg->serial)
        != NGX_OK)
    {
        ngx_stream_ntrip_station_orphan(msg->index, msg->serial);
        ngx_stream_ntrip_rover_finalize(rover, "error");
        return NGX_OK;
    }

    ngx_post_event(c->read, &ngx_posted_events);

    return NGX_OK;
}
