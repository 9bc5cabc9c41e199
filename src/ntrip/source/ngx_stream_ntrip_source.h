
/*
 * A source: this worker's client at a provider, for one stream that it owns.
 * The states and what may go wrong are in ngx_stream_ntrip_stream.h.
 *
 * ngx_stream_ntrip_source.c   life: accounts, the end, changes
 * ngx_stream_ntrip_connect.c  addresses, connecting, the request
 * ngx_stream_ntrip_feed.c     reply, messages, positions, hand-over
 * ngx_stream_ntrip_test.c     SOURCE-TEST
 *
 * The object outlives its stream only while it is CLOSING.  All that it names
 * it has itself, or the cycle: accounts and rows may go at any time.
 *
 * A failure is never handled where it is met, which may be in the middle of
 * somebody else's loop, but in an event of the source: "broken" is set and
 * "next" is posted.
 */


#ifndef _NGX_STREAM_NTRIP_SOURCE_H_INCLUDED_
#define _NGX_STREAM_NTRIP_SOURCE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_connect.h>
#include <ngx_stream.h>

#include "ntrip_protocol.h"

#include "ngx_stream_ntrip_bus.h"
#include "ngx_stream_ntrip_store.h"
#include "ngx_stream_ntrip_stream.h"


/* of one name, tried one after the other */
#define NGX_STREAM_NTRIP_ADDRS    4

/* fits the longest fields of an account */
#define NGX_STREAM_NTRIP_LOGIN    3072


typedef struct ngx_stream_ntrip_lookup_s  ngx_stream_ntrip_lookup_t;


/* all of this worker, by their "queue" */
extern ngx_queue_t  ngx_stream_ntrip_sources;


struct ngx_stream_ntrip_source_s {
    ngx_queue_t                  queue;      /* all of this worker */
    ngx_stream_ntrip_stream_t   *stream;     /* NULL: it has ended, or there
                                                is none, as this is a test */
    uint32_t                     index;      /* of the stream's row */
    uint64_t                     serial;

    ngx_stream_ntrip_srv_conf_t *conf;
    ngx_stream_core_srv_conf_t  *core;       /* of the same server */

    ntrip_candidate_t            candidate;  /* the account; source 0: none */
    ngx_fd_t                     lock;       /* its lock file */

    ngx_uint_t                   state;      /* NGX_STREAM_NTRIP_SOURCE_* */
    ngx_msec_t                   since;      /* when it had data last, or was
                                                made */
    ngx_msec_t                   started;    /* when the login was good */
    unsigned                     broken:1;
    unsigned                     waits:1;    /* for an account, as was logged */
    unsigned                     gga:1;      /* positions go up */
    unsigned                     mailed:1;   /* "mail" was not sent yet */
    unsigned                     said:1;     /* one was sent, at "sent" */

    /* one for all that a state waits for; until the stream is closed; until
       the next position */

    ngx_event_t                  timer;
    ngx_event_t                  linger;
    ngx_event_t                  position;
    ngx_event_t                  next;       /* posted */

    /* addresses, connection */

    ngx_str_t                    host;       /* name or address */
    in_port_t                    port;
    ngx_resolver_ctx_t          *resolving;
    ngx_stream_ntrip_lookup_t   *lookup;
    ngx_uint_t                   naddrs;
    ngx_uint_t                   addr;       /* the one that is tried */
    ngx_sockaddr_t               addrs[NGX_STREAM_NTRIP_ADDRS];
    socklen_t                    socklens[NGX_STREAM_NTRIP_ADDRS];
    ngx_str_t                    addr_text;
    ngx_peer_connection_t        peer;

    /* what comes */

    ntrip_reply_t                reply;
    ntrip_rtcm_t                 rtcm;

    /* what goes: the request, then sentences */

    u_char                      *request;    /* with the credentials: wiped
                                                and freed when sent */
    u_char                      *pos;
    u_char                      *last;
    ngx_msec_t                   sent;
    uint64_t                     mail_seq;
    ntrip_mail_t                 mail;
    u_char                       line[NTRIP_GGA_LINE_MAX];

    /* SOURCE-TEST */

    ngx_stream_ntrip_test_pt     test;
    void                        *test_data;

    ngx_log_t                    log;
    ngx_str_t                    label;      /* "account@host:port" */
    ngx_str_t                    mount;
    ngx_str_t                    pool;

    u_char                       label_data[NTRIP_LABEL_MAX];
    u_char                       mount_data[NTRIP_MOUNT_MAX];
    u_char                       pool_data[NTRIP_POOL_MAX];
    u_char                       host_data[NTRIP_HOST_MAX + 1];
    u_char                       addr_data[NGX_SOCKADDR_STRLEN];
};


/* ---- ngx_stream_ntrip_connect.c ---- */

/* the account is leased: takes its file lock, connects and sends the request;
   then ngx_stream_ntrip_source_asked(), or ..._failed() */
void ngx_stream_ntrip_connect(ngx_stream_ntrip_source_t *source);

/* the time for an address is over: tries the next, or fails */
void ngx_stream_ntrip_connect_timeout(ngx_stream_ntrip_source_t *source);

/* ends what is under way; the connection and the lock file are closed */
void ngx_stream_ntrip_connect_stop(ngx_stream_ntrip_source_t *source);

/* sends from pos to last as far as possible; an error makes it broken */
void ngx_stream_ntrip_source_send(ngx_stream_ntrip_source_t *source);

/* of its connection: what is left of the request or of a sentence */
void ngx_stream_ntrip_source_write_handler(ngx_event_t *wev);


/* ---- ngx_stream_ntrip_feed.c ---- */

/* connected, and the request is about to be sent: reads the reply and what
   follows */
void ngx_stream_ntrip_source_asked(ngx_stream_ntrip_source_t *source);

/* it is time for a position, perhaps */
void ngx_stream_ntrip_source_position_handler(ngx_event_t *ev);

/* the first line of the reply as it may be shown, into NTRIP_REPLY_SHOWN bytes;
   returns how many */
size_t ngx_stream_ntrip_source_shown(ngx_stream_ntrip_source_t *source,
    u_char *text);


/* ---- ngx_stream_ntrip_source.c ---- */

/* a source in state NONE for a row of this worker's, which it copies names
   from; NULL: no memory */
ngx_stream_ntrip_source_t *ngx_stream_ntrip_source_create(
    ngx_stream_ntrip_srv_conf_t *conf, uint32_t index, uint64_t serial);

/* with its connection and lock, which are closed; rows are left alone */
void ngx_stream_ntrip_source_free(ngx_stream_ntrip_source_t *source);

/* all that it has; what is posted stays so */
void ngx_stream_ntrip_source_stop_timers(ngx_stream_ntrip_source_t *source);

/* does the row still name this worker? */
ngx_uint_t ngx_stream_ntrip_source_owned(ngx_stream_ntrip_source_t *source);

/* the worker's time to shut down is over: everything is closed, the stream is
   left to be claimed when the slot is released */
void ngx_stream_ntrip_source_abandon(ngx_stream_ntrip_source_t *source);

/* the source is broken, handled in an event of its own */
void ngx_stream_ntrip_source_broken(ngx_stream_ntrip_source_t *source);

/* the login or the connection failed, as was logged: the account rests for
   NTRIP_REST_*, another is looked for.  In an event of the source only; it
   may be gone after. */
void ngx_stream_ntrip_source_failed(ngx_stream_ntrip_source_t *source,
    ngx_uint_t reason);


/* the account is CLOSING: says goodbye to the provider and waits for its FIN */
void ngx_stream_ntrip_source_shutdown(ngx_stream_ntrip_source_t *source);


/* ---- ngx_stream_ntrip_test.c ---- */

/* a test has its result: NTRIP_REST_*; the source may be gone after */
void ngx_stream_ntrip_source_tested(ngx_stream_ntrip_source_t *source,
    ngx_uint_t reason);


#endif /* _NGX_STREAM_NTRIP_SOURCE_H_INCLUDED_ */
