
/*
 * Fieldgate: sources: from an account that is looked for to the provider's
 * last FIN: all that happens to them.  What follows is the policy's.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_stream_ntrip_source_private.h"


static void ngx_stream_ntrip_source_next_handler(ngx_event_t *ev);
static void ngx_stream_ntrip_source_timer_handler(ngx_event_t *ev);
static void ngx_stream_ntrip_source_accepted(
    ngx_stream_ntrip_client_t *client);
static void ngx_stream_ntrip_source_open(ngx_stream_ntrip_client_t *client);
static ngx_int_t ngx_stream_ntrip_source_body(
    ngx_stream_ntrip_client_t *client, ngx_str_t *data);
static void ngx_stream_ntrip_source_received(
    ngx_stream_ntrip_client_t *client);
static void ngx_stream_ntrip_source_sent(ngx_stream_ntrip_client_t *client);
static void ngx_stream_ntrip_source_closed(ngx_stream_ntrip_client_t *client);
static ngx_msec_t ngx_stream_ntrip_source_age(
    ngx_stream_ntrip_source_t *source);
static void ngx_stream_ntrip_source_exit(ngx_stream_ntrip_client_t *client);
static void ngx_stream_ntrip_source_linger_handler(ngx_event_t *ev);
static void ngx_stream_ntrip_source_renew(ngx_stream_ntrip_source_t *source,
    const char *why);
static ngx_uint_t ngx_stream_ntrip_source_gives_up(
    ngx_stream_ntrip_source_t *source);
static ngx_uint_t ngx_stream_ntrip_source_passes(
    ngx_stream_ntrip_source_t *source);
static void ngx_stream_ntrip_source_second(ngx_stream_ntrip_source_t *source);
static void ngx_stream_ntrip_source_check(ngx_stream_ntrip_source_t *source);


static ngx_queue_t  ngx_stream_ntrip_sources = {
    &ngx_stream_ntrip_sources, &ngx_stream_ntrip_sources
};


static const ngx_stream_ntrip_client_events_t  ngx_stream_ntrip_source_events
    =
{
    ngx_stream_ntrip_source_accepted,
    ngx_stream_ntrip_source_open,
    ngx_stream_ntrip_source_body,
    ngx_stream_ntrip_source_received,
    ngx_stream_ntrip_source_sent,
    ngx_stream_ntrip_source_closed,
    ngx_stream_ntrip_source_exit
};


/* ---- life ---- */

ngx_int_t
ngx_stream_ntrip_source_start(ngx_stream_ntrip_source_t **place,
    ngx_stream_ntrip_srv_conf_t *conf, uint32_t index, uint64_t serial)
{
    ngx_stream_ntrip_source_t  *source;

    source = *place;

    if (source) {

        /* it was on its way to an heir that is dead, as this worker has
           claimed the stream: its connection is of no use without a lease */

        source->since = ngx_current_msec;
        ngx_stream_ntrip_source_event(source, NTRIP_EVENT_CLAIMED);

        return NGX_OK;
    }

    source = ngx_stream_ntrip_source_create(conf, index, serial);

    if (source == NULL) {
        return NGX_ERROR;
    }

    source->place = place;
    *place = source;

    ngx_post_event(&source->next, &ngx_posted_events);

    return NGX_OK;
}


ngx_int_t
ngx_stream_ntrip_source_try(ngx_stream_ntrip_source_t **place,
    ngx_stream_ntrip_srv_conf_t *conf, uint32_t index, uint64_t serial)
{
    if (ngx_stream_ntrip_source_start(place, conf, index, serial) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_delete_posted_event(&(*place)->next);
    ngx_stream_ntrip_source_look(*place);

    if (*place && (*place)->lease.candidate.source) {
        return NGX_OK;
    }

    if (*place) {
        ngx_stream_ntrip_source_free(*place);
    }

    return NGX_AGAIN;
}


ngx_stream_ntrip_source_t *
ngx_stream_ntrip_source_create(ngx_stream_ntrip_srv_conf_t *conf,
    uint32_t index, uint64_t serial)
{
    ngx_str_t                   name, pools;
    ntrip_stream_row_t         *row;
    ngx_stream_ntrip_lease_t   *lease;
    ngx_stream_ntrip_source_t  *source;

    source = ngx_calloc(sizeof(ngx_stream_ntrip_source_t), ngx_cycle->log);
    if (source == NULL) {
        return NULL;
    }

    source->conf = conf;
    source->state = NTRIP_SOURCE_LOOK;
    source->since = ngx_current_msec;

    row = ntrip_stream_row(ngx_stream_ntrip_worker.zone, index);

    /* by the worker that had the stream before */

    source->tried = row->tried;

    name.data = row->mount;
    name.len = row->mount_len;

    source->pool.data = source->pool_data;
    source->pool.len = row->pool_len;
    ngx_memcpy(source->pool_data, row->pool, row->pool_len);

    pools = source->pool;

    while (pools.len) {
        (void) ntrip_text_item(&pools);
        source->npools++;
    }

    lease = &source->lease;
    lease->client.events = &ngx_stream_ntrip_source_events;
    lease->client.data = source;

    ngx_stream_ntrip_lease_init(lease, conf, &name);

    if (source->npools > 1) {

        /* there is somebody else to be asked before what the rovers have is
           too old */

        lease->client.timeout = ngx_min(conf->source_timeout, conf->max_age);
    }

    ngx_stream_ntrip_feed_init(&source->feed, index, serial, row->format);
    ngx_stream_ntrip_position_init(source, row->gga);
    ngx_stream_ntrip_pair_init(source);

    lease->client.size = ngx_min(lease->client.size,
                                 ngx_stream_ntrip_feed_size(&source->feed));

    source->timer.handler = ngx_stream_ntrip_source_timer_handler;
    source->linger.handler = ngx_stream_ntrip_source_linger_handler;
    source->next.handler = ngx_stream_ntrip_source_next_handler;

    source->timer.data = source;
    source->linger.data = source;
    source->next.data = source;

    source->timer.log = &lease->log;
    source->linger.log = &lease->log;
    source->next.log = &lease->log;

    ngx_queue_insert_tail(&ngx_stream_ntrip_sources, &source->queue);

    return source;
}


void
ngx_stream_ntrip_source_free(ngx_stream_ntrip_source_t *source)
{
    ngx_stream_ntrip_lease_stop(&source->lease);
    ngx_stream_ntrip_source_stop_timers(source);

    if (source->next.posted) {
        ngx_delete_posted_event(&source->next);
    }

    ngx_stream_ntrip_source_leave(source);

    ngx_queue_remove(&source->queue);

    ngx_free(source);
}


void
ngx_stream_ntrip_source_event(ngx_stream_ntrip_source_t *source,
    ntrip_source_event_e event)
{
    ngx_uint_t                  i;
    const ntrip_source_step_t  *step;

    step = ntrip_policy_step(source->state, event);

    if (step == NULL) {
        return;
    }

    if (source->timer.timer_set && step->next != source->state) {
        ngx_del_timer(&source->timer);
    }

    source->state = step->next;

    if (source->state != NTRIP_SOURCE_TRIAL
        && source->state != NTRIP_SOURCE_LIVE)
    {
        ngx_stream_ntrip_pair_end(source);
    }

    /* the last action may free the source */

    for (i = 0;
         i < NTRIP_ACTIONS_MAX && step->actions[i] != NTRIP_DO_NOTHING;
         i++)
    {
        ngx_stream_ntrip_source_act(source, step->actions[i]);
    }
}


/* ---- accounts ---- */

static void
ngx_stream_ntrip_source_next_handler(ngx_event_t *ev)
{
    ngx_stream_ntrip_source_t  *source;

    source = ev->data;

    if (source->state == NTRIP_SOURCE_LOOK) {
        ngx_stream_ntrip_source_look(source);
    }
}


/* the next look is due, it is the login's turn, or its trial is over */

static void
ngx_stream_ntrip_source_timer_handler(ngx_event_t *ev)
{
    ntrip_source_event_e        event;
    ngx_stream_ntrip_source_t  *source;

    source = ev->data;

    switch (source->state) {

    case NTRIP_SOURCE_WAIT:
        ngx_stream_ntrip_source_event(source, NTRIP_EVENT_FREE);
        return;

    case NTRIP_SOURCE_TRIAL:
        event = NTRIP_EVENT_GOOD;
        break;

    default: /* NTRIP_SOURCE_TURN */
        event = NTRIP_EVENT_TURN;
    }

    ngx_stream_ntrip_source_event(source,
                                  ngx_stream_ntrip_feed_owned(&source->feed)
                                  ? event : NTRIP_EVENT_DISOWNED);
}


void
ngx_stream_ntrip_source_called(ngx_stream_ntrip_source_t *source)
{
    if (ntrip_wait_called(ngx_stream_ntrip_worker.zone, source->feed.index)) {
        ngx_stream_ntrip_source_event(source, NTRIP_EVENT_FREE);
    }

    ngx_stream_ntrip_pair_host(source);
}


/* there are others than before: all that wait look, and who has one looks
   whether it is still in the pool */

void
ngx_stream_ntrip_source_retry(void)
{
    ngx_queue_t                *q, *next;
    ngx_stream_ntrip_source_t  *source;

    if (ngx_stream_ntrip_worker.me == 0) {
        return;
    }

    for (q = ngx_queue_head(&ngx_stream_ntrip_sources);
         q != ngx_queue_sentinel(&ngx_stream_ntrip_sources);
         q = next)
    {
        next = ngx_queue_next(q);
        source = ngx_queue_data(q, ngx_stream_ntrip_source_t, queue);

        if (source->lease.candidate.source) {
            ngx_stream_ntrip_source_check(source);

        } else {
            ngx_stream_ntrip_source_event(source, NTRIP_EVENT_FREE);
        }
    }
}


/* ---- the connection ---- */

static void
ngx_stream_ntrip_source_accepted(ngx_stream_ntrip_client_t *client)
{
    ngx_stream_ntrip_position_send(client->data);
}


static void
ngx_stream_ntrip_source_open(ngx_stream_ntrip_client_t *client)
{
    ngx_stream_ntrip_source_t  *source;

    source = client->data;

    ngx_stream_ntrip_lease_works(&source->lease);
    ngx_stream_ntrip_source_event(source, NTRIP_EVENT_ACCEPTED);
}


static ngx_int_t
ngx_stream_ntrip_source_body(ngx_stream_ntrip_client_t *client,
    ngx_str_t *data)
{
    uint64_t                    messages;
    ngx_int_t                   rc;
    ngx_stream_ntrip_feed_t    *feed;
    ngx_stream_ntrip_source_t  *source;

    source = client->data;
    feed = &source->feed;

    messages = feed->rtcm.messages;

    rc = ngx_stream_ntrip_feed_write(feed, data);

    switch (rc) {

    case NGX_OK:
    case NGX_AGAIN:

        if (feed->rtcm.messages > messages) {
            source->fed = 1;
            ngx_stream_ntrip_source_event(source, NTRIP_EVENT_GOOD);
        }

        return rc;

    case NGX_DECLINED:
        ngx_log_error(NGX_LOG_ERR, client->log, 0,
                      "the stream is no longer this worker's");
        client->why = "stream lost";
        return NGX_ERROR;

    case NGX_ABORT:
        ngx_log_error(NGX_LOG_ERR, client->log, 0,
                      "provider sends a page or a table");
        client->why = "a page or a table";
        return NGX_ERROR;

    default: /* NGX_ERROR */
        source->why = NGX_STREAM_NTRIP_NO_ROOM;
        ngx_stream_ntrip_source_event(source, NTRIP_EVENT_FULL);
        return NGX_OK;
    }
}


static void
ngx_stream_ntrip_source_received(ngx_stream_ntrip_client_t *client)
{
    ngx_stream_ntrip_source_t  *source;

    source = client->data;

    if (ngx_stream_ntrip_feed_wake(&source->feed)
        && source->linger.timer_set)
    {
        /* somebody wants it again */
        ngx_del_timer(&source->linger);
    }
}


static void
ngx_stream_ntrip_source_sent(ngx_stream_ntrip_client_t *client)
{
    ngx_stream_ntrip_source_mail(client->data);
}


static void
ngx_stream_ntrip_source_closed(ngx_stream_ntrip_client_t *client)
{
    ngx_uint_t                  brief;
    ngx_stream_ntrip_source_t  *source;

    source = client->data;

    if (source->state == NTRIP_SOURCE_LOGIN
        && ngx_stream_ntrip_feed_owned(&source->feed)
        && ngx_stream_ntrip_lease_again(&source->lease, &source->delay))
    {
        ngx_stream_ntrip_source_traced(source, NTRIP_TRACE_CLOSED,
                                       "asked again, in 2.0");
        ngx_stream_ntrip_source_event(source, NTRIP_EVENT_AGAIN);
        return;
    }

    brief = source->state == NTRIP_SOURCE_LIVE
            && source->accepted
            && ngx_current_msec - source->accepted < NTRIP_TRIAL;

    source->reason = ngx_stream_ntrip_lease_reason(&source->lease,
                                        source->state == NTRIP_SOURCE_TRIAL,
                                        brief);
    source->last = ngx_stream_ntrip_lease_why(&source->lease);
    ngx_stream_ntrip_source_traced(source, NTRIP_TRACE_CLOSED, source->last);
    source->first = ntrip_policy_pool(source->used, source->npools,
                                      ngx_stream_ntrip_source_age(source),
                                      source->conf->max_age);

    if (source->feed.rtcm.skipped) {
        ngx_log_error(NGX_LOG_WARN, &source->lease.log, 0,
                      "%uL bytes from the provider were no RTCM 3 messages",
                      source->feed.rtcm.skipped);
    }

    ngx_stream_ntrip_source_event(source, NTRIP_EVENT_CLOSED);
}


/* for the trace: what it is, and what the provider has said, if anything */

void
ngx_stream_ntrip_source_traced(ngx_stream_ntrip_source_t *source,
    ntrip_trace_event_e kind, const char *what)
{
    u_char     text[NTRIP_REPLY_SHOWN];
    ngx_str_t  shown;

    if (!ngx_stream_ntrip_traces_stream(source->feed.serial)) {
        return;
    }

    shown.data = text;
    shown.len = ngx_stream_ntrip_lease_shown(&source->lease, text);

    ngx_stream_ntrip_traced_source(source->feed.serial, kind,
                                   shown.len ? "%s, said: %V" : "%s", what,
                                   &shown);
}


/* of the newest data that rovers have, or have not */

static ngx_msec_t
ngx_stream_ntrip_source_age(ngx_stream_ntrip_source_t *source)
{
    ntrip_stream_row_t  *row;

    row = ntrip_stream_row(ngx_stream_ntrip_worker.zone, source->feed.index);

    return ngx_current_msec - (ngx_msec_t) (row->data ? row->data
                                                      : row->created);
}


static void
ngx_stream_ntrip_source_exit(ngx_stream_ntrip_client_t *client)
{
    ngx_log_error(NGX_LOG_INFO, client->log, 0,
                  "source is closed, the worker has to exit");

    ngx_stream_ntrip_source_event(client->data, NTRIP_EVENT_EXIT);
}


/* ---- the end ---- */

void
ngx_stream_ntrip_source_idle(ngx_stream_ntrip_source_t *source)
{
    ngx_stream_ntrip_source_event(source, NTRIP_EVENT_IDLE);
}


static void
ngx_stream_ntrip_source_linger_handler(ngx_event_t *ev)
{
    ngx_int_t                   rc;
    ntrip_slots_t               wake;
    ngx_stream_ntrip_worker_t  *worker;
    ngx_stream_ntrip_source_t  *source;

    worker = &ngx_stream_ntrip_worker;
    source = ev->data;

    rc = NGX_DECLINED;

    if (!ntrip_stream_wanted(worker->zone, source->feed.index)) {
        ngx_stream_ntrip_pair_end(source);
    }

    ngx_memzero(&wake, sizeof(ntrip_slots_t));

    ngx_stream_ntrip_lock();

    if (ngx_stream_ntrip_feed_owned(&source->feed)) {
        rc = ntrip_stream_close(worker->zone, worker->bus, worker->me,
                                ngx_current_msec, source->feed.index, &wake);
    }

    ngx_stream_ntrip_unlock();

    ngx_stream_ntrip_wake_set(&wake);

    if (rc != NGX_OK) {
        return;
    }

    ngx_log_error(NGX_LOG_INFO, &source->lease.log, 0,
                  "source is closed, the last rover has gone");

    ngx_stream_ntrip_source_leave(source);

    ngx_stream_ntrip_source_event(source, NTRIP_EVENT_UNWANTED);
}


void
ngx_stream_ntrip_source_leave(ngx_stream_ntrip_source_t *source)
{
    if (source->place) {
        *source->place = NULL;
        source->place = NULL;
    }
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

    if (source->position.timer.timer_set) {
        ngx_del_timer(&source->position.timer);
    }

    if (source->turns.timer_set) {
        ngx_del_timer(&source->turns);
    }
}


/* ---- changes of accounts ---- */

void
ngx_stream_ntrip_source_changed(uint64_t id)
{
    ngx_queue_t                *q, *next;
    ntrip_slots_t               wake;
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

        if (source->lease.candidate.source == id) {
            ngx_stream_ntrip_source_renew(source, "the account was changed");
        }
    }

    /* it rested for what it was */

    ngx_memzero(&wake, sizeof(ntrip_slots_t));

    ngx_stream_ntrip_lock();
    ntrip_lease_renew(ngx_stream_ntrip_worker.zone,
                      ngx_stream_ntrip_worker.bus, id, ngx_current_msec,
                      &wake);
    ngx_stream_ntrip_unlock();

    ngx_stream_ntrip_wake_set(&wake);
}


/* another login, maybe with another account: when this one is over */

static void
ngx_stream_ntrip_source_renew(ngx_stream_ntrip_source_t *source,
    const char *why)
{
    if (source->state < NTRIP_SOURCE_TURN
        || source->state > NTRIP_SOURCE_LIVE)
    {
        return;
    }

    ngx_log_error(NGX_LOG_NOTICE, &source->lease.log, 0,
                  "source is closed, %s", why);

    ngx_stream_ntrip_source_event(source,
                                  ngx_stream_ntrip_feed_owned(&source->feed)
                                  ? NTRIP_EVENT_CHANGED
                                  : NTRIP_EVENT_DISOWNED);
}


void
ngx_stream_ntrip_source_tick(void)
{
    ngx_queue_t                *q, *next;
    ngx_stream_ntrip_source_t  *source;

    for (q = ngx_queue_head(&ngx_stream_ntrip_sources);
         q != ngx_queue_sentinel(&ngx_stream_ntrip_sources);
         q = next)
    {
        next = ngx_queue_next(q);
        source = ngx_queue_data(q, ngx_stream_ntrip_source_t, queue);

        if (ngx_stream_ntrip_worker.exiting
            && ngx_stream_ntrip_source_gives_up(source))
        {
            ngx_stream_ntrip_source_event(source, NTRIP_EVENT_EXIT);

        } else if (ngx_stream_ntrip_worker.exiting
                   && ngx_stream_ntrip_source_passes(source))
        {
            ngx_stream_ntrip_source_event(source, NTRIP_EVENT_PASS);

        } else {
            ngx_stream_ntrip_source_second(source);
        }
    }
}


static void
ngx_stream_ntrip_source_second(ngx_stream_ntrip_source_t *source)
{
    /* the source may be gone after joining, and after the check */

    if (source->state == NTRIP_SOURCE_WAIT) {
        ngx_stream_ntrip_pair_join(source);
        return;
    }

    ngx_stream_ntrip_pair_host(source);

    if (source->lease.candidate.source) {
        ngx_stream_ntrip_source_check(source);
    }
}


/*
 * The worker is exiting.  What is live is handed over; what is not is left to
 * those who go on, if they have rovers of it, and to nobody when the time is
 * over: nginx then closes connections, of which such a source may have none.
 */

static ngx_uint_t
ngx_stream_ntrip_source_gives_up(ngx_stream_ntrip_source_t *source)
{
    if (ngx_stream_ntrip_worker_expired()) {
        return 1;
    }

    return source->state <= NTRIP_SOURCE_LOGIN
           && ntrip_stream_others(ngx_stream_ntrip_worker.zone,
                                  ngx_stream_ntrip_worker.bus,
                                  ngx_stream_ntrip_worker.me,
                                  source->feed.index);
}


/* what cannot be handed over: it ends here before it begins there */

static ngx_uint_t
ngx_stream_ntrip_source_passes(ngx_stream_ntrip_source_t *source)
{
    return source->lease.client.tls
           && (source->state == NTRIP_SOURCE_TRIAL
               || source->state == NTRIP_SOURCE_LIVE)
           && ngx_stream_ntrip_feed_owned(&source->feed)
           && ntrip_stream_others(ngx_stream_ntrip_worker.zone,
                                  ngx_stream_ntrip_worker.bus,
                                  ngx_stream_ntrip_worker.me,
                                  source->feed.index);
}


static void
ngx_stream_ntrip_source_check(ngx_stream_ntrip_source_t *source)
{
    ngx_stream_ntrip_account_t  *account;

    if (!ngx_stream_ntrip_store_known()) {
        return;
    }

    account = ngx_stream_ntrip_store_account(source->lease.candidate.source);

    if (account == NULL) {
        ngx_stream_ntrip_source_renew(source, "the account was deleted");

    } else if (account->expires <= ngx_time()) {
        ngx_stream_ntrip_source_renew(source, "the account has expired");

    } else if (!ngx_stream_ntrip_store_in_pools(account, &source->pool)) {
        ngx_stream_ntrip_source_renew(source, "the account left the pool");
    }
}
