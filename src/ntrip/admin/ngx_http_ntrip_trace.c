
/*
 * Fieldgate: "ntrip_status" and "ntrip_api": the trace of one user.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_ntrip_status.h"


static ngx_str_t *ngx_http_ntrip_trace_user(ngx_http_ntrip_ctx_t *ctx);


ngx_int_t
ngx_http_ntrip_trace(ngx_http_ntrip_ctx_t *ctx)
{
    u_char         buf[NTRIP_TRACE_JSON];
    ntrip_json_t   json;
    ntrip_trace_t  trace;

    ngx_stream_ntrip_trace_copy(&trace);

    ntrip_json_init(&json, buf, sizeof(buf), NULL, 0);
    ntrip_trace_json(&trace, &json);

    if (json.out.overflow) {
        return NGX_ERROR;
    }

    ngx_http_ntrip_add(ctx, json.out.start, json.out.last - json.out.start);

    return NGX_OK;
}


ngx_int_t
ngx_http_ntrip_trace_order(ngx_http_ntrip_ctx_t *ctx, ngx_str_t *body)
{
    ngx_str_t  *user, nobody;

    if (body->len) {
        ctx->detail = "the request has a body";
        return NGX_HTTP_BAD_REQUEST;
    }

    if (ctx->request->method == NGX_HTTP_DELETE) {
        (void) ngx_stream_ntrip_trace_arm(NULL);

        ngx_str_null(&nobody);
        ngx_http_ntrip_audit(ctx, &nobody);

        ctx->status = NGX_HTTP_NO_CONTENT;

        return NGX_OK;
    }

    user = ngx_http_ntrip_trace_user(ctx);

    if (user == NULL) {
        ctx->detail = "there is no argument user";
        return NGX_HTTP_BAD_REQUEST;
    }

    if (ngx_stream_ntrip_trace_arm(user) != NGX_OK) {
        ctx->detail = "user is empty, or has more than 255 bytes";
        return NGX_HTTP_BAD_REQUEST;
    }

    ngx_http_ntrip_audit(ctx, user);

    return ngx_http_ntrip_trace(ctx);
}


/* arguments that are no others are filters */

static ngx_str_t *
ngx_http_ntrip_trace_user(ngx_http_ntrip_ctx_t *ctx)
{
    ngx_uint_t  i;

    for (i = 0; i < ctx->nfilters; i++) {
        if (ntrip_text_is(&ctx->filters[i].name, "user")) {
            return &ctx->filters[i].value;
        }
    }

    return NULL;
}
