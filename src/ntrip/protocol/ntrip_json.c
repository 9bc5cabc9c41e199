
#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_json.h"


#define NTRIP_JSON_UNKNOWN  "\xef\xbf\xbd"       /* U+FFFD */


static void ntrip_json_name(ntrip_json_t *json, const char *name);
static void ntrip_json_escape(ntrip_out_t *out, ngx_str_t *value);
static void ntrip_json_filter(ntrip_json_t *json, const char *name,
    ngx_str_t *value, ngx_uint_t string);
static void ntrip_json_written(ntrip_json_t *json, const char *name,
    u_char *from);


void
ntrip_json_init(ntrip_json_t *json, u_char *buf, size_t size,
    ntrip_json_filter_t *filters, ngx_uint_t n)
{
    ntrip_out_init(&json->out, buf, size);

    json->depth = 0;
    json->filters = filters;
    json->nfilters = n;
    json->matched = 0;
}


void
ntrip_json_open(ntrip_json_t *json, const char *name, u_char c)
{
    ntrip_json_name(json, name);
    ntrip_out_char(&json->out, c);

    json->depth++;
}


void
ntrip_json_close(ntrip_json_t *json, u_char c)
{
    ntrip_out_char(&json->out, c);

    json->depth--;
}


void
ntrip_json_str(ntrip_json_t *json, const char *name, ngx_str_t *value)
{
    ntrip_json_name(json, name);
    ntrip_out_char(&json->out, '"');
    ntrip_json_escape(&json->out, value);
    ntrip_out_char(&json->out, '"');

    ntrip_json_filter(json, name, value, 1);
}


void
ntrip_json_text(ntrip_json_t *json, const char *name, const char *value)
{
    ngx_str_t  text;

    text.data = (u_char *) value;
    text.len = ngx_strlen(value);

    ntrip_json_str(json, name, &text);
}


void
ntrip_json_int(ntrip_json_t *json, const char *name, int64_t value)
{
    u_char  *from;

    ntrip_json_name(json, name);

    from = json->out.last;

    if (value < 0) {
        ntrip_out_char(&json->out, '-');
        ntrip_out_uint(&json->out, - (uint64_t) value, 1);

    } else {
        ntrip_out_uint(&json->out, value, 1);
    }

    ntrip_json_written(json, name, from);
}


void
ntrip_json_fixed(ntrip_json_t *json, const char *name, double value,
    ngx_uint_t decimals)
{
    u_char  *from;

    ntrip_json_name(json, name);

    from = json->out.last;
    ntrip_out_fixed(&json->out, value, 1, decimals);

    ntrip_json_written(json, name, from);
}


void
ntrip_json_bool(ntrip_json_t *json, const char *name, ngx_uint_t value)
{
    u_char  *from;

    ntrip_json_name(json, name);

    from = json->out.last;
    ntrip_out_text(&json->out, value ? "true" : "false");

    ntrip_json_written(json, name, from);
}


void
ntrip_json_null(ntrip_json_t *json, const char *name)
{
    u_char  *from;

    ntrip_json_name(json, name);

    from = json->out.last;
    ntrip_out_text(&json->out, "null");

    ntrip_json_written(json, name, from);
}


/* a comma, unless this is the first; names are ours, and need no escapes */

static void
ntrip_json_name(ntrip_json_t *json, const char *name)
{
    ntrip_out_t  *out;

    out = &json->out;

    if (out->last > out->start
        && out->last[-1] != '{'
        && out->last[-1] != '[')
    {
        ntrip_out_char(out, ',');
    }

    if (name) {
        ntrip_out_char(out, '"');
        ntrip_out_text(out, name);
        ntrip_out_text(out, "\":");
    }
}


static void
ntrip_json_escape(ntrip_out_t *out, ngx_str_t *value)
{
    u_char  *p, *end, *last;
    size_t   n;

    static const char  hex[] = "0123456789abcdef";

    p = value->data;
    end = p + value->len;
    last = p + ngx_min(value->len, NTRIP_JSON_STRING);

    while (p < last) {
        n = ntrip_json_character(p, end);

        if (n == 0) {
            ntrip_out_text(out, NTRIP_JSON_UNKNOWN);
            p++;
            continue;
        }

        if (p + n > last) {
            return;
        }

        if (*p == '"' || *p == '\\') {
            ntrip_out_char(out, '\\');
            ntrip_out_char(out, *p);

        } else if (*p < 0x20 || *p == 0x7f) {
            ntrip_out_text(out, "\\u00");
            ntrip_out_char(out, hex[*p >> 4]);
            ntrip_out_char(out, hex[*p & 0x0f]);

        } else {
            ntrip_out_data(out, p, n);
        }

        p += n;
    }
}


/* as RFC 3629 has them: the shortest form, no surrogates, nothing above
   U+10FFFF */

size_t
ntrip_json_character(u_char *p, u_char *end)
{
    u_char  low, high;
    size_t  i, n;

    if (*p < 0x80) {
        return 1;
    }

    low = 0x80;
    high = 0xbf;

    if (*p >= 0xc2 && *p <= 0xdf) {
        n = 2;

    } else if (*p >= 0xe0 && *p <= 0xef) {
        n = 3;
        low = (*p == 0xe0) ? 0xa0 : low;
        high = (*p == 0xed) ? 0x9f : high;

    } else if (*p >= 0xf0 && *p <= 0xf4) {
        n = 4;
        low = (*p == 0xf0) ? 0x90 : low;
        high = (*p == 0xf4) ? 0x8f : high;

    } else {
        return 0;
    }

    if ((size_t) (end - p) < n || p[1] < low || p[1] > high) {
        return 0;
    }

    for (i = 2; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80) {
            return 0;
        }
    }

    return n;
}


static void
ntrip_json_written(ntrip_json_t *json, const char *name, u_char *from)
{
    ngx_str_t  value;

    value.data = from;
    value.len = json->out.last - from;

    ntrip_json_filter(json, name, &value, 0);
}


static void
ntrip_json_filter(ntrip_json_t *json, const char *name, ngx_str_t *value,
    ngx_uint_t string)
{
    u_char               *p;
    size_t                i;
    ngx_uint_t            n;
    ntrip_json_filter_t  *f;

    if (json->depth != 1 || name == NULL) {
        return;
    }

    for (n = 0; n < json->nfilters; n++) {
        f = &json->filters[n];

        if (f->name.len == 1 && f->name.data[0] == 'q') {

            for (i = 0; string && i + f->value.len <= value->len; i++) {
                p = value->data + i;

                if (ngx_strncasecmp(p, f->value.data, f->value.len) == 0) {
                    json->matched |= (ngx_uint_t) 1 << n;
                    break;
                }
            }

        } else if (f->name.len == ngx_strlen(name)
                   && ngx_memcmp(f->name.data, name, f->name.len) == 0
                   && f->value.len == value->len
                   && ngx_memcmp(f->value.data, value->data, value->len) == 0)
        {
            json->matched |= (ngx_uint_t) 1 << n;
        }
    }
}


ngx_uint_t
ntrip_json_matches(ntrip_json_t *json)
{
    return json->matched == ((ngx_uint_t) 1 << json->nfilters) - 1;
}


void
ntrip_json_label(ntrip_out_t *out, ngx_str_t *value)
{
    u_char  *p, *end;
    size_t   n;

    p = value->data;
    end = p + value->len;

    while (p < end) {
        n = ntrip_json_character(p, end);

        if (n == 0) {
            ntrip_out_text(out, NTRIP_JSON_UNKNOWN);
            n = 1;

        } else if (*p == '\n') {
            ntrip_out_text(out, "\\n");

        } else {
            if (*p == '"' || *p == '\\') {
                ntrip_out_char(out, '\\');
            }

            ntrip_out_data(out, p, n);
        }

        p += n;
    }
}
