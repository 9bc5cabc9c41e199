
/*
 * Fieldgate: what the zone knows of CPEs behind NAT: its rows, under the lock.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_stun.h"


typedef u_char  ngx_http_cwmp_binding_fits_t[
    sizeof(cwmp_binding_t) <= NGX_HTTP_CWMP_BINDING_SIZE
    && sizeof(cwmp_address_t) <= NGX_HTTP_CWMP_ADDRESS_SIZE
    && sizeof(cwmp_net_t) <= NGX_HTTP_CWMP_NET_SIZE ? 1 : -1];


static void ngx_http_cwmp_binding_key(ngx_http_cwmp_zone_t *z, u_char *key,
    cwmp_endpoint_t *e);
static ngx_int_t ngx_http_cwmp_binding_limit(cwmp_table_t *t, u_char *key);
static cwmp_binding_t *ngx_http_cwmp_binding_row(ngx_http_cwmp_zone_t *z,
    cwmp_table_t *t, u_char *key);
static cwmp_address_t *ngx_http_cwmp_address_row(cwmp_table_t *t,
    u_char *key);


ngx_int_t
ngx_http_cwmp_binding_refresh(ngx_http_cwmp_zone_t *z, cwmp_endpoint_t *peer,
    cwmp_endpoint_t *local)
{
    u_char            key[CWMP_TABLE_KEY_LEN], net_key[CWMP_TABLE_KEY_LEN];
    ngx_int_t         rc;
    cwmp_table_t     *t;
    cwmp_binding_t   *b;
    cwmp_endpoint_t   net;

    cwmp_net_of(peer, &net);

    ngx_http_cwmp_binding_key(z, net_key, &net);
    ngx_http_cwmp_binding_key(z, key, peer);

    t = ngx_http_cwmp_zone_lock(z, NGX_HTTP_CWMP_NETS);

    rc = ngx_http_cwmp_binding_limit(t, net_key);

    if (rc != NGX_OK || local == NULL) {
        ngx_http_cwmp_zone_unlock(z, NGX_HTTP_CWMP_NETS);
        return rc;
    }

    t = ngx_http_cwmp_zone_switch(z, NGX_HTTP_CWMP_NETS,
                                  NGX_HTTP_CWMP_BINDINGS);

    b = ngx_http_cwmp_binding_row(z, t, key);

    if (b) {

        if (b->local.family == 0) {
            ngx_http_cwmp_count(z, BINDINGS_MADE);
        }

        b->local = *local;
        cwmp_table_touch(t, b, ngx_current_msec + CWMP_BINDING_TTL);
    }

    ngx_http_cwmp_zone_unlock(z, NGX_HTTP_CWMP_BINDINGS);

    return NGX_OK;
}


static ngx_int_t
ngx_http_cwmp_binding_limit(cwmp_table_t *t, u_char *key)
{
    cwmp_net_t  *net;

    net = cwmp_table_get(t, key, ngx_current_msec);

    if (net) {
        cwmp_table_open(t, net);
        cwmp_table_touch(t, net, ngx_current_msec + CWMP_NET_TTL);

    } else {
        net = cwmp_table_insert(t, key, ngx_current_msec,
                                ngx_current_msec + CWMP_NET_TTL,
                                ngx_http_cwmp_zone_alive);
        if (net == NULL) {
            return NGX_BUSY;
        }

        net->last = ngx_current_msec;
    }

    return cwmp_net_take(net, ngx_current_msec);
}


/* open for writing; NULL: there is no room */

static cwmp_binding_t *
ngx_http_cwmp_binding_row(ngx_http_cwmp_zone_t *z, cwmp_table_t *t,
    u_char *key)
{
    cwmp_binding_t  *b;

    b = cwmp_table_get(t, key, ngx_current_msec);

    if (b) {
        cwmp_table_open(t, b);
        return b;
    }

    if (cwmp_table_used(t) == cwmp_table_capacity(t)) {
        ngx_http_cwmp_count(z, BINDINGS_EVICTED);
    }

    return cwmp_table_insert(t, key, ngx_current_msec,
                             ngx_current_msec + CWMP_BINDING_TTL,
                             ngx_http_cwmp_zone_alive);
}


ngx_uint_t
ngx_http_cwmp_binding_lives(ngx_http_cwmp_zone_t *z, cwmp_endpoint_t *peer)
{
    u_char           key[CWMP_TABLE_KEY_LEN];
    ngx_uint_t       lives;
    cwmp_table_t    *t;
    cwmp_binding_t  *b;

    ngx_http_cwmp_binding_key(z, key, peer);

    t = ngx_http_cwmp_zone_lock(z, NGX_HTTP_CWMP_BINDINGS);

    b = cwmp_table_get(t, key, ngx_current_msec);
    lives = (b && b->local.family);

    ngx_http_cwmp_zone_unlock(z, NGX_HTTP_CWMP_BINDINGS);

    return lives;
}


ngx_int_t
ngx_http_cwmp_binding_take(ngx_http_cwmp_zone_t *z, cwmp_endpoint_t *peer,
    cwmp_binding_t *copy)
{
    u_char           key[CWMP_TABLE_KEY_LEN];
    ngx_int_t        rc;
    ngx_time_t      *tp;
    cwmp_table_t    *t;
    cwmp_binding_t  *b;

    rc = NGX_DECLINED;
    tp = ngx_timeofday();

    ngx_http_cwmp_binding_key(z, key, peer);

    t = ngx_http_cwmp_zone_lock(z, NGX_HTTP_CWMP_BINDINGS);

    b = cwmp_table_get(t, key, ngx_current_msec);

    if (b && b->local.family) {
        cwmp_table_open(t, b);
        cwmp_udp_next(&b->stamp, tp->sec, tp->msec);

        *copy = *b;
        rc = NGX_OK;
    }

    ngx_http_cwmp_zone_unlock(z, NGX_HTTP_CWMP_BINDINGS);

    return rc;
}


static void
ngx_http_cwmp_binding_key(ngx_http_cwmp_zone_t *z, u_char *key,
    cwmp_endpoint_t *e)
{
    ngx_str_t  part;

    part.data = (u_char *) e;
    part.len = sizeof(cwmp_endpoint_t);

    ngx_http_cwmp_zone_key(z, key, NGX_HTTP_CWMP_KEY_BINDING, &part, 1);
}


void
ngx_http_cwmp_address_of_device(ngx_http_cwmp_zone_t *z, u_char *key,
    ngx_str_t *device, ngx_str_t *client)
{
    ngx_str_t  parts[2];

    parts[0] = *device;
    parts[1] = *client;

    ngx_http_cwmp_zone_key(z, key, NGX_HTTP_CWMP_KEY_UDP_DEVICE, parts, 2);
}


void
ngx_http_cwmp_address_of_url(ngx_http_cwmp_zone_t *z, u_char *key,
    cwmp_origin_t *o, ngx_str_t *client)
{
    ngx_str_t  parts[3];

    parts[0] = o->hostport;
    parts[1] = o->path;

    if (client) {
        parts[2] = *client;
    }

    ngx_http_cwmp_zone_key(z, key, NGX_HTTP_CWMP_KEY_UDP_URL, parts,
                           client ? 3 : 2);
}


void
ngx_http_cwmp_address_put(ngx_http_cwmp_zone_t *z, u_char *key,
    cwmp_endpoint_t *udp, u_char *device)
{
    u_char           binding_key[CWMP_TABLE_KEY_LEN];
    cwmp_table_t    *t;
    cwmp_address_t  *a;
    cwmp_binding_t  *b;

    ngx_http_cwmp_binding_key(z, binding_key, udp);

    t = ngx_http_cwmp_zone_lock(z, NGX_HTTP_CWMP_ADDRESSES);

    a = ngx_http_cwmp_address_row(t, key);

    if (a) {
        a->udp = *udp;
    }

    if (device == NULL) {
        ngx_http_cwmp_zone_unlock(z, NGX_HTTP_CWMP_ADDRESSES);
        return;
    }

    t = ngx_http_cwmp_zone_switch(z, NGX_HTTP_CWMP_ADDRESSES,
                                  NGX_HTTP_CWMP_BINDINGS);

    /* perhaps before its first request is seen here */

    b = ngx_http_cwmp_binding_row(z, t, binding_key);

    if (b) {
        b->known = 1;
        ngx_memcpy(b->device, device, CWMP_TABLE_KEY_LEN);
    }

    ngx_http_cwmp_zone_unlock(z, NGX_HTTP_CWMP_BINDINGS);
}


ngx_int_t
ngx_http_cwmp_address_get(ngx_http_cwmp_zone_t *z, u_char *key,
    cwmp_endpoint_t *udp)
{
    ngx_int_t        rc;
    cwmp_table_t    *t;
    cwmp_address_t  *a;

    rc = NGX_DECLINED;

    t = ngx_http_cwmp_zone_lock(z, NGX_HTTP_CWMP_ADDRESSES);

    a = cwmp_table_get(t, key, ngx_current_msec);

    if (a && a->udp.family) {
        *udp = a->udp;
        rc = NGX_OK;
    }

    ngx_http_cwmp_zone_unlock(z, NGX_HTTP_CWMP_ADDRESSES);

    return rc;
}


void
ngx_http_cwmp_address_hear(ngx_http_cwmp_zone_t *z, u_char *key)
{
    cwmp_table_t    *t;
    cwmp_address_t  *a;

    t = ngx_http_cwmp_zone_lock(z, NGX_HTTP_CWMP_ADDRESSES);

    a = cwmp_table_get(t, key, ngx_current_msec);

    if (a) {
        cwmp_table_open(t, a);
        a->heard++;
    }

    ngx_http_cwmp_zone_unlock(z, NGX_HTTP_CWMP_ADDRESSES);
}


uint32_t
ngx_http_cwmp_address_heard(ngx_http_cwmp_zone_t *z, u_char *key)
{
    uint32_t         heard;
    cwmp_table_t    *t;
    cwmp_address_t  *a;

    t = ngx_http_cwmp_zone_lock(z, NGX_HTTP_CWMP_ADDRESSES);

    a = ngx_http_cwmp_address_row(t, key);
    heard = a ? a->heard : 0;

    ngx_http_cwmp_zone_unlock(z, NGX_HTTP_CWMP_ADDRESSES);

    return heard;
}


/* open for writing; NULL: there is no room */

static cwmp_address_t *
ngx_http_cwmp_address_row(cwmp_table_t *t, u_char *key)
{
    cwmp_address_t  *a;

    a = cwmp_table_get(t, key, ngx_current_msec);

    if (a) {
        cwmp_table_open(t, a);
        cwmp_table_touch(t, a, ngx_current_msec + CWMP_ADDRESS_TTL);
        return a;
    }

    return cwmp_table_insert(t, key, ngx_current_msec,
                             ngx_current_msec + CWMP_ADDRESS_TTL,
                             ngx_http_cwmp_zone_alive);
}
