
/*
 * Fieldgate: the host and port of an origin.
 */


#ifndef _CWMP_HOST_H_INCLUDED_
#define _CWMP_HOST_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_origin.h"


/*
 * Reads host[:port], from p up to last, into *o, whose strings but those of
 * the path are set then.  Their text is written at *buf, which is moved behind
 * it and has room for what cwmp_origin_size() says; *o is zeroed by the caller.
 * Returns NGX_OK or a cwmp_origin_error_e.
 */
ngx_int_t cwmp_host_parse(cwmp_origin_t *o, u_char *p, u_char *last,
    u_char **buf);


#endif /* _CWMP_HOST_H_INCLUDED_ */
