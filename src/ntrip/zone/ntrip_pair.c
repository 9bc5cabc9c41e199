
#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_zone.h"


static ngx_uint_t ntrip_pair_fits(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint64_t now, uint32_t index, uint32_t i);
static ngx_uint_t ntrip_pair_kept(ntrip_zone_t *zone, ntrip_stream_row_t *host,
    uint64_t now, uint32_t index);


/* ---- turns ---- */

void
ntrip_pair_begin(ntrip_pair_turn_t *turn, uint64_t now)
{
    turn->since = now;
    turn->guest = 1;
}


ngx_uint_t
ntrip_pair_next(ntrip_pair_turn_t *turn, uint64_t now)
{
    if (ntrip_pair_left(turn, now)) {
        return 0;
    }

    turn->since = now;
    turn->guest = !turn->guest;

    return 1;
}


uint64_t
ntrip_pair_left(ntrip_pair_turn_t *turn, uint64_t now)
{
    uint64_t  passed;

    passed = now - turn->since;

    return passed < NTRIP_PAIR_TURN ? NTRIP_PAIR_TURN - passed : 0;
}


/* ---- pairs ---- */

ngx_int_t
ntrip_pair_join(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t me,
    uint64_t now, uint32_t index, uint32_t i, ntrip_slots_t *wake)
{
    uint64_t             holder;
    ngx_str_t            label;
    ntrip_stream_row_t  *guest, *host;

    guest = ntrip_stream_row(zone, index);

    if (guest->row.holder != me
        || guest->row.state != NTRIP_STREAM_OPENING
        || guest->source
        || !guest->gga
        || !ntrip_pair_fits(zone, bus, now, index, i))
    {
        return NGX_DECLINED;
    }

    ntrip_wait_end(zone, bus, index, now, wake);

    host = ntrip_stream_row(zone, i);
    holder = host->row.holder;

    guest->epoch++;
    guest->guest = 0;
    __atomic_store_n(&guest->tried, 1, __ATOMIC_SEQ_CST);

    host->guest_index = index;
    host->guest_epoch = guest->epoch;
    __atomic_store_n(&host->guest, guest->row.serial, __ATOMIC_SEQ_CST);

    label.data = host->label;
    label.len = host->label_len;

    ntrip_stream_live(zone, index, &label);

    __atomic_store_n(&guest->row.holder, holder, __ATOMIC_SEQ_CST);

    ntrip_stream_mark(zone, bus, index, wake);

    ntrip_bus_mark(bus, ntrip_holder_slot(holder), i);
    ntrip_slots_add(wake, ntrip_holder_slot(holder));

    return NGX_OK;
}


uint32_t
ntrip_pair_find(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    uint32_t index)
{
    uint32_t  i;

    for (i = 0; i < zone->streams.n; i++) {
        if (ntrip_pair_fits(zone, bus, now, index, i)) {
            return i;
        }
    }

    return NTRIP_ROW_NONE;
}


/* streams[i] may be the host of streams[index] */

static ngx_uint_t
ntrip_pair_fits(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    uint32_t index, uint32_t i)
{
    ntrip_stream_row_t  *guest, *host;

    guest = ntrip_stream_row(zone, index);
    host = ntrip_stream_row(zone, i);

    return i != index
           && __atomic_load_n(&host->row.state, __ATOMIC_ACQUIRE)
              == NTRIP_STREAM_LIVE
           && host->source
           && host->place.key == guest->place.key
           && host->row.heir == 0
           && host->pool_hash == guest->pool_hash
           && host->port == guest->port
           && host->mount_len == guest->mount_len
           && ngx_memcmp(host->mount, guest->mount, guest->mount_len) == 0
           && ntrip_bus_stays(bus, host->row.holder)
           && ntrip_pair_guest(zone, i) == NTRIP_ROW_NONE
           && !ntrip_pair_kept(zone, host, now, index);
}


/* the host is kept for the guest that it had, which is on its way */

static ngx_uint_t
ntrip_pair_kept(ntrip_zone_t *zone, ntrip_stream_row_t *host, uint64_t now,
    uint32_t index)
{
    ngx_uint_t           state;
    ntrip_stream_row_t  *guest;

    if (now >= __atomic_load_n(&host->kept_until, __ATOMIC_ACQUIRE)
        || host->kept_index == index)
    {
        return 0;
    }

    guest = ntrip_stream_row(zone, host->kept_index);
    state = __atomic_load_n(&guest->row.state, __ATOMIC_ACQUIRE);

    return __atomic_load_n(&guest->row.serial, __ATOMIC_ACQUIRE) == host->kept
           && (state == NTRIP_STREAM_ORPHAN || state == NTRIP_STREAM_OPENING);
}


ngx_uint_t
ntrip_pair_is_guest(ntrip_stream_row_t *stream)
{
    return __atomic_load_n(&stream->row.state, __ATOMIC_ACQUIRE)
           == NTRIP_STREAM_LIVE
           && stream->source == 0
           && !stream->station;
}


uint32_t
ntrip_pair_guest(ntrip_zone_t *zone, uint32_t index)
{
    uint64_t             serial;
    ntrip_stream_row_t  *guest, *host;

    host = ntrip_stream_row(zone, index);
    serial = __atomic_load_n(&host->guest, __ATOMIC_ACQUIRE);

    if (serial == 0) {
        return NTRIP_ROW_NONE;
    }

    guest = ntrip_stream_row(zone, host->guest_index);

    return __atomic_load_n(&guest->row.serial, __ATOMIC_ACQUIRE) == serial
           && __atomic_load_n(&guest->epoch, __ATOMIC_ACQUIRE)
              == host->guest_epoch
           && __atomic_load_n(&guest->row.holder, __ATOMIC_ACQUIRE)
              == __atomic_load_n(&host->row.holder, __ATOMIC_ACQUIRE)
           && __atomic_load_n(&guest->row.state, __ATOMIC_ACQUIRE)
              == NTRIP_STREAM_LIVE
           ? host->guest_index : NTRIP_ROW_NONE;
}


void
ntrip_pair_part(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t me,
    uint64_t now, uint32_t index, ntrip_slots_t *wake)
{
    uint32_t             i;
    ntrip_stream_row_t  *host;

    host = ntrip_stream_row(zone, index);
    i = ntrip_pair_guest(zone, index);

    if (i != NTRIP_ROW_NONE && host->row.holder == me) {
        host->kept = host->guest;
        host->kept_index = i;
        __atomic_store_n(&host->kept_until, now + NTRIP_PAIR_KEEP,
                         __ATOMIC_SEQ_CST);

        (void) ntrip_stream_orphan(zone, bus, me, now, i, host->guest, 0,
                                   wake);
    }

    __atomic_store_n(&host->guest, 0, __ATOMIC_SEQ_CST);
}
