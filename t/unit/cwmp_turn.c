
/*
 * sources: cwmp_turn.c cwmp_wakeup.c
 *
 * Workers that call one CPE, against a model: they take turns, end their calls
 * or forget to, die and come back, in any order.
 */


#include "tap.h"
#include "cwmp_turn.h"


#define TEST_WORKERS  4
#define TEST_STEPS    200000
#define TEST_CALL     100           /* milliseconds that a call may take */


typedef struct {
    uint64_t      serial;           /* of the running call, 0: none */
    ngx_msec_t    deadline;
    ngx_uint_t    waits;            /* has a call in its queue */
    ngx_msec_t    since;            /* it waits */
    uint64_t      seen;
} test_worker_t;


static test_worker_t  workers[TEST_WORKERS + 1];
static ngx_uint_t     dead[TEST_WORKERS + 1];

static u_char         test_keys[3][CWMP_TABLE_KEY_LEN] = { "a", "b", "c" };


static ngx_uint_t
test_alive(uint32_t holder)
{
    return holder != 0 && !dead[holder];
}


static cwmp_outcome_t
test_outcome(ngx_uint_t status)
{
    cwmp_outcome_t  o;

    memset(&o, 0, sizeof(cwmp_outcome_t));
    o.cpe_status = status;
    cwmp_outcome_set(&o, CWMP_WAKEUP_OK, 1);

    return o;
}


static void
test_turns(void)
{
    uint64_t        one, two;
    cwmp_turn_t     t;
    cwmp_outcome_t  o;

    memset(&t, 0, sizeof(cwmp_turn_t));
    memset(dead, 0, sizeof(dead));
    o = test_outcome(200);

    one = cwmp_turn_take(&t, 1, 0, test_alive, 1000, 1100);
    tap_ok(one == 1, "a CPE that nobody calls");

    tap_ok(cwmp_turn_take(&t, 2, 1, test_alive, 1001, 1101) == 0,
           "one that another worker calls");
    tap_ok(cwmp_turn_take(&t, 3, 1, test_alive, 1002, 1102) == 0,
           "and a third wants to call");

    tap_ok(cwmp_turn_end(&t, 1, 1, one, test_keys[0], &o, 10) == NGX_OK,
           "the call is over");
    tap_ok(cwmp_turn_take(&t, 1, 0, test_alive, 1003, 1103) == 0,
           "the first worker has to wait");
    tap_ok(cwmp_turn_take(&t, 3, 0, test_alive, 1004, 1104) == 0,
           "and so has the third");

    two = cwmp_turn_take(&t, 2, 0, test_alive, 1005, 1105);
    tap_ok(two == 2, "the second is next");

    tap_ok(cwmp_turn_take(&t, 3, 2, test_alive, 1105 + CWMP_TURN_GRACE - 1,
                          2000)
           == 0, "not before the deadline and some more");
    tap_ok(cwmp_turn_take(&t, 3, 2, test_alive, 1105 + CWMP_TURN_GRACE, 2000)
           == 3, "one that is stuck is not waited for");
    tap_ok(cwmp_turn_end(&t, 2, 3, two, test_keys[0], &o, 10) == NGX_DECLINED,
           "and its result comes too late");

    dead[3] = 1;
    tap_ok(cwmp_turn_take(&t, 1, 3, test_alive, 1700, 1800) == 4,
           "nor one that is dead");
    tap_ok(cwmp_turn_end(&t, 1, 1, 3, test_keys[0], &o, 10) == NGX_DECLINED,
           "another's serial");

    /* who is next does not look again */

    tap_ok(cwmp_turn_take(&t, 2, 1, test_alive, 1701, 1801) == 0,
           "the second asks to be next");
    (void) cwmp_turn_end(&t, 1, 1, 4, test_keys[0], &o, 10);
    tap_ok(cwmp_turn_take(&t, 1, 0, test_alive, 1701 + 2 * CWMP_TURN_LOOK,
                          1802)
           == 0, "its turn is kept for a while");
    tap_ok(cwmp_turn_take(&t, 1, 0, test_alive, 1702 + 2 * CWMP_TURN_LOOK,
                          1803)
           == 5, "but not for ever");
}


static void
test_results(void)
{
    uint64_t         since, serial;
    ngx_uint_t       i;
    cwmp_turn_t      t;
    cwmp_outcome_t   o, *found;

    memset(&t, 0, sizeof(cwmp_turn_t));
    memset(dead, 0, sizeof(dead));
    since = 0;

    for (i = 0; i < 3; i++) {
        o = test_outcome(200 + i);
        serial = cwmp_turn_take(&t, 1, 0, test_alive, 1000, 1100);
        (void) cwmp_turn_end(&t, 1, 1, serial, test_keys[i], &o, 10);
    }

    found = cwmp_turn_result(&t, test_keys[1], &since);
    tap_ok(found && found->cpe_status == 201, "the result of an equal call");

    since = t.finished;
    tap_ok(cwmp_turn_result(&t, test_keys[1], &since) == NULL,
           "not of one that was over before");

    since = 99;
    found = cwmp_turn_result(&t, test_keys[2], &since);
    tap_ok(found && found->cpe_status == 202 && since == 0,
           "the row is not the one of then");

    for (i = 0; i < CWMP_TURN_RESULTS; i++) {
        serial = cwmp_turn_take(&t, 1, 0, test_alive, 1000, 1100);
        (void) cwmp_turn_end(&t, 1, 1, serial, test_keys[2], &o, 10);
    }

    since = 0;
    tap_ok(cwmp_turn_result(&t, test_keys[1], &since) == NULL,
           "it is forgotten after some more");
}


/* what is left of a queued call's time, and what the last one took */

static void
test_worth(void)
{
    uint64_t        serial;
    cwmp_turn_t     t;
    cwmp_outcome_t  o;

    memset(&t, 0, sizeof(cwmp_turn_t));
    memset(dead, 0, sizeof(dead));
    o = test_outcome(200);

    tap_ok(cwmp_turn_worth(&t, 0, 1800), "a CPE that has not been called");

    serial = cwmp_turn_take(&t, 1, 0, test_alive, 1000, 2800);
    (void) cwmp_turn_end(&t, 1, 1, serial, test_keys[0], &o, 100);

    tap_ok(cwmp_turn_worth(&t, 100, 1800), "as long as the last call took");
    tap_ok(!cwmp_turn_worth(&t, 99, 1800), "less than that");
    tap_ok(!cwmp_turn_worth(&t, -5, 1800), "its time is over");

    serial = cwmp_turn_take(&t, 1, 0, test_alive, 1100, 2900);
    tap_ok(cwmp_turn_worth(&t, 1, 1800), "while one runs nobody knows");
    (void) cwmp_turn_end(&t, 1, 1, serial, test_keys[0], &o, 1800);

    tap_ok(cwmp_turn_worth(&t, 900, 1800), "half of the time is enough");
    tap_ok(!cwmp_turn_worth(&t, 899, 1800), "less is not, the CPE is slow");
    tap_ok(cwmp_turn_worth(&t, 60, 60), "little time, but all of it");
}


/*
 * At most one worker calls the CPE, but for one that is stuck; every one that
 * goes on looking gets a turn within a time that does not depend on how often
 * the others ask; serials go up.
 */

static void
test_model(void)
{
    uint32_t         holder;
    uint64_t         serial, last;
    ngx_int_t        rc;
    ngx_msec_t       now, longest;
    ngx_uint_t       i, n, w, calling, twice, back, lost, turns;
    cwmp_turn_t      t;
    test_worker_t   *me;
    cwmp_outcome_t   o;

    memset(&t, 0, sizeof(cwmp_turn_t));
    memset(workers, 0, sizeof(workers));
    memset(dead, 0, sizeof(dead));
    srandom(1);

    o = test_outcome(200);
    now = (ngx_msec_t) -5000;       /* the clock wraps around */
    holder = 0;
    last = 0;
    longest = 0;
    twice = back = lost = turns = 0;

    for (n = 0; n < TEST_STEPS; n++) {
        now += (random() % 8 == 0);
        w = 1 + random() % TEST_WORKERS;
        me = &workers[w];

        if (dead[w]) {
            if (random() % 50 == 0) {
                dead[w] = 0;
            }

            continue;
        }

        if (random() % 2000 == 0) {
            dead[w] = 1;
            memset(me, 0, sizeof(test_worker_t));
            continue;
        }

        if (me->serial) {

            if (random() % 20 != 0 && (ngx_msec_int_t) (me->deadline - now) > 0)
            {
                continue;
            }

            rc = cwmp_turn_end(&t, w, holder, me->serial,
                               test_keys[random() % 3], &o, 10);

            lost += (rc != NGX_OK);
            holder = (rc == NGX_OK) ? 0 : holder;
            me->serial = 0;

            continue;
        }

        if (!me->waits) {
            me->waits = 1;
            me->since = now;
        }

        serial = cwmp_turn_take(&t, w, holder, test_alive, now,
                                now + TEST_CALL);
        if (serial == 0) {
            continue;
        }

        for (calling = 0, i = 1; i <= TEST_WORKERS; i++) {
            calling += (workers[i].serial != 0);
        }

        twice += (calling != 0);
        back += (serial <= last);
        last = serial;
        holder = w;
        turns++;

        me->serial = serial;
        me->deadline = now + TEST_CALL;
        me->waits = 0;
        longest = ngx_max(longest, now - me->since);
    }

    tap_ok(turns > TEST_STEPS / 200, "%d turns", (int) turns);
    tap_ok(twice == 0, "one call at a time");
    tap_ok(back == 0, "serials go up");
    tap_ok(lost == 0, "no result is lost");
    tap_ok(longest < 2 * TEST_WORKERS * (TEST_CALL + CWMP_TURN_LOOK),
           "the longest wait was %d ms", (int) longest);
}


int
main(void)
{
    test_turns();
    test_results();
    test_worth();
    test_model();

    return tap_done();
}
