
/*
 * The latest of each station message: see ntrip_latest.h.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_latest.h"
#include "ntrip_words.h"


typedef struct {
    ngx_uint_t         type;
    uint32_t           offset;       /* in data[], a multiple of 8 */
    uint32_t           size;
} ntrip_latest_kind_t;


static ngx_int_t ntrip_latest_kind(ngx_uint_t type);
static ngx_uint_t ntrip_latest_moved(ntrip_latest_t *l,
    ntrip_rtcm_message_t *m);


/*
 * The longest of each, with six bytes of frame (RTCM 10403.3): texts of 31
 * bytes in 1007, 1008 and 1033, 31 announcements in 1013, 255 bytes in 1029.
 */

static const ntrip_latest_kind_t  ntrip_latest_kinds[NTRIP_LATEST_KINDS] = {
    { 1005,   0,  32 },
    { 1006,  32,  32 },
    { 1007,  64,  48 },
    { 1008, 112,  80 },
    { 1033, 192, 184 },
    { 1230, 376,  24 },
    { 1013, 400, 144 },
    { 1029, 544, 288 }
};


void
ntrip_latest_init(ntrip_latest_t *l)
{
    ngx_memzero(l->places, sizeof(l->places));
}


void
ntrip_latest_clear(ntrip_latest_t *l)
{
    ngx_uint_t  i;

    for (i = 0; i < NTRIP_LATEST_KINDS; i++) {
        __atomic_store_n(&l->places[i].position, 0, __ATOMIC_RELAXED);
    }

    __atomic_thread_fence(__ATOMIC_SEQ_CST);
}


void
ntrip_latest_put(ntrip_latest_t *l, ntrip_rtcm_message_t *m,
    uint64_t position)
{
    ngx_int_t              kind;
    ntrip_latest_place_t  *place;

    kind = ntrip_latest_kind(m->type);

    if (kind == NGX_DECLINED) {
        return;
    }

    if (ntrip_latest_moved(l, m)) {
        ntrip_latest_clear(l);
    }

    place = &l->places[kind];

    __atomic_store_n(&place->position, 0, __ATOMIC_RELAXED);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);

    if (m->len > ntrip_latest_kinds[kind].size) {
        return;
    }

    ntrip_words_store(l->data + ntrip_latest_kinds[kind].offset, m->data,
                      m->len);

    __atomic_store_n(&place->len, (uint32_t) m->len, __ATOMIC_RELAXED);
    __atomic_store_n(&place->station, (uint32_t) m->station, __ATOMIC_RELAXED);
    __atomic_store_n(&place->position, position, __ATOMIC_RELEASE);
}


static ngx_int_t
ntrip_latest_kind(ngx_uint_t type)
{
    ngx_uint_t  i;

    for (i = 0; i < NTRIP_LATEST_KINDS; i++) {
        if (ntrip_latest_kinds[i].type == type) {
            return i;
        }
    }

    return NGX_DECLINED;
}


/* another station has come: in networks of virtual stations the number is all
   that tells.  Other messages may well have another number than 1005. */

static ngx_uint_t
ntrip_latest_moved(ntrip_latest_t *l, ntrip_rtcm_message_t *m)
{
    ngx_uint_t  i;

    if (m->type != 1005 && m->type != 1006) {
        return 0;
    }

    for (i = 0; i < 2; i++) {
        if (l->places[i].position && l->places[i].station != m->station) {
            return 1;
        }
    }

    return 0;
}


size_t
ntrip_latest_get(ntrip_latest_t *l, ngx_uint_t kind, uint64_t position,
    u_char *buf)
{
    size_t                 len;
    uint64_t               before;
    ntrip_latest_place_t  *place;

    place = &l->places[kind];

    before = __atomic_load_n(&place->position, __ATOMIC_ACQUIRE);
    len = __atomic_load_n(&place->len, __ATOMIC_RELAXED);

    if (before == 0
        || before >= position
        || len > ntrip_latest_kinds[kind].size)
    {
        return 0;
    }

    ntrip_words_load(buf, l->data + ntrip_latest_kinds[kind].offset, len);

    __atomic_thread_fence(__ATOMIC_SEQ_CST);

    return (__atomic_load_n(&place->position, __ATOMIC_RELAXED) == before)
           ? len : 0;
}
