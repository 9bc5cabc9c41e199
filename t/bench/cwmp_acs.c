
/*
 * cwmp_acs [--public=URL [--mixed]] [--size=N]: the ACS of the CWMP benchmark
 *
 * Prints its port, serves until it is terminated, then prints what it has
 * seen.  Each request is compared byte by byte with what it has to be; one
 * that is not so ends the program.
 *
 * With --public the URL in a message has to be rewritten, and each connection
 * has to be one device's, unless --mixed says that it need not.  Without, the
 * message has to be as it was sent.
 */


#define _GNU_SOURCE

#include "bench.h"
#include "soap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define ACS_SIG        "&amp;sig="
#define ACS_MAX_SIG    22


typedef struct {
    bench_connection_t  c;
    unsigned            device;
    unsigned            known:1;       /* device is */
    unsigned            mixed:1;
} acs_connection_t;


static void acs_request(bench_connection_t *c);
static void acs_message(bench_connection_t *c, soap_message_t *m);
static void acs_rewritten(bench_connection_t *c, soap_message_t *m,
    unsigned device);
static void acs_device(bench_connection_t *c, unsigned device);
static void acs_reply(bench_connection_t *c, int status);


static const char             *acs_public;
static size_t                  acs_public_len;
static int                     acs_may_mix;
static soap_message_t          acs_messages[sizeof(SOAP_KINDS) - 1];
static char                    acs_body[SOAP_REPLY_SIZE];
static size_t                  acs_body_id;
static char                    acs_id[SOAP_ID_LEN];

/* the signature of a device's URL, which never changes */
static char                    acs_sigs[SOAP_MAX_DEVICES][ACS_MAX_SIG + 2];

static unsigned long           acs_requests, acs_mixed, acs_rewrites;


int
main(int argc, char **argv)
{
    int            i, port, listener;
    size_t         size;
    unsigned long  connections;

    size = 2 * 1024 * 1024;

    for (i = 1; i < argc; i++) {
        if (strncmp(argv[i], "--public=", 9) == 0) {
            acs_public = argv[i] + 9;
            acs_public_len = strlen(acs_public);

        } else if (strcmp(argv[i], "--mixed") == 0) {
            acs_may_mix = 1;

        } else if (strncmp(argv[i], "--size=", 7) == 0) {
            size = strtoul(argv[i] + 7, NULL, 10);

        } else {
            bench_die("unknown argument %s", argv[i]);
        }
    }

    bench_open_files();

    for (i = 0; SOAP_KINDS[i] != '\0'; i++) {
        soap_message_make(&acs_messages[i], SOAP_KINDS[i],
                          SOAP_KINDS[i] == 'G' ? size : SOAP_INFORM_SIZE);
    }

    acs_body_id = soap_reply_make(acs_body);

    port = 0;
    listener = bench_listen(&port);
    printf("port=%d\n", port);
    fflush(stdout);

    connections = bench_serve(listener, sizeof(acs_connection_t), acs_request);

    printf("requests=%lu connections=%lu mixed=%lu rewritten=%lu\n",
           acs_requests, connections, acs_mixed, acs_rewrites);

    return 0;
}


static void
acs_request(bench_connection_t *c)
{
    size_t       len;
    unsigned     device, session;
    const char  *p, *kind;

    acs_requests++;

    if (memcmp(c->http.buf, "POST /acs?x=%2F//y HTTP/1.1\r\n", 29) != 0) {
        bench_wrong(c, "another request line");
    }

    p = bench_http_header(&c->http, "Content-Length", &len);
    if (p == NULL) {
        bench_wrong(c, "not exactly one Content-Length");
    }

    p = bench_http_header(&c->http, "SOAPAction", &len);
    if (p == NULL || len != 2 || memcmp(p, "\"\"", 2) != 0) {
        bench_wrong(c, "another SOAPAction");
    }

    if (c->http.body) {
        p = c->http.buf + c->http.head + acs_messages[0].id;

        if (c->http.body < SOAP_REPLY_SIZE
            || (kind = strchr(SOAP_KINDS, p[0])) == NULL
            || *kind == '\0')
        {
            bench_wrong(c, "another message");
        }

        memcpy(acs_id, p, SOAP_ID_LEN);
        acs_message(c, &acs_messages[kind - SOAP_KINDS]);
        acs_reply(c, 200);
        return;
    }

    /* of an empty POST the cookie tells whose it is */

    p = bench_http_header(&c->http, "Cookie", &len);

    if (p == NULL
        || len != sizeof("session=") - 1 + SOAP_ID_LEN
        || memcmp(p, "session=", 8) != 0
        || !soap_unhex(p + 9, &device)
        || !soap_unhex(p + 18, &session))
    {
        bench_wrong(c, "another Cookie");
    }

    memcpy(acs_id, p + 8, SOAP_ID_LEN);
    acs_device(c, device);
    acs_reply(c, 204);
}


static void
acs_message(bench_connection_t *c, soap_message_t *m)
{
    char      *body;
    unsigned   device, session;

    if (!soap_unhex(acs_id + 1, &device)
        || !soap_unhex(acs_id + 10, &session)
        || device >= SOAP_MAX_DEVICES)
    {
        bench_wrong(c, "another ID");
    }

    acs_device(c, device);

    body = c->http.buf + c->http.head;
    soap_message_stamp(m, m->data, device, session);
    m->data[m->id] = acs_id[0];

    if (acs_public != NULL && m->url) {
        acs_rewritten(c, m, device);
        return;
    }

    if (c->http.body != m->len || memcmp(body, m->data, m->len) != 0) {
        bench_wrong(c, "a message that is not as it was sent");
    }
}


static void
acs_rewritten(bench_connection_t *c, soap_message_t *m, unsigned device)
{
    char    *p, *end, *sig;
    size_t   rest, len;

    p = c->http.buf + c->http.head;
    end = p + c->http.body;
    rest = m->len - m->url - m->url_len;

    len = acs_public_len + sizeof("?origin=") - 1 + m->url_len;

    if (c->http.body < m->url + len + rest
        || memcmp(p, m->data, m->url) != 0
        || memcmp(end - rest, m->data + m->len - rest, rest) != 0)
    {
        bench_wrong(c, "a message changed outside of its URL");
    }

    p += m->url;

    if (memcmp(p, acs_public, acs_public_len) != 0
        || memcmp(p + acs_public_len, "?origin=", 8) != 0
        || memcmp(p + acs_public_len + 8, m->data + m->url, m->url_len) != 0)
    {
        bench_wrong(c, "a URL that is not rewritten as it should be");
    }

    p += len;
    len = end - rest - p;

    if (len <= sizeof(ACS_SIG) - 1
        || len > sizeof(ACS_SIG) - 1 + ACS_MAX_SIG
        || memcmp(p, ACS_SIG, sizeof(ACS_SIG) - 1) != 0)
    {
        bench_wrong(c, "a URL without its signature");
    }

    p += sizeof(ACS_SIG) - 1;
    len -= sizeof(ACS_SIG) - 1;
    sig = acs_sigs[device];

    if (sig[0] == 0) {
        sig[0] = len;
        memcpy(sig + 1, p, len);

    } else if ((size_t) sig[0] != len || memcmp(sig + 1, p, len) != 0) {
        bench_wrong(c, "another signature for the same URL");
    }

    acs_rewrites++;
}


static void
acs_device(bench_connection_t *c, unsigned device)
{
    acs_connection_t  *ac;

    ac = (acs_connection_t *) c;

    if (ac->known && ac->device != device && !ac->mixed) {
        ac->mixed = 1;
        acs_mixed++;

        if (acs_public != NULL && !acs_may_mix) {
            bench_wrong(c, "another device's request on this connection");
        }
    }

    ac->device = device;
    ac->known = 1;
}


static void
acs_reply(bench_connection_t *c, int status)
{
    int     n, inform;
    char    reply[SOAP_REPLY_SIZE + 512];

    if (status == 204) {
        n = snprintf(reply, sizeof(reply), "HTTP/1.1 204 No Content\r\n"
                     "X-Session: %.*s\r\n\r\n", (int) SOAP_ID_LEN, acs_id);

    } else {
        inform = (acs_id[0] == 'U' || acs_id[0] == 'N');

        n = snprintf(reply, sizeof(reply), "HTTP/1.1 200 OK\r\n"
                     "Content-Type: text/xml; charset=\"utf-8\"\r\n"
                     "%s%.*s%s"
                     "Content-Length: %d\r\n\r\n",
                     inform ? "Set-Cookie: session=" : "",
                     inform ? (int) SOAP_ID_LEN : 0, acs_id,
                     inform ? "\r\n" : "", SOAP_REPLY_SIZE);

        memcpy(acs_body + acs_body_id, acs_id, SOAP_ID_LEN);
        memcpy(reply + n, acs_body, SOAP_REPLY_SIZE);
        n += SOAP_REPLY_SIZE;
    }

    bench_reply(c, reply, n);
}
