
/*
 * Passwords of rovers: plain values at once, hashes in the thread pool, and
 * those that were right are remembered as keyed digests.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "ngx_stream_ntrip_worker.h"
#include "ngx_stream_ntrip_verify.h"
#include "ntrip_protocol.h"


/* 256 KB a worker, once the first hash was right */
#define NGX_STREAM_NTRIP_VERIFY_WAYS   4
#define NGX_STREAM_NTRIP_VERIFY_SETS   4096
#define NGX_STREAM_NTRIP_VERIFY_LEN    16


struct ngx_stream_ntrip_verify_s {
    ngx_thread_task_t            task;
    ngx_queue_t                  queue;        /* until its turn comes */
    ngx_stream_ntrip_verify_pt   handler;
    void                        *data;
    unsigned                     posted:1;     /* its turn has come */
    ngx_uint_t                   cancelled;    /* read in the thread */
    ngx_int_t                    rc;
    ngx_str_t                    stored;
    ngx_str_t                    password;
    u_char                       digest[NGX_STREAM_NTRIP_VERIFY_LEN];
    u_char                       text[NTRIP_PASSWORD_STORED
                                      + NTRIP_PASSWORD_MAX];
};


typedef struct {
    u_char   way[NGX_STREAM_NTRIP_VERIFY_WAYS][NGX_STREAM_NTRIP_VERIFY_LEN];
} ngx_stream_ntrip_verify_set_t;


static void ngx_stream_ntrip_verify_next(void);
static void ngx_stream_ntrip_verify_free(ngx_stream_ntrip_verify_t *v);
static void ngx_stream_ntrip_verify_thread(void *data, ngx_log_t *log);
static void ngx_stream_ntrip_verify_done(ngx_event_t *ev);
static ngx_int_t ngx_stream_ntrip_verify_digest(ngx_stream_ntrip_user_t *user,
    ngx_str_t *password, u_char *digest);
static ngx_uint_t ngx_stream_ntrip_verify_known(u_char *digest);
static void ngx_stream_ntrip_verify_learn(u_char *digest);
static size_t ngx_stream_ntrip_verify_address(ngx_connection_t *c,
    u_char **addr);


/* checks that wait for their turn, and how many have theirs */

static ngx_queue_t                     ngx_stream_ntrip_verifying;
static ngx_uint_t                      ngx_stream_ntrip_verify_posted;
static ngx_stream_ntrip_verify_set_t  *ngx_stream_ntrip_verified;
static u_char                          ngx_stream_ntrip_verify_key[32];
static ngx_thread_pool_t              *ngx_stream_ntrip_verify_pool;


ngx_int_t
ngx_stream_ntrip_verify_init(ngx_cycle_t *cycle, ngx_thread_pool_t *pool)
{
    ngx_queue_init(&ngx_stream_ntrip_verifying);

    ngx_stream_ntrip_verify_pool = pool;

    if (RAND_bytes(ngx_stream_ntrip_verify_key,
                   sizeof(ngx_stream_ntrip_verify_key)) != 1)
    {
        ngx_log_error(NGX_LOG_ALERT, cycle->log, 0, "RAND_bytes() failed");
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_stream_ntrip_verify(ngx_stream_ntrip_user_t *user, ngx_str_t *password,
    ngx_stream_ntrip_verify_pt handler, void *data,
    ngx_stream_ntrip_verify_t **check)
{
    u_char                     *p;
    ngx_str_t                   stored;
    ngx_stream_ntrip_verify_t  *v;
    u_char                      digest[NGX_STREAM_NTRIP_VERIFY_LEN];

    stored.data = user->password;
    stored.len = user->password_len;

    if (!ntrip_password_slow(&stored)) {
        return (ntrip_password_verify(&stored, password) == NGX_OK)
               ? NGX_OK : NGX_DECLINED;
    }

    if (password->len > NTRIP_PASSWORD_MAX) {
        return NGX_DECLINED;
    }

    if (ngx_stream_ntrip_verify_digest(user, password, digest) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_stream_ntrip_verify_known(digest)) {
        return NGX_OK;
    }

    /* not of a pool: the session may end while the thread works */

    v = ngx_calloc(sizeof(ngx_stream_ntrip_verify_t), ngx_cycle->log);
    if (v == NULL) {
        return NGX_ERROR;
    }

    v->task.ctx = v;
    v->task.handler = ngx_stream_ntrip_verify_thread;
    v->task.event.handler = ngx_stream_ntrip_verify_done;
    v->task.event.data = v;
    v->task.event.log = ngx_cycle->log;

    v->handler = handler;
    v->data = data;

    p = v->text;
    v->stored.data = p;
    v->stored.len = stored.len;
    p = ngx_cpymem(p, stored.data, stored.len);

    v->password.data = p;
    v->password.len = password->len;
    ngx_memcpy(p, password->data, password->len);

    ngx_memcpy(v->digest, digest, NGX_STREAM_NTRIP_VERIFY_LEN);

    ngx_queue_insert_tail(&ngx_stream_ntrip_verifying, &v->queue);

    ngx_stream_ntrip_verify_next();

    *check = v;

    return NGX_AGAIN;
}


/*
 * Gives the threads what they can compute soon: what is theirs cannot be taken
 * back without being looked at, and keeps a worker from exiting.  If they take
 * none now, the next check tries again, or the logins run out of time.
 */

static void
ngx_stream_ntrip_verify_next(void)
{
    ngx_queue_t                *q;
    ngx_stream_ntrip_verify_t  *v;

    while (ngx_stream_ntrip_verify_posted < 2 * (ngx_uint_t) ngx_ncpu
           && !ngx_queue_empty(&ngx_stream_ntrip_verifying))
    {
        q = ngx_queue_head(&ngx_stream_ntrip_verifying);
        v = ngx_queue_data(q, ngx_stream_ntrip_verify_t, queue);

        if (ngx_thread_task_post(ngx_stream_ntrip_verify_pool, &v->task)
            != NGX_OK)
        {
            return;
        }

        ngx_queue_remove(q);
        v->posted = 1;
        ngx_stream_ntrip_verify_posted++;
    }
}


void
ngx_stream_ntrip_verify_cancel(ngx_stream_ntrip_verify_t *v)
{
    if (v->posted) {
        __atomic_store_n(&v->cancelled, 1, __ATOMIC_RELAXED);
        return;
    }

    ngx_queue_remove(&v->queue);
    ngx_stream_ntrip_verify_free(v);
}


static void
ngx_stream_ntrip_verify_free(ngx_stream_ntrip_verify_t *v)
{
    ngx_explicit_memzero(v->text, sizeof(v->text));
    ngx_free(v);
}


/* a worker that is told to end at once waits for its threads nevertheless */

static void
ngx_stream_ntrip_verify_thread(void *data, ngx_log_t *log)
{
    ngx_stream_ntrip_verify_t  *v = data;

    v->rc = NGX_DECLINED;

    if (!__atomic_load_n(&v->cancelled, __ATOMIC_RELAXED) && !ngx_terminate) {
        v->rc = ntrip_password_verify(&v->stored, &v->password);
    }
}


static void
ngx_stream_ntrip_verify_done(ngx_event_t *ev)
{
    ngx_int_t                   rc;
    ngx_stream_ntrip_verify_t  *v;

    v = ev->data;

    ngx_stream_ntrip_verify_posted--;
    ngx_stream_ntrip_verify_next();

    if (v->rc == NGX_ERROR) {
        ngx_log_error(NGX_LOG_WARN, ev->log, 0,
                      "a stored password hash is of no known form");
    }

    rc = (v->rc == NGX_OK) ? NGX_OK : NGX_DECLINED;

    if (rc == NGX_OK) {
        ngx_stream_ntrip_verify_learn(v->digest);
    }

    if (!v->cancelled) {
        v->handler(v->data, rc);
    }

    ngx_stream_ntrip_verify_free(v);
}


/* of user, stored value and password: one that is changed is not known */

static ngx_int_t
ngx_stream_ntrip_verify_digest(ngx_stream_ntrip_user_t *user,
    ngx_str_t *password, u_char *digest)
{
    u_char    *p;
    unsigned   len;
    u_char     md[EVP_MAX_MD_SIZE];
    u_char     text[NTRIP_USER_MAX + sizeof(user->password)
                    + NTRIP_PASSWORD_MAX + 2];

    /* a length before each of the first two says where it ends */

    p = text;
    *p++ = (u_char) user->name_len;
    p = ngx_cpymem(p, user->name, user->name_len);
    *p++ = (u_char) user->password_len;
    p = ngx_cpymem(p, user->password, user->password_len);
    p = ngx_cpymem(p, password->data, password->len);

    p = HMAC(EVP_sha256(), ngx_stream_ntrip_verify_key,
             sizeof(ngx_stream_ntrip_verify_key), text, p - text, md, &len);

    ngx_explicit_memzero(text, sizeof(text));

    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(digest, md, NGX_STREAM_NTRIP_VERIFY_LEN);

    return NGX_OK;
}


static ngx_stream_ntrip_verify_set_t *
ngx_stream_ntrip_verify_set(u_char *digest)
{
    uint32_t  n;

    ngx_memcpy(&n, digest, sizeof(uint32_t));

    return &ngx_stream_ntrip_verified[n % NGX_STREAM_NTRIP_VERIFY_SETS];
}


static ngx_uint_t
ngx_stream_ntrip_verify_known(u_char *digest)
{
    ngx_uint_t                      i;
    ngx_stream_ntrip_verify_set_t  *set;

    if (ngx_stream_ntrip_verified == NULL) {
        return 0;
    }

    set = ngx_stream_ntrip_verify_set(digest);

    for (i = 0; i < NGX_STREAM_NTRIP_VERIFY_WAYS; i++) {
        if (CRYPTO_memcmp(set->way[i], digest, NGX_STREAM_NTRIP_VERIFY_LEN)
            == 0)
        {
            return 1;
        }
    }

    return 0;
}


static void
ngx_stream_ntrip_verify_learn(u_char *digest)
{
    ngx_uint_t                      i;
    ngx_stream_ntrip_verify_set_t  *set;

    if (ngx_stream_ntrip_verified == NULL) {

        ngx_stream_ntrip_verified =
                 ngx_calloc(NGX_STREAM_NTRIP_VERIFY_SETS
                            * sizeof(ngx_stream_ntrip_verify_set_t),
                            ngx_cycle->log);

        if (ngx_stream_ntrip_verified == NULL) {
            return;
        }
    }

    if (ngx_stream_ntrip_verify_known(digest)) {
        return;
    }

    set = ngx_stream_ntrip_verify_set(digest);

    /* the newest first, the oldest goes */

    for (i = NGX_STREAM_NTRIP_VERIFY_WAYS - 1; i > 0; i--) {
        ngx_memcpy(set->way[i], set->way[i - 1],
                   NGX_STREAM_NTRIP_VERIFY_LEN);
    }

    ngx_memcpy(set->way[0], digest, NGX_STREAM_NTRIP_VERIFY_LEN);
}


ngx_uint_t
ngx_stream_ntrip_verify_blocked(ngx_connection_t *c)
{
    size_t       len;
    u_char      *addr;
    ngx_uint_t   blocked;

    len = ngx_stream_ntrip_verify_address(c, &addr);

    if (len == 0) {
        return 0;
    }

    ngx_stream_ntrip_lock();

    blocked = ntrip_session_blocked(ngx_stream_ntrip_worker.zone,
                                    ngx_stream_ntrip_worker.bus, addr, len,
                                    ngx_current_msec);

    ngx_stream_ntrip_unlock();

    return blocked;
}


ngx_uint_t
ngx_stream_ntrip_verify_failed(ngx_connection_t *c)
{
    size_t       len;
    u_char      *addr;
    ngx_uint_t   n;

    len = ngx_stream_ntrip_verify_address(c, &addr);

    if (len == 0) {
        return 0;
    }

    ngx_stream_ntrip_lock();

    n = ntrip_session_failed(ngx_stream_ntrip_worker.zone,
                             ngx_stream_ntrip_worker.bus, addr, len,
                             ngx_current_msec);

    ngx_stream_ntrip_unlock();

    return n;
}


/* 4 or 16 bytes; 0: a unix socket */

static size_t
ngx_stream_ntrip_verify_address(ngx_connection_t *c, u_char **addr)
{
    switch (c->sockaddr->sa_family) {

#if (NGX_HAVE_INET6)
    case AF_INET6:
        *addr = ((struct sockaddr_in6 *) c->sockaddr)->sin6_addr.s6_addr;
        return 16;
#endif

    case AF_INET:
        *addr = (u_char *) &((struct sockaddr_in *) c->sockaddr)->sin_addr;
        return 4;

    default:
        return 0;
    }
}
