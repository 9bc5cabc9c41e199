
/*
 * Base stations, those that are live and all, for the sourcetable.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>

#include "ngx_stream_ntrip_rover_private.h"
#include "ntrip_protocol.h"


/* of a line, at most */
#define NGX_STREAM_NTRIP_STATION_LINE                                         \
    (NTRIP_STR_LINE_MAX + NTRIP_FACTS_STR_MAX)

/* ms that what stations send, as their lines say, is good for */
#define NGX_STREAM_NTRIP_STATIONS_VALID  1000


typedef struct {
    ntrip_stream_row_t          *row;      /* NULL: it is not live */
    ngx_stream_ntrip_station_t  *station;
} ngx_stream_ntrip_live_t;


/* lines, as they were made last */

typedef struct {
    ngx_stream_ntrip_text_t     *text;     /* NULL: not yet */
    ngx_msec_t                   since;
    uint64_t                     mark;     /* of those that were live */
} ngx_stream_ntrip_lines_t;


static uint64_t ngx_stream_ntrip_stations_mark(void);
static ngx_stream_ntrip_text_t *ngx_stream_ntrip_stations_make(
    ngx_pool_t *pool, ngx_uint_t which);
static ngx_int_t ngx_stream_ntrip_stations_live(ngx_array_t *list);
static ngx_int_t ngx_stream_ntrip_stations_all(ngx_array_t *list,
    ngx_array_t *live);
static int ngx_libc_cdecl ngx_stream_ntrip_stations_order(const void *one,
    const void *two);
static void ngx_stream_ntrip_stations_line(ntrip_out_t *out,
    ngx_stream_ntrip_live_t *live);


/* of this worker, by NGX_STREAM_NTRIP_STATIONS_* */

static ngx_stream_ntrip_lines_t  ngx_stream_ntrip_stations[
                                           NGX_STREAM_NTRIP_STATIONS_ALL + 1];


ngx_stream_ntrip_text_t *
ngx_stream_ntrip_stations_text(ngx_uint_t which)
{
    uint64_t                   mark;
    ngx_pool_t                *pool;
    ngx_stream_ntrip_text_t   *text;
    ngx_stream_ntrip_lines_t  *lines;

    lines = &ngx_stream_ntrip_stations[which];
    mark = ngx_stream_ntrip_stations_mark();

    if (lines->text
        && lines->mark == mark
        && ngx_current_msec - lines->since < NGX_STREAM_NTRIP_STATIONS_VALID)
    {
        return lines->text;
    }

    pool = ngx_create_pool(NGX_DEFAULT_POOL_SIZE, ngx_cycle->log);
    if (pool == NULL) {
        return NULL;
    }

    text = ngx_stream_ntrip_stations_make(pool, which);

    ngx_destroy_pool(pool);

    if (text) {
        ngx_stream_ntrip_text_leave(lines->text);

        lines->text = text;
        lines->since = ngx_current_msec;
        lines->mark = mark;
    }

    return text;
}


/* another number if a station has come or gone */

static uint64_t
ngx_stream_ntrip_stations_mark(void)
{
    uint32_t             i;
    uint64_t             mark;
    ntrip_zone_t        *zone;
    ntrip_stream_row_t  *row;

    zone = ngx_stream_ntrip_worker.zone;
    mark = 0;

    for (i = 0; i < zone->streams.n; i++) {
        row = ntrip_stream_row(zone, i);

        if (ntrip_station_fresh(row, ngx_current_msec, NTRIP_STATION_LISTED)) {
            mark = mark * 31
                   + __atomic_load_n(&row->row.serial, __ATOMIC_RELAXED)
                   + __atomic_load_n(&row->epoch, __ATOMIC_RELAXED);
        }
    }

    return mark;
}


/* memory for the time being is the pool's */

static ngx_stream_ntrip_text_t *
ngx_stream_ntrip_stations_make(ngx_pool_t *pool, ngx_uint_t which)
{
    u_char                   *p;
    size_t                    size;
    ngx_uint_t                i;
    ntrip_out_t               out;
    ngx_array_t               list, all;
    ngx_stream_ntrip_text_t  *text;
    ngx_stream_ntrip_live_t  *live;

    if (ngx_array_init(&list, pool, 16, sizeof(ngx_stream_ntrip_live_t))
        != NGX_OK
        || ngx_stream_ntrip_stations_live(&list) != NGX_OK)
    {
        return NULL;
    }

    ngx_qsort(list.elts, list.nelts, sizeof(ngx_stream_ntrip_live_t),
              ngx_stream_ntrip_stations_order);

    if (which == NGX_STREAM_NTRIP_STATIONS_ALL) {

        if (ngx_array_init(&all, pool, 16, sizeof(ngx_stream_ntrip_live_t))
            != NGX_OK
            || ngx_stream_ntrip_stations_all(&all, &list) != NGX_OK)
        {
            return NULL;
        }

        list = all;
    }

    size = list.nelts * NGX_STREAM_NTRIP_STATION_LINE;

    p = ngx_palloc(pool, size + 1);
    if (p == NULL) {
        return NULL;
    }

    ntrip_out_init(&out, p, size);

    live = list.elts;

    for (i = 0; i < list.nelts; i++) {
        ngx_stream_ntrip_stations_line(&out, &live[i]);
    }

    size = out.last - out.start;

    text = ngx_alloc(sizeof(ngx_stream_ntrip_text_t) + size, ngx_cycle->log);
    if (text == NULL) {
        return NULL;
    }

    ngx_memzero(text, sizeof(ngx_stream_ntrip_text_t));

    text->refs = 1;
    text->directory.text.len = size;
    text->directory.text.data = (u_char *) text
                                + sizeof(ngx_stream_ntrip_text_t);
    ngx_memcpy(text->directory.text.data, p, size);

    return text;
}


/*
 * Without the lock: whatever a row that is used anew meanwhile has as its
 * mountpoint, that of a station is compared with it.
 */

static ngx_int_t
ngx_stream_ntrip_stations_live(ngx_array_t *list)
{
    uint32_t                     i;
    ngx_str_t                    mount;
    ntrip_zone_t                *zone;
    ntrip_stream_row_t          *row;
    ngx_stream_ntrip_live_t     *live;
    ngx_stream_ntrip_station_t  *station;

    zone = ngx_stream_ntrip_worker.zone;

    for (i = 0; i < zone->streams.n; i++) {
        row = ntrip_stream_row(zone, i);

        if (!ntrip_station_fresh(row, ngx_current_msec,
                                 NTRIP_STATION_LISTED))
        {
            continue;
        }

        mount.len = ngx_min(row->mount_len, NTRIP_MOUNT_MAX);
        mount.data = row->mount;

        station = ngx_stream_ntrip_store_station(&mount);

        if (station == NULL) {
            continue;
        }

        live = ngx_array_push(list);
        if (live == NULL) {
            return NGX_ERROR;
        }

        live->row = row;
        live->station = station;
    }

    return NGX_OK;
}


/* those that are live, in their order, and the others between them */

static ngx_int_t
ngx_stream_ntrip_stations_all(ngx_array_t *list, ngx_array_t *live)
{
    ngx_uint_t                   i;
    ngx_stream_ntrip_live_t     *added, *next, *last;
    ngx_stream_ntrip_station_t  *station;

    next = live->elts;
    last = next + live->nelts;

    for (i = 0; (station = ngx_stream_ntrip_store_station_at(i)); i++) {

        added = ngx_array_push(list);
        if (added == NULL) {
            return NGX_ERROR;
        }

        added->row = NULL;
        added->station = station;

        if (next < last && next->station == station) {
            *added = *next++;
        }
    }

    return NGX_OK;
}


static int ngx_libc_cdecl
ngx_stream_ntrip_stations_order(const void *one, const void *two)
{
    const ngx_stream_ntrip_live_t  *a = one, *b = two;

    return (a->station > b->station) - (a->station < b->station);
}


static void
ngx_stream_ntrip_stations_line(ntrip_out_t *out,
    ngx_stream_ntrip_live_t *live)
{
    u_char         buf[NGX_STREAM_NTRIP_STATION_LINE];
    ngx_str_t      str;
    ntrip_out_t    fields;
    ntrip_facts_t  facts;

    if (live->row == NULL
        || ntrip_station_facts(live->row, &facts) != NGX_OK)
    {
        ngx_memzero(&facts, sizeof(ntrip_facts_t));
    }

    ntrip_out_init(&fields, buf, sizeof(buf));
    ntrip_facts_str(&fields, &facts, &live->station->str);

    str.data = fields.start;
    str.len = fields.last - fields.start;

    ntrip_str_line(out, &live->station->mount, &str, 0,
                   live->row && facts.ntypes == 0);
}


ngx_uint_t
ngx_stream_ntrip_stations_listed(ngx_str_t *mount)
{
    ngx_uint_t           listed;
    ntrip_want_t         want;
    ntrip_stream_row_t  *row;

    ngx_stream_ntrip_station_want(&want, mount);

    ngx_stream_ntrip_lock();

    row = ntrip_stream_find(ngx_stream_ntrip_worker.zone,
                            ngx_stream_ntrip_worker.bus, &want);

    listed = row && ntrip_station_fresh(row, ngx_current_msec,
                                        NTRIP_STATION_LISTED);

    ngx_stream_ntrip_unlock();

    return listed;
}
