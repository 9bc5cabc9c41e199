
/*
 * Fieldgate: messages into the ring of a stream.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_stream_ntrip_feed.h"


static ngx_int_t ngx_stream_ntrip_feed_ring(ngx_stream_ntrip_feed_t *feed);


void
ngx_stream_ntrip_feed_init(ngx_stream_ntrip_feed_t *feed, uint32_t index,
    uint64_t serial, ngx_uint_t format)
{
    feed->index = index;
    feed->serial = serial;
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


ngx_int_t
ngx_stream_ntrip_feed_write(ngx_stream_ntrip_feed_t *feed, ngx_str_t *data)
{
    uint64_t                    bytes, messages, skipped;
    ngx_int_t                   rc, end, useful;
    ntrip_ring_t               *ring;
    ntrip_record_t              rec;
    ntrip_stream_row_t         *row;
    ntrip_rtcm_message_t        m;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;

    rc = ngx_stream_ntrip_feed_ring(feed);

    if (rc != NGX_OK) {
        return rc;
    }

    row = ntrip_stream_row(worker->zone, feed->index);
    ring = ntrip_stream_ring(worker->zone, feed->index);

    bytes = data->len;
    messages = 0;
    skipped = feed->rtcm.skipped;

    while ((end = ntrip_rtcm_next(&feed->rtcm, data, &m)) == NGX_OK) {

        rec.len = m.len;
        rec.type = m.type;
        rec.time = ngx_current_msec;
        rec.flags = m.flags & NTRIP_RTCM_EPOCH;

        if (!ngx_stream_ntrip_feed_owned(feed)) {
            return NGX_DECLINED;
        }

        if (feed->rtcm.messages == 1) {
            ntrip_latest_clear(&ring->latest);
        }

        ntrip_latest_put(&ring->latest, &m, ring->head);

        (void) ntrip_ring_write(ring, &rec, m.data);
        ntrip_seen_message(&row->seen, rec.time, m.type,
                           m.flags & NTRIP_RTCM_EPOCH);
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


/* before the first byte */

static ngx_int_t
ngx_stream_ntrip_feed_ring(ngx_stream_ntrip_feed_t *feed)
{
    ngx_int_t                   rc;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;

    if (ntrip_stream_ring(worker->zone, feed->index)) {
        return NGX_OK;
    }

    ngx_stream_ntrip_lock();
    rc = ntrip_stream_take_ring(worker->zone, worker->me, feed->index,
                                feed->serial);
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
    ngx_stream_ntrip_wake_set(&wake);

    bits = 0;

    for (i = 0; i < NTRIP_SLOT_WORDS; i++) {
        bits |= wake.bits[i];
    }

    return bits != 0;
}
