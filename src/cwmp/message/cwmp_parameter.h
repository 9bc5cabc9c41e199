
/*
 * Fieldgate: parameters whose values are connection request URLs, or addresses
 * for UDP connection requests.
 */


#ifndef _CWMP_PARAMETER_H_INCLUDED_
#define _CWMP_PARAMETER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * Pairs names with values, and reports each value that is a connection request
 * URL, and on demand each that is an address for UDP connection requests.
 *
 * What is matched: elements whose local name is Name or Value, whatever
 * their prefix, paired through the element that they belong to: the innermost
 * ParameterValueStruct around them, or, where there is none, their parent (the
 * name of an item of a SOAP array means nothing).  If any Name of such a
 * struct matches, each Value of it that is not empty is reported, in whatever
 * order they come: GenieACS takes the last, others the first.  Lists of names
 * have no Value, and so never match.
 *
 * A name is compared decoded and trimmed, without comments and processing
 * instructions; it matches if it ends with CWMP_PARAMETER_SUFFIX or if the
 * caller's function says so.  A Name with child elements, which CWMP does not
 * know, counts with each piece of text between them; a Value with child
 * elements is one value with all its text.
 */


#define CWMP_PARAMETER_SUFFIX      ".ManagementServer.ConnectionRequestURL"
#define CWMP_PARAMETER_ADDRESS                                                \
    ".ManagementServer.UDPConnectionRequestAddress"

/* decoded bytes of a value that can be rewritten */
#define CWMP_PARAMETER_VALUE_MAX   2048

/* all values of the structs that are open */
#define CWMP_PARAMETER_TEXT_MAX    4096
#define CWMP_PARAMETER_VALUES_MAX  16

/* of a longer name the end is compared */
#define CWMP_PARAMETER_NAME_MAX    512

/* values reported for one message */
#define CWMP_PARAMETER_EDITS_MAX   1024

/* of elements */
#define CWMP_PARAMETER_DEPTH_MAX   63


typedef enum {
    CWMP_PARAMETER_TOO_LONG = 1,      /* a URL */
    CWMP_PARAMETER_TOO_MANY_VALUES,   /* in one struct */
    CWMP_PARAMETER_TOO_MANY_EDITS,    /* in one message */
    CWMP_PARAMETER_HANDLER            /* the caller's function failed */
} cwmp_parameter_error_e;


/*
 * A value to be replaced: the bytes from start up to end are what stands
 * between the tags of Value; text is that decoded and trimmed, never empty.
 */

typedef struct {
    off_t                      start;
    off_t                      end;
    ngx_str_t                  text;
    ngx_uint_t                 address;     /* not a URL, if a name says both
                                               unsigned  address:1; */
} cwmp_value_t;


/*
 * NGX_OK: that parameter's value is a URL too, NGX_DECLINED: it is not.
 */
typedef ngx_int_t (*cwmp_name_pt)(void *data, ngx_str_t *name);

/*
 * Called once for each value, when the struct around it ends, so not always in
 * ascending order, but never overlapping; the value is valid during the call.
 * Returns NGX_OK, else reading ends.
 */
typedef ngx_int_t (*cwmp_value_pt)(void *data, cwmp_value_t *value);


typedef struct {
    off_t                      start;
    off_t                      end;
    size_t                     pos;         /* in text */
    size_t                     len;
    ngx_uint_t                 depth;       /* of the struct */
    ngx_uint_t                 too_long;    /* unsigned  too_long:1; */
} cwmp_parameter_value_t;


/* all zero but for the buffers at first */

typedef struct {
    cwmp_name_pt               name_handler;   /* or NULL */
    cwmp_value_pt              value_handler;
    void                      *data;           /* their first argument */

    ngx_uint_t                 reported;    /* values */

    ngx_uint_t                 name;        /* depth of the open Name, or 0 */
    ngx_uint_t                 value;       /* depth of the open Value, or 0 */
    ngx_uint_t                 name_owner;  /* depth of its struct */
    cwmp_parameter_value_t    *open;        /* the Value; NULL: no room */

    uint64_t                   structs;     /* ParameterValueStruct; bit for */
    uint64_t                   names;       /* a name matches;    each depth */
    uint64_t                   addresses;   /* it is that of an address      */
    uint64_t                   overflows;   /* a value was lost              */

    unsigned                   udp:1;       /* in: addresses are wanted */

    unsigned                   name_long:1;
    unsigned                   name_space:1;

    ngx_uint_t                 npending;
    size_t                     name_len;
    size_t                     text_len;

    cwmp_parameter_value_t     pending[CWMP_PARAMETER_VALUES_MAX];
    u_char                     name_text[CWMP_PARAMETER_NAME_MAX];
    u_char                     text[CWMP_PARAMETER_TEXT_MAX];
} cwmp_parameter_t;


/*
 * An element begins at this depth, 1 to CWMP_PARAMETER_DEPTH_MAX; offset is
 * that of the byte after its start tag.
 */
void cwmp_parameter_start(cwmp_parameter_t *pp, ngx_uint_t depth,
    ngx_str_t *name, off_t offset);

/*
 * To be called behind the start tag of a ParameterValueStruct, when no text is
 * wanted: skips structs as nearly all are written, one Name and then one Value,
 * without prefixes and markup, as long as none of the names matches; they
 * would change nothing.  Returns a place within such a struct, or p.
 */
u_char *cwmp_parameter_skip(cwmp_parameter_t *pp, u_char *p, u_char *last);

#define cwmp_parameter_is_struct(pp, depth)                                   \
    ((pp)->structs & ((uint64_t) 1 << (depth)))

/* no name is being read, and none has matched in what is open */

#define cwmp_parameter_idle(pp)                                               \
    ((pp)->name == 0 && (pp)->names == 0 && (pp)->addresses == 0)

/* text is wanted, see cwmp_xml_t */

#define cwmp_parameter_wants_text(pp)  ((pp)->name || (pp)->value)

void cwmp_parameter_text(cwmp_parameter_t *pp, ngx_str_t *text);

/*
 * The element at this depth ends; offset is that of its end tag.  At depth 0,
 * what stands outside any element.  Returns 0 or a cwmp_parameter_error_e.
 */
ngx_uint_t cwmp_parameter_end(cwmp_parameter_t *pp, ngx_uint_t depth,
    off_t offset);

/* the input ends: forgets a Value that is open, which no ACS has read */

void cwmp_parameter_cut(cwmp_parameter_t *pp);


#endif /* _CWMP_PARAMETER_H_INCLUDED_ */
