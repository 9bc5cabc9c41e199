
/*
 * The rovers of a stream in this worker, and its views (ntrip_view.h): one for
 * each profile that they have, with and without chunks.  See
 * ngx_stream_ntrip_stream.h.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>

#include "ngx_stream_ntrip_stream.h"


#define NGX_STREAM_NTRIP_SINKS  8


static ngx_stream_ntrip_stream_t *ngx_stream_ntrip_view(
    ngx_stream_ntrip_stream_t *st, ntrip_profile_t *profile,
    ngx_uint_t chunked);
static ngx_uint_t ngx_stream_ntrip_same_profile(ntrip_profile_t *one,
    ntrip_profile_t *two);
static ngx_stream_ntrip_stream_t *ngx_stream_ntrip_view_new(
    ngx_stream_ntrip_stream_t *st, ntrip_profile_t *profile,
    ngx_uint_t chunked);
static ngx_int_t ngx_stream_ntrip_grow(ngx_stream_ntrip_stream_t *st);
static void ngx_stream_ntrip_close_handler(ngx_event_t *ev);


void
ngx_stream_ntrip_sinks_init(ngx_stream_ntrip_stream_t *st)
{
    st->close.handler = ngx_stream_ntrip_close_handler;
    st->close.data = st;
    st->close.log = ngx_cycle->log;
}


void
ngx_stream_ntrip_sinks_free(ngx_stream_ntrip_stream_t *st)
{
    ngx_stream_ntrip_stream_t  *next;

    for ( /* void */ ; st; st = next) {
        next = st->views;

        ngx_stream_ntrip_deliver_free(st);

        if (st->close.posted) {
            ngx_delete_posted_event(&st->close);
        }

        if (st->sinks) {
            ngx_free(st->sinks);
            ngx_free(st->rovers);
        }

        if (st->backlog.view) {
            ngx_free(st->backlog.view);
        }

        ngx_free(st);
    }
}


void
ngx_stream_ntrip_views_tidy(ngx_stream_ntrip_stream_t *st)
{
    ngx_stream_ntrip_stream_t  *view;

    while (st->views) {
        view = st->views;

        if (view->nsinks) {
            st = view;
            continue;
        }

        st->views = view->views;
        view->views = NULL;

        ngx_stream_ntrip_sinks_free(view);
    }
}


/* the stream itself, if all messages are wanted as they came; NULL: no
   memory */

static ngx_stream_ntrip_stream_t *
ngx_stream_ntrip_view(ngx_stream_ntrip_stream_t *st, ntrip_profile_t *profile,
    ngx_uint_t chunked)
{
    ngx_stream_ntrip_stream_t  *view;

    if (profile == NULL && !chunked) {
        return st;
    }

    for (view = st->views; view; view = view->views) {
        if (view->backlog.view->chunked == chunked
            && ngx_stream_ntrip_same_profile(view->backlog.view->profile,
                                             profile))
        {
            return view;
        }
    }

    return ngx_stream_ntrip_view_new(st, profile, chunked);
}


/* mountpoints of several servers may have the same one */

static ngx_uint_t
ngx_stream_ntrip_same_profile(ntrip_profile_t *one, ntrip_profile_t *two)
{
    if (one == NULL || two == NULL) {
        return one == two;
    }

    return ngx_memcmp(one, two, sizeof(ntrip_profile_t)) == 0;
}


static ngx_stream_ntrip_stream_t *
ngx_stream_ntrip_view_new(ngx_stream_ntrip_stream_t *st,
    ntrip_profile_t *profile, ngx_uint_t chunked)
{
    ntrip_view_t               *own;
    ngx_stream_ntrip_stream_t  *view;

    own = ngx_alloc(sizeof(ntrip_view_t), ngx_cycle->log);
    if (own == NULL) {
        return NULL;
    }

    view = ngx_calloc(sizeof(ngx_stream_ntrip_stream_t), ngx_cycle->log);
    if (view == NULL) {
        ngx_free(own);
        return NULL;
    }

    ntrip_view_init(own, profile, chunked);

    view->main = st;
    view->index = st->index;
    view->serial = st->serial;
    view->conf = st->conf;

    ntrip_backlog_init(&view->backlog, st->backlog.position, ngx_cycle->log);
    view->backlog.view = own;

    ngx_stream_ntrip_sinks_init(view);

    view->views = st->views;
    st->views = view;

    return view;
}


ngx_int_t
ngx_stream_ntrip_sink_add(ngx_stream_ntrip_stream_t *st,
    ngx_stream_ntrip_rover_t *rover)
{
    ntrip_sink_t                 *s;
    ngx_stream_ntrip_srv_conf_t  *conf;

    conf = ngx_stream_get_module_srv_conf(rover->session,
                                          ngx_stream_ntrip_module);

    st = ngx_stream_ntrip_view(st, rover->mount->profile, rover->chunked);

    if (st == NULL) {
        return NGX_ERROR;
    }

    if (st->nsinks == st->nalloc && ngx_stream_ntrip_grow(st) != NGX_OK) {
        return NGX_ERROR;
    }

    s = &st->sinks[st->nsinks];

    s->fd = rover->session->connection->fd;
    s->tls = rover->tls;
    s->close = (conf->slow_rover == NGX_STREAM_NTRIP_SLOW_CLOSE);
    s->first = (unsigned) conf->station_messages;
    st->close_slow |= s->close;

    ntrip_sink_join(&st->backlog, s, (uint32_t) ngx_current_msec);

    ngx_stream_ntrip_socket(rover);

    st->rovers[st->nsinks] = rover;

    rover->stream = st;
    rover->sink = (uint32_t) st->nsinks;

    st->nsinks++;
    ngx_stream_ntrip_stream_main(st)->nrovers++;

    return NGX_OK;
}


void
ngx_stream_ntrip_sink_remove(ngx_stream_ntrip_rover_t *rover)
{
    ngx_stream_ntrip_stream_t  *st;

    st = rover->stream;

    ntrip_sink_leave(&st->backlog, &st->sinks[rover->sink]);

    st->nsinks--;
    ngx_stream_ntrip_stream_main(st)->nrovers--;

    if (rover->sink != st->nsinks) {
        st->sinks[rover->sink] = st->sinks[st->nsinks];
        st->rovers[rover->sink] = st->rovers[st->nsinks];
        st->rovers[rover->sink]->sink = rover->sink;
    }

    rover->stream = NULL;
}


static ngx_int_t
ngx_stream_ntrip_grow(ngx_stream_ntrip_stream_t *st)
{
    ngx_uint_t                  n;
    ntrip_sink_t               *sinks;
    ngx_stream_ntrip_rover_t  **rovers;

    n = st->nalloc ? st->nalloc * 2 : NGX_STREAM_NTRIP_SINKS;

    sinks = ngx_alloc(n * sizeof(ntrip_sink_t), ngx_cycle->log);
    if (sinks == NULL) {
        return NGX_ERROR;
    }

    rovers = ngx_alloc(n * sizeof(ngx_stream_ntrip_rover_t *),
                       ngx_cycle->log);
    if (rovers == NULL) {
        ngx_free(sinks);
        return NGX_ERROR;
    }

    if (st->sinks) {
        ngx_memcpy(sinks, st->sinks,
                   st->nsinks * sizeof(ntrip_sink_t));
        ngx_memcpy(rovers, st->rovers,
                   st->nsinks * sizeof(ngx_stream_ntrip_rover_t *));

        ngx_free(st->sinks);
        ngx_free(st->rovers);
    }

    st->sinks = sinks;
    st->rovers = rovers;
    st->nalloc = n;

    return NGX_OK;
}


/* rovers that could not be sent to, or were too slow */

static void
ngx_stream_ntrip_close_handler(ngx_event_t *ev)
{
    ngx_uint_t                  i;
    ntrip_sink_t               *s;
    ngx_stream_ntrip_stream_t  *st;

    st = ev->data;

    for (i = st->nsinks; i > 0; i--) {
        s = &st->sinks[i - 1];

        if (ntrip_sink_final(s)) {
            ngx_stream_ntrip_stream_hooks->close(st->rovers[i - 1],
                                          ngx_stream_ntrip_sink_result(s));
        }
    }
}
