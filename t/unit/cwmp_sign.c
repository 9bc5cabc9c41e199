
/*
 * sources: cwmp_sign.c cwmp_origin.c cwmp_host.c cwmp_label.c cwmp_url.c
 * libs: -lcrypto
 *
 * The expected digests were calculated with Python's hmac and hashlib.
 */


#include "tap.h"
#include "cwmp_sign.h"


static ngx_str_t  secrets[] = {
    ngx_string("0123456789abcdef"),
    ngx_string("fedcba9876543210"),
    ngx_string("the third and longest of all the keys, above a block of 64 "
               "bytes, which HMAC hashes")
};

static cwmp_sign_key_t  keys[3];


static ngx_int_t
test_origin(cwmp_origin_t *o, u_char *buf, ngx_int_t mode, const char *text)
{
    ngx_str_t  s;

    s.data = (u_char *) text;
    s.len = strlen(text);

    return (mode == -1) ? cwmp_origin_parse(o, &s, buf)
                        : cwmp_origin_parse_target(o, mode, &s, buf);
}


static void
test_vectors(void)
{
    u_char         sig[CWMP_SIGN_LEN], buf[cwmp_origin_size(64)];
    ngx_str_t      got;
    cwmp_origin_t  o;

    got.data = sig;
    got.len = CWMP_SIGN_LEN;

    (void) test_origin(&o, buf, -1, "http://192.168.100.50:7547");
    (void) cwmp_sign(&keys[0], CWMP_URL_QUERY, &o, sig);
    tap_is(&got, "6VHnEywYK1tGyLd-dim4JA", "query mode");

    (void) test_origin(&o, buf, -1, "http://[FD00:0::1]:7547/a/../cr?x=1");
    (void) cwmp_sign(&keys[0], CWMP_URL_PATH, &o, sig);
    tap_is(&got, "hnq7hwPbnVhDP9S2J07aiw", "path mode");
}


typedef struct {
    ngx_uint_t   mode;
    const char  *announced;
    const char  *called;        /* %s: the signature */
    ngx_int_t    rc;
} test_sign_t;


#define Q  CWMP_URL_QUERY
#define P  CWMP_URL_PATH


static test_sign_t  signs[] = {

    /* what URL parsers do on the way */

    { Q, "http://10.0.0.1:7547/a?b", "/c?origin=http://10.0.0.1:7547/a?b"
      "&sig=%s", NGX_OK },
    { Q, "HTTP://CPE.example:7547", "/c?origin=http%%3A%%2F%%2Fcpe.example"
      "%%3A7547%%2F&sig=%s", NGX_OK },
    { Q, "http://[fd00:0:0::1]/", "/c?origin=http://[fd00::1]:80&sig=%s",
      NGX_OK },
    { Q, "http://10.0.0.1/a/../%%7eb?", "/c?origin=http://10.0.0.1/~b"
      "&sig=%s", NGX_OK },
    { P, "http://10.0.0.1:7547", "/?origin=10.0.0.1:7547&sig=%s", NGX_OK },
    { P, "http://10.0.0.1:7547/x/./y/%%7e\303\251?a=%%2f&b",
      "/x/y/~%%C3%%A9?a=%%2F&b&origin=10.0.0.1:7547&sig=%s", NGX_OK },
    { P, "http://10.0.0.1/?origin=x", "/?origin=x&origin=10.0.0.1:80&sig=%s",
      NGX_OK },

    /* anything else that differs */

    { Q, "http://10.0.0.1:7547/", "/c?origin=http://10.0.0.2:7547/&sig=%s",
      NGX_DECLINED },
    { Q, "http://10.0.0.1:7547/", "/c?origin=http://10.0.0.1:7548/&sig=%s",
      NGX_DECLINED },
    { Q, "http://10.0.0.1:7547/", "/c?origin=http://10.0.0.1:7547/a&sig=%s",
      NGX_DECLINED },
    { Q, "http://10.0.0.1:7547/a", "/c?origin=http://10.0.0.1:7547/A&sig=%s",
      NGX_DECLINED },
    { Q, "http://10.0.0.1/a?b", "/c?origin=http://10.0.0.1/a%%253fb&sig=%s",
      NGX_DECLINED },
    { Q, "http://10.0.0.1/a/b", "/c?origin=http://10.0.0.1/a%%252fb&sig=%s",
      NGX_DECLINED },
    { Q, "http://10.0.0.1/", "/c?sig=%s&origin=http://10.0.0.1/",
      NGX_DECLINED },
    { P, "http://10.0.0.1:80/a", "/b?origin=10.0.0.1:80&sig=%s",
      NGX_DECLINED },
    { P, "http://10.0.0.1:80/a", "/a?x&origin=10.0.0.1:80&sig=%s",
      NGX_DECLINED },
    { P, "http://10.0.0.1:80/a", "/a?origin=10.0.0.2:80&sig=%s",
      NGX_DECLINED },
    { P, "http://10.0.0.1:80/a", "/a?origin=10.0.0.1:80&sig=%sA",
      NGX_DECLINED },
    { P, "http://10.0.0.1:80/a", "/a?origin=10.0.0.1:80&sig=A%s",
      NGX_DECLINED },
    { P, "http://10.0.0.1:80/a", "/a?origin=10.0.0.1:80", NGX_DECLINED },
};


static void
test_verify(void)
{
    char            sig[CWMP_SIGN_LEN + 1], text[256];
    u_char          buf[cwmp_origin_size(256)];
    ngx_int_t       rc;
    ngx_uint_t      i, mode, bit;
    test_sign_t    *t;
    cwmp_origin_t   o;

    sig[CWMP_SIGN_LEN] = '\0';

    for (i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
        t = &signs[i];

        snprintf(text, sizeof(text), t->announced, "");
        (void) test_origin(&o, buf, -1, text);
        (void) cwmp_sign(&keys[1], t->mode, &o, (u_char *) sig);

        snprintf(text, sizeof(text), t->called, sig);
        (void) test_origin(&o, buf, t->mode, text);

        rc = cwmp_sign_verify(keys, 3, t->mode, &o);
        tap_ok(rc == t->rc, "%s, called as %s", t->announced, t->called);

        if (rc != NGX_OK) {
            continue;
        }

        tap_ok(cwmp_sign_verify(keys, 1, t->mode, &o) == NGX_DECLINED
               && cwmp_sign_verify(keys, 0, t->mode, &o) == NGX_DECLINED
               && cwmp_sign_verify(&keys[1], 1, t->mode, &o) == NGX_OK,
               "by its own key only");

        mode = (t->mode == Q) ? P : Q;
        tap_ok(cwmp_sign_verify(keys, 3, mode, &o) == NGX_DECLINED,
               "not in the other mode");

        for (bit = 0; bit < 8 * CWMP_SIGN_LEN; bit++) {
            o.sig.data[bit / 8] ^= 1 << bit % 8;

            if (cwmp_sign_verify(keys, 3, t->mode, &o) != NGX_DECLINED) {
                break;
            }

            o.sig.data[bit / 8] ^= 1 << bit % 8;
        }

        tap_ok(bit == 8 * CWMP_SIGN_LEN, "nor with any bit changed");
    }
}


static void
test_key_file(void)
{
    ngx_str_t    text, key, file;
    ngx_uint_t   line;
    const char  *err;

    file = tap_str("0123456789abcdef\n\n\r\n key with spaces \r\nlast key "
                   "has no line feed");
    text = file;
    line = 0;
    err = NULL;

    tap_ok(cwmp_sign_next_key(&text, &key, &line, &err) == NGX_OK
           && line == 1, "first key");
    tap_is(&key, "0123456789abcdef", "its text");

    tap_ok(cwmp_sign_next_key(&text, &key, &line, &err) == NGX_OK
           && line == 4, "empty lines are skipped");
    tap_is(&key, " key with spaces ", "spaces are kept, CR is not");

    tap_ok(cwmp_sign_next_key(&text, &key, &line, &err) == NGX_OK
           && line == 5, "last key");
    tap_is(&key, "last key has no line feed", "its text");

    tap_ok(cwmp_sign_next_key(&text, &key, &line, &err) == NGX_DONE
           && cwmp_sign_next_key(&text, &key, &line, &err) == NGX_DONE
           && err == NULL, "the end");

    free(file.data);

    file = tap_str("0123456789abcdef\r\n0123456789abcde\r\n");
    text = file;
    line = 0;

    (void) cwmp_sign_next_key(&text, &key, &line, &err);

    tap_ok(cwmp_sign_next_key(&text, &key, &line, &err) == NGX_ERROR
           && line == 2 && err, "a key of 15 bytes");

    free(file.data);

    file = tap_copy("0123456789\0abcdef", 17);
    text = file;

    tap_ok(cwmp_sign_next_key(&text, &key, &line, &err) == NGX_ERROR,
           "a key with a null character");

    free(file.data);

    ngx_str_null(&text);

    tap_ok(cwmp_sign_next_key(&text, &key, &line, &err) == NGX_DONE,
           "an empty file");
}


/* the address of a CPE behind NAT is signed, and what it may be called by */

static void
test_udp(void)
{
    char           text[256];
    u_char         sig[CWMP_SIGN_LEN + 1], buf[cwmp_origin_size(256)];
    ngx_uint_t     i, mode, bad;
    cwmp_origin_t  o;

    static const char  *wrong[] = {
        "/c?origin=http://10.0.0.1:7547/a&sig=%s",
        "/c?origin=http://10.0.0.1:7547/a&udp=&sig=%s",
        "/c?origin=http://10.0.0.1:7547/a&udp=192.0.2.1:41&sig=%s",
        "/c?origin=http://10.0.0.1:7547/a&udp=192.0.2.1:4&sig=%s",
        "/c?udp=192.0.2.1:40&origin=http://10.0.0.1:7547/a&sig=%s"
    };

    for (mode = CWMP_URL_QUERY; mode <= CWMP_URL_UDP; mode += CWMP_URL_UDP) {
        (void) test_origin(&o, buf, -1, "http://10.0.0.1:7547/a");
        ngx_str_set(&o.udp, "192.0.2.1:40");

        sig[CWMP_SIGN_LEN] = '\0';
        (void) cwmp_sign(&keys[0], mode, &o, sig);

        snprintf(text, sizeof(text), "/c?origin=http://10.0.0.1:7547/a"
                 "&udp=192.0.2.1%%3A40&sig=%s", sig);
        tap_ok(test_origin(&o, buf, CWMP_URL_QUERY, text) == NGX_OK
               && o.udp.len == 12, "udp in mode %d", (int) mode);
        tap_ok(cwmp_sign_verify(keys, 1, mode, &o) == NGX_OK
               && cwmp_sign_verify(keys, 1, CWMP_URL_UDP - mode, &o)
                  == NGX_DECLINED, "it holds in its own mode");

        bad = 0;

        for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
            snprintf(text, sizeof(text), wrong[i], sig);
            bad += (test_origin(&o, buf, CWMP_URL_QUERY, text) != NGX_OK
                    || cwmp_sign_verify(keys, 1, mode, &o) != NGX_DECLINED);
        }

        tap_ok(bad == 0, "and for nothing else");
    }
}


/* "host:port" and no more */

static void
test_parse_udp(void)
{
    u_char         buf[cwmp_origin_size(256)];
    ngx_str_t      s;
    ngx_uint_t     i;
    cwmp_origin_t  o;

    static struct {
        const char  *text;
        const char  *hostport;
    } rows[] = {
        { "192.0.2.1:40000", "192.0.2.1:40000" },
        { "192.0.2.1", "192.0.2.1:80" },
        { "[2001:db8::1]:40000", "[2001:db8::1]:40000" },
        { "", "" }, { ":1", "" }, { "cpe.example:1", "" }, { "1.2:3", "" },
        { "192.0.2.1:0", "" }, { "192.0.2.1:x", "" }, { "192.0.2.1:1/", "" },
        { "http://192.0.2.1:1", "" }, { "192.0.2.1:1 ", "" },
        { "u@192.0.2.1:1", "" }, { "192.0.2.1:1%", "" }
    };

    for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        s = tap_str(rows[i].text);

        if (cwmp_origin_parse_udp(&o, &s, buf) != NGX_OK) {
            ngx_str_null(&o.hostport);
        }

        tap_is(&o.hostport, rows[i].hostport, rows[i].text);
        free(s.data);
    }
}


/* what is kept changes nothing, not of other URLs, modes and keys either */

static void
test_last(void)
{
    char                     text[300];
    u_char                   buf[cwmp_origin_size(300)];
    u_char                   sig[CWMP_SIGN_LEN], own[CWMP_SIGN_LEN];
    ngx_uint_t               i, n, mode, same, bad;
    cwmp_origin_t            o;
    cwmp_sign_key_t          plain;

    static cwmp_sign_last_t  last;

    plain = keys[0];
    keys[0].last = &last;

    for (same = 1, n = 0; n < 3; n++) {
        for (i = 0; i < 600; i++) {

            snprintf(text, sizeof(text), "http://10.0.%d.%d:7547/%0*d",
                     (int) i / 256, (int) i % 256, (int) (i % 240), (int) i);

            if (test_origin(&o, buf, -1, text) != NGX_OK) {
                same = 0;
                break;
            }

            mode = (i % 2) ? CWMP_URL_PATH : CWMP_URL_QUERY;

            same &= (cwmp_sign(&plain, mode, &o, own) == NGX_OK
                     && cwmp_sign(&keys[0], mode, &o, sig) == NGX_OK
                     && ngx_memcmp(own, sig, CWMP_SIGN_LEN) == 0
                     && cwmp_sign(&keys[0], mode, &o, sig) == NGX_OK
                     && ngx_memcmp(own, sig, CWMP_SIGN_LEN) == 0);
        }
    }

    tap_ok(same, "a signature that is kept is the same");

    /* kept ones are used, but not to verify with */

    (void) test_origin(&o, buf, -1, "http://10.0.0.1:7547/x");
    (void) cwmp_sign(&plain, CWMP_URL_PATH, &o, own);
    (void) cwmp_sign(&keys[0], CWMP_URL_PATH, &o, sig);

    for (bad = 0, i = 0; i < CWMP_SIGN_LAST; i++) {
        if (ngx_memcmp(last.rows[i].sig, own, CWMP_SIGN_LEN) == 0) {
            last.rows[i].sig[0] ^= 1;
            bad++;
        }
    }

    (void) cwmp_sign(&keys[0], CWMP_URL_PATH, &o, sig);

    tap_ok(bad == 1 && ngx_memcmp(own, sig, CWMP_SIGN_LEN) != 0,
           "it is in one row");

    o.sig.data = own;
    o.sig.len = CWMP_SIGN_LEN;

    tap_ok(cwmp_sign_verify(&keys[0], 1, CWMP_URL_PATH, &o) == NGX_OK,
           "which says nothing of what is valid");

    keys[0].last = NULL;
}


int
main(void)
{
    ngx_uint_t  i;

    for (i = 0; i < 3; i++) {
        tap_ok(cwmp_sign_key_init(&keys[i], &secrets[i]) == NGX_OK,
               "key %d", (int) i);
    }

    test_vectors();
    test_verify();
    test_udp();
    test_parse_udp();
    test_last();
    test_key_file();

    /* the second time there is nothing to free */

    for (i = 0; i < 3; i++) {
        cwmp_sign_key_free(&keys[i]);
        cwmp_sign_key_free(&keys[i]);
    }

    return tap_done();
}
