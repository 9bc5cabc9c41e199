
/*
 * Fieldgate: framing of RTCM 3.
 */


#include "ntrip_rtcm.h"


#define NTRIP_RTCM_PREAMBLE  0xd3


static ngx_int_t ntrip_rtcm_frame(u_char *p, size_t len, size_t *total);
static ngx_int_t ntrip_rtcm_direct(ntrip_rtcm_t *f, ngx_str_t *in,
    ntrip_rtcm_message_t *m);
static ngx_int_t ntrip_rtcm_buffered(ntrip_rtcm_t *f, ngx_str_t *in,
    ntrip_rtcm_message_t *m);
static void ntrip_rtcm_fill(ntrip_rtcm_t *f, ngx_str_t *in, size_t total);
static size_t ntrip_rtcm_begin(ntrip_rtcm_t *f);
static ngx_uint_t ntrip_rtcm_text(ntrip_rtcm_t *f);
static ngx_uint_t ntrip_rtcm_six_of_eight(ntrip_rtcm_t *f);
static ngx_int_t ntrip_rtcm_raw(ntrip_rtcm_t *f, ngx_str_t *in,
    ntrip_rtcm_message_t *m);
static ngx_int_t ntrip_rtcm_message(ntrip_rtcm_t *f, ntrip_rtcm_message_t *m,
    u_char *p, size_t len);
static size_t ntrip_rtcm_search(u_char *p, size_t len);
static ngx_uint_t ntrip_rtcm_sync(ngx_uint_t type);
static ngx_uint_t ntrip_rtcm_bit(u_char *payload, ngx_uint_t bit);


/* CRC-24Q: polynomial 0x1864cfb, initially 0, not reflected */

static const uint32_t  ntrip_rtcm_crc24q[] = {
    0x000000, 0x864cfb, 0x8ad50d, 0x0c99f6, 0x93e6e1, 0x15aa1a,
    0x1933ec, 0x9f7f17, 0xa18139, 0x27cdc2, 0x2b5434, 0xad18cf,
    0x3267d8, 0xb42b23, 0xb8b2d5, 0x3efe2e, 0xc54e89, 0x430272,
    0x4f9b84, 0xc9d77f, 0x56a868, 0xd0e493, 0xdc7d65, 0x5a319e,
    0x64cfb0, 0xe2834b, 0xee1abd, 0x685646, 0xf72951, 0x7165aa,
    0x7dfc5c, 0xfbb0a7, 0x0cd1e9, 0x8a9d12, 0x8604e4, 0x00481f,
    0x9f3708, 0x197bf3, 0x15e205, 0x93aefe, 0xad50d0, 0x2b1c2b,
    0x2785dd, 0xa1c926, 0x3eb631, 0xb8faca, 0xb4633c, 0x322fc7,
    0xc99f60, 0x4fd39b, 0x434a6d, 0xc50696, 0x5a7981, 0xdc357a,
    0xd0ac8c, 0x56e077, 0x681e59, 0xee52a2, 0xe2cb54, 0x6487af,
    0xfbf8b8, 0x7db443, 0x712db5, 0xf7614e, 0x19a3d2, 0x9fef29,
    0x9376df, 0x153a24, 0x8a4533, 0x0c09c8, 0x00903e, 0x86dcc5,
    0xb822eb, 0x3e6e10, 0x32f7e6, 0xb4bb1d, 0x2bc40a, 0xad88f1,
    0xa11107, 0x275dfc, 0xdced5b, 0x5aa1a0, 0x563856, 0xd074ad,
    0x4f0bba, 0xc94741, 0xc5deb7, 0x43924c, 0x7d6c62, 0xfb2099,
    0xf7b96f, 0x71f594, 0xee8a83, 0x68c678, 0x645f8e, 0xe21375,
    0x15723b, 0x933ec0, 0x9fa736, 0x19ebcd, 0x8694da, 0x00d821,
    0x0c41d7, 0x8a0d2c, 0xb4f302, 0x32bff9, 0x3e260f, 0xb86af4,
    0x2715e3, 0xa15918, 0xadc0ee, 0x2b8c15, 0xd03cb2, 0x567049,
    0x5ae9bf, 0xdca544, 0x43da53, 0xc596a8, 0xc90f5e, 0x4f43a5,
    0x71bd8b, 0xf7f170, 0xfb6886, 0x7d247d, 0xe25b6a, 0x641791,
    0x688e67, 0xeec29c, 0x3347a4, 0xb50b5f, 0xb992a9, 0x3fde52,
    0xa0a145, 0x26edbe, 0x2a7448, 0xac38b3, 0x92c69d, 0x148a66,
    0x181390, 0x9e5f6b, 0x01207c, 0x876c87, 0x8bf571, 0x0db98a,
    0xf6092d, 0x7045d6, 0x7cdc20, 0xfa90db, 0x65efcc, 0xe3a337,
    0xef3ac1, 0x69763a, 0x578814, 0xd1c4ef, 0xdd5d19, 0x5b11e2,
    0xc46ef5, 0x42220e, 0x4ebbf8, 0xc8f703, 0x3f964d, 0xb9dab6,
    0xb54340, 0x330fbb, 0xac70ac, 0x2a3c57, 0x26a5a1, 0xa0e95a,
    0x9e1774, 0x185b8f, 0x14c279, 0x928e82, 0x0df195, 0x8bbd6e,
    0x872498, 0x016863, 0xfad8c4, 0x7c943f, 0x700dc9, 0xf64132,
    0x693e25, 0xef72de, 0xe3eb28, 0x65a7d3, 0x5b59fd, 0xdd1506,
    0xd18cf0, 0x57c00b, 0xc8bf1c, 0x4ef3e7, 0x426a11, 0xc426ea,
    0x2ae476, 0xaca88d, 0xa0317b, 0x267d80, 0xb90297, 0x3f4e6c,
    0x33d79a, 0xb59b61, 0x8b654f, 0x0d29b4, 0x01b042, 0x87fcb9,
    0x1883ae, 0x9ecf55, 0x9256a3, 0x141a58, 0xefaaff, 0x69e604,
    0x657ff2, 0xe33309, 0x7c4c1e, 0xfa00e5, 0xf69913, 0x70d5e8,
    0x4e2bc6, 0xc8673d, 0xc4fecb, 0x42b230, 0xddcd27, 0x5b81dc,
    0x57182a, 0xd154d1, 0x26359f, 0xa07964, 0xace092, 0x2aac69,
    0xb5d37e, 0x339f85, 0x3f0673, 0xb94a88, 0x87b4a6, 0x01f85d,
    0x0d61ab, 0x8b2d50, 0x145247, 0x921ebc, 0x9e874a, 0x18cbb1,
    0xe37b16, 0x6537ed, 0x69ae1b, 0xefe2e0, 0x709df7, 0xf6d10c,
    0xfa48fa, 0x7c0401, 0x42fa2f, 0xc4b6d4, 0xc82f22, 0x4e63d9,
    0xd11cce, 0x575035, 0x5bc9c3, 0xdd8538
};


void
ntrip_rtcm_init(ntrip_rtcm_t *f, ngx_uint_t mode)
{
    f->mode = mode;
    f->messages = 0;
    f->skipped = 0;
    f->len = 0;
    f->pos = 0;
}


ngx_int_t
ntrip_rtcm_next(ntrip_rtcm_t *f, ngx_str_t *in, ntrip_rtcm_message_t *m)
{
    ngx_int_t  rc;

    do {
        if (f->pos == f->len && f->mode != NTRIP_RTCM_AUTO) {
            f->pos = 0;
            f->len = 0;
        }

        if (f->mode == NTRIP_RTCM_RAW) {
            return ntrip_rtcm_raw(f, in, m);
        }

        if (f->len == 0 && f->mode == NTRIP_RTCM_RTCM3) {
            rc = ntrip_rtcm_direct(f, in, m);

        } else {
            rc = ntrip_rtcm_buffered(f, in, m);
        }

    } while (rc == NGX_DECLINED);

    return rc;
}


/*
 * Whether a frame begins at p: NGX_OK; NGX_DECLINED if none can; NGX_AGAIN if
 * it takes "total" bytes to know more.
 */

static ngx_int_t
ntrip_rtcm_frame(u_char *p, size_t len, size_t *total)
{
    size_t    n;
    uint32_t  crc;

    *total = 3;

    if (len == 0) {
        return NGX_AGAIN;
    }

    if (p[0] != NTRIP_RTCM_PREAMBLE || (len > 1 && (p[1] & 0xfc))) {
        return NGX_DECLINED;
    }

    if (len < 3) {
        return NGX_AGAIN;
    }

    n = 3 + (p[1] << 8 | p[2]);
    *total = n + 3;

    if (len < *total) {
        return NGX_AGAIN;
    }

    crc = (uint32_t) p[n] << 16 | p[n + 1] << 8 | p[n + 2];

    return (crc == ntrip_rtcm_crc(p, n)) ? NGX_OK : NGX_DECLINED;
}


/* nothing is held back: messages that are whole in "in" are not copied */

static ngx_int_t
ntrip_rtcm_direct(ntrip_rtcm_t *f, ngx_str_t *in, ntrip_rtcm_message_t *m)
{
    size_t  n, total;

    for ( ;; ) {

        switch (ntrip_rtcm_frame(in->data, in->len, &total)) {

        case NGX_OK:
            in->data += total;
            in->len -= total;

            return ntrip_rtcm_message(f, m, in->data - total, total);

        case NGX_AGAIN:
            ntrip_rtcm_fill(f, in, total);
            return NGX_AGAIN;

        default: /* NGX_DECLINED */
            n = ntrip_rtcm_search(in->data, in->len);

            f->skipped += n;
            in->data += n;
            in->len -= n;
        }
    }
}


static ngx_int_t
ntrip_rtcm_buffered(ntrip_rtcm_t *f, ngx_str_t *in, ntrip_rtcm_message_t *m)
{
    size_t     n, total;
    ngx_int_t  rc;

    if (f->mode == NTRIP_RTCM_AUTO && ntrip_rtcm_text(f)) {
        return NGX_ERROR;
    }

    if (f->mode == NTRIP_RTCM_AUTO && ntrip_rtcm_six_of_eight(f)) {
        f->mode = NTRIP_RTCM_RAW;
        f->pos = 0;
        return NGX_DECLINED;
    }

    rc = ntrip_rtcm_frame(f->buf + f->pos, f->len - f->pos, &total);

    if (rc == NGX_OK) {

        if (f->mode == NTRIP_RTCM_AUTO) {
            f->mode = NTRIP_RTCM_RTCM3;
            f->skipped += f->pos;
        }

        f->pos += total;

        return ntrip_rtcm_message(f, m, f->buf + f->pos - total, total);
    }

    if (f->mode == NTRIP_RTCM_AUTO && f->len == NTRIP_RTCM_PROBE) {

        if (f->pos == f->len) {
            f->mode = NTRIP_RTCM_RAW;
            f->pos = 0;
            return NGX_DECLINED;
        }

        /* a whole message may lie within what is supposed to be a longer
           one */

        rc = NGX_DECLINED;
    }

    if (rc == NGX_DECLINED) {
        n = ntrip_rtcm_search(f->buf + f->pos, f->len - f->pos);

        f->pos += n;

        if (f->mode == NTRIP_RTCM_RTCM3) {
            f->skipped += n;
        }

        return NGX_DECLINED;
    }

    if (in->len == 0) {
        return NGX_AGAIN;
    }

    ntrip_rtcm_fill(f, in, total);

    return NGX_DECLINED;
}


/*
 * Moves bytes of "in" behind those that are held.  In RTCM 3 no more than the
 * supposed message needs, since what follows can be taken from "in" directly.
 */

static void
ntrip_rtcm_fill(ntrip_rtcm_t *f, ngx_str_t *in, size_t total)
{
    size_t  n;

    if (f->mode == NTRIP_RTCM_AUTO) {
        n = NTRIP_RTCM_PROBE - f->len;

    } else {

        if (f->pos) {
            f->len -= f->pos;
            ngx_memmove(f->buf, f->buf + f->pos, f->len);
            f->pos = 0;
        }

        n = total - f->len;
    }

    n = ngx_min(n, in->len);

    if (n == 0) {
        return;
    }

    ngx_memcpy(f->buf + f->len, in->data, n);

    f->len += n;
    in->data += n;
    in->len -= n;
}


/* where text would begin, behind a byte order mark and blanks */

static size_t
ntrip_rtcm_begin(ntrip_rtcm_t *f)
{
    size_t  i;

    i = (f->len >= 3 && ngx_memcmp(f->buf, "\xef\xbb\xbf", 3) == 0) ? 3 : 0;

    while (i < f->len
           && (f->buf[i] == ' ' || (f->buf[i] >= '\t' && f->buf[i] <= CR)))
    {
        i++;
    }

    return i;
}


static ngx_uint_t
ntrip_rtcm_text(ntrip_rtcm_t *f)
{
    u_char       *p;
    size_t        i, len;
    ngx_uint_t    n;

    /* four letters and more: the rest of a message, as a stream may begin
       with, has none of them by chance */

    static const char  *words[] = {
        "SOURCETABLE", "ENDSOURCETABLE", "STR;", "CAS;", "NET;", "ERROR",
        "HTTP/", "ICY ", "<!doctype", "<!--", "<?xml", "<html", "<head",
        "<body", "<title", "<meta", "<script", "<style", "<table", "<center",
        "<pre>", "<div"
    };

    i = ntrip_rtcm_begin(f);

    if (i == NTRIP_RTCM_PROBE) {
        return 1;
    }

    p = f->buf + i;
    len = f->len - i;

    for (n = 0; n < sizeof(words) / sizeof(words[0]); n++) {
        if (len >= ngx_strlen(words[n])
            && strncasecmp((char *) p, words[n], ngx_strlen(words[n])) == 0)
        {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ntrip_rtcm_blank(ntrip_rtcm_t *f)
{
    return f->mode == NTRIP_RTCM_AUTO && ntrip_rtcm_begin(f) == f->len;
}


static ngx_uint_t
ntrip_rtcm_six_of_eight(ntrip_rtcm_t *f)
{
    size_t  i;

    if (f->len < NTRIP_RTCM2_PROBE) {
        return 0;
    }

    for (i = 0; i < NTRIP_RTCM2_PROBE; i++) {
        if ((f->buf[i] & 0xc0) != 0x40) {
            return 0;
        }
    }

    return 1;
}


static ngx_int_t
ntrip_rtcm_raw(ntrip_rtcm_t *f, ngx_str_t *in, ntrip_rtcm_message_t *m)
{
    size_t  n;

    if (f->pos < f->len) {
        n = ngx_min(f->len - f->pos, NTRIP_RTCM_MESSAGE_MAX);

        m->data = f->buf + f->pos;
        f->pos += n;

    } else if (in->len) {
        n = ngx_min(in->len, NTRIP_RTCM_MESSAGE_MAX);

        m->data = in->data;
        in->data += n;
        in->len -= n;

    } else {
        return NGX_AGAIN;
    }

    m->len = n;
    m->type = 0;
    m->station = 0;
    m->flags = (f->pos == f->len && in->len == 0) ? NTRIP_RTCM_EPOCH : 0;

    f->messages++;

    return NGX_OK;
}


static ngx_int_t
ntrip_rtcm_message(ntrip_rtcm_t *f, ntrip_rtcm_message_t *m, u_char *p,
    size_t len)
{
    m->data = p;
    m->len = len;

    ntrip_rtcm_describe(m);

    f->messages++;

    return NGX_OK;
}


/* bytes to pass over to come to the next possible beginning */

static size_t
ntrip_rtcm_search(u_char *p, size_t len)
{
    u_char  *next;

    next = (len > 1) ? memchr(p + 1, NTRIP_RTCM_PREAMBLE, len - 1) : NULL;

    return next ? (size_t) (next - p) : len;
}


ngx_int_t
ntrip_rtcm_check(ntrip_rtcm_message_t *m)
{
    return (m->len >= 6
            && m->data[0] == NTRIP_RTCM_PREAMBLE
            && m->data[1] <= 3
            && ntrip_rtcm_frame_len(m->data) == m->len)
           ? NGX_OK : NGX_DECLINED;
}


size_t
ntrip_rtcm_frame_len(u_char *p)
{
    return (p[1] << 8 | p[2]) + 6;
}


void
ntrip_rtcm_describe(ntrip_rtcm_message_t *m)
{
    size_t      len;
    u_char     *payload;
    ngx_uint_t  sync;

    m->type = 0;
    m->station = 0;
    m->flags = 0;

    payload = m->data + 3;
    len = m->len - 6;

    if (len < 3) {
        return;
    }

    m->type = payload[0] << 4 | payload[1] >> 4;
    m->station = (payload[1] & 0x0f) << 8 | payload[2];

    if ((m->type >= 1005 && m->type <= 1008)
        || m->type == 1033 || m->type == 1230)
    {
        m->flags = NTRIP_RTCM_STATION;
        return;
    }

    sync = ntrip_rtcm_sync(m->type);

    if (sync == 0) {
        return;
    }

    m->flags = NTRIP_RTCM_OBSERVATION;

    if (len > sync / 8 && !ntrip_rtcm_bit(payload, sync)) {
        m->flags |= NTRIP_RTCM_EPOCH;
    }
}


void
ntrip_rtcm_end_epoch(ntrip_rtcm_message_t *m)
{
    size_t      n;
    uint32_t    crc;
    ngx_uint_t  sync;

    sync = ntrip_rtcm_sync(m->type);

    if (sync == 0 || m->len - 6 <= sync / 8) {
        return;
    }

    m->data[3 + sync / 8] &= ~(0x80 >> sync % 8);
    m->flags |= NTRIP_RTCM_EPOCH;

    n = m->len - 3;
    crc = ntrip_rtcm_crc(m->data, n);

    m->data[n] = (u_char) (crc >> 16);
    m->data[n + 1] = (u_char) (crc >> 8);
    m->data[n + 2] = (u_char) crc;
}


/*
 * Which bit of the payload tells whether more of the same epoch follow: DF005,
 * behind the time of GPS (30 bits) or GLONASS (27), and DF393 of MSM; 0 if this
 * message has no observations.
 */

static ngx_uint_t
ntrip_rtcm_sync(ngx_uint_t type)
{
    if ((type >= 1001 && type <= 1004)
        || (type >= 1071 && type <= 1137 && type % 10 >= 1 && type % 10 <= 7))
    {
        return 12 + 12 + 30;
    }

    if (type >= 1009 && type <= 1012) {
        return 12 + 12 + 27;
    }

    return 0;
}


static ngx_uint_t
ntrip_rtcm_bit(u_char *payload, ngx_uint_t bit)
{
    return payload[bit / 8] >> (7 - bit % 8) & 1;
}


uint32_t
ntrip_rtcm_crc(u_char *data, size_t len)
{
    size_t    i;
    uint32_t  crc;

    crc = 0;

    for (i = 0; i < len; i++) {
        crc = (crc << 8 & 0xffff00) ^ ntrip_rtcm_crc24q[crc >> 16 ^ data[i]];
    }

    return crc;
}
