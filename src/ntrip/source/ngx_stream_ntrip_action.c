
/*
 * Fieldgate: what a source does, action by action of the policy.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_stream_ntrip_source_private.h"


typedef void (*ngx_stream_ntrip_source_action_pt)(
    ngx_stream_ntrip_source_t *source);


static void ngx_stream_ntrip_do_look(ngx_stream_ntrip_source_t *source);
static void ngx_stream_ntrip_do_wait(ngx_stream_ntrip_source_t *source);
static void ngx_stream_ntrip_do_turn(ngx_stream_ntrip_source_t *source);
static void ngx_stream_ntrip_do_trial(ngx_stream_ntrip_source_t *source);
static void ngx_stream_ntrip_do_good(ngx_stream_ntrip_source_t *source);
static void ngx_stream_ntrip_do_rest(ngx_stream_ntrip_source_t *source);
static void ngx_stream_ntrip_do_closing(ngx_stream_ntrip_source_t *source);
static void ngx_stream_ntrip_do_closed(ngx_stream_ntrip_source_t *source);
static void ngx_stream_ntrip_do_login(ngx_stream_ntrip_source_t *source);
static void ngx_stream_ntrip_do_shutdown(ngx_stream_ntrip_source_t *source);
static void ngx_stream_ntrip_do_stop(ngx_stream_ntrip_source_t *source);
static void ngx_stream_ntrip_do_park(ngx_stream_ntrip_source_t *source);
static void ngx_stream_ntrip_do_unpark(ngx_stream_ntrip_source_t *source);
static void ngx_stream_ntrip_do_give(ngx_stream_ntrip_source_t *source);
static void ngx_stream_ntrip_do_linger(ngx_stream_ntrip_source_t *source);
static void ngx_stream_ntrip_do_linger_not(ngx_stream_ntrip_source_t *source);
static void ngx_stream_ntrip_do_live(ngx_stream_ntrip_source_t *source);
static void ngx_stream_ntrip_do_missed(ngx_stream_ntrip_source_t *source);
static void ngx_stream_ntrip_do_lost(ngx_stream_ntrip_source_t *source);
static void ngx_stream_ntrip_do_renew(ngx_stream_ntrip_source_t *source);
static void ngx_stream_ntrip_do_fail(ngx_stream_ntrip_source_t *source);
static void ngx_stream_ntrip_do_orphan(ngx_stream_ntrip_source_t *source);
static void ngx_stream_ntrip_do_pass(ngx_stream_ntrip_source_t *source);
static void ngx_stream_ntrip_source_give_up(
    ngx_stream_ntrip_source_t *source, ngx_uint_t keep);


static const ngx_stream_ntrip_source_action_pt  ngx_stream_ntrip_actions[] = {
    [NTRIP_DO_LOOK] = ngx_stream_ntrip_do_look,
    [NTRIP_DO_WAIT] = ngx_stream_ntrip_do_wait,
    [NTRIP_DO_TURN] = ngx_stream_ntrip_do_turn,
    [NTRIP_DO_TRIAL] = ngx_stream_ntrip_do_trial,
    [NTRIP_DO_GOOD] = ngx_stream_ntrip_do_good,
    [NTRIP_DO_REST] = ngx_stream_ntrip_do_rest,
    [NTRIP_DO_CLOSING] = ngx_stream_ntrip_do_closing,
    [NTRIP_DO_CLOSED] = ngx_stream_ntrip_do_closed,
    [NTRIP_DO_LOGIN] = ngx_stream_ntrip_do_login,
    [NTRIP_DO_SHUTDOWN] = ngx_stream_ntrip_do_shutdown,
    [NTRIP_DO_STOP] = ngx_stream_ntrip_do_stop,
    [NTRIP_DO_PARK] = ngx_stream_ntrip_do_park,
    [NTRIP_DO_UNPARK] = ngx_stream_ntrip_do_unpark,
    [NTRIP_DO_GIVE] = ngx_stream_ntrip_do_give,
    [NTRIP_DO_LINGER] = ngx_stream_ntrip_do_linger,
    [NTRIP_DO_LINGER_NOT] = ngx_stream_ntrip_do_linger_not,
    [NTRIP_DO_LIVE] = ngx_stream_ntrip_do_live,
    [NTRIP_DO_MISSED] = ngx_stream_ntrip_do_missed,
    [NTRIP_DO_LOST] = ngx_stream_ntrip_do_lost,
    [NTRIP_DO_RENEW] = ngx_stream_ntrip_do_renew,
    [NTRIP_DO_FAIL] = ngx_stream_ntrip_do_fail,
    [NTRIP_DO_ORPHAN] = ngx_stream_ntrip_do_orphan,
    [NTRIP_DO_PASS] = ngx_stream_ntrip_do_pass,
    [NTRIP_DO_FREE] = ngx_stream_ntrip_source_free
};


void
ngx_stream_ntrip_source_act(ngx_stream_ntrip_source_t *source,
    ntrip_source_action_e action)
{
    ngx_stream_ntrip_actions[action](source);
}


/* ---- the account ---- */

static void
ngx_stream_ntrip_do_look(ngx_stream_ntrip_source_t *source)
{
    ngx_post_event(&source->next, &ngx_posted_events);
}


static void
ngx_stream_ntrip_do_wait(ngx_stream_ntrip_source_t *source)
{
    if (!source->waits) {
        source->waits = 1;
        source->lease.label.len = 0;
        source->lease.log.action = NULL;

        ngx_log_error(NGX_LOG_INFO, &source->lease.log, 0,
                      "source waits for an account of pool \"%V\"",
                      &source->pool);
        ngx_stream_ntrip_traced_source(source->feed.serial, NTRIP_TRACE_NONE,
                                       "it waits for an account of pool %V",
                                       &source->pool);
    }

    /* an exiting worker does not stay for it: somebody else will claim the
       stream */

    source->timer.cancelable = 1;

    if (source->delay) {
        ngx_add_timer(&source->timer, source->delay);
    }
}


static void
ngx_stream_ntrip_do_turn(ngx_stream_ntrip_source_t *source)
{
    if (source->delay == 0) {
        ngx_stream_ntrip_source_event(source, NTRIP_EVENT_TURN);
        return;
    }

    source->timer.cancelable = 0;

    ngx_add_timer(&source->timer, source->delay);
}


static void
ngx_stream_ntrip_do_trial(ngx_stream_ntrip_source_t *source)
{
    source->timer.cancelable = 1;

    ngx_add_timer(&source->timer, NTRIP_TRIAL);
}


static void
ngx_stream_ntrip_do_good(ngx_stream_ntrip_source_t *source)
{
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;
    source->first = 0;

    ngx_stream_ntrip_lock();

    if (ngx_stream_ntrip_feed_owned(&source->feed)) {
        ntrip_lease_good(worker->zone, source->feed.index,
                         &source->lease.candidate);
    }

    ngx_stream_ntrip_unlock();
}


static void
ngx_stream_ntrip_do_rest(ngx_stream_ntrip_source_t *source)
{
    ntrip_slots_t               wake;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;

    ngx_memzero(&wake, sizeof(ntrip_slots_t));

    ngx_stream_ntrip_lock();

    if (ngx_stream_ntrip_feed_owned(&source->feed)) {
        ntrip_lease_failed(worker->zone, worker->bus, ngx_current_msec,
                           source->feed.index, &source->lease.candidate,
                           source->reason, &wake);
        ntrip_stream_reopen(worker->zone, source->feed.index);
    }

    ngx_stream_ntrip_unlock();

    ngx_stream_ntrip_wake_set(&wake);

    source->lease.candidate.source = 0;
}


static void
ngx_stream_ntrip_do_closing(ngx_stream_ntrip_source_t *source)
{
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;

    ngx_stream_ntrip_lock();

    if (ngx_stream_ntrip_feed_owned(&source->feed)) {
        ntrip_lease_closing(worker->zone, worker->me, source->feed.index);
        ntrip_stream_reopen(worker->zone, source->feed.index);
    }

    ngx_stream_ntrip_unlock();
}


static void
ngx_stream_ntrip_do_closed(ngx_stream_ntrip_source_t *source)
{
    ngx_stream_ntrip_lease_closed(&source->lease);

    source->lease.candidate.source = 0;
}


/* ---- the connection ---- */

static void
ngx_stream_ntrip_do_login(ngx_stream_ntrip_source_t *source)
{
    ngx_str_t            gga;
    ntrip_stream_row_t  *row;

    row = ntrip_stream_row(ngx_stream_ntrip_worker.zone, source->feed.index);

    source->fed = 0;

    /* that others came first is nobody's fault, and closes no rover */

    source->since += source->delay;
    source->delay = 0;

    ngx_stream_ntrip_feed_begin(&source->feed);
    ngx_stream_ntrip_position_begin(source, 0);
    ngx_stream_ntrip_position_first(source, &gga);

    source->reason = ngx_stream_ntrip_lease_login(&source->lease,
                                                  (in_port_t) row->port,
                                                  &gga);

    ngx_stream_ntrip_traced_source(source->feed.serial, NTRIP_TRACE_ACCOUNT,
                                   "%V, for %V, in NTRIP %ui.0",
                                   &source->lease.label, &source->lease.mount,
                                   source->lease.version);

    if (source->reason != NTRIP_REST_NONE) {
        source->last = ngx_stream_ntrip_lease_why(&source->lease);
        source->first = 0;
        ngx_stream_ntrip_source_event(source, NTRIP_EVENT_CLOSED);
    }
}


static void
ngx_stream_ntrip_do_shutdown(ngx_stream_ntrip_source_t *source)
{
    ngx_stream_ntrip_client_shutdown(&source->lease.client, NTRIP_LEASE_FIN);
}


static void
ngx_stream_ntrip_do_stop(ngx_stream_ntrip_source_t *source)
{
    ngx_stream_ntrip_lease_stop(&source->lease);
}


/* the client was parked already, as that may be refused */

static void
ngx_stream_ntrip_do_park(ngx_stream_ntrip_source_t *source)
{
    ngx_stream_ntrip_source_stop_timers(source);
}


static void
ngx_stream_ntrip_do_unpark(ngx_stream_ntrip_source_t *source)
{
    ngx_stream_ntrip_client_unpark(&source->lease.client);
    ngx_stream_ntrip_source_mail(source);

    /* what has come while it was offered was left alone */

    if (!ntrip_stream_wanted(ngx_stream_ntrip_worker.zone,
                             source->feed.index))
    {
        ngx_stream_ntrip_source_event(source, NTRIP_EVENT_IDLE);
    }
}


static void
ngx_stream_ntrip_do_give(ngx_stream_ntrip_source_t *source)
{
    ngx_stream_ntrip_client_give(&source->lease.client);
}


/* ---- the stream ---- */

static void
ngx_stream_ntrip_do_linger(ngx_stream_ntrip_source_t *source)
{
    ntrip_stream_row_t  *row;

    if (source->linger.timer_set) {
        return;
    }

    /* who has moved away does not come back soon */

    row = ntrip_stream_row(ngx_stream_ntrip_worker.zone, source->feed.index);

    ngx_add_timer(&source->linger,
                  __atomic_load_n(&row->moved, __ATOMIC_ACQUIRE)
                  ? 1 : source->conf->source_linger);
}


static void
ngx_stream_ntrip_do_linger_not(ngx_stream_ntrip_source_t *source)
{
    if (!source->linger.timer_set) {
        ngx_add_timer(&source->linger, 1);
    }
}


static void
ngx_stream_ntrip_do_live(ngx_stream_ntrip_source_t *source)
{
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;

    source->accepted = ngx_current_msec;

    ngx_stream_ntrip_lock();

    if (ngx_stream_ntrip_feed_owned(&source->feed)) {
        ntrip_stream_live(worker->zone, source->feed.index,
                          &source->lease.label);

        ntrip_stream_row(worker->zone, source->feed.index)->certificate
            = source->lease.client.certificate;
    }

    ngx_stream_ntrip_unlock();

    ngx_stream_ntrip_count(source_logins);

    ngx_log_error(NGX_LOG_INFO, &source->lease.log, 0, "source is live");

    ngx_stream_ntrip_source_traced(source, NTRIP_TRACE_LIVE, "live");
}


static void
ngx_stream_ntrip_do_missed(ngx_stream_ntrip_source_t *source)
{
    if (source->reason != NTRIP_REST_FOREIGN) {
        ngx_stream_ntrip_count(source_failures);
    }
}


static void
ngx_stream_ntrip_do_lost(ngx_stream_ntrip_source_t *source)
{
    ngx_stream_ntrip_count(source_lost);

    if (source->fed) {
        source->since = ngx_current_msec;
    }
}


static void
ngx_stream_ntrip_do_renew(ngx_stream_ntrip_source_t *source)
{
    source->since = ngx_current_msec;
}


/* none is left: the rovers are closed, by all who have some */

static void
ngx_stream_ntrip_do_fail(ngx_stream_ntrip_source_t *source)
{
    ntrip_slots_t               wake;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;

    source->lease.label.len = 0;
    source->lease.log.action = NULL;

    ngx_log_error(NGX_LOG_ERR, &source->lease.log, 0,
                  "no source for pool \"%V\": %s%s%s, rovers are closed",
                  &source->pool, source->why,
                  source->last ? ", last: " : "",
                  source->last ? source->last : "");

    ngx_stream_ntrip_traced_source(source->feed.serial, NTRIP_TRACE_NONE,
                                   "%s%s%s", source->why,
                                   source->last ? ", last: " : "",
                                   source->last ? source->last : "");

    ngx_memzero(&wake, sizeof(ntrip_slots_t));

    ngx_stream_ntrip_lock();

    if (ngx_stream_ntrip_feed_owned(&source->feed)) {
        ntrip_stream_fail(worker->zone, worker->bus, ngx_current_msec,
                          source->feed.index, &wake);
    }

    ngx_stream_ntrip_unlock();

    ngx_stream_ntrip_source_leave(source);

    ngx_stream_ntrip_wake_set(&wake);
}


/* the worker has to exit: others with rovers of the stream go on */

static void
ngx_stream_ntrip_do_orphan(ngx_stream_ntrip_source_t *source)
{
    ngx_stream_ntrip_source_give_up(source, 0);
}


/* with the account, so that nobody takes it meanwhile */

static void
ngx_stream_ntrip_do_pass(ngx_stream_ntrip_source_t *source)
{
    ngx_log_error(NGX_LOG_INFO, &source->lease.log, 0,
                  "source is left to a newer worker, which logs in anew");

    ngx_stream_ntrip_source_give_up(source, 1);

    source->lease.candidate.source = 0;
}


static void
ngx_stream_ntrip_source_give_up(ngx_stream_ntrip_source_t *source,
    ngx_uint_t keep)
{
    ntrip_slots_t               wake;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;

    ngx_memzero(&wake, sizeof(ntrip_slots_t));

    ngx_stream_ntrip_lock();
    (void) ntrip_stream_orphan(worker->zone, worker->bus, worker->me,
                               ngx_current_msec, source->feed.index,
                               source->feed.serial, keep, &wake);
    ngx_stream_ntrip_unlock();

    ngx_stream_ntrip_source_leave(source);

    ngx_stream_ntrip_wake_set(&wake);
}
