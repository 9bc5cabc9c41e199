
/*
 * Tickets: for one server of one upstream, for a time, and not to be forged.
 *
 * sources: cwmp_ticket.c
 *          cwmp_sign.c cwmp_origin.c cwmp_host.c cwmp_label.c cwmp_url.c
 * libs: -lcrypto
 */


#include "tap.h"
#include "cwmp_ticket.h"


static ngx_str_t  test_keys[] = {
    ngx_string("0123456789abcdef"),
    ngx_string("fedcba9876543210")
};


int
main(void)
{
    int              i, broken;
    u_char           text[CWMP_TICKET_LEN];
    uint32_t         expires;
    ngx_str_t        value;
    cwmp_ticket_t    t, other;
    cwmp_sign_key_t  keys[2];

    (void) cwmp_sign_key_init(&keys[0], &test_keys[0]);
    (void) cwmp_sign_key_init(&keys[1], &test_keys[1]);

    ngx_str_set(&t.upstream, "acs");
    ngx_str_set(&t.server, "10.0.0.1:7547");

    value.data = text;
    value.len = CWMP_TICKET_LEN;

    tap_ok(cwmp_ticket_write(&t, &keys[1], 1300, text) == NGX_OK, "written");
    tap_ok(cwmp_ticket_fresh(&value, 1000, 300, &expires) == NGX_OK
           && expires == 1300, "fresh for its time");
    tap_ok(cwmp_ticket_fresh(&value, 1300, 300, &expires) == NGX_OK,
           "up to the end");
    tap_ok(cwmp_ticket_fresh(&value, 1301, 300, &expires) == NGX_DECLINED,
           "not behind it");
    tap_ok(cwmp_ticket_fresh(&value, 1000 - CWMP_TICKET_SKEW, 300, &expires)
           == NGX_OK,
           "from a node whose clock is ahead");
    tap_ok(cwmp_ticket_fresh(&value, 999 - CWMP_TICKET_SKEW, 300, &expires)
           == NGX_DECLINED,
           "with more time left than any gets");

    tap_ok(cwmp_ticket_is(&t, keys, 2, &value) == NGX_OK, "for its server");
    tap_ok(cwmp_ticket_is(&t, keys, 1, &value) == NGX_DECLINED,
           "not with another key");

    other = t;
    ngx_str_set(&other.server, "10.0.0.2:7547");
    tap_ok(cwmp_ticket_is(&other, keys, 2, &value) == NGX_DECLINED,
           "not for another server");

    other = t;
    ngx_str_set(&other.upstream, "acs1");
    tap_ok(cwmp_ticket_is(&other, keys, 2, &value) == NGX_DECLINED,
           "nor upstream");

    for (broken = 0, i = 0; i < CWMP_TICKET_LEN; i++) {
        text[i] ^= 1;
        broken += (cwmp_ticket_is(&t, keys, 2, &value) != NGX_DECLINED);
        text[i] ^= 1;

        value.len = i;
        broken += (cwmp_ticket_is(&t, keys, 2, &value) != NGX_DECLINED);
        broken += (cwmp_ticket_fresh(&value, 1000, 300, &expires)
                   != NGX_DECLINED);
        value.len = CWMP_TICKET_LEN;
    }

    tap_ok(broken == 0, "nor with a byte changed, nor cut");

    memcpy(text, "0000x514", 8);
    tap_ok(cwmp_ticket_fresh(&value, 1000, 300, &expires) == NGX_DECLINED,
           "no number is no time");

    cwmp_sign_key_free(&keys[0]);
    cwmp_sign_key_free(&keys[1]);

    return tap_done();
}
