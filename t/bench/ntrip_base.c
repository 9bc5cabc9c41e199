
/*
 * Fieldgate: base stations of the NTRIP benchmark.
 *
 * ntrip_base --to=PORT [--stations=N] [--size=N]
 *
 * Uploads to S0, S1, ... with the password p, a message of --size bytes (600)
 * a second each, spread over the second.  The number of a message has that of
 * its station above 20 bits.  Prints its port when all are welcome; ends with
 * SIGTERM.
 */


#define _GNU_SOURCE

#include "bench.h"
#include "rtcm.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>


static volatile sig_atomic_t  base_end;


static void
base_term(int signo)
{
    (void) signo;
    base_end = 1;
}


static int
base_open(int port, int station)
{
    int      fd, len;
    char     buf[128];
    ssize_t  n;

    fd = bench_connect(port);

    /* the request and its answer are waited for, and so are messages */

    if (fcntl(fd, F_SETFL, 0) == -1) {
        bench_die("fcntl(): %s", strerror(errno));
    }

    len = snprintf(buf, sizeof(buf), "SOURCE p /S%d\r\n"
                   "Source-Agent: NTRIP bench\r\n\r\n", station);

    if (write(fd, buf, len) != len) {
        bench_die("request of station %d: %s", station, strerror(errno));
    }

    n = read(fd, buf, sizeof(buf));

    if (n < 12 || memcmp(buf, "ICY 200 OK\r\n", 12) != 0) {
        bench_die("station %d: %.*s", station, n > 0 ? (int) n : 0, buf);
    }

    return fd;
}


int
main(int argc, char **argv)
{
    int        i, n, port, *fds;
    size_t     size;
    uint8_t    frame[RTCM_MAX];
    uint32_t   seq;
    uint64_t   now, next;

    port = atoi(bench_option(argc, argv, "--to", "0"));
    n = atoi(bench_option(argc, argv, "--stations", "1000"));
    size = atoi(bench_option(argc, argv, "--size", "600"));

    if (size < RTCM_MIN || size > RTCM_MAX || n < 1 || n > 4095) {
        bench_die("messages of %zu bytes, %d stations", size, n);
    }

    signal(SIGTERM, base_term);
    bench_open_files();

    fds = bench_alloc(n * sizeof(int));

    for (i = 0; i < n; i++) {
        fds[i] = base_open(port, i);
    }

    printf("port=%d\n", port);
    fflush(stdout);

    next = bench_now();

    for (seq = 1; !base_end; seq++) {

        for (i = 0; i < n && !base_end; i++) {
            now = bench_now();

            if (next > now) {
                poll(NULL, 0, (int) ((next - now) / 1000000));
            }

            rtcm_frame(frame, size, (uint32_t) i << 20 | seq, bench_now(), 1);

            if (write(fds[i], frame, size) != (ssize_t) size) {
                bench_die("station %d: %s", i, strerror(errno));
            }

            next += 1000000000 / n;
        }
    }

    printf("messages=%llu\n", (unsigned long long) seq * n);

    return 0;
}
