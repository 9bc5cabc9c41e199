
/*
 * What the fuzz targets share.
 */


#ifndef _FUZZ_H_INCLUDED_
#define _FUZZ_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define test(x)                                                               \
    if (!(x)) {                                                               \
        fprintf(stderr, "%s:%d: failed: %s\n", __FILE__, __LINE__, #x);       \
        abort();                                                              \
    }


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


/* output that grows, to compare what came out of several runs */

typedef struct {
    u_char       *data;
    size_t        len;
    size_t        size;
} fuzz_buf_t;


static inline void
fuzz_add(fuzz_buf_t *b, const void *data, size_t len)
{
    if (b->len + len > b->size) {
        b->size = 2 * (b->len + len);
        b->data = realloc(b->data, b->size);
        test(b->data != NULL);
    }

    if (len) {
        memcpy(b->data + b->len, data, len);
        b->len += len;
    }
}


static inline void
fuzz_same(fuzz_buf_t *a, fuzz_buf_t *b)
{
    test(a->len == b->len);
    test(a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}


/* exactly its size on the heap, where the sanitizer sees overruns */

static inline ngx_str_t
fuzz_copy(const uint8_t *data, size_t len)
{
    ngx_str_t  s;

    s.len = len;
    s.data = malloc(len ? len : 1);
    test(s.data != NULL);

    if (len) {
        memcpy(s.data, data, len);
    }

    return s;
}


/* how many bytes come next: always different, the same for one "seed" */

static inline size_t
fuzz_piece(uint32_t *seed, size_t most, size_t left)
{
    size_t  n;

    *seed = *seed * 1664525 + 1013904223;
    n = 1 + (*seed >> 8) % most;

    return n < left ? n : left;
}


/*
 * Whether an input is one of the sample, an eighth, that a slow oracle looks
 * at: always the same for the same input, so that a failure can be repeated.
 */

static inline ngx_uint_t
fuzz_sample(const uint8_t *data, size_t size)
{
    size_t    i;
    uint32_t  hash;

    hash = 2166136261;

    for (i = 0; i < size; i++) {
        hash = (hash ^ data[i]) * 16777619;
    }

    return (hash >> 16) % 8 == 0;
}


#endif /* _FUZZ_H_INCLUDED_ */
