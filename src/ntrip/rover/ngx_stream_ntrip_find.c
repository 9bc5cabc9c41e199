
/*
 * Which mountpoint a rover asks for: one that is declared, that of a base
 * station, or one of ntrip_sourcetable.  A declared one whose "as" is a
 * station's is a profile of that.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>

#include "ngx_stream_ntrip_rover_private.h"
#include "ntrip_protocol.h"


static ngx_uint_t ngx_stream_ntrip_find_declared(
    ngx_stream_ntrip_srv_conf_t *conf, ntrip_mount_match_t *match);
static ngx_int_t ngx_stream_ntrip_find_result(
    ngx_stream_ntrip_rover_t *rover, ntrip_mount_match_t *match,
    ngx_uint_t declared);
static ngx_int_t ngx_stream_ntrip_find_station(
    ngx_stream_ntrip_rover_t *rover, ngx_stream_ntrip_mount_t *mount,
    ngx_str_t *name, ngx_str_t *station);
static ngx_uint_t ngx_stream_ntrip_find_refused(
    ngx_stream_ntrip_rover_t *rover, ngx_str_t *station);


ngx_int_t
ngx_stream_ntrip_find_mount(ngx_stream_ntrip_rover_t *rover, ngx_str_t *name)
{
    ngx_uint_t                    n;
    ntrip_mount_match_t           match;
    ngx_stream_ntrip_srv_conf_t  *conf;

    conf = ngx_stream_get_module_srv_conf(rover->session,
                                          ngx_stream_ntrip_module);

    rover->name.data = ngx_pstrdup(rover->session->connection->pool, name);
    if (rover->name.data == NULL) {
        return NGX_ERROR;
    }

    rover->name.len = name->len;

    ntrip_mount_match_init(&match, name);

    n = ngx_stream_ntrip_find_declared(conf, &match);

    if (conf->station.line
        && !ngx_stream_ntrip_store_match_stations(&match, (ngx_int_t) n))
    {
        return NGX_AGAIN;
    }

    return ngx_stream_ntrip_find_result(rover, &match, n);
}


/* returns how many there are: each has its place as its number */

static ngx_uint_t
ngx_stream_ntrip_find_declared(ngx_stream_ntrip_srv_conf_t *conf,
    ntrip_mount_match_t *match)
{
    ngx_uint_t                 i;
    ngx_stream_ntrip_mount_t  *mount;

    if (conf->mounts == NULL) {
        return 0;
    }

    mount = conf->mounts->elts;

    for (i = 0; i < conf->mounts->nelts; i++) {
        ntrip_mount_match_add(match, &mount[i].name, (ngx_int_t) i);
    }

    return conf->mounts->nelts;
}


/* the first "declared" numbers are those of declared ones */

static ngx_int_t
ngx_stream_ntrip_find_result(ngx_stream_ntrip_rover_t *rover,
    ntrip_mount_match_t *match, ngx_uint_t declared)
{
    ngx_int_t                     n;
    ngx_str_t                     none;
    ngx_stream_ntrip_mount_t     *mount;
    ngx_stream_ntrip_station_t   *station;
    ngx_stream_ntrip_srv_conf_t  *conf;

    conf = ngx_stream_get_module_srv_conf(rover->session,
                                          ngx_stream_ntrip_module);

    n = ntrip_mount_match_result(match);

    if (n == NGX_DECLINED) {
        return ngx_stream_ntrip_find_listed(rover, &match->name);
    }

    mount = NULL;

    if ((ngx_uint_t) n < declared) {
        mount = conf->mounts->elts;
        mount += n;

        if (mount->near) {
            ngx_str_null(&none);
            return ngx_stream_ntrip_near_init(rover, mount, &none);
        }

        station = conf->station.line
                  ? ngx_stream_ntrip_store_station(&mount->as) : NULL;

    } else {
        station = ngx_stream_ntrip_store_station_at((ngx_uint_t) n
                                                    - declared);
    }

    if (station == NULL) {
        if (mount == NULL || conf->relay.line == 0) {
            return NGX_DECLINED;
        }

        rover->mount = mount;
        rover->name = mount->name;

        return NGX_OK;
    }

    if (ngx_stream_ntrip_find_refused(rover, &station->mount)) {
        return NGX_DECLINED;
    }

    return ngx_stream_ntrip_find_station(rover, mount,
                                         mount ? &mount->name
                                               : &station->mount,
                                         &station->mount);
}


/* nobody waits for an upload with "ntrip_source_wait 0" */

static ngx_uint_t
ngx_stream_ntrip_find_refused(ngx_stream_ntrip_rover_t *rover,
    ngx_str_t *station)
{
    u_char                        label[NTRIP_LABEL_MAX];
    ngx_stream_ntrip_srv_conf_t  *conf;

    conf = ngx_stream_get_module_srv_conf(rover->session,
                                          ngx_stream_ntrip_module);

    return conf->source_wait == 0
           && ngx_stream_ntrip_station_label(station, label) == 0;
}


/* a mountpoint of the rover's own, since stations come and go: as declared, if
   it is, but for what a provider would want; NGX_OK or NGX_ERROR */

static ngx_int_t
ngx_stream_ntrip_find_station(ngx_stream_ntrip_rover_t *rover,
    ngx_stream_ntrip_mount_t *mount, ngx_str_t *name, ngx_str_t *station)
{
    ngx_pool_t                *pool;
    ngx_stream_ntrip_mount_t  *own;

    pool = rover->session->connection->pool;

    own = ngx_palloc(pool, sizeof(ngx_stream_ntrip_mount_t));
    if (own == NULL) {
        return NGX_ERROR;
    }

    if (mount) {
        *own = *mount;

    } else {
        ngx_memzero(own, sizeof(ngx_stream_ntrip_mount_t));
        own->format = NTRIP_RTCM_AUTO;
    }

    own->gga = 0;
    own->name.len = name->len;
    own->name.data = ngx_pstrdup(pool, name);

    rover->station.len = station->len;
    rover->station.data = ngx_pstrdup(pool, station);

    if (own->name.data == NULL || rover->station.data == NULL) {
        return NGX_ERROR;
    }

    own->as = rover->station;

    rover->mount = own;
    rover->name = own->name;

    return NGX_OK;
}


ngx_int_t
ngx_stream_ntrip_find_again(ngx_stream_ntrip_rover_t *rover, ngx_str_t *name,
    ngx_str_t *station)
{
    ngx_int_t                     n;
    ntrip_mount_match_t           match;
    ngx_stream_ntrip_mount_t     *mount;
    ngx_stream_ntrip_srv_conf_t  *conf;

    conf = ngx_stream_get_module_srv_conf(rover->session,
                                          ngx_stream_ntrip_module);

    ntrip_mount_match_init(&match, name);

    (void) ngx_stream_ntrip_find_declared(conf, &match);

    n = match.exact;
    mount = NULL;

    if (n != NGX_DECLINED) {
        mount = conf->mounts->elts;
        mount += n;
    }

    if (mount && mount->near) {
        return ngx_stream_ntrip_near_init(rover, mount, station);
    }

    if (station->len == 0) {

        if (mount == NULL) {
            return ngx_stream_ntrip_find_listed(rover, name);
        }

        if (conf->relay.line == 0) {
            return NGX_DECLINED;
        }

        rover->mount = mount;
        rover->name = mount->name;

        return NGX_OK;
    }

    /* what was declared is so no more, or the server has no stations */

    if (conf->station.line == 0
        || (mount == NULL
            && (name->len != station->len
                || ngx_memcmp(name->data, station->data, name->len) != 0)))
    {
        return NGX_DECLINED;
    }

    return ngx_stream_ntrip_find_station(rover, mount, name, station);
}
