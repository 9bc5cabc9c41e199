
/*
 * Fieldgate: UDP connection requests.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <openssl/evp.h>

#include "cwmp_udp.h"


#define CWMP_UDP_SHA1     20

/* the beginning of 2026, from which ids count quarters of a second */
#define CWMP_UDP_EPOCH    1767225600
#define CWMP_UDP_ID_MAX   0x7fffffff


static u_char *cwmp_udp_escape(u_char *p, ngx_str_t *user);
static ngx_int_t cwmp_udp_sign(u_char *md, cwmp_udp_stamp_t *stamp,
    cwmp_credentials_t *c, u_char *cn);


static ngx_msec_t  cwmp_udp_times[CWMP_UDP_COPIES] = { 0, 300, 800 };


void
cwmp_udp_next(cwmp_udp_stamp_t *stamp, time_t sec, ngx_uint_t msec)
{
    uint32_t  ts, id;

    ts = (uint32_t) sec;
    id = (uint32_t) ((sec - CWMP_UDP_EPOCH) * 4 + msec / 250)
         & CWMP_UDP_ID_MAX;

    stamp->ts = ngx_max(ts, stamp->ts);

    id = ngx_max(id, stamp->id + 1);

    stamp->id = (id > CWMP_UDP_ID_MAX) ? 1 : id;
}


ngx_msec_t
cwmp_udp_due(ngx_uint_t n)
{
    return cwmp_udp_times[n];
}


size_t
cwmp_udp_size(ngx_str_t *hostport, cwmp_credentials_t *c)
{
    return sizeof("GET http://?ts=&id=&un=&cn=&sig= HTTP/1.1" CRLF
                  "Host: " CRLF CRLF) - 1
           + 2 * hostport->len + 2 * NGX_INT32_LEN + 3 * c->user.len
           + CWMP_UDP_CNONCE_LEN + 2 * CWMP_UDP_SHA1;
}


u_char *
cwmp_udp_request(u_char *p, ngx_str_t *hostport, cwmp_udp_stamp_t *stamp,
    cwmp_credentials_t *c, u_char *cn)
{
    u_char  md[CWMP_UDP_SHA1];

    if (cwmp_udp_sign(md, stamp, c, cn) != NGX_OK) {
        return NULL;
    }

    p = ngx_sprintf(p, "GET http://%V?ts=%uD&id=%uD&un=", hostport,
                    stamp->ts, stamp->id);
    p = cwmp_udp_escape(p, &c->user);
    p = ngx_cpymem(p, "&cn=", 4);
    p = ngx_cpymem(p, cn, CWMP_UDP_CNONCE_LEN);
    p = ngx_cpymem(p, "&sig=", 5);
    p = ngx_hex_dump(p, md, CWMP_UDP_SHA1);

    return ngx_sprintf(p, " HTTP/1.1" CRLF "Host: %V" CRLF CRLF, hostport);
}


static u_char *
cwmp_udp_escape(u_char *p, ngx_str_t *user)
{
    size_t  i;
    u_char  ch;

    for (i = 0; i < user->len; i++) {
        ch = user->data[i];

        if (ch <= ' ' || ch == '&' || ch == '#' || ch == '%' || ch >= 0x7f) {
            p = ngx_sprintf(p, "%%%02Xi", (ngx_int_t) ch);

        } else {
            *p++ = ch;
        }
    }

    return p;
}


static ngx_int_t
cwmp_udp_sign(u_char *md, cwmp_udp_stamp_t *stamp, cwmp_credentials_t *c,
    u_char *cn)
{
    u_char        *p, text[2 * NGX_INT32_LEN];
    EVP_PKEY      *key;
    ngx_int_t      rc;
    size_t         len;
    EVP_MD_CTX    *ctx;

    p = ngx_sprintf(text, "%uD%uD", stamp->ts, stamp->id);

    len = CWMP_UDP_SHA1;
    rc = NGX_ERROR;

    ctx = EVP_MD_CTX_new();
    key = EVP_PKEY_new_raw_private_key(EVP_PKEY_HMAC, NULL,
                                       c->password.len
                                       ? c->password.data : (u_char *) "",
                                       c->password.len);

    if (ctx && key
        && EVP_DigestSignInit(ctx, NULL, EVP_sha1(), NULL, key) == 1
        && EVP_DigestSignUpdate(ctx, text, p - text) == 1
        && (c->user.len == 0
            || EVP_DigestSignUpdate(ctx, c->user.data, c->user.len) == 1)
        && EVP_DigestSignUpdate(ctx, cn, CWMP_UDP_CNONCE_LEN) == 1
        && EVP_DigestSignFinal(ctx, md, &len) == 1)
    {
        rc = NGX_OK;
    }

    EVP_PKEY_free(key);
    EVP_MD_CTX_free(ctx);

    return rc;
}
