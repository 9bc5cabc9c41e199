
/*
 * A stream as the rovers of one profile see it: see ntrip_view.h.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_view.h"


static ngx_int_t ntrip_view_put(ntrip_view_t *view, ntrip_record_t *rec,
    u_char *data, uint64_t next);
static ngx_int_t ntrip_view_take(ntrip_view_t *view, ntrip_record_t *rec,
    u_char *buf, size_t size, uint64_t *next);
static size_t ntrip_view_chunk(u_char *buf, size_t len);


void
ntrip_view_init(ntrip_view_t *view, ntrip_profile_t *profile,
    ngx_uint_t chunked)
{
    view->profile = profile;
    view->chunked = chunked;

    ntrip_profile_init(&view->state);
    ntrip_view_reset(view);
}


void
ntrip_view_reset(ntrip_view_t *view)
{
    ntrip_profile_reset(&view->state);

    view->n = 0;
    view->len = 0;
    view->pos = 0;
}


size_t
ntrip_view_message(ntrip_view_t *view, u_char *data, size_t len, u_char *out)
{
    u_char                 *p;
    ntrip_rtcm_message_t    m;
    ntrip_profile_state_t   state;

    p = (view && view->chunked) ? out + NTRIP_CHUNK_HEAD : out;

    if (view == NULL || view->profile == NULL) {
        ngx_memcpy(p, data, len);

    } else {
        m.data = data;
        m.len = len;

        ntrip_rtcm_describe(&m);
        ntrip_profile_init(&state);

        len = ntrip_profile_put(&state, view->profile, &m, p);
    }

    return (p != out && len) ? ntrip_view_chunk(out, len) : len;
}


ngx_int_t
ntrip_view_read(ntrip_view_t *view, ntrip_ring_t *ring, uint64_t *pos,
    ntrip_record_t *rec, u_char *buf, size_t size, uint64_t *next)
{
    u_char     data[NTRIP_RTCM_MESSAGE_MAX];
    ngx_int_t  rc;

    if (view == NULL) {
        rc = ntrip_ring_read(ring, pos, rec, buf, size);
        *next = *pos;

        return rc;
    }

    if (view->chunked) {

        /* there is no message without bytes, for which that is too few */

        size = size > NTRIP_VIEW_CHUNK ? size - NTRIP_VIEW_CHUNK : 0;
    }

    if (view->profile == NULL) {
        rc = ntrip_ring_read(ring, pos, rec, buf + NTRIP_CHUNK_HEAD, size);
        *next = *pos;

        if (rc == NGX_OK) {
            rec->len = (uint32_t) ntrip_view_chunk(buf, rec->len);
        }

        return rc;
    }

    if (view->pos < view->len) {
        rec->flags = 0;

        return ntrip_view_take(view, rec, buf, size, next);
    }

    rc = ntrip_ring_read(ring, pos, rec, data, sizeof(data));

    if (rc == NGX_DECLINED) {
        ntrip_view_reset(view);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    if (ntrip_view_put(view, rec, data, *pos) != NGX_OK) {
        return NGX_DONE;
    }

    return ntrip_view_take(view, rec, buf, size, next);
}


/* NGX_OK: something has come out */

static ngx_int_t
ntrip_view_put(ntrip_view_t *view, ntrip_record_t *rec, u_char *data,
    uint64_t next)
{
    uint64_t              dropped;
    ntrip_rtcm_message_t  m;

    m.data = data;
    m.len = rec->len;

    if (ntrip_rtcm_check(&m) != NGX_OK) {
        return NGX_DECLINED;
    }

    ntrip_rtcm_describe(&m);

    dropped = view->state.dropped;

    view->pos = 0;
    view->len = ntrip_profile_put(&view->state, view->profile, &m, view->out);

    if (view->state.dropped == dropped) {
        view->messages[view->n].next = next;
        view->messages[view->n].time = (uint32_t) rec->time;
        view->n++;
    }

    return view->len ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ntrip_view_take(ntrip_view_t *view, ntrip_record_t *rec, u_char *buf,
    size_t size, uint64_t *next)
{
    size_t   len;
    u_char  *p;

    p = view->out + view->pos;
    len = ntrip_rtcm_frame_len(p);

    if (len > size) {
        return NGX_BUSY;
    }

    rec->len = (uint32_t) len;

    if (view->chunked) {
        ngx_memcpy(buf + NTRIP_CHUNK_HEAD, p, len);
        rec->len = (uint32_t) ntrip_view_chunk(buf, len);

    } else {
        ngx_memcpy(buf, p, len);
    }

    view->pos += len;

    rec->time = view->messages[0].time;
    *next = view->messages[0].next;

    view->n--;
    ngx_memmove(&view->messages[0], &view->messages[1],
                view->n * sizeof(ntrip_view_message_t));

    return NGX_OK;
}


/* the message is behind room for a chunk's head; what comes of it begins at
   "buf" and has the length that is returned */

static size_t
ntrip_view_chunk(u_char *buf, size_t len)
{
    u_char  *head, *end;

    head = ntrip_chunk_head(buf + NTRIP_CHUNK_HEAD, (uint32_t) len);
    end = ngx_cpymem(buf + NTRIP_CHUNK_HEAD + len, CRLF, sizeof(CRLF) - 1);

    ngx_memmove(buf, head, end - head);

    return end - head;
}
