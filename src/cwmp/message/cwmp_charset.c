
/*
 * Fieldgate: charsets of messages.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_charset.h"
#include "cwmp_xml.h"


#define CWMP_CHARSET_NAME_MAX  32


typedef struct {
    const char  *name;
    ngx_uint_t   class;
} cwmp_charset_name_t;


static u_char *cwmp_charset_value(u_char **pos, u_char *last);


/*
 * Letters and digits only.  The multi-byte charsets listed here never use
 * the bytes of '<', '>' and '&' but for these characters; stateful ones, as
 * ISO-2022 and HZ, do.
 */

static cwmp_charset_name_t  cwmp_charset_names[] = {
    { "utf8", CWMP_CHARSET_ASCII },
    { "unicode11utf8", CWMP_CHARSET_ASCII },
    { "cesu8", CWMP_CHARSET_ASCII },
    { "ascii", CWMP_CHARSET_ASCII },
    { "usascii", CWMP_CHARSET_ASCII },
    { "us", CWMP_CHARSET_ASCII },
    { "ansix341968", CWMP_CHARSET_ASCII },
    { "iso646us", CWMP_CHARSET_ASCII },
    { "gb2312", CWMP_CHARSET_ASCII },
    { "gbk", CWMP_CHARSET_ASCII },
    { "gb18030", CWMP_CHARSET_ASCII },
    { "euccn", CWMP_CHARSET_ASCII },
    { "eucjp", CWMP_CHARSET_ASCII },
    { "euckr", CWMP_CHARSET_ASCII },
    { "euctw", CWMP_CHARSET_ASCII },
    { "big5", CWMP_CHARSET_ASCII },
    { "big5hkscs", CWMP_CHARSET_ASCII },
    { "shiftjis", CWMP_CHARSET_ASCII },
    { "sjis", CWMP_CHARSET_ASCII },
    { "mskanji", CWMP_CHARSET_ASCII },
    { "windows31j", CWMP_CHARSET_ASCII },
    { "windows874", CWMP_CHARSET_ASCII },
    { "windows932", CWMP_CHARSET_ASCII },
    { "windows936", CWMP_CHARSET_ASCII },
    { "windows949", CWMP_CHARSET_ASCII },
    { "windows950", CWMP_CHARSET_ASCII },
    { "cp437", CWMP_CHARSET_ASCII },
    { "cp737", CWMP_CHARSET_ASCII },
    { "cp775", CWMP_CHARSET_ASCII },
    { "cp874", CWMP_CHARSET_ASCII },
    { "cp932", CWMP_CHARSET_ASCII },
    { "cp936", CWMP_CHARSET_ASCII },
    { "cp949", CWMP_CHARSET_ASCII },
    { "cp950", CWMP_CHARSET_ASCII },
    { "ksc56011987", CWMP_CHARSET_ASCII },
    { "tis620", CWMP_CHARSET_ASCII },
    { "koi8r", CWMP_CHARSET_ASCII },
    { "koi8u", CWMP_CHARSET_ASCII },
    { "macintosh", CWMP_CHARSET_ASCII },
    { "utf16", CWMP_CHARSET_UTF16 },
    { "ucs2", CWMP_CHARSET_UTF16 },
    { "iso10646ucs2", CWMP_CHARSET_UTF16 },
    { "unicode", CWMP_CHARSET_UTF16 },
    { "utf16le", CWMP_CHARSET_UTF16LE },
    { "utf16be", CWMP_CHARSET_UTF16BE },
    { NULL, 0 }
};


/* followed by digits only; of cp93x, some are EBCDIC */

static cwmp_charset_name_t  cwmp_charset_families[] = {
    { "iso8859", CWMP_CHARSET_ASCII },
    { "88591", CWMP_CHARSET_ASCII },
    { "latin", CWMP_CHARSET_ASCII },
    { "windows125", CWMP_CHARSET_ASCII },
    { "cp125", CWMP_CHARSET_ASCII },
    { "cp85", CWMP_CHARSET_ASCII },
    { "cp86", CWMP_CHARSET_ASCII },
    { NULL, 0 }
};


ngx_uint_t
cwmp_charset(u_char *name, size_t len)
{
    size_t                n, k;
    u_char                c, buf[CWMP_CHARSET_NAME_MAX + 1];
    cwmp_charset_name_t  *e;

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

    for (e = cwmp_charset_names; e->name; e++) {
        if (ngx_strcmp(buf, e->name) == 0) {
            return e->class;
        }
    }

    for (e = cwmp_charset_families; e->name; e++) {
        k = ngx_strlen(e->name);

        if (ngx_strncmp(buf, e->name, k) == 0
            && buf[k + strspn((char *) buf + k, "0123456789")] == '\0')
        {
            return e->class;
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
    ngx_uint_t  i, zero;

    *bom = 0;

    if (len >= 3 && p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf) {
        *bom = 3;
        return CWMP_CHARSET_NONE;
    }

    if (len < 4) {
        return CWMP_CHARSET_NONE;
    }

    /* "<?xm" in EBCDIC, and the mark of UTF-7 */

    if (ngx_memcmp(p, "\x4c\x6f\xa7\x94", 4) == 0
        || ngx_memcmp(p, "+/v", 3) == 0)
    {
        return CWMP_CHARSET_OTHER;
    }

    for (i = 0, zero = 0; i < 4; i++) {
        zero = (zero << 1) | (p[i] == 0);
    }

    if (p[0] == 0xff && p[1] == 0xfe) {
        *bom = 2;
        return (zero & 3) == 3 ? CWMP_CHARSET_OTHER : CWMP_CHARSET_UTF16LE;
    }

    if (p[0] == 0xfe && p[1] == 0xff) {
        *bom = 2;
        return CWMP_CHARSET_UTF16BE;
    }

    switch (zero) {

    case 0:
        return CWMP_CHARSET_NONE;

    case 5:   /* 3C 00 3F 00 */
        return CWMP_CHARSET_UTF16LE;

    case 10:  /* 00 3C 00 3F */
        return CWMP_CHARSET_UTF16BE;

    default:
        return CWMP_CHARSET_OTHER;
    }
}
