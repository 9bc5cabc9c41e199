
/*
 * Fieldgate: what the zone knows of sessions.
 */


#include "cwmp_rows.h"


static cwmp_session_row_t *cwmp_session_row_mine(cwmp_table_t *t,
    const u_char *key, const cwmp_holder_t *me, ngx_msec_t now);


void
cwmp_session_row_key(u_char *key, const u_char *name, const u_char *tag)
{
    ngx_uint_t  i;

    for (i = 0; i < CWMP_TABLE_KEY_LEN; i++) {
        key[i] = name[i] ^ tag[i];
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
    holder->client = row->client;

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


ngx_int_t
cwmp_session_row_hold(cwmp_table_t *t, const u_char *key,
    const cwmp_holder_t *me, const cwmp_server_t *server, ngx_msec_t now,
    ngx_msec_t expires, cwmp_table_alive_pt alive, cwmp_holder_t *before)
{
    ngx_int_t            rc;
    cwmp_session_row_t  *row;

    rc = NGX_OK;

    if (!cwmp_session_row_find(t, key, me, now, alive, before)) {
        rc = NGX_DONE;

        if (cwmp_table_insert(t, key, now, expires, alive) == NULL) {
            return NGX_ERROR;
        }
    }

    row = cwmp_table_get(t, key, now);

    if (row->client != me->client
        || row->server.len != server->len
        || ngx_memcmp(row->server.data, server->data, server->len) != 0)
    {
        cwmp_table_open(t, row);

        row->client = me->client;
        row->server = *server;
    }

    cwmp_table_touch(t, row, expires);
    cwmp_table_hold(t, row, me->process);

    return rc;
}


void
cwmp_session_row_release(cwmp_table_t *t, const u_char *key,
    const cwmp_holder_t *me, ngx_msec_t now)
{
    cwmp_session_row_t  *row;

    row = cwmp_session_row_mine(t, key, me, now);

    if (row) {
        cwmp_table_hold(t, row, 0);
    }
}


void
cwmp_session_row_delete(cwmp_table_t *t, const u_char *key,
    const cwmp_holder_t *me, ngx_msec_t now)
{
    cwmp_session_row_t  *row;

    row = cwmp_session_row_mine(t, key, me, now);

    if (row) {
        cwmp_table_delete(t, row);
    }
}


/* NULL: another connection has taken it over, or it is gone */

static cwmp_session_row_t *
cwmp_session_row_mine(cwmp_table_t *t, const u_char *key,
    const cwmp_holder_t *me, ngx_msec_t now)
{
    cwmp_session_row_t  *row;

    row = cwmp_table_get(t, key, now);

    if (row && row->client == me->client
        && cwmp_table_holder(t, row) == me->process)
    {
        return row;
    }

    return NULL;
}


void
cwmp_cookie_row_set(cwmp_table_t *t, const u_char *key,
    const cwmp_session_name_t *name, ngx_uint_t move, ngx_msec_t now,
    ngx_msec_t expires, cwmp_table_alive_pt alive)
{
    cwmp_session_name_t  *row;

    row = cwmp_table_get(t, key, now);

    if (row == NULL) {
        row = cwmp_table_insert(t, key, now, expires, alive);
        move = 1;
    }

    if (row && move) {
        cwmp_table_open(t, row);
        *row = *name;
        cwmp_table_touch(t, row, expires);
    }
}


ngx_int_t
cwmp_cookie_row_get(cwmp_table_t *t, const u_char *key, ngx_msec_t now,
    cwmp_session_name_t *name)
{
    cwmp_session_name_t  *row;

    row = cwmp_table_get(t, key, now);

    if (row == NULL) {
        return NGX_DECLINED;
    }

    *name = *row;

    return NGX_OK;
}


void
cwmp_cookie_row_touch(cwmp_table_t *t, const u_char *key, ngx_msec_t now,
    ngx_msec_t expires)
{
    void  *row;

    row = cwmp_table_get(t, key, now);

    if (row) {
        cwmp_table_touch(t, row, expires);
    }
}


void
cwmp_cookie_row_delete(cwmp_table_t *t, const u_char *key,
    const cwmp_session_name_t *name, ngx_msec_t now)
{
    cwmp_session_name_t  *row;

    row = cwmp_table_get(t, key, now);

    if (row && ngx_memcmp(row->key, name->key, CWMP_TABLE_KEY_LEN) == 0) {
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
