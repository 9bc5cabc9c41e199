
/*
 * Fieldgate: SOURCE-TEST: one login with an account, which is leased for it
 * without any stream.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_stream_ntrip_source.h"
#include "ngx_stream_ntrip_lease.h"


/* ms: between two tries for an account that another test has, or a goodbye,
   and how long that is waited for */

#define NGX_STREAM_NTRIP_TEST_AGAIN  100
#define NGX_STREAM_NTRIP_TEST_WAIT   10000

#define NGX_STREAM_NTRIP_TEST_V2     ", NTRIP 2.0"


typedef struct {
    ngx_queue_t                 queue;       /* all of this worker */
    ngx_stream_ntrip_lease_t    lease;
    in_port_t                   port;
    ngx_event_t                 start;       /* its own turn, then the host's */
    ngx_msec_t                  since;
    unsigned                    leased:1;
    unsigned                    good:1;      /* that was the result */

    ngx_stream_ntrip_test_pt    handler;
    void                       *data;        /* NULL: nobody asks any more */
} ngx_stream_ntrip_test_t;


static ngx_stream_ntrip_srv_conf_t *ngx_stream_ntrip_test_find(uint64_t id,
    ngx_str_t *mount, ntrip_candidate_t *candidate);
static ngx_stream_ntrip_test_t *ngx_stream_ntrip_test_create(
    ngx_stream_ntrip_srv_conf_t *conf, ngx_str_t *mount,
    ntrip_candidate_t *candidate);
static void ngx_stream_ntrip_test_handler(ngx_event_t *ev);
static void ngx_stream_ntrip_test_lease(ngx_stream_ntrip_test_t *test);
static void ngx_stream_ntrip_test_start(ngx_stream_ntrip_test_t *test);
static void ngx_stream_ntrip_test_accepted(ngx_stream_ntrip_client_t *client);
static void ngx_stream_ntrip_test_open(ngx_stream_ntrip_client_t *client);
static void ngx_stream_ntrip_test_closed(ngx_stream_ntrip_client_t *client);
static void ngx_stream_ntrip_test_exit(ngx_stream_ntrip_client_t *client);
static void ngx_stream_ntrip_test_failed(ngx_stream_ntrip_test_t *test,
    ngx_uint_t reason);
static void ngx_stream_ntrip_test_tell(ngx_stream_ntrip_test_t *test,
    const char *why);
static void ngx_stream_ntrip_test_free(ngx_stream_ntrip_test_t *test);
static void ngx_stream_ntrip_test_end(ngx_stream_ntrip_test_t *test);


static ngx_queue_t  ngx_stream_ntrip_tests = {
    &ngx_stream_ntrip_tests, &ngx_stream_ntrip_tests
};


/* behind "open" nothing is read any more */

static const ngx_stream_ntrip_client_events_t  ngx_stream_ntrip_test_events = {
    ngx_stream_ntrip_test_accepted,
    ngx_stream_ntrip_test_open,
    NULL,
    NULL,
    NULL,
    ngx_stream_ntrip_test_closed,
    ngx_stream_ntrip_test_exit
};


ngx_int_t
ngx_stream_ntrip_source_test(uint64_t id, ngx_str_t *mount,
    ngx_stream_ntrip_test_pt handler, void *data)
{
    ntrip_candidate_t             candidate;
    ngx_stream_ntrip_test_t      *test;
    ngx_stream_ntrip_srv_conf_t  *conf;

    conf = ngx_stream_ntrip_test_find(id, mount, &candidate);

    if (conf == NULL) {
        return NGX_DECLINED;
    }

    test = ngx_stream_ntrip_test_create(conf, mount, &candidate);

    if (test == NULL) {
        return NGX_ERROR;
    }

    test->handler = handler;
    test->data = data;

    ngx_add_timer(&test->start, 0);

    return NGX_OK;
}


/* the account as a candidate, and the server whose relay uses it; NULL: there
   is none, or it has expired */

static ngx_stream_ntrip_srv_conf_t *
ngx_stream_ntrip_test_find(uint64_t id, ngx_str_t *mount,
    ntrip_candidate_t *candidate)
{
    in_port_t                      port;
    ngx_str_t                    **pool;
    ngx_uint_t                     i;
    ngx_stream_ntrip_mount_t      *m;
    ngx_stream_ntrip_account_t    *account;
    ngx_stream_ntrip_srv_conf_t   *conf;

    account = ngx_stream_ntrip_store_account(id);

    if (ngx_stream_ntrip_worker.me == 0 || account == NULL) {
        return NULL;
    }

    pool = account->pools.elts;
    conf = NULL;

    for (i = 0; conf == NULL && i < account->pools.nelts; i++) {
        conf = ngx_stream_ntrip_relay_conf(pool[i], 1, mount, &m);
    }

    if (conf == NULL) {
        return NULL;
    }

    if (m) {
        *mount = m->as;
    }

    port = conf->port ? conf->port : ngx_stream_ntrip_relay_port(conf);

    return (ngx_stream_ntrip_store_candidate(account, mount, port, candidate)
            == NGX_OK)
           ? conf : NULL;
}


static ngx_stream_ntrip_test_t *
ngx_stream_ntrip_test_create(ngx_stream_ntrip_srv_conf_t *conf,
    ngx_str_t *mount, ntrip_candidate_t *candidate)
{
    ngx_stream_ntrip_test_t  *test;

    test = ngx_calloc(sizeof(ngx_stream_ntrip_test_t), ngx_cycle->log);
    if (test == NULL) {
        return NULL;
    }

    test->port = conf->port ? conf->port : ngx_stream_ntrip_relay_port(conf);
    test->since = ngx_current_msec;

    test->lease.candidate = *candidate;
    test->lease.client.events = &ngx_stream_ntrip_test_events;
    test->lease.client.data = test;

    ngx_stream_ntrip_lease_init(&test->lease, conf, mount);

    test->start.handler = ngx_stream_ntrip_test_handler;
    test->start.data = test;
    test->start.log = &test->lease.log;

    ngx_queue_insert_tail(&ngx_stream_ntrip_tests, &test->queue);

    return test;
}


void
ngx_stream_ntrip_source_test_cancel(void *data)
{
    ngx_queue_t              *q;
    ngx_stream_ntrip_test_t  *test;

    for (q = ngx_queue_head(&ngx_stream_ntrip_tests);
         q != ngx_queue_sentinel(&ngx_stream_ntrip_tests);
         q = ngx_queue_next(q))
    {
        test = ngx_queue_data(q, ngx_stream_ntrip_test_t, queue);

        if (test->data == data) {
            test->data = NULL;
        }
    }
}


static void
ngx_stream_ntrip_test_handler(ngx_event_t *ev)
{
    ngx_stream_ntrip_test_t  *test;

    test = ev->data;

    if (test->leased) {
        ngx_stream_ntrip_test_start(test);

    } else if (test->data == NULL) {
        ngx_stream_ntrip_test_end(test);

    } else {
        ngx_stream_ntrip_test_lease(test);
    }
}


static void
ngx_stream_ntrip_test_lease(ngx_stream_ntrip_test_t *test)
{
    uint64_t                    delay;
    ngx_int_t                   rc;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;

    ngx_stream_ntrip_lock();
    rc = ntrip_lease_test(worker->zone, worker->bus, worker->me,
                          ngx_current_msec, &test->lease.candidate, &delay);
    ngx_stream_ntrip_unlock();

    switch (rc) {

    case NGX_OK:
        test->leased = 1;
        ngx_add_timer(&test->start, (ngx_msec_t) delay);
        return;

    case NGX_AGAIN:

        if (ngx_current_msec - test->since < NGX_STREAM_NTRIP_TEST_WAIT) {
            ngx_add_timer(&test->start, NGX_STREAM_NTRIP_TEST_AGAIN);
            return;
        }

        /* fall through */

    case NGX_BUSY:
        ngx_stream_ntrip_test_tell(test, "in use");
        break;

    default:
        ngx_stream_ntrip_zone_full(NTRIP_FULL_ACCOUNTS, ngx_cycle->log);
        ngx_stream_ntrip_test_tell(test, "not tried, see error.log");
    }

    ngx_stream_ntrip_test_end(test);
}


static void
ngx_stream_ntrip_test_start(ngx_stream_ntrip_test_t *test)
{
    ngx_str_t   gga;
    ngx_uint_t  reason;

    ngx_str_null(&gga);

    reason = ngx_stream_ntrip_lease_login(&test->lease, test->port, &gga);

    if (reason != NTRIP_REST_NONE) {
        ngx_stream_ntrip_test_failed(test, reason);
    }
}


/* ---- the result ---- */

/* behind "ICY 200 OK" nothing may come before a position; a header of HTTP may
   still say that there is no such mountpoint */

static void
ngx_stream_ntrip_test_accepted(ngx_stream_ntrip_client_t *client)
{
    if (!client->reply.http) {
        ngx_stream_ntrip_test_open(client);
    }
}


static void
ngx_stream_ntrip_test_open(ngx_stream_ntrip_client_t *client)
{
    ngx_stream_ntrip_test_t  *test;

    test = client->data;

    test->good = 1;

    ngx_stream_ntrip_lease_works(&test->lease);

    ngx_stream_ntrip_lease_tested(&test->lease, NTRIP_REST_NONE);
    ngx_stream_ntrip_count(source_logins);

    ngx_stream_ntrip_client_shutdown(client, NTRIP_LEASE_FIN);

    ngx_stream_ntrip_test_tell(test, ntrip_reply_result(NTRIP_REPLY_OK));
}


static void
ngx_stream_ntrip_test_closed(ngx_stream_ntrip_client_t *client)
{
    ngx_msec_t                delay;
    ngx_stream_ntrip_test_t  *test;

    test = client->data;

    if (test->good) {
        ngx_stream_ntrip_test_free(test);
        return;
    }

    if (ngx_stream_ntrip_lease_again(&test->lease, &delay)) {
        ngx_stream_ntrip_lease_stop(&test->lease);
        ngx_add_timer(&test->start, delay);
        return;
    }

    ngx_stream_ntrip_test_failed(test,
                                 ngx_stream_ntrip_lease_reason(&test->lease,
                                                               0, 0));
}


/* whoever has asked is closed for the same reason */

static void
ngx_stream_ntrip_test_exit(ngx_stream_ntrip_client_t *client)
{
    ngx_stream_ntrip_test_t  *test;

    test = client->data;

    ngx_stream_ntrip_lease_stop(&test->lease);
    ngx_stream_ntrip_lease_tested(&test->lease, NTRIP_REST_FOREIGN);
    ngx_stream_ntrip_test_free(test);
}


static void
ngx_stream_ntrip_test_failed(ngx_stream_ntrip_test_t *test, ngx_uint_t reason)
{
    if (reason != NTRIP_REST_FOREIGN) {
        ngx_stream_ntrip_count(source_failures);
    }

    /* nothing of it is left when somebody else may have the account */

    ngx_stream_ntrip_lease_stop(&test->lease);
    ngx_stream_ntrip_lease_tested(&test->lease, reason);

    ngx_stream_ntrip_test_tell(test,
                               ngx_stream_ntrip_lease_why(&test->lease));
    ngx_stream_ntrip_test_free(test);
}


/* the provider's own words, if it has said something, else these; and what it
   was asked in, if that was accepted and is not the usual */

static void
ngx_stream_ntrip_test_tell(ngx_stream_ntrip_test_t *test, const char *why)
{
    ngx_str_t       text;
    u_char          shown[NTRIP_REPLY_SHOWN
                          + sizeof(NGX_STREAM_NTRIP_TEST_V2)];
    ntrip_reply_t  *reply;

    if (test->data == NULL) {
        return;
    }

    text.data = shown;
    text.len = ngx_stream_ntrip_lease_shown(&test->lease, shown);

    reply = &test->lease.client.reply;

    if (text.len == 0 || (!test->good && reply->http && reply->status == 200))
    {
        text.len = ngx_cpystrn(shown, (u_char *) why, NTRIP_REPLY_SHOWN)
                   - shown;
    }

    if (test->good && test->lease.version == 2) {
        text.len = ngx_sprintf(shown + text.len, NGX_STREAM_NTRIP_TEST_V2)
                   - shown;
    }

    test->handler(test->data, &text);
    test->data = NULL;
}


/* the account is free, unless it rests */

static void
ngx_stream_ntrip_test_free(ngx_stream_ntrip_test_t *test)
{
    ngx_stream_ntrip_lease_stop(&test->lease);
    ngx_stream_ntrip_lease_closed(&test->lease);
    ngx_stream_ntrip_test_end(test);
}


static void
ngx_stream_ntrip_test_end(ngx_stream_ntrip_test_t *test)
{
    ngx_queue_remove(&test->queue);
    ngx_free(test);
}
