
/*
 * Guests: who wants to log in, by the peer's address and the name that it
 * gives.  Failures are counted for each address, and for each name at an
 * address; an address with NTRIP_FAIL_LIMIT of them within a minute has one
 * check of a password at a time, in all workers: its turn.
 *
 * All functions need the data zone's lock unless they say otherwise.
 *
 * A turn is given back to the next worker that waits for one at this address,
 * those first that have a user without failures, round and round; a worker that
 * waits asks every NTRIP_TURN_ASK ms, and is given what is kept for it.  Checks
 * of users with failures begin NTRIP_TURN_PAUSE ms apart at such an address.
 *
 * Attacks:
 *   killed with a turn: its holder is dead, and so it is anybody's.
 *   a turn is kept for a worker whose peers have left: anybody's after
 *     NTRIP_TURN_KEPT.
 *   more addresses than rows: they wait until a row is free.  A row is, as
 *     soon as nobody has its turn and its pause is over.
 *   IPv6: of an address the first 8 bytes count.
 *   names without number from one address: each of them is without failures,
 *     and they wait for each other.  They are counted in a table of their own,
 *     so that the address is not forgotten over them.
 *
 * Tests: t/unit/ntrip_turn.c, t/ntrip-logins.t.
 */


#ifndef _NTRIP_TURN_H_INCLUDED_
#define _NTRIP_TURN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NTRIP_TURN_ROW     1         /* state of a row */

#define NTRIP_FAIL_LIMIT   10        /* failures in NTRIP_FAIL_WINDOW */
#define NTRIP_FAIL_WINDOW  60000     /* ms */

#define NTRIP_TURN_PAUSE   1000
#define NTRIP_TURN_ASK     20
#define NTRIP_TURN_KEPT    100


typedef struct {
    ntrip_row_t        row;          /* hash: of the address; holder: who has
                                        the turn, or whom it is kept for */
    uint64_t           since;        /* when it was given, monotonic ms */
    uint64_t           paused;       /* until when, for those with failures */
    uint64_t           begun;        /* 0: it is kept for the holder */

    /* slots that wait: [0] with a user without failures, [1] with others */
    uint64_t           waiting[2][NTRIP_SLOT_WORDS];
} ntrip_turn_row_t;


typedef struct {
    uint64_t           address;      /* 0: none, as that of a unix socket */
    uint64_t           name;         /* at that address */
} ntrip_guest_t;


/* no lock; the address is 4 or 16 bytes, or none; "door" is where, what is
   counted at one is not at another */
void ntrip_guest_init(ntrip_guest_t *guest, ntrip_bus_t *bus, uint64_t door,
    const u_char *addr, size_t len, const ngx_str_t *name);

/* how many failures the address, or that name there, has within a minute */
ngx_uint_t ntrip_guest_failures(ntrip_zone_t *zone,
    const ntrip_guest_t *guest, uint64_t now);
ngx_uint_t ntrip_guest_name_failures(ntrip_zone_t *zone,
    const ntrip_guest_t *guest, uint64_t now);

/* one more of both; returns how many the address has */
ngx_uint_t ntrip_guest_failed(ntrip_zone_t *zone, const ntrip_guest_t *guest,
    uint64_t now);


/*
 * Asks for the turn of an address, for a check that would begin now; "failed":
 * its user has failures there.
 *
 *   NGX_OK        it is ours: ntrip_turn_give() when the check has ended
 *   NGX_DECLINED  the address has so few failures that it needs none
 *   NGX_AGAIN     not now: ask again within NTRIP_TURN_ASK
 */
ngx_int_t ntrip_turn_take(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t me,
    uint64_t now, uint64_t address, ngx_uint_t failed);

/* "more": a user without failures waits for it here as well */
void ntrip_turn_give(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t me,
    uint64_t now, uint64_t address, ngx_uint_t more);


#endif /* _NTRIP_TURN_H_INCLUDED_ */
