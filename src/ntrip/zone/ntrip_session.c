
#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_zone.h"


static void ntrip_session_fill(ntrip_session_row_t *row,
    const ntrip_login_t *login);
static size_t ntrip_session_copy(u_char *dst, size_t size, const u_char *src,
    size_t len);
static void ntrip_session_tidy(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint64_t user, ntrip_slots_t *wake);
static void ntrip_session_oust(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint64_t user, ntrip_slots_t *wake);
static ngx_uint_t ntrip_session_later(ntrip_zone_t *zone, uint64_t user,
    const ntrip_login_t *login);
static uint64_t ntrip_session_below(ntrip_zone_t *zone, uint64_t user,
    uint32_t over, ngx_uint_t keep);
static void ntrip_session_wake(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint64_t user, uint64_t below, ntrip_slots_t *wake);
static void ntrip_session_remove(ntrip_zone_t *zone,
    ntrip_session_row_t *row);
static ngx_uint_t ntrip_session_alive(ntrip_bus_t *bus,
    ntrip_session_row_t *row);


ngx_int_t
ntrip_session_login(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t me,
    uint64_t now, const ntrip_login_t *login, uint32_t *index,
    uint64_t *below, ntrip_slots_t *wake)
{
    uint32_t              n, over, free;
    uint64_t              user;
    ngx_uint_t            ousted;
    ntrip_session_row_t  *row;

    user = ntrip_hash(bus->seed, login->user.data, login->user.len, 0);
    n = ntrip_group_count(&zone->users, user);

    *below = 0;
    over = 0;
    ousted = 0;

    if (login->max_sessions && n >= login->max_sessions) {

        ntrip_session_tidy(zone, bus, user, wake);
        n = ntrip_group_count(&zone->users, user);

        if (ntrip_session_later(zone, user, login) >= login->max_sessions) {
            return NGX_DECLINED;
        }
    }

    if (login->max_sessions && n >= login->max_sessions) {

        if (!login->delayed
            && ntrip_recent_count(&zone->kicks, user, now, NTRIP_KICK_WINDOW)
               >= NTRIP_KICK_LIMIT)
        {
            return NGX_BUSY;
        }

        over = n + 1 - login->max_sessions;
    }

    free = zone->sessions.n - zone->sessions.used;

    if (over == 0 && n && n >= NTRIP_SESSION_SHARE * free) {
        return NGX_ABORT;
    }

    row = ntrip_table_take(&zone->sessions);

    if (row == NULL && over) {
        ntrip_session_oust(zone, bus, user, wake);
        over--;
        ousted = 1;

        row = ntrip_table_take(&zone->sessions);
    }

    if (row == NULL) {
        return NGX_ERROR;
    }

    *index = ntrip_table_index(&zone->sessions, row);

    ntrip_session_fill(row, login);
    ntrip_usage_start(zone, &row->counted, 0);

    ntrip_table_publish(&zone->sessions, row,
                        ntrip_hash(0, (u_char *) &row->login,
                                   sizeof(uint64_t), 0),
                        login->login, me, NTRIP_SESSION_OPEN);

    ntrip_group_join(&zone->users, *index, user, login->login);

    if (row->user_link.prev == NTRIP_ROW_NONE
        && row->user_link.next != NTRIP_ROW_NONE)
    {
        /* it says who was kicked from now on */

        row->below = ntrip_session_row(zone, row->user_link.next)->below;
    }

    if (over || ousted) {
        *below = ntrip_session_below(zone, user, over, login->max_sessions);

        ntrip_session_wake(zone, bus, user, *below, wake);

        (void) ntrip_recent_add(&zone->kicks, user, now, NTRIP_KICK_WINDOW);
    }

    return NGX_OK;
}


static void
ntrip_session_fill(ntrip_session_row_t *row, const ntrip_login_t *login)
{
    row->user_link.key = 0;
    row->member.key = 0;

    row->login = login->login;
    row->below = 0;
    row->time = login->time;
    row->position = NTRIP_POINT_NONE;
    row->bytes = 0;
    row->messages = 0;
    row->gga = 0;
    row->skipped = 0;
    row->fix = NTRIP_FIX_NONE;
    row->moved = 0;
    row->stream = NTRIP_ROW_NONE;
    row->version = login->version;
    row->tls = login->tls;

    row->user_len = ntrip_session_copy(row->user, NTRIP_USER_MAX,
                                       login->user.data, login->user.len);
    row->agent_len = ntrip_session_copy(row->agent, NTRIP_AGENT_MAX,
                                        login->agent.data, login->agent.len);
    row->addr_len = ntrip_session_copy(row->addr, NTRIP_ADDR_MAX,
                                       login->addr, login->addr_len);
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


/* the dead among the user's oldest */

static void
ntrip_session_tidy(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t user,
    ntrip_slots_t *wake)
{
    uint32_t              i, next;
    ngx_uint_t            n;
    ntrip_session_row_t  *row;

    i = ntrip_group_first(&zone->users, user);

    for (n = 0; n < NTRIP_SESSION_LOOK && i != NTRIP_ROW_NONE; n++) {
        row = ntrip_session_row(zone, i);
        next = row->user_link.next;

        if (!ntrip_session_alive(bus, row)) {
            ntrip_session_drop(zone, bus, i, wake);
        }

        i = next;
    }
}


/* there is no other row: that of the user's oldest, whose worker is told */

static void
ntrip_session_oust(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t user,
    ntrip_slots_t *wake)
{
    uint32_t              i;
    ntrip_session_row_t  *row;

    i = ntrip_group_first(&zone->users, user);
    row = ntrip_session_row(zone, i);

    ntrip_slots_add(wake, ntrip_holder_slot(row->row.holder));

    if (row->row.heir) {
        ntrip_slots_add(wake, ntrip_holder_slot(row->row.heir));
    }

    ntrip_session_drop(zone, bus, i, wake);
}


/* how many have a higher number than this one, which is on its way */

static ngx_uint_t
ntrip_session_later(ntrip_zone_t *zone, uint64_t user,
    const ntrip_login_t *login)
{
    uint32_t              i;
    ngx_uint_t            n;
    ntrip_session_row_t  *row;

    i = ntrip_group_last(&zone->users, user);

    for (n = 0; n < NTRIP_SESSION_LOOK && i != NTRIP_ROW_NONE; n++) {
        row = ntrip_session_row(zone, i);

        if (row->login < login->login) {
            break;
        }

        i = row->user_link.prev;
    }

    return n;
}


/*
 * The number below which sessions are kicked, "over" of them, so that "keep"
 * are left: that of the oldest one which stays.
 */

static uint64_t
ntrip_session_below(ntrip_zone_t *zone, uint64_t user, uint32_t over,
    ngx_uint_t keep)
{
    uint32_t  i;

    if (keep < over && keep <= NTRIP_SESSION_LOOK) {

        i = ntrip_group_last(&zone->users, user);

        while (--keep) {
            i = ntrip_group_link(&zone->users, i)->prev;
        }

        return ntrip_session_row(zone, i)->login;
    }

    over = ngx_min(over, NTRIP_SESSION_LOOK);
    i = ntrip_group_first(&zone->users, user);

    while (over--) {
        i = ntrip_group_link(&zone->users, i)->next;
    }

    return ntrip_session_row(zone, i)->login;
}


/*
 * Notes that sessions of the user below that number are kicked, and who has
 * them: everybody, if they are too many to be looked at.
 */

static void
ntrip_session_wake(ntrip_zone_t *zone, ntrip_bus_t *bus, uint64_t user,
    uint64_t below, ntrip_slots_t *wake)
{
    uint32_t              i;
    ngx_uint_t            n;
    ntrip_session_row_t  *row;

    i = ntrip_group_first(&zone->users, user);
    row = ntrip_session_row(zone, i);

    row->below = ngx_max(row->below, below);

    for (n = 0; i != NTRIP_ROW_NONE; n++) {
        row = ntrip_session_row(zone, i);

        if (row->login >= below) {
            return;
        }

        if (n == NTRIP_SESSION_LOOK) {
            break;
        }

        ntrip_slots_add(wake, ntrip_holder_slot(row->row.holder));

        if (row->row.heir) {
            ntrip_slots_add(wake, ntrip_holder_slot(row->row.heir));
        }

        i = row->user_link.next;
    }

    for (i = 0; i < NTRIP_SLOTS; i++) {
        if (__atomic_load_n(&bus->slots[i].holder, __ATOMIC_ACQUIRE)) {
            ntrip_slots_add(wake, i);
        }
    }
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
        ntrip_session_remove(zone, row);
    }
}


static void
ntrip_session_remove(ntrip_zone_t *zone, ntrip_session_row_t *row)
{
    uint32_t              i;
    ngx_str_t             user;
    ntrip_session_row_t  *next;

    i = ntrip_table_index(&zone->sessions, row);

    user.data = row->user;
    user.len = row->user_len;

    (void) ntrip_usage_count(zone, NTRIP_USAGE_USER, &user, &row->counted,
                             row->bytes, 1);

    /* the next oldest goes on to say who was kicked */

    if (row->below
        && row->user_link.prev == NTRIP_ROW_NONE
        && row->user_link.next != NTRIP_ROW_NONE)
    {
        next = ntrip_session_row(zone, row->user_link.next);
        next->below = ngx_max(next->below, row->below);
    }

    ntrip_group_leave(&zone->users, i);
    ntrip_group_leave(&zone->members, i);
    ntrip_table_remove(&zone->sessions, row);
}


void
ntrip_session_drop(ntrip_zone_t *zone, ntrip_bus_t *bus, uint32_t index,
    ntrip_slots_t *wake)
{
    ntrip_stream_row_t   *stream;
    ntrip_session_row_t  *row;

    row = ntrip_session_row(zone, index);

    if (row->stream < zone->streams.n
        && ntrip_stream_unlead(zone, row->stream, row->login))
    {
        stream = ntrip_stream_row(zone, row->stream);

        if (ntrip_bus_alive(bus, stream->row.holder)) {
            ntrip_bus_mark(bus, ntrip_holder_slot(stream->row.holder),
                           row->stream);
            ntrip_slots_add(wake, ntrip_holder_slot(stream->row.holder));
        }
    }

    ntrip_session_remove(zone, row);
}


ngx_uint_t
ntrip_session_superseded(ntrip_zone_t *zone, uint32_t index, uint64_t login)
{
    uint32_t              first;
    ntrip_session_row_t  *row;

    row = ntrip_session_row(zone, index);

    if (row->row.state != NTRIP_SESSION_OPEN || row->login != login) {
        return 1;
    }

    first = ntrip_group_first(&zone->users, row->user_link.key);

    return login < ntrip_session_row(zone, first)->below;
}


ngx_uint_t
ntrip_session_kick(ntrip_zone_t *zone, ntrip_bus_t *bus,
    const ngx_str_t *user, uint64_t *below, ntrip_slots_t *wake)
{
    uint32_t  n;
    uint64_t  hash;

    hash = ntrip_hash(bus->seed, user->data, user->len, 0);

    ntrip_session_tidy(zone, bus, hash, wake);

    n = ntrip_group_count(&zone->users, hash);

    if (n) {
        *below = ntrip_bus_next_login(bus);
        ntrip_session_wake(zone, bus, hash, *below, wake);
    }

    return n;
}


ngx_int_t
ntrip_session_end(ntrip_zone_t *zone, ntrip_bus_t *bus, uint32_t index,
    uint64_t login, ntrip_slots_t *wake)
{
    ntrip_session_row_t  *row;

    row = ntrip_session_row(zone, index);

    if (row->row.state != NTRIP_SESSION_OPEN || row->login != login) {
        return NGX_DECLINED;
    }

    ntrip_session_wake(zone, bus, row->user_link.key, login + 1, wake);

    return NGX_OK;
}


void
ntrip_session_join(ntrip_zone_t *zone, uint32_t index, uint64_t login,
    uint32_t stream, uint64_t serial)
{
    ntrip_session_row_t  *row;

    row = ntrip_session_row(zone, index);

    if (row->row.state != NTRIP_SESSION_OPEN || row->login != login) {
        return;
    }

    ntrip_group_leave(&zone->members, index);
    __atomic_store_n(&row->stream, stream, __ATOMIC_RELEASE);
    ntrip_group_join(&zone->members, index, serial, login);
}


void
ntrip_session_part(ntrip_zone_t *zone, uint32_t index, uint64_t login)
{
    ntrip_session_row_t  *row;

    row = ntrip_session_row(zone, index);

    if (row->row.state != NTRIP_SESSION_OPEN || row->login != login) {
        return;
    }

    ntrip_group_leave(&zone->members, index);
    __atomic_store_n(&row->stream, NTRIP_ROW_NONE, __ATOMIC_RELEASE);
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
ntrip_session_ours(ntrip_session_row_t *row, uint64_t login)
{
    return __atomic_load_n(&row->row.state, __ATOMIC_ACQUIRE)
           == NTRIP_SESSION_OPEN
           && __atomic_load_n(&row->login, __ATOMIC_ACQUIRE) == login;
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


/* its worker lives, or the one that it is being handed over to */

static ngx_uint_t
ntrip_session_alive(ntrip_bus_t *bus, ntrip_session_row_t *row)
{
    return ntrip_bus_alive(bus, row->row.holder)
           || ntrip_bus_alive(bus, row->row.heir);
}
