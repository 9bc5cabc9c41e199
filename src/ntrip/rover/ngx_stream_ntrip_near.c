
/*
 * Rovers of an ntrip_near mountpoint: each has the nearest base station.  What
 * that is says ntrip_near.c.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>

#include "ngx_stream_ntrip_rover_private.h"
#include "ntrip_near.h"


/* ms that a list of the live stations is good for, and when a rover's own one
   has gone since it was made */
#define NGX_STREAM_NTRIP_NEAR_LIST  1000
#define NGX_STREAM_NTRIP_NEAR_GONE  50


/* of this worker, what a pattern fits */

struct ngx_stream_ntrip_near_list_s {
    ngx_msec_t              since;
    ngx_uint_t              n;
    ngx_uint_t              nalloc;
    ntrip_near_station_t   *stations;
    uint32_t               *rows;        /* of the streams, in the same
                                            order */
};


/* of a rover */

struct ngx_stream_ntrip_roaming_s {
    ntrip_near_rover_t      rover;
    ngx_uint_t              waits;       /* there is none in reach */
    u_char                  station[NTRIP_MOUNT_MAX];
    u_char                  name[NTRIP_MOUNT_MAX * 2 + 1];
};


static ngx_stream_ntrip_near_list_t *ngx_stream_ntrip_near_stations(
    ngx_stream_ntrip_near_t *near, ngx_msec_t age);
static void ngx_stream_ntrip_near_fill(ngx_stream_ntrip_near_list_t *list,
    ngx_str_t *pattern);
static ngx_int_t ngx_stream_ntrip_near_add(
    ngx_stream_ntrip_near_list_t *list, uint32_t index,
    ntrip_near_station_t *station);
static ngx_int_t ngx_stream_ntrip_near_place(ntrip_stream_row_t *row,
    ngx_str_t *mount, ntrip_position_t *position);
static ngx_uint_t ngx_stream_ntrip_near_gone(
    ngx_stream_ntrip_rover_t *rover);
static ngx_int_t ngx_stream_ntrip_near_move(ngx_stream_ntrip_rover_t *rover,
    uint32_t index, uint64_t serial, double distance);
static void ngx_stream_ntrip_near_name(ngx_stream_ntrip_rover_t *rover,
    ngx_str_t *station);
static ngx_int_t ngx_stream_ntrip_near_leave(
    ngx_stream_ntrip_rover_t *rover);
static ngx_int_t ngx_stream_ntrip_near_wait(ngx_stream_ntrip_rover_t *rover);


ngx_int_t
ngx_stream_ntrip_near_init(ngx_stream_ntrip_rover_t *rover,
    ngx_stream_ntrip_mount_t *mount, ngx_str_t *station)
{
    ngx_stream_ntrip_roaming_t  *roaming;

    roaming = ngx_pcalloc(rover->session->connection->pool,
                          sizeof(ngx_stream_ntrip_roaming_t));
    if (roaming == NULL) {
        return NGX_ERROR;
    }

    rover->roaming = roaming;
    rover->mount = mount;
    rover->name = mount->name;

    if (station->len) {
        ngx_stream_ntrip_near_name(rover, station);
    }

    return NGX_OK;
}


uint64_t
ngx_stream_ntrip_near_since(ngx_stream_ntrip_rover_t *rover)
{
    return rover->roaming ? rover->roaming->rover.since : 0;
}


void
ngx_stream_ntrip_near_again(ngx_stream_ntrip_rover_t *rover, uint64_t since)
{
    if (rover->roaming) {
        rover->roaming->rover.since = since;
    }
}


/* "NEAR/STATION" */

static void
ngx_stream_ntrip_near_name(ngx_stream_ntrip_rover_t *rover,
    ngx_str_t *station)
{
    u_char                      *p;
    ngx_stream_ntrip_roaming_t  *roaming;

    roaming = rover->roaming;

    rover->station.len = ngx_min(station->len, NTRIP_MOUNT_MAX);
    rover->station.data = roaming->station;
    ngx_memcpy(roaming->station, station->data, rover->station.len);

    p = ngx_cpymem(roaming->name, rover->mount->name.data,
                   rover->mount->name.len);
    *p++ = '/';
    p = ngx_cpymem(p, rover->station.data, rover->station.len);

    rover->name.data = roaming->name;
    rover->name.len = p - roaming->name;
}


/* ---- stations ---- */

/* not older than so many ms; NULL: no memory */

static ngx_stream_ntrip_near_list_t *
ngx_stream_ntrip_near_stations(ngx_stream_ntrip_near_t *near, ngx_msec_t age)
{
    ngx_stream_ntrip_near_list_t  *list;

    list = near->list;

    if (list && ngx_current_msec - list->since < age) {
        return list;
    }

    if (list == NULL) {
        list = ngx_pcalloc(ngx_cycle->pool,
                           sizeof(ngx_stream_ntrip_near_list_t));
        if (list == NULL) {
            return NULL;
        }

        near->list = list;
    }

    ngx_stream_ntrip_near_fill(list, &near->pattern);

    return list;
}


static void
ngx_stream_ntrip_near_fill(ngx_stream_ntrip_near_list_t *list,
    ngx_str_t *pattern)
{
    uint32_t               i;
    ngx_str_t              mount;
    ntrip_zone_t          *zone;
    ntrip_stream_row_t    *row;
    ntrip_near_station_t   station;

    zone = ngx_stream_ntrip_worker.zone;

    list->since = ngx_current_msec;
    list->n = 0;

    for (i = 0; i < zone->streams.n; i++) {
        row = ntrip_stream_row(zone, i);

        station.id = __atomic_load_n(&row->row.serial, __ATOMIC_ACQUIRE);
        station.heard = __atomic_load_n(&row->data, __ATOMIC_ACQUIRE);

        if (!ntrip_station_fresh(row, ngx_current_msec,
                                 NTRIP_STATION_LISTED))
        {
            continue;
        }

        mount.len = ngx_min(row->mount_len, NTRIP_MOUNT_MAX);
        mount.data = row->mount;

        if ((pattern->len && !ntrip_text_glob(pattern, &mount))
            || ngx_stream_ntrip_near_place(row, &mount, &station.position)
               != NGX_OK)
        {
            continue;
        }

        if (ngx_stream_ntrip_near_add(list, i, &station) != NGX_OK) {
            return;
        }
    }
}


static ngx_int_t
ngx_stream_ntrip_near_add(ngx_stream_ntrip_near_list_t *list, uint32_t index,
    ntrip_near_station_t *station)
{
    uint32_t              *rows;
    ngx_uint_t             n;
    ntrip_near_station_t  *stations;

    if (list->n == list->nalloc) {
        n = list->nalloc ? list->nalloc * 2 : 64;

        stations = ngx_palloc(ngx_cycle->pool,
                              n * sizeof(ntrip_near_station_t));
        if (stations == NULL) {
            return NGX_ERROR;
        }

        rows = ngx_palloc(ngx_cycle->pool, n * sizeof(uint32_t));
        if (rows == NULL) {
            (void) ngx_pfree(ngx_cycle->pool, stations);
            return NGX_ERROR;
        }

        if (list->nalloc) {
            ngx_memcpy(stations, list->stations,
                       list->n * sizeof(ntrip_near_station_t));
            ngx_memcpy(rows, list->rows, list->n * sizeof(uint32_t));

            (void) ngx_pfree(ngx_cycle->pool, list->stations);
            (void) ngx_pfree(ngx_cycle->pool, list->rows);
        }

        list->stations = stations;
        list->rows = rows;
        list->nalloc = n;
    }

    list->stations[list->n] = *station;
    list->rows[list->n++] = index;

    return NGX_OK;
}


/* what it has sent, else what its line of the sourcetable says.  NGX_DECLINED:
   nobody knows where it is, or it is none any more */

static ngx_int_t
ngx_stream_ntrip_near_place(ntrip_stream_row_t *row, ngx_str_t *mount,
    ntrip_position_t *position)
{
    ntrip_str_t                  str;
    ntrip_gga_t                  gga;
    ntrip_point_t                point;
    ngx_stream_ntrip_station_t  *station;

    station = ngx_stream_ntrip_store_station(mount);

    if (station == NULL) {
        return NGX_DECLINED;
    }

    ngx_memzero(&gga, sizeof(ntrip_gga_t));

    point = __atomic_load_n(&row->reference, __ATOMIC_ACQUIRE);

    if (point != NTRIP_POINT_NONE) {
        gga.latitude = ntrip_point_lat(point) / 1e7;
        gga.longitude = ntrip_point_lon(point) / 1e7;

    } else {
        ntrip_str_fields(&str, &station->str);

        if (ntrip_str_place(&str, &gga.latitude, &gga.longitude) != NGX_OK) {
            return NGX_DECLINED;
        }
    }

    ntrip_gga_position(position, &gga);

    return NGX_OK;
}


/* ---- rovers ---- */

void
ngx_stream_ntrip_near_fixed(ngx_stream_ntrip_rover_t *rover,
    ngx_uint_t fixed)
{
    rover->roaming->rover.fixed = fixed;
}


ngx_uint_t
ngx_stream_ntrip_near_waits(ngx_stream_ntrip_rover_t *rover)
{
    return rover->roaming && rover->roaming->waits;
}


ngx_int_t
ngx_stream_ntrip_near_second(ngx_stream_ntrip_rover_t *rover)
{
    if (rover->point == NTRIP_POINT_NONE
        || (rover->stream && !ngx_stream_ntrip_near_gone(rover)))
    {
        return NGX_OK;
    }

    return ngx_stream_ntrip_near_look(rover);
}


/* its station, or silent */

static ngx_uint_t
ngx_stream_ntrip_near_gone(ngx_stream_ntrip_rover_t *rover)
{
    ntrip_stream_row_t           *row;
    ngx_stream_ntrip_srv_conf_t  *conf;

    conf = ngx_stream_get_module_srv_conf(rover->session,
                                          ngx_stream_ntrip_module);
    row = ntrip_stream_row(ngx_stream_ntrip_worker.zone,
                           rover->stream->index);

    return !ntrip_station_fresh(row, ngx_current_msec, conf->max_age);
}


ngx_int_t
ngx_stream_ntrip_near_look(ngx_stream_ntrip_rover_t *rover)
{
    ntrip_gga_t                    gga;
    ngx_uint_t                     gone;
    ntrip_near_e                   decision;
    ntrip_near_rule_t              rule;
    ntrip_near_rover_t            *place;
    ntrip_near_choice_t            choice;
    ngx_stream_ntrip_near_t       *near;
    ngx_stream_ntrip_srv_conf_t   *conf;
    ngx_stream_ntrip_near_list_t  *list;

    conf = ngx_stream_get_module_srv_conf(rover->session,
                                          ngx_stream_ntrip_module);

    near = rover->mount->near;
    place = &rover->roaming->rover;

    gone = rover->stream && ngx_stream_ntrip_near_gone(rover);

    list = ngx_stream_ntrip_near_stations(near, gone
                                          ? NGX_STREAM_NTRIP_NEAR_GONE
                                          : NGX_STREAM_NTRIP_NEAR_LIST);
    if (list == NULL) {
        return NGX_OK;
    }

    rule.max = near->max;
    rule.hysteresis = near->hysteresis;
    rule.dwell = near->dwell;
    rule.hold_fixed = near->hold_fixed;

    ngx_memzero(&gga, sizeof(ntrip_gga_t));

    gga.latitude = ntrip_point_lat(rover->point) / 1e7;
    gga.longitude = ntrip_point_lon(rover->point) / 1e7;

    ntrip_gga_position(&place->position, &gga);

    place->station = rover->stream ? rover->stream->serial : 0;

    decision = ntrip_near_decide(&rule, place, list->stations, list->n,
                                 ngx_current_msec, conf->max_age, &choice);

    switch (decision) {

    case NTRIP_NEAR_MOVE:
        return ngx_stream_ntrip_near_move(rover, list->rows[choice.station],
                                          list->stations[choice.station].id,
                                          choice.distance);

    case NTRIP_NEAR_LEAVE:
        return ngx_stream_ntrip_near_leave(rover);

    default: /* NTRIP_NEAR_STAY */
        return rover->stream ? NGX_OK : ngx_stream_ntrip_near_wait(rover);
    }
}


/*
 * At a message boundary, that is when nothing is being sent to it: else with
 * its next position, or the next second.
 */

static ngx_int_t
ngx_stream_ntrip_near_move(ngx_stream_ntrip_rover_t *rover, uint32_t index,
    uint64_t serial, double distance)
{
    u_char                       from[NTRIP_MOUNT_MAX];
    ngx_int_t                    rc;
    ngx_str_t                    station, old;
    ngx_uint_t                   on;
    ngx_connection_t            *c;
    ntrip_stream_row_t          *row;
    ngx_stream_ntrip_roaming_t  *roaming;

    c = rover->session->connection;
    roaming = rover->roaming;
    row = ntrip_stream_row(ngx_stream_ntrip_worker.zone, index);

    on = (rover->stream != NULL);

    if (on && !ntrip_sink_idle(&rover->stream->sinks[rover->sink])) {
        return NGX_OK;
    }

    /* the list is of up to a second ago */

    if (__atomic_load_n(&row->row.serial, __ATOMIC_ACQUIRE) != serial
        || !ntrip_station_fresh(row, ngx_current_msec, NTRIP_STATION_LISTED))
    {
        return on ? NGX_OK : ngx_stream_ntrip_near_wait(rover);
    }

    old.len = rover->station.len;
    old.data = from;
    ngx_memcpy(from, roaming->station, old.len);

    station.len = ngx_min(row->mount_len, NTRIP_MOUNT_MAX);
    station.data = row->mount;

    ngx_stream_ntrip_near_name(rover, &station);

    rc = on ? ngx_stream_ntrip_stream_change(rover)
            : ngx_stream_ntrip_rover_join(rover, NULL);

    if (rc == NGX_AGAIN) {
        ngx_stream_ntrip_near_name(rover, &old);
        return NGX_OK;
    }

    if (rc == NGX_ERROR) {

        /* join() has ended the rover itself */

        if (on) {
            ngx_stream_ntrip_rover_finalize(rover, "error");
        }

        return NGX_ERROR;
    }

    roaming->waits = 0;
    roaming->rover.since = ngx_current_msec;

    ngx_stream_ntrip_rover_await(rover);

    if (old.len) {
        ngx_log_error(NGX_LOG_INFO, c->log, 0,
                      "ntrip rover is moved from base station \"%V\" to "
                      "\"%V\", %.1f km away",
                      &old, &rover->station, distance / 1000);
        ngx_stream_ntrip_traced(rover->login, NTRIP_TRACE_MOVED,
                                "from base station %V to %V, %.1f km away",
                                &old, &rover->station, distance / 1000);

    } else {
        ngx_log_error(NGX_LOG_INFO, c->log, 0,
                      "ntrip rover gets base station \"%V\", %.1f km away",
                      &rover->station, distance / 1000);
        ngx_stream_ntrip_traced(rover->login, NTRIP_TRACE_MOVED,
                                "to base station %V, %.1f km away",
                                &rover->station, distance / 1000);
    }

    return NGX_OK;
}


/* it has gone out of reach */

static ngx_int_t
ngx_stream_ntrip_near_leave(ngx_stream_ntrip_rover_t *rover)
{
    if (!ntrip_sink_idle(&rover->stream->sinks[rover->sink])) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_INFO, rover->session->connection->log, 0,
                  "ntrip rover is out of reach of base station \"%V\", and "
                  "of any other", &rover->station);
    ngx_stream_ntrip_traced(rover->login, NTRIP_TRACE_MOVED,
                            "out of reach of base station %V, and of any "
                            "other", &rover->station);

    ngx_stream_ntrip_stream_leave(rover);

    rover->station.len = 0;
    rover->name = rover->mount->name;
    rover->state = NGX_STREAM_NTRIP_ROVER_POSITION;

    return ngx_stream_ntrip_near_wait(rover);
}


/* there is none in reach: for ntrip_source_wait */

static ngx_int_t
ngx_stream_ntrip_near_wait(ngx_stream_ntrip_rover_t *rover)
{
    ngx_stream_ntrip_srv_conf_t  *conf;

    if (rover->roaming->waits) {
        return NGX_OK;
    }

    conf = ngx_stream_get_module_srv_conf(rover->session,
                                          ngx_stream_ntrip_module);

    rover->roaming->waits = 1;

    ngx_stream_ntrip_traced(rover->login, NTRIP_TRACE_NONE,
                            "no base station is in reach");

    ngx_add_timer(rover->session->connection->read, conf->source_wait);

    return NGX_OK;
}
