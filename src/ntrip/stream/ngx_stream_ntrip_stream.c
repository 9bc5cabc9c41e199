
/*
 * The streams of this worker: which there are, who is on them, who owns them.
 * See ngx_stream_ntrip_stream.h.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>

#include "ngx_stream_ntrip_stream.h"
#include "ngx_stream_ntrip_store.h"


#define NGX_STREAM_NTRIP_SINKS  8


static ngx_stream_ntrip_stream_t *ngx_stream_ntrip_stream_new(uint32_t index,
    uint64_t serial, uint64_t position);
static void ngx_stream_ntrip_stream_free(ngx_stream_ntrip_stream_t *st);
static ngx_int_t ngx_stream_ntrip_add_sink(ngx_stream_ntrip_stream_t *st,
    ngx_stream_ntrip_rover_t *rover);
static ngx_int_t ngx_stream_ntrip_grow(ngx_stream_ntrip_stream_t *st);
static void ngx_stream_ntrip_close_handler(ngx_event_t *ev);
static void ngx_stream_ntrip_stream_lost(ngx_stream_ntrip_stream_t *st);
static void ngx_stream_ntrip_stream_claim(ngx_stream_ntrip_stream_t *st);
static void ngx_stream_ntrip_stream_own(ngx_stream_ntrip_stream_t *st);
static void ngx_stream_ntrip_stream_full(ngx_uint_t leases);
static in_port_t ngx_stream_ntrip_port(ngx_stream_ntrip_rover_t *rover,
    ngx_stream_ntrip_srv_conf_t *conf);


ngx_queue_t  ngx_stream_ntrip_streams;

static ngx_stream_ntrip_stream_hooks_t  *ngx_stream_ntrip_stream_hooks;

/* by the number of the row */
static ngx_stream_ntrip_stream_t  *
    ngx_stream_ntrip_by_index[NTRIP_STREAMS_MAX];


void
ngx_stream_ntrip_stream_init(ngx_stream_ntrip_stream_hooks_t *hooks)
{
    ngx_stream_ntrip_stream_hooks = hooks;

    ngx_queue_init(&ngx_stream_ntrip_streams);

    ngx_memzero(ngx_stream_ntrip_by_index, sizeof(ngx_stream_ntrip_by_index));
}


ngx_uint_t
ngx_stream_ntrip_stream_busy(void)
{
    ngx_queue_t                *q;
    ngx_stream_ntrip_stream_t  *st;

    for (q = ngx_queue_head(&ngx_stream_ntrip_streams);
         q != ngx_queue_sentinel(&ngx_stream_ntrip_streams);
         q = ngx_queue_next(q))
    {
        st = ngx_queue_data(q, ngx_stream_ntrip_stream_t, queue);

        if (st->source) {
            return 1;
        }
    }

    return 0;
}


ngx_stream_ntrip_stream_t *
ngx_stream_ntrip_stream_get(uint32_t index, uint64_t serial)
{
    ngx_stream_ntrip_stream_t  *st;

    st = ngx_stream_ntrip_by_index[index];

    return (st && st->serial == serial) ? st : NULL;
}


ngx_stream_ntrip_stream_t *
ngx_stream_ntrip_stream_open(uint32_t index, uint64_t serial,
    ngx_stream_ntrip_srv_conf_t *conf, ngx_stream_ntrip_mount_t *mount)
{
    ntrip_ring_t               *ring;
    ngx_stream_ntrip_stream_t  *st;

    st = ngx_stream_ntrip_stream_get(index, serial);

    if (st) {
        return st;
    }

    ring = ntrip_stream_ring(ngx_stream_ntrip_worker.zone, index);

    st = ngx_stream_ntrip_stream_new(index, serial, ntrip_ring_head(ring));

    if (st) {
        st->conf = conf;
        st->mount = mount;
        st->port = (in_port_t)
                   ntrip_stream_row(ngx_stream_ntrip_worker.zone, index)->port;
    }

    return st;
}


static ngx_stream_ntrip_stream_t *
ngx_stream_ntrip_stream_new(uint32_t index, uint64_t serial,
    uint64_t position)
{
    ngx_stream_ntrip_stream_t  *st;

    /* the row was used before, and this worker has not looked since */

    st = ngx_stream_ntrip_by_index[index];

    if (st) {
        ngx_stream_ntrip_stream_lost(st);
        ngx_stream_ntrip_stream_free(st);
    }

    st = ngx_calloc(sizeof(ngx_stream_ntrip_stream_t), ngx_cycle->log);
    if (st == NULL) {
        return NULL;
    }

    st->index = index;
    st->serial = serial;
    st->position = position;
    st->synced = position;

    st->close.handler = ngx_stream_ntrip_close_handler;
    st->close.data = st;
    st->close.log = ngx_cycle->log;

    ngx_queue_insert_tail(&ngx_stream_ntrip_streams, &st->queue);
    ngx_stream_ntrip_by_index[index] = st;

    return st;
}


/* it has neither rovers nor a source */

static void
ngx_stream_ntrip_stream_free(ngx_stream_ntrip_stream_t *st)
{
    if (ngx_stream_ntrip_by_index[st->index] == st) {
        ngx_stream_ntrip_by_index[st->index] = NULL;
    }

    ngx_stream_ntrip_deliver_free(st);

    if (st->close.posted) {
        ngx_delete_posted_event(&st->close);
    }

    ngx_queue_remove(&st->queue);

    if (st->sinks) {
        ngx_free(st->sinks);
        ngx_free(st->rovers);
    }

    ngx_free(st);
}


ngx_int_t
ngx_stream_ntrip_stream_join(ngx_stream_ntrip_rover_t *rover,
    ntrip_mail_t *mail, ngx_msec_t *wait)
{
    ngx_int_t                     rc;
    ntrip_want_t                  want;
    ntrip_found_t                 found;
    ngx_stream_ntrip_stream_t    *st;
    ngx_stream_ntrip_srv_conf_t  *conf;

    conf = ngx_stream_get_module_srv_conf(rover->session,
                                          ngx_stream_ntrip_module);

    ngx_memzero(&want, sizeof(ntrip_want_t));

    want.mount = rover->mount->name;
    want.pool = conf->pool;
    want.port = ngx_stream_ntrip_port(rover, conf);
    want.share = rover->mount->gga ? conf->share_distance : NTRIP_SHARE_ALL;
    want.mail = mail;
    want.login = rover->login;

    rc = ngx_stream_ntrip_store_candidates(&want.pool, &want.mount,
                                           (in_port_t) want.port,
                                           &want.candidates,
                                           &want.ncandidates);
    *wait = NTRIP_REST_MAX;

    if (rc == NGX_AGAIN) {
        return NGX_AGAIN;
    }

    ngx_stream_ntrip_lock();

    rc = ntrip_stream_attach(ngx_stream_ntrip_worker.zone,
                             ngx_stream_ntrip_worker.bus,
                             ngx_stream_ntrip_worker.me, ngx_current_msec,
                             &want, &found);

    ngx_stream_ntrip_unlock();

    if (rc == NGX_ERROR) {
        ngx_stream_ntrip_stream_full(found.index);
    }

    if (rc == NGX_AGAIN) {
        *wait = (ngx_msec_t) found.wait;
    }

    if (rc != NGX_OK && rc != NGX_DONE) {
        return rc;
    }

    st = ngx_stream_ntrip_stream_get(found.index, found.serial);

    if (st && st == rover->stream) {
        /* its reference has come nearer meanwhile */
        return NGX_OK;
    }

    if (st == NULL) {
        st = ngx_stream_ntrip_stream_new(found.index, found.serial,
                                         found.position);
    }

    if (st) {
        st->conf = conf;
        st->mount = rover->mount;
        st->port = (in_port_t) want.port;
    }

    if (rover->stream) {
        ngx_stream_ntrip_stream_leave(rover);
    }

    /*
     * Without memory the worker's bit, and what it may own, stay until the
     * tick finds nobody on the stream.
     */

    if (st == NULL || ngx_stream_ntrip_add_sink(st, rover) != NGX_OK) {
        return NGX_ERROR;
    }

    if (rc == NGX_OK
        && ngx_stream_ntrip_source_start(&st->source, st->conf, st->mount,
                                         st->index, st->serial,
                                         want.candidates[found.candidate]
                                             .source)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_stream_ntrip_stream_rejoin(ngx_stream_ntrip_rover_t *rover,
    uint32_t index, uint64_t serial, uint64_t position, u_char *rest,
    size_t len)
{
    ngx_stream_ntrip_stream_t    *st;
    ngx_stream_ntrip_srv_conf_t  *conf;

    conf = ngx_stream_get_module_srv_conf(rover->session,
                                          ngx_stream_ntrip_module);

    st = ngx_stream_ntrip_stream_get(index, serial);

    if (st == NULL) {
        st = ngx_stream_ntrip_stream_open(index, serial, conf, rover->mount);
        if (st == NULL) {
            return NGX_ERROR;
        }
    }

    ngx_stream_ntrip_deliver_now(st);

    if (ngx_stream_ntrip_add_sink(st, rover) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_stream_ntrip_deliver_from(rover, position, rest, len);
}


static ngx_int_t
ngx_stream_ntrip_add_sink(ngx_stream_ntrip_stream_t *st,
    ngx_stream_ntrip_rover_t *rover)
{
    ngx_stream_ntrip_sink_t  *s;
    ntrip_session_row_t      *row;

    if (st->nsinks == st->nalloc && ngx_stream_ntrip_grow(st) != NGX_OK) {
        return NGX_ERROR;
    }

    s = &st->sinks[st->nsinks];

    s->fd = rover->session->connection->fd;
    s->flags = rover->tls ? NGX_STREAM_NTRIP_SLOW : 0;

    ngx_stream_ntrip_deliver_join(st, s);

    st->rovers[st->nsinks] = rover;

    rover->stream = st;
    rover->sink = (uint32_t) st->nsinks;

    st->nsinks++;

    row = ntrip_session_row(ngx_stream_ntrip_worker.zone, rover->index);
    __atomic_store_n(&row->stream, st->index, __ATOMIC_RELEASE);

    return NGX_OK;
}


static ngx_int_t
ngx_stream_ntrip_grow(ngx_stream_ntrip_stream_t *st)
{
    ngx_uint_t                  n;
    ngx_stream_ntrip_sink_t    *sinks;
    ngx_stream_ntrip_rover_t  **rovers;

    n = st->nalloc ? st->nalloc * 2 : NGX_STREAM_NTRIP_SINKS;

    sinks = ngx_alloc(n * sizeof(ngx_stream_ntrip_sink_t), ngx_cycle->log);
    if (sinks == NULL) {
        return NGX_ERROR;
    }

    rovers = ngx_alloc(n * sizeof(ngx_stream_ntrip_rover_t *),
                       ngx_cycle->log);
    if (rovers == NULL) {
        ngx_free(sinks);
        return NGX_ERROR;
    }

    if (st->sinks) {
        ngx_memcpy(sinks, st->sinks,
                   st->nsinks * sizeof(ngx_stream_ntrip_sink_t));
        ngx_memcpy(rovers, st->rovers,
                   st->nsinks * sizeof(ngx_stream_ntrip_rover_t *));

        ngx_free(st->sinks);
        ngx_free(st->rovers);
    }

    st->sinks = sinks;
    st->rovers = rovers;
    st->nalloc = n;

    return NGX_OK;
}


/* never from within the delivery loop */

void
ngx_stream_ntrip_stream_leave(ngx_stream_ntrip_rover_t *rover)
{
    size_t                      len;
    uint64_t                    bytes, messages;
    ntrip_stream_row_t         *row;
    ntrip_session_row_t        *session;
    ngx_stream_ntrip_stream_t  *st;

    st = rover->stream;

    ngx_stream_ntrip_stream_totals(rover, &bytes, &messages);

    rover->bytes += bytes;
    rover->messages += messages;

    /* for the access log */

    row = ntrip_stream_row(ngx_stream_ntrip_worker.zone, st->index);
    len = ngx_min(row->label_len, NTRIP_LABEL_MAX);

    if (rover->source.data == NULL) {
        rover->source.data = ngx_pnalloc(rover->session->connection->pool,
                                         NTRIP_LABEL_MAX);
    }

    if (rover->source.data && row->row.serial == st->serial) {
        rover->source.len = len;
        ngx_memcpy(rover->source.data, row->label, len);
    }

    session = ntrip_session_row(ngx_stream_ntrip_worker.zone, rover->index);
    __atomic_store_n(&session->stream, NTRIP_ROW_NONE, __ATOMIC_RELEASE);

    ngx_stream_ntrip_stream_part(rover);

    if (ntrip_stream_unlead(ngx_stream_ntrip_worker.zone, st->index,
                            rover->login))
    {
        ngx_stream_ntrip_tell_owner(st);
    }
}


void
ngx_stream_ntrip_stream_part(ngx_stream_ntrip_rover_t *rover)
{
    ntrip_slots_t               wake;
    ngx_stream_ntrip_stream_t  *st;

    st = rover->stream;

    ngx_stream_ntrip_deliver_leave(st, &st->sinks[rover->sink]);

    st->nsinks--;

    if (rover->sink != st->nsinks) {
        st->sinks[rover->sink] = st->sinks[st->nsinks];
        st->rovers[rover->sink] = st->rovers[st->nsinks];
        st->rovers[rover->sink]->sink = rover->sink;
    }

    rover->stream = NULL;

    if (st->nsinks) {
        return;
    }

    ngx_memzero(&wake, sizeof(ntrip_slots_t));

    ngx_stream_ntrip_lock();

    ntrip_stream_detach(ngx_stream_ntrip_worker.zone,
                        ngx_stream_ntrip_worker.bus,
                        ngx_stream_ntrip_worker.me, st->index, st->serial,
                        &wake);

    ngx_stream_ntrip_unlock();

    ngx_stream_ntrip_wake_set(&wake);
}


/* rovers that could not be sent to, or were too slow */

static void
ngx_stream_ntrip_close_handler(ngx_event_t *ev)
{
    ngx_uint_t                  i;
    ngx_stream_ntrip_stream_t  *st;

    st = ev->data;

    for (i = st->nsinks; i > 0; i--) {
        if (st->sinks[i - 1].flags & NGX_STREAM_NTRIP_CLOSE) {
            ngx_stream_ntrip_stream_hooks->close(st->rovers[i - 1],
                        (st->sinks[i - 1].flags & NGX_STREAM_NTRIP_BLOCKED)
                        ? "slow" : "reset");
        }
    }
}


/*
 * Something is new in the stream "index": a record, a mail, another state.
 */

void
ngx_stream_ntrip_stream_woken(uint32_t index)
{
    uint32_t                    state;
    uint64_t                    serial;
    ntrip_stream_row_t         *row;
    ngx_stream_ntrip_stream_t  *st;

    st = ngx_stream_ntrip_by_index[index];

    if (st == NULL) {
        return;
    }

    row = ntrip_stream_row(ngx_stream_ntrip_worker.zone, index);

    serial = __atomic_load_n(&row->row.serial, __ATOMIC_ACQUIRE);
    state = __atomic_load_n(&row->row.state, __ATOMIC_ACQUIRE);

    if (serial != st->serial
        || state == NTRIP_ROW_FREE
        || state == NTRIP_STREAM_FAILED)
    {
        ngx_stream_ntrip_stream_lost(st);
        return;
    }

    if (state == NTRIP_STREAM_ORPHAN && st->nsinks) {
        ngx_stream_ntrip_stream_claim(st);
    }

    ngx_stream_ntrip_deliver(st);

    if (st->source) {
        ngx_stream_ntrip_stream_own(st);
    }
}


/* there is no such stream any more: its rovers have no place to be */

static void
ngx_stream_ntrip_stream_lost(ngx_stream_ntrip_stream_t *st)
{
    ngx_stream_ntrip_stream_hooks->failed(st);
}


static void
ngx_stream_ntrip_stream_claim(ngx_stream_ntrip_stream_t *st)
{
    ngx_int_t  rc;

    ngx_stream_ntrip_lock();

    rc = ntrip_stream_claim(ngx_stream_ntrip_worker.zone,
                            ngx_stream_ntrip_worker.me, st->index,
                            st->serial);

    ngx_stream_ntrip_unlock();

    if (rc != NGX_OK) {
        return;
    }

    ngx_stream_ntrip_count(claimed);

    ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                  "ntrip stream \"%V\" has lost its worker, goes on here",
                  &st->mount->name);

    (void) ngx_stream_ntrip_source_start(&st->source, st->conf, st->mount,
                                         st->index, st->serial, 0);
}


/* what an owner has to see to */

static void
ngx_stream_ntrip_stream_own(ngx_stream_ntrip_stream_t *st)
{
    ngx_uint_t           i;
    ntrip_stream_row_t  *row;

    row = ntrip_stream_row(ngx_stream_ntrip_worker.zone, st->index);

    /* an election looks at all sessions there are: only where a lead is of any
       use, as without one it is due again with each message */

    if (st->mount->gga
        && __atomic_load_n(&row->lead, __ATOMIC_ACQUIRE) == 0)
    {
        (void) ntrip_stream_elect(ngx_stream_ntrip_worker.zone,
                                  ngx_stream_ntrip_worker.bus, st->index);
    }

    ngx_stream_ntrip_source_mail(st->source);

    for (i = 0; i < NTRIP_SLOT_WORDS; i++) {
        if (__atomic_load_n(&row->slots[i], __ATOMIC_ACQUIRE)) {
            return;
        }
    }

    ngx_stream_ntrip_source_idle(st->source);
}


void
ngx_stream_ntrip_stream_tick(void)
{
    uint32_t                    index;
    ngx_queue_t                *q, *next;
    ngx_stream_ntrip_stream_t  *st;

    for (q = ngx_queue_head(&ngx_stream_ntrip_streams);
         q != ngx_queue_sentinel(&ngx_stream_ntrip_streams);
         q = next)
    {
        next = ngx_queue_next(q);
        st = ngx_queue_data(q, ngx_stream_ntrip_stream_t, queue);
        index = st->index;

        ngx_stream_ntrip_deliver_tick(st);
        ngx_stream_ntrip_stream_woken(index);

        if (st->nsinks == 0 && st->source == NULL && st->offer.nonce == 0) {
            ngx_stream_ntrip_stream_free(st);
        }
    }

    ngx_stream_ntrip_source_tick();
}


void
ngx_stream_ntrip_stream_position(ngx_stream_ntrip_rover_t *rover,
    ntrip_mail_t *mail)
{
    uint64_t                    writer;
    ntrip_stream_row_t         *row;
    ngx_stream_ntrip_stream_t  *st;

    st = rover->stream;
    row = ntrip_stream_row(ngx_stream_ntrip_worker.zone, st->index);

    if (__atomic_load_n(&row->lead, __ATOMIC_ACQUIRE) != rover->login) {
        return;
    }

    if (ntrip_mailbox_write(&row->mail, ngx_stream_ntrip_worker.me, 0, mail)
        == NGX_BUSY)
    {
        writer = ntrip_mailbox_writer(&row->mail);

        if (writer == 0
            || ntrip_bus_alive(ngx_stream_ntrip_worker.bus, writer)
            || ntrip_mailbox_write(&row->mail, ngx_stream_ntrip_worker.me,
                                   writer, mail)
               != NGX_OK)
        {
            /* the next sentence will do */
            return;
        }
    }

    ngx_stream_ntrip_tell_owner(st);
}


void
ngx_stream_ntrip_tell_owner(ngx_stream_ntrip_stream_t *st)
{
    uint64_t             holder;
    ntrip_stream_row_t  *row;

    row = ntrip_stream_row(ngx_stream_ntrip_worker.zone, st->index);
    holder = __atomic_load_n(&row->row.holder, __ATOMIC_ACQUIRE);

    if (ntrip_bus_alive(ngx_stream_ntrip_worker.bus, holder)) {
        ntrip_bus_mark(ngx_stream_ntrip_worker.bus,
                       ntrip_holder_slot(holder), st->index);
        ngx_stream_ntrip_wake(ntrip_holder_slot(holder));
    }
}


double
ngx_stream_ntrip_stream_distance(ngx_stream_ntrip_rover_t *rover,
    ntrip_point_t point)
{
    ntrip_point_t        reference;
    ntrip_stream_row_t  *row;

    row = ntrip_stream_row(ngx_stream_ntrip_worker.zone,
                           rover->stream->index);

    reference = __atomic_load_n(&row->reference, __ATOMIC_ACQUIRE);

    if (reference == NTRIP_POINT_NONE || point == NTRIP_POINT_NONE) {
        return 0;
    }

    return ntrip_point_distance(point, reference);
}


/* the upstream port: port=, else the one that the rover has connected to */

static in_port_t
ngx_stream_ntrip_port(ngx_stream_ntrip_rover_t *rover,
    ngx_stream_ntrip_srv_conf_t *conf)
{
    return conf->port
           ? conf->port
           : ngx_inet_get_port(
                 rover->session->connection->listening->sockaddr);
}


static void
ngx_stream_ntrip_stream_full(ngx_uint_t leases)
{
    ngx_stream_ntrip_zone_full(leases ? "accounts" : "streams",
                               leases
                               ? ngx_stream_ntrip_worker.zone->leases.n
                               : ngx_stream_ntrip_worker.zone->streams.n,
                               ngx_cycle->log);
}
