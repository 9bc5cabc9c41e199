
/*
 * Fieldgate: reads the request body before the content phase and finds the
 * message in it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_body.h"
#include "ngx_http_cwmp_inform.h"
#include "ngx_http_cwmp_shared.h"


/* of a temporary file at a time, and of inflated data */
#define NGX_HTTP_CWMP_WINDOW  16384


typedef struct {
    ngx_http_request_t          *request;
    ngx_http_cwmp_loc_conf_t    *conf;
    ngx_array_t                  edits;     /* of ngx_http_cwmp_edit_t */
    ngx_uint_t                   coding;    /* cwmp_coding_e */
    cwmp_inflate_t               inflate;
    cwmp_prefilter_t             prefilter;
    cwmp_message_t               message;
} ngx_http_cwmp_body_t;


typedef struct {
    cwmp_inflate_t              *inflate;
    ngx_http_cwmp_piece_pt       handler;
    void                        *data;
} ngx_http_cwmp_inflate_t;


static void ngx_http_cwmp_body_read(ngx_http_request_t *r);
static ngx_int_t ngx_http_cwmp_process(ngx_http_request_t *r,
    ngx_http_cwmp_ctx_t *ctx);
static ngx_int_t ngx_http_cwmp_scan(ngx_http_cwmp_body_t *b);
static ngx_int_t ngx_http_cwmp_prefilter(ngx_http_cwmp_body_t *b);
static ngx_int_t ngx_http_cwmp_message_failed(ngx_http_cwmp_body_t *b);
static ngx_int_t ngx_http_cwmp_prefilter_piece(void *data, u_char *p,
    size_t len);
static ngx_int_t ngx_http_cwmp_message_piece(void *data, u_char *p,
    size_t len);
static ngx_int_t ngx_http_cwmp_name(void *data, ngx_str_t *name);
static ngx_int_t ngx_http_cwmp_value(void *data, cwmp_value_t *value);
static ngx_int_t ngx_http_cwmp_facts(ngx_http_cwmp_body_t *b,
    ngx_http_cwmp_ctx_t *ctx);
static void ngx_http_cwmp_count_message(ngx_http_cwmp_zone_t *z,
    ngx_str_t *method);
static ngx_int_t ngx_http_cwmp_fact(ngx_pool_t *pool, ngx_str_t *to,
    u_char *data, size_t len);
static ngx_int_t ngx_http_cwmp_announce_edits(ngx_http_cwmp_body_t *b,
    ngx_http_cwmp_ctx_t *ctx);
static int ngx_libc_cdecl ngx_http_cwmp_compare_edits(const void *one,
    const void *two);
static ngx_int_t ngx_http_cwmp_uncertain(ngx_http_request_t *r,
    ngx_int_t status, const char *why);
static ngx_int_t ngx_http_cwmp_inflate_error(ngx_http_cwmp_body_t *b);
static ngx_int_t ngx_http_cwmp_read_file(ngx_http_request_t *r, ngx_buf_t *b,
    ngx_http_cwmp_piece_pt handler, void *data);
static ngx_int_t ngx_http_cwmp_inflate_piece(void *data, u_char *p,
    size_t len);
static off_t ngx_http_cwmp_body_size(ngx_http_request_t *r);
static ngx_uint_t ngx_http_cwmp_content_coding(ngx_http_request_t *r);


ngx_int_t
ngx_http_cwmp_body_handler(ngx_http_request_t *r)
{
    ngx_int_t             rc;
    ngx_http_cwmp_ctx_t  *ctx;

    /* TR-069, 3.4.1: a message is a POST; a PUT is a file of the RPC Upload */

    if (r->method != NGX_HTTP_POST) {
        return NGX_DECLINED;
    }

    ctx = ngx_http_cwmp_get_ctx(r);
    if (ctx == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (ctx->done) {
        rc = ctx->status;
        ctx->status = NGX_DECLINED;

        return rc;
    }

    r->connection->log->action = "reading CPE message";

    rc = ngx_http_read_client_request_body(r, ngx_http_cwmp_body_read);

    if (rc >= NGX_HTTP_SPECIAL_RESPONSE) {
        return rc;
    }

    ngx_http_finalize_request(r, NGX_DONE);

    return NGX_DONE;
}


static void
ngx_http_cwmp_body_read(ngx_http_request_t *r)
{
    ngx_http_cwmp_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_cwmp_module);

    r->connection->log->action = "rewriting CPE message";

    ctx->status = ngx_http_cwmp_process(r, ctx);
    ctx->done = 1;

    r->connection->log->action = NULL;

    r->preserve_body = 1;
    r->write_event_handler = ngx_http_core_run_phases;

    ngx_http_core_run_phases(r);
}


/* NGX_DECLINED: the request goes on; else its status */

static ngx_int_t
ngx_http_cwmp_process(ngx_http_request_t *r, ngx_http_cwmp_ctx_t *ctx)
{
    off_t                       size;
    ngx_int_t                   rc;
    ngx_http_cwmp_body_t        b;
    ngx_http_cwmp_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_cwmp_module);

    b.request = r;
    b.conf = ngx_http_get_module_loc_conf(r, ngx_http_cwmp_module);

    size = ngx_http_cwmp_body_size(r);

    if (size == 0) {
        ctx->empty = 1;
        ngx_str_set(&ctx->method, "empty");
        ngx_http_cwmp_count(cmcf->shared, MESSAGES_EMPTY);

        return NGX_DECLINED;
    }

    if (size > (off_t) b.conf->max_body) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "CPE message has %O bytes, more than cwmp_max_body",
                      size);
        return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    }

    b.coding = ngx_http_cwmp_content_coding(r);

    if (b.coding == CWMP_CODING_OTHER) {
        return ngx_http_cwmp_uncertain(r, NGX_HTTP_UNSUPPORTED_MEDIA_TYPE,
                                    "a content coding that is not known");
    }

    if (ngx_array_init(&b.edits, r->pool, 1, sizeof(ngx_http_cwmp_edit_t))
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    cwmp_inflate_init(&b.inflate, b.coding, b.conf->max_body);

    rc = ngx_http_cwmp_scan(&b);

    cwmp_inflate_end(&b.inflate);

    if (ngx_http_cwmp_facts(&b, ctx) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_http_cwmp_count_message(cmcf->shared, &ctx->method);

    if (rc != NGX_OK) {
        return rc;
    }

    if (b.edits.nelts == 0) {
        return NGX_DECLINED;
    }

    if (ngx_http_cwmp_announce_edits(&b, ctx) != NGX_OK
        || ngx_http_cwmp_rewrite(r, b.edits.elts, b.edits.nelts, &b.inflate)
           != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ctx->rewritten = b.edits.nelts;

    return NGX_DECLINED;
}


/*
 * NGX_OK: the message is read; NGX_DECLINED: it goes on as it is; else the
 * status.
 */

static ngx_int_t
ngx_http_cwmp_scan(ngx_http_cwmp_body_t *b)
{
    ngx_int_t            rc;
    ngx_str_t           *type;
    ngx_uint_t           declared;
    cwmp_inflate_t      *inflate;
    cwmp_message_t      *m;
    ngx_http_request_t  *r;

    r = b->request;
    m = &b->message;

    declared = CWMP_CHARSET_NONE;

    if (r->headers_in.content_type) {
        type = &r->headers_in.content_type->value;
        declared = cwmp_charset_content_type(type);
    }

    cwmp_message_init(m);

    m->declared = declared;
    m->params.data = b;
    m->params.name_handler = b->conf->parameters ? ngx_http_cwmp_name : NULL;
    m->params.value_handler = ngx_http_cwmp_value;

    inflate = (b->coding == CWMP_CODING_IDENTITY) ? NULL : &b->inflate;

    if (inflate == NULL && b->conf->parameters == NULL
        && ngx_http_cwmp_prefilter(b) != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_cwmp_read_pieces(r, inflate, ngx_http_cwmp_message_piece, b);

    if (rc == NGX_DONE) {
        return NGX_OK;
    }

    if (rc == NGX_OK) {

        if (inflate && cwmp_inflate_finish(inflate) != NGX_OK) {
            return ngx_http_cwmp_inflate_error(b);
        }

        rc = cwmp_message_end(m);
    }

    if (rc == NGX_OK) {
        return NGX_OK;
    }

    return b->inflate.error ? ngx_http_cwmp_inflate_error(b)
                            : ngx_http_cwmp_message_failed(b);
}


/* what of the message has to be read at all; NGX_ERROR: its file cannot be */

static ngx_int_t
ngx_http_cwmp_prefilter(ngx_http_cwmp_body_t *b)
{
    ngx_int_t  rc;

    ngx_memzero(&b->prefilter, sizeof(cwmp_prefilter_t));

    rc = ngx_http_cwmp_read_pieces(b->request, NULL,
                                   ngx_http_cwmp_prefilter_piece, b);

    if (rc == NGX_OK) {
        b->message.facts_only = (b->prefilter.names_end == 0);
        b->message.names_end = b->prefilter.names_end;
    }

    return (rc == NGX_ERROR) ? NGX_ERROR : NGX_OK;
}


static ngx_int_t
ngx_http_cwmp_message_failed(ngx_http_cwmp_body_t *b)
{
    switch (b->message.error) {

    case CWMP_MESSAGE_OK:       /* the temporary file */
    case CWMP_MESSAGE_HANDLER:
        return NGX_HTTP_INTERNAL_SERVER_ERROR;

    default:

        /* without the parameter, whatever it is, it is for the ACS to judge */

        if (b->message.facts_only) {
            return NGX_OK;
        }

        return ngx_http_cwmp_uncertain(b->request, NGX_HTTP_BAD_REQUEST,
                                       cwmp_message_error(b->message.error));
    }
}


/* NGX_DONE: the message has to be scanned */

static ngx_int_t
ngx_http_cwmp_prefilter_piece(void *data, u_char *p, size_t len)
{
    ngx_http_cwmp_body_t  *b = data;

    return cwmp_prefilter(&b->prefilter, p, len, b->message.declared)
           ? NGX_DONE : NGX_OK;
}


static ngx_int_t
ngx_http_cwmp_message_piece(void *data, u_char *p, size_t len)
{
    ngx_http_cwmp_body_t  *b = data;

    return cwmp_message_read(&b->message, p, len);
}


static ngx_int_t
ngx_http_cwmp_name(void *data, ngx_str_t *name)
{
    ngx_http_cwmp_body_t  *b = data;

    ngx_uint_t     i;
    ngx_regex_t  **regex;

    regex = b->conf->parameters->elts;

    for (i = 0; i < b->conf->parameters->nelts; i++) {
        if (ngx_regex_exec(regex[i], name, NULL, 0) >= 0) {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_cwmp_value(void *data, cwmp_value_t *value)
{
    ngx_http_cwmp_body_t  *b = data;

    ngx_http_cwmp_edit_t  *edit;

    edit = ngx_array_push(&b->edits);
    if (edit == NULL) {
        return NGX_ERROR;
    }

    edit->start = value->start;
    edit->end = value->end;

    return ngx_http_cwmp_fact(b->request->pool, &edit->text,
                              value->text.data, value->text.len);
}


static ngx_int_t
ngx_http_cwmp_facts(ngx_http_cwmp_body_t *b, ngx_http_cwmp_ctx_t *ctx)
{
    ngx_pool_t      *pool;
    cwmp_message_t  *m;

    m = &b->message;
    pool = b->request->pool;

    if (ngx_http_cwmp_fact(pool, &ctx->method, m->method.data, m->method.len)
        != NGX_OK
        || ngx_http_cwmp_fact(pool, &ctx->oui, m->oui.data, m->oui.len)
           != NGX_OK
        || ngx_http_cwmp_fact(pool, &ctx->product_class,
                              m->product_class.data, m->product_class.len)
           != NGX_OK
        || ngx_http_cwmp_fact(pool, &ctx->serial, m->serial.data,
                              m->serial.len)
           != NGX_OK
        || ngx_http_cwmp_fact(pool, &ctx->events, m->events, m->nevents)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    ctx->inform = (ctx->method.len == 6
                   && ngx_strncmp(ctx->method.data, "Inform", 6) == 0);

    return ngx_http_cwmp_device_id(pool, ctx);
}


/* the names are a CPE's, so only those that are known have a counter */

static void
ngx_http_cwmp_count_message(ngx_http_cwmp_zone_t *z, ngx_str_t *method)
{
    char        *name;
    ngx_uint_t   i;

    for (i = NGX_HTTP_CWMP_MESSAGES_INFORM;
         i < NGX_HTTP_CWMP_MESSAGES_OTHER;
         i++)
    {
        name = ngx_http_cwmp_counters[i].value;

        if (method->len == ngx_strlen(name)
            && ngx_strncmp(method->data, name, method->len) == 0)
        {
            break;
        }
    }

    ngx_http_cwmp_add(z, i, 1);
}


static ngx_int_t
ngx_http_cwmp_fact(ngx_pool_t *pool, ngx_str_t *to, u_char *data, size_t len)
{
    if (len == 0) {
        ngx_str_set(to, "");
        return NGX_OK;
    }

    to->len = len;

    to->data = ngx_pnalloc(pool, len);
    if (to->data == NULL) {
        to->len = 0;
        return NGX_ERROR;
    }

    ngx_memcpy(to->data, data, len);

    return NGX_OK;
}


/* after the facts, since what is logged about an origin names the device */

static ngx_int_t
ngx_http_cwmp_announce_edits(ngx_http_cwmp_body_t *b, ngx_http_cwmp_ctx_t *ctx)
{
    u_char                     *p;
    ngx_str_t                   announced;
    ngx_uint_t                  i;
    ngx_http_cwmp_edit_t       *edit;
    ngx_http_cwmp_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(b->request, ngx_http_cwmp_module);
    edit = b->edits.elts;

    ngx_qsort(edit, b->edits.nelts, sizeof(ngx_http_cwmp_edit_t),
              ngx_http_cwmp_compare_edits);

    for (i = 0; i < b->edits.nelts; i++) {

        if (ngx_http_cwmp_announce(b->request, &edit[i].text, &announced)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        edit[i].text.len = announced.len
                           + ngx_escape_html(NULL, announced.data,
                                             announced.len);

        p = ngx_pnalloc(b->request->pool, edit[i].text.len);
        if (p == NULL) {
            return NGX_ERROR;
        }

        edit[i].text.data = p;
        (void) ngx_escape_html(p, announced.data, announced.len);

        ngx_http_cwmp_count(cmcf->shared, REWRITTEN);

        ngx_log_debug2(NGX_LOG_DEBUG_HTTP, b->request->connection->log, 0,
                       "cwmp value at %O..%O", edit[i].start, edit[i].end);
    }

    return NGX_OK;
}


static int ngx_libc_cdecl
ngx_http_cwmp_compare_edits(const void *one, const void *two)
{
    const ngx_http_cwmp_edit_t  *a, *b;

    a = one;
    b = two;

    return (a->start > b->start) - (a->start < b->start);
}


/*
 * A message that cannot be read with certainty has, or may have, a URL that
 * the ACS would find in it.
 */

static ngx_int_t
ngx_http_cwmp_uncertain(ngx_http_request_t *r, ngx_int_t status,
    const char *why)
{
    ngx_http_cwmp_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_cwmp_module);

    if (clcf->on_error == NGX_HTTP_CWMP_ERROR_PASS) {
        ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                      "CPE message with %s, passed as it is", why);
        return NGX_DECLINED;
    }

    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "CPE message with %s, rejected", why);

    return status;
}


static ngx_int_t
ngx_http_cwmp_inflate_error(ngx_http_cwmp_body_t *b)
{
    ngx_http_request_t  *r;

    r = b->request;

    switch (b->inflate.error) {

    case CWMP_CODING_BOMB:
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "CPE message inflates from %O to more than %O bytes, "
                      "rejected as a bomb", b->inflate.in, b->inflate.out);
        return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;

    case CWMP_CODING_TOO_LARGE:
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "CPE message inflates to more than cwmp_max_body");
        return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;

    case CWMP_CODING_CORRUPT:
        return ngx_http_cwmp_uncertain(r, NGX_HTTP_BAD_REQUEST,
                                       "compressed data that are damaged");

    default: /* CWMP_CODING_NO_MEMORY */
        ngx_log_error(NGX_LOG_ALERT, r->connection->log, 0,
                      "no memory to inflate a CPE message");
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
}


ngx_int_t
ngx_http_cwmp_read_pieces(ngx_http_request_t *r, cwmp_inflate_t *inflate,
    ngx_http_cwmp_piece_pt handler, void *data)
{
    ngx_buf_t                *b;
    ngx_int_t                 rc;
    ngx_chain_t              *cl;
    ngx_http_cwmp_inflate_t   ic;

    if (inflate) {
        ic.inflate = inflate;
        ic.handler = handler;
        ic.data = data;

        handler = ngx_http_cwmp_inflate_piece;
        data = &ic;
    }

    for (cl = r->request_body->bufs; cl; cl = cl->next) {
        b = cl->buf;

        if (ngx_buf_in_memory(b)) {
            rc = (b->pos == b->last) ? NGX_OK
                                     : handler(data, b->pos, b->last - b->pos);

        } else if (b->in_file) {
            rc = ngx_http_cwmp_read_file(r, b, handler, data);

        } else {
            continue;
        }

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_cwmp_read_file(ngx_http_request_t *r, ngx_buf_t *b,
    ngx_http_cwmp_piece_pt handler, void *data)
{
    off_t      offset;
    size_t     size;
    ssize_t    n;
    ngx_int_t  rc;
    u_char     buf[NGX_HTTP_CWMP_WINDOW];

    for (offset = b->file_pos; offset < b->file_last; offset += n) {

        size = (size_t) ngx_min(b->file_last - offset, NGX_HTTP_CWMP_WINDOW);

        n = ngx_read_file(b->file, buf, size, offset);

        if (n == NGX_ERROR || n == 0) {
            ngx_log_error(NGX_LOG_ALERT, r->connection->log, 0,
                          "the temporary file of a CPE message ends at %O",
                          offset);
            return NGX_ERROR;
        }

        rc = handler(data, buf, n);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_cwmp_inflate_piece(void *data, u_char *p, size_t len)
{
    ngx_http_cwmp_inflate_t  *ic = data;

    size_t     n;
    u_char    *last;
    ngx_int_t  rc;
    u_char     buf[NGX_HTTP_CWMP_WINDOW];

    last = p + len;

    do {
        if (cwmp_inflate(ic->inflate, &p, last, buf, sizeof(buf), &n)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (n) {
            rc = ic->handler(ic->data, buf, n);

            if (rc != NGX_OK) {
                return rc;
            }
        }

    } while (p < last || n == sizeof(buf));

    return NGX_OK;
}


static off_t
ngx_http_cwmp_body_size(ngx_http_request_t *r)
{
    off_t         size;
    ngx_chain_t  *cl;

    size = 0;

    if (r->request_body) {
        for (cl = r->request_body->bufs; cl; cl = cl->next) {
            size += ngx_buf_size(cl->buf);
        }
    }

    return size;
}


/* several fields are several codings */

static ngx_uint_t
ngx_http_cwmp_content_coding(ngx_http_request_t *r)
{
    ngx_uint_t        i, coding, found;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header;

    found = CWMP_CODING_IDENTITY;

    part = &r->headers_in.headers.part;
    header = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {
            if (part->next == NULL) {
                break;
            }

            part = part->next;
            header = part->elts;
            i = 0;
        }

        if (header[i].key.len != sizeof("Content-Encoding") - 1
            || ngx_strncasecmp(header[i].key.data,
                               (u_char *) "Content-Encoding",
                               sizeof("Content-Encoding") - 1)
               != 0)
        {
            continue;
        }

        coding = cwmp_coding(&header[i].value);

        if (coding == CWMP_CODING_IDENTITY) {
            continue;
        }

        if (found != CWMP_CODING_IDENTITY) {
            return CWMP_CODING_OTHER;
        }

        found = coding;
    }

    return found;
}
