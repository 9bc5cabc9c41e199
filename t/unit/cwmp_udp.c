
/*
 * sources: cwmp_udp.c
 * libs: -lcrypto
 *
 * UDP connection requests: their bytes, their signature, and that their numbers
 * never go back.
 */


#include "tap.h"
#include "cwmp_udp.h"


#define TEST_EPOCH  1767225600

static ngx_str_t  hostport = ngx_string("203.0.113.9:40000");


static void
test_request(const char *user, const char *password, const char *expected,
    const char *name)
{
    u_char              *buf, *end;
    size_t               size;
    ngx_str_t            got;
    cwmp_udp_stamp_t     stamp;
    cwmp_credentials_t   c;

    c.user = tap_str(user);
    c.password = tap_str(password);

    stamp.ts = 1796000000;
    stamp.id = 115097600;

    size = cwmp_udp_size(&hostport, &c);
    buf = malloc(size);

    end = cwmp_udp_request(buf, &hostport, &stamp, &c,
                           (u_char *) "0123456789abcdef");

    if (tap_ok(end != NULL && end <= buf + size, "%s: it is made", name)) {
        got.data = buf;
        got.len = end - buf;
        tap_is(&got, expected, name);
    }

    free(buf);
    free(c.user.data);
    free(c.password.data);
}


/* the signatures are what openssl dgst -sha1 -hmac says */

static void
test_requests(void)
{
    test_request("acs", "s3c:ret",
                 "GET http://203.0.113.9:40000?ts=1796000000&id=115097600"
                 "&un=acs&cn=0123456789abcdef"
                 "&sig=a150fa19dac6c65c4f623de58d76e90d24f2c1c5 HTTP/1.1\r\n"
                 "Host: 203.0.113.9:40000\r\n\r\n", "the usual one");

    test_request("a b&c%d\x80#", "k",
                 "GET http://203.0.113.9:40000?ts=1796000000&id=115097600"
                 "&un=a%20b%26c%25d%80%23&cn=0123456789abcdef"
                 "&sig=c3033ce60491c7310e783d7865155b3d009e39a8 HTTP/1.1\r\n"
                 "Host: 203.0.113.9:40000\r\n\r\n", "a user name of others");

    test_request("", "",
                 "GET http://203.0.113.9:40000?ts=1796000000&id=115097600"
                 "&un=&cn=0123456789abcdef"
                 "&sig=4077927b83fdb42ee04bc0896469d8b8aba2dc25 HTTP/1.1\r\n"
                 "Host: 203.0.113.9:40000\r\n\r\n", "no credentials");
}


static void
test_stamps(void)
{
    time_t            sec;
    ngx_uint_t        i, bad, msec;
    cwmp_udp_stamp_t  s, before;

    memset(&s, 0, sizeof(cwmp_udp_stamp_t));

    cwmp_udp_next(&s, TEST_EPOCH + 100, 0);
    tap_ok(s.ts == TEST_EPOCH + 100 && s.id == 400, "made of the time");

    cwmp_udp_next(&s, TEST_EPOCH + 100, 10);
    tap_ok(s.ts == TEST_EPOCH + 100 && s.id == 401, "at the same time");

    cwmp_udp_next(&s, TEST_EPOCH + 40, 0);
    tap_ok(s.ts == TEST_EPOCH + 100 && s.id == 402, "the clock is set back");

    cwmp_udp_next(&s, TEST_EPOCH + 101, 999);
    tap_ok(s.ts == TEST_EPOCH + 101 && s.id == 407, "and goes on");

    bad = 0;
    sec = TEST_EPOCH + 1000;

    for (i = 0; i < 100000; i++) {
        before = s;
        sec += (time_t) (i * 7919 % 5) - 2;
        msec = i * 104729 % 1000;

        cwmp_udp_next(&s, sec, msec);

        bad += (s.ts < before.ts || s.id <= before.id || s.id > 0x7fffffff);
    }

    tap_ok(bad == 0, "whatever the clock does, nothing goes back");

    s.id = 0x7fffffff;
    cwmp_udp_next(&s, TEST_EPOCH, 0);
    tap_ok(s.id == 1, "an id is positive for who reads it as signed");
}


static void
test_copies(void)
{
    tap_ok(CWMP_UDP_COPIES == 3 && cwmp_udp_due(0) == 0
           && cwmp_udp_due(1) == 300 && cwmp_udp_due(2) == 800,
           "three copies, at 0, 300 and 800 ms");
}


int
main(void)
{
    test_requests();
    test_stamps();
    test_copies();

    return tap_done();
}
