
/*
 * Fieldgate: which server of the configuration a mountpoint is of.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_stream_ntrip_source.h"


ngx_stream_ntrip_srv_conf_t *
ngx_stream_ntrip_relay_conf(ngx_str_t *pool, ngx_str_t *name,
    ngx_stream_ntrip_mount_t **mount)
{
    ngx_str_t                     *p;
    ngx_uint_t                     i, n;
    ngx_stream_ntrip_mount_t      *m;
    ngx_stream_core_srv_conf_t   **cscf;
    ngx_stream_core_main_conf_t   *cmcf;
    ngx_stream_ntrip_srv_conf_t   *nscf;

    cmcf = ngx_stream_cycle_get_module_main_conf(ngx_cycle,
                                                 ngx_stream_core_module);
    cscf = cmcf->servers.elts;

    for (i = 0; i < cmcf->servers.nelts; i++) {
        nscf = cscf[i]->ctx->srv_conf[ngx_stream_ntrip_module.ctx_index];

        if (nscf->caster.line == 0 || nscf->mounts == NULL) {
            continue;
        }

        m = nscf->mounts->elts;

        for (n = 0; n < nscf->mounts->nelts; n++) {
            p = ngx_stream_ntrip_mount_pool(nscf, &m[n]);

            if (p->len == pool->len
                && ngx_memcmp(p->data, pool->data, pool->len) == 0
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

    return NULL;
}
