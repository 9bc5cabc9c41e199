
#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_json.h"
#include "ntrip_json_read.h"


/* 18 digits fit into 64 bits whatever they are */
#define NTRIP_JSON_DIGITS  18


static void ntrip_json_blanks(ngx_str_t *in);
static ngx_uint_t ntrip_json_skip(ngx_str_t *in, u_char c);
static ngx_int_t ntrip_json_member(ngx_str_t *in, ntrip_json_member_t *m);
static ngx_int_t ntrip_json_string(ngx_str_t *in, ngx_str_t *text);
static u_char *ntrip_json_unescape(ngx_str_t *in, u_char *dst);
static ngx_int_t ntrip_json_unit(ngx_str_t *in);
static u_char *ntrip_json_encode(u_char *dst, uint32_t c);
static ngx_int_t ntrip_json_number(ngx_str_t *in, int64_t *number);
static ngx_uint_t ntrip_json_word(ngx_str_t *in, const char *word);


ngx_int_t
ntrip_json_read(ngx_str_t *text, ntrip_json_member_t *members, ngx_uint_t *n)
{
    ngx_str_t   in;
    ngx_uint_t  i, max;

    in = *text;
    max = *n;
    *n = 0;

    if (!ntrip_json_skip(&in, '{')) {
        return NGX_ERROR;
    }

    if (!ntrip_json_skip(&in, '}')) {

        do {
            if (*n == max || ntrip_json_member(&in, &members[*n]) != NGX_OK) {
                return NGX_ERROR;
            }

            for (i = 0; i < *n; i++) {
                if (members[i].name.len == members[*n].name.len
                    && ngx_memcmp(members[i].name.data, members[*n].name.data,
                                  members[i].name.len) == 0)
                {
                    return NGX_ERROR;
                }
            }

            (*n)++;

        } while (ntrip_json_skip(&in, ','));

        if (!ntrip_json_skip(&in, '}')) {
            return NGX_ERROR;
        }
    }

    ntrip_json_blanks(&in);

    return in.len ? NGX_ERROR : NGX_OK;
}


static void
ntrip_json_blanks(ngx_str_t *in)
{
    while (in->len
           && (*in->data == ' ' || *in->data == '\t' || *in->data == CR
               || *in->data == LF))
    {
        in->data++;
        in->len--;
    }
}


static ngx_uint_t
ntrip_json_skip(ngx_str_t *in, u_char c)
{
    ntrip_json_blanks(in);

    if (in->len == 0 || *in->data != c) {
        return 0;
    }

    in->data++;
    in->len--;

    return 1;
}


static ngx_int_t
ntrip_json_member(ngx_str_t *in, ntrip_json_member_t *m)
{
    ngx_str_null(&m->text);
    m->number = 0;

    ntrip_json_blanks(in);

    if (ntrip_json_string(in, &m->name) != NGX_OK
        || !ntrip_json_skip(in, ':'))
    {
        return NGX_ERROR;
    }

    ntrip_json_blanks(in);

    if (in->len && *in->data == '"') {
        m->type = NTRIP_JSON_TEXT;
        return ntrip_json_string(in, &m->text);
    }

    if (ntrip_json_word(in, "null")) {
        m->type = NTRIP_JSON_NULL;
        return NGX_OK;
    }

    if (ntrip_json_word(in, "true")) {
        m->type = NTRIP_JSON_BOOL;
        m->number = 1;
        return NGX_OK;
    }

    if (ntrip_json_word(in, "false")) {
        m->type = NTRIP_JSON_BOOL;
        return NGX_OK;
    }

    m->type = NTRIP_JSON_NUMBER;

    return ntrip_json_number(in, &m->number);
}


/* what is decoded is never longer than it was */

static ngx_int_t
ntrip_json_string(ngx_str_t *in, ngx_str_t *text)
{
    u_char  *dst;
    size_t   n;

    if (in->len == 0 || *in->data != '"') {
        return NGX_ERROR;
    }

    in->data++;
    in->len--;

    text->data = in->data;
    dst = in->data;

    while (in->len) {

        if (*in->data == '"') {
            in->data++;
            in->len--;
            text->len = dst - text->data;
            return NGX_OK;
        }

        if (*in->data == '\\') {
            dst = ntrip_json_unescape(in, dst);

            if (dst == NULL) {
                return NGX_ERROR;
            }

            continue;
        }

        n = ntrip_json_character(in->data, in->data + in->len);

        if (n == 0 || *in->data < 0x20) {
            return NGX_ERROR;
        }

        ngx_memmove(dst, in->data, n);
        dst += n;
        in->data += n;
        in->len -= n;
    }

    return NGX_ERROR;
}


static u_char *
ntrip_json_unescape(ngx_str_t *in, u_char *dst)
{
    u_char     *p;
    ngx_int_t   high, low;

    static const char  from[] = "\"\\/bfnrt";
    static const char  to[] = "\"\\/\b\f\n\r\t";

    if (in->len < 2) {
        return NULL;
    }

    p = (in->data[1] == '\0')
        ? NULL : (u_char *) strchr(from, in->data[1]);

    if (p) {
        *dst++ = (u_char) to[p - (u_char *) from];
        in->data += 2;
        in->len -= 2;
        return dst;
    }

    high = ntrip_json_unit(in);

    if (high <= 0 || (high >= 0xdc00 && high <= 0xdfff)) {
        return NULL;
    }

    if (high < 0xd800 || high > 0xdbff) {
        return ntrip_json_encode(dst, (uint32_t) high);
    }

    low = ntrip_json_unit(in);

    if (low < 0xdc00 || low > 0xdfff) {
        return NULL;
    }

    return ntrip_json_encode(dst, 0x10000 + ((uint32_t) (high - 0xd800) << 10)
                                  + (uint32_t) (low - 0xdc00));
}


/* an escape of four hexadecimal digits; NGX_ERROR: it is none */

static ngx_int_t
ntrip_json_unit(ngx_str_t *in)
{
    ngx_int_t  unit;

    if (in->len < 6 || in->data[0] != '\\' || in->data[1] != 'u') {
        return NGX_ERROR;
    }

    unit = ngx_hextoi(in->data + 2, 4);

    if (unit == NGX_ERROR) {
        return NGX_ERROR;
    }

    in->data += 6;
    in->len -= 6;

    return unit;
}


static u_char *
ntrip_json_encode(u_char *dst, uint32_t c)
{
    if (c < 0x80) {
        *dst++ = (u_char) c;
        return dst;
    }

    if (c < 0x800) {
        *dst++ = (u_char) (0xc0 | c >> 6);

    } else {
        if (c < 0x10000) {
            *dst++ = (u_char) (0xe0 | c >> 12);

        } else {
            *dst++ = (u_char) (0xf0 | c >> 18);
            *dst++ = (u_char) (0x80 | (c >> 12 & 0x3f));
        }

        *dst++ = (u_char) (0x80 | (c >> 6 & 0x3f));
    }

    *dst++ = (u_char) (0x80 | (c & 0x3f));

    return dst;
}


static ngx_int_t
ntrip_json_number(ngx_str_t *in, int64_t *number)
{
    size_t      n;
    ngx_uint_t  minus;

    minus = (in->len && *in->data == '-');

    in->data += minus;
    in->len -= minus;

    *number = 0;

    for (n = 0; n < in->len; n++) {

        if (in->data[n] < '0' || in->data[n] > '9') {
            break;
        }

        if (n == NTRIP_JSON_DIGITS) {
            return NGX_ERROR;
        }

        *number = *number * 10 + (in->data[n] - '0');
    }

    if (n == 0 || (n > 1 && *in->data == '0')) {
        return NGX_ERROR;
    }

    in->data += n;
    in->len -= n;

    if (minus) {
        *number = -*number;
    }

    return NGX_OK;
}


static ngx_uint_t
ntrip_json_word(ngx_str_t *in, const char *word)
{
    size_t  n;

    n = ngx_strlen(word);

    if (in->len < n || ngx_memcmp(in->data, word, n) != 0) {
        return 0;
    }

    in->data += n;
    in->len -= n;

    return 1;
}
