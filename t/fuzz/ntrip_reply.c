
/*
 * sources: ntrip_reply.c ntrip_chunked.c
 *          ntrip_text.c
 *
 * The first byte says what was asked for and how the reply is cut.  The same
 * data and the same result come out however that is, and no byte behind an
 * ICY header is lost.  The rest of the input also makes a request of ours,
 * which has no line but its own.
 */


#include "fuzz.h"
#include "ntrip_reply.h"


static void
run(fuzz_buf_t *b, ngx_uint_t asked, const uint8_t *p, size_t size,
    uint32_t seed, size_t most)
{
    size_t         n, k;
    ngx_int_t      rc;
    ngx_str_t      piece, in, data;
    ngx_uint_t     status;
    ntrip_reply_t  r, moved;

    ntrip_reply_init(&r, asked);
    rc = NGX_AGAIN;

    for (n = 0; n < size && rc == NGX_AGAIN; n += k) {
        k = fuzz_piece(&seed, most, size - n);
        piece = fuzz_copy(p + n, k);
        in = piece;

        moved = r;
        memset(&r, 0xa5, sizeof(r));
        r = moved;

        while ((rc = ntrip_reply_next(&r, &in, &data)) == NGX_OK) {
            test(data.len > 0 && r.result == NTRIP_REPLY_OK && r.accepted);
            fuzz_add(b, data.data, data.len);
        }

        test(rc != NGX_DONE
             || ntrip_reply_next(&r, &in, &data) == NGX_DONE);
        test(rc != NGX_AGAIN || in.len == 0);
        test(rc != NGX_DECLINED || r.result > NTRIP_REPLY_OK);
        test(rc != NGX_DECLINED
             || ntrip_reply_next(&r, &in, &data) == NGX_DECLINED);
        test(r.held <= NTRIP_REPLY_HOLD);

        free(piece.data);
    }

    if (rc == NGX_AGAIN) {

        /* the end by length is told by the next call */

        in.data = NULL;
        in.len = 0;
        rc = ntrip_reply_next(&r, &in, &data);
        test(rc != NGX_OK);
    }

    status = r.status;

    fuzz_add(b, &rc, sizeof(rc));
    fuzz_add(b, &r.result, sizeof(r.result));
    fuzz_add(b, &status, sizeof(status));
    fuzz_add(b, r.shown, r.shown_len);
}


static void
icy(const uint8_t *p, size_t size, uint32_t seed, size_t most)
{
    fuzz_buf_t  reply = { NULL, 0, 0 }, out = { NULL, 0, 0 };

    fuzz_add(&reply, "ICY 200 OK\r\n\r\n", 14);
    fuzz_add(&reply, p, size);
    run(&out, NTRIP_REPLY_STREAM, reply.data, reply.len, seed, most);
    test(out.len >= size && (size == 0 || memcmp(out.data, p, size) == 0));

    reply.len = 12;
    fuzz_add(&reply, "\xd3", 1);
    fuzz_add(&reply, p, size);
    out.len = 0;
    run(&out, NTRIP_REPLY_STREAM, reply.data, reply.len, seed, most);
    test(out.len > size && memcmp(out.data, reply.data + 12, size + 1) == 0);

    free(reply.data);
    free(out.data);
}


static void
request(const uint8_t *p, size_t size, ngx_uint_t v2)
{
    u_char                  buf[4096];
    size_t                  i, n, lines;
    ntrip_out_t             out;
    ntrip_reply_request_t   r;

    memset(&r, 0, sizeof(r));

    r.v2 = v2;
    r.mount.data = (u_char *) p;
    r.mount.len = ngx_min(size, 100);
    r.user.data = (u_char *) p;
    r.user.len = ngx_min(size, NTRIP_USER_MAX);
    r.password = r.user;
    ngx_str_set(&r.host, "h");
    r.port = 1;

    ntrip_out_init(&out, buf, sizeof(buf));
    ntrip_reply_request(&out, &r);
    test(!out.overflow);

    for (i = 0, lines = 0; buf + i < out.last; i++) {
        test((buf[i] >= 0x20 && buf[i] < 0x7f) || buf[i] == CR
             || buf[i] == LF);
        lines += (buf[i] == LF);
    }

    test(lines == 4 + (v2 ? 3u : size ? 0u : 2u) + (size ? 1u : 0u));

    /* a position is one more line, and credentials that are too long none */

    ngx_str_set(&r.gga, "$GPGGA,x*00");
    n = out.last - out.start;

    ntrip_out_init(&out, buf, sizeof(buf));
    ntrip_reply_request(&out, &r);
    test(!out.overflow);
    test((size_t) (out.last - out.start)
         == n + (v2 ? sizeof("Ntrip-GGA: $GPGGA,x*00" CRLF) - 1 : 0));

    if (size > NTRIP_PASSWORD_MAX) {
        r.password.len = NTRIP_PASSWORD_MAX + 1;

        ntrip_out_init(&out, buf, sizeof(buf));
        ntrip_reply_request(&out, &r);
        test(out.overflow);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ngx_uint_t  asked;
    fuzz_buf_t  whole = { NULL, 0, 0 }, cut = { NULL, 0, 0 };

    if (size == 0) {
        return 0;
    }

    asked = (data[0] & 1) ? NTRIP_REPLY_TABLE : NTRIP_REPLY_STREAM;

    run(&whole, asked, data + 1, size - 1, 0, 1);
    run(&cut, asked, data + 1, size - 1, data[0], data[0] + 1);
    fuzz_same(&whole, &cut);

    cut.len = 0;
    run(&cut, asked, data + 1, size - 1, data[0], 4096);
    fuzz_same(&whole, &cut);

    icy(data + 1, size - 1, data[0], data[0] + 1);
    request(data + 1, size - 1, data[0] & 2);

    free(whole.data);
    free(cut.data);

    return 0;
}
