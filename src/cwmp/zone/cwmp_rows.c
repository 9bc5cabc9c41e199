
/*
 * Fieldgate: what the zone knows of sessions.
 */


#include "cwmp_rows.h"


static ngx_uint_t cwmp_cookie_row_leads(cwmp_cookie_row_t *row,
    const u_char *key);


void
cwmp_server_set(cwmp_server_t *server, const u_char *address, size_t len,
    const ngx_str_t *sid)
{
    ngx_memzero(server, sizeof(cwmp_server_t));

    if (len <= sizeof(server->data)) {
        server->len = (uint16_t) len;
        ngx_memcpy(server->data, address, len);
    }

    if (sid && sid->len <= sizeof(server->sid)) {
        server->sid_len = (uint16_t) sid->len;
        ngx_memcpy(server->sid, sid->data, sid->len);
    }
}


void
cwmp_session_row_key(u_char *key, const u_char *name, const u_char *tag)
{
    uint64_t  n[2], t[2];

    ngx_memcpy(n, name, CWMP_TABLE_KEY_LEN);
    ngx_memcpy(t, tag, CWMP_TABLE_KEY_LEN);

    n[0] ^= t[0];
    n[1] ^= t[1];

    ngx_memcpy(key, n, CWMP_TABLE_KEY_LEN);
}


void
cwmp_row_hold(cwmp_table_t *t, cwmp_held_row_t *row, const cwmp_hold_t *h)
{
    if (row->client != h->me.client) {
        cwmp_table_open(t, row);
        row->client = h->me.client;
    }

    cwmp_table_touch(t, row, h->expires);
    cwmp_table_yield(t, row, !h->firm);
    cwmp_table_hold(t, row, h->me.process);
}


void
cwmp_row_release(cwmp_table_t *t, const u_char *key, const cwmp_holder_t *me,
    ngx_msec_t now, ngx_uint_t delete)
{
    cwmp_held_row_t  *row;

    row = cwmp_table_get(t, key, now);

    if (row == NULL
        || row->client != me->client
        || cwmp_table_holder(t, row) != me->process)
    {
        return;
    }

    if (delete) {
        cwmp_table_delete(t, row);

    } else {
        cwmp_table_hold(t, row, 0);
    }
}


ngx_uint_t
cwmp_session_row_find(cwmp_table_t *t, const u_char *key,
    const cwmp_holder_t *me, ngx_msec_t now, cwmp_table_alive_pt alive,
    cwmp_holder_t *holder)
{
    cwmp_session_row_t  *row;

    holder->process = 0;
    holder->client = 0;

    row = cwmp_table_get(t, key, now);

    if (row == NULL) {
        return 0;
    }

    holder->process = cwmp_table_holder(t, row);
    holder->client = row->held.client;

    if (holder->process == me->process && holder->client == me->client) {
        holder->process = 0;

    } else if (holder->process && !alive(holder->process)) {
        cwmp_table_hold(t, row, 0);
        holder->process = 0;
    }

    return 1;
}


ngx_int_t
cwmp_session_row_server(cwmp_table_t *t, const u_char *key, ngx_msec_t now,
    cwmp_server_t *server)
{
    cwmp_session_row_t  *row;

    row = cwmp_table_get(t, key, now);

    if (row == NULL || row->server.len == 0) {
        return NGX_DECLINED;
    }

    *server = row->server;

    return NGX_OK;
}


ngx_uint_t
cwmp_session_row_foreign(cwmp_table_t *t, const u_char *key,
    const u_char *address, ngx_msec_t now)
{
    cwmp_session_row_t  *row;

    row = cwmp_table_get(t, key, now);

    return row && ngx_memcmp(row->address, address, CWMP_ADDRESS_LEN) != 0;
}


ngx_uint_t
cwmp_session_row_pending(cwmp_table_t *t, const u_char *key, ngx_msec_t now,
    ngx_msec_t timeout)
{
    cwmp_session_row_t  *row;

    row = cwmp_table_get(t, key, now);

    return row && cwmp_table_yields(t, row)
           && (ngx_msec_int_t) (now + timeout - cwmp_table_expires(t, row))
              < CWMP_PENDING_TIME;
}


ngx_int_t
cwmp_session_row_hold(cwmp_table_t *t, const u_char *key, const cwmp_hold_t *h,
    const cwmp_server_t *server, cwmp_holder_t *before)
{
    ngx_int_t            rc;
    cwmp_session_row_t  *row;

    rc = NGX_OK;

    if (!cwmp_session_row_find(t, key, &h->me, h->now, h->alive, before)) {
        rc = NGX_DONE;

        if (cwmp_table_insert(t, key, h->now, h->expires, h->alive) == NULL) {
            return NGX_ERROR;
        }
    }

    row = cwmp_table_get(t, key, h->now);

    if (row->held.client != h->me.client
        || ngx_memcmp(row->address, h->address, CWMP_ADDRESS_LEN) != 0
        || row->server.len != server->len
        || ngx_memcmp(row->server.data, server->data, server->len) != 0)
    {
        cwmp_table_open(t, row);

        row->held.client = h->me.client;
        ngx_memcpy(row->address, h->address, CWMP_ADDRESS_LEN);
        row->server = *server;
    }

    cwmp_row_hold(t, &row->held, h);

    return rc;
}


ngx_int_t
cwmp_cookie_row_set(cwmp_table_t *t, const u_char *key,
    const cwmp_session_name_t *name, const cwmp_hold_t *h)
{
    cwmp_cookie_row_t  *row;

    row = cwmp_table_get(t, key, h->now);

    if (row == NULL) {
        row = cwmp_table_insert(t, key, h->now, h->expires, h->alive);

        if (row == NULL) {
            return NGX_ERROR;
        }

        row->name = *name;

    } else if (ngx_memcmp(name->key, key, CWMP_TABLE_KEY_LEN) == 0
               && cwmp_cookie_row_held(t, key, h->now, h->alive)
                  == CWMP_LEAD_NOWHERE)
    {
        cwmp_table_open(t, row);
        row->name = *name;

    } else if (!cwmp_cookie_row_leads(row, name->key)) {

        if (!row->shared) {
            cwmp_table_open(t, row);
            row->shared = 1;
            cwmp_table_hold(t, row, 0);
        }

        cwmp_table_touch(t, row, h->expires);

        return NGX_DECLINED;
    }

    cwmp_row_hold(t, &row->held, h);

    return NGX_OK;
}


static ngx_uint_t
cwmp_cookie_row_leads(cwmp_cookie_row_t *row, const u_char *key)
{
    return !row->shared
           && ngx_memcmp(row->name.key, key, CWMP_TABLE_KEY_LEN) == 0;
}


cwmp_lead_e
cwmp_cookie_row_get(cwmp_table_t *t, const u_char *key, ngx_msec_t now,
    cwmp_session_name_t *name)
{
    cwmp_cookie_row_t  *row;

    row = cwmp_table_get(t, key, now);

    if (row == NULL) {
        return CWMP_LEAD_NOWHERE;
    }

    if (row->shared) {
        return CWMP_LEAD_SHARED;
    }

    *name = row->name;

    return CWMP_LEAD_SESSION;
}


cwmp_lead_e
cwmp_cookie_row_held(cwmp_table_t *t, const u_char *key, ngx_msec_t now,
    cwmp_table_alive_pt alive)
{
    uint32_t            holder;
    cwmp_cookie_row_t  *row;

    row = cwmp_table_get(t, key, now);

    if (row == NULL) {
        return CWMP_LEAD_NOWHERE;
    }

    if (row->shared) {
        return CWMP_LEAD_SHARED;
    }

    holder = cwmp_table_holder(t, row);

    return (holder && alive(holder)) ? CWMP_LEAD_SESSION : CWMP_LEAD_NOWHERE;
}


void
cwmp_cookie_row_touch(cwmp_table_t *t, const u_char *key,
    const cwmp_session_name_t *name, const cwmp_hold_t *h)
{
    cwmp_cookie_row_t  *row;

    row = cwmp_table_get(t, key, h->now);

    if (row == NULL) {
        return;
    }

    if (row->shared) {
        cwmp_table_touch(t, row, h->expires);

    } else if (cwmp_cookie_row_leads(row, name->key)) {
        cwmp_row_hold(t, &row->held, h);
    }
}


void
cwmp_cookie_row_delete(cwmp_table_t *t, const u_char *key,
    const cwmp_session_name_t *name, ngx_msec_t now)
{
    cwmp_cookie_row_t  *row;

    row = cwmp_table_get(t, key, now);

    if (row && cwmp_cookie_row_leads(row, name->key)) {
        cwmp_table_delete(t, row);
    }
}


/*
 * A process that is killed in here leaves an entry free, or whole: the
 * compiler must not store the process first.
 */

ngx_int_t
cwmp_want(cwmp_wanted_t *list, const cwmp_holder_t *holder, const u_char *key,
    ngx_msec_t now)
{
    ngx_uint_t      i;
    cwmp_wanted_t  *w, *place;

    place = NULL;

    for (i = 0; i < CWMP_WANTED_MAX; i++) {
        w = &list[i];

        if (w->holder.process == 0 || (ngx_msec_int_t) (w->until - now) <= 0) {
            place = w;
            continue;
        }

        if (w->holder.process == holder->process
            && w->holder.client == holder->client
            && ngx_memcmp(w->key, key, CWMP_TABLE_KEY_LEN) == 0)
        {
            w->until = now + CWMP_WANTED_TIME;
            return NGX_OK;
        }
    }

    if (place == NULL) {
        return NGX_DECLINED;
    }

    place->holder.process = 0;
    ngx_memory_barrier();

    place->until = now + CWMP_WANTED_TIME;
    place->holder.client = holder->client;
    ngx_memcpy(place->key, key, CWMP_TABLE_KEY_LEN);
    ngx_memory_barrier();

    place->holder.process = holder->process;

    return NGX_OK;
}


ngx_int_t
cwmp_wanted_take(cwmp_wanted_t *list, uint32_t process, ngx_uint_t *from,
    cwmp_wanted_t *wanted)
{
    cwmp_wanted_t  *w;

    while (*from < CWMP_WANTED_MAX) {
        w = &list[(*from)++];

        if (w->holder.process == process) {
            *wanted = *w;
            w->holder.process = 0;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}
