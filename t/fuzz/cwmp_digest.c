
/*
 * A hostile CPE's challenge, up to the first NUL, then user, password and
 * target: what the Authorization field is made of them.
 *
 * It is one line.  Each parameter that is not ours is what the challenge had,
 * and none ends before its quote.  Base64 of credentials comes back.  Where
 * libcrypto fails, there is no field.
 *
 * sources: cwmp_digest.c cwmp_challenge.c
 * libs: -lcrypto
 */


#include "fuzz.h"
#include "failing_crypto.h"
#include "cwmp_digest.h"


#define FUZZ_PREFIX  "Authorization: Digest "


static ngx_str_t
fuzz_next(const uint8_t **data, size_t *size)
{
    size_t      n;
    ngx_str_t   s;

    for (n = 0; n < *size && (*data)[n] != '\0'; n++) { /* void */ }

    s = fuzz_copy(*data, n);

    n = ngx_min(n + 1, *size);
    *data += n;
    *size -= n;

    return s;
}


/* name=value or name="value", with commas between, and nothing else */

static void
fuzz_parameters(u_char *p, u_char *last, cwmp_challenge_t *ch)
{
    u_char      *name, *value;
    size_t       len;
    ngx_uint_t   n, realms;

    realms = 0;

    for (n = 0; /* void */ ; n++) {
        for (name = p; p < last && *p >= 'a' && *p <= 'z'; p++) { /* void */ }

        test(p > name && p < last && *p == '=');
        len = p++ - name;

        test(p < last);

        if (*p == '"') {

            for (value = ++p; p < last && *p != '"'; p++) {
                if (*p == '\\') {
                    p++;
                }
            }

            test(p < last);

            if (len == 5 && memcmp(name, "realm", 5) == 0) {
                test((size_t) (p - value) == ch->realm.len);
                test(ch->realm.len == 0
                     || memcmp(value, ch->realm.data, ch->realm.len) == 0);
                realms++;
            }

            if (len == 5 && memcmp(name, "nonce", 5) == 0) {
                test((size_t) (p - value) == ch->nonce.len);
                test(ch->nonce.len == 0
                     || memcmp(value, ch->nonce.data, ch->nonce.len) == 0);
            }

            p++;

        } else {
            for (value = p; p < last && *p != ','; p++) {
                test(ngx_strchr("\"\\ \t", *p) == NULL);
            }

            test(p > value);
        }

        if (p == last) {
            break;
        }

        test(last - p > 2 && p[0] == ',' && p[1] == ' ');
        p += 2;
    }

    test(realms == 1 && n >= 4 && n < 12);
}


/* each call of libcrypto in turn, up to the first that there is not */

static void
fuzz_broken(cwmp_challenge_t *ch, cwmp_digest_t *d)
{
    u_char      *buf;
    ngx_uint_t   i, failed;

    buf = malloc(cwmp_digest_size(ch, d));
    test(buf != NULL);

    failed = 1;

    for (i = 1; failed; i++) {
        fuzz_failing = i;

        failed = (cwmp_digest_header(buf, ch, d) == NULL);

        test(failed == (fuzz_failing == 0));
    }

    fuzz_failing = 0;
    free(buf);
}


static void
fuzz_digest(cwmp_challenge_t *ch, cwmp_digest_t *d)
{
    size_t   size;
    u_char  *buf, *p, *last;

    size = cwmp_digest_size(ch, d);
    buf = malloc(size);
    test(buf != NULL);

    last = cwmp_digest_header(buf, ch, d);
    test(last != NULL && last <= buf + size);

    test(last - buf > 2 && last[-2] == CR && last[-1] == LF);
    last -= 2;

    for (p = buf; p < last; p++) {
        test(*p == '\t' || (*p >= ' ' && *p != 0x7f));
    }

    test((size_t) (last - buf) > sizeof(FUZZ_PREFIX) - 1);
    test(memcmp(buf, FUZZ_PREFIX, sizeof(FUZZ_PREFIX) - 1) == 0);

    fuzz_parameters(buf + sizeof(FUZZ_PREFIX) - 1, last, ch);

    free(buf);
}


static void
fuzz_basic(ngx_str_t *value, cwmp_credentials_t *from)
{
    size_t              size, i;
    u_char             *buf, *last, *decoded;
    ngx_int_t           rc;
    ngx_str_t           field;
    cwmp_credentials_t  c;

    buf = malloc(value->len ? value->len : 1);

    rc = cwmp_basic_decode(value, buf, &c);

    if (rc == NGX_OK) {
        test(cwmp_credentials_valid(&c));
        test(c.user.len + c.password.len < value->len);
    }

    free(buf);

    if (!cwmp_credentials_valid(from)) {
        return;
    }

    for (i = 0; i < from->user.len; i++) {
        if (from->user.data[i] == ':') {
            return;
        }
    }

    size = cwmp_basic_size(from);
    buf = malloc(size);
    last = cwmp_basic_header(buf, from);

    test(last <= buf + size && last[-2] == CR && last[-1] == LF);

    field.data = buf + sizeof("Authorization: ") - 1;
    field.len = last - 2 - field.data;

    decoded = malloc(field.len);

    test(cwmp_basic_decode(&field, decoded, &c) == NGX_OK);
    test(c.user.len == from->user.len && c.password.len == from->password.len);
    test(memcmp(c.user.data, from->user.data, c.user.len) == 0);
    test(memcmp(c.password.data, from->password.data, c.password.len) == 0);

    free(decoded);
    free(buf);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t             i;
    ngx_str_t          field;
    cwmp_digest_t      d;
    cwmp_challenges_t  all;

    field = fuzz_next(&data, &size);

    memset(&d, 0, sizeof(cwmp_digest_t));
    d.credentials.user = fuzz_next(&data, &size);
    d.credentials.password = fuzz_next(&data, &size);
    d.uri = fuzz_next(&data, &size);
    ngx_str_set(&d.method, "GET");
    ngx_str_set(&d.cnonce, "0123456789abcdef");
    d.nc = 1;

    cwmp_challenge_select(&all, &field, 1);

    /* of a request line; others never come to this */

    for (i = 0; i < d.uri.len; i++) {
        if (d.uri.data[i] <= ' ' || d.uri.data[i] >= 0x7f
            || d.uri.data[i] == '"' || d.uri.data[i] == '\\')
        {
            d.uri.data[i] = '/';
        }
    }

    if (all.usable && cwmp_credentials_valid(&d.credentials)) {
        fuzz_digest(&all.digest, &d);

        if (fuzz_sample(field.data, field.len)) {
            fuzz_broken(&all.digest, &d);
        }
    }

    fuzz_basic(&field, &d.credentials);

    free(field.data);
    free(d.credentials.user.data);
    free(d.credentials.password.data);
    free(d.uri.data);

    return 0;
}
