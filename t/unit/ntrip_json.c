
/*
 * sources: ntrip_json.c ntrip_text.c
 * libs: -lm
 */


#include "tap.h"
#include "ntrip_json.h"


static u_char        buf[8192];
static ntrip_json_t  json;


static void
is(const char *expected, const char *name)
{
    ngx_str_t  got;

    got.data = buf;
    got.len = json.out.last - buf;

    tap_is(&got, expected, name);
}


static void
test_shape(void)
{
    ngx_str_t  empty;

    ngx_str_null(&empty);

    ntrip_json_init(&json, buf, sizeof(buf), NULL, 0);
    ntrip_json_open(&json, NULL, '{');
    ntrip_json_int(&json, "a", -5);
    ntrip_json_str(&json, "b", &empty);
    ntrip_json_open(&json, "c", '[');
    ntrip_json_open(&json, NULL, '{');
    ntrip_json_close(&json, '}');
    ntrip_json_int(&json, NULL, INT64_MIN);
    ntrip_json_null(&json, NULL);
    ntrip_json_close(&json, ']');
    ntrip_json_bool(&json, "d", 1);
    ntrip_json_fixed(&json, "e", -1.25, 1);
    ntrip_json_close(&json, '}');

    is("{\"a\":-5,\"b\":\"\",\"c\":[{},-9223372036854775808,null],\"d\":true,"
       "\"e\":-1.3}", "objects, lists, commas");
    tap_ok(!json.out.overflow && json.depth == 0, "whole");

    ntrip_json_init(&json, buf, 4, NULL, 0);
    ntrip_json_text(&json, "long", "longer");
    tap_ok(json.out.overflow, "no room");
}


static void
string(const char *text, size_t len, const char *expected, const char *name)
{
    ngx_str_t  s;

    s = tap_copy(text, len);

    ntrip_json_init(&json, buf, sizeof(buf), NULL, 0);
    ntrip_json_str(&json, NULL, &s);
    is(expected, name);

    free(s.data);
}


#define S(text, expected, name)                                               \
    string(text, sizeof(text) - 1, "\"" expected "\"", name)

#define UNKNOWN  "\xef\xbf\xbd"


static void
test_strings(void)
{
    char        big[NTRIP_JSON_STRING + 2];
    ngx_str_t   s;

    S("a\"b\\c/", "a\\\"b\\\\c/", "quotes and backslashes");
    S("\0\x1f\n\x7f ", "\\u0000\\u001f\\u000a\\u007f ", "controls");
    S("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80",
      "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "characters");
    S("\x80", UNKNOWN, "a byte that begins none");
    S("\xc0\x80", UNKNOWN UNKNOWN, "not the shortest form");
    S("\xe0\x9f\xbf", UNKNOWN UNKNOWN UNKNOWN, "nor here");
    S("\xf0\x8f\xbf\xbf", UNKNOWN UNKNOWN UNKNOWN UNKNOWN, "nor here");
    S("\xed\xa0\x80", UNKNOWN UNKNOWN UNKNOWN, "a surrogate");
    S("\xf4\x90\x80\x80", UNKNOWN UNKNOWN UNKNOWN UNKNOWN, "above the last");
    S("\xf5", UNKNOWN, "beyond");
    S("\xe2\x82", UNKNOWN UNKNOWN, "cut off");
    S("\xe2\x82x", UNKNOWN UNKNOWN "x", "broken off");

    memset(big, 'a', sizeof(big));
    memcpy(big + NTRIP_JSON_STRING - 1, "\xe2\x82\xac", 3);

    s = tap_copy(big, sizeof(big));
    ntrip_json_init(&json, buf, sizeof(buf), NULL, 0);
    ntrip_json_str(&json, NULL, &s);
    tap_ok(json.out.last - buf == NTRIP_JSON_STRING - 1 + 2,
           "a long one is cut between characters");
    free(s.data);

    s = tap_str("a\"b\\c\nd\xff\x01");
    ntrip_json_init(&json, buf, sizeof(buf), NULL, 0);
    ntrip_json_label(&json.out, &s);
    is("a\\\"b\\\\c\\nd" UNKNOWN "\x01", "a label");
    free(s.data);
}


static ngx_uint_t
filtered(ngx_uint_t n, ...)
{
    va_list              ap;
    ngx_uint_t           i;
    ntrip_json_filter_t  filters[NTRIP_JSON_FILTERS];

    va_start(ap, n);

    for (i = 0; i < n; i++) {
        filters[i].name.data = (u_char *) va_arg(ap, char *);
        filters[i].name.len = strlen((char *) filters[i].name.data);
        filters[i].value.data = (u_char *) va_arg(ap, char *);
        filters[i].value.len = strlen((char *) filters[i].value.data);
    }

    va_end(ap);

    ntrip_json_init(&json, buf, sizeof(buf), filters, n);
    ntrip_json_open(&json, NULL, '{');
    ntrip_json_text(&json, "user", "Rover\"1");
    ntrip_json_int(&json, "port", 2101);
    ntrip_json_bool(&json, "tls", 0);
    ntrip_json_null(&json, "stream");
    ntrip_json_fixed(&json, "age", 1, 1);
    ntrip_json_open(&json, "in", '{');
    ntrip_json_int(&json, "deep", 1);
    ntrip_json_close(&json, '}');
    ntrip_json_close(&json, '}');

    return ntrip_json_matches(&json);
}


static void
test_filters(void)
{
    tap_ok(filtered(0), "no filter");
    tap_ok(filtered(1, "user", "Rover\"1"), "a string, as it is");
    tap_ok(!filtered(1, "user", "rover\"1"), "exactly");
    tap_ok(filtered(1, "port", "2101"), "a number");
    tap_ok(filtered(1, "tls", "false"), "false");
    tap_ok(filtered(1, "stream", "null"), "null");
    tap_ok(filtered(1, "age", "1.0"), "as it is written");
    tap_ok(!filtered(1, "deep", "1"), "fields of the item only");
    tap_ok(!filtered(1, "nothing", ""), "no such field");
    tap_ok(filtered(1, "q", "OVER"), "q");
    tap_ok(!filtered(1, "q", "210"), "of strings only");
    tap_ok(filtered(1, "q", ""), "an empty one is everywhere");
    tap_ok(filtered(2, "tls", "false", "port", "2101"), "both");
    tap_ok(!filtered(2, "tls", "false", "port", "2102"), "one of them");
    tap_ok(filtered(8, "q", "1", "q", "r", "q", "o", "q", "v", "q", "e",
                    "tls", "false", "port", "2101", "stream", "null"),
           "eight");
}


int
main(void)
{
    test_shape();
    test_strings();
    test_filters();

    return tap_done();
}
