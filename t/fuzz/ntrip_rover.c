
/*
 * A whole connection of a rover, or of a base station: the request, and what
 * comes behind it, a rover's positions or a base's messages.  The first byte
 * says how the bytes are cut into segments, the second whether the password is
 * right.
 *
 * However that is: the same reply, positions and messages come out, and what is
 * kept of a connection is no more than its buffers.
 *
 * sources: ntrip_request.c ntrip_response.c ntrip_gga.c ntrip_chunked.c
 *          ntrip_sourcetable.c ntrip_rtcm.c ntrip_text.c
 * libs: -lm
 */


#include "fuzz.h"
#include "ntrip_chunked.h"
#include "ntrip_gga.h"
#include "ntrip_response.h"
#include "ntrip_rtcm.h"

#include <math.h>


/* as the connection's */
#define FUZZ_REQUEST  8192
#define FUZZ_NOW      1795294112


typedef struct {
    u_char            buf[FUZZ_REQUEST];
    size_t            len;
    ntrip_request_t   request;
    ngx_int_t         rc;               /* of the request */
    ngx_uint_t        base;             /* it uploads, and is welcome */
    ntrip_nmea_t      nmea;
    ntrip_chunked_t   chunked;
    ntrip_rtcm_t      rtcm;
    ngx_uint_t        over;
    fuzz_buf_t        out;
} fuzz_peer_t;


static void
position(fuzz_peer_t *peer, ngx_str_t *sentence)
{
    u_char        line[NTRIP_GGA_LINE_MAX];
    ngx_int_t     rc;
    ntrip_gga_t   gga, again;
    ntrip_out_t   out;
    ngx_str_t     sent;

    rc = ntrip_gga_parse(&gga, sentence);
    fuzz_add(&peer->out, &rc, sizeof(rc));

    if (rc == NGX_ERROR) {
        test(ntrip_gga_error(gga.error) != NULL);
    }

    if (rc != NGX_OK) {
        return;
    }

    test(gga.latitude >= -90 && gga.latitude <= 90);
    test(gga.longitude >= -180 && gga.longitude <= 180);

    ntrip_out_init(&out, line, sizeof(line));
    ntrip_gga_line(&out, sentence);
    test(!out.overflow);

    /* what goes upstream is one line, and the same place */

    sent.data = line;
    sent.len = out.last - line - 2;
    test(memcmp(out.last - 2, CRLF, 2) == 0);
    test(memchr(line, LF, sent.len) == NULL);
    test(ntrip_gga_parse(&again, &sent) == NGX_OK);
    test(fabs(again.latitude - gga.latitude) < 1e-6
         && fabs(again.longitude - gga.longitude) < 1e-6);

    fuzz_add(&peer->out, line, out.last - line);
}


static void
upload(fuzz_peer_t *peer, ngx_str_t *in)
{
    ngx_int_t             rc;
    ngx_str_t             data;
    ntrip_rtcm_message_t  m;

    rc = NGX_OK;

    while (rc == NGX_OK && !peer->over) {

        if (peer->request.chunked) {
            rc = ntrip_chunked_next(&peer->chunked, in, &data);

            if (rc != NGX_OK) {
                peer->over = (rc != NGX_AGAIN);
                break;
            }

        } else {
            data = *in;
            rc = NGX_AGAIN;
        }

        while (ntrip_rtcm_next(&peer->rtcm, &data, &m) == NGX_OK) {
            test(ntrip_rtcm_check(&m) == NGX_OK);
            fuzz_add(&peer->out, m.data, m.len);
        }
    }
}


static void
body(fuzz_peer_t *peer, ngx_str_t *in)
{
    ngx_str_t  sentence;

    if (peer->base) {
        upload(peer, in);
        return;
    }

    while (ntrip_nmea_next(&peer->nmea, in, &sentence) == NGX_OK) {
        position(peer, &sentence);
    }

    test(in->len == 0);
}


/* the request is there, or is none: the reply */

static void
reply(fuzz_peer_t *peer, ngx_uint_t right)
{
    u_char            buf[NTRIP_RESPONSE_MAX];
    ngx_str_t         rest;
    ngx_uint_t        status, chunked;
    ntrip_out_t       out;
    ntrip_request_t  *r;

    r = &peer->request;
    ntrip_out_init(&out, buf, sizeof(buf));
    status = (peer->rc == NGX_OK) ? (right ? 200 : 401)
                                  : ntrip_response_status(r->error);

    if (status == 200) {
        chunked = (r->form == NTRIP_FORM_V2 && r->method == NTRIP_GET
                   && r->http11);
        ntrip_response_ok(&out, r->form == NTRIP_FORM_PAGE ? NTRIP_FORM_V1
                                                           : r->form,
                          FUZZ_NOW, chunked);
        test(out.last > buf);

    } else if (status) {
        ntrip_response_error(&out, r->method, r->form, status, FUZZ_NOW,
                             &r->mount);
    }

    test(!out.overflow);
    fuzz_add(&peer->out, &peer->rc, sizeof(peer->rc));
    fuzz_add(&peer->out, &status, sizeof(status));
    fuzz_add(&peer->out, buf, out.last - buf);

    peer->over = (status != 200);

    if (peer->over) {
        return;
    }

    peer->base = (r->method != NTRIP_GET);

    if (!peer->base && r->gga.len) {
        position(peer, &r->gga);
    }

    rest.data = peer->buf + r->body;
    rest.len = peer->len - r->body;
    body(peer, &rest);
}


static void
segment(fuzz_peer_t *peer, ngx_str_t *in, ngx_uint_t right)
{
    size_t  n;

    while (in->len && !peer->over && peer->rc == NGX_AGAIN) {
        n = ngx_min(in->len, FUZZ_REQUEST - peer->len);
        memcpy(peer->buf + peer->len, in->data, n);
        peer->len += n;
        in->data += n;
        in->len -= n;

        peer->rc = ntrip_request_parse(&peer->request, peer->buf, peer->len);

        test(peer->rc != NGX_AGAIN || peer->len < FUZZ_REQUEST);

        if (peer->rc != NGX_AGAIN) {
            reply(peer, right);
        }
    }

    if (!peer->over && peer->rc == NGX_OK) {
        body(peer, in);
    }
}


static void
run(fuzz_buf_t *b, const uint8_t *data, size_t size, ngx_uint_t right,
    uint32_t seed, size_t most)
{
    size_t        n, k;
    ngx_str_t     piece, in;
    fuzz_peer_t  *peer;

    peer = calloc(1, sizeof(fuzz_peer_t));
    test(peer != NULL);
    peer->rc = NGX_AGAIN;
    ntrip_nmea_init(&peer->nmea);
    ntrip_chunked_init(&peer->chunked);
    ntrip_rtcm_init(&peer->rtcm, NTRIP_RTCM_RTCM3);

    for (n = 0; n < size && !peer->over; n += k) {
        k = fuzz_piece(&seed, most, size - n);
        piece = fuzz_copy(data + n, k);
        in = piece;
        segment(peer, &in, right);
        free(piece.data);
    }

    *b = peer->out;
    free(peer);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ngx_uint_t  right;
    fuzz_buf_t  whole, cut;

    if (size < 2) {
        return 0;
    }

    right = (data[1] % 4 != 0);

    run(&whole, data + 2, size - 2, right, 0, size);
    run(&cut, data + 2, size - 2, right, data[0], data[0] % 64 + 1);
    fuzz_same(&whole, &cut);
    free(cut.data);

    if (fuzz_sample(data, size)) {
        run(&cut, data + 2, size - 2, right, 0, 1);
        fuzz_same(&whole, &cut);
        free(cut.data);
    }

    free(whole.data);

    return 0;
}
