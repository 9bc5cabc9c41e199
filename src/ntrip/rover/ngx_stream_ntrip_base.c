
/*
 * Base stations: from the request, SOURCE or POST, to the end of the upload.
 * A base is a rover whose data come instead of going:
 *
 *   REQUEST   as of a rover                      login_timeout (absolute)
 *   LOOKUP    the store says "later"             2 s, then 503
 *   VERIFY    password in the thread pool        what is left of login_timeout
 *   TAKE      the mountpoint's last upload ends  NTRIP_STATION_TIMES questions
 *   UPLOAD    its data go into the ring          source_timeout since they were
 *                                                of use last
 *   TABLE     sends an error, then lingers and closes
 *
 * See ngx_stream_ntrip_rover.h, ngx_stream_ntrip_upload.h, ntrip_station.h.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>

#include "ngx_stream_ntrip_rover_private.h"
#include "ntrip_protocol.h"


#define NGX_STREAM_NTRIP_CONTINUE  "HTTP/1.1 100 Continue" CRLF CRLF


static void ngx_stream_ntrip_base_check(ngx_stream_ntrip_rover_t *rover,
    ngx_stream_ntrip_station_t *station);
static ngx_int_t ngx_stream_ntrip_base_remember(
    ngx_stream_ntrip_rover_t *rover, ngx_stream_ntrip_station_t *station);
static ngx_int_t ngx_stream_ntrip_base_copy(ngx_pool_t *pool,
    ngx_str_t *from, ngx_str_t *to);
static void ngx_stream_ntrip_base_claim(ngx_stream_ntrip_rover_t *rover,
    ngx_stream_ntrip_station_t *station);
static void ngx_stream_ntrip_base_verified(void *data, ngx_int_t rc);
static void ngx_stream_ntrip_base_wrong(ngx_stream_ntrip_rover_t *rover,
    const char *reason);
static void ngx_stream_ntrip_base_taken(ngx_stream_ntrip_rover_t *rover);
static void ngx_stream_ntrip_base_welcome(ngx_stream_ntrip_rover_t *rover);
static ngx_int_t ngx_stream_ntrip_base_data(ngx_stream_ntrip_rover_t *rover,
    u_char *data, size_t len);
static void ngx_stream_ntrip_base_verify(ngx_stream_ntrip_rover_t *rover);
static uint64_t ngx_stream_ntrip_base_stored(
    ngx_stream_ntrip_station_t *station);


ngx_queue_t  ngx_stream_ntrip_bases;


/* ---- the login ---- */

void
ngx_stream_ntrip_base_requested(ngx_stream_ntrip_rover_t *rover)
{
    ntrip_request_t              *r;
    ngx_connection_t             *c;
    ngx_stream_ntrip_srv_conf_t  *conf;

    c = rover->session->connection;
    r = &rover->request->request;

    conf = ngx_stream_get_module_srv_conf(rover->session,
                                          ngx_stream_ntrip_module);

    rover->base = 1;

    /* who sends POST reads HTTP, whatever version he names */

    if (r->method == NTRIP_POST) {
        r->form = NTRIP_FORM_V2;
        rover->version = 2;
    }

    if (conf->station.line == 0) {
        ngx_log_error(NGX_LOG_INFO, c->log, 0,
                      "ntrip request refused: base stations are not served");
        ngx_stream_ntrip_error(rover, 501, "base station");
        return;
    }

    ngx_stream_ntrip_base_lookup(rover);
}


/* also called again while the store cannot tell */

void
ngx_stream_ntrip_base_lookup(ngx_stream_ntrip_rover_t *rover)
{
    ngx_int_t                    n;
    ntrip_request_t             *r;
    ntrip_mount_match_t          match;
    ngx_stream_ntrip_station_t  *station;

    r = &rover->request->request;

    rover->session->connection->log->action = "looking up base station";

    ntrip_mount_match_init(&match, &r->mount);

    if (!ngx_stream_ntrip_store_match_stations(&match, 0)) {
        ngx_stream_ntrip_login_wait(rover);
        return;
    }

    n = ntrip_mount_match_result(&match);

    station = (n == NGX_DECLINED) ? NULL
                                  : ngx_stream_ntrip_store_station_at(n);

    if (station == NULL) {
        ngx_log_error(NGX_LOG_INFO, rover->session->connection->log, 0,
                      "ntrip upload refused: no base station has that "
                      "mountpoint");
        ngx_stream_ntrip_error(rover, 404, "unknown mountpoint");
        return;
    }

    ngx_stream_ntrip_base_check(rover, station);
}


static void
ngx_stream_ntrip_base_check(ngx_stream_ntrip_rover_t *rover,
    ngx_stream_ntrip_station_t *station)
{
    ntrip_request_t   *r;
    ngx_connection_t  *c;

    c = rover->session->connection;
    r = &rover->request->request;

    if (ngx_stream_ntrip_base_remember(rover, station) != NGX_OK) {
        ngx_stream_ntrip_rover_finalize(rover, "error");
        return;
    }

    if (r->method == NTRIP_POST && r->auth == NTRIP_AUTH_NONE) {
        ngx_stream_ntrip_error(rover, 401, "no credentials");
        return;
    }

    if (r->method == NTRIP_POST && r->auth != NTRIP_AUTH_BASIC) {
        (void) ngx_stream_ntrip_failures(c, NGX_STREAM_NTRIP_DOOR_CASTER, 1);
        ngx_stream_ntrip_base_wrong(rover, "credentials that cannot be read");
        return;
    }

    ngx_stream_ntrip_base_claim(rover, station);
}


/* what has to outlive the request and the store's memory */

static ngx_int_t
ngx_stream_ntrip_base_remember(ngx_stream_ntrip_rover_t *rover,
    ngx_stream_ntrip_station_t *station)
{
    ngx_str_t         agent;
    ngx_pool_t       *pool;
    ntrip_request_t  *r;

    r = &rover->request->request;
    pool = rover->session->connection->pool;

    rover->stored = ngx_stream_ntrip_base_stored(station);

    agent = r->agent;
    agent.len = ngx_min(agent.len, NTRIP_AGENT_MAX);

    return (ngx_stream_ntrip_base_copy(pool, &station->mount, &rover->name)
            == NGX_OK
            && ngx_stream_ntrip_base_copy(pool, &r->user, &rover->user)
               == NGX_OK
            && ngx_stream_ntrip_base_copy(pool, &agent, &rover->agent)
               == NGX_OK)
           ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_stream_ntrip_base_copy(ngx_pool_t *pool, ngx_str_t *from, ngx_str_t *to)
{
    ngx_str_null(to);

    if (from->len == 0) {
        return NGX_OK;
    }

    to->data = ngx_pstrdup(pool, from);
    if (to->data == NULL) {
        return NGX_ERROR;
    }

    to->len = from->len;

    return NGX_OK;
}


/*
 * SOURCE has a password only; "name:password" is understood, as some bases have
 * one field for both.
 */

static void
ngx_stream_ntrip_base_claim(ngx_stream_ntrip_rover_t *rover,
    ngx_stream_ntrip_station_t *station)
{
    ngx_int_t                    rc;
    ngx_str_t                   *name;
    ntrip_request_t             *r;
    ngx_stream_ntrip_user_t     *user;
    ngx_stream_ntrip_claim_t     claim;
    ngx_stream_ntrip_request_t  *rq;

    rq = rover->request;
    r = &rq->request;
    user = &rq->user;
    name = &station->name;

    rover->session->connection->log->action = "verifying ntrip password";

    user->name_len = station->mount.len;
    ngx_memcpy(user->name, station->mount.data, station->mount.len);

    user->password_len = ngx_min(station->password.len,
                                 sizeof(user->password));
    ngx_memcpy(user->password, station->password.data, user->password_len);

    rq->refused = NULL;

    if (r->method == NTRIP_POST) {

        if (name->len
            && (name->len != r->user.len
                || ngx_memcmp(name->data, r->user.data, name->len) != 0))
        {
            rq->refused = "another name";
        }

    } else if (name->len
               && r->password.len > name->len
               && r->password.data[name->len] == ':'
               && ngx_memcmp(r->password.data, name->data, name->len) == 0)
    {
        r->password.data += name->len + 1;
        r->password.len -= name->len + 1;
    }

    claim.peer = rover->session->connection;
    claim.door = NGX_STREAM_NTRIP_DOOR_CASTER;
    claim.name = station->mount;
    claim.password = r->password;
    claim.user = user;
    claim.refused = (rq->refused != NULL);

    rc = ngx_stream_ntrip_verify(&claim, ngx_stream_ntrip_base_verified,
                                 rover, &rq->check);

    switch (rc) {

    case NGX_AGAIN:
        ngx_stream_ntrip_login_verify(rover);
        return;

    case NGX_ERROR:
        ngx_stream_ntrip_count(unavailable);
        ngx_stream_ntrip_error(rover, 503, "unavailable");
        return;

    default:
        ngx_stream_ntrip_base_verified(rover, rc);
    }
}


/* an event of the thread pool, too */

static void
ngx_stream_ntrip_base_verified(void *data, ngx_int_t rc)
{
    ngx_stream_ntrip_rover_t *rover = data;

    const char                 *reason;
    ngx_connection_t           *c;
    ngx_stream_ntrip_request_t *rq;

    c = rover->session->connection;
    rq = rover->request;

    if (c->write->timer_set) {
        ngx_del_timer(c->write);
    }

    rq->check = NULL;

    if (rc != NGX_OK) {
        reason = rq->refused ? rq->refused : "wrong password";
        ngx_stream_ntrip_base_wrong(rover, reason);
        return;
    }

    ngx_stream_ntrip_base_label(rover);
    ngx_stream_ntrip_base_take(rover);
}


static void
ngx_stream_ntrip_base_wrong(ngx_stream_ntrip_rover_t *rover,
    const char *reason)
{
    ngx_stream_ntrip_count(refused);

    ngx_log_error(NGX_LOG_INFO, rover->session->connection->log, 0,
                  "ntrip upload to mountpoint \"%V\" refused: %s",
                  &rover->name, reason);

    ngx_stream_ntrip_error(rover, 401, "refused");
}


/* who it is, for lists and the other one's log: with the port, as there may be
   two behind one address */

void
ngx_stream_ntrip_base_label(ngx_stream_ntrip_rover_t *rover)
{
    u_char            *p;
    ngx_str_t          user;
    ngx_connection_t  *c;

    c = rover->session->connection;

    ngx_str_null(&user);

    if (rover->user.len) {
        ngx_stream_ntrip_escape(c->pool, &rover->user, &user);
    }

    p = ngx_pnalloc(c->pool, user.len + 1 + NGX_SOCKADDR_STRLEN);
    if (p == NULL) {
        return;
    }

    rover->source.data = p;

    if (user.len) {
        p = ngx_cpymem(p, user.data, user.len);
        *p++ = '@';
    }

    p += ngx_sock_ntop(c->sockaddr, c->socklen, p, NGX_SOCKADDR_STRLEN, 1);

    rover->source.len = p - rover->source.data;
}


/* also called again while another upload ends */

void
ngx_stream_ntrip_base_take(ngx_stream_ntrip_rover_t *rover)
{
    ngx_connection_t  *c;

    c = rover->session->connection;

    if (ngx_stream_ntrip_login_gone(c)) {
        ngx_stream_ntrip_rover_finalize(rover, "closed");
        return;
    }

    switch (ngx_stream_ntrip_station_publish(rover, &rover->source)) {

    case NGX_OK:
        ngx_stream_ntrip_base_welcome(rover);
        return;

    case NGX_AGAIN:
        if (rover->request->asked++ < NTRIP_STATION_TIMES) {
            rover->state = NGX_STREAM_NTRIP_ROVER_TAKE;
            c->log->action = "waiting for the mountpoint";
            ngx_add_timer(c->write, NTRIP_STATION_ASK);
            return;
        }

        /* fall through */

    case NGX_BUSY:
        ngx_stream_ntrip_base_taken(rover);
        return;

    default: /* NGX_ERROR */
        ngx_stream_ntrip_count(unavailable);
        ngx_stream_ntrip_error(rover, 503, "zone full");
    }
}


static void
ngx_stream_ntrip_base_taken(ngx_stream_ntrip_rover_t *rover)
{
    u_char     label[NTRIP_LABEL_MAX];
    ngx_str_t  other;

    other.data = label;
    other.len = ngx_stream_ntrip_station_label(&rover->name, label);

    ngx_log_error(NGX_LOG_WARN, rover->session->connection->log, 0,
                  "ntrip upload to mountpoint \"%V\" by %V refused: it is "
                  "taken by %V", &rover->name, &rover->source, &other);

    ngx_stream_ntrip_error(rover, 409, "taken");
}


/* ---- the upload ---- */

static void
ngx_stream_ntrip_base_welcome(ngx_stream_ntrip_rover_t *rover)
{
    ssize_t                      n;
    u_char                       buf[NTRIP_RESPONSE_MAX];
    ngx_int_t                    rc;
    ntrip_out_t                  out;
    ntrip_request_t             *r;
    ngx_connection_t            *c;
    ngx_stream_ntrip_request_t  *rq;

    c = rover->session->connection;
    rq = rover->request;
    r = &rq->request;

    rover->upload = ngx_stream_ntrip_upload_create(rover->feeds->index,
                                                   rover->feeds->serial,
                                                   r->chunked);
    if (rover->upload == NULL) {
        ngx_stream_ntrip_rover_finalize(rover, "error");
        return;
    }

    ntrip_out_init(&out, buf, sizeof(buf));

    if (r->expect && r->http11) {
        ntrip_out_text(&out, NGX_STREAM_NTRIP_CONTINUE);
    }

    ntrip_response_ok(&out, r->form, ngx_time(), 0);

    n = c->send(c, out.start, out.last - out.start);

    if (n != out.last - out.start) {
        ngx_stream_ntrip_rover_finalize(rover, "reset");
        return;
    }

    ngx_log_error(NGX_LOG_INFO, c->log, 0,
                  "ntrip upload to mountpoint \"%V\" begins", &rover->name);

    rover->request = NULL;

    ngx_stream_ntrip_base_begin(rover);

    rc = ngx_stream_ntrip_base_data(rover, rq->buf + r->body,
                                    rq->len - r->body);

    ngx_explicit_memzero(rq, sizeof(ngx_stream_ntrip_request_t));
    ngx_free(rq);

    if (rc == NGX_OK) {
        ngx_stream_ntrip_base_read(rover);
    }
}


void
ngx_stream_ntrip_base_begin(ngx_stream_ntrip_rover_t *rover)
{
    ngx_connection_t             *c;
    ngx_stream_ntrip_srv_conf_t  *conf;

    c = rover->session->connection;
    conf = ngx_stream_get_module_srv_conf(rover->session,
                                          ngx_stream_ntrip_module);

    c->log->action = "reading from a base station";
    rover->state = NGX_STREAM_NTRIP_ROVER_UPLOAD;

    ngx_queue_insert_tail(&ngx_stream_ntrip_bases, &rover->queue);

    ngx_add_timer(c->read, conf->source_timeout);
}


/* one that floods does not keep others waiting: they have their turn between
   two reads */

void
ngx_stream_ntrip_base_read(ngx_stream_ntrip_rover_t *rover)
{
    ssize_t            n;
    ngx_connection_t  *c;

    static u_char  buf[NGX_STREAM_NTRIP_UPLOAD];

    c = rover->session->connection;

    n = c->recv(c, buf, ngx_min(sizeof(buf),
                                ngx_stream_ntrip_upload_size(rover->upload)));

    if (n > 0) {
        rover->session->received += n;

        if (ngx_stream_ntrip_base_data(rover, buf, n) != NGX_OK) {
            return;
        }

        if (c->read->ready) {
            ngx_post_event(c->read, &ngx_posted_next_events);
            return;
        }
    }

    if (n == 0) {
        ngx_stream_ntrip_rover_finalize(rover, "closed");

    } else if (n == NGX_ERROR) {
        ngx_stream_ntrip_rover_finalize(rover, "reset");

    } else if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_stream_ntrip_rover_finalize(rover, "error");
    }
}


/* NGX_OK, or NGX_ERROR: the base is gone */

static ngx_int_t
ngx_stream_ntrip_base_data(ngx_stream_ntrip_rover_t *rover, u_char *data,
    size_t len)
{
    ngx_str_t                     in;
    const char                   *why;
    ngx_connection_t             *c;
    ngx_stream_ntrip_srv_conf_t  *conf;

    if (len == 0) {
        return NGX_OK;
    }

    c = rover->session->connection;
    in.data = data;
    in.len = len;

    switch (ngx_stream_ntrip_upload_data(rover->upload, &in, &why)) {

    case NGX_OK:
        conf = ngx_stream_get_module_srv_conf(rover->session,
                                              ngx_stream_ntrip_module);
        rover->useless = 0;
        ngx_add_timer(c->read, conf->source_timeout);
        return NGX_OK;

    case NGX_AGAIN:
        rover->useless = 1;
        return NGX_OK;

    case NGX_DONE:
        ngx_stream_ntrip_rover_finalize(rover, "closed");
        return NGX_ERROR;

    default: /* NGX_ERROR */
        ngx_stream_ntrip_rover_finalize(rover, why);
        return NGX_ERROR;
    }
}


void
ngx_stream_ntrip_base_silent(ngx_stream_ntrip_rover_t *rover)
{
    ngx_stream_ntrip_rover_finalize(rover, rover->useless ? "no messages"
                                                          : "no data");
}


/* ---- the end ---- */

void
ngx_stream_ntrip_base_end(ngx_stream_ntrip_rover_t *rover,
    const char *result)
{
    if (rover->feeds) {
        ngx_stream_ntrip_station_end(rover);
    }

    if (rover->upload == NULL) {
        return;
    }

    rover->messages = ngx_stream_ntrip_upload_messages(rover->upload);

    if (rover->state == NGX_STREAM_NTRIP_ROVER_UPLOAD) {
        ngx_queue_remove(&rover->queue);

        ngx_log_error(NGX_LOG_INFO, rover->session->connection->log, 0,
                      "ntrip upload to mountpoint \"%V\" ended: %s, %uL "
                      "messages, %uL bytes were none",
                      &rover->name, result, rover->messages,
                      ngx_stream_ntrip_upload_skipped(rover->upload));
    }

    ngx_stream_ntrip_upload_free(rover->upload);
    rover->upload = NULL;
}


void
ngx_stream_ntrip_base_asked(ngx_stream_ntrip_rover_t *rover)
{
    if (rover->offer.nonce == 0) {
        ngx_stream_ntrip_rover_finalize(rover, "replaced");
    }
}


/* ---- all of them ---- */

void
ngx_stream_ntrip_base_tick(void)
{
    ngx_queue_t               *q, *next;
    ngx_stream_ntrip_rover_t  *rover;

    for (q = ngx_queue_head(&ngx_stream_ntrip_bases);
         q != ngx_queue_sentinel(&ngx_stream_ntrip_bases);
         q = next)
    {
        next = ngx_queue_next(q);
        rover = ngx_queue_data(q, ngx_stream_ntrip_rover_t, queue);

        if (rover->offer.nonce) {
            continue;
        }

        ngx_stream_ntrip_upload_tick(rover->upload);

        if (rover->check) {
            ngx_stream_ntrip_base_verify(rover);
        }
    }
}


/* the next tick looks at each, or that of its heir */

void
ngx_stream_ntrip_bases_changed(void)
{
    ngx_queue_t               *q;
    ngx_stream_ntrip_rover_t  *rover;

    for (q = ngx_queue_head(&ngx_stream_ntrip_bases);
         q != ngx_queue_sentinel(&ngx_stream_ntrip_bases);
         q = ngx_queue_next(q))
    {
        rover = ngx_queue_data(q, ngx_stream_ntrip_rover_t, queue);
        rover->check = 1;
    }
}


/* may the base still be here?  Ends the upload if not. */

static void
ngx_stream_ntrip_base_verify(ngx_stream_ntrip_rover_t *rover)
{
    ngx_stream_ntrip_station_t  *station;

    rover->check = !ngx_stream_ntrip_store_stations_known();

    if (rover->check) {
        return;
    }

    station = ngx_stream_ntrip_store_station(&rover->name);

    if (station && ngx_stream_ntrip_base_stored(station) == rover->stored) {
        return;
    }

    ngx_log_error(NGX_LOG_INFO, rover->session->connection->log, 0,
                  "base station \"%V\" was deleted, or has another password",
                  &rover->name);
    ngx_stream_ntrip_rover_finalize(rover, "revoked");
}


/* of what it has logged in with */

static uint64_t
ngx_stream_ntrip_base_stored(ngx_stream_ntrip_station_t *station)
{
    uint64_t  hash;

    hash = ntrip_hash(ngx_stream_ntrip_worker.bus->seed,
                      station->password.data, station->password.len, 0);

    return ntrip_hash(hash, station->name.data, station->name.len, 0);
}
