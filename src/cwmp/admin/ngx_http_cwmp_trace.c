
/*
 * Fieldgate: "cwmp_trace": the next session of one device.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_guard.h"

#include "ngx_http_cwmp_reply.h"
#include "ngx_http_cwmp_status.h"


#define NGX_HTTP_CWMP_TRACE_FIELDS  5


static ngx_int_t ngx_http_cwmp_trace_arm(ngx_http_request_t *r);
static ngx_int_t ngx_http_cwmp_trace_device(ngx_http_request_t *r,
    ngx_str_t *id);
static ngx_int_t ngx_http_cwmp_trace_off(ngx_http_request_t *r);
static ngx_int_t ngx_http_cwmp_trace_show(ngx_http_request_t *r);
static void ngx_http_cwmp_trace_head(cwmp_trace_t *trace,
    cwmp_field_t *fields, ngx_uint_t *n);
static void ngx_http_cwmp_trace_fields(cwmp_trace_event_t *ev,
    cwmp_field_t *fields, ngx_uint_t *n);


static char  *ngx_http_cwmp_trace_states[] = {
    "off", "waiting", "running", "done"
};

static char  *ngx_http_cwmp_trace_events[CWMP_TRACE_EVENT_KINDS] = {
    "inform", "message", "refused", "answer", "last", "wakeup"
};


ngx_int_t
ngx_http_cwmp_trace_handler(ngx_http_request_t *r)
{
    if (!(r->method & NGX_HTTP_CWMP_TRACE_METHODS)) {
        if (ngx_http_cwmp_reply_header(r, "Allow", "GET, HEAD, POST, DELETE")
            == NULL)
        {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }

        return ngx_http_cwmp_problem(r, NGX_HTTP_NOT_ALLOWED, NULL);
    }

    if (!ngx_http_cwmp_trace_certified(r)) {
        return ngx_http_cwmp_problem(r, NGX_HTTP_FORBIDDEN,
                                     "only with a client certificate");
    }

    if (r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD)) {
        return ngx_http_cwmp_trace_show(r);
    }

    if (ngx_http_guard_foreign(r)) {
        return ngx_http_cwmp_problem(r, NGX_HTTP_FORBIDDEN,
                                     "the request has another site's Origin");
    }

    return (r->method == NGX_HTTP_POST) ? ngx_http_cwmp_trace_arm(r)
                                        : ngx_http_cwmp_trace_off(r);
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
                                     "there is no argument device that can be "
                                     "an id");
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


/* NGX_DECLINED: there is none, or no CPE has it: see cwmp_message_printable();
   NGX_ERROR: no memory.  A "+" is a space, as in the arguments of the lists */

static ngx_int_t
ngx_http_cwmp_trace_device(ngx_http_request_t *r, ngx_str_t *id)
{
    u_char     *dst, *src;
    size_t      i;
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

    for (i = 0; i < value.len; i++) {
        id->data[i] = (value.data[i] == '+') ? ' ' : value.data[i];
    }

    dst = id->data;
    src = id->data;

    ngx_unescape_uri(&dst, &src, value.len, 0);

    id->len = dst - id->data;

    for (i = 0; i < id->len; i++) {
        if (id->data[i] < 0x20 || id->data[i] == 0x7f) {
            return NGX_DECLINED;
        }
    }

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
