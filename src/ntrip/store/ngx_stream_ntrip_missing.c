
/*
 * Fieldgate: whether a database that is missing may be made.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_stream_ntrip_store.h"


/*
 * A name that is new in the configuration gets a number in the master; the
 * number of the last one whose file was opened is shared by all processes, so
 * that nobody makes the file again, not even the successor of a worker that
 * has died.
 */

static u_char                    ngx_stream_ntrip_store_path[NGX_MAX_PATH];
static ngx_atomic_uint_t         ngx_stream_ntrip_store_number;
static ngx_shm_t                 ngx_stream_ntrip_store_shm;


void
ngx_stream_ntrip_store_init_module(ngx_cycle_t *cycle,
    ngx_stream_ntrip_main_conf_t *nmcf)
{
    ngx_shm_t  *shm;

    shm = &ngx_stream_ntrip_store_shm;

    if (shm->addr == NULL) {
        shm->size = ngx_pagesize;
        ngx_str_set(&shm->name, "ntrip_store");
        shm->log = cycle->log;

        if (ngx_shm_alloc(shm) != NGX_OK) {
            shm->addr = NULL;
        }
    }

    if (ngx_strncmp(ngx_stream_ntrip_store_path, nmcf->database.data,
                    NGX_MAX_PATH - 1)
        != 0)
    {
        ngx_stream_ntrip_store_number++;

        (void) ngx_cpystrn(ngx_stream_ntrip_store_path, nmcf->database.data,
                           NGX_MAX_PATH);
    }
}


/* the number that is shared; of old workers it stays behind */

ngx_uint_t
ngx_stream_ntrip_store_missing(void)
{
    ngx_atomic_t  *opened;

    opened = (ngx_atomic_t *) ngx_stream_ntrip_store_shm.addr;

    return opened == NULL || *opened < ngx_stream_ntrip_store_number;
}


void
ngx_stream_ntrip_store_found(void)
{
    ngx_atomic_t       *opened;
    ngx_atomic_uint_t   old;

    opened = (ngx_atomic_t *) ngx_stream_ntrip_store_shm.addr;

    if (opened == NULL) {
        return;
    }

    do {
        old = *opened;
    } while (old < ngx_stream_ntrip_store_number
             && !ngx_atomic_cmp_set(opened, old,
                                    ngx_stream_ntrip_store_number));
}
