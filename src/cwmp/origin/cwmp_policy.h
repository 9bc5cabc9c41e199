
/*
 * Fieldgate: which origins may be announced and called: cwmp_origin_allow and
 * cwmp_origin_deny.  Deny wins.  Loopback, link-local, unspecified and
 * multicast addresses are refused unless an allow CIDR lies within these
 * ranges (0.0.0.0/0 does not name 127.0.0.1), nginx's own listening sockets
 * unless an allow spec is just that address.
 */


#ifndef _CWMP_POLICY_H_INCLUDED_
#define _CWMP_POLICY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_origin.h"


typedef enum {
    CWMP_POLICY_CLIENT = 0,     /* client[:port[-port]] */
    CWMP_POLICY_CIDR,           /* address or CIDR, [:port[-port]] */
    CWMP_POLICY_REGEX           /* ~regex[:port[-port]] */
} cwmp_policy_type_e;


typedef struct {
    cwmp_policy_type_e    type;
    ngx_uint_t            port_min;     /* 0 and 65535: any */
    ngx_uint_t            port_max;

    ngx_cidr_t            cidr;         /* CWMP_POLICY_CIDR */

    /* CWMP_POLICY_REGEX */
    ngx_str_t             pattern;      /* without "~" and port */
    void                 *regex;        /* set by the caller */
} cwmp_policy_spec_t;


/*
 * Matches a host (lower case) against what the caller put in spec->regex.
 * Returns NGX_OK, NGX_DECLINED, or NGX_ERROR, which refuses the origin.
 */
typedef ngx_int_t (*cwmp_policy_match_pt)(void *regex, ngx_str_t *host);


typedef struct {
    cwmp_policy_spec_t   *allow;
    ngx_uint_t            nallow;

    cwmp_policy_spec_t   *deny;
    ngx_uint_t            ndeny;

    /*
     * nginx's own listening sockets.  One on a wildcard address stands for
     * the loopback addresses; the caller adds the machine's other addresses.
     */
    struct sockaddr     **listeners;
    ngx_uint_t            nlisteners;

    cwmp_policy_match_pt  match;        /* needed if there is a ~regex */
} cwmp_policy_t;


/* the state of the signature at the time of a call */

typedef enum {
    CWMP_POLICY_NO_SECRET = 0,  /* the location has no key */
    CWMP_POLICY_SIGNED,
    CWMP_POLICY_UNSIGNED        /* no signature, or not one of ours */
} cwmp_policy_signature_e;


typedef enum {
    CWMP_POLICY_SIGNATURE = 1,  /* not signed by us */
    CWMP_POLICY_DENIED,         /* cwmp_origin_deny */
    CWMP_POLICY_REGEX_FAILED,   /* the match callback's NGX_ERROR */
    CWMP_POLICY_LOOPBACK,
    CWMP_POLICY_LINK_LOCAL,
    CWMP_POLICY_UNSPECIFIED,
    CWMP_POLICY_MULTICAST,      /* 240.0.0.0/4 and broadcast included */
    CWMP_POLICY_LISTENER,       /* nginx's own socket */
    CWMP_POLICY_NOT_ALLOWED,    /* no spec of cwmp_origin_allow matches */
    CWMP_POLICY_NOT_CLIENT,     /* the same, "client" being the only one */
    CWMP_POLICY_NO_CIDR,        /* a name, and no CIDR to check it against */
    CWMP_POLICY_NAME_ADDRESS,   /* one of a name's addresses is in no CIDR */
    CWMP_POLICY_NO_ADDRESS      /* a name without an address */
} cwmp_policy_error_e;


/*
 * Parses one argument of cwmp_origin_allow or cwmp_origin_deny; it is not
 * copied, so that spec->pattern lies within it.
 * Returns NGX_OK; NGX_DONE: accepted, but address bits right of the prefix
 * were set and are ignored (nginx warns of that); NGX_ERROR with what is wrong
 * in *err.
 */
ngx_int_t cwmp_policy_parse(cwmp_policy_spec_t *spec, ngx_str_t *arg,
    const char **err);


/* Whether an address or CIDR is among the allow specs. */
ngx_uint_t cwmp_policy_has_cidr(cwmp_policy_t *p);


/*
 * May the CPE at the address client announce this origin?  A name needs a
 * ~regex and the presence of a CIDR here; its addresses are checked when it is
 * called.
 * Returns NGX_OK or a cwmp_policy_error_e.
 */
ngx_int_t cwmp_policy_announce(cwmp_policy_t *p, cwmp_origin_t *o,
    struct sockaddr *client);


/*
 * May this origin be called?  A valid signature stands for the verdict of
 * "client"; without a secret only a CIDR admits.
 * Returns NGX_OK; NGX_AGAIN if it is a name, which the caller resolves and
 * passes to cwmp_policy_resolved(); or a cwmp_policy_error_e.
 */
ngx_int_t cwmp_policy_call(cwmp_policy_t *p, cwmp_origin_t *o,
    cwmp_policy_signature_e signature);


/*
 * The second half of cwmp_policy_call() for a name.  Every address must pass;
 * the ports in addrs do not matter, the origin's counts.
 * Returns NGX_OK or a cwmp_policy_error_e.
 */
ngx_int_t cwmp_policy_resolved(cwmp_policy_t *p, cwmp_origin_t *o,
    ngx_resolver_addr_t *addrs, ngx_uint_t naddrs);


/* Why, for error.log: "is a loopback address ...", without the origin. */
const char *cwmp_policy_strerror(ngx_int_t error);


#endif /* _CWMP_POLICY_H_INCLUDED_ */
