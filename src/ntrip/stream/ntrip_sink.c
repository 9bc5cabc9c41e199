
/*
 * A rover's place in the backlog of its stream: see ntrip_sink.h.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_sink.h"


/* bytes of all station messages, in chunks */
#define NTRIP_SINK_FIRST                                                      \
    (NTRIP_LATEST_ALL + NTRIP_LATEST_KINDS * NTRIP_VIEW_CHUNK)


static void ntrip_sink_unblock(ntrip_backlog_t *bl, ntrip_sink_t *s);
static uint64_t ntrip_sink_skip(ntrip_backlog_t *bl, ntrip_sink_t *s);
static ngx_int_t ntrip_sink_keep(ntrip_backlog_t *bl, ntrip_sink_t *s);
static void ntrip_sink_first(ntrip_backlog_t *bl, ntrip_buf_t *b,
    ntrip_latest_t *latest, uint32_t now);
static ngx_uint_t ntrip_sink_at_boundary(ntrip_sink_t *s);
static void ntrip_sink_place_first(ntrip_sink_t *s, ntrip_place_t *place);
static size_t ntrip_sink_piece(ntrip_backlog_t *bl, ntrip_sink_t *s);
static void ntrip_sink_left(ntrip_backlog_t *bl, ntrip_sink_t *s,
    uint64_t *bytes, uint64_t *messages);
static ntrip_buf_t *ntrip_sink_buf(ntrip_backlog_t *bl, ntrip_ring_t *ring,
    const ntrip_place_t *place, uint32_t now);
static ngx_uint_t ntrip_sink_catch_up(ntrip_backlog_t *bl, ntrip_buf_t *b,
    ntrip_ring_t *ring, uint64_t position, ngx_uint_t *overruns);


void
ntrip_sink_join(ntrip_backlog_t *bl, ntrip_sink_t *s, uint32_t now)
{
    s->buf = NULL;
    s->bytes = bl->sent;
    s->messages = bl->messages;
    s->offset = 0;
    s->retry = 0;
    s->looked = 0;
    s->since = now;
    s->state = s->first ? NTRIP_SINK_NEW : NTRIP_SINK_SYNC;
    s->held = 0;
}


void
ntrip_sink_leave(ntrip_backlog_t *bl, ntrip_sink_t *s)
{
    if (s->buf) {
        ntrip_sink_unblock(bl, s);
    }
}


void
ntrip_sink_block(ntrip_backlog_t *bl, ntrip_sink_t *s, ntrip_buf_t *b,
    uint32_t offset)
{
    s->buf = b;
    s->offset = offset;
    s->retry = 0;
    s->state = NTRIP_SINK_BEHIND;

    b->refs++;
    bl->behind++;
}


ngx_int_t
ntrip_sink_begin(ntrip_backlog_t *bl, ntrip_sink_t *s, ntrip_latest_t *latest,
    ngx_uint_t ready, uint32_t now)
{
    ntrip_buf_t  *b;

    if (s->buf == NULL && ntrip_sink_keep(bl, s) != NGX_OK) {

        /* no memory: the stream has to do */

        s->state = NTRIP_SINK_SYNC;
        return NGX_OK;
    }

    b = s->buf;

    ntrip_sink_first(bl, b, latest, now);

    if (b->n && !ready) {
        b->n = 0;
        b->used = 0;
        return NGX_BUSY;
    }

    s->state = NTRIP_SINK_BEHIND;

    if (b->n) {
        b->total -= b->used;
        b->count -= b->n;

        s->bytes -= b->used;
        s->messages -= b->n;

        return NGX_AGAIN;
    }

    /* there is nothing in front of its epoch */

    ntrip_sink_sent(bl, s, 0);

    return s->buf ? NGX_AGAIN : NGX_OK;
}


/* from sync on: in a buffer of its own, with room for station messages */

static ngx_int_t
ntrip_sink_keep(ntrip_backlog_t *bl, ntrip_sink_t *s)
{
    uint32_t      offset;
    ntrip_buf_t  *b;

    b = ngx_calloc(offsetof(ntrip_buf_t, data) + NTRIP_SINK_FIRST, bl->log);
    if (b == NULL) {
        return NGX_ERROR;
    }

    b->size = NTRIP_SINK_FIRST;
    b->first = 1;
    b->start = bl->synced;
    b->total = bl->sent;
    b->count = bl->messages;
    b->next = ntrip_backlog_find(bl, 0, &offset);
    b->next->refs++;
    b->resume = offset;

    s->bytes = bl->sent;
    s->messages = bl->messages;

    ntrip_sink_block(bl, s, b, 0);
    s->state = NTRIP_SINK_NEW;

    return NGX_OK;
}


/* the station messages that were there before what it keeps */

static void
ntrip_sink_first(ntrip_backlog_t *bl, ntrip_buf_t *b, ntrip_latest_t *latest,
    uint32_t now)
{
    size_t         len;
    u_char         message[NTRIP_LATEST_MAX];
    ngx_uint_t     kind;
    ntrip_mark_t  *mark;

    for (kind = 0; kind < NTRIP_LATEST_KINDS; kind++) {

        len = ntrip_latest_get(latest, kind, b->start, message);
        len = len ? ntrip_view_message(bl->view, message, len,
                                       b->data + b->used)
                  : 0;

        if (len) {
            b->used += (uint32_t) len;

            mark = &b->marks[b->n++];
            mark->next = b->start;
            mark->end = b->used;
            mark->time = now;
        }
    }
}


static void
ntrip_sink_unblock(ntrip_backlog_t *bl, ntrip_sink_t *s)
{
    ntrip_buf_unref(s->buf);

    s->buf = NULL;
    s->retry = 0;
    s->state = NTRIP_SINK_SYNC;

    bl->behind--;
}


ntrip_step_e
ntrip_sink_next(ntrip_backlog_t *bl, ntrip_sink_t *s,
    ngx_msec_t max_age, uint32_t now, ntrip_step_t *step)
{
    step->skipped = 0;

    if (ntrip_sink_judge(s, max_age, now) != NGX_OK || ntrip_sink_final(s)) {
        return NTRIP_STEP_CLOSE;
    }

    /* what was given to TLS is as good as sent */

    if (s->state == NTRIP_SINK_SKIP
        && s->retry == 0
        && ntrip_sink_at_boundary(s))
    {
        step->skipped = ntrip_sink_skip(bl, s);
    }

    if (s->buf == NULL) {
        return NTRIP_STEP_DONE;
    }

    step->data = s->buf->data + s->offset;
    step->len = s->retry ? s->retry : ntrip_sink_piece(bl, s);

    return NTRIP_STEP_SEND;
}


/* whole records, or one, or its rest; nothing behind sync */

static size_t
ntrip_sink_piece(ntrip_backlog_t *bl, ntrip_sink_t *s)
{
    size_t        end;
    ngx_uint_t    i;
    ntrip_buf_t  *b;

    b = s->buf;
    end = (b == bl->sync) ? bl->offset : b->used;
    i = ntrip_buf_mark(b, s->offset);

    if (s->state == NTRIP_SINK_SKIP) {
        end = b->marks[i].end;
    }

    while (i + 1 < b->n
           && b->marks[i + 1].end <= end
           && b->marks[i + 1].end - s->offset <= NTRIP_BACKLOG_FLUSH)
    {
        i++;
    }

    return ngx_min(b->marks[i].end - s->offset, NTRIP_BACKLOG_FLUSH);
}


/* at sync it has everything */

void
ntrip_sink_sent(ntrip_backlog_t *bl, ntrip_sink_t *s, size_t n)
{
    ntrip_buf_t  *b, *next;

    s->retry = 0;
    s->offset += (uint32_t) n;

    for (b = s->buf;
         s->offset == b->used && b != bl->sync && b->next;
         b = next)
    {
        next = b->next;

        next->refs++;
        s->buf = next;
        s->offset = b->listed ? 0 : b->resume;

        ntrip_buf_unref(b);
    }

    if (s->buf == bl->sync && s->offset == bl->offset) {
        ntrip_sink_unblock(bl, s);
    }
}


/* at a boundary: all until sync is left out; returns how many messages */

static uint64_t
ntrip_sink_skip(ntrip_backlog_t *bl, ntrip_sink_t *s)
{
    uint64_t  bytes, messages;

    ntrip_sink_left(bl, s, &bytes, &messages);

    s->bytes += bytes;
    s->messages += messages;

    ntrip_sink_unblock(bl, s);

    return messages;
}


ngx_int_t
ntrip_sink_judge(ntrip_sink_t *s, ngx_msec_t max_age, uint32_t now)
{
    int32_t     age;
    ngx_uint_t  mark;

    if (s->state != NTRIP_SINK_BEHIND) {
        return NGX_OK;
    }

    mark = ntrip_buf_mark(s->buf, s->offset);

    if (mark == s->buf->n) {
        return NGX_OK;
    }

    /* the time is that of the stream's owner, who may be ahead of us */

    age = (int32_t) (now - s->buf->marks[mark].time);

    if (age <= 0 || (ngx_msec_t) age <= max_age) {
        return NGX_OK;
    }

    return ntrip_sink_too_slow(s);
}


ngx_int_t
ntrip_sink_too_slow(ntrip_sink_t *s)
{
    if (s->close && s->state != NTRIP_SINK_NEW) {
        s->state = NTRIP_SINK_SLOW;
        return NGX_ABORT;
    }

    s->state = NTRIP_SINK_SKIP;

    return NGX_OK;
}


ngx_uint_t
ntrip_sink_in_first(ntrip_backlog_t *bl, ntrip_sink_t *s)
{
    return ntrip_sink_behind(s)
           && (s->buf == bl->first || s->buf->next == bl->first);
}


uint32_t
ntrip_sink_look(ntrip_backlog_t *bl, ntrip_sink_t *s, uint32_t unacked,
    uint32_t now)
{
    uint32_t  sent;
    uint64_t  bytes, messages;

    ntrip_sink_totals(bl, s, &bytes, &messages);

    sent = (uint32_t) bytes;

    /* what had been sent at the last look was acknowledged */

    if (unacked == 0 || (int32_t) (sent - unacked - s->looked) >= 0) {
        s->looked = sent;
        s->since = now;
    }

    return now - s->since;
}


static ngx_uint_t
ntrip_sink_at_boundary(ntrip_sink_t *s)
{
    ngx_uint_t  i;

    if (s->offset == 0) {
        return !s->buf->torn;
    }

    i = ntrip_buf_mark(s->buf, s->offset);

    return i > 0 && s->buf->marks[i - 1].end == s->offset;
}


void
ntrip_sink_totals(ntrip_backlog_t *bl, ntrip_sink_t *s, uint64_t *bytes,
    uint64_t *messages)
{
    uint64_t  left, count;

    ntrip_sink_left(bl, s, &left, &count);

    *bytes = bl->sent - s->bytes - left;
    *messages = bl->messages - s->messages - count;
}


/* what it has still to get until sync */

static void
ntrip_sink_left(ntrip_backlog_t *bl, ntrip_sink_t *s, uint64_t *bytes,
    uint64_t *messages)
{
    if (s->buf == NULL) {
        *bytes = 0;
        *messages = 0;
        return;
    }

    *bytes = bl->sent - (s->buf->total + s->offset);
    *messages = bl->messages
                - (s->buf->count + ntrip_buf_mark(s->buf, s->offset));
}


void
ntrip_sink_place(ntrip_backlog_t *bl, ntrip_sink_t *s, ntrip_place_t *place)
{
    ngx_uint_t    i;
    ntrip_buf_t  *b;

    b = s->buf;

    place->position = bl->synced;
    place->rest = NULL;
    place->len = 0;
    place->since = s->since;
    place->fresh = (s->state == NTRIP_SINK_NEW);

    if (b == NULL) {
        return;
    }

    if (b->first) {
        ntrip_sink_place_first(s, place);
        return;
    }

    i = ntrip_buf_mark(b, s->offset);

    if (!ntrip_sink_at_boundary(s)) {
        place->rest = b->data + s->offset;
        place->len = b->marks[i].end - s->offset;
        i++;
    }

    /* where one record ends the next one begins */

    if (s->state != NTRIP_SINK_SKIP) {
        place->position = i ? b->marks[i - 1].next : b->start;
    }
}


/* station messages that have begun are one record for whoever goes on */

static void
ntrip_sink_place_first(ntrip_sink_t *s, ntrip_place_t *place)
{
    ntrip_buf_t  *b;

    b = s->buf;

    place->position = b->start;

    if (s->offset == 0) {
        place->fresh = 1;
        return;
    }

    place->rest = b->data + s->offset;
    place->len = b->used - s->offset;
}


ngx_int_t
ntrip_sink_return(ntrip_backlog_t *bl, ntrip_sink_t *s, ntrip_ring_t *ring,
    const ntrip_place_t *place, uint32_t now, ngx_uint_t *overruns)
{
    ngx_uint_t    n;
    ntrip_buf_t  *b;

    *overruns = 0;

    s->since = place->since;
    s->state = NTRIP_SINK_SYNC;

    if (place->len == 0 && place->position >= bl->synced) {
        return NGX_DONE;
    }

    b = ntrip_sink_buf(bl, ring, place, now);

    if (b == NULL || (bl->sync == NULL && ntrip_backlog_buf(bl) == NULL)) {
        ngx_free(b);
        return NGX_ERROR;
    }

    n = b->n + ntrip_sink_catch_up(bl, b, ring, place->position,
                                   overruns);

    if (b->used == 0) {
        ngx_free(b);
        return NGX_DONE;
    }

    b->total = bl->sent - b->used;
    b->count = bl->messages - n;
    b->next = bl->sync;
    b->resume = bl->offset;
    bl->sync->refs++;

    s->bytes -= b->used;
    s->messages -= n;

    ntrip_sink_block(bl, s, b, 0);

    return NGX_OK;
}


/*
 * A buffer of one rover's own, from which it goes on where sync is now, with
 * the rest of a record: room for what is in the ring from there to sync, which
 * takes more there, with its headers: 16 bytes each, more than a chunk's.
 */

static ntrip_buf_t *
ntrip_sink_buf(ntrip_backlog_t *bl, ntrip_ring_t *ring,
    const ntrip_place_t *place, uint32_t now)
{
    size_t        size;
    ntrip_buf_t  *b;

    size = place->len;

    if (place->position < bl->synced) {
        size += ngx_min(bl->synced - place->position, ring->size);
    }

    b = ngx_calloc(offsetof(ntrip_buf_t, data) + size, bl->log);
    if (b == NULL) {
        return NULL;
    }

    b->size = (uint32_t) size;
    b->start = place->position;

    if (place->len) {
        ngx_memcpy(b->data, place->rest, place->len);
        b->used = (uint32_t) place->len;
        b->torn = 1;

        b->marks[0].next = place->position;
        b->marks[0].end = b->used;
        b->marks[0].time = now;
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
ntrip_sink_catch_up(ntrip_backlog_t *bl, ntrip_buf_t *b, ntrip_ring_t *ring,
    uint64_t position, ngx_uint_t *overruns)
{
    uint64_t         next;
    ngx_int_t        rc;
    ngx_uint_t       n;
    ntrip_mark_t    *mark;
    ntrip_view_t     own, *view;
    ntrip_record_t   rec;

    n = 0;
    view = NULL;

    if (bl->view) {
        view = &own;
        ntrip_view_init(view, bl->view->profile, bl->view->chunked);
    }

    /* what a view holds there has come out of the backlog's meanwhile */

    while (position < bl->synced || (view && ntrip_view_holds(view))) {

        rc = ntrip_view_read(view, ring, &position, &rec, b->data + b->used,
                             b->size - b->used, &next);

        if (rc == NGX_DECLINED) {
            (*overruns)++;
            continue;
        }

        if (rc == NGX_DONE) {
            continue;
        }

        if (rc != NGX_OK || next > bl->synced) {
            break;
        }

        n++;
        b->used += rec.len;

        if (b->n < NTRIP_BUF_RECORDS) {
            b->n++;
        }

        mark = &b->marks[b->n - 1];
        mark->next = next;
        mark->end = b->used;
        mark->time = (uint32_t) rec.time;
    }

    return n;
}
