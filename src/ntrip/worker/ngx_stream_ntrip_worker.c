
/*
 * Fieldgate: waking other workers and being woken, by descriptors that the
 * master has made.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_stream.h>

#include <sys/eventfd.h>

#include "ngx_stream_ntrip_worker.h"


/* of other workers, taken at a time */
#define NGX_STREAM_NTRIP_MESSAGES  32


static void ngx_stream_ntrip_make_descriptors(ngx_cycle_t *cycle);
static ngx_int_t ngx_stream_ntrip_make_slot(ngx_uint_t slot, ngx_log_t *log);
static ngx_connection_t *ngx_stream_ntrip_watch(ngx_cycle_t *cycle,
    ngx_socket_t fd, ngx_event_handler_pt handler);
static void ngx_stream_ntrip_wakeup_handler(ngx_event_t *rev);
static void ngx_stream_ntrip_again_handler(ngx_event_t *ev);
static void ngx_stream_ntrip_exiting_handler(ngx_event_t *ev);
static void ngx_stream_ntrip_pair_handler(ngx_event_t *rev);
static ngx_int_t ngx_stream_ntrip_receive(ngx_uint_t slot,
    ngx_uint_t accept);


ngx_stream_ntrip_worker_t  ngx_stream_ntrip_worker;


/*
 * Made by the master, kept over every reload, known to a worker as far as they
 * were there when it was forked.  What is sent to pairs[slot][1] comes out of
 * pairs[slot][0].
 */

static ngx_fd_t      ngx_stream_ntrip_eventfds[NTRIP_SLOTS];
static ngx_socket_t  ngx_stream_ntrip_pairs[NTRIP_SLOTS][2];
static ngx_uint_t    ngx_stream_ntrip_descriptors;

static uint64_t      ngx_stream_ntrip_generation;

static ngx_event_t   ngx_stream_ntrip_again;
static ngx_event_t   ngx_stream_ntrip_exiting;
static ngx_uint_t    ngx_stream_ntrip_rebuilt;


/* in the master; a failure here would end it on reload */

void
ngx_stream_ntrip_worker_init_module(ngx_cycle_t *cycle,
    ngx_stream_ntrip_main_conf_t *nmcf)
{
    ngx_stream_ntrip_zone_ctx_t  *ctx;

    ctx = nmcf->bus->data;

    ngx_stream_ntrip_generation = __atomic_add_fetch(&ctx->bus->generation, 1,
                                                     __ATOMIC_SEQ_CST);

    ngx_stream_ntrip_make_descriptors(cycle);
}


static void
ngx_stream_ntrip_make_descriptors(ngx_cycle_t *cycle)
{
    ngx_uint_t        n;
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    n = ngx_max(32, 8 * ngx_max(ccf->worker_processes, 1));
    n = ngx_min(n, NTRIP_SLOTS);

    while (ngx_stream_ntrip_descriptors < n) {

        if (ngx_stream_ntrip_make_slot(ngx_stream_ntrip_descriptors,
                                       cycle->log)
            != NGX_OK)
        {
            ngx_log_error(NGX_LOG_ERR, cycle->log, 0,
                          "only %ui of %ui workers can serve \"ntrip_caster\"",
                          ngx_stream_ntrip_descriptors, n);
            break;
        }

        ngx_stream_ntrip_descriptors++;
    }
}


static ngx_int_t
ngx_stream_ntrip_make_slot(ngx_uint_t slot, ngx_log_t *log)
{
    ngx_fd_t       fd;
    ngx_socket_t  *pair;

    pair = ngx_stream_ntrip_pairs[slot];

    fd = eventfd(0, EFD_CLOEXEC|EFD_NONBLOCK);

    if (fd == -1) {
        ngx_log_error(NGX_LOG_ERR, log, ngx_errno, "eventfd() failed");
        return NGX_ERROR;
    }

    if (socketpair(AF_UNIX, SOCK_SEQPACKET|SOCK_CLOEXEC|SOCK_NONBLOCK, 0,
                   pair)
        == -1)
    {
        ngx_log_error(NGX_LOG_ERR, log, ngx_socket_errno,
                      "socketpair() failed");
        (void) close(fd);
        return NGX_ERROR;
    }

    ngx_stream_ntrip_eventfds[slot] = fd;

    return NGX_OK;
}


ngx_int_t
ngx_stream_ntrip_worker_init_process(ngx_cycle_t *cycle,
    ngx_stream_ntrip_main_conf_t *nmcf, ngx_stream_ntrip_hooks_t *hooks)
{
    ngx_stream_ntrip_worker_t    *worker;
    ngx_stream_ntrip_zone_ctx_t  *ctx;

    worker = &ngx_stream_ntrip_worker;
    worker->hooks = hooks;

    ctx = nmcf->bus->data;
    worker->bus = ctx->bus;
    worker->bus_pool = (ngx_slab_pool_t *) nmcf->bus->shm.addr;

    ctx = nmcf->zone->data;
    worker->zone = ctx->zone;

    __atomic_store_n(&worker->zone->cooling, nmcf->account_cooling,
                     __ATOMIC_RELAXED);
    __atomic_store_n(&worker->zone->pace, nmcf->host_pace, __ATOMIC_RELAXED);

    worker->zone_pool = (ngx_slab_pool_t *) nmcf->zone->shm.addr;

    worker->limit = ngx_stream_ntrip_descriptors;
    worker->generation = ngx_stream_ntrip_generation;

    ngx_stream_ntrip_again.handler = ngx_stream_ntrip_again_handler;
    ngx_stream_ntrip_again.log = cycle->log;
    ngx_stream_ntrip_exiting.handler = ngx_stream_ntrip_exiting_handler;
    ngx_stream_ntrip_exiting.log = cycle->log;

    ngx_stream_ntrip_slots_init(cycle);

    return NGX_OK;
}


void
ngx_stream_ntrip_worker_exit_process(ngx_cycle_t *cycle)
{
    ngx_stream_ntrip_slots_exit(cycle);
}


/*
 * Nothing closes these connections: they end with the process, and "channel"
 * keeps nginx from taking them for forgotten ones.
 */

void
ngx_stream_ntrip_worker_watch(ngx_cycle_t *cycle)
{
    ngx_uint_t         slot;
    ngx_connection_t  *c;

    slot = ngx_stream_ntrip_worker.slot;

    c = ngx_stream_ntrip_watch(cycle, ngx_stream_ntrip_eventfds[slot],
                               ngx_stream_ntrip_wakeup_handler);

    if (c) {
        /* is called with c->close when the worker is told to exit */
        c->idle = 1;
    }

    if (ngx_stream_ntrip_watch(cycle, ngx_stream_ntrip_pairs[slot][0],
                               ngx_stream_ntrip_pair_handler)
        == NULL || c == NULL)
    {
        ngx_log_error(NGX_LOG_ERR, cycle->log, 0,
                      "this worker takes no connections from others, and "
                      "looks for news once a second only");

        ngx_stream_ntrip_worker.bus->slots[slot].exiting = 1;
    }
}


static ngx_connection_t *
ngx_stream_ntrip_watch(ngx_cycle_t *cycle, ngx_socket_t fd,
    ngx_event_handler_pt handler)
{
    ngx_event_t       *rev;
    ngx_connection_t  *c;

    c = ngx_get_connection(fd, cycle->log);
    if (c == NULL) {
        return NULL;
    }

    rev = c->read;

    rev->log = cycle->log;
    rev->handler = handler;
    rev->channel = 1;
    c->write->channel = 1;

    if (ngx_add_event(rev, NGX_READ_EVENT, 0) == NGX_ERROR) {
        ngx_free_connection(c);
        return NULL;
    }

    return c;
}


static void
ngx_stream_ntrip_wakeup_handler(ngx_event_t *rev)
{
    uint64_t           n;
    ngx_connection_t  *c;

    c = rev->data;

    if (c->close) {
        c->close = 0;
        ngx_stream_ntrip_worker_hold();
        ngx_post_event(&ngx_stream_ntrip_exiting, &ngx_posted_next_events);
        return;
    }

    if (read(c->fd, &n, sizeof(uint64_t)) == -1 && ngx_errno != NGX_EAGAIN) {
        ngx_log_error(NGX_LOG_ALERT, rev->log, ngx_errno,
                      "read() of an eventfd failed");
    }

    ngx_stream_ntrip_woken();
}


static void
ngx_stream_ntrip_again_handler(ngx_event_t *ev)
{
    ngx_stream_ntrip_woken();
}


static void
ngx_stream_ntrip_exiting_handler(ngx_event_t *ev)
{
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;
    worker->exiting = 1;
    worker->since = ngx_current_msec;

    if (worker->me) {
        __atomic_store_n(&worker->bus->slots[worker->slot].exiting, 1,
                         __ATOMIC_SEQ_CST);

        worker->hooks->exiting();
    }
}


/* the order of the first two is what keeps wake-ups from being lost: see
   ntrip_bus.h */

void
ngx_stream_ntrip_woken(void)
{
    uint64_t                    bits;
    uint32_t                    index;
    ngx_int_t                   rc;
    ngx_str_t                   user;
    ngx_uint_t                  word;
    ntrip_kick_t                kick;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;

    if (worker->me == 0) {
        return;
    }

    ntrip_bus_asleep(worker->bus, worker->slot);

    for (word = 0; word < NTRIP_STREAM_WORDS; word++) {
        bits = ntrip_bus_take(worker->bus, worker->slot, word);

        while (bits) {
            index = word * 64 + __builtin_ctzll(bits);
            bits &= bits - 1;

            if (index < worker->zone->streams.n) {
                worker->hooks->stream(index);
            }
        }
    }

    if (worker->exiting) {
        worker->hooks->answered();
    }

    for ( ;; ) {
        rc = ntrip_bus_kick_read(worker->bus, &worker->kick_cursor, &kick);

        if (rc == NGX_AGAIN) {
            return;
        }

        if (rc == NGX_DECLINED) {
            worker->hooks->kicked(NULL, 0);
            continue;
        }

        user.len = ngx_min(kick.user_len, NTRIP_USER_MAX);
        user.data = kick.user;

        worker->hooks->kicked(&user, kick.below);
    }
}


void
ngx_stream_ntrip_wake(ngx_uint_t slot)
{
    uint64_t                    one;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;

    if (worker->me && slot == worker->slot) {
        ngx_post_event(&ngx_stream_ntrip_again, &ngx_posted_events);
        return;
    }

    if (slot >= worker->limit || !ntrip_bus_wake(worker->bus, slot)) {
        return;
    }

    one = 1;

    if (write(ngx_stream_ntrip_eventfds[slot], &one, sizeof(uint64_t)) == -1
        && ngx_errno != NGX_EAGAIN)
    {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, ngx_errno,
                      "write() to an eventfd failed");
    }
}


void
ngx_stream_ntrip_wake_set(ntrip_slots_t *set)
{
    uint64_t    bits;
    ngx_uint_t  word;

    for (word = 0; word < NTRIP_SLOT_WORDS; word++) {
        for (bits = set->bits[word]; bits; bits &= bits - 1) {
            ngx_stream_ntrip_wake(word * 64 + __builtin_ctzll(bits));
        }
    }
}


void
ngx_stream_ntrip_kick(ngx_str_t *user, uint64_t below, ntrip_slots_t *wake)
{
    ngx_stream_ntrip_lock_bus();
    ntrip_bus_kick(ngx_stream_ntrip_worker.bus, user->data, user->len, below);
    ngx_stream_ntrip_unlock_bus();

    ngx_stream_ntrip_wake_set(wake);
}


void
ngx_stream_ntrip_lock(void)
{
    ngx_shmtx_lock(&ngx_stream_ntrip_worker.zone_pool->mutex);

    if (ntrip_zone_enter(ngx_stream_ntrip_worker.zone)) {
        ngx_stream_ntrip_rebuilt = 1;
    }
}


void
ngx_stream_ntrip_unlock(void)
{
    ntrip_zone_leave(ngx_stream_ntrip_worker.zone);

    ngx_shmtx_unlock(&ngx_stream_ntrip_worker.zone_pool->mutex);

    if (ngx_stream_ntrip_rebuilt) {
        ngx_stream_ntrip_rebuilt = 0;

        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "a worker died while it changed \"ntrip_zone\", whose "
                      "lists were made anew");
    }
}


void
ngx_stream_ntrip_lock_bus(void)
{
    ngx_shmtx_lock(&ngx_stream_ntrip_worker.bus_pool->mutex);
}


void
ngx_stream_ntrip_unlock_bus(void)
{
    ngx_shmtx_unlock(&ngx_stream_ntrip_worker.bus_pool->mutex);
}


/* the rest with the next event, which comes as long as there is something:
   thousands of rovers may be on their way */

static void
ngx_stream_ntrip_pair_handler(ngx_event_t *rev)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_STREAM_NTRIP_MESSAGES; i++) {
        if (ngx_stream_ntrip_receive(ngx_stream_ntrip_worker.slot, 1)
            != NGX_OK)
        {
            return;
        }
    }
}


/* nobody reads it, and what is in it keeps connections open */

void
ngx_stream_ntrip_worker_empty(ngx_uint_t slot)
{
    while (ngx_stream_ntrip_receive(slot, 0) == NGX_OK) { /* void */ }
}


static ngx_int_t
ngx_stream_ntrip_receive(ngx_uint_t slot, ngx_uint_t accept)
{
    ssize_t          n;
    ngx_uint_t       i, nfds;
    struct iovec     iov;
    ngx_socket_t     fds[NTRIP_HANDOVER_FDS];
    struct msghdr    mh;
    struct cmsghdr  *cm;

    union {
        struct cmsghdr  header;
        u_char          space[CMSG_SPACE(sizeof(fds))];
    } control;

    static ntrip_handover_t  msg;

    iov.iov_base = &msg;
    iov.iov_len = sizeof(ntrip_handover_t);

    ngx_memzero(&mh, sizeof(struct msghdr));
    mh.msg_iov = &iov;
    mh.msg_iovlen = 1;
    mh.msg_control = &control;
    mh.msg_controllen = sizeof(control);

    n = recvmsg(ngx_stream_ntrip_pairs[slot][0], &mh,
                MSG_DONTWAIT|MSG_CMSG_CLOEXEC);

    if (n <= 0) {
        if (n == 0 || ngx_socket_errno != NGX_EAGAIN) {
            ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, ngx_socket_errno,
                          "recvmsg() of another worker failed");
        }

        return NGX_AGAIN;
    }

    nfds = 0;

    for (cm = CMSG_FIRSTHDR(&mh); cm; cm = CMSG_NXTHDR(&mh, cm)) {
        if (cm->cmsg_level == SOL_SOCKET && cm->cmsg_type == SCM_RIGHTS) {
            nfds = (cm->cmsg_len - CMSG_LEN(0)) / sizeof(ngx_socket_t);
            ngx_memcpy(fds, CMSG_DATA(cm), nfds * sizeof(ngx_socket_t));
        }
    }

    if (accept
        && (mh.msg_flags & (MSG_TRUNC|MSG_CTRUNC)) == 0
        && ntrip_handover_check(&msg, n, nfds) == NGX_OK
        && msg.heir == ngx_stream_ntrip_worker.me)
    {
        ngx_stream_ntrip_worker.hooks->received(&msg, fds, nfds);
        return NGX_OK;
    }

    for (i = 0; i < nfds; i++) {
        (void) ngx_close_socket(fds[i]);
    }

    return NGX_OK;
}


ngx_int_t
ngx_stream_ntrip_worker_send(uint64_t heir, ntrip_handover_t *msg,
    ngx_socket_t *fds, ngx_uint_t nfds)
{
    ssize_t          size;
    ngx_err_t        err;
    ngx_uint_t       slot;
    struct iovec     iov;
    struct msghdr    mh;
    struct cmsghdr  *cm;

    union {
        struct cmsghdr  header;
        u_char          space[CMSG_SPACE(sizeof(ngx_socket_t)
                                         * NTRIP_HANDOVER_FDS)];
    } control;

    slot = ntrip_holder_slot(heir);
    size = ntrip_handover_size(msg);

    if (slot >= ngx_stream_ntrip_worker.limit
        || nfds > NTRIP_HANDOVER_FDS
        || size == NGX_ERROR)
    {
        return NGX_ERROR;
    }

    iov.iov_base = msg;
    iov.iov_len = size;

    ngx_memzero(&control, sizeof(control));
    ngx_memzero(&mh, sizeof(struct msghdr));

    mh.msg_iov = &iov;
    mh.msg_iovlen = 1;
    mh.msg_control = &control;
    mh.msg_controllen = CMSG_SPACE(sizeof(ngx_socket_t) * nfds);

    cm = CMSG_FIRSTHDR(&mh);
    cm->cmsg_level = SOL_SOCKET;
    cm->cmsg_type = SCM_RIGHTS;
    cm->cmsg_len = CMSG_LEN(sizeof(ngx_socket_t) * nfds);
    ngx_memcpy(CMSG_DATA(cm), fds, sizeof(ngx_socket_t) * nfds);

    if (sendmsg(ngx_stream_ntrip_pairs[slot][1], &mh,
                MSG_DONTWAIT|MSG_NOSIGNAL)
        != -1)
    {
        return NGX_OK;
    }

    err = ngx_socket_errno;

    /* ETOOMANYREFS: more descriptors are on their way than a process of this
       user may open */

    if (err == NGX_EAGAIN || err == ENOBUFS || err == ETOOMANYREFS) {
        return NGX_AGAIN;
    }

    ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, err,
                  "sendmsg() to another worker failed");

    return NGX_ERROR;
}
