
/*
 * sources: ntrip_password.c ntrip_text.c
 * libs: -lcrypt -lcrypto
 */


#include "tap.h"
#include "ntrip_password.h"


static ngx_int_t
verify(const char *stored, const char *given)
{
    ngx_int_t  rc;
    ngx_str_t  s, g;

    s = tap_str(stored);
    g = tap_str(given);
    rc = ntrip_password_verify(&s, &g);
    free(s.data);
    free(g.data);

    return rc;
}


static void
test_verify(void)
{
    size_t     i;
    ngx_str_t  s;

    /* made with other tools: crypt(3) hashes by openssl passwd -6, -5, -1;
       SHA by openssl dgst and base64 */

    static const struct {
        const char  *stored;
        const char  *good;
        int          slow;
    } tests[] = {
        { "secret", "secret", 0 },
        { "", "", 0 },
        { "x{PLAIN}", "x{PLAIN}", 0 },
        { "{PLAIN}secret", "secret", 0 },
        { "{plain}$6$x", "$6$x", 0 },
        { "{PLAIN}", "", 0 },
        { "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", "secret", 0 },
        { "{SSHA}gVK8WC9YyFT1gMsQHTGCgT3sSv5zYWx0", "secret", 0 },
        { "$1$saltsalt$9xy1btjgzLYfb7hivXtC//", "secret", 1 },
        { "$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA", "secret",
          1 },
        { "$6$saltsalt$TVLlQcbpFVof5W3Yz4DTP6gRstiNuHwwTt6GLc1E5n0U0"
          "aDehy0S5knV8wiOQSpT0Y77vwPZN.Pq.H91p5hVO1", "secret", 1 },
        { "{CRYPT}$1$saltsalt$9xy1btjgzLYfb7hivXtC//", "secret", 1 }
    };

    static const char  *damaged[] = {
        "{MD5}x", "{", "{}", "{SHA}", "{SHA}!!!!", "{SHA}c2hvcnQ=",
        "{SHA}gVK8WC9YyFT1gMsQHTGCgT3sSv5zYWx0", "{SSHA}", "{CRYPT}",
        "$", "$6", "$99$x$y", "$apr1$saltsalt$x"
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        s = tap_str(tests[i].stored);
        tap_ok(verify(tests[i].stored, tests[i].good) == NGX_OK, "'%s'",
               tests[i].stored);
        tap_ok(verify(tests[i].stored, "Secret") == NGX_DECLINED,
               "another password");
        tap_ok(verify(tests[i].stored, "secre") == NGX_DECLINED, "a part");
        tap_ok(verify(tests[i].stored, "secrets") == NGX_DECLINED, "more");
        tap_ok((int) ntrip_password_slow(&s) == tests[i].slow, "is it slow");
        free(s.data);
    }

    for (i = 0; i < sizeof(damaged) / sizeof(damaged[0]); i++) {
        tap_ok(verify(damaged[i], "secret") == NGX_ERROR, "no hash: '%s'",
               damaged[i]);
        tap_ok(verify(damaged[i], damaged[i]) == NGX_ERROR,
               "nor the password itself");
    }
}


static void
test_classes(void)
{
    ngx_str_t  s;

    ngx_str_set(&s, "$x");
    tap_ok(ntrip_password_is_hash(&s), "a dollar: a hash");
    ngx_str_set(&s, "{PLAIN}x");
    tap_ok(ntrip_password_is_hash(&s), "a brace: a hash");
    ngx_str_set(&s, "x$");
    tap_ok(!ntrip_password_is_hash(&s), "anything else: plain");
    ngx_str_null(&s);
    tap_ok(!ntrip_password_is_hash(&s), "empty: plain");
}


static void
test_plain(void)
{
    u_char     buf[64];
    size_t     i;
    ngx_str_t  password, stored;

    static const char  *tests[][2] = {
        { "secret", "secret" }, { "$secret", "{PLAIN}$secret" },
        { "{x}", "{PLAIN}{x}" }, { "", "" }
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        password = tap_str(tests[i][0]);
        stored.data = buf;
        stored.len = ntrip_password_plain(buf, &password);
        tap_is(&stored, tests[i][1], "what is stored");
        tap_ok(ntrip_password_verify(&stored, &password) == NGX_OK,
               "is verified");
        free(password.data);
    }
}


static void
test_hash(void)
{
    u_char     hash[NTRIP_PASSWORD_HASH], other[NTRIP_PASSWORD_HASH];
    u_char     salt[NTRIP_PASSWORD_SALT], longest[NTRIP_PASSWORD_MAX + 1];
    ngx_str_t  password, stored;

    memset(salt, 0xff, sizeof(salt));
    ngx_str_set(&password, "secret");

    tap_ok(ntrip_password_hash(hash, &password, salt) == NGX_OK, "a hash");
    tap_ok(strlen((char *) hash) == NTRIP_PASSWORD_HASH - 1
           && memcmp(hash, "$6$zzzzzzzzzzzzzzzz$", 20) == 0,
           "sha512crypt, 16 characters of salt");

    stored.data = hash;
    stored.len = strlen((char *) hash);
    tap_ok(ntrip_password_verify(&stored, &password) == NGX_OK, "it fits");
    password.len--;
    tap_ok(ntrip_password_verify(&stored, &password) == NGX_DECLINED,
           "a shorter one does not");
    stored.len--;
    password.len++;
    tap_ok(ntrip_password_verify(&stored, &password) != NGX_OK,
           "nor a hash that was cut");

    salt[11] = 0;
    tap_ok(ntrip_password_hash(other, &password, salt) == NGX_OK
           && memcmp(hash, other, sizeof(hash)) != 0, "another salt");

    memset(longest, 'x', sizeof(longest));
    password.data = longest;
    password.len = NTRIP_PASSWORD_MAX;
    tap_ok(ntrip_password_hash(hash, &password, salt) == NGX_OK,
           "the longest password");
    password.len++;
    tap_ok(ntrip_password_hash(hash, &password, salt) == NGX_ERROR,
           "a longer one");

    stored.len = strlen((char *) hash);
    tap_ok(ntrip_password_verify(&stored, &password) == NGX_DECLINED,
           "matches nothing");

    password.len = 3;
    longest[1] = '\0';
    tap_ok(ntrip_password_hash(hash, &password, salt) == NGX_ERROR,
           "a zero byte");
    tap_ok(ntrip_password_verify(&stored, &password) == NGX_DECLINED,
           "matches nothing either");

    password.len = 0;
    tap_ok(ntrip_password_hash(hash, &password, salt) == NGX_OK,
           "an empty password");
}


static void
test_equal(void)
{
    size_t     i, j, same;
    ngx_str_t  a, b;

    static const char  *texts[] = {
        "", "a", "b", "ab", "aa", "aaa", "aba", "abab", "ababab"
    };

    same = 0;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        for (j = 0; j < sizeof(texts) / sizeof(texts[0]); j++) {
            a = tap_str(texts[i]);
            b = tap_str(texts[j]);
            same += (ntrip_password_equal(&a, &b) == (i == j));
            free(a.data);
            free(b.data);
        }
    }

    tap_ok(same == i * i, "each equals itself alone");
}


int
main(void)
{
    test_verify();
    test_classes();
    test_plain();
    test_hash();
    test_equal();

    return tap_done();
}
