
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

typedef struct {
    EVP_MD_CTX  *inner;         /* has hashed the key with ipad */
    EVP_MD_CTX  *outer;         /* and with opad */
    EVP_MD_CTX  *md;            /* of the digest being made */
} cwmp_sign_key_t;


/*
 * Sets up a key, of any length; key is not used after that.  Returns NGX_OK, or
 * NGX_ERROR if libcrypto fails; in either case what it holds is freed by
 * cwmp_sign_key_free(), which a key of zeros survives.
 */
ngx_int_t cwmp_sign_key_init(cwmp_sign_key_t *k, ngx_str_t *key);
void cwmp_sign_key_free(cwmp_sign_key_t *k);


/*
 * Signs (mode, origin, path), and udp if there is one, with HMAC-SHA256, of
 * which 128 bits are taken.
 * sig has CWMP_SIGN_LEN bytes.  Returns NGX_OK, or NGX_ERROR if libcrypto
 * fails.
 */
ngx_int_t cwmp_sign(cwmp_sign_key_t *k, ngx_uint_t mode, cwmp_origin_t *o,
    u_char *sig);


/*
 * Compares o->sig with the signature of each key; the time does not depend on
 * which one matches, nor where one differs.
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
