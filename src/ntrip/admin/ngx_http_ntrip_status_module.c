
/*
 * Fieldgate: the HTTP module of the NTRIP module's status.  It shares the .so
 * with the stream module, and so its zones; without an http{} it has nothing to
 * do.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_ntrip_status.h"


/* locations with "ntrip_api on", which somebody has to guard; so are the "if"
   blocks in them, where none of their "limit_except" holds */

typedef struct {
    ngx_http_core_loc_conf_t   *clcf;
    void                      **srv_conf;
} ngx_http_ntrip_place_t;


/* the rules of ngx_http_access_module, which are its own */

typedef struct {
    in_addr_t                   mask;
    in_addr_t                   addr;
    ngx_uint_t                  deny;
} ngx_http_ntrip_rule_t;

#if (NGX_HAVE_INET6)

typedef struct {
    struct in6_addr             addr;
    struct in6_addr             mask;
    ngx_uint_t                  deny;
} ngx_http_ntrip_rule6_t;

#endif

#if (NGX_HAVE_UNIX_DOMAIN)

typedef struct {
    ngx_uint_t                  deny;
} ngx_http_ntrip_rule_un_t;

#endif

typedef struct {
    ngx_array_t                *rules;
#if (NGX_HAVE_INET6)
    ngx_array_t                *rules6;
#endif
#if (NGX_HAVE_UNIX_DOMAIN)
    ngx_array_t                *rules_un;
#endif
} ngx_http_ntrip_access_t;


typedef struct {
    ngx_array_t                 places;    /* of ngx_http_ntrip_place_t */
} ngx_http_ntrip_main_conf_t;


static char *ngx_http_ntrip_status(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_ntrip_api_set(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static ngx_int_t ngx_http_ntrip_postconfiguration(ngx_conf_t *cf);
static ngx_uint_t ngx_http_ntrip_place_guarded(ngx_conf_t *cf,
    ngx_http_ntrip_place_t *place);
static ngx_uint_t ngx_http_ntrip_guarded(ngx_conf_t *cf, void **loc_conf,
    void **srv_conf);
static ngx_int_t ngx_http_ntrip_guard(const char *name, void *conf);
static ngx_int_t ngx_http_ntrip_access(ngx_http_ntrip_access_t *conf);
static ngx_int_t ngx_http_ntrip_rules(ngx_array_t *rules, size_t mask,
    size_t len, size_t deny);
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

        if (ngx_http_ntrip_place_guarded(cf, &place[i])) {
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


/* each method that changes something: "limit_except" has a configuration of its
   own for those that it does not name */

static ngx_uint_t
ngx_http_ntrip_place_guarded(ngx_conf_t *cf, ngx_http_ntrip_place_t *place)
{
    void      **except;
    uint32_t    methods, excepted;

    methods = NGX_HTTP_POST|NGX_HTTP_PATCH|NGX_HTTP_DELETE;

    except = place->clcf->limit_except_loc_conf;
    excepted = except ? place->clcf->limit_except & methods : 0;

    if (excepted != methods
        && !ngx_http_ntrip_guarded(cf, place->clcf->loc_conf,
                                   place->srv_conf))
    {
        return 0;
    }

    return excepted == 0 || ngx_http_ntrip_guarded(cf, except,
                                                   place->srv_conf);
}


static ngx_uint_t
ngx_http_ntrip_guarded(ngx_conf_t *cf, void **loc_conf, void **srv_conf)
{
    ngx_int_t                   rc;
    ngx_uint_t                  i, guarded;
    ngx_module_t               *m;
    ngx_http_core_loc_conf_t   *clcf;
#if (NGX_HTTP_SSL)
    ngx_http_ssl_srv_conf_t    *sscf;
    ngx_http_ntrip_loc_conf_t  *nlcf;
#endif

    clcf = loc_conf[ngx_http_core_module.ctx_index];
    guarded = 0;

    for (i = 0; cf->cycle->modules[i]; i++) {
        m = cf->cycle->modules[i];

        if (m->type != NGX_HTTP_MODULE) {
            continue;
        }

        rc = ngx_http_ntrip_guard(m->name, loc_conf[m->ctx_index]);

        if (rc == NGX_ABORT && clcf->satisfy == NGX_HTTP_SATISFY_ANY) {
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
        nlcf = loc_conf[ngx_http_ntrip_status_module.ctx_index];
        nlcf->certified = 1;

        return 1;
    }

#endif

    return 0;
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


/*
 * What these modules of nginx have in front of their configurations, which are
 * their own: lists of rules; the realm and the file of users; the URI.
 * t/ntrip-api.t would notice another one.
 *
 * NGX_OK: it lets in whom it knows.  NGX_ABORT: everybody, with "satisfy any"
 * even those whom others refuse.  NGX_DECLINED: it says nothing.
 */

static ngx_int_t
ngx_http_ntrip_guard(const char *name, void *conf)
{
    ngx_str_t                  *uri;
    ngx_http_complex_value_t  **realm;

    if (ngx_strcmp(name, "ngx_http_access_module") == 0) {
        return ngx_http_ntrip_access(conf);
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
ngx_http_ntrip_access(ngx_http_ntrip_access_t *conf)
{
    ngx_int_t  rc, one;

    rc = ngx_http_ntrip_rules(conf->rules,
                              offsetof(ngx_http_ntrip_rule_t, mask),
                              sizeof(in_addr_t),
                              offsetof(ngx_http_ntrip_rule_t, deny));

#if (NGX_HAVE_INET6)

    one = ngx_http_ntrip_rules(conf->rules6,
                               offsetof(ngx_http_ntrip_rule6_t, mask),
                               sizeof(struct in6_addr),
                               offsetof(ngx_http_ntrip_rule6_t, deny));

    rc = (rc == NGX_OK || one == NGX_ABORT) ? one : rc;

#endif

#if (NGX_HAVE_UNIX_DOMAIN)

    one = ngx_http_ntrip_rules(conf->rules_un, 0, 0,
                               offsetof(ngx_http_ntrip_rule_un_t, deny));

    rc = (rc == NGX_OK || one == NGX_ABORT) ? one : rc;

#endif

    return rc;
}


/* the first rule that fits is the one that counts, and who fits none is let in:
   what does the first one do that has a mask of zeros, and so fits all? */

static ngx_int_t
ngx_http_ntrip_rules(ngx_array_t *rules, size_t mask, size_t len, size_t deny)
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
