
/*
 * Fieldgate: "cwmp_url_map" toward the CPE: the ACS's answers, with other URLs
 * in them.
 *
 * An answer is collected, as its header has to say how long it is; it is read
 * as it comes, so that only what is mapped is written anew.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_body.h"
#include "ngx_http_cwmp_inform.h"


struct ngx_http_cwmp_map_s {
    ngx_http_request_t          *request;
    ngx_http_cwmp_loc_conf_t    *conf;
    ngx_uint_t                   coding;     /* cwmp_coding_e */
    cwmp_inflate_t               inflate;
    cwmp_urlmap_t                urlmap;
    ngx_array_t                  edits;      /* of ngx_http_cwmp_edit_t */
    const char                  *error;      /* why it cannot be read */
    off_t                        size;       /* as it came */
    ngx_chain_t                 *in;         /* the same */
    ngx_chain_t                **last;
    cwmp_work_t                  work;       /* counts, and nobody asks */
    ngx_http_cwmp_rewrite_t      rewrite;
    unsigned                     done:1;
};


static ngx_int_t ngx_http_cwmp_map_header_filter(ngx_http_request_t *r);
static ngx_uint_t ngx_http_cwmp_map_wanted(ngx_http_request_t *r,
    ngx_http_cwmp_ctx_t *ctx);
static ngx_http_cwmp_map_t *ngx_http_cwmp_map_create(ngx_http_request_t *r,
    ngx_http_cwmp_loc_conf_t *clcf);
static void ngx_http_cwmp_map_cleanup(void *data);
static ngx_int_t ngx_http_cwmp_map_body_filter(ngx_http_request_t *r,
    ngx_chain_t *in);
static ngx_int_t ngx_http_cwmp_map_collect(ngx_http_cwmp_map_t *map,
    ngx_buf_t *b);
static void ngx_http_cwmp_map_read(ngx_http_cwmp_map_t *map, u_char *p,
    size_t len);
static void ngx_http_cwmp_map_end(ngx_http_cwmp_map_t *map);
static ngx_int_t ngx_http_cwmp_map_handler(void *data,
    cwmp_urlmap_edit_t *edit);
static ngx_int_t ngx_http_cwmp_map_send(ngx_http_cwmp_map_t *map,
    ngx_uint_t last);
static ngx_int_t ngx_http_cwmp_map_write(ngx_http_cwmp_map_t *map);
static ngx_int_t ngx_http_cwmp_map_write_coded(ngx_http_cwmp_map_t *map);


static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;
static ngx_http_output_body_filter_pt    ngx_http_next_body_filter;


void
ngx_http_cwmp_map_init(void)
{
    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_cwmp_map_header_filter;

    ngx_http_next_body_filter = ngx_http_top_body_filter;
    ngx_http_top_body_filter = ngx_http_cwmp_map_body_filter;
}


static ngx_int_t
ngx_http_cwmp_map_header_filter(ngx_http_request_t *r)
{
    ngx_http_cwmp_ctx_t       *ctx;
    ngx_http_cwmp_map_t       *map;
    ngx_http_cwmp_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_cwmp_module);

    if (!clcf->enable || clcf->url_map == NULL) {
        return ngx_http_next_header_filter(r);
    }

    ctx = ngx_http_cwmp_find_ctx(r);

    if (!ngx_http_cwmp_map_wanted(r, ctx)) {
        return ngx_http_next_header_filter(r);
    }

    map = ngx_http_cwmp_map_create(r, clcf);
    if (map == NULL) {
        return NGX_ERROR;
    }

    ctx->map = map;

    /* the header goes out later, the body is counted from its beginning */

    ngx_http_clear_accept_ranges(r);

    r->filter_need_in_memory = 1;

    return NGX_OK;
}


/* an answer of an ACS, with a message in it */

static ngx_uint_t
ngx_http_cwmp_map_wanted(ngx_http_request_t *r, ngx_http_cwmp_ctx_t *ctx)
{
    return r == r->main
           && ctx && ctx->done && ctx->map == NULL
           && r->upstream && r->upstream->headers_in.status_n
           && r->headers_out.status == NGX_HTTP_OK
           && r->headers_out.content_length_n != 0
           && !r->header_only;
}


static ngx_http_cwmp_map_t *
ngx_http_cwmp_map_create(ngx_http_request_t *r,
    ngx_http_cwmp_loc_conf_t *clcf)
{
    ngx_pool_cleanup_t   *cln;
    ngx_http_cwmp_map_t  *map;

    cln = ngx_pool_cleanup_add(r->pool, sizeof(ngx_http_cwmp_map_t));
    if (cln == NULL) {
        return NULL;
    }

    map = cln->data;
    ngx_memzero(map, sizeof(ngx_http_cwmp_map_t));

    cln->handler = ngx_http_cwmp_map_cleanup;

    if (ngx_array_init(&map->edits, r->pool, 1, sizeof(ngx_http_cwmp_edit_t))
        != NGX_OK)
    {
        return NULL;
    }

    map->request = r;
    map->conf = clcf;
    map->last = &map->in;
    map->coding = CWMP_CODING_IDENTITY;

    if (r->headers_out.content_encoding
        && r->headers_out.content_encoding->hash)
    {
        map->coding = cwmp_coding(&r->headers_out.content_encoding->value);
    }

    if (map->coding == CWMP_CODING_OTHER) {
        map->error = "a content coding that is not known";
    }

    cwmp_inflate_init(&map->inflate, map->coding, clcf->max_body,
                      clcf->max_ratio);

    map->urlmap.pairs = clcf->url_map->elts;
    map->urlmap.npairs = clcf->url_map->nelts;
    map->urlmap.handler = ngx_http_cwmp_map_handler;
    map->urlmap.data = map;

    cwmp_urlmap_init(&map->urlmap);

    return map;
}


static void
ngx_http_cwmp_map_cleanup(void *data)
{
    ngx_http_cwmp_map_t *map = data;

    cwmp_inflate_end(&map->inflate);

    if (map->rewrite.deflating) {
        map->rewrite.deflating = 0;
        cwmp_deflate_end(&map->rewrite.deflate);
    }
}


static ngx_int_t
ngx_http_cwmp_map_body_filter(ngx_http_request_t *r, ngx_chain_t *in)
{
    ngx_uint_t            last, level, pass;
    ngx_chain_t          *cl;
    ngx_http_cwmp_ctx_t  *ctx;
    ngx_http_cwmp_map_t  *map;

    ctx = (r == r->main) ? ngx_http_get_module_ctx(r, ngx_http_cwmp_module)
                         : NULL;
    map = ctx ? ctx->map : NULL;

    if (map == NULL || map->done) {
        return ngx_http_next_body_filter(r, in);
    }

    last = 0;

    for (cl = in; cl; cl = cl->next) {

        if (ngx_http_cwmp_map_collect(map, cl->buf) != NGX_OK) {
            return NGX_ERROR;
        }

        last |= cl->buf->last_buf;

        cl->buf->pos = cl->buf->last;
    }

    pass = (map->conf->on_error == NGX_HTTP_CWMP_ERROR_PASS);

    if (!last && !(map->error && pass)) {
        return NGX_OK;
    }

    map->done = 1;

    ngx_http_cwmp_map_end(map);

    if (map->error) {
        level = pass ? NGX_LOG_WARN : NGX_LOG_ERR;

        ngx_log_error(level, r->connection->log, 0,
                      "the ACS's answer with %s, %s", map->error,
                      pass ? "passed as it is" : "rejected");

        if (!pass) {
            return ngx_http_filter_finalize_request(r, &ngx_http_cwmp_module,
                                                    NGX_HTTP_BAD_GATEWAY);
        }

        map->edits.nelts = 0;
    }

    return ngx_http_cwmp_map_send(map, last);
}


/* a copy: the upstream uses its buffers again */

static ngx_int_t
ngx_http_cwmp_map_collect(ngx_http_cwmp_map_t *map, ngx_buf_t *b)
{
    size_t        len;
    ngx_buf_t    *copy;
    ngx_chain_t  *cl;

    len = ngx_buf_in_memory(b) ? (size_t) (b->last - b->pos) : 0;

    if (len == 0) {
        return NGX_OK;
    }

    if (map->error && map->conf->on_error != NGX_HTTP_CWMP_ERROR_PASS) {

        /* nothing of it will be sent */

        return NGX_OK;
    }

    copy = ngx_create_temp_buf(map->request->pool, len);
    cl = ngx_alloc_chain_link(map->request->pool);

    if (copy == NULL || cl == NULL) {
        return NGX_ERROR;
    }

    copy->last = ngx_cpymem(copy->last, b->pos, len);

    cl->buf = copy;
    cl->next = NULL;

    *map->last = cl;
    map->last = &cl->next;

    map->size += len;

    if (map->error == NULL && map->size > (off_t) map->conf->max_body) {
        map->error = "more bytes than cwmp_max_body";
    }

    if (map->error == NULL) {
        ngx_http_cwmp_map_read(map, copy->pos, len);
    }

    return NGX_OK;
}


static void
ngx_http_cwmp_map_read(ngx_http_cwmp_map_t *map, u_char *p, size_t len)
{
    size_t   n;
    u_char  *last, buf[CWMP_WORK_WINDOW];

    if (map->coding == CWMP_CODING_IDENTITY) {

        if (cwmp_urlmap_read(&map->urlmap, p, len) != NGX_OK) {
            map->error = cwmp_urlmap_strerror(map->urlmap.error);
        }

        return;
    }

    last = p + len;

    do {
        if (cwmp_inflate(&map->inflate, &p, last, buf, sizeof(buf), &n)
            != NGX_OK)
        {
            map->error = "compressed data that are damaged or too large";
            return;
        }

        if (cwmp_urlmap_read(&map->urlmap, buf, n) != NGX_OK) {
            map->error = cwmp_urlmap_strerror(map->urlmap.error);
            return;
        }

    } while (p < last || n == sizeof(buf));
}


static void
ngx_http_cwmp_map_end(ngx_http_cwmp_map_t *map)
{
    if (map->error) {
        return;
    }

    if (map->coding != CWMP_CODING_IDENTITY
        && cwmp_inflate_finish(&map->inflate) != NGX_OK)
    {
        map->error = "compressed data that are damaged or too large";
        return;
    }

    if (cwmp_urlmap_end(&map->urlmap) != NGX_OK) {
        map->error = cwmp_urlmap_strerror(map->urlmap.error);
    }
}


static ngx_int_t
ngx_http_cwmp_map_handler(void *data, cwmp_urlmap_edit_t *edit)
{
    ngx_http_cwmp_map_t *map = data;

    return ngx_http_cwmp_map_edit(map->request->pool, &map->edits, edit);
}


ngx_int_t
ngx_http_cwmp_map_edit(ngx_pool_t *pool, ngx_array_t *edits,
    cwmp_urlmap_edit_t *edit)
{
    ngx_http_cwmp_edit_t  *e;

    e = ngx_array_push(edits);
    if (e == NULL) {
        return NGX_ERROR;
    }

    e->start = edit->start;
    e->end = edit->end;
    e->mapped = 1;
    e->address = 0;

    e->text.data = ngx_pnalloc(pool, cwmp_urlmap_size(edit));
    if (e->text.data == NULL) {
        return NGX_ERROR;
    }

    e->text.len = cwmp_urlmap_write(e->text.data, edit) - e->text.data;

    return NGX_OK;
}


/* not the last of it: what comes behind goes through as it is */

static ngx_int_t
ngx_http_cwmp_map_send(ngx_http_cwmp_map_t *map, ngx_uint_t last)
{
    ngx_int_t            rc;
    ngx_buf_t           *b;
    ngx_chain_t         *out, *cl;
    ngx_http_request_t  *r;

    r = map->request;
    out = map->in;

    if (map->edits.nelts) {

        if (ngx_http_cwmp_map_write(map) != NGX_OK) {
            return NGX_ERROR;
        }

        out = map->rewrite.out;

        ngx_http_clear_content_length(r);
        ngx_http_clear_last_modified(r);
        ngx_http_clear_etag(r);

        r->headers_out.content_length_n = map->rewrite.size;
    }

    rc = ngx_http_next_header_filter(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    if (out == NULL && !last) {
        return NGX_OK;
    }

    if (out == NULL) {
        b = ngx_calloc_buf(r->pool);
        out = ngx_alloc_chain_link(r->pool);

        if (b == NULL || out == NULL) {
            return NGX_ERROR;
        }

        out->buf = b;
        out->next = NULL;
    }

    for (cl = out; cl->next; cl = cl->next) { /* void */ }

    cl->buf->last_buf = last;
    cl->buf->last_in_chain = last;
    cl->buf->flush = !last;

    return ngx_http_next_body_filter(r, out);
}


static ngx_int_t
ngx_http_cwmp_map_write(ngx_http_cwmp_map_t *map)
{
    ngx_chain_t              *cl;
    ngx_http_cwmp_rewrite_t  *rw;

    rw = &map->rewrite;

    rw->request = map->request;
    rw->work = &map->work;
    rw->edits = map->edits.elts;
    rw->nedits = map->edits.nelts;
    rw->last = &rw->out;

    if (map->coding != CWMP_CODING_IDENTITY) {
        return ngx_http_cwmp_map_write_coded(map);
    }

    for (cl = map->in; cl; cl = cl->next) {
        if (ngx_http_cwmp_rewrite_piece(rw, cl->buf->pos,
                                        cl->buf->last - cl->buf->pos)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* inflated once more, into the format that it came in */

static ngx_int_t
ngx_http_cwmp_map_write_coded(ngx_http_cwmp_map_t *map)
{
    size_t                    n;
    u_char                   *p, buf[CWMP_WORK_WINDOW];
    ngx_chain_t              *cl;
    ngx_http_cwmp_rewrite_t  *rw;

    rw = &map->rewrite;

    if (cwmp_deflate_init(&rw->deflate, &map->inflate) != NGX_OK) {
        return NGX_ERROR;
    }

    rw->deflating = 1;

    cwmp_inflate_end(&map->inflate);
    cwmp_inflate_init(&map->inflate, map->coding, map->conf->max_body,
                      map->conf->max_ratio);

    for (cl = map->in; cl; cl = cl->next) {
        p = cl->buf->pos;

        do {
            if (cwmp_inflate(&map->inflate, &p, cl->buf->last, buf,
                             sizeof(buf), &n)
                != NGX_OK
                || ngx_http_cwmp_rewrite_piece(rw, buf, n) != NGX_OK)
            {
                return NGX_ERROR;
            }

        } while (p < cl->buf->last || n == sizeof(buf));
    }

    return ngx_http_cwmp_deflate(rw, NULL, 0, 1);
}
