
/*
 * sources: ntrip_request.c ntrip_text.c
 */


#include "tap.h"
#include "ntrip_request.h"


typedef struct {
    const char  *name;
    const char  *in;
    const char  *result;                 /* as dump() writes it */
} test_t;


#define BASIC  "Authorization: Basic dXNlcjpwYXNz\r\n"        /* user:pass */


static const test_t  tests[] = {

    /* notes of what clients send: RTKLIB's str2str */

    { "str2str",
      "GET /MNT HTTP/1.0\r\nUser-Agent: NTRIP RTKLIB/2.4.3\r\n" BASIC "\r\n",
      "GET v1 mount=MNT auth=1 user=user password=pass "
      "agent=NTRIP RTKLIB/2.4.3 http rest=" },

    { "gpsd 3.22",
      "GET /MNT HTTP/1.1\r\nAccept: rtk/rtcm, dgps/rtcm\r\n"
      "User-Agent: NTRIP gpsd/3.22\r\nHost: caster\r\n" BASIC
      "Connection: close\r\n\r\n",
      "GET v1 mount=MNT host=caster auth=1 user=user password=pass "
      "agent=NTRIP gpsd/3.22 http http11 rest=" },

    { "BKG ntripclient, 2.0",
      "GET /MNT HTTP/1.1\r\nHost: caster:2101\r\nNtrip-Version: Ntrip/2.0\r\n"
      "Ntrip-GGA: $GPGGA,1,2*33\r\nUser-Agent: NTRIP NtripClientPOSIX\r\n"
      BASIC "Connection: close\r\n\r\n",
      "GET v2 mount=MNT host=caster:2101 auth=1 user=user password=pass "
      "agent=NTRIP NtripClientPOSIX gga=$GPGGA,1,2*33 http http11 v2 insists "
      "rest=" },

    { "the same, 1.0: no chunks",
      "GET /MNT HTTP/1.1\r\nUser-Agent: NTRIP NtripClientPOSIX\r\n\r\n",
      "GET v1 mount=MNT auth=0 agent=NTRIP NtripClientPOSIX http http11 "
      "rest=" },

    { "a base of that name gets none, either",
      "POST /MNT HTTP/1.1\r\nNtrip-Version: Ntrip/2.0\r\n"
      "User-Agent: NTRIP NtripClientPOSIX\r\n\r\n",
      "POST v2 mount=MNT auth=0 agent=NTRIP NtripClientPOSIX http http11 v2 "
      "rest=" },

    { "whose name only begins like it",
      "GET /MNT HTTP/1.1\r\nNtrip-Version: Ntrip/2.0\r\n"
      "User-Agent: NTRIP NtripClient/1\r\n\r\n",
      "GET v2 mount=MNT auth=0 agent=NTRIP NtripClient/1 http http11 v2 "
      "rest=" },

    { "GGA in the same segment",
      "GET /MNT HTTP/1.0\r\nUser-Agent: NTRIP x\r\n\r\n$GPGGA,\r\n",
      "GET v1 mount=MNT auth=0 agent=NTRIP x http rest=$GPGGA,\r\n" },

    { "QField: no NTRIP in the agent",
      "GET /MNT HTTP/1.0\r\nUser-Agent: QField NTRIP QtSocketClient/1.0\r\n"
      "\r\n",
      "GET v1 mount=MNT auth=0 agent=QField NTRIP QtSocketClient/1.0 http "
      "rest=" },

    { "no agent at all", "GET /MNT HTTP/1.0\r\n\r\n",
      "GET v1 mount=MNT auth=0 http rest=" },

    { "no protocol", "GET /MNT\r\n\r\n", "GET v1 mount=MNT auth=0 rest=" },

    { "bare LF", "GET /MNT HTTP/1.0\nuser-agent: x\n\nDATA",
      "GET v1 mount=MNT auth=0 agent=x http rest=DATA" },

    { "CR CR LF", "GET /MNT HTTP/1.0\r\r\nUser-Agent: x\r\r\n\r\r\nDATA",
      "GET v1 mount=MNT auth=0 agent=x http rest=DATA" },

    { "cors-relay's own client: LF within the header",
      "GET /MNT HTTP/1.0\r\nUser-Agent: x\r\n"
      "Authorization: Basic dXNlcjpwYXNz\n\r\n\r\n",
      "GET v1 mount=MNT auth=1 user=user password=pass agent=x http "
      "rest=\r\n" },

    { "empty lines in front", "\r\n\nGET / HTTP/1.1\r\n\r\n",
      "GET v1 mount= auth=0 http http11 rest=" },

    { "headers of any case, without blanks",
      "get /MNT http/1.1\r\nuSER-aGENT:x\r\nAUTHORIZATION:bAsIc   dTpw  \r\n"
      "NTRIP-VERSION:ntrip/2.0\r\n\r\n",
      "GET v2 mount=MNT auth=1 user=u password=p agent=x http http11 v2 "
      "rest=" },

    { "Ntrip/1.0", "GET /M HTTP/1.1\r\nNtrip-Version: Ntrip/1.0\r\n\r\n",
      "GET v1 mount=M auth=0 http http11 rest=" },

    { "HTTP/1.0 with Ntrip/2.0",
      "GET /M HTTP/1.0\r\nNtrip-Version: Ntrip/2.0\r\n\r\n",
      "GET v2 mount=M auth=0 http v2 rest=" },

    /* the target */

    { "absolute form", "GET http://h:2101/MNT?a=b HTTP/1.1\r\nHost: x\r\n\r\n",
      "GET v1 mount=MNT query=a=b host=h:2101 auth=0 http http11 rest=" },

    { "absolute form without path", "GET HTTP://h HTTP/1.1\r\n\r\n",
      "GET v1 mount= host=h auth=0 http http11 rest=" },

    { "absolute form with a query alone", "GET http://h?STR HTTP/1.1\r\n\r\n",
      "GET v1 mount= query=STR host=h auth=0 http http11 rest=" },

    { "no slash", "GET MNT HTTP/1.0\r\n\r\n",
      "GET v1 mount=MNT auth=0 http rest=" },

    { "filter", "GET /?STR;;;;DEU HTTP/1.0\r\n\r\n",
      "GET v1 mount= query=STR;;;;DEU auth=0 http rest=" },

    { "percent-encoding", "GET /A%2fb%20%C3%A9%3f?%41 HTTP/1.0\r\n\r\n",
      "GET v1 mount=A/b \xc3\xa9? query=%41 auth=0 http rest=" },
    { "slashes around the mountpoint", "GET //MNT/ HTTP/1.0\r\n\r\n",
      "GET v1 mount=MNT auth=0 http rest=" },
    { "slashes in disguise", "GET /%2F%4DNT%2f?x HTTP/1.0\r\n\r\n",
      "GET v1 mount=MNT query=x auth=0 http rest=" },
    { "nothing but slashes", "GET /// HTTP/1.0\r\n\r\n",
      "GET v1 mount= auth=0 http rest=" },

    { "blanks between", "GET \t /MNT  \t HTTP/1.0  \r\n\r\n",
      "GET v1 mount=MNT auth=0 http rest=" },

    /* credentials */

    { "a colon in the password",
      "GET /M HTTP/1.0\r\nAuthorization: Basic YTpiOmM=\r\n\r\n",
      "GET v1 mount=M auth=1 user=a password=b:c http rest=" },

    { "no padding", "GET /M HTTP/1.0\r\nAuthorization: Basic YTpiOmM\r\n\r\n",
      "GET v1 mount=M auth=1 user=a password=b:c http rest=" },

    { "empty user and password",
      "GET /M HTTP/1.0\r\nAuthorization: Basic Og==\r\n\r\n",
      "GET v1 mount=M auth=1 http rest=" },

    { "no colon", "GET /M HTTP/1.0\r\nAuthorization: Basic dXNlcg==\r\n\r\n",
      "GET v1 mount=M auth=3 http rest=" },

    { "a zero in the password",
      "GET /M HTTP/1.0\r\nAuthorization: Basic dTpwAHE=\r\n\r\n",
      "GET v1 mount=M auth=3 http rest=" },

    { "no base64", "GET /M HTTP/1.0\r\nAuthorization: Basic user:pass\r\n\r\n",
      "GET v1 mount=M auth=3 http rest=" },

    { "nothing behind Basic", "GET /M HTTP/1.0\r\nAuthorization: Basic\r\n\r\n",
      "GET v1 mount=M auth=3 http rest=" },

    { "Digest", "GET /M HTTP/1.0\r\nAuthorization: Digest a=\"b\"\r\n\r\n",
      "GET v1 mount=M auth=2 http rest=" },

    { "the first of two counts",
      "GET /M HTTP/1.0\r\nAuthorization: Basic dTpw\r\n"
      "Authorization: Basic dXNlcjpwYXNz\r\nUser-Agent: a\r\nUser-Agent: b\r\n"
      "\r\n",
      "GET v1 mount=M auth=1 user=u password=p agent=a http rest=" },

    /* base stations */

    { "SOURCE", "SOURCE pw /MNT\r\nSource-Agent: NTRIP x\r\nSTR: ;a;b\r\n"
      "\r\n\xd3",
      "SOURCE v1 mount=MNT auth=0 password=pw agent=NTRIP x str=;a;b "
      "rest=\xd3" },

    { "SOURCE of str2str", "SOURCE sesam MNT\r\n\r\n",
      "SOURCE v1 mount=MNT auth=0 password=sesam rest=" },

    { "SOURCE of esp32-xbee", "SOURCE pw /MNT HTTP/1.1\r\n\r\n",
      "SOURCE v1 mount=MNT auth=0 password=pw http http11 rest=" },

    { "SOURCE in one word", "SOURCE pw/MNT\r\n\r\n",
      "SOURCE v1 mount=MNT auth=0 password=pw rest=" },

    { "SOURCE in one word, with a protocol", "SOURCE pw/MNT HTTP/1.0\r\n\r\n",
      "SOURCE v1 mount=MNT auth=0 password=pw http rest=" },

    { "SOURCE without a password", "SOURCE  /MNT\r\n\r\n",
      "SOURCE v1 mount=MNT auth=0 rest=" },

    { "SOURCE speaks 1.0 whatever it says",
      "SOURCE pw /MNT HTTP/1.1\r\nNtrip-Version: Ntrip/2.0\r\n" BASIC "\r\n",
      "SOURCE v1 mount=MNT auth=1 password=pw http http11 v2 rest=" },

    { "POST", "POST /MNT HTTP/1.1\r\nHost: h\r\nNtrip-Version: Ntrip/2.0\r\n"
      BASIC "Ntrip-STR: x\r\nTransfer-Encoding: Chunked\r\n"
      "Expect: 100-continue\r\n\r\n3\r\n",
      "POST v2 mount=MNT host=h auth=1 user=user password=pass str=x http "
      "http11 v2 chunked expect rest=3\r\n" },

    /* browsers */

    { "a browser", "GET / HTTP/1.1\r\nHost: h\r\nUser-Agent: Mozilla/5.0\r\n"
      "Accept: text/html,application/xhtml+xml\r\n\r\n",
      "GET page mount= host=h auth=0 agent=Mozilla/5.0 http http11 html "
      "rest=" },

    { "a browser at a mountpoint",
      "GET /M HTTP/1.1\r\nAccept: text/html\r\n\r\n",
      "GET v1 mount=M auth=0 http http11 html rest=" },

    /* what is passed over */

    { "lines that are no headers",
      "GET /M HTTP/1.0\r\nnonsense\r\n Authorization: Basic dTpw\r\n: x\r\n"
      "\tUser-Agent: y\r\n$GPGGA,1\r\n\r\n",
      "GET v1 mount=M auth=0 http rest=" },

    { "an empty value", "GET /M HTTP/1.0\r\nUser-Agent:\r\n\r\n",
      "GET v1 mount=M auth=0 http rest=" },

    { "bytes above 127", "GET /M HTTP/1.0\r\nUser-Agent: \xc3\xa9\r\n\r\n",
      "GET v1 mount=M auth=0 agent=\xc3\xa9 http rest=" },

    /* errors */

    { "nothing", "", "again" },
    { "blank lines only", "\r\n\r\n", "again" },
    { "half a method", "GE", "again" },
    { "half a request", "GET /M HTTP/1.0\r\nUser-Agent: x\r\n", "again" },

    { "a word", "hello\r\n", "not an NTRIP request" },
    { "a method and more", "GETX /M HTTP/1.0\r\n\r\n",
      "not an NTRIP request" },
    { "GET alone", "GET\r\n\r\n", "not an NTRIP request" },
    { "RTCM", "\xd3\x03\x13", "not an NTRIP request" },
    { "format string", "%n%n%n", "not an NTRIP request" },
    { "TLS", "\x16\x03\x01\x02", "TLS handshake on a port without ssl" },
    { "HEAD", "HEAD / HTTP/1.1\r\n\r\n", "method is not supported" },
    { "OPTIONS", "OPTIONS * HTTP/1.1\r\n\r\n", "method is not supported" },
    { "PUT", "PUT /M HTTP/1.1\r\n\r\n", "method is not supported" },

    { "no target", "GET \r\n\r\n", "malformed request line" },
    { "bad escape", "GET /%4 HTTP/1.0\r\n\r\n", "malformed request line" },
    { "no hex", "GET /%zz HTTP/1.0\r\n\r\n", "malformed request line" },
    { "an escaped zero", "GET /M%00 HTTP/1.0\r\n\r\n",
      "malformed request line" },
    { "an escaped line end", "GET /M%0d%0a HTTP/1.0\r\n\r\n",
      "malformed request line" },
    { "a control character", "GET /M\033[31m HTTP/1.0\r\n\r\n",
      "malformed request line" },
    { "HTTP/2", "GET /M HTTP/2.0\r\n\r\n", "malformed request line" },
    { "RTSP", "GET /M RTSP/1.0\r\n\r\n", "malformed request line" },
    { "a space in the target", "GET /M N HTTP/1.0\r\n\r\n",
      "malformed request line" },
    { "a fourth word", "GET /M HTTP/1.0 x\r\n\r\n", "malformed request line" },
    { "SOURCE alone", "SOURCE \r\n\r\n", "malformed request line" },
    { "SOURCE without a mountpoint", "SOURCE pw\r\n\r\n",
      "malformed request line" },
    { "ESC in a header", "GET /M HTTP/1.0\r\nUser-Agent: \033[2J\r\n\r\n",
      "control character in a header line" },
    { "CR within a header", "GET /M HTTP/1.0\r\nA: b\rc\r\n\r\n",
      "control character in a header line" }
};


static char *
field(char *p, const char *name, ngx_str_t *value)
{
    if (value->len == 0) {
        return p;
    }

    return p + sprintf(p, "%s=%.*s ", name, (int) value->len,
                       (char *) value->data);
}


static void
dump(char *p, ntrip_request_t *r, ngx_int_t rc, u_char *buf, size_t len)
{
    static const char  *methods[] = { "?", "GET", "SOURCE", "POST" };
    static const char  *forms[] = { "?", "v1", "v2", "page" };

    if (rc == NGX_AGAIN) {
        strcpy(p, "again");
        return;
    }

    if (rc == NGX_ERROR) {
        strcpy(p, ntrip_request_error(r->error));
        return;
    }

    p += sprintf(p, "%s %s mount=%.*s ", methods[r->method], forms[r->form],
                 (int) r->mount.len, (char *) r->mount.data);
    p = field(p, "query", &r->query);
    p = field(p, "host", &r->host);
    p += sprintf(p, "auth=%d ", (int) r->auth);
    p = field(p, "user", &r->user);
    p = field(p, "password", &r->password);
    p = field(p, "agent", &r->agent);
    p = field(p, "gga", &r->gga);
    p = field(p, "str", &r->str);
    p += sprintf(p, "%s%s%s%s%s%s%s", r->http ? "http " : "",
                 r->http11 ? "http11 " : "", r->v2 ? "v2 " : "",
                 r->html ? "html " : "", r->chunked ? "chunked " : "",
                 r->expect ? "expect " : "",
                 ntrip_request_insists(r) ? "insists " : "");
    sprintf(p, "rest=%.*s", (int) (len - r->body), (char *) buf + r->body);
}


/* calls the parser with step bytes more each time, after the first "first" */

static void
run(char *result, const char *text, size_t len, size_t first, size_t step)
{
    size_t           n;
    ngx_int_t        rc;
    ngx_str_t        buf;
    ntrip_request_t  r;

    memset(&r, 0, sizeof(r));
    buf = tap_copy(text, len);

    for (n = first; ; n = (len - n < step) ? len : n + step) {
        rc = ntrip_request_parse(&r, buf.data, n);

        if (rc != NGX_AGAIN || n == len) {
            break;
        }
    }

    dump(result, &r, rc, buf.data, len);

    free(buf.data);
}


static void
test_splits(const test_t *t)
{
    int     same;
    char    result[NTRIP_REQUEST_MAX];
    size_t  i, len;

    len = strlen(t->in);

    run(result, t->in, len, len, len);

    if (!tap_ok(strcmp(result, t->result) == 0, "%s", t->name)) {
        printf("#      got: '%s'\n# expected: '%s'\n", result, t->result);
    }

    same = 1;

    for (i = 0; i <= len; i++) {
        run(result, t->in, len, i, len);
        same &= (strcmp(result, t->result) == 0);

        run(result, t->in, len, i, 1);
        same &= (strcmp(result, t->result) == 0);
    }

    tap_ok(same, "the same in any pieces");
}


static void
test_limits(void)
{
    char    text[2 * NTRIP_REQUEST_MAX], result[3 * NTRIP_REQUEST_MAX];
    size_t  i, n;

    /* the header fits to the byte, and data follow */

    n = sprintf(text, "GET /M HTTP/1.0\r\nUser-Agent: ");
    memset(text + n, 'x', sizeof(text) - n);
    memcpy(text + NTRIP_REQUEST_MAX - 4, "\r\n\r\n", 4);
    memcpy(text + NTRIP_REQUEST_MAX, "DATA", 4);

    run(result, text, NTRIP_REQUEST_MAX + 4, 0, 100);
    tap_ok(strstr(result, "GET v1 mount=M ") == result
           && strcmp(result + strlen(result) - 4, "DATA") == 0,
           "4096 bytes of header are taken");

    memcpy(text + NTRIP_REQUEST_MAX - 4, "x\r\n\r\n", 5);
    run(result, text, NTRIP_REQUEST_MAX + 4, 0, 100);
    tap_ok(strcmp(result, "request header is too large") == 0,
           "4097 are too many");
    run(result, text, NTRIP_REQUEST_MAX + 4, NTRIP_REQUEST_MAX + 4, 1);
    tap_ok(strcmp(result, "request header is too large") == 0,
           "also at once");

    memset(text, '\n', sizeof(text));
    run(result, text, sizeof(text), 0, 1);
    tap_ok(strcmp(result, "request header is too large") == 0,
           "blank lines without end");

    /* the longest names, and one byte more */

    for (i = 0; i < 2; i++) {
        char         plain[1000];
        u_char       b64[1400];
        ntrip_out_t  out;

        n = NTRIP_USER_MAX + i;
        memset(plain, 'u', n);
        plain[n] = ':';
        memset(plain + n + 1, 'p', NTRIP_PASSWORD_MAX);

        ntrip_out_init(&out, b64, sizeof(b64));
        ntrip_out_base64(&out, (u_char *) plain, n + 1 + NTRIP_PASSWORD_MAX);
        ntrip_out_char(&out, '\0');

        n = sprintf(text, "GET /M HTTP/1.0\r\nAuthorization: Basic %s\r\n\r\n",
                    b64);
        run(result, text, n, 0, 7);
        tap_ok(strstr(result, i ? "auth=3 http" : "auth=1 user=uuu") != NULL,
               "a user of %d bytes", (int) (NTRIP_USER_MAX + i));
    }
}


int
main(void)
{
    size_t  i;

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        test_splits(&tests[i]);
    }

    test_limits();

    return tap_done();
}
