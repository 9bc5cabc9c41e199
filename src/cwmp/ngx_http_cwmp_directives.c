
/*
 * Fieldgate: the directives of the CWMP module that need more than a slot
 * function.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_module.h"
#include "ngx_http_cwmp_status.h"
#include "ngx_http_cwmp_wakeup.h"


/* a key file is a handful of lines */

#define NGX_HTTP_CWMP_SECRET_FILE_MAX  65536


static ngx_int_t ngx_http_cwmp_add_key(ngx_conf_t *cf,
    ngx_http_cwmp_loc_conf_t *clcf, ngx_str_t *text);
static void ngx_http_cwmp_free_keys(void *data);
static ngx_int_t ngx_http_cwmp_read_file(ngx_conf_t *cf, ngx_str_t *name,
    ngx_str_t *content);
static char *ngx_http_cwmp_add_origin(ngx_conf_t *cf, ngx_array_t *specs,
    ngx_str_t *text);
static ngx_uint_t ngx_http_cwmp_url_prefix(ngx_str_t *s);
static ngx_uint_t ngx_http_cwmp_same(ngx_str_t *a, ngx_str_t *b);
static ngx_regex_t *ngx_http_cwmp_compile_regex(ngx_conf_t *cf,
    ngx_str_t *pattern, ngx_uint_t options);


char *
ngx_http_cwmp_flag(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cwmp_loc_conf_t *clcf = conf;

    char                       *rv;
    ngx_http_cwmp_main_conf_t  *cmcf;

    rv = ngx_conf_set_flag_slot(cf, cmd, conf);

    if (rv == NGX_CONF_OK && clcf->enable) {
        cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_cwmp_module);
        cmcf->enabled = 1;

        ngx_http_cwmp_note_place(cf, &clcf->enable_place);
    }

    return rv;
}


char *
ngx_http_cwmp_public_url(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cwmp_loc_conf_t *clcf = conf;

    char           *rv;
    cwmp_origin_t   url;

    rv = ngx_http_set_complex_value_slot(cf, cmd, conf);

    if (rv == NGX_CONF_OK
        && clcf->public_url->lengths == NULL
        && ngx_http_cwmp_parse_public_url(cf,
                                   cwmp_url_star(&clcf->public_url->value)
                                   ? CWMP_URL_HOST : CWMP_URL_QUERY,
                                   &clcf->public_url->value, &url)
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return rv;
}


char *
ngx_http_cwmp_url_mode(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cwmp_loc_conf_t *clcf = conf;

    static ngx_conf_enum_t  modes[] = {
        { ngx_string("query"), CWMP_URL_QUERY },
        { ngx_string("path"), CWMP_URL_PATH },
        { ngx_string("host"), CWMP_URL_HOST },
        { ngx_null_string, 0 }
    };

    ngx_command_t  slot;

    slot = *cmd;
    slot.offset = offsetof(ngx_http_cwmp_loc_conf_t, url_mode);
    slot.post = modes;

    ngx_http_cwmp_note_place(cf, &clcf->mode_place);

    return ngx_conf_set_enum_slot(cf, &slot, conf);
}


char *
ngx_http_cwmp_secret(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cwmp_loc_conf_t *clcf = conf;

    ngx_str_t   *value;
    ngx_uint_t   i;

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        if (ngx_http_cwmp_add_key(cf, clcf, &value[i]) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


char *
ngx_http_cwmp_secret_file(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cwmp_loc_conf_t *clcf = conf;

    ngx_int_t    rc;
    ngx_str_t   *value, name, content, key;
    ngx_uint_t   line, found;
    const char  *err;

    value = cf->args->elts;
    name = value[1];

    if (ngx_conf_full_name(cf->cycle, &name, 1) != NGX_OK
        || ngx_http_cwmp_read_file(cf, &name, &content) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    line = 0;
    found = 0;

    for ( ;; ) {
        rc = cwmp_sign_next_key(&content, &key, &line, &err);

        if (rc == NGX_DONE) {
            break;
        }

        if (rc == NGX_ERROR) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%s in \"%V\", line %ui",
                               err, &name, line);
            return NGX_CONF_ERROR;
        }

        if (ngx_http_cwmp_add_key(cf, clcf, &key) != NGX_OK) {
            return NGX_CONF_ERROR;
        }

        found = 1;
    }

    if (!found) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "no key in \"%V\"", &name);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_http_cwmp_add_key(ngx_conf_t *cf, ngx_http_cwmp_loc_conf_t *clcf,
    ngx_str_t *text)
{
    cwmp_sign_key_t     *key;
    ngx_pool_cleanup_t  *cln;

    if (text->len < CWMP_SIGN_KEY_MIN) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "a key is shorter than %d bytes", CWMP_SIGN_KEY_MIN);
        return NGX_ERROR;
    }

    if (clcf->keys == NGX_CONF_UNSET_PTR) {
        clcf->keys = ngx_array_create(cf->pool, 2, sizeof(cwmp_sign_key_t));
        if (clcf->keys == NULL) {
            return NGX_ERROR;
        }

        cln = ngx_pool_cleanup_add(cf->pool, 0);
        if (cln == NULL) {
            return NGX_ERROR;
        }

        cln->handler = ngx_http_cwmp_free_keys;
        cln->data = clcf->keys;
    }

    key = ngx_array_push(clcf->keys);
    if (key == NULL) {
        return NGX_ERROR;
    }

    if (cwmp_sign_key_init(key, text) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "libcrypto cannot make an HMAC-SHA256");
        return NGX_ERROR;
    }

    /* the first one signs, the others verify only */

    if (clcf->keys->nelts == 1) {
        key->last = ngx_pcalloc(cf->pool, sizeof(cwmp_sign_last_t));
        if (key->last == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static void
ngx_http_cwmp_free_keys(void *data)
{
    ngx_array_t  *keys = data;

    ngx_uint_t        i;
    cwmp_sign_key_t  *key;

    key = keys->elts;

    for (i = 0; i < keys->nelts; i++) {
        cwmp_sign_key_free(&key[i]);
    }
}


static ngx_int_t
ngx_http_cwmp_read_file(ngx_conf_t *cf, ngx_str_t *name, ngx_str_t *content)
{
    ssize_t          n;
    ngx_int_t        rc;
    ngx_file_t       file;
    ngx_file_info_t  fi;

    ngx_memzero(&file, sizeof(ngx_file_t));

    file.name = *name;
    file.log = cf->log;

    file.fd = ngx_open_file(name->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (file.fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", name);
        return NGX_ERROR;
    }

    rc = NGX_ERROR;

    if (ngx_fd_info(file.fd, &fi) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_fd_info_n " \"%V\" failed", name);
        goto done;
    }

    if (!ngx_is_file(&fi)
        || ngx_file_size(&fi) > NGX_HTTP_CWMP_SECRET_FILE_MAX)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is not a file of at most %d bytes",
                           name, NGX_HTTP_CWMP_SECRET_FILE_MAX);
        goto done;
    }

    content->len = ngx_file_size(&fi);
    content->data = ngx_pnalloc(cf->pool, content->len + 1);
    if (content->data == NULL) {
        goto done;
    }

    n = ngx_read_file(&file, content->data, content->len, 0);

    if (n != (ssize_t) content->len) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "could not read \"%V\" whole", name);
        goto done;
    }

    rc = NGX_OK;

done:

    if (ngx_close_file(file.fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, cf->log, ngx_errno,
                      ngx_close_file_n " \"%V\" failed", name);
    }

    return rc;
}


char *
ngx_http_cwmp_origins(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    char  *p = conf;

    char         *rv;
    ngx_str_t    *value;
    ngx_uint_t    i;
    ngx_array_t **specs;

    specs = (ngx_array_t **) (p + cmd->offset);

    if (*specs == NGX_CONF_UNSET_PTR) {
        *specs = ngx_array_create(cf->pool, cf->args->nelts - 1,
                                  sizeof(cwmp_policy_spec_t));
        if (*specs == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {
        rv = ngx_http_cwmp_add_origin(cf, *specs, &value[i]);

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_cwmp_add_origin(ngx_conf_t *cf, ngx_array_t *specs, ngx_str_t *text)
{
    ngx_int_t            rc;
    const char          *err;
    cwmp_policy_spec_t  *spec;

    spec = ngx_array_push(specs);
    if (spec == NULL) {
        return NGX_CONF_ERROR;
    }

    rc = cwmp_policy_parse(spec, text, &err);

    if (rc == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid origin \"%V\": %s", text, err);
        return NGX_CONF_ERROR;
    }

    if (rc == NGX_DONE) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "low address bits of %V are meaningless", text);
    }

    if (spec->type != CWMP_POLICY_REGEX) {
        return NGX_CONF_OK;
    }

    spec->regex = ngx_http_cwmp_compile_regex(cf, &spec->pattern,
                                              NGX_REGEX_CASELESS);

    return spec->regex ? NGX_CONF_OK : NGX_CONF_ERROR;
}


char *
ngx_http_cwmp_parameter(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cwmp_loc_conf_t *clcf = conf;

    ngx_str_t    *value, pattern;
    ngx_uint_t    i;
    ngx_regex_t **regex;

    if (clcf->parameters != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    clcf->parameters = ngx_array_create(cf->pool, cf->args->nelts - 1,
                                        sizeof(ngx_regex_t *));
    if (clcf->parameters == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (value[i].len < 2 || value[i].data[0] != '~') {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\": it must be "
                               "\"~\" and a regular expression", &value[i]);
            return NGX_CONF_ERROR;
        }

        pattern.len = value[i].len - 1;
        pattern.data = value[i].data + 1;

        regex = ngx_array_push(clcf->parameters);
        if (regex == NULL) {
            return NGX_CONF_ERROR;
        }

        *regex = ngx_http_cwmp_compile_regex(cf, &pattern, 0);
        if (*regex == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static ngx_regex_t *
ngx_http_cwmp_compile_regex(ngx_conf_t *cf, ngx_str_t *pattern,
    ngx_uint_t options)
{
    u_char               errstr[NGX_MAX_CONF_ERRSTR];
    ngx_regex_compile_t  rc;

    ngx_memzero(&rc, sizeof(ngx_regex_compile_t));

    rc.pattern = *pattern;
    rc.pool = cf->pool;
    rc.options = options;
    rc.err.len = NGX_MAX_CONF_ERRSTR;
    rc.err.data = errstr;

    if (ngx_regex_compile(&rc) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "%V", &rc.err);
        return NULL;
    }

    return rc.regex;
}


char *
ngx_http_cwmp_require(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cwmp_loc_conf_t *clcf = conf;

    ngx_int_t                           status;
    ngx_str_t                          *value;
    ngx_uint_t                          i;
    ngx_http_cwmp_require_t            *require;
    ngx_http_complex_value_t           *cv;
    ngx_http_compile_complex_value_t    ccv;

    if (clcf->require == NGX_CONF_UNSET_PTR) {
        clcf->require = ngx_array_create(cf->pool, 2,
                                         sizeof(ngx_http_cwmp_require_t));
        if (clcf->require == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    require = ngx_array_push(clcf->require);
    if (require == NULL) {
        return NGX_CONF_ERROR;
    }

    require->status = NGX_HTTP_FORBIDDEN;
    require->values = ngx_array_create(cf->pool, cf->args->nelts - 1,
                                       sizeof(ngx_http_complex_value_t));
    if (require->values == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_http_cwmp_note_place(cf, &require->place);

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "error=", 6) == 0) {
            status = ngx_atoi(value[i].data + 6, value[i].len - 6);

            if (status < 400 || status > 599 || i != cf->args->nelts - 1) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid \"%V\": it must be the last "
                                   "parameter and a status from 400 to 599",
                                   &value[i]);
                return NGX_CONF_ERROR;
            }

            require->status = status;
            continue;
        }

        cv = ngx_array_push(require->values);
        if (cv == NULL) {
            return NGX_CONF_ERROR;
        }

        ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

        ccv.cf = cf;
        ccv.value = &value[i];
        ccv.complex_value = cv;

        if (ngx_http_compile_complex_value(&ccv) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    return require->values->nelts ? NGX_CONF_OK : "has no value to look at";
}


char *
ngx_http_cwmp_url_map(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cwmp_loc_conf_t *clcf = conf;

    ngx_str_t                  *value;
    ngx_uint_t                  i;
    cwmp_urlmap_pair_t         *pair, *old;
    ngx_http_cwmp_main_conf_t  *cmcf;

    if (clcf->url_map == NGX_CONF_UNSET_PTR) {
        clcf->url_map = ngx_array_create(cf->pool, 2,
                                         sizeof(cwmp_urlmap_pair_t));
        if (clcf->url_map == NULL) {
            return NGX_CONF_ERROR;
        }

        ngx_http_cwmp_note_place(cf, &clcf->url_map_place);
    }

    value = cf->args->elts;

    for (i = 1; i < 3; i++) {
        if (!ngx_http_cwmp_url_prefix(&value[i])) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid URL prefix \"%V\"", &value[i]);
            return NGX_CONF_ERROR;
        }
    }

    /* each of them leads to one, and back */

    old = clcf->url_map->elts;

    for (i = 0; i < clcf->url_map->nelts; i++) {

        if (ngx_http_cwmp_same(&old[i].from, &value[1])
            || ngx_http_cwmp_same(&old[i].to, &value[2]))
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" and \"%V\" conflict with \"%V\" and "
                               "\"%V\"", &value[1], &value[2], &old[i].from,
                               &old[i].to);
            return NGX_CONF_ERROR;
        }
    }

    if (ngx_http_cwmp_same(&value[1], &value[2])) {
        return "has two equal prefixes";
    }

    pair = ngx_array_push(clcf->url_map);
    if (pair == NULL) {
        return NGX_CONF_ERROR;
    }

    pair->from = value[1];
    pair->to = value[2];

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_cwmp_module);
    cmcf->mapped = 1;

    return NGX_CONF_OK;
}


/* what has a scheme, and can stand in any text */

static ngx_uint_t
ngx_http_cwmp_url_prefix(ngx_str_t *s)
{
    size_t   i;
    u_char  *p;

    for (i = 0; i < s->len; i++) {
        if (s->data[i] <= ' ' || s->data[i] >= 0x7f
            || ngx_strchr("<>\"", s->data[i]))
        {
            return 0;
        }
    }

    p = (u_char *) ngx_strstr(s->data, "://");

    return p && p > s->data && p + 3 < s->data + s->len
           && s->len <= CWMP_URLMAP_PREFIX_MAX;
}


static ngx_uint_t
ngx_http_cwmp_same(ngx_str_t *a, ngx_str_t *b)
{
    return a->len == b->len && ngx_memcmp(a->data, b->data, a->len) == 0;
}


char *
ngx_http_cwmp_credentials(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cwmp_loc_conf_t *clcf = conf;

    char           *rv;
    ngx_str_t      *value;
    ngx_command_t   slot;

    slot = *cmd;
    slot.offset = offsetof(ngx_http_cwmp_loc_conf_t, user);

    rv = ngx_http_set_complex_value_slot(cf, &slot, conf);

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    ngx_http_cwmp_note_place(cf, &clcf->credentials_place);

    /* the slot function reads the first argument */

    value = cf->args->elts;
    value[1] = value[2];

    slot.offset = offsetof(ngx_http_cwmp_loc_conf_t, password);

    return ngx_http_set_complex_value_slot(cf, &slot, conf);
}


char *
ngx_http_cwmp_acs_auth(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cwmp_loc_conf_t *clcf = conf;

    static ngx_conf_enum_t  kinds[] = {
        { ngx_string("basic"), NGX_HTTP_CWMP_ACS_BASIC },
        { ngx_string("digest"), NGX_HTTP_CWMP_ACS_DIGEST },
        { ngx_string("none"), NGX_HTTP_CWMP_ACS_NONE },
        { ngx_null_string, 0 }
    };

    ngx_command_t  slot;

    slot = *cmd;
    slot.offset = offsetof(ngx_http_cwmp_loc_conf_t, acs_auth);
    slot.post = kinds;

    ngx_http_cwmp_note_place(cf, &clcf->acs_auth_place);

    return ngx_conf_set_enum_slot(cf, &slot, conf);
}


char *
ngx_http_cwmp_udp(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cwmp_loc_conf_t *clcf = conf;

    static ngx_conf_enum_t  values[] = {
        { ngx_string("off"), NGX_HTTP_CWMP_UDP_OFF },
        { ngx_string("fallback"), NGX_HTTP_CWMP_UDP_FALLBACK },
        { ngx_string("first"), NGX_HTTP_CWMP_UDP_FIRST },
        { ngx_null_string, 0 }
    };

    char                       *rv;
    ngx_command_t               slot;
    ngx_http_cwmp_main_conf_t  *cmcf;

    slot = *cmd;
    slot.offset = offsetof(ngx_http_cwmp_loc_conf_t, udp);
    slot.post = values;

    rv = ngx_conf_set_enum_slot(cf, &slot, conf);

    if (rv != NGX_CONF_OK || clcf->udp == NGX_HTTP_CWMP_UDP_OFF) {
        return rv;
    }

    ngx_http_cwmp_note_place(cf, &clcf->udp_place);

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_cwmp_module);

    if (cmcf->udp.line == 0) {
        cmcf->udp = clcf->udp_place;
    }

    return NGX_CONF_OK;
}


char *
ngx_http_cwmp_bind(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cwmp_loc_conf_t *clcf = conf;

    ngx_int_t   rc;
    ngx_str_t  *value;

    if (clcf->bind != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;

    clcf->bind = ngx_pcalloc(cf->pool, sizeof(ngx_addr_t));
    if (clcf->bind == NULL) {
        return NGX_CONF_ERROR;
    }

    rc = ngx_parse_addr_port(cf->pool, clcf->bind, value[1].data,
                             value[1].len);

    if (rc == NGX_DECLINED) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid address \"%V\"", &value[1]);
    }

    if (rc != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    clcf->bind->name = value[1];

    return NGX_CONF_OK;
}


char *
ngx_http_cwmp_wakeup(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cwmp_loc_conf_t *clcf = conf;

    ngx_http_core_loc_conf_t   *core;
    ngx_http_cwmp_main_conf_t  *cmcf;

    if (clcf->wakeup_place.line) {
        return "is duplicate";
    }

    ngx_http_cwmp_note_place(cf, &clcf->wakeup_place);

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_cwmp_module);

    if (cmcf->wakeup.line == 0) {
        cmcf->wakeup = clcf->wakeup_place;
    }

    core = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    core->handler = ngx_http_cwmp_wakeup_handler;

    return NGX_CONF_OK;
}


char *
ngx_http_cwmp_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_cwmp_loc_conf_t *clcf = conf;

    ngx_http_core_loc_conf_t   *core;
    ngx_http_cwmp_main_conf_t  *cmcf;

    clcf->status = 1;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_cwmp_module);
    cmcf->status = 1;

    core = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    core->handler = ngx_http_cwmp_status_handler;

    clcf->whole = core->named;

#if (NGX_PCRE)
    clcf->whole |= (core->regex != NULL);
#endif

    return NGX_CONF_OK;
}


void
ngx_http_cwmp_note_place(ngx_conf_t *cf, ngx_http_cwmp_place_t *place)
{
    if (cf->conf_file == NULL) {
        return;
    }

    place->file = cf->conf_file->file.name;
    place->line = cf->conf_file->line;
}
