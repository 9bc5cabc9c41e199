
/*
 * Fieldgate: what is remembered of devices, for who looks after them.
 *
 * device   By its id: what its last Inform that the ACS has let in said, and
 *          where it can be called.
 *
 * woken    By the URL that wake-ups name: how the last one ended.  A device has
 *          the key of its row, so that a wake-up need not know the device.
 *
 * Nothing else hangs on these rows.  When there is no room the device goes that
 * has been silent for the longest time.
 */


#ifndef _CWMP_DEVICE_H_INCLUDED_
#define _CWMP_DEVICE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_facts.h"
#include "cwmp_table.h"


/* bytes of "host:port"; what is behind them is cut off */
#define CWMP_DEVICE_ORIGIN  64

/* milliseconds after the last Inform, the last wake-up */
#define CWMP_DEVICE_TTL     (7 * 86400000)


typedef struct {
    int64_t       informed;           /* seconds since 1970 */
    uint32_t      informs;            /* since the row was made */
    uint32_t      origin_len;         /* 0: it has announced none */
    u_char        origin[CWMP_DEVICE_ORIGIN];
    u_char        url[CWMP_TABLE_KEY_LEN];
    cwmp_facts_t  facts;
} cwmp_device_row_t;


typedef struct {
    int64_t       time;               /* seconds since 1970; 0: never */
    uint32_t      result;             /* the caller's */
    uint32_t      took;               /* milliseconds */
} cwmp_woken_row_t;


/*
 * An Inform has been let in, at "time".  origin NULL: it announces none, and
 * that of an earlier one stays.  Of no use if there is no room.  The table is
 * begun.
 */
void cwmp_device_row_set(cwmp_table_t *t, const u_char *key, ngx_msec_t now,
    int64_t time, const cwmp_facts_t *facts, const ngx_str_t *origin,
    const u_char *url);

/*
 * A wake-up is over.  The table is begun.
 */
void cwmp_woken_row_set(cwmp_table_t *t, const u_char *key, ngx_msec_t now,
    const cwmp_woken_row_t *woken);


#endif /* _CWMP_DEVICE_H_INCLUDED_ */
