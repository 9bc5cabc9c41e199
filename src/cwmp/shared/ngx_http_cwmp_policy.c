
/*
 * Fieldgate: the policy of origins with what only nginx knows: its regular
 * expressions and its own listening sockets.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include <ifaddrs.h>

#include "ngx_http_cwmp_shared.h"


static ngx_int_t ngx_http_cwmp_policy_match(void *regex, ngx_str_t *host);
static ngx_int_t ngx_http_cwmp_add_listener(ngx_cycle_t *cycle,
    ngx_array_t *listeners, ngx_listening_t *ls, struct ifaddrs *interfaces);


/* of this process: of struct sockaddr *, in the cycle's pool */

static ngx_array_t  ngx_http_cwmp_listeners;


/*
 * A socket that listens on a wildcard address can be reached at every address
 * of the machine.  An address that the machine gets later is not seen: the
 * wildcard itself, loopback and link-local addresses are refused anyway.
 */

ngx_int_t
ngx_http_cwmp_policy_init_process(ngx_cycle_t *cycle)
{
    ngx_int_t         rc;
    ngx_uint_t        i;
    struct ifaddrs   *interfaces;
    ngx_listening_t  *ls;

    if (ngx_array_init(&ngx_http_cwmp_listeners, cycle->pool, 8,
                       sizeof(struct sockaddr *))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    interfaces = NULL;

    if (getifaddrs(&interfaces) == -1) {
        ngx_log_error(NGX_LOG_WARN, cycle->log, ngx_errno,
                      "getifaddrs() failed: origins at nginx's own addresses "
                      "are not recognized");
    }

    rc = NGX_OK;
    ls = cycle->listening.elts;

    for (i = 0; i < cycle->listening.nelts && rc == NGX_OK; i++) {
        rc = ngx_http_cwmp_add_listener(cycle, &ngx_http_cwmp_listeners,
                                        &ls[i], interfaces);
    }

    if (interfaces) {
        freeifaddrs(interfaces);
    }

    return rc;
}


static ngx_int_t
ngx_http_cwmp_add_listener(ngx_cycle_t *cycle, ngx_array_t *listeners,
    ngx_listening_t *ls, struct ifaddrs *interfaces)
{
    socklen_t          len;
    struct ifaddrs    *ifa;
    struct sockaddr  **addr, *sa;

    if (ls->sockaddr->sa_family != AF_INET
#if (NGX_HAVE_INET6)
        && ls->sockaddr->sa_family != AF_INET6
#endif
       )
    {
        return NGX_OK;
    }

    addr = ngx_array_push(listeners);
    if (addr == NULL) {
        return NGX_ERROR;
    }

    *addr = ls->sockaddr;

    if (!ngx_inet_wildcard(ls->sockaddr)) {
        return NGX_OK;
    }

    for (ifa = interfaces; ifa; ifa = ifa->ifa_next) {

        if (ifa->ifa_addr == NULL) {
            continue;
        }

        switch (ifa->ifa_addr->sa_family) {

#if (NGX_HAVE_INET6)
        case AF_INET6:
            len = sizeof(struct sockaddr_in6);
            break;
#endif

        case AF_INET:
            len = sizeof(struct sockaddr_in);
            break;

        default:
            continue;
        }

        sa = ngx_palloc(cycle->pool, len);
        addr = ngx_array_push(listeners);
        if (sa == NULL || addr == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(sa, ifa->ifa_addr, len);
        ngx_inet_set_port(sa, ngx_inet_get_port(ls->sockaddr));

        *addr = sa;
    }

    return NGX_OK;
}


void
ngx_http_cwmp_policy_init(ngx_http_request_t *r, cwmp_policy_t *policy)
{
    ngx_http_cwmp_loc_conf_t  *clcf;

    clcf = ngx_http_get_module_loc_conf(r, ngx_http_cwmp_module);

    policy->allow = clcf->allow->elts;
    policy->nallow = clcf->allow->nelts;
    policy->deny = clcf->deny->elts;
    policy->ndeny = clcf->deny->nelts;
    policy->listeners = ngx_http_cwmp_listeners.elts;
    policy->nlisteners = ngx_http_cwmp_listeners.nelts;
    policy->match = ngx_http_cwmp_policy_match;
}


static ngx_int_t
ngx_http_cwmp_policy_match(void *regex, ngx_str_t *host)
{
    ngx_int_t  n;

    n = ngx_regex_exec((ngx_regex_t *) regex, host, NULL, 0);

    if (n == NGX_REGEX_NO_MATCHED) {
        return NGX_DECLINED;
    }

    return (n < 0) ? NGX_ERROR : NGX_OK;
}
