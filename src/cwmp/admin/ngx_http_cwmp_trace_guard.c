
/*
 * Fieldgate: "cwmp_trace", and whether everybody can reach it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_reply.h"
#include "ngx_http_cwmp_status.h"


/* a location with "cwmp_trace", or an "if" in it */

typedef struct {
    ngx_http_core_loc_conf_t   *clcf;
    void                      **srv_conf;
} ngx_http_cwmp_traced_t;


/* the rules of ngx_http_access_module, which are its own */

typedef struct {
    in_addr_t                   mask;
    in_addr_t                   addr;
    ngx_uint_t                  deny;
} ngx_http_cwmp_rule_t;

#if (NGX_HAVE_INET6)

typedef struct {
    struct in6_addr             addr;
    struct in6_addr             mask;
    ngx_uint_t                  deny;
} ngx_http_cwmp_rule6_t;

#endif

#if (NGX_HAVE_UNIX_DOMAIN)

typedef struct {
    ngx_uint_t                  deny;
} ngx_http_cwmp_rule_un_t;

#endif

typedef struct {
    ngx_array_t                *rules;
#if (NGX_HAVE_INET6)
    ngx_array_t                *rules6;
#endif
#if (NGX_HAVE_UNIX_DOMAIN)
    ngx_array_t                *rules_un;
#endif
} ngx_http_cwmp_access_t;


static ngx_uint_t ngx_http_cwmp_trace_safe(ngx_conf_t *cf,
    ngx_http_cwmp_traced_t *traced);
static ngx_uint_t ngx_http_cwmp_trace_guarded(ngx_conf_t *cf,
    void **loc_conf, void **srv_conf);
static ngx_int_t ngx_http_cwmp_trace_guard(const char *name, void *conf);
static ngx_int_t ngx_http_cwmp_trace_access(ngx_http_cwmp_access_t *conf);
static ngx_int_t ngx_http_cwmp_trace_rules(ngx_array_t *rules, size_t mask,
    size_t len, size_t deny);


static ngx_conf_enum_t  ngx_http_cwmp_traces[] = {
    { ngx_string("off"), NGX_HTTP_CWMP_TRACE_OFF },
    { ngx_string("on"), NGX_HTTP_CWMP_TRACE_ON },
    { ngx_string("unguarded"), NGX_HTTP_CWMP_TRACE_UNGUARDED },
    { ngx_null_string, 0 }
};


char *
ngx_http_cwmp_trace(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cwmp_loc_conf_t *clcf = conf;

    ngx_command_t  slot;

    slot = *cmd;
    slot.post = ngx_http_cwmp_traces;

    clcf->trace_place.file = cf->conf_file->file.name;
    clcf->trace_place.line = cf->conf_file->line;

    return ngx_conf_set_enum_slot(cf, &slot, conf);
}


char *
ngx_http_cwmp_trace_merge(ngx_conf_t *cf, ngx_http_cwmp_loc_conf_t *prev,
    ngx_http_cwmp_loc_conf_t *conf)
{
    ngx_http_cwmp_traced_t     *traced;
    ngx_http_core_loc_conf_t   *clcf;
    ngx_http_cwmp_main_conf_t  *cmcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    /* "limit_except" and "if" are the same location */

    if (clcf->noname && !conf->status) {
        conf->status = prev->status;
        conf->whole = prev->whole;
        conf->trace = prev->trace;
        conf->trace_place = prev->trace_place;

        if (clcf->lmt_excpt && clcf->handler == NULL && conf->status) {
            clcf->handler = ngx_http_cwmp_status_handler;
        }
    }

    ngx_conf_init_uint_value(conf->trace, NGX_HTTP_CWMP_TRACE_OFF);

    if (conf->trace == NGX_HTTP_CWMP_TRACE_OFF || clcf->lmt_excpt) {
        return NGX_CONF_OK;
    }

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_cwmp_module);

    if (cmcf->traces == NULL) {
        cmcf->traces = ngx_array_create(cf->pool, 2,
                                        sizeof(ngx_http_cwmp_traced_t));
        if (cmcf->traces == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    traced = ngx_array_push(cmcf->traces);
    if (traced == NULL) {
        return NGX_CONF_ERROR;
    }

    traced->clcf = clcf;
    traced->srv_conf = ((ngx_http_conf_ctx_t *) cf->ctx)->srv_conf;

    return NGX_CONF_OK;
}


ngx_int_t
ngx_http_cwmp_trace_init(ngx_conf_t *cf)
{
    ngx_uint_t                  i;
    ngx_http_cwmp_traced_t     *traced;
    ngx_http_cwmp_loc_conf_t   *clcf;
    ngx_http_cwmp_main_conf_t  *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_cwmp_module);

    if (cmcf->traces == NULL) {
        return NGX_OK;
    }

    traced = cmcf->traces->elts;

    for (i = 0; i < cmcf->traces->nelts; i++) {

        clcf = traced[i].clcf->loc_conf[ngx_http_cwmp_module.ctx_index];

        if (!clcf->status) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"cwmp_trace\" needs \"cwmp_status\" in the same "
                          "location in %V:%ui", &clcf->trace_place.file,
                          clcf->trace_place.line);
            return NGX_ERROR;
        }

        if (clcf->trace == NGX_HTTP_CWMP_TRACE_UNGUARDED
            || ngx_http_cwmp_trace_safe(cf, &traced[i]))
        {
            continue;
        }

        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"cwmp_trace on\" in a location that anybody can "
                      "reach: it needs \"deny all\", \"auth_basic\" and "
                      "\"auth_basic_user_file\", \"auth_request\" or "
                      "\"ssl_verify_client on\", or has to be "
                      "\"unguarded\", in %V:%ui", &clcf->trace_place.file,
                      clcf->trace_place.line);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* each method that there is: "limit_except" has a configuration of its own for
   those that it does not name */

static ngx_uint_t
ngx_http_cwmp_trace_safe(ngx_conf_t *cf, ngx_http_cwmp_traced_t *traced)
{
    void      **except;
    uint32_t    excepted;

    except = traced->clcf->limit_except_loc_conf;
    excepted = except ? traced->clcf->limit_except & NGX_HTTP_CWMP_TRACE_METHODS
                      : 0;

    if (excepted != NGX_HTTP_CWMP_TRACE_METHODS
        && !ngx_http_cwmp_trace_guarded(cf, traced->clcf->loc_conf,
                                        traced->srv_conf))
    {
        return 0;
    }

    return excepted == 0
           || ngx_http_cwmp_trace_guarded(cf, except, traced->srv_conf);
}


static ngx_uint_t
ngx_http_cwmp_trace_guarded(ngx_conf_t *cf, void **loc_conf, void **srv_conf)
{
    ngx_int_t                  rc;
    ngx_uint_t                 i, guarded;
    ngx_module_t              *m;
    ngx_http_core_loc_conf_t  *core;
#if (NGX_HTTP_SSL)
    ngx_http_ssl_srv_conf_t   *sscf;
    ngx_http_cwmp_loc_conf_t  *clcf;
#endif

    core = loc_conf[ngx_http_core_module.ctx_index];
    guarded = 0;

    for (i = 0; cf->cycle->modules[i]; i++) {
        m = cf->cycle->modules[i];

        if (m->type != NGX_HTTP_MODULE) {
            continue;
        }

        rc = ngx_http_cwmp_trace_guard(m->name, loc_conf[m->ctx_index]);

        if (rc == NGX_ABORT && core->satisfy == NGX_HTTP_SATISFY_ANY) {
            guarded = 0;
            break;
        }

        guarded |= (rc == NGX_OK);
    }

    if (guarded) {
        return 1;
    }

#if (NGX_HTTP_SSL)

    sscf = srv_conf[ngx_http_ssl_module.ctx_index];

    if (sscf->verify == 1) {
        clcf = loc_conf[ngx_http_cwmp_module.ctx_index];
        clcf->certified = 1;

        return 1;
    }

#endif

    return 0;
}


ngx_uint_t
ngx_http_cwmp_trace_certified(ngx_http_request_t *r)
{
#if (NGX_HTTP_SSL)
    ngx_http_cwmp_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_cwmp_module);

    if (clcf->certified) {
        return r->http_connection->ssl;
    }

#endif

    return 1;
}


/*
 * What these modules of nginx have in front of their configurations, which are
 * their own: lists of rules; the realm and the file of users; the URI.
 * t/cwmp-trace.t would notice another one.
 *
 * NGX_OK: it lets in whom it knows.  NGX_ABORT: everybody, with "satisfy any"
 * even those whom others refuse.  NGX_DECLINED: it says nothing.
 */

static ngx_int_t
ngx_http_cwmp_trace_guard(const char *name, void *conf)
{
    ngx_str_t                  *uri;
    ngx_http_complex_value_t  **realm;

    if (ngx_strcmp(name, "ngx_http_access_module") == 0) {
        return ngx_http_cwmp_trace_access(conf);
    }

    if (ngx_strcmp(name, "ngx_http_auth_basic_module") == 0) {
        realm = conf;

        /* without a file of users it lets everybody in */

        return (realm[0] != NULL && realm[0] != NGX_CONF_UNSET_PTR
                && realm[1] != NULL && realm[1] != NGX_CONF_UNSET_PTR
                && !(realm[0]->value.len == 3
                     && ngx_strncmp(realm[0]->value.data, "off", 3) == 0))
               ? NGX_OK : NGX_DECLINED;
    }

    if (ngx_strcmp(name, "ngx_http_auth_request_module") == 0) {
        uri = conf;

        return uri->len ? NGX_OK : NGX_DECLINED;
    }

    return NGX_DECLINED;
}


/* of each kind of address */

static ngx_int_t
ngx_http_cwmp_trace_access(ngx_http_cwmp_access_t *conf)
{
    ngx_int_t  rc, one;

    rc = ngx_http_cwmp_trace_rules(conf->rules,
                                   offsetof(ngx_http_cwmp_rule_t, mask),
                                   sizeof(in_addr_t),
                                   offsetof(ngx_http_cwmp_rule_t, deny));

#if (NGX_HAVE_INET6)

    one = ngx_http_cwmp_trace_rules(conf->rules6,
                                    offsetof(ngx_http_cwmp_rule6_t, mask),
                                    sizeof(struct in6_addr),
                                    offsetof(ngx_http_cwmp_rule6_t, deny));

    rc = (rc == NGX_OK || one == NGX_ABORT) ? one : rc;

#endif

#if (NGX_HAVE_UNIX_DOMAIN)

    one = ngx_http_cwmp_trace_rules(conf->rules_un, 0, 0,
                                    offsetof(ngx_http_cwmp_rule_un_t, deny));

    rc = (rc == NGX_OK || one == NGX_ABORT) ? one : rc;

#endif

    return rc;
}


/* the first rule that fits is the one that counts, and who fits none is let in:
   what does the first one do that has a mask of zeros, and so fits all? */

static ngx_int_t
ngx_http_cwmp_trace_rules(ngx_array_t *rules, size_t mask, size_t len,
    size_t deny)
{
    u_char      *rule;
    ngx_uint_t   i;

    static u_char  zeros[16];

    if (rules == NULL) {
        return NGX_DECLINED;
    }

    rule = rules->elts;

    for (i = 0; i < rules->nelts; i++, rule += rules->size) {

        if (ngx_memcmp(rule + mask, zeros, len) == 0) {
            return *(ngx_uint_t *) (rule + deny) ? NGX_OK : NGX_ABORT;
        }
    }

    return NGX_DECLINED;
}
