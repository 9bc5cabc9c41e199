
/*
 * Leases: no two connections use one account.  Two locks, both needed:
 *
 *   the row here       against workers of this master, of any generation;
 *   a write lock on    (open file description, F_OFD_SETLK) against other
 *   byte source.id of  masters and nginx instances on the host.  It belongs
 *   DATABASE.lease     to the open file, so it travels with it by SCM_RIGHTS
 *                      and goes with the last descriptor.
 *
 * Order: row, then file lock (outside the zone's lock), then connect; back:
 * shut down, wait for the provider's FIN (NTRIP_LEASE_FIN at most), close the
 * socket, close the lock file, then free the row.
 *
 *     IDLE (rests, or remembers failures) --> HELD --> CLOSING --> IDLE
 *
 * HELD has no holder of its own: it is held as long as streams[stream], with
 * that serial, says "source" is this one.  So the hand-over of a stream moves
 * its lease in the same store; and a stream that is given up may keep it for
 * who claims that.  CLOSING names the worker that waits for the FIN; TESTING
 * the one that tries the account for SOURCE-TEST, without any stream:
 *
 *     IDLE --> TESTING --> CLOSING --> IDLE
 *
 * Attacks:
 *   killed between row and file lock, or before connect: the stream's owner
 *     is dead; sweep; the account cools for NTRIP_LEASE_COOL and is free.
 *   killed between the lease and "source" in the stream: a lease without a
 *     stream that says so is free at the next sweep, which is due, since
 *     somebody has died.
 *   killed while connected: the kernel sends the FIN and frees the file lock;
 *     the row cools, so that the provider has seen the FIN.
 *   killed with the socket in flight: the copy in the slot's socket pair
 *     keeps the connection and the file lock, so nobody else can log in;
 *     whoever releases or claims the slot empties the pair.
 *   file lock is another instance's: NTRIP_LEASE_FOREIGN rest, next account.
 */


#ifndef _NTRIP_LEASE_H_INCLUDED_
#define _NTRIP_LEASE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NTRIP_LEASE_IDLE     1
#define NTRIP_LEASE_HELD     2
#define NTRIP_LEASE_CLOSING  3
#define NTRIP_LEASE_TESTING  4

#define NTRIP_LEASE_COOL     300     /* ms after a crash */
#define NTRIP_LEASE_FIN      2000    /* ms for the provider's FIN */
#define NTRIP_LEASE_FOREIGN  1000    /* ms: somebody else has it */
#define NTRIP_REST_MIN       60000   /* ms after a refusal, doubling */
#define NTRIP_REST_MAX       3600000
#define NTRIP_REST_FAULT     5000    /* ms after any other failure, doubling
                                        up to NTRIP_REST_MIN */
#define NTRIP_REST_SOON      1000    /* ms after a plain close, the same */
#define NTRIP_REST_SHORT     30000   /* ms, the most that a place rests */
#define NTRIP_HOST_PACE      100000  /* us between logins at one host */


/*
 * Why something rests, which is also what a login came to, and what it is that
 * rests.  A place is a (host, mountpoint) and a cell of about 10 km, the one in
 * which the reference of the stream is: what the provider serves may hang on
 * that.  Streams without positions are all in one.  The README has a table.
 */

#define NTRIP_REST_NONE      0
#define NTRIP_REST_FOREIGN   1       /* the account: somebody else uses it */
#define NTRIP_REST_REFUSED   2       /* the account: 401, 403; and the host,
                                        after two of them */
#define NTRIP_REST_MOUNT     3       /* (host, mountpoint): SOURCETABLE, 404 */
#define NTRIP_REST_BUSY      4       /* the same, for less: 409, 5xx */
#define NTRIP_REST_DROPPED   5       /* the place: it was accepted, and ended
                                        before it was good */
#define NTRIP_REST_BRIEF     6       /* the account, and after the first time
                                        the place: it was good, not for long */
#define NTRIP_REST_LOST      7       /* the account: the provider has closed
                                        the connection */
#define NTRIP_REST_FAILED    8       /* the account: anything else */
#define NTRIP_REST_CRASH     9       /* the account: its worker died */
#define NTRIP_REST_TLS       10      /* the host: it speaks no TLS, or is not
                                        whom it should be */
#define NTRIP_REST_COOLING   11      /* the account: it was used just now */


typedef struct {
    ntrip_row_t        row;          /* holder: CLOSING and TESTING, written
                                        before the state */

    uint64_t           source;       /* source.id, the key */
    uint32_t           stream;       /* HELD: which stream, */
    uint32_t           failures;     /* in a row; refusals by themselves */
    uint64_t           serial;       /* and which use of it */
    uint64_t           until;        /* rests until, monotonic ms */
    uint32_t           reason;       /* NTRIP_REST_* */
    uint32_t           last;         /* reason of the last failure */
    uint64_t           refusals;     /* 1: the failures are such */
} ntrip_lease_row_t;


typedef struct {
    ntrip_row_t        row;          /* key: hash of "host:port", of
                                        "host:port/mount", or of a place */
    uint64_t           until;        /* rests until */
    uint64_t           login;        /* us: next login not before this */
    uint64_t           refused;      /* when an account was last refused */
    uint64_t           source;       /* which one */
    uint64_t           version;      /* of NTRIP, 1 or 2: a request in it was
                                        accepted last; 0: not known */
    uint32_t           reason;
    uint32_t           failures;
} ntrip_rest_row_t;


/* the table is full: as many rows are looked at for one that is of no more
   use, and the next time those behind them */
#define NTRIP_REST_LOOK      64


/* an account as the store knows it, in what the zone needs */

typedef struct {
    uint64_t           source;       /* source.id, > 0 */
    uint64_t           host;         /* ntrip_hash of "host:port" in lower
                                        case, and whether it is one with TLS,
                                        from the bus's seed */
    uint64_t           host_mount;   /* ntrip_hash of the mount, with "host" as
                                        its seed */
} ntrip_candidate_t;


/* what a look at an account has found */

typedef struct {
    uint64_t           until;        /* it rests until, 0: it does not */
    uint64_t           since;        /* it has been free for the stream since,
                                        as far as rests tell */
    unsigned           used:1;       /* somebody has it */
    unsigned           mount:1;      /* it is free, for other mountpoints */
    unsigned           place:1;      /* it is free, for other places of the
                                        mountpoint, too */
} ntrip_look_t;


/*
 * Lock held in all that follow.  "wake" gets the slots of owners whose streams
 * may go on, as in ntrip_wait.h.
 *
 * look: may it be leased now, for the candidate's mountpoint and the place of
 *       streams[index]?  1: it is free.
 * take: leases it for streams[index] with "serial", which then writes "source"
 *       into the stream; *delay gets the milliseconds after which it may
 *       connect, the host's next turn, which is taken.  NGX_OK, or NGX_ERROR:
 *       the table is full.
 */
ngx_uint_t ntrip_lease_look(ntrip_zone_t *zone, uint64_t now, uint32_t index,
    const ntrip_candidate_t *candidate, ntrip_look_t *look);
ngx_int_t ntrip_lease_take(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint64_t now, uint32_t index, uint64_t serial,
    const ntrip_candidate_t *candidate, uint64_t *delay);

/* until when the mountpoint rests at a host; 0: it does not */
uint64_t ntrip_rest_until(ntrip_zone_t *zone, uint64_t key);

/*
 * The owner of the stream: the login or the connection failed; the lease
 * goes, and what the reason demands rests: the account, and with it the host
 * (two refused accounts in a minute); the host alone; the (host, mountpoint)
 * pair; the place.
 */
void ntrip_lease_failed(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    uint32_t index, const ntrip_candidate_t *candidate, ngx_uint_t reason,
    ntrip_slots_t *wake);

/* the login was good: failures of the account are forgotten, and those of its
   mountpoint; neither that nor the host rests any more */
void ntrip_lease_good(ntrip_zone_t *zone, uint32_t index,
    const ntrip_candidate_t *candidate);

/* the owner begins to close the connection; the stream keeps no lease */
void ntrip_lease_closing(ntrip_zone_t *zone, uint64_t me, uint32_t index);

/* connection and lock file are closed */
void ntrip_lease_closed(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t me,
    uint64_t source, uint64_t now, ntrip_slots_t *wake);

/* the stream gives up its lease, which nobody uses: it is free at once */
void ntrip_lease_forsake(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    uint32_t index, ntrip_slots_t *wake);

/* the account is new, or another one than it was: it rests no longer */
void ntrip_lease_renew(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t source,
    uint64_t now, ntrip_slots_t *wake);

/*
 * Somebody wants the account to rest until then, or, if that is now, no longer;
 * what it rested for is forgotten.  NGX_OK; NGX_BUSY: it is in use; NGX_ERROR:
 * the table is full.
 */
ngx_int_t ntrip_lease_order(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint64_t source, uint64_t now, uint64_t until, ntrip_slots_t *wake);

/*
 * One login without a stream.  That the account, its host or the mountpoint
 * rests is no reason not to try; *delay gets the milliseconds after which it
 * may connect: the host's turn, and what an account cools after a crash.
 *   NGX_OK     TESTING; then ntrip_lease_tested()
 *   NGX_AGAIN  it will soon be free: another test, or a goodbye, is under way
 *   NGX_BUSY   it is in use
 *   NGX_ERROR  the table is full
 */
ngx_int_t ntrip_lease_test(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t me,
    uint64_t now, const ntrip_candidate_t *candidate, uint64_t *delay);

/*
 * What it came to.  NTRIP_REST_NONE: the login was good, the account is
 * CLOSING, and the caller closes the connection as after any other; a reason,
 * none that is a place's: the connection is closed, and what the reason demands
 * rests.
 */
void ntrip_lease_tested(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t me,
    uint64_t now, const ntrip_candidate_t *candidate, ngx_uint_t reason,
    ntrip_slots_t *wake);

/*
 * What works at a host, from any account that leaves it open: the version of
 * NTRIP.  0: not known, or forgotten when the table was full.
 */
ngx_uint_t ntrip_host_version(ntrip_zone_t *zone,
    const ntrip_candidate_t *candidate);
void ntrip_host_learn(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    const ntrip_candidate_t *candidate, ngx_uint_t version);

/* the milliseconds until the next login at a host, which is given away: for one
   that is leased already */
uint64_t ntrip_host_turn(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    const ntrip_candidate_t *candidate);

/* may be called for any account: for lists and the console */
ntrip_lease_row_t *ntrip_lease_find(ntrip_zone_t *zone, uint64_t source);

/* is the row held by a stream that says so? */
ngx_uint_t ntrip_lease_held(ntrip_zone_t *zone, ntrip_lease_row_t *lease);

/* if it is HELD by no stream, or CLOSING or TESTING by a dead worker: it
   cools, 1, and the caller calls whoever waits */
ngx_uint_t ntrip_lease_reclaim(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint64_t now, ntrip_lease_row_t *lease);


#endif /* _NTRIP_LEASE_H_INCLUDED_ */
