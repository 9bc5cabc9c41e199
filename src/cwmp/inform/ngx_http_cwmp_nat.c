
/*
 * Fieldgate: CPEs behind NAT, as their messages tell of them.
 *
 * An ACS that knows a CPE's UDPConnectionRequestAddress sends there from a port
 * that the NAT lets nothing in from, and takes that for a success (GenieACS
 * does).  So it does not get to know it: the value is emptied, and the address
 * comes with the URL, signed.
 *
 * A message need not have both.  The zone keeps the address under the device,
 * which an Inform names, and under the URL with the client's address, for
 * messages that name no device.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_body.h"
#include "ngx_http_cwmp_inform.h"


static const char *ngx_http_cwmp_nat_judge(ngx_http_request_t *r,
    cwmp_origin_t *udp, ngx_str_t *text);
static ngx_int_t ngx_http_cwmp_nat_known(ngx_http_request_t *r,
    cwmp_endpoint_t *udp);


ngx_int_t
ngx_http_cwmp_nat_message(ngx_http_cwmp_body_t *b)
{
    ngx_str_t                   text;
    ngx_uint_t                  i;
    const char                 *reason;
    cwmp_origin_t               udp;
    ngx_http_cwmp_nat_t        *nat;
    ngx_http_cwmp_edit_t       *edit;
    ngx_http_cwmp_main_conf_t  *cmcf;

    nat = b->ctx->nat;
    edit = b->edits.elts;

    for (i = b->edits.nelts; i; i--) {
        if (edit[i - 1].address) {
            break;
        }
    }

    if (i == 0) {
        return NGX_OK;
    }

    nat->said = 1;

    text = edit[i - 1].text;
    cwmp_url_trim(&text);

    reason = ngx_http_cwmp_nat_judge(b->request, &udp, &text);

    if (reason == NULL) {
        nat->hostport = udp.hostport;
        return cwmp_endpoint_set(&nat->udp, &udp.sockaddr.sockaddr);
    }

    cmcf = ngx_http_get_module_main_conf(b->request, ngx_http_cwmp_module);

    ngx_http_cwmp_count(cmcf->shared, REFUSED_ORIGINS);

    if (ngx_http_cwmp_first_time(b->request, "udp", reason)) {
        ngx_log_error(NGX_LOG_WARN, b->request->connection->log, 0,
                      "CPE \"%V\" announces an address for UDP%s%V that %s, it "
                      "cannot be called there", &b->ctx->device_id,
                      udp.hostport.len ? " " : "", &udp.hostport, reason);
    }

    return NGX_OK;
}


ngx_int_t
ngx_http_cwmp_nat_url(ngx_http_request_t *r, cwmp_origin_t *o)
{
    u_char                      text[NGX_SOCKADDR_STRLEN];
    ngx_str_t                   address;
    cwmp_origin_t               udp;
    ngx_sockaddr_t              sa;
    cwmp_endpoint_t             e;
    ngx_http_cwmp_ctx_t        *ctx;
    ngx_http_cwmp_nat_t        *nat;
    ngx_http_cwmp_loc_conf_t   *clcf;
    ngx_http_cwmp_main_conf_t  *cmcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_cwmp_module);
    cmcf = ngx_http_get_module_main_conf(r, ngx_http_cwmp_module);
    ctx = ngx_http_get_module_ctx(r, ngx_http_cwmp_module);

    nat = ctx->nat;

    ngx_http_cwmp_address_of_url(cmcf->shared, nat->url, o,
                                 &r->connection->addr_text);
    ngx_http_cwmp_address_of_url(cmcf->shared, nat->woken, o, NULL);
    nat->urls = 1;

    /* in the other modes the ACS has the credentials, which sign the request */

    if (clcf->url_mode != CWMP_URL_QUERY) {
        return NGX_OK;
    }

    if (nat->said) {
        o->udp = nat->hostport;
        return NGX_OK;
    }

    if (ngx_http_cwmp_nat_known(r, &e) != NGX_OK) {
        return NGX_OK;
    }

    address.data = text;
    address.len = ngx_sock_ntop(&sa.sockaddr, cwmp_endpoint_sockaddr(&e, &sa),
                                text, NGX_SOCKADDR_STRLEN, 1);

    if (ngx_http_cwmp_nat_judge(r, &udp, &address) == NULL) {
        o->udp = udp.hostport;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_cwmp_nat_known(ngx_http_request_t *r, cwmp_endpoint_t *udp)
{
    u_char                      key[CWMP_TABLE_KEY_LEN];
    ngx_http_cwmp_ctx_t        *ctx;
    ngx_http_cwmp_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_cwmp_module);
    ctx = ngx_http_get_module_ctx(r, ngx_http_cwmp_module);

    if (ctx->device_id.len) {
        ngx_http_cwmp_address_of_device(cmcf->shared, key, &ctx->device_id,
                                        &r->connection->addr_text);

        return ngx_http_cwmp_address_get(cmcf->shared, key, udp);
    }

    return ngx_http_cwmp_address_get(cmcf->shared, ctx->nat->url, udp);
}


/* NULL: it may be called; else what speaks against it, for the log */

static const char *
ngx_http_cwmp_nat_judge(ngx_http_request_t *r, cwmp_origin_t *udp,
    ngx_str_t *text)
{
    u_char         *buf;
    ngx_int_t       rc;
    cwmp_policy_t   policy;

    ngx_memzero(udp, sizeof(cwmp_origin_t));

    buf = ngx_pnalloc(r->pool, cwmp_origin_size(text->len));
    if (buf == NULL) {
        return "could not be read, for lack of memory";
    }

    rc = cwmp_origin_parse_udp(udp, text, buf);

    if (rc != NGX_OK) {
        ngx_memzero(udp, sizeof(cwmp_origin_t));
        return cwmp_origin_strerror(rc);
    }

    ngx_http_cwmp_policy_init(r, &policy);

    rc = cwmp_policy_announce(&policy, udp, r->connection->sockaddr);

    return (rc == NGX_OK) ? NULL : cwmp_policy_strerror(rc);
}


void
ngx_http_cwmp_nat_handler(ngx_http_request_t *r)
{
    u_char                      key[CWMP_TABLE_KEY_LEN];
    ngx_http_cwmp_ctx_t        *ctx;
    ngx_http_cwmp_nat_t        *nat;
    ngx_http_cwmp_zone_t       *z;
    ngx_http_cwmp_main_conf_t  *cmcf;

    ctx = ngx_http_get_module_ctx(r, ngx_http_cwmp_module);

    if (ctx == NULL || ctx->nat == NULL || ctx->nat->done) {
        return;
    }

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_cwmp_module);

    nat = ctx->nat;
    nat->done = 1;
    z = cmcf->shared;

    if (ctx->device_id.len) {
        ngx_http_cwmp_address_of_device(z, key, &ctx->device_id,
                                        &r->connection->addr_text);
    }

    if (nat->udp.family) {

        if (ctx->device_id.len) {
            ngx_http_cwmp_address_put(z, key, &nat->udp, key);
        }

        if (nat->urls) {
            ngx_http_cwmp_address_put(z, nat->url, &nat->udp, NULL);
        }
    }

    if (!ctx->inform || !cwmp_binding_woken(&ctx->events)) {
        return;
    }

    if (ctx->device_id.len) {
        ngx_http_cwmp_address_hear(z, key);
    }

    if (nat->urls) {
        ngx_http_cwmp_address_hear(z, nat->woken);
    }
}
