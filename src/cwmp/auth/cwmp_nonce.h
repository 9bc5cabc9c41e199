
/*
 * Fieldgate: nonces of challenges that nginx makes itself.
 *
 * A nonce says when it was made and its serial number, and is signed: nobody
 * has to remember it.  Who gets it back judges its age, and by the serial
 * number whether its count has been used before, see cwmp_replay.h.
 */


#ifndef _CWMP_NONCE_H_INCLUDED_
#define _CWMP_NONCE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_origin.h"


/* two numbers of eight hexadecimal digits, and a signature */
#define CWMP_NONCE_LEN  (16 + CWMP_SIGN_LEN)


typedef struct {
    uint32_t              time;       /* in seconds, it may wrap around */
    uint32_t              serial;
} cwmp_nonce_t;


/*
 * Writes the nonce into dst, of CWMP_NONCE_LEN bytes.  NGX_ERROR: libcrypto
 * fails.
 */
ngx_int_t cwmp_nonce_write(cwmp_nonce_t *n, cwmp_sign_key_t *key, u_char *dst);

/*
 * Reads one that was signed with any of the keys.  NGX_DECLINED: it was not;
 * NGX_ERROR: libcrypto fails.
 */
ngx_int_t cwmp_nonce_read(cwmp_nonce_t *n, cwmp_sign_key_t *keys,
    ngx_uint_t nkeys, ngx_str_t *text);

/*
 * Whether it was made within "life" seconds; a clock that was set back makes
 * it old.
 */
ngx_uint_t cwmp_nonce_fresh(cwmp_nonce_t *n, uint32_t now, uint32_t life);


#endif /* _CWMP_NONCE_H_INCLUDED_ */
