
#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_ring.h"
#include "ntrip_words.h"


static void ntrip_ring_put(ntrip_ring_t *ring, uint64_t pos, const void *src,
    size_t len);
static void ntrip_ring_get(ntrip_ring_t *ring, uint64_t pos, void *dst,
    size_t len);
static ngx_int_t ntrip_ring_overrun(ntrip_ring_t *ring, uint64_t *pos);


#define ntrip_ring_span(len)                                                  \
    ngx_align(sizeof(ntrip_record_t) + (uint64_t) (len), NTRIP_RING_ALIGN)


size_t
ntrip_ring_memory(size_t size)
{
    return ngx_align(offsetof(ntrip_ring_t, data) + size, 64);
}


size_t
ntrip_ring_round(size_t size)
{
    size_t  n;

    for (n = NTRIP_RING_MIN; n < size && n < (size_t) 1 << 30; n <<= 1) {
        /* void */
    }

    return n;
}


size_t
ntrip_ring_max_payload(ntrip_ring_t *ring)
{
    return ring->size / 4 - sizeof(ntrip_record_t);
}


void
ntrip_ring_init(ntrip_ring_t *ring, size_t size)
{
    ring->size = size;
    ring->head = NTRIP_RING_ALIGN;
    ring->epoch = NTRIP_RING_ALIGN;
    ring->tail = NTRIP_RING_ALIGN;

    ntrip_latest_init(&ring->latest);
}


void
ntrip_ring_reset(ntrip_ring_t *ring)
{
    /*
     * A producer that was killed may have left "tail" beyond "head" less
     * "size"; moving it to "head" makes everything older an overrun.
     */

    __atomic_store_n(&ring->tail, ring->head, __ATOMIC_SEQ_CST);
    __atomic_store_n(&ring->epoch, ring->head, __ATOMIC_SEQ_CST);

    ntrip_latest_init(&ring->latest);
}


ngx_int_t
ntrip_ring_write(ntrip_ring_t *ring, const ntrip_record_t *rec,
    const u_char *payload)
{
    uint64_t  head, next, tail;

    if (rec->len > ntrip_ring_max_payload(ring)) {
        return NGX_DECLINED;
    }

    head = ring->head;
    next = head + ntrip_ring_span(rec->len);

    if (next > ring->size) {
        tail = next - ring->size;

        if (tail > ring->tail) {
            __atomic_store_n(&ring->tail, tail, __ATOMIC_RELEASE);
        }
    }

    /* readers must see "tail" before any byte of the record */

    __atomic_thread_fence(__ATOMIC_SEQ_CST);

    ntrip_ring_put(ring, head, rec, sizeof(ntrip_record_t));
    ntrip_ring_put(ring, head + sizeof(ntrip_record_t), payload, rec->len);

    __atomic_store_n(&ring->head, next, __ATOMIC_RELEASE);

    if (rec->flags & NTRIP_RECORD_EPOCH) {
        __atomic_store_n(&ring->epoch, next, __ATOMIC_RELEASE);
    }

    /* the caller now loads the bits of the stream: see the header */

    __atomic_thread_fence(__ATOMIC_SEQ_CST);

    return NGX_OK;
}


uint64_t
ntrip_ring_head(ntrip_ring_t *ring)
{
    __atomic_thread_fence(__ATOMIC_SEQ_CST);

    return __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE);
}


ngx_int_t
ntrip_ring_read(ntrip_ring_t *ring, uint64_t *pos, ntrip_record_t *rec,
    u_char *buf, size_t size)
{
    uint64_t  head;

    head = __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE);

    if (*pos == head) {
        return NGX_AGAIN;
    }

    if (*pos > head
        || *pos < __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE))
    {
        return ntrip_ring_overrun(ring, pos);
    }

    ntrip_ring_get(ring, *pos, rec, sizeof(ntrip_record_t));

    __atomic_thread_fence(__ATOMIC_SEQ_CST);

    if (*pos < __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE)) {
        return ntrip_ring_overrun(ring, pos);
    }

    /* the length is sound from here on */

    if (rec->len > size) {
        return NGX_BUSY;
    }

    ntrip_ring_get(ring, *pos + sizeof(ntrip_record_t), buf, rec->len);

    __atomic_thread_fence(__ATOMIC_SEQ_CST);

    if (*pos < __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE)) {
        return ntrip_ring_overrun(ring, pos);
    }

    *pos += ntrip_ring_span(rec->len);

    return NGX_OK;
}


static ngx_int_t
ntrip_ring_overrun(ntrip_ring_t *ring, uint64_t *pos)
{
    uint64_t  epoch;

    epoch = __atomic_load_n(&ring->epoch, __ATOMIC_ACQUIRE);

    if (epoch >= __atomic_load_n(&ring->tail, __ATOMIC_ACQUIRE)
        && epoch > *pos)
    {
        *pos = epoch;

    } else {
        *pos = __atomic_load_n(&ring->head, __ATOMIC_ACQUIRE);
    }

    return NGX_DECLINED;
}


static void
ntrip_ring_put(ntrip_ring_t *ring, uint64_t pos, const void *src, size_t len)
{
    size_t         offset, part;
    const u_char  *p;

    p = src;
    offset = pos & (ring->size - 1);
    part = ngx_min(len, ring->size - offset);

    ntrip_words_store(&ring->data[offset], p, part);

    if (len > part) {
        ntrip_words_store(ring->data, p + part, len - part);
    }
}


static void
ntrip_ring_get(ntrip_ring_t *ring, uint64_t pos, void *dst, size_t len)
{
    u_char  *p;
    size_t   offset, part;

    p = dst;
    offset = pos & (ring->size - 1);
    part = ngx_min(len, ring->size - offset);

    ntrip_words_load(p, &ring->data[offset], part);

    if (len > part) {
        ntrip_words_load(p + part, ring->data, len - part);
    }
}
