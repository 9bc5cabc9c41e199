
/*
 * Fieldgate: which devices there are, where they can be called, and how that
 * went the last time: for "cwmp_status".
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_shared.h"


typedef char  ngx_http_cwmp_device_row_fits
    [sizeof(cwmp_device_row_t) <= NGX_HTTP_CWMP_DEVICE_SIZE ? 1 : -1];
typedef char  ngx_http_cwmp_woken_row_fits
    [sizeof(cwmp_woken_row_t) <= NGX_HTTP_CWMP_WOKEN_SIZE ? 1 : -1];


static void ngx_http_cwmp_device_url(ngx_http_cwmp_zone_t *z, u_char *key,
    cwmp_origin_t *o);


void
ngx_http_cwmp_device_placed(ngx_http_request_t *r, cwmp_origin_t *o)
{
    ngx_http_cwmp_ctx_t        *ctx;
    ngx_http_cwmp_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_cwmp_module);

    if (!cmcf->status) {
        return;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_cwmp_module);

    ngx_http_cwmp_device_url(cmcf->shared, ctx->url, o);
    ctx->placed = 1;
}


/* anybody can name a device: who the ACS has not let in is none */

void
ngx_http_cwmp_device_answered(ngx_http_request_t *r)
{
    u_char                      key[CWMP_TABLE_KEY_LEN];
    ngx_str_t                   text[CWMP_FACTS];
    ngx_uint_t                  status;
    cwmp_table_t               *t;
    cwmp_facts_t                facts;
    ngx_http_cwmp_ctx_t        *ctx;
    ngx_http_cwmp_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_cwmp_module);
    status = r->upstream->headers_in.status_n;

    /* an answer that "cwmp_url_map" has refused comes here a second time, as an
       error of ours */

    if (!cmcf->status || r->filter_finalize || status < 200 || status > 299) {
        return;
    }

    ctx = ngx_http_cwmp_find_ctx(r);

    if (ctx == NULL || !ctx->done || !ctx->inform || !ctx->device_id.len) {
        return;
    }

    text[CWMP_FACT_OUI] = ctx->oui;
    text[CWMP_FACT_CLASS] = ctx->product_class;
    text[CWMP_FACT_SERIAL] = ctx->serial;
    text[CWMP_FACT_EVENTS] = ctx->events;

    if (cwmp_facts_pack(&facts, text) != NGX_OK) {
        return;
    }

    ngx_http_cwmp_zone_key(cmcf->shared, key, NGX_HTTP_CWMP_KEY_DEVICE,
                           &ctx->device_id, 1);

    t = ngx_http_cwmp_zone_lock(cmcf->shared, NGX_HTTP_CWMP_DEVICES);

    cwmp_device_row_set(t, key, ngx_current_msec, ngx_time(), &facts,
                        ctx->placed ? &ctx->origin : NULL, ctx->url);

    ngx_http_cwmp_zone_unlock(cmcf->shared, NGX_HTTP_CWMP_DEVICES);
}


void
ngx_http_cwmp_device_woken(ngx_http_request_t *r, cwmp_origin_t *o,
    ngx_uint_t result, ngx_msec_t took)
{
    u_char                      key[CWMP_TABLE_KEY_LEN];
    ngx_str_t                   name;
    cwmp_table_t               *t;
    cwmp_woken_row_t            woken;
    ngx_http_cwmp_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_cwmp_module);

    if (!cmcf->status) {
        return;
    }

    ngx_http_cwmp_device_url(cmcf->shared, key, o);

    woken.time = ngx_time();
    woken.result = (uint32_t) result;
    woken.took = (uint32_t) took;

    t = ngx_http_cwmp_zone_lock(cmcf->shared, NGX_HTTP_CWMP_WOKEN);
    cwmp_woken_row_set(t, key, ngx_current_msec, &woken);
    ngx_http_cwmp_zone_unlock(cmcf->shared, NGX_HTTP_CWMP_WOKEN);

    name.data = (u_char *) ngx_http_cwmp_counters[NGX_HTTP_CWMP_WAKEUPS_METHOD
                                                  + result].value;
    name.len = ngx_strlen(name.data);

    ngx_http_cwmp_traced_wakeup(cmcf->shared, key, &name);
}


/* what tells CPEs apart, also behind NAT */

static void
ngx_http_cwmp_device_url(ngx_http_cwmp_zone_t *z, u_char *key,
    cwmp_origin_t *o)
{
    ngx_str_t  parts[3];

    parts[0] = o->hostport;
    parts[1] = o->path;
    parts[2] = o->udp;

    ngx_http_cwmp_zone_key(z, key, NGX_HTTP_CWMP_KEY_WOKEN, parts, 3);
}
