
/*
 * sources: ntrip_zone.c ntrip_turn.c ntrip_bus.c ntrip_table.c ntrip_group.c
 *          ntrip_ring.c ntrip_latest.c ntrip_mailbox.c ntrip_usage.c
 *          ntrip_session.c ntrip_stream.c ntrip_lease.c ntrip_wait.c
 *          ntrip_gga.c ntrip_text.c
 * libs: -lm
 */

/*
 * Fieldgate: an address that has failed too often, and the workers that have
 * somebody from there.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_zone.h"

#include <stdio.h>
#include <stdlib.h>

#include "unit/tap.h"


#define TEST_ZONE     NTRIP_ZONE_MIN
#define TEST_WORKERS  4
#define TEST_STEPS    100000


static ntrip_bus_t   *test_bus;
static ntrip_zone_t  *test_zone;
static uint64_t       test_me[TEST_WORKERS];


static uint64_t
test_claim(void)
{
    return ntrip_bus_claim(test_bus, 8, getpid(), 1, 1);
}


static void
test_guest(ntrip_guest_t *guest, const char *addr, const char *name)
{
    ngx_str_t  n;

    n.data = (u_char *) name;
    n.len = strlen(name);

    ntrip_guest_init(guest, test_bus, 0, (u_char *) addr, 4, &n);
}


static ngx_int_t
test_take(ngx_uint_t worker, uint64_t now, ntrip_guest_t *guest,
    ngx_uint_t failed)
{
    return ntrip_turn_take(test_zone, test_bus, test_me[worker], now,
                           guest->address, failed);
}


static void
test_give(ngx_uint_t worker, uint64_t now, ntrip_guest_t *guest,
    ngx_uint_t more)
{
    ntrip_turn_give(test_zone, test_bus, test_me[worker], now, guest->address,
                    more);
}


static void
test_counts(ntrip_guest_t *guest)
{
    ngx_uint_t     i, none;
    ntrip_guest_t  mate, other;

    test_guest(&mate, "abcd", "mate");
    test_guest(&other, "abce", "bob");

    for (i = 0, none = 0; i < NTRIP_FAIL_LIMIT; i++) {
        none += test_take(0, 1000, guest, 0) == NGX_DECLINED;
        (void) ntrip_guest_failed(test_zone, guest, 1000);
    }

    tap_ok(none == NTRIP_FAIL_LIMIT,
           "an address needs no turn before its tenth failure");
    tap_ok(ntrip_guest_failures(test_zone, &mate, 1000) == NTRIP_FAIL_LIMIT
           && ntrip_guest_name_failures(test_zone, guest, 1000)
              == NTRIP_FAIL_LIMIT
           && ntrip_guest_name_failures(test_zone, &mate, 1000) == 0
           && ntrip_guest_failures(test_zone, &other, 1000) == 0
           && ntrip_guest_name_failures(test_zone, &other, 1000) == 0,
           "counted for the address, and for the name there");
    tap_ok(test_take(0, 1000 + NTRIP_FAIL_WINDOW, guest, 0) == NGX_DECLINED,
           "and for a minute");
}


static void
test_order(ntrip_guest_t *guest)
{
    tap_ok(test_take(0, 2000, guest, 1) == NGX_OK
           && test_take(0, 2000, guest, 0) == NGX_AGAIN
           && test_take(1, 2000, guest, 1) == NGX_AGAIN
           && test_take(2, 2000, guest, 0) == NGX_AGAIN,
           "one check at a time, in all workers");

    test_give(0, 2005, guest, 1);

    tap_ok(test_take(0, 2005, guest, 0) == NGX_AGAIN
           && test_take(1, 2005, guest, 1) == NGX_AGAIN
           && test_take(2, 2005, guest, 0) == NGX_OK,
           "a user without failures in another worker is next");

    test_give(2, 2010, guest, 0);

    tap_ok(test_take(1, 2010, guest, 1) == NGX_AGAIN
           && test_take(0, 2010, guest, 0) == NGX_OK,
           "then the one here");

    test_give(0, 2015, guest, 0);

    tap_ok(test_take(1, 2999, guest, 1) == NGX_AGAIN
           && test_take(1, 3000, guest, 1) == NGX_OK,
           "then those with failures, a second after the last");

    test_give(1, 3005, guest, 0);
    (void) test_take(2, 3005, guest, 1);
    (void) test_take(3, 3005, guest, 0);
    test_give(3, 3006, guest, 0);

    tap_ok(test_take(2, 3999, guest, 1) == NGX_AGAIN
           && test_take(2, 4000, guest, 1) == NGX_OK, "nor in another worker");
}


static void
test_deaths(ntrip_guest_t *guest)
{
    tap_ok(test_take(0, 5000, guest, 0) == NGX_AGAIN, "it is taken");

    ntrip_bus_release(test_bus, test_me[2]);
    tap_ok(test_take(0, 5000, guest, 0) == NGX_OK,
           "that of a worker that has died is anybody's");
    test_me[2] = test_claim();

    (void) test_take(2, 5000, guest, 0);
    test_give(0, 5000, guest, 0);
    tap_ok(test_take(1, 5000 + NTRIP_TURN_KEPT - 1, guest, 0) == NGX_AGAIN
           && test_take(1, 5000 + NTRIP_TURN_KEPT, guest, 0) == NGX_OK,
           "one that is kept for a worker is so for a tenth of a second");
    test_give(1, 5200, guest, 0);
}


/* more addresses than there are rows */

static void
test_full(void)
{
    char           addr[5];
    ngx_uint_t     i, n, taken;
    ntrip_guest_t  guest;

    taken = 0;

    for (n = 0; n < 2 * test_zone->turns.n; n++) {
        (void) snprintf(addr, sizeof(addr), "%04d", (int) n);
        test_guest(&guest, addr, "x");

        for (i = 0; i < NTRIP_FAIL_LIMIT; i++) {
            (void) ntrip_guest_failed(test_zone, &guest, 9000);
        }

        taken += test_take(0, 9000, &guest, 0) == NGX_OK;
    }

    tap_ok(taken >= test_zone->turns.n - 1 && taken <= test_zone->turns.n,
           "more addresses than rows: they wait");

    test_guest(&guest, "0000", "x");
    test_give(0, 9001, &guest, 0);
    (void) snprintf(addr, sizeof(addr), "%04d", (int) n - 1);
    test_guest(&guest, addr, "x");

    for (i = 0; i < test_zone->turns.n
                && test_take(0, 9001 + NTRIP_TURN_KEPT, &guest, 0) != NGX_OK;
         i++)
    {
        /* void */
    }

    tap_ok(i < test_zone->turns.n, "until a row is free");
}


/* at any time one worker has it, and each that waits gets it */

static void
test_random(ntrip_guest_t *guest)
{
    uint64_t    now;
    ngx_uint_t  i, n, w, has, twice, turns[TEST_WORKERS];

    now = 20000;
    has = TEST_WORKERS;
    twice = 0;
    ngx_memzero(turns, sizeof(turns));

    for (i = 0; i < NTRIP_FAIL_LIMIT; i++) {
        (void) ntrip_guest_failed(test_zone, guest, now);
    }

    for (n = 0; n < TEST_STEPS; n++) {
        w = random() % TEST_WORKERS;

        if (n % 100 == 0) {
            now++;

            if (ntrip_guest_failures(test_zone, guest, now) == 0) {
                break;
            }
        }

        if (has == w) {
            test_give(w, now, guest, random() % 2);
            has = TEST_WORKERS;
            continue;
        }

        if (test_take(w, now, guest, 0) == NGX_OK) {
            twice += has != TEST_WORKERS;
            has = w;
            turns[w]++;
        }
    }

    tap_ok(twice == 0, "%d random steps: never two at once", TEST_STEPS);

    for (w = 0, n = TEST_STEPS; w < TEST_WORKERS; w++) {
        n = ngx_min(n, turns[w]);
    }

    tap_ok(n > TEST_STEPS / 100, "and every worker has its turns, %d at least",
           (int) n);
}


int
main(void)
{
    ngx_uint_t         i;
    ntrip_guest_t      guest;
    ntrip_zone_plan_t  plan;

    srandom(1);

    test_bus = calloc(1, sizeof(ntrip_bus_t));
    ntrip_bus_init(test_bus, 12345);

    if (ntrip_zone_plan(&plan, TEST_ZONE, 8192) != NGX_OK) {
        abort();
    }

    test_zone = aligned_alloc(64, plan.bytes);
    memset(test_zone, 0, plan.bytes);
    ntrip_zone_init(test_zone, &plan);

    for (i = 0; i < TEST_WORKERS; i++) {
        test_me[i] = test_claim();
    }

    test_guest(&guest, "abcd", "bob");

    test_counts(&guest);
    test_order(&guest);
    test_deaths(&guest);
    test_full();

    memset(test_zone, 0, plan.bytes);
    ntrip_zone_init(test_zone, &plan);
    test_random(&guest);

    free(test_zone);
    free(test_bus);

    return tap_done();
}
