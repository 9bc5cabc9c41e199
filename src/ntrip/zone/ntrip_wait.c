
#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_zone.h"


/* of the one line of heads */
#define NTRIP_WAIT_HEADS  1


static void ntrip_wait_join(ntrip_zone_t *zone, uint32_t index,
    uint64_t ticket);
static uint32_t ntrip_wait_leave(ntrip_zone_t *zone, uint32_t index);
static ngx_uint_t ntrip_wait_behind(ntrip_zone_t *zone, uint32_t index);
static ngx_int_t ntrip_wait_none(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint64_t now, uint32_t index, ntrip_wait_look_t *look,
    ntrip_found_t *found, ntrip_slots_t *wake);
static ngx_int_t ntrip_wait_take(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint64_t now, uint32_t index, const ntrip_candidate_t *candidate,
    ntrip_found_t *found, ntrip_slots_t *wake);
static ngx_uint_t ntrip_wait_leave_alone(ntrip_zone_t *zone,
    ntrip_bus_t *bus, uint64_t now, uint32_t index, ntrip_wait_look_t *look,
    const ntrip_candidate_t *candidate, uint64_t since, ntrip_slots_t *wake);
static ngx_uint_t ntrip_wait_left(ntrip_wait_look_t *look, uint32_t index);
static void ntrip_wait_next(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint64_t now, uint32_t index, uint64_t since, ntrip_slots_t *wake);
static void ntrip_wait_ring(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint64_t now, uint32_t index, ntrip_slots_t *wake);


ngx_int_t
ntrip_stream_lease(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    uint32_t index, ntrip_wait_look_t *look,
    const ntrip_candidate_t *candidates, ngx_uint_t n, ntrip_found_t *found,
    ntrip_slots_t *wake)
{
    ngx_uint_t           i;
    ntrip_look_t         l;
    ntrip_stream_row_t  *stream;

    stream = ntrip_stream_row(zone, index);

    found->index = index;
    found->serial = stream->row.serial;

    if (!look->begun) {
        look->begun = 1;
        look->wait = NTRIP_WAIT_CALL;
    }

    if (ntrip_wait_behind(zone, index)) {
        return ntrip_wait_none(zone, bus, now, index, look, found, wake);
    }

    for (i = 0; i < n; i++) {

        if (ntrip_lease_look(zone, now, index, &candidates[i], &l)) {

            if (!ntrip_wait_leave_alone(zone, bus, now, index, look,
                                        &candidates[i], l.since, wake))
            {
                found->candidate = i;
                return ntrip_wait_take(zone, bus, now, index, &candidates[i],
                                       found, wake);
            }

            /* should that one not take it, then in a moment */

            look->wait = ngx_min(look->wait, NTRIP_WAIT_ANSWER);
            continue;
        }

        if (l.mount) {
            look->passed = ngx_max(look->passed, ngx_max(l.since, 1));
        }

        if (l.place) {
            look->place = 1;
        }

        if (l.until) {
            look->wait = ngx_min(look->wait, l.until - now);
        }
    }

    if (look->more) {
        return NGX_DECLINED;
    }

    return ntrip_wait_none(zone, bus, now, index, look, found, wake);
}


/* is somebody in its line before it? */

static ngx_uint_t
ntrip_wait_behind(ntrip_zone_t *zone, uint32_t index)
{
    uint32_t  first;

    first = ntrip_group_first(&zone->lines,
                              ntrip_stream_row(zone, index)->place.key);

    return first != NTRIP_ROW_NONE && first != index;
}


static ngx_int_t
ntrip_wait_none(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    uint32_t index, ntrip_wait_look_t *look, ntrip_found_t *found,
    ntrip_slots_t *wake)
{
    ntrip_stream_row_t  *stream;

    stream = ntrip_stream_row(zone, index);

    if (look->place) {
        ntrip_wait_end(zone, bus, index, now, wake);

    } else if (stream->waiting == 0) {
        ntrip_wait_join(zone, index, ntrip_bus_next_serial(bus));
    }

    __atomic_store_n(&stream->called, 0, __ATOMIC_SEQ_CST);

    found->wait = NTRIP_WAIT_CALL;

    if (!look->place && ntrip_wait_behind(zone, index)) {
        return NGX_AGAIN;
    }

    stream->frees = zone->frees;
    stream->looked = now;

    if (look->passed) {
        ntrip_wait_next(zone, bus, now, index, look->passed, wake);
    }

    if (look->wait != NTRIP_WAIT_CALL) {
        found->wait = look->wait;
    }

    return NGX_AGAIN;
}


static ngx_int_t
ntrip_wait_take(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    uint32_t index, const ntrip_candidate_t *candidate, ntrip_found_t *found,
    ntrip_slots_t *wake)
{
    ntrip_stream_row_t  *stream;

    stream = ntrip_stream_row(zone, index);

    if (ntrip_lease_take(zone, bus, now, index, stream->row.serial, candidate,
                         &found->delay)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    __atomic_store_n(&stream->tried, 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&stream->source, candidate->source, __ATOMIC_SEQ_CST);

    ntrip_wait_end(zone, bus, index, now, wake);
    ntrip_wait_next(zone, bus, now, index, 0, wake);

    return NGX_OK;
}


/*
 * Is there an older one of the same pool that could take the account, which
 * has been free since "since", and has not looked at it yet?  It is called.
 * Each gets one.
 */

static ngx_uint_t
ntrip_wait_leave_alone(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    uint32_t index, ntrip_wait_look_t *look,
    const ntrip_candidate_t *candidate, uint64_t since, ntrip_slots_t *wake)
{
    uint32_t             i;
    uint64_t             key;
    ngx_uint_t           n;
    ntrip_stream_row_t  *own, *stream;

    if (look->nelders == NTRIP_WAIT_ELDERS) {
        return 1;
    }

    own = ntrip_stream_row(zone, index);
    i = ntrip_group_first(&zone->heads, NTRIP_WAIT_HEADS);

    for (n = 0; n < NTRIP_WAIT_LOOK && i != NTRIP_ROW_NONE; n++) {
        stream = ntrip_stream_row(zone, i);

        if (own->waiting && stream->waiting >= own->waiting) {
            break;
        }

        key = ntrip_hash(candidate->host, stream->mount, stream->mount_len,
                         0);

        if (i != index
            && stream->pool_hash == own->pool_hash
            && (stream->frees < zone->frees || stream->looked < since)
            && ntrip_bus_alive(bus, stream->row.holder)
            && ntrip_rest_until(zone, key) <= now
            && !ntrip_wait_left(look, i))
        {
            look->elders[look->nelders++] = i;
            ntrip_wait_ring(zone, bus, now, i, wake);
            return 1;
        }

        i = stream->head.next;
    }

    return 0;
}


static ngx_uint_t
ntrip_wait_left(ntrip_wait_look_t *look, uint32_t index)
{
    ngx_uint_t  i;

    for (i = 0; i < look->nelders; i++) {
        if (look->elders[i] == index) {
            return 1;
        }
    }

    return 0;
}


/*
 * The oldest one of the pool that has not looked since something was given
 * back, or since "since": this one has left something.
 */

static void
ntrip_wait_next(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    uint32_t index, uint64_t since, ntrip_slots_t *wake)
{
    uint32_t             i;
    ngx_uint_t           n;
    ntrip_stream_row_t  *own, *stream;

    own = ntrip_stream_row(zone, index);
    i = ntrip_group_first(&zone->heads, NTRIP_WAIT_HEADS);

    for (n = 0; n < NTRIP_WAIT_LOOK && i != NTRIP_ROW_NONE; n++) {
        stream = ntrip_stream_row(zone, i);

        if (i != index
            && stream->pool_hash == own->pool_hash
            && (stream->frees < zone->frees || stream->looked < since))
        {
            ntrip_wait_ring(zone, bus, now, i, wake);
            return;
        }

        i = stream->head.next;
    }
}


/* calls the owner, or, if there is none, whoever may become it */

static void
ntrip_wait_ring(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    uint32_t index, ntrip_slots_t *wake)
{
    ngx_uint_t           slot;
    ntrip_stream_row_t  *stream;

    stream = ntrip_stream_row(zone, index);

    if (stream->called == 0) {
        __atomic_store_n(&stream->called, ngx_max(now, 1), __ATOMIC_SEQ_CST);
    }

    if (!ntrip_bus_alive(bus, stream->row.holder)) {
        ntrip_stream_mark(zone, bus, index, wake);
        return;
    }

    slot = ntrip_holder_slot(stream->row.holder);

    ntrip_bus_mark(bus, slot, index);
    ntrip_slots_add(wake, slot);
}


void
ntrip_wait_freed(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    ntrip_slots_t *wake)
{
    zone->frees++;

    ntrip_wait_call(zone, bus, now, wake);
}


void
ntrip_wait_call(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    ntrip_slots_t *wake)
{
    uint32_t             i;
    uint64_t             pools[NTRIP_WAIT_POOLS];
    ngx_uint_t           n, p, npools;
    ntrip_stream_row_t  *stream;

    npools = 0;
    i = ntrip_group_first(&zone->heads, NTRIP_WAIT_HEADS);

    for (n = 0; n < NTRIP_WAIT_LOOK && i != NTRIP_ROW_NONE; n++) {
        stream = ntrip_stream_row(zone, i);

        for (p = 0; p < npools; p++) {
            if (pools[p] == stream->pool_hash) {
                break;
            }
        }

        if (p == npools) {
            ntrip_wait_ring(zone, bus, now, i, wake);

            if (npools == NTRIP_WAIT_POOLS) {
                return;
            }

            pools[npools++] = stream->pool_hash;
        }

        i = stream->head.next;
    }
}


void
ntrip_wait_tick(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    ntrip_slots_t *wake)
{
    uint32_t             i, next;
    ngx_uint_t           n, due;
    ntrip_stream_row_t  *stream;

    due = 0;
    i = ntrip_group_first(&zone->heads, NTRIP_WAIT_HEADS);

    for (n = 0; n < NTRIP_WAIT_LOOK && i != NTRIP_ROW_NONE; n++) {
        stream = ntrip_stream_row(zone, i);
        next = stream->head.next;

        if (stream->called) {
            if (now - stream->called >= NTRIP_WAIT_ANSWER) {
                ntrip_wait_end(zone, bus, i, now, wake);
                ntrip_wait_join(zone, i, ntrip_bus_next_serial(bus));
                due = 1;
            }

        } else if (stream->frees < zone->frees) {
            due = 1;
        }

        i = next;
    }

    if (due) {
        ntrip_wait_call(zone, bus, now, wake);
    }
}


ngx_uint_t
ntrip_wait_called(ntrip_zone_t *zone, uint32_t index)
{
    return __atomic_load_n(&ntrip_stream_row(zone, index)->called,
                           __ATOMIC_SEQ_CST)
           != 0;
}


static void
ntrip_wait_join(ntrip_zone_t *zone, uint32_t index, uint64_t ticket)
{
    uint32_t             next;
    ntrip_stream_row_t  *stream;

    stream = ntrip_stream_row(zone, index);

    __atomic_store_n(&stream->waiting, ticket, __ATOMIC_SEQ_CST);

    ntrip_group_join(&zone->lines, index, stream->place.key, ticket);

    if (stream->line.prev != NTRIP_ROW_NONE) {
        return;
    }

    next = stream->line.next;

    if (next != NTRIP_ROW_NONE) {
        ntrip_group_leave(&zone->heads, next);
    }

    ntrip_group_join(&zone->heads, index, NTRIP_WAIT_HEADS, ticket);
}


void
ntrip_wait_end(ntrip_zone_t *zone, ntrip_bus_t *bus, uint32_t index,
    uint64_t now, ntrip_slots_t *wake)
{
    uint32_t  next;

    next = ntrip_wait_leave(zone, index);

    if (next != NTRIP_ROW_NONE) {
        ntrip_wait_ring(zone, bus, now, next, wake);
    }
}


/* returns who is the first of its line now, if it was before */

static uint32_t
ntrip_wait_leave(ntrip_zone_t *zone, uint32_t index)
{
    uint32_t             next;
    ntrip_stream_row_t  *stream;

    stream = ntrip_stream_row(zone, index);

    if (stream->waiting == 0) {
        return NTRIP_ROW_NONE;
    }

    next = (stream->line.prev == NTRIP_ROW_NONE) ? stream->line.next
                                                 : NTRIP_ROW_NONE;

    __atomic_store_n(&stream->waiting, 0, __ATOMIC_SEQ_CST);
    __atomic_store_n(&stream->called, 0, __ATOMIC_SEQ_CST);

    ntrip_group_leave(&zone->heads, index);
    ntrip_group_leave(&zone->lines, index);

    if (next != NTRIP_ROW_NONE) {
        ntrip_group_join(&zone->heads, next, NTRIP_WAIT_HEADS,
                         ntrip_stream_row(zone, next)->waiting);
    }

    return next;
}


void
ntrip_wait_rebuild(ntrip_zone_t *zone)
{
    uint32_t             i;
    ntrip_stream_row_t  *stream;

    for (i = 0; i < zone->streams.n; i++) {
        stream = ntrip_stream_row(zone, i);

        stream->line.key = stream->waiting ? stream->place.key : 0;
        stream->line.order = stream->waiting;
    }

    ntrip_group_rebuild(&zone->lines);

    for (i = 0; i < zone->streams.n; i++) {
        stream = ntrip_stream_row(zone, i);

        stream->head.key = (stream->line.key
                            && stream->line.prev == NTRIP_ROW_NONE)
                           ? NTRIP_WAIT_HEADS : 0;
        stream->head.order = stream->waiting;
    }

    ntrip_group_rebuild(&zone->heads);
}
