
/*
 * ntrip_oversubscribe: a source that waits for an account becomes the guest of
 * another one, and one that has an account has a guest: see ntrip_pair.h.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_stream_ntrip_source_private.h"


static void ngx_stream_ntrip_pair_begin(ngx_stream_ntrip_source_t *source,
    uint32_t guest);
static void ngx_stream_ntrip_pair_keep(ngx_stream_ntrip_source_t *source);
static ngx_uint_t ngx_stream_ntrip_pair_free(
    ngx_stream_ntrip_source_t *source);
static void ngx_stream_ntrip_pair_handler(ngx_event_t *ev);
static void ngx_stream_ntrip_pair_turn(ngx_stream_ntrip_source_t *source);
static void ngx_stream_ntrip_pair_stop(ngx_stream_ntrip_source_t *source);


void
ngx_stream_ntrip_pair_init(ngx_stream_ntrip_source_t *source)
{
    source->turns.handler = ngx_stream_ntrip_pair_handler;
    source->turns.data = source;
    source->turns.log = &source->lease.log;
    source->turns.cancelable = 1;
}


/* ---- the guest ---- */

void
ngx_stream_ntrip_pair_join(ngx_stream_ntrip_source_t *source)
{
    uint32_t                    host;
    ngx_int_t                   rc;
    ntrip_slots_t               wake;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;

    if (!source->conf->oversubscribe || worker->exiting) {
        return;
    }

    host = ntrip_pair_find(worker->zone, worker->bus, ngx_current_msec,
                           source->feed.index);

    if (host == NTRIP_ROW_NONE) {
        return;
    }

    rc = NGX_DECLINED;

    ngx_memzero(&wake, sizeof(ntrip_slots_t));

    ngx_stream_ntrip_lock();

    if (ngx_stream_ntrip_feed_owned(&source->feed)) {
        rc = ntrip_pair_join(worker->zone, worker->bus, worker->me,
                             ngx_current_msec, source->feed.index, host, &wake);
    }

    ngx_stream_ntrip_unlock();

    ngx_stream_ntrip_wake_set(&wake);

    if (rc != NGX_OK) {
        return;
    }

    ngx_log_error(NGX_LOG_NOTICE, &source->lease.log, 0,
                  "no account is free, one is shared with another place by "
                  "turns");

    ngx_stream_ntrip_source_free(source);
}


/* ---- the host ---- */

void
ngx_stream_ntrip_pair_host(ngx_stream_ntrip_source_t *source)
{
    uint32_t  guest;

    if (source->state != NTRIP_SOURCE_TRIAL
        && source->state != NTRIP_SOURCE_LIVE)
    {
        return;
    }

    guest = ntrip_pair_guest(ngx_stream_ntrip_worker.zone,
                             source->feed.index);

    if (source->shares && guest != source->feed.guest) {
        ngx_stream_ntrip_pair_stop(source);
        ngx_stream_ntrip_position_send(source);
    }

    if (guest == NTRIP_ROW_NONE
        || !ngx_stream_ntrip_feed_owned(&source->feed))
    {
        return;
    }

    if (!source->shares) {
        ngx_stream_ntrip_pair_begin(source, guest);
    }

    ngx_stream_ntrip_pair_keep(source);
}


static void
ngx_stream_ntrip_pair_begin(ngx_stream_ntrip_source_t *source,
    uint32_t guest)
{
    ntrip_stream_row_t  *row;

    row = ntrip_stream_row(ngx_stream_ntrip_worker.zone, guest);

    source->shares = 1;

    ngx_stream_ntrip_feed_share(&source->feed, guest, row->row.serial);
    ntrip_pair_begin(&source->turn, ngx_current_msec);

    ngx_stream_ntrip_pair_turn(source);
}


/* the guest's rovers, as its owner has to see to them */

static void
ngx_stream_ntrip_pair_keep(ngx_stream_ntrip_source_t *source)
{
    uint32_t                    guest;
    ntrip_stream_row_t         *row;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;
    guest = source->feed.guest;

    if (!ntrip_stream_wanted(worker->zone, guest)) {
        ngx_stream_ntrip_pair_end(source);
        ngx_stream_ntrip_position_send(source);
        return;
    }

    row = ntrip_stream_row(worker->zone, guest);

    if (__atomic_load_n(&row->lead, __ATOMIC_ACQUIRE) == 0) {
        ngx_stream_ntrip_lock();
        (void) ntrip_stream_elect(worker->zone, worker->bus, guest);
        ngx_stream_ntrip_unlock();
    }
}


/* is there an account that it could have for itself?  Some of each pool, others
   the next time. */

static ngx_uint_t
ngx_stream_ntrip_pair_free(ngx_stream_ntrip_source_t *source)
{
    ngx_str_t                   pools, pool;
    ngx_uint_t                  i, n, place, found;
    ntrip_look_t                look;
    ntrip_candidate_t           candidates[NTRIP_WAIT_SLICE];
    ntrip_stream_row_t         *row;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;
    row = ntrip_stream_row(worker->zone, source->feed.guest);
    pools = source->pool;
    found = 0;

    while (pools.len && !found) {
        pool = ntrip_text_item(&pools);
        place = 0;
        n = NTRIP_WAIT_SLICE;

        if (ngx_stream_ntrip_store_candidates(&pool, &source->lease.mount,
                                              (in_port_t) row->port, &place,
                                              candidates, &n)
            == NGX_AGAIN)
        {
            return 0;
        }

        ngx_stream_ntrip_lock();

        for (i = 0; i < n && !found; i++) {
            found = ntrip_lease_look(worker->zone, ngx_current_msec,
                                     source->feed.guest, &candidates[i],
                                     &look);
        }

        ngx_stream_ntrip_unlock();
    }

    return found;
}


/* ---- turns ---- */

static void
ngx_stream_ntrip_pair_handler(ngx_event_t *ev)
{
    ngx_stream_ntrip_source_t  *source;

    source = ev->data;

    ngx_stream_ntrip_pair_host(source);

    if (!source->shares) {
        return;
    }

    if (!ntrip_pair_next(&source->turn, ngx_current_msec)) {
        ngx_add_timer(ev, ntrip_pair_left(&source->turn, ngx_current_msec));
        return;
    }

    if (source->turn.guest && ngx_stream_ntrip_pair_free(source)) {
        ngx_stream_ntrip_pair_end(source);
        ngx_stream_ntrip_position_send(source);
        return;
    }

    ngx_stream_ntrip_pair_turn(source);
}


static void
ngx_stream_ntrip_pair_turn(ngx_stream_ntrip_source_t *source)
{
    ngx_stream_ntrip_feed_turn(&source->feed, source->turn.guest);
    ngx_stream_ntrip_position_turn(source);
    ngx_stream_ntrip_position_send(source);

    ngx_add_timer(&source->turns,
                  ntrip_pair_left(&source->turn, ngx_current_msec));
}


static void
ngx_stream_ntrip_pair_stop(ngx_stream_ntrip_source_t *source)
{
    ngx_uint_t  turn;

    if (source->turns.timer_set) {
        ngx_del_timer(&source->turns);
    }

    turn = source->turn.guest;

    source->shares = 0;
    source->turn.guest = 0;

    ngx_stream_ntrip_feed_share(&source->feed, NTRIP_ROW_NONE, 0);

    if (turn) {
        ngx_stream_ntrip_position_turn(source);
    }
}


void
ngx_stream_ntrip_pair_end(ngx_stream_ntrip_source_t *source)
{
    ntrip_slots_t               wake;
    ngx_stream_ntrip_worker_t  *worker;

    if (!source->shares) {
        return;
    }

    worker = &ngx_stream_ntrip_worker;

    ngx_memzero(&wake, sizeof(ntrip_slots_t));

    ngx_stream_ntrip_lock();

    if (ngx_stream_ntrip_feed_owned(&source->feed)) {
        ntrip_pair_part(worker->zone, worker->bus, worker->me,
                        ngx_current_msec, source->feed.index, &wake);
    }

    ngx_stream_ntrip_unlock();

    ngx_stream_ntrip_wake_set(&wake);

    ngx_stream_ntrip_pair_stop(source);
}
