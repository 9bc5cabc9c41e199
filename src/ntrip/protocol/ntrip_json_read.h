
/*
 * The body of a request of the API: one object of JSON, RFC 8259, whose values
 * are strings, whole numbers, true, false or null.
 */


#ifndef _NTRIP_JSON_READ_H_INCLUDED_
#define _NTRIP_JSON_READ_H_INCLUDED_


#include "ntrip_text.h"


#define NTRIP_JSON_MEMBERS   16


typedef enum {
    NTRIP_JSON_NULL = 0,
    NTRIP_JSON_TEXT,
    NTRIP_JSON_NUMBER,
    NTRIP_JSON_BOOL
} ntrip_json_type_e;


typedef struct {
    ngx_str_t                   name;
    ntrip_json_type_e           type;
    ngx_str_t                   text;
    int64_t                     number;     /* BOOL: 0, 1 */
} ntrip_json_member_t;


/*
 * Reads all of "text", in which names and strings are then decoded; they point
 * into it.  *n: how many members there is room for, NTRIP_JSON_MEMBERS at
 * most, then how many there are.  NGX_OK, or NGX_ERROR: it is no such object;
 * a name stands twice in it; a string has a NUL, or is no UTF-8; a number does
 * not fit into 64 bits.
 */
ngx_int_t ntrip_json_read(ngx_str_t *text, ntrip_json_member_t *members,
    ngx_uint_t *n);


#endif /* _NTRIP_JSON_READ_H_INCLUDED_ */
