
/*
 * Fieldgate: what a session's Inform has said of the device, for all requests
 * of the session: variables in "map", "proxy_pass" and "log_format".
 */


#include "ngx_http_cwmp_pin.h"


static ngx_int_t ngx_http_cwmp_facts_keep(ngx_http_request_t *r,
    ngx_http_cwmp_claim_t *claim, ngx_http_cwmp_ctx_t *ctx);
static ngx_int_t ngx_http_cwmp_facts_find(ngx_http_request_t *r,
    ngx_http_cwmp_claim_t *claim, cwmp_facts_t *facts);


ngx_int_t
ngx_http_cwmp_facts(ngx_http_request_t *r, ngx_http_cwmp_claim_t *claim)
{
    ngx_str_t             facts[CWMP_FACTS];
    cwmp_facts_t         *own, found;
    ngx_http_cwmp_ctx_t  *ctx;

    ctx = ngx_http_cwmp_get_ctx(r);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    if (ctx->inform) {
        return ngx_http_cwmp_facts_keep(r, claim, ctx);
    }

    if (ctx->device_id.len
        || ngx_http_cwmp_facts_find(r, claim, &found) != NGX_OK)
    {
        return NGX_OK;
    }

    own = ngx_palloc(r->pool, sizeof(cwmp_facts_t));
    if (own == NULL) {
        return NGX_ERROR;
    }

    *own = found;

    cwmp_facts_unpack(own, facts);

    ctx->oui = facts[CWMP_FACT_OUI];
    ctx->product_class = facts[CWMP_FACT_CLASS];
    ctx->serial = facts[CWMP_FACT_SERIAL];
    ctx->events = facts[CWMP_FACT_EVENTS];

    return ngx_http_cwmp_device_id(r->pool, ctx);
}


static ngx_int_t
ngx_http_cwmp_facts_keep(ngx_http_request_t *r, ngx_http_cwmp_claim_t *claim,
    ngx_http_cwmp_ctx_t *ctx)
{
    ngx_str_t                 facts[CWMP_FACTS];
    ngx_http_cwmp_session_t  *s;

    s = ngx_http_cwmp_session_get(r, 1);
    if (s == NULL) {
        return NGX_ERROR;
    }

    if (!claim->kept) {
        claim->before = s->facts;
        claim->kept = 1;
    }

    facts[CWMP_FACT_OUI] = ctx->oui;
    facts[CWMP_FACT_CLASS] = ctx->product_class;
    facts[CWMP_FACT_SERIAL] = ctx->serial;
    facts[CWMP_FACT_EVENTS] = ctx->events;

    if (cwmp_facts_pack(&s->facts, facts) != NGX_OK) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "the CPE's device id is too long to be known in the "
                      "messages behind its Inform");
    }

    return NGX_OK;
}


/*
 * Those on the connection, if the message may be of the session that goes on
 * there; else what the zone knows, if the message names a session.
 */

static ngx_int_t
ngx_http_cwmp_facts_find(ngx_http_request_t *r, ngx_http_cwmp_claim_t *claim,
    cwmp_facts_t *facts)
{
    ngx_http_cwmp_session_t  *s;

    s = ngx_http_cwmp_session_get(r, 0);

    if (s && claim->claim.verdict != CWMP_CLAIM_OTHER
        && cwmp_facts_known(&s->facts))
    {
        *facts = s->facts;
        return NGX_OK;
    }

    if (!claim->claim.named) {
        return NGX_DECLINED;
    }

    s = ngx_http_cwmp_session_get(r, 1);
    if (s == NULL) {
        return NGX_DECLINED;
    }

    if (ngx_http_cwmp_rows_facts(s->zone, &claim->claim.name, facts)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    if (claim->claim.verdict != CWMP_CLAIM_OTHER) {
        s->facts = *facts;
    }

    return NGX_OK;
}
