
/*
 * Fieldgate: a table of fixed rows in one block of memory.
 *
 * The block is carved once and never grows.  Rows are found by a key of 16
 * bytes, which has to be a hash already, and leave by name, by time, or as
 * the least recently used one when a new row needs the place.  Everything
 * inside the block is an index, nothing is a pointer, so it may be mapped
 * anywhere and by many processes.
 *
 * The caller holds the lock that guards the block from cwmp_table_begin() to
 * cwmp_table_end().  A process may be killed at any instruction in between,
 * if another one then breaks its lock: the next cwmp_table_begin() finds the
 * "busy" word set, drops the row that was being written, and builds chains,
 * free list and LRU queue anew from the rows, which say themselves whether
 * they are in use.
 */


#ifndef _CWMP_TABLE_H_INCLUDED_
#define _CWMP_TABLE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define CWMP_TABLE_KEY_LEN  16


typedef struct cwmp_table_s  cwmp_table_t;


/*
 * Says whether the holder of a row, which the caller put there with
 * cwmp_table_hold(), still lives: non-zero if so.  Must be quick, the lock is
 * held.
 */
typedef ngx_uint_t (*cwmp_table_alive_pt)(uint32_t holder);


/*
 * Bytes that a table of "rows" rows of "payload" bytes each takes.
 */
size_t cwmp_table_size(ngx_uint_t rows, size_t payload);

/*
 * Carves the block of "size" bytes at "mem", aligned to 8, into a table of
 * as many rows of "payload" bytes as it takes.  Returns NULL if it does not
 * take a single one.
 */
cwmp_table_t *cwmp_table_create(void *mem, size_t size, size_t payload);

/*
 * Begins a bounded piece of work on the table; the lock is held.  Returns
 * NGX_OK, or NGX_DECLINED if the work of a killed process had to be undone.
 */
ngx_int_t cwmp_table_begin(cwmp_table_t *t);

/*
 * Ends it, still under the lock.
 */
void cwmp_table_end(cwmp_table_t *t);


/*
 * All below are called between the two.  Payloads are aligned to 8, stay
 * where they are, and are valid while the lock is held.
 *
 * "now" is a time in milliseconds of a clock that all processes share, and
 * that may wrap around; rows live for less than half of its range.
 */

/*
 * Returns the payload of the row, which becomes the most recently used one,
 * or NULL: none, or its time is over.  The payload is for reading.
 */
void *cwmp_table_get(cwmp_table_t *t, const u_char *key, ngx_msec_t now);

/*
 * The same, but the row is used by nobody: its place among the others stays.
 */
void *cwmp_table_peek(cwmp_table_t *t, const u_char *key, ngx_msec_t now);

/*
 * For who looks at all rows: the payload of the row at place "n", from 0 to the
 * capacity - 1, for reading, or NULL.  A row stays at its place.
 */
void *cwmp_table_at(cwmp_table_t *t, ngx_uint_t n, ngx_msec_t now);
const u_char *cwmp_table_key(void *payload);

/*
 * Returns the payload of a new row, all zero, open for writing, that lives
 * until "expires".  There must be none of that key: get it first.  When the
 * table is full the least recently used row goes, one that is held by a
 * living holder only after its time.  NULL: all rows are held.
 */
void *cwmp_table_insert(cwmp_table_t *t, const u_char *key, ngx_msec_t now,
    ngx_msec_t expires, cwmp_table_alive_pt alive);

/*
 * Opens the payload for writing until cwmp_table_end() or until another row
 * is opened; a process killed in between takes the row with it.
 */
void cwmp_table_open(cwmp_table_t *t, void *payload);

void cwmp_table_touch(cwmp_table_t *t, void *payload, ngx_msec_t expires);

/*
 * Names who holds the row, 0: nobody.
 */
void cwmp_table_hold(cwmp_table_t *t, void *payload, uint32_t holder);
uint32_t cwmp_table_holder(cwmp_table_t *t, void *payload);

/*
 * Whether the row, once it is the least recently used one, makes room although
 * it is held.  A new row does not.
 */
void cwmp_table_yield(cwmp_table_t *t, void *payload, ngx_uint_t yields);

/*
 * Whether it makes room although it is held, and until when it lives.
 */
ngx_uint_t cwmp_table_yields(cwmp_table_t *t, void *payload);
ngx_msec_t cwmp_table_expires(cwmp_table_t *t, void *payload);

void cwmp_table_delete(cwmp_table_t *t, void *payload);

/*
 * How many rows there are, and how many are in use, expired ones that nobody
 * has come across included.  The second may be read without the lock.
 */
ngx_uint_t cwmp_table_capacity(cwmp_table_t *t);
ngx_uint_t cwmp_table_used(cwmp_table_t *t);

/*
 * NGX_OK if chains, free list, LRU queue and counts agree with the rows,
 * NGX_ERROR if not.  For tests: visits every row.
 */
ngx_int_t cwmp_table_check(cwmp_table_t *t);


#endif /* _CWMP_TABLE_H_INCLUDED_ */
