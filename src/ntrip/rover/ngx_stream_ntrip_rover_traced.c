
/*
 * Fieldgate: what the trace of a user says of its rover.  A base station is
 * nobody's user.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>

#include "ngx_stream_ntrip_rover_private.h"


void
ngx_stream_ntrip_traced_request(ngx_stream_ntrip_rover_t *rover)
{
    ntrip_request_t  *r;

    r = &rover->request->request;

    ngx_stream_ntrip_traced_attempt(&r->user, NTRIP_TRACE_REQUEST, 0,
                                    "%V, NTRIP %s, %V", &r->mount,
                                    rover->version == 2 ? "2.0" : "1.0",
                                    &r->agent);
}


void
ngx_stream_ntrip_traced_wait(ngx_stream_ntrip_rover_t *rover, const char *what)
{
    if (!rover->base) {
        ngx_stream_ntrip_traced_attempt(&rover->request->request.user,
                                        NTRIP_TRACE_WAIT, 0, "%s", what);
    }
}


void
ngx_stream_ntrip_traced_refused(ngx_stream_ntrip_rover_t *rover,
    ngx_uint_t status, const char *result)
{
    ngx_stream_ntrip_request_t  *rq;

    rq = rover->request;

    if (!rover->base) {
        ngx_stream_ntrip_traced_attempt(&rq->request.user, NTRIP_TRACE_REFUSED,
                                        status, "%s",
                                        rq->refused ? rq->refused : result);
    }
}


void
ngx_stream_ntrip_traced_enter(ngx_stream_ntrip_rover_t *rover,
    ngx_uint_t replaces)
{
    ngx_stream_ntrip_traced_login(&rover->user, rover->login, rover->index,
                                  "from %V%s%s",
                                  &rover->session->connection->addr_text,
                                  rover->tls ? ", TLS" : "",
                                  replaces ? ", an older session ends" : "");
}


void
ngx_stream_ntrip_traced_position(ngx_stream_ntrip_rover_t *rover,
    ntrip_gga_t *gga)
{
    u_char  age[NTRIP_TRACE_TEXT], *last;

    last = age;

    if (gga->age >= 0) {
        last = ngx_snprintf(age, sizeof(age) - 1, ", corrections of %.1f s",
                            gga->age);
    }

    *last = '\0';

    if (gga->quality == 0) {
        ngx_stream_ntrip_traced(rover->login, NTRIP_TRACE_POSITION,
                                "no fix, %ui satellites%s", gga->satellites,
                                age);
        return;
    }

    ngx_stream_ntrip_traced(rover->login, NTRIP_TRACE_POSITION,
                            "%.7f,%.7f, %s, %ui satellites%s",
                            gga->latitude, gga->longitude,
                            ntrip_gga_fix(gga->quality), gga->satellites, age);
}


void
ngx_stream_ntrip_traced_end(ngx_stream_ntrip_rover_t *rover,
    const char *result)
{
    uint64_t  bytes, messages;

    if (rover->base) {
        return;
    }

    if (rover->login == 0) {

        /* what got a reply was refused with that */

        if (rover->request && rover->state != NGX_STREAM_NTRIP_ROVER_TABLE) {
            ngx_stream_ntrip_traced_attempt(&rover->request->request.user,
                                            NTRIP_TRACE_REFUSED, 0, "%s",
                                            result);
        }

        return;
    }

    if (!ngx_stream_ntrip_traces(rover->login)) {
        return;
    }

    bytes = 0;
    messages = 0;

    if (rover->stream) {
        ngx_stream_ntrip_stream_totals(rover, &bytes, &messages);
    }

    ngx_stream_ntrip_traced(rover->login, NTRIP_TRACE_END,
                            "%s, %uL messages, %uL bytes", result,
                            rover->messages + messages, rover->bytes + bytes);
}
