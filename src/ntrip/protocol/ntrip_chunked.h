/*
 * Chunked transfer coding (RFC 7230 4.1): decoder for what providers and base
 * stations send, framing for what we send.
 *
 * The decoder's state holds no pointer: it may be copied, and be sent to
 * another process together with the connection.
 */


#ifndef _NTRIP_CHUNKED_H_INCLUDED_
#define _NTRIP_CHUNKED_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* room for the size line in front of a chunk: 8 digits and CRLF */
#define NTRIP_CHUNK_HEAD      10
#define NTRIP_CHUNK_LAST      "0\r\n\r\n"

/* a size line with its extensions, and each trailer line; longer is an error */
#define NTRIP_CHUNK_LINE_MAX  1024


typedef struct {
    uint32_t      state;
    uint32_t      line;          /* bytes of the line so far */
    uint64_t      size;          /* bytes of the chunk that are to come */
} ntrip_chunked_t;


void ntrip_chunked_init(ntrip_chunked_t *c);

/*
 * Takes bytes from the front of "in" and moves it on.
 *
 *   NGX_OK        "data" is the next run of decoded bytes, a part of "in"
 *   NGX_AGAIN     "in" is used up
 *   NGX_DONE      the last chunk and its trailers are over; "in" is what
 *                 follows
 *   NGX_ERROR     this is no chunked coding, or a size above 2^31 - 1
 */
ngx_int_t ntrip_chunked_next(ntrip_chunked_t *c, ngx_str_t *in,
    ngx_str_t *data);

/*
 * Writes the size line of a chunk of "len" bytes so that it ends at "end",
 * which has NTRIP_CHUNK_HEAD bytes in front of it, and returns its start.
 * With CRLF behind the payload one buffer serves raw and chunked rovers.
 */
u_char *ntrip_chunk_head(u_char *end, uint32_t len);


#endif /* _NTRIP_CHUNKED_H_INCLUDED_ */
