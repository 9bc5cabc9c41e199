
/*
 * Fieldgate: ranges of addresses that nobody means who does not name them, and
 * the IPv4 addresses that IPv6 ones lead to, over a translator or a tunnel.
 * Mapped IPv4 addresses are IPv4 ones to the caller already.
 */


#ifndef _CWMP_RANGE_H_INCLUDED_
#define _CWMP_RANGE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_policy.h"


/*
 * Whether an address (AF_INET or AF_INET6), or an IPv4 address that it leads
 * to, is loopback, link-local, unspecified or multicast: NGX_OK if none of
 * them, else the cwmp_policy_error_e, and a CIDR names the range if its prefix
 * has that many bits at least, 1 to 128 of the address as it is.
 */
ngx_int_t cwmp_range_reserved(ngx_sockaddr_t *addr, ngx_uint_t *bits);

/*
 * The readings of an address, one after the other: as it is, and as each IPv4
 * address that it leads to.  *n is 0 at first.  0: there are no more.
 */
ngx_uint_t cwmp_range_reading(ngx_sockaddr_t *addr, ngx_uint_t *n,
    ngx_sockaddr_t *reading);


#endif /* _CWMP_RANGE_H_INCLUDED_ */
