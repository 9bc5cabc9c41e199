
/*
 * Fieldgate: what is sent to a CPE.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <openssl/rand.h>

#include "ngx_http_cwmp_call.h"


static ngx_int_t ngx_http_cwmp_request_authorization(
    ngx_http_cwmp_call_t *call, cwmp_exchange_action_e action,
    ngx_str_t *header);
static u_char *ngx_http_cwmp_request_digest(ngx_http_cwmp_call_t *call,
    ngx_str_t *header);


/*
 * No more of a header than is needed, since some CPEs have little room for
 * one: netcwmp reads 511 bytes of Authorization.
 */

ngx_int_t
ngx_http_cwmp_request_create(ngx_http_cwmp_call_t *call,
    cwmp_exchange_action_e action)
{
    size_t     len;
    ngx_str_t  header;

    if (ngx_http_cwmp_request_authorization(call, action, &header) != NGX_OK) {
        return NGX_ERROR;
    }

    len = sizeof("HEAD  HTTP/1.1" CRLF "Host: " CRLF
                 "Connection: keep-alive" CRLF CRLF) - 1
          + call->origin.target.len + call->origin.host_header.len
          + header.len;

    call->request.data = ngx_pnalloc(call->pool, len);
    if (call->request.data == NULL) {
        return NGX_ERROR;
    }

    call->request.len = ngx_sprintf(call->request.data,
                                    "%s %V HTTP/1.1" CRLF
                                    "Host: %V" CRLF
                                    "Connection: keep-alive" CRLF
                                    "%V" CRLF,
                                    call->head ? "HEAD" : "GET",
                                    &call->origin.target,
                                    &call->origin.host_header, &header)
                        - call->request.data;

    return NGX_OK;
}


/* the whole line, or none */

static ngx_int_t
ngx_http_cwmp_request_authorization(ngx_http_cwmp_call_t *call,
    cwmp_exchange_action_e action, ngx_str_t *header)
{
    u_char  *p;
    size_t   len;

    ngx_str_set(header, "");

    switch (action) {

    case CWMP_EXCHANGE_SEND_DIGEST:
        p = ngx_http_cwmp_request_digest(call, header);
        break;

    case CWMP_EXCHANGE_SEND_BASIC:
        header->data = ngx_pnalloc(call->pool,
                                   cwmp_basic_size(&call->credentials));
        if (header->data == NULL) {
            return NGX_ERROR;
        }

        p = cwmp_basic_header(header->data, &call->credentials);
        break;

    case CWMP_EXCHANGE_SEND_RELAY:
        if (call->authorization.len == 0) {
            return NGX_OK;
        }

        len = sizeof("Authorization: " CRLF) - 1 + call->authorization.len;

        header->data = ngx_pnalloc(call->pool, len);
        if (header->data == NULL) {
            return NGX_ERROR;
        }

        p = ngx_sprintf(header->data, "Authorization: %V" CRLF,
                        &call->authorization);
        break;

    default: /* CWMP_EXCHANGE_SEND_PLAIN */
        return NGX_OK;
    }

    if (p == NULL) {
        return NGX_ERROR;
    }

    header->len = p - header->data;

    return NGX_OK;
}


static u_char *
ngx_http_cwmp_request_digest(ngx_http_cwmp_call_t *call, ngx_str_t *header)
{
    u_char            random[CWMP_DIGEST_CNONCE_LEN / 2];
    u_char            hex[CWMP_DIGEST_CNONCE_LEN];
    cwmp_digest_t     d;
    cwmp_exchange_t  *x;

    if (RAND_bytes(random, sizeof(random)) != 1) {
        return NULL;
    }

    ngx_hex_dump(hex, random, sizeof(random));

    d.credentials = call->credentials;
    ngx_str_set(&d.method, "GET");
    d.uri = call->origin.target;
    d.cnonce.data = hex;
    d.cnonce.len = CWMP_DIGEST_CNONCE_LEN;

    x = &call->exchange;

    if (x->known && !x->fresh) {
        ngx_http_cwmp_count(call->zone, NONCES_REUSED);
        d.nc = ngx_http_cwmp_nonce_count(call);

    } else {
        d.nc = ++call->nc;
    }

    header->data = ngx_pnalloc(call->pool, cwmp_digest_size(&x->used, &d));
    if (header->data == NULL) {
        return NULL;
    }

    return cwmp_digest_header(header->data, &x->used, &d);
}
