
/*
 * Walks over what all workers have in common: sessions, streams, accounts, for
 * lists, reports and counts, however many there are.
 *
 *     cursor.next = 0;                          once
 *
 *     ngx_stream_ntrip_cursor_turn(&cursor);    each turn of the event loop
 *
 *     while ((rc = ngx_stream_ntrip_cursor_...(&cursor, &row)) == NGX_OK) {
 *         ...
 *     }
 *
 * NGX_OK: the next one; NGX_AGAIN: the turn is over, the walk goes on with the
 * next; NGX_DONE: that was all.  "next" is but a number: it may be kept as long
 * as one likes, and be given to a peer and taken back.  What comes or goes
 * meanwhile is seen or not; whatever is there all the time is seen once.
 *
 * A row is a copy, made without the lock or within a hold of its own, so that
 * nobody in the data path waits for a list.
 */


#ifndef _NGX_STREAM_NTRIP_CURSOR_H_INCLUDED_
#define _NGX_STREAM_NTRIP_CURSOR_H_INCLUDED_


#include "ngx_stream_ntrip_worker.h"
#include "ngx_stream_ntrip_store.h"


typedef struct {
    uint64_t                     next;      /* row, or account behind this id */
    ngx_uint_t                   look;      /* rows left in this turn */
} ngx_stream_ntrip_cursor_t;


typedef struct {
    ngx_stream_ntrip_account_t  *account;   /* good until control goes back to
                                               the event loop */
    ngx_uint_t                   cooling;   /* it rests behind its last use */
    ngx_uint_t                   refused;   /* by its provider, when it was
                                               tried last */
} ngx_stream_ntrip_listed_t;


void ngx_stream_ntrip_cursor_turn(ngx_stream_ntrip_cursor_t *cursor);

/* in the order of their rows */
ngx_int_t ngx_stream_ntrip_cursor_session(ngx_stream_ntrip_cursor_t *cursor,
    ntrip_session_row_t *row);
ngx_int_t ngx_stream_ntrip_cursor_stream(ngx_stream_ntrip_cursor_t *cursor,
    ntrip_stream_row_t *row);

/* in the order in which they were added, expired ones too */
ngx_int_t ngx_stream_ntrip_cursor_account(ngx_stream_ntrip_cursor_t *cursor,
    ngx_stream_ntrip_listed_t *listed);

/* the row that has that serial, which a session's login number is, too;
   NTRIP_ROW_NONE: none has */
uint32_t ngx_stream_ntrip_cursor_find(ntrip_table_t *table, uint64_t serial);

/* the stream of row "index", if there is one: NGX_OK or NGX_DECLINED */
ngx_int_t ngx_stream_ntrip_peek_stream(uint32_t index,
    ntrip_stream_row_t *row);


#endif /* _NGX_STREAM_NTRIP_CURSOR_H_INCLUDED_ */
