
/*
 * The store, as the files of its room see it.
 */


#ifndef _NGX_STREAM_NTRIP_STORE_PRIVATE_H_INCLUDED_
#define _NGX_STREAM_NTRIP_STORE_PRIVATE_H_INCLUDED_


#include <sqlite3.h>

#include "ngx_stream_ntrip_store.h"
#include "ngx_stream_ntrip_accounts.h"
#include "ngx_stream_ntrip_stations.h"
#include "ngx_stream_ntrip_schema.h"


typedef enum {
    NGX_STREAM_NTRIP_STORE_OPENING = 0,   /* a thread opens the file */
    NGX_STREAM_NTRIP_STORE_READY,
    NGX_STREAM_NTRIP_STORE_DOWN           /* until the next poll */
} ngx_stream_ntrip_store_state_e;


/*
 * What the thread gets, one at a time: "work", or NULL: open the file.  While
 * it is out "schema" is the thread's.
 */

typedef struct {
    ngx_stream_ntrip_work_t        *work;
    ngx_uint_t                      reopen;
    ngx_int_t                       rc;
    ngx_stream_ntrip_schema_t       schema;
} ngx_stream_ntrip_store_job_t;


struct ngx_stream_ntrip_store_s {
    ngx_stream_ntrip_main_conf_t   *conf;
    ngx_stream_ntrip_store_hooks_t *hooks;
    ngx_stream_ntrip_store_state_e  state;
    ngx_event_t                     poll;
    ngx_connection_t                dumb;      /* names no descriptor */
    ngx_log_t                      *log;
    u_char                         *reason;    /* logged last, NULL: none */

    sqlite3                        *reader;
    sqlite3_stmt                   *user;
    sqlite3_stmt                   *version;
    sqlite3_stmt                   *range;
    sqlite3_stmt                   *changes;

    dev_t                           device;
    ino_t                           inode;
    int                             seen;      /* PRAGMA data_version */
    int64_t                         cursor;    /* last change read */
    ntrip_kinds_t                   kinds;     /* only ever more of them */
    ntrip_kinds_t                   scanned;   /* the thread's, in "scan" */
    ngx_stream_ntrip_work_t         scan;      /* data NULL: it is not out */
    unsigned                        loaded:1;  /* it was ready before */
    unsigned                        busy:1;    /* the job is out */
    unsigned                        damaged:1; /* check before it is used */

    ngx_thread_task_t              *task;
    ngx_queue_t                     works;     /* of ..._work_t */
    ngx_uint_t                      nworks;
};


/* ---- ngx_stream_ntrip_store.c ---- */

/* SQLite has said "rc": logs it, and takes the store down if it has to be
   opened anew.  NGX_AGAIN, or NGX_ERROR: it is down */
ngx_int_t ngx_stream_ntrip_store_failed(ngx_stream_ntrip_store_t *st, int rc);

/* a column of the row that is read, with a zero behind it, in memory of the
   pool; NGX_OK, or NGX_ERROR: no memory */
ngx_int_t ngx_stream_ntrip_store_text(ngx_pool_t *pool, sqlite3_stmt *stmt,
    int column, ngx_str_t *text);

/* the writing connection, in a process whose threads have ended; NULL: there is
   none, or its file was replaced */
void *ngx_stream_ntrip_store_db(void);

/* it cannot be used, for this reason, until the next poll */
void ngx_stream_ntrip_store_down(ngx_stream_ntrip_store_t *st,
    const char *reason);


/* ---- ngx_stream_ntrip_write.c ---- */

/* in the thread: a work that is a change */
void ngx_stream_ntrip_write_run(ngx_stream_ntrip_work_t *work, sqlite3 *db);


/* ---- ngx_stream_ntrip_changes.c ---- */

/* which changes there are, by number; NGX_OK, or NGX_ERROR */
ngx_int_t ngx_stream_ntrip_store_range(ngx_stream_ntrip_store_t *st,
    int64_t *first, int64_t *last);

/* reads the changes since the last time, those of any process.  NGX_OK, or
   NGX_ERROR: cannot be told now */
ngx_int_t ngx_stream_ntrip_store_changed(ngx_stream_ntrip_store_t *st);

/* kinds of hashes that are there besides those that are known */
void ngx_stream_ntrip_store_learn(ngx_stream_ntrip_store_t *st,
    ntrip_kinds_t *kinds);


#endif /* _NGX_STREAM_NTRIP_STORE_PRIVATE_H_INCLUDED_ */
