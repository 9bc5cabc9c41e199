
/*
 * Fieldgate: a change of users, accounts or stations, whoever carries it out:
 * the file's own thread, or whoever has said that changes are his.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_stream_ntrip_store_private.h"


static ngx_int_t ngx_stream_ntrip_write_execute(
    ngx_stream_ntrip_writer_t *writer, ngx_stream_ntrip_change_t *change);
static void ngx_stream_ntrip_write_bind(sqlite3_stmt *stmt,
    ngx_stream_ntrip_change_t *change);


/* in the thread */

void
ngx_stream_ntrip_write_run(ngx_stream_ntrip_work_t *work, sqlite3 *db)
{
    ngx_stream_ntrip_writer_t  writer;

    ngx_memzero(&writer, sizeof(ngx_stream_ntrip_writer_t));

    writer.execute = ngx_stream_ntrip_write_execute;
    writer.data = db;

    work->run(work, &writer);
}


static ngx_int_t
ngx_stream_ntrip_write_execute(ngx_stream_ntrip_writer_t *writer,
    ngx_stream_ntrip_change_t *change)
{
    int            rc;
    sqlite3       *db;
    sqlite3_stmt  *stmt;

    db = writer->data;

    rc = sqlite3_prepare_v2(db, change->sql, -1, &stmt, NULL);

    if (rc == SQLITE_OK) {
        ngx_stream_ntrip_write_bind(stmt, change);

        (void) sqlite3_step(stmt);

        /* the result of a statement of one step is that of its end */

        rc = sqlite3_finalize(stmt);
    }

    switch (rc & 0xff) {

    case SQLITE_OK:
        writer->id = sqlite3_last_insert_rowid(db);
        return sqlite3_changes(db) ? NGX_OK : NGX_DECLINED;

    case SQLITE_CONSTRAINT:
        return NGX_BUSY;

    default:
        (void) ngx_cpystrn((u_char *) writer->error,
                           (u_char *) sqlite3_errmsg(db),
                           sizeof(writer->error));
        return NGX_ERROR;
    }
}


/* what the statement does not have is left out */

static void
ngx_stream_ntrip_write_bind(sqlite3_stmt *stmt,
    ngx_stream_ntrip_change_t *change)
{
    int                        at;
    char                       name[32];
    ngx_uint_t                 i;
    ngx_stream_ntrip_param_t  *param;

    for (i = 0; i < change->n; i++) {
        param = &change->params[i];

        *ngx_snprintf((u_char *) name, sizeof(name) - 1, ":%s", param->name)
            = '\0';
        at = sqlite3_bind_parameter_index(stmt, name);

        if (at == 0) {
            continue;
        }

        if (param->numeric) {
            (void) sqlite3_bind_int64(stmt, at, param->number);
            continue;
        }

        /* of an empty one there may be no address, which would be NULL */

        (void) sqlite3_bind_text(stmt, at,
                                 param->text.len ? (char *) param->text.data
                                                 : "",
                                 (int) param->text.len, SQLITE_STATIC);
    }
}
