
/*
 * wakeup_load OPTION...: an ACS that wakes many CPEs
 *
 *   --port=N              where
 *   --targets=FILE        one request target a line; each connection has one
 *   --connections=N       of the ACS, each used for one request at a time
 *   --wakeups=N           of all connections
 *   --gets=N              requests of which a wake-up consists
 *   --fresh-users=1       each wake-up with another user's credentials
 *   --warmup=N            wake-ups of each connection that are not counted
 *   --status=N            what each reply has to be
 *   --pids=N,N,...        whose CPU time and instructions are measured
 *
 * Another reply, or a connection that is closed, ends the program.
 */


#define _GNU_SOURCE

#include "bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>


#define LOAD_PASSWORD  "s3c:ret"


typedef struct {
    int             fd;
    const char     *target;
    unsigned        left;        /* wake-ups until the barrier */
    unsigned        get;         /* of this wake-up */
    char            out[1024];
    size_t          len;
    size_t          pos;
    uint64_t        sent;
    bench_http_t    http;
} load_acs_t;


static void load_targets(const char *file);
static void load_run(unsigned wakeups);
static void load_request(load_acs_t *acs);
static void load_read(load_acs_t *acs);
static void load_basic(char *out, unsigned user);
static void load_wrong(load_acs_t *acs, const char *what)
    __attribute__((noreturn));


static int               load_ep;
static unsigned          load_connections;
static unsigned          load_gets;
static unsigned          load_fresh;
static unsigned          load_user;
static int               load_status;
static load_acs_t       *load_acss;
static unsigned          load_running;
static bench_latency_t   load_latency;


int
main(int argc, char **argv)
{
    int                 port;
    double              wall;
    uint64_t            start;
    unsigned            n, wakeups;
    const char         *pids;
    bench_usage_t       usage;
    struct epoll_event  ee;

    port = atoi(bench_option(argc, argv, "--port", "0"));
    load_connections = atoi(bench_option(argc, argv, "--connections", "64"));
    load_gets = atoi(bench_option(argc, argv, "--gets", "1"));
    load_fresh = atoi(bench_option(argc, argv, "--fresh-users", "0"));
    load_status = atoi(bench_option(argc, argv, "--status", "200"));
    wakeups = atoi(bench_option(argc, argv, "--wakeups", "1000"));
    pids = bench_option(argc, argv, "--pids", "");

    /* different ones in each run, so that nothing is known of them */

    load_user = load_fresh ? getpid() << 16 : 0;

    bench_open_files();

    load_ep = epoll_create1(EPOLL_CLOEXEC);
    load_acss = bench_alloc(load_connections * sizeof(*load_acss));

    load_targets(bench_option(argc, argv, "--targets", ""));

    for (n = 0; n < load_connections; n++) {
        load_acss[n].fd = bench_connect(port);

        ee.events = EPOLLIN;
        ee.data.ptr = &load_acss[n];
        epoll_ctl(load_ep, EPOLL_CTL_ADD, load_acss[n].fd, &ee);
    }

    load_run(atoi(bench_option(argc, argv, "--warmup", "1")));
    load_latency.n = 0;

    start = bench_now();
    bench_meter_start(pids);

    load_run((wakeups + load_connections - 1) / load_connections);

    bench_meter_stop(&usage);
    wall = (bench_now() - start) / 1e9;

    bench_usage_print(&usage);
    printf(" requests=%zu wall=%.6f p50=%.1f p99=%.1f max=%.1f\n",
           load_latency.n, wall, bench_latency(&load_latency, 0.5),
           bench_latency(&load_latency, 0.99),
           bench_latency(&load_latency, 1));

    return 0;
}


static void
load_targets(const char *file)
{
    char      line[512];
    FILE     *f;
    unsigned  n;

    f = fopen(file, "r");
    if (f == NULL) {
        bench_die("--targets=%s cannot be read", file);
    }

    for (n = 0; n < load_connections; n++) {
        if (fgets(line, sizeof(line), f) == NULL) {
            bench_die("%s has fewer targets than connections", file);
        }

        line[strcspn(line, "\n")] = '\0';
        load_acss[n].target = strdup(line);
    }

    fclose(f);
}


/* all connections, until each has done its wake-ups */

static void
load_run(unsigned wakeups)
{
    int                 i, n;
    unsigned            k;
    struct epoll_event  events[256];

    if (wakeups == 0) {
        return;
    }

    load_running = load_connections;

    for (k = 0; k < load_connections; k++) {
        load_acss[k].left = wakeups;
        load_acss[k].sent = bench_now();
        load_request(&load_acss[k]);
    }

    while (load_running) {
        n = epoll_wait(load_ep, events, 256, -1);

        for (i = 0; i < n; i++) {
            load_read(events[i].data.ptr);
        }
    }
}


static void
load_request(load_acs_t *acs)
{
    char  basic[64];

    load_basic(basic, load_user);

    if (load_fresh) {
        load_user++;
    }

    acs->len = snprintf(acs->out, sizeof(acs->out),
                        "GET %s HTTP/1.1\r\n"
                        "Host: acs-side.example\r\n"
                        "Authorization: Basic %s\r\n"
                        "\r\n", acs->target, basic);
    acs->pos = 0;

    /* nothing else is on its way: it fits into the socket's buffer */

    if (bench_send(acs->fd, acs->out, acs->len, &acs->pos) != 1) {
        load_wrong(acs, "cannot be sent");
    }
}


static void
load_read(load_acs_t *acs)
{
    bench_http_t  *h;

    h = &acs->http;

    switch (bench_http_read(h, acs->fd)) {

    case 0:
        return;

    case -1:
        load_wrong(acs, "has the connection closed instead of a reply");
    }

    if (bench_http_status(h) != load_status) {
        load_wrong(acs, "has another reply");
    }

    if (bench_http_next(h)) {
        load_wrong(acs, "has two replies");
    }

    if (++acs->get < load_gets) {
        load_request(acs);
        return;
    }

    acs->get = 0;
    bench_latency_add(&load_latency, bench_now() - acs->sent);

    if (--acs->left == 0) {
        load_running--;
        return;
    }

    acs->sent = bench_now();
    load_request(acs);
}


/* uNNNNNNNN:password in base64 */

static void
load_basic(char *out, unsigned user)
{
    int       i, n;
    char      text[32];
    uint32_t  bits;

    static const char  base64[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    memset(text, 0, sizeof(text));
    n = snprintf(text, sizeof(text), "u%08x:" LOAD_PASSWORD, user);

    for (i = 0; i < n; i += 3) {
        bits = (unsigned char) text[i] << 16 | (unsigned char) text[i + 1] << 8
               | (unsigned char) text[i + 2];

        *out++ = base64[bits >> 18];
        *out++ = base64[bits >> 12 & 63];
        *out++ = i + 1 < n ? base64[bits >> 6 & 63] : '=';
        *out++ = i + 2 < n ? base64[bits & 63] : '=';
    }

    *out = '\0';
}


static void
load_wrong(load_acs_t *acs, const char *what)
{
    fprintf(stderr, "%s\n%.*s\n", acs->out, (int) acs->http.len,
            acs->http.buf);

    bench_die("a wake-up %s", what);
}
