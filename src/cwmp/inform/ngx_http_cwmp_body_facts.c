
/*
 * Fieldgate: what a message says of its sender and of itself.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_body.h"


static void ngx_http_cwmp_count_message(ngx_http_cwmp_zone_t *z,
    ngx_str_t *method);


ngx_int_t
ngx_http_cwmp_body_facts(ngx_http_cwmp_body_t *b)
{
    ngx_pool_t                 *pool;
    cwmp_message_t             *m;
    ngx_http_cwmp_ctx_t        *ctx;
    ngx_http_cwmp_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(b->request, ngx_http_cwmp_module);

    m = &b->message;
    ctx = b->ctx;
    pool = b->request->pool;

    if (ngx_http_cwmp_fact(pool, &ctx->method, m->method.data, m->method.len)
        != NGX_OK
        || ngx_http_cwmp_fact(pool, &ctx->oui, m->oui.data, m->oui.len)
           != NGX_OK
        || ngx_http_cwmp_fact(pool, &ctx->product_class,
                              m->product_class.data, m->product_class.len)
           != NGX_OK
        || ngx_http_cwmp_fact(pool, &ctx->serial, m->serial.data,
                              m->serial.len)
           != NGX_OK
        || ngx_http_cwmp_fact(pool, &ctx->events, m->events, m->nevents)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    ctx->inform = (ctx->method.len == 6
                   && ngx_strncmp(ctx->method.data, "Inform", 6) == 0);

    ngx_http_cwmp_count_message(cmcf->shared, &ctx->method);

    return ngx_http_cwmp_device_id(pool, ctx);
}


/* the names are a CPE's, so only those that are known have a counter */

static void
ngx_http_cwmp_count_message(ngx_http_cwmp_zone_t *z, ngx_str_t *method)
{
    char        *name;
    ngx_uint_t   i;

    for (i = NGX_HTTP_CWMP_MESSAGES_INFORM;
         i < NGX_HTTP_CWMP_MESSAGES_OTHER;
         i++)
    {
        name = ngx_http_cwmp_counters[i].value;

        if (method->len == ngx_strlen(name)
            && ngx_strncmp(method->data, name, method->len) == 0)
        {
            break;
        }
    }

    ngx_http_cwmp_add(z, i, 1);
}


ngx_int_t
ngx_http_cwmp_fact(ngx_pool_t *pool, ngx_str_t *to, u_char *data, size_t len)
{
    if (len == 0) {
        ngx_str_set(to, "");
        return NGX_OK;
    }

    to->len = len;

    to->data = ngx_pnalloc(pool, len);
    if (to->data == NULL) {
        to->len = 0;
        return NGX_ERROR;
    }

    ngx_memcpy(to->data, data, len);

    return NGX_OK;
}
