
/*
 * The store: users, accounts and changes in SQLite.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <sqlite3.h>

#include "ngx_stream_ntrip_store_private.h"


/* twice a second: what was changed shows within one */
#define NGX_STREAM_NTRIP_STORE_POLL   500

/* works that wait for the thread */
#define NGX_STREAM_NTRIP_STORE_QUEUE  256


static void ngx_stream_ntrip_store_poll(ngx_event_t *ev);
static void ngx_stream_ntrip_store_run(ngx_stream_ntrip_store_t *st);
static void ngx_stream_ntrip_store_thread(void *data, ngx_log_t *log);
static void ngx_stream_ntrip_store_done(ngx_event_t *ev);
static void ngx_stream_ntrip_store_opened(ngx_stream_ntrip_store_t *st,
    ngx_stream_ntrip_store_job_t *job);
static ngx_int_t ngx_stream_ntrip_store_read(ngx_stream_ntrip_store_t *st);
static void ngx_stream_ntrip_store_close(ngx_stream_ntrip_store_t *st);
static void ngx_stream_ntrip_store_reason(ngx_stream_ntrip_store_t *st,
    ngx_uint_t level, const char *reason);
static ngx_uint_t ngx_stream_ntrip_store_moved(ngx_stream_ntrip_store_t *st);
static void ngx_stream_ntrip_store_fill(sqlite3_stmt *stmt,
    ngx_stream_ntrip_user_t *user);


static ngx_stream_ntrip_store_t  ngx_stream_ntrip_store;


ngx_int_t
ngx_stream_ntrip_store_init(ngx_cycle_t *cycle,
    ngx_stream_ntrip_main_conf_t *nmcf, ngx_stream_ntrip_store_hooks_t *hooks)
{
    ngx_stream_ntrip_store_t      *st;
    ngx_stream_ntrip_store_job_t  *job;

    st = &ngx_stream_ntrip_store;

    ngx_memzero(st, sizeof(ngx_stream_ntrip_store_t));

    st->conf = nmcf;
    st->hooks = hooks;
    st->log = cycle->log;
    ngx_queue_init(&st->works);

    st->task = ngx_thread_task_alloc(cycle->pool,
                                     sizeof(ngx_stream_ntrip_store_job_t));
    if (st->task == NULL) {
        return NGX_ERROR;
    }

    job = st->task->ctx;

    ngx_memzero(job, sizeof(ngx_stream_ntrip_store_job_t));

    job->schema.path = (const char *) nmcf->database.data;
    job->schema.create = ngx_stream_ntrip_store_missing();
    job->reopen = 1;

    st->task->handler = ngx_stream_ntrip_store_thread;
    st->task->event.handler = ngx_stream_ntrip_store_done;
    st->task->event.data = st;
    st->task->event.log = cycle->log;

    st->dumb.fd = (ngx_socket_t) -1;

    st->poll.handler = ngx_stream_ntrip_store_poll;
    st->poll.data = &st->dumb;
    st->poll.log = cycle->log;
    st->poll.cancelable = 1;

    ngx_stream_ntrip_store_run(st);
    ngx_add_timer(&st->poll, NGX_STREAM_NTRIP_STORE_POLL);

    ngx_stream_ntrip_usage_init(cycle);

    return NGX_OK;
}


/*
 * The threads have ended: nginx's thread pools wait for what was posted, and
 * come before this module.
 */

void
ngx_stream_ntrip_store_exit(ngx_cycle_t *cycle)
{
    ngx_queue_t                   *q;
    ngx_stream_ntrip_work_t       *work;
    ngx_stream_ntrip_store_t      *st;
    ngx_stream_ntrip_store_job_t  *job;

    st = &ngx_stream_ntrip_store;

    if (st->conf == NULL) {
        return;
    }

    st->conf = NULL;
    job = st->task->ctx;

    ngx_stream_ntrip_store_close(st);
    ngx_stream_ntrip_accounts_free();
    ngx_stream_ntrip_stations_free();

    if (st->busy && job->work) {
        ngx_queue_insert_head(&st->works, &job->work->queue);
    }

    while (!ngx_queue_empty(&st->works)) {
        q = ngx_queue_head(&st->works);
        ngx_queue_remove(q);

        work = ngx_queue_data(q, ngx_stream_ntrip_work_t, queue);
        work->data = NULL;
        work->free(work);
    }

    ngx_stream_ntrip_schema_close(&job->schema);
}


void *
ngx_stream_ntrip_store_db(void)
{
    ngx_stream_ntrip_store_job_t  *job;

    job = ngx_stream_ntrip_store.task->ctx;

    return (job->schema.db && !ngx_stream_ntrip_schema_moved(&job->schema))
           ? job->schema.db : NULL;
}


static void
ngx_stream_ntrip_store_poll(ngx_event_t *ev)
{
    ngx_stream_ntrip_store_t      *st;
    ngx_stream_ntrip_store_job_t  *job;

    st = &ngx_stream_ntrip_store;

    if (st->state == NGX_STREAM_NTRIP_STORE_READY) {

        if (ngx_stream_ntrip_store_moved(st)) {
            ngx_stream_ntrip_store_down(st, "the file was replaced or removed");

        } else {
            (void) ngx_stream_ntrip_store_changed(st);
        }
    }

    if (st->state == NGX_STREAM_NTRIP_STORE_DOWN && !st->busy) {
        st->state = NGX_STREAM_NTRIP_STORE_OPENING;
        job = st->task->ctx;
        job->schema.check = st->damaged;
        job->reopen = 1;

        /* another worker may have had it open meanwhile */

        job->schema.create &= ngx_stream_ntrip_store_missing();
    }

    ngx_stream_ntrip_store_run(st);

    ngx_add_timer(ev, NGX_STREAM_NTRIP_STORE_POLL);
}


ngx_int_t
ngx_stream_ntrip_store_post(ngx_stream_ntrip_work_t *work)
{
    ngx_stream_ntrip_store_t  *st;

    st = &ngx_stream_ntrip_store;

    if (st->conf == NULL
        || st->state != NGX_STREAM_NTRIP_STORE_READY
        || st->nworks == NGX_STREAM_NTRIP_STORE_QUEUE)
    {
        return NGX_ERROR;
    }

    ngx_queue_insert_tail(&st->works, &work->queue);
    st->nworks++;

    ngx_stream_ntrip_store_run(st);

    return NGX_OK;
}


ngx_int_t
ngx_stream_ntrip_store_change(ngx_stream_ntrip_work_t *work)
{
    ngx_stream_ntrip_store_t  *st;

    st = &ngx_stream_ntrip_store;

    work->change = 1;

    return (st->conf && st->hooks->change) ? st->hooks->change(work)
                                           : ngx_stream_ntrip_store_post(work);
}


ngx_uint_t
ngx_stream_ntrip_store_alone(void)
{
    return ngx_stream_ntrip_store.hooks->change == NULL;
}


/* gives the thread what is next, if it is free */

static void
ngx_stream_ntrip_store_run(ngx_stream_ntrip_store_t *st)
{
    ngx_queue_t                   *q;
    ngx_stream_ntrip_store_job_t  *job;

    job = st->task->ctx;

    if (st->busy || (!job->reopen && ngx_queue_empty(&st->works))) {
        return;
    }

    job->work = NULL;

    if (!job->reopen) {
        q = ngx_queue_head(&st->works);
        ngx_queue_remove(q);
        st->nworks--;

        job->work = ngx_queue_data(q, ngx_stream_ntrip_work_t, queue);
    }

    st->busy = 1;

    if (ngx_thread_task_post(st->conf->sqlite_pool, st->task) == NGX_OK) {
        return;
    }

    /* the queue of the pool is full, the poll tries again */

    st->busy = 0;

    if (job->work) {
        ngx_queue_insert_head(&st->works, &job->work->queue);
        st->nworks++;

    } else {
        ngx_stream_ntrip_store_down(st, "the thread pool is full");
    }
}


static void
ngx_stream_ntrip_store_thread(void *data, ngx_log_t *log)
{
    ngx_stream_ntrip_store_job_t  *job = data;

    if (job->work) {

        /* what is written into a file that was replaced is lost */

        if (job->schema.db == NULL
            || ngx_stream_ntrip_schema_moved(&job->schema))
        {
            job->work->rc = NGX_ERROR;

        } else if (job->work->change) {
            ngx_stream_ntrip_write_run(job->work, job->schema.db);

        } else {
            job->work->run(job->work, job->schema.db);
        }

        return;
    }

    ngx_stream_ntrip_schema_close(&job->schema);

    job->rc = ngx_stream_ntrip_schema_open(&job->schema);
}


static void
ngx_stream_ntrip_store_done(ngx_event_t *ev)
{
    ngx_stream_ntrip_work_t       *work;
    ngx_stream_ntrip_store_t      *st;
    ngx_stream_ntrip_store_job_t  *job;

    st = ev->data;
    job = st->task->ctx;
    work = job->work;

    st->busy = 0;

    if (work == NULL) {
        job->reopen = 0;
        ngx_stream_ntrip_store_opened(st, job);

    } else {

        /* what this worker has written it knows at once */

        if (st->state == NGX_STREAM_NTRIP_STORE_READY) {
            (void) ngx_stream_ntrip_store_changed(st);
        }

        if (work->data) {
            work->done(work);
        }

        work->free(work);
    }

    ngx_stream_ntrip_store_run(st);
}


static void
ngx_stream_ntrip_store_opened(ngx_stream_ntrip_store_t *st,
    ngx_stream_ntrip_store_job_t *job)
{
    static const char  *made[] = {
        NULL, "created", "imported from cors-relay", "upgraded"
    };

    switch (job->rc) {

    case NGX_OK:
        break;

    case NGX_BUSY:

        /* as it is when the workers of a new file start */

        st->state = NGX_STREAM_NTRIP_STORE_DOWN;
        ngx_stream_ntrip_store_reason(st, st->loaded ? NGX_LOG_ERR
                                                     : NGX_LOG_NOTICE,
                                      "another process writes to it");
        return;

    case NGX_DECLINED:
        ngx_stream_ntrip_store_down(st, "there is no such file");
        return;

    default:
        st->damaged |= (job->schema.check != 0);
        ngx_stream_ntrip_store_down(st, job->schema.error);
        return;
    }

    job->schema.create = 0;
    st->damaged = 0;

    ngx_stream_ntrip_store_learn(st, &job->schema.kinds);

    ngx_stream_ntrip_store_found();

    if (job->schema.made != NGX_STREAM_NTRIP_SCHEMA_FOUND) {
        ngx_log_error(NGX_LOG_NOTICE, st->log, 0,
                      "ntrip database \"%V\" was %s", &st->conf->database,
                      made[job->schema.made]);
    }

    if (ngx_stream_ntrip_store_read(st) != NGX_OK) {
        return;
    }

    if (st->reason) {
        ngx_log_error(NGX_LOG_NOTICE, st->log, 0,
                      "ntrip database \"%V\" is available again",
                      &st->conf->database);

        ngx_free(st->reason);
        st->reason = NULL;
    }

    st->state = NGX_STREAM_NTRIP_STORE_READY;

    /* whatever file this is: a session or a source may be in it no more */

    if (st->loaded) {
        st->hooks->user(NULL);
        st->hooks->account(0);
    }

    st->loaded = 1;
}


/* opens the connection of the event loop, and reads the accounts */

static ngx_int_t
ngx_stream_ntrip_store_read(ngx_stream_ntrip_store_t *st)
{
    int          rc;
    int64_t      first;
    ngx_uint_t   i;
    struct stat  sb;

    struct {
        sqlite3_stmt  **stmt;
        const char     *sql;
    } statements[] = {
        { &st->user, "SELECT name, password, expires_at, max_sessions, mounts,"
                     " valid_from, area, quota_bytes, quota_seconds,"
                     " CASE WHEN quota_bytes > 0 THEN"
                     "  (SELECT sum(bytes) FROM usage WHERE kind = 'user'"
                     "   AND usage.name = user.name) END,"
                     " CASE WHEN quota_seconds > 0 THEN"
                     "  (SELECT sum(seconds) FROM usage WHERE kind = 'user'"
                     "   AND usage.name = user.name) END"
                     " FROM user WHERE name = ?" },
        { &st->version, "PRAGMA data_version" },
        { &st->range, "SELECT coalesce(min(seq), 0), coalesce(max(seq), 0)"
                      " FROM change" },
        { &st->changes, "SELECT seq, kind, key,"
                        " (SELECT password FROM user"
                        "  WHERE kind = 'user' AND name = key)"
                        " FROM change WHERE seq > ? ORDER BY seq LIMIT ?" }
    };

    ngx_stream_ntrip_store_close(st);

    if (stat((char *) st->conf->database.data, &sb) == -1) {
        ngx_stream_ntrip_store_down(st, strerror(errno));
        return NGX_ERROR;
    }

    st->device = sb.st_dev;
    st->inode = sb.st_ino;

    rc = sqlite3_open_v2((char *) st->conf->database.data, &st->reader,
                         SQLITE_OPEN_READONLY|SQLITE_OPEN_NOMUTEX, NULL);

    for (i = 0; rc == SQLITE_OK && i < 4; i++) {
        rc = sqlite3_prepare_v3(st->reader, statements[i].sql, -1,
                                SQLITE_PREPARE_PERSISTENT, statements[i].stmt,
                                NULL);
    }

    if (rc != SQLITE_OK) {
        goto failed;
    }

    st->seen = -1;

    /* first the cursor: what changes meanwhile is read twice */

    if (ngx_stream_ntrip_store_range(st, &first, &st->cursor) != NGX_OK
        || ngx_stream_ntrip_accounts_load(st->reader, st->hooks, st->log)
           != NGX_OK
        || ngx_stream_ntrip_stations_load(st->reader, st->hooks, st->log)
           != NGX_OK)
    {
        rc = sqlite3_errcode(st->reader);
        goto failed;
    }

    return NGX_OK;

failed:

    /* without a reader: range() has said why */

    if (st->reader && ngx_stream_ntrip_store_failed(st, rc) == NGX_AGAIN
        && st->reader)
    {
        ngx_stream_ntrip_store_down(st, "it is locked");
    }

    return NGX_ERROR;
}


static void
ngx_stream_ntrip_store_close(ngx_stream_ntrip_store_t *st)
{
    (void) sqlite3_finalize(st->user);
    (void) sqlite3_finalize(st->version);
    (void) sqlite3_finalize(st->range);
    (void) sqlite3_finalize(st->changes);
    (void) sqlite3_close(st->reader);

    st->user = NULL;
    st->version = NULL;
    st->range = NULL;
    st->changes = NULL;
    st->reader = NULL;
}


void
ngx_stream_ntrip_store_down(ngx_stream_ntrip_store_t *st, const char *reason)
{
    st->state = NGX_STREAM_NTRIP_STORE_DOWN;

    ngx_stream_ntrip_store_reason(st, NGX_LOG_ERR, reason);
    ngx_stream_ntrip_store_close(st);
}


/* logged once for each reason, not with every poll */

static void
ngx_stream_ntrip_store_reason(ngx_stream_ntrip_store_t *st, ngx_uint_t level,
    const char *reason)
{
    size_t  len;

    if (st->reason && ngx_strcmp(st->reason, reason) == 0) {
        return;
    }

    ngx_log_error(level, st->log, 0,
                  "ntrip database \"%V\" is not available: %s",
                  &st->conf->database, reason);

    if (st->reason) {
        ngx_free(st->reason);
    }

    len = ngx_strlen(reason) + 1;
    st->reason = ngx_alloc(len, st->log);

    if (st->reason) {
        ngx_memcpy(st->reason, reason, len);
    }
}


/*
 * A statement of the event loop failed.  A lock passes by itself; anything
 * else means that the file has to be opened anew.
 */

ngx_int_t
ngx_stream_ntrip_store_failed(ngx_stream_ntrip_store_t *st, int rc)
{
    switch (rc & 0xff) {

    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return NGX_AGAIN;

    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        st->damaged = 1;

        /* fall through */

    default:
        ngx_stream_ntrip_store_down(st, sqlite3_errmsg(st->reader));
        return NGX_AGAIN;
    }
}


static ngx_uint_t
ngx_stream_ntrip_store_moved(ngx_stream_ntrip_store_t *st)
{
    struct stat  sb;

    return stat((char *) st->conf->database.data, &sb) == -1
           || sb.st_dev != st->device
           || sb.st_ino != st->inode;
}


ngx_int_t
ngx_stream_ntrip_store_user(ngx_str_t *name, ngx_stream_ntrip_user_t *user)
{
    int                        rc;
    ngx_stream_ntrip_store_t  *st;

    st = &ngx_stream_ntrip_store;

    user->name_len = 0;
    user->expires = 0;

    if (st->state != NGX_STREAM_NTRIP_STORE_READY) {
        return NGX_AGAIN;
    }

    rc = sqlite3_bind_text(st->user, 1, (char *) name->data, name->len,
                           SQLITE_STATIC);

    if (rc == SQLITE_OK) {
        rc = sqlite3_step(st->user);
    }

    if (rc == SQLITE_ROW) {
        ngx_stream_ntrip_store_fill(st->user, user);
    }

    /* a statement that is not reset keeps a read transaction */

    (void) sqlite3_reset(st->user);
    (void) sqlite3_clear_bindings(st->user);

    switch (rc) {

    case SQLITE_ROW:
        return (user->name_len
                && user->expires > ngx_time()
                && user->valid_from <= ngx_time())
               ? NGX_OK : NGX_DECLINED;

    case SQLITE_DONE:
        return NGX_DECLINED;

    default:
        return ngx_stream_ntrip_store_failed(st, rc);
    }
}


/* a value that is too long is as good as none: nobody can log in with it */

static void
ngx_stream_ntrip_store_fill(sqlite3_stmt *stmt, ngx_stream_ntrip_user_t *user)
{
    int          i;
    ngx_str_t    area;
    ngx_uint_t   n;

    struct {
        int      column;
        u_char  *data;
        size_t  *len;
    } texts[] = {
        { 0, user->name, &user->name_len },
        { 1, user->password, &user->password_len },
        { 4, user->mounts, &user->mounts_len }
    };

    struct {
        int        column;
        uint64_t  *value;
    } numbers[] = {
        { 7, &user->quota_bytes },
        { 8, &user->quota_seconds },
        { 9, &user->used_bytes },
        { 10, &user->used_seconds }
    };

    for (n = 0; n < 3; n++) {
        i = texts[n].column;

        *texts[n].len = sqlite3_column_bytes(stmt, i);

        if (*texts[n].len > 255) {
            user->name_len = 0;
            return;
        }

        /* of an empty one SQLite has no address */

        if (*texts[n].len) {
            ngx_memcpy(texts[n].data, sqlite3_column_blob(stmt, i),
                       *texts[n].len);
        }
    }

    user->expires = (time_t) sqlite3_column_int64(stmt, 2);
    user->max_sessions = (ngx_uint_t) ngx_max(sqlite3_column_int(stmt, 3), 0);
    user->valid_from = (time_t) sqlite3_column_int64(stmt, 5);

    area.len = sqlite3_column_bytes(stmt, 6);
    area.data = (u_char *) sqlite3_column_blob(stmt, 6);

    ntrip_area_parse(&user->area, &area);

    for (n = 0; n < 4; n++) {
        *numbers[n].value = (uint64_t) ngx_max(
                           sqlite3_column_int64(stmt, numbers[n].column), 0);
    }
}


ntrip_kinds_t *
ngx_stream_ntrip_store_kinds(void)
{
    return &ngx_stream_ntrip_store.kinds;
}


ngx_int_t
ngx_stream_ntrip_store_sync(void)
{
    ngx_stream_ntrip_store_t  *st;

    st = &ngx_stream_ntrip_store;

    if (st->state != NGX_STREAM_NTRIP_STORE_READY) {
        return NGX_AGAIN;
    }

    return (ngx_stream_ntrip_store_changed(st) == NGX_OK) ? NGX_OK : NGX_AGAIN;
}


ngx_int_t
ngx_stream_ntrip_store_text(ngx_pool_t *pool, sqlite3_stmt *stmt,
    int column, ngx_str_t *text)
{
    text->len = sqlite3_column_bytes(stmt, column);
    text->data = ngx_pnalloc(pool, text->len + 1);

    if (text->data == NULL) {
        return NGX_ERROR;
    }

    /* of an empty one SQLite has no address */

    if (text->len) {
        ngx_memcpy(text->data, sqlite3_column_blob(stmt, column), text->len);
    }

    text->data[text->len] = '\0';

    return NGX_OK;
}
