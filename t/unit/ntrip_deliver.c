/*
 * sources: ntrip_ring.c ntrip_latest.c ntrip_profile.c ntrip_msm.c ntrip_rtcm.c
 * ntrip_chunked.c
 */

/*
 * Fieldgate: delivery against a plain model.  The ring is real, the kernel is
 * this file: its send() takes as much as it likes, fails, or says that it is
 * full; rovers come, go, die, are handed over and skip.  Whatever happens,
 * what a rover has got are whole records, each once, in order, without a gap
 * unless it was too slow or the ring was, and the totals say how many.
 *
 * The glue is compiled into this file, since it has nothing of nginx but
 * events and allocation.  SEED in the environment repeats a run.
 */


#include "unit/tap.h"

#include <poll.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "ngx_stream_ntrip_stream.h"


static ngx_int_t test_ring_read(ntrip_ring_t *ring, uint64_t *pos,
    ntrip_record_t *rec, u_char *buf, size_t size);

static int test_poll(struct pollfd *fds, nfds_t nfds, int timeout);

#define ntrip_ring_read  test_ring_read
#define poll             test_poll

#include "ntrip_view.c"
#include "ntrip_backlog.c"
#include "ntrip_sink.c"
#include "ngx_stream_ntrip_deliver.c"
#include "ngx_stream_ntrip_behind.c"

#undef ntrip_ring_read
#undef poll


#define TEST_RING     32768
#define TEST_ROVERS   8
#define TEST_STEPS    3000
#define TEST_RUNS     60
#define TEST_HEAD     12             /* length and number of a record */
#define TEST_MAX      1200
#define TEST_AGE      4000
#define TEST_RECORDS  65536          /* in a run, at most */

/* a rover and its end of the connection */

typedef struct {
    ngx_stream_ntrip_rover_t   rover;      /* first: the glue's pointer */
    ngx_stream_session_t       session;
    ngx_connection_t           connection;
    ngx_event_t                write;
    void                      *srv_conf[1];

    ngx_uint_t                 there;
    size_t                     room;       /* that the kernel has */
    ngx_uint_t                 dead;       /* send() fails */
    const u_char              *again;      /* TLS: what has to come again */
    size_t                     again_len;

    u_char                     head[TEST_HEAD];
    uint32_t                   have;       /* bytes of the record at hand */
    uint32_t                   len;
    uint32_t                   seq;        /* of the last whole record */
    ngx_uint_t                 skips;      /* it may miss records, */
    ngx_uint_t                 gaps;       /* or as often as this */
    ngx_uint_t                 merged;     /* records that have one mark */
    uint64_t                   bytes;      /* got on this stream */
    uint64_t                   messages;
} test_rover_t;


static ngx_cycle_t                    test_cycle;
static ngx_log_t                      test_log;
static ngx_stream_ntrip_srv_conf_t    test_conf[2];
static ntrip_bus_t                    test_bus;
static ntrip_stream_row_t             test_row;
static ngx_stream_ntrip_stream_t      test_stream;
static test_rover_t                   test_rovers[TEST_ROVERS];
static uint32_t                       test_seq;
static u_char                         test_copied[TEST_RECORDS];
static ngx_uint_t                     test_bad;
static uint64_t                       test_random_state;
static ngx_uint_t                     test_partial, test_again, test_deaths,
                                      test_skips, test_overruns, test_moves,
                                      test_records;

static union {
    ntrip_ring_t                      ring;
    u_char                            memory[TEST_RING + 2048];
} __attribute__((aligned(64)))        test_ring;


/* what the glue takes from nginx and from other rooms */

volatile ngx_cycle_t        *ngx_cycle = &test_cycle;
volatile ngx_msec_t          ngx_current_msec = 1000000;
ngx_queue_t                  ngx_posted_events;
ngx_rbtree_t                 ngx_event_timer_rbtree;
ngx_module_t                 ngx_stream_ntrip_module;
ngx_stream_ntrip_worker_t    ngx_stream_ntrip_worker;


/* nobody is traced */

void ngx_cdecl
ngx_stream_ntrip_traced(uint64_t login, ntrip_trace_event_e kind,
    const char *fmt, ...)
{
}


void
ngx_stream_ntrip_traced_skipped(uint64_t login, uint64_t n)
{
}


/* one for all sessions, which counts what the rovers have missed */

static ntrip_session_row_t   test_session;


ntrip_session_row_t *
ntrip_session_row(ntrip_zone_t *zone, uint32_t index)
{
    return &test_session;
}


ngx_uint_t
ntrip_session_ours(ntrip_session_row_t *row, uint64_t login)
{
    return 1;
}


void
ngx_rbtree_insert(ngx_rbtree_t *tree, ngx_rbtree_node_t *node)
{
}


void
ngx_rbtree_delete(ngx_rbtree_t *tree, ngx_rbtree_node_t *node)
{
}


void
ngx_log_error_core(ngx_uint_t level, ngx_log_t *log, ngx_err_t err,
    const char *fmt, ...)
{
}


void *
ngx_alloc(size_t size, ngx_log_t *log)
{
    return malloc(size);
}


void *
ngx_calloc(size_t size, ngx_log_t *log)
{
    return calloc(1, size);
}


ngx_int_t
ngx_handle_write_event(ngx_event_t *wev, size_t lowat)
{
    return NGX_OK;
}


ntrip_ring_t *
ntrip_stream_ring(ntrip_zone_t *zone, uint32_t index)
{
    return &test_ring.ring;
}


ntrip_stream_row_t *
ntrip_stream_row(ntrip_zone_t *zone, uint32_t index)
{
    return &test_row;
}


/* xorshift64*: the same on every machine */

static ngx_uint_t
test_random(ngx_uint_t n)
{
    test_random_state ^= test_random_state >> 12;
    test_random_state ^= test_random_state << 25;
    test_random_state ^= test_random_state >> 27;

    return (ngx_uint_t) ((test_random_state * 2685821657736338717ULL) >> 33)
           % n;
}


static void
test_wrong(const char *what, ngx_uint_t rover)
{
    if (test_bad++ < 5) {
        printf("# rover %d: %s, record %d\n", (int) rover, what,
               (int) test_rovers[rover].seq);
    }
}


static ntrip_sink_t *
test_sink(test_rover_t *r)
{
    return &test_stream.sinks[r->rover.sink];
}


/* who skips may miss something */

static void
test_excuse(void)
{
    ngx_uint_t  n;

    for (n = 0; n < TEST_ROVERS; n++) {
        if (test_rovers[n].there
            && test_sink(&test_rovers[n])->state == NTRIP_SINK_SKIP)
        {
            test_skips++;
            test_rovers[n].skips = 1;
        }
    }
}


/* the ring's own, which tells the model what this worker has got of it */

static ngx_int_t
test_ring_read(ntrip_ring_t *ring, uint64_t *pos, ntrip_record_t *rec,
    u_char *buf, size_t size)
{
    uint32_t   seq;
    ngx_int_t  rc;

    rc = ntrip_ring_read(ring, pos, rec, buf, size);

    if (rc == NGX_OK) {
        ngx_memcpy(&seq, buf + 8, sizeof(uint32_t));
        test_copied[seq] = 1;
    }

    test_overruns += (rc == NGX_DECLINED);

    return rc;
}


static u_char
test_byte(uint32_t seq, uint32_t i)
{
    return (u_char) (seq * 31 + i * 7);
}


/* a byte arrives: records are [length][number][bytes that follow from it] */

static void
test_got(ngx_uint_t n, u_char c)
{
    uint32_t       i, seq;
    test_rover_t  *r;

    r = &test_rovers[n];
    r->bytes++;

    if (r->have < TEST_HEAD) {
        r->head[r->have] = c;

    } else {
        ngx_memcpy(&seq, r->head + 8, sizeof(uint32_t));

        if (c != test_byte(seq, r->have)) {
            test_wrong("a byte is wrong", n);
        }
    }

    r->have++;

    if (r->have == TEST_HEAD) {
        ngx_memcpy(&seq, r->head + 8, sizeof(uint32_t));
        ngx_memcpy(&r->len, r->head + 4, sizeof(uint32_t));

        if (memcmp(r->head, "ntrp", 4) != 0 || r->len > TEST_MAX) {
            test_wrong("no record begins here", n);
            r->len = TEST_HEAD;
        }

        if (seq <= r->seq) {
            test_wrong("a record came twice", n);
        }

        for (i = r->seq + 1; i < seq && !test_copied[i]; i++) {
            /* overrun: nobody here has it */
        }

        if (i < seq) {
            if (!r->skips && r->gaps == 0) {
                test_wrong("a record is missing", n);
            }

            r->gaps -= (r->gaps > 0);
        }

        r->seq = seq;
    }

    if (r->have >= TEST_HEAD && r->have == r->len) {
        if (test_sink(r)->state != NTRIP_SINK_SKIP) {
            r->skips = 0;
        }

        r->have = 0;
        r->messages++;
    }
}


/* the kernel: descriptors are numbers of rovers */

static ssize_t
test_take(ngx_uint_t n, const struct iovec *iov, size_t niov)
{
    size_t         i, j, sent;
    test_rover_t  *r;

    r = &test_rovers[n];

    if (test_random(50) == 0) {
        errno = EINTR;
        return -1;
    }

    if (r->dead) {
        errno = EPIPE;
        return -1;
    }

    if (r->room == 0) {
        test_again++;
        errno = EAGAIN;
        return -1;
    }

    sent = 0;

    for (i = 0; i < niov; i++) {
        for (j = 0; j < iov[i].iov_len && r->room; j++) {
            test_got(n, ((u_char *) iov[i].iov_base)[j]);
            r->room--;
            sent++;
        }

        if (j < iov[i].iov_len) {
            test_partial++;
            break;
        }
    }

    return (ssize_t) sent;
}


ssize_t
send(int fd, const void *buf, size_t len, int flags)
{
    struct iovec  iov;

    iov.iov_base = (void *) buf;
    iov.iov_len = len;

    return test_take((ngx_uint_t) fd, &iov, 1);
}


ssize_t
sendmsg(int fd, const struct msghdr *msg, int flags)
{
    return test_take((ngx_uint_t) fd, msg->msg_iov, msg->msg_iovlen);
}


/* what is unsent, and what is unacknowledged */

static int
test_poll(struct pollfd *fds, nfds_t nfds, int timeout)
{
    return test_rovers[fds[0].fd].room > 0;
}


int
ioctl(int fd, unsigned long request, ...)
{
    va_list  args;

    va_start(args, request);
    *va_arg(args, int *) = (int) test_random(3000);
    va_end(args);

    return 0;
}


/* TLS: takes all or nothing, and after nothing the very same again */

static ssize_t
test_tls_send(ngx_connection_t *c, u_char *buf, size_t len)
{
    size_t         i;
    ngx_uint_t     n;
    test_rover_t  *r;

    n = (ngx_uint_t) c->fd;
    r = &test_rovers[n];

    if (r->dead) {
        return NGX_ERROR;
    }

    if (r->again && (r->again != buf || r->again_len != len)) {
        test_wrong("TLS: something else after AGAIN", n);
    }

    r->again = buf;
    r->again_len = len;

    if (r->room < len) {
        test_again++;
        return NGX_AGAIN;
    }

    r->again = NULL;
    r->room -= len;

    for (i = 0; i < len; i++) {
        test_got(n, buf[i]);
    }

    return (ssize_t) len;
}


static void
test_record(void)
{
    u_char          buf[TEST_MAX];
    uint32_t        i, len;
    ntrip_record_t  rec;

    len = TEST_HEAD + (uint32_t) test_random(test_random(4) ? 200
                                             : TEST_MAX - TEST_HEAD);
    if (++test_seq == TEST_RECORDS) {
        abort();
    }

    test_records++;

    ngx_memcpy(buf, "ntrp", 4);
    ngx_memcpy(buf + 4, &len, sizeof(uint32_t));
    ngx_memcpy(buf + 8, &test_seq, sizeof(uint32_t));

    for (i = TEST_HEAD; i < len; i++) {
        buf[i] = test_byte(test_seq, i);
    }

    rec.len = len;
    rec.flags = test_random(4) ? 0 : NTRIP_RECORD_EPOCH;
    rec.type = 1077;
    rec.time = ngx_current_msec;

    if (ntrip_ring_write(&test_ring.ring, &rec, buf) != NGX_OK) {
        abort();
    }
}


/* as ngx_stream_ntrip_add_sink() and _part() do, without the zone */

static void
test_add(ngx_uint_t n)
{
    test_rover_t             *r;
    ntrip_sink_t  *s;

    r = &test_rovers[n];
    r->there = 1;
    r->rover.stream = &test_stream;
    r->rover.sink = (uint32_t) test_stream.nsinks;

    s = &test_stream.sinks[test_stream.nsinks];
    s->fd = (ngx_socket_t) n;
    s->tls = r->rover.tls;
    s->close = n % 2;
    s->first = 0;
    test_stream.close_slow |= s->close;

    ntrip_sink_join(&test_stream.backlog, s, (uint32_t) ngx_current_msec);

    test_stream.rovers[test_stream.nsinks++] = &r->rover;
}


static void
test_part(ngx_uint_t n)
{
    uint32_t       i, last;
    test_rover_t  *r;

    r = &test_rovers[n];
    i = r->rover.sink;

    ntrip_sink_leave(&test_stream.backlog, &test_stream.sinks[i]);

    last = (uint32_t) --test_stream.nsinks;

    if (i != last) {
        test_stream.sinks[i] = test_stream.sinks[last];
        test_stream.rovers[i] = test_stream.rovers[last];
        test_stream.rovers[i]->sink = i;
    }

    if (r->write.posted) {
        ngx_delete_posted_event(&r->write);
    }

    r->there = 0;
}


static void
test_join(ngx_uint_t n)
{
    test_rover_t  *r;

    r = &test_rovers[n];
    ngx_memzero(r, sizeof(test_rover_t));

    r->rover.session = &r->session;
    r->rover.tls = (test_random(4) == 0);
    r->session.connection = &r->connection;
    r->session.srv_conf = r->srv_conf;
    r->srv_conf[0] = &test_conf[n % 2];
    r->connection.fd = (ngx_socket_t) n;
    r->connection.write = &r->write;
    r->connection.send = test_tls_send;
    r->connection.log = &test_log;
    r->write.data = &r->connection;
    r->write.log = &test_log;

    /* it begins with what comes next, wherever that is */

    r->gaps = 1;
    r->room = test_random(3) ? 1000000 : test_random(2000);

    test_add(n);
}


/* a record that it has begun it gets to its end, and what follows too */

static void
test_writable(ngx_uint_t n)
{
    uint64_t       skipped;
    ngx_int_t      rc;
    test_rover_t  *r;

    r = &test_rovers[n];

    if (test_sink(r)->held) {
        return;
    }

    skipped = test_bus.slots[0].counters[NTRIP_COUNT_skipped];

    rc = ngx_stream_ntrip_deliver_more(&r->rover);

    if (test_bus.slots[0].counters[NTRIP_COUNT_skipped] != skipped) {
        test_skips++;
        r->gaps++;
    }

    if (rc == NGX_ERROR) {
        test_deaths++;
        test_part(n);
        return;
    }

    if (rc == NGX_OK && test_sink(r)->buf) {
        test_wrong("it has everything, and is blocked", n);
    }
}


static void
test_posted(void)
{
    ngx_uint_t                n;
    ngx_event_t              *ev;
    ngx_queue_t              *q;
    ngx_connection_t         *c;
    ntrip_sink_t             *s;

    while (!ngx_queue_empty(&ngx_posted_events)) {
        q = ngx_queue_head(&ngx_posted_events);
        ev = ngx_queue_data(q, ngx_event_t, queue);
        ngx_delete_posted_event(ev);

        if (ev != &test_stream.close) {
            c = ev->data;
            test_writable((ngx_uint_t) c->fd);
            test_excuse();
            continue;
        }

        for (n = 0; n < TEST_ROVERS; n++) {
            if (!test_rovers[n].there) {
                continue;
            }

            s = test_sink(&test_rovers[n]);

            if (ntrip_sink_final(s)) {
                test_deaths++;
                test_part(n);
            }
        }
    }
}


/* what the stream says that it has sent, and what has arrived */

static void
test_totals(ngx_uint_t n)
{
    uint64_t       bytes, messages;
    test_rover_t  *r;

    r = &test_rovers[n];

    ngx_stream_ntrip_stream_totals(&r->rover, &bytes, &messages);

    /* of records that have one mark for all none counts before the last */

    if (bytes != r->bytes || messages > r->messages
        || (messages != r->messages
            && (!r->merged || test_sink(r)->buf == NULL)))
    {
        test_wrong("the totals are wrong", n);
    }
}


/* it is not handed over after all */

static void
test_resume(ngx_uint_t n)
{
    ntrip_sink_t  *s;

    s = test_sink(&test_rovers[n]);
    s->held = 0;

    if (ntrip_sink_behind(s)) {
        test_writable(n);
    }
}


/*
 * A rover is held, and then a new worker goes on where this one stopped: the
 * same one, in the model.
 */

static void
test_hand_over(ngx_uint_t n)
{
    u_char          copy[TEST_MAX];
    ngx_uint_t      overruns;
    ntrip_buf_t    *b;
    test_rover_t   *r;
    ntrip_place_t   place;

    r = &test_rovers[n];

    if (!test_sink(r)->held) {
        if (!r->rover.tls) {
            test_sink(r)->held = 1;
        }

        return;
    }

    if (test_random(3) == 0) {
        test_resume(n);
        return;
    }

    ngx_stream_ntrip_deliver_place(&r->rover, &place);

    if (place.len > TEST_MAX) {

        /* of records that have one mark: it stays */

        if (!r->merged) {
            test_wrong("the rest is longer than a record", n);
        }

        test_resume(n);
        return;
    }

    test_moves++;

    if (place.len) {
        ngx_memcpy(copy, place.rest, place.len);
        place.rest = copy;
    }

    if (test_sink(r)->state == NTRIP_SINK_SKIP) {
        r->gaps++;
    }

    test_totals(n);
    test_part(n);
    ngx_stream_ntrip_deliver_now(&test_stream);
    test_add(n);

    overruns = test_overruns;

    if (ngx_stream_ntrip_deliver_from(&r->rover, &place) != NGX_OK) {
        abort();
    }

    if (test_overruns != overruns) {
        r->gaps++;
    }

    b = test_sink(r)->buf;
    r->merged = (b && b->n == NTRIP_BUF_RECORDS);

    /* the session's totals go along, in the row: here they begin anew, with
       the rest counted as a whole */

    r->bytes = 0;
    r->messages = 0;
}


static void
test_step(void)
{
    ngx_uint_t     i, n;
    test_rover_t  *r;

    n = test_random(TEST_ROVERS);
    r = &test_rovers[n];

    switch (test_random(12)) {

    case 0:
    case 1:
    case 2:
        for (i = 0; i <= test_random(test_random(20) ? 5 : 60); i++) {
            test_record();
        }

        /* fall through */

    case 3:
    case 4:
        ngx_stream_ntrip_deliver(&test_stream);
        break;

    case 5:
        if (test_stream.flush.timer_set) {
            test_stream.flush.timer_set = 0;
            test_stream.flush.handler(&test_stream.flush);
        }

        break;

    case 6:
        if (!r->there) {
            test_join(n);

        } else if (test_random(4) == 0) {
            test_part(n);
        }

        break;

    case 7:
    case 8:
        r->room = test_random(3) ? test_random(3000) : 0;

        if (r->there && r->room
            && ntrip_sink_behind(test_sink(r)))
        {
            test_writable(n);
        }

        break;

    case 9:
        r->dead = r->there && test_random(20) == 0;
        break;

    case 10:
        ngx_current_msec += test_random(300);
        ngx_stream_ntrip_deliver_tick(&test_stream);
        break;

    default:
        if (r->there) {
            test_hand_over(n);
        }
    }
}


/* everybody can take everything: then everybody has the last record */

static void
test_settle(void)
{
    ngx_uint_t     n;
    test_rover_t  *r;

    for (n = 0; n < TEST_ROVERS; n++) {
        test_rovers[n].room = 1 << 30;
        test_rovers[n].dead = 0;
    }

    ngx_stream_ntrip_deliver_now(&test_stream);
    test_posted();

    for (n = 0; n < TEST_ROVERS; n++) {
        if (test_rovers[n].there) {
            test_resume(n);
        }
    }

    test_posted();
    test_excuse();
    test_record();
    ngx_stream_ntrip_deliver_now(&test_stream);
    test_posted();

    for (n = 0; n < TEST_ROVERS; n++) {
        r = &test_rovers[n];

        if (!r->there) {
            continue;
        }

        if (r->seq != test_seq || r->have) {
            test_wrong("it has not got the last record", n);
        }

        test_totals(n);

        test_part(n);
    }

    if (test_stream.backlog.behind) {
        test_wrong("somebody is counted as blocked", 0);
    }
}


static void
test_run(uint64_t seed)
{
    ngx_uint_t                 i;
    ntrip_sink_t               sinks[TEST_ROVERS];
    ngx_stream_ntrip_rover_t  *rovers[TEST_ROVERS];

    test_random_state = seed * 88172645463325252ULL + 1;
    test_seq = 0;

    ngx_queue_init(&ngx_posted_events);
    ntrip_ring_init(&test_ring.ring, TEST_RING);
    test_ring.ring.head = TEST_RING;
    ntrip_ring_reset(&test_ring.ring);
    ngx_memzero(test_rovers, sizeof(test_rovers));
    ngx_memzero(&test_stream, sizeof(test_stream));
    ngx_memzero(test_copied, sizeof(test_copied));

    /* it was used before */

    ntrip_backlog_init(&test_stream.backlog, ntrip_ring_head(&test_ring.ring),
                       &test_log);

    test_stream.sinks = sinks;
    test_stream.rovers = rovers;
    test_stream.conf = &test_conf[0];
    test_stream.close.log = &test_log;
    test_stream.close.data = &test_stream;

    for (i = 0; i < TEST_STEPS; i++) {
        test_step();
        test_excuse();
        test_posted();
        test_excuse();
    }

    test_settle();
    ngx_stream_ntrip_deliver_free(&test_stream);

    if (test_bad) {
        printf("# SEED=%d\n", (int) seed);
    }
}


int
main(void)
{
    char        *seed;
    ngx_uint_t   i;

    setvbuf(stdout, NULL, _IONBF, 0);

    test_cycle.log = &test_log;
    ngx_stream_ntrip_worker.me = 1;
    ngx_stream_ntrip_worker.bus = &test_bus;

    for (i = 0; i < 2; i++) {
        test_conf[i].coalesce = 5;
        test_conf[i].send_timeout = 30000;
        test_conf[i].max_age = TEST_AGE;
        test_conf[i].slow_rover = i ? NGX_STREAM_NTRIP_SLOW_CLOSE
                                    : NGX_STREAM_NTRIP_SLOW_SKIP;
    }

    seed = getenv("SEED");

    if (seed) {
        test_run((uint64_t) atoi(seed));

    } else {
        for (i = 1; i <= TEST_RUNS && test_bad == 0; i++) {
            test_run(i);
        }
    }

    tap_ok(test_bad == 0, "rovers get whole records, in order, and totals");
    tap_ok(test_session.skipped
           == test_bus.slots[0].counters[NTRIP_COUNT_skipped],
           "what rovers have missed is in their rows");
    tap_ok(test_records >= 10000 && test_partial >= 1000 && test_again >= 1000
           && test_deaths >= 100 && test_skips >= 100 && test_overruns >= 10
           && test_moves >= 1000, "and everything has happened");

    printf("# %d records, %d partial writes, %d full sockets, %d deaths, %d "
           "skips, %d overruns, %d hand-overs\n", (int) test_records,
           (int) test_partial, (int) test_again, (int) test_deaths,
           (int) test_skips, (int) test_overruns, (int) test_moves);

    return tap_done();
}
