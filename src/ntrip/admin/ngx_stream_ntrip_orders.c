
/*
 * Fieldgate: what the console does to the database, in the thread pool.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <openssl/rand.h>
#include <sqlite3.h>

#include "ngx_stream_ntrip_console.h"


/* the default of schema.sql: a day in 9999, whatever the time zone */
#define NGX_STREAM_NTRIP_ORDER_NEVER  253402214400


typedef struct {
    ntrip_console_verb_e       verb;
    const char                *sql;
} ngx_stream_ntrip_order_sql_t;


static void ngx_stream_ntrip_order_run(ngx_stream_ntrip_work_t *work,
    void *db);
static void ngx_stream_ntrip_order_done(ngx_stream_ntrip_work_t *work);
static void ngx_stream_ntrip_order_free(ngx_stream_ntrip_work_t *work);
static const char *ngx_stream_ntrip_order_sql(
    ngx_stream_ntrip_order_t *order);
static ngx_int_t ngx_stream_ntrip_order_write(ngx_stream_ntrip_order_t *order,
    ngx_stream_ntrip_writer_t *writer);
static void ngx_stream_ntrip_order_change(ngx_stream_ntrip_order_t *order,
    ngx_stream_ntrip_change_t *change);
static void ngx_stream_ntrip_order_text(sqlite3_stmt *stmt, const char *name,
    ngx_str_t *text);
static void ngx_stream_ntrip_order_number(sqlite3_stmt *stmt,
    const char *name, int64_t number);
static int64_t ngx_stream_ntrip_order_time(ntrip_date_t *date);
static ngx_int_t ngx_stream_ntrip_order_list(ngx_stream_ntrip_order_t *order,
    sqlite3 *db);
static ngx_uint_t ngx_stream_ntrip_order_lists(
    ngx_stream_ntrip_order_t *order);
static ngx_int_t ngx_stream_ntrip_order_usage(ngx_stream_ntrip_order_t *order,
    sqlite3 *db);
static void ngx_stream_ntrip_order_last(ngx_stream_ntrip_order_t *order,
    sqlite3_stmt *stmt);
static ngx_int_t ngx_stream_ntrip_order_rows(ngx_stream_ntrip_order_t *order,
    sqlite3 *db, const char *sql);
static void ngx_stream_ntrip_order_row(ngx_stream_ntrip_order_t *order,
    sqlite3_stmt *stmt);
static ngx_int_t ngx_stream_ntrip_order_error(ngx_stream_ntrip_order_t *order,
    const char *error);


/* parameters have names, see ngx_stream_ntrip_order_change() */

static const ngx_stream_ntrip_order_sql_t  ngx_stream_ntrip_order_verbs[] = {

    { NTRIP_CONSOLE_USER_ADD,
      "INSERT INTO \"user\" (name, password, expires_at)"
      " VALUES (:user, :stored, :expires)" },

    { NTRIP_CONSOLE_USER_UPDATE,
      "UPDATE \"user\" SET password = :stored WHERE name = :user" },

    { NTRIP_CONSOLE_USER_EXPIRE,
      "UPDATE \"user\" SET expires_at = :expires WHERE name = :user" },

    { NTRIP_CONSOLE_USER_DEL,
      "DELETE FROM \"user\" WHERE name = :user" },

    { NTRIP_CONSOLE_SOURCE_ADD,
      "INSERT INTO source (host, port, name, password, expires_at)"
      " VALUES (:host, :port, :user, :password, :expires)" },

    { NTRIP_CONSOLE_SOURCE_UPDATE,
      "UPDATE source SET password = :password"
      " WHERE host = :host AND port = :port AND name = :user" },

    { NTRIP_CONSOLE_SOURCE_DEL,
      "DELETE FROM source"
      " WHERE host = :host AND port = :port AND name = :user" },

    { NTRIP_CONSOLE_STATION_ADD,
      "INSERT INTO station (mount, name, password)"
      " VALUES (:mount, :user, :stored)" },

    { NTRIP_CONSOLE_STATION_DEL,
      "DELETE FROM station WHERE mount = :mount" },

    /* it may be there already, which is no error */

    { NTRIP_CONSOLE_POOL_ADD,
      "INSERT INTO pool (name, source)"
      " SELECT :pool, id FROM source"
      " WHERE host = :host AND port = :port AND name = :user"
      " ON CONFLICT (source, name) DO UPDATE SET name = excluded.name" },

    { NTRIP_CONSOLE_POOL_DEL,
      "DELETE FROM pool WHERE name = :pool AND source ="
      " (SELECT id FROM source"
      "  WHERE host = :host AND port = :port AND name = :user)" }
};


ngx_stream_ntrip_order_t *
ngx_stream_ntrip_order_create(ngx_stream_ntrip_console_t *console,
    ngx_uint_t storage, ngx_log_t *log)
{
    ngx_stream_ntrip_order_t  *order;

    order = ngx_alloc(sizeof(ngx_stream_ntrip_order_t), log);
    if (order == NULL) {
        return NULL;
    }

    ngx_memzero(order, offsetof(ngx_stream_ntrip_order_t, text));
    order->error[0] = '\0';

    order->work.run = ngx_stream_ntrip_order_run;
    order->work.done = ngx_stream_ntrip_order_done;
    order->work.free = ngx_stream_ntrip_order_free;
    order->work.data = console;

    order->storage = storage;
    order->expires = 0x7fffffffffffffffLL;

    return order;
}


void
ngx_stream_ntrip_order_release(ngx_stream_ntrip_order_t *order)
{
    ngx_stream_ntrip_list_cancel(order);

    order->work.data = NULL;

    if (!order->posted) {
        ngx_stream_ntrip_order_free(&order->work);
    }
}


/* the store calls this too, after each page: an order that a console has
   stays */

static void
ngx_stream_ntrip_order_free(ngx_stream_ntrip_work_t *work)
{
    ngx_stream_ntrip_order_t  *order;

    if (work->data) {
        return;
    }

    order = (ngx_stream_ntrip_order_t *) work;

    if (order->rovers) {
        ngx_free(order->rovers);
    }

    /* passwords */

    ngx_explicit_memzero(order, sizeof(ngx_stream_ntrip_order_t));
    ngx_free(order);
}


ngx_int_t
ngx_stream_ntrip_order_page(ngx_stream_ntrip_order_t *order)
{
    ngx_int_t  rc;

    if (!ngx_stream_ntrip_order_lists(order)
        && ngx_stream_ntrip_order_sql(order) == NULL)
    {
        return ngx_stream_ntrip_list_page(order);
    }

    if (order->cmd.verb == NTRIP_CONSOLE_USAGE) {
        ngx_stream_ntrip_usage_ask();
    }

    order->posted = 1;

    rc = ngx_stream_ntrip_order_lists(order)
         ? ngx_stream_ntrip_store_post(&order->work)
         : ngx_stream_ntrip_store_change(&order->work);

    if (rc != NGX_OK) {
        order->posted = 0;
        return NGX_BUSY;
    }

    return NGX_AGAIN;
}


/* what the thread reads page by page */

static ngx_uint_t
ngx_stream_ntrip_order_lists(ngx_stream_ntrip_order_t *order)
{
    return order->cmd.verb == NTRIP_CONSOLE_USER_LIST
           || order->cmd.verb == NTRIP_CONSOLE_USAGE;
}


static const char *
ngx_stream_ntrip_order_sql(ngx_stream_ntrip_order_t *order)
{
    ngx_uint_t  i, n;

    n = sizeof(ngx_stream_ntrip_order_verbs)
        / sizeof(ngx_stream_ntrip_order_sql_t);

    for (i = 0; i < n; i++) {
        if (ngx_stream_ntrip_order_verbs[i].verb == order->cmd.verb) {
            return ngx_stream_ntrip_order_verbs[i].sql;
        }
    }

    return NULL;
}


static void
ngx_stream_ntrip_order_run(ngx_stream_ntrip_work_t *work, void *db)
{
    ngx_stream_ntrip_order_t  *order;

    order = (ngx_stream_ntrip_order_t *) work;

    switch (order->cmd.verb) {

    case NTRIP_CONSOLE_USER_LIST:
        work->rc = ngx_stream_ntrip_order_list(order, db);
        break;

    case NTRIP_CONSOLE_USAGE:
        work->rc = ngx_stream_ntrip_order_usage(order, db);
        break;

    default:
        work->rc = ngx_stream_ntrip_order_write(order, db);
    }
}


static void
ngx_stream_ntrip_order_done(ngx_stream_ntrip_work_t *work)
{
    ngx_stream_ntrip_order_t  *order;

    order = (ngx_stream_ntrip_order_t *) work;

    order->posted = 0;

    switch (work->rc) {

    case NGX_OK:

        if (!ngx_stream_ntrip_order_lists(order)) {
            order->changed = 1;
            ntrip_console_head(&order->out, order->cmd.verb);
            ntrip_console_end(&order->out);
        }

        order->begun = 1;
        break;

    case NGX_DECLINED:
        ngx_stream_ntrip_order_fail(order,
                                    ntrip_console_failure(order->cmd.verb));
        break;

    default: /* NGX_ERROR */
        order->broken = order->begun;
        ngx_stream_ntrip_order_unavailable(order);
    }

    ngx_stream_ntrip_console_ready(work->data);
}


void
ngx_stream_ntrip_order_fail(ngx_stream_ntrip_order_t *order,
    const char *reply)
{
    order->more = 0;

    ntrip_out_init(&order->out, order->page, sizeof(order->page));
    ntrip_out_text(&order->out, reply);

    order->pos = order->page;
}


void
ngx_stream_ntrip_order_unavailable(ngx_stream_ntrip_order_t *order)
{
    ngx_uint_t  add;

    add = ngx_stream_ntrip_store_alone()
          && (order->cmd.verb == NTRIP_CONSOLE_USER_ADD
              || order->cmd.verb == NTRIP_CONSOLE_SOURCE_ADD);

    ngx_stream_ntrip_order_fail(order,
                                add ? ntrip_console_failure(order->cmd.verb)
                                    : NTRIP_CONSOLE_UNAVAILABLE);
}


/* in the thread; NGX_DECLINED: there is none such, or it is there already */

static ngx_int_t
ngx_stream_ntrip_order_write(ngx_stream_ntrip_order_t *order,
    ngx_stream_ntrip_writer_t *writer)
{
    ngx_int_t                  rc;
    u_char                     stored[NTRIP_PASSWORD_STORED];
    ngx_stream_ntrip_change_t  change;

    ngx_stream_ntrip_order_change(order, &change);

    if (ngx_strstr(change.sql, ":stored")
        && ngx_stream_ntrip_order_hash(order->storage,
                                       &order->cmd.token.password, stored,
                                       &change.params[change.n++].text)
           != NGX_OK)
    {
        return ngx_stream_ntrip_order_error(order,
                                            "the password cannot be hashed");
    }

    rc = writer->execute(writer, &change);

    ngx_explicit_memzero(stored, sizeof(stored));

    switch (rc) {

    case NGX_OK:
        return NGX_OK;

    case NGX_DECLINED:
    case NGX_BUSY:
        return NGX_DECLINED;

    default:
        return ngx_stream_ntrip_order_error(order, writer->error);
    }
}


/* the statement and all that it may need, with ":stored" behind the last one */

static void
ngx_stream_ntrip_order_change(ngx_stream_ntrip_order_t *order,
    ngx_stream_ntrip_change_t *change)
{
    ngx_uint_t      i;
    ntrip_token_t  *token;

    token = &order->cmd.token;

    struct {
        const char  *name;
        ngx_str_t   *text;
        int64_t      number;
    } params[] = {
        { "user", &token->user, 0 },
        { "password", &token->password, 0 },
        { "host", &token->host, 0 },
        { "pool", &order->cmd.pool, 0 },
        { "mount", &order->cmd.mount, 0 },
        { "port", NULL, token->port },
        { "expires", NULL, ngx_stream_ntrip_order_time(&order->cmd.expires) }
    };

    ngx_memzero(change, sizeof(ngx_stream_ntrip_change_t));

    change->sql = ngx_stream_ntrip_order_sql(order);
    change->n = sizeof(params) / sizeof(params[0]);

    for (i = 0; i < change->n; i++) {
        change->params[i].name = params[i].name;
        change->params[i].number = params[i].number;
        change->params[i].numeric = (params[i].text == NULL);

        if (params[i].text) {
            change->params[i].text = *params[i].text;
        }
    }

    change->params[i].name = "stored";
}


static void
ngx_stream_ntrip_order_text(sqlite3_stmt *stmt, const char *name,
    ngx_str_t *text)
{
    int  i;

    i = sqlite3_bind_parameter_index(stmt, name);

    if (i) {
        (void) sqlite3_bind_text(stmt, i,
                                 text->len ? (char *) text->data : "",
                                 (int) text->len, SQLITE_TRANSIENT);
    }
}


static void
ngx_stream_ntrip_order_number(sqlite3_stmt *stmt, const char *name,
    int64_t number)
{
    int  i;

    i = sqlite3_bind_parameter_index(stmt, name);

    if (i) {
        (void) sqlite3_bind_int64(stmt, i, number);
    }
}


/* the password as ntrip_password_storage wants it */

ngx_int_t
ngx_stream_ntrip_order_hash(ngx_uint_t storage, ngx_str_t *password,
    u_char *stored, ngx_str_t *value)
{
    u_char  salt[NTRIP_PASSWORD_SALT];

    value->data = stored;

    if (storage == NGX_STREAM_NTRIP_STORAGE_PLAIN) {
        value->len = ntrip_password_plain(stored, password);
        return NGX_OK;
    }

    if (RAND_bytes(salt, NTRIP_PASSWORD_SALT) != 1
        || ntrip_password_hash(stored, password, salt) != NGX_OK)
    {
        return NGX_ERROR;
    }

    value->len = ngx_strlen(stored);

    return NGX_OK;
}


static int64_t
ngx_stream_ntrip_order_time(ntrip_date_t *date)
{
    struct tm  tm;

    ngx_memzero(&tm, sizeof(struct tm));

    tm.tm_year = (int) date->year - 1900;
    tm.tm_mon = (int) date->month - 1;
    tm.tm_mday = (int) date->day;
    tm.tm_hour = (int) date->hour;
    tm.tm_min = (int) date->minute;
    tm.tm_sec = (int) date->second;
    tm.tm_isdst = -1;

    return (int64_t) mktime(&tm);
}


void
ngx_stream_ntrip_order_date(ntrip_date_t *date, time_t time)
{
    ngx_tm_t  tm;

    /* what the sqlite3 shell has put there may be no date */

    time = ngx_max(time, 0);
    time = ngx_min(time, NGX_STREAM_NTRIP_ORDER_NEVER);

    ngx_localtime(time, &tm);

    date->year = tm.ngx_tm_year;
    date->month = tm.ngx_tm_mon;
    date->day = tm.ngx_tm_mday;
    date->hour = tm.ngx_tm_hour;
    date->minute = tm.ngx_tm_min;
    date->second = tm.ngx_tm_sec;
}


void
ngx_stream_ntrip_order_password(ngx_str_t *shown, ngx_str_t *stored)
{
    size_t  plain;

    plain = sizeof("{PLAIN}") - 1;

    if (!ntrip_password_is_hash(stored)) {
        *shown = *stored;

    } else if (stored->len >= plain
               && ngx_memcmp(stored->data, "{PLAIN}", plain) == 0)
    {
        shown->data = stored->data + plain;
        shown->len = stored->len - plain;

    } else {
        ngx_str_set(shown, "*");
    }
}


/*
 * In the thread: a page of the users that have not expired, those that expire
 * last first, as with cors-relay.  The key is (expires_at, rowid): what is
 * left of the last row's second, then all before it.
 */

static ngx_int_t
ngx_stream_ntrip_order_list(ngx_stream_ntrip_order_t *order, sqlite3 *db)
{
    if (!order->begun) {
        ntrip_console_head(&order->out, NTRIP_CONSOLE_USER_LIST);
    }

    if (ngx_stream_ntrip_order_rows(order, db,
            "SELECT name, password, expires_at, rowid FROM user"
            " WHERE expires_at = :expires AND expires_at > :now"
            " AND rowid > :rowid ORDER BY rowid")
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (!order->more
        && ngx_stream_ntrip_order_rows(order, db,
               "SELECT name, password, expires_at, rowid FROM user"
               " WHERE expires_at < :expires AND expires_at > :now"
               " ORDER BY expires_at DESC, rowid")
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (!order->more) {
        ntrip_console_end(&order->out);
    }

    return NGX_OK;
}


/* in the thread: a page of what was used, by all or by one user, in the order
   of its key */

static ngx_int_t
ngx_stream_ntrip_order_usage(ngx_stream_ntrip_order_t *order, sqlite3 *db)
{
    int            rc;
    sqlite3_stmt  *stmt;

    if (!order->begun) {
        ntrip_console_head(&order->out, NTRIP_CONSOLE_USAGE);
    }

    rc = sqlite3_prepare_v2(db,
             "SELECT day, kind, name, sessions, seconds, bytes FROM usage"
             " WHERE (day, kind, name) > (:day, :kind, :name)"
             "  AND (:user = '' OR (kind = 'user' AND name = :user))"
             " ORDER BY day, kind, name", -1, &stmt, NULL);

    if (rc != SQLITE_OK) {
        return ngx_stream_ntrip_order_error(order, sqlite3_errmsg(db));
    }

    ngx_stream_ntrip_order_text(stmt, ":day", &order->usage.day);
    ngx_stream_ntrip_order_text(stmt, ":kind", &order->usage.kind);
    ngx_stream_ntrip_order_text(stmt, ":name", &order->usage.name);
    ngx_stream_ntrip_order_text(stmt, ":user", &order->cmd.token.user);

    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {

        if (!ngx_stream_ntrip_order_room(order)) {
            order->more = 1;
            break;
        }

        ngx_stream_ntrip_order_last(order, stmt);
        ntrip_console_usage_row(&order->out, &order->usage);
    }

    (void) sqlite3_finalize(stmt);

    if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
        return ngx_stream_ntrip_order_error(order, sqlite3_errmsg(db));
    }

    if (!order->more) {
        ntrip_console_end(&order->out);
    }

    return NGX_OK;
}


/* the row, from behind which the next page goes on */

static void
ngx_stream_ntrip_order_last(ngx_stream_ntrip_order_t *order,
    sqlite3_stmt *stmt)
{
    int                     i;
    ngx_str_t              *texts[3];
    ntrip_console_usage_t  *usage;

    usage = &order->usage;

    texts[0] = &usage->day;
    texts[1] = &usage->kind;
    texts[2] = &usage->name;

    for (i = 0; i < 3; i++) {
        texts[i]->data = order->last[i];
        texts[i]->len = ngx_min(sqlite3_column_bytes(stmt, i),
                                NTRIP_CONSOLE_VALUE_MAX);

        if (texts[i]->len) {
            ngx_memcpy(order->last[i], sqlite3_column_text(stmt, i),
                       texts[i]->len);
        }
    }

    usage->sessions = (uint64_t) sqlite3_column_int64(stmt, 3);
    usage->seconds = (uint64_t) sqlite3_column_int64(stmt, 4);
    usage->bytes = (uint64_t) sqlite3_column_int64(stmt, 5);
}


static ngx_int_t
ngx_stream_ntrip_order_rows(ngx_stream_ntrip_order_t *order, sqlite3 *db,
    const char *sql)
{
    int            rc;
    sqlite3_stmt  *stmt;

    rc = sqlite3_prepare_v2(db, sql, -1, &stmt, NULL);

    if (rc != SQLITE_OK) {
        return ngx_stream_ntrip_order_error(order, sqlite3_errmsg(db));
    }

    ngx_stream_ntrip_order_number(stmt, ":expires", order->expires);
    ngx_stream_ntrip_order_number(stmt, ":rowid", order->rowid);
    ngx_stream_ntrip_order_number(stmt, ":now", time(NULL));

    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {

        if (!ngx_stream_ntrip_order_room(order)) {
            order->more = 1;
            break;
        }

        ngx_stream_ntrip_order_row(order, stmt);
    }

    (void) sqlite3_finalize(stmt);

    if (rc != SQLITE_ROW && rc != SQLITE_DONE) {
        return ngx_stream_ntrip_order_error(order, sqlite3_errmsg(db));
    }

    return NGX_OK;
}


static void
ngx_stream_ntrip_order_row(ngx_stream_ntrip_order_t *order,
    sqlite3_stmt *stmt)
{
    ngx_str_t     name, stored, shown;
    ntrip_date_t  date;

    name.data = (u_char *) sqlite3_column_text(stmt, 0);
    name.len = sqlite3_column_bytes(stmt, 0);
    stored.data = (u_char *) sqlite3_column_text(stmt, 1);
    stored.len = sqlite3_column_bytes(stmt, 1);

    order->expires = sqlite3_column_int64(stmt, 2);
    order->rowid = sqlite3_column_int64(stmt, 3);

    ngx_stream_ntrip_order_password(&shown, &stored);
    ngx_stream_ntrip_order_date(&date, (time_t) order->expires);

    ntrip_console_user_row(&order->out, &name, &shown, &date);
}


static ngx_int_t
ngx_stream_ntrip_order_error(ngx_stream_ntrip_order_t *order,
    const char *error)
{
    (void) ngx_cpystrn((u_char *) order->error, (u_char *) error,
                       NGX_STREAM_NTRIP_ORDER_ERROR);

    return NGX_ERROR;
}
