
/*
 * The text of a key file, up to a NUL, then a target: keys are cut out of the
 * file in order, and what one has signed it verifies, no other key does, and
 * nor does it any other mode or signature.
 *
 * sources: cwmp_sign.c cwmp_origin.c cwmp_host.c cwmp_label.c cwmp_url.c
 * libs: -lcrypto
 */


#include "fuzz.h"
#include "cwmp_origin.h"


static void
fuzz_keys(ngx_str_t *file, ngx_str_t *first)
{
    u_char      *pos;
    ngx_int_t    rc;
    ngx_str_t    text, key;
    ngx_uint_t   line, last;
    const char  *err;

    text = *file;
    pos = file->data;
    line = 0;
    last = 0;

    for ( ;; ) {
        err = NULL;
        rc = cwmp_sign_next_key(&text, &key, &line, &err);

        test(text.len == 0
             || text.data + text.len == file->data + file->len);

        if (rc != NGX_OK) {
            test((rc == NGX_DONE && text.len == 0)
                 || (rc == NGX_ERROR && err != NULL));
            return;
        }

        test(key.len >= CWMP_SIGN_KEY_MIN && line > last);
        test(key.data >= pos && memchr(key.data, LF, key.len) == NULL);

        pos = key.data + key.len;
        last = line;

        if (first->len == 0) {
            *first = key;
        }
    }
}


static void
fuzz_sign(ngx_str_t *key, ngx_str_t *target, ngx_uint_t mode)
{
    u_char           *buf, sig[CWMP_SIGN_LEN];
    ngx_int_t         rc;
    cwmp_origin_t     o;
    cwmp_sign_key_t   keys[2];

    static ngx_str_t  other = ngx_string("another key of enough bytes");

    buf = malloc(cwmp_origin_size(target->len));

    rc = cwmp_origin_parse_target(&o, mode, target, buf);

    if (rc != NGX_OK) {
        test(cwmp_origin_strerror(rc) != NULL);
        free(buf);
        return;
    }

    memset(keys, 0, sizeof(keys));
    test(cwmp_sign_key_init(&keys[0], &other) == NGX_OK);
    test(cwmp_sign_key_init(&keys[1], key) == NGX_OK);

    (void) cwmp_sign_verify(keys, 2, mode, &o);

    test(cwmp_sign(&keys[1], mode, &o, sig) == NGX_OK);

    o.sig.data = sig;
    o.sig.len = CWMP_SIGN_LEN;

    test(cwmp_sign_verify(keys, 2, mode, &o) == NGX_OK);
    test(cwmp_sign_verify(keys, 1, mode, &o) == NGX_DECLINED);
    test(cwmp_sign_verify(keys, 2, !mode, &o) == NGX_DECLINED);

    sig[target->len % CWMP_SIGN_LEN] ^= 1;
    test(cwmp_sign_verify(keys, 2, mode, &o) == NGX_DECLINED);

    o.sig.len--;
    test(cwmp_sign_verify(keys, 2, mode, &o) == NGX_DECLINED);

    cwmp_sign_key_free(&keys[0]);
    cwmp_sign_key_free(&keys[1]);
    free(buf);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t     n;
    ngx_str_t  file, target, key;

    for (n = 0; n < size && data[n] != '\0'; n++) { /* void */ }

    file = fuzz_copy(data, n);
    ngx_str_set(&key, "");

    fuzz_keys(&file, &key);

    if (key.len) {
        n = ngx_min(n + 1, size);
        target = fuzz_copy(data + n, size - n);

        fuzz_sign(&key, &target, CWMP_URL_QUERY);
        fuzz_sign(&key, &target, CWMP_URL_PATH);

        free(target.data);
    }

    free(file.data);

    return 0;
}
