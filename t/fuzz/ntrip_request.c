
/*
 * sources: ntrip_request.c ntrip_text.c
 *
 * The first byte says how the request is cut.  The result is the same as in
 * one piece; strings lie within the buffer and have nothing that could end a
 * line; garbage is refused by its first byte or within the limit.
 */


#include "fuzz.h"
#include "ntrip_request.h"


static void
add_str(fuzz_buf_t *b, ngx_str_t *s, ngx_str_t *within)
{
    size_t  i;

    if (s->len) {
        test(s->data >= within->data
             && s->data + s->len <= within->data + within->len);
    }

    for (i = 0; i < s->len; i++) {
        test((s->data[i] >= 0x20 && s->data[i] != 0x7f)
             || s->data[i] == '\t');
    }

    fuzz_add(b, &s->len, sizeof(s->len));
    fuzz_add(b, s->data, s->len);
}


static void
dump(fuzz_buf_t *b, ntrip_request_t *r, ngx_str_t *in)
{
    ngx_uint_t  flags[] = { r->method, r->form, r->auth, r->http, r->http11,
                            r->v2, r->html, r->chunked, r->expect, r->body };

    test(r->method >= NTRIP_GET && r->method <= NTRIP_POST);
    test(r->form >= NTRIP_FORM_V1 && r->form <= NTRIP_FORM_PAGE);
    test(r->form != NTRIP_FORM_V2 || r->v2);
    test(r->body >= 2 && r->body <= in->len && r->body <= NTRIP_REQUEST_MAX);
    test(in->data[r->body - 1] == LF);
    test(r->user.len <= NTRIP_USER_MAX);
    test(r->auth == NTRIP_AUTH_BASIC || r->user.len == 0);
    test(!ntrip_request_insists(r)
         || (r->v2 && r->agent.len && r->method == NTRIP_GET));

    fuzz_add(b, flags, sizeof(flags));
    add_str(b, &r->mount, in);
    add_str(b, &r->query, in);
    add_str(b, &r->host, in);
    add_str(b, &r->user, in);
    add_str(b, &r->password, in);
    add_str(b, &r->agent, in);
    add_str(b, &r->gga, in);
    add_str(b, &r->str, in);
    fuzz_add(b, in->data + r->body, in->len - r->body);
}


static void
run(fuzz_buf_t *b, const uint8_t *data, size_t size, uint32_t seed,
    size_t most)
{
    size_t           n;
    ngx_int_t        rc;
    ngx_str_t        in;
    ntrip_request_t  r;

    memset(&r, 0, sizeof(r));
    in = fuzz_copy(data, size);
    n = 0;

    do {
        n = (n == size) ? n : n + fuzz_piece(&seed, most, size - n);
        rc = ntrip_request_parse(&r, in.data, n);
    } while (rc == NGX_AGAIN && n < size);

    fuzz_add(b, &rc, sizeof(rc));

    if (rc == NGX_OK) {
        dump(b, &r, &in);

    } else if (rc == NGX_ERROR) {
        test(r.error >= NTRIP_REQUEST_TOO_LARGE
             && r.error <= NTRIP_REQUEST_HEADER);
        test(*ntrip_request_error(r.error));
        fuzz_add(b, &r.error, sizeof(r.error));

    } else {
        test(rc == NGX_AGAIN && size < NTRIP_REQUEST_MAX);
    }

    free(in.data);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_buf_t  whole = { NULL, 0, 0 }, cut = { NULL, 0, 0 };

    if (size == 0) {
        return 0;
    }

    run(&whole, data + 1, size - 1, 0, 1);
    run(&cut, data + 1, size - 1, data[0], data[0] % 64 + 1);
    fuzz_same(&whole, &cut);

    cut.len = 0;
    run(&cut, data + 1, size - 1, data[0], 8192);
    fuzz_same(&whole, &cut);

    free(whole.data);
    free(cut.data);

    return 0;
}
