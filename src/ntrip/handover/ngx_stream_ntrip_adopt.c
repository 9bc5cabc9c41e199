
/*
 * Fieldgate: the other side of a hand-over: sources and rovers that come from
 * an older worker.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_stream.h>

#include "ngx_stream_ntrip_handover.h"


static ngx_int_t ngx_stream_ntrip_take_source(ntrip_handover_t *msg,
    ngx_socket_t *fds);
/* of a rover, or of a base station */
static ngx_int_t ngx_stream_ntrip_take_session(ntrip_handover_t *msg,
    ngx_socket_t *fds);
static void ngx_stream_ntrip_missed_kicks(ntrip_handover_t *msg);
static ngx_stream_session_t *ngx_stream_ntrip_make_session(
    ntrip_handover_t *msg, ngx_connection_t *c);
static ngx_int_t ngx_stream_ntrip_make_proxy(ntrip_handover_t *msg,
    ngx_connection_t *c);
static ngx_listening_t *ngx_stream_ntrip_find_listening(
    ntrip_handover_t *msg);
static ngx_stream_addr_conf_t *ngx_stream_ntrip_addr_conf(
    ngx_connection_t *c);
static u_char *ngx_stream_ntrip_log_error(ngx_log_t *log, u_char *buf,
    size_t len);


void
ngx_stream_ntrip_handover_received(ntrip_handover_t *msg, ngx_socket_t *fds,
    ngx_uint_t nfds)
{
    ngx_int_t     rc;
    ngx_uint_t    i;
    ntrip_row_t  *row;

    row = ngx_stream_ntrip_offer_row(msg);

    if (row == NULL) {
        rc = NGX_DECLINED;

    } else if (msg->type == NTRIP_HANDOVER_SOURCE) {
        rc = ngx_stream_ntrip_take_source(msg, fds);

    } else {
        rc = ngx_stream_ntrip_take_session(msg, fds);
    }

    if (rc == NGX_OK) {
        return;
    }

    for (i = 0; i < nfds; i++) {
        if (fds[i] != (ngx_socket_t) -1 && ngx_close_socket(fds[i]) == -1) {
            ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, ngx_socket_errno,
                          ngx_close_socket_n " failed");
        }
    }

    if (row) {
        ngx_stream_ntrip_offer_decline(msg, row);
    }
}


static ngx_int_t
ngx_stream_ntrip_take_source(ntrip_handover_t *msg, ngx_socket_t *fds)
{
    ngx_int_t                     rc;
    ngx_str_t                     pool, name;
    ntrip_stream_row_t           *row;
    ngx_stream_ntrip_source_t    *source;
    ngx_stream_ntrip_mount_t     *mount;
    ngx_stream_ntrip_stream_t    *stream;
    ngx_stream_ntrip_srv_conf_t  *nscf;

    row = ntrip_stream_row(ngx_stream_ntrip_worker.zone, msg->index);

    pool.len = row->pool_len;
    pool.data = row->pool;
    name.len = row->mount_len;
    name.data = row->mount;

    nscf = ngx_stream_ntrip_relay_conf(&pool, 0, &name, &mount);

    if (nscf == NULL) {
        return NGX_DECLINED;
    }

    stream = ngx_stream_ntrip_stream_open(msg->index, msg->serial, nscf);
    if (stream == NULL) {
        return NGX_ERROR;
    }

    if (stream->source) {
        return NGX_DECLINED;
    }

    source = ngx_stream_ntrip_source_expect(nscf, msg->index,
                                            msg->serial, &msg->candidate,
                                            &msg->reply, &msg->rtcm, fds);
    if (source == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_stream_ntrip_offer_accept(msg);

    if (rc != NGX_OK) {
        ngx_stream_ntrip_source_refuse(source);
        return rc;
    }

    ngx_stream_ntrip_source_adopt(source, &stream->source);

    return NGX_OK;
}


static ngx_int_t
ngx_stream_ntrip_take_session(ntrip_handover_t *msg, ngx_socket_t *fds)
{
    ngx_int_t              rc;
    ngx_listening_t       *ls;
    ngx_connection_t      *c;
    ngx_stream_session_t  *s;

    ls = ngx_stream_ntrip_find_listening(msg);
    if (ls == NULL) {
        return NGX_DECLINED;
    }

    c = ngx_get_connection(fds[0], ngx_cycle->log);
    if (c == NULL) {
        return NGX_ERROR;
    }

    c->type = SOCK_STREAM;
    c->listening = ls;

    rc = NGX_ERROR;
    s = NULL;

    c->pool = ngx_create_pool(ls->pool_size, ngx_cycle->log);

    if (c->pool) {
        s = ngx_stream_ntrip_make_session(msg, c);
    }

    if (s && msg->type == NTRIP_HANDOVER_UPLOAD) {
        rc = ngx_stream_ntrip_base_adopt(s, msg);

    } else if (s) {
        rc = ngx_stream_ntrip_rover_adopt(s, msg);
    }

    if (rc == NGX_OK) {
        if (msg->type == NTRIP_HANDOVER_ROVER) {
            ngx_stream_ntrip_missed_kicks(msg);
        }

        return NGX_OK;
    }

    ngx_stream_ntrip_park(c);
    ngx_stream_ntrip_unhand(c);

    fds[0] = (ngx_socket_t) -1;

    return rc;
}


/*
 * Kicks that the giver left to us, and that this worker had read already when
 * it did not have the session yet.
 */

static void
ngx_stream_ntrip_missed_kicks(ntrip_handover_t *msg)
{
    uint64_t      cursor;
    ngx_int_t     rc;
    ngx_str_t     user;
    ntrip_kick_t  kick;

    user.len = msg->user_len;
    user.data = msg->user;
    cursor = msg->kicks;

    while (cursor < ngx_stream_ntrip_worker.kick_cursor) {
        rc = ntrip_bus_kick_read(ngx_stream_ntrip_worker.bus, &cursor, &kick);

        if (rc == NGX_DECLINED) {
            ngx_stream_ntrip_rover_kicked(NULL, 0);
            return;
        }

        if (rc == NGX_OK
            && kick.user_len == user.len
            && ngx_memcmp(kick.user, user.data, user.len) == 0)
        {
            ngx_stream_ntrip_rover_kicked(&user, kick.below);
        }
    }
}


/*
 * What nginx does with an accepted connection, without what was done with
 * this one already: PROXY protocol, access, limits, TLS, preread.
 */

static ngx_stream_session_t *
ngx_stream_ntrip_make_session(ntrip_handover_t *msg, ngx_connection_t *c)
{
    ngx_listening_t              *ls;
    ngx_stream_conf_ctx_t        *ctx;
    ngx_stream_session_t         *s;
    ngx_stream_addr_conf_t       *conf;
    ngx_stream_core_srv_conf_t   *cscf;
    ngx_stream_core_main_conf_t  *cmcf;
    ngx_stream_ntrip_srv_conf_t  *nscf;

    ls = c->listening;

    c->log = ngx_palloc(c->pool, sizeof(ngx_log_t));
    c->sockaddr = ngx_palloc(c->pool, msg->addr_len);
    c->addr_text.data = ngx_pnalloc(c->pool, NGX_SOCKADDR_STRLEN);
    s = ngx_pcalloc(c->pool, sizeof(ngx_stream_session_t));

    if (c->log == NULL
        || c->sockaddr == NULL
        || c->addr_text.data == NULL
        || s == NULL)
    {
        c->log = ngx_cycle->log;
        return NULL;
    }

    *c->log = ls->log;
    c->log->data = NULL;
    c->log->handler = NULL;
    c->pool->log = c->log;
    c->read->log = c->log;
    c->write->log = c->log;
    c->write->ready = 1;

    c->recv = ngx_recv;
    c->send = ngx_send;
    c->recv_chain = ngx_recv_chain;
    c->send_chain = ngx_send_chain;

    ngx_memcpy(c->sockaddr, msg->addr, msg->addr_len);
    c->socklen = msg->addr_len;
    c->addr_text.len = ngx_sock_ntop(c->sockaddr, c->socklen,
                                     c->addr_text.data, NGX_SOCKADDR_STRLEN,
                                     0);
    c->local_sockaddr = ls->sockaddr;
    c->local_socklen = ls->socklen;
    c->number = ngx_atomic_fetch_add(ngx_connection_counter, 1);
    c->start_time = ngx_current_msec;
    c->sent = msg->before;

    if (ngx_stream_ntrip_make_proxy(msg, c) != NGX_OK) {
        return NULL;
    }

    conf = ngx_stream_ntrip_addr_conf(c);
    if (conf == NULL) {
        return NULL;
    }

#if (nginx_version >= 1025005)
    ctx = conf->default_server->ctx;
    s->virtual_names = conf->virtual_names;
#else
    ctx = conf->ctx;
#endif

    s->signature = NGX_STREAM_MODULE;
    s->main_conf = ctx->main_conf;
    s->srv_conf = ctx->srv_conf;
    s->connection = c;
    s->received = msg->received;
    s->start_sec = msg->started;
    s->status = NGX_STREAM_OK;
    c->data = s;

    nscf = ngx_stream_get_module_srv_conf(s, ngx_stream_ntrip_module);
    if (nscf->caster.line == 0) {
        return NULL;
    }

    cscf = ngx_stream_get_module_srv_conf(s, ngx_stream_core_module);

    ngx_set_connection_log(c, cscf->error_log);

    c->log->connection = c->number;
    c->log->handler = ngx_stream_ntrip_log_error;
    c->log->data = s;
    c->log->action = "taking over a session";
    c->log_error = NGX_ERROR_INFO;

    cmcf = ngx_stream_get_module_main_conf(s, ngx_stream_core_module);

    s->ctx = ngx_pcalloc(c->pool, sizeof(void *) * ngx_stream_max_module);
    s->variables = ngx_pcalloc(c->pool,
                               cmcf->variables.nelts
                               * sizeof(ngx_stream_variable_value_t));

    return (s->ctx && s->variables) ? s : NULL;
}


/* for $proxy_protocol_addr and the like; its TLVs are not kept */

static ngx_int_t
ngx_stream_ntrip_make_proxy(ntrip_handover_t *msg, ngx_connection_t *c)
{
    ngx_str_t              src, dst;
    ngx_proxy_protocol_t  *pp;

    if (msg->proxy_src_len == 0) {
        return NGX_OK;
    }

    src.data = msg->proxy_src;
    src.len = msg->proxy_src_len;
    dst.data = msg->proxy_dst;
    dst.len = msg->proxy_dst_len;

    pp = ngx_pcalloc(c->pool, sizeof(ngx_proxy_protocol_t));
    if (pp == NULL) {
        return NGX_ERROR;
    }

    pp->src_addr.len = src.len;
    pp->src_addr.data = ngx_pstrdup(c->pool, &src);
    pp->dst_addr.len = dst.len;
    pp->dst_addr.data = ngx_pstrdup(c->pool, &dst);

    if (pp->src_addr.data == NULL || pp->dst_addr.data == NULL) {
        return NGX_ERROR;
    }

    pp->src_port = msg->proxy_src_port;
    pp->dst_port = msg->proxy_dst_port;

    c->proxy_protocol = pp;

    return NGX_OK;
}


static ngx_listening_t *
ngx_stream_ntrip_find_listening(ntrip_handover_t *msg)
{
    ngx_uint_t        i;
    ngx_listening_t  *ls;
    ngx_sockaddr_t    sa;

    ngx_memzero(&sa, sizeof(ngx_sockaddr_t));
    ngx_memcpy(&sa, msg->local, msg->local_len);

    ls = ngx_cycle->listening.elts;

    for (i = 0; i < ngx_cycle->listening.nelts; i++) {
        if (ls[i].handler == ngx_stream_init_connection
            && ls[i].type == SOCK_STREAM
            && ngx_cmp_sockaddr(ls[i].sockaddr, ls[i].socklen, &sa.sockaddr,
                                msg->local_len, 1)
               == NGX_OK)
        {
            return &ls[i];
        }
    }

    return NULL;
}


/* as ngx_stream_init_connection() finds it */

static ngx_stream_addr_conf_t *
ngx_stream_ntrip_addr_conf(ngx_connection_t *c)
{
    ngx_uint_t             i;
    ngx_stream_port_t     *port;
    struct sockaddr_in    *sin;
    ngx_stream_in_addr_t  *addr;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6   *sin6;
    ngx_stream_in6_addr_t *addr6;
#endif

    port = c->listening->servers;

    if (port->naddrs > 1
        && ngx_connection_local_sockaddr(c, NULL, 0) != NGX_OK)
    {
        return NULL;
    }

    /* the last address is the wildcard, or the only one */

    i = 0;

#if (NGX_HAVE_INET6)

    if (c->local_sockaddr->sa_family == AF_INET6) {
        sin6 = (struct sockaddr_in6 *) c->local_sockaddr;
        addr6 = port->addrs;

        while (i < port->naddrs - 1
               && ngx_memcmp(&addr6[i].addr6, &sin6->sin6_addr, 16) != 0)
        {
            i++;
        }

        return &addr6[i].conf;
    }

#endif

    sin = (struct sockaddr_in *) c->local_sockaddr;
    addr = port->addrs;

    while (i < port->naddrs - 1 && addr[i].addr != sin->sin_addr.s_addr) {
        i++;
    }

    return &addr[i].conf;
}


/* that of a stream session, which nginx keeps to itself */

static u_char *
ngx_stream_ntrip_log_error(ngx_log_t *log, u_char *buf, size_t len)
{
    u_char                *p;
    ngx_stream_session_t  *s;

    if (log->action) {
        p = ngx_snprintf(buf, len, " while %s", log->action);
        len -= p - buf;
        buf = p;
    }

    s = log->data;

    p = ngx_snprintf(buf, len, ", client: %V, server: %V",
                     &s->connection->addr_text,
                     &s->connection->listening->addr_text);
    len -= p - buf;

    return s->log_handler ? s->log_handler(log, p, len) : p;
}
