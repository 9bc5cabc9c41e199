
/*
 * Fieldgate: an exchange with a CPE, as decisions.
 *
 * What to send to the CPE next, and how the wake-ups that asked for it end.
 * The caller has the sockets and the timers, and reports what happened; each
 * report returns the next action.
 */


#ifndef _CWMP_EXCHANGE_H_INCLUDED_
#define _CWMP_EXCHANGE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_auth.h"
#include "cwmp_reply.h"
#include "cwmp_wakeup.h"


typedef enum {
    CWMP_EXCHANGE_SEND_PLAIN = 0,   /* without Authorization */
    CWMP_EXCHANGE_SEND_DIGEST,      /* x->used answered with the credentials */
    CWMP_EXCHANGE_SEND_BASIC,
    CWMP_EXCHANGE_SEND_RELAY,       /* path mode: the ACS's own, its Digest
                                       too */
    CWMP_EXCHANGE_SEND_UDP,         /* and wait for the CPE's Inform */
    CWMP_EXCHANGE_FINISH            /* x->outcome is set */
} cwmp_exchange_action_e;


typedef enum {
    CWMP_EXCHANGE_REFUSED = 0,      /* connect() failed */
    CWMP_EXCHANGE_RESET,            /* the connection broke */
    CWMP_EXCHANGE_TIMEOUT,
    CWMP_EXCHANGE_UNRESOLVED,
    CWMP_EXCHANGE_FORBIDDEN,        /* an address that the policy refuses */
    CWMP_EXCHANGE_UNCONNECTED,      /* no connection in its time */
    CWMP_EXCHANGE_HEARD,            /* SEND_UDP: its Inform has come */
    CWMP_EXCHANGE_UNBOUND,          /* SEND_UDP: it has no binding any more */
    CWMP_EXCHANGE_INTERNAL
} cwmp_exchange_event_e;


typedef struct {
    /* set by the caller, which zeroes the rest */
    unsigned                path:1;     /* cwmp_url_mode path */
    unsigned                held:1;     /* not the ACS's own credentials */
    unsigned                none:1;     /* but there are none for it */
    unsigned                basic:1;    /* cwmp_cpe_basic */
    unsigned                kept:1;     /* path mode: a connection is there */
    unsigned                known:1;    /* used is from an earlier exchange */
    unsigned                udp:1;      /* behind NAT, with a binding: to be
                                           called by UDP, too */
    unsigned                udp_first:1;    /* ... before TCP is tried */
    unsigned                udp_only:1; /* not by TCP at all */

    /*
     * The challenge that is answered.  With known the caller sets it; later,
     * with fresh, it is chosen from a reply, and its strings lie in that
     * reply's buffer, which must stay as it is until a byte of the next reply
     * arrives: each CWMP_EXCHANGE_SEND_DIGEST makes a new response with another
     * nc.
     */
    cwmp_challenge_t        used;
    unsigned                fresh:1;

    /* the action */
    unsigned                reuse:1;    /* send it on the same connection */
    cwmp_exchange_action_e  action;

    /* CWMP_EXCHANGE_FINISH; in path mode the caller sets outcome.scheme */
    cwmp_outcome_t          outcome;
    unsigned                keep:1;     /* path mode: keep the connection */
    unsigned                remember:1; /* used, for later exchanges */
    unsigned                forget:1;   /* the challenge known before */
    ngx_uint_t              why;        /* CWMP_WAKEUP_UNSUPPORTED: a
                                           cwmp_challenge_error_e */

    /* private */
    unsigned                stale:1;    /* a known challenge was refused */
    unsigned                again:1;    /* a fresh one was stale, too */
    unsigned                resent:1;
    uint64_t                nonce;      /* a hash of the last one answered */
} cwmp_exchange_t;


/* The first action. */
cwmp_exchange_action_e cwmp_exchange_start(cwmp_exchange_t *x);


/* A reply is complete: cwmp_reply_parse() or cwmp_reply_end() said NGX_OK. */
cwmp_exchange_action_e cwmp_exchange_reply(cwmp_exchange_t *x,
    cwmp_reply_t *r);


/*
 * cwmp_reply_parse() or cwmp_reply_end() said NGX_ERROR, the latter also for
 * a connection that was closed before its first byte.
 */
cwmp_exchange_action_e cwmp_exchange_bad_reply(cwmp_exchange_t *x,
    cwmp_reply_t *r);


/*
 * Anything else.  started: bytes of a reply to the last request have come (a
 * request is sent a second time only if none have).
 */
cwmp_exchange_action_e cwmp_exchange_event(cwmp_exchange_t *x,
    cwmp_exchange_event_e ev, ngx_uint_t started);


#endif /* _CWMP_EXCHANGE_H_INCLUDED_ */
