
/*
 * Digest credentials of an ACS: RFC 7616's own example, what programs make of
 * them, and each way to be wrong; nonces; counts beside a plain model.
 *
 * sources: cwmp_verify.c cwmp_digest.c cwmp_challenge.c cwmp_nonce.c
 *          cwmp_replay.c
 *          cwmp_sign.c cwmp_origin.c cwmp_host.c cwmp_label.c cwmp_url.c
 * libs: -lcrypto
 */


#include "tap.h"
#include "cwmp_nonce.h"
#include "cwmp_replay.h"
#include "cwmp_verify.h"


static ngx_str_t  test_keys[] = {
    ngx_string("0123456789abcdef"),
    ngx_string("fedcba9876543210")
};

static cwmp_sign_key_t  keys[2];


static cwmp_verify_e
test_verify(cwmp_verify_t *v, const char *text, ngx_str_t *nonce, uint32_t *nc)
{
    ngx_str_t  value;

    value.data = (u_char *) text;
    value.len = strlen(text);

    return cwmp_verify(v, &value, nonce, nc);
}


/* RFC 7616 3.9.1 */

static void
test_rfc(void)
{
    uint32_t       nc;
    ngx_str_t      nonce;
    cwmp_verify_t  v;

    ngx_str_set(&v.method, "GET");
    ngx_str_set(&v.target, "/dir/index.html");
    ngx_str_set(&v.realm, "http-auth@example.org");
    ngx_str_set(&v.credentials.user, "Mufasa");
    ngx_str_set(&v.credentials.password, "Circle of Life");

    tap_ok(test_verify(&v, "Digest username=\"Mufasa\", "
               "realm=\"http-auth@example.org\", uri=\"/dir/index.html\", "
               "algorithm=MD5, "
               "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "
               "nc=00000001, "
               "cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", "
               "qop=auth, response=\"8ca523f5e9506fed4657c9700eebdbec\", "
               "opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"",
               &nonce, &nc)
           == CWMP_VERIFY_OK && nc == 1, "RFC 7616, MD5");
    tap_is(&nonce, "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
           "its nonce");

    tap_ok(test_verify(&v, "Digest username=\"Mufasa\", "
               "realm=\"http-auth@example.org\", uri=\"/dir/index.html\", "
               "algorithm=SHA-256, "
               "nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", "
               "nc=00000001, "
               "cnonce=\"f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ\", "
               "qop=auth, response=\"753927fa0e85d155564e2e272a28d180"
               "2ca10daf4496794697cf8db5856cb6c1\"", &nonce, &nc)
           == CWMP_VERIFY_OK, "and SHA-256");
}


/* the response that belongs to these, in the form of a program */

static const char *
test_form(const char *form, const char *uri, const char *nc,
    const char *password, cwmp_algorithm_e hash)
{
    u_char            hex[CWMP_DIGEST_HEX_MAX];
    size_t            len;
    ngx_str_t         text;
    cwmp_digest_t     d;
    cwmp_challenge_t  ch;

    static char  header[1024], response[CWMP_DIGEST_HEX_MAX + 1];

    memset(&ch, 0, sizeof(ch));
    memset(&d, 0, sizeof(d));

    ch.hash = hash;
    ch.qop = CWMP_QOP_AUTH;
    ngx_str_set(&ch.realm, "cwmp");
    ngx_str_set(&ch.nonce, "abc");

    ngx_str_set(&d.credentials.user, "a\"b");
    d.credentials.password.data = (u_char *) password;
    d.credentials.password.len = strlen(password);
    ngx_str_set(&d.method, "GET");
    ngx_str_set(&d.cnonce, "0a4f113b");
    d.uri.data = (u_char *) uri;
    d.uri.len = strlen(uri);

    text.data = (u_char *) nc;
    text.len = strlen(nc);

    (void) cwmp_digest_expected(&ch, &d, &text, hex, &len);

    memcpy(response, hex, len);
    response[len] = '\0';

    snprintf(header, sizeof(header), form, uri, response, nc);

    return header;
}


static void
test_forms(void)
{
    int            i;
    uint32_t       nc;
    ngx_str_t      nonce;
    cwmp_verify_e  got;
    cwmp_verify_t  v;

    static struct {
        const char        *name;
        const char        *form;      /* uri, response, nc */
        const char        *uri;
        const char        *nc;
        const char        *password;
        cwmp_algorithm_e   hash;
        cwmp_verify_e      result;
    } *c, cases[] = {

#define TEST_USER  "username=\"a\\\"b\", realm=\"cwmp\", nonce=\"abc\", "

        { "GenieACS", "Digest " TEST_USER "uri=\"%s\",algorithm=MD5,"
          "response=\"%s\",qop=auth,nc=%s,cnonce=\"0a4f113b\"",
          "/client?a=b", "00000001", "secret", CWMP_ALGORITHM_MD5,
          CWMP_VERIFY_OK },
        { "Oktopus: no algorithm, a short nc in quotes",
          "Digest username=\"a\\\"b\", realm=\"cwmp\", nonce=\"abc\", "
          "uri=\"%s\", cnonce=\"0a4f113b\", response=\"%s\", nc=\"%s\", "
          "qop=\"auth\"",
          "/client?a=b", "1", "secret", CWMP_ALGORITHM_MD5, CWMP_VERIFY_OK },
        { "TeamsACS: always the same uri",
          "Digest " TEST_USER "uri=\"%s\", response=\"%s\", nc=\"%s\", "
          "cnonce=\"0a4f113b\", qop=\"auth\"",
          "/auth", "1", "secret", CWMP_ALGORITHM_MD5, CWMP_VERIFY_URI },
        { "curl: SHA-256",
          "Digest " TEST_USER "uri=\"%s\", cnonce=\"0a4f113b\", "
          "response=\"%s\", nc=%s, qop=auth, algorithm=SHA-256",
          "/client?a=b", "00000002", "secret", CWMP_ALGORITHM_SHA256,
          CWMP_VERIFY_OK },
        { "an absolute uri, capitals, a quoted algorithm, no blanks",
          "  DIGEST " TEST_USER "URI=\"%s\",RESPONSE=\"%s\",NC=%s,"
          "cnonce=\"0a4f113b\",qop=AUTH,algorithm=\"sha-256\",userhash=false",
          "http://acs.example:7548/client?a=b", "ffffffff", "secret",
          CWMP_ALGORITHM_SHA256, CWMP_VERIFY_OK },
        { "another host is no matter, another path is",
          "Digest " TEST_USER "uri=\"%s\", response=\"%s\", nc=%s, "
          "cnonce=\"0a4f113b\", qop=auth",
          "http://acs.example:7548/clients?a=b", "1", "secret",
          CWMP_ALGORITHM_MD5, CWMP_VERIFY_URI },
        { "without the query",
          "Digest " TEST_USER "uri=\"%s\", response=\"%s\", nc=%s, "
          "cnonce=\"0a4f113b\", qop=auth",
          "/client", "1", "secret", CWMP_ALGORITHM_MD5, CWMP_VERIFY_URI },
        { "a wrong password",
          "Digest " TEST_USER "uri=\"%s\", response=\"%s\", nc=%s, "
          "cnonce=\"0a4f113b\", qop=auth",
          "/client?a=b", "1", "Secret", CWMP_ALGORITHM_MD5,
          CWMP_VERIFY_PASSWORD },
        { "a wrong password, of another uri: no more is said",
          "Digest " TEST_USER "uri=\"%s\", response=\"%s\", nc=%s, "
          "cnonce=\"0a4f113b\", qop=auth",
          "/auth", "1", "Secret", CWMP_ALGORITHM_MD5, CWMP_VERIFY_PASSWORD },
        { "one algorithm said, the other meant",
          "Digest " TEST_USER "uri=\"%s\", response=\"%s\", nc=%s, "
          "cnonce=\"0a4f113b\", qop=auth, algorithm=MD5",
          "/client?a=b", "1", "secret", CWMP_ALGORITHM_SHA256,
          CWMP_VERIFY_PASSWORD },
        { "another realm",
          "Digest username=\"a\\\"b\", realm=\"CPE\", nonce=\"abc\", "
          "uri=\"%s\", response=\"%s\", nc=%s, cnonce=\"0a4f113b\", qop=auth",
          "/client?a=b", "1", "secret", CWMP_ALGORITHM_MD5,
          CWMP_VERIFY_REALM },
        { "no qop",
          "Digest " TEST_USER "uri=\"%s\", response=\"%s\", opaque=\"%s\"",
          "/client?a=b", "1", "secret", CWMP_ALGORITHM_MD5, CWMP_VERIFY_QOP },
        { "auth-int",
          "Digest " TEST_USER "uri=\"%s\", response=\"%s\", nc=%s, "
          "cnonce=\"0a4f113b\", qop=auth-int",
          "/client?a=b", "1", "secret", CWMP_ALGORITHM_MD5, CWMP_VERIFY_QOP },
        { "an algorithm that was not offered",
          "Digest " TEST_USER "uri=\"%s\", response=\"%s\", nc=%s, "
          "cnonce=\"0a4f113b\", qop=auth, algorithm=MD5-sess",
          "/client?a=b", "1", "secret", CWMP_ALGORITHM_MD5,
          CWMP_VERIFY_ALGORITHM },
        { "a hashed user",
          "Digest " TEST_USER "uri=\"%s\", response=\"%s\", nc=%s, "
          "cnonce=\"0a4f113b\", qop=auth, userhash=true",
          "/client?a=b", "1", "secret", CWMP_ALGORITHM_MD5,
          CWMP_VERIFY_MALFORMED },
        { "two responses",
          "Digest " TEST_USER "uri=\"%s\", response=\"%s\", nc=%s, "
          "cnonce=\"0a4f113b\", qop=auth, response=\"x\"",
          "/client?a=b", "1", "secret", CWMP_ALGORITHM_MD5,
          CWMP_VERIFY_MALFORMED },
        { "no response",
          "Digest " TEST_USER "uri=\"%s\", opaque=\"%s\", nc=%s, "
          "cnonce=\"0a4f113b\", qop=auth",
          "/client?a=b", "1", "secret", CWMP_ALGORITHM_MD5,
          CWMP_VERIFY_MALFORMED },
        { "nc 0",
          "Digest " TEST_USER "uri=\"%s\", response=\"%s\", nc=%s, "
          "cnonce=\"0a4f113b\", qop=auth",
          "/client?a=b", "00000000", "secret", CWMP_ALGORITHM_MD5,
          CWMP_VERIFY_MALFORMED },
        { "nc of nine digits",
          "Digest " TEST_USER "uri=\"%s\", response=\"%s\", nc=%s, "
          "cnonce=\"0a4f113b\", qop=auth",
          "/client?a=b", "000000001", "secret", CWMP_ALGORITHM_MD5,
          CWMP_VERIFY_MALFORMED },
        { "a word in between",
          "Digest " TEST_USER "uri=\"%s\", what, response=\"%s\", nc=%s, "
          "cnonce=\"0a4f113b\", qop=auth",
          "/client?a=b", "1", "secret", CWMP_ALGORITHM_MD5,
          CWMP_VERIFY_MALFORMED },
        { "Basic", "Basic YTpi", "", "1", "", CWMP_ALGORITHM_MD5,
          CWMP_VERIFY_NONE },
        { "nothing", "", "", "1", "", CWMP_ALGORITHM_MD5, CWMP_VERIFY_NONE },
        { "the scheme alone", "Digest", "", "1", "", CWMP_ALGORITHM_MD5,
          CWMP_VERIFY_QOP }
    };

    ngx_str_set(&v.method, "GET");
    ngx_str_set(&v.target, "/client?a=b");
    ngx_str_set(&v.realm, "cwmp");
    ngx_str_set(&v.credentials.user, "a\"b");
    ngx_str_set(&v.credentials.password, "secret");

    for (i = 0; i < (int) (sizeof(cases) / sizeof(cases[0])); i++) {
        c = &cases[i];
        nc = 0;

        got = test_verify(&v, test_form(c->form, c->uri, c->nc, c->password,
                                        c->hash), &nonce, &nc);

        tap_ok(got == c->result, "%s: %s", c->name, cwmp_verify_strerror(got));

        if (got == CWMP_VERIFY_OK) {
            tap_ok(nc == strtoul(c->nc, NULL, 16), "its count");
        }
    }

    ngx_str_set(&v.credentials.user, "ab");
    got = test_verify(&v, test_form(cases[0].form, "/client?a=b", "1",
                                    "secret", CWMP_ALGORITHM_MD5), &nonce,
                      &nc);
    tap_ok(got == CWMP_VERIFY_PASSWORD, "another name has another response");
}


static void
test_nonce(void)
{
    int           i, broken;
    u_char        text[CWMP_NONCE_LEN];
    ngx_str_t     s;
    cwmp_nonce_t  n, got;

    s.data = text;
    s.len = CWMP_NONCE_LEN;

    n.time = 0xfffffff0;
    n.serial = 0x12345678;

    tap_ok(cwmp_nonce_write(&n, &keys[1], text) == NGX_OK
           && cwmp_nonce_read(&got, keys, 2, &s) == NGX_OK
           && got.time == n.time && got.serial == n.serial,
           "a nonce comes back");
    tap_ok(cwmp_nonce_read(&got, keys, 1, &s) == NGX_DECLINED,
           "not without its key");

    for (broken = 0, i = 0; i < CWMP_NONCE_LEN; i++) {
        text[i] ^= 1;
        broken += (cwmp_nonce_read(&got, keys, 2, &s) != NGX_DECLINED);
        text[i] ^= 1;

        s.len = i;
        broken += (cwmp_nonce_read(&got, keys, 2, &s) != NGX_DECLINED);
        s.len = CWMP_NONCE_LEN;
    }

    tap_ok(broken == 0, "nor with a byte changed, nor cut");

    tap_ok(cwmp_nonce_fresh(&n, 0xfffffff0, 60), "it is fresh");
    tap_ok(cwmp_nonce_fresh(&n, 0xfffffff0 + 60, 60), "a minute long");
    tap_ok(!cwmp_nonce_fresh(&n, 0xfffffff0 + 61, 60), "no longer");
    tap_ok(!cwmp_nonce_fresh(&n, 0xfffffff0 - 1, 60),
           "nor if the clock was set back");
}


static void
test_replay(void)
{
    uint32_t    serial[3 * CWMP_REPLAY_NONCES], most[3 * CWMP_REPLAY_NONCES];
    uint32_t    count;
    ngx_int_t   expected;
    ngx_uint_t  i, n, k, wrong, used, seed;

    static cwmp_replay_t  r;

    seed = 1;
    n = wrong = used = 0;

    for (i = 0; i < 200000; i++) {
        seed = seed * 1103515245 + 12345;

        if (n == 0 || (n < 3 * CWMP_REPLAY_NONCES && (seed >> 16) % 64 == 0)) {
            serial[n] = cwmp_replay_give(&r);
            most[n++] = 0;
            continue;
        }

        k = (seed >> 8) % n;
        count = 1 + (seed >> 20) % 50;

        expected = (n - k <= CWMP_REPLAY_NONCES && count > most[k])
                   ? NGX_OK : NGX_DECLINED;

        if (expected == NGX_OK) {
            most[k] = count;
            used++;
        }

        wrong += (cwmp_replay_use(&r, serial[k], count) != expected);
    }

    tap_ok(wrong == 0 && n > 2 * CWMP_REPLAY_NONCES && used > 1000,
           "each count once: %d nonces, %d counts, %d wrong", (int) n,
           (int) used, (int) wrong);
    tap_ok(cwmp_replay_use(&r, 0, 1) == NGX_DECLINED, "number 0 is nobody's");

    r.serial = 0xffffffff;
    tap_ok(cwmp_replay_give(&r) == 1, "nor is it when the numbers are used up");
}


int
main(void)
{
    (void) cwmp_sign_key_init(&keys[0], &test_keys[0]);
    (void) cwmp_sign_key_init(&keys[1], &test_keys[1]);

    test_rfc();
    test_forms();
    test_nonce();
    test_replay();

    cwmp_sign_key_free(&keys[0]);
    cwmp_sign_key_free(&keys[1]);

    return tap_done();
}
