
/*
 * Rovers that do not have everything: their sockets were full, they go through
 * TLS, or come from another worker.  What each gets next is decided in
 * ntrip_sink.c, this is how it comes about.  See ngx_stream_ntrip_stream.h.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>

#include <poll.h>
#include <sys/ioctl.h>

#include "ngx_stream_ntrip_stream.h"


static ngx_int_t ngx_stream_ntrip_begin(ngx_stream_ntrip_stream_t *st,
    ntrip_sink_t *s);
static void ngx_stream_ntrip_close_later(ngx_stream_ntrip_stream_t *st);
static void ngx_stream_ntrip_skipped(ngx_stream_ntrip_rover_t *rover,
    uint64_t messages);
static ngx_int_t ngx_stream_ntrip_send_step(ngx_stream_ntrip_stream_t *st,
    ntrip_sink_t *s, ngx_connection_t *c, ntrip_step_t *step);
static ssize_t ngx_stream_ntrip_tls_write(ntrip_sink_t *s,
    ngx_connection_t *c, ntrip_step_t *step);
static uint32_t ngx_stream_ntrip_unacked_age(ngx_stream_ntrip_stream_t *st,
    ntrip_sink_t *s);
static ngx_stream_ntrip_srv_conf_t *ngx_stream_ntrip_sink_conf(
    ngx_stream_ntrip_stream_t *st, ntrip_sink_t *s);


ngx_uint_t
ngx_stream_ntrip_not_now(ngx_stream_ntrip_stream_t *st, ntrip_sink_t *s)
{
    if (s->state == NTRIP_SINK_NEW && !s->held && s->buf == NULL) {
        (void) ngx_stream_ntrip_begin(st, s);
    }

    if (s->state != NTRIP_SINK_SYNC) {
        return 1;
    }

    if (s->held || s->tls) {
        ngx_stream_ntrip_block(st, s, 0);
        return 1;
    }

    return 0;
}


/*
 * Some clients throw away, or read as a part of the header, what comes with
 * it; station messages are seldom enough to be missed then.  NGX_OK: it is at
 * sync; NGX_AGAIN: it is behind, and its write event is posted; NGX_BUSY: it
 * waits for its time.
 */

static ngx_int_t
ngx_stream_ntrip_begin(ngx_stream_ntrip_stream_t *st, ntrip_sink_t *s)
{
    int32_t                    wait;
    ngx_int_t                  rc;
    ngx_connection_t          *c;
    ntrip_ring_t              *ring;
    ngx_stream_ntrip_rover_t  *rover;

    rover = st->rovers[s - st->sinks];
    c = rover->session->connection;

    /* there are records, so there is a ring */

    ring = ngx_stream_ntrip_ring(st);

    wait = (int32_t) (rover->welcomed + NGX_STREAM_NTRIP_FIRST
                      - (uint32_t) ngx_current_msec);

    rc = ntrip_sink_begin(&st->backlog, s, &ring->latest, wait <= 0,
                          (uint32_t) ngx_current_msec);

    switch (rc) {

    case NGX_AGAIN:
        ngx_stream_ntrip_await_write(st, s);
        ngx_post_event(c->write, &ngx_posted_events);
        break;

    case NGX_BUSY:
        ngx_add_timer(c->write, wait);
        break;

    default: /* NGX_OK */
        break;
    }

    return rc;
}


void
ngx_stream_ntrip_block(ngx_stream_ntrip_stream_t *st, ntrip_sink_t *s,
    size_t size)
{
    uint32_t           offset;
    ntrip_buf_t       *b;
    ngx_connection_t  *c;

    c = st->rovers[s - st->sinks]->session->connection;

    b = ntrip_backlog_find(&st->backlog, size, &offset);

    ntrip_sink_block(&st->backlog, s, b, offset);

    if (s->held) {
        return;
    }

    if (s->tls) {
        ngx_post_event(c->write, &ngx_posted_events);

    } else {
        c->write->ready = 0;
    }

    ngx_stream_ntrip_await_write(st, s);
}


void
ngx_stream_ntrip_await_write(ngx_stream_ntrip_stream_t *st, ntrip_sink_t *s)
{
    ngx_event_t  *wev;

    wev = st->rovers[s - st->sinks]->session->connection->write;

    if (ngx_handle_write_event(wev, 0) != NGX_OK) {
        s->state = NTRIP_SINK_RESET;
        ngx_stream_ntrip_close_later(st);
        return;
    }

    ngx_add_timer(wev, ngx_stream_ntrip_sink_conf(st, s)->send_timeout);
}


/* the array is being walked: rovers leave it in an event of their own */

static void
ngx_stream_ntrip_close_later(ngx_stream_ntrip_stream_t *st)
{
    ngx_post_event(&st->close, &ngx_posted_events);
}


void
ngx_stream_ntrip_broken(ngx_stream_ntrip_stream_t *st, ntrip_sink_t *s)
{
    s->state = (ngx_socket_errno == NGX_ETIMEDOUT) ? NTRIP_SINK_TIMEOUT
                                                   : NTRIP_SINK_RESET;
    ngx_stream_ntrip_close_later(st);
}


const char *
ngx_stream_ntrip_sink_result(ntrip_sink_t *s)
{
    switch (s->state) {

    case NTRIP_SINK_SLOW:
        return "slow";

    case NTRIP_SINK_TIMEOUT:
        return "send timeout";

    default:
        return "reset";
    }
}


ngx_int_t
ngx_stream_ntrip_deliver_from(ngx_stream_ntrip_rover_t *rover,
    ntrip_place_t *place)
{
    ngx_int_t                   rc;
    ngx_uint_t                  overruns;
    ntrip_ring_t               *ring;
    ntrip_sink_t               *s;
    ngx_stream_ntrip_stream_t  *st;

    st = rover->stream;
    s = &st->sinks[rover->sink];

    ring = ngx_stream_ntrip_ring(st);

    if (ring == NULL) {
        return NGX_OK;
    }

    if (place->position == 0) {
        place->position = ntrip_stream_row(ngx_stream_ntrip_worker.zone,
                                           st->index)->start;
    }

    rc = ntrip_sink_return(&st->backlog, s, ring, place,
                           (uint32_t) ngx_current_msec, &overruns);

    ngx_stream_ntrip_count_n(overruns, overruns);

    if (rc == NGX_OK) {
        ngx_stream_ntrip_await_write(st, s);
        ngx_post_event(rover->session->connection->write, &ngx_posted_events);
    }

    return (rc == NGX_ERROR) ? NGX_ERROR : NGX_OK;
}


void
ngx_stream_ntrip_deliver_place(ngx_stream_ntrip_rover_t *rover,
    ntrip_place_t *place)
{
    ntrip_sink_t               *s;
    ngx_stream_ntrip_stream_t  *st;

    st = rover->stream;
    s = &st->sinks[rover->sink];

    (void) ngx_stream_ntrip_unacked_age(st, s);

    ntrip_sink_place(&st->backlog, s, place);
}


static void
ngx_stream_ntrip_skipped(ngx_stream_ntrip_rover_t *rover, uint64_t messages)
{
    ntrip_session_row_t  *row;

    ngx_stream_ntrip_count_n(skipped, messages);
    ngx_stream_ntrip_traced_skipped(rover->login, messages);

    row = ntrip_session_row(ngx_stream_ntrip_worker.zone, rover->index);

    if (ntrip_session_ours(row, rover->login)) {
        row->skipped += messages;
    }
}


ngx_int_t
ngx_stream_ntrip_deliver_more(ngx_stream_ntrip_rover_t *rover)
{
    ngx_int_t                     rc;
    ntrip_step_t                  step;
    ntrip_sink_t                 *s;
    ngx_connection_t             *c;
    ngx_stream_ntrip_stream_t    *st;
    ngx_stream_ntrip_srv_conf_t  *conf;

    st = rover->stream;
    s = &st->sinks[rover->sink];
    c = rover->session->connection;

    conf = ngx_stream_ntrip_sink_conf(st, s);

    if (s->state == NTRIP_SINK_NEW
        && (s->buf == NULL || ngx_stream_ntrip_begin(st, s) == NGX_BUSY))
    {
        return NGX_AGAIN;
    }

    while (s->state != NTRIP_SINK_SYNC) {

        rc = ntrip_sink_next(&st->backlog, s, conf->max_age,
                             (uint32_t) ngx_current_msec, &step);

        if (step.skipped) {
            ngx_stream_ntrip_skipped(rover, step.skipped);
        }

        if (rc == NTRIP_STEP_CLOSE) {
            return NGX_ERROR;
        }

        if (rc == NTRIP_STEP_SEND) {
            rc = ngx_stream_ntrip_send_step(st, s, c, &step);

            if (rc != NGX_OK) {
                return rc;
            }
        }
    }

    if (c->write->timer_set) {
        ngx_del_timer(c->write);
    }

    ngx_stream_ntrip_first(rover);
    ngx_stream_ntrip_trim(st);

    return NGX_OK;
}


/* NGX_OK, NGX_AGAIN: its write event is awaited, or NGX_ERROR, with its
   state */

static ngx_int_t
ngx_stream_ntrip_send_step(ngx_stream_ntrip_stream_t *st, ntrip_sink_t *s,
    ngx_connection_t *c, ntrip_step_t *step)
{
    ssize_t       n;
    struct iovec  iov;

    if (s->tls) {
        n = ngx_stream_ntrip_tls_write(s, c, step);

    } else {
        iov.iov_base = step->data;
        iov.iov_len = step->len;

        n = ngx_stream_ntrip_write(s->fd, &iov, 1);
    }

    if (n == NGX_ERROR) {
        ngx_stream_ntrip_broken(st, s);
        return NGX_ERROR;
    }

    if (n == NGX_AGAIN) {

        if (!s->tls) {
            c->write->ready = 0;
        }

        if (ngx_handle_write_event(c->write, 0) == NGX_OK) {
            return NGX_AGAIN;
        }

        s->state = NTRIP_SINK_RESET;
        return NGX_ERROR;
    }

    ngx_add_timer(c->write, ngx_stream_ntrip_sink_conf(st, s)->send_timeout);

    ntrip_sink_sent(&st->backlog, s, (size_t) n);

    return NGX_OK;
}


/*
 * SSL_write() has no MSG_EOR.  Whether anything is unsent poll() tells, which
 * also makes the kernel say when nothing is any more.  What could not be sent
 * SSL_write() wants again, the same.
 */

static ssize_t
ngx_stream_ntrip_tls_write(ntrip_sink_t *s, ngx_connection_t *c,
    ntrip_step_t *step)
{
    struct pollfd  pfd;

    pfd.fd = s->fd;
    pfd.events = POLLOUT;
    pfd.revents = 0;

    if (poll(&pfd, 1, 0) == 0) {
        c->write->ready = 0;
        return NGX_AGAIN;
    }

    s->retry = (uint32_t) step->len;

    return c->send(c, step->data, step->len);
}


/*
 * Where who is too slow is closed, what the kernel has is not too old, either.
 * Others cost nothing here as long as they are not behind.
 */

void
ngx_stream_ntrip_deliver_tick(ngx_stream_ntrip_stream_t *st)
{
    ngx_uint_t     i;
    ngx_msec_t     max_age;
    ntrip_sink_t  *s;

    if (st->backlog.behind == 0 && !st->close_slow) {
        return;
    }

    for (i = 0; i < st->nsinks; i++) {
        s = &st->sinks[i];

        if (s->state == NTRIP_SINK_NEW
            || (!s->close && s->state != NTRIP_SINK_BEHIND))
        {
            continue;
        }

        max_age = ngx_stream_ntrip_sink_conf(st, s)->max_age;

        (void) ntrip_sink_judge(s, max_age, (uint32_t) ngx_current_msec);

        if (s->close
            && !s->held
            && !ntrip_sink_final(s)
            && ngx_stream_ntrip_unacked_age(st, s) > max_age)
        {
            (void) ntrip_sink_too_slow(s);
        }

        if (s->state == NTRIP_SINK_SLOW) {
            ngx_stream_ntrip_close_later(st);
        }
    }
}


/* how long at least the kernel has had something, ms: see ntrip_sink_look() */

static uint32_t
ngx_stream_ntrip_unacked_age(ngx_stream_ntrip_stream_t *st, ntrip_sink_t *s)
{
    int  unacked;

    if (ioctl(s->fd, TIOCOUTQ, &unacked) == -1) {
        unacked = 0;
    }

    return ntrip_sink_look(&st->backlog, s, (uint32_t) unacked,
                           (uint32_t) ngx_current_msec);
}


/* servers may share a stream, and treat their rovers differently */

static ngx_stream_ntrip_srv_conf_t *
ngx_stream_ntrip_sink_conf(ngx_stream_ntrip_stream_t *st, ntrip_sink_t *s)
{
    return ngx_stream_get_module_srv_conf(st->rovers[s - st->sinks]->session,
                                          ngx_stream_ntrip_module);
}


/* frees what nobody needs, and what too many bytes are behind */

void
ngx_stream_ntrip_trim(ngx_stream_ntrip_stream_t *st)
{
    ngx_uint_t     i;
    ntrip_sink_t  *s;

    while (ntrip_backlog_trim(&st->backlog) == NGX_BUSY) {

        for (i = 0; i < st->nsinks; i++) {
            s = &st->sinks[i];

            if (ntrip_sink_in_first(&st->backlog, s)
                && ntrip_sink_too_slow(s) != NGX_OK)
            {
                ngx_stream_ntrip_close_later(st);
            }
        }

        ntrip_backlog_drop(&st->backlog);
    }
}
