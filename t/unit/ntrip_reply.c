
/*
 * sources: ntrip_reply.c ntrip_chunked.c
 *          ntrip_text.c
 */


#include "tap.h"
#include "ntrip_reply.h"


#define FRAME  "\xd3\x01\x02Server: not a header\r\n\r\n"
#define ICY    "ICY 200 OK\r\n"
#define OK200  "HTTP/1.1 200 OK\r\n"


typedef struct {
    const char  *name;
    const char  *in;
    ngx_int_t    rc;                     /* of the last call */
    ngx_uint_t   result;
    const char  *data;
} test_t;


static const test_t  streams[] = {

    { "ICY and data", ICY FRAME, NGX_AGAIN, NTRIP_REPLY_OK, FRAME },
    { "ICY, blank line", ICY "\r\n" FRAME, NGX_AGAIN, NTRIP_REPLY_OK, FRAME },
    { "ICY, LF only", "ICY 200 OK\n\n" FRAME, NGX_AGAIN, NTRIP_REPLY_OK,
      FRAME },
    { "ICY, a second blank line is data", ICY "\r\n\r\n" FRAME, NGX_AGAIN,
      NTRIP_REPLY_OK, "\r\n" FRAME },
    { "ICY, headers", ICY "Server: x\r\nDate: y:z\r\n\r\n" FRAME, NGX_AGAIN,
      NTRIP_REPLY_OK, FRAME },
    { "ICY, headers without blank line", ICY "Server: x\r\n" FRAME, NGX_AGAIN,
      NTRIP_REPLY_OK, FRAME },
    { "ICY, headers with LF", "ICY 200 OK\nA-b_1: x\n\n" FRAME, NGX_AGAIN,
      NTRIP_REPLY_OK, FRAME },
    { "ICY, data like a name", ICY "Nothing here", NGX_AGAIN, NTRIP_REPLY_OK,
      "Nothing here" },
    { "ICY, a name and then data", ICY "ABC\xd3:", NGX_AGAIN, NTRIP_REPLY_OK,
      "ABC\xd3:" },
    { "ICY, a colon first", ICY ": x", NGX_AGAIN, NTRIP_REPLY_OK, ": x" },
    { "ICY, a digit first", ICY "1a: x", NGX_AGAIN, NTRIP_REPLY_OK, "1a: x" },
    { "ICY, a name that is too long",
      ICY "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA: x", NGX_AGAIN,
      NTRIP_REPLY_OK, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA: x" },
    { "ICY, CR and data", ICY "\r\xd3", NGX_AGAIN, NTRIP_REPLY_OK, "\r\xd3" },
    { "ICY, CR and a letter", ICY "\rA: b", NGX_AGAIN, NTRIP_REPLY_OK,
      "\rA: b" },
    { "ICY, two CRs", ICY "\r\r\n", NGX_AGAIN, NTRIP_REPLY_OK, "\r\r\n" },
    { "ICY, RTCM 2", ICY "fYAA~@", NGX_AGAIN, NTRIP_REPLY_OK, "fYAA~@" },
    { "ICY, case", "icy 200 ok\r\n\r\n" FRAME, NGX_AGAIN, NTRIP_REPLY_OK,
      FRAME },
    { "ICY alone", ICY, NGX_AGAIN, 0, "" },
    { "ICY and half a name", ICY "Ser", NGX_AGAIN, 0, "" },

    { "HTTP", OK200 "Content-Type: gnss/data\r\n\r\n" FRAME, NGX_AGAIN,
      NTRIP_REPLY_OK, FRAME },
    { "HTTP/1.0, LF, no headers", "HTTP/1.0 200 OK\n\n" FRAME, NGX_AGAIN,
      NTRIP_REPLY_OK, FRAME },
    { "HTTP without a reason", "HTTP/1.1 200\r\n\r\n" FRAME, NGX_AGAIN,
      NTRIP_REPLY_OK, FRAME },
    { "HTTP, chunked", OK200 "transfer-encoding: Chunked\r\n\r\n"
      "3\r\nabc\r\n2\r\nde\r\n", NGX_AGAIN, NTRIP_REPLY_OK, "abcde" },
    { "HTTP, chunked, ended", OK200 "Transfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n0\r\n\r\n", NGX_DONE, NTRIP_REPLY_OK, "abc" },
    { "HTTP, chunked, broken", OK200 "Transfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n\xd3", NGX_ERROR, NTRIP_REPLY_OK, "abc" },
    { "HTTP, a length means nothing", OK200 "Content-Length: 1\r\n\r\n" FRAME,
      NGX_AGAIN, NTRIP_REPLY_OK, FRAME },
    { "HTTP, text/plain without length",
      OK200 "Content-Type: text/plain\r\n\r\n" FRAME, NGX_AGAIN,
      NTRIP_REPLY_OK, FRAME },
    { "HTTP, the header is not complete", OK200 "Server: x\r\n", NGX_AGAIN, 0,
      "" },

    { "HTTP, the sourcetable",
      OK200 "Content-Type: gnss/sourcetable\r\n\r\nSTR;", NGX_DECLINED,
      NTRIP_REPLY_NOMOUNT, "" },
    { "HTTP, a page", OK200 "Content-Type: text/html\r\n\r\n<html>",
      NGX_DECLINED, NTRIP_REPLY_FAILED, "" },
    { "HTTP, a text with length",
      OK200 "Content-Type: text/plain\r\nContent-Length: 9\r\n\r\nSTR;",
      NGX_DECLINED, NTRIP_REPLY_NOMOUNT, "" },
    { "SOURCETABLE", "SOURCETABLE 200 OK\r\nServer: x\r\n\r\nSTR;",
      NGX_DECLINED, NTRIP_REPLY_NOMOUNT, "" },
    { "404", "HTTP/1.1 404 Not Found\r\n\r\n", NGX_DECLINED,
      NTRIP_REPLY_NOMOUNT, "" },
    { "401", "HTTP/1.0 401 Unauthorized\r\n", NGX_DECLINED,
      NTRIP_REPLY_UNAUTHORIZED, "" },
    { "ICY 401", "ICY 401 Unauthorized\r\n", NGX_DECLINED,
      NTRIP_REPLY_UNAUTHORIZED, "" },
    { "403", "HTTP/1.1 403 Forbidden\r\n", NGX_DECLINED,
      NTRIP_REPLY_FORBIDDEN, "" },
    { "409", "HTTP/1.1 409 Conflict\r\n", NGX_DECLINED, NTRIP_REPLY_BUSY,
      "" },
    { "429", "HTTP/1.1 429 Too Many Requests\r\n", NGX_DECLINED,
      NTRIP_REPLY_BUSY, "" },
    { "503", "HTTP/1.1 503 Service Unavailable\r\n", NGX_DECLINED,
      NTRIP_REPLY_BUSY, "" },
    { "500", "HTTP/1.1 500 Internal Server Error\r\n", NGX_DECLINED,
      NTRIP_REPLY_FAILED, "" },
    { "a redirect", "HTTP/1.1 302 Found\r\nLocation: x\r\n", NGX_DECLINED,
      NTRIP_REPLY_FAILED, "" },
    { "bad password", "ERROR - Bad Password\r\n", NGX_DECLINED,
      NTRIP_REPLY_UNAUTHORIZED, "" },
    { "bad mountpoint", "ERROR - Mount Point Taken or Invalid\r\n",
      NGX_DECLINED, NTRIP_REPLY_NOMOUNT, "" },
    { "too many", "ERROR - Too many clients\r\n", NGX_DECLINED,
      NTRIP_REPLY_BUSY, "" },
    { "already", "ERROR - Already Connected\n", NGX_DECLINED,
      NTRIP_REPLY_BUSY, "" },
    { "another error", "ERROR - \r\n", NGX_DECLINED, NTRIP_REPLY_FAILED, "" },
    { "RTCM without a header", "\xd3\x01\x02", NGX_DECLINED,
      NTRIP_REPLY_GARBAGE, "" },
    { "binary", "\x01\x02", NGX_DECLINED, NTRIP_REPLY_GARBAGE, "" },
    { "another protocol", "220 mail.example ESMTP\r\n", NGX_DECLINED,
      NTRIP_REPLY_GARBAGE, "" },
    { "a status that is none", "HTTP/1.1 20x OK\r\n", NGX_DECLINED,
      NTRIP_REPLY_GARBAGE, "" },
    { "a status that is too short", "ICY 20\r\n", NGX_DECLINED,
      NTRIP_REPLY_GARBAGE, "" },
    { "a status below 100", "ICY 099 OK\r\n", NGX_DECLINED,
      NTRIP_REPLY_GARBAGE, "" },
    { "HTTP alone", "HTTP/1.\r\n", NGX_DECLINED, NTRIP_REPLY_GARBAGE, "" },
    { "an empty line", "\r\n", NGX_DECLINED, NTRIP_REPLY_GARBAGE, "" },
    { "nothing", "", NGX_AGAIN, 0, "" }
};


static const test_t  tables[] = {

    { "SOURCETABLE", "SOURCETABLE 200 OK\r\nContent-Length: 3\r\n\r\nSTR;a",
      NGX_AGAIN, NTRIP_REPLY_OK, "STR;a" },
    { "SOURCETABLE without a header", "SOURCETABLE 200 OK\r\nSTR;a:b",
      NGX_AGAIN, NTRIP_REPLY_OK, "STR;a:b" },
    { "HTTP", OK200 "Content-Type: gnss/sourcetable\r\n\r\nSTR;a", NGX_AGAIN,
      NTRIP_REPLY_OK, "STR;a" },
    { "HTTP, length", OK200 "Content-Length: 5\r\n\r\nSTR;a...", NGX_DONE,
      NTRIP_REPLY_OK, "STR;a" },
    { "HTTP, no body", OK200 "Content-Length: 0\r\n\r\n", NGX_DONE,
      NTRIP_REPLY_OK, "" },
    { "HTTP, chunked wins over length", OK200 "Content-Length: 1\r\n"
      "Transfer-Encoding: chunked\r\n\r\n5\r\nSTR;a\r\n0\r\n\r\n", NGX_DONE,
      NTRIP_REPLY_OK, "STR;a" },
    { "a page is taken as it is", OK200 "Content-Type: text/html\r\n\r\nx",
      NGX_AGAIN, NTRIP_REPLY_OK, "x" },
    { "401", "HTTP/1.1 401 Unauthorized\r\n", NGX_DECLINED,
      NTRIP_REPLY_UNAUTHORIZED, "" }
};


static ngx_int_t
feed(ntrip_reply_t *r, const char *text, size_t len, ngx_str_t *got)
{
    ngx_int_t  rc;
    ngx_str_t  piece, in, data;

    piece = tap_copy(text, len);
    in = piece;

    for ( ;; ) {
        rc = ntrip_reply_next(r, &in, &data);

        if (rc != NGX_OK) {
            break;
        }

        memcpy(got->data + got->len, data.data, data.len);
        got->len += data.len;
    }

    free(piece.data);

    return rc;
}


/* [0, a), [a, b), [b, len); with step 1, byte by byte from a on */

static int
same(const test_t *t, ngx_uint_t asked, size_t a, size_t b)
{
    u_char          buf[1024];
    size_t          len;
    ngx_int_t       rc;
    ngx_str_t       got;
    ntrip_reply_t   r, moved;

    len = strlen(t->in);
    got.data = buf;
    got.len = 0;

    ntrip_reply_init(&r, asked);
    rc = feed(&r, t->in, a, &got);

    /* as when it is handed to another process */

    moved = r;
    memset(&r, 0xa5, sizeof(r));

    if (rc == NGX_AGAIN) {
        rc = feed(&moved, t->in + a, b - a, &got);
    }

    if (rc == NGX_AGAIN) {
        rc = feed(&moved, t->in + b, len - b, &got);
    }

    return rc == t->rc && moved.result == t->result
           && got.len == strlen(t->data)
           && memcmp(got.data, t->data, got.len) == 0;
}


static int
same_bytes(const test_t *t, ngx_uint_t asked)
{
    u_char          buf[1024];
    size_t          i;
    ngx_int_t       rc;
    ngx_str_t       got;
    ntrip_reply_t   r;

    got.data = buf;
    got.len = 0;
    rc = NGX_AGAIN;

    ntrip_reply_init(&r, asked);

    for (i = 0; i < strlen(t->in) && rc == NGX_AGAIN; i++) {
        rc = feed(&r, t->in + i, 1, &got);
    }

    /* an end by length is only seen with the next call */

    if (rc == NGX_AGAIN) {
        rc = feed(&r, "", 0, &got);
    }

    return rc == t->rc && r.result == t->result
           && got.len == strlen(t->data)
           && memcmp(got.data, t->data, got.len) == 0;
}


static void
test_splits(const test_t *t, ngx_uint_t asked)
{
    int     all;
    size_t  a, b, len;

    len = strlen(t->in);

    tap_ok(same(t, asked, len, len), "%s", t->name);

    all = same_bytes(t, asked);

    for (a = 0; a <= len; a++) {
        for (b = a; b <= len; b++) {
            all &= same(t, asked, a, b);
        }
    }

    tap_ok(all, "the same in any pieces");
}


static void
test_accepted(void)
{
    u_char         buf[64];
    ngx_str_t      got;
    ntrip_reply_t  r;

    got.data = buf;
    got.len = 0;

    ntrip_reply_init(&r, NTRIP_REPLY_STREAM);
    feed(&r, "ICY 200 OK\r", 11, &got);
    tap_ok(!r.accepted, "not accepted within the first line");
    feed(&r, "\n", 1, &got);
    tap_ok(r.accepted && r.status == 200 && r.result == 0,
           "accepted with its LF");

    ntrip_reply_init(&r, NTRIP_REPLY_STREAM);
    feed(&r, "HTTP/1.1 200 OK\r\n", 17, &got);
    tap_ok(r.accepted && r.result == 0, "HTTP likewise");

    ntrip_reply_init(&r, NTRIP_REPLY_STREAM);
    feed(&r, "HTTP/1.1 401 No\r\n", 17, &got);
    tap_ok(!r.accepted && r.status == 401, "401 is not accepted");
    got.data = r.shown;
    got.len = r.shown_len;
    tap_is(&got, "HTTP/1.1 401 No", "and can be shown");
}


static void
test_limits(void)
{
    char           text[2 * NTRIP_REPLY_HEADER_MAX];
    u_char         buf[64];
    ngx_str_t      got;
    ntrip_reply_t  r;

    got.data = buf;
    got.len = 0;

    memset(text, 'x', sizeof(text));
    ntrip_reply_init(&r, NTRIP_REPLY_STREAM);
    tap_ok(feed(&r, text, sizeof(text), &got) == NGX_DECLINED
           && r.result == NTRIP_REPLY_GARBAGE
           && r.shown_len == NTRIP_REPLY_SHOWN, "a line without end");

    memcpy(text, ICY "A:", sizeof(ICY "A:") - 1);
    ntrip_reply_init(&r, NTRIP_REPLY_STREAM);
    tap_ok(feed(&r, text, sizeof(text), &got) == NGX_DECLINED
           && r.result == NTRIP_REPLY_GARBAGE, "an ICY header without end");

    memcpy(text, OK200, sizeof(OK200) - 1);
    ntrip_reply_init(&r, NTRIP_REPLY_STREAM);
    tap_ok(feed(&r, text, sizeof(text), &got) == NGX_DECLINED
           && r.result == NTRIP_REPLY_GARBAGE, "an HTTP header without end");

    tap_ok(feed(&r, "x", 1, &got) == NGX_DECLINED, "declined for good");
    tap_ok(strcmp(ntrip_reply_result(r.result), "no NTRIP reply") == 0,
           "and named");
}


static void
test_request(void)
{
    char                    name[300];
    u_char                  buf[4096];
    ngx_str_t               got;
    ntrip_out_t             out;
    ntrip_reply_request_t   request;

    memset(&request, 0, sizeof(request));

    ngx_str_set(&request.mount, "RTCM32_GGB");
    ngx_str_set(&request.host, "rtk.example");
    request.port = 8002;
    ngx_str_set(&request.user, "user");
    ngx_str_set(&request.password, "pass");
    ngx_str_set(&request.gga, "$GPGGA,1*00");

    ntrip_out_init(&out, buf, sizeof(buf));
    ntrip_reply_request(&out, &request);
    got.data = buf;
    got.len = out.last - buf;
    tap_is(&got, "GET /RTCM32_GGB HTTP/1.0\r\n"
           "User-Agent: " NTRIP_PRODUCT "\r\nHost: rtk.example:8002\r\n"
           "Authorization: Basic dXNlcjpwYXNz\r\n\r\n", "request, 1.0");

    request.v2 = 1;
    ngx_str_set(&request.host, "[fd00::1]");
    ngx_str_set(&request.mount, "a b/\xc3%");

    ntrip_out_init(&out, buf, sizeof(buf));
    ntrip_reply_request(&out, &request);
    got.len = out.last - buf;
    tap_is(&got, "GET /a%20b%2F%C3%25 HTTP/1.1\r\n"
           "User-Agent: " NTRIP_PRODUCT "\r\nHost: [fd00::1]:8002\r\n"
           "Ntrip-Version: Ntrip/2.0\r\nNtrip-GGA: $GPGGA,1*00\r\n"
           "Authorization: Basic dXNlcjpwYXNz\r\n"
           "Accept: */*\r\nConnection: close\r\n\r\n", "request, 2.0");

    memset(&request, 0, sizeof(request));
    ngx_str_set(&request.host, "192.0.2.1");
    request.port = 2101;

    ntrip_out_init(&out, buf, sizeof(buf));
    ntrip_reply_request(&out, &request);
    got.len = out.last - buf;
    tap_is(&got, "GET / HTTP/1.0\r\n"
           "User-Agent: " NTRIP_PRODUCT "\r\nHost: 192.0.2.1:2101\r\n"
           "Accept: */*\r\nConnection: close\r\n\r\n",
           "request for the sourcetable");

    memset(name, ' ', sizeof(name));

    request.mount.data = (u_char *) name;
    request.mount.len = 255;
    request.host = request.mount;
    request.user = request.mount;
    request.password = request.mount;
    request.gga = request.mount;
    request.v2 = 1;

    ntrip_out_init(&out, buf, 3072);
    ntrip_reply_request(&out, &request);
    tap_ok(!out.overflow, "3 KB suffice");

    request.user.len = 256;
    ntrip_out_init(&out, buf, sizeof(buf));
    ntrip_reply_request(&out, &request);
    tap_ok(out.overflow, "a user that is too long is told");
}


int
main(void)
{
    size_t  i;

    for (i = 0; i < sizeof(streams) / sizeof(streams[0]); i++) {
        test_splits(&streams[i], NTRIP_REPLY_STREAM);
    }

    for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {
        test_splits(&tables[i], NTRIP_REPLY_TABLE);
    }

    test_accepted();
    test_limits();
    test_request();

    return tap_done();
}
