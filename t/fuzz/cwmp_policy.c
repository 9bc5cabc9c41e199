
/*
 * Lines: an origin's URL, the CPE's address, then specs of cwmp_origin_allow,
 * with '!' in front of cwmp_origin_deny.  What a policy lets pass is never what
 * it must not: an address with nobody's CIDR in the ranges that are built in, a
 * name without a regex and a CIDR.  More denials never let more pass.
 *
 * sources: cwmp_policy.c cwmp_range.c cwmp_origin.c cwmp_host.c cwmp_label.c
 * cwmp_url.c
 */


#include "fuzz.h"
#include "cwmp_origin.h"


#define FUZZ_SPECS  16


static ngx_int_t
fuzz_match(void *regex, ngx_str_t *host)
{
    if (host->len && host->data[0] == 'e') {
        return NGX_ERROR;
    }

    return (host->len % 2) ? NGX_OK : NGX_DECLINED;
}


static ngx_str_t
fuzz_line(const uint8_t **data, size_t *size)
{
    size_t     n;
    ngx_str_t  s;

    for (n = 0; n < *size && (*data)[n] != '\n'; n++) { /* void */ }

    s = fuzz_copy(*data, n);
    n = ngx_min(n + 1, *size);
    *data += n;
    *size -= n;

    return s;
}


static void
fuzz_verdict(ngx_int_t rc)
{
    test(rc == NGX_OK || cwmp_policy_strerror(rc) != NULL);
}


/* what an IPv4 address looks like on a socket that takes IPv6, too */

static void
fuzz_mapped(struct sockaddr_in6 *sin6, struct sockaddr *sa)
{
    struct sockaddr_in  *sin;

    sin = (struct sockaddr_in *) sa;

    memset(sin6, 0, sizeof(struct sockaddr_in6));
    sin6->sin6_family = AF_INET6;
    sin6->sin6_port = sin->sin_port;
    memset(&sin6->sin6_addr.s6_addr[10], 0xff, 2);
    memcpy(&sin6->sin6_addr.s6_addr[12], &sin->sin_addr, 4);
}


static void
fuzz_policy(cwmp_policy_t *p, cwmp_origin_t *o, struct sockaddr *client)
{
    u_char               *a;
    ngx_int_t             announced, called, bare;
    ngx_uint_t            ndeny;
    struct sockaddr_in   *sin;
    struct sockaddr_in6   mapped;
    ngx_resolver_addr_t   addr;

    announced = cwmp_policy_announce(p, o, client);
    fuzz_verdict(announced);

    if (client->sa_family == AF_INET) {
        fuzz_mapped(&mapped, client);
        test(cwmp_policy_announce(p, o, (struct sockaddr *) &mapped)
             == announced);
    }

    called = cwmp_policy_call(p, o, CWMP_POLICY_SIGNED);
    test(called == NGX_AGAIN ? o->socklen == 0 : 1);

    bare = cwmp_policy_call(p, o, CWMP_POLICY_UNSIGNED);
    test(bare != NGX_OK);
    fuzz_verdict(bare);
    bare = cwmp_policy_call(p, o, CWMP_POLICY_NO_SECRET);
    test(bare != NGX_OK || cwmp_policy_has_cidr(p));

    if (o->socklen == 0) {
        test(announced != NGX_OK || (cwmp_policy_has_cidr(p) && p->match));

        memset(&addr, 0, sizeof(ngx_resolver_addr_t));
        addr.sockaddr = client;
        addr.socklen = sizeof(struct sockaddr_in6);

        if (called == NGX_AGAIN) {
            fuzz_verdict(cwmp_policy_resolved(p, o, &addr, 1));

            addr.sockaddr = NULL;
            called = cwmp_policy_resolved(p, o, &addr, 0);
            test(called != NGX_OK);
            fuzz_verdict(called);
        }

    } else if (o->sockaddr.sockaddr.sa_family == AF_INET
               && !cwmp_policy_has_cidr(p))
    {
        sin = &o->sockaddr.sockaddr_in;
        a = (u_char *) &sin->sin_addr.s_addr;

        if (a[0] == 127 || a[0] == 0 || a[0] >= 224
            || (a[0] == 169 && a[1] == 254))
        {
            test(announced != NGX_OK && called != NGX_OK && bare != NGX_OK);
        }
    }

    /* without the denials at least as much passes */

    ndeny = p->ndeny;
    p->ndeny = 0;

    if (announced == NGX_OK) {
        test(cwmp_policy_announce(p, o, client) == NGX_OK);
    }

    p->ndeny = ndeny;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char               *buf;
    ngx_str_t             url, host, lines[FUZZ_SPECS], arg;
    ngx_uint_t            i, n;
    const char           *err;
    cwmp_origin_t         o, c;
    cwmp_policy_t         p;
    struct sockaddr      *listeners[3];
    cwmp_policy_spec_t    allow[FUZZ_SPECS], deny[FUZZ_SPECS];
    struct sockaddr_in    any, own;
    struct sockaddr_in6   client, any6;

    url = fuzz_line(&data, &size);
    host = fuzz_line(&data, &size);

    memset(&p, 0, sizeof(cwmp_policy_t));
    p.allow = allow;
    p.deny = deny;
    p.match = fuzz_match;

    memset(&any, 0, sizeof(any));
    any.sin_family = AF_INET;
    any.sin_port = htons(80);
    memset(&any6, 0, sizeof(any6));
    any6.sin6_family = AF_INET6;
    any6.sin6_port = htons(8080);
    own = any;
    own.sin_addr.s_addr = htonl(0xc0000201);      /* 192.0.2.1 */
    listeners[0] = (struct sockaddr *) &any;
    listeners[1] = (struct sockaddr *) &any6;
    listeners[2] = (struct sockaddr *) &own;
    p.listeners = listeners;
    p.nlisteners = 3;

    for (n = 0; n < FUZZ_SPECS && size; n++) {
        lines[n] = fuzz_line(&data, &size);
        arg = lines[n];

        if (arg.len && arg.data[0] == '!') {
            arg.data++;
            arg.len--;

            if (cwmp_policy_parse(&deny[p.ndeny], &arg, &err) != NGX_ERROR) {
                p.ndeny++;
            }

        } else if (cwmp_policy_parse(&allow[p.nallow], &arg, &err)
                   != NGX_ERROR)
        {
            p.nallow++;
        }
    }

    buf = malloc(cwmp_origin_size(host.len));
    memset(&client, 0, sizeof(client));
    client.sin6_family = AF_INET;

    if (cwmp_origin_parse(&c, &host, buf) == NGX_OK && c.socklen) {
        memcpy(&client, &c.sockaddr, c.socklen);
    }

    free(buf);

    buf = malloc(cwmp_origin_size(url.len));

    if (cwmp_origin_parse(&o, &url, buf) == NGX_OK) {
        fuzz_policy(&p, &o, (struct sockaddr *) &client);
    }

    free(buf);

    for (i = 0; i < n; i++) {
        free(lines[i].data);
    }

    free(url.data);
    free(host.data);

    return 0;
}
