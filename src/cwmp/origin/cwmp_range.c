
/*
 * Fieldgate: ranges of addresses that nobody means who does not name them.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_range.h"


#if (NGX_HAVE_INET6)

/* IPv6 addresses that lead to an IPv4 one, which they have in these octets */

typedef struct {
    u_char               prefix[12];
    u_char               from;      /* the octet that it begins at */
    u_char               len;       /* of the prefix, in octets */
    u_char               octet[4];
    u_char               mask;      /* it is obscured by */
    u_char               zeros;     /* octets at the end that are zero */
} cwmp_range_embedded_t;


static const cwmp_range_embedded_t  cwmp_range_embedded[] = {

    /* RFC 4291 2.5.5.1, ::/96; mapped ones are taken for IPv4 at once */
    { { 0 }, 0, 12, { 12, 13, 14, 15 }, 0, 0 },

    /* RFC 2765, ::ffff:0:0:0/96 */
    { { 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff }, 0, 12, { 12, 13, 14, 15 }, 0, 0 },

    /* RFC 6052, 64:ff9b::/96 */
    { { 0, 0x64, 0xff, 0x9b }, 0, 12, { 12, 13, 14, 15 }, 0, 0 },

    /*
     * RFC 8215, 64:ff9b:1::/48, in which a network may use any prefix of RFC
     * 6052; the longer ones have something behind the address of the others
     */
    { { 0, 0x64, 0xff, 0x9b, 0, 1 }, 0, 6, { 6, 7, 9, 10 }, 0, 5 },
    { { 0, 0x64, 0xff, 0x9b, 0, 1 }, 0, 6, { 7, 9, 10, 11 }, 0, 4 },
    { { 0, 0x64, 0xff, 0x9b, 0, 1 }, 0, 6, { 9, 10, 11, 12 }, 0, 3 },
    { { 0, 0x64, 0xff, 0x9b, 0, 1 }, 0, 6, { 12, 13, 14, 15 }, 0, 0 },

    /* RFC 3056, 2002::/16 */
    { { 0x20, 0x02 }, 0, 2, { 2, 3, 4, 5 }, 0, 0 },

    /* RFC 4380, 2001::/32: the client's */
    { { 0x20, 0x01, 0, 0 }, 0, 4, { 12, 13, 14, 15 }, 0xff, 0 },

    /* RFC 5214, whatever the network: an interface's identifier */
    { { 0, 0, 0x5e, 0xfe }, 8, 4, { 12, 13, 14, 15 }, 0, 0 },
    { { 0x02, 0, 0x5e, 0xfe }, 8, 4, { 12, 13, 14, 15 }, 0, 0 }
};

#define CWMP_RANGE_EMBEDDED                                                   \
    (sizeof(cwmp_range_embedded) / sizeof(cwmp_range_embedded[0]))

#endif


static ngx_int_t cwmp_range_inet(u_char *addr, ngx_uint_t *bits);
#if (NGX_HAVE_INET6)
static ngx_int_t cwmp_range_inet6(u_char *addr, ngx_uint_t *bits);
static ngx_uint_t cwmp_range_embeds(u_char *addr,
    const cwmp_range_embedded_t *e, u_char *inet);
#endif


ngx_int_t
cwmp_range_reserved(ngx_sockaddr_t *addr, ngx_uint_t *bits)
{
#if (NGX_HAVE_INET6)
    if (addr->sockaddr.sa_family == AF_INET6) {
        return cwmp_range_inet6(addr->sockaddr_in6.sin6_addr.s6_addr, bits);
    }
#endif

    return cwmp_range_inet((u_char *) &addr->sockaddr_in.sin_addr, bits);
}


ngx_uint_t
cwmp_range_reading(ngx_sockaddr_t *addr, ngx_uint_t *n,
    ngx_sockaddr_t *reading)
{
#if (NGX_HAVE_INET6)
    u_char  *inet;
#endif

    if (*n == 0) {
        *n = 1;
        *reading = *addr;
        return 1;
    }

#if (NGX_HAVE_INET6)

    if (addr->sockaddr.sa_family != AF_INET6) {
        return 0;
    }

    ngx_memzero(reading, sizeof(ngx_sockaddr_t));
    reading->sockaddr_in.sin_family = AF_INET;
    inet = (u_char *) &reading->sockaddr_in.sin_addr;

    while (*n <= CWMP_RANGE_EMBEDDED) {
        if (cwmp_range_embeds(addr->sockaddr_in6.sin6_addr.s6_addr,
                              &cwmp_range_embedded[(*n)++ - 1], inet))
        {
            return 1;
        }
    }

#endif

    return 0;
}


static ngx_int_t
cwmp_range_inet(u_char *addr, ngx_uint_t *bits)
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
cwmp_range_inet6(u_char *addr, ngx_uint_t *bits)
{
    u_char                        inet[4];
    ngx_int_t                     rc;
    ngx_uint_t                    i, last;
    struct in6_addr              *in6;
    const cwmp_range_embedded_t  *e;

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

    for (i = 0; i < CWMP_RANGE_EMBEDDED; i++) {
        e = &cwmp_range_embedded[i];

        if (!cwmp_range_embeds(addr, e, inet)) {
            continue;
        }

        rc = cwmp_range_inet(inet, bits);

        if (rc != NGX_OK) {
            last = *bits - 1;
            *bits = e->octet[last / 8] * 8 + last % 8 + 1;

            return rc;
        }
    }

    return NGX_OK;
}


static ngx_uint_t
cwmp_range_embeds(u_char *addr, const cwmp_range_embedded_t *e, u_char *inet)
{
    ngx_uint_t  i;

    static u_char  zero[16];

    if (ngx_memcmp(addr + e->from, e->prefix, e->len) != 0
        || ngx_memcmp(addr + 16 - e->zeros, zero, e->zeros) != 0)
    {
        return 0;
    }

    for (i = 0; i < 4; i++) {
        inet[i] = addr[e->octet[i]] ^ e->mask;
    }

    /* one form of several, and it is another one's address that begins so */

    return inet[0] != 0 || e->len != 6
           || ngx_memcmp(addr + e->len, zero, 16 - e->len) == 0;
}

#endif
