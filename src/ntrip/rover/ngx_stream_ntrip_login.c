
/*
 * From a connection to a session: the request, the sourcetable, the login.
 * See ngx_stream_ntrip_stream.h.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>

#include <math.h>

#include "ngx_stream_ntrip_rover_private.h"
#include "ntrip_protocol.h"


/* how long a login waits for the store, and how often it asks */
#define NGX_STREAM_NTRIP_LOOKUP  2000
#define NGX_STREAM_NTRIP_ASK     100

/* how long a check of a password may take at least, whatever is left of
   ntrip_login_timeout */
#define NGX_STREAM_NTRIP_CHECK   1000


static void ngx_stream_ntrip_requested(ngx_stream_ntrip_rover_t *rover);
static void ngx_stream_ntrip_find(ngx_stream_ntrip_rover_t *rover);
static void ngx_stream_ntrip_asks_table(ngx_stream_ntrip_rover_t *rover);
static void ngx_stream_ntrip_authenticate(ngx_stream_ntrip_rover_t *rover);
static void ngx_stream_ntrip_lookup(ngx_stream_ntrip_rover_t *rover);
static void ngx_stream_ntrip_check(ngx_stream_ntrip_rover_t *rover);
static void ngx_stream_ntrip_verified(void *data, ngx_int_t rc);
static void ngx_stream_ntrip_wrong(ngx_stream_ntrip_rover_t *rover,
    const char *reason);
static void ngx_stream_ntrip_enter(ngx_stream_ntrip_rover_t *rover);
static ngx_uint_t ngx_stream_ntrip_comes_outside(
    ngx_stream_ntrip_rover_t *rover);
static ngx_int_t ngx_stream_ntrip_remember(ngx_stream_ntrip_rover_t *rover);
static void ngx_stream_ntrip_welcome(ngx_stream_ntrip_rover_t *rover);
static void ngx_stream_ntrip_hold(ngx_stream_ntrip_rover_t *rover,
    ngx_uint_t state, ngx_msec_t delay);


void
ngx_stream_ntrip_caster_handler(ngx_stream_session_t *s)
{
    size_t                        size;
    ngx_connection_t             *c;
    ngx_stream_ntrip_rover_t     *rover;
    ngx_stream_ntrip_request_t   *rq;
    ngx_stream_ntrip_srv_conf_t  *conf;

    c = s->connection;
    c->log->action = "reading ntrip request";

    if (c->type != SOCK_STREAM) {
        ngx_log_error(NGX_LOG_ERR, c->log, 0,
                      "\"ntrip_caster\" cannot listen with \"udp\"");
        ngx_stream_finalize_session(s, NGX_STREAM_INTERNAL_SERVER_ERROR);
        return;
    }

    conf = ngx_stream_get_module_srv_conf(s, ngx_stream_ntrip_module);

    rover = ngx_pcalloc(c->pool, sizeof(ngx_stream_ntrip_rover_t));
    if (rover == NULL) {
        ngx_stream_finalize_session(s, NGX_STREAM_INTERNAL_SERVER_ERROR);
        return;
    }

    ngx_stream_set_ctx(s, rover, ngx_stream_ntrip_module);

    rover->session = s;
    rover->point = NTRIP_POINT_NONE;

    ngx_stream_ntrip_nrovers++;

    if (ngx_exiting) {
        ngx_stream_ntrip_worker_hold();
    }

#if (NGX_STREAM_SSL)
    rover->tls = (c->ssl != NULL);
#endif

    if (ngx_stream_ntrip_worker.me == 0) {
        ngx_log_error(NGX_LOG_ERR, c->log, 0,
                      "ntrip rover refused: this worker has no slot");
        ngx_stream_ntrip_rover_finalize(rover, "unavailable");
        return;
    }

    rq = ngx_alloc(sizeof(ngx_stream_ntrip_request_t), c->log);
    if (rq == NULL) {
        ngx_stream_ntrip_rover_finalize(rover, "error");
        return;
    }

    ngx_memzero(rq, offsetof(ngx_stream_ntrip_request_t, buf));
    rover->request = rq;

    c->read->handler = ngx_stream_ntrip_read_handler;
    c->write->handler = ngx_stream_ntrip_write_handler;

    if (ngx_tcp_nodelay(c) != NGX_OK) {
        ngx_stream_ntrip_rover_finalize(rover, "error");
        return;
    }

    /* from the connection on, not from the last byte */

    ngx_add_timer(c->read, conf->login_timeout);

    if (c->buffer && c->buffer->last > c->buffer->pos) {
        size = ngx_min((size_t) (c->buffer->last - c->buffer->pos),
                       NGX_STREAM_NTRIP_REQUEST);
        ngx_memcpy(rq->buf, c->buffer->pos, size);
        rq->len = size;
    }

    ngx_stream_ntrip_login_read(rover);
}


void
ngx_stream_ntrip_login_read(ngx_stream_ntrip_rover_t *rover)
{
    ssize_t                      n;
    ngx_int_t                    rc;
    ngx_uint_t                   status;
    ngx_connection_t            *c;
    ngx_stream_ntrip_request_t  *rq;

    c = rover->session->connection;
    rq = rover->request;

    for ( ;; ) {
        rc = rq->len ? ntrip_request_parse(&rq->request, rq->buf, rq->len)
                     : NGX_AGAIN;

        if (rc == NGX_OK) {
            ngx_stream_ntrip_requested(rover);
            return;
        }

        if (rc == NGX_AGAIN && rq->len == NGX_STREAM_NTRIP_REQUEST) {
            rq->request.error = NTRIP_REQUEST_TOO_LARGE;
            rc = NGX_ERROR;
        }

        if (rc == NGX_ERROR) {
            ngx_log_error(NGX_LOG_INFO, c->log, 0,
                          "ntrip request refused: %s",
                          ntrip_request_error(rq->request.error));

            status = ntrip_response_status(rq->request.error);

            if (status) {
                ngx_stream_ntrip_error(rover, status, "bad request");

            } else {
                ngx_stream_ntrip_rover_finalize(rover, "bad request");
            }

            return;
        }

        n = c->recv(c, rq->buf + rq->len, NGX_STREAM_NTRIP_REQUEST - rq->len);

        if (n == NGX_AGAIN) {
            if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
                ngx_stream_ntrip_rover_finalize(rover, "error");
            }

            return;
        }

        if (n == NGX_ERROR || n == 0) {
            ngx_stream_ntrip_rover_finalize(rover, "no request");
            return;
        }

        rq->len += n;
        rover->session->received += n;
    }
}


/* the order is cors-relay's: what there is can be seen by anybody */

static void
ngx_stream_ntrip_requested(ngx_stream_ntrip_rover_t *rover)
{
    ntrip_request_t   *r;
    ngx_connection_t  *c;

    c = rover->session->connection;
    r = &rover->request->request;

    rover->version = (r->form == NTRIP_FORM_V2) ? 2 : 1;

    if (c->read->timer_set) {
        ngx_del_timer(c->read);
    }

    if (r->method != NTRIP_GET) {
        ngx_stream_ntrip_base_requested(rover);
        return;
    }

    ngx_stream_ntrip_traced_request(rover);

    ngx_stream_ntrip_find(rover);
}


/* also called again while it is not known which base stations there are */

static void
ngx_stream_ntrip_find(ngx_stream_ntrip_rover_t *rover)
{
    ngx_int_t         rc;
    ntrip_request_t  *r;

    r = &rover->request->request;

    rc = r->mount.len ? ngx_stream_ntrip_find_mount(rover, &r->mount)
                      : NGX_DECLINED;

    if (rc == NGX_ERROR) {
        ngx_stream_ntrip_rover_finalize(rover, "error");
        return;
    }

    if (rc == NGX_AGAIN) {
        ngx_stream_ntrip_login_wait(rover);
        return;
    }

    if (rc == NGX_DECLINED) {

        if (r->mount.len && r->form == NTRIP_FORM_V2) {
            ngx_stream_ntrip_error(rover, 404, "unknown mountpoint");

        } else {
            ngx_stream_ntrip_asks_table(rover);
        }

        return;
    }

    ngx_stream_ntrip_authenticate(rover);
}


/* the filters of 2.0 come with it */

static void
ngx_stream_ntrip_asks_table(ngx_stream_ntrip_rover_t *rover)
{
    ntrip_request_t             *r;
    const char                  *reason;
    ngx_stream_ntrip_request_t  *rq;

    rq = rover->request;
    r = &rq->request;

    if (r->form == NTRIP_FORM_V2
        && ntrip_filter_parse(&rq->filter, &r->query, &reason) != NGX_OK)
    {
        ngx_log_error(NGX_LOG_INFO, rover->session->connection->log, 0,
                      "ntrip sourcetable refused: %s", reason);
        ngx_stream_ntrip_error(rover, 400, "bad filter");
        return;
    }

    if (!rq->filter.auth) {
        ngx_stream_ntrip_table(rover, NULL);
        return;
    }

    rq->table = 1;

    ngx_stream_ntrip_authenticate(rover);
}


static void
ngx_stream_ntrip_authenticate(ngx_stream_ntrip_rover_t *rover)
{
    ntrip_request_t  *r;

    r = &rover->request->request;

    if (r->auth == NTRIP_AUTH_NONE) {

        /* most clients ask without credentials first: not a failure */

        ngx_stream_ntrip_error(rover, 401, "no credentials");
        return;
    }

    if (r->auth != NTRIP_AUTH_BASIC) {
        (void) ngx_stream_ntrip_failures(rover->session->connection,
                                         NGX_STREAM_NTRIP_DOOR_CASTER, 1);
        ngx_stream_ntrip_wrong(rover, "credentials that cannot be read");
        return;
    }

    ngx_stream_ntrip_lookup(rover);
}


/* also called again while the store cannot tell */

static void
ngx_stream_ntrip_lookup(ngx_stream_ntrip_rover_t *rover)
{
    ngx_int_t                    rc;
    ngx_str_t                    mounts;
    ngx_stream_ntrip_request_t  *rq;

    rq = rover->request;

    rover->session->connection->log->action = "looking up ntrip user";

    rc = ngx_stream_ntrip_store_user(&rq->request.user, &rq->user);

    if (rc == NGX_AGAIN) {
        ngx_stream_ntrip_login_wait(rover);
        return;
    }

    mounts.data = rq->user.mounts;
    mounts.len = rq->user.mounts_len;

    /* the password is looked at all the same: how long that takes tells
       nobody why */

    if (rc != NGX_OK) {
        rq->refused = (rq->user.name_len == 0) ? "unknown"
                      : (rq->user.valid_from > ngx_time()) ? "not valid yet"
                                                           : "expired";

    } else if (!rq->table
               && !ntrip_mount_allowed(&mounts, &rover->mount->name))
    {
        rq->refused = "not for this mountpoint";

    } else {
        rq->refused = NULL;
    }

    ngx_stream_ntrip_check(rover);
}


void
ngx_stream_ntrip_login_wait(ngx_stream_ntrip_rover_t *rover)
{
    ngx_stream_ntrip_request_t  *rq;

    rq = rover->request;

    if (rq->since == 0) {
        rq->since = ngx_current_msec;

        ngx_stream_ntrip_traced_wait(rover, "for the database");
    }

    if (ngx_current_msec - rq->since < NGX_STREAM_NTRIP_LOOKUP) {
        ngx_stream_ntrip_hold(rover, NGX_STREAM_NTRIP_ROVER_LOOKUP,
                              NGX_STREAM_NTRIP_ASK);
        return;
    }

    ngx_stream_ntrip_count(unavailable);
    ngx_stream_ntrip_error(rover, 503, "unavailable");
}


static void
ngx_stream_ntrip_check(ngx_stream_ntrip_rover_t *rover)
{
    ngx_int_t                    rc;
    ngx_connection_t            *c;
    ngx_stream_ntrip_claim_t     claim;
    ngx_stream_ntrip_request_t  *rq;

    c = rover->session->connection;
    rq = rover->request;

    /* it would be computed for nobody */

    if (ngx_stream_ntrip_login_gone(c)) {
        ngx_stream_ntrip_rover_finalize(rover, "closed");
        return;
    }

    c->log->action = "verifying ntrip password";

    claim.peer = c;
    claim.door = NGX_STREAM_NTRIP_DOOR_CASTER;
    claim.name = rq->request.user;
    claim.password = rq->request.password;
    claim.user = rq->user.name_len ? &rq->user : NULL;
    claim.refused = (rq->refused != NULL);

    rc = ngx_stream_ntrip_verify(&claim, ngx_stream_ntrip_verified, rover,
                                 &rq->check);

    if (rc == NGX_AGAIN) {
        ngx_stream_ntrip_login_verify(rover);
        return;
    }

    if (rc == NGX_ERROR) {
        ngx_stream_ntrip_count(unavailable);
        ngx_stream_ntrip_error(rover, 503, "unavailable");
        return;
    }

    ngx_stream_ntrip_verified(rover, rc);
}


/* its time is what is left of that for the request */

void
ngx_stream_ntrip_login_verify(ngx_stream_ntrip_rover_t *rover)
{
    ngx_msec_t                    passed;
    ngx_connection_t             *c;
    ngx_stream_ntrip_srv_conf_t  *conf;

    c = rover->session->connection;
    conf = ngx_stream_get_module_srv_conf(rover->session,
                                          ngx_stream_ntrip_module);

    rover->state = NGX_STREAM_NTRIP_ROVER_VERIFY;

    ngx_stream_ntrip_traced_wait(rover, "for the check of the password");

    passed = ngx_current_msec - c->start_time;

    ngx_add_timer(c->write,
                  (passed + NGX_STREAM_NTRIP_CHECK < conf->login_timeout)
                  ? conf->login_timeout - passed : NGX_STREAM_NTRIP_CHECK);

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_stream_ntrip_rover_finalize(rover, "error");
        return;
    }

    /* what changes while the thread works nobody tells a rover that is not
       logged in */

    rover->check = 1;
}


/* the time of VERIFY is over: that says nothing of the password */

void
ngx_stream_ntrip_login_late(ngx_stream_ntrip_rover_t *rover)
{
    ngx_log_error(NGX_LOG_INFO, rover->session->connection->log, NGX_ETIMEDOUT,
                  "ntrip password could not be checked in time");

    ngx_stream_ntrip_verify_cancel(rover->request->check);
    rover->request->check = NULL;

    ngx_stream_ntrip_count(unavailable);
    ngx_stream_ntrip_error(rover, 503, "unavailable");
}


ngx_uint_t
ngx_stream_ntrip_login_gone(ngx_connection_t *c)
{
    ssize_t  n;
    u_char   byte;

    n = recv(c->fd, &byte, 1, MSG_PEEK);

    return n == 0 || (n == -1 && ngx_socket_errno != NGX_EAGAIN);
}


static void
ngx_stream_ntrip_verified(void *data, ngx_int_t rc)
{
    ngx_stream_ntrip_rover_t *rover = data;

    ngx_str_t          mounts;
    ngx_connection_t  *c;

    c = rover->session->connection;

    if (c->write->timer_set) {
        ngx_del_timer(c->write);
    }

    rover->request->check = NULL;

    if (rc != NGX_OK) {
        ngx_stream_ntrip_wrong(rover, rover->request->refused
                                      ? rover->request->refused
                                      : "wrong password");
        return;
    }

    if (rover->request->table) {
        mounts.data = rover->request->user.mounts;
        mounts.len = rover->request->user.mounts_len;

        ngx_stream_ntrip_table(rover, &mounts);
        return;
    }

    ngx_stream_ntrip_enter(rover);
}


static void
ngx_stream_ntrip_wrong(ngx_stream_ntrip_rover_t *rover, const char *reason)
{
    ngx_str_t          user;
    ngx_connection_t  *c;

    c = rover->session->connection;

    ngx_stream_ntrip_count(refused);

    ngx_stream_ntrip_escape(c->pool, &rover->request->request.user, &user);

    ngx_log_error(NGX_LOG_INFO, c->log, 0,
                  "ntrip login of user \"%V\" refused: %s", &user, reason);

    rover->request->refused = reason;

    ngx_stream_ntrip_error(rover, 401, "refused");
}


void
ngx_stream_ntrip_escape(ngx_pool_t *pool, ngx_str_t *from, ngx_str_t *to)
{
    size_t  size;

    size = from->len + ngx_escape_json(NULL, from->data, from->len);
    to->data = size ? ngx_pnalloc(pool, size) : NULL;

    if (to->data == NULL) {
        ngx_str_set(to, "?");
        return;
    }

    to->len = (u_char *) ngx_escape_json(to->data, from->data, from->len)
              - to->data;
}


/* the password was right */

static void
ngx_stream_ntrip_enter(ngx_stream_ntrip_rover_t *rover)
{
    uint64_t                     below;
    ngx_int_t                    rc;
    ntrip_login_t                login;
    ntrip_slots_t                wake;
    ngx_connection_t            *c;
    ngx_stream_ntrip_request_t  *rq;

    c = rover->session->connection;
    rq = rover->request;

    if (ngx_stream_ntrip_remember(rover) != NGX_OK) {
        ngx_stream_ntrip_rover_finalize(rover, "error");
        return;
    }

    if (!rq->delayed) {
        ngx_stream_ntrip_rover_area(rover);
    }

    if (ngx_stream_ntrip_comes_outside(rover)) {
        ngx_stream_ntrip_error(rover, 403, "area");
        return;
    }

    if (ngx_stream_ntrip_rover_quota(rover, &rq->user)) {
        ngx_stream_ntrip_count(refused);
        ngx_stream_ntrip_error(rover, 403, "quota");
        return;
    }

    ngx_memzero(&login, sizeof(ntrip_login_t));
    ngx_memzero(&wake, sizeof(ntrip_slots_t));

    login.user = rover->user;
    login.agent = rover->agent;
    login.addr = (u_char *) c->sockaddr;
    login.addr_len = ngx_min((size_t) c->socklen, NTRIP_ADDR_MAX);
    login.login = ntrip_bus_next_login(ngx_stream_ntrip_worker.bus);
    login.time = ngx_time();
    login.version = rover->version;
    login.tls = rover->tls;
    login.max_sessions = rover->max_sessions;
    login.delayed = rq->delayed;

    ngx_stream_ntrip_lock();

    rc = ntrip_session_login(ngx_stream_ntrip_worker.zone,
                             ngx_stream_ntrip_worker.bus,
                             ngx_stream_ntrip_worker.me, ngx_current_msec,
                             &login, &rover->index, &below, &wake);

    ngx_stream_ntrip_unlock();

    switch (rc) {

    case NGX_OK:
        break;

    case NGX_BUSY:
        rq->delayed = 1;
        ngx_stream_ntrip_traced_wait(rover, "as its sessions were ended too "
                                     "often");
        ngx_stream_ntrip_hold(rover, NGX_STREAM_NTRIP_ROVER_DELAY,
                              NTRIP_KICK_DELAY);
        return;

    case NGX_DECLINED:
        ngx_stream_ntrip_rover_finalize(rover, "kicked");
        return;

    default: /* NGX_ERROR, NGX_ABORT */
        ngx_stream_ntrip_zone_full(rc == NGX_ABORT ? NTRIP_FULL_USER
                                                   : NTRIP_FULL_ROVERS,
                                   c->log);

        ngx_stream_ntrip_count(unavailable);
        ngx_stream_ntrip_error(rover, 503, "zone full");
        return;
    }

    rover->login = login.login;

    ngx_stream_ntrip_traced_enter(rover, below != 0);

    ngx_stream_ntrip_rovers_add(rover);
    ngx_stream_ntrip_count(logins);

    if (below) {
        ngx_stream_ntrip_kick(&rover->user, below, &wake);
    }

    ngx_stream_ntrip_welcome(rover);
}


/* NTRIP 2.0 may say where it is with the request, and then gets an error; who
   says so later is closed */

static ngx_uint_t
ngx_stream_ntrip_comes_outside(ngx_stream_ntrip_rover_t *rover)
{
    ngx_str_t        *text;
    ntrip_gga_t       gga;
    ntrip_request_t  *r;

    r = &rover->request->request;
    text = &r->gga;

    if (r->form != NTRIP_FORM_V2
        || text->len == 0
        || ntrip_gga_parse(&gga, text) != NGX_OK)
    {
        return 0;
    }

    return ngx_stream_ntrip_rover_outside(rover,
                                 ntrip_point(lrint(gga.latitude * 1e7),
                                             lrint(gga.longitude * 1e7)));
}


/* what has to outlive the request */

static ngx_int_t
ngx_stream_ntrip_remember(ngx_stream_ntrip_rover_t *rover)
{
    ngx_pool_t                  *pool;
    ngx_stream_ntrip_request_t  *rq;

    rq = rover->request;
    pool = rover->session->connection->pool;

    rover->expires = rq->user.expires;
    rover->max_sessions = (uint32_t) rq->user.max_sessions;
    rover->area = rq->user.area;
    rover->stored = ntrip_hash(ngx_stream_ntrip_worker.bus->seed,
                               rq->user.password, rq->user.password_len, 0);

    if (rover->user.len) {
        return NGX_OK;
    }

    rover->user.data = ngx_pnalloc(pool, rq->user.name_len);
    if (rover->user.data == NULL) {
        return NGX_ERROR;
    }

    rover->user.len = rq->user.name_len;
    ngx_memcpy(rover->user.data, rq->user.name, rq->user.name_len);

    rover->agent.len = ngx_min(rq->request.agent.len, NTRIP_AGENT_MAX);

    if (rover->agent.len == 0) {
        return NGX_OK;
    }

    rover->agent.data = ngx_pnalloc(pool, rover->agent.len);
    if (rover->agent.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(rover->agent.data, rq->request.agent.data, rover->agent.len);

    return NGX_OK;
}


/*
 * The reply goes out before any position or source is there, as a segment of
 * its own; then whatever has come behind the request.
 */

static void
ngx_stream_ntrip_welcome(ngx_stream_ntrip_rover_t *rover)
{
    ssize_t                      n;
    u_char                       buf[NTRIP_RESPONSE_MAX];
    ngx_str_t                    gga, rest;
    ngx_uint_t                   chunked;
    ntrip_out_t                  out;
    ngx_connection_t            *c;
    ngx_stream_ntrip_request_t  *rq;

    c = rover->session->connection;
    rq = rover->request;

    chunked = ntrip_request_insists(&rq->request);

    ntrip_out_init(&out, buf, sizeof(buf));
    ntrip_response_ok(&out, rq->request.form, ngx_time(), chunked);

    n = c->send(c, out.start, out.last - out.start);

    if (n != out.last - out.start) {
        ngx_stream_ntrip_rover_finalize(rover, "reset");
        return;
    }

    rover->request = NULL;
    rover->chunked = (unsigned) chunked;
    rover->welcomed = (uint32_t) ngx_current_msec;

    gga = rq->request.gga;
    rest.data = rq->buf + rq->request.body;
    rest.len = rq->len - rq->request.body;

    if (ngx_stream_ntrip_rover_begin(rover, &gga, &rest) == NGX_OK) {
        ngx_stream_ntrip_read_handler(c->read);
    }

    ngx_explicit_memzero(rq, sizeof(ngx_stream_ntrip_request_t));
    ngx_free(rq);
}


/* goes on in the write handler */

static void
ngx_stream_ntrip_hold(ngx_stream_ntrip_rover_t *rover, ngx_uint_t state,
    ngx_msec_t delay)
{
    rover->state = state;
    rover->session->connection->log->action = "holding back ntrip login";

    ngx_add_timer(rover->session->connection->write, delay);
}


/* the timer of LOOKUP or DELAY: the user may be another one by now */

void
ngx_stream_ntrip_login_again(ngx_stream_ntrip_rover_t *rover)
{
    if (rover->base) {
        ngx_stream_ntrip_base_lookup(rover);

    } else if (rover->mount == NULL && !rover->request->table) {
        ngx_stream_ntrip_find(rover);

    } else {
        ngx_stream_ntrip_lookup(rover);
    }
}
