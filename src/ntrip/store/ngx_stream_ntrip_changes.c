
/*
 * Fieldgate: what has changed in the database, by whatever process, and which
 * kinds of hashes that brings.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_stream_ntrip_store_private.h"


/* changes read at a time; what is left is read at the next turn */
#define NGX_STREAM_NTRIP_STORE_BATCH  1000


static ngx_int_t ngx_stream_ntrip_store_feed(ngx_stream_ntrip_store_t *st,
    ngx_uint_t *accounts, ngx_uint_t *stations);
static void ngx_stream_ntrip_store_scan(ngx_stream_ntrip_store_t *st);
static void ngx_stream_ntrip_store_scan_run(ngx_stream_ntrip_work_t *work,
    void *db);
static void ngx_stream_ntrip_store_scan_done(ngx_stream_ntrip_work_t *work);
static void ngx_stream_ntrip_store_scan_free(ngx_stream_ntrip_work_t *work);


ngx_int_t
ngx_stream_ntrip_store_changed(ngx_stream_ntrip_store_t *st)
{
    int         rc, version;
    int64_t     first, last;
    ngx_int_t   all;
    ngx_uint_t  accounts, stations;

    rc = sqlite3_step(st->version);
    version = (rc == SQLITE_ROW) ? sqlite3_column_int(st->version, 0) : 0;
    (void) sqlite3_reset(st->version);

    if (rc != SQLITE_ROW) {
        (void) ngx_stream_ntrip_store_failed(st, rc);
        return NGX_ERROR;
    }

    if (version == st->seen) {
        return NGX_OK;
    }

    if (ngx_stream_ntrip_store_range(st, &first, &last) != NGX_OK) {
        return NGX_ERROR;
    }

    /* our place was trimmed away, or it is another database in the file */

    all = (first > st->cursor + 1 || last < st->cursor);

    if (all) {
        st->cursor = last;
        accounts = 1;
        stations = 1;
        ngx_stream_ntrip_store_scan(st);
        st->hooks->user(NULL);

    } else if (ngx_stream_ntrip_store_feed(st, &accounts, &stations)
               != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* handlers look users up, and find out what has become of the file */

    if (st->state != NGX_STREAM_NTRIP_STORE_READY) {
        return NGX_ERROR;
    }

    if ((accounts
         && ngx_stream_ntrip_accounts_load(st->reader, st->hooks, st->log)
            != NGX_OK)
        || (stations
            && ngx_stream_ntrip_stations_load(st->reader, st->hooks, st->log)
               != NGX_OK))
    {
        ngx_stream_ntrip_store_down(st, sqlite3_errmsg(st->reader));
        return NGX_ERROR;
    }

    if (all) {
        st->hooks->account(0);
    }

    /* more than one batch: go on with the next poll */

    if (st->cursor >= last) {
        st->seen = version;
    }

    return NGX_OK;
}


ngx_int_t
ngx_stream_ntrip_store_range(ngx_stream_ntrip_store_t *st, int64_t *first,
    int64_t *last)
{
    int  rc;

    rc = sqlite3_step(st->range);

    if (rc == SQLITE_ROW) {
        *first = sqlite3_column_int64(st->range, 0);
        *last = sqlite3_column_int64(st->range, 1);
    }

    (void) sqlite3_reset(st->range);

    if (rc != SQLITE_ROW) {
        (void) ngx_stream_ntrip_store_failed(st, rc);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * The rows of one batch.  Handlers are called behind the statement's reset,
 * since they look users up.
 */

static ngx_int_t
ngx_stream_ntrip_store_feed(ngx_stream_ntrip_store_t *st,
    ngx_uint_t *accounts, ngx_uint_t *stations)
{
    int          rc;
    u_char      *kind;
    int64_t      seq;
    ngx_int_t    status;
    ngx_str_t   *name, key;
    ngx_uint_t   i;
    ngx_pool_t  *pool;
    ngx_array_t  users;

    *accounts = 0;
    *stations = 0;

    pool = ngx_create_pool(1024, st->log);
    if (pool == NULL) {
        return NGX_ERROR;
    }

    status = NGX_ERROR;
    seq = st->cursor;

    if (ngx_array_init(&users, pool, 8, sizeof(ngx_str_t)) != NGX_OK) {
        goto done;
    }

    (void) sqlite3_bind_int64(st->changes, 1, st->cursor);
    (void) sqlite3_bind_int(st->changes, 2, NGX_STREAM_NTRIP_STORE_BATCH);

    while ((rc = sqlite3_step(st->changes)) == SQLITE_ROW) {

        seq = sqlite3_column_int64(st->changes, 0);
        kind = (u_char *) sqlite3_column_text(st->changes, 1);

        if (kind == NULL || ngx_strcmp(kind, "user") != 0) {
            *accounts |= (kind && ngx_strcmp(kind, "source") == 0);
            *stations |= (kind && ngx_strcmp(kind, "station") == 0);
            continue;
        }

        key.data = (u_char *) sqlite3_column_text(st->changes, 2);
        key.len = sqlite3_column_bytes(st->changes, 2);

        name = ngx_array_push(&users);

        if (name == NULL || (name->data = ngx_pstrdup(pool, &key)) == NULL) {
            break;
        }

        name->len = key.len;

        key.data = (u_char *) sqlite3_column_text(st->changes, 3);
        key.len = sqlite3_column_bytes(st->changes, 3);

        ntrip_kinds_add(&st->kinds, &key);
    }

    (void) sqlite3_reset(st->changes);

    if (rc != SQLITE_DONE) {
        if (rc != SQLITE_ROW) {
            (void) ngx_stream_ntrip_store_failed(st, rc);
        }

        goto done;
    }

    st->cursor = seq;

    name = users.elts;

    for (i = 0; i < users.nelts; i++) {
        st->hooks->user(&name[i]);
    }

    status = NGX_OK;

done:

    ngx_destroy_pool(pool);

    return status;
}


/* users were changed that are not known: looks at all of them, in the thread */

static void
ngx_stream_ntrip_store_scan(ngx_stream_ntrip_store_t *st)
{
    if (st->scan.data) {
        return;
    }

    st->scan.run = ngx_stream_ntrip_store_scan_run;
    st->scan.done = ngx_stream_ntrip_store_scan_done;
    st->scan.free = ngx_stream_ntrip_store_scan_free;
    st->scan.data = st;

    if (ngx_stream_ntrip_store_post(&st->scan) != NGX_OK) {
        st->scan.data = NULL;
    }
}


static void
ngx_stream_ntrip_store_scan_run(ngx_stream_ntrip_work_t *work, void *db)
{
    ngx_stream_ntrip_store_t *st = work->data;

    (void) ngx_stream_ntrip_schema_kinds(db, &st->scanned);
}


static void
ngx_stream_ntrip_store_scan_done(ngx_stream_ntrip_work_t *work)
{
    ngx_stream_ntrip_store_t *st = work->data;

    ngx_stream_ntrip_store_learn(st, &st->scanned);
}


static void
ngx_stream_ntrip_store_scan_free(ngx_stream_ntrip_work_t *work)
{
    work->data = NULL;
}


void
ngx_stream_ntrip_store_learn(ngx_stream_ntrip_store_t *st,
    ntrip_kinds_t *kinds)
{
    ngx_str_t   stored;
    ngx_uint_t  i;

    for (i = 0; i < kinds->n; i++) {
        stored.data = kinds->text[i];
        stored.len = kinds->len[i];

        ntrip_kinds_add(&st->kinds, &stored);
    }
}
