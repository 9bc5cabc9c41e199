
/*
 * Fieldgate: tickets: which server a session is at, for a node that does not
 * know the session.  A CPE carries one in a cookie.
 *
 * It has the time when it expires, and a signature of that, the upstream and
 * the server: who reads it tries the servers that he has.  So it says nothing
 * of them to anybody else, and nobody can make one.
 */


#ifndef _CWMP_TICKET_H_INCLUDED_
#define _CWMP_TICKET_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_origin.h"


/* a number of eight hexadecimal digits, and a signature */
#define CWMP_TICKET_LEN  (8 + CWMP_SIGN_LEN)

/* seconds that the clock of the node that gave it may be ahead */
#define CWMP_TICKET_SKEW  60


typedef struct {
    ngx_str_t             upstream;   /* its name */
    ngx_str_t             server;     /* address and port, as text */
} cwmp_ticket_t;


/*
 * Writes the ticket into dst, of CWMP_TICKET_LEN bytes.  NGX_ERROR: libcrypto
 * fails.
 */
ngx_int_t cwmp_ticket_write(cwmp_ticket_t *t, cwmp_sign_key_t *key,
    uint32_t expires, u_char *dst);

/*
 * Whether what a CPE sends may be a ticket that has not expired; none lives for
 * more than "life" seconds, the skew of clocks aside.  NGX_DECLINED: it cannot.
 */
ngx_int_t cwmp_ticket_fresh(ngx_str_t *value, uint32_t now, uint32_t life,
    uint32_t *expires);

/*
 * Whether it is the ticket for that server, made with any of the keys.
 * NGX_DECLINED: it is not; NGX_ERROR: libcrypto fails.
 */
ngx_int_t cwmp_ticket_is(cwmp_ticket_t *t, cwmp_sign_key_t *keys,
    ngx_uint_t nkeys, ngx_str_t *value);


#endif /* _CWMP_TICKET_H_INCLUDED_ */
