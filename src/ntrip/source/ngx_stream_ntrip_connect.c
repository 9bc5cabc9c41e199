
/*
 * Fieldgate: a client of a provider on its way there: addresses, connecting.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_stream_ntrip_client_private.h"


/* fits a request with the longest fields of an account */
#define NGX_STREAM_NTRIP_LOGIN  3072


static ngx_int_t ngx_stream_ntrip_client_request(
    ngx_stream_ntrip_client_t *client, ntrip_reply_request_t *request);
static void ngx_stream_ntrip_client_connect(
    ngx_stream_ntrip_client_t *client);
static ngx_int_t ngx_stream_ntrip_client_try(
    ngx_stream_ntrip_client_t *client);
static const char *ngx_stream_ntrip_client_error(ngx_err_t err);
static void ngx_stream_ntrip_client_connect_handler(ngx_event_t *ev);
static void ngx_stream_ntrip_client_reached(
    ngx_stream_ntrip_client_t *client);


ngx_int_t
ngx_stream_ntrip_client_login(ngx_stream_ntrip_client_t *client,
    ntrip_reply_request_t *request)
{
    ngx_int_t  rc;

    client->log->action = "logging in at a provider";
    client->why = NULL;
    client->plain = 0;
    client->distrusted = 0;
    client->certificate = 0;
    client->useless = 0;

    client->host.data = client->host_data;
    client->host.len = request->host.len;
    ngx_memcpy(client->host_data, request->host.data, request->host.len);

    if (ngx_stream_ntrip_client_request(client, request) != NGX_OK) {
        ngx_stream_ntrip_client_wipe(client);
        return NGX_ERROR;
    }

    ntrip_reply_init(&client->reply, request->mount.len
                                     ? NTRIP_REPLY_STREAM : NTRIP_REPLY_TABLE);

    client->log->action = "looking up the address of a provider";
    client->state = NGX_STREAM_NTRIP_CLIENT_LOOKUP;
    client->addr = 0;

    ngx_add_timer(&client->timer, client->connect_timeout);

    rc = ngx_stream_ntrip_addrs_find(&client->addrs, &client->host,
                                     (in_port_t) request->port);

    if (rc == NGX_OK) {
        ngx_stream_ntrip_client_connect(client);
    }

    if (rc == NGX_ERROR) {
        ngx_stream_ntrip_client_fail(client, "host not looked up");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_stream_ntrip_client_request(ngx_stream_ntrip_client_t *client,
    ntrip_reply_request_t *request)
{
    u_char                 bracketed[NTRIP_HOST_MAX + 2];
    ntrip_out_t            out;
    ntrip_reply_request_t  r;

    client->request = ngx_alloc(NGX_STREAM_NTRIP_LOGIN, client->log);
    if (client->request == NULL) {
        client->why = "no memory";
        return NGX_ERROR;
    }

    r = *request;

    if (ngx_strlchr(r.host.data, r.host.data + r.host.len, ':')) {
        r.host.data = bracketed;
        r.host.len = ngx_sprintf(bracketed, "[%V]", &request->host)
                     - bracketed;
    }

    ntrip_out_init(&out, client->request, NGX_STREAM_NTRIP_LOGIN);
    ntrip_reply_request(&out, &r);

    if (out.overflow) {
        ngx_log_error(NGX_LOG_ERR, client->log, 0,
                      "the name or password of the account is too long");
        client->why = "name or password too long";
        return NGX_ERROR;
    }

    client->pos = out.start;
    client->last = out.last;

    return NGX_OK;
}


void
ngx_stream_ntrip_client_wipe(ngx_stream_ntrip_client_t *client)
{
    if (client->request) {
        ngx_explicit_memzero(client->request, NGX_STREAM_NTRIP_LOGIN);
        ngx_free(client->request);
        client->request = NULL;
    }

    client->pos = client->last;
}


void
ngx_stream_ntrip_client_found(ngx_stream_ntrip_addrs_t *addrs)
{
    ngx_stream_ntrip_client_t  *client;

    client = addrs->data;

    if (addrs->naddrs == 0) {
        ngx_stream_ntrip_client_fail(client, "host not found");
        return;
    }

    ngx_stream_ntrip_client_connect(client);
}


/* to the first address that can be tried, from client->addr on */

static void
ngx_stream_ntrip_client_connect(ngx_stream_ntrip_client_t *client)
{
    ngx_int_t          rc;
    ngx_connection_t  *c;

    client->state = NGX_STREAM_NTRIP_CLIENT_CONNECT;
    client->log->action = "connecting to a provider";

    rc = NGX_DECLINED;

    for ( /* void */ ; client->addr < client->addrs.naddrs; client->addr++) {
        rc = ngx_stream_ntrip_client_try(client);

        if (rc == NGX_OK || rc == NGX_AGAIN) {
            break;
        }
    }

    if (rc != NGX_OK && rc != NGX_AGAIN) {
        ngx_stream_ntrip_client_fail(client, client->why);
        return;
    }

    c = client->peer.connection;

    c->data = client;
    c->log = client->log;
    c->read->log = client->log;
    c->write->log = client->log;
    client->log->connection = c->number;

    if (rc == NGX_OK) {
        ngx_stream_ntrip_client_reached(client);
        return;
    }

    c->read->handler = ngx_stream_ntrip_client_connect_handler;
    c->write->handler = ngx_stream_ntrip_client_connect_handler;

    ngx_add_timer(&client->timer, client->connect_timeout);
}


/* "why" is set, should it come to nothing */

static ngx_int_t
ngx_stream_ntrip_client_try(ngx_stream_ntrip_client_t *client)
{
    ngx_int_t               rc;
    ngx_peer_connection_t  *peer;

    peer = &client->peer;

    ngx_memzero(peer, sizeof(ngx_peer_connection_t));

    peer->sockaddr = &client->addrs.addrs[client->addr].sockaddr;
    peer->socklen = client->addrs.socklens[client->addr];
    peer->name = &client->addr_text;
    peer->get = ngx_event_get_peer;
    peer->log = client->log;
    peer->log_error = NGX_ERROR_ERR;

    client->addr_text.data = client->addr_data;
    client->addr_text.len = ngx_sock_ntop(peer->sockaddr, peer->socklen,
                                          client->addr_data,
                                          NGX_SOCKADDR_STRLEN, 1);

    /* core logs the error, and says no more than that there was one; what it
       does after that does not fail, and leaves errno alone */

    ngx_set_socket_errno(0);

    rc = ngx_event_connect_peer(peer);

    client->why = ngx_stream_ntrip_client_error(ngx_socket_errno);

    return rc;
}


static const char *
ngx_stream_ntrip_client_error(ngx_err_t err)
{
    switch (err) {

    case NGX_ECONNREFUSED:
        return "connection refused";

    case NGX_ECONNRESET:
        return "connection reset";

    case NGX_ETIMEDOUT:
        return "no connection in time";

    case NGX_EHOSTUNREACH:
    case NGX_EHOSTDOWN:
    case NGX_ENETUNREACH:
    case NGX_ENETDOWN:
        return "host unreachable";

    default:
        return "connection failed";
    }
}


/* both events: which of them comes first differs */

static void
ngx_stream_ntrip_client_connect_handler(ngx_event_t *ev)
{
    int                         err;
    socklen_t                   len;
    ngx_connection_t           *c;
    ngx_stream_ntrip_client_t  *client;

    c = ev->data;
    client = c->data;

    if (client->state != NGX_STREAM_NTRIP_CLIENT_CONNECT) {
        return;
    }

    if (c->close) {
        client->events->exit(client);
        return;
    }

    err = 0;
    len = sizeof(int);

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, (void *) &err, &len) == -1) {
        err = ngx_socket_errno;
    }

    if (err) {
        (void) ngx_connection_error(c, err, "connect() failed");

        client->why = ngx_stream_ntrip_client_error(err);

        ngx_stream_ntrip_client_next(client);
        return;
    }

    ngx_stream_ntrip_client_reached(client);
}


static void
ngx_stream_ntrip_client_reached(ngx_stream_ntrip_client_t *client)
{
    (void) ngx_tcp_nodelay(client->peer.connection);

#if (NGX_STREAM_SSL)

    if (client->tls) {
        ngx_stream_ntrip_tls_handshake(client);
        return;
    }

#endif

    ngx_stream_ntrip_client_connected(client);
}


void
ngx_stream_ntrip_client_next(ngx_stream_ntrip_client_t *client)
{
    ngx_close_connection(client->peer.connection);
    client->peer.connection = NULL;
    client->addr++;

    ngx_stream_ntrip_client_connect(client);
}
