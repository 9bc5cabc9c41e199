
/*
 * Fieldgate: the mirror's side of the file, in a thread.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_stream_ntrip_mirror.h"


static int ngx_stream_ntrip_mirrored_run(sqlite3 *db, const char *sql,
    const char *kind, const char *key, const char *row);
static void ngx_stream_ntrip_mirrored_text(char *to, sqlite3_stmt *stmt,
    int column);


/* of each kind: the row is there; it is there no more.  ":row" is the row as
   JSON.  A row that is equal is not written */

#define NGX_STREAM_NTRIP_MIRRORED_USER(row, from)                             \
    "INSERT INTO user (name, password, expires_at, max_sessions, mounts,"     \
    "  note, valid_from, area, quota_bytes, quota_seconds)"                   \
    " SELECT " row " ->> 'name', " row " ->> 'password',"                     \
    "  " row " ->> 'expires_at', " row " ->> 'max_sessions',"                 \
    "  " row " ->> 'mounts', " row " ->> 'note', " row " ->> 'valid_from',"   \
    "  " row " ->> 'area', " row " ->> 'quota_bytes',"                        \
    "  " row " ->> 'quota_seconds' " from                                     \
    " ON CONFLICT (name) DO UPDATE SET"                                       \
    "  password = excluded.password, expires_at = excluded.expires_at,"       \
    "  max_sessions = excluded.max_sessions, mounts = excluded.mounts,"       \
    "  note = excluded.note, valid_from = excluded.valid_from,"               \
    "  area = excluded.area, quota_bytes = excluded.quota_bytes,"             \
    "  quota_seconds = excluded.quota_seconds"                                \
    " WHERE (password, expires_at, max_sessions, mounts, note, valid_from,"   \
    "        area, quota_bytes, quota_seconds)"                               \
    "  IS NOT (excluded.password, excluded.expires_at,"                       \
    "          excluded.max_sessions, excluded.mounts, excluded.note,"        \
    "          excluded.valid_from, excluded.area, excluded.quota_bytes,"     \
    "          excluded.quota_seconds)"

static const char  ngx_stream_ntrip_mirrored_user[] =
    NGX_STREAM_NTRIP_MIRRORED_USER(":row", "WHERE true");

static const char  ngx_stream_ntrip_mirrored_user_gone[] =
    "DELETE FROM user WHERE name = :key";


/* another account may have had its host, port and name, and be on its way out;
   pools are taken away last, since one of them is in "source" */

static const char *ngx_stream_ntrip_mirrored_source[] = {

    "DELETE FROM source"
    " WHERE host = :row ->> 'host' AND port = :row ->> 'port'"
    "  AND name = :row ->> 'name' AND id <> :row ->> 'id'",

    "INSERT INTO source (id, pool, host, port, tls, name, password, expires_at,"
    "  note, ntrip)"
    " SELECT :row ->> 'id', :row ->> 'pool', :row ->> 'host', :row ->> 'port',"
    "  :row ->> 'tls', :row ->> 'name', :row ->> 'password',"
    "  :row ->> 'expires_at', :row ->> 'note', :row ->> 'ntrip' WHERE true"
    " ON CONFLICT (id) DO UPDATE SET"
    "  pool = excluded.pool, host = excluded.host, port = excluded.port,"
    "  tls = excluded.tls, name = excluded.name, password = excluded.password,"
    "  expires_at = excluded.expires_at, note = excluded.note,"
    "  ntrip = excluded.ntrip"
    " WHERE (pool, host, port, tls, name, password, expires_at, note, ntrip)"
    "  IS NOT (excluded.pool, excluded.host, excluded.port, excluded.tls,"
    "          excluded.name, excluded.password, excluded.expires_at,"
    "          excluded.note, excluded.ntrip)",

    "INSERT INTO pool (name, source)"
    " SELECT value, :key + 0 FROM json_each(:row -> 'pools')"
    " WHERE value NOT IN (SELECT name FROM pool WHERE source = :key + 0)",

    "DELETE FROM pool WHERE source = :key + 0"
    " AND name NOT IN (SELECT value FROM json_each(:row -> 'pools'))",

    NULL
};

static const char  ngx_stream_ntrip_mirrored_source_gone[] =
    "DELETE FROM source WHERE id = :key + 0";


static const char  ngx_stream_ntrip_mirrored_station[] =
    "INSERT INTO station (mount, password, str, name)"
    " SELECT :row ->> 'mount', :row ->> 'password', :row ->> 'str',"
    "  :row ->> 'name' WHERE true"
    " ON CONFLICT (mount) DO UPDATE SET"
    "  password = excluded.password, str = excluded.str, name = excluded.name"
    " WHERE (password, str, name)"
    "  IS NOT (excluded.password, excluded.str, excluded.name)";

static const char  ngx_stream_ntrip_mirrored_station_gone[] =
    "DELETE FROM station WHERE mount = :key";


static const char  ngx_stream_ntrip_mirrored_others[] =
    "DELETE FROM user WHERE name NOT IN"
    " (SELECT key FROM temp.copied WHERE kind = 'user');"
    "DELETE FROM source WHERE id NOT IN"
    " (SELECT key + 0 FROM temp.copied WHERE kind = 'source');"
    "DELETE FROM station WHERE mount NOT IN"
    " (SELECT key FROM temp.copied WHERE kind = 'station');"
    NGX_STREAM_NTRIP_MIRRORED_USER("row",
                                   "FROM temp.copied WHERE kind = 'user'");


int
ngx_stream_ntrip_mirrored_read(sqlite3 *db, ntrip_mirror_t *here)
{
    int            rc;
    sqlite3_stmt  *stmt;

    memset(here, 0, sizeof(ntrip_mirror_t));

    rc = sqlite3_exec(db, "CREATE TABLE IF NOT EXISTS mirror ("
                          "cluster TEXT NOT NULL, seq INTEGER NOT NULL,"
                          " mark TEXT NOT NULL)", NULL, NULL, NULL);

    if (rc != SQLITE_OK) {
        return rc;
    }

    rc = sqlite3_prepare_v2(db,
             "SELECT EXISTS (SELECT 1 FROM user)"
             " OR EXISTS (SELECT 1 FROM source)"
             " OR EXISTS (SELECT 1 FROM station), cluster, seq, mark"
             " FROM (SELECT 1) LEFT JOIN mirror LIMIT 1", -1, &stmt, NULL);

    if (rc != SQLITE_OK) {
        return rc;
    }

    if (sqlite3_step(stmt) == SQLITE_ROW) {
        here->rows = sqlite3_column_int(stmt, 0);
        here->seq = sqlite3_column_int64(stmt, 2);
        ngx_stream_ntrip_mirrored_text(here->cluster, stmt, 1);
        ngx_stream_ntrip_mirrored_text(here->mark, stmt, 3);
    }

    return sqlite3_finalize(stmt);
}


static void
ngx_stream_ntrip_mirrored_text(char *to, sqlite3_stmt *stmt, int column)
{
    const char  *text;

    text = (const char *) sqlite3_column_text(stmt, column);

    (void) ngx_cpystrn((u_char *) to, (u_char *) (text ? text : ""),
                       NTRIP_MIRROR_UUID);
}


int
ngx_stream_ntrip_mirrored_begin(sqlite3 *db, const ntrip_mirror_t *here)
{
    int             rc;
    ntrip_mirror_t  now;

    rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

    if (rc != SQLITE_OK) {
        return rc;
    }

    rc = ngx_stream_ntrip_mirrored_read(db, &now);

    if (rc == SQLITE_OK
        && (now.rows != here->rows || now.seq != here->seq
            || strcmp(now.cluster, here->cluster) != 0
            || strcmp(now.mark, here->mark) != 0))
    {
        rc = SQLITE_ABORT;
    }

    if (rc != SQLITE_OK) {
        (void) sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    }

    return rc;
}


int
ngx_stream_ntrip_mirrored_end(sqlite3 *db, const ntrip_mirror_t *next, int rc)
{
    char          seq[24];
    sqlite3_stmt *stmt;

    if (rc == SQLITE_OK) {
        rc = sqlite3_exec(db, "DELETE FROM mirror", NULL, NULL, NULL);
    }

    if (rc == SQLITE_OK) {
        rc = sqlite3_prepare_v2(db, "INSERT INTO mirror (cluster, seq, mark)"
                                    " VALUES (?, ?, ?)", -1, &stmt, NULL);
    }

    if (rc == SQLITE_OK) {
        (void) snprintf(seq, sizeof(seq), "%lld", (long long) next->seq);
        (void) sqlite3_bind_text(stmt, 1, next->cluster, -1, SQLITE_STATIC);
        (void) sqlite3_bind_text(stmt, 2, seq, -1, SQLITE_STATIC);
        (void) sqlite3_bind_text(stmt, 3, next->mark, -1, SQLITE_STATIC);
        (void) sqlite3_step(stmt);

        rc = sqlite3_finalize(stmt);
    }

    if (rc == SQLITE_OK) {
        rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    }

    if (rc != SQLITE_OK) {
        (void) sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    }

    return rc;
}


int
ngx_stream_ntrip_mirrored_row(sqlite3 *db, const char *kind, const char *key,
    const char *row)
{
    int          i, rc;
    const char  *sql;

    if (strcmp(kind, "user") == 0) {
        sql = row ? ngx_stream_ntrip_mirrored_user
                  : ngx_stream_ntrip_mirrored_user_gone;

    } else if (strcmp(kind, "station") == 0) {
        sql = row ? ngx_stream_ntrip_mirrored_station
                  : ngx_stream_ntrip_mirrored_station_gone;

    } else if (strcmp(kind, "source") != 0) {
        return SQLITE_OK;

    } else if (row == NULL) {
        sql = ngx_stream_ntrip_mirrored_source_gone;

    } else {
        rc = SQLITE_OK;

        for (i = 0; rc == SQLITE_OK && ngx_stream_ntrip_mirrored_source[i];
             i++)
        {
            rc = ngx_stream_ntrip_mirrored_run(db,
                     ngx_stream_ntrip_mirrored_source[i], kind, key, row);
        }

        return rc;
    }

    return ngx_stream_ntrip_mirrored_run(db, sql, kind, key, row);
}


static int
ngx_stream_ntrip_mirrored_run(sqlite3 *db, const char *sql, const char *kind,
    const char *key, const char *row)
{
    int            i, rc;
    sqlite3_stmt  *stmt;

    struct {
        const char  *name;
        const char  *value;
    } params[] = {
        { ":kind", kind }, { ":key", key }, { ":row", row }
    };

    rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

    if (rc != SQLITE_OK) {
        return rc;
    }

    for (i = 0; i < 3; i++) {

        /* what the statement does not have is number 0, and no error of its */

        (void) sqlite3_bind_text(stmt,
                                 sqlite3_bind_parameter_index(stmt,
                                                              params[i].name),
                                 params[i].value, -1, SQLITE_STATIC);
    }

    (void) sqlite3_step(stmt);

    return sqlite3_finalize(stmt);
}


/* the transaction is one of the temporary database alone: others may write */

int
ngx_stream_ntrip_mirrored_copy(sqlite3 *db)
{
    return sqlite3_exec(db, "DROP TABLE IF EXISTS temp.copied;"
                            "CREATE TEMP TABLE copied (kind TEXT, key TEXT,"
                            " row TEXT, PRIMARY KEY (kind, key))"
                            " WITHOUT ROWID;"
                            "BEGIN", NULL, NULL, NULL);
}


int
ngx_stream_ntrip_mirrored_whole(sqlite3 *db)
{
    return sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
}


int
ngx_stream_ntrip_mirrored_aside(sqlite3 *db, const char *kind,
    const char *key, const char *row)
{
    return ngx_stream_ntrip_mirrored_run(db,
               "INSERT OR REPLACE INTO temp.copied (kind, key, row)"
               " VALUES (:kind, :key, :row)", kind, key, row);
}


int
ngx_stream_ntrip_mirrored_replace(sqlite3 *db)
{
    int            rc;
    sqlite3_stmt  *stmt;

    rc = sqlite3_exec(db, ngx_stream_ntrip_mirrored_others, NULL, NULL, NULL);

    if (rc != SQLITE_OK) {
        return rc;
    }

    /* of users, of which there may be many, one statement has taken care */

    rc = sqlite3_prepare_v2(db, "SELECT kind, key, row FROM temp.copied"
                                " WHERE kind <> 'user'", -1, &stmt, NULL);

    while (rc == SQLITE_OK && sqlite3_step(stmt) == SQLITE_ROW) {
        rc = ngx_stream_ntrip_mirrored_row(db,
                 (const char *) sqlite3_column_text(stmt, 0),
                 (const char *) sqlite3_column_text(stmt, 1),
                 (const char *) sqlite3_column_text(stmt, 2));
    }

    if (rc != SQLITE_OK) {
        (void) sqlite3_finalize(stmt);
        return rc;
    }

    return sqlite3_finalize(stmt);
}


void
ngx_stream_ntrip_mirrored_forget(sqlite3 *db)
{
    if (!sqlite3_get_autocommit(db)) {
        (void) sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    }

    (void) sqlite3_exec(db, "DROP TABLE IF EXISTS temp.copied", NULL, NULL,
                        NULL);
}
