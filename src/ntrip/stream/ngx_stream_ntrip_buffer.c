
/*
 * The buffers of a stream in this worker: see ngx_stream_ntrip_stream.h.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>

#include "ngx_stream_ntrip_stream.h"


/* one more at the end of the list */

ngx_stream_ntrip_buf_t *
ngx_stream_ntrip_buf(ngx_stream_ntrip_stream_t *st)
{
    ngx_stream_ntrip_buf_t  *b;

    b = ngx_alloc(offsetof(ngx_stream_ntrip_buf_t, data)
                  + NGX_STREAM_NTRIP_BUF, ngx_cycle->log);
    if (b == NULL) {
        return NULL;
    }

    b->next = NULL;
    b->refs = 0;
    b->used = 0;
    b->size = NGX_STREAM_NTRIP_BUF;
    b->n = 0;
    b->listed = 1;
    b->torn = 0;

    if (st->last) {
        st->last->next = b;

    } else {
        st->first = b;
        st->sync = b;
        st->offset = 0;
        st->mark = 0;
    }

    st->last = b;
    st->bytes += b->size;

    return b;
}


/* takes the first buffer from the list; sinks in it keep it */

void
ngx_stream_ntrip_unlist(ngx_stream_ntrip_stream_t *st)
{
    ngx_stream_ntrip_buf_t  *b;

    b = st->first;

    st->first = b->next;
    st->bytes -= b->size;

    b->listed = 0;
    b->next = NULL;

    if (st->first == NULL) {
        st->last = NULL;
    }

    if (b->refs == 0) {
        ngx_free(b);
    }
}


void
ngx_stream_ntrip_unref(ngx_stream_ntrip_buf_t *b)
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


/* from (b, offset) to (end, last), as much as fits; *size: the bytes of it */

ngx_uint_t
ngx_stream_ntrip_gather(struct iovec *iov, ngx_stream_ntrip_buf_t *b,
    size_t offset, ngx_stream_ntrip_buf_t *end, size_t last, size_t *size)
{
    size_t      len;
    ngx_uint_t  n;

    n = 0;
    *size = 0;

    for ( ;; ) {
        len = ((b == end) ? last : b->used) - offset;

        if (len) {
            iov[n].iov_base = b->data + offset;
            iov[n].iov_len = len;
            *size += len;
            n++;
        }

        if (b == end || b->next == NULL || n == NGX_STREAM_NTRIP_IOVS) {
            return n;
        }

        offset = b->listed ? 0 : b->resume;
        b = b->next;
    }
}


/* the record that the byte at "offset" belongs to */

ngx_uint_t
ngx_stream_ntrip_mark(ngx_stream_ntrip_buf_t *b, size_t offset)
{
    ngx_uint_t  i;

    for (i = 0; i < b->n; i++) {
        if (offset < b->marks[i].end) {
            break;
        }
    }

    return i;
}


ngx_uint_t
ngx_stream_ntrip_at_boundary(ngx_stream_ntrip_sink_t *s)
{
    ngx_uint_t  i;

    if (s->offset == 0) {
        return !s->buf->torn;
    }

    i = ngx_stream_ntrip_mark(s->buf, s->offset);

    return i > 0 && s->buf->marks[i - 1].end == s->offset;
}


void
ngx_stream_ntrip_behind(ngx_stream_ntrip_stream_t *st,
    ngx_stream_ntrip_sink_t *s, uint64_t *bytes, uint64_t *messages)
{
    if (s->buf == NULL) {
        *bytes = 0;
        *messages = 0;
        return;
    }

    *bytes = st->sent - (s->buf->total + s->offset);
    *messages = st->messages
                - (s->buf->count + ngx_stream_ntrip_mark(s->buf, s->offset));
}
