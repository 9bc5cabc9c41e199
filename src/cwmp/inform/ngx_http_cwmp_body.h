
/*
 * Fieldgate: the request body, as it is read and as it is written.
 */


#ifndef _NGX_HTTP_CWMP_BODY_H_INCLUDED_
#define _NGX_HTTP_CWMP_BODY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "cwmp_message.h"
#include "cwmp_work.h"
#include "ngx_http_cwmp_shared.h"
#include "ngx_http_cwmp_stun.h"


/* in the decoded message: what stands from start up to end becomes text */

typedef struct {
    off_t                        start;
    off_t                        end;
    ngx_str_t                    text;
    unsigned                     mapped:1;   /* by cwmp_url_map: it is ready */
    unsigned                     address:1;  /* for UDP: is emptied */
} ngx_http_cwmp_edit_t;


/* what a message says of a CPE behind NAT, with "cwmp_stun" */

struct ngx_http_cwmp_nat_s {
    cwmp_endpoint_t              udp;       /* none: not announced here, or
                                               refused */
    ngx_str_t                    hostport;  /* the same; empty: none */
    u_char                       url[CWMP_TABLE_KEY_LEN];
    u_char                       woken[CWMP_TABLE_KEY_LEN];

    unsigned                     said:1;    /* the message has an address */
    unsigned                     urls:1;    /* both keys are set */
    unsigned                     done:1;    /* the zone knows */
};


/* a place in the request body, which stays as it is while it is read */

typedef struct {
    ngx_chain_t                 *in;
    off_t                        pos;        /* in its buffer */
    size_t                       taken;      /* bytes, by the last read */
    cwmp_inflate_t              *inflate;    /* NULL: bytes as they came */
    unsigned                     more:1;     /* of the same input */
    ngx_log_t                   *log;
} ngx_http_cwmp_reader_t;


typedef struct {
    ngx_http_request_t          *request;
    ngx_http_cwmp_edit_t        *edits;
    ngx_uint_t                   nedits;
    ngx_uint_t                   current;
    off_t                        offset;    /* in the message as it came */
    off_t                        size;      /* of what is written */
    cwmp_work_t                 *work;
    cwmp_deflate_t               deflate;
    ngx_buf_t                   *loaded;    /* a file, or NULL */
    ngx_buf_t                   *buf;       /* being filled by deflate */
    ngx_chain_t                 *out;
    ngx_chain_t                **last;
    unsigned                     begun:1;
    unsigned                     deflating:1;   /* deflate has memory */
} ngx_http_cwmp_rewrite_t;


/* where a body is that takes more than one piece of work */

typedef enum {
    NGX_HTTP_CWMP_LINE_NONE = 0,
    NGX_HTTP_CWMP_LINE_WAITING,     /* not begun, or to be begun anew */
    NGX_HTTP_CWMP_LINE_AT_WORK
} ngx_http_cwmp_line_e;


/* some 8 KB in the request's pool, until the new body is written */

typedef struct {
    ngx_http_request_t          *request;
    ngx_http_cwmp_ctx_t         *ctx;
    ngx_http_cwmp_loc_conf_t    *conf;
    ngx_uint_t                   coding;    /* cwmp_coding_e */
    ngx_uint_t                   declared;  /* cwmp_charset_e */

    cwmp_work_t                  work;
    ngx_http_cwmp_reader_t       reader;
    cwmp_inflate_t               inflate;
    cwmp_prefilter_t             prefilter;
    cwmp_urlmap_t               *map;       /* NULL: no cwmp_url_map */
    unsigned                     read:1;    /* the message is */
    ngx_array_t                  edits;     /* of ngx_http_cwmp_edit_t */
    ngx_uint_t                   announced; /* of these */
    ngx_http_cwmp_rewrite_t      rewrite;

    ngx_queue_t                  queue;
    ngx_http_cwmp_line_e         line;
    ngx_pool_cleanup_t          *cleanup;   /* while it is in the line */

    cwmp_message_t               message;   /* all before it is zero at first */
} ngx_http_cwmp_body_t;


/* ngx_http_cwmp_body.c */

/*
 * All states before the first, with nothing done.
 */
void ngx_http_cwmp_body_start(ngx_http_cwmp_body_t *b);

/*
 * Does one piece of the work.  NGX_AGAIN: there is more; NGX_DECLINED: the
 * request goes on; else its status.
 */
ngx_int_t ngx_http_cwmp_body_piece(ngx_http_cwmp_body_t *b);

/* Frees what is not the pool's: states of zlib. */
void ngx_http_cwmp_body_stop(ngx_http_cwmp_body_t *b);

/*
 * The work is done, with what ngx_http_cwmp_body_piece() returned: frees the
 * body and runs the request, which may be gone afterwards.
 */
void ngx_http_cwmp_body_done(ngx_http_cwmp_body_t *b, ngx_int_t rc);


/* ngx_http_cwmp_reader.c */

void ngx_http_cwmp_reader_init(ngx_http_cwmp_reader_t *rd,
    ngx_http_request_t *r, cwmp_inflate_t *inflate);

/*
 * The next bytes of the body, decoded if there is "inflate": at most "size", in
 * memory of the body or in "buf"; inflated ones may be none for once.
 * reader->taken says how many bytes of the body they took.  NGX_OK, NGX_DONE:
 * there are no more; NGX_ERROR: inflate->error says why, else the temporary
 * file cannot be read, which is logged.
 */
ngx_int_t ngx_http_cwmp_read(ngx_http_cwmp_reader_t *rd, u_char *buf,
    size_t size, ngx_str_t *piece);

/* bytes of the body as it came, and whether some are in a file */

off_t ngx_http_cwmp_body_size(ngx_http_request_t *r, ngx_uint_t *in_file);


/* ngx_http_cwmp_body_facts.c */

/*
 * Sets the facts of the context from what the message says, and counts it.
 * NGX_OK or NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_cwmp_body_facts(ngx_http_cwmp_body_t *b);

/* a copy in the pool; NGX_OK or NGX_ERROR: no memory */

ngx_int_t ngx_http_cwmp_fact(ngx_pool_t *pool, ngx_str_t *to, u_char *data,
    size_t len);


/* ngx_http_cwmp_rewrite.c */

/*
 * States LOAD and WRITE: replace the request body by one with the edits, which
 * are in ascending order and do not overlap, in the coding that it was inflated
 * from, if any.  Each call does one step: NGX_AGAIN: not the last one; NGX_OK,
 * NGX_ERROR.
 */
ngx_int_t ngx_http_cwmp_load(ngx_http_cwmp_body_t *b);
ngx_int_t ngx_http_cwmp_rewrite(ngx_http_cwmp_body_t *b);

/*
 * The next bytes of the message with the edits in it, which refer to these
 * bytes, or are deflated; and what deflate still has, with "finish".
 */
ngx_int_t ngx_http_cwmp_rewrite_piece(ngx_http_cwmp_rewrite_t *rw, u_char *p,
    size_t len);
ngx_int_t ngx_http_cwmp_deflate(ngx_http_cwmp_rewrite_t *rw, u_char *p,
    size_t len, ngx_uint_t finish);


/* ngx_http_cwmp_map.c */

/*
 * Adds the edit to an array of ngx_http_cwmp_edit_t, its text in the pool.
 * NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_cwmp_map_edit(ngx_pool_t *pool, ngx_array_t *edits,
    cwmp_urlmap_edit_t *edit);


/* ngx_http_cwmp_announce.c */

/*
 * The verdict on an origin that a CPE announces, its decoded text, and the
 * text that is announced in its place, before XML escaping, in the request's
 * pool.  A refused origin gets no signature; the refusal is counted, and logged
 * once a day and device: the context's device_id is set before.  Sets the
 * context's origin.
 */
ngx_int_t ngx_http_cwmp_announce(ngx_http_request_t *r, ngx_str_t *origin,
    ngx_str_t *announced);

/* ngx_http_cwmp_nat.c */

/*
 * Judges the address for UDP that the message has, the last one of several:
 * b->edits are sorted.  NGX_OK or NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_cwmp_nat_message(ngx_http_cwmp_body_t *b);

/*
 * The address that goes with a URL, which is set: that of the message, else the
 * one that its device, or the same URL from the same client, announced last, if
 * the policy still admits it.  o->udp is set, in the request's pool, or empty.
 * NGX_OK or NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_cwmp_nat_url(ngx_http_request_t *r, cwmp_origin_t *o);


/* ngx_http_cwmp_announce.c */

/*
 * Whether this is the first time today that a device, or a client that is not
 * known as one, does this for this reason: what is logged once a day.
 */
ngx_uint_t ngx_http_cwmp_first_time(ngx_http_request_t *r, const char *what,
    const char *reason);


/* ngx_http_cwmp_line.c */

/*
 * The bodies of this worker that take more than one piece of work, one piece
 * between two looks at the sockets, whoever's turn it is.  At most
 * NGX_HTTP_CWMP_LINE_MAX of them are at work, so that what zlib needs, some
 * 300 KB for each, stays bounded; others wait, with nothing done.  While there
 * are any, the worker does not exit.
 */
#define NGX_HTTP_CWMP_LINE_MAX  8

/*
 * b has had its first piece.  It leaves by ngx_http_cwmp_body_done(), or with
 * the request's pool.  NGX_OK or NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_cwmp_line_join(ngx_http_cwmp_body_t *b);


#endif /* _NGX_HTTP_CWMP_BODY_H_INCLUDED_ */
