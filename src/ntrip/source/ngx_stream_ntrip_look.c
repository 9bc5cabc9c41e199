
/*
 * Fieldgate: sources: which account.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_stream_ntrip_source_private.h"


#define NGX_STREAM_NTRIP_NO_ACCOUNT  "all accounts are in use or resting"


static ngx_int_t ngx_stream_ntrip_source_kept(
    ngx_stream_ntrip_source_t *source, ntrip_found_t *found);
static ngx_int_t ngx_stream_ntrip_source_pick(
    ngx_stream_ntrip_source_t *source, ntrip_found_t *found);
static ngx_int_t ngx_stream_ntrip_source_pool(
    ngx_stream_ntrip_source_t *source, ngx_uint_t last,
    ntrip_wait_look_t *look, ntrip_found_t *found, ntrip_slots_t *wake);
static ngx_uint_t ngx_stream_ntrip_source_any(
    ngx_stream_ntrip_source_t *source);


void
ngx_stream_ntrip_source_look(ngx_stream_ntrip_source_t *source)
{
    uint64_t              delay;
    ngx_int_t             rc;
    ntrip_found_t         found;
    ntrip_source_event_e  event;

    if (!ngx_stream_ntrip_feed_owned(&source->feed)) {
        ngx_stream_ntrip_source_event(source, NTRIP_EVENT_DISOWNED);
        return;
    }

    if (ntrip_policy_over(ngx_current_msec, source->since,
                          source->conf->source_wait, source->tried))
    {
        source->why = source->waits ? NGX_STREAM_NTRIP_NO_ACCOUNT
                                    : "no login was good in time";
        ngx_stream_ntrip_source_event(source, NTRIP_EVENT_NONE);
        return;
    }

    ngx_memzero(&found, sizeof(ntrip_found_t));

    rc = ngx_stream_ntrip_source_kept(source, &found);

    if (rc == NGX_DECLINED) {
        rc = ngx_stream_ntrip_source_pick(source, &found);
    }

    switch (rc) {

    case NGX_OK:
        source->waits = 0;
        source->tried = 1;
        source->delay = (ngx_msec_t) found.delay;
        event = NTRIP_EVENT_LEASED;
        break;

    case NGX_ERROR:
        source->why = NGX_STREAM_NTRIP_NO_ROOM;
        event = NTRIP_EVENT_NONE;
        break;

    default:
        source->why = (rc == NGX_DECLINED)
                      ? "there is no valid account"
                      : NGX_STREAM_NTRIP_NO_ACCOUNT;
        event = ntrip_policy_wait(ngx_current_msec, source->since,
                                  source->conf->source_wait, found.wait,
                                  rc == NGX_DECLINED, source->tried, &delay);
        source->delay = (ngx_msec_t) delay;
    }

    ngx_stream_ntrip_source_event(source, event);
}


/* the one that the stream has, from a worker that has given it up: NGX_OK;
   NGX_DECLINED, it has none */

static ngx_int_t
ngx_stream_ntrip_source_kept(ngx_stream_ntrip_source_t *source,
    ntrip_found_t *found)
{
    ngx_int_t                    rc;
    ntrip_slots_t                wake;
    ntrip_stream_row_t          *row;
    ngx_stream_ntrip_worker_t   *worker;
    ngx_stream_ntrip_account_t  *account;

    worker = &ngx_stream_ntrip_worker;
    row = ntrip_stream_row(worker->zone, source->feed.index);

    if (row->source == 0) {
        return NGX_DECLINED;
    }

    account = ngx_stream_ntrip_store_account(row->source);
    rc = NGX_DECLINED;

    if (account && ngx_stream_ntrip_store_in_pools(account, &source->pool)) {
        rc = ngx_stream_ntrip_store_candidate(account, &source->lease.mount,
                                              (in_port_t) row->port,
                                              &source->lease.candidate);
    }

    ngx_memzero(&wake, sizeof(ntrip_slots_t));

    ngx_stream_ntrip_lock();

    if (rc == NGX_OK) {
        found->delay = ntrip_host_turn(worker->zone, worker->bus,
                                       ngx_current_msec,
                                       &source->lease.candidate);

    } else {
        ntrip_lease_forsake(worker->zone, worker->bus, ngx_current_msec,
                            source->feed.index, &wake);
    }

    ngx_stream_ntrip_unlock();

    ngx_stream_ntrip_wake_set(&wake);

    return rc;
}


/*
 * NGX_OK: one is leased; NGX_AGAIN, NGX_DECLINED: there is none now, or none at
 * all, and the stream waits; NGX_ERROR: a table is full, as was logged.
 */

static ngx_int_t
ngx_stream_ntrip_source_pick(ngx_stream_ntrip_source_t *source,
    ntrip_found_t *found)
{
    ngx_int_t                   rc;
    ngx_uint_t                  i;
    ntrip_slots_t               wake;
    ntrip_wait_look_t           look;
    ntrip_stream_row_t         *row;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;
    row = ntrip_stream_row(worker->zone, source->feed.index);

    if (row->ring == NTRIP_ROW_NONE
        && worker->zone->ring_free == NTRIP_ROW_NONE)
    {
        ngx_stream_ntrip_zone_full(NTRIP_FULL_RINGS, ngx_cycle->log);
        return NGX_ERROR;
    }

    ngx_memzero(&wake, sizeof(ntrip_slots_t));
    ngx_memzero(&look, sizeof(ntrip_wait_look_t));

    rc = NGX_DECLINED;

    for (i = 0; rc == NGX_DECLINED && i < source->npools; i++) {
        source->used = (source->first + i) % source->npools;

        rc = ngx_stream_ntrip_source_pool(source, i + 1 == source->npools,
                                          &look, found, &wake);
    }

    ngx_stream_ntrip_wake_set(&wake);

    if (rc == NGX_ERROR) {
        ngx_stream_ntrip_zone_full(NTRIP_FULL_ACCOUNTS, ngx_cycle->log);
    }

    /* the pools have none; it is not that they are not known yet */

    if (rc == NGX_AGAIN && ngx_stream_ntrip_store_known()
        && !ngx_stream_ntrip_source_any(source))
    {
        return NGX_DECLINED;
    }

    return rc;
}


/* is there a valid account in any of its pools? */

static ngx_uint_t
ngx_stream_ntrip_source_any(ngx_stream_ntrip_source_t *source)
{
    ngx_str_t           pools, pool;
    ngx_uint_t          n, place;
    ntrip_candidate_t   candidate;

    pools = source->pool;

    while (pools.len) {
        pool = ntrip_text_item(&pools);
        place = 0;
        n = 1;

        (void) ngx_stream_ntrip_store_candidates(&pool, &source->lease.mount,
                                                 0, &place, &candidate, &n);
        if (n) {
            return 1;
        }
    }

    return 0;
}


/* of the pool source->used, in slices: as ntrip_stream_lease(), where
   NGX_DECLINED asks for the next pool */

static ngx_int_t
ngx_stream_ntrip_source_pool(ngx_stream_ntrip_source_t *source,
    ngx_uint_t last, ntrip_wait_look_t *look, ntrip_found_t *found,
    ntrip_slots_t *wake)
{
    ngx_int_t                   rc, lease;
    ngx_str_t                   pools, pool;
    ngx_uint_t                  i, n, place;
    ntrip_candidate_t           candidates[NTRIP_WAIT_SLICE];
    ntrip_stream_row_t         *row;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;
    row = ntrip_stream_row(worker->zone, source->feed.index);

    pools = source->pool;
    pool = ntrip_text_item(&pools);

    for (i = 0; i < source->used; i++) {
        pool = ntrip_text_item(&pools);
    }

    place = 0;

    do {
        n = NTRIP_WAIT_SLICE;
        rc = ngx_stream_ntrip_store_candidates(&pool, &source->lease.mount,
                                               (in_port_t) row->port, &place,
                                               candidates, &n);
        look->more = (rc == NGX_OK || !last);

        ngx_stream_ntrip_lock();
        lease = ntrip_stream_lease(worker->zone, worker->bus,
                                   ngx_current_msec, source->feed.index,
                                   look, candidates, n, found, wake);
        ngx_stream_ntrip_unlock();

        if (lease == NGX_OK) {
            source->lease.candidate = candidates[found->candidate];
        }

    } while (lease == NGX_DECLINED && rc == NGX_OK);

    return lease;
}
