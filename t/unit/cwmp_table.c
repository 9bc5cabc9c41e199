
/*
 * Fieldgate: the table of fixed rows, alone and under kill -9.
 *
 * sources: cwmp_table.c
 */


#include "tap.h"

#include "cwmp_table.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>


#define TEST_KILLS    tap_long(200, 5)
#define TEST_WORKERS  3


/* a word twice and its complement: shows a payload that was cut */

typedef struct {
    uint64_t               value;
    u_char                 filler[72];
    uint64_t               again;
    uint64_t               inverse;
} test_row_t;


typedef struct {
    volatile pid_t         lock;
    volatile uint64_t      work;             /* done by all workers */
    volatile uint64_t      torn;             /* payloads found cut */
    volatile uint64_t      rebuilt;
    u_char                 table[1];
} test_shared_t;


static u_char *
test_key(uint32_t n)
{
    ngx_uint_t     i;
    static u_char  key[CWMP_TABLE_KEY_LEN];

    for (i = 0; i < CWMP_TABLE_KEY_LEN; i++) {
        n = n * 1664525 + 1013904223;
        key[i] = n >> 24;
    }

    return key;
}


static ngx_uint_t
test_dead(uint32_t holder)
{
    return 0;
}


static ngx_uint_t
test_alive(uint32_t holder)
{
    return 1;
}


static void
test_write(test_row_t *row, uint64_t value)
{
    row->value = value;
    ngx_memset(row->filler, value & 0xff, sizeof(row->filler));
    row->again = value;
    row->inverse = ~value;
}


static ngx_uint_t
test_torn(test_row_t *row)
{
    return row->value != row->again || row->inverse != ~row->value
           || row->filler[0] != (row->value & 0xff)
           || row->filler[71] != (row->value & 0xff);
}


static void
test_basics(void)
{
    size_t         size;
    uint64_t      *p;
    ngx_uint_t     i, n;
    static u_char  mem[64 * 1024];
    cwmp_table_t  *t;

    tap_ok(cwmp_table_create(mem, 40, 8) == NULL, "too small for a row");

    size = cwmp_table_size(100, 8);
    t = cwmp_table_create(mem, size, 8);

    tap_ok(cwmp_table_capacity(t) == 100, "as many rows as asked for");
    tap_ok(cwmp_table_begin(t) == NGX_OK, "begins clean");
    tap_ok(cwmp_table_get(t, test_key(1), 0) == NULL, "empty");

    for (i = 0; i < 100; i++) {
        p = cwmp_table_insert(t, test_key(i), 0, 1000, test_dead);
        *p = i;
    }

    tap_ok(cwmp_table_used(t) == 100 && cwmp_table_check(t) == NGX_OK, "full");

    for (i = 0, n = 0; i < 100; i++) {
        p = cwmp_table_get(t, test_key(i), 500);
        n += (p != NULL && *p == i);
    }

    tap_ok(n == 100, "all found");

    (void) cwmp_table_get(t, test_key(0), 500);
    p = cwmp_table_insert(t, test_key(1000), 500, 2000, test_dead);
    *p = 1000;

    tap_ok(cwmp_table_get(t, test_key(1), 500) == NULL
           && cwmp_table_get(t, test_key(0), 500) != NULL
           && cwmp_table_used(t) == 100,
           "the least recently used one went");

    tap_ok(cwmp_table_get(t, test_key(2), 1000) == NULL
           && cwmp_table_used(t) == 99,
           "expires at its time");

    p = cwmp_table_get(t, test_key(3), 999);
    cwmp_table_touch(t, p, 1500);
    tap_ok(cwmp_table_get(t, test_key(3), 1499) != NULL,
           "lives longer if touched");

    p = cwmp_table_get(t, test_key(1000), 500);
    cwmp_table_delete(t, p);
    tap_ok(cwmp_table_get(t, test_key(1000), 500) == NULL
           && cwmp_table_check(t) == NGX_OK, "deleted");

    cwmp_table_end(t);
    tap_ok(cwmp_table_begin(t) == NGX_OK, "ends clean");

    /* the clock wraps around */

    p = cwmp_table_insert(t, test_key(2000), (ngx_msec_t) -100,
                          (ngx_msec_t) -100 + 200, test_dead);
    tap_ok(cwmp_table_get(t, test_key(2000), 50) != NULL
           && cwmp_table_get(t, test_key(2000), 100) == NULL,
           "time may wrap around");

    cwmp_table_end(t);
}


static void
test_holders(void)
{
    void          *p;
    ngx_uint_t     i;
    static u_char  mem[64 * 1024];
    cwmp_table_t  *t;

    t = cwmp_table_create(mem, cwmp_table_size(4, 8), 8);

    (void) cwmp_table_begin(t);

    for (i = 0; i < 4; i++) {
        p = cwmp_table_insert(t, test_key(i), 0, 1000, test_alive);

        if (i < 2) {
            cwmp_table_hold(t, p, 7);
        }
    }

    p = cwmp_table_get(t, test_key(1), 0);
    tap_ok(cwmp_table_holder(t, p) == 7, "held");

    (void) cwmp_table_get(t, test_key(2), 0);
    (void) cwmp_table_get(t, test_key(3), 0);
    (void) cwmp_table_insert(t, test_key(10), 0, 1000, test_alive);

    tap_ok(cwmp_table_get(t, test_key(0), 0)
           && cwmp_table_get(t, test_key(1), 0)
           && cwmp_table_get(t, test_key(2), 0) == NULL,
           "a held row does not go");

    cwmp_table_hold(t, cwmp_table_get(t, test_key(3), 0), 7);
    cwmp_table_hold(t, cwmp_table_get(t, test_key(10), 0), 7);

    tap_ok(cwmp_table_insert(t, test_key(11), 0, 1000, test_alive) == NULL,
           "no place when all are held");

    tap_ok(cwmp_table_insert(t, test_key(11), 0, 1000, test_dead) != NULL,
           "a dead holder holds nothing");

    tap_ok(cwmp_table_insert(t, test_key(12), 1000, 2000, test_alive) != NULL
           && cwmp_table_check(t) == NGX_OK,
           "nor does anybody after the row's time");

    cwmp_table_end(t);
}


/* a cut in mid-write, made by hand: what a rebuild keeps, and in which order */

static void
test_rebuild(void)
{
    uint64_t      *p;
    ngx_uint_t     i, n;
    static u_char  mem[64 * 1024];
    cwmp_table_t  *t;

    t = cwmp_table_create(mem, cwmp_table_size(50, 8), 8);

    (void) cwmp_table_begin(t);

    for (i = 0; i < 50; i++) {
        p = cwmp_table_insert(t, test_key(i), 0, 1000, test_dead);
        *p = i;
    }

    (void) cwmp_table_get(t, test_key(0), 0);
    cwmp_table_open(t, cwmp_table_get(t, test_key(7), 0));

    tap_ok(cwmp_table_begin(t) == NGX_DECLINED, "finds the cut");
    tap_ok(cwmp_table_check(t) == NGX_OK && cwmp_table_used(t) == 49,
           "is whole again, without the row that was open");

    for (i = 0, n = 0; i < 50; i++) {
        if (i == 0 || i == 1) {
            continue;
        }

        p = cwmp_table_get(t, test_key(i), 0);
        n += (p != NULL && *p == i);
    }

    tap_ok(n == 47 && cwmp_table_get(t, test_key(7), 0) == NULL,
           "all others stay");

    (void) cwmp_table_insert(t, test_key(100), 0, 1000, test_dead);
    (void) cwmp_table_insert(t, test_key(101), 0, 1000, test_dead);

    tap_ok(cwmp_table_get(t, test_key(1), 0) == NULL
           && cwmp_table_get(t, test_key(0), 0) != NULL,
           "in the order of their use");

    cwmp_table_end(t);
}


static void
test_worker(test_shared_t *sh, uint32_t seed)
{
    pid_t          pid;
    void          *p;
    cwmp_table_t  *t;

    t = (cwmp_table_t *) sh->table;
    pid = getpid();

    for ( ;; ) {
        while (!__sync_bool_compare_and_swap(&sh->lock, 0, pid)) {
            usleep(10);
        }

        if (cwmp_table_begin(t) == NGX_DECLINED) {
            sh->rebuilt++;
        }

        seed = seed * 1664525 + 1013904223;

        p = cwmp_table_get(t, test_key((seed >> 16) % 300), 0);

        if (p == NULL) {
            p = cwmp_table_insert(t, test_key((seed >> 16) % 300), 0, 1000,
                                  test_dead);
            test_write(p, seed);

        } else {
            sh->torn += test_torn(p);

            if (seed & 0x800) {
                cwmp_table_delete(t, p);

            } else {
                cwmp_table_open(t, p);
                test_write(p, seed);
            }
        }

        sh->work++;

        cwmp_table_end(t);

        (void) __sync_bool_compare_and_swap(&sh->lock, pid, 0);
    }
}


static void
test_kills(void)
{
    pid_t           pid[TEST_WORKERS];
    size_t          size;
    uint64_t        work;
    ngx_uint_t      i, n, bad, locked;
    cwmp_table_t   *t;
    test_shared_t  *sh;

    size = cwmp_table_size(200, sizeof(test_row_t));

    sh = mmap(NULL, sizeof(test_shared_t) + size, PROT_READ|PROT_WRITE,
              MAP_ANON|MAP_SHARED, -1, 0);
    if (sh == MAP_FAILED) {
        tap_ok(0, "mmap");
        return;
    }

    t = cwmp_table_create(sh->table, size, sizeof(test_row_t));

    for (i = 0; i < TEST_WORKERS; i++) {
        pid[i] = 0;
    }

    bad = 0;
    locked = 0;

    for (n = 0; n < TEST_KILLS; n++) {

        for (i = 0; i < TEST_WORKERS; i++) {
            if (pid[i] == 0) {
                pid[i] = fork();

                if (pid[i] == 0) {
                    test_worker(sh, n * TEST_WORKERS + i + 1);
                }
            }
        }

        /* let them work some, then one dies wherever it is */

        work = sh->work;

        while (sh->work < work + 50 + n % 100) {
            usleep(50);
        }

        i = n % TEST_WORKERS;

        (void) kill(pid[i], SIGKILL);
        (void) waitpid(pid[i], NULL, 0);

        /* as nginx's master does */

        if (__sync_bool_compare_and_swap(&sh->lock, pid[i], 0)) {
            locked++;
        }

        pid[i] = 0;

        while (!__sync_bool_compare_and_swap(&sh->lock, 0, getpid())) {
            usleep(10);
        }

        if (cwmp_table_begin(t) == NGX_DECLINED) {
            sh->rebuilt++;
        }

        bad += (cwmp_table_check(t) != NGX_OK);

        cwmp_table_end(t);

        (void) __sync_bool_compare_and_swap(&sh->lock, getpid(), 0);
    }

    for (i = 0; i < TEST_WORKERS; i++) {
        if (pid[i]) {
            (void) kill(pid[i], SIGKILL);
            (void) waitpid(pid[i], NULL, 0);
        }
    }

    printf("# %d kills, %d inside the lock, %d rebuilds, %d operations\n",
           (int) TEST_KILLS, (int) locked, (int) sh->rebuilt, (int) sh->work);

    tap_ok(locked >= TEST_KILLS / 20 && sh->rebuilt >= TEST_KILLS / 20,
           "enough of them died inside");
    tap_ok(bad == 0, "the table is whole after each kill");
    tap_ok(sh->torn == 0, "no payload was ever seen torn");
}


int
main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);

    test_basics();
    test_holders();
    test_rebuild();
    test_kills();

    return tap_done();
}
