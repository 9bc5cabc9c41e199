
#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_seldom.h"


uint64_t
ntrip_seldom_count(ntrip_seldom_t *seldom, uint64_t now)
{
    seldom->missed++;

    return ntrip_seldom_due(seldom, now);
}


uint64_t
ntrip_seldom_due(ntrip_seldom_t *seldom, uint64_t now)
{
    uint64_t  n;

    n = seldom->missed;

    if (n == 0
        || (seldom->logged && now < seldom->logged + NTRIP_SELDOM))
    {
        return 0;
    }

    seldom->missed = 0;
    seldom->logged = now;

    return n;
}
