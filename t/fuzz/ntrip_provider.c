
/*
 * A whole connection of a provider: its reply, chunked or not, cut into
 * messages, which go into a ring, and out of it to a rover.  The first byte has
 * the format of the mountpoint, the second says how the rest is cut into
 * segments.
 *
 * However that is: the same bytes come out, and the same end; of RTCM 3 whole
 * frames in their order, and of what is passed on as it is every byte behind
 * the header.
 *
 * sources: ntrip_reply.c ntrip_chunked.c ntrip_rtcm.c ntrip_ring.c
 *          ntrip_latest.c ntrip_text.c
 */


#include "fuzz.h"
#include "ntrip_reply.h"
#include "ntrip_ring.h"
#include "ntrip_rtcm.h"


#define FUZZ_RING  8192


typedef struct {
    ntrip_reply_t    reply;
    ntrip_rtcm_t     rtcm;
    ngx_uint_t       mode;
    uint64_t         pos;             /* of the rover */
    fuzz_buf_t       data;            /* what the reply had */
    fuzz_buf_t       out;             /* what the rover got */
    ngx_int_t        rc;
} fuzz_source_t;


static ntrip_ring_t  *fuzz_ring;


/* each record is read as soon as it is there */

static void
record(fuzz_source_t *s, ntrip_rtcm_message_t *m)
{
    u_char          buf[FUZZ_RING / 4];
    ntrip_record_t  rec, got;

    rec.len = m->len;
    rec.type = m->type;
    rec.time = 1;
    rec.flags = m->flags & (NTRIP_RTCM_EPOCH|NTRIP_RTCM_STATION);

    test(ntrip_ring_write(fuzz_ring, &rec, m->data) == NGX_OK);
    test(ntrip_ring_read(fuzz_ring, &s->pos, &got, buf, sizeof(buf))
         == NGX_OK);
    test(got.len == rec.len && got.type == rec.type
         && got.flags == rec.flags);
    test(ntrip_ring_read(fuzz_ring, &s->pos, &got, buf, sizeof(buf))
         == NGX_AGAIN);

    m->data = buf;

    if (s->rtcm.mode == NTRIP_RTCM_RTCM3) {
        test(ntrip_rtcm_check(m) == NGX_OK);
    }

    fuzz_add(&s->out, buf, rec.len);
}


static void
segment(fuzz_source_t *s, ngx_str_t *in)
{
    ngx_int_t             rc;
    ngx_str_t             data;
    ntrip_rtcm_message_t  m;

    while ((s->rc = ntrip_reply_next(&s->reply, in, &data)) == NGX_OK) {
        test(s->reply.accepted);
        fuzz_add(&s->data, data.data, data.len);

        while ((rc = ntrip_rtcm_next(&s->rtcm, &data, &m)) == NGX_OK) {
            record(s, &m);
        }

        if (rc == NGX_ERROR) {
            test(s->out.len == 0);
            s->rc = NGX_ABORT;
            return;
        }
    }
}


static void
run(fuzz_source_t *s, const uint8_t *data, size_t size, ngx_uint_t mode,
    uint32_t seed, size_t most)
{
    size_t     n, k;
    ngx_str_t  piece, in;

    memset(s, 0, sizeof(fuzz_source_t));
    s->rc = NGX_AGAIN;

    ntrip_reply_init(&s->reply, NTRIP_REPLY_STREAM);
    ntrip_rtcm_init(&s->rtcm, mode);
    ntrip_ring_init(fuzz_ring, FUZZ_RING);
    s->pos = ntrip_ring_head(fuzz_ring);

    for (n = 0; n < size && s->rc == NGX_AGAIN; n += k) {
        k = fuzz_piece(&seed, most, size - n);
        piece = fuzz_copy(data + n, k);
        in = piece;
        segment(s, &in);
        free(piece.data);
    }

    /* of a body that ends by its own account the next call says so */

    if (s->rc == NGX_AGAIN) {
        in.len = 0;
        in.data = NULL;
        segment(s, &in);
    }

    test((s->rc == NGX_DECLINED) == (s->reply.result > NTRIP_REPLY_OK));
    test(ntrip_reply_result(s->reply.result) != NULL);
}


static void
same(fuzz_source_t *a, fuzz_source_t *b)
{
    test(a->rc == b->rc);
    test(a->reply.result == b->reply.result);
    test(a->rtcm.mode == b->rtcm.mode);

    /* the page that it begins with may have come in more than it takes to
       know that */

    if (a->rc != NGX_ABORT) {
        fuzz_same(&a->data, &b->data);
        test(a->rtcm.skipped == b->rtcm.skipped);
    }

    fuzz_same(&a->out, &b->out);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ngx_uint_t     mode;
    fuzz_source_t  whole, cut;

    if (size < 2) {
        return 0;
    }

    if (fuzz_ring == NULL) {
        fuzz_ring = aligned_alloc(64, ntrip_ring_memory(FUZZ_RING));
        test(fuzz_ring != NULL);
    }

    mode = data[0] % 3;

    run(&whole, data + 2, size - 2, mode, 0, size);
    run(&cut, data + 2, size - 2, mode, data[1], data[1] + 1);
    same(&whole, &cut);
    free(cut.data.data);
    free(cut.out.data);

    if (whole.rtcm.mode == NTRIP_RTCM_RAW && whole.rc != NGX_ABORT) {
        fuzz_same(&whole.data, &whole.out);
    }

    free(whole.data.data);
    free(whole.out.data);

    return 0;
}
