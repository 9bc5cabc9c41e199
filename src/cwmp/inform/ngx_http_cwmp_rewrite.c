
/*
 * Fieldgate: replaces the request body by one with other values in it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_body.h"


#define NGX_HTTP_CWMP_DEFLATE_BUFFER  16384


typedef struct {
    ngx_http_request_t          *request;
    ngx_http_cwmp_edit_t        *edits;
    ngx_uint_t                   nedits;
    ngx_uint_t                   current;
    off_t                        offset;    /* in the message as it came */
    off_t                        size;      /* of what is written */
    cwmp_deflate_t              *deflate;   /* NULL: identity */
    ngx_buf_t                   *buf;       /* being filled by it */
    ngx_chain_t                 *out;
    ngx_chain_t                **last;
} ngx_http_cwmp_rewrite_t;


static ngx_int_t ngx_http_cwmp_rewrite_identity(ngx_http_cwmp_rewrite_t *rw);
static ngx_int_t ngx_http_cwmp_rewrite_coded(ngx_http_cwmp_rewrite_t *rw,
    cwmp_inflate_t *inflate);
static ngx_int_t ngx_http_cwmp_load_piece(void *data, u_char *p, size_t len);
static ngx_int_t ngx_http_cwmp_rewrite_piece(void *data, u_char *p,
    size_t len);
static ngx_int_t ngx_http_cwmp_write(ngx_http_cwmp_rewrite_t *rw, u_char *p,
    size_t len);
static ngx_int_t ngx_http_cwmp_deflate(ngx_http_cwmp_rewrite_t *rw, u_char *p,
    size_t len, ngx_uint_t finish);
static ngx_buf_t *ngx_http_cwmp_add_buf(ngx_http_cwmp_rewrite_t *rw);
static ngx_int_t ngx_http_cwmp_set_length(ngx_http_request_t *r, off_t size);


ngx_int_t
ngx_http_cwmp_rewrite(ngx_http_request_t *r, ngx_http_cwmp_edit_t *edits,
    ngx_uint_t nedits, cwmp_inflate_t *inflate)
{
    ngx_int_t                rc;
    ngx_chain_t             *cl;
    ngx_http_cwmp_rewrite_t  rw;

    ngx_memzero(&rw, sizeof(ngx_http_cwmp_rewrite_t));

    rw.request = r;
    rw.edits = edits;
    rw.nedits = nedits;
    rw.last = &rw.out;

    rc = (inflate->coding == CWMP_CODING_IDENTITY)
         ? ngx_http_cwmp_rewrite_identity(&rw)
         : ngx_http_cwmp_rewrite_coded(&rw, inflate);

    if (rc != NGX_OK || ngx_http_cwmp_set_length(r, rw.size) != NGX_OK) {
        return NGX_ERROR;
    }

    for (cl = rw.out; cl->next; cl = cl->next) { /* void */ }

    cl->buf->last_buf = 1;

    /* a temporary file is closed and deleted with the pool */

    r->request_body->bufs = rw.out;
    r->request_body->buf = NULL;
    r->request_body->temp_file = NULL;

    return NGX_OK;
}


/*
 * The new body refers to the pieces of the old one between the values; what is
 * in a file is loaded, since a body with more than one range of a file cannot
 * be sent to another server of the upstream.
 */

static ngx_int_t
ngx_http_cwmp_rewrite_identity(ngx_http_cwmp_rewrite_t *rw)
{
    off_t                size;
    ngx_buf_t           *b;
    ngx_int_t            rc;
    ngx_chain_t         *cl;
    ngx_http_request_t  *r;

    r = rw->request;

    if (r->request_body->temp_file == NULL) {
        return ngx_http_cwmp_read_pieces(r, NULL, ngx_http_cwmp_rewrite_piece,
                                         rw);
    }

    size = 0;

    for (cl = r->request_body->bufs; cl; cl = cl->next) {
        size += ngx_buf_size(cl->buf);
    }

    b = ngx_create_temp_buf(r->pool, (size_t) size);
    if (b == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_http_cwmp_read_pieces(r, NULL, ngx_http_cwmp_load_piece, b);

    if (rc != NGX_OK) {
        return rc;
    }

    return ngx_http_cwmp_rewrite_piece(rw, b->pos, b->last - b->pos);
}


/* inflated once more, which takes less memory than to keep it */

static ngx_int_t
ngx_http_cwmp_rewrite_coded(ngx_http_cwmp_rewrite_t *rw,
    cwmp_inflate_t *inflate)
{
    ngx_int_t       rc;
    cwmp_deflate_t  deflate;

    if (cwmp_deflate_init(&deflate, inflate) != NGX_OK) {
        return NGX_ERROR;
    }

    cwmp_inflate_init(inflate, inflate->coding, inflate->max);

    rw->deflate = &deflate;

    rc = ngx_http_cwmp_read_pieces(rw->request, inflate,
                                   ngx_http_cwmp_rewrite_piece, rw);

    if (rc == NGX_OK) {
        rc = ngx_http_cwmp_deflate(rw, NULL, 0, 1);
    }

    cwmp_deflate_end(&deflate);
    cwmp_inflate_end(inflate);

    return rc;
}


static ngx_int_t
ngx_http_cwmp_load_piece(void *data, u_char *p, size_t len)
{
    ngx_buf_t  *b = data;

    b->last = ngx_cpymem(b->last, p, len);

    return NGX_OK;
}


static ngx_int_t
ngx_http_cwmp_rewrite_piece(void *data, u_char *p, size_t len)
{
    ngx_http_cwmp_rewrite_t  *rw = data;

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

    if (rw->deflate) {
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


static ngx_int_t
ngx_http_cwmp_deflate(ngx_http_cwmp_rewrite_t *rw, u_char *p, size_t len,
    ngx_uint_t finish)
{
    size_t      n;
    u_char     *last;
    ngx_buf_t  *b;
    ngx_int_t   rc;

    last = p + len;

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

        rc = cwmp_deflate(rw->deflate, &p, last, finish, b->last,
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
