
/*
 * Fieldgate: "cwmp_admission": which sessions may begin at an upstream.
 *
 * It is asked when the upstream is known, which "proxy_pass" with variables
 * says no earlier, and before anything of the session is touched.
 */


#include "ngx_http_cwmp_pin.h"


/* Retry-After, in seconds: at random between these two */

#define NGX_HTTP_CWMP_RETRY_FROM  5
#define NGX_HTTP_CWMP_RETRY_TO    30


typedef char  ngx_http_cwmp_admission_row_fits
    [sizeof(cwmp_admission_row_t) <= NGX_HTTP_CWMP_ADMISSION_SIZE ? 1 : -1];


static ngx_uint_t ngx_http_cwmp_admission_begins(ngx_http_request_t *r,
    ngx_http_cwmp_session_t *s, ngx_http_cwmp_srv_conf_t *cscf);
static ngx_uint_t ngx_http_cwmp_admission_own(ngx_http_cwmp_session_t *s,
    ngx_http_upstream_srv_conf_t *us);
static cwmp_admission_row_t *ngx_http_cwmp_admission_row(cwmp_table_t *t,
    ngx_http_cwmp_srv_conf_t *cscf);
static void ngx_http_cwmp_admission_count(ngx_http_cwmp_zone_t *zone,
    ngx_http_cwmp_srv_conf_t *cscf, ngx_int_t n);
static void ngx_http_cwmp_admission_refuse(ngx_http_request_t *r,
    ngx_http_cwmp_session_t *s);


ngx_int_t
ngx_http_cwmp_admission_judge(ngx_http_request_t *r,
    ngx_http_cwmp_session_t *s, ngx_http_upstream_srv_conf_t *us)
{
    uint64_t                   told;
    ngx_uint_t                 own, first;
    cwmp_table_t              *t;
    cwmp_admission_e           verdict;
    ngx_http_cwmp_ctx_t       *ctx;
    cwmp_admission_row_t      *row;
    ngx_http_cwmp_srv_conf_t  *cscf;

    cscf = ngx_http_conf_upstream_srv_conf(us, ngx_http_cwmp_module);

    if (cscf->admission.line == 0
        || !ngx_http_cwmp_admission_begins(r, s, cscf))
    {
        return NGX_OK;
    }

    ctx = ngx_http_cwmp_find_ctx(r);
    first = cwmp_admission_first(&ctx->events);
    own = ngx_http_cwmp_admission_own(s, us);

    told = 0;
    verdict = CWMP_ADMISSION_PASSED;

    t = ngx_http_cwmp_zone_lock(s->zone, NGX_HTTP_CWMP_ADMISSIONS);

    row = ngx_http_cwmp_admission_row(t, cscf);

    if (row) {
        verdict = cwmp_admission_judge(row, &cscf->limits, first, own,
                                       ngx_current_msec,
                                       ngx_http_cwmp_zone_alive);

        if (verdict == CWMP_ADMISSION_PASSED) {
            cwmp_admission_share(row, (uint32_t) ngx_pid, cscf->counted + 1,
                                 ngx_http_cwmp_zone_alive);

        } else {
            told = cwmp_admission_notice(row, ngx_current_msec);
        }
    }

    ngx_http_cwmp_zone_unlock(s->zone, NGX_HTTP_CWMP_ADMISSIONS);

    ctx->admission = verdict;

    if (verdict == CWMP_ADMISSION_PASSED) {
        cscf->counted++;
        ctx->claim->counted = 1;
        ngx_http_cwmp_count(s->zone, ADMISSIONS_PASSED);
        return NGX_OK;
    }

    ngx_http_cwmp_count(s->zone, ADMISSIONS_LIMITED);

    if (told) {
        ngx_log_error(NGX_LOG_WARN, r->connection->log, 0,
                      "CPE \"%V\" is refused with 503: %s of "
                      "\"cwmp_admission\" in %V:%ui, %uL refused since the "
                      "last such line",
                      &ctx->device_id,
                      verdict == CWMP_ADMISSION_RATE ? "the rate"
                                                     : "the sessions",
                      &cscf->admission.file, cscf->admission.line, told);
    }

    ngx_http_cwmp_admission_refuse(r, s);

    return NGX_BUSY;
}


/*
 * An Inform begins a session unless a 401 has asked for it, on whatever
 * connection that was.  At a further upstream, after an internal redirect, it
 * does what it did at the first.
 */

static ngx_uint_t
ngx_http_cwmp_admission_begins(ngx_http_request_t *r,
    ngx_http_cwmp_session_t *s, ngx_http_cwmp_srv_conf_t *cscf)
{
    ngx_http_cwmp_ctx_t    *ctx;
    ngx_http_cwmp_claim_t  *claim;

    ctx = ngx_http_cwmp_find_ctx(r);

    if (!ctx->inform || r->method != NGX_HTTP_POST) {
        return 0;
    }

    claim = ctx->claim;

    if (!claim->joined) {
        claim->begins = claim->claim.verdict != CWMP_CLAIM_SAME
                        && !(claim->claim.named
                             && ngx_http_cwmp_rows_pending(s->zone,
                                                           &claim->claim.name,
                                                           cscf));
    }

    return claim->begins;
}


/*
 * A CPE that begins anew has given up what it had on the connection, which is
 * closed if it may.
 */

static ngx_uint_t
ngx_http_cwmp_admission_own(ngx_http_cwmp_session_t *s,
    ngx_http_upstream_srv_conf_t *us)
{
    ngx_uint_t            n;
    ngx_http_cwmp_pin_t  *pin;

    n = 0;

    for (pin = ngx_http_cwmp_pin_next(s->client, NULL);
         pin;
         pin = ngx_http_cwmp_pin_next(s->client, pin))
    {
        n += (pin->counted && pin->upstream == us);
    }

    return n;
}


/* NULL: there is no room, as when upstreams have come and gone with reloads */

static cwmp_admission_row_t *
ngx_http_cwmp_admission_row(cwmp_table_t *t, ngx_http_cwmp_srv_conf_t *cscf)
{
    ngx_msec_t             expires;
    cwmp_admission_row_t  *row;

    /* a day after the last session nobody counts */

    expires = ngx_current_msec + 86400000;

    row = cwmp_table_get(t, cscf->tag, ngx_current_msec);

    if (row == NULL) {
        return cwmp_table_insert(t, cscf->tag, ngx_current_msec, expires,
                                 ngx_http_cwmp_zone_alive);
    }

    cwmp_table_touch(t, row, expires);

    return row;
}


void
ngx_http_cwmp_admission_begin(ngx_http_cwmp_session_t *s,
    ngx_http_cwmp_claim_t *claim, ngx_http_upstream_srv_conf_t *us,
    ngx_http_cwmp_pin_t *pin)
{
    ngx_http_cwmp_srv_conf_t  *cscf;

    if (!claim->counted) {
        return;
    }

    claim->counted = 0;

    if (pin && !pin->counted) {
        pin->counted = 1;
        return;
    }

    /* that of the pin goes on as the new one */

    cscf = ngx_http_conf_upstream_srv_conf(us, ngx_http_cwmp_module);

    ngx_http_cwmp_admission_count(s->zone, cscf, -1);
}


void
ngx_http_cwmp_admission_enter(ngx_http_cwmp_pin_t *pin)
{
    ngx_http_cwmp_srv_conf_t  *cscf;

    cscf = ngx_http_conf_upstream_srv_conf(pin->upstream,
                                           ngx_http_cwmp_module);

    if (pin->counted || cscf->admission.line == 0
        || pin->session->state.state == CWMP_SESSION_NONE)
    {
        return;
    }

    pin->counted = 1;
    ngx_http_cwmp_admission_count(pin->session->zone, cscf, 1);
}


void
ngx_http_cwmp_admission_leave(ngx_http_cwmp_pin_t *pin)
{
    ngx_http_cwmp_srv_conf_t  *cscf;

    if (!pin->counted) {
        return;
    }

    cscf = ngx_http_conf_upstream_srv_conf(pin->upstream,
                                           ngx_http_cwmp_module);

    pin->counted = 0;
    ngx_http_cwmp_admission_count(pin->session->zone, cscf, -1);
}


static void
ngx_http_cwmp_admission_count(ngx_http_cwmp_zone_t *zone,
    ngx_http_cwmp_srv_conf_t *cscf, ngx_int_t n)
{
    cwmp_table_t          *t;
    cwmp_admission_row_t  *row;

    cscf->counted += n;

    if (cscf->limits.sessions == 0) {
        return;
    }

    t = ngx_http_cwmp_zone_lock(zone, NGX_HTTP_CWMP_ADMISSIONS);

    row = ngx_http_cwmp_admission_row(t, cscf);

    if (row) {
        cwmp_admission_share(row, (uint32_t) ngx_pid, cscf->counted,
                             ngx_http_cwmp_zone_alive);
    }

    ngx_http_cwmp_zone_unlock(zone, NGX_HTTP_CWMP_ADMISSIONS);
}


/*
 * A balancer can say "no server", which is answered with 502, but nothing else.
 * So the request is finalized here, as nginx does with one whose client leaves:
 * ngx_http_upstream_init_request() finds that, and has only its own reference
 * to the request to give back.
 */

static void
ngx_http_cwmp_admission_refuse(ngx_http_request_t *r,
    ngx_http_cwmp_session_t *s)
{
    ngx_http_upstream_t    *u;
    ngx_http_cwmp_ctx_t    *ctx;
    ngx_http_cwmp_claim_t  *claim;

    ctx = ngx_http_cwmp_find_ctx(r);
    claim = ctx->claim;
    u = r->upstream;

    if (claim->kept && !claim->joined) {
        s->facts = claim->before;
    }

    *u->cleanup = NULL;
    u->cleanup = NULL;

    r->read_event_handler = ngx_http_block_reading;
    r->connection->log->action = "sending to client";

    r->main->count++;

    ngx_http_finalize_request(r, NGX_HTTP_SERVICE_UNAVAILABLE);
}


ngx_int_t
ngx_http_cwmp_admission_header(ngx_http_request_t *r)
{
    u_char               *p;
    ngx_table_elt_t      *h;
    ngx_http_cwmp_ctx_t  *ctx;

    ctx = ngx_http_cwmp_find_ctx(r);

    if (ctx == NULL || ctx->admission < CWMP_ADMISSION_RATE
        || r->upstream->headers_in.status_n)
    {
        /* or another ACS's own, to which "error_page" has led */
        return NGX_OK;
    }

    p = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    h = ngx_list_push(&r->headers_out.headers);

    if (p == NULL || h == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(h, sizeof(ngx_table_elt_t));

    h->hash = 1;
    ngx_str_set(&h->key, "Retry-After");

    h->value.data = p;
    h->value.len = ngx_sprintf(p, "%ui", (ngx_uint_t)
                               (NGX_HTTP_CWMP_RETRY_FROM
                                + ngx_random() % (NGX_HTTP_CWMP_RETRY_TO
                                               - NGX_HTTP_CWMP_RETRY_FROM + 1)))
                   - p;

    return NGX_OK;
}
