
/*
 * What was used and is not in the database yet: a row for each user, account
 * and base station that has something, and day, so that it outlives workers and
 * reloads.  All functions need the zone's lock unless they say otherwise.
 *
 * Sessions and streams have what was counted of them already in their own rows;
 * the difference comes here once a minute, and when they end.
 *
 * One worker at a time writes, in batches of NTRIP_USAGE_BATCH rows.  A batch
 * has a number, and the transaction that writes it notes that number: what is
 * written twice is written once.
 *
 *   state    event                              becomes
 *   IDLE     take: its first row                TAKING
 *   TAKING   take: the last row, or the batch   TAKEN, or IDLE: there was
 *            is full                            nothing
 *   TAKING   its worker died; take              TAKING: from the first row
 *                                               again, with another number
 *   TAKEN    written: the last row              IDLE, the next number
 *   TAKEN    it could not be written, or its    TAKEN: the same batch again; if
 *            worker died; take                  its number is there already, it
 *                                               only has to be noted
 *
 *     ntrip_usage_begin()                               this worker writes
 *     while (ntrip_usage_collect() == NGX_AGAIN)        sessions and streams
 *     while (ntrip_usage_take() == NGX_AGAIN)           a batch
 *     ... the transaction ...
 *     while (ntrip_usage_written() == NGX_AGAIN)
 *     ... take again, from there on, until there is nothing ...
 *     ntrip_usage_end()
 *
 * A batch is a run of rows, and the next one begins behind it: all of the table
 * is walked through twice, however many batches it is.
 *
 * Attacks:
 *   killed while adding: a session's own mark is moved first: what was added of
 *     one of them is lost, nothing is counted twice.
 *   killed in the transaction, or behind it: see TAKEN.
 *   the table is full: what ends then is lost, and counted in "lost"; sessions
 *     that go on have half of the table at most, and those of dead workers stay
 *     where they are for the time being, ntrip_usage_room(), unless the user
 *     logs in again at its limit, or is kicked, or sessions have too few rows.
 *   the clock is set: durations are of the monotonic one.
 *
 * Test: t/unit/ntrip_usage.c, random operations and deaths against a plain
 * model.
 */


#ifndef _NTRIP_USAGE_H_INCLUDED_
#define _NTRIP_USAGE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NTRIP_USAGE_USED     1

#define NTRIP_USAGE_BATCH    128

#define NTRIP_USAGE_PERIOD   60000   /* ms */


typedef enum {
    NTRIP_USAGE_USER = 0,
    NTRIP_USAGE_ACCOUNT,             /* its name: the id, in digits */
    NTRIP_USAGE_STATION
} ntrip_usage_kind_e;


typedef struct {
    uint64_t           sessions;     /* that began */
    uint64_t           seconds;
    uint64_t           bytes;
} ntrip_usage_t;


typedef struct {
    ntrip_row_t        row;          /* hash: of kind, day and name */

    ntrip_usage_t      used;         /* since there is the row */
    ntrip_usage_t      taken;        /* of it, by "batch" */
    ntrip_usage_t      written;
    uint64_t           batch;
    uint32_t           day;          /* since 1970-01-01, local */
    uint16_t           kind;
    uint16_t           name_len;
    u_char             name[NTRIP_USER_MAX];
} ntrip_usage_row_t;


/* what is to be written */

typedef struct {
    ntrip_usage_t      used;
    uint32_t           day;
    uint16_t           kind;
    uint16_t           name_len;
    u_char             name[NTRIP_USER_MAX];
} ntrip_usage_item_t;


/* no lock, each second */
void ntrip_usage_clock(ntrip_zone_t *zone, uint64_t now, uint64_t day);

/* counting begins, with so many bytes behind it */
void ntrip_usage_start(ntrip_zone_t *zone, ntrip_counted_t *counted,
    uint64_t bytes);

/*
 * Adds what has come since the last time: "bytes" is what there is now.  last:
 * it ends, and is rounded.  NGX_OK, or NGX_ERROR: there is no room, which is
 * noted, and what it was is lost.
 */
ngx_int_t ntrip_usage_count(ntrip_zone_t *zone, ntrip_usage_kind_e kind,
    const ngx_str_t *name, ntrip_counted_t *counted, uint64_t bytes,
    ngx_uint_t last);

/* the same of the source of a stream, if there is one */
void ntrip_usage_stream(ntrip_zone_t *zone, ntrip_stream_row_t *stream,
    ngx_uint_t last);

/* whether what a session of the user has used can be counted now: if not, it
   had better not end.  1 as well when sessions have no more than a quarter of
   their own table left. */
ngx_uint_t ntrip_usage_room(ntrip_zone_t *zone, const ngx_str_t *user);

/* what a user has used besides what is in the database: NTRIP_SESSION_LOOK of
   its sessions are looked at */
void ntrip_usage_pending(ntrip_zone_t *zone, ntrip_bus_t *bus,
    const ngx_str_t *user, ntrip_usage_t *used);

/* no lock: is it time to write, and perhaps for this worker? */
ngx_uint_t ntrip_usage_due(ntrip_zone_t *zone, ntrip_bus_t *bus);

/* NGX_OK: this worker writes, until end(), or NGX_DECLINED: another one
   does */
ngx_int_t ntrip_usage_begin(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint64_t me);
void ntrip_usage_end(ntrip_zone_t *zone, uint64_t me, uint64_t due);

/*
 * NTRIP_SWEEP_STEP rows a call, from *next on, 0 at first; give the lock back
 * between calls.  written() leaves *next where the next batch begins.
 *
 *   NGX_AGAIN  call again
 *   NGX_OK     collect: half of the table is used: write, then go on from
 *              *next; take: there is a batch; written: the next one may be
 *              taken
 *   NGX_DONE   collect: these were the last; take: there is nothing
 */
ngx_int_t ntrip_usage_collect(ntrip_zone_t *zone, uint32_t *next);
ngx_int_t ntrip_usage_take(ntrip_zone_t *zone, uint32_t *next,
    ntrip_usage_item_t *items, ngx_uint_t *n);
ngx_int_t ntrip_usage_written(ntrip_zone_t *zone, uint32_t *next);


#endif /* _NTRIP_USAGE_H_INCLUDED_ */
