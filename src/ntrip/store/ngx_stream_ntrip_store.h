
/*
 * The store: users, accounts, base stations, changes.  Each worker has a
 * read-only connection on the event loop (busy timeout 0, statements always
 * reset) and one that writes, used by one thread at a time in the thread pool;
 * both are opened after fork, and nothing else opens the file but the thread
 * of a cluster, which mirrors another database in it.
 *
 * The tables of accounts and of base stations are held in memory, re-read when
 * the change feed says so, so that candidates for a lease need no SQL under or
 * around the lock.  Users are looked up row by row.
 *
 * States: OPENING (a thread makes or imports the file, in one transaction, for
 * which the other workers wait), READY, DOWN (why, and opened again twice a
 * second).  A missing file is made when its name is new in the configuration;
 * later somebody may be about to put another one there.
 * Lookups in OPENING and DOWN give NGX_AGAIN: never a 401.
 *
 * Attacks:
 *   file deleted, replaced: the inode by its name, twice a second; reopen.
 *     Its log is left behind by name, and would be played back into the new
 *     file: whoever comes first removes it, if it is still the old one's.
 *   killed while importing: one transaction; the next one imports.
 *   change feed: "seq" is the cursor; a trigger trims the table to its last
 *     10000 rows or so; a reader whose cursor is older than the oldest
 *     row, or a new file, treats everything as changed.
 *   console closes while its write is out: the task has its own memory and a
 *     "data" that can be cleared.
 *   two workers write: SQLite's own lock, busy timeout 2 s, in a thread.
 */


#ifndef _NGX_STREAM_NTRIP_STORE_H_INCLUDED_
#define _NGX_STREAM_NTRIP_STORE_H_INCLUDED_


#include "ngx_stream_ntrip.h"
#include "ntrip_protocol.h"
#include "ntrip_zone.h"


typedef struct {
    u_char                     name[NTRIP_USER_MAX];
    size_t                     name_len;
    u_char                     password[256];   /* as stored: wiped by the
                                                   caller after use */
    size_t                     password_len;
    time_t                     expires;         /* seconds since 1970, 0:
                                                   never */
    time_t                     valid_from;      /* likewise */
    ntrip_area_t               area;
    ngx_uint_t                 max_sessions;    /* 1; 0: no limit */
    u_char                     mounts[256];     /* names with commas between,
                                                   empty: all */
    size_t                     mounts_len;
    uint64_t                   quota_bytes;     /* 0: none */
    uint64_t                   quota_seconds;
    uint64_t                   used_bytes;      /* of all days; with a quota */
    uint64_t                   used_seconds;
} ngx_stream_ntrip_user_t;


/* what is left */

#define NGX_STREAM_NTRIP_NO_QUOTA  ((uint64_t) -1)

typedef struct {
    uint64_t                   bytes;
    uint64_t                   seconds;
} ngx_stream_ntrip_quota_t;


typedef struct {
    uint64_t                   id;
    ngx_array_t                pools;           /* of ngx_str_t *, by name */
    ngx_str_t                  host;            /* name or address */
    in_port_t                  port;            /* 0: the relay's */
    ngx_str_t                  name;
    ngx_str_t                  password;
    time_t                     expires;
    unsigned                   tls:1;
    unsigned                   ntrip:2;         /* version, 0: any that works */
} ngx_stream_ntrip_account_t;


typedef struct {
    ngx_str_t                  mount;
    ngx_str_t                  name;            /* of POST; empty: any */
    ngx_str_t                  password;        /* as stored */
    ngx_str_t                  str;             /* as ntrip_str_check() lets
                                                   pass, may be empty */
} ngx_stream_ntrip_station_t;


/*
 * ngx_stream_ntrip_missing.c, whether a missing file may be made: init_module
 * notices a new path; missing() says whether the file was ever opened by any
 * process; found() says that it has been.
 */
void ngx_stream_ntrip_store_init_module(ngx_stream_ntrip_main_conf_t *nmcf);
ngx_uint_t ngx_stream_ntrip_store_missing(void);
void ngx_stream_ntrip_store_found(void);

typedef struct ngx_stream_ntrip_work_s  ngx_stream_ntrip_work_t;


/*
 * What this room has to say to those above it, on the event loop, when it has
 * read what any process has committed.  ngx_stream_ntrip_module.c says who
 * they are.
 */

typedef struct {
    /* the user was changed or deleted; NULL: any may have been */
    void                     (*user)(ngx_str_t *name);

    /* the account was; 0: any may have been */
    void                     (*account)(uint64_t id);

    /* behind all that were: there may be one for those that wait */
    void                     (*accounts)(void);

    /* any of the base stations may have been changed or deleted */
    void                     (*stations)(void);

    /* changes of users, accounts and stations are another database's, of which
       the file is a mirror: as ngx_stream_ntrip_store_change(); NULL: the
       file's */
    ngx_int_t                (*change)(ngx_stream_ntrip_work_t *work);
} ngx_stream_ntrip_store_hooks_t;


/* init_process, behind the worker's; never fails for a reason that may pass */
ngx_int_t ngx_stream_ntrip_store_init(ngx_cycle_t *cycle,
    ngx_stream_ntrip_main_conf_t *nmcf, ngx_stream_ntrip_store_hooks_t *hooks);
void ngx_stream_ntrip_store_exit(ngx_cycle_t *cycle);

/* NGX_OK; NGX_DECLINED: no such user (or one that has expired, or is not valid
   yet: *user is filled in); NGX_AGAIN: cannot be told now, try for up to 2 s */
ngx_int_t ngx_stream_ntrip_store_user(ngx_str_t *name,
    ngx_stream_ntrip_user_t *user);

/*
 * What is left of a user's quotas, with what is not in the database yet; takes
 * the zone's lock.  1: one of them is used up.
 */
ngx_uint_t ngx_stream_ntrip_store_quota(ngx_stream_ntrip_user_t *user,
    ngx_stream_ntrip_quota_t *left);

/*
 * ngx_stream_ntrip_usage.c.  tick: each second, writes what was used when it is
 * time; ask: somebody wants to see it: soon.
 */
void ngx_stream_ntrip_usage_init(ngx_cycle_t *cycle);
void ngx_stream_ntrip_usage_tick(void);

/* the last worker exits: writes what there is, without a thread */
void ngx_stream_ntrip_usage_exit(void);
void ngx_stream_ntrip_usage_ask(void);

/* which kinds of slow hashes its users have */
ntrip_kinds_t *ngx_stream_ntrip_store_kinds(void);

/*
 * The next of the unexpired accounts of a pool for a mount, in random order,
 * as candidates, up to *n of them: *n becomes how many there are.  *place is 0
 * before the first call of a look, in which control does not go back to the
 * event loop.  It costs what it gives, however many the pool has.
 *
 *   NGX_OK     more may follow
 *   NGX_DONE   these are the last, or there are none
 *   NGX_AGAIN  cannot be told now, accounts were never read
 */
ngx_int_t ngx_stream_ntrip_store_candidates(ngx_str_t *pool, ngx_str_t *mount,
    in_port_t port, ngx_uint_t *place, ntrip_candidate_t *candidates,
    ngx_uint_t *n);

/* this account as a candidate; NGX_DECLINED: it is none, it has expired */
ngx_int_t ngx_stream_ntrip_store_candidate(ngx_stream_ntrip_account_t *account,
    ngx_str_t *mount, in_port_t port, ntrip_candidate_t *candidate);

/* whether accounts were ever read: one that is not there is gone */
ngx_uint_t ngx_stream_ntrip_store_known(void);

/* whether it is in one of these pools, with commas between */
ngx_uint_t ngx_stream_ntrip_store_in_pools(
    ngx_stream_ntrip_account_t *account, ngx_str_t *pools);

/* the account, good until control goes back to the event loop; NULL: gone */
ngx_stream_ntrip_account_t *ngx_stream_ntrip_store_account(uint64_t id);

/* the account with the next higher id, good as above; NULL: none */
ngx_stream_ntrip_account_t *ngx_stream_ntrip_store_next(uint64_t id);

/*
 * Base stations, good as above.  By the exact name of the mountpoint, NULL:
 * none; by number in the order of their names, from 0 on, NULL: behind the
 * last one.
 */
ngx_stream_ntrip_station_t *ngx_stream_ntrip_store_station(ngx_str_t *mount);
ngx_stream_ntrip_station_t *ngx_stream_ntrip_store_station_at(ngx_uint_t n);

/* whether stations were ever read: one that is not there is gone */
ngx_uint_t ngx_stream_ntrip_store_stations_known(void);

/* adds those that match, with "number" and their own as number.  0: stations
   were never read, it cannot be told now */
ngx_uint_t ngx_stream_ntrip_store_match_stations(ntrip_mount_match_t *match,
    ngx_int_t number);

/* takes in what any process has committed up to now: NGX_OK; NGX_AGAIN: cannot
   be told now */
ngx_int_t ngx_stream_ntrip_store_sync(void);

/*
 * Console and API: a piece of work for the writing connection, run in the
 * thread pool.  "run" is called in the thread with the connection (a
 * sqlite3 *) and touches nothing but "work"; "done" on the event loop, if not
 * cancelled; "free" behind it, or at exit.  Lists are read in pages by key, so
 * that neither memory nor a read transaction grows.
 */
struct ngx_stream_ntrip_work_s {
    ngx_queue_t                queue;      /* the store's */
    void                     (*run)(ngx_stream_ntrip_work_t *work, void *db);
    void                     (*done)(ngx_stream_ntrip_work_t *work);
    void                     (*free)(ngx_stream_ntrip_work_t *work);
    void                      *data;       /* NULL: cancelled, only free */
    ngx_int_t                  rc;         /* NGX_OK, NGX_DECLINED, NGX_BUSY,
                                              NGX_ERROR */
    unsigned                   change:1;   /* the store's */
};

/* NGX_OK: posted; NGX_ERROR: store is down or the queue is full */
ngx_int_t ngx_stream_ntrip_store_post(ngx_stream_ntrip_work_t *work);


/*
 * A change of users, accounts or stations: a work whose "run" gets a writer
 * instead of a connection, and calls writer->execute() for one statement.  When
 * it is done, this worker knows what it has written.
 */

typedef struct {
    const char                *name;       /* in the statement, behind ":" */
    ngx_str_t                  text;
    int64_t                    number;
    unsigned                   numeric:1;  /* the number, else the text */
} ngx_stream_ntrip_param_t;


#define NGX_STREAM_NTRIP_PARAMS  20

typedef struct {
    const char                *sql;        /* as SQLite and PostgreSQL both
                                              understand it, but for ":name" */
    ngx_uint_t                 added;      /* it adds a row whose "id" is
                                              wanted */
    ngx_uint_t                 n;
    ngx_stream_ntrip_param_t   params[NGX_STREAM_NTRIP_PARAMS];
} ngx_stream_ntrip_change_t;


typedef struct ngx_stream_ntrip_writer_s  ngx_stream_ntrip_writer_t;

struct ngx_stream_ntrip_writer_s {
    /*
     *   NGX_OK        it is done, and has changed a row
     *   NGX_DECLINED  there is no such row
     *   NGX_BUSY      there is one already
     *   NGX_ERROR     "error" tells why
     */
    ngx_int_t                (*execute)(ngx_stream_ntrip_writer_t *writer,
                                        ngx_stream_ntrip_change_t *change);
    void                      *data;       /* who writes */
    int64_t                    id;         /* of the row that was added */
    char                       error[128];
};

/* posts it, to whom it is for: as ngx_stream_ntrip_store_post() */
ngx_int_t ngx_stream_ntrip_store_change(ngx_stream_ntrip_work_t *work);

/* whether there is no other database behind the file */
ngx_uint_t ngx_stream_ntrip_store_alone(void);


/*
 * ngx_stream_ntrip_attach.c: a connection that writes for a thread of its own,
 * that of a cluster, to the file as it is found; again whenever it is needed,
 * since another file may have its name.  NULL: "error" tells why.
 */

typedef struct {
    void                      *schema;     /* zero at first */
    const char                *error;
} ngx_stream_ntrip_attached_t;

struct sqlite3;

struct sqlite3 *ngx_stream_ntrip_store_attach(
    ngx_stream_ntrip_attached_t *attached, const char *path);
void ngx_stream_ntrip_store_detach(ngx_stream_ntrip_attached_t *attached);

/* schema/cluster.sql: of PostgreSQL */
extern const char  ntrip_sql_cluster[];


#endif /* _NGX_STREAM_NTRIP_STORE_H_INCLUDED_ */
