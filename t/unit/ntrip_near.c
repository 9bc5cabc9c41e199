
/*
 * The nearest base station: each rule, and random walks against a plain model.
 *
 * sources: ntrip_near.c ntrip_gga.c
 *          ntrip_text.c
 * libs: -lm
 */


#include <math.h>

#include "tap.h"
#include "ntrip_near.h"


#define STATIONS  8


static ntrip_near_station_t  stations[STATIONS];
static ntrip_near_rule_t     rule = { 50000, 1000, 60000, 0 };
static ntrip_near_choice_t   choice;


/* along a line, m */

static ntrip_position_t
at(double x)
{
    ntrip_position_t  p = { x, 0, 0 };

    return p;
}


static void
station(ngx_uint_t i, double x, uint64_t heard)
{
    stations[i].id = i + 1;
    stations[i].position = at(x);
    stations[i].heard = heard;
}


static ntrip_near_e
decide(uint64_t own, uint64_t since, double x, ngx_uint_t fixed, uint64_t now)
{
    ntrip_near_rover_t  rover;

    rover.station = own;
    rover.since = since;
    rover.position = at(x);
    rover.fixed = fixed;

    return ntrip_near_decide(&rule, &rover, stations, 2, now, 10000, &choice);
}


static void
test_rules(void)
{
    station(0, 0, 100000);
    station(1, 20000, 100000);

    tap_ok(decide(0, 0, 1000, 0, 100000) == NTRIP_NEAR_MOVE
           && choice.station == 0 && choice.distance == 1000,
           "the nearest one");
    tap_ok(decide(0, 0, 70000, 0, 100000) == NTRIP_NEAR_MOVE
           && choice.station == 1, "max is within reach");
    tap_ok(decide(0, 0, 70001, 0, 100000) == NTRIP_NEAR_STAY
           && choice.station == NTRIP_NEAR_NONE, "beyond it is not");

    tap_ok(decide(1, 0, 10500, 0, 100000) == NTRIP_NEAR_STAY,
           "hysteresis: exactly");
    tap_ok(decide(1, 0, 10501, 0, 100000) == NTRIP_NEAR_MOVE
           && choice.station == 1, "hysteresis: more");
    tap_ok(decide(1, 40001, 19000, 0, 100000) == NTRIP_NEAR_STAY,
           "dwell: not yet");
    tap_ok(decide(1, 40000, 19000, 0, 100000) == NTRIP_NEAR_MOVE,
           "dwell: now");

    rule.hold_fixed = 1;
    tap_ok(decide(1, 0, 19000, 1, 100000) == NTRIP_NEAR_STAY,
           "hold_fixed: fixed");
    tap_ok(decide(1, 0, 19000, 0, 100000) == NTRIP_NEAR_MOVE,
           "hold_fixed: not fixed");
    tap_ok(decide(1, 0, 60000, 1, 100000) == NTRIP_NEAR_STAY,
           "hold_fixed: fixed, and out of reach");

    station(0, 0, 89999);
    tap_ok(decide(1, 99999, 1000, 1, 100000) == NTRIP_NEAR_MOVE
           && choice.station == 1, "silence: at once");
    rule.hold_fixed = 0;

    station(0, 0, 90000);
    tap_ok(decide(1, 99999, 1000, 0, 100000) == NTRIP_NEAR_STAY,
           "silence: not yet");

    station(0, 0, 89999);
    tap_ok(decide(1, 0, -31000, 0, 100000) == NTRIP_NEAR_STAY
           && choice.station == NTRIP_NEAR_NONE,
           "silence, and no other in reach: it waits");
    tap_ok(decide(7, 0, 1000, 0, 100000) == NTRIP_NEAR_MOVE
           && choice.station == 1, "one that has gone");

    station(0, 0, 100000);
    tap_ok(decide(2, 0, 71000, 0, 100000) == NTRIP_NEAR_STAY,
           "out of max, within the hysteresis");
    tap_ok(decide(2, 0, 71001, 0, 100000) == NTRIP_NEAR_LEAVE,
           "out of reach: no station");

    station(1, 103000, 100000);
    tap_ok(decide(1, 99999, 53000, 0, 100000) == NTRIP_NEAR_MOVE
           && choice.station == 1, "out of reach: another one, at once");
}


/* a rover that walks, stations that come and go */

static void
test_walk(void)
{
    double              x, d, own, best;
    uint64_t            now, moves;
    ngx_uint_t          i, n, live, wrong;
    ntrip_near_e        got;
    ntrip_near_rover_t  rover;

    srandom(1);

    rule.max = 20000;
    rule.hysteresis = 500;
    rule.dwell = 30000;
    rule.hold_fixed = 1;

    memset(&rover, 0, sizeof(rover));
    x = 0;
    wrong = 0;
    moves = 0;

    for (i = 0; i < STATIONS; i++) {
        station(i, (double) (random() % 100000), 0);
    }

    for (now = 1000; now < 200000000; now += 1000) {

        x += (double) (random() % 2001) - 1000;
        x = ngx_min(ngx_max(x, -20000), 120000);
        rover.position = at(x);
        rover.fixed = (random() % 4 == 0);

        for (i = 0; i < STATIONS; i++) {
            if (random() % 8) {
                stations[i].heard = now;
            }

            if (random() % 500 == 0) {
                stations[i].heard = now + 60000;
            }
        }

        n = random() % (STATIONS + 1);

        got = ntrip_near_decide(&rule, &rover, stations, n, now, 3000,
                                &choice);

        own = best = 1e9;
        live = 0;

        for (i = 0; i < n; i++) {
            d = fabs(stations[i].position.x - x);

            if ((int64_t) (now - stations[i].heard) > 3000) {
                continue;
            }

            if (stations[i].id == rover.station) {
                live = 1;
                own = d;

            } else if (d < best) {
                best = d;
            }
        }

        if (got == NTRIP_NEAR_MOVE) {
            moves++;
            wrong += (choice.station >= n || choice.distance > rule.max
                      || fabs(choice.distance - best) > 1e-6
                      || stations[choice.station].id == rover.station
                      || (live && rover.fixed)
                      || (live && own <= rule.max + rule.hysteresis
                          && (own - best <= rule.hysteresis
                              || now - rover.since < rule.dwell)));
            rover.station = stations[choice.station].id;
            rover.since = now;

        } else if (got == NTRIP_NEAR_LEAVE) {
            wrong += (!live || own <= rule.max + rule.hysteresis
                      || best <= rule.max || rover.fixed);
            rover.station = 0;

        } else {
            wrong += (!live && best <= rule.max);
        }
    }

    tap_ok(wrong == 0, "no step of a walk is against the rules");
    tap_ok(moves > 1000, "and it is moved: %lu times", (unsigned long) moves);
}


int
main(void)
{
    test_rules();
    test_walk();

    return tap_done();
}
