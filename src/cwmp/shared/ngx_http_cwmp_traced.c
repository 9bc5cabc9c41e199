
/*
 * Fieldgate: what happens to the device that is traced.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_shared.h"


static void ngx_http_cwmp_traced(ngx_http_request_t *r,
    cwmp_trace_event_e kind, ngx_uint_t status, ngx_str_t *text);
static void ngx_http_cwmp_traced_event(ngx_http_cwmp_zone_t *z, u_char *key,
    cwmp_trace_event_e kind, ngx_uint_t status, ngx_str_t *text, u_char *url);


/* without the lock: that somebody has asked is seen a moment later */

#define ngx_http_cwmp_tracing(z)                                              \
    ((z)->sh->trace.state == CWMP_TRACE_WAITING                               \
     || (z)->sh->trace.state == CWMP_TRACE_RUNNING)


void
ngx_http_cwmp_traced_message(ngx_http_request_t *r, ngx_int_t rc)
{
    ngx_http_cwmp_ctx_t        *ctx;
    ngx_http_cwmp_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_cwmp_module);

    if (!ngx_http_cwmp_tracing(cmcf->shared)) {
        return;
    }

    ctx = ngx_http_cwmp_find_ctx(r);

    if (ctx == NULL || !ctx->done) {
        return;
    }

    if (ctx->inform) {
        ngx_http_cwmp_traced(r, CWMP_TRACE_INFORM, 0, &ctx->events);

    } else {
        ngx_http_cwmp_traced(r, CWMP_TRACE_MESSAGE, 0, &ctx->method);
    }

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        ngx_http_cwmp_traced(r, CWMP_TRACE_REFUSED, rc, NULL);
    }
}


void
ngx_http_cwmp_traced_answer(ngx_http_request_t *r, ngx_uint_t last)
{
    ngx_str_t                  *server;
    ngx_http_cwmp_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_cwmp_module);

    if (!ngx_http_cwmp_tracing(cmcf->shared)) {
        return;
    }

    server = r->upstream->state ? r->upstream->state->peer : NULL;

    ngx_http_cwmp_traced(r, last ? CWMP_TRACE_LAST : CWMP_TRACE_ANSWER,
                         r->headers_out.status, server);
}


void
ngx_http_cwmp_traced_wakeup(ngx_http_cwmp_zone_t *z, u_char *url,
    ngx_str_t *result)
{
    if (ngx_http_cwmp_tracing(z)) {
        ngx_http_cwmp_traced_event(z, url, CWMP_TRACE_WAKEUP, 0, result, NULL);
    }
}


/* an event of the request's device; text: NULL, none */

static void
ngx_http_cwmp_traced(ngx_http_request_t *r, cwmp_trace_event_e kind,
    ngx_uint_t status, ngx_str_t *text)
{
    u_char                      key[CWMP_TABLE_KEY_LEN];
    ngx_http_cwmp_ctx_t        *ctx;
    ngx_http_cwmp_main_conf_t  *cmcf;

    ctx = ngx_http_cwmp_find_ctx(r);

    if (ctx == NULL || ctx->device_id.len == 0) {
        return;
    }

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_cwmp_module);

    ngx_http_cwmp_zone_key(cmcf->shared, key, NGX_HTTP_CWMP_KEY_DEVICE,
                           &ctx->device_id, 1);

    ngx_http_cwmp_traced_event(cmcf->shared, key, kind, status, text,
                               ctx->placed ? ctx->url : NULL);
}


static void
ngx_http_cwmp_traced_event(ngx_http_cwmp_zone_t *z, u_char *key,
    cwmp_trace_event_e kind, ngx_uint_t status, ngx_str_t *text, u_char *url)
{
    ngx_time_t          *tp;
    cwmp_trace_t        *trace;
    cwmp_trace_event_t   ev;

    static ngx_str_t  none = ngx_null_string;

    tp = ngx_timeofday();

    ngx_memzero(&ev, sizeof(cwmp_trace_event_t));

    ev.time = (int64_t) tp->sec * 1000 + tp->msec;
    ev.process = (uint32_t) ngx_pid;
    ev.kind = (uint16_t) kind;
    ev.status = (uint16_t) status;
    cwmp_trace_text(&ev, text ? text : &none);

    trace = ngx_http_cwmp_zone_trace_lock(z);

    if (url) {
        cwmp_trace_url(trace, key, url);
    }

    cwmp_trace_event(trace, key, &ev);

    ngx_http_cwmp_zone_trace_unlock(z);
}
