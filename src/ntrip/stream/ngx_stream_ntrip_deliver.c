
/*
 * Delivery: from the ring into this worker's buffers, from there to its
 * rovers.  See ngx_stream_ntrip_stream.h.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>

#include "ngx_stream_ntrip_stream.h"


static ntrip_ring_t *ngx_stream_ntrip_ring(ngx_stream_ntrip_stream_t *st);
static ngx_uint_t ngx_stream_ntrip_copy(ngx_stream_ntrip_stream_t *st);
static void ngx_stream_ntrip_flush_handler(ngx_event_t *ev);
static void ngx_stream_ntrip_flush(ngx_stream_ntrip_stream_t *st);
static void ngx_stream_ntrip_sync(ngx_stream_ntrip_stream_t *st, size_t size);
static ssize_t ngx_stream_ntrip_write(ngx_socket_t fd, struct iovec *iov,
    ngx_uint_t n);
static void ngx_stream_ntrip_block(ngx_stream_ntrip_stream_t *st,
    ngx_uint_t i, ngx_stream_ntrip_buf_t *b, size_t offset);
static void ngx_stream_ntrip_unblock(ngx_stream_ntrip_stream_t *st,
    ngx_stream_ntrip_sink_t *s);
static void ngx_stream_ntrip_close_later(ngx_stream_ntrip_stream_t *st,
    ngx_stream_ntrip_sink_t *s);
static void ngx_stream_ntrip_advance(ngx_stream_ntrip_stream_t *st,
    ngx_stream_ntrip_sink_t *s, size_t n);
static void ngx_stream_ntrip_skip(ngx_stream_ntrip_stream_t *st,
    ngx_stream_ntrip_sink_t *s);
static void ngx_stream_ntrip_too_slow(ngx_stream_ntrip_stream_t *st,
    ngx_stream_ntrip_sink_t *s);
static ngx_stream_ntrip_buf_t *ngx_stream_ntrip_own_buf(
    ngx_stream_ntrip_stream_t *st, uint64_t position, u_char *rest,
    size_t len);
static ngx_uint_t ngx_stream_ntrip_catch_up(ngx_stream_ntrip_stream_t *st,
    ngx_stream_ntrip_buf_t *b, uint64_t position);
static ssize_t ngx_stream_ntrip_send_more(ngx_stream_ntrip_stream_t *st,
    ngx_stream_ntrip_sink_t *s, ngx_connection_t *c);
static ngx_stream_ntrip_srv_conf_t *ngx_stream_ntrip_sink_conf(
    ngx_stream_ntrip_stream_t *st, ngx_stream_ntrip_sink_t *s);
static void ngx_stream_ntrip_trim(ngx_stream_ntrip_stream_t *st);


void
ngx_stream_ntrip_deliver(ngx_stream_ntrip_stream_t *st)
{
    ngx_uint_t     whole;
    ntrip_ring_t  *ring;

    if (st->nsinks == 0) {

        /* an owner without rovers: nobody here wants it, nor what the last
           one left behind sync */

        if (st->pending) {
            ngx_stream_ntrip_flush(st);
        }

        ring = ngx_stream_ntrip_ring(st);

        if (ring) {
            st->position = ntrip_ring_head(ring);
            st->synced = st->position;
        }

        return;
    }

    whole = ngx_stream_ntrip_copy(st);

    if (st->pending == 0) {
        return;
    }

    if (whole
        || st->pending >= NGX_STREAM_NTRIP_FLUSH
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
    ngx_stream_ntrip_deliver(st);

    if (st->pending) {
        ngx_stream_ntrip_flush(st);
    }
}


/* NULL: no byte has come yet.  Who was here before goes on at its start. */

static ntrip_ring_t *
ngx_stream_ntrip_ring(ngx_stream_ntrip_stream_t *st)
{
    ntrip_ring_t  *ring;

    ring = ntrip_stream_ring(ngx_stream_ntrip_worker.zone, st->index);

    if (ring && st->position == 0) {
        st->position = ntrip_stream_row(ngx_stream_ntrip_worker.zone,
                                        st->index)->start;
        st->synced = st->position;
    }

    return ring;
}


/* returns 1 if an epoch has ended with what was copied */

static ngx_uint_t
ngx_stream_ntrip_copy(ngx_stream_ntrip_stream_t *st)
{
    uint64_t                  start;
    ngx_int_t                 rc;
    ngx_uint_t                whole;
    ntrip_ring_t             *ring;
    ntrip_record_t            rec;
    ngx_stream_ntrip_buf_t   *b;
    ngx_stream_ntrip_mark_t  *mark;

    ring = ngx_stream_ntrip_ring(st);
    whole = 0;
    rc = NGX_OK;

    if (ring == NULL) {
        return 0;
    }

    for ( ;; ) {
        b = st->last;

        if (b == NULL || b->n == NGX_STREAM_NTRIP_RECORDS || rc == NGX_BUSY) {
            b = ngx_stream_ntrip_buf(st);
            if (b == NULL) {
                return whole;
            }
        }

        start = st->position;

        rc = ntrip_ring_read(ring, &st->position, &rec, b->data + b->used,
                             b->size - b->used);

        if (rc == NGX_AGAIN) {
            return whole;
        }

        if (rc == NGX_DECLINED) {
            ngx_stream_ntrip_count(overruns);
            continue;
        }

        if (rc == NGX_BUSY) {
            /* it is full: a message always fits into an empty one */
            continue;
        }

        if (b->n == 0) {
            b->start = start;
            b->total = st->sent + st->pending;
            b->count = st->count;
        }

        st->count++;
        b->used += rec.len;

        mark = &b->marks[b->n++];
        mark->next = st->position;
        mark->end = b->used;
        mark->time = (uint32_t) rec.time;

        st->pending += rec.len;
        whole |= (rec.flags & NTRIP_RECORD_EPOCH);
    }
}


static void
ngx_stream_ntrip_flush_handler(ngx_event_t *ev)
{
    ngx_stream_ntrip_flush(ev->data);
}


/*
 * Everything behind sync goes to each rover that has all before it.  Nothing
 * but this loop is done for each message and rover.
 */

static void
ngx_stream_ntrip_flush(ngx_stream_ntrip_stream_t *st)
{
    size_t                    total, left, offset;
    ssize_t                   n;
    ngx_uint_t                i, niov;
    struct iovec              iov[NGX_STREAM_NTRIP_IOVS];
    ngx_stream_ntrip_buf_t   *b, *from;
    ngx_stream_ntrip_sink_t  *s;

    if (st->flush.timer_set) {
        ngx_del_timer(&st->flush);
    }

    while (st->pending) {

        from = st->sync;
        niov = ngx_stream_ntrip_gather(iov, from, st->offset, st->last,
                                       st->last->used, &total);

        ngx_stream_ntrip_count_n(bytes_out, total * st->nsinks);

        for (i = 0; i < st->nsinks; i++) {
            s = &st->sinks[i];

            if (s->flags) {

                if (s->buf == NULL && (s->flags & NGX_STREAM_NTRIP_HELD)) {
                    ngx_stream_ntrip_block(st, i, from, st->offset);

                } else if (s->flags == NGX_STREAM_NTRIP_SLOW) {
                    ngx_stream_ntrip_block(st, i, from, st->offset);
                    ngx_post_event(st->rovers[i]->session->connection->write,
                                   &ngx_posted_events);
                }

                continue;
            }

            n = ngx_stream_ntrip_write(s->fd, iov, niov);

            if (n == (ssize_t) total) {
                continue;
            }

            if (n == NGX_ERROR) {
                ngx_stream_ntrip_close_later(st, s);
                continue;
            }

            left = (n == NGX_AGAIN) ? 0 : (size_t) n;
            offset = st->offset;

            for (b = from; b->next && left >= b->used - offset; b = b->next) {
                left -= b->used - offset;
                offset = 0;
            }

            ngx_stream_ntrip_block(st, i, b, offset + left);
        }

        ngx_stream_ntrip_sync(st, total);
    }

    ngx_stream_ntrip_trim(st);
}


/* sync moves by "size" bytes, which end where a buffer does */

static void
ngx_stream_ntrip_sync(ngx_stream_ntrip_stream_t *st, size_t size)
{
    ngx_uint_t               messages;
    ngx_stream_ntrip_buf_t  *b;

    st->sent += size;
    st->pending -= size;

    messages = 0;

    while (size) {
        b = st->sync;

        messages += b->n - st->mark;
        size -= b->used - st->offset;

        st->synced = b->marks[b->n - 1].next;
        st->mark = b->n;
        st->offset = b->used;

        if (b->next) {
            st->sync = b->next;
            st->offset = 0;
            st->mark = 0;
        }
    }

    st->messages += messages;

    ngx_stream_ntrip_count_n(messages_out, messages * st->nsinks);
}


/* bytes, NGX_AGAIN or NGX_ERROR */

static ssize_t
ngx_stream_ntrip_write(ngx_socket_t fd, struct iovec *iov, ngx_uint_t n)
{
    ssize_t        sent;
    struct msghdr  msg;

    for ( ;; ) {

        if (n == 1) {
            sent = send(fd, iov[0].iov_base, iov[0].iov_len, MSG_NOSIGNAL);

        } else {
            ngx_memzero(&msg, sizeof(struct msghdr));
            msg.msg_iov = iov;
            msg.msg_iovlen = n;

            sent = sendmsg(fd, &msg, MSG_NOSIGNAL);
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


static void
ngx_stream_ntrip_block(ngx_stream_ntrip_stream_t *st, ngx_uint_t i,
    ngx_stream_ntrip_buf_t *b, size_t offset)
{
    ngx_event_t                  *wev;
    ngx_connection_t             *c;
    ngx_stream_ntrip_sink_t      *s;
    ngx_stream_ntrip_srv_conf_t  *conf;

    s = &st->sinks[i];
    c = st->rovers[i]->session->connection;
    wev = c->write;

    s->buf = b;
    s->offset = (uint32_t) offset;
    s->retry = 0;
    s->flags |= NGX_STREAM_NTRIP_BLOCKED;

    b->refs++;
    st->nblocked++;

    if (s->flags & NGX_STREAM_NTRIP_HELD) {
        return;
    }

    if (!(s->flags & NGX_STREAM_NTRIP_SLOW)) {
        wev->ready = 0;
    }

    if (ngx_handle_write_event(wev, 0) != NGX_OK) {
        ngx_stream_ntrip_close_later(st, s);
        return;
    }

    conf = ngx_stream_ntrip_sink_conf(st, s);
    ngx_add_timer(wev, conf->send_timeout);
}


static void
ngx_stream_ntrip_unblock(ngx_stream_ntrip_stream_t *st,
    ngx_stream_ntrip_sink_t *s)
{
    ngx_stream_ntrip_unref(s->buf);

    s->buf = NULL;
    s->retry = 0;
    s->flags &= ~(NGX_STREAM_NTRIP_BLOCKED|NGX_STREAM_NTRIP_SKIP);

    st->nblocked--;
}


/* the array is being walked: rovers leave it in an event of their own */

static void
ngx_stream_ntrip_close_later(ngx_stream_ntrip_stream_t *st,
    ngx_stream_ntrip_sink_t *s)
{
    s->flags |= NGX_STREAM_NTRIP_CLOSE;

    ngx_post_event(&st->close, &ngx_posted_events);
}


ngx_int_t
ngx_stream_ntrip_deliver_from(ngx_stream_ntrip_rover_t *rover,
    uint64_t position, u_char *rest, size_t len)
{
    ngx_uint_t                  n;
    ntrip_ring_t               *ring;
    ngx_stream_ntrip_buf_t     *b;
    ngx_stream_ntrip_sink_t    *s;
    ngx_stream_ntrip_stream_t  *st;

    st = rover->stream;

    ring = ngx_stream_ntrip_ring(st);

    if (position == 0 && ring) {
        position = ntrip_stream_row(ngx_stream_ntrip_worker.zone,
                                    st->index)->start;
    }

    if (ring == NULL || (len == 0 && position >= st->synced)) {
        return NGX_OK;
    }

    b = ngx_stream_ntrip_own_buf(st, position, rest, len);

    if (b == NULL
        || (st->sync == NULL && ngx_stream_ntrip_buf(st) == NULL))
    {
        ngx_free(b);
        return NGX_ERROR;
    }

    n = b->n + ngx_stream_ntrip_catch_up(st, b, position);

    if (b->used == 0) {
        ngx_free(b);
        return NGX_OK;
    }

    b->total = st->sent - b->used;
    b->count = st->messages - n;
    b->next = st->sync;
    b->resume = st->offset;
    st->sync->refs++;

    s = &st->sinks[rover->sink];
    s->bytes -= b->used;
    s->messages -= n;

    ngx_stream_ntrip_block(st, rover->sink, b, 0);

    ngx_post_event(rover->session->connection->write, &ngx_posted_events);

    return NGX_OK;
}


/*
 * A buffer of one rover's own, from which it goes on where sync is now, with
 * the rest of a record: room for what is in the ring from there to sync, which
 * takes more there, with its headers.
 */

static ngx_stream_ntrip_buf_t *
ngx_stream_ntrip_own_buf(ngx_stream_ntrip_stream_t *st, uint64_t position,
    u_char *rest, size_t len)
{
    size_t                   size;
    ngx_stream_ntrip_buf_t  *b;

    size = len;

    if (position < st->synced) {
        size += ngx_min(st->synced - position,
                        ngx_stream_ntrip_ring(st)->size);
    }

    b = ngx_calloc(offsetof(ngx_stream_ntrip_buf_t, data) + size,
                   ngx_cycle->log);
    if (b == NULL) {
        return NULL;
    }

    b->size = (uint32_t) size;
    b->start = position;

    if (len) {
        ngx_memcpy(b->data, rest, len);
        b->used = (uint32_t) len;
        b->torn = 1;

        b->marks[0].next = position;
        b->marks[0].end = b->used;
        b->marks[0].time = (uint32_t) ngx_current_msec;
        b->n = 1;
    }

    return b;
}


/*
 * What the ring has from there to sync; returns how many records.  Those that
 * are too many for marks are within the last one: who is handed over or skips
 * there goes on behind all of them.
 */

static ngx_uint_t
ngx_stream_ntrip_catch_up(ngx_stream_ntrip_stream_t *st,
    ngx_stream_ntrip_buf_t *b, uint64_t position)
{
    ngx_int_t                 rc;
    ngx_uint_t                n;
    ntrip_record_t            rec;
    ngx_stream_ntrip_mark_t  *mark;

    n = 0;

    while (position < st->synced) {

        rc = ntrip_ring_read(ngx_stream_ntrip_ring(st), &position, &rec,
                             b->data + b->used, b->size - b->used);

        if (rc == NGX_DECLINED) {
            ngx_stream_ntrip_count(overruns);
            continue;
        }

        if (rc != NGX_OK) {
            break;
        }

        n++;
        b->used += rec.len;

        if (b->n < NGX_STREAM_NTRIP_RECORDS) {
            b->n++;
        }

        mark = &b->marks[b->n - 1];
        mark->next = position;
        mark->end = b->used;
        mark->time = (uint32_t) rec.time;
    }

    return n;
}


ngx_int_t
ngx_stream_ntrip_deliver_more(ngx_stream_ntrip_rover_t *rover)
{
    ssize_t                     n;
    ngx_connection_t           *c;
    ngx_stream_ntrip_sink_t    *s;
    ngx_stream_ntrip_stream_t  *st;

    st = rover->stream;
    s = &st->sinks[rover->sink];
    c = rover->session->connection;

    while (s->flags & NGX_STREAM_NTRIP_BLOCKED) {

        if ((s->flags & NGX_STREAM_NTRIP_SKIP)
            && s->retry == 0
            && ngx_stream_ntrip_at_boundary(s))
        {
            ngx_stream_ntrip_skip(st, s);
            break;
        }

        n = ngx_stream_ntrip_send_more(st, s, c);

        if (n == NGX_DONE) {
            ngx_stream_ntrip_unblock(st, s);
            break;
        }

        if (n == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (n == NGX_AGAIN) {

            if (!(s->flags & NGX_STREAM_NTRIP_SLOW)) {
                c->write->ready = 0;
            }

            return (ngx_handle_write_event(c->write, 0) == NGX_OK)
                   ? NGX_AGAIN : NGX_ERROR;
        }

        ngx_add_timer(c->write,
                      ngx_stream_ntrip_sink_conf(st, s)->send_timeout);

        s->retry = 0;
        ngx_stream_ntrip_advance(st, s, (size_t) n);
    }

    if (c->write->timer_set) {
        ngx_del_timer(c->write);
    }

    ngx_stream_ntrip_trim(st);

    return NGX_OK;
}


/* up to sync, or to the end of its record; bytes, NGX_DONE: it has all of that,
   NGX_AGAIN or NGX_ERROR */

static ssize_t
ngx_stream_ntrip_send_more(ngx_stream_ntrip_stream_t *st,
    ngx_stream_ntrip_sink_t *s, ngx_connection_t *c)
{
    size_t                   size, last;
    ngx_uint_t               niov;
    struct iovec             iov[NGX_STREAM_NTRIP_IOVS];
    ngx_stream_ntrip_buf_t  *end;

    end = st->sync;
    last = st->offset;

    if (s->flags & NGX_STREAM_NTRIP_SKIP) {
        end = s->buf;
        last = s->buf->marks[ngx_stream_ntrip_mark(s->buf, s->offset)].end;
    }

    niov = ngx_stream_ntrip_gather(iov, s->buf, s->offset, end, last, &size);

    if (niov == 0) {
        return NGX_DONE;
    }

    if (!(s->flags & NGX_STREAM_NTRIP_SLOW)) {
        return ngx_stream_ntrip_write(s->fd, iov, niov);
    }

    /* what SSL_write() could not send it wants again, the same */

    if (s->retry == 0) {
        s->retry = (uint32_t) iov[0].iov_len;
    }

    return c->send(c, iov[0].iov_base, s->retry);
}


/* n bytes further; at sync the sink has everything */

static void
ngx_stream_ntrip_advance(ngx_stream_ntrip_stream_t *st,
    ngx_stream_ntrip_sink_t *s, size_t n)
{
    size_t                   rest;
    ngx_stream_ntrip_buf_t  *b, *next;

    for ( ;; ) {
        b = s->buf;
        rest = b->used - s->offset;

        if (n < rest || b == st->sync || b->next == NULL) {
            s->offset += (uint32_t) n;
            break;
        }

        n -= rest;
        next = b->next;

        next->refs++;
        s->buf = next;
        s->offset = b->listed ? 0 : b->resume;

        ngx_stream_ntrip_unref(b);
    }

    if (s->buf == st->sync && s->offset == st->offset) {
        ngx_stream_ntrip_unblock(st, s);
    }
}


/* at a boundary: all until sync is left out */

static void
ngx_stream_ntrip_skip(ngx_stream_ntrip_stream_t *st,
    ngx_stream_ntrip_sink_t *s)
{
    uint64_t  bytes, messages;

    ngx_stream_ntrip_behind(st, s, &bytes, &messages);

    s->bytes += bytes;
    s->messages += messages;

    ngx_stream_ntrip_count_n(skipped, messages);

    ngx_stream_ntrip_unblock(st, s);
}


static void
ngx_stream_ntrip_too_slow(ngx_stream_ntrip_stream_t *st,
    ngx_stream_ntrip_sink_t *s)
{
    ngx_stream_ntrip_srv_conf_t  *conf;

    conf = ngx_stream_ntrip_sink_conf(st, s);

    if (conf->slow_rover == NGX_STREAM_NTRIP_SLOW_CLOSE) {
        ngx_stream_ntrip_close_later(st, s);
        return;
    }

    s->flags |= NGX_STREAM_NTRIP_SKIP;
}


void
ngx_stream_ntrip_deliver_tick(ngx_stream_ntrip_stream_t *st)
{
    int32_t                   age;
    ngx_uint_t                i, mark;
    ngx_msec_t                max;
    ngx_stream_ntrip_sink_t  *s;

    if (st->nblocked == 0) {
        return;
    }

    for (i = 0; i < st->nsinks; i++) {
        s = &st->sinks[i];

        if (s->buf == NULL || (s->flags & NGX_STREAM_NTRIP_SKIP)) {
            continue;
        }

        mark = ngx_stream_ntrip_mark(s->buf, s->offset);

        if (mark == s->buf->n) {
            continue;
        }

        /* the time is its owner's, who may be ahead of what is cached here */

        age = (int32_t) ((uint32_t) ngx_current_msec
                         - s->buf->marks[mark].time);
        max = ngx_stream_ntrip_sink_conf(st, s)->max_age;

        if (age > 0 && (ngx_msec_t) age > max) {
            ngx_stream_ntrip_too_slow(st, s);
        }
    }
}


/* servers may share a stream, and treat their rovers differently */

static ngx_stream_ntrip_srv_conf_t *
ngx_stream_ntrip_sink_conf(ngx_stream_ntrip_stream_t *st,
    ngx_stream_ntrip_sink_t *s)
{
    return ngx_stream_get_module_srv_conf(st->rovers[s - st->sinks]->session,
                                          ngx_stream_ntrip_module);
}


/* frees what nobody needs, and what too many bytes are behind */

static void
ngx_stream_ntrip_trim(ngx_stream_ntrip_stream_t *st)
{
    ngx_uint_t                i;
    ngx_stream_ntrip_buf_t   *b;
    ngx_stream_ntrip_sink_t  *s;

    while (st->first && st->first != st->sync) {
        b = st->first;

        if (b->refs) {

            if (st->bytes <= NGX_STREAM_NTRIP_LAG) {
                return;
            }

            for (i = 0; i < st->nsinks; i++) {
                s = &st->sinks[i];

                if (s->buf && (s->buf == b || s->buf->next == b)) {
                    s->flags |= NGX_STREAM_NTRIP_SKIP;
                    ngx_stream_ntrip_too_slow(st, s);
                }
            }
        }

        ngx_stream_ntrip_unlist(st);
    }

    /* one that is used up and all sent is used again */

    b = st->sync;

    if (b && b->refs == 0 && st->pending == 0 && b->next == NULL) {
        b->used = 0;
        b->n = 0;
        st->offset = 0;
        st->mark = 0;
    }
}


void
ngx_stream_ntrip_deliver_join(ngx_stream_ntrip_stream_t *st,
    ngx_stream_ntrip_sink_t *s)
{
    s->buf = NULL;
    s->offset = 0;
    s->retry = 0;
    s->bytes = st->sent;
    s->messages = st->messages;
}


void
ngx_stream_ntrip_deliver_leave(ngx_stream_ntrip_stream_t *st,
    ngx_stream_ntrip_sink_t *s)
{
    if (s->buf) {
        ngx_stream_ntrip_unblock(st, s);
    }

    s->flags = 0;
}


void
ngx_stream_ntrip_deliver_free(ngx_stream_ntrip_stream_t *st)
{
    if (st->flush.timer_set) {
        ngx_del_timer(&st->flush);
    }

    while (st->first) {
        ngx_stream_ntrip_unlist(st);
    }

    st->sync = NULL;
    st->pending = 0;
}


void
ngx_stream_ntrip_stream_totals(ngx_stream_ntrip_rover_t *rover,
    uint64_t *bytes, uint64_t *messages)
{
    uint64_t                    behind, left;
    ngx_stream_ntrip_sink_t    *s;
    ngx_stream_ntrip_stream_t  *st;

    st = rover->stream;
    s = &st->sinks[rover->sink];

    ngx_stream_ntrip_behind(st, s, &behind, &left);

    *bytes = st->sent - s->bytes - behind;
    *messages = st->messages - s->messages - left;
}


uint64_t
ngx_stream_ntrip_deliver_position(ngx_stream_ntrip_rover_t *rover,
    u_char **rest, size_t *len)
{
    ngx_uint_t                  i;
    ngx_stream_ntrip_buf_t     *b;
    ngx_stream_ntrip_sink_t    *s;
    ngx_stream_ntrip_stream_t  *st;

    st = rover->stream;
    s = &st->sinks[rover->sink];
    b = s->buf;

    *rest = NULL;
    *len = 0;

    if (b == NULL) {
        return st->synced;
    }

    i = ngx_stream_ntrip_mark(b, s->offset);

    if (!ngx_stream_ntrip_at_boundary(s)) {
        *rest = b->data + s->offset;
        *len = b->marks[i].end - s->offset;
        i++;
    }

    if (s->flags & NGX_STREAM_NTRIP_SKIP) {
        return st->synced;
    }

    /* where one record ends the next one begins */

    return i ? b->marks[i - 1].next : b->start;
}
