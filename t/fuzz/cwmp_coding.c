
/*
 * Fieldgate: content codings.  Where the input is split changes nothing, limits
 * hold, and what was inflated comes out of its own format again.
 *
 * sources: cwmp_coding.c
 * libs: -lz
 */


#include "cwmp_coding.h"

#include <stdio.h>
#include <stdlib.h>


#define FUZZ_MAX    1200000
#define FUZZ_RATIO  40

#define fuzz_check(what)                                                      \
    if (!(what)) {                                                            \
        fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what);            \
        abort();                                                              \
    }


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static u_char  whole[FUZZ_MAX + 65536];
static u_char  other[FUZZ_MAX + 65536];


static size_t
fuzz_inflate(cwmp_inflate_t *c, ngx_uint_t coding, const uint8_t *data,
    size_t size, size_t step, size_t room, u_char *out)
{
    u_char     *p, *last;
    size_t      n, k, total;
    ngx_int_t   rc;

    cwmp_inflate_init(c, coding, FUZZ_MAX, FUZZ_RATIO);

    total = 0;
    rc = NGX_OK;

    for (p = (u_char *) data; size && rc == NGX_OK; size -= n) {
        n = ngx_min(step, size);
        last = p + n;

        do {
            rc = cwmp_inflate(c, &p, last, out + total, room, &k);

            if (rc != NGX_OK) {
                break;
            }

            total += k;
            fuzz_check(total <= FUZZ_MAX);
        } while (p < last || k == room);

        p = last;
    }

    if (rc == NGX_OK) {
        rc = cwmp_inflate_finish(c);
    }

    fuzz_check((rc == NGX_ERROR) == (c->error != 0));

    cwmp_inflate_end(c);

    return total;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char          *p, *packed;
    size_t           n, k, len, room;
    ngx_int_t        rc;
    ngx_uint_t       coding;
    cwmp_deflate_t   d;
    cwmp_inflate_t   a, b;

    if (size < 2) {
        return 0;
    }

    coding = (data[0] & 1) ? CWMP_CODING_GZIP : CWMP_CODING_DEFLATE;
    n = fuzz_inflate(&a, coding, data + 2, size - 2, size, 65536, whole);

    k = fuzz_inflate(&b, coding, data + 2, size - 2, data[1] % 17 + 1,
                     data[0] * 16 + 1, other);

    /* which limit is hit first depends on the pieces; that one is does not */

    fuzz_check((a.error == 0) == (b.error == 0));

    if (a.error) {
        return 0;
    }

    fuzz_check(n == k && memcmp(whole, other, n) == 0);

    room = n + n / 100 + 1024;
    packed = malloc(room);

    fuzz_check(cwmp_deflate_init(&d, &a) == NGX_OK);

    p = whole;
    len = 0;

    do {
        rc = cwmp_deflate(&d, &p, whole + n, 1, packed + len,
                          ngx_min(room - len, (size_t) data[0] + 1), &k);
        len += k;
    } while (rc == NGX_OK && len < room);

    fuzz_check(rc == NGX_DONE);
    cwmp_deflate_end(&d);

    /* of something small a bomb can be made */

    k = fuzz_inflate(&b, coding, packed, len, len, 65536, other);

    fuzz_check(b.error == CWMP_CODING_BOMB
               || (b.error == 0 && k == n && memcmp(whole, other, n) == 0));

    free(packed);

    return 0;
}
