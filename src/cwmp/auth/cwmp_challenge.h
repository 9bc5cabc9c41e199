
/*
 * Fieldgate: challenges of HTTP authentication.
 *
 * WWW-Authenticate as CPEs and ACSs write it (RFC 7235 2.1, RFC 7616 3.3, and
 * what is made of them: commas missing, unquoted lists, any case).
 */


#ifndef _CWMP_CHALLENGE_H_INCLUDED_
#define _CWMP_CHALLENGE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef enum {
    CWMP_AUTH_NONE = 0,         /* no scheme at all */
    CWMP_AUTH_BASIC,
    CWMP_AUTH_DIGEST,
    CWMP_AUTH_OTHER
} cwmp_auth_scheme_e;


/* in order of strength */

typedef enum {
    CWMP_ALGORITHM_UNKNOWN = 0,
    CWMP_ALGORITHM_MD5,
    CWMP_ALGORITHM_SHA256
} cwmp_algorithm_e;


#define CWMP_QOP_AUTH           0x01
#define CWMP_QOP_AUTH_INT       0x02
#define CWMP_QOP_OTHER          0x04    /* any other word */


/* why a challenge cannot be answered */

typedef enum {
    CWMP_CHALLENGE_NO_DIGEST = 1,   /* nothing, or other schemes only */
    CWMP_CHALLENGE_ALGORITHM,           /* unknown */
    CWMP_CHALLENGE_QOP,                 /* neither auth nor auth-int */
    CWMP_CHALLENGE_NONCE,               /* missing */
    CWMP_CHALLENGE_CONTROL              /* control characters */
} cwmp_challenge_error_e;


/*
 * realm, nonce and opaque are the bytes between the quotes, escapes included:
 * they can be put between quotes again as they are; cwmp_digest.h removes the
 * escapes where it hashes.  All strings lie in the header's value.
 */

typedef struct {
    cwmp_auth_scheme_e  scheme;
    ngx_str_t           text;           /* the whole challenge, trimmed */

    ngx_str_t           realm;
    ngx_str_t           nonce;
    ngx_str_t           opaque;
    ngx_str_t           algorithm;      /* as sent, for the echo */
    ngx_str_t           qop_list;       /* as sent */
    cwmp_algorithm_e    hash;
    ngx_uint_t          qop;            /* CWMP_QOP_* */

    unsigned            sess:1;         /* MD5-sess, SHA-256-sess */
    unsigned            stale:1;
    unsigned            has_stale:1;
    unsigned            has_realm:1;
    unsigned            has_opaque:1;   /* echoed even if empty */
    unsigned            has_algorithm:1;
    unsigned            has_qop:1;      /* and not empty */
    ngx_uint_t          error;          /* cwmp_challenge_error_e */
} cwmp_challenge_t;


/*
 * Everything that the WWW-Authenticate fields of one reply offer.  A challenge
 * that is passed on is one whose text has no control characters.
 */

typedef struct {
    cwmp_challenge_t    digest;         /* the strongest one, if usable */
    unsigned            usable:1;       /* there is such a one */
    unsigned            has_digest:1;   /* some Digest, usable or not */
    unsigned            has_relay:1;    /* some Digest to be passed on */
    unsigned            has_basic:1;
    ngx_uint_t          error;          /* cwmp_challenge_error_e */
} cwmp_challenges_t;


/*
 * Takes the next challenge off the front of value, a field's value, which is
 * advanced.  Returns NGX_OK, or NGX_DONE if there is none left.
 */
ngx_int_t cwmp_challenge_next(ngx_str_t *value, cwmp_challenge_t *ch);


/*
 * Reads n field values and chooses: Digest with SHA-256 before MD5, each with
 * or without -sess, the first of equals.
 */
void cwmp_challenge_select(cwmp_challenges_t *all, ngx_str_t *values,
    ngx_uint_t n);


/* Why no Digest challenge is usable, for the log. */
const char *cwmp_challenge_strerror(ngx_uint_t error);


/* The scheme of an Authorization field's value. */
cwmp_auth_scheme_e cwmp_auth_scheme(ngx_str_t *value);


/*
 * Takes the next name=value off the front of *rest, which is what stands behind
 * the scheme of credentials: the value without its quotes, with its escapes.
 * Returns NGX_OK; NGX_DONE at the end; NGX_ERROR: something else stands there.
 */
ngx_int_t cwmp_auth_parameter(ngx_str_t *rest, ngx_str_t *name,
    ngx_str_t *value);


/*
 * Removes auth-int from the qop lists of Digest challenges in value, which
 * may hold several, wherever another qop remains.  dst has value->len bytes
 * and gets the new value, its length in *len; all else stays byte-identical.
 * *only is set if some challenge offers nothing but auth-int, which stays.
 * Returns NGX_OK if something was removed, NGX_DECLINED if value is as it was.
 */
ngx_int_t cwmp_challenge_strip_auth_int(ngx_str_t *value, u_char *dst,
    size_t *len, ngx_uint_t *only);


#endif /* _CWMP_CHALLENGE_H_INCLUDED_ */
