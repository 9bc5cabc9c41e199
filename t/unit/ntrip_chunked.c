
/*
 * sources: ntrip_chunked.c
 */


#include "tap.h"
#include "ntrip_chunked.h"


typedef struct {
    const char  *name;
    const char  *in;
    const char  *data;
    ngx_int_t    rc;                     /* of the last call */
    const char  *rest;                   /* with NGX_DONE */
} test_t;


static const test_t  tests[] = {

    { "two chunks and the end", "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n",
      "hello world", NGX_DONE, "" },

    { "bytes behind the end", "1\r\nx\r\n0\r\n\r\nGET /",
      "x", NGX_DONE, "GET /" },

    { "trailers", "1\r\nx\r\n0\r\nA: b\r\nC: d\r\n\r\n",
      "x", NGX_DONE, "" },

    { "extensions", "1;a=b;c=\"d\"\r\nx\r\n2 \r\nyz\r\n",
      "xyz", NGX_AGAIN, NULL },

    { "LF alone", "3\nabc\n1\nd\n0\n\n", "abcd", NGX_DONE, "" },

    { "hex of both cases, zeros in front",
      "00a\r\n0123456789\r\n0B\r\n0123456789a\r\n",
      "01234567890123456789a", NGX_AGAIN, NULL },

    { "the largest size", "7fffffff\r\nx", "x", NGX_AGAIN, NULL },

    { "data that looks like a chunk", "7\r\n5\r\nabc\r\r\n", "5\r\nabc\r",
      NGX_AGAIN, NULL },

    { "nothing", "", "", NGX_AGAIN, NULL },

    { "size too large", "80000000\r\n", "", NGX_ERROR, NULL },
    { "size overflow", "fffffffffffffffff\r\n", "", NGX_ERROR, NULL },
    { "no size", "\r\nabc", "", NGX_ERROR, NULL },
    { "no digit", "xyz\r\n", "", NGX_ERROR, NULL },
    { "sign", "-1\r\n", "", NGX_ERROR, NULL },
    { "extension without size", ";a\r\n", "", NGX_ERROR, NULL },
    { "no CRLF behind the data", "1\r\nxy", "x", NGX_ERROR, NULL },
    { "CR without LF behind the data", "1\r\nx\ry", "x", NGX_ERROR, NULL },
    { "RTCM without chunks", "\xd3\x01\x02", "", NGX_ERROR, NULL }
};


/* feeds [0, a), [a, b), [b, len) and collects */

static ngx_int_t
run(const char *text, size_t len, size_t a, size_t b, ngx_str_t *data,
    ngx_str_t *rest)
{
    size_t           i;
    ngx_int_t        rc;
    ngx_str_t        in, piece, part;
    ntrip_chunked_t  c;

    size_t  ends[] = { a, b, len };

    ntrip_chunked_init(&c);
    data->len = 0;
    rest->len = 0;
    rc = NGX_AGAIN;

    for (i = 0; i < 3; i++) {
        piece = tap_copy(text + (i ? ends[i - 1] : 0),
                         ends[i] - (i ? ends[i - 1] : 0));
        in = piece;

        for ( ;; ) {
            rc = ntrip_chunked_next(&c, &in, &part);

            if (rc != NGX_OK) {
                break;
            }

            memcpy(data->data + data->len, part.data, part.len);
            data->len += part.len;
        }

        if (rc == NGX_DONE) {
            memcpy(rest->data + rest->len, in.data, in.len);
            rest->len += in.len;
        }

        free(piece.data);

        if (rc == NGX_ERROR) {
            break;
        }
    }

    return rc;
}


static void
test_splits(const test_t *t)
{
    int        same;
    u_char     dbuf[256], rbuf[256];
    size_t     a, b, len;
    ngx_int_t  rc;
    ngx_str_t  data, rest;

    data.data = dbuf;
    rest.data = rbuf;
    len = strlen(t->in);

    rc = run(t->in, len, len, len, &data, &rest);

    tap_ok(rc == t->rc, "%s", t->name);
    tap_is(&data, t->data, "its data");

    if (t->rest) {
        tap_is(&rest, t->rest, "what follows");
    }

    same = 1;

    for (a = 0; a <= len; a++) {
        for (b = a; b <= len; b++) {
            rc = run(t->in, len, a, b, &data, &rest);

            same &= (rc == t->rc && data.len == strlen(t->data)
                     && memcmp(dbuf, t->data, data.len) == 0);
        }
    }

    tap_ok(same, "the same in any three pieces");
}


static void
test_limits(void)
{
    u_char           line[2 * NTRIP_CHUNK_LINE_MAX];
    ngx_str_t        in, data;
    ntrip_chunked_t  c;

    memset(line, 'a', sizeof(line));
    memcpy(line, "1;", 2);

    in.data = line;
    in.len = sizeof(line);
    ntrip_chunked_init(&c);
    tap_ok(ntrip_chunked_next(&c, &in, &data) == NGX_ERROR,
           "an extension without end");

    memset(line, '0', sizeof(line));
    in.data = line;
    in.len = sizeof(line);
    ntrip_chunked_init(&c);
    tap_ok(ntrip_chunked_next(&c, &in, &data) == NGX_ERROR,
           "zeros without end");

    memset(line, 'a', sizeof(line));
    memcpy(line, "0\r\n", 3);
    in.data = line;
    in.len = sizeof(line);
    ntrip_chunked_init(&c);
    tap_ok(ntrip_chunked_next(&c, &in, &data) == NGX_ERROR,
           "a trailer without end");
}


static void
test_heads(void)
{
    u_char           frame[NTRIP_CHUNK_HEAD + 1], *head;
    size_t           i;
    ngx_str_t        s, in, data;
    ntrip_chunked_t  c;

    static const struct {
        uint32_t     len;
        const char  *head;
    } heads[] = {
        { 0, "0\r\n" }, { 10, "a\r\n" }, { 255, "ff\r\n" }, { 1029, "405\r\n" },
        { 0xffffffff, "ffffffff\r\n" }
    };

    for (i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
        s.data = ntrip_chunk_head(frame + NTRIP_CHUNK_HEAD, heads[i].len);
        s.len = frame + NTRIP_CHUNK_HEAD - s.data;
        tap_is(&s, heads[i].head, "a chunk's head");
        tap_ok(s.len <= NTRIP_CHUNK_HEAD, "fits");
    }

    head = ntrip_chunk_head(frame + NTRIP_CHUNK_HEAD, 1);
    frame[NTRIP_CHUNK_HEAD] = 'x';
    in.data = head;
    in.len = frame + NTRIP_CHUNK_HEAD + 1 - head;
    ntrip_chunked_init(&c);
    tap_ok(ntrip_chunked_next(&c, &in, &data) == NGX_OK && data.len == 1
           && data.data[0] == 'x', "what we frame is decoded");
}


int
main(void)
{
    size_t  i;

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        test_splits(&tests[i]);
    }

    test_limits();
    test_heads();

    return tap_done();
}
