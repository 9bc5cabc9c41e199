
/*
 * Fieldgate: what is sent to a CPE.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <openssl/rand.h>

#include "ngx_http_cwmp_call.h"


static ngx_int_t ngx_http_cwmp_request_digest(ngx_http_cwmp_call_t *call,
    cwmp_digest_t *d, u_char *hex);


/*
 * No more of a header than is needed, since some CPEs have little room for
 * one: netcwmp reads 511 bytes of Authorization.
 */

ngx_int_t
ngx_http_cwmp_request_create(ngx_http_cwmp_call_t *call,
    cwmp_exchange_action_e action)
{
    u_char         *p, hex[CWMP_DIGEST_CNONCE_LEN];
    size_t          len;
    cwmp_digest_t   d;

    len = sizeof("HEAD ") - 1 + call->origin.target.len
          + sizeof(" HTTP/1.1" CRLF "Host: " CRLF) - 1
          + call->origin.host_header.len
          + sizeof("Connection: keep-alive" CRLF CRLF) - 1;

    switch (action) {

    case CWMP_EXCHANGE_SEND_DIGEST:
        if (ngx_http_cwmp_request_digest(call, &d, hex) != NGX_OK) {
            return NGX_ERROR;
        }

        len += cwmp_digest_size(&call->exchange.used, &d);
        break;

    case CWMP_EXCHANGE_SEND_BASIC:
        len += cwmp_basic_size(&call->credentials);
        break;

    case CWMP_EXCHANGE_SEND_RELAY:
        len += sizeof("Authorization: " CRLF) - 1 + call->authorization.len;
        break;

    default: /* CWMP_EXCHANGE_SEND_PLAIN */
        break;
    }

    call->request.data = ngx_pnalloc(call->pool, len);
    if (call->request.data == NULL) {
        return NGX_ERROR;
    }

    p = ngx_sprintf(call->request.data,
                    "%s %V HTTP/1.1" CRLF
                    "Host: %V" CRLF
                    "Connection: keep-alive" CRLF,
                    call->head ? "HEAD" : "GET",
                    &call->origin.target, &call->origin.host_header);

    switch (action) {

    case CWMP_EXCHANGE_SEND_DIGEST:
        p = cwmp_digest_header(p, &call->exchange.used, &d);
        if (p == NULL) {
            return NGX_ERROR;
        }

        break;

    case CWMP_EXCHANGE_SEND_BASIC:
        p = cwmp_basic_header(p, &call->credentials);
        break;

    case CWMP_EXCHANGE_SEND_RELAY:
        if (call->authorization.len) {
            p = ngx_sprintf(p, "Authorization: %V" CRLF, &call->authorization);
        }

        break;

    default: /* CWMP_EXCHANGE_SEND_PLAIN */
        break;
    }

    *p++ = CR; *p++ = LF;

    call->request.len = p - call->request.data;

    return NGX_OK;
}


static ngx_int_t
ngx_http_cwmp_request_digest(ngx_http_cwmp_call_t *call, cwmp_digest_t *d,
    u_char *hex)
{
    u_char  random[CWMP_DIGEST_CNONCE_LEN / 2];

    if (RAND_bytes(random, sizeof(random)) != 1) {
        return NGX_ERROR;
    }

    ngx_hex_dump(hex, random, sizeof(random));

    d->credentials = call->credentials;
    ngx_str_set(&d->method, "GET");
    d->uri = call->origin.target;
    d->cnonce.data = hex;
    d->cnonce.len = CWMP_DIGEST_CNONCE_LEN;

    if (call->exchange.known && !call->exchange.fresh) {
        ngx_http_cwmp_count(call->zone, NONCES_REUSED);
        d->nc = ngx_http_cwmp_nonce_count(call);

    } else {
        d->nc = ++call->nc;
    }

    return NGX_OK;
}
