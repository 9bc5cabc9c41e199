
/*
 * Fieldgate: small pieces of text of NTRIP.
 */


#include "ntrip_text.h"


static void ntrip_text_civil(time_t days, ngx_uint_t *year,
    ngx_uint_t *month, ngx_uint_t *day);


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
    u_char    quad[4];
    size_t    i, n;
    uint32_t  bits;

    static const u_char  alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    for (i = 0; i < len; i += 3) {
        n = len - i;

        bits = data[i] << 16;
        bits |= (n > 1) ? data[i + 1] << 8 : 0;
        bits |= (n > 2) ? data[i + 2] : 0;

        quad[0] = alphabet[bits >> 18];
        quad[1] = alphabet[bits >> 12 & 0x3f];
        quad[2] = (n > 1) ? alphabet[bits >> 6 & 0x3f] : '=';
        quad[3] = (n > 2) ? alphabet[bits & 0x3f] : '=';

        ntrip_out_data(out, quad, 4);
    }
}


void
ntrip_out_date(ntrip_out_t *out, time_t time)
{
    time_t      days, seconds;
    ngx_uint_t  year, month, day;

    static const char  week[] = "ThuFriSatSunMonTueWed";
    static const char  months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    if (time < 0) {
        time = 0;
    }

    days = time / 86400;
    seconds = time % 86400;

    ntrip_text_civil(days, &year, &month, &day);

    ntrip_out_data(out, &week[days % 7 * 3], 3);
    ntrip_out_text(out, ", ");
    ntrip_out_uint(out, day, 2);
    ntrip_out_char(out, ' ');
    ntrip_out_data(out, &months[(month - 1) * 3], 3);
    ntrip_out_char(out, ' ');
    ntrip_out_uint(out, year, 4);
    ntrip_out_char(out, ' ');
    ntrip_out_uint(out, seconds / 3600, 2);
    ntrip_out_char(out, ':');
    ntrip_out_uint(out, seconds / 60 % 60, 2);
    ntrip_out_char(out, ':');
    ntrip_out_uint(out, seconds % 60, 2);
    ntrip_out_text(out, " GMT");
}


/* the Gregorian day of a number of days since 1970-01-01; years begin in
   March, so that the leap day is the last */

static void
ntrip_text_civil(time_t days, ngx_uint_t *year, ngx_uint_t *month,
    ngx_uint_t *day)
{
    uint64_t  n, era, of_era, year_of_era, of_year, m;

    n = (uint64_t) days + 719468;
    era = n / 146097;
    of_era = n % 146097;

    year_of_era = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096)
                  / 365;
    of_year = of_era
              - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);

    m = (5 * of_year + 2) / 153;

    *day = (ngx_uint_t) (of_year - (153 * m + 2) / 5 + 1);
    *month = (ngx_uint_t) (m < 10 ? m + 3 : m - 9);
    *year = (ngx_uint_t) (year_of_era + era * 400 + (*month <= 2));
}


ngx_uint_t
ntrip_text_equal_case(ngx_str_t *a, ngx_str_t *b)
{
    size_t  i;

    if (a->len != b->len) {
        return 0;
    }

    for (i = 0; i < a->len; i++) {
        if (ngx_tolower(a->data[i]) != ngx_tolower(b->data[i])) {
            return 0;
        }
    }

    return 1;
}


ngx_uint_t
ntrip_text_begins(ngx_str_t *str, const char *text)
{
    size_t  i;

    for (i = 0; text[i]; i++) {
        if (i == str->len
            || ngx_tolower(str->data[i]) != ngx_tolower(text[i]))
        {
            return 0;
        }
    }

    return 1;
}


ngx_uint_t
ntrip_text_is(ngx_str_t *str, const char *text)
{
    return str->len == ngx_strlen(text) && ntrip_text_begins(str, text);
}


ngx_uint_t
ntrip_text_contains(ngx_str_t *str, const char *text)
{
    ngx_str_t  rest;

    rest = *str;

    while (rest.len) {
        if (ntrip_text_begins(&rest, text)) {
            return 1;
        }

        rest.data++;
        rest.len--;
    }

    return 0;
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
    size_t     i;
    ngx_int_t  n, digit;

    if (str->len == 0) {
        return NGX_ERROR;
    }

    n = 0;

    for (i = 0; i < str->len; i++) {
        if (str->data[i] < '0' || str->data[i] > '9') {
            return NGX_ERROR;
        }

        digit = str->data[i] - '0';

        if (digit > max || n > (max - digit) / 10) {
            return NGX_ERROR;
        }

        n = n * 10 + digit;
    }

    return n;
}


ngx_int_t
ntrip_text_hex(u_char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c |= 0x20;

    return (c >= 'a' && c <= 'f') ? c - 'a' + 10 : NGX_ERROR;
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
