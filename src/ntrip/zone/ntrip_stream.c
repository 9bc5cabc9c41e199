
#include <ngx_config.h>
#include <ngx_core.h>

#include <math.h>

#include "ntrip_zone.h"


static uint64_t ntrip_stream_hash(ntrip_bus_t *bus, const ntrip_want_t *want);
static ntrip_stream_row_t *ntrip_stream_nearest(ntrip_zone_t *zone,
    uint64_t hash, const ntrip_want_t *want, double *distance);
static ngx_uint_t ntrip_stream_same(ntrip_stream_row_t *stream,
    const ntrip_want_t *want);
static void ntrip_stream_fill(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint32_t index, uint64_t me, uint64_t now, const ntrip_want_t *want);
static void ntrip_stream_found(ntrip_zone_t *zone, ntrip_stream_row_t *stream,
    uint64_t me, const ntrip_want_t *want, ntrip_found_t *found);
static void ntrip_stream_set_slot(ntrip_stream_row_t *stream,
    ngx_uint_t slot);


ngx_int_t
ntrip_stream_attach(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t me,
    uint64_t now, const ntrip_want_t *want, ntrip_found_t *found)
{
    double               distance;
    ntrip_stream_row_t  *stream;

    distance = 0;
    stream = ntrip_stream_nearest(zone, ntrip_stream_hash(bus, want), want,
                                  &distance);

    if (stream) {
        found->distance = distance;
        ntrip_stream_found(zone, stream, me, want, found);

        return (!want->station
                && ntrip_stream_claim(zone, me, found->index, found->serial)
                   == NGX_OK) ? NGX_OK : NGX_DONE;
    }

    stream = ntrip_stream_new(zone, bus, me, now, want);

    if (stream == NULL) {
        return NGX_ERROR;
    }

    found->distance = 0;
    ntrip_stream_found(zone, stream, me, want, found);

    return want->station ? NGX_DONE : NGX_OK;
}


ntrip_stream_row_t *
ntrip_stream_find(ntrip_zone_t *zone, ntrip_bus_t *bus,
    const ntrip_want_t *want)
{
    double  distance;

    return ntrip_stream_nearest(zone, ntrip_stream_hash(bus, want), want,
                                &distance);
}


ntrip_stream_row_t *
ntrip_stream_new(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t me,
    uint64_t now, const ntrip_want_t *want)
{
    uint32_t             index;
    uint64_t             serial;
    ntrip_stream_row_t  *stream;

    stream = ntrip_table_take(&zone->streams);

    if (stream == NULL) {
        return NULL;
    }

    index = ntrip_table_index(&zone->streams, stream);

    ntrip_stream_fill(zone, bus, index, me, now, want);

    serial = ntrip_bus_next_serial(bus);

    ntrip_table_publish(&zone->streams, stream,
                        ntrip_hash(0, (u_char *) &serial, sizeof(uint64_t),
                                   0),
                        serial, want->station ? 0 : me,
                        want->station ? NTRIP_STREAM_ORPHAN
                                      : NTRIP_STREAM_OPENING);

    ntrip_group_join(&zone->places, index, ntrip_stream_hash(bus, want),
                     serial);

    return stream;
}


static void
ntrip_stream_found(ntrip_zone_t *zone, ntrip_stream_row_t *stream,
    uint64_t me, const ntrip_want_t *want, ntrip_found_t *found)
{
    ntrip_ring_t  *ring;

    found->index = ntrip_table_index(&zone->streams, stream);
    found->serial = stream->row.serial;

    ntrip_stream_set_slot(stream, ntrip_holder_slot(me));

    ring = ntrip_stream_ring(zone, found->index);
    found->position = ring ? ntrip_ring_head(ring) : 0;

    if (want->session != NTRIP_ROW_NONE) {
        ntrip_session_join(zone, want->session, want->login, found->index,
                           found->serial);
    }
}


static uint64_t
ntrip_stream_hash(ntrip_bus_t *bus, const ntrip_want_t *want)
{
    uint64_t  hash;

    hash = ntrip_hash(bus->seed, want->pool.data, want->pool.len, 0);
    hash = ntrip_hash(hash, want->mount.data, want->mount.len, 0);

    return ntrip_hash(hash, (u_char *) &want->port, sizeof(uint32_t), 0);
}


static ntrip_stream_row_t *
ntrip_stream_nearest(ntrip_zone_t *zone, uint64_t hash,
    const ntrip_want_t *want, double *distance)
{
    double               d;
    uint32_t             i, reach;
    ntrip_point_t        reference;
    ntrip_stream_row_t  *stream, *best;

    if (want->share == NTRIP_SHARE_NONE) {
        return NULL;
    }

    best = NULL;

    reach = want->mail ? ntrip_point_reach(want->mail->point, want->share)
                       : 0;

    for (i = ntrip_group_first(&zone->places, hash);
         i != NTRIP_ROW_NONE;
         i = stream->place.next)
    {
        stream = ntrip_stream_row(zone, i);

        if (stream->row.state == NTRIP_STREAM_FAILED) {
            continue;
        }

        if (want->share == NTRIP_SHARE_ALL) {
            if (ntrip_stream_same(stream, want)) {
                return stream;
            }

            continue;
        }

        reference = __atomic_load_n(&stream->reference, __ATOMIC_ACQUIRE);

        if (ntrip_point_beyond(reference, want->mail->point, want->share)
            || ntrip_point_aside(reference, want->mail->point, reach))
        {
            continue;
        }

        d = ntrip_point_distance(reference, want->mail->point);

        if (d <= want->share
            && (best == NULL || d < *distance)
            && ntrip_stream_same(stream, want))
        {
            best = stream;
            *distance = d;
        }
    }

    return best;
}


/* the hash is the same: so is it all */

static ngx_uint_t
ntrip_stream_same(ntrip_stream_row_t *stream, const ntrip_want_t *want)
{
    return stream->port == want->port
           && stream->mount_len == want->mount.len
           && stream->pool_len == want->pool.len
           && ngx_memcmp(stream->mount, want->mount.data, want->mount.len)
              == 0
           && (want->pool.len == 0
               || ngx_memcmp(stream->pool, want->pool.data, want->pool.len)
                  == 0);
}


static void
ntrip_stream_fill(ntrip_zone_t *zone, ntrip_bus_t *bus, uint32_t index,
    uint64_t me, uint64_t now, const ntrip_want_t *want)
{
    ngx_uint_t           i;
    ntrip_stream_row_t  *stream;

    stream = ntrip_stream_row(zone, index);

    stream->place.key = 0;
    stream->line.key = 0;
    stream->head.key = 0;
    stream->waiting = 0;
    stream->called = 0;
    stream->tried = 0;
    stream->moved = 0;
    stream->looked = 0;
    stream->frees = 0;

    stream->epoch++;
    stream->ring = NTRIP_ROW_NONE;
    stream->start = 0;
    stream->lead = want->mail ? want->login : 0;
    stream->source = 0;
    stream->reference = want->mail ? want->mail->point : NTRIP_POINT_NONE;
    stream->created = now;
    stream->data = 0;
    stream->bytes = 0;
    stream->counting = 0;
    stream->messages = 0;
    stream->port = want->port;
    stream->format = want->format;
    stream->gga = want->gga;
    stream->station = want->station;
    stream->guest = 0;
    stream->kept_until = 0;
    stream->since = 0;
    stream->asked = 0;
    stream->facts.seq = 0;
    stream->label_len = 0;

    stream->mount_len = ngx_min(want->mount.len, NTRIP_MOUNT_MAX);
    ngx_memcpy(stream->mount, want->mount.data, stream->mount_len);

    stream->pool_len = ngx_min(want->pool.len, NTRIP_POOLS_MAX);

    if (stream->pool_len) {
        ngx_memcpy(stream->pool, want->pool.data, stream->pool_len);
    }

    stream->pool_hash = ntrip_hash(bus->seed, stream->pool, stream->pool_len,
                                   0);

    for (i = 0; i < NTRIP_SLOT_WORDS; i++) {
        stream->slots[i] = 0;
    }

    stream->logins = 0;
    ngx_memzero(&stream->seen, sizeof(ntrip_seen_t));

    ntrip_mailbox_init(&stream->mail);

    if (want->mail) {
        (void) ntrip_mailbox_write(&stream->mail, me, 0, want->mail);
    }
}


ngx_int_t
ntrip_stream_rejoin(ntrip_zone_t *zone, uint64_t me, uint32_t index,
    uint64_t serial)
{
    ntrip_stream_row_t  *stream;

    if (index >= zone->streams.n) {
        return NGX_DECLINED;
    }

    stream = ntrip_stream_row(zone, index);

    if (stream->row.state == NTRIP_ROW_FREE
        || stream->row.state == NTRIP_STREAM_FAILED
        || stream->row.serial != serial)
    {
        return NGX_DECLINED;
    }

    ntrip_stream_set_slot(stream, ntrip_holder_slot(me));

    return NGX_OK;
}


void
ntrip_stream_detach(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t me,
    uint64_t now, uint32_t index, uint64_t serial, ngx_uint_t moved,
    ntrip_slots_t *wake)
{
    ngx_uint_t           slot;
    ntrip_stream_row_t  *stream;

    stream = ntrip_stream_row(zone, index);

    if (stream->row.state == NTRIP_ROW_FREE || stream->row.serial != serial) {
        return;
    }

    __atomic_store_n(&stream->moved, moved, __ATOMIC_SEQ_CST);

    slot = ntrip_holder_slot(me);

    __atomic_fetch_and(&stream->slots[slot / 64],
                       ~((uint64_t) 1 << (slot % 64)), __ATOMIC_SEQ_CST);

    if (ntrip_bus_alive(bus, stream->row.holder)) {
        slot = ntrip_holder_slot(stream->row.holder);
        ntrip_bus_mark(bus, slot, index);
        ntrip_slots_add(wake, slot);
        return;
    }

    ntrip_stream_reap(zone, bus, now, index, wake);
}


ngx_int_t
ntrip_stream_take_ring(ntrip_zone_t *zone, uint64_t me, uint32_t index,
    uint64_t serial)
{
    uint32_t             ring, *next;
    ntrip_ring_t        *r;
    ntrip_stream_row_t  *stream;

    stream = ntrip_stream_row(zone, index);

    if (!ntrip_stream_owned(zone, me, index, serial)) {
        return NGX_DECLINED;
    }

    if (stream->ring != NTRIP_ROW_NONE) {
        return NGX_OK;
    }

    ring = zone->ring_free;

    if (ring == NTRIP_ROW_NONE) {
        return NGX_ERROR;
    }

    next = (uint32_t *) ((u_char *) zone + zone->ring_next);
    zone->ring_free = next[ring];

    r = ntrip_zone_ring(zone, ring);

    ntrip_ring_reset(r);

    stream->start = ntrip_ring_head(r);
    __atomic_store_n(&stream->ring, ring, __ATOMIC_SEQ_CST);

    return NGX_OK;
}


void
ntrip_stream_live(ntrip_zone_t *zone, uint32_t index, const ngx_str_t *label)
{
    ntrip_stream_row_t  *stream;

    stream = ntrip_stream_row(zone, index);

    stream->label_len = ngx_min(label->len, NTRIP_LABEL_MAX);
    ngx_memcpy(stream->label, label->data, stream->label_len);
    stream->logins++;

    ntrip_usage_stream(zone, stream, 1);
    ntrip_usage_start(zone, &stream->counted, stream->bytes);
    stream->counting = stream->station ? 1 : stream->source;

    __atomic_store_n(&stream->row.state, NTRIP_STREAM_LIVE, __ATOMIC_SEQ_CST);
}


void
ntrip_stream_reopen(ntrip_zone_t *zone, uint32_t index)
{
    ntrip_stream_row_t  *stream;

    stream = ntrip_stream_row(zone, index);

    stream->epoch++;

    ntrip_usage_stream(zone, stream, 1);

    __atomic_store_n(&stream->row.state, NTRIP_STREAM_OPENING,
                     __ATOMIC_SEQ_CST);
}


void
ntrip_stream_fail(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    uint32_t index, ntrip_slots_t *wake)
{
    ntrip_stream_row_t  *stream;

    if (!ntrip_stream_wanted(zone, index)) {
        ntrip_stream_remove(zone, bus, now, index, wake);
        return;
    }

    stream = ntrip_stream_row(zone, index);

    ntrip_usage_stream(zone, stream, 1);

    __atomic_store_n(&stream->row.state, NTRIP_STREAM_FAILED,
                     __ATOMIC_SEQ_CST);

    /* without an owner, the last one to detach frees it */

    __atomic_store_n(&stream->row.holder, 0, __ATOMIC_SEQ_CST);

    ntrip_wait_end(zone, bus, index, now, wake);
    ntrip_stream_mark(zone, bus, index, wake);
}


ngx_int_t
ntrip_stream_orphan(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t me,
    uint64_t now, uint32_t index, uint64_t serial, ngx_uint_t keep,
    ntrip_slots_t *wake)
{
    ntrip_stream_row_t  *stream;

    if (!ntrip_stream_owned(zone, me, index, serial)) {
        return NGX_DECLINED;
    }

    if (!keep || !ntrip_stream_wanted(zone, index)) {
        ntrip_lease_forsake(zone, bus, now, index, wake);
    }

    if (!ntrip_stream_wanted(zone, index)) {
        ntrip_stream_remove(zone, bus, now, index, wake);
        return NGX_OK;
    }

    stream = ntrip_stream_row(zone, index);

    ntrip_usage_stream(zone, stream, 1);

    stream->row.heir = 0;
    __atomic_store_n(&stream->row.state, NTRIP_STREAM_ORPHAN,
                     __ATOMIC_SEQ_CST);
    __atomic_store_n(&stream->row.holder, 0, __ATOMIC_SEQ_CST);

    ntrip_stream_mark(zone, bus, index, wake);

    return NGX_OK;
}


ngx_uint_t
ntrip_stream_others(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t me,
    uint32_t index)
{
    ngx_uint_t           slot;
    ntrip_stream_row_t  *stream;

    stream = ntrip_stream_row(zone, index);

    for (slot = 0; slot < NTRIP_SLOTS; slot++) {
        if (slot != ntrip_holder_slot(me)
            && ntrip_slots_has((ntrip_slots_t *) stream->slots, slot)
            && __atomic_load_n(&bus->slots[slot].holder, __ATOMIC_ACQUIRE)
            && !__atomic_load_n(&bus->slots[slot].exiting, __ATOMIC_ACQUIRE))
        {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ntrip_stream_close(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t me,
    uint64_t now, uint32_t index, ntrip_slots_t *wake)
{
    if (ntrip_stream_wanted(zone, index)) {
        return NGX_DECLINED;
    }

    ntrip_lease_closing(zone, me, index);
    ntrip_stream_remove(zone, bus, now, index, wake);

    return NGX_OK;
}


void
ntrip_stream_remove(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    uint32_t index, ntrip_slots_t *wake)
{
    uint32_t             ring, *next;
    ntrip_stream_row_t  *stream;

    stream = ntrip_stream_row(zone, index);
    ring = stream->ring;

    ntrip_usage_stream(zone, stream, 1);

    /* a lease of an owner who has died is left to the sweep */

    if (stream->row.state == NTRIP_STREAM_ORPHAN) {
        ntrip_lease_forsake(zone, bus, now, index, wake);
    }

    ntrip_wait_end(zone, bus, index, now, wake);

    ntrip_group_leave(&zone->places, index);
    ntrip_table_remove(&zone->streams, stream);

    if (ring != NTRIP_ROW_NONE) {
        next = (uint32_t *) ((u_char *) zone + zone->ring_next);
        next[ring] = zone->ring_free;
        zone->ring_free = ring;
    }
}


void
ntrip_stream_rebuild(ntrip_zone_t *zone)
{
    uint32_t             i, *next;
    ntrip_stream_row_t  *stream;

    next = (uint32_t *) ((u_char *) zone + zone->ring_next);

    for (i = 0; i < zone->nrings; i++) {
        next[i] = i;
    }

    for (i = 0; i < zone->streams.n; i++) {
        stream = ntrip_stream_row(zone, i);

        if (stream->row.state != NTRIP_ROW_FREE
            && stream->ring < zone->nrings)
        {
            next[stream->ring] = NTRIP_ROW_NONE;
        }
    }

    zone->ring_free = NTRIP_ROW_NONE;

    for (i = zone->nrings; i-- > 0; /* void */) {
        if (next[i] == i) {
            next[i] = zone->ring_free;
            zone->ring_free = i;
        }
    }
}


ngx_int_t
ntrip_stream_claim(ntrip_zone_t *zone, uint64_t me, uint32_t index,
    uint64_t serial)
{
    ntrip_lease_row_t   *lease;
    ntrip_stream_row_t  *stream;

    stream = ntrip_stream_row(zone, index);

    if (stream->row.state != NTRIP_STREAM_ORPHAN
        || stream->row.serial != serial)
    {
        return NGX_DECLINED;
    }

    /* killed in between: it has a dead owner again, hence is an orphan */

    stream->epoch++;
    stream->label_len = 0;

    lease = stream->source ? ntrip_lease_find(zone, stream->source) : NULL;

    if (lease == NULL || !ntrip_lease_held(zone, lease)) {
        __atomic_store_n(&stream->source, 0, __ATOMIC_SEQ_CST);
    }

    __atomic_store_n(&stream->row.holder, me, __ATOMIC_SEQ_CST);
    __atomic_store_n(&stream->row.state, NTRIP_STREAM_OPENING,
                     __ATOMIC_SEQ_CST);

    return NGX_OK;
}


ngx_int_t
ntrip_stream_accept(ntrip_zone_t *zone, uint64_t me, uint32_t index,
    uint64_t serial, uint64_t nonce)
{
    ntrip_stream_row_t  *stream;

    if (index >= zone->streams.n) {
        return NGX_DECLINED;
    }

    stream = ntrip_stream_row(zone, index);

    if (stream->row.state != NTRIP_STREAM_LIVE
        || ntrip_row_accept(&stream->row, me, serial, nonce) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    stream->epoch++;

    return NGX_OK;
}


void
ntrip_stream_reap(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    uint32_t index, ntrip_slots_t *wake)
{
    ntrip_stream_row_t  *stream;

    stream = ntrip_stream_row(zone, index);

    if ((stream->row.state == NTRIP_STREAM_FAILED
         || stream->row.state == NTRIP_STREAM_ORPHAN)
        && !ntrip_bus_alive(bus, stream->row.holder)
        && !ntrip_stream_wanted(zone, index))
    {
        ntrip_stream_remove(zone, bus, now, index, wake);
    }
}


ngx_uint_t
ntrip_stream_owned(ntrip_zone_t *zone, uint64_t me, uint32_t index,
    uint64_t serial)
{
    ntrip_stream_row_t  *stream;

    stream = ntrip_stream_row(zone, index);

    return __atomic_load_n(&stream->row.holder, __ATOMIC_ACQUIRE) == me
           && __atomic_load_n(&stream->row.serial, __ATOMIC_ACQUIRE) == serial
           && __atomic_load_n(&stream->row.state, __ATOMIC_ACQUIRE)
              != NTRIP_ROW_FREE;
}


void
ntrip_stream_mark(ntrip_zone_t *zone, ntrip_bus_t *bus, uint32_t index,
    ntrip_slots_t *wake)
{
    uint64_t             bits;
    ngx_uint_t           i, slot;
    ntrip_stream_row_t  *stream;

    stream = ntrip_stream_row(zone, index);

    for (i = 0; i < NTRIP_SLOT_WORDS; i++) {
        bits = __atomic_load_n(&stream->slots[i], __ATOMIC_SEQ_CST);

        while (bits) {
            slot = i * 64 + __builtin_ctzll(bits);
            bits &= bits - 1;

            ntrip_bus_mark(bus, slot, index);
            ntrip_slots_add(wake, slot);
        }
    }
}


ntrip_stream_row_t *
ntrip_stream_row(ntrip_zone_t *zone, uint32_t index)
{
    return ntrip_table_row(&zone->streams, index);
}


ntrip_ring_t *
ntrip_stream_ring(ntrip_zone_t *zone, uint32_t index)
{
    uint32_t  ring;

    ring = __atomic_load_n(&ntrip_stream_row(zone, index)->ring,
                           __ATOMIC_ACQUIRE);

    return (ring < zone->nrings) ? ntrip_zone_ring(zone, ring) : NULL;
}


uint64_t
ntrip_stream_elect(ntrip_zone_t *zone, ntrip_bus_t *bus, uint32_t index)
{
    double                d, best;
    uint32_t              i;
    uint64_t              lead, none;
    ngx_uint_t            n;
    ntrip_point_t         point, reference;
    ntrip_stream_row_t   *stream;
    ntrip_session_row_t  *session;

    stream = ntrip_stream_row(zone, index);
    reference = __atomic_load_n(&stream->reference, __ATOMIC_ACQUIRE);

    lead = 0;
    best = 0;
    i = ntrip_group_first(&zone->members, stream->row.serial);

    for (n = 0; n < NTRIP_STREAM_ELECT && i != NTRIP_ROW_NONE; n++) {
        session = ntrip_session_row(zone, i);
        i = session->member.next;

        point = __atomic_load_n(&session->position, __ATOMIC_ACQUIRE);

        if (point == NTRIP_POINT_NONE
            || !ntrip_bus_alive(bus, session->row.holder)
            || (lead && reference != NTRIP_POINT_NONE
                && ntrip_point_beyond(reference, point, best)))
        {
            continue;
        }

        d = (reference == NTRIP_POINT_NONE)
            ? (double) session->login
            : ntrip_point_distance(reference, point);

        if (lead == 0 || d < best) {
            lead = session->login;
            best = d;
        }
    }

    none = 0;

    if (lead
        && !__atomic_compare_exchange_n(&stream->lead, &none, lead, 0,
                                        __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    {
        return none;
    }

    return lead;
}


ngx_uint_t
ntrip_stream_unlead(ntrip_zone_t *zone, uint32_t index, uint64_t login)
{
    ntrip_stream_row_t  *stream;

    stream = ntrip_stream_row(zone, index);

    return login != 0
           && __atomic_compare_exchange_n(&stream->lead, &login, 0, 0,
                                          __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE);
}


double
ntrip_point_distance(ntrip_point_t a, ntrip_point_t b)
{
    ntrip_gga_t       g;
    ntrip_position_t  p, q;

    if (a == NTRIP_POINT_NONE || b == NTRIP_POINT_NONE) {
        return 1e9;
    }

    ngx_memzero(&g, sizeof(ntrip_gga_t));

    g.latitude = ntrip_point_lat(a) / 1e7;
    g.longitude = ntrip_point_lon(a) / 1e7;
    ntrip_gga_position(&p, &g);

    g.latitude = ntrip_point_lat(b) / 1e7;
    g.longitude = ntrip_point_lon(b) / 1e7;
    ntrip_gga_position(&q, &g);

    return ntrip_position_distance(&p, &q);
}


/*
 * A chord is longest for its angle where that is small: for 180 degrees the
 * axis of the earth, 12713 km, is left of it, so that no degree has less than
 * 70 km.
 */

ngx_uint_t
ntrip_point_beyond(ntrip_point_t a, ntrip_point_t b, double distance)
{
    double  degrees;

    degrees = (ntrip_point_lat(a) - (double) ntrip_point_lat(b)) / 1e7;

    return fabs(degrees) * 70000 > distance;
}


/*
 * On the parallel that is nearest to a pole and still within reach, a degree is
 * shortest: there, a chord is at least 2 / pi of its arc.
 */

uint32_t
ntrip_point_reach(ntrip_point_t a, double distance)
{
    double  lat, degree, reach;

    lat = fabs(ntrip_point_lat(a) / 1e7) + distance / 70000;

    if (lat >= 89) {
        return NGX_MAX_UINT32_VALUE;
    }

    degree = 6378000 * cos(lat * M_PI / 180) * M_PI / 180 * 2 / M_PI;
    reach = distance / degree * 1e7;

    return (reach < 1800000000) ? (uint32_t) reach + 1 : NGX_MAX_UINT32_VALUE;
}


ngx_uint_t
ntrip_point_aside(ntrip_point_t a, ntrip_point_t b, uint32_t reach)
{
    int64_t  degrees;

    degrees = (int64_t) ntrip_point_lon(a) - ntrip_point_lon(b);

    if (degrees < 0) {
        degrees = -degrees;
    }

    /* the other way round */

    if (degrees > 1800000000) {
        degrees = 3600000000 - degrees;
    }

    return degrees > (int64_t) reach;
}


ngx_uint_t
ntrip_stream_wanted(ntrip_zone_t *zone, uint32_t index)
{
    uint64_t             bits;
    ngx_uint_t           i;
    ntrip_stream_row_t  *stream;

    stream = ntrip_stream_row(zone, index);
    bits = 0;

    for (i = 0; i < NTRIP_SLOT_WORDS; i++) {
        bits |= __atomic_load_n(&stream->slots[i], __ATOMIC_SEQ_CST);
    }

    return bits != 0;
}


static void
ntrip_stream_set_slot(ntrip_stream_row_t *stream, ngx_uint_t slot)
{
    __atomic_fetch_or(&stream->slots[slot / 64], (uint64_t) 1 << (slot % 64),
                      __ATOMIC_SEQ_CST);
}
