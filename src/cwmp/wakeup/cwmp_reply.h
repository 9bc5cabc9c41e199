
/*
 * Fieldgate: the replies of CPEs to connection requests.
 *
 * The reply of a CPE to a connection request: an incremental HTTP parser that
 * takes what CPEs send.  The only body that matters is the one of a 401,
 * since the connection can be used again behind it; bodies are never kept.
 */


#ifndef _CWMP_REPLY_H_INCLUDED_
#define _CWMP_REPLY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define CWMP_REPLY_HEADER_MAX  8192     /* all headers, 1xx included */
#define CWMP_REPLY_BODY_MAX    16384    /* framing of chunks included */
#define CWMP_REPLY_AUTH_MAX    8        /* WWW-Authenticate fields */

/*
 * Orange's tr069agent ends its 401 with neither an empty line nor a close.
 * Milliseconds of silence behind a line feed that are taken for the end of
 * the header: see cwmp_reply_end().
 */

#define CWMP_REPLY_SILENCE     250


typedef enum {
    CWMP_REPLY_NOT_HTTP = 1,
    CWMP_REPLY_TOO_LARGE,       /* header above CWMP_REPLY_HEADER_MAX */
    CWMP_REPLY_TRUNCATED,       /* end inside of the header */
    CWMP_REPLY_EMPTY            /* end before the first byte */
} cwmp_reply_error_e;


typedef struct {
    ngx_uint_t          status;         /* 0: not known yet; 101, 200 to 999 */
    ngx_uint_t          version;        /* 9, 1000, 1001, ... as in nginx */

    /* values of WWW-Authenticate, unfolded, trimmed; they lie in buf */
    ngx_str_t           auth[CWMP_REPLY_AUTH_MAX];
    ngx_uint_t          nauth;

    unsigned            started:1;      /* a byte has arrived */
    unsigned            header:1;       /* the header is complete */
    unsigned            done:1;         /* nothing more is needed */
    unsigned            reusable:1;     /* framed, read in full, not closed */
    ngx_uint_t          error;          /* cwmp_reply_error_e */

    /* private */
    u_char             *buf;            /* the header so far */
    size_t              len;
    size_t              total;          /* header bytes, 1xx included */
    size_t              line;           /* where the last line starts */
    size_t              body;           /* body bytes so far */
    off_t               rest;           /* of the content or of the chunk */
    ngx_uint_t          state;
    ngx_uint_t          framing;
    unsigned            head:1;
    unsigned            close:1;
    unsigned            keepalive:1;
    unsigned            bad_length:1;
} cwmp_reply_t;


/*
 * buf has CWMP_REPLY_HEADER_MAX bytes and lives as long as *r.  head: the
 * request was a HEAD.
 */
void cwmp_reply_init(cwmp_reply_t *r, u_char *buf, ngx_uint_t head);


/*
 * Takes the next bytes, split anywhere.  Complete means: the header for any
 * status but 401; with a 401 the body too, if it is framed.
 * Returns NGX_OK if the reply is complete, NGX_AGAIN if more is needed,
 * NGX_ERROR with the reason in r->error.  Bytes behind a complete reply make
 * it not reusable.
 */
ngx_int_t cwmp_reply_parse(cwmp_reply_t *r, u_char *data, size_t len);


/*
 * No more bytes: the CPE closed the connection, or (silence) has been silent
 * for CWMP_REPLY_SILENCE since its last byte.
 * Returns NGX_OK if what came is a reply, also one without the empty line
 * behind its last header field; NGX_AGAIN, for silence only: go on waiting;
 * NGX_ERROR with the reason in r->error.
 */
ngx_int_t cwmp_reply_end(cwmp_reply_t *r, ngx_uint_t silence);


/* The error, for the log: "sent no HTTP". */
const char *cwmp_reply_strerror(ngx_uint_t error);


#endif /* _CWMP_REPLY_H_INCLUDED_ */
