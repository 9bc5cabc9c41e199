
/*
 * What claims to be an ACS's Digest credentials, up to the first NUL, then
 * user, password and target.
 *
 * It never reads over an end.  What is accepted has the response that the
 * password makes, which is calculated anew, and no other password is.  What
 * cwmp_digest.c writes for a challenge of ours is accepted, its URI absolute
 * or not; where libcrypto fails, that is no verdict.
 *
 * sources: cwmp_verify.c cwmp_digest.c cwmp_challenge.c
 * libs: -lcrypto
 */


#include "fuzz.h"
#include "failing_crypto.h"
#include "cwmp_verify.h"


static ngx_str_t
fuzz_next(const uint8_t **data, size_t *size)
{
    size_t     n;
    ngx_str_t  s;

    for (n = 0; n < *size && (*data)[n] != '\0'; n++) { /* void */ }

    s = fuzz_copy(*data, n);

    n = ngx_min(n + 1, *size);
    *data += n;
    *size -= n;

    return s;
}


/*
 * Our own answer with this URI, and the same with one character of the password
 * changed.
 */

static void
fuzz_own(cwmp_verify_t *v, ngx_uint_t hash, ngx_str_t *uri)
{
    u_char            *p, *last;
    uint32_t           nc;
    ngx_str_t          value, nonce;
    cwmp_digest_t      d;
    cwmp_challenge_t   ch;

    if (!cwmp_credentials_valid(&v->credentials)
        || memchr(uri->data, '"', uri->len)
        || memchr(uri->data, '\\', uri->len))
    {
        return;
    }

    memset(&ch, 0, sizeof(cwmp_challenge_t));
    memset(&d, 0, sizeof(cwmp_digest_t));

    ch.hash = hash;
    ch.qop = CWMP_QOP_AUTH;
    ch.has_algorithm = 1;
    ch.realm = v->realm;
    ngx_str_set(&ch.nonce, "abc");

    if (hash == CWMP_ALGORITHM_SHA256) {
        ngx_str_set(&ch.algorithm, "SHA-256");

    } else {
        ngx_str_set(&ch.algorithm, "MD5");
    }

    d.credentials = v->credentials;
    d.method = v->method;
    d.uri = *uri;
    d.nc = 7;
    ngx_str_set(&d.cnonce, "0123456789abcdef");

    p = malloc(cwmp_digest_size(&ch, &d));
    last = cwmp_digest_header(p, &ch, &d);
    test(last != NULL);

    value.data = p + sizeof("Authorization: ") - 1;
    value.len = last - value.data - 2;

    test(cwmp_verify(v, &value, &nonce, &nc) == CWMP_VERIFY_OK);
    test(nc == 7 && nonce.len == 3);

    fuzz_failing = 1 + v->target.len % 4;
    test(cwmp_verify(v, &value, &nonce, &nc) == CWMP_VERIFY_ERROR);
    test(fuzz_failing == 0);

    if (v->credentials.password.len) {
        v->credentials.password.data[0] ^= 1;
        test(cwmp_verify(v, &value, &nonce, &nc) == CWMP_VERIFY_PASSWORD);
        v->credentials.password.data[0] ^= 1;
    }

    free(p);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint32_t       nc;
    ngx_str_t      value, nonce, other, uri;
    fuzz_buf_t     absolute = { NULL, 0, 0 };
    cwmp_verify_t  v;
    cwmp_verify_e  result;

    value = fuzz_next(&data, &size);
    v.credentials.user = fuzz_next(&data, &size);
    v.credentials.password = fuzz_next(&data, &size);
    v.target = fuzz_copy(data, size);

    ngx_str_set(&v.method, "GET");
    ngx_str_set(&v.realm, "cwmp");

    result = cwmp_verify(&v, &value, &nonce, &nc);

    test(result != CWMP_VERIFY_ERROR);
    test(cwmp_verify_strerror(result) != NULL);

    if (result == CWMP_VERIFY_OK) {
        test(nc != 0);
        test(nonce.data >= value.data
             && nonce.data + nonce.len <= value.data + value.len);

        other = v.credentials.password;
        ngx_str_set(&v.credentials.password, "not this one");
        test(cwmp_verify(&v, &value, &nonce, &nc) == CWMP_VERIFY_PASSWORD
             || (other.len == sizeof("not this one") - 1
                 && memcmp(other.data, "not this one", other.len) == 0));
        v.credentials.password = other;
    }

    fuzz_own(&v, CWMP_ALGORITHM_MD5, &v.target);
    fuzz_own(&v, CWMP_ALGORITHM_SHA256, &v.target);

    if (size && v.target.data[0] == '/') {
        fuzz_add(&absolute, "HTTP://acs:7548", 15);
        fuzz_add(&absolute, v.target.data, v.target.len);

        uri.data = absolute.data;
        uri.len = absolute.len;
        fuzz_own(&v, CWMP_ALGORITHM_MD5, &uri);

        free(absolute.data);
    }

    free(value.data);
    free(v.credentials.user.data);
    free(v.credentials.password.data);
    free(v.target.data);

    return 0;
}
