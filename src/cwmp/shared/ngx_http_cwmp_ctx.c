
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


/* only marks the context: it goes with the pool */

static void
ngx_http_cwmp_cleanup_ctx(void *data)
{
}
