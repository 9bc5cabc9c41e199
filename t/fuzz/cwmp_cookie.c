
/*
 * sources: cwmp_cookie.c
 *
 * Pairs lie in the header, one after the other, without white space or
 * separators around them, and a header made of them alone gives the same.
 * What is left when those of a name are taken has all others, in their order.
 */


#include "fuzz.h"

#include "cwmp_cookie.h"


static void
test_pair(ngx_str_t *name, ngx_str_t *value, u_char *p, u_char *last)
{
    test(name->len > 0 && name->data >= p);
    test(name->data + name->len < value->data);
    test(value->data + value->len <= last);
    test(memchr(name->data, '=', name->len) == NULL);
    test(name->data[0] != ' ' && name->data[name->len - 1] != ' ');
}


static void
test_cookies(u_char *data, size_t size, fuzz_buf_t *out)
{
    u_char     *p;
    ngx_str_t   rest, name, value;

    p = data;
    rest.data = data;
    rest.len = size;

    while (cwmp_cookie_next(&rest, &name, &value) == NGX_OK) {
        test_pair(&name, &value, p, data + size);
        test(name.data[0] != '$');
        test(rest.data >= value.data + value.len);
        test(rest.data + rest.len == data + size);
        p = rest.data;

        fuzz_add(out, name.data, name.len);
        fuzz_add(out, "=\"", 2);
        fuzz_add(out, value.data, value.len);
        fuzz_add(out, "\";", 2);
    }

    test(rest.len == 0);
}


static void
test_take(u_char *data, size_t size)
{
    size_t       len;
    u_char      *dst;
    ngx_str_t    header, taken, name, value, rest, n, v, first;
    ngx_uint_t   found;

    header.data = data;
    header.len = size;
    ngx_str_set(&taken, "a");

    dst = malloc(size + 1);
    test(dst != NULL);

    if (cwmp_cookie_take(&header, &taken, &value, dst, &len) != NGX_OK) {
        len = size;
        memcpy(dst, data, size);
        first.data = NULL;

    } else {
        test(len < size);
        first = value;
    }

    rest.data = dst;
    rest.len = len;
    found = 0;

    while (cwmp_cookie_next(&header, &name, &value) == NGX_OK) {

        if (name.len == 1 && name.data[0] == 'a') {
            test(first.data && (found || (value.data == first.data
                                          && value.len == first.len)));
            found = 1;
            continue;
        }

        test(cwmp_cookie_next(&rest, &n, &v) == NGX_OK);
        test(n.len == name.len && memcmp(n.data, name.data, n.len) == 0);
        test(v.len == value.len && memcmp(v.data, value.data, v.len) == 0);
    }

    test(cwmp_cookie_next(&rest, &n, &v) == NGX_DONE);
    test(found == (first.data != NULL));

    free(dst);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char      *copy;
    ngx_str_t    header, name, value;
    fuzz_buf_t   first, second;

    copy = malloc(size + 1);
    test(copy != NULL);
    memcpy(copy, data, size);

    memset(&first, 0, sizeof(fuzz_buf_t));
    memset(&second, 0, sizeof(fuzz_buf_t));

    test_cookies(copy, size, &first);

    /* quotes inside a value or a name make another header */

    if (memchr(copy, '"', size) == NULL && first.len) {
        test_cookies(first.data, first.len, &second);
        test(first.len == second.len);
        test(memcmp(first.data, second.data, first.len) == 0);
    }

    test_take(copy, size);

    header.data = copy;
    header.len = size;

    if (cwmp_cookie_set(&header, &name, &value) == NGX_OK) {
        test_pair(&name, &value, copy, copy + size);
    }

    free(copy);
    free(first.data);
    free(second.data);

    return 0;
}
