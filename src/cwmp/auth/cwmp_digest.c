
/*
 * Fieldgate: the credentials that a request carries.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <openssl/evp.h>

#include "cwmp_digest.h"


/* Authorization: Digest username="", realm="", ... with all fixed parts */

#define CWMP_DIGEST_FIXED  256


/* one of the strings that are hashed with colons in between */

typedef struct {
    ngx_str_t           text;
    ngx_uint_t          quoted;         /* from between quotes, with escapes */
} cwmp_digest_part_t;


static void cwmp_digest_part(cwmp_digest_part_t *part, ngx_str_t *text,
    ngx_uint_t quoted);
static ngx_int_t cwmp_digest_a1(EVP_MD_CTX *ctx, cwmp_challenge_t *ch,
    cwmp_digest_t *d, ngx_str_t *hash);
static ngx_int_t cwmp_digest_a2(EVP_MD_CTX *ctx, cwmp_challenge_t *ch,
    cwmp_digest_t *d, ngx_str_t *hash);
static ngx_int_t cwmp_digest_hash(EVP_MD_CTX *ctx, cwmp_digest_part_t *parts,
    ngx_uint_t nparts, ngx_str_t *hash);
static ngx_int_t cwmp_digest_add_quoted(EVP_MD_CTX *ctx, ngx_str_t *s);
static void cwmp_digest_qop(cwmp_challenge_t *ch, ngx_str_t *qop);
static size_t cwmp_digest_escaped(ngx_str_t *s);
static u_char *cwmp_digest_escape(u_char *dst, ngx_str_t *s);
static ngx_uint_t cwmp_basic_has_control(ngx_str_t *s);


ngx_int_t
cwmp_digest_response(cwmp_challenge_t *ch, cwmp_digest_t *d, u_char *hex,
    size_t *len)
{
    u_char     text[8];
    ngx_str_t  nc;

    nc.data = text;
    nc.len = ngx_sprintf(text, "%08xD", d->nc) - text;

    return cwmp_digest_expected(ch, d, &nc, hex, len);
}


/* RFC 7616 3.4.1; without qop RFC 2069 2.1.1 */

ngx_int_t
cwmp_digest_expected(cwmp_challenge_t *ch, cwmp_digest_t *d, ngx_str_t *nc,
    u_char *hex, size_t *len)
{
    u_char               a1[CWMP_DIGEST_HEX_MAX], a2[CWMP_DIGEST_HEX_MAX];
    ngx_int_t            rc;
    ngx_str_t            text, response;
    ngx_uint_t           n;
    EVP_MD_CTX          *ctx;
    const EVP_MD        *md;
    cwmp_digest_part_t   parts[6];

    ctx = EVP_MD_CTX_new();
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    rc = NGX_ERROR;

    /* libcrypto 3 looks up the algorithm each time that it is named */

    md = (ch->hash == CWMP_ALGORITHM_SHA256) ? EVP_sha256() : EVP_md5();

    if (EVP_DigestInit_ex(ctx, md, NULL) != 1) {
        goto done;
    }

    text.data = a1;

    if (cwmp_digest_a1(ctx, ch, d, &text) != NGX_OK) {
        goto done;
    }

    n = 0;
    cwmp_digest_part(&parts[n++], &text, 0);
    cwmp_digest_part(&parts[n++], &ch->nonce, 1);

    cwmp_digest_qop(ch, &text);

    if (text.len) {
        cwmp_digest_part(&parts[n], nc, 0);
        cwmp_digest_part(&parts[n + 1], &d->cnonce, 1);
        cwmp_digest_part(&parts[n + 2], &text, 0);
        n += 3;
    }

    text.data = a2;

    if (cwmp_digest_a2(ctx, ch, d, &text) != NGX_OK) {
        goto done;
    }

    cwmp_digest_part(&parts[n++], &text, 0);

    response.data = hex;
    rc = cwmp_digest_hash(ctx, parts, n, &response);
    *len = response.len;

done:

    EVP_MD_CTX_free(ctx);

    return rc;
}


size_t
cwmp_digest_size(cwmp_challenge_t *ch, cwmp_digest_t *d)
{
    return CWMP_DIGEST_FIXED + CWMP_DIGEST_HEX_MAX
           + cwmp_digest_escaped(&d->credentials.user)
           + cwmp_digest_escaped(&d->uri)
           + ch->realm.len + ch->nonce.len + ch->opaque.len
           + ch->algorithm.len + d->cnonce.len;
}


/*
 * CPEs look for "Digest username=" at the very front, split at commas, take
 * at most 511 bytes, and want qop and nc without quotes.
 */

u_char *
cwmp_digest_header(u_char *dst, cwmp_challenge_t *ch, cwmp_digest_t *d)
{
    u_char     hex[CWMP_DIGEST_HEX_MAX];
    ngx_str_t  response, qop;

    response.data = hex;

    if (cwmp_digest_response(ch, d, hex, &response.len) != NGX_OK) {
        return NULL;
    }

    dst = ngx_sprintf(dst, "Authorization: Digest username=\"");
    dst = cwmp_digest_escape(dst, &d->credentials.user);

    dst = ngx_sprintf(dst, "\", realm=\"");

    if (ch->realm.len) {
        dst = ngx_sprintf(dst, "%V", &ch->realm);
    }

    dst = ngx_sprintf(dst, "\", nonce=\"%V\", uri=\"", &ch->nonce);
    dst = cwmp_digest_escape(dst, &d->uri);

    dst = ngx_sprintf(dst, "\", response=\"%V\"", &response);

    if (ch->has_algorithm) {
        dst = ngx_sprintf(dst, ", algorithm=%V", &ch->algorithm);
    }

    cwmp_digest_qop(ch, &qop);

    if (qop.len) {
        dst = ngx_sprintf(dst, ", qop=%V, nc=%08xD", &qop, d->nc);
    }

    if (qop.len || ch->sess) {
        dst = ngx_sprintf(dst, ", cnonce=\"%V\"", &d->cnonce);
    }

    if (ch->has_opaque) {
        dst = ngx_sprintf(dst, ", opaque=\"%V\"", &ch->opaque);
    }

    return ngx_sprintf(dst, CRLF);
}


ngx_int_t
cwmp_basic_decode(ngx_str_t *value, u_char *buf, cwmp_credentials_t *c)
{
    u_char     *p, *last;
    ngx_str_t   src, dst;

    if (cwmp_auth_scheme(value) != CWMP_AUTH_BASIC) {
        return NGX_DECLINED;
    }

    p = value->data;
    last = p + value->len;

    while (*p == ' ' || *p == '\t') {
        p++;
    }

    p += sizeof("Basic") - 1;

    while (p < last && (*p == ' ' || *p == '\t')) {
        p++;
    }

    while (last > p && (last[-1] == ' ' || last[-1] == '\t')) {
        last--;
    }

    src.data = p;
    src.len = last - p;
    dst.data = buf;

    if (ngx_decode_base64(&dst, &src) != NGX_OK) {
        return NGX_ERROR;
    }

    last = buf + dst.len;

    p = ngx_strlchr(buf, last, ':');
    if (p == NULL) {
        return NGX_ERROR;
    }

    c->user.data = buf;
    c->user.len = p - buf;
    c->password.data = p + 1;
    c->password.len = last - p - 1;

    return cwmp_credentials_valid(c) ? NGX_OK : NGX_ERROR;
}


size_t
cwmp_basic_size(cwmp_credentials_t *c)
{
    size_t  len;

    len = c->user.len + 1 + c->password.len;

    return sizeof("Authorization: Basic " CRLF) - 1
           + ngx_base64_encoded_length(len) + len;
}


/* the plain text is made where nothing else is to come */

u_char *
cwmp_basic_header(u_char *dst, cwmp_credentials_t *c)
{
    u_char     *p;
    ngx_str_t   plain, encoded;

    dst = ngx_sprintf(dst, "Authorization: Basic ");

    plain.len = c->user.len + 1 + c->password.len;
    plain.data = dst + ngx_base64_encoded_length(plain.len)
                 + sizeof(CRLF) - 1;

    p = ngx_cpymem(plain.data, c->user.data, c->user.len);
    *p++ = ':';
    ngx_memcpy(p, c->password.data, c->password.len);

    encoded.data = dst;
    ngx_encode_base64(&encoded, &plain);

    return ngx_sprintf(dst + encoded.len, CRLF);
}


ngx_uint_t
cwmp_credentials_valid(cwmp_credentials_t *c)
{
    return !cwmp_basic_has_control(&c->user)
           && !cwmp_basic_has_control(&c->password);
}


static void
cwmp_digest_part(cwmp_digest_part_t *part, ngx_str_t *text, ngx_uint_t quoted)
{
    part->text = *text;
    part->quoted = quoted;
}


static ngx_int_t
cwmp_digest_a1(EVP_MD_CTX *ctx, cwmp_challenge_t *ch, cwmp_digest_t *d,
    ngx_str_t *hash)
{
    cwmp_digest_part_t  parts[3];

    cwmp_digest_part(&parts[0], &d->credentials.user, 0);
    cwmp_digest_part(&parts[1], &ch->realm, 1);
    cwmp_digest_part(&parts[2], &d->credentials.password, 0);

    if (cwmp_digest_hash(ctx, parts, 3, hash) != NGX_OK) {
        return NGX_ERROR;
    }

    if (!ch->sess) {
        return NGX_OK;
    }

    /* the hash goes in as hexadecimal digits, RFC 7616 3.4.2 */

    cwmp_digest_part(&parts[0], hash, 0);
    cwmp_digest_part(&parts[1], &ch->nonce, 1);
    cwmp_digest_part(&parts[2], &d->cnonce, 0);

    return cwmp_digest_hash(ctx, parts, 3, hash);
}


static ngx_int_t
cwmp_digest_a2(EVP_MD_CTX *ctx, cwmp_challenge_t *ch, cwmp_digest_t *d,
    ngx_str_t *hash)
{
    u_char               body[CWMP_DIGEST_HEX_MAX];
    ngx_str_t            text;
    ngx_uint_t           n;
    cwmp_digest_part_t   parts[3];

    cwmp_digest_part(&parts[0], &d->method, 0);
    cwmp_digest_part(&parts[1], &d->uri, 0);
    n = 2;

    cwmp_digest_qop(ch, &text);

    if (text.len == sizeof("auth-int") - 1) {

        /* a connection request has no body */

        text.data = body;

        if (cwmp_digest_hash(ctx, NULL, 0, &text) != NGX_OK) {
            return NGX_ERROR;
        }

        cwmp_digest_part(&parts[n++], &text, 0);
    }

    return cwmp_digest_hash(ctx, parts, n, hash);
}


/* as hexadecimal digits; hash->data has CWMP_DIGEST_HEX_MAX bytes */

static ngx_int_t
cwmp_digest_hash(EVP_MD_CTX *ctx, cwmp_digest_part_t *parts, ngx_uint_t nparts,
    ngx_str_t *hash)
{
    u_char        digest[EVP_MAX_MD_SIZE];
    ngx_uint_t    i;
    unsigned int  n;

    /* once more with the same algorithm */

    if (EVP_DigestInit_ex(ctx, NULL, NULL) != 1) {
        return NGX_ERROR;
    }

    for (i = 0; i < nparts; i++) {

        if (i && EVP_DigestUpdate(ctx, ":", 1) != 1) {
            return NGX_ERROR;
        }

        if (parts[i].quoted) {
            if (cwmp_digest_add_quoted(ctx, &parts[i].text) != NGX_OK) {
                return NGX_ERROR;
            }

        } else if (EVP_DigestUpdate(ctx, parts[i].text.data,
                                    parts[i].text.len)
                   != 1)
        {
            return NGX_ERROR;
        }
    }

    if (EVP_DigestFinal_ex(ctx, digest, &n) != 1) {
        return NGX_ERROR;
    }

    hash->len = ngx_hex_dump(hash->data, digest, n) - hash->data;

    return NGX_OK;
}


/* the content of a quoted-string, RFC 7616 3.4 "unq" */

static ngx_int_t
cwmp_digest_add_quoted(EVP_MD_CTX *ctx, ngx_str_t *s)
{
    u_char  *p, *last, *start;

    /* an absent realm has no data */

    if (s->len == 0) {
        return NGX_OK;
    }

    start = s->data;
    last = start + s->len;

    for (p = start; p < last; p++) {

        if (*p != '\\') {
            continue;
        }

        if (EVP_DigestUpdate(ctx, start, p - start) != 1) {
            return NGX_ERROR;
        }

        start = ++p;
    }

    return EVP_DigestUpdate(ctx, start, last - start) == 1 ? NGX_OK
                                                           : NGX_ERROR;
}


static void
cwmp_digest_qop(cwmp_challenge_t *ch, ngx_str_t *qop)
{
    if (ch->qop & CWMP_QOP_AUTH) {
        ngx_str_set(qop, "auth");

    } else if (ch->qop & CWMP_QOP_AUTH_INT) {
        ngx_str_set(qop, "auth-int");

    } else {
        ngx_str_null(qop);
    }
}


static size_t
cwmp_digest_escaped(ngx_str_t *s)
{
    size_t  i, len;

    len = s->len;

    for (i = 0; i < s->len; i++) {
        len += (s->data[i] == '"' || s->data[i] == '\\');
    }

    return len;
}


static u_char *
cwmp_digest_escape(u_char *dst, ngx_str_t *s)
{
    size_t  i;

    for (i = 0; i < s->len; i++) {

        if (s->data[i] == '"' || s->data[i] == '\\') {
            *dst++ = '\\';
        }

        *dst++ = s->data[i];
    }

    return dst;
}


static ngx_uint_t
cwmp_basic_has_control(ngx_str_t *s)
{
    size_t  i;

    for (i = 0; i < s->len; i++) {
        if (s->data[i] < 0x20 || s->data[i] == 0x7f) {
            return 1;
        }
    }

    return 0;
}
