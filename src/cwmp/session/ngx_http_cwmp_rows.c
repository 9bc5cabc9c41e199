
/*
 * Fieldgate: a session's rows in the zone, and which of this worker's pins hold
 * them.
 */


#include "ngx_http_cwmp_pin.h"


/* a power of two */
#define NGX_HTTP_CWMP_HELD  1024

#define ngx_http_cwmp_held_list(key)                                          \
    &ngx_http_cwmp_held[((key)[0] | (key)[1] << 8) & (NGX_HTTP_CWMP_HELD - 1)]


typedef char  ngx_http_cwmp_session_row_fits
    [sizeof(cwmp_session_row_t) <= NGX_HTTP_CWMP_SESSION_SIZE ? 1 : -1];
typedef char  ngx_http_cwmp_cookie_row_fits
    [sizeof(cwmp_cookie_row_t) <= NGX_HTTP_CWMP_COOKIE_SIZE ? 1 : -1];
typedef char  ngx_http_cwmp_facts_row_fits
    [sizeof(cwmp_facts_row_t) <= NGX_HTTP_CWMP_FACT_SIZE ? 1 : -1];


static void ngx_http_cwmp_rows_me(cwmp_holder_t *me,
    ngx_http_cwmp_client_t *client);
static void ngx_http_cwmp_rows_hold_init(cwmp_hold_t *h,
    ngx_http_cwmp_session_t *s, ngx_msec_t timeout);
static void ngx_http_cwmp_rows_touch(ngx_http_cwmp_session_t *s,
    cwmp_hold_t *h);
static ngx_uint_t ngx_http_cwmp_rows_has(ngx_http_cwmp_client_t *client,
    u_char *key);
static ngx_uint_t ngx_http_cwmp_rows_drop(uint64_t client, u_char *key);
static void ngx_http_cwmp_rows_want(ngx_http_cwmp_zone_t *zone,
    cwmp_holder_t *holder, u_char *key);
static void ngx_http_cwmp_rows_wanted(ngx_event_t *ev);
static void ngx_http_cwmp_rows_pin(ngx_http_cwmp_pin_t *pin, u_char *key);
static void ngx_http_cwmp_rows_unpin(ngx_http_cwmp_pin_t *pin);


/* pins of this worker that hold a row, by its key; lists are made when used */

static ngx_queue_t            ngx_http_cwmp_held[NGX_HTTP_CWMP_HELD];
static ngx_uint_t             ngx_http_cwmp_nheld;

/* looks every NGX_HTTP_CWMP_WANTED_STEP while there are any */

static ngx_event_t            ngx_http_cwmp_wanted_event;
static ngx_connection_t       ngx_http_cwmp_wanted_dummy;
static ngx_http_cwmp_zone_t  *ngx_http_cwmp_wanted_zone;
static ngx_atomic_uint_t      ngx_http_cwmp_wanted_seen;


static void
ngx_http_cwmp_rows_me(cwmp_holder_t *me, ngx_http_cwmp_client_t *client)
{
    me->process = (uint32_t) ngx_pid;
    me->client = client ? client->connection->number : 0;
}


ngx_uint_t
ngx_http_cwmp_rows_elsewhere(ngx_http_cwmp_main_conf_t *cmcf,
    ngx_http_cwmp_client_t *client, ngx_http_cwmp_claim_t *claim)
{
    u_char                      key[CWMP_TABLE_KEY_LEN];
    ngx_uint_t                  i, elsewhere;
    cwmp_table_t               *t;
    cwmp_holder_t               me, holder;
    ngx_http_cwmp_srv_conf_t  **cscf;

    elsewhere = 0;
    claim->fresh = 1;
    cscf = cmcf->upstreams.elts;

    ngx_http_cwmp_rows_me(&me, client);

    for (i = 0; i < cmcf->upstreams.nelts; i++) {

        cwmp_session_row_key(key, claim->claim.name.key, cscf[i]->tag);

        /* whoever wants it asks, see ngx_http_cwmp_rows_wanted() */

        if (client && ngx_http_cwmp_rows_has(client, key)) {
            claim->fresh = 0;
            continue;
        }

        t = ngx_http_cwmp_zone_lock(cmcf->shared, NGX_HTTP_CWMP_SESSIONS);

        if (cwmp_session_row_find(t, key, &me, ngx_current_msec,
                                  ngx_http_cwmp_zone_alive, &holder))
        {
            claim->fresh = 0;
        }

        if (holder.process && holder.process != me.process) {
            ngx_http_cwmp_rows_want(cmcf->shared, &holder, key);
            elsewhere = 1;
        }

        ngx_http_cwmp_zone_unlock(cmcf->shared, NGX_HTTP_CWMP_SESSIONS);

        if (holder.process == me.process
            && ngx_http_cwmp_rows_drop(holder.client, key))
        {
            elsewhere = 1;
        }
    }

    return elsewhere;
}


ngx_int_t
ngx_http_cwmp_rows_server(ngx_http_cwmp_session_t *s,
    ngx_http_cwmp_pin_t *pin, ngx_http_cwmp_srv_conf_t *cscf,
    cwmp_server_t *server)
{
    u_char         key[CWMP_TABLE_KEY_LEN];
    ngx_int_t      rc;
    cwmp_table_t  *t;

    if (s->state.state == CWMP_SESSION_NONE) {
        return NGX_DECLINED;
    }

    rc = NGX_DECLINED;

    if (cwmp_session_named(&s->state)) {

        cwmp_session_row_key(key, s->state.name.key, cscf->tag);

        t = ngx_http_cwmp_zone_lock(s->zone, NGX_HTTP_CWMP_SESSIONS);

        rc = cwmp_session_row_server(t, key, ngx_current_msec, server);

        ngx_http_cwmp_zone_unlock(s->zone, NGX_HTTP_CWMP_SESSIONS);
    }

    if (rc != NGX_OK && pin && pin->server.len) {
        *server = pin->server;
        rc = NGX_OK;
    }

    return rc;
}


void
ngx_http_cwmp_rows_hold(ngx_http_cwmp_pin_t *pin,
    ngx_http_cwmp_srv_conf_t *cscf)
{
    u_char                    key[CWMP_TABLE_KEY_LEN];
    ngx_int_t                 rc;
    cwmp_hold_t               h;
    cwmp_table_t             *t;
    cwmp_holder_t             before;
    ngx_http_cwmp_session_t  *s;

    s = pin->session;

    if (!cwmp_session_named(&s->state)) {
        return;
    }

    ngx_http_cwmp_rows_hold_init(&h, s, cscf->timeout);

    cwmp_session_row_key(key, s->state.name.key, cscf->tag);

    if (pin->held
        && pin->firm == h.firm
        && ngx_memcmp(pin->key, key, CWMP_TABLE_KEY_LEN) == 0
        && ngx_current_msec - pin->touched
           < ngx_min(cscf->timeout / 8, NGX_HTTP_CWMP_TOUCH))
    {
        return;
    }

    pin->touched = ngx_current_msec;

    t = ngx_http_cwmp_zone_lock(s->zone, NGX_HTTP_CWMP_SESSIONS);

    rc = cwmp_session_row_hold(t, key, &h, &pin->server, &before);

    if (before.process && before.process != h.me.process) {
        ngx_http_cwmp_rows_want(s->zone, &before, key);
    }

    if (rc == NGX_ERROR) {
        ngx_http_cwmp_zone_unlock(s->zone, NGX_HTTP_CWMP_SESSIONS);
        ngx_http_cwmp_count(s->zone, SESSIONS_FORGOTTEN);
        return;
    }

    ngx_http_cwmp_rows_touch(s, &h);

    if (before.process == h.me.process) {
        (void) ngx_http_cwmp_rows_drop(before.client, key);
    }

    if (rc == NGX_DONE) {
        ngx_http_cwmp_count(s->zone, SESSIONS_BEGUN);
    }

    ngx_http_cwmp_rows_pin(pin, key);
    pin->firm = h.firm;
}


static void
ngx_http_cwmp_rows_hold_init(cwmp_hold_t *h, ngx_http_cwmp_session_t *s,
    ngx_msec_t timeout)
{
    ngx_http_cwmp_rows_me(&h->me, s->client);
    ngx_memcpy(h->address, s->state.address, CWMP_ADDRESS_LEN);

    h->firm = cwmp_session_firm(&s->state);
    h->now = ngx_current_msec;
    h->expires = ngx_current_msec + timeout;
    h->alive = ngx_http_cwmp_zone_alive;
}


/*
 * With the lock that the table of sessions was locked with: cookies and facts
 * live as long as the session's row.  Unlocks it.
 */

static void
ngx_http_cwmp_rows_touch(ngx_http_cwmp_session_t *s, cwmp_hold_t *h)
{
    ngx_uint_t              i;
    cwmp_table_t           *t;
    cwmp_session_cookie_t  *cookie;

    t = ngx_http_cwmp_zone_switch(s->zone, NGX_HTTP_CWMP_SESSIONS,
                                  NGX_HTTP_CWMP_COOKIES);

    for (i = 0; i < s->state.ncookies; i++) {
        cookie = &s->state.cookies[i];

        cwmp_cookie_row_touch(t, cookie->key, &s->state.name, h);
        cwmp_cookie_row_touch(t, cookie->kept, &s->state.name, h);
    }

    t = ngx_http_cwmp_zone_switch(s->zone, NGX_HTTP_CWMP_COOKIES,
                                  NGX_HTTP_CWMP_FACTS);

    if (cwmp_facts_known(&s->facts)) {
        cwmp_facts_row_set(t, s->state.name.key, &s->facts, h);
    }

    ngx_http_cwmp_zone_unlock(s->zone, NGX_HTTP_CWMP_FACTS);
}


void
ngx_http_cwmp_rows_release(ngx_http_cwmp_pin_t *pin, ngx_uint_t delete)
{
    cwmp_table_t             *t;
    cwmp_holder_t             me;
    ngx_http_cwmp_pin_t      *other;
    ngx_http_cwmp_session_t  *s;

    if (!pin->held) {
        return;
    }

    s = pin->session;

    ngx_http_cwmp_rows_me(&me, s->client);

    t = ngx_http_cwmp_zone_lock(s->zone, NGX_HTTP_CWMP_SESSIONS);

    cwmp_row_release(t, pin->key, &me, ngx_current_msec, delete);

    ngx_http_cwmp_zone_unlock(s->zone, NGX_HTTP_CWMP_SESSIONS);

    ngx_http_cwmp_rows_unpin(pin);

    for (other = ngx_http_cwmp_pin_next(s->client, NULL);
         other && !other->held;
         other = ngx_http_cwmp_pin_next(s->client, other))
    {
        /* void */
    }

    if (other == NULL && !delete) {
        ngx_http_cwmp_rows_leave(s, 0);
    }
}


void
ngx_http_cwmp_rows_leave(ngx_http_cwmp_session_t *s, ngx_uint_t delete)
{
    u_char         *keys[2];
    ngx_uint_t      i;
    cwmp_table_t   *t;
    cwmp_holder_t   me;

    ngx_http_cwmp_rows_me(&me, s->client);

    t = ngx_http_cwmp_zone_lock(s->zone, NGX_HTTP_CWMP_COOKIES);

    for (i = 0; i < 2 * s->state.ncookies; i++) {
        keys[0] = s->state.cookies[i / 2].key;
        keys[1] = s->state.cookies[i / 2].kept;

        if (delete) {
            cwmp_cookie_row_delete(t, keys[i % 2], &s->state.name,
                                   ngx_current_msec);

        } else {
            cwmp_row_release(t, keys[i % 2], &me, ngx_current_msec, 0);
        }
    }

    t = ngx_http_cwmp_zone_switch(s->zone, NGX_HTTP_CWMP_COOKIES,
                                  NGX_HTTP_CWMP_FACTS);

    cwmp_row_release(t, s->state.name.key, &me, ngx_current_msec, delete);

    ngx_http_cwmp_zone_unlock(s->zone, NGX_HTTP_CWMP_FACTS);
}


void
ngx_http_cwmp_rows_look(ngx_http_cwmp_zone_t *zone, cwmp_session_t *s,
    cwmp_claim_t *claim)
{
    ngx_uint_t            i;
    cwmp_table_t         *t;
    cwmp_claim_cookie_t  *claimed;
    cwmp_session_name_t   name;

    t = ngx_http_cwmp_zone_lock(zone, NGX_HTTP_CWMP_COOKIES);

    for (i = 0; i < claim->ncookies; i++) {
        claimed = &claim->cookies[i];

        claimed->lead = cwmp_cookie_row_get(t, claimed->key, ngx_current_msec,
                                            &claimed->session);
    }

    for (i = 0; s && i < s->ncookies; i++) {
        s->cookies[i].shared = (cwmp_cookie_row_get(t, s->cookies[i].key,
                                                    ngx_current_msec, &name)
                                == CWMP_LEAD_SHARED);
    }

    ngx_http_cwmp_zone_unlock(zone, NGX_HTTP_CWMP_COOKIES);

    claim->looked = 1;
}


cwmp_lead_e
ngx_http_cwmp_rows_lead(ngx_http_cwmp_zone_t *zone, u_char *key)
{
    cwmp_lead_e    lead;
    cwmp_table_t  *t;

    t = ngx_http_cwmp_zone_lock(zone, NGX_HTTP_CWMP_COOKIES);

    lead = cwmp_cookie_row_held(t, key, ngx_current_msec,
                                ngx_http_cwmp_zone_alive);

    ngx_http_cwmp_zone_unlock(zone, NGX_HTTP_CWMP_COOKIES);

    return lead;
}


ngx_uint_t
ngx_http_cwmp_rows_pending(ngx_http_cwmp_zone_t *zone,
    cwmp_session_name_t *name, ngx_http_cwmp_srv_conf_t *cscf)
{
    u_char         key[CWMP_TABLE_KEY_LEN];
    ngx_uint_t     pending;
    cwmp_table_t  *t;

    cwmp_session_row_key(key, name->key, cscf->tag);

    t = ngx_http_cwmp_zone_lock(zone, NGX_HTTP_CWMP_SESSIONS);

    pending = cwmp_session_row_pending(t, key, ngx_current_msec,
                                       cscf->timeout);

    ngx_http_cwmp_zone_unlock(zone, NGX_HTTP_CWMP_SESSIONS);

    return pending;
}


void
ngx_http_cwmp_rows_claim(ngx_http_cwmp_main_conf_t *cmcf,
    cwmp_claim_t *claim)
{
    u_char                      key[CWMP_TABLE_KEY_LEN];
    ngx_str_t                   parts[2];
    ngx_uint_t                  i, foreign;
    cwmp_table_t               *t;
    ngx_http_cwmp_srv_conf_t  **cscf;

    foreign = 0;
    cscf = cmcf->upstreams.elts;

    t = ngx_http_cwmp_zone_lock(cmcf->shared, NGX_HTTP_CWMP_SESSIONS);

    for (i = 0; i < cmcf->upstreams.nelts && !foreign; i++) {
        cwmp_session_row_key(key, claim->device, cscf[i]->tag);

        foreign = cwmp_session_row_foreign(t, key, claim->address,
                                           ngx_current_msec);
    }

    ngx_http_cwmp_zone_unlock(cmcf->shared, NGX_HTTP_CWMP_SESSIONS);

    if (!foreign) {
        return;
    }

    parts[0].data = claim->device;
    parts[0].len = CWMP_TABLE_KEY_LEN;
    parts[1].data = claim->address;
    parts[1].len = CWMP_ADDRESS_LEN;

    ngx_http_cwmp_zone_key(cmcf->shared, key, NGX_HTTP_CWMP_KEY_ALIAS, parts,
                           2);

    (void) cwmp_claim_alias(claim, key);
}


void
ngx_http_cwmp_rows_cookie(ngx_http_cwmp_session_t *s,
    cwmp_session_cookie_t *cookie, ngx_msec_t timeout)
{
    cwmp_hold_t    h;
    cwmp_table_t  *t;

    ngx_http_cwmp_rows_hold_init(&h, s, timeout);

    t = ngx_http_cwmp_zone_lock(s->zone, NGX_HTTP_CWMP_COOKIES);

    cookie->shared = (cwmp_cookie_row_set(t, cookie->key, &s->state.name, &h)
                      == NGX_DECLINED);

    if (ngx_memcmp(cookie->kept, cookie->key, CWMP_TABLE_KEY_LEN) != 0) {
        (void) cwmp_cookie_row_set(t, cookie->kept, &s->state.name, &h);
    }

    ngx_http_cwmp_zone_unlock(s->zone, NGX_HTTP_CWMP_COOKIES);
}


void
ngx_http_cwmp_rows_old(ngx_http_cwmp_session_t *s, cwmp_session_old_t *old)
{
    ngx_uint_t     i;
    cwmp_table_t  *t;

    if (old->n == 0) {
        return;
    }

    t = ngx_http_cwmp_zone_lock(s->zone, NGX_HTTP_CWMP_COOKIES);

    for (i = 0; i < old->n; i++) {
        cwmp_cookie_row_delete(t, old->keys[i], &s->state.name,
                               ngx_current_msec);
    }

    ngx_http_cwmp_zone_unlock(s->zone, NGX_HTTP_CWMP_COOKIES);
}


ngx_int_t
ngx_http_cwmp_rows_facts(ngx_http_cwmp_zone_t *zone, cwmp_session_name_t *name,
    cwmp_facts_t *facts)
{
    ngx_int_t      rc;
    cwmp_table_t  *t;

    t = ngx_http_cwmp_zone_lock(zone, NGX_HTTP_CWMP_FACTS);

    rc = cwmp_facts_row_get(t, name->key, ngx_current_msec, facts);

    ngx_http_cwmp_zone_unlock(zone, NGX_HTTP_CWMP_FACTS);

    return rc;
}


/* whether a pin of the client, that goes on, holds the row of that key */

static ngx_uint_t
ngx_http_cwmp_rows_has(ngx_http_cwmp_client_t *client, u_char *key)
{
    ngx_queue_t          *q, *list;
    ngx_http_cwmp_pin_t  *pin;

    list = ngx_http_cwmp_held_list(key);

    if (list->next == NULL) {
        return 0;
    }

    for (q = ngx_queue_head(list);
         q != ngx_queue_sentinel(list);
         q = ngx_queue_next(q))
    {
        pin = ngx_queue_data(q, ngx_http_cwmp_pin_t, queue);

        if (pin->attach.client == client
            && pin->attach.state != NGX_HTTP_CWMP_ATTACH_LEAVING
            && ngx_memcmp(pin->key, key, CWMP_TABLE_KEY_LEN) == 0)
        {
            return 1;
        }
    }

    return 0;
}


/*
 * Closes the upstream connections of the client of that number, which is this
 * worker's, that hold the row of that key.  Returns 1 if a request still uses
 * one.
 */

static ngx_uint_t
ngx_http_cwmp_rows_drop(uint64_t client, u_char *key)
{
    ngx_uint_t            busy;
    ngx_queue_t          *q, *list, *next;
    ngx_http_cwmp_pin_t  *pin;

    busy = 0;
    list = ngx_http_cwmp_held_list(key);

    if (list->next == NULL) {
        return 0;
    }

    for (q = ngx_queue_head(list); q != ngx_queue_sentinel(list); q = next) {

        next = ngx_queue_next(q);
        pin = ngx_queue_data(q, ngx_http_cwmp_pin_t, queue);

        if (pin->attach.client->connection->number != client
            || ngx_memcmp(pin->key, key, CWMP_TABLE_KEY_LEN) != 0)
        {
            continue;
        }

        ngx_http_cwmp_attach_drop(&pin->attach);

        if (pin->attach.state == NGX_HTTP_CWMP_ATTACH_LEAVING) {
            busy = 1;
        }
    }

    return busy;
}


/* the lock is held */

static void
ngx_http_cwmp_rows_want(ngx_http_cwmp_zone_t *zone, cwmp_holder_t *holder,
    u_char *key)
{
    if (cwmp_want(zone->sh->list, holder, key, ngx_current_msec) == NGX_OK) {
        (void) ngx_atomic_fetch_add(&zone->sh->wanted, 1);
    }
}


/*
 * A session of ours came back in another worker, which waits until we have
 * closed its upstream connection.
 */

static void
ngx_http_cwmp_rows_wanted(ngx_event_t *ev)
{
    ngx_uint_t             i, n, from;
    cwmp_wanted_t          list[CWMP_WANTED_MAX];
    ngx_atomic_uint_t      wanted;
    ngx_http_cwmp_zone_t  *zone;

    zone = ngx_http_cwmp_wanted_zone;
    wanted = zone->sh->wanted;

    if (wanted != ngx_http_cwmp_wanted_seen) {
        ngx_http_cwmp_wanted_seen = wanted;

        n = 0;
        from = 0;

        ngx_shmtx_lock(&zone->shpool->mutex);

        while (cwmp_wanted_take(zone->sh->list, (uint32_t) ngx_pid, &from,
                                &list[n])
               == NGX_OK)
        {
            n++;
        }

        ngx_shmtx_unlock(&zone->shpool->mutex);

        for (i = 0; i < n; i++) {
            (void) ngx_http_cwmp_rows_drop(list[i].holder.client, list[i].key);
        }
    }

    if (ngx_http_cwmp_nheld) {
        ngx_add_timer(ev, NGX_HTTP_CWMP_WANTED_STEP);
    }
}


static void
ngx_http_cwmp_rows_pin(ngx_http_cwmp_pin_t *pin, u_char *key)
{
    ngx_event_t  *ev;
    ngx_queue_t  *list;

    if (pin->held) {
        ngx_http_cwmp_rows_unpin(pin);
    }

    list = ngx_http_cwmp_held_list(key);

    if (list->next == NULL) {
        ngx_queue_init(list);
    }

    ngx_memcpy(pin->key, key, CWMP_TABLE_KEY_LEN);
    ngx_queue_insert_head(list, &pin->queue);

    pin->held = 1;
    ngx_http_cwmp_nheld++;

    ev = &ngx_http_cwmp_wanted_event;

    if (ev->timer_set || pin->session->zone->shpool == NULL) {
        return;
    }

    ngx_http_cwmp_wanted_dummy.fd = (ngx_socket_t) -1;
    ngx_http_cwmp_wanted_zone = pin->session->zone;
    ngx_http_cwmp_wanted_seen = 0;

    ev->handler = ngx_http_cwmp_rows_wanted;
    ev->data = &ngx_http_cwmp_wanted_dummy;
    ev->log = ngx_cycle->log;
    ev->cancelable = 1;

    ngx_add_timer(ev, NGX_HTTP_CWMP_WANTED_STEP);
}


static void
ngx_http_cwmp_rows_unpin(ngx_http_cwmp_pin_t *pin)
{
    ngx_queue_remove(&pin->queue);

    pin->held = 0;
    ngx_http_cwmp_nheld--;
}
