
/*
 * sources: ntrip_json_read.c ntrip_json.c ntrip_text.c
 * core: src/core/ngx_string.c
 * libs: -lm
 *
 * What is read as an object is written as one again, and reads the same.
 */


#include "fuzz.h"
#include "ntrip_protocol.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char               *buf;
    char                  name[16];
    ngx_str_t             text, again;
    ngx_uint_t            i, n, m;
    ntrip_json_t          json;
    ntrip_json_member_t   first[NTRIP_JSON_MEMBERS];
    ntrip_json_member_t   second[NTRIP_JSON_MEMBERS];

    if (size > NTRIP_JSON_STRING) {
        return 0;
    }

    text = fuzz_copy(data, size);
    n = NTRIP_JSON_MEMBERS;

    if (ntrip_json_read(&text, first, &n) != NGX_OK) {
        free(text.data);
        return 0;
    }

    test(n <= NTRIP_JSON_MEMBERS);

    buf = malloc(6 * size + 1024);
    test(buf != NULL);

    ntrip_json_init(&json, buf, 6 * size + 1024, NULL, 0);
    ntrip_json_open(&json, NULL, '{');

    for (i = 0; i < n; i++) {
        sprintf(name, "%d", (int) i);

        switch (first[i].type) {

        case NTRIP_JSON_TEXT:
            ntrip_json_str(&json, name, &first[i].text);
            break;

        case NTRIP_JSON_NUMBER:
            ntrip_json_int(&json, name, first[i].number);
            break;

        case NTRIP_JSON_BOOL:
            ntrip_json_bool(&json, name, (ngx_uint_t) first[i].number);
            break;

        default:
            ntrip_json_null(&json, name);
        }
    }

    ntrip_json_close(&json, '}');
    test(!json.out.overflow);

    again.data = buf;
    again.len = json.out.last - buf;
    m = NTRIP_JSON_MEMBERS;

    test(ntrip_json_read(&again, second, &m) == NGX_OK);
    test(m == n);

    for (i = 0; i < n; i++) {
        test(first[i].type == second[i].type);
        test(first[i].number == second[i].number);
        test(first[i].text.len == second[i].text.len);
        test(first[i].text.len == 0
             || memcmp(first[i].text.data, second[i].text.data,
                       first[i].text.len) == 0);
    }

    free(buf);
    free(text.data);

    return 0;
}
