
#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_zone.h"


/* longer gaps are no interval: the source was away */
#define NTRIP_SEEN_GAP    (10 * 60 * 1000)

/* each worker has cached a time of its own: the owner's may be that much later
   than the reader's */
#define NTRIP_SEEN_AHEAD  (60 * 1000)


static uint32_t ntrip_seen_passed(uint32_t last, uint64_t now);
static uint32_t ntrip_seen_units(uint32_t ms);
static uint32_t ntrip_seen_mean(uint32_t mean, uint32_t value);


void
ntrip_seen_message(ntrip_seen_t *seen, uint64_t now, ngx_uint_t type,
    ngx_uint_t epoch)
{
    uint32_t            gap, off;
    ngx_uint_t          i;
    ntrip_seen_type_t  *t;

    for (i = 0; i < NTRIP_SEEN_TYPES; i++) {
        t = &seen->types[i];

        if (t->count && t->type != type) {
            continue;
        }

        gap = (uint32_t) now - t->last;

        if (t->count && gap < NTRIP_SEEN_GAP) {
            gap = ntrip_seen_units(gap);
            t->interval = t->interval ? ntrip_seen_mean(t->interval, gap)
                                      : gap;
        }

        t->type = (uint16_t) type;
        t->last = (uint32_t) now;
        t->count++;
        break;
    }

    if (!epoch) {
        return;
    }

    gap = (uint32_t) now - seen->last;

    if (seen->epochs && gap < NTRIP_SEEN_GAP) {
        gap = ntrip_seen_units(gap);

        if (seen->interval == 0) {
            seen->interval = gap;
        }

        off = gap > seen->interval ? gap - seen->interval
                                   : seen->interval - gap;

        seen->jitter = ntrip_seen_mean(seen->jitter, off);
        seen->interval = ntrip_seen_mean(seen->interval, gap);
    }

    seen->last = (uint32_t) now;
    seen->epochs++;
}


/* of an interval, which is known: two within one ms are not at no distance */

static uint32_t
ntrip_seen_units(uint32_t ms)
{
    return ngx_max(ms * 16, 1);
}


/* each new value counts an eighth */

static uint32_t
ntrip_seen_mean(uint32_t mean, uint32_t value)
{
    return (uint32_t) (((uint64_t) mean * 7 + value + 4) / 8);
}


double
ntrip_seen_rate(const ntrip_seen_type_t *type, uint64_t now)
{
    double    interval;
    uint32_t  age;

    if (type->interval == 0) {
        return 0;
    }

    interval = type->interval / 16.0;
    age = ntrip_seen_passed(type->last, now);

    if (age > 2 * interval + 1000) {
        interval = age;
    }

    /* many at once: one a ms is enough to say */

    return 1000 / ngx_max(interval, 1);
}


uint32_t
ntrip_seen_age(const ntrip_seen_t *seen, uint64_t now)
{
    return ntrip_seen_passed(seen->last, now);
}


static uint32_t
ntrip_seen_passed(uint32_t last, uint64_t now)
{
    uint32_t  passed;

    passed = (uint32_t) now - last;

    return passed > NGX_MAX_UINT32_VALUE - NTRIP_SEEN_AHEAD ? 0 : passed;
}
