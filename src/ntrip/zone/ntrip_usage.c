
#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_zone.h"


static ntrip_usage_row_t *ntrip_usage_row(ntrip_zone_t *zone, uint64_t hash,
    ntrip_usage_kind_e kind, uint32_t day, const ngx_str_t *name);
static ntrip_usage_row_t *ntrip_usage_new(ntrip_zone_t *zone, uint64_t hash,
    ntrip_usage_kind_e kind, uint32_t day, const ngx_str_t *name);
static uint64_t ntrip_usage_hash(ntrip_usage_kind_e kind, uint32_t day,
    const ngx_str_t *name);
static uint64_t ntrip_usage_seconds(ntrip_zone_t *zone,
    ntrip_counted_t *counted, ngx_uint_t last);
static ngx_uint_t ntrip_usage_same(const ntrip_usage_t *a,
    const ntrip_usage_t *b);
static void ntrip_usage_item(ntrip_usage_row_t *row,
    ntrip_usage_item_t *item);


void
ntrip_usage_clock(ntrip_zone_t *zone, uint64_t now, uint64_t day)
{
    __atomic_store_n(&zone->meter.now, now, __ATOMIC_RELAXED);
    __atomic_store_n(&zone->meter.day, day, __ATOMIC_RELAXED);
}


void
ntrip_usage_start(ntrip_zone_t *zone, ntrip_counted_t *counted,
    uint64_t bytes)
{
    counted->begun = 0;
    counted->since = zone->meter.now;
    counted->ended = 0;
    counted->bytes = bytes;
}


/* the marks are moved before anything is added */

ngx_int_t
ntrip_usage_count(ntrip_zone_t *zone, ntrip_usage_kind_e kind,
    const ngx_str_t *name, ntrip_counted_t *counted, uint64_t bytes,
    ngx_uint_t last)
{
    uint32_t            day;
    uint64_t            hash;
    ntrip_usage_t       add;
    ntrip_usage_row_t  *row;

    add.sessions = !counted->begun;
    add.seconds = ntrip_usage_seconds(zone, counted, last);
    add.bytes = bytes > counted->bytes ? bytes - counted->bytes : 0;

    if (add.sessions == 0 && add.seconds == 0 && add.bytes == 0) {
        return NGX_OK;
    }

    __atomic_store_n(&counted->begun, 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&counted->since, counted->since + add.seconds * 1000,
                     __ATOMIC_SEQ_CST);
    __atomic_store_n(&counted->bytes, counted->bytes + add.bytes,
                     __ATOMIC_SEQ_CST);

    day = (uint32_t) zone->meter.day;
    hash = ntrip_usage_hash(kind, day, name);

    row = ntrip_usage_row(zone, hash, kind, day, name);

    if (row == NULL) {
        row = ntrip_usage_new(zone, hash, kind, day, name);
    }

    if (row == NULL) {
        zone->meter.lost++;
        return NGX_ERROR;
    }

    row->used.sessions += add.sessions;
    row->used.seconds += add.seconds;
    row->used.bytes += add.bytes;

    return NGX_OK;
}


/* whole ones: what is left over stays with the next time */

static uint64_t
ntrip_usage_seconds(ntrip_zone_t *zone, ntrip_counted_t *counted,
    ngx_uint_t last)
{
    uint64_t  now;

    now = counted->ended ? counted->ended : zone->meter.now;

    if (now <= counted->since) {
        return 0;
    }

    return (now - counted->since + (last ? 500 : 0)) / 1000;
}


static ntrip_usage_row_t *
ntrip_usage_row(ntrip_zone_t *zone, uint64_t hash, ntrip_usage_kind_e kind,
    uint32_t day, const ngx_str_t *name)
{
    ntrip_usage_row_t  *row;

    row = NULL;

    while ((row = ntrip_table_find(&zone->usage, hash, row)) != NULL) {

        if (row->kind == kind
            && row->day == day
            && row->name_len == name->len
            && ngx_memcmp(row->name, name->data, name->len) == 0)
        {
            return row;
        }
    }

    return NULL;
}


static ntrip_usage_row_t *
ntrip_usage_new(ntrip_zone_t *zone, uint64_t hash, ntrip_usage_kind_e kind,
    uint32_t day, const ngx_str_t *name)
{
    ntrip_usage_row_t  *row;

    row = ntrip_table_take(&zone->usage);

    if (row == NULL) {
        return NULL;
    }

    ngx_memzero(&row->used, sizeof(ntrip_usage_t));
    ngx_memzero(&row->taken, sizeof(ntrip_usage_t));
    ngx_memzero(&row->written, sizeof(ntrip_usage_t));

    row->batch = 0;
    row->day = day;
    row->kind = kind;
    row->name_len = ngx_min(name->len, NTRIP_USER_MAX);
    ngx_memcpy(row->name, name->data, row->name_len);

    ntrip_table_publish(&zone->usage, row, hash, 1, 0, NTRIP_USAGE_USED);

    /* at half of the table nobody waits for the minute */

    if (zone->usage.used == zone->usage.n / 2) {
        __atomic_store_n(&zone->meter.due, 0, __ATOMIC_RELAXED);
    }

    return row;
}


static uint64_t
ntrip_usage_hash(ntrip_usage_kind_e kind, uint32_t day, const ngx_str_t *name)
{
    uint64_t  seed;

    seed = (uint64_t) day << 8 | kind;

    return ntrip_hash(seed, name->data, name->len, 0);
}


void
ntrip_usage_stream(ntrip_zone_t *zone, ntrip_stream_row_t *stream,
    ngx_uint_t last)
{
    u_char              buf[NGX_INT64_LEN];
    uint64_t            account;
    ngx_str_t           name;
    ntrip_usage_kind_e  kind;

    account = stream->counting;

    if (account == 0) {
        return;
    }

    if (stream->station) {
        kind = NTRIP_USAGE_STATION;
        name.data = stream->mount;
        name.len = stream->mount_len;

    } else {
        kind = NTRIP_USAGE_ACCOUNT;
        name.data = buf;
        name.len = ngx_sprintf(buf, "%uL", account) - buf;
    }

    (void) ntrip_usage_count(zone, kind, &name, &stream->counted,
                             stream->bytes, last);

    if (last) {
        stream->counting = 0;
    }
}


ngx_uint_t
ntrip_usage_room(ntrip_zone_t *zone, const ngx_str_t *user)
{
    uint32_t  day;

    if (zone->usage.used < zone->usage.n
        || zone->sessions.used > zone->sessions.n / 4 * 3)
    {
        return 1;
    }

    day = (uint32_t) zone->meter.day;

    return ntrip_usage_row(zone, ntrip_usage_hash(NTRIP_USAGE_USER, day, user),
                           NTRIP_USAGE_USER, day, user)
           != NULL;
}


void
ntrip_usage_pending(ntrip_zone_t *zone, ntrip_bus_t *bus,
    const ngx_str_t *user, ntrip_usage_t *used)
{
    uint32_t              i, day;
    uint64_t              bytes;
    ngx_uint_t            n;
    ntrip_usage_row_t    *row;
    ntrip_session_row_t  *session;

    ngx_memzero(used, sizeof(ntrip_usage_t));

    day = (uint32_t) zone->meter.day;

    /* and what yesterday has left */

    for (n = 0; n < 2; n++, day--) {
        row = ntrip_usage_row(zone,
                              ntrip_usage_hash(NTRIP_USAGE_USER, day, user),
                              NTRIP_USAGE_USER, day, user);

        if (row) {
            used->sessions += row->used.sessions - row->written.sessions;
            used->seconds += row->used.seconds - row->written.seconds;
            used->bytes += row->used.bytes - row->written.bytes;
        }
    }

    i = ntrip_group_first(&zone->users,
                          ntrip_hash(bus->seed, user->data, user->len, 0));

    for (n = 0; n < NTRIP_SESSION_LOOK && i != NTRIP_ROW_NONE; n++) {
        session = ntrip_session_row(zone, i);
        bytes = session->bytes;

        used->seconds += ntrip_usage_seconds(zone, &session->counted, 0);
        used->bytes += bytes > session->counted.bytes
                       ? bytes - session->counted.bytes : 0;

        i = session->user_link.next;
    }
}


ngx_uint_t
ntrip_usage_due(ntrip_zone_t *zone, ntrip_bus_t *bus)
{
    uint64_t  holder;

    if (__atomic_load_n(&zone->meter.due, __ATOMIC_RELAXED)
        > __atomic_load_n(&zone->meter.now, __ATOMIC_RELAXED))
    {
        return 0;
    }

    holder = __atomic_load_n(&zone->meter.holder, __ATOMIC_ACQUIRE);

    return holder == 0 || !ntrip_bus_alive(bus, holder);
}


ngx_int_t
ntrip_usage_begin(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t me)
{
    if (!ntrip_usage_due(zone, bus)) {
        return NGX_DECLINED;
    }

    __atomic_store_n(&zone->meter.holder, me, __ATOMIC_SEQ_CST);

    return NGX_OK;
}


void
ntrip_usage_end(ntrip_zone_t *zone, uint64_t me, uint64_t due)
{
    if (zone->meter.holder == me) {
        __atomic_store_n(&zone->meter.due, due, __ATOMIC_SEQ_CST);
        __atomic_store_n(&zone->meter.holder, 0, __ATOMIC_SEQ_CST);
    }
}


/* sessions, and behind them streams */

ngx_int_t
ntrip_usage_collect(ntrip_zone_t *zone, uint32_t *next)
{
    uint32_t              n, end;
    ngx_str_t             name;
    ntrip_stream_row_t   *stream;
    ntrip_session_row_t  *session;

    end = zone->sessions.n + zone->streams.n;

    for (n = 0; n < NTRIP_SWEEP_STEP && *next < end; n++) {

        if (zone->usage.used >= zone->usage.n / 2) {
            return NGX_OK;
        }

        if (*next >= zone->sessions.n) {
            stream = ntrip_stream_row(zone, *next - zone->sessions.n);

            if (stream->row.state != NTRIP_ROW_FREE) {
                ntrip_usage_stream(zone, stream, 0);
            }

            (*next)++;
            continue;
        }

        session = ntrip_session_row(zone, (*next)++);

        if (session->row.state == NTRIP_SESSION_OPEN) {
            name.data = session->user;
            name.len = session->user_len;

            (void) ntrip_usage_count(zone, NTRIP_USAGE_USER, &name,
                                     &session->counted, session->bytes, 0);
        }
    }

    return *next < end ? NGX_AGAIN : NGX_DONE;
}


ngx_int_t
ntrip_usage_take(ntrip_zone_t *zone, uint32_t *next,
    ntrip_usage_item_t *items, ngx_uint_t *n)
{
    uint32_t            i, end, last;
    ntrip_meter_t      *meter;
    ntrip_usage_row_t  *row;

    meter = &zone->meter;

    if (*next == 0 && meter->state == NTRIP_METER_TAKING) {

        /* what was taken by the one that died is none of this batch */

        __atomic_store_n(&meter->from, 0, __ATOMIC_SEQ_CST);
        __atomic_store_n(&meter->batch, meter->batch + 1, __ATOMIC_SEQ_CST);
    }

    if (meter->state == NTRIP_METER_IDLE) {
        __atomic_store_n(&meter->from, *next, __ATOMIC_SEQ_CST);
        __atomic_store_n(&meter->state, NTRIP_METER_TAKING, __ATOMIC_SEQ_CST);
    }

    end = zone->usage.n;

    if (meter->state == NTRIP_METER_TAKEN) {
        *next = (uint32_t) ngx_max(*next, meter->from);
        end = (uint32_t) meter->to;
    }

    last = ngx_min(*next + NTRIP_SWEEP_STEP, end);

    for (i = *next; i < last && *n < NTRIP_USAGE_BATCH; i++) {
        row = ntrip_table_row(&zone->usage, i);

        if (row->row.state == NTRIP_ROW_FREE) {
            continue;
        }

        if (meter->state == NTRIP_METER_TAKING) {

            if (ntrip_usage_same(&row->used, &row->written)) {
                continue;
            }

            row->taken = row->used;
            __atomic_store_n(&row->batch, meter->batch, __ATOMIC_SEQ_CST);

        } else if (row->batch != meter->batch
                   || ntrip_usage_same(&row->taken, &row->written))
        {
            continue;
        }

        ntrip_usage_item(row, &items[(*n)++]);
    }

    *next = i;

    if (i < end && *n < NTRIP_USAGE_BATCH) {
        return NGX_AGAIN;
    }

    if (*n == 0 && meter->state == NTRIP_METER_TAKING) {
        __atomic_store_n(&meter->state, NTRIP_METER_IDLE, __ATOMIC_SEQ_CST);
        return NGX_DONE;
    }

    if (meter->state == NTRIP_METER_TAKING) {
        __atomic_store_n(&meter->to, i, __ATOMIC_SEQ_CST);
        __atomic_store_n(&meter->state, NTRIP_METER_TAKEN, __ATOMIC_SEQ_CST);
    }

    return NGX_OK;
}


static void
ntrip_usage_item(ntrip_usage_row_t *row, ntrip_usage_item_t *item)
{
    item->used.sessions = row->taken.sessions - row->written.sessions;
    item->used.seconds = row->taken.seconds - row->written.seconds;
    item->used.bytes = row->taken.bytes - row->written.bytes;

    item->day = row->day;
    item->kind = row->kind;
    item->name_len = row->name_len;
    ngx_memcpy(item->name, row->name, row->name_len);
}


/* whoever dies in between leaves TAKEN, and what is the same already is left
   out of the batch when that is taken again */

ngx_int_t
ntrip_usage_written(ntrip_zone_t *zone, uint32_t *next)
{
    uint32_t            i, end, last;
    ntrip_meter_t      *meter;
    ntrip_usage_row_t  *row;

    meter = &zone->meter;
    end = (uint32_t) meter->to;
    *next = (uint32_t) ngx_max(*next, meter->from);
    last = ngx_min(*next + NTRIP_SWEEP_STEP, end);

    for (i = *next; i < last; i++) {
        row = ntrip_table_row(&zone->usage, i);

        if (row->row.state == NTRIP_ROW_FREE || row->batch != meter->batch) {
            continue;
        }

        row->written = row->taken;

        if (ntrip_usage_same(&row->used, &row->written)) {
            ntrip_table_remove(&zone->usage, row);
        }
    }

    *next = last;

    if (last < end) {
        return NGX_AGAIN;
    }

    __atomic_store_n(&meter->batch, meter->batch + 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&meter->state, NTRIP_METER_IDLE, __ATOMIC_SEQ_CST);

    return NGX_OK;
}


static ngx_uint_t
ntrip_usage_same(const ntrip_usage_t *a, const ntrip_usage_t *b)
{
    return a->sessions == b->sessions
           && a->seconds == b->seconds
           && a->bytes == b->bytes;
}
