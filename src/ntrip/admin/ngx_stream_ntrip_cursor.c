
/*
 * Fieldgate: walks over sessions, streams and accounts.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_stream_ntrip_cursor.h"


/* what a turn may cost, about half a millisecond: a free row 1, others COPY */
#define NGX_STREAM_NTRIP_LOOK  20000
#define NGX_STREAM_NTRIP_COPY  16


static void ngx_stream_ntrip_cursor_copied(ngx_stream_ntrip_cursor_t *cursor);


void
ngx_stream_ntrip_cursor_turn(ngx_stream_ntrip_cursor_t *cursor)
{
    cursor->look = NGX_STREAM_NTRIP_LOOK;
}


static void
ngx_stream_ntrip_cursor_copied(ngx_stream_ntrip_cursor_t *cursor)
{
    cursor->look -= ngx_min(cursor->look, NGX_STREAM_NTRIP_COPY);
}


ngx_int_t
ngx_stream_ntrip_cursor_session(ngx_stream_ntrip_cursor_t *cursor,
    ntrip_session_row_t *row)
{
    ntrip_zone_t  *zone;

    zone = ngx_stream_ntrip_worker.zone;

    while (cursor->next < zone->sessions.n) {

        if (cursor->look == 0) {
            return NGX_AGAIN;
        }

        cursor->look--;

        if (ntrip_session_peek(zone, (uint32_t) cursor->next++, row)) {
            ngx_stream_ntrip_cursor_copied(cursor);
            return NGX_OK;
        }
    }

    return NGX_DONE;
}


ngx_int_t
ngx_stream_ntrip_cursor_stream(ngx_stream_ntrip_cursor_t *cursor,
    ntrip_stream_row_t *row)
{
    while (cursor->next < ngx_stream_ntrip_worker.zone->streams.n) {

        if (cursor->look == 0) {
            return NGX_AGAIN;
        }

        cursor->look--;

        if (ngx_stream_ntrip_peek_stream((uint32_t) cursor->next++, row)
            == NGX_OK)
        {
            ngx_stream_ntrip_cursor_copied(cursor);
            return NGX_OK;
        }
    }

    return NGX_DONE;
}


uint32_t
ngx_stream_ntrip_cursor_find(ntrip_table_t *table, uint64_t serial)
{
    uint64_t      hash;
    uint32_t      index;
    ntrip_row_t  *row;

    hash = ntrip_hash(0, (u_char *) &serial, sizeof(uint64_t), 0);
    row = NULL;

    ngx_stream_ntrip_lock();

    do {
        row = ntrip_table_find(table, hash, row);
    } while (row && row->serial != serial);

    index = row ? ntrip_table_index(table, row) : NTRIP_ROW_NONE;

    ngx_stream_ntrip_unlock();

    return index;
}


ngx_int_t
ngx_stream_ntrip_peek_stream(uint32_t index, ntrip_stream_row_t *row)
{
    ntrip_zone_t        *zone;
    ntrip_stream_row_t  *r;

    zone = ngx_stream_ntrip_worker.zone;

    if (index >= zone->streams.n) {
        return NGX_DECLINED;
    }

    r = ntrip_stream_row(zone, index);

    if (__atomic_load_n(&r->row.state, __ATOMIC_ACQUIRE) == NTRIP_ROW_FREE) {
        return NGX_DECLINED;
    }

    ngx_stream_ntrip_lock();
    *row = *r;
    ngx_stream_ntrip_unlock();

    return (row->row.state == NTRIP_ROW_FREE) ? NGX_DECLINED : NGX_OK;
}


ngx_int_t
ngx_stream_ntrip_cursor_account(ngx_stream_ntrip_cursor_t *cursor,
    ngx_stream_ntrip_listed_t *listed)
{
    ntrip_lease_row_t           *lease;
    ngx_stream_ntrip_account_t  *account;

    account = ngx_stream_ntrip_store_next(cursor->next);

    if (account == NULL) {
        return NGX_DONE;
    }

    if (cursor->look == 0) {
        return NGX_AGAIN;
    }

    ngx_stream_ntrip_cursor_copied(cursor);
    cursor->next = account->id;

    listed->account = account;

    ngx_stream_ntrip_lock();

    lease = ntrip_lease_find(ngx_stream_ntrip_worker.zone, account->id);
    listed->refused = (lease
                       && lease->failures
                       && lease->last == NTRIP_REST_REFUSED);
    listed->cooling = (lease
                       && lease->row.state == NTRIP_LEASE_IDLE
                       && lease->reason == NTRIP_REST_COOLING
                       && lease->until > ngx_current_msec);

    ngx_stream_ntrip_unlock();

    return NGX_OK;
}
