
/*
 * Fieldgate: "ntrip_status": counters, and all that Prometheus asks for.  What
 * has a name has at most so many of them, and "other" for the rest.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_ntrip_status.h"


#define NGX_HTTP_NTRIP_MOUNTS  100
#define NGX_HTTP_NTRIP_POOLS   32

/* a line, or the three of a family */
#define NGX_HTTP_NTRIP_LINE    1024


typedef enum {
    NGX_HTTP_NTRIP_SESSIONS = 0,
    NGX_HTTP_NTRIP_MOUNTED,
    NGX_HTTP_NTRIP_LEASED
} ngx_http_ntrip_stage_e;


typedef struct {
    ngx_str_t                   name;
    u_char                      data[NTRIP_MOUNT_MAX];
    ngx_http_ntrip_count_t      count;
    ngx_uint_t                  live;
    ngx_uint_t                  opening;
    ngx_uint_t                  waiting;
    uint64_t                    age;       /* ms, of the oldest */
    uint64_t                    certificate;  /* the first that ends, Unix
                                                 time; 0: none */
} ngx_http_ntrip_mounted_t;


typedef struct {
    ngx_str_t                   name;
    u_char                      data[NTRIP_POOL_MAX];
    ngx_uint_t                  states[NGX_HTTP_NTRIP_STATES];
} ngx_http_ntrip_leased_t;


typedef struct {
    ngx_uint_t                  nmounts;
    ngx_http_ntrip_mounted_t    mounts[NGX_HTTP_NTRIP_MOUNTS + 1];
    ngx_uint_t                  npools;
    ngx_http_ntrip_leased_t     pools[NGX_HTTP_NTRIP_POOLS + 1];
    ngx_uint_t                  rings;
} ngx_http_ntrip_sums_t;


typedef struct {
    const char                 *name;
    ngx_uint_t                  rows;
    ngx_uint_t                  used;
} ngx_http_ntrip_table_t;


#define NGX_HTTP_NTRIP_TABLES  6


static void ngx_http_ntrip_cluster(ntrip_json_t *json);
static uint64_t ngx_http_ntrip_mirror_age(void);
static void ngx_http_ntrip_print_cluster(ngx_http_ntrip_ctx_t *ctx);
static ngx_int_t ngx_http_ntrip_sum(ngx_http_ntrip_ctx_t *ctx);
static ngx_int_t ngx_http_ntrip_sum_streams(ngx_http_ntrip_ctx_t *ctx);
static ngx_http_ntrip_mounted_t *ngx_http_ntrip_mounted(
    ngx_http_ntrip_sums_t *sums, u_char *name, size_t len);
static ngx_int_t ngx_http_ntrip_sum_accounts(ngx_http_ntrip_ctx_t *ctx);
static ngx_http_ntrip_leased_t *ngx_http_ntrip_leased(
    ngx_http_ntrip_sums_t *sums, ngx_str_t *name);
static void ngx_http_ntrip_tables(ngx_http_ntrip_sums_t *sums,
    ngx_http_ntrip_table_t *tables);
static uint64_t ngx_http_ntrip_counted(ngx_uint_t counter);
static ngx_uint_t ngx_http_ntrip_nworkers(void);
static void ngx_http_ntrip_family(ngx_http_ntrip_ctx_t *ctx,
    const char *name, const char *type, const char *help);
static void ngx_http_ntrip_sample(ngx_http_ntrip_ctx_t *ctx,
    const char *name, const char *label, ngx_str_t *value, const char *second,
    const char *text, double number);
static void ngx_http_ntrip_print_mounts(ngx_http_ntrip_ctx_t *ctx,
    ngx_http_ntrip_sums_t *sums);
static void ngx_http_ntrip_print_rest(ngx_http_ntrip_ctx_t *ctx,
    ngx_http_ntrip_sums_t *sums);


typedef struct {
    const char                 *name;
    const char                 *help;
} ngx_http_ntrip_counter_t;


#define NGX_HTTP_NTRIP_COUNTER(name, text)  { #name, text },

static ngx_http_ntrip_counter_t  ngx_http_ntrip_names[] = {
    NTRIP_COUNTERS(NGX_HTTP_NTRIP_COUNTER)
};


ngx_int_t
ngx_http_ntrip_counters(ngx_http_ntrip_ctx_t *ctx)
{
    u_char                  buf[NGX_HTTP_NTRIP_ITEM];
    ngx_int_t               rc;
    ngx_uint_t              i;
    ntrip_json_t            json;
    ngx_http_ntrip_table_t  tables[NGX_HTTP_NTRIP_TABLES];

    rc = ngx_http_ntrip_sum(ctx);

    if (rc != NGX_OK) {
        return rc;
    }

    ntrip_json_init(&json, buf, sizeof(buf), NULL, 0);
    ntrip_json_open(&json, NULL, '{');

    for (i = 0; i < NTRIP_COUNTERS_N; i++) {
        ntrip_json_int(&json, ngx_http_ntrip_names[i].name,
                       ngx_http_ntrip_counted(i));
    }

    ntrip_json_int(&json, "zone_rebuilds",
                   ngx_stream_ntrip_worker.zone->rebuilds);
    ntrip_json_int(&json, "workers", ngx_http_ntrip_nworkers());

    ngx_http_ntrip_tables(ctx->sums, tables);
    ntrip_json_open(&json, "tables", '{');

    for (i = 0; i < NGX_HTTP_NTRIP_TABLES; i++) {
        ntrip_json_open(&json, tables[i].name, '{');
        ntrip_json_int(&json, "rows", tables[i].rows);
        ntrip_json_int(&json, "used", tables[i].used);
        ntrip_json_close(&json, '}');
    }

    ntrip_json_close(&json, '}');

    ngx_http_ntrip_cluster(&json);

    ntrip_json_close(&json, '}');

    ngx_http_ntrip_add(ctx, json.out.start, json.out.last - json.out.start);

    return NGX_OK;
}


/* with "ntrip_cluster", the mirror; ages are seconds, of the last moment at
   which it was known to be as the cluster's */

static void
ngx_http_ntrip_cluster(ntrip_json_t *json)
{
    ntrip_bus_t                   *bus;
    ngx_stream_ntrip_main_conf_t  *nmcf;

    static const char  *states[] = { "starting", "current", "away", "stale" };

    nmcf = ngx_stream_cycle_get_module_main_conf(ngx_cycle,
                                                 ngx_stream_ntrip_module);
    if (nmcf->cluster == NULL) {
        return;
    }

    bus = ngx_stream_ntrip_worker.bus;

    ntrip_json_open(json, "cluster", '{');
    ntrip_json_str(json, "node", &nmcf->cluster->node);
    ntrip_json_text(json, "state", states[bus->cluster]);
    ntrip_json_int(json, "change", bus->change);

    if (bus->mirrored) {
        ntrip_json_int(json, "age", ngx_http_ntrip_mirror_age());

    } else {
        ntrip_json_null(json, "age");
    }

    ntrip_json_close(json, '}');
}


static uint64_t
ngx_http_ntrip_mirror_age(void)
{
    uint64_t  mirrored;

    mirrored = ngx_stream_ntrip_worker.bus->mirrored;

    /* another worker's clock may be a moment ahead */

    return ngx_current_msec > mirrored ? (ngx_current_msec - mirrored) / 1000
                                       : 0;
}


static void
ngx_http_ntrip_print_cluster(ngx_http_ntrip_ctx_t *ctx)
{
    ntrip_bus_t                   *bus;
    ngx_stream_ntrip_main_conf_t  *nmcf;

    nmcf = ngx_stream_cycle_get_module_main_conf(ngx_cycle,
                                                 ngx_stream_ntrip_module);
    if (nmcf->cluster == NULL) {
        return;
    }

    bus = ngx_stream_ntrip_worker.bus;

    ngx_http_ntrip_family(ctx, "ntrip_cluster_current", "gauge",
                          "whether the database follows the cluster");
    ngx_http_ntrip_sample(ctx, "ntrip_cluster_current", NULL, NULL, NULL, NULL,
                          bus->cluster == NTRIP_CLUSTER_CURRENT);

    if (bus->mirrored == 0) {
        return;
    }

    ngx_http_ntrip_family(ctx, "ntrip_cluster_age_seconds", "gauge",
                          "since the database was as the cluster");
    ngx_http_ntrip_sample(ctx, "ntrip_cluster_age_seconds", NULL, NULL, NULL,
                          NULL, ngx_http_ntrip_mirror_age());
}


ngx_int_t
ngx_http_ntrip_metrics(ngx_http_ntrip_ctx_t *ctx)
{
    u_char      name[64];
    ngx_int_t   rc;
    ngx_uint_t  i;

    rc = ngx_http_ntrip_sum(ctx);

    if (rc != NGX_OK) {
        return rc;
    }

    ngx_str_set(&ctx->type, "text/plain; version=0.0.4");

    for (i = 0; i < NTRIP_COUNTERS_N; i++) {
        *ngx_sprintf(name, "ntrip_%s_total", ngx_http_ntrip_names[i].name)
            = '\0';

        ngx_http_ntrip_family(ctx, (char *) name, "counter",
                              ngx_http_ntrip_names[i].help);
        ngx_http_ntrip_sample(ctx, (char *) name, NULL, NULL, NULL, NULL,
                              ngx_http_ntrip_counted(i));
    }

    ngx_http_ntrip_print_mounts(ctx, ctx->sums);
    ngx_http_ntrip_print_rest(ctx, ctx->sums);

    return NGX_OK;
}


/* sessions, then streams, then accounts */

static ngx_int_t
ngx_http_ntrip_sum(ngx_http_ntrip_ctx_t *ctx)
{
    ngx_int_t  rc;

    if (ctx->sums == NULL) {
        ctx->sums = ngx_pcalloc(ctx->request->pool,
                                sizeof(ngx_http_ntrip_sums_t));
        if (ctx->sums == NULL) {
            return NGX_ERROR;
        }
    }

    for ( ;; ) {

        switch (ctx->stage) {

        case NGX_HTTP_NTRIP_SESSIONS:
            rc = ngx_http_ntrip_count(ctx);
            break;

        case NGX_HTTP_NTRIP_MOUNTED:
            rc = ngx_http_ntrip_sum_streams(ctx);
            break;

        case NGX_HTTP_NTRIP_LEASED:
            rc = ngx_http_ntrip_sum_accounts(ctx);
            break;

        default:
            return NGX_OK;
        }

        if (rc != NGX_OK) {
            return rc;
        }

        ctx->stage++;
        ctx->cursor.next = 0;
    }
}


static ngx_int_t
ngx_http_ntrip_sum_streams(ngx_http_ntrip_ctx_t *ctx)
{
    uint64_t                   since;
    ngx_int_t                  rc;
    ntrip_stream_row_t         row;
    ngx_http_ntrip_sums_t     *sums;
    ngx_http_ntrip_count_t    *count;
    ngx_http_ntrip_mounted_t  *m;

    sums = ctx->sums;

    while ((rc = ngx_stream_ntrip_cursor_stream(&ctx->cursor, &row))
           == NGX_OK)
    {
        m = ngx_http_ntrip_mounted(sums, row.mount,
                                   ngx_min(row.mount_len, NTRIP_MOUNT_MAX));
        count = &ctx->counts[ctx->cursor.next - 1];

        m->count.rovers += count->rovers;
        m->count.fixed += count->fixed;
        m->count.floating += count->floating;
        m->count.single += count->single;

        sums->rings += (row.ring != NTRIP_ROW_NONE);

        if (row.row.state == NTRIP_STREAM_LIVE) {
            m->live++;

        } else if (row.waiting) {
            m->waiting++;

        } else {
            m->opening++;
        }

        if (row.certificate
            && (m->certificate == 0 || row.certificate < m->certificate))
        {
            m->certificate = row.certificate;
        }

        /* one that nobody wants any more may be silent */

        since = row.data ? row.data : row.created;

        if (count->rovers && since < ngx_current_msec) {
            m->age = ngx_max(m->age, ngx_current_msec - since);
        }
    }

    if (rc == NGX_DONE) {
        count = &ctx->counts[ngx_stream_ntrip_worker.zone->streams.n];

        if (count->rovers) {
            m = ngx_http_ntrip_mounted(sums, (u_char *) "", 0);

            m->count.rovers += count->rovers;
            m->count.fixed += count->fixed;
            m->count.floating += count->floating;
            m->count.single += count->single;
        }

        return NGX_OK;
    }

    return rc;
}


static ngx_http_ntrip_mounted_t *
ngx_http_ntrip_mounted(ngx_http_ntrip_sums_t *sums, u_char *name, size_t len)
{
    ngx_uint_t                 i;
    ngx_http_ntrip_mounted_t  *m;

    for (i = 0; i < sums->nmounts; i++) {
        m = &sums->mounts[i];

        if (m->name.len == len && ngx_memcmp(m->name.data, name, len) == 0) {
            return m;
        }
    }

    if (i >= NGX_HTTP_NTRIP_MOUNTS) {

        if (i > NGX_HTTP_NTRIP_MOUNTS) {
            return &sums->mounts[NGX_HTTP_NTRIP_MOUNTS];
        }

        name = (u_char *) "other";
        len = sizeof("other") - 1;
    }

    m = &sums->mounts[sums->nmounts++];
    m->name.data = m->data;
    m->name.len = len;
    ngx_memcpy(m->data, name, len);

    return m;
}


static ngx_int_t
ngx_http_ntrip_sum_accounts(ngx_http_ntrip_ctx_t *ctx)
{
    ngx_int_t                    rc;
    ngx_str_t                  **pools;
    ngx_uint_t                   i;
    ntrip_lease_row_t            lease;
    ngx_http_ntrip_state_e       state;
    ngx_http_ntrip_leased_t     *pool;
    ngx_stream_ntrip_listed_t    listed;

    while ((rc = ngx_stream_ntrip_cursor_account(&ctx->cursor, &listed))
           == NGX_OK)
    {
        state = ngx_http_ntrip_account(listed.account->id,
                                       listed.account->expires, &lease);

        pools = listed.account->pools.elts;

        for (i = 0; i < listed.account->pools.nelts; i++) {
            pool = ngx_http_ntrip_leased(ctx->sums, pools[i]);
            pool->states[state]++;
        }
    }

    return rc == NGX_DONE ? NGX_OK : rc;
}


static ngx_http_ntrip_leased_t *
ngx_http_ntrip_leased(ngx_http_ntrip_sums_t *sums, ngx_str_t *name)
{
    ngx_uint_t                i;
    ngx_str_t                 text;
    ngx_http_ntrip_leased_t  *pool;

    text = *name;
    text.len = ngx_min(text.len, NTRIP_POOL_MAX);

    for (i = 0; i < sums->npools; i++) {
        pool = &sums->pools[i];

        if (pool->name.len == text.len
            && ngx_memcmp(pool->name.data, text.data, text.len) == 0)
        {
            return pool;
        }
    }

    if (i >= NGX_HTTP_NTRIP_POOLS) {

        if (i > NGX_HTTP_NTRIP_POOLS) {
            return &sums->pools[NGX_HTTP_NTRIP_POOLS];
        }

        ngx_str_set(&text, "other");
    }

    pool = &sums->pools[sums->npools++];
    pool->name.data = pool->data;
    pool->name.len = text.len;
    ngx_memcpy(pool->data, text.data, text.len);

    return pool;
}


static void
ngx_http_ntrip_tables(ngx_http_ntrip_sums_t *sums,
    ngx_http_ntrip_table_t *tables)
{
    ntrip_zone_t  *zone;

    zone = ngx_stream_ntrip_worker.zone;

    tables[0].name = "streams";
    tables[0].rows = zone->streams.n;
    tables[0].used = zone->streams.used;

    tables[1].name = "rings";
    tables[1].rows = zone->nrings;
    tables[1].used = sums->rings;

    tables[2].name = "rovers";
    tables[2].rows = zone->sessions.n;
    tables[2].used = zone->sessions.used;

    tables[3].name = "accounts";
    tables[3].rows = zone->leases.n;
    tables[3].used = zone->leases.used;

    tables[4].name = "rests";
    tables[4].rows = zone->rests.n;
    tables[4].used = zone->rests.used;

    tables[5].name = "usage";
    tables[5].rows = zone->usage.n;
    tables[5].used = zone->usage.used;
}


static uint64_t
ngx_http_ntrip_counted(ngx_uint_t counter)
{
    uint64_t    n;
    ngx_uint_t  i;

    n = 0;

    for (i = 0; i < NTRIP_SLOTS; i++) {
        n += ngx_stream_ntrip_worker.bus->slots[i].counters[counter];
    }

    return n;
}


static ngx_uint_t
ngx_http_ntrip_nworkers(void)
{
    ngx_uint_t  i, n;

    n = 0;

    for (i = 0; i < NTRIP_SLOTS; i++) {
        n += (ngx_stream_ntrip_worker.bus->slots[i].holder != 0);
    }

    return n;
}


static void
ngx_http_ntrip_family(ngx_http_ntrip_ctx_t *ctx, const char *name,
    const char *type, const char *help)
{
    u_char  buf[NGX_HTTP_NTRIP_LINE], *p;

    p = ngx_snprintf(buf, sizeof(buf), "# HELP %s %s\n# TYPE %s %s\n",
                     name, help, name, type);

    ngx_http_ntrip_add(ctx, buf, p - buf);
}


/* label: NULL, there is none; the second one's value is a word of ours */

static void
ngx_http_ntrip_sample(ngx_http_ntrip_ctx_t *ctx, const char *name,
    const char *label, ngx_str_t *value, const char *second, const char *text,
    double number)
{
    u_char       buf[NGX_HTTP_NTRIP_LINE];
    ntrip_out_t  out;

    ntrip_out_init(&out, buf, sizeof(buf));
    ntrip_out_text(&out, name);

    if (label) {
        ntrip_out_char(&out, '{');
        ntrip_out_text(&out, label);
        ntrip_out_text(&out, "=\"");
        ntrip_json_label(&out, value);
        ntrip_out_char(&out, '"');

        if (second) {
            ntrip_out_char(&out, ',');
            ntrip_out_text(&out, second);
            ntrip_out_text(&out, "=\"");
            ntrip_out_text(&out, text);
            ntrip_out_char(&out, '"');
        }

        ntrip_out_char(&out, '}');
    }

    ntrip_out_char(&out, ' ');

    if (number == (double) (uint64_t) number) {
        ntrip_out_uint(&out, (uint64_t) number, 1);

    } else {
        ntrip_out_fixed(&out, number, 1, 3);
    }

    ntrip_out_char(&out, '\n');

    ngx_http_ntrip_add(ctx, out.start, out.last - out.start);
}


static void
ngx_http_ntrip_print_mounts(ngx_http_ntrip_ctx_t *ctx,
    ngx_http_ntrip_sums_t *sums)
{
    ngx_uint_t                 i;
    ngx_http_ntrip_count_t    *c;
    ngx_http_ntrip_mounted_t  *m;

    ngx_http_ntrip_family(ctx, "ntrip_streams", "gauge",
                          "streams by mountpoint and state");

    for (i = 0; i < sums->nmounts; i++) {
        m = &sums->mounts[i];

        ngx_http_ntrip_sample(ctx, "ntrip_streams", "mount", &m->name,
                              "state", "live", m->live);
        ngx_http_ntrip_sample(ctx, "ntrip_streams", "mount", &m->name,
                              "state", "opening", m->opening);
        ngx_http_ntrip_sample(ctx, "ntrip_streams", "mount", &m->name,
                              "state", "waiting", m->waiting);
    }

    ngx_http_ntrip_family(ctx, "ntrip_stream_age_seconds", "gauge",
                          "since the last data, of the stream with rovers "
                          "that has waited longest");

    for (i = 0; i < sums->nmounts; i++) {
        m = &sums->mounts[i];
        ngx_http_ntrip_sample(ctx, "ntrip_stream_age_seconds", "mount",
                              &m->name, NULL, NULL, m->age / 1000.0);
    }

    ngx_http_ntrip_family(ctx, "ntrip_certificate_end_seconds", "gauge",
                          "when the first of the certificates of a "
                          "mountpoint's providers ends, Unix time");

    for (i = 0; i < sums->nmounts; i++) {
        m = &sums->mounts[i];

        if (m->certificate) {
            ngx_http_ntrip_sample(ctx, "ntrip_certificate_end_seconds",
                                  "mount", &m->name, NULL, NULL,
                                  m->certificate);
        }
    }

    ngx_http_ntrip_family(ctx, "ntrip_rovers", "gauge",
                          "rovers by mountpoint and what they report");

    for (i = 0; i < sums->nmounts; i++) {
        m = &sums->mounts[i];
        c = &m->count;

        ngx_http_ntrip_sample(ctx, "ntrip_rovers", "mount", &m->name, "fix",
                              "fixed", c->fixed);
        ngx_http_ntrip_sample(ctx, "ntrip_rovers", "mount", &m->name, "fix",
                              "float", c->floating);
        ngx_http_ntrip_sample(ctx, "ntrip_rovers", "mount", &m->name, "fix",
                              "single", c->single);
        ngx_http_ntrip_sample(ctx, "ntrip_rovers", "mount", &m->name, "fix",
                              "other", c->rovers - c->fixed - c->floating
                                       - c->single);
    }
}


static void
ngx_http_ntrip_print_rest(ngx_http_ntrip_ctx_t *ctx,
    ngx_http_ntrip_sums_t *sums)
{
    ngx_str_t                name;
    ngx_uint_t               i, n, used;
    ngx_http_ntrip_table_t   tables[NGX_HTTP_NTRIP_TABLES];

    ngx_http_ntrip_family(ctx, "ntrip_accounts", "gauge",
                          "accounts by pool and state");

    for (i = 0; i < sums->npools; i++) {
        for (n = 0; n < NGX_HTTP_NTRIP_STATES; n++) {
            ngx_http_ntrip_sample(ctx, "ntrip_accounts", "pool",
                                  &sums->pools[i].name, "state",
                                  ngx_http_ntrip_states[n],
                                  sums->pools[i].states[n]);
        }
    }

    ngx_http_ntrip_tables(sums, tables);

    for (used = 0; used < 2; used++) {
        ngx_http_ntrip_family(ctx, used ? "ntrip_table_rows_used"
                                        : "ntrip_table_rows", "gauge",
                              used ? "rows in use" : "rows that a table has");

        for (i = 0; i < NGX_HTTP_NTRIP_TABLES; i++) {
            name.data = (u_char *) tables[i].name;
            name.len = ngx_strlen(tables[i].name);

            ngx_http_ntrip_sample(ctx, used ? "ntrip_table_rows_used"
                                            : "ntrip_table_rows",
                                  "table", &name, NULL, NULL,
                                  used ? tables[i].used : tables[i].rows);
        }
    }

    ngx_http_ntrip_family(ctx, "ntrip_workers", "gauge",
                          "worker processes of all generations");
    ngx_http_ntrip_sample(ctx, "ntrip_workers", NULL, NULL, NULL, NULL,
                          ngx_http_ntrip_nworkers());

    ngx_http_ntrip_family(ctx, "ntrip_zone_rebuilds_total", "counter",
                          "tables repaired after a worker died inside one");
    ngx_http_ntrip_sample(ctx, "ntrip_zone_rebuilds_total", NULL, NULL, NULL,
                          NULL, ngx_stream_ntrip_worker.zone->rebuilds);

    ngx_http_ntrip_print_cluster(ctx);
}
