
/*
 * Fieldgate: "cwmp_affinity": a balancer around the balancers of an upstream.
 *
 * It is installed when all of the configuration has been read, and so is the
 * outermost one: from nginx 1.29.7 on upstream keep-alive wraps every
 * balancer on its own account.  The inner ones are asked once for each
 * connection that is opened, and told of its end with the first request; their
 * "free" never sees the connection, so that none gets into a cache.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_md5.h>

#include "ngx_http_cwmp_pin.h"


typedef struct {
    ngx_http_cwmp_srv_conf_t          *conf;
    ngx_http_cwmp_session_t           *session;
    ngx_http_cwmp_pin_t               *pin;      /* NULL: one request only */
    ngx_http_request_t                *request;
    ngx_http_upstream_t               *upstream;
    ngx_str_t                          name;
    ngx_sockaddr_t                     sockaddr;
    ngx_uint_t                         tries;

    void                              *data;
    ngx_event_get_peer_pt              get;
    ngx_event_free_peer_pt             free;
    ngx_event_notify_peer_pt           notify;
#if (NGX_HTTP_SSL)
    ngx_event_set_peer_session_pt      set_session;
    ngx_event_save_peer_session_pt     save_session;
#endif

    /*
     * Round-robin's state: that of round-robin and least_conn, which take what
     * is there, or of another balancer that has it first in its own, as all of
     * nginx's have; NULL: the balancer is of another kind, or hidden.
     */

    ngx_http_upstream_rr_peer_data_t   place;
    ngx_http_upstream_rr_peer_data_t  *rrp;

    unsigned                           inform:1;
    unsigned                           fresh:1;  /* the zone knows nothing */
    unsigned                           got:1;    /* a peer of the inner one */
} ngx_http_cwmp_peer_t;


static ngx_int_t ngx_http_cwmp_init_peer(ngx_http_request_t *r,
    ngx_http_upstream_srv_conf_t *us);
static ngx_int_t ngx_http_cwmp_get_peer(ngx_peer_connection_t *pc,
    void *data);
static ngx_int_t ngx_http_cwmp_get_pinned(ngx_peer_connection_t *pc,
    ngx_http_cwmp_peer_t *cp);
static ngx_connection_t *ngx_http_cwmp_get_spare(ngx_peer_connection_t *pc,
    ngx_http_cwmp_peer_t *cp);
static ngx_int_t ngx_http_cwmp_get_server(ngx_peer_connection_t *pc,
    ngx_http_cwmp_peer_t *cp, cwmp_server_t *server);
static ngx_int_t ngx_http_cwmp_get_rr_server(ngx_peer_connection_t *pc,
    ngx_http_upstream_rr_peer_data_t *rrp, cwmp_server_t *server);
static void ngx_http_cwmp_server_of(ngx_peer_connection_t *pc,
    cwmp_server_t *server);
static void ngx_http_cwmp_free_peer(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t state);
static ngx_uint_t ngx_http_cwmp_can_keep(ngx_http_cwmp_peer_t *cp,
    ngx_connection_t *c);
static void ngx_http_cwmp_check_keepalive(ngx_http_cwmp_peer_t *cp);
static void ngx_http_cwmp_notify_peer(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t type);
#if (NGX_HTTP_SSL)
static ngx_int_t ngx_http_cwmp_set_session(ngx_peer_connection_t *pc,
    void *data);
static void ngx_http_cwmp_save_session(ngx_peer_connection_t *pc, void *data);
#endif


ngx_int_t
ngx_http_cwmp_affinity_init(ngx_conf_t *cf)
{
    ngx_md5_t                        md5;
    ngx_uint_t                       i;
    ngx_http_cwmp_srv_conf_t        *cscf, **p;
    ngx_http_cwmp_main_conf_t       *cmcf;
    ngx_http_upstream_srv_conf_t   **uscf;
    ngx_http_upstream_main_conf_t   *umcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_cwmp_module);

    if (cmcf->affinity.line == 0) {
        return NGX_OK;
    }

    if (ngx_array_init(&cmcf->upstreams, cf->pool, 4,
                       sizeof(ngx_http_cwmp_srv_conf_t *))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    umcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_upstream_module);

    uscf = umcf->upstreams.elts;

    for (i = 0; i < umcf->upstreams.nelts; i++) {

        if (uscf[i]->srv_conf == NULL) {
            continue;
        }

        cscf = ngx_http_conf_upstream_srv_conf(uscf[i], ngx_http_cwmp_module);

        if (cscf->affinity.line == 0) {
            continue;
        }

        cscf->original_init_peer = uscf[i]->peer.init;
        uscf[i]->peer.init = ngx_http_cwmp_init_peer;

        /* tells its rows from those of other upstreams, also after a reload */

        ngx_md5_init(&md5);
        ngx_md5_update(&md5, uscf[i]->host.data, uscf[i]->host.len);
        ngx_md5_final(cscf->tag, &md5);

        cscf->index = cmcf->upstreams.nelts;
        cscf->upstream = uscf[i]->host;

        p = ngx_array_push(&cmcf->upstreams);
        if (p == NULL) {
            return NGX_ERROR;
        }

        *p = cscf;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_http_cwmp_init_peer(ngx_http_request_t *r,
    ngx_http_upstream_srv_conf_t *us)
{
    ngx_http_upstream_t       *u;
    ngx_http_cwmp_peer_t      *cp;
    ngx_http_cwmp_claim_t     *claim;
    ngx_http_cwmp_srv_conf_t  *cscf;

    cscf = ngx_http_conf_upstream_srv_conf(us, ngx_http_cwmp_module);

    cp = ngx_pcalloc(r->pool, sizeof(ngx_http_cwmp_peer_t));
    if (cp == NULL) {
        return NGX_ERROR;
    }

    u = r->upstream;

    u->peer.data = &cp->place;

    if (cscf->original_init_peer(r, us) != NGX_OK) {
        return NGX_ERROR;
    }

    if (cp->place.peers) {
        cp->rrp = &cp->place;

    } else if (u->peer.free == ngx_http_upstream_free_round_robin_peer) {
        cp->rrp = u->peer.data;
    }

    cp->session = ngx_http_cwmp_session_get(r, 1);
    if (cp->session == NULL) {
        return NGX_ERROR;
    }

    /* a subrequest may come before the body is known, or after the session */

    if (r == r->main) {
        claim = ngx_http_cwmp_session_claim(r, cp->session, 1);
        if (claim == NULL) {
            return NGX_ERROR;
        }

        if (ngx_http_cwmp_admission_judge(r, cp->session, us) != NGX_OK) {
            return NGX_ERROR;
        }

        ngx_http_cwmp_session_join(r, cp->session, claim);
        cp->inform = claim->claim.inform;

        cp->pin = ngx_http_cwmp_pin_get(cp->session, us, u->conf);

        ngx_http_cwmp_admission_begin(cp->session, claim, us, cp->pin);

        if (cp->pin == NULL) {
            return NGX_ERROR;
        }

        /*
         * What the zone had no room for, the pin may know; and after an
         * internal redirect the zone knows what the first request has told it.
         */

        cp->fresh = (claim->fresh && cp->pin->server.len == 0);
        claim->fresh = 0;
    }

    cp->conf = cscf;
    cp->request = r;
    cp->upstream = u;

    cp->data = u->peer.data;
    cp->get = u->peer.get;
    cp->free = u->peer.free;
    cp->notify = u->peer.notify;

    u->peer.data = cp;
    u->peer.get = ngx_http_cwmp_get_peer;
    u->peer.free = ngx_http_cwmp_free_peer;

    if (cp->notify) {
        u->peer.notify = ngx_http_cwmp_notify_peer;
    }

#if (NGX_HTTP_SSL)
    cp->set_session = u->peer.set_session;
    cp->save_session = u->peer.save_session;
    u->peer.set_session = ngx_http_cwmp_set_session;
    u->peer.save_session = ngx_http_cwmp_save_session;
#endif

    return NGX_OK;
}


static ngx_int_t
ngx_http_cwmp_get_peer(ngx_peer_connection_t *pc, void *data)
{
    ngx_http_cwmp_peer_t  *cp = data;

    ngx_int_t               rc;
    ngx_connection_t       *spare;
    ngx_http_cwmp_pin_t    *pin;
    cwmp_server_t  server;

    if (cp->pin && cp->pin->attach.user
        && cp->pin->attach.user != cp->upstream)
    {
        /* a concurrent request of this CPE has it */

        cp->pin = NULL;
    }

    pin = cp->pin;

    if (cp->tries++ == 0) {

        if (pin && !pin->spare && ngx_http_cwmp_get_pinned(pc, cp) == NGX_DONE)
        {
            return NGX_DONE;
        }

        if (!cp->fresh
            && ngx_http_cwmp_rows_server(cp->session, pin, cp->conf, &server)
               == NGX_OK)
        {
            rc = ngx_http_cwmp_get_server(pc, cp, &server);

        } else if (pin && cp->rrp
                   && ngx_http_cwmp_ticket_server(cp->request, pin->upstream,
                                                  cp->rrp->peers, &server)
                      == NGX_OK)
        {
            rc = ngx_http_cwmp_get_server(pc, cp, &server);

        } else {
            server.len = 0;
            rc = NGX_DECLINED;
        }

    } else {
        server.len = 0;
        rc = NGX_DECLINED;
    }

    if (rc == NGX_DECLINED) {
        rc = cp->get(pc, cp->data);
    }

    if (rc == NGX_DONE) {

        /* whatever cache that is from: it may have been another CPE's */

        ngx_http_cwmp_close_upstream(pc->connection);
        pc->connection = NULL;
        pc->cached = 0;
        rc = NGX_OK;
    }

    if (rc != NGX_OK) {

        if (pin) {
            ngx_http_cwmp_admission_leave(pin);
        }

        return rc;
    }

    cp->got = 1;

    if (pin == NULL) {
        return NGX_OK;
    }

    spare = pin->spare ? ngx_http_cwmp_get_spare(pc, cp) : NULL;

    if (spare == NULL) {
        ngx_http_cwmp_attach_begin(&pin->attach, cp->upstream);
    }

    ngx_http_cwmp_admission_enter(pin);

    ngx_http_cwmp_server_of(pc, &pin->server);
    pin->ticket = 0;

    if (server.len) {
        if (server.len == pin->server.len
            && ngx_memcmp(server.data, pin->server.data, server.len) == 0)
        {
            ngx_http_cwmp_count(cp->session->zone, SESSIONS_RETURNED);

        } else {
            ngx_http_cwmp_count(cp->session->zone, SESSIONS_MOVED);
            ngx_log_error(NGX_LOG_INFO, pc->log, 0,
                          "the CPE's session moves to server %V",
                          pc->name);
        }
    }

    pin->socklen = ngx_min(pc->socklen, (socklen_t) sizeof(ngx_sockaddr_t));
    ngx_memcpy(&pin->sockaddr, pc->sockaddr, pin->socklen);

    pin->name.len = ngx_min(pc->name->len, sizeof(pin->text));
    ngx_memcpy(pin->text, pc->name->data, pin->name.len);

    ngx_http_cwmp_rows_hold(pin, cp->conf);

    if (spare) {
        ngx_http_cwmp_count(cp->session->zone, PINNED_REUSED);

        pc->connection = spare;
        pc->cached = 1;

        return NGX_DONE;
    }

    ngx_http_cwmp_count(cp->session->zone, PINNED_OPENED);

    return NGX_OK;
}


static ngx_int_t
ngx_http_cwmp_get_pinned(ngx_peer_connection_t *pc, ngx_http_cwmp_peer_t *cp)
{
    u_char               *p;
    ngx_connection_t     *c;
    ngx_http_cwmp_pin_t  *pin;

    pin = cp->pin;

    c = ngx_http_cwmp_attach_take(&pin->attach, cp->upstream, pc->log);
    if (c == NULL) {
        return NGX_DECLINED;
    }

    /* the pin may have another server before the request has been logged */

    p = ngx_pnalloc(cp->request->pool, pin->name.len);
    if (p == NULL) {
        ngx_http_cwmp_attach_done(&pin->attach, c);
        return NGX_DECLINED;
    }

    ngx_memcpy(p, pin->name.data, pin->name.len);

    cp->name.data = p;
    cp->name.len = pin->name.len;
    ngx_memcpy(&cp->sockaddr, &pin->sockaddr, pin->socklen);

    pc->connection = c;
    pc->cached = 1;
    pc->sockaddr = &cp->sockaddr.sockaddr;
    pc->socklen = pin->socklen;
    pc->name = &cp->name;

    ngx_http_cwmp_rows_hold(pin, cp->conf);
    ngx_http_cwmp_count(cp->session->zone, PINNED_REUSED);

    ngx_log_debug1(NGX_LOG_DEBUG_HTTP, pc->log, 0,
                   "get cwmp pinned peer: using connection %p", c);

    return NGX_DONE;
}


/*
 * The connection of the session before, if this is the same CPE's next one
 * and goes to the same server; else it is closed.
 */

static ngx_connection_t *
ngx_http_cwmp_get_spare(ngx_peer_connection_t *pc, ngx_http_cwmp_peer_t *cp)
{
    ngx_connection_t     *c;
    ngx_http_cwmp_pin_t  *pin;

    c = NULL;
    pin = cp->pin;

    if (cp->inform
        && cwmp_session_named(&cp->session->state)
        && ngx_memcmp(cp->session->state.name.key, pin->last,
                      CWMP_TABLE_KEY_LEN)
           == 0
        && pc->socklen == pin->socklen
        && ngx_memcmp(pc->sockaddr, &pin->sockaddr, pin->socklen) == 0)
    {
        c = ngx_http_cwmp_attach_take(&pin->attach, cp->upstream, pc->log);

    } else {
        ngx_http_cwmp_attach_drop(&pin->attach);
    }

    pin->spare = 0;

    return c;
}


/*
 * Gets the server of the session.  NGX_DECLINED: it is gone or not fit for use,
 * or the balancer is of a kind that chooses by itself.
 */

static ngx_int_t
ngx_http_cwmp_get_server(ngx_peer_connection_t *pc, ngx_http_cwmp_peer_t *cp,
    cwmp_server_t *server)
{
    if (cp->rrp) {
        return ngx_http_cwmp_get_rr_server(pc, cp->rrp, server);
    }

#if (NGX_HTTP_UPSTREAM_SID)

    if (server->sid_len) {
        ngx_int_t  rc;
        ngx_str_t  hint;

        hint.len = server->sid_len;
        hint.data = server->sid;

        pc->hint = &hint;
        rc = cp->get(pc, cp->data);
        pc->hint = NULL;

        return rc;
    }

#endif

    return NGX_DECLINED;
}


/*
 * Chooses the server as round-robin would have done, with all that its "free"
 * will take back.  A hint, which there is from 1.29.6 on, would do the same
 * but count it as a turn of the server.
 */

static ngx_int_t
ngx_http_cwmp_get_rr_server(ngx_peer_connection_t *pc,
    ngx_http_upstream_rr_peer_data_t *rrp, cwmp_server_t *server)
{
    time_t                         now;
    ngx_uint_t                     i, n, down;
    ngx_http_upstream_rr_peer_t   *peer;
    ngx_http_upstream_rr_peers_t  *peers;

    now = ngx_time();

    for (peers = rrp->peers; peers; peers = peers->next) {

        ngx_http_upstream_rr_peers_wlock(peers);

#if (NGX_HTTP_UPSTREAM_ZONE && nginx_version >= 1027003)
        if (peers->config && rrp->config != *peers->config) {
            ngx_http_upstream_rr_peers_unlock(peers);
            return NGX_DECLINED;
        }
#endif

        for (peer = peers->peer, i = 0; peer; peer = peer->next, i++) {

            if (peer->socklen == server->len
                && ngx_memcmp(peer->sockaddr, server->data, server->len) == 0)
            {
                break;
            }
        }

        if (peer) {
            goto found;
        }

        ngx_http_upstream_rr_peers_unlock(peers);
    }

    return NGX_DECLINED;

found:

    down = peer->down;

#ifdef NGX_HTTP_UPSTREAM_DRAINING

    /* a server that is being drained keeps its sessions */

    down &= ~NGX_HTTP_UPSTREAM_DRAINING;

#endif

    if (down
        || (peer->max_conns && peer->conns >= peer->max_conns)
        || (!peers->single
            && peer->max_fails
            && peer->fails >= peer->max_fails
            && now - peer->checked <= peer->fail_timeout))
    {
        ngx_http_upstream_rr_peers_unlock(peers);
        return NGX_DECLINED;
    }

    if (peers != rrp->peers) {

        /* a backup server; the bits are now those of the backup servers */

        n = (peers->number + (8 * sizeof(uintptr_t) - 1))
                / (8 * sizeof(uintptr_t));
        ngx_memzero(rrp->tried, n * sizeof(uintptr_t));

        rrp->peers = peers;
    }

    rrp->current = peer;
    rrp->tried[i / (8 * sizeof(uintptr_t))] |=
                               (uintptr_t) 1 << i % (8 * sizeof(uintptr_t));

#ifdef ngx_http_upstream_rr_peer_ref
    ngx_http_upstream_rr_peer_ref(peers, peer);
#endif

    if (now - peer->checked > peer->fail_timeout) {
        peer->checked = now;
    }

    pc->cached = 0;
    pc->connection = NULL;
    pc->sockaddr = peer->sockaddr;
    pc->socklen = peer->socklen;
    pc->name = &peer->name;

#if (NGX_HTTP_UPSTREAM_SID)
    pc->sid = &peer->sid;
#endif

    peer->conns++;

    ngx_http_upstream_rr_peers_unlock(peers);

    return NGX_OK;
}


static void
ngx_http_cwmp_server_of(ngx_peer_connection_t *pc, cwmp_server_t *server)
{
    ngx_str_t  *sid;

    sid = NULL;

#if (NGX_HTTP_UPSTREAM_SID)
    sid = pc->sid;
#endif

    cwmp_server_set(server, (u_char *) pc->sockaddr, pc->socklen, sid);
}


static void
ngx_http_cwmp_free_peer(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t state)
{
    ngx_http_cwmp_peer_t  *cp = data;

    ngx_uint_t            sent, next;
    ngx_connection_t     *c;
    ngx_http_cwmp_pin_t  *pin;

    c = pc->connection;
    pin = cp->pin;

    sent = (cp->request->method == NGX_HTTP_POST
            && cp->upstream->request_sent);

    /* "proxy_next_upstream", be it for an error or for a 404 */

    next = state & (NGX_PEER_FAILED|NGX_PEER_NEXT);

    if (!next) {
        ngx_http_cwmp_check_keepalive(cp);
    }

    if (pin && pin->attach.user == cp->upstream) {

        if (c && !next && ngx_http_cwmp_can_keep(cp, c)) {

            ngx_http_cwmp_attach_park(&pin->attach, c,
                                      pin->spare ? NGX_HTTP_CWMP_SPARE
                                                 : cp->conf->timeout);

        } else {
            ngx_http_cwmp_attach_done(&pin->attach, c);
        }

    } else if (c) {
        ngx_http_cwmp_close_upstream(c);
    }

    pc->connection = NULL;

    if (cp->got) {
        cp->got = 0;
        cp->free(pc, cp->data, state);
    }

    if (sent && next) {

        /* it may have been received: never a second time, anywhere */

        pc->tries = 0;
        pc->cached = 0;
    }
}


/*
 * The answer is whole, and both sides are fit for another request.
 */

static ngx_uint_t
ngx_http_cwmp_can_keep(ngx_http_cwmp_peer_t *cp, ngx_connection_t *c)
{
    ngx_http_request_t   *r;
    ngx_http_upstream_t  *u;

    r = cp->request;
    u = cp->upstream;

    if (!u->keepalive
        || !u->request_body_sent
        || c->read->eof
        || c->read->error
        || c->read->timedout
        || c->write->error
        || c->write->timedout)
    {
        return 0;
    }

    if (r->connection->error) {
        return 0;
    }

    /*
     * If the CPE's connection is about to be closed, close this one first: the
     * CPE may come back before nginx is done.  With HTTP/2 and HTTP/3
     * keepalive says nothing of it.
     */

    return (r->main->keepalive || cp->session->client->http == NULL)
           && !ngx_exiting && !ngx_terminate;
}


/*
 * Without "proxy_http_version 1.1" nothing can be kept: safe, but slow, and
 * the CPE's own Digest cannot work.
 */

static void
ngx_http_cwmp_check_keepalive(ngx_http_cwmp_peer_t *cp)
{
    u_char                *p, *last;
    ngx_buf_t             *b;
    ngx_http_upstream_t   *u;
    ngx_http_cwmp_zone_t  *z;

    u = cp->upstream;
    z = cp->session->zone;

    if (u->keepalive || z->sh->warned || u->request_bufs == NULL) {
        return;
    }

    b = u->request_bufs->buf;

    if (!ngx_buf_in_memory(b) || b->start == NULL) {
        return;
    }

    p = b->start;
    last = ngx_strlchr(p, b->last, CR);

    if (last == NULL || last - p < (ssize_t) sizeof(" HTTP/1.0") - 1) {
        return;
    }

    if (ngx_strncmp(last - 9, " HTTP/1.0", 9) != 0
        && ngx_strlcasestrn(last, b->last,
                            (u_char *) CRLF "Connection: close" CRLF,
                            sizeof(CRLF "Connection: close" CRLF) - 2)
           == NULL)
    {
        return;
    }

    if (ngx_atomic_cmp_set(&z->sh->warned, 0, 1)) {
        ngx_log_error(NGX_LOG_WARN, cp->request->connection->log, 0,
                      "\"cwmp_affinity\" opens an upstream connection for each "
                      "request: it needs \"proxy_http_version 1.1\" and "
                      "\"proxy_set_header Connection \"\"\"");
    }
}


static void
ngx_http_cwmp_notify_peer(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t type)
{
    ngx_http_cwmp_peer_t  *cp = data;

    if (cp->got) {
        cp->notify(pc, cp->data, type);
    }
}


#if (NGX_HTTP_SSL)

static ngx_int_t
ngx_http_cwmp_set_session(ngx_peer_connection_t *pc, void *data)
{
    ngx_http_cwmp_peer_t  *cp = data;

    return cp->got ? cp->set_session(pc, cp->data) : NGX_OK;
}


static void
ngx_http_cwmp_save_session(ngx_peer_connection_t *pc, void *data)
{
    ngx_http_cwmp_peer_t  *cp = data;

    if (cp->got) {
        cp->save_session(pc, cp->data);
    }
}

#endif
