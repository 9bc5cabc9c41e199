
/*
 * Fieldgate: the provider of the NTRIP benchmark.
 *
 * ntrip_source [--rate=N] [--size=N] [--segments=N]
 *
 * Whoever asks gets an epoch of --size bytes (600) --rate times a second (1),
 * in --segments messages (1), each a write of its own 0.2 ms after the one
 * before.  Prints its port; ends with SIGTERM.
 */


#define _GNU_SOURCE

#include "bench.h"
#include "rtcm.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>


#define SOURCE_MAX  64


static const char  source_reply[] = "ICY 200 OK\r\n\r\n";

static int         source_fds[SOURCE_MAX];
static int         source_n;
static volatile sig_atomic_t  source_end;


static void
source_term(int signo)
{
    (void) signo;
    source_end = 1;
}


/* requests, positions, and the end of connections, for "ns" */

static void
source_serve(int lfd, uint64_t until)
{
    int              i, n;
    char             buf[4096];
    ssize_t          size;
    uint64_t         now;
    struct pollfd    fds[SOURCE_MAX + 1];
    struct timespec  ts;

    for ( ;; ) {
        now = bench_now();

        if (now >= until || source_end) {
            return;
        }

        ts.tv_sec = (until - now) / 1000000000;
        ts.tv_nsec = (until - now) % 1000000000;

        fds[0].fd = lfd;
        fds[0].events = POLLIN;

        for (i = 0; i < source_n; i++) {
            fds[i + 1].fd = source_fds[i];
            fds[i + 1].events = POLLIN;
            fds[i + 1].revents = 0;
        }

        n = source_n;

        if (ppoll(fds, n + 1, &ts, NULL) <= 0) {
            continue;
        }

        for (i = n - 1; i >= 0; i--) {
            if (fds[i + 1].revents == 0) {
                continue;
            }

            size = read(source_fds[i], buf, sizeof(buf));

            if (size <= 0) {
                close(source_fds[i]);
                source_fds[i] = source_fds[--source_n];

            } else if (size > 4 && memcmp(buf, "GET ", 4) == 0
                       && write(source_fds[i], source_reply,
                                sizeof(source_reply) - 1) == -1)
            {
                bench_die("write failed");
            }
        }

        if ((fds[0].revents & POLLIN) && source_n < SOURCE_MAX) {
            i = bench_accept(lfd);

            if (i != -1) {
                source_fds[source_n++] = i;
            }
        }
    }
}


int
main(int argc, char **argv)
{
    int        fd, i, port, segments, segment;
    size_t     size, pos, len;
    uint8_t    frame[RTCM_MAX];
    uint32_t   number;
    uint64_t   next, period;

    size = atoi(bench_option(argc, argv, "--size", "600"));
    segments = atoi(bench_option(argc, argv, "--segments", "1"));
    period = 1000000000 / atoi(bench_option(argc, argv, "--rate", "1"));
    len = size / segments;

    if (len < RTCM_MIN || len > RTCM_MAX) {
        bench_die("messages of %zu bytes", len);
    }

    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, source_term);

    port = 0;
    fd = bench_listen(&port);

    printf("port=%d\n", port);
    fflush(stdout);

    number = 0;
    next = bench_now() + period;

    while (!source_end) {
        source_serve(fd, next);

        for (segment = 0; segment < segments; segment++) {

            if (segment) {
                source_serve(fd, bench_now() + 200000);
            }

            rtcm_frame(frame, len, ++number, bench_now(),
                       segment == segments - 1);

            for (i = 0; i < source_n; i++) {
                pos = 0;
                (void) bench_send(source_fds[i], (char *) frame, len, &pos);
            }
        }

        next += period;
    }

    printf("messages=%u\n", number);

    return 0;
}
