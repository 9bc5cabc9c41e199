
/*
 * The base stations, held in memory.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_stream_ntrip_stations.h"
#include "ngx_stream_ntrip_store_private.h"


/* what was read at one time, all of it in "pool" */

typedef struct {
    ngx_pool_t                       *pool;
    ngx_array_t                       stations;  /* in the order of their
                                                    mountpoints */
    ngx_rbtree_t                      index;     /* of ..._names_t */
    ngx_rbtree_node_t                 sentinel;
} ngx_stream_ntrip_stations_t;


/* the stations whose mountpoints differ only in case */

typedef struct {
    ngx_str_node_t                    sn;        /* in lower case */
    ngx_array_t                       places;    /* ngx_uint_t, in
                                                    "stations" */
} ngx_stream_ntrip_names_t;


static ngx_stream_ntrip_stations_t *ngx_stream_ntrip_stations_create(
    ngx_log_t *log);
static ngx_int_t ngx_stream_ntrip_stations_row(
    ngx_stream_ntrip_stations_t *st, sqlite3_stmt *stmt, ngx_log_t *log);
static const char *ngx_stream_ntrip_stations_check(
    ngx_stream_ntrip_station_t *station);
static ngx_int_t ngx_stream_ntrip_stations_add(
    ngx_stream_ntrip_stations_t *st, ngx_str_t *mount, ngx_uint_t place);
static ngx_stream_ntrip_names_t *ngx_stream_ntrip_stations_names(
    ngx_stream_ntrip_stations_t *st, ngx_str_t *mount);


/* NULL: they were never read */

static ngx_stream_ntrip_stations_t  *ngx_stream_ntrip_stations;


ngx_int_t
ngx_stream_ntrip_stations_load(sqlite3 *db,
    ngx_stream_ntrip_store_hooks_t *hooks, ngx_log_t *log)
{
    int                           rc;
    sqlite3_stmt                 *stmt;
    ngx_stream_ntrip_stations_t  *st, *old;

    rc = sqlite3_prepare_v2(db,
             "SELECT mount, name, password, str FROM station ORDER BY mount",
             -1, &stmt, NULL);

    if (rc != SQLITE_OK) {
        return NGX_ERROR;
    }

    st = ngx_stream_ntrip_stations_create(log);
    if (st == NULL) {
        (void) sqlite3_finalize(stmt);
        return NGX_ERROR;
    }

    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        if (ngx_stream_ntrip_stations_row(st, stmt, log) != NGX_OK) {
            break;
        }
    }

    (void) sqlite3_finalize(stmt);

    if (rc != SQLITE_DONE) {
        ngx_destroy_pool(st->pool);
        return NGX_ERROR;
    }

    old = ngx_stream_ntrip_stations;
    ngx_stream_ntrip_stations = st;

    if (old) {
        ngx_destroy_pool(old->pool);
    }

    hooks->stations();

    return NGX_OK;
}


static ngx_stream_ntrip_stations_t *
ngx_stream_ntrip_stations_create(ngx_log_t *log)
{
    ngx_pool_t                   *pool;
    ngx_stream_ntrip_stations_t  *st;

    pool = ngx_create_pool(16384, log);
    if (pool == NULL) {
        return NULL;
    }

    st = ngx_palloc(pool, sizeof(ngx_stream_ntrip_stations_t));

    if (st == NULL
        || ngx_array_init(&st->stations, pool, 64,
                          sizeof(ngx_stream_ntrip_station_t))
           != NGX_OK)
    {
        ngx_destroy_pool(pool);
        return NULL;
    }

    st->pool = pool;
    ngx_rbtree_init(&st->index, &st->sentinel, ngx_str_rbtree_insert_value);

    return st;
}


void
ngx_stream_ntrip_stations_free(void)
{
    if (ngx_stream_ntrip_stations) {
        ngx_destroy_pool(ngx_stream_ntrip_stations->pool);
        ngx_stream_ntrip_stations = NULL;
    }
}


static ngx_int_t
ngx_stream_ntrip_stations_row(ngx_stream_ntrip_stations_t *st,
    sqlite3_stmt *stmt, ngx_log_t *log)
{
    const char                  *err;
    ngx_stream_ntrip_station_t   station, *added;

    if (ngx_stream_ntrip_store_text(st->pool, stmt, 0, &station.mount)
        != NGX_OK
        || ngx_stream_ntrip_store_text(st->pool, stmt, 1, &station.name)
           != NGX_OK
        || ngx_stream_ntrip_store_text(st->pool, stmt, 2, &station.password)
           != NGX_OK
        || ngx_stream_ntrip_store_text(st->pool, stmt, 3, &station.str)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    err = ngx_stream_ntrip_stations_check(&station);

    if (err) {
        ngx_log_error(NGX_LOG_WARN, log, 0,
                      "a base station of the database cannot be used: %s, "
                      "in the row that is number %ui", err,
                      st->stations.nelts + 1);
        return NGX_OK;
    }

    added = ngx_array_push(&st->stations);
    if (added == NULL) {
        return NGX_ERROR;
    }

    *added = station;

    return ngx_stream_ntrip_stations_add(st, &added->mount,
                                         st->stations.nelts - 1);
}


static const char *
ngx_stream_ntrip_stations_check(ngx_stream_ntrip_station_t *station)
{
    const char  *err;

    err = ntrip_mount_check(&station->mount);

    if (err == NULL) {
        err = ntrip_str_check(&station->mount, &station->str);
    }

    if (err == NULL && station->name.len > NTRIP_USER_MAX) {
        err = "its name is too long";
    }

    return err;
}


static ngx_int_t
ngx_stream_ntrip_stations_add(ngx_stream_ntrip_stations_t *st,
    ngx_str_t *mount, ngx_uint_t place)
{
    uint32_t                   hash;
    ngx_str_t                  lower;
    ngx_uint_t                *added;
    ngx_stream_ntrip_names_t  *names;

    names = ngx_stream_ntrip_stations_names(st, mount);

    if (names == NULL) {
        lower.len = mount->len;
        lower.data = ngx_pnalloc(st->pool, mount->len);

        names = ngx_palloc(st->pool, sizeof(ngx_stream_ntrip_names_t));

        if (lower.data == NULL
            || names == NULL
            || ngx_array_init(&names->places, st->pool, 1,
                              sizeof(ngx_uint_t))
               != NGX_OK)
        {
            return NGX_ERROR;
        }

        ngx_strlow(lower.data, mount->data, mount->len);
        hash = ngx_crc32_short(lower.data, lower.len);

        names->sn.node.key = hash;
        names->sn.str = lower;

        ngx_rbtree_insert(&st->index, &names->sn.node);
    }

    added = ngx_array_push(&names->places);
    if (added == NULL) {
        return NGX_ERROR;
    }

    *added = place;

    return NGX_OK;
}


/* NULL: there are none such */

static ngx_stream_ntrip_names_t *
ngx_stream_ntrip_stations_names(ngx_stream_ntrip_stations_t *st,
    ngx_str_t *mount)
{
    u_char     buf[NTRIP_MOUNT_MAX];
    ngx_str_t  lower;

    if (mount->len > NTRIP_MOUNT_MAX) {
        return NULL;
    }

    lower.data = buf;
    lower.len = mount->len;

    ngx_strlow(buf, mount->data, mount->len);

    return (ngx_stream_ntrip_names_t *)
               ngx_str_rbtree_lookup(&st->index, &lower,
                                     ngx_crc32_short(buf, lower.len));
}


ngx_uint_t
ngx_stream_ntrip_store_match_stations(ntrip_mount_match_t *match,
    ngx_int_t number)
{
    ngx_uint_t                  *place, i;
    ngx_stream_ntrip_names_t    *names;
    ngx_stream_ntrip_station_t  *station;

    if (ngx_stream_ntrip_stations == NULL) {
        return 0;
    }

    names = ngx_stream_ntrip_stations_names(ngx_stream_ntrip_stations,
                                            &match->name);

    if (names) {
        place = names->places.elts;
        station = ngx_stream_ntrip_stations->stations.elts;

        for (i = 0; i < names->places.nelts; i++) {
            ntrip_mount_match_add(match, &station[place[i]].mount,
                                  number + (ngx_int_t) place[i]);
        }
    }

    return 1;
}


ngx_uint_t
ngx_stream_ntrip_store_stations_known(void)
{
    return ngx_stream_ntrip_stations != NULL;
}


ngx_stream_ntrip_station_t *
ngx_stream_ntrip_store_station(ngx_str_t *mount)
{
    ngx_int_t            n;
    ntrip_mount_match_t  match;

    ntrip_mount_match_init(&match, mount);

    (void) ngx_stream_ntrip_store_match_stations(&match, 0);

    n = match.exact;

    return (n == NGX_DECLINED) ? NULL : ngx_stream_ntrip_store_station_at(n);
}


ngx_stream_ntrip_station_t *
ngx_stream_ntrip_store_station_at(ngx_uint_t n)
{
    ngx_stream_ntrip_station_t  *station;

    if (ngx_stream_ntrip_stations == NULL
        || n >= ngx_stream_ntrip_stations->stations.nelts)
    {
        return NULL;
    }

    station = ngx_stream_ntrip_stations->stations.elts;

    return &station[n];
}
