
/*
 * The accounts of the providers, held in memory: candidates for a lease are
 * needed under a lock, where no statement can run.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_stream_ntrip_accounts.h"
#include "ngx_stream_ntrip_store_private.h"
#include "ngx_stream_ntrip_worker.h"


/* what was read at one time, all of it in "pool" */

typedef struct {
    ngx_pool_t                       *pool;
    ngx_array_t                       accounts;  /* in the order of ids */
    ngx_rbtree_t                      index;     /* of ..._members_t */
    ngx_rbtree_node_t                 sentinel;
} ngx_stream_ntrip_accounts_t;


/* a pool of accounts; each look goes on shuffling what the last one has left */

typedef struct {
    ngx_str_node_t                    sn;        /* its name */
    ngx_array_t                       places;    /* ngx_uint_t, in "accounts" */
} ngx_stream_ntrip_members_t;


static ngx_stream_ntrip_accounts_t *ngx_stream_ntrip_accounts_create(
    ngx_log_t *log);
static ngx_int_t ngx_stream_ntrip_accounts_row(
    ngx_stream_ntrip_accounts_t *ac, sqlite3_stmt *stmt);
static ngx_int_t ngx_stream_ntrip_accounts_account(
    ngx_stream_ntrip_accounts_t *ac, sqlite3_stmt *stmt);
static ngx_int_t ngx_stream_ntrip_accounts_join(
    ngx_stream_ntrip_accounts_t *ac, ngx_str_t *name);
static ngx_stream_ntrip_members_t *ngx_stream_ntrip_accounts_members(
    ngx_stream_ntrip_accounts_t *ac, ngx_str_t *name);
static void ngx_stream_ntrip_accounts_compare(
    ngx_stream_ntrip_accounts_t *old, ngx_stream_ntrip_store_hooks_t *hooks);
static ngx_uint_t ngx_stream_ntrip_accounts_equal(
    ngx_stream_ntrip_account_t *a, ngx_stream_ntrip_account_t *b);
static ngx_uint_t ngx_stream_ntrip_accounts_same(ngx_str_t *a, ngx_str_t *b);
static ngx_uint_t ngx_stream_ntrip_accounts_draw(
    ngx_stream_ntrip_members_t *members, ngx_uint_t place);


/* NULL: they were never read */

static ngx_stream_ntrip_accounts_t  *ngx_stream_ntrip_accounts;


ngx_int_t
ngx_stream_ntrip_accounts_load(sqlite3 *db,
    ngx_stream_ntrip_store_hooks_t *hooks, ngx_log_t *log)
{
    int                           rc;
    sqlite3_stmt                 *stmt;
    ngx_stream_ntrip_accounts_t  *ac, *old;

    /* one statement, so that accounts and pools are of one moment */

    rc = sqlite3_prepare_v2(db,
             "SELECT source.id, host, port, tls, source.name, password,"
             " expires_at, pool.name, ntrip"
             " FROM source LEFT JOIN pool ON pool.source = source.id"
             " WHERE source.id > 0 ORDER BY source.id, pool.name",
             -1, &stmt, NULL);

    if (rc != SQLITE_OK) {
        return NGX_ERROR;
    }

    ac = ngx_stream_ntrip_accounts_create(log);
    if (ac == NULL) {
        (void) sqlite3_finalize(stmt);
        return NGX_ERROR;
    }

    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
        if (ngx_stream_ntrip_accounts_row(ac, stmt) != NGX_OK) {
            break;
        }
    }

    (void) sqlite3_finalize(stmt);

    if (rc != SQLITE_DONE) {
        ngx_destroy_pool(ac->pool);
        return NGX_ERROR;
    }

    old = ngx_stream_ntrip_accounts;
    ngx_stream_ntrip_accounts = ac;

    if (old) {
        ngx_stream_ntrip_accounts_compare(old, hooks);
        ngx_destroy_pool(old->pool);
    }

    return NGX_OK;
}


static ngx_stream_ntrip_accounts_t *
ngx_stream_ntrip_accounts_create(ngx_log_t *log)
{
    ngx_pool_t                   *pool;
    ngx_stream_ntrip_accounts_t  *ac;

    pool = ngx_create_pool(16384, log);
    if (pool == NULL) {
        return NULL;
    }

    ac = ngx_palloc(pool, sizeof(ngx_stream_ntrip_accounts_t));

    if (ac == NULL
        || ngx_array_init(&ac->accounts, pool, 64,
                          sizeof(ngx_stream_ntrip_account_t))
           != NGX_OK)
    {
        ngx_destroy_pool(pool);
        return NULL;
    }

    ac->pool = pool;
    ngx_rbtree_init(&ac->index, &ac->sentinel, ngx_str_rbtree_insert_value);

    return ac;
}


void
ngx_stream_ntrip_accounts_free(void)
{
    if (ngx_stream_ntrip_accounts) {
        ngx_destroy_pool(ngx_stream_ntrip_accounts->pool);
        ngx_stream_ntrip_accounts = NULL;
    }
}


/* an account, or another pool of the last one */

static ngx_int_t
ngx_stream_ntrip_accounts_row(ngx_stream_ntrip_accounts_t *ac,
    sqlite3_stmt *stmt)
{
    uint64_t                     id;
    ngx_str_t                    name;
    ngx_stream_ntrip_account_t  *account;

    id = (uint64_t) sqlite3_column_int64(stmt, 0);
    account = ac->accounts.elts;

    if ((ac->accounts.nelts == 0
         || account[ac->accounts.nelts - 1].id != id)
        && ngx_stream_ntrip_accounts_account(ac, stmt) != NGX_OK)
    {
        return NGX_ERROR;
    }

    name.data = (u_char *) sqlite3_column_text(stmt, 7);
    name.len = sqlite3_column_bytes(stmt, 7);

    return name.len ? ngx_stream_ntrip_accounts_join(ac, &name) : NGX_OK;
}


static ngx_int_t
ngx_stream_ntrip_accounts_account(ngx_stream_ntrip_accounts_t *ac,
    sqlite3_stmt *stmt)
{
    int                          port, ntrip;
    ngx_stream_ntrip_account_t  *account;

    account = ngx_array_push(&ac->accounts);
    if (account == NULL) {
        return NGX_ERROR;
    }

    account->id = (uint64_t) sqlite3_column_int64(stmt, 0);
    port = sqlite3_column_int(stmt, 2);
    account->port = (port > 0 && port < 65536) ? (in_port_t) port : 0;
    account->tls = (sqlite3_column_int(stmt, 3) != 0);
    ntrip = sqlite3_column_int(stmt, 8);
    account->ntrip = (ntrip == 1 || ntrip == 2) ? ntrip : 0;
    account->expires = (time_t) sqlite3_column_int64(stmt, 6);

    if (ngx_stream_ntrip_store_text(ac->pool, stmt, 1, &account->host)
        != NGX_OK
        || ngx_stream_ntrip_store_text(ac->pool, stmt, 4, &account->name)
           != NGX_OK
        || ngx_stream_ntrip_store_text(ac->pool, stmt, 5, &account->password)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_array_init(&account->pools, ac->pool, 1, sizeof(ngx_str_t *));
}


/* the last account is in this pool */

static ngx_int_t
ngx_stream_ntrip_accounts_join(ngx_stream_ntrip_accounts_t *ac,
    ngx_str_t *name)
{
    ngx_str_t                   **pool;
    ngx_uint_t                   *place;
    ngx_stream_ntrip_account_t   *account;
    ngx_stream_ntrip_members_t   *members;

    members = ngx_stream_ntrip_accounts_members(ac, name);
    if (members == NULL) {
        return NGX_ERROR;
    }

    account = ac->accounts.elts;
    account += ac->accounts.nelts - 1;

    pool = ngx_array_push(&account->pools);
    place = ngx_array_push(&members->places);

    if (pool == NULL || place == NULL) {
        return NGX_ERROR;
    }

    *pool = &members->sn.str;
    *place = ac->accounts.nelts - 1;

    return NGX_OK;
}


static ngx_stream_ntrip_members_t *
ngx_stream_ntrip_accounts_members(ngx_stream_ntrip_accounts_t *ac,
    ngx_str_t *name)
{
    uint32_t                     hash;
    ngx_stream_ntrip_members_t  *members;

    hash = ngx_crc32_short(name->data, name->len);

    members = (ngx_stream_ntrip_members_t *)
                  ngx_str_rbtree_lookup(&ac->index, name, hash);

    if (members) {
        return members;
    }

    members = ngx_palloc(ac->pool, sizeof(ngx_stream_ntrip_members_t));

    if (members == NULL
        || ngx_array_init(&members->places, ac->pool, 16, sizeof(ngx_uint_t))
           != NGX_OK)
    {
        return NULL;
    }

    members->sn.node.key = hash;
    members->sn.str.len = name->len;
    members->sn.str.data = ngx_pstrdup(ac->pool, name);

    if (members->sn.str.data == NULL) {
        return NULL;
    }

    ngx_rbtree_insert(&ac->index, &members->sn.node);

    return members;
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


/*
 * A note or a longer life is no reason to log in anew, nor are other pools: who
 * uses it asks ngx_stream_ntrip_store_in_pools().
 */

static ngx_uint_t
ngx_stream_ntrip_accounts_equal(ngx_stream_ntrip_account_t *a,
    ngx_stream_ntrip_account_t *b)
{
    return a->port == b->port
           && a->tls == b->tls
           && a->ntrip == b->ntrip
           && b->expires >= a->expires
           && ngx_stream_ntrip_accounts_same(&a->host, &b->host)
           && ngx_stream_ntrip_accounts_same(&a->name, &b->name)
           && ngx_stream_ntrip_accounts_same(&a->password, &b->password);
}


static ngx_uint_t
ngx_stream_ntrip_accounts_same(ngx_str_t *a, ngx_str_t *b)
{
    return a->len == b->len && ngx_memcmp(a->data, b->data, a->len) == 0;
}


ngx_uint_t
ngx_stream_ntrip_store_known(void)
{
    return ngx_stream_ntrip_accounts != NULL;
}


ngx_uint_t
ngx_stream_ntrip_store_in_pools(ngx_stream_ntrip_account_t *account,
    ngx_str_t *pools)
{
    ngx_str_t   **name;
    ngx_uint_t    i;

    name = account->pools.elts;

    for (i = 0; i < account->pools.nelts; i++) {
        if (ntrip_text_has_item(pools, name[i])) {
            return 1;
        }
    }

    return 0;
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
    ngx_array_t                 *accounts;
    ngx_stream_ntrip_account_t  *account;

    if (ngx_stream_ntrip_accounts == NULL) {
        return NULL;
    }

    accounts = &ngx_stream_ntrip_accounts->accounts;
    account = accounts->elts;
    left = 0;
    right = accounts->nelts;

    while (left < right) {
        middle = (left + right) / 2;

        if (account[middle].id <= id) {
            left = middle + 1;

        } else {
            right = middle;
        }
    }

    return (left < accounts->nelts) ? &account[left] : NULL;
}


ngx_int_t
ngx_stream_ntrip_store_candidates(ngx_str_t *pool, ngx_str_t *mount,
    in_port_t port, ngx_uint_t *place, ntrip_candidate_t *candidates,
    ngx_uint_t *n)
{
    uint32_t                     hash;
    ngx_uint_t                   room;
    ngx_stream_ntrip_account_t  *account;
    ngx_stream_ntrip_members_t  *members;

    room = *n;
    *n = 0;

    if (ngx_stream_ntrip_accounts == NULL) {
        return NGX_AGAIN;
    }

    hash = ngx_crc32_short(pool->data, pool->len);

    members = (ngx_stream_ntrip_members_t *)
                  ngx_str_rbtree_lookup(&ngx_stream_ntrip_accounts->index,
                                        pool, hash);

    if (members == NULL) {
        return NGX_DONE;
    }

    account = ngx_stream_ntrip_accounts->accounts.elts;

    while (*n < room && *place < members->places.nelts) {

        if (ngx_stream_ntrip_store_candidate(
                &account[ngx_stream_ntrip_accounts_draw(members, *place)],
                mount, port, &candidates[*n])
            == NGX_OK)
        {
            (*n)++;
        }

        (*place)++;
    }

    return (*place < members->places.nelts) ? NGX_OK : NGX_DONE;
}


/*
 * Any of those that were not drawn yet in this look, as with cors-relay, so
 * that none is worn out: one step of a shuffle of the whole pool.
 */

static ngx_uint_t
ngx_stream_ntrip_accounts_draw(ngx_stream_ntrip_members_t *members,
    ngx_uint_t place)
{
    ngx_uint_t  *places, any, drawn;

    places = members->places.elts;
    any = place + (ngx_uint_t) ngx_random() % (members->places.nelts - place);

    drawn = places[any];
    places[any] = places[place];
    places[place] = drawn;

    return drawn;
}


ngx_int_t
ngx_stream_ntrip_store_candidate(ngx_stream_ntrip_account_t *account,
    ngx_str_t *mount, in_port_t port, ntrip_candidate_t *candidate)
{
    in_port_t  p;

    if (account->expires <= ngx_time()) {
        return NGX_DECLINED;
    }

#if !(NGX_STREAM_SSL)

    if (account->tls) {
        return NGX_DECLINED;
    }

#endif

    p = account->port ? account->port : port;

    candidate->source = account->id;
    candidate->host = ntrip_hash(ngx_stream_ntrip_worker.bus->seed,
                                 account->host.data, account->host.len, 1);
    candidate->host = ntrip_hash(candidate->host, (u_char *) &p, sizeof(p), 0);

    if (account->tls) {
        candidate->host = ntrip_hash(candidate->host, (u_char *) "tls", 3, 0);
    }

    candidate->host_mount = ntrip_hash(candidate->host, mount->data,
                                       mount->len, 0);

    return NGX_OK;
}
