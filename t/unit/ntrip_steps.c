/*
 * sources: ntrip_zone.c ntrip_table.c ntrip_bus.c ntrip_ring.c ntrip_latest.c
 *          ntrip_mailbox.c ntrip_stream.c ntrip_lease.c ntrip_usage.c
 *          ntrip_session.c ntrip_turn.c ntrip_group.c ntrip_wait.c
 *          ntrip_gga.c ntrip_text.c
 * libs: -lm
 * sanitizer: none
 */

/*
 * Fieldgate: death at every instruction within the lock.  A child does one
 * operation, step by step.  After each instruction that has changed the
 * shared memory its copy is what a kill would have left at this point: its
 * worker is declared dead there, somebody else enters, sweeps, and looks
 * whether all is well.
 */


#include "tap.h"

#include "ntrip_zone.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>


#define TEST_ZONE      NTRIP_ZONE_MIN
#define TEST_ACCOUNTS  4
#define TEST_NOW       1000000
#define TEST_STEPS     2000000


typedef struct {
    ntrip_bus_t       bus;
    uint64_t          done;
    u_char            zone[TEST_ZONE] __attribute__((aligned(64)));
} test_memory_t;


typedef struct {
    const char       *name;
    void            (*prepare)(void);
    void            (*run)(void);
} test_operation_t;


static test_memory_t     *test_live;
static test_memory_t     *test_copy;
static test_memory_t     *test_start;
static ntrip_bus_t       *test_bus;
static ntrip_zone_t      *test_zone;
static ntrip_candidate_t  test_accounts[TEST_ACCOUNTS];

static uint64_t           test_me;
static uint64_t           test_other;
static uint32_t           test_session;
static ntrip_found_t      test_found;
static ntrip_mail_t       test_mail;
static ntrip_want_t       test_want;
static ntrip_login_t      test_login;
static ntrip_slots_t      test_wake;

static ngx_str_t          test_label = ngx_string("account@host");


static void
test_use(test_memory_t *memory)
{
    test_bus = &memory->bus;
    test_zone = (ntrip_zone_t *) memory->zone;
}


/* its own account, or none; and what comes next */

static ngx_int_t
test_lease(uint32_t index, uint64_t now, ntrip_found_t *found)
{
    ntrip_wait_look_t  look;

    memset(&look, 0, sizeof(ntrip_wait_look_t));

    return ntrip_stream_lease(test_zone, test_bus, now, index, &look,
                              test_accounts, TEST_ACCOUNTS, found,
                              &test_wake);
}


static ngx_int_t
test_attach(uint64_t me, ngx_uint_t place, uint64_t now)
{
    ngx_int_t  rc;

    test_mail.point = ntrip_point(place * 10000000, 0);

    ngx_str_set(&test_want.mount, "RTCM32");
    ngx_str_set(&test_want.pool, "default");
    test_want.share = 30000;
    test_want.mail = &test_mail;
    test_want.login = 1;
    test_want.session = NTRIP_ROW_NONE;
    test_want.gga = 1;

    rc = ntrip_stream_attach(test_zone, test_bus, me, now, &test_want,
                             &test_found);

    if (rc != NGX_OK) {
        return rc;
    }

    rc = test_lease(test_found.index, now, &test_found);

    (void) ntrip_stream_take_ring(test_zone, me, test_found.index,
                                  test_found.serial);

    return (rc == NGX_OK || rc == NGX_AGAIN) ? NGX_OK : rc;
}


static ngx_int_t
test_enter_session(uint64_t me, uint64_t number)
{
    uint64_t  below;

    ngx_str_set(&test_login.user, "rover");
    ngx_str_set(&test_login.agent, "NTRIP test");
    test_login.addr = (u_char *) "address";
    test_login.addr_len = 7;
    test_login.max_sessions = 1;
    test_login.login = number;

    return ntrip_session_login(test_zone, test_bus, me, TEST_NOW,
                               &test_login, &test_session, &below,
                               &test_wake);
}


/* operations of "me", and what is there before */

static void
test_nothing(void)
{
}


static void
test_run_reserve(void)
{
    (void) test_attach(test_me, 1, TEST_NOW);
}


static void
test_with_other(void)
{
    (void) test_attach(test_other, 1, TEST_NOW);
    ntrip_stream_live(test_zone, test_found.index, &test_label);
}


static void
test_with_own(void)
{
    test_run_reserve();
    ntrip_stream_live(test_zone, test_found.index, &test_label);
}


static void
test_with_both(void)
{
    test_with_own();
    (void) test_attach(test_other, 1, TEST_NOW);
}


static void
test_run_close(void)
{
    ntrip_stream_detach(test_zone, test_bus, test_me, TEST_NOW,
                        test_found.index, test_found.serial, 0, &test_wake);
    (void) ntrip_stream_close(test_zone, test_bus, test_me, TEST_NOW,
                              test_found.index, &test_wake);
}


static void
test_run_detach(void)
{
    ntrip_stream_detach(test_zone, test_bus, test_me, TEST_NOW,
                        test_found.index, test_found.serial, 0, &test_wake);
}


static void
test_run_orphan(void)
{
    ntrip_lease_failed(test_zone, test_bus, TEST_NOW, test_found.index,
                       &test_accounts[test_found.candidate],
                       NTRIP_REST_FOREIGN, &test_wake);
    (void) ntrip_stream_orphan(test_zone, test_bus, test_me, TEST_NOW,
                               test_found.index, test_found.serial, 0,
                               &test_wake);
}


static void
test_run_failed(void)
{
    ntrip_lease_failed(test_zone, test_bus, TEST_NOW, test_found.index,
                       &test_accounts[test_found.candidate],
                       NTRIP_REST_REFUSED, &test_wake);
    (void) test_lease(test_found.index, TEST_NOW + 1, &test_found);
}


static void
test_run_fail(void)
{
    ntrip_lease_failed(test_zone, test_bus, TEST_NOW, test_found.index,
                       &test_accounts[test_found.candidate],
                       NTRIP_REST_MOUNT, &test_wake);
    ntrip_stream_fail(test_zone, test_bus, TEST_NOW, test_found.index,
                      &test_wake);
}


static void
test_closing(void)
{
    test_with_own();
    test_run_close();
}


static void
test_run_closed(void)
{
    ntrip_lease_closed(test_zone, test_bus, test_me,
                       test_accounts[test_found.candidate].source, TEST_NOW,
                       &test_wake);
}


/* the other one's, which has died, while we have rovers */

static void
test_orphan(void)
{
    uint32_t       next;
    ntrip_sweep_t  sweep;

    test_with_other();
    (void) test_attach(test_me, 1, TEST_NOW);
    (void) ntrip_bus_release(test_bus, test_other);

    memset(&sweep, 0, sizeof(ntrip_sweep_t));

    while (ntrip_zone_sweep(test_zone, test_bus, TEST_NOW, &sweep,
                            &test_wake) == NGX_AGAIN)
    {
        /* void */
    }

    test_other = ntrip_bus_claim(test_bus, 8, 3, 1, 1);
    next = 0;

    while (ntrip_zone_clear_slot(test_zone, test_bus, TEST_NOW,
                                 ntrip_holder_slot(test_other), &next,
                                 &test_wake) == NGX_AGAIN)
    {
        /* void */
    }
}


static void
test_run_claim(void)
{
    (void) ntrip_stream_claim(test_zone, test_me, test_found.index,
                              test_found.serial);
    (void) test_lease(test_found.index, TEST_NOW + 1, &test_found);
}


static void
test_run_test(void)
{
    uint64_t  delay;

    (void) ntrip_lease_test(test_zone, test_bus, test_me, TEST_NOW,
                            &test_accounts[0], &delay);
}


static void
test_run_tested(void)
{
    ntrip_lease_tested(test_zone, test_bus, test_me, TEST_NOW,
                       &test_accounts[0], NTRIP_REST_NONE, &test_wake);
}


/* the other one's streams have all accounts, and one of them waits */

static void
test_with_none_free(void)
{
    ngx_uint_t  i;

    for (i = 0; i <= TEST_ACCOUNTS; i++) {
        (void) test_attach(test_other, 10 + i, TEST_NOW);
    }
}


static void
test_run_wait(void)
{
    (void) test_attach(test_me, 1, TEST_NOW);
}


/* ours waits, and behind it another one */

static void
test_waiting(void)
{
    ntrip_found_t  found;

    test_with_none_free();

    ntrip_stream_fail(test_zone, test_bus, TEST_NOW, test_found.index,
                      &test_wake);

    (void) test_attach(test_me, 1, TEST_NOW);
    found = test_found;
    (void) test_attach(test_other, 2, TEST_NOW);
    test_found = found;

    /* an account is given back */

    ntrip_lease_closing(test_zone, test_other, 0);
    ntrip_lease_closed(test_zone, test_bus, test_other, 1, TEST_NOW,
                       &test_wake);
}


static void
test_run_look(void)
{
    (void) test_lease(test_found.index, TEST_NOW, &test_found);
}


static void
test_run_login(void)
{
    (void) test_enter_session(test_me, 20);
}


static void
test_with_session(void)
{
    (void) test_enter_session(test_other, 10);
}


static void
test_with_own_session(void)
{
    (void) test_enter_session(test_me, 10);
}


static void
test_run_logout(void)
{
    ntrip_session_logout(test_zone, test_me, test_session, 10);
}


static void
test_offered(void)
{
    test_with_other();
    (void) ntrip_stream_rejoin(test_zone, test_me, test_found.index,
                               test_found.serial);
    ntrip_row_offer(&ntrip_stream_row(test_zone, test_found.index)->row,
                    test_me, 77, TEST_NOW);
}


static void
test_run_accept(void)
{
    (void) ntrip_stream_accept(test_zone, test_me, test_found.index,
                               test_found.serial, 77);
}


/* rows of a third one that has died; "me" dies while it sweeps */

static void
test_dead_third(void)
{
    uint64_t  third;

    third = ntrip_bus_claim(test_bus, 8, 4, 1, 1);

    (void) test_attach(third, 1, TEST_NOW);
    (void) test_attach(test_other, 1, TEST_NOW);
    (void) test_attach(third, 2, TEST_NOW);
    (void) test_enter_session(third, 10);
    ntrip_session_join(test_zone, test_session, 10, test_found.index,
                       test_found.serial);
    (void) ntrip_bus_release(test_bus, third);
}


static void
test_run_sweep(void)
{
    ntrip_sweep_t  sweep;

    memset(&sweep, 0, sizeof(ntrip_sweep_t));

    while (ntrip_zone_sweep(test_zone, test_bus, TEST_NOW, &sweep,
                            &test_wake) == NGX_AGAIN)
    {
        /* void */
    }
}


static const test_operation_t  test_operations[] = {
    { "reserve a stream", test_nothing, test_run_reserve },
    { "join a stream", test_with_other, test_run_reserve },
    { "leave another's stream", test_with_both, test_run_detach },
    { "close a stream", test_with_own, test_run_close },
    { "account refused, next one", test_with_both, test_run_failed },
    { "stream fails", test_with_both, test_run_fail },
    { "connection closed", test_closing, test_run_closed },
    { "test an account", test_nothing, test_run_test },
    { "a test is over", test_run_test, test_run_tested },
    { "give a stream up", test_with_both, test_run_orphan },
    { "begin to wait", test_with_none_free, test_run_wait },
    { "get what was waited for", test_waiting, test_run_look },
    { "stop waiting", test_waiting, test_run_close },
    { "claim an orphan", test_orphan, test_run_claim },
    { "login", test_with_session, test_run_login },
    { "logout", test_with_own_session, test_run_logout },
    { "accept an offer", test_offered, test_run_accept },
    { "sweep", test_dead_third, test_run_sweep }
};


/* NULL, or what is wrong */

static const char *
test_table(ntrip_table_t *table)
{
    uint32_t      i, n;
    ngx_uint_t    found;
    ntrip_row_t  *row, *r;

    n = 0;

    for (i = table->free; i != NTRIP_ROW_NONE; i = row->next) {
        row = ntrip_table_row(table, i);

        if (row->state != NTRIP_ROW_FREE || ++n > table->n) {
            return "free list";
        }
    }

    if (n + table->used != table->n) {
        return "count";
    }

    for (i = 0, n = 0; i < table->n; i++) {
        row = ntrip_table_row(table, i);

        if (row->state == NTRIP_ROW_FREE) {
            continue;
        }

        n++;
        found = 0;

        for (r = ntrip_table_find(table, row->hash, NULL);
             r;
             r = ntrip_table_find(table, row->hash, r))
        {
            found += (r == row);
        }

        if (found != 1) {
            return "chain";
        }
    }

    return (n == table->used) ? NULL : "rows";
}


static const char *
test_group(ntrip_group_t *group)
{
    uint32_t       i, j, n, rows, seen;
    ntrip_row_t   *row;
    ntrip_link_t  *link, *next;

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
            return "first of a group";
        }

        for (j = i, n = 1; n <= group->n; n++) {
            next = ntrip_group_link(group, j);

            if (next->key != link->key) {
                return "group of others";
            }

            if (next->next == NTRIP_ROW_NONE) {
                break;
            }

            if (ntrip_group_link(group, next->next)->prev != j) {
                return "way back in a group";
            }

            j = next->next;
        }

        if (link->last != j || link->count != n) {
            return "end of a group";
        }

        seen += n;
    }

    return (rows == seen) ? NULL : "row outside its group";
}


static const char *
test_derived(void)
{
    uint32_t             i, n, *next;
    const char          *bad;
    ntrip_stream_row_t  *stream;

    if ((bad = test_group(&test_zone->users)) != NULL
        || (bad = test_group(&test_zone->members)) != NULL
        || (bad = test_group(&test_zone->places)) != NULL
        || (bad = test_group(&test_zone->lines)) != NULL
        || (bad = test_group(&test_zone->heads)) != NULL)
    {
        return bad;
    }

    n = 0;
    next = (uint32_t *) ((u_char *) test_zone + test_zone->ring_next);

    for (i = test_zone->ring_free; i != NTRIP_ROW_NONE; i = next[i]) {
        if (++n > test_zone->nrings) {
            return "free rings";
        }
    }

    for (i = 0; i < test_zone->streams.n; i++) {
        stream = ntrip_stream_row(test_zone, i);

        if (stream->row.state == NTRIP_ROW_FREE) {
            continue;
        }

        n += (stream->ring != NTRIP_ROW_NONE);

        if ((stream->waiting != 0) != (stream->line.key != 0)
            || (stream->head.key != 0)
               != (stream->waiting && stream->line.prev == NTRIP_ROW_NONE))
        {
            return "line of those that wait";
        }
    }

    return (n == test_zone->nrings) ? NULL : "rings";
}


static const char *
test_rows(ngx_uint_t *streams)
{
    uint32_t              i, n;
    ntrip_lease_row_t    *lease;
    ntrip_stream_row_t   *stream;
    ntrip_session_row_t  *session;

    for (i = 0; i < test_zone->sessions.n; i++) {
        session = ntrip_session_row(test_zone, i);

        if (session->row.state != NTRIP_ROW_FREE
            && !ntrip_bus_alive(test_bus, session->row.holder))
        {
            return "session of a dead worker";
        }
    }

    *streams = 0;

    for (i = 0; i < test_zone->streams.n; i++) {
        stream = ntrip_stream_row(test_zone, i);

        if (stream->row.state == NTRIP_ROW_FREE) {
            continue;
        }

        (*streams)++;

        if (stream->slots[0]
            & ~((uint64_t) 1 << ntrip_holder_slot(test_other)))
        {
            return "bit of a dead worker";
        }

        if (ntrip_bus_alive(test_bus, stream->row.holder)) {
            continue;
        }

        if (stream->row.state != NTRIP_STREAM_ORPHAN
            && stream->row.state != NTRIP_STREAM_FAILED)
        {
            return "stream of a dead worker";
        }

        if (stream->slots[0] == 0) {
            return "stream that nobody wants";
        }
    }

    for (i = 0, n = 0; i < test_zone->leases.n; i++) {
        lease = ntrip_table_row(&test_zone->leases, i);

        if (lease->row.state == NTRIP_LEASE_CLOSING
            || lease->row.state == NTRIP_LEASE_TESTING
            || (lease->row.state == NTRIP_LEASE_HELD
                && !ntrip_lease_held(test_zone, lease)))
        {
            return "lease without a holder";
        }

        n += (lease->row.state == NTRIP_LEASE_HELD);
    }

    for (i = 0; i < test_zone->streams.n; i++) {
        stream = ntrip_stream_row(test_zone, i);

        if (stream->row.state != NTRIP_ROW_FREE && stream->source) {
            lease = ntrip_lease_find(test_zone, stream->source);

            if (lease == NULL || !ntrip_lease_held(test_zone, lease)) {
                return "stream without the lease that it names";
            }

            n--;
        }
    }

    return n ? "lease that no stream names" : NULL;
}


/* what the others find when "me" dies at this point */

static const char *
test_recover(void)
{
    ngx_uint_t      streams;
    const char     *bad;
    ntrip_sweep_t   sweep;

    (void) ntrip_bus_release(test_bus, test_me);

    memset(&sweep, 0, sizeof(ntrip_sweep_t));

    (void) ntrip_zone_enter(test_zone);

    while (ntrip_zone_sweep(test_zone, test_bus,
                            TEST_NOW + NTRIP_OFFER_TIMEOUT, &sweep,
                            &test_wake) == NGX_AGAIN)
    {
        /* void */
    }

    if ((bad = test_table(&test_zone->streams)) != NULL
        || (bad = test_table(&test_zone->sessions)) != NULL
        || (bad = test_table(&test_zone->leases)) != NULL
        || (bad = test_table(&test_zone->rests)) != NULL
        || (bad = test_derived()) != NULL
        || (bad = test_rows(&streams)) != NULL)
    {
        return bad;
    }

    /* and go on working: a place of its own, then one that is full */

    if (test_attach(test_other, 40, TEST_NOW + 10 * NTRIP_REST_MIN) != NGX_OK
        || ntrip_stream_row(test_zone, test_found.index)->row.holder
           != test_other
        || test_enter_session(test_other, 1000) != NGX_OK)
    {
        return "no work after it";
    }

    ntrip_zone_leave(test_zone);

    return (test_rows(&streams) == NULL) ? NULL : "rows after more work";
}


static void
test_child(const test_operation_t *op)
{
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1) {
        _exit(3);
    }

    raise(SIGSTOP);

    (void) ntrip_zone_enter(test_zone);
    op->run();
    ntrip_zone_leave(test_zone);

    __atomic_store_n(&test_live->done, 1, __ATOMIC_SEQ_CST);

    for ( ;; ) {
        pause();
    }
}


static void
test_operation(const test_operation_t *op)
{
    int          status;
    pid_t        pid;
    uint64_t     me, other;
    ngx_uint_t   steps, changes;
    const char  *bad;
    ntrip_found_t  found;

    memcpy(test_live, test_start, sizeof(test_memory_t));
    test_use(test_live);

    test_me = ntrip_bus_claim(test_bus, 8, 1, 1, 1);
    test_other = ntrip_bus_claim(test_bus, 8, 2, 1, 1);

    (void) ntrip_zone_enter(test_zone);
    op->prepare();
    ntrip_zone_leave(test_zone);

    me = test_me;
    other = test_other;
    found = test_found;

    pid = fork();

    if (pid == 0) {
        test_child(op);
    }

    bad = NULL;
    steps = 0;
    changes = 0;

    if (waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status)) {
        tap_ok(0, "a child can be traced");
        return;
    }

    memcpy(test_copy, test_live, sizeof(test_memory_t));

    while (!test_live->done && steps++ < TEST_STEPS) {
        if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) == -1
            || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
        {
            bad = "the child is gone";
            break;
        }

        if (memcmp(test_copy->zone, test_live->zone, TEST_ZONE) == 0) {
            continue;
        }

        changes++;

        memcpy(test_copy, test_live, sizeof(test_memory_t));
        test_use(test_copy);

        bad = test_recover();

        test_found = found;
        test_use(test_live);

        if (bad) {
            break;
        }

        /* what recovery has changed is not to be taken for a change */

        memcpy(test_copy, test_live, sizeof(test_memory_t));
    }

    kill(pid, SIGKILL);
    waitpid(pid, &status, 0);

    test_me = me;
    test_other = other;

    printf("# %s: %u instructions, %u changes%s%s\n", op->name,
           (unsigned) steps, (unsigned) changes, bad ? ": " : "",
           bad ? bad : "");

    tap_ok(bad == NULL && test_live->done && changes > 0, "%s", op->name);
}


int
main(void)
{
    ngx_uint_t          i;
    test_memory_t      *memory;
    ntrip_zone_plan_t   plan;

    setvbuf(stdout, NULL, _IONBF, 0);

    memory = mmap(NULL, 3 * sizeof(test_memory_t), PROT_READ|PROT_WRITE,
                  MAP_ANON|MAP_SHARED, -1, 0);

    if (memory == MAP_FAILED
        || ntrip_zone_plan(&plan, TEST_ZONE, 4096) != NGX_OK)
    {
        perror("cannot set up");
        return 1;
    }

    test_live = &memory[0];
    test_copy = &memory[1];
    test_start = &memory[2];

    test_use(test_start);
    ntrip_bus_init(test_bus, 0x1234567890abcdefULL);
    ntrip_zone_init(test_zone, &plan);

    for (i = 0; i < TEST_ACCOUNTS; i++) {
        test_accounts[i].source = i + 1;
        test_accounts[i].host = 77;
        test_accounts[i].host_mount = 78;
    }

    for (i = 0; i < sizeof(test_operations) / sizeof(test_operation_t); i++) {
        test_operation(&test_operations[i]);
    }

    return tap_done();
}
