
/*
 * Fieldgate: connections to backends that are tied to a client's connection.
 *
 * client      A connection that nginx has accepted: a CPE's, or an ACS's that
 *             wakes CPEs.  With HTTP/2 and HTTP/3 the real one, not that of a
 *             stream.  Its object is made when somebody asks for it, and dies
 *             with the connection, by a cleanup on its pool.
 *
 * attachment  A place at a client for one backend connection: of a session's
 *             upstream server ("pin"), or of a CPE that has answered 401 to
 *             an ACS (path mode).  It is a part of an object of the room that
 *             made it, in the client's pool, and stays until the client is
 *             closed.  No connection goes from one attachment to another.
 *
 *
 * An attachment
 *
 *   EMPTY    there is no connection
 *   BUSY     a request uses the connection, or is about to open it
 *   LEAVING  the same, but it is closed when the request is done
 *   PARKED   the connection is here and waits for the client's next request
 *
 *            | begin  | take          | park   | done  | drop    | event
 *   ---------+--------+---------------+--------+-------+---------+----------
 *   EMPTY    | BUSY   | EMPTY         |        |       | EMPTY   |
 *   BUSY     |        |               | PARKED | EMPTY | LEAVING |
 *   LEAVING  |        |               | EMPTY  | EMPTY | LEAVING |
 *   PARKED   |        | BUSY or EMPTY |        |       | EMPTY   | EMPTY
 *
 * "take" ends in EMPTY if the backend has closed the connection.  "event": it
 * closes it, sends something that nobody has asked for, or the time is over.
 * The kind's closed() is called whenever a request or the backend gives up
 * the place: each change to EMPTY.  Closing the client drops them all.
 *
 *
 * A client
 *
 * Between two requests nginx takes a connection for an idle one, which it
 * closes at a reload, or when it runs out of connections.  The latter is left
 * alone, so that whoever is let in by nobody keeps nobody out.  The former
 * would cut a session: the client does not expect it.  Who needs the
 * connection says so, see ngx_http_cwmp_client_need().
 *
 *   PLAIN     nginx's to close
 *   GUARDED   the worker is told to exit, and the client waits: it is not
 *             idle any more, for nginx
 *   RETURNED  given back, and closed by nginx as soon as it can be
 *
 *   PLAIN   -> GUARDED    the worker is told to exit while a client that
 *                         somebody needs has no request under way.  One that
 *                         has is closed behind it by nginx, which says so in
 *                         the answer.
 *   GUARDED -> RETURNED   nobody needs it any more; or a request of HTTP/2 or
 *                         HTTP/3, which is its last, as GOAWAY says.  With
 *                         HTTP/1 nginx answers once more, with "Connection:
 *                         close", and closes it.
 *
 * How a worker learns that it is told to exit: nginx calls the read handlers
 * of all connections that are idle, in the order of their places in its table.
 * One of ours takes its place when the worker starts, before any client's.
 *
 * With keepalive_min_timeout (nginx 1.27.4) a timer makes a connection idle, or
 * closes it if the worker exits: when it is guarded, that timer gets the whole
 * time of keepalive_timeout.
 *
 * t/affinity-guard.t would notice.
 */


#ifndef _NGX_HTTP_CWMP_ATTACH_H_INCLUDED_
#define _NGX_HTTP_CWMP_ATTACH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>


typedef struct ngx_http_cwmp_client_s  ngx_http_cwmp_client_t;
typedef struct ngx_http_cwmp_attach_s  ngx_http_cwmp_attach_t;


typedef enum {
    NGX_HTTP_CWMP_CLIENT_PLAIN = 0,
    NGX_HTTP_CWMP_CLIENT_GUARDED,
    NGX_HTTP_CWMP_CLIENT_RETURNED
} ngx_http_cwmp_client_state_e;


struct ngx_http_cwmp_client_s {
    ngx_queue_t                    queue;      /* all of this worker */
    ngx_connection_t              *connection;
    ngx_http_cwmp_client_state_e   state;
    ngx_uint_t                     needed;     /* by how many */
    ngx_event_t                    back;       /* -> RETURNED */

    /* what connection->data is between two requests; NULL: not HTTP/1 */
    ngx_http_connection_t         *http;
#if (NGX_HTTP_V2)
    ngx_http_v2_connection_t      *v2;         /* NULL: not HTTP/2 */
#endif

    ngx_queue_t                    attachments;
    void                          *session;    /* of the room session */
};


typedef enum {
    NGX_HTTP_CWMP_ATTACH_EMPTY = 0,
    NGX_HTTP_CWMP_ATTACH_BUSY,
    NGX_HTTP_CWMP_ATTACH_LEAVING,
    NGX_HTTP_CWMP_ATTACH_PARKED
} ngx_http_cwmp_attach_state_e;


/* what the room above does with its attachments */

typedef struct {

    /* closes a connection to the backend */
    void                         (*close)(ngx_connection_t *c);

    /*
     * The attachment is EMPTY; "c": there was a connection, and it has been
     * closed.  NULL: nothing to do.
     */
    void                         (*closed)(ngx_http_cwmp_attach_t *a,
                                           ngx_uint_t c);

    /*
     * The time of the PARKED connection is over; it is closed afterwards.
     * NULL: nothing to do.
     */
    void                         (*expired)(ngx_http_cwmp_attach_t *a);

} ngx_http_cwmp_attach_kind_t;


struct ngx_http_cwmp_attach_s {
    ngx_queue_t                    queue;      /* of the client */
    ngx_http_cwmp_client_t        *client;
    ngx_http_cwmp_attach_kind_t   *kind;
    ngx_http_cwmp_attach_state_e   state;
    ngx_connection_t              *connection; /* PARKED */
    void                          *user;       /* BUSY, LEAVING: whose */
};


/*
 * Makes the connection that tells of the worker's exit.  Without it, which is
 * logged, a reload closes clients that wait.
 */
void ngx_http_cwmp_attach_init_process(ngx_cycle_t *cycle);


/*
 * The client of a request; made if "create" is set.  NULL: there is none, or
 * no memory.  In an exiting worker the request is the client's last.
 */
ngx_http_cwmp_client_t *ngx_http_cwmp_client_get(ngx_http_request_t *r,
    ngx_uint_t create);

/*
 * A reload does not close the client until each who has said so lets go.
 */
void ngx_http_cwmp_client_need(ngx_http_cwmp_client_t *client);
void ngx_http_cwmp_client_let_go(ngx_http_cwmp_client_t *client);


/* Adds an attachment, zeroed by the caller, to the client: EMPTY. */

void ngx_http_cwmp_attach_add(ngx_http_cwmp_client_t *client,
    ngx_http_cwmp_attach_t *a, ngx_http_cwmp_attach_kind_t *kind);

/*
 * EMPTY -> BUSY: the request is about to open a connection.
 */
void ngx_http_cwmp_attach_begin(ngx_http_cwmp_attach_t *a, void *user);

/*
 * PARKED -> BUSY: returns the connection, without handlers and data, and with
 * "log" for its log.  PARKED -> EMPTY: NULL, it has been closed by the
 * backend, and is so here.  Any other state: NULL.
 */
ngx_connection_t *ngx_http_cwmp_attach_take(ngx_http_cwmp_attach_t *a,
    void *user, ngx_log_t *log);

/*
 * BUSY -> PARKED, for "timeout" milliseconds.  LEAVING -> EMPTY: closes the
 * connection.  Should it be closed already, or fail, it is so, too.
 */
void ngx_http_cwmp_attach_park(ngx_http_cwmp_attach_t *a, ngx_connection_t *c,
    ngx_msec_t timeout);

/*
 * BUSY, LEAVING -> EMPTY: closes the connection, NULL: there is none, or it
 * stays with the request.
 */
void ngx_http_cwmp_attach_done(ngx_http_cwmp_attach_t *a, ngx_connection_t *c);

/*
 * PARKED -> EMPTY: closes the connection.  BUSY -> LEAVING.
 */
void ngx_http_cwmp_attach_drop(ngx_http_cwmp_attach_t *a);


#endif /* _NGX_HTTP_CWMP_ATTACH_H_INCLUDED_ */
