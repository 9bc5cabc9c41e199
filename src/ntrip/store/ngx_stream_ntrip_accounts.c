
/*
 * The accounts of the providers, held in memory: candidates for a lease are
 * needed under a lock, where no statement can run.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_stream_ntrip_accounts.h"
#include "ngx_stream_ntrip_worker.h"


typedef struct {
    ngx_pool_t                   *pool;
    ngx_array_t                   accounts;      /* in the order of ids */
    ntrip_candidate_t            *candidates;    /* room for all of them */
} ngx_stream_ntrip_accounts_t;


static ngx_int_t ngx_stream_ntrip_accounts_row(
    ngx_stream_ntrip_accounts_t *ac, sqlite3_stmt *stmt);
static ngx_int_t ngx_stream_ntrip_accounts_text(ngx_pool_t *pool,
    sqlite3_stmt *stmt, int column, ngx_str_t *text);
static void ngx_stream_ntrip_accounts_compare(
    ngx_stream_ntrip_accounts_t *old, ngx_stream_ntrip_store_hooks_t *hooks);
static ngx_uint_t ngx_stream_ntrip_accounts_equal(
    ngx_stream_ntrip_account_t *a, ngx_stream_ntrip_account_t *b);
static void ngx_stream_ntrip_accounts_candidate(
    ngx_stream_ntrip_account_t *account, ngx_str_t *mount, in_port_t port,
    ntrip_candidate_t *candidate);


static ngx_stream_ntrip_accounts_t  ngx_stream_ntrip_accounts;


ngx_int_t
ngx_stream_ntrip_accounts_load(sqlite3 *db,
    ngx_stream_ntrip_store_hooks_t *hooks, ngx_log_t *log)
{
    int                           rc;
    sqlite3_stmt                 *stmt;
    ngx_stream_ntrip_accounts_t   ac, old;

    rc = sqlite3_prepare_v2(db,
             "SELECT id, pool, host, port, tls, name, password, expires_at"
             " FROM source WHERE id > 0 ORDER BY id", -1, &stmt, NULL);

    if (rc != SQLITE_OK) {
        return NGX_ERROR;
    }

    ac.pool = ngx_create_pool(16384, log);

    if (ac.pool == NULL
        || ngx_array_init(&ac.accounts, ac.pool, 64,
                          sizeof(ngx_stream_ntrip_account_t))
           != NGX_OK)
    {
        rc = SQLITE_NOMEM;
        goto failed;
    }

    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        if (ngx_stream_ntrip_accounts_row(&ac, stmt) != NGX_OK) {
            rc = SQLITE_NOMEM;
            goto failed;
        }
    }

    if (rc != SQLITE_DONE) {
        goto failed;
    }

    ac.candidates = ngx_palloc(ac.pool, (ac.accounts.nelts + 1)
                                        * sizeof(ntrip_candidate_t));
    if (ac.candidates == NULL) {
        goto failed;
    }

    (void) sqlite3_finalize(stmt);

    old = ngx_stream_ntrip_accounts;
    ngx_stream_ntrip_accounts = ac;

    if (old.pool) {
        ngx_stream_ntrip_accounts_compare(&old, hooks);
        ngx_destroy_pool(old.pool);
    }

    return NGX_OK;

failed:

    (void) sqlite3_finalize(stmt);

    if (ac.pool) {
        ngx_destroy_pool(ac.pool);
    }

    return NGX_ERROR;
}


void
ngx_stream_ntrip_accounts_free(void)
{
    if (ngx_stream_ntrip_accounts.pool) {
        ngx_destroy_pool(ngx_stream_ntrip_accounts.pool);
        ngx_memzero(&ngx_stream_ntrip_accounts,
                    sizeof(ngx_stream_ntrip_accounts_t));
    }
}


static ngx_int_t
ngx_stream_ntrip_accounts_row(ngx_stream_ntrip_accounts_t *ac,
    sqlite3_stmt *stmt)
{
    int                          port;
    ngx_stream_ntrip_account_t  *account;

    account = ngx_array_push(&ac->accounts);
    if (account == NULL) {
        return NGX_ERROR;
    }

    account->id = (uint64_t) sqlite3_column_int64(stmt, 0);
    port = sqlite3_column_int(stmt, 3);
    account->port = (port > 0 && port < 65536) ? (in_port_t) port : 0;
    account->tls = (sqlite3_column_int(stmt, 4) != 0);
    account->expires = (time_t) sqlite3_column_int64(stmt, 7);

    if (ngx_stream_ntrip_accounts_text(ac->pool, stmt, 1, &account->pool)
        != NGX_OK
        || ngx_stream_ntrip_accounts_text(ac->pool, stmt, 2, &account->host)
           != NGX_OK
        || ngx_stream_ntrip_accounts_text(ac->pool, stmt, 5, &account->name)
           != NGX_OK
        || ngx_stream_ntrip_accounts_text(ac->pool, stmt, 6,
                                          &account->password)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_stream_ntrip_accounts_text(ngx_pool_t *pool, sqlite3_stmt *stmt,
    int column, ngx_str_t *text)
{
    text->len = sqlite3_column_bytes(stmt, column);
    text->data = ngx_pnalloc(pool, text->len + 1);

    if (text->data == NULL) {
        return NGX_ERROR;
    }

    /* of an empty one SQLite has no address */

    if (text->len) {
        ngx_memcpy(text->data, sqlite3_column_blob(stmt, column), text->len);
    }

    text->data[text->len] = '\0';

    return NGX_OK;
}


/* both in the order of ids */

static void
ngx_stream_ntrip_accounts_compare(ngx_stream_ntrip_accounts_t *old,
    ngx_stream_ntrip_store_hooks_t *hooks)
{
    ngx_uint_t                   i;
    ngx_stream_ntrip_account_t  *a, *b;

    a = old->accounts.elts;

    for (i = 0; i < old->accounts.nelts; i++) {
        b = ngx_stream_ntrip_store_account(a[i].id);

        if (b == NULL || !ngx_stream_ntrip_accounts_equal(&a[i], b)) {
            hooks->account(a[i].id);
        }
    }

    hooks->accounts();
}


/* a note or a longer life is no reason to log in anew */

static ngx_uint_t
ngx_stream_ntrip_accounts_equal(ngx_stream_ntrip_account_t *a,
    ngx_stream_ntrip_account_t *b)
{
    return a->port == b->port
           && a->tls == b->tls
           && b->expires >= a->expires
           && a->pool.len == b->pool.len
           && ngx_memcmp(a->pool.data, b->pool.data, a->pool.len) == 0
           && a->host.len == b->host.len
           && ngx_memcmp(a->host.data, b->host.data, a->host.len) == 0
           && a->name.len == b->name.len
           && ngx_memcmp(a->name.data, b->name.data, a->name.len) == 0
           && a->password.len == b->password.len
           && ngx_memcmp(a->password.data, b->password.data,
                         a->password.len)
              == 0;
}


ngx_stream_ntrip_account_t *
ngx_stream_ntrip_store_account(uint64_t id)
{
    ngx_stream_ntrip_account_t  *account;

    account = id ? ngx_stream_ntrip_store_next(id - 1) : NULL;

    return (account && account->id == id) ? account : NULL;
}


ngx_stream_ntrip_account_t *
ngx_stream_ntrip_store_next(uint64_t id)
{
    ngx_uint_t                   left, right, middle;
    ngx_stream_ntrip_account_t  *account;

    account = ngx_stream_ntrip_accounts.accounts.elts;
    left = 0;
    right = ngx_stream_ntrip_accounts.accounts.nelts;

    while (left < right) {
        middle = (left + right) / 2;

        if (account[middle].id <= id) {
            left = middle + 1;

        } else {
            right = middle;
        }
    }

    return (left < ngx_stream_ntrip_accounts.accounts.nelts) ? &account[left]
                                                             : NULL;
}


ngx_int_t
ngx_stream_ntrip_store_candidates(ngx_str_t *pool, ngx_str_t *mount,
    in_port_t port, ntrip_candidate_t **candidates, ngx_uint_t *n)
{
    time_t                        now;
    ngx_uint_t                    i, j;
    ntrip_candidate_t            *c, swap;
    ngx_stream_ntrip_account_t   *account;
    ngx_stream_ntrip_accounts_t  *ac;

    ac = &ngx_stream_ntrip_accounts;

    if (ac->pool == NULL) {
        return NGX_AGAIN;
    }

    c = ac->candidates;
    account = ac->accounts.elts;
    now = ngx_time();
    *n = 0;

    for (i = 0; i < ac->accounts.nelts; i++) {

        if (account[i].expires <= now
            || account[i].tls
            || account[i].pool.len != pool->len
            || ngx_memcmp(account[i].pool.data, pool->data, pool->len) != 0)
        {
            continue;
        }

        ngx_stream_ntrip_accounts_candidate(&account[i], mount, port,
                                            &c[(*n)++]);
    }

    /* any of them, as with cors-relay, so that none is worn out */

    for (i = *n; i > 1; i--) {
        j = (ngx_uint_t) ngx_random() % i;

        swap = c[i - 1];
        c[i - 1] = c[j];
        c[j] = swap;
    }

    *candidates = c;

    return *n ? NGX_OK : NGX_DECLINED;
}


static void
ngx_stream_ntrip_accounts_candidate(ngx_stream_ntrip_account_t *account,
    ngx_str_t *mount, in_port_t port, ntrip_candidate_t *candidate)
{
    in_port_t  p;

    p = account->port ? account->port : port;

    candidate->source = account->id;
    candidate->host = ntrip_hash(ngx_stream_ntrip_worker.bus->seed,
                                 account->host.data, account->host.len, 1);
    candidate->host = ntrip_hash(candidate->host, (u_char *) &p, sizeof(p), 0);
    candidate->host_mount = ntrip_hash(candidate->host, mount->data,
                                       mount->len, 0);
}
