
/*
 * Fieldgate: content codings of messages.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_coding.h"


/* gzip's own header and trailer are asked for by window bits plus 16 */
#define CWMP_CODING_GZIP_BITS  (MAX_WBITS + 16)

#define CWMP_CODING_GZIP_MAGIC  0x1f


static ngx_int_t cwmp_inflate_start(cwmp_inflate_t *c, u_char first);
static ngx_int_t cwmp_inflate_member(cwmp_inflate_t *c, u_char first);
static ngx_int_t cwmp_inflate_limit(cwmp_inflate_t *c);


ngx_uint_t
cwmp_coding(ngx_str_t *value)
{
    u_char  *p;
    size_t   len;

    p = value->data;
    len = value->len;

    while (len && (*p == ' ' || *p == '\t')) {
        p++;
        len--;
    }

    while (len && (p[len - 1] == ' ' || p[len - 1] == '\t')) {
        len--;
    }

    switch (len) {

    case 0:
        return CWMP_CODING_IDENTITY;

    case 4:
        if (strncasecmp((char *) p, "gzip", 4) == 0) {
            return CWMP_CODING_GZIP;
        }

        break;

    case 6:
        if (strncasecmp((char *) p, "x-gzip", 6) == 0) {
            return CWMP_CODING_GZIP;
        }

        break;

    case 7:
        if (strncasecmp((char *) p, "deflate", 7) == 0) {
            return CWMP_CODING_DEFLATE;
        }

        break;

    case 8:
        if (strncasecmp((char *) p, "identity", 8) == 0) {
            return CWMP_CODING_IDENTITY;
        }

        break;
    }

    return CWMP_CODING_OTHER;
}


void
cwmp_inflate_init(cwmp_inflate_t *c, ngx_uint_t coding, off_t max,
    ngx_int_t ratio)
{
    ngx_memzero(c, sizeof(cwmp_inflate_t));

    c->coding = coding;
    c->max = max;
    c->ratio = ratio;
}


ngx_int_t
cwmp_inflate(cwmp_inflate_t *c, u_char **pos, u_char *last, u_char *out,
    size_t size, size_t *n)
{
    int  rc;

    *n = 0;

    if (!c->started) {

        if (*pos == last) {
            return NGX_OK;
        }

        if (cwmp_inflate_start(c, **pos) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    while (!c->done && *n < size) {

        if (c->member) {

            if (*pos == last) {
                return NGX_OK;
            }

            if (cwmp_inflate_member(c, **pos) != NGX_OK) {
                return NGX_ERROR;
            }

            continue;
        }

        c->zs.next_in = *pos;
        c->zs.avail_in = last - *pos;
        c->zs.next_out = out + *n;
        c->zs.avail_out = size - *n;

        rc = inflate(&c->zs, Z_NO_FLUSH);

        c->in += c->zs.next_in - *pos;
        c->out += c->zs.next_out - (out + *n);

        *pos = c->zs.next_in;
        *n = c->zs.next_out - out;

        if (cwmp_inflate_limit(c) != NGX_OK) {
            return NGX_ERROR;
        }

        switch (rc) {

        case Z_STREAM_END:
            if (c->coding == CWMP_CODING_GZIP) {
                c->member = 1;

            } else {
                c->done = 1;
            }

            break;

        case Z_OK:
        case Z_BUF_ERROR:
            if (*pos == last) {
                return NGX_OK;
            }

            break;

        case Z_MEM_ERROR:
            c->error = CWMP_CODING_NO_MEMORY;
            return NGX_ERROR;

        default:
            c->error = CWMP_CODING_CORRUPT;
            return NGX_ERROR;
        }
    }

    if (c->done) {
        *pos = last;
    }

    return NGX_OK;
}


/*
 * What calls itself deflate is zlib's format by the standard (RFC 9110,
 * 8.4.1.2), and bare deflate for some senders, which do not begin with zlib's
 * first byte.
 */

static ngx_int_t
cwmp_inflate_start(cwmp_inflate_t *c, u_char first)
{
    int  bits;

    bits = CWMP_CODING_GZIP_BITS;

    if (c->coding == CWMP_CODING_DEFLATE) {
        c->raw = ((first & 0x0f) != Z_DEFLATED || (first >> 4) > 7);
        bits = c->raw ? -MAX_WBITS : MAX_WBITS;
    }

    if (inflateInit2(&c->zs, bits) != Z_OK) {
        c->error = CWMP_CODING_NO_MEMORY;
        return NGX_ERROR;
    }

    c->started = 1;

    return NGX_OK;
}


/* RFC 1952, 2.2: a file has one or more members; anything else is padding */

static ngx_int_t
cwmp_inflate_member(cwmp_inflate_t *c, u_char first)
{
    c->member = 0;

    if (first != CWMP_CODING_GZIP_MAGIC) {
        c->done = 1;
        return NGX_OK;
    }

    if (inflateReset(&c->zs) != Z_OK) {
        c->error = CWMP_CODING_CORRUPT;
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
cwmp_inflate_limit(cwmp_inflate_t *c)
{
    if (c->out > CWMP_CODING_RATIO_FROM && c->out / c->ratio > c->in) {
        c->error = CWMP_CODING_BOMB;
        return NGX_ERROR;
    }

    if (c->out > c->max) {
        c->error = CWMP_CODING_TOO_LARGE;
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
cwmp_inflate_finish(cwmp_inflate_t *c)
{
    if (c->error) {
        return NGX_ERROR;
    }

    if (!c->member && !c->done) {
        c->error = CWMP_CODING_CORRUPT;
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
cwmp_inflate_end(cwmp_inflate_t *c)
{
    if (c->started) {
        (void) inflateEnd(&c->zs);
        c->started = 0;
    }
}


ngx_int_t
cwmp_deflate_init(cwmp_deflate_t *d, cwmp_inflate_t *c)
{
    int  bits;

    ngx_memzero(d, sizeof(cwmp_deflate_t));

    bits = CWMP_CODING_GZIP_BITS;

    if (c->coding == CWMP_CODING_DEFLATE) {
        bits = c->raw ? -MAX_WBITS : MAX_WBITS;
    }

    if (deflateInit2(&d->zs, Z_BEST_SPEED, Z_DEFLATED, bits,
                     MAX_MEM_LEVEL - 1, Z_DEFAULT_STRATEGY)
        != Z_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
cwmp_deflate(cwmp_deflate_t *d, u_char **pos, u_char *last, ngx_uint_t finish,
    u_char *out, size_t size, size_t *n)
{
    int  rc;

    d->zs.next_in = *pos;
    d->zs.avail_in = last - *pos;
    d->zs.next_out = out;
    d->zs.avail_out = size;

    rc = deflate(&d->zs, finish ? Z_FINISH : Z_NO_FLUSH);

    *pos = d->zs.next_in;
    *n = d->zs.next_out - out;

    switch (rc) {

    case Z_OK:
    case Z_BUF_ERROR:
        return NGX_OK;

    case Z_STREAM_END:
        return NGX_DONE;

    default:
        return NGX_ERROR;
    }
}


void
cwmp_deflate_end(cwmp_deflate_t *d)
{
    (void) deflateEnd(&d->zs);
}
