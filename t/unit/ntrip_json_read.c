
/*
 * sources: ntrip_json_read.c ntrip_json.c ntrip_text.c
 * core: src/core/ngx_string.c
 * libs: -lm
 */


#include "tap.h"
#include "ntrip_protocol.h"


static ntrip_json_member_t  members[NTRIP_JSON_MEMBERS];
static ngx_uint_t           n;


static ngx_int_t
parse(const char *text, size_t len, ngx_str_t *copy)
{
    *copy = tap_copy(text, len);
    n = NTRIP_JSON_MEMBERS;

    return ntrip_json_read(copy, members, &n);
}


static void
good(const char *text, ngx_uint_t count, const char *name)
{
    ngx_str_t  copy;

    tap_ok(parse(text, strlen(text), &copy) == NGX_OK && n == count, "%s",
           name);
    free(copy.data);
}


static void
bad(const char *text, size_t len, const char *name)
{
    ngx_str_t  copy;

    tap_ok(parse(text, len, &copy) == NGX_ERROR, "%s", name);
    free(copy.data);
}

#define BAD(text, name)  bad(text, sizeof(text) - 1, name)


static void
is(const char *text, const char *expected, const char *name)
{
    ngx_str_t  copy;

    if (tap_ok(parse(text, strlen(text), &copy) == NGX_OK && n == 1
               && members[0].type == NTRIP_JSON_TEXT, "%s: a string", name))
    {
        tap_is(&members[0].text, expected, name);
    }

    free(copy.data);
}


static void
number(const char *text, int64_t expected, const char *name)
{
    ngx_str_t  copy;

    tap_ok(parse(text, strlen(text), &copy) == NGX_OK && n == 1
           && members[0].type == NTRIP_JSON_NUMBER
           && members[0].number == expected, "%s", name);
    free(copy.data);
}


int
main(void)
{
    size_t     i, len;
    char       text[256];
    ngx_str_t  copy;

    static const char  whole[] =
        " { \"a\\u0062\" : \"x\" ,\r\n\t\"n\":-12,\"t\":true,\"f\":false,"
        "\"z\":null } ";

    good("{}", 0, "empty");
    good(whole, 5, "each type, with blanks");

    for (i = 0; i + 1 < sizeof(whole) - 2; i++) {
        if (parse(whole, i, &copy) != NGX_ERROR) {
            tap_ok(0, "cut at %d", (int) i);
        }

        free(copy.data);
    }

    is("{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "\"\\/\b\f\n\r\t", "escapes");
    is("{\"a\":\"\\u00e9\\u20AC\\ud83d\\ude00\"}",
       "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", "characters by number");
    is("{\"a\":\"\xc3\xa9\xf0\x9f\x98\x80\"}", "\xc3\xa9\xf0\x9f\x98\x80",
       "characters as they are");
    is("{\"a\":\"\"}", "", "an empty one");
    number("{\"a\":0}", 0, "zero");
    number("{\"a\":-999999999999999999}", -999999999999999999, "18 digits");

    BAD("", "nothing");
    BAD("{\"a\":1} x", "something behind");
    BAD("{\"a\":1,}", "a comma too many");
    BAD("{,\"a\":1}", "in front");
    BAD("{\"a\" 1}", "no colon");
    BAD("{a:1}", "a name without quotes");
    BAD("{\"a\":1,\"a\":2}", "a name twice");
    BAD("{\"a\":1,\"\\u0061\":2}", "the same, written otherwise");
    BAD("{\"a\":{}}", "an object within");
    BAD("{\"a\":[]}", "a list within");
    BAD("[]", "a list");
    BAD("{\"a\":01}", "a zero in front");
    BAD("{\"a\":-}", "a sign");
    BAD("{\"a\":1.5}", "a fraction");
    BAD("{\"a\":1e5}", "an exponent");
    BAD("{\"a\":1234567890123456789}", "19 digits");
    BAD("{\"a\":\"\n\"}", "a control");
    BAD("{\"a\":\"\\u0000\"}", "NUL");
    BAD("{\"a\":\"\\x\"}", "no such escape");
    BAD("{\"a\":\"\\\0\"}", "nor this one");
    BAD("{\"a\":\"\\ud83d\"}", "half a pair");
    BAD("{\"a\":\"\\ud83dx\\ude00\"}", "two halves");
    BAD("{\"a\":\"\\ude00\"}", "the other half");
    BAD("{\"a\":\"\xff\"}", "no UTF-8");
    BAD("{\"a\":tru}", "half a word");

    len = sprintf(text, "{");

    for (i = 0; i <= NTRIP_JSON_MEMBERS; i++) {
        len += sprintf(text + len, "%s\"%d\":1", i ? "," : "", (int) i);
    }

    len += sprintf(text + len, "}");
    bad(text, len, "too many");

    return tap_done();
}
