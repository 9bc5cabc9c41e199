
/*
 * Fieldgate: the two zones of the NTRIP module.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>

#include <openssl/rand.h>

#include "ngx_stream_ntrip_worker.h"


static ngx_shm_zone_t *ngx_stream_ntrip_add_zone(ngx_conf_t *cf,
    ngx_str_t *name, size_t size, size_t ring_size,
    ngx_shm_zone_init_pt init);
static ngx_shm_zone_t *ngx_stream_ntrip_running_zone(ngx_conf_t *cf,
    ngx_str_t *name);
static ngx_int_t ngx_stream_ntrip_check_zone(ngx_conf_t *cf,
    ngx_stream_ntrip_main_conf_t *nmcf);
static size_t ngx_stream_ntrip_usable(size_t size);
static ngx_int_t ngx_stream_ntrip_init_bus(ngx_shm_zone_t *shm_zone,
    void *data);
static void ngx_stream_ntrip_zone_tell(ntrip_full_e full, uint64_t n,
    ngx_log_t *log);
static ngx_int_t ngx_stream_ntrip_init_zone(ngx_shm_zone_t *shm_zone,
    void *data);


char *
ngx_stream_ntrip_worker_conf(ngx_conf_t *cf, ngx_stream_ntrip_main_conf_t *nmcf)
{
    size_t  size;

    static ngx_str_t  bus = ngx_string("ntrip_bus");
    static ngx_str_t  zone = ngx_string("ntrip_zone");

    if (ngx_stream_ntrip_check_zone(cf, nmcf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    nmcf->zone = ngx_stream_ntrip_add_zone(cf, &zone, nmcf->zone_size,
                                           nmcf->ring_size,
                                           ngx_stream_ntrip_init_zone);

    /* room for what the slab has for itself */

    size = ngx_align(sizeof(ntrip_bus_t) + 65536, ngx_pagesize);

    nmcf->bus = ngx_stream_ntrip_add_zone(cf, &bus, size, 0,
                                          ngx_stream_ntrip_init_bus);

    if (nmcf->zone == NULL || nmcf->bus == NULL) {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_shm_zone_t *
ngx_stream_ntrip_add_zone(ngx_conf_t *cf, ngx_str_t *name, size_t size,
    size_t ring_size, ngx_shm_zone_init_pt init)
{
    ngx_shm_zone_t               *shm_zone;
    ngx_stream_ntrip_zone_ctx_t  *ctx;

    ctx = ngx_pcalloc(cf->pool, sizeof(ngx_stream_ntrip_zone_ctx_t));
    if (ctx == NULL) {
        return NULL;
    }

    shm_zone = ngx_shared_memory_add(cf, name, size,
                                     &ngx_stream_ntrip_module);
    if (shm_zone == NULL) {
        return NULL;
    }

    ctx->ring_size = ring_size;

    shm_zone->init = init;
    shm_zone->data = ctx;

    return shm_zone;
}


/*
 * nginx makes a new zone if the size differs.  Old workers would then serve
 * rovers that new ones do not know of, with accounts that new ones take for
 * free; so the running zone is kept as it is.
 */

static ngx_int_t
ngx_stream_ntrip_check_zone(ngx_conf_t *cf,
    ngx_stream_ntrip_main_conf_t *nmcf)
{
    size_t                        size;
    ngx_str_t                     name = ngx_string("ntrip_zone");
    ngx_shm_zone_t               *running;
    ntrip_zone_plan_t             plan;
    ngx_stream_ntrip_zone_ctx_t  *ctx;

    nmcf->ring_size = ntrip_ring_round(nmcf->ring_size);

    for (size = nmcf->zone_size;
         ntrip_zone_plan(&plan, ngx_stream_ntrip_usable(size),
                         nmcf->ring_size)
         != NGX_OK;
         size += 64 * 1024)
    {
        /* void */
    }

    if (size != nmcf->zone_size) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"ntrip_zone\" is too small: rings of %uzk need at "
                      "least %uzk in %V:%ui",
                      nmcf->ring_size / 1024, size / 1024,
                      &nmcf->zone_place.file, nmcf->zone_place.line);
        return NGX_ERROR;
    }

    running = ngx_stream_ntrip_running_zone(cf, &name);

    if (running == NULL) {
        return NGX_OK;
    }

    ctx = running->data;

    if (running->shm.size != nmcf->zone_size) {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                      "\"ntrip_zone\" keeps its %uzk until nginx is "
                      "restarted or its binary upgraded, instead of %uzk "
                      "in %V:%ui",
                      running->shm.size / 1024, nmcf->zone_size / 1024,
                      &nmcf->zone_place.file, nmcf->zone_place.line);

        nmcf->zone_size = running->shm.size;
    }

    if (ctx->ring_size != nmcf->ring_size) {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                      "rings keep their %uzk until nginx is restarted or its "
                      "binary upgraded, instead of the %uzk of "
                      "\"ntrip_ring_size\"",
                      ctx->ring_size / 1024, nmcf->ring_size / 1024);

        nmcf->ring_size = ctx->ring_size;
    }

    return NGX_OK;
}


/* about what the slab leaves of a zone */

static size_t
ngx_stream_ntrip_usable(size_t size)
{
    size_t  pages;

    pages = size / (ngx_pagesize + sizeof(ngx_slab_page_t));

    return pages > 2 ? (pages - 2) * ngx_pagesize : 0;
}


static ngx_shm_zone_t *
ngx_stream_ntrip_running_zone(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_uint_t        i;
    ngx_shm_zone_t   *zone;
    ngx_list_part_t  *part;

    part = &cf->cycle->old_cycle->shared_memory.part;

    for ( /* void */ ; part; part = part->next) {
        zone = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (zone[i].tag == &ngx_stream_ntrip_module
                && zone[i].shm.name.len == name->len
                && ngx_memcmp(zone[i].shm.name.data, name->data, name->len)
                   == 0)
            {
                return &zone[i];
            }
        }
    }

    return NULL;
}


/* the same memory may be in use by workers of this moment: nothing that is
   there already is touched */

static ngx_int_t
ngx_stream_ntrip_init_bus(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_stream_ntrip_zone_ctx_t  *octx = data;

    uint64_t                      seed;
    ngx_slab_pool_t              *shpool;
    ngx_stream_ntrip_zone_ctx_t  *ctx;

    ctx = shm_zone->data;

    if (octx) {
        ctx->bus = octx->bus;
        return NGX_OK;
    }

    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (shm_zone->shm.exists) {
        ctx->bus = shpool->data;
        return NGX_OK;
    }

    shpool->log_nomem = 0;

    ctx->bus = ngx_slab_calloc(shpool, sizeof(ntrip_bus_t));
    if (ctx->bus == NULL) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "zone \"%V\" is too small", &shm_zone->shm.name);
        return NGX_ERROR;
    }

    if (RAND_bytes((u_char *) &seed, sizeof(uint64_t)) != 1) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "RAND_bytes() failed");
        return NGX_ERROR;
    }

    ntrip_bus_init(ctx->bus, seed | 1);

    shpool->data = ctx->bus;

    return NGX_OK;
}


static ngx_int_t
ngx_stream_ntrip_init_zone(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_stream_ntrip_zone_ctx_t  *octx = data;

    ngx_slab_pool_t              *shpool;
    ntrip_zone_plan_t             plan;
    ngx_stream_ntrip_zone_ctx_t  *ctx;

    ctx = shm_zone->data;

    if (octx) {
        ctx->zone = octx->zone;
        return NGX_OK;
    }

    shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (shm_zone->shm.exists) {
        ctx->zone = shpool->data;
        return NGX_OK;
    }

    shpool->log_nomem = 0;

    if (ntrip_zone_plan(&plan, shpool->pfree * ngx_pagesize, ctx->ring_size)
        != NGX_OK)
    {
        goto failed;
    }

    ctx->zone = ngx_slab_calloc(shpool, plan.bytes);
    if (ctx->zone == NULL) {
        goto failed;
    }

    ntrip_zone_init(ctx->zone, &plan);

    shpool->data = ctx->zone;

    ngx_log_error(NGX_LOG_INFO, shm_zone->shm.log, 0,
                  "zone \"%V\" has room for %uD streams, %uD rovers, "
                  "%uD accounts in use or resting", &shm_zone->shm.name,
                  plan.rings, plan.sessions, plan.leases);

    return NGX_OK;

failed:

    ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                  "zone \"%V\" is too small", &shm_zone->shm.name);

    return NGX_ERROR;
}


void
ngx_stream_ntrip_zone_full(ntrip_full_e full, ngx_log_t *log)
{
    uint64_t  n;

    ngx_stream_ntrip_lock();

    n = ntrip_seldom_count(&ngx_stream_ntrip_worker.zone->full[full],
                           ngx_current_msec);

    ngx_stream_ntrip_unlock();

    if (n) {
        ngx_stream_ntrip_zone_tell(full, n, log);
    }
}


void
ngx_stream_ntrip_zone_told(void)
{
    uint64_t    n[NTRIP_FULL_KINDS];
    ngx_uint_t  i;

    ngx_stream_ntrip_lock();

    for (i = 0; i < NTRIP_FULL_KINDS; i++) {
        n[i] = ntrip_seldom_due(&ngx_stream_ntrip_worker.zone->full[i],
                                ngx_current_msec);
    }

    ngx_stream_ntrip_unlock();

    for (i = 0; i < NTRIP_FULL_KINDS; i++) {
        if (n[i]) {
            ngx_stream_ntrip_zone_tell(i, n[i], ngx_cycle->log);
        }
    }
}


static void
ngx_stream_ntrip_zone_tell(ntrip_full_e full, uint64_t n, ngx_log_t *log)
{
    size_t            size;
    uint32_t          room;
    const char       *what;
    ntrip_zone_t     *zone;
    ngx_slab_pool_t  *pool;

    zone = ngx_stream_ntrip_worker.zone;
    pool = ngx_stream_ntrip_worker.zone_pool;
    size = pool->end - (u_char *) pool;

    switch (full) {

    case NTRIP_FULL_STREAMS:
        what = "streams";
        room = zone->streams.n;
        break;

    case NTRIP_FULL_RINGS:
        what = "streams";
        room = zone->nrings;
        break;

    case NTRIP_FULL_ACCOUNTS:
        what = "accounts";
        room = zone->leases.n;
        break;

    case NTRIP_FULL_USER:
        what = "rovers, of which one user has three quarters";
        room = zone->sessions.n;
        break;

    default: /* NTRIP_FULL_ROVERS */
        what = "rovers";
        room = zone->sessions.n;
    }

    ngx_log_error(NGX_LOG_ERR, log, 0,
                  "\"ntrip_zone\" is full: it has room for %uD %s, raise it "
                  "from %uzk to %uzk; turned away since the last such line: "
                  "%uL", room, what, size / 1024, size / 512, n);
}
