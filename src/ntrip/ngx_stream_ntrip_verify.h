
/*
 * Passwords of rovers; the interface is ngx_stream_ntrip_store_verify() in
 * ngx_stream_ntrip_store.h.
 */


#ifndef _NGX_STREAM_NTRIP_VERIFY_H_INCLUDED_
#define _NGX_STREAM_NTRIP_VERIFY_H_INCLUDED_


#include "ngx_stream_ntrip.h"


/* of ngx_stream_ntrip_store_init() */
ngx_int_t ngx_stream_ntrip_verify_init(ngx_cycle_t *cycle,
    ngx_thread_pool_t *pool);


#endif /* _NGX_STREAM_NTRIP_VERIFY_H_INCLUDED_ */
