
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

/*
 * Wrong passwords of the peer's address, in all workers, within a minute; 0 for
 * a unix socket.  blocked: there were so many that the next one is to wait for
 * a second.  failed: another one, returns how many.
 */
ngx_uint_t ngx_stream_ntrip_verify_blocked(ngx_connection_t *c);
ngx_uint_t ngx_stream_ntrip_verify_failed(ngx_connection_t *c);


#endif /* _NGX_STREAM_NTRIP_VERIFY_H_INCLUDED_ */
