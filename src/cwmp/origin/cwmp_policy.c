
/*
 * Fieldgate: which origins may be announced and called.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_policy.h"


/* what is known when specs are evaluated */

typedef struct {
    cwmp_origin_t       *origin;
    ngx_sockaddr_t       addr;      /* AF_UNSPEC: a name, not resolved yet */
    ngx_uint_t           client;    /* the verdict of "client" */
    ngx_uint_t           regex;     /* a ~regex may admit */
} cwmp_policy_case_t;


#if (NGX_HAVE_INET6)

/* IPv6 addresses that lead to an IPv4 one, which they have in these octets */

typedef struct {
    u_char               prefix[12];
    u_char               len;       /* of the prefix, in octets */
    u_char               octet[4];
    u_char               mask;      /* it is obscured by */
    u_char               zeros;     /* octets at the end that are zero */
} cwmp_policy_embedded_t;


static const cwmp_policy_embedded_t  cwmp_policy_embedded[] = {

    /* RFC 4291 2.5.5.1, ::/96; mapped ones are taken for IPv4 at once */
    { { 0 }, 12, { 12, 13, 14, 15 }, 0, 0 },

    /* RFC 2765, ::ffff:0:0:0/96 */
    { { 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff }, 12, { 12, 13, 14, 15 }, 0, 0 },

    /* RFC 6052, 64:ff9b::/96 */
    { { 0, 0x64, 0xff, 0x9b }, 12, { 12, 13, 14, 15 }, 0, 0 },

    /*
     * RFC 8215, 64:ff9b:1::/48, in which a network may use any prefix of RFC
     * 6052; the longer ones have something behind the address of the others
     */
    { { 0, 0x64, 0xff, 0x9b, 0, 1 }, 6, { 6, 7, 9, 10 }, 0, 5 },
    { { 0, 0x64, 0xff, 0x9b, 0, 1 }, 6, { 7, 9, 10, 11 }, 0, 4 },
    { { 0, 0x64, 0xff, 0x9b, 0, 1 }, 6, { 9, 10, 11, 12 }, 0, 3 },
    { { 0, 0x64, 0xff, 0x9b, 0, 1 }, 6, { 12, 13, 14, 15 }, 0, 0 },

    /* RFC 3056, 2002::/16 */
    { { 0x20, 0x02 }, 2, { 2, 3, 4, 5 }, 0, 0 },

    /* RFC 4380, 2001::/32: the client's */
    { { 0x20, 0x01, 0, 0 }, 4, { 12, 13, 14, 15 }, 0xff, 0 }
};

#endif


static ngx_int_t cwmp_policy_parse_cidr(cwmp_policy_spec_t *spec, u_char *p,
    u_char *last, const char **err);
static ngx_int_t cwmp_policy_parse_ports(cwmp_policy_spec_t *spec, u_char *p,
    u_char *last, const char **err);
static ngx_int_t cwmp_policy_parse_port(u_char *p, u_char *last);
static u_char *cwmp_policy_find_ports(u_char *p, u_char *last);
static void cwmp_policy_case_init(cwmp_policy_case_t *c, cwmp_origin_t *o);
static ngx_int_t cwmp_policy_match(cwmp_policy_t *p, cwmp_policy_spec_t *spec,
    cwmp_policy_case_t *c);
static ngx_int_t cwmp_policy_match_any(cwmp_policy_t *p,
    cwmp_policy_spec_t *specs, ngx_uint_t nspecs, cwmp_policy_case_t *c);
static ngx_int_t cwmp_policy_literal(cwmp_policy_t *p, cwmp_policy_case_t *c);
static ngx_int_t cwmp_policy_name(cwmp_policy_t *p, cwmp_policy_case_t *c);
static ngx_int_t cwmp_policy_builtin(cwmp_policy_t *p, cwmp_policy_case_t *c);
static ngx_int_t cwmp_policy_builtin_inet(u_char *addr, ngx_uint_t *bits);
#if (NGX_HAVE_INET6)
static ngx_int_t cwmp_policy_builtin_inet6(u_char *addr, ngx_uint_t *bits);
static ngx_int_t cwmp_policy_builtin_embedded(u_char *addr,
    const cwmp_policy_embedded_t *e, ngx_uint_t *bits);
#endif
static ngx_uint_t cwmp_policy_is_listener(cwmp_policy_t *p,
    cwmp_policy_case_t *c);
static ngx_uint_t cwmp_policy_is_loopback(ngx_sockaddr_t *addr);
static ngx_uint_t cwmp_policy_names(cwmp_policy_t *p, cwmp_policy_case_t *c,
    ngx_uint_t bits);
static ngx_uint_t cwmp_policy_in_cidr(ngx_cidr_t *cidr, ngx_sockaddr_t *addr);
static ngx_uint_t cwmp_policy_same(ngx_sockaddr_t *addr, struct sockaddr *sa);
static void cwmp_policy_set_addr(ngx_sockaddr_t *addr, struct sockaddr *sa);


ngx_int_t
cwmp_policy_parse(cwmp_policy_spec_t *spec, ngx_str_t *arg, const char **err)
{
    u_char     *p, *last, *ports;
    ngx_int_t   rc;

    ngx_memzero(spec, sizeof(cwmp_policy_spec_t));
    spec->port_max = 65535;

    p = arg->data;
    last = p + arg->len;
    rc = NGX_OK;

    if (p < last && *p == '~') {
        ports = cwmp_policy_find_ports(p, last);

        spec->type = CWMP_POLICY_REGEX;
        spec->pattern.data = p + 1;
        spec->pattern.len = ports - p - 1;

        if (spec->pattern.len == 0) {
            *err = "the regular expression is empty";
            return NGX_ERROR;
        }

    } else if (last - p >= 6 && ngx_strncmp(p, "client", 6) == 0
               && (last - p == 6 || p[6] == ':'))
    {
        spec->type = CWMP_POLICY_CLIENT;
        ports = p + 6;

    } else if (p < last && *p == '[') {
        spec->type = CWMP_POLICY_CIDR;

        ports = memchr(p, ']', last - p);
        if (ports == NULL) {
            *err = "\"]\" is missing";
            return NGX_ERROR;
        }

        rc = cwmp_policy_parse_cidr(spec, p + 1, ports, err);
        ports++;

        if (rc != NGX_ERROR && memchr(p, ':', ports - p) == NULL) {
            *err = "only an IPv6 address is put in brackets";
            return NGX_ERROR;
        }

    } else {
        spec->type = CWMP_POLICY_CIDR;

        /* one colon separates a port, more are an IPv6 address without one */

        ports = memchr(p, ':', last - p);

        if (ports == NULL || memchr(ports + 1, ':', last - ports - 1)) {
            ports = last;
        }

        rc = cwmp_policy_parse_cidr(spec, p, ports, err);
    }

    if (rc != NGX_ERROR
        && cwmp_policy_parse_ports(spec, ports, last, err) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return rc;
}


ngx_uint_t
cwmp_policy_has_cidr(cwmp_policy_t *p)
{
    ngx_uint_t  i;

    for (i = 0; i < p->nallow; i++) {
        if (p->allow[i].type == CWMP_POLICY_CIDR) {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
cwmp_policy_announce(cwmp_policy_t *p, cwmp_origin_t *o,
    struct sockaddr *client)
{
    cwmp_policy_case_t  c;

    cwmp_policy_case_init(&c, o);

    c.regex = 1;

    if (o->socklen == 0) {
        return cwmp_policy_name(p, &c);
    }

    c.client = cwmp_policy_same(&c.addr, client);

    return cwmp_policy_literal(p, &c);
}


ngx_int_t
cwmp_policy_call(cwmp_policy_t *p, cwmp_origin_t *o,
    cwmp_policy_signature_e signature)
{
    ngx_int_t           rc;
    cwmp_policy_case_t  c;

    if (signature == CWMP_POLICY_UNSIGNED) {
        return CWMP_POLICY_SIGNATURE;
    }

    cwmp_policy_case_init(&c, o);

    if (o->socklen == 0) {
        c.regex = 1;

        rc = cwmp_policy_name(p, &c);

        return (rc == NGX_OK) ? NGX_AGAIN : rc;
    }

    c.client = (signature == CWMP_POLICY_SIGNED);
    c.regex = c.client;

    return cwmp_policy_literal(p, &c);
}


ngx_int_t
cwmp_policy_resolved(cwmp_policy_t *p, cwmp_origin_t *o,
    ngx_resolver_addr_t *addrs, ngx_uint_t naddrs)
{
    ngx_int_t           rc;
    ngx_uint_t          i;
    cwmp_policy_case_t  c;

    if (naddrs == 0) {
        return CWMP_POLICY_NO_ADDRESS;
    }

    ngx_memzero(&c, sizeof(cwmp_policy_case_t));

    c.origin = o;

    for (i = 0; i < naddrs; i++) {

        cwmp_policy_set_addr(&c.addr, addrs[i].sockaddr);

        rc = cwmp_policy_literal(p, &c);

        if (rc == CWMP_POLICY_NOT_ALLOWED || rc == CWMP_POLICY_NOT_CLIENT) {
            return CWMP_POLICY_NAME_ADDRESS;
        }

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


const char *
cwmp_policy_strerror(ngx_int_t error)
{
    switch (error) {
    case CWMP_POLICY_SIGNATURE:
        return "has no valid signature";
    case CWMP_POLICY_DENIED:
        return "is denied by \"cwmp_origin_deny\"";
    case CWMP_POLICY_REGEX_FAILED:
        return "could not be matched against a regular expression";
    case CWMP_POLICY_LOOPBACK:
        return "is a loopback address, which no CIDR names";
    case CWMP_POLICY_LINK_LOCAL:
        return "is a link-local address, which no CIDR names";
    case CWMP_POLICY_UNSPECIFIED:
        return "is an unspecified address, which no CIDR names";
    case CWMP_POLICY_MULTICAST:
        return "is a multicast or reserved address, which no CIDR names";
    case CWMP_POLICY_LISTENER:
        return "is a listening socket of nginx itself";
    case CWMP_POLICY_NOT_ALLOWED:
        return "is not allowed by \"cwmp_origin_allow\"";
    case CWMP_POLICY_NOT_CLIENT:
        return "is not the client's own address and port, "
               "and \"cwmp_origin_allow\" allows no other";
    case CWMP_POLICY_NO_CIDR:
        return "is a name, and \"cwmp_origin_allow\" has no CIDR "
               "for its addresses";
    case CWMP_POLICY_NAME_ADDRESS:
        return "is a name with an address that no CIDR allows";
    case CWMP_POLICY_NO_ADDRESS:
        return "is a name without an address";
    default:
        return "is allowed";
    }
}


static ngx_int_t
cwmp_policy_parse_cidr(cwmp_policy_spec_t *spec, u_char *p, u_char *last,
    const char **err)
{
    ngx_int_t         rc;
    ngx_str_t         text;
    ngx_cidr_t       *cidr;
#if (NGX_HAVE_INET6)
    struct in6_addr   addr, mask;
#endif

    cidr = &spec->cidr;

    text.data = p;
    text.len = last - p;

    rc = ngx_ptocidr(&text, cidr);

    if (rc == NGX_ERROR) {
        *err = "neither \"client\", an address, a CIDR nor a \"~\" with "
               "a regular expression";
        return NGX_ERROR;
    }

#if (NGX_HAVE_INET6)

    /* addresses that map IPv4 ones are matched as these */

    if (cidr->family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&cidr->u.in6.addr)) {
        addr = cidr->u.in6.addr;
        mask = cidr->u.in6.mask;

        cidr->family = AF_INET;
        ngx_memcpy(&cidr->u.in.addr, &addr.s6_addr[12], 4);
        ngx_memcpy(&cidr->u.in.mask, &mask.s6_addr[12], 4);
    }

#endif

    return rc;
}


static ngx_int_t
cwmp_policy_parse_ports(cwmp_policy_spec_t *spec, u_char *p, u_char *last,
    const char **err)
{
    u_char     *dash;
    ngx_int_t   min, max;

    if (p == last) {
        return NGX_OK;
    }

    if (*p++ != ':') {
        *err = "a port has to follow after \":\"";
        return NGX_ERROR;
    }

    dash = ngx_strlchr(p, last, '-');

    min = cwmp_policy_parse_port(p, dash ? dash : last);
    max = dash ? cwmp_policy_parse_port(dash + 1, last) : min;

    if (min == NGX_ERROR || max < min) {
        *err = "invalid port or range of ports";
        return NGX_ERROR;
    }

    spec->port_min = min;
    spec->port_max = max;

    return NGX_OK;
}


static ngx_int_t
cwmp_policy_parse_port(u_char *p, u_char *last)
{
    ngx_int_t  port;

    port = ngx_atoi(p, last - p);

    return (port < 1 || port > 65535) ? NGX_ERROR : port;
}


/*
 * A regular expression ends where ":port" or ":port-port" begins; no host has
 * a colon but an IPv6 address, which a CIDR describes better.
 */

static u_char *
cwmp_policy_find_ports(u_char *p, u_char *last)
{
    u_char  *colon;

    for (colon = last; colon > p; colon--) {

        if (colon[-1] == ':') {
            return (colon == last) ? last : colon - 1;
        }

        if (colon[-1] != '-' && (colon[-1] < '0' || colon[-1] > '9')) {
            break;
        }
    }

    return last;
}


static void
cwmp_policy_case_init(cwmp_policy_case_t *c, cwmp_origin_t *o)
{
    ngx_memzero(c, sizeof(cwmp_policy_case_t));

    c->origin = o;
    c->addr = o->sockaddr;
}


static ngx_int_t
cwmp_policy_match(cwmp_policy_t *p, cwmp_policy_spec_t *spec,
    cwmp_policy_case_t *c)
{
    ngx_uint_t  match;

    if (c->origin->port < spec->port_min || c->origin->port > spec->port_max) {
        return NGX_DECLINED;
    }

    switch (spec->type) {

    case CWMP_POLICY_CLIENT:
        match = c->client;
        break;

    case CWMP_POLICY_CIDR:
        match = cwmp_policy_in_cidr(&spec->cidr, &c->addr);
        break;

    default: /* CWMP_POLICY_REGEX */

        return p->match(spec->regex, &c->origin->host);
    }

    return match ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
cwmp_policy_match_any(cwmp_policy_t *p, cwmp_policy_spec_t *specs,
    ngx_uint_t nspecs, cwmp_policy_case_t *c)
{
    ngx_int_t   rc;
    ngx_uint_t  i;

    for (i = 0; i < nspecs; i++) {

        if (specs == p->allow && specs[i].type == CWMP_POLICY_REGEX
            && !c->regex)
        {
            continue;
        }

        rc = cwmp_policy_match(p, &specs[i], c);

        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    return NGX_DECLINED;
}


/* an address, announced as such or resolved from a name */

static ngx_int_t
cwmp_policy_literal(cwmp_policy_t *p, cwmp_policy_case_t *c)
{
    ngx_int_t   rc;
    ngx_uint_t  i;

    rc = cwmp_policy_match_any(p, p->deny, p->ndeny, c);

    if (rc != NGX_DECLINED) {
        return (rc == NGX_OK) ? CWMP_POLICY_DENIED : CWMP_POLICY_REGEX_FAILED;
    }

    rc = cwmp_policy_builtin(p, c);
    if (rc != NGX_OK) {
        return rc;
    }

    if (cwmp_policy_is_listener(p, c)
        && !cwmp_policy_names(p, c, c->addr.sockaddr.sa_family == AF_INET
                                    ? 32 : 128))
    {
        return CWMP_POLICY_LISTENER;
    }

    rc = cwmp_policy_match_any(p, p->allow, p->nallow, c);

    if (rc != NGX_DECLINED) {
        return (rc == NGX_OK) ? NGX_OK : CWMP_POLICY_REGEX_FAILED;
    }

    for (i = 0; i < p->nallow; i++) {
        if (p->allow[i].type != CWMP_POLICY_CLIENT) {
            return CWMP_POLICY_NOT_ALLOWED;
        }
    }

    return CWMP_POLICY_NOT_CLIENT;
}


/* a name before it is resolved: neither "client" nor a CIDR says anything */

static ngx_int_t
cwmp_policy_name(cwmp_policy_t *p, cwmp_policy_case_t *c)
{
    ngx_int_t  rc;

    rc = cwmp_policy_match_any(p, p->deny, p->ndeny, c);

    if (rc != NGX_DECLINED) {
        return (rc == NGX_OK) ? CWMP_POLICY_DENIED : CWMP_POLICY_REGEX_FAILED;
    }

    rc = cwmp_policy_match_any(p, p->allow, p->nallow, c);

    if (rc != NGX_OK) {
        return (rc == NGX_DECLINED) ? CWMP_POLICY_NOT_ALLOWED
                                    : CWMP_POLICY_REGEX_FAILED;
    }

    return cwmp_policy_has_cidr(p) ? NGX_OK : CWMP_POLICY_NO_CIDR;
}


/* ranges that nobody means who does not name them */

static ngx_int_t
cwmp_policy_builtin(cwmp_policy_t *p, cwmp_policy_case_t *c)
{
    u_char      *addr;
    ngx_int_t    rc;
    ngx_uint_t   bits;

    switch (c->addr.sockaddr.sa_family) {

#if (NGX_HAVE_INET6)
    case AF_INET6:
        addr = c->addr.sockaddr_in6.sin6_addr.s6_addr;
        rc = cwmp_policy_builtin_inet6(addr, &bits);
        break;
#endif

    default: /* AF_INET */
        addr = (u_char *) &c->addr.sockaddr_in.sin_addr;
        rc = cwmp_policy_builtin_inet(addr, &bits);
        break;
    }

    if (rc != NGX_OK && cwmp_policy_names(p, c, bits)) {
        return NGX_OK;
    }

    return rc;
}


static ngx_int_t
cwmp_policy_builtin_inet(u_char *addr, ngx_uint_t *bits)
{
    *bits = 8;

    if (addr[0] == 127) {
        return CWMP_POLICY_LOOPBACK;
    }

    if (addr[0] == 0) {
        return CWMP_POLICY_UNSPECIFIED;
    }

    if (addr[0] >= 224) {
        *bits = 3;
        return CWMP_POLICY_MULTICAST;
    }

    if (addr[0] == 169 && addr[1] == 254) {
        *bits = 16;
        return CWMP_POLICY_LINK_LOCAL;
    }

    return NGX_OK;
}


#if (NGX_HAVE_INET6)

static ngx_int_t
cwmp_policy_builtin_inet6(u_char *addr, ngx_uint_t *bits)
{
    ngx_int_t         rc;
    ngx_uint_t        i;
    struct in6_addr  *in6;

    in6 = (struct in6_addr *) addr;
    *bits = 128;

    if (IN6_IS_ADDR_LOOPBACK(in6)) {
        return CWMP_POLICY_LOOPBACK;
    }

    if (IN6_IS_ADDR_UNSPECIFIED(in6)) {
        return CWMP_POLICY_UNSPECIFIED;
    }

    if (IN6_IS_ADDR_LINKLOCAL(in6)) {
        *bits = 10;
        return CWMP_POLICY_LINK_LOCAL;
    }

    if (IN6_IS_ADDR_MULTICAST(in6)) {
        *bits = 8;
        return CWMP_POLICY_MULTICAST;
    }

    rc = NGX_OK;

    for (i = 0;
         i < sizeof(cwmp_policy_embedded) / sizeof(cwmp_policy_embedded[0])
         && rc == NGX_OK;
         i++)
    {
        rc = cwmp_policy_builtin_embedded(addr, &cwmp_policy_embedded[i],
                                          bits);
    }

    return rc;
}


static ngx_int_t
cwmp_policy_builtin_embedded(u_char *addr, const cwmp_policy_embedded_t *e,
    ngx_uint_t *bits)
{
    u_char      inet[4];
    ngx_int_t   rc;
    ngx_uint_t  i, last;

    static u_char  zero[16];

    if (ngx_memcmp(addr, e->prefix, e->len) != 0
        || ngx_memcmp(addr + 16 - e->zeros, zero, e->zeros) != 0)
    {
        return NGX_OK;
    }

    for (i = 0; i < 4; i++) {
        inet[i] = addr[e->octet[i]] ^ e->mask;
    }

    rc = cwmp_policy_builtin_inet(inet, bits);

    /* one form of several, and it is another one's address that begins so */

    if (rc == CWMP_POLICY_UNSPECIFIED && e->len == 6
        && ngx_memcmp(addr + e->len, zero, 16 - e->len) != 0)
    {
        return NGX_OK;
    }

    last = *bits - 1;
    *bits = e->octet[last / 8] * 8 + last % 8 + 1;

    return rc;
}

#endif


static ngx_uint_t
cwmp_policy_is_listener(cwmp_policy_t *p, cwmp_policy_case_t *c)
{
    ngx_uint_t        i;
    struct sockaddr  *sa;

    for (i = 0; i < p->nlisteners; i++) {
        sa = p->listeners[i];

        if (ngx_inet_get_port(sa) != c->origin->port) {
            continue;
        }

        if (cwmp_policy_same(&c->addr, sa)) {
            return 1;
        }

        /* [::] may take IPv4 too */

        if (ngx_inet_wildcard(sa) && cwmp_policy_is_loopback(&c->addr)) {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
cwmp_policy_is_loopback(ngx_sockaddr_t *addr)
{
#if (NGX_HAVE_INET6)
    if (addr->sockaddr.sa_family == AF_INET6) {
        return IN6_IS_ADDR_LOOPBACK(&addr->sockaddr_in6.sin6_addr);
    }
#endif

    return *(u_char *) &addr->sockaddr_in.sin_addr == 127;
}


/*
 * Whether an allow CIDR has the address, and a prefix of so many bits at
 * least, which shows by the last of them.
 */

static ngx_uint_t
cwmp_policy_names(cwmp_policy_t *p, cwmp_policy_case_t *c, ngx_uint_t bits)
{
    u_char              *mask;
    ngx_uint_t           i;
    cwmp_policy_spec_t  *spec;

    for (i = 0; i < p->nallow; i++) {
        spec = &p->allow[i];

        if (spec->type != CWMP_POLICY_CIDR
            || c->origin->port < spec->port_min
            || c->origin->port > spec->port_max
            || !cwmp_policy_in_cidr(&spec->cidr, &c->addr))
        {
            continue;
        }

        mask = (u_char *) &spec->cidr.u.in.mask;

#if (NGX_HAVE_INET6)
        if (spec->cidr.family == AF_INET6) {
            mask = spec->cidr.u.in6.mask.s6_addr;
        }
#endif

        if (mask[(bits - 1) / 8] & (0x80 >> (bits - 1) % 8)) {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
cwmp_policy_in_cidr(ngx_cidr_t *cidr, ngx_sockaddr_t *addr)
{
    ngx_array_t  cidrs;

    cidrs.elts = cidr;
    cidrs.nelts = 1;

    return ngx_cidr_match(&addr->sockaddr, &cidrs) == NGX_OK;
}


/* whether sa is that very address, on whatever port */

static ngx_uint_t
cwmp_policy_same(ngx_sockaddr_t *addr, struct sockaddr *sa)
{
    ngx_sockaddr_t  other;

    cwmp_policy_set_addr(&other, sa);

    return other.sockaddr.sa_family != AF_UNSPEC
           && ngx_cmp_sockaddr(&addr->sockaddr, sizeof(ngx_sockaddr_t),
                               &other.sockaddr, sizeof(ngx_sockaddr_t), 0)
              == NGX_OK;
}


/* an IPv4 address where IPv6 maps one; AF_UNSPEC if it is neither */

static void
cwmp_policy_set_addr(ngx_sockaddr_t *addr, struct sockaddr *sa)
{
#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;
#endif

    ngx_memzero(addr, sizeof(ngx_sockaddr_t));

    switch (sa->sa_family) {

    case AF_INET:
        addr->sockaddr_in = *(struct sockaddr_in *) sa;
        break;

#if (NGX_HAVE_INET6)
    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) sa;

        if (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr)) {
            addr->sockaddr_in.sin_family = AF_INET;
            ngx_memcpy(&addr->sockaddr_in.sin_addr,
                       &sin6->sin6_addr.s6_addr[12], 4);

        } else {
            addr->sockaddr_in6 = *sin6;
        }

        break;
#endif
    }
}
