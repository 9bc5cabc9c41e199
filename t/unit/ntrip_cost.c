/*
 * sources: ntrip_zone.c ntrip_table.c ntrip_group.c ntrip_bus.c ntrip_ring.c
 *          ntrip_latest.c ntrip_mailbox.c ntrip_stream.c ntrip_lease.c
 *          ntrip_wait.c ntrip_usage.c ntrip_session.c ntrip_turn.c
 *          ntrip_gga.c ntrip_text.c
 * libs: -lm
 * sanitizer: none
 */

/*
 * Fieldgate: what each operation on the shared state costs while it holds the
 * lock, with 50,000 sessions, 1,000 streams and 10,000 accounts, all arranged
 * as badly as they can be.  The verdict is a count of instructions, in a child
 * that is stepped through; microseconds are shown only.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_zone.h"

#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>


#define TEST_ZONE      (112 * 1024 * 1024)
#define TEST_SESSIONS  50000
#define TEST_STREAMS   1000
#define TEST_ACCOUNTS  10000
#define TEST_NOW       1000000
#define TEST_RUNS      3             /* the quickest is shown */

/* 100 us at one a nanosecond */
#define TEST_LIMIT     100000


typedef struct {
    const char    *name;
    void         (*run)(void);
} test_operation_t;


static ngx_uint_t          test_n;
static ngx_uint_t          test_failed;
static ntrip_bus_t        *test_bus;
static ntrip_zone_t       *test_zone;
static uint64_t           *test_done;
static size_t              test_bytes;
static uint64_t            test_me;
static uint32_t            test_fleet;      /* a session in the middle */
static ntrip_found_t       test_found;      /* the stream with all sessions */
static ntrip_found_t       test_head;       /* the oldest that waits */
static ntrip_found_t       test_last;       /* the newest, with a line of its
                                               own */
static ntrip_slots_t       test_wake;
static ntrip_candidate_t   test_accounts[TEST_ACCOUNTS];


static void
test_ok(ngx_uint_t ok, const char *name)
{
    printf("%sok %u - %s\n", ok ? "" : "not ", (unsigned) ++test_n, name);

    if (!ok) {
        test_failed++;
    }
}


static double
test_time(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return ts.tv_sec * 1e6 + ts.tv_nsec / 1e3;
}


static void
test_login(const char *user, ngx_uint_t max, uint32_t *index)
{
    uint64_t       below;
    ntrip_login_t  login;

    memset(&login, 0, sizeof(ntrip_login_t));

    login.user.data = (u_char *) user;
    login.user.len = strlen(user);
    login.login = ntrip_bus_next_login(test_bus);
    login.addr = (u_char *) "0123456789012345";
    login.addr_len = 16;
    login.max_sessions = max;
    login.delayed = 1;

    (void) ntrip_session_login(test_zone, test_bus, test_me, TEST_NOW,
                               &login, index, &below, &test_wake);
}


static ngx_int_t
test_attach(const char *mount, uint32_t i, ntrip_found_t *found)
{
    ntrip_mail_t  mail;
    ntrip_want_t  want;

    memset(&mail, 0, sizeof(ntrip_mail_t));
    memset(&want, 0, sizeof(ntrip_want_t));

    /* along one parallel: no latitude tells them apart */

    mail.point = ntrip_point(480000000, (int32_t) (i * 3000000 - 1500000000));

    want.mount.data = (u_char *) mount;
    want.mount.len = strlen(mount);
    ngx_str_set(&want.pool, "default");
    want.share = 10000;
    want.mail = &mail;
    want.login = 1;
    want.session = NTRIP_ROW_NONE;
    want.gga = 1;

    return ntrip_stream_attach(test_zone, test_bus, test_me, TEST_NOW, &want,
                               found);
}


static ngx_int_t
test_slice(ntrip_found_t *found, ngx_uint_t from)
{
    ntrip_found_t      f;
    ntrip_wait_look_t  look;

    memset(&look, 0, sizeof(ntrip_wait_look_t));

    return ntrip_stream_lease(test_zone, test_bus, TEST_NOW, found->index,
                              &look, test_accounts + from, NTRIP_WAIT_SLICE,
                              &f, &test_wake);
}


/* one user has all sessions, one stream all rovers, one mountpoint nearly all
   streams; all accounts are in use, and the rest of the streams wait */

static void
test_fill(void)
{
    char           mount[16];
    uint32_t       i, index;
    uint64_t       delay;
    ntrip_found_t  found;

    for (i = 0; i < TEST_STREAMS - NTRIP_WAIT_LOOK; i++) {
        (void) test_attach("M", i, &found);

        if (i == 0) {
            test_found = found;
        }
    }

    for (i = 0; i < TEST_ACCOUNTS; i++) {
        test_accounts[i].source = i + 1;
        test_accounts[i].host = 1 + i % 100;
        test_accounts[i].host_mount = ntrip_hash(test_accounts[i].host,
                                                 (u_char *) "M", 1, 0);

        (void) ntrip_lease_test(test_zone, test_bus, test_me, TEST_NOW,
                                &test_accounts[i], &delay);
    }

    for (i = 0; i < NTRIP_WAIT_LOOK; i++) {
        (void) sprintf(mount, "W%u", (unsigned) i);
        (void) test_attach(mount, i, &found);
        (void) test_slice(&found, 0);

        if (i == 0) {
            test_head = found;
        }

        test_last = found;
    }

    for (i = 0; i < TEST_SESSIONS; i++) {
        test_login("fleet", 0, &index);

        ntrip_session_row(test_zone, index)->position =
                                 ntrip_point(480000000 + i % 1000, i % 1000);
        ntrip_session_join(test_zone, index,
                           ntrip_session_row(test_zone, index)->login,
                           test_found.index, test_found.serial);

        if (i == TEST_SESSIONS / 2) {
            test_fleet = index;
        }
    }

    ntrip_stream_row(test_zone, test_found.index)->reference =
                                                     ntrip_point(470000000, 0);
}


/* ---- operations ---- */

static void
test_run_login(void)
{
    uint32_t  index;

    test_login("fleet", 0, &index);
}


static void
test_run_lowered(void)
{
    uint32_t  index;

    test_login("fleet", 1, &index);
}


static void
test_run_halved(void)
{
    uint32_t  index;

    test_login("fleet", TEST_SESSIONS / 2, &index);
}


static void
test_run_logout(void)
{
    ntrip_session_logout(test_zone, test_me, test_fleet,
                         ntrip_session_row(test_zone, test_fleet)->login);
}


static void
test_run_superseded(void)
{
    (void) ntrip_session_superseded(test_zone, test_fleet,
                                    ntrip_session_row(test_zone, test_fleet)
                                        ->login);
}


static void
test_run_kick(void)
{
    uint64_t   below;
    ngx_str_t  user = ngx_string("fleet");

    (void) ntrip_session_kick(test_zone, test_bus, &user, &below, &test_wake);
}


static void
test_run_part(void)
{
    ntrip_session_part(test_zone, test_fleet,
                       ntrip_session_row(test_zone, test_fleet)->login);
}


static void
test_run_elect(void)
{
    ntrip_stream_row(test_zone, test_found.index)->lead = 0;

    (void) ntrip_stream_elect(test_zone, test_bus, test_found.index);
}


static void
test_run_join(void)
{
    ntrip_found_t  found;

    (void) test_attach("M", 0, &found);
}


static void
test_run_new(void)
{
    ntrip_found_t  found;

    (void) test_attach("new", 0, &found);
}


static void
test_run_in_use(void)
{
    (void) test_slice(&test_head, 64);
}


/* as many are free as are in a slice, and older ones wait for each */

static void
test_run_left_alone(void)
{
    ngx_uint_t  i;

    for (i = 0; i < NTRIP_WAIT_SLICE; i++) {
        ntrip_lease_find(test_zone, i + 1)->row.state = NTRIP_LEASE_IDLE;
    }

    test_zone->frees++;

    (void) test_slice(&test_last, 0);
}


static void
test_run_closed(void)
{
    ntrip_lease_find(test_zone, 1)->row.state = NTRIP_LEASE_CLOSING;

    ntrip_lease_closed(test_zone, test_bus, test_me, 1, TEST_NOW, &test_wake);
}


static void
test_run_failed(void)
{
    ntrip_lease_failed(test_zone, test_bus, TEST_NOW, test_found.index,
                       &test_accounts[0], NTRIP_REST_REFUSED, &test_wake);
}


static void
test_run_tick(void)
{
    test_zone->frees++;

    ntrip_wait_tick(test_zone, test_bus, TEST_NOW, &test_wake);
}


static void
test_run_orphan(void)
{
    (void) ntrip_stream_orphan(test_zone, test_bus, test_me, TEST_NOW,
                               test_head.index, test_head.serial, 0,
                               &test_wake);
}


/* everybody is dead, and it is the step that is given */

static void
test_run_sweep(ngx_uint_t stage)
{
    ntrip_sweep_t  sweep;

    test_bus->slots[ntrip_holder_slot(test_me)].holder = 0;

    memset(&sweep, 0, sizeof(ntrip_sweep_t));
    sweep.stage = stage;
    sweep.next = NTRIP_SWEEP_STEP;

    (void) ntrip_zone_sweep(test_zone, test_bus, TEST_NOW, &sweep,
                            &test_wake);

    test_bus->slots[ntrip_holder_slot(test_me)].holder = test_me;
}


static void
test_run_sweep_sessions(void)
{
    test_run_sweep(0);
}


static void
test_run_sweep_streams(void)
{
    test_run_sweep(1);
}


static void
test_run_sweep_leases(void)
{
    test_run_sweep(2);
}


static void
test_run_clear(void)
{
    uint32_t  next;

    next = NTRIP_SWEEP_STEP;

    (void) ntrip_zone_clear_slot(test_zone, test_bus, TEST_NOW, 9, &next,
                                 &test_wake);
}


static const test_operation_t  test_operations[] = {
    { "superseded", test_run_superseded },
    { "election, 50,000 rovers", test_run_elect },
    { "leaves a stream of 50,000", test_run_part },
    { "login, 50,000 sessions of the user", test_run_login },
    { "login, max_sessions lowered to half", test_run_halved },
    { "login, max_sessions lowered to 1", test_run_lowered },
    { "logout, 50,000 sessions of the user", test_run_logout },
    { "kick of 50,000", test_run_kick },
    { "joins one of 936 streams", test_run_join },
    { "a new stream", test_run_new },
    { "looks at a slice of accounts", test_run_in_use },
    { "leaves a slice to older ones", test_run_left_alone },
    { "an account is given back", test_run_closed },
    { "an account was refused", test_run_failed },
    { "calls", test_run_tick },
    { "gives a stream up", test_run_orphan },
    { "clears a slot, one step", test_run_clear },
    { "sweeps accounts, one step", test_run_sweep_leases },
    { "sweeps sessions, one step", test_run_sweep_sessions },
    { "sweeps streams, one step", test_run_sweep_streams }
};


/* all but the rings, which nobody touches */

static void
test_copy(ntrip_zone_t *to, ntrip_zone_t *from)
{
    memcpy(to, from, sizeof(ntrip_zone_t));
    memcpy((u_char *) to + to->ring_next, (u_char *) from + to->ring_next,
           test_bytes - to->ring_next);
}


/* how many instructions it takes */

static ngx_uint_t
test_count(const test_operation_t *op)
{
    int         status;
    pid_t       pid;
    ngx_uint_t  n;

    *test_done = 0;

    pid = fork();

    if (pid == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1) {
            _exit(3);
        }

        raise(SIGSTOP);

        op->run();

        __atomic_store_n(test_done, 1, __ATOMIC_SEQ_CST);
        raise(SIGSTOP);
        _exit(0);
    }

    if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status)) {
        return NGX_MAX_UINT32_VALUE;
    }

    for (n = 0; !*test_done && n <= TEST_LIMIT; n++) {
        if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) == -1
            || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
        {
            n = NGX_MAX_UINT32_VALUE - 1;
        }
    }

    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);

    return n;
}


int
main(void)
{
    double             t, best;
    ntrip_zone_t      *copy;
    ngx_uint_t         i, n;
    ntrip_zone_plan_t  plan;

    setvbuf(stdout, NULL, _IONBF, 0);

    test_bus = mmap(NULL, sizeof(ntrip_bus_t), PROT_READ|PROT_WRITE,
                    MAP_ANON|MAP_SHARED, -1, 0);
    test_zone = mmap(NULL, 2 * TEST_ZONE, PROT_READ|PROT_WRITE,
                     MAP_ANON|MAP_SHARED, -1, 0);
    test_done = mmap(NULL, sizeof(uint64_t), PROT_READ|PROT_WRITE,
                     MAP_ANON|MAP_SHARED, -1, 0);

    if (test_bus == MAP_FAILED || test_zone == MAP_FAILED
        || test_done == MAP_FAILED
        || ntrip_zone_plan(&plan, TEST_ZONE, 32768) != NGX_OK)
    {
        perror("cannot set up");
        return 1;
    }

    ntrip_bus_init(test_bus, 0x1234567890abcdefULL);
    ntrip_zone_init(test_zone, &plan);

    test_me = ntrip_bus_claim(test_bus, 8, 1, 1, 1);

    test_fill();

    test_ok(test_zone->sessions.used == TEST_SESSIONS
            && test_zone->streams.used == TEST_STREAMS
            && test_zone->leases.used == TEST_ACCOUNTS,
            "50,000 sessions, 1,000 streams, 10,000 accounts");

    test_bytes = plan.bytes;
    copy = (ntrip_zone_t *) ((u_char *) test_zone + TEST_ZONE);
    test_copy(copy, test_zone);

    for (i = 0; i < sizeof(test_operations) / sizeof(test_operation_t); i++) {
        best = 0;

        for (n = 0; n < TEST_RUNS; n++) {
            t = test_time();
            test_operations[i].run();
            t = test_time() - t;

            best = (n == 0 || t < best) ? t : best;

            test_copy(test_zone, copy);
        }

        n = test_count(&test_operations[i]);

        test_copy(test_zone, copy);

        printf("# %s: %u instructions, %.1f us\n", test_operations[i].name,
               (unsigned) n, best);

        test_ok(n < TEST_LIMIT, test_operations[i].name);
    }

    test_zone->busy = 1;

    t = test_time();
    (void) ntrip_zone_enter(test_zone);
    t = test_time() - t;

    printf("# lists made anew: %.1f ms\n", t / 1000);

    printf("1..%u\n", (unsigned) test_n);

    return test_failed != 0;
}
