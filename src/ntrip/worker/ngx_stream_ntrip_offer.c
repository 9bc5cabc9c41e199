
/*
 * Fieldgate: a row that is offered to a worker of a newer generation, seen
 * from both sides.  The protocol is in ntrip_handover.h.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_stream_ntrip_worker.h"


/* ms: until something is offered again that was not taken in time, or that
   nobody can take */

#define NGX_STREAM_NTRIP_LATER  1000
#define NGX_STREAM_NTRIP_KEEP   30000


static ntrip_row_t *ngx_stream_ntrip_offer_index(ntrip_handover_t *msg);


ngx_uint_t         ngx_stream_ntrip_offers;

static ngx_uint_t  ngx_stream_ntrip_turn;


uint64_t
ngx_stream_ntrip_offer_find(void)
{
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;

    return ntrip_bus_successor(worker->bus, worker->limit, worker->generation,
                               ngx_stream_ntrip_turn++);
}


ngx_int_t
ngx_stream_ntrip_offer_send(ngx_stream_ntrip_offer_t *offer, ntrip_row_t *row,
    ntrip_handover_t *msg, ngx_socket_t *fds, ngx_uint_t nfds)
{
    ngx_int_t                   rc;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;

    msg->magic = NTRIP_HANDOVER_MAGIC;
    msg->nfds = nfds;
    msg->nonce = ntrip_bus_next_serial(worker->bus);

    ngx_stream_ntrip_lock();
    ntrip_row_offer(row, msg->heir, msg->nonce, ngx_current_msec);
    ngx_stream_ntrip_unlock();

    rc = ngx_stream_ntrip_worker_send(msg->heir, msg, fds, nfds);

    if (rc == NGX_OK) {
        offer->nonce = msg->nonce;
        ngx_stream_ntrip_offers++;
        return NGX_OK;
    }

    ngx_stream_ntrip_lock();
    (void) ntrip_row_withdraw(row, worker->me, msg->nonce);
    ngx_stream_ntrip_unlock();

    if (rc == NGX_ERROR) {
        offer->keep = ngx_current_msec + NGX_STREAM_NTRIP_KEEP;
    }

    return rc;
}


ngx_uint_t
ngx_stream_ntrip_offer_due(ngx_stream_ntrip_offer_t *offer)
{
    return offer->keep == 0
           || (ngx_msec_int_t) (offer->keep - ngx_current_msec) <= 0;
}


ngx_int_t
ngx_stream_ntrip_offer_look(ngx_stream_ntrip_offer_t *offer, ntrip_row_t *row,
    uint64_t serial)
{
    uint64_t                    heir;
    ngx_int_t                   rc;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;

    /* in this order: the heir, who accepts, writes them in the other one */

    heir = __atomic_load_n(&row->heir, __ATOMIC_SEQ_CST);

    if (__atomic_load_n(&row->holder, __ATOMIC_SEQ_CST) != worker->me
        || row->serial != serial)
    {
        rc = NGX_OK;

    } else if (heir == 0) {
        offer->keep = ngx_current_msec + NGX_STREAM_NTRIP_KEEP;
        rc = NGX_DECLINED;

    } else if (ntrip_bus_alive(worker->bus, heir)
               && ngx_current_msec - row->offered < NTRIP_OFFER_TIMEOUT)
    {
        return NGX_AGAIN;

    } else {
        offer->keep = ngx_current_msec + NGX_STREAM_NTRIP_LATER;
        rc = ngx_stream_ntrip_offer_recall(offer, row);

        return (rc == NGX_OK) ? NGX_DECLINED : NGX_OK;
    }

    offer->nonce = 0;
    ngx_stream_ntrip_offers--;

    return rc;
}


ngx_int_t
ngx_stream_ntrip_offer_recall(ngx_stream_ntrip_offer_t *offer,
    ntrip_row_t *row)
{
    ngx_int_t  rc;

    ngx_stream_ntrip_lock();
    rc = ntrip_row_withdraw(row, ngx_stream_ntrip_worker.me, offer->nonce);
    ngx_stream_ntrip_unlock();

    offer->nonce = 0;
    ngx_stream_ntrip_offers--;

    return rc;
}


static ntrip_row_t *
ngx_stream_ntrip_offer_index(ntrip_handover_t *msg)
{
    ntrip_zone_t  *zone;

    zone = ngx_stream_ntrip_worker.zone;

    if (msg->type != NTRIP_HANDOVER_ROVER) {
        return (msg->index < zone->streams.n)
               ? &ntrip_stream_row(zone, msg->index)->row : NULL;
    }

    return (msg->index < zone->sessions.n)
           ? &ntrip_session_row(zone, msg->index)->row : NULL;
}


/* without the lock: what changes meanwhile accept() sees */

ntrip_row_t *
ngx_stream_ntrip_offer_row(ntrip_handover_t *msg)
{
    ntrip_row_t  *row;

    row = ngx_stream_ntrip_offer_index(msg);

    if (row == NULL
        || !ntrip_row_offered(row, ngx_stream_ntrip_worker.me, msg->serial,
                              msg->nonce))
    {
        return NULL;
    }

    return row;
}


ngx_int_t
ngx_stream_ntrip_offer_accept(ntrip_handover_t *msg)
{
    uint64_t                    giver;
    ngx_int_t                   rc;
    ntrip_row_t                *row;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;

    row = ngx_stream_ntrip_offer_index(msg);

    ngx_stream_ntrip_lock();

    giver = row->holder;

    if (msg->type != NTRIP_HANDOVER_ROVER) {
        rc = ntrip_stream_accept(worker->zone, worker->me, msg->index,
                                 msg->serial, msg->nonce);

    } else {
        rc = ntrip_session_accept(worker->zone, worker->me, msg->index,
                                  msg->serial, msg->nonce);

        /* the giver's bit keeps the stream: it needs this lock to clear it */

        if (rc == NGX_OK
            && msg->stream != NTRIP_ROW_NONE
            && ntrip_stream_rejoin(worker->zone, worker->me, msg->stream,
                                   msg->stream_serial)
               != NGX_OK)
        {
            msg->stream = NTRIP_ROW_NONE;
        }
    }

    ngx_stream_ntrip_unlock();

    if (rc != NGX_OK) {
        return rc;
    }

    ngx_stream_ntrip_count(handed_over);

    if (msg->type != NTRIP_HANDOVER_ROVER) {
        ntrip_bus_mark(worker->bus, ntrip_holder_slot(giver), msg->index);
    }

    ngx_stream_ntrip_wake(ntrip_holder_slot(giver));

    return NGX_OK;
}


void
ngx_stream_ntrip_offer_decline(ntrip_handover_t *msg, ntrip_row_t *row)
{
    uint64_t   giver;
    ngx_int_t  rc;

    giver = __atomic_load_n(&row->holder, __ATOMIC_ACQUIRE);

    ngx_stream_ntrip_lock();
    rc = ntrip_row_decline(row, ngx_stream_ntrip_worker.me, msg->serial,
                           msg->nonce);
    ngx_stream_ntrip_unlock();

    if (rc == NGX_OK) {
        ngx_stream_ntrip_wake(ntrip_holder_slot(giver));
    }
}
