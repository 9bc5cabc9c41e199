
/*
 * sources: ntrip_msm.c ntrip_rtcm.c
 * libs: -lm
 *
 * MSM5, MSM6 and MSM7 of all systems, made of random values by a writer of
 * their own here, and the MSM4 of them read by a reader of its own.
 */


#include "tap.h"
#include "ntrip_msm.h"

#include <math.h>


#define INVALID  0x7fffffff


typedef struct {
    int       kind;
    int       nsat, nsig, ncell;
    int       mask[64];
    uint64_t  sats;
    uint32_t  sigs;
    uint32_t  head[9];
    uint32_t  ms[64], mod[64];
    int       range[64], phase[64];        /* two's complements, or INVALID */
    uint32_t  lock[64], half[64], cnr[64];
} msm_t;


static const int  head_width[] = { 12, 30, 1, 3, 7, 2, 2, 1, 3 };

static uint32_t  seed = 1;

static struct {
    u_char    data[NTRIP_RTCM_MESSAGE_MAX];
    int       bits;
} w;


static uint32_t
rnd(uint32_t n)
{
    seed = seed * 1664525 + 1013904223;

    return n ? (seed >> 8) % n : 0;
}


static void
add(uint32_t value, int width)
{
    int  i;

    for (i = width - 1; i >= 0; i--, w.bits++) {
        if (value >> i & 1) {
            w.data[3 + w.bits / 8] |= 128 >> w.bits % 8;
        }
    }
}


static uint32_t
take(u_char *data, int *pos, int width)
{
    uint32_t  value = 0;

    for ( /* void */ ; width; width--, (*pos)++) {
        value = value * 2 + !!(data[3 + *pos / 8] & 128 >> *pos % 8);
    }

    return value;
}


static void
add_signed(int value, int width)
{
    add(value == INVALID ? 1u << (width - 1)
                         : (uint32_t) value & ((1u << width) - 1), width);
}


static int
take_signed(u_char *data, int *pos, int width)
{
    uint32_t  value = take(data, pos, width);

    if (value == 1u << (width - 1)) {
        return INVALID;
    }

    return value >> (width - 1) ? (int) value - (1 << width) : (int) value;
}


/* all values of a width that may be, the outermost ones often */

static int
any(int width)
{
    int  most = (1 << (width - 1)) - 1;

    switch (rnd(8)) {
    case 0:   return INVALID;
    case 1:   return most - (int) rnd(20);
    case 2:   return -most + (int) rnd(20);
    case 3:   return (int) rnd(40) - 20;
    default:  return (int) rnd(2 * most) - most;
    }
}


static void
make(msm_t *m, int kind)
{
    int  i, fine = (kind >= 6);

    memset(m, 0, sizeof(*m));
    m->kind = kind;

    for (i = 0; i < 9; i++) {
        m->head[i] = rnd(1u << ngx_min(head_width[i], 23));
    }

    do {
        m->nsat = rnd(24);
        m->nsig = rnd(6);
    } while (m->nsat * m->nsig > 64);

    for (i = 0; i < m->nsat; i++) {
        m->sats |= (uint64_t) 1 << (i * 2 + rnd(2));
        m->ms[i] = rnd(256);
        m->mod[i] = rnd(1024);
    }

    for (i = 0; i < m->nsig; i++) {
        m->sigs |= 1u << (i * 5 + rnd(5));
    }

    for (i = 0; i < m->nsat * m->nsig; i++) {
        m->mask[i] = rnd(4) != 0;
        m->ncell += m->mask[i];
    }

    for (i = 0; i < m->ncell; i++) {
        m->range[i] = any(fine ? 20 : 15);
        m->phase[i] = any(fine ? 24 : 22);
        m->lock[i] = rnd(fine ? 1024 : 16);
        m->half[i] = rnd(2);
        m->cnr[i] = rnd(fine ? 1024 : 64);
    }
}


static void
write_msm(msm_t *m, int type, ntrip_rtcm_message_t *out)
{
    int       i, fine = (m->kind >= 6), more = (m->kind != 6);
    size_t    len;
    uint32_t  crc;

    memset(&w, 0, sizeof(w));

    add(type, 12);

    for (i = 0; i < 9; i++) {
        add(m->head[i], head_width[i]);
    }

    add(m->sats >> 32, 32);
    add((uint32_t) m->sats, 32);
    add(m->sigs, 32);

    for (i = 0; i < m->nsat * m->nsig; i++) {
        add(m->mask[i], 1);
    }

    for (i = 0; i < m->nsat; i++) { add(m->ms[i], 8); }
    for (i = 0; more && i < m->nsat; i++) { add(rnd(16), 4); }
    for (i = 0; i < m->nsat; i++) { add(m->mod[i], 10); }
    for (i = 0; more && i < m->nsat; i++) { add(rnd(1 << 14), 14); }

    for (i = 0; i < m->ncell; i++) { add_signed(m->range[i], fine ? 20 : 15); }
    for (i = 0; i < m->ncell; i++) { add_signed(m->phase[i], fine ? 24 : 22); }
    for (i = 0; i < m->ncell; i++) { add(m->lock[i], fine ? 10 : 4); }
    for (i = 0; i < m->ncell; i++) { add(m->half[i], 1); }
    for (i = 0; i < m->ncell; i++) { add(m->cnr[i], fine ? 10 : 6); }
    for (i = 0; more && i < m->ncell; i++) { add(rnd(1 << 15), 15); }

    len = (w.bits + 7) / 8;
    w.data[0] = 0xd3;
    w.data[1] = len >> 8;
    w.data[2] = len;
    crc = ntrip_rtcm_crc(w.data, len + 3);
    w.data[len + 3] = crc >> 16;
    w.data[len + 4] = crc >> 8;
    w.data[len + 5] = crc;

    out->data = w.data;
    out->len = len + 6;
    ntrip_rtcm_describe(out);
}


/* the least time of an indicator, in ms: the standard's tables, row by row */

static double
lock_ms(uint32_t i)
{
    static const double  row[] = {
        0, 64, 256, 768, 2048, 5120, 12288, 28672, 65536, 147456, 327680,
        720896, 1572864, 3407872, 7340032, 15728640, 33554432, 71303168,
        150994944, 318767104, 671088640
    };
    uint32_t             step;

    if (i < 64) {
        return i;
    }

    if (i >= 704) {
        return 67108864;
    }

    step = (i - 64) / 32 + 1;

    return ldexp(i, step) - row[step];
}


static double
lock4_ms(uint32_t i)
{
    return i ? 32 * pow(2, i - 1) : 0;
}


static int
near(int got, int sent, int bits)
{
    if (got == INVALID || sent == INVALID) {
        return got == sent;
    }

    /* half a step, and a whole one at the edges */

    return fabs(got - ldexp(sent, -bits)) <= 0.5
           || (fabs(got - ldexp(sent, -bits)) < 1
               && fabs(ldexp(sent, -bits)) > ldexp(1, bits == 5 ? 14 : 21) - 1);
}


/* 0, or the line where it is wrong */

#define same(x)  if (!(x)) { return __LINE__; }

static int
check(msm_t *m, int type, ntrip_rtcm_message_t *out)
{
    int     i, pos = 0, fine = (m->kind >= 6);
    size_t  len;

    same(out->type == (ngx_uint_t) type - m->kind + 4);
    same(ntrip_rtcm_crc(out->data, out->len) == 0);
    same(out->data[0] == 0xd3);
    len = out->data[1] << 8 | out->data[2];
    same(len + 6 == out->len);

    same(take(out->data, &pos, 12) == (uint32_t) type - m->kind + 4);

    for (i = 0; i < 9; i++) {
        same(take(out->data, &pos, head_width[i]) == m->head[i]);
    }

    same(take(out->data, &pos, 32) == m->sats >> 32);
    same(take(out->data, &pos, 32) == (uint32_t) m->sats);
    same(take(out->data, &pos, 32) == m->sigs);

    for (i = 0; i < m->nsat * m->nsig; i++) {
        same(take(out->data, &pos, 1) == (uint32_t) m->mask[i]);
    }

    for (i = 0; i < m->nsat; i++) {
        same(take(out->data, &pos, 8) == m->ms[i]);
    }

    for (i = 0; i < m->nsat; i++) {
        same(take(out->data, &pos, 10) == m->mod[i]);
    }

    for (i = 0; i < m->ncell; i++) {
        same(near(take_signed(out->data, &pos, 15), m->range[i],
                  fine ? 5 : 0));
    }

    for (i = 0; i < m->ncell; i++) {
        same(near(take_signed(out->data, &pos, 22), m->phase[i],
                  fine ? 2 : 0));
    }

    for (i = 0; i < m->ncell; i++) {
        uint32_t  lock = take(out->data, &pos, 4);

        if (!fine) {
            same(lock == m->lock[i]);
            continue;
        }

        same(lock4_ms(lock) <= lock_ms(m->lock[i]));
        same(lock == 15 || lock4_ms(lock + 1) > lock_ms(m->lock[i]));
    }

    for (i = 0; i < m->ncell; i++) {
        same(take(out->data, &pos, 1) == m->half[i]);
    }

    for (i = 0; i < m->ncell; i++) {
        uint32_t  cnr = take(out->data, &pos, 6);

        if (!fine) {
            same(cnr == m->cnr[i]);
            continue;
        }

        same((cnr == 0) == (m->cnr[i] == 0));
        same(fabs(cnr - m->cnr[i] / 16.0) <= 1);
    }

    same(len == (size_t) (pos + 7) / 8);

    for ( /* void */ ; pos % 8; ) {
        same(take(out->data, &pos, 1) == 0);
    }

    return 0;
}


static void
test_all(void)
{
    int                   system, kind, type, i, wrong;
    msm_t                 msm;
    u_char               *buf;
    ntrip_rtcm_message_t  m;

    for (system = 107; system <= 113; system++) {
        for (kind = 5; kind <= 7; kind++) {
            type = system * 10 + kind;
            wrong = 0;

            for (i = 0; i < 2000 && !wrong; i++) {
                make(&msm, kind);
                write_msm(&msm, type, &m);

                buf = malloc(m.len);
                wrong = ntrip_msm_reduce(&m, buf) == NGX_OK
                        ? check(&msm, type, &m) : -1;
                free(buf);
            }

            if (!tap_ok(wrong == 0, "%d: the same observations", type)) {
                printf("# wrong in line %d, in message %d\n", wrong, i);
            }
        }
    }
}


/* each message that is cut off anywhere, in a frame of its own */

static void
test_short(void)
{
    int                   kind, bad, good;
    size_t                n, len;
    msm_t                 msm;
    u_char               *data, *buf;
    ntrip_rtcm_message_t  m, cut;

    for (kind = 5; kind <= 7; kind++) {
        bad = good = 0;

        do {
            make(&msm, kind);
        } while (msm.ncell < 8);

        write_msm(&msm, 1070 + kind, &m);
        len = m.len - 6;

        for (n = 2; n <= len; n++) {
            data = malloc(n + 6);
            memcpy(data, m.data, n + 3);
            data[1] = n >> 8;
            data[2] = n;

            cut.data = data;
            cut.len = n + 6;
            ntrip_rtcm_describe(&cut);

            buf = malloc(n + 6);

            switch (ntrip_msm_reduce(&cut, buf)) {
            case NGX_OK:        good++; break;
            case NGX_ERROR:     bad++; break;
            case NGX_DECLINED:  bad += (n == 2); break;
            }

            free(buf);
            free(data);
        }

        tap_ok(good == 1 && bad == (int) len - 2,
               "MSM%d that is cut off is an error", kind);
    }
}


static void
test_other(void)
{
    int                   type, declined = 0, known = 0;
    msm_t                 msm;
    u_char                buf[NTRIP_RTCM_MESSAGE_MAX];
    ntrip_rtcm_message_t  m;

    make(&msm, 6);

    for (type = 1; type < 4096; type++) {
        write_msm(&msm, type, &m);

        if (type / 10 >= 107 && type / 10 <= 113 && type % 10 >= 5
            && type % 10 <= 7)
        {
            known++;
            continue;
        }

        declined += (ntrip_msm_reduce(&m, buf) == NGX_DECLINED);
    }

    tap_ok(known == 21 && declined == 4095 - 21, "all others are left alone");

    memset(&msm, 0, sizeof(msm));
    msm.kind = 7;
    write_msm(&msm, 1077, &m);
    tap_ok(ntrip_msm_reduce(&m, buf) == NGX_OK && check(&msm, 1077, &m) == 0,
           "one without satellites is one");

    msm.sats = 0x1ffffffff;
    msm.sigs = 3;
    msm.nsat = 33;
    write_msm(&msm, 1077, &m);
    m.data = memset(malloc(NTRIP_RTCM_MESSAGE_MAX), 0, NTRIP_RTCM_MESSAGE_MAX);
    memcpy(m.data, w.data, NTRIP_RTCM_MESSAGE_MAX);
    m.len = NTRIP_RTCM_MESSAGE_MAX;
    tap_ok(ntrip_msm_reduce(&m, buf) == NGX_ERROR,
           "more than 64 cells are an error");
    free(m.data);
}


int
main(void)
{
    test_all();
    test_short();
    test_other();

    return tap_done();
}
