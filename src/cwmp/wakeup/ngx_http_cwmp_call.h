
/*
 * Fieldgate: the parts of a wake-up, see ngx_http_cwmp_wakeup.h.
 */


#ifndef _NGX_HTTP_CWMP_CALL_H_INCLUDED_
#define _NGX_HTTP_CWMP_CALL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_event_connect.h>
#include <ngx_http.h>

#include "cwmp_auth.h"
#include "cwmp_reply.h"
#include "cwmp_wakeup.h"
#include "ngx_http_cwmp_shared.h"


/* how a call ended, also in shared memory */

typedef struct {
    uint16_t                     result;      /* cwmp_wakeup_result_e */
    uint16_t                     status;      /* for the ACS */
    uint16_t                     cpe_status;  /* the CPE's last; 0: none */
    uint8_t                      auth;        /* cwmp_wakeup_auth_e */
    uint8_t                      scheme;      /* cwmp_auth_scheme_e */
} ngx_http_cwmp_outcome_t;


/* the row of a CPE among NGX_HTTP_CWMP_CALLS, its key being the target's */

#define NGX_HTTP_CWMP_CALL_RESULTS  4

typedef struct {
    u_char                       call[CWMP_TABLE_KEY_LEN];
    uint64_t                     serial;
    ngx_http_cwmp_outcome_t      outcome;
} ngx_http_cwmp_result_t;

typedef struct {
    uint64_t                     serial;      /* of the call; 0: none runs */
    uint64_t                     last;        /* serial given last */
    uint64_t                     finished;    /* serial of the last result */
    ngx_msec_t                   deadline;    /* of the call */

    /* the worker whose turn is next, if it looks again by then */
    ngx_msec_t                   turn_until;
    uint32_t                     turn;

    uint32_t                     reserved;

    ngx_http_cwmp_result_t       results[NGX_HTTP_CWMP_CALL_RESULTS];
} ngx_http_cwmp_call_row_t;


/*
 * The row of a challenge among NGX_HTTP_CWMP_NONCES, by the key of the call
 * whose credentials satisfied the CPE: other credentials never use it, so
 * that wrong ones fail once, not twice.
 */

#define NGX_HTTP_CWMP_NONCE_TEXT  480

typedef struct {
    uint32_t                     nc;          /* last one sent */
    uint16_t                     realm;       /* lengths, in this order */
    uint16_t                     nonce;
    uint16_t                     opaque;
    uint16_t                     algorithm;
    uint8_t                      hash;        /* cwmp_algorithm_e */
    uint8_t                      qop;
    unsigned                     sess:1;
    unsigned                     has_realm:1;
    unsigned                     has_opaque:1;
    unsigned                     has_algorithm:1;
    unsigned                     has_qop:1;
    u_char                       text[NGX_HTTP_CWMP_NONCE_TEXT];
} ngx_http_cwmp_nonce_t;


typedef struct ngx_http_cwmp_call_s  ngx_http_cwmp_call_t;


/* in ngx_http_cwmp_ctx_t from the first check on, so that it can be logged */

struct ngx_http_cwmp_wakeup_s {
    ngx_queue_t                  queue;       /* in call->waiters */
    ngx_http_request_t          *request;
    ngx_http_cwmp_call_t        *call;        /* NULL: does not wait */
    ngx_event_t                  timer;       /* for its own deadline */

    cwmp_origin_t                origin;
    cwmp_credentials_t           credentials;
    ngx_str_t                    authorization;  /* path mode: the ACS's */
    cwmp_policy_t                policy;

    ngx_msec_t                   start;
    ngx_msec_t                   deadline;
    ngx_msec_t                   time;        /* taken, once answered */
    ngx_http_cwmp_outcome_t      outcome;
};


typedef struct {
    ngx_str_node_t               node;        /* in the worker's tree */
    u_char                       key[CWMP_TABLE_KEY_LEN];
    ngx_queue_t                  calls;       /* the running one included */
    ngx_http_cwmp_call_t        *running;
    ngx_http_cwmp_zone_t        *zone;
    ngx_event_t                  look;        /* posted, or a timer */
    ngx_msec_t                   pause;       /* until the next look */
} ngx_http_cwmp_target_t;


struct ngx_http_cwmp_call_s {
    ngx_queue_t                  queue;       /* in target->calls */
    ngx_queue_t                  waiters;     /* of ngx_http_cwmp_wakeup_t */
    ngx_http_cwmp_target_t      *target;
    ngx_http_cwmp_zone_t        *zone;
    u_char                       key[CWMP_TABLE_KEY_LEN];
    uint64_t                     serial;      /* in the row; 0: not there */
    uint64_t                     since;       /* later results will do */
    ngx_http_cwmp_outcome_t      outcome;

    ngx_pool_t                  *pool;
    ngx_log_t                    log;

    /* what the first wake-up asked for */
    ngx_http_cwmp_loc_conf_t    *conf;
    ngx_http_core_loc_conf_t    *core;
    cwmp_policy_t                policy;
    cwmp_origin_t                origin;
    cwmp_credentials_t           credentials;
    ngx_str_t                    authorization;

    /* the exchange: ngx_http_cwmp_client.c */
    cwmp_wakeup_t                course;
    cwmp_reply_t                 reply;
    u_char                      *buffer;      /* of the reply; late */
    ngx_http_cwmp_nonce_t       *nonce;       /* of course.used */
    uint32_t                     nc;

    ngx_peer_connection_t        peer;
    ngx_resolver_ctx_t          *resolving;
    ngx_addr_t                  *addrs;       /* all of them checked */
    ngx_uint_t                   naddrs;
    ngx_uint_t                   addr;        /* the one in use */
    ngx_str_t                    request;     /* what is left to send */

    ngx_event_t                  timer;       /* the call's deadline */
    ngx_msec_t                   deadline;
    ngx_msec_t                   started;

    unsigned                     looked:1;    /* since is set */
    unsigned                     path:1;      /* never shared */
    unsigned                     head:1;      /* for the CPE, too */
    unsigned                     known:1;     /* nonce is of earlier calls */
    unsigned                     connected:1;
    unsigned                     reading:1;   /* reply is initialised */
};


/* ngx_http_cwmp_wakeup.c */

/*
 * The call is over: tells the ACS.  The request may be gone on return, and
 * *w with it.
 */
void ngx_http_cwmp_wakeup_done(ngx_http_cwmp_wakeup_t *w,
    ngx_http_cwmp_call_t *call);


/* ngx_http_cwmp_call.c */

/*
 * Joins an equal call or makes a new one.  The answer comes by
 * ngx_http_cwmp_wakeup_done(), from an event of its own.
 * Returns NGX_OK, or NGX_ERROR: no memory, nothing comes.
 */
ngx_int_t ngx_http_cwmp_call_join(ngx_http_cwmp_wakeup_t *w);

/* The ACS has left, or its time is over. */
void ngx_http_cwmp_call_leave(ngx_http_cwmp_wakeup_t *w);

/*
 * From the client: call->outcome is set, its connection is closed.  Frees the
 * call.
 */
void ngx_http_cwmp_call_finish(ngx_http_cwmp_call_t *call);


/* ngx_http_cwmp_nonce.c */

/*
 * Takes the challenge known for the call into call->nonce and course.used.
 * Returns NGX_DECLINED if there is none, NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_cwmp_nonce_get(ngx_http_cwmp_call_t *call);

/*
 * Keeps a copy of course.used in call->nonce, since the strings of the
 * former go with the next reply.  Not if it is too long for a row.
 */
ngx_int_t ngx_http_cwmp_nonce_copy(ngx_http_cwmp_call_t *call);

/* The count for the next response with call->nonce, across all workers. */
uint32_t ngx_http_cwmp_nonce_count(ngx_http_cwmp_call_t *call);

/* The CPE has taken a response with a new nonce. */
void ngx_http_cwmp_nonce_put(ngx_http_cwmp_call_t *call);

/* It has refused one that was known. */
void ngx_http_cwmp_nonce_drop(ngx_http_cwmp_call_t *call);


/* ngx_http_cwmp_client.c */

/*
 * Calls the CPE, until call->deadline.  Ends in ngx_http_cwmp_call_finish(),
 * perhaps before this returns.
 */
void ngx_http_cwmp_client_start(ngx_http_cwmp_call_t *call);


/* ngx_http_cwmp_request.c */

/*
 * Writes the request for an action into call->request.  Each one with a
 * Digest response takes the next count of its nonce.  Returns NGX_ERROR: no
 * memory, or libcrypto failed.
 */
ngx_int_t ngx_http_cwmp_request_create(ngx_http_cwmp_call_t *call,
    cwmp_wakeup_action_e action);


/* ngx_http_cwmp_kept.c: path mode, where nonces may belong to a connection */

/*
 * Keeps the CPE's connection for the next request of the ACS's connection,
 * for a time; an earlier one is closed.  It is closed together with the
 * latter.  Returns NGX_ERROR if it could not.
 */
ngx_int_t ngx_http_cwmp_kept_put(ngx_http_request_t *r,
    ngx_http_cwmp_call_t *call, ngx_connection_t *c);

/*
 * Gives it back if it is one to the call's CPE for the same location, and
 * still open; NULL: none.
 */
ngx_connection_t *ngx_http_cwmp_kept_get(ngx_http_request_t *r,
    ngx_http_cwmp_call_t *call);


#endif /* _NGX_HTTP_CWMP_CALL_H_INCLUDED_ */
