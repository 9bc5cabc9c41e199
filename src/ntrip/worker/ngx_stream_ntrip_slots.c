
/*
 * Fieldgate: this worker's slot, those of the dead, and the tick.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_stream.h>

#include "ngx_stream_ntrip_worker.h"


static void ngx_stream_ntrip_claim(ngx_cycle_t *cycle);
static void ngx_stream_ntrip_clear_slot(void);
static void ngx_stream_ntrip_release_dead(ngx_cycle_t *cycle);
static void ngx_stream_ntrip_sweep(ngx_cycle_t *cycle);
static void ngx_stream_ntrip_tick_handler(ngx_event_t *ev);
static void ngx_stream_ntrip_call_waiting(void);
static ngx_uint_t ngx_stream_ntrip_is_dead(ntrip_slot_t *slot);
static ngx_int_t ngx_stream_ntrip_process_start(ngx_pid_t pid,
    uint64_t *start);


static ngx_event_t       ngx_stream_ntrip_tick;

/* what a timer's debug log names */
static ngx_connection_t  ngx_stream_ntrip_dumb;


void
ngx_stream_ntrip_slots_init(ngx_cycle_t *cycle)
{
    ngx_stream_ntrip_release_dead(cycle);
    ngx_stream_ntrip_claim(cycle);
    ngx_stream_ntrip_sweep(cycle);

    ngx_stream_ntrip_dumb.fd = (ngx_socket_t) -1;

    ngx_stream_ntrip_tick.handler = ngx_stream_ntrip_tick_handler;
    ngx_stream_ntrip_tick.log = cycle->log;
    ngx_stream_ntrip_tick.data = &ngx_stream_ntrip_dumb;
    ngx_stream_ntrip_tick.cancelable = 1;

    ngx_add_timer(&ngx_stream_ntrip_tick, NGX_STREAM_NTRIP_TICK);
}


/* what this worker still has is swept as if it had died, but now */

void
ngx_stream_ntrip_slots_exit(ngx_cycle_t *cycle)
{
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;

    if (worker->me == 0) {
        return;
    }

    ngx_stream_ntrip_lock_bus();
    (void) ntrip_bus_release(worker->bus, worker->me);
    ngx_stream_ntrip_unlock_bus();

    worker->me = 0;

    ngx_stream_ntrip_worker_empty(worker->slot);
    ngx_stream_ntrip_sweep(cycle);
}


/* of no generation: nobody hands anything over to it */

ngx_uint_t
ngx_stream_ntrip_worker_last(ngx_cycle_t *cycle)
{
    uint64_t                    start, me;
    ngx_uint_t                  i;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;
    me = 0;

    if (ngx_stream_ntrip_process_start(ngx_pid, &start) != NGX_OK) {
        start = 0;
    }

    ngx_stream_ntrip_release_dead(cycle);

    ngx_stream_ntrip_lock_bus();

    for (i = 0; i < NTRIP_SLOTS; i++) {
        if (worker->bus->slots[i].holder) {
            break;
        }
    }

    if (i == NTRIP_SLOTS) {
        me = ntrip_bus_claim(worker->bus, worker->limit, ngx_pid, start, 0);
    }

    ngx_stream_ntrip_unlock_bus();

    if (me == 0) {
        return 0;
    }

    worker->me = me;
    worker->slot = ntrip_holder_slot(me);

    ngx_stream_ntrip_sweep(cycle);

    return 1;
}


void
ngx_stream_ntrip_worker_hold(void)
{
    ngx_stream_ntrip_tick.cancelable = !ngx_stream_ntrip_worker.hooks->busy();
}


static void
ngx_stream_ntrip_claim(ngx_cycle_t *cycle)
{
    uint64_t                    start, me;
    ngx_stream_ntrip_worker_t  *worker;

    static ngx_uint_t  logged;

    worker = &ngx_stream_ntrip_worker;

    if (ngx_stream_ntrip_process_start(ngx_pid, &start) != NGX_OK) {
        start = 0;
    }

    ngx_stream_ntrip_lock_bus();
    me = ntrip_bus_claim(worker->bus, worker->limit, ngx_pid, start,
                         worker->generation);
    ngx_stream_ntrip_unlock_bus();

    if (me == 0) {

        if (!logged) {
            logged = 1;
            ngx_log_error(NGX_LOG_ERR, cycle->log, 0,
                          "all %ui slots for workers are taken: this one "
                          "serves no \"ntrip_caster\" until one is free; set "
                          "\"worker_shutdown_timeout\"", worker->limit);
        }

        return;
    }

    worker->slot = ntrip_holder_slot(me);

    /* what the slot's last worker left in the streams, before we attach to
       any; nobody is told of us before */

    ngx_stream_ntrip_clear_slot();

    worker->me = me;
    worker->kick_cursor = ntrip_bus_kick_cursor(worker->bus);

    ngx_stream_ntrip_worker_watch(cycle);

    ngx_log_error(NGX_LOG_INFO, cycle->log, 0,
                  "worker of generation %uL has slot %ui",
                  worker->generation, worker->slot);
}


static void
ngx_stream_ntrip_clear_slot(void)
{
    uint32_t                    next;
    ngx_int_t                   rc;
    ntrip_slots_t               wake;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;
    next = 0;

    ngx_memzero(&wake, sizeof(ntrip_slots_t));

    do {
        ngx_stream_ntrip_lock();
        rc = ntrip_zone_clear_slot(worker->zone, worker->bus,
                                   ngx_current_msec, worker->slot, &next,
                                   &wake);
        ngx_stream_ntrip_unlock();

    } while (rc == NGX_AGAIN);

    ngx_stream_ntrip_wake_set(&wake);
}


static void
ngx_stream_ntrip_release_dead(ngx_cycle_t *cycle)
{
    uint64_t                    holder;
    ngx_int_t                   rc;
    ngx_pid_t                   pid;
    ngx_uint_t                  i;
    ntrip_slot_t               *slot;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;

    for (i = 0; i < NTRIP_SLOTS; i++) {
        slot = &worker->bus->slots[i];
        holder = __atomic_load_n(&slot->holder, __ATOMIC_ACQUIRE);

        if (holder == 0
            || holder == worker->me
            || !ngx_stream_ntrip_is_dead(slot))
        {
            continue;
        }

        pid = slot->pid;

        if (i < worker->limit) {
            ngx_stream_ntrip_worker_empty(i);
        }

        ngx_stream_ntrip_lock_bus();
        rc = ntrip_bus_release(worker->bus, holder);
        ngx_stream_ntrip_unlock_bus();

        if (rc == NGX_OK) {
            ngx_log_error(NGX_LOG_NOTICE, cycle->log, 0,
                          "worker process %P is gone, its slot %ui is free",
                          pid, i);
        }
    }
}


static void
ngx_stream_ntrip_sweep(ngx_cycle_t *cycle)
{
    ngx_int_t                   rc;
    ngx_uint_t                  swept;
    ntrip_sweep_t               sweep;
    ntrip_slots_t               wake;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;

    if (!ntrip_bus_sweep_due(worker->bus)) {
        return;
    }

    ngx_memzero(&sweep, sizeof(ntrip_sweep_t));
    ngx_memzero(&wake, sizeof(ntrip_slots_t));

    do {
        ngx_stream_ntrip_lock();
        rc = ntrip_zone_sweep(worker->zone, worker->bus, ngx_current_msec,
                              &sweep, &wake);
        swept = sweep.swept;
        ngx_stream_ntrip_unlock();

    } while (rc == NGX_AGAIN);

    if (swept) {
        ngx_log_error(NGX_LOG_INFO, cycle->log, 0,
                      "%ui sessions, streams and accounts of workers that "
                      "are gone were given back, %uD will be later",
                      swept, sweep.left);
    }

    ngx_stream_ntrip_wake_set(&wake);
}


static void
ngx_stream_ntrip_tick_handler(ngx_event_t *ev)
{
    ngx_uint_t                  i;
    ngx_cycle_t                *cycle;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;
    cycle = (ngx_cycle_t *) ngx_cycle;

    ngx_add_timer(ev, NGX_STREAM_NTRIP_TICK);

    ngx_stream_ntrip_release_dead(cycle);

    if (worker->me == 0 && !ngx_exiting) {
        ngx_stream_ntrip_claim(cycle);
    }

    ngx_stream_ntrip_sweep(cycle);

    if (worker->me == 0) {
        return;
    }

    worker->bus->slots[worker->slot].beat = ngx_current_msec;

    for (i = 0; i < worker->limit; i++) {
        if (__atomic_load_n(&worker->bus->slots[i].holder, __ATOMIC_ACQUIRE)
            == 0)
        {
            ngx_stream_ntrip_worker_empty(i);
        }
    }

    ngx_stream_ntrip_call_waiting();
    ngx_stream_ntrip_zone_told();
    ngx_stream_ntrip_woken();

    worker->hooks->tick();

    if (worker->exiting) {
        worker->hooks->exiting();
        ngx_stream_ntrip_worker_hold();
    }
}


/* calls to streams that wait for an account, which were not answered */

static void
ngx_stream_ntrip_call_waiting(void)
{
    ntrip_slots_t               wake;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;

    ngx_memzero(&wake, sizeof(ntrip_slots_t));

    ngx_stream_ntrip_lock();
    ntrip_wait_tick(worker->zone, worker->bus, ngx_current_msec, &wake);
    ngx_stream_ntrip_unlock();

    ngx_stream_ntrip_wake_set(&wake);
}


ngx_uint_t
ngx_stream_ntrip_worker_expired(void)
{
    ngx_core_conf_t            *ccf;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;
    ccf = (ngx_core_conf_t *) ngx_get_conf(ngx_cycle->conf_ctx,
                                           ngx_core_module);

    return worker->exiting
           && ccf->shutdown_timeout
           && ngx_current_msec - worker->since >= ccf->shutdown_timeout;
}


/* never says so of a living worker */

static ngx_uint_t
ngx_stream_ntrip_is_dead(ntrip_slot_t *slot)
{
    uint64_t   start;
    ngx_int_t  rc;

    rc = ngx_stream_ntrip_process_start(slot->pid, &start);

    if (rc == NGX_DECLINED) {
        return 1;
    }

    return rc == NGX_OK && slot->start != 0 && slot->start != start;
}


/*
 * When the process was started, in clock ticks since boot (proc(5)), which
 * tells it from a later one with its number.  NGX_DECLINED: there is none, or
 * a zombie only.  NGX_ERROR: it cannot be told.
 */

static ngx_int_t
ngx_stream_ntrip_process_start(ngx_pid_t pid, uint64_t *start)
{
    char       *p, *last, state;
    ssize_t     n;
    ngx_fd_t    fd;
    ngx_uint_t  field;
    u_char      name[sizeof("/proc//stat") + NGX_INT64_LEN];
    char        text[1024];

    (void) ngx_sprintf(name, "/proc/%P/stat%Z", pid);

    fd = ngx_open_file(name, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {

        /* without /proc, or one that hides what is another user's */

        return (kill(pid, 0) == -1 && ngx_errno == NGX_ESRCH) ? NGX_DECLINED
                                                              : NGX_ERROR;
    }

    n = ngx_read_fd(fd, text, sizeof(text) - 1);

    (void) ngx_close_file(fd);

    if (n <= 0) {
        return (n == -1 && ngx_errno == NGX_ESRCH) ? NGX_DECLINED : NGX_ERROR;
    }

    text[n] = '\0';

    /* the second field may hold spaces and parentheses */

    p = strrchr(text, ')');

    if (p == NULL || p[1] != ' ' || p[2] == '\0') {
        return NGX_ERROR;
    }

    p += 2;
    state = *p;

    if (state == 'Z' || state == 'X' || state == 'x') {
        return NGX_DECLINED;
    }

    for (field = 3; field < 22; field++) {
        p = strchr(p, ' ');

        if (p == NULL) {
            return NGX_ERROR;
        }

        p++;
    }

    *start = strtoull(p, &last, 10);

    return (last != p) ? NGX_OK : NGX_ERROR;
}


ngx_uint_t
ngx_stream_ntrip_worker_first(void)
{
    ngx_uint_t                  i;
    ntrip_slot_t               *slot;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;

    if (worker->me == 0 || ngx_exiting) {
        return 0;
    }

    for (i = 0; i < NTRIP_SLOTS; i++) {
        slot = &worker->bus->slots[i];

        if (__atomic_load_n(&slot->holder, __ATOMIC_ACQUIRE) == 0) {
            continue;
        }

        if (slot->generation > worker->generation
            || (slot->generation == worker->generation && i < worker->slot))
        {
            return 0;
        }
    }

    return 1;
}
