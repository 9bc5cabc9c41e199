
/*
 * Fieldgate: ntrip_report.  One worker prints, a few rows at a time, so that
 * tens of thousands of rovers do not hold up the data.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_stream.h>

#include <sqlite3.h>

#include "ngx_stream_ntrip_admin.h"
#include "ngx_stream_ntrip_cursor.h"
#include "ntrip_report.h"


/* rows that are printed in one go; ms between */

#define NGX_STREAM_NTRIP_REPORT_ROWS   200
#define NGX_STREAM_NTRIP_REPORT_PAUSE  10


typedef struct {
    ngx_stream_ntrip_work_t    work;
    sqlite3_int64              users;
    sqlite3_int64              sources;
} ngx_stream_ntrip_totals_t;


static void ngx_stream_ntrip_report_handler(ngx_event_t *ev);
static void ngx_stream_ntrip_report_begin(void);
static void ngx_stream_ntrip_report_run(ngx_stream_ntrip_work_t *work,
    void *db);
static ngx_int_t ngx_stream_ntrip_report_count(sqlite3 *db, const char *sql,
    sqlite3_int64 *n);
static void ngx_stream_ntrip_report_done(ngx_stream_ntrip_work_t *work);
static void ngx_stream_ntrip_report_free(ngx_stream_ntrip_work_t *work);
static void ngx_stream_ntrip_report_usage(ngx_stream_ntrip_totals_t *totals);
static void ngx_stream_ntrip_report_rows(ngx_event_t *ev);
static void ngx_stream_ntrip_report_session(ntrip_session_row_t *row);
static void ngx_stream_ntrip_report_source(ntrip_report_row_t *row,
    uint32_t index, ntrip_stream_row_t *stream);
static void ngx_stream_ntrip_report_line(ntrip_out_t *out);


static ngx_event_t                ngx_stream_ntrip_report_timer;
static ngx_event_t                ngx_stream_ntrip_report_next;
static ngx_connection_t           ngx_stream_ntrip_report_dumb;
static ngx_msec_t                 ngx_stream_ntrip_report_interval;
static ngx_stream_ntrip_cursor_t  ngx_stream_ntrip_report_cursor;
static ngx_uint_t                 ngx_stream_ntrip_reporting;
static ngx_stream_ntrip_totals_t  ngx_stream_ntrip_totals;


void
ngx_stream_ntrip_report_start(ngx_cycle_t *cycle,
    ngx_stream_ntrip_main_conf_t *nmcf)
{
    ngx_event_t  *ev;

    ngx_stream_ntrip_report_interval = nmcf->report;
    ngx_stream_ntrip_report_dumb.fd = (ngx_socket_t) -1;

    ev = &ngx_stream_ntrip_report_next;
    ev->handler = ngx_stream_ntrip_report_rows;
    ev->data = &ngx_stream_ntrip_report_dumb;
    ev->log = cycle->log;
    ev->cancelable = 1;

    ev = &ngx_stream_ntrip_report_timer;
    ev->handler = ngx_stream_ntrip_report_handler;
    ev->data = &ngx_stream_ntrip_report_dumb;
    ev->log = cycle->log;
    ev->cancelable = 1;

    ngx_add_timer(ev, nmcf->report);
}


static void
ngx_stream_ntrip_report_handler(ngx_event_t *ev)
{
    ngx_stream_ntrip_work_t  *work;

    ngx_add_timer(ev, ngx_stream_ntrip_report_interval);

    if (ngx_stream_ntrip_reporting || !ngx_stream_ntrip_worker_first()) {
        return;
    }

    ngx_stream_ntrip_reporting = 1;

    work = &ngx_stream_ntrip_totals.work;

    work->run = ngx_stream_ntrip_report_run;
    work->done = ngx_stream_ntrip_report_done;
    work->free = ngx_stream_ntrip_report_free;
    work->data = &ngx_stream_ntrip_totals;
    work->rc = NGX_ERROR;

    if (ngx_stream_ntrip_store_post(work) != NGX_OK) {
        ngx_stream_ntrip_report_begin();
    }
}


/* in a thread */

static void
ngx_stream_ntrip_report_run(ngx_stream_ntrip_work_t *work, void *db)
{
    ngx_stream_ntrip_totals_t  *totals;

    totals = (ngx_stream_ntrip_totals_t *) work;

    work->rc = NGX_ERROR;

    if (ngx_stream_ntrip_report_count(db,
            "SELECT count(*) FROM user "
            "WHERE expires_at > CAST(strftime('%s', 'now') AS INTEGER)",
            &totals->users)
        == NGX_OK
        && ngx_stream_ntrip_report_count(db,
            "SELECT count(*) FROM source "
            "WHERE expires_at > CAST(strftime('%s', 'now') AS INTEGER)",
            &totals->sources)
           == NGX_OK)
    {
        work->rc = NGX_OK;
    }
}


static ngx_int_t
ngx_stream_ntrip_report_count(sqlite3 *db, const char *sql, sqlite3_int64 *n)
{
    ngx_int_t      rc;
    sqlite3_stmt  *stmt;

    if (sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) != SQLITE_OK) {
        return NGX_ERROR;
    }

    rc = NGX_ERROR;

    if (sqlite3_step(stmt) == SQLITE_ROW) {
        *n = sqlite3_column_int64(stmt, 0);
        rc = NGX_OK;
    }

    (void) sqlite3_finalize(stmt);

    return rc;
}


static void
ngx_stream_ntrip_report_done(ngx_stream_ntrip_work_t *work)
{
    ngx_stream_ntrip_report_begin();
}


/* the memory is static */

static void
ngx_stream_ntrip_report_free(ngx_stream_ntrip_work_t *work)
{
    /* void */
}


static void
ngx_stream_ntrip_report_begin(void)
{
    u_char        buf[NTRIP_REPORT_LINE];
    ngx_log_t    *log;
    ntrip_out_t   out;

    log = ngx_cycle->log;

    ngx_log_error(NGX_LOG_INFO, log, 0, "==== BEGIN SYSTEM REPORT ====");

    ngx_stream_ntrip_report_usage(&ngx_stream_ntrip_totals);

    ntrip_out_init(&out, buf, sizeof(buf));
    ntrip_report_head(&out);
    ngx_stream_ntrip_report_line(&out);

    ngx_stream_ntrip_report_cursor.next = 0;
    ngx_stream_ntrip_report_rows(&ngx_stream_ntrip_report_next);
}


static void
ngx_stream_ntrip_report_usage(ngx_stream_ntrip_totals_t *totals)
{
    u_char                     buf[NTRIP_REPORT_LINE];
    ngx_int_t                  rc;
    ntrip_out_t                out;
    ntrip_stream_row_t         row;
    ntrip_report_usage_t       usage;
    ngx_stream_ntrip_cursor_t  cursor;

    usage.users_online = ngx_stream_ntrip_worker.zone->sessions.used;
    usage.sources_using = 0;
    usage.users_total = totals->users;
    usage.sources_total = totals->sources;
    usage.known = (totals->work.rc == NGX_OK);

    cursor.next = 0;

    do {
        ngx_stream_ntrip_cursor_turn(&cursor);

        while ((rc = ngx_stream_ntrip_cursor_stream(&cursor, &row)) == NGX_OK)
        {
            usage.sources_using += (row.source != 0);
        }

    } while (rc == NGX_AGAIN);

    ntrip_out_init(&out, buf, sizeof(buf));
    ntrip_report_usage(&out, &usage);
    ngx_stream_ntrip_report_line(&out);
}


static void
ngx_stream_ntrip_report_rows(ngx_event_t *ev)
{
    ngx_int_t            rc;
    ngx_uint_t           n;
    ntrip_session_row_t  row;

    ngx_stream_ntrip_cursor_turn(&ngx_stream_ntrip_report_cursor);

    rc = NGX_AGAIN;

    for (n = 0; n < NGX_STREAM_NTRIP_REPORT_ROWS; n++) {
        rc = ngx_stream_ntrip_cursor_session(&ngx_stream_ntrip_report_cursor,
                                             &row);
        if (rc != NGX_OK) {
            break;
        }

        ngx_stream_ntrip_report_session(&row);
    }

    if (rc != NGX_DONE) {
        ngx_add_timer(ev, NGX_STREAM_NTRIP_REPORT_PAUSE);
        return;
    }

    ngx_log_error(NGX_LOG_INFO, ngx_cycle->log, 0,
                  "==== END SYSTEM REPORT ====");

    ngx_stream_ntrip_reporting = 0;
}


static void
ngx_stream_ntrip_report_session(ntrip_session_row_t *row)
{
    u_char                buf[NTRIP_REPORT_LINE], addr[NGX_SOCKADDR_STRLEN];
    ngx_tm_t              tm;
    ntrip_out_t           out;
    ngx_sockaddr_t        sa;
    ntrip_report_row_t    line;
    ntrip_stream_row_t    stream;

    ngx_memzero(&line, sizeof(ntrip_report_row_t));

    line.user.len = row->user_len;
    line.user.data = row->user;
    line.slot = ntrip_holder_slot(row->row.holder);
    line.point = row->position;
    line.bytes = row->bytes;
    line.seconds = ngx_time() - (time_t) row->time;

    ngx_localtime((time_t) row->time, &tm);
    line.login = tm;
    line.login.tm_mon = tm.ngx_tm_mon - 1;

    ngx_memzero(&sa, sizeof(ngx_sockaddr_t));
    ngx_memcpy(&sa, row->addr, row->addr_len);
    line.addr.data = addr;
    line.addr.len = ngx_sock_ntop(&sa.sockaddr, row->addr_len, addr,
                                  NGX_SOCKADDR_STRLEN, 0);

    ngx_stream_ntrip_report_source(&line, row->stream, &stream);

    ntrip_out_init(&out, buf, sizeof(buf));
    ntrip_report_row(&out, &line);
    ngx_stream_ntrip_report_line(&out);
}


static void
ngx_stream_ntrip_report_source(ntrip_report_row_t *row, uint32_t index,
    ntrip_stream_row_t *stream)
{
    if (ngx_stream_ntrip_peek_stream(index, stream) != NGX_OK) {
        return;
    }

    row->mount.len = ngx_min(stream->mount_len, NTRIP_MOUNT_MAX);
    row->mount.data = stream->mount;

    if (stream->row.state == NTRIP_STREAM_LIVE) {
        row->source.len = ngx_min(stream->label_len, NTRIP_LABEL_MAX);
        row->source.data = stream->label;
    }
}


static void
ngx_stream_ntrip_report_line(ntrip_out_t *out)
{
    ngx_log_error(NGX_LOG_INFO, ngx_cycle->log, 0, "%*s",
                  (size_t) (out->last - out->start), out->start);
}
