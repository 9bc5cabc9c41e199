
/*
 * sources: ntrip_json.c ntrip_text.c
 * libs: -lm
 *
 * Whatever a string has in it, between the quotes there is UTF-8 without
 * controls, quotes or single backslashes; the same for labels, but controls.
 */


#include "fuzz.h"
#include "ntrip_json.h"


static void
check(u_char *p, u_char *last, ngx_uint_t controls)
{
    size_t    n;
    uint32_t  c;

    while (p < last) {
        c = *p;

        if (c < 0x80) {
            test(controls || (c >= 0x20 && c != 0x7f));
            test(c != '\n' && c != '"');

            if (c == '\\') {
                test(p + 1 < last);
                test(strchr("\"\\un", p[1]) != NULL);
                p++;
            }

            p++;
            continue;
        }

        n = last - p;
        c = ngx_utf8_decode(&p, n);
        test(c < 0x110000 && (c < 0xd800 || c > 0xdfff));
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char               *buf;
    ngx_str_t             text;
    ntrip_json_t          json;
    ntrip_json_filter_t   filter;

    text = fuzz_copy(data, size);
    buf = malloc(6 * NTRIP_JSON_STRING + 6 * size + 64);
    test(buf != NULL);

    ngx_str_set(&filter.name, "q");
    filter.value = text;

    ntrip_json_init(&json, buf, 6 * NTRIP_JSON_STRING + 64, &filter, 1);
    ntrip_json_open(&json, NULL, '{');
    ntrip_json_str(&json, "a", &text);
    ntrip_json_close(&json, '}');

    test(!json.out.overflow);
    test(memcmp(buf, "{\"a\":\"", 6) == 0);
    test(memcmp(json.out.last - 2, "\"}", 2) == 0);
    test(ntrip_json_matches(&json));
    check(buf + 6, json.out.last - 2, 0);

    /* a filter by name, and what is no text */

    ngx_str_set(&filter.name, "b");
    ngx_str_set(&filter.value, "-0.5");

    ntrip_json_init(&json, buf, 6 * NTRIP_JSON_STRING + 64, &filter, 1);
    ntrip_json_open(&json, NULL, '{');
    ntrip_json_text(&json, "a", "-0.5");
    test(!ntrip_json_matches(&json));
    ntrip_json_fixed(&json, "b", -0.5, 1);
    test(ntrip_json_matches(&json));
    ntrip_json_null(&json, "c");
    ntrip_json_close(&json, '}');

    *json.out.last = '\0';
    test(strcmp((char *) buf, "{\"a\":\"-0.5\",\"b\":-0.5,\"c\":null}") == 0);

    ntrip_out_init(&json.out, buf, 6 * size + 64);
    ntrip_json_label(&json.out, &text);
    test(!json.out.overflow);
    check(buf, json.out.last, 1);

    free(buf);
    free(text.data);

    return 0;
}
