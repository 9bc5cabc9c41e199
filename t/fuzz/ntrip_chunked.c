
/*
 * sources: ntrip_chunked.c
 *
 * The first byte says how the rest is cut.  It is decoded twice, with the same
 * result, and framed as chunks, which decode to itself.
 */


#include "fuzz.h"
#include "ntrip_chunked.h"


static ngx_int_t
decode(fuzz_buf_t *b, const uint8_t *p, size_t size, uint32_t seed,
    size_t most)
{
    size_t           n, k;
    ngx_int_t        rc;
    ngx_str_t        piece, in, data;
    ntrip_chunked_t  c;

    ntrip_chunked_init(&c);
    rc = NGX_AGAIN;

    for (n = 0; n < size && rc == NGX_AGAIN; n += k) {
        k = fuzz_piece(&seed, most, size - n);
        piece = fuzz_copy(p + n, k);
        in = piece;

        while ((rc = ntrip_chunked_next(&c, &in, &data)) == NGX_OK) {
            test(data.len > 0);
            test(data.data >= piece.data
                 && data.data + data.len == in.data
                 && in.data + in.len == piece.data + piece.len);
            fuzz_add(b, data.data, data.len);
        }

        test(rc != NGX_AGAIN || in.len == 0);

        if (rc == NGX_DONE) {
            n -= in.len;                 /* not of this message */
            test(ntrip_chunked_next(&c, &in, &data) == NGX_DONE);
        }

        free(piece.data);
    }

    fuzz_add(b, &rc, sizeof(rc));
    fuzz_add(b, rc == NGX_DONE ? &n : NULL, rc == NGX_DONE ? sizeof(n) : 0);

    return rc;
}


static void
encode(const uint8_t *p, size_t size, uint32_t seed, size_t most)
{
    u_char      head[NTRIP_CHUNK_HEAD], *start;
    size_t      n, k;
    fuzz_buf_t  coded = { NULL, 0, 0 }, plain = { NULL, 0, 0 };

    for (n = 0; n < size; n += k) {
        k = fuzz_piece(&seed, most, size - n);
        start = ntrip_chunk_head(head + sizeof(head), (uint32_t) k);
        test(start >= head);

        fuzz_add(&coded, start, head + sizeof(head) - start);
        fuzz_add(&coded, p + n, k);
        fuzz_add(&coded, CRLF, 2);
    }

    fuzz_add(&coded, NTRIP_CHUNK_LAST, sizeof(NTRIP_CHUNK_LAST) - 1);

    test(decode(&plain, coded.data, coded.len, seed, most) == NGX_DONE);
    test(plain.len == size + sizeof(ngx_int_t) + sizeof(size_t));
    test(size == 0 || memcmp(plain.data, p, size) == 0);

    free(coded.data);
    free(plain.data);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_buf_t  whole = { NULL, 0, 0 }, cut = { NULL, 0, 0 };

    if (size == 0) {
        return 0;
    }

    decode(&whole, data + 1, size - 1, 0, 1);
    decode(&cut, data + 1, size - 1, data[0], data[0] + 1);
    fuzz_same(&whole, &cut);

    encode(data + 1, size - 1, data[0], data[0] + 1);

    free(whole.data);
    free(cut.data);

    return 0;
}
