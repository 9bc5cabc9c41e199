
/*
 * What a lease is outside the zone: the file lock of the account, and the
 * connection that uses it.  Private to this room: sources and tests have one.
 *
 * The order is that of ntrip_lease.h: the row is leased; then the file lock,
 * then the login; and back: connection, file lock, then the row.
 */


#ifndef _NGX_STREAM_NTRIP_LEASE_H_INCLUDED_
#define _NGX_STREAM_NTRIP_LEASE_H_INCLUDED_


#include "ngx_stream_ntrip_store.h"
#include "ngx_stream_ntrip_client.h"
#include "ntrip_policy.h"


typedef struct {
    ntrip_candidate_t            candidate;  /* the account; source 0: none */
    ngx_fd_t                     lock;       /* its lock file */
    ngx_stream_ntrip_client_t    client;

    ngx_uint_t                   wanted;     /* versions of NTRIP, as in */
    ngx_uint_t                   known;      /* ntrip_policy.h */
    ngx_uint_t                   version;    /* of the request */
    unsigned                     again:1;    /* the next one is in 2.0 */
    unsigned                     second:1;   /* this one is it */
    ntrip_policy_end_t           first;      /* how the one before it ended */

    ngx_log_t                    log;        /* names label and mountpoint */
    ngx_str_t                    label;      /* "account@host:port" */
    ngx_str_t                    mount;

    u_char                       label_data[NTRIP_LABEL_MAX];
    u_char                       mount_data[NTRIP_MOUNT_MAX];
} ngx_stream_ntrip_lease_t;


/* a zeroed one, whose client has "events" and "data" set, for a mountpoint of
   the server "conf", whose times, resolver and error log it uses */
void ngx_stream_ntrip_lease_init(ngx_stream_ntrip_lease_t *lease,
    ngx_stream_ntrip_srv_conf_t *conf, ngx_str_t *mount);

/*
 * The account lease->candidate.source, whose row is leased: its client begins
 * to log in; "port" is that of the provider if the account has none, "gga" a
 * position that goes with a request in 2.0, with or without its CRLF, or empty.
 * Returns NTRIP_REST_NONE, or why the account rests: FOREIGN, it is deleted or
 * another nginx uses it; FAILED, as was logged.  Then lease_why() says it in
 * words.
 */
ngx_uint_t ngx_stream_ntrip_lease_login(ngx_stream_ntrip_lease_t *lease,
    in_port_t port, ngx_str_t *gga);

/*
 * The client is closed, before it was open.  1: it is to be asked again, in
 * another version of NTRIP: lease_stop(), and lease_login() after *delay ms,
 * which are the host's turn.  The account has not failed.
 */
ngx_uint_t ngx_stream_ntrip_lease_again(ngx_stream_ntrip_lease_t *lease,
    ngx_msec_t *delay);

/* the request was accepted: its version is what works at the host */
void ngx_stream_ntrip_lease_works(ngx_stream_ntrip_lease_t *lease);

/* no connection, no file lock: now the row may go */
void ngx_stream_ntrip_lease_stop(ngx_stream_ntrip_lease_t *lease);

/* takes the lock: the account was tested, and rests for "reason", or not */
void ngx_stream_ntrip_lease_tested(ngx_stream_ntrip_lease_t *lease,
    ngx_uint_t reason);

/* takes the lock, behind lease_stop(): the row goes, and the account is for
   whoever waits for it */
void ngx_stream_ntrip_lease_closed(ngx_stream_ntrip_lease_t *lease);

/* the provider's first line as it may be shown, into NTRIP_REPLY_SHOWN bytes;
   returns how many */
size_t ngx_stream_ntrip_lease_shown(ngx_stream_ntrip_lease_t *lease,
    u_char *text);

/* the client is closed: logs what the provider said, if it refused the login;
   returns NTRIP_REST_*, where "trial" and "brief" are as in ntrip_policy.h */
ngx_uint_t ngx_stream_ntrip_lease_reason(ngx_stream_ntrip_lease_t *lease,
    ngx_uint_t trial, ngx_uint_t brief);

/* why it has ended, or login() has come to nothing, in words; never NULL */
const char *ngx_stream_ntrip_lease_why(ngx_stream_ntrip_lease_t *lease);


#endif /* _NGX_STREAM_NTRIP_LEASE_H_INCLUDED_ */
