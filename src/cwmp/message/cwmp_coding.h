
/*
 * Fieldgate: content codings of messages.
 */


#ifndef _CWMP_CODING_H_INCLUDED_
#define _CWMP_CODING_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <zlib.h>


/*
 * Content codings of messages.  Memory is zlib's own, some 40 KB for
 * inflating and 260 KB for deflating, from *_init() to *_end().
 */


/* output that any input may have: only above is it a bomb by its ratio */
#define CWMP_CODING_RATIO_FROM  1048576


typedef enum {
    CWMP_CODING_IDENTITY = 0,
    CWMP_CODING_GZIP,
    CWMP_CODING_DEFLATE,        /* zlib's format, or without its header */
    CWMP_CODING_OTHER
} cwmp_coding_e;


typedef enum {
    CWMP_CODING_CORRUPT = 1,    /* not that coding, damaged, or cut short */
    CWMP_CODING_BOMB,
    CWMP_CODING_TOO_LARGE,
    CWMP_CODING_NO_MEMORY
} cwmp_coding_error_e;


typedef struct {
    z_stream        zs;
    ngx_uint_t      coding;
    off_t           max;        /* bytes of output */
    ngx_int_t       ratio;      /* output to input above which it is a bomb */
    off_t           in;
    off_t           out;
    ngx_uint_t      error;      /* cwmp_coding_error_e */
    unsigned        raw:1;      /* deflate without zlib's header */
    unsigned        started:1;
    unsigned        member:1;   /* a member of gzip has ended */
    unsigned        done:1;     /* what follows is no part of the message */
} cwmp_inflate_t;


typedef struct {
    z_stream        zs;
} cwmp_deflate_t;


/* the coding that a Content-Encoding field names; several are OTHER */

ngx_uint_t cwmp_coding(ngx_str_t *value);

/*
 * GZIP or DEFLATE; at most max bytes of output, and above
 * CWMP_CODING_RATIO_FROM at most ratio times the input.  Nothing is allocated
 * before the first byte.
 */

void cwmp_inflate_init(cwmp_inflate_t *c, ngx_uint_t coding, off_t max,
    ngx_int_t ratio);

/*
 * Reads from *pos to last and moves *pos; writes at most size bytes to out, and
 * their number to *n.  Is to be called until the input is used up and
 * *n is less than size.  Returns NGX_OK or NGX_ERROR, see c->error.
 */

ngx_int_t cwmp_inflate(cwmp_inflate_t *c, u_char **pos, u_char *last,
    u_char *out, size_t size, size_t *n);

/*
 * After the last input: NGX_OK, or NGX_ERROR if the message is not whole.
 */

ngx_int_t cwmp_inflate_finish(cwmp_inflate_t *c);

/* frees; to be called in any case */

void cwmp_inflate_end(cwmp_inflate_t *c);


/*
 * Deflates into the same format that c was inflated from, quickly rather than
 * tightly: a hostile message takes zlib's usual level seven times as long, and
 * the ACS is near.  Returns NGX_OK or NGX_ERROR: no memory.
 */

ngx_int_t cwmp_deflate_init(cwmp_deflate_t *d, cwmp_inflate_t *c);

/*
 * Reads from *pos to last and moves *pos; writes at most size bytes to out, and
 * their number to *n.  Is to be called until the input is used up and *n is
 * less than size; with "finish", until it returns NGX_DONE.
 */

ngx_int_t cwmp_deflate(cwmp_deflate_t *d, u_char **pos, u_char *last,
    ngx_uint_t finish, u_char *out, size_t size, size_t *n);

void cwmp_deflate_end(cwmp_deflate_t *d);


#endif /* _CWMP_CODING_H_INCLUDED_ */
