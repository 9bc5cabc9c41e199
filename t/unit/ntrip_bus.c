/* sources: ntrip_bus.c libs: */

/*
 * Fieldgate: slots, and wake-ups that must not be lost.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_bus.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>


#define TEST_WAKERS  2
#define TEST_WAKES   200000
#define TEST_GUARD   20000           /* ms: a lost wake-up, not a slow one */
#define TEST_STEPS   100000          /* instructions of one operation */
/* of a look at the slots: the first ones */
#define TEST_POINTS  100


typedef struct {
    uint64_t     counts[TEST_WAKERS];
    uint64_t     done;
    uint64_t     dead[NTRIP_SLOTS];
    ntrip_bus_t  bus;
} test_shared_t;


typedef void (*test_run_pt)(void);


static ngx_uint_t      test_n;
static ngx_uint_t      test_failed;
static test_shared_t  *test_shared;


static void
test_ok(ngx_uint_t ok, const char *name)
{
    printf("%sok %u - %s\n", ok ? "" : "not ", (unsigned) ++test_n, name);

    if (!ok) {
        test_failed++;
    }
}


static void
test_slots(ntrip_bus_t *bus)
{
    uint64_t    a, b, c, dead[NTRIP_SLOTS];
    ngx_uint_t  i;

    test_ok(!ntrip_bus_sweep_due(bus), "an empty bus needs no sweep");

    a = ntrip_bus_claim(bus, 2, 1001, 11, 1);
    b = ntrip_bus_claim(bus, 2, 1002, 12, 2);

    test_ok(a && b && ntrip_holder_slot(a) == 0 && ntrip_holder_slot(b) == 1,
            "slots are claimed in order");
    test_ok(ntrip_bus_claim(bus, 2, 1003, 13, 2) == 0,
            "and none beyond the limit");
    test_ok(ntrip_bus_alive(bus, a) && !ntrip_bus_alive(bus, 0)
            && !ntrip_bus_alive(bus, a + NTRIP_SLOTS),
            "a holder is alive, another incarnation and nobody are not");

    bus->slots[0].counters[NTRIP_COUNT_logins] = 5;

    test_ok(ntrip_bus_release(bus, a) == NGX_OK
            && ntrip_bus_release(bus, a) == NGX_DECLINED
            && !ntrip_bus_alive(bus, a),
            "a slot is released once");
    test_ok(ntrip_bus_sweep_due(bus), "then a sweep is due");

    ntrip_bus_sweep_begin(bus, dead);
    c = ntrip_bus_claim(bus, 2, 1004, 14, 2);

    test_ok(c != a && ntrip_holder_slot(c) == 0 && !ntrip_bus_alive(bus, a),
            "its next worker is another holder");
    test_ok(bus->slots[0].counters[NTRIP_COUNT_logins] == 5,
            "and goes on with the counters");

    ntrip_bus_sweep_end(bus, dead);
    test_ok(!ntrip_bus_sweep_due(bus), "swept");

    (void) ntrip_bus_release(bus, c);
    test_ok(ntrip_bus_sweep_due(bus),
            "who was claimed during a sweep and died is not taken as swept");

    c = ntrip_bus_claim(bus, 2, 1004, 14, 3);
    test_ok(ntrip_bus_successor(bus, 256, 1, 0) == c
            && ntrip_bus_successor(bus, 256, 1, 1) == c
            && ntrip_bus_successor(bus, 256, 3, 0) == 0,
            "the successor is of the newest generation");

    bus->slots[ntrip_holder_slot(c)].exiting = 1;
    test_ok(ntrip_bus_successor(bus, 256, 1, 0) == b,
            "and does not exit itself");
    test_ok(ntrip_bus_successor(bus, 1, 1, 0) == 0,
            "and is one that can be reached");

    (void) ntrip_bus_release(bus, b);
    (void) ntrip_bus_release(bus, c);

    for (i = 0; i < 1000; i++) {
        a = ntrip_bus_claim(bus, NTRIP_SLOTS, 1, 1, 1);

        if (a == 0) {
            break;
        }
    }

    test_ok(i == NTRIP_SLOTS, "there are 256 slots");

    for (i = 0; i < NTRIP_SLOTS; i++) {
        (void) ntrip_bus_release(bus, bus->slots[i].holder);
    }
}


/*
 * Two operations interleaved: a child does one, instruction by instruction,
 * and waits at each for the parent to do the other.
 */

static pid_t
test_stepper(test_run_pt run)
{
    int    status;
    pid_t  pid;

    test_shared->done = 0;

    pid = fork();

    if (pid == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1) {
            _exit(3);
        }

        raise(SIGSTOP);
        run();

        __atomic_store_n(&test_shared->done, 1, __ATOMIC_SEQ_CST);
        raise(SIGSTOP);
        _exit(0);
    }

    return (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) ? pid : -1;
}


/* one instruction, or all that are left */

static ngx_uint_t
test_step(pid_t pid, ngx_uint_t all)
{
    int  status;

    return ptrace(all ? PTRACE_CONT : PTRACE_SINGLESTEP, pid, NULL, NULL) == 0
           && waitpid(pid, &status, 0) == pid && WIFSTOPPED(status);
}


static void
test_end(pid_t pid)
{
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}


static void
test_run_claim(void)
{
    (void) ntrip_bus_claim(&test_shared->bus, 1, 1, 1, 1);
}


static void
test_run_look(void)
{
    ntrip_bus_sweep_begin(&test_shared->bus, test_shared->dead);
}


static void
test_interleaved(ntrip_bus_t *bus)
{
    pid_t       pid;
    uint64_t    holder, worst, dead[NTRIP_SLOTS];
    ngx_uint_t  i, n, wrong;

    memset(bus, 0, sizeof(ntrip_bus_t));
    ntrip_bus_init(bus, 1);

    pid = test_stepper(test_run_claim);
    worst = 0;

    for (i = 0; i < TEST_STEPS && pid != -1 && !test_shared->done; i++) {
        if (!test_step(pid, 0)) {
            break;
        }

        ntrip_bus_sweep_begin(bus, dead);
        worst = ngx_max(worst, dead[0]);
    }

    holder = bus->slots[0].holder;

    test_ok(test_shared->done && holder && worst < holder >> 8,
            "whoever looks while a slot is claimed takes nobody for dead");

    test_end(pid);
    (void) ntrip_bus_release(bus, holder);

    /* the other way round, from point to point */

    wrong = 0;

    for (n = 0; n < TEST_POINTS; n++) {
        pid = test_stepper(test_run_look);

        for (i = 0; i < n; i++) {
            (void) test_step(pid, 0);
        }

        holder = ntrip_bus_claim(bus, 1, 1, 1, 1);

        (void) test_step(pid, 1);

        wrong += (!test_shared->done || test_shared->dead[0] >= holder >> 8);

        test_end(pid);
        (void) ntrip_bus_release(bus, holder);
    }

    test_ok(wrong == 0, "nor does who is overtaken by a claim");
}


static void
test_waker(ngx_uint_t n, int fd)
{
    uint64_t    one;
    ngx_uint_t  i;

    one = 1;

    for (i = 0; i < TEST_WAKES; i++) {
        __atomic_add_fetch(&test_shared->counts[n], 1, __ATOMIC_SEQ_CST);

        ntrip_bus_mark(&test_shared->bus, 3, 100 + n);

        if (ntrip_bus_wake(&test_shared->bus, 3)
            && write(fd, &one, sizeof(uint64_t)) != sizeof(uint64_t))
        {
            _exit(1);
        }
    }

    _exit(0);
}


static void
test_wakes(ntrip_bus_t *bus)
{
    int            fd, status;
    pid_t          pids[TEST_WAKERS];
    uint64_t       value, bits, seen[TEST_WAKERS];
    ngx_uint_t     n, done, sleeps, failed;
    struct pollfd  pfd;

    fd = eventfd(0, EFD_CLOEXEC);

    for (n = 0; n < TEST_WAKERS; n++) {
        seen[n] = 0;
        pids[n] = fork();

        if (pids[n] == 0) {
            test_waker(n, fd);
        }
    }

    sleeps = 0;
    failed = 0;

    do {
        pfd.fd = fd;
        pfd.events = POLLIN;

        if (poll(&pfd, 1, TEST_GUARD) != 1) {
            failed = 1;
            break;
        }

        if (read(fd, &value, sizeof(uint64_t)) != sizeof(uint64_t)) {
            failed = 1;
            break;
        }

        sleeps++;
        ntrip_bus_asleep(bus, 3);
        bits = ntrip_bus_take(bus, 3, 1);

        done = 1;

        for (n = 0; n < TEST_WAKERS; n++) {
            if (bits & (uint64_t) 1 << (100 + n - 64)) {
                seen[n] = __atomic_load_n(&test_shared->counts[n],
                                          __ATOMIC_SEQ_CST);
            }

            done &= (seen[n] == TEST_WAKES);
        }

    } while (!done);

    test_ok(!failed, "the last of 400000 wake-ups arrived");
    printf("# %u sleeps\n", (unsigned) sleeps);

    for (n = 0; n < TEST_WAKERS; n++) {
        waitpid(pids[n], &status, 0);
        failed |= (status != 0);
    }

    test_ok(!failed, "and all wakers are done");
    close(fd);
}


int
main(void)
{
    setvbuf(stdout, NULL, _IONBF, 0);

    test_shared = mmap(NULL, sizeof(test_shared_t), PROT_READ|PROT_WRITE,
                       MAP_ANON|MAP_SHARED, -1, 0);

    if (test_shared == MAP_FAILED) {
        perror("mmap");
        return 1;
    }

    ntrip_bus_init(&test_shared->bus, 1);

    test_slots(&test_shared->bus);
    test_interleaved(&test_shared->bus);
    test_wakes(&test_shared->bus);

    printf("1..%u\n", (unsigned) test_n);

    return test_failed != 0;
}
