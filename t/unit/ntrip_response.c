
/*
 * sources: ntrip_response.c ntrip_text.c
 *          ntrip_sourcetable.c
 */


#include "tap.h"
#include "ntrip_response.h"


#define NOW   1795294112
#define DATE  "Date: Sat, 21 Nov 2026 20:48:32 GMT\r\n"
#define SRV   "Server: " NTRIP_PRODUCT "\r\n"
#define V2    "HTTP/1.1 200 OK\r\nNtrip-Version: Ntrip/2.0\r\n" SRV DATE


static u_char       buf[8192];
static ntrip_out_t  out;


static ngx_str_t *
text(void)
{
    static ngx_str_t  s;

    s.data = out.start;
    s.len = out.last - out.start;

    tap_ok(!out.overflow, "no overflow");

    return &s;
}


static void
start(void)
{
    ntrip_out_init(&out, buf, sizeof(buf));
}


/* Content-Length is what follows the blank line */

static void
test_length(const char *name)
{
    char  *length, *body;

    *out.last = '\0';

    length = strstr((char *) buf, "Content-Length: ");
    body = strstr((char *) buf, "\r\n\r\n");

    tap_ok(length && body && length < body
           && (size_t) atoi(length + 16) == strlen(body + 4),
           "%s: Content-Length", name);
}


static void
test_ok(void)
{
    start();
    ntrip_response_ok(&out, NTRIP_FORM_V1, NOW, 0);
    tap_is(text(), "ICY 200 OK\r\n\r\n", "1.0");

    start();
    ntrip_response_ok(&out, NTRIP_FORM_V1, NOW, 1);
    tap_is(text(), "ICY 200 OK\r\n\r\n", "1.0 is never chunked");

    start();
    ntrip_response_ok(&out, NTRIP_FORM_V2, NOW, 0);
    tap_is(text(), V2 "Content-Type: gnss/data\r\n"
           "Cache-Control: no-store, no-cache, max-age=0\r\n"
           "Pragma: no-cache\r\nConnection: close\r\n\r\n", "2.0");

    start();
    ntrip_response_ok(&out, NTRIP_FORM_V2, NOW, 1);
    tap_is(text(), V2 "Content-Type: gnss/data\r\n"
           "Cache-Control: no-store, no-cache, max-age=0\r\n"
           "Pragma: no-cache\r\nConnection: close\r\n"
           "Transfer-Encoding: chunked\r\n\r\n", "2.0, chunked");
}


static void
test_table(void)
{
    ngx_str_t  table;

    start();
    ntrip_response_sourcetable(&out, NTRIP_FORM_V1, NOW, 274702);
    tap_is(text(), "SOURCETABLE 200 OK\r\n" SRV DATE "Connection: close\r\n"
           "Content-Type: text/plain\r\nContent-Length: 274702\r\n\r\n",
           "table, 1.0");

    start();
    ntrip_response_sourcetable(&out, NTRIP_FORM_V2, NOW, 16);
    tap_is(text(), V2 "Connection: close\r\n"
           "Content-Type: gnss/sourcetable\r\n"
           "Ntrip-Flags: st_filter,st_auth,st_match,st_strict\r\n"
           "Content-Length: 16\r\n\r\n",
           "table, 2.0");

    ngx_str_set(&table, "STR;M;<b>&\r\nENDSOURCETABLE\r\n");

    start();
    ntrip_response_page(&out, NOW, &table);
    tap_is(text(), "HTTP/1.1 200 OK\r\n" SRV DATE "Connection: close\r\n"
           "Content-Type: text/html\r\nContent-Length: 135\r\n\r\n"
           "<!DOCTYPE html>\r\n"
           "<html><head><title>Sourcetable</title></head><body><pre>\r\n"
           "STR;M;&lt;b&gt;&amp;\r\nENDSOURCETABLE\r\n"
           "</pre></body></html>\r\n", "table, page");
    test_length("page");

    tap_ok(ntrip_response_page_size(&table) >= (size_t) (out.last - buf),
           "the page's size suffices");
}


static void
test_page_size(void)
{
    u_char      *page, data[1000];
    size_t       size;
    ngx_str_t    table;
    ntrip_out_t  o;

    memset(data, '&', sizeof(data));
    table.data = data;
    table.len = sizeof(data);

    size = ntrip_response_page_size(&table);
    page = malloc(size);
    ntrip_out_init(&o, page, size);
    ntrip_response_page(&o, NOW, &table);
    tap_ok(!o.overflow, "the worst page fits");
    free(page);
}


static void
test_errors(void)
{
    u_char      name[4000];
    size_t      i;
    ngx_str_t   mount;

    static const struct {
        ngx_uint_t   form, status;
        const char  *head;
    } errors[] = {
        { NTRIP_FORM_V1, 400, "HTTP/1.0 400 Bad Request\r\n" SRV },
        { NTRIP_FORM_V1, 401, "HTTP/1.0 401 Unauthorized\r\n" SRV DATE
          "WWW-Authenticate: Basic realm=\"/MNT\"\r\n"
          "Content-Type: text/html\r\nConnection: close\r\n" },
        { NTRIP_FORM_V1, 501, "HTTP/1.0 501 Not Implemented\r\n" SRV },
        { NTRIP_FORM_V2, 400, "HTTP/1.1 400 Bad Request\r\nNtrip-Version: " },
        { NTRIP_FORM_V2, 401, "HTTP/1.1 401 Unauthorized\r\n"
          "Ntrip-Version: Ntrip/2.0\r\n" SRV DATE
          "WWW-Authenticate: Basic realm=\"/MNT\"\r\n" },
        { NTRIP_FORM_V2, 404, "HTTP/1.1 404 Not Found\r\nNtrip-Version: " },
        { NTRIP_FORM_V2, 409, "HTTP/1.1 409 Conflict\r\nNtrip-Version: " },
        { NTRIP_FORM_V2, 501,
          "HTTP/1.1 501 Not Implemented\r\nNtrip-Version: " },
        { NTRIP_FORM_V2, 503,
          "HTTP/1.1 503 Service Unavailable\r\nNtrip-Version: " },
        { NTRIP_FORM_PAGE, 503, "HTTP/1.1 503 Service Unavailable\r\nServer" }
    };

    ngx_str_set(&mount, "MNT");

    for (i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        start();
        ntrip_response_error(&out, NTRIP_GET, errors[i].form,
                             errors[i].status, NOW, &mount);
        *out.last = '\0';
        tap_ok(strstr((char *) buf, errors[i].head) == (char *) buf,
               "form %d, %d", (int) errors[i].form, (int) errors[i].status);
        test_length("error");
        tap_ok((errors[i].status == 401)
               == (strstr((char *) buf, "WWW-Authenticate") != NULL),
               "a challenge with 401 alone");
        tap_ok(out.last - buf < NTRIP_RESPONSE_MAX, "short enough");
    }

    for (i = 0; i < 3; i++) {
        start();
        ntrip_response_error(&out, NTRIP_GET, NTRIP_FORM_V1,
                             i == 0 ? 404 : i == 1 ? 409 : 503, NOW, &mount);
        tap_is(text(), "", "1.0 has no such reply");
    }

    /* a realm never breaks the header */

    mount.data = name;
    mount.len = sizeof(name);
    memset(name, 'x', sizeof(name));

    start();
    ntrip_response_error(&out, NTRIP_GET, NTRIP_FORM_V2, 401, NOW, &mount);
    *out.last = '\0';
    tap_ok(strstr((char *) buf, "realm=\"/\"\r\n") != NULL
           && out.last - buf < NTRIP_RESPONSE_MAX, "a long mountpoint");

    ngx_str_set(&mount, "a\"b");
    start();
    ntrip_response_error(&out, NTRIP_GET, NTRIP_FORM_V2, 401, NOW, &mount);
    *out.last = '\0';
    tap_ok(strstr((char *) buf, "realm=\"/\"\r\n") != NULL, "a quote");
}


static void
test_source(void)
{
    ngx_str_t   mount;

    ngx_str_set(&mount, "MNT");

    start();
    ntrip_response_error(&out, NTRIP_SOURCE, NTRIP_FORM_V1, 401, NOW, &mount);
    tap_is(text(), "ERROR - Bad Password\r\n", "a base, wrong password");

    start();
    ntrip_response_error(&out, NTRIP_SOURCE, NTRIP_FORM_V1, 409, NOW, &mount);
    tap_is(text(), "ERROR - Mount Point Taken or Invalid\r\n",
           "a base, mountpoint taken");

    start();
    ntrip_response_error(&out, NTRIP_SOURCE, NTRIP_FORM_V1, 404, NOW, &mount);
    tap_is(text(), "ERROR - Mount Point Taken or Invalid\r\n",
           "a base, unknown mountpoint");

    start();
    ntrip_response_error(&out, NTRIP_SOURCE, NTRIP_FORM_V1, 503, NOW, &mount);
    tap_is(text(), "ERROR - Too many sources\r\n", "a base, no room");

    start();
    ntrip_response_error(&out, NTRIP_SOURCE, NTRIP_FORM_V1, 400, NOW, &mount);
    tap_is(text(), "ERROR - Bad Request\r\n", "a base, bad request");

    tap_ok(ntrip_response_status(NTRIP_REQUEST_TLS) == 0, "TLS: silence");
    tap_ok(ntrip_response_status(NTRIP_REQUEST_UNKNOWN) == 0,
           "no request: silence");
    tap_ok(ntrip_response_status(NTRIP_REQUEST_METHOD) == 501, "method: 501");
    tap_ok(ntrip_response_status(NTRIP_REQUEST_LINE) == 400, "line: 400");
    tap_ok(ntrip_response_status(NTRIP_REQUEST_HEADER) == 400, "header: 400");
    tap_ok(ntrip_response_status(NTRIP_REQUEST_TOO_LARGE) == 400,
           "too large: 400");
}


int
main(void)
{
    test_ok();
    test_table();
    test_page_size();
    test_errors();
    test_source();

    return tap_done();
}
