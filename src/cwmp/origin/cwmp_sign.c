
/*
 * Fieldgate: signatures of announced URLs.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "cwmp_sign.h"


#define CWMP_SIGN_BLOCK   64    /* of SHA-256 */
#define CWMP_SIGN_DIGEST  32
#define CWMP_SIGN_BYTES   16    /* taken of it */


static EVP_MD_CTX *cwmp_sign_pad(u_char *block, u_char pad);
static ngx_int_t cwmp_sign_origin(cwmp_sign_key_t *k, ngx_uint_t mode,
    cwmp_origin_t *o, u_char *sig);
static size_t cwmp_sign_text(u_char *text, ngx_uint_t mode, cwmp_origin_t *o);
static u_char *cwmp_sign_text_part(u_char *p, ngx_str_t *part);
static cwmp_sign_row_t *cwmp_sign_row(cwmp_sign_last_t *last, u_char *text,
    size_t len);
static ngx_int_t cwmp_sign_digest(cwmp_sign_key_t *k, cwmp_sign_use_e use,
    ngx_str_t *parts, ngx_uint_t nparts, u_char *out);
static ngx_int_t cwmp_sign_hash(cwmp_sign_key_t *k, cwmp_sign_use_e use,
    ngx_str_t *parts, ngx_uint_t nparts, u_char *hash);
static ngx_int_t cwmp_sign_hash_part(EVP_MD_CTX *ctx, ngx_str_t *part);


ngx_int_t
cwmp_sign_key_init(cwmp_sign_key_t *k, ngx_str_t *key)
{
    u_char  block[CWMP_SIGN_BLOCK];

    ngx_memzero(k, sizeof(cwmp_sign_key_t));
    ngx_memzero(block, sizeof(block));

    if (key->len <= sizeof(block)) {
        ngx_memcpy(block, key->data, key->len);

    } else if (EVP_Digest(key->data, key->len, block, NULL, EVP_sha256(), NULL)
               != 1)
    {
        return NGX_ERROR;
    }

    k->inner = cwmp_sign_pad(block, 0x36);
    k->outer = cwmp_sign_pad(block, 0x5c);

    OPENSSL_cleanse(block, sizeof(block));

    /* the digest to come is set with the copy */

    k->md = EVP_MD_CTX_new();

    if (k->inner == NULL || k->outer == NULL || k->md == NULL
        || EVP_MD_CTX_copy_ex(k->md, k->inner) != 1)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


void
cwmp_sign_key_free(cwmp_sign_key_t *k)
{
    EVP_MD_CTX_free(k->inner);
    EVP_MD_CTX_free(k->outer);
    EVP_MD_CTX_free(k->md);

    ngx_memzero(k, sizeof(cwmp_sign_key_t));
}


static EVP_MD_CTX *
cwmp_sign_pad(u_char *block, u_char pad)
{
    u_char       padded[CWMP_SIGN_BLOCK];
    ngx_uint_t   i;
    EVP_MD_CTX  *ctx;

    for (i = 0; i < CWMP_SIGN_BLOCK; i++) {
        padded[i] = block[i] ^ pad;
    }

    ctx = EVP_MD_CTX_new();

    if (ctx
        && (EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1
            || EVP_DigestUpdate(ctx, padded, CWMP_SIGN_BLOCK) != 1))
    {
        EVP_MD_CTX_free(ctx);
        ctx = NULL;
    }

    OPENSSL_cleanse(padded, CWMP_SIGN_BLOCK);

    return ctx;
}


ngx_int_t
cwmp_sign(cwmp_sign_key_t *k, ngx_uint_t mode, cwmp_origin_t *o, u_char *sig)
{
    size_t            len;
    u_char            text[CWMP_SIGN_LAST_TEXT];
    cwmp_sign_row_t  *row;

    len = k->last ? cwmp_sign_text(text, mode, o) : 0;

    if (len == 0) {
        return cwmp_sign_origin(k, mode, o, sig);
    }

    row = cwmp_sign_row(k->last, text, len);

    if (row->len != len || ngx_memcmp(row->text, text, len) != 0) {

        row->len = 0;

        if (cwmp_sign_origin(k, mode, o, row->sig) != NGX_OK) {
            return NGX_ERROR;
        }

        ngx_memcpy(row->text, text, len);
        row->len = (uint16_t) len;
    }

    ngx_memcpy(sig, row->sig, CWMP_SIGN_LEN);

    return NGX_OK;
}


/* what is signed, each part behind its length; 0: there is no room */

static size_t
cwmp_sign_text(u_char *text, ngx_uint_t mode, cwmp_origin_t *o)
{
    u_char  *p;

    if (o->hostport.len > CWMP_SIGN_LAST_TEXT
        || o->path.len > CWMP_SIGN_LAST_TEXT
        || o->udp.len > CWMP_SIGN_LAST_TEXT
        || o->hostport.len + o->path.len + o->udp.len
           > CWMP_SIGN_LAST_TEXT - 4)
    {
        return 0;
    }

    p = text;

    *p++ = (u_char) mode;
    p = cwmp_sign_text_part(p, &o->hostport);
    p = cwmp_sign_text_part(p, &o->path);
    p = cwmp_sign_text_part(p, &o->udp);

    return p - text;
}


static u_char *
cwmp_sign_text_part(u_char *p, ngx_str_t *part)
{
    *p++ = (u_char) part->len;

    return part->len ? ngx_cpymem(p, part->data, part->len) : p;
}


/* the row that a text has, whatever is in it: two may share one */

static cwmp_sign_row_t *
cwmp_sign_row(cwmp_sign_last_t *last, u_char *text, size_t len)
{
    size_t    n;
    uint64_t  hash, word;

    for (hash = len; len; text += n, len -= n) {
        word = 0;
        n = ngx_min(len, sizeof(word));

        /* of a size that the compiler knows it is one load */

        if (n == sizeof(word)) {
            ngx_memcpy(&word, text, sizeof(word));

        } else {
            ngx_memcpy(&word, text, n);
        }

        hash = (hash ^ word) * 0x9e3779b97f4a7c15ULL;
        hash ^= hash >> 32;
    }

    return &last->rows[hash % CWMP_SIGN_LAST];
}


static ngx_int_t
cwmp_sign_origin(cwmp_sign_key_t *k, ngx_uint_t mode, cwmp_origin_t *o,
    u_char *sig)
{
    ngx_str_t  parts[4];

    switch (mode) {

    case CWMP_URL_PATH:
        ngx_str_set(&parts[0], "path");
        break;

    case CWMP_URL_HOST:
        ngx_str_set(&parts[0], "host");
        break;

    case CWMP_URL_UDP:
        ngx_str_set(&parts[0], "udp");
        break;

    default: /* CWMP_URL_QUERY */
        ngx_str_set(&parts[0], "query");
    }

    parts[1] = o->hostport;
    parts[2] = o->path;
    parts[3] = o->udp;

    return cwmp_sign_parts(k, CWMP_SIGN_URL, parts, o->udp.len ? 4 : 3, sig);
}


ngx_int_t
cwmp_sign_parts(cwmp_sign_key_t *k, cwmp_sign_use_e use, ngx_str_t *parts,
    ngx_uint_t nparts, u_char *sig)
{
    u_char     digest[CWMP_SIGN_DIGEST];
    ngx_str_t  src, dst;

    if (cwmp_sign_digest(k, use, parts, nparts, digest) != NGX_OK) {
        return NGX_ERROR;
    }

    src.data = digest;
    src.len = CWMP_SIGN_BYTES;
    dst.data = sig;

    ngx_encode_base64url(&dst, &src);

    return NGX_OK;
}


ngx_int_t
cwmp_sign_verify(cwmp_sign_key_t *keys, ngx_uint_t nkeys, ngx_uint_t mode,
    cwmp_origin_t *o)
{
    u_char      sig[CWMP_SIGN_LEN];
    ngx_uint_t  i, valid;

    if (o->sig.len != CWMP_SIGN_LEN) {
        return NGX_DECLINED;
    }

    valid = 0;

    for (i = 0; i < nkeys; i++) {

        if (cwmp_sign_origin(&keys[i], mode, o, sig) != NGX_OK) {
            return NGX_ERROR;
        }

        valid |= (CRYPTO_memcmp(sig, o->sig.data, CWMP_SIGN_LEN) == 0);
    }

    return valid ? NGX_OK : NGX_DECLINED;
}


ngx_int_t
cwmp_sign_verify_parts(cwmp_sign_key_t *keys, ngx_uint_t nkeys,
    cwmp_sign_use_e use, ngx_str_t *parts, ngx_uint_t nparts, ngx_str_t *sig)
{
    u_char      own[CWMP_SIGN_LEN];
    ngx_uint_t  i, valid;

    if (sig->len != CWMP_SIGN_LEN) {
        return NGX_DECLINED;
    }

    valid = 0;

    for (i = 0; i < nkeys; i++) {

        if (cwmp_sign_parts(&keys[i], use, parts, nparts, own) != NGX_OK) {
            return NGX_ERROR;
        }

        valid |= (CRYPTO_memcmp(own, sig->data, CWMP_SIGN_LEN) == 0);
    }

    return valid ? NGX_OK : NGX_DECLINED;
}


ngx_int_t
cwmp_sign_next_key(ngx_str_t *text, ngx_str_t *key, ngx_uint_t *line,
    const char **err)
{
    u_char  *p, *last, *end;

    p = text->data;
    last = p + text->len;

    while (p < last) {

        end = memchr(p, '\n', last - p);
        if (end == NULL) {
            end = last;
        }

        key->data = p;
        key->len = end - p;

        p = (end < last) ? end + 1 : last;
        (*line)++;

        if (key->len && key->data[key->len - 1] == '\r') {
            key->len--;
        }

        if (key->len == 0) {
            continue;
        }

        text->len = last - p;
        text->data = p;

        if (memchr(key->data, '\0', key->len)) {
            *err = "a key has a null character";
            return NGX_ERROR;
        }

        if (key->len < CWMP_SIGN_KEY_MIN) {
            *err = "a key is shorter than 16 bytes";
            return NGX_ERROR;
        }

        return NGX_OK;
    }

    text->data = last;
    text->len = 0;

    return NGX_DONE;
}


static ngx_int_t
cwmp_sign_digest(cwmp_sign_key_t *k, cwmp_sign_use_e use, ngx_str_t *parts,
    ngx_uint_t nparts, u_char *out)
{
    u_char  hash[CWMP_SIGN_DIGEST];

    if (cwmp_sign_hash(k, use, parts, nparts, hash) != NGX_OK
        || EVP_MD_CTX_copy_ex(k->md, k->inner) != 1
        || EVP_DigestUpdate(k->md, hash, CWMP_SIGN_DIGEST) != 1
        || EVP_DigestFinal_ex(k->md, hash, NULL) != 1
        || EVP_MD_CTX_copy_ex(k->md, k->outer) != 1
        || EVP_DigestUpdate(k->md, hash, CWMP_SIGN_DIGEST) != 1
        || EVP_DigestFinal_ex(k->md, out, NULL) != 1)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * The use stands in front, and each part behind its length: no two lists of
 * parts give the same bytes.
 */

static ngx_int_t
cwmp_sign_hash(cwmp_sign_key_t *k, cwmp_sign_use_e use, ngx_str_t *parts,
    ngx_uint_t nparts, u_char *hash)
{
    u_char      label;
    ngx_uint_t  i;

    label = (u_char) use;

    if (EVP_DigestInit_ex(k->md, NULL, NULL) != 1
        || EVP_DigestUpdate(k->md, &label, 1) != 1)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < nparts; i++) {
        if (cwmp_sign_hash_part(k->md, &parts[i]) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return (EVP_DigestFinal_ex(k->md, hash, NULL) == 1) ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
cwmp_sign_hash_part(EVP_MD_CTX *ctx, ngx_str_t *part)
{
    u_char  len[4];

    len[0] = (u_char) (part->len >> 24);
    len[1] = (u_char) (part->len >> 16);
    len[2] = (u_char) (part->len >> 8);
    len[3] = (u_char) part->len;

    if (EVP_DigestUpdate(ctx, len, sizeof(len)) != 1
        || EVP_DigestUpdate(ctx, part->data, part->len) != 1)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}
