
/*
 * sources: ntrip_password.c ntrip_text.c
 * libs: -lcrypt -lcrypto
 *
 * A stored value, a 0 byte, a password.  What takes crypt(3), thousands of
 * rounds, is only classified.  A password that is stored matches itself, and
 * nothing that differs in one byte.
 */


#include "fuzz.h"
#include "ntrip_password.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t     n;
    ngx_int_t  rc;
    ngx_str_t  stored, given, plain;

    for (n = 0; n < size && data[n]; n++) {
        /* void */
    }

    stored = fuzz_copy(data, n);
    given = fuzz_copy(data + n + (n < size), size - n - (n < size));

    if (!ntrip_password_slow(&stored)) {
        rc = ntrip_password_verify(&stored, &given);
        test(rc == NGX_OK || rc == NGX_DECLINED || rc == NGX_ERROR);

        if (!ntrip_password_is_hash(&stored)) {
            test((rc == NGX_OK)
                 == (stored.len == given.len
                     && memcmp(stored.data, given.data, given.len) == 0));
        }
    }

    plain.data = malloc(given.len + 7);
    plain.len = ntrip_password_plain(plain.data, &given);

    test(!ntrip_password_slow(&plain));
    test(ntrip_password_verify(&plain, &given) == NGX_OK);

    if (given.len) {
        given.data[size % given.len] ^= 1;
        test(ntrip_password_verify(&plain, &given) == NGX_DECLINED);
        given.len--;
        test(ntrip_password_verify(&plain, &given) == NGX_DECLINED);
    }

    free(plain.data);
    free(stored.data);
    free(given.data);

    return 0;
}
