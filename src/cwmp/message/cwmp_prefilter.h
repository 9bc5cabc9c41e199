
/*
 * Fieldgate: a quick look for messages that have nothing to rewrite.
 */


#ifndef _CWMP_PREFILTER_H_INCLUDED_
#define _CWMP_PREFILTER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Can a connection request URL be in a message at all?  Its parameter's name
 * cannot, if it is nowhere in the bytes, unless something hides it: a
 * character reference "&#", a comment or CDATA "<!", a processing instruction
 * "<?" within the message, or a charset that does not contain ASCII, which
 * shows by a declaration, a byte-order mark, a NUL, or by anything but '<'
 * at the start.  Parameters that the configuration names are not looked for,
 * the address for UDP connection requests only on demand.
 *
 * Where nothing is hidden, the scanner needs to know no more than where the
 * name stands for the last time.
 */


#define CWMP_PREFILTER_TOKEN    "ConnectionRequest"
#define CWMP_PREFILTER_URL      "URL"
#define CWMP_PREFILTER_ADDRESS  "Address"
#define CWMP_PREFILTER_KEEP                                                   \
    (sizeof(CWMP_PREFILTER_TOKEN) + sizeof(CWMP_PREFILTER_ADDRESS) - 3)


typedef struct {
    unsigned    addresses:1;  /* in: UDPConnectionRequestAddress, too */
    unsigned    started:1;
    unsigned    hidden:1;     /* something can hide a name */
    off_t       names_end;    /* of the last one, 0: there is none */
    off_t       offset;       /* of the next piece */
    size_t      nkept;
    u_char      kept[2 * CWMP_PREFILTER_KEEP];  /* across pieces */
} cwmp_prefilter_t;


/* f is zeroed by the caller before the first piece, but for "addresses" */

/*
 * Looks through the next piece; 1 if the message has to be scanned as a whole
 * (then no more pieces are needed), else 0: what f->names_end says after the
 * last piece.  declared: the class of the Content-Type's charset, a
 * cwmp_charset_e.  Where the message is split can make 1 of 0, if the first
 * piece does not hold the whole XML declaration, but not 0 of 1.
 */

ngx_uint_t cwmp_prefilter(cwmp_prefilter_t *f, u_char *p, size_t len,
    ngx_uint_t declared);


#endif /* _CWMP_PREFILTER_H_INCLUDED_ */
