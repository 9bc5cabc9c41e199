
/*
 * Fieldgate: the variables of the CWMP module.
 *
 * Those of the body, and of the session's Inform, are empty before the
 * PRECONTENT phase, so none of them is cacheable: a value that "if" or "map"
 * has asked for too early would otherwise stay empty in the log.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_module.h"
#include "ngx_http_cwmp_session.h"
#include "ngx_http_cwmp_shared.h"
#include "ngx_http_cwmp_wakeup.h"


static ngx_int_t ngx_http_cwmp_string_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_cwmp_rewritten_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_cwmp_session_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_cwmp_admission_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_cwmp_forwarded_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_http_cwmp_wakeup_get_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data);
static size_t ngx_http_cwmp_client_text(ngx_connection_t *c, u_char *text);
static void ngx_http_cwmp_set_value(ngx_http_variable_value_t *v,
    ngx_str_t *value);


static ngx_http_variable_t  ngx_http_cwmp_vars[] = {

    { ngx_string("cwmp_method"), NULL, ngx_http_cwmp_string_variable,
      offsetof(ngx_http_cwmp_ctx_t, method), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("cwmp_device_id"), NULL, ngx_http_cwmp_string_variable,
      offsetof(ngx_http_cwmp_ctx_t, device_id), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("cwmp_oui"), NULL, ngx_http_cwmp_string_variable,
      offsetof(ngx_http_cwmp_ctx_t, oui), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("cwmp_product_class"), NULL, ngx_http_cwmp_string_variable,
      offsetof(ngx_http_cwmp_ctx_t, product_class),
      NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("cwmp_serial"), NULL, ngx_http_cwmp_string_variable,
      offsetof(ngx_http_cwmp_ctx_t, serial), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("cwmp_events"), NULL, ngx_http_cwmp_string_variable,
      offsetof(ngx_http_cwmp_ctx_t, events), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("cwmp_origin"), NULL, ngx_http_cwmp_string_variable,
      offsetof(ngx_http_cwmp_ctx_t, origin), NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("cwmp_rewritten"), NULL, ngx_http_cwmp_rewritten_variable,
      0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("cwmp_session"), NULL, ngx_http_cwmp_session_variable,
      0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("cwmp_admission"), NULL, ngx_http_cwmp_admission_variable,
      0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("cwmp_forwarded"), NULL, ngx_http_cwmp_forwarded_variable,
      0, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("cwmp_wakeup_result"), NULL,
      ngx_http_cwmp_wakeup_get_variable,
      NGX_HTTP_CWMP_WAKEUP_RESULT, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("cwmp_wakeup_status"), NULL,
      ngx_http_cwmp_wakeup_get_variable,
      NGX_HTTP_CWMP_WAKEUP_STATUS, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("cwmp_wakeup_scheme"), NULL,
      ngx_http_cwmp_wakeup_get_variable,
      NGX_HTTP_CWMP_WAKEUP_SCHEME, NGX_HTTP_VAR_NOCACHEABLE, 0 },

    { ngx_string("cwmp_wakeup_time"), NULL,
      ngx_http_cwmp_wakeup_get_variable,
      NGX_HTTP_CWMP_WAKEUP_TIME, NGX_HTTP_VAR_NOCACHEABLE, 0 },

      ngx_http_null_variable
};


ngx_int_t
ngx_http_cwmp_add_variables(ngx_conf_t *cf)
{
    ngx_http_variable_t  *var, *v;

    for (v = ngx_http_cwmp_vars; v->name.len; v++) {
        var = ngx_http_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


/* an empty value is logged as "-" and is false in "if" */

static void
ngx_http_cwmp_set_value(ngx_http_variable_value_t *v, ngx_str_t *value)
{
    if (value->len == 0) {
        v->not_found = 1;
        return;
    }

    v->len = value->len;
    v->data = value->data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;
}


static ngx_int_t
ngx_http_cwmp_string_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_cwmp_ctx_t  *ctx;

    ctx = ngx_http_cwmp_find_ctx(r->main);

    if (ctx == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    ngx_http_cwmp_set_value(v, (ngx_str_t *) ((u_char *) ctx + data));

    return NGX_OK;
}


static ngx_int_t
ngx_http_cwmp_rewritten_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t             value;
    ngx_http_cwmp_ctx_t  *ctx;

    ctx = ngx_http_cwmp_find_ctx(r->main);

    if (ctx == NULL || !ctx->done) {
        v->not_found = 1;
        return NGX_OK;
    }

    value.data = ngx_pnalloc(r->pool, NGX_INT_T_LEN);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_sprintf(value.data, "%ui", ctx->rewritten) - value.data;

    ngx_http_cwmp_set_value(v, &value);

    return NGX_OK;
}


static ngx_int_t
ngx_http_cwmp_session_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t  key;

    ngx_str_null(&key);

    if (ngx_http_cwmp_session_id(r->main, &key) == NGX_ERROR) {
        return NGX_ERROR;
    }

    ngx_http_cwmp_set_value(v, &key);

    return NGX_OK;
}


static ngx_int_t
ngx_http_cwmp_admission_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_http_cwmp_ctx_t  *ctx;

    static ngx_str_t  passed = ngx_string("passed");
    static ngx_str_t  limited = ngx_string("limited");

    ctx = ngx_http_cwmp_find_ctx(r->main);

    if (ctx == NULL || ctx->admission == CWMP_ADMISSION_NONE) {
        v->not_found = 1;
        return NGX_OK;
    }

    ngx_http_cwmp_set_value(v, ctx->admission == CWMP_ADMISSION_PASSED
                               ? &passed : &limited);

    return NGX_OK;
}


/*
 * RFC 7239: for=192.0.2.1:1234;proto=https, an IPv6 address and whatever
 * has a colon being quoted.  GenieACS reads no other header of this kind.
 */

static ngx_int_t
ngx_http_cwmp_forwarded_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t          value;
    ngx_connection_t  *c;
    u_char             addr[NGX_SOCKADDR_STRLEN];
    size_t             len;
    ngx_uint_t         secure;

    c = r->connection;

    len = ngx_http_cwmp_client_text(c, addr);

#if (NGX_HTTP_SSL)
    secure = (c->ssl != NULL);
#else
    secure = 0;
#endif

    value.data = ngx_pnalloc(r->pool,
                             sizeof("for=\"\";proto=https") - 1 + len);
    if (value.data == NULL) {
        return NGX_ERROR;
    }

    value.len = ngx_sprintf(value.data, "for=\"%*s\";proto=http%s", len, addr,
                            secure ? "s" : "")
                - value.data;

    ngx_http_cwmp_set_value(v, &value);

    return NGX_OK;
}


/* an IPv4 client of a socket for both is one of IPv4 */

static size_t
ngx_http_cwmp_client_text(ngx_connection_t *c, u_char *text)
{
#if (NGX_HAVE_INET6)
    struct sockaddr_in    sin;
    struct sockaddr_in6  *sin6;
#endif

    switch (c->sockaddr->sa_family) {

    case AF_UNIX:
        return ngx_sprintf(text, "unknown") - text;

#if (NGX_HAVE_INET6)
    case AF_INET6:
        sin6 = (struct sockaddr_in6 *) c->sockaddr;

        if (!IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr)) {
            break;
        }

        ngx_memzero(&sin, sizeof(struct sockaddr_in));
        sin.sin_family = AF_INET;
        sin.sin_port = sin6->sin6_port;
        ngx_memcpy(&sin.sin_addr, &sin6->sin6_addr.s6_addr[12], 4);

        return ngx_sock_ntop((struct sockaddr *) &sin,
                             sizeof(struct sockaddr_in), text,
                             NGX_SOCKADDR_STRLEN, 1);
#endif
    }

    return ngx_sock_ntop(c->sockaddr, c->socklen, text, NGX_SOCKADDR_STRLEN,
                         1);
}


static ngx_int_t
ngx_http_cwmp_wakeup_get_variable(ngx_http_request_t *r,
    ngx_http_variable_value_t *v, uintptr_t data)
{
    ngx_str_t  value;

    ngx_str_null(&value);

    if (ngx_http_cwmp_wakeup_variable(r, data, &value) == NGX_ERROR) {
        return NGX_ERROR;
    }

    ngx_http_cwmp_set_value(v, &value);

    return NGX_OK;
}
