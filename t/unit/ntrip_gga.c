
/*
 * sources: ntrip_gga.c ntrip_text.c
 * libs: -lm
 */


#include "tap.h"
#include "ntrip_gga.h"

#include <math.h>


#define GOOD                                                                  \
    "$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47"
#define OTHER  "$GNGGA,1,2*33"


/* sentences that come out are joined with | */

static void
split(char *got, const char *text, size_t len, size_t a, size_t step)
{
    size_t        n, next;
    ngx_str_t     piece, in, s;
    ntrip_nmea_t  state, moved;

    ntrip_nmea_init(&state);
    *got = '\0';

    for (n = 0; n < len; n = next) {
        next = (n < a) ? a : n + step;
        next = ngx_min(len, next);

        piece = tap_copy(text + n, next - n);
        in = piece;

        while (ntrip_nmea_next(&state, &in, &s) == NGX_OK) {
            got += sprintf(got, "%.*s|", (int) s.len, (char *) s.data);
        }

        free(piece.data);

        moved = state;
        memset(&state, 0xa5, sizeof(state));
        state = moved;
    }
}


static void
test_splitter(void)
{
    int     same;
    char    got[4096];
    size_t  i, j, len;

    static const struct {
        const char  *name;
        const char  *in;
        const char  *out;
    } tests[] = {

        { "one sentence", GOOD "\r\n", GOOD "|" },
        { "LF only", GOOD "\n" GOOD "\n", GOOD "|" GOOD "|" },
        { "CR only", GOOD "\r", GOOD "|" },
        { "no line end", GOOD, GOOD "|" },
        { "no checksum", "$GPGGA,1,2\r\n", "$GPGGA,1,2|" },
        { "no checksum, no line end yet", "$GPGGA,1,2", "" },
        { "half a checksum", "$GPGGA,1,2*4\r\n", "$GPGGA,1,2*4|" },
        { "no hex in the checksum", "$GPGGA,1*zz\r\n", "$GPGGA,1*zz|" },
        { "lower case in the checksum", "$GPGGA,1*4f", "$GPGGA,1*4f|" },
        { "other talkers", "$GNGGA,1\n$GLGGA,2\n$BDGGA,3\n$GQGGA,4\n$P1GGA,5\n",
          "$GNGGA,1|$GLGGA,2|$BDGGA,3|$GQGGA,4|$P1GGA,5|" },
        { "other sentences",
          "$GPRMC,1*00\r\n$GPGSV,2*00\r\n$PUBX,00*00\r\n!AIVDM,1\r\n"
          GOOD "\r\n$GPGSA,A*00\r\n", GOOD "|" },
        { "not quite", "$GPGGB,1\n$GPGG,1\n$GPGGA\n$gpgga,1\n$GGA,1\n", "" },
        { "a sentence cut by the next", "$GPGGA,12$GPRMC,1\n$GP" GOOD "\n",
          GOOD "|" },
        { "no line end between", GOOD OTHER, GOOD "|" OTHER "|" },
        { "nor behind one digit", "$GPGGA,1*4" GOOD, "$GPGGA,1*4|" GOOD "|" },
        { "nor behind none", "$GPGGA,1*" GOOD, "$GPGGA,1*|" GOOD "|" },
        { "text in front", "hello " GOOD "\r\n", GOOD "|" },
        { "binary within", "$GPGGA,1\xb5\x62,2\r\n" GOOD "\r\n", GOOD "|" },
        { "a tab within", "$GPGGA,1\t,2\r\n" GOOD "\r\n", GOOD "|" },
        { "blank lines", "\r\n\r\n" GOOD "\r\n\r\n", GOOD "|" },
        { "a dollar alone", "$$$\r\n$" GOOD, GOOD "|" },
        { "format strings", "$GPGGA,%n%n%s\r\n", "$GPGGA,%n%n%s|" }
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        len = strlen(tests[i].in);

        split(got, tests[i].in, len, len, len);

        if (!tap_ok(strcmp(got, tests[i].out) == 0, "%s", tests[i].name)) {
            printf("# got: %s\n", got);
        }

        same = 1;

        for (j = 1; j <= len; j++) {
            split(got, tests[i].in, len, j, len);
            same &= (strcmp(got, tests[i].out) == 0);
            split(got, tests[i].in, len, j, 1);
            same &= (strcmp(got, tests[i].out) == 0);
        }

        tap_ok(same, "the same in any pieces");
    }

    split(got, "$GPGGA,1\0$GPGGA,2\n", 18, 1, 1);
    tap_ok(strcmp(got, "$GPGGA,1|$GPGGA,2|") == 0, "a zero byte ends a line");
}


static void
test_long(void)
{
    char    text[2000], got[4096];
    size_t  n;

    for (n = NTRIP_GGA_MAX - 1; n <= NTRIP_GGA_MAX + 1; n++) {
        memset(text, '9', sizeof(text));
        memcpy(text, "$GPGGA,", 7);
        memcpy(text + n, "\r\n" GOOD "\r\n", sizeof("\r\n" GOOD "\r\n"));
        split(got, text, strlen(text), 1, 100);

        if (n <= NTRIP_GGA_MAX) {
            tap_ok(strlen(got) == n + 1 + strlen(GOOD "|"),
                   "%d bytes are taken", (int) n);
        } else {
            tap_ok(strcmp(got, GOOD "|") == 0,
                   "%d are dropped, and the next sentence is found", (int) n);
        }
    }

    memset(text, '9', sizeof(text));
    memcpy(text, "$GPGGA,", 7);
    memcpy(text + 1000, GOOD, sizeof(GOOD));
    split(got, text, strlen(text), 1, 100);
    tap_ok(strcmp(got, GOOD "|") == 0, "a line of 1000, without a line end");
}


static void
test_parser(void)
{
    size_t       i;
    ngx_int_t    rc;
    ngx_str_t    s;
    ntrip_gga_t  gga;

    static const struct {
        const char  *in;
        ngx_int_t    rc;
        double       lat, lon, height;
        int          quality, sats;
    } tests[] = {

        { GOOD, NGX_OK, 48.1173, 11.516666667, 592.3, 1, 8 },

        { "$GPGGA,1,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,", NGX_OK,
          48.1173, 11.516666667, 592.3, 1, 8 },

        /* str2str's long ones */

        { "$GPGGA,123519.00,4807.0380000,N,01131.0000000,E,4,08,0.9,545.400,M,"
          "46.900,M,1.0,0000\r\n", NGX_OK, 48.1173, 11.516666667, 592.3, 4,
          8 },

        { "$GNGGA,1,3351.5000,S,15112.6000,E,5,12,1,-3.5,M,,M,,", NGX_OK,
          -33.858333333, 151.21, -3.5, 5, 12 },
        { "$GPGGA,1,0000.0000,N,00000.0000,E,1,,,0,M,0,M,,", NGX_OK, 0, 0, 0,
          1, 0 },
        { "$GPGGA,1,0000.0000,S,17959.9999,W,2,5,,,M,,M,,", NGX_OK, 0,
          -179.999998333, 0, 2, 5 },
        { "$GPGGA,1,9000.0,S,18000.0,E,1,5,,,M,,M,,", NGX_OK, -90, 180, 0, 1,
          5 },
        { "$GPGGA,1,4807.038,n,01131.000,e,8,08,0.9,545.4", NGX_OK, 48.1173,
          11.516666667, 545.4, 8, 8 },

        /* no fix */

        { "$GNGGA,,,,,,0,00,99.99,,,,,,*56", NGX_DECLINED, 0, 0, 0, 0, 0 },
        { "$GPGGA,123519,,,,,,,,,,,,,", NGX_DECLINED, 0, 0, 0, 0, 0 },
        { "$GPGGA,1,4807.038,N,01131.000,E,0,08,0.9,545.4,M,46.9,M,,",
          NGX_DECLINED, 0, 0, 0, 0, 0 },
        { "$GPGGA,1,,,,,1,08,0.9,,M,,M,,", NGX_DECLINED, 0, 0, 0, 0, 0 },

        /* any checksum, or what is left of one */

        { "$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*48",
          NGX_OK, 48.1173, 11.516666667, 592.3, 1, 8 },
        { "$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*4",
          NGX_OK, 48.1173, 11.516666667, 592.3, 1, 8 },
        { "$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*",
          NGX_OK, 48.1173, 11.516666667, 592.3, 1, 8 },
        { "$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*zz",
          NGX_OK, 48.1173, 11.516666667, 592.3, 1, 8 },
        { "$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*477",
          NGX_OK, 48.1173, 11.516666667, 592.3, 1, 8 },
        { "$GPGGA,123519,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,,*47 x",
          NGX_OK, 48.1173, 11.516666667, 592.3, 1, 8 },

        /* minutes of 60 */

        { "$GPGGA,161309.57,5960.0000000,N,02960.0000000,E,1,00,1.0,-15.988,M,"
          "15.988,M,0.0,*57", NGX_OK, 60, 30, 0, 1, 0 },
        { "$GPGGA,1,8960.0,S,17960,W,1,08,0.9,5,M,,M,,", NGX_OK, -90, -180, 5,
          1, 8 },

        /* blanks */

        { "$GPGGA,101010.00, 4807.038 ,N, 01131.000 ,E,1,08,0.9,545.4,M,46.9,"
          "M,,*00", NGX_OK, 48.1173, 11.516666667, 592.3, 1, 8 },
        { "$GPGGA, 1 , 4807.038, N , 01131.000, E , 1 , 08 , 0.9 , 545.4 ,M",
          NGX_OK, 48.1173, 11.516666667, 545.4, 1, 8 },

        /* decimal commas */

        { "$GPGGA,101010,00,4807,038,N,01131,000,E,1,08,0,9,545,4,M,46,9,M,,",
          NGX_OK, 48.1173, 11.516666667, 592.3, 1, 8 },
        { "$GPGGA,101010,4807,038,N,01131,000,E,1,08,0,9,545,4,M,46,9,M,1,0,7",
          NGX_OK, 48.1173, 11.516666667, 592.3, 1, 8 },
        { "$GPGGA,101010,00,4807,N,01131,000,E,1,08,1,545,M,46,M", NGX_OK,
          48.116666667, 11.516666667, 591, 1, 8 },

        /* no number where none is needed */

        { "$GPGGA,1,4807.038,N,01131.000,E,1,xx,nan,nan,M,46.9,M,,", NGX_OK,
          48.1173, 11.516666667, 46.9, 1, 0 },
        { "$GPGGA,1,4807.038,N,01131.000,E,1,08,0.9,5,M,high,M,,", NGX_OK,
          48.1173, 11.516666667, 5, 1, 8 }
    };

    static const struct {
        const char  *in;
        ngx_uint_t   error;
    } wrong[] = {

        { "$GPGGA,1,4807.038,N,01131.000,E,1,08,0.9",
          NTRIP_GGA_FIELDS },
        { "$GPGGA,1,9000.001,N,01131.000,E,1,08,0.9,545.4,M,,M,,",
          NTRIP_GGA_LATITUDE },
        { "$GPGGA,1,9060.0,N,01131.000,E,1,08,0.9,545.4,M,,M,,",
          NTRIP_GGA_LATITUDE },
        { "$GPGGA,1,4860.001,N,01131.000,E,1,08,0.9,545.4,M,,M,,",
          NTRIP_GGA_LATITUDE },
        { "$GPGGA,1,4861.0,N,01131.000,E,1,08,0.9,545.4,M,,M,,",
          NTRIP_GGA_LATITUDE },
        { "$GPGGA,1,-807.038,N,01131.000,E,1,08,0.9,545.4,M,,M,,",
          NTRIP_GGA_LATITUDE },
        { "$GPGGA,1,48x7.038,N,01131.000,E,1,08,0.9,545.4,M,,M,,",
          NTRIP_GGA_LATITUDE },
        { "$GPGGA,1,4807.0.8,N,01131.000,E,1,08,0.9,545.4,M,,M,,",
          NTRIP_GGA_LATITUDE },
        { "$GPGGA,1,.,N,01131.000,E,1,08,0.9,545.4,M,,M,,",
          NTRIP_GGA_LATITUDE },
        { "$GPGGA,1,nan,N,01131.000,E,1,08,0.9,545.4,M,,M,,",
          NTRIP_GGA_LATITUDE },
        { "$GPGGA,1,1e1,N,01131.000,E,1,08,0.9,545.4,M,,M,,",
          NTRIP_GGA_LATITUDE },
        { "$GPGGA,1,48 07.038,N,01131.000,E,1,08,0.9,545.4,M,,M,,",
          NTRIP_GGA_LATITUDE },
        { "$GPGGA,1,4807.038,N,18000.001,E,1,08,0.9,545.4,M,,M,,",
          NTRIP_GGA_LONGITUDE },
        { "$GPGGA,1,4807.038,N,18060.0,E,1,08,0.9,545.4,M,,M,,",
          NTRIP_GGA_LONGITUDE },
        { "$GPGGA,1,4807.038,N,01160.5,E,1,08,0.9,545.4,M,,M,,",
          NTRIP_GGA_LONGITUDE },
        { "$GPGGA,1,4807.038,N,+1131.000,E,1,08,0.9,545.4,M,,M,,",
          NTRIP_GGA_LONGITUDE },
        { "$GPGGA,1,4807.038,N,inf,E,1,08,0.9,545.4,M,,M,,",
          NTRIP_GGA_LONGITUDE },
        { "$GPGGA,1,4807.038,,01131.000,E,1,08,0.9,545.4,M,,M,,",
          NTRIP_GGA_LATITUDE },
        { "$GPGGA,1,4807.038,X,01131.000,E,1,08,0.9,545.4,M,,M,,",
          NTRIP_GGA_LATITUDE },
        { "$GPGGA,1,4807.038,N,01131.000,X,1,08,0.9,545.4,M,,M,,",
          NTRIP_GGA_LONGITUDE },
        { "$GPGGA,1,4807.038,N,01131.000,EE,1,08,0.9,545.4,M,,M,,",
          NTRIP_GGA_LONGITUDE },
        { "$GPGGA,1,4807.038,N,01131.000,E,12,08,0.9,545.4,M,,M,,",
          NTRIP_GGA_QUALITY },
        { "$GPGGA,1,4807.038,N,01131.000,E,x,08,0.9,545.4,M,,M,,",
          NTRIP_GGA_QUALITY },
        { "$GPGGA,1,4807.038,N,01131.000,E,-1,08,0.9,545.4,M,,M,,",
          NTRIP_GGA_QUALITY },
        { "$GPGGA,1,4807.038,N,01131.000,E,1,08,0.9,999999999,M,,M,,",
          NTRIP_GGA_ALTITUDE },

        /* HDOP or altitude? */

        { "$GPGGA,1,0,4807,038,N,01131,000,E,1,08,0,9,545,M,46,9,M,,",
          NTRIP_GGA_FIELDS },

        /* damaged on its way */

        { "$GPGGA,1,4807.038,N,99131.000,E,1,08,0.9,545.4,M,,M,,*00",
          NTRIP_GGA_CHECKSUM },
        { "$GPRMC,1,2",
          NTRIP_GGA_FIELDS },
        { "$GPGGA",
          NTRIP_GGA_FIELDS },
        { "",
          NTRIP_GGA_FIELDS }
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        s = tap_str(tests[i].in);
        memset(&gga, 0, sizeof(gga));

        rc = ntrip_gga_parse(&gga, &s);

        if (tests[i].rc != NGX_OK) {
            tap_ok(rc == tests[i].rc, "%s", tests[i].in);

        } else {
            tap_ok(rc == NGX_OK
                   && fabs(gga.latitude - tests[i].lat) < 1e-8
                   && fabs(gga.longitude - tests[i].lon) < 1e-8
                   && fabs(gga.height - tests[i].height) < 1e-6
                   && (int) gga.quality == tests[i].quality
                   && (int) gga.satellites == tests[i].sats,
                   "%s", tests[i].in);
        }

        free(s.data);
    }

    for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        s = tap_str(wrong[i].in);
        rc = ntrip_gga_parse(&gga, &s);

        if (!tap_ok(rc == NGX_ERROR && gga.error == wrong[i].error,
                    "%s", wrong[i].in))
        {
            printf("# got %d, %s\n", (int) rc, ntrip_gga_error(gga.error));
        }

        free(s.data);
    }
}


static void
test_line(void)
{
    size_t       i;
    u_char       buf[NTRIP_GGA_LINE_MAX], data[NTRIP_GGA_MAX];
    ngx_str_t    s, got;
    ntrip_gga_t  gga;
    ntrip_out_t  out;

    static const struct {
        const char  *name;
        const char  *in;
        const char  *out;                /* without checksum */
    } tests[] = {

        { "a missing checksum is added", "$GPGGA,1,2", "$GPGGA,1,2" },
        { "a wrong one is replaced", "$GPGGA,1,2*00", "$GPGGA,1,2" },
        { "a short one, too", "$GPGGA,1,2*5", "$GPGGA,1,2" },
        { "and none behind its star", "$GPGGA,1,2*", "$GPGGA,1,2" },
        { "blanks go", "$GPGGA, 1,4807.038 , N ,5*00",
          "$GPGGA,1,4807.038,N,5" },
        { "60 minutes are a degree",
          "$GPGGA,1,5960.000,N,02960.0000,E,1,00,1.0,-15.988,M,15.988,M,0.0,",
          "$GPGGA,1,6000.000,N,03000.0000,E,1,00,1.0,-15.988,M,15.988,M,0.0,"
        },
        { "with another digit", "$GPGGA,1,0960.,S,9960,W",
          "$GPGGA,1,1000.,S,10000,W" },
        { "59.99999999999999999 stay",
          "$GPGGA,1,4859.99999999999999999,N,01131.000,E,1,08",
          "$GPGGA,1,4859.99999999999999999,N,01131.000,E,1,08" },
        { "commas become points",
          "$GPGGA,101010,00,4807,038,N,01131,000,E,1,08,0,9,545,4,M,46,9,M,1,"
          "0,7*00",
          "$GPGGA,101010.00,4807.038,N,01131.000,E,1,08,0.9,545.4,M,46.9,M,"
          "1.0,7" },
        { "what is no number goes",
          "$GPGGA,1,4807.038,N,01131.000,E,1,xx,nan,nan,M,inf,M,?,7",
          "$GPGGA,1,4807.038,N,01131.000,E,1,,,,M,,M,,7" }
    };

    got.data = buf;

    ngx_str_set(&s, GOOD);
    ntrip_out_init(&out, buf, sizeof(buf));
    ntrip_gga_line(&out, &s);
    got.len = out.last - buf;
    tap_is(&got, GOOD "\r\n", "a right checksum stays");

    ngx_str_set(&s, "$GPGGA,1,0000,N,0,E,1*6d");
    ntrip_out_init(&out, buf, sizeof(buf));
    ntrip_gga_line(&out, &s);
    got.len = out.last - buf;
    tap_is(&got, "$GPGGA,1,0000,N,0,E,1*6d\r\n", "in its case");

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        s = tap_str(tests[i].in);
        ntrip_out_init(&out, buf, sizeof(buf));
        ntrip_gga_line(&out, &s);
        free(s.data);

        got.len = out.last - buf - (sizeof("*00\r\n") - 1);
        tap_is(&got, tests[i].out, tests[i].name);

        got.len = out.last - buf;
        tap_ok(ntrip_gga_parse(&gga, &got) != NGX_ERROR
               || gga.error != NTRIP_GGA_CHECKSUM, "with the right checksum");
    }

    memset(data, '1', sizeof(data));
    memcpy(data, "$GPGGA,1,0060,N,9960,E,", 23);
    s.data = data;
    s.len = sizeof(data);
    ntrip_out_init(&out, buf, sizeof(buf));
    ntrip_gga_line(&out, &s);
    tap_ok(!out.overflow && out.last >= out.end - 1, "the longest fits");
}


static double
distance(double lat1, double lon1, double h1, double lat2, double lon2,
    double h2)
{
    ntrip_gga_t       a = { lat1, lon1, h1, 1, 0, -1, 0 };
    ntrip_gga_t       b = { lat2, lon2, h2, 1, 0, -1, 0 };
    ntrip_position_t  p, q;

    ntrip_gga_position(&p, &a);
    ntrip_gga_position(&q, &b);

    return ntrip_position_distance(&p, &q);
}


static int
near(double got, double expected, double tolerance)
{
    if (fabs(got - expected) <= tolerance) {
        return 1;
    }

    printf("# got %f, expected %f\n", got, expected);

    return 0;
}


static void
test_distance(void)
{
    ntrip_gga_t       a = { 0, 0, 0, 1, 0, -1, 0 };
    ntrip_position_t  p;

    ntrip_gga_position(&p, &a);
    tap_ok(near(p.x, 6378137, 1e-6) && near(p.y, 0, 1e-6)
           && near(p.z, 0, 1e-6), "the equator's radius");

    a.latitude = 90;
    ntrip_gga_position(&p, &a);
    tap_ok(near(p.x, 0, 1e-6) && near(p.z, 6356752.314245, 1e-5),
           "the pole's radius");

    tap_ok(near(distance(0, 0, 0, 0, 180, 0), 2 * 6378137, 1e-6),
           "straight through the earth");
    tap_ok(near(distance(48, 11, 500, 48, 11, 1500), 1000, 1e-6),
           "height counts");
    tap_ok(near(distance(10, 179.9999, 0, 10, -179.9999, 0), 21.93, 0.01),
           "across the date line");
    tap_ok(near(distance(0.0001, 20, 0, -0.0001, 20, 0), 22.115, 0.001),
           "across the equator");
    tap_ok(near(distance(48, 11, 0, 48.27, 11, 0), 30022, 15),
           "30 km in the north");
    tap_ok(distance(1, 2, 3, 1, 2, 3) == 0, "none at all");
}


static void
test_geohash(void)
{
    size_t       i;
    u_char       buf[32];
    ngx_str_t    got;
    ntrip_out_t  out;

    static const struct {
        double       lat, lon;
        ngx_uint_t   len;
        const char  *hash;
    } tests[] = {
        { 57.64911, 10.40744, 11, "u4pruydqqvj" },
        { 42.605, -5.603, 5, "ezs42" },
        { 37.8324, 112.5584, 9, "ww8p1r4t8" },
        { -90, -180, 4, "0000" },
        { 90, 180, 4, "zzzz" },
        { 0, 0, 20, "s00000000000" }
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        ntrip_out_init(&out, buf, sizeof(buf));
        ntrip_geohash(&out, tests[i].lat, tests[i].lon, tests[i].len);
        got.data = buf;
        got.len = out.last - buf;
        tap_is(&got, tests[i].hash, tests[i].hash);
    }
}


int
main(void)
{
    test_splitter();
    test_long();
    test_parser();
    test_line();
    test_distance();
    test_geohash();

    return tap_done();
}
