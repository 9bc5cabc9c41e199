
/*
 * Fieldgate: positions for the provider.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_stream_ntrip_source_private.h"


static void ngx_stream_ntrip_position_read(
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
    row = ntrip_stream_row(ngx_stream_ntrip_worker.zone, source->feed.index);

    if (ntrip_mailbox_read(&row->mail, &p->seq, &p->mail) == NGX_OK) {
        p->fresh = 1;
    }
}


/*
 * A provider learns the first one as soon as it has accepted us, and then not
 * more than it can take.
 */

void
ngx_stream_ntrip_position_send(ngx_stream_ntrip_source_t *source)
{
    ngx_msec_t                    pause;
    ngx_msec_int_t                left;
    ntrip_stream_row_t           *row;
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

    if (p->said) {
        pause = source->conf->gga_interval;

        if (!p->fresh) {

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

    ngx_memcpy(p->line, p->mail.gga, p->mail.len);

    p->said = 1;
    p->fresh = 0;
    p->sent = ngx_current_msec;

    if (ngx_stream_ntrip_feed_owned(&source->feed)) {
        row = ntrip_stream_row(ngx_stream_ntrip_worker.zone,
                               source->feed.index);
        __atomic_store_n(&row->reference, p->mail.point, __ATOMIC_RELEASE);
    }

    ngx_stream_ntrip_client_send(&source->lease.client, p->line, p->mail.len);

    if (source->conf->gga_repeat) {
        ngx_add_timer(&p->timer, source->conf->gga_repeat);
    }
}


static void
ngx_stream_ntrip_position_handler(ngx_event_t *ev)
{
    ngx_stream_ntrip_position_send(ev->data);
}
