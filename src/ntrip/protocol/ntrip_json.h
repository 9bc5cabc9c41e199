
/*
 * JSON and Prometheus text out of whatever names, agents and notes have in
 * them: what comes out is always UTF-8, and each string a string.  A byte that
 * is no part of a character becomes U+FFFD.
 *
 *     ntrip_json_init(&json, buf, size, filters, n);
 *     ntrip_json_open(&json, NULL, '{');
 *     ntrip_json_str(&json, "user", &user);
 *     ntrip_json_close(&json, '}');
 *
 * Commas come by themselves.  name: NULL within a list.  What does not fit is
 * noted in out.overflow, as with ntrip_out_t, on which this builds.
 *
 * Filters are pairs of a field's name and the value that it has to have; those
 * of the outermost object are compared as they are written.  A filter "q" is
 * matched by any string there that contains its value, without regard to case.
 */


#ifndef _NTRIP_JSON_H_INCLUDED_
#define _NTRIP_JSON_H_INCLUDED_


#include "ntrip_text.h"


/* bytes of a string that are written, before they are escaped; the rest is cut
   off between two characters */
#define NTRIP_JSON_STRING    1024

#define NTRIP_JSON_FILTERS   8


typedef struct {
    ngx_str_t                   name;
    ngx_str_t                   value;
} ntrip_json_filter_t;


typedef struct {
    ntrip_out_t                 out;
    ngx_uint_t                  depth;
    ntrip_json_filter_t        *filters;
    ngx_uint_t                  nfilters;   /* NTRIP_JSON_FILTERS at most */
    ngx_uint_t                  matched;    /* a bit for each */
} ntrip_json_t;


void ntrip_json_init(ntrip_json_t *json, u_char *buf, size_t size,
    ntrip_json_filter_t *filters, ngx_uint_t n);

/* of an object, '{' and '}', or a list, '[' and ']' */
void ntrip_json_open(ntrip_json_t *json, const char *name, u_char c);
void ntrip_json_close(ntrip_json_t *json, u_char c);

void ntrip_json_str(ntrip_json_t *json, const char *name, ngx_str_t *value);
void ntrip_json_text(ntrip_json_t *json, const char *name, const char *value);
void ntrip_json_int(ntrip_json_t *json, const char *name, int64_t value);
void ntrip_json_fixed(ntrip_json_t *json, const char *name, double value,
    ngx_uint_t decimals);
void ntrip_json_bool(ntrip_json_t *json, const char *name, ngx_uint_t value);
void ntrip_json_null(ntrip_json_t *json, const char *name);

/* whether all filters have been matched */
ngx_uint_t ntrip_json_matches(ntrip_json_t *json);

/* the bytes of the character of UTF-8 at p, before "end"; 0: it is none */
size_t ntrip_json_character(u_char *p, u_char *end);

/* the value of a label, between its quotes */
void ntrip_json_label(ntrip_out_t *out, ngx_str_t *value);


#endif /* _NTRIP_JSON_H_INCLUDED_ */
