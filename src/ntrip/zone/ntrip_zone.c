
#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_zone.h"


/* they are rounded up to a power of two: as many bytes a row at most */
#define NTRIP_ZONE_CHAINS  8


static size_t ntrip_zone_layout(const ntrip_zone_plan_t *plan,
    ntrip_zone_t *zone);
static size_t ntrip_zone_table(ntrip_table_t *table, u_char *mem, size_t size,
    uint32_t n);
static size_t ntrip_zone_group(ntrip_group_t *group, u_char *mem,
    ntrip_table_t *table, size_t link, uint32_t n);
static size_t ntrip_zone_recent(ntrip_recent_t *recent, u_char *mem,
    uint32_t n);
static uint32_t ntrip_zone_rows(size_t bytes, size_t row, uint32_t max);
static ngx_uint_t ntrip_zone_awaits_heir(ntrip_bus_t *bus, ntrip_row_t *row,
    uint64_t now);
static void ntrip_zone_sweep_session(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint64_t now, uint32_t i, ntrip_sweep_t *sweep, ntrip_slots_t *wake);
static void ntrip_zone_sweep_stream(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint64_t now, uint32_t i, ntrip_sweep_t *sweep, ntrip_slots_t *wake);
static void ntrip_zone_sweep_lease(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint64_t now, uint32_t i, ntrip_sweep_t *sweep, ntrip_slots_t *wake);


typedef void (*ntrip_zone_sweep_pt)(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint64_t now, uint32_t i, ntrip_sweep_t *sweep, ntrip_slots_t *wake);


ngx_int_t
ntrip_zone_plan(ntrip_zone_plan_t *plan, size_t size, size_t ring_size)
{
    size_t      usable;
    uint32_t    n;

    if (size < NTRIP_ZONE_MIN) {
        return NGX_DECLINED;
    }

    /* 1/32 for what is rounded up, and the header */

    usable = size - size / 32;

    plan->ring_size = ntrip_ring_round(ring_size);

    /* three rows for two rings */

    plan->rings = ntrip_zone_rows(usable / 2,
                                  ntrip_ring_memory(plan->ring_size)
                                  + sizeof(uint32_t)
                                  + (sizeof(ntrip_stream_row_t)
                                     + NTRIP_ZONE_CHAINS * 4) * 3 / 2,
                                  NTRIP_STREAMS_MAX);

    plan->streams = ngx_min(plan->rings + (plan->rings + 1) / 2,
                            NTRIP_STREAMS_MAX);

    plan->sessions = ntrip_zone_rows(usable / 32 * 13,
                                     sizeof(ntrip_session_row_t)
                                     + NTRIP_ZONE_CHAINS * 2, 1 << 24);

    plan->leases = ntrip_zone_rows(usable / 32, sizeof(ntrip_lease_row_t),
                                   1 << 16);

    plan->rests = ntrip_zone_rows(usable / 64, sizeof(ntrip_rest_row_t),
                                  1 << 16);

    plan->turns = ntrip_zone_rows(usable / 512, sizeof(ntrip_turn_row_t),
                                  1 << 16);

    plan->usage = ntrip_zone_rows(usable / 64, sizeof(ntrip_usage_row_t),
                                  1 << 16);

    n = ntrip_zone_rows(usable / 192, sizeof(ntrip_recent_row_t), 1 << 16);

    for (plan->recent = NTRIP_RECENT_WAYS;
         plan->recent <= n / 2;
         plan->recent <<= 1)
    {
        /* void */
    }

    plan->bytes = ntrip_zone_layout(plan, NULL);

    return (plan->rings >= 2 && plan->bytes <= size) ? NGX_OK
                                                     : NGX_DECLINED;
}


void
ntrip_zone_init(ntrip_zone_t *zone, const ntrip_zone_plan_t *plan)
{
    uint32_t  i;

    zone->ring_size = plan->ring_size;
    zone->ring_memory = ntrip_ring_memory(plan->ring_size);
    zone->nrings = plan->rings;

    (void) ntrip_zone_layout(plan, zone);

    for (i = 0; i < plan->rings; i++) {
        ntrip_ring_init(ntrip_zone_ring(zone, i), plan->ring_size);
    }

    ntrip_stream_rebuild(zone);

    zone->cooling = 0;
    zone->meter.batch = 1;
    zone->pace = NTRIP_HOST_PACE;

    __atomic_store_n(&zone->version, NTRIP_ZONE_VERSION, __ATOMIC_SEQ_CST);
}


/* how many bytes the plan takes; carves them if there is a zone */

static size_t
ntrip_zone_layout(const ntrip_zone_plan_t *plan, ntrip_zone_t *zone)
{
    size_t   at;
    u_char  *base;

    base = (u_char *) zone;
    at = ngx_align(sizeof(ntrip_zone_t), 64);

    if (zone) {
        zone->rings = at;
    }

    at += ntrip_ring_memory(plan->ring_size) * plan->rings;

    if (zone) {
        zone->ring_next = at;
    }

    at += ngx_align(sizeof(uint32_t) * plan->rings, 64);

    at += ntrip_zone_table(zone ? &zone->streams : NULL, base + at,
                           sizeof(ntrip_stream_row_t), plan->streams);
    at += ntrip_zone_group(zone ? &zone->places : NULL, base + at,
                           zone ? &zone->streams : NULL,
                           offsetof(ntrip_stream_row_t, place),
                           plan->streams);
    at += ntrip_zone_group(zone ? &zone->lines : NULL, base + at,
                           zone ? &zone->streams : NULL,
                           offsetof(ntrip_stream_row_t, line),
                           plan->streams);
    at += ntrip_zone_group(zone ? &zone->heads : NULL, base + at,
                           zone ? &zone->streams : NULL,
                           offsetof(ntrip_stream_row_t, head),
                           plan->streams);

    at += ntrip_zone_table(zone ? &zone->sessions : NULL, base + at,
                           sizeof(ntrip_session_row_t), plan->sessions);
    at += ntrip_zone_group(zone ? &zone->users : NULL, base + at,
                           zone ? &zone->sessions : NULL,
                           offsetof(ntrip_session_row_t, user_link),
                           plan->sessions);
    at += ntrip_zone_group(zone ? &zone->members : NULL, base + at,
                           zone ? &zone->sessions : NULL,
                           offsetof(ntrip_session_row_t, member),
                           plan->sessions);

    at += ntrip_zone_table(zone ? &zone->leases : NULL, base + at,
                           sizeof(ntrip_lease_row_t), plan->leases);
    at += ntrip_zone_table(zone ? &zone->rests : NULL, base + at,
                           sizeof(ntrip_rest_row_t), plan->rests);

    at += ntrip_zone_table(zone ? &zone->turns : NULL, base + at,
                           sizeof(ntrip_turn_row_t), plan->turns);
    at += ntrip_zone_table(zone ? &zone->usage : NULL, base + at,
                           sizeof(ntrip_usage_row_t), plan->usage);

    at += ntrip_zone_recent(zone ? &zone->failures : NULL, base + at,
                            plan->recent);
    at += ntrip_zone_recent(zone ? &zone->names : NULL, base + at,
                            plan->recent);
    at += ntrip_zone_recent(zone ? &zone->kicks : NULL, base + at,
                            plan->recent);

    return ngx_align(at, 64);
}


/* how many bytes a table takes; lays it out at "mem" if there is one */

static size_t
ntrip_zone_table(ntrip_table_t *table, u_char *mem, size_t size, uint32_t n)
{
    if (table) {
        ntrip_table_init(table, mem, size, n);
    }

    return ntrip_table_memory(size, n);
}


static size_t
ntrip_zone_group(ntrip_group_t *group, u_char *mem, ntrip_table_t *table,
    size_t link, uint32_t n)
{
    if (group) {
        ntrip_group_init(group, mem, table, link);
    }

    return ntrip_group_memory(n);
}


static size_t
ntrip_zone_recent(ntrip_recent_t *recent, u_char *mem, uint32_t n)
{
    if (recent) {
        ntrip_recent_init(recent, mem, n);
    }

    return sizeof(ntrip_recent_row_t) * n;
}


static uint32_t
ntrip_zone_rows(size_t bytes, size_t row, uint32_t max)
{
    size_t  n;

    n = bytes / (row + NTRIP_ZONE_CHAINS);

    return ngx_max(1, ngx_min(n, max));
}


ngx_uint_t
ntrip_zone_enter(ntrip_zone_t *zone)
{
    ngx_uint_t  rebuilt;

    rebuilt = 0;

    if (zone->busy) {
        ntrip_table_rebuild(&zone->streams);
        ntrip_table_rebuild(&zone->sessions);
        ntrip_table_rebuild(&zone->leases);
        ntrip_table_rebuild(&zone->rests);
        ntrip_table_rebuild(&zone->turns);
        ntrip_table_rebuild(&zone->usage);
        ntrip_group_rebuild(&zone->users);
        ntrip_group_rebuild(&zone->members);
        ntrip_group_rebuild(&zone->places);
        ntrip_stream_rebuild(zone);
        ntrip_wait_rebuild(zone);
        zone->rebuilds++;
        rebuilt = 1;
    }

    __atomic_store_n(&zone->busy, 1, __ATOMIC_SEQ_CST);

    return rebuilt;
}


void
ntrip_zone_leave(ntrip_zone_t *zone)
{
    __atomic_store_n(&zone->busy, 0, __ATOMIC_SEQ_CST);
}


ngx_int_t
ntrip_zone_clear_slot(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    ngx_uint_t slot, uint32_t *next, ntrip_slots_t *wake)
{
    uint32_t             i, last;
    uint64_t             bit, had;
    ntrip_stream_row_t  *stream;

    bit = (uint64_t) 1 << (slot % 64);
    last = ngx_min(*next + NTRIP_SWEEP_STEP, zone->streams.n);

    for (i = *next; i < last; i++) {
        stream = ntrip_stream_row(zone, i);

        if (stream->row.state == NTRIP_ROW_FREE) {
            continue;
        }

        had = __atomic_fetch_and(&stream->slots[slot / 64], ~bit,
                                 __ATOMIC_SEQ_CST)
              & bit;

        /*
         * The sweep that followed the death may have been before this, and have
         * left the bit as one of ours: only now nobody may want the stream.
         */

        if (had && ntrip_bus_alive(bus, stream->row.holder)) {
            ntrip_bus_mark(bus, ntrip_holder_slot(stream->row.holder), i);
            ntrip_slots_add(wake, ntrip_holder_slot(stream->row.holder));
        }

        ntrip_stream_reap(zone, bus, now, i, wake);
    }

    *next = last;

    return (last < zone->streams.n) ? NGX_AGAIN : NGX_OK;
}


ntrip_ring_t *
ntrip_zone_ring(ntrip_zone_t *zone, uint32_t i)
{
    return (ntrip_ring_t *) ((u_char *) zone + zone->rings
                             + zone->ring_memory * i);
}


ngx_int_t
ntrip_zone_sweep(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    ntrip_sweep_t *sweep, ntrip_slots_t *wake)
{
    uint32_t        n, last;
    ntrip_row_t    *row;
    ntrip_table_t  *table;

    /* leases last: they follow from the streams */

    static const ntrip_zone_sweep_pt  handlers[] = {
        ntrip_zone_sweep_session,
        ntrip_zone_sweep_stream,
        ntrip_zone_sweep_lease
    };

    if (sweep->stage == 0 && sweep->next == 0) {
        ntrip_bus_sweep_begin(bus, sweep->dead);
        sweep->left = 0;
    }

    switch (sweep->stage) {

    case 0:
        table = &zone->sessions;
        break;

    case 1:
        table = &zone->streams;
        break;

    default:
        table = &zone->leases;
        break;
    }

    n = sweep->next;
    last = ngx_min(table->n, n + NTRIP_SWEEP_STEP);

    for ( /* void */ ; n < last; n++) {
        row = ntrip_table_row(table, n);

        if (row->state != NTRIP_ROW_FREE) {
            handlers[sweep->stage](zone, bus, now, n, sweep, wake);
        }
    }

    sweep->next = n;

    if (sweep->leases) {
        sweep->leases = 0;
        ntrip_wait_call(zone, bus, now, wake);
    }

    if (n < table->n) {
        return NGX_AGAIN;
    }

    sweep->next = 0;

    if (++sweep->stage < sizeof(handlers) / sizeof(handlers[0])) {
        return NGX_AGAIN;
    }

    sweep->stage = 0;

    if (sweep->left == 0) {
        ntrip_bus_sweep_end(bus, sweep->dead);
    }

    return NGX_OK;
}


static ngx_uint_t
ntrip_zone_awaits_heir(ntrip_bus_t *bus, ntrip_row_t *row, uint64_t now)
{
    return row->heir != 0
           && ntrip_bus_alive(bus, row->heir)
           && now - row->offered < NTRIP_OFFER_TIMEOUT;
}


static void
ntrip_zone_sweep_session(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    uint32_t i, ntrip_sweep_t *sweep, ntrip_slots_t *wake)
{
    ngx_str_t             user;
    ntrip_session_row_t  *session;

    session = ntrip_session_row(zone, i);

    if (ntrip_bus_alive(bus, session->row.holder)) {
        return;
    }

    user.data = session->user;
    user.len = session->user_len;

    if (ntrip_zone_awaits_heir(bus, &session->row, now)) {
        sweep->left++;
        return;
    }

    if (!ntrip_usage_room(zone, &user)) {

        /* its time ends here, however long its row stays */

        if (session->counted.ended == 0) {
            session->counted.ended = zone->meter.now;
        }

        sweep->left++;
        return;
    }

    ntrip_session_drop(zone, bus, i, wake);
    sweep->swept++;
}


static void
ntrip_zone_sweep_stream(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    uint32_t i, ntrip_sweep_t *sweep, ntrip_slots_t *wake)
{
    uint64_t             bits, word;
    ngx_uint_t           n, slot;
    ntrip_stream_row_t  *stream;

    stream = ntrip_stream_row(zone, i);
    bits = 0;

    /*
     * A slot that is free cannot get a bit before we give the lock back:
     * its next worker needs the lock to attach.
     */

    for (n = 0; n < NTRIP_SLOT_WORDS; n++) {
        for (word = stream->slots[n]; word; word &= word - 1) {
            slot = n * 64 + __builtin_ctzll(word);

            if (__atomic_load_n(&bus->slots[slot].holder, __ATOMIC_SEQ_CST)
                == 0)
            {
                __atomic_fetch_and(&stream->slots[n],
                                   ~((uint64_t) 1 << (slot % 64)),
                                   __ATOMIC_SEQ_CST);
            }
        }

        bits |= stream->slots[n];
    }

    if (ntrip_bus_alive(bus, stream->row.holder)) {

        /* it may want to linger, or to elect another lead */

        ntrip_bus_mark(bus, ntrip_holder_slot(stream->row.holder), i);
        ntrip_slots_add(wake, ntrip_holder_slot(stream->row.holder));
        return;
    }

    if (ntrip_zone_awaits_heir(bus, &stream->row, now)) {
        sweep->left++;
        return;
    }

    if (bits == 0) {
        ntrip_stream_remove(zone, bus, now, i, wake);
        sweep->swept++;
        return;
    }

    /* an orphan may have a lease, for who claims it */

    if (stream->row.state != NTRIP_STREAM_FAILED
        && stream->row.state != NTRIP_STREAM_ORPHAN)
    {
        ntrip_usage_stream(zone, stream, 1);

        stream->row.heir = 0;
        stream->source = 0;
        __atomic_store_n(&stream->row.state, NTRIP_STREAM_ORPHAN,
                         __ATOMIC_SEQ_CST);
    }

    ntrip_stream_mark(zone, bus, i, wake);
    sweep->swept++;
}


static void
ntrip_zone_sweep_lease(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    uint32_t i, ntrip_sweep_t *sweep, ntrip_slots_t *wake)
{
    if (ntrip_lease_reclaim(zone, bus, now,
                            ntrip_table_row(&zone->leases, i)))
    {
        sweep->swept++;
        sweep->leases = 1;
    }
}


void
ntrip_row_offer(ntrip_row_t *row, uint64_t heir, uint64_t nonce, uint64_t now)
{
    row->nonce = nonce;
    row->offered = now;

    __atomic_store_n(&row->heir, heir, __ATOMIC_SEQ_CST);
}


ngx_int_t
ntrip_row_withdraw(ntrip_row_t *row, uint64_t me, uint64_t nonce)
{
    if (row->holder != me || row->nonce != nonce) {
        return NGX_DECLINED;
    }

    __atomic_store_n(&row->heir, 0, __ATOMIC_SEQ_CST);

    return NGX_OK;
}


/* an offer is written nonce first: who reads the heir has the nonce too */

ngx_uint_t
ntrip_row_offered(ntrip_row_t *row, uint64_t me, uint64_t serial,
    uint64_t nonce)
{
    return __atomic_load_n(&row->state, __ATOMIC_ACQUIRE) != NTRIP_ROW_FREE
           && __atomic_load_n(&row->serial, __ATOMIC_ACQUIRE) == serial
           && __atomic_load_n(&row->heir, __ATOMIC_ACQUIRE) == me
           && __atomic_load_n(&row->nonce, __ATOMIC_ACQUIRE) == nonce;
}


ngx_int_t
ntrip_row_accept(ntrip_row_t *row, uint64_t me, uint64_t serial,
    uint64_t nonce)
{
    if (!ntrip_row_offered(row, me, serial, nonce)) {
        return NGX_DECLINED;
    }

    __atomic_store_n(&row->holder, me, __ATOMIC_SEQ_CST);
    __atomic_store_n(&row->heir, 0, __ATOMIC_SEQ_CST);

    return NGX_OK;
}


ngx_int_t
ntrip_row_decline(ntrip_row_t *row, uint64_t me, uint64_t serial,
    uint64_t nonce)
{
    if (!ntrip_row_offered(row, me, serial, nonce)) {
        return NGX_DECLINED;
    }

    __atomic_store_n(&row->heir, 0, __ATOMIC_SEQ_CST);

    return NGX_OK;
}
