
/*
 * Fieldgate: announced URLs.  The ACS calls what was announced, so whatever
 * origin is accepted from a CPE comes out of that call again: same host, port,
 * target and signed path, in both modes.
 *
 * sources: cwmp_url.c cwmp_origin.c cwmp_host.c cwmp_xml.c cwmp_reference.c
 *          cwmp_label.c
 */


#include "cwmp_origin.h"
#include "cwmp_url.h"
#include "cwmp_xml.h"

#include <stdio.h>
#include <stdlib.h>


#define fuzz_check(what)                                                      \
    if (!(what)) {                                                            \
        fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what);            \
        abort();                                                              \
    }


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static ngx_uint_t
fuzz_same(ngx_str_t *a, ngx_str_t *b)
{
    return a->len == b->len
           && (a->len == 0 || ngx_memcmp(a->data, b->data, a->len) == 0);
}


/* what an XML parser makes of the escaped URL is the URL */

static void
fuzz_escape(ngx_str_t *url)
{
    u_char      *buf, *p, *last, *text;
    size_t       size, len;
    cwmp_xml_t   x;

    size = url->len + ngx_escape_html(NULL, url->data, url->len);
    buf = malloc(size + 1);
    text = malloc(size + 1);
    last = (u_char *) ngx_escape_html(buf, url->data, url->len);

    fuzz_check((size_t) (last - buf) == size);

    cwmp_xml_init(&x);
    x.want_text = 1;
    len = 0;

    for (p = buf; cwmp_xml_next(&x, &p, last) == CWMP_XML_TEXT; /* void */ ) {
        memcpy(text + len, x.text.data, x.text.len);
        len += x.text.len;
    }

    fuzz_check(len == url->len && memcmp(text, url->data, len) == 0);

    free(buf);
    free(text);
}


static void
fuzz_mode(ngx_uint_t mode, ngx_str_t *public, ngx_str_t *text,
    cwmp_origin_t *o, ngx_str_t *sig)
{
    size_t          size, i, skip;
    u_char         *buf, *end, *parsed;
    ngx_int_t       rc;
    ngx_str_t       url, target;
    cwmp_origin_t   again;

    static ngx_str_t  none = ngx_null_string;
    static ngx_str_t  udp = ngx_string("192.0.2.1:3478");
    static ngx_str_t  sigs = ngx_string("0123456789abcdefghij-_");

    size = cwmp_url_size(public, &o->target, text, sig) + o->hostport.len * 3
           + 10 + udp.len + sigs.len;
    buf = malloc(size);

    url.data = buf;
    url.len = (mode == CWMP_URL_QUERY
               ? cwmp_url_query(buf, public, text, sig)
               : cwmp_url_path(buf, public, &o->target, &o->hostport, sig))
              - buf;

    fuzz_check(url.len <= size);

    for (i = 0; i < url.len; i++) {
        fuzz_check(buf[i] > ' ' && buf[i] < 0x7f);
    }

    fuzz_escape(&url);

    skip = sizeof("http://p:1") - 1;
    target.data = buf + skip;
    target.len = url.len - skip;

    /* where a CPE behind NAT is called is no part of the origin */

    if (mode == CWMP_URL_QUERY && sig->len == 0) {
        end = cwmp_url_udp(buf + url.len, &udp, &sigs);
        fuzz_check((size_t) (end - buf) <= size);
        target.len = end - target.data;
    }

    parsed = malloc(cwmp_origin_size(target.len));
    rc = cwmp_origin_parse_target(&again, mode, &target, parsed);

    /* a target may grow too long by our arguments */

    if (rc != CWMP_ORIGIN_TOO_LONG) {
        fuzz_check(rc == NGX_OK);
        fuzz_check(fuzz_same(&again.hostport, &o->hostport));
        fuzz_check(fuzz_same(&again.path, &o->path));
        fuzz_check(fuzz_same(&again.sig, sig->len || mode == CWMP_URL_PATH
                                         ? sig : &sigs));
        fuzz_check(fuzz_same(&again.udp, sig->len || mode == CWMP_URL_PATH
                                         ? &none : &udp));

        if (mode == CWMP_URL_QUERY) {
            fuzz_check(fuzz_same(&again.target, &o->target));
        }
    }

    free(parsed);
    free(buf);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char         *copy, *buf;
    ngx_str_t       text, query, path, sig, no_sig;
    cwmp_origin_t   o;

    copy = malloc(size + 1);
    memcpy(copy, data, size);

    text.data = copy;
    text.len = size;

    cwmp_url_trim(&text);
    fuzz_escape(&text);

    ngx_str_set(&query, "http://p:1/client");
    ngx_str_set(&path, "http://p:1");
    ngx_str_set(&sig, "0123456789abcdefghij-_");
    ngx_str_null(&no_sig);

    buf = malloc(cwmp_origin_size(text.len));

    if (cwmp_origin_parse(&o, &text, buf) == NGX_OK) {
        fuzz_mode(CWMP_URL_QUERY, &query, &text, &o, &sig);
        fuzz_mode(CWMP_URL_QUERY, &query, &text, &o, &no_sig);
        fuzz_mode(CWMP_URL_PATH, &path, &text, &o, &sig);
    }

    free(buf);
    free(copy);

    return 0;
}
