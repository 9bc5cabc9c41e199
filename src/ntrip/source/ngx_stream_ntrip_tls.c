
/*
 * Fieldgate: a client of a provider that speaks TLS: the handshake, whom it has
 * met, sessions that are used again, the goodbye.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_stream_ntrip_client_private.h"


#if (NGX_STREAM_SSL)


static ngx_int_t ngx_stream_ntrip_tls_create(
    ngx_stream_ntrip_client_t *client);
static ngx_int_t ngx_stream_ntrip_tls_server_name(
    ngx_stream_ntrip_client_t *client);
static ngx_uint_t ngx_stream_ntrip_tls_address(ngx_str_t *name);
static void ngx_stream_ntrip_tls_handler(ngx_event_t *ev);
static void ngx_stream_ntrip_tls_step(ngx_stream_ntrip_client_t *client);
static const char *ngx_stream_ntrip_tls_verify(
    ngx_stream_ntrip_client_t *client);
static const char *ngx_stream_ntrip_tls_error(long rc);
static time_t ngx_stream_ntrip_tls_end(ngx_stream_ntrip_client_t *client);
static ngx_uint_t ngx_stream_ntrip_tls_matches(
    ngx_stream_ntrip_client_t *client);
static ngx_stream_ntrip_ssl_session_t *ngx_stream_ntrip_tls_session(
    ngx_stream_ntrip_client_t *client);
static void ngx_stream_ntrip_tls_save(ngx_connection_t *c);


void
ngx_stream_ntrip_tls_handshake(ngx_stream_ntrip_client_t *client)
{
    client->state = NGX_STREAM_NTRIP_CLIENT_HANDSHAKE;
    client->log->action = "handshaking with a provider";

    client->name = client->ssl->name.len ? client->ssl->name : client->host;

    ngx_add_timer(&client->timer, client->connect_timeout);

    if (ngx_stream_ntrip_tls_create(client) != NGX_OK) {
        ngx_stream_ntrip_client_fail(client, "connection failed");
        return;
    }

    ngx_stream_ntrip_tls_step(client);
}


static ngx_int_t
ngx_stream_ntrip_tls_create(ngx_stream_ntrip_client_t *client)
{
    ngx_connection_t                *c;
    ngx_stream_ntrip_ssl_session_t  *session;

    c = client->peer.connection;

    c->pool = ngx_create_pool(512, client->log);
    if (c->pool == NULL) {
        return NGX_ERROR;
    }

    if (ngx_ssl_create_connection(client->ssl->ssl, c,
                                  NGX_SSL_BUFFER|NGX_SSL_CLIENT)
        != NGX_OK
        || ngx_stream_ntrip_tls_server_name(client) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (client->ssl->session_reuse) {
        c->ssl->save_session = ngx_stream_ntrip_tls_save;

        session = ngx_stream_ntrip_tls_session(client);

        if (session->key == client->session_key) {
            return ngx_ssl_set_session(c, session->session);
        }
    }

    return NGX_OK;
}


/* RFC 6066, 3: no address is one */

static ngx_int_t
ngx_stream_ntrip_tls_server_name(ngx_stream_ntrip_client_t *client)
{
    u_char             name[NTRIP_HOST_MAX + 1];
    ngx_connection_t  *c;

    c = client->peer.connection;

    if (!client->ssl->server_name
        || ngx_stream_ntrip_tls_address(&client->name))
    {
        return NGX_OK;
    }

    (void) ngx_cpystrn(name, client->name.data, client->name.len + 1);

    if (SSL_set_tlsext_host_name(c->ssl->connection, (char *) name) == 0) {
        ngx_ssl_error(NGX_LOG_ERR, client->log, 0,
                      "SSL_set_tlsext_host_name(\"%s\") failed", name);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_stream_ntrip_tls_address(ngx_str_t *name)
{
    return ngx_inet_addr(name->data, name->len) != INADDR_NONE
           || ngx_strlchr(name->data, name->data + name->len, ':') != NULL;
}


static void
ngx_stream_ntrip_tls_handler(ngx_event_t *ev)
{
    ngx_connection_t           *c;
    ngx_stream_ntrip_client_t  *client;

    c = ev->data;
    client = c->data;

    if (client->state != NGX_STREAM_NTRIP_CLIENT_HANDSHAKE) {
        return;
    }

    if (c->close) {
        client->events->exit(client);
        return;
    }

    ngx_stream_ntrip_tls_step(client);
}


static void
ngx_stream_ntrip_tls_step(ngx_stream_ntrip_client_t *client)
{
    ngx_int_t          rc;
    const char        *why;
    ngx_connection_t  *c;

    c = client->peer.connection;

    rc = ngx_ssl_handshake(c);

    c->read->handler = ngx_stream_ntrip_tls_handler;
    c->write->handler = ngx_stream_ntrip_tls_handler;

    if (rc == NGX_AGAIN) {
        return;
    }

    if (rc == NGX_OK) {
        why = ngx_stream_ntrip_tls_verify(client);

    } else {
        ngx_log_error(NGX_LOG_ERR, client->log, 0,
                      "provider does not speak TLS here, or not as "
                      "\"ntrip_source_ssl_protocols\" and "
                      "\"ntrip_source_ssl_ciphers\" demand");
        why = "no TLS";
    }

    if (why) {
        client->distrusted = 1;
        ngx_stream_ntrip_client_fail(client, why);
        return;
    }

    client->certificate = ngx_stream_ntrip_tls_end(client);

    ngx_stream_ntrip_client_connected(client);
}


/* when the certificate ends, 0: it does not say */

static time_t
ngx_stream_ntrip_tls_end(ngx_stream_ntrip_client_t *client)
{
    X509       *cert;
    time_t      end;
    struct tm   tm;

    cert = SSL_get_peer_certificate(client->peer.connection->ssl->connection);
    if (cert == NULL) {
        return 0;
    }

    end = ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) ? timegm(&tm) : 0;

    X509_free(cert);

    return ngx_max(end, 0);
}


/* NULL: it is whom the account's host names; else what it is not, as was
   logged */

static const char *
ngx_stream_ntrip_tls_verify(ngx_stream_ntrip_client_t *client)
{
    long         rc;
    const char  *why;

    if (!client->ssl->verify) {
        return NULL;
    }

    rc = SSL_get_verify_result(client->peer.connection->ssl->connection);

    if (rc != X509_V_OK) {
        why = ngx_stream_ntrip_tls_error(rc);

        ngx_log_error(NGX_LOG_ERR, client->log, 0,
                      "provider has a %s (%l: %s)", why, rc,
                      X509_verify_cert_error_string(rc));
        return why;
    }

    if (!ngx_stream_ntrip_tls_matches(client)) {
        ngx_log_error(NGX_LOG_ERR, client->log, 0,
                      "provider has a certificate that is not for \"%V\"",
                      &client->name);
        return "certificate of another name";
    }

    return NULL;
}


static const char *
ngx_stream_ntrip_tls_error(long rc)
{
    switch (rc) {

    case X509_V_ERR_CERT_HAS_EXPIRED:
        return "certificate that has expired";

    case X509_V_ERR_CERT_NOT_YET_VALID:
        return "certificate that is not yet valid";

    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return "certificate of an unknown authority";

    default:
        return "certificate that is not accepted";
    }
}


/* RFC 6125, and for an account whose host is an address, that one */

static ngx_uint_t
ngx_stream_ntrip_tls_matches(ngx_stream_ntrip_client_t *client)
{
    X509              *cert;
    u_char             address[NTRIP_HOST_MAX + 1];
    ngx_uint_t         matches;
    ngx_connection_t  *c;

    c = client->peer.connection;

    if (!ngx_stream_ntrip_tls_address(&client->name)) {
        return ngx_ssl_check_host(c, &client->name) == NGX_OK;
    }

    cert = SSL_get_peer_certificate(c->ssl->connection);
    if (cert == NULL) {
        return 0;
    }

    (void) ngx_cpystrn(address, client->name.data, client->name.len + 1);

    matches = X509_check_ip_asc(cert, (char *) address, 0) == 1;

    X509_free(cert);

    return matches;
}


/* where that of the same host, port and name is, if it is any */

static ngx_stream_ntrip_ssl_session_t *
ngx_stream_ntrip_tls_session(ngx_stream_ntrip_client_t *client)
{
    uint64_t   key;
    in_port_t  port;

    port = ngx_inet_get_port(client->peer.sockaddr);

    key = ntrip_hash(0, client->host.data, client->host.len, 1);
    key = ntrip_hash(key, client->name.data, client->name.len, 1);
    key = ntrip_hash(key, (u_char *) &port, sizeof(in_port_t), 0);

    client->session_key = key ? key : 1;

    return &client->ssl->sessions[key % NGX_STREAM_NTRIP_SSL_SESSIONS];
}


static void
ngx_stream_ntrip_tls_save(ngx_connection_t *c)
{
    ngx_ssl_session_t               *ssl_session;
    ngx_stream_ntrip_client_t       *client;
    ngx_stream_ntrip_ssl_session_t  *session;

    client = c->data;

    ssl_session = ngx_ssl_get_session(c);
    if (ssl_session == NULL) {
        return;
    }

    session = ngx_stream_ntrip_tls_session(client);

    if (session->session) {
        ngx_ssl_free_session(session->session);
    }

    session->key = client->session_key;
    session->session = ssl_session;
}


void
ngx_stream_ntrip_tls_shutdown(ngx_connection_t *c, ngx_uint_t quiet)
{
    c->ssl->no_wait_shutdown = 1;
    c->ssl->no_send_shutdown = quiet;

    if (ngx_ssl_shutdown(c) == NGX_AGAIN) {

        /* there is no room for it: then without */

        if (c->read->timer_set) {
            ngx_del_timer(c->read);
        }

        c->ssl->no_send_shutdown = 1;
        (void) ngx_ssl_shutdown(c);
    }
}


#endif
