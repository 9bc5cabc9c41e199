
/*
 * sources: cwmp_reply.c
 *
 * The first two bytes say how to split the rest, the third how it ends: the
 * result is the same as for the whole, and what was collected lies in the
 * buffer on one line each.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_reply.h"


#define test(x)  if (!(x)) { fprintf(stderr, "failed: %s\n", #x); abort(); }


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
test_piece(cwmp_reply_t *r, const uint8_t *data, size_t size)
{
    u_char     *copy;
    ngx_int_t   rc;

    copy = malloc(size ? size : 1);
    memcpy(copy, data, size);

    rc = cwmp_reply_parse(r, copy, size);

    test(rc == NGX_OK || rc == NGX_AGAIN || rc == NGX_ERROR);
    test((rc == NGX_ERROR) == (r->error != 0));
    test(cwmp_reply_strerror(r->error) != NULL);
    test((rc == NGX_OK) == (r->done && !r->error));

    if (rc == NGX_ERROR) {
        test(cwmp_reply_parse(r, copy, size) == NGX_ERROR);
    }

    free(copy);
}


static ngx_int_t
test_end(cwmp_reply_t *r, ngx_uint_t end)
{
    switch (end) {

    case 0:
        return r->error ? NGX_ERROR : r->done ? NGX_OK : NGX_AGAIN;

    case 1:
        return cwmp_reply_end(r, 0);

    default:
        return cwmp_reply_end(r, 1);
    }
}


static void
test_reply(cwmp_reply_t *r)
{
    size_t      n;
    ngx_uint_t  i;

    test(r->done && r->header);
    test(r->status == 101 || (r->status >= 200 && r->status <= 999));
    test(r->nauth <= CWMP_REPLY_AUTH_MAX);

    for (i = 0; i < r->nauth; i++) {
        test(r->auth[i].data >= r->buf);
        test(r->auth[i].data + r->auth[i].len <= r->buf + r->len);

        for (n = 0; n < r->auth[i].len; n++) {
            test(r->auth[i].data[n] != LF);
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t         first, step, n, len;
    u_char        *one, *two;
    ngx_int_t      rc;
    ngx_uint_t     i, end;
    cwmp_reply_t   a, b;

    if (size < 3) {
        return 0;
    }

    first = data[0];
    step = data[1] % 32 + 1;
    end = data[2] % 3;

    data += 3;
    size -= 3;

    one = malloc(CWMP_REPLY_HEADER_MAX);
    two = malloc(CWMP_REPLY_HEADER_MAX);

    cwmp_reply_init(&a, one, end == 2);
    test_piece(&a, data, size);
    rc = test_end(&a, end);

    cwmp_reply_init(&b, two, end == 2);

    for (n = 0; n < size; n += len) {
        len = ngx_min(n == 0 ? ngx_max(first, 1) : step, size - n);
        test_piece(&b, data + n, len);
    }

    test(test_end(&b, end) == rc);
    test(a.error == b.error);
    test(cwmp_reply_strerror(a.error) != NULL);

    if (rc == NGX_OK) {
        test_reply(&a);
        test_reply(&b);

        test(a.status == b.status);
        test(a.version == b.version);
        test(a.reusable == b.reusable);
        test(a.nauth == b.nauth);

        for (i = 0; i < a.nauth; i++) {
            test(a.auth[i].len == b.auth[i].len);
            test(memcmp(a.auth[i].data, b.auth[i].data, a.auth[i].len) == 0);
        }
    }

    free(one);
    free(two);

    return 0;
}
