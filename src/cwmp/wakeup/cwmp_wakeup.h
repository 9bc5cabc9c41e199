
/*
 * Fieldgate: the course of a wake-up, as decisions.
 *
 * The course of a wake-up: what to send to the CPE next, and what the ACS is
 * told in the end.  The caller has the sockets and the timers, and reports
 * what happened; each report returns the next action.
 */


#ifndef _CWMP_WAKEUP_H_INCLUDED_
#define _CWMP_WAKEUP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_auth.h"
#include "cwmp_reply.h"


/* how a wake-up ended: $cwmp_wakeup_result and the counters */

typedef enum {
    CWMP_WAKEUP_NONE = 0,       /* not ended */

    /* refused before the call, in the order of the checks */
    CWMP_WAKEUP_METHOD,         /* 405 */
    CWMP_WAKEUP_BAD_ORIGIN,     /* 400: missing or malformed */
    CWMP_WAKEUP_FORBIDDEN,      /* 403: signature or policy */
    CWMP_WAKEUP_CREDENTIALS,    /* 401: the ACS sent none */

    /* answered by the CPE */
    CWMP_WAKEUP_OK,             /* 200 or 204, as it came */
    CWMP_WAKEUP_BUSY,           /* 503, as it came */
    CWMP_WAKEUP_CHALLENGE,      /* path mode: 401 with the CPE's challenges */
    CWMP_WAKEUP_UNAUTHORIZED,   /* credentials do not satisfy the CPE */
    CWMP_WAKEUP_UNSUPPORTED,    /* 401 with no usable challenge */
    CWMP_WAKEUP_REDIRECT,       /* 502 */
    CWMP_WAKEUP_STATUS,         /* 502: any other status */
    CWMP_WAKEUP_BAD_REPLY,      /* 502: no HTTP, header too large or torn */

    /* not answered: 503 */
    CWMP_WAKEUP_UNRESOLVED,
    CWMP_WAKEUP_REFUSED,        /* refused or unreachable */
    CWMP_WAKEUP_RESET,
    CWMP_WAKEUP_CLOSED,         /* without a byte */
    CWMP_WAKEUP_TIMEOUT,        /* cwmp_timeout or cwmp_connect_timeout */
    CWMP_WAKEUP_QUEUE,          /* the deadline passed behind other calls */

    CWMP_WAKEUP_INTERNAL,       /* 500: memory, a libcrypto without MD5 */

    CWMP_WAKEUP_RESULTS
} cwmp_wakeup_result_e;


/* whose challenge goes with a 401 to the ACS */

typedef enum {
    CWMP_WAKEUP_NO_AUTH = 0,
    CWMP_WAKEUP_OUR_BASIC,      /* ours */
    CWMP_WAKEUP_CPE_DIGEST      /* the CPE's Digest challenges, as they are */
} cwmp_wakeup_auth_e;


typedef enum {
    CWMP_WAKEUP_SEND_PLAIN = 0, /* without Authorization */
    CWMP_WAKEUP_SEND_DIGEST,    /* w->used answered with the credentials */
    CWMP_WAKEUP_SEND_BASIC,
    CWMP_WAKEUP_SEND_RELAY,     /* path mode: the ACS's own, its Digest too */
    CWMP_WAKEUP_FINISH          /* w->result, w->status, w->auth are set */
} cwmp_wakeup_action_e;


typedef enum {
    CWMP_WAKEUP_EV_REFUSED = 0, /* connect() failed */
    CWMP_WAKEUP_EV_RESET,       /* the connection broke */
    CWMP_WAKEUP_EV_TIMEOUT,
    CWMP_WAKEUP_EV_UNRESOLVED,
    CWMP_WAKEUP_EV_INTERNAL
} cwmp_wakeup_event_e;


typedef struct {
    /* set by the caller, which zeroes the rest */
    unsigned                path:1;     /* cwmp_url_mode path */
    unsigned                held:1;     /* cwmp_credentials */
    unsigned                basic:1;    /* cwmp_cpe_basic */
    unsigned                kept:1;     /* path mode: a connection is there */
    unsigned                known:1;    /* used has a nonce from before */

    /*
     * The challenge that is answered.  With known the caller sets it; later
     * it is chosen from a reply, and its strings lie in that reply's buffer,
     * which must stay as it is until a byte of the next reply arrives: each
     * CWMP_WAKEUP_SEND_DIGEST makes a new response with another nc.
     */
    cwmp_challenge_t        used;

    /* the action */
    unsigned                reuse:1;    /* send it on the same connection */
    cwmp_wakeup_action_e    action;

    /* CWMP_WAKEUP_FINISH */
    cwmp_wakeup_result_e    result;
    ngx_uint_t              status;     /* for the ACS */
    cwmp_wakeup_auth_e      auth;
    unsigned                keep:1;     /* path mode: keep the connection */
    unsigned                drop:1;     /* forget the nonce known before */

    /* for the log and $cwmp_wakeup_* */
    ngx_uint_t              cpe_status; /* last one from the CPE, 0: none */
    cwmp_auth_scheme_e      scheme;     /* last one used towards the CPE */
    ngx_uint_t              why;        /* CWMP_WAKEUP_UNSUPPORTED: a
                                           cwmp_challenge_error_e */

    /* private */
    unsigned                fresh:1;    /* a challenge of now was answered */
    unsigned                again:1;    /* so was a stale one */
    unsigned                resent:1;
    uint64_t                nonce;      /* a hash of the last one answered */
} cwmp_wakeup_t;


/* The first action. */
cwmp_wakeup_action_e cwmp_wakeup_start(cwmp_wakeup_t *w);


/* A reply is complete: cwmp_reply_parse() or cwmp_reply_end() said NGX_OK. */
cwmp_wakeup_action_e cwmp_wakeup_reply(cwmp_wakeup_t *w, cwmp_reply_t *r);


/*
 * cwmp_reply_parse() or cwmp_reply_end() said NGX_ERROR, the latter also for
 * a connection that was closed before its first byte.
 */
cwmp_wakeup_action_e cwmp_wakeup_bad_reply(cwmp_wakeup_t *w, cwmp_reply_t *r);


/*
 * Anything else.  started: bytes of a reply to the last request have come (a
 * request is sent a second time only if none have).
 */
cwmp_wakeup_action_e cwmp_wakeup_event(cwmp_wakeup_t *w,
    cwmp_wakeup_event_e ev, ngx_uint_t started);


/* Ends it with a result of the caller's: sets status and auth. */
cwmp_wakeup_action_e cwmp_wakeup_finish(cwmp_wakeup_t *w,
    cwmp_wakeup_result_e result);


/* "ok", "busy", ...: lower case and "_", for variable, counters and log. */
const char *cwmp_wakeup_name(cwmp_wakeup_result_e result);


#endif /* _CWMP_WAKEUP_H_INCLUDED_ */
