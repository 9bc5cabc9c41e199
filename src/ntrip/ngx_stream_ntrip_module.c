
/*
 * Fieldgate: NTRIP caster and relay.
 *
 * The table of contents: directives and hooks.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>

#include "ngx_stream_ntrip_admin.h"
#include "ngx_stream_ntrip_cluster.h"
#include "ngx_stream_ntrip_handover.h"
#include "ngx_stream_ntrip_rover.h"
#include "ngx_stream_ntrip_source.h"


static ngx_int_t ngx_stream_ntrip_preconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_stream_ntrip_init_module(ngx_cycle_t *cycle);
static ngx_int_t ngx_stream_ntrip_init_process(ngx_cycle_t *cycle);
static void ngx_stream_ntrip_exit_process(ngx_cycle_t *cycle);
static ngx_stream_ntrip_main_conf_t *ngx_stream_ntrip_active(
    ngx_cycle_t *cycle);
static void ngx_stream_ntrip_ticked(void);
static ngx_uint_t ngx_stream_ntrip_busy(void);


static ngx_conf_enum_t  ngx_stream_ntrip_storage[] = {
    { ngx_string("hash"), NGX_STREAM_NTRIP_STORAGE_HASH },
    { ngx_string("plain"), NGX_STREAM_NTRIP_STORAGE_PLAIN },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_stream_ntrip_listed[] = {
    { ngx_string("live"), NGX_STREAM_NTRIP_STATIONS_LIVE },
    { ngx_string("all"), NGX_STREAM_NTRIP_STATIONS_ALL },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_stream_ntrip_slow_rover[] = {
    { ngx_string("skip"), NGX_STREAM_NTRIP_SLOW_SKIP },
    { ngx_string("close"), NGX_STREAM_NTRIP_SLOW_CLOSE },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_stream_ntrip_gga_forms[] = {
    { ngx_string("as-is"), NTRIP_GGA_AS_IS },
    { ngx_string("gpgga"), NTRIP_GGA_GPGGA },
    { ngx_null_string, 0 }
};


#if (NGX_STREAM_SSL)

static ngx_conf_bitmask_t  ngx_stream_ntrip_ssl_protocols[] = {
    { ngx_string("SSLv2"), NGX_SSL_SSLv2 },
    { ngx_string("SSLv3"), NGX_SSL_SSLv3 },
    { ngx_string("TLSv1"), NGX_SSL_TLSv1 },
    { ngx_string("TLSv1.1"), NGX_SSL_TLSv1_1 },
    { ngx_string("TLSv1.2"), NGX_SSL_TLSv1_2 },
    { ngx_string("TLSv1.3"), NGX_SSL_TLSv1_3 },
    { ngx_null_string, 0 }
};

#endif


static ngx_command_t  ngx_stream_ntrip_commands[] = {

    { ngx_string("ntrip_zone"),
      NGX_STREAM_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_stream_ntrip_zone,
      NGX_STREAM_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ntrip_ring_size"),
      NGX_STREAM_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_stream_ntrip_ring_size,
      NGX_STREAM_MAIN_CONF_OFFSET,
      offsetof(ngx_stream_ntrip_main_conf_t, ring_size),
      NULL },

    { ngx_string("ntrip_database"),
      NGX_STREAM_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_stream_ntrip_database,
      NGX_STREAM_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ntrip_cluster"),
      NGX_STREAM_MAIN_CONF|NGX_CONF_1MORE,
      ngx_stream_ntrip_cluster_directive,
      NGX_STREAM_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ntrip_password_storage"),
      NGX_STREAM_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_STREAM_MAIN_CONF_OFFSET,
      offsetof(ngx_stream_ntrip_main_conf_t, storage),
      &ngx_stream_ntrip_storage },

    { ngx_string("ntrip_report"),
      NGX_STREAM_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_stream_ntrip_report,
      NGX_STREAM_MAIN_CONF_OFFSET,
      offsetof(ngx_stream_ntrip_main_conf_t, report),
      NULL },

    { ngx_string("ntrip_account_cooling"),
      NGX_STREAM_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_STREAM_MAIN_CONF_OFFSET,
      offsetof(ngx_stream_ntrip_main_conf_t, account_cooling),
      NULL },

    { ngx_string("ntrip_host_logins"),
      NGX_STREAM_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_stream_ntrip_host_logins,
      NGX_STREAM_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ntrip_caster"),
      NGX_STREAM_SRV_CONF|NGX_CONF_NOARGS,
      ngx_stream_ntrip_caster,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ntrip_relay"),
      NGX_STREAM_SRV_CONF|NGX_CONF_NOARGS|NGX_CONF_TAKE12,
      ngx_stream_ntrip_relay,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ntrip_station"),
      NGX_STREAM_SRV_CONF|NGX_CONF_NOARGS,
      ngx_stream_ntrip_station,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ntrip_sourcetable"),
      NGX_STREAM_SRV_CONF|NGX_CONF_TAKE12,
      ngx_stream_ntrip_sourcetable,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ntrip_sourcetable_valid"),
      NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_sec_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_ntrip_srv_conf_t, listing)
      + offsetof(ngx_stream_ntrip_listing_t, valid),
      NULL },

    { ngx_string("ntrip_sourcetable_line"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_1MORE,
      ngx_stream_ntrip_sourcetable_line,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ntrip_sourcetable_stations"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_ntrip_srv_conf_t, stations),
      &ngx_stream_ntrip_listed },

    { ngx_string("ntrip_mount"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_1MORE,
      ngx_stream_ntrip_mount,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ntrip_near"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_1MORE,
      ngx_stream_ntrip_near,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ntrip_share_distance"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_stream_ntrip_share_distance,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ntrip_gga_distance"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_stream_ntrip_length,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_ntrip_srv_conf_t, gga_distance),
      NULL },

    { ngx_string("ntrip_gga_round"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_stream_ntrip_length,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_ntrip_srv_conf_t, gga_round),
      NULL },

    { ngx_string("ntrip_gga_form"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_ntrip_srv_conf_t, gga_form),
      &ngx_stream_ntrip_gga_forms },

    { ngx_string("ntrip_gga_interval"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_ntrip_srv_conf_t, gga_interval),
      NULL },

    { ngx_string("ntrip_oversubscribe"),
      NGX_STREAM_SRV_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_ntrip_srv_conf_t, oversubscribe),
      NULL },

    { ngx_string("ntrip_gga_repeat"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_ntrip_srv_conf_t, gga_repeat),
      NULL },

    { ngx_string("ntrip_login_timeout"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_ntrip_srv_conf_t, login_timeout),
      NULL },

    { ngx_string("ntrip_position_timeout"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_ntrip_srv_conf_t, position_timeout),
      NULL },

    { ngx_string("ntrip_send_timeout"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_ntrip_srv_conf_t, send_timeout),
      NULL },

    { ngx_string("ntrip_source_wait"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_ntrip_srv_conf_t, source_wait),
      NULL },

    { ngx_string("ntrip_source_connect_timeout"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_ntrip_srv_conf_t, source_connect_timeout),
      NULL },

    { ngx_string("ntrip_source_timeout"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_ntrip_srv_conf_t, source_timeout),
      NULL },

    { ngx_string("ntrip_source_linger"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_ntrip_srv_conf_t, source_linger),
      NULL },

#if (NGX_STREAM_SSL)

    { ngx_string("ntrip_source_ssl_verify"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_ntrip_srv_conf_t, ssl.verify),
      NULL },

    { ngx_string("ntrip_source_ssl_trusted_certificate"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_stream_ntrip_ssl_value,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_ntrip_srv_conf_t, ssl.trusted),
      NULL },

    { ngx_string("ntrip_source_ssl_name"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_stream_ntrip_ssl_name,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ntrip_source_ssl_server_name"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_ntrip_srv_conf_t, ssl.server_name),
      NULL },

    { ngx_string("ntrip_source_ssl_protocols"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_1MORE,
      ngx_conf_set_bitmask_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_ntrip_srv_conf_t, ssl.protocols),
      &ngx_stream_ntrip_ssl_protocols },

    { ngx_string("ntrip_source_ssl_ciphers"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_stream_ntrip_ssl_value,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_ntrip_srv_conf_t, ssl.ciphers),
      NULL },

    { ngx_string("ntrip_source_ssl_session_reuse"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_ntrip_srv_conf_t, ssl.session_reuse),
      NULL },

#endif

    { ngx_string("ntrip_station_messages"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_ntrip_srv_conf_t, station_messages),
      NULL },

    { ngx_string("ntrip_slow_rover"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_enum_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_ntrip_srv_conf_t, slow_rover),
      &ngx_stream_ntrip_slow_rover },

    { ngx_string("ntrip_max_age"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_ntrip_srv_conf_t, max_age),
      NULL },

    { ngx_string("ntrip_coalesce"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_conf_set_msec_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_stream_ntrip_srv_conf_t, coalesce),
      NULL },

    { ngx_string("ntrip_console"),
      NGX_STREAM_SRV_CONF|NGX_CONF_NOARGS,
      ngx_stream_ntrip_console,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("ntrip_console_password"),
      NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_stream_ntrip_console_password,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_stream_module_t  ngx_stream_ntrip_module_ctx = {
    ngx_stream_ntrip_preconfiguration,     /* preconfiguration */
    NULL,                                  /* postconfiguration */

    ngx_stream_ntrip_create_main_conf,     /* create main configuration */
    ngx_stream_ntrip_init_main_conf,       /* init main configuration */

    ngx_stream_ntrip_create_srv_conf,      /* create server configuration */
    ngx_stream_ntrip_merge_srv_conf        /* merge server configuration */
};


ngx_module_t  ngx_stream_ntrip_module = {
    NGX_MODULE_V1,
    &ngx_stream_ntrip_module_ctx,          /* module context */
    ngx_stream_ntrip_commands,             /* module directives */
    NGX_STREAM_MODULE,                     /* module type */
    NULL,                                  /* init master */
    ngx_stream_ntrip_init_module,          /* init module */
    ngx_stream_ntrip_init_process,         /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    ngx_stream_ntrip_exit_process,         /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


/* who hears of what: a room does not know those above it */

static ngx_stream_ntrip_hooks_t  ngx_stream_ntrip_worker_hooks = {
    ngx_stream_ntrip_stream_woken,         /* stream */
    ngx_stream_ntrip_ticked,               /* tick */
    ngx_stream_ntrip_rover_kicked,         /* kicked */
    ngx_stream_ntrip_busy,                 /* busy */
    ngx_stream_ntrip_handover_start,       /* exiting */
    ngx_stream_ntrip_handover_woken,       /* answered */
    ngx_stream_ntrip_handover_received     /* received */
};


static ngx_stream_ntrip_store_hooks_t  ngx_stream_ntrip_stored_hooks = {
    ngx_stream_ntrip_rover_user_changed,   /* user */
    ngx_stream_ntrip_source_changed,       /* account */
    ngx_stream_ntrip_source_retry,         /* accounts */
    ngx_stream_ntrip_bases_changed,        /* stations */
    NULL                                   /* change */
};


static ngx_stream_ntrip_stream_hooks_t  ngx_stream_ntrip_relay_hooks = {
    ngx_stream_ntrip_rover_failed,         /* failed */
    ngx_stream_ntrip_rover_abort,          /* close */
    ngx_stream_ntrip_rover_station,        /* station */
    ngx_stream_ntrip_base_asked            /* asked */
};


static ngx_int_t
ngx_stream_ntrip_preconfiguration(ngx_conf_t *cf)
{
    return ngx_stream_ntrip_add_variables(cf);
}


/* in the master; never fails, which would end it on reload */

static ngx_int_t
ngx_stream_ntrip_init_module(ngx_cycle_t *cycle)
{
    ngx_stream_ntrip_main_conf_t  *nmcf;

    nmcf = ngx_stream_cycle_get_module_main_conf(cycle,
                                                 ngx_stream_ntrip_module);

    if (ngx_test_config || nmcf == NULL) {
        return NGX_OK;
    }

    if (nmcf->database.len) {
        ngx_stream_ntrip_make_folder(cycle, &nmcf->database);
        ngx_stream_ntrip_store_init_module(nmcf);
    }

    if (nmcf->bus) {
        ngx_stream_ntrip_worker_init_module(cycle, nmcf);
    }

    return NGX_OK;
}


/* what nginx cannot do now it may be able to do later: a worker that fails
   here would not be started again */

static ngx_int_t
ngx_stream_ntrip_init_process(ngx_cycle_t *cycle)
{
    ngx_stream_ntrip_main_conf_t  *nmcf;

    nmcf = ngx_stream_ntrip_active(cycle);

    if (nmcf == NULL) {
        return NGX_OK;
    }

    ngx_stream_ntrip_stream_init(&ngx_stream_ntrip_relay_hooks);
    ngx_stream_ntrip_rovers_init(cycle);

#if (NGX_STREAM_NTRIP_CLUSTER)

    ngx_stream_ntrip_stored_hooks.change =
                        nmcf->cluster ? ngx_stream_ntrip_cluster_change : NULL;

    if (nmcf->cluster
        && ngx_stream_ntrip_cluster_init(cycle, nmcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

#endif

    if (ngx_stream_ntrip_verify_init(cycle, nmcf->hash_pool) != NGX_OK
        || ngx_stream_ntrip_worker_init_process(cycle, nmcf,
                                             &ngx_stream_ntrip_worker_hooks)
           != NGX_OK
        || ngx_stream_ntrip_store_init(cycle, nmcf,
                                       &ngx_stream_ntrip_stored_hooks)
           != NGX_OK
        || ngx_stream_ntrip_fetch_init(cycle, &nmcf->database) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (nmcf->report) {
        ngx_stream_ntrip_report_start(cycle, nmcf);
    }

    return NGX_OK;
}


static void
ngx_stream_ntrip_exit_process(ngx_cycle_t *cycle)
{
    if (ngx_stream_ntrip_active(cycle) == NULL) {
        return;
    }

    ngx_stream_ntrip_rovers_exit();

#if (NGX_STREAM_NTRIP_CLUSTER)
    ngx_stream_ntrip_cluster_exit();
#endif

    ngx_stream_ntrip_worker_exit_process(cycle);

    if (ngx_stream_ntrip_worker_last(cycle)) {
        ngx_stream_ntrip_usage_exit();
        ngx_stream_ntrip_worker_exit_process(cycle);
    }

    ngx_stream_ntrip_store_exit(cycle);
}


/* the main conf in a worker that has something to do, else NULL: hooks are
   called without a stream{} as well, and in processes that are no workers */

static ngx_stream_ntrip_main_conf_t *
ngx_stream_ntrip_active(ngx_cycle_t *cycle)
{
    ngx_stream_ntrip_main_conf_t  *nmcf;

    if (ngx_process != NGX_PROCESS_WORKER && ngx_process != NGX_PROCESS_SINGLE)
    {
        return NULL;
    }

    nmcf = ngx_stream_cycle_get_module_main_conf(cycle,
                                                 ngx_stream_ntrip_module);

    if (nmcf == NULL || nmcf->zone == NULL || nmcf->database.len == 0) {
        return NULL;
    }

    return nmcf;
}


static void
ngx_stream_ntrip_ticked(void)
{
    ngx_stream_ntrip_stream_tick();
    ngx_stream_ntrip_rover_tick();
    ngx_stream_ntrip_base_tick();
    ngx_stream_ntrip_fetch_tick();
    ngx_stream_ntrip_usage_tick();

#if (NGX_STREAM_NTRIP_CLUSTER)
    ngx_stream_ntrip_cluster_tick();
#endif
}


static ngx_uint_t
ngx_stream_ntrip_busy(void)
{
    return ngx_stream_ntrip_nrovers || ngx_stream_ntrip_stream_busy();
}
