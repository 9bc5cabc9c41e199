
/*
 * Fieldgate: "cwmp_affinity" with a cookie: a session that comes back to
 * another node, which knows nothing of it, has its server with it.
 */


#include "ngx_http_cwmp_pin.h"
#include "cwmp_cookie.h"
#include "cwmp_ticket.h"


static ngx_int_t ngx_http_cwmp_ticket_take(ngx_http_request_t *r,
    ngx_table_elt_t *h);
static ngx_int_t ngx_http_cwmp_ticket_take_one(ngx_http_request_t *r,
    ngx_table_elt_t *h, ngx_http_cwmp_srv_conf_t *cscf);
static void ngx_http_cwmp_ticket_hide(ngx_table_elt_t *h);
static ngx_str_t *ngx_http_cwmp_ticket_value(ngx_http_request_t *r,
    ngx_http_cwmp_srv_conf_t *cscf);
static ngx_int_t ngx_http_cwmp_ticket_give(ngx_http_request_t *r,
    ngx_http_cwmp_pin_t *pin, cwmp_ticket_t *t, uint32_t expires);
static ngx_int_t ngx_http_cwmp_ticket_cookie(ngx_http_request_t *r,
    ngx_str_t *value);

#define ngx_http_cwmp_ticket_life(cscf)                                       \
    (uint32_t) (((cscf)->timeout + 999) / 1000)


ngx_int_t
ngx_http_cwmp_ticket_handler(ngx_http_request_t *r)
{
    ngx_http_cwmp_main_conf_t   *cmcf;
#if (nginx_version >= 1023000)
    ngx_table_elt_t            **h;
#else
    ngx_uint_t                   i, n;
    ngx_table_elt_t            **h;
#endif

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_cwmp_module);

    if (cmcf->cookie.line == 0) {
        return NGX_OK;
    }

#if (nginx_version >= 1023000)

    for (h = &r->headers_in.cookie; *h; /* void */ ) {

        if (ngx_http_cwmp_ticket_take(r, *h) != NGX_OK) {
            return NGX_ERROR;
        }

        if ((*h)->value.len) {
            h = &(*h)->next;

        } else {
            *h = (*h)->next;
        }
    }

#else

    h = r->headers_in.cookies.elts;
    n = 0;

    for (i = 0; i < r->headers_in.cookies.nelts; i++) {

        if (ngx_http_cwmp_ticket_take(r, h[i]) != NGX_OK) {
            return NGX_ERROR;
        }

        if (h[i]->value.len) {
            h[n++] = h[i];
        }
    }

    r->headers_in.cookies.nelts = n;

#endif

    return NGX_OK;
}


static ngx_int_t
ngx_http_cwmp_ticket_take(ngx_http_request_t *r, ngx_table_elt_t *h)
{
    ngx_uint_t                   i;
    ngx_http_cwmp_srv_conf_t   **cscf;
    ngx_http_cwmp_main_conf_t   *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_cwmp_module);
    cscf = cmcf->upstreams.elts;

    for (i = 0; i < cmcf->upstreams.nelts; i++) {

        if (cscf[i]->cookie.len
            && h->value.len
            && ngx_strnstr(h->value.data, (char *) cscf[i]->cookie.data,
                           h->value.len)
            && ngx_http_cwmp_ticket_take_one(r, h, cscf[i]) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* upstreams with a cookie of the same name share it */

static ngx_int_t
ngx_http_cwmp_ticket_take_one(ngx_http_request_t *r, ngx_table_elt_t *h,
    ngx_http_cwmp_srv_conf_t *cscf)
{
    size_t                       len;
    u_char                      *p;
    ngx_str_t                    value;
    ngx_uint_t                   i;
    ngx_http_cwmp_ctx_t         *ctx;
    ngx_http_cwmp_srv_conf_t   **other;
    ngx_http_cwmp_main_conf_t   *cmcf;

    p = ngx_pnalloc(r->pool, h->value.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    if (cwmp_cookie_take(&h->value, &cscf->cookie, &value, p, &len)
        != NGX_OK)
    {
        return NGX_OK;
    }

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_cwmp_module);

    ctx = ngx_http_cwmp_get_ctx(r);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    if (ctx->tickets == NULL) {
        ctx->tickets = ngx_pcalloc(r->pool, cmcf->upstreams.nelts
                                            * sizeof(ngx_str_t));
        if (ctx->tickets == NULL) {
            return NGX_ERROR;
        }
    }

    other = cmcf->upstreams.elts;

    for (i = 0; i < cmcf->upstreams.nelts; i++) {

        /* of several the first, as within one header */

        if (ctx->tickets[i].data == NULL
            && other[i]->cookie.len == cscf->cookie.len
            && ngx_memcmp(other[i]->cookie.data, cscf->cookie.data,
                          cscf->cookie.len)
               == 0)
        {
            ctx->tickets[i] = value;
        }
    }

    h->value.data = p;
    h->value.len = len;

    if (len == 0) {
        ngx_http_cwmp_ticket_hide(h);
    }

    return NGX_OK;
}


/*
 * A header field cannot be taken out of nginx's list, but it can become one
 * that nginx passes to no upstream by itself.
 */

static void
ngx_http_cwmp_ticket_hide(ngx_table_elt_t *h)
{
    ngx_str_set(&h->key, "Keep-Alive");
    h->lowcase_key = (u_char *) "keep-alive";
    h->hash = ngx_hash_key(h->lowcase_key, h->key.len);
}


/* what came in the request for the upstream, or NULL */

static ngx_str_t *
ngx_http_cwmp_ticket_value(ngx_http_request_t *r,
    ngx_http_cwmp_srv_conf_t *cscf)
{
    ngx_http_cwmp_ctx_t  *ctx;

    ctx = ngx_http_cwmp_find_ctx(r);

    if (cscf->cookie.len == 0 || ctx == NULL || ctx->tickets == NULL
        || ctx->tickets[cscf->index].data == NULL)
    {
        return NULL;
    }

    return &ctx->tickets[cscf->index];
}


ngx_int_t
ngx_http_cwmp_ticket_server(ngx_http_request_t *r,
    ngx_http_upstream_srv_conf_t *us, ngx_http_upstream_rr_peers_t *peers,
    cwmp_server_t *server)
{
    uint32_t                      expires;
    ngx_int_t                     rc;
    ngx_str_t                    *value, *sid;
    cwmp_ticket_t                 t;
    ngx_http_cwmp_loc_conf_t     *clcf;
    ngx_http_cwmp_srv_conf_t     *cscf;
    ngx_http_upstream_rr_peer_t  *peer;

    cscf = ngx_http_conf_upstream_srv_conf(us, ngx_http_cwmp_module);
    clcf = ngx_http_get_module_loc_conf(r, ngx_http_cwmp_module);

    value = ngx_http_cwmp_ticket_value(r, cscf);

    if (value == NULL || clcf->keys == NULL
        || cwmp_ticket_fresh(value, (uint32_t) ngx_time(),
                             ngx_http_cwmp_ticket_life(cscf), &expires)
           != NGX_OK)
    {
        return NGX_DECLINED;
    }

    t.upstream = us->host;
    sid = NULL;
    rc = NGX_DECLINED;

    for ( /* void */ ; peers && rc != NGX_OK; peers = peers->next) {

        ngx_http_upstream_rr_peers_rlock(peers);

        for (peer = peers->peer; peer; peer = peer->next) {

            t.server = peer->name;

            rc = cwmp_ticket_is(&t, clcf->keys->elts, clcf->keys->nelts,
                                value);

            if (rc == NGX_OK) {
#if (NGX_HTTP_UPSTREAM_SID)
                sid = &peer->sid;
#endif
                cwmp_server_set(server, (u_char *) peer->sockaddr,
                                peer->socklen, sid);
                break;
            }
        }

        ngx_http_upstream_rr_peers_unlock(peers);
    }

    return rc;
}


ngx_int_t
ngx_http_cwmp_ticket_header(ngx_http_request_t *r, ngx_http_cwmp_pin_t *pin,
    ngx_uint_t over)
{
    uint32_t                   now, life, expires;
    ngx_str_t                 *value, taken;
    cwmp_ticket_t              t;
    ngx_http_cwmp_loc_conf_t  *clcf;
    ngx_http_cwmp_srv_conf_t  *cscf;

    cscf = ngx_http_conf_upstream_srv_conf(pin->upstream,
                                           ngx_http_cwmp_module);
    clcf = ngx_http_get_module_loc_conf(r, ngx_http_cwmp_module);

    if (cscf->cookie.len == 0 || clcf->keys == NULL) {
        return NGX_OK;
    }

    value = ngx_http_cwmp_ticket_value(r, cscf);

    if (over) {

        if (value == NULL) {
            return NGX_OK;
        }

        ngx_str_set(&taken, "; Max-Age=0");

        return ngx_http_cwmp_ticket_cookie(r, &taken);
    }

    now = (uint32_t) ngx_time();
    life = ngx_http_cwmp_ticket_life(cscf);

    t.upstream = pin->upstream->host;
    t.server = pin->name;

    if (pin->ticket == 0
        && value
        && cwmp_ticket_fresh(value, now, life, &expires) == NGX_OK
        && cwmp_ticket_is(&t, clcf->keys->elts, clcf->keys->nelts, value)
           == NGX_OK)
    {
        pin->ticket = expires;
    }

    if (pin->ticket && (int32_t) (pin->ticket - now) > (int32_t) (life / 2)) {
        return NGX_OK;
    }

    return ngx_http_cwmp_ticket_give(r, pin, &t, now + life);
}


static ngx_int_t
ngx_http_cwmp_ticket_give(ngx_http_request_t *r, ngx_http_cwmp_pin_t *pin,
    cwmp_ticket_t *t, uint32_t expires)
{
    u_char                     buf[CWMP_TICKET_LEN];
    ngx_str_t                  value;
    ngx_http_cwmp_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_cwmp_module);

    if (cwmp_ticket_write(t, clcf->keys->elts, expires, buf) != NGX_OK) {
        return NGX_ERROR;
    }

    value.data = buf;
    value.len = CWMP_TICKET_LEN;

    pin->ticket = expires;

    return ngx_http_cwmp_ticket_cookie(r, &value);
}


/* a session's cookie, as long as the CPE keeps it, for the ACS's own path */

static ngx_int_t
ngx_http_cwmp_ticket_cookie(ngx_http_request_t *r, ngx_str_t *value)
{
    ngx_str_t                  text;
    ngx_table_elt_t           *h;
    ngx_http_cwmp_srv_conf_t  *cscf;

    cscf = ngx_http_conf_upstream_srv_conf(r->upstream->upstream,
                                           ngx_http_cwmp_module);

    text.data = ngx_pnalloc(r->pool, cscf->cookie.len + 1 + value->len);
    h = ngx_list_push(&r->headers_out.headers);

    if (text.data == NULL || h == NULL) {
        return NGX_ERROR;
    }

    text.len = ngx_sprintf(text.data, "%V=%V", &cscf->cookie, value)
               - text.data;

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    ngx_str_set(&h->key, "Set-Cookie");
    h->value = text;

    return NGX_OK;
}
