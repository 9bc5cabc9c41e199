
/*
 * wakeup_cpe: all CPEs of the wake-up benchmark, on every loopback address
 *
 * Prints its port, serves until it is terminated, then prints what it has
 * seen.  By the first part of the path:
 *
 *   /plain/   200
 *   /cr/      401 with a challenge, then 200 if its answer is right (RFC 7616
 *             3.4.1); a nonce may be used again, with a higher count
 *   /once/    the same, but each nonce is good for one request
 *   /silent/  nothing, for as long as the connection lasts
 *
 * A request that is not as it has to be ends the program.
 */


#define _GNU_SOURCE

#include "bench.h"

#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define CPE_REALM     "cpe"
#define CPE_PASSWORD  "s3c:ret"
#define CPE_OPAQUE    "5ccc069c403ebaf9f0171e9517f40e41"
#define CPE_NONCE     "%016lx%016lx"
#define CPE_HEX       32


typedef struct {
    const char    *data;
    size_t         len;
} cpe_text_t;


typedef struct {
    cpe_text_t     username;
    cpe_text_t     realm;
    cpe_text_t     nonce;
    cpe_text_t     uri;
    cpe_text_t     response;
    cpe_text_t     algorithm;
    cpe_text_t     qop;
    cpe_text_t     nc;
    cpe_text_t     cnonce;
    cpe_text_t     opaque;
} cpe_digest_t;


static void cpe_request(bench_connection_t *c);
static int cpe_verify(bench_connection_t *c, cpe_text_t *header,
    cpe_text_t *uri, int once);
static void cpe_parse(bench_connection_t *c, cpe_text_t *header,
    cpe_digest_t *d);
static void cpe_md5(char *hex, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static void cpe_challenge(bench_connection_t *c, int stale);


/* the highest count that was used with each nonce; they are numbered */
static uint32_t               *cpe_counts;
static size_t                  cpe_nonces, cpe_size;

static unsigned long           cpe_plain, cpe_challenged, cpe_stale;
static unsigned long           cpe_authorized, cpe_silent;


int
main(void)
{
    int            port, listener;
    unsigned long  connections;

    bench_open_files();

    port = 0;
    listener = bench_listen_any(&port);
    printf("port=%d\n", port);
    fflush(stdout);

    connections = bench_serve(listener, sizeof(bench_connection_t),
                              cpe_request);

    printf("connections=%lu plain=%lu challenged=%lu stale=%lu authorized=%lu"
           " silent=%lu\n", connections, cpe_plain, cpe_challenged, cpe_stale,
           cpe_authorized, cpe_silent);

    return 0;
}


static void
cpe_request(bench_connection_t *c)
{
    int          once;
    char        *end;
    size_t       len;
    cpe_text_t   uri, header;
    const char  *host;

    uri.data = c->http.buf + 4;
    end = memchr(uri.data, ' ', c->http.head - 4);

    if (memcmp(c->http.buf, "GET /", 5) != 0
        || end == NULL
        || memcmp(end, " HTTP/1.", 8) != 0
        || c->http.body != 0)
    {
        bench_wrong(c, "another request");
    }

    uri.len = end - uri.data;

    host = bench_http_header(&c->http, "Host", &len);
    if (host == NULL) {
        bench_wrong(c, "not exactly one Host");
    }

    header.data = bench_http_header(&c->http, "Authorization", &header.len);

    if (memcmp(uri.data, "/plain/", 7) == 0) {
        cpe_plain++;

    } else if (memcmp(uri.data, "/silent/", 8) == 0) {
        cpe_silent++;
        return;

    } else {
        once = (memcmp(uri.data, "/once/", 6) == 0);

        if (!once && memcmp(uri.data, "/cr/", 4) != 0) {
            bench_wrong(c, "another path");
        }

        if (header.data == NULL) {
            cpe_challenged++;
            cpe_challenge(c, 0);
            return;
        }

        if (!cpe_verify(c, &header, &uri, once)) {
            cpe_stale++;
            cpe_challenge(c, 1);
            return;
        }

        cpe_authorized++;
    }

    bench_reply(c, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 38);
}


/* 0: right, but the nonce is used up */

static int
cpe_verify(bench_connection_t *c, cpe_text_t *header, cpe_text_t *uri,
    int once)
{
    char           ha1[CPE_HEX + 1], ha2[CPE_HEX + 1], response[CPE_HEX + 1];
    unsigned long  number, check, nc;
    cpe_digest_t   d;

    cpe_parse(c, header, &d);

    if (d.realm.len != sizeof(CPE_REALM) - 1
        || memcmp(d.realm.data, CPE_REALM, d.realm.len) != 0
        || d.opaque.len != sizeof(CPE_OPAQUE) - 1
        || memcmp(d.opaque.data, CPE_OPAQUE, d.opaque.len) != 0
        || d.qop.len != 4
        || memcmp(d.qop.data, "auth", 4) != 0
        || d.algorithm.len != 3
        || memcmp(d.algorithm.data, "MD5", 3) != 0
        || d.uri.len != uri->len
        || memcmp(d.uri.data, uri->data, uri->len) != 0
        || d.nc.len != 8
        || d.cnonce.len == 0
        || d.nonce.len != CPE_HEX
        || d.response.len != CPE_HEX)
    {
        bench_wrong(c, "a parameter that is not what the challenge said");
    }

    if (sscanf(d.nonce.data, "%16lx%16lx", &number, &check) != 2
        || check != ~number
        || number >= cpe_nonces)
    {
        bench_wrong(c, "a nonce that never was");
    }

    cpe_md5(ha1, "%.*s:" CPE_REALM ":" CPE_PASSWORD,
            (int) d.username.len, d.username.data);
    cpe_md5(ha2, "GET:%.*s", (int) uri->len, uri->data);
    cpe_md5(response, "%s:%.*s:%.*s:%.*s:auth:%s", ha1,
            (int) d.nonce.len, d.nonce.data, (int) d.nc.len, d.nc.data,
            (int) d.cnonce.len, d.cnonce.data, ha2);

    if (memcmp(response, d.response.data, CPE_HEX) != 0) {
        bench_wrong(c, "a wrong response");
    }

    nc = strtoul(d.nc.data, NULL, 16);

    if (nc <= cpe_counts[number]) {
        if (once) {
            return 0;
        }

        bench_wrong(c, "a count that was used already");
    }

    cpe_counts[number] = once ? UINT32_MAX : nc;

    return 1;
}


/* Digest name=value, name="value", ...: what nginx sends has no escapes */

static void
cpe_parse(bench_connection_t *c, cpe_text_t *header, cpe_digest_t *d)
{
    size_t       i, n;
    cpe_text_t  *value;
    const char  *p, *end, *name;

    static const struct {
        const char  *name;
        size_t       offset;
    } fields[] = {
        { "username", offsetof(cpe_digest_t, username) },
        { "realm", offsetof(cpe_digest_t, realm) },
        { "nonce", offsetof(cpe_digest_t, nonce) },
        { "uri", offsetof(cpe_digest_t, uri) },
        { "response", offsetof(cpe_digest_t, response) },
        { "algorithm", offsetof(cpe_digest_t, algorithm) },
        { "qop", offsetof(cpe_digest_t, qop) },
        { "nc", offsetof(cpe_digest_t, nc) },
        { "cnonce", offsetof(cpe_digest_t, cnonce) },
        { "opaque", offsetof(cpe_digest_t, opaque) }
    };

    memset(d, 0, sizeof(*d));

    if (header->len < 7 || memcmp(header->data, "Digest ", 7) != 0) {
        bench_wrong(c, "another scheme than Digest");
    }

    p = header->data + 7;
    end = header->data + header->len;

    while (p < end) {
        for (name = p; p < end && *p != '='; p++) { /* void */ }

        n = p++ - name;
        value = NULL;

        for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
            if (strlen(fields[i].name) == n
                && memcmp(fields[i].name, name, n) == 0)
            {
                value = (cpe_text_t *) ((char *) d + fields[i].offset);
            }
        }

        if (value == NULL || value->data != NULL) {
            bench_wrong(c, "a parameter too many");
        }

        if (p < end && *p == '"') {
            value->data = ++p;
            for ( /* void */ ; p < end && *p != '"'; p++) { /* void */ }
            value->len = p++ - value->data;

        } else {
            value->data = p;
            for ( /* void */ ; p < end && *p != ','; p++) { /* void */ }
            value->len = p - value->data;
        }

        while (p < end && (*p == ',' || *p == ' ')) {
            p++;
        }
    }
}


static void
cpe_md5(char *hex, const char *fmt, ...)
{
    int              i, n;
    char             text[2048];
    va_list          args;
    unsigned char    md5[16];

    static const EVP_MD  *md;
    static EVP_MD_CTX    *ctx;

    if (ctx == NULL) {
        ctx = EVP_MD_CTX_new();
        md = EVP_md5();
    }

    va_start(args, fmt);
    n = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);

    if (n >= (int) sizeof(text)
        || !EVP_DigestInit_ex(ctx, md, NULL)
        || !EVP_DigestUpdate(ctx, text, n)
        || !EVP_DigestFinal_ex(ctx, md5, NULL))
    {
        bench_die("no MD5");
    }

    for (i = 0; i < 16; i++) {
        hex[2 * i] = "0123456789abcdef"[md5[i] >> 4];
        hex[2 * i + 1] = "0123456789abcdef"[md5[i] & 15];
    }

    hex[CPE_HEX] = '\0';
}


static void
cpe_challenge(bench_connection_t *c, int stale)
{
    int   n;
    char  reply[512];

    if (cpe_nonces == cpe_size) {
        cpe_size = cpe_size ? cpe_size * 2 : 65536;
        cpe_counts = realloc(cpe_counts, cpe_size * sizeof(*cpe_counts));
        if (cpe_counts == NULL) {
            bench_die("no memory");
        }
    }

    n = snprintf(reply, sizeof(reply),
                 "HTTP/1.1 401 Unauthorized\r\n"
                 "WWW-Authenticate: Digest realm=\"" CPE_REALM "\", "
                 "qop=\"auth\", algorithm=MD5, nonce=\"" CPE_NONCE "\", "
                 "opaque=\"" CPE_OPAQUE "\"%s\r\n"
                 "Content-Length: 0\r\n\r\n",
                 cpe_nonces, ~cpe_nonces, stale ? ", stale=true" : "");

    cpe_counts[cpe_nonces++] = 0;

    bench_reply(c, reply, n);
}
