
/*
 * sources: cwmp_challenge.c
 *
 * Two field values, divided by a line feed.  Every challenge lies in its
 * field, in order; a usable one can be put between quotes again without a way
 * out of them; the choice is the strongest one.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_challenge.h"


#define test(x)  if (!(x)) { fprintf(stderr, "failed: %s\n", #x); abort(); }


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
test_quotable(ngx_str_t *text, ngx_str_t *s)
{
    size_t  i;

    if (s->data == NULL) {
        test(s->len == 0);
        return;
    }

    test(s->data >= text->data);
    test(s->data + s->len <= text->data + text->len);

    for (i = 0; i < s->len; i++) {
        test(s->data[i] == '\t' || s->data[i] >= ' ');
        test(s->data[i] != 0x7f);
        test(s->data[i] != '"');

        if (s->data[i] == '\\') {
            test(++i < s->len);
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char             *copy, *lf, *end;
    ngx_str_t           values[2], rest;
    ngx_uint_t          i, n, usable, digest, basic, best;
    cwmp_challenge_t    ch;
    cwmp_challenges_t   all;

    copy = malloc(size ? size : 1);
    memcpy(copy, data, size);

    values[0].data = copy;
    values[0].len = size;
    n = 1;

    lf = memchr(copy, '\n', size);

    if (lf) {
        values[0].len = lf - copy;
        values[1].data = lf + 1;
        values[1].len = copy + size - lf - 1;
        n = 2;
    }

    usable = digest = basic = best = 0;

    for (i = 0; i < n; i++) {
        rest = values[i];
        end = rest.data;

        while (cwmp_challenge_next(&rest, &ch) == NGX_OK) {
            test(ch.text.data >= end);
            test(ch.text.len > 0);
            end = ch.text.data + ch.text.len;
            test(end == rest.data);
            test(end + rest.len == values[i].data + values[i].len);
            test(ch.scheme != CWMP_AUTH_NONE);

            basic |= (ch.scheme == CWMP_AUTH_BASIC);
            digest |= (ch.scheme == CWMP_AUTH_DIGEST);

            test(cwmp_challenge_strerror(ch.error) != NULL);
            test((ch.scheme == CWMP_AUTH_DIGEST)
                 == (ch.error != CWMP_CHALLENGE_NO_DIGEST));

            if (ch.error) {
                continue;
            }

            usable = 1;
            best = ngx_max(best, ch.hash);

            test(ch.nonce.len > 0);
            test(ch.hash != CWMP_ALGORITHM_UNKNOWN);
            test(ch.qop != CWMP_QOP_OTHER);
            test_quotable(&ch.text, &ch.realm);
            test_quotable(&ch.text, &ch.nonce);
            test_quotable(&ch.text, &ch.opaque);
            test_quotable(&ch.text, &ch.algorithm);
        }
    }

    cwmp_challenge_select(&all, values, n);

    test(all.usable == usable);
    test(all.has_digest == digest);
    test(all.has_basic == basic);
    test(usable == (all.error == 0));
    test(!usable || all.has_relay);

    if (usable) {
        test(all.digest.hash == best);
        test(all.digest.error == 0);
    }

    for (i = 0; i < n; i++) {
        (void) cwmp_auth_scheme(&values[i]);
    }

    free(copy);

    return 0;
}
