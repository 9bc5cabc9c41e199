
/*
 * Fieldgate: a connection to PostgreSQL, in a thread.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>

#include <poll.h>

#include "ngx_stream_ntrip_pg.h"


static ngx_int_t ngx_stream_ntrip_pg_wait(ngx_stream_ntrip_pg_t *pg,
    uint64_t end);
static PGresult *ngx_stream_ntrip_pg_result(ngx_stream_ntrip_pg_t *pg);
static void ngx_stream_ntrip_pg_reason(ngx_stream_ntrip_pg_t *pg,
    const char *text);
static uint64_t ngx_stream_ntrip_pg_now(void);


/*
 * libpq looks names up while it connects, and waits for that: here, where it
 * may.  What the configuration says of connect_timeout comes later, and holds.
 */

ngx_int_t
ngx_stream_ntrip_pg_connect(ngx_stream_ntrip_pg_t *pg)
{
    const char  *keywords[] = {
        "connect_timeout", "dbname", "fallback_application_name",
        "client_encoding", NULL
    };
    const char  *values[] = {
        NGX_STREAM_NTRIP_PG_CONNECT, pg->conninfo, "fieldgate", "UTF8", NULL
    };

    if (pg->conn) {
        return NGX_OK;
    }

    pg->conn = PQconnectdbParams(keywords, values, 1);
    pg->lost = 0;
    pg->silent = 0;
    pg->listening = 0;

    if (PQstatus(pg->conn) == CONNECTION_OK
        && PQsetnonblocking(pg->conn, 1) == 0)
    {
        return NGX_OK;
    }

    pg->lost = 1;

    ngx_stream_ntrip_pg_reason(pg, PQerrorMessage(pg->conn));
    ngx_stream_ntrip_pg_close(pg);

    return NGX_ERROR;
}


void
ngx_stream_ntrip_pg_close(ngx_stream_ntrip_pg_t *pg)
{
    PQfinish(pg->conn);
    pg->conn = NULL;
}


PGresult *
ngx_stream_ntrip_pg_ask(ngx_stream_ntrip_pg_t *pg, const char *sql, int n,
    const char *const *values)
{
    int        sent;
    PGresult  *result;

    if (ngx_stream_ntrip_pg_connect(pg) != NGX_OK) {
        return NULL;
    }

    sent = (n < 0) ? PQsendQuery(pg->conn, sql)
                   : PQsendQueryParams(pg->conn, sql, n, NULL, values, NULL,
                                       NULL, 0);

    if (!sent) {
        pg->lost = 1;
        ngx_stream_ntrip_pg_reason(pg, PQerrorMessage(pg->conn));
        ngx_stream_ntrip_pg_close(pg);
        return NULL;
    }

    result = ngx_stream_ntrip_pg_result(pg);

    if (result && PQstatus(pg->conn) != CONNECTION_OK) {
        pg->lost = 1;
        ngx_stream_ntrip_pg_failed(pg, result);
        PQclear(result);
        return NULL;
    }

    return result;
}


PGresult *
ngx_stream_ntrip_pg_rows(ngx_stream_ntrip_pg_t *pg, const char *sql, int n,
    const char *const *values)
{
    PGresult        *result;
    ExecStatusType   status;

    result = ngx_stream_ntrip_pg_ask(pg, sql, n, values);

    if (result == NULL) {
        return NULL;
    }

    status = PQresultStatus(result);

    if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK) {
        return result;
    }

    ngx_stream_ntrip_pg_failed(pg, result);
    PQclear(result);

    return NULL;
}


/* the last result, or the first that is an error */

static PGresult *
ngx_stream_ntrip_pg_result(ngx_stream_ntrip_pg_t *pg)
{
    uint64_t   end;
    PGresult  *result, *next;

    result = NULL;
    end = ngx_stream_ntrip_pg_now() + NGX_STREAM_NTRIP_PG_TIMEOUT;

    for ( ;; ) {

        if (ngx_stream_ntrip_pg_wait(pg, end) != NGX_OK) {
            pg->lost = 1;
            PQclear(result);
            ngx_stream_ntrip_pg_close(pg);
            return NULL;
        }

        next = PQgetResult(pg->conn);

        if (next == NULL) {
            return result;
        }

        if (*ngx_stream_ntrip_pg_state(result)) {
            PQclear(next);

        } else {
            PQclear(result);
            result = next;
        }
    }
}


/* until a result is there, or there are no more; a worker that is told to end
   at once does so */

static ngx_int_t
ngx_stream_ntrip_pg_wait(ngx_stream_ntrip_pg_t *pg, uint64_t end)
{
    int            unsent;
    struct pollfd  pfd;

    for ( ;; ) {
        unsent = PQflush(pg->conn);

        if (unsent == -1) {
            break;
        }

        if (!unsent && !PQisBusy(pg->conn)) {
            return NGX_OK;
        }

        if (ngx_terminate) {
            ngx_stream_ntrip_pg_reason(pg, "nginx ends");
            return NGX_ERROR;
        }

        if (ngx_stream_ntrip_pg_now() >= end) {
            pg->silent = 1;
            ngx_stream_ntrip_pg_reason(pg, "it does not answer");
            return NGX_ERROR;
        }

        pfd.fd = PQsocket(pg->conn);
        pfd.events = unsent ? POLLIN|POLLOUT : POLLIN;
        pfd.revents = 0;

        (void) poll(&pfd, 1, 100);

        if ((pfd.revents & ~POLLOUT) && !PQconsumeInput(pg->conn)) {
            break;
        }
    }

    ngx_stream_ntrip_pg_reason(pg, PQerrorMessage(pg->conn));

    return NGX_ERROR;
}


ngx_uint_t
ngx_stream_ntrip_pg_notified(ngx_stream_ntrip_pg_t *pg)
{
    PGnotify    *notice;
    ngx_uint_t   n;

    (void) PQconsumeInput(pg->conn);

    for (n = 0; (notice = PQnotifies(pg->conn)) != NULL; n++) {
        PQfreemem(notice);
    }

    return n;
}


const char *
ngx_stream_ntrip_pg_state(PGresult *result)
{
    const char  *state;

    state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;

    return state ? state : "";
}


void
ngx_stream_ntrip_pg_failed(ngx_stream_ntrip_pg_t *pg, PGresult *result)
{
    const char  *text;

    /* the message alone: what is beside it may have values of a statement */

    text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);

    ngx_stream_ntrip_pg_reason(pg, text ? text : PQerrorMessage(pg->conn));
    ngx_stream_ntrip_pg_close(pg);
}


/* one line, whatever libpq says; it never says a password */

static void
ngx_stream_ntrip_pg_reason(ngx_stream_ntrip_pg_t *pg, const char *text)
{
    char  *p;

    (void) ngx_cpystrn((u_char *) pg->error, (u_char *) text,
                       NGX_STREAM_NTRIP_PG_ERROR);

    for (p = pg->error; *p; p++) {
        if ((u_char) *p < 0x20 || *p == 0x7f) {
            *p = ' ';
        }
    }

    while (p > pg->error && p[-1] == ' ') {
        *--p = '\0';
    }

    if (p == pg->error) {
        (void) ngx_cpystrn((u_char *) pg->error,
                           (u_char *) "the connection was closed",
                           NGX_STREAM_NTRIP_PG_ERROR);
    }
}


static uint64_t
ngx_stream_ntrip_pg_now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}
