
#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_bus.h"
#include "ntrip_words.h"


#define NTRIP_BUS_VERSION  2


void
ntrip_bus_init(ntrip_bus_t *bus, uint64_t seed)
{
    bus->seed = seed;
    bus->version = NTRIP_BUS_VERSION;
}


uint64_t
ntrip_bus_claim(ntrip_bus_t *bus, ngx_uint_t limit, uint64_t pid,
    uint64_t start, uint64_t generation)
{
    uint64_t       holder;
    ngx_uint_t     i, word;
    ntrip_slot_t  *slot;

    limit = ngx_min(limit, NTRIP_SLOTS);

    for (i = 0; i < limit; i++) {
        if (bus->slots[i].holder == 0) {
            break;
        }
    }

    if (i == limit) {
        return 0;
    }

    slot = &bus->slots[i];

    slot->pid = pid;
    slot->start = start;
    slot->beat = 0;
    __atomic_store_n(&slot->generation, generation, __ATOMIC_RELAXED);
    __atomic_store_n(&slot->exiting, 0, __ATOMIC_RELAXED);

    for (word = 0; word < NTRIP_STREAM_WORDS; word++) {
        __atomic_store_n(&slot->dirty[word], 0, __ATOMIC_RELAXED);
    }

    __atomic_store_n(&slot->pending, 0, __ATOMIC_SEQ_CST);

    holder = (slot->incarnation + 1) << 8 | i;

    __atomic_store_n(&slot->holder, holder, __ATOMIC_SEQ_CST);

    return holder;
}


ngx_int_t
ntrip_bus_release(ntrip_bus_t *bus, uint64_t holder)
{
    ntrip_slot_t  *slot;

    slot = &bus->slots[ntrip_holder_slot(holder)];

    if (holder == 0 || slot->holder != holder) {
        return NGX_DECLINED;
    }

    __atomic_store_n(&slot->incarnation, holder >> 8, __ATOMIC_SEQ_CST);
    __atomic_store_n(&slot->holder, 0, __ATOMIC_SEQ_CST);

    return NGX_OK;
}


ngx_uint_t
ntrip_bus_alive(ntrip_bus_t *bus, uint64_t holder)
{
    ntrip_slot_t  *slot;

    slot = &bus->slots[ntrip_holder_slot(holder)];

    return holder != 0
           && __atomic_load_n(&slot->holder, __ATOMIC_ACQUIRE) == holder;
}


ngx_uint_t
ntrip_bus_stays(ntrip_bus_t *bus, uint64_t holder)
{
    ntrip_slot_t  *slot;

    slot = &bus->slots[ntrip_holder_slot(holder)];

    return ntrip_bus_alive(bus, holder)
           && __atomic_load_n(&slot->exiting, __ATOMIC_ACQUIRE) == 0;
}


ngx_uint_t
ntrip_bus_sweep_due(ntrip_bus_t *bus)
{
    uint64_t    dead[NTRIP_SLOTS];
    ngx_uint_t  i;

    ntrip_bus_sweep_begin(bus, dead);

    for (i = 0; i < NTRIP_SLOTS; i++) {
        if (__atomic_load_n(&bus->slots[i].swept, __ATOMIC_ACQUIRE) < dead[i])
        {
            return 1;
        }
    }

    return 0;
}


void
ntrip_bus_sweep_begin(ntrip_bus_t *bus, uint64_t dead[NTRIP_SLOTS])
{
    uint64_t       holder, incarnation;
    ngx_uint_t     i;
    ntrip_slot_t  *slot;

    for (i = 0; i < NTRIP_SLOTS; i++) {
        slot = &bus->slots[i];

        /*
         * In this order: "incarnation" is written while its worker still has
         * the slot, so that a slot which is free afterwards has lost it.
         */

        incarnation = __atomic_load_n(&slot->incarnation, __ATOMIC_SEQ_CST);
        holder = __atomic_load_n(&slot->holder, __ATOMIC_SEQ_CST);

        dead[i] = holder ? (holder >> 8) - 1 : incarnation;
    }
}


void
ntrip_bus_sweep_end(ntrip_bus_t *bus, uint64_t dead[NTRIP_SLOTS])
{
    uint64_t    swept;
    ngx_uint_t  i;

    for (i = 0; i < NTRIP_SLOTS; i++) {
        swept = __atomic_load_n(&bus->slots[i].swept, __ATOMIC_ACQUIRE);

        while (swept < dead[i]
               && !__atomic_compare_exchange_n(&bus->slots[i].swept, &swept,
                                               dead[i], 0, __ATOMIC_ACQ_REL,
                                               __ATOMIC_ACQUIRE))
        {
            /* void */
        }
    }
}


uint64_t
ntrip_bus_successor(ntrip_bus_t *bus, ngx_uint_t limit, uint64_t generation,
    ngx_uint_t turn)
{
    uint64_t       holder, newest, has, found[NTRIP_SLOTS];
    ngx_uint_t     i, n;
    ntrip_slot_t  *slot;

    n = 0;
    newest = generation;
    limit = ngx_min(limit, NTRIP_SLOTS);

    for (i = 0; i < limit; i++) {
        slot = &bus->slots[i];
        holder = __atomic_load_n(&slot->holder, __ATOMIC_ACQUIRE);
        has = __atomic_load_n(&slot->generation, __ATOMIC_RELAXED);

        if (holder == 0
            || __atomic_load_n(&slot->exiting, __ATOMIC_ACQUIRE)
            || has <= generation)
        {
            continue;
        }

        if (has > newest) {
            newest = has;
            n = 0;
        }

        if (has == newest) {
            found[n++] = holder;
        }
    }

    return n ? found[turn % n] : 0;
}


uint64_t
ntrip_bus_next_login(ntrip_bus_t *bus)
{
    return __atomic_add_fetch(&bus->login, 1, __ATOMIC_SEQ_CST);
}


uint64_t
ntrip_bus_next_serial(ntrip_bus_t *bus)
{
    return __atomic_add_fetch(&bus->serial, 1, __ATOMIC_SEQ_CST);
}


void
ntrip_bus_mark(ntrip_bus_t *bus, ngx_uint_t slot, ngx_uint_t stream)
{
    __atomic_fetch_or(&bus->slots[slot].dirty[stream / 64],
                      (uint64_t) 1 << (stream % 64), __ATOMIC_SEQ_CST);
}


ngx_uint_t
ntrip_bus_wake(ntrip_bus_t *bus, ngx_uint_t slot)
{
    return __atomic_exchange_n(&bus->slots[slot].pending, 1,
                               __ATOMIC_SEQ_CST) == 0;
}


void
ntrip_bus_asleep(ntrip_bus_t *bus, ngx_uint_t slot)
{
    /* a plain store could sink below the loads of the bitmap */

    (void) __atomic_exchange_n(&bus->slots[slot].pending, 0,
                               __ATOMIC_SEQ_CST);
}


uint64_t
ntrip_bus_take(ntrip_bus_t *bus, ngx_uint_t slot, ngx_uint_t word)
{
    uint64_t  *dirty;

    dirty = &bus->slots[slot].dirty[word];

    if (__atomic_load_n(dirty, __ATOMIC_SEQ_CST) == 0) {
        return 0;
    }

    return __atomic_exchange_n(dirty, 0, __ATOMIC_SEQ_CST);
}


void
ntrip_bus_kick(ntrip_bus_t *bus, const u_char *user, size_t len,
    uint64_t below)
{
    uint64_t       head;
    ntrip_kick_t  *kick;

    head = bus->kick_head;
    kick = &bus->kicks[head % NTRIP_KICKS];

    __atomic_store_n(&kick->seq, 0, __ATOMIC_SEQ_CST);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);

    __atomic_store_n(&kick->below, below, __ATOMIC_RELAXED);
    __atomic_store_n(&kick->user_len, len, __ATOMIC_RELAXED);
    ntrip_words_store(kick->user, user, len);

    __atomic_store_n(&kick->seq, head + 1, __ATOMIC_RELEASE);
    __atomic_store_n(&bus->kick_head, head + 1, __ATOMIC_RELEASE);
}


uint64_t
ntrip_bus_kick_cursor(ntrip_bus_t *bus)
{
    return __atomic_load_n(&bus->kick_head, __ATOMIC_SEQ_CST);
}


ngx_int_t
ntrip_bus_kick_read(ntrip_bus_t *bus, uint64_t *cursor, ntrip_kick_t *kick)
{
    uint64_t       head;
    ntrip_kick_t  *entry;

    head = __atomic_load_n(&bus->kick_head, __ATOMIC_ACQUIRE);

    if (*cursor == head) {
        return NGX_AGAIN;
    }

    entry = &bus->kicks[*cursor % NTRIP_KICKS];

    if (__atomic_load_n(&entry->seq, __ATOMIC_ACQUIRE) == *cursor + 1) {
        ntrip_words_load(kick, entry, sizeof(ntrip_kick_t));

        __atomic_thread_fence(__ATOMIC_SEQ_CST);

        if (__atomic_load_n(&entry->seq, __ATOMIC_ACQUIRE) == *cursor + 1) {
            (*cursor)++;
            return NGX_OK;
        }
    }

    *cursor = head;

    return NGX_DECLINED;
}
