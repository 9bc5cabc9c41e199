
/*
 * Fieldgate: what the ACS's answers say: cookies, the end of the session, and
 * the challenge that a rewritten body could not meet.
 */


#include "ngx_http_cwmp_pin.h"
#include "cwmp_auth.h"
#include "cwmp_cookie.h"


static ngx_int_t ngx_http_cwmp_header_filter(ngx_http_request_t *r);
static ngx_int_t ngx_http_cwmp_filter_challenges(ngx_http_request_t *r);
static ngx_int_t ngx_http_cwmp_filter_session(ngx_http_request_t *r,
    ngx_http_cwmp_pin_t **found);
static void ngx_http_cwmp_filter_cookies(ngx_http_cwmp_pin_t *pin,
    ngx_list_t *headers, ngx_list_t *seen);
static ngx_uint_t ngx_http_cwmp_filter_seen(ngx_list_t *headers,
    ngx_str_t *value);
static ngx_uint_t ngx_http_cwmp_filter_ticket(ngx_http_cwmp_srv_conf_t *cscf,
    ngx_str_t *name);
static cwmp_answer_to_e ngx_http_cwmp_filter_to(ngx_http_request_t *r,
    ngx_http_cwmp_pin_t *pin);
static ngx_uint_t ngx_http_cwmp_filter_suffix(ngx_str_t *s, char *suffix);


static ngx_http_output_header_filter_pt  ngx_http_next_header_filter;


void
ngx_http_cwmp_filter_init(void)
{
    ngx_http_next_header_filter = ngx_http_top_header_filter;
    ngx_http_top_header_filter = ngx_http_cwmp_header_filter;
}


static ngx_int_t
ngx_http_cwmp_header_filter(ngx_http_request_t *r)
{
    ngx_int_t                   rc;
    ngx_http_cwmp_ctx_t        *ctx;
    ngx_http_cwmp_pin_t        *pin;
    ngx_http_cwmp_main_conf_t  *cmcf;

    if (r != r->main || r->upstream == NULL) {
        return ngx_http_next_header_filter(r);
    }

    ngx_http_cwmp_device_answered(r);

    ngx_http_cwmp_traced_answer(r,
                                cwmp_session_answered(r->headers_out.status,
                                             ngx_http_cwmp_filter_to(r, NULL))
                                == CWMP_SESSION_EV_DONE);

    if (r->headers_out.status == NGX_HTTP_SERVICE_UNAVAILABLE
        && ngx_http_cwmp_admission_header(r) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (r->headers_out.status == NGX_HTTP_UNAUTHORIZED) {

        /* with an error_page of its own it is the answer to a GET elsewhere */

        ctx = ngx_http_cwmp_find_ctx(r);

        if (ctx && ctx->done && ngx_http_cwmp_filter_challenges(r) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (r->method != NGX_HTTP_POST) {
        return ngx_http_next_header_filter(r);
    }

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_cwmp_module);

    if (cmcf->affinity.line == 0) {
        return ngx_http_next_header_filter(r);
    }

    if (ngx_http_cwmp_filter_session(r, &pin) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_http_next_header_filter(r);

    if (pin) {

        /*
         * The CPE also returns what nginx has set by itself, as "userid",
         * "add_header" and "sticky cookie" do.
         */

        ngx_http_cwmp_filter_cookies(pin, &r->headers_out.headers,
                                     &r->upstream->headers_in.headers);
    }

    return rc;
}


/*
 * RFC 7616 3.4.3: with auth-int the response covers the body, and the ACS would
 * compare it with the one that it got from us.
 */

static ngx_int_t
ngx_http_cwmp_filter_challenges(ngx_http_request_t *r)
{
    size_t            len;
    u_char           *p;
    ngx_uint_t        i, only;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    for (part = &r->headers_out.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].hash == 0
                || h[i].key.len != sizeof("WWW-Authenticate") - 1
                || ngx_strncasecmp(h[i].key.data,
                                   (u_char *) "WWW-Authenticate",
                                   sizeof("WWW-Authenticate") - 1)
                   != 0)
            {
                continue;
            }

            p = ngx_pnalloc(r->pool, h[i].value.len);
            if (p == NULL) {
                return NGX_ERROR;
            }

            only = 0;

            if (cwmp_challenge_strip_auth_int(&h[i].value, p, &len, &only)
                == NGX_OK)
            {
                h[i].value.data = p;
                h[i].value.len = len;
            }

            if (only) {
                ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                              "the ACS's Digest challenge offers auth-int "
                              "only, which a rewritten message cannot meet");
            }
        }
    }

    return NGX_OK;
}


/* *found: the pin of a session that goes on, or NULL */

static ngx_int_t
ngx_http_cwmp_filter_session(ngx_http_request_t *r,
    ngx_http_cwmp_pin_t **found)
{
    ngx_uint_t                over;
    ngx_http_cwmp_ctx_t      *ctx;
    ngx_http_cwmp_pin_t      *pin;
    ngx_http_cwmp_session_t  *s;

    *found = NULL;

    s = ngx_http_cwmp_session_get(r, 0);
    ctx = ngx_http_cwmp_find_ctx(r);

    if (s == NULL || ctx == NULL || ctx->claim == NULL || !ctx->claim->joined)
    {
        return NGX_OK;
    }

    /* there is none any more when nginx answers in the ACS's place */

    for (pin = ngx_http_cwmp_pin_next(s->client, NULL);
         pin && pin->attach.user != r->upstream;
         pin = ngx_http_cwmp_pin_next(s->client, pin))
    {
        /* void */
    }

    over = !ngx_http_cwmp_session_answer(s, pin, r->headers_out.status,
                                         ngx_http_cwmp_filter_to(r, pin));

    if (pin == NULL || r->upstream->headers_in.status_n == 0) {
        *found = over ? NULL : pin;
        return NGX_OK;
    }

    if (!over) {

        /* the ACS's own list: what nginx makes of it may lack the header */

        ngx_http_cwmp_filter_cookies(pin, &r->upstream->headers_in.headers,
                                     NULL);

        ngx_http_cwmp_session_carry(pin->session,
            ngx_http_conf_upstream_srv_conf(pin->upstream,
                                            ngx_http_cwmp_module));
        *found = pin;
    }

    return ngx_http_cwmp_ticket_header(r, pin, over);
}


/* "seen": a list of which nothing is new, or NULL */

static void
ngx_http_cwmp_filter_cookies(ngx_http_cwmp_pin_t *pin, ngx_list_t *headers,
    ngx_list_t *seen)
{
    ngx_str_t                  name, value;
    ngx_uint_t                 i;
    ngx_list_part_t           *part;
    ngx_table_elt_t           *h;
    ngx_http_cwmp_srv_conf_t  *cscf;

    cscf = ngx_http_conf_upstream_srv_conf(pin->upstream,
                                           ngx_http_cwmp_module);

    for (part = &headers->part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].hash
                && h[i].key.len == sizeof("Set-Cookie") - 1
                && ngx_strncasecmp(h[i].key.data, (u_char *) "Set-Cookie",
                                   sizeof("Set-Cookie") - 1)
                   == 0
                && !(seen && ngx_http_cwmp_filter_seen(seen, &h[i].value))
                && cwmp_cookie_set(&h[i].value, &name, &value) == NGX_OK
                && !ngx_http_cwmp_filter_ticket(cscf, &name))
            {
                ngx_http_cwmp_session_learn(pin->session, pin, cscf, &name,
                                            &value);
            }
        }
    }
}


/* nginx copies a header of the ACS, but not its value */

static ngx_uint_t
ngx_http_cwmp_filter_seen(ngx_list_t *headers, ngx_str_t *value)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    for (part = &headers->part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {
            if (h[i].value.data == value->data) {
                return 1;
            }
        }
    }

    return 0;
}


/* one that never comes back this far */

static ngx_uint_t
ngx_http_cwmp_filter_ticket(ngx_http_cwmp_srv_conf_t *cscf, ngx_str_t *name)
{
    return cscf->cookie.len && cscf->cookie.len == name->len
           && ngx_memcmp(cscf->cookie.data, name->data, name->len) == 0;
}


/* what the answer is one to; pin NULL: it is nginx's own */

static cwmp_answer_to_e
ngx_http_cwmp_filter_to(ngx_http_request_t *r, ngx_http_cwmp_pin_t *pin)
{
    ngx_http_cwmp_ctx_t  *ctx;

    ctx = ngx_http_cwmp_find_ctx(r);

    if (ctx == NULL || !ctx->done) {
        return r->headers_in.content_length_n <= 0 && !r->headers_in.chunked
               ? CWMP_ANSWER_TO_EMPTY : CWMP_ANSWER_TO_OTHER;
    }

    if (ctx->empty) {
        return CWMP_ANSWER_TO_EMPTY;
    }

    if (ctx->inform) {
        return pin ? CWMP_ANSWER_TO_INFORM : CWMP_ANSWER_TO_OTHER;
    }

    return ngx_http_cwmp_filter_suffix(&ctx->method, "Response")
           || ngx_http_cwmp_filter_suffix(&ctx->method, "Fault")
           ? CWMP_ANSWER_TO_REPLY : CWMP_ANSWER_TO_OTHER;
}


static ngx_uint_t
ngx_http_cwmp_filter_suffix(ngx_str_t *s, char *suffix)
{
    size_t  len;

    len = ngx_strlen(suffix);

    return s->len >= len
           && ngx_strncmp(s->data + s->len - len, suffix, len) == 0;
}
