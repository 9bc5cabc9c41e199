
/*
 * The nginx side of the shared state: both zones, this worker's slot, the
 * descriptors made once in the master, waking and being woken, the tick.
 *
 * Descriptors: for each slot an eventfd (CLOEXEC, NONBLOCK) and a
 * SOCK_SEQPACKET pair, made by the master in init_module, never with
 * nginx -t, kept in a static array over every reload, since those of a
 * cycle's pool are gone before new workers are forked.  As many as
 * ngx_max(32, 8 * worker_processes), 256 at most; a reload that needs more
 * adds some.  A worker knows those that existed when it was forked: for
 * others it relies on their tick, and hands nothing over to them.
 *
 * Workers keep both ends of every pair, so that anybody can empty the queue
 * of a dead slot: a socket in flight there keeps its connection alive.
 *
 * Life of a worker (init_process, NGX_PROCESS_WORKER and _SINGLE only, and
 * only if the main conf is there):
 *   release dead slots; claim one; clear its bits; empty its pair; watch its
 *   eventfd and pair (ngx_add_channel_event style, rev->channel = 1); sweep
 *   if one is due; start the tick.
 *   Every failure is logged and leaves a worker that polls once a second
 *   (no slot: "me" is 0, it owns nothing, joins nothing).
 *
 * The tick, each second, cancelable: look as if woken; read /proc for each
 * slot that is taken (pid, start time, zombie), release the dead; sweep if
 * due; claim orphans that this worker has rovers of; empty pairs of free
 * slots; beat; expire withdrawals, lingering streams; call streams that wait
 * for an account.
 *
 * Exit: an unconnected connection marked idle, whose read handler is called
 * with c->close at shutdown; it sets slot.exiting and starts the hand-over.
 * exit_process: give back what is left, release the slot.
 *
 * Attacks:
 *   reload with a failing later zone: zone init only carves new memory, so a
 *     rollback leaves everything as it was.
 *   zone resized: the running cycle's shm zone is put in (found by name and
 *     tag in cf->cycle->old_cycle while the directive is read), a warning
 *     tells both sizes; so there is one data zone ever, and its mutex is
 *     swept by nginx, since the current cycle names it.
 *   ring_size changed: same, the running one is kept, with a warning.
 *   pid reused: start time differs.  /proc hidden: kill(pid, 0), where only
 *     ESRCH counts as dead.
 *   master_process off: one process, one slot, no pair is read.
 *   init_module of a cycle without stream{} or ntrip_zone: nothing is made.
 */


#ifndef _NGX_STREAM_NTRIP_WORKER_H_INCLUDED_
#define _NGX_STREAM_NTRIP_WORKER_H_INCLUDED_


#include "ngx_stream_ntrip.h"
#include "ntrip_zone.h"


/* ms */
#define NGX_STREAM_NTRIP_TICK  1000


/* "data" of the zones: the master's, read by the next cycle */

typedef struct {
    ntrip_bus_t      *bus;
    ntrip_zone_t     *zone;
    size_t            ring_size;
} ngx_stream_ntrip_zone_ctx_t;


/*
 * What this room has to say to those above it, all in this worker, never with
 * a lock.  ngx_stream_ntrip_module.c says who they are.
 */

typedef struct {
    /* stream "index" was marked: new records, a mail, an owner that died, an
       accepted offer, a rover that left */
    void                     (*stream)(uint32_t index);

    /* each second */
    void                     (*tick)(void);

    /* close this worker's sessions of the user below that number; user NULL:
       kicks were missed, look at each */
    void                     (*kicked)(ngx_str_t *user, uint64_t below);

    /* whether there are rovers or sources here, which an exiting worker
       stays for */
    ngx_uint_t               (*busy)(void);

    /* the worker is exiting: begin to hand over; and again each tick until
       nothing is left */
    void                     (*exiting)(void);

    /* this worker, which is exiting, was woken: perhaps by an heir */
    void                     (*answered)(void);

    /* a message came in, which is whole and for this worker; fds are the
       callee's now */
    void                     (*received)(ntrip_handover_t *msg,
                                         ngx_socket_t *fds, ngx_uint_t nfds);
} ngx_stream_ntrip_hooks_t;


/* this worker; set in init_process, read by everybody in it */

typedef struct {
    ngx_stream_ntrip_hooks_t  *hooks;
    ntrip_bus_t               *bus;
    ntrip_zone_t              *zone;
    ngx_slab_pool_t           *bus_pool;     /* for their mutexes */
    ngx_slab_pool_t           *zone_pool;
    uint64_t                   me;           /* holder, 0: no slot */
    ngx_uint_t                 slot;
    ngx_uint_t                 limit;        /* slots with descriptors */
    uint64_t                   generation;
    uint64_t                   kick_cursor;
    ngx_msec_t                 since;        /* exiting since */
    unsigned                   exiting:1;
} ngx_stream_ntrip_worker_t;

extern ngx_stream_ntrip_worker_t  ngx_stream_ntrip_worker;

#define ngx_stream_ntrip_count(name)                                          \
    ngx_stream_ntrip_count_n(name, 1)
#define ngx_stream_ntrip_count_n(name, n)                                     \
    if (ngx_stream_ntrip_worker.me) {                                         \
        ngx_stream_ntrip_worker.bus->slots[ngx_stream_ntrip_worker.slot]      \
            .counters[NTRIP_COUNT_##name] += (n);                             \
    }


/* ngx_stream_ntrip_zone.c: both zones, after all of stream{} was read; the
   data zone of a running cycle keeps its size */
char *ngx_stream_ntrip_worker_conf(ngx_conf_t *cf,
    ngx_stream_ntrip_main_conf_t *nmcf);

/* somebody was turned away: says which table is full, and what to set, once a
   minute, of all workers together; told: what is left of it, with the tick */
void ngx_stream_ntrip_zone_full(ntrip_full_e full, ngx_log_t *log);
void ngx_stream_ntrip_zone_told(void);

/* of the module's; never fail for a reason that may pass */
void ngx_stream_ntrip_worker_init_module(ngx_cycle_t *cycle,
    ngx_stream_ntrip_main_conf_t *nmcf);
ngx_int_t ngx_stream_ntrip_worker_init_process(ngx_cycle_t *cycle,
    ngx_stream_ntrip_main_conf_t *nmcf, ngx_stream_ntrip_hooks_t *hooks);
void ngx_stream_ntrip_worker_exit_process(ngx_cycle_t *cycle);

/*
 * Behind it: 1, no worker is left, all of them have given back what they had,
 * and this one has a slot again, to be given back likewise; no other one is
 * told so.  0: somebody goes on, or will be the last.
 */
ngx_uint_t ngx_stream_ntrip_worker_last(ngx_cycle_t *cycle);

/* whether what one worker does for all is this one's: the lowest slot of the
   newest generation.  Two may think so for a moment */
ngx_uint_t ngx_stream_ntrip_worker_first(void);


/* the locks: short, never both, no log and no system call within.  lock
   also enters the data zone, unlock leaves it. */
void ngx_stream_ntrip_lock(void);
void ngx_stream_ntrip_unlock(void);

void ngx_stream_ntrip_lock_bus(void);
void ngx_stream_ntrip_unlock_bus(void);

/* whoever is woken looks at all that was marked for its slot; this worker, if
   it is its own, in a posted event.  Never with a lock. */
void ngx_stream_ntrip_wake(ngx_uint_t slot);
void ngx_stream_ntrip_wake_set(ntrip_slots_t *set);

/* posts the kick and wakes "wake"; takes the bus's lock */
void ngx_stream_ntrip_kick(ngx_str_t *user, uint64_t below,
    ntrip_slots_t *wake);


/* looks at everything that others may have had to say; also every tick */
void ngx_stream_ntrip_woken(void);

/* closes what lies in the pair of a slot without a worker */
void ngx_stream_ntrip_worker_empty(ngx_uint_t slot);

/*
 * Connections that may belong to another worker.
 *
 * park:   takes it out of the event loop, for good: the kernel would go on to
 *         report events of a descriptor that lives on in the heir.
 * unpark: back again, events that came meanwhile are reported.  NGX_ERROR:
 *         close it.
 * unhand: closes a parked one that is now the heir's, and destroys its pool.
 */
void ngx_stream_ntrip_park(ngx_connection_t *c);
ngx_int_t ngx_stream_ntrip_unpark(ngx_connection_t *c);
void ngx_stream_ntrip_unhand(ngx_connection_t *c);

/* ---- ngx_stream_ntrip_traced.c: the trace of one user, ntrip_trace.h ---- */

/* no lock, as of ntrip_trace.h; arguments that cost something are made behind
   one of these */
#define ngx_stream_ntrip_traces_logins()                                      \
    ntrip_trace_looks(&ngx_stream_ntrip_worker.bus->trace)
#define ngx_stream_ntrip_traces(login)                                        \
    ntrip_trace_session(&ngx_stream_ntrip_worker.bus->trace, login)
#define ngx_stream_ntrip_traces_stream(serial)                                \
    ntrip_trace_source(&ngx_stream_ntrip_worker.bus->trace, serial)

/* what happens, with a text as of ngx_snprintf(): to somebody who is not
   logged in, "status" 0: no reply; login: it is, in that row; to a session; to
   the source of a stream.  Nothing is done if it is not traced. */
void ngx_cdecl ngx_stream_ntrip_traced_attempt(ngx_str_t *user,
    ntrip_trace_event_e kind, ngx_uint_t status, const char *fmt, ...);
void ngx_cdecl ngx_stream_ntrip_traced_login(ngx_str_t *user, uint64_t login,
    uint32_t index, const char *fmt, ...);
void ngx_cdecl ngx_stream_ntrip_traced(uint64_t login,
    ntrip_trace_event_e kind, const char *fmt, ...);
void ngx_cdecl ngx_stream_ntrip_traced_source(uint64_t serial,
    ntrip_trace_event_e kind, const char *fmt, ...);

/* the session was too slow for n messages */
void ngx_stream_ntrip_traced_skipped(uint64_t login, uint64_t n);

/* the session is on that stream from now on; 0: on none */
void ngx_stream_ntrip_traced_on(uint64_t login, uint64_t serial);

/* each second: the worker of a session has died, and its row is gone */
void ngx_stream_ntrip_traced_tick(void);

/* for those who ask: NGX_OK, or NGX_DECLINED: there can be no such user; user
   NULL: nobody is traced any more.  copy: all of it, as it is now */
ngx_int_t ngx_stream_ntrip_trace_arm(ngx_str_t *user);
void ngx_stream_ntrip_trace_copy(ntrip_trace_t *copy);


/* begins to read the eventfd and the pair of this worker's slot */
void ngx_stream_ntrip_worker_watch(ngx_cycle_t *cycle);

/* ngx_stream_ntrip_slots.c: a slot for this worker, the tick; gives back what
   is left and the slot */
void ngx_stream_ntrip_slots_init(ngx_cycle_t *cycle);
void ngx_stream_ntrip_slots_exit(ngx_cycle_t *cycle);

/* the worker is exiting, and worker_shutdown_timeout is over */
ngx_uint_t ngx_stream_ntrip_worker_expired(void);

/* a worker that exits stays as long as it has rovers or sources, which have
   no timers of their own while all is well; again whenever one has come or
   gone */
void ngx_stream_ntrip_worker_hold(void);


/* sends; NGX_OK, NGX_AGAIN (pair full), NGX_ERROR.  fds stay the caller's */
ngx_int_t ngx_stream_ntrip_worker_send(uint64_t heir, ntrip_handover_t *msg,
    ngx_socket_t *fds, ngx_uint_t nfds);


/* ---- ngx_stream_ntrip_offer.c: offers of rows, see ntrip_handover.h ---- */

/* what whoever is offered has for it */

typedef struct {
    uint64_t                   nonce;        /* of the offer that is out; 0:
                                                there is none */
    ngx_msec_t                 keep;         /* no other one before; 0: any
                                                time */
} ngx_stream_ntrip_offer_t;

/* how many are out */
extern ngx_uint_t  ngx_stream_ntrip_offers;

/*
 * Offers the row to a worker of the newest generation, and sends it msg, in
 * which the caller has filled in type, index, serial and all that its type
 * has.  find: who that is, before the caller begins; 0: there is nobody.
 * NGX_OK; NGX_AGAIN: the heir's pair is full; NGX_ERROR: the row cannot be
 * offered.  fds stay the caller's.
 */
uint64_t ngx_stream_ntrip_offer_find(void);
ngx_int_t ngx_stream_ntrip_offer_send(ngx_stream_ntrip_offer_t *offer,
    ntrip_row_t *row, ntrip_handover_t *msg, ngx_socket_t *fds,
    ngx_uint_t nfds);

/* whether it is time for one */
ngx_uint_t ngx_stream_ntrip_offer_due(ngx_stream_ntrip_offer_t *offer);

/* what has become of it: NGX_OK, the heir has the row; NGX_DECLINED, it is ours
   again; NGX_AGAIN, it is out */
ngx_int_t ngx_stream_ntrip_offer_look(ngx_stream_ntrip_offer_t *offer,
    ntrip_row_t *row, uint64_t serial);

/* what is offered has to end.  NGX_OK: it is this worker's again;
   NGX_DECLINED: the heir has it, only the copy here ends */
ngx_int_t ngx_stream_ntrip_offer_recall(ngx_stream_ntrip_offer_t *offer,
    ntrip_row_t *row);

/* the heir's side.  The row that msg is about, NULL: there is no such row, or
   the offer does not stand (any more): one that is late changes nothing, and
   the serial may be that of another row in its place */
ntrip_row_t *ngx_stream_ntrip_offer_row(ntrip_handover_t *msg);

/* takes the row, and for a rover the bit of its stream, if msg->stream still
   names one after; wakes the giver.  NGX_OK; NGX_DECLINED: it no longer
   stands */
ngx_int_t ngx_stream_ntrip_offer_accept(ntrip_handover_t *msg);

/* this worker cannot take it: the giver keeps it */
void ngx_stream_ntrip_offer_decline(ntrip_handover_t *msg, ntrip_row_t *row);


#endif /* _NGX_STREAM_NTRIP_WORKER_H_INCLUDED_ */
