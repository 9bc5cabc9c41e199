
/*
 * Fieldgate: who may order something over HTTP.  Both modules have locations
 * that do so, and each is a .so of its own, which may be built and loaded
 * without the other: what they share of it is compiled into both.
 */


#ifndef _NGX_HTTP_GUARD_H_INCLUDED_
#define _NGX_HTTP_GUARD_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>


/* the rules of ngx_http_access_module, which are its own */

typedef struct {
    in_addr_t                   mask;
    in_addr_t                   addr;
    ngx_uint_t                  deny;
} ngx_http_guard_rule_t;

#if (NGX_HAVE_INET6)

typedef struct {
    struct in6_addr             addr;
    struct in6_addr             mask;
    ngx_uint_t                  deny;
} ngx_http_guard_rule6_t;

#endif

#if (NGX_HAVE_UNIX_DOMAIN)

typedef struct {
    ngx_uint_t                  deny;
} ngx_http_guard_rule_un_t;

#endif

typedef struct {
    ngx_array_t                *rules;
#if (NGX_HAVE_INET6)
    ngx_array_t                *rules6;
#endif
#if (NGX_HAVE_UNIX_DOMAIN)
    ngx_array_t                *rules_un;
#endif
} ngx_http_guard_access_t;


/* in the location of that configuration, "ssl_verify_client" is all that guards
   it: requests over plain HTTP have to be refused */
typedef void (*ngx_http_guard_certify_pt)(void **loc_conf);


/* the first rule that fits is the one that counts, and who fits none is let in:
   what does the first one do that has a mask of zeros, and so fits all? */

static ngx_inline ngx_int_t
ngx_http_guard_rules(ngx_array_t *rules, size_t mask, size_t len, size_t deny)
{
    u_char      *rule;
    ngx_uint_t   i;

    static u_char  zeros[16];

    if (rules == NULL) {
        return NGX_DECLINED;
    }

    rule = rules->elts;

    for (i = 0; i < rules->nelts; i++, rule += rules->size) {

        if (ngx_memcmp(rule + mask, zeros, len) == 0) {
            return *(ngx_uint_t *) (rule + deny) ? NGX_OK : NGX_ABORT;
        }
    }

    return NGX_DECLINED;
}


/* of each kind of address */

static ngx_inline ngx_int_t
ngx_http_guard_access(ngx_http_guard_access_t *conf)
{
    ngx_int_t  rc, one;

    rc = ngx_http_guard_rules(conf->rules,
                              offsetof(ngx_http_guard_rule_t, mask),
                              sizeof(in_addr_t),
                              offsetof(ngx_http_guard_rule_t, deny));

#if (NGX_HAVE_INET6)

    one = ngx_http_guard_rules(conf->rules6,
                               offsetof(ngx_http_guard_rule6_t, mask),
                               sizeof(struct in6_addr),
                               offsetof(ngx_http_guard_rule6_t, deny));

    rc = (rc == NGX_OK || one == NGX_ABORT) ? one : rc;

#endif

#if (NGX_HAVE_UNIX_DOMAIN)

    one = ngx_http_guard_rules(conf->rules_un, 0, 0,
                               offsetof(ngx_http_guard_rule_un_t, deny));

    rc = (rc == NGX_OK || one == NGX_ABORT) ? one : rc;

#endif

    return rc;
}


/*
 * What these modules of nginx have in front of their configurations, which are
 * their own: lists of rules; the realm and the file of users; the URI.
 * t/cwmp-trace.t and t/ntrip-api.t would notice another one.
 *
 * NGX_OK: it lets in whom it knows.  NGX_ABORT: everybody, with "satisfy any"
 * even those whom others refuse.  NGX_DECLINED: it says nothing.
 */

static ngx_inline ngx_int_t
ngx_http_guard_module(const char *name, void *conf)
{
    ngx_str_t                  *uri;
    ngx_http_complex_value_t  **realm;

    if (ngx_strcmp(name, "ngx_http_access_module") == 0) {
        return ngx_http_guard_access(conf);
    }

    if (ngx_strcmp(name, "ngx_http_auth_basic_module") == 0) {
        realm = conf;

        /* without a file of users it lets everybody in */

        return (realm[0] != NULL && realm[0] != NGX_CONF_UNSET_PTR
                && realm[1] != NULL && realm[1] != NGX_CONF_UNSET_PTR
                && !(realm[0]->value.len == 3
                     && ngx_strncmp(realm[0]->value.data, "off", 3) == 0))
               ? NGX_OK : NGX_DECLINED;
    }

    if (ngx_strcmp(name, "ngx_http_auth_request_module") == 0) {
        uri = conf;

        return uri->len ? NGX_OK : NGX_DECLINED;
    }

    return NGX_DECLINED;
}


static ngx_inline ngx_uint_t
ngx_http_guard_conf(ngx_conf_t *cf, void **loc_conf, void **srv_conf,
    ngx_http_guard_certify_pt certify)
{
    ngx_int_t                  rc;
    ngx_uint_t                 i, guarded;
    ngx_module_t              *m;
    ngx_http_core_loc_conf_t  *clcf;
#if (NGX_HTTP_SSL)
    ngx_http_ssl_srv_conf_t   *sscf;
#endif

    clcf = loc_conf[ngx_http_core_module.ctx_index];
    guarded = 0;

    for (i = 0; cf->cycle->modules[i]; i++) {
        m = cf->cycle->modules[i];

        if (m->type != NGX_HTTP_MODULE) {
            continue;
        }

        rc = ngx_http_guard_module(m->name, loc_conf[m->ctx_index]);

        if (rc == NGX_ABORT && clcf->satisfy == NGX_HTTP_SATISFY_ANY) {
            guarded = 0;
            break;
        }

        guarded |= (rc == NGX_OK);
    }

    if (guarded) {
        return 1;
    }

#if (NGX_HTTP_SSL)

    sscf = srv_conf[ngx_http_ssl_module.ctx_index];

    if (sscf->verify == 1) {
        certify(loc_conf);
        return 1;
    }

#endif

    return 0;
}


/*
 * In postconfiguration, when all is merged: whether somebody guards each of
 * these methods in the location; "limit_except" has a configuration of its own
 * for those that it does not name.
 */

static ngx_inline ngx_uint_t
ngx_http_guard_location(ngx_conf_t *cf, ngx_http_core_loc_conf_t *clcf,
    void **srv_conf, uint32_t methods, ngx_http_guard_certify_pt certify)
{
    void      **except;
    uint32_t    excepted;

    except = clcf->limit_except_loc_conf;
    excepted = except ? clcf->limit_except & methods : 0;

    if (excepted != methods
        && !ngx_http_guard_conf(cf, clcf->loc_conf, srv_conf, certify))
    {
        return 0;
    }

    return excepted == 0 || ngx_http_guard_conf(cf, except, srv_conf, certify);
}


/* an Origin of another host than that of the request, "Host" or ":authority",
   of which nginx makes no "Host" in HTTP/3: a page of somebody's */

static ngx_inline ngx_uint_t
ngx_http_guard_foreign(ngx_http_request_t *r)
{
    u_char           *p;
    size_t            len;
    ngx_str_t         host;
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *h;

    ngx_str_null(&host);

    if (r->headers_in.host) {
        host = r->headers_in.host->value;

    } else if (r->host_start) {
        host.data = r->host_start;
        host.len = r->host_end - r->host_start;
    }

    for (part = &r->headers_in.headers.part; part; part = part->next) {
        h = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (h[i].key.len != sizeof("Origin") - 1
                || ngx_strncasecmp(h[i].key.data, (u_char *) "Origin",
                                   sizeof("Origin") - 1)
                   != 0)
            {
                continue;
            }

            p = ngx_strnstr(h[i].value.data, "://", h[i].value.len);

            if (p == NULL || host.len == 0) {
                return 1;
            }

            p += sizeof("://") - 1;
            len = h[i].value.data + h[i].value.len - p;

            if (len != host.len || ngx_strncasecmp(p, host.data, len) != 0) {
                return 1;
            }
        }
    }

    return 0;
}


#endif /* _NGX_HTTP_GUARD_H_INCLUDED_ */
