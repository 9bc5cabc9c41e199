
/*
 * Fieldgate: cookies, as CPEs and ACSs really send them.
 *
 * CPEs return cookies in shapes that RFC 6265 does not know: the whole
 * Set-Cookie value with its attributes, $Path of RFC 2109, commas in place of
 * semicolons, quoted values.  Nothing is decoded or changed here: pairs of
 * bytes are found, for comparison with other such pairs.
 */


#ifndef _CWMP_COOKIE_H_INCLUDED_
#define _CWMP_COOKIE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Takes the next pair off the front of *rest, the value of a Cookie or
 * Cookie2 header.  NGX_OK: *name and *value point into it, the value without
 * quotes; NGX_DONE: there is no further one.  Names that begin with "$" and
 * words without "=" are passed by.
 */
ngx_int_t cwmp_cookie_next(ngx_str_t *rest, ngx_str_t *name,
    ngx_str_t *value);

/*
 * The cookie that the value of a Set-Cookie header sets.  NGX_OK: *name and
 * *value are set; an empty value means that the cookie is taken back, and so
 * does "Max-Age=0".  NGX_DECLINED: there is none.
 */
ngx_int_t cwmp_cookie_set(ngx_str_t *header, ngx_str_t *name,
    ngx_str_t *value);

/*
 * Takes the cookies of that name out of *header, the value of a Cookie header,
 * each with one separator and with what RFC 2109 puts behind it ("$Path");
 * dst has header->len bytes and gets the rest, its length in *len: 0, if that
 * has no cookie.  *value is that of the first one.  NGX_DECLINED: there is
 * none, all stays as it is.
 */
ngx_int_t cwmp_cookie_take(ngx_str_t *header, ngx_str_t *name,
    ngx_str_t *value, u_char *dst, size_t *len);


#endif /* _CWMP_COOKIE_H_INCLUDED_ */
