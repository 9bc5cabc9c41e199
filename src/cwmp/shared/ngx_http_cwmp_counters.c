
/*
 * Fieldgate: the counters of all workers: what they are called.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_http_cwmp_counters.h"


#define NGX_HTTP_CWMP_FAMILY_ROW(id, name, label, help)  { name, label, help },

ngx_http_cwmp_family_t  ngx_http_cwmp_families[] = {
    NGX_HTTP_CWMP_FAMILIES(NGX_HTTP_CWMP_FAMILY_ROW)
};


#define NGX_HTTP_CWMP_COUNTER_ROW(id, family, value)                          \
    { NGX_HTTP_CWMP_FAMILY_##family, value },

ngx_http_cwmp_counter_t  ngx_http_cwmp_counters[] = {
    NGX_HTTP_CWMP_COUNTERS(NGX_HTTP_CWMP_COUNTER_ROW)
};
