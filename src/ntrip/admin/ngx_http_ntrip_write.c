
/*
 * Fieldgate: "ntrip_api": changes of users, accounts and stations, by the
 * connection that writes, as those of the console.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_ntrip_status.h"
#include "ngx_stream_ntrip_console.h"


#define NGX_HTTP_NTRIP_SQL  1024


typedef enum {
    NGX_HTTP_NTRIP_TEXT = 0,
    NGX_HTTP_NTRIP_NAME,           /* neither empty nor with a colon */
    NGX_HTTP_NTRIP_SECRET,         /* stored as it is */
    NGX_HTTP_NTRIP_PASSWORD,       /* as ntrip_password_storage says */
    NGX_HTTP_NTRIP_NUMBER
} ngx_http_ntrip_column_e;


typedef struct {
    const char                  *name;
    ngx_http_ntrip_column_e      type;
    int64_t                      max;      /* its length; of a number */
} ngx_http_ntrip_column_t;


typedef struct {
    const char                  *endpoint;
    const char                  *table;
    const char                  *key;
    const char                  *name;       /* that a new one needs, */
    const char                  *required;   /* and this, and a password */
    ngx_http_ntrip_column_t     *columns;
} ngx_http_ntrip_written_t;


struct ngx_http_ntrip_write_s {
    ngx_stream_ntrip_work_t      work;     /* first; its data: the context */

    ngx_http_ntrip_written_t    *table;
    ngx_uint_t                   method;
    ngx_uint_t                   storage;
    ngx_str_t                    id;
    ngx_int_t                    status;

    ngx_uint_t                   n;
    ntrip_json_member_t          members[NTRIP_JSON_MEMBERS];
    ngx_http_ntrip_column_t     *columns[NTRIP_JSON_MEMBERS];

    unsigned                     posted:1;

    size_t                       key_len;
    u_char                       key[NTRIP_USER_MAX];
    size_t                       size;
    u_char                       text[];   /* id, body */
};


static ngx_http_ntrip_column_t  ngx_http_ntrip_user_columns[] = {
    { "name", NGX_HTTP_NTRIP_NAME, NTRIP_USER_MAX },
    { "password", NGX_HTTP_NTRIP_PASSWORD, NTRIP_PASSWORD_MAX },
    { "valid_from", NGX_HTTP_NTRIP_NUMBER, 253402214400 },
    { "expires_at", NGX_HTTP_NTRIP_NUMBER, 253402214400 },
    { "max_sessions", NGX_HTTP_NTRIP_NUMBER, 1000000 },
    { "mounts", NGX_HTTP_NTRIP_TEXT, 255 },
    { "area", NGX_HTTP_NTRIP_TEXT, 255 },
    { "quota_bytes", NGX_HTTP_NTRIP_NUMBER, 999999999999999999 },
    { "quota_seconds", NGX_HTTP_NTRIP_NUMBER, 999999999999999999 },
    { "note", NGX_HTTP_NTRIP_TEXT, NTRIP_JSON_STRING },
    { NULL, 0, 0 }
};


static ngx_http_ntrip_column_t  ngx_http_ntrip_source_columns[] = {
    { "pool", NGX_HTTP_NTRIP_NAME, NTRIP_POOL_MAX },
    { "host", NGX_HTTP_NTRIP_TEXT, NTRIP_HOST_MAX },
    { "port", NGX_HTTP_NTRIP_NUMBER, 65535 },
    { "tls", NGX_HTTP_NTRIP_NUMBER, 1 },
    { "ntrip", NGX_HTTP_NTRIP_NUMBER, 2 },
    { "name", NGX_HTTP_NTRIP_NAME, NTRIP_USER_MAX },
    { "password", NGX_HTTP_NTRIP_SECRET, NTRIP_PASSWORD_MAX },
    { "expires_at", NGX_HTTP_NTRIP_NUMBER, 253402214400 },
    { "note", NGX_HTTP_NTRIP_TEXT, NTRIP_JSON_STRING },
    { NULL, 0, 0 }
};


static ngx_http_ntrip_column_t  ngx_http_ntrip_station_columns[] = {
    { "mount", NGX_HTTP_NTRIP_NAME, NTRIP_MOUNT_MAX },
    { "name", NGX_HTTP_NTRIP_TEXT, NTRIP_USER_MAX },
    { "password", NGX_HTTP_NTRIP_PASSWORD, NTRIP_PASSWORD_MAX },
    { "str", NGX_HTTP_NTRIP_TEXT, NTRIP_JSON_STRING },
    { NULL, 0, 0 }
};


static ngx_http_ntrip_written_t  ngx_http_ntrip_written[] = {
    { "users", "\"user\"", "name", "name", "password",
      ngx_http_ntrip_user_columns },
    { "accounts", "source", "id", "name", "host",
      ngx_http_ntrip_source_columns },
    { "stations", "station", "mount", "mount", "password",
      ngx_http_ntrip_station_columns },
    { NULL, NULL, NULL, NULL, NULL, NULL }
};


static ngx_int_t ngx_http_ntrip_write_check(ngx_http_ntrip_ctx_t *ctx,
    ngx_http_ntrip_write_t *w);
static const char *ngx_http_ntrip_write_column(ngx_http_ntrip_column_t *c,
    ntrip_json_member_t *m);
static const char *ngx_http_ntrip_write_values(ngx_http_ntrip_write_t *w);
static ngx_str_t *ngx_http_ntrip_write_has(ngx_http_ntrip_write_t *w,
    const char *name);
static void ngx_http_ntrip_write_run(ngx_stream_ntrip_work_t *work, void *db);
static void ngx_http_ntrip_write_sql(ngx_http_ntrip_write_t *w, u_char *sql);
static void ngx_http_ntrip_write_key(ngx_http_ntrip_write_t *w, int64_t id);
static ngx_int_t ngx_http_ntrip_write_params(ngx_http_ntrip_write_t *w,
    ngx_stream_ntrip_change_t *change, u_char *stored);
static void ngx_http_ntrip_write_done(ngx_stream_ntrip_work_t *work);
static void ngx_http_ntrip_write_free(ngx_stream_ntrip_work_t *work);


/* NGX_DONE, or what is wrong */

ngx_int_t
ngx_http_ntrip_write(ngx_http_ntrip_ctx_t *ctx, ngx_str_t *body)
{
    size_t                         size;
    u_char                        *p;
    ngx_int_t                      rc;
    ngx_str_t                      text;
    ngx_http_ntrip_write_t        *w;
    ngx_stream_ntrip_main_conf_t  *nmcf;

    size = sizeof(ngx_http_ntrip_write_t) + ctx->id.len + body->len;

    w = ngx_calloc(size, ctx->request->connection->log);
    if (w == NULL) {
        return NGX_ERROR;
    }

    w->size = size;
    w->work.run = ngx_http_ntrip_write_run;
    w->work.done = ngx_http_ntrip_write_done;
    w->work.free = ngx_http_ntrip_write_free;
    w->work.data = ctx;
    w->method = ctx->request->method;

    ctx->write = w;

    nmcf = ngx_stream_cycle_get_module_main_conf(ngx_cycle,
                                                 ngx_stream_ntrip_module);
    w->storage = nmcf->storage;

    for (w->table = ngx_http_ntrip_written;
         ngx_strcmp(w->table->endpoint, ctx->endpoint->name.data) != 0;
         w->table++)
    {
        /* void */
    }

    p = w->text;
    w->id.data = p;
    w->id.len = ctx->id.len;
    p = ctx->id.len ? ngx_cpymem(p, ctx->id.data, ctx->id.len) : p;

    if (w->method != NGX_HTTP_DELETE) {
        text.data = p;
        text.len = body->len;

        if (body->len) {
            ngx_memcpy(p, body->data, body->len);
            ngx_explicit_memzero(body->data, body->len);
        }

        w->n = NTRIP_JSON_MEMBERS;

        if (ntrip_json_read(&text, w->members, &w->n) != NGX_OK) {
            ctx->detail = "the body is no JSON object of texts and numbers";
            return NGX_HTTP_BAD_REQUEST;
        }

        rc = ngx_http_ntrip_write_check(ctx, w);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    w->posted = 1;

    if (ngx_stream_ntrip_store_change(&w->work) != NGX_OK) {
        w->posted = 0;
        return NGX_BUSY;
    }

    return NGX_DONE;
}


static ngx_int_t
ngx_http_ntrip_write_check(ngx_http_ntrip_ctx_t *ctx,
    ngx_http_ntrip_write_t *w)
{
    ngx_uint_t                i;
    ngx_http_ntrip_column_t  *c;

    if (w->n == 0) {
        ctx->detail = "the body has no columns";
        return NGX_HTTP_BAD_REQUEST;
    }

    for (i = 0; i < w->n; i++) {

        for (c = w->table->columns; c->name; c++) {
            if (ngx_strlen(c->name) == w->members[i].name.len
                && ngx_memcmp(c->name, w->members[i].name.data,
                              w->members[i].name.len) == 0)
            {
                break;
            }
        }

        if (c->name == NULL) {
            ctx->detail = "there is no such column, or it cannot be set";
            return NGX_HTTP_BAD_REQUEST;
        }

        w->columns[i] = c;

        ctx->detail = ngx_http_ntrip_write_column(c, &w->members[i]);

        if (ctx->detail) {
            return NGX_HTTP_BAD_REQUEST;
        }
    }

    ctx->detail = ngx_http_ntrip_write_values(w);

    if (ctx->detail) {
        return NGX_HTTP_BAD_REQUEST;
    }

    if (w->method == NGX_HTTP_POST
        && (!ngx_http_ntrip_write_has(w, w->table->required)
            || !ngx_http_ntrip_write_has(w, "password")
            || !ngx_http_ntrip_write_has(w, w->table->name)))
    {
        ctx->detail = "a column is missing that has no default";
        return NGX_HTTP_BAD_REQUEST;
    }

    return NGX_OK;
}


/* what would be there, and of no use: NULL, or what is wrong with it */

static const char *
ngx_http_ntrip_write_values(ngx_http_ntrip_write_t *w)
{
    ngx_str_t    *mount, *str, *area, *host;
    const char   *wrong;
    ntrip_area_t  circle;

    mount = ngx_http_ntrip_write_has(w, "mount");
    str = ngx_http_ntrip_write_has(w, "str");
    area = ngx_http_ntrip_write_has(w, "area");
    host = ngx_http_ntrip_write_has(w, "host");

    if (host && host->len == 0) {
        return "host is empty";
    }

    if (area) {
        ntrip_area_parse(&circle, area);

        if (circle.kind == NTRIP_AREA_NOWHERE) {
            return "area is no latitude,longitude,kilometres";
        }
    }

    wrong = mount ? ntrip_mount_check(mount) : NULL;

    if (wrong == NULL && str && str->len) {
        wrong = ntrip_str_check(mount ? mount : &w->id, str);
    }

    return wrong;
}


static const char *
ngx_http_ntrip_write_column(ngx_http_ntrip_column_t *c,
    ntrip_json_member_t *m)
{
    if (c->type == NGX_HTTP_NTRIP_NUMBER) {

        if (m->type != NTRIP_JSON_NUMBER && m->type != NTRIP_JSON_BOOL) {
            return "a column takes a number";
        }

        return (m->number < 0 || m->number > c->max)
               ? "a number is out of range" : NULL;
    }

    if (m->type != NTRIP_JSON_TEXT) {
        return "a column takes a text";
    }

    if ((int64_t) m->text.len > c->max) {
        return "a text is too long";
    }

    if (ntrip_text_controls(&m->text)) {
        return "a text has control characters";
    }

    if (c->type == NGX_HTTP_NTRIP_NAME
        && (m->text.len == 0
            || ngx_strlchr(m->text.data, m->text.data + m->text.len, ':')))
    {
        return "a name is empty, or has a colon";
    }

    return NULL;
}


/* the text of the column, or NULL: it is not in the body */

static ngx_str_t *
ngx_http_ntrip_write_has(ngx_http_ntrip_write_t *w, const char *name)
{
    ngx_uint_t  i;

    for (i = 0; i < w->n; i++) {
        if (ngx_strcmp(w->columns[i]->name, name) == 0) {
            return &w->members[i].text;
        }
    }

    return NULL;
}


/* in the thread */

static void
ngx_http_ntrip_write_run(ngx_stream_ntrip_work_t *work, void *db)
{
    u_char                      stored[NTRIP_PASSWORD_STORED];
    u_char                      sql[NGX_HTTP_NTRIP_SQL];
    ngx_int_t                   rc;
    ngx_http_ntrip_write_t     *w;
    ngx_stream_ntrip_change_t   change;
    ngx_stream_ntrip_writer_t  *writer;

    w = (ngx_http_ntrip_write_t *) work;
    writer = db;

    work->rc = NGX_OK;
    w->status = NGX_HTTP_SERVICE_UNAVAILABLE;

    ngx_http_ntrip_write_sql(w, sql);

    change.sql = (char *) sql;
    change.added = (w->method == NGX_HTTP_POST
                    && ngx_strcmp(w->table->key, "id") == 0);

    if (ngx_http_ntrip_write_params(w, &change, stored) != NGX_OK) {
        return;
    }

    rc = writer->execute(writer, &change);

    ngx_explicit_memzero(stored, sizeof(stored));

    switch (rc) {

    case NGX_OK:
        w->status = NGX_HTTP_OK;
        ngx_http_ntrip_write_key(w, writer->id);
        return;

    case NGX_DECLINED:
        w->status = NGX_HTTP_NOT_FOUND;
        return;

    case NGX_BUSY:
        w->status = NGX_HTTP_CONFLICT;
        return;

    default:
        return;
    }
}


/* how it is found now */

static void
ngx_http_ntrip_write_key(ngx_http_ntrip_write_t *w, int64_t id)
{
    ngx_uint_t  i;

    if (ngx_strcmp(w->table->key, "id") == 0 && w->method == NGX_HTTP_POST) {
        w->key_len = ngx_sprintf(w->key, "%L", id) - w->key;
        return;
    }

    w->key_len = ngx_min(w->id.len, NTRIP_USER_MAX);
    ngx_memcpy(w->key, w->id.data, w->key_len);

    for (i = 0; i < w->n; i++) {
        if (ngx_strcmp(w->columns[i]->name, w->table->key) == 0) {
            w->key_len = w->members[i].text.len;
            ngx_memcpy(w->key, w->members[i].text.data, w->key_len);
        }
    }
}


/* names of columns are ours */

static void
ngx_http_ntrip_write_sql(ngx_http_ntrip_write_t *w, u_char *sql)
{
    u_char      *p;
    ngx_uint_t   i;
    const char  *where;

    where = ngx_strcmp(w->table->key, "id") == 0
            ? " WHERE id = CAST(CAST(:key AS TEXT) AS INTEGER)"
              " AND CAST(id AS TEXT) = :key"
            : " WHERE %s = :key";

    switch (w->method) {

    case NGX_HTTP_POST:
        p = ngx_sprintf(sql, "INSERT INTO %s (", w->table->table);

        for (i = 0; i < w->n; i++) {
            p = ngx_sprintf(p, "%s%s", i ? ", " : "", w->columns[i]->name);
        }

        p = ngx_sprintf(p, ") VALUES (");

        for (i = 0; i < w->n; i++) {
            p = ngx_sprintf(p, "%s:%s", i ? ", " : "", w->columns[i]->name);
        }

        *ngx_sprintf(p, ")") = '\0';
        return;

    case NGX_HTTP_PATCH:
        p = ngx_sprintf(sql, "UPDATE %s SET ", w->table->table);

        for (i = 0; i < w->n; i++) {
            p = ngx_sprintf(p, "%s%s = :%s", i ? ", " : "",
                            w->columns[i]->name, w->columns[i]->name);
        }

        break;

    default: /* NGX_HTTP_DELETE */
        p = ngx_sprintf(sql, "DELETE FROM %s", w->table->table);
    }

    *ngx_sprintf(p, where, w->table->key) = '\0';
}


/* "stored" gets the password's hash, if there is one */

static ngx_int_t
ngx_http_ntrip_write_params(ngx_http_ntrip_write_t *w,
    ngx_stream_ntrip_change_t *change, u_char *stored)
{
    ngx_uint_t                 i;
    ntrip_json_member_t       *m;
    ngx_stream_ntrip_param_t  *param;

    change->n = w->n + 1;

    param = change->params;
    ngx_memzero(param, change->n * sizeof(ngx_stream_ntrip_param_t));

    param->name = "key";
    param->text = w->id;

    for (i = 0; i < w->n; i++) {
        m = &w->members[i];
        param++;

        param->name = w->columns[i]->name;
        param->text = m->text;
        param->number = m->number;
        param->numeric = (w->columns[i]->type == NGX_HTTP_NTRIP_NUMBER);

        if (w->columns[i]->type == NGX_HTTP_NTRIP_PASSWORD
            && ngx_stream_ntrip_order_hash(w->storage, &m->text, stored,
                                           &param->text)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static void
ngx_http_ntrip_write_done(ngx_stream_ntrip_work_t *work)
{
    ngx_http_ntrip_ctx_t    *ctx;
    ngx_http_ntrip_write_t  *w;

    w = (ngx_http_ntrip_write_t *) work;
    w->posted = 0;

    if (work->rc != NGX_OK) {
        w->status = NGX_HTTP_SERVICE_UNAVAILABLE;
    }

    /* behind the call of "free" */

    ctx = work->data;
    ngx_post_event(&ctx->next, &ngx_posted_events);
}


/* the next turn: shows what is there now, or says what went wrong */

ngx_int_t
ngx_http_ntrip_write_end(ngx_http_ntrip_ctx_t *ctx)
{
    ngx_str_t                key;
    ngx_uint_t               method;
    ngx_http_ntrip_write_t  *w;

    w = ctx->write;
    method = w->method;

    switch (w->status) {

    case NGX_HTTP_OK:
        break;

    case NGX_HTTP_CONFLICT:
        ctx->detail = "it is there already";
        return NGX_HTTP_CONFLICT;

    case NGX_HTTP_NOT_FOUND:
        return NGX_DECLINED;

    default:
        return NGX_BUSY;
    }

    key.len = w->key_len;
    key.data = ngx_pnalloc(ctx->request->pool, key.len + 1);

    if (key.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(key.data, w->key, key.len);

    ngx_http_ntrip_write_release(ctx);

    /* one that has another name now is known by the old one */

    ngx_http_ntrip_audit(ctx, method == NGX_HTTP_POST ? &key : &ctx->id);

    ctx->changed = 1;

    if (method == NGX_HTTP_DELETE) {
        ctx->status = NGX_HTTP_NO_CONTENT;
        return NGX_OK;
    }

    ctx->status = (method == NGX_HTTP_POST) ? NGX_HTTP_CREATED : NGX_HTTP_OK;
    ctx->id = key;

    return ctx->endpoint->page(ctx);
}


void
ngx_http_ntrip_write_release(ngx_http_ntrip_ctx_t *ctx)
{
    ngx_http_ntrip_write_t  *w;

    w = ctx->write;

    if (w == NULL) {
        return;
    }

    ctx->write = NULL;
    w->work.data = NULL;

    if (!w->posted) {
        ngx_http_ntrip_write_free(&w->work);
    }
}


static void
ngx_http_ntrip_write_free(ngx_stream_ntrip_work_t *work)
{
    ngx_http_ntrip_write_t  *w;

    if (work->data) {
        return;
    }

    w = (ngx_http_ntrip_write_t *) work;

    /* passwords */

    ngx_explicit_memzero(w, w->size);
    ngx_free(w);
}
