
/*
 * Fieldgate: what is remembered of devices.
 */


#include "cwmp_device.h"


static void *cwmp_device_open(cwmp_table_t *t, const u_char *key,
    ngx_msec_t now);
static ngx_uint_t cwmp_device_alive(uint32_t holder);


void
cwmp_device_row_set(cwmp_table_t *t, const u_char *key, ngx_msec_t now,
    int64_t time, const cwmp_facts_t *facts, const ngx_str_t *origin,
    const u_char *url)
{
    cwmp_device_row_t  *row;

    row = cwmp_device_open(t, key, now);

    if (row == NULL) {
        return;
    }

    row->informed = time;
    row->informs++;
    row->facts = *facts;

    if (origin) {
        row->origin_len = (uint32_t) ngx_min(origin->len, CWMP_DEVICE_ORIGIN);
        ngx_memcpy(row->origin, origin->data, row->origin_len);
        ngx_memcpy(row->url, url, CWMP_TABLE_KEY_LEN);
    }
}


void
cwmp_woken_row_set(cwmp_table_t *t, const u_char *key, ngx_msec_t now,
    const cwmp_woken_row_t *woken)
{
    cwmp_woken_row_t  *row;

    row = cwmp_device_open(t, key, now);

    if (row) {
        *row = *woken;
    }
}


/* the row, open for writing; NULL: there is no room */

static void *
cwmp_device_open(cwmp_table_t *t, const u_char *key, ngx_msec_t now)
{
    void  *row;

    row = cwmp_table_get(t, key, now);

    if (row == NULL) {
        return cwmp_table_insert(t, key, now, now + CWMP_DEVICE_TTL,
                                 cwmp_device_alive);
    }

    cwmp_table_open(t, row);
    cwmp_table_touch(t, row, now + CWMP_DEVICE_TTL);

    return row;
}


/* nobody holds such rows */

static ngx_uint_t
cwmp_device_alive(uint32_t holder)
{
    return 0;
}
