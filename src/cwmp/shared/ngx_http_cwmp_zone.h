
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
#include <ngx_md5.h>

#include "cwmp_table.h"


/*
 * The tables, what a row of each carries in bytes, and its share of the zone
 * in percent.  The rows themselves are declared by their users, who check
 * that they fit:
 *
 *     sessions   ngx_http_cwmp_session.c
 *     cookies    ngx_http_cwmp_session.c, and what was logged once:
 *                ngx_http_cwmp_announce.c
 *     nonces     ngx_http_cwmp_wakeup.h
 *     calls      ngx_http_cwmp_wakeup.h
 */

#define NGX_HTTP_CWMP_SESSIONS      0
#define NGX_HTTP_CWMP_COOKIES       1
#define NGX_HTTP_CWMP_NONCES        2
#define NGX_HTTP_CWMP_CALLS         3
#define NGX_HTTP_CWMP_TABLES        4

#define NGX_HTTP_CWMP_SESSION_SIZE  160
#define NGX_HTTP_CWMP_COOKIE_SIZE   32
#define NGX_HTTP_CWMP_NONCE_SIZE    512
#define NGX_HTTP_CWMP_CALL_SIZE     256

#define NGX_HTTP_CWMP_SESSIONS_PCT  40
#define NGX_HTTP_CWMP_COOKIES_PCT   15
#define NGX_HTTP_CWMP_NONCES_PCT    30
#define NGX_HTTP_CWMP_CALLS_PCT     15

/* a block of MD5 */
#define NGX_HTTP_CWMP_SECRET        64


/*
 * The counters: X(identifier, family, label, value, help).  Counters of one
 * family stand together and differ in the label's value.  MESSAGES_ up to OTHER
 * are the methods that TR-069 has for CPEs to send.  WAKEUPS_ are in the
 * order of cwmp_wakeup_result_e.  EXCHANGES_ are a histogram: bounds in
 * milliseconds, each call in one bucket only, then the sum of milliseconds.
 */

#define NGX_HTTP_CWMP_COUNTERS(X)                                             \
                                                                              \
    X(MESSAGES_INFORM, "messages", "method",                                  \
      "Inform", "messages of CPEs by method")                                 \
    X(MESSAGES_GET_PARAMETER_VALUES_RESPONSE, "messages", "method",           \
      "GetParameterValuesResponse", "messages of CPEs by method")             \
    X(MESSAGES_GET_PARAMETER_NAMES_RESPONSE, "messages", "method",            \
      "GetParameterNamesResponse", "messages of CPEs by method")              \
    X(MESSAGES_GET_PARAMETER_ATTRIBUTES_RESPONSE, "messages", "method",       \
      "GetParameterAttributesResponse", "messages of CPEs by method")         \
    X(MESSAGES_SET_PARAMETER_VALUES_RESPONSE, "messages", "method",           \
      "SetParameterValuesResponse", "messages of CPEs by method")             \
    X(MESSAGES_SET_PARAMETER_ATTRIBUTES_RESPONSE, "messages", "method",       \
      "SetParameterAttributesResponse", "messages of CPEs by method")         \
    X(MESSAGES_ADD_OBJECT_RESPONSE, "messages", "method",                     \
      "AddObjectResponse", "messages of CPEs by method")                      \
    X(MESSAGES_DELETE_OBJECT_RESPONSE, "messages", "method",                  \
      "DeleteObjectResponse", "messages of CPEs by method")                   \
    X(MESSAGES_DOWNLOAD_RESPONSE, "messages", "method",                       \
      "DownloadResponse", "messages of CPEs by method")                       \
    X(MESSAGES_UPLOAD_RESPONSE, "messages", "method",                         \
      "UploadResponse", "messages of CPEs by method")                         \
    X(MESSAGES_SCHEDULE_INFORM_RESPONSE, "messages", "method",                \
      "ScheduleInformResponse", "messages of CPEs by method")                 \
    X(MESSAGES_REBOOT_RESPONSE, "messages", "method",                         \
      "RebootResponse", "messages of CPEs by method")                         \
    X(MESSAGES_FACTORY_RESET_RESPONSE, "messages", "method",                  \
      "FactoryResetResponse", "messages of CPEs by method")                   \
    X(MESSAGES_TRANSFER_COMPLETE, "messages", "method",                       \
      "TransferComplete", "messages of CPEs by method")                       \
    X(MESSAGES_AUTONOMOUS_TRANSFER_COMPLETE, "messages", "method",            \
      "AutonomousTransferComplete", "messages of CPEs by method")             \
    X(MESSAGES_GET_RPC_METHODS, "messages", "method",                         \
      "GetRPCMethods", "messages of CPEs by method")                          \
    X(MESSAGES_GET_RPC_METHODS_RESPONSE, "messages", "method",                \
      "GetRPCMethodsResponse", "messages of CPEs by method")                  \
    X(MESSAGES_FAULT, "messages", "method",                                   \
      "Fault", "messages of CPEs by method")                                  \
    X(MESSAGES_OTHER, "messages", "method",                                   \
      "other", "messages of CPEs by method")                                  \
    X(MESSAGES_EMPTY, "messages", "method",                                   \
      "empty", "messages of CPEs by method")                                  \
                                                                              \
    X(REWRITTEN, "rewritten", "", "",                                         \
      "connection request URLs rewritten")                                    \
    X(REFUSED_ORIGINS, "refused_origins", "", "",                             \
      "announced origins that the policy refused")                            \
                                                                              \
    X(SESSIONS_BEGUN, "sessions", "event", "begun",                           \
      "sessions by what happened to them")                                    \
    X(SESSIONS_ENDED, "sessions", "event", "ended",                           \
      "sessions by what happened to them")                                    \
    X(SESSIONS_RETURNED, "sessions", "event", "returned",                     \
      "sessions by what happened to them")                                    \
    X(SESSIONS_MOVED, "sessions", "event", "moved",                           \
      "sessions by what happened to them")                                    \
    X(SESSIONS_FORGOTTEN, "sessions", "event", "forgotten",                   \
      "sessions by what happened to them")                                    \
    X(SESSIONS_WAITED, "sessions", "event", "waited",                         \
      "sessions by what happened to them")                                    \
                                                                              \
    X(PINNED_OPENED, "pinned_connections", "event", "opened",                 \
      "upstream connections pinned to a CPE's connection")                    \
    X(PINNED_REUSED, "pinned_connections", "event", "reused",                 \
      "upstream connections pinned to a CPE's connection")                    \
    X(PINNED_CLOSED, "pinned_connections", "event", "closed",                 \
      "upstream connections pinned to a CPE's connection")                    \
                                                                              \
    X(WAKEUPS_METHOD, "wakeups", "result", "method",                          \
      "wake-ups by result")                                                   \
    X(WAKEUPS_BAD_ORIGIN, "wakeups", "result", "bad_origin",                  \
      "wake-ups by result")                                                   \
    X(WAKEUPS_FORBIDDEN, "wakeups", "result", "forbidden",                    \
      "wake-ups by result")                                                   \
    X(WAKEUPS_CREDENTIALS, "wakeups", "result", "credentials",                \
      "wake-ups by result")                                                   \
    X(WAKEUPS_OK, "wakeups", "result", "ok",                                  \
      "wake-ups by result")                                                   \
    X(WAKEUPS_BUSY, "wakeups", "result", "busy",                              \
      "wake-ups by result")                                                   \
    X(WAKEUPS_CHALLENGE, "wakeups", "result", "challenge",                    \
      "wake-ups by result")                                                   \
    X(WAKEUPS_UNAUTHORIZED, "wakeups", "result", "unauthorized",              \
      "wake-ups by result")                                                   \
    X(WAKEUPS_UNSUPPORTED, "wakeups", "result", "unsupported",                \
      "wake-ups by result")                                                   \
    X(WAKEUPS_REDIRECT, "wakeups", "result", "redirect",                      \
      "wake-ups by result")                                                   \
    X(WAKEUPS_STATUS, "wakeups", "result", "status",                          \
      "wake-ups by result")                                                   \
    X(WAKEUPS_BAD_REPLY, "wakeups", "result", "bad_reply",                    \
      "wake-ups by result")                                                   \
    X(WAKEUPS_UNRESOLVED, "wakeups", "result", "unresolved",                  \
      "wake-ups by result")                                                   \
    X(WAKEUPS_REFUSED, "wakeups", "result", "refused",                        \
      "wake-ups by result")                                                   \
    X(WAKEUPS_RESET, "wakeups", "result", "reset",                            \
      "wake-ups by result")                                                   \
    X(WAKEUPS_CLOSED, "wakeups", "result", "closed",                          \
      "wake-ups by result")                                                   \
    X(WAKEUPS_TIMEOUT, "wakeups", "result", "timeout",                        \
      "wake-ups by result")                                                   \
    X(WAKEUPS_QUEUE, "wakeups", "result", "queue",                            \
      "wake-ups by result")                                                   \
    X(WAKEUPS_INTERNAL, "wakeups", "result", "internal",                      \
      "wake-ups by result")                                                   \
                                                                              \
    X(CALLS_SHARED, "calls_shared", "", "",                                   \
      "wake-ups that shared the call of another one")                         \
    X(NONCES_REUSED, "nonces_reused", "", "",                                 \
      "requests to CPEs that answered a known challenge")                     \
                                                                              \
    X(EXCHANGES_5, "exchange_seconds", "le", "0.005",                         \
      "time of calls to CPEs")                                                \
    X(EXCHANGES_10, "exchange_seconds", "le", "0.01",                         \
      "time of calls to CPEs")                                                \
    X(EXCHANGES_25, "exchange_seconds", "le", "0.025",                        \
      "time of calls to CPEs")                                                \
    X(EXCHANGES_50, "exchange_seconds", "le", "0.05",                         \
      "time of calls to CPEs")                                                \
    X(EXCHANGES_100, "exchange_seconds", "le", "0.1",                         \
      "time of calls to CPEs")                                                \
    X(EXCHANGES_250, "exchange_seconds", "le", "0.25",                        \
      "time of calls to CPEs")                                                \
    X(EXCHANGES_500, "exchange_seconds", "le", "0.5",                         \
      "time of calls to CPEs")                                                \
    X(EXCHANGES_1000, "exchange_seconds", "le", "1",                          \
      "time of calls to CPEs")                                                \
    X(EXCHANGES_2500, "exchange_seconds", "le", "2.5",                        \
      "time of calls to CPEs")                                                \
    X(EXCHANGES_INF, "exchange_seconds", "le", "+Inf",                        \
      "time of calls to CPEs")                                                \
    X(EXCHANGES_TIME, "exchange_seconds", "", "",                             \
      "time of calls to CPEs")                                                \
                                                                              \
    X(REBUILT, "zone_rebuilds", "", "",                                       \
      "tables repaired after a worker died inside one")


#define NGX_HTTP_CWMP_COUNTER_ID(id, family, label, value, help)              \
    NGX_HTTP_CWMP_##id,

typedef enum {
    NGX_HTTP_CWMP_COUNTERS(NGX_HTTP_CWMP_COUNTER_ID)
    NGX_HTTP_CWMP_NCOUNTERS
} ngx_http_cwmp_counter_e;


typedef struct {
    char                        *family;
    char                        *label;      /* "": the family has none */
    char                        *value;
    char                        *help;
} ngx_http_cwmp_counter_t;


/* at the beginning of the memory; all offsets count from here */

typedef struct {
    ngx_atomic_t                 counters[NGX_HTTP_CWMP_NCOUNTERS];
    ngx_atomic_t                 warned;     /* upstream without keep-alive */
    ngx_atomic_t                 wanted;     /* a session is, see its row */
    size_t                       tables[NGX_HTTP_CWMP_TABLES];
    u_char                       secret[NGX_HTTP_CWMP_SECRET];
} ngx_http_cwmp_zone_sh_t;


typedef struct {
    ngx_slab_pool_t             *shpool;     /* NULL: of this worker only */
    ngx_http_cwmp_zone_sh_t     *sh;
    cwmp_table_t                *tables[NGX_HTTP_CWMP_TABLES];
    ngx_md5_t                    key;        /* has hashed sh->secret */
} ngx_http_cwmp_zone_t;


/*
 * Adds one to a counter; takes no lock.
 */

#define ngx_http_cwmp_count(z, id)                                            \
    (void) ngx_atomic_fetch_add(&(z)->sh->counters[NGX_HTTP_CWMP_##id], 1)


/* in the order of ngx_http_cwmp_counter_e */

extern ngx_http_cwmp_counter_t  ngx_http_cwmp_counters[];


/*
 * "cwmp_zone name:size;", in http{}.
 */
char *ngx_http_cwmp_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/*
 * Tables without a zone: made when the configuration has been read, and so
 * each worker's own after the fork.  NULL: no memory.
 */
ngx_http_cwmp_zone_t *ngx_http_cwmp_zone_private(ngx_conf_t *cf);

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

/*
 * Whether the process "holder" lives.  One that was killed and is not reaped
 * yet, or whose number another process has got, counts as living: its rows
 * stay until their time is over, and a session that comes back before waits
 * once, NGX_HTTP_CWMP_WAIT, and takes its row over.
 */
ngx_uint_t ngx_http_cwmp_zone_alive(uint32_t holder);


#endif /* _NGX_HTTP_CWMP_ZONE_H_INCLUDED_ */
