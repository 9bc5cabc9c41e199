
/*
 * Fieldgate: origins, the URLs at which CPEs are called.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_origin.h"
#include "cwmp_host.h"


/* bytes of a request target that need no percent-encoding (RFC 3986 2) */

#define CWMP_CHAR_UNRESERVED  0x01      /* and those that separate nothing */
#define CWMP_CHAR_DELIMITER   0x02      /* raw and encoded differ */


typedef struct {
    u_char     *origin;         /* the whole argument, name included */
    u_char     *origin_end;
    u_char     *sig;            /* NULL if there is none */
    u_char     *sig_end;
    u_char     *udp;            /* the same */
    u_char     *udp_end;
} cwmp_origin_args_t;


static ngx_int_t cwmp_origin_split(cwmp_origin_t *o, ngx_str_t *hostport,
    ngx_str_t *target, u_char **buf);
static ngx_int_t cwmp_origin_check(u_char *p, u_char *last);
static void cwmp_origin_set_target(cwmp_origin_t *o, u_char *p, u_char *last,
    u_char **buf);
static void cwmp_origin_set_path(cwmp_origin_t *o, u_char *p, u_char *last,
    u_char **buf);
static u_char *cwmp_origin_remove_dots(u_char *start, u_char *last);
static ngx_int_t cwmp_origin_find_args(cwmp_origin_args_t *args,
    ngx_uint_t mode, u_char *p, u_char *last);
static u_char *cwmp_origin_cut_args(cwmp_origin_args_t *args, u_char *dst,
    ngx_str_t *target);
static ngx_int_t cwmp_origin_unescape(ngx_str_t *dst, u_char *p, u_char *last,
    u_char **buf);
static ngx_uint_t cwmp_origin_char(u_char ch);
static ngx_int_t cwmp_origin_byte(u_char **p, u_char *last);
static u_char *cwmp_origin_escape(u_char *dst, u_char ch);


ngx_int_t
cwmp_origin_parse(cwmp_origin_t *o, ngx_str_t *url, u_char *buf)
{
    u_char     *p, *last, *path;
    ngx_int_t   rc;

    ngx_memzero(o, sizeof(cwmp_origin_t));

    if (url->len == 0) {
        return CWMP_ORIGIN_MISSING;
    }

    if (url->len > CWMP_ORIGIN_MAX) {
        return CWMP_ORIGIN_TOO_LONG;
    }

    p = url->data;
    last = p + url->len;

    rc = cwmp_origin_check(p, last);
    if (rc != NGX_OK) {
        return rc;
    }

    if (url->len < sizeof("http://") - 1
        || strncasecmp((char *) p, "http://", sizeof("http://") - 1) != 0)
    {
        return CWMP_ORIGIN_SCHEME;
    }

    p += sizeof("http://") - 1;

    for (path = p; path < last && *path != '/' && *path != '?'; path++) {
        /* void */
    }

    rc = cwmp_host_parse(o, p, path, &buf);
    if (rc != NGX_OK) {
        return rc;
    }

    cwmp_origin_set_target(o, path, last, &buf);
    cwmp_origin_set_path(o, o->target.data, o->target.data + o->target.len,
                         &buf);

    return NGX_OK;
}


ngx_int_t
cwmp_origin_parse_public(cwmp_origin_t *o, ngx_uint_t mode, ngx_str_t *url,
    u_char *buf)
{
    u_char     *star;
    ngx_str_t   named;

    star = cwmp_url_star(url);

    if ((star != NULL) != (mode == CWMP_URL_HOST)) {
        ngx_memzero(o, sizeof(cwmp_origin_t));
        return NGX_DECLINED;
    }

    if (star == NULL) {
        return cwmp_origin_parse(o, url, buf);
    }

    named.data = buf;
    named.len = url->len;

    buf = ngx_cpymem(buf, url->data, url->len);
    named.data[star - url->data] = 'x';

    return cwmp_origin_parse(o, &named, buf);
}


ngx_int_t
cwmp_origin_parse_target(cwmp_origin_t *o, ngx_uint_t mode, ngx_str_t *target,
    u_char *buf)
{
    u_char              *p, *last;
    ngx_int_t            rc;
    ngx_str_t            value, sig, udp;
    cwmp_origin_args_t   args;

    ngx_memzero(o, sizeof(cwmp_origin_t));

    p = target->data;
    last = p + target->len;

    if (mode == CWMP_URL_PATH && target->len > CWMP_ORIGIN_MAX) {
        return CWMP_ORIGIN_TOO_LONG;
    }

    if (p == last || *p != '/') {
        return CWMP_ORIGIN_MISSING;
    }

    rc = cwmp_origin_find_args(&args, mode, p, last);
    if (rc != NGX_OK) {
        return rc;
    }

    ngx_str_null(&sig);
    ngx_str_null(&udp);

    if (args.sig) {
        rc = cwmp_origin_unescape(&sig, args.sig + sizeof("sig=") - 1,
                                  args.sig_end, &buf);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    if (args.udp) {
        rc = cwmp_origin_unescape(&udp, args.udp + sizeof("udp=") - 1,
                                  args.udp_end, &buf);
        if (rc != NGX_OK) {
            return rc;
        }
    }

    rc = cwmp_origin_unescape(&value, args.origin + sizeof("origin=") - 1,
                              args.origin_end, &buf);
    if (rc != NGX_OK) {
        return rc;
    }

    if (mode == CWMP_URL_QUERY) {
        rc = cwmp_origin_parse(o, &value, buf);
        o->udp = udp;
        o->sig = sig;
        return rc;
    }

    if (value.len == 0) {
        return CWMP_ORIGIN_MISSING;
    }

    rc = cwmp_origin_split(o, &value, target, &buf);
    if (rc != NGX_OK) {
        return rc;
    }

    o->sig = sig;

    p = buf;
    buf = cwmp_origin_cut_args(&args, buf, target);

    cwmp_origin_set_path(o, p, buf, &buf);

    return NGX_OK;
}


ngx_int_t
cwmp_origin_parse_name(cwmp_origin_t *o, ngx_str_t *name, ngx_str_t *target,
    u_char *buf)
{
    ngx_int_t   rc;
    ngx_str_t   value, sig;

    ngx_memzero(o, sizeof(cwmp_origin_t));

    if (target->len > CWMP_ORIGIN_MAX) {
        return CWMP_ORIGIN_TOO_LONG;
    }

    if (target->len == 0 || target->data[0] != '/') {
        return CWMP_ORIGIN_MISSING;
    }

    rc = cwmp_label_read(name, &value, &sig, &buf);
    if (rc != NGX_OK) {
        return rc;
    }

    rc = cwmp_origin_split(o, &value, target, &buf);
    if (rc != NGX_OK) {
        return rc;
    }

    o->sig = sig;

    cwmp_origin_set_path(o, o->target.data, buf, &buf);

    return NGX_OK;
}


ngx_int_t
cwmp_origin_parse_udp(cwmp_origin_t *o, ngx_str_t *text, u_char *buf)
{
    ngx_int_t   rc;

    ngx_memzero(o, sizeof(cwmp_origin_t));

    if (text->len > CWMP_ORIGIN_MAX) {
        return CWMP_ORIGIN_TOO_LONG;
    }

    rc = cwmp_origin_check(text->data, text->data + text->len);
    if (rc != NGX_OK) {
        return rc;
    }

    rc = cwmp_host_parse(o, text->data, text->data + text->len, &buf);

    if (rc == NGX_OK && o->socklen == 0) {
        rc = CWMP_ORIGIN_BAD_HOST;
    }

    return rc;
}


/* host:port apart from the target, which is the CPE's or has it */

static ngx_int_t
cwmp_origin_split(cwmp_origin_t *o, ngx_str_t *hostport, ngx_str_t *target,
    u_char **buf)
{
    ngx_int_t  rc;

    rc = cwmp_origin_check(hostport->data, hostport->data + hostport->len);
    if (rc != NGX_OK) {
        return rc;
    }

    rc = cwmp_origin_check(target->data, target->data + target->len);
    if (rc != NGX_OK) {
        return rc;
    }

    rc = cwmp_host_parse(o, hostport->data, hostport->data + hostport->len,
                         buf);
    if (rc != NGX_OK) {
        return rc;
    }

    o->target.data = *buf;
    o->target.len = target->len;
    *buf = ngx_cpymem(*buf, target->data, target->len);

    return NGX_OK;
}


const char *
cwmp_origin_strerror(ngx_int_t error)
{
    switch (error) {
    case CWMP_ORIGIN_MISSING:
        return "is missing";
    case CWMP_ORIGIN_TOO_LONG:
        return "is too long";
    case CWMP_ORIGIN_BAD_ESCAPE:
        return "has an invalid percent-encoding";
    case CWMP_ORIGIN_CONTROL:
        return "has a control character";
    case CWMP_ORIGIN_BAD_CHAR:
        return "has a character that no URL may have";
    case CWMP_ORIGIN_BACKSLASH:
        return "has a backslash";
    case CWMP_ORIGIN_SCHEME:
        return "is no http URL";
    case CWMP_ORIGIN_USERINFO:
        return "has userinfo";
    case CWMP_ORIGIN_FRAGMENT:
        return "has a fragment";
    case CWMP_ORIGIN_NO_HOST:
        return "has no host";
    case CWMP_ORIGIN_BAD_HOST:
        return "has an invalid host";
    case CWMP_ORIGIN_BAD_NUMBER:
        return "has a numeric host that is no dotted quad";
    case CWMP_ORIGIN_BAD_IPV6:
        return "has an invalid IPv6 address";
    case CWMP_ORIGIN_ZONE:
        return "has an IPv6 zone";
    case CWMP_ORIGIN_BAD_PORT:
        return "has an invalid port";
    default:
        return "is valid";
    }
}


/*
 * What no origin may have, wherever it stands.  Encoded controls are refused
 * too: no CPE needs one, and many decode their request line.
 */

static ngx_int_t
cwmp_origin_check(u_char *p, u_char *last)
{
    ngx_int_t   ch;
    ngx_uint_t  encoded;

    while (p < last) {

        encoded = (*p == '%');

        ch = cwmp_origin_byte(&p, last);

        if (ch == NGX_ERROR) {
            return CWMP_ORIGIN_BAD_ESCAPE;
        }

        if (ch < 0x20 || ch == 0x7f) {
            return CWMP_ORIGIN_CONTROL;
        }

        if (encoded) {
            continue;
        }

        switch (ch) {

        case '\\':
            return CWMP_ORIGIN_BACKSLASH;

        case '#':
            return CWMP_ORIGIN_FRAGMENT;

        case ' ':
        case '"':
        case '<':
        case '>':
            return CWMP_ORIGIN_BAD_CHAR;
        }
    }

    return NGX_OK;
}


static void
cwmp_origin_set_target(cwmp_origin_t *o, u_char *p, u_char *last,
    u_char **buf)
{
    u_char  *dst;

    dst = *buf;
    o->target.data = dst;

    if (p == last || *p != '/') {
        *dst++ = '/';
    }

    for ( /* void */ ; p < last; p++) {

        if (cwmp_origin_char(*p) || *p == '[' || *p == ']') {
            *dst++ = *p;

        } else {
            dst = cwmp_origin_escape(dst, *p);
        }
    }

    o->target.len = dst - o->target.data;
    *buf = dst;
}


/*
 * One spelling for all that a URL parser may make of a path: dot segments are
 * removed, an empty query is none, and a byte that separates nothing is the
 * same byte whether it came encoded or not.
 */

static void
cwmp_origin_set_path(cwmp_origin_t *o, u_char *p, u_char *last, u_char **buf)
{
    u_char      *dst, *query;
    ngx_int_t    ch;
    ngx_uint_t   class, encoded;

    dst = *buf;
    query = NULL;
    o->path.data = dst;

    while (p < last) {

        encoded = (*p == '%');

        ch = cwmp_origin_byte(&p, last);

        if (ch == '?' && !encoded && query == NULL) {
            dst = cwmp_origin_remove_dots(o->path.data, dst);
            query = dst;
        }

        class = cwmp_origin_char((u_char) ch);

        if (class == CWMP_CHAR_UNRESERVED
            || (class == CWMP_CHAR_DELIMITER && !encoded))
        {
            *dst++ = (u_char) ch;

        } else {
            dst = cwmp_origin_escape(dst, (u_char) ch);
        }
    }

    if (query == NULL) {
        dst = cwmp_origin_remove_dots(o->path.data, dst);

    } else {
        while (dst > query && (dst[-1] == '&' || dst == query + 1)) {
            dst--;
        }
    }

    o->path.len = dst - o->path.data;
    *buf = dst;
}


/* RFC 3986 5.2.4, in place, for a path that begins with a slash */

static u_char *
cwmp_origin_remove_dots(u_char *start, u_char *last)
{
    u_char  *p, *dst, *end;

    dst = start;
    p = start;

    while (p < last) {

        for (end = p + 1; end < last && *end != '/'; end++) {
            /* void */
        }

        if (end - p == 2 && p[1] == '.') {

            if (end == last) {
                *dst++ = '/';
            }

        } else if (end - p == 3 && p[1] == '.' && p[2] == '.') {

            while (dst > start && *--dst != '/') {
                /* void */
            }

            if (end == last) {
                *dst++ = '/';
            }

        } else {
            ngx_memmove(dst, p, end - p);
            dst += end - p;
        }

        p = end;
    }

    return dst;
}


static ngx_int_t
cwmp_origin_find_args(cwmp_origin_args_t *args, ngx_uint_t mode, u_char *p,
    u_char *last)
{
    u_char  *end;

    ngx_memzero(args, sizeof(cwmp_origin_args_t));

    p = memchr(p, '?', last - p);

    while (p && p < last) {

        p++;

        end = memchr(p, '&', last - p);
        if (end == NULL) {
            end = last;
        }

        /* of several the first is ours, in path mode the last */

        if (end - p >= (ssize_t) sizeof("origin=") - 1
            && ngx_strncmp(p, "origin=", sizeof("origin=") - 1) == 0
            && (args->origin == NULL || mode == CWMP_URL_PATH))
        {
            args->origin = p;
            args->origin_end = end;
            args->sig = NULL;
            args->udp = NULL;

        } else if (end - p >= (ssize_t) sizeof("sig=") - 1
                   && ngx_strncmp(p, "sig=", sizeof("sig=") - 1) == 0
                   && args->origin && args->sig == NULL)
        {
            args->sig = p;
            args->sig_end = end;

        } else if (mode == CWMP_URL_QUERY
                   && end - p >= (ssize_t) sizeof("udp=") - 1
                   && ngx_strncmp(p, "udp=", sizeof("udp=") - 1) == 0
                   && args->origin && args->udp == NULL)
        {
            args->udp = p;
            args->udp_end = end;
        }

        p = end;
    }

    return args->origin ? NGX_OK : CWMP_ORIGIN_MISSING;
}


static u_char *
cwmp_origin_cut_args(cwmp_origin_args_t *args, u_char *dst, ngx_str_t *target)
{
    u_char  *p, *last, *end, sep;

    p = target->data;
    last = p + target->len;

    end = memchr(p, '?', last - p);

    dst = ngx_cpymem(dst, p, end - p);
    p = end;
    sep = '?';

    while (p < last) {

        p++;

        end = memchr(p, '&', last - p);
        if (end == NULL) {
            end = last;
        }

        if (p != args->origin && p != args->sig) {
            *dst++ = sep;
            dst = ngx_cpymem(dst, p, end - p);
            sep = '&';
        }

        p = end;
    }

    return dst;
}


static ngx_int_t
cwmp_origin_unescape(ngx_str_t *dst, u_char *p, u_char *last, u_char **buf)
{
    u_char     *d;
    ngx_int_t   ch;

    if (last - p > CWMP_ORIGIN_ENCODED_MAX) {
        return CWMP_ORIGIN_TOO_LONG;
    }

    d = *buf;
    dst->data = d;

    while (p < last) {

        ch = cwmp_origin_byte(&p, last);

        if (ch == NGX_ERROR) {
            return CWMP_ORIGIN_BAD_ESCAPE;
        }

        *d++ = (u_char) ch;
    }

    dst->len = d - dst->data;
    *buf = d;

    return NGX_OK;
}


/*
 * Square brackets are neither: they may stand in a target, but some parsers
 * encode them.
 */

static ngx_uint_t
cwmp_origin_char(u_char ch)
{
    if (isascii(ch) && isalnum(ch)) {
        return CWMP_CHAR_UNRESERVED;
    }

    switch (ch) {

    case '-': case '.': case '_': case '~':
    case '!': case '$': case '\'': case '(': case ')': case '*':
    case ',': case ':': case '@':
        return CWMP_CHAR_UNRESERVED;

    case '/': case '?': case '&': case '=': case '+': case ';': case '%':
        return CWMP_CHAR_DELIMITER;

    default:
        return 0;
    }
}


/* takes a byte, "%XX" for one, or returns NGX_ERROR */

static ngx_int_t
cwmp_origin_byte(u_char **p, u_char *last)
{
    ngx_int_t  ch;

    if (**p != '%') {
        return *(*p)++;
    }

    if (last - *p < 3) {
        return NGX_ERROR;
    }

    ch = ngx_hextoi(*p + 1, 2);
    *p += 3;

    return ch;
}


static u_char *
cwmp_origin_escape(u_char *dst, u_char ch)
{
    return ngx_sprintf(dst, "%%%02Xi", (ngx_int_t) ch);
}
