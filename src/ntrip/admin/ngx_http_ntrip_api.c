
/*
 * Fieldgate: "ntrip_api": requests that change something.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_guard.h"

#include "ngx_http_ntrip_status.h"
#include "ngx_stream_ntrip_source.h"


/* seconds: how long an account may be told to rest */
#define NGX_HTTP_NTRIP_REST  604800


static const char *ngx_http_ntrip_api_allow(ngx_http_ntrip_ctx_t *ctx);
static const char *ngx_http_ntrip_api_action(ngx_http_ntrip_ctx_t *ctx,
    const char *name, const char *action);
static ngx_uint_t ngx_http_ntrip_api_json(ngx_http_request_t *r);
static void ngx_http_ntrip_api_body(ngx_http_request_t *r);
static ngx_int_t ngx_http_ntrip_api_text(ngx_http_request_t *r,
    ngx_str_t *text);
static ngx_int_t ngx_http_ntrip_api_kick(ngx_http_ntrip_ctx_t *ctx);
static ngx_int_t ngx_http_ntrip_api_rest(ngx_http_ntrip_ctx_t *ctx,
    ngx_str_t *text);
static ngx_int_t ngx_http_ntrip_api_test(ngx_http_ntrip_ctx_t *ctx,
    ngx_str_t *text);
static void ngx_http_ntrip_api_tested(void *data, ngx_str_t *text);


ngx_int_t
ngx_http_ntrip_api(ngx_http_ntrip_ctx_t *ctx)
{
    ngx_int_t            rc;
    ngx_uint_t           trace;
    const char          *allow;
    ngx_http_request_t  *r;

    r = ctx->request;
    trace = (ctx->endpoint->page == ngx_http_ntrip_trace);

    allow = ngx_http_ntrip_api_allow(ctx);

    if (allow) {
        return ngx_http_ntrip_not_allowed(ctx, allow);
    }

    if (ngx_http_guard_foreign(r)) {
        return ngx_http_ntrip_problem(ctx, NGX_HTTP_FORBIDDEN,
                                      "the request has another site's Origin");
    }

    /* a trace has no body, and changes nothing that is kept */

    if (r->method != NGX_HTTP_DELETE && !trace && !ngx_http_ntrip_api_json(r)) {
        return ngx_http_ntrip_problem(ctx, NGX_HTTP_UNSUPPORTED_MEDIA_TYPE,
                                      "Content-Type is not application/json");
    }

    /* nginx looks at these when the reply goes out, and that is too late */

    if (r->headers_in.if_match || r->headers_in.if_unmodified_since
        || r->headers_in.if_none_match)
    {
        return ngx_http_ntrip_problem(ctx, NGX_HTTP_PRECONDITION_FAILED,
                                      "changes take no conditions");
    }

    if (!ngx_http_ntrip_certified(r)) {
        return ngx_http_ntrip_problem(ctx, NGX_HTTP_FORBIDDEN,
                                      "only with a client certificate");
    }

    if (r->headers_in.content_length_n > NGX_HTTP_NTRIP_BODY) {
        return ngx_http_ntrip_problem(ctx, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                      "the body is too large");
    }

    r->request_body_in_file_only = 0;

    rc = ngx_http_read_client_request_body(r, ngx_http_ntrip_api_body);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    return NGX_DONE;
}


/* NULL, or the methods that there are instead */

static const char *
ngx_http_ntrip_api_allow(ngx_http_ntrip_ctx_t *ctx)
{
    ngx_uint_t  method;

    method = ctx->request->method;

    if (method == NGX_HTTP_POST) {
        ctx->action = ngx_http_ntrip_api_action(ctx, "rovers", "/kick");

        if (ctx->action == NULL) {
            ctx->action = ngx_http_ntrip_api_action(ctx, "accounts", "/test");
        }

        if (ctx->action == NULL) {
            ctx->action = ngx_http_ntrip_api_action(ctx, "accounts", "/rest");
        }

        if (ctx->action) {
            return NULL;
        }
    }

    if (ctx->endpoint->page == ngx_http_ntrip_trace) {
        return (method == NGX_HTTP_PATCH) ? "GET, HEAD, POST, DELETE" : NULL;
    }

    if (!ctx->endpoint->writes) {
        return "GET, HEAD";
    }

    if ((ctx->id.len != 0) == (method == NGX_HTTP_POST)) {
        return ctx->id.len ? "GET, HEAD, PATCH, DELETE" : "GET, HEAD, POST";
    }

    return NULL;
}


/* the action, without which the id is left; NULL: it is another request */

static const char *
ngx_http_ntrip_api_action(ngx_http_ntrip_ctx_t *ctx, const char *name,
    const char *action)
{
    size_t  len;

    len = ngx_strlen(action);

    if (ngx_strcmp(ctx->endpoint->name.data, name) != 0
        || ctx->id.len <= len
        || ngx_strncmp(ctx->id.data + ctx->id.len - len, action, len) != 0)
    {
        return NULL;
    }

    ctx->id.len -= len;

    return action;
}


static ngx_uint_t
ngx_http_ntrip_api_json(ngx_http_request_t *r)
{
    u_char     *end;
    ngx_str_t   type;

    if (r->headers_in.content_type == NULL) {
        return 0;
    }

    type = r->headers_in.content_type->value;
    end = ngx_strlchr(type.data, type.data + type.len, ';');

    if (end) {
        type.len = end - type.data;
    }

    ntrip_text_trim(&type);

    return ntrip_text_is(&type, "application/json");
}


static void
ngx_http_ntrip_api_body(ngx_http_request_t *r)
{
    ngx_int_t              rc;
    ngx_str_t              text;
    ngx_http_ntrip_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_ntrip_status_module);

    rc = ngx_http_ntrip_api_text(r, &text);

    if (rc != NGX_OK) {
        ngx_http_finalize_request(r,
            rc == NGX_ERROR ? NGX_HTTP_INTERNAL_SERVER_ERROR
            : ngx_http_ntrip_problem(ctx, NGX_HTTP_REQUEST_ENTITY_TOO_LARGE,
                                     "the body is too large"));
        return;
    }

    ngx_http_ntrip_hold(ctx);

    /* a change is logged, whether anybody waits for the reply or not */

    if (ctx->action) {
        r->read_event_handler = ngx_http_test_reading;
    }

    if (ctx->action && ngx_strcmp(ctx->action, "/kick") == 0) {
        rc = ngx_http_ntrip_api_kick(ctx);

    } else if (ctx->action && ngx_strcmp(ctx->action, "/rest") == 0) {
        rc = ngx_http_ntrip_api_rest(ctx, &text);

    } else if (ctx->action) {
        rc = ngx_http_ntrip_api_test(ctx, &text);

    } else if (ctx->endpoint->page == ngx_http_ntrip_trace) {
        rc = ngx_http_ntrip_trace_order(ctx, &text);

    } else {
        rc = ngx_http_ntrip_write(ctx, &text);
    }

    if (rc != NGX_DONE) {
        rc = ngx_http_ntrip_finish(ctx, rc);
        ngx_http_finalize_request(r, rc);
    }
}


/* in as many buffers as it came in, or in a file, if client_body_buffer_size is
   that small.  NGX_DECLINED: it is too large */

static ngx_int_t
ngx_http_ntrip_api_text(ngx_http_request_t *r, ngx_str_t *text)
{
    off_t         size;
    u_char       *p;
    ssize_t       n;
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    ngx_str_null(text);

    if (r->request_body == NULL || r->request_body->bufs == NULL) {
        return NGX_OK;
    }

    for (size = 0, cl = r->request_body->bufs; cl; cl = cl->next) {
        size += ngx_buf_size(cl->buf);
    }

    if (size > NGX_HTTP_NTRIP_BODY) {
        return NGX_DECLINED;
    }

    p = ngx_pnalloc(r->pool, size + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    text->data = p;
    text->len = size;

    for (cl = r->request_body->bufs; cl; cl = cl->next) {
        b = cl->buf;
        n = ngx_buf_size(b);

        if (!ngx_buf_in_memory(b)) {

            if (n && ngx_read_file(b->file, p, n, b->file_pos) != n) {
                return NGX_ERROR;
            }

        } else if (n) {
            ngx_memcpy(p, b->pos, n);

            /* passwords */

            ngx_explicit_memzero(b->pos, n);
        }

        p += n;
    }

    return NGX_OK;
}


/* the session, and those of its user that are older */

static ngx_int_t
ngx_http_ntrip_api_kick(ngx_http_ntrip_ctx_t *ctx)
{
    uint64_t                    login;
    uint32_t                    index;
    ngx_int_t                   rc;
    ngx_str_t                   user;
    ntrip_slots_t               wake;
    ntrip_session_row_t         row;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;

    if (ngx_http_ntrip_number(&ctx->id, &login) != NGX_OK) {
        return NGX_DECLINED;
    }

    index = ngx_stream_ntrip_cursor_find(&worker->zone->sessions, login);

    if (index == NTRIP_ROW_NONE
        || !ntrip_session_peek(worker->zone, index, &row))
    {
        return NGX_DECLINED;
    }

    ngx_memzero(&wake, sizeof(ntrip_slots_t));

    ngx_stream_ntrip_lock();
    rc = ntrip_session_end(worker->zone, worker->bus, index, login, &wake);
    ngx_stream_ntrip_unlock();

    if (rc != NGX_OK) {
        return NGX_DECLINED;
    }

    user.data = row.user;
    user.len = row.user_len;

    ngx_stream_ntrip_kick(&user, login + 1, &wake);

    ngx_http_ntrip_audit(ctx, &user);

    ctx->status = NGX_HTTP_NO_CONTENT;

    return NGX_OK;
}


/* {"seconds": number}, 0: it rests no longer */

static ngx_int_t
ngx_http_ntrip_api_rest(ngx_http_ntrip_ctx_t *ctx, ngx_str_t *text)
{
    uint64_t                    id;
    ngx_int_t                   rc;
    ngx_uint_t                  n;
    ntrip_slots_t               wake;
    ntrip_json_member_t         member;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;
    n = 1;

    if (ngx_http_ntrip_number(&ctx->id, &id) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (ntrip_json_read(text, &member, &n) != NGX_OK
        || n != 1
        || !ntrip_text_is(&member.name, "seconds")
        || member.type != NTRIP_JSON_NUMBER
        || member.number < 0
        || member.number > NGX_HTTP_NTRIP_REST)
    {
        ctx->detail = "the body is no object with seconds, a week at most";
        return NGX_HTTP_BAD_REQUEST;
    }

    if (ngx_stream_ntrip_store_sync() != NGX_OK) {
        return NGX_BUSY;
    }

    if (ngx_stream_ntrip_store_account(id) == NULL) {
        return NGX_DECLINED;
    }

    ngx_memzero(&wake, sizeof(ntrip_slots_t));

    ngx_stream_ntrip_lock();
    rc = ntrip_lease_order(worker->zone, worker->bus, id, ngx_current_msec,
                           ngx_current_msec + member.number * 1000, &wake);
    ngx_stream_ntrip_unlock();

    ngx_stream_ntrip_wake_set(&wake);

    if (rc != NGX_OK) {
        ctx->detail = (rc == NGX_BUSY) ? "the account is in use"
                                       : "there is no room in ntrip_zone";
        return NGX_HTTP_CONFLICT;
    }

    ngx_http_ntrip_audit(ctx, &ctx->id);

    ctx->status = NGX_HTTP_NO_CONTENT;

    return NGX_OK;
}


/* {"mount": name}, or nothing: the first one of the relay */

static ngx_int_t
ngx_http_ntrip_api_test(ngx_http_ntrip_ctx_t *ctx, ngx_str_t *text)
{
    uint64_t             id;
    ngx_int_t            rc;
    ngx_uint_t           n;
    ntrip_json_member_t  member;

    if (ngx_http_ntrip_number(&ctx->id, &id) != NGX_OK) {
        return NGX_DECLINED;
    }

    ngx_str_null(&ctx->mount);
    n = 1;

    if (text->len) {

        if (ntrip_json_read(text, &member, &n) != NGX_OK
            || (n && (!ntrip_text_is(&member.name, "mount")
                      || member.type != NTRIP_JSON_TEXT
                      || member.text.len > NTRIP_MOUNT_MAX)))
        {
            ctx->detail = "the body is no object with a mount";
            return NGX_HTTP_BAD_REQUEST;
        }

        if (n) {
            ctx->mount = member.text;
        }
    }

    if (ngx_stream_ntrip_store_sync() != NGX_OK) {
        return NGX_BUSY;
    }

    if (ngx_stream_ntrip_store_account(id) == NULL) {
        return NGX_DECLINED;
    }

    rc = ngx_stream_ntrip_source_test(id, &ctx->mount,
                                      ngx_http_ntrip_api_tested, ctx);

    if (rc == NGX_DECLINED) {
        ctx->detail = "the account has expired, or no server relays its pool";
        return NGX_HTTP_CONFLICT;
    }

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    ctx->testing = 1;

    return NGX_DONE;
}


static void
ngx_http_ntrip_api_tested(void *data, ngx_str_t *text)
{
    ngx_http_ntrip_ctx_t *ctx = data;

    u_char             buf[6 * NTRIP_JSON_STRING + 64];
    ntrip_json_t       json;
    ngx_connection_t  *c;

    ctx->testing = 0;
    c = ctx->request->connection;

    ntrip_json_init(&json, buf, sizeof(buf), NULL, 0);
    ntrip_json_open(&json, NULL, '{');
    ntrip_json_str(&json, "result", text);
    ntrip_json_close(&json, '}');

    ngx_http_ntrip_add(ctx, json.out.start, json.out.last - json.out.start);

    ngx_http_ntrip_audit(ctx, &ctx->id);

    ngx_http_finalize_request(ctx->request,
                              ngx_http_ntrip_finish(ctx, NGX_OK));
    ngx_http_run_posted_requests(c);
}


void
ngx_http_ntrip_audit(ngx_http_ntrip_ctx_t *ctx, ngx_str_t *what)
{
    u_char               buf[6 * NTRIP_JSON_STRING + 2];
    u_char               by[6 * NTRIP_JSON_STRING + 2];
    ntrip_json_t         json, user;
    ngx_http_request_t  *r;

    r = ctx->request;

    /* a name may have anything in it */

    ntrip_json_init(&json, buf, sizeof(buf), NULL, 0);
    ntrip_json_str(&json, NULL, what);

    ntrip_json_init(&user, by, sizeof(by), NULL, 0);
    ntrip_json_str(&user, NULL, &r->headers_in.user);

    ngx_log_error(NGX_LOG_NOTICE, r->connection->log, 0,
                  "ntrip api: %V %V%s, %*s, by %*s",
                  &r->method_name, &ctx->endpoint->name,
                  ctx->action ? ctx->action : "",
                  (size_t) (json.out.last - json.out.start), json.out.start,
                  (size_t) (user.out.last - user.out.start), user.out.start);
}
