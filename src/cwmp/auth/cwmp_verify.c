
/*
 * Fieldgate: Digest credentials that come, for a challenge of ours.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <openssl/crypto.h>

#include "cwmp_verify.h"


typedef enum {
    CWMP_VERIFY_F_USERNAME = 0,
    CWMP_VERIFY_F_REALM,
    CWMP_VERIFY_F_NONCE,
    CWMP_VERIFY_F_URI,
    CWMP_VERIFY_F_RESPONSE,
    CWMP_VERIFY_F_CNONCE,
    CWMP_VERIFY_F_NC,
    CWMP_VERIFY_F_QOP,
    CWMP_VERIFY_F_ALGORITHM,
    CWMP_VERIFY_F_USERHASH,
    CWMP_VERIFY_FIELDS
} cwmp_verify_field_e;


/* those up to "nc" have to be there; data NULL: it is not */

typedef ngx_str_t  cwmp_verify_fields_t[CWMP_VERIFY_FIELDS];


static ngx_int_t cwmp_verify_read(ngx_str_t *fields, ngx_str_t *value);
static ngx_int_t cwmp_verify_count(ngx_str_t *nc, uint32_t *n);
static cwmp_verify_e cwmp_verify_choice(ngx_str_t *fields,
    cwmp_challenge_t *ch);
static cwmp_verify_e cwmp_verify_response(cwmp_verify_t *v, ngx_str_t *fields,
    cwmp_challenge_t *ch);
static ngx_uint_t cwmp_verify_uri(ngx_str_t *target, ngx_str_t *uri);
static ngx_uint_t cwmp_verify_unquoted(ngx_str_t *quoted, ngx_str_t *plain);
static ngx_uint_t cwmp_verify_is(ngx_str_t *s, ngx_str_t *word);


static ngx_str_t  cwmp_verify_names[CWMP_VERIFY_FIELDS] = {
    ngx_string("username"),
    ngx_string("realm"),
    ngx_string("nonce"),
    ngx_string("uri"),
    ngx_string("response"),
    ngx_string("cnonce"),
    ngx_string("nc"),
    ngx_string("qop"),
    ngx_string("algorithm"),
    ngx_string("userhash")
};

static ngx_str_t  cwmp_verify_auth = ngx_string("auth");
static ngx_str_t  cwmp_verify_false = ngx_string("false");
static ngx_str_t  cwmp_verify_md5 = ngx_string("MD5");
static ngx_str_t  cwmp_verify_sha256 = ngx_string("SHA-256");


cwmp_verify_e
cwmp_verify(cwmp_verify_t *v, ngx_str_t *value, ngx_str_t *nonce,
    uint32_t *nc)
{
    ngx_uint_t            i;
    cwmp_verify_e         result;
    cwmp_challenge_t      ch;
    cwmp_verify_fields_t  fields;

    if (cwmp_auth_scheme(value) != CWMP_AUTH_DIGEST) {
        return CWMP_VERIFY_NONE;
    }

    if (cwmp_verify_read(fields, value) != NGX_OK) {
        return CWMP_VERIFY_MALFORMED;
    }

    /* RFC 2069 has neither qop nor nc: nothing that could be counted */

    if (fields[CWMP_VERIFY_F_QOP].data == NULL) {
        return CWMP_VERIFY_QOP;
    }

    for (i = 0; i <= CWMP_VERIFY_F_NC; i++) {
        if (fields[i].data == NULL) {
            return CWMP_VERIFY_MALFORMED;
        }
    }

    if (cwmp_verify_count(&fields[CWMP_VERIFY_F_NC], nc) != NGX_OK) {
        return CWMP_VERIFY_MALFORMED;
    }

    if (!cwmp_verify_unquoted(&fields[CWMP_VERIFY_F_REALM], &v->realm)) {
        return CWMP_VERIFY_REALM;
    }

    result = cwmp_verify_choice(fields, &ch);

    if (result == CWMP_VERIFY_OK) {
        *nonce = ch.nonce;
        result = cwmp_verify_response(v, fields, &ch);
    }

    return result;
}


/* of what stands twice nobody knows which is meant */

static ngx_int_t
cwmp_verify_read(ngx_str_t *fields, ngx_str_t *value)
{
    u_char      *p, *last;
    ngx_int_t    rc;
    ngx_str_t    rest, name, text;
    ngx_uint_t   i;

    ngx_memzero(fields, sizeof(cwmp_verify_fields_t));

    p = value->data;
    last = p + value->len;

    while (*p == ' ' || *p == '\t') {
        p++;
    }

    rest.data = p + sizeof("Digest") - 1;
    rest.len = last - rest.data;

    while ((rc = cwmp_auth_parameter(&rest, &name, &text)) == NGX_OK) {

        for (i = 0; i < CWMP_VERIFY_FIELDS; i++) {

            if (!cwmp_verify_is(&name, &cwmp_verify_names[i])) {
                continue;
            }

            if (fields[i].data) {
                return NGX_ERROR;
            }

            fields[i] = text;
        }
    }

    return (rc == NGX_DONE) ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
cwmp_verify_count(ngx_str_t *nc, uint32_t *n)
{
    ngx_int_t  value;

    if (nc->len == 0 || nc->len > 8) {
        return NGX_ERROR;
    }

    value = ngx_hextoi(nc->data, nc->len);

    if (value <= 0) {
        return NGX_ERROR;
    }

    *n = (uint32_t) value;

    return NGX_OK;
}


/* what of our challenge it answers */

static cwmp_verify_e
cwmp_verify_choice(ngx_str_t *fields, cwmp_challenge_t *ch)
{
    ngx_str_t  *algorithm;

    ngx_memzero(ch, sizeof(cwmp_challenge_t));

    ch->scheme = CWMP_AUTH_DIGEST;
    ch->realm = fields[CWMP_VERIFY_F_REALM];
    ch->nonce = fields[CWMP_VERIFY_F_NONCE];
    ch->qop = CWMP_QOP_AUTH;

    algorithm = &fields[CWMP_VERIFY_F_ALGORITHM];

    if (algorithm->data == NULL
        || cwmp_verify_is(algorithm, &cwmp_verify_md5))
    {
        ch->hash = CWMP_ALGORITHM_MD5;

    } else if (cwmp_verify_is(algorithm, &cwmp_verify_sha256)) {
        ch->hash = CWMP_ALGORITHM_SHA256;

    } else {
        return CWMP_VERIFY_ALGORITHM;
    }

    if (!cwmp_verify_is(&fields[CWMP_VERIFY_F_QOP], &cwmp_verify_auth)) {
        return CWMP_VERIFY_QOP;
    }

    /* a name that is hashed was not asked for */

    if (fields[CWMP_VERIFY_F_USERHASH].data
        && !cwmp_verify_is(&fields[CWMP_VERIFY_F_USERHASH],
                           &cwmp_verify_false))
    {
        return CWMP_VERIFY_MALFORMED;
    }

    return CWMP_VERIFY_OK;
}


/*
 * It is compared with what the password makes of the name and the URI that it
 * has itself: so it can be told what is wrong, but only to who has the
 * password.
 */

static cwmp_verify_e
cwmp_verify_response(cwmp_verify_t *v, ngx_str_t *fields, cwmp_challenge_t *ch)
{
    size_t          i, len;
    u_char          hex[CWMP_DIGEST_HEX_MAX], got[CWMP_DIGEST_HEX_MAX];
    ngx_str_t      *response;
    cwmp_digest_t   d;

    ngx_memzero(&d, sizeof(cwmp_digest_t));

    d.credentials = v->credentials;
    d.method = v->method;
    d.uri = fields[CWMP_VERIFY_F_URI];
    d.cnonce = fields[CWMP_VERIFY_F_CNONCE];

    if (cwmp_digest_expected(ch, &d, &fields[CWMP_VERIFY_F_NC], hex, &len)
        != NGX_OK)
    {
        return CWMP_VERIFY_ERROR;
    }

    response = &fields[CWMP_VERIFY_F_RESPONSE];

    if (response->len != len) {
        return CWMP_VERIFY_PASSWORD;
    }

    for (i = 0; i < len; i++) {
        got[i] = ngx_tolower(response->data[i]);
    }

    if (CRYPTO_memcmp(hex, got, len) != 0) {
        return CWMP_VERIFY_PASSWORD;
    }

    if (!cwmp_verify_unquoted(&fields[CWMP_VERIFY_F_USERNAME],
                              &v->credentials.user))
    {
        return CWMP_VERIFY_USER;
    }

    if (!cwmp_verify_uri(&v->target, &fields[CWMP_VERIFY_F_URI])) {
        return CWMP_VERIFY_URI;
    }

    return CWMP_VERIFY_OK;
}


/* "/path?query", or the same behind "http://host:port" */

static ngx_uint_t
cwmp_verify_uri(ngx_str_t *target, ngx_str_t *uri)
{
    size_t   scheme;
    u_char  *p, *last;

    p = uri->data;
    last = p + uri->len;

    scheme = sizeof("http://") - 1;

    if (uri->len > scheme && ngx_strncasecmp(p, (u_char *) "http://", scheme)
                             == 0)
    {
        p += scheme;

        while (p < last && *p != '/' && *p != '?') {
            p++;
        }
    }

    return (size_t) (last - p) == target->len
           && ngx_memcmp(p, target->data, target->len) == 0;
}


static ngx_uint_t
cwmp_verify_unquoted(ngx_str_t *quoted, ngx_str_t *plain)
{
    size_t  i, n;

    n = 0;

    for (i = 0; i < quoted->len; i++) {

        if (quoted->data[i] == '\\' && i + 1 < quoted->len) {
            i++;
        }

        if (n == plain->len || quoted->data[i] != plain->data[n]) {
            return 0;
        }

        n++;
    }

    return n == plain->len;
}


static ngx_uint_t
cwmp_verify_is(ngx_str_t *s, ngx_str_t *word)
{
    return s->len == word->len
           && ngx_strncasecmp(s->data, word->data, word->len) == 0;
}


const char *
cwmp_verify_strerror(cwmp_verify_e error)
{
    switch (error) {
    case CWMP_VERIFY_NONE:
        return "is no Digest response";
    case CWMP_VERIFY_MALFORMED:
        return "is malformed";
    case CWMP_VERIFY_REALM:
        return "is for another realm";
    case CWMP_VERIFY_ALGORITHM:
        return "has an algorithm that was not offered";
    case CWMP_VERIFY_QOP:
        return "is not with qop \"auth\"";
    case CWMP_VERIFY_PASSWORD:
        return "is not that of the password in \"cwmp_credentials\"";
    case CWMP_VERIFY_USER:
        return "is of another user than that in \"cwmp_credentials\"";
    case CWMP_VERIFY_URI:
        return "signs another uri than the one that is called";
    default:
        return "cannot be verified";
    }
}
