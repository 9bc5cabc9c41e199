
/*
 * Streams of this worker: one object for each stream that has rovers here or
 * whose source is here.  It copies new records of the ring once into
 * refcounted buffers and sends from them to all its rovers.
 *
 * ---- delivery ----
 *
 * A buffer holds the bytes of whole records, one behind the other, as rovers
 * get them, and says where each record ends.  Records of one epoch are
 * collected and go out as one write: with the epoch's last message, at
 * NGX_STREAM_NTRIP_FLUSH bytes, or after ntrip_coalesce, whatever comes
 * first.  "sync" is how far that has gone: a record boundary.
 *
 * A rover here is a sink of 40 bytes in a compact array.  One that has
 * everything up to sync has no buffer of its own: the hot loop touches only
 * this array and calls send().  nginx's connection, its write event and timer
 * are touched when the socket blocks: flag BLOCKED, a reference on the buffer
 * it is in, ngx_handle_write_event(), send_timeout.  TLS rovers have the flag
 * SLOW and go through c->send().
 *
 * Rovers leave the array by swap with the last; a rover knows its index, so
 * the swap updates the moved one's.  Within the delivery loop a rover that
 * must be closed is flagged CLOSE and closed after the loop, by a posted
 * event: nothing is removed while it is walked.
 *
 * Attacks:
 *   partial write: a sink whose offset is no end of a record has begun one;
 *     only its own bytes may follow.  Skipping waits for its end, moving for
 *     an unblocked sink, hand-over takes the record's rest along.
 *   buffer freed while somebody is in it: a blocked sink holds a reference on
 *     its buffer; the last one frees.  Buffers are in order, a rover that
 *     stays behind keeps all after it: bounded by max_age and by
 *     NGX_STREAM_NTRIP_LAG bytes, whichever is first; then it is marked SKIP
 *     and keeps the one buffer with its record, or is closed.
 *   overrun of the ring: this worker was away for a whole ring; counted, the
 *     copy goes on with the newest epoch; no rover gets part of a message.
 *   stream goes to another owner: the ring and the cursors stay.
 *   rover moves to another stream: when it has everything; it goes on with
 *     the newest boundary there.
 *   rover's handler frees the stream object: the stream is only freed by
 *     ngx_stream_ntrip_stream_tick() or in its own event, when it has
 *     neither rovers nor source.
 */


#ifndef _NGX_STREAM_NTRIP_STREAM_H_INCLUDED_
#define _NGX_STREAM_NTRIP_STREAM_H_INCLUDED_


#include "ngx_stream_ntrip.h"
#include "ngx_stream_ntrip_worker.h"
#include "ngx_stream_ntrip_source.h"
#include "ngx_stream_ntrip_store.h"
#include "ntrip_protocol.h"


/* of a buffer: bytes, more than any message has, and records */
#define NGX_STREAM_NTRIP_BUF      8192
#define NGX_STREAM_NTRIP_RECORDS  64
#define NGX_STREAM_NTRIP_FLUSH    4096
#define NGX_STREAM_NTRIP_LAG      131072
#define NGX_STREAM_NTRIP_REQUEST  4096

/* of a rover's socket: what it does not take soon is too old anyway */
#define NGX_STREAM_NTRIP_SNDBUF   32768


typedef struct {
    uint64_t                   next;       /* position behind it in the ring */
    uint32_t                   end;        /* offset behind it in the buffer */
    uint32_t                   time;       /* of arrival, ms, low bits */
} ngx_stream_ntrip_mark_t;


typedef struct ngx_stream_ntrip_buf_s  ngx_stream_ntrip_buf_t;

struct ngx_stream_ntrip_buf_s {
    ngx_stream_ntrip_buf_t    *next;
    uint32_t                   refs;       /* blocked sinks in it */
    uint32_t                   used;
    uint32_t                   size;
    uint16_t                   n;          /* records */
    uint8_t                    torn;       /* begins within a record */
    uint8_t                    listed;     /* 0: only for those in it, */
    uint32_t                   resume;     /* who go on at sync, or here in
                                              "next", which they refer to */
    uint64_t                   start;      /* of the first, in the ring */
    uint64_t                   total;      /* the stream's bytes and messages */
    uint64_t                   count;      /* before it */
    ngx_stream_ntrip_mark_t    marks[NGX_STREAM_NTRIP_RECORDS];
    u_char                     data[1];
};


#define NGX_STREAM_NTRIP_BLOCKED  0x01
#define NGX_STREAM_NTRIP_SLOW     0x02     /* TLS: through the connection */
#define NGX_STREAM_NTRIP_SKIP     0x04     /* to sync, after this record */
#define NGX_STREAM_NTRIP_CLOSE    0x08     /* in the posted event */
#define NGX_STREAM_NTRIP_HELD     0x10     /* handed over: send nothing */

typedef struct {
    ngx_stream_ntrip_buf_t    *buf;        /* BLOCKED: where it is */
    uint32_t                   offset;     /* first byte that is not sent */
    uint32_t                   retry;      /* TLS: bytes of the write that has
                                              to be repeated as it was */
    uint64_t                   bytes;      /* the stream's totals at the time */
    uint64_t                   messages;   /* it joined, and what it skipped */
    ngx_socket_t               fd;
    uint32_t                   flags;
} ngx_stream_ntrip_sink_t;


struct ngx_stream_ntrip_stream_s {
    ngx_queue_t                queue;      /* all of this worker */
    uint32_t                   index;
    uint64_t                   serial;
    uint64_t                   position;   /* next record to copy; 0: the
                                              stream has no ring yet */

    ngx_stream_ntrip_buf_t    *first;      /* listed, in order */
    ngx_stream_ntrip_buf_t    *last;
    size_t                     bytes;      /* of listed buffers */

    ngx_stream_ntrip_buf_t    *sync;       /* everybody was sent up to here: */
    uint32_t                   offset;     /* in this buffer, */
    uint32_t                   mark;       /* its next record, */
    uint64_t                   synced;     /* this position of the ring */
    uint64_t                   sent;       /* totals up to sync */
    uint64_t                   messages;
    size_t                     pending;    /* bytes behind sync */
    uint64_t                   count;      /* messages, those behind sync too */

    ngx_stream_ntrip_sink_t   *sinks;      /* compact; sinks[i] is that of
                                              rovers[i] */
    ngx_stream_ntrip_rover_t **rovers;
    ngx_uint_t                 nsinks;
    ngx_uint_t                 nalloc;
    ngx_uint_t                 nblocked;

    ngx_event_t                flush;      /* ntrip_coalesce */
    ngx_event_t                close;      /* sinks with CLOSE */
    ngx_stream_ntrip_source_t *source;     /* if owned here */

    ngx_stream_ntrip_offer_t   offer;      /* of its source */

    ngx_stream_ntrip_srv_conf_t  *conf;    /* of its first rover here: times
                                              and the error log */
};


/* ---- streams: ngx_stream_ntrip_stream.c ---- */

/* all stream objects of this worker, by their "queue" */
extern ngx_queue_t  ngx_stream_ntrip_streams;

/*
 * What this room has to say to the one above it; never with a lock.
 * ngx_stream_ntrip_module.c says who that is.
 */

typedef struct {
    /* the stream has failed: its rovers are to be closed */
    void                     (*failed)(ngx_stream_ntrip_stream_t *stream);

    /* close the rover; "result" is for $ntrip_result */
    void                     (*close)(ngx_stream_ntrip_rover_t *rover,
                                      const char *result);
} ngx_stream_ntrip_stream_hooks_t;


/* in init_process: there are none */
void ngx_stream_ntrip_stream_init(ngx_stream_ntrip_stream_hooks_t *hooks);

/* this worker's object of a stream was marked: see the worker's hooks */
void ngx_stream_ntrip_stream_woken(uint32_t index);

/* each second */
void ngx_stream_ntrip_stream_tick(void);

/* whether this worker owns any */
ngx_uint_t ngx_stream_ntrip_stream_busy(void);

/*
 * Finds or makes the stream for a rover with what it wants, shared or new
 * (ntrip_stream_attach), and adds the rover.  If this worker is the owner of
 * a new one its source is started, which looks for an account.  NGX_OK;
 * NGX_ERROR: table full or no memory, logged.
 */
ngx_int_t ngx_stream_ntrip_stream_join(ngx_stream_ntrip_rover_t *rover,
    ntrip_mail_t *mail);

/* a rover that has gone too far goes to another one.  NGX_OK; NGX_AGAIN: there
   is none with an account, it stays; NGX_ERROR: no memory, it is on none */
ngx_int_t ngx_stream_ntrip_stream_move(ngx_stream_ntrip_rover_t *rover,
    ntrip_mail_t *mail);

/* this worker's object of a stream that is known (hand-over), made if there
   is none, for the conf; NULL: no memory */
ngx_stream_ntrip_stream_t *ngx_stream_ntrip_stream_open(uint32_t index,
    uint64_t serial, ngx_stream_ntrip_srv_conf_t *conf);

/* adds a rover to it at a ring position, with the rest of a record that it
   gets first; its worker's bit is set already */
ngx_int_t ngx_stream_ntrip_stream_rejoin(ngx_stream_ntrip_rover_t *rover,
    uint32_t index, uint64_t serial, uint64_t position, u_char *rest,
    size_t len);

/* the rover's totals go into it, its session is on no stream */
void ngx_stream_ntrip_stream_leave(ngx_stream_ntrip_rover_t *rover);

/* the same for a rover that was handed over, whose session is another's */
void ngx_stream_ntrip_stream_part(ngx_stream_ntrip_rover_t *rover);

/* wakes the worker that owns the stream: a mail, or the lead is gone */
void ngx_stream_ntrip_tell_owner(ngx_stream_ntrip_stream_t *stream);

/* how many bytes and messages the rover has got from this stream */
void ngx_stream_ntrip_stream_totals(ngx_stream_ntrip_rover_t *rover,
    uint64_t *bytes, uint64_t *messages);

/* distance to the stream's reference position, metres; 0 if it has none */
double ngx_stream_ntrip_stream_distance(ngx_stream_ntrip_rover_t *rover,
    ntrip_point_t point);


/* ---- delivery: ngx_stream_ntrip_deliver.c ---- */

/* copies what is new in the ring and sends it, now or a little later */
void ngx_stream_ntrip_deliver(ngx_stream_ntrip_stream_t *stream);

/* the same, but now, so that sync is not behind any rover of another worker */
void ngx_stream_ntrip_deliver_now(ngx_stream_ntrip_stream_t *stream);

/* a sink at sync goes back to "position", which is not behind it, and before
   that gets the rest of a record.  NGX_OK, or NGX_ERROR: no memory */
ngx_int_t ngx_stream_ntrip_deliver_from(ngx_stream_ntrip_rover_t *rover,
    uint64_t position, u_char *rest, size_t len);

/* the socket of a blocked rover is writable.  NGX_OK: it has everything;
   NGX_AGAIN: blocked; NGX_ERROR: close it */
ngx_int_t ngx_stream_ntrip_deliver_more(ngx_stream_ntrip_rover_t *rover);

/* a sink that is not in the array yet, or no longer: takes it to sync, or
   drops its references */
void ngx_stream_ntrip_deliver_join(ngx_stream_ntrip_stream_t *stream,
    ngx_stream_ntrip_sink_t *sink);
void ngx_stream_ntrip_deliver_leave(ngx_stream_ntrip_stream_t *stream,
    ngx_stream_ntrip_sink_t *sink);

/* each second: sinks that are too far behind */
void ngx_stream_ntrip_deliver_tick(ngx_stream_ntrip_stream_t *stream);

/* frees all buffers; there are no sinks */
void ngx_stream_ntrip_deliver_free(ngx_stream_ntrip_stream_t *stream);

/* for the hand-over: where a rover goes on in the ring, and the rest of the
   record that has begun, NULL and 0 if none has */
uint64_t ngx_stream_ntrip_deliver_position(ngx_stream_ntrip_rover_t *rover,
    u_char **rest, size_t *len);

/* the lead's sentence, rate limited by the caller's gga_interval */
void ngx_stream_ntrip_stream_position(ngx_stream_ntrip_rover_t *rover,
    ntrip_mail_t *mail);

/* this worker's object, NULL if it has none */
ngx_stream_ntrip_stream_t *ngx_stream_ntrip_stream_get(uint32_t index,
    uint64_t serial);


/* ---- buffers: ngx_stream_ntrip_buffer.c ---- */

/* as many buffers go out in one write */
#define NGX_STREAM_NTRIP_IOVS     16

/* one more at the end of the list; NULL: no memory */
ngx_stream_ntrip_buf_t *ngx_stream_ntrip_buf(
    ngx_stream_ntrip_stream_t *stream);

/* takes the first one from the list; sinks in it keep it */
void ngx_stream_ntrip_unlist(ngx_stream_ntrip_stream_t *stream);

/* a sink leaves the buffer */
void ngx_stream_ntrip_unref(ngx_stream_ntrip_buf_t *b);

/* from (b, offset) to (end, last), as much as fits into iov; returns how many
   are used, *size: the bytes in them */
ngx_uint_t ngx_stream_ntrip_gather(struct iovec *iov,
    ngx_stream_ntrip_buf_t *b, size_t offset, ngx_stream_ntrip_buf_t *end,
    size_t last, size_t *size);

/* the record that the byte at "offset" belongs to; b->n: none */
ngx_uint_t ngx_stream_ntrip_mark(ngx_stream_ntrip_buf_t *b, size_t offset);

/* whether a blocked sink has got whole records only */
ngx_uint_t ngx_stream_ntrip_at_boundary(ngx_stream_ntrip_sink_t *sink);

/* what a sink has still to get until sync */
void ngx_stream_ntrip_behind(ngx_stream_ntrip_stream_t *stream,
    ngx_stream_ntrip_sink_t *sink, uint64_t *bytes, uint64_t *messages);


/* ---- rovers, as their stream and the room above see them ---- */

typedef struct ngx_stream_ntrip_request_s  ngx_stream_ntrip_request_t;


struct ngx_stream_ntrip_rover_s {
    ngx_stream_session_t        *session;
    ngx_stream_ntrip_stream_t   *stream;   /* NULL: on none */
    uint32_t                     sink;     /* its index there */
    uint32_t                     index;    /* session row */
    uint64_t                     login;    /* 0: not logged in */
    ngx_stream_ntrip_mount_t    *mount;
    ngx_queue_t                  queue;    /* of this worker */
    ngx_queue_t                  namesakes;  /* of this user, or nearly */

    u_char                       state;
    u_char                       version;
    unsigned                     tls:1;
    unsigned                     check:1;  /* look the user up with the next
                                              tick */
    unsigned                     kicked:1; /* while it was offered */
    unsigned                     unusable:1;   /* a position of it was, as was
                                                  logged */
    uint32_t                     max_sessions;

    ntrip_nmea_t                *nmea;     /* unfinished sentence, NULL if
                                              there is none: nearly always */
    ngx_stream_ntrip_request_t  *request;  /* until login */
    ngx_buf_t                   *out;      /* TABLE: what is not sent */
    ngx_msec_t                   gga;      /* when the last went upstream */

    uint64_t                     bytes;    /* of streams it was on before */
    uint64_t                     messages;
    uint64_t                     point;    /* ntrip_point_t */
    uint64_t                     stored;   /* hash of the stored password */
    time_t                       expires;

    ngx_str_t                    user;
    ngx_str_t                    agent;
    ngx_str_t                    name;     /* of the mountpoint asked for */
    ngx_str_t                    source;   /* label of its last stream */
    const char                  *result;

    ngx_stream_ntrip_offer_t     offer;    /* of its session */
};


#endif /* _NGX_STREAM_NTRIP_STREAM_H_INCLUDED_ */
