
/*
 * sources: ntrip_pair.c ntrip_station.c ntrip_zone.c ntrip_stream.c
 *          ntrip_bus.c ntrip_table.c ntrip_group.c ntrip_ring.c
 *          ntrip_latest.c ntrip_mailbox.c ntrip_usage.c ntrip_session.c
 *          ntrip_turn.c ntrip_lease.c ntrip_wait.c ntrip_gga.c ntrip_text.c
 * libs: -lm
 */

/*
 * Fieldgate: hosts and guests: places that come and go, accounts that are
 * found, workers that die, in random order; after each step the pairs are
 * looked at from outside.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_zone.h"

#include <stdio.h>
#include <stdlib.h>

#include "unit/tap.h"


#define TEST_WORKERS   3
#define TEST_PLACES    5
#define TEST_ACCOUNTS  2
#define TEST_STEPS     500000
#define TEST_ROWS      1024


typedef struct {
    uint64_t           host;
    uint64_t           guest;
    uint64_t           since;
    uint32_t           index;        /* of the guest */
} test_kept_t;


static ntrip_bus_t   *test_bus;
static ntrip_zone_t  *test_zone;
static uint64_t       test_me[TEST_WORKERS];
static uint64_t       test_now = 1000000;
static ngx_uint_t     test_wrong;
static ngx_uint_t     test_joined, test_refused, test_parted, test_leaving;
static ngx_uint_t     test_waits;
static test_kept_t    test_kept[TEST_ROWS];


#define check(what)                                                           \
    if (!(what)) {                                                            \
        test_wrong++;                                                         \
        printf("# line %d\n", __LINE__);                                      \
    }


static void
test_want(ntrip_want_t *want, ntrip_mail_t *mail, ngx_uint_t place)
{
    static u_char  name[] = "M", pool[] = "default";

    memset(want, 0, sizeof(*want));
    memset(mail, 0, sizeof(*mail));

    mail->login = place + 1;
    mail->point = ntrip_point(480000000 + (int32_t) place * 10000000,
                              110000000);

    want->mount.data = name;
    want->mount.len = 1;
    want->pool.data = pool;
    want->pool.len = 7;
    want->share = 30000;
    want->mail = mail;
    want->login = place + 1;
    want->session = NTRIP_ROW_NONE;
    want->gga = 1;
}


static ntrip_stream_row_t *
test_row(ngx_uint_t place)
{
    ntrip_mail_t  mail;
    ntrip_want_t  want;

    test_want(&want, &mail, place);

    return ntrip_stream_find(test_zone, test_bus, &want);
}


static uint32_t
test_index(ntrip_stream_row_t *row)
{
    return ntrip_table_index(&test_zone->streams, row);
}


static int
test_owner(ntrip_stream_row_t *row)
{
    int  i;

    for (i = 0; i < TEST_WORKERS; i++) {
        if (row->row.holder == test_me[i]) {
            return i;
        }
    }

    return -1;
}


static void
test_attach(ngx_uint_t place, int worker)
{
    ntrip_mail_t         mail;
    ntrip_want_t         want;
    ntrip_found_t        found;
    ntrip_stream_row_t  *row;

    test_want(&want, &mail, place);
    row = test_row(place);

    if (row && !ntrip_bus_alive(test_bus, row->row.holder)
        && row->row.state != NTRIP_STREAM_ORPHAN)
    {
        return;
    }

    check(ntrip_stream_attach(test_zone, test_bus, test_me[worker], test_now,
                              &want, &found)
          != NGX_ERROR);
}


static void
test_leave(ngx_uint_t place, int worker)
{
    ntrip_slots_t        wake;
    ntrip_stream_row_t  *row;

    row = test_row(place);
    memset(&wake, 0, sizeof(wake));

    if (row) {
        ntrip_stream_detach(test_zone, test_bus, test_me[worker], test_now,
                            test_index(row), row->row.serial, 0, &wake);
    }
}


/* the owner looks for an account, and has been accepted with it */

static void
test_look(ngx_uint_t place)
{
    ngx_uint_t           i;
    ngx_str_t            label = ngx_string("label");
    ntrip_found_t        found;
    ntrip_slots_t        wake;
    ntrip_wait_look_t    look;
    ntrip_candidate_t    candidates[TEST_ACCOUNTS];
    ntrip_stream_row_t  *row;

    row = test_row(place);

    if (row == NULL || test_owner(row) < 0
        || row->row.state != NTRIP_STREAM_OPENING || row->source)
    {
        return;
    }

    memset(&look, 0, sizeof(look));
    memset(&wake, 0, sizeof(wake));

    for (i = 0; i < TEST_ACCOUNTS; i++) {
        candidates[i].source = i + 1;
        candidates[i].host = 7;
        candidates[i].host_mount = 8;
    }

    if (ntrip_stream_lease(test_zone, test_bus, test_now, test_index(row),
                           &look, candidates, TEST_ACCOUNTS, &found, &wake)
        == NGX_OK)
    {
        ntrip_stream_live(test_zone, test_index(row), &label);
    }
}


/* what the worker's slot says of it */

static uint64_t *
test_exiting(int worker)
{
    return &test_bus->slots[ntrip_holder_slot(test_me[worker])].exiting;
}


/* the guest that a host had to part from: the serials of both, and when that
   was; in a row that has lasted since, it is waited for */

static void
test_keep(ntrip_stream_row_t *host, ntrip_stream_row_t *guest)
{
    test_kept_t  *kept;

    kept = &test_kept[test_index(host)];

    kept->host = host->row.serial;
    kept->guest = guest->row.serial;
    kept->index = test_index(guest);
    kept->since = test_now;
}


static ngx_uint_t
test_keeps(ntrip_stream_row_t *host, uint32_t index)
{
    test_kept_t         *kept;
    ntrip_stream_row_t  *guest;

    kept = &test_kept[test_index(host)];

    if (kept->host != host->row.serial || kept->index == index
        || test_now >= kept->since + NTRIP_PAIR_KEEP)
    {
        return 0;
    }

    guest = ntrip_stream_row(test_zone, kept->index);

    return guest->row.serial == kept->guest
           && guest->row.state != NTRIP_ROW_FREE
           && guest->row.state != NTRIP_STREAM_LIVE;
}


/* a host for the place, as the rows say */

static ngx_uint_t
test_hosts(ngx_uint_t place)
{
    uint32_t             index;
    ngx_uint_t           i;
    ntrip_stream_row_t  *row;

    index = test_index(test_row(place));

    for (i = 0; i < TEST_PLACES; i++) {
        row = test_row(i);

        if (i != place && row && row->row.state == NTRIP_STREAM_LIVE
            && row->source && test_owner(row) >= 0
            && !*test_exiting(test_owner(row))
            && ntrip_pair_guest(test_zone, test_index(row))
               == NTRIP_ROW_NONE)
        {
            if (!test_keeps(row, index)) {
                return 1;
            }

            test_waits++;
        }
    }

    return 0;
}


static void
test_join(ngx_uint_t place)
{
    int                  owner;
    ngx_int_t            rc;
    ngx_uint_t           hosts;
    uint32_t             host;
    ntrip_slots_t        wake;
    ntrip_stream_row_t  *row;

    row = test_row(place);

    if (row == NULL) {
        return;
    }

    owner = test_owner(row);

    if (owner < 0) {
        return;
    }

    memset(&wake, 0, sizeof(wake));

    hosts = (row->row.state == NTRIP_STREAM_OPENING && row->source == 0)
            ? test_hosts(place) : 0;

    host = ntrip_pair_find(test_zone, test_bus, test_now, test_index(row));

    rc = (host == NTRIP_ROW_NONE)
         ? NGX_DECLINED
         : ntrip_pair_join(test_zone, test_bus, test_me[owner], test_now,
                           test_index(row), host, &wake);

    check(rc == (hosts ? NGX_OK : NGX_DECLINED));

    if (rc == NGX_OK) {
        test_joined++;
        check(ntrip_pair_is_guest(row) && row->waiting == 0);
        check(test_owner(row) >= 0 && !*test_exiting(test_owner(row)));
        check(ntrip_slots_has(&wake, ntrip_holder_slot(row->row.holder)));

    } else {
        test_refused++;
    }
}


static void
test_part(ngx_uint_t place)
{
    int                  owner;
    uint32_t             guest;
    ngx_uint_t           wanted;
    ntrip_slots_t        wake;
    ntrip_stream_row_t  *row;

    row = test_row(place);
    owner = row ? test_owner(row) : -1;

    if (owner < 0) {
        return;
    }

    guest = ntrip_pair_guest(test_zone, test_index(row));
    wanted = guest != NTRIP_ROW_NONE
             && ntrip_stream_wanted(test_zone, guest);

    memset(&wake, 0, sizeof(wake));

    if (guest != NTRIP_ROW_NONE) {
        test_keep(row, ntrip_stream_row(test_zone, guest));
    }

    ntrip_pair_part(test_zone, test_bus, test_me[owner], test_now,
                    test_index(row), &wake);

    check(ntrip_pair_guest(test_zone, test_index(row)) == NTRIP_ROW_NONE);

    if (guest != NTRIP_ROW_NONE) {
        test_parted++;
        check(ntrip_stream_row(test_zone, guest)->row.state
              == (wanted ? NTRIP_STREAM_ORPHAN : NTRIP_ROW_FREE));
    }
}


/* an orphan, as a worker with rovers of it finds it */

static void
test_claim(ngx_uint_t place, int worker)
{
    ntrip_stream_row_t  *row;

    row = test_row(place);

    if (row && row->row.state == NTRIP_STREAM_ORPHAN) {
        (void) ntrip_stream_claim(test_zone, test_me[worker],
                                  test_index(row), row->row.serial);
    }
}


/* the owner loses its connection, or closes it */

static void
test_close(ngx_uint_t place)
{
    int                  owner;
    uint32_t             guest;
    ntrip_slots_t        wake;
    ntrip_stream_row_t  *row;

    row = test_row(place);
    owner = row ? test_owner(row) : -1;

    if (owner < 0) {
        return;
    }

    memset(&wake, 0, sizeof(wake));

    guest = ntrip_pair_guest(test_zone, test_index(row));

    if (guest != NTRIP_ROW_NONE) {
        test_keep(row, ntrip_stream_row(test_zone, guest));
    }

    ntrip_pair_part(test_zone, test_bus, test_me[owner], test_now,
                    test_index(row), &wake);

    (void) ntrip_stream_orphan(test_zone, test_bus, test_me[owner], test_now,
                               test_index(row), row->row.serial, 0, &wake);
}


static void
test_death(int worker)
{
    uint32_t       next;
    ntrip_slots_t  wake;
    ntrip_sweep_t  sweep;

    memset(&wake, 0, sizeof(wake));
    memset(&sweep, 0, sizeof(sweep));
    next = 0;

    (void) ntrip_bus_release(test_bus, test_me[worker]);
    test_me[worker] = ntrip_bus_claim(test_bus, 8, getpid(), 1, 1);

    while (ntrip_zone_clear_slot(test_zone, test_bus, test_now,
                                 ntrip_holder_slot(test_me[worker]), &next,
                                 &wake)
           == NGX_AGAIN)
    {
        /* void */
    }

    if (random() % 2) {
        while (ntrip_zone_sweep(test_zone, test_bus, test_now, &sweep, &wake)
               == NGX_AGAIN)
        {
            /* void */
        }
    }
}


/* a guest has one host, the same owner, no account, and no guest */

static void
test_pairs(void)
{
    uint32_t             i, guest;
    ntrip_stream_row_t  *row, *host;
    u_char               seen[TEST_ROWS];

    memset(seen, 0, sizeof(seen));

    for (i = 0; i < test_zone->streams.n && i < sizeof(seen); i++) {
        host = ntrip_stream_row(test_zone, i);

        if (host->row.state == NTRIP_ROW_FREE) {
            continue;
        }

        guest = ntrip_pair_guest(test_zone, i);

        if (guest == NTRIP_ROW_NONE) {
            continue;
        }

        row = ntrip_stream_row(test_zone, guest);

        check(!seen[guest]);
        seen[guest] = 1;

        check(guest != i && row->source == 0 && row->waiting == 0);
        check(row->row.state == NTRIP_STREAM_LIVE);
        check(row->row.holder == host->row.holder);
        check(ntrip_pair_guest(test_zone, guest) == NTRIP_ROW_NONE);
    }
}


static void
test_turns(void)
{
    uint64_t           now;
    ngx_uint_t         i, right;
    ntrip_pair_turn_t  turn;

    right = 0;

    ntrip_pair_begin(&turn, 1000);
    right += (turn.guest == 1);

    for (i = 0, now = 1000; i < 20000; i += 10) {
        now = 1000 + i;

        if (ntrip_pair_next(&turn, now)) {
            right += (i == 5000 || i == 10000 || i == 15000);
        }

        right += (turn.guest == (i / NTRIP_PAIR_TURN) % 2 ? 0 : 1);
    }

    tap_ok(right == 1 + 3 + 2000, "turns of five seconds, the guest's first");
    tap_ok(ntrip_pair_left(&turn, now) == 10, "what is left of one");

    now += 17000;
    tap_ok(ntrip_pair_next(&turn, now) == 1
           && ntrip_pair_left(&turn, now) == NTRIP_PAIR_TURN,
           "who comes late begins a whole one");
}


int
main(void)
{
    int                i;
    ngx_uint_t         n, p;
    ntrip_zone_plan_t  plan;

    if (ntrip_zone_plan(&plan, NTRIP_ZONE_MIN, 8192) != NGX_OK
        || posix_memalign((void **) &test_bus, 64, sizeof(ntrip_bus_t))
        || posix_memalign((void **) &test_zone, 64, plan.bytes))
    {
        return 1;
    }

    memset(test_bus, 0, sizeof(ntrip_bus_t));
    memset(test_zone, 0, plan.bytes);

    if (plan.streams > TEST_ROWS) {
        return 1;
    }

    ntrip_bus_init(test_bus, 1);
    ntrip_zone_init(test_zone, &plan);

    for (i = 0; i < TEST_WORKERS; i++) {
        test_me[i] = ntrip_bus_claim(test_bus, 8, getpid(), 1, 1);
    }

    srandom(1);

    test_turns();

    for (n = 0; n < TEST_STEPS && test_wrong < 10; n++) {
        p = random() % TEST_PLACES;
        i = (int) (random() % TEST_WORKERS);
        test_now += random() % 1000;

        (void) ntrip_zone_enter(test_zone);

        switch (random() % 24) {

        case 0: case 1: case 2: case 3: case 4:
            test_attach(p, i);
            break;

        case 5: case 6:
            test_leave(p, i);
            break;

        case 7: case 8: case 9: case 10: case 11:
            test_look(p);
            break;

        case 12: case 13: case 14: case 15: case 16:
            test_join(p);
            break;

        case 17:
            test_part(p);
            break;

        case 18: case 19: case 20:
            test_claim(p, i);
            break;

        case 21:
            test_close(p);
            break;

        case 22:
            if (random() % 8 == 0) {
                test_death(i);

            } else if (random() % 64 == 0) {
                *test_exiting(i) = 1;
                test_leaving++;
            }
            break;

        default:
            test_now += 5000;
        }

        test_pairs();

        ntrip_zone_leave(test_zone);
    }

    tap_ok(test_wrong == 0 && n == TEST_STEPS, "pairs in any order");
    tap_ok(test_joined > 1000 && test_refused > 1000 && test_parted > 1000
           && test_leaving > 100 && test_waits > 1000,
           "%lu joined, %lu found no host, %lu parted, %lu workers exited, "
           "%lu hosts were kept",
           (unsigned long) test_joined, (unsigned long) test_refused,
           (unsigned long) test_parted, (unsigned long) test_leaving,
           (unsigned long) test_waits);

    return tap_done();
}
