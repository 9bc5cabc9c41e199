
/*
 * Fieldgate: announced URLs, charsets by name, and the prefilter alone.
 *
 * sources: cwmp_url.c cwmp_charset.c
 *          cwmp_prefilter.c
 */


#include "cwmp_charset.h"
#include "cwmp_prefilter.h"
#include "cwmp_url.h"

#include <stdio.h>
#include <stdlib.h>


static ngx_uint_t  tests;
static ngx_uint_t  failed;


static void
ok(ngx_uint_t good, const char *name)
{
    tests++;

    if (!good) {
        failed++;
    }

    printf("%sok %d - %s\n", good ? "" : "not ", (int) tests, name);
}


static ngx_str_t
str(const char *s)
{
    ngx_str_t  r;

    r.data = (u_char *) s;
    r.len = strlen(s);

    return r;
}


/* in a block of the size that cwmp_url_size() promises */

static void
is_url(u_char *end, u_char *buf, size_t size, const char *expected)
{
    size_t  len;

    len = end - buf;

    ok(len <= size && len == strlen(expected)
       && memcmp(buf, expected, len) == 0, expected);

    if (len != strlen(expected) || memcmp(buf, expected, len) != 0) {
        printf("# %.*s\n", (int) len, buf);
    }

    free(buf);
}


static void
query(const char *public, const char *origin, const char *sig,
    const char *expected)
{
    u_char     *buf;
    size_t      size;
    ngx_str_t   p, o, s, none;

    p = str(public);
    o = str(origin);
    s = str(sig);
    none = str("");

    cwmp_url_trim(&o);

    size = cwmp_url_size(&p, &none, &o, &s);
    buf = malloc(size);

    is_url(cwmp_url_query(buf, &p, &o, &s), buf, size, expected);
}


static void
path(const char *public, const char *target, const char *origin,
    const char *sig, const char *expected)
{
    u_char     *buf;
    size_t      size;
    ngx_str_t   p, t, o, s;

    p = str(public);
    t = str(target);
    o = str(origin);
    s = str(sig);

    size = cwmp_url_size(&p, &t, &o, &s);
    buf = malloc(size);

    is_url(cwmp_url_path(buf, &p, &t, &o, &s), buf, size, expected);
}


static void
test_urls(void)
{
    query("http://127.0.0.1:8080/client", "http://192.168.100.50:7547", "",
          "http://127.0.0.1:8080/client?origin=http://192.168.100.50:7547");
    query("http://p/c", "\r\n http://o/ \x01\t", "",
          "http://p/c?origin=http://o/");
    query("http://p/c", "http://o/", "S-_9", "http://p/c?origin=http://o/"
          "&sig=S-_9");
    query("http://p/c?a=1", "http://o/", "", "http://p/c?a=1&origin=http://o/");
    query("http://p/c?", "http://o/", "", "http://p/c?origin=http://o/");
    query("http://p/c?a=1&", "http://o/", "S",
          "http://p/c?a=1&origin=http://o/&sig=S");
    query("http://p/c", "http://[fd00::1]:7547/a?b=c", "",
          "http://p/c?origin=http://[fd00::1]:7547/a?b=c");
    query("http://p/c", "%&+#;\"<> \x01\x7f\x80\xff", "",
          "http://p/c?origin=%25%26%2B%23%3B%22%3C%3E%20%01%7F%80%FF");
    query("http://p/c", "!'()*,-./:=?@[\\]^_`{|}~", "",
          "http://p/c?origin=!'()*,-./:=?@[\\]^_`{|}~");
    query("http://p/c", "", "", "http://p/c?origin=");

    path("http://p:7548", "/r4nd?x=1", "10.0.0.7:7547", "S",
         "http://p:7548/r4nd?x=1&origin=10.0.0.7:7547&sig=S");
    path("http://p:7548/", "/", "[fd00::1]:80", "",
         "http://p:7548/?origin=[fd00::1]:80");
    path("http://p", "?x", "h:1", "S", "http://p/?x&origin=h:1&sig=S");
    path("http://p", "/a?b?", "h:1", "", "http://p/a?b?&origin=h:1");
    path("http://p", "/a?", "h:1", "", "http://p/a?origin=h:1");
    path("http://p", "", "(null)", "", "http://p/?origin=(null)");
    path("http://p", "/%2B+;a b\"#\xff", "h:1", "",
         "http://p/%2B+;a%20b%22%23%FF?origin=h:1");
}


static void
charset(const char *name, ngx_uint_t class)
{
    ok(cwmp_charset((u_char *) name, strlen(name)) == class, name);
}


static void
content_type(const char *value, ngx_uint_t class)
{
    ngx_str_t  s;

    s = str(value);
    ok(cwmp_charset_content_type(&s) == class, value);
}


static void
declaration(const char *text, ngx_uint_t cut, ngx_uint_t class)
{
    ok(cwmp_charset_declaration((u_char *) text, strlen(text), cut) == class,
       text);
}


static void
test_charsets(void)
{
    charset("", CWMP_CHARSET_NONE);
    charset("utf-8", CWMP_CHARSET_ASCII);
    charset("UTF_8", CWMP_CHARSET_ASCII);
    charset("US-ASCII", CWMP_CHARSET_ASCII);
    charset("ISO-8859-1", CWMP_CHARSET_ASCII);
    charset("ISO_8859-15", CWMP_CHARSET_ASCII);
    charset("latin1", CWMP_CHARSET_ASCII);
    charset("Windows-1252", CWMP_CHARSET_ASCII);
    charset("cp866", CWMP_CHARSET_ASCII);
    charset("GB2312", CWMP_CHARSET_ASCII);
    charset("Shift_JIS", CWMP_CHARSET_ASCII);
    charset("EUC-KR", CWMP_CHARSET_ASCII);
    charset("UTF-16", CWMP_CHARSET_OTHER);
    charset("utf-16le", CWMP_CHARSET_OTHER);
    charset("UTF-16BE", CWMP_CHARSET_OTHER);
    charset("ucs-2", CWMP_CHARSET_OTHER);
    charset("utf-7", CWMP_CHARSET_OTHER);
    charset("utf-32", CWMP_CHARSET_OTHER);
    charset("cp037", CWMP_CHARSET_OTHER);
    charset("cp932", CWMP_CHARSET_ASCII);
    charset("cp933", CWMP_CHARSET_OTHER);
    charset("IBM1047", CWMP_CHARSET_OTHER);
    charset("iso-2022-jp", CWMP_CHARSET_OTHER);
    charset("hz-gb-2312", CWMP_CHARSET_OTHER);
    charset("latinx", CWMP_CHARSET_OTHER);
    charset("utf8mb4", CWMP_CHARSET_OTHER);
    charset("a-name-that-is-longer-than-any-charset", CWMP_CHARSET_OTHER);

    content_type("", CWMP_CHARSET_NONE);
    content_type("text/xml", CWMP_CHARSET_NONE);
    content_type("text/xml;charset=utf-8", CWMP_CHARSET_ASCII);
    content_type("text/xml; Charset = \"UTF-16\"; x=y", CWMP_CHARSET_OTHER);
    content_type("text/xml; x=y ;charset='utf-7'", CWMP_CHARSET_OTHER);
    content_type("text/xml; charset=utf-8; charset=utf-16",
                 CWMP_CHARSET_OTHER);
    content_type("text/xml; charset=utf-8; charset=latin1",
                 CWMP_CHARSET_ASCII);
    content_type("text/xml; charset=", CWMP_CHARSET_NONE);
    content_type("text/xml; charset", CWMP_CHARSET_NONE);
    content_type("text/xml;;; charset=utf-7;", CWMP_CHARSET_OTHER);
    content_type("text/xml; xcharset=utf-7", CWMP_CHARSET_NONE);

    declaration("xml version='1.0' encoding='utf-8'", 0, CWMP_CHARSET_ASCII);
    declaration("xml encoding = \"UTF-16\" standalone='yes'", 0,
                CWMP_CHARSET_OTHER);
    declaration("xml version='1.0'", 0, CWMP_CHARSET_NONE);
    declaration("xml version='1.0'", 1, CWMP_CHARSET_OTHER);
    declaration("xml encoding='utf-8", 1, CWMP_CHARSET_OTHER);
    declaration("xml encoding", 0, CWMP_CHARSET_OTHER);
    declaration("XML encoding='utf-7'", 0, CWMP_CHARSET_OTHER);
    declaration("xmlx encoding='utf-7'", 0, CWMP_CHARSET_NONE);
    declaration("x encoding='utf-7'", 1, CWMP_CHARSET_NONE);
}


static void
filter(const char *in, size_t len, ngx_uint_t declared, ngx_uint_t found)
{
    u_char            *copy;
    off_t              end;
    size_t             n;
    ngx_uint_t         whole, split;
    cwmp_prefilter_t   f;

    copy = malloc(len);
    memcpy(copy, in, len);

    ngx_memzero(&f, sizeof(cwmp_prefilter_t));
    whole = cwmp_prefilter(&f, copy, len, declared) || f.names_end;
    end = f.names_end;

    /* where the first piece ends before the declaration, all are scanned */

    split = 1;

    for (n = 1; n < len; n++) {
        ngx_memzero(&f, sizeof(cwmp_prefilter_t));
        (void) cwmp_prefilter(&f, copy, n, declared);
        (void) cwmp_prefilter(&f, copy + n, len - n, declared);
        split &= ((f.hidden || f.names_end) >= found);
        split &= (f.hidden || f.names_end == end);
    }

    free(copy);

    ok(whole == found, in);
    ok(split, "never missed, split anywhere");
}


#define LITERAL(s)  s, sizeof(s) - 1


static void
test_prefilter(void)
{
    filter(LITERAL("<a>x&amp;y</a>"), CWMP_CHARSET_NONE, 0);
    filter(LITERAL("<?xml version='1.0' encoding='utf-8'?><a>q</a>"),
           CWMP_CHARSET_ASCII, 0);
    filter(LITERAL(" \r\n<a>Connectionrequesturl ConnectionRequestUR "
                   "equestURL</a>"), CWMP_CHARSET_NONE, 0);
    filter(LITERAL("<a>xConnectionRequestURLs</a>"), CWMP_CHARSET_NONE, 1);
    filter(LITERAL("<a>ConnectionReqConnectionRequestURL"),
           CWMP_CHARSET_NONE, 1);
    filter(LITERAL("<a>ConnectionRequestURL ConnectionRequestURL "
                   "ConnectionRequestUR</a>"), CWMP_CHARSET_NONE, 1);
    filter(LITERAL("<a>a&#65;</a>"), CWMP_CHARSET_NONE, 1);
    filter(LITERAL("<a><!-- --></a>"), CWMP_CHARSET_NONE, 1);
    filter(LITERAL("<a><?x?></a>"), CWMP_CHARSET_NONE, 1);
    filter(LITERAL("<a>\0</a>"), CWMP_CHARSET_NONE, 1);
    filter(LITERAL("<\0a\0>\0"), CWMP_CHARSET_NONE, 1);
    filter(LITERAL("\xef\xbb\xbf<a/>"), CWMP_CHARSET_NONE, 1);
    filter(LITERAL("\xff\xfe<a/>"), CWMP_CHARSET_NONE, 1);
    filter(LITERAL("\x4c\x6f\xa7\x94"), CWMP_CHARSET_NONE, 1);
    filter(LITERAL("a=b"), CWMP_CHARSET_NONE, 1);
    filter(LITERAL("<a/>"), CWMP_CHARSET_OTHER, 1);
    filter(LITERAL("<?xml version='1.0' encoding='utf-7'?><a/>"),
           CWMP_CHARSET_NONE, 1);
    filter(LITERAL("<?xml version='1.0' encoding='utf-16'?><a/>"),
           CWMP_CHARSET_NONE, 1);
    filter(LITERAL("<a>? ?> !< &x# <>!</a>"), CWMP_CHARSET_NONE, 0);
}


static void
test_escape(const char *text, const char *expected)
{
    u_char     buf[128];
    size_t     len;
    ngx_str_t  url;

    url = str(text);
    len = cwmp_url_escape(NULL, &url);

    ok(len == cwmp_url_escape(buf, &url)
       && len == strlen(expected) && memcmp(buf, expected, len) == 0,
       expected);
}


int
main(void)
{
    test_urls();
    test_escape("http://a/?origin=b&sig=c", "http://a/?origin=b&amp;sig=c");
    test_escape("http://a/", "http://a/");
    test_escape("&&a&", "&amp;&amp;a&amp;");
    test_escape("http://a/<b>?\"c&d\"",
                "http://a/&lt;b&gt;?&quot;c&amp;d&quot;");
    test_charsets();
    test_prefilter();

    printf("1..%d\n", (int) tests);

    return failed != 0;
}
