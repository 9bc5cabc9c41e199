
/*
 * The backlog of a stream in one worker: what was copied from its ring, once
 * for all rovers, and how far that has been sent to them.
 *
 * A buffer holds the bytes of whole records, one behind the other, as rovers
 * get them, and a mark for each says where it ends.  "sync" is a boundary of
 * records: everybody who is not behind (ntrip_sink.h) has all before it, and
 * what is behind it is pending.
 *
 * Buffers are in order.  A sink that is behind holds a reference on the buffer
 * it is in, and by that on all after it; the last reference frees one that is
 * on the list no more.
 *
 * Pure: no sockets, no clock; of nginx the types, and ngx_alloc() with the log
 * of the backlog.  t/unit/ntrip_sinks.c plays everything against a plain model.
 */


#ifndef _NTRIP_BACKLOG_H_INCLUDED_
#define _NTRIP_BACKLOG_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_view.h"


/* of a buffer: bytes, more than any message has, and records */
#define NTRIP_BUF_SIZE       8192
#define NTRIP_BUF_RECORDS    64

/* bytes of an epoch that go out before its end is seen; and of one write to a
   sink that is behind */
#define NTRIP_BACKLOG_FLUSH  4096

/* bytes of the buffers after which those who keep them have to leave */
#define NTRIP_BACKLOG_LAG    131072

/* as many buffers go out in one write */
#define NTRIP_BACKLOG_IOVS   16


typedef struct {
    uint64_t          next;       /* position behind it in the ring */
    uint32_t          end;        /* offset behind it in the buffer */
    uint32_t          time;       /* of arrival, ms, low bits */
} ntrip_mark_t;


typedef struct ntrip_buf_s  ntrip_buf_t;

struct ntrip_buf_s {
    ntrip_buf_t      *next;
    uint32_t          refs;       /* sinks in it */
    uint32_t          used;
    uint32_t          size;
    uint16_t          n;          /* records */
    uint8_t           torn;       /* begins within a record */
    uint8_t           first;      /* station messages, for one that is new */
    uint8_t           listed;     /* 0: only for those in it, */
    uint32_t          resume;     /* who go on at sync, or here in "next",
                                     which they refer to */
    uint64_t          start;      /* of the first record, in the ring */
    uint64_t          total;      /* the stream's bytes and messages */
    uint64_t          count;      /* before it */
    ntrip_mark_t      marks[NTRIP_BUF_RECORDS];
    u_char            data[1];
};


typedef struct {
    uint64_t          position;   /* in the ring: next record to copy; 0: the
                                     stream has no ring yet */

    uint64_t          copied;     /* position behind what is in buffers */
    ntrip_view_t     *view;       /* NULL: all messages */

    ntrip_buf_t      *first;      /* listed, in order */
    ntrip_buf_t      *last;
    size_t            bytes;      /* of listed buffers */

    ntrip_buf_t      *sync;       /* everybody was sent up to here: */
    uint32_t          offset;     /* in this buffer, */
    uint32_t          mark;       /* its next record, */
    uint64_t          synced;     /* this position of the ring */
    uint64_t          sent;       /* totals up to sync */
    uint64_t          messages;
    size_t            pending;    /* bytes behind sync */
    uint64_t          count;      /* messages, those behind sync too */

    ngx_uint_t        behind;     /* sinks that are */
    ngx_log_t        *log;        /* of allocations that fail */
} ntrip_backlog_t;


/* copies begin at "position"; 0: as soon as there is a ring */
void ntrip_backlog_init(ntrip_backlog_t *backlog, uint64_t position,
    ngx_log_t *log);

/* copies go on there, and nothing is pending */
void ntrip_backlog_start(ntrip_backlog_t *backlog, uint64_t position);

/*
 * Copies the next record of the ring behind what is pending, or, if there is a
 * view, what comes of it, which may be nothing.  NGX_OK, with its flags;
 * NGX_AGAIN: there is none; NGX_DECLINED: the ring has gone on without us,
 * records are lost, none is torn; NGX_ERROR: no memory.
 */
ngx_int_t ntrip_backlog_read(ntrip_backlog_t *backlog, ntrip_ring_t *ring,
    ngx_uint_t *flags);

/* what is pending, as much as fits; returns how many of iov are used, *size:
   the bytes in them */
ngx_uint_t ntrip_backlog_gather(ntrip_backlog_t *backlog, struct iovec *iov,
    size_t *size);

/* "size" bytes of what was gathered were not all: where the rest begins */
ntrip_buf_t *ntrip_backlog_find(ntrip_backlog_t *backlog, size_t size,
    uint32_t *offset);

/* sync moves by the bytes that were gathered; returns how many messages they
   were */
ngx_uint_t ntrip_backlog_sync(ntrip_backlog_t *backlog, size_t size);

/* nobody wants what is there: sync moves to the end of the ring */
void ntrip_backlog_forget(ntrip_backlog_t *backlog, ntrip_ring_t *ring);

/*
 * Frees buffers that nobody needs.  NGX_OK; NGX_BUSY: there are too many bytes
 * behind the first one, those in it have to leave (ntrip_sink_in_first()), and
 * ntrip_backlog_drop() takes it off the list.
 */
ngx_int_t ntrip_backlog_trim(ntrip_backlog_t *backlog);
void ntrip_backlog_drop(ntrip_backlog_t *backlog);

/* all buffers; there are no sinks */
void ntrip_backlog_free(ntrip_backlog_t *backlog);

/* one more buffer at the end of the list; NULL: no memory */
ntrip_buf_t *ntrip_backlog_buf(ntrip_backlog_t *backlog);

/* the record that the byte at "offset" belongs to; b->n: none */
ngx_uint_t ntrip_buf_mark(ntrip_buf_t *b, size_t offset);

/* a sink leaves the buffer */
void ntrip_buf_unref(ntrip_buf_t *b);


#endif /* _NTRIP_BACKLOG_H_INCLUDED_ */
