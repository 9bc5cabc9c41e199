
/*
 * Fieldgate: whether a database that is missing may be made.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_stream_ntrip_worker.h"
#include "ngx_stream_ntrip_store.h"


/*
 * A name that is new in the configuration gets a number in the master; the
 * number of the last one whose file was opened is in the bus, so that nobody
 * makes the file again, not even the successor of a worker that has died.
 */

static u_char    ngx_stream_ntrip_store_path[NGX_MAX_PATH];
static uint64_t  ngx_stream_ntrip_store_number;


void
ngx_stream_ntrip_store_init_module(ngx_stream_ntrip_main_conf_t *nmcf)
{
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
    return __atomic_load_n(&ngx_stream_ntrip_worker.bus->opened,
                           __ATOMIC_SEQ_CST)
           < ngx_stream_ntrip_store_number;
}


void
ngx_stream_ntrip_store_found(void)
{
    uint64_t  old, *opened;

    opened = &ngx_stream_ntrip_worker.bus->opened;
    old = __atomic_load_n(opened, __ATOMIC_SEQ_CST);

    while (old < ngx_stream_ntrip_store_number
           && !__atomic_compare_exchange_n(opened, &old,
                                           ngx_stream_ntrip_store_number, 0,
                                           __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
    {
        /* void */
    }
}
