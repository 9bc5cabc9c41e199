/*
 * The request of a rover, a base station or a browser.
 *
 * The caller collects bytes in one buffer and calls the parser after each
 * read.  Until the blank line is there it only looks at what is new; then
 * everything is parsed at once, in place: percent-encoding of the mountpoint
 * and base64 of the credentials are decoded over themselves, and all strings
 * of the result point into the buffer, which therefore must not move between
 * the calls and has to outlive the result.  The caller wipes it, as it holds
 * a password.
 *
 *    method line            GET, POST: [http://authority]/mount[?query]
 *                           SOURCE: password [/]mount, or password/mount
 *    header lines           to a blank line, CRLF or LF
 *    body                   from buf + "body" on: a GGA, or a base's data
 *
 * What is not asked: a User-Agent (QField), Host, HTTP/1.x behind the target,
 * a "/" in front of the mountpoint (str2str), the case of any name.  What is
 * refused: a header above 4 KB, control characters, a method nobody here
 * speaks.  Lines that are no "Name: value" are passed over, and of two equal
 * headers the first counts.
 *
 * NTRIP 2.0 is spoken if Ntrip-Version says so and at no other sign: many
 * 1.0 clients say HTTP/1.1 and cannot read the answer of a 2.0 caster.
 */


#ifndef _NTRIP_REQUEST_H_INCLUDED_
#define _NTRIP_REQUEST_H_INCLUDED_


#include "ntrip_text.h"


/* request line and headers with the blank line; bytes behind it may share
   the buffer */
#define NTRIP_REQUEST_MAX     4096

/* method */
#define NTRIP_GET             1
#define NTRIP_SOURCE          2          /* base station, NTRIP 1.0 */
#define NTRIP_POST            3          /* base station, NTRIP 2.0 */

/* auth: what Authorization held; all but BASIC are to be answered as a wrong
   password is, the difference is for the log */
#define NTRIP_AUTH_NONE       0
#define NTRIP_AUTH_BASIC      1
#define NTRIP_AUTH_OTHER      2          /* Digest, Bearer... */
#define NTRIP_AUTH_BAD        3          /* no base64, no ':', a control
                                            character, above NTRIP_USER_MAX
                                            or NTRIP_PASSWORD_MAX */

/* which replies the peer understands (ntrip_response.h) */
#define NTRIP_FORM_V1         1
#define NTRIP_FORM_V2         2
#define NTRIP_FORM_PAGE       3          /* a browser's GET / */

/* error, with NGX_ERROR */
#define NTRIP_REQUEST_TOO_LARGE   1      /* no blank line within the limit */
#define NTRIP_REQUEST_UNKNOWN     2      /* no request at all */
#define NTRIP_REQUEST_TLS         3      /* a TLS handshake */
#define NTRIP_REQUEST_METHOD      4      /* HEAD, OPTIONS, PUT... */
#define NTRIP_REQUEST_LINE        5      /* no target, bad %xx, a control
                                            character, no HTTP/1.x */
#define NTRIP_REQUEST_HEADER      6      /* control character in a header */


typedef struct {
    /* the parser's own; zero before the first call */
    size_t        scanned;
    size_t        line_start;

    ngx_uint_t    error;                 /* NTRIP_REQUEST_* */

    ngx_uint_t    method;
    ngx_uint_t    form;                  /* known after NGX_OK only; with an
                                            error NTRIP_FORM_V1 */
    ngx_str_t     mount;                 /* decoded, no '/' around it; empty
                                            for the sourcetable */
    ngx_str_t     query;                 /* as it came, without '?' */
    ngx_str_t     host;                  /* of the absolute form, else Host */

    ngx_uint_t    auth;                  /* NTRIP_AUTH_* */
    ngx_str_t     user;                  /* empty for SOURCE */
    ngx_str_t     password;              /* SOURCE: from its line */

    ngx_str_t     agent;                 /* User-Agent or Source-Agent */
    ngx_str_t     gga;                   /* Ntrip-GGA */
    ngx_str_t     str;                   /* STR or Ntrip-STR of a base */

    unsigned      http:1;                /* HTTP/1.x was named */
    unsigned      http11:1;              /* it was 1.1 or later */
    unsigned      v2:1;                  /* Ntrip-Version: Ntrip/2.0 */
    unsigned      html:1;                /* Accept has text/html */
    unsigned      chunked:1;             /* the body is chunked */
    unsigned      expect:1;              /* Expect: 100-continue */

    size_t        body;                  /* offset behind the blank line */
} ntrip_request_t;


/*
 * "buf" is the whole buffer with "len" bytes so far.
 *
 *   NGX_OK        done
 *   NGX_AGAIN     the blank line has not come yet
 *   NGX_ERROR     r->error says why; found as early as possible, for garbage
 *                 with the first byte
 */
ngx_int_t ntrip_request_parse(ntrip_request_t *r, u_char *buf, size_t len);

/* whether the rover is one of those 2.0 clients, known by their agent, that
   want the reply's body in chunks; most cannot read it so */
ngx_uint_t ntrip_request_insists(const ntrip_request_t *r);

/* for the log: "request header is too large"... */
const char *ntrip_request_error(ngx_uint_t error);


#endif /* _NTRIP_REQUEST_H_INCLUDED_ */
