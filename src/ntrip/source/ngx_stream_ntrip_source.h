
/*
 * Sources: for each stream that this worker owns, the one that looks for an
 * account, logs in at its provider, and writes what comes into the ring; and
 * SOURCE-TEST, which does the first two only.
 *
 *   ngx_stream_ntrip_source.c    life: what happens to a source
 *   ngx_stream_ntrip_look.c      which account it has
 *   ngx_stream_ntrip_action.c    and what it does
 *   ngx_stream_ntrip_position.c  positions for the provider
 *   ngx_stream_ntrip_moved.c     a source that goes to another worker
 *   ngx_stream_ntrip_test.c      SOURCE-TEST
 *   ngx_stream_ntrip_fetch.c     the provider's sourcetable
 *   ngx_stream_ntrip_relay.c     which server of the configuration it is of
 *   ngx_stream_ntrip_upload.c    a base station's instead
 *
 *   ntrip_policy.c               which event leads to what
 *   ngx_stream_ntrip_lease.c     an account: its file lock, its login
 *   ngx_stream_ntrip_connect.c   the way to a provider
 *   ngx_stream_ntrip_tls.c       with TLS
 *   ngx_stream_ntrip_client.c    a connection to it
 *   ngx_stream_ntrip_lookup.c    names of hosts
 *   ngx_stream_ntrip_feed.c      messages into a ring
 *
 * A source is its stream's from start() or adopt() until it sets the pointer
 * that it was given to NULL: because it has given up, and the stream is
 * FAILED; because the stream is closed, or another worker's.  It may live on
 * after that until its connection is closed.  All that it names it has
 * itself, or the cycle: accounts and rows may go at any time.
 */


#ifndef _NGX_STREAM_NTRIP_SOURCE_H_INCLUDED_
#define _NGX_STREAM_NTRIP_SOURCE_H_INCLUDED_


#include "ngx_stream_ntrip_worker.h"
#include "ngx_stream_ntrip_store.h"
#include "ntrip_protocol.h"


/*
 * Starts a source for a stream that this worker owns: it looks for an account,
 * in an event of its own.  "place" is where the stream has its pointer to the
 * source; if there is one, it goes on with that.  NGX_ERROR: no memory.
 */
ngx_int_t ngx_stream_ntrip_source_start(ngx_stream_ntrip_source_t **place,
    ngx_stream_ntrip_srv_conf_t *conf, uint32_t index, uint64_t serial);

/* the same, but it looks at once.  NGX_AGAIN: there is no account, and no
   source */
ngx_int_t ngx_stream_ntrip_source_try(ngx_stream_ntrip_source_t **place,
    ngx_stream_ntrip_srv_conf_t *conf, uint32_t index, uint64_t serial);

/* it may be its turn to look for an account: ntrip_wait.h */
void ngx_stream_ntrip_source_called(ngx_stream_ntrip_source_t *source);

/* each second: accounts that expire; what an exiting worker gives up */
void ngx_stream_ntrip_source_tick(void);

/* there may be a new mail in the stream: reads the mailbox itself, and sends
   what it finds, at most one each gga_interval */
void ngx_stream_ntrip_source_mail(ngx_stream_ntrip_source_t *source);

/* nobody wants it any more: lingers, then closes */
void ngx_stream_ntrip_source_idle(ngx_stream_ntrip_source_t *source);


/* where the tables of providers are kept */
ngx_int_t ngx_stream_ntrip_fetch_init(ngx_cycle_t *cycle,
    ngx_str_t *database);

/* the tables of providers that servers want are fetched if they are old */
void ngx_stream_ntrip_fetch_tick(void);

/* an account was changed or deleted; 0: any */
void ngx_stream_ntrip_source_changed(uint64_t id);

/* there are others: those that wait look again */
void ngx_stream_ntrip_source_retry(void);


/*
 * A source goes from an older worker to a newer one.
 *
 * offer:   a LIVE one: neither reads nor writes from now on.  What it goes on
 *          with is copied: the account, the decoders of its body and of
 *          messages; fds gets its socket and its lock file.  NGX_OK;
 *          NGX_DECLINED: not now, nothing has changed
 * resume:  the offer was withdrawn: it goes on
 * release: the heir has it: closes its copies; the source is gone
 *
 * expect:  the other side: a source that has all it needs; NULL: no memory
 * adopt:   the row is this worker's: it goes on, and is the stream's
 * refuse:  it is not: the source is gone, the fds are still the caller's
 */
ngx_int_t ngx_stream_ntrip_source_offer(ngx_stream_ntrip_source_t *source,
    ntrip_candidate_t *candidate, ntrip_reply_t *reply, ntrip_rtcm_t *rtcm,
    ngx_socket_t *fds);
void ngx_stream_ntrip_source_resume(ngx_stream_ntrip_source_t *source);
void ngx_stream_ntrip_source_release(ngx_stream_ntrip_source_t *source);

ngx_stream_ntrip_source_t *ngx_stream_ntrip_source_expect(
    ngx_stream_ntrip_srv_conf_t *conf, uint32_t index, uint64_t serial,
    ntrip_candidate_t *candidate, ntrip_reply_t *reply, ntrip_rtcm_t *rtcm,
    ngx_socket_t *fds);
void ngx_stream_ntrip_source_adopt(ngx_stream_ntrip_source_t *source,
    ngx_stream_ntrip_source_t **place);
void ngx_stream_ntrip_source_refuse(ngx_stream_ntrip_source_t *source);


/*
 * One login for SOURCE-TEST, for a mountpoint or, if it has no name, which it
 * is then given, the first of the relay that uses the account.  Leases the
 * account and takes the file lock as any other, after other tests of it, whose
 * end is waited for.  NGX_OK: the handler gets in words what it has met, the
 * provider's first line if there was one, later; unless "data" is taken back.
 * NGX_DECLINED: the account does not exist, has expired, or no server relays
 * that mountpoint from its pool; NGX_ERROR: no memory, logged.
 */
typedef void (*ngx_stream_ntrip_test_pt)(void *data, ngx_str_t *text);
ngx_int_t ngx_stream_ntrip_source_test(uint64_t id, ngx_str_t *mount,
    ngx_stream_ntrip_test_pt handler, void *data);
void ngx_stream_ntrip_source_test_cancel(void *data);


/* the port at the provider, if neither its accounts nor the relay name one:
   the first one that the server listens on; 0: none */
in_port_t ngx_stream_ntrip_relay_port(ngx_stream_ntrip_srv_conf_t *conf);

/* the first server of the cycle that relays a mountpoint from just these pools,
   or, with "one", from this one among others; "name" empty: its first one; else
   the first one with ntrip_sourcetable, and *mount is NULL.  NULL: none */
ngx_stream_ntrip_srv_conf_t *ngx_stream_ntrip_relay_conf(ngx_str_t *pool,
    ngx_uint_t one, ngx_str_t *name, ngx_stream_ntrip_mount_t **mount);


/* and what comes without being asked for: this room's other header */

#include "ngx_stream_ntrip_upload.h"


#endif /* _NGX_STREAM_NTRIP_SOURCE_H_INCLUDED_ */
