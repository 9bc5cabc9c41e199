
/*
 * The backlog of a stream: see ntrip_backlog.h.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_backlog.h"


static void ntrip_backlog_pass(ntrip_backlog_t *bl);


void
ntrip_backlog_init(ntrip_backlog_t *bl, uint64_t position, ngx_log_t *log)
{
    ngx_memzero(bl, sizeof(ntrip_backlog_t));

    bl->log = log;

    ntrip_backlog_start(bl, position);
}


void
ntrip_backlog_start(ntrip_backlog_t *bl, uint64_t position)
{
    bl->position = position;
    bl->copied = position;
    bl->synced = position;

    if (bl->view) {
        ntrip_view_reset(bl->view);
    }
}


ntrip_buf_t *
ntrip_backlog_buf(ntrip_backlog_t *bl)
{
    ntrip_buf_t  *b;

    b = ngx_alloc(offsetof(ntrip_buf_t, data) + NTRIP_BUF_SIZE, bl->log);
    if (b == NULL) {
        return NULL;
    }

    b->next = NULL;
    b->refs = 0;
    b->used = 0;
    b->size = NTRIP_BUF_SIZE;
    b->n = 0;
    b->listed = 1;
    b->torn = 0;
    b->first = 0;

    if (bl->last) {
        bl->last->next = b;

    } else {
        bl->first = b;
        bl->sync = b;
        bl->offset = 0;
        bl->mark = 0;
    }

    bl->last = b;
    bl->bytes += b->size;

    return b;
}


ngx_int_t
ntrip_backlog_read(ntrip_backlog_t *bl, ntrip_ring_t *ring, ngx_uint_t *flags)
{
    uint64_t         next;
    ngx_int_t        rc;
    ntrip_buf_t     *b;
    ntrip_mark_t    *mark;
    ntrip_record_t   rec;

    b = bl->last;

    if ((b == NULL || b->n == NTRIP_BUF_RECORDS)
        && (b = ntrip_backlog_buf(bl)) == NULL)
    {
        return NGX_ERROR;
    }

    rc = ntrip_view_read(bl->view, ring, &bl->position, &rec,
                         b->data + b->used, b->size - b->used, &next);

    if (rc == NGX_BUSY) {

        /* a message always fits into an empty one */

        b = ntrip_backlog_buf(bl);
        if (b == NULL) {
            return NGX_ERROR;
        }

        rc = ntrip_view_read(bl->view, ring, &bl->position, &rec, b->data,
                             b->size, &next);
    }

    if (rc == NGX_DONE) {
        ntrip_backlog_pass(bl);
        *flags = rec.flags;

        return NGX_OK;
    }

    if (rc == NGX_DECLINED) {
        bl->copied = bl->position;

        if (bl->pending == 0) {
            bl->synced = bl->position;
        }
    }

    if (rc != NGX_OK) {
        return rc;
    }

    if (b->n == 0) {
        b->start = bl->copied;
        b->total = bl->sent + bl->pending;
        b->count = bl->count;
    }

    bl->count++;
    b->used += rec.len;

    mark = &b->marks[b->n++];
    mark->next = next;
    mark->end = b->used;
    mark->time = (uint32_t) rec.time;

    bl->copied = next;
    bl->pending += rec.len;
    *flags = rec.flags;

    return NGX_OK;
}


/* a record that nobody here gets is behind everybody */

static void
ntrip_backlog_pass(ntrip_backlog_t *bl)
{
    if (ntrip_view_holds(bl->view)) {
        return;
    }

    bl->copied = bl->position;

    if (bl->pending == 0) {
        bl->synced = bl->position;
    }
}


ngx_uint_t
ntrip_backlog_gather(ntrip_backlog_t *bl, struct iovec *iov, size_t *size)
{
    size_t        offset, len;
    ngx_uint_t    n;
    ntrip_buf_t  *b;

    n = 0;
    *size = 0;
    offset = bl->offset;

    for (b = bl->sync; b && n < NTRIP_BACKLOG_IOVS; b = b->next) {
        len = b->used - offset;

        if (len) {
            iov[n].iov_base = b->data + offset;
            iov[n].iov_len = len;
            *size += len;
            n++;
        }

        offset = 0;
    }

    return n;
}


ntrip_buf_t *
ntrip_backlog_find(ntrip_backlog_t *bl, size_t size, uint32_t *offset)
{
    ntrip_buf_t  *b;

    *offset = bl->offset;

    for (b = bl->sync; b->next && size >= b->used - *offset; b = b->next) {
        size -= b->used - *offset;
        *offset = 0;
    }

    *offset += (uint32_t) size;

    return b;
}


/* what was gathered ends where a buffer does */

ngx_uint_t
ntrip_backlog_sync(ntrip_backlog_t *bl, size_t size)
{
    ngx_uint_t    messages;
    ntrip_buf_t  *b;

    bl->sent += size;
    bl->pending -= size;

    messages = 0;

    while (size) {
        b = bl->sync;

        messages += b->n - bl->mark;
        size -= b->used - bl->offset;

        bl->synced = b->marks[b->n - 1].next;
        bl->mark = b->n;
        bl->offset = b->used;

        if (b->next) {
            bl->sync = b->next;
            bl->offset = 0;
            bl->mark = 0;
        }
    }

    bl->messages += messages;

    return messages;
}


void
ntrip_backlog_forget(ntrip_backlog_t *bl, ntrip_ring_t *ring)
{
    /* no record of what is left would begin where another one ends */

    (void) ntrip_backlog_trim(bl);

    ntrip_backlog_start(bl, ntrip_ring_head(ring));
}


ngx_int_t
ntrip_backlog_trim(ntrip_backlog_t *bl)
{
    ntrip_buf_t  *b;

    while (bl->first && bl->first != bl->sync) {

        if (bl->first->refs) {

            if (bl->bytes > NTRIP_BACKLOG_LAG) {
                return NGX_BUSY;
            }

            return NGX_OK;
        }

        ntrip_backlog_drop(bl);
    }

    /* one that is used up and all sent is used again */

    b = bl->sync;

    if (b && b->refs == 0 && bl->pending == 0 && b->next == NULL) {
        b->used = 0;
        b->n = 0;
        bl->offset = 0;
        bl->mark = 0;
    }

    return NGX_OK;
}


/* sinks in it keep it */

void
ntrip_backlog_drop(ntrip_backlog_t *bl)
{
    ntrip_buf_t  *b;

    b = bl->first;

    bl->first = b->next;
    bl->bytes -= b->size;

    b->listed = 0;
    b->next = NULL;

    if (bl->first == NULL) {
        bl->last = NULL;
    }

    if (b->refs == 0) {
        ngx_free(b);
    }
}


void
ntrip_backlog_free(ntrip_backlog_t *bl)
{
    while (bl->first) {
        ntrip_backlog_drop(bl);
    }

    bl->sync = NULL;
    bl->pending = 0;
}


ngx_uint_t
ntrip_buf_mark(ntrip_buf_t *b, size_t offset)
{
    ngx_uint_t  i;

    for (i = 0; i < b->n; i++) {
        if (offset < b->marks[i].end) {
            break;
        }
    }

    return i;
}


void
ntrip_buf_unref(ntrip_buf_t *b)
{
    b->refs--;

    if (b->refs || b->listed) {
        return;
    }

    if (b->next) {
        b->next->refs--;

        if (b->next->refs == 0 && !b->next->listed) {
            ngx_free(b->next);
        }
    }

    ngx_free(b);
}
