
/*
 * Fieldgate: CWMP (TR-069) proxy and connection requests.
 *
 * What the files of the module share: configuration, the request's context
 * and the hooks that ngx_http_cwmp_module.c installs.
 */


#ifndef _NGX_HTTP_CWMP_MODULE_H_INCLUDED_
#define _NGX_HTTP_CWMP_MODULE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "cwmp_origin.h"
#include "cwmp_policy.h"
#include "cwmp_sign.h"
#include "ngx_http_cwmp_zone.h"


#define NGX_HTTP_CWMP_ERROR_REJECT  0
#define NGX_HTTP_CWMP_ERROR_PASS    1


/*
 * Where a directive stands.  Some mistakes show only when the configuration
 * is merged, when nginx's own "in file:line" names the end of the block.
 */

typedef struct {
    ngx_str_t                    file;
    ngx_uint_t                   line;       /* 0: the directive is not set */
} ngx_http_cwmp_place_t;


typedef struct {
    ngx_shm_zone_t              *zone;       /* NULL: no cwmp_zone */
    ngx_http_cwmp_zone_t        *shared;     /* the zone's or private tables */
    ngx_http_cwmp_place_t        affinity;   /* an upstream is pinned */
    ngx_array_t                  upstreams;  /* these; of their srv_conf's */
    ngx_http_cwmp_place_t        wakeup;     /* some location wakes CPEs */
    unsigned                     enabled:1;  /* cwmp on somewhere */
    unsigned                     status:1;   /* cwmp_status somewhere */
} ngx_http_cwmp_main_conf_t;


/* of an upstream{} */

typedef struct {
    ngx_http_cwmp_place_t        affinity;
    ngx_msec_t                   timeout;    /* of a session's server */
    u_char                       tag[CWMP_TABLE_KEY_LEN];
    ngx_http_upstream_init_peer_pt  original_init_peer;
} ngx_http_cwmp_srv_conf_t;


typedef struct {
    ngx_flag_t                   enable;
    ngx_http_complex_value_t    *public_url;
    ngx_uint_t                   url_mode;   /* CWMP_URL_QUERY, _PATH */
    ngx_array_t                 *keys;       /* cwmp_sign_key_t; or NULL */
    ngx_array_t                 *allow;      /* of cwmp_policy_spec_t */
    ngx_array_t                 *deny;       /* of cwmp_policy_spec_t */
    ngx_array_t                 *parameters; /* of ngx_regex_t *; or NULL */
    ngx_uint_t                   on_error;   /* NGX_HTTP_CWMP_ERROR_* */
    size_t                       max_body;

    ngx_http_complex_value_t    *user;       /* cwmp_credentials, or NULL */
    ngx_http_complex_value_t    *password;
    ngx_flag_t                   cpe_basic;
    ngx_msec_t                   timeout;
    ngx_msec_t                   connect_timeout;
    ngx_addr_t                  *bind;       /* NULL: any */

    ngx_http_cwmp_place_t        enable_place;
    ngx_http_cwmp_place_t        mode_place;
    ngx_http_cwmp_place_t        credentials_place;
    ngx_http_cwmp_place_t        wakeup_place;   /* a wake-up location */
} ngx_http_cwmp_loc_conf_t;


typedef struct ngx_http_cwmp_session_s  ngx_http_cwmp_session_t;
typedef struct ngx_http_cwmp_wakeup_s  ngx_http_cwmp_wakeup_t;


/*
 * The request's context.  The facts of the body are set by the PRECONTENT
 * handler and are empty before; the strings live in the request's pool.
 */

typedef struct {
    ngx_str_t                    method;     /* "Inform", ..., "empty" */
    ngx_str_t                    oui;
    ngx_str_t                    product_class;
    ngx_str_t                    serial;
    ngx_str_t                    device_id;  /* OUI-ProductClass-Serial */
    ngx_str_t                    events;     /* "1 BOOT,4 VALUE CHANGE" */
    ngx_str_t                    origin;     /* host:port, never a path */
    ngx_uint_t                   rewritten;  /* values */

    ngx_http_cwmp_session_t     *session;    /* NULL: not looked for yet */
    ngx_http_cwmp_wakeup_t      *wakeup;     /* NULL: not a wake-up */

    ngx_int_t                    status;     /* of the body, once it is read */

    unsigned                     done:1;     /* the facts are final */
    unsigned                     inform:1;   /* a session begins */
    unsigned                     empty:1;    /* POST without a body */
} ngx_http_cwmp_ctx_t;


/* ngx_http_cwmp_module.c */

/*
 * Returns the request's context, also after an internal redirect, or NULL if
 * there is none.
 */
ngx_http_cwmp_ctx_t *ngx_http_cwmp_find_ctx(ngx_http_request_t *r);

/*
 * Returns the request's context, which it makes if need be; NULL: no memory.
 */
ngx_http_cwmp_ctx_t *ngx_http_cwmp_get_ctx(ngx_http_request_t *r);


/* ngx_http_cwmp_directives.c */

char *ngx_http_cwmp_flag(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_cwmp_public_url(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_cwmp_url_mode(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_cwmp_secret(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_cwmp_secret_file(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_cwmp_origins(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_cwmp_parameter(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_cwmp_credentials(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_cwmp_bind(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_cwmp_wakeup(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_cwmp_affinity(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_cwmp_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* ngx_http_cwmp_conf.c */

void *ngx_http_cwmp_create_main_conf(ngx_conf_t *cf);
void *ngx_http_cwmp_create_srv_conf(ngx_conf_t *cf);
void *ngx_http_cwmp_create_loc_conf(ngx_conf_t *cf);
char *ngx_http_cwmp_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child);

/*
 * What can be judged only when all is read: affinity and wake-ups without a
 * zone get tables private to each worker, with a warning.
 */
ngx_int_t ngx_http_cwmp_check_main_conf(ngx_conf_t *cf,
    ngx_http_cwmp_main_conf_t *cmcf);

/*
 * Reads cwmp_public_url: an http URL like that of a CPE, since the ACS
 * connects to it as to a CPE.  Logs what is wrong; the strings of *url live in
 * the temporary pool.
 */
ngx_int_t ngx_http_cwmp_parse_public_url(ngx_conf_t *cf, ngx_str_t *text,
    cwmp_origin_t *url);


/* ngx_http_cwmp_variables.c: called in preconfiguration */

ngx_int_t ngx_http_cwmp_add_variables(ngx_conf_t *cf);


/* ngx_http_cwmp_body.c */

/*
 * PRECONTENT: reads the body, finds the message, sets the context's facts,
 * rewrites.  NGX_DECLINED: go on; NGX_DONE: the body is being read; else an
 * HTTP status.
 */
ngx_int_t ngx_http_cwmp_body_handler(ngx_http_request_t *r);


/* ngx_http_cwmp_policy.c */

/* Lists nginx's own listening sockets for the policy; NGX_ERROR: no memory. */
ngx_int_t ngx_http_cwmp_policy_init_process(ngx_cycle_t *cycle);

/*
 * Fills in the policy of the request's location, at announcement and at the
 * call.
 */
void ngx_http_cwmp_policy_init(ngx_http_request_t *r, cwmp_policy_t *policy);


/* ngx_http_cwmp_announce.c */

/*
 * The verdict on an origin that a CPE announces, its decoded text, and the
 * text that is announced in its place, before XML escaping, in the request's
 * pool.  A refused origin gets no signature; *refused says so, and the refusal
 * has then been counted, and logged once a day and device: the context's
 * device_id is set before.  Sets the context's origin.
 */
ngx_int_t ngx_http_cwmp_announce(ngx_http_request_t *r, ngx_str_t *origin,
    ngx_str_t *announced, ngx_uint_t *refused);


/* ngx_http_cwmp_pin.c */

/*
 * The connection of the request's client.  With HTTP/2 and HTTP/3
 * r->connection is a stream's, and dies with it.
 */
ngx_connection_t *ngx_http_cwmp_connection(ngx_http_request_t *r);

/*
 * Between two requests nginx takes a client's connection for an idle one, that
 * a reload, or a lack of connections, may close.  This keeps it from that, if
 * it is idle, which *keepalive, NULL at first, then says.
 */
void ngx_http_cwmp_shield(ngx_connection_t *c,
    ngx_event_handler_pt *keepalive);

/*
 * Gives it back, if it is idle still: an exiting worker closes it.
 */
void ngx_http_cwmp_unshield(ngx_connection_t *c,
    ngx_event_handler_pt *keepalive);


/* ngx_http_cwmp_session.c, ngx_http_cwmp_affinity.c, ngx_http_cwmp_filter.c */

/*
 * PRECONTENT, after the body handler: a session that comes back on a new
 * connection waits until its old upstream connection is closed.
 */
ngx_int_t ngx_http_cwmp_session_handler(ngx_http_request_t *r);

/*
 * Wraps the balancer of each upstream with cwmp_affinity.  Called in
 * postconfiguration, that is after every module's init_main_conf: from
 * 1.29.7 that of upstream keep-alive wraps every balancer.
 */
ngx_int_t ngx_http_cwmp_affinity_init(ngx_conf_t *cf);

/*
 * Looks at the ACS's replies: cookies, the end of a session, challenges with
 * auth-int.  Called in postconfiguration.
 */
void ngx_http_cwmp_filter_init(void);


/* ngx_http_cwmp_wakeup.c, ngx_http_cwmp_status.c: content handlers */

/*
 * REWRITE, the first phase that knows the location: from here on nothing that
 * is logged about a wake-up shows its request line.
 */
ngx_int_t ngx_http_cwmp_wakeup_phase_handler(ngx_http_request_t *r);

ngx_int_t ngx_http_cwmp_wakeup_handler(ngx_http_request_t *r);
ngx_int_t ngx_http_cwmp_status_handler(ngx_http_request_t *r);


/*
 * $cwmp_wakeup_result, _status, _scheme, _time: *value is empty while there
 * is nothing to tell.  "which" is one of NGX_HTTP_CWMP_WAKEUP_*.
 */

#define NGX_HTTP_CWMP_WAKEUP_RESULT  0
#define NGX_HTTP_CWMP_WAKEUP_STATUS  1
#define NGX_HTTP_CWMP_WAKEUP_SCHEME  2
#define NGX_HTTP_CWMP_WAKEUP_TIME    3

ngx_int_t ngx_http_cwmp_wakeup_variable(ngx_http_request_t *r,
    ngx_uint_t which, ngx_str_t *value);


extern ngx_module_t  ngx_http_cwmp_module;


#endif /* _NGX_HTTP_CWMP_MODULE_H_INCLUDED_ */
