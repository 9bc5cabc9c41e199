
/*
 * The text of a key file, up to a NUL, then a target: keys are cut out of the
 * file in order, and what one has signed it verifies, no other key does, and
 * nor does it any other mode or signature.
 *
 * sources: cwmp_sign.c cwmp_origin.c cwmp_host.c cwmp_label.c cwmp_url.c
 * libs: -lcrypto
 */


#include "fuzz.h"
#include "failing_crypto.h"
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


/* libcrypto fails somewhere: that is an error, and no verdict */

static void
fuzz_broken(ngx_str_t *key, ngx_uint_t mode, cwmp_origin_t *origin)
{
    u_char           sig[CWMP_SIGN_LEN];
    ngx_int_t        rc;
    ngx_uint_t       i;
    cwmp_origin_t    o;
    cwmp_sign_key_t  k;

    o = *origin;

    for (i = 1; i < 64; i++) {
        fuzz_failing = i;

        rc = cwmp_sign_key_init(&k, key);

        if (rc == NGX_OK) {
            rc = cwmp_sign(&k, mode, &o, sig);
        }

        if (rc == NGX_OK) {
            o.sig.data = sig;
            o.sig.len = CWMP_SIGN_LEN;
            rc = cwmp_sign_verify(&k, 1, mode, &o);
        }

        test(rc == (fuzz_failing ? NGX_OK : NGX_ERROR));

        fuzz_failing = 0;
        cwmp_sign_key_free(&k);
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

    if (fuzz_sample(target->data, target->len)) {
        fuzz_broken(key, mode, &o);
    }

    test(cwmp_sign(&keys[1], mode, &o, sig) == NGX_OK);

    o.sig.data = sig;
    o.sig.len = CWMP_SIGN_LEN;

    test(cwmp_sign_verify(keys, 2, mode, &o) == NGX_OK);
    test(cwmp_sign_verify(keys, 1, mode, &o) == NGX_DECLINED);
    test(cwmp_sign_verify(keys, 2, !mode, &o) == NGX_DECLINED);

    /* a UDP address is signed with it, and makes it one of another mode */

    test(cwmp_sign_verify(keys, 2, CWMP_URL_UDP, &o) == NGX_DECLINED);
    test(cwmp_sign(&keys[1], CWMP_URL_UDP, &o, sig) == NGX_OK);
    test(cwmp_sign_verify(keys, 2, CWMP_URL_UDP, &o) == NGX_OK);
    test(cwmp_sign(&keys[1], mode, &o, sig) == NGX_OK);

    /* for one use it is none for another */

    test(cwmp_sign_parts(&keys[1], CWMP_SIGN_NONCE, &o.target, 1, sig)
         == NGX_OK);
    test(cwmp_sign_verify_parts(keys, 2, CWMP_SIGN_NONCE, &o.target, 1, &o.sig)
         == NGX_OK);
    test(cwmp_sign_verify_parts(keys, 2, CWMP_SIGN_SERVER, &o.target, 1,
                                &o.sig)
         == NGX_DECLINED);

    test(cwmp_sign(&keys[1], mode, &o, sig) == NGX_OK);
    sig[target->len % CWMP_SIGN_LEN] ^= 1;
    test(cwmp_sign_verify(keys, 2, mode, &o) == NGX_DECLINED);

    o.sig.len--;
    test(cwmp_sign_verify(keys, 2, mode, &o) == NGX_DECLINED);
    test(cwmp_sign_verify_parts(keys, 2, CWMP_SIGN_URL, &o.target, 1, &o.sig)
         == NGX_DECLINED);

    cwmp_sign_key_free(&keys[0]);
    cwmp_sign_key_free(&keys[1]);
    free(buf);
}


/* in host mode the target is the CPE's own, and the name has the origin */

static void
fuzz_host(ngx_str_t *key, ngx_str_t *target)
{
    u_char           *buf, sig[CWMP_SIGN_LEN];
    ngx_str_t         url;
    fuzz_buf_t        text = { NULL, 0, 0 };
    cwmp_origin_t     o;
    cwmp_sign_key_t   k;

    fuzz_add(&text, "http://192.0.2.7:7547", 21);
    fuzz_add(&text, target->data, target->len);
    url.data = text.data;
    url.len = text.len;

    buf = malloc(cwmp_origin_size(url.len));
    memset(&k, 0, sizeof(k));

    if (cwmp_origin_parse(&o, &url, buf) == NGX_OK) {
        test(cwmp_sign_key_init(&k, key) == NGX_OK);
        test(cwmp_sign(&k, CWMP_URL_HOST, &o, sig) == NGX_OK);

        o.sig.data = sig;
        o.sig.len = CWMP_SIGN_LEN;
        test(cwmp_sign_verify(&k, 1, CWMP_URL_HOST, &o) == NGX_OK);
        test(cwmp_sign_verify(&k, 1, CWMP_URL_PATH, &o) == NGX_DECLINED);
    }

    cwmp_sign_key_free(&k);
    free(buf);
    free(text.data);
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
        fuzz_host(&key, &target);

        free(target.data);
    }

    free(file.data);

    return 0;
}
