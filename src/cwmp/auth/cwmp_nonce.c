
/*
 * Fieldgate: nonces of challenges that nginx makes itself.
 */


#include "cwmp_nonce.h"


static ngx_int_t cwmp_nonce_number(u_char *p, uint32_t *n);


ngx_int_t
cwmp_nonce_write(cwmp_nonce_t *n, cwmp_sign_key_t *key, u_char *dst)
{
    ngx_str_t  part;

    part.data = dst;
    part.len = ngx_sprintf(dst, "%08xD%08xD", n->time, n->serial) - dst;

    return cwmp_sign_parts(key, CWMP_SIGN_NONCE, &part, 1, dst + part.len);
}


ngx_int_t
cwmp_nonce_read(cwmp_nonce_t *n, cwmp_sign_key_t *keys, ngx_uint_t nkeys,
    ngx_str_t *text)
{
    ngx_int_t  rc;
    ngx_str_t  part, sig;

    if (text->len != CWMP_NONCE_LEN) {
        return NGX_DECLINED;
    }

    part.data = text->data;
    part.len = CWMP_NONCE_LEN - CWMP_SIGN_LEN;

    sig.data = text->data + part.len;
    sig.len = CWMP_SIGN_LEN;

    rc = cwmp_sign_verify_parts(keys, nkeys, CWMP_SIGN_NONCE, &part, 1, &sig);

    if (rc != NGX_OK) {
        return rc;
    }

    if (cwmp_nonce_number(part.data, &n->time) != NGX_OK
        || cwmp_nonce_number(part.data + 8, &n->serial) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static ngx_int_t
cwmp_nonce_number(u_char *p, uint32_t *n)
{
    ngx_int_t  value;

    value = ngx_hextoi(p, 8);

    if (value == NGX_ERROR) {
        return NGX_ERROR;
    }

    *n = (uint32_t) value;

    return NGX_OK;
}


ngx_uint_t
cwmp_nonce_fresh(cwmp_nonce_t *n, uint32_t now, uint32_t life)
{
    return (uint32_t) (now - n->time) <= life;
}
