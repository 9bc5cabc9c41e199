
/*
 * Fieldgate: replies of "cwmp_status": what its files share.
 *
 * ngx_http_cwmp_status.c    which endpoint is asked for
 * ngx_http_cwmp_metrics.c   counters, as JSON and for Prometheus
 * ngx_http_cwmp_lists.c     sessions, devices
 * ngx_http_cwmp_trace.c     cwmp_trace
 * ngx_http_cwmp_reply.c     arguments, pages, problems, the reply itself
 * cwmp_item.c               items as JSON, and filters
 *
 * A page is made in turns of the event loop, in each of which so many rows are
 * looked at that CPEs hardly notice, and goes out when it is whole.
 */


#ifndef _NGX_HTTP_CWMP_REPLY_H_INCLUDED_
#define _NGX_HTTP_CWMP_REPLY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_shared.h"
#include "cwmp_item.h"


#define NGX_HTTP_CWMP_FILTERS    8
#define NGX_HTTP_CWMP_LIMIT      100
#define NGX_HTTP_CWMP_LIMIT_MAX  1000


typedef struct ngx_http_cwmp_page_s  ngx_http_cwmp_page_t;

/*
 * Goes on with the page: NGX_OK, it is whole; NGX_AGAIN, the turn is over;
 * NGX_DECLINED, there is no such item; NGX_ERROR, no memory.
 */
typedef ngx_int_t (*ngx_http_cwmp_walk_pt)(ngx_http_cwmp_page_t *page);


struct ngx_http_cwmp_page_s {
    ngx_http_request_t     *request;
    ngx_http_cwmp_zone_t   *zone;
    ngx_http_cwmp_walk_pt   walk;
    ngx_event_t             event;     /* another turn */

    ngx_str_t               id;        /* of one item; empty: the list */
    ngx_uint_t              limit;
    ngx_uint_t              nfilters;
    cwmp_filter_t           filters[NGX_HTTP_CWMP_FILTERS];

    ngx_uint_t              place;     /* of the next row in its table */
    ngx_uint_t              n;         /* items so far */
    ngx_chain_t            *out;
    ngx_chain_t           **last;
};


/*
 * Makes a page, or answers with what is wrong with the arguments; and what the
 * content handler returns.
 */
ngx_int_t ngx_http_cwmp_page(ngx_http_request_t *r,
    ngx_http_cwmp_walk_pt walk, ngx_str_t *id);

/*
 * An item, if the filters let it pass.  NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_cwmp_page_item(ngx_http_cwmp_page_t *page,
    cwmp_field_t *fields, ngx_uint_t n);

/*
 * The end of a list.  more: there are rows from page->place on.  NGX_ERROR: no
 * memory.
 */
ngx_int_t ngx_http_cwmp_page_end(ngx_http_cwmp_page_t *page, ngx_uint_t more);

/*
 * Sends a reply with that status and type, of status 200 with an ETag.
 */
ngx_int_t ngx_http_cwmp_reply(ngx_http_request_t *r, ngx_uint_t status,
    const char *type, ngx_chain_t *out);

/*
 * Sends a problem, RFC 9457; detail: NULL, nothing more is to be said.
 */
ngx_int_t ngx_http_cwmp_problem(ngx_http_request_t *r, ngx_uint_t status,
    const char *detail);

/*
 * A header of the reply, whose strings last as long as the request.
 */
ngx_table_elt_t *ngx_http_cwmp_reply_header(ngx_http_request_t *r,
    const char *name, const char *value);


/* ngx_http_cwmp_metrics.c */

/* NULL: no memory */
ngx_buf_t *ngx_http_cwmp_metrics(ngx_http_request_t *r,
    ngx_http_cwmp_zone_t *z, ngx_uint_t prometheus);


/* ngx_http_cwmp_lists.c */

ngx_int_t ngx_http_cwmp_sessions(ngx_http_cwmp_page_t *page);
ngx_int_t ngx_http_cwmp_devices(ngx_http_cwmp_page_t *page);


/* ngx_http_cwmp_trace.c: what the content handler returns */

#define NGX_HTTP_CWMP_TRACE_METHODS                                           \
    (NGX_HTTP_GET|NGX_HTTP_HEAD|NGX_HTTP_POST|NGX_HTTP_DELETE)

ngx_int_t ngx_http_cwmp_trace_handler(ngx_http_request_t *r);


/* ngx_http_cwmp_trace_guard.c: whether the client has shown the certificate
   that its location asks for; yes, if others guard it, too */

ngx_uint_t ngx_http_cwmp_trace_certified(ngx_http_request_t *r);


#endif /* _NGX_HTTP_CWMP_REPLY_H_INCLUDED_ */
