
/*
 * Fieldgate: replies to NTRIP clients.
 */


#include "ntrip_response.h"
#include "ntrip_sourcetable.h"


#define NTRIP_PAGE_HEAD                                                       \
    "<!DOCTYPE html>" CRLF                                                    \
    "<html><head><title>Sourcetable</title></head><body><pre>" CRLF
#define NTRIP_PAGE_TAIL  "</pre></body></html>" CRLF


static void ntrip_response_head(ntrip_out_t *out, ngx_uint_t form,
    const char *status, time_t now);
static void ntrip_response_length(ntrip_out_t *out, size_t length);
static void ntrip_response_realm(ntrip_out_t *out, ngx_str_t *mount);
static const char *ntrip_response_reason(ngx_uint_t status);
static const char *ntrip_response_source(ngx_uint_t status);
static const char *ntrip_response_entity(u_char c);


void
ntrip_response_ok(ntrip_out_t *out, ngx_uint_t form, time_t now,
    ngx_uint_t chunked)
{
    if (form != NTRIP_FORM_V2) {
        ntrip_out_text(out, "ICY 200 OK" CRLF CRLF);
        return;
    }

    ntrip_response_head(out, form, "200 OK", now);

    ntrip_out_text(out, "Content-Type: gnss/data" CRLF
                        "Cache-Control: no-store, no-cache, max-age=0" CRLF
                        "Pragma: no-cache" CRLF
                        "Connection: close" CRLF);

    if (chunked) {
        ntrip_out_text(out, "Transfer-Encoding: chunked" CRLF);
    }

    ntrip_out_text(out, CRLF);
}


void
ntrip_response_sourcetable(ntrip_out_t *out, ngx_uint_t form, time_t now,
    size_t length)
{
    if (form == NTRIP_FORM_V2) {
        ntrip_response_head(out, form, "200 OK", now);
        ntrip_out_text(out, "Connection: close" CRLF
                            "Content-Type: gnss/sourcetable" CRLF
                            "Ntrip-Flags: st_filter,st_auth,st_match,st_strict"
                            CRLF);

    } else {
        ntrip_out_text(out, "SOURCETABLE 200 OK" CRLF
                            "Server: " NTRIP_PRODUCT CRLF "Date: ");
        ntrip_out_date(out, now);
        ntrip_out_text(out, CRLF "Connection: close" CRLF
                            "Content-Type: text/plain" CRLF);
    }

    ntrip_response_length(out, length);
    ntrip_out_text(out, CRLF);
}


void
ntrip_response_page(ntrip_out_t *out, time_t now, ngx_str_t *table)
{
    size_t       i, length;
    const char  *entity;

    length = sizeof(NTRIP_PAGE_HEAD NTRIP_PAGE_TAIL) - 1 + table->len;

    for (i = 0; i < table->len; i++) {
        entity = ntrip_response_entity(table->data[i]);

        if (entity) {
            length += ngx_strlen(entity) - 1;
        }
    }

    ntrip_response_head(out, NTRIP_FORM_PAGE, "200 OK", now);
    ntrip_out_text(out, "Connection: close" CRLF
                        "Content-Type: text/html" CRLF);
    ntrip_response_length(out, length);
    ntrip_out_text(out, CRLF NTRIP_PAGE_HEAD);

    for (i = 0; i < table->len; i++) {
        entity = ntrip_response_entity(table->data[i]);

        if (entity) {
            ntrip_out_text(out, entity);

        } else {
            ntrip_out_char(out, table->data[i]);
        }
    }

    ntrip_out_text(out, NTRIP_PAGE_TAIL);
}


size_t
ntrip_response_page_size(ngx_str_t *table)
{
    return NTRIP_RESPONSE_MAX + table->len * (sizeof("&amp;") - 1);
}


static const char *
ntrip_response_entity(u_char c)
{
    switch (c) {

    case '&':
        return "&amp;";

    case '<':
        return "&lt;";

    case '>':
        return "&gt;";

    default:
        return NULL;
    }
}


void
ntrip_response_error(ntrip_out_t *out, ngx_uint_t method, ngx_uint_t form,
    ngx_uint_t status, time_t now, ngx_str_t *mount)
{
    const char  *reason;

    if (method == NTRIP_SOURCE) {
        ntrip_out_text(out, ntrip_response_source(status));
        return;
    }

    if (form == NTRIP_FORM_V1
        && (status == 403 || status == 404 || status == 409 || status == 503))
    {
        return;
    }

    reason = ntrip_response_reason(status);

    ntrip_response_head(out, form, reason, now);

    if (status == 401) {
        ntrip_response_realm(out, mount);
    }

    ntrip_out_text(out, "Content-Type: text/html" CRLF
                        "Connection: close" CRLF);

    ntrip_response_length(out, 2 * ngx_strlen(reason)
                          + sizeof("<html><head><title></title></head>"
                                   "<body><h1></h1></body></html>" CRLF) - 1);

    ntrip_out_text(out, CRLF "<html><head><title>");
    ntrip_out_text(out, reason);
    ntrip_out_text(out, "</title></head><body><h1>");
    ntrip_out_text(out, reason);
    ntrip_out_text(out, "</h1></body></html>" CRLF);
}


ngx_uint_t
ntrip_response_status(ngx_uint_t request_error)
{
    switch (request_error) {

    case NTRIP_REQUEST_TOO_LARGE:
    case NTRIP_REQUEST_LINE:
    case NTRIP_REQUEST_HEADER:
        return 400;

    case NTRIP_REQUEST_METHOD:
        return 501;

    default:
        return 0;
    }
}


static void
ntrip_response_head(ntrip_out_t *out, ngx_uint_t form, const char *status,
    time_t now)
{
    ntrip_out_text(out, form == NTRIP_FORM_V1 ? "HTTP/1.0 " : "HTTP/1.1 ");
    ntrip_out_text(out, status);
    ntrip_out_text(out, CRLF);

    if (form == NTRIP_FORM_V2) {
        ntrip_out_text(out, "Ntrip-Version: Ntrip/2.0" CRLF);
    }

    ntrip_out_text(out, "Server: " NTRIP_PRODUCT CRLF "Date: ");
    ntrip_out_date(out, now);
    ntrip_out_text(out, CRLF);
}


static void
ntrip_response_length(ntrip_out_t *out, size_t length)
{
    ntrip_out_text(out, "Content-Length: ");
    ntrip_out_uint(out, length, 1);
    ntrip_out_text(out, CRLF);
}


/* a quoted-string of RFC 7230 3.2.6; a name that nobody can have declared is
   not repeated */

static void
ntrip_response_realm(ntrip_out_t *out, ngx_str_t *mount)
{
    ntrip_out_text(out, "WWW-Authenticate: Basic realm=\"/");

    if (ntrip_mount_check(mount) == NULL) {
        ntrip_out_str(out, mount);
    }

    ntrip_out_text(out, "\"" CRLF);
}


static const char *
ntrip_response_reason(ngx_uint_t status)
{
    switch (status) {

    case 401:
        return "401 Unauthorized";

    case 403:
        return "403 Forbidden";

    case 404:
        return "404 Not Found";

    case 409:
        return "409 Conflict";

    case 501:
        return "501 Not Implemented";

    case 503:
        return "503 Service Unavailable";

    default:
        return "400 Bad Request";
    }
}


/* the texts of BKG's caster: Leica's base stations go by them */

static const char *
ntrip_response_source(ngx_uint_t status)
{
    switch (status) {

    case 401:
        return "ERROR - Bad Password" CRLF;

    case 404:
    case 409:
        return "ERROR - Mount Point Taken or Invalid" CRLF;

    case 503:
        return "ERROR - Too many sources" CRLF;

    default:
        return "ERROR - Bad Request" CRLF;
    }
}
