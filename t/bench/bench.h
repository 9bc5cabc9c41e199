
/*
 * What the load tools share: loopback sockets, a reader of HTTP messages that
 * have a Content-Length, a meter of what other processes consume, latencies.
 * Whatever fails ends the program with a line that says why.
 */


#ifndef _BENCH_H_INCLUDED_
#define _BENCH_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>


#define BENCH_MAX_PIDS  64


typedef struct {
    char      *buf;
    size_t     size;
    size_t     len;              /* bytes in buf */
    size_t     head;             /* of the message, with its empty line */
    size_t     body;             /* Content-Length, 0 without */
} bench_http_t;


typedef struct {
    int            fd;
    bench_http_t   http;
} bench_connection_t;


/* http has a whole request, which has to be answered before the return */
typedef void (*bench_request_pt)(bench_connection_t *c);


typedef struct {
    int64_t    cpu;              /* ns, user and system */

    /* -1: there is no such counter here */

    int64_t    cycles;
    int64_t    user;             /* instructions */
    int64_t    kernel;
} bench_usage_t;


typedef struct {
    uint32_t  *tenths;          /* of a microsecond */
    size_t     n;
    size_t     size;
} bench_latency_t;


void bench_die(const char *fmt, ...)
    __attribute__((format(printf, 1, 2), noreturn));
void *bench_alloc(size_t size);
uint64_t bench_now(void);        /* ns, monotonic */

/* value of NAME=VALUE among the arguments, def if there is none */
const char *bench_option(int argc, char **argv, const char *name,
    const char *def);

/* many connections: raises the limit of open files as far as it goes */
void bench_open_files(void);

/*
 * On 127.0.0.1, or on all addresses of 127.0.0.0/8.
 * Port 0: any free one.  Returns the descriptor, and the port in *port.
 */
int bench_listen(int *port);
int bench_listen_any(int *port);

int bench_accept(int fd);        /* -1: none is waiting */

/*
 * Serves until the process is told to terminate; returns how many connections
 * there were.  Each is a block of size bytes, all zero at first, that begins
 * with a bench_connection_t.
 */
unsigned long bench_serve(int listener, size_t size, bench_request_pt handler);

/* sends a reply as a whole: those who do not read it are wrong */
void bench_reply(bench_connection_t *c, const char *data, size_t len);

/* ends the program with the request, or what there is of it, and the reason */
void bench_wrong(bench_connection_t *c, const char *what)
    __attribute__((noreturn));

int bench_connect(int port);     /* not blocking from then on */

/*
 * Reads what there is.  1: buf holds a whole message, 0: not yet,
 * -1: the connection was closed or failed.
 */
int bench_http_read(bench_http_t *h, int fd);

/* removes the message, 1: the next one is already there */
int bench_http_next(bench_http_t *h);

/* value of the header, NULL if there is none or more than one */
const char *bench_http_header(bench_http_t *h, const char *name, size_t *len);

int bench_http_status(bench_http_t *h);

/* sends from *pos on; 1: all, 0: blocked, -1: failed */
int bench_send(int fd, const char *data, size_t len, size_t *pos);

/* "cpu=N cycles=N user=N kernel=N" */
void bench_usage_print(bench_usage_t *usage);

/* pids: numbers separated by commas; what they consume until _stop() */
void bench_meter_start(const char *pids);
void bench_meter_stop(bench_usage_t *usage);

void bench_latency_add(bench_latency_t *l, uint64_t ns);
double bench_latency(bench_latency_t *l, double quantile);   /* us */


#endif /* _BENCH_H_INCLUDED_ */
