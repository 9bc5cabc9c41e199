
/*
 * Fieldgate: UDP connection requests (TR-069 G.2.2.3).
 *
 * CPEs are picky readers.  RDK-B's wants "GET", "http://", a question mark and
 * a blank behind it, and drops a ts below the last one or an id that it has
 * seen; Orange's tr069agent looks for "?ts=", and prints ts and id again as
 * signed numbers before it hashes them.  So it is always this:
 *
 *   GET http://H:P?ts=T&id=I&un=USER&cn=16HEX&sig=40hex HTTP/1.1
 *   Host: H:P
 *
 * with the signature HMAC-SHA1(password, T I USER 16HEX), nothing between them.
 */


#ifndef _CWMP_UDP_H_INCLUDED_
#define _CWMP_UDP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_auth.h"


#define CWMP_UDP_COPIES      3
#define CWMP_UDP_CNONCE_LEN  16        /* hexadecimal digits */


/* of the last request to a CPE; all zero: there was none */

typedef struct {
    uint32_t             ts;           /* seconds since 1970 */
    uint32_t             id;           /* 1 to 2^31 - 1 */
} cwmp_udp_stamp_t;


/*
 * The stamp of the next request.  Neither number goes back, whatever the clock
 * does; an id is used once.  Where nothing is known of earlier ones, as after a
 * restart, the id is made of the time, and so above those before, if there were
 * less than four a second.
 */
void cwmp_udp_next(cwmp_udp_stamp_t *stamp, time_t sec, ngx_uint_t msec);

/* When copy n, from 0, is to be sent, in milliseconds after the first. */
ngx_msec_t cwmp_udp_due(ngx_uint_t n);

/* Upper bound of what the next one writes. */
size_t cwmp_udp_size(ngx_str_t *hostport, cwmp_credentials_t *c);

/*
 * Writes the datagram.  cn has CWMP_UDP_CNONCE_LEN digits.  The user name goes
 * in as it is but for what would end it, which is percent-encoded; the
 * signature covers the name itself.  Returns the end, or NULL: libcrypto
 * failed.
 */
u_char *cwmp_udp_request(u_char *p, ngx_str_t *hostport,
    cwmp_udp_stamp_t *stamp, cwmp_credentials_t *c, u_char *cn);


#endif /* _CWMP_UDP_H_INCLUDED_ */
