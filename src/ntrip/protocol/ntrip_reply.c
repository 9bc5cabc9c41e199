
/*
 * Fieldgate: the request to an NTRIP caster, and its reply.
 */


#include "ntrip_reply.h"


#define NTRIP_REPLY_FIRST        0
#define NTRIP_REPLY_HTTP         1       /* header lines */
#define NTRIP_REPLY_ICY          2       /* start of a line: header or data */
#define NTRIP_REPLY_ICY_LINE     3       /* within a header line */
#define NTRIP_REPLY_HELD         4       /* hold[] turned out to be data */
#define NTRIP_REPLY_DATA         5
#define NTRIP_REPLY_CHUNKED      6
#define NTRIP_REPLY_END          7
#define NTRIP_REPLY_REFUSED      8


static ngx_int_t ntrip_reply_first(ntrip_reply_t *r, u_char ch);
static ngx_int_t ntrip_reply_first_line(ntrip_reply_t *r);
static ngx_int_t ntrip_reply_status(ntrip_reply_t *r);
static ngx_int_t ntrip_reply_error_line(ntrip_reply_t *r, ngx_str_t *line);
static ngx_int_t ntrip_reply_http(ntrip_reply_t *r, u_char ch);
static void ntrip_reply_http_field(ntrip_reply_t *r);
static ngx_int_t ntrip_reply_http_end(ntrip_reply_t *r);
static ngx_int_t ntrip_reply_icy(ntrip_reply_t *r, u_char ch);
static ngx_int_t ntrip_reply_body(ntrip_reply_t *r, ngx_str_t *in,
    ngx_str_t *data);
static ngx_int_t ntrip_reply_refuse(ntrip_reply_t *r, ngx_uint_t result);
static void ntrip_reply_path(ntrip_out_t *out, ngx_str_t *mount);


void
ntrip_reply_init(ntrip_reply_t *r, ngx_uint_t asked)
{
    ngx_memzero(r, sizeof(ntrip_reply_t));

    r->asked = asked;
    r->state = NTRIP_REPLY_FIRST;
}


ngx_int_t
ntrip_reply_next(ntrip_reply_t *r, ngx_str_t *in, ngx_str_t *data)
{
    u_char     ch;
    ngx_int_t  rc;

    for ( ;; ) {

        if (r->state >= NTRIP_REPLY_HELD) {
            return ntrip_reply_body(r, in, data);
        }

        if (in->len == 0) {
            return NGX_AGAIN;
        }

        ch = *in->data;

        switch (r->state) {

        case NTRIP_REPLY_FIRST:
            rc = ntrip_reply_first(r, ch);
            break;

        case NTRIP_REPLY_HTTP:
            rc = ntrip_reply_http(r, ch);
            break;

        default:
            rc = ntrip_reply_icy(r, ch);
            break;
        }

        if (rc == NGX_DECLINED) {
            return NGX_DECLINED;
        }

        if (r->state == NTRIP_REPLY_HELD) {

            /* this byte is data, and still in front of "in" */

            continue;
        }

        in->data++;
        in->len--;
    }
}


static ngx_int_t
ntrip_reply_first(ntrip_reply_t *r, u_char ch)
{
    if (ch != LF && r->shown_len < NTRIP_REPLY_SHOWN) {
        r->shown[r->shown_len++] = ch;
    }

    if (ch == LF) {
        return ntrip_reply_first_line(r);
    }

    /* no caster's first line has such a byte: this is another protocol, or
       corrections without any header */

    if ((ch < 0x20 && ch != CR && ch != '\t')
        || r->line_len == NTRIP_REPLY_LINE_MAX)
    {
        return ntrip_reply_refuse(r, NTRIP_REPLY_GARBAGE);
    }

    r->line[r->line_len++] = ch;

    return NGX_OK;
}


static ngx_int_t
ntrip_reply_first_line(ntrip_reply_t *r)
{
    size_t      skip;
    ngx_str_t   line, status;

    while (r->shown_len && r->shown[r->shown_len - 1] == CR) {
        r->shown_len--;
    }

    line.data = r->line;
    line.len = r->line_len;

    ntrip_text_trim(&line);

    r->line_len = 0;

    if (ntrip_text_begins(&line, "ICY ")) {
        skip = sizeof("ICY ") - 1;
        r->state = NTRIP_REPLY_ICY;

    } else if (ntrip_text_begins(&line, "HTTP/1.")) {
        skip = sizeof("HTTP/1.1 ") - 1;
        r->state = NTRIP_REPLY_HTTP;
        r->http = 1;

    } else if (ntrip_text_begins(&line, "SOURCETABLE ")) {
        skip = sizeof("SOURCETABLE ") - 1;
        r->state = NTRIP_REPLY_ICY;
        r->table = 1;

    } else if (ntrip_text_begins(&line, "ERROR")) {
        return ntrip_reply_error_line(r, &line);

    } else {
        return ntrip_reply_refuse(r, NTRIP_REPLY_GARBAGE);
    }

    status.data = line.data + skip;
    status.len = (line.len < skip) ? 0 : line.len - skip;

    if (status.len > 3 && status.data[3] == ' ') {
        status.len = 3;
    }

    r->status = (status.len == 3) ? ntrip_text_number(&status, 999) : 0;

    if (r->status < 100 || r->status > 999) {
        r->status = 0;
        return ntrip_reply_refuse(r, NTRIP_REPLY_GARBAGE);
    }

    return ntrip_reply_status(r);
}


static ngx_int_t
ntrip_reply_status(ntrip_reply_t *r)
{
    switch (r->status) {

    case 200:
        if (r->table && r->asked == NTRIP_REPLY_STREAM) {
            return ntrip_reply_refuse(r, NTRIP_REPLY_NOMOUNT);
        }

        r->accepted = 1;
        return NGX_OK;

    case 401:
        return ntrip_reply_refuse(r, NTRIP_REPLY_UNAUTHORIZED);

    case 403:
        return ntrip_reply_refuse(r, NTRIP_REPLY_FORBIDDEN);

    case 404:
        return ntrip_reply_refuse(r, NTRIP_REPLY_NOMOUNT);

    case 409:
    case 429:
    case 503:
        return ntrip_reply_refuse(r, NTRIP_REPLY_BUSY);

    default:
        return ntrip_reply_refuse(r, NTRIP_REPLY_FAILED);
    }
}


/* "ERROR - Bad Password", "ERROR - Mount Point Taken or Invalid", "ERROR -
   Too many clients", "ERROR - Already Connected" */

static ngx_int_t
ntrip_reply_error_line(ntrip_reply_t *r, ngx_str_t *line)
{
    if (ntrip_text_contains(line, "password")
        || ntrip_text_contains(line, "unauthorized"))
    {
        return ntrip_reply_refuse(r, NTRIP_REPLY_UNAUTHORIZED);
    }

    if (ntrip_text_contains(line, "mount")) {
        return ntrip_reply_refuse(r, NTRIP_REPLY_NOMOUNT);
    }

    if (ntrip_text_contains(line, "too many")
        || ntrip_text_contains(line, "already"))
    {
        return ntrip_reply_refuse(r, NTRIP_REPLY_BUSY);
    }

    return ntrip_reply_refuse(r, NTRIP_REPLY_FAILED);
}


static ngx_int_t
ntrip_reply_http(ntrip_reply_t *r, u_char ch)
{
    if (++r->header > NTRIP_REPLY_HEADER_MAX) {
        return ntrip_reply_refuse(r, NTRIP_REPLY_GARBAGE);
    }

    if (ch != LF) {

        /* of a longer line the end does not matter here */

        if (r->line_len < NTRIP_REPLY_LINE_MAX) {
            r->line[r->line_len++] = ch;
        }

        return NGX_OK;
    }

    if (r->line_len == 0 || (r->line_len == 1 && r->line[0] == CR)) {
        return ntrip_reply_http_end(r);
    }

    ntrip_reply_http_field(r);
    r->line_len = 0;

    return NGX_OK;
}


static void
ntrip_reply_http_field(ntrip_reply_t *r)
{
    ngx_int_t  length;
    ngx_str_t  line, name, value;

    line.data = r->line;
    line.len = r->line_len;

    if (ntrip_text_header(&line, &name, &value) != NGX_OK) {
        return;
    }

    if (ntrip_text_is(&name, "Transfer-Encoding")) {
        r->chunked |= ntrip_text_contains(&value, "chunked");

    } else if (ntrip_text_is(&name, "Content-Type")) {
        r->table = ntrip_text_begins(&value, "gnss/sourcetable");
        r->text = ntrip_text_begins(&value, "text/");
        r->html = ntrip_text_begins(&value, "text/html");

    } else if (ntrip_text_is(&name, "Content-Length")) {
        length = ntrip_text_number(&value, NGX_MAX_INT_T_VALUE);

        if (length != NGX_ERROR) {
            r->finite = 1;
            r->rest = length;
        }
    }
}


static ngx_int_t
ntrip_reply_http_end(ntrip_reply_t *r)
{
    if (r->asked == NTRIP_REPLY_STREAM) {

        if (r->table) {
            return ntrip_reply_refuse(r, NTRIP_REPLY_NOMOUNT);
        }

        /* a log-in page of a network on the way */

        if (r->html) {
            return ntrip_reply_refuse(r, NTRIP_REPLY_FAILED);
        }

        /* a table that is called text/plain has a length, a stream has none */

        if (r->text && r->finite) {
            return ntrip_reply_refuse(r, NTRIP_REPLY_NOMOUNT);
        }

        r->finite = 0;

    } else if (r->chunked) {
        r->finite = 0;
    }

    r->result = NTRIP_REPLY_OK;

    if (r->chunked) {
        r->state = NTRIP_REPLY_CHUNKED;
        ntrip_chunked_init(&r->body);

    } else {
        r->state = NTRIP_REPLY_DATA;
    }

    return NGX_OK;
}


/*
 * Behind "ICY 200 OK".  Sets NTRIP_REPLY_HELD, and leaves "ch" to be data, as
 * soon as a line can no longer be one of a header.
 */

static ngx_int_t
ntrip_reply_icy(ntrip_reply_t *r, u_char ch)
{
    if (++r->header > NTRIP_REPLY_HEADER_MAX) {
        return ntrip_reply_refuse(r, NTRIP_REPLY_GARBAGE);
    }

    if (r->state == NTRIP_REPLY_ICY_LINE) {

        if (ch == LF) {
            r->state = NTRIP_REPLY_ICY;
        }

        return NGX_OK;
    }

    if (ch == LF && (r->held == 0 || (r->held == 1 && r->hold[0] == CR))) {
        r->held = 0;
        r->result = NTRIP_REPLY_OK;
        r->state = NTRIP_REPLY_DATA;

        return NGX_OK;
    }

    if (ch == ':' && r->held && r->hold[0] != CR) {
        r->held = 0;
        r->state = NTRIP_REPLY_ICY_LINE;

        return NGX_OK;
    }

    if (r->held < NTRIP_REPLY_HOLD - 1
        && ((ch == CR && r->held == 0)
            || (((ch | 0x20) >= 'a' && (ch | 0x20) <= 'z')
                && (r->held == 0 || r->hold[0] != CR))
            || ((ch == '-' || ch == '_' || (ch >= '0' && ch <= '9'))
                && r->held && r->hold[0] != CR)))
    {
        r->hold[r->held++] = ch;
        return NGX_OK;
    }

    r->result = NTRIP_REPLY_OK;
    r->state = NTRIP_REPLY_HELD;

    return NGX_OK;
}


static ngx_int_t
ntrip_reply_body(ntrip_reply_t *r, ngx_str_t *in, ngx_str_t *data)
{
    size_t     n;
    ngx_int_t  rc;

    switch (r->state) {

    case NTRIP_REPLY_HELD:
        r->state = NTRIP_REPLY_DATA;

        if (r->held) {
            data->data = r->hold;
            data->len = r->held;
            r->held = 0;

            return NGX_OK;
        }

        /* fall through */

    case NTRIP_REPLY_DATA:
        n = in->len;

        if (r->finite) {
            n = ngx_min(n, r->rest);
            r->rest -= n;

            if (n == 0 && r->rest == 0) {
                r->state = NTRIP_REPLY_END;
                return NGX_DONE;
            }
        }

        if (n == 0) {
            return NGX_AGAIN;
        }

        data->data = in->data;
        data->len = n;

        in->data += n;
        in->len -= n;

        return NGX_OK;

    case NTRIP_REPLY_CHUNKED:
        rc = ntrip_chunked_next(&r->body, in, data);

        if (rc == NGX_DONE) {
            r->state = NTRIP_REPLY_END;
        }

        return rc;

    case NTRIP_REPLY_END:
        return NGX_DONE;

    default:
        return NGX_DECLINED;
    }
}


static ngx_int_t
ntrip_reply_refuse(ntrip_reply_t *r, ngx_uint_t result)
{
    r->result = result;
    r->state = NTRIP_REPLY_REFUSED;

    return NGX_DECLINED;
}


const char *
ntrip_reply_result(ngx_uint_t result)
{
    static const char  *names[] = {
        "no reply", "ok", "unauthorized", "forbidden", "no such mountpoint",
        "busy", "failed", "no NTRIP reply"
    };

    return names[result <= NTRIP_REPLY_GARBAGE ? result : 0];
}


void
ntrip_reply_request(ntrip_out_t *out, ntrip_reply_request_t *request)
{
    size_t  len;
    u_char  plain[NTRIP_USER_MAX + 1 + NTRIP_PASSWORD_MAX];

    ntrip_out_text(out, "GET /");
    ntrip_reply_path(out, &request->mount);
    ntrip_out_text(out, request->v2 ? " HTTP/1.1" CRLF : " HTTP/1.0" CRLF);

    ntrip_out_text(out, "User-Agent: " NTRIP_PRODUCT CRLF "Host: ");
    ntrip_out_str(out, &request->host);
    ntrip_out_char(out, ':');
    ntrip_out_uint(out, request->port, 1);
    ntrip_out_text(out, CRLF);

    if (request->v2) {
        ntrip_out_text(out, "Ntrip-Version: Ntrip/2.0" CRLF);

        if (request->gga.len) {
            ntrip_out_text(out, "Ntrip-GGA: ");
            ntrip_out_str(out, &request->gga);
            ntrip_out_text(out, CRLF);
        }
    }

    if (request->user.len) {
        len = request->user.len + 1 + request->password.len;

        if (request->user.len > NTRIP_USER_MAX
            || request->password.len > NTRIP_PASSWORD_MAX)
        {
            out->overflow = 1;
            return;
        }

        ngx_memcpy(plain, request->user.data, request->user.len);
        plain[request->user.len] = ':';
        ngx_memcpy(plain + request->user.len + 1, request->password.data,
                   request->password.len);

        ntrip_out_text(out, "Authorization: Basic ");
        ntrip_out_base64(out, plain, len);
        ntrip_out_text(out, CRLF);
    }

    if (request->v2 || request->user.len == 0) {
        ntrip_out_text(out, "Accept: */*" CRLF "Connection: close" CRLF);
    }

    ntrip_out_text(out, CRLF);
}


/* RFC 3986 3.3: what is no pchar is percent-encoded */

static void
ntrip_reply_path(ntrip_out_t *out, ngx_str_t *mount)
{
    u_char  c;
    size_t  i;

    static const u_char  hex[] = "0123456789ABCDEF";
    static const char    safe[] = "-._~!$&'()*+,;=:@";

    for (i = 0; i < mount->len; i++) {
        c = mount->data[i];

        if ((c >= '0' && c <= '9')
            || ((c | 0x20) >= 'a' && (c | 0x20) <= 'z')
            || (c && strchr(safe, c)))
        {
            ntrip_out_char(out, c);
            continue;
        }

        ntrip_out_char(out, '%');
        ntrip_out_char(out, hex[c >> 4]);
        ntrip_out_char(out, hex[c & 0xf]);
    }
}
