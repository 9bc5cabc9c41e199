
/*
 * Fieldgate: what the workers share: sessions, Digest nonces, calls to CPEs
 * in flight, and counters.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <openssl/rand.h>

#include "ngx_http_cwmp_zone.h"


/* what each worker has without a zone */
#define NGX_HTTP_CWMP_PRIVATE_SIZE  (1024 * 1024)

/* below this a table has but a handful of rows */
#define NGX_HTTP_CWMP_MIN_SIZE      (64 * 1024)


static ngx_int_t ngx_http_cwmp_zone_init(ngx_shm_zone_t *shm_zone, void *data);
static void ngx_http_cwmp_zone_lacks(ngx_shm_zone_t *shm_zone,
    ngx_uint_t table);
static size_t ngx_http_cwmp_zone_running(ngx_conf_t *cf, ngx_str_t *name);
static ngx_int_t ngx_http_cwmp_zone_carve(ngx_http_cwmp_zone_t *z, void *mem,
    size_t size);
static void ngx_http_cwmp_zone_attach(ngx_http_cwmp_zone_t *z);
static cwmp_table_t *ngx_http_cwmp_zone_begin(ngx_http_cwmp_zone_t *z,
    ngx_uint_t table);


/*
 * Shares of the zone: as it is, and with "cwmp_stun"; and what "cwmp_status"
 * adds.
 */

static struct {
    size_t      payload;
    ngx_uint_t  share[2];
    ngx_uint_t  status;
} ngx_http_cwmp_tables[NGX_HTTP_CWMP_TABLES] = {
    { NGX_HTTP_CWMP_SESSION_SIZE, { 28, 16 }, 0 },
    { NGX_HTTP_CWMP_COOKIE_SIZE, { 14, 8 }, 0 },
    { NGX_HTTP_CWMP_FACT_SIZE, { 27, 15 }, 0 },
    { NGX_HTTP_CWMP_NONCE_SIZE, { 12, 6 }, 0 },
    { NGX_HTTP_CWMP_CALL_SIZE, { 11, 6 }, 0 },
    { NGX_HTTP_CWMP_NOTICE_SIZE, { 2, 2 }, 0 },
    { NGX_HTTP_CWMP_ADMISSION_SIZE, { 4, 4 }, 0 },
    { NGX_HTTP_CWMP_BINDING_SIZE, { 1, 17 }, 0 },
    { NGX_HTTP_CWMP_ADDRESS_SIZE, { 1, 25 }, 0 },
    { NGX_HTTP_CWMP_NET_SIZE, { 1, 2 }, 0 },
    { NGX_HTTP_CWMP_DEVICE_SIZE, { 2, 2 }, 26 },
    { NGX_HTTP_CWMP_WOKEN_SIZE, { 1, 1 }, 7 }
};


char *
ngx_http_cwmp_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cwmp_main_conf_t  *cmcf = conf;

    u_char                *p;
    size_t                 running;
    ssize_t                size;
    ngx_str_t             *value, name, s;
    ngx_http_cwmp_zone_t  *z;

    if (cmcf->zone) {
        return "is duplicate";
    }

    value = cf->args->elts;

    p = (u_char *) ngx_strchr(value[1].data, ':');

    if (p == NULL || p == value[1].data) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid zone \"%V\", name:size is expected",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    name.data = value[1].data;
    name.len = p - value[1].data;

    s.data = p + 1;
    s.len = value[1].data + value[1].len - s.data;

    size = ngx_parse_size(&s);

    if (size == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid zone size \"%V\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    if (size < NGX_HTTP_CWMP_MIN_SIZE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "zone \"%V\" is too small, 64k at least",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    /*
     * A zone of another size would be a new one: sessions in flight would
     * lose their servers, and a worker of the old generation that dies holding
     * the old zone's lock would leave it locked, since the master looks after
     * the locks of current zones only.
     */

    running = ngx_http_cwmp_zone_running(cf, &name);

    if (running && running != (size_t) size) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "the size of zone \"%V\" stays %uz until nginx is "
                           "restarted", &name, running);
        size = running;
    }

    z = ngx_pcalloc(cf->pool, sizeof(ngx_http_cwmp_zone_t));
    if (z == NULL) {
        return NGX_CONF_ERROR;
    }

    cmcf->zone = ngx_shared_memory_add(cf, &name, size, &ngx_http_cwmp_module);
    if (cmcf->zone == NULL) {
        return NGX_CONF_ERROR;
    }

    cmcf->zone->init = ngx_http_cwmp_zone_init;
    cmcf->zone->data = z;
    cmcf->shared = z;

    return NGX_CONF_OK;
}


/*
 * In the master, while workers of an older generation use the same memory:
 * what is there already is not touched.
 */

static ngx_int_t
ngx_http_cwmp_zone_init(ngx_shm_zone_t *shm_zone, void *data)
{
    ngx_http_cwmp_zone_t  *oz = data;

    void                  *mem;
    size_t                 size;
    ngx_http_cwmp_zone_t  *z;

    z = shm_zone->data;
    z->shpool = (ngx_slab_pool_t *) shm_zone->shm.addr;

    if (oz || shm_zone->shm.exists) {
        z->sh = z->shpool->data;
        z->sh->warned = 0;

        ngx_http_cwmp_zone_attach(z);

        if (z->stun && !z->sh->stun) {
            ngx_http_cwmp_zone_lacks(shm_zone, NGX_HTTP_CWMP_BINDINGS);
        }

        if (z->status && !z->sh->status) {
            ngx_http_cwmp_zone_lacks(shm_zone, NGX_HTTP_CWMP_DEVICES);
        }

        return NGX_OK;
    }

    /* the only allocation there ever is */

    size = z->shpool->pfree * ngx_pagesize;

    mem = ngx_slab_alloc(z->shpool, size);
    if (mem == NULL) {
        return NGX_ERROR;
    }

    if (ngx_http_cwmp_zone_carve(z, mem, size) != NGX_OK) {
        ngx_log_error(NGX_LOG_EMERG, shm_zone->shm.log, 0,
                      "zone \"%V\" is too small", &shm_zone->shm.name);
        return NGX_ERROR;
    }

    z->shpool->data = z->sh;

    return NGX_OK;
}


/* a directive that is new, and whose rows had no share of the zone */

static void
ngx_http_cwmp_zone_lacks(ngx_shm_zone_t *shm_zone, ngx_uint_t table)
{
    ngx_http_cwmp_zone_t  *z;

    z = shm_zone->data;

    ngx_log_error(NGX_LOG_WARN, shm_zone->shm.log, 0,
                  table == NGX_HTTP_CWMP_BINDINGS
                  ? "zone \"%V\" was made without \"cwmp_stun\": it has room "
                    "for %ui bindings until nginx is restarted"
                  : "zone \"%V\" was made without \"cwmp_status\": it has room "
                    "for %ui devices until nginx is restarted",
                  &shm_zone->shm.name,
                  cwmp_table_capacity(z->tables[table]));
}


ngx_http_cwmp_zone_t *
ngx_http_cwmp_zone_private(ngx_conf_t *cf, ngx_uint_t status)
{
    void                  *mem;
    ngx_http_cwmp_zone_t  *z;

    z = ngx_pcalloc(cf->pool, sizeof(ngx_http_cwmp_zone_t));
    if (z == NULL) {
        return NULL;
    }

    z->status = status;

    mem = ngx_palloc(cf->pool, NGX_HTTP_CWMP_PRIVATE_SIZE);
    if (mem == NULL) {
        return NULL;
    }

    if (ngx_http_cwmp_zone_carve(z, mem, NGX_HTTP_CWMP_PRIVATE_SIZE) != NGX_OK)
    {
        return NULL;
    }

    return z;
}


cwmp_table_t *
ngx_http_cwmp_zone_lock(ngx_http_cwmp_zone_t *z, ngx_uint_t table)
{
    if (z->shpool) {
        ngx_shmtx_lock(&z->shpool->mutex);
    }

    return ngx_http_cwmp_zone_begin(z, table);
}


cwmp_table_t *
ngx_http_cwmp_zone_switch(ngx_http_cwmp_zone_t *z, ngx_uint_t from,
    ngx_uint_t to)
{
    cwmp_table_end(z->tables[from]);

    return ngx_http_cwmp_zone_begin(z, to);
}


static cwmp_table_t *
ngx_http_cwmp_zone_begin(ngx_http_cwmp_zone_t *z, ngx_uint_t table)
{
    if (cwmp_table_begin(z->tables[table]) == NGX_DECLINED) {
        ngx_http_cwmp_count(z, REBUILT);
    }

    return z->tables[table];
}


void
ngx_http_cwmp_zone_unlock(ngx_http_cwmp_zone_t *z, ngx_uint_t table)
{
    cwmp_table_end(z->tables[table]);

    if (z->shpool) {
        ngx_shmtx_unlock(&z->shpool->mutex);
    }
}


uint32_t
ngx_http_cwmp_zone_serial(ngx_http_cwmp_zone_t *z)
{
    uint32_t  serial;

    if (z->shpool) {
        ngx_shmtx_lock(&z->shpool->mutex);
    }

    serial = cwmp_replay_give(&z->sh->replay);

    if (z->shpool) {
        ngx_shmtx_unlock(&z->shpool->mutex);
    }

    return serial;
}


ngx_int_t
ngx_http_cwmp_zone_use(ngx_http_cwmp_zone_t *z, uint32_t serial,
    uint32_t count)
{
    ngx_int_t  rc;

    if (z->shpool) {
        ngx_shmtx_lock(&z->shpool->mutex);
    }

    rc = cwmp_replay_use(&z->sh->replay, serial, count);

    if (z->shpool) {
        ngx_shmtx_unlock(&z->shpool->mutex);
    }

    return rc;
}


cwmp_trace_t *
ngx_http_cwmp_zone_trace_lock(ngx_http_cwmp_zone_t *z)
{
    if (z->shpool) {
        ngx_shmtx_lock(&z->shpool->mutex);
    }

    return &z->sh->trace;
}


void
ngx_http_cwmp_zone_trace_unlock(ngx_http_cwmp_zone_t *z)
{
    if (z->shpool) {
        ngx_shmtx_unlock(&z->shpool->mutex);
    }
}


/*
 * Not HMAC-SHA256 of libcrypto, since there are several keys to be made with
 * each message of a CPE.
 */

void
ngx_http_cwmp_zone_key(ngx_http_cwmp_zone_t *z, u_char *key, ngx_uint_t kind,
    ngx_str_t *parts, ngx_uint_t n)
{
    uint32_t     len;
    ngx_uint_t   i;
    cwmp_hash_t  hash;

    hash = z->key;

    len = (uint32_t) kind;
    cwmp_hash_update(&hash, (u_char *) &len, sizeof(len));

    /* behind their lengths: ("ab", "c") and ("a", "bc") differ */

    for (i = 0; i < n; i++) {
        len = (uint32_t) parts[i].len;
        cwmp_hash_update(&hash, (u_char *) &len, sizeof(len));

        if (len) {
            cwmp_hash_update(&hash, parts[i].data, len);
        }
    }

    cwmp_hash_final(&hash, key);
}


ngx_uint_t
ngx_http_cwmp_zone_alive(uint32_t holder)
{
    return (pid_t) holder == ngx_pid
           || kill((pid_t) holder, 0) == 0
           || ngx_errno == NGX_EPERM;
}


/*
 * The size of the zone of that name in the running configuration, 0: there is
 * none.
 */

static size_t
ngx_http_cwmp_zone_running(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_uint_t        i;
    ngx_cycle_t      *old;
    ngx_shm_zone_t   *zone;
    ngx_list_part_t  *part;

    old = cf->cycle->old_cycle;

    if (old == NULL) {
        return 0;
    }

    for (part = &old->shared_memory.part; part; part = part->next) {
        zone = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (zone[i].tag == &ngx_http_cwmp_module
                && zone[i].shm.name.len == name->len
                && ngx_strncmp(zone[i].shm.name.data, name->data, name->len)
                   == 0)
            {
                return zone[i].shm.size;
            }
        }
    }

    return 0;
}


static ngx_int_t
ngx_http_cwmp_zone_carve(ngx_http_cwmp_zone_t *z, void *mem, size_t size)
{
    u_char      *p, *end;
    size_t       rest, share, shares[NGX_HTTP_CWMP_TABLES];
    ngx_uint_t   i, sum;

    p = mem;
    end = p + size;

    p = ngx_align_ptr(p, 8);
    z->sh = (ngx_http_cwmp_zone_sh_t *) p;
    ngx_memzero(z->sh, sizeof(ngx_http_cwmp_zone_sh_t));

    z->sh->stun = z->stun;
    z->sh->status = z->status;

    /* other nodes, and other zones of this one, number their nonces as well */

    if (RAND_bytes(z->sh->secret, sizeof(z->sh->secret)) != 1
        || RAND_bytes((u_char *) &z->sh->replay.serial,
                      sizeof(z->sh->replay.serial))
           != 1)
    {
        return NGX_ERROR;
    }

    p = ngx_align_ptr(p + sizeof(ngx_http_cwmp_zone_sh_t), 8);
    rest = end - p;
    sum = 0;

    for (i = 0; i < NGX_HTTP_CWMP_TABLES; i++) {
        shares[i] = ngx_http_cwmp_tables[i].share[z->stun]
                    + (z->status ? ngx_http_cwmp_tables[i].status : 0);
        sum += shares[i];
    }

    for (i = 0; i < NGX_HTTP_CWMP_TABLES; i++) {
        share = (rest / sum * shares[i]) & ~(size_t) 7;

        if (cwmp_table_create(p, share, ngx_http_cwmp_tables[i].payload)
            == NULL)
        {
            return NGX_ERROR;
        }

        z->sh->tables[i] = p - (u_char *) z->sh;
        p += share;
    }

    ngx_http_cwmp_zone_attach(z);

    return NGX_OK;
}


static void
ngx_http_cwmp_zone_attach(ngx_http_cwmp_zone_t *z)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HTTP_CWMP_TABLES; i++) {
        z->tables[i] = (cwmp_table_t *) ((u_char *) z->sh + z->sh->tables[i]);
    }

    cwmp_hash_init(&z->key, z->sh->secret);
}
