
/*
 * sources: cwmp_origin.c cwmp_host.c cwmp_label.c cwmp_url.c
 */


#include "tap.h"
#include "cwmp_origin.h"


typedef struct {
    const char  *url;
    ngx_uint_t   family;
    const char  *host;
    const char  *hostport;
    const char  *header;
    const char  *target;
    const char  *path;
} test_url_t;


static test_url_t  urls[] = {

    { "http://192.168.100.50:7547", AF_INET, "192.168.100.50",
      "192.168.100.50:7547", "192.168.100.50:7547", "/", "/" },

    { "HTTP://10.0.0.1/", AF_INET, "10.0.0.1",
      "10.0.0.1:80", "10.0.0.1", "/", "/" },

    { "hTTp://10.0.0.1:80/aB?c=D", AF_INET, "10.0.0.1",
      "10.0.0.1:80", "10.0.0.1", "/aB?c=D", "/aB?c=D" },

    { "http://CPE-7.Example_net.:65535/x", AF_UNSPEC,
      "cpe-7.example_net", "cpe-7.example_net:65535",
      "cpe-7.example_net:65535", "/x", "/x" },

    { "http://localhost:1?a=b", AF_UNSPEC, "localhost",
      "localhost:1", "localhost:1", "/?a=b", "/?a=b" },

    { "http://[2001:DB8:0:0::1]:7547/", AF_INET6, "2001:db8::1",
      "[2001:db8::1]:7547", "[2001:db8::1]:7547", "/", "/" },

    { "http://[fd00::1]", AF_INET6, "fd00::1",
      "[fd00::1]:80", "[fd00::1]", "/", "/" },

    { "http://[::ffff:127.0.0.1]:7547/", AF_INET, "127.0.0.1",
      "127.0.0.1:7547", "127.0.0.1:7547", "/", "/" },

    { "http://[::FFFF:7f00:1]:7547/", AF_INET, "127.0.0.1",
      "127.0.0.1:7547", "127.0.0.1:7547", "/", "/" },

    { "http://1a.2b:7547/", AF_UNSPEC, "1a.2b",
      "1a.2b:7547", "1a.2b:7547", "/", "/" },

    { "http://a.0xg:7547/", AF_UNSPEC, "a.0xg",
      "a.0xg:7547", "a.0xg:7547", "/", "/" },

    /* the target stays as announced; the signed path is normalised */

    { "http://10.0.0.1:7547/a/./b/../c/%7e%2f%3a?x=%41&y", AF_INET,
      "10.0.0.1", "10.0.0.1:7547", "10.0.0.1:7547",
      "/a/./b/../c/%7e%2f%3a?x=%41&y", "/a/c/~%2F:?x=A&y" },

    { "http://10.0.0.1/%2e%2E/%2e/x/.", AF_INET, "10.0.0.1",
      "10.0.0.1:80", "10.0.0.1", "/%2e%2E/%2e/x/.", "/x/" },

    { "http://10.0.0.1/..", AF_INET, "10.0.0.1",
      "10.0.0.1:80", "10.0.0.1", "/..", "/" },

    { "http://10.0.0.1/a/b/..", AF_INET, "10.0.0.1",
      "10.0.0.1:80", "10.0.0.1", "/a/b/..", "/a/" },

    { "http://10.0.0.1/a//../b/...", AF_INET, "10.0.0.1",
      "10.0.0.1:80", "10.0.0.1", "/a//../b/...", "/a/b/..." },

    { "http://10.0.0.1/?../a/./b", AF_INET, "10.0.0.1",
      "10.0.0.1:80", "10.0.0.1", "/?../a/./b", "/?../a/./b" },

    { "http://10.0.0.1/p?", AF_INET, "10.0.0.1",
      "10.0.0.1:80", "10.0.0.1", "/p?", "/p" },

    { "http://10.0.0.1/p?&", AF_INET, "10.0.0.1",
      "10.0.0.1:80", "10.0.0.1", "/p?&", "/p" },

    { "http://10.0.0.1/?a&", AF_INET, "10.0.0.1",
      "10.0.0.1:80", "10.0.0.1", "/?a&", "/?a" },

    { "http://10.0.0.1/?a?b?", AF_INET, "10.0.0.1",
      "10.0.0.1:80", "10.0.0.1", "/?a?b?", "/?a?b?" },

    { "http://10.0.0.1/a%26b&c%2Bd+e%3b;", AF_INET, "10.0.0.1",
      "10.0.0.1:80", "10.0.0.1", "/a%26b&c%2Bd+e%3b;",
      "/a%26b&c%2Bd+e%3B;" },

    /* bytes that a request line cannot carry */

    { "http://10.0.0.1/\303\251{|}^`[]", AF_INET, "10.0.0.1",
      "10.0.0.1:80", "10.0.0.1", "/%C3%A9%7B%7C%7D%5E%60[]",
      "/%C3%A9%7B%7C%7D%5E%60%5B%5D" },
};


typedef struct {
    ngx_int_t    rc;
    const char  *url;
} test_bad_url_t;


static test_bad_url_t  bad_urls[] = {

    { CWMP_ORIGIN_MISSING, "" },

    /* other schemes and none */

    { CWMP_ORIGIN_SCHEME, "http:" },
    { CWMP_ORIGIN_SCHEME, "http:/10.0.0.1/" },
    { CWMP_ORIGIN_SCHEME, "https://10.0.0.1/" },
    { CWMP_ORIGIN_SCHEME, "ftp://10.0.0.1/" },
    { CWMP_ORIGIN_SCHEME, "gopher://10.0.0.1:70/" },
    { CWMP_ORIGIN_SCHEME, "file:///etc/passwd" },
    { CWMP_ORIGIN_SCHEME, "10.0.0.1:7547" },
    { CWMP_ORIGIN_SCHEME, "//10.0.0.1:7547" },
    { CWMP_ORIGIN_SCHEME, "unix:/run/x.sock" },

    /* no host */

    { CWMP_ORIGIN_NO_HOST, "http://" },
    { CWMP_ORIGIN_NO_HOST, "http:///path" },
    { CWMP_ORIGIN_NO_HOST, "http://:7547/" },
    { CWMP_ORIGIN_NO_HOST, "http://?x" },
    { CWMP_ORIGIN_NO_HOST, "http://::1/" },

    /* userinfo */

    { CWMP_ORIGIN_USERINFO, "http://user@10.0.0.1/" },
    { CWMP_ORIGIN_USERINFO, "http://user:pw@10.0.0.1/" },
    { CWMP_ORIGIN_USERINFO, "http://10.0.0.1@evil.example:80/" },
    { CWMP_ORIGIN_USERINFO, "http://@10.0.0.1/" },

    /* fragments and backslashes */

    { CWMP_ORIGIN_FRAGMENT, "http://10.0.0.1/#x" },
    { CWMP_ORIGIN_FRAGMENT, "http://10.0.0.1#@evil.example/" },
    { CWMP_ORIGIN_BACKSLASH, "http://10.0.0.1\\@evil.example/" },
    { CWMP_ORIGIN_BACKSLASH, "http:\\\\10.0.0.1/" },
    { CWMP_ORIGIN_BACKSLASH, "http://10.0.0.1/a\\b" },

    /* controls, raw and encoded */

    { CWMP_ORIGIN_CONTROL, "http://10.0.0.1/a\r\nX: y" },
    { CWMP_ORIGIN_CONTROL, "http://10.0.0.1/a\nb" },
    { CWMP_ORIGIN_CONTROL, "http://10.0.0.1/a\tb" },
    { CWMP_ORIGIN_CONTROL, "http://10.0.0.1/a\177b" },
    { CWMP_ORIGIN_CONTROL, "http://10.0.0.1\r\n/" },
    { CWMP_ORIGIN_CONTROL, "http://10.0.0.1/%0d%0aX:y" },
    { CWMP_ORIGIN_CONTROL, "http://10.0.0.1/?%0A" },
    { CWMP_ORIGIN_CONTROL, "http://10.0.0.1/%00" },
    { CWMP_ORIGIN_CONTROL, "http://10.0.0.1/%7F" },
    { CWMP_ORIGIN_CONTROL, "http://10.0.0.1/%1f" },

    { CWMP_ORIGIN_BAD_CHAR, "http://10.0.0.1/a b" },
    { CWMP_ORIGIN_BAD_CHAR, " http://10.0.0.1/" },
    { CWMP_ORIGIN_BAD_CHAR, "http://10.0.0.1/\"" },
    { CWMP_ORIGIN_BAD_CHAR, "http://10.0.0.1/<" },
    { CWMP_ORIGIN_BAD_CHAR, "http://10.0.0.1/>" },

    { CWMP_ORIGIN_BAD_ESCAPE, "http://10.0.0.1/%" },
    { CWMP_ORIGIN_BAD_ESCAPE, "http://10.0.0.1/%4" },
    { CWMP_ORIGIN_BAD_ESCAPE, "http://10.0.0.1/%4g" },
    { CWMP_ORIGIN_BAD_ESCAPE, "http://10.0.0.1/%%41" },

    /* numbers that are no canonical dotted quad */

    { CWMP_ORIGIN_BAD_NUMBER, "http://127.1/" },
    { CWMP_ORIGIN_BAD_NUMBER, "http://127.0.1:7547/" },
    { CWMP_ORIGIN_BAD_NUMBER, "http://0177.0.0.1/" },
    { CWMP_ORIGIN_BAD_NUMBER, "http://0177.1/" },
    { CWMP_ORIGIN_BAD_NUMBER, "http://2130706433/" },
    { CWMP_ORIGIN_BAD_NUMBER, "http://0x7f000001/" },
    { CWMP_ORIGIN_BAD_NUMBER, "http://0X7F.0.0.1/" },
    { CWMP_ORIGIN_BAD_NUMBER, "http://0x7f.1/" },
    { CWMP_ORIGIN_BAD_NUMBER, "http://0xcafe.example/" },
    { CWMP_ORIGIN_BAD_NUMBER, "http://127.0.0.0x1/" },
    { CWMP_ORIGIN_BAD_NUMBER, "http://a.0x1/" },
    { CWMP_ORIGIN_BAD_NUMBER, "http://a.0x/" },
    { CWMP_ORIGIN_BAD_NUMBER, "http://a.127/" },
    { CWMP_ORIGIN_BAD_NUMBER, "http://127.0.0.1./" },
    { CWMP_ORIGIN_BAD_NUMBER, "http://127.0.0.01/" },
    { CWMP_ORIGIN_BAD_NUMBER, "http://127.0.0.256/" },
    { CWMP_ORIGIN_BAD_NUMBER, "http://1.2.3.4.5/" },
    { CWMP_ORIGIN_BAD_NUMBER, "http://1..2.3/" },
    { CWMP_ORIGIN_BAD_NUMBER, "http://.1.2.3/" },
    { CWMP_ORIGIN_BAD_NUMBER, "http://0/" },
    { CWMP_ORIGIN_BAD_NUMBER, "http://1111111111.1111111/" },

    /* names */

    { CWMP_ORIGIN_BAD_HOST, "http://./" },
    { CWMP_ORIGIN_BAD_HOST, "http://../" },
    { CWMP_ORIGIN_BAD_HOST, "http://a..b/" },
    { CWMP_ORIGIN_BAD_HOST, "http://a../" },
    { CWMP_ORIGIN_BAD_HOST, "http://.a/" },
    { CWMP_ORIGIN_BAD_HOST, "http://%31%32%37.0.0.a/" },
    { CWMP_ORIGIN_BAD_HOST, "http://ex%61mple/" },
    { CWMP_ORIGIN_BAD_HOST, "http://\303\251.example/" },
    { CWMP_ORIGIN_BAD_HOST, "http://a,b/" },
    { CWMP_ORIGIN_BAD_HOST, "http://a;b/" },
    { CWMP_ORIGIN_BAD_HOST, "http://a!b/" },
    { CWMP_ORIGIN_BAD_HOST, "http://a&b/" },
    { CWMP_ORIGIN_BAD_HOST, "http://aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                            "aaaaaaaaaaaaaaaaaaaaaaaa/" },

    /* IPv6 */

    { CWMP_ORIGIN_BAD_IPV6, "http://[]/" },
    { CWMP_ORIGIN_BAD_IPV6, "http://[::1/" },
    { CWMP_ORIGIN_BAD_IPV6, "http://[::1]x/" },
    { CWMP_ORIGIN_BAD_IPV6, "http://[::1]]:80/" },
    { CWMP_ORIGIN_BAD_IPV6, "http://[1.2.3.4]/" },
    { CWMP_ORIGIN_BAD_IPV6, "http://[::1::]/" },
    { CWMP_ORIGIN_BAD_IPV6, "http://[12345::]/" },
    { CWMP_ORIGIN_BAD_IPV6, "http://[::ffff:127.1]/" },
    { CWMP_ORIGIN_BAD_IPV6, "http://[::ffff:0177.0.0.1]/" },
    { CWMP_ORIGIN_BAD_IPV6, "http://[v1.x]/" },
    { CWMP_ORIGIN_BAD_IPV6, "http://fe80::1:7547/" },
    { CWMP_ORIGIN_BAD_IPV6, "http://a:1:2/" },
    { CWMP_ORIGIN_BAD_IPV6, "http://[0000:0000:0000:0000:0000:0000:0000:0000:"
                            "0000:0000:0000:0000]/" },

    { CWMP_ORIGIN_ZONE, "http://[fe80::1%25eth0]:7547/" },
    { CWMP_ORIGIN_ZONE, "http://[fe80::1%25]/" },

    /* ports */

    { CWMP_ORIGIN_BAD_PORT, "http://10.0.0.1:/" },
    { CWMP_ORIGIN_BAD_PORT, "http://10.0.0.1:0/" },
    { CWMP_ORIGIN_BAD_PORT, "http://10.0.0.1:00080/" },
    { CWMP_ORIGIN_BAD_PORT, "http://10.0.0.1:65536/" },
    { CWMP_ORIGIN_BAD_PORT, "http://10.0.0.1:99999/" },
    { CWMP_ORIGIN_BAD_PORT, "http://10.0.0.1:4294967376/" },
    { CWMP_ORIGIN_BAD_PORT, "http://10.0.0.1:-1/" },
    { CWMP_ORIGIN_BAD_PORT, "http://10.0.0.1:80a/" },
    { CWMP_ORIGIN_BAD_PORT, "http://[::1]:/" },
    { CWMP_ORIGIN_BAD_PORT, "http://[::1]:0/" },
};


typedef struct {
    ngx_uint_t   mode;
    const char  *request;
    const char  *hostport;
    const char  *target;
    const char  *path;
    const char  *sig;
} test_target_t;


static test_target_t  targets[] = {

    /* cwmp-proxy's own form, and ours */

    { CWMP_URL_QUERY, "/client?origin=http://192.168.100.50:7547",
      "192.168.100.50:7547", "/", "/", "" },

    { CWMP_URL_QUERY, "/client?origin=http://10.0.0.1:7547/x?a=1%26b=2"
      "&sig=AAAAAAAAAAAAAAAAAAAAAA",
      "10.0.0.1:7547", "/x?a=1&b=2", "/x?a=1&b=2",
      "AAAAAAAAAAAAAAAAAAAAAA" },

    /* encoded as a whole by the ACS's URL parser */

    { CWMP_URL_QUERY, "/client?origin=http%3A%2F%2F10.0.0.1%3a7547%2Fx%3fa"
      "&sig=%41bc", "10.0.0.1:7547", "/x?a", "/x?a", "Abc" },

    /* decoded exactly once */

    { CWMP_URL_QUERY, "/c?origin=http://10.0.0.1/%2541%252f",
      "10.0.0.1:80", "/%41%2f", "/A%2F", "" },

    { CWMP_URL_QUERY, "/c?origin=http://10.0.0.1/a+b",
      "10.0.0.1:80", "/a+b", "/a+b", "" },

    /* arguments of the public URL, and the first one of several */

    { CWMP_URL_QUERY, "/c?x=1&sig=no&origin=http://10.0.0.1/&y&sig=yes",
      "10.0.0.1:80", "/", "/", "yes" },

    { CWMP_URL_QUERY, "/c?origin=http://10.0.0.1/&origin=http://10.0.0.2/"
      "&sig=s&sig=t", "10.0.0.1:80", "/", "/", "s" },

    /* path mode: the target goes on untouched, our arguments are not signed */

    { CWMP_URL_PATH, "/cr?origin=10.0.0.1:7547&sig=abc",
      "10.0.0.1:7547", "/cr?origin=10.0.0.1:7547&sig=abc", "/cr", "abc" },

    { CWMP_URL_PATH, "/?origin=10.0.0.1:7547&sig=abc",
      "10.0.0.1:7547", "/?origin=10.0.0.1:7547&sig=abc", "/", "abc" },

    { CWMP_URL_PATH, "/a/../%7Ecr?x=%2f&origin=%5Bfd00::1%5d:7547&sig=abc",
      "[fd00::1]:7547",
      "/a/../%7Ecr?x=%2f&origin=%5Bfd00::1%5d:7547&sig=abc",
      "/~cr?x=%2F", "abc" },

    { CWMP_URL_PATH, "/p?&origin=10.0.0.1:7547&sig=abc",
      "10.0.0.1:7547", "/p?&origin=10.0.0.1:7547&sig=abc", "/p", "abc" },

    { CWMP_URL_PATH, "/p?x&&origin=CPE.example:7547&sig=abc",
      "cpe.example:7547", "/p?x&&origin=CPE.example:7547&sig=abc",
      "/p?x", "abc" },

    /* the CPE's own arguments may have our names */

    { CWMP_URL_PATH, "/p?origin=1&sig=2&origin=10.0.0.1:7547&sig=abc",
      "10.0.0.1:7547", "/p?origin=1&sig=2&origin=10.0.0.1:7547&sig=abc",
      "/p?origin=1&sig=2", "abc" },

    { CWMP_URL_PATH, "/p?origin=10.0.0.1:7547&y=1",
      "10.0.0.1:7547", "/p?origin=10.0.0.1:7547&y=1", "/p?y=1", "" },

    { CWMP_URL_PATH, "/p?origin=10.0.0.1",
      "10.0.0.1:80", "/p?origin=10.0.0.1", "/p", "" },
};


typedef struct {
    ngx_uint_t   mode;
    ngx_int_t    rc;
    const char  *request;
} test_bad_target_t;


#define Q  CWMP_URL_QUERY
#define P  CWMP_URL_PATH


static test_bad_target_t  bad_targets[] = {

    { Q, CWMP_ORIGIN_MISSING, "/c" },
    { Q, CWMP_ORIGIN_MISSING, "/c?" },
    { Q, CWMP_ORIGIN_MISSING, "/c?origin" },
    { Q, CWMP_ORIGIN_MISSING, "/c?origin=" },
    { Q, CWMP_ORIGIN_MISSING, "/c?xorigin=http://10.0.0.1/" },
    { Q, CWMP_ORIGIN_MISSING, "/c?Origin=http://10.0.0.1/" },
    { Q, CWMP_ORIGIN_MISSING, "/origin=http://10.0.0.1/" },
    { Q, CWMP_ORIGIN_MISSING, "" },
    { Q, CWMP_ORIGIN_BAD_ESCAPE, "/c?origin=http://10.0.0.1/%" },
    { Q, CWMP_ORIGIN_BAD_ESCAPE, "/c?origin=http://10.0.0.1/%zz" },
    { Q, CWMP_ORIGIN_BAD_ESCAPE, "/c?origin=http://10.0.0.1/&sig=%4" },
    { Q, CWMP_ORIGIN_CONTROL, "/c?origin=http://10.0.0.1/%0d%0aX:y" },
    { Q, CWMP_ORIGIN_CONTROL, "/c?origin=http://10.0.0.1/%250d%250aX:y" },
    { Q, CWMP_ORIGIN_CONTROL, "/c?origin=http://10.0.0.1/%00" },
    { Q, CWMP_ORIGIN_FRAGMENT, "/c?origin=http://10.0.0.1/%23x" },
    { Q, CWMP_ORIGIN_USERINFO, "/c?origin=http://a%40b/" },
    { Q, CWMP_ORIGIN_ZONE, "/c?origin=http://[fe80::1%2525eth0]/" },
    { Q, CWMP_ORIGIN_BAD_NUMBER, "/c?origin=http://0x7f.1/" },

    { P, CWMP_ORIGIN_MISSING, "/p" },
    { P, CWMP_ORIGIN_MISSING, "/p?origin=&sig=x" },
    { P, CWMP_ORIGIN_MISSING, "*?origin=10.0.0.1:7547" },
    { P, CWMP_ORIGIN_BAD_IPV6, "/p?origin=http://10.0.0.1:7547/" },
    { P, CWMP_ORIGIN_BAD_PORT, "/p?origin=10.0.0.1:7547/x" },
    { P, CWMP_ORIGIN_USERINFO, "/p?origin=u%4010.0.0.1:7547" },
    { P, CWMP_ORIGIN_CONTROL, "/p?origin=10.0.0.1%0d%0a:7547" },
    { P, CWMP_ORIGIN_CONTROL, "/%0d?origin=10.0.0.1:7547" },
    { P, CWMP_ORIGIN_BAD_CHAR, "/\"?origin=10.0.0.1:7547" },
    { P, CWMP_ORIGIN_FRAGMENT, "/#?origin=10.0.0.1:7547" },
    { P, CWMP_ORIGIN_BAD_ESCAPE, "/%?origin=10.0.0.1:7547" },
    { P, CWMP_ORIGIN_BAD_NUMBER, "/p?origin=127.1:7547" },
    { P, CWMP_ORIGIN_ZONE, "/p?origin=[fe80::1%2525eth0]:1" },
};


#define nelts(a)  (sizeof(a) / sizeof(a[0]))


static ngx_int_t
test_parse(cwmp_origin_t *o, ngx_int_t mode, const char *text, u_char **buf)
{
    ngx_int_t  rc;
    ngx_str_t  input;

    input = tap_str(text);
    *buf = malloc(cwmp_origin_size(input.len));

    rc = (mode == -1) ? cwmp_origin_parse(o, &input, *buf)
                      : cwmp_origin_parse_target(o, mode, &input, *buf);

    /* nothing of the result may lie in the input */

    free(input.data);

    return rc;
}


static void
test_urls(void)
{
    u_char         *buf;
    ngx_int_t       rc;
    ngx_uint_t      i;
    test_url_t     *t;
    cwmp_origin_t   o;

    for (i = 0; i < nelts(urls); i++) {
        t = &urls[i];

        rc = test_parse(&o, -1, t->url, &buf);

        if (tap_ok(rc == NGX_OK, "%s", t->url)) {
            tap_ok(o.sockaddr.sockaddr.sa_family == t->family, "family");
            tap_is(&o.host, t->host, "host");
            tap_is(&o.hostport, t->hostport, "host:port");
            tap_is(&o.host_header, t->header, "Host");
            tap_is(&o.target, t->target, "target");
            tap_is(&o.path, t->path, "signed path");
            tap_ok(o.sig.len == 0, "no signature");
        }

        free(buf);
    }

    for (i = 0; i < nelts(bad_urls); i++) {
        rc = test_parse(&o, -1, bad_urls[i].url, &buf);

        if (!tap_ok(rc == bad_urls[i].rc, "bad URL %d %s", (int) i,
                    cwmp_origin_strerror(bad_urls[i].rc)))
        {
            printf("# got: %s\n", cwmp_origin_strerror(rc));
        }

        free(buf);
    }
}


static void
test_targets(void)
{
    u_char         *buf;
    ngx_int_t       rc;
    ngx_uint_t      i;
    test_target_t  *t;
    cwmp_origin_t   o;

    for (i = 0; i < nelts(targets); i++) {
        t = &targets[i];

        rc = test_parse(&o, t->mode, t->request, &buf);

        if (tap_ok(rc == NGX_OK, "%s", t->request)) {
            tap_is(&o.hostport, t->hostport, "host:port");
            tap_is(&o.target, t->target, "target");
            tap_is(&o.path, t->path, "signed path");
            tap_is(&o.sig, t->sig, "signature");
        }

        free(buf);
    }

    for (i = 0; i < nelts(bad_targets); i++) {
        rc = test_parse(&o, bad_targets[i].mode, bad_targets[i].request, &buf);

        if (!tap_ok(rc == bad_targets[i].rc, "bad target %d %s", (int) i,
                    cwmp_origin_strerror(bad_targets[i].rc)))
        {
            printf("# got: %s\n", cwmp_origin_strerror(rc));
        }

        free(buf);
    }
}


/* a name of 253 characters, and of 254 */

static void
test_long_name(void)
{
    char            url[512], *p;
    u_char         *buf;
    ngx_int_t       rc;
    ngx_uint_t      i;
    cwmp_origin_t   o;

    p = url + sprintf(url, "http://");

    for (i = 0; i < 126; i++) {
        p += sprintf(p, "a.");
    }

    strcpy(p, "a/");
    rc = test_parse(&o, -1, url, &buf);
    tap_ok(rc == NGX_OK && o.host.len == 253, "longest name");
    free(buf);

    strcpy(p, "aa/");
    rc = test_parse(&o, -1, url, &buf);
    tap_ok(rc == CWMP_ORIGIN_BAD_HOST, "name too long");
    free(buf);
}


static void
test_errors(void)
{
    ngx_int_t   i, j;
    ngx_uint_t  equal;

    equal = 0;

    for (i = NGX_OK; i <= CWMP_ORIGIN_BAD_PORT; i++) {
        for (j = NGX_OK; j < i; j++) {
            equal += (strcmp(cwmp_origin_strerror(i),
                             cwmp_origin_strerror(j)) == 0);
        }
    }

    tap_ok(equal == 0, "each error has a text of its own");
}


static void
test_length(void)
{
    size_t          n;
    u_char         *buf;
    ngx_str_t       url, target;
    cwmp_origin_t   o;

    url.len = CWMP_ORIGIN_MAX;
    url.data = malloc(url.len + 1);
    memset(url.data, 0xff, url.len + 1);
    memcpy(url.data, "http://10.0.0.1/", 16);

    buf = malloc(cwmp_origin_size(url.len));

    tap_ok(cwmp_origin_parse(&o, &url, buf) == NGX_OK
           && o.target.len == 1 + 3 * (url.len - 16), "longest origin");

    url.len++;

    tap_ok(cwmp_origin_parse(&o, &url, buf) == CWMP_ORIGIN_TOO_LONG,
           "origin too long");

    target.len = CWMP_ORIGIN_MAX;
    target.data = malloc(target.len + 1);
    memset(target.data, '[', target.len + 1);
    memcpy(target.data, "/?origin=10.0.0.1&", 18);

    tap_ok(cwmp_origin_parse_target(&o, CWMP_URL_PATH, &target, buf) == NGX_OK
           && o.target.len == target.len
           && o.path.len == 2 + 3 * (target.len - 18), "longest target");

    target.len++;

    tap_ok(cwmp_origin_parse_target(&o, CWMP_URL_PATH, &target, buf)
           == CWMP_ORIGIN_TOO_LONG, "target too long");

    free(target.data);

    /* arguments up to three times the maximum, since all may be encoded */

    target.len = 20 + 2 * (CWMP_ORIGIN_ENCODED_MAX + 1);
    target.data = malloc(target.len);
    memset(target.data, 'a', target.len);
    memcpy(target.data, "/?origin=", 9);
    memcpy(target.data + 9 + CWMP_ORIGIN_ENCODED_MAX, "&sig=", 5);
    target.len = 14 + 2 * CWMP_ORIGIN_ENCODED_MAX;

    free(buf);
    buf = malloc(cwmp_origin_size(target.len));

    tap_ok(cwmp_origin_parse_target(&o, CWMP_URL_QUERY, &target, buf)
           == CWMP_ORIGIN_TOO_LONG, "longest arguments");

    for (n = 9; n < 9 + CWMP_ORIGIN_ENCODED_MAX; n += 3) {
        memcpy(target.data + n, "%ff", 3);
    }

    memcpy(target.data + 9, "http://10.0.0.1/", 16);
    memcpy(target.data + 9 + 16, "aaaaa", 5);

    tap_ok(cwmp_origin_parse_target(&o, CWMP_URL_QUERY, &target, buf)
           == CWMP_ORIGIN_TOO_LONG, "origin too long when decoded");

    memcpy(target.data + 9 + 16 + 5, "&", 1);

    tap_ok(cwmp_origin_parse_target(&o, CWMP_URL_QUERY, &target, buf)
           == NGX_OK && o.sig.len == CWMP_ORIGIN_ENCODED_MAX,
           "longest signature");

    target.len++;

    tap_ok(cwmp_origin_parse_target(&o, CWMP_URL_QUERY, &target, buf)
           == CWMP_ORIGIN_TOO_LONG, "signature too long");

    free(buf);
    free(url.data);
    free(target.data);
}


static void
test_sockaddr(void)
{
    u_char           *buf;
    cwmp_origin_t     o;
    struct in6_addr   addr;

    (void) test_parse(&o, -1, "http://10.1.2.3:7547/", &buf);

    tap_ok(o.socklen == sizeof(struct sockaddr_in)
           && o.sockaddr.sockaddr.sa_family == AF_INET
           && o.sockaddr.sockaddr_in.sin_port == htons(7547)
           && o.sockaddr.sockaddr_in.sin_addr.s_addr == htonl(0x0a010203),
           "IPv4 socket address");

    free(buf);

    (void) test_parse(&o, -1, "http://[fd00::1]:7547/", &buf);

    inet_pton(AF_INET6, "fd00::1", &addr);

    tap_ok(o.socklen == sizeof(struct sockaddr_in6)
           && o.sockaddr.sockaddr.sa_family == AF_INET6
           && o.sockaddr.sockaddr_in6.sin6_port == htons(7547)
           && o.sockaddr.sockaddr_in6.sin6_scope_id == 0
           && memcmp(&o.sockaddr.sockaddr_in6.sin6_addr, &addr, 16) == 0,
           "IPv6 socket address");

    free(buf);

    (void) test_parse(&o, -1, "http://cpe.example/", &buf);

    tap_ok(o.socklen == 0 && o.port == 80, "no socket address of a name");

    free(buf);
}


int
main(void)
{
    test_urls();
    test_targets();
    test_long_name();
    test_errors();
    test_length();
    test_sockaddr();

    return tap_done();
}
