
/*
 * Fieldgate: what comes from a provider and what it is sent: the reply, the
 * messages, positions; and both sides of the hand-over of such a connection.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_stream_ntrip_source.h"


/* one read; also bounded by a quarter of the ring, so that this worker has
   copied what was read before more is written */

#define NGX_STREAM_NTRIP_READ   16384


static void ngx_stream_ntrip_source_read_handler(ngx_event_t *rev);
static ngx_int_t ngx_stream_ntrip_source_received(
    ngx_stream_ntrip_source_t *source, u_char *data, size_t len);
static ngx_uint_t ngx_stream_ntrip_source_wanted(ntrip_slots_t *set);
static void ngx_stream_ntrip_source_refused(
    ngx_stream_ntrip_source_t *source);
static void ngx_stream_ntrip_source_live(ngx_stream_ntrip_source_t *source);
static ngx_int_t ngx_stream_ntrip_source_messages(
    ngx_stream_ntrip_source_t *source, ngx_str_t *data);
static void ngx_stream_ntrip_source_position(
    ngx_stream_ntrip_source_t *source);
static void ngx_stream_ntrip_source_go_on(ngx_stream_ntrip_source_t *source);


void
ngx_stream_ntrip_source_asked(ngx_stream_ntrip_source_t *source)
{
    ngx_uint_t         mode;
    ngx_connection_t  *c;

    mode = NTRIP_RTCM_AUTO;

    if (source->stream) {
        switch (source->stream->mount->format) {

        case NGX_STREAM_NTRIP_FORMAT_RTCM3:
            mode = NTRIP_RTCM_RTCM3;
            break;

        case NGX_STREAM_NTRIP_FORMAT_RAW:
            mode = NTRIP_RTCM_RAW;
            break;
        }
    }

    ntrip_reply_init(&source->reply, NTRIP_REPLY_STREAM);
    ntrip_rtcm_init(&source->rtcm, mode);

    source->said = 0;
    source->state = NGX_STREAM_NTRIP_SOURCE_REPLY;
    source->log.action = "reading the reply of a provider";

    source->timer.cancelable = 0;
    ngx_add_timer(&source->timer, source->conf->source_timeout);

    c = source->peer.connection;

    c->read->handler = ngx_stream_ntrip_source_read_handler;

    if (c->read->ready) {
        ngx_post_event(c->read, &ngx_posted_events);
        return;
    }

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_stream_ntrip_source_broken(source);
    }
}


static void
ngx_stream_ntrip_source_read_handler(ngx_event_t *rev)
{
    size_t                      size;
    ssize_t                     n;
    ntrip_ring_t               *ring;
    ngx_connection_t           *c;
    ngx_stream_ntrip_source_t  *source;

    static u_char  buf[NGX_STREAM_NTRIP_READ];

    c = rev->data;
    source = c->data;

    if (source->state == NGX_STREAM_NTRIP_SOURCE_OFFERED) {
        return;
    }

    if (c->close) {
        ngx_stream_ntrip_source_abandon(source);
        return;
    }

    ring = ntrip_stream_ring(ngx_stream_ntrip_worker.zone, source->index);
    size = ngx_min(sizeof(buf), ring->size / 4);

    n = c->recv(c, buf, size);

    if (n > 0) {
        ngx_add_timer(&source->timer, source->conf->source_timeout);

        if (ngx_stream_ntrip_source_received(source, buf, n) != NGX_OK) {
            return;
        }

        if (rev->ready) {

            /* a provider that floods does not keep others waiting */

            ngx_post_event(rev, &ngx_posted_next_events);
            return;
        }
    }

    if (n == 0 || n == NGX_ERROR) {

        if (n == 0) {
            ngx_log_error(NGX_LOG_ERR, &source->log, 0,
                          "provider closed the connection");
        }

        ngx_stream_ntrip_source_failed(source, NTRIP_REST_FAILED);
        return;
    }

    if (ngx_handle_read_event(rev, 0) != NGX_OK) {
        ngx_stream_ntrip_source_failed(source, NTRIP_REST_FAILED);
    }
}


/* NGX_ERROR: the source may be gone */

static ngx_int_t
ngx_stream_ntrip_source_received(ngx_stream_ntrip_source_t *source,
    u_char *data, size_t len)
{
    ngx_int_t       rc;
    ngx_str_t       in, body;
    ntrip_slots_t   wake;

    in.data = data;
    in.len = len;

    do {
        rc = ntrip_reply_next(&source->reply, &in, &body);

        if (rc == NGX_DECLINED) {
            ngx_stream_ntrip_source_refused(source);
            return NGX_ERROR;
        }

        if (source->reply.accepted && source->test) {
            ngx_stream_ntrip_source_tested(source, NTRIP_REST_NONE);
            return NGX_ERROR;
        }

        if (source->reply.result == NTRIP_REPLY_OK
            && source->state == NGX_STREAM_NTRIP_SOURCE_REPLY)
        {
            ngx_stream_ntrip_source_live(source);
        }

        if (rc == NGX_OK
            && ngx_stream_ntrip_source_messages(source, &body) != NGX_OK)
        {
            ngx_log_error(NGX_LOG_ERR, &source->log, 0,
                          "the stream is no longer this worker's");
            ngx_stream_ntrip_source_failed(source, NTRIP_REST_FAILED);
            return NGX_ERROR;
        }

    } while (rc == NGX_OK);

    /* what came before the end is delivered in any case */

    ngx_memzero(&wake, sizeof(ntrip_slots_t));

    ntrip_stream_mark(ngx_stream_ntrip_worker.zone,
                      ngx_stream_ntrip_worker.bus, source->index, &wake);
    ngx_stream_ntrip_wake_set(&wake);

    /* somebody wants it again */

    if (source->linger.timer_set && ngx_stream_ntrip_source_wanted(&wake)) {
        ngx_del_timer(&source->linger);
    }

    if (rc != NGX_AGAIN) {
        ngx_log_error(NGX_LOG_ERR, &source->log, 0,
                      rc == NGX_DONE ? "provider has ended the stream"
                                     : "provider sent a wrong chunk");
        ngx_stream_ntrip_source_failed(source, NTRIP_REST_FAILED);
        return NGX_ERROR;
    }

    ngx_stream_ntrip_source_position(source);

    return NGX_OK;
}


static ngx_uint_t
ngx_stream_ntrip_source_wanted(ntrip_slots_t *set)
{
    uint64_t    bits;
    ngx_uint_t  i;

    bits = 0;

    for (i = 0; i < NTRIP_SLOT_WORDS; i++) {
        bits |= set->bits[i];
    }

    return bits != 0;
}


/* what the provider says goes to the log without anything that could be
   taken for something else there, and never with a password in it */

size_t
ngx_stream_ntrip_source_shown(ngx_stream_ntrip_source_t *source, u_char *text)
{
    u_char                       c;
    size_t                       i;
    ngx_str_t                    shown;
    ngx_stream_ntrip_account_t  *account;

    shown.data = source->reply.shown;
    shown.len = source->reply.shown_len;

    account = ngx_stream_ntrip_store_account(source->candidate.source);

    if (account && account->password.len
        && ntrip_text_contains(&shown, (char *) account->password.data))
    {
        return 0;
    }

    for (i = 0; i < shown.len; i++) {
        c = shown.data[i];
        text[i] = (c < 0x20 || c > 0x7e || c == '"') ? '?' : c;
    }

    return shown.len;
}


static void
ngx_stream_ntrip_source_refused(ngx_stream_ntrip_source_t *source)
{
    u_char      text[NTRIP_REPLY_SHOWN];
    ngx_str_t   shown;
    ngx_uint_t  reason;

    shown.data = text;
    shown.len = ngx_stream_ntrip_source_shown(source, text);

    switch (source->reply.result) {

    case NTRIP_REPLY_UNAUTHORIZED:
    case NTRIP_REPLY_FORBIDDEN:
        reason = NTRIP_REST_REFUSED;
        break;

    case NTRIP_REPLY_NOMOUNT:
        reason = NTRIP_REST_MOUNT;
        break;

    default:
        reason = NTRIP_REST_FAILED;
    }

    ngx_log_error(NGX_LOG_ERR, &source->log, 0,
                  "provider refused the login (%s): \"%V\"",
                  ntrip_reply_result(source->reply.result), &shown);

    ngx_stream_ntrip_source_failed(source, reason);
}


static void
ngx_stream_ntrip_source_live(ngx_stream_ntrip_source_t *source)
{
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;

    source->state = NGX_STREAM_NTRIP_SOURCE_LIVE;
    source->started = ngx_current_msec;
    source->log.action = "reading from a provider";

    ngx_stream_ntrip_lock();

    if (ngx_stream_ntrip_source_owned(source)) {
        ntrip_lease_good(worker->zone, source->index, &source->candidate);
        ntrip_stream_live(worker->zone, source->index, &source->label);
    }

    ngx_stream_ntrip_unlock();

    ngx_stream_ntrip_count(source_logins);

    ngx_log_error(NGX_LOG_INFO, &source->log, 0, "source is live");
}


static ngx_int_t
ngx_stream_ntrip_source_messages(ngx_stream_ntrip_source_t *source,
    ngx_str_t *data)
{
    uint64_t                    bytes, messages;
    ntrip_ring_t               *ring;
    ntrip_record_t              rec;
    ntrip_stream_row_t         *row;
    ntrip_rtcm_message_t        m;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;

    row = ntrip_stream_row(worker->zone, source->index);
    ring = ntrip_stream_ring(worker->zone, source->index);

    bytes = data->len;
    messages = 0;

    while (ntrip_rtcm_next(&source->rtcm, data, &m) == NGX_OK) {

        rec.len = m.len;
        rec.type = m.type;
        rec.time = ngx_current_msec;
        rec.flags = m.flags & (NTRIP_RTCM_EPOCH|NTRIP_RTCM_STATION);

        /* the first of this account */

        if (source->rtcm.messages == 1) {
            rec.flags |= NTRIP_RECORD_FLUSH;
        }

        if (!ngx_stream_ntrip_source_owned(source)) {
            return NGX_DECLINED;
        }

        (void) ntrip_ring_write(ring, &rec, m.data);
        messages++;
    }

    row->bytes += bytes;
    row->messages += messages;

    __atomic_store_n(&row->data, ngx_current_msec, __ATOMIC_RELEASE);

    ngx_stream_ntrip_count_n(bytes_in, bytes);
    ngx_stream_ntrip_count_n(messages_in, messages);

    return NGX_OK;
}


/* ---- positions ---- */

void
ngx_stream_ntrip_source_mail(ngx_stream_ntrip_source_t *source)
{
    ntrip_stream_row_t  *row;

    if (!source->gga) {
        return;
    }

    row = ntrip_stream_row(ngx_stream_ntrip_worker.zone, source->index);

    if (ntrip_mailbox_read(&row->mail, &source->mail_seq, &source->mail)
        == NGX_OK)
    {
        source->mailed = 1;
    }

    ngx_stream_ntrip_source_position(source);
}


/*
 * Sends the position if it is time to.  A provider learns the first one as
 * soon as it has accepted us, and then not more than it can take.
 */

static void
ngx_stream_ntrip_source_position(ngx_stream_ntrip_source_t *source)
{
    ngx_msec_t           pause;
    ngx_msec_int_t       left;
    ntrip_stream_row_t  *row;

    if (!source->gga
        || (source->state != NGX_STREAM_NTRIP_SOURCE_REPLY
            && source->state != NGX_STREAM_NTRIP_SOURCE_LIVE)
        || !source->reply.accepted
        || source->pos < source->last)
    {
        return;
    }

    row = ntrip_stream_row(ngx_stream_ntrip_worker.zone, source->index);

    if (!source->said
        && ntrip_mailbox_read(&row->mail, &source->mail_seq, &source->mail)
           == NGX_OK)
    {
        source->mailed = 1;
    }

    if (source->mail.len == 0) {
        return;
    }

    if (source->said) {
        pause = source->conf->gga_interval;

        if (!source->mailed) {

            if (source->conf->gga_repeat == 0) {
                return;
            }

            pause = ngx_max(pause, source->conf->gga_repeat);
        }

        left = (ngx_msec_int_t) (source->sent + pause - ngx_current_msec);

        if (left > 0) {
            ngx_add_timer(&source->position, left);
            return;
        }
    }

    ngx_memcpy(source->line, source->mail.gga, source->mail.len);
    source->pos = source->line;
    source->last = source->line + source->mail.len;

    source->said = 1;
    source->mailed = 0;
    source->sent = ngx_current_msec;

    if (ngx_stream_ntrip_source_owned(source)) {
        __atomic_store_n(&row->reference, source->mail.point,
                         __ATOMIC_RELEASE);
    }

    ngx_stream_ntrip_source_send(source);

    if (source->conf->gga_repeat) {
        ngx_add_timer(&source->position, source->conf->gga_repeat);
    }
}


void
ngx_stream_ntrip_source_position_handler(ngx_event_t *ev)
{
    ngx_stream_ntrip_source_position(ev->data);
}


/* ---- hand-over ---- */

ngx_int_t
ngx_stream_ntrip_source_offer(ngx_stream_ntrip_source_t *source,
    ntrip_handover_t *msg, ngx_socket_t *fds)
{
    ngx_connection_t  *c;

    c = source->peer.connection;

    if (source->state != NGX_STREAM_NTRIP_SOURCE_LIVE
        || source->broken
        || source->pos < source->last
        || c->close)
    {
        return NGX_DECLINED;
    }

    ngx_stream_ntrip_park(c);

    ngx_stream_ntrip_source_stop_timers(source);

    source->state = NGX_STREAM_NTRIP_SOURCE_OFFERED;

    msg->source = source->candidate.source;
    msg->candidate = source->candidate;
    msg->reply = source->reply;
    msg->rtcm = source->rtcm;

    fds[0] = c->fd;
    fds[1] = source->lock;

    return NGX_OK;
}


void
ngx_stream_ntrip_source_resume(ngx_stream_ntrip_source_t *source)
{
    ngx_connection_t  *c;

    if (source->state != NGX_STREAM_NTRIP_SOURCE_OFFERED) {
        return;
    }

    c = source->peer.connection;

    if (c->close) {
        ngx_stream_ntrip_source_abandon(source);
        return;
    }

    ngx_stream_ntrip_source_go_on(source);
}


void
ngx_stream_ntrip_source_release(ngx_stream_ntrip_source_t *source)
{
    if (source->state != NGX_STREAM_NTRIP_SOURCE_OFFERED) {
        return;
    }

    ngx_log_error(NGX_LOG_INFO, &source->log, 0,
                  "source was handed over to a newer worker");

    ngx_stream_ntrip_unhand(source->peer.connection);
    source->peer.connection = NULL;

    ngx_stream_ntrip_source_free(source);
}


ngx_int_t
ngx_stream_ntrip_source_adopt(ngx_stream_ntrip_stream_t *stream,
    ntrip_handover_t *msg, ngx_socket_t *fds)
{
    ngx_int_t                   rc;
    ngx_connection_t           *c;
    ntrip_stream_row_t         *row;
    ngx_stream_ntrip_source_t  *source;

    if (stream->source) {
        return NGX_DECLINED;
    }

    source = ngx_stream_ntrip_source_create(stream->conf, stream->index,
                                            stream->serial);
    if (source == NULL) {
        return NGX_ERROR;
    }

    c = ngx_get_connection(fds[0], &source->log);
    if (c == NULL) {
        ngx_stream_ntrip_source_free(source);
        return NGX_ERROR;
    }

    rc = ngx_stream_ntrip_handover_accept(msg);

    if (rc != NGX_OK) {
        ngx_free_connection(c);
        c->fd = (ngx_socket_t) -1;

        ngx_stream_ntrip_source_free(source);
        return rc;
    }

    c->type = SOCK_STREAM;
    c->data = source;
    c->log = &source->log;
    c->log_error = NGX_ERROR_ERR;
    c->read->log = c->log;
    c->write->log = c->log;
    c->write->ready = 1;
    c->number = ngx_atomic_fetch_add(ngx_connection_counter, 1);
    c->start_time = ngx_current_msec;

    c->recv = ngx_recv;
    c->send = ngx_send;
    c->recv_chain = ngx_recv_chain;
    c->send_chain = ngx_send_chain;

    c->read->handler = ngx_stream_ntrip_source_read_handler;
    c->write->handler = ngx_stream_ntrip_source_write_handler;

    source->peer.connection = c;
    source->lock = fds[1];
    source->log.connection = c->number;
    source->stream = stream;
    source->gga = stream->mount->gga;
    stream->source = source;

    source->candidate = msg->candidate;
    source->reply = msg->reply;
    source->rtcm = msg->rtcm;

    row = ntrip_stream_row(ngx_stream_ntrip_worker.zone, source->index);

    source->label.data = source->label_data;
    source->label.len = ngx_min(row->label_len, NTRIP_LABEL_MAX);
    ngx_memcpy(source->label_data, row->label, source->label.len);

    /* the giver may just have sent a position */

    source->said = 1;
    source->sent = ngx_current_msec;

    ngx_log_error(NGX_LOG_INFO, &source->log, 0,
                  "source was taken over from an older worker");

    ngx_stream_ntrip_source_go_on(source);

    return NGX_OK;
}


/* LIVE, with a connection that is not in the event loop */

static void
ngx_stream_ntrip_source_go_on(ngx_stream_ntrip_source_t *source)
{
    source->state = NGX_STREAM_NTRIP_SOURCE_LIVE;
    source->log.action = "reading from a provider";

    source->timer.cancelable = 0;
    ngx_add_timer(&source->timer, source->conf->source_timeout);

    if (ngx_stream_ntrip_unpark(source->peer.connection) != NGX_OK) {
        ngx_stream_ntrip_source_broken(source);
        return;
    }

    ngx_stream_ntrip_source_mail(source);
}
