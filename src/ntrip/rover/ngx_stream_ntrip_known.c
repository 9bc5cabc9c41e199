
/*
 * Passwords that were right, as keyed digests, so that a rover that comes back
 * is not hashed again.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "ngx_stream_ntrip_rover_private.h"
#include "ntrip_protocol.h"


/* 256 KB a worker, once the first hash was right */
#define NGX_STREAM_NTRIP_KNOWN_WAYS   4
#define NGX_STREAM_NTRIP_KNOWN_SETS   4096


typedef struct {
    u_char   way[NGX_STREAM_NTRIP_KNOWN_WAYS][NGX_STREAM_NTRIP_KNOWN_LEN];
} ngx_stream_ntrip_known_set_t;


static ngx_stream_ntrip_known_set_t *ngx_stream_ntrip_known_set(
    u_char *digest);


static ngx_stream_ntrip_known_set_t  *ngx_stream_ntrip_known_sets;
static u_char                         ngx_stream_ntrip_known_key[32];


ngx_int_t
ngx_stream_ntrip_known_init(ngx_cycle_t *cycle)
{
    if (RAND_bytes(ngx_stream_ntrip_known_key,
                   sizeof(ngx_stream_ntrip_known_key)) != 1)
    {
        ngx_log_error(NGX_LOG_ALERT, cycle->log, 0, "RAND_bytes() failed");
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_stream_ntrip_known_digest(ngx_stream_ntrip_user_t *user,
    ngx_str_t *password, u_char *digest)
{
    u_char    *p;
    unsigned   len;
    u_char     md[EVP_MAX_MD_SIZE];
    u_char     text[NTRIP_USER_MAX + sizeof(user->password)
                    + NTRIP_PASSWORD_MAX + 2];

    /* a length before each of the first two says where it ends */

    p = text;
    *p++ = (u_char) user->name_len;
    p = ngx_cpymem(p, user->name, user->name_len);
    *p++ = (u_char) user->password_len;
    p = ngx_cpymem(p, user->password, user->password_len);
    p = ngx_cpymem(p, password->data, password->len);

    p = HMAC(EVP_sha256(), ngx_stream_ntrip_known_key,
             sizeof(ngx_stream_ntrip_known_key), text, p - text, md, &len);

    ngx_explicit_memzero(text, sizeof(text));

    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(digest, md, NGX_STREAM_NTRIP_KNOWN_LEN);

    return NGX_OK;
}


static ngx_stream_ntrip_known_set_t *
ngx_stream_ntrip_known_set(u_char *digest)
{
    uint32_t  n;

    ngx_memcpy(&n, digest, sizeof(uint32_t));

    return &ngx_stream_ntrip_known_sets[n % NGX_STREAM_NTRIP_KNOWN_SETS];
}


ngx_uint_t
ngx_stream_ntrip_known(u_char *digest)
{
    ngx_uint_t                      i;
    ngx_stream_ntrip_known_set_t  *set;

    if (ngx_stream_ntrip_known_sets == NULL) {
        return 0;
    }

    set = ngx_stream_ntrip_known_set(digest);

    for (i = 0; i < NGX_STREAM_NTRIP_KNOWN_WAYS; i++) {
        if (CRYPTO_memcmp(set->way[i], digest, NGX_STREAM_NTRIP_KNOWN_LEN)
            == 0)
        {
            return 1;
        }
    }

    return 0;
}


void
ngx_stream_ntrip_known_add(u_char *digest)
{
    ngx_uint_t                      i;
    ngx_stream_ntrip_known_set_t  *set;

    if (ngx_stream_ntrip_known_sets == NULL) {

        ngx_stream_ntrip_known_sets =
                 ngx_calloc(NGX_STREAM_NTRIP_KNOWN_SETS
                            * sizeof(ngx_stream_ntrip_known_set_t),
                            ngx_cycle->log);

        if (ngx_stream_ntrip_known_sets == NULL) {
            return;
        }
    }

    if (ngx_stream_ntrip_known(digest)) {
        return;
    }

    set = ngx_stream_ntrip_known_set(digest);

    /* the newest first, the oldest goes */

    for (i = NGX_STREAM_NTRIP_KNOWN_WAYS - 1; i > 0; i--) {
        ngx_memcpy(set->way[i], set->way[i - 1],
                   NGX_STREAM_NTRIP_KNOWN_LEN);
    }

    ngx_memcpy(set->way[0], digest, NGX_STREAM_NTRIP_KNOWN_LEN);
}
