
/*
 * The object of a source, for the files of this room that share it.
 */


#ifndef _NGX_STREAM_NTRIP_SOURCE_PRIVATE_H_INCLUDED_
#define _NGX_STREAM_NTRIP_SOURCE_PRIVATE_H_INCLUDED_


#include "ngx_stream_ntrip_source.h"
#include "ngx_stream_ntrip_feed.h"
#include "ngx_stream_ntrip_lease.h"
#include "ntrip_policy.h"


#define NGX_STREAM_NTRIP_NO_ROOM  "\"ntrip_zone\" is full"


/* what the provider is told of the lead rover's position */

typedef struct {
    unsigned                      wanted:1;
    unsigned                      fresh:1;   /* "mail" was not sent yet */
    unsigned                      said:1;    /* one was sent, at "sent" */
    ngx_msec_t                    sent;
    uint64_t                      seq;       /* of the mailbox */
    ntrip_mail_t                  mail;
    ngx_event_t                   timer;     /* until the next one */
    ntrip_point_t                 point;     /* of the mail that was sent */
    size_t                        len;       /* of line; 0: none yet */
    u_char                        line[NTRIP_GGA_FORM_MAX];
} ngx_stream_ntrip_position_t;


struct ngx_stream_ntrip_source_s {
    ngx_queue_t                   queue;     /* all of this worker */
    ngx_stream_ntrip_source_t   **place;     /* the stream's pointer to it;
                                                NULL: it is no stream's */
    ngx_stream_ntrip_srv_conf_t  *conf;

    ntrip_source_state_e          state;
    ngx_stream_ntrip_lease_t      lease;
    ngx_stream_ntrip_feed_t       feed;
    ngx_stream_ntrip_position_t   position;

    ngx_msec_t                    since;     /* when it had data last, or was
                                                made */
    ngx_msec_t                    accepted;  /* when the login was; 0: long
                                                ago, by another worker */
    ngx_uint_t                    reason;    /* of the last end: NTRIP_REST_* */
    const char                   *last;      /* the same in words; NULL: there
                                                was none */
    const char                   *why;       /* no account is left */
    ngx_msec_t                    delay;     /* until the next look, 0: until
                                                it is called; or until it may
                                                log in */
    unsigned                      waits:1;   /* as was logged */
    unsigned                      tried:1;   /* it has had an account */
    unsigned                      fed:1;     /* this login has given data */
    unsigned                      shares:1;  /* with feed.guest, by turns */
    ntrip_pair_turn_t             turn;
    ngx_event_t                   turns;     /* until the next one */

    ngx_event_t                   timer;     /* WAIT, TURN, TRIAL */
    ngx_event_t                   linger;    /* until the stream is closed */
    ngx_event_t                   next;      /* posted: LOOK */

    ngx_str_t                     pool;      /* or several, in their order */
    ngx_uint_t                    npools;
    ngx_uint_t                    first;     /* of them, for the next look */
    ngx_uint_t                    used;      /* that of the account */
    u_char                        pool_data[NTRIP_POOLS_MAX];
};


/* ---- ngx_stream_ntrip_source.c ---- */

/* in LOOK, not yet of any stream; NULL: no memory */
ngx_stream_ntrip_source_t *ngx_stream_ntrip_source_create(
    ngx_stream_ntrip_srv_conf_t *conf, uint32_t index, uint64_t serial);

/* without a connection: rows are left alone */
void ngx_stream_ntrip_source_free(ngx_stream_ntrip_source_t *source);

/* takes the step; the source may be gone after */
void ngx_stream_ntrip_source_event(ngx_stream_ntrip_source_t *source,
    ntrip_source_event_e event);

/* for the trace of a rover on its stream */
void ngx_stream_ntrip_source_traced(ngx_stream_ntrip_source_t *source,
    ntrip_trace_event_e kind, const char *what);

/* the stream has no source from now on */
void ngx_stream_ntrip_source_leave(ngx_stream_ntrip_source_t *source);

/* all but those of the client */
void ngx_stream_ntrip_source_stop_timers(ngx_stream_ntrip_source_t *source);


/* ---- ngx_stream_ntrip_look.c ---- */

/* in LOOK: an account is leased for it, or it waits, or gives up; it may be
   gone after */
void ngx_stream_ntrip_source_look(ngx_stream_ntrip_source_t *source);


/* ---- ngx_stream_ntrip_action.c ---- */

/* of event() */
void ngx_stream_ntrip_source_act(ngx_stream_ntrip_source_t *source,
    ntrip_source_action_e action);


/* ---- ngx_stream_ntrip_position.c ---- */

/* with the source; a new login, or one that may just have sent something */
void ngx_stream_ntrip_position_init(ngx_stream_ntrip_source_t *source,
    ngx_uint_t wanted);
void ngx_stream_ntrip_position_begin(ngx_stream_ntrip_source_t *source,
    ngx_uint_t said);

/* the one that may go with the request, empty: none is known or wanted */
void ngx_stream_ntrip_position_first(ngx_stream_ntrip_source_t *source,
    ngx_str_t *gga);

/* sends one, if it is time to */
void ngx_stream_ntrip_position_send(ngx_stream_ntrip_source_t *source);

/* it is another stream's turn (feed.turn), of which nothing was sent */
void ngx_stream_ntrip_position_turn(ngx_stream_ntrip_source_t *source);


/* ---- ngx_stream_ntrip_pair.c ---- */

void ngx_stream_ntrip_pair_init(ngx_stream_ntrip_source_t *source);

/* each second: it waits, and may be a guest, or it may have one; the source may
   be gone after.  The stream was marked: the latter, and the source stays. */
/* it waits: it is gone after, if there is a host */
void ngx_stream_ntrip_pair_join(ngx_stream_ntrip_source_t *source);
void ngx_stream_ntrip_pair_host(ngx_stream_ntrip_source_t *source);

/* the connection goes, or to another worker: the guest is given up */
void ngx_stream_ntrip_pair_end(ngx_stream_ntrip_source_t *source);


#endif /* _NGX_STREAM_NTRIP_SOURCE_PRIVATE_H_INCLUDED_ */
