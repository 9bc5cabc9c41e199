
/*
 * A connection to PostgreSQL, in a thread: each call waits, and no longer than
 * NGX_STREAM_NTRIP_PG_TIMEOUT.  Private to this room.  It keeps no state in the
 * session but LISTEN, which may be lost: a pooler in between is fine.
 */


#ifndef _NGX_STREAM_NTRIP_PG_H_INCLUDED_
#define _NGX_STREAM_NTRIP_PG_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <libpq-fe.h>


/* ms for an answer; seconds for a connection, to each address */
#define NGX_STREAM_NTRIP_PG_TIMEOUT  5000
#define NGX_STREAM_NTRIP_PG_CONNECT  "3"

#define NGX_STREAM_NTRIP_PG_ERROR    256


typedef struct {
    PGconn       *conn;                              /* NULL: none */
    const char   *conninfo;
    unsigned      lost:1;                            /* it could not be made,
                                                        or did not last */
    unsigned      listening:1;                       /* notices come in */
    unsigned      silent:1;                          /* it does not answer */
    char          error[NGX_STREAM_NTRIP_PG_ERROR];  /* why it is none */
} ngx_stream_ntrip_pg_t;


/* if there is no connection.  NGX_OK, or NGX_ERROR with "error" */
ngx_int_t ngx_stream_ntrip_pg_connect(ngx_stream_ntrip_pg_t *pg);

void ngx_stream_ntrip_pg_close(ngx_stream_ntrip_pg_t *pg);

/*
 * One statement with its parameters as texts; n < 0: several statements without
 * any, as one transaction.  What PostgreSQL has against it is in the result, to
 * be freed by PQclear(); NULL: the connection is gone, "error" says why, and
 * whether the statement was carried out is not known.
 */
PGresult *ngx_stream_ntrip_pg_ask(ngx_stream_ntrip_pg_t *pg, const char *sql,
    int n, const char *const *values);

/* the same; what is neither rows nor done ends the connection, too: NULL */
PGresult *ngx_stream_ntrip_pg_rows(ngx_stream_ntrip_pg_t *pg, const char *sql,
    int n, const char *const *values);

/* whether notices have come since the last time, at any statement: they are
   forgotten with that */
ngx_uint_t ngx_stream_ntrip_pg_notified(ngx_stream_ntrip_pg_t *pg);

/* the five letters of an error, or "" */
const char *ngx_stream_ntrip_pg_state(PGresult *result);

/* takes the message of a result as the reason, and closes */
void ngx_stream_ntrip_pg_failed(ngx_stream_ntrip_pg_t *pg, PGresult *result);


#endif /* _NGX_STREAM_NTRIP_PG_H_INCLUDED_ */
