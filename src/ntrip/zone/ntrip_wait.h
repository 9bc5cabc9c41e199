
/*
 * Streams that wait for an account, and who gets the next one: the stream
 * that has waited longest of those that can use it.
 *
 * A stream that finds no account stands in the line of those that wait for
 * the same (pool, mountpoint, port: place.key), by "waiting", its ticket.
 * Only the first of a line looks for accounts: the others could not take what
 * it cannot.  The first of all lines stand in one line again, "heads".
 *
 * One whose own place rests (NTRIP_REST_DROPPED) stands in no line, since the
 * others can take what it cannot; it looks again when that rest ends.
 *
 * Nobody polls.  An owner looks at the accounts when its stream begins to
 * want one, when it is called, and, as the first of its line, when the
 * earliest rest ends that it has seen.  It is called ("called" is set, its
 * slot marked and put into "wake")
 *
 *   when an account is given back, comes to rest or is changed: of each pool
 *     the oldest of the heads;
 *   when an older one has looked and left something: an account that rests
 *     for its mountpoint only, or one of several that were given back;
 *   when it becomes the first of its line.
 *
 * Attacks:
 *   owner killed: its stream is an orphan, keeps its place, and whoever
 *     claims it looks; or is removed, and the next of its line is called.
 *   owner is slow: a call that is not answered within NTRIP_WAIT_ANSWER sends
 *     the stream to the end of all lines (ntrip_wait_tick(), by anybody), and
 *     the next one is called.
 *   a younger stream looks at the moment an account is free: it sees that an
 *     older one has not looked since and could take it, leaves it alone and
 *     calls that one.
 *   older ones that cannot take it: whose mountpoint rests, or who have looked
 *     already are passed over, so that none starves behind them.
 *   killed after an account was given back, before the call: "frees" says so,
 *     and the tick calls.
 *   killed while lines change: they are derived from "waiting", and made
 *     anew.
 *   two calls at once, or for nothing: one look more.
 *
 * All functions need the zone's lock unless they say otherwise.
 */


#ifndef _NTRIP_WAIT_H_INCLUDED_
#define _NTRIP_WAIT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NTRIP_WAIT_LOOK      64      /* heads looked at in one hold */
#define NTRIP_WAIT_POOLS     16      /* pools that are called at once */
#define NTRIP_WAIT_ANSWER    1000    /* ms */
#define NTRIP_WAIT_SLICE     32      /* candidates in one hold, at most */

#define NTRIP_WAIT_ELDERS    4       /* accounts left to older ones in a look */

/* found->wait: until it is called */
#define NTRIP_WAIT_CALL      ((uint64_t) -1)


/*
 * One look of a stream's owner, with all candidates in slices of
 * NTRIP_WAIT_SLICE, one lock hold each; look->more tells that others follow.
 * "look" is zeroed before the first.
 *   NGX_OK        candidates[found->candidate] is leased, the stream's "source"
 *                 names it and its state is OPENING; connect after
 *                 found->delay ms
 *   NGX_DECLINED  nothing in this slice: the next one (look->more only)
 *   NGX_AGAIN     nothing: the stream waits.  Look again in found->wait ms, or
 *                 with NTRIP_WAIT_CALL when ntrip_wait_called() says so.  It
 *                 may stand in a line or not, see above
 *   NGX_ERROR     the leases table is full
 */
typedef struct {
    uint64_t           wait;         /* the earliest end of a rest */
    uint64_t           passed;       /* since when something is free that this
                                        stream cannot take */
    uint32_t           elders[NTRIP_WAIT_ELDERS];
                                     /* who were left one */
    uint32_t           nelders;
    unsigned           begun:1;
    unsigned           more:1;
    unsigned           place:1;      /* something is free for other places */
} ntrip_wait_look_t;

ngx_int_t ntrip_stream_lease(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint64_t now, uint32_t index, ntrip_wait_look_t *look,
    const ntrip_candidate_t *candidates, ngx_uint_t n, ntrip_found_t *found,
    ntrip_slots_t *wake);

/* no lock, owner only: is it to look? */
ngx_uint_t ntrip_wait_called(ntrip_zone_t *zone, uint32_t index);

/* an account was given back or changed; one has come to rest, so that
   somebody has to know when that ends */
void ntrip_wait_freed(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    ntrip_slots_t *wake);
void ntrip_wait_call(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    ntrip_slots_t *wake);

/* each second, by everybody: calls that were not answered, or never made */
void ntrip_wait_tick(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t now,
    ntrip_slots_t *wake);

/* the stream no longer waits, if it did: it has an account, or ends */
void ntrip_wait_end(ntrip_zone_t *zone, ntrip_bus_t *bus, uint32_t index,
    uint64_t now, ntrip_slots_t *wake);

/* lines from the rows */
void ntrip_wait_rebuild(ntrip_zone_t *zone);


#endif /* _NTRIP_WAIT_H_INCLUDED_ */
