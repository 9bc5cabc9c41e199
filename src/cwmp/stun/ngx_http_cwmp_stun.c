
/*
 * Fieldgate: the sockets of "cwmp_stun": what is read from them, answered and
 * sent.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_stun.h"


/* datagrams that are read before other events have their turn */
#define NGX_HTTP_CWMP_STUN_BATCH  64

/* of cmsg: an address of IPv6 and its interface */
#define NGX_HTTP_CWMP_STUN_CMSG   64


/* a socket as this worker has it for sending */

typedef struct {
    ngx_socket_t                 fd;
    cwmp_endpoint_t              local;
    ngx_uint_t                   wildcard;   /* unsigned  wildcard:1; */
} ngx_http_cwmp_stun_socket_t;


typedef struct {
    cwmp_endpoint_t              peer;
    cwmp_endpoint_t              local;
    size_t                       len;
    u_char                       data[CWMP_STUN_REQUEST_MAX + 1];
} ngx_http_cwmp_datagram_t;


static char *ngx_http_cwmp_stun_listen(ngx_conf_t *cf,
    struct sockaddr *sockaddr, socklen_t socklen);
static ngx_uint_t ngx_http_cwmp_stun_ours(ngx_listening_t *ls);
static void ngx_http_cwmp_stun_accept(ngx_connection_t *c);
static void ngx_http_cwmp_stun_close(void *data);
static void ngx_http_cwmp_stun_read(ngx_event_t *ev);
static ngx_int_t ngx_http_cwmp_stun_recv(ngx_connection_t *lc,
    ngx_http_cwmp_datagram_t *d);
static void ngx_http_cwmp_stun_local(struct msghdr *msg,
    cwmp_endpoint_t *local);
static void ngx_http_cwmp_stun_datagram(ngx_http_cwmp_zone_t *z,
    ngx_http_cwmp_stun_socket_t *s, ngx_http_cwmp_datagram_t *d,
    ngx_log_t *log);
static ngx_int_t ngx_http_cwmp_stun_sendmsg(ngx_http_cwmp_stun_socket_t *s,
    cwmp_endpoint_t *local, cwmp_endpoint_t *peer, u_char *p, size_t len,
    ngx_log_t *log);
static void ngx_http_cwmp_stun_source(struct msghdr *msg,
    cwmp_endpoint_t *local);


/* of this process: of ngx_http_cwmp_stun_socket_t, in the cycle's pool */

static ngx_array_t            ngx_http_cwmp_stun_sockets;
static ngx_http_cwmp_zone_t  *ngx_http_cwmp_stun_zone;


/* by cwmp_stun_verdict_e */

static ngx_http_cwmp_counter_e  ngx_http_cwmp_stun_counters[] = {
    NGX_HTTP_CWMP_STUN_ANSWERED,
    NGX_HTTP_CWMP_STUN_REFUSED,
    NGX_HTTP_CWMP_STUN_MALFORMED,
    NGX_HTTP_CWMP_STUN_UNSUPPORTED,
    NGX_HTTP_CWMP_STUN_UNSUPPORTED,
    NGX_HTTP_CWMP_STUN_REFLECTED
};


char *
ngx_http_cwmp_stun(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cwmp_main_conf_t *cmcf = conf;

    char        *rv;
    ngx_str_t   *value;
    ngx_url_t    u;
    ngx_uint_t   i;

    value = cf->args->elts;

    ngx_memzero(&u, sizeof(ngx_url_t));

    u.url = value[1];
    u.listen = 1;

    if (ngx_parse_url(cf->pool, &u) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s in \"%V\" of the "
                           "\"cwmp_stun\" directive",
                           u.err ? u.err : "no memory", &u.url);
        return NGX_CONF_ERROR;
    }

    if (u.no_port || u.family == AF_UNIX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"cwmp_stun\" needs "
                           "\"address:port\", not \"%V\"", &u.url);
        return NGX_CONF_ERROR;
    }

    if (cmcf->stun.line == 0 && cf->conf_file) {
        cmcf->stun.file = cf->conf_file->file.name;
        cmcf->stun.line = cf->conf_file->line;
    }

    for (i = 0; i < u.naddrs; i++) {
        rv = ngx_http_cwmp_stun_listen(cf, u.addrs[i].sockaddr,
                                       u.addrs[i].socklen);

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_cwmp_stun_listen(ngx_conf_t *cf, struct sockaddr *sockaddr,
    socklen_t socklen)
{
    ngx_uint_t        i;
    ngx_listening_t  *ls;

    ls = cf->cycle->listening.elts;

    for (i = 0; i < cf->cycle->listening.nelts; i++) {

        if (ngx_http_cwmp_stun_ours(&ls[i])
            && ngx_cmp_sockaddr(ls[i].sockaddr, ls[i].socklen, sockaddr,
                                socklen, 1)
               == NGX_OK)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "duplicate \"cwmp_stun\" address and port %V",
                               &ls[i].addr_text);
            return NGX_CONF_ERROR;
        }
    }

    ls = ngx_create_listening(cf, sockaddr, socklen);
    if (ls == NULL) {
        return NGX_CONF_ERROR;
    }

    ls->type = SOCK_DGRAM;
    ls->addr_ntop = 1;
    ls->handler = ngx_http_cwmp_stun_accept;
    ls->logp = &cf->cycle->new_log;
    ls->wildcard = ngx_inet_wildcard(sockaddr);

#if (NGX_HAVE_INET6)
    ls->ipv6only = (sockaddr->sa_family == AF_INET6);
#endif

    return NGX_CONF_OK;
}


static ngx_uint_t
ngx_http_cwmp_stun_ours(ngx_listening_t *ls)
{
    return ls->handler == ngx_http_cwmp_stun_accept;
}


/* marks our sockets: it is never called, since they are read by ourselves */

static void
ngx_http_cwmp_stun_accept(ngx_connection_t *c)
{
    ngx_close_connection(c);
}


void
ngx_http_cwmp_stun_init(ngx_conf_t *cf)
{
    ngx_uint_t                 i;
    ngx_listening_t           *ls;
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);

    if (clcf->error_log == NULL) {
        return;
    }

    ls = cf->cycle->listening.elts;

    for (i = 0; i < cf->cycle->listening.nelts; i++) {
        if (ngx_http_cwmp_stun_ours(&ls[i])) {
            ls[i].logp = clcf->error_log;
        }
    }
}


/*
 * An exiting worker closes its listening sockets at once, but may have UDP
 * connection requests to send, and so has a descriptor of its own.
 */

ngx_int_t
ngx_http_cwmp_stun_init_process(ngx_cycle_t *cycle)
{
    ngx_uint_t                    i;
    ngx_listening_t              *ls;
    ngx_pool_cleanup_t           *cln;
    ngx_http_cwmp_main_conf_t    *cmcf;
    ngx_http_cwmp_stun_socket_t  *s;

    cmcf = ngx_http_cycle_get_module_main_conf(cycle, ngx_http_cwmp_module);

    ngx_http_cwmp_stun_zone = cmcf->shared;

    if (ngx_array_init(&ngx_http_cwmp_stun_sockets, cycle->pool, 2,
                       sizeof(ngx_http_cwmp_stun_socket_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ls = cycle->listening.elts;

    for (i = 0; i < cycle->listening.nelts; i++) {

        if (!ngx_http_cwmp_stun_ours(&ls[i]) || ls[i].connection == NULL) {
            continue;
        }

        cln = ngx_pool_cleanup_add(cycle->pool, sizeof(ngx_socket_t));
        s = ngx_array_push(&ngx_http_cwmp_stun_sockets);

        if (cln == NULL || s == NULL) {
            return NGX_ERROR;
        }

        s->wildcard = ls[i].wildcard;
        (void) cwmp_endpoint_set(&s->local, ls[i].sockaddr);

        s->fd = fcntl(ls[i].fd, F_DUPFD_CLOEXEC, 0);

        if (s->fd == (ngx_socket_t) -1) {
            ngx_log_error(NGX_LOG_ALERT, cycle->log, ngx_socket_errno,
                          "fcntl(F_DUPFD_CLOEXEC) for %V failed",
                          &ls[i].addr_text);
            s->fd = ls[i].fd;

        } else {
            *(ngx_socket_t *) cln->data = s->fd;
            cln->handler = ngx_http_cwmp_stun_close;
        }

        ls[i].connection->read->handler = ngx_http_cwmp_stun_read;
    }

    return NGX_OK;
}


static void
ngx_http_cwmp_stun_close(void *data)
{
    ngx_socket_t  *fd = data;

    if (ngx_close_socket(*fd) == -1) {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, ngx_socket_errno,
                      ngx_close_socket_n " failed");
    }
}


static void
ngx_http_cwmp_stun_read(ngx_event_t *ev)
{
    ngx_uint_t                     i;
    ngx_connection_t              *lc;
    ngx_http_cwmp_datagram_t       d;
    ngx_http_cwmp_stun_socket_t    s;

    lc = ev->data;

    ngx_memzero(&s, sizeof(ngx_http_cwmp_stun_socket_t));

    s.fd = lc->fd;
    s.wildcard = lc->listening->wildcard;
    (void) cwmp_endpoint_set(&s.local, lc->listening->sockaddr);

    for (i = 0; i < NGX_HTTP_CWMP_STUN_BATCH; i++) {

        if (ngx_http_cwmp_stun_recv(lc, &d) != NGX_OK) {
            return;
        }

        if (d.peer.family == 0) {
            continue;
        }

        if (!s.wildcard || d.local.family == 0) {
            d.local = s.local;
        }

        d.local.port = s.local.port;

        ngx_http_cwmp_stun_datagram(ngx_http_cwmp_stun_zone, &s, &d, ev->log);
    }
}


static ngx_int_t
ngx_http_cwmp_stun_recv(ngx_connection_t *lc, ngx_http_cwmp_datagram_t *d)
{
    ssize_t         n;
    ngx_err_t       err;
    struct iovec    iov;
    struct msghdr   msg;
    ngx_sockaddr_t  sa;
    uint64_t        control[NGX_HTTP_CWMP_STUN_CMSG / sizeof(uint64_t)];

    do {
        ngx_memzero(&msg, sizeof(struct msghdr));
        ngx_memzero(&sa, sizeof(ngx_sockaddr_t));

        iov.iov_base = (void *) d->data;
        iov.iov_len = sizeof(d->data);

        msg.msg_name = &sa;
        msg.msg_namelen = sizeof(ngx_sockaddr_t);
        msg.msg_iov = &iov;
        msg.msg_iovlen = 1;
        msg.msg_control = control;
        msg.msg_controllen = sizeof(control);

        n = recvmsg(lc->fd, &msg, 0);

        err = (n == -1) ? ngx_socket_errno : 0;

    } while (err == NGX_EINTR);

    if (n == -1) {

        if (err != NGX_EAGAIN) {
            ngx_log_error(NGX_LOG_ALERT, lc->log, err, "recvmsg() failed");
        }

        return NGX_ERROR;
    }

    d->len = n;

    ngx_memzero(&d->local, sizeof(cwmp_endpoint_t));

    (void) cwmp_endpoint_set(&d->peer, &sa.sockaddr);

    ngx_http_cwmp_stun_local(&msg, &d->local);

    return NGX_OK;
}


/* where a datagram to a wildcard address was sent to */

static void
ngx_http_cwmp_stun_local(struct msghdr *msg, cwmp_endpoint_t *local)
{
    struct cmsghdr       *cmsg;
#if (NGX_HAVE_IP_PKTINFO)
    struct in_pktinfo    *pkt;
#endif
#if (NGX_HAVE_INET6 && NGX_HAVE_IPV6_RECVPKTINFO)
    struct in6_pktinfo   *pkt6;
#endif

    for (cmsg = CMSG_FIRSTHDR(msg); cmsg; cmsg = CMSG_NXTHDR(msg, cmsg)) {

#if (NGX_HAVE_IP_PKTINFO)
        if (cmsg->cmsg_level == IPPROTO_IP && cmsg->cmsg_type == IP_PKTINFO) {
            pkt = (struct in_pktinfo *) CMSG_DATA(cmsg);

            local->family = AF_INET;
            ngx_memcpy(local->addr, &pkt->ipi_addr, 4);
        }
#endif

#if (NGX_HAVE_INET6 && NGX_HAVE_IPV6_RECVPKTINFO)
        if (cmsg->cmsg_level == IPPROTO_IPV6
            && cmsg->cmsg_type == IPV6_PKTINFO)
        {
            pkt6 = (struct in6_pktinfo *) CMSG_DATA(cmsg);

            local->family = AF_INET6;
            ngx_memcpy(local->addr, &pkt6->ipi6_addr, 16);
        }
#endif
    }
}


/* what is dropped is dropped without a word, and counted */

static void
ngx_http_cwmp_stun_datagram(ngx_http_cwmp_zone_t *z,
    ngx_http_cwmp_stun_socket_t *s, ngx_http_cwmp_datagram_t *d,
    ngx_log_t *log)
{
    u_char               *p, answer[CWMP_STUN_ANSWER_MAX];
    cwmp_endpoint_t      *local;
    cwmp_stun_request_t   q;
    cwmp_stun_verdict_e   verdict;

    verdict = cwmp_stun_parse(&q, d->data, d->len, &d->peer);

    if (verdict != CWMP_STUN_REQUEST && verdict != CWMP_STUN_UNKNOWN) {
        ngx_http_cwmp_add(z, ngx_http_cwmp_stun_counters[verdict], 1);
        return;
    }

    /* who is answered at another port asks for that one, which he keeps so */

    local = (verdict == CWMP_STUN_REQUEST && !q.elsewhere) ? &d->local : NULL;

    if (ngx_http_cwmp_binding_refresh(z, &d->peer, local) != NGX_OK) {
        ngx_http_cwmp_count(z, STUN_LIMITED);
        return;
    }

    if (verdict == CWMP_STUN_UNKNOWN) {
        q.response = d->peer;
        p = cwmp_stun_refuse(answer, &q);

    } else {
        p = cwmp_stun_answer(answer, &q, &d->peer, &d->local);
    }

    if (ngx_http_cwmp_stun_sendmsg(s, &d->local, &q.response, answer,
                                   p - answer, log)
        != NGX_OK)
    {
        ngx_http_cwmp_count(z, STUN_FAILED);
        return;
    }

    ngx_http_cwmp_add(z, ngx_http_cwmp_stun_counters[verdict], 1);
}


ngx_int_t
ngx_http_cwmp_stun_send(cwmp_endpoint_t *local, cwmp_endpoint_t *peer,
    u_char *p, size_t len, ngx_log_t *log)
{
    ngx_uint_t                    i;
    ngx_http_cwmp_stun_socket_t  *s;

    s = ngx_http_cwmp_stun_sockets.elts;

    for (i = 0; i < ngx_http_cwmp_stun_sockets.nelts; i++) {

        if (s[i].local.port == local->port
            && s[i].local.family == local->family
            && (s[i].wildcard || cwmp_endpoint_same(&s[i].local, local)))
        {
            return ngx_http_cwmp_stun_sendmsg(&s[i], local, peer, p, len, log);
        }
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_http_cwmp_stun_sendmsg(ngx_http_cwmp_stun_socket_t *s,
    cwmp_endpoint_t *local, cwmp_endpoint_t *peer, u_char *p, size_t len,
    ngx_log_t *log)
{
    ssize_t         n;
    struct iovec    iov;
    struct msghdr   msg;
    ngx_sockaddr_t  sa;
    uint64_t        control[NGX_HTTP_CWMP_STUN_CMSG / sizeof(uint64_t)];

    ngx_memzero(&msg, sizeof(struct msghdr));
    ngx_memzero(control, sizeof(control));

    iov.iov_base = (void *) p;
    iov.iov_len = len;

    msg.msg_namelen = cwmp_endpoint_sockaddr(peer, &sa);
    msg.msg_name = &sa;
    msg.msg_iov = &iov;
    msg.msg_iovlen = 1;

    if (s->wildcard) {
        msg.msg_control = control;
        msg.msg_controllen = sizeof(control);

        ngx_http_cwmp_stun_source(&msg, local);
    }

    do {
        n = sendmsg(s->fd, &msg, 0);
    } while (n == -1 && ngx_socket_errno == NGX_EINTR);

    if (n == -1) {
        ngx_log_error(NGX_LOG_INFO, log, ngx_socket_errno, "sendmsg() failed");
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* the answer comes from the address that was asked */

static void
ngx_http_cwmp_stun_source(struct msghdr *msg, cwmp_endpoint_t *local)
{
    size_t                len;
    struct cmsghdr       *cmsg;
#if (NGX_HAVE_IP_PKTINFO)
    struct in_pktinfo    *pkt;
#endif
#if (NGX_HAVE_INET6 && NGX_HAVE_IPV6_RECVPKTINFO)
    struct in6_pktinfo   *pkt6;
#endif

    len = 0;
    cmsg = CMSG_FIRSTHDR(msg);

#if (NGX_HAVE_IP_PKTINFO)
    if (local->family == AF_INET) {
        cmsg->cmsg_level = IPPROTO_IP;
        cmsg->cmsg_type = IP_PKTINFO;
        cmsg->cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo));

        pkt = (struct in_pktinfo *) CMSG_DATA(cmsg);
        ngx_memcpy(&pkt->ipi_spec_dst, local->addr, 4);

        len = CMSG_SPACE(sizeof(struct in_pktinfo));
    }
#endif

#if (NGX_HAVE_INET6 && NGX_HAVE_IPV6_RECVPKTINFO)
    if (local->family == AF_INET6) {
        cmsg->cmsg_level = IPPROTO_IPV6;
        cmsg->cmsg_type = IPV6_PKTINFO;
        cmsg->cmsg_len = CMSG_LEN(sizeof(struct in6_pktinfo));

        pkt6 = (struct in6_pktinfo *) CMSG_DATA(cmsg);
        ngx_memcpy(&pkt6->ipi6_addr, local->addr, 16);

        len = CMSG_SPACE(sizeof(struct in6_pktinfo));
    }
#endif

    msg->msg_controllen = len;

    if (len == 0) {
        msg->msg_control = NULL;
    }
}
