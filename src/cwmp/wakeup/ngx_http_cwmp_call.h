
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

#include "cwmp_exchange.h"
#include "cwmp_turn.h"
#include "ngx_http_cwmp_shared.h"
#include "ngx_http_cwmp_stun.h"


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
    cwmp_origin_t                udp;         /* socklen 0: not by UDP */
    cwmp_credentials_t           credentials;
    ngx_str_t                    authorization;  /* path mode: the ACS's */
    cwmp_policy_t                policy;

    ngx_msec_t                   start;
    ngx_msec_t                   deadline;
    ngx_msec_t                   time;        /* taken, once answered */
    cwmp_outcome_t               outcome;

    unsigned                     stale:1;     /* the ACS's nonce */
    unsigned                     udp_only:1;  /* that is what is signed */
};


typedef struct {
    ngx_str_node_t               node;        /* in the worker's tree */
    u_char                       key[CWMP_TABLE_KEY_LEN];
    ngx_queue_t                  calls;       /* the running one included */
    ngx_http_cwmp_call_t        *running;
    ngx_http_cwmp_zone_t        *zone;
    ngx_event_t                  look;        /* posted, or a timer */
    ngx_msec_t                   pause;       /* until the next look */
} ngx_http_cwmp_cpe_t;


/* how a call reaches a CPE behind NAT */

typedef struct {
    cwmp_endpoint_t              peer;        /* none: not by UDP */
    ngx_str_t                    hostport;    /* the same */
    unsigned                     only:1;      /* not by TCP */

    /* the CPE's Inform is heard under its device, or its URL if that is not
       known */
    u_char                       key[CWMP_TABLE_KEY_LEN];
    uint32_t                     heard;       /* before */

    cwmp_endpoint_t              local;       /* where it asked for its own */
    ngx_str_t                    datagram;
    ngx_uint_t                   copies;      /* sent */
    ngx_msec_t                   began;
    ngx_event_t                  event;       /* next copy, next look */
} ngx_http_cwmp_udp_t;


struct ngx_http_cwmp_call_s {
    ngx_queue_t                  queue;       /* in cpe->calls */
    ngx_queue_t                  waiters;     /* of ngx_http_cwmp_wakeup_t */
    ngx_http_cwmp_cpe_t         *cpe;         /* NULL: the call is over */
    ngx_http_cwmp_zone_t        *zone;
    u_char                       key[CWMP_TABLE_KEY_LEN];
    uint64_t                     serial;      /* in the row; 0: not there */
    uint64_t                     since;       /* later results will do */
    cwmp_outcome_t               outcome;

    ngx_pool_t                  *pool;
    ngx_log_t                    log;

    /* what the first wake-up asked for */
    ngx_http_cwmp_loc_conf_t    *conf;
    ngx_http_core_loc_conf_t    *core;
    cwmp_policy_t                policy;
    cwmp_origin_t                origin;
    cwmp_credentials_t           credentials;
    ngx_str_t                    authorization;

    /* when it runs: ngx_http_cwmp_exchange.c */
    cwmp_exchange_t              exchange;
    cwmp_reply_t                 reply;
    u_char                      *buffer;      /* of the reply; late */
    ngx_http_cwmp_nonce_t       *nonce;       /* of exchange.used */
    uint32_t                     nc;
    ngx_str_t                    request;     /* what is left to send */

    /* ngx_http_cwmp_connect.c */
    ngx_peer_connection_t        peer;
    ngx_resolver_ctx_t          *resolving;
    ngx_http_cwmp_udp_t          udp;         /* ngx_http_cwmp_udp.c */

    ngx_addr_t                  *addrs;       /* all of them checked */
    ngx_uint_t                   naddrs;
    ngx_uint_t                   addr;        /* the one in use */

    ngx_event_t                  timer;       /* the call's deadline */
    ngx_msec_t                   deadline;
    ngx_msec_t                   started;

    unsigned                     looked:1;    /* since is set */
    unsigned                     path:1;      /* never shared */
    unsigned                     head:1;      /* for the CPE, too */
    unsigned                     connected:1;
    unsigned                     reading:1;   /* reply is initialised */
};


/* ngx_http_cwmp_answer.c */

/*
 * Answers the ACS with w->outcome; reply: the CPE's, whose challenges go along
 * if the outcome says so.  Returns what the content handler returns.
 */
ngx_int_t ngx_http_cwmp_answer(ngx_http_cwmp_wakeup_t *w,
    cwmp_reply_t *reply);

/*
 * The same for a wake-up that has waited.  The request may be gone on return,
 * and *w with it.
 */
void ngx_http_cwmp_answer_late(ngx_http_cwmp_wakeup_t *w,
    cwmp_reply_t *reply);


/*
 * Adds a challenge to the answer.  NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_cwmp_answer_challenge(ngx_http_request_t *r,
    ngx_str_t *value);


/* ngx_http_cwmp_acs.c: "cwmp_acs_auth" */

/*
 * Takes the ACS's credentials, or compares them with w->credentials, those of
 * "cwmp_credentials".  CWMP_WAKEUP_NONE: they will do.
 */
cwmp_wakeup_result_e ngx_http_cwmp_acs_check(ngx_http_request_t *r,
    ngx_http_cwmp_wakeup_t *w);

/*
 * Adds what nginx asks of the ACS to the answer.  NGX_ERROR: no memory, or
 * libcrypto fails.
 */
ngx_int_t ngx_http_cwmp_acs_challenge(ngx_http_cwmp_wakeup_t *w);

/*
 * Whether the ACS itself has the credentials for the CPE, so that it is told
 * when they do not satisfy it.
 */
ngx_uint_t ngx_http_cwmp_acs_own(ngx_http_cwmp_loc_conf_t *clcf);


/* ngx_http_cwmp_call.c */

/*
 * Joins an equal call or makes a new one.  The answer comes by
 * ngx_http_cwmp_answer_late(), from an event of its own.
 * Returns NGX_OK, or NGX_ERROR: no memory, nothing comes.
 */
ngx_int_t ngx_http_cwmp_call_join(ngx_http_cwmp_wakeup_t *w);

/* The ACS has left, or its time is over. */
void ngx_http_cwmp_call_leave(ngx_http_cwmp_wakeup_t *w);

/* It is the turn of a queued call. */
void ngx_http_cwmp_call_begin(ngx_http_cwmp_call_t *call);

/*
 * The exchange is over: call->outcome is set, the connection is closed.  Frees
 * the call.
 */
void ngx_http_cwmp_call_finish(ngx_http_cwmp_call_t *call);

/*
 * Tells all who wait for the call, which is in no queue, how it ended, and
 * frees it.
 */
void ngx_http_cwmp_call_tell(ngx_http_cwmp_call_t *call);


/* ngx_http_cwmp_cpe.c */

/* The CPE of that key, made if there is none; NULL: no memory. */
ngx_http_cwmp_cpe_t *ngx_http_cwmp_cpe_get(u_char *key,
    ngx_http_cwmp_zone_t *z);

/*
 * Some of its calls have come or gone: it goes, too, if none is left; else,
 * if none runs, looks whose turn it is, from an event of its own.
 */
void ngx_http_cwmp_cpe_update(ngx_http_cwmp_cpe_t *cpe);

/* Its running call is over: tells the other workers. */
void ngx_http_cwmp_cpe_release(ngx_http_cwmp_cpe_t *cpe,
    ngx_http_cwmp_call_t *call);


/* ngx_http_cwmp_exchange.c */

/*
 * Calls the CPE, until call->deadline.  Ends in ngx_http_cwmp_call_finish(),
 * perhaps before this returns.
 */
void ngx_http_cwmp_exchange_start(ngx_http_cwmp_call_t *call);

/* Something has happened, see cwmp_exchange.h; the call may be gone after. */
void ngx_http_cwmp_exchange_event(ngx_http_cwmp_call_t *call,
    cwmp_exchange_event_e ev);

/* There is a connection: sends call->request, and reads the reply. */
void ngx_http_cwmp_exchange_send(ngx_http_cwmp_call_t *call);
void ngx_http_cwmp_exchange_read(ngx_http_cwmp_call_t *call);

/* The CPE has been silent for CWMP_REPLY_SILENCE. */
void ngx_http_cwmp_exchange_silence(ngx_http_cwmp_call_t *call);


/* ngx_http_cwmp_connect.c */

/*
 * Connects to the next address of the CPE, which is resolved first.  Ends in
 * ngx_http_cwmp_exchange_send() or ngx_http_cwmp_exchange_event().
 */
void ngx_http_cwmp_connect(ngx_http_cwmp_call_t *call);

/* Makes a connection that is open already the call's. */
void ngx_http_cwmp_connect_adopt(ngx_http_cwmp_call_t *call,
    ngx_connection_t *c);

/* Closes the connection, if there is one. */
void ngx_http_cwmp_connect_close(ngx_http_cwmp_call_t *call);


/* ngx_http_cwmp_udp.c */

/*
 * Sends UDP connection requests, and waits for the CPE's Inform, at whatever
 * worker it comes in.  Ends in ngx_http_cwmp_exchange_event(), perhaps before
 * this returns.
 */
void ngx_http_cwmp_udp_start(ngx_http_cwmp_call_t *call);

/* No more of it. */
void ngx_http_cwmp_udp_stop(ngx_http_cwmp_call_t *call);


/* ngx_http_cwmp_nonce.c */

/*
 * Takes the challenge known for the call into call->nonce and exchange.used,
 * and sets exchange.known.  NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_cwmp_nonce_get(ngx_http_cwmp_call_t *call);

/*
 * Keeps a copy of exchange.used, which is fresh, in call->nonce, since the
 * strings of the former go with the next reply; not if it is too long for a
 * row.  Its count begins anew.
 */
void ngx_http_cwmp_nonce_copy(ngx_http_cwmp_call_t *call);

/* The count for the next response with call->nonce, across all workers. */
uint32_t ngx_http_cwmp_nonce_count(ngx_http_cwmp_call_t *call);

/* The CPE has taken a response with a new nonce. */
void ngx_http_cwmp_nonce_put(ngx_http_cwmp_call_t *call);

/* It has refused one that was known. */
void ngx_http_cwmp_nonce_drop(ngx_http_cwmp_call_t *call);


/* ngx_http_cwmp_request.c */

/*
 * Writes the request for an action into call->request.  Each one with a
 * Digest response takes the next count of its nonce.  Returns NGX_ERROR: no
 * memory, or libcrypto failed.
 */
ngx_int_t ngx_http_cwmp_request_create(ngx_http_cwmp_call_t *call,
    cwmp_exchange_action_e action);


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
