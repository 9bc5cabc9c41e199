
/*
 * The bus: the zone "ntrip_bus", of constant size, kept over every reload,
 * shared by all generations of workers.  Who is there, who is to be woken
 * and for which stream, and who is to be thrown out.
 *
 * A holder names a worker for good: its slot in the low 8 bits, the slot's
 * incarnation above.  A row anywhere that names a holder is somebody's only
 * while the slot says the same word.  A worker gets its holder before it
 * writes any row, a dead worker's slot is cleared under the lock, and an
 * incarnation never comes again: so a holder that does not match its slot
 * is dead for ever, and this needs no lock, no time and no system call.
 *
 * Lock: the bus zone's mutex, where said; never together with the data
 * zone's.
 *
 * Why it holds:
 *   killed while claiming a slot: "holder" is written last; the slot is free.
 *   killed while releasing a dead one: it still has the slot, and is
 *     released by the next who finds it dead.  What is to be swept follows
 *     from "holder", "incarnation" and "swept" of the slots alone.
 *   claimed while somebody looks what is to be swept: the incarnation of a
 *     worker is written when it is released, so it never counts among the
 *     dead before (t/unit/ntrip_bus.c, step by step).
 *   sweeper killed: "swept" is set after a complete sweep only.
 *   killed after a wake-up was noted, before the eventfd was written: the
 *     sleeper looks once a second anyway.
 *   killed while posting a kick: the head has not moved, the entry is written
 *     again; readers of its old content had been overtaken by a whole ring.
 *   reload: the zone is found by name and size; nothing is reset.  Slots of
 *     old generations stay theirs.
 *   nginx's own recovery of the mutex is enough: every change here is one
 *     word, or ends with the word that makes it valid.
 */


#ifndef _NTRIP_BUS_H_INCLUDED_
#define _NTRIP_BUS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_protocol.h"
#include "ntrip_trace.h"


#define NTRIP_SLOTS          256
#define NTRIP_SLOT_WORDS     (NTRIP_SLOTS / 64)
#define NTRIP_STREAMS_MAX    8192
#define NTRIP_STREAM_WORDS   (NTRIP_STREAMS_MAX / 64)
#define NTRIP_KICKS          1024


/*
 * Counters are the slot's, not the worker's: its next worker goes on with
 * them, so that their sum over all slots never goes back, and nothing has to
 * be folded when a worker dies.  Only the worker in the slot writes.
 */

#define NTRIP_COUNTERS(X)                                                     \
    X(logins,          "rover logins accepted")                               \
    X(refused,         "rover logins refused")                                \
    X(unavailable,     "rover logins that could not be looked up")            \
    X(kicked,          "sessions thrown out by a later login")                \
    X(closed,          "rover sessions ended")                                \
    X(sourcetables,    "sourcetables sent")                                   \
    X(positions,       "positions received")                                  \
    X(messages_in,     "messages received from sources")                      \
    X(bytes_in,        "bytes received from sources")                         \
    X(messages_out,    "messages delivered to rovers")                        \
    X(bytes_out,       "bytes delivered to rovers")                           \
    X(bytes_unusable,  "bytes from sources that were no messages")            \
    X(skipped,         "messages skipped for slow rovers")                    \
    X(profiled,        "messages that a worker made another form of")         \
    X(overruns,        "times a worker was overrun by a ring")                \
    X(source_logins,   "logins at providers")                                 \
    X(source_failures, "logins at providers refused or failed")               \
    X(source_lost,     "sources lost while in use")                           \
    X(handed_over,     "connections handed over to another worker")           \
    X(claimed,         "streams claimed from dead workers")

#define NTRIP_COUNTER_ENUM(name, text)  NTRIP_COUNT_##name,

enum {
    NTRIP_COUNTERS(NTRIP_COUNTER_ENUM)
    NTRIP_COUNTERS_N
};


typedef struct {
    uint64_t           holder;       /* 0: free.  Written last */
    uint64_t           pid;
    uint64_t           start;        /* of the process, clock ticks since
                                        boot (proc(5), field 22) */
    uint64_t           generation;
    uint64_t           incarnation;  /* of the last that was released,
                                        written before "holder" is cleared:
                                        the next one has one more */
    uint64_t           swept;        /* rows of incarnations up to this one
                                        are gone from the data zone */
    uint64_t           exiting;      /* 1: takes no hand-over any more */
    uint64_t           beat;         /* last tick, monotonic ms (status) */
    uint64_t           counters[NTRIP_COUNTERS_N];

    uint64_t           pending       /* a wake-up is on its way */
                           __attribute__((aligned(64)));
    uint64_t           dirty[NTRIP_STREAM_WORDS];
                                     /* streams to look at */
} __attribute__((aligned(64))) ntrip_slot_t;


typedef struct {
    uint64_t           seq;          /* number of the kick + 1, written last;
                                        0 while it is being written */
    uint64_t           below;        /* sessions with a lower login number */
    uint64_t           user_len;
    u_char             user[NTRIP_USER_MAX];
} ntrip_kick_t;


typedef struct {
    uint64_t           version;
    uint64_t           generation;   /* the newest, counted by the master */
    uint64_t           login;        /* last login number given */
    uint64_t           serial;       /* last serial or nonce given */
    uint64_t           seed;         /* of keyed hashes, set once */
    uint64_t           opened;       /* the last database that was there, as
                                        the master counts its names */

    uint64_t           cluster;      /* NTRIP_CLUSTER_*; these are of whoever
                                        keeps the mirror */
    uint64_t           mirrored;     /* when the database was as the cluster's,
                                        monotonic ms; 0: never */
    uint64_t           change;       /* the last one that it has of that */

    uint64_t           kick_head     /* kicks posted so far */
                           __attribute__((aligned(64)));
    ntrip_kick_t       kicks[NTRIP_KICKS];
    ntrip_slot_t       slots[NTRIP_SLOTS];
    ntrip_trace_t      trace;        /* of one user */
} ntrip_bus_t;


/* what is behind the database, for the status */

#define NTRIP_CLUSTER_NONE     0     /* nothing */
#define NTRIP_CLUSTER_CURRENT  1     /* a cluster, it is as that is */
#define NTRIP_CLUSTER_AWAY     2     /* a cluster that cannot be asked */
#define NTRIP_CLUSTER_STALE    3     /* a cluster, which it does not follow */


#define ntrip_holder_slot(h)  ((ngx_uint_t) ((h) & (NTRIP_SLOTS - 1)))


/* once, in zeroed memory, by the master; "seed" is random and not 0 */
void ntrip_bus_init(ntrip_bus_t *bus, uint64_t seed);


/*
 * Claims a free slot below "limit" (the caller has eventfds for so many).
 * Lock held.  Returns the holder, 0 if there is none.  The caller then
 * clears the slot's bits with ntrip_zone_clear_slot() before it attaches to
 * any stream, and empties the hand-over socket of the slot.
 */
uint64_t ntrip_bus_claim(ntrip_bus_t *bus, ngx_uint_t limit, uint64_t pid,
    uint64_t start, uint64_t generation);

/*
 * Frees the slot of a worker that exits, or of one that the caller has found
 * dead.  Lock held.  NGX_OK, or NGX_DECLINED: it is no longer this holder's.
 * Its rows are then swept: ntrip_bus_sweep_due().
 */
ngx_int_t ntrip_bus_release(ntrip_bus_t *bus, uint64_t holder);

/* no lock; 0 for holder 0.  Says "alive" of a process that has just died
   until somebody releases its slot, never "dead" of a living one. */
ngx_uint_t ntrip_bus_alive(ntrip_bus_t *bus, uint64_t holder);

/* the same, and it is not about to exit */
ngx_uint_t ntrip_bus_stays(ntrip_bus_t *bus, uint64_t holder);

/*
 * May the data zone have rows of dead workers?  Then call ntrip_zone_sweep()
 * until it is done; it uses the other two.  dead[] gets for each slot the last
 * incarnation that is known dead now.  No lock.
 */
ngx_uint_t ntrip_bus_sweep_due(ntrip_bus_t *bus);
void ntrip_bus_sweep_begin(ntrip_bus_t *bus, uint64_t dead[NTRIP_SLOTS]);
void ntrip_bus_sweep_end(ntrip_bus_t *bus, uint64_t dead[NTRIP_SLOTS]);

/*
 * The slot that a hand-over should go to: alive, below "limit", not exiting,
 * of the newest generation that is newer than "generation".  "turn" spreads
 * several over the candidates.  Returns the holder or 0.  No lock.
 */
uint64_t ntrip_bus_successor(ntrip_bus_t *bus, ngx_uint_t limit,
    uint64_t generation, ngx_uint_t turn);


/* unique numbers, never 0, no lock */
uint64_t ntrip_bus_next_login(ntrip_bus_t *bus);
uint64_t ntrip_bus_next_serial(ntrip_bus_t *bus);


/*
 * Waking, no lock.  mark: there is something in this stream for this slot
 * (after the data was published).  wake: returns 1 if the caller must write
 * the slot's eventfd.  asleep: the sleeper has read its eventfd (or its tick
 * has come) and begins to look; take: and takes 64 streams at a time.
 *
 * The order is what prevents lost wake-ups: the waker marks, then exchanges
 * "pending"; the sleeper exchanges "pending" first, then looks.
 */
void ntrip_bus_mark(ntrip_bus_t *bus, ngx_uint_t slot, ngx_uint_t stream);
ngx_uint_t ntrip_bus_wake(ntrip_bus_t *bus, ngx_uint_t slot);
void ntrip_bus_asleep(ntrip_bus_t *bus, ngx_uint_t slot);
uint64_t ntrip_bus_take(ntrip_bus_t *bus, ngx_uint_t slot, ngx_uint_t word);


/* posts a kick.  Lock held.  len <= NTRIP_USER_MAX.  All workers with
   sessions of the user are then woken. */
void ntrip_bus_kick(ntrip_bus_t *bus, const u_char *user, size_t len,
    uint64_t below);

/* a new worker's cursor.  No lock. */
uint64_t ntrip_bus_kick_cursor(ntrip_bus_t *bus);

/*
 * The next kick.  NGX_OK, NGX_AGAIN (no more), or NGX_DECLINED: the reader
 * was overtaken, kicks are lost; it must compare each of its sessions with
 * ntrip_session_superseded().  No lock.
 */
ngx_int_t ntrip_bus_kick_read(ntrip_bus_t *bus, uint64_t *cursor,
    ntrip_kick_t *kick);


#endif /* _NTRIP_BUS_H_INCLUDED_ */
