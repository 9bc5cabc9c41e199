
/*
 * Fieldgate: an incremental tokenizer of XML.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_reference.h"
#include "cwmp_xml.h"


/* a longer tag name is read in different ways, see the header */
#define CWMP_XML_TAG_MAX     250


typedef enum {
    sw_text = 0,
    sw_entity,
    sw_lt,
    sw_name,
    sw_tag,
    sw_tag_quoted,
    sw_empty,
    sw_close,
    sw_close_quoted,
    sw_bang,
    sw_cdata_open,
    sw_cdata,
    sw_cdata_end,
    sw_comment_open,
    sw_comment,
    sw_pi,
    sw_declaration
} cwmp_xml_state_e;


static ngx_int_t cwmp_xml_text(cwmp_xml_t *x, u_char **pos, u_char *last);
static ngx_int_t cwmp_xml_entity(cwmp_xml_t *x, u_char **pos, u_char *last);
static ngx_int_t cwmp_xml_lt(cwmp_xml_t *x, u_char **pos, u_char *last);
static ngx_int_t cwmp_xml_name(cwmp_xml_t *x, u_char **pos, u_char *last);
static void cwmp_xml_save(cwmp_xml_t *x);
static ngx_int_t cwmp_xml_tag(cwmp_xml_t *x, u_char **pos, u_char *last);
static u_char *cwmp_xml_tag_end(u_char *p, u_char *last);
static ngx_int_t cwmp_xml_quoted(cwmp_xml_t *x, u_char **pos, u_char *last);
static ngx_int_t cwmp_xml_close(cwmp_xml_t *x, u_char **pos, u_char *last);
static ngx_int_t cwmp_xml_bang(cwmp_xml_t *x, u_char **pos, u_char *last);
static ngx_int_t cwmp_xml_cdata(cwmp_xml_t *x, u_char **pos, u_char *last);
static ngx_int_t cwmp_xml_cdata_end(cwmp_xml_t *x, u_char **pos,
    u_char *last);
static ngx_int_t cwmp_xml_comment(cwmp_xml_t *x, u_char **pos, u_char *last);
static ngx_int_t cwmp_xml_pi(cwmp_xml_t *x, u_char **pos, u_char *last);
static ngx_uint_t cwmp_xml_is_declaration(cwmp_xml_t *x);


#define CWMP_XML_ENDS_NAME    0x01      /* a tag name */
#define CWMP_XML_ENDS_PREFIX  0x02      /* its prefix */
#define CWMP_XML_ENDS_TAG     0x04      /* a tag, or quotes in it */

static u_char  cwmp_xml_class[256] = {
    ['\t'] = CWMP_XML_ENDS_NAME,
    [LF] = CWMP_XML_ENDS_NAME,
    [CR] = CWMP_XML_ENDS_NAME,
    [' '] = CWMP_XML_ENDS_NAME,
    ['/'] = CWMP_XML_ENDS_NAME,
    ['>'] = CWMP_XML_ENDS_NAME|CWMP_XML_ENDS_TAG,
    ['"'] = CWMP_XML_ENDS_NAME|CWMP_XML_ENDS_TAG,
    ['\''] = CWMP_XML_ENDS_NAME|CWMP_XML_ENDS_TAG,
    [':'] = CWMP_XML_ENDS_PREFIX
};


void
cwmp_xml_init(cwmp_xml_t *x)
{
    ngx_memzero(x, offsetof(cwmp_xml_t, buf));
}


ngx_int_t
cwmp_xml_next(cwmp_xml_t *x, u_char **pos, u_char *last)
{
    ngx_int_t  rc;

    x->tail = x->offset + (last - *pos);

    do {
        switch (x->state) {

        case sw_text:
            rc = cwmp_xml_text(x, pos, last);
            break;

        case sw_entity:
            rc = cwmp_xml_entity(x, pos, last);
            break;

        case sw_lt:
            rc = cwmp_xml_lt(x, pos, last);
            break;

        case sw_name:
            rc = cwmp_xml_name(x, pos, last);
            break;

        case sw_tag:
            rc = cwmp_xml_tag(x, pos, last);
            break;

        case sw_empty:
            x->state = sw_text;
            rc = CWMP_XML_END;
            break;

        case sw_tag_quoted:
        case sw_close_quoted:
            rc = cwmp_xml_quoted(x, pos, last);
            break;

        case sw_close:
            rc = cwmp_xml_close(x, pos, last);
            break;

        case sw_bang:
        case sw_cdata_open:
        case sw_comment_open:
            rc = cwmp_xml_bang(x, pos, last);
            break;

        case sw_cdata:
            rc = cwmp_xml_cdata(x, pos, last);
            break;

        case sw_cdata_end:
            rc = cwmp_xml_cdata_end(x, pos, last);
            break;

        case sw_comment:
            rc = cwmp_xml_comment(x, pos, last);
            break;

        case sw_pi:
            rc = cwmp_xml_pi(x, pos, last);
            break;

        default: /* sw_declaration */
            rc = NGX_DECLINED;
            break;
        }

    } while (rc == NGX_OK);

    x->offset = x->tail - (last - *pos);

    return rc;
}


static ngx_int_t
cwmp_xml_text(cwmp_xml_t *x, u_char **pos, u_char *last)
{
    u_char  *p, *lt, *amp;

    p = *pos;

    if (p == last) {
        return NGX_AGAIN;
    }

    lt = memchr(p, '<', last - p);

    if (!x->want_text) {
        if (lt == NULL) {
            *pos = last;
            return NGX_AGAIN;
        }

        x->markup = x->tail - (last - lt);
        x->state = sw_lt;
        *pos = lt + 1;

        return NGX_OK;
    }

    if (*p == '<') {
        x->markup = x->tail - (last - p);
        x->state = sw_lt;
        *pos = p + 1;

        return NGX_OK;
    }

    if (*p == '&') {
        x->buf[0] = '&';
        x->nbuf = 1;
        x->state = sw_entity;
        *pos = p + 1;

        return NGX_OK;
    }

    if (lt == NULL) {
        lt = last;
    }

    amp = memchr(p, '&', lt - p);

    if (amp) {
        lt = amp;
    }

    x->text.data = p;
    x->text.len = lt - p;
    *pos = lt;

    return CWMP_XML_TEXT;
}


/*
 * What is no reference is character data: a raw '&' is accepted by many
 * ACSs.  Zeros before the first digit are dropped, since any number of
 * them is allowed.
 */

static ngx_int_t
cwmp_xml_entity(cwmp_xml_t *x, u_char **pos, u_char *last)
{
    u_char  *p, c;

    for (p = *pos; p < last; p++) {
        c = *p;

        if (c == ';') {
            x->buf[x->nbuf++] = ';';
            x->nbuf = cwmp_reference_decode(x->buf, x->nbuf);
            p++;
            goto done;
        }

        if (!((c >= '0' && c <= '9') || ((c | 0x20) >= 'a'
                                         && (c | 0x20) <= 'z') || c == '#'))
        {
            goto done;
        }

        if (c == '0'
            && ((x->nbuf == 2 && x->buf[1] == '#')
                || (x->nbuf == 3 && x->buf[1] == '#'
                    && (x->buf[2] | 0x20) == 'x')))
        {
            continue;
        }

        if (x->nbuf == CWMP_REFERENCE_MAX) {
            goto done;
        }

        x->buf[x->nbuf++] = c;
    }

    *pos = last;

    return NGX_AGAIN;

done:

    x->state = sw_text;
    x->text.data = x->buf;
    x->text.len = x->nbuf;
    *pos = p;

    return CWMP_XML_TEXT;
}


static ngx_int_t
cwmp_xml_lt(cwmp_xml_t *x, u_char **pos, u_char *last)
{
    u_char  *p;

    p = *pos;

    if (p == last) {
        return NGX_AGAIN;
    }

    x->nbuf = 0;
    x->seen = 0;
    x->quote = 0;
    x->quotes = 0;

    switch (*p) {

    case '/':
        x->state = sw_close;
        *pos = p + 1;
        return NGX_OK;

    case '!':
        x->state = sw_bang;
        *pos = p + 1;
        return NGX_OK;

    case '?':
        x->state = sw_pi;
        *pos = p + 1;
        return NGX_OK;

    default:
        x->name.len = 0;
        x->length = 0;
        x->state = sw_name;
        return NGX_OK;
    }
}


/*
 * The local name is what follows the last colon.  It is kept where it is
 * in the input, and moved to the buffer only if the input ends in the tag.
 */

static ngx_int_t
cwmp_xml_name(cwmp_xml_t *x, u_char **pos, u_char *last)
{
    u_char  *p, *start, class;

    p = *pos;
    start = p;

    for ( ;; ) {

        for (class = 0; p < last; p++) {
            class = cwmp_xml_class[*p];

            if (class) {
                break;
            }
        }

        if (class != CWMP_XML_ENDS_PREFIX) {
            break;
        }

        p++;
        start = p;
        x->nbuf = 0;
    }

    x->length += p - *pos;

    if (x->length > CWMP_XML_TAG_MAX) {
        x->ambiguous = 1;
    }

    if (x->nbuf == 0) {
        x->name.data = start;
        x->name.len = p - start;

    } else {
        x->name.data = x->buf;
        x->name.len = ngx_min(x->nbuf + (size_t) (p - start),
                              CWMP_XML_NAME_MAX + 1);
        ngx_memcpy(x->buf + x->nbuf, start, x->name.len - x->nbuf);
    }

    *pos = p;

    if (p == last) {
        cwmp_xml_save(x);
        x->nbuf = x->name.len;
        return NGX_AGAIN;
    }

    if (x->name.len > CWMP_XML_NAME_MAX) {
        x->name.len = 0;
    }

    x->prev = 0;
    x->state = sw_tag;

    return NGX_OK;
}


static void
cwmp_xml_save(cwmp_xml_t *x)
{
    if (x->name.data != x->buf) {
        x->name.len = ngx_min(x->name.len, CWMP_XML_NAME_MAX + 1);
        ngx_memcpy(x->buf, x->name.data, x->name.len);
        x->name.data = x->buf;
    }
}


static ngx_int_t
cwmp_xml_tag(cwmp_xml_t *x, u_char **pos, u_char *last)
{
    u_char  *p, *end;

    for (p = *pos; /* void */ ; p = end + 1) {

        end = cwmp_xml_tag_end(p, last);

        if (end > p) {
            x->prev = end[-1];
        }

        if (end == last) {
            break;
        }

        if (*end == '>') {
            x->state = (x->prev == '/') ? sw_empty : sw_text;
            *pos = end + 1;

            return CWMP_XML_START;
        }

        x->quote = *end;
        x->prev = *end;

        p = end + 1;
        end = (p == last) ? NULL : memchr(p, x->quote, last - p);

        if (end == NULL) {
            x->state = sw_tag_quoted;
            break;
        }
    }

    *pos = last;
    cwmp_xml_save(x);

    return NGX_AGAIN;
}


static u_char *
cwmp_xml_tag_end(u_char *p, u_char *last)
{
    while (p < last && !(cwmp_xml_class[*p] & CWMP_XML_ENDS_TAG)) {
        p++;
    }

    return p;
}


static ngx_int_t
cwmp_xml_quoted(cwmp_xml_t *x, u_char **pos, u_char *last)
{
    u_char  *p;

    p = (*pos == last) ? NULL : memchr(*pos, x->quote, last - *pos);

    if (p == NULL) {
        *pos = last;

        if (x->state == sw_tag_quoted) {
            cwmp_xml_save(x);
        }

        return NGX_AGAIN;
    }

    x->state = (x->state == sw_tag_quoted) ? sw_tag : sw_close;
    *pos = p + 1;

    return NGX_OK;
}


static ngx_int_t
cwmp_xml_close(cwmp_xml_t *x, u_char **pos, u_char *last)
{
    u_char  *p;

    p = cwmp_xml_tag_end(*pos, last);

    if (p == last) {
        *pos = last;
        return NGX_AGAIN;
    }

    *pos = p + 1;

    if (*p == '>') {
        x->state = sw_text;
        return CWMP_XML_END;
    }

    x->quote = *p;
    x->state = sw_close_quoted;

    return NGX_OK;
}


/* after "<!": a comment, CDATA, or a declaration, where reading ends */

static ngx_int_t
cwmp_xml_bang(cwmp_xml_t *x, u_char **pos, u_char *last)
{
    u_char  *p, c;

    static u_char  cdata[] = "[CDATA[";

    for (p = *pos; p < last; p++) {
        c = *p;

        switch (x->state) {

        case sw_bang:

            if (c == '-') {
                x->state = sw_comment_open;
                break;
            }

            if (c == '[') {
                x->state = sw_cdata_open;
                x->seen = 1;
                break;
            }

            goto declaration;

        case sw_comment_open:

            if (c != '-') {
                goto declaration;
            }

            x->state = sw_comment;
            x->seen = 0;
            x->length = 0;
            *pos = p + 1;

            return NGX_OK;

        default: /* sw_cdata_open */

            if (c != cdata[x->seen]) {
                goto declaration;
            }

            if (++x->seen < sizeof(cdata) - 1) {
                break;
            }

            x->state = sw_cdata;
            *pos = p + 1;

            return NGX_OK;
        }
    }

    *pos = last;

    return NGX_AGAIN;

declaration:

    x->state = sw_declaration;
    *pos = p;

    return NGX_OK;
}


static ngx_int_t
cwmp_xml_cdata(cwmp_xml_t *x, u_char **pos, u_char *last)
{
    u_char  *p, *end;

    p = *pos;

    if (p == last) {
        return NGX_AGAIN;
    }

    end = memchr(p, ']', last - p);

    if (end == p) {
        x->seen = 1;
        x->state = sw_cdata_end;
        *pos = p + 1;

        return NGX_OK;
    }

    if (end == NULL) {
        end = last;
    }

    *pos = end;

    if (!x->want_text) {
        return NGX_OK;
    }

    x->text.data = p;
    x->text.len = end - p;

    return CWMP_XML_TEXT;
}


static ngx_int_t
cwmp_xml_cdata_end(cwmp_xml_t *x, u_char **pos, u_char *last)
{
    u_char  *p;

    static u_char  brackets[] = "]]";

    p = *pos;

    if (p == last) {
        return NGX_AGAIN;
    }

    if (x->seen == 2 && *p == '>') {
        x->state = sw_text;
        *pos = p + 1;

        return NGX_OK;
    }

    x->text.data = brackets;

    if (*p == ']') {
        *pos = p + 1;

        if (x->seen == 1) {
            x->seen = 2;
            return NGX_OK;
        }

        /* the first of three */

        x->text.len = 1;

    } else {
        x->text.len = x->seen;
        x->state = sw_cdata;
    }

    return x->want_text ? CWMP_XML_TEXT : NGX_OK;
}


static ngx_int_t
cwmp_xml_comment(cwmp_xml_t *x, u_char **pos, u_char *last)
{
    u_char  *p, c;

    for (p = *pos; p < last; p++) {
        c = *p;

        if (c == '>' && x->seen == 2) {

            x->state = sw_text;
            *pos = p + 1;

            return NGX_OK;
        }

        if (c == '-') {
            if (x->seen < 2) {
                x->seen++;
            }

        } else {
            if (c == '>' && x->length == x->seen) {
                x->ambiguous = 1;
            }

            x->seen = 0;
        }

        if (c == '"' || c == '\'') {
            x->ambiguous = 1;
        }

        x->length++;
    }

    *pos = last;

    return NGX_AGAIN;
}


static ngx_int_t
cwmp_xml_pi(cwmp_xml_t *x, u_char **pos, u_char *last)
{
    u_char  *p, c;

    for (p = *pos; p < last; p++) {
        c = *p;

        if (c == '>') {

            if (x->seen) {
                x->state = sw_text;
                x->text.data = x->buf;
                x->text.len = x->nbuf;
                *pos = p + 1;

                if (x->quotes
                    && (x->quote || !cwmp_xml_is_declaration(x)))
                {
                    x->ambiguous = 1;
                }

                return CWMP_XML_PI;
            }

            if (x->nbuf == 0) {
                x->ambiguous = 1;
            }
        }

        x->seen = (c == '?');

        if (x->nbuf < CWMP_XML_PI_MAX) {
            x->buf[x->nbuf++] = c;
        }

        if (c == '"' || c == '\'') {
            x->quotes = 1;

            if (x->quote == 0) {
                x->quote = c;

            } else if (x->quote == c) {
                x->quote = 0;
            }
        }
    }

    *pos = last;

    return NGX_AGAIN;
}


static ngx_uint_t
cwmp_xml_is_declaration(cwmp_xml_t *x)
{
    return x->nbuf > 3
           && ngx_memcmp(x->buf, "xml", 3) == 0
           && cwmp_xml_is_space(x->buf[3]);
}


ngx_uint_t
cwmp_xml_in_cdata(cwmp_xml_t *x)
{
    return x->state == sw_cdata || x->state == sw_cdata_end;
}


ngx_uint_t
cwmp_xml_in_text(cwmp_xml_t *x)
{
    return x->state == sw_text || x->state == sw_entity;
}


off_t
cwmp_xml_text_end(cwmp_xml_t *x)
{
    return (x->state == sw_cdata_end) ? x->offset - x->seen : x->offset;
}


size_t
cwmp_xml_skip_space(u_char *p, size_t len)
{
    size_t  n;

    for (n = 0; n < len; n++) {
        if (!cwmp_xml_is_space(p[n])) {
            break;
        }
    }

    return n;
}


size_t
cwmp_xml_trim(u_char *p, size_t len)
{
    while (len && cwmp_xml_is_space(p[len - 1])) {
        len--;
    }

    return len;
}
