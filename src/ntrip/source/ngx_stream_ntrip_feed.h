
/*
 * A feed: bytes become messages in the ring of a stream.  It does not know
 * where they come from.  Private to this room.
 */


#ifndef _NGX_STREAM_NTRIP_FEED_H_INCLUDED_
#define _NGX_STREAM_NTRIP_FEED_H_INCLUDED_


#include "ngx_stream_ntrip_worker.h"
#include "ntrip_protocol.h"


typedef void (*ngx_stream_ntrip_feed_pt)(void *data, ntrip_rtcm_message_t *m);

typedef struct {
    uint32_t                   index;      /* of the stream's row, */
    uint64_t                   serial;     /* and which use of it */
    ngx_uint_t                 mode;       /* NTRIP_RTCM_AUTO, _RTCM3, _RAW */
    ntrip_rtcm_t               rtcm;
    ngx_stream_ntrip_feed_pt   handler;    /* of each message; NULL: none */
    void                      *data;
} ngx_stream_ntrip_feed_t;


/* for a row of this worker's, whose mountpoint has this NTRIP_RTCM_*; then
   begin() */
void ngx_stream_ntrip_feed_init(ngx_stream_ntrip_feed_t *feed, uint32_t index,
    uint64_t serial, ngx_uint_t format);

/* what comes from now on does not continue what came before: its first message
   clears the latest ones of what was there (ntrip_latest.h) */
void ngx_stream_ntrip_feed_begin(ngx_stream_ntrip_feed_t *feed);

/* does the row still name this worker?  Before anything is written into it */
ngx_uint_t ngx_stream_ntrip_feed_owned(ngx_stream_ntrip_feed_t *feed);

/* how many bytes may be written before wake(): a quarter of the ring, so that
   this worker has copied them before more are written */
size_t ngx_stream_ntrip_feed_size(ngx_stream_ntrip_feed_t *feed);

/*
 * Writes the messages that end in these bytes, having taken a ring before the
 * first.
 *   NGX_OK        there were some, or it is not yet decided what comes
 *   NGX_AGAIN     there was none
 *   NGX_DECLINED  the stream is no longer this worker's
 *   NGX_ERROR     no ring is free, as was logged
 *   NGX_ABORT     it is a page, or a table
 */
ngx_int_t ngx_stream_ntrip_feed_write(ngx_stream_ntrip_feed_t *feed,
    ngx_str_t *data);

/* wakes whoever has rovers of the stream; 1: somebody has */
ngx_uint_t ngx_stream_ntrip_feed_wake(ngx_stream_ntrip_feed_t *feed);


#endif /* _NGX_STREAM_NTRIP_FEED_H_INCLUDED_ */
