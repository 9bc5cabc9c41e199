
/*
 * Fieldgate: tickets: which server a session is at.
 */


#include "cwmp_ticket.h"


static void cwmp_ticket_parts(cwmp_ticket_t *t, u_char *expires,
    ngx_str_t *parts);


ngx_int_t
cwmp_ticket_write(cwmp_ticket_t *t, cwmp_sign_key_t *key, uint32_t expires,
    u_char *dst)
{
    ngx_str_t  parts[3];

    (void) ngx_sprintf(dst, "%08xD", expires);

    cwmp_ticket_parts(t, dst, parts);

    return cwmp_sign_parts(key, CWMP_SIGN_SERVER, parts, 3, dst + 8);
}


ngx_int_t
cwmp_ticket_fresh(ngx_str_t *value, uint32_t now, uint32_t life,
    uint32_t *expires)
{
    ngx_int_t  n;

    if (value->len != CWMP_TICKET_LEN) {
        return NGX_DECLINED;
    }

    n = ngx_hextoi(value->data, 8);

    if (n == NGX_ERROR) {
        return NGX_DECLINED;
    }

    *expires = (uint32_t) n;

    return ((uint32_t) (*expires - now) <= life + CWMP_TICKET_SKEW)
           ? NGX_OK : NGX_DECLINED;
}


ngx_int_t
cwmp_ticket_is(cwmp_ticket_t *t, cwmp_sign_key_t *keys, ngx_uint_t nkeys,
    ngx_str_t *value)
{
    ngx_str_t  parts[3], sig;

    if (value->len != CWMP_TICKET_LEN) {
        return NGX_DECLINED;
    }

    cwmp_ticket_parts(t, value->data, parts);

    sig.data = value->data + 8;
    sig.len = CWMP_SIGN_LEN;

    return cwmp_sign_verify_parts(keys, nkeys, CWMP_SIGN_SERVER, parts, 3,
                                  &sig);
}


static void
cwmp_ticket_parts(cwmp_ticket_t *t, u_char *expires, ngx_str_t *parts)
{
    parts[0] = t->upstream;
    parts[1] = t->server;
    parts[2].data = expires;
    parts[2].len = 8;
}
