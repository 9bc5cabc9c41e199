
#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_group.h"


#define NTRIP_GROUP_RUNS  32


static void ntrip_group_chain_in(ntrip_group_t *group, uint32_t i);
static uint32_t *ntrip_group_chain(ntrip_group_t *group, uint64_t key);
static uint32_t ntrip_group_sorted(ntrip_group_t *group);
static uint32_t ntrip_group_merge(ntrip_group_t *group, uint32_t a,
    uint32_t b);


static ngx_inline uint32_t
ntrip_group_chains(uint32_t n)
{
    uint32_t  chains;

    for (chains = 1; chains < n && chains < (uint32_t) 1 << 31; chains <<= 1) {
        /* void */
    }

    return chains;
}


size_t
ntrip_group_memory(uint32_t n)
{
    return ngx_align(sizeof(uint32_t) * ntrip_group_chains(n), 64);
}


void
ntrip_group_init(ntrip_group_t *group, u_char *mem, ntrip_table_t *table,
    size_t link)
{
    group->rows = (u_char *) ntrip_table_row(table, 0) - (u_char *) group;
    group->size = table->size;
    group->link = link;
    group->chains = mem - (u_char *) group;
    group->n = table->n;
    group->mask = ntrip_group_chains(table->n) - 1;

    ntrip_group_rebuild(group);
}


void
ntrip_group_rebuild(ntrip_group_t *group)
{
    uint32_t       i, next, *chains;
    ntrip_link_t  *link;

    chains = (uint32_t *) ((u_char *) group + group->chains);

    for (i = 0; i <= group->mask; i++) {
        chains[i] = NTRIP_ROW_NONE;
    }

    for (i = ntrip_group_sorted(group); i != NTRIP_ROW_NONE; i = next) {
        link = ntrip_group_link(group, i);
        next = link->next;

        ntrip_group_join(group, i, link->key, link->order);
    }
}


/* all rows that are in a group, linked by "next" in their order: runs of
   1, 2, 4, ... rows are merged as they come */

static uint32_t
ntrip_group_sorted(ntrip_group_t *group)
{
    uint32_t       i, r, list, runs[NTRIP_GROUP_RUNS];
    ntrip_row_t   *row;
    ntrip_link_t  *link;

    for (r = 0; r < NTRIP_GROUP_RUNS; r++) {
        runs[r] = NTRIP_ROW_NONE;
    }

    for (i = 0; i < group->n; i++) {
        link = ntrip_group_link(group, i);
        row = (ntrip_row_t *) ((u_char *) link - group->link);

        if (row->state == NTRIP_ROW_FREE || link->key == 0) {
            continue;
        }

        link->next = NTRIP_ROW_NONE;
        list = i;

        for (r = 0;
             r < NTRIP_GROUP_RUNS - 1 && runs[r] != NTRIP_ROW_NONE;
             r++)
        {
            list = ntrip_group_merge(group, runs[r], list);
            runs[r] = NTRIP_ROW_NONE;
        }

        runs[r] = list;
    }

    list = NTRIP_ROW_NONE;

    for (r = 0; r < NTRIP_GROUP_RUNS; r++) {
        list = ntrip_group_merge(group, runs[r], list);
    }

    return list;
}


/* of equal ones those of "a" come first */

static uint32_t
ntrip_group_merge(ntrip_group_t *group, uint32_t a, uint32_t b)
{
    uint32_t   list, *tail;

    list = NTRIP_ROW_NONE;
    tail = &list;

    while (a != NTRIP_ROW_NONE && b != NTRIP_ROW_NONE) {

        if (ntrip_group_link(group, b)->order
            < ntrip_group_link(group, a)->order)
        {
            *tail = b;
            tail = &ntrip_group_link(group, b)->next;
            b = *tail;

        } else {
            *tail = a;
            tail = &ntrip_group_link(group, a)->next;
            a = *tail;
        }
    }

    *tail = (a != NTRIP_ROW_NONE) ? a : b;

    return list;
}


void
ntrip_group_join(ntrip_group_t *group, uint32_t i, uint64_t key,
    uint64_t order)
{
    uint32_t       first, after;
    ngx_uint_t     n;
    ntrip_link_t  *link, *head, *prev;

    link = ntrip_group_link(group, i);

    link->order = order;
    __atomic_store_n(&link->key, key, __ATOMIC_SEQ_CST);

    first = ntrip_group_first(group, key);

    if (first == NTRIP_ROW_NONE) {
        link->next = NTRIP_ROW_NONE;
        link->last = i;
        link->count = 1;

        ntrip_group_chain_in(group, i);
        return;
    }

    head = ntrip_group_link(group, first);
    after = head->last;

    for (n = 0; n < NTRIP_GROUP_STEPS && after != NTRIP_ROW_NONE; n++) {
        prev = ntrip_group_link(group, after);

        if (prev->order <= order) {
            break;
        }

        after = prev->prev;
    }

    if (after == NTRIP_ROW_NONE) {

        /* the oldest of all */

        link->next = first;
        link->last = head->last;
        link->count = head->count + 1;

        *ntrip_group_chain(group, key) = head->chain;
        head->prev = i;

        ntrip_group_chain_in(group, i);
        return;
    }

    prev = ntrip_group_link(group, after);

    link->prev = after;
    link->next = prev->next;

    if (link->next == NTRIP_ROW_NONE) {
        head->last = i;

    } else {
        ntrip_group_link(group, link->next)->prev = i;
    }

    prev->next = i;
    head->count++;
}


/* row "i" is the first of its group */

static void
ntrip_group_chain_in(ntrip_group_t *group, uint32_t i)
{
    uint32_t      *chain;
    ntrip_link_t  *link;

    link = ntrip_group_link(group, i);
    chain = (uint32_t *) ((u_char *) group + group->chains)
            + ((link->key ^ (link->key >> 32)) & group->mask);

    link->prev = NTRIP_ROW_NONE;
    link->chain = *chain;
    *chain = i;
}


void
ntrip_group_leave(ntrip_group_t *group, uint32_t i)
{
    uint32_t      *chain;
    uint64_t       key;
    ntrip_link_t  *link, *head, *next;

    link = ntrip_group_link(group, i);
    key = link->key;

    if (key == 0) {
        return;
    }

    __atomic_store_n(&link->key, 0, __ATOMIC_SEQ_CST);

    if (link->prev == NTRIP_ROW_NONE) {

        chain = (uint32_t *) ((u_char *) group + group->chains)
                + ((key ^ (key >> 32)) & group->mask);

        while (*chain != i) {
            chain = &ntrip_group_link(group, *chain)->chain;
        }

        if (link->next == NTRIP_ROW_NONE) {
            *chain = link->chain;
            return;
        }

        next = ntrip_group_link(group, link->next);

        next->prev = NTRIP_ROW_NONE;
        next->chain = link->chain;
        next->last = link->last;
        next->count = link->count - 1;

        *chain = link->next;
        return;
    }

    head = ntrip_group_link(group, ntrip_group_first(group, key));

    ntrip_group_link(group, link->prev)->next = link->next;

    if (link->next == NTRIP_ROW_NONE) {
        head->last = link->prev;

    } else {
        ntrip_group_link(group, link->next)->prev = link->prev;
    }

    head->count--;
}


uint32_t
ntrip_group_first(ntrip_group_t *group, uint64_t key)
{
    return *ntrip_group_chain(group, key);
}


uint32_t
ntrip_group_last(ntrip_group_t *group, uint64_t key)
{
    uint32_t  first;

    first = ntrip_group_first(group, key);

    return (first == NTRIP_ROW_NONE) ? NTRIP_ROW_NONE
                                     : ntrip_group_link(group, first)->last;
}


uint32_t
ntrip_group_count(ntrip_group_t *group, uint64_t key)
{
    uint32_t  first;

    first = ntrip_group_first(group, key);

    return (first == NTRIP_ROW_NONE) ? 0
                                     : ntrip_group_link(group, first)->count;
}


/* where the first of the group stands, or would */

static uint32_t *
ntrip_group_chain(ntrip_group_t *group, uint64_t key)
{
    uint32_t  *chain;

    chain = (uint32_t *) ((u_char *) group + group->chains)
            + ((key ^ (key >> 32)) & group->mask);

    while (*chain != NTRIP_ROW_NONE
           && ntrip_group_link(group, *chain)->key != key)
    {
        chain = &ntrip_group_link(group, *chain)->chain;
    }

    return chain;
}


ntrip_link_t *
ntrip_group_link(ntrip_group_t *group, uint32_t i)
{
    return (ntrip_link_t *) ((u_char *) group + group->rows
                             + group->size * i + group->link);
}
