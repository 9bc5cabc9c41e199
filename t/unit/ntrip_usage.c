
/*
 * sources: ntrip_usage.c ntrip_zone.c ntrip_bus.c ntrip_table.c ntrip_group.c
 *          ntrip_ring.c ntrip_latest.c ntrip_mailbox.c ntrip_session.c
 *          ntrip_stream.c ntrip_lease.c ntrip_wait.c ntrip_turn.c
 *          ntrip_gga.c ntrip_text.c
 * libs: -lm
 */

/*
 * Fieldgate: what was used comes into the database once: sessions that come,
 * grow and go, workers that write and die, and transactions that fail, in
 * random order against a plain model.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_zone.h"

#include <stdio.h>
#include <stdlib.h>

#include "unit/tap.h"


#define TEST_ZONE      NTRIP_ZONE_MIN
#define TEST_WORKERS   3
#define TEST_USERS     6
#define TEST_SESSIONS  12
#define TEST_DAYS      4
#define TEST_STEPS     300000


typedef enum {
    TEST_NONE = 0,
    TEST_COLLECT,
    TEST_TAKE,
    TEST_WRITE,
    TEST_WRITTEN
} test_step_e;


/* a session, as its worker sees it */

typedef struct {
    ngx_uint_t           user;
    uint32_t             index;
    uint64_t             login;       /* 0: none */
    uint64_t             bytes;
} test_session_t;


/* who writes, with what a thread has */

typedef struct {
    test_step_e          step;
    uint32_t             walk;
    uint32_t             next;
    ngx_uint_t           more;
    uint64_t             batch;
    ngx_uint_t           n;
    ntrip_usage_item_t   items[NTRIP_USAGE_BATCH];
} test_writer_t;


static ntrip_bus_t     *test_bus;
static ntrip_zone_t    *test_zone;
static uint64_t         test_me[TEST_WORKERS];
static uint64_t         test_now;
static uint64_t         test_day;
static test_session_t   test_sessions[TEST_SESSIONS];
static test_writer_t    test_writers[TEST_WORKERS];

/* the database, and what has to be in it in the end */

static uint64_t         test_number;
static ntrip_usage_t    test_written[TEST_USERS];
static ntrip_usage_t    test_used[TEST_USERS];

static ngx_uint_t       test_commits;
static uint64_t         test_seconds;
static ngx_uint_t       test_repeated;
static ngx_uint_t       test_deaths;


static void
test_name(ngx_str_t *name, ngx_uint_t user)
{
    static u_char  names[TEST_USERS][4];

    name->data = names[user];
    name->len = sprintf((char *) names[user], "u%d", (int) user);
}


static void
test_login(test_session_t *s)
{
    uint64_t       below;
    ntrip_login_t  login;
    ntrip_slots_t  wake;

    ngx_memzero(&login, sizeof(ntrip_login_t));
    ngx_memzero(&wake, sizeof(ntrip_slots_t));

    s->user = random() % TEST_USERS;
    s->bytes = 0;

    test_name(&login.user, s->user);
    login.login = ntrip_bus_next_login(test_bus);

    if (ntrip_session_login(test_zone, test_bus, test_me[0], test_now, &login,
                            &s->index, &below, &wake)
        == NGX_OK)
    {
        s->login = login.login;
        test_used[s->user].sessions++;
    }
}


static void
test_session(test_session_t *s)
{
    uint64_t  more;

    if (s->login == 0) {
        test_login(s);
        return;
    }

    if (random() % 4 == 0) {
        ntrip_session_logout(test_zone, test_me[0], s->index, s->login);
        s->login = 0;
        return;
    }

    more = random() % 1000;
    s->bytes += more;
    test_used[s->user].bytes += more;

    ntrip_session_row(test_zone, s->index)->bytes = s->bytes;
}


/* whole seconds, so that nothing is rounded */

static void
test_time(void)
{
    ngx_uint_t  i, seconds;

    seconds = random() % 20;
    test_now += seconds * 1000;
    test_day += (random() % 1000 == 0);

    ntrip_usage_clock(test_zone, test_now, test_day);

    for (i = 0; i < TEST_SESSIONS; i++) {
        if (test_sessions[i].login) {
            test_used[test_sessions[i].user].seconds += seconds;
        }
    }
}


/* SQLite's side: all of it, and its number, or nothing */

static void
test_commit(test_writer_t *w)
{
    ngx_uint_t           i, user;
    ntrip_usage_item_t  *item;

    if (test_number >= w->batch) {
        test_repeated++;
        return;
    }

    for (i = 0; i < w->n; i++) {
        item = &w->items[i];
        user = item->name[1] - '0';

        test_written[user].sessions += item->used.sessions;
        test_written[user].seconds += item->used.seconds;
        test_written[user].bytes += item->used.bytes;
    }

    test_number = w->batch;
    test_commits++;
}


static void
test_die(ngx_uint_t i)
{
    ntrip_bus_release(test_bus, test_me[i]);
    test_me[i] = ntrip_bus_claim(test_bus, 8, getpid(), 1, 1);

    test_writers[i].step = TEST_NONE;
    test_deaths++;
}


static void
test_end(ngx_uint_t i, uint64_t wait)
{
    ntrip_usage_end(test_zone, test_me[i], test_now + wait);
    test_writers[i].step = TEST_NONE;
}


/* one lock hold of a worker, or one transaction */

static void
test_write(ngx_uint_t i, ngx_uint_t calm)
{
    ngx_int_t       rc;
    test_writer_t  *w;

    w = &test_writers[i];

    switch (w->step) {

    case TEST_NONE:
        if (ntrip_usage_begin(test_zone, test_bus, test_me[i]) == NGX_OK) {
            w->step = TEST_COLLECT;
            w->walk = 0;
        }

        return;

    case TEST_COLLECT:
        rc = ntrip_usage_collect(test_zone, &w->walk);

        if (rc != NGX_AGAIN) {
            w->more = (rc == NGX_OK);
            w->step = TEST_TAKE;
            w->next = 0;
            w->n = 0;
        }

        return;

    case TEST_TAKE:
        rc = ntrip_usage_take(test_zone, &w->next, w->items, &w->n);
        w->batch = test_zone->meter.batch;

        if (rc == NGX_OK) {
            w->step = TEST_WRITE;

        } else if (rc == NGX_DONE && w->more) {
            w->step = TEST_COLLECT;
            w->next = 0;

        } else if (rc == NGX_DONE) {
            test_end(i, calm ? 0 : NTRIP_USAGE_PERIOD);
        }

        return;

    case TEST_WRITE:
        if (!calm && random() % 4 == 0) {
            test_end(i, 5000);
            return;
        }

        test_commit(w);
        w->step = TEST_WRITTEN;
        w->next = 0;

        /* nobody notes that it is written */

        if (!calm && random() % 16 == 0) {
            test_die(i);
        }

        return;

    default: /* TEST_WRITTEN */
        if (ntrip_usage_written(test_zone, &w->next) == NGX_OK) {
            w->step = TEST_TAKE;
            w->n = 0;
        }
    }
}


static ngx_uint_t
test_same(void)
{
    return memcmp(test_used, test_written, sizeof(test_used)) == 0;
}


static void
test_drain(void)
{
    ngx_uint_t  i;

    for (i = 0; i < TEST_WORKERS; i++) {
        test_die(i);
    }

    test_now += 2 * NTRIP_USAGE_PERIOD;

    for (i = 0; i < TEST_SESSIONS; i++) {
        if (test_sessions[i].login) {
            test_used[test_sessions[i].user].seconds +=
                                                2 * NTRIP_USAGE_PERIOD / 1000;
        }
    }

    ntrip_usage_clock(test_zone, test_now, test_day);

    for (i = 0; i < 1000; i++) {
        test_write(1, 1);
    }
}


static void
test_random(void)
{
    ngx_uint_t  n, i, wrong;

    wrong = 0;

    for (n = 0; n < TEST_STEPS; n++) {

        switch (random() % 8) {

        case 0:
        case 1:
            test_session(&test_sessions[random() % TEST_SESSIONS]);
            break;

        case 2:
            if (random() % 8 == 0) {
                test_time();
            }

            break;

        case 3:
            if (random() % 8 == 0) {
                test_die(1 + random() % (TEST_WORKERS - 1));
            }

            break;

        default:
            test_write(1 + random() % (TEST_WORKERS - 1), 0);
        }

        for (i = 0; i < TEST_USERS; i++) {
            wrong += test_written[i].bytes > test_used[i].bytes
                     || test_written[i].seconds > test_used[i].seconds
                     || test_written[i].sessions > test_used[i].sessions;
        }
    }

    tap_ok(wrong == 0, "%d random steps: never more than was used",
           TEST_STEPS);

    test_drain();

    tap_ok(test_same(), "and in the end all of it");
    tap_ok(test_zone->meter.lost == 0 && test_zone->usage.used == 0,
           "nothing is left in the zone");
    tap_ok(test_commits > 500 && test_repeated > 20 && test_deaths > 1000,
           "%d batches, %d of them twice, %d deaths", (int) test_commits,
           (int) test_repeated, (int) test_deaths);
}


static void
test_pending(void)
{
    ngx_str_t      name;
    ntrip_usage_t  used, before;

    test_name(&name, test_sessions[0].user);

    while (test_sessions[0].login == 0) {
        test_login(&test_sessions[0]);
        test_name(&name, test_sessions[0].user);
    }

    ntrip_usage_pending(test_zone, test_bus, &name, &before);

    ntrip_session_row(test_zone, test_sessions[0].index)->bytes += 500;
    test_now += 3000;
    ntrip_usage_clock(test_zone, test_now, test_day);

    ntrip_usage_pending(test_zone, test_bus, &name, &used);

    tap_ok(used.bytes == before.bytes + 500
           && used.seconds >= before.seconds + 3,
           "a quota knows what is not written yet");

    ntrip_session_logout(test_zone, test_me[0], test_sessions[0].index,
                         test_sessions[0].login);
    ntrip_usage_pending(test_zone, test_bus, &name, &used);

    tap_ok(used.bytes == before.bytes + 500, "and what has ended");
}


/* what yesterday has left, which is another row */

static void
test_yesterday(void)
{
    ngx_str_t        name;
    ntrip_usage_t    used;
    ntrip_counted_t  counted;

    name.data = (u_char *) "late";
    name.len = 4;

    ntrip_usage_start(test_zone, &counted, 0);
    (void) ntrip_usage_count(test_zone, NTRIP_USAGE_USER, &name, &counted, 70,
                             1);
    ntrip_usage_clock(test_zone, test_now, ++test_day);
    ntrip_usage_pending(test_zone, test_bus, &name, &used);

    tap_ok(used.bytes == 70 && used.sessions == 1,
           "a quota knows what is not written yet of yesterday");

    ntrip_usage_start(test_zone, &counted, 0);
    (void) ntrip_usage_count(test_zone, NTRIP_USAGE_USER, &name, &counted, 5,
                             1);
    ntrip_usage_pending(test_zone, test_bus, &name, &used);

    tap_ok(used.bytes == 75 && used.sessions == 2, "and of today");

    ntrip_usage_clock(test_zone, test_now, ++test_day);
    ntrip_usage_pending(test_zone, test_bus, &name, &used);

    tap_ok(used.bytes == 5 && used.sessions == 1,
           "but of no day before, whose batch is long due");
}


/* writes all that there is: holds of the lock, and *batches */

static ngx_uint_t
test_write_all(ngx_uint_t *batches)
{
    uint32_t             next;
    ngx_int_t            rc;
    ngx_uint_t           i, n, holds;
    ntrip_usage_item_t   items[NTRIP_USAGE_BATCH];

    next = 0;
    holds = 0;
    *batches = 0;

    for ( ;; ) {
        n = 0;

        do {
            rc = ntrip_usage_take(test_zone, &next, items, &n);
            holds++;
        } while (rc == NGX_AGAIN);

        if (rc == NGX_DONE) {
            return holds;
        }

        for (i = 0; i < n; i++) {
            test_seconds += items[i].used.seconds;
        }

        (*batches)++;
        next = 0;

        do {
            rc = ntrip_usage_written(test_zone, &next);
            holds++;
        } while (rc == NGX_AGAIN);
    }
}


static void
test_sweep(ntrip_sweep_t *sweep)
{
    ntrip_slots_t  wake;

    memset(sweep, 0, sizeof(ntrip_sweep_t));
    memset(&wake, 0, sizeof(wake));

    while (ntrip_zone_sweep(test_zone, test_bus, test_now, sweep, &wake)
           == NGX_AGAIN)
    {
        /* void */
    }
}


/* a worker dies, and with it sessions of three times as many users as the table
   has room for */

static void
test_mass_death(void)
{
    char           text[16];
    uint32_t       i, n, index;
    uint64_t       below, lost;
    ngx_uint_t     batches, passes, holds, most;
    ntrip_login_t  login;
    ntrip_slots_t  wake;
    ntrip_sweep_t  sweep;

    test_sweep(&sweep);
    (void) test_write_all(&batches);

    n = 3 * test_zone->usage.n;
    lost = test_zone->meter.lost;

    for (i = 0; i < n; i++) {
        ngx_memzero(&login, sizeof(ntrip_login_t));
        ngx_memzero(&wake, sizeof(ntrip_slots_t));

        login.user.data = (u_char *) text;
        login.user.len = sprintf(text, "m%d", (int) i);
        login.login = ntrip_bus_next_login(test_bus);

        if (ntrip_session_login(test_zone, test_bus, test_me[1], test_now,
                                &login, &index, &below, &wake)
            != NGX_OK)
        {
            break;
        }

        ntrip_session_row(test_zone, index)->bytes = 7;
    }

    tap_ok(i == n, "%d users are logged in", (int) i);

    test_die(1);
    most = 0;
    test_seconds = 0;

    for (passes = 0, i = 0; passes < 20 && i < n; passes++) {
        test_sweep(&sweep);
        i += sweep.swept;

        /* the database takes nothing for an hour */

        test_now += 3600 * 1000;
        ntrip_usage_clock(test_zone, test_now, test_day);

        holds = test_write_all(&batches);
        most = ngx_max(most, holds);
    }

    tap_ok(i == n && passes > 2, "all of them end, in %d sweeps",
           (int) passes);
    tap_ok(test_zone->meter.lost == lost, "and nothing of it is lost");
    tap_ok(test_seconds <= n, "nor is anybody's time longer than it was: %d s",
           (int) test_seconds);

    i = test_zone->usage.n / NTRIP_SWEEP_STEP;
    batches = test_zone->usage.n / NTRIP_USAGE_BATCH;

    tap_ok(most <= 2 * (i + batches + 2), "%d holds for %d batches",
           (int) most, (int) batches);
}


/* users that are too many for the table */

static void
test_full(void)
{
    char             text[8];
    uint32_t         i, lost;
    ngx_str_t        name;
    ntrip_counted_t  counted;

    lost = 0;

    for (i = 0; i < 2 * test_zone->usage.n; i++) {
        name.data = (u_char *) text;
        name.len = sprintf(text, "x%d", (int) i);

        ntrip_usage_start(test_zone, &counted, 0);
        lost += ntrip_usage_count(test_zone, NTRIP_USAGE_STATION, &name,
                                  &counted, 10, 1)
                != NGX_OK;
    }

    tap_ok(lost >= test_zone->usage.n && test_zone->meter.lost == lost,
           "a full table says what it has lost");

    i = 0;
    tap_ok(ntrip_usage_collect(test_zone, &i) == NGX_OK && i == 0,
           "and is written before anything is added that goes on");
}


int
main(void)
{
    ngx_uint_t         i;
    ntrip_zone_plan_t  plan;

    srandom(1);

    test_bus = aligned_alloc(64, ngx_align(sizeof(ntrip_bus_t), 64));
    test_zone = aligned_alloc(64, TEST_ZONE);

    if (test_bus == NULL || test_zone == NULL
        || ntrip_zone_plan(&plan, TEST_ZONE, 8192) != NGX_OK)
    {
        printf("Bail out! no zone\n");
        return 1;
    }

    memset(test_bus, 0, sizeof(ntrip_bus_t));
    memset(test_zone, 0, TEST_ZONE);

    ntrip_bus_init(test_bus, 12345);
    ntrip_zone_init(test_zone, &plan);

    for (i = 0; i < TEST_WORKERS; i++) {
        test_me[i] = ntrip_bus_claim(test_bus, 8, getpid(), 1, 1);
    }

    test_now = 1000000;
    test_day = 20000;
    ntrip_usage_clock(test_zone, test_now, test_day);

    test_random();
    test_pending();
    test_yesterday();
    test_mass_death();
    test_full();

    free(test_zone);
    free(test_bus);

    return tap_done();
}
