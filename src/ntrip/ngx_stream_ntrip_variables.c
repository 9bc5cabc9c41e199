
/*
 * The log variables of the NTRIP module.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>

#include "ngx_stream_ntrip_rover.h"


/* "-12.34567,-123.45678" */
#define NGX_STREAM_NTRIP_POSITION  32


static ngx_stream_ntrip_rover_t *ngx_stream_ntrip_variable_rover(
    ngx_stream_session_t *s, ngx_stream_variable_value_t *v);
static ngx_int_t ngx_stream_ntrip_string_variable(ngx_stream_session_t *s,
    ngx_stream_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_stream_ntrip_version_variable(ngx_stream_session_t *s,
    ngx_stream_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_stream_ntrip_result_variable(ngx_stream_session_t *s,
    ngx_stream_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_stream_ntrip_position_variable(ngx_stream_session_t *s,
    ngx_stream_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_stream_ntrip_messages_variable(ngx_stream_session_t *s,
    ngx_stream_variable_value_t *v, uintptr_t data);


static ngx_stream_variable_t  ngx_stream_ntrip_vars[] = {

    { ngx_string("ntrip_user"), NULL, ngx_stream_ntrip_string_variable,
      offsetof(ngx_stream_ntrip_rover_t, user),
      NGX_STREAM_VAR_NOCACHEABLE, 0 },

    { ngx_string("ntrip_mount"), NULL, ngx_stream_ntrip_string_variable,
      offsetof(ngx_stream_ntrip_rover_t, name),
      NGX_STREAM_VAR_NOCACHEABLE, 0 },

    { ngx_string("ntrip_agent"), NULL, ngx_stream_ntrip_string_variable,
      offsetof(ngx_stream_ntrip_rover_t, agent),
      NGX_STREAM_VAR_NOCACHEABLE, 0 },

    { ngx_string("ntrip_source"), NULL, ngx_stream_ntrip_string_variable,
      offsetof(ngx_stream_ntrip_rover_t, source),
      NGX_STREAM_VAR_NOCACHEABLE, 0 },

    { ngx_string("ntrip_version"), NULL, ngx_stream_ntrip_version_variable,
      0, NGX_STREAM_VAR_NOCACHEABLE, 0 },

    { ngx_string("ntrip_result"), NULL, ngx_stream_ntrip_result_variable,
      0, NGX_STREAM_VAR_NOCACHEABLE, 0 },

    { ngx_string("ntrip_position"), NULL, ngx_stream_ntrip_position_variable,
      0, NGX_STREAM_VAR_NOCACHEABLE, 0 },

    { ngx_string("ntrip_messages"), NULL, ngx_stream_ntrip_messages_variable,
      0, NGX_STREAM_VAR_NOCACHEABLE, 0 },

      ngx_stream_null_variable
};


ngx_int_t
ngx_stream_ntrip_add_variables(ngx_conf_t *cf)
{
    ngx_stream_variable_t  *var, *v;

    for (v = ngx_stream_ntrip_vars; v->name.len; v++) {
        var = ngx_stream_add_variable(cf, &v->name, v->flags);
        if (var == NULL) {
            return NGX_ERROR;
        }

        var->get_handler = v->get_handler;
        var->data = v->data;
    }

    return NGX_OK;
}


/* NULL: no rover, or not even a request of one */

static ngx_stream_ntrip_rover_t *
ngx_stream_ntrip_variable_rover(ngx_stream_session_t *s,
    ngx_stream_variable_value_t *v)
{
    ngx_stream_ntrip_rover_t     *rover;
    ngx_stream_ntrip_srv_conf_t  *conf;

    conf = ngx_stream_get_module_srv_conf(s, ngx_stream_ntrip_module);
    rover = ngx_stream_get_module_ctx(s, ngx_stream_ntrip_module);

    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    if (rover == NULL || conf->caster.line == 0) {
        v->not_found = 1;
        return NULL;
    }

    return rover;
}


static ngx_int_t
ngx_stream_ntrip_string_variable(ngx_stream_session_t *s,
    ngx_stream_variable_value_t *v, uintptr_t data)
{
    ngx_str_t                 *value;
    ngx_stream_ntrip_rover_t  *rover;

    rover = ngx_stream_ntrip_variable_rover(s, v);
    if (rover == NULL) {
        return NGX_OK;
    }

    value = (ngx_str_t *) ((u_char *) rover + data);

    if (value->len == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->data = value->data;
    v->len = value->len;

    return NGX_OK;
}


static ngx_int_t
ngx_stream_ntrip_version_variable(ngx_stream_session_t *s,
    ngx_stream_variable_value_t *v, uintptr_t data)
{
    ngx_stream_ntrip_rover_t  *rover;

    rover = ngx_stream_ntrip_variable_rover(s, v);

    if (rover == NULL || rover->version == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->data = (u_char *) (rover->version == 2 ? "2" : "1");
    v->len = 1;

    return NGX_OK;
}


static ngx_int_t
ngx_stream_ntrip_result_variable(ngx_stream_session_t *s,
    ngx_stream_variable_value_t *v, uintptr_t data)
{
    ngx_stream_ntrip_rover_t  *rover;

    rover = ngx_stream_ntrip_variable_rover(s, v);

    if (rover == NULL || rover->result == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->data = (u_char *) rover->result;
    v->len = ngx_strlen(rover->result);

    return NGX_OK;
}


/* degrees with five decimals: a metre */

static ngx_int_t
ngx_stream_ntrip_position_variable(ngx_stream_session_t *s,
    ngx_stream_variable_value_t *v, uintptr_t data)
{
    ntrip_out_t                out;
    ngx_stream_ntrip_rover_t  *rover;

    rover = ngx_stream_ntrip_variable_rover(s, v);

    if (rover == NULL || rover->point == NTRIP_POINT_NONE) {
        v->not_found = 1;
        return NGX_OK;
    }

    v->data = ngx_pnalloc(s->connection->pool, NGX_STREAM_NTRIP_POSITION);
    if (v->data == NULL) {
        return NGX_ERROR;
    }

    ntrip_out_init(&out, v->data, NGX_STREAM_NTRIP_POSITION);

    ntrip_out_fixed(&out, ntrip_point_lat(rover->point) / 1e7, 1, 5);
    ntrip_out_char(&out, ',');
    ntrip_out_fixed(&out, ntrip_point_lon(rover->point) / 1e7, 1, 5);

    v->len = out.last - out.start;

    return NGX_OK;
}


static ngx_int_t
ngx_stream_ntrip_messages_variable(ngx_stream_session_t *s,
    ngx_stream_variable_value_t *v, uintptr_t data)
{
    ngx_stream_ntrip_rover_t  *rover;

    rover = ngx_stream_ntrip_variable_rover(s, v);
    if (rover == NULL) {
        return NGX_OK;
    }

    v->data = ngx_pnalloc(s->connection->pool, NGX_INT64_LEN);
    if (v->data == NULL) {
        return NGX_ERROR;
    }

    v->len = ngx_sprintf(v->data, "%uL", rover->messages) - v->data;

    return NGX_OK;
}
