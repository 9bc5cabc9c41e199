
/*
 * Fieldgate: the request body, as it is read and as it is written.
 */


#ifndef _NGX_HTTP_CWMP_BODY_H_INCLUDED_
#define _NGX_HTTP_CWMP_BODY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "cwmp_message.h"


/* in the decoded message: what stands from start up to end becomes text */

typedef struct {
    off_t                        start;
    off_t                        end;
    ngx_str_t                    text;
} ngx_http_cwmp_edit_t;


/*
 * Takes one piece of the message, valid during the call; NGX_OK, or anything
 * else to end reading.
 */
typedef ngx_int_t (*ngx_http_cwmp_piece_pt)(void *data, u_char *p, size_t len);


/* ngx_http_cwmp_body.c */

/*
 * Hands over the request body piece by piece, from memory or from its
 * temporary file; with "inflate" not NULL, decoded.  Returns NGX_OK, what the
 * function returned, or NGX_ERROR: inflate->error says why, else the file
 * cannot be read, which is logged.
 */
ngx_int_t ngx_http_cwmp_read_pieces(ngx_http_request_t *r,
    cwmp_inflate_t *inflate, ngx_http_cwmp_piece_pt handler, void *data);


/* ngx_http_cwmp_rewrite.c */

/*
 * Replaces the request body by one with the edits, which are in ascending order
 * and do not overlap, in the coding that it was inflated from, if any.
 * Returns NGX_OK or NGX_ERROR.
 */
ngx_int_t ngx_http_cwmp_rewrite(ngx_http_request_t *r,
    ngx_http_cwmp_edit_t *edits, ngx_uint_t nedits, cwmp_inflate_t *inflate);


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

/*
 * Whether this is the first time today that a device, or a client that is not
 * known as one, does this for this reason: what is logged once a day.
 */
ngx_uint_t ngx_http_cwmp_first_time(ngx_http_request_t *r, const char *what,
    const char *reason);


#endif /* _NGX_HTTP_CWMP_BODY_H_INCLUDED_ */
