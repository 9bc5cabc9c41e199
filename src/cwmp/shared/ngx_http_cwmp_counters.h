
/*
 * Fieldgate: the counters of all workers.
 */


#ifndef _NGX_HTTP_CWMP_COUNTERS_H_INCLUDED_
#define _NGX_HTTP_CWMP_COUNTERS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Families of counters: X(identifier, name, label, help).  The counters of one
 * differ in the label's value; without a label there is one.  EXCHANGES is a
 * histogram: each exchange with a CPE is in one bucket only.
 */

#define NGX_HTTP_CWMP_FAMILIES(X)                                             \
    X(MESSAGES, "messages", "method",                                         \
      "messages of CPEs by method")                                           \
    X(REWRITTEN_URLS, "rewritten", "",                                        \
      "connection request URLs rewritten")                                    \
    X(REFUSALS, "refused_origins", "",                                        \
      "announced origins that the policy refused")                            \
    X(SESSIONS, "sessions", "event",                                          \
      "sessions by what happened to them")                                    \
    X(ADMISSIONS, "admissions", "result",                                     \
      "new sessions by what cwmp_admission said")                             \
    X(PINNED, "pinned_connections", "event",                                  \
      "upstream connections pinned to a CPE's connection")                    \
    X(WAKEUPS, "wakeups", "result",                                           \
      "wake-ups by result")                                                   \
    X(SHARED, "calls_shared", "",                                             \
      "wake-ups that shared the call of another one")                         \
    X(REUSED, "nonces_reused", "",                                            \
      "requests to CPEs that answered a known challenge")                     \
    X(EXCHANGES, "exchange_seconds", "le",                                    \
      "time of calls to CPEs")                                                \
    X(STUN, "stun_datagrams", "result",                                       \
      "datagrams to cwmp_stun by what became of them")                        \
    X(BINDINGS, "bindings", "event",                                          \
      "bindings of CPEs behind NAT")                                          \
    X(UDP, "udp_requests", "",                                                \
      "UDP connection requests sent, copies included")                        \
    X(REBUILDS, "zone_rebuilds", "",                                          \
      "tables repaired after a worker died inside one")


/*
 * The counters: X(identifier, family, value of the label), those of one family
 * together.  MESSAGES_ up to OTHER are the methods that TR-069 has for CPEs to
 * send.  WAKEUPS_ are in the order of cwmp_wakeup_result_e.  EXCHANGES_ are
 * the histogram's buckets, by their bounds in milliseconds, and the sum of
 * milliseconds.
 */

#define NGX_HTTP_CWMP_COUNTERS(X)                                             \
                                                                              \
    X(MESSAGES_INFORM, MESSAGES, "Inform")                                    \
    X(MESSAGES_GET_PARAMETER_VALUES_RESPONSE, MESSAGES,                       \
      "GetParameterValuesResponse")                                           \
    X(MESSAGES_GET_PARAMETER_NAMES_RESPONSE, MESSAGES,                        \
      "GetParameterNamesResponse")                                            \
    X(MESSAGES_GET_PARAMETER_ATTRIBUTES_RESPONSE, MESSAGES,                   \
      "GetParameterAttributesResponse")                                       \
    X(MESSAGES_SET_PARAMETER_VALUES_RESPONSE, MESSAGES,                       \
      "SetParameterValuesResponse")                                           \
    X(MESSAGES_SET_PARAMETER_ATTRIBUTES_RESPONSE, MESSAGES,                   \
      "SetParameterAttributesResponse")                                       \
    X(MESSAGES_ADD_OBJECT_RESPONSE, MESSAGES, "AddObjectResponse")            \
    X(MESSAGES_DELETE_OBJECT_RESPONSE, MESSAGES, "DeleteObjectResponse")      \
    X(MESSAGES_DOWNLOAD_RESPONSE, MESSAGES, "DownloadResponse")               \
    X(MESSAGES_UPLOAD_RESPONSE, MESSAGES, "UploadResponse")                   \
    X(MESSAGES_SCHEDULE_INFORM_RESPONSE, MESSAGES, "ScheduleInformResponse")  \
    X(MESSAGES_REBOOT_RESPONSE, MESSAGES, "RebootResponse")                   \
    X(MESSAGES_FACTORY_RESET_RESPONSE, MESSAGES, "FactoryResetResponse")      \
    X(MESSAGES_TRANSFER_COMPLETE, MESSAGES, "TransferComplete")               \
    X(MESSAGES_AUTONOMOUS_TRANSFER_COMPLETE, MESSAGES,                        \
      "AutonomousTransferComplete")                                           \
    X(MESSAGES_GET_RPC_METHODS, MESSAGES, "GetRPCMethods")                    \
    X(MESSAGES_GET_RPC_METHODS_RESPONSE, MESSAGES, "GetRPCMethodsResponse")   \
    X(MESSAGES_FAULT, MESSAGES, "Fault")                                      \
    X(MESSAGES_OTHER, MESSAGES, "other")                                      \
    X(MESSAGES_EMPTY, MESSAGES, "empty")                                      \
                                                                              \
    X(REWRITTEN, REWRITTEN_URLS, "")                                          \
                                                                              \
    X(REFUSED_ORIGINS, REFUSALS, "")                                          \
                                                                              \
    X(SESSIONS_BEGUN, SESSIONS, "begun")                                      \
    X(SESSIONS_ENDED, SESSIONS, "ended")                                      \
    X(SESSIONS_RETURNED, SESSIONS, "returned")                                \
    X(SESSIONS_MOVED, SESSIONS, "moved")                                      \
    X(SESSIONS_FORGOTTEN, SESSIONS, "forgotten")                              \
    X(SESSIONS_WAITED, SESSIONS, "waited")                                    \
                                                                              \
    X(ADMISSIONS_PASSED, ADMISSIONS, "passed")                                \
    X(ADMISSIONS_LIMITED, ADMISSIONS, "limited")                              \
                                                                              \
    X(PINNED_OPENED, PINNED, "opened")                                        \
    X(PINNED_REUSED, PINNED, "reused")                                        \
    X(PINNED_CLOSED, PINNED, "closed")                                        \
                                                                              \
    X(WAKEUPS_METHOD, WAKEUPS, "method")                                      \
    X(WAKEUPS_BAD_ORIGIN, WAKEUPS, "bad_origin")                              \
    X(WAKEUPS_FORBIDDEN, WAKEUPS, "forbidden")                                \
    X(WAKEUPS_CREDENTIALS, WAKEUPS, "credentials")                            \
    X(WAKEUPS_OK, WAKEUPS, "ok")                                              \
    X(WAKEUPS_UDP, WAKEUPS, "udp")                                            \
    X(WAKEUPS_BUSY, WAKEUPS, "busy")                                          \
    X(WAKEUPS_CHALLENGE, WAKEUPS, "challenge")                                \
    X(WAKEUPS_UNAUTHORIZED, WAKEUPS, "unauthorized")                          \
    X(WAKEUPS_UNSUPPORTED, WAKEUPS, "unsupported")                            \
    X(WAKEUPS_REDIRECT, WAKEUPS, "redirect")                                  \
    X(WAKEUPS_STATUS, WAKEUPS, "status")                                      \
    X(WAKEUPS_BAD_REPLY, WAKEUPS, "bad_reply")                                \
    X(WAKEUPS_UNRESOLVED, WAKEUPS, "unresolved")                              \
    X(WAKEUPS_REFUSED, WAKEUPS, "refused")                                    \
    X(WAKEUPS_RESET, WAKEUPS, "reset")                                        \
    X(WAKEUPS_CLOSED, WAKEUPS, "closed")                                      \
    X(WAKEUPS_TIMEOUT, WAKEUPS, "timeout")                                    \
    X(WAKEUPS_QUEUE, WAKEUPS, "queue")                                        \
    X(WAKEUPS_UDP_SILENT, WAKEUPS, "udp_silent")                              \
    X(WAKEUPS_UDP_UNBOUND, WAKEUPS, "udp_unbound")                            \
    X(WAKEUPS_INTERNAL, WAKEUPS, "internal")                                  \
                                                                              \
    X(CALLS_SHARED, SHARED, "")                                               \
                                                                              \
    X(NONCES_REUSED, REUSED, "")                                              \
                                                                              \
    X(EXCHANGES_5, EXCHANGES, "0.005")                                        \
    X(EXCHANGES_10, EXCHANGES, "0.01")                                        \
    X(EXCHANGES_25, EXCHANGES, "0.025")                                       \
    X(EXCHANGES_50, EXCHANGES, "0.05")                                        \
    X(EXCHANGES_100, EXCHANGES, "0.1")                                        \
    X(EXCHANGES_250, EXCHANGES, "0.25")                                       \
    X(EXCHANGES_500, EXCHANGES, "0.5")                                        \
    X(EXCHANGES_1000, EXCHANGES, "1")                                         \
    X(EXCHANGES_2500, EXCHANGES, "2.5")                                       \
    X(EXCHANGES_INF, EXCHANGES, "+Inf")                                       \
    X(EXCHANGES_TIME, EXCHANGES, "")                                          \
                                                                              \
    X(STUN_ANSWERED, STUN, "answered")                                        \
    X(STUN_REFUSED, STUN, "refused")                                          \
    X(STUN_MALFORMED, STUN, "malformed")                                      \
    X(STUN_UNSUPPORTED, STUN, "unsupported")                                  \
    X(STUN_REFLECTED, STUN, "reflected")                                      \
    X(STUN_LIMITED, STUN, "limited")                                          \
    X(STUN_FAILED, STUN, "failed")                                            \
                                                                              \
    X(BINDINGS_MADE, BINDINGS, "made")                                        \
    X(BINDINGS_EVICTED, BINDINGS, "evicted")                                  \
                                                                              \
    X(UDP_SENT, UDP, "")                                                      \
                                                                              \
    X(REBUILT, REBUILDS, "")


#define NGX_HTTP_CWMP_FAMILY_ID(id, name, label, help)                        \
    NGX_HTTP_CWMP_FAMILY_##id,

typedef enum {
    NGX_HTTP_CWMP_FAMILIES(NGX_HTTP_CWMP_FAMILY_ID)
    NGX_HTTP_CWMP_NFAMILIES
} ngx_http_cwmp_family_e;


#define NGX_HTTP_CWMP_COUNTER_ID(id, family, value)  NGX_HTTP_CWMP_##id,

typedef enum {
    NGX_HTTP_CWMP_COUNTERS(NGX_HTTP_CWMP_COUNTER_ID)
    NGX_HTTP_CWMP_NCOUNTERS
} ngx_http_cwmp_counter_e;


typedef struct {
    char                        *name;
    char                        *label;      /* "": the family has none */
    char                        *help;
} ngx_http_cwmp_family_t;


typedef struct {
    ngx_http_cwmp_family_e       family;
    char                        *value;
} ngx_http_cwmp_counter_t;


/* by ngx_http_cwmp_family_e and ngx_http_cwmp_counter_e */

extern ngx_http_cwmp_family_t   ngx_http_cwmp_families[];
extern ngx_http_cwmp_counter_t  ngx_http_cwmp_counters[];


#endif /* _NGX_HTTP_CWMP_COUNTERS_H_INCLUDED_ */
