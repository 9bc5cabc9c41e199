
/*
 * Fieldgate: an incremental tokenizer of XML.
 */


#ifndef _CWMP_XML_H_INCLUDED_
#define _CWMP_XML_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * An incremental tokenizer for the XML that CPEs send.  It is no validating
 * parser: it has to see whatever any ACS would see, so it takes what the
 * most lenient of them takes (a tag runs to the next '>' outside quotes, a
 * closing tag closes the innermost element whatever its name), and agrees
 * with the strict ones on each well-formed document.
 *
 * Two readings of the same bytes are told by "ambiguous":
 *
 *   - "<!-->" and "<?>" end a comment or a processing instruction for
 *     parsers that only look back from '>', and begin one for the others;
 *   - quotes in a comment or a processing instruction: GenieACS looks for its
 *     end outside of them.  In an XML declaration they are allowed in pairs;
 *   - GenieACS keeps the position of the first white space in a tag modulo
 *     256, so a tag name that long ends anywhere.
 */


/* an element name that is longer matches nothing */
#define CWMP_XML_NAME_MAX  64

/* processing instruction: only the start of its text is kept */
#define CWMP_XML_PI_MAX    160


typedef enum {
    CWMP_XML_START = 1,     /* name: the local name; offset: after '>' */
    CWMP_XML_END,           /* markup: offset of the closing tag */
    CWMP_XML_TEXT,          /* text: a run of decoded character data */
    CWMP_XML_PI             /* text: between "<?" and "?>", may be cut */
} cwmp_xml_token_e;


typedef struct {
    ngx_uint_t    state;

    off_t         offset;   /* of the next byte to be read */
    off_t         markup;   /* of the '<' of the current markup */
    off_t         tail;     /* of the end of the input at hand */

    ngx_str_t     name;
    ngx_str_t     text;

    size_t        length;   /* of the tag name, with its prefix */
    size_t        nbuf;

    u_char        quote;    /* the open quote, 0 if none */
    u_char        prev;     /* the byte before, in a tag */
    u_char        seen;     /* bytes of a delimiter seen so far */

    unsigned      want_text:1;
    unsigned      quotes:1; /* in a processing instruction */
    unsigned      ambiguous:1;

    u_char        buf[CWMP_XML_PI_MAX];
} cwmp_xml_t;


/* x: to be set up, once for each document */

void cwmp_xml_init(cwmp_xml_t *x);

/*
 * Reads the next token from *pos to last and moves *pos behind what was read.
 * Returns one of cwmp_xml_token_e, NGX_AGAIN when the input is used up, or
 * NGX_DECLINED at a DOCTYPE or another declaration: what follows depends on
 * it and is not read.  Name and text are valid until the next call.  Text is
 * returned only while want_text is set, in runs of any length; otherwise
 * it is skipped without being looked at.  An empty element is START and END.
 */

ngx_int_t cwmp_xml_next(cwmp_xml_t *x, u_char **pos, u_char *last);


/*
 * Of the text that was returned last: whether it is of CDATA, and the offset
 * behind it, which brackets that may end CDATA can keep from that of the next
 * byte.
 */

ngx_uint_t cwmp_xml_in_cdata(cwmp_xml_t *x);
off_t cwmp_xml_text_end(cwmp_xml_t *x);

/* Whether the next byte is character data, but not of CDATA. */

ngx_uint_t cwmp_xml_in_text(cwmp_xml_t *x);


/* how many of len bytes at p are white space, up to the first other one */

size_t cwmp_xml_skip_space(u_char *p, size_t len);

/* the length without white space at the end */

size_t cwmp_xml_trim(u_char *p, size_t len);


#define cwmp_xml_is_space(c)                                                  \
    ((c) == ' ' || (c) == '\t' || (c) == CR || (c) == LF)


#endif /* _CWMP_XML_H_INCLUDED_ */
