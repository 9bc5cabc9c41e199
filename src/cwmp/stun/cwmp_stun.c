
/*
 * Fieldgate: STUN as CPEs behind NAT speak it.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_stun.h"


#define CWMP_STUN_BINDING_REQUEST     0x0001
#define CWMP_STUN_BINDING_RESPONSE    0x0101
#define CWMP_STUN_BINDING_ERROR       0x0111

#define CWMP_STUN_MAPPED_ADDRESS      0x0001
#define CWMP_STUN_RESPONSE_ADDRESS    0x0002
#define CWMP_STUN_CHANGE_REQUEST      0x0003
#define CWMP_STUN_SOURCE_ADDRESS      0x0004
#define CWMP_STUN_CHANGED_ADDRESS     0x0005
#define CWMP_STUN_ERROR_CODE          0x0009
#define CWMP_STUN_UNKNOWN_ATTRIBUTES  0x000a
#define CWMP_STUN_REFLECTED_FROM      0x000b
#define CWMP_STUN_REALM               0x0014
#define CWMP_STUN_NONCE               0x0015
#define CWMP_STUN_XOR_MAPPED_ADDRESS  0x0020

/* what is above may be left alone by who does not know it */
#define CWMP_STUN_OPTIONAL            0x8000

/* of CHANGE-REQUEST: another address, another port */
#define CWMP_STUN_CHANGE_FLAGS        0x06

#define CWMP_STUN_IPV4                1
#define CWMP_STUN_IPV6                2

#define cwmp_stun_get16(p)  ((ngx_uint_t) (p)[0] << 8 | (p)[1])


static cwmp_stun_verdict_e cwmp_stun_attributes(cwmp_stun_request_t *q,
    u_char *p, u_char *last, ngx_uint_t padded);
static ngx_int_t cwmp_stun_attribute(cwmp_stun_request_t *q, ngx_uint_t type,
    u_char *p, size_t len);
static void cwmp_stun_unknown(cwmp_stun_request_t *q, ngx_uint_t type);
static ngx_int_t cwmp_stun_read_address(cwmp_endpoint_t *e, u_char *p,
    size_t len);
static u_char *cwmp_stun_header(u_char *p, ngx_uint_t type, u_char *id);
static u_char *cwmp_stun_address(u_char *p, ngx_uint_t type,
    cwmp_endpoint_t *e, u_char *mask);
static u_char *cwmp_stun_put16(u_char *p, ngx_uint_t n);


static u_char  cwmp_stun_cookie[] = { 0x21, 0x12, 0xa4, 0x42 };


cwmp_stun_verdict_e
cwmp_stun_parse(cwmp_stun_request_t *q, u_char *p, size_t len,
    cwmp_endpoint_t *from)
{
    u_char               *last;
    cwmp_stun_verdict_e   verdict;

    ngx_memzero(q, sizeof(cwmp_stun_request_t));

    if (len < CWMP_STUN_HEADER
        || len > CWMP_STUN_REQUEST_MAX
        || (p[0] & 0xc0)
        || cwmp_stun_get16(p + 2) != len - CWMP_STUN_HEADER)
    {
        return CWMP_STUN_MALFORMED;
    }

    if (cwmp_stun_get16(p) != CWMP_STUN_BINDING_REQUEST) {
        return CWMP_STUN_OTHER;
    }

    last = p + len;

    ngx_memcpy(q->id, p + 4, CWMP_STUN_ID);
    q->cookie = (ngx_memcmp(q->id, cwmp_stun_cookie, 4) == 0);

    p += CWMP_STUN_HEADER;

    verdict = cwmp_stun_attributes(q, p, last, 1);

    if (verdict == CWMP_STUN_MALFORMED && !q->cookie) {
        verdict = cwmp_stun_attributes(q, p, last, 0);
    }

    if (verdict == CWMP_STUN_UNKNOWN || verdict == CWMP_STUN_MALFORMED) {
        return verdict;
    }

    if (q->response.family == 0) {
        q->response = *from;

    } else if (!cwmp_endpoint_same_host(&q->response, from)
               || q->response.port == 0)
    {
        return CWMP_STUN_REFLECTION;
    }

    q->elsewhere = !cwmp_endpoint_same(&q->response, from);

    return verdict;
}


static cwmp_stun_verdict_e
cwmp_stun_attributes(cwmp_stun_request_t *q, u_char *p, u_char *last,
    ngx_uint_t padded)
{
    size_t      len, size;
    ngx_int_t   rc;
    ngx_uint_t  type, change;

    q->response.family = 0;
    q->nunknown = 0;
    change = 0;

    while (p < last) {

        if (last - p < 4) {
            return CWMP_STUN_MALFORMED;
        }

        type = cwmp_stun_get16(p);
        len = cwmp_stun_get16(p + 2);
        p += 4;

        size = padded ? ngx_align(len, 4) : len;

        if (size > (size_t) (last - p)) {
            return CWMP_STUN_MALFORMED;
        }

        rc = cwmp_stun_attribute(q, type, p, len);

        if (rc == NGX_ERROR) {
            return CWMP_STUN_MALFORMED;
        }

        if (rc == NGX_DECLINED) {
            change = 1;
        }

        p += size;
    }

    if (q->nunknown) {
        return CWMP_STUN_UNKNOWN;
    }

    return change ? CWMP_STUN_CHANGE : CWMP_STUN_REQUEST;
}


/* NGX_DECLINED: another address is to answer; NGX_ERROR: damaged */

static ngx_int_t
cwmp_stun_attribute(cwmp_stun_request_t *q, ngx_uint_t type, u_char *p,
    size_t len)
{
    switch (type) {

    case CWMP_STUN_RESPONSE_ADDRESS:

        /* of several the first counts (RFC 3489 11.2) */

        if (q->response.family) {
            return NGX_OK;
        }

        return cwmp_stun_read_address(&q->response, p, len);

    case CWMP_STUN_CHANGE_REQUEST:

        if (len != 4) {
            return NGX_ERROR;
        }

        return (p[3] & CWMP_STUN_CHANGE_FLAGS) ? NGX_DECLINED : NGX_OK;

    case CWMP_STUN_REALM:
    case CWMP_STUN_NONCE:
        return NGX_OK;
    }

    /* all others of RFC 3489 say nothing in a request that we look at */

    if (type < CWMP_STUN_OPTIONAL
        && (type == 0 || type > CWMP_STUN_REFLECTED_FROM))
    {
        cwmp_stun_unknown(q, type);
    }

    return NGX_OK;
}


static void
cwmp_stun_unknown(cwmp_stun_request_t *q, ngx_uint_t type)
{
    ngx_uint_t  i;

    for (i = 0; i < q->nunknown; i++) {
        if (q->unknown[i] == type) {
            return;
        }
    }

    if (q->nunknown < CWMP_STUN_UNKNOWN_MAX) {
        q->unknown[q->nunknown++] = type;
    }
}


static ngx_int_t
cwmp_stun_read_address(cwmp_endpoint_t *e, u_char *p, size_t len)
{
    size_t  size;

    if (len < 8) {
        return NGX_ERROR;
    }

    ngx_memzero(e, sizeof(cwmp_endpoint_t));

    switch (p[1]) {

    case CWMP_STUN_IPV4:
        e->family = AF_INET;
        size = 4;
        break;

#if (NGX_HAVE_INET6)
    case CWMP_STUN_IPV6:
        e->family = AF_INET6;
        size = 16;
        break;
#endif

    default:
        return NGX_ERROR;
    }

    if (len != 4 + size) {
        return NGX_ERROR;
    }

    e->port = cwmp_stun_get16(p + 2);
    ngx_memcpy(e->addr, p + 4, size);

    return NGX_OK;
}


u_char *
cwmp_stun_answer(u_char *p, cwmp_stun_request_t *q, cwmp_endpoint_t *from,
    cwmp_endpoint_t *local)
{
    u_char  *start;

    start = p;

    p = cwmp_stun_header(p, CWMP_STUN_BINDING_RESPONSE, q->id);
    p = cwmp_stun_address(p, CWMP_STUN_MAPPED_ADDRESS, from, NULL);

    if (q->cookie) {
        p = cwmp_stun_address(p, CWMP_STUN_XOR_MAPPED_ADDRESS, from, q->id);
    }

    p = cwmp_stun_address(p, CWMP_STUN_SOURCE_ADDRESS, local, NULL);
    p = cwmp_stun_address(p, CWMP_STUN_CHANGED_ADDRESS, local, NULL);

    (void) cwmp_stun_put16(start + 2, p - start - CWMP_STUN_HEADER);

    return p;
}


u_char *
cwmp_stun_refuse(u_char *p, cwmp_stun_request_t *q)
{
    u_char      *start;
    ngx_uint_t   i, n;

    /* its length is a multiple of 4 (RFC 3489 11.2.9) */

    static u_char  reason[] = "Unknown attribute   ";

    start = p;

    p = cwmp_stun_header(p, CWMP_STUN_BINDING_ERROR, q->id);

    p = cwmp_stun_put16(p, CWMP_STUN_ERROR_CODE);
    p = cwmp_stun_put16(p, 4 + sizeof(reason) - 1);
    p = cwmp_stun_put16(p, 0);
    p = cwmp_stun_put16(p, 4 << 8 | 20);
    p = ngx_cpymem(p, reason, sizeof(reason) - 1);

    p = cwmp_stun_put16(p, CWMP_STUN_UNKNOWN_ATTRIBUTES);

    /* one is repeated where their number is odd (RFC 3489 11.2.10) */

    n = ngx_align(q->nunknown, 2);

    p = cwmp_stun_put16(p, 2 * n);

    for (i = 0; i < n; i++) {
        p = cwmp_stun_put16(p, q->unknown[ngx_min(i, q->nunknown - 1)]);
    }

    (void) cwmp_stun_put16(start + 2, p - start - CWMP_STUN_HEADER);

    return p;
}


/* the length is written when it is known */

static u_char *
cwmp_stun_header(u_char *p, ngx_uint_t type, u_char *id)
{
    p = cwmp_stun_put16(p, type);
    p = cwmp_stun_put16(p, 0);

    return ngx_cpymem(p, id, CWMP_STUN_ID);
}


/* mask: for an XOR-MAPPED-ADDRESS (RFC 5389 15.2), cookie and id */

static u_char *
cwmp_stun_address(u_char *p, ngx_uint_t type, cwmp_endpoint_t *e, u_char *mask)
{
    size_t      size;
    ngx_uint_t  i, port, family;

    family = CWMP_STUN_IPV4;
    size = 4;

#if (NGX_HAVE_INET6)
    if (e->family == AF_INET6) {
        family = CWMP_STUN_IPV6;
        size = 16;
    }
#endif

    port = e->port;

    if (mask) {
        port ^= cwmp_stun_get16(mask);
    }

    p = cwmp_stun_put16(p, type);
    p = cwmp_stun_put16(p, 4 + size);
    p = cwmp_stun_put16(p, family);
    p = cwmp_stun_put16(p, port);

    for (i = 0; i < size; i++) {
        *p++ = mask ? e->addr[i] ^ mask[i] : e->addr[i];
    }

    return p;
}


static u_char *
cwmp_stun_put16(u_char *p, ngx_uint_t n)
{
    *p++ = (u_char) (n >> 8);
    *p++ = (u_char) n;

    return p;
}


ngx_int_t
cwmp_endpoint_set(cwmp_endpoint_t *e, struct sockaddr *sa)
{
    struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;
#endif

    ngx_memzero(e, sizeof(cwmp_endpoint_t));

    switch (sa->sa_family) {

    case AF_INET:
        sin = (struct sockaddr_in *) sa;

        e->family = AF_INET;
        e->port = ntohs(sin->sin_port);
        ngx_memcpy(e->addr, &sin->sin_addr, 4);

        return NGX_OK;

#if (NGX_HAVE_INET6)
    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) sa;

        e->port = ntohs(sin6->sin6_port);

        if (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr)) {
            e->family = AF_INET;
            ngx_memcpy(e->addr, &sin6->sin6_addr.s6_addr[12], 4);

        } else {
            e->family = AF_INET6;
            ngx_memcpy(e->addr, &sin6->sin6_addr, 16);
        }

        return NGX_OK;
#endif
    }

    return NGX_DECLINED;
}


socklen_t
cwmp_endpoint_sockaddr(cwmp_endpoint_t *e, ngx_sockaddr_t *sa)
{
    ngx_memzero(sa, sizeof(ngx_sockaddr_t));

#if (NGX_HAVE_INET6)
    if (e->family == AF_INET6) {
        sa->sockaddr_in6.sin6_family = AF_INET6;
        sa->sockaddr_in6.sin6_port = htons(e->port);
        ngx_memcpy(&sa->sockaddr_in6.sin6_addr, e->addr, 16);

        return sizeof(struct sockaddr_in6);
    }
#endif

    sa->sockaddr_in.sin_family = AF_INET;
    sa->sockaddr_in.sin_port = htons(e->port);
    ngx_memcpy(&sa->sockaddr_in.sin_addr, e->addr, 4);

    return sizeof(struct sockaddr_in);
}
