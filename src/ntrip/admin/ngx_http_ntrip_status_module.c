
/*
 * Fieldgate: the HTTP module of the NTRIP module's status.  It shares the .so
 * with the stream module, and so its zones; without an http{} it has nothing to
 * do.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_guard.h"

#include "ngx_http_ntrip_status.h"


/* locations with "ntrip_api on", which somebody has to guard; so are the "if"
   blocks in them, where none of their "limit_except" holds */

typedef struct {
    ngx_http_core_loc_conf_t   *clcf;
    void                      **srv_conf;
} ngx_http_ntrip_place_t;


typedef struct {
    ngx_array_t                 places;    /* of ngx_http_ntrip_place_t */
} ngx_http_ntrip_main_conf_t;


static char *ngx_http_ntrip_status(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_ntrip_api_set(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_int_t ngx_http_ntrip_postconfiguration(ngx_conf_t *cf);
static void ngx_http_ntrip_certify(void **loc_conf);
static void *ngx_http_ntrip_create_main_conf(ngx_conf_t *cf);
static void *ngx_http_ntrip_create_loc_conf(ngx_conf_t *cf);
static char *ngx_http_ntrip_merge_loc_conf(ngx_conf_t *cf, void *parent,
    void *child);


static ngx_conf_enum_t  ngx_http_ntrip_apis[] = {
    { ngx_string("off"), NGX_HTTP_NTRIP_API_OFF },
    { ngx_string("on"), NGX_HTTP_NTRIP_API_ON },
    { ngx_string("unguarded"), NGX_HTTP_NTRIP_API_UNGUARDED },
    { ngx_null_string, 0 }
};


static ngx_command_t  ngx_http_ntrip_status_commands[] = {

    { ngx_string("ntrip_status"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_ntrip_status,
      NGX_HTTP_LOC_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ntrip_api"),
      NGX_HTTP_LOC_CONF|NGX_CONF_TAKE1,
      ngx_http_ntrip_api_set,
      NGX_HTTP_LOC_CONF_OFFSET,
      offsetof(ngx_http_ntrip_loc_conf_t, api),
      &ngx_http_ntrip_apis },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_ntrip_status_module_ctx = {
    NULL,                                  /* preconfiguration */
    ngx_http_ntrip_postconfiguration,      /* postconfiguration */

    ngx_http_ntrip_create_main_conf,       /* create main configuration */
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


static char *
ngx_http_ntrip_api_set(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_ntrip_loc_conf_t *nlcf = conf;

    char  *rv;

    rv = ngx_conf_set_enum_slot(cf, cmd, conf);

    nlcf->file = cf->conf_file->file.name;
    nlcf->line = cf->conf_file->line;

    return rv;
}


/* when all is merged */

static ngx_int_t
ngx_http_ntrip_postconfiguration(ngx_conf_t *cf)
{
    ngx_uint_t                   i;
    ngx_http_ntrip_place_t      *place;
    ngx_http_ntrip_loc_conf_t   *nlcf;
    ngx_http_ntrip_main_conf_t  *nmcf;

    nmcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_ntrip_status_module);
    place = nmcf->places.elts;

    for (i = 0; i < nmcf->places.nelts; i++) {

        nlcf = place[i].clcf->loc_conf[ngx_http_ntrip_status_module.ctx_index];

        if (nlcf->status != 1) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "\"ntrip_api\" needs \"ntrip_status\" in the same "
                          "location in %V:%ui", &nlcf->file, nlcf->line);
            return NGX_ERROR;
        }

        if (ngx_http_guard_location(cf, place[i].clcf, place[i].srv_conf,
                                    NGX_HTTP_POST|NGX_HTTP_PATCH
                                    |NGX_HTTP_DELETE,
                                    ngx_http_ntrip_certify))
        {
            continue;
        }

        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"ntrip_api on\" in a location that anybody can "
                      "reach: it needs \"deny all\", \"auth_basic\" and "
                      "\"auth_basic_user_file\", \"auth_request\" or "
                      "\"ssl_verify_client on\", or has to be \"unguarded\", "
                      "in %V:%ui", &nlcf->file, nlcf->line);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_http_ntrip_certify(void **loc_conf)
{
    ngx_http_ntrip_loc_conf_t  *nlcf;

    nlcf = loc_conf[ngx_http_ntrip_status_module.ctx_index];
    nlcf->certified = 1;
}


ngx_uint_t
ngx_http_ntrip_certified(ngx_http_request_t *r)
{
#if (NGX_HTTP_SSL)
    ngx_http_ntrip_loc_conf_t  *nlcf;

    nlcf = ngx_http_get_module_loc_conf(r, ngx_http_ntrip_status_module);

    if (nlcf->certified) {
        return r->http_connection->ssl;
    }

#endif

    return 1;
}


static void *
ngx_http_ntrip_create_main_conf(ngx_conf_t *cf)
{
    ngx_http_ntrip_main_conf_t  *nmcf;

    nmcf = ngx_pcalloc(cf->pool, sizeof(ngx_http_ntrip_main_conf_t));
    if (nmcf == NULL) {
        return NULL;
    }

    if (ngx_array_init(&nmcf->places, cf->pool, 4,
                       sizeof(ngx_http_ntrip_place_t))
        != NGX_OK)
    {
        return NULL;
    }

    return nmcf;
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
    conf->api = NGX_CONF_UNSET_UINT;

    return conf;
}


static char *
ngx_http_ntrip_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_http_ntrip_loc_conf_t *prev = parent;
    ngx_http_ntrip_loc_conf_t *conf = child;

    ngx_http_ntrip_place_t      *place;
    ngx_http_core_loc_conf_t    *clcf;
    ngx_http_ntrip_main_conf_t  *nmcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    /* "limit_except" and "if" are the same location */

    if (clcf->noname && conf->status == NGX_CONF_UNSET) {
        conf->status = prev->status;
        conf->api = prev->api;
        conf->file = prev->file;
        conf->line = prev->line;

        if (clcf->lmt_excpt && clcf->handler == NULL && conf->status == 1) {
            clcf->handler = ngx_http_ntrip_status_handler;
        }
    }

    ngx_conf_init_uint_value(conf->api, NGX_HTTP_NTRIP_API_OFF);

    if (conf->api != NGX_HTTP_NTRIP_API_ON || clcf->lmt_excpt) {
        return NGX_CONF_OK;
    }

    nmcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_ntrip_status_module);

    place = ngx_array_push(&nmcf->places);
    if (place == NULL) {
        return NGX_CONF_ERROR;
    }

    place->clcf = clcf;
    place->srv_conf = ((ngx_http_conf_ctx_t *) cf->ctx)->srv_conf;

    return NGX_CONF_OK;
}
