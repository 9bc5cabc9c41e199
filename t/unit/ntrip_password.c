
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


/* "secret", as above */

#define TEST_1   "$1$saltsalt$9xy1btjgzLYfb7hivXtC//"
#define TEST_5   "$5$saltsalt$0IyaXrmV7.sGNS6tirgqHLqX/G.FBvgkYA.lpPdS5sA"


static void
add(ntrip_kinds_t *kinds, const char *stored)
{
    ngx_str_t  s;

    s = tap_str(stored);
    ntrip_kinds_add(kinds, &s);
    free(s.data);
}


static void
test_kinds(void)
{
    u_char         longer[NTRIP_PASSWORD_EXAMPLE + 1];
    size_t         i;
    ngx_str_t      s;
    ntrip_kinds_t  kinds;

    static const struct {
        const char  *stored;
        ngx_uint_t   n;                  /* kinds, with those before */
    } tests[] = {
        { "", 0 }, { "secret", 0 }, { "{PLAIN}$6$x$y", 0 },
        { "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", 0 },
        { TEST_1, 1 }, { "$1$other$9xy1btjgzLYfb7hivXtC//", 1 },
        { "{CRYPT}" TEST_1, 1 },
        { TEST_5, 2 },
        { "$5$rounds=9000$saltsalt$x", 3 },
        { "$5$rounds=9000$other$y", 3 },
        { "$5$rounds=9001$saltsalt$x", 4 },
        { "$6$saltsalt$x", NTRIP_PASSWORD_KINDS }
    };

    memset(&kinds, 0, sizeof(ntrip_kinds_t));

    memset(longer, 'x', sizeof(longer));
    memcpy(longer, "$6$salt$", 8);
    s.data = longer;
    s.len = sizeof(longer);
    ntrip_kinds_add(&kinds, &s);
    tap_ok(kinds.n == 0, "what is too long is no example");

    s.len = 20;
    longer[10] = '\0';
    ntrip_kinds_add(&kinds, &s);
    tap_ok(kinds.n == 0, "nor what has a zero byte");

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        add(&kinds, tests[i].stored);
        tap_ok(kinds.n == tests[i].n, "kinds with '%s'", tests[i].stored);
    }

    tap_ok(kinds.len[0] == strlen(TEST_1)
           && memcmp(kinds.text[0], TEST_1, kinds.len[0]) == 0,
           "the first example of a kind stays");
}


static void
test_check(void)
{
    size_t         i;
    ngx_str_t      stored, given;
    ntrip_kinds_t  kinds, *k;

    static const struct {
        const char  *stored;             /* NULL: no such user */
        const char  *given;
        ngx_uint_t   refused;
        ngx_int_t    rc;
    } tests[] = {
        { "secret", "secret", 0, NGX_OK },
        { "secret", "secret", 1, NGX_DECLINED },
        { "secret", "wrong", 0, NGX_DECLINED },
        { TEST_1, "secret", 0, NGX_OK },
        { TEST_1, "secret", 1, NGX_DECLINED },
        { TEST_1, "wrong", 0, NGX_DECLINED },
        { TEST_5, "secret", 0, NGX_OK },
        { NULL, "secret", 0, NGX_DECLINED },
        { NULL, "", 1, NGX_DECLINED },
        { "{MD5}x", "secret", 0, NGX_ERROR },
        { "{MD5}x", "secret", 1, NGX_ERROR }
    };

    memset(&kinds, 0, sizeof(ntrip_kinds_t));
    add(&kinds, TEST_1);

    for (i = 0; i < 2 * sizeof(tests) / sizeof(tests[0]); i++) {
        k = (i % 2) ? &kinds : NULL;

        given = tap_str(tests[i / 2].given);

        if (tests[i / 2].stored) {
            stored = tap_str(tests[i / 2].stored);
        }

        tap_ok(ntrip_password_check(tests[i / 2].stored ? &stored : NULL,
                                    &given, tests[i / 2].refused, k)
               == tests[i / 2].rc,
               "'%s' for '%s'%s, %s kinds", tests[i / 2].given,
               tests[i / 2].stored ? tests[i / 2].stored : "nobody",
               tests[i / 2].refused ? ", refused" : "", k ? "with" : "without");

        if (tests[i / 2].stored) {
            free(stored.data);
        }

        free(given.data);
    }
}


int
main(void)
{
    test_verify();
    test_classes();
    test_plain();
    test_hash();
    test_equal();
    test_kinds();
    test_check();

    return tap_done();
}
