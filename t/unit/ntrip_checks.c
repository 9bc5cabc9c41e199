
/*
 * sources: ntrip_checks.c
 */

/*
 * Fieldgate: checks of passwords in their turn, against a plain model: lists of
 * what waits, in which every rule is looked up anew.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_checks.h"

#include <stdio.h>
#include <stdlib.h>

#include "unit/tap.h"


#define TEST_CHECKS  64
#define TEST_LANES   6
#define TEST_STEPS   200000
#define TEST_LIMIT   4
#define TEST_SHARE   2


typedef enum { FREE = 0, WAITS, FAILED, RUNS } test_state_e;

typedef struct {
    ntrip_check_t   check;
    test_state_e    state;
    ngx_uint_t      lane;
    ngx_uint_t      order;      /* since when it waits where it does */
} test_check_t;


static test_check_t    test_checks[TEST_CHECKS];
static ntrip_lane_t   *test_lanes[TEST_LANES];
static ngx_uint_t      test_deferred[TEST_LANES];
static ntrip_checks_t  test_queue;
static ngx_uint_t      test_order, test_most[TEST_LANES];


static test_check_t *
test_of(ntrip_check_t *check)
{
    return check ? ngx_queue_data(check, test_check_t, check) : NULL;
}


static ngx_uint_t
test_count(ngx_uint_t lane, ngx_uint_t runs)
{
    ngx_uint_t  i, n;

    for (n = 0, i = 0; i < TEST_CHECKS; i++) {
        n += test_checks[i].state != FREE && test_checks[i].lane == lane
             && (test_checks[i].state == RUNS) == runs;
    }

    return n;
}


/* the one that has to be first in its lane */

static test_check_t *
test_first(ngx_uint_t lane)
{
    ngx_uint_t     i;
    test_check_t  *c, *first;

    first = NULL;

    for (i = 0; i < TEST_CHECKS; i++) {
        c = &test_checks[i];

        if (c->lane == lane && (c->state == WAITS || c->state == FAILED)
            && (first == NULL || c->state < first->state
                || (c->state == first->state && c->order < first->order)))
        {
            first = c;
        }
    }

    return first;
}


static void
test_add(ngx_uint_t failed)
{
    ngx_uint_t     i, lane;
    test_check_t  *c;

    for (i = 0; i < TEST_CHECKS && test_checks[i].state != FREE; i++) {
        /* void */
    }

    if (i == TEST_CHECKS) {
        return;
    }

    c = &test_checks[i];
    lane = random() % TEST_LANES;

    if (test_lanes[lane] == NULL) {
        test_lanes[lane] = malloc(sizeof(ntrip_lane_t));
        ntrip_checks_open(&test_queue, test_lanes[lane], 1000 + lane);
    }

    c->lane = lane;
    c->state = failed ? FAILED : WAITS;
    c->order = ++test_order;

    if (!failed) {
        test_deferred[lane] = 0;
    }

    ntrip_checks_add(&test_queue, test_lanes[lane], &c->check, failed);
}


/* 0: the queue did not do what it has to */

static int
test_next(void)
{
    ngx_uint_t     i, possible, running;
    test_check_t  *c;

    possible = 0;
    running = 0;

    for (i = 0; i < TEST_LANES; i++) {
        running += test_count(i, 1);
        possible |= test_first(i) && !test_deferred[i]
                    && test_count(i, 1) < TEST_SHARE;
    }

    c = test_of(ntrip_checks_next(&test_queue));

    if (c == NULL) {
        return !possible || running == TEST_LIMIT;
    }

    if (running >= TEST_LIMIT || test_deferred[c->lane]
        || test_count(c->lane, 1) >= TEST_SHARE || c != test_first(c->lane))
    {
        return 0;
    }

    switch (random() % 6) {

    case 0:
        if (c->state == WAITS) {
            ntrip_checks_demote(&test_queue, &c->check);
            c->state = FAILED;
            c->order = ++test_order;
        }

        return 1;

    case 1:
        ntrip_checks_defer(&test_queue, c->check.lane);
        test_deferred[c->lane] = 1;
        return 1;

    default:
        ntrip_checks_start(&test_queue, &c->check);
        c->state = RUNS;
        test_most[c->lane]++;
        return 1;
    }
}


static int
test_end(void)
{
    ngx_uint_t     i, last;
    ntrip_lane_t  *lane;
    test_check_t  *c;

    i = random() % TEST_CHECKS;
    c = &test_checks[i];

    if (c->state == FREE || (c->state != RUNS && random() % 8)) {
        return 1;
    }

    if (c->state == RUNS) {
        test_deferred[c->lane] = 0;
    }

    c->state = FREE;
    last = test_count(c->lane, 0) + test_count(c->lane, 1) == 0;

    lane = ntrip_checks_end(&test_queue, &c->check);

    if (lane) {
        if (!last || lane != test_lanes[c->lane]) {
            return 0;
        }

        free(lane);
        test_lanes[c->lane] = NULL;
    }

    if (last || test_first(c->lane) == NULL) {
        test_deferred[c->lane] = 0;
    }

    return (lane != NULL) == last
           && ntrip_checks_lane(&test_queue, 1000 + c->lane)
              == test_lanes[c->lane];
}


static int
test_model(void)
{
    ngx_uint_t  i, n;

    for (n = 0; n < TEST_STEPS; n++) {

        switch (random() % 8) {

        case 0:
        case 1:
            test_add(random() % 2);
            break;

        case 2:
            ntrip_checks_resume(&test_queue);

            for (i = 0; i < TEST_LANES; i++) {
                test_deferred[i] = 0;
            }

            break;

        case 3:
        case 4:
            if (!test_next()) {
                return 0;
            }

            break;

        default:
            if (!test_end()) {
                return 0;
            }
        }
    }

    return 1;
}


/* one that sends a thousand, and one that sends one */

static void
test_turns(void)
{
    ngx_uint_t      i;
    ntrip_lane_t    many, one;
    ntrip_check_t   checks[100], single, *c;

    ntrip_checks_init(&test_queue, TEST_LIMIT, TEST_SHARE);
    ntrip_checks_open(&test_queue, &many, 1);
    ntrip_checks_open(&test_queue, &one, 2);

    for (i = 0; i < 100; i++) {
        ntrip_checks_add(&test_queue, &many, &checks[i], i < 99);
    }

    c = ntrip_checks_next(&test_queue);
    tap_ok(c == &checks[99], "who has no failures is first, and came last");

    for (i = 0; (c = ntrip_checks_next(&test_queue)) != NULL; i++) {
        ntrip_checks_start(&test_queue, c);
    }

    tap_ok(i == TEST_SHARE, "one address has its share of what runs at once");

    ntrip_checks_add(&test_queue, &one, &single, 1);
    tap_ok(ntrip_checks_next(&test_queue) == &single,
           "another one begins at once");
    ntrip_checks_start(&test_queue, &single);

    (void) ntrip_checks_end(&test_queue, &checks[99]);
    ntrip_checks_defer(&test_queue, &many);
    tap_ok(ntrip_checks_next(&test_queue) == NULL, "deferred: nothing runs");
    ntrip_checks_resume(&test_queue);
    tap_ok(ntrip_checks_next(&test_queue) == &checks[1],
           "resumed: the next one does");
}


int
main(void)
{
    ngx_uint_t  i, least;

    srandom(1);

    test_turns();

    ntrip_checks_init(&test_queue, TEST_LIMIT, TEST_SHARE);
    tap_ok(test_model(), "%d random steps as in the model", TEST_STEPS);

    least = test_most[0];

    for (i = 1; i < TEST_LANES; i++) {
        least = ngx_min(least, test_most[i]);
    }

    tap_ok(least > TEST_STEPS / 64 / TEST_LANES,
           "every address had its turns, %d at least", (int) least);

    for (i = 0; i < TEST_CHECKS; i++) {
        if (test_checks[i].state != FREE) {
            free(ntrip_checks_end(&test_queue, &test_checks[i].check));
        }
    }

    return tap_done();
}
