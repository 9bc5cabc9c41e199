
/*
 * Fieldgate: content codings.  Where the input is split changes nothing, limits
 * hold, and what was inflated comes out of its own format again.
 *
 * sources: cwmp_coding.c
 * libs: -lz
 */


#include "failing.h"
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


#undef inflateReset

int
inflateInit2_(z_streamp s, int bits, const char *version, int size)
{
    return fuzz_fails() ? Z_MEM_ERROR
           : fuzz_real(inflateInit2_)(s, bits, version, size);
}


int
inflate(z_streamp s, int flush)
{
    return fuzz_fails() ? Z_MEM_ERROR : fuzz_real(inflate)(s, flush);
}


int
inflateReset(z_streamp s)
{
    return fuzz_fails() ? Z_STREAM_ERROR : fuzz_real(inflateReset)(s);
}


int
deflateInit2_(z_streamp s, int level, int method, int bits, int memory,
    int strategy, const char *version, int size)
{
    return fuzz_fails() ? Z_MEM_ERROR
           : fuzz_real(deflateInit2_)(s, level, method, bits, memory, strategy,
                                      version, size);
}


int
deflate(z_streamp s, int flush)
{
    return fuzz_fails() ? Z_STREAM_ERROR : fuzz_real(deflate)(s, flush);
}


static u_char  whole[FUZZ_MAX + 65536];
static u_char  other[FUZZ_MAX + 65536];


static off_t   fuzz_max;        /* of the next one */


static size_t
fuzz_inflate(cwmp_inflate_t *c, ngx_uint_t coding, const uint8_t *data,
    size_t size, size_t step, size_t room, u_char *out)
{
    u_char     *p, *last;
    size_t      n, k, total;
    ngx_int_t   rc;

    cwmp_inflate_init(c, coding, fuzz_max, FUZZ_RATIO);

    total = 0;

    p = (u_char *) data;
    rc = cwmp_inflate(c, &p, p, out, room, &k);
    fuzz_check(rc == NGX_OK && k == 0);

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

    k = (rc != NGX_OK);
    rc = cwmp_inflate_finish(c);
    fuzz_check(!k || rc == NGX_ERROR);

    fuzz_check((rc == NGX_ERROR) == (c->error != 0));

    cwmp_inflate_end(c);

    return total;
}


/* a Content-Encoding: blanks around it and its case say nothing */

static void
fuzz_name(const uint8_t *data, size_t size)
{
    char        text[64];
    size_t      i;
    ngx_str_t   value;
    ngx_uint_t  coding;

    value.data = (u_char *) data;
    value.len = size;
    coding = cwmp_coding(&value);

    fuzz_check(coding <= CWMP_CODING_OTHER);

    if (size > sizeof(text) - 3) {
        return;
    }

    text[0] = ' ';
    text[1 + size] = '\t';
    text[2 + size] = ' ';

    for (i = 0; i < size; i++) {
        text[1 + i] = (char) ngx_toupper(data[i]);
    }

    value.data = (u_char *) text;
    value.len = size + 3;
    fuzz_check(cwmp_coding(&value) == coding);
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

    fuzz_name(data + 2, size - 2);

    fuzz_max = (data[0] & 2) ? data[1] : FUZZ_MAX;

    coding = (data[0] & 1) ? CWMP_CODING_GZIP : CWMP_CODING_DEFLATE;

    /* zlib fails somewhere */

    if (data[1] % 8 == 0) {
        for (n = 1; n < 8; n++) {
            fuzz_failing = n;
            (void) fuzz_inflate(&a, coding, data + 2, size - 2, size, 65536,
                                whole);
            fuzz_check(fuzz_failing || a.error != 0);
            fuzz_failing = 0;
        }
    }

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

    for (k = 1; k < 3; k++) {
        fuzz_failing = k;
        p = whole;

        if (cwmp_deflate_init(&d, &a) == NGX_OK) {
            fuzz_check(cwmp_deflate(&d, &p, whole + n, 1, packed, 1, &len)
                       == NGX_ERROR);
            cwmp_deflate_end(&d);
        }

        fuzz_check(fuzz_failing == 0);
    }

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
