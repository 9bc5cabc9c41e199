
/*
 * Fieldgate: wake-ups.
 *
 * The words, and where the parts are:
 *
 * wake-up   One request of an ACS to a location with "cwmp_connection_request";
 *           what TR-069 (3.2.2) calls a connection request.  It is checked
 *           (ngx_http_cwmp_wakeup.c), waits for its call, and is answered
 *           (ngx_http_cwmp_answer.c) when that is over, or its deadline has
 *           passed, unless the ACS has left.  Lives in the request's pool.
 *
 * call      What a CPE is asked, for all the wake-ups of this worker that want
 *           the same of it: queued, then running, then over
 *           (ngx_http_cwmp_call.c).  Lives in a pool of its own: when an ACS
 *           leaves, a call that runs goes on, since a CPE that has been asked
 *           may begin a session, other wake-ups may be waiting, also in other
 *           workers, and it is soon over anyway; one that is queued for nobody
 *           is dropped.
 *
 * exchange  The requests to the CPE that a running call takes, one at least,
 *           and their replies, on one connection or several.  What is sent and
 *           how it ends is decided in cwmp_exchange.c; it is carried out in
 *           ngx_http_cwmp_exchange.c, over connections that
 *           ngx_http_cwmp_connect.c makes, with the requests of
 *           ngx_http_cwmp_request.c and the challenges that
 *           ngx_http_cwmp_nonce.c remembers.
 *
 * CPE       By host and port, with its calls in this worker, of which one at
 *           most runs (ngx_http_cwmp_cpe.c).  Exists while there are any.
 *
 * turn      The row of the same CPE in the zone: which worker calls it now,
 *           what for and until when, and how the last calls ended
 *           (cwmp_turn.h).  A call runs only if its worker has the turn.
 *
 * result    How a wake-up, and so its call and exchange, ended, by its name;
 *           outcome: the same with what the ACS gets for it (cwmp_wakeup.h).
 *
 * Workers have no way to wake each other here, so a CPE whose row belongs
 * to another worker looks at it every few milliseconds, for as long as it has
 * calls, that is, until the last of their deadlines at most.
 *
 * What may go wrong meanwhile:
 *
 *   A worker dies that is calling.  Its pid is gone, so the next one that
 *   looks takes the row over.  Should the pid be in use again, or the worker
 *   be stuck: the row says when the call is over at the latest.
 *
 *   It dies with the lock.  nginx frees the lock, the table drops the row
 *   that was being written (cwmp_table.h); the call is made anew.
 *
 *   A worker comes back to a row that was taken over.  Its serial number is
 *   not the row's any more, and nothing is written.
 *
 *   A reload.  Both generations use the same rows; an exiting worker stays
 *   until its calls are over, by their timers.
 *
 *   The table is full of calls.  The CPE is called without a row, and so
 *   neither shared nor queued with other workers.
 *
 *   The clock jumps.  All times are of the monotonic clock.
 */


#ifndef _NGX_HTTP_CWMP_WAKEUP_H_INCLUDED_
#define _NGX_HTTP_CWMP_WAKEUP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/*
 * REWRITE, the first phase that knows the location: from here on nothing that
 * is logged about a wake-up shows its request line.
 */
ngx_int_t ngx_http_cwmp_wakeup_phase_handler(ngx_http_request_t *r);

/* the content handler of "cwmp_connection_request" */

ngx_int_t ngx_http_cwmp_wakeup_handler(ngx_http_request_t *r);

/*
 * $cwmp_wakeup_result, _status, _scheme, _time: *value is empty while there
 * is nothing to tell.  "which" is one of NGX_HTTP_CWMP_WAKEUP_*.
 */

#define NGX_HTTP_CWMP_WAKEUP_RESULT  0
#define NGX_HTTP_CWMP_WAKEUP_STATUS  1
#define NGX_HTTP_CWMP_WAKEUP_SCHEME  2
#define NGX_HTTP_CWMP_WAKEUP_TIME    3

ngx_int_t ngx_http_cwmp_wakeup_variable(ngx_http_request_t *r,
    ngx_uint_t which, ngx_str_t *value);


#endif /* _NGX_HTTP_CWMP_WAKEUP_H_INCLUDED_ */
