
/*
 * Fieldgate: which counts of which nonces have been used: a ring of the last
 * CWMP_REPLAY_NONCES serial numbers that were given out.
 *
 * Of a nonce only greater counts than the greatest one so far are new, which
 * may refuse one of several requests at once; its client asks again.  A nonce
 * that has left the ring is as good as expired.
 *
 * All zero at first but for the serial number, which is random.  Each entry is
 * one word: a process may die between any two stores.  The lock is held.
 */


#ifndef _CWMP_REPLAY_H_INCLUDED_
#define _CWMP_REPLAY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define CWMP_REPLAY_NONCES  1024


typedef struct {
    uint64_t              serial;     /* the last one given out */
    uint64_t              used[CWMP_REPLAY_NONCES];  /* serial, and count */
} cwmp_replay_t;


/* The serial number of a new nonce. */

uint32_t cwmp_replay_give(cwmp_replay_t *r);

/*
 * A response with that count, not 0, has come.  NGX_DECLINED: it may have come
 * before.
 */
ngx_int_t cwmp_replay_use(cwmp_replay_t *r, uint32_t serial, uint32_t count);


#endif /* _CWMP_REPLAY_H_INCLUDED_ */
