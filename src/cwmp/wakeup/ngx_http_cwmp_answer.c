
/*
 * Fieldgate: what an ACS is told, and the log.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_call.h"
#include "ngx_http_cwmp_wakeup.h"


static void ngx_http_cwmp_answer_count(ngx_http_cwmp_wakeup_t *w);
static ngx_int_t ngx_http_cwmp_answer_relay(ngx_http_request_t *r,
    cwmp_reply_t *reply);
static ngx_table_elt_t *ngx_http_cwmp_answer_header(ngx_http_request_t *r,
    ngx_str_t *name, ngx_str_t *value);
static ngx_int_t ngx_http_cwmp_answer_time(ngx_http_request_t *r,
    ngx_http_cwmp_wakeup_t *w, ngx_str_t *value);


static ngx_str_t  ngx_http_cwmp_allow_name = ngx_string("Allow");
static ngx_str_t  ngx_http_cwmp_allow_value = ngx_string("GET, HEAD");

static ngx_str_t  ngx_http_cwmp_auth_name = ngx_string("WWW-Authenticate");


/*
 * The body is empty whatever has happened, so that nothing can be learnt from
 * it about what a CPE has sent.
 */

ngx_int_t
ngx_http_cwmp_answer(ngx_http_cwmp_wakeup_t *w, cwmp_reply_t *reply)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = w->request;

    r->connection->log->action = "sending to client";

    w->time = ngx_current_msec - w->start;

    ngx_http_cwmp_answer_count(w);

    if (ngx_exiting) {
        /* nginx will close the connection, and should say so */
        r->keepalive = 0;
    }

    r->headers_out.status = w->outcome.status;
    r->headers_out.content_length_n = 0;

    rc = NGX_OK;

    switch (w->outcome.auth) {

    case CWMP_WAKEUP_OURS:
        rc = ngx_http_cwmp_acs_challenge(w);
        break;

    case CWMP_WAKEUP_CPE_DIGEST:
        rc = ngx_http_cwmp_answer_relay(r, reply);
        break;
    }

    if (w->outcome.status == NGX_HTTP_NOT_ALLOWED
        && ngx_http_cwmp_answer_header(r, &ngx_http_cwmp_allow_name,
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


void
ngx_http_cwmp_answer_late(ngx_http_cwmp_wakeup_t *w, cwmp_reply_t *reply)
{
    ngx_int_t            rc;
    ngx_http_request_t  *r;

    r = w->request;

    rc = ngx_http_cwmp_answer(w, reply);

    ngx_http_finalize_request(r, rc);
}


static void
ngx_http_cwmp_answer_count(ngx_http_cwmp_wakeup_t *w)
{
    ngx_http_cwmp_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(w->request, ngx_http_cwmp_module);

    /* the counters are in the order of cwmp_wakeup_result_e */

    ngx_http_cwmp_add(cmcf->shared, NGX_HTTP_CWMP_WAKEUPS_METHOD
                                    + w->outcome.result - CWMP_WAKEUP_METHOD,
                      1);

    if (w->outcome.result > CWMP_WAKEUP_CREDENTIALS) {
        ngx_http_cwmp_device_woken(w->request, &w->origin,
                                   w->outcome.result - CWMP_WAKEUP_METHOD,
                                   w->time);
    }
}


/* the Digest challenges of the CPE, byte for byte, and no others */

static ngx_int_t
ngx_http_cwmp_answer_relay(ngx_http_request_t *r, cwmp_reply_t *reply)
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
                || ngx_http_cwmp_answer_challenge(r, &value) != NGX_OK)
            {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


/* "auth_request" looks for challenges in headers_out.www_authenticate */

ngx_int_t
ngx_http_cwmp_answer_challenge(ngx_http_request_t *r, ngx_str_t *value)
{
    ngx_table_elt_t  *h, **last;

    h = ngx_http_cwmp_answer_header(r, &ngx_http_cwmp_auth_name, value);
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
ngx_http_cwmp_answer_header(ngx_http_request_t *r, ngx_str_t *name,
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


ngx_int_t
ngx_http_cwmp_wakeup_variable(ngx_http_request_t *r, ngx_uint_t which,
    ngx_str_t *value)
{
    u_char               *p;
    ngx_http_cwmp_ctx_t  *ctx;
    cwmp_outcome_t       *outcome;

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
        return ngx_http_cwmp_answer_time(r, ctx->wakeup, value);
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


static ngx_int_t
ngx_http_cwmp_answer_time(ngx_http_request_t *r, ngx_http_cwmp_wakeup_t *w,
    ngx_str_t *value)
{
    u_char  *p;

    p = ngx_pnalloc(r->pool, NGX_TIME_T_LEN + 4);
    if (p == NULL) {
        return NGX_ERROR;
    }

    value->data = p;
    value->len = ngx_sprintf(p, "%T.%03M", (time_t) w->time / 1000,
                             w->time % 1000)
                 - p;

    return NGX_OK;
}
