
/*
 * TAP for the unit tests of pure files.
 */


#ifndef _TAP_H_INCLUDED_
#define _TAP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


static int  tap_tests;
static int  tap_failed;


static int tap_ok(int good, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));


static int
tap_ok(int good, const char *fmt, ...)
{
    va_list  ap;

    printf("%sok %d - ", good ? "" : "not ", ++tap_tests);

    va_start(ap, fmt);
    vprintf(fmt, ap);
    va_end(ap);

    printf("\n");

    if (!good) {
        tap_failed++;
    }

    return good;
}


/* the bytes, or a diagnostic that shows both */

static inline int
tap_is(ngx_str_t *got, const char *expected, const char *name)
{
    size_t  len;

    len = strlen(expected);

    if (tap_ok(got->len == len
               && (len == 0 || memcmp(got->data, expected, len) == 0),
               "%s", name))
    {
        return 1;
    }

    printf("#      got: '%.*s'\n", (int) got->len, (char *) got->data);
    printf("# expected: '%s'\n", expected);

    return 0;
}


/* a copy of exactly its size on the heap, where a sanitizer sees overruns */

static inline ngx_str_t
tap_copy(const char *data, size_t len)
{
    ngx_str_t  copy;

    copy.len = len;
    copy.data = malloc(len ? len : 1);

    if (copy.data == NULL) {
        abort();
    }

    memcpy(copy.data, data, len);

    return copy;
}


static inline ngx_str_t
tap_str(const char *text)
{
    return tap_copy(text, strlen(text));
}


/* with t/run --long, so many times as much of it */

static inline ngx_uint_t
tap_long(ngx_uint_t n, ngx_uint_t times)
{
    return getenv("FIELDGATE_LONG") ? n * times : n;
}


static inline int
tap_done(void)
{
    printf("1..%d\n", tap_tests);

    return tap_failed ? 1 : 0;
}


#endif /* _TAP_H_INCLUDED_ */
