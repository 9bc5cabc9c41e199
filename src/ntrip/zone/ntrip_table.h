
/*
 * Fixed tables: rows carved once out of a zone, a free list and hash chains
 * of row numbers.  The rows are the truth; lists, chains and counts are
 * derived from them and are rebuilt when somebody died while changing them.
 *
 * All functions need the zone's lock, unless they say otherwise.
 *
 * Why it holds:
 *   killed while adding: "state" is written last, so the row is still free,
 *     and the zone's "busy" word makes the next one rebuild the lists.
 *   killed while removing: "state" is cleared first, so the row is free; the
 *     same rebuild.
 *   killed while rebuilding: "busy" is still set, it is done again; it only
 *     reads "state" and "hash" and writes lists.
 *   killed while changing a live row: each change is one aligned word, or
 *     its words are listed with their order in the header of that row.
 */


#ifndef _NTRIP_TABLE_H_INCLUDED_
#define _NTRIP_TABLE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NTRIP_ROW_FREE       0
#define NTRIP_ROW_NONE       ((uint32_t) -1)


/* the head of every row */

typedef struct {
    uint32_t           state;        /* NTRIP_ROW_FREE or the row's own */
    uint32_t           next;         /* in its chain or in the free list */
    uint64_t           hash;         /* of the key, set before "state" */
    uint64_t           serial;       /* of this use of the row, never 0 and
                                        never used again */
    uint64_t           holder;       /* who has it: see ntrip_bus.h; 0: no
                                        one */

    /* an offer of the row to another worker: see ntrip_handover.h */

    uint64_t           heir;         /* 0: none */
    uint64_t           nonce;        /* of the offer, set before "heir" */
    uint64_t           offered;      /* when, monotonic ms, set before too */
} ntrip_row_t;


typedef struct {
    size_t             rows;         /* offset from the table itself */
    size_t             chains;       /* same */
    size_t             size;         /* of a row */
    uint32_t           n;            /* rows */
    uint32_t           mask;         /* chains less one */
    uint32_t           free;         /* head of the free list */
    uint32_t           used;         /* rows that are not free */
    uint32_t           turn;         /* row that ntrip_table_turn() gave */
    uint32_t           spare;
} ntrip_table_t;


/* bytes that "n" rows of "size" bytes and their chains take */
size_t ntrip_table_memory(size_t size, uint32_t n);

/* lays out an empty table in zeroed memory at "mem", which lies behind
   "table" in the same zone */
void ntrip_table_init(ntrip_table_t *table, u_char *mem, size_t size,
    uint32_t n);

/* from the rows, after somebody died with the zone busy */
void ntrip_table_rebuild(ntrip_table_t *table);

/* needs no lock */
void *ntrip_table_row(ntrip_table_t *table, uint32_t i);
uint32_t ntrip_table_index(ntrip_table_t *table, void *row);

/*
 * A new row: take, fill in everything but the head, publish.  take returns
 * NULL if the table is full.  Between the two the row is free for everybody
 * else, and comes back by itself if the caller dies.
 */
void *ntrip_table_take(ntrip_table_t *table);
void ntrip_table_publish(ntrip_table_t *table, void *row, uint64_t hash,
    uint64_t serial, uint64_t holder, uint32_t state);

void ntrip_table_remove(ntrip_table_t *table, void *row);

/* one row after the other, free or not, round and round */
void *ntrip_table_turn(ntrip_table_t *table);

/* the rows with this hash: start with row = NULL; NULL ends */
void *ntrip_table_find(ntrip_table_t *table, uint64_t hash, void *row);

/* 64 bits over "len" bytes, without regard to case if "lower"; "seed" chains
   several parts */
uint64_t ntrip_hash(uint64_t seed, const u_char *data, size_t len,
    ngx_uint_t lower);


/*
 * Set-associative memory of recent offenders: never full, the oldest of
 * NTRIP_RECENT_WAYS goes.  A cut-off write costs at most one wrong count.
 */

#define NTRIP_RECENT_WAYS    4

typedef struct {
    uint64_t           key;          /* keyed hash, 0: empty */
    uint64_t           start;        /* of the window, monotonic ms */
    uint32_t           count;        /* within the window */
    uint32_t           spare;
} ntrip_recent_row_t;


typedef struct {
    size_t             rows;         /* offset from the structure itself */
    uint32_t           n;            /* power of two, >= NTRIP_RECENT_WAYS */
    uint32_t           spare;
} ntrip_recent_t;


void ntrip_recent_init(ntrip_recent_t *recent, u_char *mem, uint32_t n);

/* counts one more within "window" ms; returns how many there are now */
ngx_uint_t ntrip_recent_add(ntrip_recent_t *recent, uint64_t key,
    uint64_t now, uint64_t window);

/* how many there are in the window; 0 if none */
ngx_uint_t ntrip_recent_count(ntrip_recent_t *recent, uint64_t key,
    uint64_t now, uint64_t window);


#endif /* _NTRIP_TABLE_H_INCLUDED_ */
