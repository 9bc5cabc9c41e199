
/*
 * Fieldgate: how wake-ups end.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_wakeup.h"


typedef struct {
    const char           *name;
    ngx_uint_t            status;       /* 0: as it came from the CPE */
} cwmp_wakeup_row_t;


/* in the order of cwmp_wakeup_result_e */

static cwmp_wakeup_row_t  cwmp_wakeup_rows[] = {
    { "none", 500 },
    { "method", 405 },
    { "bad_origin", 400 },
    { "forbidden", 403 },
    { "credentials", 401 },
    { "ok", 0 },
    { "udp", 200 },
    { "busy", 0 },
    { "challenge", 401 },
    { "unauthorized", 401 },
    { "unsupported", 401 },
    { "redirect", 502 },
    { "status", 502 },
    { "bad_reply", 502 },
    { "unresolved", 503 },
    { "refused", 503 },
    { "reset", 503 },
    { "closed", 503 },
    { "timeout", 503 },
    { "queue", 503 },
    { "udp_silent", 503 },
    { "udp_unbound", 503 },
    { "internal", 500 }
};


void
cwmp_outcome_set(cwmp_outcome_t *o, cwmp_wakeup_result_e result,
    ngx_uint_t own)
{
    o->result = result;
    o->auth = CWMP_WAKEUP_NO_AUTH;
    o->status = cwmp_wakeup_rows[result].status;

    if (o->status == 0) {
        o->status = o->cpe_status;
    }

    switch (result) {

    case CWMP_WAKEUP_CHALLENGE:
        o->auth = CWMP_WAKEUP_CPE_DIGEST;
        break;

    case CWMP_WAKEUP_UNAUTHORIZED:
    case CWMP_WAKEUP_UNSUPPORTED:

        if (!own) {
            o->status = 502;
            break;
        }

        /* fall through */

    case CWMP_WAKEUP_CREDENTIALS:
        o->auth = CWMP_WAKEUP_OURS;
        break;

    default:
        break;
    }
}


const char *
cwmp_wakeup_name(cwmp_wakeup_result_e result)
{
    return cwmp_wakeup_rows[result].name;
}
