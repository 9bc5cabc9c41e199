
/*
 * Fieldgate: a change of users, accounts or stations, as a statement of
 * PostgreSQL's, in a thread.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_stream_ntrip_cluster_private.h"


/* a statement, and behind it what it returns */
#define NGX_STREAM_NTRIP_CLUSTER_SQL  2048


static ngx_int_t ngx_stream_ntrip_cluster_execute(
    ngx_stream_ntrip_writer_t *writer, ngx_stream_ntrip_change_t *change);
static char *ngx_stream_ntrip_cluster_values(
    ngx_stream_ntrip_change_t *change, ngx_str_t *names, int n,
    const char **values, size_t *size);
static ngx_stream_ntrip_param_t *ngx_stream_ntrip_cluster_param(
    ngx_stream_ntrip_change_t *change, ngx_str_t *name);
static ngx_int_t ngx_stream_ntrip_cluster_result(
    ngx_stream_ntrip_writer_t *writer, PGresult *result);
static ngx_int_t ngx_stream_ntrip_cluster_error(
    ngx_stream_ntrip_writer_t *writer, const char *error);


void
ngx_stream_ntrip_cluster_writer(ngx_stream_ntrip_writer_t *writer,
    ngx_stream_ntrip_pg_t *pg)
{
    ngx_memzero(writer, sizeof(ngx_stream_ntrip_writer_t));

    writer->execute = ngx_stream_ntrip_cluster_execute;
    writer->data = pg;
}


static ngx_int_t
ngx_stream_ntrip_cluster_execute(ngx_stream_ntrip_writer_t *writer,
    ngx_stream_ntrip_change_t *change)
{
    int                     n;
    char                    sql[NGX_STREAM_NTRIP_CLUSTER_SQL], *texts;
    size_t                  size;
    PGresult               *result;
    ngx_int_t               rc;
    ngx_str_t               names[NTRIP_MIRROR_PARAMS];
    const char             *values[NTRIP_MIRROR_PARAMS];
    ngx_stream_ntrip_pg_t  *pg;

    pg = writer->data;

    n = ntrip_mirror_number(change->sql, sql,
                            sizeof(sql) - sizeof(" RETURNING id"), names);
    if (n < 0) {
        return ngx_stream_ntrip_cluster_error(writer,
                                              "the statement is too long");
    }

    if (change->added) {
        (void) strcat(sql, " RETURNING id");
    }

    texts = ngx_stream_ntrip_cluster_values(change, names, n, values, &size);

    if (texts == NULL) {
        return ngx_stream_ntrip_cluster_error(writer, "no memory");
    }

    result = ngx_stream_ntrip_pg_ask(pg, sql, n, values);

    /* passwords */

    ngx_explicit_memzero(texts, size);
    free(texts);

    if (result == NULL) {
        return ngx_stream_ntrip_cluster_error(writer, pg->error);
    }

    rc = ngx_stream_ntrip_cluster_result(writer, result);

    PQclear(result);

    return rc;
}


/* each with a 0 behind it, in one piece of memory of "size" bytes */

static char *
ngx_stream_ntrip_cluster_values(ngx_stream_ntrip_change_t *change,
    ngx_str_t *names, int n, const char **values, size_t *size)
{
    int                        i;
    char                      *p, *texts;
    ngx_stream_ntrip_param_t  *param;

    *size = 1;

    for (i = 0; i < n; i++) {
        param = ngx_stream_ntrip_cluster_param(change, &names[i]);
        *size += (param && !param->numeric) ? param->text.len + 1
                                            : NGX_INT64_LEN + 1;
    }

    texts = malloc(*size);

    if (texts == NULL) {
        return NULL;
    }

    p = texts;

    for (i = 0; i < n; i++) {
        param = ngx_stream_ntrip_cluster_param(change, &names[i]);
        values[i] = p;

        if (param == NULL) {
            values[i] = NULL;

        } else if (param->numeric) {
            p += sprintf(p, "%lld", (long long) param->number) + 1;

        } else {
            if (param->text.len) {
                p = (char *) ngx_cpymem(p, param->text.data, param->text.len);
            }

            *p++ = '\0';
        }
    }

    return texts;
}


static ngx_stream_ntrip_param_t *
ngx_stream_ntrip_cluster_param(ngx_stream_ntrip_change_t *change,
    ngx_str_t *name)
{
    ngx_uint_t  i;

    for (i = 0; i < change->n; i++) {
        if (strlen(change->params[i].name) == name->len
            && memcmp(change->params[i].name, name->data, name->len) == 0)
        {
            return &change->params[i];
        }
    }

    return NULL;
}


static ngx_int_t
ngx_stream_ntrip_cluster_result(ngx_stream_ntrip_writer_t *writer,
    PGresult *result)
{
    const char             *state;
    ExecStatusType          status;
    ngx_stream_ntrip_pg_t  *pg;

    pg = writer->data;
    status = PQresultStatus(result);

    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {

        if (atoi(PQcmdTuples(result)) == 0) {
            return NGX_DECLINED;
        }

        if (PQntuples(result)) {
            writer->id = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
        }

        return NGX_OK;
    }

    state = ngx_stream_ntrip_pg_state(result);

    /* an id that is no number, or a very large one, a text that is no UTF-8;
       integrity constraints */

    if (strncmp(state, "22", 2) == 0) {
        return NGX_DECLINED;
    }

    if (strncmp(state, "23", 2) == 0) {
        return NGX_BUSY;
    }

    /* it may be another server's turn by now, with a new connection */

    ngx_stream_ntrip_pg_failed(pg, result);

    return ngx_stream_ntrip_cluster_error(writer, pg->error);
}


static ngx_int_t
ngx_stream_ntrip_cluster_error(ngx_stream_ntrip_writer_t *writer,
    const char *error)
{
    (void) ngx_cpystrn((u_char *) writer->error, (u_char *) error,
                       sizeof(writer->error));

    return NGX_ERROR;
}
