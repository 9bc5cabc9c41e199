
/*
 * sources: ntrip_report.c ntrip_gga.c ntrip_text.c
 * libs: -lm
 */


#include "tap.h"
#include "ntrip_report.h"


static u_char       buf[NTRIP_REPORT_LINE];
static ntrip_out_t  out;


static void
begin(void)
{
    ntrip_out_init(&out, buf, sizeof(buf));
}


static void
is(const char *expected, const char *name)
{
    ngx_str_t  got;

    got.data = buf;
    got.len = out.last - buf;

    tap_is(&got, expected, name);
    tap_ok(!out.overflow, "%s: fits", name);
}


static void
test_usage(void)
{
    ntrip_report_usage_t  usage;

    memset(&usage, 0, sizeof(usage));

    begin();
    ntrip_report_usage(&out, &usage);
    is("Users Online 0, Source Using 0", "nothing known");

    usage.known = 1;
    begin();
    ntrip_report_usage(&out, &usage);
    is("Users Online 0 of 0, Source Using 0 of 0", "an empty database");

    usage.users_online = 12;
    usage.users_total = 500;
    usage.sources_using = 5;
    usage.sources_total = 10;
    begin();
    ntrip_report_usage(&out, &usage);
    is("Users Online 12 of 500 (2.4%), Source Using 5 of 10 (50.0%), "
       "Potency 2.40", "in use");
}


static void
test_rows(void)
{
    ntrip_report_row_t  row;

    memset(&row, 0, sizeof(row));

    row.source = tap_str("cors1@127.0.0.2:8001");
    row.mount = tap_str("RTCM32_GGB");
    row.user = tap_str("u0");
    row.addr = tap_str("127.0.0.1");
    row.point = ntrip_point(576491100, 104074400);
    row.login.tm_mon = 10;
    row.login.tm_mday = 1;
    row.login.tm_hour = 20;
    row.login.tm_min = 3;
    row.seconds = 10;
    row.bytes = 9011;

    begin();
    ntrip_report_row(&out, &row);
    is("| cors1@127.0.0.2:8001/RTCM32_GGB | 0 | u0 | 127.0.0.1 | u4pruy "
       "| 11-01 20:03 | 7208 | 8.8 KB |", "a row");

    free(row.source.data);
    row.source.len = 0;
    free(row.user.data);
    row.user = tap_str("a\r\n|\xc3");
    row.point = NTRIP_POINT_NONE;
    row.seconds = 0;
    row.bytes = 1023;
    row.slot = 255;

    begin();
    ntrip_report_row(&out, &row);
    is("| RTCM32_GGB | 255 | a???? | 127.0.0.1 |  | 11-01 20:03 | 0 | 1023 B |",
       "a name of control characters, no position, no source");

    row.bytes = 3ULL * 1024 * 1024 * 1024 * 1024;
    row.user.len = 1;

    begin();
    ntrip_report_row(&out, &row);
    is("| RTCM32_GGB | 255 | a | 127.0.0.1 |  | 11-01 20:03 | 0 | 3.0 TB |",
       "much");

    free(row.mount.data);
    free(row.user.data);
    free(row.addr.data);
}


int
main(void)
{
    test_usage();
    test_rows();

    return tap_done();
}
