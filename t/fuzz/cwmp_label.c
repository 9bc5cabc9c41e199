
/*
 * sources: cwmp_origin.c cwmp_host.c cwmp_url.c cwmp_label.c
 *
 * The first byte chooses what the rest is: a host name and, behind a line feed,
 * a target; an origin URL; an address for UDP; a public URL.  What a name holds
 * is the same when it is written again, and an origin comes back from the URL
 * that is announced for it in host mode, with its signature.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_label.h"
#include "cwmp_origin.h"
#include "cwmp_url.h"


#define test(x)  if (!(x)) { fprintf(stderr, "failed: %s\n", #x); abort(); }


static ngx_str_t  test_public = ngx_string("http://*.cpe.example:7547/");


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
test_same(cwmp_origin_t *o, cwmp_origin_t *p)
{
    test(o->port == p->port);
    test(o->socklen == p->socklen);
    test(o->hostport.len == p->hostport.len);
    test(memcmp(o->hostport.data, p->hostport.data, o->hostport.len) == 0);
    test(o->path.len == p->path.len);
    test(memcmp(o->path.data, p->path.data, o->path.len) == 0);
}


/* the origin comes back from the name and target that it is announced with */

static void
test_announced(cwmp_origin_t *o, ngx_str_t *sig)
{
    u_char         *buf, *url, *end, *p, text[CWMP_LABEL_MAX];
    ngx_int_t       rc;
    ngx_str_t       label, name, target;
    cwmp_origin_t   back;

    label.data = text;

    rc = cwmp_label_write(&label, o, sig);

    test(rc == NGX_OK || rc == NGX_DECLINED);
    test(rc == NGX_OK || o->socklen == 0);

    if (rc != NGX_OK) {
        return;
    }

    test(label.len <= CWMP_LABEL_MAX);

    url = malloc(cwmp_url_size(&test_public, &o->target, &label, sig));
    end = cwmp_url_host(url, &test_public, &o->target, &label);

    name.data = url + sizeof("http://") - 1;
    p = memchr(name.data, ':', end - name.data);
    test(p != NULL);

    name.len = p - name.data;
    target.data = p + sizeof(":7547") - 1;
    target.len = end - target.data;

    buf = malloc(cwmp_origin_size(target.len));

    if (target.len <= CWMP_ORIGIN_MAX) {
        test(cwmp_origin_parse_name(&back, &name, &target, buf) == NGX_OK);
        test_same(o, &back);
        test(back.sig.len == sig->len);
        test(sig->len == 0
             || memcmp(back.sig.data, sig->data, sig->len) == 0);
    }

    free(buf);
    free(url);
}


/* a signature of 22 characters that are not base64url makes no label */

static void
test_no_signature(cwmp_origin_t *o)
{
    u_char     text[CWMP_LABEL_MAX];
    ngx_str_t  label;

    static ngx_str_t  sig = ngx_string("AAAAAAAAAAA AAAAAAAAAA");

    label.data = text;

    test(cwmp_label_write(&label, o, &sig) == NGX_DECLINED);
}


static void
test_name(ngx_str_t *input)
{
    u_char         *buf, *p;
    ngx_int_t       rc;
    ngx_str_t       name, target;
    cwmp_origin_t   o;

    p = memchr(input->data, '\n', input->len);
    if (p == NULL) {
        return;
    }

    name.data = input->data;
    name.len = p - name.data;
    target.data = p + 1;
    target.len = input->data + input->len - target.data;

    buf = malloc(cwmp_origin_size(target.len));

    rc = cwmp_origin_parse_name(&o, &name, &target, buf);

    if (rc == NGX_OK) {
        test(o.port > 0 && o.port < 65536);
        test(o.sig.len == 0 || o.sig.len == 22);
        test_announced(&o, &o.sig);

    } else {
        test(rc > 0);
        test(strcmp(cwmp_origin_strerror(rc), "is valid") != 0);
    }

    free(buf);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char         *buf;
    ngx_str_t       input;
    ngx_uint_t      kind;
    cwmp_origin_t   o;

    static ngx_str_t  sigs[] = {
        ngx_null_string,
        ngx_string("AAAAAAAAAAAAAAAAAAAAAA")
    };

    if (size == 0) {
        return 0;
    }

    kind = *data % 4;

    input.len = size - 1;
    input.data = malloc(size);
    memcpy(input.data, data + 1, input.len);

    buf = malloc(cwmp_origin_size(input.len) + input.len);

    switch (kind) {

    case 0:
        test_name(&input);
        break;

    case 1:
        if (cwmp_origin_parse(&o, &input, buf) == NGX_OK) {
            test_announced(&o, &sigs[0]);
            test_announced(&o, &sigs[1]);
            test_no_signature(&o);
        }

        break;

    case 2:
        if (cwmp_origin_parse_udp(&o, &input, buf) == NGX_OK) {
            test(o.socklen && o.port > 0 && o.port < 65536);
        }

        break;

    default:

        /* it is one of host mode, or of the others */

        if (cwmp_origin_parse_public(&o, CWMP_URL_HOST, &input, buf)
            == NGX_OK)
        {
            test(cwmp_origin_parse_public(&o, CWMP_URL_PATH, &input, buf)
                 == NGX_DECLINED);
        }

        break;
    }

    free(buf);
    free(input.data);

    return 0;
}
