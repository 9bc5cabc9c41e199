
/*
 * sources: ntrip_text.c
 */


#include "tap.h"
#include "ntrip_text.h"


static u_char  buf[256];


static ngx_str_t
text(ntrip_out_t *out)
{
    ngx_str_t  s;

    s.data = out->start;
    s.len = out->last - out->start;

    return s;
}


static void
test_numbers(void)
{
    ngx_str_t    s;
    ntrip_out_t  out;

    ntrip_out_init(&out, buf, sizeof(buf));
    ntrip_out_uint(&out, 0, 0);
    ntrip_out_char(&out, ' ');
    ntrip_out_uint(&out, 7, 2);
    ntrip_out_char(&out, ' ');
    ntrip_out_uint(&out, UINT64_MAX, 1);
    s = text(&out);
    tap_is(&s, "0 07 18446744073709551615", "unsigned numbers");

    ntrip_out_init(&out, buf, sizeof(buf));
    ntrip_out_fixed(&out, -0.00001, 1, 3);
    ntrip_out_char(&out, ' ');
    ntrip_out_fixed(&out, -122.4194, 1, 5);
    ntrip_out_char(&out, ' ');
    ntrip_out_fixed(&out, 7.999, 2, 1);
    ntrip_out_char(&out, ' ');
    ntrip_out_fixed(&out, 3, 1, 0);
    s = text(&out);
    tap_is(&s, "0.000 -122.41940 08.0 3", "fixed point");

    s = tap_str("65535");
    tap_ok(ntrip_text_number(&s, 65535) == 65535, "the largest number");
    tap_ok(ntrip_text_number(&s, 65534) == NGX_ERROR, "one too large");
    free(s.data);

    s = tap_str("99999999999999999999999");
    tap_ok(ntrip_text_number(&s, NGX_MAX_INT_T_VALUE) == NGX_ERROR,
           "no overflow");
    free(s.data);

    s = tap_str("5");
    tap_ok(ntrip_text_number(&s, 3) == NGX_ERROR, "a digit above the limit");
    free(s.data);

    s = tap_str("12a");
    tap_ok(ntrip_text_number(&s, 999) == NGX_ERROR, "not a number");
    s.len = 0;
    tap_ok(ntrip_text_number(&s, 999) == NGX_ERROR, "nothing");
    free(s.data);
}


static void
test_overflow(void)
{
    ngx_str_t    s;
    ntrip_out_t  out;

    ntrip_out_init(&out, buf, 8);
    ntrip_out_text(&out, "12345678");
    tap_ok(!out.overflow, "a buffer takes what it can");
    ntrip_out_text(&out, "");
    tap_ok(!out.overflow, "and nothing more");

    ntrip_out_init(&out, buf, 8);
    ntrip_out_text(&out, "1234");
    ntrip_out_text(&out, "56789");
    ntrip_out_text(&out, "abc");
    s = text(&out);
    tap_ok(out.overflow, "overflow is seen");
    tap_is(&s, "1234", "nothing comes behind what was dropped");
}


static void
test_date(void)
{
    size_t       i;
    ngx_str_t    s;
    ntrip_out_t  out;

    static const struct {
        time_t       time;
        const char  *date;
    } dates[] = {
        { 0,             "Thu, 01 Jan 1970 00:00:00 GMT" },
        { 951782399,     "Mon, 28 Feb 2000 23:59:59 GMT" },
        { 951782400,     "Tue, 29 Feb 2000 00:00:00 GMT" },
        { 1078012800,    "Sun, 29 Feb 2004 00:00:00 GMT" },
        { 1795294112,    "Sat, 21 Nov 2026 20:48:32 GMT" },
        { 2147483648LL,  "Tue, 19 Jan 2038 03:14:08 GMT" },
        { 4107542400LL,  "Mon, 01 Mar 2100 00:00:00 GMT" },
        { -5,            "Thu, 01 Jan 1970 00:00:00 GMT" }
    };

    for (i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
        ntrip_out_init(&out, buf, sizeof(buf));
        ntrip_out_date(&out, dates[i].time);
        s = text(&out);
        tap_is(&s, dates[i].date, dates[i].date);
    }
}


static void
test_date_as_libc(void)
{
    int          same;
    char         expected[64];
    time_t       t;
    struct tm    tm;
    ntrip_out_t  out;

    same = 1;

    for (t = 0; t < 8000000000LL; t += 86400 * 13 + 3607) {
        ntrip_out_init(&out, buf, sizeof(buf));
        ntrip_out_date(&out, t);

        gmtime_r(&t, &tm);
        strftime(expected, sizeof(expected), "%a, %d %b %Y %H:%M:%S GMT", &tm);

        same &= (out.last - out.start == (long) strlen(expected)
                 && memcmp(buf, expected, strlen(expected)) == 0);
    }

    tap_ok(same, "253 years of dates are those of gmtime()");
}


static void
test_base64(void)
{
    size_t       i, j;
    u_char       data[20];
    ngx_int_t    rc;
    ngx_str_t    in, decoded;
    ntrip_out_t  out;

    static const char  *good[][2] = {
        { "dXNlcjpwYXNz", "user:pass" }, { "dTpw", "u:p" },
        { "dXNlcjpw", "user:p" },        { "dXM6cGE=", "us:pa" },
        { "dXM6cGE", "us:pa" },          { "dTpwYQ==", "u:pa" },
        { "dTpwYQ", "u:pa" },            { "dTpwYQ=", "u:pa" },
        { "Pz8_", "???" },               { "Pj4-", ">>>" },
        { "", "" },                      { "=", "" }
    };

    static const char  *bad[] = {
        "dXNlc", "dXN lcjpw", "dX=lcjpw", "dTpwYQ===", "d", "dTp\n", "dT:w"
    };

    for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        in = tap_str(good[i][0]);
        decoded.data = in.data;
        rc = ntrip_text_base64_decode(&decoded, &in);
        tap_ok(rc == NGX_OK, "base64 '%s'", good[i][0]);
        tap_is(&decoded, good[i][1], "and what it says");
        free(in.data);
    }

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        in = tap_str(bad[i]);
        decoded.data = in.data;
        rc = ntrip_text_base64_decode(&decoded, &in);
        tap_ok(rc == NGX_ERROR, "no base64 %lu", (unsigned long) i);
        free(in.data);
    }

    for (i = 0, j = 0; i <= sizeof(data); i++) {
        memset(data, 0xf1 + (int) i, sizeof(data));

        ntrip_out_init(&out, buf, sizeof(buf));
        ntrip_out_base64(&out, data, i);
        in = text(&out);

        decoded.data = in.data;

        j += (ntrip_text_base64_decode(&decoded, &in) == NGX_OK
              && decoded.len == i && memcmp(decoded.data, data, i) == 0);
    }

    tap_ok(j == sizeof(data) + 1, "what is encoded is decoded, all lengths");
}


static void
test_words(void)
{
    ngx_str_t  a, b, rest, word;

    ngx_str_set(&a, "User-AGENT");
    ngx_str_set(&b, "uSER-agent");
    tap_ok(ntrip_text_equal_case(&a, &b), "case does not matter");
    tap_ok(ntrip_text_is(&a, "user-agent"), "nor here");
    tap_ok(!ntrip_text_is(&a, "user-agen"), "length does");
    tap_ok(!ntrip_text_is(&a, "user-agents"), "both ways");
    tap_ok(ntrip_text_begins(&a, "USER-"), "beginning");
    tap_ok(ntrip_text_contains(&a, "agent"), "within, at the end");
    tap_ok(!ntrip_text_contains(&a, "agents"), "not within");

    ngx_str_set(&a, "[");
    ngx_str_set(&b, "{");
    tap_ok(!ntrip_text_equal_case(&a, &b), "only letters have a case");

    ngx_str_set(&a, "\r\n \tx y \t\r\n");
    ntrip_text_trim(&a);
    tap_is(&a, "x y", "trimmed");

    ngx_str_set(&a, " \t ");
    ntrip_text_trim(&a);
    tap_is(&a, "", "trimmed to nothing");

    ngx_str_set(&rest, "  one\ttwo ");
    word = ntrip_text_word(&rest);
    tap_is(&word, "one", "first word");
    word = ntrip_text_word(&rest);
    tap_is(&word, "two", "second word");
    word = ntrip_text_word(&rest);
    tap_is(&word, "", "no more words");

    ngx_str_set(&a, "Name :\tv:w \r");
    tap_ok(ntrip_text_header(&a, &word, &rest) == NGX_OK, "a header");
    tap_is(&word, "Name", "its name");
    tap_is(&rest, "v:w", "its value");
    ngx_str_set(&a, "Name");
    tap_ok(ntrip_text_header(&a, &word, &rest) == NGX_DECLINED, "no header");
    ngx_str_set(&a, " Name: v");
    tap_ok(ntrip_text_header(&a, &word, &rest) == NGX_DECLINED, "folded");

    ngx_str_set(&a, "a\tb");
    tap_ok(!ntrip_text_controls(&a), "a tab is no control character");
    ngx_str_set(&a, "a\033b");
    tap_ok(ntrip_text_controls(&a), "ESC is one");
    ngx_str_set(&a, "a\177");
    tap_ok(ntrip_text_controls(&a), "DEL is one");
}


int
main(void)
{
    test_numbers();
    test_overflow();
    test_date();
    test_date_as_libc();
    test_base64();
    test_words();

    return tap_done();
}
