
/*
 * Configuration of the NTRIP module, which all of its rooms read; src/rooms
 * lists them.
 */


#ifndef _NGX_STREAM_NTRIP_H_INCLUDED_
#define _NGX_STREAM_NTRIP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_stream.h>
#include <ngx_thread_pool.h>

#include "ntrip_protocol.h"


typedef struct ngx_stream_ntrip_store_s   ngx_stream_ntrip_store_t;
typedef struct ngx_stream_ntrip_stream_s  ngx_stream_ntrip_stream_t;
typedef struct ngx_stream_ntrip_source_s  ngx_stream_ntrip_source_t;
typedef struct ngx_stream_ntrip_rover_s   ngx_stream_ntrip_rover_t;

typedef struct ngx_stream_ntrip_near_list_s  ngx_stream_ntrip_near_list_t;
typedef struct ngx_stream_ntrip_ssl_s     ngx_stream_ntrip_ssl_t;


#define NGX_STREAM_NTRIP_STORAGE_HASH   0
#define NGX_STREAM_NTRIP_STORAGE_PLAIN  1


#define NGX_STREAM_NTRIP_SLOW_SKIP      0
#define NGX_STREAM_NTRIP_SLOW_CLOSE     1


#define NGX_STREAM_NTRIP_RING_MIN       8192   /* takes any RTCM message */


/*
 * Where a directive stands.  Some mistakes show only when the configuration
 * is merged, when nginx's own "in file:line" names the end of the block.
 */

typedef struct {
    ngx_str_t                  file;
    ngx_uint_t                 line;       /* 0: the directive is not set */
} ngx_stream_ntrip_place_t;


/* ntrip_near, in stream{} or server{}: what a rule of ntrip_near.h has */

typedef struct {
    ngx_uint_t                 max;                /* m */
    ngx_uint_t                 hysteresis;         /* m */
    ngx_msec_t                 dwell;
    ngx_uint_t                 hold_fixed;
    ngx_str_t                  pattern;            /* empty: all stations */
    ngx_stream_ntrip_near_list_t  *list;           /* of a worker's own */
} ngx_stream_ntrip_near_t;


/* ntrip_mount, ntrip_near, in stream{} or server{} */

typedef struct {
    ngx_str_t                  name;       /* declared spelling */
    ngx_str_t                  as;         /* what the provider is asked for:
                                              the stream's name */
    ngx_str_t                  pool;       /* "": that of ntrip_relay */
    ngx_str_t                  str;        /* the STR line without CR LF,
                                              made up if not given */
    ngx_uint_t                 format;
    ngx_flag_t                 gga;
    ntrip_profile_t           *profile;    /* NULL: all, as it came */
    ngx_stream_ntrip_near_t   *near;       /* the nearest base station; NULL:
                                              it is none such */
    ngx_stream_ntrip_place_t   place;
} ngx_stream_ntrip_mount_t;


#if (NGX_STREAM_SSL)

/* that are kept to be used again, in each worker, by a hash of the host */
#define NGX_STREAM_NTRIP_SSL_SESSIONS   64

typedef struct {
    uint64_t                   key;        /* 0: none */
    ngx_ssl_session_t         *session;
} ngx_stream_ntrip_ssl_session_t;


/* ntrip_source_ssl_* */

struct ngx_stream_ntrip_ssl_s {
    ngx_flag_t                 verify;
    ngx_str_t                  trusted;    /* "": the system's */
    ngx_str_t                  name;       /* "": the account's host */
    ngx_flag_t                 server_name;
    ngx_uint_t                 protocols;
    ngx_str_t                  ciphers;
    ngx_flag_t                 session_reuse;

    ngx_ssl_t                 *ssl;        /* NULL: no "ntrip_relay" */
    ngx_stream_ntrip_ssl_session_t  *sessions;

    ngx_stream_ntrip_place_t   trusted_place;
    ngx_stream_ntrip_place_t   ciphers_place;
};

#endif


/* ntrip_cluster */

typedef struct {
    ngx_str_t                  conninfo;           /* with a zero */
    ngx_str_t                  node;
    ngx_thread_pool_t         *thread_pool;
    ngx_stream_ntrip_place_t   place;
} ngx_stream_ntrip_cluster_t;


typedef struct {
    size_t                     zone_size;          /* ntrip_zone */
    size_t                     ring_size;          /* ntrip_ring_size, 32k */
    ngx_str_t                  database;           /* full path */
    ngx_uint_t                 storage;            /* ..._STORAGE_* */
    ngx_msec_t                 report;             /* 0: off */
    ngx_msec_t                 account_cooling;    /* 0 */
    ngx_uint_t                 host_pace;          /* us between logins at a
                                                      host: 100000 */

    ngx_stream_ntrip_cluster_t  *cluster;          /* NULL: none */

    ngx_shm_zone_t            *bus;                /* NULL: no ntrip_zone */
    ngx_shm_zone_t            *zone;

    /* a slow name server delays no login, a storm of logins no write; NULL:
       no database */
    ngx_thread_pool_t         *hash_pool;          /* passwords */
    ngx_thread_pool_t         *sqlite_pool;        /* writes */
    ngx_thread_pool_t         *lookup_pool;        /* names of hosts */

    ngx_stream_ntrip_place_t   zone_place;
    ngx_stream_ntrip_place_t   ring_place;
    ngx_stream_ntrip_place_t   caster;             /* the first of them */
    ngx_stream_ntrip_place_t   console;
} ngx_stream_ntrip_main_conf_t;


/* ntrip_sourcetable_stations */
#define NGX_STREAM_NTRIP_STATIONS_LIVE  0
#define NGX_STREAM_NTRIP_STATIONS_ALL   1


/* ntrip_sourcetable */

#define NGX_STREAM_NTRIP_LISTING_OFF       0
#define NGX_STREAM_NTRIP_LISTING_FILE      1
#define NGX_STREAM_NTRIP_LISTING_UPSTREAM  2


/* a table in memory, for those who send it, too */

typedef struct {
    ngx_uint_t                 refs;
    ntrip_directory_t          directory;
} ngx_stream_ntrip_text_t;


typedef struct {
    ngx_uint_t                 kind;
    ngx_str_t                  path;               /* full, with a zero */
    time_t                     valid;              /* seconds; 10m */
    ngx_stream_ntrip_place_t   place;

    /* of each worker */
    time_t                     looked;
    time_t                     mtime;
    ngx_file_uniq_t            uniq;
    off_t                      size;
    ngx_stream_ntrip_text_t   *text;               /* NULL: none */
    time_t                     due;                /* to look at its age */
    uint64_t                   account;            /* last one tried */
} ngx_stream_ntrip_listing_t;


typedef struct {
    ngx_stream_ntrip_place_t   caster;             /* ntrip_caster */
    ngx_stream_ntrip_place_t   relay;              /* ntrip_relay */
    ngx_stream_ntrip_place_t   station;            /* ntrip_station */
    ngx_str_t                  pool;               /* "default"; with commas
                                                      between, in order */
    in_port_t                  port;               /* 0: that listened on */

    ngx_array_t               *mounts;             /* ngx_stream_ntrip_mount_t:
                                                      own, then stream's;
                                                      NULL: none */
    ngx_stream_ntrip_listing_t listing;            /* ntrip_sourcetable */
    ngx_uint_t                 stations;           /* listed: ..._STATIONS_* */
    ngx_array_t               *lines;              /* ngx_str_t: of CAS and
                                                      NET; NULL: none */
    ngx_uint_t                 share_distance;     /* metres; 30000; off: 0,
                                                      NTRIP_SHARE_NONE */
    ngx_uint_t                 gga_distance;       /* metres; 0: any */
    ngx_uint_t                 gga_round;          /* metres; 0: not */
    ngx_uint_t                 gga_form;           /* NTRIP_GGA_AS_IS, ... */
    ngx_msec_t                 gga_interval;       /* 1s */
    ngx_msec_t                 gga_repeat;         /* 10s */
    ngx_flag_t                 oversubscribe;      /* 0 */
    ngx_msec_t                 login_timeout;      /* 10s */
    ngx_msec_t                 position_timeout;   /* 60s */
    ngx_msec_t                 send_timeout;       /* 30s */
    ngx_msec_t                 source_wait;        /* 60s */
    ngx_msec_t                 source_connect_timeout;   /* 5s */
    ngx_msec_t                 source_timeout;     /* 30s */
    ngx_msec_t                 source_linger;      /* 5s */
    ngx_flag_t                 station_messages;   /* 1 */
    ngx_uint_t                 slow_rover;         /* ..._SLOW_* */
    ngx_msec_t                 max_age;            /* 10s */
    ngx_msec_t                 coalesce;           /* 5ms */

#if (NGX_STREAM_SSL)
    ngx_stream_ntrip_ssl_t     ssl;                /* ntrip_source_ssl_* */
#endif

    ngx_stream_ntrip_place_t   console;            /* ntrip_console */
    ngx_stream_ntrip_place_t   password;
    ngx_str_t                  console_password;   /* value or hash, after
                                                      env: and file: */
} ngx_stream_ntrip_srv_conf_t;


/*
 * How long the conf of a stream or a source lives: both may outlive the
 * rover that made them, in the worker that owns them, but never the worker,
 * whose cycle holds the conf.  A source that was handed over takes the conf
 * of the first server in the new cycle that has its mount and pool.
 */


/* ngx_stream_ntrip_conf.c */
void *ngx_stream_ntrip_create_main_conf(ngx_conf_t *cf);
char *ngx_stream_ntrip_init_main_conf(ngx_conf_t *cf, void *conf);
void *ngx_stream_ntrip_create_srv_conf(ngx_conf_t *cf);
char *ngx_stream_ntrip_merge_srv_conf(ngx_conf_t *cf, void *parent,
    void *child);

/* logs as ngx_conf_log_error() does, with the place of the directive */
char *ngx_stream_ntrip_error_at(ngx_conf_t *cf,
    ngx_stream_ntrip_place_t *place, const char *text);

/* the folder of ntrip_database, made by the master if it is missing, and
   given to the user of the workers; only logs what it cannot do */
void ngx_stream_ntrip_make_folder(ngx_cycle_t *cycle, ngx_str_t *database);

/* where the directive that is read stands */
void ngx_stream_ntrip_note_place(ngx_conf_t *cf,
    ngx_stream_ntrip_place_t *place);

/* one name, or with "list" several with commas between; NGX_ERROR: logged */
ngx_int_t ngx_stream_ntrip_check_pool(ngx_conf_t *cf, ngx_str_t *pool,
    ngx_uint_t list);

/* ngx_stream_ntrip_mount.c */
char *ngx_stream_ntrip_mount(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_stream_ntrip_near(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_stream_ntrip_merge_mounts(ngx_conf_t *cf, ngx_array_t *prev,
    ngx_array_t **conf);
char *ngx_stream_ntrip_check_mounts(ngx_conf_t *cf,
    ngx_stream_ntrip_srv_conf_t *conf);

/* whose accounts its source uses */
#define ngx_stream_ntrip_mount_pool(conf, mount)                             \
    ((mount)->pool.len ? &(mount)->pool : &(conf)->pool)

#if (NGX_STREAM_SSL)

/* ngx_stream_ntrip_ssl.c; "used": accounts with TLS may be logged in with */
char *ngx_stream_ntrip_ssl_name(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_stream_ntrip_ssl_value(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
void ngx_stream_ntrip_ssl_init(ngx_stream_ntrip_ssl_t *conf);
char *ngx_stream_ntrip_ssl_merge(ngx_conf_t *cf, ngx_stream_ntrip_ssl_t *prev,
    ngx_stream_ntrip_ssl_t *conf, ngx_uint_t used);

#endif

/* ngx_stream_ntrip_directives.c */
char *ngx_stream_ntrip_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_stream_ntrip_ring_size(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_stream_ntrip_database(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_stream_ntrip_report(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_stream_ntrip_host_logins(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_stream_ntrip_caster(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_stream_ntrip_relay(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_stream_ntrip_station(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_stream_ntrip_share_distance(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
/* "30km", "500m", "500"; NGX_ERROR: none, or more than half the way around the
   earth */
ngx_int_t ngx_stream_ntrip_metres(ngx_str_t *value);
char *ngx_stream_ntrip_length(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_stream_ntrip_sourcetable(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_stream_ntrip_sourcetable_line(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_stream_ntrip_console(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_stream_ntrip_console_password(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* ngx_stream_ntrip_cluster_conf.c; check: behind all of stream{} */
char *ngx_stream_ntrip_cluster_directive(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_stream_ntrip_cluster_check(ngx_conf_t *cf,
    ngx_stream_ntrip_main_conf_t *nmcf);

/* ngx_stream_ntrip_variables.c */
ngx_int_t ngx_stream_ntrip_add_variables(ngx_conf_t *cf);


extern ngx_module_t  ngx_stream_ntrip_module;


#endif /* _NGX_STREAM_NTRIP_H_INCLUDED_ */
