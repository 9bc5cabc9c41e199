
/*
 * Fieldgate: "cwmp_trace": the next session of one device.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_reply.h"
#include "ngx_http_cwmp_status.h"


#define NGX_HTTP_CWMP_TRACE_FIELDS  5


/* where "cwmp_trace on" stands */

typedef struct {
    ngx_http_conf_ctx_t    *ctx;       /* of the location */
    ngx_http_cwmp_place_t   place;
} ngx_http_cwmp_traced_t;


/* what a rule of "allow" and "deny" for IPv4 is, in nginx's own module */

typedef struct {
    in_addr_t               mask;
    in_addr_t               addr;
    ngx_uint_t              deny;
} ngx_http_cwmp_rule_t;


static ngx_uint_t ngx_http_cwmp_trace_guarded(ngx_conf_t *cf,
    ngx_http_conf_ctx_t *ctx);
static ngx_int_t ngx_http_cwmp_trace_guard(const char *name, void *conf);
static ngx_uint_t ngx_http_cwmp_trace_foreign(ngx_http_request_t *r);
static ngx_int_t ngx_http_cwmp_trace_arm(ngx_http_request_t *r);
static ngx_int_t ngx_http_cwmp_trace_device(ngx_http_request_t *r,
    ngx_str_t *id);
static ngx_int_t ngx_http_cwmp_trace_off(ngx_http_request_t *r);
static ngx_int_t ngx_http_cwmp_trace_show(ngx_http_request_t *r);
static void ngx_http_cwmp_trace_head(cwmp_trace_t *trace,
    cwmp_field_t *fields, ngx_uint_t *n);
static void ngx_http_cwmp_trace_fields(cwmp_trace_event_t *ev,
    cwmp_field_t *fields, ngx_uint_t *n);


static ngx_conf_enum_t  ngx_http_cwmp_traces[] = {
    { ngx_string("off"), NGX_HTTP_CWMP_TRACE_OFF },
    { ngx_string("on"), NGX_HTTP_CWMP_TRACE_ON },
    { ngx_string("unguarded"), NGX_HTTP_CWMP_TRACE_UNGUARDED },
    { ngx_null_string, 0 }
};


static char  *ngx_http_cwmp_trace_states[] = {
    "off", "waiting", "running", "done"
};

static char  *ngx_http_cwmp_trace_events[CWMP_TRACE_EVENT_KINDS] = {
    "inform", "message", "refused", "answer", "last", "wakeup"
};


char *
ngx_http_cwmp_trace(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cwmp_loc_conf_t *clcf = conf;

    char                       *rv;
    ngx_command_t               slot;
    ngx_http_cwmp_traced_t     *traced;
    ngx_http_cwmp_main_conf_t  *cmcf;

    slot = *cmd;
    slot.post = ngx_http_cwmp_traces;

    rv = ngx_conf_set_enum_slot(cf, &slot, conf);

    if (rv != NGX_CONF_OK || clcf->trace == NGX_HTTP_CWMP_TRACE_OFF) {
        return rv;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_cwmp_module);

    if (cmcf->traces == NULL) {
        cmcf->traces = ngx_array_create(cf->pool, 2,
                                        sizeof(ngx_http_cwmp_traced_t));
        if (cmcf->traces == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    traced = ngx_array_push(cmcf->traces);
    if (traced == NULL) {
        return NGX_CONF_ERROR;
    }

    traced->ctx = cf->ctx;
    traced->place.file = cf->conf_file->file.name;
    traced->place.line = cf->conf_file->line;

    return NGX_CONF_OK;
}


/* when all is merged */

ngx_int_t
ngx_http_cwmp_trace_init(ngx_conf_t *cf)
{
    ngx_uint_t                  i;
    ngx_http_cwmp_traced_t     *traced;
    ngx_http_cwmp_loc_conf_t   *clcf;
    ngx_http_cwmp_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_cwmp_module);

    if (cmcf->traces == NULL) {
        return NGX_OK;
    }

    traced = cmcf->traces->elts;

    for (i = 0; i < cmcf->traces->nelts; i++) {

        clcf = traced[i].ctx->loc_conf[ngx_http_cwmp_module.ctx_index];

        if (!clcf->status) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"cwmp_trace\" needs \"cwmp_status\" in the same "
                          "location in %V:%ui", &traced[i].place.file,
                          traced[i].place.line);
            return NGX_ERROR;
        }

        if (clcf->trace == NGX_HTTP_CWMP_TRACE_ON
            && !ngx_http_cwmp_trace_guarded(cf, traced[i].ctx))
        {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"cwmp_trace on\" in a location that anybody can "
                          "reach: it needs \"deny all\", \"auth_basic\" and "
                          "\"auth_basic_user_file\", \"auth_request\" or "
                          "\"ssl_verify_client on\", or has to be "
                          "\"unguarded\", in %V:%ui", &traced[i].place.file,
                          traced[i].place.line);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_http_cwmp_trace_guarded(ngx_conf_t *cf, ngx_http_conf_ctx_t *ctx)
{
    ngx_int_t                  rc;
    ngx_uint_t                 i, guarded;
    ngx_module_t              *m;
    ngx_http_core_loc_conf_t  *core;
#if (NGX_HTTP_SSL)
    ngx_http_ssl_srv_conf_t   *sscf;

    sscf = ctx->srv_conf[ngx_http_ssl_module.ctx_index];

    if (sscf->verify == 1) {
        return 1;
    }
#endif

    guarded = 0;
    core = ctx->loc_conf[ngx_http_core_module.ctx_index];

    for (i = 0; cf->cycle->modules[i]; i++) {
        m = cf->cycle->modules[i];

        if (m->type != NGX_HTTP_MODULE) {
            continue;
        }

        rc = ngx_http_cwmp_trace_guard(m->name, ctx->loc_conf[m->ctx_index]);

        if (rc == NGX_ABORT && core->satisfy == NGX_HTTP_SATISFY_ANY) {
            return 0;
        }

        guarded |= (rc == NGX_OK);
    }

    return guarded;
}


/*
 * What these modules of nginx have in front of their configurations, which are
 * their own: rules for IPv4; the realm and the file of users; the URI.
 * t/cwmp-trace.t would notice another one.
 *
 * NGX_OK: it lets in whom it knows.  NGX_ABORT: also others, with "satisfy any"
 * whatever the others say.  NGX_DECLINED: it says nothing.
 */

static ngx_int_t
ngx_http_cwmp_trace_guard(const char *name, void *conf)
{
    void                     **first = conf;

    ngx_uint_t                 i;
    ngx_array_t               *rules;
    ngx_http_cwmp_rule_t      *rule;
    ngx_http_complex_value_t  *realm;

    if (ngx_strcmp(name, "ngx_http_access_module") == 0) {
        rules = first[0];

        if (rules == NULL) {
            return NGX_DECLINED;
        }

        rule = rules->elts;

        for (i = 0; i < rules->nelts; i++) {
            if (rule[i].mask == 0) {
                return rule[i].deny ? NGX_OK : NGX_ABORT;
            }
        }

        return NGX_ABORT;
    }

    if (ngx_strcmp(name, "ngx_http_auth_basic_module") == 0) {
        realm = first[0];

        /* without a file of users it lets everybody in */

        return (realm && realm != NGX_CONF_UNSET_PTR
                && first[1] && first[1] != NGX_CONF_UNSET_PTR
                && !(realm->value.len == 3
                     && ngx_strncmp(realm->value.data, "off", 3) == 0))
               ? NGX_OK : NGX_DECLINED;
    }

    if (ngx_strcmp(name, "ngx_http_auth_request_module") == 0) {
        return ((ngx_str_t *) conf)->len ? NGX_OK : NGX_DECLINED;
    }

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_cwmp_trace_handler(ngx_http_request_t *r)
{
    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD|NGX_HTTP_POST
                       |NGX_HTTP_DELETE)))
    {
        if (ngx_http_cwmp_reply_header(r, "Allow", "GET, HEAD, POST, DELETE")
            == NULL)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return ngx_http_cwmp_problem(r, NGX_HTTP_NOT_ALLOWED, NULL);
    }

    if (r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD)) {
        return ngx_http_cwmp_trace_show(r);
    }

    if (ngx_http_cwmp_trace_foreign(r)) {
        return ngx_http_cwmp_problem(r, NGX_HTTP_FORBIDDEN,
                                     "the request has another site's Origin");
    }

    return (r->method == NGX_HTTP_POST) ? ngx_http_cwmp_trace_arm(r)
                                        : ngx_http_cwmp_trace_off(r);
}


/* an Origin of another host than that of the request: a page of somebody's */

static ngx_uint_t
ngx_http_cwmp_trace_foreign(ngx_http_request_t *r)
{
    u_char           *p;
    size_t            len;
    ngx_str_t        *host;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    host = r->headers_in.host ? &r->headers_in.host->value : NULL;

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].key.len != sizeof("Origin") - 1
                || ngx_strncasecmp(h[i].key.data, (u_char *) "Origin",
                                   sizeof("Origin") - 1)
                   != 0)
            {
                continue;
            }

            p = ngx_strnstr(h[i].value.data, "://", h[i].value.len);

            if (p == NULL || host == NULL) {
                return 1;
            }

            p += sizeof("://") - 1;
            len = h[i].value.data + h[i].value.len - p;

            if (len != host->len || ngx_strncasecmp(p, host->data, len) != 0) {
                return 1;
            }
        }
    }

    return 0;
}


static ngx_int_t
ngx_http_cwmp_trace_arm(ngx_http_request_t *r)
{
    u_char                      key[CWMP_TABLE_KEY_LEN];
    u_char                      url[CWMP_TABLE_KEY_LEN];
    ngx_int_t                   rc;
    ngx_str_t                   id;
    ngx_uint_t                  known;
    cwmp_table_t               *t;
    cwmp_device_row_t          *row;
    ngx_http_cwmp_zone_t       *z;
    ngx_http_cwmp_main_conf_t  *cmcf;

    rc = ngx_http_cwmp_trace_device(r, &id);

    if (rc == NGX_DECLINED) {
        return ngx_http_cwmp_problem(r, NGX_HTTP_BAD_REQUEST,
                                     "there is no argument device");
    }

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_cwmp_module);
    z = cmcf->shared;

    ngx_http_cwmp_zone_key(z, key, NGX_HTTP_CWMP_KEY_DEVICE, &id, 1);

    t = ngx_http_cwmp_zone_lock(z, NGX_HTTP_CWMP_DEVICES);

    row = cwmp_table_peek(t, key, ngx_current_msec);
    known = (row && row->origin_len);

    if (known) {
        ngx_memcpy(url, row->url, CWMP_TABLE_KEY_LEN);
    }

    ngx_http_cwmp_zone_unlock(z, NGX_HTTP_CWMP_DEVICES);

    rc = cwmp_trace_arm(ngx_http_cwmp_zone_trace_lock(z), &id, key,
                        known ? url : NULL, ngx_time());
    ngx_http_cwmp_zone_trace_unlock(z);

    if (rc != NGX_OK) {
        return ngx_http_cwmp_problem(r, NGX_HTTP_BAD_REQUEST,
                                     "the device's id is too long");
    }

    ngx_log_error(NGX_LOG_NOTICE, r->connection->log, 0,
                  "the next session of CPE \"%V\" is traced, as user \"%V\" "
                  "wants", &id, &r->headers_in.user);

    return ngx_http_cwmp_trace_show(r);
}


/* NGX_DECLINED: there is none; NGX_ERROR: no memory */

static ngx_int_t
ngx_http_cwmp_trace_device(ngx_http_request_t *r, ngx_str_t *id)
{
    u_char     *dst, *src;
    ngx_str_t   value;

    if (ngx_http_arg(r, (u_char *) "device", 6, &value) != NGX_OK
        || value.len == 0)
    {
        return NGX_DECLINED;
    }

    id->data = ngx_pnalloc(r->pool, value.len);
    if (id->data == NULL) {
        return NGX_ERROR;
    }

    dst = id->data;
    src = value.data;

    ngx_unescape_uri(&dst, &src, value.len, 0);

    id->len = dst - id->data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_cwmp_trace_off(ngx_http_request_t *r)
{
    ngx_http_cwmp_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_cwmp_module);

    cwmp_trace_off(ngx_http_cwmp_zone_trace_lock(cmcf->shared));
    ngx_http_cwmp_zone_trace_unlock(cmcf->shared);

    r->headers_out.status = NGX_HTTP_NO_CONTENT;
    r->header_only = 1;

    return ngx_http_send_header(r);
}


static ngx_int_t
ngx_http_cwmp_trace_show(ngx_http_request_t *r)
{
    size_t                      size;
    ngx_buf_t                  *b;
    ngx_uint_t                  i, n, count;
    ngx_chain_t                *out;
    cwmp_field_t                fields[NGX_HTTP_CWMP_TRACE_FIELDS];
    cwmp_trace_t                trace, *shared;
    cwmp_trace_event_t          events[CWMP_TRACE_EVENTS];
    ngx_http_cwmp_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_cwmp_module);

    shared = ngx_http_cwmp_zone_trace_lock(cmcf->shared);
    trace = *shared;
    ngx_http_cwmp_zone_trace_unlock(cmcf->shared);

    count = cwmp_trace_copy(&trace, events);

    n = 0;
    ngx_http_cwmp_trace_head(&trace, fields, &n);
    size = cwmp_item_size(fields, n) + sizeof(",\"items\":[]}");

    for (i = 0; i < count; i++) {
        n = 0;
        ngx_http_cwmp_trace_fields(&events[i], fields, &n);
        size += cwmp_item_size(fields, n) + 1;
    }

    b = ngx_create_temp_buf(r->pool, size);
    out = ngx_alloc_chain_link(r->pool);

    if (b == NULL || out == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    n = 0;
    ngx_http_cwmp_trace_head(&trace, fields, &n);

    /* the items in front of the brace that ends it */

    b->last = cwmp_item_write(b->last, fields, n) - 1;
    b->last = ngx_sprintf(b->last, ",\"items\":[");

    for (i = 0; i < count; i++) {
        n = 0;
        ngx_http_cwmp_trace_fields(&events[i], fields, &n);

        if (i) {
            *b->last++ = ',';
        }

        b->last = cwmp_item_write(b->last, fields, n);
    }

    b->last = ngx_sprintf(b->last, "]}");

    out->buf = b;
    out->next = NULL;

    return ngx_http_cwmp_reply(r, NGX_HTTP_OK, "application/json", out);
}


static void
ngx_http_cwmp_trace_head(cwmp_trace_t *trace, cwmp_field_t *fields,
    ngx_uint_t *n)
{
    ngx_str_t  text;

    text.data = (u_char *) ngx_http_cwmp_trace_states[
                               ngx_min(trace->state, CWMP_TRACE_DONE)];
    text.len = ngx_strlen(text.data);
    cwmp_field_text(fields, n, "state", &text);

    if (trace->state == CWMP_TRACE_OFF) {
        cwmp_field_null(fields, n, "device");
        cwmp_field_null(fields, n, "since");

    } else {
        text.data = trace->id;
        text.len = ngx_min(trace->id_len, CWMP_TRACE_ID);
        cwmp_field_text(fields, n, "device", &text);
        cwmp_field_number(fields, n, "since", CWMP_FIELD_NUMBER,
                          trace->since);
    }

    cwmp_field_number(fields, n, "events", CWMP_FIELD_NUMBER, trace->n);
}


static void
ngx_http_cwmp_trace_fields(cwmp_trace_event_t *ev, cwmp_field_t *fields,
    ngx_uint_t *n)
{
    ngx_str_t  text;

    cwmp_field_number(fields, n, "time", CWMP_FIELD_MSEC, ev->time);

    text.data = (u_char *) ngx_http_cwmp_trace_events[
                               ngx_min(ev->kind, CWMP_TRACE_WAKEUP)];
    text.len = ngx_strlen(text.data);
    cwmp_field_text(fields, n, "event", &text);

    if (ev->status) {
        cwmp_field_number(fields, n, "status", CWMP_FIELD_NUMBER, ev->status);

    } else {
        cwmp_field_null(fields, n, "status");
    }

    text.data = ev->text;
    text.len = ngx_min(ev->len, CWMP_TRACE_TEXT);
    cwmp_field_text(fields, n, "text", &text);

    cwmp_field_number(fields, n, "worker", CWMP_FIELD_NUMBER, ev->process);
}
