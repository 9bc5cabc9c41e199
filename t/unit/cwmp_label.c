
/*
 * sources: cwmp_label.c cwmp_origin.c cwmp_host.c cwmp_url.c
 *
 * Labels there and back; every other spelling is refused.
 */


#include "tap.h"
#include "cwmp_origin.h"


#define SIG  "AAECAwQFBgcICQoLDA0ODw"
#define X10  "xxxxxxxxxx"
#define A60  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"


static void
round_trip(const char *text, int sign, const char *expected, ngx_uint_t dots)
{
    u_char         label[CWMP_LABEL_MAX], back[4096 + 7 * 4096];
    size_t         i;
    ngx_str_t      url, l, sig, name, target;
    ngx_uint_t     good, found;
    cwmp_origin_t  o, again;
    u_char        *buf, full[CWMP_LABEL_MAX + 32];

    url.data = (u_char *) text;
    url.len = strlen(text);
    buf = malloc(cwmp_origin_size(url.len));

    if (cwmp_origin_parse(&o, &url, buf) != NGX_OK) {
        tap_ok(0, "%s is an origin", text);
        free(buf);
        return;
    }

    sig.data = (u_char *) SIG;
    sig.len = sign ? sizeof(SIG) - 1 : 0;
    l.data = label;

    good = (cwmp_label_write(&l, &o, &sig) == NGX_OK);

    if (!tap_ok(good, "%s: a label", text)) {
        free(buf);
        return;
    }

    for (i = 0, found = 0; i < l.len; i++) {
        found += (label[i] == '.');
    }

    tap_ok(l.len <= CWMP_LABEL_MAX && found == dots, "of the right length");

    name.len = ngx_sprintf(full, "%V.wake.example", &l) - full;
    name.data = full;
    target.data = (u_char *) "/a?b";
    target.len = 4;

    tap_ok(cwmp_origin_parse_name(&again, &name, &target, back) == NGX_OK
           && again.hostport.len == strlen(expected)
           && memcmp(again.hostport.data, expected, again.hostport.len) == 0
           && again.hostport.len == o.hostport.len
           && again.sig.len == sig.len
           && memcmp(again.sig.data, SIG, sig.len) == 0
           && again.target.len == 4 && again.path.len == 4,
           "which is %s again", expected);

    /* other last characters, one more, one less */

    for (i = 0, found = 0; i < 256; i++) {
        if (tolower((int) i) == full[l.len - 1] || i == '.') {
            continue;
        }

        full[l.len - 1] = (u_char) i;
        found += (cwmp_origin_parse_name(&again, &name, &target, back)
                  == NGX_OK
                  && again.hostport.len == o.hostport.len
                  && memcmp(again.hostport.data, o.hostport.data,
                            o.hostport.len) == 0
                  && again.sig.len == sig.len
                  && memcmp(again.sig.data, SIG, sig.len) == 0);
        full[l.len - 1] = label[l.len - 1];
    }

    tap_ok(found == 0, "and has one spelling");

    free(buf);
}


static void
refused(const char *text)
{
    u_char         back[32768];
    ngx_str_t      name, target;
    cwmp_origin_t  o;

    name = tap_copy(text, strlen(text));
    target.data = (u_char *) "/";
    target.len = 1;

    tap_ok(cwmp_origin_parse_name(&o, &name, &target, back) != NGX_OK,
           "\"%s\" is refused", text);
    free(name.data);
}


static void
too_long(void)
{
    u_char         label[CWMP_LABEL_MAX], *buf;
    ngx_str_t      url, l, sig;
    cwmp_origin_t  o;

    static const char  text[] = "http://" X10 "." X10 "." X10 "." X10 "."
                                X10 ".abcde";

    sig.data = (u_char *) SIG;
    sig.len = sizeof(SIG) - 1;
    l.data = label;

    url.data = (u_char *) text;
    url.len = sizeof(text) - 1;
    buf = malloc(cwmp_origin_size(url.len));

    tap_ok(cwmp_origin_parse(&o, &url, buf) == NGX_OK
           && o.host.len == CWMP_LABEL_NAME_MAX + 1
           && cwmp_label_write(&l, &o, &sig) == NGX_DECLINED,
           "a name of 60 bytes is too long");
    free(buf);
}


int
main(void)
{
    u_char      text[100];
    ngx_uint_t  i;
    uint32_t    seed = 1;

    round_trip("http://192.168.100.50:7547/x", 1, "192.168.100.50:7547", 0);
    round_trip("http://10.0.0.1", 0, "10.0.0.1:80", 0);
    round_trip("http://255.255.255.255:65535/", 1, "255.255.255.255:65535", 0);
    round_trip("http://[2001:db8::1]:7547/", 1, "[2001:db8::1]:7547", 0);
    round_trip("http://[ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe]/", 1,
               "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe]:80", 0);
    round_trip("http://cpe.lan:1/", 1, "cpe.lan:1", 0);
    round_trip("http://" X10 X10 "/", 1, X10 X10 ":80", 0);
    round_trip("http://" X10 X10 "x/", 1, X10 X10 "x:80", 1);
    round_trip("http://" X10 "." X10 "." X10 "." X10 "." X10 ".abcd/", 1,
               X10 "." X10 "." X10 "." X10 "." X10 ".abcd:80", 1);
    too_long();

    refused("");
    refused(".");
    refused("a");
    refused("none.wake.example");
    refused("www.example.com");
    refused("aeaa");
    refused("aeaaaaa");
    refused("10.0.0.1");
    refused("ieaa" A60 "aaaa");
    refused("yeaa" A60 "aaaa");

    /* whatever it is, nothing is overrun */

    for (i = 0; i < 20000; i++) {
        size_t         n, len;
        u_char         back[32768];
        ngx_str_t      name, target;
        cwmp_origin_t  o;

        seed = seed * 1664525 + 1013904223;
        len = (seed >> 8) % sizeof(text);

        for (n = 0; n < len; n++) {
            seed = seed * 1664525 + 1013904223;
            text[n] = "abcdefghijklmnopqrstuvwxyz234567.."
                      [(seed >> 8) % (i % 2 ? 32 : 34)];
        }

        name = tap_copy((char *) text, len);
        target.data = (u_char *) "/";
        target.len = 1;
        (void) cwmp_origin_parse_name(&o, &name, &target, back);
        free(name.data);
    }

    return tap_done();
}
