
/*
 * Fieldgate: sessions of CPEs, and the upstream connections that are pinned to
 * them.
 *
 *
 * Words
 *
 * session     A CPE's, from its Inform to the last answer of the ACS, on one
 *             or more connections.  What is known of it on one connection,
 *             and what it does there, is in cwmp_session.h; what all workers
 *             know, in cwmp_rows.h.
 *
 * claim       What a request says of the session that it belongs to.
 *
 * pin         The attachment (ngx_http_cwmp_attach.h) of a client connection
 *             for one upstream and location configuration (u->conf): the
 *             place for an upstream connection.  A request that finds its pin
 *             BUSY (a concurrent HTTP/2 stream) gets a connection of its own,
 *             that is closed after it; so does every subrequest.  No connection
 *             ever goes from one pin to another, or into the cache of upstream
 *             keep-alive.
 *
 *
 * From a request to an upstream connection
 *
 *   PRECONTENT   the claim is made, and recognised; what the session's Inform
 *                has said is known to the request.  A session that comes back
 *                on another connection before its old one is closed waits, for
 *                200 ms at most, since the ACS must see the old connection's
 *                end first.  A pin of this worker is closed at once; another
 *                worker finds the row's key in the list of the wanted, at which
 *                it looks every 20 ms while it holds any row.  A pin with a
 *                request under way is closed when that is done.
 *   balancer     the claim is joined with the session of its connection, which
 *                begins, or goes on; that of somebody else is dropped.  The
 *                pin's connection is taken, or the session's server, or the
 *                balancer chooses; the row is held.
 *   answer       cookies are learnt; the session goes on, or is over.  One that
 *                has been let in by it takes the device's rows, whoever holds
 *                them: until then somebody else's are not touched.
 *   end          the pin is parked, or closed.
 *
 * A CPE may begin its next session at once and on the same connection.  After
 * the 204 a pin that could be kept stays parked for a moment, as a spare.  The
 * balancer is asked for a server as for any new session; if it gives that of
 * the spare, and the Inform is of the same device, the connection is used, else
 * it is closed first.
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


/*
 * PRECONTENT, after the body handler: a session that comes back on a new
 * connection waits until its old upstream connection is closed.
 */
ngx_int_t ngx_http_cwmp_session_handler(ngx_http_request_t *r);

/*
 * PRECONTENT, before anything else: takes the cookies of "cwmp_affinity" out of
 * the request, and keeps them for the upstream.  NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_cwmp_ticket_handler(ngx_http_request_t *r);

/*
 * $cwmp_session, in the request's pool.  If an upstream without
 * "cwmp_affinity" asks, the connection keeps it for the CPE's next message,
 * which does not name the device.  NGX_DECLINED: the session has no name;
 * NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_cwmp_session_id(ngx_http_request_t *r, ngx_str_t *id);

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
