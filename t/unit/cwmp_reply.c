
/*
 * sources: cwmp_reply.c
 *
 * Each reply is parsed whole, in two pieces at every place, and byte by byte.
 */


#include "tap.h"
#include "cwmp_reply.h"


#define nelts(a)  (sizeof(a) / sizeof(a[0]))


/* how the bytes end */

typedef enum {
    OPEN = 0,
    CLOSED,
    SILENT,
    HEAD                        /* open; the request was a HEAD */
} test_end_e;


typedef struct {
    const char  *name;
    test_end_e   end;
    const char  *bytes;
    const char  *expected;
} test_reply_t;


#define OK200  "HTTP/1.1 200 OK\r\n"
#define NO401  "HTTP/1.1 401 Unauthorized\r\n"
#define AUTH   "WWW-Authenticate: Digest realm=\"r\", nonce=\"n\"\r\n"
#define DIGEST  " [Digest realm=\"r\", nonce=\"n\"]"


static test_reply_t  replies[] = {

    /* final ones: complete at the end of the header, whatever the body */

    { "200 with length 0", OPEN, OK200 "Content-Length: 0\r\n\r\n",
      "200 reusable" },
    { "200 without framing", OPEN, OK200 "\r\n", "200" },
    { "200 with a body", OPEN, OK200 "Content-Length: 2\r\n\r\n", "200" },
    { "status 204", OPEN, "HTTP/1.1 204 No Content\r\n\r\n", "204 reusable" },
    { "status 503", OPEN, "HTTP/1.1 503 Service Unavailable\r\n\r\n", "503" },
    { "status 302", OPEN, "HTTP/1.1 302 Found\r\nLocation: http://x/\r\n\r\n",
      "302" },
    { "101 is final", OPEN, "HTTP/1.1 101 Switching\r\n\r\n", "101" },
    { "status 999", OPEN, "HTTP/1.1 999 \r\n\r\n", "999" },

    /* spellings of the status line */

    { "no reason", OPEN, "HTTP/1.1 200\r\n\r\n", "200" },
    { "space, no reason", OPEN, "HTTP/1.1 200 \r\n\r\n", "200" },
    { "tabs", OPEN, "HTTP/1.1\t200\tOK\r\n\r\n", "200" },
    { "spaces", OPEN, "HTTP/1.1   200   OK  \r\n\r\n", "200" },
    { "HTTP/1.0", OPEN, "HTTP/1.0 204 x\r\n\r\n", "204 1.0" },
    { "HTTP/1.0 with keep-alive", OPEN, "HTTP/1.0 204 x\r\n"
      "Connection: Keep-Alive\r\n\r\n", "204 1.0 reusable" },
    { "HTTP/2.0", OPEN, "HTTP/2.0 204 x\r\n\r\n", "204 2.0 reusable" },
    { "empty lines in front", OPEN, "\r\n\n\r\n" OK200 "\r\n", "200" },
    { "bare LF", OPEN, "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
      "200 reusable" },
    { "mixed line ends", OPEN, OK200 "Content-Length: 0\n\r\n",
      "200 reusable" },

    /* no HTTP */

    { "garbage", OPEN, "garbage", "error: sent no HTTP" },
    { "ICY", OPEN, "ICY 200 OK\r\n", "error: sent no HTTP" },
    { "TLS", OPEN, "\026\003\001", "error: sent no HTTP" },
    { "one letter", OPEN, "h", "error: sent no HTTP" },
    { "HTTP without a version", OPEN, "HTTP/ 200 OK\r\n",
      "error: sent no HTTP" },
    { "HTTP/1", OPEN, "HTTP/1 200 OK\r\n", "error: sent no HTTP" },
    { "HTTP/11.1", OPEN, "HTTP/11.1 200 OK\r\n", "error: sent no HTTP" },
    { "status of two digits", OPEN, "HTTP/1.1 20 OK\r\n",
      "error: sent no HTTP" },
    { "status of four digits", OPEN, "HTTP/1.1 2000 OK\r\n",
      "error: sent no HTTP" },
    { "status 099", OPEN, "HTTP/1.1 099 OK\r\n", "error: sent no HTTP" },
    { "no status", OPEN, "HTTP/1.1\r\n", "error: sent no HTTP" },
    { "no status but spaces", OPEN, "HTTP/1.1         \r\n",
      "error: sent no HTTP" },
    { "status in letters", OPEN, "HTTP/1.1 OK \r\n", "error: sent no HTTP" },

    /* 1xx */

    { "100 and 102", OPEN, "HTTP/1.1 100 Continue\r\n\r\n"
      "HTTP/1.1 102 Processing\r\n" AUTH "Connection: close\r\n\r\n"
      "HTTP/1.1 204 x\r\n\r\n", "204 reusable" },
    { "100 only", CLOSED, "HTTP/1.1 100 Continue\r\n\r\n",
      "error: closed the connection within the header of its reply" },
    { "100 unfinished", CLOSED, "HTTP/1.1 100 Continue\r\nA: b\r\n",
      "error: closed the connection within the header of its reply" },

    /* 401: the body is read, if it is framed */

    { "401 with a length", OPEN, NO401 AUTH "Content-Length: 3\r\n\r\nabc",
      "401 reusable" DIGEST },
    { "401, body incomplete", OPEN, NO401 AUTH "Content-Length: 3\r\n\r\nab",
      "more" },
    { "401, closed within the body", CLOSED,
      NO401 AUTH "Content-Length: 3\r\n\r\nab", "401" DIGEST },
    { "401, silent within the body", SILENT,
      NO401 AUTH "Content-Length: 3\r\n\r\nab", "401" DIGEST },
    { "401 without a length", OPEN, NO401 AUTH "\r\n", "401" DIGEST },
    { "401 with Connection: close", OPEN,
      NO401 AUTH "Content-Length: 0\r\nConnection: close\r\n\r\n",
      "401" DIGEST },
    { "close in a list", OPEN, NO401 AUTH "Content-Length: 0\r\n"
      "Connection: TE ,\tCLOSE\r\n\r\n", "401" DIGEST },
    { "keep-alive and close", OPEN, NO401 AUTH "Content-Length: 0\r\n"
      "Connection: keep-alive\r\nConnection: close\r\n\r\n", "401" DIGEST },
    { "closed is another word", OPEN, NO401 AUTH "Content-Length: 0\r\n"
      "Connection: closed\r\n\r\n", "401 reusable" DIGEST },
    { "401 of HTTP/1.0", OPEN, "HTTP/1.0 401 x\r\n" AUTH
      "Content-Length: 1\r\n\r\nx", "401 1.0" DIGEST },
    { "401 of HTTP/1.0 with keep-alive", OPEN, "HTTP/1.0 401 x\r\n" AUTH
      "Connection: keep-alive\r\nContent-Length: 1\r\n\r\nx",
      "401 1.0 reusable" DIGEST },
    { "401 to a HEAD", HEAD, NO401 AUTH "Content-Length: 300\r\n\r\n",
      "401 reusable" DIGEST },
    { "bytes behind", OPEN, NO401 AUTH "Content-Length: 1\r\n\r\nxy",
      "401" DIGEST },
    { "body above the cap", OPEN, NO401 AUTH "Content-Length: 16385\r\n\r\n",
      "401" DIGEST },
    { "equal lengths", OPEN, NO401 AUTH "Content-Length: 1\r\n"
      "content-length : 1 \r\n\r\nx", "401 reusable" DIGEST },
    { "different lengths", OPEN, NO401 AUTH "Content-Length: 1\r\n"
      "Content-Length: 2\r\n\r\n", "401" DIGEST },
    { "negative length", OPEN, NO401 AUTH "Content-Length: -1\r\n\r\n",
      "401" DIGEST },
    { "empty length", OPEN, NO401 AUTH "Content-Length:\r\n\r\n",
      "401" DIGEST },
    { "overflowing length", OPEN, NO401 AUTH
      "Content-Length: 99999999999999999999999\r\n\r\n", "401" DIGEST },

    /* chunks */

    { "chunked", OPEN, NO401 AUTH "Transfer-Encoding: chunked\r\n\r\n"
      "3\r\nabc\r\n0A;x=\"y\"\r\n0123456789\r\n0\r\n\r\n",
      "401 reusable" DIGEST },
    { "chunked with bare LF and trailers", OPEN, NO401 AUTH
      "transfer-encoding:\tCHUNKED\n\n1\nx\n0\nA: b\nC: d\n\n",
      "401 reusable" DIGEST },
    { "chunked, incomplete", OPEN, NO401 AUTH
      "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n", "more" },
    { "chunked, closed early", CLOSED, NO401 AUTH
      "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n", "401" DIGEST },
    { "chunk without a size", OPEN, NO401 AUTH
      "Transfer-Encoding: chunked\r\n\r\nxyz", "401" DIGEST },
    { "chunk without its line end", OPEN, NO401 AUTH
      "Transfer-Encoding: chunked\r\n\r\n1\r\nabc", "401" DIGEST },
    { "chunk too large", OPEN, NO401 AUTH
      "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
      "401" DIGEST },
    { "chunked and a length", OPEN, NO401 AUTH "Content-Length: 1\r\n"
      "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "401" DIGEST },
    { "a length and chunked", OPEN, NO401 AUTH
      "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n0\r\n\r\n",
      "401" DIGEST },
    { "gzip, chunked", OPEN, NO401 AUTH
      "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
      "401 reusable" DIGEST },
    { "chunked, gzip", OPEN, NO401 AUTH
      "Transfer-Encoding: chunked, gzip\r\n\r\n", "401" DIGEST },
    { "identity", OPEN, NO401 AUTH "Transfer-Encoding: identity\r\n"
      "Content-Length: 1\r\n\r\nx", "401 reusable" DIGEST },

    /* header fields */

    { "several fields", OPEN, NO401 "www-authenticate: Basic realm=\"b\"\r\n"
      AUTH "X-WWW-Authenticate: no\r\nContent-Length: 0\r\n\r\n",
      "401 reusable [Basic realm=\"b\"]" DIGEST },
    { "more fields than are kept", OPEN, NO401 "WWW-Authenticate: 1\r\n"
      "WWW-Authenticate: 2\r\nWWW-Authenticate: 3\r\nWWW-Authenticate: 4\r\n"
      "WWW-Authenticate: 5\r\nWWW-Authenticate: 6\r\nWWW-Authenticate: 7\r\n"
      "WWW-Authenticate: 8\r\nWWW-Authenticate: 9\r\n\r\n",
      "401 [1] [2] [3] [4] [5] [6] [7] [8]" },
    { "folded", OPEN, NO401 "WWW-Authenticate: Digest realm=\"r\",\r\n"
      "\tnonce=\"n\",\r\n  opaque=\"o\"\r\nContent-Length: 0\r\n\r\n",
      "401 reusable [Digest realm=\"r\",  \tnonce=\"n\",    opaque=\"o\"]" },
    { "folded behind the name", OPEN, NO401 "WWW-Authenticate:\r\n Basic\r\n"
      "Content-Length:\r\n 0\r\n\r\n", "401 reusable [Basic]" },
    { "fold behind the status line", OPEN, NO401 " Connection: close\r\n"
      AUTH "Content-Length: 0\r\n\r\n", "401 reusable" DIGEST },
    { "line of spaces", OPEN, NO401 AUTH "  \r\nContent-Length: 0\r\n\r\n",
      "401 reusable" DIGEST },
    { "space before the colon, tabs", OPEN, NO401
      "WWW-Authenticate \t:\tBasic\t\r\nContent-Length: 0\r\n\r\n",
      "401 reusable [Basic]" },
    { "line without a colon", OPEN, NO401 "nonsense\r\n: x\r\n" AUTH
      "Content-Length: 0\r\n\r\n", "401 reusable" DIGEST },
    { "empty challenge", OPEN, NO401 "WWW-Authenticate:\r\n"
      "Content-Length: 0\r\n\r\n", "401 reusable []" },

    /* Orange tr069agent: bare LF, folded, no empty line, kept open */

    { "Orange, silent", SILENT, "HTTP/1.1 401 Unauthorized\n"
      "WWW-Authenticate: Digest realm=\"r\",\n nonce=\"n\",\n qop=\"auth\"\n",
      "401 [Digest realm=\"r\",  nonce=\"n\",  qop=\"auth\"]" },
    { "Orange, closed", CLOSED, "HTTP/1.1 401 Unauthorized\n"
      "WWW-Authenticate: Digest realm=\"r\",\n nonce=\"n\",\n qop=\"auth\"\n",
      "401 [Digest realm=\"r\",  nonce=\"n\",  qop=\"auth\"]" },
    { "closed within a line", CLOSED, NO401 "WWW-Authenticate: Basic",
      "401 [Basic]" },
    { "silent within a line", SILENT, NO401 "WWW-Authenticate: Basic",
      "more" },
    { "silent before the challenge", SILENT, NO401 "Server: x\r\n", "more" },
    { "silent behind the status line", SILENT, NO401, "more" },
    { "200, silent behind the status line", SILENT, OK200, "200" },
    { "silent behind a 100", SILENT, "HTTP/1.1 100 Continue\r\n\r\n",
      "more" },
    { "silent within a 100", SILENT, "HTTP/1.1 100 Continue\r\n", "more" },
    { "silent within the status line", SILENT, "HTTP/1.1 200", "more" },
    { "closed within the status line", CLOSED, "HTTP/1.1 200",
      "error: closed the connection within the header of its reply" },
    { "closed behind an empty line", CLOSED, "\r\n",
      "error: closed the connection within the header of its reply" },
    { "closed at once", CLOSED, "",
      "error: closed the connection without a reply" },
    { "silent from the start", SILENT, "", "more" },
    { "closed behind the reply", CLOSED, OK200 "Content-Length: 0\r\n\r\n",
      "200 reusable" },
};


static void
test_print(char *p, cwmp_reply_t *r, ngx_int_t rc)
{
    ngx_uint_t  i;

    if (rc == NGX_AGAIN) {
        strcpy(p, "more");
        return;
    }

    if (rc == NGX_ERROR) {
        sprintf(p, "error: %s", cwmp_reply_strerror(r->error));
        return;
    }

    p += sprintf(p, "%d", (int) r->status);

    if (r->version != 1001) {
        p += sprintf(p, " %d.%d", (int) r->version / 1000,
                     (int) r->version % 1000);
    }

    if (r->reusable) {
        p += sprintf(p, " reusable");
    }

    for (i = 0; i < r->nauth; i++) {
        p += sprintf(p, " [%.*s]", (int) r->auth[i].len,
                     (char *) r->auth[i].data);
    }
}


/* as the event loop does it: stops at the first result, unless bytes follow */

static ngx_int_t
test_feed(cwmp_reply_t *r, u_char *p, size_t len)
{
    ngx_int_t  rc;
    ngx_str_t  piece;

    piece = tap_copy((char *) p, len);
    rc = cwmp_reply_parse(r, piece.data, len);
    free(piece.data);

    return rc;
}


static void
test_one(char *got, test_reply_t *t, size_t split, size_t step)
{
    size_t         n, len, size;
    u_char        *buf, *bytes;
    ngx_int_t      rc;
    cwmp_reply_t   r;

    buf = malloc(CWMP_REPLY_HEADER_MAX);
    bytes = (u_char *) t->bytes;
    len = strlen(t->bytes);

    cwmp_reply_init(&r, buf, t->end == HEAD);

    rc = NGX_AGAIN;

    if (step) {
        for (n = 0; n < len; n += size) {
            size = ngx_min(step, len - n);
            rc = test_feed(&r, bytes + n, size);
        }

    } else {
        (void) test_feed(&r, bytes, split);
        rc = test_feed(&r, bytes + split, len - split);
    }

    if (t->end == CLOSED || t->end == SILENT) {
        rc = cwmp_reply_end(&r, t->end == SILENT);
    }

    test_print(got, &r, rc);

    free(buf);
}


static void
test_replies(void)
{
    char           got[1024], whole[1024];
    size_t         split;
    ngx_str_t      s;
    ngx_uint_t     i, bad;
    test_reply_t  *t;

    for (i = 0; i < nelts(replies); i++) {
        t = &replies[i];

        test_one(whole, t, 0, strlen(t->bytes) + 1);
        s.data = (u_char *) whole;
        s.len = strlen(whole);
        tap_is(&s, t->expected, t->name);

        bad = 0;

        for (split = 0; split <= strlen(t->bytes); split++) {
            test_one(got, t, split, 0);
            bad += (strcmp(got, t->expected) != 0);
        }

        test_one(got, t, 0, 1);
        bad += (strcmp(got, t->expected) != 0);

        test_one(got, t, 0, 3);
        bad += (strcmp(got, t->expected) != 0);

        tap_ok(bad == 0, "however it is split");
    }
}


/* endless ones of every kind */

static ngx_int_t
test_endless(cwmp_reply_t *r, const char *start, const char *more,
    size_t limit)
{
    size_t     total;
    ngx_int_t  rc;

    rc = test_feed(r, (u_char *) start, strlen(start));

    for (total = 0; rc == NGX_AGAIN && total < limit; total += strlen(more)) {
        rc = test_feed(r, (u_char *) more, strlen(more));
    }

    return rc;
}


static void
test_limits(void)
{
    u_char        *buf;
    cwmp_reply_t   r;

    buf = malloc(CWMP_REPLY_HEADER_MAX);

    cwmp_reply_init(&r, buf, 0);
    tap_ok(test_endless(&r, OK200, "X: 0123456789abcdef\r\n", 8200)
           == NGX_ERROR && r.error == CWMP_REPLY_TOO_LARGE, "endless header");

    cwmp_reply_init(&r, buf, 0);
    tap_ok(test_endless(&r, OK200 "X: ", "0123456789abcdef", 8200)
           == NGX_ERROR && r.error == CWMP_REPLY_TOO_LARGE, "endless line");

    cwmp_reply_init(&r, buf, 0);
    tap_ok(test_endless(&r, "HTTP/1.1 ", " ", 8200)
           == NGX_ERROR && r.error == CWMP_REPLY_TOO_LARGE,
           "endless status line");

    cwmp_reply_init(&r, buf, 0);
    tap_ok(test_endless(&r, "", "\r\n", 8200)
           == NGX_ERROR && r.error == CWMP_REPLY_TOO_LARGE,
           "endless empty lines");

    cwmp_reply_init(&r, buf, 0);
    tap_ok(test_endless(&r, "", "HTTP/1.1 100 Continue\r\n\r\n", 8200)
           == NGX_ERROR && r.error == CWMP_REPLY_TOO_LARGE, "endless 100s");

    tap_ok(cwmp_reply_parse(&r, (u_char *) "HTTP", 4) == NGX_ERROR
           && cwmp_reply_end(&r, 0) == NGX_ERROR, "an error lasts");

    cwmp_reply_init(&r, buf, 0);
    tap_ok(test_endless(&r, NO401 AUTH "Transfer-Encoding: chunked\r\n\r\n",
                        "1\r\nx\r\n", 16400)
           == NGX_OK && r.done && !r.reusable, "endless chunks");

    cwmp_reply_init(&r, buf, 0);
    tap_ok(test_endless(&r, NO401 AUTH "Transfer-Encoding: chunked\r\n\r\n"
                        "4000\r\n", "0123456789abcdef", 16400)
           == NGX_OK && r.done && !r.reusable, "largest chunk");

    cwmp_reply_init(&r, buf, 0);
    tap_ok(test_endless(&r, NO401 AUTH "Transfer-Encoding: chunked\r\n\r\n1;",
                        "xxxxxxxxxxxxxxxxxxxx", 16400)
           == NGX_OK && r.done && !r.reusable, "endless chunk extension");

    cwmp_reply_init(&r, buf, 0);
    tap_ok(test_endless(&r, NO401 AUTH "Transfer-Encoding: chunked\r\n\r\n"
                        "0\r\n", "X: 0123456789abcdef\r\n", 16400)
           == NGX_OK && r.done && !r.reusable, "endless trailers");

    cwmp_reply_init(&r, buf, 0);
    tap_ok(test_endless(&r, NO401 AUTH "Content-Length: 16384\r\n\r\n",
                        "0123456789abcdef", 16384)
           == NGX_OK && r.reusable, "largest body");

    /* a header of exactly the limit */

    cwmp_reply_init(&r, buf, 0);
    tap_ok(test_endless(&r, OK200 "X: 0\r\n"
                        "Y: 01234567890123456789012345678901234567890123456"
                        "789ab\r\n",
                        "X: 789ab\r\n", CWMP_REPLY_HEADER_MAX - 82)
           == NGX_AGAIN, "header up to the limit");

    tap_ok(test_feed(&r, (u_char *) "\r\n", 2) == NGX_OK && r.status == 200,
           "and its end");

    free(buf);
}


int
main(void)
{
    test_replies();
    test_limits();

    return tap_done();
}
