
/*
 * Fieldgate: CPEs behind NAT (TR-069 Annex G): the STUN server, and what the
 * zone knows of them.
 *
 * From a datagram to a wake-up
 *
 *   A CPE asks at "cwmp_stun" for its public address, and again every few
 *   seconds, from the socket at which it takes UDP connection requests.  Each
 *   request makes or refreshes a binding, which lives for ten minutes.
 *
 *   It announces that address to the ACS (UDPConnectionRequestAddress).  The
 *   room inform empties the value, and signs the address into the URL that is
 *   announced, if the policy admits it.
 *
 *   The ACS calls that URL.  The room wakeup sends UDP connection requests to
 *   the address, from where its binding requests went, and waits for an Inform
 *   with event 6 of the device, at whatever worker it comes in.
 *
 * The sockets are listening sockets as nginx has them: opened by the master,
 * kept over reloads and upgrades of the binary.  All workers read from the same
 * ones, so that no datagram is lost when workers come and go.
 *
 * What may happen in between
 *
 *   a worker is killed: others read on.  A row that was being written is
 *     dropped by the table, and comes again with the CPE's next request.
 *   nginx is restarted, or the binary upgraded: the zone is a new one; bindings
 *     come again within seconds, and the announced address is in the URL.
 *     Which device it belongs to is known from the next Inform on.
 *   a device is not known: an Inform with the same URL counts as one of it.
 *   the zone is full: the binding used least recently goes, and that CPE is
 *     not called by UDP until it asks again.
 *   somebody forges requests: rows of no CPE push out others only at
 *     CWMP_NET_RATE a net.
 *
 * t/cwmp-stun.t and t/cwmp-udp.t would notice.
 */


#ifndef _NGX_HTTP_CWMP_STUN_H_INCLUDED_
#define _NGX_HTTP_CWMP_STUN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "cwmp_binding.h"
#include "ngx_http_cwmp_shared.h"


/* ngx_http_cwmp_stun.c */

/* "cwmp_stun address:port;", in http{}, repeatable. */

char *ngx_http_cwmp_stun(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* In postconfiguration: the sockets log where http{} does. */

void ngx_http_cwmp_stun_init(ngx_conf_t *cf);

/*
 * Has the sockets read by us, and keeps them for sending while the worker
 * exits.  NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_cwmp_stun_init_process(ngx_cycle_t *cycle);

/*
 * Sends a datagram to peer, from the address where its STUN requests went.
 * Returns NGX_OK, NGX_DECLINED: there is no such socket any more, or NGX_ERROR:
 * not sent, which is logged at info.
 */
ngx_int_t ngx_http_cwmp_stun_send(cwmp_endpoint_t *local,
    cwmp_endpoint_t *peer, u_char *p, size_t len, ngx_log_t *log);


/* ngx_http_cwmp_binding.c: all of it takes and gives back the zone's lock */

/*
 * A request has come from peer, which *net is the net of: NGX_OK, or NGX_BUSY:
 * too many of that net, nothing is done.  local: where it went; NULL: it makes
 * no binding.
 */
ngx_int_t ngx_http_cwmp_binding_refresh(ngx_http_cwmp_zone_t *z,
    cwmp_endpoint_t *peer, cwmp_endpoint_t *local);

/* Whether there is a living binding, without a look at who has it. */

ngx_uint_t ngx_http_cwmp_binding_lives(ngx_http_cwmp_zone_t *z,
    cwmp_endpoint_t *peer);

/*
 * For a request by UDP: copies the binding, with its next stamp.  NGX_DECLINED:
 * there is none.
 */
ngx_int_t ngx_http_cwmp_binding_take(ngx_http_cwmp_zone_t *z,
    cwmp_endpoint_t *peer, cwmp_binding_t *b);

/*
 * Keys of addresses: that of a device, by its id and its client, since anybody
 * can name a device; that of a URL, announced by a client; that of a URL alone,
 * for who knows nothing more.
 */
void ngx_http_cwmp_address_of_device(ngx_http_cwmp_zone_t *z, u_char *key,
    ngx_str_t *device, ngx_str_t *client);
void ngx_http_cwmp_address_of_url(ngx_http_cwmp_zone_t *z, u_char *key,
    cwmp_origin_t *o, ngx_str_t *client);

/*
 * Puts down the address under the key.  device: who has it, for its binding, or
 * NULL.
 */
void ngx_http_cwmp_address_put(ngx_http_cwmp_zone_t *z, u_char *key,
    cwmp_endpoint_t *udp, u_char *device);

/* The address that is there; NGX_DECLINED: none. */

ngx_int_t ngx_http_cwmp_address_get(ngx_http_cwmp_zone_t *z, u_char *key,
    cwmp_endpoint_t *udp);

/*
 * An Inform with event 6 has come: whoever waits under the key learns it.
 */
void ngx_http_cwmp_address_hear(ngx_http_cwmp_zone_t *z, u_char *key);

/*
 * How often that has happened under the key: more than an earlier value is
 * news, less means that the row has gone.  One that is not there is made.
 */
uint32_t ngx_http_cwmp_address_heard(ngx_http_cwmp_zone_t *z, u_char *key);


#endif /* _NGX_HTTP_CWMP_STUN_H_INCLUDED_ */
