
/*
 * Fieldgate: the request body, from memory or its temporary file, as it came or
 * inflated.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_body.h"


static ngx_int_t ngx_http_cwmp_read_bytes(ngx_http_cwmp_reader_t *rd,
    u_char *buf, size_t size, ngx_str_t *piece);
static ngx_int_t ngx_http_cwmp_read_file(ngx_http_cwmp_reader_t *rd,
    u_char *buf, size_t size, ngx_str_t *piece);
static ngx_int_t ngx_http_cwmp_read_inflated(ngx_http_cwmp_reader_t *rd,
    u_char *buf, size_t size, ngx_str_t *piece);


void
ngx_http_cwmp_reader_init(ngx_http_cwmp_reader_t *rd, ngx_http_request_t *r,
    cwmp_inflate_t *inflate)
{
    rd->in = r->request_body->bufs;
    rd->pos = 0;
    rd->taken = 0;
    rd->inflate = inflate;
    rd->more = 0;
    rd->log = r->connection->log;
}


ngx_int_t
ngx_http_cwmp_read(ngx_http_cwmp_reader_t *rd, u_char *buf, size_t size,
    ngx_str_t *piece)
{
    ngx_int_t  rc;

    if (rd->inflate) {
        return ngx_http_cwmp_read_inflated(rd, buf, size, piece);
    }

    rd->taken = 0;

    rc = ngx_http_cwmp_read_bytes(rd, buf, size, piece);

    if (rc == NGX_OK) {
        rd->taken = piece->len;
        rd->pos += piece->len;
    }

    return rc;
}


/* some of what comes next, which is not taken yet */

static ngx_int_t
ngx_http_cwmp_read_bytes(ngx_http_cwmp_reader_t *rd, u_char *buf, size_t size,
    ngx_str_t *piece)
{
    ngx_buf_t  *b;

    while (rd->in && rd->pos == ngx_buf_size(rd->in->buf)) {
        rd->in = rd->in->next;
        rd->pos = 0;
    }

    if (rd->in == NULL) {
        return NGX_DONE;
    }

    b = rd->in->buf;

    piece->len = (size_t) ngx_min(ngx_buf_size(b) - rd->pos, (off_t) size);

    if (!ngx_buf_in_memory(b)) {
        return ngx_http_cwmp_read_file(rd, buf, piece->len, piece);
    }

    piece->data = b->pos + rd->pos;

    return NGX_OK;
}


static ngx_int_t
ngx_http_cwmp_read_file(ngx_http_cwmp_reader_t *rd, u_char *buf, size_t size,
    ngx_str_t *piece)
{
    off_t       offset;
    ssize_t     n;
    ngx_buf_t  *b;

    b = rd->in->buf;
    offset = b->file_pos + rd->pos;

    n = ngx_read_file(b->file, buf, size, offset);

    if (n == NGX_ERROR || n == 0) {
        ngx_log_error(NGX_LOG_ALERT, rd->log, 0,
                      "the temporary file of a CPE message ends at %O",
                      offset);
        return NGX_ERROR;
    }

    piece->data = buf;
    piece->len = n;

    return NGX_OK;
}


/*
 * What zlib has not taken of the input is read again the next time, which
 * takes less than to keep it.
 */

static ngx_int_t
ngx_http_cwmp_read_inflated(ngx_http_cwmp_reader_t *rd, u_char *buf,
    size_t size, ngx_str_t *piece)
{
    size_t      n;
    u_char     *p;
    ngx_int_t   rc;
    ngx_str_t   in;
    u_char      raw[CWMP_WORK_WINDOW];

    rd->taken = 0;

    rc = ngx_http_cwmp_read_bytes(rd, raw, sizeof(raw), &in);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_DONE) {

        if (!rd->more) {
            return NGX_DONE;
        }

        in.data = raw;
        in.len = 0;
    }

    p = in.data;

    if (cwmp_inflate(rd->inflate, &p, in.data + in.len, buf, size, &n)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    rd->taken = p - in.data;
    rd->pos += rd->taken;
    rd->more = (n == size);

    piece->data = buf;
    piece->len = n;

    return NGX_OK;
}


off_t
ngx_http_cwmp_body_size(ngx_http_request_t *r, ngx_uint_t *in_file)
{
    off_t         size;
    ngx_chain_t  *cl;

    size = 0;
    *in_file = 0;

    if (r->request_body == NULL) {
        return 0;
    }

    for (cl = r->request_body->bufs; cl; cl = cl->next) {
        size += ngx_buf_size(cl->buf);

        if (!ngx_buf_in_memory(cl->buf) && cl->buf->in_file) {
            *in_file = 1;
        }
    }

    return size;
}
