
/*
 * Fieldgate: chunked transfer coding.
 */


#include "ntrip_chunked.h"


#define NTRIP_CHUNKED_SIZE       0       /* first digit */
#define NTRIP_CHUNKED_DIGITS     1
#define NTRIP_CHUNKED_EXTENSION  2
#define NTRIP_CHUNKED_DATA       3
#define NTRIP_CHUNKED_END        4       /* CRLF behind the data */
#define NTRIP_CHUNKED_END_LF     5
#define NTRIP_CHUNKED_TRAILER    6       /* start of a line */
#define NTRIP_CHUNKED_FIELD      7       /* within a trailer line */
#define NTRIP_CHUNKED_DONE       8


static ngx_int_t ntrip_chunked_byte(ntrip_chunked_t *c, u_char ch);
static ngx_int_t ntrip_chunked_size(ntrip_chunked_t *c, u_char ch);


void
ntrip_chunked_init(ntrip_chunked_t *c)
{
    c->state = NTRIP_CHUNKED_SIZE;
    c->line = 0;
    c->size = 0;
}


ngx_int_t
ntrip_chunked_next(ntrip_chunked_t *c, ngx_str_t *in, ngx_str_t *data)
{
    size_t  n;

    for ( ;; ) {

        if (c->state == NTRIP_CHUNKED_DONE) {
            return NGX_DONE;
        }

        if (in->len == 0) {
            return NGX_AGAIN;
        }

        if (c->state == NTRIP_CHUNKED_DATA) {
            n = ngx_min(c->size, in->len);

            data->data = in->data;
            data->len = n;

            in->data += n;
            in->len -= n;
            c->size -= n;

            if (c->size == 0) {
                c->state = NTRIP_CHUNKED_END;
            }

            return NGX_OK;
        }

        if (ntrip_chunked_byte(c, *in->data) != NGX_OK) {
            return NGX_ERROR;
        }

        in->data++;
        in->len--;
    }
}


static ngx_int_t
ntrip_chunked_byte(ntrip_chunked_t *c, u_char ch)
{
    if (++c->line > NTRIP_CHUNK_LINE_MAX) {
        return NGX_ERROR;
    }

    switch (c->state) {

    case NTRIP_CHUNKED_END:
        if (ch == CR) {
            c->state = NTRIP_CHUNKED_END_LF;
            return NGX_OK;
        }

        /* fall through */

    case NTRIP_CHUNKED_END_LF:
        if (ch != LF) {
            return NGX_ERROR;
        }

        ntrip_chunked_init(c);
        return NGX_OK;

    case NTRIP_CHUNKED_TRAILER:
        if (ch == LF) {
            c->state = NTRIP_CHUNKED_DONE;

        } else if (ch != CR) {
            c->state = NTRIP_CHUNKED_FIELD;
        }

        return NGX_OK;

    case NTRIP_CHUNKED_FIELD:
        if (ch == LF) {
            c->state = NTRIP_CHUNKED_TRAILER;
            c->line = 0;
        }

        return NGX_OK;

    default:
        return ntrip_chunked_size(c, ch);
    }
}


/* digits, then perhaps an extension, then the line end */

static ngx_int_t
ntrip_chunked_size(ntrip_chunked_t *c, u_char ch)
{
    u_char  digit;

    if (ch == LF && c->state != NTRIP_CHUNKED_SIZE) {
        c->state = c->size ? NTRIP_CHUNKED_DATA : NTRIP_CHUNKED_TRAILER;
        c->line = 0;
        return NGX_OK;
    }

    if (c->state == NTRIP_CHUNKED_EXTENSION) {
        return NGX_OK;
    }

    if (c->state == NTRIP_CHUNKED_DIGITS
        && (ch == ';' || ch == ' ' || ch == '\t' || ch == CR))
    {
        c->state = NTRIP_CHUNKED_EXTENSION;
        return NGX_OK;
    }

    if (ch >= '0' && ch <= '9') {
        digit = ch - '0';

    } else {
        ch |= 0x20;

        if (ch < 'a' || ch > 'f') {
            return NGX_ERROR;
        }

        digit = ch - 'a' + 10;
    }

    c->state = NTRIP_CHUNKED_DIGITS;
    c->size = c->size << 4 | digit;

    return (c->size > 0x7fffffff) ? NGX_ERROR : NGX_OK;
}


u_char *
ntrip_chunk_head(u_char *end, uint32_t len)
{
    static const u_char  hex[] = "0123456789abcdef";

    *--end = LF;
    *--end = CR;

    do {
        *--end = hex[len & 0xf];
        len >>= 4;
    } while (len);

    return end;
}
