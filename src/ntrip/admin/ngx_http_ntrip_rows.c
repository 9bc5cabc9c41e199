
/*
 * Fieldgate: "ntrip_status": what is in the database: users, accounts,
 * stations, usage.
 *
 * A thread reads a batch of rows and writes each as an item that is not ended
 * yet; the event loop adds what only memory knows, and takes what the filters
 * let pass, batch after batch, until the page is full.  Columns are shown as
 * they are, whatever the schema has, but no password.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <sqlite3.h>

#include "ngx_http_ntrip_status.h"
#include "ngx_stream_ntrip_stream.h"


/* rows that a thread reads before it looks for other work */
#define NGX_HTTP_NTRIP_BATCH    256

/* bytes of them, at least one item's */
#define NGX_HTTP_NTRIP_ROOM     (4 * NGX_HTTP_NTRIP_ITEM)

/* bytes of an item for what only memory knows */
#define NGX_HTTP_NTRIP_MORE     1024

/* "day kind name" of usage */
#define NGX_HTTP_NTRIP_PLACE    640

/* separates those of a list in one column */
#define NGX_HTTP_NTRIP_LIST     '\n'


/* a row; texts are in the batch's memory */

typedef struct {
    uint64_t                     key;      /* of the table */
    ngx_str_t                    place;    /* or this is its key */
    ngx_str_t                    name;
    ngx_str_t                    mount;
    int64_t                      expires;
    ngx_str_t                    item;     /* its end is missing */
    ngx_uint_t                   matched;
} ngx_http_ntrip_row_t;


struct ngx_http_ntrip_rows_s {
    ngx_stream_ntrip_work_t      work;     /* first; its data: the context */

    const char                  *sql;
    uint64_t                     after;
    size_t                       place_len;
    u_char                       place[NGX_HTTP_NTRIP_PLACE];
    ngx_str_t                    id;       /* of one */
    ngx_uint_t                   nfilters;
    ntrip_json_filter_t          filters[NTRIP_JSON_FILTERS];

    ngx_uint_t                   next;     /* row to be taken */
    ngx_uint_t                   n;
    ngx_http_ntrip_row_t         rows[NGX_HTTP_NTRIP_BATCH];

    unsigned                     placed:1; /* keys are texts */
    unsigned                     csv:1;
    unsigned                     posted:1;
    unsigned                     read:1;   /* a batch is there */
    unsigned                     more:1;   /* behind this batch */

    u_char                      *last;
    u_char                       room[NGX_HTTP_NTRIP_ROOM];
};


static ngx_int_t ngx_http_ntrip_rows(ngx_http_ntrip_ctx_t *ctx,
    const char *list, const char *one,
    void (*more)(ntrip_json_t *json, ngx_http_ntrip_row_t *row));
static ngx_int_t ngx_http_ntrip_rows_create(ngx_http_ntrip_ctx_t *ctx,
    const char *sql, ngx_uint_t placed);
static ngx_int_t ngx_http_ntrip_rows_post(ngx_http_ntrip_ctx_t *ctx);
static ngx_int_t ngx_http_ntrip_rows_take(ngx_http_ntrip_ctx_t *ctx,
    void (*more)(ntrip_json_t *json, ngx_http_ntrip_row_t *row));
static void ngx_http_ntrip_rows_run(ngx_stream_ntrip_work_t *work, void *db);
static ngx_uint_t ngx_http_ntrip_rows_row(ngx_http_ntrip_rows_t *rows,
    sqlite3_stmt *stmt);
static void ngx_http_ntrip_rows_known(ngx_http_ntrip_rows_t *rows,
    ngx_http_ntrip_row_t *row, sqlite3_stmt *stmt);
static void ngx_http_ntrip_rows_copy(ngx_http_ntrip_rows_t *rows,
    ngx_str_t *text, sqlite3_stmt *stmt, int i);
static void ngx_http_ntrip_rows_line(ntrip_out_t *out, sqlite3_stmt *stmt);
static ngx_int_t ngx_http_ntrip_rows_link(ngx_http_ntrip_ctx_t *ctx,
    ngx_str_t *next);
static void ngx_http_ntrip_rows_column(ntrip_json_t *json,
    sqlite3_stmt *stmt, int i);
static void ngx_http_ntrip_rows_list(ntrip_json_t *json, const char *name,
    ngx_str_t *text);
static void ngx_http_ntrip_rows_done(ngx_stream_ntrip_work_t *work);
static void ngx_http_ntrip_rows_free(ngx_stream_ntrip_work_t *work);
static void ngx_http_ntrip_user(ntrip_json_t *json,
    ngx_http_ntrip_row_t *row);
static void ngx_http_ntrip_source(ntrip_json_t *json,
    ngx_http_ntrip_row_t *row);
static void ngx_http_ntrip_station(ntrip_json_t *json,
    ngx_http_ntrip_row_t *row);


const char  *ngx_http_ntrip_states[] = {
    "free", "used", "resting", "refused", "expired"
};


/* the first column of each is the key, which is no field of its own */

#define NGX_HTTP_NTRIP_SOURCES                                                \
    "SELECT id AS rowid, *,"                                                  \
    " (SELECT group_concat(p.name, char(10)) FROM pool AS p"                  \
    "  WHERE p.source = source.id) AS pools FROM source"


ngx_int_t
ngx_http_ntrip_users(ngx_http_ntrip_ctx_t *ctx)
{
    return ngx_http_ntrip_rows(ctx,
               "SELECT rowid, * FROM user WHERE rowid > :after ORDER BY rowid",
               "SELECT rowid, * FROM user WHERE name = :id",
               ngx_http_ntrip_user);
}


ngx_int_t
ngx_http_ntrip_accounts(ngx_http_ntrip_ctx_t *ctx)
{
    return ngx_http_ntrip_rows(ctx,
               NGX_HTTP_NTRIP_SOURCES " WHERE id > :after ORDER BY id",
               NGX_HTTP_NTRIP_SOURCES " WHERE id = CAST(:id AS INTEGER)"
                                      " AND CAST(id AS TEXT) = :id",
               ngx_http_ntrip_source);
}


ngx_int_t
ngx_http_ntrip_stations(ngx_http_ntrip_ctx_t *ctx)
{
    return ngx_http_ntrip_rows(ctx,
               "SELECT rowid, * FROM station WHERE rowid > :after"
               " ORDER BY rowid",
               "SELECT rowid, * FROM station WHERE mount = :id",
               ngx_http_ntrip_station);
}


/* the key is what the cursor is, in one text: "day kind name" */

ngx_int_t
ngx_http_ntrip_usage(ngx_http_ntrip_ctx_t *ctx)
{
    static const u_char  head[] = "day,kind,name,sessions,seconds,bytes" CRLF;

    if (ctx->rows == NULL) {
        ngx_stream_ntrip_usage_ask();

        if (ctx->csv) {
            ngx_str_set(&ctx->type, "text/csv; charset=utf-8");
            ngx_http_ntrip_add(ctx, (u_char *) head, sizeof(head) - 1);

            ctx->limit = ctx->limited ? ctx->limit : NGX_HTTP_NTRIP_LINES;
        }
    }

    return ngx_http_ntrip_rows(ctx,
               "SELECT day || ' ' || kind || ' ' || name AS place, *"
               " FROM usage WHERE (day, kind, name) > (substr(:place, 1, 10),"
               " substr(:place, 12, instr(substr(:place, 12), ' ') - 1),"
               " substr(:place, 12 + instr(substr(:place, 12), ' ')))"
               " ORDER BY day, kind, name",
               NULL, NULL);
}


static ngx_int_t
ngx_http_ntrip_rows(ngx_http_ntrip_ctx_t *ctx, const char *list,
    const char *one, void (*more)(ntrip_json_t *json,
    ngx_http_ntrip_row_t *row))
{
    u_char                  buf[NGX_INT64_LEN];
    ngx_int_t               rc;
    ngx_str_t               next;
    ngx_http_ntrip_rows_t  *rows;

    if (ctx->rows == NULL) {
        rc = ngx_http_ntrip_rows_create(ctx, ctx->id.len ? one : list,
                                        one == NULL);

        if (rc != NGX_OK) {
            return rc;
        }

        return ngx_http_ntrip_rows_post(ctx);
    }

    rows = ctx->rows;

    if (rows->work.rc != NGX_OK) {
        return NGX_BUSY;
    }

    if (ngx_http_ntrip_rows_take(ctx, more) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ctx->id.len) {
        return ctx->n ? NGX_OK : NGX_DECLINED;
    }

    if (rows->next == rows->n) {

        if (!rows->more) {

            if (!ctx->csv) {
                ngx_http_ntrip_list_end(ctx, NULL);
            }

            return NGX_OK;
        }

        if (ctx->n < ctx->limit) {
            return ngx_http_ntrip_rows_post(ctx);
        }
    }

    if (rows->placed) {
        next.data = rows->place;
        next.len = rows->place_len;

    } else {
        next.data = buf;
        next.len = ngx_sprintf(buf, "%uL", rows->after) - buf;
    }

    if (ctx->csv) {
        return ngx_http_ntrip_rows_link(ctx, &next);
    }

    ngx_http_ntrip_list_end(ctx, &next);

    return NGX_OK;
}


/* lines have no room for a cursor */

static ngx_int_t
ngx_http_ntrip_rows_link(ngx_http_ntrip_ctx_t *ctx, ngx_str_t *next)
{
    u_char           *p;
    size_t            size;
    ngx_table_elt_t  *h;

    size = sizeof("<?format=csv&cursor=>; rel=\"next\"") + 3 * next->len;

    p = ngx_pnalloc(ctx->request->pool, size);
    h = ngx_http_ntrip_header(ctx->request, "Link", "");

    if (p == NULL || h == NULL) {
        return NGX_ERROR;
    }

    h->value.data = p;

    p = ngx_cpymem(p, "<?format=csv&cursor=",
                   sizeof("<?format=csv&cursor=") - 1);
    p = (u_char *) ngx_escape_uri(p, next->data, next->len,
                                  NGX_ESCAPE_URI_COMPONENT);
    p = ngx_cpymem(p, ">; rel=\"next\"", sizeof(">; rel=\"next\"") - 1);

    h->value.len = p - h->value.data;

    return NGX_OK;
}


/* outside the request's pool: a thread may have it for longer */

static ngx_int_t
ngx_http_ntrip_rows_create(ngx_http_ntrip_ctx_t *ctx, const char *sql,
    ngx_uint_t placed)
{
    size_t                  size;
    u_char                 *p;
    uint64_t                after;
    ngx_uint_t              i;
    ntrip_json_filter_t    *f;
    ngx_http_ntrip_rows_t  *rows;

    after = 0;

    if (ctx->after.len
        && (placed ? ctx->after.len > NGX_HTTP_NTRIP_PLACE
                   : ngx_http_ntrip_number(&ctx->after, &after) != NGX_OK))
    {
        return NGX_HTTP_BAD_REQUEST;
    }

    size = ctx->id.len;

    for (i = 0; i < ctx->nfilters; i++) {
        size += ctx->filters[i].name.len + ctx->filters[i].value.len;
    }

    rows = ngx_alloc(sizeof(ngx_http_ntrip_rows_t) + size,
                     ctx->request->connection->log);
    if (rows == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(rows, offsetof(ngx_http_ntrip_rows_t, room));

    rows->sql = sql;
    rows->after = after;
    rows->placed = placed;
    rows->csv = ctx->csv;

    if (placed && ctx->after.len) {
        rows->place_len = ctx->after.len;
        ngx_memcpy(rows->place, ctx->after.data, ctx->after.len);
    }

    p = (u_char *) rows + sizeof(ngx_http_ntrip_rows_t);

    rows->id.data = p;
    rows->id.len = ctx->id.len;
    p = ctx->id.len ? ngx_cpymem(p, ctx->id.data, ctx->id.len) : p;

    rows->nfilters = ctx->id.len ? 0 : ctx->nfilters;

    for (i = 0; i < rows->nfilters; i++) {
        f = &rows->filters[i];
        *f = ctx->filters[i];

        f->name.data = p;
        p = ngx_cpymem(p, ctx->filters[i].name.data, f->name.len);
        f->value.data = p;
        p = ngx_cpymem(p, ctx->filters[i].value.data, f->value.len);
    }

    rows->work.run = ngx_http_ntrip_rows_run;
    rows->work.done = ngx_http_ntrip_rows_done;
    rows->work.free = ngx_http_ntrip_rows_free;
    rows->work.data = ctx;

    ctx->rows = rows;

    return NGX_OK;
}


static ngx_int_t
ngx_http_ntrip_rows_post(ngx_http_ntrip_ctx_t *ctx)
{
    ngx_http_ntrip_rows_t  *rows;

    rows = ctx->rows;
    rows->posted = 1;

    if (ngx_stream_ntrip_store_post(&rows->work) != NGX_OK) {
        rows->posted = 0;
        return NGX_BUSY;
    }

    return NGX_DONE;
}


void
ngx_http_ntrip_rows_release(ngx_http_ntrip_ctx_t *ctx)
{
    ngx_http_ntrip_rows_t  *rows;

    rows = ctx->rows;

    if (rows == NULL) {
        return;
    }

    rows->work.data = NULL;

    if (!rows->posted) {
        ngx_http_ntrip_rows_free(&rows->work);
    }
}


/* the store calls this, too, after each batch: one that a request has stays */

static void
ngx_http_ntrip_rows_free(ngx_stream_ntrip_work_t *work)
{
    if (work->data == NULL) {
        ngx_free(work);
    }
}


static void
ngx_http_ntrip_rows_done(ngx_stream_ntrip_work_t *work)
{
    ngx_http_ntrip_ctx_t   *ctx;
    ngx_http_ntrip_rows_t  *rows;

    rows = (ngx_http_ntrip_rows_t *) work;
    rows->posted = 0;

    /* the request may end in its next turn: behind the call of "free" */

    ctx = work->data;
    ngx_post_event(&ctx->next, &ngx_posted_events);
}


/* in the thread */

static void
ngx_http_ntrip_rows_run(ngx_stream_ntrip_work_t *work, void *db)
{
    int                     i, rc;
    sqlite3_stmt           *stmt;
    ngx_http_ntrip_rows_t  *rows;

    rows = (ngx_http_ntrip_rows_t *) work;

    work->rc = NGX_ERROR;

    rows->last = rows->room;
    rows->n = 0;
    rows->next = 0;
    rows->more = 0;

    if (sqlite3_prepare_v2(db, rows->sql, -1, &stmt, NULL) != SQLITE_OK) {
        return;
    }

    i = sqlite3_bind_parameter_index(stmt, ":after");
    if (i) {
        (void) sqlite3_bind_int64(stmt, i, (sqlite3_int64) rows->after);
    }

    i = sqlite3_bind_parameter_index(stmt, ":place");
    if (i) {
        (void) sqlite3_bind_text(stmt, i, (char *) rows->place,
                                 (int) rows->place_len, SQLITE_TRANSIENT);
    }

    i = sqlite3_bind_parameter_index(stmt, ":id");
    if (i) {
        (void) sqlite3_bind_text(stmt, i, (char *) rows->id.data,
                                 (int) rows->id.len, SQLITE_TRANSIENT);
    }

    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {

        if (!ngx_http_ntrip_rows_row(rows, stmt)) {
            rows->more = 1;
            break;
        }
    }

    (void) sqlite3_finalize(stmt);

    if (rc == SQLITE_ROW || rc == SQLITE_DONE) {
        work->rc = NGX_OK;
    }
}


/* 0: there is no room for it */

static ngx_uint_t
ngx_http_ntrip_rows_row(ngx_http_ntrip_rows_t *rows, sqlite3_stmt *stmt)
{
    int                    i;
    u_char                *end;
    ntrip_json_t           json;
    ngx_http_ntrip_row_t  *row;

    if (rows->n == NGX_HTTP_NTRIP_BATCH
        || rows->room + NGX_HTTP_NTRIP_ROOM - rows->last
           < 2 * NGX_HTTP_NTRIP_ITEM)
    {
        return 0;
    }

    row = &rows->rows[rows->n++];

    ngx_memzero(row, sizeof(ngx_http_ntrip_row_t));
    ngx_http_ntrip_rows_known(rows, row, stmt);

    ntrip_json_init(&json, rows->last,
                    NGX_HTTP_NTRIP_ITEM - NGX_HTTP_NTRIP_MORE,
                    rows->filters, rows->nfilters);
    ntrip_json_open(&json, NULL, '{');

    for (i = 1; i < sqlite3_column_count(stmt); i++) {
        end = json.out.last;

        ngx_http_ntrip_rows_column(&json, stmt, i);

        /* a column that does not fit is not shown, but the others are */

        if (json.out.overflow) {
            json.out.last = end;
            json.out.overflow = 0;
        }
    }

    row->matched = json.matched;

    if (rows->csv) {
        ntrip_out_init(&json.out, rows->last, NGX_HTTP_NTRIP_ITEM);
        ngx_http_ntrip_rows_line(&json.out, stmt);
    }

    row->item.data = json.out.start;
    row->item.len = json.out.last - json.out.start;

    rows->last = json.out.last;

    return 1;
}


/* what the event loop has to know of it */

static void
ngx_http_ntrip_rows_known(ngx_http_ntrip_rows_t *rows,
    ngx_http_ntrip_row_t *row, sqlite3_stmt *stmt)
{
    int          i;
    const char  *name;

    if (rows->placed) {
        ngx_http_ntrip_rows_copy(rows, &row->place, stmt, 0);

    } else {
        row->key = (uint64_t) sqlite3_column_int64(stmt, 0);
    }

    for (i = 1; i < sqlite3_column_count(stmt); i++) {
        name = sqlite3_column_name(stmt, i);

        if (ngx_strcmp(name, "name") == 0) {
            ngx_http_ntrip_rows_copy(rows, &row->name, stmt, i);

        } else if (ngx_strcmp(name, "mount") == 0) {
            ngx_http_ntrip_rows_copy(rows, &row->mount, stmt, i);

        } else if (ngx_strcmp(name, "expires_at") == 0) {
            row->expires = sqlite3_column_int64(stmt, i);
        }
    }
}


static void
ngx_http_ntrip_rows_copy(ngx_http_ntrip_rows_t *rows, ngx_str_t *text,
    sqlite3_stmt *stmt, int i)
{
    text->len = ngx_min(sqlite3_column_bytes(stmt, i), NGX_HTTP_NTRIP_PLACE);
    text->data = rows->last;

    if (text->len) {
        rows->last = ngx_cpymem(rows->last, sqlite3_column_text(stmt, i),
                                text->len);
    }
}


/* RFC 4180 */

static void
ngx_http_ntrip_rows_line(ntrip_out_t *out, sqlite3_stmt *stmt)
{
    int            i;
    const u_char  *p;

    for (i = 1; i < sqlite3_column_count(stmt); i++) {

        if (i > 1) {
            ntrip_out_char(out, ',');
        }

        p = sqlite3_column_text(stmt, i);

        if (sqlite3_column_type(stmt, i) == SQLITE_INTEGER || p == NULL) {
            ntrip_out_text(out, p ? (const char *) p : "");
            continue;
        }

        ntrip_out_char(out, '"');

        for ( /* void */ ; *p; p++) {
            if (*p == '"') {
                ntrip_out_char(out, '"');
            }

            ntrip_out_char(out, *p);
        }

        ntrip_out_char(out, '"');
    }

    ntrip_out_text(out, CRLF);
}


static void
ngx_http_ntrip_rows_column(ntrip_json_t *json, sqlite3_stmt *stmt, int i)
{
    ngx_str_t    text;
    const char  *name;

    name = sqlite3_column_name(stmt, i);

    if (ngx_strcmp(name, "password") == 0) {
        return;
    }

    if (sqlite3_column_type(stmt, i) == SQLITE_INTEGER) {
        ntrip_json_int(json, name, sqlite3_column_int64(stmt, i));
        return;
    }

    text.data = (u_char *) sqlite3_column_text(stmt, i);
    text.len = sqlite3_column_bytes(stmt, i);

    if (ngx_strcmp(name, "pools") == 0) {
        ngx_http_ntrip_rows_list(json, name, &text);

    } else if (text.data) {
        ntrip_json_str(json, name, &text);

    } else {
        ntrip_json_null(json, name);
    }
}


static void
ngx_http_ntrip_rows_list(ntrip_json_t *json, const char *name,
    ngx_str_t *text)
{
    u_char     *p, *end, *next;
    ngx_uint_t  n;
    ngx_str_t   part;

    ntrip_json_open(json, name, '[');

    p = text->data;
    end = p + text->len;

    /* what does not fit into an item is not shown */

    for (n = 0; p && p < end && n < 64; n++) {
        next = ngx_strlchr(p, end, NGX_HTTP_NTRIP_LIST);
        next = next ? next : end;

        part.data = p;
        part.len = ngx_min(next - p, NTRIP_POOL_MAX);
        ntrip_json_str(json, NULL, &part);

        p = next + 1;
    }

    ntrip_json_close(json, ']');
}


/* back on the event loop */

static ngx_int_t
ngx_http_ntrip_rows_take(ngx_http_ntrip_ctx_t *ctx,
    void (*more)(ntrip_json_t *json, ngx_http_ntrip_row_t *row))
{
    u_char                  buf[NGX_HTTP_NTRIP_ITEM];
    ntrip_json_t            json;
    ngx_http_ntrip_row_t   *row;
    ngx_http_ntrip_rows_t  *rows;

    rows = ctx->rows;

    while (rows->next < rows->n && ctx->n < ctx->limit) {
        row = &rows->rows[rows->next++];

        if (rows->placed) {
            rows->place_len = row->place.len;
            ngx_memcpy(rows->place, row->place.data, row->place.len);
        }

        rows->after = row->key;

        ntrip_json_init(&json, buf, sizeof(buf), rows->filters,
                        rows->nfilters);
        ntrip_out_str(&json.out, &row->item);
        json.matched = row->matched;
        json.depth = 1;

        if (rows->csv) {

            if (ntrip_json_matches(&json)) {
                ngx_http_ntrip_add(ctx, json.out.start,
                                   json.out.last - json.out.start);
                ctx->n++;
            }

            continue;
        }

        if (more) {
            more(&json, row);
        }

        ntrip_json_close(&json, '}');

        if (ngx_http_ntrip_item(ctx, &json) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static void
ngx_http_ntrip_user(ntrip_json_t *json, ngx_http_ntrip_row_t *row)
{
    uint64_t                    user;
    ngx_uint_t                  n;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;

    user = ntrip_hash(worker->bus->seed, row->name.data, row->name.len, 0);

    ngx_stream_ntrip_lock();
    n = ntrip_group_count(&worker->zone->users, user);
    ngx_stream_ntrip_unlock();

    ntrip_json_int(json, "sessions", n);
}


static void
ngx_http_ntrip_source(ntrip_json_t *json, ngx_http_ntrip_row_t *row)
{
    ntrip_lease_row_t       lease;
    ngx_http_ntrip_state_e  state;

    state = ngx_http_ntrip_account(row->key, (time_t) row->expires, &lease);

    ntrip_json_text(json, "state", ngx_http_ntrip_states[state]);
    ntrip_json_int(json, "failures", lease.failures);

    ntrip_json_int(json, "rest",
                   (state == NGX_HTTP_NTRIP_RESTING
                    || state == NGX_HTTP_NTRIP_REFUSED)
                   && lease.until > ngx_current_msec
                   ? (int64_t) (lease.until - ngx_current_msec + 999) / 1000
                   : 0);

    if (lease.row.state == NTRIP_LEASE_HELD) {
        ntrip_json_int(json, "stream", lease.serial);

    } else {
        ntrip_json_null(json, "stream");
    }
}


/* who uploads now, and to whom */

static void
ngx_http_ntrip_station(ntrip_json_t *json, ngx_http_ntrip_row_t *row)
{
    uint64_t                    since, bytes, messages;
    ngx_uint_t                  live, rovers;
    ntrip_want_t                want;
    ntrip_stream_row_t         *stream;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;

    live = 0;
    rovers = 0;
    since = 0;
    bytes = 0;
    messages = 0;

    ngx_stream_ntrip_station_want(&want, &row->mount);

    ngx_stream_ntrip_lock();

    stream = ntrip_stream_find(worker->zone, worker->bus, &want);

    if (stream) {
        live = (stream->row.state == NTRIP_STREAM_LIVE
                && ntrip_bus_alive(worker->bus, stream->row.holder));
        rovers = ntrip_group_count(&worker->zone->members,
                                   stream->row.serial);
        since = stream->since;
        bytes = stream->bytes;
        messages = stream->messages;
    }

    ngx_stream_ntrip_unlock();

    ntrip_json_bool(json, "live", live);

    if (live) {
        ntrip_json_int(json, "since",
                       ngx_time() - (int64_t) (ngx_current_msec - since)
                                    / 1000);

    } else {
        ntrip_json_null(json, "since");
    }

    ntrip_json_int(json, "bytes", (int64_t) bytes);
    ntrip_json_int(json, "messages", (int64_t) messages);
    ntrip_json_int(json, "rovers", (int64_t) rovers);
}


ngx_http_ntrip_state_e
ngx_http_ntrip_account(uint64_t id, time_t expires, ntrip_lease_row_t *lease)
{
    ntrip_lease_row_t  *row;

    ngx_memzero(lease, sizeof(ntrip_lease_row_t));

    ngx_stream_ntrip_lock();

    row = ntrip_lease_find(ngx_stream_ntrip_worker.zone, id);

    if (row) {
        *lease = *row;
    }

    ngx_stream_ntrip_unlock();

    if (lease->row.state != NTRIP_ROW_FREE
        && lease->row.state != NTRIP_LEASE_IDLE)
    {
        return NGX_HTTP_NTRIP_USED;
    }

    if (expires <= ngx_time()) {
        return NGX_HTTP_NTRIP_EXPIRED;
    }

    if (lease->failures && lease->last == NTRIP_REST_REFUSED) {
        return NGX_HTTP_NTRIP_REFUSED;
    }

    return lease->until > ngx_current_msec ? NGX_HTTP_NTRIP_RESTING
                                           : NGX_HTTP_NTRIP_FREE;
}
