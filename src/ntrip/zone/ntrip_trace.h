
/*
 * The trace of one user: what happens to its next session, event by event, of
 * whatever worker.
 *
 *   OFF      nobody has asked, or has taken it back
 *   WAITING  for a login of the user
 *   RUNNING  the session that began then
 *   DONE     it is over
 *
 *            | arm     | off | attempt | login   | session's | its last
 *   ---------+---------+-----+---------+---------+-----------+---------
 *   OFF      | WAITING | OFF |         |         |           |
 *   WAITING  | WAITING | OFF | WAITING | RUNNING |           |
 *            | (anew)  |     | +       | +       |           |
 *   RUNNING  | WAITING | OFF |         | RUNNING | RUNNING   | DONE
 *            | (anew)  |     |         | + other | +         | +
 *   DONE     | WAITING | OFF |         |         |           |
 *
 * "+": the event is kept.  An attempt is what comes before a session: who asks,
 * what it waits for, why it is refused.  Another login of the user while it
 * runs is kept as OTHER: it may throw the session out.  Events of the source
 * belong to the session as long as it is on that stream.
 *
 * What happens over and over again, as positions do, has one place in the ring
 * behind the last event of another kind, with a count; of many events the last
 * ones are kept.
 *
 * All zero at first.  The lock of the bus is held, except for the three looks
 * without one.  A process that is killed leaves an event that nobody sees, or
 * one that is not counted: each change ends with the word that makes it valid.
 *
 * Test: t/unit/ntrip_trace.c, random operations against a plain model;
 * t/fuzz/ntrip_trace.c.
 */


#ifndef _NTRIP_TRACE_H_INCLUDED_
#define _NTRIP_TRACE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_protocol.h"


#define NTRIP_TRACE_EVENTS  64
#define NTRIP_TRACE_TEXT    104

/* bytes of the longest trace as JSON */
#define NTRIP_TRACE_JSON    65536


typedef enum {
    NTRIP_TRACE_OFF = 0,
    NTRIP_TRACE_WAITING,
    NTRIP_TRACE_RUNNING,
    NTRIP_TRACE_DONE
} ntrip_trace_state_e;


typedef enum {

    /* attempts */
    NTRIP_TRACE_REQUEST = 0,          /* the mountpoint, who asks */
    NTRIP_TRACE_WAIT,                 /* for what */
    NTRIP_TRACE_REFUSED,              /* the status; why */

    NTRIP_TRACE_LOGIN,                /* from where */
    NTRIP_TRACE_OTHER,                /* likewise */

    /* of the session */
    NTRIP_TRACE_STREAM,               /* which one, whether it is new */
    NTRIP_TRACE_MOVED,                /* to another one, or from one; why */
    NTRIP_TRACE_FIRST,                /* bytes of corrections */
    NTRIP_TRACE_WORKER,               /* another one goes on */
    NTRIP_TRACE_END,                  /* why; what it was sent */

    /* of its source */
    NTRIP_TRACE_NONE,                 /* no account; why */
    NTRIP_TRACE_ACCOUNT,              /* it is asked; never its password */
    NTRIP_TRACE_LIVE,                 /* what the provider has said */
    NTRIP_TRACE_CLOSED,               /* likewise, or what has ended it */

    /* these are counted */
    NTRIP_TRACE_POSITION,             /* the rover's, with its fix and age */
    NTRIP_TRACE_UNUSABLE,             /* a sentence; why */
    NTRIP_TRACE_SENT,                 /* a position, to the provider */
    NTRIP_TRACE_SKIPPED               /* messages; why */
} ntrip_trace_event_e;

#define NTRIP_TRACE_COUNTED      NTRIP_TRACE_POSITION
#define NTRIP_TRACE_EVENT_KINDS  (NTRIP_TRACE_SKIPPED + 1)


typedef struct {
    int64_t              time;        /* milliseconds since 1970, of the last
                                         one */
    uint32_t             process;
    uint32_t             kind;        /* ntrip_trace_event_e */
    uint64_t             count;       /* of the same */
    uint16_t             status;      /* of HTTP; 0: none */
    uint16_t             len;
    u_char               text[NTRIP_TRACE_TEXT];
} ntrip_trace_event_t;


typedef struct {
    uint64_t             state;       /* ntrip_trace_state_e */
    uint64_t             login;       /* of the session; 0: none */
    uint64_t             stream;      /* serial of its stream; 0: none */
    uint64_t             first;       /* it has got something from there */
    uint64_t             index;       /* row of the session */
    int64_t              since;       /* seconds since 1970: armed */
    uint64_t             user_len;
    u_char               user[NTRIP_USER_MAX];
    uint64_t             n;           /* events so far */
    ntrip_trace_event_t  events[NTRIP_TRACE_EVENTS];
} ntrip_trace_t;


/* no lock: is a login of anybody to be looked at; is it this session, this
   stream?  That somebody has asked is seen a moment later. */

#define ntrip_trace_looks(t)                                                  \
    (__atomic_load_n(&(t)->state, __ATOMIC_RELAXED) - NTRIP_TRACE_WAITING     \
     <= NTRIP_TRACE_RUNNING - NTRIP_TRACE_WAITING)

#define ntrip_trace_session(t, number)                                        \
    ((number) && __atomic_load_n(&(t)->login, __ATOMIC_RELAXED) == (number))

#define ntrip_trace_source(t, serial)                                         \
    ((serial) && __atomic_load_n(&(t)->stream, __ATOMIC_RELAXED) == (serial))


/* begins to wait for the user.  NGX_DECLINED: the name is empty, or too long
   for any user */
ngx_int_t ntrip_trace_arm(ntrip_trace_t *t, const ngx_str_t *user,
    int64_t time);

void ntrip_trace_off(ntrip_trace_t *t);

/* an attempt of the user */
void ntrip_trace_attempt(ntrip_trace_t *t, const ngx_str_t *user,
    const ntrip_trace_event_t *ev);

/* the user is logged in, with that number, in that row; the kind is LOGIN */
void ntrip_trace_login(ntrip_trace_t *t, const ngx_str_t *user,
    uint64_t login, uint32_t index, const ntrip_trace_event_t *ev);

/* of the session with that number; of the source of that stream.  END is the
   last one */
void ntrip_trace_event(ntrip_trace_t *t, uint64_t login,
    const ntrip_trace_event_t *ev);
void ntrip_trace_source_event(ntrip_trace_t *t, uint64_t serial,
    const ntrip_trace_event_t *ev);

/* the session is on that stream from now on; 0: on none */
void ntrip_trace_on(ntrip_trace_t *t, uint64_t login, uint64_t serial);

/* the text of an event; what is too long is cut off */
void ntrip_trace_text(ntrip_trace_event_t *ev, u_char *text, size_t len);


/* of a copy, without any lock: how many events it has, and that one, the
   oldest is 0 */
ngx_uint_t ntrip_trace_events(ntrip_trace_t *copy);
ntrip_trace_event_t *ntrip_trace_at(ntrip_trace_t *copy, ngx_uint_t i);

/* "waiting"...; "login"... */
const char *ntrip_trace_state(ntrip_trace_t *copy);
const char *ntrip_trace_kind(ntrip_trace_event_t *ev);

/* an object, in NTRIP_TRACE_JSON bytes */
void ntrip_trace_json(ntrip_trace_t *copy, ntrip_json_t *json);


#endif /* _NTRIP_TRACE_H_INCLUDED_ */
