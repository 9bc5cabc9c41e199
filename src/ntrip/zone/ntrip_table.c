
#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_table.h"


static uint32_t *ntrip_table_chain(ntrip_table_t *table, uint64_t hash);
static ntrip_recent_row_t *ntrip_recent_set(ntrip_recent_t *recent,
    uint64_t key);


static ngx_inline uint32_t
ntrip_table_chains(uint32_t n)
{
    uint32_t  chains;

    for (chains = 1; chains < n && chains < (uint32_t) 1 << 31; chains <<= 1) {
        /* void */
    }

    return chains;
}


size_t
ntrip_table_memory(size_t size, uint32_t n)
{
    return ngx_align(ngx_align(size, 8) * n, 64)
           + ngx_align(sizeof(uint32_t) * ntrip_table_chains(n), 64);
}


void
ntrip_table_init(ntrip_table_t *table, u_char *mem, size_t size, uint32_t n)
{
    table->size = ngx_align(size, 8);
    table->n = n;
    table->mask = ntrip_table_chains(n) - 1;
    table->rows = mem - (u_char *) table;
    table->chains = table->rows + ngx_align(table->size * n, 64);

    ntrip_table_rebuild(table);
}


void
ntrip_table_rebuild(ntrip_table_t *table)
{
    uint32_t      i, *chain;
    ntrip_row_t  *row;

    chain = (uint32_t *) ((u_char *) table + table->chains);

    for (i = 0; i <= table->mask; i++) {
        chain[i] = NTRIP_ROW_NONE;
    }

    table->free = NTRIP_ROW_NONE;
    table->used = 0;

    /* backwards, so that low rows are taken first */

    for (i = table->n; i-- > 0; /* void */) {
        row = ntrip_table_row(table, i);

        if (row->state == NTRIP_ROW_FREE) {
            row->next = table->free;
            table->free = i;
            continue;
        }

        chain = ntrip_table_chain(table, row->hash);
        row->next = *chain;
        *chain = i;
        table->used++;
    }
}


void *
ntrip_table_row(ntrip_table_t *table, uint32_t i)
{
    return (u_char *) table + table->rows + table->size * i;
}


uint32_t
ntrip_table_index(ntrip_table_t *table, void *row)
{
    return ((u_char *) row - ((u_char *) table + table->rows)) / table->size;
}


void *
ntrip_table_take(ntrip_table_t *table)
{
    if (table->free == NTRIP_ROW_NONE) {
        return NULL;
    }

    return ntrip_table_row(table, table->free);
}


void
ntrip_table_publish(ntrip_table_t *table, void *row, uint64_t hash,
    uint64_t serial, uint64_t holder, uint32_t state)
{
    uint32_t     *chain;
    ntrip_row_t  *r;

    r = row;

    table->free = r->next;
    table->used++;

    chain = ntrip_table_chain(table, hash);

    r->hash = hash;
    r->serial = serial;
    r->holder = holder;
    r->heir = 0;
    r->nonce = 0;
    r->offered = 0;
    r->next = *chain;

    *chain = ntrip_table_index(table, row);

    __atomic_store_n(&r->state, state, __ATOMIC_SEQ_CST);
}


void
ntrip_table_remove(ntrip_table_t *table, void *row)
{
    uint32_t      i, *link;
    ntrip_row_t  *r;

    r = row;
    i = ntrip_table_index(table, row);

    __atomic_store_n(&r->state, NTRIP_ROW_FREE, __ATOMIC_SEQ_CST);

    for (link = ntrip_table_chain(table, r->hash);
         *link != i && *link != NTRIP_ROW_NONE;
         link = &((ntrip_row_t *) ntrip_table_row(table, *link))->next)
    {
        /* void */
    }

    if (*link == i) {
        *link = r->next;
    }

    r->holder = 0;
    r->heir = 0;

    r->next = table->free;
    table->free = i;
    table->used--;
}


void *
ntrip_table_turn(ntrip_table_t *table)
{
    table->turn = (table->turn + 1) % table->n;

    return ntrip_table_row(table, table->turn);
}


void *
ntrip_table_find(ntrip_table_t *table, uint64_t hash, void *row)
{
    uint32_t      i;
    ntrip_row_t  *r;

    i = row ? ((ntrip_row_t *) row)->next : *ntrip_table_chain(table, hash);

    while (i != NTRIP_ROW_NONE) {
        r = ntrip_table_row(table, i);

        if (r->hash == hash) {
            return r;
        }

        i = r->next;
    }

    return NULL;
}


static uint32_t *
ntrip_table_chain(ntrip_table_t *table, uint64_t hash)
{
    return (uint32_t *) ((u_char *) table + table->chains)
           + ((hash ^ (hash >> 32)) & table->mask);
}


uint64_t
ntrip_hash(uint64_t seed, const u_char *data, size_t len, ngx_uint_t lower)
{
    u_char    ch;
    size_t    i;
    uint64_t  hash;

    /* FNV-1a, from a secret basis, with a finishing round */

    hash = seed ^ 0xcbf29ce484222325ULL;

    for (i = 0; i < len; i++) {
        ch = lower ? ngx_tolower(data[i]) : data[i];
        hash = (hash ^ ch) * 0x100000001b3ULL;
    }

    hash ^= hash >> 32;
    hash *= 0x9e3779b97f4a7c15ULL;
    hash ^= hash >> 29;

    return hash ? hash : 1;
}


void
ntrip_recent_init(ntrip_recent_t *recent, u_char *mem, uint32_t n)
{
    recent->rows = mem - (u_char *) recent;
    recent->n = n;
}


ngx_uint_t
ntrip_recent_add(ntrip_recent_t *recent, uint64_t key, uint64_t now,
    uint64_t window)
{
    ngx_uint_t           i;
    ntrip_recent_row_t  *row, *oldest;

    row = ntrip_recent_set(recent, key);
    oldest = row;

    for (i = 0; i < NTRIP_RECENT_WAYS; i++, row++) {

        if (row->key == key) {
            if (now >= row->start + window) {
                row->count = 0;
                row->start = now;
            }

            return ++row->count;
        }

        if (row->key == 0 || row->start < oldest->start) {
            oldest = row;
        }
    }

    oldest->key = 0;
    oldest->start = now;
    oldest->count = 1;

    __atomic_store_n(&oldest->key, key, __ATOMIC_SEQ_CST);

    return 1;
}


ngx_uint_t
ntrip_recent_count(ntrip_recent_t *recent, uint64_t key, uint64_t now,
    uint64_t window)
{
    ngx_uint_t           i;
    ntrip_recent_row_t  *row;

    row = ntrip_recent_set(recent, key);

    for (i = 0; i < NTRIP_RECENT_WAYS; i++, row++) {
        if (row->key == key) {
            return (now < row->start + window) ? row->count : 0;
        }
    }

    return 0;
}


static ntrip_recent_row_t *
ntrip_recent_set(ntrip_recent_t *recent, uint64_t key)
{
    return (ntrip_recent_row_t *) ((u_char *) recent + recent->rows)
           + ((key ^ (key >> 32)) & (recent->n / NTRIP_RECENT_WAYS - 1))
             * NTRIP_RECENT_WAYS;
}
