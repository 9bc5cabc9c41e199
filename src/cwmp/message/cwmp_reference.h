
/*
 * Fieldgate: character and entity references of XML.
 */


#ifndef _CWMP_REFERENCE_H_INCLUDED_
#define _CWMP_REFERENCE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* "&#1114111;" and "&#x10FFFF;", zeros before the first digit dropped */
#define CWMP_REFERENCE_MAX  12


/*
 * Decodes a reference of XML in place, from its '&' to its ';', to UTF-8, and
 * returns the new length.  What is none of the five predefined entities and
 * no character (XML 1.0, 2.2 and 4.6) stays as it is.
 */

size_t cwmp_reference_decode(u_char *ref, size_t len);


#endif /* _CWMP_REFERENCE_H_INCLUDED_ */
