
/*
 * Fieldgate: what the console does to memory: sessions, streams, accounts.
 * Each page looks at so much that the data path hardly notices.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_stream.h>

#include "ngx_stream_ntrip_console.h"
#include "ngx_stream_ntrip_source.h"
#include "ngx_stream_ntrip_stream.h"


/* users that are looked up in one turn */
#define NGX_STREAM_NTRIP_LIST_USERS  100


static ngx_int_t ngx_stream_ntrip_list_clients(
    ngx_stream_ntrip_order_t *order);
static void ngx_stream_ntrip_list_client(ngx_stream_ntrip_order_t *order,
    ntrip_session_row_t *row);
static ngx_int_t ngx_stream_ntrip_list_kick(ngx_stream_ntrip_order_t *order);
static ngx_int_t ngx_stream_ntrip_list_sources(
    ngx_stream_ntrip_order_t *order);
static void ngx_stream_ntrip_list_source(ngx_stream_ntrip_order_t *order,
    ngx_stream_ntrip_listed_t *listed);
static ngx_int_t ngx_stream_ntrip_list_stations(
    ngx_stream_ntrip_order_t *order);
static void ngx_stream_ntrip_list_station(ngx_stream_ntrip_order_t *order,
    ngx_stream_ntrip_station_t *station);
static ngx_int_t ngx_stream_ntrip_list_streams(
    ngx_stream_ntrip_order_t *order);
static ngx_int_t ngx_stream_ntrip_list_count(ngx_stream_ntrip_order_t *order);
static void ngx_stream_ntrip_list_stream(ngx_stream_ntrip_order_t *order,
    ntrip_stream_row_t *row, ngx_uint_t rovers);
static void ngx_stream_ntrip_list_origin(ntrip_console_stream_t *line,
    ntrip_stream_row_t *row);
static ngx_int_t ngx_stream_ntrip_list_trace(ngx_stream_ntrip_order_t *order);
static ngx_int_t ngx_stream_ntrip_list_test(ngx_stream_ntrip_order_t *order);
static ngx_stream_ntrip_account_t *ngx_stream_ntrip_list_account(
    ntrip_token_t *token);
static void ngx_stream_ntrip_list_tested(void *data, ngx_str_t *text);


ngx_int_t
ngx_stream_ntrip_list_page(ngx_stream_ntrip_order_t *order)
{
    ngx_int_t  rc;

    if (!order->begun) {
        ntrip_console_head(&order->out, order->cmd.verb);
    }

    ngx_stream_ntrip_cursor_turn(&order->cursor);

    switch (order->cmd.verb) {

    case NTRIP_CONSOLE_CLIENT_LIST:
        rc = ngx_stream_ntrip_list_clients(order);
        break;

    case NTRIP_CONSOLE_KICK:
        rc = ngx_stream_ntrip_list_kick(order);
        break;

    case NTRIP_CONSOLE_SOURCE_LIST:
        rc = ngx_stream_ntrip_list_sources(order);
        break;

    case NTRIP_CONSOLE_SOURCE_TEST:
        rc = ngx_stream_ntrip_list_test(order);
        break;

    case NTRIP_CONSOLE_STATION_LIST:
        rc = ngx_stream_ntrip_list_stations(order);
        break;

    case NTRIP_CONSOLE_STREAM_LIST:
        rc = ngx_stream_ntrip_list_streams(order);
        break;

    case NTRIP_CONSOLE_TRACE:
        rc = ngx_stream_ntrip_list_trace(order);
        break;

    case NTRIP_CONSOLE_TRACE_DEL:
        rc = ngx_stream_ntrip_trace_arm(NULL);
        order->changed = 1;
        break;

    default: /* NTRIP_CONSOLE_HELP */
        ntrip_console_help(&order->out);
        rc = NGX_OK;
    }

    if (rc == NGX_DECLINED) {
        ngx_stream_ntrip_order_fail(order,
                                    ntrip_console_failure(order->cmd.verb));
        return NGX_OK;
    }

    if (rc == NGX_OK) {
        order->begun = 1;

        if (!order->more) {
            ntrip_console_end(&order->out);
        }
    }

    return rc;
}


/* sessions of all workers, in the order of their rows */

static ngx_int_t
ngx_stream_ntrip_list_clients(ngx_stream_ntrip_order_t *order)
{
    ngx_int_t            rc;
    ngx_uint_t           n;
    ntrip_session_row_t  row;

    rc = NGX_AGAIN;

    for (n = 0;
         n < NGX_STREAM_NTRIP_LIST_USERS && ngx_stream_ntrip_order_room(order);
         n++)
    {
        rc = ngx_stream_ntrip_cursor_session(&order->cursor, &row);

        if (rc != NGX_OK) {
            break;
        }

        ngx_stream_ntrip_list_client(order, &row);
    }

    order->more = (rc != NGX_DONE);

    return NGX_OK;
}


/* the password is what the database has now; "*" if it cannot tell */

static void
ngx_stream_ntrip_list_client(ngx_stream_ntrip_order_t *order,
    ntrip_session_row_t *row)
{
    u_char                    text[NGX_SOCKADDR_STRLEN];
    ngx_str_t                 name, stored, shown, address;
    ntrip_date_t              date;
    ngx_sockaddr_t            sa;
    ngx_stream_ntrip_user_t   user;

    name.data = row->user;
    name.len = row->user_len;

    ngx_str_set(&shown, "*");

    if (ngx_stream_ntrip_store_user(&name, &user) != NGX_AGAIN
        && user.name_len)
    {
        stored.data = user.password;
        stored.len = user.password_len;

        ngx_stream_ntrip_order_password(&shown, &stored);
    }

    ngx_memzero(&sa, sizeof(ngx_sockaddr_t));
    ngx_memcpy(&sa, row->addr, row->addr_len);

    address.data = text;
    address.len = ngx_sock_ntop(&sa.sockaddr, row->addr_len, text,
                                NGX_SOCKADDR_STRLEN, 0);

    ngx_stream_ntrip_order_date(&date, (time_t) row->time);

    ntrip_console_client_row(&order->out, &name, &shown, &address, &date);

    ngx_explicit_memzero(&user, sizeof(ngx_stream_ntrip_user_t));
}


static ngx_int_t
ngx_stream_ntrip_list_kick(ngx_stream_ntrip_order_t *order)
{
    uint64_t        below;
    ngx_str_t      *user;
    ngx_uint_t      n;
    ntrip_slots_t   wake;

    user = &order->cmd.token.user;

    ngx_memzero(&wake, sizeof(ntrip_slots_t));

    ngx_stream_ntrip_lock();

    n = ntrip_session_kick(ngx_stream_ntrip_worker.zone,
                           ngx_stream_ntrip_worker.bus, user, &below, &wake);

    ngx_stream_ntrip_unlock();

    if (n == 0) {
        return NGX_DECLINED;
    }

    ngx_stream_ntrip_kick(user, below, &wake);

    order->changed = 1;

    return NGX_OK;
}


/* accounts in the order in which they were added, expired ones too, as with
   cors-relay */

static ngx_int_t
ngx_stream_ntrip_list_sources(ngx_stream_ntrip_order_t *order)
{
    ngx_int_t                  rc;
    ngx_stream_ntrip_listed_t  listed;

    if (!order->begun && ngx_stream_ntrip_store_sync() != NGX_OK) {
        return NGX_BUSY;
    }

    rc = NGX_AGAIN;

    while (ngx_stream_ntrip_order_room(order)) {
        rc = ngx_stream_ntrip_cursor_account(&order->cursor, &listed);

        if (rc != NGX_OK) {
            break;
        }

        ngx_stream_ntrip_list_source(order, &listed);
    }

    order->more = (rc != NGX_DONE);

    return NGX_OK;
}


static void
ngx_stream_ntrip_list_source(ngx_stream_ntrip_order_t *order,
    ngx_stream_ntrip_listed_t *listed)
{
    ngx_uint_t                   state;
    ntrip_date_t                 date;
    ntrip_token_t                token;
    ngx_stream_ntrip_account_t  *account;

    account = listed->account;

    state = listed->refused ? NTRIP_CONSOLE_SOURCE_REFUSED
            : listed->cooling ? NTRIP_CONSOLE_SOURCE_COOLING
                              : NTRIP_CONSOLE_SOURCE_OK;

    if (account->expires <= ngx_time()) {
        state = NTRIP_CONSOLE_SOURCE_EXPIRED;
    }

    token.user = account->name;
    token.password = account->password;
    token.host = account->host;
    token.port = account->port;

    ngx_stream_ntrip_order_date(&date, account->expires);

    ntrip_console_source_row(&order->out, &token, &date, state);
}


/* in the order of their names: the next number is the cursor */

static ngx_int_t
ngx_stream_ntrip_list_stations(ngx_stream_ntrip_order_t *order)
{
    ngx_stream_ntrip_station_t  *station;

    if (!order->begun && ngx_stream_ntrip_store_sync() != NGX_OK) {
        return NGX_BUSY;
    }

    order->more = 1;

    while (ngx_stream_ntrip_order_room(order)) {
        station = ngx_stream_ntrip_store_station_at(order->cursor.next);

        if (station == NULL) {
            order->more = 0;
            break;
        }

        order->cursor.next++;

        ngx_stream_ntrip_list_station(order, station);
    }

    return NGX_OK;
}


static void
ngx_stream_ntrip_list_station(ngx_stream_ntrip_order_t *order,
    ngx_stream_ntrip_station_t *station)
{
    u_char     label[NTRIP_LABEL_MAX];
    ngx_str_t  shown, from;

    from.data = label;
    from.len = ngx_stream_ntrip_station_label(&station->mount, label);

    if (from.len == 0) {
        ngx_str_set(&from, "-");
    }

    ngx_stream_ntrip_order_password(&shown, &station->password);

    ntrip_console_station_row(&order->out, &station->mount, &station->name,
                              &shown, &from);
}


/* first who is on which stream, then the streams */

static ngx_int_t
ngx_stream_ntrip_list_streams(ngx_stream_ntrip_order_t *order)
{
    ngx_int_t           rc;
    ngx_uint_t          index;
    ntrip_stream_row_t  row;

    if (!order->counted) {
        return ngx_stream_ntrip_list_count(order);
    }

    rc = NGX_AGAIN;

    while (ngx_stream_ntrip_order_room(order)) {
        rc = ngx_stream_ntrip_cursor_stream(&order->cursor, &row);

        if (rc != NGX_OK) {
            break;
        }

        index = order->cursor.next - 1;
        ngx_stream_ntrip_list_stream(order, &row, order->rovers[index]);
    }

    order->more = (rc != NGX_DONE);

    return NGX_OK;
}


static ngx_int_t
ngx_stream_ntrip_list_count(ngx_stream_ntrip_order_t *order)
{
    uint32_t             streams;
    ngx_int_t            rc;
    ntrip_session_row_t  row;

    streams = ngx_stream_ntrip_worker.zone->streams.n;

    if (order->rovers == NULL) {
        order->rovers = ngx_calloc(streams * sizeof(uint32_t) + 1,
                                   ngx_cycle->log);
        if (order->rovers == NULL) {
            return NGX_ERROR;
        }
    }

    for ( ;; ) {
        rc = ngx_stream_ntrip_cursor_session(&order->cursor, &row);

        if (rc != NGX_OK) {
            break;
        }

        if (row.stream < streams) {
            order->rovers[row.stream]++;
        }
    }

    if (rc == NGX_DONE) {
        order->cursor.next = 0;
        order->counted = 1;
    }

    order->more = 1;

    return NGX_OK;
}


static void
ngx_stream_ntrip_list_stream(ngx_stream_ntrip_order_t *order,
    ntrip_stream_row_t *row, ngx_uint_t rovers)
{
    ntrip_console_stream_t  line;

    ngx_memzero(&line, sizeof(ntrip_console_stream_t));

    line.mount.data = row->mount;
    line.mount.len = ngx_min(row->mount_len, NTRIP_MOUNT_MAX);

    ngx_stream_ntrip_list_origin(&line, row);

    if (row->reference != NTRIP_POINT_NONE) {
        line.located = 1;
        line.latitude = ntrip_point_lat(row->reference) / 1e7;
        line.longitude = ntrip_point_lon(row->reference) / 1e7;
    }

    line.rovers = rovers;
    line.messages = row->messages;
    line.bytes = row->bytes;

    ntrip_console_stream_row(&order->out, &line);
}


/* the account, or the base station: its label is "name@address:port", or
   without a name */

static void
ngx_stream_ntrip_list_origin(ntrip_console_stream_t *line,
    ntrip_stream_row_t *row)
{
    size_t                       len;
    u_char                      *p;
    ngx_stream_ntrip_account_t  *account;

    ngx_str_set(&line->host, "-");
    ngx_str_set(&line->user, "-");

    if (row->station) {

        if (row->row.state != NTRIP_STREAM_LIVE) {
            return;
        }

        len = ngx_min(row->label_len, NTRIP_LABEL_MAX);

        line->host.data = row->label;
        line->host.len = len;

        for (p = row->label + len; p > row->label; p--) {
            if (p[-1] == '@') {
                line->user.data = row->label;
                line->user.len = p - 1 - row->label;
                line->host.data = p;
                line->host.len = row->label + len - p;
                break;
            }
        }

        return;
    }

    account = row->source ? ngx_stream_ntrip_store_account(row->source) : NULL;

    if (account) {
        line->host = account->host;
        line->port = account->port ? account->port : row->port;
        line->user = account->name;
    }
}


/* all of it fits: the last events, so many bytes each */

static ngx_int_t
ngx_stream_ntrip_list_trace(ngx_stream_ntrip_order_t *order)
{
    u_char                 head[NTRIP_USER_MAX + 16], *last;
    ngx_str_t              row, user;
    ngx_uint_t             i;
    ntrip_trace_t          trace;
    ntrip_trace_event_t   *ev;
    ntrip_console_event_t  event;

    if (order->cmd.token.user.len) {

        if (ngx_stream_ntrip_trace_arm(&order->cmd.token.user) != NGX_OK) {
            return NGX_DECLINED;
        }

        order->changed = 1;
    }

    ngx_stream_ntrip_trace_copy(&trace);

    user.data = trace.user;
    user.len = ngx_min(trace.user_len, NTRIP_USER_MAX);

    last = ngx_snprintf(head, sizeof(head), "%s%s%V",
                        ntrip_trace_state(&trace), user.len ? " " : "", &user);
    row.data = head;
    row.len = last - head;

    ntrip_console_text_row(&order->out, &row);

    for (i = 0; i < ntrip_trace_events(&trace); i++) {
        ev = ntrip_trace_at(&trace, i);

        ngx_stream_ntrip_order_date(&event.time, (time_t) (ev->time / 1000));

        event.worker = ev->process;
        event.event = ntrip_trace_kind(ev);
        event.count = ev->count;
        event.status = ev->status;
        event.text.data = ev->text;
        event.text.len = ngx_min(ev->len, NTRIP_TRACE_TEXT);

        ntrip_console_event_row(&order->out, &event);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_stream_ntrip_list_test(ngx_stream_ntrip_order_t *order)
{
    ngx_int_t                    rc;
    ngx_str_t                    text;
    ngx_stream_ntrip_account_t  *account;

    if (ngx_stream_ntrip_store_sync() != NGX_OK) {
        return NGX_BUSY;
    }

    account = ngx_stream_ntrip_list_account(&order->cmd.token);

    if (account == NULL) {
        return NGX_DECLINED;
    }

    rc = ngx_stream_ntrip_source_test(account->id, &order->cmd.mount,
                                      ngx_stream_ntrip_list_tested, order);

    switch (rc) {

    case NGX_OK:
        order->testing = 1;
        return NGX_AGAIN;

    case NGX_DECLINED:
        ngx_str_set(&text, "expired, or no server relays its pool");
        break;

    default:
        ngx_str_set(&text, "not tried, see error.log");
    }

    ntrip_console_text_row(&order->out, &text);

    return NGX_OK;
}


static ngx_stream_ntrip_account_t *
ngx_stream_ntrip_list_account(ntrip_token_t *token)
{
    uint64_t                     id;
    ngx_stream_ntrip_account_t  *account;

    id = 0;

    for ( ;; ) {
        account = ngx_stream_ntrip_store_next(id);

        if (account == NULL
            || (account->port == token->port
                && account->host.len == token->host.len
                && ngx_memcmp(account->host.data, token->host.data,
                              token->host.len) == 0
                && account->name.len == token->user.len
                && ngx_memcmp(account->name.data, token->user.data,
                              token->user.len) == 0))
        {
            return account;
        }

        id = account->id;
    }
}


static void
ngx_stream_ntrip_list_tested(void *data, ngx_str_t *text)
{
    ngx_stream_ntrip_order_t *order = data;

    order->testing = 0;

    ntrip_console_text_row(&order->out, text);
    ntrip_console_end(&order->out);

    ngx_stream_ntrip_console_ready(order->work.data);
}


void
ngx_stream_ntrip_list_cancel(ngx_stream_ntrip_order_t *order)
{
    if (order->testing) {
        ngx_stream_ntrip_source_test_cancel(order);
    }
}
