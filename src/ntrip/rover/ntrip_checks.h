
/*
 * Checks of passwords that wait for their turn in this worker.  Those of one
 * address are a lane; lanes take turns, so that whoever sends many waits for
 * himself.  In a lane users without failures come first, else who came first.
 *
 *     lane = ntrip_checks_lane(checks, address);       or one that is new
 *     ntrip_checks_add(checks, lane, check, failed);
 *
 *     while ((check = ntrip_checks_next(checks)) != NULL) {
 *         ntrip_checks_start(checks, check);           or demote, or defer
 *     }
 *
 *     lane = ntrip_checks_end(checks, check);          or cancelled
 *
 * Memory is the caller's: a check is its own from add to end, a lane from open
 * until end returns it.  No clock, no locks.  Test: t/unit/ntrip_checks.c.
 */


#ifndef _NTRIP_CHECKS_H_INCLUDED_
#define _NTRIP_CHECKS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef enum {
    NTRIP_CHECK_FIRST = 0,           /* its user has no failures */
    NTRIP_CHECK_FAILED,
    NTRIP_CHECK_RUNS
} ntrip_check_state_e;


typedef struct {
    ngx_rbtree_node_t     node;      /* key: the address */
    ngx_queue_t           queue;     /* of the round, or of the deferred */
    ngx_queue_t           waiting[2];  /* FIRST, FAILED */
    ngx_uint_t            running;
    unsigned              queued:1;  /* in the round */
    unsigned              deferred:1;
} ntrip_lane_t;


typedef struct {
    ngx_queue_t           queue;     /* of its lane, while it waits */
    ntrip_lane_t         *lane;
    ntrip_check_state_e   state;
} ntrip_check_t;


typedef struct {
    ngx_rbtree_t          lanes;
    ngx_rbtree_node_t     sentinel;
    ngx_queue_t           round;     /* lanes that may run something */
    ngx_queue_t           deferred;
    ngx_uint_t            running;
    ngx_uint_t            limit;     /* of all that run at once */
    ngx_uint_t            share;     /* of those of one lane */
} ntrip_checks_t;


/* limit and share: 1 or more */
void ntrip_checks_init(ntrip_checks_t *checks, ngx_uint_t limit,
    ngx_uint_t share);

/* NULL: nothing of the address waits or runs; open: the memory for it */
ntrip_lane_t *ntrip_checks_lane(ntrip_checks_t *checks, uint64_t address);
void ntrip_checks_open(ntrip_checks_t *checks, ntrip_lane_t *lane,
    uint64_t address);

/* failed: its user has failures; else the lane is deferred no more */
void ntrip_checks_add(ntrip_checks_t *checks, ntrip_lane_t *lane,
    ntrip_check_t *check, ngx_uint_t failed);

/* what is to begin next; NULL: nothing can now */
ntrip_check_t *ntrip_checks_next(ntrip_checks_t *checks);

/*
 * What becomes of it.  start: it runs.  demote: its user has failures by now,
 * it waits behind the others that have.  defer: nothing of its lane can run
 * until ntrip_checks_resume(), or until another check of the lane comes, or
 * ends.
 */
void ntrip_checks_start(ntrip_checks_t *checks, ntrip_check_t *check);
void ntrip_checks_demote(ntrip_checks_t *checks, ntrip_check_t *check);
void ntrip_checks_defer(ntrip_checks_t *checks, ntrip_lane_t *lane);
void ntrip_checks_resume(ntrip_checks_t *checks);

/* it has ended, or is no longer wanted; returns the lane if that is empty, and
   no longer known here */
ntrip_lane_t *ntrip_checks_end(ntrip_checks_t *checks, ntrip_check_t *check);


#endif /* _NTRIP_CHECKS_H_INCLUDED_ */
