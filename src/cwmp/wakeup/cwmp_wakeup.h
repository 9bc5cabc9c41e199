
/*
 * Fieldgate: how wake-ups end.
 */


#ifndef _CWMP_WAKEUP_H_INCLUDED_
#define _CWMP_WAKEUP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* how a wake-up ended: $cwmp_wakeup_result and the counters */

typedef enum {
    CWMP_WAKEUP_NONE = 0,       /* not ended */

    /* refused before the call, in the order of the checks */
    CWMP_WAKEUP_METHOD,         /* 405 */
    CWMP_WAKEUP_BAD_ORIGIN,     /* 400: missing or malformed */
    CWMP_WAKEUP_FORBIDDEN,      /* 403: signature or policy */
    CWMP_WAKEUP_CREDENTIALS,    /* 401: the ACS sent none, or wrong ones */

    /* answered by the CPE */
    CWMP_WAKEUP_OK,             /* 200 or 204, as it came */
    CWMP_WAKEUP_UDP,            /* 200: its Inform came, after UDP requests */
    CWMP_WAKEUP_BUSY,           /* 503, as it came */
    CWMP_WAKEUP_CHALLENGE,      /* path mode: 401 with the CPE's challenges */
    CWMP_WAKEUP_UNAUTHORIZED,   /* credentials do not satisfy the CPE */
    CWMP_WAKEUP_UNSUPPORTED,    /* 401 with no usable challenge */
    CWMP_WAKEUP_REDIRECT,       /* 502 */
    CWMP_WAKEUP_STATUS,         /* 502: any other status */
    CWMP_WAKEUP_BAD_REPLY,      /* 502: no HTTP, header too large or torn */

    /* not answered: 503 */
    CWMP_WAKEUP_UNRESOLVED,
    CWMP_WAKEUP_REFUSED,        /* refused or unreachable */
    CWMP_WAKEUP_RESET,
    CWMP_WAKEUP_CLOSED,         /* without a byte */
    CWMP_WAKEUP_TIMEOUT,        /* cwmp_timeout or cwmp_connect_timeout */
    CWMP_WAKEUP_QUEUE,          /* the deadline passed behind other calls */
    CWMP_WAKEUP_UDP_SILENT,     /* no Inform came, after UDP requests */
    CWMP_WAKEUP_UDP_UNBOUND,    /* behind NAT, and without a binding */

    CWMP_WAKEUP_INTERNAL,       /* 500: memory, a libcrypto without MD5 */

    CWMP_WAKEUP_RESULTS
} cwmp_wakeup_result_e;


/* whose challenge goes with a 401 to the ACS */

typedef enum {
    CWMP_WAKEUP_NO_AUTH = 0,
    CWMP_WAKEUP_OURS,           /* that of "cwmp_acs_auth" */
    CWMP_WAKEUP_CPE_DIGEST      /* the CPE's Digest challenges, as they are */
} cwmp_wakeup_auth_e;


/* of a wake-up, of a call or of an exchange; also in shared memory */

typedef struct {
    uint16_t                result;     /* cwmp_wakeup_result_e */
    uint16_t                status;     /* for the ACS */
    uint16_t                cpe_status; /* the CPE's last; 0: none */
    uint8_t                 auth;       /* cwmp_wakeup_auth_e */
    uint8_t                 scheme;     /* cwmp_auth_scheme_e: the last one
                                           used towards the CPE */
} cwmp_outcome_t;


/*
 * Sets the result, and the status and challenge that the ACS gets for it.
 * cpe_status is set before.  own: the credentials are the ACS's own, so that
 * it can do something about them.
 */
void cwmp_outcome_set(cwmp_outcome_t *o, cwmp_wakeup_result_e result,
    ngx_uint_t own);


/* "ok", "busy", ...: lower case and "_", for variable, counters and log. */
const char *cwmp_wakeup_name(cwmp_wakeup_result_e result);


#endif /* _CWMP_WAKEUP_H_INCLUDED_ */
