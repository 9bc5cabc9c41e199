
/*
 * Fieldgate: items of a list, as JSON objects.
 *
 * An item is an array of fields, of which nothing is known but names and
 * values: it is compared with filters, and written.  Texts may be whatever a
 * CPE has sent; what comes out is UTF-8, with U+FFFD for each byte that is no
 * part of a character.
 */


#ifndef _CWMP_ITEM_H_INCLUDED_
#define _CWMP_ITEM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef enum {
    CWMP_FIELD_NULL = 0,
    CWMP_FIELD_TEXT,
    CWMP_FIELD_NUMBER,
    CWMP_FIELD_MSEC             /* a number of ms, written as seconds */
} cwmp_field_e;


typedef struct {
    const char    *name;        /* needs no escaping */
    cwmp_field_e   kind;
    ngx_str_t      text;
    int64_t        number;      /* of CWMP_FIELD_MSEC, not below 0 */
} cwmp_field_t;


/* a field's name, or "q", and the value that it has to have */

typedef struct {
    ngx_str_t      name;
    ngx_str_t      value;       /* behind which there is a byte to spare */
} cwmp_filter_t;


/* Set the next field of an item: *n is their number so far. */

void cwmp_field_text(cwmp_field_t *fields, ngx_uint_t *n, const char *name,
    ngx_str_t *text);
void cwmp_field_number(cwmp_field_t *fields, ngx_uint_t *n, const char *name,
    cwmp_field_e kind, int64_t number);
void cwmp_field_null(cwmp_field_t *fields, ngx_uint_t *n, const char *name);


/*
 * Whether all filters fit: a value as it is written, without its quotes; "q", a
 * part of any text, whatever its case.  A field that there is not fits nothing.
 */
ngx_uint_t cwmp_item_matches(cwmp_field_t *fields, ngx_uint_t n,
    cwmp_filter_t *filters, ngx_uint_t nfilters);

/* Bytes that the item takes at most; writes it, returns its end. */

size_t cwmp_item_size(cwmp_field_t *fields, ngx_uint_t n);
u_char *cwmp_item_write(u_char *p, cwmp_field_t *fields, ngx_uint_t n);


#endif /* _CWMP_ITEM_H_INCLUDED_ */
