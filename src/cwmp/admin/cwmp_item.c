
/*
 * Fieldgate: items of a list, as JSON objects.
 */


#include "cwmp_item.h"


/* a number with its sign and a point, or "null" */
#define CWMP_ITEM_NUMBER  (NGX_INT64_LEN + 1)


static cwmp_field_t *cwmp_field_add(cwmp_field_t *fields, ngx_uint_t *n,
    const char *name, cwmp_field_e kind);
static ngx_uint_t cwmp_item_fits(cwmp_field_t *fields, ngx_uint_t n,
    cwmp_filter_t *filter);
static u_char *cwmp_item_plain(u_char *p, cwmp_field_t *f);
static u_char *cwmp_item_text(u_char *p, ngx_str_t *text);
static size_t cwmp_item_character(u_char *p, u_char *last);


void
cwmp_field_text(cwmp_field_t *fields, ngx_uint_t *n, const char *name,
    ngx_str_t *text)
{
    cwmp_field_add(fields, n, name, CWMP_FIELD_TEXT)->text = *text;
}


void
cwmp_field_number(cwmp_field_t *fields, ngx_uint_t *n, const char *name,
    cwmp_field_e kind, int64_t number)
{
    cwmp_field_add(fields, n, name, kind)->number = number;
}


void
cwmp_field_null(cwmp_field_t *fields, ngx_uint_t *n, const char *name)
{
    (void) cwmp_field_add(fields, n, name, CWMP_FIELD_NULL);
}


static cwmp_field_t *
cwmp_field_add(cwmp_field_t *fields, ngx_uint_t *n, const char *name,
    cwmp_field_e kind)
{
    cwmp_field_t  *f;

    f = &fields[(*n)++];

    ngx_memzero(f, sizeof(cwmp_field_t));

    f->name = name;
    f->kind = kind;

    return f;
}


ngx_uint_t
cwmp_item_matches(cwmp_field_t *fields, ngx_uint_t n, cwmp_filter_t *filters,
    ngx_uint_t nfilters)
{
    ngx_uint_t  i;

    for (i = 0; i < nfilters; i++) {

        if (!cwmp_item_fits(fields, n, &filters[i])) {
            return 0;
        }
    }

    return 1;
}


static ngx_uint_t
cwmp_item_fits(cwmp_field_t *fields, ngx_uint_t n, cwmp_filter_t *filter)
{
    u_char      buf[CWMP_ITEM_NUMBER];
    ngx_str_t   value, *wanted;
    ngx_uint_t  i, q;

    wanted = &filter->value;
    q = (filter->name.len == 1 && filter->name.data[0] == 'q');

    for (i = 0; i < n; i++) {
        value = fields[i].text;

        if (q) {
            if (wanted->len == 0
                || (value.len
                    && ngx_strlcasestrn(value.data, value.data + value.len,
                                        wanted->data, wanted->len - 1)))
            {
                return 1;
            }

            continue;
        }

        if (filter->name.len != ngx_strlen(fields[i].name)
            || ngx_strncmp(filter->name.data, fields[i].name,
                           filter->name.len)
               != 0)
        {
            continue;
        }

        if (fields[i].kind != CWMP_FIELD_TEXT) {
            value.data = buf;
            value.len = cwmp_item_plain(buf, &fields[i]) - buf;
        }

        return value.len == wanted->len
               && ngx_memcmp(value.data, wanted->data, value.len) == 0;
    }

    return 0;
}


size_t
cwmp_item_size(cwmp_field_t *fields, ngx_uint_t n)
{
    size_t      size;
    ngx_uint_t  i;

    size = sizeof("{}") - 1;

    /* the longest that becomes of a byte is "\u0000" */

    for (i = 0; i < n; i++) {
        size += ngx_strlen(fields[i].name) + sizeof("\"\":\"\",") - 1
                + 6 * fields[i].text.len + CWMP_ITEM_NUMBER;
    }

    return size;
}


u_char *
cwmp_item_write(u_char *p, cwmp_field_t *fields, ngx_uint_t n)
{
    ngx_uint_t  i;

    *p++ = '{';

    for (i = 0; i < n; i++) {
        p = ngx_sprintf(p, "%s\"%s\":", i ? "," : "", fields[i].name);

        if (fields[i].kind == CWMP_FIELD_TEXT) {
            *p++ = '"';
            p = cwmp_item_text(p, &fields[i].text);
            *p++ = '"';
            continue;
        }

        p = cwmp_item_plain(p, &fields[i]);
    }

    *p++ = '}';

    return p;
}


static u_char *
cwmp_item_plain(u_char *p, cwmp_field_t *f)
{
    switch (f->kind) {

    case CWMP_FIELD_NUMBER:
        return ngx_sprintf(p, "%L", f->number);

    case CWMP_FIELD_MSEC:
        return ngx_sprintf(p, "%L.%03L", f->number / 1000, f->number % 1000);

    default: /* CWMP_FIELD_NULL */
        return ngx_cpymem(p, "null", 4);
    }
}


static u_char *
cwmp_item_text(u_char *p, ngx_str_t *text)
{
    size_t   len;
    u_char  *src, *last;

    src = text->data;
    last = src + text->len;

    while (src < last) {
        len = cwmp_item_character(src, last);

        if (len == 0) {
            p = ngx_cpymem(p, "\xef\xbf\xbd", 3);
            src++;
            continue;
        }

        p = (u_char *) ngx_escape_json(p, src, len);
        src += len;
    }

    return p;
}


/*
 * The bytes of the character at p; 0: it is none (RFC 3629 4).  That of core
 * takes any byte from 0x80 on for one that follows.
 */

static size_t
cwmp_item_character(u_char *p, u_char *last)
{
    u_char  low, high;
    size_t  i, len;

    if (*p < 0x80) {
        return 1;
    }

    if (*p < 0xc2 || *p > 0xf4) {
        return 0;
    }

    len = (*p < 0xe0) ? 2 : (*p < 0xf0) ? 3 : 4;

    if ((size_t) (last - p) < len) {
        return 0;
    }

    /* not longer than need be, no half of UTF-16, nothing above U+10FFFF */

    low = (*p == 0xe0) ? 0xa0 : (*p == 0xf0) ? 0x90 : 0x80;
    high = (*p == 0xed) ? 0x9f : (*p == 0xf4) ? 0x8f : 0xbf;

    for (i = 1; i < len; i++) {

        if (p[i] < low || p[i] > high) {
            return 0;
        }

        low = 0x80;
        high = 0xbf;
    }

    return len;
}
