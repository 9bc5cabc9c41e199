
/*
 * A feed: bytes become messages in the ring of a stream.  It does not know
 * where they come from.  Private to this room.
 */


#ifndef _NGX_STREAM_NTRIP_FEED_H_INCLUDED_
#define _NGX_STREAM_NTRIP_FEED_H_INCLUDED_


#include "ngx_stream_ntrip_worker.h"
#include "ntrip_protocol.h"


typedef void (*ngx_stream_ntrip_feed_pt)(void *data, ntrip_rtcm_message_t *m);

typedef enum {
    NGX_STREAM_NTRIP_FEED_TURN = 0,        /* of who has the turn */
    NGX_STREAM_NTRIP_FEED_OURS,
    NGX_STREAM_NTRIP_FEED_GUESTS,
    NGX_STREAM_NTRIP_FEED_NOBODYS          /* a guest's that is none any more */
} ngx_stream_ntrip_feed_whose_e;


typedef struct {
    uint32_t                   index;      /* of the stream's row, */
    uint64_t                   serial;     /* and which use of it */
    uint32_t                   guest;      /* the stream that has every other
                                              turn, NTRIP_ROW_NONE: none */
    uint64_t                   guest_serial;
    unsigned                   turn:1;     /* it is the guest's */
    unsigned                   begun:2;    /* whose the message is that has
                                              begun: ..._feed_whose_e */
    unsigned                   fresh:1;    /* nothing was written into the
                                              guest's ring */
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

/* every other turn is that stream's from now on, the first is ours;
   NTRIP_ROW_NONE: all are.  Then whose it is: 1, the guest's, with the next
   message that begins. */
void ngx_stream_ntrip_feed_share(ngx_stream_ntrip_feed_t *feed,
    uint32_t guest, uint64_t serial);
void ngx_stream_ntrip_feed_turn(ngx_stream_ntrip_feed_t *feed,
    ngx_uint_t turn);

/* whose turn it is: its row; may it be written? */
#define ngx_stream_ntrip_feed_at(feed)                                         \
    ((feed)->turn ? (feed)->guest : (feed)->index)
ngx_uint_t ngx_stream_ntrip_feed_writable(ngx_stream_ntrip_feed_t *feed);

/* wakes whoever has rovers of the stream; 1: somebody has */
ngx_uint_t ngx_stream_ntrip_feed_wake(ngx_stream_ntrip_feed_t *feed);


#endif /* _NGX_STREAM_NTRIP_FEED_H_INCLUDED_ */
