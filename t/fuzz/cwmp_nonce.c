
/*
 * What claims to be a nonce of ours.  Nobody has the key, so none is; nor is
 * what the key has signed for another use, or one with a bit changed.  What is
 * written comes back, with any of the keys, and what was signed by mistake,
 * without being numbers, is refused.  Where libcrypto fails, that is an error.
 *
 * sources: cwmp_nonce.c cwmp_sign.c
 * libs: -lcrypto
 */


#include "fuzz.h"
#include "failing_crypto.h"
#include "cwmp_nonce.h"


#define FUZZ_NUMBERS  (CWMP_NONCE_LEN - CWMP_SIGN_LEN)


/* the same number of digits in front of a signature, whatever they are */

static void
fuzz_signed(cwmp_sign_key_t *keys, const uint8_t *data)
{
    u_char        buf[CWMP_NONCE_LEN];
    size_t        i;
    ngx_str_t     part, text;
    ngx_uint_t    digits;
    cwmp_nonce_t  n;

    memcpy(buf, data, FUZZ_NUMBERS);
    part.data = buf;
    part.len = FUZZ_NUMBERS;
    text.data = buf;
    text.len = CWMP_NONCE_LEN;

    digits = 1;

    for (i = 0; i < FUZZ_NUMBERS; i++) {
        digits &= (isxdigit(buf[i]) != 0);
    }

    test(cwmp_sign_parts(&keys[1], CWMP_SIGN_NONCE, &part, 1,
                         buf + FUZZ_NUMBERS)
         == NGX_OK);
    test(cwmp_nonce_read(&n, keys, 2, &text)
         == (digits ? NGX_OK : NGX_DECLINED));

    test(cwmp_sign_parts(&keys[1], CWMP_SIGN_SERVER, &part, 1,
                         buf + FUZZ_NUMBERS)
         == NGX_OK);
    test(cwmp_nonce_read(&n, keys, 2, &text) == NGX_DECLINED);
}


static void
fuzz_own(cwmp_sign_key_t *keys, const uint8_t *data)
{
    u_char        buf[CWMP_NONCE_LEN];
    uint32_t      life, age;
    ngx_str_t     text;
    cwmp_nonce_t  n, back;

    memcpy(&n.time, data, 4);
    memcpy(&n.serial, data + 4, 4);
    memcpy(&life, data + 8, 4);
    memcpy(&age, data + 12, 4);

    test(cwmp_nonce_write(&n, &keys[1], buf) == NGX_OK);

    text.data = buf;
    text.len = CWMP_NONCE_LEN;

    test(cwmp_nonce_read(&back, keys, 2, &text) == NGX_OK);
    test(back.time == n.time && back.serial == n.serial);
    test(cwmp_nonce_read(&back, keys, 1, &text) == NGX_DECLINED);

    test(cwmp_nonce_fresh(&n, n.time + age, life) == (age <= life));

    fuzz_failing = 1 + data[0] % 3;
    test(cwmp_nonce_read(&back, keys, 2, &text) == NGX_ERROR);
    fuzz_failing = 1 + data[0] % 3;
    test(cwmp_nonce_write(&n, &keys[1], buf) == NGX_ERROR);
    fuzz_failing = 0;

    test(cwmp_nonce_write(&n, &keys[1], buf) == NGX_OK);
    buf[data[0] % CWMP_NONCE_LEN] ^= 1;
    test(cwmp_nonce_read(&back, keys, 2, &text) == NGX_DECLINED);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ngx_str_t        text;
    cwmp_nonce_t     n;
    cwmp_sign_key_t  keys[2];

    static ngx_str_t  secrets[] = {
        ngx_string("one key of enough bytes"),
        ngx_string("another key of enough bytes")
    };

    memset(keys, 0, sizeof(keys));
    test(cwmp_sign_key_init(&keys[0], &secrets[0]) == NGX_OK);
    test(cwmp_sign_key_init(&keys[1], &secrets[1]) == NGX_OK);

    text = fuzz_copy(data, size);
    test(cwmp_nonce_read(&n, keys, 2, &text) == NGX_DECLINED);
    free(text.data);

    if (size >= FUZZ_NUMBERS) {
        fuzz_signed(keys, data);
        fuzz_own(keys, data);
    }

    cwmp_sign_key_free(&keys[0]);
    cwmp_sign_key_free(&keys[1]);

    return 0;
}
