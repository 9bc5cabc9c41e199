
#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_zone.h"
#include "ntrip_words.h"


static ngx_int_t ntrip_station_take(ntrip_bus_t *bus, uint64_t now,
    uint32_t index, ntrip_stream_row_t *stream, ntrip_slots_t *wake);
static ngx_uint_t ntrip_station_silent(ntrip_stream_row_t *row, uint64_t now);


ngx_int_t
ntrip_station_publish(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t me,
    uint64_t now, const ntrip_want_t *want, const ngx_str_t *label,
    ntrip_found_t *found, ntrip_slots_t *wake)
{
    ngx_int_t            rc;
    ntrip_stream_row_t  *stream;

    stream = ntrip_stream_find(zone, bus, want);

    if (stream == NULL) {
        stream = ntrip_stream_new(zone, bus, me, now, want);

        if (stream == NULL) {
            return NGX_ERROR;
        }

        found->index = ntrip_table_index(&zone->streams, stream);
        found->serial = stream->row.serial;

    } else {
        found->index = ntrip_table_index(&zone->streams, stream);
        found->serial = stream->row.serial;

        rc = ntrip_station_take(bus, now, found->index, stream, wake);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    /* killed in between: it has a dead owner, or none, as before */

    stream->epoch++;
    stream->since = now;
    stream->asked = 0;
    __atomic_store_n(&stream->data, 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&stream->row.holder, me, __ATOMIC_SEQ_CST);

    ntrip_stream_live(zone, found->index, label);
    ntrip_stream_mark(zone, bus, found->index, wake);

    return NGX_OK;
}


/* whether a stream that is there can be had: as publish */

static ngx_int_t
ntrip_station_take(ntrip_bus_t *bus, uint64_t now, uint32_t index,
    ntrip_stream_row_t *stream, ntrip_slots_t *wake)
{
    ngx_uint_t  slot;

    if (stream->row.state == NTRIP_STREAM_ORPHAN) {
        return NGX_OK;
    }

    if (!ntrip_bus_alive(bus, stream->row.holder)) {
        return NGX_AGAIN;
    }

    if (!ntrip_station_silent(stream, now)) {
        return NGX_BUSY;
    }

    __atomic_store_n(&stream->asked, now, __ATOMIC_SEQ_CST);

    slot = ntrip_holder_slot(stream->row.holder);

    ntrip_bus_mark(bus, slot, index);
    ntrip_slots_add(wake, slot);

    return NGX_AGAIN;
}


/* since something of use came last, or the upload began; that was written by
   another worker, whose clock may be ahead of "now" */

static ngx_uint_t
ntrip_station_silent(ntrip_stream_row_t *row, uint64_t now)
{
    uint64_t  heard;

    heard = __atomic_load_n(&row->data, __ATOMIC_ACQUIRE);

    if (heard == 0) {
        heard = row->since;
    }

    return (int64_t) (now - heard) >= NTRIP_STATION_SILENT;
}


ngx_uint_t
ntrip_station_asked(ntrip_zone_t *zone, uint32_t index, uint64_t now)
{
    uint64_t             asked;
    ntrip_stream_row_t  *row;

    row = ntrip_stream_row(zone, index);
    asked = __atomic_load_n(&row->asked, __ATOMIC_ACQUIRE);

    /* who does not ask any more has gone */

    return asked
           && (int64_t) (now - asked)
              <= NTRIP_STATION_ASK * NTRIP_STATION_TIMES
           && ntrip_station_silent(row, now);
}


ngx_uint_t
ntrip_station_fresh(ntrip_stream_row_t *row, uint64_t now, uint64_t age)
{
    uint64_t  data;

    data = __atomic_load_n(&row->data, __ATOMIC_ACQUIRE);

    return row->station
           && __atomic_load_n(&row->row.state, __ATOMIC_ACQUIRE)
              == NTRIP_STREAM_LIVE
           && data
           && (int64_t) (now - data) <= (int64_t) age;
}


void
ntrip_station_tell(ntrip_zone_t *zone, uint32_t index,
    const ntrip_facts_t *facts)
{
    uint64_t              seq;
    ntrip_stream_row_t   *row;
    ntrip_station_box_t  *box;

    row = ntrip_stream_row(zone, index);
    box = &row->facts;

    seq = __atomic_load_n(&box->seq, __ATOMIC_ACQUIRE) + 1;

    /* a reader still in this cell must see "seq" moved: it was, last time */

    __atomic_thread_fence(__ATOMIC_SEQ_CST);

    ntrip_words_store(&box->cell[seq & 1], facts, sizeof(ntrip_facts_t));

    __atomic_store_n(&box->seq, seq, __ATOMIC_RELEASE);

    __atomic_store_n(&row->reference,
                     facts->located ? ntrip_point(facts->latitude,
                                                  facts->longitude)
                                    : NTRIP_POINT_NONE,
                     __ATOMIC_RELEASE);
}


ngx_int_t
ntrip_station_facts(ntrip_stream_row_t *row, ntrip_facts_t *facts)
{
    uint64_t              seq;
    ngx_uint_t            n;
    ntrip_station_box_t  *box;

    box = &row->facts;

    for (n = 0; n < NTRIP_MAILBOX_TRIES; n++) {
        seq = __atomic_load_n(&box->seq, __ATOMIC_ACQUIRE);

        if (seq == 0) {
            return NGX_DECLINED;
        }

        ntrip_words_load(facts, &box->cell[seq & 1], sizeof(ntrip_facts_t));

        __atomic_thread_fence(__ATOMIC_SEQ_CST);

        if (__atomic_load_n(&box->seq, __ATOMIC_ACQUIRE) == seq) {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}
