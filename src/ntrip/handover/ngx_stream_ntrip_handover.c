
/*
 * Fieldgate: sources and rovers of a worker that exits go to workers of the
 * newest generation, with their sockets.  The protocol is in
 * ntrip_handover.h.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_stream.h>

#include "ngx_stream_ntrip_handover.h"


/* ms: between looks at offers that are out */
#define NGX_STREAM_NTRIP_RETRY  50

/* full pairs of heirs, after which rovers wait */
#define NGX_STREAM_NTRIP_FULL   16


static ngx_int_t ngx_stream_ntrip_handover_sources(void);
static ngx_int_t ngx_stream_ntrip_handover_source(
    ngx_stream_ntrip_stream_t *stream);
static ngx_int_t ngx_stream_ntrip_handover_sessions(ngx_queue_t *list);
static ngx_int_t ngx_stream_ntrip_handover_rover(
    ngx_stream_ntrip_rover_t *rover);
static void ngx_stream_ntrip_handover_look(ngx_stream_ntrip_rover_t *rover,
    ntrip_row_t *row);
static void ngx_stream_ntrip_handover_resume(ngx_stream_ntrip_rover_t *rover);
static void ngx_stream_ntrip_handover_proxy(ngx_proxy_protocol_t *pp,
    ntrip_handover_t *msg);
static void ngx_stream_ntrip_handover_handler(ngx_event_t *ev);


static ntrip_handover_t  ngx_stream_ntrip_msg;
static ngx_event_t       ngx_stream_ntrip_handover;
static ngx_connection_t  ngx_stream_ntrip_handover_dumb;


/*
 * Sources and uploads first: rovers that stay, as those with TLS do, are fed
 * through the ring by whoever has the source.
 */

void
ngx_stream_ntrip_handover_start(void)
{
    ngx_uint_t    again;
    ngx_event_t  *ev;

    ev = &ngx_stream_ntrip_handover;

    again = ngx_stream_ntrip_handover_sources() == NGX_AGAIN;
    again |= ngx_stream_ntrip_handover_sessions(&ngx_stream_ntrip_bases)
             == NGX_AGAIN;
    again |= ngx_stream_ntrip_handover_sessions(&ngx_stream_ntrip_rovers)
             == NGX_AGAIN;

    /* without an heir the next tick looks for one */

    if (!again && ngx_stream_ntrip_offers == 0) {
        ngx_stream_ntrip_worker_hold();
        return;
    }

    /* what was offered may come back: the worker must not exit before */

    ev->cancelable = (ngx_stream_ntrip_offers == 0);

    if (ev->timer_set) {
        return;
    }

    ngx_stream_ntrip_handover_dumb.fd = (ngx_socket_t) -1;

    ev->handler = ngx_stream_ntrip_handover_handler;
    ev->data = &ngx_stream_ntrip_handover_dumb;
    ev->log = ngx_cycle->log;

    ngx_add_timer(ev, NGX_STREAM_NTRIP_RETRY);
}


static void
ngx_stream_ntrip_handover_handler(ngx_event_t *ev)
{
    ngx_stream_ntrip_handover_start();
}


/* somebody has woken this worker: perhaps an heir */

void
ngx_stream_ntrip_handover_woken(void)
{
    if (ngx_stream_ntrip_offers) {
        ngx_stream_ntrip_handover_start();
    }
}


static ngx_int_t
ngx_stream_ntrip_handover_sources(void)
{
    ngx_int_t                   rc;
    ngx_queue_t                *q, *next;
    ngx_stream_ntrip_stream_t  *stream;

    rc = NGX_OK;

    for (q = ngx_queue_head(&ngx_stream_ntrip_streams);
         q != ngx_queue_sentinel(&ngx_stream_ntrip_streams);
         q = next)
    {
        next = ngx_queue_next(q);
        stream = ngx_queue_data(q, ngx_stream_ntrip_stream_t, queue);

        if ((stream->source || stream->offer.nonce)
            && ngx_stream_ntrip_handover_source(stream) == NGX_AGAIN)
        {
            rc = NGX_AGAIN;
        }
    }

    return rc;
}


static ngx_int_t
ngx_stream_ntrip_handover_source(ngx_stream_ntrip_stream_t *stream)
{
    ngx_int_t         rc;
    ntrip_row_t      *row;
    ngx_socket_t      fds[2];
    ntrip_handover_t *msg;

    row = &ntrip_stream_row(ngx_stream_ntrip_worker.zone, stream->index)->row;

    if (stream->offer.nonce) {
        rc = ngx_stream_ntrip_offer_look(&stream->offer, row, stream->serial);

        if (stream->source == NULL) {
            /* it has failed meanwhile */
            return NGX_OK;
        }

        if (rc == NGX_OK) {
            ngx_stream_ntrip_source_release(stream->source);

        } else if (rc == NGX_DECLINED) {
            ngx_stream_ntrip_source_resume(stream->source);
        }

        return NGX_OK;
    }

    if (!ngx_stream_ntrip_offer_due(&stream->offer)) {
        return NGX_OK;
    }

    msg = &ngx_stream_ntrip_msg;
    ngx_memzero(msg, offsetof(ntrip_handover_t, data));

    msg->type = NTRIP_HANDOVER_SOURCE;
    msg->index = stream->index;
    msg->serial = stream->serial;
    msg->heir = ngx_stream_ntrip_offer_find();

    if (msg->heir == 0) {
        return NGX_OK;
    }

    if (ngx_stream_ntrip_source_offer(stream->source, &msg->candidate,
                                      &msg->reply, &msg->rtcm, fds)
        != NGX_OK)
    {
        return NGX_OK;
    }

    rc = ngx_stream_ntrip_offer_send(&stream->offer, row, msg, fds, 2);

    if (rc != NGX_OK) {
        ngx_stream_ntrip_source_resume(stream->source);
    }

    return rc;
}


/* an heir whose pair is full does not hold up those that go to others, unless
   all of them are */

static ngx_int_t
ngx_stream_ntrip_handover_sessions(ngx_queue_t *list)
{
    ngx_uint_t                 full;
    ngx_queue_t               *q, *next;
    ngx_stream_ntrip_rover_t  *rover;

    full = 0;

    for (q = ngx_queue_head(list); q != ngx_queue_sentinel(list); q = next) {
        next = ngx_queue_next(q);
        rover = ngx_queue_data(q, ngx_stream_ntrip_rover_t, queue);

        if (ngx_stream_ntrip_handover_rover(rover) == NGX_AGAIN
            && ++full == NGX_STREAM_NTRIP_FULL)
        {
            break;
        }
    }

    return full ? NGX_AGAIN : NGX_OK;
}


static ngx_int_t
ngx_stream_ntrip_handover_rover(ngx_stream_ntrip_rover_t *rover)
{
    ngx_int_t          rc;
    ntrip_row_t       *row;
    ngx_socket_t       fd;
    ngx_connection_t  *c;
    ntrip_handover_t  *msg;

    row = ngx_stream_ntrip_rover_row(rover);

    if (rover->offer.nonce) {
        ngx_stream_ntrip_handover_look(rover, row);
        return NGX_OK;
    }

    c = rover->session->connection;

    if (!ngx_stream_ntrip_offer_due(&rover->offer)
        || c->ssl
        || c->socklen > NTRIP_ADDR_MAX
        || c->listening->socklen > NTRIP_ADDR_MAX)
    {
        return NGX_OK;
    }

    msg = &ngx_stream_ntrip_msg;
    ngx_memzero(msg, offsetof(ntrip_handover_t, data));

    if (rover->base) {
        msg->type = NTRIP_HANDOVER_UPLOAD;
        msg->index = rover->feeds->index;
        msg->serial = rover->feeds->serial;

    } else {
        msg->type = NTRIP_HANDOVER_ROVER;
        msg->index = rover->index;
        msg->serial = rover->login;
    }

    msg->heir = ngx_stream_ntrip_offer_find();
    msg->kicks = ngx_stream_ntrip_worker.kick_cursor;
    msg->before = c->sent;
    msg->local_len = c->listening->socklen;
    ngx_memcpy(msg->local, c->listening->sockaddr, c->listening->socklen);
    msg->addr_len = c->socklen;
    ngx_memcpy(msg->addr, c->sockaddr, c->socklen);

    if (c->proxy_protocol) {
        ngx_stream_ntrip_handover_proxy(c->proxy_protocol, msg);
    }

    if (msg->heir == 0) {
        return NGX_OK;
    }

    rc = rover->base ? ngx_stream_ntrip_base_offer(rover, msg, &fd)
                     : ngx_stream_ntrip_rover_offer(rover, msg, &fd);

    if (rc != NGX_OK) {
        return NGX_OK;
    }

    rc = ngx_stream_ntrip_offer_send(&rover->offer, row, msg, &fd, 1);

    if (rc != NGX_OK) {
        ngx_stream_ntrip_handover_resume(rover);
    }

    return rc;
}


/* one that is offered */

static void
ngx_stream_ntrip_handover_look(ngx_stream_ntrip_rover_t *rover,
    ntrip_row_t *row)
{
    uint64_t  serial;

    serial = rover->base ? rover->feeds->serial : rover->login;

    switch (ngx_stream_ntrip_offer_look(&rover->offer, row, serial)) {

    case NGX_OK:
        if (rover->base) {
            ngx_stream_ntrip_base_release(rover);

        } else {
            ngx_stream_ntrip_rover_release(rover);
        }

        break;

    case NGX_DECLINED:
        ngx_stream_ntrip_handover_resume(rover);
        break;

    default: /* NGX_AGAIN */
        break;
    }
}


static void
ngx_stream_ntrip_handover_resume(ngx_stream_ntrip_rover_t *rover)
{
    if (rover->base) {
        ngx_stream_ntrip_base_resume(rover);

    } else {
        ngx_stream_ntrip_rover_resume(rover);
    }
}


/* for the access log of the heir; nothing longer was read as an address */

static void
ngx_stream_ntrip_handover_proxy(ngx_proxy_protocol_t *pp,
    ntrip_handover_t *msg)
{
    if (pp->src_addr.len > NTRIP_PROXY_MAX
        || pp->dst_addr.len > NTRIP_PROXY_MAX)
    {
        return;
    }

    msg->proxy_src_len = (uint16_t) pp->src_addr.len;
    ngx_memcpy(msg->proxy_src, pp->src_addr.data, pp->src_addr.len);

    msg->proxy_dst_len = (uint16_t) pp->dst_addr.len;
    ngx_memcpy(msg->proxy_dst, pp->dst_addr.data, pp->dst_addr.len);

    msg->proxy_src_port = pp->src_port;
    msg->proxy_dst_port = pp->dst_port;
}
