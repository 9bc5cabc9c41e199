
/*
 * A GGA sentence as the provider is to see it: its place on a grid, so that
 * nobody there learns where exactly somebody works, and in the plain form that
 * some providers insist on.
 */


#ifndef _NTRIP_GGA_FORM_H_INCLUDED_
#define _NTRIP_GGA_FORM_H_INCLUDED_


#include "ntrip_gga.h"


#define NTRIP_GGA_AS_IS  0
#define NTRIP_GGA_GPGGA  1              /* talker GP, two digits of satellites,
                                           angles with 7 decimals */

/* what ntrip_gga_form() writes at most */
#define NTRIP_GGA_FORM_MAX  (NTRIP_GGA_LINE_MAX + 32)


/*
 * Moves the position to the nearest point of a grid of "round" metres; 0: not.
 * Its lines of latitude are as many metres apart, and so are the points of each
 * line, up to the whole number of them that goes around the earth.
 */
void ntrip_gga_round(ntrip_gga_t *gga, ngx_uint_t round);

/*
 * Writes what ntrip_gga_line() has made of a sentence anew.  "moved": with the
 * position of "gga".
 */
void ntrip_gga_form(ntrip_out_t *out, ngx_str_t *line, ntrip_gga_t *gga,
    ngx_uint_t moved, ngx_uint_t form);


#endif /* _NTRIP_GGA_FORM_H_INCLUDED_ */
