
#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_zone.h"


/* of latitude and longitude, in 1e-7 degrees */
#define NTRIP_LEASE_CELL  1000000


static uint64_t ntrip_lease_hash(uint64_t source);
static uint64_t ntrip_lease_place(ntrip_zone_t *zone, uint32_t index,
    const ntrip_candidate_t *candidate);
static void ntrip_lease_rest(ntrip_lease_row_t *lease, uint64_t until,
    ngx_uint_t reason);
static ntrip_lease_row_t *ntrip_lease_new(ntrip_zone_t *zone, uint64_t now,
    uint64_t source);
static void ntrip_lease_punish(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint64_t now, const ntrip_candidate_t *candidate, uint64_t place,
    ngx_uint_t reason);
static uint64_t ntrip_lease_refused(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint64_t now, const ntrip_candidate_t *candidate,
    ntrip_lease_row_t *lease);
static uint64_t ntrip_lease_again(uint64_t now, ntrip_lease_row_t *lease,
    uint64_t first);
static uint64_t ntrip_lease_cooling(ntrip_zone_t *zone);
static void ntrip_lease_release(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint64_t now, ntrip_lease_row_t *lease, ntrip_slots_t *wake);
static void ntrip_lease_forgive(ntrip_zone_t *zone,
    ntrip_lease_row_t *lease, const ntrip_candidate_t *candidate);
static ntrip_lease_row_t *ntrip_lease_row(ntrip_zone_t *zone, uint64_t now);
static uint64_t ntrip_lease_backoff(uint64_t first, uint64_t max,
    ngx_uint_t failures);
static void ntrip_rest_all(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint64_t now, uint64_t key, ngx_uint_t reason);
static void ntrip_rest_place(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint64_t now, uint64_t key, ngx_uint_t reason);
static ntrip_rest_row_t *ntrip_rest_find(ntrip_zone_t *zone, uint64_t key);
static ntrip_rest_row_t *ntrip_rest_get(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint64_t now, uint64_t key);
static ngx_uint_t ntrip_rest_idle(ntrip_rest_row_t *rest, uint64_t now);


ngx_uint_t
ntrip_lease_look(ntrip_zone_t *zone, uint64_t now, uint32_t index,
    const ntrip_candidate_t *candidate, ntrip_look_t *look)
{
    uint64_t            until;
    ntrip_lease_row_t  *lease;

    ngx_memzero(look, sizeof(ntrip_look_t));

    lease = ntrip_lease_find(zone, candidate->source);

    if (lease) {
        if (lease->row.state != NTRIP_LEASE_IDLE) {
            look->used = 1;
            return 0;
        }

        look->since = lease->until;
    }

    until = ntrip_rest_until(zone, candidate->host);
    look->since = ngx_max(look->since, until);

    until = ntrip_rest_until(zone, candidate->host_mount);

    if (until > now && look->since <= now) {
        look->mount = 1;
        look->until = until;
        return 0;
    }

    look->since = ngx_max(look->since, until);

    if (look->since > now) {
        look->until = look->since;
        return 0;
    }

    until = ntrip_rest_until(zone, ntrip_lease_place(zone, index, candidate));

    if (until > now) {
        look->mount = 1;
        look->place = 1;
        look->until = until;
        return 0;
    }

    look->since = ngx_max(look->since, until);

    return 1;
}


/* without positions all streams of the mountpoint are in one place */

static uint64_t
ntrip_lease_place(ntrip_zone_t *zone, uint32_t index,
    const ntrip_candidate_t *candidate)
{
    int32_t        cell[2];
    ntrip_point_t  reference;

    reference = __atomic_load_n(&ntrip_stream_row(zone, index)->reference,
                                __ATOMIC_ACQUIRE);

    cell[0] = ntrip_point_lat(reference) / NTRIP_LEASE_CELL;
    cell[1] = ntrip_point_lon(reference) / NTRIP_LEASE_CELL;

    return ntrip_hash(candidate->host_mount, (u_char *) cell, sizeof(cell),
                      0);
}


uint64_t
ntrip_rest_until(ntrip_zone_t *zone, uint64_t key)
{
    ntrip_rest_row_t  *rest;

    rest = ntrip_rest_find(zone, key);

    return rest ? rest->until : 0;
}


ngx_int_t
ntrip_lease_take(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    uint32_t index, uint64_t serial, const ntrip_candidate_t *candidate,
    uint64_t *delay)
{
    ntrip_lease_row_t  *lease;

    lease = ntrip_lease_find(zone, candidate->source);

    if (lease) {
        lease->stream = index;
        lease->serial = serial;
        __atomic_store_n(&lease->row.state, NTRIP_LEASE_HELD,
                         __ATOMIC_SEQ_CST);

    } else {
        lease = ntrip_lease_new(zone, now, candidate->source);

        if (lease == NULL) {
            return NGX_ERROR;
        }

        lease->stream = index;
        lease->serial = serial;

        ntrip_table_publish(&zone->leases, lease,
                            ntrip_lease_hash(lease->source),
                            ntrip_bus_next_serial(bus), 0, NTRIP_LEASE_HELD);
    }

    *delay = ntrip_host_turn(zone, bus, now, candidate);

    return NGX_OK;
}


/* not yet published; NULL: the table is full */

static ntrip_lease_row_t *
ntrip_lease_new(ntrip_zone_t *zone, uint64_t now, uint64_t source)
{
    ntrip_lease_row_t  *lease;

    lease = ntrip_lease_row(zone, now);

    if (lease == NULL) {
        return NULL;
    }

    lease->source = source;
    lease->stream = NTRIP_ROW_NONE;
    lease->serial = 0;
    lease->failures = 0;
    lease->until = 0;
    lease->reason = NTRIP_REST_NONE;
    lease->last = NTRIP_REST_NONE;
    lease->refusals = 0;

    return lease;
}


/* an idle row that no longer rests is given up when there is no other */

static ntrip_lease_row_t *
ntrip_lease_row(ntrip_zone_t *zone, uint64_t now)
{
    ngx_uint_t          n;
    ntrip_lease_row_t  *lease;

    lease = ntrip_table_take(&zone->leases);

    for (n = 0; lease == NULL && n < NTRIP_REST_LOOK; n++) {
        lease = ntrip_table_turn(&zone->leases);

        if (lease->row.state == NTRIP_LEASE_IDLE && lease->until <= now) {
            ntrip_table_remove(&zone->leases, lease);
            return ntrip_table_take(&zone->leases);
        }

        lease = NULL;
    }

    return lease;
}


void
ntrip_lease_failed(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    uint32_t index, const ntrip_candidate_t *candidate, ngx_uint_t reason,
    ntrip_slots_t *wake)
{
    ntrip_stream_row_t  *stream;

    ntrip_lease_punish(zone, bus, now, candidate,
                       ntrip_lease_place(zone, index, candidate), reason);

    stream = ntrip_stream_row(zone, index);
    __atomic_store_n(&stream->source, 0, __ATOMIC_SEQ_CST);

    ntrip_wait_call(zone, bus, now, wake);
}


static void
ntrip_lease_punish(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    const ntrip_candidate_t *candidate, uint64_t place, ngx_uint_t reason)
{
    uint64_t            until;
    ntrip_lease_row_t  *lease;

    lease = ntrip_lease_find(zone, candidate->source);
    until = now;

    switch (reason) {

    case NTRIP_REST_REFUSED:
        until = ntrip_lease_refused(zone, bus, now, candidate, lease);
        break;

    case NTRIP_REST_MOUNT:
    case NTRIP_REST_BUSY:
        ntrip_rest_all(zone, bus, now, candidate->host_mount, reason);
        break;

    case NTRIP_REST_TLS:
        ntrip_rest_all(zone, bus, now, candidate->host, reason);
        break;

    case NTRIP_REST_DROPPED:
        ntrip_rest_place(zone, bus, now, place, reason);
        break;

    case NTRIP_REST_BRIEF:
        ntrip_rest_place(zone, bus, now, place, reason);
        /* fall through */

    case NTRIP_REST_LOST:
        until = ntrip_lease_again(now, lease, NTRIP_REST_SOON);
        break;

    case NTRIP_REST_FOREIGN:
        until += NTRIP_LEASE_FOREIGN;
        break;

    default:
        until = ntrip_lease_again(now, lease, NTRIP_REST_FAULT);
    }

    if (reason != NTRIP_REST_FOREIGN) {
        until = ngx_max(until, now + ntrip_lease_cooling(zone));
    }

    if (lease) {
        ntrip_lease_rest(lease, until, reason);
    }
}


static uint64_t
ntrip_lease_cooling(ntrip_zone_t *zone)
{
    return __atomic_load_n(&zone->cooling, __ATOMIC_RELAXED);
}


/* until when the account rests; two of its host within a minute: so does
   that */

static uint64_t
ntrip_lease_refused(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    const ntrip_candidate_t *candidate, ntrip_lease_row_t *lease)
{
    uint64_t           until;
    ntrip_rest_row_t  *rest;

    until = now;

    if (lease) {
        lease->failures = lease->refusals ? lease->failures + 1 : 1;
        lease->refusals = 1;

        until += ntrip_lease_backoff(NTRIP_REST_MIN, NTRIP_REST_MAX,
                                     lease->failures);
    }

    rest = ntrip_rest_get(zone, bus, now, candidate->host);

    if (rest == NULL) {
        return until;
    }

    if (rest->refused
        && rest->source != candidate->source
        && now - rest->refused < NTRIP_REST_MIN)
    {
        rest->reason = NTRIP_REST_REFUSED;
        rest->until = now + NTRIP_REST_MIN;
    }

    rest->source = candidate->source;
    rest->refused = now;

    return until;
}


/* until when the account rests, for what is no refusal */

static uint64_t
ntrip_lease_again(uint64_t now, ntrip_lease_row_t *lease, uint64_t first)
{
    if (lease == NULL) {
        return now;
    }

    lease->failures = lease->refusals ? 1 : lease->failures + 1;
    lease->refusals = 0;

    return now + ntrip_lease_backoff(first, NTRIP_REST_MIN, lease->failures);
}


/* a mountpoint or a host, for all accounts */

static void
ntrip_rest_all(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    uint64_t key, ngx_uint_t reason)
{
    ntrip_rest_row_t  *rest;

    rest = ntrip_rest_get(zone, bus, now, key);

    if (rest == NULL) {
        return;
    }

    rest->failures = (rest->reason == reason) ? rest->failures + 1 : 1;
    rest->reason = reason;

    rest->until = now + ((reason == NTRIP_REST_MOUNT)
                         ? ntrip_lease_backoff(NTRIP_REST_MIN, NTRIP_REST_MAX,
                                               rest->failures)
                         : ntrip_lease_backoff(NTRIP_REST_FAULT,
                                               NTRIP_REST_MIN,
                                               rest->failures));
}


/* what was long ago does not count */

static void
ntrip_rest_place(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    uint64_t key, ngx_uint_t reason)
{
    ngx_uint_t         n;
    ntrip_rest_row_t  *rest;

    rest = ntrip_rest_get(zone, bus, now, key);

    if (rest == NULL) {
        return;
    }

    if (now - ngx_min(now, rest->until) > NTRIP_REST_MIN) {
        rest->failures = 0;
    }

    rest->failures++;
    rest->reason = reason;

    /* one that gave data is followed by another account at once */

    n = (reason == NTRIP_REST_BRIEF) ? rest->failures - 1 : rest->failures;

    rest->until = now + (n ? ntrip_lease_backoff(NTRIP_REST_SOON,
                                                 NTRIP_REST_SHORT, n)
                           : 0);
}


void
ntrip_lease_good(ntrip_zone_t *zone, uint32_t index,
    const ntrip_candidate_t *candidate)
{
    ntrip_lease_row_t  *lease;

    lease = ntrip_lease_find(zone, candidate->source);

    if (lease && lease->stream == index) {
        ntrip_lease_forgive(zone, lease, candidate);
    }
}


static void
ntrip_lease_forgive(ntrip_zone_t *zone, ntrip_lease_row_t *lease,
    const ntrip_candidate_t *candidate)
{
    ntrip_rest_row_t  *rest;

    lease->failures = 0;
    lease->reason = NTRIP_REST_NONE;
    lease->last = NTRIP_REST_NONE;

    rest = ntrip_rest_find(zone, candidate->host);

    if (rest) {
        rest->refused = 0;
        rest->failures = 0;
        rest->until = 0;
    }

    rest = ntrip_rest_find(zone, candidate->host_mount);

    if (rest) {
        rest->failures = 0;
        rest->until = 0;
    }
}


void
ntrip_lease_closing(ntrip_zone_t *zone, uint64_t me, uint32_t index)
{
    ntrip_lease_row_t   *lease;
    ntrip_stream_row_t  *stream;

    stream = ntrip_stream_row(zone, index);

    if (stream->source == 0) {
        return;
    }

    lease = ntrip_lease_find(zone, stream->source);

    if (lease && lease->row.state == NTRIP_LEASE_HELD
        && lease->stream == index)
    {
        lease->row.holder = me;
        __atomic_store_n(&lease->row.state, NTRIP_LEASE_CLOSING,
                         __ATOMIC_SEQ_CST);
    }

    __atomic_store_n(&stream->source, 0, __ATOMIC_SEQ_CST);
}


void
ntrip_lease_closed(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t me,
    uint64_t source, uint64_t now, ntrip_slots_t *wake)
{
    ntrip_lease_row_t  *lease;

    lease = ntrip_lease_find(zone, source);

    if (lease == NULL
        || lease->row.state != NTRIP_LEASE_CLOSING
        || lease->row.holder != me)
    {
        return;
    }

    ntrip_lease_release(zone, bus, now, lease, wake);
}


void
ntrip_lease_forsake(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    uint32_t index, ntrip_slots_t *wake)
{
    ngx_uint_t           held;
    ntrip_lease_row_t   *lease;
    ntrip_stream_row_t  *stream;

    stream = ntrip_stream_row(zone, index);

    if (stream->source == 0) {
        return;
    }

    lease = ntrip_lease_find(zone, stream->source);
    held = lease && lease->stream == index && ntrip_lease_held(zone, lease);

    __atomic_store_n(&stream->source, 0, __ATOMIC_SEQ_CST);

    if (held) {
        ntrip_lease_release(zone, bus, now, lease, wake);
    }
}


static void
ntrip_lease_release(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    ntrip_lease_row_t *lease, ntrip_slots_t *wake)
{
    uint64_t  cooling;

    cooling = ntrip_lease_cooling(zone);

    if (cooling) {
        ntrip_lease_rest(lease, now + cooling, NTRIP_REST_COOLING);

    } else if (lease->failures == 0) {
        ntrip_table_remove(&zone->leases, lease);

    } else {
        ntrip_lease_rest(lease, now, NTRIP_REST_NONE);
    }

    ntrip_wait_freed(zone, bus, now, wake);
}


void
ntrip_lease_renew(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t source,
    uint64_t now, ntrip_slots_t *wake)
{
    ntrip_lease_row_t  *lease;

    lease = ntrip_lease_find(zone, source);

    if (lease && lease->row.state == NTRIP_LEASE_IDLE) {
        lease->failures = 0;

        if (lease->reason != NTRIP_REST_COOLING) {
            lease->until = 0;
        }
    }

    ntrip_wait_freed(zone, bus, now, wake);
}


ngx_int_t
ntrip_lease_order(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t source,
    uint64_t now, uint64_t until, ntrip_slots_t *wake)
{
    ntrip_lease_row_t  *lease;

    lease = ntrip_lease_find(zone, source);

    if (lease && lease->row.state != NTRIP_LEASE_IDLE) {
        return NGX_BUSY;
    }

    if (lease == NULL) {
        lease = ntrip_lease_new(zone, now, source);

        if (lease == NULL) {
            return NGX_ERROR;
        }

        ntrip_table_publish(&zone->leases, lease, ntrip_lease_hash(source),
                            ntrip_bus_next_serial(bus), 0, NTRIP_LEASE_IDLE);
    }

    lease->failures = 0;
    lease->reason = NTRIP_REST_NONE;
    lease->until = until;

    if (until <= now) {
        ntrip_wait_freed(zone, bus, now, wake);
    }

    return NGX_OK;
}


ngx_int_t
ntrip_lease_test(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t me,
    uint64_t now, const ntrip_candidate_t *candidate, uint64_t *delay)
{
    uint64_t            turn;
    ntrip_lease_row_t  *lease;

    lease = ntrip_lease_find(zone, candidate->source);

    if (lease) {
        if (lease->row.state == NTRIP_LEASE_HELD) {
            return NGX_BUSY;
        }

        if (lease->row.state != NTRIP_LEASE_IDLE) {
            return NGX_AGAIN;
        }

        *delay = (lease->reason == NTRIP_REST_CRASH && lease->until > now)
                 ? ngx_min(lease->until - now, NTRIP_LEASE_COOL) : 0;

        lease->row.holder = me;
        __atomic_store_n(&lease->row.state, NTRIP_LEASE_TESTING,
                         __ATOMIC_SEQ_CST);

    } else {
        lease = ntrip_lease_new(zone, now, candidate->source);

        if (lease == NULL) {
            return NGX_ERROR;
        }

        *delay = 0;

        ntrip_table_publish(&zone->leases, lease,
                            ntrip_lease_hash(lease->source),
                            ntrip_bus_next_serial(bus), me,
                            NTRIP_LEASE_TESTING);
    }

    turn = ntrip_host_turn(zone, bus, now, candidate);
    *delay = ngx_max(*delay, turn);

    return NGX_OK;
}


void
ntrip_lease_tested(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t me,
    uint64_t now, const ntrip_candidate_t *candidate, ngx_uint_t reason,
    ntrip_slots_t *wake)
{
    ntrip_lease_row_t  *lease;

    lease = ntrip_lease_find(zone, candidate->source);

    if (lease == NULL
        || lease->row.state != NTRIP_LEASE_TESTING
        || lease->row.holder != me)
    {
        return;
    }

    if (reason != NTRIP_REST_NONE) {
        ntrip_lease_punish(zone, bus, now, candidate, 0, reason);
        ntrip_wait_call(zone, bus, now, wake);
        return;
    }

    ntrip_lease_forgive(zone, lease, candidate);

    __atomic_store_n(&lease->row.state, NTRIP_LEASE_CLOSING,
                     __ATOMIC_SEQ_CST);
}


uint64_t
ntrip_host_turn(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    const ntrip_candidate_t *candidate)
{
    uint64_t           turn;
    ntrip_rest_row_t  *rest;

    rest = ntrip_rest_get(zone, bus, now, candidate->host);

    if (rest == NULL) {
        return 0;
    }

    turn = ngx_max(now * 1000, rest->login);
    rest->login = turn + __atomic_load_n(&zone->pace, __ATOMIC_RELAXED);

    return (turn + 999) / 1000 - now;
}


ngx_uint_t
ntrip_host_version(ntrip_zone_t *zone, const ntrip_candidate_t *candidate)
{
    ntrip_rest_row_t  *rest;

    rest = ntrip_rest_find(zone, candidate->host);

    return rest ? rest->version : 0;
}


void
ntrip_host_learn(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    const ntrip_candidate_t *candidate, ngx_uint_t version)
{
    ntrip_rest_row_t  *rest;

    rest = ntrip_rest_get(zone, bus, now, candidate->host);

    if (rest) {
        rest->version = version;
    }
}


ntrip_lease_row_t *
ntrip_lease_find(ntrip_zone_t *zone, uint64_t source)
{
    uint64_t            hash;
    ntrip_lease_row_t  *lease;

    hash = ntrip_lease_hash(source);

    for (lease = ntrip_table_find(&zone->leases, hash, NULL);
         lease;
         lease = ntrip_table_find(&zone->leases, hash, lease))
    {
        if (lease->source == source) {
            return lease;
        }
    }

    return NULL;
}


ngx_uint_t
ntrip_lease_held(ntrip_zone_t *zone, ntrip_lease_row_t *lease)
{
    ntrip_stream_row_t  *stream;

    if (lease->row.state != NTRIP_LEASE_HELD
        || lease->stream >= zone->streams.n)
    {
        return 0;
    }

    stream = ntrip_stream_row(zone, lease->stream);

    return stream->row.state != NTRIP_ROW_FREE
           && stream->row.serial == lease->serial
           && stream->source == lease->source;
}


ngx_uint_t
ntrip_lease_reclaim(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    ntrip_lease_row_t *lease)
{
    switch (lease->row.state) {

    case NTRIP_LEASE_HELD:
        if (ntrip_lease_held(zone, lease)) {
            return 0;
        }

        break;

    case NTRIP_LEASE_CLOSING:
    case NTRIP_LEASE_TESTING:
        if (ntrip_bus_alive(bus, lease->row.holder)) {
            return 0;
        }

        break;

    default:
        return 0;
    }

    ntrip_lease_rest(lease, now + ngx_max(NTRIP_LEASE_COOL,
                                          ntrip_lease_cooling(zone)),
                     NTRIP_REST_CRASH);

    return 1;
}


static void
ntrip_lease_rest(ntrip_lease_row_t *lease, uint64_t until, ngx_uint_t reason)
{
    lease->until = until;
    lease->reason = reason;

    if (reason != NTRIP_REST_NONE && reason != NTRIP_REST_COOLING) {
        lease->last = reason;
    }

    __atomic_store_n(&lease->row.state, NTRIP_LEASE_IDLE, __ATOMIC_SEQ_CST);

    lease->row.holder = 0;
}


static uint64_t
ntrip_lease_backoff(uint64_t first, uint64_t max, ngx_uint_t failures)
{
    while (failures > 1 && first < max) {
        first *= 2;
        failures--;
    }

    return ngx_min(first, max);
}


static uint64_t
ntrip_lease_hash(uint64_t source)
{
    return ntrip_hash(0, (u_char *) &source, sizeof(uint64_t), 0);
}


static ntrip_rest_row_t *
ntrip_rest_find(ntrip_zone_t *zone, uint64_t key)
{
    return ntrip_table_find(&zone->rests, key, NULL);
}


/* full of hosts that rest: pacing and rests of others are left out, since
   they are courtesy to the provider */

static ntrip_rest_row_t *
ntrip_rest_get(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    uint64_t key)
{
    ngx_uint_t         n;
    ntrip_rest_row_t  *rest;

    rest = ntrip_rest_find(zone, key);

    if (rest) {
        return rest;
    }

    rest = ntrip_table_take(&zone->rests);

    for (n = 0; rest == NULL && n < NTRIP_REST_LOOK; n++) {
        rest = ntrip_table_turn(&zone->rests);

        if (ntrip_rest_idle(rest, now)) {
            ntrip_table_remove(&zone->rests, rest);
            rest = ntrip_table_take(&zone->rests);
            break;
        }

        rest = NULL;
    }

    if (rest == NULL) {
        return NULL;
    }

    rest->until = 0;
    rest->login = 0;
    rest->refused = 0;
    rest->source = 0;
    rest->version = 0;
    rest->reason = NTRIP_REST_NONE;
    rest->failures = 0;

    ntrip_table_publish(&zone->rests, rest, key, ntrip_bus_next_serial(bus),
                        0, 1);

    return rest;
}


static ngx_uint_t
ntrip_rest_idle(ntrip_rest_row_t *rest, uint64_t now)
{
    return rest->until <= now
           && rest->login <= now * 1000
           && now - rest->refused >= NTRIP_REST_MIN;
}
