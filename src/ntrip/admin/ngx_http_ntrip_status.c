
/*
 * Fieldgate: "ntrip_status": what is asked for, and the reply.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_ntrip_status.h"
#include "ngx_stream_ntrip_source.h"


#define NGX_HTTP_NTRIP_BUFFER  16384

/* a problem, RFC 9457 */
#define NGX_HTTP_NTRIP_PROBLEM  512


static ngx_http_ntrip_ctx_t *ngx_http_ntrip_create(ngx_http_request_t *r);
static void ngx_http_ntrip_cleanup(void *data);
static void ngx_http_ntrip_held(ngx_event_t *ev);
static ngx_int_t ngx_http_ntrip_path(ngx_http_ntrip_ctx_t *ctx);
static const char *ngx_http_ntrip_arguments(ngx_http_ntrip_ctx_t *ctx);
static const char *ngx_http_ntrip_argument(ngx_http_ntrip_ctx_t *ctx,
    ngx_str_t *name, ngx_str_t *value);
static ngx_int_t ngx_http_ntrip_unescape(ngx_pool_t *pool, ngx_str_t *text);
static void ngx_http_ntrip_turn(ngx_event_t *ev);
static ngx_int_t ngx_http_ntrip_index(ngx_http_ntrip_ctx_t *ctx);
static ngx_int_t ngx_http_ntrip_send(ngx_http_ntrip_ctx_t *ctx,
    ngx_uint_t status);
static ngx_int_t ngx_http_ntrip_etag(ngx_http_ntrip_ctx_t *ctx);


static ngx_http_ntrip_endpoint_t  ngx_http_ntrip_endpoints[] = {
    { ngx_string(""), ngx_http_ntrip_index, 0, 0, 0 },
    { ngx_string("workers"), ngx_http_ntrip_workers, 1, 0, 0 },
    { ngx_string("streams"), ngx_http_ntrip_streams, 1, 1, 0 },
    { ngx_string("rovers"), ngx_http_ntrip_rovers, 1, 1, 0 },
    { ngx_string("accounts"), ngx_http_ntrip_accounts, 1, 1, 1 },
    { ngx_string("users"), ngx_http_ntrip_users, 1, 1, 1 },
    { ngx_string("stations"), ngx_http_ntrip_stations, 1, 1, 1 },
    { ngx_string("usage"), ngx_http_ntrip_usage, 1, 0, 0 },
    { ngx_string("counters"), ngx_http_ntrip_counters, 0, 0, 0 },
    { ngx_string("metrics"), ngx_http_ntrip_metrics, 0, 0, 0 },
    { ngx_string("trace"), ngx_http_ntrip_trace, 0, 0, 0 },
    { ngx_null_string, NULL, 0, 0, 0 }
};


ngx_int_t
ngx_http_ntrip_status_handler(ngx_http_request_t *r)
{
    ngx_int_t                   rc;
    ngx_uint_t                  change;
    const char                 *wrong;
    ngx_http_ntrip_ctx_t       *ctx;
    ngx_http_ntrip_loc_conf_t  *nlcf;

    ctx = ngx_http_ntrip_create(r);

    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    nlcf = ngx_http_get_module_loc_conf(r, ngx_http_ntrip_status_module);
    change = (nlcf->api != NGX_HTTP_NTRIP_API_OFF
              && (r->method & (NGX_HTTP_POST|NGX_HTTP_PATCH
                               |NGX_HTTP_DELETE)));

    if (!change) {
        rc = ngx_http_discard_request_body(r);

        if (rc != NGX_OK) {
            return rc;
        }

        if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
            return ngx_http_ntrip_not_allowed(ctx, "GET, HEAD");
        }
    }

    if (ngx_http_ntrip_path(ctx) != NGX_OK) {
        return ngx_http_ntrip_problem(ctx, NGX_HTTP_NOT_FOUND,
                                      "there is no such endpoint");
    }

    wrong = ngx_http_ntrip_arguments(ctx);

    if (wrong) {
        return ngx_http_ntrip_problem(ctx, NGX_HTTP_BAD_REQUEST, wrong);
    }

    if (ngx_stream_ntrip_worker.zone == NULL) {
        return ngx_http_ntrip_problem(ctx, NGX_HTTP_SERVICE_UNAVAILABLE,
                                 "there is no ntrip_zone and ntrip_database");
    }

    if (change) {
        return ngx_http_ntrip_api(ctx);
    }

    if (!r->discard_body) {
        r->read_event_handler = ngx_http_test_reading;
    }

    r->main->count++;

    ngx_http_ntrip_hold(ctx);
    ngx_http_ntrip_run(ctx);

    return NGX_DONE;
}


static ngx_http_ntrip_ctx_t *
ngx_http_ntrip_create(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t    *cln;
    ngx_http_ntrip_ctx_t  *ctx;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_ntrip_ctx_t));
    if (cln == NULL) {
        return NULL;
    }

    ctx = cln->data;
    ngx_memzero(ctx, sizeof(ngx_http_ntrip_ctx_t));

    ctx->request = r;
    ctx->status = NGX_HTTP_OK;
    ctx->limit = NGX_HTTP_NTRIP_LIMIT;
    ctx->last = &ctx->out;
    ngx_str_set(&ctx->type, "application/json");
    ngx_md5_init(&ctx->md5);

    ctx->next.handler = ngx_http_ntrip_turn;
    ctx->next.data = ctx;
    ctx->next.log = r->connection->log;

    ctx->hold.handler = ngx_http_ntrip_held;
    ctx->hold.data = r->connection;
    ctx->hold.log = r->connection->log;

    cln->handler = ngx_http_ntrip_cleanup;

    ngx_http_set_ctx(r, ctx, ngx_http_ntrip_status_module);

    return ctx;
}


static void
ngx_http_ntrip_cleanup(void *data)
{
    ngx_http_ntrip_ctx_t *ctx = data;

    if (ctx->next.posted) {
        ngx_delete_posted_event(&ctx->next);
    }

    if (ctx->hold.timer_set) {
        ngx_del_timer(&ctx->hold);
    }

    if (ctx->testing) {
        ngx_stream_ntrip_source_test_cancel(ctx);
    }

    ngx_http_ntrip_rows_release(ctx);
    ngx_http_ntrip_write_release(ctx);
}


void
ngx_http_ntrip_hold(ngx_http_ntrip_ctx_t *ctx)
{
    ngx_add_timer(&ctx->hold, NGX_HTTP_NTRIP_HOLD);
}


/* the request goes on, but no longer keeps a worker from its exit */

static void
ngx_http_ntrip_held(ngx_event_t *ev)
{
    ngx_log_debug0(NGX_LOG_DEBUG_HTTP, ev->log, 0,
                   "ntrip status: a worker waits for it no longer");
}


/* what follows the location's prefix: the endpoint, "/", an id */

static ngx_int_t
ngx_http_ntrip_path(ngx_http_ntrip_ctx_t *ctx)
{
    u_char                     *slash;
    ngx_str_t                   name;
    ngx_http_request_t         *r;
    ngx_http_core_loc_conf_t   *clcf;
    ngx_http_ntrip_endpoint_t  *e;

    r = ctx->request;
    clcf = ngx_http_get_module_loc_conf(r, ngx_http_core_module);

    name.data = r->uri.data + ngx_min(clcf->name.len, r->uri.len);
    name.len = r->uri.data + r->uri.len - name.data;

    if (clcf->name.len == 0 || clcf->name.data[clcf->name.len - 1] != '/') {

        if (name.len && name.data[0] != '/') {
            return NGX_DECLINED;
        }

        name.data += (name.len != 0);
        name.len -= (name.len != 0);
    }

    slash = ngx_strlchr(name.data, name.data + name.len, '/');

    if (slash) {
        ctx->id.data = slash + 1;
        ctx->id.len = name.data + name.len - ctx->id.data;
        name.len = slash - name.data;
    }

    for (e = ngx_http_ntrip_endpoints; e->page; e++) {

        if (e->name.len == name.len
            && ngx_strncmp(e->name.data, name.data, name.len) == 0)
        {
            ctx->endpoint = e;

            return (slash && (!e->items || ctx->id.len == 0)) ? NGX_DECLINED
                                                              : NGX_OK;
        }
    }

    return NGX_DECLINED;
}


/* NULL, or what is wrong with one of them */

static const char *
ngx_http_ntrip_arguments(ngx_http_ntrip_ctx_t *ctx)
{
    u_char      *p, *end, *last, *equals;
    ngx_str_t    name, value;
    const char  *wrong;

    p = ctx->request->args.data;
    end = p + ctx->request->args.len;

    while (p < end) {
        last = ngx_strlchr(p, end, '&');
        last = last ? last : end;

        equals = ngx_strlchr(p, last, '=');
        equals = equals ? equals : last;

        name.data = p;
        name.len = equals - p;
        value.data = ngx_min(equals + 1, last);
        value.len = last - value.data;

        p = last + 1;

        if (name.len == 0) {
            continue;
        }

        if (ngx_http_ntrip_unescape(ctx->request->pool, &name) != NGX_OK
            || ngx_http_ntrip_unescape(ctx->request->pool, &value) != NGX_OK)
        {
            return "no memory";
        }

        wrong = ngx_http_ntrip_argument(ctx, &name, &value);

        if (wrong) {
            return wrong;
        }
    }

    return NULL;
}


static const char *
ngx_http_ntrip_argument(ngx_http_ntrip_ctx_t *ctx, ngx_str_t *name,
    ngx_str_t *value)
{
    ngx_int_t             n;
    ntrip_json_filter_t  *filter;

    if (ntrip_text_is(name, "limit")) {
        n = ntrip_text_number(value, NGX_HTTP_NTRIP_LIMIT_MAX);

        if (n < 1) {
            return "limit is no number from 1 to 1000";
        }

        ctx->limit = n;
        ctx->limited = 1;
        return NULL;
    }

    if (ntrip_text_is(name, "format")
        && ctx->endpoint->page == ngx_http_ntrip_usage)
    {
        ctx->csv = ntrip_text_is(value, "csv");

        return (ctx->csv || ntrip_text_is(value, "json"))
               ? NULL : "format is neither json nor csv";
    }

    if (ntrip_text_is(name, "cursor")) {
        ctx->after = *value;
        return NULL;
    }

    if (ctx->nfilters == NTRIP_JSON_FILTERS) {
        return "there are more than 8 filters";
    }

    filter = &ctx->filters[ctx->nfilters++];
    filter->name = *name;
    filter->value = *value;

    return NULL;
}


static ngx_int_t
ngx_http_ntrip_unescape(ngx_pool_t *pool, ngx_str_t *text)
{
    u_char  *p, *dst, *src;

    p = ngx_pnalloc(pool, text->len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    /* not in the request's own line */

    for (dst = p, src = text->data; src < text->data + text->len; src++) {
        *dst++ = (*src == '+') ? ' ' : *src;
    }

    src = p;
    dst = p;
    ngx_unescape_uri(&dst, &src, text->len, 0);

    text->data = p;
    text->len = dst - p;

    return NGX_OK;
}


static void
ngx_http_ntrip_turn(ngx_event_t *ev)
{
    ngx_connection_t      *c;
    ngx_http_ntrip_ctx_t  *ctx;

    ctx = ev->data;
    c = ctx->request->connection;

    ngx_http_set_log_request(c->log, ctx->request);

    ngx_http_ntrip_run(ctx);
    ngx_http_run_posted_requests(c);
}


void
ngx_http_ntrip_run(ngx_http_ntrip_ctx_t *ctx)
{
    ngx_int_t  rc;

    ctx->request->connection->log->action = "making ntrip status";

    ngx_stream_ntrip_cursor_turn(&ctx->cursor);

    rc = ctx->write ? ngx_http_ntrip_write_end(ctx)
                    : ctx->endpoint->page(ctx);

    if (rc == NGX_DONE) {
        return;
    }

    if (rc == NGX_AGAIN) {
        ngx_post_event(&ctx->next, &ngx_posted_next_events);
        return;
    }

    rc = ngx_http_ntrip_finish(ctx, rc);
    ngx_http_finalize_request(ctx->request, rc);
}


static ngx_int_t
ngx_http_ntrip_index(ngx_http_ntrip_ctx_t *ctx)
{
    u_char                      buf[1024];
    ntrip_json_t                json;
    ngx_http_ntrip_endpoint_t  *e;

    ntrip_json_init(&json, buf, sizeof(buf), NULL, 0);
    ntrip_json_open(&json, NULL, '{');
    ntrip_json_text(&json, "version", NTRIP_VERSION);
    ntrip_json_open(&json, "endpoints", '[');

    for (e = &ngx_http_ntrip_endpoints[1]; e->page; e++) {
        ntrip_json_str(&json, NULL, &e->name);
    }

    ntrip_json_close(&json, ']');
    ntrip_json_close(&json, '}');

    ngx_http_ntrip_add(ctx, json.out.start, json.out.last - json.out.start);

    return NGX_OK;
}


void
ngx_http_ntrip_add(ngx_http_ntrip_ctx_t *ctx, u_char *data, size_t len)
{
    size_t        n;
    ngx_chain_t  *cl;

    ngx_md5_update(&ctx->md5, data, len);
    ctx->size += len;

    while (len && !ctx->failed) {

        if (ctx->buf == NULL || ctx->buf->last == ctx->buf->end) {

            cl = ngx_alloc_chain_link(ctx->request->pool);
            ctx->buf = ngx_create_temp_buf(ctx->request->pool,
                                           NGX_HTTP_NTRIP_BUFFER);

            if (cl == NULL || ctx->buf == NULL) {
                ctx->failed = 1;
                return;
            }

            cl->buf = ctx->buf;
            cl->next = NULL;

            *ctx->last = cl;
            ctx->last = &cl->next;
        }

        n = ngx_min(len, (size_t) (ctx->buf->end - ctx->buf->last));

        ctx->buf->last = ngx_cpymem(ctx->buf->last, data, n);
        data += n;
        len -= n;
    }
}


void
ngx_http_ntrip_item_begin(ngx_http_ntrip_ctx_t *ctx, ntrip_json_t *json,
    u_char *buf)
{
    ntrip_json_init(json, buf, NGX_HTTP_NTRIP_ITEM, ctx->filters,
                    ctx->id.len ? 0 : ctx->nfilters);
    ntrip_json_open(json, NULL, '{');
}


ngx_int_t
ngx_http_ntrip_item(ngx_http_ntrip_ctx_t *ctx, ntrip_json_t *json)
{
    if (json->out.overflow) {
        return NGX_ERROR;
    }

    if (!ntrip_json_matches(json)) {
        return NGX_OK;
    }

    if (ctx->id.len == 0) {
        if (ctx->n == 0) {
            ngx_http_ntrip_add(ctx, (u_char *) "{\"items\":[", 10);

        } else {
            ngx_http_ntrip_add(ctx, (u_char *) ",", 1);
        }
    }

    ctx->n++;
    ngx_http_ntrip_add(ctx, json->out.start, json->out.last - json->out.start);

    return NGX_OK;
}


void
ngx_http_ntrip_list_end(ngx_http_ntrip_ctx_t *ctx, ngx_str_t *next)
{
    u_char        buf[NTRIP_JSON_STRING * 6 + 64];
    ntrip_json_t  json;

    if (ctx->n == 0) {
        ngx_http_ntrip_add(ctx, (u_char *) "{\"items\":[", 10);
    }

    ngx_http_ntrip_add(ctx, (u_char *) "],", 2);

    ntrip_json_init(&json, buf, sizeof(buf), NULL, 0);

    if (next) {
        ntrip_json_str(&json, "next", next);

    } else {
        ntrip_json_null(&json, "next");
    }

    ntrip_json_close(&json, '}');

    ngx_http_ntrip_add(ctx, json.out.start, json.out.last - json.out.start);
}


ngx_int_t
ngx_http_ntrip_walk_begin(ngx_http_ntrip_ctx_t *ctx)
{
    ctx->cursor.next = 0;

    if (ctx->after.len
        && ngx_http_ntrip_number(&ctx->after, &ctx->cursor.next) != NGX_OK)
    {
        return NGX_HTTP_BAD_REQUEST;
    }

    return NGX_OK;
}


void
ngx_http_ntrip_walk_end(ngx_http_ntrip_ctx_t *ctx, ngx_int_t rc)
{
    u_char     buf[NGX_INT64_LEN];
    ngx_str_t  next;

    next.data = buf;
    next.len = ngx_sprintf(buf, "%uL", ctx->cursor.next) - buf;

    ngx_http_ntrip_list_end(ctx, rc == NGX_DONE ? NULL : &next);
}


ngx_int_t
ngx_http_ntrip_number(ngx_str_t *text, uint64_t *number)
{
    ngx_int_t  n;

    n = ntrip_text_number(text, NGX_MAX_INT_T_VALUE);

    if (n == NGX_ERROR) {
        return NGX_DECLINED;
    }

    *number = n;

    return NGX_OK;
}


ngx_int_t
ngx_http_ntrip_finish(ngx_http_ntrip_ctx_t *ctx, ngx_int_t rc)
{
    /* what was changed is not unchanged because it cannot be shown */

    if (ctx->changed && (rc == NGX_BUSY || rc == NGX_DECLINED)) {
        ctx->status = NGX_HTTP_NO_CONTENT;
        rc = NGX_OK;
    }

    switch (rc) {

    case NGX_OK:
        break;

    case NGX_DECLINED:
        return ngx_http_ntrip_problem(ctx, NGX_HTTP_NOT_FOUND,
                                      "there is no such item");

    case NGX_BUSY:
        return ngx_http_ntrip_problem(ctx, NGX_HTTP_SERVICE_UNAVAILABLE,
                                      "the database is unavailable");

    case NGX_HTTP_BAD_REQUEST:
    case NGX_HTTP_CONFLICT:
        return ngx_http_ntrip_problem(ctx, rc,
                                      ctx->detail
                                      ? ctx->detail
                                      : "the cursor is none of this list");

    default:
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ctx->failed
        || (ctx->status == NGX_HTTP_OK
            && (ctx->request->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))
            && ngx_http_ntrip_etag(ctx) != NGX_OK))
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_ntrip_send(ctx, ctx->status);
}


/* instead of all that there is of the reply */

ngx_int_t
ngx_http_ntrip_not_allowed(ngx_http_ntrip_ctx_t *ctx, const char *allow)
{
    if (ngx_http_ntrip_header(ctx->request, "Allow", allow) == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_ntrip_problem(ctx, NGX_HTTP_NOT_ALLOWED, NULL);
}


ngx_int_t
ngx_http_ntrip_problem(ngx_http_ntrip_ctx_t *ctx, ngx_uint_t status,
    const char *detail)
{
    u_char        buf[NGX_HTTP_NTRIP_PROBLEM];
    const char   *title;
    ntrip_json_t  json;

    switch (status) {

    case NGX_HTTP_BAD_REQUEST:
        title = "Bad Request";
        break;

    case NGX_HTTP_FORBIDDEN:
        title = "Forbidden";
        break;

    case NGX_HTTP_NOT_FOUND:
        title = "Not Found";
        break;

    case NGX_HTTP_CONFLICT:
        title = "Conflict";
        break;

    case NGX_HTTP_PRECONDITION_FAILED:
        title = "Precondition Failed";
        break;

    case NGX_HTTP_REQUEST_ENTITY_TOO_LARGE:
        title = "Content Too Large";
        break;

    case NGX_HTTP_UNSUPPORTED_MEDIA_TYPE:
        title = "Unsupported Media Type";
        break;

    case NGX_HTTP_NOT_ALLOWED:
        title = "Method Not Allowed";
        break;

    default:
        title = "Service Unavailable";
    }

    ntrip_json_init(&json, buf, sizeof(buf), NULL, 0);
    ntrip_json_open(&json, NULL, '{');
    ntrip_json_text(&json, "type", "about:blank");
    ntrip_json_text(&json, "title", title);
    ntrip_json_int(&json, "status", status);

    if (detail) {
        ntrip_json_text(&json, "detail", detail);
    }

    ntrip_json_close(&json, '}');

    /* what of the body has not been read is no other request */

    if (ngx_http_discard_request_body(ctx->request) != NGX_OK) {
        ctx->request->keepalive = 0;
    }

    ctx->out = NULL;
    ctx->last = &ctx->out;
    ctx->buf = NULL;
    ctx->size = 0;
    ngx_str_set(&ctx->type, "application/problem+json");

    ngx_http_ntrip_add(ctx, json.out.start, json.out.last - json.out.start);

    if (ctx->failed) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_ntrip_send(ctx, status);
}


static ngx_int_t
ngx_http_ntrip_send(ngx_http_ntrip_ctx_t *ctx, ngx_uint_t status)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = ctx->request;

    r->headers_out.status = status;
    r->headers_out.content_length_n = ctx->size;
    r->headers_out.content_type = ctx->type;
    r->headers_out.content_type_len = ctx->type.len;
    r->headers_out.content_type_lowcase = NULL;

    if (ngx_http_ntrip_header(r, "Cache-Control", "no-cache") == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (status == NGX_HTTP_NO_CONTENT) {
        r->header_only = 1;
        ngx_str_null(&r->headers_out.content_type);
        r->headers_out.content_type_len = 0;
        ngx_http_clear_content_length(r);
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    ctx->buf->last_buf = (r == r->main) ? 1 : 0;
    ctx->buf->last_in_chain = 1;

    return ngx_http_output_filter(r, ctx->out);
}


static ngx_int_t
ngx_http_ntrip_etag(ngx_http_ntrip_ctx_t *ctx)
{
    u_char            digest[16], *p;
    ngx_table_elt_t  *h;

    ngx_md5_final(digest, &ctx->md5);

    p = ngx_pnalloc(ctx->request->pool, 2 * sizeof(digest) + 2);
    h = ngx_http_ntrip_header(ctx->request, "ETag", "");

    if (p == NULL || h == NULL) {
        return NGX_ERROR;
    }

    h->value.data = p;
    h->value.len = 2 * sizeof(digest) + 2;

    *p++ = '"';
    p = ngx_hex_dump(p, digest, sizeof(digest));
    *p = '"';

    ctx->request->headers_out.etag = h;

    return NGX_OK;
}


ngx_table_elt_t *
ngx_http_ntrip_header(ngx_http_request_t *r, const char *name,
    const char *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NULL;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    h->key.data = (u_char *) name;
    h->key.len = ngx_strlen(name);
    h->value.data = (u_char *) value;
    h->value.len = ngx_strlen(value);

    return h;
}
