
/*
 * The database file: opened for writing, made, imported, checked.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_stream_ntrip_schema.h"


/* DATABASE.lease: byte 0 is no account's */
#define NGX_STREAM_NTRIP_SCHEMA_LOCK  ".lease"

/* room for the longest name of a file that belongs to the database */
#define NGX_STREAM_NTRIP_SCHEMA_NAME  (NGX_MAX_PATH + sizeof(".lease"))


static ngx_int_t ngx_stream_ntrip_schema_file(
    ngx_stream_ntrip_schema_t *schema);
static int ngx_stream_ntrip_schema_upgrade(ngx_stream_ntrip_schema_t *schema);
static int ngx_stream_ntrip_schema_tables(ngx_stream_ntrip_schema_t *schema);
static int ngx_stream_ntrip_schema_make(ngx_stream_ntrip_schema_t *schema);
static int ngx_stream_ntrip_schema_convert(ngx_stream_ntrip_schema_t *schema,
    int version);
static int ngx_stream_ntrip_schema_check(ngx_stream_ntrip_schema_t *schema);
static int ngx_stream_ntrip_schema_number(sqlite3 *db, const char *sql,
    int *value);
static void ngx_stream_ntrip_schema_remember(
    ngx_stream_ntrip_schema_t *schema);
static void ngx_stream_ntrip_schema_forget(ngx_stream_ntrip_schema_t *schema);
static void ngx_stream_ntrip_schema_name(char *name, const char *path,
    const char *suffix);


ngx_int_t
ngx_stream_ntrip_schema_open(ngx_stream_ntrip_schema_t *schema)
{
    int        rc;
    ngx_int_t  status;

    schema->made = NGX_STREAM_NTRIP_SCHEMA_FOUND;
    schema->error[0] = '\0';

    status = ngx_stream_ntrip_schema_file(schema);

    if (status != NGX_OK) {
        return status;
    }

    rc = sqlite3_open_v2(schema->path, &schema->db,
                         SQLITE_OPEN_READWRITE|SQLITE_OPEN_NOMUTEX, NULL);

    if (rc == SQLITE_OK) {
        sqlite3_busy_timeout(schema->db, NGX_STREAM_NTRIP_SCHEMA_BUSY);

        rc = sqlite3_exec(schema->db, "PRAGMA journal_mode = WAL;"
                                      "PRAGMA synchronous = NORMAL;",
                          NULL, NULL, NULL);
    }

    if (rc == SQLITE_OK && schema->check) {
        rc = ngx_stream_ntrip_schema_check(schema);
    }

    if (rc == SQLITE_OK) {
        rc = ngx_stream_ntrip_schema_upgrade(schema);
    }

    if (rc == SQLITE_OK) {
        rc = ngx_stream_ntrip_schema_kinds(schema->db, &schema->kinds);
    }

    if (rc == SQLITE_OK) {
        ngx_stream_ntrip_schema_remember(schema);
        return NGX_OK;
    }

    if (schema->error[0] == '\0') {
        snprintf(schema->error, NGX_STREAM_NTRIP_SCHEMA_ERROR, "%s",
                 schema->db ? sqlite3_errmsg(schema->db)
                            : sqlite3_errstr(rc));
    }

    /* also what could not be opened has to be closed */

    (void) sqlite3_close(schema->db);
    schema->db = NULL;

    switch (rc & 0xff) {

    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return NGX_BUSY;

    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        schema->check = 1;

        /* fall through */

    default:
        return NGX_ERROR;
    }
}


ngx_uint_t
ngx_stream_ntrip_schema_moved(ngx_stream_ntrip_schema_t *schema)
{
    struct stat  sb;

    return stat(schema->path, &sb) == -1
           || sb.st_dev != schema->file.st_dev
           || sb.st_ino != schema->file.st_ino;
}


void
ngx_stream_ntrip_schema_close(ngx_stream_ntrip_schema_t *schema)
{
    if (schema->db == NULL) {
        return;
    }

    if (ngx_stream_ntrip_schema_moved(schema)) {
        ngx_stream_ntrip_schema_forget(schema);
    }

    (void) sqlite3_close(schema->db);
    schema->db = NULL;
}


/*
 * A file that is there is never opened here: to close it again would drop the
 * locks that SQLite has on it in this process.
 */

static ngx_int_t
ngx_stream_ntrip_schema_file(ngx_stream_ntrip_schema_t *schema)
{
    int          fd;
    struct stat  sb;

    if (stat(schema->path, &sb) == 0) {
        return NGX_OK;
    }

    if (errno == ENOENT && !schema->create) {
        return NGX_DECLINED;
    }

    fd = (errno == ENOENT) ? open(schema->path,
                                  O_CREAT|O_EXCL|O_WRONLY|O_CLOEXEC, 0600)
                           : -1;

    if (fd == -1) {

        if (errno == EEXIST) {
            return NGX_OK;
        }

        snprintf(schema->error, NGX_STREAM_NTRIP_SCHEMA_ERROR, "%s",
                 strerror(errno));
        return NGX_ERROR;
    }

    (void) close(fd);

    return NGX_OK;
}


static int
ngx_stream_ntrip_schema_upgrade(ngx_stream_ntrip_schema_t *schema)
{
    int       rc, version;
    sqlite3  *db;

    db = schema->db;

    rc = ngx_stream_ntrip_schema_number(db, "PRAGMA user_version", &version);

    if (rc != SQLITE_OK || version == NGX_STREAM_NTRIP_SCHEMA_VERSION) {
        return rc;
    }

    rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

    if (rc != SQLITE_OK) {
        return rc;
    }

    rc = ngx_stream_ntrip_schema_tables(schema);

    if (rc == SQLITE_OK) {
        rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    }

    if (rc == SQLITE_OK) {
        return SQLITE_OK;
    }

    if (schema->error[0] == '\0') {
        snprintf(schema->error, NGX_STREAM_NTRIP_SCHEMA_ERROR, "%s",
                 sqlite3_errmsg(db));
    }

    (void) sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    schema->made = NGX_STREAM_NTRIP_SCHEMA_FOUND;

    return rc;
}


/* within the transaction: another worker may have been faster */

static int
ngx_stream_ntrip_schema_tables(ngx_stream_ntrip_schema_t *schema)
{
    int  rc, version;

    rc = ngx_stream_ntrip_schema_number(schema->db, "PRAGMA user_version",
                                        &version);

    if (rc != SQLITE_OK) {
        return rc;
    }

    switch (version) {

    case NGX_STREAM_NTRIP_SCHEMA_VERSION:
        return SQLITE_OK;

    case 0:
        return ngx_stream_ntrip_schema_make(schema);

    case 1:
    case 2:
    case 3:
    case 4:
        return ngx_stream_ntrip_schema_convert(schema, version);

    default:
        snprintf(schema->error, NGX_STREAM_NTRIP_SCHEMA_ERROR,
                 "its schema has version %d, this module knows version %d",
                 version, NGX_STREAM_NTRIP_SCHEMA_VERSION);
        return SQLITE_ERROR;
    }
}


static int
ngx_stream_ntrip_schema_make(ngx_stream_ntrip_schema_t *schema)
{
    int       rc, relay;
    sqlite3  *db;

    db = schema->db;

    rc = ngx_stream_ntrip_schema_number(db,
             "SELECT count(*) FROM sqlite_master WHERE type = 'table'"
             " AND name IN ('tb_user', 'tb_src')", &relay);

    if (rc == SQLITE_OK) {
        rc = sqlite3_exec(db, ntrip_sql_schema, NULL, NULL, NULL);
    }

    if (rc == SQLITE_OK && relay) {
        rc = sqlite3_exec(db, ntrip_sql_import, NULL, NULL, NULL);

        if (rc == SQLITE_OK) {
            rc = sqlite3_exec(db, ntrip_sql_tb_src, NULL, NULL, NULL);
        }
    }

    schema->made = relay ? NGX_STREAM_NTRIP_SCHEMA_IMPORTED
                         : NGX_STREAM_NTRIP_SCHEMA_CREATED;

    return rc;
}


/* from an older version */

static int
ngx_stream_ntrip_schema_convert(ngx_stream_ntrip_schema_t *schema, int version)
{
    int       rc, view;
    sqlite3  *db;

    db = schema->db;

    rc = ngx_stream_ntrip_schema_number(db,
             "SELECT count(*) FROM sqlite_master WHERE type = 'view'"
             " AND name = 'tb_src'", &view);

    if (rc == SQLITE_OK) {
        rc = sqlite3_exec(db, ntrip_sql_schema, NULL, NULL, NULL);
    }

    if (rc == SQLITE_OK && version < 3) {
        rc = sqlite3_exec(db, ntrip_sql_columns, NULL, NULL, NULL);
    }

    if (rc == SQLITE_OK && version < 4) {
        rc = sqlite3_exec(db, ntrip_sql_stations, NULL, NULL, NULL);
    }

    /* of version 1 */

    if (rc == SQLITE_OK && version == 1) {
        rc = sqlite3_exec(db, ntrip_sql_pools, NULL, NULL, NULL);
    }

    if (rc == SQLITE_OK && version == 1 && view) {
        rc = sqlite3_exec(db, ntrip_sql_tb_src, NULL, NULL, NULL);
    }

    schema->made = NGX_STREAM_NTRIP_SCHEMA_UPGRADED;

    return rc;
}


static int
ngx_stream_ntrip_schema_check(ngx_stream_ntrip_schema_t *schema)
{
    int            rc;
    const char    *result;
    sqlite3_stmt  *stmt;

    rc = sqlite3_prepare_v2(schema->db, "PRAGMA quick_check(1)", -1, &stmt,
                            NULL);

    if (rc != SQLITE_OK) {
        return rc;
    }

    rc = sqlite3_step(stmt);

    if (rc == SQLITE_ROW) {
        result = (const char *) sqlite3_column_text(stmt, 0);
        rc = (result && strcmp(result, "ok") == 0) ? SQLITE_OK
                                                   : SQLITE_CORRUPT;
    }

    (void) sqlite3_finalize(stmt);

    if (rc == SQLITE_CORRUPT) {
        snprintf(schema->error, NGX_STREAM_NTRIP_SCHEMA_ERROR, "%s",
                 sqlite3_errstr(rc));
    }

    return rc;
}


int
ngx_stream_ntrip_schema_kinds(sqlite3 *db, ntrip_kinds_t *kinds)
{
    int            rc;
    ngx_str_t      stored;
    sqlite3_stmt  *stmt;

    rc = sqlite3_prepare_v2(db, "SELECT password FROM user WHERE"
                                " password GLOB '[${]*'", -1, &stmt, NULL);

    if (rc != SQLITE_OK) {
        return rc;
    }

    while (sqlite3_step(stmt) == SQLITE_ROW) {
        stored.data = (u_char *) sqlite3_column_text(stmt, 0);
        stored.len = sqlite3_column_bytes(stmt, 0);

        ntrip_kinds_add(kinds, &stored);
    }

    return sqlite3_finalize(stmt);
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


/* after something was read: SQLite has its log open by now, so that the inode
   is not used again for another one */

static void
ngx_stream_ntrip_schema_remember(ngx_stream_ntrip_schema_t *schema)
{
    char  name[NGX_STREAM_NTRIP_SCHEMA_NAME];

    ngx_stream_ntrip_schema_name(name, schema->path, "-wal");

    if (stat(schema->path, &schema->file) == -1) {
        schema->file.st_ino = 0;
    }

    if (stat(name, &schema->wal) == -1) {
        schema->wal.st_ino = 0;
    }
}


/*
 * Under a lock: between a look and a removal another worker may have opened
 * the new file, whose log would be removed.
 */

static void
ngx_stream_ntrip_schema_forget(ngx_stream_ntrip_schema_t *schema)
{
    int           fd;
    char          name[NGX_STREAM_NTRIP_SCHEMA_NAME];
    struct stat   sb;
    struct flock  lock;

    ngx_stream_ntrip_schema_name(name, schema->path,
                                 NGX_STREAM_NTRIP_SCHEMA_LOCK);

    fd = open(name, O_CREAT|O_RDWR|O_NOFOLLOW|O_NONBLOCK|O_CLOEXEC, 0600);

    if (fd == -1) {
        return;
    }

    memset(&lock, 0, sizeof(struct flock));
    lock.l_type = F_WRLCK;
    lock.l_whence = SEEK_SET;
    lock.l_len = 1;

    if (fcntl(fd, F_OFD_SETLKW, &lock) == -1) {
        (void) close(fd);
        return;
    }

    ngx_stream_ntrip_schema_name(name, schema->path, "-wal");

    if (schema->wal.st_ino && stat(name, &sb) == 0
        && sb.st_dev == schema->wal.st_dev
        && sb.st_ino == schema->wal.st_ino)
    {
        /* the old file may come back, and should have all of it */

        (void) sqlite3_wal_checkpoint_v2(schema->db, NULL,
                                         SQLITE_CHECKPOINT_FULL, NULL, NULL);
        (void) unlink(name);

        ngx_stream_ntrip_schema_name(name, schema->path, "-shm");
        (void) unlink(name);
    }

    (void) close(fd);
}


static void
ngx_stream_ntrip_schema_name(char *name, const char *path, const char *suffix)
{
    snprintf(name, NGX_STREAM_NTRIP_SCHEMA_NAME, "%s%s", path, suffix);
}
