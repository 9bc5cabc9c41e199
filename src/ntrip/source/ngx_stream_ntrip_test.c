
/*
 * Fieldgate: SOURCE-TEST: one login with an account.
 *
 * It has a row of its own in the table of streams, since a lease belongs to
 * one.  The row's pool has no name, so that no rover ever joins it.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_stream_ntrip_source.h"


/* the port of casters (IANA's rtcm-sc104), if the relay names none */

#define NGX_STREAM_NTRIP_PORT   2101


static ngx_int_t ngx_stream_ntrip_test_lease(ntrip_want_t *want, uint64_t id,
    ntrip_found_t *found);


ngx_int_t
ngx_stream_ntrip_source_test(uint64_t id, ngx_str_t *mount,
    ngx_stream_ntrip_test_pt handler, void *data)
{
    ngx_int_t                     rc;
    ngx_uint_t                    i, n;
    ntrip_want_t                  want;
    ntrip_found_t                 found;
    ntrip_candidate_t            *candidates, candidate;
    ngx_stream_ntrip_mount_t     *m;
    ngx_stream_ntrip_source_t    *source;
    ngx_stream_ntrip_account_t   *account;
    ngx_stream_ntrip_srv_conf_t  *conf;

    account = ngx_stream_ntrip_store_account(id);

    if (ngx_stream_ntrip_worker.me == 0 || account == NULL) {
        return NGX_DECLINED;
    }

    conf = ngx_stream_ntrip_relay_conf(&account->pool, mount, &m);

    if (conf == NULL) {
        return NGX_DECLINED;
    }

    *mount = m->name;

    ngx_memzero(&want, sizeof(ntrip_want_t));

    want.mount = *mount;
    want.port = conf->port ? conf->port : NGX_STREAM_NTRIP_PORT;
    want.share = NTRIP_SHARE_NONE;
    want.candidates = &candidate;
    want.ncandidates = 1;

    if (ngx_stream_ntrip_store_candidates(&account->pool, mount,
                                          (in_port_t) want.port, &candidates,
                                          &n)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    for (i = 0; i < n && candidates[i].source != id; i++) { /* void */ }

    if (i == n) {
        return NGX_DECLINED;
    }

    candidate = candidates[i];

    rc = ngx_stream_ntrip_test_lease(&want, id, &found);

    if (rc == NGX_ERROR) {
        ngx_stream_ntrip_full(found.index);
        return NGX_ERROR;
    }

    if (rc != NGX_OK) {
        return NGX_BUSY;
    }

    source = ngx_stream_ntrip_source_create(conf, found.index, found.serial);

    if (source == NULL) {

        /* the row goes with this worker */

        return NGX_ERROR;
    }

    source->candidate = candidate;
    source->test = handler;
    source->test_data = data;

    ngx_post_event(&source->next, &ngx_posted_events);

    return NGX_OK;
}


/* that the account rests after a failure is no reason not to test it */

static ngx_int_t
ngx_stream_ntrip_test_lease(ntrip_want_t *want, uint64_t id,
    ntrip_found_t *found)
{
    ngx_int_t                   rc;
    ntrip_lease_row_t          *lease;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;

    ngx_stream_ntrip_lock();

    lease = ntrip_lease_find(worker->zone, id);

    if (lease
        && lease->row.state == NTRIP_LEASE_IDLE
        && lease->reason != NTRIP_REST_CRASH)
    {
        lease->until = 0;
    }

    rc = ntrip_stream_attach(worker->zone, worker->bus, worker->me,
                             ngx_current_msec, want, found);

    ngx_stream_ntrip_unlock();

    return rc;
}


void
ngx_stream_ntrip_source_test_cancel(void *data)
{
    ngx_queue_t                *q;
    ngx_stream_ntrip_source_t  *source;

    for (q = ngx_queue_head(&ngx_stream_ntrip_sources);
         q != ngx_queue_sentinel(&ngx_stream_ntrip_sources);
         q = ngx_queue_next(q))
    {
        source = ngx_queue_data(q, ngx_stream_ntrip_source_t, queue);

        if (source->test && source->test_data == data) {
            source->test_data = NULL;
        }
    }
}


void
ngx_stream_ntrip_source_tested(ngx_stream_ntrip_source_t *source,
    ngx_uint_t reason)
{
    void                       *data;
    ngx_str_t                   text;
    ntrip_slots_t               wake;
    ngx_stream_ntrip_test_pt    handler;
    ngx_stream_ntrip_worker_t  *worker;
    u_char                      shown[NTRIP_REPLY_SHOWN];

    worker = &ngx_stream_ntrip_worker;

    handler = source->test;
    data = source->test_data;

    text.data = shown;
    text.len = ngx_stream_ntrip_source_shown(source, shown);

    ngx_memzero(&wake, sizeof(ntrip_slots_t));

    ngx_stream_ntrip_lock();

    if (ngx_stream_ntrip_source_owned(source)) {

        if (reason == NTRIP_REST_NONE) {
            ntrip_lease_good(worker->zone, source->index, &source->candidate);
        }

        ntrip_stream_detach(worker->zone, worker->bus, worker->me,
                            source->index, source->serial, &wake);
        (void) ntrip_stream_close(worker->zone, worker->me, source->index);
    }

    ngx_stream_ntrip_unlock();

    if (reason == NTRIP_REST_NONE) {
        ngx_stream_ntrip_count(source_logins);
        ngx_stream_ntrip_source_shutdown(source);

    } else {
        ngx_stream_ntrip_source_free(source);
    }

    if (data) {
        handler(data, reason, &text);
    }
}
