
/*
 * What the load tools share.
 */


#define _GNU_SOURCE

#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>


typedef struct {
    pid_t    pid;
    int      cycles;             /* counters */
    int      user;
    int      kernel;
    int64_t  cpu;
} bench_process_t;


static void bench_terminate(int signo);
static void bench_new_connection(int ep, int fd, size_t size);
static void bench_read(bench_connection_t *c, bench_request_pt handler);
static int bench_listen_on(in_addr_t addr, const char *dev, int *port);
static int64_t bench_cpu(pid_t pid);
static int bench_counter(pid_t pid, int event, int user, int kernel);
static void bench_counted(int fd, int64_t *sum);


static bench_process_t  bench_processes[BENCH_MAX_PIDS];
static size_t           bench_nprocesses;

static volatile sig_atomic_t  bench_terminated;


void
bench_die(const char *fmt, ...)
{
    va_list  args;

    fprintf(stderr, "%s: ", program_invocation_short_name);

    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);

    fputc('\n', stderr);
    exit(1);
}


void *
bench_alloc(size_t size)
{
    void  *p;

    p = calloc(1, size);
    if (p == NULL) {
        bench_die("no memory");
    }

    return p;
}


uint64_t
bench_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000000 + ts.tv_nsec;
}


void
bench_open_files(void)
{
    struct rlimit  rl;

    if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
        rl.rlim_cur = rl.rlim_max;
        (void) setrlimit(RLIMIT_NOFILE, &rl);
    }
}


const char *
bench_option(int argc, char **argv, const char *name, const char *def)
{
    int     i;
    size_t  len;

    len = strlen(name);

    for (i = 1; i < argc; i++) {
        if (strncmp(argv[i], name, len) == 0 && argv[i][len] == '=') {
            return argv[i] + len + 1;
        }
    }

    return def;
}


int
bench_listen(int *port)
{
    return bench_listen_on(INADDR_LOOPBACK, NULL, port);
}


int
bench_listen_any(int *port)
{
    return bench_listen_on(INADDR_ANY, "lo", port);
}


static int
bench_listen_on(in_addr_t addr, const char *dev, int *port)
{
    int                 fd, on;
    socklen_t           len;
    struct sockaddr_in  sin;

    fd = socket(AF_INET, SOCK_STREAM|SOCK_NONBLOCK|SOCK_CLOEXEC, 0);
    if (fd == -1) {
        bench_die("socket(): %s", strerror(errno));
    }

    on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));

    if (dev != NULL
        && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, dev, strlen(dev)) == -1)
    {
        bench_die("binding to %s: %s", dev, strerror(errno));
    }

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_addr.s_addr = htonl(addr);
    sin.sin_port = htons(*port);
    len = sizeof(sin);

    if (bind(fd, (struct sockaddr *) &sin, len) == -1
        || listen(fd, 4096) == -1
        || getsockname(fd, (struct sockaddr *) &sin, &len) == -1)
    {
        bench_die("listening on port %d: %s", *port, strerror(errno));
    }

    *port = ntohs(sin.sin_port);

    return fd;
}


int
bench_accept(int fd)
{
    int  s, on;

    s = accept4(fd, NULL, NULL, SOCK_NONBLOCK|SOCK_CLOEXEC);

    if (s == -1) {
        if (errno != EAGAIN && errno != ECONNABORTED) {
            bench_die("accept4(): %s", strerror(errno));
        }

        return -1;
    }

    on = 1;
    setsockopt(s, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));

    return s;
}


unsigned long
bench_serve(int listener, size_t size, bench_request_pt handler)
{
    int                 i, n, fd, ep;
    unsigned long       connections;
    struct sigaction    sa;
    struct epoll_event  ee, events[256];

    /* without SA_RESTART, so that it ends epoll_wait() */

    memset(&sa, 0, sizeof(sa));
    sa.sa_handler = bench_terminate;
    sigaction(SIGTERM, &sa, NULL);

    ep = epoll_create1(EPOLL_CLOEXEC);

    ee.events = EPOLLIN;
    ee.data.ptr = NULL;
    epoll_ctl(ep, EPOLL_CTL_ADD, listener, &ee);

    connections = 0;

    while (!bench_terminated) {
        n = epoll_wait(ep, events, 256, -1);

        for (i = 0; i < n; i++) {

            if (events[i].data.ptr != NULL) {
                bench_read(events[i].data.ptr, handler);
                continue;
            }

            while ((fd = bench_accept(listener)) != -1) {
                bench_new_connection(ep, fd, size);
                connections++;
            }
        }
    }

    return connections;
}


static void
bench_terminate(int signo)
{
    (void) signo;
    bench_terminated = 1;
}


static void
bench_new_connection(int ep, int fd, size_t size)
{
    bench_connection_t  *c;
    struct epoll_event   ee;

    c = bench_alloc(size);
    c->fd = fd;

    ee.events = EPOLLIN;
    ee.data.ptr = c;
    epoll_ctl(ep, EPOLL_CTL_ADD, fd, &ee);
}


static void
bench_read(bench_connection_t *c, bench_request_pt handler)
{
    switch (bench_http_read(&c->http, c->fd)) {

    case 0:
        return;

    case 1:
        do {
            handler(c);
        } while (bench_http_next(&c->http));

        return;
    }

    if (c->http.len) {
        bench_wrong(c, "closed in the middle of a request");
    }

    close(c->fd);
    free(c->http.buf);
    free(c);
}


void
bench_reply(bench_connection_t *c, const char *data, size_t len)
{
    size_t  pos;

    pos = 0;

    if (bench_send(c->fd, data, len, &pos) == 0) {
        bench_wrong(c, "a reply that is not read");
    }
}


void
bench_wrong(bench_connection_t *c, const char *what)
{
    fflush(stdout);
    fprintf(stderr, "%.*s\n", (int) (c->http.len > 8192 ? 8192 : c->http.len),
            c->http.buf);

    bench_die("%s", what);
}


int
bench_connect(int port)
{
    int                 fd, on;
    struct sockaddr_in  sin;

    fd = socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC, 0);
    if (fd == -1) {
        bench_die("socket(): %s", strerror(errno));
    }

    on = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sin.sin_port = htons(port);

    if (connect(fd, (struct sockaddr *) &sin, sizeof(sin)) == -1
        || fcntl(fd, F_SETFL, O_NONBLOCK) == -1)
    {
        bench_die("connect() to port %d: %s", port, strerror(errno));
    }

    return fd;
}


static int
bench_http_whole(bench_http_t *h)
{
    size_t       len;
    const char  *end, *value;

    if (h->head == 0) {
        end = memmem(h->buf, h->len, "\r\n\r\n", 4);
        if (end == NULL) {
            return 0;
        }

        h->head = end + 4 - h->buf;
        h->body = 0;

        value = bench_http_header(h, "Content-Length", &len);
        if (value != NULL) {
            h->body = strtoul(value, NULL, 10);
        }
    }

    return h->len >= h->head + h->body;
}


int
bench_http_read(bench_http_t *h, int fd)
{
    ssize_t  n;

    for ( ;; ) {

        if (h->size - h->len < 4096) {
            h->size = h->size ? h->size * 2 : 16384;
            h->buf = realloc(h->buf, h->size);
            if (h->buf == NULL) {
                bench_die("no memory");
            }
        }

        n = recv(fd, h->buf + h->len, h->size - h->len, 0);

        if (n > 0) {
            h->len += n;

            if (bench_http_whole(h)) {
                return 1;
            }

            continue;
        }

        if (n == -1 && errno == EINTR) {
            continue;
        }

        return (n == -1 && errno == EAGAIN) ? 0 : -1;
    }
}


int
bench_http_next(bench_http_t *h)
{
    size_t  n;

    n = h->head + h->body;
    h->len -= n;
    h->head = 0;

    if (h->len == 0) {
        return 0;
    }

    memmove(h->buf, h->buf + n, h->len);

    return bench_http_whole(h);
}


const char *
bench_http_header(bench_http_t *h, const char *name, size_t *len)
{
    size_t       n;
    const char  *p, *end, *eol, *found;

    n = strlen(name);
    end = h->buf + h->head - 2;
    found = NULL;

    for (p = memchr(h->buf, '\n', h->head) + 1; p < end; p = eol + 2) {

        eol = memchr(p, '\r', end - p + 1);

        if ((size_t) (eol - p) <= n
            || p[n] != ':'
            || strncasecmp(p, name, n) != 0)
        {
            continue;
        }

        if (found != NULL) {
            return NULL;
        }

        for (found = p + n + 1; *found == ' '; found++) { /* void */ }

        *len = eol - found;
    }

    return found;
}


int
bench_http_status(bench_http_t *h)
{
    if (h->head < 16 || memcmp(h->buf, "HTTP/1.1 ", 9) != 0) {
        return 0;
    }

    return atoi(h->buf + 9);
}


int
bench_send(int fd, const char *data, size_t len, size_t *pos)
{
    ssize_t  n;

    while (*pos < len) {
        n = send(fd, data + *pos, len - *pos, MSG_NOSIGNAL);

        if (n > 0) {
            *pos += n;
            continue;
        }

        if (errno == EINTR) {
            continue;
        }

        return errno == EAGAIN ? 0 : -1;
    }

    return 1;
}


void
bench_meter_start(const char *pids)
{
    char             *end;
    bench_process_t  *p;

    bench_nprocesses = 0;

    while (*pids != '\0') {
        if (bench_nprocesses == BENCH_MAX_PIDS) {
            bench_die("too many processes to meter");
        }

        p = &bench_processes[bench_nprocesses++];
        p->pid = strtol(pids, &end, 10);
        pids = *end == ',' ? end + 1 : end;

        p->cycles = bench_counter(p->pid, PERF_COUNT_HW_CPU_CYCLES, 1, 1);
        p->user = bench_counter(p->pid, PERF_COUNT_HW_INSTRUCTIONS, 1, 0);
        p->kernel = bench_counter(p->pid, PERF_COUNT_HW_INSTRUCTIONS, 0, 1);
        p->cpu = bench_cpu(p->pid);
    }
}


void
bench_meter_stop(bench_usage_t *usage)
{
    size_t            i;
    bench_process_t  *p;

    memset(usage, 0, sizeof(*usage));

    for (i = 0; i < bench_nprocesses; i++) {
        p = &bench_processes[i];

        usage->cpu += bench_cpu(p->pid) - p->cpu;

        bench_counted(p->cycles, &usage->cycles);
        bench_counted(p->user, &usage->user);
        bench_counted(p->kernel, &usage->kernel);
    }
}


void
bench_usage_print(bench_usage_t *usage)
{
    printf("cpu=%lld cycles=%lld user=%lld kernel=%lld",
           (long long) usage->cpu, (long long) usage->cycles,
           (long long) usage->user, (long long) usage->kernel);
}


/*
 * utime + stime of /proc/PID/stat are the scheduler's figure of schedstat,
 * split in two and rounded to ticks of 10 ms
 */

static int64_t
bench_cpu(pid_t pid)
{
    int            i;
    char           path[64], line[1024], *p;
    FILE          *f;
    long long      ns;
    unsigned long  utime, stime;

    snprintf(path, sizeof(path), "/proc/%d/schedstat", (int) pid);

    f = fopen(path, "r");
    if (f != NULL) {
        i = fscanf(f, "%lld", &ns);
        fclose(f);

        if (i == 1 && ns > 0) {
            return ns;
        }
    }

    snprintf(path, sizeof(path), "/proc/%d/stat", (int) pid);

    f = fopen(path, "r");
    if (f == NULL || fgets(line, sizeof(line), f) == NULL) {
        bench_die("%s: %s", path, strerror(errno));
    }

    fclose(f);

    /* fields 14 and 15, counted behind the name, which may hold spaces */

    p = strrchr(line, ')');
    for (i = 0; p != NULL && i < 12; i++) {
        p = strchr(p + 1, ' ');
    }

    if (p == NULL || sscanf(p, "%lu %lu", &utime, &stime) != 2) {
        bench_die("%s: not understood", path);
    }

    return (int64_t) (utime + stime) * (1000000000 / sysconf(_SC_CLK_TCK));
}


static int
bench_counter(pid_t pid, int event, int user, int kernel)
{
    struct perf_event_attr  attr;

    memset(&attr, 0, sizeof(attr));
    attr.size = sizeof(attr);
    attr.type = PERF_TYPE_HARDWARE;
    attr.config = event;
    attr.exclude_user = !user;
    attr.exclude_kernel = !kernel;
    attr.exclude_hv = 1;

    return syscall(SYS_perf_event_open, &attr, pid, -1, -1,
                   PERF_FLAG_FD_CLOEXEC);
}


static void
bench_counted(int fd, int64_t *sum)
{
    uint64_t  value;

    if (fd == -1 || read(fd, &value, sizeof(value)) != sizeof(value)) {
        *sum = -1;

    } else if (*sum != -1) {
        *sum += value;
    }

    if (fd != -1) {
        close(fd);
    }
}


void
bench_latency_add(bench_latency_t *l, uint64_t ns)
{
    if (l->n == l->size) {
        l->size = l->size ? l->size * 2 : 65536;
        l->tenths = realloc(l->tenths, l->size * sizeof(*l->tenths));
        if (l->tenths == NULL) {
            bench_die("no memory");
        }
    }

    ns /= 100;
    l->tenths[l->n++] = ns > UINT32_MAX ? UINT32_MAX : ns;
}


static int
bench_latency_cmp(const void *one, const void *two)
{
    uint32_t  a, b;

    a = *(const uint32_t *) one;
    b = *(const uint32_t *) two;

    return (a > b) - (a < b);
}


double
bench_latency(bench_latency_t *l, double quantile)
{
    size_t  i;

    if (l->n == 0) {
        return 0;
    }

    qsort(l->tenths, l->n, sizeof(*l->tenths), bench_latency_cmp);

    i = l->n * quantile;

    return l->tenths[i < l->n ? i : l->n - 1] / 10.0;
}
