
/*
 * Fieldgate: the configuration of the CWMP module.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_module.h"
#include "ngx_http_cwmp_shared.h"
#include "ngx_http_cwmp_status.h"
#include "ngx_http_cwmp_wakeup.h"


static char *ngx_http_cwmp_check_announce(ngx_conf_t *cf,
    ngx_http_cwmp_loc_conf_t *conf);
static char *ngx_http_cwmp_check_wakeup(ngx_conf_t *cf,
    ngx_http_cwmp_loc_conf_t *conf);
static char *ngx_http_cwmp_check_admission(ngx_conf_t *cf,
    ngx_http_cwmp_main_conf_t *cmcf);
static char *ngx_http_cwmp_check_stun(ngx_conf_t *cf,
    ngx_http_cwmp_main_conf_t *cmcf);
static char *ngx_http_cwmp_error_at(ngx_conf_t *cf,
    ngx_http_cwmp_place_t *place, const char *text);


/* cwmp_origin_allow client, any port */

static cwmp_policy_spec_t  ngx_http_cwmp_client_spec = {
    CWMP_POLICY_CLIENT, 0, 65535, { 0 }, ngx_null_string, NULL
};

static ngx_array_t  ngx_http_cwmp_default_allow = {
    &ngx_http_cwmp_client_spec, 1, sizeof(cwmp_policy_spec_t), 1, NULL
};

static ngx_array_t  ngx_http_cwmp_no_specs = {
    NULL, 0, sizeof(cwmp_policy_spec_t), 0, NULL
};


void *
ngx_http_cwmp_create_main_conf(ngx_conf_t *cf)
{
    /*
     * set by ngx_pcalloc():
     *
     *     conf->zone = NULL;
     *     conf->shared = NULL;
     *     conf->affinity = { { 0, NULL }, 0 };
     *     conf->admission = { { 0, NULL }, 0 };
     *     conf->cookie = { { 0, NULL }, 0 };
     *     conf->upstreams = { NULL };
     *     conf->wakeup = { { 0, NULL }, 0 };
     *     conf->stun = { { 0, NULL }, 0 };
     *     conf->udp = { { 0, NULL }, 0 };
     *     conf->enabled = 0;
     *     conf->traces = NULL;
     *     conf->mapped = 0;
     *     conf->status = 0;
     */

    return ngx_pcalloc(cf->pool, sizeof(ngx_http_cwmp_main_conf_t));
}


void *
ngx_http_cwmp_create_srv_conf(ngx_conf_t *cf)
{
    ngx_http_cwmp_srv_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_cwmp_srv_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     conf->affinity = { { 0, NULL }, 0 };
     *     conf->original_init_peer = NULL;
     *     conf->cookie = { 0, NULL };
     *     conf->index = 0;
     *     conf->admission = { { 0, NULL }, 0 };
     *     conf->limits = { 0 };
     *     conf->counted = 0;
     */

    conf->timeout = 300000;

    return conf;
}


void *
ngx_http_cwmp_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_cwmp_loc_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_cwmp_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     conf->user = NULL;
     *     conf->password = NULL;
     *     conf->status = 0;
     *     conf->*_place = { { 0, NULL }, 0 };
     */

    conf->enable = NGX_CONF_UNSET;
    conf->public_url = NGX_CONF_UNSET_PTR;
    conf->url_mode = NGX_CONF_UNSET_UINT;
    conf->keys = NGX_CONF_UNSET_PTR;
    conf->allow = NGX_CONF_UNSET_PTR;
    conf->deny = NGX_CONF_UNSET_PTR;
    conf->parameters = NGX_CONF_UNSET_PTR;
    conf->require = NGX_CONF_UNSET_PTR;
    conf->url_map = NGX_CONF_UNSET_PTR;
    conf->on_error = NGX_CONF_UNSET_UINT;
    conf->max_body = NGX_CONF_UNSET_SIZE;
    conf->max_ratio = NGX_CONF_UNSET;
    conf->acs_auth = NGX_CONF_UNSET_UINT;
    conf->udp = NGX_CONF_UNSET_UINT;
    conf->cpe_basic = NGX_CONF_UNSET;
    conf->timeout = NGX_CONF_UNSET_MSEC;
    conf->connect_timeout = NGX_CONF_UNSET_MSEC;
    conf->bind = NGX_CONF_UNSET_PTR;
    conf->trace = NGX_CONF_UNSET_UINT;

    return conf;
}


char *
ngx_http_cwmp_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_cwmp_loc_conf_t *prev = parent;
    ngx_http_cwmp_loc_conf_t *conf = child;

    char                      *rv;
    ngx_http_core_loc_conf_t  *clcf;

    if (conf->enable == NGX_CONF_UNSET) {
        conf->enable_place = prev->enable_place;
    }

    if (conf->url_mode == NGX_CONF_UNSET_UINT) {
        conf->mode_place = prev->mode_place;
    }

    if (conf->udp == NGX_CONF_UNSET_UINT) {
        conf->udp_place = prev->udp_place;
    }

    ngx_conf_merge_value(conf->enable, prev->enable, 0);
    ngx_conf_merge_ptr_value(conf->public_url, prev->public_url, NULL);
    ngx_conf_merge_uint_value(conf->url_mode, prev->url_mode,
                              CWMP_URL_QUERY);
    ngx_conf_merge_ptr_value(conf->keys, prev->keys, NULL);
    ngx_conf_merge_ptr_value(conf->allow, prev->allow,
                             &ngx_http_cwmp_default_allow);
    ngx_conf_merge_ptr_value(conf->deny, prev->deny, &ngx_http_cwmp_no_specs);
    ngx_conf_merge_ptr_value(conf->parameters, prev->parameters, NULL);
    ngx_conf_merge_ptr_value(conf->require, prev->require, NULL);
    ngx_conf_merge_ptr_value(conf->url_map, prev->url_map, NULL);
    ngx_conf_merge_uint_value(conf->on_error, prev->on_error,
                              NGX_HTTP_CWMP_ERROR_REJECT);
    ngx_conf_merge_size_value(conf->max_body, prev->max_body,
                              16 * 1024 * 1024);
    ngx_conf_merge_value(conf->max_ratio, prev->max_ratio, 40);
    ngx_conf_merge_uint_value(conf->udp, prev->udp,
                              NGX_HTTP_CWMP_UDP_FALLBACK);
    ngx_conf_merge_value(conf->cpe_basic, prev->cpe_basic, 0);
    ngx_conf_merge_msec_value(conf->timeout, prev->timeout, 1800);
    ngx_conf_merge_msec_value(conf->connect_timeout, prev->connect_timeout,
                              1000);
    ngx_conf_merge_ptr_value(conf->bind, prev->bind, NULL);

    if (ngx_http_cwmp_trace_merge(cf, prev, conf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    /* "if" in a wake-up location: its handler is inherited, so are we */

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->noname) {
        conf->wakeup_place = prev->wakeup_place;
        conf->user = prev->user;
        conf->password = prev->password;
        conf->credentials_place = prev->credentials_place;

        if (conf->acs_auth == NGX_CONF_UNSET_UINT) {
            conf->acs_auth = prev->acs_auth;
            conf->acs_auth_place = prev->acs_auth_place;
        }
    }

    ngx_conf_init_uint_value(conf->acs_auth,
                             conf->user ? NGX_HTTP_CWMP_ACS_NONE
                                        : NGX_HTTP_CWMP_ACS_BASIC);

    if (clcf->lmt_excpt && clcf->handler == NULL && conf->wakeup_place.line) {
        clcf->handler = ngx_http_cwmp_wakeup_handler;
    }

    /* a server's or http's own values are complete only in its locations */

    if (clcf->name.len == 0 && !clcf->noname) {
        return NGX_CONF_OK;
    }

    if (conf->wakeup_place.line) {
        return ngx_http_cwmp_check_wakeup(cf, conf);
    }

    if (conf->credentials_place.line) {
        return ngx_http_cwmp_error_at(cf, &conf->credentials_place,
                   "\"cwmp_credentials\" has no effect without "
                   "\"cwmp_connection_request\"");
    }

    if (conf->udp_place.line) {
        return ngx_http_cwmp_error_at(cf, &conf->udp_place,
                   "\"cwmp_udp\" has no effect without "
                   "\"cwmp_connection_request\"");
    }

    if (conf->acs_auth_place.line) {
        return ngx_http_cwmp_error_at(cf, &conf->acs_auth_place,
                   "\"cwmp_acs_auth\" has no effect without "
                   "\"cwmp_connection_request\"");
    }

    if (conf->url_map_place.line && !conf->enable) {
        return ngx_http_cwmp_error_at(cf, &conf->url_map_place,
                   "\"cwmp_url_map\" has no effect without \"cwmp on\"");
    }

    rv = NGX_CONF_OK;

    if (conf->enable) {
        rv = ngx_http_cwmp_check_announce(cf, conf);
    }

    return rv;
}


static char *
ngx_http_cwmp_check_announce(ngx_conf_t *cf, ngx_http_cwmp_loc_conf_t *conf)
{
    ngx_str_t                  *text;
    cwmp_origin_t               url;
    ngx_http_cwmp_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_cwmp_module);

    if (cmcf->cookie.line && conf->keys == NULL) {
        return ngx_http_cwmp_error_at(cf, &conf->enable_place,
                   "\"cwmp on\" needs a \"cwmp_secret\" where an upstream has "
                   "\"cwmp_affinity\" with a cookie");
    }

    if (conf->public_url == NULL) {
        return ngx_http_cwmp_error_at(cf, &conf->enable_place,
                   "\"cwmp on\" needs a \"cwmp_public_url\"");
    }

    if (conf->url_mode != CWMP_URL_QUERY && conf->keys == NULL) {
        return ngx_http_cwmp_error_at(cf, &conf->mode_place,
                   (conf->url_mode == CWMP_URL_HOST)
                   ? "\"cwmp_url_mode host\" needs a \"cwmp_secret\""
                   : "\"cwmp_url_mode path\" needs a \"cwmp_secret\"");
    }

    if (conf->public_url->lengths) {
        return NGX_CONF_OK;
    }

    text = &conf->public_url->value;

    if (conf->url_mode == CWMP_URL_HOST && cwmp_url_star(text) == NULL) {
        return ngx_http_cwmp_error_at(cf, &conf->mode_place,
                   "\"cwmp_url_mode host\" needs a \"cwmp_public_url\" like "
                   "\"http://*.cpe.example:7548\"");
    }

    if (conf->url_mode != CWMP_URL_HOST && cwmp_url_star(text)) {
        return ngx_http_cwmp_error_at(cf, &conf->enable_place,
                   "\"cwmp_public_url\" with \"*\" needs "
                   "\"cwmp_url_mode host\"");
    }

    if (ngx_http_cwmp_parse_public_url(cf, conf->url_mode, text, &url)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (conf->url_mode != CWMP_URL_QUERY && url.target.len > 1) {
        return ngx_http_cwmp_error_at(cf, &conf->mode_place,
                   (conf->url_mode == CWMP_URL_HOST)
                   ? "\"cwmp_public_url\" has a path or arguments of its own, "
                     "which \"cwmp_url_mode host\" takes from the CPE"
                   : "\"cwmp_public_url\" has a path or arguments of its own, "
                     "which \"cwmp_url_mode path\" takes from the CPE");
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_cwmp_check_wakeup(ngx_conf_t *cf, ngx_http_cwmp_loc_conf_t *conf)
{
    cwmp_policy_t           policy;
    ngx_http_cwmp_place_t  *place;

    place = &conf->wakeup_place;

    ngx_memzero(&policy, sizeof(cwmp_policy_t));

    policy.allow = conf->allow->elts;
    policy.nallow = conf->allow->nelts;

    if (conf->keys == NULL && conf->url_mode != CWMP_URL_QUERY) {
        return ngx_http_cwmp_error_at(cf, place,
                   (conf->url_mode == CWMP_URL_HOST)
                   ? "\"cwmp_connection_request\" with "
                     "\"cwmp_url_mode host\" needs a \"cwmp_secret\""
                   : "\"cwmp_connection_request\" with "
                     "\"cwmp_url_mode path\" needs a \"cwmp_secret\"");
    }

    if (conf->keys == NULL && conf->user) {
        return ngx_http_cwmp_error_at(cf, &conf->credentials_place,
                   "\"cwmp_credentials\" needs a \"cwmp_secret\"");
    }

    if (conf->url_mode != CWMP_URL_QUERY && conf->user) {
        return ngx_http_cwmp_error_at(cf, &conf->credentials_place,
                   (conf->url_mode == CWMP_URL_HOST)
                   ? "\"cwmp_credentials\" and \"cwmp_url_mode host\" exclude "
                     "each other: in host mode the ACS has the credentials"
                   : "\"cwmp_credentials\" and \"cwmp_url_mode path\" exclude "
                     "each other: in path mode the ACS has the credentials");
    }

    if (conf->url_mode != CWMP_URL_QUERY && conf->acs_auth_place.line) {
        return ngx_http_cwmp_error_at(cf, &conf->acs_auth_place,
                   "\"cwmp_acs_auth\" needs \"cwmp_url_mode query\": "
                   "otherwise the CPE asks the ACS itself");
    }

    if (conf->acs_auth == NGX_HTTP_CWMP_ACS_DIGEST && conf->user == NULL) {
        return ngx_http_cwmp_error_at(cf, &conf->acs_auth_place,
                   "\"cwmp_acs_auth digest\" needs \"cwmp_credentials\", "
                   "by which a response is checked");
    }

    if (conf->url_mode != CWMP_URL_QUERY && conf->udp_place.line) {
        return ngx_http_cwmp_error_at(cf, &conf->udp_place,
                   "\"cwmp_udp\" needs \"cwmp_url_mode query\": in the other "
                   "modes nginx has no credentials to sign a request with");
    }

    if (conf->keys == NULL && !cwmp_policy_has_cidr(&policy)) {
        return ngx_http_cwmp_error_at(cf, place,
                   "\"cwmp_connection_request\" would be an open proxy: it "
                   "needs a \"cwmp_secret\", or an address or a CIDR in "
                   "\"cwmp_origin_allow\"");
    }

    if (conf->timeout == 0 || conf->connect_timeout == 0) {
        return ngx_http_cwmp_error_at(cf, place,
                   "\"cwmp_timeout\" and \"cwmp_connect_timeout\" must not "
                   "be zero");
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_cwmp_check_main_conf(ngx_conf_t *cf, ngx_http_cwmp_main_conf_t *cmcf)
{
    if (cmcf->cookie.line && !cmcf->enabled) {
        (void) ngx_http_cwmp_error_at(cf, &cmcf->cookie,
                   "\"cwmp_affinity\" with a cookie needs \"cwmp on\"");
        return NGX_ERROR;
    }

    if (ngx_http_cwmp_check_admission(cf, cmcf) != NGX_CONF_OK
        || ngx_http_cwmp_check_stun(cf, cmcf) != NGX_CONF_OK)
    {
        return NGX_ERROR;
    }

    if (cmcf->zone) {
        cmcf->shared->status = cmcf->status;
    }

    if (cmcf->zone
        || (!cmcf->enabled && !cmcf->status
            && cmcf->affinity.line == 0 && cmcf->wakeup.line == 0))
    {
        return NGX_OK;
    }

    if (cmcf->affinity.line) {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                      "no \"cwmp_zone\": a CPE that comes back to another "
                      "worker is not recognized by \"cwmp_affinity\" in %V:%ui",
                      &cmcf->affinity.file, cmcf->affinity.line);
    }

    if (cmcf->wakeup.line) {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                      "no \"cwmp_zone\": workers do not share the calls of "
                      "\"cwmp_connection_request\" in %V:%ui",
                      &cmcf->wakeup.file, cmcf->wakeup.line);
    }

    cmcf->shared = ngx_http_cwmp_zone_private(cf, cmcf->status);

    return cmcf->shared ? NGX_OK : NGX_ERROR;
}


static char *
ngx_http_cwmp_check_admission(ngx_conf_t *cf, ngx_http_cwmp_main_conf_t *cmcf)
{
    ngx_uint_t                       i;
    ngx_http_cwmp_srv_conf_t        *cscf;
    ngx_http_upstream_srv_conf_t   **uscf;
    ngx_http_upstream_main_conf_t   *umcf;

    if (cmcf->admission.line == 0) {
        return NGX_CONF_OK;
    }

    if (cmcf->zone == NULL) {
        return ngx_http_cwmp_error_at(cf, &cmcf->admission,
                   "\"cwmp_admission\" needs a \"cwmp_zone\", in which all "
                   "workers count");
    }

    if (!cmcf->enabled) {
        return ngx_http_cwmp_error_at(cf, &cmcf->admission,
                   "\"cwmp_admission\" needs \"cwmp on\", which finds the "
                   "messages that begin a session");
    }

    umcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_upstream_module);

    uscf = umcf->upstreams.elts;

    for (i = 0; i < umcf->upstreams.nelts; i++) {

        if (uscf[i]->srv_conf == NULL) {
            continue;
        }

        cscf = ngx_http_conf_upstream_srv_conf(uscf[i], ngx_http_cwmp_module);

        if (cscf->admission.line && cscf->affinity.line == 0) {
            return ngx_http_cwmp_error_at(cf, &cscf->admission,
                       "\"cwmp_admission\" needs \"cwmp_affinity\" in the "
                       "same upstream");
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_cwmp_check_stun(ngx_conf_t *cf, ngx_http_cwmp_main_conf_t *cmcf)
{
    if (cmcf->stun.line == 0) {

        if (cmcf->udp.line) {
            return ngx_http_cwmp_error_at(cf, &cmcf->udp,
                       "\"cwmp_udp\" needs a \"cwmp_stun\", where CPEs ask for "
                       "their addresses");
        }

        return NGX_CONF_OK;
    }

    if (cmcf->zone == NULL) {
        return ngx_http_cwmp_error_at(cf, &cmcf->stun,
                   "\"cwmp_stun\" needs a \"cwmp_zone\", which holds the "
                   "bindings");
    }

    cmcf->shared->stun = 1;

    return NGX_CONF_OK;
}


/* an http URL like that of a CPE: the ACS connects to it as to a CPE */

ngx_int_t
ngx_http_cwmp_parse_public_url(ngx_conf_t *cf, ngx_uint_t mode,
    ngx_str_t *text, cwmp_origin_t *url)
{
    u_char     *buf;
    ngx_int_t   rc;

    buf = ngx_palloc(cf->temp_pool, cwmp_origin_size(text->len) + text->len);
    if (buf == NULL) {
        return NGX_ERROR;
    }

    rc = cwmp_origin_parse_public(url, mode, text, buf);

    if (rc != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "public URL \"%V\" %s",
                           text, cwmp_origin_strerror(rc));
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* logs as ngx_conf_log_error() does, with the place of the directive */

static char *
ngx_http_cwmp_error_at(ngx_conf_t *cf, ngx_http_cwmp_place_t *place,
    const char *text)
{
    ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "%s in %V:%ui",
                  text, &place->file, place->line);

    return NGX_CONF_ERROR;
}
