
/*
 * Fieldgate: cookies, as CPEs and ACSs really send them.
 */


#include "cwmp_cookie.h"


static u_char *cwmp_cookie_end(u_char *p, u_char *last, ngx_uint_t comma);
static ngx_int_t cwmp_cookie_pair(u_char *p, u_char *last, ngx_str_t *name,
    ngx_str_t *value);
static void cwmp_cookie_trim(u_char **p, u_char **last);


ngx_int_t
cwmp_cookie_next(ngx_str_t *rest, ngx_str_t *name, ngx_str_t *value)
{
    u_char  *p, *end, *last;

    p = rest->data;
    last = p + rest->len;

    while (p < last) {
        end = cwmp_cookie_end(p, last, 1);

        if (cwmp_cookie_pair(p, end, name, value) == NGX_OK
            && name->data[0] != '$')
        {
            p = (end < last) ? end + 1 : last;
            rest->data = p;
            rest->len = last - p;

            return NGX_OK;
        }

        p = end + 1;
    }

    rest->data = last;
    rest->len = 0;

    return NGX_DONE;
}


ngx_int_t
cwmp_cookie_set(ngx_str_t *header, ngx_str_t *name, ngx_str_t *value)
{
    u_char     *p, *end, *last;
    ngx_str_t   attr, arg;

    p = header->data;
    last = p + header->len;
    end = cwmp_cookie_end(p, last, 0);

    if (cwmp_cookie_pair(p, end, name, value) != NGX_OK) {
        return NGX_DECLINED;
    }

    for (p = end + 1; p < last; p = end + 1) {
        end = cwmp_cookie_end(p, last, 0);

        if (cwmp_cookie_pair(p, end, &attr, &arg) != NGX_OK
            || attr.len != 7
            || arg.len == 0
            || (arg.data[0] != '0' && arg.data[0] != '-'))
        {
            continue;
        }

        /* RFC 6265 5.2.2: zero and negative values expire it at once */

        if (ngx_tolower(attr.data[0]) == 'm'
            && ngx_tolower(attr.data[1]) == 'a'
            && ngx_tolower(attr.data[2]) == 'x'
            && attr.data[3] == '-'
            && ngx_tolower(attr.data[4]) == 'a'
            && ngx_tolower(attr.data[5]) == 'g'
            && ngx_tolower(attr.data[6]) == 'e')
        {
            value->len = 0;
        }
    }

    return NGX_OK;
}


ngx_int_t
cwmp_cookie_take(ngx_str_t *header, ngx_str_t *name, ngx_str_t *value,
    u_char *dst, size_t *len)
{
    u_char      *p, *end, *last, *start;
    ngx_str_t    n, v;
    ngx_uint_t   taking, taken, kept, cookies;

    start = dst;
    taking = 0;
    taken = 0;
    kept = 0;
    cookies = 0;

    p = header->data;
    last = p + header->len;

    for ( ;; ) {
        end = cwmp_cookie_end(p, last, 1);

        if (cwmp_cookie_pair(p, end, &n, &v) != NGX_OK) {
            taking = 0;

        } else if (n.data[0] != '$') {

            taking = (n.len == name->len
                      && ngx_memcmp(n.data, name->data, n.len) == 0);

            if (taking && !taken++) {
                *value = v;
            }

            cookies += !taking;
        }

        if (!taking) {

            if (kept) {
                *dst++ = p[-1];

            } else {
                /* spaces that stood behind the separator */

                while (taken && p < end && (*p == ' ' || *p == '\t')) {
                    p++;
                }
            }

            dst = ngx_cpymem(dst, p, end - p);
            kept = 1;
        }

        if (end == last) {
            break;
        }

        p = end + 1;
    }

    if (!taken) {
        return NGX_DECLINED;
    }

    *len = cookies ? (size_t) (dst - start) : 0;

    return NGX_OK;
}


static u_char *
cwmp_cookie_end(u_char *p, u_char *last, ngx_uint_t comma)
{
    ngx_uint_t  quoted;

    quoted = 0;

    for ( /* void */ ; p < last; p++) {

        if (*p == '"') {
            quoted = !quoted;

        } else if (!quoted && (*p == ';' || (comma && *p == ','))) {
            break;
        }
    }

    return p;
}


static ngx_int_t
cwmp_cookie_pair(u_char *p, u_char *last, ngx_str_t *name, ngx_str_t *value)
{
    u_char  *eq, *end;

    for (eq = p; eq < last && *eq != '='; eq++) { /* void */ }

    if (eq >= last) {
        return NGX_DECLINED;
    }

    end = eq;
    cwmp_cookie_trim(&p, &end);

    if (p == end) {
        return NGX_DECLINED;
    }

    name->data = p;
    name->len = end - p;

    p = eq + 1;
    cwmp_cookie_trim(&p, &last);

    if (last - p >= 2 && *p == '"' && last[-1] == '"') {
        p++;
        last--;
    }

    value->data = p;
    value->len = last - p;

    return NGX_OK;
}


static void
cwmp_cookie_trim(u_char **p, u_char **last)
{
    while (*p < *last && (**p == ' ' || **p == '\t')) {
        (*p)++;
    }

    while (*last > *p && ((*last)[-1] == ' ' || (*last)[-1] == '\t')) {
        (*last)--;
    }
}
