
/*
 * Fieldgate: small pieces of text of NTRIP.
 */


#include "ntrip_text.h"


void
ntrip_out_init(ntrip_out_t *out, u_char *buf, size_t size)
{
    out->start = buf;
    out->last = buf;
    out->end = buf + size;
    out->overflow = 0;
}


void
ntrip_out_data(ntrip_out_t *out, const void *data, size_t len)
{
    if (out->overflow || (size_t) (out->end - out->last) < len) {
        out->overflow = 1;
        return;
    }

    if (len) {
        out->last = ngx_cpymem(out->last, data, len);
    }
}


void
ntrip_out_char(ntrip_out_t *out, u_char c)
{
    ntrip_out_data(out, &c, 1);
}


void
ntrip_out_text(ntrip_out_t *out, const char *text)
{
    ntrip_out_data(out, text, ngx_strlen(text));
}


void
ntrip_out_str(ntrip_out_t *out, ngx_str_t *str)
{
    ntrip_out_data(out, str->data, str->len);
}


void
ntrip_out_uint(ntrip_out_t *out, uint64_t value, ngx_uint_t width)
{
    u_char  *p, buf[NGX_INT64_LEN];

    p = buf + sizeof(buf);

    do {
        *--p = (u_char) ('0' + value % 10);
        value /= 10;
    } while (value);

    while (p > buf && (ngx_uint_t) (buf + sizeof(buf) - p) < width) {
        *--p = '0';
    }

    ntrip_out_data(out, p, buf + sizeof(buf) - p);
}


void
ntrip_out_fixed(ntrip_out_t *out, double value, ngx_uint_t width,
    ngx_uint_t decimals)
{
    uint64_t    scaled, scale;
    ngx_uint_t  i;

    scale = 1;

    for (i = 0; i < decimals; i++) {
        scale *= 10;
    }

    scaled = (uint64_t) ((value < 0 ? -value : value) * scale + 0.5);

    if (value < 0 && scaled) {
        ntrip_out_char(out, '-');
    }

    ntrip_out_uint(out, scaled / scale, width);

    if (decimals) {
        ntrip_out_char(out, '.');
        ntrip_out_uint(out, scaled % scale, decimals);
    }
}


void
ntrip_out_base64(ntrip_out_t *out, u_char *data, size_t len)
{
    ngx_str_t  src, dst;

    if (out->overflow
        || (size_t) (out->end - out->last) < ngx_base64_encoded_length(len))
    {
        out->overflow = 1;
        return;
    }

    src.data = data;
    src.len = len;
    dst.data = out->last;

    ngx_encode_base64(&dst, &src);

    out->last += dst.len;
}


void
ntrip_out_date(ntrip_out_t *out, time_t time)
{
    u_char  buf[sizeof("Mon, 28 Sep 1970 06:00:00 GMT") + NGX_INT_T_LEN];

    ntrip_out_data(out, buf, ngx_http_time(buf, time) - buf);
}


ngx_uint_t
ntrip_text_equal_case(ngx_str_t *a, ngx_str_t *b)
{
    return a->len == b->len
           && ngx_strncasecmp(a->data, b->data, a->len) == 0;
}


ngx_uint_t
ntrip_text_begins(ngx_str_t *str, const char *text)
{
    size_t  len;

    len = ngx_strlen(text);

    return str->len >= len
           && ngx_strncasecmp(str->data, (u_char *) text, len) == 0;
}


ngx_uint_t
ntrip_text_is(ngx_str_t *str, const char *text)
{
    return str->len == ngx_strlen(text) && ntrip_text_begins(str, text);
}


ngx_uint_t
ntrip_text_contains(ngx_str_t *str, const char *text)
{
    size_t  len;

    len = ngx_strlen(text);

    return str->len >= len
           && ngx_strlcasestrn(str->data, str->data + str->len,
                               (u_char *) text, len - 1)
              != NULL;
}


ngx_uint_t
ntrip_text_glob(ngx_str_t *pattern, ngx_str_t *text)
{
    size_t  i, j, star, from;

    star = pattern->len;
    from = 0;
    j = 0;

    /* behind the last '*' only: what was found for those before it stays */

    for (i = 0; i < text->len; /* void */ ) {

        if (j < pattern->len && pattern->data[j] == '*') {
            star = j++;
            from = i;

        } else if (j < pattern->len
                   && ngx_tolower(pattern->data[j])
                      == ngx_tolower(text->data[i]))
        {
            i++;
            j++;

        } else if (star < pattern->len) {
            i = ++from;
            j = star + 1;

        } else {
            return 0;
        }
    }

    while (j < pattern->len && pattern->data[j] == '*') {
        j++;
    }

    return j == pattern->len;
}


void
ntrip_text_trim(ngx_str_t *str)
{
    u_char  c;

    while (str->len) {
        c = str->data[0];

        if (c != ' ' && c != '\t' && c != CR && c != LF) {
            break;
        }

        str->data++;
        str->len--;
    }

    while (str->len) {
        c = str->data[str->len - 1];

        if (c != ' ' && c != '\t' && c != CR && c != LF) {
            break;
        }

        str->len--;
    }
}


ngx_str_t
ntrip_text_word(ngx_str_t *rest)
{
    ngx_str_t  word;

    while (rest->len && (*rest->data == ' ' || *rest->data == '\t')) {
        rest->data++;
        rest->len--;
    }

    word.data = rest->data;

    while (rest->len && *rest->data != ' ' && *rest->data != '\t') {
        rest->data++;
        rest->len--;
    }

    word.len = rest->data - word.data;

    return word;
}


ngx_str_t
ntrip_text_item(ngx_str_t *list)
{
    ngx_str_t   item;
    u_char     *comma;

    item = *list;
    comma = item.len ? memchr(item.data, ',', item.len) : NULL;

    if (comma) {
        item.len = comma - item.data;
        list->data = comma + 1;
        list->len -= item.len + 1;

    } else {
        list->data += list->len;
        list->len = 0;
    }

    return item;
}


ngx_uint_t
ntrip_text_has_item(ngx_str_t *list, ngx_str_t *item)
{
    ngx_str_t  rest, next;

    rest = *list;

    while (rest.len) {
        next = ntrip_text_item(&rest);

        if (next.len == item->len
            && ngx_memcmp(next.data, item->data, item->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ntrip_text_header(ngx_str_t *line, ngx_str_t *name, ngx_str_t *value)
{
    u_char  *colon;

    /* a folded line (RFC 7230 3.2.4) belongs to a value nobody folds */

    if (line->len == 0 || *line->data == ' ' || *line->data == '\t') {
        return NGX_DECLINED;
    }

    colon = memchr(line->data, ':', line->len);

    if (colon == NULL) {
        return NGX_DECLINED;
    }

    name->data = line->data;
    name->len = colon - line->data;

    value->data = colon + 1;
    value->len = line->data + line->len - value->data;

    ntrip_text_trim(name);
    ntrip_text_trim(value);

    return NGX_OK;
}


ngx_uint_t
ntrip_text_controls(ngx_str_t *str)
{
    size_t  i;

    for (i = 0; i < str->len; i++) {
        if ((str->data[i] < 0x20 && str->data[i] != '\t')
            || str->data[i] == 0x7f)
        {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ntrip_text_number(ngx_str_t *str, ngx_int_t max)
{
    ngx_int_t  n;

    n = ngx_atoi(str->data, str->len);

    return (n > max) ? NGX_ERROR : n;
}


static ngx_int_t
ntrip_text_base64_digit(u_char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }

    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }

    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }

    if (c == '+' || c == '-') {
        return 62;
    }

    if (c == '/' || c == '_') {
        return 63;
    }

    return NGX_ERROR;
}


ngx_int_t
ntrip_text_base64_decode(ngx_str_t *dst, ngx_str_t *src)
{
    u_char     *p;
    size_t      i, len;
    uint32_t    bits;
    ngx_int_t   digit;
    ngx_uint_t  n;

    len = src->len;

    for (n = 0; n < 2 && len && src->data[len - 1] == '='; n++) {
        len--;
    }

    if (len % 4 == 1) {
        return NGX_ERROR;
    }

    p = dst->data;
    bits = 0;
    n = 0;

    for (i = 0; i < len; i++) {

        digit = ntrip_text_base64_digit(src->data[i]);
        if (digit == NGX_ERROR) {
            return NGX_ERROR;
        }

        bits = bits << 6 | (uint32_t) digit;
        n += 6;

        if (n >= 8) {
            n -= 8;
            *p++ = (u_char) (bits >> n & 0xff);
        }
    }

    dst->len = p - dst->data;

    return NGX_OK;
}


/* strtod() goes by the locale */

ngx_int_t
ntrip_text_decimal(ngx_str_t *text, double *number)
{
    double      unit;
    u_char     *p, *last;
    ngx_str_t   trimmed;
    ngx_uint_t  digits, minus, point;

    trimmed = *text;
    ntrip_text_trim(&trimmed);

    if (trimmed.len == 0 || trimmed.len > 20) {
        return NGX_DECLINED;
    }

    p = trimmed.data;
    last = p + trimmed.len;

    minus = (*p == '-');

    if (*p == '-' || *p == '+') {
        p++;
    }

    digits = 0;
    point = 0;
    unit = 1;
    *number = 0;

    for ( /* void */ ; p < last; p++) {

        if (*p == '.' && !point) {
            point = 1;
            continue;
        }

        if (*p < '0' || *p > '9') {
            return NGX_DECLINED;
        }

        digits++;
        *number = *number * 10 + (*p - '0');
        unit *= point ? 10 : 1;
    }

    *number = (minus ? -*number : *number) / unit;

    return digits ? NGX_OK : NGX_DECLINED;
}
