
/*
 * sources: cwmp_challenge.c
 *
 * The removal of auth-int: what is left has it nowhere beside another qop, is
 * not changed by a second removal, has the same challenges otherwise, and is
 * the field with some bytes left out.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_challenge.h"


#define test(x)  if (!(x)) { fprintf(stderr, "failed: %s\n", #x); abort(); }


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
test_same(ngx_str_t *a, ngx_str_t *b)
{
    test(a->len == b->len);
    test(a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}


static void
test_challenges(ngx_str_t before, ngx_str_t after, ngx_uint_t only)
{
    ngx_int_t         rc;
    ngx_uint_t        alone;
    cwmp_challenge_t  a, b;

    alone = 0;

    for ( ;; ) {
        rc = cwmp_challenge_next(&before, &a);
        test(cwmp_challenge_next(&after, &b) == rc);

        if (rc == NGX_DONE) {
            break;
        }

        test(a.scheme == b.scheme);
        test_same(&a.realm, &b.realm);
        test_same(&a.nonce, &b.nonce);
        test_same(&a.opaque, &b.opaque);
        test_same(&a.algorithm, &b.algorithm);
        test(a.stale == b.stale);

        if (a.scheme != CWMP_AUTH_DIGEST) {
            test_same(&a.text, &b.text);
            continue;
        }

        if (a.qop == CWMP_QOP_AUTH_INT) {
            alone = 1;
            test_same(&a.text, &b.text);

        } else {
            test(b.qop == (a.qop & ~CWMP_QOP_AUTH_INT));
        }
    }

    test(alone == only);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t       i, k;
    u_char      *again;
    ngx_int_t    rc;
    ngx_str_t    value, left;
    ngx_uint_t   only;

    value.len = size;
    value.data = malloc(size + 1);
    memcpy(value.data, data, size);

    left.data = malloc(size + 1);

    rc = cwmp_challenge_strip_auth_int(&value, left.data, &left.len, &only);

    test(left.len <= value.len);

    for (i = 0, k = 0; i < size && k < left.len; i++) {
        k += (value.data[i] == left.data[k]);
    }

    test(k == left.len);
    test((rc == NGX_OK) == (left.len < value.len));
    test(rc == NGX_OK || rc == NGX_DECLINED);

    test_challenges(value, left, only);

    again = malloc(size + 1);
    test(cwmp_challenge_strip_auth_int(&left, again, &i, &only)
         == NGX_DECLINED);
    test(i == left.len && memcmp(again, left.data, i) == 0);

    free(again);
    free(left.data);
    free(value.data);

    return 0;
}
