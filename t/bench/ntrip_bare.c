
/*
 * Fieldgate: the yardstick of the NTRIP benchmark.
 *
 * ntrip_bare --source=PORT
 *
 * An epoll program that answers each rover, reads what it
 * sends, and does one write() for each rover and each piece that comes from
 * the source.  Prints its port and pid; ends with SIGTERM.
 */


#define _GNU_SOURCE

#include "bench.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>


#define BARE_EVENTS  512


static const char  bare_request[] = "GET /M HTTP/1.0\r\n"
                                    "User-Agent: NTRIP bare\r\n\r\n";
static const char  bare_reply[] = "ICY 200 OK\r\n\r\n";

static int        *bare_fds;
static int        *bare_where;
static int         bare_n, bare_size;
static volatile sig_atomic_t  bare_end;


static void
bare_term(int signo)
{
    (void) signo;
    bare_end = 1;
}


static void
bare_add(int ep, int fd)
{
    struct epoll_event  ev;

    ev.events = EPOLLIN|EPOLLET;
    ev.data.fd = fd;

    if (epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ev) == -1) {
        bench_die("epoll_ctl failed");
    }
}


static void
bare_remove(int fd)
{
    int  last;

    if (fd >= bare_size || bare_where[fd] == -1) {
        return;
    }

    last = bare_fds[--bare_n];
    bare_fds[bare_where[fd]] = last;
    bare_where[last] = bare_where[fd];
    bare_where[fd] = -1;
}


static void
bare_rover(int fd)
{
    char     buf[4096];
    ssize_t  n;

    n = read(fd, buf, sizeof(buf));

    if (n == 0 || (n == -1 && errno != EAGAIN)) {
        bare_remove(fd);
        close(fd);
        return;
    }

    if (bare_where[fd] == -1 && n > 4 && memcmp(buf, "GET ", 4) == 0) {

        if (write(fd, bare_reply, sizeof(bare_reply) - 1) == -1) {
            return;
        }

        bare_where[fd] = bare_n;
        bare_fds[bare_n++] = fd;
    }
}


static void
bare_fan_out(int fd)
{
    int        i;
    char       buf[4096];
    ssize_t    n, sent;

    static int  answered;

    for ( ;; ) {
        n = read(fd, buf, sizeof(buf));

        if (n <= 0) {
            return;
        }

        if (!answered) {
            answered = 1;
            continue;
        }

        for (i = 0; i < bare_n; i++) {
            sent = write(bare_fds[i], buf, n);

            /* one that was reset is removed when its event comes */

            if (sent != n && (sent != -1 || errno == EAGAIN)) {
                bench_die("a rover takes no data");
            }
        }
    }
}


int
main(int argc, char **argv)
{
    int                 ep, lfd, source, i, n, fd, port;
    struct epoll_event  events[BARE_EVENTS];

    signal(SIGPIPE, SIG_IGN);
    signal(SIGTERM, bare_term);

    bench_open_files();

    bare_size = 65536;
    bare_fds = bench_alloc(bare_size * sizeof(int));
    bare_where = bench_alloc(bare_size * sizeof(int));

    for (i = 0; i < bare_size; i++) {
        bare_where[i] = -1;
    }

    source = bench_connect(atoi(bench_option(argc, argv, "--source", "0")));

    if (write(source, bare_request, sizeof(bare_request) - 1) == -1) {
        bench_die("no source");
    }

    port = 0;
    lfd = bench_listen(&port);
    ep = epoll_create1(0);

    bare_add(ep, lfd);
    bare_add(ep, source);

    printf("port=%d pid=%d\n", port, (int) getpid());
    fflush(stdout);

    while (!bare_end) {
        n = epoll_wait(ep, events, BARE_EVENTS, 1000);

        for (i = 0; i < n; i++) {

            if (events[i].data.fd == source) {
                bare_fan_out(source);

            } else if (events[i].data.fd == lfd) {
                while ((fd = bench_accept(lfd)) != -1) {
                    bare_add(ep, fd);
                }

            } else {
                bare_rover(events[i].data.fd);
            }
        }
    }

    return 0;
}
