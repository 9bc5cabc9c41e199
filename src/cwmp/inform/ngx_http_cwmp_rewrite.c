
/*
 * Fieldgate: replaces the request body by one with other values in it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_body.h"


#define NGX_HTTP_CWMP_DEFLATE_BUFFER  16384


static ngx_int_t ngx_http_cwmp_rewrite_begin(ngx_http_cwmp_body_t *b);
static ngx_int_t ngx_http_cwmp_rewrite_identity(ngx_http_cwmp_rewrite_t *rw);
static ngx_int_t ngx_http_cwmp_rewrite_coded(ngx_http_cwmp_body_t *b);
static ngx_int_t ngx_http_cwmp_rewrite_end(ngx_http_cwmp_rewrite_t *rw);
static ngx_int_t ngx_http_cwmp_write(ngx_http_cwmp_rewrite_t *rw, u_char *p,
    size_t len);
static ngx_buf_t *ngx_http_cwmp_add_buf(ngx_http_cwmp_rewrite_t *rw);
static ngx_int_t ngx_http_cwmp_set_length(ngx_http_request_t *r, off_t size);


/*
 * What is in a file is loaded, since a body with more than one range of a file
 * cannot be sent to another server of the upstream.
 */

ngx_int_t
ngx_http_cwmp_load(ngx_http_cwmp_body_t *b)
{
    off_t       size;
    ngx_int_t   rc;
    ngx_str_t   piece;
    ngx_buf_t  *to;
    ngx_uint_t  in_file;

    to = b->rewrite.loaded;

    if (to == NULL) {
        size = ngx_http_cwmp_body_size(b->request, &in_file);

        to = ngx_create_temp_buf(b->request->pool, (size_t) size);
        if (to == NULL) {
            return NGX_ERROR;
        }

        b->rewrite.loaded = to;

        ngx_http_cwmp_reader_init(&b->reader, b->request, NULL);
    }

    rc = ngx_http_cwmp_read(&b->reader, to->last,
                            ngx_min(to->end - to->last, CWMP_WORK_WINDOW),
                            &piece);

    if (rc == NGX_DONE) {
        return NGX_OK;
    }

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    /* what was in memory has still to be copied */

    if (piece.data != to->last) {
        ngx_memcpy(to->last, piece.data, piece.len);
    }

    to->last += piece.len;

    b->work.spent += piece.len * CWMP_COST_READ;

    return NGX_AGAIN;
}


ngx_int_t
ngx_http_cwmp_rewrite(ngx_http_cwmp_body_t *b)
{
    ngx_int_t                 rc;
    ngx_http_cwmp_rewrite_t  *rw;

    rw = &b->rewrite;

    if (!rw->begun && ngx_http_cwmp_rewrite_begin(b) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = b->work.coded ? ngx_http_cwmp_rewrite_coded(b)
                       : ngx_http_cwmp_rewrite_identity(rw);

    return (rc == NGX_OK) ? ngx_http_cwmp_rewrite_end(rw) : rc;
}


/* inflated once more, which takes less memory than to keep it */

static ngx_int_t
ngx_http_cwmp_rewrite_begin(ngx_http_cwmp_body_t *b)
{
    ngx_http_cwmp_rewrite_t  *rw;

    rw = &b->rewrite;

    rw->begun = 1;
    rw->request = b->request;
    rw->work = &b->work;
    rw->edits = b->edits.elts;
    rw->nedits = b->edits.nelts;
    rw->last = &rw->out;

    if (!b->work.coded) {
        return NGX_OK;
    }

    if (cwmp_deflate_init(&rw->deflate, &b->inflate) != NGX_OK) {
        return NGX_ERROR;
    }

    rw->deflating = 1;

    cwmp_inflate_init(&b->inflate, b->coding, b->conf->max_body,
                      b->conf->max_ratio);

    ngx_http_cwmp_reader_init(&b->reader, b->request, &b->inflate);

    return NGX_OK;
}


/*
 * The new body refers to the pieces of the old one between the values, so that
 * the work does not grow with it.
 */

static ngx_int_t
ngx_http_cwmp_rewrite_identity(ngx_http_cwmp_rewrite_t *rw)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    if (rw->loaded) {
        return ngx_http_cwmp_rewrite_piece(rw, rw->loaded->pos,
                                       rw->loaded->last - rw->loaded->pos);
    }

    for (cl = rw->request->request_body->bufs; cl; cl = cl->next) {
        b = cl->buf;

        if (ngx_buf_in_memory(b)
            && ngx_http_cwmp_rewrite_piece(rw, b->pos, b->last - b->pos)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_cwmp_rewrite_coded(ngx_http_cwmp_body_t *b)
{
    ngx_int_t  rc;
    ngx_str_t  piece;
    u_char     buf[CWMP_WORK_WINDOW];

    rc = ngx_http_cwmp_read(&b->reader, buf, sizeof(buf), &piece);

    if (rc == NGX_DONE) {
        return ngx_http_cwmp_deflate(&b->rewrite, NULL, 0, 1);
    }

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    b->work.spent += b->reader.taken * CWMP_COST_READ
                     + piece.len * CWMP_COST_INFLATE;

    rc = ngx_http_cwmp_rewrite_piece(&b->rewrite, piece.data, piece.len);

    return (rc == NGX_OK) ? NGX_AGAIN : NGX_ERROR;
}


static ngx_int_t
ngx_http_cwmp_rewrite_end(ngx_http_cwmp_rewrite_t *rw)
{
    ngx_chain_t         *cl;
    ngx_http_request_t  *r;

    r = rw->request;

    if (ngx_http_cwmp_set_length(r, rw->size) != NGX_OK) {
        return NGX_ERROR;
    }

    for (cl = rw->out; cl->next; cl = cl->next) { /* void */ }

    cl->buf->last_buf = 1;

    /* a temporary file is closed and deleted with the pool */

    r->request_body->bufs = rw->out;
    r->request_body->buf = NULL;
    r->request_body->temp_file = NULL;

    return NGX_OK;
}


ngx_int_t
ngx_http_cwmp_rewrite_piece(ngx_http_cwmp_rewrite_t *rw, u_char *p,
    size_t len)
{
    off_t                  n;
    ngx_http_cwmp_edit_t  *edit;

    while (len) {

        edit = (rw->current < rw->nedits) ? &rw->edits[rw->current] : NULL;

        n = len;

        if (edit == NULL || rw->offset < edit->start) {

            if (edit) {
                n = ngx_min(n, edit->start - rw->offset);
            }

            if (ngx_http_cwmp_write(rw, p, (size_t) n) != NGX_OK) {
                return NGX_ERROR;
            }

        } else {

            if (rw->offset == edit->start
                && edit->text.len
                && ngx_http_cwmp_write(rw, edit->text.data, edit->text.len)
                   != NGX_OK)
            {
                return NGX_ERROR;
            }

            n = ngx_min(n, edit->end - rw->offset);

            if (rw->offset + n == edit->end) {
                rw->current++;
            }
        }

        rw->offset += n;
        p += n;
        len -= (size_t) n;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_cwmp_write(ngx_http_cwmp_rewrite_t *rw, u_char *p, size_t len)
{
    ngx_buf_t  *b;

    if (rw->deflating) {
        return ngx_http_cwmp_deflate(rw, p, len, 0);
    }

    b = ngx_http_cwmp_add_buf(rw);
    if (b == NULL) {
        return NGX_ERROR;
    }

    /* start: the body is sent from there to the next server */

    b->start = p;
    b->pos = p;
    b->last = p + len;
    b->end = b->last;

    rw->size += len;

    return NGX_OK;
}


ngx_int_t
ngx_http_cwmp_deflate(ngx_http_cwmp_rewrite_t *rw, u_char *p, size_t len,
    ngx_uint_t finish)
{
    size_t      n;
    u_char     *last;
    ngx_buf_t  *b;
    ngx_int_t   rc;

    last = p + len;

    rw->work->spent += len * CWMP_COST_DEFLATE;

    do {
        b = rw->buf;

        if (b == NULL || b->last == b->end) {

            b = ngx_http_cwmp_add_buf(rw);
            if (b == NULL) {
                return NGX_ERROR;
            }

            b->start = ngx_palloc(rw->request->pool,
                                  NGX_HTTP_CWMP_DEFLATE_BUFFER);
            if (b->start == NULL) {
                return NGX_ERROR;
            }

            b->pos = b->start;
            b->last = b->start;
            b->end = b->start + NGX_HTTP_CWMP_DEFLATE_BUFFER;

            rw->buf = b;
        }

        rc = cwmp_deflate(&rw->deflate, &p, last, finish, b->last,
                          b->end - b->last, &n);

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        b->last += n;
        rw->size += n;

    } while (finish ? rc != NGX_DONE : (p < last || b->last == b->end));

    return NGX_OK;
}


static ngx_buf_t *
ngx_http_cwmp_add_buf(ngx_http_cwmp_rewrite_t *rw)
{
    ngx_buf_t    *b;
    ngx_chain_t  *cl;

    b = ngx_calloc_buf(rw->request->pool);
    cl = ngx_alloc_chain_link(rw->request->pool);

    if (b == NULL || cl == NULL) {
        return NULL;
    }

    b->temporary = 1;

    cl->buf = b;
    cl->next = NULL;

    *rw->last = cl;
    rw->last = &cl->next;

    return b;
}


/* one Content-Length, whatever the framing was */

static ngx_int_t
ngx_http_cwmp_set_length(ngx_http_request_t *r, off_t size)
{
    ngx_str_t  *value;

    r->headers_in.content_length_n = size;
    r->headers_in.chunked = 0;

    if (r->headers_in.content_length == NULL) {
        return NGX_OK;
    }

    value = &r->headers_in.content_length->value;

    value->data = ngx_pnalloc(r->pool, NGX_OFF_T_LEN);
    if (value->data == NULL) {
        return NGX_ERROR;
    }

    value->len = ngx_sprintf(value->data, "%O", size) - value->data;

    return NGX_OK;
}
