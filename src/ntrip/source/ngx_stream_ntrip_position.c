
/*
 * Fieldgate: positions for the provider.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <math.h>

#include "ngx_stream_ntrip_source_private.h"


static void ngx_stream_ntrip_position_read(
    ngx_stream_ntrip_source_t *source);
static ngx_uint_t ngx_stream_ntrip_position_news(
    ngx_stream_ntrip_source_t *source);
static void ngx_stream_ntrip_position_compose(
    ngx_stream_ntrip_source_t *source);
static void ngx_stream_ntrip_position_handler(ngx_event_t *ev);


void
ngx_stream_ntrip_position_init(ngx_stream_ntrip_source_t *source,
    ngx_uint_t wanted)
{
    ngx_stream_ntrip_position_t  *p;

    p = &source->position;

    p->wanted = wanted;

    p->timer.handler = ngx_stream_ntrip_position_handler;
    p->timer.data = source;
    p->timer.log = &source->lease.log;
    p->timer.cancelable = 1;
}


void
ngx_stream_ntrip_position_begin(ngx_stream_ntrip_source_t *source,
    ngx_uint_t said)
{
    source->position.said = said;
    source->position.sent = ngx_current_msec;
}


/* it goes as a sentence, too, once the request is accepted: not every provider
   reads the header */

void
ngx_stream_ntrip_position_first(ngx_stream_ntrip_source_t *source,
    ngx_str_t *gga)
{
    ngx_stream_ntrip_position_t  *p;

    p = &source->position;

    ngx_str_null(gga);

    if (!p->wanted) {
        return;
    }

    ngx_stream_ntrip_position_read(source);

    if (p->mail.len == 0) {
        return;
    }

    if (p->len == 0 || ngx_stream_ntrip_position_news(source)) {
        ngx_stream_ntrip_position_compose(source);
    }

    gga->data = p->line;
    gga->len = p->len;
}


void
ngx_stream_ntrip_source_mail(ngx_stream_ntrip_source_t *source)
{
    if (!source->position.wanted) {
        return;
    }

    ngx_stream_ntrip_position_read(source);

    ngx_stream_ntrip_position_send(source);
}


static void
ngx_stream_ntrip_position_read(ngx_stream_ntrip_source_t *source)
{
    ntrip_stream_row_t           *row;
    ngx_stream_ntrip_position_t  *p;

    p = &source->position;
    row = ntrip_stream_row(ngx_stream_ntrip_worker.zone,
                           ngx_stream_ntrip_feed_at(&source->feed));

    if (ntrip_mailbox_read(&row->mail, &p->seq, &p->mail) == NGX_OK) {
        p->fresh = 1;
    }
}


void
ngx_stream_ntrip_position_turn(ngx_stream_ntrip_source_t *source)
{
    ngx_stream_ntrip_position_t  *p;

    p = &source->position;

    if (p->timer.timer_set) {
        ngx_del_timer(&p->timer);
    }

    p->fresh = 0;
    p->said = 0;
    p->seq = 0;
    p->mail.len = 0;
    p->len = 0;
}


/*
 * A provider learns the first one as soon as it has accepted us, and then not
 * more than it can take.
 */

void
ngx_stream_ntrip_position_send(ngx_stream_ntrip_source_t *source)
{
    ngx_msec_t                    pause;
    ngx_uint_t                    news;
    ngx_msec_int_t                left;
    ngx_stream_ntrip_position_t  *p;

    p = &source->position;

    if (!p->wanted || !ngx_stream_ntrip_client_ready(&source->lease.client)) {
        return;
    }

    if (!p->said) {
        ngx_stream_ntrip_position_read(source);
    }

    if (p->mail.len == 0) {
        return;
    }

    news = ngx_stream_ntrip_position_news(source);

    if (p->said) {
        pause = source->conf->gga_interval;

        if (!news) {

            if (source->conf->gga_repeat == 0) {
                return;
            }

            pause = ngx_max(pause, source->conf->gga_repeat);
        }

        left = (ngx_msec_int_t) (p->sent + pause - ngx_current_msec);

        if (left > 0) {
            ngx_add_timer(&p->timer, left);
            return;
        }
    }

    if (news || p->len == 0) {
        ngx_stream_ntrip_position_compose(source);
    }

    p->said = 1;
    p->sent = ngx_current_msec;

    ngx_stream_ntrip_client_send(&source->lease.client, p->line, p->len);

    ngx_stream_ntrip_traced_source(source->feed.serial, NTRIP_TRACE_SENT,
                                   "%*s", ngx_max(p->len, 2) - 2, p->line);

    if (source->conf->gga_repeat) {
        ngx_add_timer(&p->timer, source->conf->gga_repeat);
    }
}


/* whoever leads, a place that is not far from the last one is none: it would
   move the reference station of all who share the stream */

static ngx_uint_t
ngx_stream_ntrip_position_news(ngx_stream_ntrip_source_t *source)
{
    ngx_stream_ntrip_position_t  *p;

    p = &source->position;

    return p->fresh
           && (p->len == 0
               || source->conf->gga_distance == 0
               || ntrip_point_distance(p->point, p->mail.point)
                  >= source->conf->gga_distance);
}


/* the line, and the stream's reference: what the provider is told */

static void
ngx_stream_ntrip_position_compose(ngx_stream_ntrip_source_t *source)
{
    ngx_str_t                     line;
    ntrip_gga_t                   gga;
    ntrip_out_t                   out;
    ntrip_point_t                 reference;
    ntrip_stream_row_t           *row;
    ngx_stream_ntrip_position_t  *p;
    ngx_stream_ntrip_srv_conf_t  *conf;

    p = &source->position;
    conf = source->conf;

    line.data = p->mail.gga;
    line.len = p->mail.len;
    reference = p->mail.point;

    ntrip_out_init(&out, p->line, sizeof(p->line));

    if ((conf->gga_round || conf->gga_form != NTRIP_GGA_AS_IS)
        && ntrip_gga_parse(&gga, &line) == NGX_OK)
    {
        ntrip_gga_round(&gga, conf->gga_round);
        ntrip_gga_form(&out, &line, &gga, conf->gga_round != 0,
                       conf->gga_form);

        if (conf->gga_round) {
            reference = ntrip_point(lrint(gga.latitude * 1e7),
                                    lrint(gga.longitude * 1e7));
        }

    } else {
        ntrip_out_str(&out, &line);
    }

    p->len = out.last - out.start;
    p->point = p->mail.point;
    p->fresh = 0;

    if (ngx_stream_ntrip_feed_writable(&source->feed)) {
        row = ntrip_stream_row(ngx_stream_ntrip_worker.zone,
                               ngx_stream_ntrip_feed_at(&source->feed));
        __atomic_store_n(&row->reference, reference, __ATOMIC_RELEASE);
    }
}


static void
ngx_stream_ntrip_position_handler(ngx_event_t *ev)
{
    ngx_stream_ntrip_position_send(ev->data);
}
