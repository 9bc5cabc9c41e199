
/*
 * Fieldgate: stored passwords.
 */


#include "ntrip_password.h"

#include <crypt.h>
#include <openssl/evp.h>


#define NTRIP_SHA1_LEN     20

/* characters that say what an scrypt hash costs */
#define NTRIP_SCRYPT_COST  11


static ngx_int_t ntrip_password_crypted(ngx_str_t *stored, ngx_str_t *given);
static ngx_int_t ntrip_password_crypt(char hash[CRYPT_OUTPUT_SIZE],
    ngx_str_t *password, const char *setting);
static ngx_int_t ntrip_password_sha1(ngx_str_t *stored, ngx_str_t *given,
    ngx_uint_t salted);
static ngx_uint_t ntrip_password_scheme(ngx_str_t *stored, const char *name,
    ngx_str_t *rest);
static ngx_int_t ntrip_password_kind(ngx_str_t *stored, ngx_str_t *kind);
static ngx_uint_t ntrip_kinds_equal(ntrip_kinds_t *kinds, ngx_uint_t i,
    ngx_str_t *stored);


ngx_uint_t
ntrip_password_is_hash(ngx_str_t *stored)
{
    return stored->len && (stored->data[0] == '$' || stored->data[0] == '{');
}


ngx_uint_t
ntrip_password_slow(ngx_str_t *stored)
{
    ngx_str_t  rest;

    return (stored->len && stored->data[0] == '$')
           || ntrip_password_scheme(stored, "{CRYPT}", &rest);
}


ngx_int_t
ntrip_password_verify(ngx_str_t *stored, ngx_str_t *given)
{
    ngx_str_t  rest;

    if (!ntrip_password_is_hash(stored)) {
        return ntrip_password_equal(stored, given) ? NGX_OK : NGX_DECLINED;
    }

    if (ntrip_password_scheme(stored, "{PLAIN}", &rest)) {
        return ntrip_password_equal(&rest, given) ? NGX_OK : NGX_DECLINED;
    }

    if (stored->data[0] == '$') {
        return ntrip_password_crypted(stored, given);
    }

    if (ntrip_password_scheme(stored, "{CRYPT}", &rest)) {
        return ntrip_password_crypted(&rest, given);
    }

    if (ntrip_password_scheme(stored, "{SHA}", &rest)) {
        return ntrip_password_sha1(&rest, given, 0);
    }

    if (ntrip_password_scheme(stored, "{SSHA}", &rest)) {
        return ntrip_password_sha1(&rest, given, 1);
    }

    return NGX_ERROR;
}


static ngx_uint_t
ntrip_password_scheme(ngx_str_t *stored, const char *name, ngx_str_t *rest)
{
    if (!ntrip_text_begins(stored, name)) {
        return 0;
    }

    rest->data = stored->data + ngx_strlen(name);
    rest->len = stored->len - ngx_strlen(name);

    return 1;
}


static ngx_int_t
ntrip_password_crypted(ngx_str_t *stored, ngx_str_t *given)
{
    char        setting[NTRIP_PASSWORD_STORED + 1];
    char        hash[CRYPT_OUTPUT_SIZE];
    ngx_int_t   rc;
    ngx_str_t   value;

    if (stored->len == 0 || stored->len > NTRIP_PASSWORD_STORED
        || memchr(stored->data, '\0', stored->len))
    {
        return NGX_ERROR;
    }

    ngx_memcpy(setting, stored->data, stored->len);
    setting[stored->len] = '\0';

    rc = ntrip_password_crypt(hash, given, setting);

    if (rc != NGX_OK) {
        return rc;
    }

    value.data = (u_char *) hash;
    value.len = ngx_strlen(hash);

    return ntrip_password_equal(&value, stored) ? NGX_OK : NGX_DECLINED;
}


/* NGX_DECLINED: no password that crypt(3) can take; NGX_ERROR: no setting */

static ngx_int_t
ntrip_password_crypt(char hash[CRYPT_OUTPUT_SIZE], ngx_str_t *password,
    const char *setting)
{
    char                phrase[NTRIP_PASSWORD_MAX + 1];
    char               *result;
    ngx_int_t           rc;
    struct crypt_data   data;

    if (password->len > NTRIP_PASSWORD_MAX) {
        return NGX_DECLINED;
    }

    if (password->len) {
        if (memchr(password->data, '\0', password->len)) {
            return NGX_DECLINED;
        }

        ngx_memcpy(phrase, password->data, password->len);
    }

    phrase[password->len] = '\0';

    ngx_memzero(&data, sizeof(struct crypt_data));

    result = crypt_r(phrase, setting, &data);

    /* libxcrypt's sign of an unknown or damaged setting is "*0" or "*1" */

    rc = NGX_ERROR;

    if (result && result[0] != '*' && ngx_strlen(result) < CRYPT_OUTPUT_SIZE) {
        ngx_memcpy(hash, result, ngx_strlen(result) + 1);
        rc = NGX_OK;
    }

    explicit_bzero(phrase, sizeof(phrase));
    explicit_bzero(&data, sizeof(struct crypt_data));

    return rc;
}


/* RFC 2307 and its custom: base64 of the digest, and of the salt behind it */

static ngx_int_t
ntrip_password_sha1(ngx_str_t *stored, ngx_str_t *given, ngx_uint_t salted)
{
    u_char        decoded[NTRIP_PASSWORD_STORED];
    u_char        digest[EVP_MAX_MD_SIZE];
    ngx_int_t     rc;
    ngx_str_t     plain, right, ours;
    EVP_MD_CTX   *ctx;
    unsigned int  len;

    plain.data = decoded;

    if (stored->len > NTRIP_PASSWORD_STORED
        || ntrip_text_base64_decode(&plain, stored) != NGX_OK
        || plain.len < NTRIP_SHA1_LEN
        || (!salted && plain.len != NTRIP_SHA1_LEN))
    {
        return NGX_ERROR;
    }

    right.data = decoded;
    right.len = NTRIP_SHA1_LEN;

    ctx = EVP_MD_CTX_new();
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    rc = NGX_ERROR;

    if (EVP_DigestInit_ex(ctx, EVP_sha1(), NULL) == 1
        && EVP_DigestUpdate(ctx, given->data, given->len) == 1
        && EVP_DigestUpdate(ctx, decoded + NTRIP_SHA1_LEN,
                            plain.len - NTRIP_SHA1_LEN) == 1
        && EVP_DigestFinal_ex(ctx, digest, &len) == 1)
    {
        ours.data = digest;
        ours.len = len;

        rc = ntrip_password_equal(&right, &ours) ? NGX_OK : NGX_DECLINED;
    }

    EVP_MD_CTX_free(ctx);

    return rc;
}


/*
 * What of a slow hash says how it is made: "$id$", and the cost behind it
 * where crypt(3) has one; nothing for DES, of which there is one kind.
 * NGX_DECLINED: it is no slow hash.
 */

static ngx_int_t
ntrip_password_kind(ngx_str_t *stored, ngx_str_t *kind)
{
    u_char      *p, *last;
    ngx_uint_t   parts;

    *kind = *stored;

    if (!ntrip_password_slow(stored)) {
        return NGX_DECLINED;
    }

    (void) ntrip_password_scheme(stored, "{CRYPT}", kind);

    last = kind->data + kind->len;

    if (ntrip_text_begins(kind, "$7$")) {
        p = kind->data + sizeof("$7$") - 1 + NTRIP_SCRYPT_COST;
        kind->len = ngx_min(p, last) - kind->data;
        return NGX_OK;
    }

    parts = (ntrip_text_begins(kind, "$2")
             || ntrip_text_begins(kind, "$y$")
             || ntrip_text_begins(kind, "$gy$")
             || ntrip_text_begins(kind, "$sha1$")
             || ntrip_text_begins(kind, "$5$rounds=")
             || ntrip_text_begins(kind, "$6$rounds=")) ? 3 : 2;

    if (!ntrip_text_begins(kind, "$")) {
        parts = 0;
    }

    for (p = kind->data; p < last && parts; p++) {
        parts -= (*p == '$');
    }

    kind->len = p - kind->data;

    return NGX_OK;
}


static ngx_uint_t
ntrip_kinds_equal(ntrip_kinds_t *kinds, ngx_uint_t i, ngx_str_t *stored)
{
    ngx_str_t  example, kind, other;

    example.data = kinds->text[i];
    example.len = kinds->len[i];

    return ntrip_password_kind(stored, &kind) == NGX_OK
           && ntrip_password_kind(&example, &other) == NGX_OK
           && kind.len == other.len
           && ngx_memcmp(kind.data, other.data, kind.len) == 0;
}


void
ntrip_kinds_add(ntrip_kinds_t *kinds, ngx_str_t *stored)
{
    ngx_uint_t  i;

    if (stored->len > NTRIP_PASSWORD_EXAMPLE
        || !ntrip_password_slow(stored)
        || memchr(stored->data, '\0', stored->len))
    {
        return;
    }

    for (i = 0; i < kinds->n; i++) {
        if (ntrip_kinds_equal(kinds, i, stored)) {
            return;
        }
    }

    if (i == NTRIP_PASSWORD_KINDS) {
        return;
    }

    kinds->len[i] = stored->len;
    ngx_memcpy(kinds->text[i], stored->data, stored->len);

    __atomic_store_n(&kinds->n, i + 1, __ATOMIC_RELEASE);
}


ngx_int_t
ntrip_password_check(ngx_str_t *stored, ngx_str_t *given, ngx_uint_t refused,
    ntrip_kinds_t *kinds)
{
    ngx_int_t   rc;
    ngx_str_t   example;
    ngx_uint_t  i, n;

    rc = stored ? ntrip_password_verify(stored, given) : NGX_DECLINED;

    if (rc == NGX_OK && !refused) {
        return NGX_OK;
    }

    n = kinds ? __atomic_load_n(&kinds->n, __ATOMIC_ACQUIRE) : 0;

    for (i = 0; i < n; i++) {

        if (stored && ntrip_kinds_equal(kinds, i, stored)) {
            continue;
        }

        example.data = kinds->text[i];
        example.len = kinds->len[i];

        (void) ntrip_password_verify(&example, given);
    }

    return (rc == NGX_ERROR) ? NGX_ERROR : NGX_DECLINED;
}


ngx_uint_t
ntrip_password_equal(ngx_str_t *secret, ngx_str_t *given)
{
    size_t           i;
    u_char           c;
    volatile size_t  difference;

    difference = secret->len ^ given->len;

    for (i = 0; i < given->len; i++) {
        c = secret->len ? secret->data[i % secret->len] : 0;
        difference |= c ^ given->data[i];
    }

    return difference == 0;
}


ngx_int_t
ntrip_password_hash(u_char hash[NTRIP_PASSWORD_HASH], ngx_str_t *password,
    u_char salt[NTRIP_PASSWORD_SALT])
{
    char      *p, setting[sizeof("$6$0123456789abcdef")];
    char       result[CRYPT_OUTPUT_SIZE];
    size_t     i;
    uint32_t   bits;

    static const char  alphabet[] =
        "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    ngx_memcpy(setting, "$6$", 3);
    p = setting + 3;

    for (i = 0; i < NTRIP_PASSWORD_SALT; i += 3) {
        bits = salt[i] << 16 | salt[i + 1] << 8 | salt[i + 2];

        *p++ = alphabet[bits >> 18];
        *p++ = alphabet[bits >> 12 & 0x3f];
        *p++ = alphabet[bits >> 6 & 0x3f];
        *p++ = alphabet[bits & 0x3f];
    }

    *p = '\0';

    if (ntrip_password_crypt(result, password, setting) != NGX_OK
        || ngx_strlen(result) >= NTRIP_PASSWORD_HASH)
    {
        return NGX_ERROR;
    }

    ngx_memcpy(hash, result, ngx_strlen(result) + 1);

    return NGX_OK;
}


size_t
ntrip_password_plain(u_char *stored, ngx_str_t *password)
{
    u_char  *p;

    p = stored;

    if (ntrip_password_is_hash(password)) {
        p = ngx_cpymem(p, "{PLAIN}", sizeof("{PLAIN}") - 1);
    }

    if (password->len) {
        p = ngx_cpymem(p, password->data, password->len);
    }

    return p - stored;
}
