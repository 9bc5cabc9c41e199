
/* sources: ntrip_seldom.c */

/*
 * Fieldgate: a line a minute, with a count that loses nothing.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_seldom.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/tap.h"


int
main(void)
{
    uint64_t        now, last, said, n, happened, early;
    ngx_uint_t      i;
    ntrip_seldom_t  seldom;

    memset(&seldom, 0, sizeof(seldom));

    tap_ok(ntrip_seldom_due(&seldom, 5) == 0, "nothing has happened");
    tap_ok(ntrip_seldom_count(&seldom, 5) == 1, "the first is told at once");
    tap_ok(ntrip_seldom_count(&seldom, 6) == 0
           && ntrip_seldom_count(&seldom, 4 + NTRIP_SELDOM) == 0,
           "the next ones are not");
    tap_ok(ntrip_seldom_due(&seldom, 4 + NTRIP_SELDOM) == 0
           && ntrip_seldom_due(&seldom, 5 + NTRIP_SELDOM) == 2,
           "but when a minute is over, without another one");
    tap_ok(ntrip_seldom_due(&seldom, 5 + 3 * NTRIP_SELDOM) == 0,
           "nor is nothing");
    tap_ok(ntrip_seldom_count(&seldom, 6 + 3 * NTRIP_SELDOM) == 1,
           "and then the next one at once");

    memset(&seldom, 0, sizeof(seldom));
    srandom(1);

    now = 1;
    last = 0;
    said = happened = early = 0;

    for (i = 0; i < 100000; i++) {
        now += random() % 100;

        if (random() % 4) {
            n = ntrip_seldom_count(&seldom, now);
            happened++;

        } else {
            n = ntrip_seldom_due(&seldom, now);
        }

        said += n;

        if (n) {
            early += last && now - last < NTRIP_SELDOM;
            last = now;
        }
    }

    said += ntrip_seldom_due(&seldom, now + NTRIP_SELDOM);

    tap_ok(said == happened && early == 0,
           "all are told, and never two lines in a minute");

    return tap_done();
}
