
/*
 * ntrip_oversubscribe: two streams of one mountpoint in different places have
 * one account, by turns.  The host is the one that has the lease, and its owner
 * is also that of the other, the guest, which is LIVE without one.  In its turn
 * the provider is told where the guest is, and what comes goes into the guest's
 * ring: rovers of either know nothing of it.
 *
 *     guest:  OPENING, waits ---- join ----> LIVE ---- part ----> ORPHAN
 *
 * A guest is undone by making it an ORPHAN, as any stream whose owner goes: a
 * worker with rovers of it claims it, and looks for an account, or a host,
 * anew.  A host has one guest, and a guest is no host.  For a while it is
 * nobody else's host, so that after a reload others that wait do not take the
 * place of a guest; unless that has an account, another host, or no rovers.
 *
 * The pair is what the host says, "guest", its row, serial and epoch, as long
 * as the guest's row says the same, has the same holder, and is LIVE.  Since a
 * claim is another epoch, nothing has to be cleaned up.
 *
 * Attacks:
 *   killed within join: the guest has a dead owner, or the host's; the host
 *     names a guest that is none, or one that is.
 *   the host's owner killed: both are orphans, each on its own.
 *   the host is handed over: its holder is another one, so it has no guest; the
 *     giver parts before.
 *   the guest's rovers go: its owner sees no bit, and parts, which frees it.
 *   two guests at once: under the lock the second finds a host that has one.
 *
 * Turns are pure: no lock, no clock.  t/unit/ntrip_pair.c
 */


#ifndef _NTRIP_PAIR_H_INCLUDED_
#define _NTRIP_PAIR_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NTRIP_PAIR_TURN      5000    /* ms */

/* ms that a host waits for a guest that it had to part from */
#define NTRIP_PAIR_KEEP      10000


typedef struct {
    uint64_t           since;        /* ms, when the turn began */
    ngx_uint_t         guest;        /* whose it is: 1, the guest's */
} ntrip_pair_turn_t;


/* the first turn is the guest's, who has waited */
void ntrip_pair_begin(ntrip_pair_turn_t *turn, uint64_t now);

/* 1: the turn was over, the other one's begins */
ngx_uint_t ntrip_pair_next(ntrip_pair_turn_t *turn, uint64_t now);

/* ms that are left of it */
uint64_t ntrip_pair_left(ntrip_pair_turn_t *turn, uint64_t now);


/* no lock, since all streams are looked at: a host for streams[index], as it
   seems, whose worker is not about to give it away; NTRIP_ROW_NONE: there is
   none */
uint32_t ntrip_pair_find(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    uint32_t index);

/*
 * Lock held; the owner of streams[index], which is OPENING, without an account,
 * and needs positions: it becomes the guest of streams[host], which is LIVE and
 * of the same place.key.  "wake" gets the host's owner, and who has rovers of
 * it.  NGX_OK: it is no longer the caller's, who has nothing more to do with
 * its account; NGX_DECLINED: that is no host for it.
 */
ngx_int_t ntrip_pair_join(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t me,
    uint64_t now, uint32_t index, uint32_t host, ntrip_slots_t *wake);

/* no lock: a stream that is live without an account is somebody's guest */
ngx_uint_t ntrip_pair_is_guest(ntrip_stream_row_t *stream);

/* no lock, the owner of streams[index]: its guest, NTRIP_ROW_NONE: none */
uint32_t ntrip_pair_guest(ntrip_zone_t *zone, uint32_t index);

/* lock held, the owner of streams[index], before it gives that, its lease or
   its connection up: it has no guest from now on */
void ntrip_pair_part(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t me,
    uint64_t now, uint32_t index, ntrip_slots_t *wake);


#endif /* _NTRIP_PAIR_H_INCLUDED_ */
