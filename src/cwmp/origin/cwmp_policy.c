
/*
 * Fieldgate: which origins may be announced and called.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_policy.h"


/* an address that is checked; IPv4 where IPv6 maps it */

typedef struct {
    ngx_uint_t   family;        /* AF_UNSPEC: none */
    u_char       addr[16];
    ngx_uint_t   port;
} cwmp_policy_addr_t;


/* what is known when specs are evaluated */

typedef struct {
    cwmp_origin_t       *origin;
    cwmp_policy_addr_t   addr;
    ngx_uint_t           client;    /* the verdict of "client" */
    ngx_uint_t           regex;     /* a ~regex may admit */
} cwmp_policy_case_t;


/* ranges that nobody means who does not name them */

typedef struct {
    ngx_int_t            error;
    u_char               addr[4];
    ngx_uint_t           bits;
} cwmp_policy_range_t;


typedef struct {
    ngx_int_t            error;
    u_char               addr[16];
    ngx_uint_t           bits;
} cwmp_policy_range6_t;


static ngx_int_t cwmp_policy_parse_cidr(cwmp_policy_spec_t *spec, u_char *p,
    u_char *last, const char **err);
static ngx_int_t cwmp_policy_parse_ports(cwmp_policy_spec_t *spec, u_char *p,
    u_char *last, const char **err);
static ngx_int_t cwmp_policy_parse_number(u_char **p, u_char *last,
    ngx_uint_t max);
static u_char *cwmp_policy_find_ports(u_char *p, u_char *last);
static void cwmp_policy_case_init(cwmp_policy_case_t *c, cwmp_origin_t *o);
static ngx_int_t cwmp_policy_match(cwmp_policy_t *p, cwmp_policy_spec_t *spec,
    cwmp_policy_case_t *c);
static ngx_int_t cwmp_policy_match_any(cwmp_policy_t *p,
    cwmp_policy_spec_t *specs, ngx_uint_t nspecs, cwmp_policy_case_t *c);
static ngx_int_t cwmp_policy_literal(cwmp_policy_t *p, cwmp_policy_case_t *c);
static ngx_int_t cwmp_policy_name(cwmp_policy_t *p, cwmp_policy_case_t *c);
static ngx_int_t cwmp_policy_builtin(cwmp_policy_t *p, cwmp_policy_addr_t *a);
static ngx_int_t cwmp_policy_builtin_inet(u_char *addr, ngx_uint_t *bits);
static ngx_uint_t cwmp_policy_is_listener(cwmp_policy_t *p,
    cwmp_policy_addr_t *a);
static ngx_uint_t cwmp_policy_names(cwmp_policy_t *p, cwmp_policy_addr_t *a,
    ngx_uint_t bits);
static ngx_uint_t cwmp_policy_in_cidr(cwmp_policy_spec_t *spec,
    cwmp_policy_addr_t *a);
static ngx_uint_t cwmp_policy_prefix(u_char *a, u_char *b, ngx_uint_t bits);
static void cwmp_policy_sockaddr(cwmp_policy_addr_t *a, struct sockaddr *sa);


static cwmp_policy_range_t  cwmp_policy_ranges[] = {
    { CWMP_POLICY_LOOPBACK, { 127, 0, 0, 0 }, 8 },
    { CWMP_POLICY_LINK_LOCAL, { 169, 254, 0, 0 }, 16 },
    { CWMP_POLICY_UNSPECIFIED, { 0, 0, 0, 0 }, 8 },
    { CWMP_POLICY_MULTICAST, { 224, 0, 0, 0 }, 3 }
};


static cwmp_policy_range6_t  cwmp_policy_ranges6[] = {
    { CWMP_POLICY_LOOPBACK,
      { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 }, 128 },
    { CWMP_POLICY_UNSPECIFIED,
      { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, 128 },
    { CWMP_POLICY_LINK_LOCAL,
      { 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, 10 },
    { CWMP_POLICY_MULTICAST,
      { 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }, 8 }
};


/* prefixes of 96 bits in front of an IPv4 address: RFC 4291, RFC 6052 */

static u_char  cwmp_policy_embedded[][12] = {
    { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 },
    { 0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0 }
};


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
    cwmp_policy_addr_t  addr;
    cwmp_policy_case_t  c;

    cwmp_policy_case_init(&c, o);

    c.regex = 1;

    cwmp_policy_sockaddr(&addr, client);

    c.client = (o->family != AF_UNSPEC && addr.family == o->family
                && cwmp_policy_prefix(addr.addr, o->addr,
                                      o->family == AF_INET ? 32 : 128));

    if (o->family == AF_UNSPEC) {
        return cwmp_policy_name(p, &c);
    }

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

    if (o->family == AF_UNSPEC) {
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

        cwmp_policy_sockaddr(&c.addr, addrs[i].sockaddr);
        c.addr.port = o->port;

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
    char        text[INET6_ADDRSTRLEN];
    u_char     *slash;
    ngx_int_t   bits;
    ngx_uint_t  i, max, low;

    slash = memchr(p, '/', last - p);
    if (slash == NULL) {
        slash = last;
    }

    *err = "neither \"client\", an address, a CIDR nor a \"~\" with "
           "a regular expression";

    if (p == slash || slash - p >= (ssize_t) sizeof(text)) {
        return NGX_ERROR;
    }

    ngx_memcpy(text, p, slash - p);
    text[slash - p] = '\0';

    if (inet_pton(AF_INET, text, spec->addr) == 1) {
        spec->family = AF_INET;

    } else if (inet_pton(AF_INET6, text, spec->addr) == 1) {
        spec->family = AF_INET6;

    } else {
        return NGX_ERROR;
    }

    max = (spec->family == AF_INET) ? 32 : 128;
    spec->bits = max;

    if (slash < last) {
        p = slash + 1;
        bits = cwmp_policy_parse_number(&p, last, max);

        if (bits == NGX_ERROR || p != last) {
            *err = "invalid length of the address prefix";
            return NGX_ERROR;
        }

        spec->bits = bits;
    }

    if (spec->family == AF_INET6
        && IN6_IS_ADDR_V4MAPPED((struct in6_addr *) spec->addr))
    {
        if (spec->bits < 96) {
            *err = "a prefix of IPv4-mapped addresses has 96 bits at least";
            return NGX_ERROR;
        }

        ngx_memmove(spec->addr, &spec->addr[12], 4);
        ngx_memzero(&spec->addr[4], 12);
        spec->family = AF_INET;
        spec->bits -= 96;
        max = 32;
    }

    *err = NULL;
    low = 0;

    for (i = spec->bits; i < max; i++) {
        if (spec->addr[i / 8] & (0x80 >> i % 8)) {
            spec->addr[i / 8] &= (u_char) ~(0x80 >> i % 8);
            low = 1;
        }
    }

    return low ? NGX_DONE : NGX_OK;
}


static ngx_int_t
cwmp_policy_parse_ports(cwmp_policy_spec_t *spec, u_char *p, u_char *last,
    const char **err)
{
    ngx_int_t  min, max;

    if (p == last) {
        return NGX_OK;
    }

    if (*p++ != ':') {
        *err = "a port has to follow after \":\"";
        return NGX_ERROR;
    }

    min = cwmp_policy_parse_number(&p, last, 65535);
    max = min;

    if (p < last && *p == '-') {
        p++;
        max = cwmp_policy_parse_number(&p, last, 65535);
    }

    if (min < 1 || max < min || p != last) {
        *err = "invalid port or range of ports";
        return NGX_ERROR;
    }

    spec->port_min = min;
    spec->port_max = max;

    return NGX_OK;
}


static ngx_int_t
cwmp_policy_parse_number(u_char **p, u_char *last, ngx_uint_t max)
{
    ngx_uint_t   value;
    u_char      *start;

    value = 0;

    for (start = *p; *p < last && **p >= '0' && **p <= '9'; (*p)++) {
        value = value * 10 + (**p - '0');

        if (value > max) {
            return NGX_ERROR;
        }
    }

    return (*p == start) ? NGX_ERROR : (ngx_int_t) value;
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
    c->addr.family = o->family;
    c->addr.port = o->port;
    ngx_memcpy(c->addr.addr, o->addr, 16);
}


static ngx_int_t
cwmp_policy_match(cwmp_policy_t *p, cwmp_policy_spec_t *spec,
    cwmp_policy_case_t *c)
{
    ngx_uint_t  match;

    if (c->addr.port < spec->port_min || c->addr.port > spec->port_max) {
        return NGX_DECLINED;
    }

    switch (spec->type) {

    case CWMP_POLICY_CLIENT:
        match = c->client;
        break;

    case CWMP_POLICY_CIDR:
        match = cwmp_policy_in_cidr(spec, &c->addr);
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

    rc = cwmp_policy_builtin(p, &c->addr);
    if (rc != NGX_OK) {
        return rc;
    }

    if (cwmp_policy_is_listener(p, &c->addr)
        && !cwmp_policy_names(p, &c->addr, c->addr.family == AF_INET ? 32
                                                                     : 128))
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


static ngx_int_t
cwmp_policy_builtin(cwmp_policy_t *p, cwmp_policy_addr_t *a)
{
    ngx_int_t   rc;
    ngx_uint_t  i, n, bits;

    rc = NGX_OK;
    bits = 0;

    if (a->family == AF_INET) {
        rc = cwmp_policy_builtin_inet(a->addr, &bits);

    } else {
        n = sizeof(cwmp_policy_ranges6) / sizeof(cwmp_policy_ranges6[0]);

        for (i = 0; i < n && rc == NGX_OK; i++) {
            bits = cwmp_policy_ranges6[i].bits;

            if (cwmp_policy_prefix(a->addr, cwmp_policy_ranges6[i].addr, bits))
            {
                rc = cwmp_policy_ranges6[i].error;
            }
        }

        n = sizeof(cwmp_policy_embedded) / sizeof(cwmp_policy_embedded[0]);

        for (i = 0; i < n && rc == NGX_OK; i++) {
            if (cwmp_policy_prefix(a->addr, cwmp_policy_embedded[i], 96)) {
                rc = cwmp_policy_builtin_inet(&a->addr[12], &bits);
                bits += 96;
            }
        }
    }

    if (rc != NGX_OK && cwmp_policy_names(p, a, bits)) {
        return NGX_OK;
    }

    return rc;
}


static ngx_int_t
cwmp_policy_builtin_inet(u_char *addr, ngx_uint_t *bits)
{
    ngx_uint_t            i, n;
    cwmp_policy_range_t  *range;

    n = sizeof(cwmp_policy_ranges) / sizeof(cwmp_policy_ranges[0]);

    for (i = 0; i < n; i++) {
        range = &cwmp_policy_ranges[i];

        if (cwmp_policy_prefix(addr, range->addr, range->bits)) {
            *bits = range->bits;
            return range->error;
        }
    }

    return NGX_OK;
}


static ngx_uint_t
cwmp_policy_is_listener(cwmp_policy_t *p, cwmp_policy_addr_t *a)
{
    ngx_uint_t           i, bits, ignored, loopback;
    cwmp_policy_addr_t   listener;

    if (a->family == AF_INET) {
        loopback = (a->addr[0] == 127);
        bits = 32;

    } else {
        loopback = IN6_IS_ADDR_LOOPBACK((struct in6_addr *) a->addr);
        bits = 128;
    }

    for (i = 0; i < p->nlisteners; i++) {

        cwmp_policy_sockaddr(&listener, p->listeners[i]);

        if (listener.family == AF_UNSPEC || listener.port != a->port) {
            continue;
        }

        if (listener.family == a->family
            && cwmp_policy_prefix(listener.addr, a->addr, bits))
        {
            return 1;
        }

        /* [::] may take IPv4 too */

        if (loopback
            && (listener.family == AF_INET
                ? cwmp_policy_builtin_inet(listener.addr, &ignored)
                  == CWMP_POLICY_UNSPECIFIED
                : IN6_IS_ADDR_UNSPECIFIED((struct in6_addr *) listener.addr)))
        {
            return 1;
        }
    }

    return 0;
}


/* whether an allow CIDR has the address, and is no wider than bits */

static ngx_uint_t
cwmp_policy_names(cwmp_policy_t *p, cwmp_policy_addr_t *a, ngx_uint_t bits)
{
    ngx_uint_t           i;
    cwmp_policy_spec_t  *spec;

    for (i = 0; i < p->nallow; i++) {
        spec = &p->allow[i];

        if (spec->type == CWMP_POLICY_CIDR && spec->bits >= bits
            && a->port >= spec->port_min && a->port <= spec->port_max
            && cwmp_policy_in_cidr(spec, a))
        {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
cwmp_policy_in_cidr(cwmp_policy_spec_t *spec, cwmp_policy_addr_t *a)
{
    return a->family == spec->family
           && cwmp_policy_prefix(a->addr, spec->addr, spec->bits);
}


static ngx_uint_t
cwmp_policy_prefix(u_char *a, u_char *b, ngx_uint_t bits)
{
    u_char  mask;

    if (memcmp(a, b, bits / 8) != 0) {
        return 0;
    }

    if (bits % 8 == 0) {
        return 1;
    }

    mask = (u_char) (0xff00 >> bits % 8);

    return ((a[bits / 8] ^ b[bits / 8]) & mask) == 0;
}


static void
cwmp_policy_sockaddr(cwmp_policy_addr_t *a, struct sockaddr *sa)
{
    struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;
#endif

    ngx_memzero(a, sizeof(cwmp_policy_addr_t));

    switch (sa->sa_family) {

    case AF_INET:
        sin = (struct sockaddr_in *) sa;
        a->family = AF_INET;
        a->port = ntohs(sin->sin_port);
        ngx_memcpy(a->addr, &sin->sin_addr, 4);
        break;

#if (NGX_HAVE_INET6)
    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) sa;
        a->port = ntohs(sin6->sin6_port);

        if (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr)) {
            a->family = AF_INET;
            ngx_memcpy(a->addr, &sin6->sin6_addr.s6_addr[12], 4);

        } else {
            a->family = AF_INET6;
            ngx_memcpy(a->addr, &sin6->sin6_addr, 16);
        }

        break;
#endif

    default:
        a->family = AF_UNSPEC;
    }
}
