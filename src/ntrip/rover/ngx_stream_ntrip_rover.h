
/*
 * Rovers: from a connection to a session, and from there to the end of it.
 *
 *   REQUEST   until the header is whole        login_timeout (absolute)
 *   LOOKUP    store says "later": v1 2 s, then closed; v2 503
 *   VERIFY    password in the thread pool      what is left of login_timeout
 *   DELAY     slowed down: failed logins, kicks
 *   POSITION  logged in, reply sent, needs GGA position_timeout
 *   ATTACHED  on a stream, live or not yet     send_timeout when blocked;
 *                                              source_wait until it has an
 *                                              account
 *   TABLE     sends a sourcetable or an error, then lingers and closes
 *
 *   Base stations come the same way: ngx_stream_ntrip_base.c.
 *
 *   Everything before the session row is reached by anyone: one buffer of
 *   NGX_STREAM_NTRIP_REQUEST bytes, outside the pool, freed with the reply;
 *   login_timeout from accept, not from the last byte.
 *   split at every byte: the request parser is incremental; the rest of the
 *     buffer after the blank line goes to the sentence reader.
 *   peer closes in VERIFY: that is seen when the check has come back, or its
 *     time is over.
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


#ifndef _NGX_STREAM_NTRIP_ROVER_H_INCLUDED_
#define _NGX_STREAM_NTRIP_ROVER_H_INCLUDED_


#include "ngx_stream_ntrip_stream.h"
#include "ngx_stream_ntrip_verify.h"


/* content handler of ntrip_caster */
void ngx_stream_ntrip_caster_handler(ngx_stream_session_t *s);

/* those that are logged in: POSITION, ATTACHED; by their "queue" */
extern ngx_queue_t  ngx_stream_ntrip_rovers;

/* and all others that there are, which keep an exiting worker as well */
extern ngx_uint_t  ngx_stream_ntrip_nrovers;

/* base stations whose upload is under way, by their "queue" */
extern ngx_queue_t  ngx_stream_ntrip_bases;

/* in init_process: there are none */
void ngx_stream_ntrip_rovers_init(ngx_cycle_t *cycle);

/* each second */
void ngx_stream_ntrip_rover_tick(void);

/* the process ends with those that there are: what they were sent is counted */
void ngx_stream_ntrip_rovers_exit(void);

/* closes this worker's sessions of the user below that number; user NULL: kicks
   were missed, looks at each */
void ngx_stream_ntrip_rover_kicked(ngx_str_t *user, uint64_t below);

/* the user was changed, or name NULL: any may have been; each session of it is
   looked up again and closed if it may not be */
void ngx_stream_ntrip_rover_user_changed(ngx_str_t *name);

/* the stream of these rovers has failed: closes them all */
void ngx_stream_ntrip_rover_failed(ngx_stream_ntrip_stream_t *stream);

/* it is a base station's, whose upload has come or gone: those without one are
   closed after ntrip_source_wait */
void ngx_stream_ntrip_rover_station(ngx_stream_ntrip_stream_t *stream,
    ngx_uint_t live);

/* uploads: each second; base stations may have been changed or deleted, which
   is looked at with the next second; this one, which is silent, gives way to
   another */
void ngx_stream_ntrip_base_tick(void);
void ngx_stream_ntrip_bases_changed(void);
void ngx_stream_ntrip_base_asked(ngx_stream_ntrip_rover_t *base);

/* closes it, in whatever state, or resets it, so that the kernel throws away
   what it still has; "result" is for $ntrip_result */
void ngx_stream_ntrip_rover_abort(ngx_stream_ntrip_rover_t *rover,
    const char *result);
void ngx_stream_ntrip_rover_finalize(ngx_stream_ntrip_rover_t *rover,
    const char *result);


/* ---- hand-over of rovers: ngx_stream_ntrip_migrate.c ---- */

/* its session's, or, of a base, its stream's */
ntrip_row_t *ngx_stream_ntrip_rover_row(ngx_stream_ntrip_rover_t *rover);

/*
 * offer:   fills in all that is said of a rover in msg but addresses and
 *          session row; NGX_DECLINED: TLS, or not in the queue's states, or
 *          with more unsent bytes of a record than fit.
 * release: frees the rover: no logout, no access log, its sink leaves the
 *          stream, the connection goes by ngx_stream_ntrip_unhand().
 * adopt:   "s" and its connection are ready, with the conf of the server that
 *          the rover had connected to; makes the rover, then calls
 *          ngx_stream_ntrip_offer_accept(msg), after which msg->stream
 *          tells whether its stream is still there.  NGX_OK: the session goes
 *          on; else nothing has changed, and the caller frees "s".
 */
ngx_int_t ngx_stream_ntrip_rover_offer(ngx_stream_ntrip_rover_t *rover,
    ntrip_handover_t *msg, ngx_socket_t *fds);
void ngx_stream_ntrip_rover_resume(ngx_stream_ntrip_rover_t *rover);
void ngx_stream_ntrip_rover_release(ngx_stream_ntrip_rover_t *rover);
ngx_int_t ngx_stream_ntrip_rover_adopt(ngx_stream_session_t *s,
    ntrip_handover_t *msg);

/* the same for a base station's upload, where the row is that of its stream:
   ngx_stream_ntrip_base_moved.c */
ngx_int_t ngx_stream_ntrip_base_offer(ngx_stream_ntrip_rover_t *base,
    ntrip_handover_t *msg, ngx_socket_t *fds);
void ngx_stream_ntrip_base_resume(ngx_stream_ntrip_rover_t *base);
void ngx_stream_ntrip_base_release(ngx_stream_ntrip_rover_t *base);
ngx_int_t ngx_stream_ntrip_base_adopt(ngx_stream_session_t *s,
    ntrip_handover_t *msg);


#endif /* _NGX_STREAM_NTRIP_ROVER_H_INCLUDED_ */
