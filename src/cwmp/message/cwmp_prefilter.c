
/*
 * Fieldgate: a quick look for messages that have nothing to rewrite.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_charset.h"
#include "cwmp_prefilter.h"
#include "cwmp_xml.h"


/* 'q' is the rarest letter of the token */
#define CWMP_PREFILTER_RARE    'q'
#define CWMP_PREFILTER_OFFSET  12


static ngx_uint_t cwmp_prefilter_start(u_char **pos, u_char *last);
static ngx_uint_t cwmp_prefilter_piece(cwmp_prefilter_t *f, u_char *p,
    u_char *last, off_t end);
static ngx_uint_t cwmp_prefilter_pair(u_char *p, u_char *last, u_char first,
    u_char second);
static u_char *cwmp_prefilter_token(cwmp_prefilter_t *f, u_char *p,
    u_char *last);
static u_char *cwmp_prefilter_tail(u_char *p, u_char *last, const char *tail,
    size_t len);


ngx_uint_t
cwmp_prefilter(cwmp_prefilter_t *f, u_char *p, size_t len,
    ngx_uint_t declared)
{
    size_t   n;
    u_char  *last;

    if (f->hidden || len == 0) {
        return f->hidden;
    }

    last = p + len;

    if (!f->started) {
        f->started = 1;

        if (declared == CWMP_CHARSET_OTHER || cwmp_prefilter_start(&p, last))
        {
            f->hidden = 1;
            return 1;
        }

    } else {

        /* what the end of the last piece and this one make together */

        n = ngx_min(len, CWMP_PREFILTER_KEEP);
        ngx_memcpy(f->kept + f->nkept, p, n);

        if (cwmp_prefilter_piece(f, f->kept, f->kept + f->nkept + n,
                                 f->offset + n))
        {
            return 1;
        }

        if (len < CWMP_PREFILTER_KEEP) {
            f->offset += n;
            n += f->nkept;
            f->nkept = ngx_min(n, CWMP_PREFILTER_KEEP);
            ngx_memmove(f->kept, f->kept + n - f->nkept, f->nkept);

            return 0;
        }
    }

    f->offset += len;

    if (cwmp_prefilter_piece(f, p, last, f->offset)) {
        return 1;
    }

    f->nkept = ngx_min((size_t) (last - p), CWMP_PREFILTER_KEEP);
    ngx_memcpy(f->kept, last - f->nkept, f->nkept);

    return 0;
}


/*
 * Moves *pos behind the XML declaration; 1 if the start is not what an ASCII
 * message starts with.
 */

static ngx_uint_t
cwmp_prefilter_start(u_char **pos, u_char *last)
{
    u_char      *p, *end;
    ngx_uint_t   class;

    p = *pos;

    while (p < last && cwmp_xml_is_space(*p)) {
        p++;
    }

    if (last - p < 2 || *p != '<') {
        return 1;
    }

    if (p[1] != '?') {
        return 0;
    }

    end = memchr(p, '>', last - p);

    if (end == NULL || end - p < 3 || end - p > CWMP_XML_PI_MAX
        || end[-1] != '?')
    {
        return 1;
    }

    class = cwmp_charset_declaration(p + 2, end - p - 2, 0);

    *pos = end + 1;

    return class == CWMP_CHARSET_OTHER;
}


/* end: the offset of last */

static ngx_uint_t
cwmp_prefilter_piece(cwmp_prefilter_t *f, u_char *p, u_char *last, off_t end)
{
    u_char  *token;

    if (cwmp_prefilter_pair(p, last, '<', '!')
        || cwmp_prefilter_pair(p, last, '<', '?')
        || cwmp_prefilter_pair(p, last, '&', '#')
        || (p < last && memchr(p, '\0', last - p) != NULL))
    {
        f->hidden = 1;
        return 1;
    }

    token = cwmp_prefilter_token(f, p, last);

    if (token) {
        f->names_end = end - (last - token);
    }

    return 0;
}


/* the second byte is the rarer one */

static ngx_uint_t
cwmp_prefilter_pair(u_char *p, u_char *last, u_char first, u_char second)
{
    u_char  *start;

    start = p;

    while (p < last && (p = memchr(p, second, last - p)) != NULL) {

        if (p > start && p[-1] == first) {
            return 1;
        }

        p++;
    }

    return 0;
}


/* the end of the last one, or NULL */

static u_char *
cwmp_prefilter_token(cwmp_prefilter_t *f, u_char *p, u_char *last)
{
    size_t   len;
    u_char  *found, *tail;

    len = sizeof(CWMP_PREFILTER_TOKEN) - 1;
    found = NULL;

    if ((size_t) (last - p) < len) {
        return NULL;
    }

    for (p += CWMP_PREFILTER_OFFSET; p < last; p++) {

        p = memchr(p, CWMP_PREFILTER_RARE, last - p);

        if (p == NULL) {
            break;
        }

        if ((size_t) (last - p) < len - CWMP_PREFILTER_OFFSET
            || ngx_memcmp(p - CWMP_PREFILTER_OFFSET, CWMP_PREFILTER_TOKEN, len)
               != 0)
        {
            continue;
        }

        tail = p - CWMP_PREFILTER_OFFSET + len;

        tail = cwmp_prefilter_tail(tail, last, CWMP_PREFILTER_URL,
                                   sizeof(CWMP_PREFILTER_URL) - 1);

        if (tail == NULL && f->addresses) {
            tail = p - CWMP_PREFILTER_OFFSET + len;

            tail = cwmp_prefilter_tail(tail, last, CWMP_PREFILTER_ADDRESS,
                                       sizeof(CWMP_PREFILTER_ADDRESS) - 1);
        }

        if (tail) {
            found = tail;
        }
    }

    return found;
}


/* its end, or NULL: something else is there */

static u_char *
cwmp_prefilter_tail(u_char *p, u_char *last, const char *tail, size_t len)
{
    return ((size_t) (last - p) >= len && ngx_memcmp(p, tail, len) == 0)
           ? p + len : NULL;
}
