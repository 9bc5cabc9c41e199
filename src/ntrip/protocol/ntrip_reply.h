/*
 * The provider's side: our request to it, and the parser of its reply.
 *
 *   FIRST     the first line, to its LF
 *               ICY 200          -> ICY
 *               HTTP/1.x 200     -> HTTP
 *               SOURCETABLE 200  -> ICY if the table was asked for
 *               anything else    -> refused
 *   HTTP      header lines to the blank line, then DATA or CHUNKED
 *   ICY       casters send nothing, a blank line, or header lines with or
 *             without a blank line behind "ICY 200 OK": at the start of each
 *             line CRLF ends the header, "Name:" is a header line, and
 *             anything else is data already.  Bytes that may still be
 *             either are held back, at most NTRIP_REPLY_HOLD of them.
 *   DATA      everything is data
 *   CHUNKED   everything is decoded
 *
 * The parser holds no pointers: it may be copied and sent to another process
 * together with the connection.
 */


#ifndef _NTRIP_REPLY_H_INCLUDED_
#define _NTRIP_REPLY_H_INCLUDED_


#include "ntrip_chunked.h"
#include "ntrip_text.h"


#define NTRIP_REPLY_LINE_MAX     512     /* first line */
#define NTRIP_REPLY_HEADER_MAX   8192    /* all header lines */
#define NTRIP_REPLY_HOLD         40      /* longest header name with ':' */
#define NTRIP_REPLY_SHOWN        80      /* of the first line, for the log */

/* what was asked for */
#define NTRIP_REPLY_STREAM       1
#define NTRIP_REPLY_TABLE        2

/* result: 0 as long as it is open */
#define NTRIP_REPLY_OK           1
#define NTRIP_REPLY_UNAUTHORIZED 2       /* 401, bad password */
#define NTRIP_REPLY_FORBIDDEN    3       /* 403 */
#define NTRIP_REPLY_NOMOUNT      4       /* sourcetable, 404, unknown mount */
#define NTRIP_REPLY_BUSY         5       /* 409, 429, 503, too many, already */
#define NTRIP_REPLY_FAILED       6       /* any other status, a page */
#define NTRIP_REPLY_GARBAGE      7       /* no reply of a caster */


typedef struct {
    ngx_uint_t         asked;            /* NTRIP_REPLY_STREAM, ..._TABLE */
    ngx_uint_t         state;
    ngx_uint_t         result;           /* NTRIP_REPLY_* */
    ngx_uint_t         status;           /* 200, 401...; 0 for ERROR lines */

    unsigned           accepted:1;       /* the first line said 200: now the
                                            position may go up */
    unsigned           http:1;           /* it is one of HTTP */
    unsigned           chunked:1;
    unsigned           table:1;          /* the body is a sourcetable */
    unsigned           text:1;           /* Content-Type: text/... */
    unsigned           html:1;
    unsigned           finite:1;         /* Content-Length was given */

    uint64_t           rest;             /* of the body, if finite */
    size_t             header;           /* header bytes so far */
    ntrip_chunked_t    body;

    size_t             held;             /* bytes in hold[] */
    size_t             line_len;
    size_t             shown_len;
    u_char             hold[NTRIP_REPLY_HOLD];
    u_char             line[NTRIP_REPLY_LINE_MAX];
    u_char             shown[NTRIP_REPLY_SHOWN];   /* raw: escape it */
} ntrip_reply_t;


void ntrip_reply_init(ntrip_reply_t *r, ngx_uint_t asked);

/*
 * Takes bytes from the front of "in" and moves it on.
 *
 *   NGX_OK        "data" is the next run of the stream, or of the table; it
 *                 points into "in" or into "r", until the next call
 *   NGX_AGAIN     "in" is used up
 *   NGX_DONE      the body has ended by its own account
 *   NGX_DECLINED  refused: r->result; the connection has no further use
 *   NGX_ERROR     an accepted stream broke its own chunked coding
 *
 * How the bytes are cut into calls makes no difference to the sequence of
 * data bytes and the final result.
 */
ngx_int_t ntrip_reply_next(ntrip_reply_t *r, ngx_str_t *in, ngx_str_t *data);

/* for logs and the console: "ok", "unauthorized"... */
const char *ntrip_reply_result(ngx_uint_t result);


/*
 * Our request.  "mount" empty asks for the sourcetable, "user" empty sends no
 * credentials.  User-Agent comes first and Host behind it: BKG's caster
 * refuses a good agent that Host precedes.
 */

typedef struct {
    ngx_uint_t    v2;                    /* NTRIP 2.0 */
    ngx_str_t     mount;                 /* percent-encoded where needed */
    ngx_str_t     host;                  /* a name or an address; an IPv6
                                            address in brackets */
    ngx_uint_t    port;
    ngx_str_t     user;
    ngx_str_t     password;
    ngx_str_t     gga;                   /* 2.0: first position, may be empty;
                                            without CRLF */
} ntrip_reply_request_t;


/* appends the request; 3 KB are enough for the longest fields of the
   database, and "out" tells an overflow */
void ntrip_reply_request(ntrip_out_t *out, ntrip_reply_request_t *request);


#endif /* _NTRIP_REPLY_H_INCLUDED_ */
