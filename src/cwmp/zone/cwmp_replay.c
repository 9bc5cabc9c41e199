
/*
 * Fieldgate: which counts of which nonces have been used.
 */


#include "cwmp_replay.h"


#define cwmp_replay_entry(serial, count)  ((uint64_t) (serial) << 32 | (count))


/* never 0: an entry of zeros is nobody's */

uint32_t
cwmp_replay_give(cwmp_replay_t *r)
{
    uint32_t  serial;

    do {
        serial = (uint32_t) ++r->serial;
    } while (serial == 0);

    r->used[serial % CWMP_REPLAY_NONCES] = cwmp_replay_entry(serial, 0);

    return serial;
}


ngx_int_t
cwmp_replay_use(cwmp_replay_t *r, uint32_t serial, uint32_t count)
{
    uint64_t  *used;

    used = &r->used[serial % CWMP_REPLAY_NONCES];

    if (serial == 0
        || *used >> 32 != serial
        || (uint32_t) *used >= count)
    {
        return NGX_DECLINED;
    }

    *used = cwmp_replay_entry(serial, count);

    return NGX_OK;
}
