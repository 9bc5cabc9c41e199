
/*
 * Fieldgate: what the module's own files offer each other: setters of the
 * directives, the life of the configuration, variables.
 */


#ifndef _NGX_HTTP_CWMP_MODULE_H_INCLUDED_
#define _NGX_HTTP_CWMP_MODULE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_conf.h"


/* ngx_http_cwmp_directives.c */

char *ngx_http_cwmp_flag(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_cwmp_public_url(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_cwmp_url_mode(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_cwmp_secret(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_cwmp_secret_file(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_cwmp_origins(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_cwmp_parameter(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_cwmp_require(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_cwmp_url_map(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_cwmp_credentials(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_http_cwmp_acs_auth(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_cwmp_udp(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_cwmp_bind(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_cwmp_wakeup(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_cwmp_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* Notes where the directive that is being read stands. */
void ngx_http_cwmp_note_place(ngx_conf_t *cf, ngx_http_cwmp_place_t *place);

/* ngx_http_cwmp_upstream.c */

char *ngx_http_cwmp_affinity(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);
char *ngx_http_cwmp_admission(ngx_conf_t *cf, ngx_command_t *cmd, void *conf);

/* ngx_http_cwmp_conf.c */

void *ngx_http_cwmp_create_main_conf(ngx_conf_t *cf);
void *ngx_http_cwmp_create_srv_conf(ngx_conf_t *cf);
void *ngx_http_cwmp_create_loc_conf(ngx_conf_t *cf);
char *ngx_http_cwmp_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child);

/*
 * What can be judged only when all is read: affinity and wake-ups without a
 * zone get tables private to each worker, with a warning.
 */
ngx_int_t ngx_http_cwmp_check_main_conf(ngx_conf_t *cf,
    ngx_http_cwmp_main_conf_t *cmcf);

/*
 * Reads cwmp_public_url for the mode: an http URL like that of a CPE, since the
 * ACS connects to it as to a CPE.  Logs what is wrong; the strings of *url live
 * in the temporary pool.
 */
ngx_int_t ngx_http_cwmp_parse_public_url(ngx_conf_t *cf, ngx_uint_t mode,
    ngx_str_t *text, cwmp_origin_t *url);


/* ngx_http_cwmp_variables.c: called in preconfiguration */

ngx_int_t ngx_http_cwmp_add_variables(ngx_conf_t *cf);


#endif /* _NGX_HTTP_CWMP_MODULE_H_INCLUDED_ */
