
/*
 * Fieldgate: the signature of an announced URL, and the keys for it.
 */


#ifndef _CWMP_SIGN_H_INCLUDED_
#define _CWMP_SIGN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <openssl/evp.h>

#include "cwmp_origin.h"


#define CWMP_SIGN_KEY_MIN     16    /* bytes of a key */
#define CWMP_SIGN_LEN         22    /* 128 bits in base64url */


/*
 * A key as HMAC uses it (RFC 2104): what it makes of the key alone is made
 * once, since with libcrypto 3 it costs several times as much as the rest.  To
 * be used by one thread at a time; a process that forks has one more.
 */

typedef struct cwmp_sign_last_s  cwmp_sign_last_t;


typedef struct {
    EVP_MD_CTX        *inner;   /* has hashed the key with ipad */
    EVP_MD_CTX        *outer;   /* and with opad */
    EVP_MD_CTX        *md;      /* of the digest being made */
    cwmp_sign_last_t  *last;    /* NULL: none are kept */
} cwmp_sign_key_t;


/*
 * Some of the URLs that were signed last, with their signatures: a CPE
 * announces the same one again and again.  What has just been signed is found
 * again, unless it is longer than a row, or another one has taken its row.
 */

#define CWMP_SIGN_LAST        256
#define CWMP_SIGN_LAST_TEXT   232

typedef struct {
    uint16_t           len;     /* 0: none */
    u_char             sig[CWMP_SIGN_LEN];
    u_char             text[CWMP_SIGN_LAST_TEXT];
} cwmp_sign_row_t;

struct cwmp_sign_last_s {
    cwmp_sign_row_t    rows[CWMP_SIGN_LAST];
};


/*
 * Sets up a key, of any length; key is not used after that.  The caller sets
 * k->last to zeros, which stay the caller's, if it wants.  Returns NGX_OK, or
 * NGX_ERROR if libcrypto fails; in either case what it holds is freed by
 * cwmp_sign_key_free(), which a key of zeros survives.
 */
ngx_int_t cwmp_sign_key_init(cwmp_sign_key_t *k, ngx_str_t *key);
void cwmp_sign_key_free(cwmp_sign_key_t *k);


/*
 * Signs (mode, origin, path), and udp if there is one, with HMAC-SHA256, of
 * which 128 bits are taken; from k->last, if it is there.
 * sig has CWMP_SIGN_LEN bytes.  Returns NGX_OK, or NGX_ERROR if libcrypto
 * fails.
 */
ngx_int_t cwmp_sign(cwmp_sign_key_t *k, ngx_uint_t mode, cwmp_origin_t *o,
    u_char *sig);


/*
 * Compares o->sig with the signature of each key; the time does not depend on
 * which one matches, nor where one differs, nor on what was signed before.
 * Returns NGX_OK, NGX_DECLINED if it is none of ours, or NGX_ERROR.
 */
ngx_int_t cwmp_sign_verify(cwmp_sign_key_t *keys, ngx_uint_t nkeys,
    ngx_uint_t mode, cwmp_origin_t *o);


/*
 * The same for anything else that nginx gives away and gets back: a signature
 * for one use is none for another.  sig has CWMP_SIGN_LEN bytes;
 * cwmp_sign_verify_parts() takes one of any length.
 */

typedef enum {
    CWMP_SIGN_URL = 1,
    CWMP_SIGN_NONCE,            /* of a challenge for the ACS */
    CWMP_SIGN_SERVER            /* in a cookie for the CPE */
} cwmp_sign_use_e;

ngx_int_t cwmp_sign_parts(cwmp_sign_key_t *k, cwmp_sign_use_e use,
    ngx_str_t *parts, ngx_uint_t nparts, u_char *sig);
ngx_int_t cwmp_sign_verify_parts(cwmp_sign_key_t *keys, ngx_uint_t nkeys,
    cwmp_sign_use_e use, ngx_str_t *parts, ngx_uint_t nparts, ngx_str_t *sig);


/*
 * Takes the next key from the text of a cwmp_secret_file: one a line, empty
 * lines skipped, CR before LF removed, everything else belongs to the key.
 * text is advanced, line counts from 0 before the first call.
 * Returns NGX_OK; NGX_DONE at the end; NGX_ERROR with what is wrong in *err.
 */
ngx_int_t cwmp_sign_next_key(ngx_str_t *text, ngx_str_t *key,
    ngx_uint_t *line, const char **err);


#endif /* _CWMP_SIGN_H_INCLUDED_ */
