
/*
 * Fieldgate: "cwmp_acs_auth": what nginx asks of an ACS that wakes a CPE.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <openssl/crypto.h>

#include "cwmp_auth.h"
#include "ngx_http_cwmp_call.h"
#include "ngx_http_cwmp_wakeup.h"


/* seconds that a nonce may be used, again and again with a higher count */

#define NGX_HTTP_CWMP_ACS_LIFE  60


static cwmp_wakeup_result_e ngx_http_cwmp_acs_basic(ngx_http_request_t *r,
    ngx_http_cwmp_wakeup_t *w, ngx_str_t *value);
static ngx_uint_t ngx_http_cwmp_acs_same(ngx_str_t *a, ngx_str_t *b);
static cwmp_wakeup_result_e ngx_http_cwmp_acs_digest(ngx_http_request_t *r,
    ngx_http_cwmp_wakeup_t *w, ngx_str_t *value);
static ngx_int_t ngx_http_cwmp_acs_nonce(ngx_http_request_t *r,
    ngx_str_t *text, uint32_t nc);
static ngx_int_t ngx_http_cwmp_acs_offer(ngx_http_cwmp_wakeup_t *w,
    ngx_str_t *nonce, char *algorithm);


static ngx_str_t  ngx_http_cwmp_acs_basic_value =
    ngx_string("Basic realm=\"cwmp\"");

static ngx_str_t  ngx_http_cwmp_acs_realm = ngx_string("cwmp");


ngx_uint_t
ngx_http_cwmp_acs_own(ngx_http_cwmp_loc_conf_t *clcf)
{
    return clcf->user == NULL
           && clcf->url_mode == CWMP_URL_QUERY
           && clcf->acs_auth == NGX_HTTP_CWMP_ACS_BASIC;
}


cwmp_wakeup_result_e
ngx_http_cwmp_acs_check(ngx_http_request_t *r, ngx_http_cwmp_wakeup_t *w)
{
    ngx_str_t                 *value;
    ngx_http_cwmp_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_cwmp_module);

    if (clcf->acs_auth == NGX_HTTP_CWMP_ACS_NONE) {
        return CWMP_WAKEUP_NONE;
    }

    if (r->headers_in.authorization == NULL) {
        return CWMP_WAKEUP_CREDENTIALS;
    }

    /* with empty ones anybody could say that he has them */

    if (clcf->user
        && w->credentials.user.len == 0
        && w->credentials.password.len == 0)
    {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "wake-up refused: \"cwmp_credentials\" are empty for "
                      "origin \"%V\"", &w->origin.hostport);
        return CWMP_WAKEUP_CREDENTIALS;
    }

    value = &r->headers_in.authorization->value;

    return (clcf->acs_auth == NGX_HTTP_CWMP_ACS_BASIC)
           ? ngx_http_cwmp_acs_basic(r, w, value)
           : ngx_http_cwmp_acs_digest(r, w, value);
}


static cwmp_wakeup_result_e
ngx_http_cwmp_acs_basic(ngx_http_request_t *r, ngx_http_cwmp_wakeup_t *w,
    ngx_str_t *value)
{
    u_char                    *buf;
    cwmp_credentials_t         got;
    ngx_http_cwmp_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_cwmp_module);

    buf = ngx_pnalloc(r->pool, value->len);
    if (buf == NULL) {
        return CWMP_WAKEUP_INTERNAL;
    }

    if (cwmp_basic_decode(value, buf, &got) != NGX_OK) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "wake-up without usable Basic credentials");
        return CWMP_WAKEUP_CREDENTIALS;
    }

    if (clcf->user == NULL) {
        w->credentials = got;
        return CWMP_WAKEUP_NONE;
    }

    if (!(ngx_http_cwmp_acs_same(&got.user, &w->credentials.user)
          & ngx_http_cwmp_acs_same(&got.password, &w->credentials.password)))
    {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "wake-up refused: the ACS's Basic credentials are not "
                      "those in \"cwmp_credentials\"");
        return CWMP_WAKEUP_CREDENTIALS;
    }

    return CWMP_WAKEUP_NONE;
}


/* the time tells no more than the length */

static ngx_uint_t
ngx_http_cwmp_acs_same(ngx_str_t *a, ngx_str_t *b)
{
    return a->len == b->len
           && CRYPTO_memcmp(a->data, b->data, a->len) == 0;
}


/*
 * RFC 7616 3.3: who has the password, but a nonce that cannot be used, is told
 * so with "stale", and answers a new one without asking anybody.
 */

static cwmp_wakeup_result_e
ngx_http_cwmp_acs_digest(ngx_http_request_t *r, ngx_http_cwmp_wakeup_t *w,
    ngx_str_t *value)
{
    uint32_t       nc;
    ngx_str_t      nonce;
    cwmp_verify_t  v;
    cwmp_verify_e  result;

    v.method = r->method_name;
    v.target = r->unparsed_uri;
    v.realm = ngx_http_cwmp_acs_realm;
    v.credentials = w->credentials;

    result = cwmp_verify(&v, value, &nonce, &nc);

    if (result == CWMP_VERIFY_ERROR) {
        return CWMP_WAKEUP_INTERNAL;
    }

    if (result != CWMP_VERIFY_OK) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "wake-up refused: the ACS's Digest response %s",
                      cwmp_verify_strerror(result));
        return CWMP_WAKEUP_CREDENTIALS;
    }

    switch (ngx_http_cwmp_acs_nonce(r, &nonce, nc)) {

    case NGX_OK:
        return CWMP_WAKEUP_NONE;

    case NGX_DECLINED:
        w->stale = 1;
        return CWMP_WAKEUP_CREDENTIALS;

    default: /* NGX_ERROR */
        return CWMP_WAKEUP_INTERNAL;
    }
}


static ngx_int_t
ngx_http_cwmp_acs_nonce(ngx_http_request_t *r, ngx_str_t *text, uint32_t nc)
{
    ngx_int_t                   rc;
    cwmp_nonce_t                nonce;
    ngx_http_cwmp_loc_conf_t   *clcf;
    ngx_http_cwmp_main_conf_t  *cmcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_cwmp_module);
    cmcf = ngx_http_get_module_main_conf(r, ngx_http_cwmp_module);

    rc = cwmp_nonce_read(&nonce, clcf->keys->elts, clcf->keys->nelts, text);

    if (rc != NGX_OK) {
        return rc;
    }

    if (!cwmp_nonce_fresh(&nonce, (uint32_t) ngx_time(),
                          NGX_HTTP_CWMP_ACS_LIFE))
    {
        return NGX_DECLINED;
    }

    rc = ngx_http_cwmp_zone_use(cmcf->shared, nonce.serial, nc);

    if (rc != NGX_OK) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "the ACS's Digest response has a count that has been "
                      "used, or an old nonce");
    }

    return rc;
}


/*
 * The weaker one last: GenieACS takes what stands last for all of it, and
 * Oktopus answers the first with MD5, whatever it says.  Both have the nonce.
 */

ngx_int_t
ngx_http_cwmp_acs_challenge(ngx_http_cwmp_wakeup_t *w)
{
    ngx_str_t                   text;
    cwmp_nonce_t                nonce;
    cwmp_sign_key_t            *keys;
    ngx_http_request_t         *r;
    ngx_http_cwmp_loc_conf_t   *clcf;
    ngx_http_cwmp_main_conf_t  *cmcf;
    u_char                      buf[CWMP_NONCE_LEN];

    r = w->request;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_cwmp_module);
    cmcf = ngx_http_get_module_main_conf(r, ngx_http_cwmp_module);

    if (clcf->acs_auth == NGX_HTTP_CWMP_ACS_BASIC) {
        return ngx_http_cwmp_answer_challenge(r,
                                              &ngx_http_cwmp_acs_basic_value);
    }

    nonce.time = (uint32_t) ngx_time();
    nonce.serial = ngx_http_cwmp_zone_serial(cmcf->shared);

    keys = clcf->keys->elts;

    if (cwmp_nonce_write(&nonce, &keys[0], buf) != NGX_OK) {
        return NGX_ERROR;
    }

    text.data = buf;
    text.len = CWMP_NONCE_LEN;

    if (ngx_http_cwmp_acs_offer(w, &text, "SHA-256") != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_cwmp_acs_offer(w, &text, "MD5");
}


static ngx_int_t
ngx_http_cwmp_acs_offer(ngx_http_cwmp_wakeup_t *w, ngx_str_t *nonce,
    char *algorithm)
{
    ngx_str_t            value;
    ngx_http_request_t  *r;

    r = w->request;

    value.data = ngx_pnalloc(r->pool, CWMP_NONCE_LEN + 128);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_sprintf(value.data,
                            "Digest realm=\"%V\", nonce=\"%V\", "
                            "qop=\"auth\", algorithm=%s%s",
                            &ngx_http_cwmp_acs_realm, nonce, algorithm,
                            w->stale ? ", stale=true" : "")
                - value.data;

    return ngx_http_cwmp_answer_challenge(r, &value);
}
