
/*
 * Fieldgate: the pieces of work on a message.
 *
 * The states follow each other as the table says.  And what a unit of work
 * costs: bytes are scanned, searched, inflated and deflated that take as long
 * as any, in a child that is stepped through.  The verdict is a count of
 * instructions.
 *
 * sources: cwmp_work.c cwmp_coding.c
 *          cwmp_message.c cwmp_parameter.c cwmp_xml.c cwmp_charset.c
 *          cwmp_prefilter.c cwmp_reference.c
 * libs: -lz
 * sanitizer: none
 */


#include "tap.h"
#include "cwmp_message.h"
#include "cwmp_work.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>


/* bytes of a sample, and how many of them come before it */
#define TEST_SAMPLE    256
#define TEST_BEFORE    32768

/*
 * Instructions a unit.  With it a piece has fewer than twelve million, which a
 * processor of 3 GHz has done in 4 ms, and one that is half as fast in 10.
 */
#define TEST_PER_UNIT  50


typedef struct {
    const char    *name;
    const char    *head;
    const char    *repeated;
    void         (*run)(u_char *p, size_t len);
    ngx_uint_t     units;          /* a byte */
} test_cost_t;


static uint64_t         *test_done;
static cwmp_message_t    test_message;
static cwmp_prefilter_t  test_prefilter;
static cwmp_inflate_t    test_in;
static cwmp_deflate_t    test_out;
static u_char            test_data[TEST_BEFORE + TEST_SAMPLE];
static u_char            test_packed[2 * sizeof(test_data)];
static u_char            test_unpacked[sizeof(test_data)];


static void
test_states(void)
{
    int          i, n, ok;
    cwmp_work_t  w;

    static const cwmp_work_state_e  path[8][6] = {

        /* 1: coded, 2: named, 4: in a file; with values */

        { CWMP_WORK_SEARCH, CWMP_WORK_SCAN, CWMP_WORK_ANNOUNCE,
          CWMP_WORK_WRITE, CWMP_WORK_DONE },
        { CWMP_WORK_SCAN, CWMP_WORK_ANNOUNCE, CWMP_WORK_WRITE,
          CWMP_WORK_DONE },
        { CWMP_WORK_SCAN, CWMP_WORK_ANNOUNCE, CWMP_WORK_WRITE,
          CWMP_WORK_DONE },
        { CWMP_WORK_SCAN, CWMP_WORK_ANNOUNCE, CWMP_WORK_WRITE,
          CWMP_WORK_DONE },
        { CWMP_WORK_SEARCH, CWMP_WORK_SCAN, CWMP_WORK_ANNOUNCE,
          CWMP_WORK_LOAD, CWMP_WORK_WRITE, CWMP_WORK_DONE },
        { CWMP_WORK_SCAN, CWMP_WORK_ANNOUNCE, CWMP_WORK_WRITE,
          CWMP_WORK_DONE },
        { CWMP_WORK_SCAN, CWMP_WORK_ANNOUNCE, CWMP_WORK_LOAD,
          CWMP_WORK_WRITE, CWMP_WORK_DONE },
        { CWMP_WORK_SCAN, CWMP_WORK_ANNOUNCE, CWMP_WORK_WRITE,
          CWMP_WORK_DONE }
    };

    for (i = 0; i < 8; i++) {
        memset(&w, 0xff, sizeof(cwmp_work_t));
        w.coded = i & 1;
        w.named = i >> 1 & 1;
        w.in_file = i >> 2 & 1;

        cwmp_work_start(&w);
        ok = (w.state == path[i][0] && w.spent == 0 && !w.values);

        for (n = 1; n < 6 && path[i][n - 1] != CWMP_WORK_DONE; n++) {
            w.values = 1;
            cwmp_work_next(&w);
            ok = ok && w.state == path[i][n];
        }

        tap_ok(ok, "states of a message with values, %d", i);

        cwmp_work_start(&w);

        while (w.state != CWMP_WORK_SCAN) {
            cwmp_work_next(&w);
        }

        cwmp_work_next(&w);
        tap_ok(w.state == CWMP_WORK_DONE, "of one without, %d", i);
    }

    cwmp_work_next(&w);
    tap_ok(w.state == CWMP_WORK_DONE, "which is the end");

    w.spent = CWMP_WORK_PIECE - 1;
    tap_ok(!cwmp_work_over(&w), "a piece goes on");
    w.spent++;
    tap_ok(cwmp_work_over(&w), "until its work is done");
}


static ngx_int_t
test_value(void *data, cwmp_value_t *value)
{
    return NGX_OK;
}


static void
test_scan(u_char *p, size_t len)
{
    if (test_message.depth == 0) {
        cwmp_message_init(&test_message);
        test_message.params.value_handler = test_value;
    }

    (void) cwmp_message_read(&test_message, p, len);
}


static void
test_search(u_char *p, size_t len)
{
    (void) cwmp_prefilter(&test_prefilter, p, len, CWMP_CHARSET_NONE);
}


static void
test_deflate(u_char *p, size_t len)
{
    size_t   n;
    u_char  *pos;

    if (test_out.zs.state == NULL) {
        test_in.coding = CWMP_CODING_GZIP;
        (void) cwmp_deflate_init(&test_out, &test_in);
    }

    pos = p;
    (void) cwmp_deflate(&test_out, &pos, p + len, 0, test_packed,
                        sizeof(test_packed), &n);
}


/* the input is made of what comes out, so len counts there */

static void
test_inflate(u_char *p, size_t len)
{
    size_t          n;

    static u_char  *pos, *last;

    if (pos == NULL) {
        test_in.coding = CWMP_CODING_GZIP;
        (void) cwmp_deflate_init(&test_out, &test_in);

        pos = test_data;
        (void) cwmp_deflate(&test_out, &pos, test_data + sizeof(test_data), 1,
                            test_packed, sizeof(test_packed), &n);

        pos = test_packed;
        last = test_packed + n;

        cwmp_inflate_init(&test_in, CWMP_CODING_GZIP, 1 << 30, 1 << 30);
    }

    (void) cwmp_inflate(&test_in, &pos, last, test_unpacked, len, &n);
}


/* instructions for TEST_SAMPLE bytes, in the middle of the message; 0: none */

static uint64_t
test_count(const test_cost_t *cost)
{
    int       status;
    pid_t     pid;
    uint64_t  n;

    *test_done = 0;

    pid = fork();

    if (pid == 0) {
        cost->run(test_data, TEST_BEFORE);

        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) == -1) {
            _exit(3);
        }

        raise(SIGSTOP);

        cost->run(test_data + TEST_BEFORE, TEST_SAMPLE);

        __atomic_store_n(test_done, 1, __ATOMIC_SEQ_CST);
        raise(SIGSTOP);
        _exit(0);
    }

    if (pid == -1 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status)) {
        return 0;
    }

    for (n = 0; !*test_done; n++) {
        if (ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) == -1
            || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status))
        {
            n = 0;
            break;
        }
    }

    kill(pid, SIGKILL);
    (void) waitpid(pid, &status, 0);

    return n;
}


static void
test_fill(const test_cost_t *cost)
{
    size_t    i, n, len;
    uint32_t  seed;

    n = strlen(cost->head);
    memcpy(test_data, cost->head, n);

    len = cost->repeated ? strlen(cost->repeated) : 0;
    seed = 1;

    for (i = n; i < sizeof(test_data); i++) {
        seed = seed * 1664525 + 1013904223;
        test_data[i] = len ? (u_char) cost->repeated[(i - n) % len]
                           : "abcd"[seed >> 30];
    }
}


static void
test_costs(void)
{
    double       per;
    uint64_t     n;
    ngx_uint_t   i;

    static const test_cost_t  costs[] = {
        { "scanning text", "<E><B><C>", "a ", test_scan,
          CWMP_COST_READ + CWMP_COST_SCAN },
        { "scanning elements", "<E><B><C>", "<a/>", test_scan,
          CWMP_COST_READ + CWMP_COST_SCAN },
        { "scanning names", "<E><B><C>", "<Name></Name>", test_scan,
          CWMP_COST_READ + CWMP_COST_SCAN },
        { "scanning references", "<E><Name>", "&#65;", test_scan,
          CWMP_COST_READ + CWMP_COST_SCAN },
        { "searching among the rarest letter", "<E><B><C>", "q", test_search,
          CWMP_COST_READ + CWMP_COST_SCAN },
        { "searching among marks", "<E><B><C>", "!", test_search,
          CWMP_COST_READ + CWMP_COST_SCAN },
        { "deflating elements", "<E><B><C>", "<a>&amp;</a><b>1</b>",
          test_deflate, CWMP_COST_DEFLATE },
        { "deflating noise", "", NULL, test_deflate, CWMP_COST_DEFLATE },
        { "inflating elements", "<E><B><C>", "<a>&amp;</a><b>1</b>",
          test_inflate, CWMP_COST_INFLATE },
        { "inflating noise", "", NULL, test_inflate, CWMP_COST_INFLATE }
    };

    for (i = 0; i < sizeof(costs) / sizeof(costs[0]); i++) {
        test_fill(&costs[i]);

        n = test_count(&costs[i]);
        per = (double) n / TEST_SAMPLE / costs[i].units;

        tap_ok(n > 0 && per <= TEST_PER_UNIT, "%s: %.1f instructions a unit",
               costs[i].name, per);
    }

    tap_ok((uint64_t) CWMP_WORK_PIECE_MAX * TEST_PER_UNIT <= 12000000,
           "the largest piece has fewer than twelve million");
}


int
main(void)
{
    test_done = mmap(NULL, sizeof(uint64_t), PROT_READ|PROT_WRITE,
                     MAP_SHARED|MAP_ANONYMOUS, -1, 0);

    if (test_done == MAP_FAILED) {
        return 1;
    }

    test_states();
    test_costs();

    return tap_done();
}
