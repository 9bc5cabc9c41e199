
/*
 * Fieldgate: messages into the ring of a stream.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_stream_ntrip_feed.h"


static ngx_stream_ntrip_feed_whose_e ngx_stream_ntrip_feed_whose(
    ngx_stream_ntrip_feed_t *feed);
static ngx_int_t ngx_stream_ntrip_feed_ours(ngx_stream_ntrip_feed_t *feed,
    ntrip_rtcm_message_t *m);
static void ngx_stream_ntrip_feed_message(uint32_t index,
    ntrip_rtcm_message_t *m, ngx_uint_t first);
static void ngx_stream_ntrip_feed_guest(ngx_stream_ntrip_feed_t *feed,
    ntrip_rtcm_message_t *m);
static ngx_int_t ngx_stream_ntrip_feed_ring(uint32_t index, uint64_t serial);


void
ngx_stream_ntrip_feed_init(ngx_stream_ntrip_feed_t *feed, uint32_t index,
    uint64_t serial, ngx_uint_t format)
{
    feed->index = index;
    feed->serial = serial;
    feed->guest = NTRIP_ROW_NONE;
    feed->guest_serial = 0;
    feed->turn = 0;
    feed->begun = NGX_STREAM_NTRIP_FEED_TURN;
    feed->fresh = 0;
    feed->mode = format;
    feed->handler = NULL;
    feed->data = NULL;
}


void
ngx_stream_ntrip_feed_begin(ngx_stream_ntrip_feed_t *feed)
{
    ntrip_rtcm_init(&feed->rtcm, feed->mode);
}


ngx_uint_t
ngx_stream_ntrip_feed_owned(ngx_stream_ntrip_feed_t *feed)
{
    return ntrip_stream_owned(ngx_stream_ntrip_worker.zone,
                              ngx_stream_ntrip_worker.me, feed->index,
                              feed->serial);
}


size_t
ngx_stream_ntrip_feed_size(ngx_stream_ntrip_feed_t *feed)
{
    return ngx_stream_ntrip_worker.zone->ring_size / 4;
}


void
ngx_stream_ntrip_feed_share(ngx_stream_ntrip_feed_t *feed, uint32_t guest,
    uint64_t serial)
{
    ngx_stream_ntrip_feed_turn(feed, 0);

    if (feed->begun == NGX_STREAM_NTRIP_FEED_GUESTS) {
        feed->begun = NGX_STREAM_NTRIP_FEED_NOBODYS;
    }

    feed->guest = guest;
    feed->guest_serial = serial;
    feed->fresh = 1;
}


void
ngx_stream_ntrip_feed_turn(ngx_stream_ntrip_feed_t *feed, ngx_uint_t turn)
{
    if (feed->begun == NGX_STREAM_NTRIP_FEED_TURN
        && feed->rtcm.pos < feed->rtcm.len)
    {
        feed->begun = feed->turn ? NGX_STREAM_NTRIP_FEED_GUESTS
                                 : NGX_STREAM_NTRIP_FEED_OURS;
    }

    feed->turn = turn;
}


ngx_uint_t
ngx_stream_ntrip_feed_writable(ngx_stream_ntrip_feed_t *feed)
{
    return ntrip_stream_owned(ngx_stream_ntrip_worker.zone,
                              ngx_stream_ntrip_worker.me,
                              ngx_stream_ntrip_feed_at(feed),
                              feed->turn ? feed->guest_serial
                                         : feed->serial);
}


ngx_int_t
ngx_stream_ntrip_feed_write(ngx_stream_ntrip_feed_t *feed, ngx_str_t *data)
{
    uint64_t                       bytes, messages, skipped;
    ngx_int_t                      rc, end, useful;
    ntrip_stream_row_t            *row;
    ntrip_rtcm_message_t           m;
    ngx_stream_ntrip_feed_whose_e  whose;

    rc = ngx_stream_ntrip_feed_ring(feed->index, feed->serial);

    if (rc != NGX_OK) {
        return rc;
    }

    row = ntrip_stream_row(ngx_stream_ntrip_worker.zone, feed->index);

    bytes = data->len;
    messages = 0;
    skipped = feed->rtcm.skipped;

    while ((end = ntrip_rtcm_next(&feed->rtcm, data, &m)) == NGX_OK) {

        whose = ngx_stream_ntrip_feed_whose(feed);

        if (whose == NGX_STREAM_NTRIP_FEED_GUESTS) {
            ngx_stream_ntrip_feed_guest(feed, &m);

        } else if (whose == NGX_STREAM_NTRIP_FEED_OURS) {
            rc = ngx_stream_ntrip_feed_ours(feed, &m);

            if (rc != NGX_OK) {
                return rc;
            }
        }

        messages++;

        if (feed->handler) {
            feed->handler(feed->data, &m);
        }
    }

    row->bytes += bytes;
    row->messages += messages;

    ngx_stream_ntrip_count_n(bytes_in, bytes);
    ngx_stream_ntrip_count_n(messages_in, messages);
    ngx_stream_ntrip_count_n(bytes_unusable, feed->rtcm.skipped - skipped);

    if (end == NGX_ERROR) {
        return NGX_ABORT;
    }

    useful = messages || (feed->rtcm.mode == NTRIP_RTCM_AUTO
                          && !ntrip_rtcm_blank(&feed->rtcm));

    if (!useful) {
        return NGX_AGAIN;
    }

    __atomic_store_n(&row->data, ngx_current_msec, __ATOMIC_RELEASE);

    return NGX_OK;
}


/* of the message that has ended; the next one is that of who has the turn */

static ngx_stream_ntrip_feed_whose_e
ngx_stream_ntrip_feed_whose(ngx_stream_ntrip_feed_t *feed)
{
    ngx_stream_ntrip_feed_whose_e  whose;

    whose = feed->begun;
    feed->begun = NGX_STREAM_NTRIP_FEED_TURN;

    if (whose != NGX_STREAM_NTRIP_FEED_TURN) {
        return whose;
    }

    return feed->turn ? NGX_STREAM_NTRIP_FEED_GUESTS
                      : NGX_STREAM_NTRIP_FEED_OURS;
}


static ngx_int_t
ngx_stream_ntrip_feed_ours(ngx_stream_ntrip_feed_t *feed,
    ntrip_rtcm_message_t *m)
{
    if (!ngx_stream_ntrip_feed_owned(feed)) {
        return NGX_DECLINED;
    }

    ngx_stream_ntrip_feed_message(feed->index, m, feed->rtcm.messages == 1);

    return NGX_OK;
}


/* "first": what came before was another source's */

static void
ngx_stream_ntrip_feed_message(uint32_t index, ntrip_rtcm_message_t *m,
    ngx_uint_t first)
{
    ntrip_ring_t        *ring;
    ntrip_record_t       rec;
    ntrip_stream_row_t  *row;

    row = ntrip_stream_row(ngx_stream_ntrip_worker.zone, index);
    ring = ntrip_stream_ring(ngx_stream_ntrip_worker.zone, index);

    rec.len = m->len;
    rec.type = m->type;
    rec.time = ngx_current_msec;
    rec.flags = m->flags & NTRIP_RTCM_EPOCH;

    if (first) {
        ntrip_latest_clear(&ring->latest);
    }

    ntrip_latest_put(&ring->latest, m, ring->head);

    (void) ntrip_ring_write(ring, &rec, m->data);
    ntrip_seen_message(&row->seen, rec.time, m->type,
                       m->flags & NTRIP_RTCM_EPOCH);
}


/* nobody hears it if that stream is no longer ours, or has no ring */

static void
ngx_stream_ntrip_feed_guest(ngx_stream_ntrip_feed_t *feed,
    ntrip_rtcm_message_t *m)
{
    ntrip_stream_row_t  *row;

    if (feed->guest == NTRIP_ROW_NONE
        || !ntrip_stream_owned(ngx_stream_ntrip_worker.zone,
                               ngx_stream_ntrip_worker.me, feed->guest,
                               feed->guest_serial)
        || ngx_stream_ntrip_feed_ring(feed->guest, feed->guest_serial)
           != NGX_OK)
    {
        return;
    }

    ngx_stream_ntrip_feed_message(feed->guest, m, feed->fresh);
    feed->fresh = 0;

    row = ntrip_stream_row(ngx_stream_ntrip_worker.zone, feed->guest);

    row->bytes += m->len;
    row->messages++;
    __atomic_store_n(&row->data, ngx_current_msec, __ATOMIC_RELEASE);
}


/* before the first byte */

static ngx_int_t
ngx_stream_ntrip_feed_ring(uint32_t index, uint64_t serial)
{
    ngx_int_t                   rc;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;

    if (ntrip_stream_ring(worker->zone, index)) {
        return NGX_OK;
    }

    ngx_stream_ntrip_lock();
    rc = ntrip_stream_take_ring(worker->zone, worker->me, index, serial);
    ngx_stream_ntrip_unlock();

    if (rc == NGX_ERROR) {
        ngx_stream_ntrip_zone_full(NTRIP_FULL_RINGS, ngx_cycle->log);
    }

    return rc;
}


ngx_uint_t
ngx_stream_ntrip_feed_wake(ngx_stream_ntrip_feed_t *feed)
{
    uint64_t       bits;
    ngx_uint_t     i;
    ntrip_slots_t  wake;

    ngx_memzero(&wake, sizeof(ntrip_slots_t));

    ntrip_stream_mark(ngx_stream_ntrip_worker.zone,
                      ngx_stream_ntrip_worker.bus, feed->index, &wake);

    bits = 0;

    for (i = 0; i < NTRIP_SLOT_WORDS; i++) {
        bits |= wake.bits[i];
    }

    if (feed->guest != NTRIP_ROW_NONE) {
        ntrip_stream_mark(ngx_stream_ntrip_worker.zone,
                          ngx_stream_ntrip_worker.bus, feed->guest, &wake);
    }

    ngx_stream_ntrip_wake_set(&wake);

    return bits != 0;
}
