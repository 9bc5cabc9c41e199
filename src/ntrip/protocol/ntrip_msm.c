
/*
 * Fieldgate: MSM4 from MSM5, MSM6 and MSM7.
 */


#include "ntrip_msm.h"


/* bits: the message number, what follows it up to the masks, the masks */

#define NTRIP_MSM_TYPE         12
#define NTRIP_MSM_HEAD         (12 + 30 + 1 + 3 + 7 + 2 + 2 + 1 + 3)
#define NTRIP_MSM_SATELLITES   64
#define NTRIP_MSM_SIGNALS      32
#define NTRIP_MSM_MASKS        (NTRIP_MSM_TYPE + NTRIP_MSM_HEAD              \
                                + NTRIP_MSM_SATELLITES + NTRIP_MSM_SIGNALS)
#define NTRIP_MSM_CELLS        64

/* of a satellite: DF397, DF398; extended information, DF399 */

#define NTRIP_MSM_MILLISECONDS  8
#define NTRIP_MSM_MODULO        10
#define NTRIP_MSM_EXTENDED      4
#define NTRIP_MSM_RATE          14

/* of a signal in MSM4 and MSM5: DF400, DF401, DF402, DF420, DF403; DF404 */

#define NTRIP_MSM_RANGE         15
#define NTRIP_MSM_PHASE         22
#define NTRIP_MSM_LOCK          4
#define NTRIP_MSM_HALF_CYCLE    1
#define NTRIP_MSM_CNR           6
#define NTRIP_MSM_DOPPLER       15

/* the same in MSM6 and MSM7: DF405, DF406, DF407, DF408 */

#define NTRIP_MSM_FINE_RANGE    20
#define NTRIP_MSM_FINE_PHASE    24
#define NTRIP_MSM_FINE_LOCK     10
#define NTRIP_MSM_FINE_CNR      10


typedef struct {
    u_char       *data;                  /* of the payload */
    size_t        pos;                   /* bits */
} ntrip_msm_bits_t;


typedef struct {
    ngx_uint_t    satellites;
    ngx_uint_t    mask;                  /* bits of the cell mask */
    ngx_uint_t    cells;                 /* of them set */
} ntrip_msm_counts_t;


static ngx_int_t ntrip_msm_count(u_char *payload, size_t bits,
    ngx_uint_t kind, ntrip_msm_counts_t *n);
static void ntrip_msm_satellites(ntrip_msm_bits_t *in, ntrip_msm_bits_t *out,
    ngx_uint_t kind, ngx_uint_t n);
static void ntrip_msm_signals(ntrip_msm_bits_t *in, ntrip_msm_bits_t *out,
    ngx_uint_t kind, ngx_uint_t n);
static uint32_t ntrip_msm_round(uint32_t value, ngx_uint_t from,
    ngx_uint_t to);
static uint32_t ntrip_msm_lock(uint32_t value);
static uint32_t ntrip_msm_cnr(uint32_t value);
static uint32_t ntrip_msm_get(ntrip_msm_bits_t *in, ngx_uint_t width);
static void ntrip_msm_put(ntrip_msm_bits_t *out, uint32_t value,
    ngx_uint_t width);
static void ntrip_msm_copy(ntrip_msm_bits_t *in, ntrip_msm_bits_t *out,
    ngx_uint_t n, ngx_uint_t width);


ngx_uint_t
ntrip_msm_kind(ngx_uint_t type)
{
    ngx_uint_t  kind;

    if (type < 1071 || type > 1137) {
        return 0;
    }

    kind = type % 10;

    return (kind <= 7) ? kind : 0;
}


ngx_int_t
ntrip_msm_reduce(ntrip_rtcm_message_t *m, u_char *buf)
{
    size_t              len;
    uint32_t            crc;
    ngx_uint_t          kind;
    ntrip_msm_bits_t    in, out;
    ntrip_msm_counts_t  n;

    kind = ntrip_msm_kind(m->type);

    if (kind < 5) {
        return NGX_DECLINED;
    }

    in.data = m->data + 3;
    in.pos = NTRIP_MSM_TYPE;

    if (ntrip_msm_count(in.data, (m->len - 6) * 8, kind, &n) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_memzero(buf, m->len);

    out.data = buf + 3;
    out.pos = 0;

    ntrip_msm_put(&out, m->type - kind + 4, NTRIP_MSM_TYPE);
    ntrip_msm_copy(&in, &out, NTRIP_MSM_HEAD + NTRIP_MSM_SATELLITES
                              + NTRIP_MSM_SIGNALS + n.mask, 1);

    ntrip_msm_satellites(&in, &out, kind, n.satellites);
    ntrip_msm_signals(&in, &out, kind, n.cells);

    len = (out.pos + 7) / 8;

    buf[0] = m->data[0];
    buf[1] = (u_char) (len >> 8);
    buf[2] = (u_char) len;

    crc = ntrip_rtcm_crc(buf, len + 3);

    buf[len + 3] = (u_char) (crc >> 16);
    buf[len + 4] = (u_char) (crc >> 8);
    buf[len + 5] = (u_char) crc;

    m->data = buf;
    m->len = len + 6;

    ntrip_rtcm_describe(m);

    return NGX_OK;
}


/* what the masks announce; NGX_ERROR if the payload, of "bits", ends before */

static ngx_int_t
ntrip_msm_count(u_char *payload, size_t bits, ngx_uint_t kind,
    ntrip_msm_counts_t *n)
{
    ngx_uint_t        i, signals, satellite, signal;
    ntrip_msm_bits_t  in;

    if (bits < NTRIP_MSM_MASKS) {
        return NGX_ERROR;
    }

    in.data = payload;
    in.pos = NTRIP_MSM_TYPE + NTRIP_MSM_HEAD;

    n->satellites = 0;
    n->cells = 0;
    signals = 0;

    for (i = 0; i < NTRIP_MSM_SATELLITES; i++) {
        n->satellites += ntrip_msm_get(&in, 1);
    }

    for (i = 0; i < NTRIP_MSM_SIGNALS; i++) {
        signals += ntrip_msm_get(&in, 1);
    }

    n->mask = n->satellites * signals;

    if (n->mask > NTRIP_MSM_CELLS || bits < NTRIP_MSM_MASKS + n->mask) {
        return NGX_ERROR;
    }

    for (i = 0; i < n->mask; i++) {
        n->cells += ntrip_msm_get(&in, 1);
    }

    satellite = NTRIP_MSM_MILLISECONDS + NTRIP_MSM_MODULO;

    if (kind != 6) {
        satellite += NTRIP_MSM_EXTENDED + NTRIP_MSM_RATE;
    }

    signal = (kind == 5) ? NTRIP_MSM_RANGE + NTRIP_MSM_PHASE + NTRIP_MSM_LOCK
                           + NTRIP_MSM_HALF_CYCLE + NTRIP_MSM_CNR
                         : NTRIP_MSM_FINE_RANGE + NTRIP_MSM_FINE_PHASE
                           + NTRIP_MSM_FINE_LOCK + NTRIP_MSM_HALF_CYCLE
                           + NTRIP_MSM_FINE_CNR;

    if (kind != 6) {
        signal += NTRIP_MSM_DOPPLER;
    }

    return (bits < in.pos + n->satellites * satellite + n->cells * signal)
           ? NGX_ERROR : NGX_OK;
}


/* a field of all satellites comes before the next one of the first */

static void
ntrip_msm_satellites(ntrip_msm_bits_t *in, ntrip_msm_bits_t *out,
    ngx_uint_t kind, ngx_uint_t n)
{
    ntrip_msm_copy(in, out, n, NTRIP_MSM_MILLISECONDS);

    if (kind != 6) {
        in->pos += n * NTRIP_MSM_EXTENDED;
    }

    ntrip_msm_copy(in, out, n, NTRIP_MSM_MODULO);

    if (kind != 6) {
        in->pos += n * NTRIP_MSM_RATE;
    }
}


static void
ntrip_msm_signals(ntrip_msm_bits_t *in, ntrip_msm_bits_t *out,
    ngx_uint_t kind, ngx_uint_t n)
{
    ngx_uint_t  i;

    if (kind == 5) {
        ntrip_msm_copy(in, out, n, NTRIP_MSM_RANGE);
        ntrip_msm_copy(in, out, n, NTRIP_MSM_PHASE);
        ntrip_msm_copy(in, out, n, NTRIP_MSM_LOCK);
        ntrip_msm_copy(in, out, n, NTRIP_MSM_HALF_CYCLE);
        ntrip_msm_copy(in, out, n, NTRIP_MSM_CNR);
        return;
    }

    for (i = 0; i < n; i++) {
        ntrip_msm_put(out, ntrip_msm_round(
                               ntrip_msm_get(in, NTRIP_MSM_FINE_RANGE),
                               NTRIP_MSM_FINE_RANGE, NTRIP_MSM_RANGE),
                      NTRIP_MSM_RANGE);
    }

    for (i = 0; i < n; i++) {
        ntrip_msm_put(out, ntrip_msm_round(
                               ntrip_msm_get(in, NTRIP_MSM_FINE_PHASE),
                               NTRIP_MSM_FINE_PHASE, NTRIP_MSM_PHASE),
                      NTRIP_MSM_PHASE);
    }

    for (i = 0; i < n; i++) {
        ntrip_msm_put(out,
                      ntrip_msm_lock(ntrip_msm_get(in, NTRIP_MSM_FINE_LOCK)),
                      NTRIP_MSM_LOCK);
    }

    ntrip_msm_copy(in, out, n, NTRIP_MSM_HALF_CYCLE);

    for (i = 0; i < n; i++) {
        ntrip_msm_put(out,
                      ntrip_msm_cnr(ntrip_msm_get(in, NTRIP_MSM_FINE_CNR)),
                      NTRIP_MSM_CNR);
    }
}


/*
 * A two's complement of "from" bits to the nearest one of "to" bits.  The
 * least one marks an invalid value, in both; the range is the same, so the
 * outermost values are one step off at most.
 */

static uint32_t
ntrip_msm_round(uint32_t value, ngx_uint_t from, ngx_uint_t to)
{
    int32_t  n, most;

    most = (int32_t) 1 << (to - 1);

    if (value == (uint32_t) 1 << (from - 1)) {
        return most;
    }

    n = (int32_t) (value << (32 - from)) >> (32 - from);
    n = (n + ((int32_t) 1 << (from - to - 1))) >> (from - to);

    if (n > most - 1) {
        n = most - 1;
    }

    if (n < -most + 1) {
        n = -most + 1;
    }

    return (uint32_t) n & ((uint32_t) most * 2 - 1);
}


/*
 * The lock time indicator: of DF407, where the least time doubles its step
 * with each 32 values behind the first 64, to DF402, where it doubles from 32
 * ms on.  Values from 705 on are reserved.
 */

static uint32_t
ntrip_msm_lock(uint32_t value)
{
    uint32_t    step;
    uint64_t    ms;
    ngx_uint_t  i;

    value = ngx_min(value, 704);

    if (value < 64) {
        ms = value;

    } else {
        step = (value - 32) / 32;
        ms = (uint64_t) (value - 32 * step) << step;
    }

    for (i = 0; i < 15 && ms >= (uint64_t) 32 << i; i++) { /* void */ }

    return i;
}


/* 1/16 dB-Hz to dB-Hz, where 0 is "not known" in both */

static uint32_t
ntrip_msm_cnr(uint32_t value)
{
    uint32_t  n;

    if (value == 0) {
        return 0;
    }

    n = (value + 8) / 16;

    return ngx_max(ngx_min(n, 63), 1);
}


static uint32_t
ntrip_msm_get(ntrip_msm_bits_t *in, ngx_uint_t width)
{
    uint32_t  value;

    for (value = 0; width; width--, in->pos++) {
        value = value << 1 | (in->data[in->pos / 8] >> (7 - in->pos % 8) & 1);
    }

    return value;
}


/* the bits were zero */

static void
ntrip_msm_put(ntrip_msm_bits_t *out, uint32_t value, ngx_uint_t width)
{
    while (width--) {
        out->data[out->pos / 8] |= (value >> width & 1) << (7 - out->pos % 8);
        out->pos++;
    }
}


static void
ntrip_msm_copy(ntrip_msm_bits_t *in, ntrip_msm_bits_t *out, ngx_uint_t n,
    ngx_uint_t width)
{
    for (n *= width; n >= 32; n -= 32) {
        ntrip_msm_put(out, ntrip_msm_get(in, 32), 32);
    }

    ntrip_msm_put(out, ntrip_msm_get(in, n), n);
}
