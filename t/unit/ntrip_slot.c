
/*
 * Fieldgate: a worker dies, and the next one has its slot before anybody has
 * swept.  The owner of a stream that only the dead one wanted learns of it.
 *
 * sources: ntrip_zone.c ntrip_table.c ntrip_bus.c ntrip_ring.c ntrip_latest.c
 *          ntrip_mailbox.c ntrip_stream.c ntrip_lease.c ntrip_usage.c
 *          ntrip_session.c ntrip_turn.c ntrip_group.c ntrip_wait.c
 *          ntrip_gga.c ntrip_text.c
 * libs: -lm
 */


#include "tap.h"

#include "ntrip_zone.h"


#define TEST_NOW  1000000


static ntrip_bus_t    test_bus;
static u_char         test_memory[NTRIP_ZONE_MIN] __attribute__((aligned(64)));
static ntrip_zone_t  *test_zone = (ntrip_zone_t *) test_memory;


static ngx_int_t
test_attach(uint64_t me, ntrip_found_t *found)
{
    ntrip_want_t         want;
    static ntrip_mail_t  mail;

    memset(&want, 0, sizeof(want));
    ngx_str_set(&want.mount, "RTCM32");
    ngx_str_set(&want.pool, "default");
    want.share = 30000;
    want.mail = &mail;
    want.session = NTRIP_ROW_NONE;
    want.gga = 1;

    return ntrip_stream_attach(test_zone, &test_bus, me, TEST_NOW, &want,
                               found);
}


static ngx_uint_t
test_marked(uint64_t me, uint32_t index)
{
    return (ntrip_bus_take(&test_bus, ntrip_holder_slot(me), index / 64)
            >> index % 64)
           & 1;
}


int
main(void)
{
    uint32_t           next;
    uint64_t           owner, dead, heir;
    ngx_int_t          rc;
    ntrip_found_t      found, same;
    ntrip_slots_t      wake;
    ntrip_sweep_t      sweep;
    ntrip_zone_plan_t  plan;

    if (ntrip_zone_plan(&plan, NTRIP_ZONE_MIN, 4096) != NGX_OK) {
        return 1;
    }

    ntrip_bus_init(&test_bus, 0x1234567890abcdefULL);
    ntrip_zone_init(test_zone, &plan);

    owner = ntrip_bus_claim(&test_bus, 8, 2, 1, 1);
    dead = ntrip_bus_claim(&test_bus, 8, 3, 1, 1);

    tap_ok(test_attach(owner, &found) == NGX_OK
           && test_attach(dead, &same) == NGX_DONE
           && same.index == found.index, "a stream for rovers of both");

    ngx_memzero(&wake, sizeof(wake));
    ntrip_stream_detach(test_zone, &test_bus, owner, TEST_NOW, found.index,
                        found.serial, 0, &wake);

    tap_ok(ntrip_bus_release(&test_bus, dead) == NGX_OK, "one of them dies");
    heir = ntrip_bus_claim(&test_bus, 8, 4, 1, 1);
    tap_ok(ntrip_holder_slot(heir) == ntrip_holder_slot(dead),
           "the next one has its slot");

    ngx_memzero(&sweep, sizeof(sweep));

    do {
        rc = ntrip_zone_sweep(test_zone, &test_bus, TEST_NOW, &sweep, &wake);
    } while (rc == NGX_AGAIN);

    (void) test_marked(owner, found.index);
    tap_ok(ntrip_stream_wanted(test_zone, found.index),
           "a sweep takes what the dead one wanted for the next one's");

    ngx_memzero(&wake, sizeof(wake));
    next = 0;

    do {
        rc = ntrip_zone_clear_slot(test_zone, &test_bus, TEST_NOW,
                                   ntrip_holder_slot(heir), &next, &wake);
    } while (rc == NGX_AGAIN);

    tap_ok(!ntrip_stream_wanted(test_zone, found.index),
           "which then wants nothing");
    tap_ok(test_marked(owner, found.index), "the owner is told");
    tap_ok(wake.bits[ntrip_holder_slot(owner) / 64]
           >> ntrip_holder_slot(owner) % 64 & 1, "and woken");

    return tap_done();
}
