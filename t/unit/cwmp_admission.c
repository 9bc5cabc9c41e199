
/*
 * How many sessions may begin: limits by themselves, then random sessions of
 * several processes, some of which are killed, beside a plain model.
 *
 * sources: cwmp_admission.c
 */


#include "tap.h"
#include "cwmp_admission.h"

#include <stdlib.h>


#define TEST_PROCESSES  5
#define TEST_BEGUN      4096


static cwmp_admission_row_t  test_row;
static ngx_uint_t            test_dead[TEST_PROCESSES + 1];
static uint32_t              test_seed = 1;


static ngx_uint_t
test_alive(uint32_t holder)
{
    return holder > TEST_PROCESSES || !test_dead[holder];
}


static ngx_uint_t
test_random(ngx_uint_t n)
{
    test_seed = test_seed * 1664525 + 1013904223;

    return (test_seed >> 8) % n;
}


static cwmp_admission_e
test_judge(uint64_t rate, uint64_t burst, uint64_t sessions, ngx_uint_t first,
    ngx_uint_t own, ngx_msec_t now)
{
    cwmp_admission_limits_t  limits;

    limits.rate = rate;
    limits.burst = burst;
    limits.sessions = sessions;

    return cwmp_admission_judge(&test_row, &limits, first, own, now,
                                test_alive);
}


/* how many of n that come at once may begin */

static ngx_uint_t
test_many(ngx_uint_t n, uint64_t rate, uint64_t burst, ngx_uint_t first,
    ngx_msec_t now)
{
    ngx_uint_t  i, passed;

    passed = 0;

    for (i = 0; i < n; i++) {
        passed += (test_judge(rate, burst, 0, first, 0, now)
                   == CWMP_ADMISSION_PASSED);
    }

    return passed;
}


static void
test_rate(void)
{
    ngx_msec_t  now;
    ngx_uint_t  i, n;

    memset(&test_row, 0, sizeof(test_row));
    now = (ngx_msec_t) -500;        /* the clock wraps around */

    tap_ok(test_many(100, 10000, 0, 0, now) == 1, "one of many at once");
    tap_ok(test_many(100, 10000, 0, 0, now + 99) == 0, "none within 100 ms");
    tap_ok(test_many(100, 10000, 0, 0, now + 100) == 1, "one then");
    tap_ok(test_many(100, 10000, 0, 0, now + 50) == 0,
           "none in a process whose clock is behind");
    tap_ok(test_many(100, 10000, 0, 0, now + 200) == 1,
           "which sets nothing back");
    tap_ok(test_many(100, 10000, 7, 0, now + 100000) == 8,
           "\"burst\" more after a while");

    for (n = 0, i = 0; i < 10000; i++) {
        n += test_many(3, 10000, 7, 0, now + 100000 + i);
    }

    tap_ok(n == 99, "10 s of a storm have 100, less the one since: %d",
           (int) n);

    /* a rate that is a fraction of a millisecond's */

    memset(&test_row, 0, sizeof(test_row));

    for (n = 0, i = 0; i <= 120000; i++) {
        n += test_many(1, 16, 0, 0, now + i);
    }

    tap_ok(n == 2, "1 a minute: two in two minutes of asking each ms: %d",
           (int) n);

    /* the largest limits there are */

    memset(&test_row, 0, sizeof(test_row));
    tap_ok(test_many(3, 1000000000ULL, 1000000, 1, now) == 3
           && test_row.level == 3000000,
           "the largest limits do not overflow");
}


static void
test_first(void)
{
    ngx_msec_t  now;

    memset(&test_row, 0, sizeof(test_row));
    now = 1000;

    tap_ok(test_many(100, 1000, 2, 0, now) == 3, "others fill the bucket");
    tap_ok(test_many(100, 1000, 2, 1, now) == 10, "ten may go first");
    tap_ok(test_many(100, 1000, 2, 1, now + 1000) == 1
           && test_many(100, 1000, 2, 0, now + 1000) == 0,
           "while they do, nobody else begins");
    tap_ok(test_many(100, 1000, 2, 0, now + 11000) == 0
           && test_many(100, 1000, 2, 0, now + 12000) == 1,
           "until what they took has leaked");

    memset(&test_row, 0, sizeof(test_row));
    tap_ok(test_many(9999, 50000, 0, 1, now) == 501,
           "of a larger rate ten seconds");
}


static void
test_sessions(void)
{
    memset(&test_row, 0, sizeof(test_row));
    memset(test_dead, 0, sizeof(test_dead));

    cwmp_admission_share(&test_row, 1, 3, test_alive);
    cwmp_admission_share(&test_row, 2, 2, test_alive);

    tap_ok(test_judge(0, 0, 6, 0, 0, 1) == CWMP_ADMISSION_PASSED,
           "a sixth session");
    tap_ok(test_judge(0, 0, 5, 0, 0, 1) == CWMP_ADMISSION_SESSIONS,
           "one too many");
    tap_ok(test_judge(0, 0, 5, 0, 1, 1) == CWMP_ADMISSION_PASSED,
           "in place of its own");
    tap_ok(test_judge(0, 0, 4, 0, 1, 1) == CWMP_ADMISSION_SESSIONS,
           "too many all the same");
    tap_ok(test_judge(0, 0, 5, 1, 0, 1) == CWMP_ADMISSION_PASSED,
           "one that goes first");

    cwmp_admission_share(&test_row, 1, 13, test_alive);
    tap_ok(test_judge(0, 0, 5, 1, 0, 1) == CWMP_ADMISSION_SESSIONS,
           "which ten do");

    test_dead[1] = 1;
    tap_ok(test_judge(0, 0, 5, 0, 0, 1) == CWMP_ADMISSION_PASSED,
           "a process that is gone has none");

    test_row.level = 0;
    (void) test_judge(1000, 0, 2, 0, 0, 1);
    tap_ok(test_row.level == 0,
           "who is refused by the one is not in the other");
}


static void
test_shares(void)
{
    ngx_uint_t  i;

    memset(&test_row, 0, sizeof(test_row));

    for (i = 0; i < CWMP_ADMISSION_PROCESSES; i++) {
        cwmp_admission_share(&test_row, i + 1, 1, test_alive);
    }

    memset(test_dead, 0, sizeof(test_dead));
    cwmp_admission_share(&test_row, 1000, 5, test_alive);
    tap_ok(test_judge(0, 0, CWMP_ADMISSION_PROCESSES + 1, 0, 0, 1)
           == CWMP_ADMISSION_PASSED, "no room for one more process");

    test_dead[3] = 1;
    cwmp_admission_share(&test_row, 1000, 5, test_alive);
    tap_ok(test_judge(0, 0, CWMP_ADMISSION_PROCESSES + 4, 0, 0, 1)
           == CWMP_ADMISSION_SESSIONS, "but that of one that is gone");
    test_dead[3] = 0;
}


static void
test_notice(void)
{
    ngx_uint_t  n;

    memset(&test_row, 0, sizeof(test_row));

    (void) test_many(11, 1000, 0, 0, 0);
    tap_ok(cwmp_admission_notice(&test_row, 0) == 10, "ten were refused");

    (void) test_many(5, 1000, 0, 0, 1);
    n = cwmp_admission_notice(&test_row, CWMP_ADMISSION_NOTICE - 1);
    tap_ok(n == 0, "which is said once in a while");
    n = cwmp_admission_notice(&test_row, CWMP_ADMISSION_NOTICE + 1);
    tap_ok(n == 5, "then with those since");
}


static void
test_events(void)
{
    int        i;
    ngx_str_t  s;

    static struct {
        const char  *events;
        ngx_uint_t   first;
    } cases[] = {
        { "", 0 },
        { "1 BOOT", 0 },
        { "0 BOOTSTRAP,1 BOOT,4 VALUE CHANGE,2 PERIODIC,3 SCHEDULED", 0 },
        { "6 CONNECTION REQUEST", 1 },
        { "7 TRANSFER COMPLETE", 1 },
        { "8 DIAGNOSTICS COMPLETE", 1 },
        { "M Reboot", 1 },
        { "1 BOOT,M Reboot", 1 },
        { "1 BOOT, M-Reboot", 1 },
        { "2 PERIODIC,6", 1 },
        { "8,2 PERIODIC", 1 },
        { "M", 1 },
        { "60 X", 0 },
        { "10 AUTONOMOUS TRANSFER COMPLETE", 0 },
        { "X 00D09E 6 M", 0 },
        { "MY EVENT", 0 },
        { ",,", 0 }
    };

    for (i = 0; i < (int) (sizeof(cases) / sizeof(cases[0])); i++) {
        s.data = (u_char *) cases[i].events;
        s.len = strlen(cases[i].events);

        tap_ok(cwmp_admission_first(&s) == cases[i].first, "\"%s\" %s",
               cases[i].events, cases[i].first ? "goes first" : "does not");
    }
}


/*
 * The model: when each session that began did so.  The level is the most that
 * the rate has left of those since any one of them.
 */

static void
test_model(void)
{
    int64_t           level, l;
    uint64_t          rate, burst, most, sessions, count, mine;
    ngx_msec_t        now;
    ngx_uint_t        i, k, n, first, rounds, wrong, of[3], p;
    ngx_uint_t        has[TEST_PROCESSES + 1];
    cwmp_admission_e  verdict, expected;

    static ngx_msec_t  begun[TEST_BEGUN];

    wrong = 0;
    of[0] = of[1] = of[2] = 0;

    for (rounds = 0; rounds < 200; rounds++) {
        memset(&test_row, 0, sizeof(test_row));
        memset(has, 0, sizeof(has));
        memset(test_dead, 0, sizeof(test_dead));

        n = 0;
        now = (ngx_msec_t) 0 - test_random(10000);
        rate = 1 + test_random(30000);
        burst = test_random(20);
        sessions = test_random(3) ? 5 + test_random(30) : 0;

        for (i = 0; i < 500; i++) {
            now += test_random(4) ? test_random(20) : test_random(3000);
            first = !test_random(4);
            p = 1 + test_random(TEST_PROCESSES);

            if (!test_random(50)) {
                test_dead[p] = 1;
                has[p] = 0;
            }

            if (test_dead[p]) {
                continue;
            }

            /* some of the process's sessions end */

            mine = has[p] ? test_random(has[p] + 1) : 0;

            if (mine && test_random(2)) {
                has[p] -= mine;
                cwmp_admission_share(&test_row, p, has[p], test_alive);
            }

            level = 0;

            for (k = 0; k < n; k++) {
                l = (int64_t) (n - k) * 1000000
                    - (int64_t) (rate * (now - begun[k]));
                level = ngx_max(level, l);
            }

            count = 0;

            for (k = 1; k <= TEST_PROCESSES; k++) {
                count += has[k];
            }

            expected = CWMP_ADMISSION_PASSED;
            most = (burst + 1) * 1000000;

            if (first) {
                most += ngx_max(rate * 10000, 10000000);
            }

            if (level + 1000000 > (int64_t) most) {
                expected = CWMP_ADMISSION_RATE;
            }

            if (sessions
                && count >= sessions + (first ? ngx_max(sessions, 10) : 0))
            {
                expected = CWMP_ADMISSION_SESSIONS;
            }

            verdict = test_judge(rate, burst, sessions, first, 0, now);

            wrong += (verdict != expected);
            of[verdict - 1]++;

            if (verdict == CWMP_ADMISSION_PASSED) {
                begun[n++] = now;
                cwmp_admission_share(&test_row, p, ++has[p], test_alive);
            }
        }
    }

    tap_ok(wrong == 0, "as the model says: %d of others", (int) wrong);
    tap_ok(of[0] > 1000 && of[1] > 1000 && of[2] > 1000,
           "%d passed, %d limited by the rate, %d by sessions", (int) of[0],
           (int) of[1], (int) of[2]);
}


int
main(void)
{
    test_rate();
    test_first();
    test_sessions();
    test_shares();
    test_notice();
    test_events();
    test_model();

    return tap_done();
}
