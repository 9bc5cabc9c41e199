
/*
 * Fieldgate: hooks of parts that are not there yet.  Goes with the last one.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_module.h"


ngx_int_t
ngx_http_cwmp_wakeup_handler(ngx_http_request_t *r)
{
    return NGX_HTTP_NOT_IMPLEMENTED;
}


ngx_int_t
ngx_http_cwmp_wakeup_variable(ngx_http_request_t *r, ngx_uint_t which,
    ngx_str_t *value)
{
    return NGX_DECLINED;
}


ngx_int_t
ngx_http_cwmp_status_handler(ngx_http_request_t *r)
{
    return NGX_HTTP_NOT_IMPLEMENTED;
}
