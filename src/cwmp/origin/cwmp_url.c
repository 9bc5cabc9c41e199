
/*
 * Fieldgate: the URL that is announced in place of a CPE's.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_url.h"


/* "?origin=" and "&sig=", and a slash */
#define CWMP_URL_FIXED  16


static u_char *cwmp_url_target(u_char *p, ngx_str_t *public,
    ngx_str_t *target);
static u_char *cwmp_url_copy(u_char *p, ngx_str_t *s);
static u_char *cwmp_url_encode(u_char *p, ngx_str_t *s, uint32_t *special);
static u_char *cwmp_url_join(u_char *p, ngx_str_t *url);


/* "%&+#;\"<>", controls, space and what is not ASCII */

static uint32_t  cwmp_url_origin_special[] = {
    0xffffffff, /* 1111 1111 1111 1111  1111 1111 1111 1111 */

                /* ?>=< ;:98 7654 3210  /.-, +*)( '&%$ #"!  */
    0x5800086d, /* 0101 1000 0000 0000  0000 1000 0110 1101 */

    0x00000000, /* 0000 0000 0000 0000  0000 0000 0000 0000 */

                /*  ~}| {zyx wvut srqp  onml kjih gfed cba` */
    0x80000000, /* 1000 0000 0000 0000  0000 0000 0000 0000 */

    0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff
};

/* "#\"<>" and the same */

static uint32_t  cwmp_url_target_special[] = {
    0xffffffff, /* 1111 1111 1111 1111  1111 1111 1111 1111 */

                /* ?>=< ;:98 7654 3210  /.-, +*)( '&%$ #"!  */
    0x5000000d, /* 0101 0000 0000 0000  0000 0000 0000 1101 */

    0x00000000, /* 0000 0000 0000 0000  0000 0000 0000 0000 */

                /*  ~}| {zyx wvut srqp  onml kjih gfed cba` */
    0x80000000, /* 1000 0000 0000 0000  0000 0000 0000 0000 */

    0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff
};


void
cwmp_url_trim(ngx_str_t *url)
{
    while (url->len && url->data[0] <= ' ') {
        url->data++;
        url->len--;
    }

    while (url->len && url->data[url->len - 1] <= ' ') {
        url->len--;
    }
}


size_t
cwmp_url_size(ngx_str_t *public, ngx_str_t *target, ngx_str_t *origin,
    ngx_str_t *sig)
{
    return public->len + 3 * target->len + 3 * origin->len + sig->len
           + CWMP_URL_FIXED;
}


u_char *
cwmp_url_query(u_char *p, ngx_str_t *public, ngx_str_t *origin, ngx_str_t *sig)
{
    p = cwmp_url_copy(p, public);
    p = cwmp_url_join(p, public);

    p = ngx_cpymem(p, "origin=", 7);
    p = cwmp_url_encode(p, origin, cwmp_url_origin_special);

    if (sig->len) {
        p = ngx_cpymem(p, "&sig=", 5);
        p = cwmp_url_copy(p, sig);
    }

    return p;
}


u_char *
cwmp_url_udp(u_char *p, ngx_str_t *udp, ngx_str_t *sig)
{
    p = ngx_cpymem(p, "&udp=", 5);
    p = cwmp_url_copy(p, udp);

    if (sig->len) {
        p = ngx_cpymem(p, "&sig=", 5);
        p = cwmp_url_copy(p, sig);
    }

    return p;
}


u_char *
cwmp_url_path(u_char *p, ngx_str_t *public, ngx_str_t *target,
    ngx_str_t *hostport, ngx_str_t *sig)
{
    p = cwmp_url_copy(p, public);
    p = cwmp_url_target(p, public, target);
    p = cwmp_url_join(p, target);

    p = ngx_cpymem(p, "origin=", 7);
    p = cwmp_url_encode(p, hostport, cwmp_url_origin_special);

    if (sig->len) {
        p = ngx_cpymem(p, "&sig=", 5);
        p = cwmp_url_copy(p, sig);
    }

    return p;
}


u_char *
cwmp_url_host(u_char *p, ngx_str_t *public, ngx_str_t *target,
    ngx_str_t *label)
{
    u_char     *star;
    ngx_str_t   rest;

    star = cwmp_url_star(public);

    rest.data = star + 1;
    rest.len = public->data + public->len - rest.data;

    p = ngx_cpymem(p, public->data, star - public->data);
    p = cwmp_url_copy(p, label);
    p = cwmp_url_copy(p, &rest);

    return cwmp_url_target(p, public, target);
}


u_char *
cwmp_url_star(ngx_str_t *public)
{
    if (public->len < sizeof("http://*.") - 1
        || ngx_strncasecmp(public->data, (u_char *) "http://*.",
                           sizeof("http://*.") - 1) != 0)
    {
        return NULL;
    }

    return public->data + sizeof("http://") - 1;
}


/* of what XML escapes, all but '&' is percent-encoded, or the public URL's */

size_t
cwmp_url_escape(u_char *p, ngx_str_t *url)
{
    size_t   n;
    u_char  *src, *last, *amp;

    src = url->data;
    last = src + url->len;

    if (memchr(src, '<', url->len)
        || memchr(src, '>', url->len)
        || memchr(src, '"', url->len))
    {
        return p ? (size_t) ((u_char *) ngx_escape_html(p, src, url->len) - p)
                 : url->len + ngx_escape_html(NULL, src, url->len);
    }

    for (n = url->len; (amp = memchr(src, '&', last - src)); src = amp + 1) {
        n += sizeof("amp;") - 1;

        if (p) {
            p = ngx_cpymem(p, src, amp - src);
            p = ngx_cpymem(p, "&amp;", sizeof("&amp;") - 1);
        }
    }

    if (p) {
        ngx_memcpy(p, src, last - src);
    }

    return n;
}


/* behind public, whose last slash it takes the place of */

static u_char *
cwmp_url_target(u_char *p, ngx_str_t *public, ngx_str_t *target)
{
    if (public->len && p[-1] == '/') {
        p--;
    }

    if (target->len == 0 || target->data[0] != '/') {
        *p++ = '/';
    }

    return cwmp_url_encode(p, target, cwmp_url_target_special);
}


static u_char *
cwmp_url_copy(u_char *p, ngx_str_t *s)
{
    return s->len ? ngx_cpymem(p, s->data, s->len) : p;
}


static u_char *
cwmp_url_encode(u_char *p, ngx_str_t *s, uint32_t *special)
{
    size_t  i;
    u_char  c;

    for (i = 0; i < s->len; i++) {
        c = s->data[i];

        if (special[c >> 5] & (1U << (c & 0x1f))) {
            p = ngx_sprintf(p, "%%%02Xi", (ngx_int_t) c);

        } else {
            *p++ = c;
        }
    }

    return p;
}


/* what stands between a URL and one more argument */

static u_char *
cwmp_url_join(u_char *p, ngx_str_t *url)
{
    u_char  *query, *end;

    query = url->len ? memchr(url->data, '?', url->len) : NULL;

    if (query == NULL) {
        *p++ = '?';
        return p;
    }

    end = url->data + url->len - 1;

    if (query != end && *end != '&') {
        *p++ = '&';
    }

    return p;
}
