
/*
 * sources: ntrip_station.c ntrip_zone.c ntrip_stream.c ntrip_bus.c
 *          ntrip_table.c ntrip_group.c ntrip_ring.c ntrip_latest.c
 *          ntrip_mailbox.c ntrip_usage.c ntrip_session.c ntrip_turn.c
 *          ntrip_lease.c ntrip_wait.c ntrip_gga.c ntrip_text.c
 * libs: -lm
 */

/*
 * Fieldgate: who has the stream of a base station: uploads, rovers, workers
 * that die, in random order against a plain model.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_zone.h"

#include <stdio.h>
#include <stdlib.h>

#include "unit/tap.h"


#define TEST_WORKERS  4
#define TEST_MOUNTS   3
#define TEST_STEPS    200000


/* what has to be the case */

typedef struct {
    ngx_uint_t   there;           /* an upload or a rover */
    int          owner;           /* worker, -1: nobody, or it is dead */
    ngx_uint_t   dead;            /* it is, and not yet swept */
    uint64_t     heard;
    ngx_uint_t   rovers[TEST_WORKERS];
    uint32_t     index;
    uint64_t     serial;
} test_station_t;


static ntrip_bus_t      *test_bus;
static ntrip_zone_t     *test_zone;
static uint64_t          test_me[TEST_WORKERS];
static test_station_t    test_stations[TEST_MOUNTS];
static uint64_t          test_now = 1000000;
static ngx_uint_t        test_wrong;
static ngx_uint_t        test_begun, test_refused, test_asked;


#define check(what)                                                           \
    if (!(what)) {                                                            \
        test_wrong++;                                                         \
        printf("# line %d\n", __LINE__);                                      \
    }


static void
test_want(ntrip_want_t *want, ngx_uint_t m)
{
    static u_char  names[] = "ABC";

    memset(want, 0, sizeof(*want));

    want->mount.data = names + m;
    want->mount.len = 1;
    want->share = NTRIP_SHARE_ALL;
    want->session = NTRIP_ROW_NONE;
    want->station = 1;
}


static ngx_uint_t
test_rovers(test_station_t *s)
{
    ngx_uint_t  i, n;

    for (i = 0, n = 0; i < TEST_WORKERS; i++) {
        n += s->rovers[i];
    }

    return n;
}


static void
test_publish(ngx_uint_t m, int worker)
{
    uint64_t         now;
    ngx_int_t        rc;
    ngx_str_t        label = ngx_string("label");
    ntrip_want_t     want;
    ntrip_found_t    found;
    ntrip_slots_t    wake;
    test_station_t  *s;

    s = &test_stations[m];
    test_want(&want, m);
    memset(&wake, 0, sizeof(wake));

    /* the clock of this one may be behind */

    now = test_now - random() % 50;

    (void) ntrip_zone_enter(test_zone);
    rc = ntrip_station_publish(test_zone, test_bus, test_me[worker], now,
                               &want, &label, &found, &wake);
    ntrip_zone_leave(test_zone);

    if (s->dead) {
        check(rc == NGX_AGAIN);
        return;
    }

    if (s->owner >= 0) {

        if ((int64_t) (now - s->heard) < NTRIP_STATION_SILENT) {
            check(rc == NGX_BUSY);
            test_refused++;
            return;
        }

        check(rc == NGX_AGAIN);
        check(ntrip_slots_has(&wake, ntrip_holder_slot(test_me[s->owner])));
        check(ntrip_station_asked(test_zone, s->index, test_now));
        check(!ntrip_station_asked(test_zone, s->index,
                                   now + 1 + NTRIP_STATION_ASK
                                             * NTRIP_STATION_TIMES));
        test_asked++;
        return;
    }

    check(rc == NGX_OK);
    check(!s->there || (found.index == s->index && found.serial == s->serial));

    test_begun++;
    s->there = 1;
    s->owner = worker;
    s->heard = now;
    s->index = found.index;
    s->serial = found.serial;

    check(!ntrip_station_asked(test_zone, s->index, test_now));
    check(!ntrip_station_fresh(ntrip_stream_row(test_zone, s->index),
                               test_now, 1000));
}


static void
test_end(ngx_uint_t m)
{
    ngx_int_t        rc;
    ntrip_slots_t    wake;
    test_station_t  *s;

    s = &test_stations[m];

    if (s->owner < 0 || s->dead) {
        return;
    }

    memset(&wake, 0, sizeof(wake));

    (void) ntrip_zone_enter(test_zone);
    rc = ntrip_stream_orphan(test_zone, test_bus, test_me[s->owner], test_now,
                             s->index, s->serial, 0, &wake);
    ntrip_zone_leave(test_zone);

    check(rc == NGX_OK);

    s->owner = -1;
    s->there = (test_rovers(s) != 0);
}


static void
test_rover(ngx_uint_t m, int worker)
{
    ngx_int_t        rc;
    ntrip_want_t     want;
    ntrip_found_t    found;
    ntrip_slots_t    wake;
    test_station_t  *s;

    s = &test_stations[m];
    memset(&wake, 0, sizeof(wake));

    (void) ntrip_zone_enter(test_zone);

    if (s->rovers[worker]) {
        ntrip_stream_detach(test_zone, test_bus, test_me[worker], test_now,
                            s->index, s->serial, 0, &wake);
        ntrip_zone_leave(test_zone);

        s->rovers[worker] = 0;

        if (s->owner < 0 && !s->dead) {
            s->there = (test_rovers(s) != 0);
        }

        return;
    }

    test_want(&want, m);
    rc = ntrip_stream_attach(test_zone, test_bus, test_me[worker], test_now,
                             &want, &found);
    ntrip_zone_leave(test_zone);

    check(rc == NGX_DONE);
    check(!s->there || (found.index == s->index && found.serial == s->serial));

    s->there = 1;
    s->rovers[worker] = 1;
    s->index = found.index;
    s->serial = found.serial;
}


static void
test_data(ngx_uint_t m)
{
    ntrip_facts_t    facts, got;
    test_station_t  *s;

    s = &test_stations[m];

    if (s->owner < 0 || s->dead) {
        return;
    }

    s->heard = test_now;
    ntrip_stream_row(test_zone, s->index)->data = test_now;

    memset(&facts, 0, sizeof(facts));
    facts.bitrate = (uint32_t) test_now;
    facts.located = 1;
    facts.latitude = (int32_t) m;

    ntrip_station_tell(test_zone, s->index, &facts);

    check(ntrip_station_facts(ntrip_stream_row(test_zone, s->index), &got)
          == NGX_OK);
    check(memcmp(&facts, &got, sizeof(facts)) == 0);
    check(ntrip_point_lat(ntrip_stream_row(test_zone, s->index)->reference)
          == (int32_t) m);
    check(ntrip_station_fresh(ntrip_stream_row(test_zone, s->index), test_now,
                              0));
}


/* a worker dies; another one is there in its place at once, or after a sweep */

static void
test_death(int worker)
{
    uint32_t         next;
    ngx_uint_t       m;
    ntrip_slots_t    wake;
    test_station_t  *s;

    memset(&wake, 0, sizeof(wake));

    (void) ntrip_bus_release(test_bus, test_me[worker]);
    test_me[worker] = ntrip_bus_claim(test_bus, 8, getpid(), 1, 1);

    (void) ntrip_zone_enter(test_zone);

    next = 0;

    while (ntrip_zone_clear_slot(test_zone, test_bus, test_now,
                                 ntrip_holder_slot(test_me[worker]), &next,
                                 &wake)
           == NGX_AGAIN)
    {
        /* void */
    }

    ntrip_zone_leave(test_zone);

    for (m = 0; m < TEST_MOUNTS; m++) {
        s = &test_stations[m];
        s->rovers[worker] = 0;

        if (s->owner == worker) {
            s->dead = 1;

        } else if (s->owner < 0) {
            s->there = (test_rovers(s) != 0);
        }
    }
}


static void
test_sweep(void)
{
    ngx_uint_t       m;
    ntrip_slots_t    wake;
    ntrip_sweep_t    sweep;
    test_station_t  *s;

    memset(&wake, 0, sizeof(wake));
    memset(&sweep, 0, sizeof(sweep));

    do {
        (void) ntrip_zone_enter(test_zone);
        m = (ntrip_zone_sweep(test_zone, test_bus, test_now, &sweep, &wake)
             == NGX_AGAIN);
        ntrip_zone_leave(test_zone);
    } while (m);

    for (m = 0; m < TEST_MOUNTS; m++) {
        s = &test_stations[m];

        if (s->dead) {
            s->dead = 0;
            s->owner = -1;
            s->there = (test_rovers(s) != 0);
        }
    }
}


static void
test_state(void)
{
    ngx_uint_t           m, used;
    ntrip_want_t         want;
    test_station_t      *s;
    ntrip_stream_row_t  *row;

    used = 0;

    for (m = 0; m < TEST_MOUNTS; m++) {
        s = &test_stations[m];
        used += s->there;

        test_want(&want, m);

        (void) ntrip_zone_enter(test_zone);
        row = ntrip_stream_find(test_zone, test_bus, &want);
        ntrip_zone_leave(test_zone);

        check((row != NULL) == s->there);

        if (row && !s->dead) {
            check(row->row.state == (s->owner >= 0 ? NTRIP_STREAM_LIVE
                                                   : NTRIP_STREAM_ORPHAN));
            check(row->row.holder == (s->owner >= 0 ? test_me[s->owner] : 0)
                  || s->owner < 0);
        }
    }

    check(test_zone->streams.used == used);
}


int
main(void)
{
    int                i;
    ngx_uint_t         n, m;
    ntrip_zone_plan_t  plan;

    if (ntrip_zone_plan(&plan, NTRIP_ZONE_MIN, 8192) != NGX_OK
        || posix_memalign((void **) &test_bus, 64, sizeof(ntrip_bus_t))
        || posix_memalign((void **) &test_zone, 64, plan.bytes))
    {
        return 1;
    }

    memset(test_bus, 0, sizeof(ntrip_bus_t));
    memset(test_zone, 0, plan.bytes);

    ntrip_bus_init(test_bus, 1);
    ntrip_zone_init(test_zone, &plan);

    for (i = 0; i < TEST_WORKERS; i++) {
        test_me[i] = ntrip_bus_claim(test_bus, 8, getpid(), 1, 1);
    }

    for (m = 0; m < TEST_MOUNTS; m++) {
        test_stations[m].owner = -1;
    }

    srandom(1);

    for (n = 0; n < TEST_STEPS && test_wrong < 10; n++) {
        m = random() % TEST_MOUNTS;
        i = (int) (random() % TEST_WORKERS);
        test_now += random() % 3000;

        switch (random() % 16) {

        case 0: case 1: case 2: case 3:
            test_publish(m, i);
            break;

        case 4:
            test_end(m);
            break;

        case 5: case 6: case 7: case 8:
            test_rover(m, i);
            break;

        case 9: case 10: case 11:
            test_data(m);
            break;

        case 12:
            if (random() % 8 == 0) {
                test_death(i);
            }
            break;

        case 13:
            test_sweep();
            break;

        default:
            test_now += 8000;
        }

        test_state();
    }

    tap_ok(test_wrong == 0 && n == TEST_STEPS,
           "uploads, rovers and deaths in any order");
    tap_ok(test_begun > 1000 && test_refused > 1000 && test_asked > 1000,
           "%lu begun, %lu refused, %lu that had to wait",
           (unsigned long) test_begun, (unsigned long) test_refused,
           (unsigned long) test_asked);

    return tap_done();
}
