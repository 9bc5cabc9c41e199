
/*
 * Fieldgate: sessions of CPEs: which session a request belongs to, and what
 * the workers know of it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_md5.h>

#include "ngx_http_cwmp_session.h"
#include "cwmp_cookie.h"


/* a row of NGX_HTTP_CWMP_SESSIONS; HELD if the table names a holder */

typedef struct {
    uint64_t                owner;       /* number of the CPE's connection */
    uint32_t                wanted;      /* by another connection */
    ngx_http_cwmp_server_t  server;
} ngx_http_cwmp_session_row_t;


/* a row of NGX_HTTP_CWMP_COOKIES is a ngx_http_cwmp_id_t */

typedef char  ngx_http_cwmp_session_row_fits
    [sizeof(ngx_http_cwmp_session_row_t) <= NGX_HTTP_CWMP_SESSION_SIZE ? 1
                                                                       : -1];
typedef char  ngx_http_cwmp_cookie_row_fits
    [sizeof(ngx_http_cwmp_id_t) <= NGX_HTTP_CWMP_COOKIE_SIZE ? 1 : -1];


static void ngx_http_cwmp_session_identify(ngx_http_request_t *r,
    ngx_http_cwmp_main_conf_t *cmcf, ngx_http_cwmp_conn_t *conn,
    ngx_http_cwmp_session_t *s);
static void ngx_http_cwmp_session_cookies(ngx_http_request_t *r,
    ngx_http_cwmp_main_conf_t *cmcf, ngx_http_cwmp_session_t *s);
static void ngx_http_cwmp_session_cookie_header(
    ngx_http_cwmp_main_conf_t *cmcf, ngx_http_cwmp_session_t *s,
    ngx_str_t *header);
static ngx_uint_t ngx_http_cwmp_session_contradicts(
    ngx_http_cwmp_conn_t *conn, ngx_http_cwmp_session_t *s);
static ngx_int_t ngx_http_cwmp_session_by_cookie(
    ngx_http_cwmp_main_conf_t *cmcf, ngx_http_cwmp_cookie_t *cookie,
    ngx_http_cwmp_id_t *id);
static ngx_uint_t ngx_http_cwmp_session_elsewhere(
    ngx_http_cwmp_main_conf_t *cmcf, ngx_http_cwmp_conn_t *conn,
    ngx_http_cwmp_session_t *s);
static void ngx_http_cwmp_session_delay(ngx_http_request_t *r);
static void ngx_http_cwmp_session_alias(ngx_http_cwmp_conn_t *conn,
    ngx_http_cwmp_cookie_t *cookie, ngx_msec_t timeout, ngx_uint_t move);
static void ngx_http_cwmp_session_refresh(cwmp_table_t *t,
    ngx_http_cwmp_conn_t *conn, ngx_msec_t expires);
static ngx_http_cwmp_session_row_t *ngx_http_cwmp_session_row(
    cwmp_table_t *t, ngx_http_cwmp_pin_t *pin);
static void ngx_http_cwmp_session_row_key(u_char *key, u_char *session,
    ngx_http_cwmp_srv_conf_t *cscf);
static ngx_uint_t ngx_http_cwmp_session_same(u_char *a, u_char *b);


/*
 * PRECONTENT: the facts of the body are known, no upstream is chosen yet.
 */

ngx_int_t
ngx_http_cwmp_session_handler(ngx_http_request_t *r)
{
    ngx_event_t                *wev;
    ngx_http_cwmp_conn_t       *conn;
    ngx_http_cwmp_session_t    *s;
    ngx_http_cwmp_main_conf_t  *cmcf;

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_cwmp_module);

    if (cmcf->affinity.line == 0) {
        return NGX_DECLINED;
    }

    conn = ngx_http_cwmp_conn_get(r, 0);

    s = ngx_http_cwmp_session_get(r, conn, 1);
    if (s == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    if (!s->known || !ngx_http_cwmp_session_elsewhere(cmcf, conn, s)) {
        return NGX_DECLINED;
    }

    if (!s->waiting) {
        s->waiting = 1;
        s->deadline = ngx_current_msec + NGX_HTTP_CWMP_WAIT;
        ngx_http_cwmp_count(cmcf->shared, SESSIONS_WAITED);
    }

    if ((ngx_msec_int_t) (s->deadline - ngx_current_msec) <= 0) {
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
ngx_http_cwmp_session_get(ngx_http_request_t *r, ngx_http_cwmp_conn_t *conn,
    ngx_uint_t final)
{
    ngx_http_cwmp_ctx_t        *ctx;
    ngx_http_cwmp_session_t    *s;
    ngx_http_cwmp_main_conf_t  *cmcf;

    ctx = ngx_http_cwmp_get_ctx(r->main);
    if (ctx == NULL) {
        return NULL;
    }

    if (ctx->session) {
        return ctx->session;
    }

    s = ngx_pcalloc(r->main->pool, sizeof(ngx_http_cwmp_session_t));
    if (s == NULL) {
        return NULL;
    }

    cmcf = ngx_http_get_module_main_conf(r, ngx_http_cwmp_module);

    ngx_http_cwmp_session_cookies(r->main, cmcf, s);
    ngx_http_cwmp_session_identify(r->main, cmcf, conn, s);

    if (final) {
        ctx->session = s;
    }

    return s;
}


/*
 * By the DeviceId of an Inform, else by the connection, else by a cookie that
 * the ACS has set.
 */

static void
ngx_http_cwmp_session_identify(ngx_http_request_t *r,
    ngx_http_cwmp_main_conf_t *cmcf, ngx_http_cwmp_conn_t *conn,
    ngx_http_cwmp_session_t *s)
{
    ngx_md5_t             md5;
    ngx_uint_t            i;
    ngx_http_cwmp_ctx_t  *ctx;

    ctx = ngx_http_cwmp_find_ctx(r);

    if (ctx && ctx->inform && ctx->device_id.len) {

        s->inform = 1;

        ngx_http_cwmp_zone_key(cmcf->shared, s->id.key,
                               NGX_HTTP_CWMP_KEY_DEVICE, &ctx->device_id, 1);

        /* the same in each worker, zone or not, and after a restart */

        ngx_md5_init(&md5);
        ngx_md5_update(&md5, ctx->device_id.data, ctx->device_id.len);
        ngx_md5_final(s->id.id, &md5);

        s->known = 1;

        if (conn && conn->open) {
            s->other = !conn->challenged
                       || !conn->known
                       || !ngx_http_cwmp_session_same(conn->id.key, s->id.key)
                       || ngx_http_cwmp_session_contradicts(conn, s);
        }

        return;
    }

    if (conn && conn->open) {

        if (!ngx_http_cwmp_session_contradicts(conn, s)) {
            s->id = conn->id;
            s->known = conn->known;
            return;
        }

        s->other = 1;
    }

    for (i = 0; i < s->ncookies; i++) {

        if (ngx_http_cwmp_session_by_cookie(cmcf, &s->cookies[i], &s->id)
            == NGX_OK)
        {
            s->known = 1;
            return;
        }
    }
}


static void
ngx_http_cwmp_session_cookies(ngx_http_request_t *r,
    ngx_http_cwmp_main_conf_t *cmcf, ngx_http_cwmp_session_t *s)
{
#if (nginx_version >= 1023000)

    ngx_table_elt_t  *h;

    for (h = r->headers_in.cookie; h; h = h->next) {
        ngx_http_cwmp_session_cookie_header(cmcf, s, &h->value);
    }

#else

    ngx_uint_t         i;
    ngx_table_elt_t  **h;

    h = r->headers_in.cookies.elts;

    for (i = 0; i < r->headers_in.cookies.nelts; i++) {
        ngx_http_cwmp_session_cookie_header(cmcf, s, &h[i]->value);
    }

#endif
}


static void
ngx_http_cwmp_session_cookie_header(ngx_http_cwmp_main_conf_t *cmcf,
    ngx_http_cwmp_session_t *s, ngx_str_t *header)
{
    ngx_str_t                rest, pair[2];
    ngx_http_cwmp_cookie_t  *cookie;

    rest = *header;

    while (s->ncookies < NGX_HTTP_CWMP_REQUEST_COOKIES
           && cwmp_cookie_next(&rest, &pair[0], &pair[1]) == NGX_OK)
    {
        cookie = &s->cookies[s->ncookies];

        ngx_http_cwmp_zone_key(cmcf->shared, cookie->key,
                               NGX_HTTP_CWMP_KEY_COOKIE, pair, 2);

        cookie->name = ngx_crc32_short(pair[0].data, pair[0].len);
        s->ncookies++;
    }
}


/*
 * Whether the request's cookies say that it is not of the session that goes on
 * on its connection.
 */

static ngx_uint_t
ngx_http_cwmp_session_contradicts(ngx_http_cwmp_conn_t *conn,
    ngx_http_cwmp_session_t *s)
{
    ngx_uint_t  i, j, found;

    found = 0;

    if (conn->ncookies == 0 && s->ncookies) {

        /*
         * Nobody has set one, so it is from another session; without a pin
         * nobody has looked.
         */

        return !ngx_queue_empty(&conn->pins);
    }

    for (i = 0; i < conn->ncookies; i++) {
        for (j = 0; j < s->ncookies; j++) {

            if (s->cookies[j].name != conn->cookies[i].name) {
                continue;
            }

            if (!ngx_http_cwmp_session_same(s->cookies[j].key,
                                            conn->cookies[i].key))
            {
                return 1;
            }

            found = 1;
        }
    }

    return conn->returned && conn->ncookies && !found;
}


static ngx_int_t
ngx_http_cwmp_session_by_cookie(ngx_http_cwmp_main_conf_t *cmcf,
    ngx_http_cwmp_cookie_t *cookie, ngx_http_cwmp_id_t *id)
{
    cwmp_table_t        *t;
    ngx_http_cwmp_id_t  *row;

    t = ngx_http_cwmp_zone_lock(cmcf->shared, NGX_HTTP_CWMP_COOKIES);

    row = cwmp_table_get(t, cookie->key, ngx_current_msec);
    if (row) {
        *id = *row;
    }

    ngx_http_cwmp_zone_unlock(cmcf->shared, NGX_HTTP_CWMP_COOKIES);

    return row ? NGX_OK : NGX_DECLINED;
}


/*
 * Whether an upstream connection of the session is open, but not on this
 * connection of the CPE.  Closes it if it can, else asks for it.
 */

static ngx_uint_t
ngx_http_cwmp_session_elsewhere(ngx_http_cwmp_main_conf_t *cmcf,
    ngx_http_cwmp_conn_t *conn, ngx_http_cwmp_session_t *s)
{
    u_char                        key[CWMP_TABLE_KEY_LEN];
    uint32_t                      holder;
    ngx_uint_t                    i, elsewhere;
    cwmp_table_t                 *t;
    ngx_atomic_uint_t             owner;
    ngx_http_cwmp_srv_conf_t    **cscf;
    ngx_http_cwmp_session_row_t  *row;

    elsewhere = 0;
    s->fresh = 1;
    cscf = cmcf->upstreams.elts;

    for (i = 0; i < cmcf->upstreams.nelts; i++) {

        ngx_http_cwmp_session_row_key(key, s->id.key, cscf[i]);

        /* whoever wants it asks, see ngx_http_cwmp_conn_wanted() */

        if (conn && ngx_http_cwmp_conn_holds(conn, key)) {
            s->fresh = 0;
            continue;
        }

        holder = 0;
        owner = 0;

        t = ngx_http_cwmp_zone_lock(cmcf->shared, NGX_HTTP_CWMP_SESSIONS);

        row = cwmp_table_get(t, key, ngx_current_msec);

        if (row) {
            s->fresh = 0;
            holder = cwmp_table_holder(t, row);
            owner = row->owner;

            if (holder && conn && owner == conn->connection->number) {
                holder = 0;

            } else if (holder && !ngx_http_cwmp_zone_alive(holder)) {
                cwmp_table_hold(t, row, 0);
                holder = 0;

            } else if (holder && holder != (uint32_t) ngx_pid) {
                row->wanted = 1;
                (void) ngx_atomic_fetch_add(&cmcf->shared->sh->wanted, 1);
            }
        }

        ngx_http_cwmp_zone_unlock(cmcf->shared, NGX_HTTP_CWMP_SESSIONS);

        if (holder == 0) {
            continue;
        }

        if (holder != (uint32_t) ngx_pid
            || ngx_http_cwmp_conn_leave(owner, key))
        {
            elsewhere = 1;
        }
    }

    return elsewhere;
}


void
ngx_http_cwmp_session_join(ngx_http_request_t *r, ngx_http_cwmp_conn_t *conn,
    ngx_http_cwmp_session_t *s, ngx_msec_t timeout)
{
    ngx_uint_t  i, j;

    if (conn->open && s->other) {
        ngx_log_error(NGX_LOG_INFO, r->connection->log, 0,
                      "a message of another session on the CPE's connection, "
                      "its upstream connection is closed");

        ngx_http_cwmp_conn_drop(conn);
    }

    s->other = 0;
    s->joined = 1;

    if (!conn->open) {

        if (r->main->method != NGX_HTTP_POST) {
            return;
        }

        conn->open = 1;
        conn->challenged = 0;
        conn->known = s->known;
        conn->id = s->id;
        conn->ncookies = 0;
        conn->returned = 0;

        /*
         * Its cookies come with it: another CPE's message will have others, and
         * on another connection they lead back here.
         */

        for (i = 0; i < s->ncookies && i < NGX_HTTP_CWMP_COOKIES_MAX; i++) {
            conn->cookies[i] = s->cookies[i];
            conn->ncookies++;
            conn->returned = 1;

            if (conn->known) {
                ngx_http_cwmp_session_alias(conn, &conn->cookies[i], timeout,
                                            0);
            }
        }

        ngx_log_debug2(NGX_LOG_DEBUG_HTTP, r->connection->log, 0,
                       "cwmp session begins, known:%d cookies:%ui",
                       conn->known, conn->ncookies);
        return;
    }

    for (i = 0; i < conn->ncookies && !conn->returned; i++) {
        for (j = 0; j < s->ncookies; j++) {

            if (ngx_http_cwmp_session_same(conn->cookies[i].key,
                                           s->cookies[j].key))
            {
                conn->returned = 1;
                break;
            }
        }
    }
}


ngx_int_t
ngx_http_cwmp_session_server(ngx_http_cwmp_conn_t *conn,
    ngx_http_cwmp_pin_t *pin, ngx_http_cwmp_srv_conf_t *cscf,
    ngx_http_cwmp_server_t *server)
{
    u_char                        key[CWMP_TABLE_KEY_LEN];
    ngx_int_t                     rc;
    cwmp_table_t                 *t;
    ngx_http_cwmp_zone_t         *z;
    ngx_http_cwmp_session_row_t  *row;

    if (!conn->open) {
        return NGX_DECLINED;
    }

    rc = NGX_DECLINED;

    if (pin && pin->server.len) {
        *server = pin->server;
        rc = NGX_OK;
    }

    if (!conn->known) {
        return rc;
    }

    z = conn->conf->shared;

    ngx_http_cwmp_session_row_key(key, conn->id.key, cscf);

    t = ngx_http_cwmp_zone_lock(z, NGX_HTTP_CWMP_SESSIONS);

    row = cwmp_table_get(t, key, ngx_current_msec);

    if (row && row->server.len) {
        *server = row->server;
        rc = NGX_OK;
    }

    ngx_http_cwmp_zone_unlock(z, NGX_HTTP_CWMP_SESSIONS);

    return rc;
}


void
ngx_http_cwmp_session_hold(ngx_http_cwmp_pin_t *pin,
    ngx_http_cwmp_srv_conf_t *cscf)
{
    u_char                        key[CWMP_TABLE_KEY_LEN];
    ngx_uint_t                    begun;
    ngx_msec_t                    expires;
    cwmp_table_t                 *t;
    ngx_http_cwmp_conn_t         *conn;
    ngx_http_cwmp_zone_t         *z;
    ngx_http_cwmp_session_row_t  *row;

    conn = pin->conn;

    if (!conn->open || !conn->known) {
        return;
    }

    begun = 0;
    z = conn->conf->shared;
    expires = ngx_current_msec + cscf->timeout;

    ngx_http_cwmp_session_row_key(key, conn->id.key, cscf);

    if (pin->held
        && ngx_http_cwmp_session_same(pin->key, key)
        && ngx_current_msec - pin->touched
           < ngx_min(cscf->timeout / 8, NGX_HTTP_CWMP_TOUCH))
    {
        return;
    }

    pin->touched = ngx_current_msec;

    t = ngx_http_cwmp_zone_lock(z, NGX_HTTP_CWMP_SESSIONS);

    row = cwmp_table_get(t, key, ngx_current_msec);

    if (row == NULL) {
        begun = 1;
        row = cwmp_table_insert(t, key, ngx_current_msec, expires,
                                ngx_http_cwmp_zone_alive);
    }

    if (row) {
        if (row->owner != conn->connection->number
            || row->server.len != pin->server.len
            || ngx_memcmp(row->server.data, pin->server.data,
                          pin->server.len)
               != 0)
        {
            cwmp_table_open(t, row);

            row->owner = conn->connection->number;
            row->wanted = 0;
            row->server = pin->server;
        }

        cwmp_table_touch(t, row, expires);
        cwmp_table_hold(t, row, ngx_pid);
    }

    if (row && conn->ncookies) {
        t = ngx_http_cwmp_zone_switch(z, NGX_HTTP_CWMP_SESSIONS,
                                      NGX_HTTP_CWMP_COOKIES);
        ngx_http_cwmp_session_refresh(t, conn, expires);
        ngx_http_cwmp_zone_unlock(z, NGX_HTTP_CWMP_COOKIES);

    } else {
        ngx_http_cwmp_zone_unlock(z, NGX_HTTP_CWMP_SESSIONS);
    }

    if (row == NULL) {
        ngx_http_cwmp_count(z, SESSIONS_FORGOTTEN);
        return;
    }

    if (begun) {
        ngx_http_cwmp_count(z, SESSIONS_BEGUN);
    }

    ngx_memcpy(pin->key, key, CWMP_TABLE_KEY_LEN);
    pin->held = 1;
}


/*
 * The session's cookies live as long as its row.
 */

static void
ngx_http_cwmp_session_refresh(cwmp_table_t *t, ngx_http_cwmp_conn_t *conn,
    ngx_msec_t expires)
{
    ngx_uint_t           i;
    ngx_http_cwmp_id_t  *row;

    for (i = 0; i < conn->ncookies; i++) {

        row = cwmp_table_get(t, conn->cookies[i].key, ngx_current_msec);

        if (row) {
            cwmp_table_touch(t, row, expires);
        }
    }
}


void
ngx_http_cwmp_session_release(ngx_http_cwmp_pin_t *pin)
{
    cwmp_table_t                 *t;
    ngx_http_cwmp_zone_t         *z;
    ngx_http_cwmp_session_row_t  *row;

    if (!pin->held) {
        return;
    }

    z = pin->conn->conf->shared;

    t = ngx_http_cwmp_zone_lock(z, NGX_HTTP_CWMP_SESSIONS);

    row = ngx_http_cwmp_session_row(t, pin);

    if (row) {
        cwmp_table_hold(t, row, 0);
        row->wanted = 0;
    }

    ngx_http_cwmp_zone_unlock(z, NGX_HTTP_CWMP_SESSIONS);

    pin->held = 0;
}


ngx_uint_t
ngx_http_cwmp_session_wanted(ngx_http_cwmp_pin_t *pin)
{
    ngx_uint_t                    wanted;
    cwmp_table_t                 *t;
    ngx_http_cwmp_zone_t         *z;
    ngx_http_cwmp_session_row_t  *row;

    z = pin->conn->conf->shared;

    t = ngx_http_cwmp_zone_lock(z, NGX_HTTP_CWMP_SESSIONS);

    row = ngx_http_cwmp_session_row(t, pin);

    wanted = (row == NULL || row->wanted);

    ngx_http_cwmp_zone_unlock(z, NGX_HTTP_CWMP_SESSIONS);

    return wanted;
}


void
ngx_http_cwmp_session_learn(ngx_http_cwmp_conn_t *conn, ngx_msec_t timeout,
    ngx_str_t *name, ngx_str_t *value)
{
    uint32_t                 crc;
    ngx_str_t                pair[2];
    ngx_uint_t               i;
    ngx_http_cwmp_cookie_t  *cookie;

    crc = ngx_crc32_short(name->data, name->len);

    for (i = 0; i < conn->ncookies && conn->cookies[i].name != crc; i++) {
        /* void */
    }

    if (value->len == 0) {

        if (i < conn->ncookies) {
            conn->cookies[i] = conn->cookies[--conn->ncookies];
        }

        return;
    }

    if (i == NGX_HTTP_CWMP_COOKIES_MAX) {
        return;
    }

    cookie = &conn->cookies[i];

    pair[0] = *name;
    pair[1] = *value;

    ngx_http_cwmp_zone_key(conn->conf->shared, cookie->key,
                           NGX_HTTP_CWMP_KEY_COOKIE, pair, 2);

    cookie->name = crc;

    if (i == conn->ncookies) {
        conn->ncookies++;
    }

    if (!conn->known) {

        /* no DeviceId: the cookie is the session's name */

        ngx_memcpy(conn->id.key, cookie->key, CWMP_TABLE_KEY_LEN);
        ngx_memcpy(conn->id.id, cookie->key, sizeof(conn->id.id));
        conn->known = 1;
    }

    ngx_http_cwmp_session_alias(conn, cookie, timeout, 1);
}


/*
 * The cookie leads to the connection's session from now on; "move" says that it
 * does so even if it led elsewhere before.
 */

static void
ngx_http_cwmp_session_alias(ngx_http_cwmp_conn_t *conn,
    ngx_http_cwmp_cookie_t *cookie, ngx_msec_t timeout, ngx_uint_t move)
{
    cwmp_table_t          *t;
    ngx_http_cwmp_id_t    *row;
    ngx_http_cwmp_zone_t  *z;

    z = conn->conf->shared;

    t = ngx_http_cwmp_zone_lock(z, NGX_HTTP_CWMP_COOKIES);

    row = cwmp_table_get(t, cookie->key, ngx_current_msec);

    if (row == NULL) {
        row = cwmp_table_insert(t, cookie->key, ngx_current_msec,
                                ngx_current_msec + timeout,
                                ngx_http_cwmp_zone_alive);
        move = 1;
    }

    if (row && move) {
        cwmp_table_open(t, row);
        *row = conn->id;
        cwmp_table_touch(t, row, ngx_current_msec + timeout);
    }

    ngx_http_cwmp_zone_unlock(z, NGX_HTTP_CWMP_COOKIES);
}


void
ngx_http_cwmp_session_end(ngx_http_cwmp_conn_t *conn)
{
    ngx_uint_t                    i;
    ngx_queue_t                  *q;
    cwmp_table_t                 *t;
    ngx_http_cwmp_id_t           *id;
    ngx_http_cwmp_pin_t          *pin;
    ngx_http_cwmp_zone_t         *z;
    ngx_http_cwmp_session_row_t  *row;

    z = conn->conf->shared;

    t = ngx_http_cwmp_zone_lock(z, NGX_HTTP_CWMP_COOKIES);

    for (i = 0; i < conn->ncookies; i++) {

        id = cwmp_table_get(t, conn->cookies[i].key, ngx_current_msec);

        if (id && ngx_http_cwmp_session_same(id->key, conn->id.key)) {
            cwmp_table_delete(t, id);
        }
    }

    t = ngx_http_cwmp_zone_switch(z, NGX_HTTP_CWMP_COOKIES,
                                  NGX_HTTP_CWMP_SESSIONS);

    for (q = ngx_queue_head(&conn->pins);
         q != ngx_queue_sentinel(&conn->pins);
         q = ngx_queue_next(q))
    {
        pin = ngx_queue_data(q, ngx_http_cwmp_pin_t, queue);

        row = pin->held ? ngx_http_cwmp_session_row(t, pin) : NULL;

        if (row) {
            cwmp_table_delete(t, row);
        }

        pin->held = 0;
    }

    ngx_http_cwmp_zone_unlock(z, NGX_HTTP_CWMP_SESSIONS);

    ngx_http_cwmp_count(z, SESSIONS_ENDED);

    ngx_http_cwmp_conn_drop(conn);
}


/* the row that the pin holds; NULL: another connection has taken it over */

static ngx_http_cwmp_session_row_t *
ngx_http_cwmp_session_row(cwmp_table_t *t, ngx_http_cwmp_pin_t *pin)
{
    ngx_http_cwmp_session_row_t  *row;

    row = cwmp_table_get(t, pin->key, ngx_current_msec);

    return (row && row->owner == pin->conn->connection->number) ? row : NULL;
}


static void
ngx_http_cwmp_session_row_key(u_char *key, u_char *session,
    ngx_http_cwmp_srv_conf_t *cscf)
{
    ngx_uint_t  i;

    for (i = 0; i < CWMP_TABLE_KEY_LEN; i++) {
        key[i] = session[i] ^ cscf->tag[i];
    }
}


static ngx_uint_t
ngx_http_cwmp_session_same(u_char *a, u_char *b)
{
    return ngx_memcmp(a, b, CWMP_TABLE_KEY_LEN) == 0;
}
