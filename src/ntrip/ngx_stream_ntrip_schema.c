
/*
 * The database file: opened for writing, made, imported, checked.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_stream_ntrip_schema.h"


static ngx_int_t ngx_stream_ntrip_schema_file(const char *path,
    ngx_uint_t create, char *error);
static int ngx_stream_ntrip_schema_upgrade(sqlite3 *db, ngx_uint_t *made,
    char *error);
static int ngx_stream_ntrip_schema_version(sqlite3 *db, int *version);
static int ngx_stream_ntrip_schema_is_relay(sqlite3 *db, ngx_uint_t *found);
static int ngx_stream_ntrip_schema_number(sqlite3 *db, const char *sql,
    int *value);


ngx_int_t
ngx_stream_ntrip_schema_open(const char *path, ngx_uint_t create,
    sqlite3 **db, ngx_uint_t *made, char error[NGX_STREAM_NTRIP_SCHEMA_ERROR])
{
    int        rc;
    ngx_int_t  status;

    *db = NULL;
    *made = 0;
    error[0] = '\0';

    status = ngx_stream_ntrip_schema_file(path, create, error);

    if (status != NGX_OK) {
        return status;
    }

    rc = sqlite3_open_v2(path, db, SQLITE_OPEN_READWRITE|SQLITE_OPEN_NOMUTEX,
                         NULL);

    if (rc == SQLITE_OK) {
        sqlite3_busy_timeout(*db, NGX_STREAM_NTRIP_SCHEMA_BUSY);

        rc = sqlite3_exec(*db, "PRAGMA journal_mode = WAL;"
                               "PRAGMA synchronous = NORMAL;",
                          NULL, NULL, NULL);
    }

    if (rc == SQLITE_OK) {
        rc = ngx_stream_ntrip_schema_upgrade(*db, made, error);
    }

    if (rc == SQLITE_OK) {
        return NGX_OK;
    }

    if (error[0] == '\0') {
        snprintf(error, NGX_STREAM_NTRIP_SCHEMA_ERROR, "%s",
                 *db ? sqlite3_errmsg(*db) : sqlite3_errstr(rc));
    }

    /* also what could not be opened has to be closed */

    sqlite3_close(*db);
    *db = NULL;

    return (rc == SQLITE_BUSY || rc == SQLITE_LOCKED) ? NGX_BUSY : NGX_ERROR;
}


/*
 * A file that is there is never opened here: to close it again would drop the
 * locks that SQLite has on it in this process.
 */

static ngx_int_t
ngx_stream_ntrip_schema_file(const char *path, ngx_uint_t create, char *error)
{
    int          fd;
    struct stat  sb;

    if (stat(path, &sb) == 0) {
        return NGX_OK;
    }

    if (errno == ENOENT && !create) {
        return NGX_DECLINED;
    }

    fd = (errno == ENOENT) ? open(path, O_CREAT|O_EXCL|O_WRONLY|O_CLOEXEC, 0600)
                           : -1;

    if (fd == -1) {

        if (errno == EEXIST) {
            return NGX_OK;
        }

        snprintf(error, NGX_STREAM_NTRIP_SCHEMA_ERROR, "%s", strerror(errno));
        return NGX_ERROR;
    }

    (void) close(fd);

    return NGX_OK;
}


static int
ngx_stream_ntrip_schema_upgrade(sqlite3 *db, ngx_uint_t *made, char *error)
{
    int         rc, version;
    ngx_uint_t  relay;

    rc = ngx_stream_ntrip_schema_version(db, &version);

    if (rc != SQLITE_OK || version == NGX_STREAM_NTRIP_SCHEMA_VERSION) {
        return rc;
    }

    rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

    if (rc != SQLITE_OK) {
        return rc;
    }

    /* another worker may have been faster */

    rc = ngx_stream_ntrip_schema_version(db, &version);

    if (rc == SQLITE_OK && version == 0) {
        rc = ngx_stream_ntrip_schema_is_relay(db, &relay);

        if (rc == SQLITE_OK) {
            rc = sqlite3_exec(db, ntrip_sql_schema, NULL, NULL, NULL);
        }

        if (rc == SQLITE_OK && relay) {
            rc = sqlite3_exec(db, ntrip_sql_import, NULL, NULL, NULL);
        }

        *made = relay ? 2 : 1;

    } else if (rc == SQLITE_OK && version != NGX_STREAM_NTRIP_SCHEMA_VERSION) {
        snprintf(error, NGX_STREAM_NTRIP_SCHEMA_ERROR,
                 "its schema has version %d, this module knows version %d",
                 version, NGX_STREAM_NTRIP_SCHEMA_VERSION);
        rc = SQLITE_ERROR;
    }

    if (rc == SQLITE_OK) {
        rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    }

    if (rc == SQLITE_OK) {
        return SQLITE_OK;
    }

    if (error[0] == '\0') {
        snprintf(error, NGX_STREAM_NTRIP_SCHEMA_ERROR, "%s",
                 sqlite3_errmsg(db));
    }

    (void) sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    *made = 0;

    return rc;
}


static int
ngx_stream_ntrip_schema_version(sqlite3 *db, int *version)
{
    return ngx_stream_ntrip_schema_number(db, "PRAGMA user_version", version);
}


static int
ngx_stream_ntrip_schema_is_relay(sqlite3 *db, ngx_uint_t *found)
{
    int  rc, n;

    rc = ngx_stream_ntrip_schema_number(db,
             "SELECT count(*) FROM sqlite_master WHERE type = 'table'"
             " AND name IN ('tb_user', 'tb_src')", &n);

    *found = (n > 0);

    return rc;
}


static int
ngx_stream_ntrip_schema_number(sqlite3 *db, const char *sql, int *value)
{
    int            rc;
    sqlite3_stmt  *stmt;

    *value = 0;

    rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

    if (rc != SQLITE_OK) {
        return rc;
    }

    rc = sqlite3_step(stmt);

    if (rc == SQLITE_ROW) {
        *value = sqlite3_column_int(stmt, 0);
        rc = SQLITE_DONE;
    }

    (void) sqlite3_finalize(stmt);

    return (rc == SQLITE_DONE) ? SQLITE_OK : rc;
}
