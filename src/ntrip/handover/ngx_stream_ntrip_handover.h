
/*
 * Fieldgate: sources and rovers of a worker that exits go to workers of the
 * newest generation, with their sockets.  These are the worker's hooks.
 */


#ifndef _NGX_STREAM_NTRIP_HANDOVER_H_INCLUDED_
#define _NGX_STREAM_NTRIP_HANDOVER_H_INCLUDED_


#include "ngx_stream_ntrip_rover.h"


/* begins; and again each tick until nothing is left */
void ngx_stream_ntrip_handover_start(void);

/* this worker, which is exiting, was woken: perhaps by an heir */
void ngx_stream_ntrip_handover_woken(void);

/* ngx_stream_ntrip_adopt.c: a message came in; fds are the callee's now */
void ngx_stream_ntrip_handover_received(ntrip_handover_t *msg,
    ngx_socket_t *fds, ngx_uint_t nfds);


#endif /* _NGX_STREAM_NTRIP_HANDOVER_H_INCLUDED_ */
