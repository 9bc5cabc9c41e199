
/*
 * Items as JSON, and filters.
 *
 * sources: cwmp_item.c
 */


#include "tap.h"
#include "cwmp_item.h"


static u_char *
test_text(const char *text, size_t len)
{
    size_t          size;
    u_char         *last;
    ngx_str_t       value;
    ngx_uint_t      n;
    cwmp_field_t    fields[1];
    static u_char   buf[256];

    n = 0;
    value.data = (u_char *) text;
    value.len = len;

    cwmp_field_text(fields, &n, "a", &value);

    size = cwmp_item_size(fields, n);
    last = cwmp_item_write(buf, fields, n);
    *last = '\0';

    return (size_t) (last - buf) <= size ? buf : (u_char *) "too long";
}


#define test_is(text, json)                                                   \
    tap_ok(strcmp((char *) test_text(text, sizeof(text) - 1),                 \
                  "{\"a\":\"" json "\"}") == 0,                               \
           "%s: %s", json, test_text(text, sizeof(text) - 1))


static ngx_uint_t
test_matches(cwmp_field_t *fields, ngx_uint_t n, const char *name,
    const char *value)
{
    cwmp_filter_t  filter;

    filter.name.data = (u_char *) name;
    filter.name.len = strlen(name);
    filter.value.data = (u_char *) value;
    filter.value.len = strlen(value);

    return cwmp_item_matches(fields, n, &filter, 1);
}


static void
test_filters(void)
{
    u_char         buf[256];
    ngx_str_t      text;
    ngx_uint_t     n;
    cwmp_field_t   fields[4];

    n = 0;

    ngx_str_set(&text, "Box-One");
    cwmp_field_text(fields, &n, "id", &text);
    cwmp_field_number(fields, &n, "count", CWMP_FIELD_NUMBER, -12);
    cwmp_field_number(fields, &n, "took", CWMP_FIELD_MSEC, 1045);
    cwmp_field_null(fields, &n, "none");

    *cwmp_item_write(buf, fields, n) = '\0';
    tap_ok(strcmp((char *) buf, "{\"id\":\"Box-One\",\"count\":-12,"
                                "\"took\":1.045,\"none\":null}") == 0,
           "all kinds: %s", buf);

    tap_ok(cwmp_item_matches(fields, n, NULL, 0), "no filter");
    tap_ok(test_matches(fields, n, "id", "Box-One"), "a text");
    tap_ok(!test_matches(fields, n, "id", "box-one"), "in its own case");
    tap_ok(!test_matches(fields, n, "id", "Box-On"), "all of it");
    tap_ok(!test_matches(fields, n, "i", "Box-One"), "of that name");
    tap_ok(test_matches(fields, n, "count", "-12"), "a number");
    tap_ok(test_matches(fields, n, "took", "1.045"), "seconds");
    tap_ok(test_matches(fields, n, "none", "null"), "null");
    tap_ok(!test_matches(fields, n, "none", ""), "which is no empty text");
    tap_ok(!test_matches(fields, n, "other", "x"), "no such field");
    tap_ok(test_matches(fields, n, "q", "X-oN"), "a part");
    tap_ok(test_matches(fields, n, "q", ""), "an empty part");
    tap_ok(!test_matches(fields, n, "q", "Box-One1"), "more than there is");
    tap_ok(!test_matches(fields, n, "q", "12"), "of no number");
}


int
main(void)
{
    test_is("", "");
    test_is("abc", "abc");
    test_is("\"\\/\n\x01", "\\\"\\\\/\\n\\u0001");
    test_is("a\0b", "a\\u0000b");
    test_is("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
            "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80");
    test_is("\xff\x80", "\xef\xbf\xbd\xef\xbf\xbd");
    test_is("\xc3(", "\xef\xbf\xbd(");
    test_is("\xc3\xc3\xa9", "\xef\xbf\xbd\xc3\xa9");
    test_is("\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd");
    test_is("\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd");
    test_is("\xe0\x80\xaf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    test_is("\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
    test_is("\xf4\x90\x80\x80",
            "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");

    test_filters();

    return tap_done();
}
