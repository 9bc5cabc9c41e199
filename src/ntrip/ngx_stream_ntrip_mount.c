
/*
 * Fieldgate: ntrip_mount, ntrip_near.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>

#include "ngx_stream_ntrip.h"
#include "ntrip_protocol.h"


static ngx_stream_ntrip_mount_t *ngx_stream_ntrip_mount_add(ngx_conf_t *cf,
    ngx_stream_ntrip_srv_conf_t *nscf);
static ngx_int_t ngx_stream_ntrip_near_param(ngx_stream_ntrip_near_t *near,
    ngx_str_t *param);
static ngx_stream_ntrip_mount_t *ngx_stream_ntrip_find_name(
    ngx_array_t *mounts, ngx_uint_t n, ngx_str_t *name);
static ngx_int_t ngx_stream_ntrip_mount_param(ngx_conf_t *cf,
    ngx_stream_ntrip_mount_t *mount, ngx_str_t *str, ngx_str_t *param);
static ngx_int_t ngx_stream_ntrip_mount_profile(ngx_conf_t *cf,
    ngx_stream_ntrip_mount_t *mount, ngx_str_t *param);
static ngx_int_t ngx_stream_ntrip_mount_line(ngx_conf_t *cf,
    ngx_stream_ntrip_mount_t *mount, ngx_str_t *str);
static ngx_uint_t ngx_stream_ntrip_same(ngx_str_t *a, ngx_str_t *b);
static char *ngx_stream_ntrip_check_table(ngx_conf_t *cf,
    ngx_stream_ntrip_listing_t *listing, ngx_fd_t fd);


char *
ngx_stream_ntrip_mount(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_stream_ntrip_srv_conf_t *nscf = conf;

    ngx_str_t                 *value, str;
    ngx_uint_t                 i;
    ngx_stream_ntrip_mount_t  *mount;

    value = cf->args->elts;

    mount = ngx_stream_ntrip_mount_add(cf, nscf);
    if (mount == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_str_null(&str);

    for (i = 2; i < cf->args->nelts; i++) {
        if (ngx_stream_ntrip_mount_param(cf, mount, &str, &value[i])
            != NGX_OK)
        {
            return NGX_CONF_ERROR;
        }
    }

    if (mount->profile && mount->format == NTRIP_RTCM_RAW) {
        return "has \"messages\" or \"msm\", which \"format=raw\" excludes";
    }

    return ngx_stream_ntrip_mount_line(cf, mount, &str) == NGX_OK
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


/* a new one with the name that the directive begins with; NULL: as is logged */

static ngx_stream_ntrip_mount_t *
ngx_stream_ntrip_mount_add(ngx_conf_t *cf, ngx_stream_ntrip_srv_conf_t *nscf)
{
    ngx_str_t                 *value;
    const char                *err;
    ngx_stream_ntrip_mount_t  *mount;

    value = cf->args->elts;

    err = ntrip_mount_check(&value[1]);

    if (err) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid mountpoint \"%V\": %s", &value[1], err);
        return NULL;
    }

    if (nscf->mounts == NULL) {
        nscf->mounts = ngx_array_create(cf->pool, 4,
                                        sizeof(ngx_stream_ntrip_mount_t));
        if (nscf->mounts == NULL) {
            return NULL;
        }
    }

    if (ngx_stream_ntrip_find_name(nscf->mounts, nscf->mounts->nelts,
                                   &value[1]))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "mountpoint \"%V\" is duplicate", &value[1]);
        return NULL;
    }

    mount = ngx_array_push(nscf->mounts);
    if (mount == NULL) {
        return NULL;
    }

    ngx_memzero(mount, sizeof(ngx_stream_ntrip_mount_t));

    ngx_stream_ntrip_note_place(cf, &mount->place);

    mount->name = value[1];
    mount->as = value[1];
    mount->format = NTRIP_RTCM_AUTO;
    mount->gga = 1;

    return mount;
}


char *
ngx_stream_ntrip_near(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_stream_ntrip_srv_conf_t *nscf = conf;

    ngx_str_t                 *value, str;
    ngx_uint_t                 i;
    ngx_stream_ntrip_near_t   *near;
    ngx_stream_ntrip_mount_t  *mount;

    value = cf->args->elts;

    mount = ngx_stream_ntrip_mount_add(cf, nscf);
    near = ngx_pcalloc(cf->pool, sizeof(ngx_stream_ntrip_near_t));

    if (mount == NULL || near == NULL) {
        return NGX_CONF_ERROR;
    }

    mount->near = near;

    near->max = 50000;
    near->hysteresis = 1000;
    near->dwell = 60000;

    for (i = 2; i < cf->args->nelts; i++) {
        if (ngx_stream_ntrip_near_param(near, &value[i]) != NGX_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\"", &value[i]);
            return NGX_CONF_ERROR;
        }
    }

    ngx_str_null(&str);

    return ngx_stream_ntrip_mount_line(cf, mount, &str) == NGX_OK
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static ngx_int_t
ngx_stream_ntrip_near_param(ngx_stream_ntrip_near_t *near, ngx_str_t *param)
{
    ngx_int_t  n;
    ngx_str_t  s;

    n = 0;

    if (ngx_strncmp(param->data, "max=", 4) == 0) {
        s.data = param->data + 4;
        s.len = param->len - 4;

        n = ngx_stream_ntrip_metres(&s);
        near->max = (ngx_uint_t) n;

        return (n > 0) ? NGX_OK : NGX_ERROR;
    }

    if (ngx_strncmp(param->data, "hysteresis=", 11) == 0) {
        s.data = param->data + 11;
        s.len = param->len - 11;

        n = ngx_stream_ntrip_metres(&s);
        near->hysteresis = (ngx_uint_t) n;

    } else if (ngx_strncmp(param->data, "dwell=", 6) == 0) {
        s.data = param->data + 6;
        s.len = param->len - 6;

        n = ngx_parse_time(&s, 0);
        near->dwell = (ngx_msec_t) n;

    } else if (ngx_strncmp(param->data, "stations=", 9) == 0) {
        near->pattern.data = param->data + 9;
        near->pattern.len = param->len - 9;

        n = near->pattern.len ? 0 : NGX_ERROR;

    } else if (ngx_strcmp(param->data, "hold_fixed") == 0) {
        near->hold_fixed = 1;

    } else {
        return NGX_ERROR;
    }

    return (n == NGX_ERROR) ? NGX_ERROR : NGX_OK;
}


/* among the first n, in this very spelling; NULL: none */

static ngx_stream_ntrip_mount_t *
ngx_stream_ntrip_find_name(ngx_array_t *mounts, ngx_uint_t n, ngx_str_t *name)
{
    ngx_uint_t                 i;
    ngx_stream_ntrip_mount_t  *mount;

    mount = mounts->elts;

    for (i = 0; i < n; i++) {
        if (ngx_stream_ntrip_same(&mount[i].name, name)) {
            return &mount[i];
        }
    }

    return NULL;
}


static ngx_int_t
ngx_stream_ntrip_mount_param(ngx_conf_t *cf, ngx_stream_ntrip_mount_t *mount,
    ngx_str_t *str, ngx_str_t *param)
{
    const char  *err;

    err = NULL;

    if (ngx_strncmp(param->data, "str=", 4) == 0) {
        str->len = param->len - 4;
        str->data = param->data + 4;

        err = (str->len && str->data[0] == '"')
              ? "quotes go around the whole parameter: \"str=...\""
              : ntrip_str_check(&mount->name, str);

    } else if (ngx_strncmp(param->data, "as=", 3) == 0) {
        mount->as.len = param->len - 3;
        mount->as.data = param->data + 3;

        err = ntrip_mount_check(&mount->as);

    } else if (ngx_strncmp(param->data, "pool=", 5) == 0) {
        mount->pool.len = param->len - 5;
        mount->pool.data = param->data + 5;

        return ngx_stream_ntrip_check_pool(cf, &mount->pool, 0);

    } else if (ngx_strncmp(param->data, "messages=", 9) == 0
               || ngx_strcmp(param->data, "msm=4") == 0)
    {
        return ngx_stream_ntrip_mount_profile(cf, mount, param);

    } else if (ngx_strcmp(param->data, "format=auto") == 0) {
        mount->format = NTRIP_RTCM_AUTO;

    } else if (ngx_strcmp(param->data, "format=rtcm3") == 0) {
        mount->format = NTRIP_RTCM_RTCM3;

    } else if (ngx_strcmp(param->data, "format=raw") == 0) {
        mount->format = NTRIP_RTCM_RAW;

    } else if (ngx_strcmp(param->data, "gga=on") == 0) {
        mount->gga = 1;

    } else if (ngx_strcmp(param->data, "gga=off") == 0) {
        mount->gga = 0;

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid parameter \"%V\"",
                           param);
        return NGX_ERROR;
    }

    if (err) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid \"%V\": %s", param,
                           err);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_stream_ntrip_mount_profile(ngx_conf_t *cf,
    ngx_stream_ntrip_mount_t *mount, ngx_str_t *param)
{
    char       *reason;
    ngx_str_t   list;

    if (mount->profile == NULL) {
        mount->profile = ngx_pcalloc(cf->pool, sizeof(ntrip_profile_t));
        if (mount->profile == NULL) {
            return NGX_ERROR;
        }
    }

    if (param->data[1] == 's') {
        mount->profile->msm4 = 1;
        return NGX_OK;
    }

    list.len = param->len - 9;
    list.data = param->data + 9;

    if (ntrip_profile_list(mount->profile, &list, &reason) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid \"%V\": it %s",
                           param, reason);
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_stream_ntrip_mount_line(ngx_conf_t *cf, ngx_stream_ntrip_mount_t *mount,
    ngx_str_t *str)
{
    u_char       *p;
    ntrip_out_t   out;

    p = ngx_pnalloc(cf->pool, NTRIP_STR_LINE_MAX);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ntrip_out_init(&out, p, NTRIP_STR_LINE_MAX);

    ntrip_str_line(&out, &mount->name, str, mount->gga,
                   mount->format == NTRIP_RTCM_RAW);

    mount->str.data = p;
    mount->str.len = out.last - out.start - (sizeof(CRLF) - 1);

    return NGX_OK;
}


/* the server's own come first, and replace those of stream{} */

char *
ngx_stream_ntrip_merge_mounts(ngx_conf_t *cf, ngx_array_t *prev,
    ngx_array_t **conf)
{
    ngx_uint_t                 i, own;
    ngx_stream_ntrip_mount_t  *inherited, *added;

    if (prev == NULL) {
        return NGX_CONF_OK;
    }

    if (*conf == NULL) {
        *conf = prev;
        return NGX_CONF_OK;
    }

    inherited = prev->elts;
    own = (*conf)->nelts;

    for (i = 0; i < prev->nelts; i++) {

        if (ngx_stream_ntrip_find_name(*conf, own, &inherited[i].name)) {
            continue;
        }

        added = ngx_array_push(*conf);
        if (added == NULL) {
            return NGX_CONF_ERROR;
        }

        *added = inherited[i];
    }

    return NGX_CONF_OK;
}


/*
 * Those that share a source have to agree on what it is: the stream's row has
 * its format and whether it needs a position.
 */

char *
ngx_stream_ntrip_check_mounts(ngx_conf_t *cf,
    ngx_stream_ntrip_srv_conf_t *conf)
{
    ngx_uint_t                 i, j;
    ngx_stream_ntrip_mount_t  *mount;

    if (conf->mounts == NULL) {
        return NGX_CONF_OK;
    }

    mount = conf->mounts->elts;

    for (i = 1; i < conf->mounts->nelts; i++) {
        for (j = 0; j < i; j++) {

            if (mount[i].near
                || mount[j].near
                || !ngx_stream_ntrip_same(&mount[i].as, &mount[j].as)
                || !ngx_stream_ntrip_same(
                        ngx_stream_ntrip_mount_pool(conf, &mount[i]),
                        ngx_stream_ntrip_mount_pool(conf, &mount[j]))
                || (mount[i].format == mount[j].format
                    && mount[i].gga == mount[j].gga))
            {
                continue;
            }

            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "mountpoint \"%V\" is the provider's \"%V\", as "
                          "\"%V\" in %V:%ui is, and differs from it in "
                          "\"format\" or \"gga\" in %V:%ui",
                          &mount[i].name, &mount[i].as, &mount[j].name,
                          &mount[j].place.file, mount[j].place.line,
                          &mount[i].place.file, mount[i].place.line);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static ngx_uint_t
ngx_stream_ntrip_same(ngx_str_t *a, ngx_str_t *b)
{
    return a->len == b->len && ngx_memcmp(a->data, b->data, a->len) == 0;
}


char *
ngx_stream_ntrip_sourcetable(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_stream_ntrip_srv_conf_t *nscf = conf;

    ngx_fd_t                     fd;
    ngx_str_t                   *value;
    ngx_stream_ntrip_listing_t  *listing;

    listing = &nscf->listing;

    if (listing->place.line) {
        return "is duplicate";
    }

    ngx_stream_ntrip_note_place(cf, &listing->place);

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "off") == 0) {
        return NGX_CONF_OK;
    }

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "upstream") == 0) {
        listing->kind = NGX_STREAM_NTRIP_LISTING_UPSTREAM;
        return NGX_CONF_OK;
    }

    if (cf->args->nelts != 3 || ngx_strcmp(value[1].data, "file") != 0) {
        return "must be \"upstream\", \"file path\" or \"off\"";
    }

    listing->kind = NGX_STREAM_NTRIP_LISTING_FILE;
    listing->path = value[2];

    if (ngx_conf_full_name(cf->cycle, &listing->path, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    fd = ngx_open_file(listing->path.data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", &listing->path);
        return NGX_CONF_ERROR;
    }

    return ngx_stream_ntrip_check_table(cf, listing, fd);
}


/* what workers would not take; closes the file */

static char *
ngx_stream_ntrip_check_table(ngx_conf_t *cf,
    ngx_stream_ntrip_listing_t *listing, ngx_fd_t fd)
{
    char             *rv;
    ngx_file_info_t   fi;

    rv = NGX_CONF_OK;

    if (ngx_fd_info(fd, &fi) == NGX_FILE_ERROR
        || !ngx_is_file(&fi)
        || ngx_file_size(&fi) > NTRIP_TABLE_MAX)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "sourcetable \"%V\" is no file, or larger than "
                           "%d bytes", &listing->path, NTRIP_TABLE_MAX);
        rv = NGX_CONF_ERROR;
    }

    (void) ngx_close_file(fd);

    return rv;
}


char *
ngx_stream_ntrip_sourcetable_line(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_stream_ntrip_srv_conf_t *nscf = conf;

    ngx_str_t   *value, *line;
    ngx_uint_t   i;

    if (nscf->lines == NGX_CONF_UNSET_PTR) {
        nscf->lines = ngx_array_create(cf->pool, 2, sizeof(ngx_str_t));
        if (nscf->lines == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if ((!ntrip_text_begins(&value[i], "CAS;")
             && !ntrip_text_begins(&value[i], "NET;"))
            || ntrip_text_controls(&value[i])
            || value[i].len > NTRIP_TABLE_LINE_MAX)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" is no line of CAS or NET", &value[i]);
            return NGX_CONF_ERROR;
        }

        line = ngx_array_push(nscf->lines);
        if (line == NULL) {
            return NGX_CONF_ERROR;
        }

        *line = value[i];
    }

    return NGX_CONF_OK;
}
