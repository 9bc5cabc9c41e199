
/*
 * Fieldgate: SipHash, with the vectors of its authors, and in any pieces.
 *
 * sources: cwmp_hash.c
 */


#include "tap.h"

#include "cwmp_hash.h"


static void
hash(const u_char *key, const u_char *text, size_t len, size_t step,
    u_char *out)
{
    size_t       n;
    cwmp_hash_t  h;

    cwmp_hash_init(&h, key);

    for ( /* void */ ; len; text += n, len -= n) {
        n = ngx_min(step, len);
        cwmp_hash_update(&h, text, n);
    }

    cwmp_hash_final(&h, out);
}


static void
is(const u_char *got, const char *expected, const char *name)
{
    u_char     hex[2 * CWMP_HASH_LEN + 1];
    ngx_str_t  s;

    s.data = hex;
    s.len = ngx_hex_dump(hex, (u_char *) got, CWMP_HASH_LEN) - hex;

    (void) tap_is(&s, expected, name);
}


int
main(void)
{
    size_t      len, step;
    u_char      text[64], key[CWMP_HASH_KEY_LEN];
    u_char      whole[CWMP_HASH_LEN], pieces[CWMP_HASH_LEN];
    ngx_uint_t  i, same;

    for (i = 0; i < sizeof(text); i++) {
        text[i] = (u_char) i;
    }

    ngx_memcpy(key, text, sizeof(key));

    hash(key, text, 0, 64, whole);
    is(whole, "a3817f04ba25a8e66df67214c7550293", "no byte");

    hash(key, text, 1, 64, whole);
    is(whole, "da87c1d86b99af44347659119b22fc45", "one");

    hash(key, text, 15, 64, whole);
    is(whole, "5493e99933b0a8117e08ec0f97cfc3d9", "fifteen");

    hash(key, text, 63, 64, whole);
    is(whole, "5150d1772f50834a503e069a973fbd7c", "63");

    for (same = 1, len = 0; len <= sizeof(text); len++) {

        hash(key, text, len, sizeof(text), whole);

        for (step = 1; step <= len; step++) {
            hash(key, text, len, step, pieces);
            same &= (ngx_memcmp(whole, pieces, CWMP_HASH_LEN) == 0);
        }
    }

    tap_ok(same, "pieces make no difference");

    hash(key, text, 15, 64, whole);
    key[15] ^= 1;
    hash(key, text, 15, 64, pieces);
    tap_ok(ngx_memcmp(whole, pieces, CWMP_HASH_LEN) != 0, "the key does");

    return tap_done();
}
