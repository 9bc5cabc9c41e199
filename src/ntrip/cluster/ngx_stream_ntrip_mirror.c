
/*
 * Fieldgate: the mirror of PostgreSQL in the file, in a thread.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_stream_ntrip_mirror.h"


/* rows of an answer */
#define NGX_STREAM_NTRIP_MIRROR_PAGE  "2000"

/* another one may be faster so often in a row */
#define NGX_STREAM_NTRIP_MIRROR_TRIES  4

/* pages that a turn reads of what was changed since it began */
#define NGX_STREAM_NTRIP_MIRROR_PAGES  64


static ngx_int_t ngx_stream_ntrip_mirror_step(ngx_stream_ntrip_mirror_t *m,
    sqlite3 *db);
static ngx_int_t ngx_stream_ntrip_mirror_look(ngx_stream_ntrip_mirror_t *m,
    ntrip_mirror_t *here, ntrip_mirror_there_t *there);
static ngx_int_t ngx_stream_ntrip_mirror_version(ngx_stream_ntrip_mirror_t *m,
    PGresult *result, ntrip_mirror_there_t *there);
static ngx_int_t ngx_stream_ntrip_mirror_read(ngx_stream_ntrip_mirror_t *m,
    sqlite3 *db, ntrip_mirror_t *here);
static int ngx_stream_ntrip_mirror_rows(sqlite3 *db, PGresult *result,
    ntrip_mirror_t *next);
static ngx_int_t ngx_stream_ntrip_mirror_copy(ngx_stream_ntrip_mirror_t *m,
    sqlite3 *db, ntrip_mirror_t *here, ntrip_mirror_there_t *there);
static ngx_int_t ngx_stream_ntrip_mirror_table(ngx_stream_ntrip_mirror_t *m,
    sqlite3 *db, const char *kind, const char *first, const char *sql);
static ngx_int_t ngx_stream_ntrip_mirror_error(ngx_stream_ntrip_mirror_t *m,
    const char *error);
static ngx_int_t ngx_stream_ntrip_mirror_file(ngx_stream_ntrip_mirror_t *m,
    const char *error);
static void ngx_stream_ntrip_mirror_value(char *to, PGresult *result,
    int column);


/* an account with the names of its pools */

#define NGX_STREAM_NTRIP_MIRROR_SOURCE                                        \
    "(SELECT *, (SELECT coalesce(json_agg(p.name), '[]') FROM pool AS p"      \
    " WHERE p.source = source.id) AS pools FROM source)"


static const char  ngx_stream_ntrip_mirror_changes[] =
    "SELECT c.seq, c.mark, c.kind, c.key, CASE c.kind"
    " WHEN 'user' THEN (SELECT row_to_json(u) FROM \"user\" AS u"
    "  WHERE u.name = c.key)"
    " WHEN 'source' THEN (SELECT row_to_json(s) FROM "
       NGX_STREAM_NTRIP_MIRROR_SOURCE " AS s WHERE s.id = c.key::bigint)"
    " WHEN 'station' THEN (SELECT row_to_json(t) FROM station AS t"
    "  WHERE t.mount = c.key) END"
    " FROM change AS c WHERE c.seq > $1::bigint"
    " ORDER BY c.seq LIMIT " NGX_STREAM_NTRIP_MIRROR_PAGE;

static const char  ngx_stream_ntrip_mirror_place[] =
    "SELECT coalesce(max(seq), 0),"
    " coalesce((SELECT mark::text FROM change ORDER BY seq DESC LIMIT 1), '-')"
    " FROM change";


ngx_int_t
ngx_stream_ntrip_mirror_turn(ngx_stream_ntrip_mirror_t *m)
{
    sqlite3     *db;
    ngx_int_t    rc;
    ngx_uint_t   tries;

    m->file = NULL;
    m->goal = -1;
    m->pages = NGX_STREAM_NTRIP_MIRROR_PAGES;

    db = ngx_stream_ntrip_store_attach(&m->attached, m->path);

    if (db == NULL) {
        return ngx_stream_ntrip_mirror_file(m, m->attached.error);
    }

    tries = NGX_STREAM_NTRIP_MIRROR_TRIES;

    do {
        rc = ngx_stream_ntrip_mirror_step(m, db);

        if (rc == NGX_BUSY) {
            tries--;
        }

    } while (rc == NGX_AGAIN || (rc == NGX_BUSY && tries));

    return (rc == NGX_BUSY)
           ? ngx_stream_ntrip_mirror_file(m, "another process writes to it")
           : rc;
}


ngx_int_t
ngx_stream_ntrip_mirror_known(ngx_stream_ntrip_mirror_t *m)
{
    ngx_int_t             rc;
    ntrip_mirror_t        here;
    ntrip_mirror_there_t  there;

    ngx_memzero(&here, sizeof(ntrip_mirror_t));
    m->file = NULL;

    do {
        rc = ngx_stream_ntrip_mirror_look(m, &here, &there);
    } while (rc == NGX_AGAIN);

    return rc;
}


/* NGX_OK; NGX_AGAIN: there is more; NGX_BUSY: another one was faster;
   NGX_ERROR */

static ngx_int_t
ngx_stream_ntrip_mirror_step(ngx_stream_ntrip_mirror_t *m, sqlite3 *db)
{
    ngx_int_t             rc;
    ntrip_mirror_e        next;
    ntrip_mirror_t        here;
    ntrip_mirror_there_t  there;

    if (ngx_stream_ntrip_mirrored_read(db, &here) != SQLITE_OK) {
        return ngx_stream_ntrip_mirror_file(m, sqlite3_errmsg(db));
    }

    rc = ngx_stream_ntrip_mirror_look(m, &here, &there);

    if (rc != NGX_OK) {
        return rc;
    }

    if (m->goal == -1) {
        m->goal = there.last;
    }

    next = ntrip_mirror_next(&here, &there);

    /* somebody may go on changing rows for as long as he likes */

    if (next <= NTRIP_MIRROR_READ && here.seq >= m->goal && m->pages-- == 0) {
        m->seq = here.seq;
        return NGX_OK;
    }

    switch (next) {

    case NTRIP_MIRROR_CURRENT:
        m->seq = here.seq;

        /* a notice that was read with an answer is not seen by whoever watches
           the socket */

        return ngx_stream_ntrip_pg_notified(&m->pg) ? NGX_AGAIN : NGX_OK;

    case NTRIP_MIRROR_READ:
        rc = ngx_stream_ntrip_mirror_read(m, db, &here);

        if (rc != NGX_DECLINED) {
            return rc;
        }

        /* fall through */

    case NTRIP_MIRROR_COPY:

        if (!m->copy) {
            return ngx_stream_ntrip_mirror_file(m, "it has to be copied");
        }

        return ngx_stream_ntrip_mirror_copy(m, db, &here, &there);

    case NTRIP_MIRROR_OWN:
        return ngx_stream_ntrip_mirror_file(m, "it has users, accounts or "
                                "stations which are not the cluster's");

    default: /* NTRIP_MIRROR_OTHER */
        return ngx_stream_ntrip_mirror_file(m, "it is another cluster's");
    }
}


static ngx_int_t
ngx_stream_ntrip_mirror_look(ngx_stream_ntrip_mirror_t *m,
    ntrip_mirror_t *here, ntrip_mirror_there_t *there)
{
    char         seq[24];
    PGresult    *result;
    ngx_int_t    rc;
    const char  *values[1];

    (void) snprintf(seq, sizeof(seq), "%lld", (long long) here->seq);
    values[0] = seq;

    result = ngx_stream_ntrip_pg_ask(&m->pg,
                 "SELECT version, cluster,"
                 " coalesce((SELECT max(seq) FROM change), 0),"
                 " coalesce((SELECT mark::text FROM change"
                 " WHERE seq = $1::bigint), '') FROM fieldgate",
                 1, values);

    if (result && strcmp(ngx_stream_ntrip_pg_state(result), "42P01") == 0) {

        /* there is no such table */

        PQclear(result);
        result = ngx_stream_ntrip_pg_rows(&m->pg, ntrip_sql_cluster, -1, NULL);

        if (result == NULL) {
            return ngx_stream_ntrip_mirror_error(m, m->pg.error);
        }

        /* what comes last is the row of "fieldgate": of those who find no
           table at the same time, one adds it */

        m->made = (atoi(PQcmdTuples(result)) == 1);
        PQclear(result);

        return NGX_AGAIN;
    }

    if (result && PQresultStatus(result) != PGRES_TUPLES_OK) {
        ngx_stream_ntrip_pg_failed(&m->pg, result);
        PQclear(result);
        result = NULL;
    }

    if (result == NULL) {
        return ngx_stream_ntrip_mirror_error(m, m->pg.error);
    }

    rc = ngx_stream_ntrip_mirror_version(m, result, there);

    PQclear(result);

    /* a poll each second makes up for notices that are lost, or cannot be had
       where transactions are pooled */

    if (rc == NGX_OK && !m->pg.listening) {
        m->pg.listening = 1;

        result = ngx_stream_ntrip_pg_ask(&m->pg, "LISTEN fieldgate", 0, NULL);
        PQclear(result);

        if (result == NULL) {
            return ngx_stream_ntrip_mirror_error(m, m->pg.error);
        }
    }

    return rc;
}


static ngx_int_t
ngx_stream_ntrip_mirror_version(ngx_stream_ntrip_mirror_t *m,
    PGresult *result, ntrip_mirror_there_t *there)
{
    char  error[NGX_STREAM_NTRIP_PG_ERROR];

    if (PQntuples(result) != 1) {
        return ngx_stream_ntrip_mirror_error(m, "its table \"fieldgate\" "
                                                "has no row");
    }

    if (atoi(PQgetvalue(result, 0, 0)) != NGX_STREAM_NTRIP_CLUSTER_VERSION) {
        (void) snprintf(error, sizeof(error), "its schema has version %.10s, "
                        "this module knows version %d",
                        PQgetvalue(result, 0, 0),
                        NGX_STREAM_NTRIP_CLUSTER_VERSION);

        /* nothing of it is to be written */

        ngx_stream_ntrip_pg_close(&m->pg);

        return ngx_stream_ntrip_mirror_error(m, error);
    }

    ngx_stream_ntrip_mirror_value(there->cluster, result, 1);
    there->last = strtoll(PQgetvalue(result, 0, 2), NULL, 10);
    ngx_stream_ntrip_mirror_value(there->mark, result, 3);

    return NGX_OK;
}


static void
ngx_stream_ntrip_mirror_value(char *to, PGresult *result, int column)
{
    (void) ngx_cpystrn((u_char *) to,
                       (u_char *) PQgetvalue(result, 0, column),
                       NTRIP_MIRROR_UUID);
}


/* a page of changes; NGX_DECLINED: there is a gap */

static ngx_int_t
ngx_stream_ntrip_mirror_read(ngx_stream_ntrip_mirror_t *m, sqlite3 *db,
    ntrip_mirror_t *here)
{
    int              rc, i;
    char             seq[24];
    int64_t          last;
    PGresult        *result;
    const char      *values[1];
    ntrip_mirror_t   next;

    (void) snprintf(seq, sizeof(seq), "%lld", (long long) here->seq);
    values[0] = seq;

    result = ngx_stream_ntrip_pg_rows(&m->pg, ngx_stream_ntrip_mirror_changes,
                                      1, values);
    if (result == NULL) {
        return ngx_stream_ntrip_mirror_error(m, m->pg.error);
    }

    last = here->seq;

    for (i = 0; i < PQntuples(result); i++) {

        if (!ntrip_mirror_follows(last,
                                  strtoll(PQgetvalue(result, i, 0), NULL, 10),
                                  PQgetvalue(result, i, 2)))
        {
            PQclear(result);
            return NGX_DECLINED;
        }

        last++;
    }

    next = *here;

    rc = ngx_stream_ntrip_mirrored_begin(db, here);

    if (rc == SQLITE_OK) {
        rc = ngx_stream_ntrip_mirror_rows(db, result, &next);
        rc = ngx_stream_ntrip_mirrored_end(db, &next, rc);
    }

    PQclear(result);

    if (rc == SQLITE_OK) {
        return NGX_AGAIN;
    }

    return (rc == SQLITE_ABORT)
           ? NGX_BUSY : ngx_stream_ntrip_mirror_file(m, sqlite3_errstr(rc));
}


static int
ngx_stream_ntrip_mirror_rows(sqlite3 *db, PGresult *result,
    ntrip_mirror_t *next)
{
    int  i, rc;

    rc = SQLITE_OK;

    for (i = 0; rc == SQLITE_OK && i < PQntuples(result); i++) {
        rc = ngx_stream_ntrip_mirrored_row(db, PQgetvalue(result, i, 2),
                                           PQgetvalue(result, i, 3),
                                           PQgetisnull(result, i, 4)
                                           ? NULL : PQgetvalue(result, i, 4));

        next->seq = strtoll(PQgetvalue(result, i, 0), NULL, 10);
        (void) ngx_cpystrn((u_char *) next->mark,
                           (u_char *) PQgetvalue(result, i, 1),
                           NTRIP_MIRROR_UUID);
    }

    return rc;
}


static ngx_int_t
ngx_stream_ntrip_mirror_copy(ngx_stream_ntrip_mirror_t *m, sqlite3 *db,
    ntrip_mirror_t *here, ntrip_mirror_there_t *there)
{
    int              rc;
    PGresult        *result;
    ntrip_mirror_t   next;

    /* first the place: what changes meanwhile is read twice */

    result = ngx_stream_ntrip_pg_rows(&m->pg, ngx_stream_ntrip_mirror_place, 0,
                                      NULL);
    if (result == NULL) {
        return ngx_stream_ntrip_mirror_error(m, m->pg.error);
    }

    next = *here;
    next.seq = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
    (void) strcpy(next.cluster, there->cluster);
    ngx_stream_ntrip_mirror_value(next.mark, result, 1);
    PQclear(result);

    if (ngx_stream_ntrip_mirrored_copy(db) != SQLITE_OK) {
        return ngx_stream_ntrip_mirror_file(m, sqlite3_errmsg(db));
    }

    m->copied = 0;

    if (ngx_stream_ntrip_mirror_table(m, db, "user", "",
            "SELECT name, row_to_json(u) FROM \"user\" AS u"
            " WHERE name > $1 ORDER BY name"
            " LIMIT " NGX_STREAM_NTRIP_MIRROR_PAGE)
        != NGX_OK
        || ngx_stream_ntrip_mirror_table(m, db, "source", "0",
               "SELECT id, row_to_json(s) FROM " NGX_STREAM_NTRIP_MIRROR_SOURCE
               " AS s WHERE id > $1::bigint ORDER BY id"
               " LIMIT " NGX_STREAM_NTRIP_MIRROR_PAGE)
           != NGX_OK
        || ngx_stream_ntrip_mirror_table(m, db, "station", "",
               "SELECT mount, row_to_json(t) FROM station AS t"
               " WHERE mount > $1 ORDER BY mount"
               " LIMIT " NGX_STREAM_NTRIP_MIRROR_PAGE)
           != NGX_OK)
    {
        m->copied = -1;
        ngx_stream_ntrip_mirrored_forget(db);
        return NGX_ERROR;
    }

    rc = ngx_stream_ntrip_mirrored_whole(db);

    if (rc == SQLITE_OK) {
        rc = ngx_stream_ntrip_mirrored_begin(db, here);
    }

    if (rc == SQLITE_OK) {
        rc = ngx_stream_ntrip_mirrored_replace(db);
        rc = ngx_stream_ntrip_mirrored_end(db, &next, rc);
    }

    ngx_stream_ntrip_mirrored_forget(db);

    if (rc == SQLITE_OK) {
        return NGX_AGAIN;
    }

    m->copied = -1;

    return (rc == SQLITE_ABORT)
           ? NGX_BUSY : ngx_stream_ntrip_mirror_file(m, sqlite3_errstr(rc));
}


/* puts all rows of a table aside, page by page, from behind a key on */

static ngx_int_t
ngx_stream_ntrip_mirror_table(ngx_stream_ntrip_mirror_t *m, sqlite3 *db,
    const char *kind, const char *first, const char *sql)
{
    int          i, n, rc;
    PGresult    *page, *next;
    const char  *values[1];

    page = NULL;
    values[0] = first;

    for ( ;; ) {
        next = ngx_stream_ntrip_pg_rows(&m->pg, sql, 1, values);
        PQclear(page);
        page = next;

        if (page == NULL) {
            return ngx_stream_ntrip_mirror_error(m, m->pg.error);
        }

        n = PQntuples(page);
        rc = SQLITE_OK;

        for (i = 0; rc == SQLITE_OK && i < n; i++) {
            values[0] = PQgetvalue(page, i, 0);
            rc = ngx_stream_ntrip_mirrored_aside(db, kind, values[0],
                                                 PQgetvalue(page, i, 1));
        }

        m->copied += n;

        if (rc != SQLITE_OK || n == 0) {
            PQclear(page);
            return (rc == SQLITE_OK)
                   ? NGX_OK
                   : ngx_stream_ntrip_mirror_file(m, sqlite3_errstr(rc));
        }
    }
}


static ngx_int_t
ngx_stream_ntrip_mirror_error(ngx_stream_ntrip_mirror_t *m, const char *error)
{
    (void) ngx_cpystrn((u_char *) m->error, (u_char *) error,
                       NGX_STREAM_NTRIP_PG_ERROR);

    return NGX_ERROR;
}


/* copied, since the connection's own text goes with its next statement */

static ngx_int_t
ngx_stream_ntrip_mirror_file(ngx_stream_ntrip_mirror_t *m, const char *error)
{
    (void) ngx_stream_ntrip_mirror_error(m, error);
    m->file = m->error;

    return NGX_ERROR;
}
