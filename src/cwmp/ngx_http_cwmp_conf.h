
/*
 * Fieldgate: the configuration of the CWMP module, as all its rooms see it.
 */


#ifndef _NGX_HTTP_CWMP_CONF_H_INCLUDED_
#define _NGX_HTTP_CWMP_CONF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "cwmp_message.h"
#include "cwmp_origin.h"
#include "cwmp_zone.h"


#define NGX_HTTP_CWMP_ERROR_REJECT  0
#define NGX_HTTP_CWMP_ERROR_PASS    1


/* cwmp_acs_auth */

#define NGX_HTTP_CWMP_ACS_BASIC     0
#define NGX_HTTP_CWMP_ACS_DIGEST    1
#define NGX_HTTP_CWMP_ACS_NONE      2


/* cwmp_udp */

#define NGX_HTTP_CWMP_UDP_OFF       0
#define NGX_HTTP_CWMP_UDP_FALLBACK  1
#define NGX_HTTP_CWMP_UDP_FIRST     2


/* cwmp_trace */

#define NGX_HTTP_CWMP_TRACE_OFF        0
#define NGX_HTTP_CWMP_TRACE_ON         1
#define NGX_HTTP_CWMP_TRACE_UNGUARDED  2


/*
 * Where a directive stands.  Some mistakes show only when the configuration
 * is merged, when nginx's own "in file:line" names the end of the block.
 */

typedef struct {
    ngx_str_t                    file;
    ngx_uint_t                   line;       /* 0: the directive is not set */
} ngx_http_cwmp_place_t;


typedef struct ngx_http_cwmp_zone_s  ngx_http_cwmp_zone_t;


typedef struct {
    ngx_shm_zone_t              *zone;       /* NULL: no cwmp_zone */
    ngx_http_cwmp_zone_t        *shared;     /* the zone's or private tables */
    ngx_http_cwmp_place_t        affinity;   /* an upstream is pinned */
    ngx_http_cwmp_place_t        admission;  /* an upstream has limits */
    ngx_http_cwmp_place_t        cookie;     /* an upstream has a cookie */
    ngx_array_t                  upstreams;  /* these; of their srv_conf's */
    ngx_http_cwmp_place_t        wakeup;     /* some location wakes CPEs */
    ngx_http_cwmp_place_t        stun;       /* the first cwmp_stun */
    ngx_http_cwmp_place_t        udp;        /* a cwmp_udp that needs one */
    ngx_array_t                 *traces;     /* places of cwmp_trace, NULL */
    unsigned                     enabled:1;  /* cwmp on somewhere */
    unsigned                     mapped:1;   /* cwmp_url_map somewhere */
    unsigned                     status:1;   /* cwmp_status somewhere */
} ngx_http_cwmp_main_conf_t;


/* cwmp_require: an Inform goes on if each value is neither empty nor "0" */

typedef struct {
    ngx_array_t                 *values;     /* ngx_http_complex_value_t */
    ngx_uint_t                   status;     /* of the answer, else */
    ngx_http_cwmp_place_t        place;
} ngx_http_cwmp_require_t;


/* of an upstream{} */

typedef struct {
    ngx_http_cwmp_place_t        affinity;
    ngx_msec_t                   timeout;    /* of a session's server */
    u_char                       tag[CWMP_TABLE_KEY_LEN];
    ngx_http_upstream_init_peer_pt  original_init_peer;
    ngx_str_t                    cookie;     /* its name; empty: none */
    ngx_uint_t                   index;      /* in the list of upstreams */
    ngx_str_t                    upstream;   /* its name */

    ngx_http_cwmp_place_t        admission;
    cwmp_admission_limits_t      limits;
    ngx_uint_t                   counted;    /* sessions of this worker */
} ngx_http_cwmp_srv_conf_t;


typedef struct {
    ngx_flag_t                   enable;
    ngx_http_complex_value_t    *public_url;
    ngx_uint_t                   url_mode;   /* CWMP_URL_QUERY, _PATH */
    ngx_array_t                 *keys;       /* cwmp_sign_key_t; or NULL */
    ngx_array_t                 *allow;      /* of cwmp_policy_spec_t */
    ngx_array_t                 *deny;       /* of cwmp_policy_spec_t */
    ngx_array_t                 *parameters; /* of ngx_regex_t *; or NULL */
    ngx_array_t                 *require;    /* ngx_http_cwmp_require_t, NULL */
    ngx_array_t                 *url_map;    /* cwmp_urlmap_pair_t, NULL */
    ngx_uint_t                   on_error;   /* NGX_HTTP_CWMP_ERROR_* */
    size_t                       max_body;
    ngx_int_t                    max_ratio;  /* inflated to compressed */

    ngx_http_complex_value_t    *user;       /* cwmp_credentials, or NULL */
    ngx_http_complex_value_t    *password;
    ngx_uint_t                   acs_auth;   /* NGX_HTTP_CWMP_ACS_* */
    ngx_uint_t                   udp;        /* NGX_HTTP_CWMP_UDP_* */
    ngx_flag_t                   cpe_basic;
    ngx_msec_t                   timeout;
    ngx_msec_t                   connect_timeout;
    ngx_addr_t                  *bind;       /* NULL: any */

    ngx_uint_t                   trace;      /* NGX_HTTP_CWMP_TRACE_* */
    unsigned                     status:1;   /* cwmp_status */
    unsigned                     whole:1;    /* in a location without prefix */
    unsigned                     certified:1;  /* "ssl_verify_client" is all
                                                that guards cwmp_trace */

    ngx_http_cwmp_place_t        enable_place;
    ngx_http_cwmp_place_t        mode_place;
    ngx_http_cwmp_place_t        credentials_place;
    ngx_http_cwmp_place_t        acs_auth_place;
    ngx_http_cwmp_place_t        url_map_place;  /* of this level */
    ngx_http_cwmp_place_t        udp_place;      /* not of "off" */
    ngx_http_cwmp_place_t        wakeup_place;   /* a wake-up location */
    ngx_http_cwmp_place_t        trace_place;
} ngx_http_cwmp_loc_conf_t;


extern ngx_module_t  ngx_http_cwmp_module;


#endif /* _NGX_HTTP_CWMP_CONF_H_INCLUDED_ */
