
/*
 * Fieldgate: what the zone knows of CPEs behind NAT.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_binding.h"


void
cwmp_net_of(cwmp_endpoint_t *e, cwmp_endpoint_t *net)
{
    size_t  len;

    len = (e->family == AF_INET) ? 3 : 8;

    ngx_memzero(net, sizeof(cwmp_endpoint_t));

    net->family = e->family;
    ngx_memcpy(net->addr, e->addr, len);
}


ngx_int_t
cwmp_net_take(cwmp_net_t *net, ngx_msec_t now)
{
    uint64_t        drained;
    ngx_msec_int_t  passed;

    passed = (ngx_msec_int_t) (now - net->last);

    if (passed > 0) {

        /* a thousandth a millisecond for each that may come in a second */

        drained = (uint64_t) passed * CWMP_NET_RATE;

        net->level = (net->level > drained) ? net->level - drained : 0;
        net->last = now;
    }

    if (net->level + 1000 > (uint64_t) CWMP_NET_BURST * 1000) {
        return NGX_BUSY;
    }

    net->level += 1000;

    return NGX_OK;
}


ngx_uint_t
cwmp_binding_woken(ngx_str_t *events)
{
    u_char  *p, *last;

    p = events->data;
    last = p + events->len;

    while (p < last) {

        if (*p == '6' && (p + 1 == last || p[1] == ' ' || p[1] == ',')) {
            return 1;
        }

        p = memchr(p, ',', last - p);

        if (p == NULL) {
            break;
        }

        p++;
    }

    return 0;
}
