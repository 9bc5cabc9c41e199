
/*
 * Fieldgate: the credentials that a request carries.
 *
 * Credentials: Digest responses (RFC 7616, RFC 2617, RFC 2069) and Basic.
 */


#ifndef _CWMP_DIGEST_H_INCLUDED_
#define _CWMP_DIGEST_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_challenge.h"


#define CWMP_DIGEST_HEX_MAX     64      /* hexadecimal digits of SHA-256 */
#define CWMP_DIGEST_CNONCE_LEN  16      /* netcwmp takes 32 at most */


typedef struct {
    ngx_str_t           user;           /* plain bytes, not escaped */
    ngx_str_t           password;
} cwmp_credentials_t;


typedef struct {
    cwmp_credentials_t  credentials;
    ngx_str_t           method;         /* GET */
    ngx_str_t           uri;            /* exactly as on the request line */
    ngx_str_t           cnonce;         /* hexadecimal digits */
    uint32_t            nc;             /* from 1 for each nonce */
} cwmp_digest_t;


/*
 * Calculates the response to ch, which is usable.  hex has
 * CWMP_DIGEST_HEX_MAX bytes, *len tells how many are set.  Returns NGX_OK, or
 * NGX_ERROR if libcrypto fails (MD5 in FIPS mode).
 */
ngx_int_t cwmp_digest_response(cwmp_challenge_t *ch, cwmp_digest_t *d,
    u_char *hex, size_t *len);


/*
 * The same for a response that has come: nc is as it stood there, of any form,
 * and cnonce what stood between its quotes.
 */
ngx_int_t cwmp_digest_expected(cwmp_challenge_t *ch, cwmp_digest_t *d,
    ngx_str_t *nc, u_char *hex, size_t *len);


/*
 * Writes "Authorization: Digest username=...\r\n" into dst, which has
 * cwmp_digest_size() bytes.  Returns the end, or NULL if libcrypto fails.
 */
size_t cwmp_digest_size(cwmp_challenge_t *ch, cwmp_digest_t *d);
u_char *cwmp_digest_header(u_char *dst, cwmp_challenge_t *ch,
    cwmp_digest_t *d);


/*
 * Takes the credentials from an Authorization field's value.  buf has
 * value->len bytes; c's strings lie in it.
 * Returns NGX_OK; NGX_DECLINED if the scheme is not Basic; NGX_ERROR if the
 * rest is no base64 of user:password, or control characters are in them.
 */
ngx_int_t cwmp_basic_decode(ngx_str_t *value, u_char *buf,
    cwmp_credentials_t *c);


/*
 * Writes "Authorization: Basic ...\r\n" into dst, which has
 * cwmp_basic_size() bytes: more than that takes.  Returns the end.
 */
size_t cwmp_basic_size(cwmp_credentials_t *c);
u_char *cwmp_basic_header(u_char *dst, cwmp_credentials_t *c);


/*
 * Whether credentials from the configuration may be sent: a control character
 * would end the header field.
 */
ngx_uint_t cwmp_credentials_valid(cwmp_credentials_t *c);


#endif /* _CWMP_DIGEST_H_INCLUDED_ */
