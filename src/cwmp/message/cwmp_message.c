
/*
 * Fieldgate: the message in a request body.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_message.h"


/* of DeviceId: Envelope, Body, Inform, DeviceId */
#define CWMP_MESSAGE_FACT_DEPTH   4

#define CWMP_KNOWN_BODY           0x01
#define CWMP_KNOWN_METHOD         0x02
#define CWMP_KNOWN_INFORM         0x04
#define CWMP_KNOWN_DEVICE_ID      0x08
#define CWMP_KNOWN_EVENT          0x10
#define CWMP_KNOWN_ALL_INFORM     0x1f

#define cwmp_message_is_name(n, s)                                            \
    (ngx_memcmp((n)->data, s, sizeof(s) - 1) == 0)


static ngx_int_t cwmp_message_begin(cwmp_message_t *m);
static ngx_int_t cwmp_message_tokens(cwmp_message_t *m, u_char *p,
    size_t len);
static u_char *cwmp_message_skip(cwmp_message_t *m, u_char *p, u_char *last);
static ngx_int_t cwmp_message_start_element(cwmp_message_t *m);
static void cwmp_message_start_fact(cwmp_message_t *m);
static cwmp_message_id_t *cwmp_message_fact_of(cwmp_message_t *m,
    ngx_str_t *n);
static ngx_int_t cwmp_message_end_element(cwmp_message_t *m);
static ngx_int_t cwmp_message_enough(cwmp_message_t *m);
static void cwmp_message_end_fact(cwmp_message_t *m);
static void cwmp_message_text(cwmp_message_t *m);
static void cwmp_message_fact_text(cwmp_message_t *m, u_char *p, size_t len);
static ngx_int_t cwmp_message_declaration(cwmp_message_t *m);
static ngx_int_t cwmp_message_fail(cwmp_message_t *m, ngx_uint_t error);
static void cwmp_message_printable(u_char *p, size_t len);


void
cwmp_message_init(cwmp_message_t *m)
{
    ngx_memzero(m, offsetof(cwmp_message_t, params)
                   + offsetof(cwmp_parameter_t, pending));

    m->method.len = 0;
    m->oui.len = 0;
    m->product_class.len = 0;
    m->serial.len = 0;
    m->text.len = 0;
    m->event_code.len = 0;

    cwmp_xml_init(&m->xml);
}


ngx_int_t
cwmp_message_read(cwmp_message_t *m, u_char *p, size_t len)
{
    ngx_int_t  rc;

    if (m->error) {
        return NGX_ERROR;
    }

    if (!m->started) {

        while (m->nhead < sizeof(m->head) && len) {
            m->head[m->nhead++] = *p++;
            len--;
        }

        if (m->nhead < sizeof(m->head)) {
            return NGX_OK;
        }

        rc = cwmp_message_begin(m);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    return cwmp_message_tokens(m, p, len);
}


ngx_int_t
cwmp_message_end(cwmp_message_t *m)
{
    if (m->error) {
        return NGX_ERROR;
    }

    if (!m->started && m->nhead && cwmp_message_begin(m) == NGX_ERROR) {
        return NGX_ERROR;
    }

    cwmp_parameter_cut(&m->params);

    while (m->depth) {
        if (cwmp_message_end_element(m) == NGX_ERROR) {
            return NGX_ERROR;
        }
    }

    return cwmp_message_fail(m, cwmp_parameter_end(&m->params, 0,
                                                   m->xml.offset));
}


const char *
cwmp_message_error(ngx_uint_t error)
{
    switch (error) {

    case CWMP_MESSAGE_CHARSET:
        return "a charset that does not contain ASCII, or is not known";

    case CWMP_MESSAGE_DOCTYPE:
        return "a DOCTYPE";

    case CWMP_MESSAGE_AMBIGUOUS:
        return "markup that can be read in two ways";

    case CWMP_MESSAGE_DEPTH:
        return "elements nested too deeply";

    case CWMP_MESSAGE_URL:
        return "a connection request URL that is too long";

    case CWMP_MESSAGE_VALUES:
        return "too many values for a connection request URL";

    case CWMP_MESSAGE_EDITS:
        return "too many connection request URLs";

    default:
        return "internal error";
    }
}


static ngx_int_t
cwmp_message_begin(cwmp_message_t *m)
{
    size_t      bom;
    ngx_uint_t  class;

    m->started = 1;

    class = cwmp_charset_detect(m->head, m->nhead, &bom);

    if (class == CWMP_CHARSET_OTHER || m->declared == CWMP_CHARSET_OTHER) {
        return cwmp_message_fail(m, CWMP_MESSAGE_CHARSET);
    }

    m->xml.offset = bom;

    return cwmp_message_tokens(m, m->head + bom, m->nhead - bom);
}


static ngx_int_t
cwmp_message_tokens(cwmp_message_t *m, u_char *p, size_t len)
{
    u_char     *last;
    ngx_int_t   rc;

    last = p + len;

    for ( ;; ) {
        rc = cwmp_xml_next(&m->xml, &p, last);

        if (m->xml.ambiguous) {
            return cwmp_message_fail(m, CWMP_MESSAGE_AMBIGUOUS);
        }

        switch (rc) {

        case CWMP_XML_START:
            rc = cwmp_message_start_element(m);

            if (rc == NGX_OK
                && cwmp_parameter_is_struct(&m->params, m->depth))
            {
                p = cwmp_message_skip(m, p, last);
            }

            break;

        case CWMP_XML_END:
            rc = cwmp_message_end_element(m);
            break;

        case CWMP_XML_TEXT:
            cwmp_message_text(m);
            continue;

        case CWMP_XML_PI:
            rc = cwmp_message_declaration(m);
            break;

        case NGX_AGAIN:
            return NGX_OK;

        default: /* NGX_DECLINED */
            return cwmp_message_fail(m, CWMP_MESSAGE_DOCTYPE);
        }

        if (rc != NGX_OK) {
            return rc;
        }
    }
}


static u_char *
cwmp_message_skip(cwmp_message_t *m, u_char *p, u_char *last)
{
    u_char  *end;

    if (m->xml.want_text || m->depth == CWMP_PARAMETER_DEPTH_MAX) {
        return p;
    }

    end = cwmp_parameter_skip(&m->params, p, last);
    m->xml.offset += end - p;

    return end;
}


static ngx_int_t
cwmp_message_start_element(cwmp_message_t *m)
{
    if (m->depth == CWMP_PARAMETER_DEPTH_MAX) {
        return cwmp_message_fail(m, CWMP_MESSAGE_DEPTH);
    }

    m->depth++;

    cwmp_parameter_start(&m->params, m->depth, &m->xml.name, m->xml.offset);

    if (m->depth <= CWMP_MESSAGE_FACT_DEPTH || m->device_id || m->event) {
        cwmp_message_start_fact(m);
    }

    m->xml.want_text = (cwmp_parameter_wants_text(&m->params) || m->fact);

    return cwmp_message_enough(m);
}


static void
cwmp_message_start_fact(cwmp_message_t *m)
{
    ngx_str_t          *n;
    cwmp_message_id_t  *id;

    n = &m->xml.name;

    if (m->depth == 2 && !(m->known & CWMP_KNOWN_BODY)) {

        if (n->len == 4 && cwmp_message_is_name(n, "Body")) {
            m->body = m->depth;
            m->known |= CWMP_KNOWN_BODY;
        }

        return;
    }

    if (m->body && m->depth == m->body + 1
        && !(m->known & CWMP_KNOWN_METHOD))
    {
        m->known |= CWMP_KNOWN_METHOD;

        m->method.len = n->len;
        ngx_memcpy(m->method.data, n->data, n->len);
        cwmp_message_printable(m->method.data, n->len);

        if (n->len == 6 && cwmp_message_is_name(n, "Inform")) {
            m->known |= CWMP_KNOWN_INFORM;
            m->inform = m->depth;
        }

        return;
    }

    if (m->inform == 0 || m->fact) {
        return;
    }

    if (m->depth == m->inform + 1) {

        if (n->len == 8 && cwmp_message_is_name(n, "DeviceId")) {
            m->device_id = m->depth;

        } else if (n->len == 5 && cwmp_message_is_name(n, "Event")) {
            m->event = m->depth;
        }

        return;
    }

    id = cwmp_message_fact_of(m, n);

    if (id) {
        m->text.len = 0;
        m->id = id;
        m->fact = m->depth;
    }
}


/* where the text of an element within DeviceId or Event goes, or NULL */

static cwmp_message_id_t *
cwmp_message_fact_of(cwmp_message_t *m, ngx_str_t *n)
{
    if (m->device_id && m->depth == m->device_id + 1) {

        if (n->len == 3 && cwmp_message_is_name(n, "OUI")) {
            return &m->oui;
        }

        if (n->len == 12 && cwmp_message_is_name(n, "ProductClass")) {
            return &m->product_class;
        }

        if (n->len == 12 && cwmp_message_is_name(n, "SerialNumber")) {
            return &m->serial;
        }

        return NULL;
    }

    if (m->event && n->len == 9 && cwmp_message_is_name(n, "EventCode")) {
        return &m->event_code;
    }

    return NULL;
}


static ngx_int_t
cwmp_message_end_element(cwmp_message_t *m)
{
    ngx_uint_t  depth, error;

    depth = m->depth;

    if (depth == 0) {
        return NGX_OK;
    }

    if (m->fact == depth) {
        cwmp_message_end_fact(m);
    }

    error = cwmp_parameter_end(&m->params, depth, m->xml.markup);

    if (error) {
        return cwmp_message_fail(m, error);
    }

    m->xml.want_text = (cwmp_parameter_wants_text(&m->params) || m->fact);
    m->depth--;

    if (m->body == 0) {
        return NGX_OK;
    }

    if (m->device_id == depth) {
        m->device_id = 0;
        m->known |= CWMP_KNOWN_DEVICE_ID;

    } else if (m->event == depth) {
        m->event = 0;
        m->known |= CWMP_KNOWN_EVENT;

    } else if (m->inform == depth) {
        m->inform = 0;

    } else if (m->body == depth) {
        m->body = 0;
    }

    if (m->names_end
        && m->xml.offset >= m->names_end
        && cwmp_parameter_idle(&m->params))
    {
        m->facts_only = 1;
    }

    return cwmp_message_enough(m);
}


static ngx_int_t
cwmp_message_enough(cwmp_message_t *m)
{
    if (!m->facts_only) {
        return NGX_OK;
    }

    if (m->known & CWMP_KNOWN_INFORM) {
        return (m->known == CWMP_KNOWN_ALL_INFORM) ? NGX_DONE : NGX_OK;
    }

    return (m->known & CWMP_KNOWN_METHOD) ? NGX_DONE : NGX_OK;
}


/* not before: of one that is cut off nothing is seen, and so nothing raw */

static void
cwmp_message_end_fact(cwmp_message_t *m)
{
    size_t              n;
    cwmp_message_id_t  *id;

    id = m->id;
    m->fact = 0;

    m->text.len = cwmp_xml_trim(m->text.data, m->text.len);
    cwmp_message_printable(m->text.data, m->text.len);

    *id = m->text;

    if (id != &m->event_code || id->len == 0) {
        return;
    }

    n = m->nevents;

    if (id->len + (n != 0) > CWMP_MESSAGE_EVENTS_MAX - n) {
        return;
    }

    if (n) {
        m->events[n++] = ',';
    }

    ngx_memcpy(m->events + n, id->data, id->len);
    m->nevents = n + id->len;
}


static void
cwmp_message_text(cwmp_message_t *m)
{
    cwmp_parameter_text(&m->params, &m->xml.text);

    if (m->fact) {
        cwmp_message_fact_text(m, m->xml.text.data, m->xml.text.len);
    }
}


static void
cwmp_message_fact_text(cwmp_message_t *m, u_char *p, size_t len)
{
    size_t              n;
    cwmp_message_id_t  *text;

    text = &m->text;

    if (text->len == 0) {
        n = cwmp_xml_skip_space(p, len);
        p += n;
        len -= n;
    }

    len = ngx_min(len, CWMP_MESSAGE_ID_MAX - text->len);

    ngx_memcpy(text->data + text->len, p, len);
    text->len += len;
}


static ngx_int_t
cwmp_message_declaration(cwmp_message_t *m)
{
    ngx_str_t   *text;
    ngx_uint_t   class;

    text = &m->xml.text;

    class = cwmp_charset_declaration(text->data, text->len,
                                     text->len == CWMP_XML_PI_MAX);

    return cwmp_message_fail(m, class == CWMP_CHARSET_OTHER
                                ? CWMP_MESSAGE_CHARSET : CWMP_MESSAGE_OK);
}


/* the first error counts; 0 is none */

static ngx_int_t
cwmp_message_fail(cwmp_message_t *m, ngx_uint_t error)
{
    if (m->error == 0) {
        m->error = error;
    }

    return error ? NGX_ERROR : NGX_OK;
}


/* these end up in logs and in header fields */

static void
cwmp_message_printable(u_char *p, size_t len)
{
    for ( /* void */ ; len; len--, p++) {
        if (*p < 0x20 || *p == 0x7f) {
            *p = '?';
        }
    }
}
