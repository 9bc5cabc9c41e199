
/*
 * Fieldgate: sessions of CPEs, and the upstream connections pinned to them.
 *
 *
 * Who owns what
 *
 * ngx_http_cwmp_conn_t belongs to a CPE's connection (with HTTP/2 to the real
 * one, not to a stream's) and dies with it, by a cleanup on its pool.  It
 * knows the session that goes on there, and has a pin for each pair of
 * upstream and location configuration (u->conf) that was used.  A pin holds at
 * most one upstream connection.  It is in the hands of at most one request:
 *
 *                 get: none, or it was found closed
 *        EMPTY ------------------------------------> BUSY
 *          ^    free: cannot be kept, or dropped       |
 *          |<------------------------------------------|
 *          |                                           | free: answer whole,
 *          | closed by ACS, session over or moved,     |       kept alive
 *          | CPE's connection closed, timeout          v
 *          |<--------------------------------------- PARKED
 *                                      get: alive      |
 *                            BUSY <--------------------'
 *
 * A request that finds its pin BUSY (a concurrent HTTP/2 stream) gets a
 * connection of its own, that is closed after it; so does every subrequest.  No
 * connection ever goes from one pin to another, or into the cache of upstream
 * keep-alive.
 *
 *
 * A session, as seen on a CPE's connection
 *
 *   NONE -> OPEN     with the first POST: an Inform, or a message that has a
 *                    cookie of a session that is known, or one of which
 *                    nothing is known ("anonymous": no row in the zone)
 *   OPEN -> OPEN     an Inform of the same device after a 401, and every
 *                    message that does not contradict
 *   OPEN -> NONE     an Inform of another device; another value of the
 *                    session's cookie, or none where there has been one:
 *                    somebody in front of us uses its connection for several
 *                    CPEs.  Or an Inform of the same device that no 401 has
 *                    asked for: it begins anew.  Pins are closed, the
 *                    session's row stays: it will come back.
 *   OPEN -> NONE     its end: the ACS's 204 to an empty POST, or to a reply of
 *                    the CPE, which is where a session ends that had RPCs; an
 *                    error other than 401, also one of nginx's own, after which
 *                    the CPE has to begin anew; silence for the time of
 *                    "cwmp_affinity".  Pins are closed, the row is deleted: the
 *                    next Inform takes the next server.
 *
 * A CPE may begin its next session at once and on the same connection.  After
 * the 204 a pin that could be kept stays PARKED for a moment, as a spare.  The
 * balancer is asked for a server as for any new session; if it gives that of
 * the spare, and the Inform is of the same device, the connection is used, else
 * it is closed first.
 *
 *
 * A session, as seen in the zone
 *
 * One row for each session and upstream: the server, and the connection that
 * has its pin: {number of the CPE's connection, process}.  The key is made of
 * the DeviceId; of the first cookie if that is not known.  Cookies that the
 * ACS sets, or nginx, are rows of their own, and lead to the key.
 *
 *   no row  -> HELD    an Inform or its like took a server
 *   HELD    -> LEFT    the upstream connection was closed; the server is
 *                      remembered until "timeout"
 *   LEFT    -> HELD    the session came back: to the same server, if it is up
 *   HELD    -> HELD    it came back while its upstream connection is open
 *                      still: see below
 *   any     -> no row  the session's end, timeout, LRU (HELD rows of living
 *                      processes do not go by LRU)
 *
 * A session that comes back on another connection before the old one is closed
 * waits in the PRECONTENT phase, for 200 ms at most, since the ACS must see the
 * old connection's end first.  If it is in the same worker and idle it is
 * closed at once; if it is in another one, "wanted" in the row and in the
 * zone's head asks for it, and that worker looks every 20 ms while it has
 * pins.  A connection with a request under way is closed when that is done.
 *
 *
 * What may happen in between
 *
 *   a worker is killed: the kernel closes its connections; a row held by a
 *     process that is gone counts as LEFT.  A row that was being written is
 *     dropped by the table.
 *   reload: rows survive in the zone.  The CPE's connection is not closed as
 *     idle while its session is open.  In the old worker nginx answers once
 *     more with "Connection: close"; the upstream connection is closed
 *     before that answer ends, and the session goes on in a new worker.
 *   the CPE goes away while it waits: nginx finalizes the request, the timer
 *     goes with its connection.  While the ACS works: nginx finalizes the
 *     request, and an unfinished upstream connection is never kept.
 *   upstream timeout or error: the pin is closed.  If the request had been
 *     sent and is a POST, the balancer is not asked again, whatever
 *     proxy_next_upstream says.
 *   error_page, X-Accel-Redirect: the first upstream request is over then, the
 *     second has another u->conf and so another pin.
 *   a server that is removed or resolved anew: addresses and names are copied,
 *     nothing points into the balancer's memory.  A pinned connection outlives
 *     its server's configuration, as established connections do.
 */


#ifndef _NGX_HTTP_CWMP_SESSION_H_INCLUDED_
#define _NGX_HTTP_CWMP_SESSION_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_shared.h"


/* cookies of a session that are known by name */
#define NGX_HTTP_CWMP_COOKIES_MAX     4

/* cookies of a request that are looked at */
#define NGX_HTTP_CWMP_REQUEST_COOKIES 8

/* a session that comes back waits for its old connection, in milliseconds */
#define NGX_HTTP_CWMP_WAIT            200
#define NGX_HTTP_CWMP_WAIT_STEP       5

/* a row's time is put off no more often than this, in milliseconds */
#define NGX_HTTP_CWMP_TOUCH           1000

/* a spare connection is closed before the ACS may do so */
#define NGX_HTTP_CWMP_SPARE           1000

/* how often a worker looks whether one of its sessions is wanted elsewhere */
#define NGX_HTTP_CWMP_WANTED_STEP     20


/*
 * What names a server of an upstream: its address; from nginx 1.29.6 on also
 * its "sid", which balancers accept as a hint.
 */

typedef struct {
    uint16_t                          len;       /* 0: none */
    uint16_t                          sid_len;
    u_char                            data[112];
    u_char                            sid[32];
} ngx_http_cwmp_server_t;


typedef struct {
    uint32_t                          name;  /* CRC of the name */
    u_char                            key[CWMP_TABLE_KEY_LEN];
} ngx_http_cwmp_cookie_t;


typedef struct {
    u_char                            key[CWMP_TABLE_KEY_LEN];
    u_char                            id[16];    /* $cwmp_session */
} ngx_http_cwmp_id_t;


/* what a request says about its session */

struct ngx_http_cwmp_session_s {
    ngx_http_cwmp_id_t                id;
    ngx_msec_t                        deadline;  /* of the wait */
    ngx_uint_t                        ncookies;
    ngx_http_cwmp_cookie_t            cookies[NGX_HTTP_CWMP_REQUEST_COOKIES];

    unsigned                          known:1;   /* id is set */
    unsigned                          inform:1;
    unsigned                          other:1;   /* not its connection's */
    unsigned                          waiting:1;
    unsigned                          joined:1;  /* its connection's */
    unsigned                          fresh:1;   /* no row was found */
};


typedef struct ngx_http_cwmp_pin_s  ngx_http_cwmp_pin_t;


typedef struct {
    ngx_queue_t                       queue;     /* all of this worker */
    ngx_connection_t                 *connection;
    ngx_http_cwmp_main_conf_t        *conf;
    ngx_queue_t                       pins;
    ngx_event_t                       shield;    /* posted after a request */
    ngx_event_handler_pt              keepalive; /* ngx_http_cwmp_shield() */

    ngx_http_cwmp_id_t                id;
    ngx_uint_t                        ncookies;
    ngx_http_cwmp_cookie_t            cookies[NGX_HTTP_CWMP_COOKIES_MAX];

    unsigned                          open:1;
    unsigned                          known:1;   /* id is set */
    unsigned                          returned:1; /* a cookie came back */
    unsigned                          challenged:1; /* answered with 401 */
} ngx_http_cwmp_conn_t;


struct ngx_http_cwmp_pin_s {
    ngx_queue_t                       queue;
    ngx_http_cwmp_conn_t             *conn;
    ngx_http_upstream_srv_conf_t     *upstream;
    ngx_http_upstream_conf_t         *conf;
    ngx_connection_t                 *connection;    /* PARKED */
    ngx_http_upstream_t              *busy;          /* BUSY */

    u_char                            key[CWMP_TABLE_KEY_LEN];  /* of its row */
    ngx_msec_t                        touched;       /* the row, when held */
    ngx_http_cwmp_server_t            server;
    ngx_sockaddr_t                    sockaddr;
    socklen_t                         socklen;
    ngx_str_t                         name;
    u_char                            text[NGX_SOCKADDR_STRLEN];
    u_char                            last[CWMP_TABLE_KEY_LEN]; /* if spare */

    unsigned                          spare:1;   /* its session is over */
    unsigned                          held:1;    /* the row is ours */
    unsigned                          drop:1;    /* close it when free */
};


/* ngx_http_cwmp_session.c */

/*
 * What the request says; "final" when the facts of its body are known, the
 * answer is then kept in the request's context.  conn may be NULL.  Returns
 * NULL if there is no memory.
 */
ngx_http_cwmp_session_t *ngx_http_cwmp_session_get(ngx_http_request_t *r,
    ngx_http_cwmp_conn_t *conn, ngx_uint_t final);

/*
 * Makes the request's session that of the connection, whose pins are closed
 * if they belong to another one.
 */
void ngx_http_cwmp_session_join(ngx_http_request_t *r,
    ngx_http_cwmp_conn_t *conn, ngx_http_cwmp_session_t *s,
    ngx_msec_t timeout);

/*
 * The server that the session has in the upstream; pin may be NULL.
 * NGX_DECLINED: none.
 */
ngx_int_t ngx_http_cwmp_session_server(ngx_http_cwmp_conn_t *conn,
    ngx_http_cwmp_pin_t *pin, ngx_http_cwmp_srv_conf_t *cscf,
    ngx_http_cwmp_server_t *server);

/*
 * Notes in the zone that the pin's session is at the pin's server, for the
 * upstream's timeout from now on, and that the pin holds it.
 */
void ngx_http_cwmp_session_hold(ngx_http_cwmp_pin_t *pin,
    ngx_http_cwmp_srv_conf_t *cscf);

/*
 * The pin's connection is closed: lets the row go.
 */
void ngx_http_cwmp_session_release(ngx_http_cwmp_pin_t *pin);

/*
 * Whether another connection asked for the pin's session.
 */
ngx_uint_t ngx_http_cwmp_session_wanted(ngx_http_cwmp_pin_t *pin);

/*
 * The ACS, or nginx itself, set or took back a cookie.
 */
void ngx_http_cwmp_session_learn(ngx_http_cwmp_conn_t *conn,
    ngx_msec_t timeout, ngx_str_t *name, ngx_str_t *value);

/*
 * The session on this connection is over: deletes its rows.
 */
void ngx_http_cwmp_session_end(ngx_http_cwmp_conn_t *conn);


/* ngx_http_cwmp_pin.c */

/*
 * The connection object of the request's client; made if "create" is set.
 * NULL: there is none, or no memory.
 */
ngx_http_cwmp_conn_t *ngx_http_cwmp_conn_get(ngx_http_request_t *r,
    ngx_uint_t create);

/*
 * Closes all pins of the connection; those with a request under way when it
 * is done.  The session on it is forgotten here, but not in the zone.
 */
void ngx_http_cwmp_conn_drop(ngx_http_cwmp_conn_t *conn);

/*
 * Whether a pin of the connection holds the row of that key.
 */
ngx_uint_t ngx_http_cwmp_conn_holds(ngx_http_cwmp_conn_t *conn, u_char *key);

/*
 * Closes the upstream connections that the client connection of that number,
 * which is this worker's, has for a session.  Returns 1 if one is still in
 * use by a request.
 */
ngx_uint_t ngx_http_cwmp_conn_leave(ngx_atomic_uint_t number, u_char *key);

/*
 * The pin of the connection for this upstream and location; made if there is
 * none.  NULL: no memory.
 */
ngx_http_cwmp_pin_t *ngx_http_cwmp_pin_get(ngx_http_cwmp_conn_t *conn,
    ngx_http_upstream_srv_conf_t *us, ngx_http_upstream_conf_t *conf);

/*
 * The pin that is BUSY with this upstream request; NULL: none.
 */
ngx_http_cwmp_pin_t *ngx_http_cwmp_pin_of(ngx_http_cwmp_conn_t *conn,
    ngx_http_upstream_t *u);

/*
 * PARKED -> BUSY: returns the connection, or NULL if it is not alive any more,
 * or there is none.
 */
ngx_connection_t *ngx_http_cwmp_pin_take(ngx_http_cwmp_pin_t *pin,
    ngx_log_t *log);

/*
 * BUSY -> PARKED, or EMPTY if that fails.
 */
void ngx_http_cwmp_pin_park(ngx_http_cwmp_pin_t *pin, ngx_connection_t *c,
    ngx_msec_t timeout);

/*
 * The session of a BUSY pin has ended, see above: its connection is spare.
 */
void ngx_http_cwmp_pin_spare(ngx_http_cwmp_pin_t *pin);

/*
 * -> EMPTY: closes the connection, which may be NULL, and lets the row go.
 */
void ngx_http_cwmp_pin_close(ngx_http_cwmp_pin_t *pin, ngx_connection_t *c);

/*
 * The connection of the request's client.  With HTTP/2 and HTTP/3
 * r->connection is a stream's, and dies with it.
 */
ngx_connection_t *ngx_http_cwmp_connection(ngx_http_request_t *r);

/*
 * Between two requests nginx takes a client's connection for an idle one, that
 * a reload, or a lack of connections, may close.  This keeps it from that, if
 * it is idle, which *keepalive, NULL at first, then says.
 */
void ngx_http_cwmp_shield(ngx_connection_t *c,
    ngx_event_handler_pt *keepalive);

/*
 * Gives it back, if it is idle still: an exiting worker closes it.
 */
void ngx_http_cwmp_unshield(ngx_connection_t *c,
    ngx_event_handler_pt *keepalive);

/*
 * Closes an upstream connection that no pin has, TLS included.
 */
void ngx_http_cwmp_close_upstream(ngx_connection_t *c);


/* ngx_http_cwmp_session.c, ngx_http_cwmp_affinity.c, ngx_http_cwmp_filter.c */

/*
 * PRECONTENT, after the body handler: a session that comes back on a new
 * connection waits until its old upstream connection is closed.
 */
ngx_int_t ngx_http_cwmp_session_handler(ngx_http_request_t *r);

/*
 * Wraps the balancer of each upstream with cwmp_affinity.  Called in
 * postconfiguration, that is after every module's init_main_conf: from
 * 1.29.7 that of upstream keep-alive wraps every balancer.
 */
ngx_int_t ngx_http_cwmp_affinity_init(ngx_conf_t *cf);

/*
 * Looks at the ACS's replies: cookies, the end of a session, challenges with
 * auth-int.  Called in postconfiguration.
 */
void ngx_http_cwmp_filter_init(void);


#endif /* _NGX_HTTP_CWMP_SESSION_H_INCLUDED_ */
