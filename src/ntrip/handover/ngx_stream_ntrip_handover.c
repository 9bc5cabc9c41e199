
/*
 * Fieldgate: sources and rovers of a worker that exits go to workers of the
 * newest generation, with their sockets.  The protocol is in
 * ntrip_handover.h.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_stream.h>

#include "ngx_stream_ntrip_bus.h"
#include "ngx_stream_ntrip_stream.h"


/* ms: between looks at offers that are out; until something is offered again
   that was not taken, or that nobody can take */

#define NGX_STREAM_NTRIP_RETRY  50
#define NGX_STREAM_NTRIP_LATER  1000
#define NGX_STREAM_NTRIP_KEEP   30000

#define NGX_STREAM_NTRIP_FULL   16


static ngx_int_t ngx_stream_ntrip_handover_sources(void);
static ngx_int_t ngx_stream_ntrip_handover_source(
    ngx_stream_ntrip_stream_t *stream);
static ngx_int_t ngx_stream_ntrip_handover_rovers(void);
static ngx_int_t ngx_stream_ntrip_handover_rover(
    ngx_stream_ntrip_rover_t *rover);
static ngx_uint_t ngx_stream_ntrip_heir(ntrip_handover_t *msg);
static ngx_int_t ngx_stream_ntrip_offer(ntrip_row_t *row, uint64_t serial,
    uint64_t *offer, ngx_socket_t *fds, ngx_uint_t nfds);
static ngx_int_t ngx_stream_ntrip_offered(ntrip_row_t *row, uint64_t serial,
    uint64_t *offer, ngx_msec_t *keep);
static void ngx_stream_ntrip_handover_handler(ngx_event_t *ev);


static ntrip_handover_t  ngx_stream_ntrip_msg;
static ngx_event_t       ngx_stream_ntrip_handover;
static ngx_connection_t  ngx_stream_ntrip_handover_dumb;
static ngx_uint_t        ngx_stream_ntrip_offers;
static ngx_uint_t        ngx_stream_ntrip_turn;


/*
 * Sources first: rovers that stay, as those with TLS do, are fed through the
 * ring by whoever has the source.
 */

void
ngx_stream_ntrip_handover_start(void)
{
    ngx_uint_t    again;
    ngx_event_t  *ev;

    ev = &ngx_stream_ntrip_handover;

    again = ngx_stream_ntrip_handover_sources() == NGX_AGAIN;
    again |= ngx_stream_ntrip_handover_rovers() == NGX_AGAIN;

    /* without an heir the next tick looks for one */

    if (!again && ngx_stream_ntrip_offers == 0) {
        ngx_stream_ntrip_bus_hold();
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

        if ((stream->source || stream->offer)
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

    if (stream->offer) {
        rc = ngx_stream_ntrip_offered(row, stream->serial, &stream->offer,
                                      &stream->keep);

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

    if (stream->keep
        && (ngx_msec_int_t) (stream->keep - ngx_current_msec) > 0)
    {
        return NGX_OK;
    }

    msg = &ngx_stream_ntrip_msg;
    ngx_memzero(msg, offsetof(ntrip_handover_t, data));

    msg->type = NTRIP_HANDOVER_SOURCE;
    msg->index = stream->index;

    if (!ngx_stream_ntrip_heir(msg)) {
        return NGX_OK;
    }

    if (ngx_stream_ntrip_source_offer(stream->source, &msg->candidate,
                                      &msg->reply, &msg->rtcm, fds)
        != NGX_OK)
    {
        return NGX_OK;
    }

    rc = ngx_stream_ntrip_offer(row, stream->serial, &stream->offer, fds, 2);

    if (rc == NGX_OK) {
        return NGX_OK;
    }

    if (rc == NGX_ERROR) {
        stream->keep = ngx_current_msec + NGX_STREAM_NTRIP_KEEP;
    }

    ngx_stream_ntrip_source_resume(stream->source);

    return rc;
}


/* an heir whose pair is full does not hold up those that go to others, unless
   all of them are */

static ngx_int_t
ngx_stream_ntrip_handover_rovers(void)
{
    ngx_uint_t                 full;
    ngx_queue_t               *q, *next;
    ngx_stream_ntrip_rover_t  *rover;

    full = 0;

    for (q = ngx_queue_head(&ngx_stream_ntrip_rovers);
         q != ngx_queue_sentinel(&ngx_stream_ntrip_rovers);
         q = next)
    {
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

    row = &ntrip_session_row(ngx_stream_ntrip_worker.zone, rover->index)->row;

    if (rover->offer) {
        rc = ngx_stream_ntrip_offered(row, rover->login, &rover->offer,
                                      &rover->keep);

        if (rc == NGX_OK) {
            ngx_stream_ntrip_rover_release(rover);

        } else if (rc == NGX_DECLINED) {
            ngx_stream_ntrip_rover_resume(rover);
        }

        return NGX_OK;
    }

    c = rover->session->connection;

    if ((rover->keep
         && (ngx_msec_int_t) (rover->keep - ngx_current_msec) > 0)
        || c->ssl
        || c->socklen > NTRIP_ADDR_MAX
        || c->listening->socklen > NTRIP_ADDR_MAX)
    {
        return NGX_OK;
    }

    msg = &ngx_stream_ntrip_msg;
    ngx_memzero(msg, offsetof(ntrip_handover_t, data));

    msg->type = NTRIP_HANDOVER_ROVER;
    msg->index = rover->index;
    msg->kicks = ngx_stream_ntrip_worker.kick_cursor;
    msg->before = c->sent;
    msg->local_len = c->listening->socklen;
    ngx_memcpy(msg->local, c->listening->sockaddr, c->listening->socklen);
    msg->addr_len = c->socklen;
    ngx_memcpy(msg->addr, c->sockaddr, c->socklen);

    if (!ngx_stream_ntrip_heir(msg)) {
        return NGX_OK;
    }

    if (ngx_stream_ntrip_rover_offer(rover, msg, &fd) != NGX_OK) {
        return NGX_OK;
    }

    rc = ngx_stream_ntrip_offer(row, rover->login, &rover->offer, &fd, 1);

    if (rc == NGX_OK) {
        return NGX_OK;
    }

    if (rc == NGX_ERROR) {
        rover->keep = ngx_current_msec + NGX_STREAM_NTRIP_KEEP;
    }

    ngx_stream_ntrip_rover_resume(rover);

    return rc;
}


ngx_int_t
ngx_stream_ntrip_handover_recall(ngx_stream_ntrip_rover_t *rover)
{
    ngx_int_t     rc;
    ntrip_row_t  *row;

    row = &ntrip_session_row(ngx_stream_ntrip_worker.zone, rover->index)->row;

    ngx_stream_ntrip_lock();
    rc = ntrip_row_withdraw(row, ngx_stream_ntrip_worker.me, rover->offer);
    ngx_stream_ntrip_unlock();

    rover->offer = 0;
    ngx_stream_ntrip_offers--;

    return rc;
}


static ngx_uint_t
ngx_stream_ntrip_heir(ntrip_handover_t *msg)
{
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;

    msg->heir = ntrip_bus_successor(worker->bus, worker->limit,
                                    worker->generation,
                                    ngx_stream_ntrip_turn++);

    return msg->heir != 0;
}


/* offers the row of ngx_stream_ntrip_msg and sends it.  NGX_OK; NGX_AGAIN,
   NGX_ERROR: it is not offered */

static ngx_int_t
ngx_stream_ntrip_offer(ntrip_row_t *row, uint64_t serial, uint64_t *offer,
    ngx_socket_t *fds, ngx_uint_t nfds)
{
    ngx_int_t                   rc;
    ntrip_handover_t           *msg;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;
    msg = &ngx_stream_ntrip_msg;

    msg->magic = NTRIP_HANDOVER_MAGIC;
    msg->nfds = nfds;
    msg->nonce = ntrip_bus_next_serial(worker->bus);
    msg->serial = serial;

    ngx_stream_ntrip_lock();
    ntrip_row_offer(row, msg->heir, msg->nonce, ngx_current_msec);
    ngx_stream_ntrip_unlock();

    rc = ngx_stream_ntrip_bus_send(msg->heir, msg, fds, nfds);

    if (rc == NGX_OK) {
        *offer = msg->nonce;
        ngx_stream_ntrip_offers++;
        return NGX_OK;
    }

    ngx_stream_ntrip_lock();
    (void) ntrip_row_withdraw(row, worker->me, msg->nonce);
    ngx_stream_ntrip_unlock();

    return rc;
}


/*
 * What has become of an offer: NGX_OK, the heir has it; NGX_DECLINED, it is
 * ours again; NGX_AGAIN, it is out.
 */

static ngx_int_t
ngx_stream_ntrip_offered(ntrip_row_t *row, uint64_t serial, uint64_t *offer,
    ngx_msec_t *keep)
{
    uint64_t                    heir, nonce;
    ngx_int_t                   rc;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;
    nonce = *offer;

    /* in this order: the heir, who accepts, writes them in the other one */

    heir = __atomic_load_n(&row->heir, __ATOMIC_SEQ_CST);

    if (__atomic_load_n(&row->holder, __ATOMIC_SEQ_CST) != worker->me
        || row->serial != serial)
    {
        rc = NGX_OK;

    } else if (heir == 0) {
        *keep = ngx_current_msec + NGX_STREAM_NTRIP_KEEP;
        rc = NGX_DECLINED;

    } else if (ntrip_bus_alive(worker->bus, heir)
               && ngx_current_msec - row->offered < NTRIP_OFFER_TIMEOUT)
    {
        return NGX_AGAIN;

    } else {
        ngx_stream_ntrip_lock();
        rc = ntrip_row_withdraw(row, worker->me, nonce);
        ngx_stream_ntrip_unlock();

        *keep = ngx_current_msec + NGX_STREAM_NTRIP_LATER;
        rc = (rc == NGX_OK) ? NGX_DECLINED : NGX_OK;
    }

    *offer = 0;
    ngx_stream_ntrip_offers--;

    return rc;
}
