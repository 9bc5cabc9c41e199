
/*
 * Fieldgate: the URL that is announced in place of a CPE's.
 *
 * Whatever the CPE has there is announced through us, also what is no URL, as
 * "(null)": else the ACS would keep what it knew before, or call the CPE
 * itself; our wake-up location then refuses the call and says why.
 */


#ifndef _CWMP_URL_H_INCLUDED_
#define _CWMP_URL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* TR-098, ManagementServer.ConnectionRequestURL */
#define CWMP_URL_MAX  256


/* removes controls and spaces around a URL, as URL parsers do */

void cwmp_url_trim(ngx_str_t *url);

/*
 * Upper bound of what the next two write, without terminating zero.
 */

size_t cwmp_url_size(ngx_str_t *public, ngx_str_t *target, ngx_str_t *origin,
    ngx_str_t *sig);

/*
 * cwmp_url_mode query: PUBLIC?origin=ORIGIN&sig=SIG, with "&" where public has
 * arguments.  In the origin controls, space, non-ASCII and % & + # ; " < >
 * are percent-encoded.  An empty sig is left out.  Returns the end.
 */

u_char *cwmp_url_query(u_char *p, ngx_str_t *public, ngx_str_t *origin,
    ngx_str_t *sig);

/*
 * Query mode, behind a URL without signature: &udp=HOST:PORT&sig=SIG.  Writes
 * at most 10 bytes and the two.  Returns the end.
 */

u_char *cwmp_url_udp(u_char *p, ngx_str_t *udp, ngx_str_t *sig);

/*
 * cwmp_url_mode path: PUBLIC TARGET ?origin=HOST:PORT&sig=SIG, with "&" where
 * the target has arguments.  public ends with its port or with a slash, which
 * is dropped; the target, path and arguments of the CPE's URL, begins with a
 * slash, else one is put before it, and goes in as it is, since a Digest
 * response covers it; only what no URL can hold is encoded.  Returns the end.
 */

u_char *cwmp_url_path(u_char *p, ngx_str_t *public, ngx_str_t *target,
    ngx_str_t *hostport, ngx_str_t *sig);

/*
 * cwmp_url_mode host: the name of public begins with a star and a dot, and the
 * label takes the place of the star; the target is as in path mode.  Returns
 * the end.
 */

u_char *cwmp_url_host(u_char *p, ngx_str_t *public, ngx_str_t *target,
    ngx_str_t *label);

/*
 * Such a URL as text of an element, in which '&' and, where public has them,
 * '<', '>' and '"' are escaped.  Returns the length; p: NULL, it is only
 * counted.
 */

size_t cwmp_url_escape(u_char *p, ngx_str_t *url);

/* where that star is, or NULL */

u_char *cwmp_url_star(ngx_str_t *public);


#endif /* _CWMP_URL_H_INCLUDED_ */
