
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
 *
 * ---- rover ----
 *
 *   REQUEST   until the header is whole        login_timeout (absolute)
 *   LOOKUP    store says "later": v1 2 s, then closed; v2 503
 *   VERIFY    password in the thread pool      (2 s as well)
 *   DELAY     slowed down: failed logins, kicks
 *   POSITION  logged in, reply sent, needs GGA position_timeout
 *   WAIT      has a position, no account free  source_wait
 *   ATTACHED  on a stream, live or not yet     send_timeout when blocked
 *   TABLE     sends a sourcetable or an error, then lingers and closes
 *
 *   Everything before the session row is reached by anyone: one buffer of
 *   NGX_STREAM_NTRIP_REQUEST bytes, outside the pool, freed with the reply;
 *   login_timeout from accept, not from the last byte.
 *   split at every byte: the request parser is incremental; the rest of the
 *     buffer after the blank line goes to the sentence reader.
 *   peer closes in VERIFY: the task holds the session; it is freed when the
 *     task comes back.
 *   kick in any state: closed at once, except while it is offered (then the
 *     heir reads the kick, or we remember it until the rover is ours again).
 *   the user is changed before the session is in any list: looked up again
 *     behind a delay, and with the next tick behind a thread.
 *   worker exits: it stays as long as there is any rover, whether or not that
 *     has a timer; TABLE and all before POSITION finish; others are handed
 *     over (plain TCP), TLS stays until it ends or the shutdown timeout.
 *   c->close or timeout in any state: one function closes:
 *     ngx_stream_ntrip_rover_finalize().
 */


#ifndef _NGX_STREAM_NTRIP_STREAM_H_INCLUDED_
#define _NGX_STREAM_NTRIP_STREAM_H_INCLUDED_


#include "ngx_stream_ntrip.h"
#include "ngx_stream_ntrip_bus.h"
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
    uint64_t                   position;   /* next record to copy */

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
    uint64_t                   mail_seq;   /* last mail read, if owned */

    uint64_t                   offer;      /* hand-over: nonce of the offer of
                                              its source, 0: none */
    ngx_msec_t                 keep;       /* no other offer before; 0: any
                                              time */

    in_port_t                  port;       /* upstream, if the account has
                                              none */
    ngx_stream_ntrip_srv_conf_t  *conf;
    ngx_stream_ntrip_mount_t     *mount;
};


/* ---- streams: ngx_stream_ntrip_stream.c ---- */

/* all stream objects of this worker, by their "queue" */
extern ngx_queue_t  ngx_stream_ntrip_streams;

/* in init_process: there are none */
void ngx_stream_ntrip_stream_init(void);

/*
 * Finds or makes the stream for a rover with what it wants, shared or new
 * (ntrip_stream_attach), and adds the rover.  If this worker is the owner of
 * a new one its source is started.  NGX_OK, NGX_AGAIN: no account free, perhaps
 * in *wait ms; NGX_DECLINED: none at all; NGX_ERROR: table full or no memory,
 * logged.
 */
ngx_int_t ngx_stream_ntrip_stream_join(ngx_stream_ntrip_rover_t *rover,
    ntrip_mail_t *mail, ngx_msec_t *wait);

/* this worker's object of a stream that is known (hand-over), made if there
   is none, for the conf; NULL: no memory */
ngx_stream_ntrip_stream_t *ngx_stream_ntrip_stream_open(uint32_t index,
    uint64_t serial, ngx_stream_ntrip_srv_conf_t *conf,
    ngx_stream_ntrip_mount_t *mount);

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


/* ---- rovers: ngx_stream_ntrip_rover.c ---- */

typedef enum {
    NGX_STREAM_NTRIP_ROVER_REQUEST = 0,
    NGX_STREAM_NTRIP_ROVER_LOOKUP,
    NGX_STREAM_NTRIP_ROVER_VERIFY,
    NGX_STREAM_NTRIP_ROVER_DELAY,
    NGX_STREAM_NTRIP_ROVER_POSITION,
    NGX_STREAM_NTRIP_ROVER_WAIT,
    NGX_STREAM_NTRIP_ROVER_ATTACHED,
    NGX_STREAM_NTRIP_ROVER_TABLE
} ngx_stream_ntrip_rover_state_e;


/* until the login is done: freed with the reply, wiped */

typedef struct {
    ntrip_request_t            request;
    ngx_stream_ntrip_user_t    user;
    size_t                     len;
    ngx_msec_t                 since;      /* of LOOKUP */
    unsigned                   delayed:1;  /* held back for its kicks */
    unsigned                   slowed:1;   /* and for wrong passwords */
    u_char                     buf[NGX_STREAM_NTRIP_REQUEST];
} ngx_stream_ntrip_request_t;


/* in WAIT */

typedef struct {
    ngx_queue_t                  queue;
    ngx_stream_ntrip_rover_t    *rover;
    ntrip_mail_t                 mail;     /* where it is; len 0: that does not
                                              matter */
} ngx_stream_ntrip_wait_t;


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
    ngx_stream_ntrip_wait_t     *wait;
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

    uint64_t                     offer;    /* hand-over, as in a stream */
    ngx_msec_t                   keep;
};


/* ngx_stream_ntrip_login.c */

/* the declared mountpoint of that name, into the rover.  NGX_OK,
   NGX_DECLINED: there is none; NGX_ERROR: no memory */
ngx_int_t ngx_stream_ntrip_find_mount(ngx_stream_ntrip_rover_t *rover,
    ngx_str_t *name);

/* REQUEST: more bytes; LOOKUP, DELAY: the timer; TABLE: more to send */
void ngx_stream_ntrip_login_read(ngx_stream_ntrip_rover_t *rover);
void ngx_stream_ntrip_login_again(ngx_stream_ntrip_rover_t *rover);
void ngx_stream_ntrip_send_out(ngx_stream_ntrip_rover_t *rover);


/* ngx_stream_ntrip_rover.c */

/* of a rover's connection, in each of its states */
void ngx_stream_ntrip_read_handler(ngx_event_t *rev);
void ngx_stream_ntrip_write_handler(ngx_event_t *wev);

/* logged in, the reply is out: with Ntrip-GGA, if any, and what has come
   behind the request.  NGX_OK, or NGX_ERROR: the rover is gone */
ngx_int_t ngx_stream_ntrip_rover_begin(ngx_stream_ntrip_rover_t *rover,
    ngx_str_t *gga, ngx_str_t *rest);

/* on a stream, or in WAIT until there is one; mail: NULL if the mountpoint
   needs no position.  NGX_OK, or NGX_ERROR: the rover is gone */
ngx_int_t ngx_stream_ntrip_rover_join(ngx_stream_ntrip_rover_t *rover,
    ntrip_mail_t *mail);

/* frees what is not of the connection's pool */
void ngx_stream_ntrip_rover_free(ngx_stream_ntrip_rover_t *rover);

/* keeps an unfinished sentence; NGX_ERROR: no memory */
ngx_int_t ngx_stream_ntrip_keep_nmea(ngx_stream_ntrip_rover_t *rover,
    ntrip_nmea_t *nmea);

/* closes it, in whatever state; "result" is for $ntrip_result */
void ngx_stream_ntrip_rover_finalize(ngx_stream_ntrip_rover_t *rover,
    const char *result);

/* the stream of these rovers has failed: closes them all */
void ngx_stream_ntrip_rover_failed(ngx_stream_ntrip_stream_t *stream);

/* ---- all rovers: ngx_stream_ntrip_rovers.c ---- */

/* those that are logged in: POSITION, WAIT, ATTACHED; by their "queue" */
extern ngx_queue_t  ngx_stream_ntrip_rovers;

/* and all others that there are, which keep an exiting worker as well */
extern ngx_uint_t  ngx_stream_ntrip_nrovers;

/* in init_process: there are none */
void ngx_stream_ntrip_rovers_init(ngx_cycle_t *cycle);

/* it is logged in; is no more */
void ngx_stream_ntrip_rovers_add(ngx_stream_ntrip_rover_t *rover);
void ngx_stream_ntrip_rovers_remove(ngx_stream_ntrip_rover_t *rover);

/* it is in WAIT, with its position, NULL if none is needed, until waited();
   NGX_ERROR: no memory */
ngx_int_t ngx_stream_ntrip_rovers_wait(ngx_stream_ntrip_rover_t *rover,
    ntrip_mail_t *mail);
void ngx_stream_ntrip_rovers_waited(ngx_stream_ntrip_rover_t *rover);

/* there may be an account in as many ms, if that is before the next tick */
void ngx_stream_ntrip_rovers_retry_in(ngx_msec_t wait);

/* an account has become free, or rests are over: rovers in WAIT try again */
void ngx_stream_ntrip_rovers_retry(void);

/* the end of a session by a later login */
void ngx_stream_ntrip_rover_out(ngx_stream_ntrip_rover_t *rover);


/* ---- hand-over of rovers: ngx_stream_ntrip_migrate.c ---- */

/*
 * As for sources.
 *
 * offer:   fills in all that is said of a rover in msg but addresses and
 *          session row; NGX_DECLINED: TLS, or not in the queue's states, or
 *          with more unsent bytes of a record than fit.
 * release: frees the rover: no logout, no access log, its sink leaves the
 *          stream, the connection goes by ngx_stream_ntrip_unhand().
 * adopt:   "s" and its connection are ready, with the conf of the server that
 *          the rover had connected to; makes the rover, then calls
 *          ngx_stream_ntrip_handover_accept(msg), after which msg->stream
 *          tells whether its stream is still there.  NGX_OK: the session goes
 *          on; else nothing has changed, and the caller frees "s".
 */
ngx_int_t ngx_stream_ntrip_rover_offer(ngx_stream_ntrip_rover_t *rover,
    ntrip_handover_t *msg, ngx_socket_t *fds);
void ngx_stream_ntrip_rover_resume(ngx_stream_ntrip_rover_t *rover);
void ngx_stream_ntrip_rover_release(ngx_stream_ntrip_rover_t *rover);
ngx_int_t ngx_stream_ntrip_rover_adopt(ngx_stream_session_t *s,
    ntrip_handover_t *msg);


/* ---- hand-over: ngx_stream_ntrip_handover.c, _adopt.c ---- */

/* see adopt above: takes the row, and for a rover the bit of its stream; wakes
   the giver.  NGX_OK; NGX_DECLINED: the offer no longer stands */
ngx_int_t ngx_stream_ntrip_handover_accept(ntrip_handover_t *msg);

/* the rover, which is offered, has to end.  NGX_OK: it is this worker's again;
   NGX_DECLINED: the heir has it, only the copy here ends */
ngx_int_t ngx_stream_ntrip_handover_recall(ngx_stream_ntrip_rover_t *rover);


#endif /* _NGX_STREAM_NTRIP_STREAM_H_INCLUDED_ */
