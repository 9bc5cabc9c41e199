
/*
 * The data zone, carved once out of "ntrip_zone size":
 *
 *     streams    1/2 of it    a row for each, at most 8192, and rings for
 *                             two of three: a stream that waits has none
 *     sessions   13/32        a row for each rover that is logged in
 *     leases     1/32         a row for each account in use or resting
 *     rests      1/64         hosts and (host, mountpoint) pairs that rest
 *     recent     1/64         failed logins by address, and by name there;
 *                             kicks by user
 *     turns      1/512        addresses that have one check at a time
 *     usage      1/64         what is not in the database yet
 *     the rest   1/64         header, chains, alignment
 *
 * With rings of 32k, 64m makes about 870 rings and 42,000 sessions; 1m about
 * 13 and 650.  NTRIP_ZONE_MIN is what is accepted at least.
 *
 * Locks and "busy": after taking the zone's mutex call ntrip_zone_enter(),
 * before giving it back ntrip_zone_leave().  Whoever is killed in between
 * leaves "busy" set, nginx's master gives the mutex back, and the next one
 * to enter rebuilds every list from the rows.
 *
 * Nothing here takes the lock itself, reads a clock or allocates.
 */


#ifndef _NTRIP_ZONE_H_INCLUDED_
#define _NTRIP_ZONE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_bus.h"
#include "ntrip_table.h"
#include "ntrip_group.h"
#include "ntrip_ring.h"
#include "ntrip_mailbox.h"
#include "ntrip_seldom.h"
#include "ntrip_seen.h"


#define NTRIP_ZONE_MIN       (512 * 1024)
#define NTRIP_ZONE_VERSION   6

/* how many rows a sweep looks at in one lock hold */
#define NTRIP_SWEEP_STEP     128


/* what there was no room for, to be logged */

typedef enum {
    NTRIP_FULL_STREAMS = 0,
    NTRIP_FULL_RINGS,
    NTRIP_FULL_ROVERS,
    NTRIP_FULL_USER,
    NTRIP_FULL_ACCOUNTS,
    NTRIP_FULL_KINDS
} ntrip_full_e;


/* of one session, or one stream's source: what of it was counted, see
   ntrip_usage.h */

typedef struct {
    uint64_t           begun;        /* it is among the sessions */
    uint64_t           since;        /* up to when, monotonic ms */
    uint64_t           ended;        /* ms, its worker was found dead; 0: it
                                        goes on */
    uint64_t           bytes;
} ntrip_counted_t;


typedef enum {
    NTRIP_METER_IDLE = 0,
    NTRIP_METER_TAKING,
    NTRIP_METER_TAKEN
} ntrip_meter_state_e;


/* who writes what was counted into the database */

typedef struct {
    uint64_t           now;          /* monotonic ms, by the tick of any
                                        worker; no lock */
    uint64_t           day;          /* same; since 1970-01-01, local */
    uint64_t           state;        /* ntrip_meter_state_e */
    uint64_t           batch;        /* its number, or that of the next */
    uint64_t           from;         /* its rows are these, up to "to", */
    uint64_t           to;           /* which counts once it is TAKEN */
    uint64_t           holder;       /* who writes; 0: nobody */
    uint64_t           due;          /* ms: when the next one begins */
    uint64_t           lost;         /* how often there was no room */
    uint64_t           told;         /* of these, in error.log */
} ntrip_meter_t;


typedef struct {
    uint64_t           version;
    uint64_t           busy;         /* set within a lock hold */
    uint64_t           rebuilds;     /* how often somebody died within */

    size_t             ring_size;    /* data bytes of each ring */
    size_t             ring_memory;  /* from one ring to the next */
    size_t             rings;        /* offset of the first from the zone */
    size_t             ring_next;    /* offset: the next free one, of each */
    uint32_t           nrings;
    uint32_t           ring_free;    /* first of the free ones */
    uint64_t           frees;        /* accounts given back: ntrip_wait.h */
    uint64_t           cooling;      /* ms: an account rests behind its use */
    uint64_t           pace;         /* us between logins at a host; both are
                                        the newest configuration's, one word
                                        each: no lock */

    ntrip_table_t      streams;      /* ntrip_stream_row_t */
    ntrip_table_t      sessions;     /* ntrip_session_row_t */
    ntrip_table_t      leases;       /* ntrip_lease_row_t */
    ntrip_table_t      rests;        /* ntrip_rest_row_t */
    ntrip_table_t      turns;        /* ntrip_turn_row_t */
    ntrip_table_t      usage;        /* ntrip_usage_row_t */
    ntrip_meter_t      meter;
    ntrip_group_t      users;        /* sessions of a user */
    ntrip_group_t      members;      /* sessions on a stream */
    ntrip_group_t      places;       /* streams of a mountpoint */
    ntrip_group_t      lines;        /* streams that wait for the same */
    ntrip_group_t      heads;        /* the firsts of all lines */
    ntrip_recent_t     failures;     /* failed logins by address */
    ntrip_recent_t     names;        /* by name at an address */
    ntrip_recent_t     kicks;        /* kicks by user */
    ntrip_seldom_t     full[NTRIP_FULL_KINDS];
} ntrip_zone_t;


typedef struct {
    uint32_t           streams;
    uint32_t           rings;
    uint32_t           sessions;
    uint32_t           leases;
    uint32_t           rests;
    uint32_t           recent;       /* rows of each ntrip_recent_t */
    uint32_t           turns;
    uint32_t           usage;
    size_t             ring_size;
    size_t             bytes;        /* what they take */
} ntrip_zone_plan_t;


/* a set of slots to wake: filled by operations, used after the lock */

typedef struct {
    uint64_t           bits[NTRIP_SLOT_WORDS];
} ntrip_slots_t;

#define ntrip_slots_add(set, slot)                                            \
    (set)->bits[(slot) / 64] |= (uint64_t) 1 << ((slot) % 64)
#define ntrip_slots_has(set, slot)                                            \
    (((set)->bits[(slot) / 64] >> ((slot) % 64)) & 1)


/* how "size" bytes are divided; NGX_OK, or NGX_DECLINED: too small for even
   two streams with rings of "ring_size" */
ngx_int_t ntrip_zone_plan(ntrip_zone_plan_t *plan, size_t size,
    size_t ring_size);

/* carves zeroed memory of plan->bytes, aligned to 64, by the master, before
   anybody else sees it */
void ntrip_zone_init(ntrip_zone_t *zone, const ntrip_zone_plan_t *plan);


/*
 * Lock held: see above.  enter returns 1 if it had to rebuild (log it), which
 * is the one hold that may take longer than all others: 50 to 100 ms with
 * 50,000 sessions.
 */
ngx_uint_t ntrip_zone_enter(ntrip_zone_t *zone);
void ntrip_zone_leave(ntrip_zone_t *zone);


/*
 * The claimant of a slot clears what its predecessor left in the streams,
 * before it attaches to any: NTRIP_SWEEP_STEP rows a call from *next on, 0 at
 * first; *wake gets the owners of what it has left.  Lock held; give it back
 * between calls.  NGX_AGAIN: call again; NGX_OK: done.  t/unit/ntrip_slot.c.
 */
ngx_int_t ntrip_zone_clear_slot(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint64_t now, ngx_uint_t slot, uint32_t *next, ntrip_slots_t *wake);

/* no lock: one of the rings */
ntrip_ring_t *ntrip_zone_ring(ntrip_zone_t *zone, uint32_t i);


typedef struct {
    uint32_t           stage;        /* start with all of it zero */
    uint32_t           next;
    uint32_t           swept;        /* rows so far */
    uint32_t           left;         /* rows left to their heirs, or to a
                                        later sweep */
    uint32_t           leases;       /* some came to rest in this step */
    uint32_t           spare;
    uint64_t           dead[NTRIP_SLOTS];
} ntrip_sweep_t;

/*
 * Sweeps rows of dead holders, NTRIP_SWEEP_STEP a call.  Lock held; give it
 * back between calls.  NGX_AGAIN: call again; NGX_OK: done; another sweep
 * stays due if rows were left.
 *
 *   session of a dead worker: with a living heir as streams; left while what it
 *       has used has no room (ntrip_usage_room()); else removed; a lead is
 *       taken from its stream.
 *   stream of a dead worker:  with a living heir and an offer younger than
 *       NTRIP_OFFER_TIMEOUT: left for the heir.  Else with bits of living
 *       slots: ORPHAN, and these slots are marked and put into "wake".  Else
 *       removed.
 *   stream, bits of free slots: cleared.
 *   lease whose stream is gone, or which a dead worker was closing or
 *       testing: rests for NTRIP_LEASE_COOL, then it is free.
 */
ngx_int_t ntrip_zone_sweep(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint64_t now, ntrip_sweep_t *sweep, ntrip_slots_t *wake);


/*
 * The hand-over of a row, lock held.  See ntrip_handover.h.
 * offer:    holder only, row not yet offered.
 * withdraw: holder only.  NGX_OK: it is ours again for all time;
 *           NGX_DECLINED: it has been taken, close your copies.
 * accept:   heir only.  NGX_OK: it is ours now; NGX_DECLINED: the offer does
 *           not stand (any more), close what came with it.
 * decline:  heir only, which cannot take it: the holder keeps it.  NGX_OK, or
 *           NGX_DECLINED as above.
 */

#define NTRIP_OFFER_TIMEOUT  1000    /* ms */

void ntrip_row_offer(ntrip_row_t *row, uint64_t heir, uint64_t nonce,
    uint64_t now);
ngx_int_t ntrip_row_withdraw(ntrip_row_t *row, uint64_t me, uint64_t nonce);
ngx_int_t ntrip_row_accept(ntrip_row_t *row, uint64_t me, uint64_t serial,
    uint64_t nonce);
ngx_int_t ntrip_row_decline(ntrip_row_t *row, uint64_t me, uint64_t serial,
    uint64_t nonce);

/*
 * No lock: does the offer stand?  Before anything is made for it, since a
 * message may come long after its offer was withdrawn, when the row is
 * another's: 0 says so for good, 1 is settled by accept.
 */
ngx_uint_t ntrip_row_offered(ntrip_row_t *row, uint64_t me, uint64_t serial,
    uint64_t nonce);


/* the room's other headers: this one is its door */

#include "ntrip_lease.h"
#include "ntrip_session.h"
#include "ntrip_stream.h"
#include "ntrip_usage.h"
#include "ntrip_station.h"
#include "ntrip_pair.h"
#include "ntrip_turn.h"
#include "ntrip_wait.h"
#include "ntrip_handover.h"


#endif /* _NTRIP_ZONE_H_INCLUDED_ */
