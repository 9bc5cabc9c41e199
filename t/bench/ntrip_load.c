
/*
 * Fieldgate: rovers of the NTRIP benchmark.
 *
 * ntrip_load --port=PORT --pids=PID,... [--rovers=N] [--seconds=N] [--hold=1]
 *            [--mount=NAME] [--stations=N] [--near=N] [--gga=N] [--tls=1]
 *            [--first=N]
 *
 * Rovers that log in as u0, u1, ..., or from --first on, with the password p,
 * send a position every --gga seconds (10), and compare every byte they get:
 * whole messages, in order, none lost.  They get the mountpoint --mount (M);
 * with --stations one of S0, S1, ... in turn; with --near NEAR: each begins
 * near one of so many stations, twenty in a row, and moves 300 m a second to
 * the east.  --tls: over TLS.  Prints what the processes consume for the
 * logins, then for the delivery in --seconds, and latencies from the
 * provider's write to the rover's read.  With --hold, only logs in, says so,
 * and holds the connections until its input ends.
 */


#define _GNU_SOURCE

#include "bench.h"
#include "rtcm.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>


#define LOAD_EVENTS   512
#define LOAD_WINDOW   256        /* logins under way */
#define LOAD_ADDRS    64         /* 127.0.0.1 and up: more ports */
#define LOAD_CACHE    4096       /* newest messages, already checked */
#define LOAD_STEP     0.004      /* degrees, 300 m */


typedef struct {
    int        fd;
    uint32_t   number;           /* of the last message, 0: none */
    uint8_t   *part;             /* of a message, NULL: none */
    size_t     len;
    int        ready;            /* the reply is there */
    SSL       *ssl;              /* NULL: plain */
} rover_t;


static const char  load_reply[] = "ICY 200 OK\r\n\r\n";
static const char  load_gga[] =
    "$GPGGA,120000.00,4807.0380,N,01131.0000,E,4,12,0.8,545.4,M,46.9,M,1.0,1*"
    "76\r\n";

static int              load_ep;
static int              load_port;
static int              load_first;
static int              load_stations;
static int              load_near;
static int              load_every;          /* seconds between positions */
static const char      *load_mount;
static SSL_CTX         *load_tls;
static uint64_t         load_start;
static uint64_t         load_moves;
static int              load_nready;
static int              load_measuring;
static uint64_t         load_messages;
static uint64_t         load_bytes;
static rover_t         *load_rovers;
static bench_latency_t  load_latency;

static struct {
    size_t    len;
    uint8_t   frame[RTCM_MAX];
} load_cache[LOAD_CACHE];


static void
load_base64(char *dst, const char *src)
{
    size_t             i, len;
    uint32_t           n;
    static const char  set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "abcdefghijklmnopqrstuvwxyz0123456789+/";

    len = strlen(src);

    for (i = 0; i < len; i += 3) {
        n = (uint32_t) (uint8_t) src[i] << 16;
        n |= (i + 1 < len) ? (uint32_t) (uint8_t) src[i + 1] << 8 : 0;
        n |= (i + 2 < len) ? (uint8_t) src[i + 2] : 0;

        *dst++ = set[n >> 18];
        *dst++ = set[(n >> 12) & 63];
        *dst++ = (i + 1 < len) ? set[(n >> 6) & 63] : '=';
        *dst++ = (i + 2 < len) ? set[n & 63] : '=';
    }

    *dst = '\0';
}


/* the sentence of rover i, now; returns its length */

static int
load_position(int i, char *buf, size_t size)
{
    int       len;
    char     *p;
    double    lat, lon, jitter, s;
    uint8_t   sum;

    if (!load_near) {
        memcpy(buf, load_gga, sizeof(load_gga));
        return sizeof(load_gga) - 1;
    }

    s = (bench_now() - load_start) / 1e9;
    jitter = (i * 7919 % 1000) / 1000.0;

    lat = 45 + i % load_near / 20 * 0.2 + (jitter - 0.5) * 0.2;
    lon = 5 + fmod(i % load_near % 20 * 0.3 + jitter * 0.3 + s * LOAD_STEP,
                   20 * 0.3);

    len = snprintf(buf, size, "$GPGGA,120000.00,%02d%08.5f,N,%03d%08.5f,E,"
                   "4,12,0.8,500.0,M,47.0,M,1.0,0001",
                   (int) lat, (lat - (int) lat) * 60,
                   (int) lon, (lon - (int) lon) * 60);

    for (p = buf + 1, sum = 0; *p; p++) {
        sum ^= (uint8_t) *p;
    }

    return len + snprintf(buf + len, size - len, "*%02X\r\n", sum);
}


static ssize_t
load_write(rover_t *r, const char *buf, size_t len)
{
    return r->ssl ? SSL_write(r->ssl, buf, (int) len)
                  : write(r->fd, buf, len);
}


/* bytes; -1, errno EAGAIN: none for now; 0: closed */

static ssize_t
load_recv(rover_t *r, uint8_t *buf, size_t size)
{
    int  n;

    if (r->ssl == NULL) {
        return read(r->fd, buf, size);
    }

    ERR_clear_error();
    n = SSL_read(r->ssl, buf, (int) size);

    if (n <= 0 && SSL_get_error(r->ssl, n) == SSL_ERROR_WANT_READ) {
        errno = EAGAIN;
        return -1;
    }

    return n > 0 ? n : 0;
}


/* one after the other: what handshakes take is not looked at */

static void
load_handshake(rover_t *r)
{
    r->ssl = SSL_new(load_tls);

    fcntl(r->fd, F_SETFL, 0);

    if (r->ssl == NULL || SSL_set_fd(r->ssl, r->fd) != 1
        || SSL_connect(r->ssl) != 1)
    {
        ERR_print_errors_fp(stderr);
        bench_die("no handshake");
    }

    fcntl(r->fd, F_SETFL, O_NONBLOCK);
}


static void
load_open(int i)
{
    int                 on;
    rover_t            *r;
    struct epoll_event  ev;
    struct sockaddr_in  sin;

    r = &load_rovers[i];

    r->fd = socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC
                            |(load_tls ? 0 : SOCK_NONBLOCK), 0);
    if (r->fd == -1) {
        bench_die("socket(): %s", strerror(errno));
    }

    on = 1;
    setsockopt(r->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(r->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK + i % LOAD_ADDRS);

    if (bind(r->fd, (struct sockaddr *) &sin, sizeof(sin)) == -1) {
        bench_die("bind(): %s", strerror(errno));
    }

    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sin.sin_port = htons(load_port);

    if (connect(r->fd, (struct sockaddr *) &sin, sizeof(sin)) == -1
        && errno != EINPROGRESS)
    {
        bench_die("connect(): %s", strerror(errno));
    }

    if (load_tls) {
        load_handshake(r);
    }

    ev.events = EPOLLIN|EPOLLOUT|EPOLLET;
    ev.data.u32 = i;

    if (epoll_ctl(load_ep, EPOLL_CTL_ADD, r->fd, &ev) == -1) {
        bench_die("epoll_ctl(): %s", strerror(errno));
    }
}


static void
load_request(int i)
{
    int                 len;
    char                user[32], auth[64], mount[64], gga[128], buf[512];
    struct epoll_event  ev;

    snprintf(user, sizeof(user), "u%d:p", load_first + i);
    load_base64(auth, user);

    snprintf(mount, sizeof(mount), "%s", load_near ? "NEAR" : load_mount);

    if (load_stations) {
        snprintf(mount, sizeof(mount), "S%d", i % load_stations);
    }

    (void) load_position(i, gga, sizeof(gga));

    len = snprintf(buf, sizeof(buf), "GET /%s HTTP/1.0\r\n"
                   "User-Agent: NTRIP load\r\nAuthorization: Basic %s\r\n\r\n"
                   "%s", mount, auth, gga);

    if (load_write(&load_rovers[i], buf, len) != len) {
        bench_die("request of rover %d: %s", i, strerror(errno));
    }

    ev.events = EPOLLIN|EPOLLET;
    ev.data.u32 = i;
    epoll_ctl(load_ep, EPOLL_CTL_MOD, load_rovers[i].fd, &ev);
}


static void
load_message(rover_t *r, const uint8_t *frame, size_t len, uint64_t now)
{
    uint32_t  number, n;

    number = rtcm_number(frame);
    n = (number + (number >> 20)) % LOAD_CACHE;

    if (load_cache[n].len != len
        || memcmp(load_cache[n].frame, frame, len) != 0)
    {
        rtcm_check(frame, len);
        load_cache[n].len = len;
        memcpy(load_cache[n].frame, frame, len);
    }

    if (r->number && number >> 20 != r->number >> 20 && load_near) {
        load_moves++;

    } else if (r->number && number != r->number + 1) {
        bench_die("message %u behind %u", number, r->number);
    }

    r->number = number;

    if (load_measuring) {
        load_messages++;
        load_bytes += len;
        bench_latency_add(&load_latency, now - rtcm_time(frame));
    }
}


static void
load_read(int i)
{
    size_t    len, need;
    ssize_t   n;
    uint8_t   buf[65536], *p;
    rover_t  *r;
    uint64_t  now;

    r = &load_rovers[i];

    for ( ;; ) {
        len = r->len;

        if (len) {
            memcpy(buf, r->part, len);
        }

        n = load_recv(r, buf + len, sizeof(buf) - len);

        if (n == -1 && errno == EAGAIN) {
            return;
        }

        if (n <= 0) {
            bench_die("rover %d was closed", i);
        }

        now = bench_now();
        len += n;
        p = buf;

        if (!r->ready) {

            if (len < sizeof(load_reply) - 1) {
                bench_die("rover %d: reply in pieces", i);
            }

            if (memcmp(p, load_reply, sizeof(load_reply) - 1) != 0) {
                bench_die("rover %d: %.*s", i, (int) len, (char *) p);
            }

            r->ready = 1;
            load_nready++;

            p += sizeof(load_reply) - 1;
            len -= sizeof(load_reply) - 1;
        }

        while (len) {
            need = rtcm_length(p, len);

            if (need == 0 || len < need) {
                break;
            }

            load_message(r, p, need, now);
            p += need;
            len -= need;
        }

        r->len = len;

        if (len) {
            if (r->part == NULL) {
                r->part = bench_alloc(RTCM_MAX);
            }

            memcpy(r->part, p, len);
        }
    }
}


static void
load_events(int timeout)
{
    int                 i, n;
    struct epoll_event  events[LOAD_EVENTS];

    n = epoll_wait(load_ep, events, LOAD_EVENTS, timeout);

    for (i = 0; i < n; i++) {

        if ((events[i].events & EPOLLOUT)
            && !load_rovers[events[i].data.u32].ready)
        {
            load_request(events[i].data.u32);
        }

        if (events[i].events & (EPOLLIN|EPOLLHUP|EPOLLERR)) {
            load_read(events[i].data.u32);
        }
    }
}


/* positions, spread over the time between two of a rover, until then */

static void
load_deliver(int rovers, uint64_t until)
{
    int       due, sent, len;
    char      gga[128];
    uint64_t  now, start;

    start = bench_now();
    sent = 0;

    for ( ;; ) {
        now = bench_now();

        if (now >= until) {
            return;
        }

        due = (int) ((now - start) / 1000000 * rovers / (load_every * 1000));

        for ( /* void */ ; sent < due; sent++) {
            len = load_position(sent % rovers, gga, sizeof(gga));

            if (load_write(&load_rovers[sent % rovers], gga, len) != len) {
                bench_die("position: %s", strerror(errno));
            }
        }

        load_events(20);
    }
}


int
main(int argc, char **argv)
{
    int             i, rovers, seconds;
    char            c;
    uint64_t        start, logged_in;
    const char     *pids;
    bench_usage_t   login, usage;
    struct linger   linger;

    load_port = atoi(bench_option(argc, argv, "--port", "0"));
    rovers = atoi(bench_option(argc, argv, "--rovers", "1000"));
    seconds = atoi(bench_option(argc, argv, "--seconds", "10"));
    pids = bench_option(argc, argv, "--pids", "");

    load_mount = bench_option(argc, argv, "--mount", "M");
    load_first = atoi(bench_option(argc, argv, "--first", "0"));
    load_stations = atoi(bench_option(argc, argv, "--stations", "0"));
    load_near = atoi(bench_option(argc, argv, "--near", "0"));
    load_every = atoi(bench_option(argc, argv, "--gga", "10"));
    load_start = bench_now();

    if (atoi(bench_option(argc, argv, "--tls", "0"))) {
        load_tls = SSL_CTX_new(TLS_client_method());
    }

    signal(SIGPIPE, SIG_IGN);
    bench_open_files();

    load_ep = epoll_create1(0);
    load_rovers = bench_alloc(rovers * sizeof(rover_t));

    bench_meter_start(pids);
    start = bench_now();

    for (i = 0; i < rovers; i++) {
        load_open(i);

        while (i - load_nready >= LOAD_WINDOW) {
            load_events(1000);
        }
    }

    while (load_nready < rovers) {
        load_events(1000);
    }

    logged_in = bench_now() - start;
    bench_meter_stop(&login);

    if (atoi(bench_option(argc, argv, "--hold", "0"))) {
        printf("port=%d logins=%d\n", load_port, rovers);
        fflush(stdout);

        while (read(0, &c, 1) == 1) { /* void */ }

    } else {

        /* until each has got a message */

        for (i = 0; i < rovers; i++) {
            while (load_rovers[i].number == 0) {
                load_events(1000);
            }
        }

        load_measuring = 1;
        bench_meter_start(pids);
        load_deliver(rovers, bench_now() + (uint64_t) seconds * 1000000000);
        bench_meter_stop(&usage);

        printf("requests=%llu bytes=%llu p50=%.0f p99=%.0f "
               "login_ms=%.0f login_cpu=%lld moves=%llu ",
               (unsigned long long) load_messages,
               (unsigned long long) load_bytes,
               bench_latency(&load_latency, 0.5),
               bench_latency(&load_latency, 0.99),
               logged_in / 1e6, (long long) login.cpu,
               (unsigned long long) load_moves);
        bench_usage_print(&usage);
        putchar('\n');
    }

    /* no TIME_WAIT: the next round needs the ports */

    linger.l_onoff = 1;
    linger.l_linger = 0;

    for (i = 0; i < rovers; i++) {
        setsockopt(load_rovers[i].fd, SOL_SOCKET, SO_LINGER, &linger,
                   sizeof(linger));
        close(load_rovers[i].fd);
    }

    return 0;
}
