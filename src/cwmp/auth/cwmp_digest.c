
/*
 * Fieldgate: the credentials that a request carries.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <openssl/evp.h>

#include "cwmp_digest.h"


/* Authorization: Digest username="", realm="", ... with all fixed parts */

#define CWMP_DIGEST_FIXED  256


static ngx_int_t cwmp_digest_start(EVP_MD_CTX *ctx);
static ngx_int_t cwmp_digest_end(EVP_MD_CTX *ctx, u_char *hex, size_t *len);
static ngx_int_t cwmp_digest_add(EVP_MD_CTX *ctx, ngx_str_t *s);
static ngx_int_t cwmp_digest_add_unescaped(EVP_MD_CTX *ctx, ngx_str_t *s);
static ngx_int_t cwmp_digest_a1(EVP_MD_CTX *ctx, cwmp_challenge_t *ch,
    cwmp_digest_t *d, u_char *hex, size_t *len);
static ngx_int_t cwmp_digest_a2(EVP_MD_CTX *ctx, cwmp_challenge_t *ch,
    cwmp_digest_t *d, u_char *hex, size_t *len);
static const char *cwmp_digest_qop(cwmp_challenge_t *ch);
static void cwmp_digest_nc(cwmp_digest_t *d, char *nc);
static size_t cwmp_digest_escaped(ngx_str_t *s);
static u_char *cwmp_digest_escape(u_char *dst, ngx_str_t *s);
static u_char *cwmp_digest_quoted(u_char *dst, const char *name,
    ngx_str_t *value);
static ngx_int_t cwmp_basic_digit(u_char ch);
static ngx_uint_t cwmp_basic_has_control(ngx_str_t *s);


#define cwmp_digest_text(dst, text)                                          \
    ngx_cpymem(dst, text, strlen(text))


/* RFC 7616 3.4.1; without qop RFC 2069 2.1.1 */

ngx_int_t
cwmp_digest_response(cwmp_challenge_t *ch, cwmp_digest_t *d, u_char *hex,
    size_t *len)
{
    char           nc[9], *qop;
    u_char         a1[CWMP_DIGEST_HEX_MAX], a2[CWMP_DIGEST_HEX_MAX];
    ngx_int_t      rc;
    EVP_MD_CTX    *ctx;
    const EVP_MD  *md;

    ctx = EVP_MD_CTX_new();
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    rc = NGX_ERROR;

    /* libcrypto 3 looks up the algorithm each time that it is named */

    md = (ch->hash == CWMP_ALGORITHM_SHA256) ? EVP_sha256() : EVP_md5();

    if (EVP_DigestInit_ex(ctx, md, NULL) != 1
        || cwmp_digest_a1(ctx, ch, d, a1, len) != NGX_OK
        || cwmp_digest_a2(ctx, ch, d, a2, len) != NGX_OK
        || cwmp_digest_start(ctx) != NGX_OK
        || EVP_DigestUpdate(ctx, a1, *len) != 1
        || EVP_DigestUpdate(ctx, ":", 1) != 1
        || cwmp_digest_add_unescaped(ctx, &ch->nonce) != NGX_OK)
    {
        goto done;
    }

    qop = (char *) cwmp_digest_qop(ch);

    if (qop) {
        cwmp_digest_nc(d, nc);

        if (EVP_DigestUpdate(ctx, ":", 1) != 1
            || EVP_DigestUpdate(ctx, nc, 8) != 1
            || EVP_DigestUpdate(ctx, ":", 1) != 1
            || cwmp_digest_add(ctx, &d->cnonce) != NGX_OK
            || EVP_DigestUpdate(ctx, ":", 1) != 1
            || EVP_DigestUpdate(ctx, qop, strlen(qop)) != 1)
        {
            goto done;
        }
    }

    if (EVP_DigestUpdate(ctx, ":", 1) != 1
        || EVP_DigestUpdate(ctx, a2, *len) != 1)
    {
        goto done;
    }

    rc = cwmp_digest_end(ctx, hex, len);

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
    char         nc[9];
    u_char       hex[CWMP_DIGEST_HEX_MAX];
    ngx_str_t    response;
    const char  *qop;

    response.data = hex;

    if (cwmp_digest_response(ch, d, hex, &response.len) != NGX_OK) {
        return NULL;
    }

    dst = cwmp_digest_text(dst, "Authorization: Digest username=\"");
    dst = cwmp_digest_escape(dst, &d->credentials.user);
    *dst++ = '"';

    dst = cwmp_digest_quoted(dst, "realm", &ch->realm);
    dst = cwmp_digest_quoted(dst, "nonce", &ch->nonce);

    dst = cwmp_digest_text(dst, ", uri=\"");
    dst = cwmp_digest_escape(dst, &d->uri);
    *dst++ = '"';

    dst = cwmp_digest_quoted(dst, "response", &response);

    if (ch->has_algorithm) {
        dst = cwmp_digest_text(dst, ", algorithm=");
        dst = ngx_cpymem(dst, ch->algorithm.data, ch->algorithm.len);
    }

    qop = cwmp_digest_qop(ch);

    if (qop) {
        cwmp_digest_nc(d, nc);

        dst = cwmp_digest_text(dst, ", qop=");
        dst = cwmp_digest_text(dst, qop);
        dst = cwmp_digest_text(dst, ", nc=");
        dst = cwmp_digest_text(dst, nc);
    }

    if (qop || ch->sess) {
        dst = cwmp_digest_quoted(dst, "cnonce", &d->cnonce);
    }

    if (ch->has_opaque) {
        dst = cwmp_digest_quoted(dst, "opaque", &ch->opaque);
    }

    *dst++ = CR;
    *dst++ = LF;

    return dst;
}


ngx_int_t
cwmp_basic_decode(ngx_str_t *value, u_char *buf, cwmp_credentials_t *c)
{
    u_char      *p, *last, *dst;
    uint32_t     bits;
    ngx_int_t    digit;
    ngx_uint_t   n;

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

    for (n = 0; n < 2 && last > p && last[-1] == '='; n++) {
        last--;
    }

    if ((last - p) % 4 == 1) {
        return NGX_ERROR;
    }

    dst = buf;
    bits = 0;

    for (n = 0; p < last; p++) {

        digit = cwmp_basic_digit(*p);
        if (digit == NGX_ERROR) {
            return NGX_ERROR;
        }

        bits = bits << 6 | digit;
        n += 6;

        if (n >= 8) {
            n -= 8;
            *dst++ = (u_char) (bits >> n);
        }
    }

    p = memchr(buf, ':', dst - buf);
    if (p == NULL) {
        return NGX_ERROR;
    }

    c->user.data = buf;
    c->user.len = p - buf;
    c->password.data = p + 1;
    c->password.len = dst - p - 1;

    if (cwmp_basic_has_control(&c->user)
        || cwmp_basic_has_control(&c->password))
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


size_t
cwmp_basic_size(cwmp_credentials_t *c)
{
    return sizeof("Authorization: Basic " CRLF)
           + (c->user.len + 1 + c->password.len + 2) / 3 * 4;
}


u_char *
cwmp_basic_header(u_char *dst, cwmp_credentials_t *c)
{
    size_t          i, len;
    uint32_t        bits;
    ngx_uint_t      n;

    static u_char   alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    dst = cwmp_digest_text(dst, "Authorization: Basic ");

    len = c->user.len + 1 + c->password.len;
    bits = 0;
    n = 0;

    for (i = 0; i < len; i++) {

        bits = bits << 8 | (i < c->user.len ? c->user.data[i]
                            : i == c->user.len ? ':'
                            : c->password.data[i - c->user.len - 1]);

        for (n += 8; n >= 6; n -= 6) {
            *dst++ = alphabet[bits >> (n - 6) & 0x3f];
        }
    }

    if (n) {
        *dst++ = alphabet[bits << (6 - n) & 0x3f];
    }

    for ( /* void */ ; len % 3; len++) {
        *dst++ = '=';
    }

    *dst++ = CR;
    *dst++ = LF;

    return dst;
}


ngx_uint_t
cwmp_credentials_valid(cwmp_credentials_t *c)
{
    return !cwmp_basic_has_control(&c->user)
           && !cwmp_basic_has_control(&c->password);
}


/* once more with the same algorithm */

static ngx_int_t
cwmp_digest_start(EVP_MD_CTX *ctx)
{
    return EVP_DigestInit_ex(ctx, NULL, NULL) == 1 ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
cwmp_digest_end(EVP_MD_CTX *ctx, u_char *hex, size_t *len)
{
    u_char         hash[EVP_MAX_MD_SIZE];
    unsigned int   i, n;

    static u_char  digits[] = "0123456789abcdef";

    if (EVP_DigestFinal_ex(ctx, hash, &n) != 1) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        *hex++ = digits[hash[i] >> 4];
        *hex++ = digits[hash[i] & 0xf];
    }

    *len = 2 * n;

    return NGX_OK;
}


static ngx_int_t
cwmp_digest_add(EVP_MD_CTX *ctx, ngx_str_t *s)
{
    return EVP_DigestUpdate(ctx, s->data, s->len) == 1 ? NGX_OK : NGX_ERROR;
}


/* the content of a quoted-string, RFC 7616 3.4 "unq" */

static ngx_int_t
cwmp_digest_add_unescaped(EVP_MD_CTX *ctx, ngx_str_t *s)
{
    u_char  *p, *last, *start;

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


static ngx_int_t
cwmp_digest_a1(EVP_MD_CTX *ctx, cwmp_challenge_t *ch, cwmp_digest_t *d,
    u_char *hex, size_t *len)
{
    if (cwmp_digest_start(ctx) != NGX_OK
        || cwmp_digest_add(ctx, &d->credentials.user) != NGX_OK
        || EVP_DigestUpdate(ctx, ":", 1) != 1
        || cwmp_digest_add_unescaped(ctx, &ch->realm) != NGX_OK
        || EVP_DigestUpdate(ctx, ":", 1) != 1
        || cwmp_digest_add(ctx, &d->credentials.password) != NGX_OK
        || cwmp_digest_end(ctx, hex, len) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (!ch->sess) {
        return NGX_OK;
    }

    /* the hash goes in as hexadecimal digits, RFC 7616 3.4.2 */

    if (cwmp_digest_start(ctx) != NGX_OK
        || EVP_DigestUpdate(ctx, hex, *len) != 1
        || EVP_DigestUpdate(ctx, ":", 1) != 1
        || cwmp_digest_add_unescaped(ctx, &ch->nonce) != NGX_OK
        || EVP_DigestUpdate(ctx, ":", 1) != 1
        || cwmp_digest_add(ctx, &d->cnonce) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return cwmp_digest_end(ctx, hex, len);
}


static ngx_int_t
cwmp_digest_a2(EVP_MD_CTX *ctx, cwmp_challenge_t *ch, cwmp_digest_t *d,
    u_char *hex, size_t *len)
{
    u_char       body[CWMP_DIGEST_HEX_MAX];
    ngx_uint_t   integrity;
    const char  *qop;

    qop = cwmp_digest_qop(ch);
    integrity = (qop && strcmp(qop, "auth-int") == 0);

    /* a connection request has no body */

    if (integrity
        && (cwmp_digest_start(ctx) != NGX_OK
            || cwmp_digest_end(ctx, body, len) != NGX_OK))
    {
        return NGX_ERROR;
    }

    if (cwmp_digest_start(ctx) != NGX_OK
        || cwmp_digest_add(ctx, &d->method) != NGX_OK
        || EVP_DigestUpdate(ctx, ":", 1) != 1
        || cwmp_digest_add(ctx, &d->uri) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (integrity
        && (EVP_DigestUpdate(ctx, ":", 1) != 1
            || EVP_DigestUpdate(ctx, body, *len) != 1))
    {
        return NGX_ERROR;
    }

    return cwmp_digest_end(ctx, hex, len);
}


static const char *
cwmp_digest_qop(cwmp_challenge_t *ch)
{
    if (ch->qop & CWMP_QOP_AUTH) {
        return "auth";
    }

    return (ch->qop & CWMP_QOP_AUTH_INT) ? "auth-int" : NULL;
}


static void
cwmp_digest_nc(cwmp_digest_t *d, char *nc)
{
    (void) snprintf(nc, 9, "%08x", (unsigned) d->nc);
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


static u_char *
cwmp_digest_quoted(u_char *dst, const char *name, ngx_str_t *value)
{
    dst = cwmp_digest_text(dst, ", ");
    dst = cwmp_digest_text(dst, name);
    dst = cwmp_digest_text(dst, "=\"");
    dst = ngx_cpymem(dst, value->data, value->len);
    *dst++ = '"';

    return dst;
}


static ngx_int_t
cwmp_basic_digit(u_char ch)
{
    if (ch >= 'A' && ch <= 'Z') {
        return ch - 'A';
    }

    if (ch >= 'a' && ch <= 'z') {
        return ch - 'a' + 26;
    }

    if (ch >= '0' && ch <= '9') {
        return ch - '0' + 52;
    }

    if (ch == '+') {
        return 62;
    }

    return (ch == '/') ? 63 : NGX_ERROR;
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
