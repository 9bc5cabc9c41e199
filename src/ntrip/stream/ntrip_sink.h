
/*
 * A sink: where a rover is in its stream's backlog, and what it gets next.
 *
 *     NEW    ---- its first epoch comes, it needs nothing else > SYNC
 *     NEW    ---- the same, with station messages in front ---> BEHIND
 *     SYNC   ---- the socket is full -------------------------> BEHIND
 *     BEHIND ---- has everything -----------------------------> SYNC
 *     BEHIND ---- what comes next is too old, or too much ----> SKIP, or SLOW
 *     SKIP   ---- at the end of the record that has begun ----> SYNC
 *     any    ---- the socket says so -------------------------> RESET, TIMEOUT
 *
 * One that has just come is NEW where station messages are wanted.  While it is
 * too early for those, its first epochs are kept for it; what comes to too many
 * bytes is skipped.
 *
 * SLOW, RESET and TIMEOUT are final: the rover is closed in an event of its
 * own.  A record that has begun is always sent to its end: a sink that was
 * sent a part of one never gets another one's bytes behind it.
 *
 * Age is that of the record, from its arrival.  What the kernel has taken
 * cannot be taken back, so it is given little: a socket for rovers takes
 * nothing while anything is unsent (ngx_stream_ntrip_socket()), and one write
 * to a sink that is behind is NTRIP_BACKLOG_FLUSH bytes at most.  How long it
 * has had what it has is what ntrip_sink_look() finds out.
 *
 * Pure, as the backlog is.  Times are milliseconds of the clock of the ring,
 * low bits.  t/unit/ntrip_sinks.c.
 */


#ifndef _NTRIP_SINK_H_INCLUDED_
#define _NTRIP_SINK_H_INCLUDED_


#include "ntrip_backlog.h"


typedef enum {
    NTRIP_SINK_SYNC = 0,          /* has everything up to sync */
    NTRIP_SINK_BEHIND,            /* goes on at "buf", "offset" */
    NTRIP_SINK_SKIP,              /* the same, until its record ends: then it
                                     leaves all up to sync out */
    NTRIP_SINK_NEW,               /* was sent nothing; what is kept for it
                                     begins at "buf", "offset" */
    NTRIP_SINK_SLOW,              /* to be closed: it was too slow */
    NTRIP_SINK_RESET,             /* to be closed: the socket has failed */
    NTRIP_SINK_TIMEOUT            /* to be closed: nothing was acknowledged */
} ntrip_sink_state_e;


typedef struct {
    ntrip_buf_t      *buf;        /* where it is; NULL: at sync */
    uint64_t          bytes;      /* the stream's totals at the time it */
    uint64_t          messages;   /* joined, and what it skipped */
    uint32_t          offset;     /* first byte that is not sent */
    uint32_t          retry;      /* TLS: bytes of the write that has to be
                                     repeated as it was */
    uint32_t          looked;     /* bytes it had been sent at "since" */
    uint32_t          since;      /* see ntrip_sink_look() */
    ngx_socket_t      fd;
    unsigned          state:4;    /* ntrip_sink_state_e */
    unsigned          held:1;     /* handed over: it is sent nothing */
    unsigned          tls:1;      /* through the connection */
    unsigned          close:1;    /* if it is too slow; else it skips */
    unsigned          first:1;    /* gets station messages first */
} ntrip_sink_t;


/* where another worker goes on */

typedef struct {
    uint64_t          position;   /* in the ring; 0: at the stream's start */
    u_char           *rest;       /* of the record that has begun, or NULL */
    size_t            len;
    uint32_t          since;      /* what is unacknowledged is there */
    ngx_uint_t        fresh;      /* it was sent nothing: it joins anew */
} ntrip_place_t;


typedef enum {
    NTRIP_STEP_SEND = 0,          /* "data", then ntrip_sink_sent() */
    NTRIP_STEP_DONE,              /* it is at sync; it may have skipped */
    NTRIP_STEP_CLOSE              /* its state says why */
} ntrip_step_e;


typedef struct {
    u_char           *data;
    size_t            len;
    uint64_t          skipped;    /* messages */
} ntrip_step_t;


/* begins at sync, NEW or SYNC; the caller has set "fd", "tls", "close" and
   "first" */
void ntrip_sink_join(ntrip_backlog_t *backlog, ntrip_sink_t *sink,
    uint32_t now);

/* drops its reference; its totals were asked for before */
void ntrip_sink_leave(ntrip_backlog_t *backlog, ntrip_sink_t *sink);

/* from SYNC to BEHIND: "b" and "offset" are what it gets first */
void ntrip_sink_block(ntrip_backlog_t *backlog, ntrip_sink_t *sink,
    ntrip_buf_t *b, uint32_t offset);

/*
 * NEW, and there is something for it.  "latest" is that of the stream: what of
 * it came before its first epoch, and the view lets pass, it gets first, as
 * messages of "now"; what is within that epoch it gets there.  "ready": it is
 * time for that.
 *
 *   NGX_OK      SYNC: there is nothing but the epoch
 *   NGX_AGAIN   BEHIND: it has something to send
 *   NGX_BUSY    NEW, its epoch is kept: to be called again
 */
ngx_int_t ntrip_sink_begin(ntrip_backlog_t *backlog, ntrip_sink_t *sink,
    ntrip_latest_t *latest, ngx_uint_t ready, uint32_t now);

/* whether something is kept for it; or it may as well be on another stream */
#define ntrip_sink_behind(s)  ((s)->buf && !ntrip_sink_final(s))
#define ntrip_sink_idle(s)    ((s)->buf == NULL && !ntrip_sink_final(s))

/* whether it is to be closed */
#define ntrip_sink_final(s)  ((s)->state >= NTRIP_SINK_SLOW)

/*
 * What a sink that is behind, and not NEW, gets next, if its socket takes it.
 * The age of a record counts until it begins to be sent.
 */
ntrip_step_e ntrip_sink_next(ntrip_backlog_t *backlog, ntrip_sink_t *sink,
    ngx_msec_t max_age, uint32_t now, ntrip_step_t *step);

/* n bytes of the step were taken */
void ntrip_sink_sent(ntrip_backlog_t *backlog, ntrip_sink_t *sink, size_t n);

/* each second, and before each step: looks at the age of what comes next.
   NGX_OK, or NGX_ABORT: it is to be closed now */
ngx_int_t ntrip_sink_judge(ntrip_sink_t *sink, ngx_msec_t max_age,
    uint32_t now);

/* it is too slow, for its age or the bytes that it keeps; likewise */
ngx_int_t ntrip_sink_too_slow(ntrip_sink_t *sink);

/* whether it keeps the first buffer of the list: see ntrip_backlog_trim() */
ngx_uint_t ntrip_sink_in_first(ntrip_backlog_t *backlog, ntrip_sink_t *sink);

/*
 * "unacked" bytes that were sent to it are still in the kernel.  Returns for
 * how many milliseconds at least the oldest of them has been there; at most
 * since the look that found all acknowledged before the one that counts now.
 */
uint32_t ntrip_sink_look(ntrip_backlog_t *backlog, ntrip_sink_t *sink,
    uint32_t unacked, uint32_t now);

/* how many bytes and whole messages it has got, since it joined */
void ntrip_sink_totals(ntrip_backlog_t *backlog, ntrip_sink_t *sink,
    uint64_t *bytes, uint64_t *messages);

/* for the hand-over; "since" is that of the last look */
void ntrip_sink_place(ntrip_backlog_t *backlog, ntrip_sink_t *sink,
    ntrip_place_t *place);

/*
 * A sink that has just joined goes back to a place that is not behind sync, and
 * not fresh.
 * The rest of a record that it gets first is as old as "now".
 * NGX_OK: it is behind; NGX_DONE: there is nothing in between; NGX_ERROR: no
 * memory.  *overruns: how often the ring had gone on.
 */
ngx_int_t ntrip_sink_return(ntrip_backlog_t *backlog, ntrip_sink_t *sink,
    ntrip_ring_t *ring, const ntrip_place_t *place, uint32_t now,
    ngx_uint_t *overruns);


#endif /* _NTRIP_SINK_H_INCLUDED_ */
