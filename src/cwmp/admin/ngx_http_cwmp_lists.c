
/*
 * Fieldgate: "cwmp_status": sessions, and devices.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_reply.h"


/* rows that are looked at, and copied, while the lock is held */
#define NGX_HTTP_CWMP_LISTS_LOOK   64
#define NGX_HTTP_CWMP_LISTS_COPY   8

/* what a turn may cost, about half a millisecond: a row 1, an item ITEM more */
#define NGX_HTTP_CWMP_LISTS_TURN   1024
#define NGX_HTTP_CWMP_LISTS_ITEM   16

#define NGX_HTTP_CWMP_LISTS_FIELDS  12


/* a row, as it was */

typedef struct {
    u_char                  key[CWMP_TABLE_KEY_LEN];
    uint32_t                holder;
    ngx_msec_t              expires;
    union {
        cwmp_facts_row_t    session;
        cwmp_device_row_t   device;
    } row;
} ngx_http_cwmp_listed_t;

typedef ngx_int_t (*ngx_http_cwmp_listed_pt)(ngx_http_cwmp_page_t *page,
    ngx_http_cwmp_listed_t *listed);


static ngx_int_t ngx_http_cwmp_lists_walk(ngx_http_cwmp_page_t *page,
    ngx_uint_t table, size_t size, ngx_http_cwmp_listed_pt item);
static ngx_uint_t ngx_http_cwmp_lists_copy(ngx_http_cwmp_page_t *page,
    ngx_uint_t table, size_t size, ngx_http_cwmp_listed_t *listed);
static ngx_int_t ngx_http_cwmp_session_item(ngx_http_cwmp_page_t *page,
    ngx_http_cwmp_listed_t *listed);
static void ngx_http_cwmp_session_server(ngx_http_cwmp_page_t *page,
    ngx_http_cwmp_listed_t *listed, cwmp_field_t *fields, ngx_uint_t *n);
static ngx_int_t ngx_http_cwmp_device_get(ngx_http_cwmp_page_t *page,
    ngx_http_cwmp_listed_t *listed);
static ngx_int_t ngx_http_cwmp_device_item(ngx_http_cwmp_page_t *page,
    ngx_http_cwmp_listed_t *listed);
static void ngx_http_cwmp_device_call(ngx_http_cwmp_page_t *page,
    cwmp_device_row_t *row, cwmp_field_t *fields, ngx_uint_t *n);
static ngx_int_t ngx_http_cwmp_lists_facts(ngx_pool_t *pool,
    cwmp_facts_t *facts, const char *name, cwmp_field_t *fields,
    ngx_uint_t *n);


ngx_int_t
ngx_http_cwmp_sessions(ngx_http_cwmp_page_t *page)
{
    return ngx_http_cwmp_lists_walk(page, NGX_HTTP_CWMP_FACTS,
                                    sizeof(cwmp_facts_row_t),
                                    ngx_http_cwmp_session_item);
}


ngx_int_t
ngx_http_cwmp_devices(ngx_http_cwmp_page_t *page)
{
    ngx_int_t               rc;
    ngx_http_cwmp_listed_t  listed;

    if (page->id.len) {
        rc = ngx_http_cwmp_device_get(page, &listed);

        return rc == NGX_OK ? ngx_http_cwmp_device_item(page, &listed) : rc;
    }

    return ngx_http_cwmp_lists_walk(page, NGX_HTTP_CWMP_DEVICES,
                                    sizeof(cwmp_device_row_t),
                                    ngx_http_cwmp_device_item);
}


/* a turn: NGX_OK, the page is whole; NGX_AGAIN; NGX_ERROR */

static ngx_int_t
ngx_http_cwmp_lists_walk(ngx_http_cwmp_page_t *page, ngx_uint_t table,
    size_t size, ngx_http_cwmp_listed_pt item)
{
    ngx_uint_t              i, n, place, cost, capacity;
    ngx_http_cwmp_listed_t  listed[NGX_HTTP_CWMP_LISTS_COPY];

    cost = 0;
    capacity = cwmp_table_capacity(page->zone->tables[table]);

    while (page->place < capacity && page->n < page->limit) {

        if (cost >= NGX_HTTP_CWMP_LISTS_TURN) {
            return NGX_AGAIN;
        }

        place = page->place;

        n = ngx_http_cwmp_lists_copy(page, table, size, listed);

        cost += page->place - place + n * NGX_HTTP_CWMP_LISTS_ITEM;

        for (i = 0; i < n; i++) {

            if (item(page, &listed[i]) != NGX_OK) {
                return NGX_ERROR;
            }
        }
    }

    return ngx_http_cwmp_page_end(page, page->place < capacity);
}


/* the next rows, of which no more are copied than the page has room for */

static ngx_uint_t
ngx_http_cwmp_lists_copy(ngx_http_cwmp_page_t *page, ngx_uint_t table,
    size_t size, ngx_http_cwmp_listed_t *listed)
{
    void          *row;
    ngx_uint_t     i, n, max;
    cwmp_table_t  *t;

    n = 0;
    max = ngx_min(page->limit - page->n, NGX_HTTP_CWMP_LISTS_COPY);

    t = ngx_http_cwmp_zone_lock(page->zone, table);

    for (i = 0; i < NGX_HTTP_CWMP_LISTS_LOOK && n < max; i++) {

        row = cwmp_table_at(t, page->place, ngx_current_msec);

        if (row) {
            ngx_memcpy(listed[n].key, cwmp_table_key(row),
                       CWMP_TABLE_KEY_LEN);
            ngx_memcpy(&listed[n].row, row, size);
            listed[n].holder = cwmp_table_holder(t, row);
            listed[n].expires = cwmp_table_expires(t, row);
            n++;
        }

        if (++page->place >= cwmp_table_capacity(t)) {
            break;
        }
    }

    ngx_http_cwmp_zone_unlock(page->zone, table);

    return n;
}


static ngx_int_t
ngx_http_cwmp_session_item(ngx_http_cwmp_page_t *page,
    ngx_http_cwmp_listed_t *listed)
{
    u_char         id[2 * CWMP_TABLE_KEY_LEN];
    ngx_str_t      text;
    ngx_uint_t     n;
    cwmp_field_t   fields[NGX_HTTP_CWMP_LISTS_FIELDS];

    n = 0;

    text.data = id;
    text.len = ngx_hex_dump(id, listed->key, CWMP_TABLE_KEY_LEN) - id;
    cwmp_field_text(fields, &n, "id", &text);

    if (ngx_http_cwmp_lists_facts(page->request->pool,
                                  &listed->row.session.facts, "device",
                                  fields, &n)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_http_cwmp_session_server(page, listed, fields, &n);

    if (listed->holder && ngx_http_cwmp_zone_alive(listed->holder)) {
        cwmp_field_number(fields, &n, "owner", CWMP_FIELD_NUMBER,
                          listed->holder);

    } else {
        cwmp_field_null(fields, &n, "owner");
    }

    cwmp_field_number(fields, &n, "expires", CWMP_FIELD_NUMBER,
                      ngx_time()
                      + (ngx_msec_int_t) (listed->expires - ngx_current_msec)
                        / 1000);

    return ngx_http_cwmp_page_item(page, fields, n);
}


/* of the upstreams the first that has the session */

static void
ngx_http_cwmp_session_server(ngx_http_cwmp_page_t *page,
    ngx_http_cwmp_listed_t *listed, cwmp_field_t *fields, ngx_uint_t *n)
{
    u_char                          key[CWMP_TABLE_KEY_LEN], *p;
    ngx_str_t                       text;
    ngx_uint_t                      i;
    cwmp_table_t                   *t;
    cwmp_server_t                   server;
    ngx_sockaddr_t                  sa;
    cwmp_session_row_t             *row;
    ngx_http_cwmp_srv_conf_t      **cscf;
    ngx_http_cwmp_main_conf_t      *cmcf;

    cmcf = ngx_http_get_module_main_conf(page->request, ngx_http_cwmp_module);
    cscf = cmcf->upstreams.elts;

    for (i = 0; i < cmcf->upstreams.nelts; i++) {

        cwmp_session_row_key(key, listed->key, cscf[i]->tag);

        t = ngx_http_cwmp_zone_lock(page->zone, NGX_HTTP_CWMP_SESSIONS);

        row = cwmp_table_peek(t, key, ngx_current_msec);

        if (row) {
            server = row->server;
        }

        ngx_http_cwmp_zone_unlock(page->zone, NGX_HTTP_CWMP_SESSIONS);

        if (row == NULL) {
            continue;
        }

        cwmp_field_text(fields, n, "upstream", &cscf[i]->upstream);

        p = ngx_pnalloc(page->request->pool, NGX_SOCKADDR_STRLEN);

        if (p == NULL || server.len == 0) {
            cwmp_field_null(fields, n, "server");
            return;
        }

        ngx_memzero(&sa, sizeof(ngx_sockaddr_t));
        ngx_memcpy(&sa, server.data, ngx_min(server.len, sizeof(sa)));

        text.data = p;
        text.len = ngx_sock_ntop(&sa.sockaddr, server.len, p,
                                 NGX_SOCKADDR_STRLEN, 1);
        cwmp_field_text(fields, n, "server", &text);

        return;
    }

    cwmp_field_null(fields, n, "upstream");
    cwmp_field_null(fields, n, "server");
}


static ngx_int_t
ngx_http_cwmp_device_get(ngx_http_cwmp_page_t *page,
    ngx_http_cwmp_listed_t *listed)
{
    u_char              key[CWMP_TABLE_KEY_LEN];
    cwmp_table_t       *t;
    cwmp_device_row_t  *row;

    ngx_http_cwmp_zone_key(page->zone, key, NGX_HTTP_CWMP_KEY_DEVICE,
                           &page->id, 1);

    t = ngx_http_cwmp_zone_lock(page->zone, NGX_HTTP_CWMP_DEVICES);

    row = cwmp_table_peek(t, key, ngx_current_msec);

    if (row) {
        listed->row.device = *row;
    }

    ngx_http_cwmp_zone_unlock(page->zone, NGX_HTTP_CWMP_DEVICES);

    return row ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_http_cwmp_device_item(ngx_http_cwmp_page_t *page,
    ngx_http_cwmp_listed_t *listed)
{
    ngx_str_t           text;
    ngx_uint_t          n;
    cwmp_field_t        fields[NGX_HTTP_CWMP_LISTS_FIELDS];
    cwmp_device_row_t  *row;

    n = 0;
    row = &listed->row.device;

    if (ngx_http_cwmp_lists_facts(page->request->pool, &row->facts, "id",
                                  fields, &n)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    cwmp_field_number(fields, &n, "informed", CWMP_FIELD_NUMBER,
                      row->informed);
    cwmp_field_number(fields, &n, "informs", CWMP_FIELD_NUMBER, row->informs);

    if (row->origin_len) {
        text.data = row->origin;
        text.len = ngx_min(row->origin_len, CWMP_DEVICE_ORIGIN);
        cwmp_field_text(fields, &n, "origin", &text);

    } else {
        cwmp_field_null(fields, &n, "origin");
    }

    ngx_http_cwmp_device_call(page, row, fields, &n);

    return ngx_http_cwmp_page_item(page, fields, n);
}


/* how its last wake-up went */

static void
ngx_http_cwmp_device_call(ngx_http_cwmp_page_t *page, cwmp_device_row_t *row,
    cwmp_field_t *fields, ngx_uint_t *n)
{
    ngx_str_t          text;
    cwmp_table_t      *t;
    cwmp_woken_row_t   woken, *found;

    t = ngx_http_cwmp_zone_lock(page->zone, NGX_HTTP_CWMP_WOKEN);

    found = cwmp_table_peek(t, row->url, ngx_current_msec);

    if (found) {
        woken = *found;
    }

    ngx_http_cwmp_zone_unlock(page->zone, NGX_HTTP_CWMP_WOKEN);

    if (found == NULL
        || woken.result > NGX_HTTP_CWMP_WAKEUPS_INTERNAL
                          - NGX_HTTP_CWMP_WAKEUPS_METHOD)
    {
        cwmp_field_null(fields, n, "woken");
        cwmp_field_null(fields, n, "result");
        cwmp_field_null(fields, n, "took");
        return;
    }

    text.data = (u_char *) ngx_http_cwmp_counters[NGX_HTTP_CWMP_WAKEUPS_METHOD
                                                  + woken.result].value;
    text.len = ngx_strlen(text.data);

    cwmp_field_number(fields, n, "woken", CWMP_FIELD_NUMBER, woken.time);
    cwmp_field_text(fields, n, "result", &text);
    cwmp_field_number(fields, n, "took", CWMP_FIELD_MSEC, woken.took);
}


/* name: of the whole id */

static ngx_int_t
ngx_http_cwmp_lists_facts(ngx_pool_t *pool, cwmp_facts_t *facts,
    const char *name, cwmp_field_t *fields, ngx_uint_t *n)
{
    ngx_str_t             text[CWMP_FACTS];
    ngx_http_cwmp_ctx_t   ctx;

    cwmp_facts_unpack(facts, text);

    ngx_memzero(&ctx, sizeof(ngx_http_cwmp_ctx_t));

    ctx.oui = text[CWMP_FACT_OUI];
    ctx.product_class = text[CWMP_FACT_CLASS];
    ctx.serial = text[CWMP_FACT_SERIAL];

    if (ngx_http_cwmp_device_id(pool, &ctx) != NGX_OK) {
        return NGX_ERROR;
    }

    cwmp_field_text(fields, n, name, &ctx.device_id);
    cwmp_field_text(fields, n, "oui", &ctx.oui);
    cwmp_field_text(fields, n, "product_class", &ctx.product_class);
    cwmp_field_text(fields, n, "serial", &ctx.serial);
    cwmp_field_text(fields, n, "events", &text[CWMP_FACT_EVENTS]);

    return NGX_OK;
}
