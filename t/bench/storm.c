
/*
 * storm OPTION...: many CPEs that come back at once, and the ACS that they want
 *
 *   --port=N      where nginx waits for CPEs
 *   --acs=N       where the ACS waits for nginx
 *   --cpes=N      how many CPEs
 *   --within=N    milliseconds in which they come
 *   --rate=N      sessions that the ACS can do in a second
 *   --timeout=N   milliseconds that a CPE waits for an answer
 *   --limit=N     milliseconds after which it is over
 *
 * A session is an Inform, which takes the ACS its time, and an empty POST.  One
 * that fails comes again as TR-069 3.2.1.1 says, after 5 to 10 s, 10 to 20 s,
 * and so on.  Prints "served=N half=S most=S all=S attempts=N refused=N
 * timeouts=N vain=N", in seconds; most: nine tenths; vain: answers for who had
 * gone.
 */


#define _GNU_SOURCE

#include "bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>


#define STORM_RETRIES  10


typedef enum {
    STORM_LISTENER = 0,
    STORM_ACS,
    STORM_CPE
} storm_kind_e;


typedef enum {
    STORM_IDLE = 0,
    STORM_CONNECTING,
    STORM_INFORM,
    STORM_EMPTY,
    STORM_SERVED
} storm_state_e;


/* a CPE, or a connection that the ACS has accepted */

typedef struct storm_peer_s  storm_peer_t;

struct storm_peer_s {
    storm_kind_e    kind;
    storm_state_e   state;
    int             fd;          /* -1: none */
    unsigned        id;
    unsigned        turn;        /* what was planned in another one is void */
    unsigned        retries;
    size_t          len;
    char            buf[1024];
    storm_peer_t   *next;        /* free */
};


typedef struct {
    uint64_t        time;
    storm_peer_t   *peer;
    unsigned        turn;
} storm_plan_t;


static void storm_plan(uint64_t time, storm_peer_t *p);
static int storm_due(uint64_t now, storm_plan_t *plan);
static void storm_watch(storm_peer_t *p, int op, unsigned events);
static void storm_begin(storm_peer_t *c);
static void storm_send(storm_peer_t *p, const char *text);
static void storm_leave(storm_peer_t *p);
static void storm_fail(storm_peer_t *c);
static int storm_read(storm_peer_t *p);
static void storm_cpe(storm_peer_t *c);
static void storm_accept(void);
static void storm_acs(storm_peer_t *p);
static void storm_answer(uint64_t now);
static void storm_run(void);


static int  storm_ep, storm_port;

static uint64_t  storm_now, storm_start, storm_timeout, storm_limit;

/* a heap: the earliest first */
static storm_plan_t  *storm_plans;
static size_t         storm_nplans, storm_plans_size;

/* what the ACS is at, in its order */
static storm_plan_t  *storm_queue;
static size_t         storm_first, storm_nqueue, storm_queue_size;
static uint64_t       storm_free, storm_each;

static storm_peer_t   storm_listener, *storm_spare;

static uint64_t  *storm_served;
static unsigned   storm_nserved, storm_cpes, storm_attempts, storm_refused,
                  storm_timeouts, storm_vain;


static void
storm_plan(uint64_t time, storm_peer_t *p)
{
    size_t        i;
    storm_plan_t  plan;

    if (storm_nplans == storm_plans_size) {
        storm_plans_size = storm_plans_size ? storm_plans_size * 2 : 65536;
        storm_plans = realloc(storm_plans,
                              storm_plans_size * sizeof(storm_plan_t));
        if (storm_plans == NULL) {
            bench_die("no memory");
        }
    }

    plan.time = time;
    plan.peer = p;
    plan.turn = p->turn;

    for (i = storm_nplans++; i && storm_plans[(i - 1) / 2].time > time;
         i = (i - 1) / 2)
    {
        storm_plans[i] = storm_plans[(i - 1) / 2];
    }

    storm_plans[i] = plan;
}


/* 1: something is due, and is taken out */

static int
storm_due(uint64_t now, storm_plan_t *plan)
{
    size_t        i, child;
    storm_plan_t  last;

    if (storm_nplans == 0 || storm_plans[0].time > now) {
        return 0;
    }

    *plan = storm_plans[0];
    last = storm_plans[--storm_nplans];

    for (i = 0; (child = 2 * i + 1) < storm_nplans; i = child) {

        if (child + 1 < storm_nplans
            && storm_plans[child + 1].time < storm_plans[child].time)
        {
            child++;
        }

        if (storm_plans[child].time >= last.time) {
            break;
        }

        storm_plans[i] = storm_plans[child];
    }

    storm_plans[i] = last;

    return 1;
}


static void
storm_watch(storm_peer_t *p, int op, unsigned events)
{
    struct epoll_event  ee;

    ee.events = events;
    ee.data.ptr = p;

    if (epoll_ctl(storm_ep, op, p->fd, &ee) == -1) {
        bench_die("epoll_ctl(): %s", strerror(errno));
    }
}


/* each CPE has an address of its own in 127.0.0.0/8 */

static void
storm_begin(storm_peer_t *c)
{
    int                 on;
    struct sockaddr_in  sin;

    storm_attempts++;
    c->turn++;
    c->len = 0;

    c->fd = socket(AF_INET, SOCK_STREAM|SOCK_CLOEXEC|SOCK_NONBLOCK, 0);
    if (c->fd == -1) {
        bench_die("socket(): %s", strerror(errno));
    }

    on = 1;
    setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_addr.s_addr = htonl(0x7f010000 + (c->id / 250 << 8) + 1
                                + c->id % 250);

    if (bind(c->fd, (struct sockaddr *) &sin, sizeof(sin)) == -1) {
        bench_die("bind(): %s", strerror(errno));
    }

    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    sin.sin_port = htons(storm_port);

    if (connect(c->fd, (struct sockaddr *) &sin, sizeof(sin)) == -1
        && errno != EINPROGRESS)
    {
        storm_fail(c);
        return;
    }

    c->state = STORM_CONNECTING;
    storm_watch(c, EPOLL_CTL_ADD, EPOLLOUT);
    storm_plan(storm_now + storm_timeout, c);
}


/* small enough for any socket buffer */

static void
storm_send(storm_peer_t *p, const char *text)
{
    size_t  len;

    len = strlen(text);

    if (send(p->fd, text, len, MSG_NOSIGNAL) != (ssize_t) len
        && p->kind == STORM_CPE)
    {
        storm_fail(p);
    }
}


static void
storm_leave(storm_peer_t *p)
{
    if (p->fd != -1) {
        close(p->fd);
        p->fd = -1;
    }

    p->turn++;
}


static void
storm_fail(storm_peer_t *c)
{
    double  wait;

    storm_leave(c);

    if (c->retries < STORM_RETRIES) {
        c->retries++;
    }

    wait = 5e9 * (1 << (c->retries - 1)) * (1 + drand48());

    c->state = STORM_IDLE;
    storm_plan(storm_now + (uint64_t) wait, c);
}


/* the status of a whole message, 1 for a request; 0: not yet, -1: closed */

static int
storm_read(storm_peer_t *p)
{
    char     *end, *length;
    ssize_t   n;

    n = recv(p->fd, p->buf + p->len, sizeof(p->buf) - 1 - p->len, 0);

    if (n <= 0) {
        return (n == -1 && errno == EAGAIN) ? 0 : -1;
    }

    p->len += n;
    p->buf[p->len] = '\0';

    end = strstr(p->buf, "\r\n\r\n");
    if (end == NULL) {
        return (p->len == sizeof(p->buf) - 1) ? -1 : 0;
    }

    length = strcasestr(p->buf, "\r\nContent-Length: ");
    n = (length && length < end) ? atoi(length + 18) : 0;

    if (end + 4 + n > p->buf + p->len) {
        return (end + 4 + n > p->buf + sizeof(p->buf) - 1) ? -1 : 0;
    }

    p->len = n;

    return strncmp(p->buf, "HTTP/1.1 ", 9) == 0 ? atoi(p->buf + 9) : 1;
}


static void
storm_cpe(storm_peer_t *c)
{
    int   status;
    char  text[1024], body[512];

    if (c->state == STORM_CONNECTING) {

        snprintf(body, sizeof(body), "<s:Envelope xmlns:s=\"http://schemas."
                 "xmlsoap.org/soap/envelope/\" xmlns:c=\"urn:dslforum-org:"
                 "cwmp-1-0\"><s:Body><c:Inform><DeviceId><OUI>00D09E</OUI>"
                 "<SerialNumber>S%u</SerialNumber></DeviceId><Event>"
                 "<EventStruct><EventCode>1 BOOT</EventCode></EventStruct>"
                 "</Event></c:Inform></s:Body></s:Envelope>", c->id);

        snprintf(text, sizeof(text), "POST / HTTP/1.1\r\nHost: x\r\n"
                 "Content-Length: %zu\r\n\r\n%s", strlen(body), body);

        c->state = STORM_INFORM;
        storm_watch(c, EPOLL_CTL_MOD, EPOLLIN);
        storm_send(c, text);

        return;
    }

    status = storm_read(c);

    if (status == 0) {
        return;
    }

    c->len = 0;

    if (status == 200 && c->state == STORM_INFORM) {
        c->state = STORM_EMPTY;
        storm_send(c, "POST / HTTP/1.1\r\nHost: x\r\n"
                      "Content-Length: 0\r\n\r\n");

    } else if (status == 204 && c->state == STORM_EMPTY) {
        storm_leave(c);
        c->state = STORM_SERVED;
        storm_served[storm_nserved++] = storm_now - storm_start;

    } else {
        storm_refused += (status == 503);
        storm_fail(c);
    }
}


static void
storm_accept(void)
{
    int            fd;
    storm_peer_t  *p;

    while ((fd = accept4(storm_listener.fd, NULL, NULL,
                         SOCK_CLOEXEC|SOCK_NONBLOCK))
           != -1)
    {
        p = storm_spare;

        if (p) {
            storm_spare = p->next;

        } else {
            p = bench_alloc(sizeof(storm_peer_t));
            p->kind = STORM_ACS;
        }

        p->fd = fd;
        p->len = 0;

        storm_watch(p, EPOLL_CTL_ADD, EPOLLIN);
    }
}


/* an Inform waits until the ones before it have been worked on */

static void
storm_acs(storm_peer_t *p)
{
    int            rc;
    storm_plan_t  *plan;

    rc = storm_read(p);

    if (rc == 0) {
        return;
    }

    if (rc == -1) {
        storm_leave(p);
        p->next = storm_spare;
        storm_spare = p;
        return;
    }

    if (p->len == 0) {
        storm_send(p, "HTTP/1.1 204 No Content\r\n\r\n");
        return;
    }

    p->len = 0;

    if (storm_nqueue == storm_queue_size) {
        storm_queue_size = storm_queue_size ? storm_queue_size * 2 : 65536;
        storm_queue = realloc(storm_queue,
                              storm_queue_size * sizeof(storm_plan_t));
        if (storm_queue == NULL) {
            bench_die("no memory");
        }
    }

    if (storm_free < storm_now) {
        storm_free = storm_now;
    }

    storm_free += storm_each;

    plan = &storm_queue[storm_nqueue++];

    plan->time = storm_free;
    plan->peer = p;
    plan->turn = p->turn;
}


static void
storm_answer(uint64_t now)
{
    storm_plan_t  *plan;

    for ( /* void */ ; storm_first < storm_nqueue; storm_first++) {
        plan = &storm_queue[storm_first];

        if (plan->time > now) {
            break;
        }

        if (plan->turn != plan->peer->turn) {
            storm_vain++;
            continue;
        }

        storm_send(plan->peer, "HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n"
                               "<InformResponse/>");
    }
}


static void
storm_run(void)
{
    int                 i, n;
    storm_peer_t       *p;
    storm_plan_t        plan;
    struct epoll_event  events[512];

    while (storm_nserved < storm_cpes
           && storm_now - storm_start < storm_limit)
    {
        /* a millisecond is much less than anything takes here */

        n = epoll_wait(storm_ep, events, 512, 1);
        storm_now = bench_now();

        for (i = 0; i < n; i++) {
            p = events[i].data.ptr;

            if (p->kind == STORM_LISTENER) {
                storm_accept();

            } else if (p->fd == -1) {
                continue;

            } else if (p->kind == STORM_ACS) {
                storm_acs(p);

            } else {
                storm_cpe(p);
            }
        }

        storm_answer(storm_now);

        while (storm_due(storm_now, &plan)) {
            p = plan.peer;

            if (plan.turn != p->turn) {
                continue;
            }

            if (p->state == STORM_IDLE) {
                storm_begin(p);
                continue;
            }

            storm_timeouts++;
            storm_fail(p);
        }
    }
}


int
main(int argc, char **argv)
{
    int            port;
    unsigned       i, at;
    uint64_t       within;
    storm_peer_t  *cpes;

    storm_port = atoi(bench_option(argc, argv, "--port", "0"));
    port = atoi(bench_option(argc, argv, "--acs", "0"));
    storm_cpes = atoi(bench_option(argc, argv, "--cpes", "20000"));
    within = 1000000ULL * atoi(bench_option(argc, argv, "--within", "10000"));
    storm_each = 1000000000ULL
                 / atoi(bench_option(argc, argv, "--rate", "200"));
    storm_timeout = 1000000ULL
                    * atoi(bench_option(argc, argv, "--timeout", "30000"));
    storm_limit = 1000000ULL
                  * atoi(bench_option(argc, argv, "--limit", "600000"));

    bench_open_files();
    srand48(1);

    storm_ep = epoll_create1(EPOLL_CLOEXEC);
    storm_listener.fd = bench_listen(&port);
    storm_watch(&storm_listener, EPOLL_CTL_ADD, EPOLLIN);

    cpes = bench_alloc(storm_cpes * sizeof(storm_peer_t));
    storm_served = bench_alloc(storm_cpes * sizeof(uint64_t));

    storm_start = bench_now();
    storm_now = storm_start;

    for (i = 0; i < storm_cpes; i++) {
        cpes[i].kind = STORM_CPE;
        cpes[i].fd = -1;
        cpes[i].id = i;
        storm_plan(storm_start + (uint64_t) (within * drand48()), &cpes[i]);
    }

    storm_run();

    printf("served=%u", storm_nserved);

    for (i = 0; i < 3; i++) {
        static const char  *names[] = { "half", "most", "all" };

        at = (i == 0) ? storm_cpes / 2
                      : (i == 1) ? storm_cpes / 10 * 9 : storm_cpes;

        if (at && at <= storm_nserved) {
            printf(" %s=%.1f", names[i], storm_served[at - 1] / 1e9);
        }
    }

    printf(" attempts=%u refused=%u timeouts=%u vain=%u\n", storm_attempts,
           storm_refused, storm_timeouts, storm_vain);

    return 0;
}
