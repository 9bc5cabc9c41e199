
/*
 * Fieldgate: the nearest base station.
 */


#include "ntrip_near.h"


ntrip_near_e
ntrip_near_decide(const ntrip_near_rule_t *rule,
    const ntrip_near_rover_t *rover, const ntrip_near_station_t *stations,
    ngx_uint_t n, uint64_t now, uint64_t silence,
    ntrip_near_choice_t *choice)
{
    double            d, own;
    ngx_uint_t        i, live;
    ntrip_position_t  place, at;

    choice->station = NTRIP_NEAR_NONE;
    choice->distance = rule->max;

    at = rover->position;
    live = 0;
    own = 0;

    for (i = 0; i < n; i++) {

        if ((int64_t) (now - stations[i].heard) > (int64_t) silence) {
            continue;
        }

        place = stations[i].position;
        d = ntrip_position_distance(&place, &at);

        if (stations[i].id == rover->station) {
            live = 1;
            own = d;

        } else if (d <= choice->distance
                   && (choice->station == NTRIP_NEAR_NONE
                       || d < choice->distance))
        {
            choice->station = i;
            choice->distance = d;
        }
    }

    if (!live) {
        return (choice->station == NTRIP_NEAR_NONE) ? NTRIP_NEAR_STAY
                                                    : NTRIP_NEAR_MOVE;
    }

    if (rule->hold_fixed && rover->fixed) {
        return NTRIP_NEAR_STAY;
    }

    if (own > rule->max + rule->hysteresis) {
        return (choice->station == NTRIP_NEAR_NONE) ? NTRIP_NEAR_LEAVE
                                                    : NTRIP_NEAR_MOVE;
    }

    return (choice->station != NTRIP_NEAR_NONE
            && choice->distance + rule->hysteresis < own
            && now - rover->since >= rule->dwell)
           ? NTRIP_NEAR_MOVE : NTRIP_NEAR_STAY;
}
