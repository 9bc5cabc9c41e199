
/*
 * Fieldgate: the configuration of the NTRIP module.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>

#include "ngx_stream_ntrip_admin.h"
#include "ngx_stream_ntrip_rover.h"


/* nginx has no header that names it */
extern ngx_module_t  ngx_thread_pool_module;


static ngx_int_t ngx_stream_ntrip_thread_pools(ngx_conf_t *cf,
    ngx_stream_ntrip_main_conf_t *nmcf);
static ngx_int_t ngx_stream_ntrip_declare_pool(ngx_conf_t *cf,
    ngx_str_t *name, const char *threads);
static ngx_int_t ngx_stream_ntrip_check_needs(ngx_conf_t *cf,
    ngx_stream_ntrip_main_conf_t *nmcf, ngx_stream_ntrip_place_t *place,
    const char *name);
static char *ngx_stream_ntrip_check_caster(ngx_conf_t *cf,
    ngx_stream_ntrip_srv_conf_t *conf);
static char *ngx_stream_ntrip_check_listing(ngx_conf_t *cf,
    ngx_stream_ntrip_srv_conf_t *conf);
static char *ngx_stream_ntrip_check_console(ngx_conf_t *cf,
    ngx_stream_ntrip_srv_conf_t *conf);
static ngx_uint_t ngx_stream_ntrip_folder_is_ours(int fd, u_char *file);
static void ngx_stream_ntrip_give_file(ngx_cycle_t *cycle, int folder,
    u_char *file, const char *suffix, ngx_uint_t give);


void *
ngx_stream_ntrip_create_main_conf(ngx_conf_t *cf)
{
    ngx_stream_ntrip_main_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_stream_ntrip_main_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     conf->zone_size = 0;
     *     conf->database = { 0, NULL };
     *     conf->bus = NULL;
     *     conf->zone = NULL;
     *     conf->hash_pool, sqlite_pool, lookup_pool = NULL;
     *     conf->cluster = NULL;
     *     conf->*_place, caster, console = { { 0, NULL }, 0 };
     */

    conf->ring_size = NGX_CONF_UNSET_SIZE;
    conf->storage = NGX_CONF_UNSET_UINT;
    conf->report = NGX_CONF_UNSET_MSEC;
    conf->account_cooling = NGX_CONF_UNSET_MSEC;
    conf->host_pace = NGX_CONF_UNSET_UINT;

    return conf;
}


char *
ngx_stream_ntrip_init_main_conf(ngx_conf_t *cf, void *conf)
{
    ngx_stream_ntrip_main_conf_t *nmcf = conf;

    ngx_conf_init_size_value(nmcf->ring_size, 32768);
    ngx_conf_init_uint_value(nmcf->storage, NGX_STREAM_NTRIP_STORAGE_HASH);
    ngx_conf_init_msec_value(nmcf->report, 0);
    ngx_conf_init_msec_value(nmcf->account_cooling, 0);
    ngx_conf_init_uint_value(nmcf->host_pace, NTRIP_HOST_PACE);

    if (ngx_stream_ntrip_check_needs(cf, nmcf, &nmcf->caster, "ntrip_caster")
        != NGX_OK
        || ngx_stream_ntrip_check_needs(cf, nmcf, &nmcf->console,
                                        "ntrip_console")
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (ngx_stream_ntrip_cluster_check(cf, nmcf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (nmcf->database.len
        && ngx_stream_ntrip_thread_pools(cf, nmcf) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    if (nmcf->zone_size) {
        return ngx_stream_ntrip_worker_conf(cf, nmcf);
    }

    return NGX_CONF_OK;
}


/*
 * A hash keeps a processor busy, a write waits for a disk and for other
 * writers, a look-up for a name server, and a cluster for PostgreSQL: none
 * waits for another kind.  A worker has one write under way at a time.
 */

static ngx_int_t
ngx_stream_ntrip_thread_pools(ngx_conf_t *cf,
    ngx_stream_ntrip_main_conf_t *nmcf)
{
    ngx_uint_t  i, n;

    struct {
        ngx_str_t            name;
        const char          *threads;
        ngx_thread_pool_t  **pool;
    } pools[] = {
        { ngx_string("ntrip_hash"), "threads=2", &nmcf->hash_pool },
        { ngx_string("ntrip_sqlite"), "threads=1", &nmcf->sqlite_pool },
        { ngx_string("ntrip_lookup"), "threads=8", &nmcf->lookup_pool },
        { ngx_string("ntrip_cluster"), "threads=1", NULL }
    };

    n = sizeof(pools) / sizeof(pools[0]);

    if (nmcf->cluster) {
        pools[n - 1].pool = &nmcf->cluster->thread_pool;

    } else {
        n--;
    }

    for (i = 0; i < n; i++) {

        *pools[i].pool = ngx_thread_pool_get(cf->cycle, &pools[i].name);

        if (*pools[i].pool) {
            continue;
        }

        if (ngx_stream_ntrip_declare_pool(cf, &pools[i].name,
                                          pools[i].threads)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        *pools[i].pool = ngx_thread_pool_get(cf->cycle, &pools[i].name);
    }

    return NGX_OK;
}


/*
 * As if "thread_pool name threads=n;" stood here: what a pool has is known to
 * nginx's directive alone, and one without threads is an error to nginx.
 */

static ngx_int_t
ngx_stream_ntrip_declare_pool(ngx_conf_t *cf, ngx_str_t *name,
    const char *threads)
{
    char           *rv;
    ngx_str_t      *value;
    ngx_array_t    *args, *saved;
    ngx_command_t  *cmd;

    for (cmd = ngx_thread_pool_module.commands; cmd->name.len; cmd++) {
        if (ngx_strcmp(cmd->name.data, "thread_pool") == 0) {
            break;
        }
    }

    args = ngx_array_create(cf->pool, 3, sizeof(ngx_str_t));

    if (args == NULL || cmd->name.len == 0) {
        return NGX_ERROR;
    }

    value = ngx_array_push_n(args, 3);

    value[0] = cmd->name;
    value[1] = *name;
    value[2].data = (u_char *) threads;
    value[2].len = ngx_strlen(threads);

    saved = cf->args;
    cf->args = args;

    rv = cmd->set(cf, cmd, NULL);

    cf->args = saved;

    return (rv == NGX_CONF_OK) ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_stream_ntrip_check_needs(ngx_conf_t *cf,
    ngx_stream_ntrip_main_conf_t *nmcf, ngx_stream_ntrip_place_t *place,
    const char *name)
{
    const char  *needs;

    if (place->line == 0) {
        return NGX_OK;
    }

    if (nmcf->zone_size == 0) {
        needs = "ntrip_zone";

    } else if (nmcf->database.len == 0) {
        needs = "ntrip_database";

    } else {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                  "\"%s\" needs an \"%s\" in stream{} in %V:%ui",
                  name, needs, &place->file, place->line);

    return NGX_ERROR;
}


void *
ngx_stream_ntrip_create_srv_conf(ngx_conf_t *cf)
{
    ngx_stream_ntrip_srv_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_stream_ntrip_srv_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     conf->caster, relay, station, console, password = { { 0, NULL }, 0 };
     *     conf->pool = { 0, NULL };
     *     conf->port = 0;
     *     conf->mounts = NULL;
     *     conf->console_password = { 0, NULL };
     */

    conf->listing.valid = NGX_CONF_UNSET;
    conf->lines = NGX_CONF_UNSET_PTR;
    conf->share_distance = NGX_CONF_UNSET_UINT;
    conf->gga_distance = NGX_CONF_UNSET_UINT;
    conf->gga_round = NGX_CONF_UNSET_UINT;
    conf->gga_form = NGX_CONF_UNSET_UINT;
    conf->gga_interval = NGX_CONF_UNSET_MSEC;
    conf->gga_repeat = NGX_CONF_UNSET_MSEC;
    conf->oversubscribe = NGX_CONF_UNSET;
    conf->login_timeout = NGX_CONF_UNSET_MSEC;
    conf->position_timeout = NGX_CONF_UNSET_MSEC;
    conf->send_timeout = NGX_CONF_UNSET_MSEC;
    conf->source_wait = NGX_CONF_UNSET_MSEC;
    conf->source_connect_timeout = NGX_CONF_UNSET_MSEC;
    conf->source_timeout = NGX_CONF_UNSET_MSEC;
    conf->source_linger = NGX_CONF_UNSET_MSEC;
    conf->stations = NGX_CONF_UNSET_UINT;
    conf->station_messages = NGX_CONF_UNSET;
    conf->slow_rover = NGX_CONF_UNSET_UINT;
    conf->max_age = NGX_CONF_UNSET_MSEC;
    conf->coalesce = NGX_CONF_UNSET_MSEC;

#if (NGX_STREAM_SSL)
    ngx_stream_ntrip_ssl_init(&conf->ssl);
#endif

    return conf;
}


char *
ngx_stream_ntrip_merge_srv_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_stream_ntrip_srv_conf_t *prev = parent;
    ngx_stream_ntrip_srv_conf_t *conf = child;

    char  *rv;

    ngx_conf_merge_value(conf->listing.valid, prev->listing.valid, 600);
    ngx_conf_merge_ptr_value(conf->lines, prev->lines, NULL);
    ngx_conf_merge_uint_value(conf->share_distance, prev->share_distance,
                              30000);
    ngx_conf_merge_uint_value(conf->gga_distance, prev->gga_distance, 0);
    ngx_conf_merge_uint_value(conf->gga_round, prev->gga_round, 0);
    ngx_conf_merge_uint_value(conf->gga_form, prev->gga_form,
                              NTRIP_GGA_AS_IS);
    ngx_conf_merge_msec_value(conf->gga_interval, prev->gga_interval, 1000);
    ngx_conf_merge_msec_value(conf->gga_repeat, prev->gga_repeat, 10000);
    ngx_conf_merge_value(conf->oversubscribe, prev->oversubscribe, 0);
    ngx_conf_merge_msec_value(conf->login_timeout, prev->login_timeout,
                              10000);
    ngx_conf_merge_msec_value(conf->position_timeout, prev->position_timeout,
                              60000);
    ngx_conf_merge_msec_value(conf->send_timeout, prev->send_timeout, 30000);
    ngx_conf_merge_msec_value(conf->source_wait, prev->source_wait, 60000);
    ngx_conf_merge_msec_value(conf->source_connect_timeout,
                              prev->source_connect_timeout, 5000);
    ngx_conf_merge_msec_value(conf->source_timeout, prev->source_timeout,
                              30000);
    ngx_conf_merge_msec_value(conf->source_linger, prev->source_linger, 5000);
    ngx_conf_merge_uint_value(conf->stations, prev->stations,
                              NGX_STREAM_NTRIP_STATIONS_LIVE);
    ngx_conf_merge_value(conf->station_messages, prev->station_messages, 1);
    ngx_conf_merge_uint_value(conf->slow_rover, prev->slow_rover,
                              NGX_STREAM_NTRIP_SLOW_SKIP);
    ngx_conf_merge_msec_value(conf->max_age, prev->max_age, 10000);
    ngx_conf_merge_msec_value(conf->coalesce, prev->coalesce, 5);

#if (NGX_STREAM_SSL)

    rv = ngx_stream_ntrip_ssl_merge(cf, &prev->ssl, &conf->ssl,
                                    conf->relay.line);

    if (rv != NGX_CONF_OK) {
        return rv;
    }

#endif

    rv = ngx_stream_ntrip_merge_mounts(cf, prev->mounts, &conf->mounts);

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (conf->caster.line) {
        return ngx_stream_ntrip_check_caster(cf, conf);
    }

    if (conf->relay.line) {
        return ngx_stream_ntrip_error_at(cf, &conf->relay,
                   "\"ntrip_relay\" has no effect without \"ntrip_caster\"");
    }

    if (conf->station.line) {
        return ngx_stream_ntrip_error_at(cf, &conf->station,
                   "\"ntrip_station\" has no effect without "
                   "\"ntrip_caster\"");
    }

    return ngx_stream_ntrip_check_console(cf, conf);
}


static char *
ngx_stream_ntrip_check_caster(ngx_conf_t *cf,
    ngx_stream_ntrip_srv_conf_t *conf)
{
    ngx_stream_core_srv_conf_t  *cscf;

    if (conf->console.line || conf->password.line) {
        return ngx_stream_ntrip_error_at(cf,
                   conf->console.line ? &conf->console : &conf->password,
                   "\"ntrip_console\" needs a server of its own, without "
                   "\"ntrip_caster\"");
    }

    cscf = ngx_stream_conf_get_module_srv_conf(cf, ngx_stream_core_module);

    if (cscf->handler != ngx_stream_ntrip_caster_handler) {
        return ngx_stream_ntrip_error_at(cf, &conf->caster,
                   "\"ntrip_caster\" and another content handler are in "
                   "the same server");
    }

    if (conf->relay.line == 0 && conf->station.line == 0) {
        return ngx_stream_ntrip_error_at(cf, &conf->caster,
                   "\"ntrip_caster\" needs an \"ntrip_relay\" or an "
                   "\"ntrip_station\"");
    }

    if (conf->login_timeout == 0
        || conf->position_timeout == 0
        || conf->send_timeout == 0
        || conf->source_connect_timeout == 0
        || conf->source_timeout == 0
        || conf->gga_interval == 0
        || conf->max_age == 0)
    {
        return ngx_stream_ntrip_error_at(cf, &conf->caster,
                   "of \"ntrip_caster\", only \"ntrip_gga_repeat\", "
                   "\"ntrip_source_wait\", \"ntrip_source_linger\" and "
                   "\"ntrip_coalesce\" may be zero");
    }

    if (ngx_stream_ntrip_check_mounts(cf, conf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (ngx_stream_ntrip_check_listing(cf, conf) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (conf->mounts == NULL
        && conf->station.line == 0
        && conf->listing.kind == NGX_STREAM_NTRIP_LISTING_OFF)
    {
        ngx_log_error(NGX_LOG_WARN, cf->log, 0,
                      "no \"ntrip_mount\": rovers of \"ntrip_caster\" in "
                      "%V:%ui get an empty sourcetable",
                      &conf->caster.file, conf->caster.line);
    }

    return NGX_CONF_OK;
}


static char *
ngx_stream_ntrip_check_listing(ngx_conf_t *cf,
    ngx_stream_ntrip_srv_conf_t *conf)
{
    if (conf->listing.valid == 0) {
        return ngx_stream_ntrip_error_at(cf, &conf->caster,
                   "\"ntrip_sourcetable_valid\" must not be zero");
    }

    if (conf->listing.kind == NGX_STREAM_NTRIP_LISTING_UPSTREAM
        && conf->relay.line == 0)
    {
        return ngx_stream_ntrip_error_at(cf, &conf->listing.place,
                   "\"ntrip_sourcetable upstream\" needs an \"ntrip_relay\"");
    }

    return NGX_CONF_OK;
}


static char *
ngx_stream_ntrip_check_console(ngx_conf_t *cf,
    ngx_stream_ntrip_srv_conf_t *conf)
{
    ngx_stream_core_srv_conf_t  *cscf;

    if (conf->console.line == 0) {

        if (conf->password.line) {
            return ngx_stream_ntrip_error_at(cf, &conf->password,
                       "\"ntrip_console_password\" has no effect without "
                       "\"ntrip_console\"");
        }

        return NGX_CONF_OK;
    }

    if (conf->password.line == 0) {
        return ngx_stream_ntrip_error_at(cf, &conf->console,
                   "\"ntrip_console\" needs an \"ntrip_console_password\"");
    }

    cscf = ngx_stream_conf_get_module_srv_conf(cf, ngx_stream_core_module);

    if (cscf->handler != ngx_stream_ntrip_console_handler) {
        return ngx_stream_ntrip_error_at(cf, &conf->console,
                   "\"ntrip_console\" and another content handler are in "
                   "the same server");
    }

    return NGX_CONF_OK;
}


char *
ngx_stream_ntrip_error_at(ngx_conf_t *cf, ngx_stream_ntrip_place_t *place,
    const char *text)
{
    ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "%s in %V:%ui",
                  text, &place->file, place->line);

    return NGX_CONF_ERROR;
}


/*
 * Workers write the database, its log and its locks, so the folder must be
 * theirs, as those of nginx's temporary files are.  A folder that holds
 * anything else than the database is left as it is: it may be /etc.
 */

void
ngx_stream_ntrip_make_folder(ngx_cycle_t *cycle, ngx_str_t *database)
{
    int               fd;
    u_char           *file, folder[NGX_MAX_PATH];
    ngx_uint_t        i, given;
    ngx_core_conf_t  *ccf;
    ngx_file_info_t   fi;

    static const char  *suffixes[] = { "", "-wal", "-shm", "-journal",
                                       ".lease", NULL };

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    if (database->len >= NGX_MAX_PATH) {
        return;
    }

    (void) ngx_cpystrn(folder, database->data, NGX_MAX_PATH);

    file = (u_char *) strrchr((char *) folder, '/');
    *file++ = '\0';

    if (folder[0] == '\0') {
        return;
    }

    if (ngx_create_dir(folder, 0700) == NGX_FILE_ERROR
        && ngx_errno != NGX_EEXIST)
    {
        ngx_log_error(NGX_LOG_ERR, cycle->log, ngx_errno,
                      ngx_create_dir_n " \"%s\" failed, which "
                      "\"ntrip_database\" needs", folder);
        return;
    }

    if (ccf->user == (ngx_uid_t) NGX_CONF_UNSET_UINT || geteuid() != 0) {
        return;
    }

    /* by descriptor: the name may mean something else by and by */

    fd = open((char *) folder, O_RDONLY|O_DIRECTORY|O_NOFOLLOW|O_CLOEXEC);

    if (fd == -1) {
        if (ngx_errno != NGX_ELOOP) {
            ngx_log_error(NGX_LOG_ERR, cycle->log, ngx_errno,
                          "open() \"%s\" failed", folder);
        }

        return;
    }

    if (fstat(fd, &fi) == -1) {
        (void) close(fd);
        return;
    }

    given = (fi.st_uid == ccf->user);

    if (!given && ngx_stream_ntrip_folder_is_ours(fd, file)) {

        if (fchown(fd, ccf->user, -1) == -1
            || fchmod(fd, fi.st_mode | S_IRUSR|S_IWUSR|S_IXUSR) == -1)
        {
            ngx_log_error(NGX_LOG_ERR, cycle->log, ngx_errno,
                          "the folder \"%s\" cannot be given to the user of "
                          "the workers", folder);
        }

        given = 1;
    }

    for (i = 0; suffixes[i]; i++) {
        ngx_stream_ntrip_give_file(cycle, fd, file, suffixes[i], given);
    }

    (void) close(fd);
}


/*
 * A file that was copied there as root goes with its folder.  Where that is
 * not for the workers alone, or by a name that leads to another file, it is
 * only said what to do.
 */

static void
ngx_stream_ntrip_give_file(ngx_cycle_t *cycle, int folder, u_char *file,
    const char *suffix, ngx_uint_t give)
{
    int               fd;
    u_char            name[NGX_MAX_PATH];
    ngx_core_conf_t  *ccf;
    ngx_file_info_t   fi;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    (void) ngx_snprintf(name, NGX_MAX_PATH, "%s%s%Z", file, suffix);

    fd = openat(folder, (char *) name,
                O_RDONLY|O_NOFOLLOW|O_NONBLOCK|O_CLOEXEC);

    if (fd == -1) {
        if (ngx_errno == NGX_ELOOP
            && fstatat(folder, (char *) name, &fi, 0) == 0
            && fi.st_uid != ccf->user)
        {
            ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                          "\"%s\" beside \"ntrip_database\" is a link: what "
                          "it leads to has to belong to the user of the "
                          "workers", name);
        }

        return;
    }

    if (fstat(fd, &fi) == -1
        || fi.st_uid == ccf->user
        || (fi.st_mode & S_IWOTH)
        || ((fi.st_mode & S_IWGRP) && fi.st_gid == ccf->group))
    {
        (void) close(fd);
        return;
    }

    /* another name of the same file may stand in any folder */

    if (!give || fi.st_uid != 0 || !S_ISREG(fi.st_mode) || fi.st_nlink != 1
        || fchown(fd, ccf->user, -1) == -1)
    {
        ngx_log_error(NGX_LOG_ERR, cycle->log, 0,
                      "workers cannot write \"%s\" of \"ntrip_database\": "
                      "give it to their user with chown", name);
    }

    (void) close(fd);
}


/* whether nothing but the database "file" is there, and what comes with it:
   file-wal, file.lease */

static ngx_uint_t
ngx_stream_ntrip_folder_is_ours(int fd, u_char *file)
{
    DIR            *dir;
    size_t          len;
    ngx_uint_t      ours;
    struct dirent  *entry;

    fd = dup(fd);

    if (fd == -1) {
        return 0;
    }

    dir = fdopendir(fd);

    if (dir == NULL) {
        (void) close(fd);
        return 0;
    }

    len = ngx_strlen(file);
    ours = 1;

    while (ours && (entry = readdir(dir)) != NULL) {
        ours = ngx_strcmp(entry->d_name, ".") == 0
               || ngx_strcmp(entry->d_name, "..") == 0
               || ngx_strncmp(entry->d_name, file, len) == 0;
    }

    (void) closedir(dir);

    return ours;
}
