
/*
 * Fieldgate: an origin and its signature as the first label of a host name, or
 * the first two: for CPEs that compare the whole request target, whose own path
 * and query have to stay untouched (cwmp_url_mode host).
 *
 *    flags | port, 16 bits | signature, 128 bits, if signed | host
 *
 * in the base32 of RFC 4648 6, lower case, since names have no case, without
 * padding.  The flags say what the host is: 4 or 16 bytes of an address, which
 * take one label, or a name.  RFC 1035 2.3.4 has 63 bytes in a label; what is
 * longer goes on in the next one, so a name has 59 bytes at most.
 */


#ifndef _CWMP_LABEL_H_INCLUDED_
#define _CWMP_LABEL_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_origin.h"


/* both labels, with a dot */
#define CWMP_LABEL_MAX   (2 * 63 + 1)

/* of a name that is signed */
#define CWMP_LABEL_NAME_MAX  59

/* what cwmp_label_read() writes at most */
#define CWMP_LABEL_TEXT  256


/*
 * Writes label->data, of CWMP_LABEL_MAX bytes, and sets its length.  An empty
 * sig is left out.  NGX_DECLINED: a name that is too long; or there is none.
 */
ngx_int_t cwmp_label_write(ngx_str_t *label, cwmp_origin_t *o,
    ngx_str_t *sig);

/*
 * Reads a host name, whatever follows the labels in it.  The texts of
 * hostport, as in a URL, and of sig, empty if there is none, are written at
 * *buf, which is moved behind them.  Returns NGX_OK or a cwmp_origin_error_e.
 */
ngx_int_t cwmp_label_read(ngx_str_t *name, ngx_str_t *hostport,
    ngx_str_t *sig, u_char **buf);


#endif /* _CWMP_LABEL_H_INCLUDED_ */
