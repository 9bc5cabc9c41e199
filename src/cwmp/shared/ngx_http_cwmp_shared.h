
/*
 * Fieldgate: what the rooms above share: the workers' zone, what is known of a
 * request, and the policy of origins with what only nginx knows.
 */


#ifndef _NGX_HTTP_CWMP_SHARED_H_INCLUDED_
#define _NGX_HTTP_CWMP_SHARED_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_conf.h"
#include "ngx_http_cwmp_zone.h"


typedef struct ngx_http_cwmp_claim_s  ngx_http_cwmp_claim_t;
typedef struct ngx_http_cwmp_wakeup_s  ngx_http_cwmp_wakeup_t;
typedef struct ngx_http_cwmp_map_s  ngx_http_cwmp_map_t;
typedef struct ngx_http_cwmp_nat_s  ngx_http_cwmp_nat_t;


/*
 * The request's context.  The facts of the body are set by the PRECONTENT
 * handler and are empty before; the strings live in the request's pool.  Those
 * of the device are the session's when the message has none.
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

    ngx_http_cwmp_claim_t       *claim;      /* NULL: not made yet */
    ngx_http_cwmp_wakeup_t      *wakeup;     /* NULL: not a wake-up */
    ngx_http_cwmp_map_t         *map;        /* NULL: passes as it comes */
    ngx_http_cwmp_nat_t         *nat;        /* NULL: no cwmp_stun */

    cwmp_admission_e             admission;  /* of a new session */
    ngx_str_t                   *tickets;    /* by upstream; NULL: none came */

    /* of the row of wake-ups of the origin, if "placed" */
    u_char                       url[CWMP_TABLE_KEY_LEN];

    ngx_int_t                    status;     /* of the body, once it is read */

    unsigned                     done:1;     /* the facts are final */
    unsigned                     inform:1;   /* a session begins */
    unsigned                     empty:1;    /* POST without a body */
    unsigned                     placed:1;   /* an origin was announced */
} ngx_http_cwmp_ctx_t;


/* ngx_http_cwmp_ctx.c */

/*
 * Returns the request's context, also after an internal redirect, or NULL if
 * there is none.
 */
ngx_http_cwmp_ctx_t *ngx_http_cwmp_find_ctx(ngx_http_request_t *r);

/*
 * Returns the request's context, which it makes if need be; NULL: no memory.
 */
ngx_http_cwmp_ctx_t *ngx_http_cwmp_get_ctx(ngx_http_request_t *r);

/*
 * Makes ctx->device_id of its parts: OUI-ProductClass-Serial; as ACSs do it,
 * without an empty product class.  NGX_ERROR: no memory.
 */
ngx_int_t ngx_http_cwmp_device_id(ngx_pool_t *pool, ngx_http_cwmp_ctx_t *ctx);


/* ngx_http_cwmp_device.c */

/*
 * The message announces that origin, o->udp included; with "cwmp_status".
 */
void ngx_http_cwmp_device_placed(ngx_http_request_t *r, cwmp_origin_t *o);

/*
 * The ACS has answered the request: if it was an Inform, the device is listed.
 */
void ngx_http_cwmp_device_answered(ngx_http_request_t *r);

/*
 * A wake-up of that origin, o->udp included, has ended, which has taken so many
 * milliseconds.  result: place of the counter behind WAKEUPS_METHOD.
 */
void ngx_http_cwmp_device_woken(ngx_http_request_t *r, cwmp_origin_t *o,
    ngx_uint_t result, ngx_msec_t took);


/* ngx_http_cwmp_traced.c */

/*
 * If the device is traced: a message of it has come, which is refused if rc is
 * a status; its ACS has answered, the last one of its session or not; a wake-up
 * of that URL, as of ngx_http_cwmp_device_woken(), is over.
 */
void ngx_http_cwmp_traced_message(ngx_http_request_t *r, ngx_int_t rc);
void ngx_http_cwmp_traced_answer(ngx_http_request_t *r, ngx_uint_t last);
void ngx_http_cwmp_traced_wakeup(ngx_http_cwmp_zone_t *z, u_char *url,
    ngx_str_t *result);


/* ngx_http_cwmp_policy.c */

/* Lists nginx's own listening sockets for the policy; NGX_ERROR: no memory. */
ngx_int_t ngx_http_cwmp_policy_init_process(ngx_cycle_t *cycle);

/*
 * Fills in the policy of the request's location, at announcement and at the
 * call.
 */
void ngx_http_cwmp_policy_init(ngx_http_request_t *r, cwmp_policy_t *policy);


#endif /* _NGX_HTTP_CWMP_SHARED_H_INCLUDED_ */
