
/*
 * Fieldgate: challenges of HTTP authentication.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_challenge.h"


typedef struct {
    ngx_str_t           name;
    cwmp_algorithm_e    hash;
    ngx_uint_t          sess;
} cwmp_challenge_algorithm_t;


static u_char *cwmp_challenge_skip(u_char *p, u_char *last);
static u_char *cwmp_challenge_skip_spaces(u_char *p, u_char *last);
static u_char *cwmp_challenge_token(u_char *p, u_char *last);
static u_char *cwmp_challenge_parameters(cwmp_challenge_t *ch, u_char *p,
    u_char *last);
static u_char *cwmp_challenge_value(ngx_str_t *value, u_char *p, u_char *last);
static u_char *cwmp_challenge_extend_qop(ngx_str_t *value, u_char *p,
    u_char *last);
static void cwmp_challenge_set(cwmp_challenge_t *ch, ngx_str_t *name,
    ngx_str_t *value);
static void cwmp_challenge_judge(cwmp_challenge_t *ch);
static cwmp_auth_scheme_e cwmp_challenge_scheme(u_char *p, u_char *last);
static ngx_uint_t cwmp_challenge_qop(u_char *p, u_char *last);
static ngx_uint_t cwmp_challenge_qop_list(ngx_str_t *list);
static u_char *cwmp_challenge_strip_list(u_char *dst, ngx_str_t *list);
static ngx_uint_t cwmp_challenge_is(u_char *p, u_char *last,
    const char *word);


static cwmp_challenge_algorithm_t  cwmp_challenge_algorithms[] = {
    { ngx_string("MD5"), CWMP_ALGORITHM_MD5, 0 },
    { ngx_string("MD5-sess"), CWMP_ALGORITHM_MD5, 1 },
    { ngx_string("SHA-256"), CWMP_ALGORITHM_SHA256, 0 },
    { ngx_string("SHA-256-sess"), CWMP_ALGORITHM_SHA256, 1 }
};


ngx_int_t
cwmp_challenge_next(ngx_str_t *value, cwmp_challenge_t *ch)
{
    u_char     *p, *last, *start;
    ngx_str_t   junk;

    ngx_memzero(ch, sizeof(cwmp_challenge_t));

    p = value->data;
    last = p + value->len;

    for ( ;; ) {

        p = cwmp_challenge_skip(p, last);

        if (p == last) {
            value->data = p;
            value->len = 0;
            return NGX_DONE;
        }

        start = p;
        p = cwmp_challenge_token(p, last);

        if (p > start) {
            junk.data = cwmp_challenge_skip_spaces(p, last);

            if (junk.data == last || *junk.data != '=') {
                break;
            }

            p = junk.data;
        }

        /* a parameter or a string in front of any scheme */

        if (*p == '=') {
            p++;
        }

        p = cwmp_challenge_value(&junk, p, last);
    }

    ch->scheme = cwmp_challenge_scheme(start, p);

    p = cwmp_challenge_parameters(ch, p, last);

    ch->text.data = start;
    ch->text.len = p - start;

    value->data = p;
    value->len = last - p;

    cwmp_challenge_judge(ch);

    return NGX_OK;
}


void
cwmp_challenge_select(cwmp_challenges_t *all, ngx_str_t *values, ngx_uint_t n)
{
    ngx_str_t          value;
    ngx_uint_t         i;
    cwmp_challenge_t   ch;

    ngx_memzero(all, sizeof(cwmp_challenges_t));

    all->error = CWMP_CHALLENGE_NO_DIGEST;

    for (i = 0; i < n; i++) {
        value = values[i];

        while (cwmp_challenge_next(&value, &ch) == NGX_OK) {

            if (ch.scheme == CWMP_AUTH_BASIC) {
                all->has_basic = 1;
            }

            if (ch.scheme != CWMP_AUTH_DIGEST) {
                continue;
            }

            if (ch.error != CWMP_CHALLENGE_CONTROL) {
                all->has_relay = 1;
            }

            if (ch.error == 0
                && (!all->usable || ch.hash > all->digest.hash))
            {
                all->digest = ch;
                all->usable = 1;
                all->error = 0;
            }

            if (!all->has_digest && !all->usable) {
                all->error = ch.error;
            }

            all->has_digest = 1;
        }
    }
}


const char *
cwmp_challenge_strerror(ngx_uint_t error)
{
    switch (error) {
    case CWMP_CHALLENGE_NO_DIGEST:
        return "no Digest challenge";
    case CWMP_CHALLENGE_ALGORITHM:
        return "Digest challenge with an unknown algorithm";
    case CWMP_CHALLENGE_QOP:
        return "Digest challenge with neither \"auth\" nor \"auth-int\"";
    case CWMP_CHALLENGE_NONCE:
        return "Digest challenge without a nonce";
    case CWMP_CHALLENGE_CONTROL:
        return "Digest challenge with a control character";
    default:
        return "usable Digest challenge";
    }
}


cwmp_auth_scheme_e
cwmp_auth_scheme(ngx_str_t *value)
{
    u_char  *p, *last;

    last = value->data + value->len;
    p = cwmp_challenge_skip_spaces(value->data, last);

    return cwmp_challenge_scheme(p, cwmp_challenge_token(p, last));
}


ngx_int_t
cwmp_auth_parameter(ngx_str_t *rest, ngx_str_t *name, ngx_str_t *value)
{
    u_char  *p, *last;

    last = rest->data + rest->len;
    p = cwmp_challenge_skip(rest->data, last);

    if (p == last) {
        return NGX_DONE;
    }

    name->data = p;
    p = cwmp_challenge_token(p, last);
    name->len = p - name->data;

    p = cwmp_challenge_skip_spaces(p, last);

    if (name->len == 0 || p == last || *p != '=') {
        return NGX_ERROR;
    }

    p = cwmp_challenge_value(value, p + 1, last);

    rest->data = p;
    rest->len = last - p;

    return NGX_OK;
}


ngx_int_t
cwmp_challenge_strip_auth_int(ngx_str_t *value, u_char *dst, size_t *len,
    ngx_uint_t *only)
{
    u_char            *p, *last, *start;
    ngx_int_t          rc;
    ngx_str_t          rest;
    cwmp_challenge_t   ch;

    rc = NGX_DECLINED;
    *only = 0;

    rest = *value;
    start = dst;
    p = value->data;
    last = p + value->len;

    while (cwmp_challenge_next(&rest, &ch) == NGX_OK) {

        if (ch.scheme != CWMP_AUTH_DIGEST || !(ch.qop & CWMP_QOP_AUTH_INT)) {
            continue;
        }

        if (ch.qop == CWMP_QOP_AUTH_INT) {
            *only = 1;
            continue;
        }

        dst = ngx_cpymem(dst, p, ch.qop_list.data - p);
        dst = cwmp_challenge_strip_list(dst, &ch.qop_list);
        p = ch.qop_list.data + ch.qop_list.len;

        rc = NGX_OK;
    }

    dst = ngx_cpymem(dst, p, last - p);
    *len = dst - start;

    return rc;
}


/* what separates: commas, the spaces around them, and spaces in their place */

static u_char *
cwmp_challenge_skip(u_char *p, u_char *last)
{
    while (p < last && (*p <= ' ' || *p == ',' || *p == ';')) {
        p++;
    }

    return p;
}


static u_char *
cwmp_challenge_skip_spaces(u_char *p, u_char *last)
{
    while (p < last && *p <= ' ') {
        p++;
    }

    return p;
}


static u_char *
cwmp_challenge_token(u_char *p, u_char *last)
{
    while (p < last && *p > ' ' && *p != ',' && *p != ';' && *p != '='
           && *p != '"')
    {
        p++;
    }

    return p;
}


/*
 * Reads up to the next scheme, and returns the end of what belongs to this
 * one.  A word without "=" begins another challenge, but for the token68 right
 * behind a scheme ("NTLM TlRMTVNTUAAC"); the names of our own two schemes are
 * never taken for one, since commas are forgotten.
 */

static u_char *
cwmp_challenge_parameters(cwmp_challenge_t *ch, u_char *p, u_char *last)
{
    u_char      *end, *spaces;
    ngx_str_t    name, value;
    ngx_uint_t   first;

    end = p;

    for (first = 1; /* void */ ; first = 0) {

        p = cwmp_challenge_skip(end, last);

        if (p == last) {
            return end;
        }

        if (memchr(end, ',', p - end)) {
            first = 0;
        }

        name.data = p;
        p = cwmp_challenge_token(p, last);
        name.len = p - name.data;

        spaces = cwmp_challenge_skip_spaces(p, last);

        if (spaces < last && *spaces == '=') {

            p = cwmp_challenge_value(&value, spaces + 1, last);

            if (cwmp_challenge_is(name.data, name.data + name.len, "qop")
                && value.data[-1] != '"')
            {
                p = cwmp_challenge_extend_qop(&value, p, last);
            }

            cwmp_challenge_set(ch, &name, &value);

        } else if (name.len == 0) {

            /* a string without a name */

            p = cwmp_challenge_value(&value, p, last);

        } else if (!first || cwmp_challenge_scheme(name.data, p)
                             != CWMP_AUTH_OTHER)
        {
            return end;
        }

        end = p;
    }
}


/*
 * A quoted string, or whatever stands up to the next separator.  The value is
 * left with its escapes, but never ends in the middle of one.  It may have
 * "=" in it, as base64 has, also at its front: that is the end of a token68.
 */

static u_char *
cwmp_challenge_value(ngx_str_t *value, u_char *p, u_char *last)
{
    u_char  *start;

    p = cwmp_challenge_skip_spaces(p, last);
    start = p;

    if (p < last && *p == '"') {

        for (start = ++p; p < last && *p != '"'; p++) {
            if (*p == '\\') {

                if (last - p == 1) {
                    break;
                }

                p++;
            }
        }

        value->data = start;
        value->len = p - start;

        return (p < last) ? p + 1 : last;
    }

    while (p < last && *p > ' ' && *p != ',' && *p != ';' && *p != '"') {

        if (*p == '\\') {

            if (last - p == 1 || p[1] <= ' ' || p[1] == ',' || p[1] == ';'
                || p[1] == '"')
            {
                break;
            }

            p++;
        }

        p++;
    }

    value->data = start;
    value->len = p - start;

    if (p < last && *p == '\\') {
        p++;
    }

    return p;
}


/* qop=auth,auth-int without quotes: the list goes on behind the comma */

static u_char *
cwmp_challenge_extend_qop(ngx_str_t *value, u_char *p, u_char *last)
{
    u_char  *start, *end, *spaces;

    for ( ;; ) {
        start = cwmp_challenge_skip(p, last);
        end = cwmp_challenge_token(start, last);
        spaces = cwmp_challenge_skip_spaces(end, last);

        if (cwmp_challenge_qop(start, end) == CWMP_QOP_OTHER
            || (spaces < last && *spaces == '='))
        {
            return p;
        }

        p = end;
        value->len = p - value->data;
    }
}


/* of several parameters of one name the first counts */

static void
cwmp_challenge_set(cwmp_challenge_t *ch, ngx_str_t *name, ngx_str_t *value)
{
    u_char  *p, *last;

    p = name->data;
    last = p + name->len;

    if (cwmp_challenge_is(p, last, "realm") && !ch->has_realm) {
        ch->realm = *value;
        ch->has_realm = 1;

    } else if (cwmp_challenge_is(p, last, "nonce") && ch->nonce.data == NULL) {
        ch->nonce = *value;

    } else if (cwmp_challenge_is(p, last, "opaque") && !ch->has_opaque) {
        ch->opaque = *value;
        ch->has_opaque = 1;

    } else if (cwmp_challenge_is(p, last, "algorithm") && !ch->has_algorithm) {
        ch->algorithm = *value;
        ch->has_algorithm = 1;

    } else if (cwmp_challenge_is(p, last, "qop")
               && ch->qop_list.data == NULL)
    {
        ch->qop_list = *value;
        ch->qop = cwmp_challenge_qop_list(value);
        ch->has_qop = (ch->qop != 0);

    } else if (cwmp_challenge_is(p, last, "stale") && !ch->has_stale) {
        ch->has_stale = 1;
        ch->stale = cwmp_challenge_is(value->data, value->data + value->len,
                                      "true");
    }
}


static void
cwmp_challenge_judge(cwmp_challenge_t *ch)
{
    size_t                       i, n;
    cwmp_challenge_algorithm_t  *a;

    if (ch->scheme != CWMP_AUTH_DIGEST) {
        ch->error = CWMP_CHALLENGE_NO_DIGEST;
        return;
    }

    a = cwmp_challenge_algorithms;
    n = sizeof(cwmp_challenge_algorithms) / sizeof(*a);

    if (!ch->has_algorithm) {
        ch->hash = CWMP_ALGORITHM_MD5;
    }

    for (i = 0; ch->has_algorithm && i < n; i++) {
        if (ch->algorithm.len == a[i].name.len
            && strncasecmp((char *) ch->algorithm.data,
                           (char *) a[i].name.data, a[i].name.len) == 0)
        {
            ch->hash = a[i].hash;
            ch->sess = a[i].sess;
        }
    }

    for (i = 0; i < ch->text.len; i++) {
        if ((ch->text.data[i] < ' ' && ch->text.data[i] != '\t')
            || ch->text.data[i] == 0x7f)
        {
            ch->error = CWMP_CHALLENGE_CONTROL;
            return;
        }
    }

    if (ch->nonce.len == 0) {
        ch->error = CWMP_CHALLENGE_NONCE;

    } else if (ch->hash == CWMP_ALGORITHM_UNKNOWN) {
        ch->error = CWMP_CHALLENGE_ALGORITHM;

    } else if (ch->qop == CWMP_QOP_OTHER) {
        ch->error = CWMP_CHALLENGE_QOP;
    }
}


static cwmp_auth_scheme_e
cwmp_challenge_scheme(u_char *p, u_char *last)
{
    if (p == last) {
        return CWMP_AUTH_NONE;
    }

    if (cwmp_challenge_is(p, last, "Digest")) {
        return CWMP_AUTH_DIGEST;
    }

    if (cwmp_challenge_is(p, last, "Basic")) {
        return CWMP_AUTH_BASIC;
    }

    return CWMP_AUTH_OTHER;
}


static ngx_uint_t
cwmp_challenge_qop(u_char *p, u_char *last)
{
    if (cwmp_challenge_is(p, last, "auth")) {
        return CWMP_QOP_AUTH;
    }

    if (cwmp_challenge_is(p, last, "auth-int")) {
        return CWMP_QOP_AUTH_INT;
    }

    return CWMP_QOP_OTHER;
}


/* words have no escapes: a list with any is left alone */

static ngx_uint_t
cwmp_challenge_qop_list(ngx_str_t *list)
{
    u_char      *p, *last, *end;
    ngx_uint_t   qop;

    qop = 0;
    p = list->data;
    last = p + list->len;

    if (memchr(p, '\\', list->len)) {
        return CWMP_QOP_OTHER;
    }

    for (p = cwmp_challenge_skip(p, last);
         p < last;
         p = cwmp_challenge_skip(end, last))
    {
        end = cwmp_challenge_token(p, last);

        if (end == p) {
            end++;
        }

        qop |= cwmp_challenge_qop(p, end);
    }

    return qop;
}


/*
 * Each word that stays takes what separates it from the one before it along,
 * the first nothing.
 */

static u_char *
cwmp_challenge_strip_list(u_char *dst, ngx_str_t *list)
{
    u_char      *p, *last, *end, *sep;
    ngx_uint_t   first;

    first = 1;
    sep = list->data;
    last = sep + list->len;

    for (p = cwmp_challenge_skip(sep, last);
         p < last;
         p = cwmp_challenge_skip(sep, last))
    {
        end = cwmp_challenge_token(p, last);

        if (end == p) {
            end++;
        }

        if (cwmp_challenge_qop(p, end) != CWMP_QOP_AUTH_INT) {

            if (!first) {
                dst = ngx_cpymem(dst, sep, p - sep);
            }

            dst = ngx_cpymem(dst, p, end - p);
            first = 0;
        }

        sep = end;
    }

    return ngx_cpymem(dst, sep, last - sep);
}


static ngx_uint_t
cwmp_challenge_is(u_char *p, u_char *last, const char *word)
{
    size_t  len;

    len = strlen(word);

    return (size_t) (last - p) == len
           && strncasecmp((char *) p, word, len) == 0;
}
