/*
 * sources: ntrip_zone.c ntrip_table.c ntrip_bus.c ntrip_ring.c ntrip_latest.c
 *          ntrip_mailbox.c ntrip_stream.c ntrip_lease.c ntrip_usage.c
 *          ntrip_session.c ntrip_turn.c ntrip_group.c ntrip_wait.c
 *          ntrip_handover.c ntrip_gga.c ntrip_text.c
 * libs: -lm
 */

/*
 * Fieldgate: the shared state of NTRIP, alone and under kill -9: workers
 * that attach, log in, fail, claim and hand over as fast as they can, and
 * one that plays nginx's master: it kills them, breaks their locks, and
 * starts others.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_zone.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>


#define TEST_ZONE      (2 * 1024 * 1024)
#define TEST_WORKERS   4
#define TEST_KILLS     (getenv("FIELDGATE_LONG") ? 400u : 120u)
#define TEST_KILLS_MAX 40000
#define TEST_RARE      10
#define TEST_HASTE     500
#define TEST_ACCOUNTS  6
#define TEST_USERS     8
#define TEST_STREAMS   8


typedef struct {
    uint64_t      bus_lock;
    uint64_t      zone_lock;
    uint64_t      victim;            /* pid, to die within zone_lock, or 0 */
    uint64_t      logged_in[TEST_ACCOUNTS + 1];
                                     /* what the provider sees: pid or 0 */
    uint64_t      twice;             /* second logins at it */
    uint64_t      attached;
    uint64_t      joined;
    uint64_t      claimed;
    uint64_t      waited;
    uint64_t      logins;
    uint64_t      bad;
    ntrip_bus_t   bus;
} test_shared_t;


static ngx_uint_t         test_n;
static ngx_uint_t         test_failed;
static test_shared_t     *test_shared;
static ntrip_zone_t      *test_zone;
static ntrip_bus_t       *test_bus;
static ntrip_candidate_t  test_accounts[TEST_ACCOUNTS];


static void
test_ok(ngx_uint_t ok, const char *name)
{
    printf("%sok %u - %s\n", ok ? "" : "not ", (unsigned) ++test_n, name);

    if (!ok) {
        test_failed++;
    }
}


/* a clock that runs fast, so that nobody rests for long */

static uint64_t
test_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return ((uint64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000)
           * TEST_HASTE / 1000;
}


/* as nginx's: a word with the pid, which the master breaks */

static void
test_lock(uint64_t *lock)
{
    uint64_t  none;

    for ( ;; ) {
        none = 0;

        if (__atomic_compare_exchange_n(lock, &none, getpid(), 0,
                                        __ATOMIC_ACQUIRE, __ATOMIC_RELAXED))
        {
            return;
        }

        sched_yield();
    }
}


static void
test_unlock(uint64_t *lock)
{
    __atomic_store_n(lock, 0, __ATOMIC_RELEASE);
}


static void
test_enter(void)
{
    test_lock(&test_shared->zone_lock);
    (void) ntrip_zone_enter(test_zone);
}


static void
test_leave(void)
{
    uint64_t  victim;

    victim = __atomic_load_n(&test_shared->victim, __ATOMIC_ACQUIRE);

    if (victim && victim == (uint64_t) getpid()) {
        kill(getpid(), SIGKILL);
    }

    ntrip_zone_leave(test_zone);
    test_unlock(&test_shared->zone_lock);
}


static uint64_t
test_claim_slot(uint64_t generation)
{
    uint32_t       next;
    uint64_t       me;
    ngx_int_t      rc;
    ntrip_slots_t  wake;

    test_lock(&test_shared->bus_lock);
    me = ntrip_bus_claim(test_bus, 64, getpid(), 1, generation);
    test_unlock(&test_shared->bus_lock);

    memset(&wake, 0, sizeof(ntrip_slots_t));
    next = 0;

    do {
        test_enter();
        rc = ntrip_zone_clear_slot(test_zone, test_bus, test_now(),
                                   ntrip_holder_slot(me), &next, &wake);
        test_leave();
    } while (rc == NGX_AGAIN);

    return me;
}


static void
test_sweep(void)
{
    ngx_int_t      rc;
    ntrip_slots_t  wake;
    ntrip_sweep_t  sweep;

    if (!ntrip_bus_sweep_due(test_bus)) {
        return;
    }

    memset(&wake, 0, sizeof(ntrip_slots_t));
    memset(&sweep, 0, sizeof(ntrip_sweep_t));

    do {
        test_enter();
        rc = ntrip_zone_sweep(test_zone, test_bus, test_now(), &sweep, &wake);
        test_leave();
    } while (rc == NGX_AGAIN);
}


static void
test_release(uint64_t holder)
{
    test_lock(&test_shared->bus_lock);
    (void) ntrip_bus_release(test_bus, holder);
    test_unlock(&test_shared->bus_lock);
}


static void
test_want(ntrip_want_t *want, ntrip_mail_t *mail, ngx_uint_t place)
{
    memset(mail, 0, sizeof(ntrip_mail_t));
    memset(want, 0, sizeof(ntrip_want_t));

    /* places are a degree apart, about 111 km */

    mail->point = ntrip_point(place * 10000000, 0);

    ngx_str_set(&want->mount, "RTCM32");
    ngx_str_set(&want->pool, "default");
    want->share = 30000;
    want->mail = mail;
    want->login = ntrip_bus_next_login(test_bus);
    want->session = NTRIP_ROW_NONE;
    want->gga = 1;
}


/* one look, in slices of two */

static ngx_int_t
test_lease(uint64_t now, uint32_t index, ntrip_found_t *found,
    ntrip_slots_t *wake)
{
    ngx_int_t          rc;
    ngx_uint_t         i;
    ntrip_wait_look_t  look;

    memset(&look, 0, sizeof(ntrip_wait_look_t));

    for (i = 0, rc = NGX_DECLINED; rc == NGX_DECLINED; i += 2) {
        look.more = (i + 2 < TEST_ACCOUNTS);

        rc = ntrip_stream_lease(test_zone, test_bus, now, index, &look,
                                test_accounts + i, 2, found, wake);
    }

    found->candidate += i - 2;

    return rc;
}


static ngx_int_t
test_attach(uint64_t me, uint64_t now, ntrip_want_t *want,
    ntrip_found_t *found)
{
    ngx_int_t      rc;
    ntrip_slots_t  wake;

    memset(&wake, 0, sizeof(ntrip_slots_t));

    rc = ntrip_stream_attach(test_zone, test_bus, me, now, want, found);

    return (rc == NGX_OK) ? test_lease(now, found->index, found, &wake) : rc;
}


/* are lists and chains what the rows say? */

static ngx_uint_t
test_table(ntrip_table_t *table, uint32_t used)
{
    uint32_t      i, n, found;
    ntrip_row_t  *row, *r;

    n = 0;

    for (i = table->free; i != NTRIP_ROW_NONE; i = row->next) {
        row = ntrip_table_row(table, i);

        if (row->state != NTRIP_ROW_FREE || ++n > table->n) {
            return 0;
        }
    }

    if (n + table->used != table->n || table->used != used) {
        return 0;
    }

    for (i = 0; i < table->n; i++) {
        row = ntrip_table_row(table, i);

        if (row->state == NTRIP_ROW_FREE) {
            continue;
        }

        found = 0;

        for (r = ntrip_table_find(table, row->hash, NULL);
             r;
             r = ntrip_table_find(table, row->hash, r))
        {
            found += (r == row);
        }

        if (found != 1) {
            return 0;
        }
    }

    return 1;
}


/* are groups what the links say, each in order and counted? */

static ngx_uint_t
test_group(ntrip_group_t *group)
{
    uint32_t       i, j, n, rows, seen;
    ntrip_row_t   *row;
    ntrip_link_t  *link;

    rows = 0;
    seen = 0;

    for (i = 0; i < group->n; i++) {
        link = ntrip_group_link(group, i);
        row = (ntrip_row_t *) ((u_char *) link - group->link);

        if (row->state == NTRIP_ROW_FREE || link->key == 0) {
            continue;
        }

        rows++;

        if (link->prev != NTRIP_ROW_NONE) {
            continue;
        }

        if (ntrip_group_first(group, link->key) != i) {
            return 0;
        }

        for (j = i, n = 0; ++n; j = ntrip_group_link(group, j)->next) {
            if (ntrip_group_link(group, j)->key != link->key
                || n > group->n)
            {
                return 0;
            }

            if (ntrip_group_link(group, j)->next == NTRIP_ROW_NONE) {
                break;
            }

            if (ntrip_group_link(group, ntrip_group_link(group, j)->next)
                    ->prev != j)
            {
                return 0;
            }
        }

        if (link->last != j || link->count != n) {
            return 0;
        }

        seen += n;
    }

    return rows == seen;
}


/* no ring is free and in use, or neither */

static ngx_uint_t
test_rings(void)
{
    uint32_t             i, n, *next;
    ntrip_stream_row_t  *stream;

    n = 0;
    next = (uint32_t *) ((u_char *) test_zone + test_zone->ring_next);

    for (i = test_zone->ring_free; i != NTRIP_ROW_NONE; i = next[i]) {
        if (++n > test_zone->nrings) {
            return 0;
        }
    }

    for (i = 0; i < test_zone->streams.n; i++) {
        stream = ntrip_stream_row(test_zone, i);

        if (stream->row.state != NTRIP_ROW_FREE
            && stream->ring != NTRIP_ROW_NONE)
        {
            n++;
        }
    }

    return n == test_zone->nrings;
}


static ngx_uint_t
test_derived(void)
{
    return test_group(&test_zone->users) && test_group(&test_zone->members)
           && test_group(&test_zone->places)
           && test_group(&test_zone->lines) && test_group(&test_zone->heads)
           && test_rings();
}


static void
test_plan(void)
{
    ntrip_zone_plan_t  plan;

    test_ok(ntrip_zone_plan(&plan, 64 * 1024 * 1024, 32768) == NGX_OK
            && plan.rings >= 850 && plan.sessions > 40000
            && plan.bytes <= 64 * 1024 * 1024,
            "64m: streams and sessions");

    printf("# 64m: %u streams, %u rings, %u sessions, %u leases, %u rests\n",
           plan.streams, plan.rings, plan.sessions, plan.leases, plan.rests);

    test_ok(ntrip_zone_plan(&plan, NTRIP_ZONE_MIN, 32768) == NGX_OK
            && plan.rings >= 2 && plan.streams > plan.rings,
            "the smallest zone has two rings");

    printf("# 512k: %u streams, %u sessions\n", plan.streams, plan.sessions);

    test_ok(ntrip_zone_plan(&plan, 1024 * 1024, 1024 * 1024) == NGX_DECLINED,
            "rings larger than the zone are refused");
}


static void
test_streams(void)
{
    uint64_t             me, other, wait;
    ngx_uint_t           i, n;
    ntrip_mail_t         mail;
    ntrip_want_t         want;
    ntrip_found_t        a, b, c;
    ntrip_slots_t        wake;
    ntrip_lease_row_t   *lease;

    me = test_claim_slot(1);
    other = test_claim_slot(1);
    memset(&wake, 0, sizeof(ntrip_slots_t));

    test_enter();

    test_want(&want, &mail, 10);
    test_ok(ntrip_stream_attach(test_zone, test_bus, me, 1000000, &want, &a)
            == NGX_OK && a.position == 0
            && ntrip_stream_ring(test_zone, a.index) == NULL,
            "the first rover makes a stream without an account and a ring");

    test_ok(test_lease(1000000, a.index, &a, &wake) == NGX_OK
            && a.delay == 0,
            "its owner finds an account");

    test_want(&want, &mail, 10);
    mail.point += (uint64_t) 1000000 << 32;
    test_ok(ntrip_stream_attach(test_zone, test_bus, other, 1000000, &want,
                                &b) == NGX_DONE
            && b.index == a.index && b.distance > 11000
            && b.distance < 11200,
            "one 11 km away joins it");

    test_want(&want, &mail, 11);
    test_ok(test_attach(other, 1000000, &want, &b) == NGX_OK
            && b.index != a.index && b.delay == NTRIP_HOST_PACE / 1000,
            "another place has its own, and waits for the host's turn");

    lease = ntrip_lease_find(test_zone,
                             test_accounts[a.candidate].source);
    test_ok(lease && ntrip_lease_held(test_zone, lease)
            && a.candidate != b.candidate,
            "with another account");

    test_ok(ntrip_stream_take_ring(test_zone, other, a.index, a.serial)
            == NGX_DECLINED
            && ntrip_stream_take_ring(test_zone, me, a.index, a.serial)
               == NGX_OK
            && ntrip_stream_ring(test_zone, a.index)
            && ntrip_stream_row(test_zone, a.index)->start
               == ntrip_ring_head(ntrip_stream_ring(test_zone, a.index)),
            "an owner takes a ring, which is empty");

    n = ntrip_stream_row(test_zone, a.index)->ring;

    test_ok(ntrip_stream_close(test_zone, test_bus, me, 1000000, a.index,
                               &wake) == NGX_DECLINED,
            "a stream with rovers is not closed");

    ntrip_stream_detach(test_zone, test_bus, me, 1000000, a.index, a.serial, 0,
                        &wake);
    ntrip_stream_detach(test_zone, test_bus, other, 1000000, a.index,
                        a.serial, 0, &wake);

    test_ok(ntrip_slots_has(&wake, ntrip_holder_slot(me)),
            "its owner is woken when they leave");

    test_ok(ntrip_stream_close(test_zone, test_bus, me, 1000000, a.index,
                               &wake) == NGX_OK
            && lease->row.state == NTRIP_LEASE_CLOSING
            && test_zone->ring_free == n,
            "then it is closed, its ring is free, the account waits for the "
            "FIN");

    ntrip_lease_closed(test_zone, test_bus, me,
                       test_accounts[a.candidate].source, 0, &wake);
    test_ok(ntrip_lease_find(test_zone, test_accounts[a.candidate].source)
            == NULL,
            "and is free");

    /* refusals */

    ntrip_lease_failed(test_zone, test_bus, 2000000, b.index,
                       &test_accounts[b.candidate], NTRIP_REST_REFUSED,
                       &wake);
    lease = ntrip_lease_find(test_zone, test_accounts[b.candidate].source);
    test_ok(lease->row.state == NTRIP_LEASE_IDLE
            && lease->until == 2000000 + NTRIP_REST_MIN,
            "a refused account rests a minute");

    test_ok(test_lease(2000001, b.index, &c, &wake) == NGX_OK
            && c.candidate != b.candidate,
            "another one is tried");

    ntrip_lease_failed(test_zone, test_bus, 2001000, b.index,
                       &test_accounts[c.candidate], NTRIP_REST_REFUSED,
                       &wake);
    test_ok(test_lease(2002000, b.index, &c, &wake) == NGX_AGAIN
            && c.wait > NTRIP_REST_MIN - 2000 && c.wait <= NTRIP_REST_MIN,
            "two refused within a minute: the host rests");

    test_ok(test_lease(2200000, b.index, &c, &wake) == NGX_OK,
            "until it no longer does");

    n = 0;
    for (i = 0; i < 7; i++) {
        lease = ntrip_lease_find(test_zone,
                                 test_accounts[c.candidate].source);
        wait = lease->until;
        ntrip_lease_failed(test_zone, test_bus, 3000000, b.index,
                           &test_accounts[c.candidate], NTRIP_REST_REFUSED,
                           &wake);
        n += (lease->until > wait);
    }

    test_ok(n >= 5 && lease->until == 3000000 + NTRIP_REST_MAX,
            "rests double up to an hour");

    memset(&wake, 0, sizeof(ntrip_slots_t));
    ntrip_stream_fail(test_zone, test_bus, 3000000, b.index, &wake);
    test_ok(ntrip_slots_has(&wake, ntrip_holder_slot(other)),
            "a failed stream wakes who has rovers of it");

    ntrip_stream_detach(test_zone, test_bus, other, 3000000, b.index,
                        b.serial, 0, &wake);
    test_ok(test_table(&test_zone->streams, 0), "and goes with the last");

    test_leave();

    test_release(me);
    test_release(other);
}


/* an account without a stream */

static void
test_tests(void)
{
    uint64_t             me, other, delay;
    ntrip_slots_t        wake;
    ntrip_candidate_t   *c;
    ntrip_lease_row_t   *lease;

    memset(&wake, 0, sizeof(ntrip_slots_t));

    me = test_claim_slot(1);
    other = test_claim_slot(1);
    c = &test_accounts[0];

    test_enter();

    test_ok(ntrip_lease_test(test_zone, test_bus, me, 500000, c, &delay)
            == NGX_OK && delay == 0,
            "an account is tried at once");

    test_ok(ntrip_lease_test(test_zone, test_bus, other, 500000, c, &delay)
            == NGX_AGAIN,
            "by one worker at a time");

    test_ok(ntrip_lease_test(test_zone, test_bus, other, 500000,
                             &test_accounts[1], &delay) == NGX_OK
            && delay == NTRIP_HOST_PACE / 1000,
            "another one of its host waits for its turn");

    ntrip_lease_tested(test_zone, test_bus, other, 500000, c,
                       NTRIP_REST_REFUSED, &wake);
    lease = ntrip_lease_find(test_zone, c->source);

    test_ok(lease->row.state == NTRIP_LEASE_TESTING,
            "nobody else ends a test");

    ntrip_lease_tested(test_zone, test_bus, me, 500000, c,
                       NTRIP_REST_REFUSED, &wake);

    test_ok(lease->row.state == NTRIP_LEASE_IDLE
            && lease->until == 500000 + NTRIP_REST_MIN
            && ntrip_lease_test(test_zone, test_bus, me, 510000, c, &delay)
               == NGX_OK && delay == 0,
            "a refused account rests, and is tried all the same");

    ntrip_lease_tested(test_zone, test_bus, me, 510000, c, NTRIP_REST_NONE,
                       &wake);

    test_ok(lease->row.state == NTRIP_LEASE_CLOSING && lease->failures == 0,
            "a good login is forgiven, and closed as any other");

    ntrip_lease_closed(test_zone, test_bus, me, c->source, 510000, &wake);

    test_ok(ntrip_lease_find(test_zone, c->source) == NULL, "then it is free");

    test_leave();

    test_release(other);
    test_sweep();

    lease = ntrip_lease_find(test_zone, test_accounts[1].source);

    test_ok(lease->row.state == NTRIP_LEASE_IDLE
            && lease->reason == NTRIP_REST_CRASH,
            "one whose tester has died cools");

    test_release(me);
    test_sweep();

    test_enter();
    lease->until = 0;
    test_leave();
}


/* another stream of "me" for this mountpoint, which nobody shares */

/* the login of a stream ends for the reason; in how many ms it has another
   one */

static uint64_t
test_ends(uint64_t *now, ntrip_found_t *found, ngx_uint_t reason)
{
    ntrip_slots_t  wake;

    memset(&wake, 0, sizeof(ntrip_slots_t));

    ntrip_lease_failed(test_zone, test_bus, *now, found->index,
                       &test_accounts[found->candidate], reason, &wake);

    if (test_lease(*now, found->index, found, &wake) == NGX_OK) {
        return 0;
    }

    *now += found->wait;

    if (test_lease(*now, found->index, found, &wake) != NGX_OK) {
        return NTRIP_WAIT_CALL;
    }

    return found->wait;
}


/* what rests, for whom, and until when */

static void
test_rests(void)
{
    uint64_t            me, now;
    ngx_uint_t          i, n;
    ntrip_mail_t        mail;
    ntrip_want_t        want;
    ntrip_found_t       here, there, mount;
    ntrip_slots_t       wake;
    ntrip_lease_row_t  *lease;

    memset(&wake, 0, sizeof(ntrip_slots_t));

    now = 1000000000000;
    me = test_claim_slot(1);

    test_enter();

    /* accepted and dropped: the place backs off, and nobody else */

    test_want(&want, &mail, 10);
    test_ok(test_attach(me, now, &want, &here) == NGX_OK, "a stream");

    n = 0;

    for (i = 1000; i < NTRIP_REST_SHORT; i *= 2) {
        n += (test_ends(&now, &here, NTRIP_REST_DROPPED) != i);
    }

    test_ok(n == 0, "a place rests for 1 s, and twice as long each time,");
    test_ok(test_ends(&now, &here, NTRIP_REST_DROPPED) == NTRIP_REST_SHORT
            && test_ends(&now, &here, NTRIP_REST_DROPPED) == NTRIP_REST_SHORT,
            "half a minute at most");

    ntrip_lease_failed(test_zone, test_bus, now, here.index,
                       &test_accounts[here.candidate], NTRIP_REST_DROPPED,
                       &wake);
    test_ok(test_lease(now, here.index, &here, &wake) == NGX_AGAIN
            && ntrip_stream_row(test_zone, here.index)->waiting == 0,
            "one whose place rests stands in no line");

    test_want(&want, &mail, 40);
    test_ok(test_attach(me, now, &want, &there) == NGX_OK,
            "so that another place of the mountpoint gets an account");

    for (n = 0, i = 0; i < TEST_ACCOUNTS; i++) {
        lease = ntrip_lease_find(test_zone, test_accounts[i].source);
        n += (lease && lease->until > now);
    }

    test_ok(n == 0, "and no account rests");

    /* one that comes anew is in the same place */

    test_want(&want, &mail, 10);
    want.share = NTRIP_SHARE_NONE;
    test_ok(test_attach(me, now, &want, &mount) == NGX_AGAIN
            && mount.wait == NTRIP_REST_SHORT,
            "a new stream in a place that rests waits as well");

    now += NTRIP_REST_SHORT + NTRIP_REST_MIN + 1;
    test_ok(test_lease(now, here.index, &here, &wake) == NGX_OK
            && test_ends(&now, &here, NTRIP_REST_DROPPED) == 1000,
            "what was long ago is forgotten");

    /* good, but not for long: another account at once, then back-off */

    now += NTRIP_REST_MIN + NTRIP_REST_SHORT;
    n = here.candidate;
    test_ok(test_ends(&now, &here, NTRIP_REST_BRIEF) == 0
            && here.candidate != n
            && test_ends(&now, &here, NTRIP_REST_BRIEF) == 1000
            && test_ends(&now, &here, NTRIP_REST_BRIEF) == 2000,
            "one that gave data is followed by another account, once");

    /* what is said of a mountpoint */

    test_ok(test_ends(&now, &here, NTRIP_REST_BUSY) == NTRIP_REST_FAULT
            && test_ends(&now, &here, NTRIP_REST_BUSY) == 2 * NTRIP_REST_FAULT
            && test_ends(&now, &here, NTRIP_REST_MOUNT) == NTRIP_REST_MIN,
            "a mountpoint that is busy rests, for less than one that is not "
            "there");

    /* an account: a plain close is short, and no reason for a refusal to be
       longer */

    lease = ntrip_lease_find(test_zone,
                             test_accounts[here.candidate].source);

    ntrip_lease_good(test_zone, here.index, &test_accounts[here.candidate]);

    for (i = 0; i < 3; i++) {
        ntrip_lease_failed(test_zone, test_bus, now, here.index,
                           &test_accounts[here.candidate], NTRIP_REST_LOST,
                           &wake);
    }

    test_ok(lease->until == now + 4 * NTRIP_REST_SOON,
            "one whose connection was closed rests for 1 s, doubling");

    ntrip_lease_failed(test_zone, test_bus, now, here.index,
                       &test_accounts[here.candidate], NTRIP_REST_REFUSED,
                       &wake);
    test_ok(lease->until == now + NTRIP_REST_MIN,
            "the first refusal is the first, whatever was before");

    ntrip_lease_failed(test_zone, test_bus, now, here.index,
                       &test_accounts[here.candidate], NTRIP_REST_FAILED,
                       &wake);
    test_ok(lease->until == now + NTRIP_REST_FAULT,
            "and so is the first failure after it");

    test_leave();

    test_release(me);
    test_sweep();
}


static void
test_waiter(uint64_t me, const char *mount, ntrip_found_t *found)
{
    ntrip_mail_t   mail;
    ntrip_want_t   want;

    test_want(&want, &mail, 0);

    want.share = NTRIP_SHARE_NONE;
    want.mount.data = (u_char *) mount;
    want.mount.len = strlen(mount);

    (void) ntrip_stream_attach(test_zone, test_bus, me, 1, &want, found);
}


static ngx_uint_t
test_called(ntrip_found_t *found)
{
    return ntrip_wait_called(test_zone, found->index);
}


static void
test_free(uint64_t me, ntrip_found_t *found, uint64_t now,
    ntrip_slots_t *wake)
{
    ntrip_lease_closing(test_zone, me, found->index);
    ntrip_lease_closed(test_zone, test_bus, me,
                       test_accounts[found->candidate].source, now, wake);
}


/* who gets the next account */

static void
test_waits(void)
{
    uint64_t             me, other;
    ngx_uint_t           i;
    ntrip_found_t        has[TEST_ACCOUNTS], a, b, c, d, e, f;
    ntrip_slots_t        wake;
    ntrip_rest_row_t    *rest;

    me = test_claim_slot(1);
    other = test_claim_slot(1);

    test_enter();

    memset(&wake, 0, sizeof(ntrip_slots_t));

    for (i = 0; i < TEST_ACCOUNTS; i++) {
        test_waiter(me, "LIVE", &has[i]);
        (void) test_lease(20000000, has[i].index, &has[i], &wake);
    }

    test_ok(has[TEST_ACCOUNTS - 1].delay
            == (TEST_ACCOUNTS - 1) * NTRIP_HOST_PACE / 1000,
            "each login has a turn of its own, none is refused");

    /* two lines, in the order a, b, c, d */

    test_waiter(other, "ONE", &a);
    test_waiter(me, "ONE", &b);
    test_waiter(me, "TWO", &c);
    test_waiter(me, "ONE", &d);

    test_ok(test_lease(20000000, a.index, &f, &wake) == NGX_AGAIN
            && f.wait == NTRIP_WAIT_CALL
            && test_lease(20000000, b.index, &f, &wake) == NGX_AGAIN
            && test_lease(20000000, c.index, &f, &wake) == NGX_AGAIN
            && test_lease(20000000, d.index, &f, &wake) == NGX_AGAIN
            && f.wait == NTRIP_WAIT_CALL,
            "all in use: they sleep until they are called");

    memset(&wake, 0, sizeof(ntrip_slots_t));
    test_free(me, &has[0], 20000001, &wake);

    test_ok(test_called(&a) && !test_called(&b) && !test_called(&c)
            && ntrip_slots_has(&wake, ntrip_holder_slot(other)),
            "an account is given back: the oldest is called");

    test_waiter(me, "NEW", &e);

    test_ok(test_lease(20000002, e.index, &f, &wake) == NGX_AGAIN
            && test_lease(20000002, c.index, &f, &wake) == NGX_AGAIN
            && test_lease(20000002, b.index, &f, &wake) == NGX_AGAIN,
            "younger ones that come before it leave it alone");

    test_ok(test_lease(20000003, a.index, &a, &wake) == NGX_OK
            && test_called(&b),
            "it gets it, and the next of its line is called");

    (void) test_lease(20000003, b.index, &f, &wake);

    /* one that cannot take it: its mountpoint rests */

    ntrip_lease_failed(test_zone, test_bus, 20000004, a.index,
                       &test_accounts[a.candidate], NTRIP_REST_MOUNT, &wake);

    rest = ntrip_table_find(&test_zone->rests,
                            test_accounts[0].host_mount, NULL);
    rest->until = 0;

    rest = ntrip_table_take(&test_zone->rests);
    memset((u_char *) rest + sizeof(ntrip_row_t), 0,
           sizeof(ntrip_rest_row_t) - sizeof(ntrip_row_t));
    rest->until = 20060000;
    ntrip_table_publish(&test_zone->rests, rest,
                        ntrip_hash(test_accounts[0].host,
                                   (u_char *) "ONE", 3, 0),
                        1, 0, 1);

    test_ok(test_lease(20000005, c.index, &c, &wake) == NGX_OK,
            "an older one whose mountpoint rests keeps nobody waiting");

    /* one whose owner does not answer */

    memset(&wake, 0, sizeof(ntrip_slots_t));
    test_free(me, &has[1], 20070000, &wake);

    test_ok(test_called(&b) && !test_called(&e), "called");

    ntrip_wait_tick(test_zone, test_bus, 20070000 + NTRIP_WAIT_ANSWER, &wake);

    test_ok(test_called(&d) && test_lease(20072000, d.index, &d, &wake)
            == NGX_OK,
            "no answer for a second: the next one is");

    /* the owner of the first of a line goes */

    test_free(me, &has[2], 20080000, &wake);
    (void) test_lease(20080000, e.index, &e, &wake);

    test_waiter(other, "TWO", &a);
    test_waiter(me, "TWO", &f);
    (void) test_lease(20080001, a.index, &a, &wake);
    (void) test_lease(20080001, f.index, &f, &wake);

    (void) ntrip_stream_orphan(test_zone, test_bus, other, 20080002, a.index,
                               a.serial, 0, &wake);

    test_ok(ntrip_stream_row(test_zone, a.index)->waiting
            && ntrip_stream_claim(test_zone, me, a.index, a.serial) == NGX_OK
            && ntrip_stream_row(test_zone, a.index)->waiting,
            "a stream keeps its place when its owner gives it up");

    ntrip_stream_fail(test_zone, test_bus, 20080003, a.index, &wake);

    test_ok(test_called(&f), "and the next one is called when it ends");

    test_ok(test_derived(), "lines are those of the rows");

    ntrip_wait_rebuild(test_zone);

    test_ok(test_derived(), "and when they were made anew");

    test_leave();

    test_release(me);
    test_release(other);
    test_sweep();

    test_enter();
    test_ok(test_table(&test_zone->streams, 0), "nothing stays behind");

    for (i = 0; i < test_zone->leases.n; i++) {
        ((ntrip_lease_row_t *) ntrip_table_row(&test_zone->leases, i))->until
            = 0;
    }

    test_leave();
}


/* a user with more sessions than any operation looks at */

static void
test_fleet(void)
{
    uint32_t       first, i1, i2;
    uint64_t       me, below;
    ngx_uint_t     n, kicked;
    ntrip_login_t  login;
    ntrip_slots_t  wake;

    me = test_claim_slot(1);

    memset(&wake, 0, sizeof(ntrip_slots_t));
    memset(&login, 0, sizeof(ntrip_login_t));

    ngx_str_set(&login.user, "fleet");

    test_enter();

    first = 0;

    for (n = 0; n < 500; n++) {
        login.login = 1000 + n;
        (void) ntrip_session_login(test_zone, test_bus, me, 1, &login, &i1,
                                   &below, &wake);

        if (n == 0) {
            first = i1;
        }
    }

    test_ok(test_group(&test_zone->users)
            && ntrip_group_count(&test_zone->users,
                                 ntrip_session_row(test_zone, i1)
                                     ->user_link.key) == 500,
            "500 sessions of one user");

    login.delayed = 1;
    login.max_sessions = 2;
    login.login = 2000;

    test_ok(ntrip_session_login(test_zone, test_bus, me, 1, &login, &i2,
                                &below, &wake) == NGX_OK
            && below == 1499
            && ntrip_session_superseded(test_zone, first, 1000)
            && !ntrip_session_superseded(test_zone, i1, 1499)
            && !ntrip_session_superseded(test_zone, i2, 2000),
            "two are left, whoever missed the kick can be told");

    ntrip_session_logout(test_zone, me, first, 1000);

    test_ok(ntrip_session_superseded(test_zone, first + 1, 1001),
            "also when the oldest one has gone");

    login.max_sessions = 300;
    login.login = 2001;

    kicked = ntrip_session_login(test_zone, test_bus, me, 1, &login, &i2,
                                 &below, &wake);

    test_ok(kicked == NGX_OK && below == 1001 + NTRIP_SESSION_LOOK,
            "too many to be counted at once are kicked in slices");

    test_leave();

    test_release(me);
    test_sweep();

    test_ok(test_table(&test_zone->sessions, 0), "none stays behind");
}


static void
test_sessions(void)
{
    uint32_t              i1, i2, i3;
    uint64_t              me, other, below, cursor;
    ngx_int_t             rc;
    ngx_uint_t            n;
    ntrip_kick_t          kick;
    ntrip_login_t         login;
    ntrip_slots_t         wake;
    ntrip_session_row_t   copy;

    me = test_claim_slot(1);
    other = test_claim_slot(1);
    memset(&wake, 0, sizeof(ntrip_slots_t));
    memset(&login, 0, sizeof(ntrip_login_t));

    ngx_str_set(&login.user, "rover");
    login.max_sessions = 1;
    login.login = 101;

    test_enter();

    test_ok(ntrip_session_login(test_zone, test_bus, me, 1, &login, &i1,
                                &below, &wake) == NGX_OK && below == 0,
            "a login alone kicks nobody");

    login.login = 103;
    test_ok(ntrip_session_login(test_zone, test_bus, other, 1, &login, &i2,
                                &below, &wake) == NGX_OK
            && below > 101 && below <= 103
            && ntrip_slots_has(&wake, ntrip_holder_slot(me))
            && !ntrip_slots_has(&wake, ntrip_holder_slot(other)),
            "a later one kicks it");

    login.login = 102;
    test_ok(ntrip_session_login(test_zone, test_bus, me, 1, &login, &i3,
                                &below, &wake) == NGX_DECLINED,
            "one that was overtaken gives way itself");

    test_ok(ntrip_session_superseded(test_zone, i1, 101)
            && !ntrip_session_superseded(test_zone, i2, 103),
            "and can be told so");

    test_ok(ntrip_session_peek(test_zone, i2, &copy) && copy.login == 103,
            "a list has a copy of a session");

    ntrip_session_logout(test_zone, me, i1, 101);

    test_ok(!ntrip_session_peek(test_zone, i1, &copy),
            "and none of one that is over");

    login.max_sessions = 2;
    login.login = 104;
    test_ok(ntrip_session_login(test_zone, test_bus, me, 1, &login, &i1,
                                &below, &wake) == NGX_OK && below == 0,
            "two are allowed: the second");

    login.login = 105;
    test_ok(ntrip_session_login(test_zone, test_bus, me, 1, &login, &i3,
                                &below, &wake) == NGX_OK && below == 104,
            "the third kicks the oldest only");

    login.max_sessions = 1;
    rc = NGX_OK;

    for (n = 0; n < NTRIP_KICK_LIMIT && rc == NGX_OK; n++) {
        login.login = 200 + n;
        rc = ntrip_session_login(test_zone, test_bus, me, 1000, &login, &i3,
                                 &below, &wake);
    }

    test_ok(rc == NGX_BUSY, "who kicks all the time is slowed down");

    login.delayed = 1;
    test_ok(ntrip_session_login(test_zone, test_bus, me, 6000, &login, &i3,
                                &below, &wake) == NGX_OK,
            "but let in after the delay");

    test_leave();

    cursor = ntrip_bus_kick_cursor(test_bus);
    test_lock(&test_shared->bus_lock);
    ntrip_bus_kick(test_bus, (u_char *) "rover", 5, 103);
    test_unlock(&test_shared->bus_lock);

    test_ok(ntrip_bus_kick_read(test_bus, &cursor, &kick) == NGX_OK
            && kick.below == 103 && kick.user_len == 5
            && memcmp(kick.user, "rover", 5) == 0
            && ntrip_bus_kick_read(test_bus, &cursor, &kick) == NGX_AGAIN,
            "kicks are read once");

    for (n = 0; n < NTRIP_KICKS + 1; n++) {
        ntrip_bus_kick(test_bus, (u_char *) "rover", 5, n);
    }

    test_ok(ntrip_bus_kick_read(test_bus, &cursor, &kick) == NGX_DECLINED
            && ntrip_bus_kick_read(test_bus, &cursor, &kick) == NGX_AGAIN,
            "who is overtaken is told so");

    test_release(me);
    test_release(other);
    test_sweep();
    test_ok(test_table(&test_zone->sessions, 0), "sessions of the dead go");
}


/* a worker's view of a stream that it owns */

static void
test_login_at_provider(uint64_t source)
{
    uint64_t  none;

    none = 0;

    if (!__atomic_compare_exchange_n(&test_shared->logged_in[source], &none,
                                     getpid(), 0, __ATOMIC_SEQ_CST,
                                     __ATOMIC_SEQ_CST))
    {
        __atomic_add_fetch(&test_shared->twice, 1, __ATOMIC_SEQ_CST);
    }
}


static void
test_logout_at_provider(uint64_t source)
{
    __atomic_store_n(&test_shared->logged_in[source], 0, __ATOMIC_SEQ_CST);
}


/* goes on with a stream that this worker owns, to its end */

static void
test_own(uint64_t me, uint32_t index, uint64_t serial)
{
    u_char                buf[100];
    uint64_t              source;
    ngx_int_t             rc;
    ngx_uint_t            i;
    ntrip_slots_t         wake;
    ntrip_record_t        rec;
    ntrip_stream_row_t   *stream;

    static ngx_str_t  label = ngx_string("account@host");

    stream = ntrip_stream_row(test_zone, index);
    source = stream->source;

    test_login_at_provider(source);

    test_enter();
    rc = ntrip_stream_take_ring(test_zone, me, index, serial);
    ntrip_stream_live(test_zone, index, &label);
    test_leave();

    if (rc != NGX_OK) {
        __atomic_add_fetch(&test_shared->bad, 1, __ATOMIC_SEQ_CST);
        return;
    }

    memset(&rec, 0, sizeof(ntrip_record_t));
    rec.len = sizeof(buf);
    memset(buf, 1, sizeof(buf));
    memset(&wake, 0, sizeof(ntrip_slots_t));

    for (i = 0; i < 5; i++) {
        if (!ntrip_stream_owned(test_zone, me, index, serial)) {
            __atomic_add_fetch(&test_shared->bad, 1, __ATOMIC_SEQ_CST);
        }

        (void) ntrip_ring_write(ntrip_stream_ring(test_zone, index), &rec,
                                buf);
        ntrip_stream_mark(test_zone, test_bus, index, &wake);
    }

    sched_yield();

    test_enter();
    ntrip_stream_detach(test_zone, test_bus, me, test_now(), index, serial, 0,
                        &wake);
    rc = ntrip_stream_close(test_zone, test_bus, me, test_now(), index, &wake);

    if (rc == NGX_DECLINED) {

        /* somebody else has rovers: they have to be closed, or claim it */

        test_logout_at_provider(source);
        ntrip_lease_failed(test_zone, test_bus, test_now(), index,
                           &test_accounts[source - 1], NTRIP_REST_FOREIGN,
                           &wake);

        if (random() % 2) {
            ntrip_stream_fail(test_zone, test_bus, test_now(), index, &wake);

        } else {
            (void) ntrip_stream_orphan(test_zone, test_bus, me, test_now(),
                                       index, serial, 0, &wake);
        }

        test_leave();
        return;
    }

    test_leave();

    test_logout_at_provider(source);

    test_enter();
    ntrip_lease_closed(test_zone, test_bus, me, source, test_now(), &wake);
    test_leave();
}


/* the owner of a stream without an account, with its own bit set */

static void
test_begin(uint64_t me, uint32_t index, uint64_t serial)
{
    ngx_int_t      rc;
    ngx_uint_t     i;
    ntrip_found_t  found;
    ntrip_slots_t  wake;

    memset(&wake, 0, sizeof(ntrip_slots_t));

    for (i = 0; i < 50; i++) {
        test_enter();
        ntrip_wait_tick(test_zone, test_bus, test_now(), &wake);
        rc = test_lease(test_now(), index, &found, &wake);
        test_leave();

        if (rc == NGX_OK) {
            test_own(me, index, serial);
            return;
        }

        sched_yield();
    }

    __atomic_add_fetch(&test_shared->waited, 1, __ATOMIC_SEQ_CST);

    test_enter();
    ntrip_stream_detach(test_zone, test_bus, me, test_now(), index, serial, 0,
                        &wake);

    if (random() % 2) {
        ntrip_stream_fail(test_zone, test_bus, test_now(), index, &wake);

    } else {
        (void) ntrip_stream_orphan(test_zone, test_bus, me, test_now(), index,
                                   serial, 0, &wake);
    }

    test_leave();
}


static void
test_rejoin(uint64_t me, ntrip_found_t *found)
{
    uint32_t              index;
    uint64_t              serial;
    ngx_int_t             rc;
    ngx_uint_t            i;
    ntrip_slots_t         wake;
    ntrip_stream_row_t   *stream;

    index = found->index;
    serial = found->serial;
    stream = ntrip_stream_row(test_zone, index);
    memset(&wake, 0, sizeof(ntrip_slots_t));

    for (i = 0; i < 200; i++) {
        sched_yield();

        if (stream->row.state != NTRIP_STREAM_ORPHAN) {
            continue;
        }

        test_enter();

        rc = ntrip_stream_claim(test_zone, me, index, serial);

        test_leave();

        if (rc == NGX_OK) {
            __atomic_add_fetch(&test_shared->claimed, 1, __ATOMIC_SEQ_CST);
            test_begin(me, index, serial);
            return;
        }
    }

    test_enter();
    ntrip_stream_detach(test_zone, test_bus, me, test_now(), index, serial, 0,
                        &wake);
    test_leave();
}


static void
test_worker(ngx_uint_t seed)
{
    u_char         user[2];
    uint32_t       index;
    uint64_t       me, below;
    ngx_int_t      rc;
    ntrip_mail_t   mail;
    ntrip_want_t   want;
    ntrip_found_t  found;
    ntrip_login_t  login;
    ntrip_slots_t  wake;

    srandom(seed);

    me = test_claim_slot(1);

    if (me == 0) {
        _exit(2);
    }

    test_sweep();

    for ( ;; ) {
        test_sweep();

        memset(&login, 0, sizeof(ntrip_login_t));
        memset(&wake, 0, sizeof(ntrip_slots_t));

        user[0] = 'a' + random() % TEST_USERS;
        login.user.data = user;
        login.user.len = 1;
        login.max_sessions = 1;
        login.delayed = 1;
        login.login = ntrip_bus_next_login(test_bus);

        test_enter();
        rc = ntrip_session_login(test_zone, test_bus, me, test_now(), &login,
                                 &index, &below, &wake);
        test_leave();

        if (rc != NGX_OK) {
            continue;
        }

        __atomic_add_fetch(&test_shared->logins, 1, __ATOMIC_SEQ_CST);

        if (below) {
            test_lock(&test_shared->bus_lock);
            ntrip_bus_kick(test_bus, user, 1, below);
            test_unlock(&test_shared->bus_lock);
        }

        test_want(&want, &mail, random() % TEST_STREAMS);
        want.session = index;
        want.login = login.login;

        test_enter();
        rc = ntrip_stream_attach(test_zone, test_bus, me, test_now(), &want,
                                 &found);
        test_leave();

        if (rc == NGX_OK) {
            __atomic_add_fetch(&test_shared->attached, 1, __ATOMIC_SEQ_CST);
            test_begin(me, found.index, found.serial);

        } else if (rc == NGX_DONE) {
            __atomic_add_fetch(&test_shared->joined, 1, __ATOMIC_SEQ_CST);
            test_rejoin(me, &found);
        }

        test_enter();
        ntrip_session_logout(test_zone, me, index, login.login);
        test_leave();
    }
}


/* what nginx's master and the kernel do for a worker that was killed */

static void
test_reap(pid_t pid)
{
    uint64_t    word;
    ngx_uint_t  i;

    waitpid(pid, NULL, 0);

    for (i = 1; i <= TEST_ACCOUNTS; i++) {
        word = pid;
        (void) __atomic_compare_exchange_n(&test_shared->logged_in[i], &word,
                                           0, 0, __ATOMIC_SEQ_CST,
                                           __ATOMIC_SEQ_CST);
    }

    word = pid;
    (void) __atomic_compare_exchange_n(&test_shared->zone_lock, &word, 0, 0,
                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
    word = pid;
    (void) __atomic_compare_exchange_n(&test_shared->bus_lock, &word, 0, 0,
                                       __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);

    for (i = 0; i < NTRIP_SLOTS; i++) {
        if (test_bus->slots[i].holder
            && test_bus->slots[i].pid == (uint64_t) pid)
        {
            test_release(test_bus->slots[i].holder);
        }
    }
}


/* is it within the lock?  With one CPU it is hardly ever seen there. */

static ngx_uint_t
test_catch(pid_t pid)
{
    ngx_uint_t  tries;

    for (tries = 0; tries < 100000; tries++) {
        if (__atomic_load_n(&test_shared->zone_lock, __ATOMIC_ACQUIRE)
            == (uint64_t) pid)
        {
            return 1;
        }
    }

    return 0;
}


static void
test_kills(void)
{
    pid_t       pids[TEST_WORKERS];
    uint32_t    i;
    ngx_uint_t  k, n, held;

    for (n = 0; n < TEST_WORKERS; n++) {
        pids[n] = fork();

        if (pids[n] == 0) {
            test_worker(n + 1);
        }
    }

    /* until everything that is to be seen has happened */

    for (k = 0;
         k < TEST_KILLS
         || (k < TEST_KILLS_MAX
             && (test_shared->claimed < TEST_RARE
                 || test_zone->rebuilds < TEST_RARE
                 || test_shared->attached < TEST_KILLS
                 || test_shared->joined < TEST_KILLS));
         k++)
    {
        usleep(1000 + k * 37 % 5000);

        n = k % TEST_WORKERS;

        /* every other one within the lock */

        if (k % 2 == 0 || test_catch(pids[n])) {
            kill(pids[n], SIGKILL);

        } else {
            __atomic_store_n(&test_shared->victim, (uint64_t) pids[n],
                             __ATOMIC_RELEASE);
        }

        test_reap(pids[n]);
        __atomic_store_n(&test_shared->victim, 0, __ATOMIC_RELEASE);

        pids[n] = fork();

        if (pids[n] == 0) {
            test_worker(k + 100);
        }
    }

    for (n = 0; n < TEST_WORKERS; n++) {
        kill(pids[n], SIGKILL);
        test_reap(pids[n]);
    }

    test_sweep();

    printf("# %llu logins, %llu streams, %llu joined, %llu claimed, "
           "%llu waited in vain, %llu rebuilds\n",
           (unsigned long long) test_shared->logins,
           (unsigned long long) test_shared->attached,
           (unsigned long long) test_shared->joined,
           (unsigned long long) test_shared->claimed,
           (unsigned long long) test_shared->waited,
           (unsigned long long) test_zone->rebuilds);

    test_ok(test_shared->attached >= TEST_KILLS
            && test_shared->joined >= TEST_KILLS
            && test_shared->claimed >= TEST_RARE
            && test_zone->rebuilds >= TEST_RARE,
            "they all did their work, and some died within the lock");

    test_ok(test_shared->twice == 0, "no account was ever logged in twice");
    test_ok(test_shared->bad == 0, "no living owner was robbed");

    test_enter();
    test_leave();

    held = 0;

    for (i = 0; i < test_zone->leases.n; i++) {
        held += (((ntrip_row_t *) ntrip_table_row(&test_zone->leases, i))
                 ->state > NTRIP_LEASE_IDLE);
    }

    test_ok(held == 0, "no lease stays behind");
    test_ok(test_table(&test_zone->sessions, 0), "no session stays behind");
    test_ok(test_table(&test_zone->streams, 0), "no stream stays behind");
    test_ok(test_table(&test_zone->leases, test_zone->leases.used)
            && test_table(&test_zone->rests, test_zone->rests.used)
            && test_derived(),
            "lists, chains and groups are those of the rows");

    for (i = 0, n = 0; i < NTRIP_SLOTS; i++) {
        n += (test_bus->slots[i].holder != 0);
    }

    test_ok(n == 0, "no slot stays behind");
}


static void
test_offers(void)
{
    uint64_t             giver, heir, nonce;
    ntrip_mail_t         mail;
    ntrip_want_t         want;
    ntrip_found_t        found;
    ntrip_slots_t        wake;
    ntrip_sweep_t        sweep;
    ntrip_lease_row_t   *lease;
    ntrip_stream_row_t  *stream;

    static ngx_str_t  label = ngx_string("account@host");

    giver = test_claim_slot(1);
    heir = test_claim_slot(2);

    test_ok(ntrip_bus_successor(test_bus, 64, 1, 0) == heir
            && ntrip_bus_successor(test_bus, 64, 2, 0) == 0,
            "the successor is a worker of a newer generation");

    memset(&wake, 0, sizeof(ntrip_slots_t));
    test_want(&want, &mail, 1);

    test_enter();

    (void) test_attach(giver, 10000000, &want, &found);
    ntrip_stream_live(test_zone, found.index, &label);
    stream = ntrip_stream_row(test_zone, found.index);
    nonce = ntrip_bus_next_serial(test_bus);

    test_ok(ntrip_stream_accept(test_zone, heir, found.index, found.serial,
                                nonce) == NGX_DECLINED,
            "what was not offered is not taken");

    ntrip_row_offer(&stream->row, heir, nonce, 10000000);

    test_ok(ntrip_row_offered(&stream->row, heir, found.serial, nonce)
            && !ntrip_row_offered(&stream->row, giver, found.serial, nonce)
            && !ntrip_row_offered(&stream->row, heir, found.serial - 1, nonce)
            && !ntrip_row_offered(&stream->row, heir, found.serial, nonce - 1),
            "an offer is its heir's, of one use of the row, under one nonce");

    test_ok(ntrip_row_withdraw(&stream->row, giver, nonce) == NGX_OK
            && ntrip_stream_accept(test_zone, heir, found.index,
                                   found.serial, nonce) == NGX_DECLINED
            && ntrip_stream_owned(test_zone, giver, found.index,
                                  found.serial),
            "what was withdrawn neither");

    nonce = ntrip_bus_next_serial(test_bus);
    ntrip_row_offer(&stream->row, heir, nonce, 10000000);

    test_ok(ntrip_row_decline(&stream->row, giver, found.serial, nonce)
            == NGX_DECLINED
            && ntrip_row_decline(&stream->row, heir, found.serial, nonce)
               == NGX_OK
            && stream->row.heir == 0
            && ntrip_stream_accept(test_zone, heir, found.index,
                                   found.serial, nonce) == NGX_DECLINED
            && ntrip_stream_owned(test_zone, giver, found.index,
                                  found.serial),
            "what was declined neither, and only its heir declines");

    nonce = ntrip_bus_next_serial(test_bus);
    ntrip_row_offer(&stream->row, heir, nonce, 10000000);

    test_ok(ntrip_stream_rejoin(test_zone, heir, found.index, found.serial)
            == NGX_OK
            && ntrip_stream_accept(test_zone, heir, found.index,
                                   found.serial, nonce) == NGX_OK
            && ntrip_row_withdraw(&stream->row, giver, nonce) == NGX_DECLINED
            && ntrip_stream_owned(test_zone, heir, found.index, found.serial),
            "an offer that was taken is not withdrawn");

    lease = ntrip_lease_find(test_zone,
                             test_accounts[found.candidate].source);
    test_ok(ntrip_lease_held(test_zone, lease), "the lease came along");

    /* back to one that dies with the offer out */

    nonce = ntrip_bus_next_serial(test_bus);
    ntrip_row_offer(&stream->row, giver, nonce, 10000000);

    test_leave();

    test_release(heir);
    memset(&sweep, 0, sizeof(ntrip_sweep_t));
    test_enter();

    while (ntrip_zone_sweep(test_zone, test_bus, 10000500, &sweep, &wake)
           == NGX_AGAIN)
    {
        /* void */
    }

    test_ok(stream->row.state == NTRIP_STREAM_LIVE
            && ntrip_lease_held(test_zone, lease)
            && ntrip_bus_sweep_due(test_bus),
            "a dead giver's offer stands for a while");

    test_ok(ntrip_stream_accept(test_zone, giver, found.index, found.serial,
                                nonce) == NGX_OK,
            "and can be taken");

    nonce = ntrip_bus_next_serial(test_bus);
    ntrip_row_offer(&stream->row, heir, nonce, 10001000);
    test_leave();

    test_release(giver);
    test_sweep();

    test_ok(test_table(&test_zone->streams, 0)
            && lease->row.state == NTRIP_LEASE_IDLE,
            "both dead: nothing stays behind");
}


static void
test_messages(void)
{
    ntrip_handover_t  msg;

    memset(&msg, 0, sizeof(ntrip_handover_t));
    msg.magic = NTRIP_HANDOVER_MAGIC;
    msg.type = NTRIP_HANDOVER_ROVER;
    msg.nfds = 1;
    msg.len = 100;

    test_ok(ntrip_handover_check(&msg, ntrip_handover_size(&msg), 1)
            == NGX_OK,
            "a message is one");

    test_ok(ntrip_handover_check(&msg, ntrip_handover_size(&msg) - 1, 1)
            == NGX_ERROR
            && ntrip_handover_check(&msg, ntrip_handover_size(&msg), 0)
               == NGX_ERROR
            && ntrip_handover_check(&msg, 8, 1) == NGX_ERROR,
            "cut off, or without its descriptor, it is none");

    msg.len = NTRIP_HANDOVER_DATA + 1;

    test_ok(ntrip_handover_size(&msg) == NGX_ERROR, "too much is refused");
}


/* what is out of the question by its latitude is so by its distance */

static void
test_beyond(void)
{
    double         d;
    int32_t        lat[2];
    ngx_uint_t     i, n, wrong, beyond;
    ntrip_point_t  p[2];

    srandom(4711);
    wrong = 0;
    beyond = 0;

    for (i = 0; i < 100000; i++) {

        /* anywhere, and near to each other */

        for (n = 0; n < 2; n++) {
            lat[n] = (n && i % 2) ? lat[0] / 100 * 99
                                  : (int32_t) (random() % 1800000000
                                               - 900000000);
            p[n] = ntrip_point(lat[n],
                               (int32_t) (random() % 1200 - 600)
                               * (i % 4 ? 3000000 : 0));
        }

        d = ntrip_point_distance(p[0], p[1]);

        wrong += ntrip_point_beyond(p[0], p[1], d);
        wrong += ntrip_point_aside(p[0], p[1], ntrip_point_reach(p[0], d));
        beyond += ntrip_point_beyond(p[0], p[1], 30000);
    }

    test_ok(wrong == 0, "no point is beyond its distance");
    test_ok(beyond > 50000, "latitudes tell most of them apart");

    test_ok(!ntrip_point_beyond(ntrip_point(900000000, 0),
                                ntrip_point(-900000000, 0), 12713505)
            && ntrip_point_beyond(ntrip_point(484000000, 0),
                                  ntrip_point(480000000, 0), 27000)
            && !ntrip_point_beyond(ntrip_point(484000000, 0),
                                   ntrip_point(480000000, 0), 30000),
            "from pole to pole, and next door");

    test_ok(ntrip_point_aside(ntrip_point(480000000, 10000000),
                              ntrip_point(480000000, 20000000),
                              ntrip_point_reach(p[0] = ntrip_point(480000000,
                                                                   0),
                                                30000))
            && !ntrip_point_aside(ntrip_point(0, 1799999999),
                                  ntrip_point(0, -1799999999),
                                  ntrip_point_reach(ntrip_point(0, 0), 30)),
            "from east to west, and over the date line");

    test_ok(ntrip_point_beyond(NTRIP_POINT_NONE, p[0], 30000),
            "no position is no neighbour");
}


int
main(void)
{
    ngx_uint_t         i;
    ntrip_zone_plan_t  plan;

    setvbuf(stdout, NULL, _IONBF, 0);

    test_shared = mmap(NULL, sizeof(test_shared_t), PROT_READ|PROT_WRITE,
                       MAP_ANON|MAP_SHARED, -1, 0);
    test_zone = mmap(NULL, TEST_ZONE, PROT_READ|PROT_WRITE,
                     MAP_ANON|MAP_SHARED, -1, 0);

    if (test_shared == MAP_FAILED || test_zone == MAP_FAILED
        || ntrip_zone_plan(&plan, TEST_ZONE, 4096) != NGX_OK)
    {
        perror("cannot set up");
        return 1;
    }

    test_bus = &test_shared->bus;
    ntrip_bus_init(test_bus, 0x1234567890abcdefULL);
    ntrip_zone_init(test_zone, &plan);

    for (i = 0; i < TEST_ACCOUNTS; i++) {
        test_accounts[i].source = i + 1;
        test_accounts[i].host = 77;
        test_accounts[i].host_mount = 78;
    }

    test_plan();
    test_tests();
    test_streams();
    test_waits();
    test_sessions();
    test_fleet();
    test_offers();
    test_messages();
    test_beyond();
    test_rests();

    /* each account at a host of its own, or the pace is what is tested */

    for (i = 0; i < TEST_ACCOUNTS; i++) {
        test_accounts[i].host = 1000 + i;
        test_accounts[i].host_mount = 2000 + i;
    }

    test_kills();

    printf("1..%u\n", (unsigned) test_n);

    return test_failed != 0;
}
