
/*
 * Fieldgate: hashes that nobody outside can foresee.
 */


#ifndef _CWMP_HASH_H_INCLUDED_
#define _CWMP_HASH_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * SipHash-2-4 with 128 bits (Aumasson and Bernstein, 2012): made for short
 * texts and tables, where it takes a third of the time of MD5.  Who does not
 * know the key can neither find two texts of the same hash, nor a text to a
 * hash.
 */


#define CWMP_HASH_KEY_LEN  16
#define CWMP_HASH_LEN      16


typedef struct {
    uint64_t    v[4];
    uint64_t    word;       /* bytes that are not eight yet, the first lowest */
    ngx_uint_t  len;        /* of all bytes so far */
} cwmp_hash_t;


/* key: CWMP_HASH_KEY_LEN bytes; hash: CWMP_HASH_LEN bytes */

void cwmp_hash_init(cwmp_hash_t *h, const u_char *key);
void cwmp_hash_update(cwmp_hash_t *h, const u_char *p, size_t len);
void cwmp_hash_final(cwmp_hash_t *h, u_char *hash);


#endif /* _CWMP_HASH_H_INCLUDED_ */
