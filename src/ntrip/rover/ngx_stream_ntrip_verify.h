
/*
 * Passwords of rovers and of the console.
 */


#ifndef _NGX_STREAM_NTRIP_VERIFY_H_INCLUDED_
#define _NGX_STREAM_NTRIP_VERIFY_H_INCLUDED_


#include "ngx_stream_ntrip_store.h"


/* in init_process; NGX_ERROR: there are no random numbers, logged */
ngx_int_t ngx_stream_ntrip_verify_init(ngx_cycle_t *cycle,
    ngx_thread_pool_t *pool);

typedef struct ngx_stream_ntrip_verify_s  ngx_stream_ntrip_verify_t;

typedef void (*ngx_stream_ntrip_verify_pt)(void *data, ngx_int_t rc);

/*
 * Compares a password with the stored value.  NGX_OK, NGX_DECLINED, or
 * NGX_AGAIN: a hash that is not in the cache, which a thread computes; then
 * handler is called with NGX_OK or NGX_DECLINED, unless the check is cancelled,
 * and *check is good until then.  What nobody waits for any more when its turn
 * comes is not computed.  NGX_ERROR: no memory, treat as unavailable.
 */
ngx_int_t ngx_stream_ntrip_verify(ngx_stream_ntrip_user_t *user,
    ngx_str_t *password, ngx_stream_ntrip_verify_pt handler, void *data,
    ngx_stream_ntrip_verify_t **check);
void ngx_stream_ntrip_verify_cancel(ngx_stream_ntrip_verify_t *check);

/*
 * Wrong passwords of the peer's address, in all workers, within a minute; 0 for
 * a unix socket.  blocked: there were so many that the next one is to wait for
 * a second.  failed: another one, returns how many.
 */
ngx_uint_t ngx_stream_ntrip_verify_blocked(ngx_connection_t *c);
ngx_uint_t ngx_stream_ntrip_verify_failed(ngx_connection_t *c);


#endif /* _NGX_STREAM_NTRIP_VERIFY_H_INCLUDED_ */
