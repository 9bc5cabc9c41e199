
/*
 * sources: cwmp_stun.c cwmp_binding.c
 * libs:
 *
 * STUN requests as CPEs send them, cut at each byte, damaged and made up: what
 * is answered, where to and how long.
 */


#include "tap.h"
#include "cwmp_binding.h"


#define TEST_ID  "\x00\x01\x02\x03\x04\x05\x06\x07"                          \
                 "\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"
#define TEST_COOKIE_ID  "\x21\x12\xa4\x42\x04\x05\x06\x07"                   \
                        "\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f"

/* 203.0.113.9:40000 and 192.0.2.1:3478 */
#define TEST_FROM   "\xcb\x00\x71\x09"
#define TEST_LOCAL  "\xc0\x00\x02\x01"

#define TEST_TR111  "\xc0\x01\x00\x14" "dslforum.org/TR-111 "
#define TEST_USER   "\x00\x06\x00\x04" "user"
#define TEST_HMAC   "\x00\x08\x00\x14" "01234567890123456789"

#define TEST_RANDOM  200000

#define test_str(s)  s, sizeof(s) - 1


static cwmp_endpoint_t  from, local, from6, local6;


static cwmp_endpoint_t
test_endpoint(const char *addr, size_t len, ngx_uint_t port)
{
    cwmp_endpoint_t  e;

    memset(&e, 0, sizeof(cwmp_endpoint_t));
    e.family = (len == 4) ? AF_INET : AF_INET6;
    e.port = port;
    memcpy(e.addr, addr, len);

    return e;
}


/* a request of these attributes, in a copy of just its size */

static ngx_str_t
test_request(const char *id, const char *attributes, size_t len)
{
    char  buf[1600];

    memcpy(buf, "\x00\x01", 2);
    buf[2] = (char) (len >> 8);
    buf[3] = (char) len;
    memcpy(buf + 4, id, 16);
    memcpy(buf + 20, attributes, len);

    return tap_copy(buf, len + 20);
}


static cwmp_stun_verdict_e
test_parse(cwmp_stun_request_t *q, const char *id, const char *attributes,
    size_t len)
{
    ngx_str_t            s;
    cwmp_stun_verdict_e  verdict;

    s = test_request(id, attributes, len);
    verdict = cwmp_stun_parse(q, s.data, s.len, &from);
    free(s.data);

    return verdict;
}


static void
test_verdict(cwmp_stun_verdict_e expected, const char *name,
    const char *attributes, size_t len)
{
    cwmp_stun_request_t  q;

    tap_ok(test_parse(&q, TEST_ID, attributes, len) == expected, "%s", name);
}


static void
test_bytes(u_char *p, u_char *end, const char *expected, size_t len,
    const char *name)
{
    tap_ok((size_t) (end - p) == len && memcmp(p, expected, len) == 0,
           "%s (%d bytes)", name, (int) (end - p));
}


static void
test_answers(void)
{
    u_char               buf[CWMP_STUN_ANSWER_MAX], *p;
    cwmp_stun_request_t  q;

    test_parse(&q, TEST_ID, test_str(TEST_TR111));
    p = cwmp_stun_answer(buf, &q, &from, &local);

    test_bytes(buf, p, test_str("\x01\x01\x00\x24" TEST_ID
               "\x00\x01\x00\x08\x00\x01\x9c\x40" TEST_FROM
               "\x00\x04\x00\x08\x00\x01\x0d\x96" TEST_LOCAL
               "\x00\x05\x00\x08\x00\x01\x0d\x96" TEST_LOCAL),
               "RFC 3489: the answer");

    test_parse(&q, TEST_COOKIE_ID, test_str(TEST_TR111));
    p = cwmp_stun_answer(buf, &q, &from, &local);

    test_bytes(buf, p, test_str("\x01\x01\x00\x30" TEST_COOKIE_ID
               "\x00\x01\x00\x08\x00\x01\x9c\x40" TEST_FROM
               "\x00\x20\x00\x08\x00\x01\xbd\x52\xea\x12\xd5\x4b"
               "\x00\x04\x00\x08\x00\x01\x0d\x96" TEST_LOCAL
               "\x00\x05\x00\x08\x00\x01\x0d\x96" TEST_LOCAL),
               "with the cookie");
    tap_ok(p - buf == CWMP_STUN_ANSWER_MAX4, "which is the longest for IPv4");

    p = cwmp_stun_answer(buf, &q, &from6, &local6);

    tap_ok(p - buf == CWMP_STUN_ANSWER_MAX, "the longest for IPv6");
    tap_ok(memcmp(buf + 20, "\x00\x01\x00\x14\x00\x02\x9c\x40\x20\x01\x0d\xb8",
                  12) == 0, "IPv6: MAPPED-ADDRESS");
    tap_ok(memcmp(buf + 44, "\x00\x20\x00\x14\x00\x02\xbd\x52\x01\x13\xa9\xfa"
                            "\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x06",
                  24) == 0, "IPv6: XOR-MAPPED-ADDRESS");

    test_parse(&q, TEST_ID, test_str("\x00\x24\x00\x04" "abcd"
                                     "\x00\x24\x00\x04" "abcd"));
    p = cwmp_stun_refuse(buf, &q);

    test_bytes(buf, p, test_str("\x01\x11\x00\x24" TEST_ID
               "\x00\x09\x00\x18\x00\x00\x04\x14" "Unknown attribute   "
               "\x00\x0a\x00\x04\x00\x24\x00\x24"), "error 420");

    test_parse(&q, TEST_ID, test_str("\x00\x24\x00\x00\x00\x25\x00\x00"
               "\x00\x26\x00\x00\x00\x27\x00\x00\x00\x28\x00\x00"));
    p = cwmp_stun_refuse(buf, &q);

    tap_ok(p - buf <= CWMP_STUN_ANSWER_MAX4, "error 420 is no longer (%d)",
           (int) (p - buf));
}


static void
test_verdicts(void)
{
    ngx_str_t            s;
    cwmp_stun_request_t  q;

    test_verdict(CWMP_STUN_REQUEST, "nothing but the header", test_str(""));
    test_verdict(CWMP_STUN_REQUEST, "as a CPE says it",
                 test_str(TEST_TR111 TEST_USER));
    test_verdict(CWMP_STUN_REQUEST, "BINDING-CHANGE, MESSAGE-INTEGRITY",
                 test_str(TEST_TR111 "\xc0\x02\x00\x00" TEST_USER TEST_HMAC));
    test_verdict(CWMP_STUN_REQUEST, "what is optional",
                 test_str("\x80\x22\x00\x04" "test" "\x80\x28\x00\x04" "abcd"));
    test_verdict(CWMP_STUN_REQUEST, "padded",
                 test_str("\x00\x06\x00\x05" "users\0\0\0" TEST_TR111));
    test_verdict(CWMP_STUN_REQUEST, "RFC 3489: not padded",
                 test_str("\x00\x06\x00\x05" "users" TEST_TR111));
    test_verdict(CWMP_STUN_MALFORMED, "an attribute that is cut",
                 test_str("\x00\x06\x00\x08" "user"));
    test_verdict(CWMP_STUN_MALFORMED, "half of an attribute's header",
                 test_str("\x00\x06"));
    test_verdict(CWMP_STUN_UNKNOWN, "what has to be known",
                 test_str("\x00\x24\x00\x04" "abcd"));
    test_verdict(CWMP_STUN_REQUEST, "CHANGE-REQUEST of nothing",
                 test_str("\x00\x03\x00\x04\x00\x00\x00\x00"));
    test_verdict(CWMP_STUN_CHANGE, "CHANGE-REQUEST of the port",
                 test_str("\x00\x03\x00\x04\x00\x00\x00\x02"));
    test_verdict(CWMP_STUN_CHANGE, "CHANGE-REQUEST of the address",
                 test_str("\x00\x03\x00\x04\x00\x00\x00\x04"));
    test_verdict(CWMP_STUN_MALFORMED, "a short CHANGE-REQUEST",
                 test_str("\x00\x03\x00\x00"));
    test_verdict(CWMP_STUN_REFLECTION, "RESPONSE-ADDRESS of somebody else",
                 test_str("\x00\x02\x00\x08\x00\x01\x10\x00\xcb\x00\x71\x0a"));
    test_verdict(CWMP_STUN_REFLECTION, "RESPONSE-ADDRESS of another family",
                 test_str("\x00\x02\x00\x14\x00\x02\x10\x00" TEST_ID));
    test_verdict(CWMP_STUN_REFLECTION, "RESPONSE-ADDRESS without a port",
                 test_str("\x00\x02\x00\x08\x00\x01\x00\x00" TEST_FROM));
    test_verdict(CWMP_STUN_MALFORMED, "RESPONSE-ADDRESS of no family",
                 test_str("\x00\x02\x00\x08\x00\x03\x10\x00" TEST_FROM));
    test_verdict(CWMP_STUN_REFLECTION, "the first of two counts",
                 test_str("\x00\x02\x00\x08\x00\x01\x10\x00\xcb\x00\x71\x0a"
                          "\x00\x02\x00\x08\x00\x01\x10\x00" TEST_FROM));

    tap_ok(test_parse(&q, TEST_ID, test_str("\x00\x02\x00\x08\x00\x01\x10\x00"
                                            TEST_FROM))
           == CWMP_STUN_REQUEST && q.elsewhere && q.response.port == 0x1000
           && cwmp_endpoint_same_host(&q.response, &from),
           "another port of the sender: it looks how long its binding lives");

    tap_ok(test_parse(&q, TEST_ID, test_str("\x00\x02\x00\x08\x00\x01\x9c\x40"
                                            TEST_FROM))
           == CWMP_STUN_REQUEST && !q.elsewhere, "the sender itself");

    tap_ok(test_parse(&q, TEST_COOKIE_ID, test_str("\x00\x06\x00\x05" "users"
                                                   TEST_TR111))
           == CWMP_STUN_MALFORMED, "RFC 5389 pads");

    s = test_request(TEST_ID, "", 0);
    s.data[1] = 0x11;
    tap_ok(cwmp_stun_parse(&q, s.data, s.len, &from) == CWMP_STUN_OTHER,
           "an indication");
    memcpy(s.data, "\x01\x01", 2);
    tap_ok(cwmp_stun_parse(&q, s.data, s.len, &from) == CWMP_STUN_OTHER,
           "a response is not answered: two servers would talk for ever");
    s.data[0] = 0x80;
    tap_ok(cwmp_stun_parse(&q, s.data, s.len, &from) == CWMP_STUN_MALFORMED,
           "RTP");
    free(s.data);
}


static void
test_cuts(void)
{
    size_t               n;
    ngx_str_t            s, cut;
    ngx_uint_t           answered;
    cwmp_stun_request_t  q;

    s = test_request(TEST_ID, test_str(TEST_TR111 TEST_USER TEST_HMAC));
    answered = 0;

    for (n = 0; n < s.len; n++) {
        cut = tap_copy((char *) s.data, n);
        answered += (cwmp_stun_parse(&q, cut.data, n, &from)
                     != CWMP_STUN_MALFORMED);
        free(cut.data);
    }

    tap_ok(answered == 0, "whatever is cut off, it is malformed");

    free(s.data);
}


static uint32_t
test_next(void)
{
    static uint32_t  seed = 1;

    seed = seed * 1664525 + 1013904223;

    return seed >> 16;
}


static void
test_random(void)
{
    size_t                len, i;
    u_char                buf[CWMP_STUN_ANSWER_MAX], *p;
    ngx_str_t             s;
    ngx_uint_t            n, bad, seen[CWMP_STUN_REFLECTION + 1];
    cwmp_stun_request_t   q;
    cwmp_stun_verdict_e   verdict;

    static u_char  types[] = { 1, 2, 3, 6, 8, 0x20, 0x24 };

    memset(seen, 0, sizeof(seen));
    bad = 0;

    for (n = 0; n < TEST_RANDOM; n++) {

        len = test_next() % 5 * 12;

        if (test_next() % 8 == 0) {
            len += test_next() % 4;
        }

        s = test_request(test_next() % 2 ? TEST_ID : TEST_COOKIE_ID,
                         (char *) buf, 0);
        s.data = realloc(s.data, len + 20);
        s.len = len + 20;
        s.data[3] = (u_char) len;

        for (i = 20; i < s.len; i++) {
            s.data[i] = test_next();
        }

        for (i = 20; i + 12 <= s.len; i += 12) {
            s.data[i] = 0;
            s.data[i + 1] = types[test_next() % sizeof(types)];
            s.data[i + 2] = 0;
            s.data[i + 3] = test_next() % 8 ? 8 : test_next() % 12;
            s.data[i + 4] = 0;
            s.data[i + 5] = 1;

            if (test_next() % 2) {
                memcpy(s.data + i + 8, TEST_FROM, 4);
            }
        }

        verdict = cwmp_stun_parse(&q, s.data, s.len, &from);
        seen[verdict]++;

        if (verdict == CWMP_STUN_REQUEST) {
            p = cwmp_stun_answer(buf, &q, &from, &local);
            bad += (p - buf > CWMP_STUN_ANSWER_MAX4
                    || !cwmp_endpoint_same_host(&q.response, &from)
                    || memcmp(buf + 4, s.data + 4, 16) != 0);
        }

        if (verdict == CWMP_STUN_UNKNOWN) {
            p = cwmp_stun_refuse(buf, &q);
            bad += (p - buf > CWMP_STUN_ANSWER_MAX4);
        }

        free(s.data);
    }

    tap_ok(bad == 0, "no answer is too long, or goes elsewhere");
    tap_ok(seen[CWMP_STUN_REQUEST] > 1000 && seen[CWMP_STUN_UNKNOWN] > 1000
           && seen[CWMP_STUN_MALFORMED] > 1000
           && seen[CWMP_STUN_REFLECTION] > 1000, "all of them happen");
}


static void
test_endpoints(void)
{
    cwmp_endpoint_t  e, net, other;
    ngx_sockaddr_t   sa;
    struct sockaddr  unix_sa;

    tap_ok(cwmp_endpoint_sockaddr(&from, &sa) == sizeof(struct sockaddr_in)
           && cwmp_endpoint_set(&e, &sa.sockaddr) == NGX_OK
           && cwmp_endpoint_same(&e, &from), "IPv4 there and back");
    tap_ok(cwmp_endpoint_sockaddr(&from6, &sa) == sizeof(struct sockaddr_in6)
           && cwmp_endpoint_set(&e, &sa.sockaddr) == NGX_OK
           && cwmp_endpoint_same(&e, &from6), "IPv6 there and back");

    memcpy(&sa.sockaddr_in6.sin6_addr,
           "\0\0\0\0\0\0\0\0\0\0\xff\xff" TEST_FROM, 16);
    tap_ok(cwmp_endpoint_set(&e, &sa.sockaddr) == NGX_OK
           && cwmp_endpoint_same(&e, &from), "a mapped address is IPv4");

    memset(&unix_sa, 0, sizeof(struct sockaddr));
    unix_sa.sa_family = AF_UNIX;
    tap_ok(cwmp_endpoint_set(&e, &unix_sa) == NGX_DECLINED && e.family == 0,
           "others are none");

    cwmp_net_of(&from, &net);
    e = test_endpoint("\xcb\x00\x71\xff", 4, 1);
    cwmp_net_of(&e, &other);
    tap_ok(cwmp_endpoint_same(&net, &other), "the net is a /24");
    e = test_endpoint("\xcb\x00\x72\x09", 4, 40000);
    cwmp_net_of(&e, &other);
    tap_ok(!cwmp_endpoint_same(&net, &other), "another /24");

    cwmp_net_of(&from6, &net);
    cwmp_net_of(&local6, &other);
    tap_ok(cwmp_endpoint_same(&net, &other), "of IPv6 it is a /64");
}


static void
test_net(void)
{
    ngx_msec_t   now;
    cwmp_net_t   net;
    ngx_uint_t   i, taken;

    memset(&net, 0, sizeof(cwmp_net_t));
    now = (ngx_msec_t) -100;
    net.last = now;
    taken = 0;

    for (i = 0; i < 3 * CWMP_NET_BURST; i++) {
        taken += (cwmp_net_take(&net, now) == NGX_OK);
    }

    tap_ok(taken == CWMP_NET_BURST, "a burst, and no more");

    taken = 0;

    for (i = 0; i < 2000; i++) {
        now++;
        taken += (cwmp_net_take(&net, now) == NGX_OK);
        taken += (cwmp_net_take(&net, now) == NGX_OK);
        (void) cwmp_net_take(&net, now - 50);
    }

    tap_ok(taken == 2 * CWMP_NET_RATE, "then the rate: %d in two seconds",
           (int) taken);
}


static void
test_woken(void)
{
    ngx_uint_t  i;

    static struct {
        ngx_str_t   events;
        ngx_uint_t  woken;
    } rows[] = {
        { ngx_string("6 CONNECTION REQUEST"), 1 },
        { ngx_string("6"), 1 },
        { ngx_string("2 PERIODIC,6 CONNECTION REQUEST,4 VALUE CHANGE"), 1 },
        { ngx_string("2,6,4"), 1 },
        { ngx_string(""), 0 },
        { ngx_string("2 PERIODIC"), 0 },
        { ngx_string("1 BOOT,66 x"), 0 },
        { ngx_string("M 6 x"), 0 }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        tap_ok(cwmp_binding_woken(&rows[i].events) == rows[i].woken,
               "events \"%s\"", rows[i].events.data);
    }
}


int
main(void)
{
    from = test_endpoint(TEST_FROM, 4, 40000);
    local = test_endpoint(TEST_LOCAL, 4, 3478);
    from6 = test_endpoint("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x09", 16,
                          40000);
    local6 = test_endpoint("\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01", 16,
                           3478);

    test_answers();
    test_verdicts();
    test_cuts();
    test_random();
    test_endpoints();
    test_net();
    test_woken();

    return tap_done();
}
