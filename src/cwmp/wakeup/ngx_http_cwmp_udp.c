
/*
 * Fieldgate: UDP connection requests, and the wait for what comes of them.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include <openssl/rand.h>

#include "ngx_http_cwmp_call.h"


/* milliseconds between two looks for the Inform */
#define NGX_HTTP_CWMP_UDP_LOOK  16


static u_char *ngx_http_cwmp_udp_create(ngx_http_cwmp_call_t *call,
    cwmp_udp_stamp_t *stamp);
static ngx_int_t ngx_http_cwmp_udp_send(ngx_http_cwmp_call_t *call);
static void ngx_http_cwmp_udp_handler(ngx_event_t *ev);


void
ngx_http_cwmp_udp_start(ngx_http_cwmp_call_t *call)
{
    cwmp_binding_t        b;
    ngx_http_cwmp_udp_t  *u;

    u = &call->udp;

    call->log.action = "calling a CPE by UDP";

    if (ngx_http_cwmp_binding_take(call->zone, &u->peer, &b) != NGX_OK) {
        ngx_http_cwmp_exchange_event(call, CWMP_EXCHANGE_UNBOUND);
        return;
    }

    u->local = b.local;

    if (b.known) {

        /* behind NAT many have the same URL: it counts for who has no name */

        ngx_memcpy(u->key, b.device, CWMP_TABLE_KEY_LEN);
    }

    u->heard = ngx_http_cwmp_address_heard(call->zone, u->key);

    if (ngx_http_cwmp_udp_create(call, &b.stamp) == NULL) {
        ngx_http_cwmp_exchange_event(call, CWMP_EXCHANGE_INTERNAL);
        return;
    }

    u->began = ngx_current_msec;

    if (ngx_http_cwmp_udp_send(call) == NGX_DECLINED) {

        /* another "cwmp_stun" has had its requests */

        ngx_http_cwmp_exchange_event(call, CWMP_EXCHANGE_UNBOUND);
        return;
    }

    u->event.handler = ngx_http_cwmp_udp_handler;
    u->event.data = call;
    u->event.log = &call->log;

    ngx_add_timer(&u->event, NGX_HTTP_CWMP_UDP_LOOK);
}


/* NULL: no memory, or libcrypto failed */

static u_char *
ngx_http_cwmp_udp_create(ngx_http_cwmp_call_t *call, cwmp_udp_stamp_t *stamp)
{
    u_char               *end, random[CWMP_UDP_CNONCE_LEN / 2];
    u_char                cn[CWMP_UDP_CNONCE_LEN];
    ngx_http_cwmp_udp_t  *u;

    u = &call->udp;

    if (RAND_bytes(random, sizeof(random)) != 1) {
        return NULL;
    }

    ngx_hex_dump(cn, random, sizeof(random));

    u->datagram.data = ngx_pnalloc(call->pool,
                                   cwmp_udp_size(&u->hostport,
                                                 &call->credentials));
    if (u->datagram.data == NULL) {
        return NULL;
    }

    end = cwmp_udp_request(u->datagram.data, &u->hostport, stamp,
                           &call->credentials, cn);

    if (end) {
        u->datagram.len = end - u->datagram.data;
    }

    return end;
}


static ngx_int_t
ngx_http_cwmp_udp_send(ngx_http_cwmp_call_t *call)
{
    ngx_int_t             rc;
    ngx_http_cwmp_udp_t  *u;

    u = &call->udp;

    u->copies++;

    rc = ngx_http_cwmp_stun_send(&u->local, &u->peer, u->datagram.data,
                                 u->datagram.len, &call->log);

    if (rc == NGX_OK) {
        ngx_http_cwmp_count(call->zone, UDP_SENT);
    }

    return rc;
}


/* the call's own timer ends it */

static void
ngx_http_cwmp_udp_handler(ngx_event_t *ev)
{
    uint32_t               heard;
    ngx_http_cwmp_udp_t   *u;
    ngx_http_cwmp_call_t  *call;

    call = ev->data;
    u = &call->udp;

    heard = ngx_http_cwmp_address_heard(call->zone, u->key);

    if ((int32_t) (heard - u->heard) > 0) {
        ngx_http_cwmp_exchange_event(call, CWMP_EXCHANGE_HEARD);
        return;
    }

    u->heard = heard;

    if (u->copies < CWMP_UDP_COPIES
        && ngx_current_msec - u->began >= cwmp_udp_due(u->copies))
    {
        (void) ngx_http_cwmp_udp_send(call);
    }

    ngx_add_timer(ev, NGX_HTTP_CWMP_UDP_LOOK);
}


void
ngx_http_cwmp_udp_stop(ngx_http_cwmp_call_t *call)
{
    if (call->udp.event.timer_set) {
        ngx_del_timer(&call->udp.event);
    }
}
