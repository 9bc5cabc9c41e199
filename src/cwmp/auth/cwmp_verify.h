
/*
 * Fieldgate: Digest credentials that come, for a challenge of ours (RFC 7616):
 * MD5 or SHA-256, qop auth.
 *
 * Clients differ: nc is not always of eight digits, is quoted, so are qop and
 * algorithm; without an algorithm it is MD5 (RFC 7616 3.4).  What they say is
 * hashed as it stands.
 */


#ifndef _CWMP_VERIFY_H_INCLUDED_
#define _CWMP_VERIFY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_digest.h"


/* in the order in which they are found */

typedef enum {
    CWMP_VERIFY_OK = 0,
    CWMP_VERIFY_NONE,           /* no Digest credentials */
    CWMP_VERIFY_MALFORMED,      /* something missing, twice, or unreadable */
    CWMP_VERIFY_REALM,          /* of another challenge */
    CWMP_VERIFY_ALGORITHM,
    CWMP_VERIFY_QOP,
    CWMP_VERIFY_PASSWORD,       /* the response is not that of the password */
    CWMP_VERIFY_USER,           /* it is, but the name is another one */
    CWMP_VERIFY_URI,            /* all is right, but of another request */
    CWMP_VERIFY_ERROR           /* libcrypto fails */
} cwmp_verify_e;


/* what is asked for */

typedef struct {
    ngx_str_t           method;
    ngx_str_t           target;         /* of the request, as it came */
    ngx_str_t           realm;
    cwmp_credentials_t  credentials;
} cwmp_verify_t;


/*
 * Compares an Authorization field's value with that.  The URI may also be
 * absolute.  CWMP_VERIFY_OK: *nonce and *nc, not 0, are what the caller has to
 * judge, and by which the response was calculated; *nonce points into value.
 */
cwmp_verify_e cwmp_verify(cwmp_verify_t *v, ngx_str_t *value,
    ngx_str_t *nonce, uint32_t *nc);

/* What is wrong, for the log. */
const char *cwmp_verify_strerror(cwmp_verify_e error);


#endif /* _CWMP_VERIFY_H_INCLUDED_ */
