
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

typedef enum {
    NGX_STREAM_NTRIP_DOOR_CASTER = 0,
    NGX_STREAM_NTRIP_DOOR_CONSOLE
} ngx_stream_ntrip_door_e;


/* what somebody says who wants to come in; all of it is copied */

typedef struct {
    ngx_connection_t          *peer;
    ngx_stream_ntrip_door_e    door;
    ngx_str_t                  name;
    ngx_str_t                  password;
    ngx_stream_ntrip_user_t   *user;      /* NULL: there is none such */
    ngx_uint_t                 refused;   /* he is not let in anyway */
} ngx_stream_ntrip_claim_t;


/*
 * Compares a password with the stored value, and counts it if it is wrong.
 * NGX_OK, NGX_DECLINED, or NGX_AGAIN: it takes a hash that is not in the cache,
 * which a thread computes, or the address has to wait for its turn; then
 * handler is called with NGX_OK or NGX_DECLINED, unless the check is cancelled,
 * and *check is good until then.  What nobody waits for any more when its turn
 * comes is not computed.  NGX_ERROR: no memory, treat as unavailable.
 *
 * At the caster it takes the same time for whoever there is no user, whose
 * account has expired, or whose password is wrong; and one address has one
 * check at a time once it has failed too often (ntrip_turn.h).  At the console
 * a check waits for none of a caster.
 */
ngx_int_t ngx_stream_ntrip_verify(ngx_stream_ntrip_claim_t *claim,
    ngx_stream_ntrip_verify_pt handler, void *data,
    ngx_stream_ntrip_verify_t **check);
void ngx_stream_ntrip_verify_cancel(ngx_stream_ntrip_verify_t *check);

/*
 * Failures of the peer's address at that door within a minute, in all workers;
 * "more": with another one.  0 for a unix socket.
 */
ngx_uint_t ngx_stream_ntrip_failures(ngx_connection_t *c,
    ngx_stream_ntrip_door_e door, ngx_uint_t more);


#endif /* _NGX_STREAM_NTRIP_VERIFY_H_INCLUDED_ */
