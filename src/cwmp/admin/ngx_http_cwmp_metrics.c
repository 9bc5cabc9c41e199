
/*
 * Fieldgate: the counters as JSON, or as Prometheus reads them.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_reply.h"


/* beside the strings and the number of a row */

#define NGX_HTTP_CWMP_METRICS_ROW  160


static size_t ngx_http_cwmp_metrics_size(void);
static u_char *ngx_http_cwmp_metrics_counters(u_char *p,
    ngx_http_cwmp_zone_t *z, ngx_uint_t prometheus);
static u_char *ngx_http_cwmp_metrics_begin(u_char *p, ngx_uint_t family,
    ngx_uint_t prometheus);
static u_char *ngx_http_cwmp_metrics_row(u_char *p, ngx_uint_t i,
    ngx_atomic_uint_t n, ngx_uint_t prometheus);
static u_char *ngx_http_cwmp_metrics_end(u_char *p, ngx_uint_t family,
    ngx_atomic_uint_t sum, ngx_atomic_uint_t n, ngx_uint_t prometheus);
static u_char *ngx_http_cwmp_metrics_tables(u_char *p, ngx_http_cwmp_zone_t *z,
    ngx_uint_t prometheus);


static char  *ngx_http_cwmp_table_names[NGX_HTTP_CWMP_TABLES] = {
    "sessions", "cookies", "facts", "nonces", "calls", "notices",
    "admissions", "bindings", "addresses", "nets", "devices", "woken"
};


ngx_buf_t *
ngx_http_cwmp_metrics(ngx_http_request_t *r, ngx_http_cwmp_zone_t *z,
    ngx_uint_t prometheus)
{
    ngx_buf_t  *b;

    b = ngx_create_temp_buf(r->pool, ngx_http_cwmp_metrics_size());
    if (b == NULL) {
        return NULL;
    }

    b->last = ngx_http_cwmp_metrics_counters(b->last, z, prometheus);
    b->last = ngx_http_cwmp_metrics_tables(b->last, z, prometheus);

    return b;
}


static size_t
ngx_http_cwmp_metrics_size(void)
{
    size_t                    size;
    ngx_uint_t                i;
    ngx_http_cwmp_family_t   *f;
    ngx_http_cwmp_counter_t  *c;

    /* the tables, two rows each, and what stands once */

    size = 2 * NGX_HTTP_CWMP_TABLES
           * (NGX_HTTP_CWMP_METRICS_ROW + NGX_INT_T_LEN);

    /* a family's name stands in HELP, TYPE, the row itself, sum and count */

    for (i = 0; i < NGX_HTTP_CWMP_NCOUNTERS; i++) {
        c = &ngx_http_cwmp_counters[i];
        f = &ngx_http_cwmp_families[c->family];

        size += NGX_HTTP_CWMP_METRICS_ROW + 2 * NGX_ATOMIC_T_LEN
                + 5 * ngx_strlen(f->name) + ngx_strlen(f->label)
                + ngx_strlen(f->help) + ngx_strlen(c->value);
    }

    return size;
}


/* a histogram counts what a bucket and those before it have */

static u_char *
ngx_http_cwmp_metrics_counters(u_char *p, ngx_http_cwmp_zone_t *z,
    ngx_uint_t prometheus)
{
    ngx_uint_t         i, family;
    ngx_atomic_uint_t  n, sum;

    i = 0;

    for (family = 0; family < NGX_HTTP_CWMP_NFAMILIES; family++) {

        p = ngx_http_cwmp_metrics_begin(p, family, prometheus);

        n = 0;
        sum = 0;

        for ( /* void */ ;
             i < NGX_HTTP_CWMP_NCOUNTERS
             && ngx_http_cwmp_counters[i].family == family;
             i++)
        {
            if (i == NGX_HTTP_CWMP_EXCHANGES_TIME) {
                sum = z->sh->counters[i];
                continue;
            }

            if (family != NGX_HTTP_CWMP_FAMILY_EXCHANGES) {
                n = 0;
            }

            n += z->sh->counters[i];

            p = ngx_http_cwmp_metrics_row(p, i, n, prometheus);
        }

        p = ngx_http_cwmp_metrics_end(p, family, sum, n, prometheus);
    }

    return p;
}


static u_char *
ngx_http_cwmp_metrics_begin(u_char *p, ngx_uint_t family, ngx_uint_t prometheus)
{
    ngx_uint_t               histogram;
    ngx_http_cwmp_family_t  *f;

    f = &ngx_http_cwmp_families[family];
    histogram = (family == NGX_HTTP_CWMP_FAMILY_EXCHANGES);

    if (prometheus) {
        return ngx_sprintf(p, histogram
                              ? "# HELP cwmp_%s %s\n"
                                "# TYPE cwmp_%s histogram\n"
                              : "# HELP cwmp_%s_total %s\n"
                                "# TYPE cwmp_%s_total counter\n",
                           f->name, f->help, f->name);
    }

    return ngx_sprintf(p, "%s\"%s\":%s", family ? "," : "{", f->name,
                       histogram ? "{\"buckets\":{" : f->label[0] ? "{" : "");
}


static u_char *
ngx_http_cwmp_metrics_row(u_char *p, ngx_uint_t i, ngx_atomic_uint_t n,
    ngx_uint_t prometheus)
{
    ngx_http_cwmp_family_t   *f;
    ngx_http_cwmp_counter_t  *c;

    c = &ngx_http_cwmp_counters[i];
    f = &ngx_http_cwmp_families[c->family];

    if (prometheus) {
        p = ngx_sprintf(p, "cwmp_%s%s", f->name,
                        c->family == NGX_HTTP_CWMP_FAMILY_EXCHANGES
                        ? "_bucket" : "_total");

        if (f->label[0]) {
            p = ngx_sprintf(p, "{%s=\"%s\"}", f->label, c->value);
        }

        return ngx_sprintf(p, " %uA\n", n);
    }

    if (f->label[0]) {
        p = ngx_sprintf(p, "%s\"%s\":", p[-1] == '{' ? "" : ",", c->value);
    }

    return ngx_sprintf(p, "%uA", n);
}


static u_char *
ngx_http_cwmp_metrics_end(u_char *p, ngx_uint_t family, ngx_atomic_uint_t sum,
    ngx_atomic_uint_t n, ngx_uint_t prometheus)
{
    ngx_http_cwmp_family_t  *f;

    f = &ngx_http_cwmp_families[family];

    if (family == NGX_HTTP_CWMP_FAMILY_EXCHANGES) {

        if (prometheus) {
            return ngx_sprintf(p, "cwmp_%s_sum %uA.%03uA\ncwmp_%s_count %uA\n",
                               f->name, sum / 1000, sum % 1000, f->name, n);
        }

        return ngx_sprintf(p, "},\"sum\":%uA.%03uA,\"count\":%uA}",
                           sum / 1000, sum % 1000, n);
    }

    if (!prometheus && f->label[0]) {
        *p++ = '}';
    }

    return p;
}


static u_char *
ngx_http_cwmp_metrics_tables(u_char *p, ngx_http_cwmp_zone_t *z,
    ngx_uint_t prometheus)
{
    ngx_uint_t     i, used, n;
    cwmp_table_t  *t;

    if (!prometheus) {
        p = ngx_sprintf(p, ",\"tables\":{");

        for (i = 0; i < NGX_HTTP_CWMP_TABLES; i++) {
            t = z->tables[i];
            p = ngx_sprintf(p, "%s\"%s\":{\"rows\":%ui,\"used\":%ui}",
                            i ? "," : "", ngx_http_cwmp_table_names[i],
                            cwmp_table_capacity(t), cwmp_table_used(t));
        }

        return ngx_sprintf(p, "}}\n");
    }

    for (used = 0; used < 2; used++) {
        p = ngx_sprintf(p, used ? "# HELP cwmp_table_rows_used rows in use\n"
                                  "# TYPE cwmp_table_rows_used gauge\n"
                                : "# HELP cwmp_table_rows rows that a table "
                                  "has\n"
                                  "# TYPE cwmp_table_rows gauge\n");

        for (i = 0; i < NGX_HTTP_CWMP_TABLES; i++) {
            t = z->tables[i];
            n = used ? cwmp_table_used(t) : cwmp_table_capacity(t);
            p = ngx_sprintf(p, "cwmp_table_rows%s{table=\"%s\"} %ui\n",
                            used ? "_used" : "", ngx_http_cwmp_table_names[i],
                            n);
        }
    }

    return p;
}
