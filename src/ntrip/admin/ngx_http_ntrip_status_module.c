
/*
 * Fieldgate: the HTTP module of the NTRIP module's status.  It shares the .so
 * with the stream module, and so its zones; without an http{} it has nothing to
 * do.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_ntrip_status.h"


typedef struct {
    ngx_flag_t                  status;
} ngx_http_ntrip_loc_conf_t;


static char *ngx_http_ntrip_status(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static void *ngx_http_ntrip_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_ntrip_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);


static ngx_command_t  ngx_http_ntrip_status_commands[] = {

    { ngx_string("ntrip_status"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_ntrip_status,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_ntrip_status_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    ngx_http_ntrip_create_loc_conf,        /* create location configuration */
    ngx_http_ntrip_merge_loc_conf          /* merge location configuration */
};


ngx_module_t  ngx_http_ntrip_status_module = {
    NGX_MODULE_V1,
    &ngx_http_ntrip_status_module_ctx,     /* module context */
    ngx_http_ntrip_status_commands,        /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static char *
ngx_http_ntrip_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ntrip_loc_conf_t *nlcf = conf;

    ngx_http_core_loc_conf_t  *clcf;

    if (nlcf->status != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    /* what follows the prefix names what is asked for */

    if (clcf->named
#if (NGX_PCRE)
        || clcf->regex
#endif
        )
    {
        return "needs a location that is a prefix";
    }

    nlcf->status = 1;
    clcf->handler = ngx_http_ntrip_status_handler;

    return NGX_CONF_OK;
}


static void *
ngx_http_ntrip_create_loc_conf(ngx_conf_t *cf)
{
    ngx_http_ntrip_loc_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_http_ntrip_loc_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    conf->status = NGX_CONF_UNSET;

    return conf;
}


static char *
ngx_http_ntrip_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_ntrip_loc_conf_t *prev = parent;
    ngx_http_ntrip_loc_conf_t *conf = child;

    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    /* limit_except is the same location */

    if (clcf->noname && conf->status == NGX_CONF_UNSET) {
        conf->status = prev->status;

        if (clcf->lmt_excpt && clcf->handler == NULL && conf->status == 1) {
            clcf->handler = ngx_http_ntrip_status_handler;
        }
    }

    return NGX_CONF_OK;
}
