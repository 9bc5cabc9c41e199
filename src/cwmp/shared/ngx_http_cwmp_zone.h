
/*
 * Fieldgate: what the workers share: sessions, Digest nonces, calls to CPEs
 * in flight, and counters.
 *
 * With "cwmp_zone" all of it lives in shared memory, and survives reloads and
 * killed workers; without, each worker has tables of its own.  The code that
 * uses them is the same.
 */


#ifndef _NGX_HTTP_CWMP_ZONE_H_INCLUDED_
#define _NGX_HTTP_CWMP_ZONE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_zone.h"
#include "ngx_http_cwmp_conf.h"
#include "ngx_http_cwmp_counters.h"


/*
 * The tables, and what a row of each carries in bytes.  The rows themselves are
 * declared by their users, who check that they fit:
 *
 *     sessions   cwmp_rows.h
 *     cookies    cwmp_rows.h
 *     facts      cwmp_facts.h
 *     nonces     ngx_http_cwmp_call.h
 *     calls      cwmp_turn.h
 *     notices    nothing: what was logged once, ngx_http_cwmp_announce.c
 *     admissions cwmp_admission.h
 *     bindings, addresses, nets
 *                cwmp_binding.h
 *     devices, woken
 *                cwmp_device.h
 */

#define NGX_HTTP_CWMP_SESSIONS      0
#define NGX_HTTP_CWMP_COOKIES       1
#define NGX_HTTP_CWMP_FACTS         2
#define NGX_HTTP_CWMP_NONCES        3
#define NGX_HTTP_CWMP_CALLS         4
#define NGX_HTTP_CWMP_NOTICES       5
#define NGX_HTTP_CWMP_ADMISSIONS    6
#define NGX_HTTP_CWMP_BINDINGS      7
#define NGX_HTTP_CWMP_ADDRESSES     8
#define NGX_HTTP_CWMP_NETS          9
#define NGX_HTTP_CWMP_DEVICES       10
#define NGX_HTTP_CWMP_WOKEN         11
#define NGX_HTTP_CWMP_TABLES        12

#define NGX_HTTP_CWMP_SESSION_SIZE  168
#define NGX_HTTP_CWMP_COOKIE_SIZE   48
#define NGX_HTTP_CWMP_FACT_SIZE     168
#define NGX_HTTP_CWMP_NONCE_SIZE    512
#define NGX_HTTP_CWMP_CALL_SIZE     256
#define NGX_HTTP_CWMP_NOTICE_SIZE   0
#define NGX_HTTP_CWMP_ADMISSION_SIZE  1056
#define NGX_HTTP_CWMP_BINDING_SIZE  48
#define NGX_HTTP_CWMP_ADDRESS_SIZE  24
#define NGX_HTTP_CWMP_NET_SIZE      16
#define NGX_HTTP_CWMP_DEVICE_SIZE   256
#define NGX_HTTP_CWMP_WOKEN_SIZE    16


/* at the beginning of the memory; all offsets count from here */

typedef struct {
    ngx_atomic_t                 counters[NGX_HTTP_CWMP_NCOUNTERS];
    ngx_atomic_t                 warned;     /* upstream without keep-alive */
    ngx_atomic_t                 wanted;     /* entries in "list" so far */
    ngx_uint_t                   stun;       /* made for "cwmp_stun" */
    ngx_uint_t                   status;     /* for "cwmp_status" */
    size_t                       tables[NGX_HTTP_CWMP_TABLES];
    u_char                       secret[CWMP_HASH_KEY_LEN];
    cwmp_wanted_t                list[CWMP_WANTED_MAX];
    cwmp_replay_t                replay;     /* of nonces for ACSs */
    cwmp_trace_t                 trace;      /* of one device */
} ngx_http_cwmp_zone_sh_t;


struct ngx_http_cwmp_zone_s {
    ngx_slab_pool_t             *shpool;     /* NULL: of this worker only */
    ngx_http_cwmp_zone_sh_t     *sh;
    cwmp_table_t                *tables[NGX_HTTP_CWMP_TABLES];
    cwmp_hash_t                  key;        /* of sh->secret, to begin with */
    ngx_uint_t                   stun;       /* "cwmp_stun" is there */
    ngx_uint_t                   status;     /* "cwmp_status" is there */
};


/*
 * Add to a counter, by its name and one, or by its number; no lock is taken.
 */

#define ngx_http_cwmp_count(z, id)                                            \
    ngx_http_cwmp_add(z, NGX_HTTP_CWMP_##id, 1)

#define ngx_http_cwmp_add(z, counter, n)                                      \
    (void) ngx_atomic_fetch_add(&(z)->sh->counters[counter], n)


/*
 * "cwmp_zone name:size;", in http{}.
 */
char *ngx_http_cwmp_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/*
 * Tables without a zone: made when the configuration has been read, and so
 * each worker's own after the fork.  status: "cwmp_status" is there.  NULL: no
 * memory.
 */
ngx_http_cwmp_zone_t *ngx_http_cwmp_zone_private(ngx_conf_t *cf,
    ngx_uint_t status);

/*
 * Takes the lock and begins work on one table, goes on with another one under
 * the same lock, and ends it.  Work is short and bounded: no I/O, no logging,
 * no allocation, no other lock.
 */
cwmp_table_t *ngx_http_cwmp_zone_lock(ngx_http_cwmp_zone_t *z,
    ngx_uint_t table);
cwmp_table_t *ngx_http_cwmp_zone_switch(ngx_http_cwmp_zone_t *z,
    ngx_uint_t from, ngx_uint_t to);
void ngx_http_cwmp_zone_unlock(ngx_http_cwmp_zone_t *z, ngx_uint_t table);

/*
 * A new nonce's serial number, and its use, see cwmp_replay.h.  These take the
 * lock.
 */
uint32_t ngx_http_cwmp_zone_serial(ngx_http_cwmp_zone_t *z);
ngx_int_t ngx_http_cwmp_zone_use(ngx_http_cwmp_zone_t *z, uint32_t serial,
    uint32_t count);

/*
 * The trace, under the lock.
 */
cwmp_trace_t *ngx_http_cwmp_zone_trace_lock(ngx_http_cwmp_zone_t *z);
void ngx_http_cwmp_zone_trace_unlock(ngx_http_cwmp_zone_t *z);

/*
 * Makes the key of a row, a digest of its kind and parts under the secret of
 * the zone: what comes from outside can neither be read there, nor aim at
 * another row or at a bucket.  "kind" tells apart keys of different meaning.
 */
void ngx_http_cwmp_zone_key(ngx_http_cwmp_zone_t *z, u_char *key,
    ngx_uint_t kind, ngx_str_t *parts, ngx_uint_t n);

#define NGX_HTTP_CWMP_KEY_DEVICE    1
#define NGX_HTTP_CWMP_KEY_COOKIE    2
#define NGX_HTTP_CWMP_KEY_CALL      3
#define NGX_HTTP_CWMP_KEY_ORIGIN    4
#define NGX_HTTP_CWMP_KEY_NOTICE    5
#define NGX_HTTP_CWMP_KEY_ADDRESS   6
#define NGX_HTTP_CWMP_KEY_ALIAS     7
#define NGX_HTTP_CWMP_KEY_BINDING   8
#define NGX_HTTP_CWMP_KEY_UDP_DEVICE  9
#define NGX_HTTP_CWMP_KEY_UDP_URL   10
#define NGX_HTTP_CWMP_KEY_WOKEN     11

/*
 * Whether the process "holder" lives.  One that was killed and is not reaped
 * yet, or whose number another process has got, counts as living: its rows
 * stay until their time is over, and a session that comes back before waits
 * once, for 200 ms, and takes its row over.
 */
ngx_uint_t ngx_http_cwmp_zone_alive(uint32_t holder);


#endif /* _NGX_HTTP_CWMP_ZONE_H_INCLUDED_ */
