
/*
 * Fieldgate: what the zone knows of CPEs behind NAT, as rows of its tables.
 *
 * binding   By the public address and port that a CPE's STUN requests come
 *           from: where they went, since only from there datagrams reach it,
 *           and which device announced that address.
 *
 * address   Under the device, and under its origin: the address announced last,
 *           for messages that have the URL only; and how often the device came
 *           because of a connection request, which is the only answer that
 *           there is to one by UDP.
 *
 * net       The requests of an IPv4 /24 or IPv6 /64, which are limited.
 *
 * All are called with the zone's lock held, but for what takes no row.  "now"
 * is that of cwmp_table.h, and may be behind that of another process.
 */


#ifndef _CWMP_BINDING_H_INCLUDED_
#define _CWMP_BINDING_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_stun.h"
#include "cwmp_udp.h"
#include "cwmp_zone.h"


/* milliseconds after the last request of the CPE, the announcement, the last
 * datagram */
#define CWMP_BINDING_TTL   600000
#define CWMP_ADDRESS_TTL   (7 * 86400000)
#define CWMP_NET_TTL       10000

/* requests a second, and how many at once, of an IPv4 /24 or an IPv6 /64 */
#define CWMP_NET_RATE      1000
#define CWMP_NET_BURST     2000


typedef struct {
    cwmp_endpoint_t      local;        /* none: no request has come yet */
    cwmp_udp_stamp_t     stamp;
    uint32_t             known;        /* device is set */
    u_char               device[CWMP_TABLE_KEY_LEN];
} cwmp_binding_t;


typedef struct {
    cwmp_endpoint_t      udp;          /* none: not announced */
    uint32_t             heard;        /* Informs with event 6; wraps */
} cwmp_address_t;


typedef struct {
    uint64_t             level;        /* in the bucket: thousandths of one */
    ngx_msec_t           last;         /* when it had this level */
} cwmp_net_t;


/* The net of an address, as a key; port 0. */

void cwmp_net_of(cwmp_endpoint_t *e, cwmp_endpoint_t *net);

/* NGX_OK: the request is in the bucket; NGX_BUSY: there is no room for it. */

ngx_int_t cwmp_net_take(cwmp_net_t *net, ngx_msec_t now);

/*
 * Whether one of the event codes, separated by commas, is 6 CONNECTION REQUEST,
 * with or without the words.
 */
ngx_uint_t cwmp_binding_woken(ngx_str_t *events);


#endif /* _CWMP_BINDING_H_INCLUDED_ */
