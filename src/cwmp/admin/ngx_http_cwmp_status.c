
/*
 * Fieldgate: "cwmp_status": the counters as JSON, or as Prometheus reads them.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_module.h"
#include "ngx_http_cwmp_zone.h"


/* beside the strings and the number of a row */

#define NGX_HTTP_CWMP_STATUS_ROW  160


static size_t ngx_http_cwmp_status_size(void);
static u_char *ngx_http_cwmp_status_json(u_char *p, ngx_http_cwmp_zone_t *z);
static u_char *ngx_http_cwmp_status_json_time(u_char *p,
    ngx_http_cwmp_zone_t *z);
static u_char *ngx_http_cwmp_status_json_tables(u_char *p,
    ngx_http_cwmp_zone_t *z);
static u_char *ngx_http_cwmp_status_prometheus(u_char *p,
    ngx_http_cwmp_zone_t *z);
static u_char *ngx_http_cwmp_status_prometheus_time(u_char *p,
    ngx_http_cwmp_zone_t *z);
static u_char *ngx_http_cwmp_status_prometheus_tables(u_char *p,
    ngx_http_cwmp_zone_t *z);


static char  *ngx_http_cwmp_table_names[NGX_HTTP_CWMP_TABLES] = {
    "sessions", "cookies", "nonces", "calls"
};


ngx_int_t
ngx_http_cwmp_status_handler(ngx_http_request_t *r)
{
    ngx_int_t                   rc;
    ngx_buf_t                  *b;
    ngx_str_t                   format;
    ngx_uint_t                  prometheus;
    ngx_chain_t                 out;
    ngx_http_cwmp_main_conf_t  *cmcf;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    prometheus = 0;

    if (ngx_http_arg(r, (u_char *) "format", 6, &format) == NGX_OK) {

        if (format.len == 10
            && ngx_strncmp(format.data, "prometheus", 10) == 0)
        {
            prometheus = 1;

        } else if (format.len != 4
                   || ngx_strncmp(format.data, "json", 4) != 0)
        {
            return NGX_HTTP_BAD_REQUEST;
        }
    }

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_cwmp_module);

    b = ngx_create_temp_buf(r->pool, ngx_http_cwmp_status_size());
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (prometheus) {
        b->last = ngx_http_cwmp_status_prometheus(b->last, cmcf->shared);
        ngx_str_set(&r->headers_out.content_type, "text/plain; version=0.0.4");

    } else {
        b->last = ngx_http_cwmp_status_json(b->last, cmcf->shared);
        ngx_str_set(&r->headers_out.content_type, "application/json");
    }

    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = b->last - b->pos;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    b->last_buf = (r == r->main) ? 1 : 0;
    b->last_in_chain = 1;

    out.buf = b;
    out.next = NULL;

    return ngx_http_output_filter(r, &out);
}


static size_t
ngx_http_cwmp_status_size(void)
{
    size_t                    size;
    ngx_http_cwmp_counter_t  *c;

    /* the tables, two rows each */

    size = 2 * NGX_HTTP_CWMP_TABLES
           * (NGX_HTTP_CWMP_STATUS_ROW + NGX_INT_T_LEN);

    /* a family's name stands in HELP, TYPE and the row itself */

    for (c = ngx_http_cwmp_counters; c->family; c++) {
        size += NGX_HTTP_CWMP_STATUS_ROW + NGX_ATOMIC_T_LEN
                + 3 * ngx_strlen(c->family) + ngx_strlen(c->label)
                + ngx_strlen(c->value) + ngx_strlen(c->help);
    }

    return size;
}


static u_char *
ngx_http_cwmp_status_json(u_char *p, ngx_http_cwmp_zone_t *z)
{
    ngx_uint_t                i, open;
    ngx_http_cwmp_counter_t  *c, *last;

    *p++ = '{';

    open = 0;
    last = NULL;

    for (i = 0; i < NGX_HTTP_CWMP_NCOUNTERS; i++) {

        if (i >= NGX_HTTP_CWMP_EXCHANGES_5
            && i <= NGX_HTTP_CWMP_EXCHANGES_TIME)
        {
            continue;
        }

        c = &ngx_http_cwmp_counters[i];

        if (last == NULL || ngx_strcmp(c->family, last->family) != 0) {

            if (open) {
                *p++ = '}';
            }

            p = ngx_sprintf(p, "%s\"%s\":", last ? "," : "", c->family);

            open = (c->label[0] != '\0');

            if (open) {
                *p++ = '{';
            }

        } else {
            *p++ = ',';
        }

        if (open) {
            p = ngx_sprintf(p, "\"%s\":", c->value);
        }

        p = ngx_sprintf(p, "%uA", z->sh->counters[i]);

        last = c;
    }

    if (open) {
        *p++ = '}';
    }

    p = ngx_http_cwmp_status_json_time(p, z);
    p = ngx_http_cwmp_status_json_tables(p, z);

    return ngx_cpymem(p, "}\n", 2);
}


static u_char *
ngx_http_cwmp_status_json_time(u_char *p, ngx_http_cwmp_zone_t *z)
{
    ngx_uint_t         i;
    ngx_atomic_uint_t  n, sum;

    p = ngx_sprintf(p, ",\"exchange_seconds\":{\"buckets\":{");

    n = 0;

    for (i = NGX_HTTP_CWMP_EXCHANGES_5; i <= NGX_HTTP_CWMP_EXCHANGES_INF; i++)
    {
        n += z->sh->counters[i];

        p = ngx_sprintf(p, "%s\"%s\":%uA",
                        i == NGX_HTTP_CWMP_EXCHANGES_5 ? "" : ",",
                        ngx_http_cwmp_counters[i].value, n);
    }

    sum = z->sh->counters[NGX_HTTP_CWMP_EXCHANGES_TIME];

    return ngx_sprintf(p, "},\"sum\":%uA.%03uA,\"count\":%uA}",
                       sum / 1000, sum % 1000, n);
}


static u_char *
ngx_http_cwmp_status_json_tables(u_char *p, ngx_http_cwmp_zone_t *z)
{
    ngx_uint_t  i;

    p = ngx_sprintf(p, ",\"tables\":{");

    for (i = 0; i < NGX_HTTP_CWMP_TABLES; i++) {
        p = ngx_sprintf(p, "%s\"%s\":{\"rows\":%ui,\"used\":%ui}",
                        i ? "," : "", ngx_http_cwmp_table_names[i],
                        cwmp_table_capacity(z->tables[i]),
                        cwmp_table_used(z->tables[i]));
    }

    *p++ = '}';

    return p;
}


static u_char *
ngx_http_cwmp_status_prometheus(u_char *p, ngx_http_cwmp_zone_t *z)
{
    ngx_uint_t                i;
    ngx_http_cwmp_counter_t  *c, *last;

    last = NULL;

    for (i = 0; i < NGX_HTTP_CWMP_NCOUNTERS; i++) {

        if (i >= NGX_HTTP_CWMP_EXCHANGES_5
            && i <= NGX_HTTP_CWMP_EXCHANGES_TIME)
        {
            continue;
        }

        c = &ngx_http_cwmp_counters[i];

        if (last == NULL || ngx_strcmp(c->family, last->family) != 0) {
            p = ngx_sprintf(p, "# HELP cwmp_%s_total %s\n"
                               "# TYPE cwmp_%s_total counter\n",
                            c->family, c->help, c->family);
        }

        p = ngx_sprintf(p, "cwmp_%s_total", c->family);

        if (c->label[0]) {
            p = ngx_sprintf(p, "{%s=\"%s\"}", c->label, c->value);
        }

        p = ngx_sprintf(p, " %uA\n", z->sh->counters[i]);

        last = c;
    }

    p = ngx_http_cwmp_status_prometheus_time(p, z);

    return ngx_http_cwmp_status_prometheus_tables(p, z);
}


static u_char *
ngx_http_cwmp_status_prometheus_time(u_char *p, ngx_http_cwmp_zone_t *z)
{
    ngx_uint_t         i;
    ngx_atomic_uint_t  n, sum;

    p = ngx_sprintf(p, "# HELP cwmp_exchange_seconds %s\n"
                       "# TYPE cwmp_exchange_seconds histogram\n",
                    ngx_http_cwmp_counters[NGX_HTTP_CWMP_EXCHANGES_5].help);

    n = 0;

    for (i = NGX_HTTP_CWMP_EXCHANGES_5; i <= NGX_HTTP_CWMP_EXCHANGES_INF; i++)
    {
        n += z->sh->counters[i];

        p = ngx_sprintf(p, "cwmp_exchange_seconds_bucket{le=\"%s\"} %uA\n",
                        ngx_http_cwmp_counters[i].value, n);
    }

    sum = z->sh->counters[NGX_HTTP_CWMP_EXCHANGES_TIME];

    return ngx_sprintf(p, "cwmp_exchange_seconds_sum %uA.%03uA\n"
                          "cwmp_exchange_seconds_count %uA\n",
                       sum / 1000, sum % 1000, n);
}


static u_char *
ngx_http_cwmp_status_prometheus_tables(u_char *p, ngx_http_cwmp_zone_t *z)
{
    ngx_uint_t  i;

    p = ngx_sprintf(p, "# HELP cwmp_table_rows rows that a table has\n"
                       "# TYPE cwmp_table_rows gauge\n");

    for (i = 0; i < NGX_HTTP_CWMP_TABLES; i++) {
        p = ngx_sprintf(p, "cwmp_table_rows{table=\"%s\"} %ui\n",
                        ngx_http_cwmp_table_names[i],
                        cwmp_table_capacity(z->tables[i]));
    }

    p = ngx_sprintf(p, "# HELP cwmp_table_rows_used rows in use\n"
                       "# TYPE cwmp_table_rows_used gauge\n");

    for (i = 0; i < NGX_HTTP_CWMP_TABLES; i++) {
        p = ngx_sprintf(p, "cwmp_table_rows_used{table=\"%s\"} %ui\n",
                        ngx_http_cwmp_table_names[i],
                        cwmp_table_used(z->tables[i]));
    }

    return p;
}
