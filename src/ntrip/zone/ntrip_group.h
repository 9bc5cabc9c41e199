
/*
 * Groups: rows of a table that belong together, in order: the sessions of a
 * user by their numbers, those of a stream, the streams that wait for the
 * same.  Joining and leaving take the same time however large a group is; the
 * oldest and the newest are found at once.
 *
 * A row has a link for each kind of group that it can be in.  "key" and
 * "order" are the truth; everything else is derived, and made anew from them
 * when somebody died while changing it.  A key is a keyed hash or a serial:
 * whatever has the same one is the same group.
 *
 * All functions need the zone's lock.
 *
 * Why it holds:
 *   killed while joining: "key" is written first, and the rebuild links the
 *     row.  killed while leaving: "key" is cleared first, it does not.
 *   row is freed without leaving: the rebuild looks at rows in use only, and
 *     whoever takes a row clears its links before it publishes it.
 *   many at once: nothing walks a group but joining, from its newest, as far
 *     as there are higher numbers: NTRIP_GROUP_STEPS at most, behind which
 *     the order is no longer strict.
 */


#ifndef _NTRIP_GROUP_H_INCLUDED_
#define _NTRIP_GROUP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_table.h"


#define NTRIP_GROUP_STEPS    64


typedef struct {
    uint64_t           key;          /* 0: in no group */
    uint64_t           order;        /* set before "key" */
    uint32_t           next;         /* the newer one */
    uint32_t           prev;         /* the older one; none: the first */

    /* of the first only */

    uint32_t           chain;        /* first of another group, same chain */
    uint32_t           last;
    uint32_t           count;
    uint32_t           spare;
} ntrip_link_t;


typedef struct {
    size_t             rows;         /* offset of the table's rows from here */
    size_t             size;         /* of a row */
    size_t             link;         /* offset of the link in a row */
    size_t             chains;       /* offset from here */
    uint32_t           n;            /* rows */
    uint32_t           mask;         /* chains less one */
} ntrip_group_t;


/* bytes of the chains for "n" rows */
size_t ntrip_group_memory(uint32_t n);

/* no groups, in zeroed memory at "mem"; "table" is laid out already */
void ntrip_group_init(ntrip_group_t *group, u_char *mem,
    ntrip_table_t *table, size_t link);

/* from the rows; n log n */
void ntrip_group_rebuild(ntrip_group_t *group);

/* a row that is in no group; a row in whatever group or none leaves it */
void ntrip_group_join(ntrip_group_t *group, uint32_t i, uint64_t key,
    uint64_t order);
void ntrip_group_leave(ntrip_group_t *group, uint32_t i);

/* NTRIP_ROW_NONE: there is no such group */
uint32_t ntrip_group_first(ntrip_group_t *group, uint64_t key);
uint32_t ntrip_group_last(ntrip_group_t *group, uint64_t key);
uint32_t ntrip_group_count(ntrip_group_t *group, uint64_t key);

ntrip_link_t *ntrip_group_link(ntrip_group_t *group, uint32_t i);


#endif /* _NTRIP_GROUP_H_INCLUDED_ */
