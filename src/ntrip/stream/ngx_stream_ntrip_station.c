
/*
 * Streams that base stations feed: the end of an upload at its stream, in the
 * worker that has it.  See ngx_stream_ntrip_stream.h and ntrip_station.h.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>

#include "ngx_stream_ntrip_stream.h"


void
ngx_stream_ntrip_stream_station(ngx_stream_ntrip_stream_t *st,
    ngx_uint_t live)
{
    ngx_stream_ntrip_stream_t  *view;

    if (st->waits == live) {
        st->waits = !live;

        for (view = st; view; view = view->views) {
            ngx_stream_ntrip_stream_hooks->station(view, live);
        }
    }

    if (st->base
        && ntrip_station_asked(ngx_stream_ntrip_worker.zone, st->index,
                               ngx_current_msec))
    {
        ngx_stream_ntrip_stream_hooks->asked(st->base);
    }
}


ngx_int_t
ngx_stream_ntrip_station_publish(ngx_stream_ntrip_rover_t *base,
    ngx_str_t *label)
{
    ngx_int_t      rc;
    ntrip_want_t   want;
    ntrip_found_t  found;
    ntrip_slots_t  wake;

    ngx_memzero(&wake, sizeof(ntrip_slots_t));
    ngx_stream_ntrip_station_want(&want, &base->name);

    ngx_stream_ntrip_lock();

    rc = ntrip_station_publish(ngx_stream_ntrip_worker.zone,
                               ngx_stream_ntrip_worker.bus,
                               ngx_stream_ntrip_worker.me, ngx_current_msec,
                               &want, label, &found, &wake);

    ngx_stream_ntrip_unlock();

    ngx_stream_ntrip_wake_set(&wake);

    if (rc == NGX_ERROR) {
        ngx_stream_ntrip_zone_full(NTRIP_FULL_STREAMS, ngx_cycle->log);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_stream_ntrip_station_feed(base, found.index, found.serial)
        != NGX_OK)
    {
        ngx_stream_ntrip_station_orphan(found.index, found.serial);
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
ngx_stream_ntrip_station_want(ntrip_want_t *want, ngx_str_t *mount)
{
    ngx_memzero(want, sizeof(ntrip_want_t));

    want->mount = *mount;
    want->share = NTRIP_SHARE_ALL;
    want->session = NTRIP_ROW_NONE;
    want->format = NTRIP_RTCM_AUTO;
    want->station = 1;
}


ngx_int_t
ngx_stream_ntrip_station_feed(ngx_stream_ntrip_rover_t *base, uint32_t index,
    uint64_t serial)
{
    ngx_stream_ntrip_stream_t    *st;
    ngx_stream_ntrip_srv_conf_t  *conf;

    conf = ngx_stream_get_module_srv_conf(base->session,
                                          ngx_stream_ntrip_module);

    st = ngx_stream_ntrip_stream_open(index, serial, conf);

    if (st == NULL) {
        return NGX_ERROR;
    }

    st->base = base;
    base->feeds = st;

    return NGX_OK;
}


void
ngx_stream_ntrip_station_part(ngx_stream_ntrip_rover_t *base)
{
    base->feeds->base = NULL;
    base->feeds = NULL;
}


void
ngx_stream_ntrip_station_end(ngx_stream_ntrip_rover_t *base)
{
    uint32_t  index;
    uint64_t  serial;

    index = base->feeds->index;
    serial = base->feeds->serial;

    ngx_stream_ntrip_station_part(base);
    ngx_stream_ntrip_station_orphan(index, serial);
}


void
ngx_stream_ntrip_station_orphan(uint32_t index, uint64_t serial)
{
    ntrip_slots_t               wake;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;

    ngx_memzero(&wake, sizeof(ntrip_slots_t));

    ngx_stream_ntrip_lock();
    (void) ntrip_stream_orphan(worker->zone, worker->bus, worker->me,
                               ngx_current_msec, index, serial, 0, &wake);
    ngx_stream_ntrip_unlock();

    ngx_stream_ntrip_wake_set(&wake);
}


ngx_uint_t
ngx_stream_ntrip_station_label(ngx_str_t *mount, u_char *label)
{
    ngx_uint_t           len;
    ntrip_want_t         want;
    ntrip_stream_row_t  *row;

    ngx_stream_ntrip_station_want(&want, mount);

    len = 0;

    ngx_stream_ntrip_lock();

    row = ntrip_stream_find(ngx_stream_ntrip_worker.zone,
                            ngx_stream_ntrip_worker.bus, &want);

    if (row && row->row.state == NTRIP_STREAM_LIVE) {
        len = ngx_min(row->label_len, NTRIP_LABEL_MAX);
        ngx_memcpy(label, row->label, len);
    }

    ngx_stream_ntrip_unlock();

    return len;
}
