
/*
 * Fieldgate: character and entity references of XML.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_reference.h"


static size_t cwmp_reference_utf8(u_char *dst, uint32_t n);


size_t
cwmp_reference_decode(u_char *ref, size_t len)
{
    u_char      *p, *last;
    ngx_int_t    n;
    ngx_uint_t   i;

    static struct {
        ngx_str_t  name;
        u_char     c;
    } entities[] = {
        { ngx_string("&amp;"), '&' },
        { ngx_string("&lt;"), '<' },
        { ngx_string("&gt;"), '>' },
        { ngx_string("&quot;"), '"' },
        { ngx_string("&apos;"), '\'' }
    };

    if (ref[1] != '#') {
        for (i = 0; i < sizeof(entities) / sizeof(entities[0]); i++) {
            if (entities[i].name.len == len
                && ngx_memcmp(entities[i].name.data, ref, len) == 0)
            {
                ref[0] = entities[i].c;
                return 1;
            }
        }

        return len;
    }

    p = ref + 2;
    last = ref + len - 1;

    n = (p < last && (*p | 0x20) == 'x') ? ngx_hextoi(p + 1, last - p - 1)
                                         : ngx_atoi(p, last - p);

    if (n < 1 || n > 0x10ffff || (n >= 0xd800 && n <= 0xdfff)) {
        return len;
    }

    return cwmp_reference_utf8(ref, (uint32_t) n);
}


static size_t
cwmp_reference_utf8(u_char *dst, uint32_t n)
{
    if (n < 0x80) {
        dst[0] = (u_char) n;
        return 1;
    }

    if (n < 0x800) {
        dst[0] = (u_char) (0xc0 | (n >> 6));
        dst[1] = (u_char) (0x80 | (n & 0x3f));
        return 2;
    }

    if (n < 0x10000) {
        dst[0] = (u_char) (0xe0 | (n >> 12));
        dst[1] = (u_char) (0x80 | ((n >> 6) & 0x3f));
        dst[2] = (u_char) (0x80 | (n & 0x3f));
        return 3;
    }

    dst[0] = (u_char) (0xf0 | (n >> 18));
    dst[1] = (u_char) (0x80 | ((n >> 12) & 0x3f));
    dst[2] = (u_char) (0x80 | ((n >> 6) & 0x3f));
    dst[3] = (u_char) (0x80 | (n & 0x3f));

    return 4;
}
