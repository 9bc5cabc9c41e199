
/*
 * Fieldgate: what the files of the room offer each other.  Each uses those
 * before it: rows, admission, ticket, pin, session; affinity and filter.
 */


#ifndef _NGX_HTTP_CWMP_PIN_H_INCLUDED_
#define _NGX_HTTP_CWMP_PIN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "cwmp_zone.h"
#include "ngx_http_cwmp_attach.h"
#include "ngx_http_cwmp_session.h"
#include "ngx_http_cwmp_shared.h"


/* a session that comes back waits for its old connection, in milliseconds */
#define NGX_HTTP_CWMP_WAIT            200
#define NGX_HTTP_CWMP_WAIT_STEP       5

/* a row's time is put off no more often than this, in milliseconds */
#define NGX_HTTP_CWMP_TOUCH           1000

/* a spare connection is closed before the ACS may do so */
#define NGX_HTTP_CWMP_SPARE           1000

/* how often a worker looks whether one of its sessions is wanted elsewhere */
#define NGX_HTTP_CWMP_WANTED_STEP     20


typedef struct ngx_http_cwmp_session_s  ngx_http_cwmp_session_t;


/* client->session: the session on a client connection */

struct ngx_http_cwmp_session_s {
    cwmp_session_t                    state;
    ngx_http_cwmp_client_t           *client;
    ngx_http_cwmp_zone_t             *zone;
    cwmp_facts_t                      facts;     /* of the last Inform */
    unsigned                          needs:1;   /* its client */
    unsigned                          carried:1; /* cookies without rows */

    /* a pin's time, that of "cwmp_affinity", is over */
    void                            (*expired)(ngx_http_cwmp_session_t *s);
};


/* ctx->claim */

struct ngx_http_cwmp_claim_s {
    cwmp_claim_t                      claim;
    cwmp_facts_t                      before;    /* an Inform's facts */
    ngx_msec_t                        deadline;  /* of the wait; 0: none */
    unsigned                          fresh:1;   /* no row was found */
    unsigned                          joined:1;
    unsigned                          kept:1;    /* "before" is set */
    unsigned                          begins:1;  /* a session */
    unsigned                          counted:1; /* which has no pin yet */
};


typedef struct {
    ngx_http_cwmp_attach_t            attach;    /* user: ngx_http_upstream_t */
    ngx_http_cwmp_session_t          *session;
    ngx_http_upstream_srv_conf_t     *upstream;
    ngx_http_upstream_conf_t         *conf;

    ngx_queue_t                       queue;     /* if its row is held */
    u_char                            key[CWMP_TABLE_KEY_LEN];  /* of the row */
    ngx_msec_t                        touched;   /* the row, when held */
    unsigned                          held:1;
    unsigned                          firm:1;
    unsigned                          counted:1; /* by cwmp_admission */

    /* the CPE has a ticket for it until then, in seconds; 0: none */
    uint32_t                          ticket;

    cwmp_server_t                     server;
    ngx_sockaddr_t                    sockaddr;
    socklen_t                         socklen;
    ngx_str_t                         name;
    u_char                            text[NGX_SOCKADDR_STRLEN];

    /* its session is over, which was of this name */
    unsigned                          spare:1;
    u_char                            last[CWMP_TABLE_KEY_LEN];
} ngx_http_cwmp_pin_t;


/* ngx_http_cwmp_rows.c: a session's rows in the zone */

/*
 * Whether an upstream connection of the claim's session is open, but not on
 * this client connection, which may be NULL.  Closes it if it can, else asks
 * for it.  Sets claim->fresh.
 */
ngx_uint_t ngx_http_cwmp_rows_elsewhere(ngx_http_cwmp_main_conf_t *cmcf,
    ngx_http_cwmp_client_t *client, ngx_http_cwmp_claim_t *claim);

/*
 * The server that the session has in the upstream, also one that only the pin
 * knows, which may be NULL.  NGX_DECLINED: none.
 */
ngx_int_t ngx_http_cwmp_rows_server(ngx_http_cwmp_session_t *s,
    ngx_http_cwmp_pin_t *pin, ngx_http_cwmp_srv_conf_t *cscf,
    cwmp_server_t *server);

/*
 * Notes in the zone that the pin's session is at the pin's server, for the
 * upstream's timeout from now on, and that the pin holds it.
 */
void ngx_http_cwmp_rows_hold(ngx_http_cwmp_pin_t *pin,
    ngx_http_cwmp_srv_conf_t *cscf);

/*
 * The pin's connection is closed, or with "delete" its session is over: lets
 * the row go, or deletes it; with the last one also cookies and facts.
 */
void ngx_http_cwmp_rows_release(ngx_http_cwmp_pin_t *pin, ngx_uint_t delete);

/*
 * Looks up where the claim's cookies lead to, and which of the session's are
 * shared; s may be NULL.
 */
void ngx_http_cwmp_rows_look(ngx_http_cwmp_zone_t *zone, cwmp_session_t *s,
    cwmp_claim_t *claim);

/*
 * Where the cookie of that key leads to, if it is to name a session.
 */
cwmp_lead_e ngx_http_cwmp_rows_lead(ngx_http_cwmp_zone_t *zone, u_char *key);

/*
 * An Inform that begins a session: has the claim named apart if the device has
 * a session already that somebody at another address has begun.
 */
void ngx_http_cwmp_rows_claim(ngx_http_cwmp_main_conf_t *cmcf,
    cwmp_claim_t *claim);

/*
 * The cookie leads to the session from now on, unless others have it, too;
 * cookies that count no more lead nowhere.
 */
void ngx_http_cwmp_rows_cookie(ngx_http_cwmp_session_t *s,
    cwmp_session_cookie_t *cookie, ngx_msec_t timeout);
void ngx_http_cwmp_rows_old(ngx_http_cwmp_session_t *s,
    cwmp_session_old_t *old);

/*
 * The session has no connection any more, or with "delete" it is over: lets go
 * of its cookies and facts, or deletes them.
 */
void ngx_http_cwmp_rows_leave(ngx_http_cwmp_session_t *s, ngx_uint_t delete);

/*
 * What the Inform of the session of that name has said; NGX_DECLINED: nobody
 * knows.
 */
ngx_int_t ngx_http_cwmp_rows_facts(ngx_http_cwmp_zone_t *zone,
    cwmp_session_name_t *name, cwmp_facts_t *facts);


/*
 * Whether the session of that name is one that the ACS has answered with 401
 * just now, if at all.
 */
ngx_uint_t ngx_http_cwmp_rows_pending(ngx_http_cwmp_zone_t *zone,
    cwmp_session_name_t *name, ngx_http_cwmp_srv_conf_t *cscf);


/* ngx_http_cwmp_admission.c: which sessions may begin, see cwmp_admission.h */

/*
 * The request, which has a final claim, is about to join the session for that
 * upstream.  NGX_OK: it may; if a session begins by it, that is counted, and
 * ngx_http_cwmp_admission_begin() has to follow.  NGX_BUSY: it has been
 * answered with 503, and nginx takes it for finalized; it leaves nothing.
 */
ngx_int_t ngx_http_cwmp_admission_judge(ngx_http_request_t *r,
    ngx_http_cwmp_session_t *s, ngx_http_upstream_srv_conf_t *us);

/*
 * What was counted is the pin's session; NULL: there is no memory for one.
 */
void ngx_http_cwmp_admission_begin(ngx_http_cwmp_session_t *s,
    ngx_http_cwmp_claim_t *claim, ngx_http_upstream_srv_conf_t *us,
    ngx_http_cwmp_pin_t *pin);

/*
 * The pin's session has a connection to the ACS, or has it no longer.
 */
void ngx_http_cwmp_admission_enter(ngx_http_cwmp_pin_t *pin);
void ngx_http_cwmp_admission_leave(ngx_http_cwmp_pin_t *pin);

/*
 * Header filter: tells who has been refused when to come back.  NGX_ERROR: no
 * memory.
 */
ngx_int_t ngx_http_cwmp_admission_header(ngx_http_request_t *r);


/* ngx_http_cwmp_ticket.c: "cwmp_affinity" with a cookie, see cwmp_ticket.h */

/*
 * The server that the request's ticket is for, among the balancer's.
 * NGX_DECLINED: there is no ticket, or no such server.
 */
ngx_int_t ngx_http_cwmp_ticket_server(ngx_http_request_t *r,
    ngx_http_upstream_srv_conf_t *us, ngx_http_upstream_rr_peers_t *peers,
    cwmp_server_t *server);

/*
 * Header filter: gives the CPE a ticket with the first answer of its session,
 * and a new one before that expires; takes it back with the last.  NGX_ERROR:
 * no memory, or libcrypto fails.
 */
ngx_int_t ngx_http_cwmp_ticket_header(ngx_http_request_t *r,
    ngx_http_cwmp_pin_t *pin, ngx_uint_t over);


/* ngx_http_cwmp_facts.c */

/*
 * PRECONTENT: an Inform's facts are its session's from now on, and those of the
 * claim's session the request's, in its context, if it has none of its own.
 * NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_cwmp_facts(ngx_http_request_t *r,
    ngx_http_cwmp_claim_t *claim);


/* ngx_http_cwmp_pin.c */

/*
 * The pin of the session's client for this upstream and location; made if
 * there is none.  NULL: no memory.
 */
ngx_http_cwmp_pin_t *ngx_http_cwmp_pin_get(ngx_http_cwmp_session_t *s,
    ngx_http_upstream_srv_conf_t *us, ngx_http_upstream_conf_t *conf);

/*
 * The next pin of the client behind this one, NULL: the first one.  NULL: there
 * is none.
 */
ngx_http_cwmp_pin_t *ngx_http_cwmp_pin_next(ngx_http_cwmp_client_t *client,
    ngx_http_cwmp_pin_t *pin);

/*
 * Closes an upstream connection that no pin has, TLS included.
 */
void ngx_http_cwmp_close_upstream(ngx_connection_t *c);


/* ngx_http_cwmp_session.c */

/*
 * The session on the request's client connection; made if "create" is set.
 * NULL: there is none, or no memory.
 */
ngx_http_cwmp_session_t *ngx_http_cwmp_session_get(ngx_http_request_t *r,
    ngx_uint_t create);

/*
 * What the request says; kept in its context when "final", that is, when the
 * facts of its body are known.  s may be NULL.  NULL: no memory.
 */
ngx_http_cwmp_claim_t *ngx_http_cwmp_session_claim(ngx_http_request_t *r,
    ngx_http_cwmp_session_t *s, ngx_uint_t final);

/*
 * The request goes to an upstream.
 */
void ngx_http_cwmp_session_join(ngx_http_request_t *r,
    ngx_http_cwmp_session_t *s, ngx_http_cwmp_claim_t *claim);

/*
 * The ACS, or nginx itself, has answered the request; pin is NULL if it was not
 * the ACS.  Returns 1 if the session goes on.
 */
ngx_uint_t ngx_http_cwmp_session_answer(ngx_http_cwmp_session_t *s,
    ngx_http_cwmp_pin_t *pin, ngx_uint_t status, cwmp_answer_to_e to);

/*
 * The cookies that the CPE has had before lead to the session from now on, if
 * the ACS has let it in: they are not worth a row before.  Called when those
 * that the answer sets have been learnt, which may replace them.
 */
void ngx_http_cwmp_session_carry(ngx_http_cwmp_session_t *s,
    ngx_http_cwmp_srv_conf_t *cscf);

/*
 * The ACS, or nginx itself, set or took back (no value) a cookie.
 */
void ngx_http_cwmp_session_learn(ngx_http_cwmp_session_t *s,
    ngx_http_cwmp_pin_t *pin, ngx_http_cwmp_srv_conf_t *cscf, ngx_str_t *name,
    ngx_str_t *value);


#endif /* _NGX_HTTP_CWMP_PIN_H_INCLUDED_ */
