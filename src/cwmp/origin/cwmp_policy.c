
/*
 * Fieldgate: which origins may be announced and called.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_policy.h"
#include "cwmp_range.h"


/* what is known when specs are evaluated */

typedef struct {
    cwmp_origin_t       *origin;
    ngx_sockaddr_t       addr;      /* AF_UNSPEC: a name, not resolved yet */
    ngx_uint_t           client;    /* the verdict of "client" */
    ngx_uint_t           regex;     /* a ~regex may admit */
} cwmp_policy_case_t;


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


/*
 * An address, announced as such or resolved from a name.  What is refused is so
 * in all its readings; what is allowed is the address as it is.
 */

static ngx_int_t
cwmp_policy_literal(cwmp_policy_t *p, cwmp_policy_case_t *c)
{
    ngx_int_t           rc;
    ngx_uint_t          i, n, bits;
    cwmp_policy_case_t  reading;

    reading = *c;

    for (n = 0; cwmp_range_reading(&c->addr, &n, &reading.addr); /* void */ ) {

        rc = cwmp_policy_match_any(p, p->deny, p->ndeny, &reading);

        if (rc != NGX_DECLINED) {
            return (rc == NGX_OK) ? CWMP_POLICY_DENIED
                                  : CWMP_POLICY_REGEX_FAILED;
        }
    }

    rc = cwmp_range_reserved(&c->addr, &bits);
    if (rc != NGX_OK && !cwmp_policy_names(p, c, bits)) {
        return rc;
    }

    for (n = 0; cwmp_range_reading(&c->addr, &n, &reading.addr); /* void */ ) {

        if (cwmp_policy_is_listener(p, &reading)
            && !cwmp_policy_names(p, c, c->addr.sockaddr.sa_family == AF_INET
                                        ? 32 : 128))
        {
            return CWMP_POLICY_LISTENER;
        }
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
