
/*
 * Fieldgate: the host and port of an origin.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_host.h"


static ngx_int_t cwmp_host_ipv6(cwmp_origin_t *o, u_char *p, u_char *last,
    u_char **buf);
static ngx_int_t cwmp_host_name(cwmp_origin_t *o, u_char *p, u_char *last,
    u_char **buf);
static ngx_uint_t cwmp_host_has_leading_zero(u_char *p, u_char *last);
static ngx_uint_t cwmp_host_is_number(u_char *p, u_char *last);
static ngx_int_t cwmp_host_port(cwmp_origin_t *o, u_char *p, u_char *last);
static void cwmp_host_print(cwmp_origin_t *o, u_char **buf);


ngx_int_t
cwmp_host_parse(cwmp_origin_t *o, u_char *p, u_char *last, u_char **buf)
{
    u_char     *colon;
    ngx_int_t   rc;

    if (memchr(p, '@', last - p)) {
        return CWMP_ORIGIN_USERINFO;
    }

    if (p == last || *p == ':') {
        return CWMP_ORIGIN_NO_HOST;
    }

    if (*p == '[') {
        colon = memchr(p, ']', last - p);
        if (colon == NULL) {
            return CWMP_ORIGIN_BAD_IPV6;
        }

        rc = cwmp_host_ipv6(o, p + 1, colon, buf);
        colon++;

        if (rc == NGX_OK && colon < last && *colon != ':') {
            return CWMP_ORIGIN_BAD_IPV6;
        }

    } else {
        colon = memchr(p, ':', last - p);

        if (colon == NULL) {
            colon = last;

        } else if (memchr(colon + 1, ':', last - colon - 1)) {
            return CWMP_ORIGIN_BAD_IPV6;
        }

        rc = cwmp_host_name(o, p, colon, buf);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    rc = cwmp_host_port(o, colon, last);
    if (rc != NGX_OK) {
        return rc;
    }

    cwmp_host_print(o, buf);

    return NGX_OK;
}


static ngx_int_t
cwmp_host_ipv6(cwmp_origin_t *o, u_char *p, u_char *last, u_char **buf)
{
    void             *addr;
    char              text[INET6_ADDRSTRLEN];
    struct in6_addr   in6;

    if (memchr(p, '%', last - p)) {
        return CWMP_ORIGIN_ZONE;
    }

    if (last - p >= (ssize_t) sizeof(text)) {
        return CWMP_ORIGIN_BAD_IPV6;
    }

    ngx_memcpy(text, p, last - p);
    text[last - p] = '\0';

    if (inet_pton(AF_INET6, text, &in6) != 1) {
        return CWMP_ORIGIN_BAD_IPV6;
    }

    if (IN6_IS_ADDR_V4MAPPED(&in6)) {
        o->sockaddr.sockaddr_in.sin_family = AF_INET;
        o->socklen = sizeof(struct sockaddr_in);

        addr = &o->sockaddr.sockaddr_in.sin_addr;
        ngx_memcpy(addr, &in6.s6_addr[12], 4);

    } else {
#if (NGX_HAVE_INET6)
        o->sockaddr.sockaddr_in6.sin6_family = AF_INET6;
        o->socklen = sizeof(struct sockaddr_in6);

        addr = &o->sockaddr.sockaddr_in6.sin6_addr;
        ngx_memcpy(addr, &in6, 16);
#else
        return CWMP_ORIGIN_BAD_IPV6;
#endif
    }

    o->host.data = *buf;
    (void) inet_ntop(o->sockaddr.sockaddr.sa_family, addr, (char *) *buf,
                     INET6_ADDRSTRLEN);
    o->host.len = strlen((char *) *buf);
    *buf += o->host.len;

    return NGX_OK;
}


/* some inet_pton() take 010 for 10, and others for 8 */

static ngx_uint_t
cwmp_host_has_leading_zero(u_char *p, u_char *last)
{
    u_char  prev;

    for (prev = '.'; p + 1 < last; prev = *p++) {
        if (prev == '.' && p[0] == '0' && p[1] != '.') {
            return 1;
        }
    }

    return 0;
}


/*
 * A dotted quad or a name.  Resolvers and URL parsers read 127.1, 0177.0.0.1,
 * 2130706433 and 0x7f000001 as addresses, each in its own way, so whatever
 * looks like a number is either a canonical dotted quad or refused.
 */

static ngx_int_t
cwmp_host_name(cwmp_origin_t *o, u_char *p, u_char *last, u_char **buf)
{
    u_char  *label, *dst;
    size_t   len;

    if (cwmp_host_is_number(p, last)) {
        len = last - p;
        if (len >= INET_ADDRSTRLEN) {
            return CWMP_ORIGIN_BAD_NUMBER;
        }

        ngx_memcpy(*buf, p, len);
        (*buf)[len] = '\0';

        if (inet_pton(AF_INET, (char *) *buf,
                      &o->sockaddr.sockaddr_in.sin_addr)
            != 1
            || cwmp_host_has_leading_zero(p, last))
        {
            return CWMP_ORIGIN_BAD_NUMBER;
        }

        o->sockaddr.sockaddr_in.sin_family = AF_INET;
        o->socklen = sizeof(struct sockaddr_in);
        o->host.data = *buf;
        o->host.len = len;
        *buf += len;

        return NGX_OK;
    }

    if (last[-1] == '.') {
        last--;
    }

    if (last - p > 253) {
        return CWMP_ORIGIN_BAD_HOST;
    }

    dst = *buf;
    label = p;

    for ( /* void */ ; p < last; p++) {

        if (*p == '.') {
            if (p == label || last - p == 1) {
                return CWMP_ORIGIN_BAD_HOST;
            }

            label = p + 1;

        } else if (!isalnum(*p) && *p != '-' && *p != '_') {
            return CWMP_ORIGIN_BAD_HOST;

        } else if (p - label == 63) {
            return CWMP_ORIGIN_BAD_HOST;
        }

        *dst++ = ngx_tolower(*p);
    }

    o->host.data = *buf;
    o->host.len = dst - *buf;
    *buf = dst;

    if (o->host.len == 0) {
        return CWMP_ORIGIN_BAD_HOST;
    }

    return NGX_OK;
}


/* "0x..." anywhere at the front, or a last label that is a number */

static ngx_uint_t
cwmp_host_is_number(u_char *p, u_char *last)
{
    u_char  *label;

    if (last - p >= 2 && p[0] == '0' && (p[1] | 0x20) == 'x') {
        return 1;
    }

    if (last - p > 1 && last[-1] == '.') {
        last--;
    }

    for (label = last; label > p && label[-1] != '.'; label--) {
        /* void */
    }

    if (label == last) {
        return 0;
    }

    if (last - label >= 2 && label[0] == '0' && (label[1] | 0x20) == 'x') {

        for (label += 2; label < last; label++) {
            if (!isxdigit(*label)) {
                return 0;
            }
        }

        return 1;
    }

    for ( /* void */ ; label < last; label++) {
        if (*label < '0' || *label > '9') {
            return 0;
        }
    }

    return 1;
}


static ngx_int_t
cwmp_host_port(cwmp_origin_t *o, u_char *p, u_char *last)
{
    ngx_int_t  port;

    port = 80;

    if (p < last) {
        p++;    /* ":" */

        if (p == last || *p == '0') {
            return CWMP_ORIGIN_BAD_PORT;
        }

        port = ngx_atoi(p, last - p);

        if (port == NGX_ERROR || port > 65535) {
            return CWMP_ORIGIN_BAD_PORT;
        }
    }

    o->port = port;

    if (o->socklen) {
        ngx_inet_set_port(&o->sockaddr.sockaddr, (in_port_t) port);
    }

    return NGX_OK;
}


/* hostport, and host_header as the front of it or all of it */

static void
cwmp_host_print(cwmp_origin_t *o, u_char **buf)
{
    u_char      *p;
    ngx_uint_t   inet6;

    p = *buf;
    inet6 = (o->socklen == sizeof(struct sockaddr_in6));

    o->hostport.data = p;
    o->host_header.data = p;

    p = ngx_sprintf(p, inet6 ? "[%V]" : "%V", &o->host);
    o->host_header.len = p - o->host_header.data;

    p = ngx_sprintf(p, ":%ui", o->port);
    o->hostport.len = p - o->hostport.data;

    if (o->port != 80) {
        o->host_header = o->hostport;
    }

    *buf = p;
}
