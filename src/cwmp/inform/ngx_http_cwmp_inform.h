
/*
 * Fieldgate: the messages of CPEs, as they are read and rewritten.
 */


#ifndef _NGX_HTTP_CWMP_INFORM_H_INCLUDED_
#define _NGX_HTTP_CWMP_INFORM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* ngx_http_cwmp_body.c */

/*
 * PRECONTENT: reads the body, finds the message, sets the context's facts,
 * rewrites.  NGX_DECLINED: go on; NGX_DONE: the body is being read or worked
 * on, and the phases go on by themselves; else an HTTP status.
 */
ngx_int_t ngx_http_cwmp_body_handler(ngx_http_request_t *r);

/*
 * PRECONTENT: judges by cwmp_require, if "inform", an Inform; else, when the
 * session is known, a message that could not be read and may be one.
 * NGX_DECLINED: go on; else an HTTP status, logged once a day and device.
 */
ngx_int_t ngx_http_cwmp_require_handler(ngx_http_request_t *r,
    ngx_uint_t inform);


/* ngx_http_cwmp_map.c */

/*
 * Maps URLs in the ACS's answers.  Called in postconfiguration.
 */
void ngx_http_cwmp_map_init(void);


/* ngx_http_cwmp_nat.c */

/*
 * PRECONTENT, when the message goes on to the ACS: has the zone know the
 * address that a device behind NAT has announced, and that a device has come
 * because of a connection request.
 */
void ngx_http_cwmp_nat_handler(ngx_http_request_t *r);


/* ngx_http_cwmp_line.c */

/* Nobody is in this worker's line of large bodies. */
void ngx_http_cwmp_line_init_process(ngx_cycle_t *cycle);


#endif /* _NGX_HTTP_CWMP_INFORM_H_INCLUDED_ */
