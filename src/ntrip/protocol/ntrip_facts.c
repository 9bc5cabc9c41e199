
/*
 * Fieldgate: what messages say of their station.
 */


#include "ntrip_facts.h"
#include "ntrip_sourcetable.h"

#include <math.h>


static void ntrip_gather_count(ntrip_gather_t *gather, ngx_uint_t type,
    uint64_t now);
static void ntrip_gather_forget(ntrip_gather_t *gather, uint64_t now);
static uint16_t ntrip_gather_interval(ntrip_gather_times_t *times);
static void ntrip_gather_position(ntrip_facts_t *facts,
    ntrip_rtcm_message_t *m);
static void ntrip_gather_receiver(ntrip_facts_t *facts,
    ntrip_rtcm_message_t *m);
static void ntrip_gather_signals(ntrip_facts_t *facts,
    ntrip_rtcm_message_t *m);
static uint64_t ntrip_facts_bits(ntrip_rtcm_message_t *m, ngx_uint_t pos,
    ngx_uint_t n);
static int64_t ntrip_facts_signed(ntrip_rtcm_message_t *m, ngx_uint_t pos,
    ngx_uint_t n);
static ngx_uint_t ntrip_facts_system(ngx_uint_t type);
static ngx_uint_t ntrip_facts_version(ngx_uint_t type);
static void ntrip_facts_field(ntrip_out_t *out, const ntrip_facts_t *facts,
    ngx_uint_t field);
static void ntrip_facts_format(ntrip_out_t *out, const ntrip_facts_t *facts);
static void ntrip_facts_details(ntrip_out_t *out, const ntrip_facts_t *facts);
static void ntrip_facts_systems(ntrip_out_t *out, const ntrip_facts_t *facts);


void
ntrip_gather_init(ntrip_gather_t *gather, uint64_t now)
{
    ngx_memzero(gather, sizeof(ntrip_gather_t));

    gather->since = now;
}


void
ntrip_gather_bytes(ntrip_gather_t *gather, size_t len, uint64_t now)
{
    gather->bytes += len;

    if (now - gather->since < NTRIP_GATHER_RATE) {
        return;
    }

    gather->facts.bitrate = (uint32_t) ngx_min(
              gather->bytes * 8 * 1000 / (now - gather->since), 0xffffffff);
    gather->bytes = 0;
    gather->since = now;
}


void
ntrip_gather_message(ntrip_gather_t *gather, ntrip_rtcm_message_t *m,
    uint64_t now)
{
    ntrip_facts_t  *facts;

    facts = &gather->facts;

    if (m->type == 0) {
        return;
    }

    ntrip_gather_count(gather, m->type, now);

    switch (m->type) {

    case 1005:
    case 1006:
        ntrip_gather_position(facts, m);
        return;

    case 1033:
        ntrip_gather_receiver(facts, m);
        return;

    default:
        if (m->flags & NTRIP_RTCM_OBSERVATION) {
            facts->systems |= ntrip_facts_system(m->type);
            ntrip_gather_signals(facts, m);
        }
    }
}


/* in the order of numbers */

static void
ntrip_gather_count(ntrip_gather_t *gather, ngx_uint_t type, uint64_t now)
{
    uint64_t               interval;
    ngx_uint_t             i, n;
    ntrip_facts_type_t    *types;
    ntrip_gather_times_t  *times;

    types = gather->facts.types;
    n = gather->facts.ntypes;

    for (i = 0; i < n && types[i].type < type; i++) { /* void */ }

    times = &gather->times[i];

    if (i < n && types[i].type == type) {

        if (times->count) {
            interval = now - times->last;
            times->longest = ngx_max(times->longest, interval);
            times->shortest = times->shortest
                              ? ngx_min(times->shortest, interval)
                              : ngx_max(interval, 1);

        } else {
            times->first = now;
        }

        times->last = now;
        times->count++;
        return;
    }

    if (n == NTRIP_FACTS_TYPES) {
        return;
    }

    ngx_memmove(&types[i + 1], &types[i],
                (n - i) * sizeof(ntrip_facts_type_t));
    ngx_memmove(times + 1, times, (n - i) * sizeof(ntrip_gather_times_t));

    types[i].type = (uint16_t) type;
    types[i].interval = NTRIP_FACTS_INTERVAL_NONE;

    ngx_memzero(times, sizeof(ntrip_gather_times_t));
    times->first = now;
    times->last = now;
    times->count = 1;

    gather->facts.ntypes++;
}


static void
ntrip_gather_forget(ntrip_gather_t *gather, uint64_t now)
{
    ngx_uint_t      i, n;
    ntrip_facts_t  *facts;

    facts = &gather->facts;
    n = 0;

    for (i = 0; i < facts->ntypes; i++) {
        if (now - gather->times[i].last < NTRIP_GATHER_FORGET) {
            facts->types[n] = facts->types[i];
            gather->times[n++] = gather->times[i];
        }
    }

    facts->ntypes = (uint16_t) n;
}


/*
 * The mean, if no interval is far from it: some stations send ephemerides
 * whenever they have new ones.  A network is late now and then, by seconds.
 */

static uint16_t
ntrip_gather_interval(ntrip_gather_times_t *times)
{
    uint64_t  mean;

    if (times->count < 3) {
        return NTRIP_FACTS_INTERVAL_NONE;
    }

    mean = (times->last - times->first) / (times->count - 1);

    if (times->longest > 2 * mean + 3000
        || (times->shortest < mean / 4 && mean > 3000)
        || mean >= 0xfffe * (uint64_t) 1000)
    {
        return NTRIP_FACTS_INTERVAL_NONE;
    }

    return (uint16_t) ngx_max((mean + 500) / 1000, 1);
}


/*
 * DF025 to DF027 behind station, ITRF year, indicators: bits 34, 74 and 114.
 * The latitude by Bowring's formula, which is exact to less than a millimetre
 * near the surface.
 */

static void
ntrip_gather_position(ntrip_facts_t *facts, ntrip_rtcm_message_t *m)
{
    double  x, y, z, p, r, theta, latitude, sine;

    static const double  a = 6378137.0, b = 6356752.314245;

    if (m->len < 19 + 6) {
        return;
    }

    x = ntrip_facts_signed(m, 34, 38) / 1e4;
    y = ntrip_facts_signed(m, 74, 38) / 1e4;
    z = ntrip_facts_signed(m, 114, 38) / 1e4;

    r = sqrt(x * x + y * y + z * z);

    /* one that has no position sends zeros */

    if (r < 6.2e6 || r > 6.6e6) {
        return;
    }

    p = sqrt(x * x + y * y);
    theta = atan2(z * a, p * b);
    latitude = atan2(z + (a * a - b * b) / b * pow(sin(theta), 3),
                     p - (a * a - b * b) / a * pow(cos(theta), 3));
    sine = sin(latitude);

    facts->latitude = (int32_t) lrint(latitude * 180 / M_PI * 1e7);
    facts->longitude = (int32_t) lrint(atan2(y, x) * 180 / M_PI * 1e7);
    facts->height = (int32_t) lrint(1000 * (p * cos(latitude) + z * sine
                        - a * sqrt(1 - (1 - b * b / (a * a)) * sine * sine)));
    facts->located = 1;
}


/*
 * The receiver's name is the third text: antenna, its serial number, receiver.
 * Behind the first there is a byte of the antenna's set-up.
 */

static void
ntrip_gather_receiver(ntrip_facts_t *facts, ntrip_rtcm_message_t *m)
{
    u_char      *p, *last;
    size_t       i, len;
    ngx_uint_t   n;

    p = m->data + 3 + 3;
    last = m->data + m->len - 3;

    for (n = 0; n < 2; n++) {
        if (p >= last) {
            return;
        }

        p += 1 + *p + (n == 0);
    }

    if (p >= last) {
        return;
    }

    len = ngx_min(*p, NTRIP_FACTS_RECEIVER);
    p++;

    if (len == 0 || len > (size_t) (last - p)) {
        return;
    }

    /* it goes into a line of fields */

    for (i = 0; i < len; i++) {
        facts->receiver[i] = (p[i] < 0x20 || p[i] >= 0x7f || p[i] == ';')
                             ? ' ' : p[i];
    }

    while (len && facts->receiver[len - 1] == ' ') {
        len--;
    }

    facts->receiver_len = (uint16_t) len;
}


/*
 * Bits of carriers.  Of MSM, those in the mask of signals, DF395: whatever the
 * system, they are in groups, the first and the last of which have the carriers
 * near 1.6 GHz.
 */

static void
ntrip_gather_signals(ntrip_facts_t *facts, ntrip_rtcm_message_t *m)
{
    uint64_t    signals;
    ngx_uint_t  i, n;

    static const struct {
        u_char  last;
        u_char  band;
    } groups[] = {
        { 7, 0x01 }, { 13, 0x02 }, { 21, 0x04 }, { 29, 0x08 }, { 32, 0x01 }
    };

    if (m->type < 1071) {
        facts->bands |= (m->type == 1003 || m->type == 1004
                         || m->type == 1011 || m->type == 1012) ? 0x03 : 0x01;
        return;
    }

    if (m->len < (137 + 32 + 7) / 8 + 6) {
        return;
    }

    signals = ntrip_facts_bits(m, 137, 32);

    for (i = 1, n = 0; i <= 32; i++) {

        if (i > groups[n].last) {
            n++;
        }

        if (signals >> (32 - i) & 1) {
            facts->bands |= groups[n].band;
        }
    }
}


/* "n" bits of the payload, 64 at most, from bit "pos" on; they are there */

static uint64_t
ntrip_facts_bits(ntrip_rtcm_message_t *m, ngx_uint_t pos, ngx_uint_t n)
{
    uint64_t    value;
    ngx_uint_t  i;

    value = 0;

    for (i = pos; i < pos + n; i++) {
        value = value << 1 | (m->data[3 + i / 8] >> (7 - i % 8) & 1);
    }

    return value;
}


static int64_t
ntrip_facts_signed(ntrip_rtcm_message_t *m, ngx_uint_t pos, ngx_uint_t n)
{
    uint64_t  value;

    value = ntrip_facts_bits(m, pos, n);

    return (value >> (n - 1) & 1)
           ? (int64_t) value - ((int64_t) 1 << n) : (int64_t) value;
}


static ngx_uint_t
ntrip_facts_system(ngx_uint_t type)
{
    switch (type / 10) {

    case 100:
        return (type < 1005) ? NTRIP_FACTS_GPS : NTRIP_FACTS_GLONASS;

    case 101:
    case 108:
        return NTRIP_FACTS_GLONASS;

    case 107:
        return NTRIP_FACTS_GPS;

    case 109:
        return NTRIP_FACTS_GALILEO;

    case 110:
        return NTRIP_FACTS_SBAS;

    case 111:
        return NTRIP_FACTS_QZSS;

    case 112:
        return NTRIP_FACTS_BEIDOU;

    default:
        return NTRIP_FACTS_NAVIC;
    }
}


void
ntrip_gather_facts(ntrip_gather_t *gather, ntrip_facts_t *facts, uint64_t now)
{
    ngx_uint_t  i;

    ntrip_gather_forget(gather, now);

    for (i = 0; i < gather->facts.ntypes; i++) {
        if (gather->times[i].count > 2) {
            gather->facts.types[i].interval =
                                     ntrip_gather_interval(&gather->times[i]);
        }
    }

    *facts = gather->facts;
}


void
ntrip_gather_earlier(ntrip_gather_t *gather, const ntrip_facts_t *facts)
{
    ngx_uint_t  i;

    gather->facts = *facts;
    gather->facts.ntypes = ngx_min(facts->ntypes, NTRIP_FACTS_TYPES);

    for (i = 0; i < gather->facts.ntypes; i++) {
        ngx_memzero(&gather->times[i], sizeof(ntrip_gather_times_t));
        gather->times[i].last = gather->since;
    }
}


/* ---- the line ---- */

void
ntrip_facts_str(ntrip_out_t *out, const ntrip_facts_t *facts, ngx_str_t *str)
{
    ngx_uint_t   i;
    ntrip_str_t  parsed;

    ntrip_str_fields(&parsed, str);

    for (i = NTRIP_STR_IDENTIFIER; i < NTRIP_STR_FIELDS; i++) {

        if (i > NTRIP_STR_IDENTIFIER) {
            ntrip_out_char(out, ';');
        }

        if (parsed.field[i].len) {
            ntrip_out_str(out, &parsed.field[i]);

        } else {
            ntrip_facts_field(out, facts, i);
        }
    }
}


static void
ntrip_facts_field(ntrip_out_t *out, const ntrip_facts_t *facts,
    ngx_uint_t field)
{
    switch (field) {

    case NTRIP_STR_FORMAT:
        ntrip_facts_format(out, facts);
        return;

    case NTRIP_STR_DETAILS:
        ntrip_facts_details(out, facts);
        return;

    case NTRIP_STR_CARRIER:
        if (facts->bands) {
            ntrip_out_text(out, facts->bands & (facts->bands - 1)
                                ? "2" : "1");
        }

        return;

    case NTRIP_STR_NAV:
        ntrip_facts_systems(out, facts);
        return;

    case NTRIP_STR_LATITUDE:
        if (facts->located) {
            ntrip_out_fixed(out, facts->latitude / 1e7, 1, 2);
        }

        return;

    case NTRIP_STR_LONGITUDE:
        if (facts->located) {
            ntrip_out_fixed(out, facts->longitude / 1e7, 1, 2);
        }

        return;

    case NTRIP_STR_GENERATOR:
        ntrip_out_data(out, facts->receiver,
                       ngx_min(facts->receiver_len, NTRIP_FACTS_RECEIVER));
        return;

    case NTRIP_STR_BITRATE:
        if (facts->bitrate) {
            ntrip_out_uint(out, facts->bitrate, 1);
        }

        return;

    default:
        return;
    }
}


/* the oldest version of RTCM 3 that has all of them; makers' own say nothing */

static void
ntrip_facts_format(ntrip_out_t *out, const ntrip_facts_t *facts)
{
    ngx_uint_t  i, n, version, known;

    n = ngx_min(facts->ntypes, NTRIP_FACTS_TYPES);
    version = 0;
    known = 0;

    for (i = 0; i < n; i++) {
        if (facts->types[i].type < 4000) {
            known = 1;
            version = ngx_max(version,
                              ntrip_facts_version(facts->types[i].type));
        }
    }

    if (known) {
        ntrip_out_text(out, "RTCM 3.");
        ntrip_out_uint(out, version, 1);
    }
}


/*
 * RTCM 10403.0 (2004) had 1001 to 1013; .1 (2006 and amendments) network RTK,
 * ephemerides of GPS and GLONASS, texts, 1033 and SSR; .2 (2013) MSM, with 1230
 * and the ephemerides of its systems; .3 (2016) SBAS, NavIC, and what has come
 * with the final Galileo and BeiDou messages.
 */

static ngx_uint_t
ntrip_facts_version(ngx_uint_t type)
{
    if (type <= 1013) {
        return 0;
    }

    if (type <= 1039 || (type >= 1057 && type <= 1068)) {
        return 1;
    }

    if (type == 1044 || type == 1045 || type == 1230
        || (type >= 1071 && type <= 1097)
        || (type >= 1111 && type <= 1127))
    {
        return 2;
    }

    return 3;
}


static void
ntrip_facts_details(ntrip_out_t *out, const ntrip_facts_t *facts)
{
    ngx_uint_t  i, n;

    n = ngx_min(facts->ntypes, NTRIP_FACTS_TYPES);

    for (i = 0; i < n; i++) {
        if (i) {
            ntrip_out_char(out, ',');
        }

        ntrip_out_uint(out, facts->types[i].type, 1);

        if (facts->types[i].interval != NTRIP_FACTS_INTERVAL_NONE) {
            ntrip_out_char(out, '(');
            ntrip_out_uint(out, facts->types[i].interval, 1);
            ntrip_out_char(out, ')');
        }
    }
}


static void
ntrip_facts_systems(ntrip_out_t *out, const ntrip_facts_t *facts)
{
    ngx_uint_t  i, some;

    static const char  *names[] = {
        "GPS", "GLO", "GAL", "BDS", "QZS", "IRS", "SBAS"
    };

    some = 0;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (facts->systems & 1 << i) {
            ntrip_out_text(out, some ? "+" : "");
            ntrip_out_text(out, names[i]);
            some = 1;
        }
    }
}
