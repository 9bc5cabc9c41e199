
/*
 * Fieldgate: CWMP (TR-069) proxy and connection requests.
 *
 * The table of contents: directives and hooks.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_attach.h"
#include "ngx_http_cwmp_inform.h"
#include "ngx_http_cwmp_module.h"
#include "ngx_http_cwmp_session.h"
#include "ngx_http_cwmp_shared.h"
#include "ngx_http_cwmp_status.h"
#include "ngx_http_cwmp_stun.h"
#include "ngx_http_cwmp_wakeup.h"


static ngx_int_t ngx_http_cwmp_preconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_cwmp_postconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_http_cwmp_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_cwmp_message(ngx_http_request_t *r);
static ngx_int_t ngx_http_cwmp_init_process(ngx_cycle_t *cycle);


static ngx_conf_enum_t  ngx_http_cwmp_on_error[] = {
    { ngx_string("reject"), NGX_HTTP_CWMP_ERROR_REJECT },
    { ngx_string("pass"), NGX_HTTP_CWMP_ERROR_PASS },
    { ngx_null_string, 0 }
};


static ngx_conf_num_bounds_t  ngx_http_cwmp_max_ratio_bounds = {
    ngx_conf_check_num_bounds, 1, -1
};


static ngx_command_t  ngx_http_cwmp_commands[] = {

    { ngx_string("cwmp_zone"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_cwmp_zone,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("cwmp_stun"),
      NGX_HTTP_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_http_cwmp_stun,
      NGX_HTTP_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("cwmp_affinity"),
      NGX_HTTP_UPS_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE12,
      ngx_http_cwmp_affinity,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("cwmp_admission"),
      NGX_HTTP_UPS_CONF|NGX_CONF_ANY,
      ngx_http_cwmp_admission,
      NGX_HTTP_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("cwmp"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_http_cwmp_flag,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cwmp_loc_conf_t, enable),
      NULL },

    { ngx_string("cwmp_public_url"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_cwmp_public_url,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cwmp_loc_conf_t, public_url),
      NULL },

    { ngx_string("cwmp_url_mode"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_cwmp_url_mode,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("cwmp_secret"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_cwmp_secret,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("cwmp_secret_file"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_cwmp_secret_file,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("cwmp_origin_allow"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_cwmp_origins,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cwmp_loc_conf_t, allow),
      NULL },

    { ngx_string("cwmp_origin_deny"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_cwmp_origins,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cwmp_loc_conf_t, deny),
      NULL },

    { ngx_string("cwmp_parameter"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_cwmp_parameter,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("cwmp_require"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_1MORE,
      ngx_http_cwmp_require,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("cwmp_url_map"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE2,
      ngx_http_cwmp_url_map,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("cwmp_on_error"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cwmp_loc_conf_t, on_error),
      &ngx_http_cwmp_on_error },

    { ngx_string("cwmp_max_body"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_size_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cwmp_loc_conf_t, max_body),
      NULL },

    { ngx_string("cwmp_max_ratio"),
      NGX_HTTP_MAIN_CONF|NGX_HTTP_SRV_CONF|NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_num_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cwmp_loc_conf_t, max_ratio),
      &ngx_http_cwmp_max_ratio_bounds },

    { ngx_string("cwmp_connection_request"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_cwmp_wakeup,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("cwmp_credentials"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE2,
      ngx_http_cwmp_credentials,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("cwmp_acs_auth"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_cwmp_acs_auth,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("cwmp_cpe_basic"),
      NGX_HTTP_LOC_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cwmp_loc_conf_t, cpe_basic),
      NULL },

    { ngx_string("cwmp_udp"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_cwmp_udp,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("cwmp_timeout"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cwmp_loc_conf_t, timeout),
      NULL },

    { ngx_string("cwmp_connect_timeout"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cwmp_loc_conf_t, connect_timeout),
      NULL },

    { ngx_string("cwmp_bind"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_cwmp_bind,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("cwmp_status"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_cwmp_status,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("cwmp_trace"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_cwmp_trace,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_cwmp_loc_conf_t, trace),
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_cwmp_module_ctx = {
    ngx_http_cwmp_preconfiguration,        /* preconfiguration */
    ngx_http_cwmp_postconfiguration,       /* postconfiguration */

    ngx_http_cwmp_create_main_conf,        /* create main configuration */
    NULL,                                  /* init main configuration */

    ngx_http_cwmp_create_srv_conf,         /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_cwmp_create_loc_conf,         /* create location configuration */
    ngx_http_cwmp_merge_loc_conf           /* merge location configuration */
};


ngx_module_t  ngx_http_cwmp_module = {
    NGX_MODULE_V1,
    &ngx_http_cwmp_module_ctx,             /* module context */
    ngx_http_cwmp_commands,                /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    ngx_http_cwmp_init_process,            /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/*
 * PRECONTENT: the location is known and access is granted, nothing has gone
 * to an upstream yet.
 */

static ngx_int_t
ngx_http_cwmp_handler(ngx_http_request_t *r)
{
    ngx_int_t                  rc;
    ngx_http_cwmp_loc_conf_t  *clcf;

    /* no ACS sees a ticket, whatever the location is for */

    if (r == r->main && ngx_http_cwmp_ticket_handler(r) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_cwmp_module);

    if (!clcf->enable
        || clcf->public_url == NULL
        || clcf->wakeup_place.line
        || r != r->main)
    {
        return NGX_DECLINED;
    }

    rc = ngx_http_cwmp_body_handler(r);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    rc = ngx_http_cwmp_message(r);

    if (rc != NGX_AGAIN) {
        ngx_http_cwmp_traced_message(r, rc);
    }

    return rc;
}


static ngx_int_t
ngx_http_cwmp_message(ngx_http_request_t *r)
{
    ngx_int_t  rc;

    /* before it can touch a session */

    rc = ngx_http_cwmp_require_handler(r, 1);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    rc = ngx_http_cwmp_session_handler(r);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    rc = ngx_http_cwmp_require_handler(r, 0);

    if (rc == NGX_DECLINED) {
        ngx_http_cwmp_nat_handler(r);
    }

    return rc;
}


static ngx_int_t
ngx_http_cwmp_preconfiguration(ngx_conf_t *cf)
{
    return ngx_http_cwmp_add_variables(cf);
}


static ngx_int_t
ngx_http_cwmp_postconfiguration(ngx_conf_t *cf)
{
    ngx_http_handler_pt        *h;
    ngx_http_core_main_conf_t  *cmcf;
    ngx_http_cwmp_main_conf_t  *wmcf;

    wmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_cwmp_module);

    if (ngx_http_cwmp_check_main_conf(cf, wmcf) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_http_cwmp_affinity_init(cf) != NGX_OK
        || ngx_http_cwmp_trace_init(cf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_cwmp_stun_init(cf);

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    if (wmcf->wakeup.line) {
        h = ngx_array_push(&cmcf->phases[NGX_HTTP_REWRITE_PHASE].handlers);
        if (h == NULL) {
            return NGX_ERROR;
        }

        *h = ngx_http_cwmp_wakeup_phase_handler;
    }

    if (!wmcf->enabled && wmcf->affinity.line == 0) {
        return NGX_OK;
    }

    /* called in the opposite order: first what the header says */

    if (wmcf->mapped) {
        ngx_http_cwmp_map_init();
    }

    ngx_http_cwmp_filter_init();

    h = ngx_array_push(&cmcf->phases[NGX_HTTP_PRECONTENT_PHASE].handlers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    *h = ngx_http_cwmp_handler;

    return NGX_OK;
}


static ngx_int_t
ngx_http_cwmp_init_process(ngx_cycle_t *cycle)
{
    ngx_http_cwmp_main_conf_t  *cmcf;

    cmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_cwmp_module);

    if (cmcf == NULL
        || (!cmcf->enabled && cmcf->affinity.line == 0
            && cmcf->wakeup.line == 0 && cmcf->stun.line == 0))
    {
        return NGX_OK;
    }

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NGX_OK;
    }

    ngx_http_cwmp_attach_init_process(cycle);
    ngx_http_cwmp_line_init_process(cycle);

    if (ngx_http_cwmp_stun_init_process(cycle) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_http_cwmp_policy_init_process(cycle);
}
