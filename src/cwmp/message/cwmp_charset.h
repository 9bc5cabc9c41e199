
/*
 * Fieldgate: charsets of messages.
 */


#ifndef _CWMP_CHARSET_H_INCLUDED_
#define _CWMP_CHARSET_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * What a message's bytes are.  ACSs decode in different ways: GenieACS goes by
 * the Content-Type, then by the XML declaration, then takes UTF-8; others go
 * by the first bytes and the declaration.  So every declaration counts.
 */

typedef enum {
    CWMP_CHARSET_NONE = 0,  /* not declared */
    CWMP_CHARSET_ASCII,     /* markup is ASCII bytes and nothing else is */
    CWMP_CHARSET_OTHER      /* UTF-16, UTF-7, EBCDIC, ISO-2022, unknown */
} cwmp_charset_e;


/*
 * The class of a charset by its name, in any spelling that iconv-lite takes:
 * only letters and digits count.  An empty name is CWMP_CHARSET_NONE.
 */

ngx_uint_t cwmp_charset(u_char *name, size_t len);

/*
 * The class of what a Content-Type field declares; several charset parameters
 * that differ in class are CWMP_CHARSET_OTHER.
 */

ngx_uint_t cwmp_charset_content_type(ngx_str_t *value);

/*
 * The class of what a processing instruction declares, given the text between
 * "<?" and "?>"; CWMP_CHARSET_NONE if it is no XML declaration.  With "cut",
 * the text is the start of a longer one, and what is not found is OTHER.
 */

ngx_uint_t cwmp_charset_declaration(u_char *p, size_t len, ngx_uint_t cut);

/*
 * The class by the first bytes, len of them, 4 unless the message is shorter:
 * NONE or OTHER.  "bom" is set to the length of the mark of UTF-8, which is to
 * be skipped, if it is there.
 */

ngx_uint_t cwmp_charset_detect(u_char *p, size_t len, size_t *bom);


#endif /* _CWMP_CHARSET_H_INCLUDED_ */
