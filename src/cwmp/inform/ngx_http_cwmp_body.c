
/*
 * Fieldgate: reads the request body before the content phase, finds the message
 * in it, and has its values replaced.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_body.h"
#include "ngx_http_cwmp_inform.h"


typedef ngx_int_t (*ngx_http_cwmp_step_pt)(ngx_http_cwmp_body_t *b);


static void ngx_http_cwmp_body_read(ngx_http_request_t *r);
static ngx_int_t ngx_http_cwmp_body_begin(ngx_http_request_t *r,
    ngx_http_cwmp_ctx_t *ctx, ngx_http_cwmp_body_t **body);
static void ngx_http_cwmp_body_run(ngx_http_request_t *r, ngx_int_t status);
static ngx_int_t ngx_http_cwmp_body_wait(ngx_http_cwmp_body_t *b);
static ngx_int_t ngx_http_cwmp_search(ngx_http_cwmp_body_t *b);
static ngx_int_t ngx_http_cwmp_scan(ngx_http_cwmp_body_t *b);
static ngx_int_t ngx_http_cwmp_scan_read(ngx_http_cwmp_body_t *b);
static ngx_int_t ngx_http_cwmp_message_failed(ngx_http_cwmp_body_t *b);
static ngx_int_t ngx_http_cwmp_name(void *data, ngx_str_t *name);
static ngx_int_t ngx_http_cwmp_map_failed(ngx_http_cwmp_body_t *b);
static ngx_int_t ngx_http_cwmp_mapped(void *data, cwmp_urlmap_edit_t *edit);
static void ngx_http_cwmp_drop_mapped(ngx_array_t *edits);
static ngx_int_t ngx_http_cwmp_value(void *data, cwmp_value_t *value);
static ngx_int_t ngx_http_cwmp_announce_edit(ngx_http_cwmp_body_t *b);
static int ngx_libc_cdecl ngx_http_cwmp_compare_edits(const void *one,
    const void *two);
static ngx_int_t ngx_http_cwmp_uncertain(ngx_http_request_t *r,
    ngx_int_t status, const char *why);
static ngx_int_t ngx_http_cwmp_inflate_error(ngx_http_cwmp_body_t *b);
static ngx_uint_t ngx_http_cwmp_content_coding(ngx_http_request_t *r);


/*
 * One step of each state.  NGX_AGAIN: not the last one; NGX_OK: the last one;
 * NGX_DECLINED: the message goes on as it is; NGX_ERROR or a status.
 */

static ngx_http_cwmp_step_pt  ngx_http_cwmp_steps[] = {
    ngx_http_cwmp_search,            /* CWMP_WORK_SEARCH */
    ngx_http_cwmp_scan,              /* CWMP_WORK_SCAN */
    ngx_http_cwmp_announce_edit,     /* CWMP_WORK_ANNOUNCE */
    ngx_http_cwmp_load,              /* CWMP_WORK_LOAD */
    ngx_http_cwmp_rewrite            /* CWMP_WORK_WRITE */
};


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


/* most messages take one piece of work, and wait for nobody */

static void
ngx_http_cwmp_body_read(ngx_http_request_t *r)
{
    ngx_int_t              rc;
    ngx_http_cwmp_ctx_t   *ctx;
    ngx_http_cwmp_body_t  *b;

    ctx = ngx_http_get_module_ctx(r, ngx_http_cwmp_module);

    r->connection->log->action = "rewriting CPE message";

    b = NULL;

    rc = ngx_http_cwmp_body_begin(r, ctx, &b);

    if (b == NULL) {
        ngx_http_cwmp_body_run(r, rc);
        return;
    }

    rc = ngx_http_cwmp_body_piece(b);

    if (rc == NGX_AGAIN && ngx_http_cwmp_body_wait(b) == NGX_OK) {
        return;
    }

    ngx_http_cwmp_body_done(b, (rc == NGX_AGAIN)
                               ? NGX_HTTP_INTERNAL_SERVER_ERROR : rc);
}


/* NGX_OK: there is a message to read; NGX_DECLINED: none; else a status */

static ngx_int_t
ngx_http_cwmp_body_begin(ngx_http_request_t *r, ngx_http_cwmp_ctx_t *ctx,
    ngx_http_cwmp_body_t **body)
{
    off_t                       size;
    ngx_uint_t                  coding, in_file;
    ngx_http_cwmp_body_t       *b;
    ngx_http_cwmp_loc_conf_t   *clcf;
    ngx_http_cwmp_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_cwmp_module);
    clcf = ngx_http_get_module_loc_conf(r, ngx_http_cwmp_module);

    size = ngx_http_cwmp_body_size(r, &in_file);

    if (size == 0) {
        ctx->empty = 1;
        ngx_str_set(&ctx->method, "empty");
        ngx_http_cwmp_count(cmcf->shared, MESSAGES_EMPTY);

        return NGX_DECLINED;
    }

    if (size > (off_t) clcf->max_body) {
        ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                      "CPE message has %O bytes, more than cwmp_max_body",
                      size);
        return NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    }

    coding = ngx_http_cwmp_content_coding(r);

    if (coding == CWMP_CODING_OTHER) {
        return ngx_http_cwmp_uncertain(r, NGX_HTTP_UNSUPPORTED_MEDIA_TYPE,
                                    "a content coding that is not known");
    }

    b = ngx_palloc(r->pool, sizeof(ngx_http_cwmp_body_t));
    if (b == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    ngx_memzero(b, offsetof(ngx_http_cwmp_body_t, message));

    if (ngx_array_init(&b->edits, r->pool, 1, sizeof(ngx_http_cwmp_edit_t))
        != NGX_OK)
    {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (cmcf->stun.line) {
        ctx->nat = ngx_pcalloc(r->pool, sizeof(ngx_http_cwmp_nat_t));
        if (ctx->nat == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    b->request = r;
    b->ctx = ctx;
    b->conf = clcf;
    b->coding = coding;

    b->declared = CWMP_CHARSET_NONE;

    if (r->headers_in.content_type) {
        b->declared = cwmp_charset_content_type(
                                          &r->headers_in.content_type->value);
    }

    b->work.coded = (coding != CWMP_CODING_IDENTITY);
    b->work.named = (clcf->parameters != NULL || clcf->url_map != NULL);
    b->work.in_file = in_file;

    if (clcf->url_map) {
        b->map = ngx_palloc(r->pool, sizeof(cwmp_urlmap_t));
        if (b->map == NULL) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;
        }
    }

    ngx_http_cwmp_body_start(b);

    *body = b;

    return NGX_OK;
}


void
ngx_http_cwmp_body_start(ngx_http_cwmp_body_t *b)
{
    cwmp_message_t  *m;

    cwmp_work_start(&b->work);
    cwmp_inflate_init(&b->inflate, b->coding, b->conf->max_body,
                      b->conf->max_ratio);

    ngx_http_cwmp_reader_init(&b->reader, b->request,
                              b->work.coded ? &b->inflate : NULL);

    ngx_memzero(&b->prefilter, sizeof(cwmp_prefilter_t));
    b->prefilter.addresses = (b->ctx->nat != NULL);

    m = &b->message;

    cwmp_message_init(m);

    m->declared = b->declared;
    m->params.data = b;
    m->params.udp = (b->ctx->nat != NULL);
    m->params.name_handler = b->conf->parameters ? ngx_http_cwmp_name : NULL;
    m->params.value_handler = ngx_http_cwmp_value;

    b->read = 0;

    if (b->map) {
        ngx_memzero(b->map, sizeof(cwmp_urlmap_t));

        b->map->pairs = b->conf->url_map->elts;
        b->map->npairs = b->conf->url_map->nelts;
        b->map->back = 1;
        b->map->handler = ngx_http_cwmp_mapped;
        b->map->data = b;

        cwmp_urlmap_init(b->map);
    }

    b->edits.nelts = 0;
    b->announced = 0;

    ngx_memzero(&b->rewrite, sizeof(ngx_http_cwmp_rewrite_t));
}


ngx_int_t
ngx_http_cwmp_body_piece(ngx_http_cwmp_body_t *b)
{
    ngx_int_t  rc;

    b->work.spent = 0;

    do {
        rc = ngx_http_cwmp_steps[b->work.state](b);

        if (rc == NGX_OK) {
            cwmp_work_next(&b->work);

            if (b->work.state == CWMP_WORK_DONE) {
                b->ctx->rewritten = b->edits.nelts;
                return NGX_DECLINED;
            }

        } else if (rc == NGX_ERROR) {
            return NGX_HTTP_INTERNAL_SERVER_ERROR;

        } else if (rc != NGX_AGAIN) {
            return rc;
        }

    } while (!cwmp_work_over(&b->work));

    return NGX_AGAIN;
}


/* the other pieces follow; a client that goes away ends them */

static ngx_int_t
ngx_http_cwmp_body_wait(ngx_http_cwmp_body_t *b)
{
    ngx_event_t         *rev;
    ngx_http_request_t  *r;

    r = b->request;
    rev = r->connection->read;

    if (rev->ready) {
        ngx_post_event(rev, &ngx_posted_events);

    } else if (ngx_handle_read_event(rev, 0) != NGX_OK) {
        return NGX_ERROR;
    }

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_request_empty_handler;

    return ngx_http_cwmp_line_join(b);
}


void
ngx_http_cwmp_body_stop(ngx_http_cwmp_body_t *b)
{
    cwmp_inflate_end(&b->inflate);

    if (b->rewrite.deflating) {
        b->rewrite.deflating = 0;
        cwmp_deflate_end(&b->rewrite.deflate);
    }
}


void
ngx_http_cwmp_body_done(ngx_http_cwmp_body_t *b, ngx_int_t rc)
{
    ngx_http_request_t  *r;

    r = b->request;

    ngx_http_cwmp_body_stop(b);
    ngx_pfree(r->pool, b);

    ngx_http_cwmp_body_run(r, rc);
}


static void
ngx_http_cwmp_body_run(ngx_http_request_t *r, ngx_int_t status)
{
    ngx_http_cwmp_ctx_t  *ctx;

    ctx = ngx_http_get_module_ctx(r, ngx_http_cwmp_module);

    ctx->status = status;
    ctx->done = 1;

    r->connection->log->action = NULL;

    r->preserve_body = 1;
    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_core_run_phases;

    ngx_http_core_run_phases(r);
}


/* what of a plain message has to be scanned at all */

static ngx_int_t
ngx_http_cwmp_search(ngx_http_cwmp_body_t *b)
{
    ngx_int_t  rc;
    ngx_str_t  piece;
    u_char     buf[CWMP_WORK_WINDOW];

    rc = ngx_http_cwmp_read(&b->reader, buf, sizeof(buf), &piece);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    if (rc == NGX_OK) {
        b->work.spent += piece.len * (CWMP_COST_READ + CWMP_COST_SCAN);

        if (!cwmp_prefilter(&b->prefilter, piece.data, piece.len, b->declared))
        {
            return NGX_AGAIN;
        }

    } else {
        b->message.facts_only = (b->prefilter.names_end == 0);
        b->message.names_end = b->prefilter.names_end;
    }

    ngx_http_cwmp_reader_init(&b->reader, b->request, NULL);

    return NGX_OK;
}


static ngx_int_t
ngx_http_cwmp_scan(ngx_http_cwmp_body_t *b)
{
    ngx_int_t  rc;

    rc = ngx_http_cwmp_scan_read(b);

    if (rc == NGX_AGAIN) {
        return NGX_AGAIN;
    }

    cwmp_inflate_end(&b->inflate);

    if (ngx_http_cwmp_body_facts(b) != NGX_OK) {
        return NGX_ERROR;
    }

    b->work.values = (b->edits.nelts != 0);

    ngx_qsort(b->edits.elts, b->edits.nelts, sizeof(ngx_http_cwmp_edit_t),
              ngx_http_cwmp_compare_edits);

    if (b->map) {
        ngx_http_cwmp_drop_mapped(&b->edits);
    }

    if (b->ctx->nat && ngx_http_cwmp_nat_message(b) != NGX_OK) {
        return NGX_ERROR;
    }

    return rc;
}


static ngx_int_t
ngx_http_cwmp_scan_read(ngx_http_cwmp_body_t *b)
{
    size_t      size;
    ngx_int_t   rc;
    ngx_str_t   piece;
    u_char      buf[CWMP_WORK_WINDOW];

    /* each expression is tried on each name */

    size = sizeof(buf);

    if (b->conf->parameters) {
        size /= 1 + ngx_min(b->conf->parameters->nelts, 15);
    }

    rc = ngx_http_cwmp_read(&b->reader, buf, size, &piece);

    if (rc == NGX_ERROR) {
        return b->inflate.error ? ngx_http_cwmp_inflate_error(b) : NGX_ERROR;
    }

    if (rc == NGX_DONE) {

        if (b->work.coded && cwmp_inflate_finish(&b->inflate) != NGX_OK) {
            return ngx_http_cwmp_inflate_error(b);
        }

        rc = b->read ? NGX_OK : cwmp_message_end(&b->message);

        if (rc != NGX_OK) {
            return ngx_http_cwmp_message_failed(b);
        }

        return (b->map == NULL || cwmp_urlmap_end(b->map) == NGX_OK)
               ? NGX_OK : ngx_http_cwmp_map_failed(b);
    }

    b->work.spent += b->reader.taken * CWMP_COST_READ
                     + piece.len * CWMP_COST_SCAN;

    if (b->work.coded) {
        b->work.spent += piece.len * CWMP_COST_INFLATE;
    }

    if (b->map) {
        b->work.spent += piece.len * CWMP_COST_SCAN;

        if (cwmp_urlmap_read(b->map, piece.data, piece.len) != NGX_OK) {
            return ngx_http_cwmp_map_failed(b);
        }
    }

    rc = b->read ? NGX_OK
                 : cwmp_message_read(&b->message, piece.data, piece.len);

    switch (rc) {

    case NGX_OK:
        return NGX_AGAIN;

    case NGX_DONE:
        b->read = 1;
        return b->map ? NGX_AGAIN : NGX_OK;

    default:
        return ngx_http_cwmp_message_failed(b);
    }
}


static ngx_int_t
ngx_http_cwmp_map_failed(ngx_http_cwmp_body_t *b)
{
    if (b->map->error == CWMP_URLMAP_HANDLER) {
        return NGX_ERROR;
    }

    return ngx_http_cwmp_uncertain(b->request, NGX_HTTP_BAD_REQUEST,
                                   cwmp_urlmap_strerror(b->map->error));
}


static ngx_int_t
ngx_http_cwmp_message_failed(ngx_http_cwmp_body_t *b)
{
    if (b->message.error == CWMP_MESSAGE_HANDLER) {
        return NGX_ERROR;
    }

    /* without the parameter, whatever it is, it is for the ACS to judge */

    if (b->message.facts_only) {
        return NGX_OK;
    }

    return ngx_http_cwmp_uncertain(b->request, NGX_HTTP_BAD_REQUEST,
                                   cwmp_message_error(b->message.error));
}


static ngx_int_t
ngx_http_cwmp_name(void *data, ngx_str_t *name)
{
    ngx_http_cwmp_body_t  *b = data;

    ngx_uint_t     i;
    ngx_regex_t  **regex;

    regex = b->conf->parameters->elts;

    b->work.spent += b->conf->parameters->nelts
                     * (CWMP_COST_REGEX + name->len);

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
    edit->mapped = 0;
    edit->address = value->address;

    return ngx_http_cwmp_fact(b->request->pool, &edit->text,
                              value->text.data, value->text.len);
}


static ngx_int_t
ngx_http_cwmp_mapped(void *data, cwmp_urlmap_edit_t *edit)
{
    ngx_http_cwmp_body_t  *b = data;

    return ngx_http_cwmp_map_edit(b->request->pool, &b->edits, edit);
}


/* what is announced in place of a URL is mapped no more */

static void
ngx_http_cwmp_drop_mapped(ngx_array_t *edits)
{
    off_t                  end;
    ngx_uint_t             i, n;
    ngx_http_cwmp_edit_t  *edit;

    edit = edits->elts;
    end = 0;
    n = 0;

    for (i = 0; i < edits->nelts; i++) {

        if (edit[i].mapped && edit[i].start < end) {
            continue;
        }

        end = edit[i].end;
        edit[n++] = edit[i];
    }

    edits->nelts = n;
}


/* after the facts, since what is logged about an origin names the device */

static ngx_int_t
ngx_http_cwmp_announce_edit(ngx_http_cwmp_body_t *b)
{
    u_char                     *p;
    ngx_str_t                   announced;
    ngx_http_cwmp_edit_t       *edit;
    ngx_http_cwmp_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(b->request, ngx_http_cwmp_module);

    edit = b->edits.elts;
    edit += b->announced++;

    if (edit->address) {
        ngx_str_set(&edit->text, "");
        return (b->announced == b->edits.nelts) ? NGX_OK : NGX_AGAIN;
    }

    if (edit->mapped) {
        b->work.spent += CWMP_COST_REGEX;

        return (b->announced == b->edits.nelts) ? NGX_OK : NGX_AGAIN;
    }

    b->work.spent += CWMP_COST_URL;

    if (ngx_http_cwmp_announce(b->request, &edit->text, &announced) != NGX_OK) {
        return NGX_ERROR;
    }

    edit->text.len = cwmp_url_escape(NULL, &announced);

    p = ngx_pnalloc(b->request->pool, edit->text.len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    edit->text.data = p;
    (void) cwmp_url_escape(p, &announced);

    ngx_http_cwmp_count(cmcf->shared, REWRITTEN);

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, b->request->connection->log, 0,
                   "cwmp value at %O..%O", edit->start, edit->end);

    return (b->announced == b->edits.nelts) ? NGX_OK : NGX_AGAIN;
}


static int ngx_libc_cdecl
ngx_http_cwmp_compare_edits(const void *one, const void *two)
{
    const ngx_http_cwmp_edit_t  *a, *b;

    a = one;
    b = two;

    if (a->start == b->start) {
        return (int) a->mapped - (int) b->mapped;
    }

    return (a->start > b->start) ? 1 : -1;
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
