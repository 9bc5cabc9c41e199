
/*
 * Fieldgate: GGA sentences for providers.
 */


#include "ntrip_gga_form.h"

#include <math.h>


/* of the sphere that the grid is on, m */
#define NTRIP_GGA_DEGREE   111320.0

#define NTRIP_GGA_DECIMALS  10000000    /* of a minute */


/* fields of a sentence */

enum {
    NTRIP_GGA_TALKER = 0,
    NTRIP_GGA_LATITUDE_FIELD = 2,
    NTRIP_GGA_NORTH,
    NTRIP_GGA_LONGITUDE_FIELD,
    NTRIP_GGA_EAST,
    NTRIP_GGA_SATELLITES = 7
};


static void ntrip_gga_form_field(ntrip_out_t *out, ngx_str_t *field,
    ngx_uint_t i, ntrip_gga_t *gga, ngx_uint_t form);
static void ntrip_gga_angle(ntrip_out_t *out, double angle,
    ngx_uint_t width);


void
ntrip_gga_round(ntrip_gga_t *gga, ngx_uint_t round)
{
    double  step, line, points;

    if (round == 0) {
        return;
    }

    step = round / NTRIP_GGA_DEGREE;

    gga->latitude = floor(gga->latitude / step + 0.5) * step;
    gga->latitude = ngx_max(ngx_min(gga->latitude, 90), -90);

    line = 360 * cos(gga->latitude * M_PI / 180);
    points = floor(line / step);

    if (points < 1) {
        gga->longitude = 0;
        return;
    }

    step = 360 / points;
    gga->longitude = floor(gga->longitude / step + 0.5) * step;

    if (gga->longitude >= 180) {
        gga->longitude -= 360;
    }

    if (gga->longitude < -180) {
        gga->longitude += 360;
    }
}


void
ntrip_gga_form(ntrip_out_t *out, ngx_str_t *line, ntrip_gga_t *gga,
    ngx_uint_t moved, ngx_uint_t form)
{
    u_char      *p, *last, *end, sum;
    ngx_str_t    field;
    ngx_uint_t   i;

    static const u_char  hex[] = "0123456789ABCDEF";

    moved |= (form == NTRIP_GGA_GPGGA);

    p = line->data;
    last = memchr(p, '*', line->len);

    if (last == NULL) {
        last = p + line->len;
    }

    for (i = 0; p <= last; i++) {
        end = memchr(p, ',', last - p);

        if (end == NULL) {
            end = last;
        }

        field.data = p;
        field.len = end - p;
        p = end + 1;

        if (i) {
            ntrip_out_char(out, ',');
        }

        if (i >= NTRIP_GGA_LATITUDE_FIELD && i <= NTRIP_GGA_EAST && !moved) {
            ntrip_out_str(out, &field);

        } else {
            ntrip_gga_form_field(out, &field, i, gga, form);
        }
    }

    sum = 0;

    for (p = out->start + 1; p < out->last; p++) {
        sum ^= *p;
    }

    ntrip_out_char(out, '*');
    ntrip_out_char(out, hex[sum >> 4]);
    ntrip_out_char(out, hex[sum & 0xf]);
    ntrip_out_text(out, CRLF);
}


static void
ntrip_gga_form_field(ntrip_out_t *out, ngx_str_t *field, ngx_uint_t i,
    ntrip_gga_t *gga, ngx_uint_t form)
{
    switch (i) {

    case NTRIP_GGA_TALKER:

        if (form != NTRIP_GGA_GPGGA) {
            break;
        }

        ntrip_out_text(out, "$GPGGA");
        return;

    case NTRIP_GGA_LATITUDE_FIELD:
        ntrip_gga_angle(out, gga->latitude, 2);
        return;

    case NTRIP_GGA_NORTH:
        ntrip_out_char(out, gga->latitude < 0 ? 'S' : 'N');
        return;

    case NTRIP_GGA_LONGITUDE_FIELD:
        ntrip_gga_angle(out, gga->longitude, 3);
        return;

    case NTRIP_GGA_EAST:
        ntrip_out_char(out, gga->longitude < 0 ? 'W' : 'E');
        return;

    case NTRIP_GGA_SATELLITES:

        if (form != NTRIP_GGA_GPGGA) {
            break;
        }

        ntrip_out_uint(out, ngx_min(gga->satellites, 99), 2);
        return;
    }

    ntrip_out_str(out, field);
}


/* degrees and minutes, "width" digits of the former */

static void
ntrip_gga_angle(ntrip_out_t *out, double angle, ngx_uint_t width)
{
    uint64_t  units;

    units = (uint64_t) (fabs(angle) * 60 * NTRIP_GGA_DECIMALS + 0.5);

    ntrip_out_uint(out, units / (60 * (uint64_t) NTRIP_GGA_DECIMALS), width);
    units %= 60 * (uint64_t) NTRIP_GGA_DECIMALS;

    ntrip_out_uint(out, units / NTRIP_GGA_DECIMALS, 2);
    ntrip_out_char(out, '.');
    ntrip_out_uint(out, units % NTRIP_GGA_DECIMALS, 7);
}
