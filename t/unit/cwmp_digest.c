
/*
 * sources: cwmp_digest.c cwmp_challenge.c
 * libs: -lcrypto
 *
 * The responses are those of the RFCs' examples, as far as these go, and
 * otherwise calculated with Python's hashlib.
 */


#include "tap.h"
#include "cwmp_digest.h"


#define nelts(a)  (sizeof(a) / sizeof(a[0]))


typedef struct {
    const char  *name;
    const char  *challenge;
    const char  *user;
    const char  *password;
    const char  *method;
    const char  *uri;
    const char  *cnonce;
    uint32_t     nc;
    const char  *header;        /* behind "Authorization: Digest " */
} test_digest_t;


#define R2617  "Digest realm=\"testrealm@host.com\", " \
               "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", " \
               "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\""
#define A2617  "username=\"Mufasa\", realm=\"testrealm@host.com\", " \
               "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", " \
               "uri=\"/dir/index.html\", response="
#define O2617  "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\""

#define N7616  "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
#define C7616  "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
#define R7616  "Digest realm=\"http-auth@example.org\", nonce=\"" N7616 "\", "
#define A7616  "username=\"Mufasa\", realm=\"http-auth@example.org\", " \
               "nonce=\"" N7616 "\", uri=\"/dir/index.html\", response="
#define M7616  "Mufasa", "Circle of Life", "GET", "/dir/index.html", C7616, 1


static test_digest_t  digests[] = {

    /* its own value is wrong: erratum 749 */

    { "RFC 2069, 2.4", R2617, "Mufasa", "CircleOfLife", "GET",
      "/dir/index.html", "0a4f113b", 1,
      A2617 "\"1949323746fe6a43ef61f9606e7febea\", " O2617 },

    { "RFC 2617, 3.5", R2617 ", qop=\"auth,auth-int\"", "Mufasa",
      "Circle Of Life", "GET", "/dir/index.html", "0a4f113b", 1,
      A2617 "\"6629fae49393a05397450978507c4ef1\", qop=auth, nc=00000001, "
      "cnonce=\"0a4f113b\", " O2617 },

    { "RFC 7616, 3.9.1, MD5", R7616 "algorithm=MD5, qop=\"auth, auth-int\"",
      M7616, A7616 "\"8ca523f5e9506fed4657c9700eebdbec\", algorithm=MD5, "
      "qop=auth, nc=00000001, cnonce=\"" C7616 "\"" },

    { "RFC 7616, 3.9.1, SHA-256", R7616 "algorithm=SHA-256, qop=auth",
      M7616, A7616 "\"753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db"
      "5856cb6c1\", algorithm=SHA-256, "
      "qop=auth, nc=00000001, cnonce=\"" C7616 "\"" },

    { "MD5 without qop", R7616 "algorithm=\"md5\"",
      M7616, A7616 "\"7b2cc3b30e75b4777ea31027084363fd\", algorithm=md5" },

    { "MD5, auth-int only", R7616 "qop=\"auth-int\"",
      M7616, A7616 "\"8804a53d3640a40a4f73cea12c5ba451\", "
      "qop=auth-int, nc=00000001, cnonce=\"" C7616 "\"" },

    { "MD5-sess without qop", R7616 "algorithm=MD5-sess",
      M7616, A7616 "\"37a7f42db2090a3fcac4e26e747d4fc8\", algorithm=MD5-sess, "
      "cnonce=\"" C7616 "\"" },

    { "MD5-sess, auth", R7616 "algorithm=MD5-sess, qop=\"auth\"",
      M7616, A7616 "\"e783283f46242139c486a698fec7211d\", algorithm=MD5-sess, "
      "qop=auth, nc=00000001, cnonce=\"" C7616 "\"" },

    { "MD5-sess, auth-int", R7616 "algorithm=MD5-sess, qop=\"auth-int\"",
      M7616, A7616 "\"200cda1c37eb927016d1f97f2c0f04f6\", algorithm=MD5-sess, "
      "qop=auth-int, nc=00000001, cnonce=\"" C7616 "\"" },

    { "SHA-256 without qop, empty opaque",
      R7616 "algorithm=SHA-256, opaque=\"\"",
      M7616, A7616 "\"a1306b0595a6c7fe96c448631fb5cfbd5107bd1fe1da729d978dd74"
      "46b812363\", algorithm=SHA-256, opaque=\"\"" },

    { "SHA-256, auth-int", R7616 "algorithm=SHA-256, qop=\"auth-int\"",
      M7616, A7616 "\"8bdf6f15638e260831e905028de5450562816d093c9bfc5c13d3a46"
      "adcdde940\", algorithm=SHA-256, "
      "qop=auth-int, nc=00000001, cnonce=\"" C7616 "\"" },

    { "SHA-256-sess without qop", R7616 "algorithm=SHA-256-sess",
      M7616, A7616 "\"30bc0742357e535c85094121d22cf826b794be0667e19537beb7b28"
      "f2251c274\", algorithm=SHA-256-sess, cnonce=\"" C7616 "\"" },

    { "SHA-256-sess, auth", R7616 "algorithm=SHA-256-sess, qop=\"auth\"",
      M7616, A7616 "\"2fd51b3a77ad75bad6afad6003e818d767133c46d9e2749e7f5232a"
      "e1ea3efd7\", algorithm=SHA-256-sess, "
      "qop=auth, nc=00000001, cnonce=\"" C7616 "\"" },

    { "SHA-256-sess, auth-int", R7616 "algorithm=sha-256-SESS, qop=auth-int",
      M7616, A7616 "\"3c19fbb1d58d0c5baff1a2ef49d847b5d0dfd7e3252b355d978d3af"
      "7d895912b\", algorithm=sha-256-SESS, "
      "qop=auth-int, nc=00000001, cnonce=\"" C7616 "\"" },

    { "escapes both ways",
      "Digest realm=\"r\\\"\\\\d \\x\", nonce=\"n\\\"1\", qop=auth",
      "a\"b\\c", "p:\"\\w", "HEAD", "/x?y=1", "0123456789abcdef", 0xabcd,
      "username=\"a\\\"b\\\\c\", realm=\"r\\\"\\\\d \\x\", nonce=\"n\\\"1\", "
      "uri=\"/x?y=1\", response=\"8e3510cb0db1050b9176e916387ea737\", "
      "qop=auth, nc=0000abcd, cnonce=\"0123456789abcdef\"" },
};


static void
test_digest(void)
{
    size_t              len, size;
    u_char              hex[CWMP_DIGEST_HEX_MAX], *buf, *end;
    ngx_str_t           value, rest, got;
    ngx_uint_t          i;
    cwmp_digest_t       d;
    test_digest_t      *t;
    cwmp_challenge_t    ch;

    for (i = 0; i < nelts(digests); i++) {
        t = &digests[i];

        value = tap_str(t->challenge);
        rest = value;
        (void) cwmp_challenge_next(&rest, &ch);

        d.credentials.user = tap_str(t->user);
        d.credentials.password = tap_str(t->password);
        d.method = tap_str(t->method);
        d.uri = tap_str(t->uri);
        d.cnonce = tap_str(t->cnonce);
        d.nc = t->nc;

        size = cwmp_digest_size(&ch, &d);
        buf = malloc(size);
        end = cwmp_digest_header(buf, &ch, &d);

        tap_ok(ch.error == 0 && end != NULL && end <= buf + size
               && end - buf > 25
               && memcmp(buf, "Authorization: Digest ", 22) == 0
               && end[-2] == '\r' && end[-1] == '\n', "%s", t->name);

        got.data = buf + 22;
        got.len = end - buf - 24;
        tap_is(&got, t->header, "header");

        tap_ok(cwmp_digest_response(&ch, &d, hex, &len) == NGX_OK
               && len == (ch.hash == CWMP_ALGORITHM_MD5 ? 32 : 64),
               "length of the response");

        free(buf);
        free(d.cnonce.data);
        free(d.uri.data);
        free(d.method.data);
        free(d.credentials.password.data);
        free(d.credentials.user.data);
        free(value.data);
    }
}


/* a header of a common CPE keeps below netcwmp's and others' 511 bytes */

static void
test_short(void)
{
    u_char            *buf, *end;
    ngx_str_t          value;
    cwmp_digest_t      d;
    cwmp_challenge_t   ch;

    ngx_str_set(&value, "Digest realm=\"IgdAuthentication\", qop=\"auth\", "
                        "nonce=\"0123456789abcdef0123456789abcdef\", "
                        "opaque=\"0123456789abcdef0123456789abcdef\", "
                        "algorithm=\"MD5\"");
    (void) cwmp_challenge_next(&value, &ch);

    ngx_str_set(&d.credentials.user, "00D09E-Homegateway-0123456789ABCDEF");
    ngx_str_set(&d.credentials.password, "secret");
    ngx_str_set(&d.method, "GET");
    ngx_str_set(&d.uri, "/0123456789abcdef0123456789abcdef");
    ngx_str_set(&d.cnonce, "0123456789abcdef");
    d.nc = 0xffffffff;

    buf = malloc(cwmp_digest_size(&ch, &d));
    end = cwmp_digest_header(buf, &ch, &d);

    tap_ok(end - buf < 420, "a common header has %d bytes", (int) (end - buf));
    free(buf);
}


typedef struct {
    const char  *value;
    ngx_int_t    rc;
    const char  *user;
    const char  *password;
} test_basic_t;


static test_basic_t  basics[] = {
    { "Basic YWNzOnMzYzpyZXQ=", NGX_OK, "acs", "s3c:ret" },
    { "basic YWNzOnMzYzpyZXQ=", NGX_OK, "acs", "s3c:ret" },
    { "BASIC \t YWNzOnMzYzpyZXQ= ", NGX_OK, "acs", "s3c:ret" },
    { " Basic YWNzOnMzYzpyZXQ", NGX_OK, "acs", "s3c:ret" },
    { "Basic Og==", NGX_OK, "", "" },
    { "Basic YTo=", NGX_OK, "a", "" },
    { "Basic OmI=", NGX_OK, "", "b" },
    { "Basic w6k6/+8=", NGX_OK, "\303\251", "\377\357" },
    { "Basic ICI6XA==", NGX_OK, " \"", "\\" },
    { "Basic YTpi===", NGX_OK, "a", "b" },

    { "Digest username=\"x\"", NGX_DECLINED, NULL, NULL },
    { "Bearer YWNzOnMzYzpyZXQ=", NGX_DECLINED, NULL, NULL },
    { "", NGX_DECLINED, NULL, NULL },

    { "Basic", NGX_ERROR, NULL, NULL },
    { "Basic ", NGX_ERROR, NULL, NULL },
    { "Basic =", NGX_ERROR, NULL, NULL },
    { "Basic YWNz", NGX_ERROR, NULL, NULL },            /* no colon */
    { "Basic YWNzO", NGX_ERROR, NULL, NULL },           /* 6 bits */
    { "Basic YT pi", NGX_ERROR, NULL, NULL },
    { "Basic YT=pi", NGX_ERROR, NULL, NULL },
    { "Basic YTpi,", NGX_ERROR, NULL, NULL },
    { "Basic YTp_", NGX_ERROR, NULL, NULL },
    { "Basic YQpiOmM=", NGX_ERROR, NULL, NULL },        /* LF in the user */
    { "Basic YTpiDQo=", NGX_ERROR, NULL, NULL },        /* CR LF behind */
    { "Basic YToA", NGX_ERROR, NULL, NULL },            /* NUL */
    { "Basic YTp/", NGX_ERROR, NULL, NULL },            /* DEL */
    { "Basic CTph", NGX_ERROR, NULL, NULL },            /* tab */
};


static void
test_basic_decode(void)
{
    u_char              *buf;
    ngx_int_t            rc;
    ngx_str_t            value;
    ngx_uint_t           i;
    cwmp_credentials_t   c;

    for (i = 0; i < nelts(basics); i++) {
        value = tap_str(basics[i].value);
        buf = malloc(value.len ? value.len : 1);

        rc = cwmp_basic_decode(&value, buf, &c);
        tap_ok(rc == basics[i].rc, "decode \"%s\"", basics[i].value);

        if (rc == NGX_OK && basics[i].user) {
            tap_is(&c.user, basics[i].user, "user");
            tap_is(&c.password, basics[i].password, "password");
        }

        free(buf);
        free(value.data);
    }
}


static void
test_basic_encode(void)
{
    u_char              *buf, *end, *back;
    size_t               size;
    ngx_str_t            got;
    ngx_uint_t           n, bad;
    cwmp_credentials_t   c, d;

    ngx_str_set(&c.user, "acs");
    ngx_str_set(&c.password, "s3c:ret");

    size = cwmp_basic_size(&c);
    buf = malloc(size);
    end = cwmp_basic_header(buf, &c);

    got.data = buf;
    got.len = end - buf;
    tap_is(&got, "Authorization: Basic YWNzOnMzYzpyZXQ=\r\n", "encode");
    free(buf);

    bad = 0;

    for (n = 0; n < 64; n++) {
        c.user = tap_copy("uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu", n / 4);
        c.password = tap_copy("\xff\xfe:?>~ abcdefghijklmnopqrstuvwxyz0123456"
                              "789ABCDEFGHIJKLMNOPQRSTUVWXYZ", n);

        size = cwmp_basic_size(&c);
        buf = malloc(size);
        end = cwmp_basic_header(buf, &c);

        got.data = buf + sizeof("Authorization: ") - 1;
        got.len = end - got.data - 2;
        back = malloc(got.len);

        bad += end > buf + size
               || cwmp_basic_decode(&got, back, &d) != NGX_OK
               || d.user.len != c.user.len
               || memcmp(d.user.data, c.user.data, c.user.len) != 0
               || d.password.len != c.password.len
               || memcmp(d.password.data, c.password.data, c.password.len)
                  != 0;

        free(back);
        free(buf);
        free(c.password.data);
        free(c.user.data);
    }

    tap_ok(bad == 0, "64 lengths, there and back");
}


static void
test_valid(void)
{
    cwmp_credentials_t  c;

    ngx_str_set(&c.user, "us\"er");
    ngx_str_set(&c.password, "p:w");
    tap_ok(cwmp_credentials_valid(&c), "valid");

    ngx_str_set(&c.user, "us\r\ner");
    tap_ok(!cwmp_credentials_valid(&c), "line feed in the user");

    ngx_str_set(&c.user, "user");
    ngx_str_set(&c.password, "p\177");
    tap_ok(!cwmp_credentials_valid(&c), "control in the password");
}


int
main(void)
{
    test_digest();
    test_short();
    test_basic_decode();
    test_basic_encode();
    test_valid();

    return tap_done();
}
