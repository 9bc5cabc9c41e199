
/*
 * Fieldgate: "cwmp_status": which endpoint is asked for.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_reply.h"
#include "ngx_http_cwmp_status.h"


typedef struct {
    ngx_str_t              name;
    ngx_http_cwmp_walk_pt  walk;       /* NULL: the counters */
    unsigned               prometheus:1;
    unsigned               items:1;    /* one of them by its id, too */
    unsigned               trace:1;    /* with "cwmp_trace" */
} ngx_http_cwmp_endpoint_t;


static ngx_http_cwmp_endpoint_t *ngx_http_cwmp_status_endpoint(
    ngx_http_request_t *r, ngx_str_t *id);
static ngx_int_t ngx_http_cwmp_status_format(ngx_http_request_t *r,
    ngx_uint_t *prometheus);
static ngx_int_t ngx_http_cwmp_status_counters(ngx_http_request_t *r,
    ngx_uint_t prometheus);


/* the first is the location itself */

static ngx_http_cwmp_endpoint_t  ngx_http_cwmp_endpoints[] = {
    { ngx_string(""), NULL, 0, 0, 0 },
    { ngx_string("counters"), NULL, 0, 0, 0 },
    { ngx_string("metrics"), NULL, 1, 0, 0 },
    { ngx_string("sessions"), ngx_http_cwmp_sessions, 0, 0, 0 },
    { ngx_string("devices"), ngx_http_cwmp_devices, 0, 1, 0 },
    { ngx_string("trace"), NULL, 0, 0, 1 }
};


ngx_int_t
ngx_http_cwmp_status_handler(ngx_http_request_t *r)
{
    ngx_int_t                  rc;
    ngx_str_t                  id;
    ngx_uint_t                 prometheus;
    ngx_http_cwmp_endpoint_t  *endpoint;

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    endpoint = ngx_http_cwmp_status_endpoint(r, &id);

    if (endpoint && endpoint->trace) {
        return ngx_http_cwmp_trace_handler(r);
    }

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {

        if (ngx_http_cwmp_reply_header(r, "Allow", "GET, HEAD") == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return ngx_http_cwmp_problem(r, NGX_HTTP_NOT_ALLOWED, NULL);
    }

    if (endpoint == NULL) {
        return ngx_http_cwmp_problem(r, NGX_HTTP_NOT_FOUND,
                                     "there is no such endpoint");
    }

    if (endpoint->walk) {
        return ngx_http_cwmp_page(r, endpoint->walk, &id);
    }

    prometheus = endpoint->prometheus;

    if (endpoint == ngx_http_cwmp_endpoints
        && ngx_http_cwmp_status_format(r, &prometheus) != NGX_OK)
    {
        return ngx_http_cwmp_problem(r, NGX_HTTP_BAD_REQUEST,
                                  "the format is neither json nor prometheus");
    }

    return ngx_http_cwmp_status_counters(r, prometheus);
}


/* by what follows the location's prefix; NULL: there is none */

static ngx_http_cwmp_endpoint_t *
ngx_http_cwmp_status_endpoint(ngx_http_request_t *r, ngx_str_t *id)
{
    u_char                    *slash;
    ngx_str_t                  name;
    ngx_uint_t                 i;
    ngx_http_core_loc_conf_t  *clcf;
    ngx_http_cwmp_endpoint_t  *e;
    ngx_http_cwmp_loc_conf_t  *wlcf;

    ngx_str_null(id);

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
    wlcf = ngx_http_get_module_loc_conf(r, ngx_http_cwmp_module);

    if (wlcf->whole || r->uri.len <= clcf->name.len) {
        return ngx_http_cwmp_endpoints;
    }

    name.data = r->uri.data + clcf->name.len;
    name.len = r->uri.len - clcf->name.len;

    if (clcf->name.len == 0 || clcf->name.data[clcf->name.len - 1] != '/') {

        if (name.data[0] != '/') {
            return NULL;
        }

        name.data++;
        name.len--;
    }

    slash = ngx_strlchr(name.data, name.data + name.len, '/');

    if (slash) {
        id->data = slash + 1;
        id->len = name.data + name.len - id->data;
        name.len = slash - name.data;
    }

    for (i = 0;
         i < sizeof(ngx_http_cwmp_endpoints)
             / sizeof(ngx_http_cwmp_endpoints[0]);
         i++)
    {
        e = &ngx_http_cwmp_endpoints[i];

        if (e->name.len == name.len
            && ngx_strncmp(e->name.data, name.data, name.len) == 0
            && (slash == NULL || (e->items && id->len))
            && (!e->trace || wlcf->trace != NGX_HTTP_CWMP_TRACE_OFF))
        {
            return e;
        }
    }

    return NULL;
}


static ngx_int_t
ngx_http_cwmp_status_format(ngx_http_request_t *r, ngx_uint_t *prometheus)
{
    ngx_str_t  format;

    if (ngx_http_arg(r, (u_char *) "format", 6, &format) != NGX_OK
        || (format.len == 4 && ngx_strncmp(format.data, "json", 4) == 0))
    {
        return NGX_OK;
    }

    *prometheus = 1;

    return (format.len == 10
            && ngx_strncmp(format.data, "prometheus", 10) == 0)
           ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_http_cwmp_status_counters(ngx_http_request_t *r, ngx_uint_t prometheus)
{
    ngx_chain_t                *out;
    ngx_http_cwmp_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_cwmp_module);

    out = ngx_alloc_chain_link(r->pool);
    if (out == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    out->next = NULL;

    out->buf = ngx_http_cwmp_metrics(r, cmcf->shared, prometheus);
    if (out->buf == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_cwmp_reply(r, NGX_HTTP_OK,
                               prometheus ? "text/plain; version=0.0.4"
                                          : "application/json", out);
}
