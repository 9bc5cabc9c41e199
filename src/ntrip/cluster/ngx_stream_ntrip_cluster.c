
/*
 * Fieldgate: several nodes: the turns of the thread that speaks to PostgreSQL.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include "ngx_stream_ntrip_worker.h"
#include "ngx_stream_ntrip_cluster_private.h"


/* changes that wait for the thread */
#define NGX_STREAM_NTRIP_CLUSTER_QUEUE  256

/* turns in a row after which another reason than the one that was logged is */
#define NGX_STREAM_NTRIP_CLUSTER_TURNS  5


/* a turn; the thread's while it is out */

typedef struct {
    ngx_stream_ntrip_work_t    *work;        /* a change; NULL: none */
    ngx_uint_t                  keep;        /* the connection, afterwards */
    ngx_int_t                   rc;          /* of the mirror */
    ngx_stream_ntrip_mirror_t   mirror;
} ngx_stream_ntrip_turn_t;


typedef struct {
    ngx_stream_ntrip_main_conf_t  *conf;     /* NULL: no cluster */
    ngx_thread_task_t             *task;
    ngx_queue_t                    works;
    ngx_uint_t                     nworks;
    ngx_connection_t              *watch;    /* of the connection, between
                                                turns */
    ngx_msec_t                     began;    /* the turn that is out */
    ngx_uint_t                     failures; /* turns in a row, */
    char                           last[NGX_STREAM_NTRIP_PG_ERROR];
                                             /* for this reason */
    u_char                        *reason;   /* logged last, NULL: none */
    unsigned                       busy:1;   /* a turn is out */
} ngx_stream_ntrip_cluster_ctx_t;


static ngx_uint_t ngx_stream_ntrip_cluster_mine(void);
static void ngx_stream_ntrip_cluster_turn(void);
static void ngx_stream_ntrip_cluster_thread(void *data, ngx_log_t *log);
static void ngx_stream_ntrip_cluster_done(ngx_event_t *ev);
static void ngx_stream_ntrip_cluster_told(ngx_stream_ntrip_turn_t *turn);
static void ngx_stream_ntrip_cluster_reason(ngx_stream_ntrip_turn_t *turn);
static void ngx_stream_ntrip_cluster_watch(ngx_stream_ntrip_turn_t *turn);
static void ngx_stream_ntrip_cluster_unwatch(void);
static void ngx_stream_ntrip_cluster_notified(ngx_event_t *rev);
static ngx_uint_t ngx_stream_ntrip_cluster_plain(const char *name,
    const char *value);


static ngx_stream_ntrip_cluster_ctx_t  ngx_stream_ntrip_cluster;


ngx_int_t
ngx_stream_ntrip_cluster_init(ngx_cycle_t *cycle,
    ngx_stream_ntrip_main_conf_t *nmcf)
{
    ngx_stream_ntrip_turn_t         *turn;
    ngx_stream_ntrip_cluster_ctx_t  *ctx;

    ctx = &ngx_stream_ntrip_cluster;

    ngx_memzero(ctx, sizeof(ngx_stream_ntrip_cluster_ctx_t));
    ngx_queue_init(&ctx->works);

    ctx->task = ngx_thread_task_alloc(cycle->pool,
                                      sizeof(ngx_stream_ntrip_turn_t));
    if (ctx->task == NULL) {
        return NGX_ERROR;
    }

    turn = ctx->task->ctx;

    ngx_memzero(turn, sizeof(ngx_stream_ntrip_turn_t));

    turn->mirror.pg.conninfo = (char *) nmcf->cluster->conninfo.data;
    turn->mirror.path = (char *) nmcf->database.data;

    ctx->task->handler = ngx_stream_ntrip_cluster_thread;
    ctx->task->event.handler = ngx_stream_ntrip_cluster_done;
    ctx->task->event.data = ctx;

    ctx->conf = nmcf;

    return NGX_OK;
}


/* as the store's: the thread has ended */

void
ngx_stream_ntrip_cluster_exit(void)
{
    ngx_queue_t                     *q;
    ngx_stream_ntrip_work_t         *work;
    ngx_stream_ntrip_turn_t         *turn;
    ngx_stream_ntrip_cluster_ctx_t  *ctx;

    ctx = &ngx_stream_ntrip_cluster;

    if (ctx->conf == NULL) {
        return;
    }

    ctx->conf = NULL;
    turn = ctx->task->ctx;

    if (ctx->busy && turn->work) {
        ngx_queue_insert_head(&ctx->works, &turn->work->queue);
    }

    while (!ngx_queue_empty(&ctx->works)) {
        q = ngx_queue_head(&ctx->works);
        ngx_queue_remove(q);

        work = ngx_queue_data(q, ngx_stream_ntrip_work_t, queue);
        work->data = NULL;
        work->free(work);
    }

    ngx_stream_ntrip_cluster_unwatch();
    ngx_stream_ntrip_pg_close(&turn->mirror.pg);
    ngx_stream_ntrip_store_detach(&turn->mirror.attached);
}


void
ngx_stream_ntrip_cluster_tick(void)
{
    ngx_stream_ntrip_turn_t         *turn;
    ngx_stream_ntrip_cluster_ctx_t  *ctx;

    ctx = &ngx_stream_ntrip_cluster;

    if (ctx->conf == NULL || ctx->busy) {
        return;
    }

    if (ngx_stream_ntrip_cluster_mine()) {
        ngx_stream_ntrip_cluster_turn();
        return;
    }

    /* it is another worker's by now */

    turn = ctx->task->ctx;

    ngx_stream_ntrip_cluster_unwatch();
    ngx_stream_ntrip_pg_close(&turn->mirror.pg);
}


/* whether the mirror is this worker's */

static ngx_uint_t
ngx_stream_ntrip_cluster_mine(void)
{
    return ngx_stream_ntrip_worker_first()
           && ngx_stream_ntrip_store_sync() == NGX_OK;
}


ngx_int_t
ngx_stream_ntrip_cluster_change(ngx_stream_ntrip_work_t *work)
{
    ngx_stream_ntrip_cluster_ctx_t  *ctx;

    ctx = &ngx_stream_ntrip_cluster;

    if (ctx->conf == NULL || ctx->nworks == NGX_STREAM_NTRIP_CLUSTER_QUEUE) {
        return NGX_ERROR;
    }

    ngx_queue_insert_tail(&ctx->works, &work->queue);
    ctx->nworks++;

    if (!ctx->busy) {
        ngx_stream_ntrip_cluster_turn();
    }

    return NGX_OK;
}


static void
ngx_stream_ntrip_cluster_turn(void)
{
    ngx_queue_t                     *q;
    ngx_stream_ntrip_turn_t         *turn;
    ngx_stream_ntrip_cluster_ctx_t  *ctx;

    ctx = &ngx_stream_ntrip_cluster;
    turn = ctx->task->ctx;

    ngx_stream_ntrip_cluster_unwatch();

    turn->work = NULL;
    turn->keep = ngx_stream_ntrip_cluster_mine();
    turn->mirror.copy = turn->keep;
    turn->mirror.made = 0;
    turn->mirror.copied = -1;

    if (!ngx_queue_empty(&ctx->works)) {
        q = ngx_queue_head(&ctx->works);
        ngx_queue_remove(q);
        ctx->nworks--;

        turn->work = ngx_queue_data(q, ngx_stream_ntrip_work_t, queue);
    }

    ctx->busy = 1;
    ctx->began = ngx_current_msec;

    if (ngx_thread_task_post(ctx->conf->cluster->thread_pool, ctx->task)
        == NGX_OK)
    {
        return;
    }

    /* the queue of the pool is full, the tick tries again */

    ctx->busy = 0;

    if (turn->work) {
        ngx_queue_insert_head(&ctx->works, &turn->work->queue);
        ctx->nworks++;
    }
}


static void
ngx_stream_ntrip_cluster_thread(void *data, ngx_log_t *log)
{
    ngx_stream_ntrip_turn_t *turn = data;

    PGconn                     *old;
    ngx_stream_ntrip_pg_t      *pg;
    ngx_stream_ntrip_writer_t   writer;

    pg = &turn->mirror.pg;

    if (turn->work) {

        /* nothing is written into a schema of another version */

        if (ngx_stream_ntrip_mirror_known(&turn->mirror) == NGX_OK) {
            ngx_stream_ntrip_cluster_writer(&writer, pg);
            turn->work->run(turn->work, &writer);

        } else {
            turn->work->rc = NGX_ERROR;
        }
    }

    if (turn->work && pg->lost) {

        /* it would only be waited for once more */

        turn->mirror.file = NULL;
        (void) ngx_cpystrn((u_char *) turn->mirror.error,
                           (u_char *) pg->error, sizeof(pg->error));
        turn->rc = NGX_ERROR;

    } else {
        old = pg->conn;
        turn->rc = ngx_stream_ntrip_mirror_turn(&turn->mirror);

        /* one from an earlier turn may have ended since; whether it is away a
           new one tells */

        if (turn->rc != NGX_OK && old && pg->lost && !pg->silent) {
            turn->rc = ngx_stream_ntrip_mirror_turn(&turn->mirror);
        }
    }

    if (!turn->keep) {
        ngx_stream_ntrip_pg_close(pg);
    }
}


static void
ngx_stream_ntrip_cluster_done(ngx_event_t *ev)
{
    ngx_stream_ntrip_work_t         *work;
    ngx_stream_ntrip_turn_t         *turn;
    ngx_stream_ntrip_cluster_ctx_t  *ctx;

    ctx = ev->data;
    turn = ctx->task->ctx;
    work = turn->work;

    ctx->busy = 0;

    /* what is in the file now this worker knows at once */

    (void) ngx_stream_ntrip_store_sync();

    if (turn->keep) {
        ngx_stream_ntrip_cluster_told(turn);
    }

    if (work) {
        turn->work = NULL;

        if (work->data) {
            work->done(work);
        }

        work->free(work);
    }

    if (ctx->busy) {
        return;
    }

    if (!ngx_queue_empty(&ctx->works)) {
        ngx_stream_ntrip_cluster_turn();

    } else if (turn->keep) {
        ngx_stream_ntrip_cluster_watch(turn);
    }
}


/* logs what has come of a turn, and leaves it for the status */

static void
ngx_stream_ntrip_cluster_told(ngx_stream_ntrip_turn_t *turn)
{
    ntrip_bus_t                     *bus;
    ngx_stream_ntrip_cluster_ctx_t  *ctx;

    ctx = &ngx_stream_ntrip_cluster;
    bus = ngx_stream_ntrip_worker.bus;

    if (turn->mirror.made) {
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "the schema of \"ntrip_cluster\" was created");
    }

    if (turn->mirror.copied >= 0) {
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "ntrip database \"%V\" was copied from "
                      "\"ntrip_cluster\": %L rows in %M ms",
                      &ctx->conf->database, turn->mirror.copied,
                      ngx_current_msec - ctx->began);
    }

    if (turn->rc != NGX_OK) {
        if (ngx_strcmp(ctx->last, turn->mirror.error) != 0) {
            ctx->failures = 0;
            (void) ngx_cpystrn((u_char *) ctx->last,
                               (u_char *) turn->mirror.error,
                               NGX_STREAM_NTRIP_PG_ERROR);
        }

        ctx->failures++;
        bus->cluster = turn->mirror.file ? NTRIP_CLUSTER_STALE
                                         : NTRIP_CLUSTER_AWAY;

        /* that somebody else writes to the file passes, and so does what a
           server says that starts */

        if ((turn->mirror.file == NULL && ctx->reason == NULL)
            || ctx->failures == NGX_STREAM_NTRIP_CLUSTER_TURNS)
        {
            ngx_stream_ntrip_cluster_reason(turn);
        }

        return;
    }

    ctx->failures = 0;
    ctx->last[0] = '\0';

    bus->cluster = NTRIP_CLUSTER_CURRENT;
    bus->mirrored = ctx->began;
    bus->change = (uint64_t) turn->mirror.seq;

    if (ctx->reason) {
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "\"ntrip_cluster\" is available again");

        ngx_free(ctx->reason);
        ctx->reason = NULL;
    }
}


/* logged once for each reason */

static void
ngx_stream_ntrip_cluster_reason(ngx_stream_ntrip_turn_t *turn)
{
    size_t                           len;
    ngx_stream_ntrip_cluster_ctx_t  *ctx;

    ctx = &ngx_stream_ntrip_cluster;

    if (ctx->reason && ngx_strcmp(ctx->reason, turn->mirror.error) == 0) {
        return;
    }

    if (turn->mirror.file) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "ntrip database \"%V\" does not follow "
                      "\"ntrip_cluster\": %s",
                      &ctx->conf->database, turn->mirror.error);

    } else {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "\"ntrip_cluster\" is not available: %s",
                      turn->mirror.error);
    }

    if (ctx->reason) {
        ngx_free(ctx->reason);
    }

    len = ngx_strlen(turn->mirror.error) + 1;
    ctx->reason = ngx_alloc(len, ngx_cycle->log);

    if (ctx->reason) {
        ngx_memcpy(ctx->reason, turn->mirror.error, len);
    }
}


/* the descriptor is libpq's, the connection only borrows it */

static void
ngx_stream_ntrip_cluster_watch(ngx_stream_ntrip_turn_t *turn)
{
    ngx_event_t                     *rev;
    ngx_connection_t                *c;
    ngx_stream_ntrip_cluster_ctx_t  *ctx;

    ctx = &ngx_stream_ntrip_cluster;

    /* libpq may have seen the end of it since, with a notice */

    if (turn->mirror.pg.conn == NULL || PQsocket(turn->mirror.pg.conn) == -1) {
        return;
    }

    c = ngx_get_connection(PQsocket(turn->mirror.pg.conn), ngx_cycle->log);
    if (c == NULL) {
        return;
    }

    rev = c->read;

    rev->log = ngx_cycle->log;
    rev->handler = ngx_stream_ntrip_cluster_notified;
    rev->channel = 1;
    c->write->channel = 1;

    if (ngx_add_event(rev, NGX_READ_EVENT, 0) == NGX_ERROR) {
        ngx_free_connection(c);
        return;
    }

    ctx->watch = c;
}


static void
ngx_stream_ntrip_cluster_unwatch(void)
{
    ngx_connection_t                *c;
    ngx_stream_ntrip_cluster_ctx_t  *ctx;

    ctx = &ngx_stream_ntrip_cluster;
    c = ctx->watch;

    if (c == NULL) {
        return;
    }

    ctx->watch = NULL;

    if (c->read->active) {
        (void) ngx_del_event(c->read, NGX_READ_EVENT, 0);
    }

    ngx_free_connection(c);
    c->fd = (ngx_socket_t) -1;
}


/* a notice, or the end of the connection */

static void
ngx_stream_ntrip_cluster_notified(ngx_event_t *rev)
{
    ngx_stream_ntrip_cluster_unwatch();
    ngx_stream_ntrip_cluster_turn();
}


ngx_uint_t
ngx_stream_ntrip_cluster_conninfo(const char *conninfo)
{
    char              *error;
    ngx_uint_t         ok;
    PQconninfoOption  *options, *option;

    options = PQconninfoParse(conninfo, &error);

    if (options == NULL) {
        PQfreemem(error);
        return 0;
    }

    ok = 1;

    if (strncmp(conninfo, "postgres", 8) == 0 && strstr(conninfo, "://")) {

        for (option = options; option->keyword; option++) {

            if (option->val
                && !ngx_stream_ntrip_cluster_plain(option->keyword,
                                                   option->val))
            {
                ok = 0;
            }
        }
    }

    PQconninfoFree(options);

    return ok;
}


/* In a URI, a password with an "@" or "/" that is not escaped goes on in what
   libpq takes for the host, the port or the database, which it names when there
   is none.  A path of a socket may begin with "@". */

static ngx_uint_t
ngx_stream_ntrip_cluster_plain(const char *name, const char *value)
{
    if (strcmp(name, "host") == 0) {
        return value[0] == '\0' || strchr(value + 1, '@') == NULL;
    }

    if (strcmp(name, "dbname") == 0) {
        return strchr(value, '@') == NULL;
    }

    if (strcmp(name, "port") == 0) {
        return value[strspn(value, "0123456789,")] == '\0';
    }

    return 1;
}
