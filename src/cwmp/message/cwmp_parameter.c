
/*
 * Fieldgate: parameters whose values are connection request URLs, or addresses
 * for UDP connection requests.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_parameter.h"
#include "cwmp_xml.h"


/* kept of a name that does not fit: more than the suffix */
#define CWMP_PARAMETER_NAME_TAIL  64

#define cwmp_parameter_bit(depth)  ((uint64_t) 1 << (depth))

#define cwmp_parameter_is(name, s)                                            \
    (ngx_memcmp((name)->data, s, sizeof(s) - 1) == 0)


static u_char *cwmp_parameter_plain(cwmp_parameter_t *pp, u_char *p,
    u_char *last);
static u_char *cwmp_parameter_plain_tag(u_char *p, u_char *last,
    const char *name, size_t len);
static u_char *cwmp_parameter_plain_text(u_char *p, u_char *last,
    const char *end, size_t len);
static ngx_uint_t cwmp_parameter_is_url(u_char *name, size_t len);
static ngx_uint_t cwmp_parameter_is_address(cwmp_parameter_t *pp,
    u_char *name, size_t len);
static void cwmp_parameter_start_name(cwmp_parameter_t *pp, ngx_uint_t depth);
static void cwmp_parameter_start_value(cwmp_parameter_t *pp, ngx_uint_t depth,
    off_t offset);
static ngx_uint_t cwmp_parameter_owner(cwmp_parameter_t *pp,
    ngx_uint_t depth);
static void cwmp_parameter_end_value(cwmp_parameter_t *pp, off_t offset);
static ngx_uint_t cwmp_parameter_end_struct(cwmp_parameter_t *pp,
    ngx_uint_t depth);
static ngx_uint_t cwmp_parameter_report(cwmp_parameter_t *pp,
    cwmp_parameter_value_t *v, ngx_uint_t address);
static void cwmp_parameter_name_text(cwmp_parameter_t *pp, u_char *p,
    size_t len);
static void cwmp_parameter_name_byte(cwmp_parameter_t *pp, u_char c);
static void cwmp_parameter_value_text(cwmp_parameter_t *pp, u_char *p,
    size_t len);
static void cwmp_parameter_match(cwmp_parameter_t *pp);


void
cwmp_parameter_start(cwmp_parameter_t *pp, ngx_uint_t depth, ngx_str_t *name,
    off_t offset)
{
    if (pp->name) {
        cwmp_parameter_match(pp);
    }

    switch (name->len) {

    case 4:
        if (cwmp_parameter_is(name, "Name")) {
            cwmp_parameter_start_name(pp, depth);
        }

        break;

    case 5:
        if (cwmp_parameter_is(name, "Value")) {
            cwmp_parameter_start_value(pp, depth, offset);
        }

        break;

    case 20:
        if (cwmp_parameter_is(name, "ParameterValueStruct")) {
            pp->structs |= cwmp_parameter_bit(depth);
        }

        break;
    }
}


void
cwmp_parameter_text(cwmp_parameter_t *pp, ngx_str_t *text)
{
    if (pp->name) {
        cwmp_parameter_name_text(pp, text->data, text->len);
    }

    if (pp->value) {
        cwmp_parameter_value_text(pp, text->data, text->len);
    }
}


ngx_uint_t
cwmp_parameter_end(cwmp_parameter_t *pp, ngx_uint_t depth, off_t offset)
{
    uint64_t  bits;

    if (pp->name) {
        cwmp_parameter_match(pp);

        if (pp->name == depth) {
            pp->name = 0;
        }
    }

    if (pp->value && pp->value == depth) {
        cwmp_parameter_end_value(pp, offset);
    }

    bits = pp->structs | pp->names | pp->addresses | pp->overflows;

    if ((bits & cwmp_parameter_bit(depth))
        || (pp->npending && pp->pending[pp->npending - 1].depth == depth))
    {
        return cwmp_parameter_end_struct(pp, depth);
    }

    return 0;
}


void
cwmp_parameter_cut(cwmp_parameter_t *pp)
{
    if (pp->value && pp->open) {
        pp->text_len = pp->open->pos;
        pp->npending--;
    }

    pp->value = 0;
}


u_char *
cwmp_parameter_skip(cwmp_parameter_t *pp, u_char *p, u_char *last)
{
    u_char  *end, *next;
    size_t   len;

    static u_char  start[] = "<ParameterValueStruct>";

    if (pp->name_handler) {
        return p;
    }

    for ( ;; ) {
        end = cwmp_parameter_plain(pp, p, last);

        if (end == NULL) {
            return p;
        }

        p = end;

        next = end + sizeof("</ParameterValueStruct>") - 1;
        next += cwmp_xml_skip_space(next, last - next);

        len = sizeof(start) - 1;

        if ((size_t) (last - next) < len
            || ngx_memcmp(next, start, len) != 0)
        {
            return p;
        }

        p = next + len;
    }
}


/*
 * Returns where the end tag of the struct begins, or NULL if what stands
 * before is anything but one Name, which does not match, and one Value.
 */

static u_char *
cwmp_parameter_plain(cwmp_parameter_t *pp, u_char *p, u_char *last)
{
    u_char  *name;
    size_t   len;

    static u_char  end[] = "</ParameterValueStruct>";

    name = cwmp_parameter_plain_tag(p, last, "<Name", 5);

    if (name == NULL) {
        return NULL;
    }

    p = cwmp_parameter_plain_text(name, last, "</Name>", 7);

    if (p == NULL) {
        return NULL;
    }

    len = cwmp_xml_trim(name, p - 7 - name);

    if (cwmp_parameter_is_url(name, len)
        || cwmp_parameter_is_address(pp, name, len)
        || memchr(name, '&', len))
    {
        return NULL;
    }

    p = cwmp_parameter_plain_tag(p, last, "<Value", 6);

    if (p == NULL) {
        return NULL;
    }

    p = cwmp_parameter_plain_text(p, last, "</Value>", 8);

    if (p == NULL) {
        return NULL;
    }

    p += cwmp_xml_skip_space(p, last - p);

    len = sizeof(end) - 1;

    if ((size_t) (last - p) < len || ngx_memcmp(p, end, len) != 0) {
        return NULL;
    }

    return p;
}


/* white space and a start tag: returns what follows */

static u_char *
cwmp_parameter_plain_tag(u_char *p, u_char *last, const char *name,
    size_t len)
{
    p += cwmp_xml_skip_space(p, last - p);

    if ((size_t) (last - p) <= len
        || ngx_memcmp(p, name, len) != 0
        || (p[len] != '>' && !cwmp_xml_is_space(p[len])))
    {
        return NULL;
    }

    for (p += len; p < last && *p != '>'; p++) {

        if (*p == '"' || *p == '\'') {
            p = (p + 1 < last) ? memchr(p + 1, *p, last - p - 1) : NULL;

            if (p == NULL) {
                return NULL;
            }
        }
    }

    return (p == last || p[-1] == '/') ? NULL : p + 1;
}


/* text without markup and an end tag: returns what follows */

static u_char *
cwmp_parameter_plain_text(u_char *p, u_char *last, const char *end, size_t len)
{
    p = (p < last) ? memchr(p, '<', last - p) : NULL;

    if (p == NULL
        || (size_t) (last - p) < len
        || ngx_memcmp(p, end, len) != 0)
    {
        return NULL;
    }

    return p + len;
}


static ngx_uint_t
cwmp_parameter_is_url(u_char *name, size_t len)
{
    size_t  n;

    n = sizeof(CWMP_PARAMETER_SUFFIX) - 1;

    return len >= n
           && ngx_memcmp(name + len - n, CWMP_PARAMETER_SUFFIX, n) == 0;
}


static ngx_uint_t
cwmp_parameter_is_address(cwmp_parameter_t *pp, u_char *name, size_t len)
{
    size_t  n;

    n = sizeof(CWMP_PARAMETER_ADDRESS) - 1;

    return pp->udp
           && len >= n
           && ngx_memcmp(name + len - n, CWMP_PARAMETER_ADDRESS, n) == 0;
}


static void
cwmp_parameter_start_name(cwmp_parameter_t *pp, ngx_uint_t depth)
{
    if (pp->name) {
        return;
    }

    pp->name = depth;
    pp->name_owner = cwmp_parameter_owner(pp, depth);
    pp->name_len = 0;
    pp->name_long = 0;
    pp->name_space = 0;
}


static void
cwmp_parameter_start_value(cwmp_parameter_t *pp, ngx_uint_t depth,
    off_t offset)
{
    ngx_uint_t               owner;
    cwmp_parameter_value_t  *v;

    if (pp->value) {
        return;
    }

    pp->value = depth;

    if (pp->npending == CWMP_PARAMETER_VALUES_MAX) {
        owner = cwmp_parameter_owner(pp, depth);
        pp->overflows |= cwmp_parameter_bit(owner);
        pp->open = NULL;
        return;
    }

    v = &pp->pending[pp->npending++];

    v->start = offset;
    v->pos = pp->text_len;
    v->len = 0;
    v->depth = cwmp_parameter_owner(pp, depth);
    v->too_long = 0;

    pp->open = v;
}


/* the depth of the struct that a Name or Value at this depth belongs to */

static ngx_uint_t
cwmp_parameter_owner(cwmp_parameter_t *pp, ngx_uint_t depth)
{
    uint64_t    structs;
    ngx_uint_t  owner;

    owner = depth - 1;
    structs = pp->structs & (cwmp_parameter_bit(depth) - 1);

    if (structs) {
        while (!(structs & cwmp_parameter_bit(owner))) {
            owner--;
        }
    }

    return owner;
}


static void
cwmp_parameter_end_value(cwmp_parameter_t *pp, off_t offset)
{
    cwmp_parameter_value_t  *v;

    pp->value = 0;
    v = pp->open;

    if (v == NULL) {
        return;
    }

    v->end = offset;
    v->len = cwmp_xml_trim(pp->text + v->pos, v->len);
    pp->text_len = v->pos + v->len;

    if (v->len == 0 && !v->too_long) {
        pp->npending--;
    }
}


static ngx_uint_t
cwmp_parameter_end_struct(cwmp_parameter_t *pp, ngx_uint_t depth)
{
    uint64_t    bit;
    ngx_uint_t  i, first, matched, address, overflow, error;

    bit = cwmp_parameter_bit(depth);

    address = (pp->names & bit) ? 0 : 1;
    matched = ((pp->names | pp->addresses) & bit) ? 1 : 0;
    overflow = (pp->overflows & bit) ? 1 : 0;

    pp->structs &= ~bit;
    pp->names &= ~bit;
    pp->addresses &= ~bit;
    pp->overflows &= ~bit;

    for (first = pp->npending; first; first--) {
        if (pp->pending[first - 1].depth < depth) {
            break;
        }
    }

    if (matched) {

        if (overflow) {
            return CWMP_PARAMETER_TOO_MANY_VALUES;
        }

        for (i = first; i < pp->npending; i++) {
            error = cwmp_parameter_report(pp, &pp->pending[i], address);

            if (error) {
                return error;
            }
        }
    }

    if (first < pp->npending) {
        pp->text_len = pp->pending[first].pos;
        pp->npending = first;
    }

    return 0;
}


static ngx_uint_t
cwmp_parameter_report(cwmp_parameter_t *pp, cwmp_parameter_value_t *v,
    ngx_uint_t address)
{
    cwmp_value_t  value;

    if (v->too_long) {
        return CWMP_PARAMETER_TOO_LONG;
    }

    if (pp->reported == CWMP_PARAMETER_EDITS_MAX) {
        return CWMP_PARAMETER_TOO_MANY_EDITS;
    }

    value.start = v->start;
    value.end = v->end;
    value.text.data = pp->text + v->pos;
    value.text.len = v->len;
    value.address = address;

    if (pp->value_handler(pp->data, &value) != NGX_OK) {
        return CWMP_PARAMETER_HANDLER;
    }

    pp->reported++;

    return 0;
}


/*
 * A name that fits is kept as it is.  Of one that does not, the last bytes are
 * kept, white space counting as one byte, so that the suffix is found at the
 * end of anything.
 */

static void
cwmp_parameter_name_text(cwmp_parameter_t *pp, u_char *p, size_t len)
{
    size_t  n;

    if (!pp->name_long) {

        if (pp->name_len == 0) {
            n = cwmp_xml_skip_space(p, len);
            p += n;
            len -= n;
        }

        n = ngx_min(len, CWMP_PARAMETER_NAME_MAX - pp->name_len);

        ngx_memcpy(pp->name_text + pp->name_len, p, n);
        pp->name_len += n;

        p += n;
        len -= n;

        if (len) {
            pp->name_long = 1;
        }
    }

    for ( /* void */ ; len; len--) {
        cwmp_parameter_name_byte(pp, *p++);
    }
}


static void
cwmp_parameter_name_byte(cwmp_parameter_t *pp, u_char c)
{
    if (cwmp_xml_is_space(c)) {
        pp->name_space = 1;
        return;
    }

    if (pp->name_len + pp->name_space >= CWMP_PARAMETER_NAME_MAX) {
        pp->name_len -= CWMP_PARAMETER_NAME_TAIL;
        ngx_memmove(pp->name_text, pp->name_text + pp->name_len,
                    CWMP_PARAMETER_NAME_TAIL);
        pp->name_len = CWMP_PARAMETER_NAME_TAIL;
    }

    if (pp->name_space) {
        pp->name_space = 0;
        pp->name_text[pp->name_len++] = ' ';
    }

    pp->name_text[pp->name_len++] = c;
}


static void
cwmp_parameter_value_text(cwmp_parameter_t *pp, u_char *p, size_t len)
{
    size_t                   n, room;
    cwmp_parameter_value_t  *v;

    v = pp->open;

    if (v == NULL || v->too_long) {
        return;
    }

    if (v->len == 0) {
        n = cwmp_xml_skip_space(p, len);
        p += n;
        len -= n;
    }

    room = ngx_min(CWMP_PARAMETER_VALUE_MAX - v->len,
                   CWMP_PARAMETER_TEXT_MAX - pp->text_len);

    if (len > room) {

        if (cwmp_xml_skip_space(p + room, len - room) < len - room) {
            v->too_long = 1;
            v->len = 0;
            pp->text_len = v->pos;
            return;
        }

        len = room;
    }

    ngx_memcpy(pp->text + pp->text_len, p, len);
    pp->text_len += len;
    v->len += len;
}


/* at each tag in a Name, and at its end */

static void
cwmp_parameter_match(cwmp_parameter_t *pp)
{
    ngx_str_t  name;

    name.data = pp->name_text;
    name.len = cwmp_xml_trim(name.data, pp->name_len);

    pp->name_len = 0;
    pp->name_long = 0;
    pp->name_space = 0;

    if (name.len == 0) {
        return;
    }

    if (cwmp_parameter_is_url(name.data, name.len)
        || (pp->name_handler && pp->name_handler(pp->data, &name) == NGX_OK))
    {
        pp->names |= cwmp_parameter_bit(pp->name_owner);

    } else if (cwmp_parameter_is_address(pp, name.data, name.len)) {
        pp->addresses |= cwmp_parameter_bit(pp->name_owner);
    }
}
