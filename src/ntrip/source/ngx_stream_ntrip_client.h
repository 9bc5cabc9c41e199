
/*
 * A client of a provider: one login, from the name of a host to the provider's
 * last FIN.  It knows addresses, requests and replies, and nothing of streams,
 * accounts or shared memory: whoever has it tells it what to ask for, and is
 * told what comes.
 *
 *   NONE      no connection
 *   LOOKUP    waits for addresses                connect_timeout
 *   CONNECT   connecting, address by address     connect_timeout each
 *   HANDSHAKE of TLS                             connect_timeout
 *   REPLY     the request goes, the reply comes  timeout
 *   HEADER    its first line was good            the same, both together
 *   OPEN      what comes is the body             timeout since the last bytes
 *                                                that were of use
 *   PARKED    neither reads nor writes
 *   CLOSING   SHUT_WR, waits for the FIN         timeout of shutdown()
 *   FAILED    of no use any more, "closed" follows
 *
 * With TLS: "ssl" is set before init(), "tls" before login(); then the host's
 * certificate is checked as ntrip_source_ssl_* say, for its name or that which
 * "ssl" has, and nothing of the request goes before it is accepted.  All else
 * is the same, but that park() always declines: what OpenSSL knows does not
 * travel.
 *
 * For a table of mountpoints: a request without "mount"; "body" gets its lines,
 * and "closed" comes behind the last one.
 *
 * The events come from the event loop, never from within one of the functions
 * below.  A failure is logged where it is met, and told in an event of its
 * own, when nobody is in the middle of something.
 *
 * Attacks:
 *   silence at any point: each state has its time.
 *   a reply without an end, a flood: ntrip_reply_t has limits; one read is
 *     "size" bytes, and others have their turn before the next one.
 *   the look-up answers later than its time: cancelled.
 *   nobody reads our sentences: the one that is under way is waited for, no
 *     other is begun.
 *   the worker's time to shut down is over: "exit".
 *   credentials in memory: the request is wiped as soon as it is sent.
 */


#ifndef _NGX_STREAM_NTRIP_CLIENT_H_INCLUDED_
#define _NGX_STREAM_NTRIP_CLIENT_H_INCLUDED_


#include <ngx_event_connect.h>

#include "ngx_stream_ntrip_worker.h"
#include "ngx_stream_ntrip_lookup.h"


/* the buffer of one read */
#define NGX_STREAM_NTRIP_READ  16384


typedef enum {
    NGX_STREAM_NTRIP_CLIENT_NONE = 0,
    NGX_STREAM_NTRIP_CLIENT_LOOKUP,
    NGX_STREAM_NTRIP_CLIENT_CONNECT,
    NGX_STREAM_NTRIP_CLIENT_HANDSHAKE,
    NGX_STREAM_NTRIP_CLIENT_REPLY,
    NGX_STREAM_NTRIP_CLIENT_HEADER,
    NGX_STREAM_NTRIP_CLIENT_OPEN,
    NGX_STREAM_NTRIP_CLIENT_PARKED,
    NGX_STREAM_NTRIP_CLIENT_CLOSING,
    NGX_STREAM_NTRIP_CLIENT_FAILED
} ngx_stream_ntrip_client_state_e;


typedef struct ngx_stream_ntrip_client_s  ngx_stream_ntrip_client_t;


typedef struct {

    /*
     * While the reply is read, in this order:
     *   accepted  the first line was good, something may be sent
     *   open      so was the rest
     *   body      the next bytes of it, good until it returns: NGX_OK;
     *             NGX_AGAIN, nothing of use, the time runs on; NGX_ERROR: the
     *             connection fails, and "why" was set
     *   received  these were all of one read
     * The first three may call shutdown(), and none of the rest follows.
     */
    void       (*accepted)(ngx_stream_ntrip_client_t *client);
    void       (*open)(ngx_stream_ntrip_client_t *client);
    ngx_int_t  (*body)(ngx_stream_ntrip_client_t *client, ngx_str_t *data);
    void       (*received)(ngx_stream_ntrip_client_t *client);

    /* what send() had to leave has gone, too */
    void       (*sent)(ngx_stream_ntrip_client_t *client);

    /* there is no connection any more: refused, if reply.result is more than
       NTRIP_REPLY_OK; lost or never made, as was logged, and "why" says; or
       shut down.  The client's memory may go. */
    void       (*closed)(ngx_stream_ntrip_client_t *client);

    /* the worker has to exit, stop() is due; the memory may go */
    void       (*exit)(ngx_stream_ntrip_client_t *client);

} ngx_stream_ntrip_client_events_t;


struct ngx_stream_ntrip_client_s {


    /* to be set before init() */

    const ngx_stream_ntrip_client_events_t  *events;
    void                        *data;
    ngx_log_t                   *log;        /* nobody else's: the client sets
                                                its action and connection */
    ngx_msec_t                   connect_timeout;
    ngx_msec_t                   timeout;
    ngx_resolver_t              *resolver;   /* NULL: none */
    ngx_msec_t                   resolver_timeout;
    size_t                       size;       /* of a read, at most */
    ngx_stream_ntrip_ssl_t      *ssl;        /* of the server, NULL: none */
    ngx_uint_t                   tls;        /* this login is one with TLS */

    /* may be looked at */

    ngx_stream_ntrip_client_state_e  state;
    ntrip_reply_t                reply;
    const char                  *why;        /* it has ended, in words; NULL:
                                                the reply says it */
    ngx_uint_t                   plain;      /* 1: the provider has closed */
    ngx_uint_t                   distrusted; /* 1: with TLS it was not whom we
                                                want, or spoke none */
    time_t                       certificate; /* its end; 0: without TLS */

    /* its own */

    ngx_event_t                  timer;      /* of the state */
    ngx_event_t                  next;       /* posted: FAILED, or exit */

    ngx_str_t                    host;
    ngx_str_t                    name;       /* which the certificate has */
    uint64_t                     session_key;
    ngx_stream_ntrip_addrs_t     addrs;
    ngx_uint_t                   addr;       /* the one that is tried */
    ngx_uint_t                   useless;    /* 1: something has come since */
    ngx_str_t                    addr_text;
    ngx_peer_connection_t        peer;

    u_char                      *request;    /* with the credentials: wiped
                                                and freed when sent */
    u_char                      *pos;        /* what goes */
    u_char                      *last;

    u_char                       host_data[NTRIP_HOST_MAX];
    u_char                       addr_data[NGX_SOCKADDR_STRLEN];
};


/* the rest of a zeroed client: state NONE */
void ngx_stream_ntrip_client_init(ngx_stream_ntrip_client_t *client);

/*
 * NONE: begins to log in.  Of the request "host" is without brackets and not
 * longer than NTRIP_HOST_MAX; nothing of it is needed later.  NGX_OK: "closed"
 * will tell if it comes to nothing; NGX_ERROR: nothing has begun, as was
 * logged.
 */
ngx_int_t ngx_stream_ntrip_client_login(ngx_stream_ntrip_client_t *client,
    ntrip_reply_request_t *request);

/* may something be sent?  The request was accepted, and nothing is under way */
ngx_uint_t ngx_stream_ntrip_client_ready(ngx_stream_ntrip_client_t *client);

/* if so: these bytes, which stay as they are until "sent" */
void ngx_stream_ntrip_client_send(ngx_stream_ntrip_client_t *client,
    u_char *data, size_t len);

/* says goodbye, waits for the provider's at most so long, then "closed" */
void ngx_stream_ntrip_client_shutdown(ngx_stream_ntrip_client_t *client,
    ngx_msec_t timeout);

/* in any state: NONE, nothing more is heard of it */
void ngx_stream_ntrip_client_stop(ngx_stream_ntrip_client_t *client);


/*
 * The connection goes to another process.
 *
 * park:    OPEN, nothing is being sent: PARKED, and "fd" is the socket.
 *          NGX_OK; NGX_DECLINED: not now, nothing has changed
 * unpark:  PARKED: OPEN again
 * give:    PARKED: the other process has it, NONE
 * take:    NONE: PARKED, with the socket and the reply so far of another one.
 *          NGX_OK, NGX_ERROR
 * untake:  not yet unparked: NONE, the socket is the caller's again
 */
ngx_int_t ngx_stream_ntrip_client_park(ngx_stream_ntrip_client_t *client,
    ngx_socket_t *fd);
void ngx_stream_ntrip_client_unpark(ngx_stream_ntrip_client_t *client);
void ngx_stream_ntrip_client_give(ngx_stream_ntrip_client_t *client);
ngx_int_t ngx_stream_ntrip_client_take(ngx_stream_ntrip_client_t *client,
    ngx_socket_t fd, ntrip_reply_t *reply);
void ngx_stream_ntrip_client_untake(ngx_stream_ntrip_client_t *client);


#endif /* _NGX_STREAM_NTRIP_CLIENT_H_INCLUDED_ */
