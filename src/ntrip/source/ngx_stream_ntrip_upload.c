
/*
 * Fieldgate: the upload of a base station.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_stream_ntrip_source.h"
#include "ngx_stream_ntrip_feed.h"


struct ngx_stream_ntrip_upload_s {
    ngx_stream_ntrip_feed_t    feed;
    ngx_uint_t                 chunked;
    ntrip_chunked_t            body;
    ntrip_gather_t             gather;
    ngx_uint_t                 told;       /* what is known, at least once */
};


static ngx_int_t ngx_stream_ntrip_upload_write(
    ngx_stream_ntrip_upload_t *upload, ngx_str_t *data, const char **why);
static void ngx_stream_ntrip_upload_message(void *data,
    ntrip_rtcm_message_t *m);


ngx_stream_ntrip_upload_t *
ngx_stream_ntrip_upload_create(uint32_t index, uint64_t serial,
    ngx_uint_t chunked)
{
    ntrip_facts_t               facts;
    ntrip_stream_row_t         *row;
    ngx_stream_ntrip_upload_t  *upload;

    upload = ngx_calloc(sizeof(ngx_stream_ntrip_upload_t), ngx_cycle->log);
    if (upload == NULL) {
        return NULL;
    }

    upload->chunked = chunked;

    ntrip_chunked_init(&upload->body);
    ntrip_gather_init(&upload->gather, ngx_current_msec);

    row = ntrip_stream_row(ngx_stream_ntrip_worker.zone, index);

    /* of the upload before, or of the worker that had this one */

    if (ntrip_station_facts(row, &facts) == NGX_OK) {
        ntrip_gather_earlier(&upload->gather, &facts);
    }

    ngx_stream_ntrip_feed_init(&upload->feed, index, serial, NTRIP_RTCM_AUTO);
    ngx_stream_ntrip_feed_begin(&upload->feed);

    upload->feed.handler = ngx_stream_ntrip_upload_message;
    upload->feed.data = upload;

    return upload;
}


void
ngx_stream_ntrip_upload_free(ngx_stream_ntrip_upload_t *upload)
{
    ngx_free(upload);
}


size_t
ngx_stream_ntrip_upload_size(ngx_stream_ntrip_upload_t *upload)
{
    return ngx_stream_ntrip_feed_size(&upload->feed);
}


ngx_int_t
ngx_stream_ntrip_upload_data(ngx_stream_ntrip_upload_t *upload,
    ngx_str_t *data, const char **why)
{
    ngx_int_t  rc, end;
    ngx_str_t  in, part;

    rc = NGX_AGAIN;
    end = NGX_AGAIN;
    in = *data;

    ntrip_gather_bytes(&upload->gather, in.len, ngx_current_msec);

    if (!upload->chunked) {
        rc = ngx_stream_ntrip_upload_write(upload, &in, why);

    } else {
        while (rc != NGX_ERROR
               && (end = ntrip_chunked_next(&upload->body, &in, &part))
                  == NGX_OK)
        {
            switch (ngx_stream_ntrip_upload_write(upload, &part, why)) {

            case NGX_OK:
                rc = NGX_OK;
                break;

            case NGX_ERROR:
                rc = NGX_ERROR;
                break;
            }
        }
    }

    if (rc == NGX_OK && !upload->told) {
        ngx_stream_ntrip_upload_tick(upload);
        upload->told = 1;
    }

    (void) ngx_stream_ntrip_feed_wake(&upload->feed);

    if (rc != NGX_ERROR && end == NGX_ERROR) {
        *why = "wrong chunk";
        return NGX_ERROR;
    }

    return (rc != NGX_ERROR && end == NGX_DONE) ? NGX_DONE : rc;
}


/* as upload_data(), but for its end */

static ngx_int_t
ngx_stream_ntrip_upload_write(ngx_stream_ntrip_upload_t *upload,
    ngx_str_t *data, const char **why)
{
    ngx_int_t  rc;

    if (!ngx_stream_ntrip_feed_owned(&upload->feed)) {
        *why = "stream lost";
        return NGX_ERROR;
    }

    rc = ngx_stream_ntrip_feed_write(&upload->feed, data);

    switch (rc) {

    case NGX_OK:
    case NGX_AGAIN:
        return rc;

    case NGX_DECLINED:
        *why = "stream lost";
        return NGX_ERROR;

    case NGX_ABORT:
        *why = "a page or a table";
        return NGX_ERROR;

    default: /* NGX_ERROR */
        *why = "zone full";
        return NGX_ERROR;
    }
}


static void
ngx_stream_ntrip_upload_message(void *data, ntrip_rtcm_message_t *m)
{
    ngx_stream_ntrip_upload_t  *upload = data;

    ntrip_gather_message(&upload->gather, m, ngx_current_msec);
}


uint64_t
ngx_stream_ntrip_upload_messages(ngx_stream_ntrip_upload_t *upload)
{
    return upload->feed.rtcm.messages;
}


uint64_t
ngx_stream_ntrip_upload_skipped(ngx_stream_ntrip_upload_t *upload)
{
    return upload->feed.rtcm.skipped;
}


void
ngx_stream_ntrip_upload_tick(ngx_stream_ntrip_upload_t *upload)
{
    ntrip_facts_t  facts;

    if (!ngx_stream_ntrip_feed_owned(&upload->feed)) {
        return;
    }

    ntrip_gather_facts(&upload->gather, &facts, ngx_current_msec);
    ntrip_station_tell(ngx_stream_ntrip_worker.zone, upload->feed.index,
                       &facts);
}


void
ngx_stream_ntrip_upload_save(ngx_stream_ntrip_upload_t *upload,
    ngx_uint_t *chunked, ntrip_chunked_t *body, ntrip_rtcm_t *rtcm)
{
    *chunked = upload->chunked;
    *body = upload->body;
    *rtcm = upload->feed.rtcm;
}


void
ngx_stream_ntrip_upload_restore(ngx_stream_ntrip_upload_t *upload,
    const ntrip_chunked_t *body, const ntrip_rtcm_t *rtcm)
{
    upload->body = *body;
    upload->feed.rtcm = *rtcm;
}
