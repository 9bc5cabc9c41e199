
/*
 * Fieldgate: the nearest base station.
 */


#include "ntrip_near.h"


static ngx_uint_t ntrip_near_live(const ntrip_near_station_t *station,
    uint64_t now, uint64_t silence);
static ngx_uint_t ntrip_near_find(const ntrip_near_station_t *stations,
    ngx_uint_t n, uint64_t id);


ntrip_near_e
ntrip_near_decide(const ntrip_near_rule_t *rule,
    const ntrip_near_rover_t *rover, const ntrip_near_station_t *stations,
    ngx_uint_t n, uint64_t now, uint64_t silence,
    ntrip_near_choice_t *choice)
{
    double            d, far;
    ngx_uint_t        i, own;
    ntrip_position_t  place, at;

    choice->station = NTRIP_NEAR_NONE;
    choice->distance = rule->max;

    own = ntrip_near_find(stations, n, rover->station);

    if (own != NTRIP_NEAR_NONE
        && !ntrip_near_live(&stations[own], now, silence))
    {
        own = NTRIP_NEAR_NONE;
    }

    if (own != NTRIP_NEAR_NONE && rule->hold_fixed && rover->fixed) {
        return NTRIP_NEAR_STAY;
    }

    at = rover->position;
    far = 0;

    for (i = 0; i < n; i++) {

        if (!ntrip_near_live(&stations[i], now, silence)) {
            continue;
        }

        place = stations[i].position;
        d = ntrip_position_distance(&place, &at);

        if (i == own) {
            far = d;

        } else if (d <= choice->distance
                   && (choice->station == NTRIP_NEAR_NONE
                       || d < choice->distance))
        {
            choice->station = i;
            choice->distance = d;
        }
    }

    if (own == NTRIP_NEAR_NONE) {
        return (choice->station == NTRIP_NEAR_NONE) ? NTRIP_NEAR_STAY
                                                    : NTRIP_NEAR_MOVE;
    }

    if (far > rule->max + rule->hysteresis) {
        return (choice->station == NTRIP_NEAR_NONE) ? NTRIP_NEAR_LEAVE
                                                    : NTRIP_NEAR_MOVE;
    }

    return (choice->station != NTRIP_NEAR_NONE
            && choice->distance + rule->hysteresis < far
            && now - rover->since >= rule->dwell)
           ? NTRIP_NEAR_MOVE : NTRIP_NEAR_STAY;
}


static ngx_uint_t
ntrip_near_live(const ntrip_near_station_t *station, uint64_t now,
    uint64_t silence)
{
    return (int64_t) (now - station->heard) <= (int64_t) silence;
}


static ngx_uint_t
ntrip_near_find(const ntrip_near_station_t *stations, ngx_uint_t n,
    uint64_t id)
{
    ngx_uint_t  i;

    for (i = 0; i < n; i++) {
        if (stations[i].id == id) {
            return i;
        }
    }

    return NTRIP_NEAR_NONE;
}
