
/*
 * Fieldgate: the scanner of CWMP messages.
 *
 * Where the message is split changes nothing; the prefilter never lets go of a
 * message in which the scanner finds something, nor of the part of one that has
 * it; replacing what it finds leaves a message in which it finds the
 * replacements; and in each document of a sample that libexpat takes it finds
 * the values that a tree has.
 *
 * sources: cwmp_xml.c cwmp_charset.c
 *          cwmp_message.c cwmp_parameter.c
 *          cwmp_prefilter.c cwmp_reference.c
 * libs: -lexpat
 */


#include "fuzz.h"
#include "cwmp_message.h"
#include "cwmp_prefilter.h"

#include <expat.h>
#include <stdio.h>
#include <stdlib.h>


#define FUZZ_VALUES  64
#define FUZZ_NODES   4096

#define fuzz_check(what)                                                      \
    if (!(what)) {                                                            \
        fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #what);            \
        abort();                                                              \
    }


typedef struct {
    off_t                    start;
    off_t                    end;
    size_t                   len;
    u_char                   text[CWMP_PARAMETER_VALUE_MAX];
} fuzz_value_t;


typedef struct {
    ngx_int_t                rc;
    ngx_uint_t               n;
    fuzz_value_t             values[FUZZ_VALUES];
    cwmp_message_t           m;
} fuzz_result_t;


typedef struct fuzz_node_s  fuzz_node_t;

struct fuzz_node_s {
    fuzz_node_t             *parent;
    fuzz_node_t             *owner;
    char                     kind;      /* N, V, S: struct, 0 */
    ngx_uint_t               nested;    /* in another of its kind */
    ngx_uint_t               matched;
    ngx_uint_t               depth;
    off_t                    start;
    off_t                    end;
    size_t                   len;
    size_t                   segment;   /* of a name: since the last tag */
    u_char                  *text;
};


typedef struct {
    XML_Parser               parser;
    fuzz_node_t             *nodes;
    ngx_uint_t               n;
    fuzz_node_t             *current;
    ngx_uint_t               skip;
    size_t                   size;
} fuzz_tree_t;



static off_t  fuzz_names_end;    /* of the next scan; 0: to the end */


static ngx_int_t
fuzz_value(void *data, cwmp_value_t *value)
{
    fuzz_value_t   *v;
    fuzz_result_t  *r;

    r = data;

    fuzz_check(value->start < value->end);
    fuzz_check(value->text.len > 0);
    fuzz_check(value->text.len <= CWMP_PARAMETER_VALUE_MAX);

    if (r->n == FUZZ_VALUES) {
        return NGX_ERROR;
    }

    v = &r->values[r->n++];

    v->start = value->start;
    v->end = value->end;
    v->len = value->text.len;
    memcpy(v->text, value->text.data, v->len);

    return NGX_OK;
}


/* pieces of step bytes after a first one; each is a block of its own */

static void
fuzz_scan(fuzz_result_t *r, const uint8_t *data, size_t size, size_t first,
    size_t step, ngx_uint_t declared)
{
    u_char  *copy;
    size_t   n;

    r->n = 0;
    cwmp_message_init(&r->m);
    r->m.params.value_handler = fuzz_value;
    r->m.params.data = r;
    r->m.declared = declared;
    r->m.names_end = fuzz_names_end;
    r->rc = NGX_OK;

    for (n = first; size && r->rc == NGX_OK; n = step) {
        n = ngx_min(n, size);

        copy = malloc(n);
        memcpy(copy, data, n);
        r->rc = cwmp_message_read(&r->m, copy, n);
        free(copy);

        data += n;
        size -= n;
    }

    if (r->rc == NGX_OK) {
        r->rc = cwmp_message_end(&r->m);
    }

    fuzz_check((r->rc == NGX_ERROR) == (r->m.error != 0));
    fuzz_check(cwmp_message_error(r->m.error) != NULL);
}


/*
 * The prefilter, in pieces: these can make it hold what it would let go of in
 * one, but not the other way round.
 */

static ngx_uint_t
fuzz_prefilter(cwmp_prefilter_t *f, const uint8_t *data, size_t size,
    size_t step, ngx_uint_t declared)
{
    u_char      *copy;
    size_t       n;
    ngx_uint_t   need;

    ngx_memzero(f, sizeof(cwmp_prefilter_t));

    for (need = 0; size && !need; size -= n, data += n) {
        n = ngx_min(step, size);
        copy = malloc(n);
        memcpy(copy, data, n);
        need = cwmp_prefilter(f, copy, n, declared);
        free(copy);
    }

    return need;
}


/* as a Content-Type; one charset more of another class makes it unknown */

static void
fuzz_content_type(const uint8_t *data, size_t size)
{
    u_char      *copy;
    ngx_str_t    value;
    ngx_uint_t   class;

    static const char  more[] = ";charset=utf-16";

    if (size > 256) {
        return;
    }

    copy = malloc(size + sizeof(more));
    memcpy(copy, data, size);
    memcpy(copy + size, more, sizeof(more));

    value.data = copy;
    value.len = size;
    class = cwmp_charset_content_type(&value);
    fuzz_check(class <= CWMP_CHARSET_OTHER);

    if (memchr(copy, '"', size) == NULL && memchr(copy, '\'', size) == NULL) {
        value.len = size + sizeof(more) - 1;
        fuzz_check(cwmp_charset_content_type(&value) == CWMP_CHARSET_OTHER);
    }

    free(copy);
}


static void
fuzz_same_id(cwmp_message_id_t *a, cwmp_message_id_t *b)
{
    fuzz_check(a->len == b->len && memcmp(a->data, b->data, a->len) == 0);
}


static void
fuzz_same_edits(fuzz_result_t *a, fuzz_result_t *b)
{
    ngx_uint_t  i;

    fuzz_check(a->n == b->n);

    for (i = 0; i < a->n; i++) {
        fuzz_check(a->values[i].start == b->values[i].start);
        fuzz_check(a->values[i].end == b->values[i].end);
        fuzz_check(a->values[i].len == b->values[i].len);
        fuzz_check(memcmp(a->values[i].text, b->values[i].text,
                          a->values[i].len) == 0);
    }
}


static void
fuzz_same_result(fuzz_result_t *a, fuzz_result_t *b)
{
    fuzz_check(a->rc == b->rc);
    fuzz_check(a->m.error == b->m.error);

    if (a->rc == NGX_ERROR) {
        return;
    }

    fuzz_same_edits(a, b);
    fuzz_check(a->m.nevents == b->m.nevents);
    fuzz_check(memcmp(a->m.events, b->m.events, a->m.nevents) == 0);
    fuzz_same_id(&a->m.method, &b->m.method);
    fuzz_same_id(&a->m.oui, &b->m.oui);
    fuzz_same_id(&a->m.product_class, &b->m.product_class);
    fuzz_same_id(&a->m.serial, &b->m.serial);
}


static int
fuzz_compare(const void *one, const void *two)
{
    const fuzz_value_t  *a, *b;

    a = one;
    b = two;

    return (a->start > b->start) - (a->start < b->start);
}


/* replaces each value, scans again */

static void
fuzz_replace(fuzz_result_t *r, fuzz_result_t *again, const uint8_t *data,
    size_t size, ngx_uint_t declared)
{
    u_char      *buf, *p;
    off_t        pos;
    ngx_uint_t   i;

    static const char  url[] = "http://acs/?a=1&amp;origin=x";
    static const char  text[] = "http://acs/?a=1&origin=x";

    qsort(r->values, r->n, sizeof(fuzz_value_t), fuzz_compare);

    buf = malloc(size + r->n * sizeof(url) + 1);
    p = buf;
    pos = 0;

    for (i = 0; i < r->n; i++) {
        fuzz_check(r->values[i].start >= pos);
        fuzz_check(r->values[i].end <= (off_t) size);

        p = ngx_cpymem(p, data + pos, r->values[i].start - pos);
        p = ngx_cpymem(p, url, sizeof(url) - 1);
        pos = r->values[i].end;
    }

    p = ngx_cpymem(p, data + pos, size - pos);

    fuzz_scan(again, buf, p - buf, p - buf, 1, declared);

    fuzz_check(again->rc == NGX_OK);

    /* a Name within a Value is gone */
    fuzz_check(again->n <= r->n);

    for (i = 0; i < again->n; i++) {
        fuzz_check(again->values[i].len == sizeof(text) - 1);
        fuzz_check(memcmp(again->values[i].text, text,
                          again->values[i].len) == 0);
    }

    free(buf);
}


static const char *
fuzz_local(const char *name)
{
    const char  *colon;

    colon = strrchr(name, ':');

    return colon ? colon + 1 : name;
}


static ngx_uint_t
fuzz_is_url_name(u_char *p, size_t len)
{
    size_t  n;

    n = sizeof(CWMP_PARAMETER_SUFFIX) - 1;

    while (len && strchr(" \t\r\n", p[len - 1])) {
        len--;
    }

    return len >= n && memcmp(p + len - n, CWMP_PARAMETER_SUFFIX, n) == 0;
}


static void
fuzz_name_ends(fuzz_node_t *node)
{
    fuzz_node_t  *name;

    for (name = node; name; name = name->parent) {

        if (name->kind == 'N' && !name->nested) {

            if (fuzz_is_url_name(name->text + name->segment,
                                 name->len - name->segment))
            {
                name->owner->matched = 1;
            }

            name->segment = name->len;
        }
    }
}


static void XMLCALL
fuzz_start(void *data, const char *qname, const char **attrs)
{
    const char   *name;
    fuzz_node_t  *node, *p;
    fuzz_tree_t  *t;

    t = data;

    if (t->n == FUZZ_NODES || t->current->depth == CWMP_PARAMETER_DEPTH_MAX) {
        t->skip = 1;
        XML_StopParser(t->parser, XML_FALSE);
        return;
    }

    fuzz_name_ends(t->current);

    node = &t->nodes[t->n++];
    memset(node, 0, sizeof(fuzz_node_t));
    node->parent = t->current;
    node->depth = t->current->depth + 1;
    t->current = node;

    name = fuzz_local(qname);

    if (strcmp(name, "Name") == 0) {
        node->kind = 'N';

    } else if (strcmp(name, "Value") == 0) {
        node->kind = 'V';

    } else if (strcmp(name, "ParameterValueStruct") == 0) {
        node->kind = 'S';
    }

    if (node->kind == 'N' || node->kind == 'V') {
        node->text = malloc(t->size + 1);
        node->owner = node->parent;

        for (p = node->parent; p->parent; p = p->parent) {
            node->nested |= (p->kind == node->kind);
        }

        for (p = node->parent; p->parent; p = p->parent) {
            if (p->kind == 'S') {
                node->owner = p;
                break;
            }
        }
    }

    node->start = XML_GetCurrentByteIndex(t->parser)
                  + XML_GetCurrentByteCount(t->parser);
}


static void XMLCALL
fuzz_end(void *data, const char *name)
{
    fuzz_tree_t  *t;

    t = data;

    fuzz_name_ends(t->current);

    t->current->end = XML_GetCurrentByteIndex(t->parser);
    t->current = t->current->parent;
}


static void XMLCALL
fuzz_text(void *data, const char *s, int len)
{
    fuzz_node_t  *node;
    fuzz_tree_t  *t;

    t = data;

    for (node = t->current; node; node = node->parent) {
        if (node->text && !node->nested) {
            memcpy(node->text + node->len, s, len);
            node->len += len;
        }
    }
}


/* what a tree has, or -1: expat does not take it, or it is too large here */

static ngx_int_t
fuzz_expat(fuzz_result_t *r, const uint8_t *data, size_t size, const char *name)
{
    u_char         *p;
    size_t          len;
    ngx_int_t       n;
    ngx_uint_t      i;
    fuzz_tree_t     t;
    fuzz_node_t    *node;
    fuzz_value_t   *v;

    t.parser = XML_ParserCreate(name);
    t.nodes = malloc(FUZZ_NODES * sizeof(fuzz_node_t));
    memset(&t.nodes[0], 0, sizeof(fuzz_node_t));
    t.n = 1;
    t.current = &t.nodes[0];
    t.skip = 0;
    t.size = 4 * size;

    XML_SetUserData(t.parser, &t);
    XML_SetElementHandler(t.parser, fuzz_start, fuzz_end);
    XML_SetCharacterDataHandler(t.parser, fuzz_text);

    n = 0;

    if (XML_Parse(t.parser, (const char *) data, size, 1) != XML_STATUS_OK
        || t.skip)
    {
        n = -1;
    }

    for (i = 1; i < t.n; i++) {
        node = &t.nodes[i];

        if (n < 0 || node->kind != 'V' || node->nested
            || !node->owner->matched)
        {
            continue;
        }

        p = node->text;
        len = node->len;

        while (len && strchr(" \t\r\n", *p)) {
            p++;
            len--;
        }

        while (len && strchr(" \t\r\n", p[len - 1])) {
            len--;
        }

        if (len == 0) {
            continue;
        }

        if (n == FUZZ_VALUES || len > CWMP_PARAMETER_VALUE_MAX) {
            n = -1;
            continue;
        }

        v = &r->values[n++];
        v->start = node->start;
        v->end = node->end;
        v->len = len;
        memcpy(v->text, p, len);
    }

    for (i = 1; i < t.n; i++) {
        free(t.nodes[i].text);
    }

    free(t.nodes);
    XML_ParserFree(t.parser);

    return n;
}


/*
 * The scanner takes bytes above 127 as they are, whatever the charset, and
 * expat recodes them to UTF-8: such texts are compared by place only.
 */

static void
fuzz_same_values(fuzz_result_t *a, fuzz_result_t *b, ngx_uint_t n)
{
    size_t      k;
    ngx_uint_t  i, plain;

    fuzz_check(a->n == n);

    for (i = 0; i < n; i++) {
        fuzz_check(a->values[i].start == b->values[i].start);
        fuzz_check(a->values[i].end == b->values[i].end);

        plain = 1;

        for (k = 0; k < b->values[i].len; k++) {
            if (b->values[i].text[k] >= 0x80) {
                plain = 0;
            }
        }

        /* line ends are LF for a parser; they are percent-encoded here */

        if (plain && memchr(a->values[i].text, CR, a->values[i].len) == NULL) {
            fuzz_check(a->values[i].len == b->values[i].len);
            fuzz_check(memcmp(a->values[i].text, b->values[i].text,
                              a->values[i].len) == 0);
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ngx_int_t         n;
    ngx_uint_t        declared, need, slow;
    cwmp_prefilter_t  f, cut;

    static fuzz_result_t  whole, other;

    /* the last byte says what Content-Type declares, and where to split */

    if (size == 0 || size > 65536) {
        return 0;
    }

    size--;
    declared = (data[size] & 0x80) ? (data[size] >> 4) & 7 : 0;

    if (declared > CWMP_CHARSET_OTHER) {
        declared = CWMP_CHARSET_NONE;
    }

    fuzz_scan(&whole, data, size, size, 1, declared);

    slow = fuzz_sample(data, size);

    if (slow) {
        fuzz_scan(&other, data, size, 1, 1, declared);
        fuzz_same_result(&whole, &other);
    }

    fuzz_scan(&other, data, size, data[size] % 61 + 1, size + 1, declared);
    fuzz_same_result(&whole, &other);

    fuzz_scan(&other, data, size, 3, data[size] % 13 + 1, declared);
    fuzz_same_result(&whole, &other);

    ngx_memzero(&f, sizeof(cwmp_prefilter_t));
    need = cwmp_prefilter(&f, (u_char *) data, size, declared);

    if (!need && f.names_end == 0) {
        fuzz_check(whole.n == 0);
    }

    if (fuzz_prefilter(&cut, data, size, data[size] % 61 + 1, declared) == 0) {
        fuzz_check(!need && cut.names_end == f.names_end);
    }

    /* who looks for addresses as well holds no less */

    ngx_memzero(&cut, sizeof(cwmp_prefilter_t));
    cut.addresses = 1;
    fuzz_check(cwmp_prefilter(&cut, (u_char *) data, size, declared) == need);
    fuzz_check(need || cut.names_end >= f.names_end);
    fuzz_check(!need || cwmp_prefilter(&cut, (u_char *) data, size, declared));

    if (slow) {
        fuzz_content_type(data, size);
    }

    if (whole.rc != NGX_OK) {
        return 0;
    }

    if (!need) {
        fuzz_names_end = f.names_end;
        fuzz_scan(&other, data, size, data[size] % 61 + 1, size + 1, declared);
        fuzz_names_end = 0;

        fuzz_check(other.rc != NGX_ERROR);
        fuzz_same_edits(&whole, &other);
    }

    if (slow && whole.m.declared == CWMP_CHARSET_NONE) {
        n = fuzz_expat(&other, data, size, NULL);

        if (n >= 0) {
            qsort(whole.values, whole.n, sizeof(fuzz_value_t), fuzz_compare);
            fuzz_same_values(&whole, &other, n);
        }
    }

    fuzz_replace(&whole, &other, data, size, declared);

    return 0;
}
