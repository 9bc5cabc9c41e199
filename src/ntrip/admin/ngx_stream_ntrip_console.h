
/*
 * The admin console, ntrip_console: what its files share.
 *
 * ngx_stream_ntrip_console.c  connections: commands in, passwords, replies out
 * ngx_stream_ntrip_orders.c   verbs on the database, in the thread pool
 * ngx_stream_ntrip_lists.c    verbs on what is in memory, on the event loop
 *
 * An order is one command with its reply, which is made page by page: the next
 * one when the peer has taken the last.  It belongs to its console but while
 * the thread has it: a console that is closed meanwhile leaves it to the
 * store.
 */


#ifndef _NGX_STREAM_NTRIP_CONSOLE_H_INCLUDED_
#define _NGX_STREAM_NTRIP_CONSOLE_H_INCLUDED_


#include "ngx_stream_ntrip_admin.h"
#include "ngx_stream_ntrip_cursor.h"


#define NGX_STREAM_NTRIP_ORDER_PAGE   32768
#define NGX_STREAM_NTRIP_ORDER_ERROR  128


typedef struct ngx_stream_ntrip_console_s  ngx_stream_ntrip_console_t;

typedef struct {
    ngx_stream_ntrip_work_t    work;      /* first; its data: the console */

    ntrip_console_command_t    cmd;       /* points into text */
    ngx_uint_t                 storage;   /* NGX_STREAM_NTRIP_STORAGE_* */

    unsigned                   posted:1;  /* the thread has it */
    unsigned                   begun:1;   /* pages have gone out */
    unsigned                   more:1;    /* another one follows */
    unsigned                   broken:1;  /* which cannot be made: close */
    unsigned                   changed:1; /* the database: for the log */
    unsigned                   testing:1; /* SOURCE-TEST: a login is out */
    unsigned                   counted:1; /* STREAM-LIST: rovers are */

    int64_t                    expires;   /* USER-LIST: the last row, */
    int64_t                    rowid;
    ntrip_console_usage_t      usage;     /* USAGE: the last row, whose texts
                                             are in "last" */
    u_char                     last[3][NTRIP_CONSOLE_VALUE_MAX];
    ngx_stream_ntrip_cursor_t  cursor;    /* other lists */
    uint32_t                  *rovers;    /* STREAM-LIST: of each stream */

    u_char                    *pos;       /* what of the page is sent */
    ntrip_out_t                out;

    u_char                     text[NTRIP_CONSOLE_MAX];
    char                       error[NGX_STREAM_NTRIP_ORDER_ERROR];
                                          /* of the database, for the log */
    u_char                     page[NGX_STREAM_NTRIP_ORDER_PAGE];
} ngx_stream_ntrip_order_t;


/* NULL: no memory */
ngx_stream_ntrip_order_t *ngx_stream_ntrip_order_create(
    ngx_stream_ntrip_console_t *console, ngx_uint_t storage, ngx_log_t *log);

/* of a console that closes, or needs it no more */
void ngx_stream_ntrip_order_release(ngx_stream_ntrip_order_t *order);

/*
 * Makes the next page of the reply to a command whose arguments are right.
 *
 *   NGX_OK     there it is
 *   NGX_AGAIN  later: ngx_stream_ntrip_console_ready() will be called
 *   NGX_BUSY   the database cannot take it now: try for up to 2 s
 *   NGX_ERROR  no memory
 */
ngx_int_t ngx_stream_ntrip_order_page(ngx_stream_ntrip_order_t *order);
ngx_int_t ngx_stream_ntrip_list_page(ngx_stream_ntrip_order_t *order);

/* a SOURCE-TEST that is out loses its order */
void ngx_stream_ntrip_list_cancel(ngx_stream_ntrip_order_t *order);

/* to the event loop: the page that was awaited is there */
void ngx_stream_ntrip_console_ready(ngx_stream_ntrip_console_t *console);

/* an error is all of the reply; "unavailable": of the database, for which,
   without a cluster, the verbs of cors-relay that add something have no words
   of their own */
void ngx_stream_ntrip_order_fail(ngx_stream_ntrip_order_t *order,
    const char *reply);
void ngx_stream_ntrip_order_unavailable(ngx_stream_ntrip_order_t *order);

/* in local time */
void ngx_stream_ntrip_order_date(ntrip_date_t *date, time_t time);

/* in a thread: a password as ntrip_password_storage wants it, in "stored" of
   NTRIP_PASSWORD_STORED bytes.  NGX_OK, or NGX_ERROR */
ngx_int_t ngx_stream_ntrip_order_hash(ngx_uint_t storage, ngx_str_t *password,
    u_char *stored, ngx_str_t *value);

/* what lists show of a stored password: not hashes */
void ngx_stream_ntrip_order_password(ngx_str_t *shown, ngx_str_t *stored);

/* whether another row and the end surely fit */
#define ngx_stream_ntrip_order_room(order)                                    \
    ((order)->out.end - (order)->out.last > 2 * NTRIP_CONSOLE_ROW_MAX)


#endif /* _NGX_STREAM_NTRIP_CONSOLE_H_INCLUDED_ */
