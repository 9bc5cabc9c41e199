
/*
 * Fieldgate: "cwmp_trace", and whether everybody can reach it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_guard.h"

#include "ngx_http_cwmp_reply.h"
#include "ngx_http_cwmp_status.h"


/* a location with "cwmp_trace", or an "if" in it */

typedef struct {
    ngx_http_core_loc_conf_t   *clcf;
    void                      **srv_conf;
} ngx_http_cwmp_traced_t;


static void ngx_http_cwmp_trace_certify(void **loc_conf);


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
            || ngx_http_guard_location(cf, traced[i].clcf, traced[i].srv_conf,
                                       NGX_HTTP_CWMP_TRACE_METHODS,
                                       ngx_http_cwmp_trace_certify))
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


static void
ngx_http_cwmp_trace_certify(void **loc_conf)
{
    ngx_http_cwmp_loc_conf_t  *clcf;

    clcf = loc_conf[ngx_http_cwmp_module.ctx_index];
    clcf->certified = 1;
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
