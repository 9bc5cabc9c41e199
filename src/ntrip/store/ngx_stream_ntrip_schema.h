
/*
 * The database file: opened for writing, made, imported, checked.  Runs in
 * the thread pool, and so knows nothing of nginx but its types.
 */


#ifndef _NGX_STREAM_NTRIP_SCHEMA_H_INCLUDED_
#define _NGX_STREAM_NTRIP_SCHEMA_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <sqlite3.h>

#include "ntrip_protocol.h"


/* PRAGMA user_version of what schema/schema.sql makes */
#define NGX_STREAM_NTRIP_SCHEMA_VERSION  5

/* how long a write waits for another writer, in a thread */
#define NGX_STREAM_NTRIP_SCHEMA_BUSY     2000

#define NGX_STREAM_NTRIP_SCHEMA_ERROR    256


typedef enum {
    NGX_STREAM_NTRIP_SCHEMA_FOUND = 0,   /* nothing was to be done */
    NGX_STREAM_NTRIP_SCHEMA_CREATED,
    NGX_STREAM_NTRIP_SCHEMA_IMPORTED,    /* from cors-relay */
    NGX_STREAM_NTRIP_SCHEMA_UPGRADED     /* from an older version */
} ngx_stream_ntrip_schema_made_e;


/* "db" and what is known of the file it has open; all of it the thread's */

typedef struct {
    const char                      *path;      /* with a 0 behind it */
    ngx_uint_t                       create;    /* make it if it is missing */
    ngx_uint_t                       check;     /* it was damaged: look
                                                   through it */
    ngx_stream_ntrip_schema_made_e   made;
    sqlite3                         *db;        /* NULL: not open */
    struct stat                      file;
    struct stat                      wal;       /* st_ino 0: there was none */
    ntrip_kinds_t                    kinds;     /* of hashes, when it was
                                                   opened */
    char                             error[NGX_STREAM_NTRIP_SCHEMA_ERROR];
} ngx_stream_ntrip_schema_t;


/*
 * Opens the file for writing, in WAL mode, and brings an empty one, one of
 * cors-relay, or one of an older version to the schema, in one transaction:
 * who is killed in it leaves the file as it was.  What is made is 0600.
 *
 *   NGX_OK         "db" is open; "made" says what was done
 *   NGX_DECLINED   there is no such file
 *   NGX_BUSY       somebody else writes, try again
 *   NGX_ERROR      "error" tells why
 */
ngx_int_t ngx_stream_ntrip_schema_open(ngx_stream_ntrip_schema_t *schema);

/* notes which kinds of slow hashes the users of "db" have; SQLite's result */
int ngx_stream_ntrip_schema_kinds(sqlite3 *db, ntrip_kinds_t *kinds);

/* whether another file has its name by now, or none has */
ngx_uint_t ngx_stream_ntrip_schema_moved(ngx_stream_ntrip_schema_t *schema);

/*
 * Closes it, if it is open.  If another file has its name by now, or none has,
 * then its write-ahead log is brought in and removed: SQLite would play it
 * back into the new file.
 */
void ngx_stream_ntrip_schema_close(ngx_stream_ntrip_schema_t *schema);


/* schema/NAME.sql, compiled in by config */
extern const char  ntrip_sql_schema[];
extern const char  ntrip_sql_columns[];
extern const char  ntrip_sql_import[];
extern const char  ntrip_sql_pools[];
extern const char  ntrip_sql_stations[];
extern const char  ntrip_sql_tb_src[];


#endif /* _NGX_STREAM_NTRIP_SCHEMA_H_INCLUDED_ */
