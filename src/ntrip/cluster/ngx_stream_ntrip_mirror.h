
/*
 * The mirror: PostgreSQL's users, accounts and stations in the node's SQLite
 * file, brought up to date by a thread.  Private to this room.
 *
 * ngx_stream_ntrip_mirror.c    what to read there, and when
 * ngx_stream_ntrip_mirrored.c  the file: rows as JSON in, one transaction each
 *
 * The file's table "mirror" says which cluster it mirrors and up to which
 * change; it is written in the same transaction as the rows.  So it does not
 * matter who does it, nor whether two do it at once, nor when one is killed.
 *
 * A copy is read in pages, which are of different moments, into a table of the
 * connection's own; the place in the changes was read before.  What was changed
 * meanwhile is read again by the changes that follow: each brings the row as it
 * is then.  Rows that are equal are not touched, so that nobody hears of them.
 */


#ifndef _NGX_STREAM_NTRIP_MIRROR_H_INCLUDED_
#define _NGX_STREAM_NTRIP_MIRROR_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <sqlite3.h>

#include "ngx_stream_ntrip_store.h"
#include "ngx_stream_ntrip_pg.h"
#include "ntrip_mirror.h"


/* fieldgate.version of what schema/cluster.sql makes */
#define NGX_STREAM_NTRIP_CLUSTER_VERSION  1


/* one turn of the thread, and what came of it */

typedef struct {
    ngx_stream_ntrip_pg_t         pg;
    ngx_stream_ntrip_attached_t   attached;
    const char                   *path;       /* of the file */
    ngx_uint_t                    copy;       /* it may copy everything */

    ngx_uint_t                    made;       /* it has made the schema */
    int64_t                       copied;     /* rows of a copy; -1: none */
    int64_t                       seq;        /* up to which change it is */
    int64_t                       goal;       /* the last one when the turn
                                                 began; -1: not known yet */
    ngx_uint_t                    pages;      /* that are read beyond it */
    const char                   *file;       /* the file cannot be written:
                                                 why; NULL: it can */
    char                          error[NGX_STREAM_NTRIP_PG_ERROR];
} ngx_stream_ntrip_mirror_t;


/*
 * In the thread.  NGX_OK: the mirror is as PostgreSQL was when it was called,
 * or later.  NGX_ERROR: it is not; "file" or else "error" tells why.
 */
ngx_int_t ngx_stream_ntrip_mirror_turn(ngx_stream_ntrip_mirror_t *m);

/* In the thread.  NGX_OK: PostgreSQL is there, and has a schema that this
   module knows, or has it now; NGX_ERROR, "error" tells why */
ngx_int_t ngx_stream_ntrip_mirror_known(ngx_stream_ntrip_mirror_t *m);


/* ---- ngx_stream_ntrip_mirrored.c: the file; each returns SQLite's result */

/* what "mirror" says, and whether there are rows */
int ngx_stream_ntrip_mirrored_read(sqlite3 *db, ntrip_mirror_t *here);

/*
 * begin: a transaction, if the file still is as "here" says; SQLITE_ABORT: it
 *        is not, another one was faster.
 * end:   writes "next" and commits, or with rc other than SQLITE_OK takes
 *        everything back and returns that.
 */
int ngx_stream_ntrip_mirrored_begin(sqlite3 *db, const ntrip_mirror_t *here);
int ngx_stream_ntrip_mirrored_end(sqlite3 *db, const ntrip_mirror_t *next,
    int rc);

/* a row as PostgreSQL has it, a JSON object; NULL: it has none with that key.
   Kinds that are not known are left alone */
int ngx_stream_ntrip_mirrored_row(sqlite3 *db, const char *kind,
    const char *key, const char *row);

/* a copy: empty; a row, which is put aside; there are no more of them; all of
   them, and no others, in a transaction; forgotten, at any time */
int ngx_stream_ntrip_mirrored_copy(sqlite3 *db);
int ngx_stream_ntrip_mirrored_aside(sqlite3 *db, const char *kind,
    const char *key, const char *row);
int ngx_stream_ntrip_mirrored_whole(sqlite3 *db);
int ngx_stream_ntrip_mirrored_replace(sqlite3 *db);
void ngx_stream_ntrip_mirrored_forget(sqlite3 *db);


#endif /* _NGX_STREAM_NTRIP_MIRROR_H_INCLUDED_ */
