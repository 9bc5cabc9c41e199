
/*
 * Fieldgate: URLs of the ACS's side that a CPE cannot use, and the other way.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_charset.h"
#include "cwmp_urlmap.h"


#define CWMP_URLMAP_DEPTH_MAX  63

#define cwmp_urlmap_is(n, s)                                                  \
    ((n)->len == sizeof(s) - 1 && ngx_memcmp((n)->data, s, sizeof(s) - 1) == 0)


static ngx_int_t cwmp_urlmap_begin(cwmp_urlmap_t *m);
static ngx_int_t cwmp_urlmap_tokens(cwmp_urlmap_t *m, u_char *p, size_t len);
static ngx_uint_t cwmp_urlmap_collects(cwmp_urlmap_t *m);
static void cwmp_urlmap_start(cwmp_urlmap_t *m);
static ngx_uint_t cwmp_urlmap_is_url(cwmp_urlmap_t *m);
static cwmp_urlmap_method_e cwmp_urlmap_method(ngx_str_t *name);
static ngx_int_t cwmp_urlmap_finish(cwmp_urlmap_t *m);
static void cwmp_urlmap_text(cwmp_urlmap_t *m);
static void cwmp_urlmap_name(cwmp_urlmap_t *m, u_char *p, size_t len);
static ngx_int_t cwmp_urlmap_value(cwmp_urlmap_t *m);
static ngx_int_t cwmp_urlmap_report(cwmp_urlmap_t *m,
    cwmp_urlmap_edit_t *edit);
static ngx_int_t cwmp_urlmap_fail(cwmp_urlmap_t *m, ngx_uint_t error);


static u_char  cwmp_urlmap_suffix[] = ".ManagementServer.URL";


void
cwmp_urlmap_init(cwmp_urlmap_t *m)
{
    size_t      len;
    ngx_uint_t  i;

    cwmp_xml_init(&m->xml);

    for (i = 0; i < m->npairs; i++) {
        len = m->back ? m->pairs[i].to.len : m->pairs[i].from.len;
        m->most = ngx_max(m->most, len);
    }
}


ngx_int_t
cwmp_urlmap_read(cwmp_urlmap_t *m, u_char *p, size_t len)
{
    if (m->error) {
        return NGX_ERROR;
    }

    while (!m->begun && len) {
        m->head[m->nhead++] = *p++;
        len--;

        if (m->nhead == sizeof(m->head) && cwmp_urlmap_begin(m) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return len ? cwmp_urlmap_tokens(m, p, len) : NGX_OK;
}


ngx_int_t
cwmp_urlmap_end(cwmp_urlmap_t *m)
{
    if (m->error) {
        return NGX_ERROR;
    }

    return (m->begun || m->nhead == 0) ? NGX_OK : cwmp_urlmap_begin(m);
}


static ngx_int_t
cwmp_urlmap_begin(cwmp_urlmap_t *m)
{
    size_t  bom;

    m->begun = 1;

    if (cwmp_charset_detect(m->head, m->nhead, &bom) == CWMP_CHARSET_OTHER) {
        return cwmp_urlmap_fail(m, CWMP_URLMAP_CHARSET);
    }

    m->xml.offset = bom;

    return cwmp_urlmap_tokens(m, m->head + bom, m->nhead - bom);
}


static ngx_int_t
cwmp_urlmap_tokens(cwmp_urlmap_t *m, u_char *p, size_t len)
{
    u_char     *last, *end;
    ngx_int_t   rc;

    last = p + len;

    while (p < last) {

        /* what a prefix consists of has to be known byte by byte */

        end = last;

        if (cwmp_urlmap_collects(m)) {
            end = p + 1;

            if (*p == '&' && cwmp_xml_in_text(&m->xml)) {
                m->reference = m->xml.offset;
            }
        }

        rc = cwmp_xml_next(&m->xml, &p, end);

        if (m->xml.ambiguous) {
            return cwmp_urlmap_fail(m, CWMP_URLMAP_MARKUP);
        }

        switch (rc) {

        case CWMP_XML_START:

            if (m->depth == CWMP_URLMAP_DEPTH_MAX) {
                return cwmp_urlmap_fail(m, CWMP_URLMAP_DEPTH);
            }

            m->depth++;
            cwmp_urlmap_start(m);
            break;

        case CWMP_XML_END:

            if (cwmp_urlmap_finish(m) != NGX_OK) {
                return NGX_ERROR;
            }

            break;

        case CWMP_XML_TEXT:
            cwmp_urlmap_text(m);
            break;

        case CWMP_XML_PI:
            if (m->depth == 0
                && cwmp_charset_declaration(m->xml.text.data,
                                            m->xml.text.len,
                                            m->xml.text.len
                                            == CWMP_XML_PI_MAX)
                   == CWMP_CHARSET_OTHER)
            {
                return cwmp_urlmap_fail(m, CWMP_URLMAP_CHARSET);
            }

            continue;

        case NGX_AGAIN:
            continue;

        default: /* NGX_DECLINED */
            return cwmp_urlmap_fail(m, CWMP_URLMAP_MARKUP);
        }

        m->xml.want_text = (m->name || cwmp_urlmap_collects(m));
    }

    return NGX_OK;
}


static ngx_uint_t
cwmp_urlmap_collects(cwmp_urlmap_t *m)
{
    return m->value && !m->cut && m->len < m->most;
}


static void
cwmp_urlmap_start(cwmp_urlmap_t *m)
{
    ngx_str_t  *name;

    name = &m->xml.name;

    if (m->value) {
        m->cut = 1;
        return;
    }

    if (m->method == 0 && !m->back) {
        m->kind = cwmp_urlmap_method(name);

        if (m->kind != CWMP_URLMAP_NONE) {
            m->method = m->depth;
        }

        return;
    }

    if (cwmp_urlmap_is_url(m)) {
        m->value = m->depth;
        m->cut = 0;
        m->len = 0;
        m->reference = -1;
        return;
    }

    if (m->kind != CWMP_URLMAP_SET) {
        return;
    }

    if (cwmp_urlmap_is(name, "ParameterValueStruct")) {
        m->structure = m->depth;
        m->npending = 0;
        m->named = 0;

    } else if (m->name == 0 && cwmp_urlmap_is(name, "Name")) {
        m->name = m->depth;
        m->name_len = 0;
    }
}


static ngx_uint_t
cwmp_urlmap_is_url(cwmp_urlmap_t *m)
{
    ngx_str_t  *name;

    name = &m->xml.name;

    if (m->back) {
        return cwmp_urlmap_is(name, "Value");
    }

    if (m->kind == CWMP_URLMAP_SET) {
        return m->structure && cwmp_urlmap_is(name, "Value");
    }

    return cwmp_urlmap_is(name, "URL")
           || cwmp_urlmap_is(name, "SuccessURL")
           || cwmp_urlmap_is(name, "FailureURL");
}


static cwmp_urlmap_method_e
cwmp_urlmap_method(ngx_str_t *name)
{
    if (cwmp_urlmap_is(name, "SetParameterValues")) {
        return CWMP_URLMAP_SET;
    }

    if (cwmp_urlmap_is(name, "Download")
        || cwmp_urlmap_is(name, "Upload")
        || cwmp_urlmap_is(name, "ScheduleDownload")
        || cwmp_urlmap_is(name, "ChangeDUState"))
    {
        return CWMP_URLMAP_URLS;
    }

    return CWMP_URLMAP_NONE;
}


/* the end of an element */

static ngx_int_t
cwmp_urlmap_finish(cwmp_urlmap_t *m)
{
    size_t      len, n;
    ngx_uint_t  depth, i;

    if (m->depth == 0) {
        return NGX_OK;
    }

    depth = m->depth--;

    if (m->value == depth) {
        m->value = 0;

        if (cwmp_urlmap_value(m) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (m->name == depth) {
        m->name = 0;

        len = cwmp_xml_trim(m->name_text, m->name_len);
        n = sizeof(cwmp_urlmap_suffix) - 1;

        if (len >= n
            && ngx_memcmp(m->name_text + len - n, cwmp_urlmap_suffix, n) == 0)
        {
            m->named = 1;
        }
    }

    if (m->structure == depth) {
        m->structure = 0;

        for (i = 0; m->named && i < m->npending; i++) {
            if (cwmp_urlmap_report(m, &m->pending[i]) != NGX_OK) {
                return NGX_ERROR;
            }
        }
    }

    if (m->method == depth) {
        m->method = 0;
        m->kind = CWMP_URLMAP_NONE;
    }

    return NGX_OK;
}


static void
cwmp_urlmap_text(cwmp_urlmap_t *m)
{
    off_t    end;
    size_t   i, len;
    u_char  *p;

    end = cwmp_xml_text_end(&m->xml);
    p = m->xml.text.data;
    len = m->xml.text.len;

    if (m->name) {
        cwmp_urlmap_name(m, p, len);
    }

    if (!cwmp_urlmap_collects(m)) {
        return;
    }

    for (i = 0; i < len && m->len < m->most; i++) {

        if (m->len == 0) {

            if (cwmp_xml_is_space(p[i])) {
                continue;
            }

            m->start = (m->reference == -1)
                       ? end - (off_t) (len - i) : m->reference;
        }

        m->text[m->len] = p[i];
        m->cdata[m->len] = (u_char) cwmp_xml_in_cdata(&m->xml);
        m->ends[m->len] = end - (off_t) (len - 1 - i);
        m->len++;
    }

    m->reference = -1;
}


static void
cwmp_urlmap_name(cwmp_urlmap_t *m, u_char *p, size_t len)
{
    for ( /* void */ ; len; len--, p++) {

        /* white space at the end is not to push out the name */

        if (cwmp_xml_is_space(*p) && m->name_len
            && cwmp_xml_is_space(m->name_text[m->name_len - 1]))
        {
            continue;
        }

        if (m->name_len == sizeof(m->name_text)) {
            ngx_memcpy(m->name_text, m->name_text + CWMP_URLMAP_NAME,
                       CWMP_URLMAP_NAME);
            m->name_len = CWMP_URLMAP_NAME;
        }

        m->name_text[m->name_len++] = *p;
    }
}


/* the first pair counts that fits */

static ngx_int_t
cwmp_urlmap_value(cwmp_urlmap_t *m)
{
    ngx_str_t           *key, *other;
    ngx_uint_t           i;
    cwmp_urlmap_edit_t   edit;

    for (i = 0; i < m->npairs; i++) {
        key = m->back ? &m->pairs[i].to : &m->pairs[i].from;
        other = m->back ? &m->pairs[i].from : &m->pairs[i].to;

        if (m->len < key->len
            || ngx_memcmp(m->text, key->data, key->len) != 0)
        {
            continue;
        }

        edit.start = m->start;
        edit.end = m->ends[key->len - 1];
        edit.prefix = *other;
        edit.opens = m->cdata[0];
        edit.closes = m->cdata[key->len - 1];

        if (m->kind != CWMP_URLMAP_SET) {
            return cwmp_urlmap_report(m, &edit);
        }

        if (m->npending == CWMP_URLMAP_PENDING) {
            return cwmp_urlmap_fail(m, CWMP_URLMAP_MANY);
        }

        m->pending[m->npending++] = edit;

        return NGX_OK;
    }

    return NGX_OK;
}


static ngx_int_t
cwmp_urlmap_report(cwmp_urlmap_t *m, cwmp_urlmap_edit_t *edit)
{
    if (m->edits++ == CWMP_URLMAP_EDITS) {
        return cwmp_urlmap_fail(m, CWMP_URLMAP_MANY);
    }

    if (m->handler(m->data, edit) != NGX_OK) {
        return cwmp_urlmap_fail(m, CWMP_URLMAP_HANDLER);
    }

    return NGX_OK;
}


static ngx_int_t
cwmp_urlmap_fail(cwmp_urlmap_t *m, ngx_uint_t error)
{
    m->error = error;

    return NGX_ERROR;
}


const char *
cwmp_urlmap_strerror(ngx_uint_t error)
{
    switch (error) {

    case CWMP_URLMAP_CHARSET:
        return "a charset that does not contain ASCII, or is not known";

    case CWMP_URLMAP_MARKUP:
        return "a DOCTYPE, or markup that can be read in two ways";

    case CWMP_URLMAP_DEPTH:
        return "elements nested too deeply";

    case CWMP_URLMAP_MANY:
        return "too many URLs";

    default:
        return "internal error";
    }
}


size_t
cwmp_urlmap_size(cwmp_urlmap_edit_t *edit)
{
    return edit->prefix.len + sizeof("<![CDATA[") - 1
           + ngx_escape_html(NULL, edit->prefix.data, edit->prefix.len);
}


/* CDATA that began or ended within the prefix does so behind it */

u_char *
cwmp_urlmap_write(u_char *dst, cwmp_urlmap_edit_t *edit)
{
    if (edit->opens) {
        dst = ngx_cpymem(dst, edit->prefix.data, edit->prefix.len);

    } else {
        dst = (u_char *) ngx_escape_html(dst, edit->prefix.data,
                                         edit->prefix.len);
    }

    if (edit->opens && !edit->closes) {
        dst = ngx_cpymem(dst, "]]>", sizeof("]]>") - 1);

    } else if (!edit->opens && edit->closes) {
        dst = ngx_cpymem(dst, "<![CDATA[", sizeof("<![CDATA[") - 1);
    }

    return dst;
}
