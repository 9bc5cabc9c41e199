
/*
 * Fieldgate: the request of an NTRIP client.
 */


#include "ntrip_request.h"


static ngx_int_t ntrip_request_early(ntrip_request_t *r, u_char *p,
    size_t len);
static ngx_int_t ntrip_request_end(ntrip_request_t *r, u_char *buf,
    size_t len);
static ngx_int_t ntrip_request_lines(ntrip_request_t *r, u_char *p,
    u_char *last);
static ngx_int_t ntrip_request_line(ntrip_request_t *r, ngx_str_t *line);
static ngx_int_t ntrip_request_source(ntrip_request_t *r, ngx_str_t *rest);
static ngx_int_t ntrip_request_target(ntrip_request_t *r, ngx_str_t *target);
static ngx_int_t ntrip_request_mount(ntrip_request_t *r, ngx_str_t *path);
static void ntrip_request_field(ntrip_request_t *r, ngx_str_t *name,
    ngx_str_t *value);
static void ntrip_request_auth(ntrip_request_t *r, ngx_str_t *value);


/* any case: nobody who means GET writes it "get", but nothing is gained by
   refusing him */

static const struct {
    const char  *name;
    ngx_uint_t   method;
} ntrip_request_methods[] = {
    { "GET",     NTRIP_GET },
    { "SOURCE",  NTRIP_SOURCE },
    { "POST",    NTRIP_POST },
    { "HEAD",    0 },
    { "OPTIONS", 0 },
    { "PUT",     0 },
    { "DELETE",  0 },
    { "CONNECT", 0 },
    { "TRACE",   0 },
    { "PATCH",   0 },
    { NULL,      0 }
};


ngx_int_t
ntrip_request_parse(ntrip_request_t *r, u_char *buf, size_t len)
{
    size_t     start;
    ngx_int_t  rc;

    r->form = NTRIP_FORM_V1;

    /* RFC 7230 3.5: empty lines in front of the request are to be ignored */

    for (start = 0; start < len; start++) {
        if (buf[start] != CR && buf[start] != LF) {
            break;
        }
    }

    if (ntrip_request_early(r, buf + start, len - start) != NGX_OK) {
        return NGX_ERROR;
    }

    if (r->scanned < start) {
        r->scanned = start;
        r->line_start = start;
    }

    rc = ntrip_request_end(r, buf, len);

    if (rc != NGX_OK) {
        return rc;
    }

    rc = ntrip_request_lines(r, buf + start, buf + r->body);

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    if (r->v2 && r->method != NTRIP_SOURCE) {
        r->form = NTRIP_FORM_V2;

    } else if (r->method == NTRIP_GET && r->mount.len == 0 && r->html) {
        r->form = NTRIP_FORM_PAGE;
    }

    return NGX_OK;
}


/* refuses what cannot become a request, before it fills the buffer */

static ngx_int_t
ntrip_request_early(ntrip_request_t *r, u_char *p, size_t len)
{
    size_t       n;
    ngx_str_t    word;
    ngx_uint_t   i;
    const char  *name;

    if (len == 0) {
        return NGX_OK;
    }

    if (p[0] == 0x16) {
        r->error = NTRIP_REQUEST_TLS;
        return NGX_ERROR;
    }

    for (i = 0; ntrip_request_methods[i].name; i++) {
        name = ntrip_request_methods[i].name;
        n = ngx_strlen(name);

        word.data = p;
        word.len = ngx_min(n, len);

        while (word.len
               && ngx_tolower(word.data[word.len - 1])
                  == ngx_tolower(name[word.len - 1]))
        {
            word.len--;
        }

        if (word.len || (len > n && p[n] != ' ' && p[n] != '\t')) {
            continue;
        }

        r->method = ntrip_request_methods[i].method;

        if (len > n && r->method == 0) {
            r->error = NTRIP_REQUEST_METHOD;
            return NGX_ERROR;
        }

        return NGX_OK;
    }

    r->error = NTRIP_REQUEST_UNKNOWN;
    return NGX_ERROR;
}


/* looks for the blank line in what is new */

static ngx_int_t
ntrip_request_end(ntrip_request_t *r, u_char *buf, size_t len)
{
    u_char  *p, *lf, *last;
    size_t   max;

    max = ngx_min(len, NTRIP_REQUEST_MAX);
    last = buf + max;

    for ( ;; ) {

        if (r->scanned >= max
            || (lf = memchr(buf + r->scanned, LF, max - r->scanned)) == NULL)
        {
            break;
        }

        r->scanned = lf + 1 - buf;

        for (p = buf + r->line_start; p < lf && *p == CR; p++) {
            /* void: Windows programs write CR CR LF */
        }

        if (p == lf) {
            r->body = r->scanned;
            return NGX_OK;
        }

        r->line_start = r->scanned;
    }

    r->scanned = last - buf;

    if (len >= NTRIP_REQUEST_MAX) {
        r->error = NTRIP_REQUEST_TOO_LARGE;
        return NGX_ERROR;
    }

    return NGX_AGAIN;
}


static ngx_int_t
ntrip_request_lines(ntrip_request_t *r, u_char *p, u_char *last)
{
    u_char      *lf;
    ngx_str_t    line, name, value;
    ngx_uint_t   first;

    for (first = 1; p < last; p = lf + 1, first = 0) {

        lf = memchr(p, LF, last - p);

        line.data = p;
        line.len = lf - p;

        while (line.len && line.data[line.len - 1] == CR) {
            line.len--;
        }

        if (ntrip_text_controls(&line)) {
            r->error = first ? NTRIP_REQUEST_LINE : NTRIP_REQUEST_HEADER;
            return NGX_ERROR;
        }

        if (first) {

            if (ntrip_request_line(r, &line) != NGX_OK) {
                r->error = NTRIP_REQUEST_LINE;
                return NGX_ERROR;
            }

        } else if (ntrip_text_header(&line, &name, &value) == NGX_OK) {
            ntrip_request_field(r, &name, &value);
        }
    }

    return NGX_OK;
}


static ngx_int_t
ntrip_request_line(ntrip_request_t *r, ngx_str_t *line)
{
    ngx_str_t  rest, target, protocol;

    rest = *line;

    (void) ntrip_text_word(&rest);

    if (r->method == NTRIP_SOURCE) {

        if (ntrip_request_source(r, &rest) != NGX_OK) {
            return NGX_ERROR;
        }

    } else {
        target = ntrip_text_word(&rest);

        if (target.len == 0
            || ntrip_request_target(r, &target) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    protocol = ntrip_text_word(&rest);

    if (protocol.len == 0) {
        return NGX_OK;
    }

    if (!ntrip_text_begins(&protocol, "HTTP/1.") || protocol.len != 8
        || protocol.data[7] < '0' || protocol.data[7] > '9')
    {
        return NGX_ERROR;
    }

    r->http = 1;
    r->http11 = (protocol.data[7] != '0');

    return ntrip_text_word(&rest).len ? NGX_ERROR : NGX_OK;
}


/*
 * "SOURCE password /mount", "SOURCE password mount", "SOURCE password/mount",
 * "SOURCE  /mount" with an empty password; HTTP/1.x may follow each
 */

static ngx_int_t
ntrip_request_source(ntrip_request_t *r, ngx_str_t *rest)
{
    u_char     *p;
    ngx_str_t   word, next, after;

    after = *rest;
    word = ntrip_text_word(&after);

    if (word.len == 0) {
        return NGX_ERROR;
    }

    *rest = after;
    next = ntrip_text_word(&after);

    if (next.len && !ntrip_text_begins(&next, "HTTP/")) {
        *rest = after;
        r->password = word;

        return ntrip_request_mount(r, &next);
    }

    /* a single word */

    for (p = word.data + word.len; p > word.data; p--) {
        if (p[-1] == '/') {
            r->password.data = word.data;
            r->password.len = p - 1 - word.data;

            word.len -= p - word.data;
            word.data = p;

            return ntrip_request_mount(r, &word);
        }
    }

    return NGX_ERROR;
}


/* RFC 7230 5.3: a client that believes we are its proxy sends the absolute
   form */

static ngx_int_t
ntrip_request_target(ntrip_request_t *r, ngx_str_t *target)
{
    size_t     i, scheme;
    ngx_str_t  path;

    path = *target;
    scheme = 0;

    if (ntrip_text_begins(&path, "http://")) {
        scheme = sizeof("http://") - 1;

    } else if (ntrip_text_begins(&path, "https://")) {
        scheme = sizeof("https://") - 1;

    } else if (ntrip_text_begins(&path, "ntrip://")) {
        scheme = sizeof("ntrip://") - 1;
    }

    if (scheme) {
        path.data += scheme;
        path.len -= scheme;

        for (i = 0; i < path.len; i++) {
            if (path.data[i] == '/' || path.data[i] == '?') {
                break;
            }
        }

        r->host.data = path.data;
        r->host.len = i;

        path.data += i;
        path.len -= i;
    }

    for (i = 0; i < path.len; i++) {
        if (path.data[i] == '?') {
            r->query.data = path.data + i + 1;
            r->query.len = path.len - i - 1;
            path.len = i;
            break;
        }
    }

    return ntrip_request_mount(r, &path);
}


/* percent-decoding, in place; slashes around the name are not its own, since
   rovers send "//MNT" and "/MNT/" */

static ngx_int_t
ntrip_request_mount(ntrip_request_t *r, ngx_str_t *path)
{
    u_char     *p, *d, *last;
    ngx_int_t   octet;

    p = path->data;
    last = path->data + path->len;

    r->mount.data = p;

    for (d = p; p < last; p++) {

        if (*p != '%') {
            *d++ = *p;
            continue;
        }

        if (last - p < 3) {
            return NGX_ERROR;
        }

        octet = ngx_hextoi(p + 1, 2);

        if (octet == NGX_ERROR) {
            return NGX_ERROR;
        }

        *d++ = (u_char) octet;
        p += 2;
    }

    while (r->mount.data < d && *r->mount.data == '/') {
        r->mount.data++;
    }

    while (d > r->mount.data && d[-1] == '/') {
        d--;
    }

    r->mount.len = d - r->mount.data;

    return ntrip_text_controls(&r->mount) ? NGX_ERROR : NGX_OK;
}


static void
ntrip_request_field(ntrip_request_t *r, ngx_str_t *name, ngx_str_t *value)
{
    ngx_str_t  *field;

    field = NULL;

    if (ntrip_text_is(name, "User-Agent")
        || ntrip_text_is(name, "Source-Agent"))
    {
        field = &r->agent;

    } else if (ntrip_text_is(name, "Host")) {
        field = &r->host;

    } else if (ntrip_text_is(name, "Ntrip-GGA")) {
        field = &r->gga;

    } else if (ntrip_text_is(name, "STR") || ntrip_text_is(name, "Ntrip-STR"))
    {
        field = &r->str;

    } else if (ntrip_text_is(name, "Ntrip-Version")) {
        r->v2 |= ntrip_text_is(value, "Ntrip/2.0");

    } else if (ntrip_text_is(name, "Authorization")) {
        if (r->auth == NTRIP_AUTH_NONE) {
            ntrip_request_auth(r, value);
        }

    } else if (ntrip_text_is(name, "Accept")) {
        r->html |= ntrip_text_contains(value, "text/html");

    } else if (ntrip_text_is(name, "Transfer-Encoding")) {
        r->chunked |= ntrip_text_contains(value, "chunked");

    } else if (ntrip_text_is(name, "Expect")) {
        r->expect |= ntrip_text_begins(value, "100-continue");
    }

    if (field && field->data == NULL) {
        *field = *value;
    }
}


static void
ntrip_request_auth(ntrip_request_t *r, ngx_str_t *value)
{
    u_char     *colon;
    ngx_str_t   rest, scheme, plain;

    rest = *value;
    scheme = ntrip_text_word(&rest);

    if (!ntrip_text_is(&scheme, "Basic")) {
        r->auth = NTRIP_AUTH_OTHER;
        return;
    }

    r->auth = NTRIP_AUTH_BAD;

    ntrip_text_trim(&rest);
    plain.data = rest.data;

    if (ntrip_text_base64_decode(&plain, &rest) != NGX_OK
        || plain.len == 0
        || ntrip_text_controls(&plain))
    {
        return;
    }

    /* RFC 7617 2: no colon in a user-id, so the first ends it */

    colon = memchr(plain.data, ':', plain.len);

    if (colon == NULL
        || colon - plain.data > NTRIP_USER_MAX
        || plain.data + plain.len - colon - 1 > NTRIP_PASSWORD_MAX)
    {
        return;
    }

    if (r->method != NTRIP_SOURCE) {
        r->user.data = plain.data;
        r->user.len = colon - plain.data;

        r->password.data = colon + 1;
        r->password.len = plain.data + plain.len - r->password.data;
    }

    r->auth = NTRIP_AUTH_BASIC;
}


ngx_uint_t
ntrip_request_insists(const ntrip_request_t *r)
{
    ngx_str_t   agent;
    ngx_uint_t  i;

    /* BKG ntripclient */

    static const char  *agents[] = { "NTRIP NtripClientPOSIX", NULL };

    if (r->method != NTRIP_GET || r->form != NTRIP_FORM_V2) {
        return 0;
    }

    agent = r->agent;

    for (i = 0; agents[i]; i++) {
        if (ntrip_text_begins(&agent, agents[i])) {
            return 1;
        }
    }

    return 0;
}


const char *
ntrip_request_error(ngx_uint_t error)
{
    switch (error) {

    case NTRIP_REQUEST_TOO_LARGE:
        return "request header is too large";

    case NTRIP_REQUEST_TLS:
        return "TLS handshake on a port without ssl";

    case NTRIP_REQUEST_METHOD:
        return "method is not supported";

    case NTRIP_REQUEST_LINE:
        return "malformed request line";

    case NTRIP_REQUEST_HEADER:
        return "control character in a header line";

    default:
        return "not an NTRIP request";
    }
}
