
/*
 * Fieldgate: ntrip_source_ssl_*: TLS towards providers, as proxy_ssl_* of nginx
 * has it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>

#include "ngx_stream_ntrip.h"


#if (NGX_STREAM_SSL)


static ngx_uint_t ngx_stream_ntrip_ssl_inherits(ngx_stream_ntrip_ssl_t *conf);
static char *ngx_stream_ntrip_ssl_context(ngx_conf_t *cf,
    ngx_stream_ntrip_ssl_t *conf);
static char *ngx_stream_ntrip_ssl_trust(ngx_conf_t *cf,
    ngx_stream_ntrip_ssl_t *conf);
static void ngx_stream_ntrip_ssl_cleanup(void *data);


char *
ngx_stream_ntrip_ssl_name(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_stream_ntrip_srv_conf_t *nscf = conf;

    ngx_str_t  *value;

    value = cf->args->elts;

    if (nscf->ssl.name.data) {
        return "is duplicate";
    }

    if (value[1].len == 0 || value[1].len > NTRIP_HOST_MAX) {
        return "needs a name of 1 to 255 characters";
    }

    if (ngx_strlchr(value[1].data, value[1].data + value[1].len, '$')) {
        return "has a variable, for which there is no session here";
    }

    nscf->ssl.name = value[1];

    return NGX_CONF_OK;
}


/* the values that can be wrong in a way which only OpenSSL knows */

char *
ngx_stream_ntrip_ssl_value(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_stream_ntrip_srv_conf_t *nscf = conf;

    if (cmd->offset == offsetof(ngx_stream_ntrip_srv_conf_t, ssl.ciphers)) {
        ngx_stream_ntrip_note_place(cf, &nscf->ssl.ciphers_place);

    } else {
        ngx_stream_ntrip_note_place(cf, &nscf->ssl.trusted_place);
    }

    return ngx_conf_set_str_slot(cf, cmd, conf);
}


void
ngx_stream_ntrip_ssl_init(ngx_stream_ntrip_ssl_t *conf)
{
    conf->verify = NGX_CONF_UNSET;
    conf->server_name = NGX_CONF_UNSET;
    conf->session_reuse = NGX_CONF_UNSET;
}


char *
ngx_stream_ntrip_ssl_merge(ngx_conf_t *cf, ngx_stream_ntrip_ssl_t *prev,
    ngx_stream_ntrip_ssl_t *conf, ngx_uint_t used)
{
    char        *rv;
    ngx_uint_t   inherits;

    inherits = ngx_stream_ntrip_ssl_inherits(conf);

    if (conf->ciphers.data == NULL) {
        conf->ciphers_place = prev->ciphers_place;
    }

    if (conf->trusted.data == NULL) {
        conf->trusted_place = prev->trusted_place;
    }

    ngx_conf_merge_value(conf->verify, prev->verify, 1);
    ngx_conf_merge_str_value(conf->trusted, prev->trusted, "");
    ngx_conf_merge_str_value(conf->name, prev->name, "");
    ngx_conf_merge_value(conf->server_name, prev->server_name, 0);
    ngx_conf_merge_bitmask_value(conf->protocols, prev->protocols,
                                 (NGX_CONF_BITMASK_SET
                                  |NGX_SSL_TLSv1_2|NGX_SSL_TLSv1_3));
    ngx_conf_merge_str_value(conf->ciphers, prev->ciphers, "DEFAULT");
    ngx_conf_merge_value(conf->session_reuse, prev->session_reuse, 1);

    if (!used) {
        return NGX_CONF_OK;
    }

    if (inherits && prev->ssl) {
        conf->ssl = prev->ssl;
        conf->sessions = prev->sessions;

        return NGX_CONF_OK;
    }

    rv = ngx_stream_ntrip_ssl_context(cf, conf);

    if (rv == NGX_CONF_OK && inherits) {
        prev->ssl = conf->ssl;
        prev->sessions = conf->sessions;
    }

    return rv;
}


/* all that a context is made of? */

static ngx_uint_t
ngx_stream_ntrip_ssl_inherits(ngx_stream_ntrip_ssl_t *conf)
{
    return conf->verify == NGX_CONF_UNSET
           && conf->trusted.data == NULL
           && conf->protocols == 0
           && conf->ciphers.data == NULL
           && conf->session_reuse == NGX_CONF_UNSET;
}


static char *
ngx_stream_ntrip_ssl_context(ngx_conf_t *cf, ngx_stream_ntrip_ssl_t *conf)
{
    ngx_pool_cleanup_t  *cln;

    conf->ssl = ngx_pcalloc(cf->pool, sizeof(ngx_ssl_t));
    conf->sessions = ngx_pcalloc(cf->pool,
                                 NGX_STREAM_NTRIP_SSL_SESSIONS
                                 * sizeof(ngx_stream_ntrip_ssl_session_t));

    if (conf->ssl == NULL || conf->sessions == NULL) {
        return NGX_CONF_ERROR;
    }

    conf->ssl->log = cf->log;

    if (ngx_ssl_create(conf->ssl, conf->protocols, NULL) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        ngx_ssl_cleanup_ctx(conf->ssl);
        return NGX_CONF_ERROR;
    }

    cln->handler = ngx_ssl_cleanup_ctx;
    cln->data = conf->ssl;

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        return NGX_CONF_ERROR;
    }

    cln->handler = ngx_stream_ntrip_ssl_cleanup;
    cln->data = conf->sessions;

    if (ngx_ssl_ciphers(cf, conf->ssl, &conf->ciphers, 0) != NGX_OK) {
        return conf->ciphers_place.line
               ? ngx_stream_ntrip_error_at(cf, &conf->ciphers_place,
                     "\"ntrip_source_ssl_ciphers\" names no ciphers")
               : NGX_CONF_ERROR;
    }

    if (ngx_ssl_client_session_cache(cf, conf->ssl, conf->session_reuse)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return ngx_stream_ntrip_ssl_trust(cf, conf);
}


/* a chain may have any length: OpenSSL's own limit is kept */

static char *
ngx_stream_ntrip_ssl_trust(ngx_conf_t *cf, ngx_stream_ntrip_ssl_t *conf)
{
    if (conf->trusted.len) {
        if (ngx_ssl_trusted_certificate(cf, conf->ssl, &conf->trusted,
                             SSL_CTX_get_verify_depth(conf->ssl->ctx))
            != NGX_OK)
        {
            return ngx_stream_ntrip_error_at(cf, &conf->trusted_place,
                       "\"ntrip_source_ssl_trusted_certificate\" cannot be "
                       "read");
        }

        return NGX_CONF_OK;
    }

    if (conf->verify
        && SSL_CTX_set_default_verify_paths(conf->ssl->ctx) == 0)
    {
        ngx_ssl_error(NGX_LOG_EMERG, cf->log, 0,
                      "SSL_CTX_set_default_verify_paths() failed");
        return NGX_CONF_ERROR;
    }

    ERR_clear_error();

    return NGX_CONF_OK;
}


static void
ngx_stream_ntrip_ssl_cleanup(void *data)
{
    ngx_uint_t                       i;
    ngx_stream_ntrip_ssl_session_t  *session;

    session = data;

    for (i = 0; i < NGX_STREAM_NTRIP_SSL_SESSIONS; i++) {
        if (session[i].session) {
            ngx_ssl_free_session(session[i].session);
        }
    }
}


#endif
