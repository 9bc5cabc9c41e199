
/*
 * Fieldgate: the replies of CPEs to connection requests.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_reply.h"


/* r->state, once the header is complete */

typedef enum {
    cwmp_reply_content = 0,
    cwmp_reply_chunk_size,
    cwmp_reply_chunk_extension,
    cwmp_reply_chunk_data,
    cwmp_reply_chunk_end,
    cwmp_reply_trailer,
    cwmp_reply_trailer_line
} cwmp_reply_state_e;


/* r->framing */

typedef enum {
    cwmp_reply_until_close = 0,
    cwmp_reply_length,
    cwmp_reply_chunked
} cwmp_reply_framing_e;


static u_char *cwmp_reply_take(cwmp_reply_t *r, u_char *p, u_char *last);
static ngx_int_t cwmp_reply_status_line(cwmp_reply_t *r);
static void cwmp_reply_fields(cwmp_reply_t *r);
static void cwmp_reply_field(cwmp_reply_t *r, u_char *p, u_char *last);
static void cwmp_reply_set_length(cwmp_reply_t *r, ngx_str_t *value);
static void cwmp_reply_set_encoding(cwmp_reply_t *r, ngx_str_t *value);
static void cwmp_reply_set_connection(cwmp_reply_t *r, ngx_str_t *value);
static void cwmp_reply_end_header(cwmp_reply_t *r);
static void cwmp_reply_complete(cwmp_reply_t *r, ngx_uint_t framed);
static u_char *cwmp_reply_body(cwmp_reply_t *r, u_char *p, u_char *last);
static void cwmp_reply_chunk(cwmp_reply_t *r, u_char ch);
static void cwmp_reply_size_digit(cwmp_reply_t *r, u_char ch);
static ngx_int_t cwmp_reply_fail(cwmp_reply_t *r, cwmp_reply_error_e error);
static ngx_uint_t cwmp_reply_is(ngx_str_t *value, const char *word);
static void cwmp_reply_trim(ngx_str_t *value);
static ngx_uint_t cwmp_reply_token(ngx_str_t *list, ngx_str_t *token);


void
cwmp_reply_init(cwmp_reply_t *r, u_char *buf, ngx_uint_t head)
{
    ngx_memzero(r, sizeof(cwmp_reply_t));

    r->buf = buf;
    r->head = head ? 1 : 0;
}


ngx_int_t
cwmp_reply_parse(cwmp_reply_t *r, u_char *data, size_t len)
{
    u_char  *p, *last;

    if (r->error) {
        return NGX_ERROR;
    }

    p = data;
    last = data + len;

    if (len) {
        r->started = 1;
    }

    while (p < last && !r->done) {

        if (r->header) {
            p = cwmp_reply_body(r, p, last);
            continue;
        }

        p = cwmp_reply_take(r, p, last);

        if (r->error) {
            return NGX_ERROR;
        }
    }

    if (p < last) {
        r->reusable = 0;
    }

    return r->done ? NGX_OK : NGX_AGAIN;
}


ngx_int_t
cwmp_reply_end(cwmp_reply_t *r, ngx_uint_t silence)
{
    if (r->error) {
        return NGX_ERROR;
    }

    if (r->done) {
        return NGX_OK;
    }

    if (!r->header) {

        if (silence && (r->line == 0 || r->line != r->len)) {
            return NGX_AGAIN;
        }

        if (!r->started) {
            return cwmp_reply_fail(r, CWMP_REPLY_EMPTY);
        }

        if (r->line == 0) {
            return cwmp_reply_fail(r, CWMP_REPLY_TRUNCATED);
        }

        if (r->status < 200 && r->status != 101) {
            return silence ? NGX_AGAIN
                           : cwmp_reply_fail(r, CWMP_REPLY_TRUNCATED);
        }

        cwmp_reply_fields(r);

        if (silence && r->status == 401 && r->nauth == 0) {
            return NGX_AGAIN;
        }

        r->header = 1;
    }

    cwmp_reply_complete(r, 0);

    return NGX_OK;
}


const char *
cwmp_reply_strerror(ngx_uint_t error)
{
    switch (error) {
    case CWMP_REPLY_NOT_HTTP:
        return "sent no HTTP";
    case CWMP_REPLY_TOO_LARGE:
        return "sent too large a header";
    case CWMP_REPLY_TRUNCATED:
        return "closed the connection within the header of its reply";
    case CWMP_REPLY_EMPTY:
        return "closed the connection without a reply";
    default:
        return "sent a reply";
    }
}


/* takes bytes up to the end of a line of the header */

static u_char *
cwmp_reply_take(cwmp_reply_t *r, u_char *p, u_char *last)
{
    u_char  *lf;
    size_t   n, size;

    if (r->len == 0 && (*p == CR || *p == LF)) {

        /* empty lines in front of the status line, RFC 9112 2.2 */

        if (++r->total > CWMP_REPLY_HEADER_MAX) {
            (void) cwmp_reply_fail(r, CWMP_REPLY_TOO_LARGE);
        }

        return p + 1;
    }

    lf = memchr(p, LF, last - p);
    n = (lf ? lf + 1 : last) - p;
    size = ngx_min(n, CWMP_REPLY_HEADER_MAX - r->total);

    ngx_memcpy(r->buf + r->len, p, size);
    r->len += size;
    r->total += size;

    if (r->line == 0
        && memcmp(r->buf, "HTTP/", ngx_min(r->len, sizeof("HTTP/") - 1)) != 0)
    {
        (void) cwmp_reply_fail(r, CWMP_REPLY_NOT_HTTP);
        return last;
    }

    if (size < n) {
        (void) cwmp_reply_fail(r, CWMP_REPLY_TOO_LARGE);
        return last;
    }

    p += n;

    if (lf == NULL) {
        return p;
    }

    if (r->line == 0) {

        if (cwmp_reply_status_line(r) != NGX_OK) {
            (void) cwmp_reply_fail(r, CWMP_REPLY_NOT_HTTP);
            return last;
        }

    } else if (r->len - r->line == 1
               || (r->len - r->line == 2 && r->buf[r->line] == CR))
    {
        if (r->status < 200 && r->status != 101) {
            r->status = 0;
            r->len = 0;
            r->line = 0;
            return p;
        }

        cwmp_reply_fields(r);
        cwmp_reply_end_header(r);

        return p;
    }

    r->line = r->len;

    return p;
}


/* HTTP/1.1 401 Unauthorized; the reason may be missing */

static ngx_int_t
cwmp_reply_status_line(cwmp_reply_t *r)
{
    u_char     *p, *last;
    ngx_int_t   status;

    p = r->buf + sizeof("HTTP/") - 1;
    last = r->buf + r->len;

    if (last - p < (ssize_t) sizeof("1.1 200\n") - 1
        || !isdigit(p[0]) || p[1] != '.' || !isdigit(p[2])
        || (p[3] != ' ' && p[3] != '\t'))
    {
        return NGX_ERROR;
    }

    r->version = (p[0] - '0') * 1000 + p[2] - '0';

    for (p += 4; p < last && (*p == ' ' || *p == '\t'); p++) {
        /* void */
    }

    if (last - p < 4 || *p == '0') {
        return NGX_ERROR;
    }

    status = ngx_atoi(p, 3);
    p += 3;

    if (status == NGX_ERROR
        || (*p != ' ' && *p != '\t' && *p != CR && *p != LF))
    {
        return NGX_ERROR;
    }

    r->status = status;

    return NGX_OK;
}


/*
 * Reads the fields behind the status line.  It may be called again when more
 * lines have come: unfolding overwrites line ends with spaces only.
 */

static void
cwmp_reply_fields(cwmp_reply_t *r)
{
    u_char  *p, *end, *last;

    r->nauth = 0;
    r->framing = cwmp_reply_until_close;
    r->bad_length = 0;
    r->close = 0;
    r->keepalive = 0;

    last = r->buf + r->len;
    p = memchr(r->buf, LF, r->len);

    for (p++; p < last; p = end + 1) {

        for (end = p; end < last; end++) {

            if (*end != LF) {
                continue;
            }

            if (last - end == 1 || (end[1] != ' ' && end[1] != '\t')) {
                break;
            }

            *end = ' ';

            if (end > p && end[-1] == CR) {
                end[-1] = ' ';
            }
        }

        cwmp_reply_field(r, p, end);
    }
}


static void
cwmp_reply_field(cwmp_reply_t *r, u_char *p, u_char *last)
{
    u_char     *colon;
    ngx_str_t   name, value;

    colon = memchr(p, ':', last - p);
    if (colon == NULL || *p == ' ' || *p == '\t') {
        return;
    }

    name.data = p;
    name.len = colon - p;
    cwmp_reply_trim(&name);

    value.data = colon + 1;
    value.len = last - colon - 1;
    cwmp_reply_trim(&value);

    if (cwmp_reply_is(&name, "WWW-Authenticate")) {

        if (r->nauth < CWMP_REPLY_AUTH_MAX) {
            r->auth[r->nauth++] = value;
        }

    } else if (cwmp_reply_is(&name, "Content-Length")) {
        cwmp_reply_set_length(r, &value);

    } else if (cwmp_reply_is(&name, "Transfer-Encoding")) {
        cwmp_reply_set_encoding(r, &value);

    } else if (cwmp_reply_is(&name, "Connection")) {
        cwmp_reply_set_connection(r, &value);
    }
}


static void
cwmp_reply_set_length(cwmp_reply_t *r, ngx_str_t *value)
{
    off_t  length;

    length = ngx_atoof(value->data, value->len);

    if (length == NGX_ERROR
        || r->framing == cwmp_reply_chunked
        || (r->framing == cwmp_reply_length && r->rest != length))
    {
        r->bad_length = 1;
        return;
    }

    r->framing = cwmp_reply_length;
    r->rest = length;
}


/* what is not chunked in the end lasts until the close */

static void
cwmp_reply_set_encoding(cwmp_reply_t *r, ngx_str_t *value)
{
    ngx_str_t  list, token;

    if (r->framing == cwmp_reply_length) {
        r->bad_length = 1;
    }

    list = *value;
    ngx_str_null(&token);

    while (cwmp_reply_token(&list, &token)) { /* void */ }

    if (cwmp_reply_is(&token, "chunked")) {
        r->framing = cwmp_reply_chunked;

    } else if (!cwmp_reply_is(&token, "identity")) {
        r->framing = cwmp_reply_until_close;
        r->bad_length = 1;
    }
}


static void
cwmp_reply_set_connection(cwmp_reply_t *r, ngx_str_t *value)
{
    ngx_str_t  list, token;

    list = *value;

    while (cwmp_reply_token(&list, &token)) {

        if (cwmp_reply_is(&token, "close")) {
            r->close = 1;

        } else if (cwmp_reply_is(&token, "keep-alive")) {
            r->keepalive = 1;
        }
    }
}


static void
cwmp_reply_end_header(cwmp_reply_t *r)
{
    r->header = 1;

    if (r->head || r->status == 204 || r->status == 304) {
        cwmp_reply_complete(r, 1);
        return;
    }

    if (r->status == 401 && r->framing == cwmp_reply_chunked) {
        r->state = cwmp_reply_chunk_size;
        r->rest = -1;
        return;
    }

    if (r->framing != cwmp_reply_length || r->bad_length) {
        cwmp_reply_complete(r, 0);
        return;
    }

    if (r->rest == 0) {
        cwmp_reply_complete(r, 1);
        return;
    }

    if (r->status != 401 || r->rest > CWMP_REPLY_BODY_MAX) {
        cwmp_reply_complete(r, 0);
        return;
    }

    r->state = cwmp_reply_content;
}


/* framed: nothing of this reply is still to come */

static void
cwmp_reply_complete(cwmp_reply_t *r, ngx_uint_t framed)
{
    r->done = 1;

    r->reusable = framed && !r->bad_length && !r->close
                  && (r->version > 1000 || r->keepalive);
}


static u_char *
cwmp_reply_body(cwmp_reply_t *r, u_char *p, u_char *last)
{
    off_t  n;

    if (r->state != cwmp_reply_content && r->state != cwmp_reply_chunk_data) {

        if (++r->body > CWMP_REPLY_BODY_MAX) {
            cwmp_reply_complete(r, 0);
            return p;
        }

        cwmp_reply_chunk(r, *p);
        return p + 1;
    }

    n = ngx_min(r->rest, (off_t) (last - p));

    r->rest -= n;
    r->body += n;

    if (r->body > CWMP_REPLY_BODY_MAX) {
        cwmp_reply_complete(r, 0);
        return p + n;
    }

    if (r->rest == 0) {

        if (r->state == cwmp_reply_content) {
            cwmp_reply_complete(r, 1);

        } else {
            r->state = cwmp_reply_chunk_end;
        }
    }

    return p + n;
}


static void
cwmp_reply_chunk(cwmp_reply_t *r, u_char ch)
{
    switch (r->state) {

    case cwmp_reply_chunk_size:

        if (isxdigit(ch)) {
            cwmp_reply_size_digit(r, ch);
            return;
        }

        if (r->rest == -1) {
            cwmp_reply_complete(r, 0);
            return;
        }

        r->state = cwmp_reply_chunk_extension;

        /* fall through */

    case cwmp_reply_chunk_extension:

        if (ch == LF) {
            r->state = r->rest ? cwmp_reply_chunk_data : cwmp_reply_trailer;
        }

        return;

    case cwmp_reply_chunk_end:

        if (ch == LF) {
            r->state = cwmp_reply_chunk_size;
            r->rest = -1;

        } else if (ch != CR) {
            cwmp_reply_complete(r, 0);
        }

        return;

    case cwmp_reply_trailer:

        if (ch == LF) {
            cwmp_reply_complete(r, 1);

        } else if (ch != CR) {
            r->state = cwmp_reply_trailer_line;
        }

        return;

    default: /* cwmp_reply_trailer_line */

        if (ch == LF) {
            r->state = cwmp_reply_trailer;
        }
    }
}


static void
cwmp_reply_size_digit(cwmp_reply_t *r, u_char ch)
{
    ngx_uint_t  digit;

    digit = isdigit(ch) ? ch - '0' : (ch | 0x20) - 'a' + 10;

    r->rest = (r->rest == -1) ? (off_t) digit : r->rest * 16 + (off_t) digit;

    if (r->rest > CWMP_REPLY_BODY_MAX) {
        cwmp_reply_complete(r, 0);
    }
}


static ngx_int_t
cwmp_reply_fail(cwmp_reply_t *r, cwmp_reply_error_e error)
{
    r->error = error;

    return NGX_ERROR;
}


static ngx_uint_t
cwmp_reply_is(ngx_str_t *value, const char *word)
{
    size_t  len;

    len = strlen(word);

    return value->len == len
           && strncasecmp((char *) value->data, word, len) == 0;
}


static void
cwmp_reply_trim(ngx_str_t *value)
{
    while (value->len && (*value->data == ' ' || *value->data == '\t')) {
        value->data++;
        value->len--;
    }

    while (value->len
           && (value->data[value->len - 1] == ' '
               || value->data[value->len - 1] == '\t'
               || value->data[value->len - 1] == CR))
    {
        value->len--;
    }
}


/* the next element of a list with commas */

static ngx_uint_t
cwmp_reply_token(ngx_str_t *list, ngx_str_t *token)
{
    u_char     *comma;
    ngx_str_t   next;

    if (list->len == 0) {
        return 0;
    }

    next = *list;
    comma = memchr(next.data, ',', next.len);

    if (comma) {
        next.len = comma - next.data;
        list->data = comma + 1;
        list->len -= next.len + 1;

    } else {
        list->len = 0;
    }

    cwmp_reply_trim(&next);
    *token = next;

    return 1;
}
