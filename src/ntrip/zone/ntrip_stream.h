
/*
 * Streams in the data zone: who owns the source, who has rovers, which one
 * leads.  All functions need the zone's lock unless they say otherwise.
 *
 *             attach                  live
 *     free ----------> OPENING <--------------> LIVE
 *      ^                 ^  |       reopen       |
 *      | close (no bits) |  +---------+----------+
 *      |                 | claim,     |          | fail: no account left
 *      |                 | attach     |          v
 *      +--------------ORPHAN <--------+       FAILED --> free, with the last
 *     sweep, orphan, detach  owner died,                 bit, by whoever
 *       (no bits)            or gave it up               clears it or owns
 *
 * OPENING: the owner looks for an account, connects, or waits for the reply.
 * Every stream begins without an account; its owner looks for one
 * (ntrip_wait.h).  Rovers may attach to it and wait.  FAILED is treated as
 * absent by attach; workers that have rovers of it close them and detach.
 *
 * A row has a ring from its first byte on: "start" is where its records begin
 * in it, written before "ring".  It keeps the ring whoever owns it, and gives
 * it back when the row is free.  There are more rows than rings, since a row
 * that waits needs none.
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
 *   owner killed while it gives its stream up: it has an owner, who is dead,
 *     or none.
 *   a lease that is kept for who claims it: "source" of an ORPHAN says so; it
 *     is given back with the row, if nobody does.
 *   killed while taking a ring: which rings are free is derived from the rows.
 *   claimant killed in claim(): either the row is still ORPHAN, or it has a
 *     dead owner again.
 *   two workers claim: under the lock the second finds OPENING.
 *   two workers look for the same place at once: the second finds the row of
 *     the first, since lookup and reservation are one lock hold.
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


#define NTRIP_STREAM_OPENING 1
#define NTRIP_STREAM_LIVE    2
#define NTRIP_STREAM_ORPHAN  3
#define NTRIP_STREAM_FAILED  4

#define NTRIP_STREAM_ELECT   64

#define NTRIP_POOL_MAX       32
#define NTRIP_POOLS_MAX      98      /* names with commas between */
#define NTRIP_LABEL_MAX      160     /* "account@host:port", no password */

/* distances in metres */
#define NTRIP_SHARE_NONE     0       /* never share */
#define NTRIP_SHARE_ALL      NGX_MAX_UINT32_VALUE
                                     /* gga=off: one source for all */


/* what is known of a base station: ntrip_station.h */

typedef struct {
    uint64_t           seq;          /* 0: never written; cell seq & 1 is
                                        the current one */
    ntrip_facts_t      cell[2] __attribute__((aligned(8)));
} ntrip_station_box_t;


typedef struct {
    ntrip_row_t        row;          /* holder: the owner; hash: of the
                                        serial */

    /* what attach looks at in each row of the same place */

    ntrip_link_t       place;        /* key: hash of pool, mountpoint, port */

    uint64_t           reference;    /* ntrip_point_t of what was last sent
                                        upstream, before that the first
                                        rover's; of a base station, its own;
                                        owner only, one word */
    uint64_t           pool_hash;
    uint64_t           epoch;
    uint32_t           ring;         /* NTRIP_ROW_NONE: none yet */
    uint32_t           port;         /* upstream port asked for, 0: any */
    uint64_t           start;        /* in its ring */
    uint64_t           slots[NTRIP_SLOT_WORDS];
                                     /* which slots have rovers */
    uint64_t           lead;         /* login number, 0: none */
    uint64_t           source;       /* source.id whose lease it has, or 0;
                                        a lease is held as long as this
                                        says so: ntrip_lease.h */
    uint64_t           created;      /* monotonic ms */
    uint64_t           data;         /* last data that were of use, monotonic
                                        ms */
    uint64_t           bytes;        /* from the source, owner only */
    uint64_t           messages;     /* same */
    uint64_t           certificate;  /* the end of the provider's, Unix time; 0:
                                        it has none; owner only */
    uint64_t           counting;     /* the account that it counts for, of a
                                        base station 1; 0: none now */
    ntrip_counted_t    counted;      /* ntrip_usage.h */

    /* waiting for an account: ntrip_wait.h */

    uint64_t           waiting;      /* ticket, 0: it does not wait */
    uint64_t           called;       /* when it was called, monotonic ms */
    uint64_t           looked;       /* when, as the first of its line, */
    uint64_t           frees;        /* and what zone->frees was then */
    ntrip_link_t       line;         /* of those that wait for the same */
    ntrip_link_t       head;         /* of the firsts of all lines */

    uint16_t           format;       /* of the mountpoint: NTRIP_RTCM_AUTO,
                                        _RTCM3, _RAW */
    uint16_t           gga;          /* it needs positions */
    uint16_t           tried;        /* it has had an account */
    uint16_t           moved;        /* its last rover went to another stream */
    uint16_t           station;      /* it is a base station's: below */
    uint16_t           mount_len;
    uint16_t           pool_len;
    u_char             mount[NTRIP_MOUNT_MAX];
    u_char             pool[NTRIP_POOLS_MAX];

    uint32_t           label_len;
    u_char             label[NTRIP_LABEL_MAX];

    uint32_t           logins;       /* how often a source went live */
    ntrip_seen_t       seen;         /* owner only, no lock */

    ntrip_mailbox_t    mail;         /* from the lead rover's worker */

    /* of a host: ntrip_pair.h */

    uint64_t           guest;        /* serial of its guest, 0: none */
    uint64_t           guest_epoch;
    uint32_t           guest_index;
    uint32_t           kept_index;   /* of the one before, for whom the place */
    uint64_t           kept;         /* is kept, its serial, */
    uint64_t           kept_until;   /* ms */

    /* of a base station: ntrip_station.h */

    uint64_t           since;        /* when its upload began, monotonic ms */
    uint64_t           asked;        /* another one wants to begin, since then;
                                        0: none */
    ntrip_station_box_t  facts;
} ntrip_stream_row_t;


/* what a rover wants */

typedef struct {
    ngx_str_t          mount;        /* declared spelling; compared exactly */
    ngx_str_t          pool;         /* or several, in their order: accounts
                                        are of one line only if they are the
                                        same */
    uint32_t           port;
    uint32_t           share;        /* metres, NTRIP_SHARE_* */
    ntrip_mail_t      *mail;         /* its position and sentence; NULL only
                                        with NTRIP_SHARE_ALL */
    uint64_t           login;        /* its number: first lead */
    uint32_t           session;      /* its row, or NTRIP_ROW_NONE */
    uint16_t           format;       /* of the mountpoint, and whether it needs
                                        positions: for a new stream */
    uint16_t           gga;
    uint16_t           station;      /* what a base station uploads: pool is
                                        empty, port 0, share
                                        NTRIP_SHARE_ALL */
} ntrip_want_t;


typedef struct {
    uint32_t           index;
    uint64_t           serial;
    uint64_t           position;     /* attach: in the ring, to read from; 0:
                                        there is none yet, from its start */
    uint32_t           distance;     /* metres to the reference */

    /* ntrip_wait.h */

    ngx_uint_t         candidate;    /* which one is leased */
    uint64_t           delay;        /* ms until it may connect */
    uint64_t           wait;         /* ms until the next look */
} ntrip_found_t;


/*
 * The nearest stream within reach, else a new one; one lock hold.  Sets the
 * caller's bit in it and "position" behind the newest record; the session
 * becomes a member.
 *   NGX_DONE      joined an existing stream, which has an owner, or a base
 *                 station's
 *   NGX_OK        the caller is the owner of a stream without an account,
 *                 state OPENING: new, or an orphan that was claimed
 *   NGX_ERROR     the streams table is full
 */
ngx_int_t ntrip_stream_attach(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint64_t me, uint64_t now, const ntrip_want_t *want,
    ntrip_found_t *found);

/* the two parts of it, for ntrip_station.h: the stream, NULL if there is none;
   a new one, whose owner is "me", OPENING, or of a base station an ORPHAN, NULL
   if the table is full */
ntrip_stream_row_t *ntrip_stream_find(ntrip_zone_t *zone, ntrip_bus_t *bus,
    const ntrip_want_t *want);
ntrip_stream_row_t *ntrip_stream_new(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint64_t me, uint64_t now, const ntrip_want_t *want);

/* a rover that was handed over: sets the caller's bit.  To be called before
   its session is accepted, while the giver's bit still keeps the stream.
   NGX_OK, or NGX_DECLINED: it has ended, attach as a newcomer */
ngx_int_t ntrip_stream_rejoin(ntrip_zone_t *zone, uint64_t me,
    uint32_t index, uint64_t serial);

/*
 * Clears the caller's bit: its last rover of this stream has gone; "moved": to
 * another stream.  Frees the row if it has failed and this was the last bit.
 * "wake" gets the owner, which begins to linger, unless the last one of all has
 * moved.  Harmless with an old serial.
 */
void ntrip_stream_detach(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t me,
    uint64_t now, uint32_t index, uint64_t serial, ngx_uint_t moved,
    ntrip_slots_t *wake);

/* owner, before the first byte: NGX_OK, it has a ring; NGX_DECLINED: the stream
   is not the caller's; NGX_ERROR: all rings are in use */
ngx_int_t ntrip_stream_take_ring(ntrip_zone_t *zone, uint64_t me,
    uint32_t index, uint64_t serial);

/* owner: first reply line was good; the label is shown in lists */
void ntrip_stream_live(ntrip_zone_t *zone, uint32_t index,
    const ngx_str_t *label);

/* owner: the source was lost, another will be tried; epoch moves on */
void ntrip_stream_reopen(ntrip_zone_t *zone, uint32_t index);

/* owner: no account is left; slots with rovers are put into "wake" and close
   them.  The lease must be gone already. */
void ntrip_stream_fail(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    uint32_t index, ntrip_slots_t *wake);

/*
 * Owner: gives its stream up, at any time.  Slots with rovers are put into
 * "wake", and claim it; without any the row is free.  The lease must be gone
 * already, or, with "keep", unused: then it is that of who claims the stream,
 * whose "source" still says so.  NGX_OK, or NGX_DECLINED: it is not the
 * caller's.
 */
ngx_int_t ntrip_stream_orphan(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint64_t me, uint64_t now, uint32_t index, uint64_t serial,
    ngx_uint_t keep, ntrip_slots_t *wake);

/* is there a worker that goes on, other than "me", with rovers of it? */
ngx_uint_t ntrip_stream_others(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint64_t me, uint32_t index);

/*
 * Owner, after the linger: frees the row if no bit is set, NGX_OK; the lease
 * becomes CLOSING in the same hold, and the caller closes the connection.
 * NGX_DECLINED: somebody has attached meanwhile.
 */
ngx_int_t ntrip_stream_close(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint64_t me, uint64_t now, uint32_t index, ntrip_slots_t *wake);

/*
 * A worker with rovers of an ORPHAN: NGX_OK, it is the owner now (OPENING, a
 * new epoch; the ring goes on where it was), of a stream without an account, or
 * with the one that "source" names, whose lease was kept.  NGX_DECLINED:
 * somebody else was faster, or it is gone.
 */
ngx_int_t ntrip_stream_claim(ntrip_zone_t *zone, uint64_t me,
    uint32_t index, uint64_t serial);

/* accepts an offered stream: ntrip_row_accept() and the epoch */
ngx_int_t ntrip_stream_accept(ntrip_zone_t *zone, uint64_t me,
    uint32_t index, uint64_t serial, uint64_t nonce);


/* frees a stream that is FAILED or ORPHAN, without a bit and without a living
   owner */
void ntrip_stream_reap(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    uint32_t index, ntrip_slots_t *wake);

/* the row and its ring are free; whoever waits behind it is called */
void ntrip_stream_remove(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    uint32_t index, ntrip_slots_t *wake);

/* which rings are free, from the rows */
void ntrip_stream_rebuild(ntrip_zone_t *zone);


/* no lock: may this worker write the ring?  Before each write. */
ngx_uint_t ntrip_stream_owned(ntrip_zone_t *zone, uint64_t me,
    uint32_t index, uint64_t serial);

/* no lock: the producer after a write, or anybody with news.  Marks the
   stream for every slot with rovers; returns them in "wake" */
void ntrip_stream_mark(ntrip_zone_t *zone, ntrip_bus_t *bus, uint32_t index,
    ntrip_slots_t *wake);

/* no lock */
ntrip_stream_row_t *ntrip_stream_row(ntrip_zone_t *zone, uint32_t index);
/* the same; NULL: it has none yet.  Records begin at row->start. */
ntrip_ring_t *ntrip_stream_ring(ntrip_zone_t *zone, uint32_t index);

/*
 * The owner, when lead is 0 and there are bits: makes that session the lead
 * which is nearest to the reference (without one, the oldest) of those
 * NTRIP_STREAM_ELECT that have been there longest.  Returns its login number,
 * 0 if there is none with a position.
 */
uint64_t ntrip_stream_elect(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint32_t index);

/* no lock: has any slot rovers of it? */
ngx_uint_t ntrip_stream_wanted(ntrip_zone_t *zone, uint32_t index);

/* no lock: the session "login" no longer leads.  1: it did, wake the owner */
ngx_uint_t ntrip_stream_unlead(ntrip_zone_t *zone, uint32_t index,
    uint64_t login);

/* degrees of longitude, in 1e-7, beyond which no point is within "distance" of
   "a": for ntrip_point_aside() */
uint32_t ntrip_point_reach(ntrip_point_t a, double distance);

/* 1: their longitudes are that far apart */
ngx_uint_t ntrip_point_aside(ntrip_point_t a, ntrip_point_t b,
    uint32_t reach);

/* metres between two points: the chord on the WGS84 ellipsoid, as cors-relay
   measures, without the heights */
double ntrip_point_distance(ntrip_point_t a, ntrip_point_t b);

/* 1: they are surely farther apart than that, as their latitudes tell without
   a sine; 0: perhaps not */
ngx_uint_t ntrip_point_beyond(ntrip_point_t a, ntrip_point_t b,
    double distance);


#endif /* _NTRIP_STREAM_H_INCLUDED_ */
