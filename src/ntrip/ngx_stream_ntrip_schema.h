
/*
 * The database file: opened for writing, made, imported, checked.  Runs in
 * the thread pool, and so knows nothing of nginx but its types.
 */


#ifndef _NGX_STREAM_NTRIP_SCHEMA_H_INCLUDED_
#define _NGX_STREAM_NTRIP_SCHEMA_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <sqlite3.h>


/* PRAGMA user_version of what schema/schema.sql makes */
#define NGX_STREAM_NTRIP_SCHEMA_VERSION  1

/* how long a write waits for another writer, in a thread */
#define NGX_STREAM_NTRIP_SCHEMA_BUSY     2000

#define NGX_STREAM_NTRIP_SCHEMA_ERROR    256


/*
 * Opens "path" (with a 0 behind it) for writing, in WAL mode, and brings an
 * empty file, or one of cors-relay, to the schema, in one transaction: who is
 * killed in it leaves the file as it was.  With "create" a missing file is
 * made, 0600.
 *
 *   NGX_OK         *db is open; *made says what was done: 0 nothing, 1 the
 *                  tables, 2 and an import
 *   NGX_DECLINED   there is no such file
 *   NGX_BUSY       somebody else writes, try again
 *   NGX_ERROR      error tells why
 */
ngx_int_t ngx_stream_ntrip_schema_open(const char *path, ngx_uint_t create,
    sqlite3 **db, ngx_uint_t *made,
    char error[NGX_STREAM_NTRIP_SCHEMA_ERROR]);


/* schema/schema.sql and schema/import.sql, compiled in by config */
extern const char  ntrip_sql_schema[];
extern const char  ntrip_sql_import[];


#endif /* _NGX_STREAM_NTRIP_SCHEMA_H_INCLUDED_ */
