
/*
 * Fieldgate: a table of fixed rows in one block of memory.
 */


#include "cwmp_table.h"


#define CWMP_TABLE_NONE     0xffffffff

/* held rows that an insertion passes by at the end of the LRU queue */
#define CWMP_TABLE_SCAN     64

#define CWMP_TABLE_FREE     0
#define CWMP_TABLE_WRITING  1
#define CWMP_TABLE_USED     2


/*
 * The compiler must not move a store over this.  That the processor might is of
 * no matter: what a killed process has executed is all seen by who takes its
 * lock, and living ones order their stores by the lock.
 */

#define cwmp_table_barrier()  __asm__ volatile ("" ::: "memory")


typedef struct {
    uint32_t    state;          /* what a rebuild believes; written last */
    uint32_t    holder;
    uint32_t    chain;          /* next of the bucket, or of the free list */
    uint32_t    next;           /* LRU, towards the older */
    uint32_t    prev;           /* LRU, towards the younger */
    uint32_t    yields;         /* makes room although it is held */
    uint64_t    used;           /* clock of the last use */
    ngx_msec_t  expires;
    u_char      key[CWMP_TABLE_KEY_LEN];
} cwmp_row_t;


struct cwmp_table_s {
    uint32_t    busy;
    uint32_t    capacity;
    uint32_t    mask;           /* buckets - 1 */
    uint32_t    used;
    uint32_t    free;
    uint32_t    newest;
    uint32_t    oldest;
    uint32_t    open;           /* the row being written */
    uint64_t    clock;          /* uses so far */
    uint64_t    row;            /* size of a row with its payload */
    uint64_t    rows;           /* offset of the first */

    uint32_t    bucket[1];
};


static size_t cwmp_table_row_size(size_t payload);
static size_t cwmp_table_rows_offset(uint32_t buckets);
static uint32_t cwmp_table_buckets(ngx_uint_t rows);
static cwmp_row_t *cwmp_table_row(cwmp_table_t *t, uint32_t n);
static uint32_t cwmp_table_index(cwmp_table_t *t, void *payload);
static uint32_t *cwmp_table_bucket(cwmp_table_t *t, const u_char *key);
static ngx_uint_t cwmp_table_expired(cwmp_row_t *row, ngx_msec_t now);
static void cwmp_table_close(cwmp_table_t *t);
static void cwmp_table_link(cwmp_table_t *t, uint32_t n);
static void cwmp_table_unlink(cwmp_table_t *t, uint32_t n);
static void cwmp_table_remove(cwmp_table_t *t, uint32_t n);
static void cwmp_table_evict(cwmp_table_t *t, ngx_msec_t now,
    cwmp_table_alive_pt alive);
static void cwmp_table_rebuild(cwmp_table_t *t);
static uint32_t cwmp_table_sort(cwmp_table_t *t, uint32_t list);
static uint32_t cwmp_table_merge(cwmp_table_t *t, uint32_t a, uint32_t b);


size_t
cwmp_table_size(ngx_uint_t rows, size_t payload)
{
    return cwmp_table_rows_offset(cwmp_table_buckets(rows))
           + rows * cwmp_table_row_size(payload);
}


cwmp_table_t *
cwmp_table_create(void *mem, size_t size, size_t payload)
{
    uint32_t       buckets;
    ngx_uint_t     rows;
    cwmp_table_t  *t;

    rows = size / (cwmp_table_row_size(payload) + sizeof(uint32_t));

    while (rows && cwmp_table_size(rows, payload) > size) {
        rows--;
    }

    while (cwmp_table_size(rows + 1, payload) <= size) {
        rows++;
    }

    if (rows == 0) {
        return NULL;
    }

    buckets = cwmp_table_buckets(rows);

    ngx_memzero(mem, size);

    t = mem;
    t->capacity = rows;
    t->mask = buckets - 1;
    t->row = cwmp_table_row_size(payload);
    t->rows = cwmp_table_rows_offset(buckets);

    cwmp_table_rebuild(t);

    return t;
}


ngx_int_t
cwmp_table_begin(cwmp_table_t *t)
{
    ngx_int_t  rc;

    rc = NGX_OK;

    if (t->busy) {
        cwmp_table_rebuild(t);
        rc = NGX_DECLINED;
    }

    t->busy = 1;
    cwmp_table_barrier();

    return rc;
}


void
cwmp_table_end(cwmp_table_t *t)
{
    cwmp_table_close(t);
    cwmp_table_barrier();
    t->busy = 0;
}


void *
cwmp_table_get(cwmp_table_t *t, const u_char *key, ngx_msec_t now)
{
    uint32_t     n;
    cwmp_row_t  *row;

    for (n = *cwmp_table_bucket(t, key); n != CWMP_TABLE_NONE; n = row->chain)
    {
        row = cwmp_table_row(t, n);

        if (ngx_memcmp(row->key, key, CWMP_TABLE_KEY_LEN) != 0) {
            continue;
        }

        if (cwmp_table_expired(row, now)) {
            cwmp_table_remove(t, n);
            return NULL;
        }

        cwmp_table_unlink(t, n);
        cwmp_table_link(t, n);

        return row + 1;
    }

    return NULL;
}


void *
cwmp_table_peek(cwmp_table_t *t, const u_char *key, ngx_msec_t now)
{
    uint32_t     n;
    cwmp_row_t  *row;

    for (n = *cwmp_table_bucket(t, key); n != CWMP_TABLE_NONE; n = row->chain)
    {
        row = cwmp_table_row(t, n);

        if (ngx_memcmp(row->key, key, CWMP_TABLE_KEY_LEN) == 0) {
            return cwmp_table_expired(row, now) ? NULL : row + 1;
        }
    }

    return NULL;
}


void *
cwmp_table_at(cwmp_table_t *t, ngx_uint_t n, ngx_msec_t now)
{
    cwmp_row_t  *row;

    if (n >= t->capacity) {
        return NULL;
    }

    row = cwmp_table_row(t, n);

    return (row->state != CWMP_TABLE_USED || cwmp_table_expired(row, now))
           ? NULL : row + 1;
}


const u_char *
cwmp_table_key(void *payload)
{
    return ((cwmp_row_t *) payload - 1)->key;
}


void *
cwmp_table_insert(cwmp_table_t *t, const u_char *key, ngx_msec_t now,
    ngx_msec_t expires, cwmp_table_alive_pt alive)
{
    uint32_t     n, *bucket;
    cwmp_row_t  *row;

    if (t->free == CWMP_TABLE_NONE) {
        cwmp_table_evict(t, now, alive);

        if (t->free == CWMP_TABLE_NONE) {
            return NULL;
        }
    }

    cwmp_table_close(t);

    n = t->free;
    row = cwmp_table_row(t, n);
    t->free = row->chain;

    row->holder = 0;
    row->yields = 0;
    row->expires = expires;
    ngx_memcpy(row->key, key, CWMP_TABLE_KEY_LEN);
    ngx_memzero(row + 1, t->row - sizeof(cwmp_row_t));

    bucket = cwmp_table_bucket(t, key);
    row->chain = *bucket;
    *bucket = n;

    cwmp_table_link(t, n);

    /* state-last: until cwmp_table_end() a rebuild frees the row */

    cwmp_table_barrier();

    row->state = CWMP_TABLE_WRITING;
    t->open = n;
    t->used++;

    return row + 1;
}


void
cwmp_table_open(cwmp_table_t *t, void *payload)
{
    uint32_t  n;

    n = cwmp_table_index(t, payload);

    if (t->open == n) {
        return;
    }

    cwmp_table_close(t);

    cwmp_table_row(t, n)->state = CWMP_TABLE_WRITING;
    t->open = n;

    cwmp_table_barrier();
}


void
cwmp_table_touch(cwmp_table_t *t, void *payload, ngx_msec_t expires)
{
    ((cwmp_row_t *) payload - 1)->expires = expires;
}


void
cwmp_table_hold(cwmp_table_t *t, void *payload, uint32_t holder)
{
    ((cwmp_row_t *) payload - 1)->holder = holder;
}


uint32_t
cwmp_table_holder(cwmp_table_t *t, void *payload)
{
    return ((cwmp_row_t *) payload - 1)->holder;
}


void
cwmp_table_yield(cwmp_table_t *t, void *payload, ngx_uint_t yields)
{
    ((cwmp_row_t *) payload - 1)->yields = (uint32_t) yields;
}


ngx_uint_t
cwmp_table_yields(cwmp_table_t *t, void *payload)
{
    return ((cwmp_row_t *) payload - 1)->yields;
}


ngx_msec_t
cwmp_table_expires(cwmp_table_t *t, void *payload)
{
    return ((cwmp_row_t *) payload - 1)->expires;
}


void
cwmp_table_delete(cwmp_table_t *t, void *payload)
{
    cwmp_table_remove(t, cwmp_table_index(t, payload));
}


ngx_uint_t
cwmp_table_capacity(cwmp_table_t *t)
{
    return t->capacity;
}


ngx_uint_t
cwmp_table_used(cwmp_table_t *t)
{
    return *(volatile uint32_t *) &t->used;
}


ngx_int_t
cwmp_table_check(cwmp_table_t *t)
{
    uint32_t     n, i, used, free, chained, queued, prev;
    cwmp_row_t  *row;

    used = 0;

    for (n = 0; n < t->capacity; n++) {
        if (cwmp_table_row(t, n)->state != CWMP_TABLE_FREE) {
            used++;
        }
    }

    free = 0;

    for (n = t->free; n != CWMP_TABLE_NONE; n = row->chain) {
        row = cwmp_table_row(t, n);

        if (n >= t->capacity || row->state != CWMP_TABLE_FREE
            || free++ > t->capacity)
        {
            return NGX_ERROR;
        }
    }

    chained = 0;

    for (i = 0; i <= t->mask; i++) {
        for (n = t->bucket[i]; n != CWMP_TABLE_NONE; n = row->chain) {
            row = cwmp_table_row(t, n);

            if (n >= t->capacity || row->state == CWMP_TABLE_FREE
                || cwmp_table_bucket(t, row->key) != &t->bucket[i]
                || chained++ > t->capacity)
            {
                return NGX_ERROR;
            }
        }
    }

    queued = 0;
    prev = CWMP_TABLE_NONE;

    for (n = t->newest; n != CWMP_TABLE_NONE; n = row->next) {
        row = cwmp_table_row(t, n);

        if (n >= t->capacity || row->state == CWMP_TABLE_FREE
            || row->prev != prev
            || (prev != CWMP_TABLE_NONE
                && cwmp_table_row(t, prev)->used < row->used)
            || queued++ > t->capacity)
        {
            return NGX_ERROR;
        }

        prev = n;
    }

    if (t->oldest != prev || t->used != used || chained != used
        || queued != used || free != t->capacity - used)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static size_t
cwmp_table_row_size(size_t payload)
{
    return sizeof(cwmp_row_t) + ngx_align(payload, 8);
}


static size_t
cwmp_table_rows_offset(uint32_t buckets)
{
    return ngx_align(offsetof(cwmp_table_t, bucket)
                     + buckets * sizeof(uint32_t), 8);
}


static uint32_t
cwmp_table_buckets(ngx_uint_t rows)
{
    uint32_t  buckets;

    /* a power of two, not above the rows: at most two rows a chain */

    buckets = 1;

    while (buckets <= rows / 2) {
        buckets <<= 1;
    }

    return buckets;
}


static cwmp_row_t *
cwmp_table_row(cwmp_table_t *t, uint32_t n)
{
    return (cwmp_row_t *) ((u_char *) t + t->rows + n * t->row);
}


static uint32_t
cwmp_table_index(cwmp_table_t *t, void *payload)
{
    return ((u_char *) ((cwmp_row_t *) payload - 1) - (u_char *) t - t->rows)
           / t->row;
}


static uint32_t *
cwmp_table_bucket(cwmp_table_t *t, const u_char *key)
{
    uint32_t  hash;

    ngx_memcpy(&hash, key, sizeof(uint32_t));

    return &t->bucket[hash & t->mask];
}


static ngx_uint_t
cwmp_table_expired(cwmp_row_t *row, ngx_msec_t now)
{
    return (ngx_msec_int_t) (row->expires - now) <= 0;
}


static void
cwmp_table_close(cwmp_table_t *t)
{
    if (t->open == CWMP_TABLE_NONE) {
        return;
    }

    cwmp_table_barrier();

    cwmp_table_row(t, t->open)->state = CWMP_TABLE_USED;
    t->open = CWMP_TABLE_NONE;
}


static void
cwmp_table_link(cwmp_table_t *t, uint32_t n)
{
    cwmp_row_t  *row;

    row = cwmp_table_row(t, n);

    row->used = ++t->clock;
    row->prev = CWMP_TABLE_NONE;
    row->next = t->newest;

    if (t->newest != CWMP_TABLE_NONE) {
        cwmp_table_row(t, t->newest)->prev = n;

    } else {
        t->oldest = n;
    }

    t->newest = n;
}


static void
cwmp_table_unlink(cwmp_table_t *t, uint32_t n)
{
    cwmp_row_t  *row;

    row = cwmp_table_row(t, n);

    if (row->prev != CWMP_TABLE_NONE) {
        cwmp_table_row(t, row->prev)->next = row->next;

    } else {
        t->newest = row->next;
    }

    if (row->next != CWMP_TABLE_NONE) {
        cwmp_table_row(t, row->next)->prev = row->prev;

    } else {
        t->oldest = row->prev;
    }
}


static void
cwmp_table_remove(cwmp_table_t *t, uint32_t n)
{
    uint32_t    *p;
    cwmp_row_t  *row;

    row = cwmp_table_row(t, n);

    /* from here on a rebuild does not bring it back */

    row->state = CWMP_TABLE_FREE;
    cwmp_table_barrier();

    for (p = cwmp_table_bucket(t, row->key);
         *p != n;
         p = &cwmp_table_row(t, *p)->chain)
    {
        /* void */
    }

    *p = row->chain;

    cwmp_table_unlink(t, n);

    if (t->open == n) {
        t->open = CWMP_TABLE_NONE;
    }

    row->chain = t->free;
    t->free = n;
    t->used--;
}


static void
cwmp_table_evict(cwmp_table_t *t, ngx_msec_t now, cwmp_table_alive_pt alive)
{
    uint32_t     n, i;
    cwmp_row_t  *row;

    n = t->oldest;

    for (i = 0; n != CWMP_TABLE_NONE && i < CWMP_TABLE_SCAN; i++) {
        row = cwmp_table_row(t, n);

        if (row->holder == 0 || row->yields || cwmp_table_expired(row, now)
            || !alive(row->holder))
        {
            cwmp_table_remove(t, n);
            return;
        }

        n = row->prev;
    }
}


/*
 * Believes the rows' own state, key and clock, and nothing else.  May itself
 * be killed at any point: "busy" is still set then, and the next one begins
 * anew.
 */

static void
cwmp_table_rebuild(cwmp_table_t *t)
{
    uint32_t     n, list, *bucket;
    cwmp_row_t  *row;

    for (n = 0; n <= t->mask; n++) {
        t->bucket[n] = CWMP_TABLE_NONE;
    }

    t->free = CWMP_TABLE_NONE;
    t->newest = CWMP_TABLE_NONE;
    t->oldest = CWMP_TABLE_NONE;
    t->open = CWMP_TABLE_NONE;
    t->used = 0;

    list = CWMP_TABLE_NONE;

    for (n = t->capacity; n-- > 0; /* void */ ) {
        row = cwmp_table_row(t, n);

        if (row->state != CWMP_TABLE_USED) {
            row->state = CWMP_TABLE_FREE;
            row->chain = t->free;
            t->free = n;
            continue;
        }

        bucket = cwmp_table_bucket(t, row->key);
        row->chain = *bucket;
        *bucket = n;

        row->next = list;
        list = n;
        t->used++;
    }

    list = cwmp_table_sort(t, list);
    t->newest = list;

    for (n = list; n != CWMP_TABLE_NONE; n = row->next) {
        row = cwmp_table_row(t, n);
        row->prev = t->oldest;
        t->oldest = n;
    }
}


/*
 * A merge sort of the list, the most recently used row first: sorted lists of
 * 1, 2, 4... rows wait in their places until a second one of their length
 * comes.
 */

static uint32_t
cwmp_table_sort(cwmp_table_t *t, uint32_t list)
{
    uint32_t     i, n, sorted[32];
    cwmp_row_t  *row;

    for (i = 0; i < 32; i++) {
        sorted[i] = CWMP_TABLE_NONE;
    }

    while (list != CWMP_TABLE_NONE) {
        n = list;
        row = cwmp_table_row(t, n);
        list = row->next;
        row->next = CWMP_TABLE_NONE;

        for (i = 0; sorted[i] != CWMP_TABLE_NONE; i++) {
            n = cwmp_table_merge(t, sorted[i], n);
            sorted[i] = CWMP_TABLE_NONE;
        }

        sorted[i] = n;
    }

    for (i = 0; i < 32; i++) {
        list = cwmp_table_merge(t, sorted[i], list);
    }

    return list;
}


static uint32_t
cwmp_table_merge(cwmp_table_t *t, uint32_t a, uint32_t b)
{
    uint32_t  head, *tail;

    tail = &head;

    while (a != CWMP_TABLE_NONE && b != CWMP_TABLE_NONE) {

        if (cwmp_table_row(t, a)->used >= cwmp_table_row(t, b)->used) {
            *tail = a;
            tail = &cwmp_table_row(t, a)->next;
            a = *tail;

        } else {
            *tail = b;
            tail = &cwmp_table_row(t, b)->next;
            b = *tail;
        }
    }

    *tail = (a != CWMP_TABLE_NONE) ? a : b;

    return head;
}
