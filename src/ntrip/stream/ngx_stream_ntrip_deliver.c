
/*
 * Delivery: from the ring into this worker's buffers, from there to those of
 * its rovers that have everything before.  See ngx_stream_ntrip_stream.h; for
 * the others, ngx_stream_ntrip_behind.c.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>

#include "ngx_stream_ntrip_stream.h"


static void ngx_stream_ntrip_deliver_one(ngx_stream_ntrip_stream_t *st);
static ngx_uint_t ngx_stream_ntrip_copy(ngx_stream_ntrip_stream_t *st);
static void ngx_stream_ntrip_flush_handler(ngx_event_t *ev);
static void ngx_stream_ntrip_flush(ngx_stream_ntrip_stream_t *st);
static void ngx_stream_ntrip_send_all(ngx_stream_ntrip_stream_t *st,
    struct iovec *iov, ngx_uint_t n, size_t size);
static void ngx_stream_ntrip_first_of(ngx_stream_ntrip_stream_t *st);


void
ngx_stream_ntrip_deliver(ngx_stream_ntrip_stream_t *st)
{
    for ( /* void */ ; st; st = st->views) {
        ngx_stream_ntrip_deliver_one(st);
    }
}


static void
ngx_stream_ntrip_deliver_one(ngx_stream_ntrip_stream_t *st)
{
    ngx_uint_t     whole;
    ntrip_ring_t  *ring;

    if (st->nsinks == 0) {

        /* an owner without rovers: nobody here wants it, nor what the last
           one left behind sync */

        if (st->backlog.pending) {
            ngx_stream_ntrip_flush(st);
        }

        ring = ngx_stream_ntrip_ring(st);

        if (ring) {
            ntrip_backlog_forget(&st->backlog, ring);
        }

        return;
    }

    whole = ngx_stream_ntrip_copy(st);

    if (st->backlog.pending == 0) {
        return;
    }

    if (whole
        || st->backlog.pending >= NTRIP_BACKLOG_FLUSH
        || st->conf->coalesce == 0)
    {
        ngx_stream_ntrip_flush(st);
        return;
    }

    if (!st->flush.timer_set) {
        st->flush.handler = ngx_stream_ntrip_flush_handler;
        st->flush.data = st;
        st->flush.log = ngx_cycle->log;

        ngx_add_timer(&st->flush, st->conf->coalesce);
    }
}


void
ngx_stream_ntrip_deliver_now(ngx_stream_ntrip_stream_t *st)
{
    for ( /* void */ ; st; st = st->views) {
        ngx_stream_ntrip_deliver_one(st);

        if (st->backlog.pending) {
            ngx_stream_ntrip_flush(st);
        }
    }
}


ntrip_ring_t *
ngx_stream_ntrip_ring(ngx_stream_ntrip_stream_t *st)
{
    ntrip_ring_t  *ring;

    ring = ntrip_stream_ring(ngx_stream_ntrip_worker.zone, st->index);

    if (ring && st->backlog.position == 0) {
        ntrip_backlog_start(&st->backlog,
                            ntrip_stream_row(ngx_stream_ntrip_worker.zone,
                                             st->index)->start);
    }

    return ring;
}


/* returns 1 if an epoch has ended with what was copied */

static ngx_uint_t
ngx_stream_ntrip_copy(ngx_stream_ntrip_stream_t *st)
{
    uint64_t       before;
    ngx_int_t      rc;
    ngx_uint_t     whole, flags;
    ntrip_ring_t  *ring;

    ring = ngx_stream_ntrip_ring(st);
    whole = 0;

    if (ring == NULL) {
        return 0;
    }

    for ( ;; ) {
        before = st->backlog.position;
        rc = ntrip_backlog_read(&st->backlog, ring, &flags);

        if (rc == NGX_OK) {

            if (st->backlog.view && st->backlog.position != before) {
                ngx_stream_ntrip_count(profiled);
            }

            whole |= (flags & NTRIP_RECORD_EPOCH);
            continue;
        }

        if (rc == NGX_DECLINED) {
            ngx_stream_ntrip_count(overruns);
            continue;
        }

        return whole;
    }
}


static void
ngx_stream_ntrip_flush_handler(ngx_event_t *ev)
{
    ngx_stream_ntrip_flush(ev->data);
}


static void
ngx_stream_ntrip_flush(ngx_stream_ntrip_stream_t *st)
{
    size_t        size;
    ngx_uint_t    niov, messages;
    struct iovec  iov[NTRIP_BACKLOG_IOVS];

    if (st->flush.timer_set) {
        ngx_del_timer(&st->flush);
    }

    while (st->backlog.pending) {
        niov = ntrip_backlog_gather(&st->backlog, iov, &size);

        ngx_stream_ntrip_send_all(st, iov, niov, size);

        messages = ntrip_backlog_sync(&st->backlog, size);

        ngx_stream_ntrip_count_n(bytes_out, size * st->nsinks);
        ngx_stream_ntrip_count_n(messages_out, messages * st->nsinks);
    }

    if (ngx_stream_ntrip_traces_stream(st->serial)
        && !ngx_stream_ntrip_worker.bus->trace.first)
    {
        ngx_stream_ntrip_first_of(st);
    }

    ngx_stream_ntrip_trim(st);
}


/*
 * Everything behind sync goes to each rover that has all before it.  Nothing
 * but this loop is done for each message and rover.
 */

static void
ngx_stream_ntrip_send_all(ngx_stream_ntrip_stream_t *st, struct iovec *iov,
    ngx_uint_t niov, size_t size)
{
    ssize_t        n;
    ntrip_sink_t  *s, *last;

    last = st->sinks + st->nsinks;

    for (s = st->sinks; s < last; s++) {

        if ((s->state != NTRIP_SINK_SYNC || s->held || s->tls)
            && ngx_stream_ntrip_not_now(st, s))
        {
            continue;
        }

        n = ngx_stream_ntrip_write(s->fd, iov, niov);

        if (n == (ssize_t) size) {
            continue;
        }

        if (n == NGX_ERROR) {
            ngx_stream_ntrip_broken(st, s);
            continue;
        }

        ngx_stream_ntrip_block(st, s, (n == NGX_AGAIN) ? 0 : (size_t) n);
    }
}


/*
 * MSG_EOR keeps the kernel from adding to what it has not sent yet: then it
 * takes nothing while there is any.
 */

ssize_t
ngx_stream_ntrip_write(ngx_socket_t fd, struct iovec *iov, ngx_uint_t n)
{
    ssize_t        sent;
    struct msghdr  msg;

    for ( ;; ) {

        if (n == 1) {
            sent = send(fd, iov[0].iov_base, iov[0].iov_len,
                        MSG_NOSIGNAL|MSG_EOR);

        } else {
            ngx_memzero(&msg, sizeof(struct msghdr));
            msg.msg_iov = iov;
            msg.msg_iovlen = n;

            sent = sendmsg(fd, &msg, MSG_NOSIGNAL|MSG_EOR);
        }

        if (sent >= 0) {
            return sent;
        }

        switch (ngx_socket_errno) {

        case NGX_EINTR:
            continue;

        case NGX_EAGAIN:
            return NGX_AGAIN;

        default:
            return NGX_ERROR;
        }
    }
}


/* for the trace: one of its rovers may have got the first bytes */

static void
ngx_stream_ntrip_first_of(ngx_stream_ntrip_stream_t *st)
{
    ngx_uint_t  i;

    for (i = 0; i < st->nsinks; i++) {
        ngx_stream_ntrip_first(st->rovers[i]);
    }
}


void
ngx_stream_ntrip_first(ngx_stream_ntrip_rover_t *rover)
{
    uint64_t  bytes, messages;

    if (!ngx_stream_ntrip_traces(rover->login)
        || ngx_stream_ntrip_worker.bus->trace.first)
    {
        return;
    }

    ngx_stream_ntrip_stream_totals(rover, &bytes, &messages);

    if (bytes) {
        ngx_stream_ntrip_traced(rover->login, NTRIP_TRACE_FIRST,
                                "%uL messages, %uL bytes", messages, bytes);
    }
}


void
ngx_stream_ntrip_deliver_free(ngx_stream_ntrip_stream_t *st)
{
    if (st->flush.timer_set) {
        ngx_del_timer(&st->flush);
    }

    ntrip_backlog_free(&st->backlog);
}


void
ngx_stream_ntrip_stream_totals(ngx_stream_ntrip_rover_t *rover,
    uint64_t *bytes, uint64_t *messages)
{
    ntrip_sink_totals(&rover->stream->backlog,
                      &rover->stream->sinks[rover->sink], bytes, messages);
}


/* an option of a rover's socket; one that the kernel does not know is not
   worth the rover */

static void
ngx_stream_ntrip_option(ngx_connection_t *c, int level, int name, int value,
    const char *text)
{
    if (setsockopt(c->fd, level, name, &value, sizeof(int)) == -1) {
        ngx_log_error(NGX_LOG_ALERT, c->log, ngx_socket_errno,
                      "setsockopt(%s) failed", text);
    }
}


void
ngx_stream_ntrip_socket(ngx_stream_ntrip_rover_t *rover)
{
    ngx_connection_t             *c;
    ngx_stream_ntrip_srv_conf_t  *conf;

    c = rover->session->connection;
    conf = ngx_stream_get_module_srv_conf(rover->session,
                                          ngx_stream_ntrip_module);

    ngx_stream_ntrip_option(c, SOL_SOCKET, SO_SNDBUF, NGX_STREAM_NTRIP_SNDBUF,
                            "SO_SNDBUF");

    if (c->listening->sockaddr->sa_family == AF_UNIX) {
        return;
    }

    ngx_stream_ntrip_option(c, IPPROTO_TCP, TCP_NOTSENT_LOWAT, 1,
                            "TCP_NOTSENT_LOWAT");
    ngx_stream_ntrip_option(c, IPPROTO_TCP, TCP_USER_TIMEOUT,
                            (int) ngx_min(conf->send_timeout,
                                          NGX_MAX_INT32_VALUE),
                            "TCP_USER_TIMEOUT");
}
