
/*
 * Fieldgate: sources: the client at a provider, from an account that is leased
 * to the provider's last FIN.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_stream_ntrip_source.h"


/* between two looks for a free account, at most */

#define NGX_STREAM_NTRIP_LOOK   1000


static void ngx_stream_ntrip_source_never(uint32_t index, uint64_t id);
static ngx_stream_core_srv_conf_t *ngx_stream_ntrip_source_core(
    ngx_stream_ntrip_srv_conf_t *conf);
static u_char *ngx_stream_ntrip_source_log(ngx_log_t *log, u_char *buf,
    size_t len);
static void ngx_stream_ntrip_source_next_handler(ngx_event_t *ev);
static void ngx_stream_ntrip_source_look(ngx_stream_ntrip_source_t *source);
static ngx_int_t ngx_stream_ntrip_source_pick(
    ngx_stream_ntrip_source_t *source, ntrip_found_t *found);
static void ngx_stream_ntrip_source_give_up(
    ngx_stream_ntrip_source_t *source, const char *why);
static void ngx_stream_ntrip_source_timer_handler(ngx_event_t *ev);
static void ngx_stream_ntrip_source_linger_handler(ngx_event_t *ev);
static void ngx_stream_ntrip_source_renew(ngx_stream_ntrip_source_t *source,
    const char *why);
static void ngx_stream_ntrip_source_closing_handler(ngx_event_t *rev);
static void ngx_stream_ntrip_source_closed(ngx_stream_ntrip_source_t *source);


ngx_queue_t  ngx_stream_ntrip_sources = {
    &ngx_stream_ntrip_sources, &ngx_stream_ntrip_sources
};


ngx_int_t
ngx_stream_ntrip_source_start(ngx_stream_ntrip_stream_t *stream, uint64_t id)
{
    ngx_stream_ntrip_source_t  *source;

    source = stream->source;

    if (source) {

        /* it was on its way to an heir that is dead, as this worker has
           claimed the stream: its connection is of no use without a lease */

        ngx_stream_ntrip_connect_stop(source);

    } else {
        source = ngx_stream_ntrip_source_create(stream->conf, stream->index,
                                                stream->serial);
        if (source == NULL) {
            ngx_stream_ntrip_source_never(stream->index, id);
            return NGX_ERROR;
        }

        source->stream = stream;
        source->gga = stream->mount->gga;
        stream->source = source;
    }

    source->state = NGX_STREAM_NTRIP_SOURCE_NONE;
    source->since = ngx_current_msec;

    ngx_memzero(&source->candidate, sizeof(ntrip_candidate_t));
    source->candidate.source = id;

    ngx_post_event(&source->next, &ngx_posted_events);

    return NGX_OK;
}


void
ngx_stream_ntrip_source_claim(ngx_stream_ntrip_stream_t *stream)
{
    (void) ngx_stream_ntrip_source_start(stream, 0);
}


/* there is no memory for it */

static void
ngx_stream_ntrip_source_never(uint32_t index, uint64_t id)
{
    ntrip_slots_t               wake;
    ntrip_candidate_t           candidate;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;

    ngx_memzero(&wake, sizeof(ntrip_slots_t));
    ngx_memzero(&candidate, sizeof(ntrip_candidate_t));
    candidate.source = id;

    ngx_stream_ntrip_lock();

    ntrip_lease_failed(worker->zone, worker->bus, ngx_current_msec, index,
                       &candidate, NTRIP_REST_FOREIGN);
    ntrip_stream_fail(worker->zone, worker->bus, index, &wake);

    ngx_stream_ntrip_unlock();

    ngx_stream_ntrip_wake_set(&wake);
}


ngx_stream_ntrip_source_t *
ngx_stream_ntrip_source_create(ngx_stream_ntrip_srv_conf_t *conf,
    uint32_t index, uint64_t serial)
{
    ngx_stream_ntrip_source_t  *source;
    ntrip_stream_row_t         *row;

    source = ngx_calloc(sizeof(ngx_stream_ntrip_source_t), ngx_cycle->log);
    if (source == NULL) {
        return NULL;
    }

    source->index = index;
    source->serial = serial;
    source->conf = conf;
    source->core = ngx_stream_ntrip_source_core(conf);
    source->lock = NGX_INVALID_FILE;
    source->since = ngx_current_msec;

    row = ntrip_stream_row(ngx_stream_ntrip_worker.zone, index);

    source->mount.data = source->mount_data;
    source->mount.len = row->mount_len;
    ngx_memcpy(source->mount_data, row->mount, row->mount_len);

    source->pool.data = source->pool_data;
    source->pool.len = row->pool_len;
    ngx_memcpy(source->pool_data, row->pool, row->pool_len);

    source->log = source->core ? *source->core->error_log : *ngx_cycle->log;
    source->log.handler = ngx_stream_ntrip_source_log;
    source->log.data = source;
    source->log.action = NULL;
    source->log.connection = 0;

    source->timer.handler = ngx_stream_ntrip_source_timer_handler;
    source->linger.handler = ngx_stream_ntrip_source_linger_handler;
    source->position.handler = ngx_stream_ntrip_source_position_handler;
    source->position.cancelable = 1;
    source->next.handler = ngx_stream_ntrip_source_next_handler;

    source->timer.data = source;
    source->linger.data = source;
    source->position.data = source;
    source->next.data = source;

    source->timer.log = &source->log;
    source->linger.log = &source->log;
    source->position.log = &source->log;
    source->next.log = &source->log;

    ngx_queue_insert_tail(&ngx_stream_ntrip_sources, &source->queue);

    return source;
}


/* the server that "conf" is of: for its resolver and its error log */

static ngx_stream_core_srv_conf_t *
ngx_stream_ntrip_source_core(ngx_stream_ntrip_srv_conf_t *conf)
{
    ngx_uint_t                     i;
    ngx_stream_core_srv_conf_t   **cscf;
    ngx_stream_core_main_conf_t   *cmcf;

    cmcf = ngx_stream_cycle_get_module_main_conf(ngx_cycle,
                                                 ngx_stream_core_module);
    cscf = cmcf->servers.elts;

    for (i = 0; i < cmcf->servers.nelts; i++) {
        if (cscf[i]->ctx->srv_conf[ngx_stream_ntrip_module.ctx_index] == conf)
        {
            return cscf[i];
        }
    }

    return NULL;
}


void
ngx_stream_ntrip_source_free(ngx_stream_ntrip_source_t *source)
{
    ngx_stream_ntrip_connect_stop(source);
    ngx_stream_ntrip_source_stop_timers(source);

    if (source->next.posted) {
        ngx_delete_posted_event(&source->next);
    }

    if (source->stream) {
        source->stream->source = NULL;
    }

    ngx_queue_remove(&source->queue);

    ngx_free(source);
}


void
ngx_stream_ntrip_source_stop_timers(ngx_stream_ntrip_source_t *source)
{
    if (source->timer.timer_set) {
        ngx_del_timer(&source->timer);
    }

    if (source->linger.timer_set) {
        ngx_del_timer(&source->linger);
    }

    if (source->position.timer_set) {
        ngx_del_timer(&source->position);
    }
}


static u_char *
ngx_stream_ntrip_source_log(ngx_log_t *log, u_char *buf, size_t len)
{
    u_char                     *p;
    ngx_stream_ntrip_source_t  *source;

    if (log->action) {
        p = ngx_snprintf(buf, len, " while %s", log->action);
        len -= p - buf;
        buf = p;
    }

    source = log->data;

    if (source->label.len == 0) {
        return ngx_snprintf(buf, len, ", mountpoint: %V", &source->mount);
    }

    return ngx_snprintf(buf, len, ", source: %V/%V", &source->label,
                        &source->mount);
}


ngx_uint_t
ngx_stream_ntrip_source_owned(ngx_stream_ntrip_source_t *source)
{
    return ntrip_stream_owned(ngx_stream_ntrip_worker.zone,
                              ngx_stream_ntrip_worker.me, source->index,
                              source->serial);
}


/* ---- accounts ---- */

static void
ngx_stream_ntrip_source_next_handler(ngx_event_t *ev)
{
    ngx_stream_ntrip_source_t  *source;

    source = ev->data;

    if (source->broken) {

        if (source->state == NGX_STREAM_NTRIP_SOURCE_CLOSING) {
            ngx_stream_ntrip_source_closed(source);
            return;
        }

        ngx_stream_ntrip_source_failed(source, NTRIP_REST_FAILED);
        return;
    }

    if (source->state == NGX_STREAM_NTRIP_SOURCE_NONE) {
        ngx_stream_ntrip_source_look(source);
    }
}


void
ngx_stream_ntrip_source_broken(ngx_stream_ntrip_source_t *source)
{
    source->broken = 1;

    ngx_post_event(&source->next, &ngx_posted_events);
}


/* logs in with an account that the stream has, or is given now */

static void
ngx_stream_ntrip_source_look(ngx_stream_ntrip_source_t *source)
{
    ngx_int_t       rc;
    ngx_msec_int_t  left;
    ntrip_found_t   found;

    if (source->timer.timer_set) {
        ngx_del_timer(&source->timer);
    }

    if (!ngx_stream_ntrip_source_owned(source)) {
        ngx_stream_ntrip_source_free(source);
        return;
    }

    ngx_memzero(&found, sizeof(ntrip_found_t));

    rc = ngx_stream_ntrip_source_pick(source, &found);

    switch (rc) {

    case NGX_OK:
        source->waits = 0;
        ngx_stream_ntrip_connect(source);
        return;

    case NGX_DECLINED:
        ngx_stream_ntrip_source_give_up(source, "there is no valid account");
        return;

    case NGX_ERROR:
        ngx_stream_ntrip_full(1);
        ngx_stream_ntrip_source_give_up(source,
                                        "no more accounts can be in use");
        return;
    }

    left = (ngx_msec_int_t) (source->since + source->conf->source_wait
                             - ngx_current_msec);

    /* nobody knows when those in use are free again */

    if (left <= 0
        || (found.wait < NTRIP_REST_MAX && found.wait > (uint64_t) left))
    {
        ngx_stream_ntrip_source_give_up(source,
                                        "all accounts are in use or resting");
        return;
    }

    if (!source->waits) {
        source->waits = 1;
        source->label.len = 0;
        source->log.action = NULL;

        ngx_log_error(NGX_LOG_INFO, &source->log, 0,
                      "source waits for an account of pool \"%V\"",
                      &source->pool);
    }

    /* an exiting worker does not wait for it: somebody else will claim the
       stream */

    source->timer.cancelable = 1;

    ngx_add_timer(&source->timer,
                  ngx_min(found.wait + 1, NGX_STREAM_NTRIP_LOOK));
}


static ngx_int_t
ngx_stream_ntrip_source_pick(ngx_stream_ntrip_source_t *source,
    ntrip_found_t *found)
{
    ngx_int_t                   rc;
    ngx_uint_t                  i;
    ntrip_want_t                want;
    ntrip_stream_row_t         *row;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;
    row = ntrip_stream_row(worker->zone, source->index);

    ngx_memzero(&want, sizeof(ntrip_want_t));

    rc = ngx_stream_ntrip_store_candidates(&source->pool, &source->mount,
                                           (in_port_t) row->port,
                                           &want.candidates,
                                           &want.ncandidates);

    for (i = 0; rc == NGX_OK && i < want.ncandidates; i++) {
        if (want.candidates[i].source == source->candidate.source) {
            source->candidate = want.candidates[i];
            break;
        }
    }

    if (source->candidate.source) {
        return NGX_OK;
    }

    if (rc == NGX_AGAIN) {
        found->wait = NTRIP_REST_MAX;
        return NGX_AGAIN;
    }

    ngx_stream_ntrip_lock();
    rc = ntrip_stream_next_lease(worker->zone, worker->bus, ngx_current_msec,
                                 source->index, &want, found);
    ngx_stream_ntrip_unlock();

    if (rc == NGX_OK) {
        source->candidate = want.candidates[found->candidate];
    }

    return rc;
}


/* none is left: the rovers are closed, by all who have some */

static void
ngx_stream_ntrip_source_give_up(ngx_stream_ntrip_source_t *source,
    const char *why)
{
    ntrip_slots_t               wake;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;

    source->label.len = 0;
    source->log.action = NULL;

    ngx_log_error(NGX_LOG_ERR, &source->log, 0,
                  "no source for pool \"%V\": %s, rovers are closed",
                  &source->pool, why);

    ngx_memzero(&wake, sizeof(ntrip_slots_t));

    ngx_stream_ntrip_lock();

    if (ngx_stream_ntrip_source_owned(source)) {
        ntrip_stream_fail(worker->zone, worker->bus, source->index, &wake);
    }

    ngx_stream_ntrip_unlock();

    ngx_stream_ntrip_source_free(source);

    ngx_stream_ntrip_wake_set(&wake);
}


void
ngx_stream_ntrip_source_failed(ngx_stream_ntrip_source_t *source,
    ngx_uint_t reason)
{
    ngx_uint_t                  owned;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;

    source->broken = 0;

    if (source->state == NGX_STREAM_NTRIP_SOURCE_LIVE) {
        source->since = ngx_current_msec;
        ngx_stream_ntrip_count(source_lost);

    } else if (reason != NTRIP_REST_FOREIGN) {
        ngx_stream_ntrip_count(source_failures);
    }

    /* nothing of it is left when somebody else may have the account */

    ngx_stream_ntrip_connect_stop(source);

    if (source->timer.timer_set) {
        ngx_del_timer(&source->timer);
    }

    ngx_stream_ntrip_lock();

    owned = ngx_stream_ntrip_source_owned(source);

    if (owned) {
        ntrip_lease_failed(worker->zone, worker->bus, ngx_current_msec,
                           source->index, &source->candidate, reason);
        ntrip_stream_reopen(worker->zone, source->index);
    }

    ngx_stream_ntrip_unlock();

    if (source->test) {
        ngx_stream_ntrip_source_tested(source, reason);
        return;
    }

    ngx_memzero(&source->candidate, sizeof(ntrip_candidate_t));
    source->state = NGX_STREAM_NTRIP_SOURCE_NONE;

    if (!owned) {
        ngx_stream_ntrip_source_free(source);
        return;
    }

    ngx_post_event(&source->next, &ngx_posted_events);
}


static void
ngx_stream_ntrip_source_timer_handler(ngx_event_t *ev)
{
    ngx_stream_ntrip_source_t  *source;

    source = ev->data;

    switch (source->state) {

    case NGX_STREAM_NTRIP_SOURCE_NONE:
        ngx_stream_ntrip_source_look(source);
        return;

    case NGX_STREAM_NTRIP_SOURCE_RESOLVE:
    case NGX_STREAM_NTRIP_SOURCE_CONNECT:
        ngx_stream_ntrip_connect_timeout(source);
        return;

    case NGX_STREAM_NTRIP_SOURCE_CLOSING:
        ngx_stream_ntrip_source_closed(source);
        return;
    }

    ngx_log_error(NGX_LOG_ERR, &source->log, NGX_ETIMEDOUT,
                  "provider is silent");

    ngx_stream_ntrip_source_failed(source, NTRIP_REST_FAILED);
}


/* ---- the end ---- */

void
ngx_stream_ntrip_source_idle(ngx_stream_ntrip_source_t *source)
{
    if (source->linger.timer_set
        || source->state == NGX_STREAM_NTRIP_SOURCE_OFFERED)
    {
        return;
    }

    /* without a connection there is nothing to keep: an exiting worker, which
       has closed it, would stay for as long */

    ngx_add_timer(&source->linger,
                  source->state == NGX_STREAM_NTRIP_SOURCE_NONE
                  ? 1 : source->conf->source_linger);
}


static void
ngx_stream_ntrip_source_linger_handler(ngx_event_t *ev)
{
    ngx_int_t                   rc;
    ngx_stream_ntrip_worker_t  *worker;
    ngx_stream_ntrip_source_t  *source;

    worker = &ngx_stream_ntrip_worker;
    source = ev->data;

    if (source->state == NGX_STREAM_NTRIP_SOURCE_OFFERED) {
        return;
    }

    rc = NGX_DECLINED;

    ngx_stream_ntrip_lock();

    if (ngx_stream_ntrip_source_owned(source)) {
        rc = ntrip_stream_close(worker->zone, worker->me, source->index);
    }

    ngx_stream_ntrip_unlock();

    if (rc != NGX_OK) {
        return;
    }

    if (source->stream) {
        source->stream->source = NULL;
        source->stream = NULL;
    }

    if (source->state == NGX_STREAM_NTRIP_SOURCE_CLOSING) {
        return;
    }

    ngx_log_error(NGX_LOG_INFO, &source->log, 0,
                  "source is closed, the last rover has gone");

    ngx_stream_ntrip_source_shutdown(source);
}


/* another login, maybe with another account: when this one is over */

static void
ngx_stream_ntrip_source_renew(ngx_stream_ntrip_source_t *source,
    const char *why)
{
    ngx_uint_t                  owned;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;

    ngx_log_error(NGX_LOG_NOTICE, &source->log, 0,
                  "source is closed, %s", why);

    ngx_stream_ntrip_lock();

    owned = ngx_stream_ntrip_source_owned(source);

    if (owned) {
        ntrip_lease_closing(worker->zone, worker->me, source->index);
        ntrip_stream_reopen(worker->zone, source->index);
    }

    ngx_stream_ntrip_unlock();

    if (!owned) {
        ngx_stream_ntrip_source_broken(source);
        return;
    }

    source->since = ngx_current_msec;

    ngx_stream_ntrip_source_shutdown(source);
}


/* the account is CLOSING: says goodbye to the provider and waits for its */

void
ngx_stream_ntrip_source_shutdown(ngx_stream_ntrip_source_t *source)
{
    ngx_uint_t         connected;
    ngx_connection_t  *c;

    connected = (source->state == NGX_STREAM_NTRIP_SOURCE_REPLY
                 || source->state == NGX_STREAM_NTRIP_SOURCE_LIVE);

    source->state = NGX_STREAM_NTRIP_SOURCE_CLOSING;
    source->log.action = "closing a connection to a provider";

    if (source->position.timer_set) {
        ngx_del_timer(&source->position);
    }

    if (source->timer.timer_set) {
        ngx_del_timer(&source->timer);
    }

    c = source->peer.connection;

    if (!connected
        || ngx_shutdown_socket(c->fd, NGX_WRITE_SHUTDOWN) == -1)
    {
        ngx_stream_ntrip_connect_stop(source);
        ngx_stream_ntrip_source_broken(source);
        return;
    }

    source->timer.cancelable = 0;
    ngx_add_timer(&source->timer, NTRIP_LEASE_FIN);

    c->read->handler = ngx_stream_ntrip_source_closing_handler;

    ngx_post_event(c->read, &ngx_posted_events);
}


static void
ngx_stream_ntrip_source_closing_handler(ngx_event_t *rev)
{
    ssize_t                     n;
    ngx_connection_t           *c;
    ngx_stream_ntrip_source_t  *source;
    u_char                      buf[4096];

    c = rev->data;
    source = c->data;

    if (c->close) {
        ngx_stream_ntrip_source_closed(source);
        return;
    }

    n = c->recv(c, buf, sizeof(buf));

    if (n == 0 || n == NGX_ERROR) {
        ngx_stream_ntrip_source_closed(source);
        return;
    }

    if (n > 0 && rev->ready) {
        ngx_post_event(rev, &ngx_posted_next_events);
        return;
    }

    if (ngx_handle_read_event(rev, 0) != NGX_OK) {
        ngx_stream_ntrip_source_closed(source);
    }
}


static void
ngx_stream_ntrip_source_closed(ngx_stream_ntrip_source_t *source)
{
    uint64_t                    id;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;
    id = source->candidate.source;

    source->broken = 0;

    ngx_stream_ntrip_connect_stop(source);

    if (source->timer.timer_set) {
        ngx_del_timer(&source->timer);
    }

    if (id) {
        ngx_stream_ntrip_lock();
        ntrip_lease_closed(worker->zone, worker->me, id, ngx_current_msec);
        ngx_stream_ntrip_unlock();
    }

    ngx_memzero(&source->candidate, sizeof(ntrip_candidate_t));
    source->state = NGX_STREAM_NTRIP_SOURCE_NONE;

    if (source->stream) {
        ngx_post_event(&source->next, &ngx_posted_events);

    } else {
        ngx_stream_ntrip_source_free(source);
    }

    if (id) {
        ngx_stream_ntrip_source_retry();
    }
}


/* an account has become free, or better: others learn of it by their tick */

void
ngx_stream_ntrip_source_retry(void)
{
    ngx_queue_t                *q;
    ngx_stream_ntrip_source_t  *source;

    if (ngx_stream_ntrip_worker.me == 0) {
        return;
    }

    for (q = ngx_queue_head(&ngx_stream_ntrip_sources);
         q != ngx_queue_sentinel(&ngx_stream_ntrip_sources);
         q = ngx_queue_next(q))
    {
        source = ngx_queue_data(q, ngx_stream_ntrip_source_t, queue);

        if (source->state == NGX_STREAM_NTRIP_SOURCE_NONE
            && source->timer.timer_set)
        {
            ngx_post_event(&source->next, &ngx_posted_events);
        }
    }

    ngx_stream_ntrip_rovers_retry();
}


void
ngx_stream_ntrip_source_abandon(ngx_stream_ntrip_source_t *source)
{
    ngx_log_error(NGX_LOG_INFO, &source->log, 0,
                  "source is closed, the worker has to exit");

    ngx_stream_ntrip_connect_stop(source);
    ngx_stream_ntrip_source_stop_timers(source);

    if (source->next.posted) {
        ngx_delete_posted_event(&source->next);
    }

    source->broken = 0;
    source->state = NGX_STREAM_NTRIP_SOURCE_NONE;
}


/* ---- changes of accounts ---- */

void
ngx_stream_ntrip_source_changed(uint64_t id)
{
    ntrip_lease_row_t          *lease;
    ngx_queue_t                *q, *next;
    ngx_stream_ntrip_source_t  *source;

    if (ngx_stream_ntrip_worker.me == 0) {
        return;
    }

    if (id == 0) {
        ngx_stream_ntrip_source_tick();
        return;
    }

    for (q = ngx_queue_head(&ngx_stream_ntrip_sources);
         q != ngx_queue_sentinel(&ngx_stream_ntrip_sources);
         q = next)
    {
        next = ngx_queue_next(q);
        source = ngx_queue_data(q, ngx_stream_ntrip_source_t, queue);

        if (source->candidate.source == id
            && source->test == NULL
            && source->state >= NGX_STREAM_NTRIP_SOURCE_RESOLVE
            && source->state <= NGX_STREAM_NTRIP_SOURCE_LIVE)
        {
            ngx_stream_ntrip_source_renew(source, "the account was changed");
        }
    }

    /* it rested for what it was */

    ngx_stream_ntrip_lock();

    lease = ntrip_lease_find(ngx_stream_ntrip_worker.zone, id);

    if (lease && lease->row.state == NTRIP_LEASE_IDLE) {
        lease->failures = 0;
        lease->until = 0;
    }

    ngx_stream_ntrip_unlock();
}


void
ngx_stream_ntrip_source_tick(void)
{
    ngx_uint_t                   n;
    ngx_queue_t                 *q, *next;
    ntrip_candidate_t           *candidates;
    ngx_stream_ntrip_source_t   *source;
    ngx_stream_ntrip_account_t  *account;

    for (q = ngx_queue_head(&ngx_stream_ntrip_sources);
         q != ngx_queue_sentinel(&ngx_stream_ntrip_sources);
         q = next)
    {
        next = ngx_queue_next(q);
        source = ngx_queue_data(q, ngx_stream_ntrip_source_t, queue);

        if (source->candidate.source == 0
            || source->test
            || source->state < NGX_STREAM_NTRIP_SOURCE_RESOLVE
            || source->state > NGX_STREAM_NTRIP_SOURCE_LIVE)
        {
            continue;
        }

        account = ngx_stream_ntrip_store_account(source->candidate.source);

        if (account == NULL) {

            /* unless the store knows of none at all yet */

            if (ngx_stream_ntrip_store_candidates(&source->pool,
                                                  &source->mount, 0,
                                                  &candidates, &n)
                != NGX_AGAIN)
            {
                ngx_stream_ntrip_source_renew(source,
                                              "the account was deleted");
            }

        } else if (account->expires <= ngx_time()) {
            ngx_stream_ntrip_source_renew(source, "the account has expired");
        }
    }
}
