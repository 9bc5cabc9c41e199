
/*
 * sources: ntrip_password.c ntrip_text.c
 * libs: -lcrypt -lcrypto
 *
 * A stored value, a 0 byte, a password, a 0 byte, and more stored values with 0
 * bytes between, whose kinds are noted.  A password that is stored matches
 * itself, and nothing that differs in one byte; so does the hash that is made
 * of it.  Whoever is refused has had his password hashed once in each kind.
 *
 * What crypt(3) does with thousands of rounds, a function here does with one;
 * only DES, which is fast, is left to the library.  Where that fails, or
 * libcrypto does, the value is of no use, which is an error.
 */


#include "fuzz.h"
#include "failing_crypto.h"
#include "ntrip_password.h"

#include <crypt.h>


static ngx_uint_t  fuzz_hashed;


/* "$id$...$" of the setting up to its last '$', and 16 digits */

char *
crypt_r(const char *phrase, const char *setting, struct crypt_data *data)
{
    size_t       n;
    uint64_t     hash;
    const char  *p;

    fuzz_hashed++;

    if (fuzz_fails()) {
        return NULL;
    }

    if (setting[0] != '$') {

        /* "_" has its number of rounds behind it */

        return setting[0] == '_' ? strcpy(data->output, "*0")
               : fuzz_real(crypt_r)(phrase, setting, data);
    }

    p = strrchr(setting, '$');
    n = p - setting + 1;

    if (n < 3 || n > 200) {
        return strcpy(data->output, "*0");
    }

    hash = 14695981039346656037u;

    for (p = phrase; *p; p++) {
        hash = (hash ^ (u_char) *p) * 1099511628211u;
    }

    memcpy(data->output, setting, n);
    sprintf(data->output + n, "%016lx", (unsigned long) hash);

    return data->output;
}


static ngx_str_t
fuzz_next(const uint8_t **data, size_t *size)
{
    size_t     n;
    ngx_str_t  s;

    for (n = 0; n < *size && (*data)[n]; n++) { /* void */ }

    s = fuzz_copy(*data, n);

    n = ngx_min(n + 1, *size);
    *data += n;
    *size -= n;

    return s;
}


static void
fuzz_kinds(ntrip_kinds_t *kinds, ngx_str_t *stored)
{
    ngx_uint_t  n;

    n = kinds->n;
    ntrip_kinds_add(kinds, stored);

    test(kinds->n == n
         || (kinds->n == n + 1 && n < NTRIP_PASSWORD_KINDS
             && ntrip_password_slow(stored)));

    n = kinds->n;
    ntrip_kinds_add(kinds, stored);
    test(kinds->n == n);
}


static void
fuzz_check(ngx_str_t *stored, ngx_str_t *given, ntrip_kinds_t *kinds)
{
    ngx_int_t   rc;
    ngx_uint_t  hashable, kind;

    /* neither is crypt(3) asked for a value that is cut or too long */

    hashable = (given->len <= NTRIP_PASSWORD_MAX
                && stored->len <= NTRIP_PASSWORD_STORED
                && !ntrip_text_is(stored, "{CRYPT}"));

    rc = ntrip_password_verify(stored, given);
    test(rc == NGX_OK || rc == NGX_DECLINED || rc == NGX_ERROR);

    if (!ntrip_password_is_hash(stored)) {
        test((rc == NGX_OK)
             == (stored->len == given->len
                 && memcmp(stored->data, given->data, given->len) == 0));
    }

    test(ntrip_password_check(stored, given, 0, NULL) == rc);

    fuzz_hashed = 0;
    test(ntrip_password_check(NULL, given, 0, kinds) == NGX_DECLINED);
    test(!hashable || fuzz_hashed == kinds->n);

    /* his own kind, where it is none of these, is one more */

    fuzz_hashed = 0;
    test(ntrip_password_check(stored, given, 1, kinds)
         == (rc == NGX_OK ? NGX_DECLINED : rc));

    kind = kinds->n;
    ntrip_kinds_add(kinds, stored);

    if (hashable) {
        test(fuzz_hashed == kinds->n
             || (fuzz_hashed == kinds->n + 1
                 && (kind == NTRIP_PASSWORD_KINDS
                     || stored->len > NTRIP_PASSWORD_EXAMPLE)));
    }
}


/* what is stored for a password when an administrator adds it */

static void
fuzz_plain(ngx_str_t *given)
{
    ngx_str_t  plain, other;

    plain.data = malloc(given->len + 7);
    plain.len = ntrip_password_plain(plain.data, given);

    test(!ntrip_password_slow(&plain));
    test(ntrip_password_verify(&plain, given) == NGX_OK);

    if (given->len) {
        other = fuzz_copy(given->data, given->len);

        other.data[plain.len % other.len] ^= 1;
        test(ntrip_password_verify(&plain, &other) == NGX_DECLINED);
        other.len--;
        test(ntrip_password_verify(&plain, &other) == NGX_DECLINED);

        free(other.data);
    }

    free(plain.data);
}


static void
fuzz_hash(ngx_str_t *given)
{
    u_char      hash[NTRIP_PASSWORD_HASH];
    ngx_int_t   rc;
    ngx_str_t   stored;

    static u_char  salt[NTRIP_PASSWORD_SALT] = "some salt...";

    rc = ntrip_password_hash(hash, given, salt);
    test(rc == (given->len <= NTRIP_PASSWORD_MAX ? NGX_OK : NGX_ERROR));

    if (rc != NGX_OK) {
        return;
    }

    stored.data = hash;
    stored.len = strlen((char *) hash);

    test(ntrip_password_slow(&stored));
    test(ntrip_password_verify(&stored, given) == NGX_OK);

    fuzz_failing = 1;
    test(ntrip_password_verify(&stored, given) == NGX_ERROR);
    fuzz_failing = 1;
    test(ntrip_password_hash(hash, given, salt) == NGX_ERROR);
    test(fuzz_failing == 0);
}


/* each call of a library in turn */

static void
fuzz_broken(ngx_str_t *stored, ngx_str_t *given)
{
    ngx_int_t   rc, right;
    ngx_uint_t  i;

    right = ntrip_password_verify(stored, given);

    for (i = 1; /* void */ ; i++) {
        fuzz_failing = i;
        rc = ntrip_password_verify(stored, given);

        if (fuzz_failing) {
            test(rc == right);
            break;
        }

        test(rc == NGX_ERROR);
    }

    fuzz_failing = 0;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ngx_str_t      stored, given, more;
    ntrip_kinds_t  kinds;

    stored = fuzz_next(&data, &size);
    given = fuzz_next(&data, &size);

    memset(&kinds, 0, sizeof(kinds));

    while (size) {
        more = fuzz_next(&data, &size);

        /* an example that crypt(3) is not asked for takes no time */

        if (!ntrip_text_is(&more, "{CRYPT}")) {
            fuzz_kinds(&kinds, &more);
        }

        free(more.data);
    }

    fuzz_plain(&given);
    fuzz_hash(&given);
    fuzz_broken(&stored, &given);
    fuzz_check(&stored, &given, &kinds);

    free(stored.data);
    free(given.data);

    return 0;
}
