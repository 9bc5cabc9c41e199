
/*
 * Fieldgate: sessions of CPEs: carries out what cwmp_session.c says.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_pin.h"
#include "cwmp_cookie.h"


static void ngx_http_cwmp_session_delay(ngx_http_request_t *r);
static void ngx_http_cwmp_session_device(ngx_http_request_t *r,
    ngx_http_cwmp_main_conf_t *cmcf, cwmp_claim_t *claim);
static void ngx_http_cwmp_session_address(ngx_http_request_t *r,
    ngx_http_cwmp_main_conf_t *cmcf, u_char *address);
static void ngx_http_cwmp_session_cookies(ngx_http_request_t *r,
    ngx_http_cwmp_main_conf_t *cmcf, cwmp_claim_t *claim);
static void ngx_http_cwmp_session_cookie_header(
    ngx_http_cwmp_main_conf_t *cmcf, cwmp_claim_t *claim, ngx_str_t *header);
static ngx_uint_t ngx_http_cwmp_session_alone(ngx_http_request_t *r);
static void ngx_http_cwmp_session_admitted(ngx_http_cwmp_session_t *s,
    ngx_http_cwmp_pin_t *pin);
static void ngx_http_cwmp_session_over(ngx_http_cwmp_session_t *s,
    ngx_uint_t actions, ngx_http_cwmp_pin_t *pin);
static void ngx_http_cwmp_session_expired(ngx_http_cwmp_session_t *s);


/*
 * PRECONTENT: the facts of the body are known, no upstream is chosen yet.
 */

ngx_int_t
ngx_http_cwmp_session_handler(ngx_http_request_t *r)
{
    ngx_event_t                *wev;
    ngx_http_cwmp_ctx_t        *ctx;
    ngx_http_cwmp_claim_t      *claim;
    ngx_http_cwmp_session_t    *s;
    ngx_http_cwmp_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_cwmp_module);
    ctx = ngx_http_cwmp_find_ctx(r);

    if (cmcf->affinity.line == 0 && (ctx == NULL || !ctx->done)) {
        return NGX_DECLINED;
    }

    s = ngx_http_cwmp_session_get(r, 0);

    claim = ngx_http_cwmp_session_claim(r, s, 1);

    if (claim == NULL || ngx_http_cwmp_facts(r, claim) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (cmcf->affinity.line == 0
        || !claim->claim.named
        || !ngx_http_cwmp_rows_elsewhere(cmcf, s ? s->client : NULL, claim))
    {
        return NGX_DECLINED;
    }

    if (claim->deadline == 0) {
        claim->deadline = ngx_current_msec + NGX_HTTP_CWMP_WAIT;
        ngx_http_cwmp_count(cmcf->shared, SESSIONS_WAITED);
    }

    if ((ngx_msec_int_t) (claim->deadline - ngx_current_msec) <= 0) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "CPE came back while its old connection is in use");
        return NGX_DECLINED;
    }

    r->connection->log->action = "waiting for the session's old connection";

    wev = r->connection->write;

    r->read_event_handler = ngx_http_test_reading;
    r->write_event_handler = ngx_http_cwmp_session_delay;

    wev->delayed = 1;
    ngx_add_timer(wev, NGX_HTTP_CWMP_WAIT_STEP);

    if (ngx_handle_read_event(r->connection->read, 0) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return NGX_AGAIN;
}


static void
ngx_http_cwmp_session_delay(ngx_http_request_t *r)
{
    ngx_event_t  *wev;

    wev = r->connection->write;

    if (wev->delayed) {

        if (ngx_handle_write_event(wev, 0) != NGX_OK) {
            ngx_http_finalize_request(r, NGX_HTTP_INTERNAL_SERVER_ERROR);
        }

        return;
    }

    r->read_event_handler = ngx_http_block_reading;
    r->write_event_handler = ngx_http_core_run_phases;

    ngx_http_core_run_phases(r);
}


ngx_http_cwmp_session_t *
ngx_http_cwmp_session_get(ngx_http_request_t *r, ngx_uint_t create)
{
    ngx_http_cwmp_client_t     *client;
    ngx_http_cwmp_session_t    *s;
    ngx_http_cwmp_main_conf_t  *cmcf;

    client = ngx_http_cwmp_client_get(r, create);

    if (client == NULL || client->session || !create) {
        return client ? client->session : NULL;
    }

    s = ngx_pcalloc(client->connection->pool, sizeof(ngx_http_cwmp_session_t));
    if (s == NULL) {
        return NULL;
    }

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_cwmp_module);

    s->client = client;
    s->zone = cmcf->shared;
    s->expired = ngx_http_cwmp_session_expired;

    client->session = s;

    return s;
}


ngx_http_cwmp_claim_t *
ngx_http_cwmp_session_claim(ngx_http_request_t *r, ngx_http_cwmp_session_t *s,
    ngx_uint_t final)
{
    ngx_uint_t                  asked;
    cwmp_session_t             *state;
    ngx_http_cwmp_ctx_t        *ctx;
    ngx_http_cwmp_claim_t      *claim;
    ngx_http_cwmp_main_conf_t  *cmcf;

    ctx = ngx_http_cwmp_get_ctx(r->main);
    if (ctx == NULL) {
        return NULL;
    }

    if (ctx->claim) {
        return ctx->claim;
    }

    claim = ngx_pcalloc(r->main->pool, sizeof(ngx_http_cwmp_claim_t));
    if (claim == NULL) {
        return NULL;
    }

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_cwmp_module);

    claim->claim.post = (r->main->method == NGX_HTTP_POST);

    ngx_http_cwmp_session_address(r->main, cmcf, claim->claim.address);

    ngx_http_cwmp_session_cookies(r->main, cmcf, &claim->claim);

    if (ctx->inform && ctx->device_id.len) {
        ngx_http_cwmp_session_device(r->main, cmcf, &claim->claim);
    }

    asked = s && ngx_http_cwmp_pin_next(s->client, NULL) != NULL;

    state = s ? &s->state : NULL;

    if (cwmp_session_recognise(state, &claim->claim, asked) == NGX_AGAIN) {
        ngx_http_cwmp_rows_look(cmcf->shared, state, &claim->claim);
        (void) cwmp_session_recognise(state, &claim->claim, asked);
    }

    if (final) {
        if (claim->claim.inform
            && claim->claim.verdict != CWMP_CLAIM_SAME)
        {
            ngx_http_cwmp_rows_claim(cmcf, &claim->claim);
        }

        ctx->claim = claim;
    }

    return claim;
}


/* an Inform names the device */

static void
ngx_http_cwmp_session_device(ngx_http_request_t *r,
    ngx_http_cwmp_main_conf_t *cmcf, cwmp_claim_t *claim)
{
    cwmp_hash_t           hash;
    ngx_http_cwmp_ctx_t  *ctx;

    static u_char  zeros[CWMP_HASH_KEY_LEN];

    ctx = ngx_http_cwmp_find_ctx(r);

    ngx_http_cwmp_zone_key(cmcf->shared, claim->name.key,
                           NGX_HTTP_CWMP_KEY_DEVICE, &ctx->device_id, 1);

    /* the same in each worker, zone or not, and after a restart */

    cwmp_hash_init(&hash, zeros);
    cwmp_hash_update(&hash, ctx->device_id.data, ctx->device_id.len);
    cwmp_hash_final(&hash, claim->name.id);

    ngx_memcpy(claim->device, claim->name.key, CWMP_TABLE_KEY_LEN);

    claim->inform = 1;
    claim->named = 1;
}


/* after realip; that of a local socket is one of all */

static void
ngx_http_cwmp_session_address(ngx_http_request_t *r,
    ngx_http_cwmp_main_conf_t *cmcf, u_char *address)
{
    u_char                key[CWMP_TABLE_KEY_LEN];
    ngx_str_t             part;
    struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;
#endif

    switch (r->connection->sockaddr->sa_family) {

    case AF_INET:
        sin = (struct sockaddr_in *) r->connection->sockaddr;
        part.data = (u_char *) &sin->sin_addr;
        part.len = sizeof(struct in_addr);
        break;

#if (NGX_HAVE_INET6)
    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) r->connection->sockaddr;
        part.data = sin6->sin6_addr.s6_addr;
        part.len = sizeof(struct in6_addr);

        if (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr)) {
            part.data += 12;
            part.len = sizeof(struct in_addr);
        }

        break;
#endif

    default: /* AF_UNIX */
        ngx_str_null(&part);
    }

    ngx_http_cwmp_zone_key(cmcf->shared, key, NGX_HTTP_CWMP_KEY_ADDRESS,
                           &part, 1);

    ngx_memcpy(address, key, CWMP_ADDRESS_LEN);
}


static void
ngx_http_cwmp_session_cookies(ngx_http_request_t *r,
    ngx_http_cwmp_main_conf_t *cmcf, cwmp_claim_t *claim)
{
#if (nginx_version >= 1023000)

    ngx_table_elt_t  *h;

    for (h = r->headers_in.cookie; h; h = h->next) {
        ngx_http_cwmp_session_cookie_header(cmcf, claim, &h->value);
    }

#else

    ngx_uint_t         i;
    ngx_table_elt_t  **h;

    h = r->headers_in.cookies.elts;

    for (i = 0; i < r->headers_in.cookies.nelts; i++) {
        ngx_http_cwmp_session_cookie_header(cmcf, claim, &h[i]->value);
    }

#endif
}


static void
ngx_http_cwmp_session_cookie_header(ngx_http_cwmp_main_conf_t *cmcf,
    cwmp_claim_t *claim, ngx_str_t *header)
{
    ngx_str_t             rest, pair[2];
    cwmp_claim_cookie_t  *cookie;

    rest = *header;

    while (claim->ncookies < CWMP_CLAIM_COOKIES
           && cwmp_cookie_next(&rest, &pair[0], &pair[1]) == NGX_OK)
    {
        cookie = &claim->cookies[claim->ncookies];

        ngx_http_cwmp_zone_key(cmcf->shared, cookie->key,
                               NGX_HTTP_CWMP_KEY_COOKIE, pair, 2);

        cookie->name = ngx_crc32_short(pair[0].data, pair[0].len);
        claim->ncookies++;
    }
}


ngx_int_t
ngx_http_cwmp_session_id(ngx_http_request_t *r, ngx_str_t *id)
{
    u_char                     *p;
    ngx_http_cwmp_claim_t      *claim;
    ngx_http_cwmp_session_t    *s;
    ngx_http_cwmp_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_cwmp_module);

    if (cmcf->shared == NULL) {
        return NGX_DECLINED;
    }

    claim = ngx_http_cwmp_session_claim(r, ngx_http_cwmp_session_get(r, 0), 0);
    if (claim == NULL) {
        return NGX_ERROR;
    }

    if (!claim->claim.named) {
        return NGX_DECLINED;
    }

    if (ngx_http_cwmp_session_alone(r)) {
        s = ngx_http_cwmp_session_get(r, 1);
        if (s == NULL) {
            return NGX_ERROR;
        }

        if (ngx_http_cwmp_pin_next(s->client, NULL) == NULL) {
            cwmp_session_adopt(&s->state, &claim->claim);
        }
    }

    p = ngx_pnalloc(r->pool, 2 * sizeof(claim->claim.name.id));
    if (p == NULL) {
        return NGX_ERROR;
    }

    id->len = ngx_hex_dump(p, claim->claim.name.id,
                           sizeof(claim->claim.name.id))
              - p;
    id->data = p;

    return NGX_OK;
}


/*
 * Whether the balancer of an upstream without "cwmp_affinity" asks.
 */

static ngx_uint_t
ngx_http_cwmp_session_alone(ngx_http_request_t *r)
{
    ngx_http_cwmp_ctx_t           *ctx;
    ngx_http_cwmp_srv_conf_t      *cscf;
    ngx_http_upstream_srv_conf_t  *uscf;

    ctx = ngx_http_cwmp_find_ctx(r);

    if (ctx == NULL || !ctx->done || r->upstream == NULL
        || r->method != NGX_HTTP_POST)
    {
        return 0;
    }

    uscf = r->upstream->upstream;

    if (uscf == NULL || uscf->srv_conf == NULL) {
        return 0;
    }

    cscf = ngx_http_conf_upstream_srv_conf(uscf, ngx_http_cwmp_module);

    return cscf->affinity.line == 0;
}


void
ngx_http_cwmp_session_join(ngx_http_request_t *r, ngx_http_cwmp_session_t *s,
    ngx_http_cwmp_claim_t *claim)
{
    ngx_uint_t          actions;
    cwmp_session_old_t  old;

    claim->joined = 1;

    if (cwmp_session_leave(&s->state, &claim->claim) & CWMP_SESSION_DROP) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "a message of another session on the CPE's connection, "
                      "its upstream connection is closed");

        ngx_http_cwmp_session_over(s, CWMP_SESSION_DROP, NULL);

        if (!claim->claim.inform) {
            ngx_memzero(&s->facts, sizeof(cwmp_facts_t));
        }
    }

    actions = cwmp_session_join(&s->state, &claim->claim, &old);

    ngx_http_cwmp_rows_old(s, &old);

    if (s->state.state != CWMP_SESSION_NONE && !s->needs) {
        s->needs = 1;
        ngx_http_cwmp_client_need(s->client);
    }

    if (!(actions & CWMP_SESSION_BEGIN)) {
        return;
    }

    ngx_log_debug2(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                   "cwmp session begins, state:%d cookies:%ui",
                   s->state.state, s->state.ncookies);

    s->carried = 1;
}


ngx_uint_t
ngx_http_cwmp_session_answer(ngx_http_cwmp_session_t *s,
    ngx_http_cwmp_pin_t *pin, ngx_uint_t status, cwmp_answer_to_e to)
{
    ngx_uint_t  actions;

    actions = cwmp_session_event(&s->state,
                                 cwmp_session_answered(status, to));

    if (actions & CWMP_SESSION_END) {
        ngx_http_cwmp_session_over(s, actions, pin);
    }

    if (actions & CWMP_SESSION_ADMIT) {
        ngx_http_cwmp_session_admitted(s, pin);
    }

    return s->state.state != CWMP_SESSION_NONE;
}


/*
 * The ACS has let the session in, which is the device's from now on: whoever
 * else has one of that name loses it.
 */

static void
ngx_http_cwmp_session_admitted(ngx_http_cwmp_session_t *s,
    ngx_http_cwmp_pin_t *pin)
{
    ngx_http_cwmp_pin_t       *p;
    ngx_http_cwmp_srv_conf_t  *cscf;

    if (ngx_memcmp(s->state.name.key, s->state.device, CWMP_TABLE_KEY_LEN)
        != 0)
    {
        ngx_http_cwmp_rows_leave(s, 1);

        for (p = ngx_http_cwmp_pin_next(s->client, NULL);
             p;
             p = ngx_http_cwmp_pin_next(s->client, p))
        {
            ngx_http_cwmp_rows_release(p, 1);
        }

        ngx_memcpy(s->state.name.key, s->state.device, CWMP_TABLE_KEY_LEN);
    }

    cscf = ngx_http_conf_upstream_srv_conf(pin->upstream,
                                           ngx_http_cwmp_module);

    s->carried = 1;

    ngx_http_cwmp_rows_hold(pin, cscf);
}


void
ngx_http_cwmp_session_carry(ngx_http_cwmp_session_t *s,
    ngx_http_cwmp_srv_conf_t *cscf)
{
    ngx_uint_t  i;

    if (!s->carried || !cwmp_session_firm(&s->state)) {
        return;
    }

    s->carried = 0;

    for (i = 0; i < s->state.ncookies; i++) {
        ngx_http_cwmp_rows_cookie(s, &s->state.cookies[i], cscf->timeout);
    }
}


/*
 * The session goes on elsewhere, with CWMP_SESSION_END nowhere.  Its upstream
 * connections are closed, those with a request under way when that is done;
 * with CWMP_SESSION_SPARE that of the pin stays.
 */

static void
ngx_http_cwmp_session_over(ngx_http_cwmp_session_t *s, ngx_uint_t actions,
    ngx_http_cwmp_pin_t *spare)
{
    ngx_http_cwmp_pin_t  *pin;

    if (actions & CWMP_SESSION_END) {
        ngx_http_cwmp_rows_leave(s, 1);
        ngx_memzero(&s->facts, sizeof(cwmp_facts_t));
        ngx_http_cwmp_count(s->zone, SESSIONS_ENDED);
    }

    for (pin = ngx_http_cwmp_pin_next(s->client, NULL);
         pin;
         pin = ngx_http_cwmp_pin_next(s->client, pin))
    {
        pin->server.len = 0;
        pin->ticket = 0;

        if (actions & CWMP_SESSION_END) {
            ngx_http_cwmp_admission_leave(pin);
            ngx_http_cwmp_rows_release(pin, 1);
        }

        if (pin == spare && (actions & CWMP_SESSION_SPARE)) {
            pin->spare = 1;
            ngx_memcpy(pin->last, s->state.name.key, CWMP_TABLE_KEY_LEN);
            continue;
        }

        ngx_http_cwmp_attach_drop(&pin->attach);
    }

    if (s->needs && s->state.state == CWMP_SESSION_NONE) {
        s->needs = 0;
        ngx_http_cwmp_client_let_go(s->client);
    }
}


static void
ngx_http_cwmp_session_expired(ngx_http_cwmp_session_t *s)
{
    ngx_uint_t  actions;

    actions = cwmp_session_event(&s->state, CWMP_SESSION_EV_SILENCE);

    if (actions & CWMP_SESSION_END) {
        ngx_http_cwmp_session_over(s, actions, NULL);
    }
}


void
ngx_http_cwmp_session_learn(ngx_http_cwmp_session_t *s,
    ngx_http_cwmp_pin_t *pin, ngx_http_cwmp_srv_conf_t *cscf, ngx_str_t *name,
    ngx_str_t *value)
{
    u_char                 *k, key[CWMP_TABLE_KEY_LEN];
    ngx_str_t               pair[2];
    cwmp_lead_e             lead;
    cwmp_session_lesson_t   lesson;

    k = NULL;

    if (value->len) {
        pair[0] = *name;
        pair[1] = *value;

        ngx_http_cwmp_zone_key(s->zone, key, NGX_HTTP_CWMP_KEY_COOKIE, pair,
                               2);
        k = key;
    }

    lead = CWMP_LEAD_NOWHERE;

    if (k && !cwmp_session_named(&s->state)) {
        lead = ngx_http_cwmp_rows_lead(s->zone, key);
    }

    cwmp_session_learn(&s->state, ngx_crc32_short(name->data, name->len), k,
                       lead, &lesson);

    ngx_http_cwmp_rows_old(s, &lesson.old);

    if (lesson.cookie) {
        ngx_http_cwmp_rows_cookie(s, lesson.cookie, cscf->timeout);
    }

    if (lesson.actions & CWMP_SESSION_NAME) {
        ngx_http_cwmp_rows_hold(pin, cscf);
    }
}
