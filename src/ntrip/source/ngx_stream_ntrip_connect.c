
/*
 * Fieldgate: the way to a provider: the lock of the account, addresses,
 * connecting, the request.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <netdb.h>

#include "ngx_stream_ntrip_source.h"


#define NGX_STREAM_NTRIP_LEASE  ".lease"


/* getaddrinfo() in the thread pool; outlives the source, if it has to */

struct ngx_stream_ntrip_lookup_s {
    ngx_stream_ntrip_source_t  *source;      /* NULL: nobody waits */
    int                         rc;
    ngx_uint_t                  naddrs;
    ngx_sockaddr_t              addrs[NGX_STREAM_NTRIP_ADDRS];
    socklen_t                   socklens[NGX_STREAM_NTRIP_ADDRS];
    char                        host[NTRIP_HOST_MAX + 1];
};


static ngx_int_t ngx_stream_ntrip_connect_prepare(
    ngx_stream_ntrip_source_t *source);
static ngx_int_t ngx_stream_ntrip_connect_label(
    ngx_stream_ntrip_source_t *source, ngx_stream_ntrip_account_t *account);
static ngx_int_t ngx_stream_ntrip_connect_request(
    ngx_stream_ntrip_source_t *source, ngx_stream_ntrip_account_t *account);
static ngx_int_t ngx_stream_ntrip_connect_lock(
    ngx_stream_ntrip_source_t *source);
static ngx_int_t ngx_stream_ntrip_connect_literal(
    ngx_stream_ntrip_source_t *source);
static ngx_int_t ngx_stream_ntrip_connect_resolve(
    ngx_stream_ntrip_source_t *source);
static void ngx_stream_ntrip_connect_resolved(ngx_resolver_ctx_t *ctx);
static ngx_int_t ngx_stream_ntrip_connect_lookup(
    ngx_stream_ntrip_source_t *source);
static void ngx_stream_ntrip_lookup_thread(void *data, ngx_log_t *log);
static void ngx_stream_ntrip_lookup_done(ngx_event_t *ev);
static void ngx_stream_ntrip_connect_next(ngx_stream_ntrip_source_t *source);
static void ngx_stream_ntrip_connect_handler(ngx_event_t *ev);
static void ngx_stream_ntrip_connected(
    ngx_stream_ntrip_source_t *source);


void
ngx_stream_ntrip_connect(ngx_stream_ntrip_source_t *source)
{
    ngx_int_t  rc;

    source->naddrs = 0;
    source->addr = 0;

    if (ngx_stream_ntrip_connect_prepare(source) != NGX_OK) {
        return;
    }

    source->state = NGX_STREAM_NTRIP_SOURCE_RESOLVE;
    source->log.action = "looking up the address of a provider";

    ngx_add_timer(&source->timer, source->conf->source_connect_timeout);

    if (ngx_stream_ntrip_connect_literal(source) == NGX_OK) {
        ngx_stream_ntrip_connect_next(source);
        return;
    }

    rc = ngx_stream_ntrip_connect_resolve(source);

    if (rc == NGX_DECLINED) {
        rc = ngx_stream_ntrip_connect_lookup(source);
    }

    if (rc != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, &source->log, 0,
                      "%V cannot be looked up now", &source->host);
        ngx_stream_ntrip_source_failed(source, NTRIP_REST_FAILED);
    }
}


/* all that needs the account, which is known only now */

static ngx_int_t
ngx_stream_ntrip_connect_prepare(ngx_stream_ntrip_source_t *source)
{
    ngx_int_t                    rc;
    ngx_stream_ntrip_account_t  *account;

    source->log.action = "logging in at a provider";

    account = ngx_stream_ntrip_store_account(source->candidate.source);

    if (account == NULL) {
        ngx_stream_ntrip_source_failed(source, NTRIP_REST_FOREIGN);
        return NGX_DECLINED;
    }

    if (ngx_stream_ntrip_connect_label(source, account) != NGX_OK
        || ngx_stream_ntrip_connect_request(source, account) != NGX_OK)
    {
        ngx_stream_ntrip_source_failed(source, NTRIP_REST_FAILED);
        return NGX_DECLINED;
    }

    rc = ngx_stream_ntrip_connect_lock(source);

    if (rc == NGX_OK) {
        return NGX_OK;
    }

    if (rc == NGX_BUSY) {
        ngx_log_error(NGX_LOG_INFO, &source->log, 0,
                      "another nginx on this host uses the account");
        ngx_stream_ntrip_source_failed(source, NTRIP_REST_FOREIGN);

    } else {
        ngx_stream_ntrip_source_failed(source, NTRIP_REST_FAILED);
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_stream_ntrip_connect_label(ngx_stream_ntrip_source_t *source,
    ngx_stream_ntrip_account_t *account)
{
    u_char     *p, *last;
    ngx_str_t   host;

    host = account->host;

    if (host.len > 2 && host.data[0] == '[' && host.data[host.len - 1] == ']') {
        host.data++;
        host.len -= 2;
    }

    if (host.len == 0 || host.len > NTRIP_HOST_MAX) {
        ngx_log_error(NGX_LOG_ERR, &source->log, 0,
                      "account %uL has no usable host name",
                      source->candidate.source);
        return NGX_ERROR;
    }

    source->host.data = source->host_data;
    source->host.len = host.len;
    last = ngx_cpymem(source->host_data, host.data, host.len);
    *last = '\0';

    source->port = account->port;

    if (source->port == 0) {
        source->port = (in_port_t)
                       ntrip_stream_row(ngx_stream_ntrip_worker.zone,
                                        source->index)->port;
    }

    last = ngx_snprintf(source->label_data, NTRIP_LABEL_MAX,
                        ngx_strlchr(host.data, host.data + host.len, ':')
                        ? "%V@[%V]:%ui" : "%V@%V:%ui",
                        &account->name, &host, (ngx_uint_t) source->port);

    for (p = source->label_data; p < last; p++) {
        if (*p < 0x20 || *p == 0x7f) {
            *p = '?';
        }
    }

    source->label.data = source->label_data;
    source->label.len = last - source->label_data;

    return NGX_OK;
}


static ngx_int_t
ngx_stream_ntrip_connect_request(ngx_stream_ntrip_source_t *source,
    ngx_stream_ntrip_account_t *account)
{
    u_char                  bracketed[NTRIP_HOST_MAX + 2];
    ntrip_out_t             out;
    ntrip_reply_request_t   request;

    source->request = ngx_alloc(NGX_STREAM_NTRIP_LOGIN, &source->log);
    if (source->request == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(&request, sizeof(ntrip_reply_request_t));

    request.mount = source->mount;
    request.host = source->host;
    request.port = source->port;
    request.user = account->name;
    request.password = account->password;

    if (ngx_strlchr(source->host.data, source->host.data + source->host.len,
                    ':'))
    {
        request.host.data = bracketed;
        request.host.len = ngx_sprintf(bracketed, "[%V]", &source->host)
                           - bracketed;
    }

    ntrip_out_init(&out, source->request, NGX_STREAM_NTRIP_LOGIN);
    ntrip_reply_request(&out, &request);

    if (out.overflow) {
        ngx_log_error(NGX_LOG_ERR, &source->log, 0,
                      "the name or password of the account is too long");
        return NGX_ERROR;
    }

    source->pos = out.start;
    source->last = out.last;

    return NGX_OK;
}


static ngx_int_t
ngx_stream_ntrip_connect_lock(ngx_stream_ntrip_source_t *source)
{
    ngx_str_t                      path;
    u_char                         buf[NGX_MAX_PATH];
    ngx_stream_ntrip_main_conf_t  *nmcf;

    nmcf = ngx_stream_cycle_get_module_main_conf(ngx_cycle,
                                                 ngx_stream_ntrip_module);

    path.data = buf;
    path.len = ngx_snprintf(buf, NGX_MAX_PATH, "%V" NGX_STREAM_NTRIP_LEASE "%Z",
                            &nmcf->database)
               - buf - 1;

    return ngx_stream_ntrip_lease_lock(&path, source->candidate.source,
                                       &source->lock, &source->log);
}


ngx_int_t
ngx_stream_ntrip_lease_lock(ngx_str_t *path, uint64_t id, ngx_fd_t *fd,
    ngx_log_t *log)
{
    ngx_err_t     err;
    struct flock  fl;

    *fd = open((char *) path->data, O_RDWR|O_CREAT|O_CLOEXEC, 0600);

    if (*fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_ERR, log, ngx_errno,
                      ngx_open_file_n " \"%V\" failed", path);
        return NGX_ERROR;
    }

    ngx_memzero(&fl, sizeof(struct flock));

    fl.l_type = F_WRLCK;
    fl.l_whence = SEEK_SET;
    fl.l_start = (off_t) id;
    fl.l_len = 1;

    if (fcntl(*fd, F_OFD_SETLK, &fl) == 0) {
        return NGX_OK;
    }

    err = ngx_errno;

    (void) ngx_close_file(*fd);
    *fd = NGX_INVALID_FILE;

    if (err == NGX_EAGAIN || err == NGX_EACCES) {
        return NGX_BUSY;
    }

    ngx_log_error(NGX_LOG_ERR, log, err, "fcntl(F_OFD_SETLK) \"%V\" failed",
                  path);

    return NGX_ERROR;
}


static ngx_int_t
ngx_stream_ntrip_connect_literal(ngx_stream_ntrip_source_t *source)
{
    in_addr_t             addr;
    struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;
#endif

    ngx_memzero(&source->addrs[0], sizeof(ngx_sockaddr_t));

    addr = ngx_inet_addr(source->host.data, source->host.len);

    if (addr != INADDR_NONE) {
        sin = &source->addrs[0].sockaddr_in;
        sin->sin_family = AF_INET;
        sin->sin_addr.s_addr = addr;

        source->socklens[0] = sizeof(struct sockaddr_in);
        goto found;
    }

#if (NGX_HAVE_INET6)

    sin6 = &source->addrs[0].sockaddr_in6;

    if (ngx_inet6_addr(source->host.data, source->host.len,
                       sin6->sin6_addr.s6_addr)
        == NGX_OK)
    {
        sin6->sin6_family = AF_INET6;
        source->socklens[0] = sizeof(struct sockaddr_in6);
        goto found;
    }

#endif

    return NGX_DECLINED;

found:

    ngx_inet_set_port(&source->addrs[0].sockaddr, source->port);
    source->naddrs = 1;

    return NGX_OK;
}


/* NGX_OK: ngx_stream_ntrip_connect_resolved() is called, or was; NGX_DECLINED:
   no resolver is configured */

static ngx_int_t
ngx_stream_ntrip_connect_resolve(ngx_stream_ntrip_source_t *source)
{
    ngx_resolver_ctx_t  *ctx;

    if (source->core == NULL || source->core->resolver == NULL) {
        return NGX_DECLINED;
    }

    ctx = ngx_resolve_start(source->core->resolver, NULL);

    if (ctx == NGX_NO_RESOLVER) {
        return NGX_DECLINED;
    }

    if (ctx == NULL) {
        return NGX_ERROR;
    }

    ctx->name = source->host;
    ctx->handler = ngx_stream_ntrip_connect_resolved;
    ctx->data = source;
    ctx->timeout = source->core->resolver_timeout;

    source->resolving = ctx;

    if (ngx_resolve_name(ctx) != NGX_OK) {
        source->resolving = NULL;
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_stream_ntrip_connect_resolved(ngx_resolver_ctx_t *ctx)
{
    ngx_uint_t                  i;
    ngx_stream_ntrip_source_t  *source;

    source = ctx->data;

    if (ctx->state) {
        ngx_log_error(NGX_LOG_ERR, &source->log, 0,
                      "%V could not be resolved (%i: %s)",
                      &ctx->name, ctx->state,
                      ngx_resolver_strerror(ctx->state));

        ngx_stream_ntrip_source_failed(source, NTRIP_REST_FAILED);
        return;
    }

    source->naddrs = ngx_min(ctx->naddrs, NGX_STREAM_NTRIP_ADDRS);

    for (i = 0; i < source->naddrs; i++) {
        ngx_memcpy(&source->addrs[i], ctx->addrs[i].sockaddr,
                   ctx->addrs[i].socklen);
        source->socklens[i] = ctx->addrs[i].socklen;
        ngx_inet_set_port(&source->addrs[i].sockaddr, source->port);
    }

    source->resolving = NULL;
    ngx_resolve_name_done(ctx);

    ngx_stream_ntrip_connect_next(source);
}


static ngx_int_t
ngx_stream_ntrip_connect_lookup(ngx_stream_ntrip_source_t *source)
{
    ngx_thread_task_t             *task;
    ngx_stream_ntrip_lookup_t     *lookup;
    ngx_stream_ntrip_main_conf_t  *nmcf;

    nmcf = ngx_stream_cycle_get_module_main_conf(ngx_cycle,
                                                 ngx_stream_ntrip_module);

    task = ngx_calloc(sizeof(ngx_thread_task_t)
                      + sizeof(ngx_stream_ntrip_lookup_t), ngx_cycle->log);
    if (task == NULL) {
        return NGX_ERROR;
    }

    lookup = (ngx_stream_ntrip_lookup_t *) (task + 1);

    task->ctx = lookup;
    task->handler = ngx_stream_ntrip_lookup_thread;
    task->event.handler = ngx_stream_ntrip_lookup_done;
    task->event.data = task;
    task->event.log = ngx_cycle->log;

    lookup->source = source;
    ngx_memcpy(lookup->host, source->host.data, source->host.len);

    if (ngx_thread_task_post(nmcf->lookup_pool, task) != NGX_OK) {
        ngx_free(task);
        return NGX_ERROR;
    }

    source->lookup = lookup;

    return NGX_OK;
}


/* in a thread: touches nothing but the lookup */

static void
ngx_stream_ntrip_lookup_thread(void *data, ngx_log_t *log)
{
    ngx_stream_ntrip_lookup_t *lookup = data;

    struct addrinfo  hints, *res, *ai;

    ngx_memzero(&hints, sizeof(struct addrinfo));
    hints.ai_socktype = SOCK_STREAM;

    lookup->rc = getaddrinfo(lookup->host, NULL, &hints, &res);

    if (lookup->rc != 0) {
        return;
    }

    for (ai = res; ai && lookup->naddrs < NGX_STREAM_NTRIP_ADDRS;
         ai = ai->ai_next)
    {
        if (ai->ai_addrlen > sizeof(ngx_sockaddr_t)) {
            continue;
        }

        ngx_memcpy(&lookup->addrs[lookup->naddrs], ai->ai_addr,
                   ai->ai_addrlen);
        lookup->socklens[lookup->naddrs++] = ai->ai_addrlen;
    }

    freeaddrinfo(res);
}


static void
ngx_stream_ntrip_lookup_done(ngx_event_t *ev)
{
    ngx_uint_t                  i;
    ngx_thread_task_t          *task;
    ngx_stream_ntrip_source_t  *source;
    ngx_stream_ntrip_lookup_t  *lookup;

    task = ev->data;
    lookup = task->ctx;
    source = lookup->source;

    if (source == NULL) {
        ngx_free(task);
        return;
    }

    source->lookup = NULL;

    if (lookup->rc != 0 || lookup->naddrs == 0) {
        ngx_log_error(NGX_LOG_ERR, &source->log, 0,
                      "%V could not be resolved (%s)", &source->host,
                      gai_strerror(lookup->rc ? lookup->rc : EAI_NONAME));
        ngx_free(task);

        ngx_stream_ntrip_source_failed(source, NTRIP_REST_FAILED);
        return;
    }

    source->naddrs = lookup->naddrs;

    for (i = 0; i < lookup->naddrs; i++) {
        source->addrs[i] = lookup->addrs[i];
        source->socklens[i] = lookup->socklens[i];
        ngx_inet_set_port(&source->addrs[i].sockaddr, source->port);
    }

    ngx_free(task);

    ngx_stream_ntrip_connect_next(source);
}


static void
ngx_stream_ntrip_connect_next(ngx_stream_ntrip_source_t *source)
{
    ngx_int_t               rc;
    ngx_connection_t       *c;
    ngx_peer_connection_t  *peer;

    source->state = NGX_STREAM_NTRIP_SOURCE_CONNECT;
    source->log.action = "connecting to a provider";

    peer = &source->peer;
    rc = NGX_DECLINED;

    for ( /* void */ ; source->addr < source->naddrs; source->addr++) {

        ngx_memzero(peer, sizeof(ngx_peer_connection_t));

        peer->sockaddr = &source->addrs[source->addr].sockaddr;
        peer->socklen = source->socklens[source->addr];
        peer->name = &source->addr_text;
        peer->get = ngx_event_get_peer;
        peer->log = &source->log;
        peer->log_error = NGX_ERROR_ERR;

        source->addr_text.data = source->addr_data;
        source->addr_text.len = ngx_sock_ntop(peer->sockaddr, peer->socklen,
                                              source->addr_data,
                                              NGX_SOCKADDR_STRLEN, 1);

        rc = ngx_event_connect_peer(peer);

        if (rc == NGX_OK || rc == NGX_AGAIN) {
            break;
        }
    }

    if (rc != NGX_OK && rc != NGX_AGAIN) {
        ngx_stream_ntrip_source_failed(source, NTRIP_REST_FAILED);
        return;
    }

    c = peer->connection;

    c->data = source;
    c->log = &source->log;
    c->read->log = &source->log;
    c->write->log = &source->log;
    source->log.connection = c->number;

    if (rc == NGX_OK) {
        ngx_stream_ntrip_connected(source);
        return;
    }

    c->read->handler = ngx_stream_ntrip_connect_handler;
    c->write->handler = ngx_stream_ntrip_connect_handler;

    ngx_add_timer(&source->timer, source->conf->source_connect_timeout);
}


void
ngx_stream_ntrip_connect_timeout(ngx_stream_ntrip_source_t *source)
{
    ngx_log_error(NGX_LOG_ERR, &source->log, NGX_ETIMEDOUT,
                  "provider timed out");

    if (source->state == NGX_STREAM_NTRIP_SOURCE_CONNECT
        && source->addr + 1 < source->naddrs)
    {
        ngx_close_connection(source->peer.connection);
        source->addr++;

        ngx_stream_ntrip_connect_next(source);
        return;
    }

    ngx_stream_ntrip_source_failed(source, NTRIP_REST_FAILED);
}


/* both events: which of them comes first differs */

static void
ngx_stream_ntrip_connect_handler(ngx_event_t *ev)
{
    int                         err;
    socklen_t                   len;
    ngx_connection_t           *c;
    ngx_stream_ntrip_source_t  *source;

    c = ev->data;
    source = c->data;

    if (c->close) {
        ngx_stream_ntrip_source_abandon(source);
        return;
    }

    err = 0;
    len = sizeof(int);

    if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, (void *) &err, &len) == -1) {
        err = ngx_socket_errno;
    }

    if (err) {
        (void) ngx_connection_error(c, err, "connect() failed");

        ngx_close_connection(c);
        source->peer.connection = NULL;
        source->addr++;

        ngx_stream_ntrip_connect_next(source);
        return;
    }

    ngx_stream_ntrip_connected(source);
}


static void
ngx_stream_ntrip_connected(ngx_stream_ntrip_source_t *source)
{
    ngx_connection_t  *c;

    c = source->peer.connection;

    source->log.action = "sending a request to a provider";

    (void) ngx_tcp_nodelay(c);

    c->write->handler = ngx_stream_ntrip_source_write_handler;

    ngx_stream_ntrip_source_asked(source);
    ngx_stream_ntrip_source_send(source);
}


void
ngx_stream_ntrip_source_write_handler(ngx_event_t *wev)
{
    ngx_connection_t           *c;
    ngx_stream_ntrip_source_t  *source;

    c = wev->data;
    source = c->data;

    if (source->pos == source->last) {
        return;
    }

    ngx_stream_ntrip_source_send(source);

    if (source->pos == source->last) {
        ngx_stream_ntrip_source_mail(source);
    }
}


void
ngx_stream_ntrip_source_send(ngx_stream_ntrip_source_t *source)
{
    ssize_t            n;
    ngx_connection_t  *c;

    c = source->peer.connection;

    if (source->state != NGX_STREAM_NTRIP_SOURCE_REPLY
        && source->state != NGX_STREAM_NTRIP_SOURCE_LIVE)
    {
        return;
    }

    while (source->pos < source->last) {
        n = c->send(c, source->pos, source->last - source->pos);

        if (n == NGX_AGAIN) {
            break;
        }

        if (n <= 0) {
            ngx_stream_ntrip_source_broken(source);
            return;
        }

        source->pos += n;
    }

    if (source->pos == source->last && source->request) {
        ngx_explicit_memzero(source->request, NGX_STREAM_NTRIP_LOGIN);
        ngx_free(source->request);
        source->request = NULL;
    }

    if (ngx_handle_write_event(c->write, 0) != NGX_OK) {
        ngx_stream_ntrip_source_broken(source);
    }
}


void
ngx_stream_ntrip_connect_stop(ngx_stream_ntrip_source_t *source)
{
    if (source->resolving) {
        ngx_resolve_name_done(source->resolving);
        source->resolving = NULL;
    }

    if (source->lookup) {
        source->lookup->source = NULL;
        source->lookup = NULL;
    }

    if (source->request) {
        ngx_explicit_memzero(source->request, NGX_STREAM_NTRIP_LOGIN);
        ngx_free(source->request);
        source->request = NULL;
    }

    source->pos = source->last;

    if (source->peer.connection) {
        ngx_close_connection(source->peer.connection);
        source->peer.connection = NULL;
        source->log.connection = 0;
    }

    if (source->lock != NGX_INVALID_FILE) {
        if (ngx_close_file(source->lock) == NGX_FILE_ERROR) {
            ngx_log_error(NGX_LOG_ALERT, &source->log, ngx_errno,
                          ngx_close_file_n " of a lock failed");
        }

        source->lock = NGX_INVALID_FILE;
    }
}
