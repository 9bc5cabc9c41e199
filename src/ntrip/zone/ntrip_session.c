
#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_zone.h"


static ntrip_session_row_t *ntrip_session_next(ntrip_zone_t *zone,
    uint64_t hash, const u_char *user, size_t len, ntrip_session_row_t *row);
static ngx_uint_t ntrip_session_alive(ntrip_bus_t *bus,
    ntrip_session_row_t *row);
static uint64_t ntrip_session_below(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint64_t hash, const ntrip_login_t *login, ngx_uint_t over);
static size_t ntrip_session_copy(u_char *dst, size_t size, const u_char *src,
    size_t len);
static uint64_t ntrip_session_address(ntrip_bus_t *bus, const u_char *addr,
    size_t len);


ngx_int_t
ntrip_session_login(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t me,
    uint64_t now, const ntrip_login_t *login, uint32_t *index,
    uint64_t *below, ntrip_slots_t *wake)
{
    uint64_t              hash;
    ngx_uint_t            n, later;
    ntrip_session_row_t  *row;

    hash = ntrip_hash(bus->seed, login->user.data, login->user.len, 0);

    n = 0;
    later = 0;
    *below = 0;

    for (row = ntrip_session_next(zone, hash, login->user.data,
                                  login->user.len, NULL);
         row;
         row = ntrip_session_next(zone, hash, login->user.data,
                                  login->user.len, row))
    {
        if (ntrip_session_alive(bus, row)) {
            n++;
            later += (row->login > login->login);
        }
    }

    if (login->max_sessions && later >= login->max_sessions) {
        return NGX_DECLINED;
    }

    if (login->max_sessions && n >= login->max_sessions) {

        if (!login->delayed
            && ntrip_recent_count(&zone->kicks, hash, now, NTRIP_KICK_WINDOW)
               >= NTRIP_KICK_LIMIT)
        {
            return NGX_BUSY;
        }

        *below = ntrip_session_below(zone, bus, hash, login,
                                     n + 1 - login->max_sessions);
    }

    row = ntrip_table_take(&zone->sessions);

    if (row == NULL) {
        *below = 0;
        return NGX_ERROR;
    }

    row->login = login->login;
    row->time = login->time;
    row->position = NTRIP_POINT_NONE;
    row->bytes = 0;
    row->messages = 0;
    row->gga = 0;
    row->stream = NTRIP_ROW_NONE;
    row->version = login->version;
    row->tls = login->tls;

    row->user_len = ntrip_session_copy(row->user, NTRIP_USER_MAX,
                                       login->user.data, login->user.len);
    row->agent_len = ntrip_session_copy(row->agent, NTRIP_AGENT_MAX,
                                        login->agent.data, login->agent.len);
    row->addr_len = ntrip_session_copy(row->addr, NTRIP_ADDR_MAX,
                                       login->addr, login->addr_len);

    ntrip_table_publish(&zone->sessions, row, hash, login->login, me,
                        NTRIP_SESSION_OPEN);

    *index = ntrip_table_index(&zone->sessions, row);

    if (*below == 0) {
        return NGX_OK;
    }

    (void) ntrip_recent_add(&zone->kicks, hash, now, NTRIP_KICK_WINDOW);

    for (row = ntrip_session_next(zone, hash, login->user.data,
                                  login->user.len, NULL);
         row;
         row = ntrip_session_next(zone, hash, login->user.data,
                                  login->user.len, row))
    {
        if (row->login < *below) {
            ntrip_slots_add(wake, ntrip_holder_slot(row->row.holder));

            if (row->row.heir) {
                ntrip_slots_add(wake, ntrip_holder_slot(row->row.heir));
            }
        }
    }

    return NGX_OK;
}


/*
 * The number that the "over" lowest of the user's sessions are below; the new
 * one counts, and is not among them, as the caller has checked.
 */

static uint64_t
ntrip_session_below(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t hash,
    const ntrip_login_t *login, ngx_uint_t over)
{
    uint64_t              below, lowest;
    ntrip_session_row_t  *row;

    below = 0;

    while (over--) {
        lowest = login->login;

        for (row = ntrip_session_next(zone, hash, login->user.data,
                                      login->user.len, NULL);
             row;
             row = ntrip_session_next(zone, hash, login->user.data,
                                      login->user.len, row))
        {
            if (row->login >= below && row->login < lowest
                && ntrip_session_alive(bus, row))
            {
                lowest = row->login;
            }
        }

        below = ngx_min(lowest + 1, login->login);
    }

    return below;
}


static size_t
ntrip_session_copy(u_char *dst, size_t size, const u_char *src, size_t len)
{
    len = ngx_min(len, size);

    if (len) {
        ngx_memcpy(dst, src, len);
    }

    return len;
}


void
ntrip_session_logout(ntrip_zone_t *zone, uint64_t me, uint32_t index,
    uint64_t login)
{
    ntrip_session_row_t  *row;

    row = ntrip_session_row(zone, index);

    if (row->row.state == NTRIP_SESSION_OPEN
        && row->login == login
        && row->row.holder == me)
    {
        ntrip_table_remove(&zone->sessions, row);
    }
}


ngx_uint_t
ntrip_session_superseded(ntrip_zone_t *zone, uint32_t index, uint64_t login,
    ngx_uint_t max_sessions)
{
    ngx_uint_t            later;
    ntrip_session_row_t  *row, *own;

    own = ntrip_session_row(zone, index);

    if (own->row.state != NTRIP_SESSION_OPEN || own->login != login) {
        return 1;
    }

    if (max_sessions == 0) {
        return 0;
    }

    later = 0;

    for (row = ntrip_session_next(zone, own->row.hash, own->user,
                                  own->user_len, NULL);
         row;
         row = ntrip_session_next(zone, own->row.hash, own->user,
                                  own->user_len, row))
    {
        later += (row->login > login);
    }

    return later >= max_sessions;
}


ngx_uint_t
ntrip_session_kick(ntrip_zone_t *zone, ntrip_bus_t *bus,
    const ngx_str_t *user, ntrip_slots_t *wake)
{
    uint64_t              hash;
    ngx_uint_t            n;
    ntrip_session_row_t  *row;

    n = 0;
    hash = ntrip_hash(bus->seed, user->data, user->len, 0);

    for (row = ntrip_session_next(zone, hash, user->data, user->len, NULL);
         row;
         row = ntrip_session_next(zone, hash, user->data, user->len, row))
    {
        if (!ntrip_session_alive(bus, row)) {
            continue;
        }

        ntrip_slots_add(wake, ntrip_holder_slot(row->row.holder));

        if (row->row.heir) {
            ntrip_slots_add(wake, ntrip_holder_slot(row->row.heir));
        }

        n++;
    }

    return n;
}


ngx_int_t
ntrip_session_accept(ntrip_zone_t *zone, uint64_t me, uint32_t index,
    uint64_t login, uint64_t nonce)
{
    if (index >= zone->sessions.n) {
        return NGX_DECLINED;
    }

    /* a session's serial is its login number */

    return ntrip_row_accept(&ntrip_session_row(zone, index)->row, me, login,
                            nonce);
}


ntrip_session_row_t *
ntrip_session_row(ntrip_zone_t *zone, uint32_t index)
{
    return ntrip_table_row(&zone->sessions, index);
}


ngx_uint_t
ntrip_session_peek(ntrip_zone_t *zone, uint32_t index,
    ntrip_session_row_t *copy)
{
    ntrip_session_row_t  *row;

    row = ntrip_session_row(zone, index);

    if (__atomic_load_n(&row->row.state, __ATOMIC_ACQUIRE) == NTRIP_ROW_FREE) {
        return 0;
    }

    *copy = *row;

    __atomic_thread_fence(__ATOMIC_SEQ_CST);

    if (row->row.state == NTRIP_ROW_FREE || row->login != copy->login) {
        return 0;
    }

    copy->user_len = ngx_min(copy->user_len, NTRIP_USER_MAX);
    copy->agent_len = ngx_min(copy->agent_len, NTRIP_AGENT_MAX);
    copy->addr_len = ngx_min(copy->addr_len, NTRIP_ADDR_MAX);

    return 1;
}


ngx_uint_t
ntrip_session_failed(ntrip_zone_t *zone, ntrip_bus_t *bus,
    const u_char *addr, size_t len, uint64_t now)
{
    return ntrip_recent_add(&zone->failures,
                            ntrip_session_address(bus, addr, len), now,
                            NTRIP_FAIL_WINDOW);
}


ngx_uint_t
ntrip_session_blocked(ntrip_zone_t *zone, ntrip_bus_t *bus,
    const u_char *addr, size_t len, uint64_t now)
{
    return ntrip_recent_count(&zone->failures,
                              ntrip_session_address(bus, addr, len), now,
                              NTRIP_FAIL_WINDOW)
           >= NTRIP_FAIL_LIMIT;
}


/* an IPv6 host has a /64 to choose from */

static uint64_t
ntrip_session_address(ntrip_bus_t *bus, const u_char *addr, size_t len)
{
    return ntrip_hash(bus->seed, addr, ngx_min(len, 8), 0);
}


static ntrip_session_row_t *
ntrip_session_next(ntrip_zone_t *zone, uint64_t hash, const u_char *user,
    size_t len, ntrip_session_row_t *row)
{
    for ( ;; ) {
        row = ntrip_table_find(&zone->sessions, hash, row);

        if (row == NULL
            || (row->user_len == len
                && ngx_memcmp(row->user, user, len) == 0))
        {
            return row;
        }
    }
}


/* its worker lives, or the one that it is being handed over to */

static ngx_uint_t
ntrip_session_alive(ntrip_bus_t *bus, ntrip_session_row_t *row)
{
    return ntrip_bus_alive(bus, row->row.holder)
           || ntrip_bus_alive(bus, row->row.heir);
}
