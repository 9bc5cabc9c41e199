
/*
 * Fieldgate: "ntrip_cluster".
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>

#include "ngx_stream_ntrip_cluster.h"


#if (NGX_STREAM_NTRIP_CLUSTER)

/* of a node's name */
#define NGX_STREAM_NTRIP_NODE_MAX    32

/* bytes of a secret */
#define NGX_STREAM_NTRIP_SECRET_MIN  16


static const char *ngx_stream_ntrip_cluster_node(ngx_str_t *node);
static ngx_int_t ngx_stream_ntrip_cluster_address(ngx_conf_t *cf,
    ngx_str_t *address);
static ngx_int_t ngx_stream_ntrip_cluster_secret(ngx_conf_t *cf,
    ngx_str_t *name);


char *
ngx_stream_ntrip_cluster_directive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_stream_ntrip_main_conf_t *nmcf = conf;

    ngx_str_t                   *value, address, secret;
    ngx_uint_t                   i, n;
    const char                  *error;
    ngx_stream_ntrip_cluster_t  *cluster;

    if (nmcf->cluster) {
        return "is duplicate";
    }

    cluster = ngx_pcalloc(cf->pool, sizeof(ngx_stream_ntrip_cluster_t));
    if (cluster == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    ngx_str_null(&address);
    ngx_str_null(&secret);

    struct {
        ngx_str_t   name;
        ngx_str_t  *to;
    } params[] = {
        { ngx_string("node="), &cluster->node },
        { ngx_string("address="), &address },
        { ngx_string("secret_file="), &secret }
    };

    /* the password in it is to be in no log: what of it is wrong is not said */

    cluster->conninfo = value[1];

    if (value[1].len == 0
        || !ngx_stream_ntrip_cluster_conninfo((char *) value[1].data))
    {
        return "has no connection string that libpq understands";
    }

    for (i = 2; i < cf->args->nelts; i++) {

        for (n = 0; n < 3; n++) {
            if (ngx_strncmp(value[i].data, params[n].name.data,
                            params[n].name.len)
                == 0)
            {
                break;
            }
        }

        /* a connection string without quotes is several */

        if (n == 3) {
            return "has an unknown parameter, or a connection string "
                   "without quotes";
        }

        if (params[n].to->data) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate parameter \"%V\"", &params[n].name);
            return NGX_CONF_ERROR;
        }

        params[n].to->data = value[i].data + params[n].name.len;
        params[n].to->len = value[i].len - params[n].name.len;
    }

    error = ngx_stream_ntrip_cluster_node(&cluster->node);

    if (error) {
        return (char *) error;
    }

    if ((address.data
         && ngx_stream_ntrip_cluster_address(cf, &address) != NGX_OK)
        || (secret.data
            && ngx_stream_ntrip_cluster_secret(cf, &secret) != NGX_OK))
    {
        return NGX_CONF_ERROR;
    }

    ngx_stream_ntrip_note_place(cf, &cluster->place);

    nmcf->cluster = cluster;

    return NGX_CONF_OK;
}


static const char *
ngx_stream_ntrip_cluster_node(ngx_str_t *node)
{
    u_char  *p, c;

    if (node->data == NULL) {
        return "needs a \"node=name\"";
    }

    if (node->len == 0 || node->len > NGX_STREAM_NTRIP_NODE_MAX) {
        return "needs a name of 1 to 32 characters as \"node\"";
    }

    for (p = node->data; p < node->data + node->len; p++) {
        c = *p | 0x20;

        if ((c < 'a' || c > 'z') && (*p < '0' || *p > '9') && *p != '-'
            && *p != '_' && *p != '.')
        {
            return "has a \"node\" with other characters than letters, "
                   "digits, \"-\", \"_\" and \".\"";
        }
    }

    return NULL;
}


static ngx_int_t
ngx_stream_ntrip_cluster_address(ngx_conf_t *cf, ngx_str_t *address)
{
    ngx_url_t  u;

    ngx_memzero(&u, sizeof(ngx_url_t));

    u.url = *address;
    u.no_resolve = 1;

    if (ngx_parse_url(cf->temp_pool, &u) == NGX_OK && !u.no_port
        && u.host.len)
    {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "\"address\" of \"ntrip_cluster\" has no effect "
                           "yet: nodes do not share streams");
        return NGX_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid \"address\" of \"ntrip_cluster\": \"%V\" is "
                       "no host with a port", address);

    return NGX_ERROR;
}


static ngx_int_t
ngx_stream_ntrip_cluster_secret(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_file_info_t  fi;

    if (name->len == 0 || ngx_conf_full_name(cf->cycle, name, 1) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"secret_file\" of \"ntrip_cluster\" needs the "
                           "path of a file");
        return NGX_ERROR;
    }

    if (ngx_file_info(name->data, &fi) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_file_info_n " \"%V\" failed", name);
        return NGX_ERROR;
    }

    if (!ngx_is_file(&fi) || ngx_file_size(&fi) < NGX_STREAM_NTRIP_SECRET_MIN)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is no file with a secret of %d bytes or "
                           "more", name, NGX_STREAM_NTRIP_SECRET_MIN);
        return NGX_ERROR;
    }

    ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                       "\"secret_file\" of \"ntrip_cluster\" has no effect "
                       "yet: nodes do not share streams");

    return NGX_OK;
}

#else

char *
ngx_stream_ntrip_cluster_directive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    return "needs libpq, which this module was built without";
}

#endif


char *
ngx_stream_ntrip_cluster_check(ngx_conf_t *cf,
    ngx_stream_ntrip_main_conf_t *nmcf)
{
    const char  *needs;

    if (nmcf->cluster == NULL) {
        return NGX_CONF_OK;
    }

    needs = (nmcf->zone_size == 0)
            ? "\"ntrip_cluster\" needs an \"ntrip_zone\""
            : (nmcf->database.len == 0)
              ? "\"ntrip_cluster\" needs an \"ntrip_database\"" : NULL;

    return needs ? ngx_stream_ntrip_error_at(cf, &nmcf->cluster->place, needs)
                 : NGX_CONF_OK;
}
