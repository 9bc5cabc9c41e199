
/*
 * The streams of this worker: which there are, who is on them, who owns them.
 * See ngx_stream_ntrip_stream.h.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>

#include "ngx_stream_ntrip_stream.h"
#include "ngx_stream_ntrip_store.h"


static ngx_stream_ntrip_stream_t *ngx_stream_ntrip_stream_get(uint32_t index,
    uint64_t serial);
static ngx_stream_ntrip_stream_t *ngx_stream_ntrip_stream_new(uint32_t index,
    uint64_t serial, uint64_t position, ngx_stream_ntrip_srv_conf_t *conf);
static void ngx_stream_ntrip_stream_free(ngx_stream_ntrip_stream_t *st);
static ngx_int_t ngx_stream_ntrip_stream_attach(
    ngx_stream_ntrip_rover_t *rover, ntrip_mail_t *mail, uint32_t session,
    ngx_stream_ntrip_stream_t **st);
static ngx_int_t ngx_stream_ntrip_stream_shift(
    ngx_stream_ntrip_rover_t *rover, ngx_stream_ntrip_stream_t *st,
    ngx_uint_t made);
static void ngx_stream_ntrip_stream_traced(ngx_stream_ntrip_rover_t *rover,
    ngx_stream_ntrip_stream_t *st, ngx_uint_t made);
static void ngx_stream_ntrip_stream_drop(ngx_stream_ntrip_rover_t *rover,
    ngx_uint_t moved);
static void ngx_stream_ntrip_stream_quit(ngx_stream_ntrip_stream_t *st,
    ngx_uint_t moved);
static void ngx_stream_ntrip_stream_detach(uint32_t index, uint64_t serial,
    ngx_uint_t moved);
static void ngx_stream_ntrip_stream_lost(ngx_stream_ntrip_stream_t *st);
static ngx_uint_t ngx_stream_ntrip_stream_may_claim(
    ngx_stream_ntrip_stream_t *st);
static void ngx_stream_ntrip_stream_claim(ngx_stream_ntrip_stream_t *st);
static void ngx_stream_ntrip_stream_orphan(ngx_stream_ntrip_stream_t *st);
static void ngx_stream_ntrip_stream_own(ngx_stream_ntrip_stream_t *st);
static void ngx_stream_ntrip_tell_owner(ngx_stream_ntrip_stream_t *st);
static in_port_t ngx_stream_ntrip_port(ngx_stream_ntrip_rover_t *rover,
    ngx_stream_ntrip_srv_conf_t *conf);


ngx_queue_t  ngx_stream_ntrip_streams;

ngx_stream_ntrip_stream_hooks_t  *ngx_stream_ntrip_stream_hooks;

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


/* this worker's object, NULL: it has none */

static ngx_stream_ntrip_stream_t *
ngx_stream_ntrip_stream_get(uint32_t index, uint64_t serial)
{
    ngx_stream_ntrip_stream_t  *st;

    st = ngx_stream_ntrip_by_index[index];

    return (st && st->serial == serial) ? st : NULL;
}


ngx_stream_ntrip_stream_t *
ngx_stream_ntrip_stream_open(uint32_t index, uint64_t serial,
    ngx_stream_ntrip_srv_conf_t *conf)
{
    ntrip_ring_t               *ring;
    ngx_stream_ntrip_stream_t  *st;

    st = ngx_stream_ntrip_stream_get(index, serial);

    if (st) {
        return st;
    }

    ring = ntrip_stream_ring(ngx_stream_ntrip_worker.zone, index);

    return ngx_stream_ntrip_stream_new(index, serial,
                                       ring ? ntrip_ring_head(ring) : 0,
                                       conf);
}


static ngx_stream_ntrip_stream_t *
ngx_stream_ntrip_stream_new(uint32_t index, uint64_t serial,
    uint64_t position, ngx_stream_ntrip_srv_conf_t *conf)
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
    st->conf = conf;

    ntrip_backlog_init(&st->backlog, position, ngx_cycle->log);

    ngx_stream_ntrip_sinks_init(st);

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

    ngx_queue_remove(&st->queue);

    ngx_stream_ntrip_sinks_free(st);
}


ngx_int_t
ngx_stream_ntrip_stream_join(ngx_stream_ntrip_rover_t *rover,
    ntrip_mail_t *mail)
{
    ngx_int_t                   rc;
    ngx_stream_ntrip_stream_t  *st;

    rc = ngx_stream_ntrip_stream_attach(rover, mail, rover->index, &st);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    ngx_stream_ntrip_stream_traced(rover, st, rc == NGX_OK);

    if (ngx_stream_ntrip_sink_add(st, rover) == NGX_OK
        && (rc == NGX_DONE
            || ngx_stream_ntrip_source_start(&st->source, st->conf, st->index,
                                             st->serial)
               == NGX_OK))
    {
        return NGX_OK;
    }

    ngx_stream_ntrip_stream_quit(st, 0);

    return NGX_ERROR;
}


/*
 * It stays where it is until there is a stream with an account: one that others
 * have, or a new one, if an account is free now.
 */

ngx_int_t
ngx_stream_ntrip_stream_move(ngx_stream_ntrip_rover_t *rover,
    ntrip_mail_t *mail)
{
    ngx_int_t                   rc;
    ngx_uint_t                  made;
    ntrip_stream_row_t         *row;
    ngx_stream_ntrip_stream_t  *st, *old;

    old = rover->stream;

    rc = ngx_stream_ntrip_stream_attach(rover, mail, NTRIP_ROW_NONE, &st);

    if (rc == NGX_ERROR) {
        return NGX_AGAIN;
    }

    if (st == ngx_stream_ntrip_stream_main(old)) {
        /* its reference has come nearer meanwhile */
        return NGX_AGAIN;
    }

    row = ntrip_stream_row(ngx_stream_ntrip_worker.zone, st->index);

    made = (rc == NGX_OK);

    if (made) {
        ngx_stream_ntrip_traced_on(rover->login, st->serial);

        rc = ngx_stream_ntrip_source_try(&st->source, st->conf, st->index,
                                         st->serial);

    } else {
        rc = row->source ? NGX_OK : NGX_AGAIN;
    }

    if (rc != NGX_OK) {
        ngx_stream_ntrip_traced_on(rover->login, old->serial);
        ngx_stream_ntrip_stream_quit(st, 0);
        return NGX_AGAIN;
    }

    return ngx_stream_ntrip_stream_shift(rover, st, made);
}


ngx_int_t
ngx_stream_ntrip_stream_change(ngx_stream_ntrip_rover_t *rover)
{
    ngx_stream_ntrip_stream_t  *st;

    if (ngx_stream_ntrip_stream_attach(rover, NULL, NTRIP_ROW_NONE, &st)
        == NGX_ERROR)
    {
        return NGX_AGAIN;
    }

    if (st == ngx_stream_ntrip_stream_main(rover->stream)) {
        return NGX_OK;
    }

    return ngx_stream_ntrip_stream_shift(rover, st, 0);
}


/* from one stream to another, in which this worker's bit is set, "made" for it.
   NGX_OK, or NGX_ERROR: no memory, it is on none */

static ngx_int_t
ngx_stream_ntrip_stream_shift(ngx_stream_ntrip_rover_t *rover,
    ngx_stream_ntrip_stream_t *st, ngx_uint_t made)
{
    ngx_stream_ntrip_stream_drop(rover, 1);

    if (ngx_stream_ntrip_sink_add(st, rover) != NGX_OK) {
        ngx_stream_ntrip_stream_quit(st, 0);
        return NGX_ERROR;
    }

    ngx_stream_ntrip_lock();
    ntrip_session_join(ngx_stream_ntrip_worker.zone, rover->index,
                       rover->login, st->index, st->serial);
    ngx_stream_ntrip_unlock();

    ngx_stream_ntrip_stream_traced(rover, st, made);

    return NGX_OK;
}


/* for the trace: it is on that stream, "made" for it, from now on */

static void
ngx_stream_ntrip_stream_traced(ngx_stream_ntrip_rover_t *rover,
    ngx_stream_ntrip_stream_t *st, ngx_uint_t made)
{
    ngx_str_t            mount, label;
    ntrip_stream_row_t  *row;

    if (!ngx_stream_ntrip_traces(rover->login)) {
        return;
    }

    row = ntrip_stream_row(ngx_stream_ntrip_worker.zone, st->index);

    mount.data = row->mount;
    mount.len = ngx_min(row->mount_len, NTRIP_MOUNT_MAX);

    label.data = row->label;
    label.len = ngx_min(row->label_len, NTRIP_LABEL_MAX);

    ngx_stream_ntrip_traced_on(rover->login, st->serial);

    if (made) {
        ngx_stream_ntrip_traced(rover->login, NTRIP_TRACE_STREAM,
                                "%V, a new one", &mount);
        return;
    }

    ngx_stream_ntrip_traced(rover->login, NTRIP_TRACE_STREAM,
                            "%V, shared%s%V", &mount, label.len ? ", " : "",
                            &label);
}


/*
 * The worker's bit is set in the stream that suits the rover, and *st is its
 * object.  NGX_OK: this worker is its owner, without a source yet; NGX_DONE;
 * NGX_ERROR: a full table or no memory, logged.
 */

static ngx_int_t
ngx_stream_ntrip_stream_attach(ngx_stream_ntrip_rover_t *rover,
    ntrip_mail_t *mail, uint32_t session, ngx_stream_ntrip_stream_t **st)
{
    ngx_int_t                     rc;
    ntrip_want_t                  want;
    ntrip_found_t                 found;
    ngx_stream_ntrip_srv_conf_t  *conf;

    conf = ngx_stream_get_module_srv_conf(rover->session,
                                          ngx_stream_ntrip_module);

    ngx_memzero(&want, sizeof(ntrip_want_t));

    want.login = rover->login;
    want.session = session;
    want.format = (uint16_t) rover->mount->format;

    if (rover->station.len) {
        want.mount = rover->station;
        want.share = NTRIP_SHARE_ALL;
        want.station = 1;

    } else {
        want.mount = rover->mount->as;
        want.pool = *ngx_stream_ntrip_mount_pool(conf, rover->mount);
        want.port = ngx_stream_ntrip_port(rover, conf);
        want.share = rover->mount->gga ? conf->share_distance
                                       : NTRIP_SHARE_ALL;
        want.mail = mail;
        want.gga = (uint16_t) rover->mount->gga;
    }

    ngx_stream_ntrip_lock();

    rc = ntrip_stream_attach(ngx_stream_ntrip_worker.zone,
                             ngx_stream_ntrip_worker.bus,
                             ngx_stream_ntrip_worker.me, ngx_current_msec,
                             &want, &found);

    ngx_stream_ntrip_unlock();

    if (rc == NGX_ERROR) {
        ngx_stream_ntrip_zone_full(NTRIP_FULL_STREAMS, ngx_cycle->log);
        return NGX_ERROR;
    }

    *st = ngx_stream_ntrip_stream_get(found.index, found.serial);

    if (*st) {

        /* without rovers it may be behind */

        ngx_stream_ntrip_deliver(*st);
        return rc;
    }

    *st = ngx_stream_ntrip_stream_new(found.index, found.serial,
                                      found.position, conf);
    if (*st == NULL) {
        ngx_stream_ntrip_stream_detach(found.index, found.serial, 0);
        return NGX_ERROR;
    }

    return rc;
}


/* nothing has come of it, or the last rover has gone, "moved" to another one:
   without rovers here it is not this worker's */

static void
ngx_stream_ntrip_stream_quit(ngx_stream_ntrip_stream_t *st, ngx_uint_t moved)
{
    if (ngx_stream_ntrip_stream_main(st)->nrovers == 0) {
        ngx_stream_ntrip_stream_detach(st->index, st->serial, moved);
    }
}


/* the worker has no rovers of it, and, if it owns it without a source, it is
   for others; but a guest goes on with its host */

static void
ngx_stream_ntrip_stream_detach(uint32_t index, uint64_t serial,
    ngx_uint_t moved)
{
    ntrip_slots_t               wake;
    ngx_stream_ntrip_worker_t  *worker;
    ngx_stream_ntrip_stream_t  *st;

    worker = &ngx_stream_ntrip_worker;
    st = ngx_stream_ntrip_stream_get(index, serial);

    ngx_memzero(&wake, sizeof(ntrip_slots_t));

    ngx_stream_ntrip_lock();

    ntrip_stream_detach(worker->zone, worker->bus, worker->me,
                        ngx_current_msec, index, serial, moved, &wake);

    if ((st == NULL || (st->source == NULL && st->base == NULL))
        && !ntrip_pair_is_guest(ntrip_stream_row(worker->zone, index)))
    {
        (void) ntrip_stream_orphan(worker->zone, worker->bus, worker->me,
                                   ngx_current_msec, index, serial, 0,
                                   &wake);
    }

    ngx_stream_ntrip_unlock();

    ngx_stream_ntrip_wake_set(&wake);
}


ngx_int_t
ngx_stream_ntrip_stream_rejoin(ngx_stream_ntrip_rover_t *rover,
    uint32_t index, uint64_t serial, ntrip_place_t *place)
{
    ngx_stream_ntrip_stream_t    *st;
    ngx_stream_ntrip_srv_conf_t  *conf;

    conf = ngx_stream_get_module_srv_conf(rover->session,
                                          ngx_stream_ntrip_module);

    st = ngx_stream_ntrip_stream_open(index, serial, conf);
    if (st == NULL) {
        return NGX_ERROR;
    }

    ngx_stream_ntrip_deliver_now(st);

    if (ngx_stream_ntrip_sink_add(st, rover) != NGX_OK) {
        return NGX_ERROR;
    }

    return place->fresh ? NGX_OK : ngx_stream_ntrip_deliver_from(rover, place);
}


void
ngx_stream_ntrip_stream_leave(ngx_stream_ntrip_rover_t *rover)
{
    ngx_stream_ntrip_stream_drop(rover, 0);
}


/* never from within the delivery loop */

static void
ngx_stream_ntrip_stream_drop(ngx_stream_ntrip_rover_t *rover,
    ngx_uint_t moved)
{
    size_t                      len;
    uint64_t                    bytes, messages;
    ntrip_stream_row_t         *row;
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

    ngx_stream_ntrip_lock();
    ntrip_session_part(ngx_stream_ntrip_worker.zone, rover->index,
                       rover->login);
    ngx_stream_ntrip_unlock();

    ngx_stream_ntrip_traced_on(rover->login, 0);

    ngx_stream_ntrip_sink_remove(rover);
    ngx_stream_ntrip_stream_quit(st, moved);

    if (ntrip_stream_unlead(ngx_stream_ntrip_worker.zone, st->index,
                            rover->login))
    {
        ngx_stream_ntrip_tell_owner(st);
    }
}


void
ngx_stream_ntrip_stream_part(ngx_stream_ntrip_rover_t *rover)
{
    ngx_stream_ntrip_stream_t  *st;

    st = rover->stream;

    ngx_stream_ntrip_sink_remove(rover);
    ngx_stream_ntrip_stream_quit(st, 0);
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

    if (row->station) {
        ngx_stream_ntrip_stream_station(st, state == NTRIP_STREAM_LIVE);

    } else if (state == NTRIP_STREAM_ORPHAN
               && st->nrovers
               && ngx_stream_ntrip_stream_may_claim(st))
    {
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
    for ( /* void */ ; st; st = st->views) {
        ngx_stream_ntrip_stream_hooks->failed(st);
    }
}


/* a worker that exits leaves it to others, or to nobody when time is over */

static ngx_uint_t
ngx_stream_ntrip_stream_may_claim(ngx_stream_ntrip_stream_t *st)
{
    if (!ngx_stream_ntrip_worker.exiting) {
        return 1;
    }

    return !ngx_stream_ntrip_worker_expired()
           && !ntrip_stream_others(ngx_stream_ntrip_worker.zone,
                                   ngx_stream_ntrip_worker.bus,
                                   ngx_stream_ntrip_worker.me, st->index);
}


static void
ngx_stream_ntrip_stream_claim(ngx_stream_ntrip_stream_t *st)
{
    ngx_int_t            rc;
    ngx_str_t            mount;
    ntrip_stream_row_t  *row;

    ngx_stream_ntrip_lock();

    rc = ntrip_stream_claim(ngx_stream_ntrip_worker.zone,
                            ngx_stream_ntrip_worker.me, st->index,
                            st->serial);

    ngx_stream_ntrip_unlock();

    if (rc != NGX_OK) {
        return;
    }

    ngx_stream_ntrip_count(claimed);

    row = ntrip_stream_row(ngx_stream_ntrip_worker.zone, st->index);

    mount.data = row->mount;
    mount.len = row->mount_len;

    ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                  "ntrip stream \"%V\" has lost its worker, goes on here",
                  &mount);

    if (ngx_stream_ntrip_source_start(&st->source, st->conf, st->index,
                                      st->serial)
        != NGX_OK)
    {
        ngx_stream_ntrip_stream_orphan(st);
    }
}


/* with the next tick, or by somebody else */

static void
ngx_stream_ntrip_stream_orphan(ngx_stream_ntrip_stream_t *st)
{
    ntrip_slots_t               wake;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;

    ngx_memzero(&wake, sizeof(ntrip_slots_t));

    ngx_stream_ntrip_lock();
    (void) ntrip_stream_orphan(worker->zone, worker->bus, worker->me,
                               ngx_current_msec, st->index, st->serial, 0,
                               &wake);
    ngx_stream_ntrip_unlock();
}


/* what an owner has to see to */

static void
ngx_stream_ntrip_stream_own(ngx_stream_ntrip_stream_t *st)
{
    ntrip_stream_row_t  *row;

    if (!ntrip_stream_wanted(ngx_stream_ntrip_worker.zone, st->index)) {
        ngx_stream_ntrip_source_idle(st->source);
        return;
    }

    row = ntrip_stream_row(ngx_stream_ntrip_worker.zone, st->index);

    if (row->gga && __atomic_load_n(&row->lead, __ATOMIC_ACQUIRE) == 0) {
        ngx_stream_ntrip_lock();
        (void) ntrip_stream_elect(ngx_stream_ntrip_worker.zone,
                                  ngx_stream_ntrip_worker.bus, st->index);
        ngx_stream_ntrip_unlock();
    }

    ngx_stream_ntrip_source_called(st->source);
    ngx_stream_ntrip_source_mail(st->source);
}


void
ngx_stream_ntrip_stream_tick(void)
{
    uint32_t                    index;
    ngx_queue_t                *q, *next;
    ngx_stream_ntrip_stream_t  *st, *view;

    for (q = ngx_queue_head(&ngx_stream_ntrip_streams);
         q != ngx_queue_sentinel(&ngx_stream_ntrip_streams);
         q = next)
    {
        next = ngx_queue_next(q);
        st = ngx_queue_data(q, ngx_stream_ntrip_stream_t, queue);
        index = st->index;

        for (view = st; view; view = view->views) {
            ngx_stream_ntrip_deliver_tick(view);
        }

        ngx_stream_ntrip_stream_woken(index);

        if (st->nrovers == 0
            && st->source == NULL
            && st->base == NULL
            && st->offer.nonce == 0)
        {
            ngx_stream_ntrip_stream_free(st);

        } else {
            ngx_stream_ntrip_views_tidy(st);
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


/* wakes the worker that owns the stream: a mail, or the lead is gone */

static void
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
