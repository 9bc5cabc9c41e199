
/*
 * Streams of this worker: one object for each stream that has rovers here or
 * whose source is here.  It copies new records of the ring once into
 * refcounted buffers and sends from them to all its rovers.
 *
 * ---- delivery ----
 *
 * The buffers are those of ntrip_backlog.h, a rover here is a sink of
 * ntrip_sink.h in a compact array.  Records of one epoch are collected and go
 * out as one write: with the epoch's last message, at NTRIP_BACKLOG_FLUSH
 * bytes, or after ntrip_coalesce, whatever comes first.
 *
 * The hot loop touches only the array and calls send() for each sink in state
 * SYNC.  nginx's connection, its write event and timer are touched when the
 * socket blocks: ngx_handle_write_event(), send_timeout.  TLS rovers are
 * always behind, and go through c->send().
 *
 * Rovers leave the array by swap with the last; a rover knows its index, so
 * the swap updates the moved one's.  Within the delivery loop a rover that
 * must be closed gets its final state and is closed after the loop, by a
 * posted event: nothing is removed while it is walked.
 *
 * What the kernel has taken comes late rather than not at all, so it is given
 * little (ngx_stream_ntrip_socket()): it takes nothing while it has anything
 * unsent, and after a stall a rover gets what was under way when it began, and
 * one write.  A connection that gets no further is ended by TCP_USER_TIMEOUT.
 * Rovers that are closed for being slow are reset, which throws away what the
 * kernel still has.
 *
 * Attacks:
 *   partial write: a sink whose offset is no end of a record has begun one;
 *     only its own bytes may follow.  Skipping waits for its end, moving for
 *     an unblocked sink, hand-over takes the record's rest along.
 *   buffer freed while somebody is in it: a blocked sink holds a reference on
 *     its buffer; the last one frees.  Buffers are in order, a rover that
 *     stays behind keeps all after it: bounded by max_age and by
 *     NTRIP_BACKLOG_LAG bytes, whichever is first; then it is marked SKIP
 *     and keeps the one buffer with its record, or is closed.
 *   overrun of the ring: this worker was away for a whole ring; counted, the
 *     copy goes on with the newest epoch; no rover gets part of a message.
 *   stream goes to another owner: the ring and the cursors stay.
 *   rover moves to another stream: when it has everything; it goes on with
 *     the newest boundary there, as one that has just come.
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
#include "ntrip_sink.h"


#define NGX_STREAM_NTRIP_REQUEST  4096

/* of a rover's socket: what it does not take soon is too old anyway */
#define NGX_STREAM_NTRIP_SNDBUF   32768

/* ms from the reply's header to the first station message */
#define NGX_STREAM_NTRIP_FIRST    300


struct ngx_stream_ntrip_stream_s {
    ngx_queue_t                queue;      /* all of this worker */
    uint32_t                   index;
    uint64_t                   serial;

    ntrip_backlog_t            backlog;
    ntrip_sink_t              *sinks;      /* compact; sinks[i] is that of
                                              rovers[i] */
    ngx_stream_ntrip_rover_t **rovers;
    ngx_uint_t                 nsinks;
    ngx_uint_t                 nalloc;

    ngx_stream_ntrip_stream_t *main;       /* NULL: it is; else it is a view
                                              of this one, with "index",
                                              "serial", "conf", backlog and
                                              rovers of its own */
    ngx_stream_ntrip_stream_t *views;      /* the next view */
    ngx_uint_t                 nrovers;    /* of all views, in the main one */
    ngx_uint_t                 close_slow; /* some have "close" */

    ngx_event_t                flush;      /* ntrip_coalesce */
    ngx_event_t                close;      /* sinks in a final state */
    ngx_stream_ntrip_source_t *source;     /* if owned here */
    ngx_stream_ntrip_rover_t  *base;       /* whose upload feeds it, if here */
    ngx_uint_t                 waits;      /* there was none when this worker
                                              looked last */

    ngx_stream_ntrip_offer_t   offer;      /* of its source */

    ngx_stream_ntrip_srv_conf_t  *conf;    /* of its first rover here: times
                                              and the error log */
};


/* ---- streams: ngx_stream_ntrip_stream.c ---- */

/* the stream that a view is of, or it itself */
#define ngx_stream_ntrip_stream_main(st)  ((st)->main ? (st)->main : (st))

/* all stream objects of this worker but views, by their "queue" */
extern ngx_queue_t  ngx_stream_ntrip_streams;

/*
 * What this room has to say to the one above it; never with a lock.
 * ngx_stream_ntrip_module.c says who that is.
 */

typedef struct {
    /* the stream has failed: its rovers are to be closed */
    void                     (*failed)(ngx_stream_ntrip_stream_t *stream);

    /* reset the rover; "result" is for $ntrip_result */
    void                     (*close)(ngx_stream_ntrip_rover_t *rover,
                                      const char *result);

    /* a base station's: its upload has come or gone */
    void                     (*station)(ngx_stream_ntrip_stream_t *stream,
                                        ngx_uint_t live);

    /* the upload of this base, which is silent, gives way to another one */
    void                     (*asked)(ngx_stream_ntrip_rover_t *base);
} ngx_stream_ntrip_stream_hooks_t;


extern ngx_stream_ntrip_stream_hooks_t  *ngx_stream_ntrip_stream_hooks;

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

/* one that is on a base station's stream goes to that of rover->station, which
   is another by now.  NGX_OK; NGX_AGAIN: no room, it stays; NGX_ERROR: no
   memory, it is on none */
ngx_int_t ngx_stream_ntrip_stream_change(ngx_stream_ntrip_rover_t *rover);

/* this worker's object of a stream that is known (hand-over), made if there
   is none, for the conf; NULL: no memory */
ngx_stream_ntrip_stream_t *ngx_stream_ntrip_stream_open(uint32_t index,
    uint64_t serial, ngx_stream_ntrip_srv_conf_t *conf);

/* adds a rover to it at a place where another worker has stopped; its worker's
   bit is set already */
ngx_int_t ngx_stream_ntrip_stream_rejoin(ngx_stream_ntrip_rover_t *rover,
    uint32_t index, uint64_t serial, ntrip_place_t *place);

/* the rover's totals go into it, its session is on no stream */
void ngx_stream_ntrip_stream_leave(ngx_stream_ntrip_rover_t *rover);

/* the same for a rover that was handed over, whose session is another's */
void ngx_stream_ntrip_stream_part(ngx_stream_ntrip_rover_t *rover);

/* how many bytes and messages the rover has got from this stream */
void ngx_stream_ntrip_stream_totals(ngx_stream_ntrip_rover_t *rover,
    uint64_t *bytes, uint64_t *messages);

/* distance to the stream's reference position, metres; 0 if it has none */
double ngx_stream_ntrip_stream_distance(ngx_stream_ntrip_rover_t *rover,
    ntrip_point_t point);


/* the lead's sentence, rate limited by the caller's gga_interval */
void ngx_stream_ntrip_stream_position(ngx_stream_ntrip_rover_t *rover,
    ntrip_mail_t *mail);


/* ---- base stations: ngx_stream_ntrip_station.c ---- */

/* a station's stream was marked, or a second has passed: tells the hooks what
   is new */
void ngx_stream_ntrip_stream_station(ngx_stream_ntrip_stream_t *stream,
    ngx_uint_t live);

/* what to look for in the zone */
void ngx_stream_ntrip_station_want(ntrip_want_t *want, ngx_str_t *mount);

/*
 * The upload of a base to the mountpoint base->name begins.  NGX_OK: its
 * stream, base->feeds, is this worker's; NGX_AGAIN, NGX_BUSY: as
 * ntrip_station_publish(); NGX_ERROR: table full or no memory, logged.
 */
ngx_int_t ngx_stream_ntrip_station_publish(ngx_stream_ntrip_rover_t *base,
    ngx_str_t *label);

/* the same for one that was handed over, whose row is this worker's */
ngx_int_t ngx_stream_ntrip_station_feed(ngx_stream_ntrip_rover_t *base,
    uint32_t index, uint64_t serial);

/* it has ended: rovers wait for another one; it was handed over; this worker
   could not go on with a row that is its own */
void ngx_stream_ntrip_station_end(ngx_stream_ntrip_rover_t *base);
void ngx_stream_ntrip_station_part(ngx_stream_ntrip_rover_t *base);
void ngx_stream_ntrip_station_orphan(uint32_t index, uint64_t serial);

/* whose upload to this mountpoint is under way: the length of its label, of
   NTRIP_LABEL_MAX bytes at most, 0: nobody's */
ngx_uint_t ngx_stream_ntrip_station_label(ngx_str_t *mount, u_char *label);


/* ---- its rovers and views: ngx_stream_ntrip_sinks.c ---- */

void ngx_stream_ntrip_sinks_init(ngx_stream_ntrip_stream_t *stream);

/* frees it and all views; there are no rovers */
void ngx_stream_ntrip_sinks_free(ngx_stream_ntrip_stream_t *stream);

/* frees views without rovers */
void ngx_stream_ntrip_views_tidy(ngx_stream_ntrip_stream_t *stream);

/* adds a rover, at sync of the view that its mountpoint's profile and chunks
   make; NGX_ERROR: no memory */
ngx_int_t ngx_stream_ntrip_sink_add(ngx_stream_ntrip_stream_t *stream,
    ngx_stream_ntrip_rover_t *rover);

/* the rover is on no stream */
void ngx_stream_ntrip_sink_remove(ngx_stream_ntrip_rover_t *rover);


/* ---- delivery: ngx_stream_ntrip_deliver.c; of a stream: of its views, too
        ---- */

/* copies what is new in the ring and sends it, now or a little later */
void ngx_stream_ntrip_deliver(ngx_stream_ntrip_stream_t *stream);

/* the same, but now, so that sync is not behind any rover of another worker */
void ngx_stream_ntrip_deliver_now(ngx_stream_ntrip_stream_t *stream);

/* frees all buffers; there are no sinks */
void ngx_stream_ntrip_deliver_free(ngx_stream_ntrip_stream_t *stream);

/* of a rover that joins: how much its kernel takes, and when it gives up */
void ngx_stream_ntrip_socket(ngx_stream_ntrip_rover_t *rover);

/* the stream's; NULL: no byte has come yet.  Who was here before goes on at
   its start */
ntrip_ring_t *ngx_stream_ntrip_ring(ngx_stream_ntrip_stream_t *stream);

/* for the trace: whether the rover has got its first bytes */
void ngx_stream_ntrip_first(ngx_stream_ntrip_rover_t *rover);

/* bytes, NGX_AGAIN or NGX_ERROR, with errno */
ssize_t ngx_stream_ntrip_write(ngx_socket_t fd, struct iovec *iov,
    ngx_uint_t n);


/* ---- rovers that are behind: ngx_stream_ntrip_behind.c ---- */

/* a sink that nothing is simply written to, of what is pending: it is seen to
   in another way, 1; or to be written to after all, 0 */
ngx_uint_t ngx_stream_ntrip_not_now(ngx_stream_ntrip_stream_t *stream,
    ntrip_sink_t *sink);

/* a sink has "size" bytes of what is pending, and is sent no more for now */
void ngx_stream_ntrip_block(ngx_stream_ntrip_stream_t *stream,
    ntrip_sink_t *sink, size_t size);

/* a sink that is behind waits for its socket, for ntrip_send_timeout */
void ngx_stream_ntrip_await_write(ngx_stream_ntrip_stream_t *stream,
    ntrip_sink_t *sink);

/* its socket has failed, as errno says: it is closed in the posted event */
void ngx_stream_ntrip_broken(ngx_stream_ntrip_stream_t *stream,
    ntrip_sink_t *sink);

/* for $ntrip_result: what a sink's final state means */
const char *ngx_stream_ntrip_sink_result(ntrip_sink_t *sink);

/* a rover that has just joined goes on at a place which is not behind sync.
   NGX_OK, or NGX_ERROR: no memory */
ngx_int_t ngx_stream_ntrip_deliver_from(ngx_stream_ntrip_rover_t *rover,
    ntrip_place_t *place);

/* for the hand-over: where the rover goes on */
void ngx_stream_ntrip_deliver_place(ngx_stream_ntrip_rover_t *rover,
    ntrip_place_t *place);

/* the socket of a blocked rover is writable.  NGX_OK: it has everything;
   NGX_AGAIN: blocked; NGX_ERROR: close it, its sink's state says why */
ngx_int_t ngx_stream_ntrip_deliver_more(ngx_stream_ntrip_rover_t *rover);

/* each second: sinks that are too far behind */
void ngx_stream_ntrip_deliver_tick(ngx_stream_ntrip_stream_t *stream);

/* frees buffers that nobody needs, and what too many bytes are behind */
void ngx_stream_ntrip_trim(ngx_stream_ntrip_stream_t *stream);


/* ---- rovers, as their stream and the room above see them ---- */

typedef struct ngx_stream_ntrip_request_s  ngx_stream_ntrip_request_t;
typedef struct ngx_stream_ntrip_roaming_s  ngx_stream_ntrip_roaming_t;


struct ngx_stream_ntrip_rover_s {
    ngx_stream_session_t        *session;
    ngx_stream_ntrip_stream_t   *stream;   /* NULL: on none */
    ngx_stream_ntrip_stream_t   *feeds;    /* a base: its stream */
    ngx_stream_ntrip_upload_t   *upload;   /* and what comes */
    ngx_stream_ntrip_roaming_t  *roaming;  /* of an ntrip_near; NULL: it is
                                              not */
    uint32_t                     sink;     /* its index there */
    uint32_t                     index;    /* session row */
    uint64_t                     login;    /* 0: not logged in */
    ngx_stream_ntrip_mount_t    *mount;
    ngx_queue_t                  queue;    /* of this worker */
    ngx_queue_t                  namesakes;  /* of this user, or nearly */

    u_char                       state;
    u_char                       version;
    unsigned                     tls:1;
    unsigned                     chunked:1;    /* gets messages in chunks */
    unsigned                     check:1;  /* look the user up with the next
                                              tick */
    unsigned                     kicked:1; /* while it was offered */
    unsigned                     abort:1;  /* ends with a reset */
    unsigned                     unusable:1;   /* a position of it was, as was
                                                  logged */
    unsigned                     base:1;   /* it is a base station */
    unsigned                     useless:1;    /* a base: what came since it was
                                                  of use last was not */
    uint32_t                     max_sessions;
    uint32_t                     welcomed; /* ms, low bits: its header went */

    ntrip_nmea_t                *nmea;     /* unfinished sentence, NULL if
                                              there is none: nearly always */
    ngx_stream_ntrip_request_t  *request;  /* until login */
    ngx_chain_t                 *out;      /* TABLE: what is not sent */
    ngx_stream_ntrip_text_t     *text;     /* and where it is: of all, */
    ngx_stream_ntrip_text_t     *stations; /* likewise, */
    u_char                      *copy;     /* or its own */
    size_t                       copied;
    ngx_msec_t                   gga;      /* when the last went upstream */

    uint64_t                     bytes;    /* of streams it was on before */
    uint64_t                     messages;
    uint64_t                     point;    /* ntrip_point_t */
    uint64_t                     stored;   /* hash of the stored password */
    ntrip_area_t                 area;     /* of the user */
    time_t                       expires;
    uint64_t                     quota_bytes;  /* that it may be sent in all;
                                                  0: no quota */
    ngx_msec_t                   quota_end;    /* when its time is used up; 0:
                                                  never */

    ngx_str_t                    user;
    ngx_str_t                    agent;
    ngx_str_t                    name;     /* of the mountpoint asked for */
    ngx_str_t                    station;  /* that of the base station it gets,
                                              empty: a provider's */
    ngx_str_t                    source;   /* label of its last stream */
    const char                  *result;

    ngx_stream_ntrip_offer_t     offer;    /* of its session */
};


#endif /* _NGX_STREAM_NTRIP_STREAM_H_INCLUDED_ */
