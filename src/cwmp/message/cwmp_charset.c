
/*
 * Fieldgate: charsets of messages.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_charset.h"
#include "cwmp_xml.h"


#define CWMP_CHARSET_NAME_MAX  32


static u_char *cwmp_charset_value(u_char **pos, u_char *last);


/*
 * Charsets that contain ASCII, by their letters and digits.  The multi-byte
 * ones never use the bytes of '<', '>' and '&' but for these characters;
 * stateful ones, as ISO-2022 and HZ, do.
 */

static const char  *cwmp_charset_names[] = {
    "utf8",
    "unicode11utf8",
    "cesu8",
    "ascii",
    "usascii",
    "us",
    "ansix341968",
    "iso646us",
    "gb2312",
    "gbk",
    "gb18030",
    "euccn",
    "eucjp",
    "euckr",
    "euctw",
    "big5",
    "big5hkscs",
    "shiftjis",
    "sjis",
    "mskanji",
    "windows31j",
    "windows874",
    "windows932",
    "windows936",
    "windows949",
    "windows950",
    "cp437",
    "cp737",
    "cp775",
    "cp874",
    "cp932",
    "cp936",
    "cp949",
    "cp950",
    "ksc56011987",
    "tis620",
    "koi8r",
    "koi8u",
    "macintosh",
    NULL
};


/* followed by digits only; of cp93x, some are EBCDIC */

static const char  *cwmp_charset_families[] = {
    "iso8859",
    "88591",
    "latin",
    "windows125",
    "cp125",
    "cp85",
    "cp86",
    NULL
};


ngx_uint_t
cwmp_charset(u_char *name, size_t len)
{
    size_t        n, k;
    u_char        c, buf[CWMP_CHARSET_NAME_MAX + 1];
    const char  **e;

    for (n = 0; len; len--) {
        c = ngx_tolower(*name);
        name++;

        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {

            if (n == CWMP_CHARSET_NAME_MAX) {
                return CWMP_CHARSET_OTHER;
            }

            buf[n++] = c;
        }
    }

    if (n == 0) {
        return CWMP_CHARSET_NONE;
    }

    buf[n] = '\0';

    for (e = cwmp_charset_names; *e; e++) {
        if (ngx_strcmp(buf, *e) == 0) {
            return CWMP_CHARSET_ASCII;
        }
    }

    for (e = cwmp_charset_families; *e; e++) {
        k = ngx_strlen(*e);

        if (ngx_strncmp(buf, *e, k) == 0
            && buf[k + strspn((char *) buf + k, "0123456789")] == '\0')
        {
            return CWMP_CHARSET_ASCII;
        }
    }

    return CWMP_CHARSET_OTHER;
}


ngx_uint_t
cwmp_charset_content_type(ngx_str_t *value)
{
    u_char      *p, *last, *start;
    ngx_uint_t   class, found;

    found = CWMP_CHARSET_NONE;

    p = value->data;
    last = p + value->len;

    while (p < last && (p = memchr(p, ';', last - p)) != NULL) {

        do {
            p++;
        } while (p < last && (*p == ' ' || *p == '\t'));

        if (last - p < 7
            || strncasecmp((char *) p, "charset", 7) != 0)
        {
            continue;
        }

        p += 7;
        start = cwmp_charset_value(&p, last);

        if (start == NULL) {
            continue;
        }

        class = cwmp_charset(start, p - start);

        if (found != CWMP_CHARSET_NONE && class != found) {
            return CWMP_CHARSET_OTHER;
        }

        found = class;
    }

    return found;
}


/*
 * From behind a name: the start of its value; *pos is moved to its end.
 */

static u_char *
cwmp_charset_value(u_char **pos, u_char *last)
{
    u_char  *p, *start, quote;

    p = *pos;

    while (p < last && cwmp_xml_is_space(*p)) {
        p++;
    }

    if (p == last || *p != '=') {
        return NULL;
    }

    do {
        p++;
    } while (p < last && cwmp_xml_is_space(*p));

    quote = 0;

    if (p < last && (*p == '"' || *p == '\'')) {
        quote = *p++;
    }

    start = p;

    while (p < last
           && (quote ? *p != quote : (*p != ';' && !cwmp_xml_is_space(*p))))
    {
        p++;
    }

    *pos = p;

    return start;
}


ngx_uint_t
cwmp_charset_declaration(u_char *p, size_t len, ngx_uint_t cut)
{
    u_char  *last, *start;

    last = p + len;

    if (len < 4
        || strncasecmp((char *) p, "xml", 3) != 0
        || !cwmp_xml_is_space(p[3]))
    {
        return CWMP_CHARSET_NONE;
    }

    for (p += 3; last - p > 8; p++) {

        if (!cwmp_xml_is_space(*p)
            || ngx_memcmp(p + 1, "encoding", 8) != 0)
        {
            continue;
        }

        p += 9;
        start = cwmp_charset_value(&p, last);

        if (start && !(cut && p == last)) {
            return cwmp_charset(start, p - start);
        }

        return CWMP_CHARSET_OTHER;
    }

    return cut ? CWMP_CHARSET_OTHER : CWMP_CHARSET_NONE;
}


ngx_uint_t
cwmp_charset_detect(u_char *p, size_t len, size_t *bom)
{
    *bom = 0;

    if (len >= 3 && p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf) {
        *bom = 3;
        return CWMP_CHARSET_NONE;
    }

    if (len < 4) {
        return CWMP_CHARSET_NONE;
    }

    /* "<?xm" in EBCDIC; the marks of UTF-7, UTF-16 and UTF-32; a NUL */

    if (ngx_memcmp(p, "\x4c\x6f\xa7\x94", 4) == 0
        || ngx_memcmp(p, "+/v", 3) == 0
        || ngx_memcmp(p, "\xff\xfe", 2) == 0
        || ngx_memcmp(p, "\xfe\xff", 2) == 0
        || memchr(p, '\0', 4))
    {
        return CWMP_CHARSET_OTHER;
    }

    return CWMP_CHARSET_NONE;
}
