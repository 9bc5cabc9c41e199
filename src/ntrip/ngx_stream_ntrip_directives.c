
/*
 * Fieldgate: the directives of the NTRIP module that need more than a slot
 * function.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>

#include "ngx_stream_ntrip_admin.h"
#include "ngx_stream_ntrip_rover.h"
#include "ntrip_protocol.h"


/* a password file is one line */

#define NGX_STREAM_NTRIP_PASSWORD_FILE_MAX  4096

/* half the way around the earth is far enough to be a mistake */

#define NGX_STREAM_NTRIP_DISTANCE_MAX       20000000


static ngx_int_t ngx_stream_ntrip_handler(ngx_conf_t *cf,
    ngx_stream_ntrip_place_t *place, ngx_stream_ntrip_place_t *first,
    ngx_stream_content_handler_pt handler);
static ngx_int_t ngx_stream_ntrip_check_database(ngx_conf_t *cf,
    ngx_str_t *name);
static ngx_int_t ngx_stream_ntrip_env(ngx_conf_t *cf, ngx_str_t *name,
    ngx_str_t *value);
static ngx_int_t ngx_stream_ntrip_read_password(ngx_conf_t *cf,
    ngx_str_t *name, ngx_str_t *value);


char *
ngx_stream_ntrip_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_stream_ntrip_main_conf_t *nmcf = conf;

    ssize_t     size;
    ngx_str_t  *value;

    if (nmcf->zone_size) {
        return "is duplicate";
    }

    value = cf->args->elts;

    size = ngx_parse_size(&value[1]);

    if (size == NGX_ERROR || size == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid zone size \"%V\"",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    nmcf->zone_size = size;
    ngx_stream_ntrip_note_place(cf, &nmcf->zone_place);

    return NGX_CONF_OK;
}


char *
ngx_stream_ntrip_ring_size(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_stream_ntrip_main_conf_t *nmcf = conf;

    char  *rv;

    rv = ngx_conf_set_size_slot(cf, cmd, conf);

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (nmcf->ring_size < NGX_STREAM_NTRIP_RING_MIN
        || nmcf->ring_size > 16 * 1024 * 1024)
    {
        return "must be between 8k and 16m";
    }

    ngx_stream_ntrip_note_place(cf, &nmcf->ring_place);

    return NGX_CONF_OK;
}


char *
ngx_stream_ntrip_database(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_stream_ntrip_main_conf_t *nmcf = conf;

    ngx_str_t  *value;

    if (nmcf->database.len) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (value[1].len == 0) {
        return "needs the path of a file";
    }

    nmcf->database = value[1];

    if (ngx_conf_full_name(cf->cycle, &nmcf->database, 0) != NGX_OK
        || ngx_stream_ntrip_check_database(cf, &nmcf->database) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/*
 * Only mistakes of the configuration: whatever may pass or be repaired while
 * nginx runs must not keep it from starting.  The file itself is not opened:
 * closing it would drop the locks that SQLite holds in this process.
 */

static ngx_int_t
ngx_stream_ntrip_check_database(ngx_conf_t *cf, ngx_str_t *name)
{
    u_char           *p;
    ngx_str_t         folder;
    ngx_file_info_t   fi;

    if (ngx_file_info(name->data, &fi) == 0) {

        if (!ngx_is_file(&fi)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" is not a file", name);
            return NGX_ERROR;
        }

        return NGX_OK;
    }

    if (name->data[name->len - 1] == '/') {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is not the name of a file", name);
        return NGX_ERROR;
    }

    /* its folder is there, or the one that this has to be made in */

    for (p = name->data + name->len - 1; *p != '/'; p--) { /* void */ }

    if (p == name->data) {
        return NGX_OK;
    }

    folder.data = ngx_pstrdup(cf->temp_pool, name);
    if (folder.data == NULL) {
        return NGX_ERROR;
    }

    folder.len = p - name->data;
    folder.data[folder.len] = '\0';

    if (ngx_file_info(folder.data, &fi) == NGX_FILE_ERROR) {
        for ( /* void */ ; folder.data[folder.len] != '/'; folder.len--) {
            /* void */
        }

        if (folder.len == 0) {
            return NGX_OK;
        }

        folder.data[folder.len] = '\0';

        if (ngx_file_info(folder.data, &fi) == NGX_FILE_ERROR) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                               "the folder of \"%V\" cannot be made: \"%V\"",
                               name, &folder);
            return NGX_ERROR;
        }
    }

    if (!ngx_is_dir(&fi)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" is not a folder",
                           &folder);
        return NGX_ERROR;
    }

    return NGX_OK;
}


char *
ngx_stream_ntrip_report(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_stream_ntrip_main_conf_t *nmcf = conf;

    ngx_str_t  *value;

    value = cf->args->elts;

    if (nmcf->report != NGX_CONF_UNSET_MSEC
        || !(value[1].len == 3 && ngx_strncmp(value[1].data, "off", 3) == 0))
    {
        return ngx_conf_set_msec_slot(cf, cmd, conf);
    }

    nmcf->report = 0;

    return NGX_CONF_OK;
}


char *
ngx_stream_ntrip_caster(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_stream_ntrip_srv_conf_t *nscf = conf;

    ngx_stream_ntrip_main_conf_t  *nmcf;

    if (nscf->caster.line) {
        return "is duplicate";
    }

    nmcf = ngx_stream_conf_get_module_main_conf(cf, ngx_stream_ntrip_module);

    return ngx_stream_ntrip_handler(cf, &nscf->caster, &nmcf->caster,
                                    ngx_stream_ntrip_caster_handler)
           == NGX_OK ? NGX_CONF_OK : NGX_CONF_ERROR;
}


char *
ngx_stream_ntrip_console(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_stream_ntrip_srv_conf_t *nscf = conf;

    ngx_stream_ntrip_main_conf_t  *nmcf;

    if (nscf->console.line) {
        return "is duplicate";
    }

    nmcf = ngx_stream_conf_get_module_main_conf(cf, ngx_stream_ntrip_module);

    return ngx_stream_ntrip_handler(cf, &nscf->console, &nmcf->console,
                                    ngx_stream_ntrip_console_handler)
           == NGX_OK ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static ngx_int_t
ngx_stream_ntrip_handler(ngx_conf_t *cf, ngx_stream_ntrip_place_t *place,
    ngx_stream_ntrip_place_t *first, ngx_stream_content_handler_pt handler)
{
    ngx_stream_core_srv_conf_t  *cscf;

    cscf = ngx_stream_conf_get_module_srv_conf(cf, ngx_stream_core_module);

    if (cscf->handler) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "another content handler is already in this "
                           "server");
        return NGX_ERROR;
    }

    cscf->handler = handler;

    ngx_stream_ntrip_note_place(cf, place);

    if (first->line == 0) {
        *first = *place;
    }

    return NGX_OK;
}


char *
ngx_stream_ntrip_station(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_stream_ntrip_srv_conf_t *nscf = conf;

    if (nscf->station.line) {
        return "is duplicate";
    }

    ngx_stream_ntrip_note_place(cf, &nscf->station);

    return NGX_CONF_OK;
}


char *
ngx_stream_ntrip_relay(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_stream_ntrip_srv_conf_t *nscf = conf;

    ngx_int_t    port;
    ngx_str_t   *value, s;
    ngx_uint_t   i;

    if (nscf->relay.line) {
        return "is duplicate";
    }

    ngx_stream_ntrip_note_place(cf, &nscf->relay);
    ngx_str_set(&nscf->pool, "default");

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strncmp(value[i].data, "pool=", 5) == 0) {
            nscf->pool.len = value[i].len - 5;
            nscf->pool.data = value[i].data + 5;

            if (ngx_stream_ntrip_check_pool(cf, &nscf->pool, 1) != NGX_OK) {
                return NGX_CONF_ERROR;
            }

            continue;
        }

        if (ngx_strncmp(value[i].data, "port=", 5) == 0) {
            s.len = value[i].len - 5;
            s.data = value[i].data + 5;

            port = ngx_atoi(s.data, s.len);

            if (port < 1 || port > 65535) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid port \"%V\"", &s);
                return NGX_CONF_ERROR;
            }

            nscf->port = port;
            continue;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid parameter \"%V\"",
                           &value[i]);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


ngx_int_t
ngx_stream_ntrip_check_pool(ngx_conf_t *cf, ngx_str_t *pool, ngx_uint_t list)
{
    ngx_str_t  rest, before, name;

    before = *pool;
    rest = *pool;

    do {
        before.len = rest.data - pool->data;
        name = ntrip_text_item(&rest);

        if (name.len == 0 || name.len > NTRIP_POOL_MAX
            || pool->data[pool->len - 1] == ',')
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "the name of a pool has 1 to %d bytes",
                               NTRIP_POOL_MAX);
            return NGX_ERROR;
        }

        if (ntrip_text_has_item(&before, &name)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "pool \"%V\" is duplicate", &name);
            return NGX_ERROR;
        }

    } while (rest.len);

    if (before.len && !list) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid pool \"%V\": it must be one", pool);
        return NGX_ERROR;
    }

    if (pool->len > NTRIP_POOLS_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the names of pools have %d bytes at most together",
                           NTRIP_POOLS_MAX);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* as the rate of limit_req_zone: "10r/s", "30r/m" */

char *
ngx_stream_ntrip_host_logins(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_stream_ntrip_main_conf_t *nmcf = conf;

    u_char      *unit;
    ngx_int_t    rate;
    ngx_str_t   *value;
    ngx_uint_t   scale;

    if (nmcf->host_pace != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    scale = 1;
    rate = NGX_ERROR;

    if (value[1].len > 3) {
        unit = value[1].data + value[1].len - 3;

        if (ngx_strncmp(unit, "r/s", 3) == 0) {
            rate = ngx_atoi(value[1].data, value[1].len - 3);

        } else if (ngx_strncmp(unit, "r/m", 3) == 0) {
            rate = ngx_atoi(value[1].data, value[1].len - 3);
            scale = 60;
        }
    }

    if (rate <= 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid rate \"%V\"",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    nmcf->host_pace = 1000000 * scale / rate;

    return NGX_CONF_OK;
}


char *
ngx_stream_ntrip_share_distance(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_stream_ntrip_srv_conf_t *nscf = conf;

    ngx_int_t   n;
    ngx_str_t  *value;

    if (nscf->share_distance != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (value[1].len == 3 && ngx_strncmp(value[1].data, "off", 3) == 0) {
        nscf->share_distance = NTRIP_SHARE_NONE;
        return NGX_CONF_OK;
    }

    n = ngx_stream_ntrip_metres(&value[1]);

    if (n <= 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid distance \"%V\": it must be metres, "
                           "metres with \"m\", kilometres with \"km\", or "
                           "\"off\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    nscf->share_distance = n;

    return NGX_CONF_OK;
}


char *
ngx_stream_ntrip_length(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_int_t    n;
    ngx_str_t   *value;
    ngx_uint_t  *length;

    length = (ngx_uint_t *) ((u_char *) conf + cmd->offset);

    if (*length != NGX_CONF_UNSET_UINT) {
        return "is duplicate";
    }

    value = cf->args->elts;

    n = ngx_stream_ntrip_metres(&value[1]);

    if (n == NGX_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid length \"%V\": it must be metres, metres "
                           "with \"m\", or kilometres with \"km\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    *length = n;

    return NGX_CONF_OK;
}


ngx_int_t
ngx_stream_ntrip_metres(ngx_str_t *value)
{
    ngx_int_t   n;
    ngx_str_t   s;
    ngx_uint_t  unit;

    s = *value;
    unit = 1;

    if (s.len > 2 && ngx_strncmp(s.data + s.len - 2, "km", 2) == 0) {
        unit = 1000;
        s.len -= 2;

    } else if (s.len > 1 && s.data[s.len - 1] == 'm') {
        s.len--;
    }

    n = ngx_atoi(s.data, s.len);

    if (n < 0 || n > (ngx_int_t) (NGX_STREAM_NTRIP_DISTANCE_MAX / unit)) {
        return NGX_ERROR;
    }

    return n * unit;
}


/* no message tells the value, which would then be in the log */

char *
ngx_stream_ntrip_console_password(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_stream_ntrip_srv_conf_t *nscf = conf;

    ngx_str_t  *value, name, given;

    if (nscf->password.line) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strncmp(value[1].data, "env:", 4) == 0) {
        name.len = value[1].len - 4;
        name.data = value[1].data + 4;

        if (ngx_stream_ntrip_env(cf, &name, &nscf->console_password)
            != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }

    } else if (ngx_strncmp(value[1].data, "file:", 5) == 0) {
        name.len = value[1].len - 5;
        name.data = value[1].data + 5;

        if (ngx_stream_ntrip_read_password(cf, &name,
                                           &nscf->console_password)
            != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }

    } else {
        nscf->console_password = value[1];
    }

    if (nscf->console_password.len == 0) {
        return "has an empty password";
    }

    if (nscf->console_password.len > NTRIP_PASSWORD_MAX) {
        return "has a password that is too long";
    }

    ngx_str_set(&given, "");

    if (ntrip_password_is_hash(&nscf->console_password)
        && ntrip_password_verify(&nscf->console_password, &given)
           == NGX_ERROR)
    {
        return "has a password that begins as a hash does, but is none that "
               "is known";
    }

    ngx_stream_ntrip_note_place(cf, &nscf->password);

    return NGX_CONF_OK;
}


/*
 * The variable is added to those of "env", as it would otherwise be gone after
 * an upgrade of the binary, which gets no others.
 */

static ngx_int_t
ngx_stream_ntrip_env(ngx_conf_t *cf, ngx_str_t *name, ngx_str_t *value)
{
    char             *text;
    ngx_str_t        *var;
    ngx_core_conf_t  *ccf;

    if (name->len == 0 || ngx_strlchr(name->data, name->data + name->len, '='))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid name of an environment variable \"%V\"",
                           name);
        return NGX_ERROR;
    }

    ccf = (ngx_core_conf_t *) ngx_get_conf(cf->cycle->conf_ctx,
                                           ngx_core_module);

    var = ngx_array_push(&ccf->env);
    if (var == NULL) {
        return NGX_ERROR;
    }

    *var = *name;

    text = getenv((char *) name->data);

    if (text == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "environment variable \"%V\" is not set", name);
        return NGX_ERROR;
    }

    /* a copy: the environment moves with the process's title */

    value->len = ngx_strlen(text);
    value->data = ngx_pnalloc(cf->pool, value->len + 1);
    if (value->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(value->data, text, value->len + 1);

    return NGX_OK;
}


static ngx_int_t
ngx_stream_ntrip_read_password(ngx_conf_t *cf, ngx_str_t *name,
    ngx_str_t *value)
{
    ssize_t     n;
    ngx_file_t  file;

    ngx_memzero(&file, sizeof(ngx_file_t));

    file.name = *name;
    file.log = cf->log;

    if (ngx_conf_full_name(cf->cycle, &file.name, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    value->data = ngx_pnalloc(cf->pool, NGX_STREAM_NTRIP_PASSWORD_FILE_MAX);
    if (value->data == NULL) {
        return NGX_ERROR;
    }

    file.fd = ngx_open_file(file.name.data, NGX_FILE_RDONLY, NGX_FILE_OPEN,
                            0);

    if (file.fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", &file.name);
        return NGX_ERROR;
    }

    n = ngx_read_file(&file, value->data, NGX_STREAM_NTRIP_PASSWORD_FILE_MAX,
                      0);

    if (ngx_close_file(file.fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, cf->log, ngx_errno,
                      ngx_close_file_n " \"%V\" failed", &file.name);
    }

    if (n == NGX_ERROR || n == NGX_STREAM_NTRIP_PASSWORD_FILE_MAX) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is not a file with a password",
                           &file.name);
        return NGX_ERROR;
    }

    for (value->len = 0; value->len < (size_t) n; value->len++) {
        if (value->data[value->len] == CR || value->data[value->len] == LF) {
            break;
        }
    }

    return NGX_OK;
}


void
ngx_stream_ntrip_note_place(ngx_conf_t *cf, ngx_stream_ntrip_place_t *place)
{
    ngx_str_set(&place->file, "command line");
    place->line = 1;

    if (cf->conf_file) {
        place->file = cf->conf_file->file.name;
        place->line = cf->conf_file->line;
    }
}
