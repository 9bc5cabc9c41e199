/*
 * Small pieces of text that every NTRIP file needs: a bounded output
 * buffer, base64, comparison without regard to case, the date of HTTP.
 */


#ifndef _NTRIP_TEXT_H_INCLUDED_
#define _NTRIP_TEXT_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NTRIP_VERSION         "1.0.0"

/* BKG casters and their descendants refuse a User-Agent that does not begin
   with NTRIP */
#define NTRIP_PRODUCT         "NTRIP Fieldgate/" NTRIP_VERSION

/* longest user name, password and host name, as cors-relay's table has them */
#define NTRIP_USER_MAX        255
#define NTRIP_PASSWORD_MAX    255
#define NTRIP_HOST_MAX        255

/* the longest mountpoint that can be declared */
#define NTRIP_MOUNT_MAX       100


/*
 * Output into a buffer of the caller.  The first piece that does not fit is
 * dropped, and so is all behind it; "overflow" stays set, so that one check at
 * the end is enough.  The text is in [start, last).
 */

typedef struct {
    u_char       *start;
    u_char       *last;
    u_char       *end;
    ngx_uint_t    overflow;
} ntrip_out_t;


void ntrip_out_init(ntrip_out_t *out, u_char *buf, size_t size);

void ntrip_out_data(ntrip_out_t *out, const void *data, size_t len);
void ntrip_out_char(ntrip_out_t *out, u_char c);
void ntrip_out_text(ntrip_out_t *out, const char *text);
void ntrip_out_str(ntrip_out_t *out, ngx_str_t *str);

/* decimal, at least "width" digits, zeros in front */
void ntrip_out_uint(ntrip_out_t *out, uint64_t value, ngx_uint_t width);

/* with "decimals" (0 to 9) digits behind the point, rounded half away from
   zero, at least "width" digits in front of it; |value| below 1e9 */
void ntrip_out_fixed(ntrip_out_t *out, double value, ngx_uint_t width,
    ngx_uint_t decimals);

void ntrip_out_base64(ntrip_out_t *out, u_char *data, size_t len);

/* IMF-fixdate of RFC 7231 7.1.1.1, "Sat, 21 Nov 2026 20:48:32 GMT"; "time" in
   seconds since 1970 */
void ntrip_out_date(ntrip_out_t *out, time_t time);


/* ASCII only, whatever the locale; neither has a NUL in it */
ngx_uint_t ntrip_text_equal_case(ngx_str_t *a, ngx_str_t *b);
ngx_uint_t ntrip_text_is(ngx_str_t *str, const char *text);
ngx_uint_t ntrip_text_begins(ngx_str_t *str, const char *text);

/* whether "text", not empty, occurs anywhere; case does not matter, as in the
   three above */
ngx_uint_t ntrip_text_contains(ngx_str_t *str, const char *text);

/* whether "pattern" fits all of "text": '*' in it is any run of characters;
   likewise */
ngx_uint_t ntrip_text_glob(ngx_str_t *pattern, ngx_str_t *text);

/* takes spaces, tabs, CRs and LFs from both ends */
void ntrip_text_trim(ngx_str_t *str);

/* whether there is a control character other than a tab */
ngx_uint_t ntrip_text_controls(ngx_str_t *str);

/* takes the next word from the front of "rest", and the spaces and tabs
   before it; empty if there is none */
ngx_str_t ntrip_text_word(ngx_str_t *rest);

/* takes the next item from the front of a list with commas between, and the
   comma behind it; empty if the list is */
ngx_str_t ntrip_text_item(ngx_str_t *list);

/* whether "item" is one of them, in this very spelling */
ngx_uint_t ntrip_text_has_item(ngx_str_t *list, ngx_str_t *item);

/* parts of a "Name: value" line, trimmed; NGX_DECLINED if it is none */
ngx_int_t ntrip_text_header(ngx_str_t *line, ngx_str_t *name,
    ngx_str_t *value);

/* an unsigned decimal number that is all of "str", at most "max";
   NGX_ERROR otherwise */
ngx_int_t ntrip_text_number(ngx_str_t *str, ngx_int_t max);

/* a decimal number that is all of "text", blanks around it aside: a sign,
   digits, a point, 20 characters at most.  NGX_OK, or NGX_DECLINED: none */
ngx_int_t ntrip_text_decimal(ngx_str_t *text, double *number);

/*
 * Decodes in place or into "dst", which takes at least three quarters of
 * "src".  Padding may be missing and the alphabet be the one of URLs, since
 * home-made rovers do that; any other character is NGX_ERROR.  Of the decoders
 * of nginx each knows one of the two alphabets, and drops what is behind a "="
 * in the middle.
 */
ngx_int_t ntrip_text_base64_decode(ngx_str_t *dst, ngx_str_t *src);


#endif /* _NTRIP_TEXT_H_INCLUDED_ */
