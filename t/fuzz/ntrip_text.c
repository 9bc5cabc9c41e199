
/*
 * sources: ntrip_text.c
 * libs: -lm
 *
 * A text, a 0 byte, another one.  Each function that reads says what a plain
 * loop, or the C library, says of it; what is written as base64 comes back; and
 * nothing is written over the end of the output.
 */


#include "fuzz.h"
#include "ntrip_text.h"

#include <math.h>


static void
same(ngx_str_t *a, ngx_str_t *b)
{
    test(a->len == b->len);
    test(a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}


/* the items with commas between them are the list again */

static void
items(ngx_str_t *list, ngx_str_t *wanted)
{
    ngx_str_t   rest, item, made;
    fuzz_buf_t  all = { NULL, 0, 0 };
    ngx_uint_t  found;

    rest = *list;
    found = 0;

    while (rest.len) {
        item = ntrip_text_item(&rest);
        test(memchr(item.data, ',', item.len) == NULL);

        found |= (item.len == wanted->len
                  && memcmp(item.data, wanted->data, item.len) == 0);

        fuzz_add(&all, item.data, item.len);

        if (all.len < list->len) {
            fuzz_add(&all, ",", 1);
        }
    }

    made.data = all.data;
    made.len = all.len;
    same(&made, list);

    item = ntrip_text_item(&rest);
    test(item.len == 0 && rest.len == 0);
    test(ntrip_text_has_item(list, wanted) == found);

    free(all.data);
}


static void
words(ngx_str_t *text)
{
    size_t     n;
    ngx_str_t  rest, word, trimmed;

    rest = *text;

    for (n = 0; rest.len; n += word.len) {
        word = ntrip_text_word(&rest);
        test(word.len || rest.len == 0);
        test(memchr(word.data, ' ', word.len) == NULL
             && memchr(word.data, '\t', word.len) == NULL);
    }

    for (rest = *text; rest.len; rest.data++, rest.len--) {
        n += (*rest.data == ' ' || *rest.data == '\t');
    }

    test(n == text->len);

    trimmed = *text;
    ntrip_text_trim(&trimmed);
    test(trimmed.len == 0
         || (!isspace(trimmed.data[0]) || trimmed.data[0] == '\v'
             || trimmed.data[0] == '\f'));
    test(trimmed.data >= text->data
         && trimmed.data + trimmed.len <= text->data + text->len);
}


/* one character more of the pattern, or of the text */

static ngx_uint_t
matches(ngx_str_t p, ngx_str_t t)
{
    ngx_str_t  next;

    if (p.len == 0) {
        return t.len == 0;
    }

    next.data = p.data + 1;
    next.len = p.len - 1;

    if (*p.data == '*' && matches(next, t)) {
        return 1;
    }

    if (t.len == 0
        || (*p.data != '*' && ngx_tolower(*p.data) != ngx_tolower(*t.data)))
    {
        return 0;
    }

    t.data++;
    t.len--;

    return matches(*p.data == '*' ? p : next, t);
}


static void
base64(ngx_str_t *text)
{
    u_char       *buf, *back;
    size_t        size;
    ngx_str_t     coded, plain;
    ntrip_out_t   out;

    size = ngx_base64_encoded_length(text->len);
    buf = malloc(size + 1);
    back = malloc(text->len + 3);

    ntrip_out_init(&out, buf, size);
    ntrip_out_base64(&out, text->data, text->len);
    test(!out.overflow && out.last == out.end);

    coded.data = buf;
    coded.len = size;
    plain.data = back;
    test(ntrip_text_base64_decode(&plain, &coded) == NGX_OK);
    same(&plain, text);

    if (size) {
        ntrip_out_init(&out, buf, size - 1);
        ntrip_out_base64(&out, text->data, text->len);
        test(out.overflow && out.last == out.start);

        ntrip_out_str(&out, text);
        test(out.last == out.start);
    }

    /* and any text, which is none, or has that many bytes */

    if (ntrip_text_base64_decode(&plain, text) == NGX_OK) {
        test(plain.len <= text->len * 3 / 4);
    }

    free(buf);
    free(back);
}


static void
numbers(ngx_str_t *text)
{
    char          copy[32];
    u_char        buf[64];
    double        number, ours;
    ngx_str_t     trimmed, printed;
    ngx_int_t     n;
    ntrip_out_t   out;

    n = ntrip_text_number(text, 1000);
    test(n == NGX_ERROR || (n >= 0 && n <= 1000));

    trimmed = *text;
    ntrip_text_trim(&trimmed);

    if (ntrip_text_decimal(text, &number) != NGX_OK) {
        return;
    }

    test(trimmed.len <= 20);
    memcpy(copy, trimmed.data, trimmed.len);
    copy[trimmed.len] = '\0';
    test(fabs(number - strtod(copy, NULL)) <= fabs(number) * 1e-12);

    if (fabs(number) < 1e6) {
        ntrip_out_init(&out, buf, sizeof(buf));
        ntrip_out_fixed(&out, number, 2, 6);
        test(!out.overflow);

        printed.data = buf;
        printed.len = out.last - buf;
        test(ntrip_text_decimal(&printed, &ours) == NGX_OK);
        test(fabs(ours - number) <= 1e-6);
    }
}


static void
headers(ngx_str_t *line)
{
    ngx_str_t   name, value;
    ngx_uint_t  controls;
    size_t      i;

    if (ntrip_text_header(line, &name, &value) == NGX_OK) {
        test(memchr(name.data, ':', name.len) == NULL);
        test(name.data + name.len < value.data);
        test(value.data + value.len <= line->data + line->len);
    }

    controls = 0;

    for (i = 0; i < line->len; i++) {
        controls |= (iscntrl(line->data[i]) && line->data[i] != '\t');
    }

    test(ntrip_text_controls(line) == controls);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char        buf[32];
    size_t        n;
    ngx_str_t     a, b, small;
    ntrip_out_t   out;

    for (n = 0; n < size && data[n]; n++) { /* void */ }

    a = fuzz_copy(data, n);
    b = fuzz_copy(data + n + (n < size), size - n - (n < size));

    items(&a, &b);
    words(&b);
    base64(&b);
    numbers(&a);
    headers(&b);

    small = b;
    small.len = ngx_min(small.len, 16);

    if (a.len <= 5) {
        test(ntrip_text_glob(&a, &small) == matches(a, small));
    }

    test(ntrip_text_glob(&a, &a));
    test(ntrip_text_is(&a, "GET") == (a.len == 3
                                      && strncasecmp((char *) a.data, "GET", 3)
                                         == 0));
    test(!ntrip_text_is(&a, "GET") || ntrip_text_contains(&a, "et"));
    test(!ntrip_text_equal_case(&a, &b) || ntrip_text_glob(&a, &b));

    ntrip_out_init(&out, buf, sizeof(buf));
    ntrip_out_date(&out, (time_t) size * 1000003);
    test(!out.overflow && out.last - buf == 29);

    free(a.data);
    free(b.data);

    return 0;
}
