
/*
 * A rover that is logged in: its events, positions, moving.
 * See ngx_stream_ntrip_stream.h.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>

#include <math.h>

#include "ngx_stream_ntrip_rover_private.h"


/* reads of one event: a rover that floods does not keep others waiting */
#define NGX_STREAM_NTRIP_READS  16

/* a rover leaves its stream at this part of ntrip_share_distance, and the next
   one not before so many seconds */
#define NGX_STREAM_NTRIP_LEAVE  1.1
#define NGX_STREAM_NTRIP_DWELL  30


static void ngx_stream_ntrip_rover_timeout(ngx_stream_ntrip_rover_t *rover);
static void ngx_stream_ntrip_rover_waited(ngx_stream_ntrip_rover_t *rover);
static void ngx_stream_ntrip_discard(ngx_stream_ntrip_rover_t *rover);
static void ngx_stream_ntrip_rover_read(ngx_stream_ntrip_rover_t *rover);
static ngx_int_t ngx_stream_ntrip_rover_input(ngx_stream_ntrip_rover_t *rover,
    ngx_str_t *in);
static void ngx_stream_ntrip_rover_fix(ngx_stream_ntrip_rover_t *rover,
    ntrip_gga_t *gga);
static void ngx_stream_ntrip_rover_unusable(ngx_stream_ntrip_rover_t *rover,
    ntrip_gga_t *gga);
static void ngx_stream_ntrip_mail(ngx_stream_ntrip_rover_t *rover,
    ntrip_gga_t *gga, ngx_str_t *sentence, ntrip_mail_t *mail);
static ngx_int_t ngx_stream_ntrip_rover_position(
    ngx_stream_ntrip_rover_t *rover, ntrip_mail_t *mail);
static ngx_int_t ngx_stream_ntrip_rover_on_stream(
    ngx_stream_ntrip_rover_t *rover, ntrip_mail_t *mail);


void
ngx_stream_ntrip_read_handler(ngx_event_t *rev)
{
    ngx_connection_t          *c;
    ngx_stream_session_t      *s;
    ngx_stream_ntrip_rover_t  *rover;

    c = rev->data;
    s = c->data;
    rover = ngx_stream_get_module_ctx(s, ngx_stream_ntrip_module);

    if (c->close) {
        ngx_stream_ntrip_rover_finalize(rover, "shutdown");
        return;
    }

    if (rev->timedout) {
        rev->timedout = 0;
        ngx_stream_ntrip_rover_timeout(rover);
        return;
    }

    switch (rover->state) {

    case NGX_STREAM_NTRIP_ROVER_REQUEST:
        ngx_stream_ntrip_login_read(rover);
        return;

    case NGX_STREAM_NTRIP_ROVER_TABLE:
        ngx_stream_ntrip_discard(rover);
        return;

    case NGX_STREAM_NTRIP_ROVER_POSITION:
    case NGX_STREAM_NTRIP_ROVER_ATTACHED:
        ngx_stream_ntrip_rover_read(rover);
        return;

    case NGX_STREAM_NTRIP_ROVER_UPLOAD:
        ngx_stream_ntrip_base_read(rover);
        return;

    default:

        if (ngx_stream_ntrip_login_gone(c)) {
            ngx_stream_ntrip_rover_finalize(rover, "closed");
            return;
        }

        /* it is read when the login is done */

        if ((ngx_event_flags & NGX_USE_LEVEL_EVENT) && rev->active
            && ngx_del_event(rev, NGX_READ_EVENT, 0) != NGX_OK)
        {
            ngx_stream_ntrip_rover_finalize(rover, "error");
        }

        return;
    }
}


void
ngx_stream_ntrip_write_handler(ngx_event_t *wev)
{
    ngx_uint_t                 timedout;
    ntrip_sink_t              *sink;
    ngx_connection_t          *c;
    ngx_stream_session_t      *s;
    ngx_stream_ntrip_rover_t  *rover;

    c = wev->data;
    s = c->data;
    rover = ngx_stream_get_module_ctx(s, ngx_stream_ntrip_module);

    timedout = wev->timedout;
    wev->timedout = 0;

    switch (rover->state) {

    case NGX_STREAM_NTRIP_ROVER_LOOKUP:
    case NGX_STREAM_NTRIP_ROVER_DELAY:
        if (timedout) {
            ngx_stream_ntrip_login_again(rover);
        }

        return;

    case NGX_STREAM_NTRIP_ROVER_VERIFY:
        if (timedout) {
            ngx_stream_ntrip_login_late(rover);
        }

        return;

    case NGX_STREAM_NTRIP_ROVER_TAKE:
        if (timedout) {
            ngx_stream_ntrip_base_take(rover);
        }

        return;

    case NGX_STREAM_NTRIP_ROVER_TABLE:
        if (timedout) {
            ngx_stream_ntrip_rover_finalize(rover, rover->result);

        } else if (rover->out) {
            ngx_stream_ntrip_send_out(rover);
        }

        return;

    case NGX_STREAM_NTRIP_ROVER_ATTACHED:
        break;

    default:
        return;
    }

    if (timedout
        && rover->stream->sinks[rover->sink].state != NTRIP_SINK_NEW)
    {
        ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT,
                      "ntrip rover takes no data");
        ngx_stream_ntrip_rover_abort(rover, "send timeout");
        return;
    }

    if (ngx_stream_ntrip_deliver_more(rover) == NGX_ERROR) {
        sink = &rover->stream->sinks[rover->sink];
        ngx_stream_ntrip_rover_abort(rover,
                                     ngx_stream_ntrip_sink_result(sink));
    }
}


static void
ngx_stream_ntrip_rover_timeout(ngx_stream_ntrip_rover_t *rover)
{
    ngx_connection_t  *c;

    c = rover->session->connection;

    switch (rover->state) {

    case NGX_STREAM_NTRIP_ROVER_POSITION:

        if (ngx_stream_ntrip_near_waits(rover)) {
            ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT,
                          "no base station is in reach of the ntrip rover");
            ngx_stream_ntrip_rover_finalize(rover, "no station");
            return;
        }

        ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT,
                      "ntrip rover sends no position");
        ngx_stream_ntrip_rover_finalize(rover, "no position");
        return;

    case NGX_STREAM_NTRIP_ROVER_ATTACHED:
        ngx_stream_ntrip_rover_waited(rover);
        return;

    case NGX_STREAM_NTRIP_ROVER_TABLE:
        ngx_stream_ntrip_rover_finalize(rover, rover->result);
        return;

    case NGX_STREAM_NTRIP_ROVER_UPLOAD:
        ngx_stream_ntrip_base_silent(rover);
        return;

    default:
        ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT,
                      "ntrip request is not complete");
        ngx_stream_ntrip_rover_finalize(rover, "login timeout");
        return;
    }
}


/*
 * It has been on a stream for ntrip_source_wait.  A login, and what follows if
 * it comes to nothing, is the source's matter, which closes all of its rovers
 * when the time is over for it.
 */

static void
ngx_stream_ntrip_rover_waited(ngx_stream_ntrip_rover_t *rover)
{
    uint64_t             bytes, messages;
    ngx_connection_t    *c;
    ntrip_stream_row_t  *row;

    c = rover->session->connection;
    row = ntrip_stream_row(ngx_stream_ntrip_worker.zone,
                           rover->stream->index);

    if (rover->station.len) {
        if (__atomic_load_n(&row->row.state, __ATOMIC_ACQUIRE)
            != NTRIP_STREAM_LIVE)
        {
            ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT,
                          "base station \"%V\" does not upload",
                          &rover->station);
            ngx_stream_ntrip_rover_finalize(rover, "no station");
        }

        return;
    }

    ngx_stream_ntrip_stream_totals(rover, &bytes, &messages);

    if (bytes || __atomic_load_n(&row->tried, __ATOMIC_ACQUIRE)) {
        return;
    }

    ngx_log_error(NGX_LOG_WARN, c->log, NGX_ETIMEDOUT,
                  "no account was free for mountpoint \"%V\"",
                  &rover->mount->name);
    ngx_stream_ntrip_rover_finalize(rover, "no account");
}


/* on a stream that may have no account for long */

void
ngx_stream_ntrip_rover_await(ngx_stream_ntrip_rover_t *rover)
{
    ngx_connection_t             *c;
    ntrip_stream_row_t           *row;
    ngx_stream_ntrip_srv_conf_t  *conf;

    c = rover->session->connection;
    conf = ngx_stream_get_module_srv_conf(rover->session,
                                          ngx_stream_ntrip_module);
    row = ntrip_stream_row(ngx_stream_ntrip_worker.zone,
                           rover->stream->index);

    if (__atomic_load_n(&row->row.state, __ATOMIC_ACQUIRE)
        == NTRIP_STREAM_LIVE)
    {
        if (c->read->timer_set) {
            ngx_del_timer(c->read);
        }

        return;
    }

    ngx_add_timer(c->read, conf->source_wait);
}


/*
 * The reply is out, or on its way: the peer's end of the connection is awaited.
 * One that has shut its side down still takes what is not sent yet.
 */

static void
ngx_stream_ntrip_discard(ngx_stream_ntrip_rover_t *rover)
{
    ssize_t            n;
    ngx_uint_t         i, flags;
    u_char             buf[NGX_STREAM_NTRIP_REQUEST];
    ngx_connection_t  *c;

    c = rover->session->connection;

    for (i = 0; i < NGX_STREAM_NTRIP_READS; i++) {
        n = c->recv(c, buf, sizeof(buf));

        if (n == NGX_AGAIN
            || (n == 0 && rover->out))
        {
            flags = c->read->eof ? NGX_CLOSE_EVENT : 0;

            if (ngx_handle_read_event(c->read, flags) == NGX_OK) {
                return;
            }
        }

        if (n <= 0) {
            break;
        }
    }

    ngx_stream_ntrip_rover_finalize(rover, rover->result);
}


/*
 * Logged in, the reply is sent: a position may have come with the request.
 * NGX_OK, or NGX_ERROR: the rover is gone.
 */

ngx_int_t
ngx_stream_ntrip_rover_begin(ngx_stream_ntrip_rover_t *rover, ngx_str_t *gga,
    ngx_str_t *rest)
{
    ngx_connection_t             *c;
    ngx_stream_ntrip_srv_conf_t  *conf;

    static u_char  crlf[] = CRLF;
    ngx_str_t      end = { 2, crlf };

    c = rover->session->connection;
    conf = ngx_stream_get_module_srv_conf(rover->session,
                                          ngx_stream_ntrip_module);

    c->log->action = "waiting for ntrip position";
    rover->state = NGX_STREAM_NTRIP_ROVER_POSITION;

    if (rover->mount->gga) {
        ngx_add_timer(c->read, conf->position_timeout);

    } else if (ngx_stream_ntrip_rover_join(rover, NULL) != NGX_OK) {
        return NGX_ERROR;
    }

    /* without the need of one, too: for lists, and for its user's area */

    if (gga->len
        && (ngx_stream_ntrip_rover_input(rover, gga) != NGX_OK
            || ngx_stream_ntrip_rover_input(rover, &end) != NGX_OK))
    {
        return NGX_ERROR;
    }

    return rest->len ? ngx_stream_ntrip_rover_input(rover, rest) : NGX_OK;
}


static void
ngx_stream_ntrip_rover_read(ngx_stream_ntrip_rover_t *rover)
{
    ssize_t            n;
    u_char             buf[NGX_STREAM_NTRIP_REQUEST];
    ngx_str_t          in;
    ngx_uint_t         i;
    ngx_connection_t  *c;

    c = rover->session->connection;

    for (i = 0; i < NGX_STREAM_NTRIP_READS; i++) {
        n = c->recv(c, buf, sizeof(buf));

        if (n == NGX_AGAIN) {
            if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
                ngx_stream_ntrip_rover_finalize(rover, "error");
            }

            return;
        }

        if (n == 0) {
            ngx_stream_ntrip_rover_finalize(rover, "closed");
            return;
        }

        if (n == NGX_ERROR) {
            ngx_stream_ntrip_rover_abort(rover,
                                         (ngx_socket_errno == NGX_ETIMEDOUT)
                                         ? "send timeout" : "reset");
            return;
        }

        rover->session->received += n;

        in.data = buf;
        in.len = n;

        if (ngx_stream_ntrip_rover_input(rover, &in) != NGX_OK) {
            return;
        }
    }

    ngx_post_event(c->read, &ngx_posted_next_events);
}


/* NGX_OK, or NGX_ERROR: the rover is gone */

static ngx_int_t
ngx_stream_ntrip_rover_input(ngx_stream_ntrip_rover_t *rover, ngx_str_t *in)
{
    ngx_int_t                     rc;
    ngx_str_t                     sentence;
    ngx_uint_t                    found;
    ntrip_gga_t                   gga;
    ntrip_mail_t                  mail;
    ntrip_nmea_t                 *nmea;
    ngx_connection_t             *c;
    ngx_stream_ntrip_srv_conf_t  *conf;

    static ntrip_nmea_t           scratch;

    c = rover->session->connection;
    nmea = rover->nmea;

    if (nmea == NULL) {
        nmea = &scratch;
        ntrip_nmea_init(nmea);
    }

    found = 0;

    while (ntrip_nmea_next(nmea, in, &sentence) == NGX_OK) {

        rc = ntrip_gga_parse(&gga, &sentence);

        if (rc == NGX_ERROR) {
            ngx_stream_ntrip_rover_unusable(rover, &gga);
            continue;
        }

        ngx_stream_ntrip_count(positions);
        ngx_stream_ntrip_rover_fix(rover, &gga);

        if (ngx_stream_ntrip_traces(rover->login)) {
            ngx_stream_ntrip_traced_position(rover, &gga);
        }

        if (rc == NGX_OK) {
            ngx_stream_ntrip_mail(rover, &gga, &sentence, &mail);
            found = 1;

            if (rover->roaming) {
                ngx_stream_ntrip_near_fixed(rover, gga.quality == 4);
            }

        } else if (rover->state == NGX_STREAM_NTRIP_ROVER_POSITION
                   && !ngx_stream_ntrip_near_waits(rover))
        {

            /* a receiver without a fix yet is there all the same */

            conf = ngx_stream_get_module_srv_conf(rover->session,
                                                  ngx_stream_ntrip_module);
            ngx_add_timer(c->read, conf->position_timeout);
        }
    }

    if (ngx_stream_ntrip_keep_nmea(rover, nmea) != NGX_OK) {
        ngx_stream_ntrip_rover_finalize(rover, "error");
        return NGX_ERROR;
    }

    /* of several only the last one counts */

    return found ? ngx_stream_ntrip_rover_position(rover, &mail) : NGX_OK;
}


/* for lists: what the receiver says of its solution, with and without a
   position */

static void
ngx_stream_ntrip_rover_fix(ngx_stream_ntrip_rover_t *rover, ntrip_gga_t *gga)
{
    uint32_t              age;
    ntrip_session_row_t  *row;

    age = gga->age < 0 ? NTRIP_FIX_AGE
                       : (uint32_t) ngx_min(gga->age * 10, NTRIP_FIX_AGE - 1);

    row = ntrip_session_row(ngx_stream_ntrip_worker.zone, rover->index);

    if (ntrip_session_ours(row, rover->login)) {
        __atomic_store_n(&row->fix,
                         ntrip_fix(gga->quality, ngx_min(gga->satellites, 255),
                                   age),
                         __ATOMIC_RELAXED);
    }
}


/* once a session: who has a receiver that writes so has it with each */

static void
ngx_stream_ntrip_rover_unusable(ngx_stream_ntrip_rover_t *rover,
    ntrip_gga_t *gga)
{
    ngx_stream_ntrip_traced(rover->login, NTRIP_TRACE_UNUSABLE, "%s",
                            ntrip_gga_error(gga->error));

    if (rover->unusable) {
        return;
    }

    rover->unusable = 1;

    ngx_log_error(NGX_LOG_INFO, rover->session->connection->log, 0,
                  "ntrip rover sends a position that cannot be used: %s",
                  ntrip_gga_error(gga->error));
}


/* nearly always whole sentences come, and nothing has to be kept */

ngx_int_t
ngx_stream_ntrip_keep_nmea(ngx_stream_ntrip_rover_t *rover,
    ntrip_nmea_t *nmea)
{
    if (!nmea->collecting) {

        if (rover->nmea) {
            ngx_free(rover->nmea);
            rover->nmea = NULL;
        }

        return NGX_OK;
    }

    if (rover->nmea == NULL) {

        rover->nmea = ngx_alloc(sizeof(ntrip_nmea_t),
                                rover->session->connection->log);
        if (rover->nmea == NULL) {
            return NGX_ERROR;
        }

        *rover->nmea = *nmea;
    }

    return NGX_OK;
}


static void
ngx_stream_ntrip_mail(ngx_stream_ntrip_rover_t *rover, ntrip_gga_t *gga,
    ngx_str_t *sentence, ntrip_mail_t *mail)
{
    ntrip_out_t  out;

    mail->login = rover->login;
    mail->time = ngx_current_msec;
    mail->point = ntrip_point(lrint(gga->latitude * 1e7),
                              lrint(gga->longitude * 1e7));
    mail->height = (int32_t) lrint(gga->height * 1000);

    ntrip_out_init(&out, mail->gga, sizeof(mail->gga));
    ntrip_gga_line(&out, sentence);

    mail->len = (uint16_t) (out.last - out.start);
}


/* NGX_OK, or NGX_ERROR: the rover is gone */

static ngx_int_t
ngx_stream_ntrip_rover_position(ngx_stream_ntrip_rover_t *rover,
    ntrip_mail_t *mail)
{
    ntrip_session_row_t  *row;

    rover->point = mail->point;

    if (ngx_stream_ntrip_rover_outside(rover, mail->point)) {
        ngx_stream_ntrip_rover_finalize(rover, "area");
        return NGX_ERROR;
    }

    row = ntrip_session_row(ngx_stream_ntrip_worker.zone, rover->index);

    if (ntrip_session_ours(row, rover->login)) {
        __atomic_store_n(&row->position, mail->point, __ATOMIC_RELEASE);
        __atomic_store_n(&row->gga, mail->time, __ATOMIC_RELEASE);
    }

    if (rover->roaming) {
        return ngx_stream_ntrip_near_look(rover);
    }

    if (!rover->mount->gga) {
        return NGX_OK;
    }

    switch (rover->state) {

    case NGX_STREAM_NTRIP_ROVER_POSITION:
        return ngx_stream_ntrip_rover_join(rover, mail);

    case NGX_STREAM_NTRIP_ROVER_ATTACHED:
        return ngx_stream_ntrip_rover_on_stream(rover, mail);

    default:
        return NGX_OK;
    }
}


/* NGX_OK, or NGX_ERROR: the rover is gone */

static ngx_int_t
ngx_stream_ntrip_rover_on_stream(ngx_stream_ntrip_rover_t *rover,
    ntrip_mail_t *mail)
{
    double                        distance;
    ngx_int_t                     rc;
    ntrip_session_row_t          *row;
    ngx_stream_ntrip_srv_conf_t  *conf;

    row = ntrip_session_row(ngx_stream_ntrip_worker.zone, rover->index);
    conf = ngx_stream_get_module_srv_conf(rover->session,
                                          ngx_stream_ntrip_module);

    /*
     * Too far for what this stream is made for: another one, at a message
     * boundary, that is when nothing is being sent to it.  Without a free
     * account it stays, and tries again with its next position.  One whose
     * positions jump about costs a login at a provider with each move: it
     * stays for a while wherever it has come to.  A lead that goes does not
     * take the stream's position along, which is that of those who stay.
     */

    distance = ngx_stream_ntrip_stream_distance(rover, mail->point);

    if (conf->share_distance != NTRIP_SHARE_NONE
        && distance > conf->share_distance * NGX_STREAM_NTRIP_LEAVE
        && ntrip_sink_idle(&rover->stream->sinks[rover->sink])
        && (row->moved == 0
            || (uint32_t) (ngx_current_msec / 1000) - row->moved
               >= NGX_STREAM_NTRIP_DWELL))
    {
        rc = ngx_stream_ntrip_stream_move(rover, mail);

        if (rc == NGX_OK) {
            ngx_log_error(NGX_LOG_INFO, rover->session->connection->log, 0,
                          "ntrip rover is %.0f m away from its stream, moved",
                          distance);
            ngx_stream_ntrip_traced(rover->login, NTRIP_TRACE_MOVED,
                                    "it is %.0f m away from the one before",
                                    distance);
            rover->gga = ngx_current_msec;
            row->moved = ngx_max(ngx_current_msec / 1000, 1);
            return NGX_OK;
        }

        if (rc == NGX_ERROR) {
            ngx_stream_ntrip_rover_finalize(rover, "error");
            return NGX_ERROR;
        }
    }

    if (rover->gga == 0
        || ngx_current_msec - rover->gga >= conf->gga_interval)
    {
        rover->gga = ngx_current_msec;
        ngx_stream_ntrip_stream_position(rover, mail);
    }

    return NGX_OK;
}


ngx_int_t
ngx_stream_ntrip_rover_join(ngx_stream_ntrip_rover_t *rover,
    ntrip_mail_t *mail)
{
    if (ngx_stream_ntrip_stream_join(rover, mail) != NGX_OK) {
        ngx_stream_ntrip_rover_finalize(rover, "error");
        return NGX_ERROR;
    }

    rover->session->connection->log->action =
                                         "relaying corrections to ntrip rover";
    rover->state = NGX_STREAM_NTRIP_ROVER_ATTACHED;
    rover->gga = ngx_current_msec;

    ngx_stream_ntrip_rover_await(rover);

    return NGX_OK;
}


void
ngx_stream_ntrip_rover_failed(ngx_stream_ntrip_stream_t *stream)
{
    while (stream->nsinks) {
        ngx_stream_ntrip_rover_finalize(stream->rovers[stream->nsinks - 1],
                                        "source failed");
    }
}


/* those that wait already go on waiting */

void
ngx_stream_ntrip_rover_station(ngx_stream_ntrip_stream_t *stream,
    ngx_uint_t live)
{
    ngx_uint_t                 i;
    ngx_event_t               *rev;
    ngx_stream_ntrip_rover_t  *rover;

    /* from the end: those that go to another stream make room for the last */

    for (i = stream->nsinks; i > 0; i--) {
        rover = stream->rovers[i - 1];

        if (rover->offer.nonce) {
            continue;
        }

        rev = rover->session->connection->read;

        if (live == (rev->timer_set != 0)) {
            ngx_stream_ntrip_rover_await(rover);
        }

        if (!live && rover->roaming) {
            (void) ngx_stream_ntrip_near_second(rover);
        }
    }
}


/* the one that is offered when it is handed over */

ntrip_row_t *
ngx_stream_ntrip_rover_row(ngx_stream_ntrip_rover_t *rover)
{
    ntrip_zone_t  *zone;

    zone = ngx_stream_ntrip_worker.zone;

    return rover->base ? &ntrip_stream_row(zone, rover->feeds->index)->row
                       : &ntrip_session_row(zone, rover->index)->row;
}
