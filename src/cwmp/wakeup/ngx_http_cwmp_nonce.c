
/*
 * Fieldgate: challenges of CPEs that are known from an earlier call, so that
 * the next one needs a single round trip.  Their counts go up across all
 * workers.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_call.h"


/* a nonce that has grown too old costs what an unknown one does */

#define NGX_HTTP_CWMP_NONCE_LIFE  3600000


typedef u_char  ngx_http_cwmp_nonce_fits_t[
    sizeof(ngx_http_cwmp_nonce_t) <= NGX_HTTP_CWMP_NONCE_SIZE ? 1 : -1];


static void ngx_http_cwmp_nonce_use(ngx_http_cwmp_nonce_t *n,
    cwmp_challenge_t *ch);
static u_char *ngx_http_cwmp_nonce_string(ngx_str_t *s, uint16_t len,
    u_char *p);
static u_char *ngx_http_cwmp_nonce_append(u_char *p, ngx_str_t *s);
static ngx_uint_t ngx_http_cwmp_nonce_same(ngx_http_cwmp_nonce_t *a,
    ngx_http_cwmp_nonce_t *b);


ngx_int_t
ngx_http_cwmp_nonce_get(ngx_http_cwmp_call_t *call)
{
    cwmp_table_t           *t;
    ngx_http_cwmp_nonce_t  *n;

    call->nonce = ngx_palloc(call->pool, sizeof(ngx_http_cwmp_nonce_t));
    if (call->nonce == NULL) {
        return NGX_ERROR;
    }

    call->nonce->nonce = 0;

    t = ngx_http_cwmp_zone_lock(call->zone, NGX_HTTP_CWMP_NONCES);

    n = cwmp_table_get(t, call->key, ngx_current_msec);

    if (n) {
        *call->nonce = *n;
    }

    ngx_http_cwmp_zone_unlock(call->zone, NGX_HTTP_CWMP_NONCES);

    if (n) {
        ngx_http_cwmp_nonce_use(call->nonce, &call->exchange.used);
        call->exchange.known = 1;
    }

    return NGX_OK;
}


static void
ngx_http_cwmp_nonce_use(ngx_http_cwmp_nonce_t *n, cwmp_challenge_t *ch)
{
    u_char  *p;

    ngx_memzero(ch, sizeof(cwmp_challenge_t));

    p = ngx_http_cwmp_nonce_string(&ch->realm, n->realm, n->text);
    p = ngx_http_cwmp_nonce_string(&ch->nonce, n->nonce, p);
    p = ngx_http_cwmp_nonce_string(&ch->opaque, n->opaque, p);
    (void) ngx_http_cwmp_nonce_string(&ch->algorithm, n->algorithm, p);

    ch->scheme = CWMP_AUTH_DIGEST;
    ch->hash = n->hash;
    ch->qop = n->qop;
    ch->sess = n->sess;
    ch->has_realm = n->has_realm;
    ch->has_opaque = n->has_opaque;
    ch->has_algorithm = n->has_algorithm;
    ch->has_qop = n->has_qop;
}


static u_char *
ngx_http_cwmp_nonce_string(ngx_str_t *s, uint16_t len, u_char *p)
{
    s->len = len;
    s->data = p;

    return p + len;
}


void
ngx_http_cwmp_nonce_copy(ngx_http_cwmp_call_t *call)
{
    u_char                 *p;
    cwmp_challenge_t       *ch;
    ngx_http_cwmp_nonce_t  *n;

    ch = &call->exchange.used;
    n = call->nonce;

    n->nonce = 0;
    call->nc = 0;

    if (ch->realm.len > NGX_HTTP_CWMP_NONCE_TEXT
        || ch->nonce.len > NGX_HTTP_CWMP_NONCE_TEXT
        || ch->opaque.len > NGX_HTTP_CWMP_NONCE_TEXT
        || ch->realm.len + ch->nonce.len + ch->opaque.len + ch->algorithm.len
           > NGX_HTTP_CWMP_NONCE_TEXT)
    {
        return;
    }

    p = ngx_http_cwmp_nonce_append(n->text, &ch->realm);
    p = ngx_http_cwmp_nonce_append(p, &ch->nonce);
    p = ngx_http_cwmp_nonce_append(p, &ch->opaque);
    (void) ngx_http_cwmp_nonce_append(p, &ch->algorithm);

    n->nc = 0;
    n->realm = ch->realm.len;
    n->nonce = ch->nonce.len;
    n->opaque = ch->opaque.len;
    n->algorithm = ch->algorithm.len;
    n->hash = ch->hash;
    n->qop = ch->qop;
    n->sess = ch->sess;
    n->has_realm = ch->has_realm;
    n->has_opaque = ch->has_opaque;
    n->has_algorithm = ch->has_algorithm;
    n->has_qop = ch->has_qop;
}


static u_char *
ngx_http_cwmp_nonce_append(u_char *p, ngx_str_t *s)
{
    return s->len ? ngx_cpymem(p, s->data, s->len) : p;
}


uint32_t
ngx_http_cwmp_nonce_count(ngx_http_cwmp_call_t *call)
{
    cwmp_table_t           *t;
    ngx_http_cwmp_nonce_t  *n;

    t = ngx_http_cwmp_zone_lock(call->zone, NGX_HTTP_CWMP_NONCES);

    n = cwmp_table_get(t, call->key, ngx_current_msec);

    if (n && ngx_http_cwmp_nonce_same(n, call->nonce)) {

        /*
         * One word, which is whole at any instant: the row is not opened,
         * since a worker killed here would needlessly take it along.
         */

        call->nonce->nc = ++n->nc;

    } else {
        call->nonce->nc++;
    }

    ngx_http_cwmp_zone_unlock(call->zone, NGX_HTTP_CWMP_NONCES);

    return call->nonce->nc;
}


void
ngx_http_cwmp_nonce_put(ngx_http_cwmp_call_t *call)
{
    ngx_msec_t              now;
    cwmp_table_t           *t;
    ngx_http_cwmp_nonce_t  *n;

    if (call->nonce->nonce == 0) {
        return;
    }

    call->nonce->nc = call->nc;
    now = ngx_current_msec;

    t = ngx_http_cwmp_zone_lock(call->zone, NGX_HTTP_CWMP_NONCES);

    n = cwmp_table_get(t, call->key, now);

    if (n == NULL) {
        n = cwmp_table_insert(t, call->key, now,
                              now + NGX_HTTP_CWMP_NONCE_LIFE,
                              ngx_http_cwmp_zone_alive);

    } else {
        cwmp_table_open(t, n);
        cwmp_table_touch(t, n, now + NGX_HTTP_CWMP_NONCE_LIFE);
    }

    if (n) {
        *n = *call->nonce;
    }

    ngx_http_cwmp_zone_unlock(call->zone, NGX_HTTP_CWMP_NONCES);
}


void
ngx_http_cwmp_nonce_drop(ngx_http_cwmp_call_t *call)
{
    cwmp_table_t           *t;
    ngx_http_cwmp_nonce_t  *n;

    t = ngx_http_cwmp_zone_lock(call->zone, NGX_HTTP_CWMP_NONCES);

    n = cwmp_table_get(t, call->key, ngx_current_msec);

    if (n) {
        cwmp_table_delete(t, n);
    }

    ngx_http_cwmp_zone_unlock(call->zone, NGX_HTTP_CWMP_NONCES);
}


static ngx_uint_t
ngx_http_cwmp_nonce_same(ngx_http_cwmp_nonce_t *a, ngx_http_cwmp_nonce_t *b)
{
    return a->realm == b->realm
           && a->nonce == b->nonce
           && ngx_memcmp(a->text, b->text, a->realm + a->nonce) == 0;
}
