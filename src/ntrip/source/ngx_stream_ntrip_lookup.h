
/*
 * From the name of a provider's host to its addresses.
 *
 * With a resolver nginx's own client asks it.  Without one, getaddrinfo() runs
 * in a thread pool of its own: a name server that is slow or away keeps
 * neither the event loop nor any other work waiting.  Of one name there is at
 * most one call under way in a worker, whoever wants it; each of those that
 * wait may leave at any time, as they do when their time is over, while the
 * thread goes on.  Nothing is remembered behind the answer: that is the name
 * service's business.
 *
 * t/ntrip-lookup.t would notice a look-up that others wait for.
 */


#ifndef _NGX_STREAM_NTRIP_LOOKUP_H_INCLUDED_
#define _NGX_STREAM_NTRIP_LOOKUP_H_INCLUDED_


#include "ngx_stream_ntrip.h"
#include "ntrip_protocol.h"


/* of one name, tried one after the other */
#define NGX_STREAM_NTRIP_ADDRS  4


typedef struct ngx_stream_ntrip_lookup_s  ngx_stream_ntrip_lookup_t;
typedef struct ngx_stream_ntrip_addrs_s   ngx_stream_ntrip_addrs_t;


/* the addresses are there, or naddrs is 0, for the reason that was logged */

typedef void (*ngx_stream_ntrip_addrs_pt)(ngx_stream_ntrip_addrs_t *addrs);


/* one who wants addresses: zeroed by him, and the first five set */

struct ngx_stream_ntrip_addrs_s {
    ngx_resolver_t               *resolver;          /* NULL: none */
    ngx_msec_t                    resolver_timeout;
    ngx_stream_ntrip_addrs_pt     handler;
    void                         *data;
    ngx_log_t                    *log;

    ngx_uint_t                    naddrs;
    ngx_sockaddr_t                addrs[NGX_STREAM_NTRIP_ADDRS];
    socklen_t                     socklens[NGX_STREAM_NTRIP_ADDRS];

    in_port_t                     port;              /* of them all */
    ngx_resolver_ctx_t           *resolving;
    ngx_stream_ntrip_lookup_t    *lookup;            /* that it waits for: */
    ngx_queue_t                   queue;             /* all who do */
};


/*
 * The addresses of "host", a name or an address without brackets, which stays
 * as it is until they are there.
 *   NGX_OK     they are
 *   NGX_AGAIN  "handler" will be called, or has been
 *   NGX_ERROR  not now, as was logged
 */
ngx_int_t ngx_stream_ntrip_addrs_find(ngx_stream_ntrip_addrs_t *addrs,
    ngx_str_t *host, in_port_t port);

/* the handler will not be called; harmless if it was */
void ngx_stream_ntrip_addrs_cancel(ngx_stream_ntrip_addrs_t *addrs);


#endif /* _NGX_STREAM_NTRIP_LOOKUP_H_INCLUDED_ */
