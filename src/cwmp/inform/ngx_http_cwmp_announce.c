
/*
 * Fieldgate: what is announced to the ACS in place of a CPE's URL.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_body.h"
#include "ngx_http_cwmp_shared.h"


/* the same of the same device is logged once a day */

#define NGX_HTTP_CWMP_QUIET  86400000


static ngx_int_t ngx_http_cwmp_evaluate_public_url(ngx_http_request_t *r,
    ngx_str_t *public);
static const char *ngx_http_cwmp_judge(ngx_http_request_t *r,
    ngx_str_t *text, cwmp_origin_t *o, ngx_uint_t *parsed);
static ngx_int_t ngx_http_cwmp_build_url(ngx_http_request_t *r,
    ngx_str_t *public, ngx_str_t *text, cwmp_origin_t *o, ngx_str_t *sig,
    ngx_str_t *announced);


/*
 * An origin that is refused is announced all the same, so that the ACS does
 * not call it itself, but without a signature: the call will be refused.
 */

ngx_int_t
ngx_http_cwmp_announce(ngx_http_request_t *r, ngx_str_t *origin,
    ngx_str_t *announced)
{
    ngx_str_t                   text, public, sig;
    ngx_uint_t                  mode, parsed;
    const char                 *reason;
    cwmp_origin_t               o;
    ngx_http_cwmp_ctx_t        *ctx;
    ngx_http_cwmp_loc_conf_t   *clcf;
    ngx_http_cwmp_main_conf_t  *cmcf;
    u_char                      buf[CWMP_SIGN_LEN];

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_cwmp_module);
    cmcf = ngx_http_get_module_main_conf(r, ngx_http_cwmp_module);
    ctx = ngx_http_get_module_ctx(r, ngx_http_cwmp_module);

    if (ngx_http_cwmp_evaluate_public_url(r, &public) != NGX_OK) {
        return NGX_ERROR;
    }

    text = *origin;
    cwmp_url_trim(&text);

    ngx_memzero(&o, sizeof(cwmp_origin_t));

    reason = ngx_http_cwmp_judge(r, &text, &o, &parsed);

    ctx->origin = o.hostport;

    if (ctx->nat && parsed && ngx_http_cwmp_nat_url(r, &o) != NGX_OK) {
        return NGX_ERROR;
    }

    if (parsed) {
        ngx_http_cwmp_device_placed(r, &o);
    }

    if (reason) {
        ngx_http_cwmp_count(cmcf->shared, REFUSED_ORIGINS);

        if (ngx_http_cwmp_first_time(r, "refused", reason)) {
            ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                          "CPE \"%V\" announces an origin%s%V that %s, it "
                          "%s be called%s", &ctx->device_id,
                          o.hostport.len ? " " : "", &o.hostport, reason,
                          o.udp.len ? "can" : "cannot",
                          o.udp.len ? " by UDP only" : "");
        }
    }

    ngx_str_null(&sig);

    if ((reason == NULL || o.udp.len) && clcf->keys) {
        mode = reason ? CWMP_URL_UDP : clcf->url_mode;

        if (cwmp_sign(clcf->keys->elts, mode, &o, buf) != NGX_OK) {
            return NGX_ERROR;
        }

        sig.data = buf;
        sig.len = CWMP_SIGN_LEN;
    }

    if (ngx_http_cwmp_build_url(r, &public, &text, &o, &sig, announced)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (announced->len > CWMP_URL_MAX
        && ngx_http_cwmp_first_time(r, "long", ""))
    {
        ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                      "the URL announced for CPE \"%V\" has %uz characters, "
                      "TR-098 allows an ACS to take no more than %d",
                      &ctx->device_id, announced->len, CWMP_URL_MAX);
    }

    return NGX_OK;
}


/* with variables it may be anything, which is nothing for an ACS to call */

static ngx_int_t
ngx_http_cwmp_evaluate_public_url(ngx_http_request_t *r, ngx_str_t *public)
{
    u_char                    *buf;
    ngx_int_t                  rc;
    cwmp_origin_t              url;
    ngx_http_cwmp_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_cwmp_module);

    if (ngx_http_complex_value(r, clcf->public_url, public) != NGX_OK) {
        return NGX_ERROR;
    }

    if (clcf->public_url->lengths == NULL) {
        return NGX_OK;
    }

    buf = ngx_pnalloc(r->pool, cwmp_origin_size(public->len) + public->len);
    if (buf == NULL) {
        return NGX_ERROR;
    }

    rc = cwmp_origin_parse_public(&url, clcf->url_mode, public, buf);

    if (rc == NGX_DECLINED) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "the value of \"cwmp_public_url\" must%s begin with "
                      "\"http://*.\" in this \"cwmp_url_mode\"",
                      (clcf->url_mode == CWMP_URL_HOST) ? "" : " not");
        return NGX_ERROR;
    }

    if (rc != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "the value of \"cwmp_public_url\" %s",
                      cwmp_origin_strerror(rc));
        return NGX_ERROR;
    }

    if (clcf->url_mode != CWMP_URL_QUERY && url.target.len > 1) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "the value of \"cwmp_public_url\" has a path or "
                      "arguments of its own");
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * NULL: it may be announced; else what speaks against it, for the log.  parsed:
 * it is an origin, at least.
 */

static const char *
ngx_http_cwmp_judge(ngx_http_request_t *r, ngx_str_t *text, cwmp_origin_t *o,
    ngx_uint_t *parsed)
{
    u_char                    *buf;
    ngx_int_t                  rc;
    cwmp_policy_t              policy;
    ngx_http_cwmp_loc_conf_t  *clcf;

    *parsed = 0;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_cwmp_module);

    buf = ngx_pnalloc(r->pool, cwmp_origin_size(text->len));
    if (buf == NULL) {
        return "could not be read, for lack of memory";
    }

    rc = cwmp_origin_parse(o, text, buf);

    if (rc != NGX_OK) {
        ngx_memzero(o, sizeof(cwmp_origin_t));
        return cwmp_origin_strerror(rc);
    }

    *parsed = 1;

    if (clcf->url_mode == CWMP_URL_HOST
        && o->socklen == 0
        && o->host.len > CWMP_LABEL_NAME_MAX)
    {
        return "has a name that is too long for \"cwmp_url_mode host\"";
    }

    ngx_http_cwmp_policy_init(r, &policy);

    rc = cwmp_policy_announce(&policy, o, r->connection->sockaddr);

    return (rc == NGX_OK) ? NULL : cwmp_policy_strerror(rc);
}


static ngx_int_t
ngx_http_cwmp_build_url(ngx_http_request_t *r, ngx_str_t *public,
    ngx_str_t *text, cwmp_origin_t *o, ngx_str_t *sig, ngx_str_t *announced)
{
    u_char                    *p, name[CWMP_LABEL_MAX];
    ngx_str_t                  label;
    ngx_http_cwmp_loc_conf_t  *clcf;

    static ngx_str_t  none = ngx_null_string;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_cwmp_module);

    p = ngx_pnalloc(r->pool, cwmp_url_size(public, &o->target, text, sig)
                             + o->hostport.len + CWMP_LABEL_MAX + o->udp.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    announced->data = p;

    switch (clcf->url_mode) {

    case CWMP_URL_QUERY:

        if (o->udp.len) {
            p = cwmp_url_query(p, public, text, &none);
            p = cwmp_url_udp(p, &o->udp, sig);
            break;
        }

        p = cwmp_url_query(p, public, text, sig);
        break;

    case CWMP_URL_PATH:
        p = cwmp_url_path(p, public, &o->target,
                          o->hostport.len ? &o->hostport : text, sig);
        break;

    default: /* CWMP_URL_HOST */
        label.data = name;

        if (cwmp_label_write(&label, o, sig) != NGX_OK) {
            ngx_str_set(&label, "none");
        }

        p = cwmp_url_host(p, public, &o->target, &label);
    }

    announced->len = p - announced->data;

    return NGX_OK;
}


ngx_uint_t
ngx_http_cwmp_first_time(ngx_http_request_t *r, const char *what,
    const char *reason)
{
    void                       *row;
    u_char                      key[CWMP_TABLE_KEY_LEN];
    ngx_str_t                   parts[3];
    cwmp_table_t               *t;
    ngx_http_cwmp_ctx_t        *ctx;
    ngx_http_cwmp_zone_t       *zone;
    ngx_http_cwmp_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_cwmp_module);
    ctx = ngx_http_get_module_ctx(r, ngx_http_cwmp_module);
    zone = cmcf->shared;

    parts[0].data = (u_char *) what;
    parts[0].len = ngx_strlen(what);
    parts[1].data = (u_char *) reason;
    parts[1].len = ngx_strlen(reason);
    parts[2] = ctx->device_id.len ? ctx->device_id : r->connection->addr_text;

    ngx_http_cwmp_zone_key(zone, key, NGX_HTTP_CWMP_KEY_NOTICE, parts, 3);

    t = ngx_http_cwmp_zone_lock(zone, NGX_HTTP_CWMP_NOTICES);

    row = cwmp_table_get(t, key, ngx_current_msec);

    if (row == NULL) {
        (void) cwmp_table_insert(t, key, ngx_current_msec,
                                 ngx_current_msec + NGX_HTTP_CWMP_QUIET,
                                 ngx_http_cwmp_zone_alive);
    }

    ngx_http_cwmp_zone_unlock(zone, NGX_HTTP_CWMP_NOTICES);

    return row == NULL;
}
