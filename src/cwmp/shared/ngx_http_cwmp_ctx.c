
/*
 * Fieldgate: the context of a request.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_shared.h"


static void ngx_http_cwmp_cleanup_ctx(void *data);


ngx_http_cwmp_ctx_t *
ngx_http_cwmp_find_ctx(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t   *cln;
    ngx_http_cwmp_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_cwmp_module);

    if (ctx || (!r->internal && !r->filter_finalize)) {
        return ctx;
    }

    /* an internal redirect has dropped it, but the body is rewritten */

    for (cln = r->pool->cleanup; cln; cln = cln->next) {
        if (cln->handler == ngx_http_cwmp_cleanup_ctx) {
            ngx_http_set_ctx(r, cln->data, ngx_http_cwmp_module);
            return cln->data;
        }
    }

    return NULL;
}


ngx_http_cwmp_ctx_t *
ngx_http_cwmp_get_ctx(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t   *cln;
    ngx_http_cwmp_ctx_t  *ctx;

    ctx = ngx_http_cwmp_find_ctx(r);

    if (ctx == NULL) {
        cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_cwmp_ctx_t));
        if (cln == NULL) {
            return NULL;
        }

        cln->handler = ngx_http_cwmp_cleanup_ctx;

        ctx = cln->data;
        ngx_memzero(ctx, sizeof(ngx_http_cwmp_ctx_t));

        ngx_http_set_ctx(r, ctx, ngx_http_cwmp_module);
    }

    return ctx;
}


ngx_int_t
ngx_http_cwmp_device_id(ngx_pool_t *pool, ngx_http_cwmp_ctx_t *ctx)
{
    u_char  *p;

    if (ctx->oui.len == 0 && ctx->serial.len == 0) {
        return NGX_OK;
    }

    p = ngx_pnalloc(pool, ctx->oui.len + 1 + ctx->product_class.len + 1
                          + ctx->serial.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ctx->device_id.data = p;

    p = ngx_cpymem(p, ctx->oui.data, ctx->oui.len);
    *p++ = '-';

    if (ctx->product_class.len) {
        p = ngx_cpymem(p, ctx->product_class.data, ctx->product_class.len);
        *p++ = '-';
    }

    p = ngx_cpymem(p, ctx->serial.data, ctx->serial.len);

    ctx->device_id.len = p - ctx->device_id.data;

    return NGX_OK;
}


/* only marks the context: it goes with the pool */

static void
ngx_http_cwmp_cleanup_ctx(void *data)
{
}
