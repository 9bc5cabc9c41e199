
/*
 * Fieldgate: a source goes to another worker: both sides of it.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_stream_ntrip_source_private.h"


ngx_int_t
ngx_stream_ntrip_source_offer(ngx_stream_ntrip_source_t *source,
    ntrip_candidate_t *candidate, ntrip_reply_t *reply, ntrip_rtcm_t *rtcm,
    ngx_socket_t *fds)
{
    ngx_stream_ntrip_lease_t  *lease;

    lease = &source->lease;

    if ((source->state != NTRIP_SOURCE_TRIAL
         && source->state != NTRIP_SOURCE_LIVE)
        || ngx_stream_ntrip_client_park(&lease->client, &fds[0]) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    fds[1] = lease->lock;

    *candidate = lease->candidate;
    *reply = lease->client.reply;
    *rtcm = source->feed.rtcm;

    ngx_stream_ntrip_source_event(source, NTRIP_EVENT_OFFER);

    return NGX_OK;
}


void
ngx_stream_ntrip_source_resume(ngx_stream_ntrip_source_t *source)
{
    ngx_stream_ntrip_source_event(source, NTRIP_EVENT_KEEP);
}


void
ngx_stream_ntrip_source_release(ngx_stream_ntrip_source_t *source)
{
    if (source->state != NTRIP_SOURCE_OFFERED) {
        return;
    }

    ngx_log_error(NGX_LOG_INFO, &source->lease.log, 0,
                  "source was handed over to a newer worker");

    ngx_stream_ntrip_source_event(source, NTRIP_EVENT_TAKEN);
}


ngx_stream_ntrip_source_t *
ngx_stream_ntrip_source_expect(ngx_stream_ntrip_srv_conf_t *conf,
    uint32_t index, uint64_t serial, ntrip_candidate_t *candidate,
    ntrip_reply_t *reply, ntrip_rtcm_t *rtcm, ngx_socket_t *fds)
{
    ngx_stream_ntrip_lease_t   *lease;
    ngx_stream_ntrip_source_t  *source;

    source = ngx_stream_ntrip_source_create(conf, index, serial);
    if (source == NULL) {
        return NULL;
    }

    lease = &source->lease;

    if (ngx_stream_ntrip_client_take(&lease->client, fds[0], reply) != NGX_OK)
    {
        ngx_stream_ntrip_source_free(source);
        return NULL;
    }

    lease->candidate = *candidate;
    lease->lock = fds[1];
    source->feed.rtcm = *rtcm;

    return source;
}


void
ngx_stream_ntrip_source_adopt(ngx_stream_ntrip_source_t *source,
    ngx_stream_ntrip_source_t **place)
{
    ntrip_stream_row_t        *row;
    ngx_stream_ntrip_lease_t  *lease;

    source->place = place;
    *place = source;

    lease = &source->lease;
    row = ntrip_stream_row(ngx_stream_ntrip_worker.zone, source->feed.index);

    lease->label.len = ngx_min(row->label_len, NTRIP_LABEL_MAX);
    ngx_memcpy(lease->label_data, row->label, lease->label.len);

    /* the giver may just have sent a position */

    ngx_stream_ntrip_position_begin(source, 1);

    ngx_log_error(NGX_LOG_INFO, &lease->log, 0,
                  "source was taken over from an older worker");

    ngx_stream_ntrip_source_event(source, NTRIP_EVENT_ADOPTED);
}


void
ngx_stream_ntrip_source_refuse(ngx_stream_ntrip_source_t *source)
{
    ngx_stream_ntrip_client_untake(&source->lease.client);
    source->lease.lock = NGX_INVALID_FILE;

    ngx_stream_ntrip_source_free(source);
}
