
/*
 * Fieldgate: the directives of an upstream{}.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_module.h"


static ngx_uint_t ngx_http_cwmp_token(ngx_str_t *s);
static char *ngx_http_cwmp_admission_rate(ngx_str_t *value,
    cwmp_admission_limits_t *limits);
static char *ngx_http_cwmp_admission_number(ngx_str_t *value, size_t name,
    ngx_int_t least, uint64_t *n);


char *
ngx_http_cwmp_affinity(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cwmp_srv_conf_t *cscf = conf;

    ngx_str_t                  *value, s;
    ngx_uint_t                  i;
    ngx_http_cwmp_main_conf_t  *cmcf;

    if (cscf->affinity.line) {
        return "is duplicate";
    }

    ngx_http_cwmp_note_place(cf, &cscf->affinity);

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_cwmp_module);

    if (cmcf->affinity.line == 0) {
        cmcf->affinity = cscf->affinity;
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "timeout=", 8) == 0) {
            s.len = value[i].len - 8;
            s.data = value[i].data + 8;

            cscf->timeout = ngx_parse_time(&s, 0);

            if (cscf->timeout == (ngx_msec_t) NGX_ERROR || cscf->timeout == 0)
            {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid timeout \"%V\"", &s);
                return NGX_CONF_ERROR;
            }

            continue;
        }

        if (ngx_strncmp(value[i].data, "cookie=", 7) == 0
            && cscf->cookie.len == 0)
        {
            cscf->cookie.len = value[i].len - 7;
            cscf->cookie.data = value[i].data + 7;

            if (!ngx_http_cwmp_token(&cscf->cookie)) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid name of a cookie \"%V\"",
                                   &cscf->cookie);
                return NGX_CONF_ERROR;
            }

            if (cmcf->cookie.line == 0) {
                cmcf->cookie = cscf->affinity;
            }

            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\"", &value[i]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* what RFC 6265 has for the name of a cookie */

static ngx_uint_t
ngx_http_cwmp_token(ngx_str_t *s)
{
    size_t  i;

    for (i = 0; i < s->len; i++) {
        if (s->data[i] <= ' ' || s->data[i] >= 0x7f
            || ngx_strchr("()<>@,;:\\\"/[]?={}", s->data[i]))
        {
            return 0;
        }
    }

    return s->len && s->data[0] != '$';
}


/* "cwmp_admission [rate=10r/s] [burst=N] [sessions=N];" */

char *
ngx_http_cwmp_admission(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cwmp_srv_conf_t *cscf = conf;

    char                       *rv;
    ngx_str_t                  *value;
    ngx_uint_t                  i, burst;
    ngx_http_cwmp_main_conf_t  *cmcf;

    if (cscf->admission.line) {
        return "is duplicate";
    }

    ngx_http_cwmp_note_place(cf, &cscf->admission);

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_cwmp_module);

    if (cmcf->admission.line == 0) {
        cmcf->admission = cscf->admission;
    }

    value = cf->args->elts;
    burst = 0;

    for (i = 1; i < cf->args->nelts; i++) {

        rv = NGX_CONF_ERROR;

        if (ngx_strncmp(value[i].data, "rate=", 5) == 0) {

            if (cscf->limits.rate == 0) {
                rv = ngx_http_cwmp_admission_rate(&value[i], &cscf->limits);
            }

        } else if (ngx_strncmp(value[i].data, "burst=", 6) == 0) {

            if (!burst) {
                burst = 1;
                rv = ngx_http_cwmp_admission_number(&value[i], 6, 0,
                                                    &cscf->limits.burst);
            }

        } else if (ngx_strncmp(value[i].data, "sessions=", 9) == 0) {

            if (cscf->limits.sessions == 0) {
                rv = ngx_http_cwmp_admission_number(&value[i], 9, 1,
                                                    &cscf->limits.sessions);
            }
        }

        if (rv != NGX_CONF_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\"", &value[i]);
            return NGX_CONF_ERROR;
        }
    }

    if (burst && cscf->limits.rate == 0) {
        return "has a \"burst\" without a \"rate\"";
    }

    if (cscf->limits.rate == 0 && cscf->limits.sessions == 0) {
        return "needs a \"rate\" or a number of \"sessions\"";
    }

    return NGX_CONF_OK;
}


/* as that of limit_req_zone */

static char *
ngx_http_cwmp_admission_rate(ngx_str_t *value, cwmp_admission_limits_t *limits)
{
    size_t      len;
    ngx_int_t   rate;
    ngx_uint_t  scale;

    len = value->len - 5;

    if (len < 4) {
        return NGX_CONF_ERROR;
    }

    if (ngx_strcmp(value->data + value->len - 3, "r/s") == 0) {
        scale = 1;

    } else if (ngx_strcmp(value->data + value->len - 3, "r/m") == 0) {
        scale = 60;

    } else {
        return NGX_CONF_ERROR;
    }

    rate = ngx_atoi(value->data + 5, len - 3);

    if (rate <= 0 || rate > CWMP_ADMISSION_MAX) {
        return NGX_CONF_ERROR;
    }

    limits->rate = (uint64_t) rate * 1000 / scale;

    return NGX_CONF_OK;
}


static char *
ngx_http_cwmp_admission_number(ngx_str_t *value, size_t name, ngx_int_t least,
    uint64_t *n)
{
    ngx_int_t  number;

    number = ngx_atoi(value->data + name, value->len - name);

    if (number < least || number > CWMP_ADMISSION_MAX) {
        return NGX_CONF_ERROR;
    }

    *n = number;

    return NGX_CONF_OK;
}
