
/*
 * Streams in the data zone: who owns the source, who has rovers, which one
 * leads.  All functions need the zone's lock unless they say otherwise.
 *
 *            reserve                 live
 *     free ----------> OPENING <--------------> LIVE
 *      ^                 ^  |       reopen       |
 *      | close (no bits) |  +---------+----------+
 *      |                 | claim      |          | fail: no account left
 *      |                 |            |          v
 *      +--------------ORPHAN <--------+       FAILED --> free, with the last
 *        sweep (no bits)   owner died                    bit, by whoever
 *                                                        clears it or owns
 *
 * OPENING: the owner is getting an account, connecting, or waiting for the
 * reply.  Rovers may attach to it and wait.  FAILED is treated as absent by
 * attach; workers that have rovers of it close them and detach.
 *
 * "owner" is row.holder, one word: taking a stream, offering it and giving
 * it back are one store each.  "epoch" counts changes of owner or source and
 * is written before it.
 *
 * Attacks:
 *   owner killed at any point: its slot is released, the sweep sees a dead
 *     holder; OPENING or LIVE become ORPHAN (or free, without bits).  Words
 *     of the row written before "state" do not matter, claim writes them
 *     again.
 *   claimant killed in claim(): either the row is still ORPHAN, or it has a
 *     dead owner again.
 *   two workers claim: under the lock the second finds OPENING.
 *   two workers look for the same place at once: the second finds the row of
 *     the first, since lookup and reservation are one lock hold; the account
 *     is reserved in the same hold.
 *   owner is alive but slow: nobody takes a stream whose holder is alive;
 *     there is no timeout on ownership.
 *   last rover leaves while another attaches: close() checks the bits under
 *     the lock; attach() set its bit under it.
 *   reload: bits and holders name slots of any generation alike.
 *   row reused: "serial" differs; every call that comes from a worker's own
 *     memory names it.
 */


#ifndef _NTRIP_STREAM_H_INCLUDED_
#define _NTRIP_STREAM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_zone.h"
#include "ntrip_lease.h"


#define NTRIP_STREAM_OPENING 1
#define NTRIP_STREAM_LIVE    2
#define NTRIP_STREAM_ORPHAN  3
#define NTRIP_STREAM_FAILED  4

#define NTRIP_POOL_MAX       32
#define NTRIP_LABEL_MAX      160     /* "account@host:port", no password */

/* distances in metres */
#define NTRIP_SHARE_NONE     0       /* never share */
#define NTRIP_SHARE_ALL      NGX_MAX_UINT32_VALUE
                                     /* gga=off: one source for all */


typedef struct {
    ntrip_row_t        row;          /* holder: the owner */

    uint64_t           epoch;
    uint64_t           slots[NTRIP_SLOT_WORDS];
                                     /* which slots have rovers */
    uint64_t           lead;         /* login number, 0: none */
    uint64_t           source;       /* source.id whose lease it has, or 0;
                                        a lease is held as long as this
                                        says so: ntrip_lease.h */
    uint64_t           reference;    /* ntrip_point_t of what was last sent
                                        upstream, before that the first
                                        rover's; owner only, one word */
    uint64_t           created;      /* monotonic ms */
    uint64_t           data;         /* last data, monotonic ms */
    uint64_t           bytes;        /* from the source, owner only */
    uint64_t           messages;     /* same */

    uint32_t           port;         /* upstream port asked for, 0: any */
    uint16_t           mount_len;
    uint16_t           pool_len;
    u_char             mount[NTRIP_MOUNT_MAX];
    u_char             pool[NTRIP_POOL_MAX];

    uint32_t           label_len;
    u_char             label[NTRIP_LABEL_MAX];

    ntrip_mailbox_t    mail;         /* from the lead rover's worker */
} ntrip_stream_row_t;


/* what a rover wants */

typedef struct {
    ngx_str_t          mount;        /* declared spelling; compared exactly */
    ngx_str_t          pool;
    uint32_t           port;
    uint32_t           share;        /* metres, NTRIP_SHARE_* */
    ntrip_mail_t      *mail;         /* its position and sentence; NULL only
                                        with NTRIP_SHARE_ALL */
    uint64_t           login;        /* its number: first lead */

    /* accounts that may be used, in order of preference */
    ntrip_candidate_t *candidates;
    ngx_uint_t         ncandidates;
} ntrip_want_t;


typedef struct {
    uint32_t           index;
    uint64_t           serial;
    uint64_t           position;     /* in the ring, to read from */
    ngx_uint_t         candidate;    /* NGX_OK: index of the leased account */
    uint32_t           distance;     /* metres to the reference */
    uint64_t           wait;         /* ms */
} ntrip_found_t;


/*
 * The nearest stream within reach, else a new one with a leased account; one
 * lock hold.  Sets the caller's bit in it and "position" behind the newest
 * record.
 *   NGX_DONE      joined an existing stream (any owner)
 *   NGX_OK        reserved: the caller is its owner, state OPENING, and holds
 *                 the row of the lease of candidates[candidate]; it then
 *                 takes the file lock, and on failure calls
 *                 ntrip_stream_next_lease()
 *   NGX_AGAIN     every candidate is in use or resting: wait
 *   NGX_DECLINED  no candidates at all
 * With NGX_AGAIN found->wait tells when to try again at the latest.
 *   NGX_ERROR     the streams or leases table is full: found->index is 0 for
 *                 streams, 1 for leases
 */
ngx_int_t ntrip_stream_attach(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint64_t me, uint64_t now, const ntrip_want_t *want,
    ntrip_found_t *found);

/* a rover that was handed over: sets the caller's bit.  To be called before
   its session is accepted, while the giver's bit still keeps the stream.
   NGX_OK, or NGX_DECLINED: it has ended, attach as a newcomer */
ngx_int_t ntrip_stream_rejoin(ntrip_zone_t *zone, uint64_t me,
    uint32_t index, uint64_t serial);

/*
 * Clears the caller's bit: its last rover of this stream has gone.  Frees
 * the row if it has failed and this was the last bit.  "wake" gets the owner,
 * which begins to linger.  Harmless with an old serial.
 */
void ntrip_stream_detach(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t me,
    uint32_t index, uint64_t serial, ntrip_slots_t *wake);

/* owner: another account for the same stream; the one it had is first put to
   rest or closed by the caller.  NGX_OK: found->candidate; NGX_AGAIN,
   NGX_DECLINED, NGX_ERROR as above.  State becomes OPENING. */
ngx_int_t ntrip_stream_next_lease(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint64_t now, uint32_t index, const ntrip_want_t *want,
    ntrip_found_t *found);

/* owner: first reply line was good; the label is shown in lists */
void ntrip_stream_live(ntrip_zone_t *zone, uint32_t index,
    const ngx_str_t *label);

/* owner: the source was lost, another will be tried; epoch moves on */
void ntrip_stream_reopen(ntrip_zone_t *zone, uint32_t index);

/* owner: no account is left; slots with rovers are put into "wake" and close
   them.  The lease must be gone already. */
void ntrip_stream_fail(ntrip_zone_t *zone, ntrip_bus_t *bus, uint32_t index,
    ntrip_slots_t *wake);

/*
 * Owner, after the linger: frees the row if no bit is set, NGX_OK; the lease
 * becomes CLOSING in the same hold, and the caller closes the connection.
 * NGX_DECLINED: somebody has attached meanwhile.
 */
ngx_int_t ntrip_stream_close(ntrip_zone_t *zone, uint64_t me,
    uint32_t index);

/*
 * A worker with rovers of an ORPHAN: NGX_OK, it is the owner now (OPENING, no
 * account, a new epoch; the ring goes on where it was).  NGX_DECLINED:
 * somebody else was faster, or it is gone.
 */
ngx_int_t ntrip_stream_claim(ntrip_zone_t *zone, uint64_t me,
    uint32_t index, uint64_t serial);

/* accepts an offered stream: ntrip_row_accept() and the epoch */
ngx_int_t ntrip_stream_accept(ntrip_zone_t *zone, uint64_t me,
    uint32_t index, uint64_t serial, uint64_t nonce);


/* frees a stream that is FAILED or ORPHAN, without a bit and without a living
   owner */
void ntrip_stream_reap(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint32_t index);


/* no lock: may this worker write the ring?  Before each write. */
ngx_uint_t ntrip_stream_owned(ntrip_zone_t *zone, uint64_t me,
    uint32_t index, uint64_t serial);

/* no lock: the producer after a write, or anybody with news.  Marks the
   stream for every slot with rovers; returns them in "wake" */
void ntrip_stream_mark(ntrip_zone_t *zone, ntrip_bus_t *bus, uint32_t index,
    ntrip_slots_t *wake);

/* no lock */
ntrip_stream_row_t *ntrip_stream_row(ntrip_zone_t *zone, uint32_t index);
ntrip_ring_t *ntrip_stream_ring(ntrip_zone_t *zone, uint32_t index);

/*
 * No lock: the owner, when lead is 0.  Picks the living session of this
 * stream that is nearest to the reference (without one, the oldest) and
 * makes it the lead.  Returns its login number, 0 if there is none with a
 * position.  A session that goes at this moment leaves a lead that does not
 * exist: its worker, or the sweep, clears it with ntrip_stream_unlead().
 */
uint64_t ntrip_stream_elect(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint32_t index);

/* no lock: the session "login" no longer leads.  1: it did, wake the owner */
ngx_uint_t ntrip_stream_unlead(ntrip_zone_t *zone, uint32_t index,
    uint64_t login);

/* metres between two points: the chord on the WGS84 ellipsoid, as cors-relay
   measures, without the heights */
double ntrip_point_distance(ntrip_point_t a, ntrip_point_t b);

/* 1: they are surely farther apart than that, as their latitudes tell without
   a sine; 0: perhaps not */
ngx_uint_t ntrip_point_beyond(ntrip_point_t a, ntrip_point_t b,
    double distance);


#endif /* _NTRIP_STREAM_H_INCLUDED_ */
