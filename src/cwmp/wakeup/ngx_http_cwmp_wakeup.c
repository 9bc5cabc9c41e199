
/*
 * Fieldgate: the content handler of "cwmp_connection_request": what is
 * refused, in which order, and what the ACS is told.
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
static cwmp_wakeup_result_e ngx_http_cwmp_wakeup_policy(ngx_http_request_t *r,
    ngx_http_cwmp_wakeup_t *w);
static cwmp_wakeup_result_e ngx_http_cwmp_wakeup_credentials(
    ngx_http_request_t *r, ngx_http_cwmp_wakeup_t *w);
static cwmp_wakeup_result_e ngx_http_cwmp_wakeup_held(ngx_http_request_t *r,
    ngx_http_cwmp_wakeup_t *w);
static ngx_int_t ngx_http_cwmp_wakeup_answer(ngx_http_request_t *r,
    ngx_http_cwmp_wakeup_t *w, ngx_http_cwmp_call_t *call);
static ngx_int_t ngx_http_cwmp_wakeup_relay(ngx_http_request_t *r,
    cwmp_reply_t *reply);
static ngx_int_t ngx_http_cwmp_wakeup_challenge(ngx_http_request_t *r,
    ngx_str_t *value);
static ngx_table_elt_t *ngx_http_cwmp_wakeup_header(ngx_http_request_t *r,
    ngx_str_t *name, ngx_str_t *value);
static void ngx_http_cwmp_wakeup_count(ngx_http_request_t *r,
    ngx_http_cwmp_wakeup_t *w);
static void ngx_http_cwmp_wakeup_cleanup(void *data);
static u_char *ngx_http_cwmp_wakeup_log(ngx_http_request_t *r,
    ngx_http_request_t *sr, u_char *buf, size_t len);


static ngx_str_t  ngx_http_cwmp_allow_name = ngx_string("Allow");
static ngx_str_t  ngx_http_cwmp_allow_value = ngx_string("GET, HEAD");

static ngx_str_t  ngx_http_cwmp_auth_name = ngx_string("WWW-Authenticate");
static ngx_str_t  ngx_http_cwmp_auth_value =
    ngx_string("Basic realm=\"cwmp\"");


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
    cwmp_wakeup_t              course;
    ngx_http_cwmp_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_cwmp_module);

    ngx_memzero(&course, sizeof(cwmp_wakeup_t));

    course.path = (clcf->url_mode == CWMP_URL_PATH);
    course.held = (clcf->user != NULL);

    (void) cwmp_wakeup_finish(&course, result);

    w->outcome.result = course.result;
    w->outcome.status = course.status;
    w->outcome.auth = course.auth;

    return ngx_http_cwmp_wakeup_answer(r, w, NULL);
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

    rc = cwmp_origin_parse_target(&w->origin, clcf->url_mode,
                                  &r->unparsed_uri, buf);
    if (rc != NGX_OK) {
        ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                      "wake-up refused: origin %s", cwmp_origin_strerror(rc));
        return CWMP_WAKEUP_BAD_ORIGIN;
    }

    ctx = ngx_http_get_module_ctx(r, ngx_http_cwmp_module);
    ctx->origin = w->origin.hostport;

    return CWMP_WAKEUP_NONE;
}


static cwmp_wakeup_result_e
ngx_http_cwmp_wakeup_policy(ngx_http_request_t *r, ngx_http_cwmp_wakeup_t *w)
{
    ngx_int_t                  rc;
    ngx_http_cwmp_loc_conf_t  *clcf;
    cwmp_policy_signature_e    signature;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_cwmp_module);

    signature = CWMP_POLICY_NO_SECRET;

    if (clcf->keys) {
        rc = cwmp_sign_verify(clcf->keys->elts, clcf->keys->nelts,
                              clcf->url_mode, &w->origin);
        if (rc == NGX_ERROR) {
            return CWMP_WAKEUP_INTERNAL;
        }

        signature = (rc == NGX_OK) ? CWMP_POLICY_SIGNED : CWMP_POLICY_UNSIGNED;
    }

    ngx_http_cwmp_policy_init(r, &w->policy);

    rc = cwmp_policy_call(&w->policy, &w->origin, signature);

    /* NGX_AGAIN: a name, whose addresses are checked when it is called */

    if (rc != NGX_OK && rc != NGX_AGAIN) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "wake-up refused: origin \"%V\" %s",
                      &w->origin.hostport, cwmp_policy_strerror(rc));
        return CWMP_WAKEUP_FORBIDDEN;
    }

    return CWMP_WAKEUP_NONE;
}


static cwmp_wakeup_result_e
ngx_http_cwmp_wakeup_credentials(ngx_http_request_t *r,
    ngx_http_cwmp_wakeup_t *w)
{
    u_char                    *buf;
    ngx_str_t                 *value;
    cwmp_auth_scheme_e         scheme;
    ngx_http_cwmp_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_cwmp_module);

    if (clcf->user) {
        return ngx_http_cwmp_wakeup_held(r, w);
    }

    value = r->headers_in.authorization ? &r->headers_in.authorization->value
                                        : NULL;

    if (clcf->url_mode == CWMP_URL_PATH) {

        if (value == NULL) {
            return CWMP_WAKEUP_NONE;
        }

        scheme = cwmp_auth_scheme(value);

        if (scheme == CWMP_AUTH_DIGEST
            || (scheme == CWMP_AUTH_BASIC && clcf->cpe_basic))
        {
            w->authorization = *value;
        }

        return CWMP_WAKEUP_NONE;
    }

    if (value == NULL) {
        return CWMP_WAKEUP_CREDENTIALS;
    }

    buf = ngx_pnalloc(r->pool, value->len);
    if (buf == NULL) {
        return CWMP_WAKEUP_INTERNAL;
    }

    if (cwmp_basic_decode(value, buf, &w->credentials) != NGX_OK) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "wake-up without usable Basic credentials");
        return CWMP_WAKEUP_CREDENTIALS;
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


void
ngx_http_cwmp_wakeup_done(ngx_http_cwmp_wakeup_t *w,
    ngx_http_cwmp_call_t *call)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = w->request;

    rc = ngx_http_cwmp_wakeup_answer(r, w, call);

    ngx_http_finalize_request(r, rc);
}


/*
 * The body is empty whatever has happened, so that nothing can be learnt from
 * it about what a CPE has sent.
 */

static ngx_int_t
ngx_http_cwmp_wakeup_answer(ngx_http_request_t *r, ngx_http_cwmp_wakeup_t *w,
    ngx_http_cwmp_call_t *call)
{
    ngx_int_t  rc;

    r->connection->log->action = "sending to client";

    w->time = ngx_current_msec - w->start;

    ngx_http_cwmp_wakeup_count(r, w);

    if (ngx_exiting) {
        /* nginx will close the connection, and should say so */
        r->keepalive = 0;
    }

    r->headers_out.status = w->outcome.status;
    r->headers_out.content_length_n = 0;

    rc = NGX_OK;

    switch (w->outcome.auth) {

    case CWMP_WAKEUP_OUR_BASIC:
        rc = ngx_http_cwmp_wakeup_challenge(r, &ngx_http_cwmp_auth_value);
        break;

    case CWMP_WAKEUP_CPE_DIGEST:
        rc = ngx_http_cwmp_wakeup_relay(r, &call->reply);
        break;
    }

    if (w->outcome.status == NGX_HTTP_NOT_ALLOWED
        && ngx_http_cwmp_wakeup_header(r, &ngx_http_cwmp_allow_name,
                                       &ngx_http_cwmp_allow_value)
           == NULL)
    {
        rc = NGX_ERROR;
    }

    if (rc != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    return ngx_http_send_special(r, NGX_HTTP_LAST);
}


/* the Digest challenges of the CPE, byte for byte, and no others */

static ngx_int_t
ngx_http_cwmp_wakeup_relay(ngx_http_request_t *r, cwmp_reply_t *reply)
{
    ngx_str_t         field, value;
    ngx_uint_t        i;
    cwmp_challenge_t  ch;

    for (i = 0; i < reply->nauth; i++) {
        field = reply->auth[i];

        while (cwmp_challenge_next(&field, &ch) == NGX_OK) {

            if (ch.scheme != CWMP_AUTH_DIGEST
                || ch.error == CWMP_CHALLENGE_CONTROL)
            {
                continue;
            }

            value.len = ch.text.len;
            value.data = ngx_pstrdup(r->pool, &ch.text);

            if (value.data == NULL
                || ngx_http_cwmp_wakeup_challenge(r, &value) != NGX_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


/* "auth_request" looks for challenges in headers_out.www_authenticate */

static ngx_int_t
ngx_http_cwmp_wakeup_challenge(ngx_http_request_t *r, ngx_str_t *value)
{
    ngx_table_elt_t  *h, **last;

    h = ngx_http_cwmp_wakeup_header(r, &ngx_http_cwmp_auth_name, value);
    if (h == NULL) {
        return NGX_ERROR;
    }

    last = &r->headers_out.www_authenticate;

#if (nginx_version >= 1023000)
    while (*last) {
        last = &(*last)->next;
    }
#endif

    *last = h;

    return NGX_OK;
}


static ngx_table_elt_t *
ngx_http_cwmp_wakeup_header(ngx_http_request_t *r, ngx_str_t *name,
    ngx_str_t *value)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NULL;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    h->key = *name;
    h->value = *value;

    return h;
}


static void
ngx_http_cwmp_wakeup_count(ngx_http_request_t *r, ngx_http_cwmp_wakeup_t *w)
{
    ngx_http_cwmp_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_cwmp_module);

    /* the counters are in the order of cwmp_wakeup_result_e */

    ngx_http_cwmp_add(cmcf->shared, NGX_HTTP_CWMP_WAKEUPS_METHOD
                                    + w->outcome.result - CWMP_WAKEUP_METHOD,
                      1);
}


static void
ngx_http_cwmp_wakeup_cleanup(void *data)
{
    ngx_http_cwmp_wakeup_t *w = data;

    if (w->call) {
        ngx_http_cwmp_call_leave(w);
    }
}


ngx_int_t
ngx_http_cwmp_wakeup_variable(ngx_http_request_t *r, ngx_uint_t which,
    ngx_str_t *value)
{
    u_char                   *p;
    ngx_http_cwmp_ctx_t      *ctx;
    ngx_http_cwmp_outcome_t  *outcome;

    static ngx_str_t  schemes[] = {
        ngx_string("none"),
        ngx_string("basic"),
        ngx_string("digest"),
        ngx_string("other")
    };

    ctx = ngx_http_get_module_ctx(r, ngx_http_cwmp_module);

    if (ctx == NULL || ctx->wakeup == NULL) {
        return NGX_DECLINED;
    }

    outcome = &ctx->wakeup->outcome;

    if (outcome->result == CWMP_WAKEUP_NONE) {
        return NGX_DECLINED;
    }

    if (which == NGX_HTTP_CWMP_WAKEUP_RESULT) {
        value->data = (u_char *) cwmp_wakeup_name(outcome->result);
        value->len = ngx_strlen(value->data);
        return NGX_OK;
    }

    if (which == NGX_HTTP_CWMP_WAKEUP_TIME) {
        p = ngx_pnalloc(r->pool, NGX_TIME_T_LEN + 4);
        if (p == NULL) {
            return NGX_ERROR;
        }

        value->data = p;
        value->len = ngx_sprintf(p, "%T.%03M",
                                 (time_t) ctx->wakeup->time / 1000,
                                 ctx->wakeup->time % 1000)
                     - p;
        return NGX_OK;
    }

    if (outcome->result < CWMP_WAKEUP_OK) {
        /* the CPE was not called */
        return NGX_DECLINED;
    }

    if (which == NGX_HTTP_CWMP_WAKEUP_SCHEME) {
        *value = schemes[outcome->scheme];
        return NGX_OK;
    }

    if (outcome->cpe_status == 0) {
        return NGX_DECLINED;
    }

    p = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value->data = p;
    value->len = ngx_sprintf(p, "%ui", (ngx_uint_t) outcome->cpe_status) - p;

    return NGX_OK;
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
