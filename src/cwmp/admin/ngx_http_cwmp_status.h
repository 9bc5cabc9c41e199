
/*
 * Fieldgate: the status of the CWMP module.
 */


#ifndef _NGX_HTTP_CWMP_STATUS_H_INCLUDED_
#define _NGX_HTTP_CWMP_STATUS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_conf.h"


/* the content handler of "cwmp_status" */

ngx_int_t ngx_http_cwmp_status_handler(ngx_http_request_t *r);

/*
 * "cwmp_trace on | unguarded | off;", what a location inherits of it and of
 * "cwmp_status", and in postconfiguration whether those that are on may be.
 */

char *ngx_http_cwmp_trace(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_cwmp_trace_merge(ngx_conf_t *cf,
    ngx_http_cwmp_loc_conf_t *prev, ngx_http_cwmp_loc_conf_t *conf);
ngx_int_t ngx_http_cwmp_trace_init(ngx_conf_t *cf);


#endif /* _NGX_HTTP_CWMP_STATUS_H_INCLUDED_ */
