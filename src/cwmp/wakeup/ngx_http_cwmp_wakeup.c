
/*
 * Fieldgate: the content handler of "cwmp_connection_request": what is
 * refused, and in which order.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_call.h"
#include "ngx_http_cwmp_wakeup.h"


static ngx_int_t ngx_http_cwmp_wakeup_refuse(ngx_http_request_t *r,
    ngx_http_cwmp_wakeup_t *w, cwmp_wakeup_result_e result);
static cwmp_wakeup_result_e ngx_http_cwmp_wakeup_check(ngx_http_request_t *r,
    ngx_http_cwmp_wakeup_t *w);
static cwmp_wakeup_result_e ngx_http_cwmp_wakeup_origin(ngx_http_request_t *r,
    ngx_http_cwmp_wakeup_t *w);
static ngx_int_t ngx_http_cwmp_wakeup_udp_parse(ngx_http_request_t *r,
    ngx_http_cwmp_wakeup_t *w);
static cwmp_wakeup_result_e ngx_http_cwmp_wakeup_policy(ngx_http_request_t *r,
    ngx_http_cwmp_wakeup_t *w);
static ngx_int_t ngx_http_cwmp_wakeup_verify(ngx_http_request_t *r,
    ngx_http_cwmp_wakeup_t *w, cwmp_policy_signature_e *signature);
static ngx_int_t ngx_http_cwmp_wakeup_udp(ngx_http_request_t *r,
    ngx_http_cwmp_wakeup_t *w, cwmp_policy_signature_e signature);
static cwmp_wakeup_result_e ngx_http_cwmp_wakeup_credentials(
    ngx_http_request_t *r, ngx_http_cwmp_wakeup_t *w);
static cwmp_wakeup_result_e ngx_http_cwmp_wakeup_held(ngx_http_request_t *r,
    ngx_http_cwmp_wakeup_t *w);
static void ngx_http_cwmp_wakeup_cleanup(void *data);
static u_char *ngx_http_cwmp_wakeup_log(ngx_http_request_t *r,
    ngx_http_request_t *sr, u_char *buf, size_t len);


ngx_int_t
ngx_http_cwmp_wakeup_phase_handler(ngx_http_request_t *r)
{
    ngx_http_cwmp_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_cwmp_module);

    if (clcf->wakeup_place.line) {

        /* that of the main request is used, also for its subrequests */

        r->main->log_handler = ngx_http_cwmp_wakeup_log;
    }

    return NGX_DECLINED;
}


ngx_int_t
ngx_http_cwmp_wakeup_handler(ngx_http_request_t *r)
{
    ngx_int_t                  rc;
    ngx_http_cleanup_t        *cln;
    cwmp_wakeup_result_e       result;
    ngx_http_cwmp_ctx_t       *ctx;
    ngx_http_cwmp_wakeup_t    *w;
    ngx_http_cwmp_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_cwmp_module);

    ctx = ngx_http_cwmp_get_ctx(r);
    w = ngx_pcalloc(r->pool, sizeof(ngx_http_cwmp_wakeup_t));

    if (ctx == NULL || w == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->wakeup = w;

    w->request = r;
    w->start = ngx_current_msec;
    w->deadline = w->start + clcf->timeout;

    rc = ngx_http_discard_request_body(r);
    if (rc != NGX_OK) {
        return rc;
    }

    result = ngx_http_cwmp_wakeup_check(r, w);

    if (result != CWMP_WAKEUP_NONE) {
        return ngx_http_cwmp_wakeup_refuse(r, w, result);
    }

    cln = ngx_http_cleanup_add(r, 0);
    if (cln == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cln->handler = ngx_http_cwmp_wakeup_cleanup;
    cln->data = w;

    if (!r->discard_body) {
        r->read_event_handler = ngx_http_test_reading;

        if (r->connection->read->pending_eof) {
            /* the ACS has left already: no event will tell */
            ngx_post_event(r->connection->read, &ngx_posted_events);
        }
    }

    if (ngx_http_cwmp_call_join(w) != NGX_OK) {
        return ngx_http_cwmp_wakeup_refuse(r, w, CWMP_WAKEUP_INTERNAL);
    }

    r->main->count++;

    r->connection->log->action = "waiting for a CPE";

    return NGX_DONE;
}


static ngx_int_t
ngx_http_cwmp_wakeup_refuse(ngx_http_request_t *r, ngx_http_cwmp_wakeup_t *w,
    cwmp_wakeup_result_e result)
{
    ngx_http_cwmp_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_cwmp_module);

    cwmp_outcome_set(&w->outcome, result, ngx_http_cwmp_acs_own(clcf));

    return ngx_http_cwmp_answer(w, NULL);
}


/* in this order: what is wrong first hides what else may be */

static cwmp_wakeup_result_e
ngx_http_cwmp_wakeup_check(ngx_http_request_t *r, ngx_http_cwmp_wakeup_t *w)
{
    cwmp_wakeup_result_e  result;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "wake-up by method \"%V\"", &r->method_name);
        return CWMP_WAKEUP_METHOD;
    }

    result = ngx_http_cwmp_wakeup_origin(r, w);

    if (result == CWMP_WAKEUP_NONE) {
        result = ngx_http_cwmp_wakeup_policy(r, w);
    }

    if (result == CWMP_WAKEUP_NONE) {
        result = ngx_http_cwmp_wakeup_credentials(r, w);
    }

    return result;
}


static cwmp_wakeup_result_e
ngx_http_cwmp_wakeup_origin(ngx_http_request_t *r, ngx_http_cwmp_wakeup_t *w)
{
    u_char                    *buf;
    ngx_int_t                  rc;
    ngx_http_cwmp_ctx_t       *ctx;
    ngx_http_cwmp_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_cwmp_module);

    buf = ngx_pnalloc(r->pool, cwmp_origin_size(r->unparsed_uri.len));
    if (buf == NULL) {
        return CWMP_WAKEUP_INTERNAL;
    }

    if (clcf->url_mode == CWMP_URL_HOST) {
        rc = cwmp_origin_parse_name(&w->origin, &r->headers_in.server,
                                    &r->unparsed_uri, buf);

    } else {
        rc = cwmp_origin_parse_target(&w->origin, clcf->url_mode,
                                      &r->unparsed_uri, buf);
    }

    if (rc == NGX_OK && w->origin.udp.len) {
        rc = ngx_http_cwmp_wakeup_udp_parse(r, w);

        if (rc == NGX_ERROR) {
            return CWMP_WAKEUP_INTERNAL;
        }
    }

    if (rc != NGX_OK) {
        ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                      "wake-up refused: origin %s", cwmp_origin_strerror(rc));
        return CWMP_WAKEUP_BAD_ORIGIN;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_cwmp_module);
    ctx->origin = w->origin.hostport;

    return CWMP_WAKEUP_NONE;
}


/* NGX_OK, NGX_ERROR: no memory, or a cwmp_origin_error_e */

static ngx_int_t
ngx_http_cwmp_wakeup_udp_parse(ngx_http_request_t *r,
    ngx_http_cwmp_wakeup_t *w)
{
    u_char  *buf;

    buf = ngx_pnalloc(r->pool, cwmp_origin_size(w->origin.udp.len));
    if (buf == NULL) {
        return NGX_ERROR;
    }

    return cwmp_origin_parse_udp(&w->udp, &w->origin.udp, buf);
}


static cwmp_wakeup_result_e
ngx_http_cwmp_wakeup_policy(ngx_http_request_t *r, ngx_http_cwmp_wakeup_t *w)
{
    ngx_int_t                rc, udp;
    cwmp_policy_signature_e  signature;

    if (ngx_http_cwmp_wakeup_verify(r, w, &signature) != NGX_OK) {
        return CWMP_WAKEUP_INTERNAL;
    }

    ngx_http_cwmp_policy_init(r, &w->policy);

    udp = ngx_http_cwmp_wakeup_udp(r, w, signature);

    if (w->udp_only) {
        rc = udp;

    } else {
        rc = cwmp_policy_call(&w->policy, &w->origin, signature);
    }

    /* NGX_AGAIN: a name, whose addresses are checked when it is called */

    if (rc != NGX_OK && rc != NGX_AGAIN) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "wake-up refused: origin \"%V\" %s",
                      &w->origin.hostport,
                      (rc == NGX_DECLINED) ? "may be called by UDP only"
                                           : cwmp_policy_strerror(rc));
        return CWMP_WAKEUP_FORBIDDEN;
    }

    return CWMP_WAKEUP_NONE;
}


/* NGX_ERROR: libcrypto fails */

static ngx_int_t
ngx_http_cwmp_wakeup_verify(ngx_http_request_t *r, ngx_http_cwmp_wakeup_t *w,
    cwmp_policy_signature_e *signature)
{
    ngx_int_t                  rc;
    ngx_http_cwmp_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_cwmp_module);

    *signature = CWMP_POLICY_NO_SECRET;

    if (clcf->keys == NULL) {
        return NGX_OK;
    }

    rc = cwmp_sign_verify(clcf->keys->elts, clcf->keys->nelts,
                          clcf->url_mode, &w->origin);

    if (rc == NGX_DECLINED && w->udp.socklen) {
        rc = cwmp_sign_verify(clcf->keys->elts, clcf->keys->nelts,
                              CWMP_URL_UDP, &w->origin);
        w->udp_only = (rc == NGX_OK);
    }

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    *signature = (rc == NGX_OK) ? CWMP_POLICY_SIGNED : CWMP_POLICY_UNSIGNED;

    return NGX_OK;
}


/*
 * NGX_OK: the CPE may be called by UDP; NGX_DECLINED: there is none here;
 * else what the policy says.
 */

static ngx_int_t
ngx_http_cwmp_wakeup_udp(ngx_http_request_t *r, ngx_http_cwmp_wakeup_t *w,
    cwmp_policy_signature_e signature)
{
    ngx_int_t                   rc;
    ngx_http_cwmp_loc_conf_t   *clcf;
    ngx_http_cwmp_main_conf_t  *cmcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_cwmp_module);
    cmcf = ngx_http_get_module_main_conf(r, ngx_http_cwmp_module);

    rc = NGX_DECLINED;

    if (w->udp.socklen
        && cmcf->stun.line
        && clcf->udp != NGX_HTTP_CWMP_UDP_OFF)
    {
        rc = cwmp_policy_call(&w->policy, &w->udp, signature);
    }

    if (rc != NGX_OK) {
        w->udp.socklen = 0;
    }

    return rc;
}


static cwmp_wakeup_result_e
ngx_http_cwmp_wakeup_credentials(ngx_http_request_t *r,
    ngx_http_cwmp_wakeup_t *w)
{
    ngx_str_t                 *value;
    cwmp_auth_scheme_e         scheme;
    cwmp_wakeup_result_e       result;
    ngx_http_cwmp_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_cwmp_module);

    if (clcf->url_mode == CWMP_URL_QUERY) {

        result = clcf->user ? ngx_http_cwmp_wakeup_held(r, w)
                            : CWMP_WAKEUP_NONE;

        return (result == CWMP_WAKEUP_NONE) ? ngx_http_cwmp_acs_check(r, w)
                                            : result;
    }

    if (r->headers_in.authorization == NULL) {
        return CWMP_WAKEUP_NONE;
    }

    value = &r->headers_in.authorization->value;

    scheme = cwmp_auth_scheme(value);

    if (scheme == CWMP_AUTH_DIGEST
        || (scheme == CWMP_AUTH_BASIC && clcf->cpe_basic))
    {
        w->authorization = *value;
    }

    return CWMP_WAKEUP_NONE;
}


static cwmp_wakeup_result_e
ngx_http_cwmp_wakeup_held(ngx_http_request_t *r, ngx_http_cwmp_wakeup_t *w)
{
    ngx_http_cwmp_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_cwmp_module);

    if (ngx_http_complex_value(r, clcf->user, &w->credentials.user) != NGX_OK
        || ngx_http_complex_value(r, clcf->password, &w->credentials.password)
           != NGX_OK)
    {
        return CWMP_WAKEUP_INTERNAL;
    }

    if (!cwmp_credentials_valid(&w->credentials)) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "invalid user name in \"cwmp_credentials\" for "
                      "origin \"%V\"", &w->origin.hostport);
        return CWMP_WAKEUP_INTERNAL;
    }

    return CWMP_WAKEUP_NONE;
}


static void
ngx_http_cwmp_wakeup_cleanup(void *data)
{
    ngx_http_cwmp_wakeup_t *w = data;

    if (w->call) {
        ngx_http_cwmp_call_leave(w);
    }
}


/*
 * In place of nginx's own, which would write the request line into error.log:
 * the path of a CPE's URL is a secret (TR-069 3.2.2.1), and so is a signature.
 */

static u_char *
ngx_http_cwmp_wakeup_log(ngx_http_request_t *r, ngx_http_request_t *sr,
    u_char *buf, size_t len)
{
    u_char                    *p;
    ngx_http_cwmp_ctx_t       *ctx;
    ngx_http_core_srv_conf_t  *cscf;

    cscf = ngx_http_get_module_srv_conf(r, ngx_http_core_module);

    p = ngx_snprintf(buf, len, ", server: %V, request: \"%V\"",
                     &cscf->server_name, &r->method_name);
    len -= p - buf;
    buf = p;

    ctx = ngx_http_get_module_ctx(sr, ngx_http_cwmp_module);

    if (ctx && ctx->origin.len) {
        buf = ngx_snprintf(buf, len, ", CPE: %V", &ctx->origin);
    }

    return buf;
}
