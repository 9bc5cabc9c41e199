
/*
 * Fieldgate: names of providers' hosts are looked up.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <netdb.h>

#include "ngx_stream_ntrip_lookup.h"


/* getaddrinfo() in a thread, which touches nothing but what is behind "name";
   freed with its answer, whoever is left to hear it */

struct ngx_stream_ntrip_lookup_s {
    ngx_queue_t                queue;        /* all of this worker */
    ngx_queue_t                waiting;      /* ngx_stream_ntrip_addrs_t */

    char                       name[NTRIP_HOST_MAX + 1];
    int                        rc;
    ngx_uint_t                 naddrs;
    ngx_sockaddr_t             addrs[NGX_STREAM_NTRIP_ADDRS];
    socklen_t                  socklens[NGX_STREAM_NTRIP_ADDRS];
};


static ngx_int_t ngx_stream_ntrip_addrs_literal(
    ngx_stream_ntrip_addrs_t *addrs, ngx_str_t *host);
static ngx_int_t ngx_stream_ntrip_addrs_resolve(
    ngx_stream_ntrip_addrs_t *addrs, ngx_str_t *host);
static void ngx_stream_ntrip_addrs_resolved(ngx_resolver_ctx_t *ctx);
static ngx_int_t ngx_stream_ntrip_addrs_wait(
    ngx_stream_ntrip_addrs_t *addrs, ngx_str_t *host);
static ngx_stream_ntrip_lookup_t *ngx_stream_ntrip_lookup_find(
    ngx_str_t *host);
static ngx_stream_ntrip_lookup_t *ngx_stream_ntrip_lookup_post(
    ngx_str_t *host);
static void ngx_stream_ntrip_lookup_thread(void *data, ngx_log_t *log);
static void ngx_stream_ntrip_lookup_done(ngx_event_t *ev);
static void ngx_stream_ntrip_lookup_tell(ngx_stream_ntrip_lookup_t *lookup,
    ngx_stream_ntrip_addrs_t *addrs);


static ngx_queue_t  ngx_stream_ntrip_lookups = {
    &ngx_stream_ntrip_lookups, &ngx_stream_ntrip_lookups
};


ngx_int_t
ngx_stream_ntrip_addrs_find(ngx_stream_ntrip_addrs_t *addrs, ngx_str_t *host,
    in_port_t port)
{
    ngx_int_t  rc;

    addrs->naddrs = 0;
    addrs->port = port;

    if (ngx_stream_ntrip_addrs_literal(addrs, host) == NGX_OK) {
        return NGX_OK;
    }

    rc = ngx_stream_ntrip_addrs_resolve(addrs, host);

    if (rc == NGX_DECLINED) {
        rc = ngx_stream_ntrip_addrs_wait(addrs, host);
    }

    if (rc == NGX_ERROR) {
        ngx_log_error(NGX_LOG_ERR, addrs->log, 0,
                      "%V cannot be looked up now", host);
    }

    return rc;
}


void
ngx_stream_ntrip_addrs_cancel(ngx_stream_ntrip_addrs_t *addrs)
{
    if (addrs->resolving) {
        ngx_resolve_name_done(addrs->resolving);
        addrs->resolving = NULL;
    }

    if (addrs->lookup) {
        ngx_queue_remove(&addrs->queue);
        addrs->lookup = NULL;
    }
}


static ngx_int_t
ngx_stream_ntrip_addrs_literal(ngx_stream_ntrip_addrs_t *addrs,
    ngx_str_t *host)
{
    in_addr_t             addr;
    struct sockaddr_in   *sin;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6  *sin6;
#endif

    ngx_memzero(&addrs->addrs[0], sizeof(ngx_sockaddr_t));

    addr = ngx_inet_addr(host->data, host->len);

    if (addr != INADDR_NONE) {
        sin = &addrs->addrs[0].sockaddr_in;
        sin->sin_family = AF_INET;
        sin->sin_addr.s_addr = addr;

        addrs->socklens[0] = sizeof(struct sockaddr_in);
        goto found;
    }

#if (NGX_HAVE_INET6)

    sin6 = &addrs->addrs[0].sockaddr_in6;

    if (ngx_inet6_addr(host->data, host->len, sin6->sin6_addr.s6_addr)
        == NGX_OK)
    {
        sin6->sin6_family = AF_INET6;
        addrs->socklens[0] = sizeof(struct sockaddr_in6);
        goto found;
    }

#endif

    return NGX_DECLINED;

found:

    ngx_inet_set_port(&addrs->addrs[0].sockaddr, addrs->port);
    addrs->naddrs = 1;

    return NGX_OK;
}


/* NGX_DECLINED: no resolver is configured */

static ngx_int_t
ngx_stream_ntrip_addrs_resolve(ngx_stream_ntrip_addrs_t *addrs,
    ngx_str_t *host)
{
    ngx_resolver_ctx_t  *ctx;

    if (addrs->resolver == NULL) {
        return NGX_DECLINED;
    }

    ctx = ngx_resolve_start(addrs->resolver, NULL);

    if (ctx == NGX_NO_RESOLVER) {
        return NGX_DECLINED;
    }

    if (ctx == NULL) {
        return NGX_ERROR;
    }

    ctx->name = *host;
    ctx->handler = ngx_stream_ntrip_addrs_resolved;
    ctx->data = addrs;
    ctx->timeout = addrs->resolver_timeout;

    addrs->resolving = ctx;

    if (ngx_resolve_name(ctx) != NGX_OK) {
        addrs->resolving = NULL;
        return NGX_ERROR;
    }

    return NGX_AGAIN;
}


static void
ngx_stream_ntrip_addrs_resolved(ngx_resolver_ctx_t *ctx)
{
    ngx_uint_t                 i;
    ngx_stream_ntrip_addrs_t  *addrs;

    addrs = ctx->data;

    if (ctx->state) {
        ngx_log_error(NGX_LOG_ERR, addrs->log, 0,
                      "%V could not be resolved (%i: %s)",
                      &ctx->name, ctx->state,
                      ngx_resolver_strerror(ctx->state));

    } else {
        addrs->naddrs = ngx_min(ctx->naddrs, NGX_STREAM_NTRIP_ADDRS);
    }

    for (i = 0; i < addrs->naddrs; i++) {
        ngx_memcpy(&addrs->addrs[i], ctx->addrs[i].sockaddr,
                   ctx->addrs[i].socklen);
        addrs->socklens[i] = ctx->addrs[i].socklen;
        ngx_inet_set_port(&addrs->addrs[i].sockaddr, addrs->port);
    }

    addrs->resolving = NULL;
    ngx_resolve_name_done(ctx);

    addrs->handler(addrs);
}


static ngx_int_t
ngx_stream_ntrip_addrs_wait(ngx_stream_ntrip_addrs_t *addrs, ngx_str_t *host)
{
    ngx_stream_ntrip_lookup_t  *lookup;

    lookup = ngx_stream_ntrip_lookup_find(host);

    if (lookup == NULL) {
        lookup = ngx_stream_ntrip_lookup_post(host);
    }

    if (lookup == NULL) {
        return NGX_ERROR;
    }

    addrs->lookup = lookup;
    ngx_queue_insert_tail(&lookup->waiting, &addrs->queue);

    return NGX_AGAIN;
}


/* there are few: as many names as providers, not as accounts */

static ngx_stream_ntrip_lookup_t *
ngx_stream_ntrip_lookup_find(ngx_str_t *host)
{
    ngx_queue_t                *q;
    ngx_stream_ntrip_lookup_t  *lookup;

    for (q = ngx_queue_head(&ngx_stream_ntrip_lookups);
         q != ngx_queue_sentinel(&ngx_stream_ntrip_lookups);
         q = ngx_queue_next(q))
    {
        lookup = ngx_queue_data(q, ngx_stream_ntrip_lookup_t, queue);

        if (ngx_strncasecmp((u_char *) lookup->name, host->data, host->len)
            == 0
            && lookup->name[host->len] == '\0')
        {
            return lookup;
        }
    }

    return NULL;
}


static ngx_stream_ntrip_lookup_t *
ngx_stream_ntrip_lookup_post(ngx_str_t *host)
{
    ngx_thread_task_t             *task;
    ngx_stream_ntrip_lookup_t     *lookup;
    ngx_stream_ntrip_main_conf_t  *nmcf;

    if (host->len > NTRIP_HOST_MAX) {
        return NULL;
    }

    nmcf = ngx_stream_cycle_get_module_main_conf(ngx_cycle,
                                                 ngx_stream_ntrip_module);

    task = ngx_calloc(sizeof(ngx_thread_task_t)
                      + sizeof(ngx_stream_ntrip_lookup_t), ngx_cycle->log);
    if (task == NULL) {
        return NULL;
    }

    lookup = (ngx_stream_ntrip_lookup_t *) (task + 1);

    task->ctx = lookup;
    task->handler = ngx_stream_ntrip_lookup_thread;
    task->event.handler = ngx_stream_ntrip_lookup_done;
    task->event.data = task;
    task->event.log = ngx_cycle->log;

    ngx_memcpy(lookup->name, host->data, host->len);

    if (ngx_thread_task_post(nmcf->lookup_pool, task) != NGX_OK) {
        ngx_free(task);
        return NULL;
    }

    ngx_queue_init(&lookup->waiting);
    ngx_queue_insert_tail(&ngx_stream_ntrip_lookups, &lookup->queue);

    return lookup;
}


static void
ngx_stream_ntrip_lookup_thread(void *data, ngx_log_t *log)
{
    ngx_stream_ntrip_lookup_t *lookup = data;

    struct addrinfo  hints, *res, *ai;

    ngx_memzero(&hints, sizeof(struct addrinfo));
    hints.ai_socktype = SOCK_STREAM;

    lookup->rc = getaddrinfo(lookup->name, NULL, &hints, &res);

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

    if (lookup->naddrs == 0) {
        lookup->rc = EAI_NONAME;
    }
}


static void
ngx_stream_ntrip_lookup_done(ngx_event_t *ev)
{
    ngx_queue_t                *q;
    ngx_thread_task_t          *task;
    ngx_stream_ntrip_addrs_t   *addrs;
    ngx_stream_ntrip_lookup_t  *lookup;

    task = ev->data;
    lookup = task->ctx;

    /* whoever asks for the name from now on is not answered by this */

    ngx_queue_remove(&lookup->queue);

    while (!ngx_queue_empty(&lookup->waiting)) {
        q = ngx_queue_head(&lookup->waiting);
        addrs = ngx_queue_data(q, ngx_stream_ntrip_addrs_t, queue);

        ngx_queue_remove(q);
        addrs->lookup = NULL;

        ngx_stream_ntrip_lookup_tell(lookup, addrs);
    }

    ngx_free(task);
}


static void
ngx_stream_ntrip_lookup_tell(ngx_stream_ntrip_lookup_t *lookup,
    ngx_stream_ntrip_addrs_t *addrs)
{
    ngx_uint_t  i;

    if (lookup->rc != 0) {
        ngx_log_error(NGX_LOG_ERR, addrs->log, 0,
                      "%s could not be resolved (%s)", lookup->name,
                      gai_strerror(lookup->rc));
    }

    addrs->naddrs = lookup->naddrs;

    for (i = 0; i < lookup->naddrs; i++) {
        addrs->addrs[i] = lookup->addrs[i];
        addrs->socklens[i] = lookup->socklens[i];
        ngx_inet_set_port(&addrs->addrs[i].sockaddr, addrs->port);
    }

    addrs->handler(addrs);
}
