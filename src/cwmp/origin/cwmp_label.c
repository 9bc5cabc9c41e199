
/*
 * Fieldgate: origins in host names.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_label.h"


#define CWMP_LABEL_IPV4    0x01
#define CWMP_LABEL_IPV6    0x02
#define CWMP_LABEL_NAME    0x03
#define CWMP_LABEL_TWO     0x40    /* two labels */
#define CWMP_LABEL_SIGNED  0x80

#define CWMP_LABEL_LEN     63      /* of one */
#define CWMP_LABEL_BYTES   (2 * CWMP_LABEL_LEN * 5 / 8)
#define CWMP_LABEL_SIG     16


static size_t cwmp_label_host(cwmp_origin_t *o, u_char *flags,
    u_char **host);
static u_char *cwmp_label_encode(u_char *dst, u_char *src, size_t len);
static ngx_int_t cwmp_label_decode(u_char *dst, size_t *len, ngx_str_t *name);
static ngx_int_t cwmp_label_chars(u_char *dst, size_t *len, u_char *src,
    size_t n);
static ngx_int_t cwmp_label_char(u_char ch);
static u_char *cwmp_label_address(u_char *p, u_char flags, u_char *host,
    size_t len);


ngx_int_t
cwmp_label_write(ngx_str_t *label, cwmp_origin_t *o, ngx_str_t *sig)
{
    size_t     len, n;
    u_char    *p, *host, *end, bytes[CWMP_LABEL_BYTES + 2], text[256];
    ngx_str_t  raw;

    p = &bytes[1];
    *p++ = (u_char) (o->port >> 8);
    *p++ = (u_char) o->port;

    len = cwmp_label_host(o, bytes, &host);

    if (sig->len) {
        bytes[0] |= CWMP_LABEL_SIGNED;

        raw.data = p;
        if (ngx_decode_base64url(&raw, sig) != NGX_OK) {
            return NGX_DECLINED;
        }

        p += CWMP_LABEL_SIG;
    }

    if (len == 0 || len > (size_t) (bytes + CWMP_LABEL_BYTES - p)) {
        return NGX_DECLINED;
    }

    p = ngx_cpymem(p, host, len);

    if ((p - bytes) * 8 > CWMP_LABEL_LEN * 5) {
        bytes[0] |= CWMP_LABEL_TWO;
    }

    end = cwmp_label_encode(text, bytes, p - bytes);

    n = ngx_min(end - text, CWMP_LABEL_LEN);
    p = ngx_cpymem(label->data, text, n);

    if (text + n < end) {
        *p++ = '.';
        p = ngx_cpymem(p, text + n, end - text - n);
    }

    label->len = p - label->data;

    return NGX_OK;
}


static size_t
cwmp_label_host(cwmp_origin_t *o, u_char *flags, u_char **host)
{
    if (o->socklen == 0) {
        *flags = CWMP_LABEL_NAME;
        *host = o->host.data;

        return o->host.len;
    }

#if (NGX_HAVE_INET6)
    if (o->sockaddr.sockaddr.sa_family == AF_INET6) {
        *flags = CWMP_LABEL_IPV6;
        *host = o->sockaddr.sockaddr_in6.sin6_addr.s6_addr;

        return 16;
    }
#endif

    *flags = CWMP_LABEL_IPV4;
    *host = (u_char *) &o->sockaddr.sockaddr_in.sin_addr.s_addr;

    return 4;
}


ngx_int_t
cwmp_label_read(ngx_str_t *name, ngx_str_t *hostport, ngx_str_t *sig,
    u_char **buf)
{
    size_t      len;
    u_char     *p, *last, bytes[CWMP_LABEL_BYTES + 2];
    ngx_str_t   raw;
    ngx_uint_t  port;

    if (cwmp_label_decode(bytes, &len, name) != NGX_OK) {
        return CWMP_ORIGIN_MISSING;
    }

    last = bytes + len;
    p = &bytes[3];

    if (bytes[0] & CWMP_LABEL_SIGNED) {
        p += CWMP_LABEL_SIG;
    }

    if (p >= last) {
        return CWMP_ORIGIN_MISSING;
    }

    port = bytes[1] << 8 | bytes[2];

    sig->data = *buf;
    sig->len = 0;

    if (bytes[0] & CWMP_LABEL_SIGNED) {
        raw.data = &bytes[3];
        raw.len = CWMP_LABEL_SIG;

        ngx_encode_base64url(sig, &raw);
        *buf += sig->len;
    }

    hostport->data = *buf;

    *buf = cwmp_label_address(*buf, bytes[0] & 0x3f, p, last - p);

    if (*buf == NULL) {
        *buf = hostport->data;
        return CWMP_ORIGIN_BAD_HOST;
    }

    *buf = ngx_sprintf(*buf, ":%ui", port);
    hostport->len = *buf - hostport->data;

    return NGX_OK;
}


/* the text of the host at p; NULL: it is none */

static u_char *
cwmp_label_address(u_char *p, u_char flags, u_char *host, size_t len)
{
    ngx_uint_t  i;

    switch (flags) {

    case CWMP_LABEL_NAME:
        return ngx_cpymem(p, host, len);

    case CWMP_LABEL_IPV4:
        return (len == 4) ? ngx_sprintf(p, "%ud.%ud.%ud.%ud", host[0],
                                        host[1], host[2], host[3])
                          : NULL;

    case CWMP_LABEL_IPV6:

        if (len != 16) {
            return NULL;
        }

        for (i = 0; i < 16; i += 2) {
            p = ngx_sprintf(p, "%c%xd", i ? ':' : '[',
                            host[i] << 8 | host[i + 1]);
        }

        *p++ = ']';

        return p;

    default:
        return NULL;
    }
}


static u_char *
cwmp_label_encode(u_char *dst, u_char *src, size_t len)
{
    uint32_t    bits;
    ngx_uint_t  n;

    static u_char  base32[] = "abcdefghijklmnopqrstuvwxyz234567";

    bits = 0;

    for (n = 0; len; len--) {
        bits = bits << 8 | *src++;

        for (n += 8; n >= 5; /* void */ ) {
            n -= 5;
            *dst++ = base32[bits >> n & 31];
        }
    }

    if (n) {
        *dst++ = base32[bits << (5 - n) & 31];
    }

    return dst;
}


/* the bytes of the first label, or the first two; NGX_ERROR: not ours */

static ngx_int_t
cwmp_label_decode(u_char *dst, size_t *len, ngx_str_t *name)
{
    size_t     n, rest;
    u_char    *p, *dot, text[2 * CWMP_LABEL_LEN];
    ngx_int_t  first, second;

    p = name->data;
    dot = memchr(p, '.', name->len);
    n = dot ? (size_t) (dot - p) : name->len;

    if (n < 2 || n > CWMP_LABEL_LEN) {
        return NGX_ERROR;
    }

    first = cwmp_label_char(p[0]);
    second = cwmp_label_char(p[1]);

    if (first == NGX_ERROR || second == NGX_ERROR) {
        return NGX_ERROR;
    }

    ngx_memcpy(text, p, n);

    if ((first << 3 | second >> 2) & CWMP_LABEL_TWO) {

        if (dot == NULL || n != CWMP_LABEL_LEN) {
            return NGX_ERROR;
        }

        p = dot + 1;
        rest = name->data + name->len - p;
        dot = memchr(p, '.', rest);
        rest = dot ? (size_t) (dot - p) : rest;

        if (rest == 0 || rest > CWMP_LABEL_LEN) {
            return NGX_ERROR;
        }

        ngx_memcpy(text + n, p, rest);
        n += rest;
    }

    return cwmp_label_chars(dst, len, text, n);
}


/* bits that are left must be zero, so that there is one spelling */

static ngx_int_t
cwmp_label_chars(u_char *dst, size_t *len, u_char *src, size_t n)
{
    u_char     *p;
    uint32_t    bits;
    ngx_int_t   value;
    ngx_uint_t  have;

    p = dst;
    bits = 0;
    have = 0;

    while (n--) {
        value = cwmp_label_char(*src++);

        if (value == NGX_ERROR) {
            return NGX_ERROR;
        }

        bits = bits << 5 | (uint32_t) value;
        have += 5;

        if (have >= 8) {
            have -= 8;
            *p++ = (u_char) (bits >> have);
        }
    }

    if (have >= 5 || (bits & ((1 << have) - 1))) {
        return NGX_ERROR;
    }

    *len = p - dst;

    return (*len > 3) ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
cwmp_label_char(u_char ch)
{
    u_char  lower;

    lower = (u_char) (ch | 0x20);

    if (lower >= 'a' && lower <= 'z') {
        return lower - 'a';
    }

    if (ch >= '2' && ch <= '7') {
        return ch - '2' + 26;
    }

    return NGX_ERROR;
}
