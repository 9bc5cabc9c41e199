
/*
 * Fieldgate: which server of the configuration a mountpoint is of, and where
 * that listens.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_stream_ntrip_source.h"


static ngx_uint_t ngx_stream_ntrip_relay_pools(ngx_str_t *pools,
    ngx_str_t *pool, ngx_uint_t one);
static ngx_uint_t ngx_stream_ntrip_relay_listens(ngx_listening_t *ls,
    ngx_stream_ntrip_srv_conf_t *conf);
static ngx_uint_t ngx_stream_ntrip_relay_default(
    ngx_stream_addr_conf_t *addr_conf, ngx_stream_ntrip_srv_conf_t *conf);


ngx_stream_ntrip_srv_conf_t *
ngx_stream_ntrip_relay_conf(ngx_str_t *pool, ngx_uint_t one, ngx_str_t *name,
    ngx_stream_ntrip_mount_t **mount)
{
    ngx_str_t                     *p;
    ngx_uint_t                     i, n;
    ngx_stream_ntrip_mount_t      *m;
    ngx_stream_core_srv_conf_t   **cscf;
    ngx_stream_core_main_conf_t   *cmcf;
    ngx_stream_ntrip_srv_conf_t   *nscf, *listed;

    cmcf = ngx_stream_cycle_get_module_main_conf(ngx_cycle,
                                                 ngx_stream_core_module);
    cscf = cmcf->servers.elts;
    listed = NULL;

    for (i = 0; i < cmcf->servers.nelts; i++) {
        nscf = cscf[i]->ctx->srv_conf[ngx_stream_ntrip_module.ctx_index];

        if (nscf->relay.line == 0) {
            continue;
        }

        if (listed == NULL
            && nscf->listing.kind != NGX_STREAM_NTRIP_LISTING_OFF
            && ngx_stream_ntrip_relay_pools(&nscf->pool, pool, one))
        {
            listed = nscf;
        }

        if (nscf->mounts == NULL) {
            continue;
        }

        m = nscf->mounts->elts;

        for (n = 0; n < nscf->mounts->nelts; n++) {
            p = ngx_stream_ntrip_mount_pool(nscf, &m[n]);

            if (m[n].near == NULL
                && ngx_stream_ntrip_relay_pools(p, pool, one)
                && (name->len == 0
                    || (m[n].as.len == name->len
                        && ngx_memcmp(m[n].as.data, name->data, name->len)
                           == 0)))
            {
                *mount = &m[n];
                return nscf;
            }
        }
    }

    *mount = NULL;

    return name->len ? listed : NULL;
}


/* are they just these, or is this one among them? */

static ngx_uint_t
ngx_stream_ntrip_relay_pools(ngx_str_t *pools, ngx_str_t *pool,
    ngx_uint_t one)
{
    if (one) {
        return ntrip_text_has_item(pools, pool);
    }

    return pools->len == pool->len
           && ngx_memcmp(pools->data, pool->data, pool->len) == 0;
}


in_port_t
ngx_stream_ntrip_relay_port(ngx_stream_ntrip_srv_conf_t *conf)
{
    ngx_uint_t        i;
    ngx_listening_t  *ls;

    ls = ngx_cycle->listening.elts;

    for (i = 0; i < ngx_cycle->listening.nelts; i++) {
        if (ls[i].handler == ngx_stream_init_connection
            && ls[i].type == SOCK_STREAM
            && ngx_stream_ntrip_relay_listens(&ls[i], conf))
        {
            return ngx_inet_get_port(ls[i].sockaddr);
        }
    }

    return 0;
}


/* is it the default server of one of the addresses? */

static ngx_uint_t
ngx_stream_ntrip_relay_listens(ngx_listening_t *ls,
    ngx_stream_ntrip_srv_conf_t *conf)
{
    ngx_uint_t              i;
    ngx_stream_port_t      *port;
    ngx_stream_in_addr_t   *addr;
#if (NGX_HAVE_INET6)
    ngx_stream_in6_addr_t  *addr6;
#endif

    port = ls->servers;

    for (i = 0; i < port->naddrs; i++) {

        switch (ls->sockaddr->sa_family) {

#if (NGX_HAVE_INET6)
        case AF_INET6:
            addr6 = port->addrs;

            if (ngx_stream_ntrip_relay_default(&addr6[i].conf, conf)) {
                return 1;
            }

            break;
#endif

        case AF_INET:
            addr = port->addrs;

            if (ngx_stream_ntrip_relay_default(&addr[i].conf, conf)) {
                return 1;
            }

            break;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_stream_ntrip_relay_default(ngx_stream_addr_conf_t *addr_conf,
    ngx_stream_ntrip_srv_conf_t *conf)
{
    ngx_stream_conf_ctx_t  *ctx;

#if (nginx_version >= 1025005)
    ctx = addr_conf->default_server->ctx;
#else
    ctx = addr_conf->ctx;
#endif

    return ctx->srv_conf[ngx_stream_ntrip_module.ctx_index] == conf;
}
