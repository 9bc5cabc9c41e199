
/*
 * sources: ntrip_seen.c
 */


#include "tap.h"
#include "ntrip_zone.h"


static ntrip_seen_t  seen;


static double
rate(ngx_uint_t i, uint64_t now)
{
    return ntrip_seen_rate(&seen.types[i], now);
}


int
main(void)
{
    uint64_t    now;
    ngx_uint_t  i;

    memset(&seen, 0, sizeof(seen));

    /* across the end of 32 bits */

    now = 0xffffffff - 30000;

    for (i = 0; i < 60; i++) {
        ntrip_seen_message(&seen, now, 1005, 0);
        ntrip_seen_message(&seen, now, 1077, 1);
        now += 1000;
    }

    now -= 1000;

    tap_ok(seen.types[0].type == 1005 && seen.types[0].count == 60
           && seen.types[1].type == 1077 && seen.types[1].count == 60
           && seen.types[2].count == 0, "two types");
    tap_ok(rate(1, now) > 0.99 && rate(1, now) < 1.01, "once a second");
    tap_ok(rate(2, now) == 0, "none");
    tap_ok(seen.interval > 15990 && seen.interval < 16010, "interval");
    tap_ok(seen.jitter == 0, "no jitter");
    tap_ok(ntrip_seen_age(&seen, now + 250) == 250, "age");
    tap_ok(rate(1, now + 10000) < 0.11, "a type that has stopped");

    /* a reader's clock may be behind that of the owner, which has cached a
       later one */

    tap_ok(ntrip_seen_age(&seen, now - 3) == 0, "no age before it was");
    tap_ok(rate(1, now - 3) > 0.99, "and the same rate");

    for (i = 0; i < 60; i++) {
        now += (i & 1) ? 900 : 1100;
        ntrip_seen_message(&seen, now, 1077, 1);
    }

    tap_ok(seen.jitter > 16 * 80 && seen.jitter < 16 * 120, "jitter");
    tap_ok(seen.interval > 16 * 970 && seen.interval < 16 * 1030,
           "and the same interval");

    now += 3600 * 1000;
    ntrip_seen_message(&seen, now, 1077, 1);
    tap_ok(seen.interval < 16 * 1030, "a gap is no interval");

    for (i = 0; i < 2 * NTRIP_SEEN_TYPES; i++) {
        ntrip_seen_message(&seen, now, 1100 + i, 0);
    }

    tap_ok(seen.types[NTRIP_SEEN_TYPES - 1].type
           == 1100 + NTRIP_SEEN_TYPES - 3, "as many types as there is room");

    for (i = 0; i < 100; i++) {
        ntrip_seen_message(&seen, now, 1005, 0);
    }

    tap_ok(rate(0, now) > 0 && rate(0, now) <= 1000, "many at once");

    /* the first two of a type, and of epochs, with a gap in between */

    memset(&seen, 0, sizeof(seen));

    ntrip_seen_message(&seen, now, 1230, 1);
    tap_ok(rate(0, now) == 0 && seen.interval == 0, "one is no interval");

    now += 3600 * 1000;
    ntrip_seen_message(&seen, now, 1230, 1);
    tap_ok(rate(0, now) == 0 && seen.interval == 0, "nor is a gap");

    now += 1000;
    ntrip_seen_message(&seen, now, 1230, 1);
    tap_ok(seen.types[0].interval == 16000 && seen.interval == 16000
           && seen.jitter == 0, "what follows it is");

    return tap_done();
}
