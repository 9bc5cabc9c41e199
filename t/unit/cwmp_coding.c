
/*
 * Fieldgate: content codings, with input and output in pieces of any size.
 *
 * sources: cwmp_coding.c
 * libs: -lz
 */


#include "cwmp_coding.h"

#include <stdio.h>
#include <stdlib.h>


#define TEST_MAX  4194304
#define TEST_RATIO  40


static ngx_uint_t  tests;
static ngx_uint_t  failed;

static u_char      plain[TEST_MAX];
static u_char      packed[TEST_MAX];
static u_char      back[TEST_MAX];


static void
ok(ngx_uint_t good, const char *name)
{
    tests++;

    if (!good) {
        failed++;
    }

    printf("%sok %d - %s\n", good ? "" : "not ", (int) tests, name);
}


/* by zlib itself */

static size_t
test_pack(u_char *in, size_t len, int bits)
{
    z_stream  zs;

    ngx_memzero(&zs, sizeof(z_stream));
    (void) deflateInit2(&zs, 9, Z_DEFLATED, bits, 9, Z_DEFAULT_STRATEGY);

    zs.next_in = in;
    zs.avail_in = len;
    zs.next_out = packed;
    zs.avail_out = TEST_MAX;

    (void) deflate(&zs, Z_FINISH);
    (void) deflateEnd(&zs);

    return TEST_MAX - zs.avail_out;
}


/* what comes out, or the error; input and output in pieces of blocks */

static size_t
test_inflate(cwmp_inflate_t *c, u_char *in, size_t len, size_t in_step,
    size_t out_step)
{
    u_char     *p, *last, *piece, *out;
    size_t      n, k, total;
    ngx_int_t   rc;

    total = 0;
    rc = NGX_OK;
    out = malloc(out_step);

    while (len && rc == NGX_OK) {
        n = ngx_min(in_step, len);
        piece = malloc(n);
        memcpy(piece, in, n);

        p = piece;
        last = piece + n;

        do {
            rc = cwmp_inflate(c, &p, last, out, out_step, &k);

            if (rc != NGX_OK) {
                break;
            }

            memcpy(back + total, out, k);
            total += k;
        } while (p < last || k == out_step);

        free(piece);
        in += n;
        len -= n;
    }

    free(out);

    if (rc == NGX_OK) {
        (void) cwmp_inflate_finish(c);
    }

    cwmp_inflate_end(c);

    return total;
}


static size_t
test_deflate(cwmp_inflate_t *format, u_char *in, size_t len, size_t in_step,
    size_t out_step)
{
    u_char          *p, *last;
    size_t           n, k, total;
    ngx_int_t        rc;
    cwmp_deflate_t   d;

    total = 0;

    if (cwmp_deflate_init(&d, format) != NGX_OK) {
        return 0;
    }

    for (p = in; len; len -= n) {
        n = ngx_min(in_step, len);
        last = p + n;

        do {
            (void) cwmp_deflate(&d, &p, last, 0, packed + total, out_step, &k);
            total += k;
        } while (p < last || k == out_step);
    }

    do {
        rc = cwmp_deflate(&d, &p, p, 1, packed + total, out_step, &k);
        total += k;
    } while (rc == NGX_OK);

    cwmp_deflate_end(&d);

    return rc == NGX_DONE ? total : 0;
}


static void
test_round(const char *name, ngx_uint_t coding, int bits)
{
    size_t           len, n, i, j;
    ngx_uint_t       good;
    cwmp_inflate_t   c;

    static size_t  steps[] = { 1, 2, 7, 1000, TEST_MAX };

    for (i = 0; i < 20000; i++) {
        plain[i] = (u_char) ("<a>b</a>\n"[i % 9] + (i * i / 97) % 3);
    }

    good = 1;

    for (i = 0; i < 5; i++) {
        for (j = 0; j < 5; j++) {
            len = test_pack(plain, 20000, bits);

            cwmp_inflate_init(&c, coding, TEST_MAX, TEST_RATIO);
            n = test_inflate(&c, packed, len, steps[i], steps[j]);
            good &= (c.error == 0 && n == 20000
                     && memcmp(back, plain, n) == 0);

            len = test_deflate(&c, plain, 20000, steps[i], steps[j]);

            cwmp_inflate_init(&c, coding, TEST_MAX, TEST_RATIO);
            n = test_inflate(&c, packed, len, steps[j], steps[i]);
            good &= (c.error == 0 && n == 20000
                     && memcmp(back, plain, n) == 0);
        }
    }

    ok(good, name);
    ok(c.raw == (bits < 0), "in the same format");
}


static void
test_error(const char *name, ngx_uint_t coding, u_char *in, size_t len,
    off_t max, ngx_uint_t error)
{
    size_t          n;
    cwmp_inflate_t  c;

    cwmp_inflate_init(&c, coding, max, TEST_RATIO);
    n = test_inflate(&c, in, len, len, 4096);

    ok(c.error == error, name);
    ok(c.out <= max + 4096 && n <= (size_t) max, "and no more was made of it");
}


static void
test_errors(void)
{
    size_t  len, first;

    memcpy(plain, "<a>hello</a>", 12);

    len = test_pack(plain, 12, MAX_WBITS + 16);
    test_error("not gzip", CWMP_CODING_GZIP, plain, 12, 1000,
               CWMP_CODING_CORRUPT);
    test_error("not deflate", CWMP_CODING_DEFLATE, (u_char *) "\xff\xff\xff",
               3, 1000, CWMP_CODING_CORRUPT);
    test_error("cut short", CWMP_CODING_GZIP, packed, len - 1, 1000,
               CWMP_CODING_CORRUPT);
    test_error("one byte", CWMP_CODING_GZIP, packed, 1, 1000,
               CWMP_CODING_CORRUPT);

    packed[len - 6] ^= 1;
    test_error("a wrong checksum", CWMP_CODING_GZIP, packed, len, 1000,
               CWMP_CODING_CORRUPT);
    packed[len - 6] ^= 1;

    memcpy(packed + len, "padding", 7);
    test_error("what follows a member is no part of it", CWMP_CODING_GZIP,
               packed, len + 7, 1000, 0);

    first = len;
    memcpy(back, packed, first);
    len = test_pack(plain, 12, MAX_WBITS + 16);
    memcpy(packed + len, back, first);
    test_error("two members", CWMP_CODING_GZIP, packed, len + first, 1000, 0);
    ok(memcmp(back, "<a>hello</a><a>hello</a>", 24) == 0, "are one message");
    test_error("a second member that is cut short", CWMP_CODING_GZIP, packed,
               len + first - 1, 1000, CWMP_CODING_CORRUPT);

    test_error("as large as allowed", CWMP_CODING_GZIP, packed, len, 12, 0);
    test_error("larger than allowed", CWMP_CODING_GZIP, packed, len, 11,
               CWMP_CODING_TOO_LARGE);

    ngx_memset(plain, 'x', TEST_MAX);
    len = test_pack(plain, CWMP_CODING_RATIO_FROM, MAX_WBITS + 16);
    test_error("small, however dense", CWMP_CODING_GZIP, packed, len, TEST_MAX,
               0);
    len = test_pack(plain, TEST_MAX, MAX_WBITS + 16);
    test_error("a bomb", CWMP_CODING_GZIP, packed, len, TEST_MAX,
               CWMP_CODING_BOMB);
    len = test_pack(plain, TEST_MAX, MAX_WBITS);
    test_error("a bomb in zlib's format", CWMP_CODING_DEFLATE, packed, len,
               TEST_MAX, CWMP_CODING_BOMB);
    len = test_pack(plain, TEST_MAX, -MAX_WBITS);
    test_error("a bomb in bare deflate", CWMP_CODING_DEFLATE, packed, len,
               TEST_MAX, CWMP_CODING_BOMB);
}


static void
test_name(const char *name, ngx_uint_t coding)
{
    ngx_str_t  value;

    value.data = (u_char *) name;
    value.len = strlen(name);

    ok(cwmp_coding(&value) == coding, name);
}


int
main(void)
{
    test_name("", CWMP_CODING_IDENTITY);
    test_name("identity", CWMP_CODING_IDENTITY);
    test_name(" GZip\t", CWMP_CODING_GZIP);
    test_name("x-gzip", CWMP_CODING_GZIP);
    test_name("deflate", CWMP_CODING_DEFLATE);
    test_name("gzip, gzip", CWMP_CODING_OTHER);
    test_name("br", CWMP_CODING_OTHER);
    test_name("compress", CWMP_CODING_OTHER);

    test_round("gzip", CWMP_CODING_GZIP, MAX_WBITS + 16);
    test_round("deflate", CWMP_CODING_DEFLATE, MAX_WBITS);
    test_round("bare deflate", CWMP_CODING_DEFLATE, -MAX_WBITS);

    test_errors();

    printf("1..%d\n", (int) tests);

    return failed != 0;
}
