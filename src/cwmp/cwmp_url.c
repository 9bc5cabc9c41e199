
/*
 * Fieldgate: the URL that is announced in place of a CPE's.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_url.h"


/* "?origin=" and "&sig=", and a slash */
#define CWMP_URL_FIXED  16


static u_char *cwmp_url_copy(u_char *p, ngx_str_t *s);
static u_char *cwmp_url_encode(u_char *p, ngx_str_t *s, const char *special);
static u_char *cwmp_url_join(u_char *p, ngx_str_t *url);
static ngx_str_t *cwmp_url_entity(u_char c);


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
    p = cwmp_url_encode(p, origin, "%&+#;\"<>");

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

    if (public->len && p[-1] == '/') {
        p--;
    }

    if (target->len == 0 || target->data[0] != '/') {
        *p++ = '/';
    }

    p = cwmp_url_encode(p, target, "#\"<>");
    p = cwmp_url_join(p, target);

    p = ngx_cpymem(p, "origin=", 7);
    p = cwmp_url_encode(p, hostport, "%&+#;\"<>");

    if (sig->len) {
        p = ngx_cpymem(p, "&sig=", 5);
        p = cwmp_url_copy(p, sig);
    }

    return p;
}


size_t
cwmp_url_escaped_size(ngx_str_t *text)
{
    size_t      len, i;
    ngx_str_t  *entity;

    len = text->len;

    for (i = 0; i < text->len; i++) {
        entity = cwmp_url_entity(text->data[i]);

        if (entity) {
            len += entity->len - 1;
        }
    }

    return len;
}


u_char *
cwmp_url_escape(u_char *dst, ngx_str_t *text)
{
    size_t      i;
    ngx_str_t  *entity;

    for (i = 0; i < text->len; i++) {
        entity = cwmp_url_entity(text->data[i]);

        if (entity) {
            dst = cwmp_url_copy(dst, entity);

        } else {
            *dst++ = text->data[i];
        }
    }

    return dst;
}


static u_char *
cwmp_url_copy(u_char *p, ngx_str_t *s)
{
    return s->len ? ngx_cpymem(p, s->data, s->len) : p;
}


static u_char *
cwmp_url_encode(u_char *p, ngx_str_t *s, const char *special)
{
    size_t  i;
    u_char  c;

    static u_char  hex[] = "0123456789ABCDEF";

    for (i = 0; i < s->len; i++) {
        c = s->data[i];

        if (c <= ' ' || c >= 0x7f || strchr(special, c) != NULL) {
            *p++ = '%';
            *p++ = hex[c >> 4];
            *p++ = hex[c & 0xf];

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


static ngx_str_t *
cwmp_url_entity(u_char c)
{
    static ngx_str_t  amp = ngx_string("&amp;");
    static ngx_str_t  lt = ngx_string("&lt;");
    static ngx_str_t  gt = ngx_string("&gt;");

    switch (c) {

    case '&':
        return &amp;

    case '<':
        return &lt;

    case '>':
        return &gt;

    default:
        return NULL;
    }
}
