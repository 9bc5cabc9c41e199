
/*
 * Fieldgate: replies of "cwmp_status": arguments, pages, problems.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_md5.h>

#include "ngx_http_cwmp_reply.h"


static ngx_http_cwmp_page_t *ngx_http_cwmp_page_create(ngx_http_request_t *r);
static void ngx_http_cwmp_page_cleanup(void *data);
static const char *ngx_http_cwmp_page_arguments(ngx_http_cwmp_page_t *page);
static const char *ngx_http_cwmp_page_argument(ngx_http_cwmp_page_t *page,
    ngx_str_t *name, ngx_str_t *value);
static ngx_int_t ngx_http_cwmp_page_unescape(ngx_pool_t *pool,
    ngx_str_t *text);
static void ngx_http_cwmp_page_handler(ngx_event_t *ev);
static void ngx_http_cwmp_page_turn(ngx_http_cwmp_page_t *page);
static ngx_buf_t *ngx_http_cwmp_page_buf(ngx_http_cwmp_page_t *page,
    size_t size);
static ngx_int_t ngx_http_cwmp_reply_etag(ngx_http_request_t *r,
    ngx_chain_t *out);


ngx_int_t
ngx_http_cwmp_page(ngx_http_request_t *r, ngx_http_cwmp_walk_pt walk,
    ngx_str_t *id)
{
    const char            *wrong;
    ngx_http_cwmp_page_t  *page;

    page = ngx_http_cwmp_page_create(r);
    if (page == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    page->walk = walk;
    page->id = *id;

    wrong = ngx_http_cwmp_page_arguments(page);

    if (wrong) {
        return ngx_http_cwmp_problem(r, NGX_HTTP_BAD_REQUEST, wrong);
    }

    if (!r->discard_body) {
        r->read_event_handler = ngx_http_test_reading;
    }

    r->main->count++;
    ngx_http_cwmp_page_turn(page);

    return NGX_DONE;
}


static ngx_http_cwmp_page_t *
ngx_http_cwmp_page_create(ngx_http_request_t *r)
{
    ngx_pool_cleanup_t         *cln;
    ngx_http_cwmp_page_t       *page;
    ngx_http_cwmp_main_conf_t  *cmcf;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_cwmp_page_t));
    if (cln == NULL) {
        return NULL;
    }

    page = cln->data;
    ngx_memzero(page, sizeof(ngx_http_cwmp_page_t));

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_cwmp_module);

    page->request = r;
    page->zone = cmcf->shared;
    page->limit = NGX_HTTP_CWMP_LIMIT;
    page->last = &page->out;

    page->event.handler = ngx_http_cwmp_page_handler;
    page->event.data = page;
    page->event.log = r->connection->log;

    cln->handler = ngx_http_cwmp_page_cleanup;

    return page;
}


static void
ngx_http_cwmp_page_cleanup(void *data)
{
    ngx_http_cwmp_page_t *page = data;

    if (page->event.posted) {
        ngx_delete_posted_event(&page->event);
    }
}


/* NULL, or what is wrong with one of them */

static const char *
ngx_http_cwmp_page_arguments(ngx_http_cwmp_page_t *page)
{
    u_char      *p, *last, *end, *equals;
    ngx_str_t    name, value;
    const char  *wrong;

    end = page->request->args.data + page->request->args.len;

    for (p = page->request->args.data; p < end; p = last + 1) {

        last = ngx_strlchr(p, end, '&');

        if (last == NULL) {
            last = end;
        }

        equals = ngx_strlchr(p, last, '=');

        if (equals == NULL) {
            equals = last;
        }

        name.data = p;
        name.len = equals - p;
        value.data = ngx_min(equals + 1, last);
        value.len = last - value.data;

        if (name.len == 0) {
            continue;
        }

        if (ngx_http_cwmp_page_unescape(page->request->pool, &name) != NGX_OK
            || ngx_http_cwmp_page_unescape(page->request->pool, &value)
               != NGX_OK)
        {
            return "no memory";
        }

        wrong = ngx_http_cwmp_page_argument(page, &name, &value);

        if (wrong) {
            return wrong;
        }
    }

    return NULL;
}


static const char *
ngx_http_cwmp_page_argument(ngx_http_cwmp_page_t *page, ngx_str_t *name,
    ngx_str_t *value)
{
    ngx_int_t       n;
    cwmp_filter_t  *filter;

    n = ngx_atoi(value->data, value->len);

    if (name->len == 5 && ngx_strncmp(name->data, "limit", 5) == 0) {

        if (n < 1 || n > NGX_HTTP_CWMP_LIMIT_MAX) {
            return "limit is no number from 1 to 1000";
        }

        page->limit = n;
        return NULL;
    }

    if (name->len == 6 && ngx_strncmp(name->data, "cursor", 6) == 0) {

        if (n == NGX_ERROR) {
            return "the cursor is none of this list";
        }

        page->place = n;
        return NULL;
    }

    if (page->nfilters == NGX_HTTP_CWMP_FILTERS) {
        return "there are more than 8 filters";
    }

    filter = &page->filters[page->nfilters++];
    filter->name = *name;
    filter->value = *value;

    return NULL;
}


static ngx_int_t
ngx_http_cwmp_page_unescape(ngx_pool_t *pool, ngx_str_t *text)
{
    u_char  *p, *src, *dst;
    size_t   i;

    p = ngx_pnalloc(pool, 2 * text->len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    src = p + text->len + 1;

    for (i = 0; i < text->len; i++) {
        src[i] = (text->data[i] == '+') ? ' ' : text->data[i];
    }

    dst = p;
    ngx_unescape_uri(&dst, &src, text->len, 0);

    text->data = p;
    text->len = dst - p;

    return NGX_OK;
}


static void
ngx_http_cwmp_page_handler(ngx_event_t *ev)
{
    ngx_connection_t      *c;
    ngx_http_cwmp_page_t  *page;

    page = ev->data;
    c = page->request->connection;

    ngx_http_set_log_request(c->log, page->request);

    ngx_http_cwmp_page_turn(page);
    ngx_http_run_posted_requests(c);
}


static void
ngx_http_cwmp_page_turn(ngx_http_cwmp_page_t *page)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = page->request;
    r->connection->log->action = "making the status of CPEs";

    rc = page->walk(page);

    switch (rc) {

    case NGX_AGAIN:
        ngx_post_event(&page->event, &ngx_posted_next_events);
        return;

    case NGX_OK:
        rc = ngx_http_cwmp_reply(r, NGX_HTTP_OK, "application/json",
                                 page->out);
        break;

    case NGX_DECLINED:
        rc = ngx_http_cwmp_problem(r, NGX_HTTP_NOT_FOUND,
                                   "there is no such item");
        break;

    default: /* NGX_ERROR */
        rc = NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_finalize_request(r, rc);
}


ngx_int_t
ngx_http_cwmp_page_item(ngx_http_cwmp_page_t *page, cwmp_field_t *fields,
    ngx_uint_t n)
{
    ngx_buf_t  *b;

    if (page->id.len == 0
        && !cwmp_item_matches(fields, n, page->filters, page->nfilters))
    {
        return NGX_OK;
    }

    b = ngx_http_cwmp_page_buf(page, sizeof("{\"items\":[") - 1
                                     + cwmp_item_size(fields, n));
    if (b == NULL) {
        return NGX_ERROR;
    }

    if (page->id.len == 0) {
        b->last = ngx_sprintf(b->last, page->n ? "," : "{\"items\":[");
    }

    b->last = cwmp_item_write(b->last, fields, n);
    page->n++;

    return NGX_OK;
}


ngx_int_t
ngx_http_cwmp_page_end(ngx_http_cwmp_page_t *page, ngx_uint_t more)
{
    ngx_buf_t  *b;

    b = ngx_http_cwmp_page_buf(page, sizeof("{\"items\":[],\"next\":\"\"}") - 1
                                     + NGX_INT_T_LEN);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->last = ngx_sprintf(b->last, page->n ? "]," : "{\"items\":[],");

    b->last = more ? ngx_sprintf(b->last, "\"next\":\"%ui\"}", page->place)
                   : ngx_sprintf(b->last, "\"next\":null}");

    return NGX_OK;
}


static ngx_buf_t *
ngx_http_cwmp_page_buf(ngx_http_cwmp_page_t *page, size_t size)
{
    ngx_chain_t  *cl;

    cl = ngx_alloc_chain_link(page->request->pool);
    if (cl == NULL) {
        return NULL;
    }

    cl->buf = ngx_create_temp_buf(page->request->pool, size);
    if (cl->buf == NULL) {
        return NULL;
    }

    cl->next = NULL;

    *page->last = cl;
    page->last = &cl->next;

    return cl->buf;
}


ngx_int_t
ngx_http_cwmp_reply(ngx_http_request_t *r, ngx_uint_t status,
    const char *type, ngx_chain_t *out)
{
    off_t         size;
    ngx_int_t     rc;
    ngx_chain_t  *cl;

    if (status == NGX_HTTP_OK && ngx_http_cwmp_reply_etag(r, out) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    size = 0;

    for (cl = out; /* void */ ; cl = cl->next) {
        size += ngx_buf_size(cl->buf);

        if (cl->next == NULL) {
            break;
        }
    }

    cl->buf->last_buf = (r == r->main) ? 1 : 0;
    cl->buf->last_in_chain = 1;

    r->headers_out.content_type.data = (u_char *) type;
    r->headers_out.content_type.len = ngx_strlen(type);
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.status = status;
    r->headers_out.content_length_n = size;

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    return ngx_http_output_filter(r, out);
}


static ngx_int_t
ngx_http_cwmp_reply_etag(ngx_http_request_t *r, ngx_chain_t *out)
{
    u_char            digest[16], *p;
    ngx_md5_t         md5;
    ngx_chain_t      *cl;
    ngx_table_elt_t  *h;

    ngx_md5_init(&md5);

    for (cl = out; cl; cl = cl->next) {
        ngx_md5_update(&md5, cl->buf->pos, cl->buf->last - cl->buf->pos);
    }

    ngx_md5_final(digest, &md5);

    p = ngx_pnalloc(r->pool, 2 * sizeof(digest) + 2);
    h = ngx_http_cwmp_reply_header(r, "ETag", "");

    if (p == NULL || h == NULL) {
        return NGX_ERROR;
    }

    h->value.data = p;
    h->value.len = 2 * sizeof(digest) + 2;

    *p++ = '"';
    p = ngx_hex_dump(p, digest, sizeof(digest));
    *p = '"';

    r->headers_out.etag = h;

    return NGX_OK;
}


ngx_table_elt_t *
ngx_http_cwmp_reply_header(ngx_http_request_t *r, const char *name,
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


ngx_int_t
ngx_http_cwmp_problem(ngx_http_request_t *r, ngx_uint_t status,
    const char *detail)
{
    ngx_str_t      text;
    ngx_buf_t     *b;
    ngx_uint_t     i, n;
    ngx_chain_t   *out;
    cwmp_field_t   fields[4];

    static struct {
        ngx_uint_t  status;
        ngx_str_t   title;
    } titles[] = {
        { NGX_HTTP_BAD_REQUEST, ngx_string("Bad Request") },
        { NGX_HTTP_FORBIDDEN, ngx_string("Forbidden") },
        { NGX_HTTP_NOT_FOUND, ngx_string("Not Found") },
        { NGX_HTTP_NOT_ALLOWED, ngx_string("Method Not Allowed") },
        { 0, ngx_string("Error") }
    };

    for (i = 0; titles[i].status && titles[i].status != status; i++) {
        /* void */
    }

    n = 0;

    ngx_str_set(&text, "about:blank");
    cwmp_field_text(fields, &n, "type", &text);
    cwmp_field_text(fields, &n, "title", &titles[i].title);
    cwmp_field_number(fields, &n, "status", CWMP_FIELD_NUMBER, status);

    if (detail) {
        text.data = (u_char *) detail;
        text.len = ngx_strlen(detail);
        cwmp_field_text(fields, &n, "detail", &text);
    }

    b = ngx_create_temp_buf(r->pool, cwmp_item_size(fields, n));
    out = ngx_alloc_chain_link(r->pool);

    if (b == NULL || out == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    b->last = cwmp_item_write(b->last, fields, n);

    out->buf = b;
    out->next = NULL;

    return ngx_http_cwmp_reply(r, status, "application/problem+json", out);
}
