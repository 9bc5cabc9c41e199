
#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_zone.h"


ssize_t
ntrip_handover_size(const ntrip_handover_t *msg)
{
    if (msg->len > NTRIP_HANDOVER_DATA) {
        return NGX_ERROR;
    }

    return offsetof(ntrip_handover_t, data) + msg->len;
}


ngx_int_t
ntrip_handover_check(const ntrip_handover_t *msg, size_t size,
    ngx_uint_t nfds)
{
    if (size < offsetof(ntrip_handover_t, data)
        || msg->magic != NTRIP_HANDOVER_MAGIC
        || msg->nfds != nfds
        || msg->len > NTRIP_HANDOVER_DATA
        || size != offsetof(ntrip_handover_t, data) + msg->len
        || msg->user_len > NTRIP_USER_MAX
        || msg->agent_len > NTRIP_AGENT_MAX
        || msg->mount_len > NTRIP_MOUNT_MAX
        || msg->station_len > NTRIP_MOUNT_MAX
        || msg->local_len > NTRIP_ADDR_MAX
        || msg->addr_len > NTRIP_ADDR_MAX
        || msg->proxy_src_len > NTRIP_PROXY_MAX
        || msg->proxy_dst_len > NTRIP_PROXY_MAX)
    {
        return NGX_ERROR;
    }

    switch (msg->type) {

    case NTRIP_HANDOVER_SOURCE:
        return (nfds == 2) ? NGX_OK : NGX_ERROR;

    case NTRIP_HANDOVER_ROVER:
    case NTRIP_HANDOVER_UPLOAD:
        return (nfds == 1) ? NGX_OK : NGX_ERROR;

    default:
        return NGX_ERROR;
    }
}
