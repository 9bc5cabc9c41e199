/*
 * How accounts are written: "user:password", and their server "host" or
 * "host:port".
 *
 * The first ':' ends the user, so a password may have ':'.  An IPv6 address is
 * in brackets.
 */


#ifndef _NTRIP_TOKEN_H_INCLUDED_
#define _NTRIP_TOKEN_H_INCLUDED_


#include "ntrip_text.h"


typedef struct {
    ngx_str_t     user;
    ngx_str_t     password;
    ngx_str_t     host;                  /* brackets stay on */
    ngx_uint_t    port;                  /* 0: none given */
} ntrip_token_t;


/*
 * These set pointers into "text" and return NGX_OK, or NGX_ERROR for what is
 * not of the form, for control characters, and for parts longer than
 * NTRIP_USER_MAX, NTRIP_PASSWORD_MAX, NTRIP_HOST_MAX.  User and password may
 * be empty, as with cors-relay; a host may not.
 */

/* "user:password" */
ngx_int_t ntrip_token_account(ntrip_token_t *token, ngx_str_t *text);

/* "host", "host:port", "[::1]:port"; port 1 to 65535 */
ngx_int_t ntrip_token_server(ntrip_token_t *token, ngx_str_t *text);


#endif /* _NTRIP_TOKEN_H_INCLUDED_ */
