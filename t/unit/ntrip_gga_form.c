
/*
 * sources: ntrip_gga_form.c ntrip_gga.c ntrip_text.c
 * libs: -lm
 */


#include "tap.h"
#include "ntrip_gga_form.h"

#include <math.h>


static void
form(const char *in, ngx_uint_t round, ngx_uint_t how, const char *expected)
{
    u_char       line[NTRIP_GGA_LINE_MAX], buf[NTRIP_GGA_FORM_MAX];
    ngx_str_t    s, got;
    ntrip_out_t  out;
    ntrip_gga_t  gga, again;

    s.data = (u_char *) in;
    s.len = strlen(in);
    ntrip_out_init(&out, line, sizeof(line));
    ntrip_gga_line(&out, &s);

    s.data = line;
    s.len = out.last - out.start;

    if (ntrip_gga_parse(&gga, &s) != NGX_OK) {
        tap_ok(0, "%s has a position", in);
        return;
    }

    ntrip_gga_round(&gga, round);
    ntrip_out_init(&out, buf, sizeof(buf));
    ntrip_gga_form(&out, &s, &gga, round != 0, how);

    got.data = buf;
    got.len = out.last - out.start;
    tap_is(&got, expected, in);
    tap_ok(!out.overflow && ntrip_gga_parse(&again, &got) == NGX_OK
           && fabs(again.latitude - gga.latitude) < 1e-8
           && fabs(again.longitude - gga.longitude) < 1e-8,
           "which has that position");
}


/* all over the earth: the nearest point, the same for all that are near it */

static void
grid(ngx_uint_t round)
{
    double       lat, lon, far = 0, moved = 0;
    ntrip_gga_t  gga, twice;
    double       dlat, dlon;

    for (lat = -90; lat <= 90; lat += 3.717) {
        for (lon = -180; lon < 180; lon += 7.313) {
            memset(&gga, 0, sizeof(gga));
            gga.latitude = lat;
            gga.longitude = lon;
            ntrip_gga_round(&gga, round);

            dlat = (gga.latitude - lat) * 111320;
            dlon = fabs(gga.longitude - lon);
            dlon = ngx_min(dlon, 360 - dlon) * 111320
                   * cos(gga.latitude * M_PI / 180);
            far = ngx_max(far, ngx_max(fabs(dlat), dlon));

            twice = gga;
            ntrip_gga_round(&twice, round);
            dlon = fabs(twice.longitude - gga.longitude);
            moved = ngx_max(moved, fabs(twice.latitude - gga.latitude)
                                   + ngx_min(dlon, 360 - dlon)
                                     * cos(gga.latitude * M_PI / 180));

            if (gga.latitude < -90 || gga.latitude > 90
                || gga.longitude < -180 || gga.longitude >= 180)
            {
                far = 1e9;
            }
        }
    }

    tap_ok(far <= round * 0.51 + 0.01 || round > 2000000,
           "%d m: the nearest point (%.1f m at most)", (int) round, far);
    tap_ok(moved < 1e-9, "a point of the grid stays");
}


int
main(void)
{
    form("$GNGGA,123519.25,4807.038,N,01131.000,W,4,5,0.9,545.4,M,46.9,M,1,7",
         0, NTRIP_GGA_GPGGA,
         "$GPGGA,123519.25,4807.0380000,N,01131.0000000,W,4,05,0.9,545.4,M,"
         "46.9,M,1,7*72\r\n");
    form("$GPGGA,123519,4807.038,S,01131.000,E,1,128,0.9,545.4,M,46.9,M,,",
         0, NTRIP_GGA_GPGGA,
         "$GPGGA,123519,4807.0380000,S,01131.0000000,E,1,99,0.9,545.4,M,46.9,"
         "M,,*52\r\n");
    form("$GNGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,",
         0, NTRIP_GGA_AS_IS,
         "$GNGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*59"
         "\r\n");
    form("$GNGGA,123519,0000.001,S,00000.001,W,1,8,0.9,545.4,M,46.9,M,,",
         1000, NTRIP_GGA_AS_IS,
         "$GNGGA,123519,0000.0000000,N,00000.0000000,E,1,8,0.9,545.4,M,46.9,M,"
         ",*6B\r\n");

    grid(1);
    grid(100);
    grid(1000);
    grid(30000);
    grid(20000000);

    return tap_done();
}
