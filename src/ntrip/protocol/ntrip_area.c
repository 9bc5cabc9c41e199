
/*
 * Areas of users: see ntrip_area.h.
 */


#include <math.h>

#include "ntrip_area.h"


/* from pole to pole */
#define NTRIP_AREA_MAX  20038


void
ntrip_area_parse(ntrip_area_t *area, ngx_str_t *text)
{
    double      value[3];
    u_char     *p, *last, *comma;
    ngx_str_t   part, all;
    ngx_uint_t  i;

    ngx_memzero(area, sizeof(ntrip_area_t));

    all = *text;
    ntrip_text_trim(&all);

    if (all.len == 0) {
        return;
    }

    area->kind = NTRIP_AREA_NOWHERE;

    p = all.data;
    last = p + all.len;

    for (i = 0; i < 3; i++) {
        comma = (p < last) ? memchr(p, ',', last - p) : NULL;

        if ((comma == NULL) != (i == 2)) {
            return;
        }

        part.data = p;
        part.len = (comma ? comma : last) - p;

        if (ntrip_text_decimal(&part, &value[i]) != NGX_OK) {
            return;
        }

        p += part.len + 1;
    }

    if (fabs(value[0]) > 90
        || fabs(value[1]) > 180
        || value[2] <= 0
        || value[2] > NTRIP_AREA_MAX)
    {
        return;
    }

    area->kind = NTRIP_AREA_CIRCLE;
    area->latitude = (int32_t) lrint(value[0] * 1e7);
    area->longitude = (int32_t) lrint(value[1] * 1e7);
    area->metres = (uint32_t) lrint(value[2] * 1000);
}
