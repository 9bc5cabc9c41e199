
/*
 * The status over HTTP, ntrip_status: what its files share.
 *
 * ngx_http_ntrip_status_module.c  the directive
 * ngx_http_ntrip_status.c         requests: which endpoint, turns, the reply
 * ngx_http_ntrip_lists.c          streams, rovers, workers
 * ngx_http_ntrip_rows.c           users, accounts, stations, usage
 * ngx_http_ntrip_metrics.c        counters, metrics
 * ngx_http_ntrip_api.c            ntrip_api: kicks, tests, bodies
 * ngx_http_ntrip_write.c          changes of the database
 * ngx_http_ntrip_trace.c          the trace of one user
 *
 * A reply is made in turns of the event loop, each of which looks at so many
 * rows that the data path hardly notices, and goes out when it is whole: a
 * page has NGX_HTTP_NTRIP_LIMIT_MAX items at most.
 */


#ifndef _NGX_HTTP_NTRIP_STATUS_H_INCLUDED_
#define _NGX_HTTP_NTRIP_STATUS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_md5.h>

#include "ngx_stream_ntrip_admin.h"
#include "ngx_stream_ntrip_cursor.h"


#define NGX_HTTP_NTRIP_LIMIT      100
#define NGX_HTTP_NTRIP_LIMIT_MAX  1000

/* lines of CSV, of which there are no pages unless somebody asks for them */
#define NGX_HTTP_NTRIP_LINES      100000

/* milliseconds that a request may take of a worker that exits */
#define NGX_HTTP_NTRIP_HOLD       60000

/* the largest body of a request */
#define NGX_HTTP_NTRIP_BODY       16384

/* the longest item, with each of its strings escaped */
#define NGX_HTTP_NTRIP_ITEM       65536


typedef struct ngx_http_ntrip_ctx_s   ngx_http_ntrip_ctx_t;
typedef struct ngx_http_ntrip_rows_s  ngx_http_ntrip_rows_t;
typedef struct ngx_http_ntrip_write_s  ngx_http_ntrip_write_t;


#define NGX_HTTP_NTRIP_API_OFF        0
#define NGX_HTTP_NTRIP_API_ON         1
#define NGX_HTTP_NTRIP_API_UNGUARDED  2


typedef struct {
    ngx_flag_t                  status;
    ngx_uint_t                  api;       /* NGX_HTTP_NTRIP_API_*, set at: */
    ngx_str_t                   file;
    ngx_uint_t                  line;
    ngx_uint_t                  certified; /* 1: "ssl_verify_client" is all that
                                              guards it */
} ngx_http_ntrip_loc_conf_t;

extern ngx_module_t  ngx_http_ntrip_status_module;


/*
 * Goes on with the reply.
 *
 *   NGX_OK        it is whole
 *   NGX_AGAIN     the turn is over
 *   NGX_DONE      a thread is asked; then ngx_http_ntrip_run()
 *   NGX_DECLINED  there is no such item
 *   NGX_BUSY      the database cannot be asked
 *   NGX_ERROR     no memory
 *   >= 400        the status of an error
 */
typedef ngx_int_t (*ngx_http_ntrip_page_pt)(ngx_http_ntrip_ctx_t *ctx);


typedef struct {
    ngx_str_t                   name;
    ngx_http_ntrip_page_pt      page;
    unsigned                    list:1;    /* items, in pages */
    unsigned                    items:1;   /* one of them by its id, too */
    unsigned                    writes:1;  /* ntrip_api adds and changes them */
} ngx_http_ntrip_endpoint_t;


/* of one stream, from its rovers' own sentences */

typedef struct {
    uint32_t                    rovers;
    uint32_t                    fixed;
    uint32_t                    floating;
    uint32_t                    single;
} ngx_http_ntrip_count_t;


struct ngx_http_ntrip_ctx_s {
    ngx_http_request_t         *request;
    ngx_http_ntrip_endpoint_t  *endpoint;
    ngx_event_t                 next;      /* turn */

    ngx_str_t                   id;        /* of one item; empty: the list */
    ngx_uint_t                  limit;
    ngx_str_t                   after;     /* "cursor", as it was given */
    ngx_uint_t                  nfilters;
    ntrip_json_filter_t         filters[NTRIP_JSON_FILTERS];

    ngx_uint_t                  stage;     /* the endpoint's own */
    ngx_uint_t                  n;         /* items so far */
    ngx_stream_ntrip_cursor_t   cursor;
    ngx_http_ntrip_count_t     *counts;    /* of each stream */
    ngx_http_ntrip_rows_t      *rows;      /* of the database */
    void                       *sums;      /* of metrics */

    ngx_chain_t                *out;       /* the reply */
    ngx_chain_t               **last;
    ngx_buf_t                  *buf;
    off_t                       size;
    ngx_md5_t                   md5;
    ngx_str_t                   type;      /* of its content */

    ngx_uint_t                  status;    /* of the reply */
    const char                 *detail;    /* of a problem; NULL: as usual */

    const char                 *action;    /* ntrip_api: "/kick", ... */
    ngx_str_t                   mount;
    ngx_http_ntrip_write_t     *write;     /* to the database */

    ngx_event_t                 hold;      /* of a worker that exits */

    unsigned                    csv:1;     /* what is asked for */
    unsigned                    limited:1; /* "limit" was given */
    unsigned                    changed:1; /* the database is */
    unsigned                    testing:1; /* a login is out */
    unsigned                    failed:1;  /* no memory for the reply */
};


/* ---- ngx_http_ntrip_status.c ---- */

/* content handler of ntrip_status */
ngx_int_t ngx_http_ntrip_status_handler(ngx_http_request_t *r);

/* another turn */
void ngx_http_ntrip_run(ngx_http_ntrip_ctx_t *ctx);

/* goes on in later events: a worker that exits does not look for such requests,
   but for timers, and waits for this one NGX_HTTP_NTRIP_HOLD at most */
void ngx_http_ntrip_hold(ngx_http_ntrip_ctx_t *ctx);

/* sends the reply, or the problem that "rc" is; what nginx's finalisation
   takes */
ngx_int_t ngx_http_ntrip_finish(ngx_http_ntrip_ctx_t *ctx, ngx_int_t rc);
ngx_int_t ngx_http_ntrip_problem(ngx_http_ntrip_ctx_t *ctx,
    ngx_uint_t status, const char *detail);
ngx_int_t ngx_http_ntrip_not_allowed(ngx_http_ntrip_ctx_t *ctx,
    const char *allow);

/* a header of the reply; NULL: no memory */
ngx_table_elt_t *ngx_http_ntrip_header(ngx_http_request_t *r,
    const char *name, const char *value);

/* appends to the reply */
void ngx_http_ntrip_add(ngx_http_ntrip_ctx_t *ctx, u_char *data, size_t len);

/* an item that is whole, if the filters let it pass; of a list with what goes
   between two.  NGX_OK, or NGX_ERROR: it is too long */
ngx_int_t ngx_http_ntrip_item(ngx_http_ntrip_ctx_t *ctx, ntrip_json_t *json);

/* begins an item in "buf" of NGX_HTTP_NTRIP_ITEM bytes */
void ngx_http_ntrip_item_begin(ngx_http_ntrip_ctx_t *ctx, ntrip_json_t *json,
    u_char *buf);

/* the end of a page; next: NULL, there is no other one */
void ngx_http_ntrip_list_end(ngx_http_ntrip_ctx_t *ctx, ngx_str_t *next);

/* the same, of a walk that has come to "rc" */
void ngx_http_ntrip_walk_end(ngx_http_ntrip_ctx_t *ctx, ngx_int_t rc);

/* where a walk begins: NGX_OK, or NGX_HTTP_BAD_REQUEST */
ngx_int_t ngx_http_ntrip_walk_begin(ngx_http_ntrip_ctx_t *ctx);

/* the number that an id or a cursor is; NGX_DECLINED: it is none */
ngx_int_t ngx_http_ntrip_number(ngx_str_t *text, uint64_t *number);


/* ---- the endpoints ---- */

ngx_int_t ngx_http_ntrip_workers(ngx_http_ntrip_ctx_t *ctx);
ngx_int_t ngx_http_ntrip_streams(ngx_http_ntrip_ctx_t *ctx);
ngx_int_t ngx_http_ntrip_rovers(ngx_http_ntrip_ctx_t *ctx);
ngx_int_t ngx_http_ntrip_users(ngx_http_ntrip_ctx_t *ctx);
ngx_int_t ngx_http_ntrip_accounts(ngx_http_ntrip_ctx_t *ctx);
ngx_int_t ngx_http_ntrip_stations(ngx_http_ntrip_ctx_t *ctx);
ngx_int_t ngx_http_ntrip_usage(ngx_http_ntrip_ctx_t *ctx);
ngx_int_t ngx_http_ntrip_counters(ngx_http_ntrip_ctx_t *ctx);
ngx_int_t ngx_http_ntrip_metrics(ngx_http_ntrip_ctx_t *ctx);
ngx_int_t ngx_http_ntrip_trace(ngx_http_ntrip_ctx_t *ctx);

/* the request has gone: a thread that is asked by it answers nobody */
void ngx_http_ntrip_rows_release(ngx_http_ntrip_ctx_t *ctx);

/* ---- ntrip_api ---- */

/* whether a location that is guarded by certificates alone has seen one: it may
   have plain sockets, too */
ngx_uint_t ngx_http_ntrip_certified(ngx_http_request_t *r);

/* a request that is neither GET nor HEAD, whose endpoint is known */
ngx_int_t ngx_http_ntrip_api(ngx_http_ntrip_ctx_t *ctx);

/* a change of the database: NGX_DONE, then the next turn has write_end(); else
   as of a page */
ngx_int_t ngx_http_ntrip_write(ngx_http_ntrip_ctx_t *ctx, ngx_str_t *body);
ngx_int_t ngx_http_ntrip_write_end(ngx_http_ntrip_ctx_t *ctx);
void ngx_http_ntrip_write_release(ngx_http_ntrip_ctx_t *ctx);

/* the trace begins, with the argument "user", or ends; as of a page */
ngx_int_t ngx_http_ntrip_trace_order(ngx_http_ntrip_ctx_t *ctx,
    ngx_str_t *body);

/* says in error.log what was changed, and by whom */
void ngx_http_ntrip_audit(ngx_http_ntrip_ctx_t *ctx, ngx_str_t *what);


/* counts a turn's rovers by their streams: NGX_OK, all are; NGX_AGAIN, or
   NGX_ERROR */
ngx_int_t ngx_http_ntrip_count(ngx_http_ntrip_ctx_t *ctx);

/* what an account does now */
typedef enum {
    NGX_HTTP_NTRIP_FREE = 0,
    NGX_HTTP_NTRIP_USED,
    NGX_HTTP_NTRIP_RESTING,
    NGX_HTTP_NTRIP_REFUSED,
    NGX_HTTP_NTRIP_EXPIRED,
    NGX_HTTP_NTRIP_STATES
} ngx_http_ntrip_state_e;

extern const char  *ngx_http_ntrip_states[];

/* lease: a copy of its row, if there is one: state is not NTRIP_ROW_FREE */
ngx_http_ntrip_state_e ngx_http_ntrip_account(uint64_t id, time_t expires,
    ntrip_lease_row_t *lease);


#endif /* _NGX_HTTP_NTRIP_STATUS_H_INCLUDED_ */
