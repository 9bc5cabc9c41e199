
/*
 * What an operator sees: the console and the periodic report.
 */


#ifndef _NGX_STREAM_NTRIP_ADMIN_H_INCLUDED_
#define _NGX_STREAM_NTRIP_ADMIN_H_INCLUDED_


#include "ngx_stream_ntrip_rover.h"


/* content handler of ntrip_console */
void ngx_stream_ntrip_console_handler(ngx_stream_session_t *s);

/* once a worker; the lowest living slot of the newest generation prints */
void ngx_stream_ntrip_report_start(ngx_cycle_t *cycle,
    ngx_stream_ntrip_main_conf_t *nmcf);


#endif /* _NGX_STREAM_NTRIP_ADMIN_H_INCLUDED_ */
