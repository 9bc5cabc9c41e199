
/*
 * sources: cwmp_origin.c cwmp_host.c cwmp_url.c cwmp_label.c
 *
 * The first byte chooses what the rest is: an origin URL or a request target
 * in one of the modes.  An origin that is accepted has no byte that could end
 * a line, prints as a URL that parses to the same origin and has the same
 * signed path, its address is what inet_pton() reads from its host, and it
 * comes back from the URL that is announced for it, in both modes.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_origin.h"
#include "cwmp_url.h"


#define test(x)  if (!(x)) { fprintf(stderr, "failed: %s\n", #x); abort(); }


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
test_clean(ngx_str_t *s)
{
    size_t  i;

    for (i = 0; i < s->len; i++) {
        test(s->data[i] > 0x20 && s->data[i] != 0x7f && s->data[i] != '"'
             && s->data[i] != '\\' && s->data[i] != '#');
    }
}


static void
test_address(cwmp_origin_t *o)
{
    int     family;
    char    host[256];
    size_t  i;
    u_char  addr[16];

    memcpy(host, o->host.data, o->host.len);
    host[o->host.len] = '\0';

    family = o->sockaddr.sockaddr.sa_family;

    if (o->socklen == 0) {
        test(family == AF_UNSPEC);
        test(inet_pton(AF_INET, host, addr) == 0);
        test(inet_pton(AF_INET6, host, addr) == 0);

        /* nor does the resolver's older brother take it for an address */

        test(inet_addr(host) == INADDR_NONE);

        for (i = 0; i < o->host.len; i++) {
            test(isalnum(host[i]) || strchr("-_.", host[i]));
            test(!isupper(host[i]));
        }

        return;
    }

    test(inet_pton(family, host, addr) == 1);
    test(ngx_inet_get_port(&o->sockaddr.sockaddr) == o->port);

    if (family == AF_INET) {
        test(memcmp(addr, &o->sockaddr.sockaddr_in.sin_addr, 4) == 0);
        return;
    }

    test(memcmp(addr, &o->sockaddr.sockaddr_in6.sin6_addr, 16) == 0);
    test(!IN6_IS_ADDR_V4MAPPED((struct in6_addr *) addr));
}


/* the printed form of an origin is the same origin */

static void
test_again(cwmp_origin_t *o, ngx_str_t *target, ngx_uint_t same_target)
{
    u_char         *buf;
    ngx_str_t       url;
    cwmp_origin_t   again;

    url.len = 7 + o->hostport.len + target->len;

    if (url.len > CWMP_ORIGIN_MAX) {
        return;
    }

    url.data = malloc(url.len);
    memcpy(url.data, "http://", 7);
    memcpy(url.data + 7, o->hostport.data, o->hostport.len);
    memcpy(url.data + 7 + o->hostport.len, target->data, target->len);

    buf = malloc(cwmp_origin_size(url.len));

    test(cwmp_origin_parse(&again, &url, buf) == NGX_OK);
    test(again.port == o->port);
    test(again.socklen == o->socklen);
    test(memcmp(&again.sockaddr, &o->sockaddr, sizeof(ngx_sockaddr_t)) == 0);
    test(again.hostport.len == o->hostport.len);
    test(memcmp(again.hostport.data, o->hostport.data, o->hostport.len) == 0);
    test(again.path.len == o->path.len);
    test(memcmp(again.path.data, o->path.data, o->path.len) == 0);

    if (same_target) {
        test(again.target.len == target->len);
        test(memcmp(again.target.data, target->data, target->len) == 0);
    }

    free(buf);
    free(url.data);
}


/* the URL that is announced brings the origin back, and its signature */

static void
test_announced(cwmp_origin_t *o, ngx_str_t *url, ngx_uint_t mode)
{
    u_char         *buf;
    size_t          size;
    ngx_str_t       target;
    cwmp_origin_t   back;

    static ngx_str_t  sig = ngx_string("AAAAAAAAAAAAAAAAAAAAAA");
    static ngx_str_t  publics[] = {
        ngx_string("/client"), ngx_null_string
    };

    size = cwmp_url_size(&publics[mode], &o->target, url, &sig)
           + o->hostport.len;
    target.data = malloc(size);

    target.len = (mode == CWMP_URL_QUERY
                  ? cwmp_url_query(target.data, &publics[mode], url, &sig)
                  : cwmp_url_path(target.data, &publics[mode], &o->target,
                                  &o->hostport, &sig))
                 - target.data;

    test(target.len <= size);

    if (mode == CWMP_URL_QUERY || target.len <= CWMP_ORIGIN_MAX) {
        buf = malloc(cwmp_origin_size(target.len));

        test(cwmp_origin_parse_target(&back, mode, &target, buf) == NGX_OK);
        test(back.hostport.len == o->hostport.len);
        test(memcmp(back.hostport.data, o->hostport.data, o->hostport.len)
             == 0);
        test(back.path.len == o->path.len);
        test(memcmp(back.path.data, o->path.data, o->path.len) == 0);
        test(back.sig.len == sig.len);

        free(buf);
    }

    free(target.data);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char         *buf;
    ngx_int_t       rc;
    ngx_str_t       input;
    ngx_uint_t      kind;
    cwmp_origin_t   o;

    if (size == 0) {
        return 0;
    }

    kind = *data % 3;

    input.len = size - 1;
    input.data = malloc(size);
    memcpy(input.data, data + 1, input.len);

    buf = malloc(cwmp_origin_size(input.len));

    if (kind == 2) {
        rc = cwmp_origin_parse(&o, &input, buf);

    } else {
        rc = cwmp_origin_parse_target(&o, kind, &input, buf);
    }

    if (rc == NGX_OK) {
        test_clean(&o.hostport);
        test_clean(&o.host_header);
        test_clean(&o.target);
        test_clean(&o.path);
        test_address(&o);

        test(o.port > 0 && o.port < 65536);
        test(o.target.data[0] == '/' && o.path.data[0] == '/');

        /* the normalised path is its own normal form */

        test_again(&o, &o.path, kind != CWMP_URL_PATH);

        if (kind != CWMP_URL_PATH) {
            test_again(&o, &o.target, 1);
        }

        if (kind == 2) {
            test_announced(&o, &input, CWMP_URL_QUERY);
            test_announced(&o, &input, CWMP_URL_PATH);
        }

    } else {
        test(rc > 0);
        test(strcmp(cwmp_origin_strerror(rc), "is valid") != 0);
    }

    free(buf);
    free(input.data);

    return 0;
}
