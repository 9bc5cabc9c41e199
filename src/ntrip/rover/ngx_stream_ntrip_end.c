
/*
 * The end of a rover's or a base's session, in whatever state it is.
 * See ngx_stream_ntrip_rover.h.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>

#include "ngx_stream_ntrip_rover_private.h"


static void ngx_stream_ntrip_last_chunk(ngx_stream_ntrip_rover_t *rover);
static void ngx_stream_ntrip_rover_linger(ngx_connection_t *c);


void
ngx_stream_ntrip_rover_abort(ngx_stream_ntrip_rover_t *rover,
    const char *result)
{
    rover->abort = 1;

    ngx_stream_ntrip_rover_finalize(rover, result);
}


/* so that the end is not taken for a broken connection: if the rover has the
   chunk before it as a whole */

static void
ngx_stream_ntrip_last_chunk(ngx_stream_ntrip_rover_t *rover)
{
    ngx_connection_t  *c;

    static u_char  last[] = NTRIP_CHUNK_LAST;

    c = rover->session->connection;

    if (!rover->chunked || rover->abort || c->read->eof || c->read->error) {
        return;
    }

    if (rover->stream
        && !ntrip_sink_idle(&rover->stream->sinks[rover->sink]))
    {
        return;
    }

    (void) c->send(c, last, sizeof(last) - 1);
}


/* what the kernel still has for it goes with the connection */

static void
ngx_stream_ntrip_rover_linger(ngx_connection_t *c)
{
    struct linger  linger;

    linger.l_onoff = 1;
    linger.l_linger = 0;

    if (setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &linger,
                   sizeof(struct linger)) == -1)
    {
        ngx_log_error(NGX_LOG_ALERT, c->log, ngx_socket_errno,
                      "setsockopt(SO_LINGER) failed");
    }

    /* no farewell of TLS */

    c->timedout = 1;
}


void
ngx_stream_ntrip_rover_finalize(ngx_stream_ntrip_rover_t *rover,
    const char *result)
{
    ngx_stream_session_t  *s;

    s = rover->session;

    if (rover->offer.nonce
        && ngx_stream_ntrip_offer_recall(&rover->offer,
                                         ngx_stream_ntrip_rover_row(rover))
           != NGX_OK)
    {
        if (rover->base) {
            ngx_stream_ntrip_base_release(rover);

        } else {
            ngx_stream_ntrip_rover_release(rover);
        }

        return;
    }

    rover->result = result;

    if (rover->abort) {
        ngx_stream_ntrip_rover_linger(s->connection);
    }

    ngx_stream_ntrip_traced_end(rover, result);

    if (rover->request && rover->request->check) {
        ngx_stream_ntrip_verify_cancel(rover->request->check);
    }

    if (rover->base) {
        ngx_stream_ntrip_base_end(rover, result);
    }

    ngx_stream_ntrip_last_chunk(rover);

    if (rover->stream) {
        ngx_stream_ntrip_stream_leave(rover);
    }

    if (rover->login) {
        if (!rover->tls) {
            s->connection->sent += rover->bytes;
        }

        ngx_stream_ntrip_rover_count(rover);

        ngx_stream_ntrip_lock();

        ntrip_session_logout(ngx_stream_ntrip_worker.zone,
                             ngx_stream_ntrip_worker.me, rover->index,
                             rover->login);

        ngx_stream_ntrip_unlock();

        ngx_stream_ntrip_rovers_remove(rover);
        ngx_stream_ntrip_count(closed);

        ngx_log_error(NGX_LOG_INFO, s->connection->log, 0,
                      "ntrip session ended: %s, %uL messages", result,
                      rover->messages);
    }

    ngx_stream_ntrip_rover_free(rover);

    ngx_stream_finalize_session(s, NGX_STREAM_OK);
}


/* what is not of the connection's pool */

void
ngx_stream_ntrip_rover_free(ngx_stream_ntrip_rover_t *rover)
{
    ngx_stream_ntrip_nrovers--;

    if (rover->request) {
        ngx_explicit_memzero(rover->request,
                             sizeof(ngx_stream_ntrip_request_t));
        ngx_free(rover->request);
        rover->request = NULL;
    }

    if (rover->nmea) {
        ngx_free(rover->nmea);
        rover->nmea = NULL;
    }

    ngx_stream_ntrip_table_free(rover);
}
