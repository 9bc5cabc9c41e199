
/*
 * Copyright (C) Fieldgate contributors
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
 * at the start.  Parameters that the configuration names are not looked for.
 */


#define CWMP_PREFILTER_TOKEN  "ConnectionRequestURL"
#define CWMP_PREFILTER_KEEP   (sizeof(CWMP_PREFILTER_TOKEN) - 2)


typedef struct {
    unsigned    started:1;
    unsigned    found:1;
    size_t      nkept;
    u_char      kept[2 * CWMP_PREFILTER_KEEP];  /* across pieces */
} cwmp_prefilter_t;


/* f is zeroed by the caller before the first piece */

/*
 * Looks through the next piece; 1 if the message has to be scanned (then no
 * more pieces are needed), else 0.  declared: the class of the Content-Type's
 * charset, a cwmp_charset_e.  Where the message is split can make 1 of 0, if
 * the first piece does not hold the whole XML declaration, but not 0 of 1.
 */

ngx_uint_t cwmp_prefilter(cwmp_prefilter_t *f, u_char *p, size_t len,
    ngx_uint_t declared);


#endif /* _CWMP_PREFILTER_H_INCLUDED_ */
