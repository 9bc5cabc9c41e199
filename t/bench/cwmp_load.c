
/*
 * cwmp_load OPTION...: many CPEs that run whole CWMP sessions
 *
 *   --port=N              where
 *   --messages=KINDS      of a session, before its empty POST: "U", "UG", ...
 *   --size=N              of a message of kind G
 *   --connections=N       CPEs, each with a connection of its own
 *   --sessions=N          of all CPEs
 *   --each=N              sessions on a connection, 0: all
 *   --warmup=N            sessions of each CPE that are not counted
 *   --pids=N,N,...        whose CPU time and instructions are measured
 *
 * Each reply is compared with what it has to be; one that is not so, or a
 * connection that is closed, ends the program.
 */


#define _GNU_SOURCE

#include "bench.h"
#include "soap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>


#define LOAD_HEAD                                                             \
    "POST /acs?x=%%2F//y HTTP/1.1\r\n"                                        \
    "Host: acs.example\r\n"                                                   \
    "User-Agent: bench\r\n"                                                   \
    "Content-Type: text/xml; charset=\"utf-8\"\r\n"                           \
    "SOAPAction: \"\"\r\n"                                                    \
    "%s%.*s%s"                                                                \
    "Content-Length: %zu\r\n"                                                 \
    "\r\n"


typedef struct {
    int             fd;
    unsigned        device;
    unsigned        session;
    unsigned        left;        /* sessions until the barrier */
    unsigned        on_this;     /* sessions on this connection */
    unsigned        step;        /* messages sent in this session */
    unsigned        blocked;
    char            id[SOAP_ID_LEN];
    char            cookie[SOAP_ID_LEN];
    char           *out;
    size_t          len;
    size_t          pos;
    uint64_t        sent;
    bench_http_t    http;
} load_cpe_t;


static void load_run(unsigned sessions);
static void load_connect(load_cpe_t *cpe);
static void load_request(load_cpe_t *cpe);
static void load_send(load_cpe_t *cpe);
static void load_read(load_cpe_t *cpe);
static void load_reply(load_cpe_t *cpe);
static void load_wrong(load_cpe_t *cpe, const char *what)
    __attribute__((noreturn));


static int               load_ep;
static int               load_port;
static const char       *load_messages;
static unsigned          load_connections;
static unsigned          load_each;
static size_t            load_size;
static load_cpe_t       *load_cpes;
static unsigned          load_running;
static soap_message_t    load_templates[sizeof(SOAP_KINDS) - 1];
static char              load_body[SOAP_REPLY_SIZE];
static size_t            load_body_id;
static bench_latency_t   load_latency;


int
main(int argc, char **argv)
{
    int            i;
    double         wall;
    size_t         max;
    uint64_t       start;
    unsigned       n, sessions, warmup;
    const char    *p, *pids;
    bench_usage_t  usage;

    load_port = atoi(bench_option(argc, argv, "--port", "0"));
    load_messages = bench_option(argc, argv, "--messages", "U");
    load_size = atol(bench_option(argc, argv, "--size", "2097152"));
    load_connections = atoi(bench_option(argc, argv, "--connections", "64"));
    load_each = atoi(bench_option(argc, argv, "--each", "0"));
    sessions = atoi(bench_option(argc, argv, "--sessions", "1000"));
    warmup = atoi(bench_option(argc, argv, "--warmup", "2"));
    pids = bench_option(argc, argv, "--pids", "");

    sessions = (sessions + load_connections - 1) / load_connections;

    bench_open_files();

    max = 0;

    for (p = load_messages; *p; p++) {
        for (i = 0; SOAP_KINDS[i] != *p; i++) {
            if (SOAP_KINDS[i] == '\0') {
                bench_die("there is no message of kind %c", *p);
            }
        }

        soap_message_make(&load_templates[i], *p,
                          *p == 'G' ? load_size : SOAP_INFORM_SIZE);

        if (load_templates[i].len > max) {
            max = load_templates[i].len;
        }
    }

    load_body_id = soap_reply_make(load_body);

    load_ep = epoll_create1(EPOLL_CLOEXEC);
    load_cpes = bench_alloc(load_connections * sizeof(*load_cpes));

    for (n = 0; n < load_connections; n++) {
        load_cpes[n].device = n;
        load_cpes[n].out = bench_alloc(max + 1024);
        load_connect(&load_cpes[n]);
    }

    load_run(warmup);
    load_latency.n = 0;

    start = bench_now();
    bench_meter_start(pids);

    load_run(sessions);

    bench_meter_stop(&usage);
    wall = (bench_now() - start) / 1e9;

    bench_usage_print(&usage);
    printf(" requests=%zu wall=%.6f p50=%.1f p99=%.1f\n", load_latency.n, wall,
           bench_latency(&load_latency, 0.5),
           bench_latency(&load_latency, 0.99));

    return 0;
}


/* all CPEs, until each has done its sessions: then nothing is under way */

static void
load_run(unsigned sessions)
{
    int                 i, n;
    unsigned            k;
    load_cpe_t         *cpe;
    struct epoll_event  events[256];

    if (sessions == 0) {
        return;
    }

    load_running = load_connections;

    for (k = 0; k < load_connections; k++) {
        load_cpes[k].left = sessions;
        load_request(&load_cpes[k]);
    }

    while (load_running) {
        n = epoll_wait(load_ep, events, 256, -1);

        for (i = 0; i < n; i++) {
            cpe = events[i].data.ptr;

            if (events[i].events & EPOLLOUT) {
                load_send(cpe);
            }

            if (events[i].events & ~EPOLLOUT) {
                load_read(cpe);
            }
        }
    }
}


static void
load_connect(load_cpe_t *cpe)
{
    struct epoll_event  ee;

    cpe->fd = bench_connect(load_port);
    cpe->on_this = 0;

    ee.events = EPOLLIN;
    ee.data.ptr = cpe;
    epoll_ctl(load_ep, EPOLL_CTL_ADD, cpe->fd, &ee);
}


static void
load_request(load_cpe_t *cpe)
{
    int              kind;
    size_t           n;
    soap_message_t  *m;

    kind = load_messages[cpe->step];
    m = NULL;

    if (kind) {
        m = &load_templates[strchr(SOAP_KINDS, kind) - SOAP_KINDS];
    }

    n = sprintf(cpe->out, LOAD_HEAD, cpe->step ? "Cookie: session=" : "",
                cpe->step ? (int) SOAP_ID_LEN : 0, cpe->cookie,
                cpe->step ? "\r\n" : "", m ? m->len : 0);

    if (kind) {
        soap_id(cpe->id, kind, cpe->device, cpe->session);

        if (cpe->step == 0) {
            memcpy(cpe->cookie, cpe->id, SOAP_ID_LEN);
        }

        memcpy(cpe->out + n, m->data, m->len);
        soap_message_stamp(m, cpe->out + n, cpe->device, cpe->session);
        cpe->out[n + m->id] = kind;
        n += m->len;
    }

    cpe->step++;
    cpe->len = n;
    cpe->pos = 0;
    cpe->sent = bench_now();

    load_send(cpe);
}


static void
load_send(load_cpe_t *cpe)
{
    int                 rc;
    struct epoll_event  ee;

    rc = bench_send(cpe->fd, cpe->out, cpe->len, &cpe->pos);

    if (rc == -1) {
        load_wrong(cpe, "cannot be sent");
    }

    if (cpe->blocked == (rc == 0)) {
        return;
    }

    cpe->blocked = (rc == 0);

    ee.events = cpe->blocked ? EPOLLIN|EPOLLOUT : EPOLLIN;
    ee.data.ptr = cpe;
    epoll_ctl(load_ep, EPOLL_CTL_MOD, cpe->fd, &ee);
}


static void
load_read(load_cpe_t *cpe)
{
    switch (bench_http_read(&cpe->http, cpe->fd)) {

    case 0:
        return;

    case -1:
        load_wrong(cpe, "has the connection closed instead of a reply");
    }

    bench_latency_add(&load_latency, bench_now() - cpe->sent);

    load_reply(cpe);

    if (bench_http_next(&cpe->http)) {
        load_wrong(cpe, "has two replies");
    }

    if (load_messages[cpe->step - 1] != '\0') {
        load_request(cpe);
        return;
    }

    /* the session's end */

    cpe->step = 0;
    cpe->session++;

    if (++cpe->on_this == load_each) {
        close(cpe->fd);
        cpe->blocked = 0;
        load_connect(cpe);
    }

    if (--cpe->left == 0) {
        load_running--;
        return;
    }

    load_request(cpe);
}


static void
load_reply(load_cpe_t *cpe)
{
    size_t         len;
    const char    *p;
    bench_http_t  *h;

    h = &cpe->http;

    if (load_messages[cpe->step - 1] == '\0') {
        p = bench_http_header(h, "X-Session", &len);

        if (bench_http_status(h) != 204
            || h->body != 0
            || p == NULL
            || len != SOAP_ID_LEN
            || memcmp(p, cpe->cookie, SOAP_ID_LEN) != 0)
        {
            load_wrong(cpe, "has another reply than its 204");
        }

        return;
    }

    memcpy(load_body + load_body_id, cpe->id, SOAP_ID_LEN);

    if (bench_http_status(h) != 200
        || h->body != SOAP_REPLY_SIZE
        || memcmp(h->buf + h->head, load_body, SOAP_REPLY_SIZE) != 0)
    {
        load_wrong(cpe, "has another reply than its InformResponse");
    }
}


static void
load_wrong(load_cpe_t *cpe, const char *what)
{
    fprintf(stderr, "%.*s\n", (int) cpe->http.len, cpe->http.buf);

    bench_die("request %u of session %u of CPE %u %s", cpe->step,
              cpe->session, cpe->device, what);
}
