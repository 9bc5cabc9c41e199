
/*
 * What the two files of a client of a provider have in common.
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

/* CONNECT is over: REPLY */
void ngx_stream_ntrip_client_connected(ngx_stream_ntrip_client_t *client);

/* FAILED; "why" in words, or NULL: the reply says it, or it was shut down */
void ngx_stream_ntrip_client_fail(ngx_stream_ntrip_client_t *client,
    const char *why);


#endif /* _NGX_STREAM_NTRIP_CLIENT_PRIVATE_H_INCLUDED_ */
