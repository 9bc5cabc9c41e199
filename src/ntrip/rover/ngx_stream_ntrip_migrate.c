
/*
 * The hand-over of a rover, seen from its session: see
 * ngx_stream_ntrip_stream.h.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>

#include "ngx_stream_ntrip_rover_private.h"


static ngx_stream_ntrip_rover_t *ngx_stream_ntrip_rover_new(
    ngx_stream_session_t *s, ntrip_handover_t *msg);


ngx_int_t
ngx_stream_ntrip_rover_offer(ngx_stream_ntrip_rover_t *rover,
    ntrip_handover_t *msg, ngx_socket_t *fds)
{
    ntrip_place_t      place;
    ngx_connection_t  *c;

    c = rover->session->connection;

    if (rover->tls) {
        return NGX_DECLINED;
    }

    ngx_stream_ntrip_rover_save(rover, msg);

    msg->login = rover->login;
    msg->expires = (uint64_t) rover->expires;
    msg->max_sessions = rover->max_sessions;
    msg->area = rover->area;
    msg->settled = ngx_stream_ntrip_near_since(rover);
    msg->stream = NTRIP_ROW_NONE;
    msg->welcomed = rover->welcomed;
    msg->chunked = rover->chunked;

    msg->sent = rover->bytes;
    msg->messages = rover->messages;

    if (rover->stream) {
        ngx_stream_ntrip_deliver_now(rover->stream);

        ngx_stream_ntrip_deliver_place(rover, &place);

        if (place.len > NTRIP_HANDOVER_DATA) {
            return NGX_DECLINED;
        }

        ngx_stream_ntrip_stream_totals(rover, &msg->sent, &msg->messages);

        msg->sent += rover->bytes;
        msg->messages += rover->messages;

        msg->stream = rover->stream->index;
        msg->stream_serial = rover->stream->serial;

        msg->position = place.position;
        msg->since = place.since;
        msg->fresh = place.fresh;
        msg->len = (uint32_t) place.len;

        if (place.len) {
            ngx_memcpy(msg->data, place.rest, place.len);
        }

        rover->stream->sinks[rover->sink].held = 1;
    }

    ntrip_nmea_init(&msg->nmea);

    if (rover->nmea) {
        msg->nmea = *rover->nmea;
    }

    msg->mount_len = (uint16_t) rover->mount->name.len;
    ngx_memcpy(msg->mount, rover->mount->name.data, rover->mount->name.len);
    msg->station_len = (uint16_t) rover->station.len;

    if (rover->station.len) {
        ngx_memcpy(msg->station, rover->station.data, rover->station.len);
    }

    if (c->read->timer_set) {
        ngx_del_timer(c->read);
    }

    if (c->write->timer_set) {
        ngx_del_timer(c->write);
    }

    ngx_stream_ntrip_park(c);

    fds[0] = c->fd;

    return NGX_OK;
}


/* as if a timeout began anew */

void
ngx_stream_ntrip_rover_resume(ngx_stream_ntrip_rover_t *rover)
{
    ngx_connection_t             *c;
    ntrip_sink_t                 *s;
    ngx_stream_ntrip_srv_conf_t  *conf;

    c = rover->session->connection;
    conf = ngx_stream_get_module_srv_conf(rover->session,
                                          ngx_stream_ntrip_module);

    if (ngx_stream_ntrip_unpark(c) != NGX_OK) {
        ngx_stream_ntrip_rover_finalize(rover, "error");
        return;
    }

    if (rover->kicked) {
        ngx_stream_ntrip_rover_out(rover);
        return;
    }

    switch (rover->state) {

    case NGX_STREAM_NTRIP_ROVER_POSITION:
        ngx_add_timer(c->read, ngx_stream_ntrip_near_waits(rover)
                               ? conf->source_wait : conf->position_timeout);
        break;

    case NGX_STREAM_NTRIP_ROVER_ATTACHED:
        ngx_stream_ntrip_rover_await(rover);
        break;

    default:
        break;
    }

    if (rover->stream == NULL) {
        return;
    }

    s = &rover->stream->sinks[rover->sink];
    s->held = 0;

    if (ntrip_sink_behind(s)) {
        ngx_stream_ntrip_await_write(rover->stream, s);
        ngx_post_event(c->write, &ngx_posted_events);
    }
}


/* the heir has it: no logout, no line in the access log */

void
ngx_stream_ntrip_rover_release(ngx_stream_ntrip_rover_t *rover)
{
    ngx_connection_t  *c;

    c = rover->session->connection;

    if (rover->stream) {
        ngx_stream_ntrip_stream_part(rover);
    }

    ngx_stream_ntrip_rovers_remove(rover);
    ngx_stream_ntrip_rover_free(rover);

    ngx_stream_ntrip_unhand(c);
}


/* ---- what a rover and a base have in common ---- */

void
ngx_stream_ntrip_rover_save(ngx_stream_ntrip_rover_t *rover,
    ntrip_handover_t *msg)
{
    msg->version = rover->version;
    msg->stored = rover->stored;
    msg->started = rover->session->start_sec;
    msg->received = rover->session->received;

    msg->user_len = (uint16_t) rover->user.len;

    if (rover->user.len) {
        ngx_memcpy(msg->user, rover->user.data, rover->user.len);
    }

    msg->agent_len = (uint16_t) rover->agent.len;

    if (rover->agent.len) {
        ngx_memcpy(msg->agent, rover->agent.data, rover->agent.len);
    }
}


ngx_stream_ntrip_rover_t *
ngx_stream_ntrip_rover_restore(ngx_stream_session_t *s, ntrip_handover_t *msg)
{
    ngx_str_t                  text;
    ngx_pool_t                *pool;
    ngx_stream_ntrip_rover_t  *rover;

    pool = s->connection->pool;

    rover = ngx_pcalloc(pool, sizeof(ngx_stream_ntrip_rover_t));
    if (rover == NULL) {
        return NULL;
    }

    ngx_stream_set_ctx(s, rover, ngx_stream_ntrip_module);

    rover->session = s;
    rover->version = (u_char) msg->version;
    rover->stored = msg->stored;
    rover->point = NTRIP_POINT_NONE;

    s->received = (off_t) msg->received;

    /* what has changed on the way, with the next tick */

    rover->check = 1;

    text.len = msg->user_len;
    text.data = msg->user;

    rover->user.len = text.len;
    rover->user.data = ngx_pstrdup(pool, &text);

    text.len = msg->agent_len;
    text.data = msg->agent;

    rover->agent.len = text.len;
    rover->agent.data = ngx_pstrdup(pool, &text);

    return (rover->user.data && rover->agent.data) ? rover : NULL;
}


/* ---- the heir ---- */

static ngx_stream_ntrip_rover_t *
ngx_stream_ntrip_rover_new(ngx_stream_session_t *s, ntrip_handover_t *msg)
{
    ngx_str_t                  name, station;
    ngx_stream_ntrip_rover_t  *rover;

    rover = ngx_stream_ntrip_rover_restore(s, msg);
    if (rover == NULL) {
        return NULL;
    }

    rover->index = msg->index;
    rover->login = msg->login;
    rover->bytes = msg->sent;
    rover->messages = msg->messages;
    rover->welcomed = msg->welcomed;
    rover->chunked = (msg->chunked != 0);
    rover->max_sessions = msg->max_sessions;
    rover->area = msg->area;
    rover->expires = (time_t) msg->expires;

    name.len = msg->mount_len;
    name.data = msg->mount;

    station.len = msg->station_len;
    station.data = msg->station;

    if (ngx_stream_ntrip_find_again(rover, &name, &station) == NGX_ERROR) {
        return NULL;
    }

    ngx_stream_ntrip_near_again(rover, msg->settled);

    ngx_stream_ntrip_nrovers++;

    return rover;
}


ngx_int_t
ngx_stream_ntrip_rover_adopt(ngx_stream_session_t *s, ntrip_handover_t *msg)
{
    ngx_int_t                     rc;
    ntrip_place_t                 place;
    ngx_connection_t             *c;
    ntrip_session_row_t          *row;
    ngx_stream_ntrip_rover_t     *rover;
    ngx_stream_ntrip_srv_conf_t  *conf;

    c = s->connection;
    conf = ngx_stream_get_module_srv_conf(s, ngx_stream_ntrip_module);

    rover = ngx_stream_ntrip_rover_new(s, msg);
    if (rover == NULL) {
        return NGX_ERROR;
    }

    rc = NGX_DECLINED;

    if (rover->mount == NULL) {
        goto failed;
    }

    rc = ngx_stream_ntrip_keep_nmea(rover, &msg->nmea);

    if (rc == NGX_OK) {
        rc = ngx_stream_ntrip_offer_accept(msg);
    }

    if (rc != NGX_OK) {
        goto failed;
    }

    /* from here on the session is this worker's, whatever happens */

    row = ntrip_session_row(ngx_stream_ntrip_worker.zone, rover->index);
    rover->point = __atomic_load_n(&row->position, __ATOMIC_RELAXED);

    /* it goes on, also if whoever offered it was found dead meanwhile */

    __atomic_store_n(&row->counted.ended, 0, __ATOMIC_SEQ_CST);

    ngx_stream_ntrip_rovers_add(rover);
    ngx_stream_ntrip_traced(rover->login, NTRIP_TRACE_WORKER, "goes on here");

    c->read->handler = ngx_stream_ntrip_read_handler;
    c->write->handler = ngx_stream_ntrip_write_handler;
    c->log->action = "relaying corrections to ntrip rover";

    rover->state = NGX_STREAM_NTRIP_ROVER_POSITION;

    if (msg->stream != NTRIP_ROW_NONE) {
        rover->state = NGX_STREAM_NTRIP_ROVER_ATTACHED;

        place.position = msg->position;
        place.rest = msg->data;
        place.len = msg->len;
        place.since = msg->since;
        place.fresh = msg->fresh;

        if (ngx_stream_ntrip_stream_rejoin(rover, msg->stream,
                                           msg->stream_serial, &place)
            != NGX_OK)
        {
            /* it may have got a part of a chunk only */

            rover->chunked = 0;

            ngx_stream_ntrip_rover_finalize(rover, "error");
            return NGX_OK;
        }

        ngx_stream_ntrip_rover_await(rover);

    } else if (rover->mount->gga) {
        ngx_add_timer(c->read, conf->position_timeout);

    } else if (ngx_stream_ntrip_rover_join(rover, NULL) != NGX_OK) {
        return NGX_OK;
    }

    ngx_post_event(c->read, &ngx_posted_events);

    return NGX_OK;

failed:

    ngx_stream_ntrip_rover_free(rover);

    return rc;
}
