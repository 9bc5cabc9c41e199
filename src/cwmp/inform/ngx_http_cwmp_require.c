
/*
 * Fieldgate: which CPEs an Inform may come from.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_body.h"
#include "ngx_http_cwmp_inform.h"
#include "ngx_http_cwmp_shared.h"


static ngx_int_t ngx_http_cwmp_require_values(ngx_http_request_t *r,
    ngx_http_cwmp_require_t *require);


ngx_int_t
ngx_http_cwmp_require_handler(ngx_http_request_t *r, ngx_uint_t inform)
{
    ngx_int_t                  rc;
    ngx_uint_t                 i;
    ngx_http_cwmp_ctx_t       *ctx;
    ngx_http_cwmp_require_t   *require;
    ngx_http_cwmp_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_cwmp_module);
    ctx = ngx_http_cwmp_find_ctx(r);

    if (clcf->require == NULL
        || r->method != NGX_HTTP_POST
        || ctx == NULL || !ctx->done)
    {
        return NGX_DECLINED;
    }

    if (inform ? !ctx->inform : (ctx->method.len != 0)) {
        return NGX_DECLINED;
    }

    require = clcf->require->elts;

    for (i = 0; i < clcf->require->nelts; i++) {
        rc = ngx_http_cwmp_require_values(r, &require[i]);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_cwmp_require_values(ngx_http_request_t *r,
    ngx_http_cwmp_require_t *require)
{
    u_char                     reason[NGX_INT_T_LEN + 1];
    ngx_str_t                  text;
    ngx_uint_t                 i;
    ngx_http_cwmp_ctx_t       *ctx;
    ngx_http_complex_value_t  *value;

    value = require->values->elts;

    for (i = 0; i < require->values->nelts; i++) {

        if (ngx_http_complex_value(r, &value[i], &text) != NGX_OK) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        if (text.len == 0 || (text.len == 1 && text.data[0] == '0')) {
            break;
        }
    }

    if (i == require->values->nelts) {
        return NGX_OK;
    }

    ctx = ngx_http_cwmp_find_ctx(r);

    *ngx_sprintf(reason, "%ui", require->place.line) = '\0';

    if (ngx_http_cwmp_first_time(r, "required", (char *) reason)) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "CPE \"%V\" is refused with %ui: value %ui of "
                      "\"cwmp_require\" in %V:%ui is \"%V\"",
                      &ctx->device_id, require->status, i + 1,
                      &require->place.file, require->place.line, &text);
    }

    return require->status;
}
