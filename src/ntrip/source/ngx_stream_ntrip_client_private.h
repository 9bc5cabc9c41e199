
/*
 * What the files of a client of a provider have in common.
 */


#ifndef _NGX_STREAM_NTRIP_CLIENT_PRIVATE_H_INCLUDED_
#define _NGX_STREAM_NTRIP_CLIENT_PRIVATE_H_INCLUDED_


#include "ngx_stream_ntrip_client.h"


/* ---- ngx_stream_ntrip_connect.c ---- */

/* the handler of its look-up */
void ngx_stream_ntrip_client_found(ngx_stream_ntrip_addrs_t *addrs);

/* CONNECT: this address is given up for the next one */
void ngx_stream_ntrip_client_next(ngx_stream_ntrip_client_t *client);

/* the request, with its credentials, is needed no more */
void ngx_stream_ntrip_client_wipe(ngx_stream_ntrip_client_t *client);


/* ---- ngx_stream_ntrip_client.c ---- */

/* CONNECT is over, and HANDSHAKE, if there is one: REPLY */
void ngx_stream_ntrip_client_connected(ngx_stream_ntrip_client_t *client);

/* FAILED; "why" in words, or NULL: the reply says it, or it was shut down */
void ngx_stream_ntrip_client_fail(ngx_stream_ntrip_client_t *client,
    const char *why);


#if (NGX_STREAM_SSL)

/* ---- ngx_stream_ntrip_tls.c ---- */

/* CONNECT is over: HANDSHAKE */
void ngx_stream_ntrip_tls_handshake(ngx_stream_ntrip_client_t *client);

/* says goodbye, if there is room for that and it is not to be quiet; the
   connection is one without TLS after it */
void ngx_stream_ntrip_tls_shutdown(ngx_connection_t *c, ngx_uint_t quiet);

#endif


#endif /* _NGX_STREAM_NTRIP_CLIENT_PRIVATE_H_INCLUDED_ */
