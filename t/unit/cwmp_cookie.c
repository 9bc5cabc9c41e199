
/*
 * Fieldgate: cookies as CPEs and ACSs really send them.
 *
 * sources: cwmp_cookie.c
 */


#include "tap.h"

#include "cwmp_cookie.h"


static void
is(const char *got, const char *expected, const char *name)
{
    ngx_str_t  s;

    s.data = (u_char *) got;
    s.len = strlen(got);

    (void) tap_is(&s, expected, name);
}


/* all pairs, as "name=value|name=value|" */

static const char *
pairs(const char *header)
{
    size_t       n;
    ngx_str_t    rest, name, value;
    static char  out[512];

    rest.data = (u_char *) header;
    rest.len = strlen(header);
    n = 0;
    out[0] = '\0';

    while (cwmp_cookie_next(&rest, &name, &value) == NGX_OK) {
        n += snprintf(out + n, sizeof(out) - n, "%.*s=%.*s|",
                      (int) name.len, name.data,
                      (int) value.len, value.data);
    }

    return out;
}


static const char *
set(const char *header)
{
    ngx_str_t    s, name, value;
    static char  out[512];

    s.data = (u_char *) header;
    s.len = strlen(header);

    if (cwmp_cookie_set(&s, &name, &value) != NGX_OK) {
        return "none";
    }

    snprintf(out, sizeof(out), "%.*s=%.*s", (int) name.len, name.data,
             (int) value.len, value.data);

    return out;
}


/* what is left, and behind "|" the value that was taken */

static const char *
take(const char *header)
{
    size_t       len;
    u_char       dst[256];
    ngx_str_t    s, name, value;

    static char  out[512];

    s.data = (u_char *) header;
    s.len = strlen(header);
    ngx_str_set(&name, "aff");

    if (cwmp_cookie_take(&s, &name, &value, dst, &len) != NGX_OK) {
        return "none";
    }

    snprintf(out, sizeof(out), "%.*s|%.*s", (int) len, dst, (int) value.len,
             value.data);

    return out;
}


int
main(void)
{
    is(pairs("session=ab12"), "session=ab12|", "one");
    is(pairs("a=1; b=2"), "a=1|b=2|", "two");
    is(pairs("a=1;b=2;"), "a=1|b=2|", "no space, a separator at the end");
    is(pairs("a=1, b=2"), "a=1|b=2|", "a comma between cookies");
    is(pairs("session=ab; Path=/; HttpOnly"), "session=ab|Path=/|",
       "the whole Set-Cookie value sent back");
    is(pairs("$Version=1; session=\"ab\"; $Path=\"/\""), "session=ab|",
       "RFC 2109");
    is(pairs("a=\"1;2,3\"; b=x"), "a=1;2,3|b=x|", "separators in quotes");
    is(pairs("a=b=c==; d="), "a=b=c==|d=|", "equal signs and no value");
    is(pairs("  a =\t1  ;;; =x; word;b=2"), "a=1|b=2|", "white space, junk");
    is(pairs("a=\"1"), "a=\"1|", "a quote that never ends");
    is(pairs(""), "", "nothing");
    is(pairs(";,; ,"), "", "separators only");

    is(set("session=ab12"), "session=ab12", "set");
    is(set("session=ab12; Path=/; HttpOnly"), "session=ab12",
       "set with attributes");
    is(set("s=a,b; Expires=Wed, 21 Oct 2065 07:28:00 GMT"), "s=a,b",
       "commas belong to the value");
    is(set("session=ab12; max-age=0"), "session=", "taken back");
    is(set("session=ab12; Max-Age=-1"), "session=", "taken back, negative");
    is(set("session=ab12; Max-Age=30"), "session=ab12", "lives 30 s");
    is(set("session=; Path=/"), "session=", "no value");
    is(set("=x"), "none", "no name");
    is(set("word"), "none", "no pair");
    is(set(""), "none", "empty");

    is(take("a=1; aff=x; b=2"), "a=1; b=2|x", "taken from between");
    is(take("aff=x; a=1;b=2"), "a=1;b=2|x", "from the front");
    is(take("a=1 ,  aff=x"), "a=1 |x", "from the end");
    is(take("a=1;b=2;aff=x;"), "a=1;b=2;|x", "all else is as it was");
    is(take("aff=x"), "|x", "the only one");
    is(take(" ; aff=\"x\" ;; "), "|x", "with nothing but separators");
    is(take("aff=x; aff=y; a=1; aff=z"), "a=1|x", "each of that name");
    is(take("$Version=1; aff=x; $Path=/; a=1; $Path=/"),
       "$Version=1; a=1; $Path=/|x", "with what belongs to it");
    is(take("$Version=1; aff=x; $Path=/"), "|x", "also alone");
    is(take("a=\"1; aff=x\"; aff=y; word"), "a=\"1; aff=x\"; word|y",
       "not from between quotes");
    is(take("affx=1; xaff=2; AFF=3; aff"), "none", "other names");
    is(take(""), "none", "nothing");

    return tap_done();
}
