
/*
 * NEAR: which base station a rover is to have.  It says whether the rover stays
 * where it is, and who else is nearest; whoever asks knows which stations are
 * live, and carries it out.
 *
 *   without a station   the nearest one within "max" m
 *   its station has     the nearest other one within "max", at once, whatever
 *   gone, or is silent  the rover reports; if there is none, it waits there
 *   it has one          another one that is nearer by "hysteresis", "dwell" ms
 *                       after it has come, and not while it reports a fixed
 *                       solution if "hold_fixed"
 *   it has gone beyond  another one within "max", at once; if there is none, it
 *   max and hysteresis  has no station.  "hold_fixed" holds here, too
 *
 * It is never moved to a station out of "max".  Distances are straight lines.
 * No clock, no memory of its own.  Test: t/unit/ntrip_near.c.
 */


#ifndef _NTRIP_NEAR_H_INCLUDED_
#define _NTRIP_NEAR_H_INCLUDED_


#include "ntrip_protocol.h"


#define NTRIP_NEAR_NONE  ((ngx_uint_t) -1)


typedef enum {
    NTRIP_NEAR_STAY = 0,         /* where it is, or without a station */
    NTRIP_NEAR_MOVE,
    NTRIP_NEAR_LEAVE             /* there is none in reach any more */
} ntrip_near_e;


typedef struct {
    double            max;           /* m */
    double            hysteresis;    /* m */
    uint64_t          dwell;         /* ms */
    ngx_uint_t        hold_fixed;
} ntrip_near_rule_t;


/* a station that is live */

typedef struct {
    uint64_t          id;            /* not 0 */
    ntrip_position_t  position;
    uint64_t          heard;         /* ms, when it sent something last */
} ntrip_near_station_t;


typedef struct {
    uint64_t          station;       /* id of its station, 0: it has none */
    uint64_t          since;         /* ms, when it came to that */
    ntrip_position_t  position;
    ngx_uint_t        fixed;         /* it reports a fixed solution */
} ntrip_near_rover_t;


typedef struct {
    ngx_uint_t        station;       /* MOVE: its place among the stations */
    double            distance;      /* and how far away it is, m */
} ntrip_near_choice_t;


/* stations that were not heard for "silence" ms are as good as gone */
ntrip_near_e ntrip_near_decide(const ntrip_near_rule_t *rule,
    const ntrip_near_rover_t *rover, const ntrip_near_station_t *stations,
    ngx_uint_t n, uint64_t now, uint64_t silence,
    ntrip_near_choice_t *choice);


#endif /* _NTRIP_NEAR_H_INCLUDED_ */
