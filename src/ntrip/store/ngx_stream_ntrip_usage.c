
/*
 * Fieldgate: what was used goes into the database, once a minute, by one worker
 * of all.  See ntrip_usage.h.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <sqlite3.h>

#include "ngx_stream_ntrip_store_private.h"
#include "ngx_stream_ntrip_worker.h"


/* lock holds in one turn of the event loop */
#define NGX_STREAM_NTRIP_USAGE_HOLDS  4

/* ms: behind one that failed; between two that somebody has asked for */
#define NGX_STREAM_NTRIP_USAGE_AGAIN  5000
#define NGX_STREAM_NTRIP_USAGE_ASKED  2000

/* ms that the last worker waits for a locked database: the master kills it when
   1.5 s have passed since it was told to end at once */
#define NGX_STREAM_NTRIP_USAGE_LAST   500


typedef enum {
    NGX_STREAM_NTRIP_USAGE_NONE = 0,
    NGX_STREAM_NTRIP_USAGE_COLLECT,
    NGX_STREAM_NTRIP_USAGE_TAKE,
    NGX_STREAM_NTRIP_USAGE_WRITE,         /* the thread has it */
    NGX_STREAM_NTRIP_USAGE_WRITTEN
} ngx_stream_ntrip_usage_step_e;


typedef struct {
    ngx_stream_ntrip_work_t        work;      /* first */
    ngx_stream_ntrip_usage_step_e  step;
    ngx_event_t                    event;
    uint32_t                       walk;      /* of collect */
    uint32_t                       next;      /* of take and written */
    ngx_uint_t                     more;      /* to be collected */
    ngx_uint_t                     wrote;     /* on this way through the
                                                 table */
    ngx_msec_t                     begun;

    /* the thread's while it has the work */

    char                           zone[17];  /* whose numbers these are */
    uint64_t                       batch;
    ngx_uint_t                     n;
    ntrip_usage_item_t             items[NTRIP_USAGE_BATCH];
    char                           error[128];
} ngx_stream_ntrip_usage_t;


static void ngx_stream_ntrip_usage_clock(void);
static void ngx_stream_ntrip_usage_turn(ngx_event_t *ev);
static ngx_int_t ngx_stream_ntrip_usage_step(ngx_stream_ntrip_usage_t *u);
static ngx_int_t ngx_stream_ntrip_usage_post(ngx_stream_ntrip_usage_t *u);
static void ngx_stream_ntrip_usage_end(ngx_stream_ntrip_usage_t *u,
    ngx_msec_t wait);
static void ngx_stream_ntrip_usage_run(ngx_stream_ntrip_work_t *work,
    void *db);
static int ngx_stream_ntrip_usage_batch(ngx_stream_ntrip_usage_t *u,
    sqlite3 *db);
static int ngx_stream_ntrip_usage_number(ngx_stream_ntrip_usage_t *u,
    sqlite3 *db, int64_t *number);
static int ngx_stream_ntrip_usage_items(ngx_stream_ntrip_usage_t *u,
    sqlite3 *db, const char *sql);
static void ngx_stream_ntrip_usage_bind(sqlite3_stmt *stmt,
    ntrip_usage_item_t *item);
static int ngx_stream_ntrip_usage_note(ngx_stream_ntrip_usage_t *u,
    sqlite3 *db);
static void ngx_stream_ntrip_usage_done(ngx_stream_ntrip_work_t *work);
static void ngx_stream_ntrip_usage_free(ngx_stream_ntrip_work_t *work);


static const char  *ngx_stream_ntrip_usage_kinds[] = {
    "user", "account", "station"
};


/* an account that is gone by now is known by its id */

static const char  ngx_stream_ntrip_usage_insert[] =
    "INSERT INTO usage (day, kind, name, sessions, seconds, bytes)"
    " SELECT date(:day * 86400, 'unixepoch'), :kind,"
    "  CASE :kind WHEN 'account' THEN"
    "   coalesce((SELECT name || '@' || host"
    "             || CASE port WHEN 0 THEN '' ELSE ':' || port END"
    "             FROM source WHERE id = CAST(:name AS INTEGER)), :name)"
    "  ELSE :name END, :sessions, :seconds, :bytes"
    " WHERE true"
    " ON CONFLICT (day, kind, name) DO UPDATE SET"
    "  sessions = sessions + excluded.sessions,"
    "  seconds = seconds + excluded.seconds,"
    "  bytes = bytes + excluded.bytes";


/* whose quota is used up is looked at by every worker */

static const char  ngx_stream_ntrip_usage_change[] =
    "INSERT INTO change (kind, key)"
    " SELECT 'user', name FROM user"
    " WHERE :kind = 'user' AND name = :name"
    "  AND ((quota_bytes > 0 AND quota_bytes <="
    "        (SELECT sum(bytes) FROM usage WHERE kind = 'user'"
    "         AND usage.name = user.name))"
    "       OR (quota_seconds > 0 AND quota_seconds <="
    "        (SELECT sum(seconds) FROM usage WHERE kind = 'user'"
    "         AND usage.name = user.name)))";


static ngx_stream_ntrip_usage_t  ngx_stream_ntrip_usage;


void
ngx_stream_ntrip_usage_init(ngx_cycle_t *cycle)
{
    uint64_t                   id;
    ngx_stream_ntrip_usage_t  *u;

    u = &ngx_stream_ntrip_usage;

    ngx_memzero(u, offsetof(ngx_stream_ntrip_usage_t, items));

    u->work.run = ngx_stream_ntrip_usage_run;
    u->work.done = ngx_stream_ntrip_usage_done;
    u->work.free = ngx_stream_ntrip_usage_free;

    u->event.handler = ngx_stream_ntrip_usage_turn;
    u->event.data = u;
    u->event.log = cycle->log;

    /* that of the bus is random, and the zone lives as long */

    id = ntrip_hash(ngx_stream_ntrip_worker.bus->seed, (u_char *) "usage", 5,
                    0);
    *ngx_sprintf((u_char *) u->zone, "%016xL", id) = '\0';

    ngx_stream_ntrip_usage_clock();
}


static void
ngx_stream_ntrip_usage_clock(void)
{
    time_t       local;
    ngx_time_t  *tp;

    tp = ngx_timeofday();
    local = tp->sec + tp->gmtoff * 60;

    ntrip_usage_clock(ngx_stream_ntrip_worker.zone, ngx_current_msec,
                      (uint64_t) local / 86400);
}


void
ngx_stream_ntrip_usage_tick(void)
{
    ngx_int_t                   rc;
    ngx_stream_ntrip_usage_t   *u;
    ngx_stream_ntrip_worker_t  *worker;

    u = &ngx_stream_ntrip_usage;
    worker = &ngx_stream_ntrip_worker;

    ngx_stream_ntrip_usage_clock();

    if (u->step != NGX_STREAM_NTRIP_USAGE_NONE
        || worker->me == 0
        || worker->exiting
        || !ntrip_usage_due(worker->zone, worker->bus))
    {
        return;
    }

    ngx_stream_ntrip_lock();
    rc = ntrip_usage_begin(worker->zone, worker->bus, worker->me);
    ngx_stream_ntrip_unlock();

    if (rc != NGX_OK) {
        return;
    }

    u->step = NGX_STREAM_NTRIP_USAGE_COLLECT;
    u->begun = ngx_current_msec;
    u->walk = 0;
    u->more = 1;

    ngx_post_event(&u->event, &ngx_posted_next_events);
}


void
ngx_stream_ntrip_usage_ask(void)
{
    uint64_t       due, now;
    ntrip_zone_t  *zone;

    zone = ngx_stream_ntrip_worker.zone;
    now = ngx_current_msec;

    if (zone == NULL) {
        return;
    }

    due = __atomic_load_n(&zone->meter.due, __ATOMIC_RELAXED);

    /* the last one was at due - NTRIP_USAGE_PERIOD */

    if (due > now + NTRIP_USAGE_PERIOD - NGX_STREAM_NTRIP_USAGE_ASKED) {
        return;
    }

    ngx_stream_ntrip_lock();
    zone->meter.due = ngx_min(zone->meter.due, now);
    ngx_stream_ntrip_unlock();
}


static void
ngx_stream_ntrip_usage_turn(ngx_event_t *ev)
{
    ngx_int_t                  rc;
    ngx_uint_t                 i;
    ngx_stream_ntrip_usage_t  *u;

    u = ev->data;

    for (i = 0; i < NGX_STREAM_NTRIP_USAGE_HOLDS; i++) {

        ngx_stream_ntrip_lock();
        rc = ngx_stream_ntrip_usage_step(u);
        ngx_stream_ntrip_unlock();

        if (rc == NGX_AGAIN) {
            continue;
        }

        if (rc == NGX_DONE) {
            ngx_stream_ntrip_usage_end(u, NTRIP_USAGE_PERIOD);

        } else if (ngx_stream_ntrip_usage_post(u) != NGX_OK) {
            ngx_stream_ntrip_usage_end(u, NGX_STREAM_NTRIP_USAGE_AGAIN);
        }

        return;
    }

    ngx_post_event(ev, &ngx_posted_next_events);
}


/* a batch that the thread has written, and nobody has noted, is not written
   again: it has a number */

void
ngx_stream_ntrip_usage_exit(void)
{
    void                       *db;
    ngx_int_t                   rc;
    ngx_stream_ntrip_usage_t   *u;
    ngx_stream_ntrip_worker_t  *worker;

    u = &ngx_stream_ntrip_usage;
    worker = &ngx_stream_ntrip_worker;

    ngx_stream_ntrip_usage_clock();

    ngx_stream_ntrip_lock();
    worker->zone->meter.due = 0;
    rc = ntrip_usage_begin(worker->zone, worker->bus, worker->me);
    ngx_stream_ntrip_unlock();

    if (rc != NGX_OK) {
        return;
    }

    db = ngx_stream_ntrip_store_db();

    if (db) {
        (void) sqlite3_busy_timeout(db, NGX_STREAM_NTRIP_USAGE_LAST);
    }

    u->step = NGX_STREAM_NTRIP_USAGE_COLLECT;
    u->begun = ngx_current_msec;
    u->walk = 0;
    u->more = 1;

    for ( ;; ) {

        ngx_stream_ntrip_lock();
        rc = ngx_stream_ntrip_usage_step(u);
        ngx_stream_ntrip_unlock();

        if (rc == NGX_AGAIN) {
            continue;
        }

        /* a batch that was taken before has its old amounts: what has come
           since may be in rows that this walk has passed */

        if (rc == NGX_DONE && u->wrote) {
            u->wrote = 0;
            continue;
        }

        if (rc == NGX_DONE || db == NULL) {
            break;
        }

        ngx_stream_ntrip_usage_run(&u->work, db);

        if (u->work.rc != NGX_OK) {
            break;
        }

        u->step = NGX_STREAM_NTRIP_USAGE_WRITTEN;
        u->next = 0;
        u->wrote = 1;
    }

    if (rc != NGX_DONE) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "ntrip usage of the last minute is lost, the database "
                      "did not take it: %s", db ? u->error : "it is not open");
    }

    ngx_stream_ntrip_usage_end(u, NTRIP_USAGE_PERIOD);
}


/* lock held.  NGX_AGAIN: another one; NGX_OK: a batch is to be written;
   NGX_DONE: there is nothing left */

static ngx_int_t
ngx_stream_ntrip_usage_step(ngx_stream_ntrip_usage_t *u)
{
    ngx_int_t      rc;
    ntrip_zone_t  *zone;

    zone = ngx_stream_ntrip_worker.zone;

    switch (u->step) {

    case NGX_STREAM_NTRIP_USAGE_COLLECT:
        rc = ntrip_usage_collect(zone, &u->walk);

        if (rc != NGX_AGAIN) {
            u->more = (rc == NGX_OK);
            u->step = NGX_STREAM_NTRIP_USAGE_TAKE;
            u->next = 0;
            u->n = 0;
            u->wrote = 0;
        }

        return NGX_AGAIN;

    case NGX_STREAM_NTRIP_USAGE_TAKE:
        rc = ntrip_usage_take(zone, &u->next, u->items, &u->n);

        if (rc != NGX_DONE) {
            u->batch = zone->meter.batch;
            return rc;
        }

        u->next = 0;

        if (zone->usage.used >= zone->usage.n / 2) {

            /* of what has come meanwhile; but not for ever */

            if (u->wrote) {
                u->wrote = 0;
                return NGX_AGAIN;
            }

            return NGX_DONE;
        }

        if (!u->more) {
            return NGX_DONE;
        }

        u->step = NGX_STREAM_NTRIP_USAGE_COLLECT;

        return NGX_AGAIN;

    default: /* NGX_STREAM_NTRIP_USAGE_WRITTEN */
        rc = ntrip_usage_written(zone, &u->next);

        if (rc == NGX_OK) {
            u->step = NGX_STREAM_NTRIP_USAGE_TAKE;
            u->n = 0;
        }

        return NGX_AGAIN;
    }
}


static ngx_int_t
ngx_stream_ntrip_usage_post(ngx_stream_ntrip_usage_t *u)
{
    u->work.data = u;
    u->step = NGX_STREAM_NTRIP_USAGE_WRITE;

    return ngx_stream_ntrip_store_post(&u->work);
}


/* a batch that could not be written is the next one's */

static void
ngx_stream_ntrip_usage_end(ngx_stream_ntrip_usage_t *u, ngx_msec_t wait)
{
    uint64_t                    lost;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;

    u->step = NGX_STREAM_NTRIP_USAGE_NONE;

    ngx_stream_ntrip_lock();
    ntrip_usage_end(worker->zone, worker->me, u->begun + wait);
    lost = worker->zone->meter.lost - worker->zone->meter.told;
    worker->zone->meter.told = worker->zone->meter.lost;
    ngx_stream_ntrip_unlock();

    if (lost) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "the use of %uL sessions was not counted: there is no "
                      "room in \"ntrip_zone\", and the database did not take "
                      "what is there", lost);
    }
}


/* in the thread */

static void
ngx_stream_ntrip_usage_run(ngx_stream_ntrip_work_t *work, void *db)
{
    int                        rc;
    ngx_stream_ntrip_usage_t  *u;

    u = (ngx_stream_ntrip_usage_t *) work;

    rc = sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL);

    if (rc == SQLITE_OK) {
        rc = ngx_stream_ntrip_usage_batch(u, db);
    }

    if (rc == SQLITE_OK) {
        rc = sqlite3_exec(db, "COMMIT", NULL, NULL, NULL);
    }

    if (rc == SQLITE_OK) {
        work->rc = NGX_OK;
        return;
    }

    work->rc = NGX_ERROR;

    (void) ngx_cpystrn((u_char *) u->error, (u_char *) sqlite3_errmsg(db),
                       sizeof(u->error));
    (void) sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
}


static int
ngx_stream_ntrip_usage_batch(ngx_stream_ntrip_usage_t *u, sqlite3 *db)
{
    int      rc;
    int64_t  number;

    rc = ngx_stream_ntrip_usage_number(u, db, &number);

    if (rc != SQLITE_OK || number >= (int64_t) u->batch) {
        return rc;
    }

    rc = ngx_stream_ntrip_usage_items(u, db, ngx_stream_ntrip_usage_insert);

    if (rc == SQLITE_OK) {
        rc = ngx_stream_ntrip_usage_items(u, db,
                                          ngx_stream_ntrip_usage_change);
    }

    return (rc == SQLITE_OK) ? ngx_stream_ntrip_usage_note(u, db) : rc;
}


/* the last batch of this zone that was written; 0: none */

static int
ngx_stream_ntrip_usage_number(ngx_stream_ntrip_usage_t *u, sqlite3 *db,
    int64_t *number)
{
    int            rc;
    sqlite3_stmt  *stmt;

    *number = 0;

    rc = sqlite3_prepare_v2(db, "SELECT batch FROM usage_batch"
                                " WHERE zone = ?", -1, &stmt, NULL);
    if (rc != SQLITE_OK) {
        return rc;
    }

    (void) sqlite3_bind_text(stmt, 1, u->zone, -1, SQLITE_STATIC);

    if (sqlite3_step(stmt) == SQLITE_ROW) {
        *number = sqlite3_column_int64(stmt, 0);
    }

    return sqlite3_finalize(stmt);
}


static int
ngx_stream_ntrip_usage_items(ngx_stream_ntrip_usage_t *u, sqlite3 *db,
    const char *sql)
{
    int            rc;
    ngx_uint_t     i;
    sqlite3_stmt  *stmt;

    rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

    for (i = 0; rc == SQLITE_OK && i < u->n; i++) {
        ngx_stream_ntrip_usage_bind(stmt, &u->items[i]);

        (void) sqlite3_step(stmt);
        rc = sqlite3_reset(stmt);
    }

    (void) sqlite3_finalize(stmt);

    return rc;
}


static void
ngx_stream_ntrip_usage_bind(sqlite3_stmt *stmt, ntrip_usage_item_t *item)
{
    ngx_uint_t  n;

    struct {
        const char  *name;
        uint64_t     value;
    } numbers[] = {
        { ":day", item->day },
        { ":sessions", item->used.sessions },
        { ":seconds", item->used.seconds },
        { ":bytes", item->used.bytes }
    };

    for (n = 0; n < 4; n++) {

        /* what the statement does not have is number 0, and no error of its */

        (void) sqlite3_bind_int64(stmt,
                                  sqlite3_bind_parameter_index(stmt,
                                                            numbers[n].name),
                                  (sqlite3_int64) numbers[n].value);
    }

    (void) sqlite3_bind_text(stmt,
                             sqlite3_bind_parameter_index(stmt, ":kind"),
                             ngx_stream_ntrip_usage_kinds[item->kind], -1,
                             SQLITE_STATIC);
    (void) sqlite3_bind_text(stmt,
                             sqlite3_bind_parameter_index(stmt, ":name"),
                             (char *) item->name, item->name_len,
                             SQLITE_STATIC);
}


/* zones that are long gone are forgotten */

static int
ngx_stream_ntrip_usage_note(ngx_stream_ntrip_usage_t *u, sqlite3 *db)
{
    int            rc;
    sqlite3_stmt  *stmt;

    rc = sqlite3_prepare_v2(db,
             "INSERT INTO usage_batch (zone, batch, time)"
             " VALUES (?, ?, CAST(strftime('%s', 'now') AS INTEGER))"
             " ON CONFLICT (zone) DO UPDATE SET batch = excluded.batch,"
             "  time = excluded.time",
             -1, &stmt, NULL);

    if (rc != SQLITE_OK) {
        return rc;
    }

    (void) sqlite3_bind_text(stmt, 1, u->zone, -1, SQLITE_STATIC);
    (void) sqlite3_bind_int64(stmt, 2, (sqlite3_int64) u->batch);
    (void) sqlite3_step(stmt);

    rc = sqlite3_finalize(stmt);

    if (rc != SQLITE_OK) {
        return rc;
    }

    return sqlite3_exec(db, "DELETE FROM usage_batch WHERE time <"
                            " CAST(strftime('%s', 'now') AS INTEGER)"
                            " - 30 * 86400", NULL, NULL, NULL);
}


/* back on the event loop */

static void
ngx_stream_ntrip_usage_done(ngx_stream_ntrip_work_t *work)
{
    ngx_stream_ntrip_usage_t  *u;

    u = (ngx_stream_ntrip_usage_t *) work;

    if (work->rc != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "ntrip usage was not written, and will be later: %s",
                      u->error);

        ngx_stream_ntrip_usage_end(u, NGX_STREAM_NTRIP_USAGE_AGAIN);
        return;
    }

    u->step = NGX_STREAM_NTRIP_USAGE_WRITTEN;
    u->next = 0;
    u->wrote = 1;

    ngx_post_event(&u->event, &ngx_posted_next_events);
}


/* it is this worker's, and lives as long */

static void
ngx_stream_ntrip_usage_free(ngx_stream_ntrip_work_t *work)
{
}


ngx_uint_t
ngx_stream_ntrip_store_quota(ngx_stream_ntrip_user_t *user,
    ngx_stream_ntrip_quota_t *left)
{
    ngx_str_t                   name;
    ntrip_usage_t               used;
    ngx_stream_ntrip_worker_t  *worker;

    left->bytes = NGX_STREAM_NTRIP_NO_QUOTA;
    left->seconds = NGX_STREAM_NTRIP_NO_QUOTA;

    if (user->quota_bytes == 0 && user->quota_seconds == 0) {
        return 0;
    }

    worker = &ngx_stream_ntrip_worker;

    name.data = user->name;
    name.len = user->name_len;

    ngx_stream_ntrip_lock();
    ntrip_usage_pending(worker->zone, worker->bus, &name, &used);
    ngx_stream_ntrip_unlock();

    used.bytes += user->used_bytes;
    used.seconds += user->used_seconds;

    if (user->quota_bytes) {
        left->bytes = user->quota_bytes > used.bytes
                      ? user->quota_bytes - used.bytes : 0;
    }

    if (user->quota_seconds) {
        left->seconds = user->quota_seconds > used.seconds
                        ? user->quota_seconds - used.seconds : 0;
    }

    return left->bytes == 0 || left->seconds == 0;
}
