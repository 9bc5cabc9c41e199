
/*
 * What the files of this room share.
 */


#ifndef _NGX_STREAM_NTRIP_ROVER_PRIVATE_H_INCLUDED_
#define _NGX_STREAM_NTRIP_ROVER_PRIVATE_H_INCLUDED_


#include "ngx_stream_ntrip_rover.h"


typedef enum {
    NGX_STREAM_NTRIP_ROVER_REQUEST = 0,
    NGX_STREAM_NTRIP_ROVER_LOOKUP,
    NGX_STREAM_NTRIP_ROVER_VERIFY,
    NGX_STREAM_NTRIP_ROVER_DELAY,
    NGX_STREAM_NTRIP_ROVER_POSITION,
    NGX_STREAM_NTRIP_ROVER_ATTACHED,
    NGX_STREAM_NTRIP_ROVER_TABLE,
    NGX_STREAM_NTRIP_ROVER_TAKE,      /* a base: ngx_stream_ntrip_base.c */
    NGX_STREAM_NTRIP_ROVER_UPLOAD
} ngx_stream_ntrip_rover_state_e;


/* until the login is done: freed with the reply, wiped */

struct ngx_stream_ntrip_request_s {
    ntrip_request_t            request;
    ngx_stream_ntrip_user_t    user;
    const char                *refused;    /* why, whatever the password */
    size_t                     len;
    ngx_msec_t                 since;      /* of LOOKUP */
    ngx_stream_ntrip_verify_t *check;      /* in VERIFY, NULL: none */
    ngx_uint_t                 asked;      /* TAKE: how many times */
    unsigned                   delayed:1;  /* held back for its kicks */
    unsigned                   table:1;    /* of the user's mountpoints */
    ntrip_filter_t             filter;
    u_char                     buf[NGX_STREAM_NTRIP_REQUEST];
};


/* how much of an upload is read at once, at most */
#define NGX_STREAM_NTRIP_UPLOAD  16384


/* ---- ngx_stream_ntrip_find.c ---- */

/* the mountpoint of that name, a base station's or a declared one, into the
   rover.  NGX_OK; NGX_DECLINED: there is none; NGX_AGAIN: stations are not
   known yet; NGX_ERROR: no memory */
ngx_int_t ngx_stream_ntrip_find_mount(ngx_stream_ntrip_rover_t *rover,
    ngx_str_t *name);

/* the same for one that was handed over: it was found by another worker, as
   that of this base station, or, if it has no name, of a provider */
ngx_int_t ngx_stream_ntrip_find_again(ngx_stream_ntrip_rover_t *rover,
    ngx_str_t *name, ngx_str_t *station);


/* ---- ngx_stream_ntrip_login.c ---- */

/* REQUEST: more bytes; LOOKUP, DELAY, VERIFY: the timer; TABLE: more to
   send */
void ngx_stream_ntrip_login_read(ngx_stream_ntrip_rover_t *rover);
void ngx_stream_ntrip_login_again(ngx_stream_ntrip_rover_t *rover);
void ngx_stream_ntrip_login_late(ngx_stream_ntrip_rover_t *rover);

/* the store cannot tell: LOOKUP, for 2 s in all; a check is out: VERIFY */
void ngx_stream_ntrip_login_wait(ngx_stream_ntrip_rover_t *rover);
void ngx_stream_ntrip_login_verify(ngx_stream_ntrip_rover_t *rover);

void ngx_stream_ntrip_send_out(ngx_stream_ntrip_rover_t *rover);

/* what a peer has written goes into logs and lists only so; "?" without
   memory */
void ngx_stream_ntrip_escape(ngx_pool_t *pool, ngx_str_t *from,
    ngx_str_t *to);

/* whether the peer has closed, and sent nothing before that is not read */
ngx_uint_t ngx_stream_ntrip_login_gone(ngx_connection_t *c);


/* ---- ngx_stream_ntrip_rover.c ---- */

/* of a rover's connection, in each of its states */
void ngx_stream_ntrip_read_handler(ngx_event_t *rev);
void ngx_stream_ntrip_write_handler(ngx_event_t *wev);

/* logged in, the reply is out: with Ntrip-GGA, if any, and what has come
   behind the request.  NGX_OK, or NGX_ERROR: the rover is gone */
ngx_int_t ngx_stream_ntrip_rover_begin(ngx_stream_ntrip_rover_t *rover,
    ngx_str_t *gga, ngx_str_t *rest);

/* on a stream; mail: NULL if the mountpoint needs no position.  NGX_OK, or
   NGX_ERROR: the rover is gone */
ngx_int_t ngx_stream_ntrip_rover_join(ngx_stream_ntrip_rover_t *rover,
    ntrip_mail_t *mail);

/* whether it may not be at this place, which is logged; and that its area
   cannot be read */
ngx_uint_t ngx_stream_ntrip_rover_outside(ngx_stream_ntrip_rover_t *rover,
    ntrip_point_t point);
void ngx_stream_ntrip_rover_area(ngx_stream_ntrip_rover_t *rover);

/* what is left of the user's quotas is what the session may have; 1: nothing
   is, which is logged */
ngx_uint_t ngx_stream_ntrip_rover_quota(ngx_stream_ntrip_rover_t *rover,
    ngx_stream_ntrip_user_t *user);

/* on a stream: closes it after ntrip_source_wait if that has no account then */
void ngx_stream_ntrip_rover_await(ngx_stream_ntrip_rover_t *rover);

/* keeps an unfinished sentence; NGX_ERROR: no memory */
ngx_int_t ngx_stream_ntrip_keep_nmea(ngx_stream_ntrip_rover_t *rover,
    ntrip_nmea_t *nmea);


/* ---- ngx_stream_ntrip_end.c ---- */

/* frees what is not of the connection's pool */
void ngx_stream_ntrip_rover_free(ngx_stream_ntrip_rover_t *rover);


/* ---- ngx_stream_ntrip_migrate.c ---- */

/* into the message of a hand-over, and out of it: what a rover and a base have
   in common.  restore() makes it, as the session's context; NULL: no memory */
void ngx_stream_ntrip_rover_save(ngx_stream_ntrip_rover_t *rover,
    ntrip_handover_t *msg);
ngx_stream_ntrip_rover_t *ngx_stream_ntrip_rover_restore(
    ngx_stream_session_t *s, ntrip_handover_t *msg);


/* ---- ngx_stream_ntrip_rovers.c ---- */

/* it is logged in; is no more */
void ngx_stream_ntrip_rovers_add(ngx_stream_ntrip_rover_t *rover);
void ngx_stream_ntrip_rovers_remove(ngx_stream_ntrip_rover_t *rover);

/* what it was sent so far, into its row */
void ngx_stream_ntrip_rover_count(ngx_stream_ntrip_rover_t *rover);

/* the end of a session by a later login */
void ngx_stream_ntrip_rover_out(ngx_stream_ntrip_rover_t *rover);


/* ---- ngx_stream_ntrip_known.c ---- */

#define NGX_STREAM_NTRIP_KNOWN_LEN  16

/* NGX_ERROR: there are no random numbers, logged */
ngx_int_t ngx_stream_ntrip_known_init(ngx_cycle_t *cycle);

/* of user, stored value and password: one that is changed is not known.
   NGX_OK, or NGX_ERROR */
ngx_int_t ngx_stream_ntrip_known_digest(ngx_stream_ntrip_user_t *user,
    ngx_str_t *password, u_char *digest);

ngx_uint_t ngx_stream_ntrip_known(u_char *digest);
void ngx_stream_ntrip_known_add(u_char *digest);


/* ---- ngx_stream_ntrip_near.c ---- */

/* of an ntrip_near mountpoint from now on; "station": it was on that already,
   may be empty.  NGX_OK or NGX_ERROR */
ngx_int_t ngx_stream_ntrip_near_init(ngx_stream_ntrip_rover_t *rover,
    ngx_stream_ntrip_mount_t *mount, ngx_str_t *station);

/* ms: when it came to its station, 0: it has none; and the same after a
   hand-over */
uint64_t ngx_stream_ntrip_near_since(ngx_stream_ntrip_rover_t *rover);
void ngx_stream_ntrip_near_again(ngx_stream_ntrip_rover_t *rover,
    uint64_t since);

/* whether the rover reports a fixed solution */
void ngx_stream_ntrip_near_fixed(ngx_stream_ntrip_rover_t *rover,
    ngx_uint_t fixed);

/*
 * It has a new position: looks for its station.  A second has passed, or its
 * station may have gone: the same, if it has none that is live.  NGX_OK, or
 * NGX_ERROR: the rover is gone.
 */
ngx_int_t ngx_stream_ntrip_near_look(ngx_stream_ntrip_rover_t *rover);
ngx_int_t ngx_stream_ntrip_near_second(ngx_stream_ntrip_rover_t *rover);

/* it has a position, and none is in reach: its timer is that of
   ntrip_source_wait */
ngx_uint_t ngx_stream_ntrip_near_waits(ngx_stream_ntrip_rover_t *rover);


/* ---- ngx_stream_ntrip_live.c ---- */

/* lines of the base stations, NGX_STREAM_NTRIP_STATIONS_*, in the order of
   their names, made once for all who ask within a second, unless one comes or
   goes.  Who keeps it takes a reference; NULL: no memory */
ngx_stream_ntrip_text_t *ngx_stream_ntrip_stations_text(ngx_uint_t which);

/* whether this one is live */
ngx_uint_t ngx_stream_ntrip_stations_listed(ngx_str_t *mount);


/* ---- ngx_stream_ntrip_base.c ---- */

/* a whole request of a base station; LOOKUP: its timer */
void ngx_stream_ntrip_base_requested(ngx_stream_ntrip_rover_t *rover);
void ngx_stream_ntrip_base_lookup(ngx_stream_ntrip_rover_t *rover);

/* TAKE: its timer */
void ngx_stream_ntrip_base_take(ngx_stream_ntrip_rover_t *rover);

/* UPLOAD: it begins, with feeds and upload; more bytes; its timer */
void ngx_stream_ntrip_base_begin(ngx_stream_ntrip_rover_t *rover);
void ngx_stream_ntrip_base_read(ngx_stream_ntrip_rover_t *rover);
void ngx_stream_ntrip_base_silent(ngx_stream_ntrip_rover_t *rover);

/* of finalize(): what a base has besides */
void ngx_stream_ntrip_base_end(ngx_stream_ntrip_rover_t *rover,
    const char *result);

/* for $ntrip_source */
void ngx_stream_ntrip_base_label(ngx_stream_ntrip_rover_t *rover);


/* ---- ngx_stream_ntrip_answer.c ---- */

/* refuses the request: NTRIP's or HTTP's status, and $ntrip_result */
void ngx_stream_ntrip_error(ngx_stream_ntrip_rover_t *rover,
    ngx_uint_t status, const char *result);


/* ---- ngx_stream_ntrip_rover_traced.c: for the trace of its user ---- */

/* REQUEST: it asks; what it waits for; status 0: it gets no reply; it is logged
   in, and others may be thrown out by it */
void ngx_stream_ntrip_traced_request(ngx_stream_ntrip_rover_t *rover);
void ngx_stream_ntrip_traced_wait(ngx_stream_ntrip_rover_t *rover,
    const char *what);
void ngx_stream_ntrip_traced_refused(ngx_stream_ntrip_rover_t *rover,
    ngx_uint_t status, const char *result);
void ngx_stream_ntrip_traced_enter(ngx_stream_ntrip_rover_t *rover,
    ngx_uint_t replaces);

/* what its receiver says */
void ngx_stream_ntrip_traced_position(ngx_stream_ntrip_rover_t *rover,
    ntrip_gga_t *gga);

/* the end, before the session's row goes, or that of an attempt */
void ngx_stream_ntrip_traced_end(ngx_stream_ntrip_rover_t *rover,
    const char *result);


/* ---- ngx_stream_ntrip_table.c ---- */

/* the sourcetable, in the form that the peer reads, as far as the filter of its
   request goes, and of the mountpoints those of a user's list; NULL: all */
void ngx_stream_ntrip_table(ngx_stream_ntrip_rover_t *rover,
    ngx_str_t *mounts);

/* a mountpoint of ntrip_sourcetable, into the rover, as find_mount() does */
ngx_int_t ngx_stream_ntrip_find_listed(ngx_stream_ntrip_rover_t *rover,
    ngx_str_t *name);

/* drops a reference; NULL: there is none */
void ngx_stream_ntrip_text_leave(ngx_stream_ntrip_text_t *text);

/* what a table takes while it is sent */
void ngx_stream_ntrip_table_free(ngx_stream_ntrip_rover_t *rover);


#endif /* _NGX_STREAM_NTRIP_ROVER_PRIVATE_H_INCLUDED_ */
