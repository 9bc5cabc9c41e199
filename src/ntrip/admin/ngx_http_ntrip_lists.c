
/*
 * Fieldgate: "ntrip_status": what is in memory: workers, streams, rovers.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_ntrip_status.h"


static ngx_int_t ngx_http_ntrip_worker(ngx_http_ntrip_ctx_t *ctx,
    ngx_uint_t slot);
static ngx_int_t ngx_http_ntrip_stream(ngx_http_ntrip_ctx_t *ctx,
    uint32_t index, ntrip_stream_row_t *row);
static void ngx_http_ntrip_stream_source(ntrip_json_t *json,
    ntrip_stream_row_t *row);
static void ngx_http_ntrip_stream_seen(ntrip_json_t *json,
    ntrip_stream_row_t *row);
static ngx_int_t ngx_http_ntrip_rover(ngx_http_ntrip_ctx_t *ctx,
    ntrip_session_row_t *row);
static void ngx_http_ntrip_rover_fix(ntrip_json_t *json,
    ntrip_session_row_t *row);
static void ngx_http_ntrip_owner(ntrip_json_t *json, const char *name,
    uint64_t holder);
static void ngx_http_ntrip_point(ntrip_json_t *json, const char *name,
    ntrip_point_t point);
static int64_t ngx_http_ntrip_since(uint64_t msec);


ngx_int_t
ngx_http_ntrip_workers(ngx_http_ntrip_ctx_t *ctx)
{
    ngx_int_t      rc;
    ntrip_slot_t  *slots;

    if (ngx_http_ntrip_walk_begin(ctx) != NGX_OK) {
        return NGX_HTTP_BAD_REQUEST;
    }

    slots = ngx_stream_ntrip_worker.bus->slots;
    rc = NGX_DONE;

    while (ctx->cursor.next < NTRIP_SLOTS) {

        if (ctx->n == ctx->limit) {
            rc = NGX_OK;
            break;
        }

        if (slots[ctx->cursor.next].holder
            && ngx_http_ntrip_worker(ctx, ctx->cursor.next) != NGX_OK)
        {
            return NGX_ERROR;
        }

        ctx->cursor.next++;
    }

    ngx_http_ntrip_walk_end(ctx, rc);

    return NGX_OK;
}


static ngx_int_t
ngx_http_ntrip_worker(ngx_http_ntrip_ctx_t *ctx, ngx_uint_t slot)
{
    u_char         buf[NGX_HTTP_NTRIP_ITEM];
    uint64_t       beat;
    ntrip_json_t   json;
    ntrip_slot_t  *s;

    s = &ngx_stream_ntrip_worker.bus->slots[slot];
    beat = s->beat;

    ngx_http_ntrip_item_begin(ctx, &json, buf);

    ntrip_json_int(&json, "id", slot);
    ntrip_json_int(&json, "pid", s->pid);
    ntrip_json_int(&json, "generation", s->generation);
    ntrip_json_bool(&json, "exiting", s->exiting != 0);
    ntrip_json_fixed(&json, "age",
                     beat && ngx_current_msec > beat
                     ? (ngx_current_msec - beat) / 1000.0 : 0, 3);

    ntrip_json_open(&json, "counters", '{');

#define NGX_HTTP_NTRIP_COUNTER(name, text)                                    \
    ntrip_json_int(&json, #name, s->counters[NTRIP_COUNT_##name]);

    NTRIP_COUNTERS(NGX_HTTP_NTRIP_COUNTER)

    ntrip_json_close(&json, '}');
    ntrip_json_close(&json, '}');

    return ngx_http_ntrip_item(ctx, &json);
}


/* first who is on which stream, then the streams */

ngx_int_t
ngx_http_ntrip_streams(ngx_http_ntrip_ctx_t *ctx)
{
    uint64_t            serial;
    uint32_t            index;
    ngx_int_t           rc;
    ntrip_stream_row_t  row;

    if (ctx->stage == 0) {
        rc = ngx_http_ntrip_count(ctx);

        if (rc != NGX_OK) {
            return rc;
        }

        if (ngx_http_ntrip_walk_begin(ctx) != NGX_OK) {
            return NGX_HTTP_BAD_REQUEST;
        }

        ctx->stage = 1;
    }

    if (ctx->id.len) {

        if (ngx_http_ntrip_number(&ctx->id, &serial) != NGX_OK) {
            return NGX_DECLINED;
        }

        index = ngx_stream_ntrip_cursor_find(
                    &ngx_stream_ntrip_worker.zone->streams, serial);

        rc = ngx_stream_ntrip_peek_stream(index, &row);

        if (rc != NGX_OK) {
            return rc;
        }

        /* the row may have become another one's */

        return row.row.serial == serial
               ? ngx_http_ntrip_stream(ctx, index, &row) : NGX_DECLINED;
    }

    rc = NGX_OK;

    while (ctx->n < ctx->limit) {
        rc = ngx_stream_ntrip_cursor_stream(&ctx->cursor, &row);

        if (rc == NGX_AGAIN) {
            return NGX_AGAIN;
        }

        if (rc == NGX_DONE) {
            break;
        }

        if (ngx_http_ntrip_stream(ctx, ctx->cursor.next - 1, &row) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    ngx_http_ntrip_walk_end(ctx, rc);

    return NGX_OK;
}


ngx_int_t
ngx_http_ntrip_count(ngx_http_ntrip_ctx_t *ctx)
{
    uint32_t                 streams;
    ngx_int_t                rc;
    ntrip_session_row_t      row;
    ngx_http_ntrip_count_t  *count;

    streams = ngx_stream_ntrip_worker.zone->streams.n;

    if (ctx->counts == NULL) {
        ctx->counts = ngx_pcalloc(ctx->request->pool,
                                  (streams + 1)
                                  * sizeof(ngx_http_ntrip_count_t));
        if (ctx->counts == NULL) {
            return NGX_ERROR;
        }
    }

    for ( ;; ) {
        rc = ngx_stream_ntrip_cursor_session(&ctx->cursor, &row);

        if (rc != NGX_OK) {
            break;
        }

        /* the last one has those that are on none */

        count = &ctx->counts[ngx_min(row.stream, streams)];
        count->rovers++;

        switch (ntrip_fix_quality(row.fix)) {

        case NTRIP_FIX_FIXED:
            count->fixed++;
            break;

        case NTRIP_FIX_FLOAT:
            count->floating++;
            break;

        case NTRIP_FIX_SINGLE:
            count->single++;
            break;
        }
    }

    return rc == NGX_DONE ? NGX_OK : rc;
}


static ngx_int_t
ngx_http_ntrip_stream(ngx_http_ntrip_ctx_t *ctx, uint32_t index,
    ntrip_stream_row_t *row)
{
    u_char                   buf[NGX_HTTP_NTRIP_ITEM];
    ngx_str_t                text;
    ntrip_json_t             json;
    ngx_http_ntrip_count_t  *count;

    static const char  *states[] = {
        "free", "opening", "live", "orphan", "failed"
    };

    count = &ctx->counts[index];

    ngx_http_ntrip_item_begin(ctx, &json, buf);

    ntrip_json_int(&json, "id", row->row.serial);

    text.data = row->mount;
    text.len = ngx_min(row->mount_len, NTRIP_MOUNT_MAX);
    ntrip_json_str(&json, "mount", &text);

    text.data = row->pool;
    text.len = ngx_min(row->pool_len, NTRIP_POOLS_MAX);
    ntrip_json_str(&json, "pool", &text);

    ntrip_json_text(&json, "state",
                    row->row.state == NTRIP_STREAM_OPENING && row->waiting
                    ? "waiting" : states[ngx_min(row->row.state, 4)]);

    ngx_http_ntrip_stream_source(&json, row);

    if (row->certificate) {
        ntrip_json_int(&json, "certificate", row->certificate);

    } else {
        ntrip_json_null(&json, "certificate");
    }

    ngx_http_ntrip_owner(&json, "owner", row->row.holder);

    ntrip_json_int(&json, "since", ngx_http_ntrip_since(row->created));

    ngx_http_ntrip_stream_seen(&json, row);

    ntrip_json_int(&json, "reconnects", row->logins ? row->logins - 1 : 0);
    ntrip_json_int(&json, "rovers", count->rovers);
    ntrip_json_int(&json, "fixed", count->fixed);
    ntrip_json_int(&json, "float", count->floating);
    ntrip_json_int(&json, "single", count->single);

    ngx_http_ntrip_point(&json, "reference", row->reference);

    ntrip_json_int(&json, "bytes", row->bytes);

    ntrip_json_close(&json, '}');

    return ngx_http_ntrip_item(ctx, &json);
}


static void
ngx_http_ntrip_stream_source(ntrip_json_t *json, ntrip_stream_row_t *row)
{
    u_char                       buf[NTRIP_HOST_MAX + sizeof("[]:65535")], *p;
    ngx_str_t                    provider;
    in_port_t                    port;
    ngx_uint_t                   brackets;
    ngx_stream_ntrip_account_t  *account;

    account = row->source ? ngx_stream_ntrip_store_account(row->source) : NULL;

    if (account == NULL || account->host.len > NTRIP_HOST_MAX) {
        ntrip_json_null(json, "provider");
        ntrip_json_null(json, "account");
        return;
    }

    brackets = (account->host.data[0] != '['
                && ngx_strlchr(account->host.data,
                               account->host.data + account->host.len, ':'));
    port = account->port ? account->port : (in_port_t) row->port;

    p = ngx_sprintf(buf, brackets ? "[%V]" : "%V", &account->host);

    if (port) {
        p = ngx_sprintf(p, ":%ui", (ngx_uint_t) port);
    }

    provider.data = buf;
    provider.len = p - buf;

    ntrip_json_str(json, "provider", &provider);
    ntrip_json_str(json, "account", &account->name);
}


/* what has come lately */

static void
ngx_http_ntrip_stream_seen(ntrip_json_t *json, ntrip_stream_row_t *row)
{
    ngx_uint_t          i;
    ntrip_seen_t       *seen;
    ntrip_seen_type_t  *type;

    seen = &row->seen;

    if (seen->epochs) {
        ntrip_json_fixed(json, "age",
                         ntrip_seen_age(seen, ngx_current_msec) / 1000.0, 3);

    } else {
        ntrip_json_null(json, "age");
    }

    /* one epoch has none yet */

    if (seen->interval) {
        ntrip_json_fixed(json, "interval", seen->interval / 16000.0, 3);
        ntrip_json_fixed(json, "jitter", seen->jitter / 16000.0, 3);

    } else {
        ntrip_json_null(json, "interval");
        ntrip_json_null(json, "jitter");
    }

    ntrip_json_open(json, "messages", '[');

    for (i = 0; i < NTRIP_SEEN_TYPES && seen->types[i].count; i++) {
        type = &seen->types[i];

        ntrip_json_open(json, NULL, '{');
        ntrip_json_int(json, "type", type->type);
        ntrip_json_int(json, "count", type->count);
        ntrip_json_fixed(json, "rate",
                         ntrip_seen_rate(type, ngx_current_msec), 2);
        ntrip_json_close(json, '}');
    }

    ntrip_json_close(json, ']');
}


ngx_int_t
ngx_http_ntrip_rovers(ngx_http_ntrip_ctx_t *ctx)
{
    uint64_t             login;
    uint32_t             index;
    ngx_int_t            rc;
    ntrip_session_row_t  row;

    if (ctx->id.len) {

        if (ngx_http_ntrip_number(&ctx->id, &login) != NGX_OK) {
            return NGX_DECLINED;
        }

        index = ngx_stream_ntrip_cursor_find(
                    &ngx_stream_ntrip_worker.zone->sessions, login);

        if (index == NTRIP_ROW_NONE
            || !ntrip_session_peek(ngx_stream_ntrip_worker.zone, index, &row)
            || row.login != login)
        {
            return NGX_DECLINED;
        }

        return ngx_http_ntrip_rover(ctx, &row);
    }

    if (ctx->stage == 0) {
        if (ngx_http_ntrip_walk_begin(ctx) != NGX_OK) {
            return NGX_HTTP_BAD_REQUEST;
        }

        ctx->stage = 1;
    }

    rc = NGX_OK;

    while (ctx->n < ctx->limit) {
        rc = ngx_stream_ntrip_cursor_session(&ctx->cursor, &row);

        if (rc == NGX_AGAIN) {
            return NGX_AGAIN;
        }

        if (rc == NGX_DONE) {
            break;
        }

        if (ngx_http_ntrip_rover(ctx, &row) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    ngx_http_ntrip_walk_end(ctx, rc);

    return NGX_OK;
}


static ngx_int_t
ngx_http_ntrip_rover(ngx_http_ntrip_ctx_t *ctx, ntrip_session_row_t *row)
{
    u_char               buf[NGX_HTTP_NTRIP_ITEM], addr[NGX_SOCKADDR_STRLEN];
    ngx_str_t            text;
    ntrip_json_t         json;
    ngx_sockaddr_t       sa;
    ntrip_stream_row_t   stream;

    ngx_http_ntrip_item_begin(ctx, &json, buf);

    ntrip_json_int(&json, "id", row->login);

    text.data = row->user;
    text.len = row->user_len;
    ntrip_json_str(&json, "user", &text);

    ngx_memzero(&sa, sizeof(ngx_sockaddr_t));
    ngx_memcpy(&sa, row->addr, row->addr_len);
    text.data = addr;
    text.len = ngx_sock_ntop(&sa.sockaddr, row->addr_len, addr,
                             NGX_SOCKADDR_STRLEN, 0);
    ntrip_json_str(&json, "address", &text);

    text.data = row->agent;
    text.len = row->agent_len;
    ntrip_json_str(&json, "agent", &text);

    ntrip_json_int(&json, "version", row->version);
    ntrip_json_bool(&json, "tls", row->tls);
    ngx_http_ntrip_owner(&json, "owner", row->row.holder);

    if (ngx_stream_ntrip_peek_stream(row->stream, &stream) == NGX_OK
        && stream.row.serial == row->member.key)
    {
        text.data = stream.mount;
        text.len = ngx_min(stream.mount_len, NTRIP_MOUNT_MAX);
        ntrip_json_str(&json, "mount", &text);
        ntrip_json_int(&json, "stream", stream.row.serial);

    } else {
        ntrip_json_null(&json, "mount");
        ntrip_json_null(&json, "stream");
    }

    ngx_http_ntrip_point(&json, "position", row->position);
    ngx_http_ntrip_rover_fix(&json, row);

    ntrip_json_int(&json, "since", row->time);
    ntrip_json_int(&json, "bytes", row->bytes);
    ntrip_json_int(&json, "messages", row->messages);
    ntrip_json_int(&json, "skipped", row->skipped);

    ntrip_json_close(&json, '}');

    return ngx_http_ntrip_item(ctx, &json);
}


/* as the receiver reports */

static void
ngx_http_ntrip_rover_fix(ntrip_json_t *json, ntrip_session_row_t *row)
{
    ngx_uint_t  quality;

    quality = ntrip_fix_quality(row->fix);

    ntrip_json_text(json, "fix", ntrip_gga_fix(quality));
    ntrip_json_int(json, "quality", quality);
    ntrip_json_int(json, "satellites", ntrip_fix_satellites(row->fix));

    if (ntrip_fix_age(row->fix) == NTRIP_FIX_AGE) {
        ntrip_json_null(json, "age");

    } else {
        ntrip_json_fixed(json, "age", ntrip_fix_age(row->fix) / 10.0, 1);
    }
}


/* the process, if it still lives */

static void
ngx_http_ntrip_owner(ntrip_json_t *json, const char *name, uint64_t holder)
{
    ntrip_bus_t  *bus;

    bus = ngx_stream_ntrip_worker.bus;

    if (ntrip_bus_alive(bus, holder)) {
        ntrip_json_int(json, name, bus->slots[ntrip_holder_slot(holder)].pid);

    } else {
        ntrip_json_null(json, name);
    }
}


static void
ngx_http_ntrip_point(ntrip_json_t *json, const char *name, ntrip_point_t point)
{
    if (point == NTRIP_POINT_NONE) {
        ntrip_json_null(json, name);
        return;
    }

    ntrip_json_open(json, name, '{');
    ntrip_json_fixed(json, "latitude", ntrip_point_lat(point) / 1e7, 7);
    ntrip_json_fixed(json, "longitude", ntrip_point_lon(point) / 1e7, 7);
    ntrip_json_close(json, '}');
}


/* seconds since 1970, of a monotonic time */

static int64_t
ngx_http_ntrip_since(uint64_t msec)
{
    return ngx_time() - (int64_t) (ngx_current_msec - msec) / 1000;
}
