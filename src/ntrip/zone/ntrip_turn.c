
#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_zone.h"


/* rows looked at for one that is of no more use, when another is needed */
#define NTRIP_TURN_TIDY  2


static ntrip_turn_row_t *ntrip_turn_row(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint64_t now, uint64_t address);
static void ntrip_turn_tidy(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint64_t now);
static ngx_uint_t ntrip_turn_taken(ntrip_bus_t *bus, ntrip_turn_row_t *row,
    uint64_t now);
static uint64_t ntrip_turn_next(ntrip_bus_t *bus, uint64_t *waiting,
    ngx_uint_t slot);


void
ntrip_guest_init(ntrip_guest_t *guest, ntrip_bus_t *bus, uint64_t door,
    const u_char *addr, size_t len, const ngx_str_t *name)
{
    guest->address = 0;

    if (len) {
        /* an IPv6 host has a /64 to choose from */
        guest->address = ntrip_hash(bus->seed + door, addr, ngx_min(len, 8), 0);
    }

    guest->name = ntrip_hash(bus->seed ^ guest->address, name->data,
                             name->len, 0);
}


ngx_uint_t
ntrip_guest_failures(ntrip_zone_t *zone, const ntrip_guest_t *guest,
    uint64_t now)
{
    return guest->address ? ntrip_recent_count(&zone->failures, guest->address,
                                               now, NTRIP_FAIL_WINDOW)
                          : 0;
}


ngx_uint_t
ntrip_guest_name_failures(ntrip_zone_t *zone, const ntrip_guest_t *guest,
    uint64_t now)
{
    return ntrip_recent_count(&zone->names, guest->name, now,
                              NTRIP_FAIL_WINDOW);
}


ngx_uint_t
ntrip_guest_failed(ntrip_zone_t *zone, const ntrip_guest_t *guest,
    uint64_t now)
{
    if (guest->address == 0) {
        return 0;
    }

    (void) ntrip_recent_add(&zone->names, guest->name, now, NTRIP_FAIL_WINDOW);

    return ntrip_recent_add(&zone->failures, guest->address, now,
                            NTRIP_FAIL_WINDOW);
}


ngx_int_t
ntrip_turn_take(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t me,
    uint64_t now, uint64_t address, ngx_uint_t failed)
{
    uint64_t           bit;
    ngx_uint_t         word;
    ntrip_turn_row_t  *row;

    if (address == 0
        || ntrip_recent_count(&zone->failures, address, now,
                              NTRIP_FAIL_WINDOW)
           < NTRIP_FAIL_LIMIT)
    {
        return NGX_DECLINED;
    }

    row = ntrip_turn_row(zone, bus, now, address);

    if (row == NULL) {
        return NGX_AGAIN;
    }

    word = ntrip_holder_slot(me) / 64;
    bit = (uint64_t) 1 << (ntrip_holder_slot(me) % 64);

    if (ntrip_turn_taken(bus, row, now)
        && (row->row.holder != me || row->begun))
    {
        row->waiting[failed != 0][word] |= bit;
        return NGX_AGAIN;
    }

    if (failed && now < row->paused) {
        row->row.holder = 0;
        row->waiting[1][word] |= bit;
        return NGX_AGAIN;
    }

    row->waiting[0][word] &= ~bit;
    row->waiting[1][word] &= ~bit;

    if (failed) {
        row->paused = now + NTRIP_TURN_PAUSE;
    }

    row->since = now;
    row->begun = 1;

    __atomic_store_n(&row->row.holder, me, __ATOMIC_SEQ_CST);

    return NGX_OK;
}


void
ntrip_turn_give(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t me,
    uint64_t now, uint64_t address, ngx_uint_t more)
{
    uint64_t           next;
    ngx_uint_t         slot;
    ntrip_turn_row_t  *row;

    row = ntrip_table_find(&zone->turns, address, NULL);

    if (row == NULL || row->row.holder != me) {
        return;
    }

    slot = ntrip_holder_slot(me);
    next = ntrip_turn_next(bus, row->waiting[0], slot);

    if (next == 0 && !more && now >= row->paused) {
        next = ntrip_turn_next(bus, row->waiting[1], slot);
    }

    row->begun = 0;
    row->since = now;

    __atomic_store_n(&row->row.holder, next, __ATOMIC_SEQ_CST);
}


/* that of the address; NULL: there is none, and no room for one */

static ntrip_turn_row_t *
ntrip_turn_row(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    uint64_t address)
{
    ntrip_turn_row_t  *row;

    row = ntrip_table_find(&zone->turns, address, NULL);

    if (row) {
        return row;
    }

    ntrip_turn_tidy(zone, bus, now);

    row = ntrip_table_take(&zone->turns);

    if (row == NULL) {
        return NULL;
    }

    row->since = now;
    row->paused = 0;
    row->begun = 0;
    ngx_memzero(row->waiting, sizeof(row->waiting));

    /* an address is not there twice, and needs no number of its own */

    ntrip_table_publish(&zone->turns, row, address, address, 0,
                        NTRIP_TURN_ROW);

    return row;
}


/* workers that wait for such a row ask again, and make another */

static void
ntrip_turn_tidy(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now)
{
    ngx_uint_t         i;
    ntrip_turn_row_t  *row;

    for (i = 0; i < NTRIP_TURN_TIDY; i++) {
        row = ntrip_table_turn(&zone->turns);

        if (row->row.state != NTRIP_ROW_FREE
            && now >= row->paused
            && now >= row->since + NTRIP_TURN_KEPT
            && !ntrip_turn_taken(bus, row, now))
        {
            ntrip_table_remove(&zone->turns, row);
        }
    }
}


static ngx_uint_t
ntrip_turn_taken(ntrip_bus_t *bus, ntrip_turn_row_t *row, uint64_t now)
{
    return row->row.holder
           && (row->begun || now < row->since + NTRIP_TURN_KEPT)
           && ntrip_bus_alive(bus, row->row.holder);
}


/* the holder of the next of these slots behind "slot", which waits no more;
   0: none */

static uint64_t
ntrip_turn_next(ntrip_bus_t *bus, uint64_t *waiting, ngx_uint_t slot)
{
    uint64_t    bit, holder;
    ngx_uint_t  i, n;

    for (i = 1; i <= NTRIP_SLOTS; i++) {
        n = (slot + i) % NTRIP_SLOTS;
        bit = (uint64_t) 1 << (n % 64);

        if ((waiting[n / 64] & bit) == 0) {
            continue;
        }

        waiting[n / 64] &= ~bit;
        holder = __atomic_load_n(&bus->slots[n].holder, __ATOMIC_SEQ_CST);

        if (holder) {
            return holder;
        }
    }

    return 0;
}
