
/*
 * Passwords of rovers: plain values at once, hashes in the thread pool, each
 * address in its turn.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_stream_ntrip_rover_private.h"
#include "ntrip_checks.h"
#include "ntrip_protocol.h"


struct ngx_stream_ntrip_verify_s {
    ngx_thread_task_t            task;
    ntrip_check_t                check;
    ntrip_guest_t                guest;
    ngx_stream_ntrip_door_e      door;
    ntrip_kinds_t               *kinds;        /* NULL: his own alone */
    ngx_stream_ntrip_verify_pt   handler;
    void                        *data;
    unsigned                     user:1;       /* there is one */
    unsigned                     turn:1;       /* of its address is ours */
    ngx_uint_t                   cancelled;    /* read in the thread */
    ngx_uint_t                   refused;
    ngx_int_t                    rc;
    ngx_str_t                    stored;
    ngx_str_t                    password;
    u_char                       digest[NGX_STREAM_NTRIP_KNOWN_LEN];
    u_char                       text[NTRIP_PASSWORD_STORED
                                      + NTRIP_PASSWORD_MAX];
};


static ngx_stream_ntrip_verify_t *ngx_stream_ntrip_verify_create(
    ngx_stream_ntrip_claim_t *claim, ngx_str_t *stored);
static ngx_int_t ngx_stream_ntrip_verify_queue(ngx_stream_ntrip_verify_t *v);
static void ngx_stream_ntrip_verify_next(void);
static ngx_int_t ngx_stream_ntrip_verify_turn(ngx_stream_ntrip_verify_t *v);
static void ngx_stream_ntrip_verify_give(ngx_stream_ntrip_verify_t *v);
static void ngx_stream_ntrip_verify_again(ngx_event_t *ev);
static void ngx_stream_ntrip_verify_free(ngx_stream_ntrip_verify_t *v);
static void ngx_stream_ntrip_verify_thread(void *data, ngx_log_t *log);
static void ngx_stream_ntrip_verify_done(ngx_event_t *ev);
static ngx_uint_t ngx_stream_ntrip_verify_failed(ntrip_guest_t *guest);
static void ngx_stream_ntrip_verify_guest(ngx_connection_t *c,
    ngx_stream_ntrip_door_e door, ngx_str_t *name, ntrip_guest_t *guest);
static size_t ngx_stream_ntrip_verify_address(ngx_connection_t *c,
    u_char **addr);


static ntrip_checks_t      ngx_stream_ntrip_checks;
static ngx_event_t         ngx_stream_ntrip_checks_event;
static ngx_connection_t    ngx_stream_ntrip_checks_dumb;
static ngx_thread_pool_t  *ngx_stream_ntrip_verify_pool;


/*
 * So much is given to the threads as they can compute soon: what is theirs
 * cannot be taken back without being looked at, and keeps a worker from
 * exiting.  Half of that is for one address.
 */

ngx_int_t
ngx_stream_ntrip_verify_init(ngx_cycle_t *cycle, ngx_thread_pool_t *pool)
{
    ngx_event_t  *ev;

    ntrip_checks_init(&ngx_stream_ntrip_checks, 2 * ngx_ncpu, ngx_ncpu);

    ngx_stream_ntrip_verify_pool = pool;

    ngx_stream_ntrip_checks_dumb.fd = (ngx_socket_t) -1;

    ev = &ngx_stream_ntrip_checks_event;
    ev->handler = ngx_stream_ntrip_verify_again;
    ev->data = &ngx_stream_ntrip_checks_dumb;
    ev->log = cycle->log;
    ev->cancelable = 1;

    return ngx_stream_ntrip_known_init(cycle);
}


ngx_int_t
ngx_stream_ntrip_verify(ngx_stream_ntrip_claim_t *claim,
    ngx_stream_ntrip_verify_pt handler, void *data,
    ngx_stream_ntrip_verify_t **check)
{
    ngx_int_t                   rc;
    ngx_uint_t                  slow;
    ngx_str_t                  *stored, value;
    ntrip_guest_t               guest;
    ngx_stream_ntrip_verify_t  *v;
    u_char                      digest[NGX_STREAM_NTRIP_KNOWN_LEN];

    if (claim->password.len > NTRIP_PASSWORD_MAX) {
        claim->password.len = NTRIP_PASSWORD_MAX;
        claim->refused = 1;
    }

    stored = NULL;
    slow = 0;

    if (claim->user) {
        value.data = claim->user->password;
        value.len = claim->user->password_len;
        stored = &value;
        slow = ntrip_password_slow(stored);
    }

    if (slow) {
        rc = ngx_stream_ntrip_known_digest(claim->user, &claim->password,
                                           digest);
        if (rc != NGX_OK) {
            return NGX_ERROR;
        }

        if (!claim->refused && ngx_stream_ntrip_known(digest)) {
            return NGX_OK;
        }
    }

    ngx_stream_ntrip_verify_guest(claim->peer, claim->door, &claim->name,
                                  &guest);

    if (!slow
        && (claim->door == NGX_STREAM_NTRIP_DOOR_CONSOLE
            || ngx_stream_ntrip_failures(claim->peer, claim->door, 0)
               < NTRIP_FAIL_LIMIT))
    {

        rc = (stored && !claim->refused)
             ? ntrip_password_verify(stored, &claim->password) : NGX_DECLINED;

        if (rc == NGX_OK) {
            return NGX_OK;
        }

        if (ngx_stream_ntrip_store_kinds()->n == 0
            || claim->door == NGX_STREAM_NTRIP_DOOR_CONSOLE)
        {
            (void) ngx_stream_ntrip_verify_failed(&guest);
            return NGX_DECLINED;
        }
    }

    v = ngx_stream_ntrip_verify_create(claim, stored);
    if (v == NULL) {
        return NGX_ERROR;
    }

    v->guest = guest;
    v->handler = handler;
    v->data = data;

    if (slow) {
        ngx_memcpy(v->digest, digest, NGX_STREAM_NTRIP_KNOWN_LEN);
    }

    if (ngx_stream_ntrip_verify_queue(v) != NGX_OK) {
        ngx_explicit_memzero(v->text, sizeof(v->text));
        ngx_free(v);
        return NGX_ERROR;
    }

    *check = v;

    ngx_stream_ntrip_verify_next();

    return NGX_AGAIN;
}


/* not of a pool: the session may end while the thread works */

static ngx_stream_ntrip_verify_t *
ngx_stream_ntrip_verify_create(ngx_stream_ntrip_claim_t *claim,
    ngx_str_t *stored)
{
    u_char                     *p;
    ngx_stream_ntrip_verify_t  *v;

    v = ngx_calloc(sizeof(ngx_stream_ntrip_verify_t), ngx_cycle->log);
    if (v == NULL) {
        return NULL;
    }

    v->task.ctx = v;
    v->task.handler = ngx_stream_ntrip_verify_thread;
    v->task.event.handler = ngx_stream_ntrip_verify_done;
    v->task.event.data = v;
    v->task.event.log = ngx_cycle->log;

    v->door = claim->door;
    v->kinds = (claim->door == NGX_STREAM_NTRIP_DOOR_CASTER)
               ? ngx_stream_ntrip_store_kinds() : NULL;
    v->refused = claim->refused;

    p = v->text;

    if (stored) {
        v->user = 1;
        v->stored.data = p;
        v->stored.len = stored->len;
        p = ngx_cpymem(p, stored->data, stored->len);
    }

    v->password.data = p;
    v->password.len = claim->password.len;

    if (claim->password.len) {
        ngx_memcpy(p, claim->password.data, claim->password.len);
    }

    return v;
}


/* a lane of its own for each address, and for each at the console */

static ngx_int_t
ngx_stream_ntrip_verify_queue(ngx_stream_ntrip_verify_t *v)
{
    ngx_uint_t       failures;
    ntrip_lane_t    *lane;
    ntrip_checks_t  *checks;

    checks = &ngx_stream_ntrip_checks;

    lane = ntrip_checks_lane(checks, v->guest.address);

    if (lane == NULL) {
        lane = ngx_alloc(sizeof(ntrip_lane_t), ngx_cycle->log);
        if (lane == NULL) {
            return NGX_ERROR;
        }

        ntrip_checks_open(checks, lane, v->guest.address);
    }

    ngx_stream_ntrip_lock();

    failures = ntrip_guest_name_failures(ngx_stream_ntrip_worker.zone,
                                         &v->guest, ngx_current_msec);

    ngx_stream_ntrip_unlock();

    ntrip_checks_add(checks, lane, &v->check, failures);

    return NGX_OK;
}


/* if the threads take none now, it is tried again soon */

static void
ngx_stream_ntrip_verify_next(void)
{
    ngx_int_t                   rc;
    ntrip_check_t              *check;
    ntrip_checks_t             *checks;
    ngx_stream_ntrip_verify_t  *v;

    checks = &ngx_stream_ntrip_checks;

    while ((check = ntrip_checks_next(checks)) != NULL) {

        v = ngx_queue_data(check, ngx_stream_ntrip_verify_t, check);

        rc = ngx_stream_ntrip_verify_turn(v);

        if (rc == NGX_BUSY) {
            ntrip_checks_demote(checks, check);
            continue;
        }

        if (rc == NGX_OK) {
            rc = ngx_thread_task_post(ngx_stream_ntrip_verify_pool, &v->task);

            if (rc == NGX_OK) {
                ntrip_checks_start(checks, check);
                continue;
            }

            ngx_stream_ntrip_verify_give(v);
        }

        ntrip_checks_defer(checks, check->lane);

        if (!ngx_stream_ntrip_checks_event.timer_set) {
            ngx_add_timer(&ngx_stream_ntrip_checks_event, NTRIP_TURN_ASK);
        }
    }
}


/*
 * NGX_OK: it may begin; NGX_BUSY: its user has failures by now, others come
 * first; NGX_AGAIN: it is not the turn of its address.
 */

static ngx_int_t
ngx_stream_ntrip_verify_turn(ngx_stream_ntrip_verify_t *v)
{
    ngx_int_t      rc;
    ngx_msec_t     now;
    ngx_uint_t     failed;
    ntrip_zone_t  *zone;

    zone = ngx_stream_ntrip_worker.zone;
    now = ngx_current_msec;

    ngx_stream_ntrip_lock();

    failed = ntrip_guest_name_failures(zone, &v->guest, now);

    if (failed && v->check.state == NTRIP_CHECK_FIRST) {
        rc = NGX_BUSY;

    } else if (v->door == NGX_STREAM_NTRIP_DOOR_CONSOLE) {
        rc = NGX_OK;

    } else if (v->check.lane->running
               && ntrip_guest_failures(zone, &v->guest, now)
                  >= NTRIP_FAIL_LIMIT)
    {
        rc = NGX_AGAIN;

    } else {
        rc = ntrip_turn_take(zone, ngx_stream_ntrip_worker.bus,
                             ngx_stream_ntrip_worker.me, now,
                             v->guest.address, failed);

        v->turn = (rc == NGX_OK);

        if (rc == NGX_DECLINED) {
            rc = NGX_OK;
        }
    }

    ngx_stream_ntrip_unlock();

    return rc;
}


static void
ngx_stream_ntrip_verify_give(ngx_stream_ntrip_verify_t *v)
{
    ngx_queue_t  *first;

    if (!v->turn) {
        return;
    }

    v->turn = 0;
    first = &v->check.lane->waiting[NTRIP_CHECK_FIRST];

    ngx_stream_ntrip_lock();

    ntrip_turn_give(ngx_stream_ntrip_worker.zone, ngx_stream_ntrip_worker.bus,
                    ngx_stream_ntrip_worker.me, ngx_current_msec,
                    v->guest.address, !ngx_queue_empty(first));

    ngx_stream_ntrip_unlock();
}


/* other workers give no sign when they give a turn back */

static void
ngx_stream_ntrip_verify_again(ngx_event_t *ev)
{
    ntrip_checks_resume(&ngx_stream_ntrip_checks);

    ngx_stream_ntrip_verify_next();
}


void
ngx_stream_ntrip_verify_cancel(ngx_stream_ntrip_verify_t *v)
{
    if (v->check.state == NTRIP_CHECK_RUNS) {
        __atomic_store_n(&v->cancelled, 1, __ATOMIC_RELAXED);
        return;
    }

    ngx_stream_ntrip_verify_free(v);
}


static void
ngx_stream_ntrip_verify_free(ngx_stream_ntrip_verify_t *v)
{
    ntrip_lane_t  *lane;

    lane = ntrip_checks_end(&ngx_stream_ntrip_checks, &v->check);

    if (lane) {
        ngx_free(lane);
    }

    ngx_explicit_memzero(v->text, sizeof(v->text));
    ngx_free(v);
}


/* a worker that is told to end at once waits for its threads nevertheless */

static void
ngx_stream_ntrip_verify_thread(void *data, ngx_log_t *log)
{
    ngx_stream_ntrip_verify_t  *v = data;

    if (__atomic_load_n(&v->cancelled, __ATOMIC_RELAXED) || ngx_terminate) {
        v->rc = NGX_ABORT;
        return;
    }

    v->rc = ntrip_password_check(v->user ? &v->stored : NULL, &v->password,
                                 v->refused, v->kinds);
}


/* a wrong password counts, also of somebody who has not waited for the reply */

static void
ngx_stream_ntrip_verify_done(ngx_event_t *ev)
{
    void                        *data;
    ngx_int_t                    rc;
    ngx_stream_ntrip_verify_t   *v;
    ngx_stream_ntrip_verify_pt   handler;

    v = ev->data;

    if (v->rc == NGX_ERROR) {
        ngx_log_error(NGX_LOG_WARN, ev->log, 0,
                      "a stored password hash is of no known form");
    }

    if (v->rc == NGX_OK) {
        ngx_stream_ntrip_known_add(v->digest);

    } else if (v->rc != NGX_ABORT) {
        (void) ngx_stream_ntrip_verify_failed(&v->guest);
    }

    rc = (v->rc == NGX_OK) ? NGX_OK : NGX_DECLINED;
    handler = v->cancelled ? NULL : v->handler;
    data = v->data;

    ngx_stream_ntrip_verify_give(v);
    ngx_stream_ntrip_verify_free(v);
    ngx_stream_ntrip_verify_next();

    if (handler) {
        handler(data, rc);
    }
}


ngx_uint_t
ngx_stream_ntrip_failures(ngx_connection_t *c, ngx_stream_ntrip_door_e door,
    ngx_uint_t more)
{
    ngx_str_t      name;
    ngx_uint_t     n;
    ntrip_guest_t  guest;

    ngx_str_null(&name);

    ngx_stream_ntrip_verify_guest(c, door, &name, &guest);

    if (more) {
        return ngx_stream_ntrip_verify_failed(&guest);
    }

    ngx_stream_ntrip_lock();

    n = ntrip_guest_failures(ngx_stream_ntrip_worker.zone, &guest,
                             ngx_current_msec);

    ngx_stream_ntrip_unlock();

    return n;
}


static ngx_uint_t
ngx_stream_ntrip_verify_failed(ntrip_guest_t *guest)
{
    ngx_uint_t  n;

    ngx_stream_ntrip_lock();

    n = ntrip_guest_failed(ngx_stream_ntrip_worker.zone, guest,
                           ngx_current_msec);

    ngx_stream_ntrip_unlock();

    return n;
}


/* whoever guesses at one door is not kept from the other */

static void
ngx_stream_ntrip_verify_guest(ngx_connection_t *c,
    ngx_stream_ntrip_door_e door, ngx_str_t *name, ntrip_guest_t *guest)
{
    size_t   len;
    u_char  *addr;

    len = ngx_stream_ntrip_verify_address(c, &addr);

    ntrip_guest_init(guest, ngx_stream_ntrip_worker.bus, door, addr, len,
                     name);
}


/* 4 or 16 bytes; 0: a unix socket */

static size_t
ngx_stream_ntrip_verify_address(ngx_connection_t *c, u_char **addr)
{
#if (NGX_HAVE_INET6)
    struct in6_addr  *in6;
#endif

    switch (c->sockaddr->sa_family) {

#if (NGX_HAVE_INET6)
    case AF_INET6:
        in6 = &((struct sockaddr_in6 *) c->sockaddr)->sin6_addr;

        if (IN6_IS_ADDR_V4MAPPED(in6)) {
            *addr = in6->s6_addr + 12;
            return 4;
        }

        *addr = in6->s6_addr;
        return 16;
#endif

    case AF_INET:
        *addr = (u_char *) &((struct sockaddr_in *) c->sockaddr)->sin_addr;
        return 4;

    default:
        *addr = NULL;
        return 0;
    }
}
