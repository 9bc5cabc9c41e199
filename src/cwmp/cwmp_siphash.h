
/*
 * Fieldgate: SipHash-2-4 with 128 bits of output.
 *
 * A keyed hash for short inputs (J.-P. Aumasson, D. J. Bernstein, "SipHash: a
 * fast short-input PRF", 2012): who does not know the key cannot aim at a place
 * in a table, and it costs a tenth of an HMAC.
 */


#ifndef _CWMP_SIPHASH_H_INCLUDED_
#define _CWMP_SIPHASH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define CWMP_SIPHASH_KEY_LEN  16
#define CWMP_SIPHASH_LEN      16


typedef struct {
    uint64_t    v[4];
    uint64_t    word;           /* the bytes that do not fill a word yet */
    size_t      len;            /* so far */
} cwmp_siphash_t;


/*
 * The input may come in pieces of any length.
 */
void cwmp_siphash_init(cwmp_siphash_t *sip, const u_char *key);
void cwmp_siphash_update(cwmp_siphash_t *sip, const u_char *data, size_t len);
void cwmp_siphash_final(cwmp_siphash_t *sip, u_char *hash);


#endif /* _CWMP_SIPHASH_H_INCLUDED_ */
