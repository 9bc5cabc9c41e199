
/*
 * Filters of sourcetables: see ntrip_filter.h.
 */


#include <math.h>

#include "ntrip_filter.h"


/* of all kinds of lines */
#define NTRIP_FILTER_FIELDS  NTRIP_STR_FIELDS


/* a field of an expression, on its way through the value of a line */

typedef struct {
    u_char       *p;
    u_char       *last;
    ngx_str_t     value;
    ngx_uint_t    systems;               /* the value has several */
    ngx_uint_t    depth;
    const char   *error;
} ntrip_filter_walk_t;


static ngx_int_t ntrip_filter_part(ntrip_filter_t *f, ngx_str_t *part,
    ngx_uint_t *unknown, const char **reason);
static ngx_int_t ntrip_filter_decode(ngx_str_t *part);
static ngx_uint_t ntrip_filter_named(ngx_str_t *part, const char *name,
    ngx_str_t *rest);
static ngx_uint_t ntrip_filter_typed(ngx_str_t *fields);
static ngx_int_t ntrip_filter_switch(ngx_str_t *rest);
static ngx_int_t ntrip_filter_add(ntrip_filter_t *f, ngx_str_t *fields,
    ngx_uint_t literal, const char **reason);
static ngx_int_t ntrip_filter_check(ntrip_filter_t *f, ngx_str_t *fields,
    const char **reason);
static ngx_uint_t ntrip_filter_line(ntrip_filter_t *f, ngx_str_t *line,
    ngx_str_t *mounts, double *distance);
static ngx_uint_t ntrip_filter_fields(ngx_str_t *fields, ngx_uint_t literal,
    ngx_str_t *line, double *distance);
static ngx_uint_t ntrip_filter_field(ngx_str_t *field, ngx_uint_t literal,
    ngx_str_t *value, ngx_uint_t systems, const char **error);
static ngx_uint_t ntrip_filter_near(ngx_str_t *field, ngx_str_t *value,
    double scale, ngx_uint_t circle, double *distance);
static double ntrip_filter_scale(ngx_str_t *line, ngx_uint_t latitude);
static ngx_str_t ntrip_filter_next(ngx_str_t *rest, u_char separator);
static ngx_uint_t ntrip_filter_or(ntrip_filter_walk_t *w);
static ngx_uint_t ntrip_filter_and(ntrip_filter_walk_t *w);
static ngx_uint_t ntrip_filter_not(ntrip_filter_walk_t *w);
static ngx_uint_t ntrip_filter_term(ntrip_filter_walk_t *w);
static ngx_uint_t ntrip_filter_compare(ntrip_filter_walk_t *w, u_char *op,
    size_t len, ngx_str_t *text);
static ngx_int_t ntrip_filter_order(ngx_str_t *value, ngx_str_t *text);
static ngx_uint_t ntrip_filter_equal(ngx_str_t *value, ngx_str_t *text,
    ngx_uint_t systems);


ngx_int_t
ntrip_filter_parse(ntrip_filter_t *f, ngx_str_t *query, const char **reason)
{
    ngx_str_t   rest, part;
    ngx_uint_t  i, unknown;

    ngx_memzero(f, sizeof(ntrip_filter_t));

    rest = *query;
    unknown = 0;

    while (rest.len) {
        part = ntrip_filter_next(&rest, '&');

        if (ntrip_filter_decode(&part) != NGX_OK) {
            *reason = "malformed encoding in the query";
            return NGX_ERROR;
        }

        if (part.len
            && ntrip_filter_part(f, &part, &unknown, reason) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (f->strict && unknown) {
        *reason = "unknown name in a strict query";
        return NGX_ERROR;
    }

    for (i = 0; i < f->n; i++) {
        if (f->strict && !ntrip_filter_typed(&f->fields[i])) {
            *reason = "filter without a type in a strict query";
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ntrip_filter_part(ntrip_filter_t *f, ngx_str_t *part, ngx_uint_t *unknown,
    const char **reason)
{
    ngx_int_t  rc;
    ngx_str_t  rest;

    if (ntrip_filter_typed(part)) {
        return ntrip_filter_add(f, part, 0, reason);
    }

    if (ntrip_filter_named(part, "filter", &rest)) {
        return ntrip_filter_add(f, &rest, 0, reason);
    }

    if (ntrip_filter_named(part, "match", &rest)) {
        return ntrip_filter_add(f, &rest, 1, reason);
    }

    if (ntrip_filter_named(part, "auth", &rest)) {
        rc = ntrip_filter_switch(&rest);
        f->auth = (rc == 1);

    } else if (ntrip_filter_named(part, "strict", &rest)) {
        rc = ntrip_filter_switch(&rest);
        f->strict = (rc == 1);

    } else {
        *unknown = 1;
        return NGX_OK;
    }

    if (rc == NGX_ERROR) {
        *reason = "a switch of the query is neither 1 nor 0";
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* in place; '+' is an operator here */

static ngx_int_t
ntrip_filter_decode(ngx_str_t *part)
{
    u_char     *p, *d, *last;
    ngx_int_t   value;

    last = part->data + part->len;

    for (p = part->data, d = p; p < last; p++) {

        if (*p != '%') {
            *d++ = *p;
            continue;
        }

        if (last - p < 3) {
            return NGX_ERROR;
        }

        value = ngx_hextoi(p + 1, 2);

        if (value == NGX_ERROR) {
            return NGX_ERROR;
        }

        *d++ = (u_char) value;
        p += 2;
    }

    part->len = d - part->data;

    return ntrip_text_controls(part) ? NGX_ERROR : NGX_OK;
}


/* "name", "name=rest" or "namerest" */

static ngx_uint_t
ntrip_filter_named(ngx_str_t *part, const char *name, ngx_str_t *rest)
{
    size_t  len;

    if (!ntrip_text_begins(part, name)) {
        return 0;
    }

    len = ngx_strlen(name);

    rest->data = part->data + len;
    rest->len = part->len - len;

    if (rest->len && rest->data[0] == '=') {
        rest->data++;
        rest->len--;
    }

    return 1;
}


static ngx_uint_t
ntrip_filter_typed(ngx_str_t *fields)
{
    ngx_str_t  type, rest;

    rest = *fields;
    type = ntrip_filter_next(&rest, ';');

    return ntrip_text_is(&type, "STR")
           || ntrip_text_is(&type, "CAS")
           || ntrip_text_is(&type, "NET");
}


static ngx_int_t
ntrip_filter_switch(ngx_str_t *rest)
{
    return rest->len ? ntrip_text_number(rest, 1) : 1;
}


static ngx_int_t
ntrip_filter_add(ntrip_filter_t *f, ngx_str_t *fields, ngx_uint_t literal,
    const char **reason)
{
    f->bytes += fields->len;

    if (f->n == NTRIP_FILTER_MAX || f->bytes > NTRIP_FILTER_BYTES) {
        *reason = "too many filters, or too long ones";
        return NGX_ERROR;
    }

    if (!literal && ntrip_filter_check(f, fields, reason) != NGX_OK) {
        return NGX_ERROR;
    }

    f->fields[f->n] = *fields;
    f->literal[f->n++] = literal;

    return NGX_OK;
}


static ngx_int_t
ntrip_filter_check(ntrip_filter_t *f, ngx_str_t *fields, const char **reason)
{
    double       number;
    ngx_str_t    rest, field, value;
    ngx_uint_t   n;
    const char  *error;

    rest = *fields;
    ngx_str_null(&value);

    for (n = 0; rest.len; n++) {
        field = ntrip_filter_next(&rest, ';');

        if (n == NTRIP_FILTER_FIELDS) {
            *reason = "filter with more fields than a line has";
            return NGX_ERROR;
        }

        if (field.len && field.data[0] == '~') {
            field.data++;
            field.len--;

            if (ntrip_text_decimal(&field, &number) != NGX_OK) {
                *reason = "no number behind \"~\"";
                return NGX_ERROR;
            }

            f->nearest = 1;
            continue;
        }

        error = NULL;
        (void) ntrip_filter_field(&field, 0, &value, 0, &error);

        if (error) {
            *reason = error;
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


void
ntrip_filter_table(ntrip_filter_t *f, ngx_str_t *table, ngx_str_t *mounts,
    ntrip_out_t *out)
{
    double      distance, nearest;
    ngx_str_t   rest, line;
    ngx_uint_t  found;

    nearest = 0;
    found = 0;

    for (rest = *table; f->nearest && rest.len; /* void */ ) {
        line = ntrip_filter_next(&rest, LF);

        if (ntrip_filter_line(f, &line, mounts, &distance)
            && (!found || distance < nearest))
        {
            nearest = distance;
            found = 1;
        }
    }

    for (rest = *table; rest.len; /* void */ ) {
        line = ntrip_filter_next(&rest, LF);

        if (ntrip_filter_line(f, &line, mounts, &distance)
            && (!f->nearest || distance <= nearest))
        {
            ntrip_out_str(out, &line);
            ntrip_out_text(out, CRLF);
        }
    }

    ntrip_out_text(out, NTRIP_TABLE_END);
}


/* *distance: the square of one, in degrees */

static ngx_uint_t
ntrip_filter_line(ntrip_filter_t *f, ngx_str_t *line, ngx_str_t *mounts,
    double *distance)
{
    ngx_str_t   rest, mount;
    ngx_uint_t  i;

    ntrip_text_trim(line);

    *distance = 0;

    if (line->len == 0 || ntrip_text_is(line, "ENDSOURCETABLE")) {
        return 0;
    }

    if (mounts && ntrip_text_begins(line, "STR;")) {
        rest = *line;
        (void) ntrip_filter_next(&rest, ';');
        mount = ntrip_filter_next(&rest, ';');

        if (!ntrip_mount_allowed(mounts, &mount)) {
            return 0;
        }
    }

    for (i = 0; i < f->n; i++) {
        if (!ntrip_filter_fields(&f->fields[i], f->literal[i], line,
                                 distance))
        {
            return 0;
        }
    }

    return 1;
}


static ngx_uint_t
ntrip_filter_fields(ngx_str_t *fields, ngx_uint_t literal, ngx_str_t *line,
    double *distance)
{
    double       scale;
    ngx_str_t    rest, values, field, value;
    ngx_uint_t   n, str, latitude;
    const char  *error;

    rest = *fields;
    values = *line;

    str = ntrip_text_begins(line, "STR;");
    latitude = str ? NTRIP_STR_LATITUDE : 7 /* of CAS */;

    for (n = 0; rest.len; n++) {
        field = ntrip_filter_next(&rest, ';');

        if (str && n == NTRIP_STR_MISC) {
            value = values;
            values.len = 0;

        } else {
            value = ntrip_filter_next(&values, ';');
        }

        if (field.len == 0) {
            continue;
        }

        if (!literal && field.data[0] == '~') {
            scale = (n == latitude + 1) ? ntrip_filter_scale(line, latitude)
                                        : 1;

            if (!ntrip_filter_near(&field, &value, scale, n == latitude + 1,
                                   distance))
            {
                return 0;
            }

            continue;
        }

        error = NULL;

        if (!ntrip_filter_field(&field, literal, &value,
                                str && n == NTRIP_STR_NAV, &error))
        {
            return 0;
        }
    }

    return 1;
}


static ngx_uint_t
ntrip_filter_field(ngx_str_t *field, ngx_uint_t literal, ngx_str_t *value,
    ngx_uint_t systems, const char **error)
{
    ngx_uint_t           good;
    ntrip_filter_walk_t  w;

    if (field->len == 0) {
        return 1;
    }

    if (literal) {
        return ntrip_text_equal_case(field, value)
               || ntrip_filter_order(value, field) == 0;
    }

    w.p = field->data;
    w.last = field->data + field->len;
    w.value = *value;
    w.systems = systems;
    w.depth = 0;
    w.error = NULL;

    good = ntrip_filter_or(&w);

    if (w.error == NULL && w.p < w.last) {
        w.error = "\")\" without \"(\" in a filter";
    }

    *error = w.error;

    return good && w.error == NULL;
}


static ngx_uint_t
ntrip_filter_near(ngx_str_t *field, ngx_str_t *value, double scale,
    ngx_uint_t circle, double *distance)
{
    double     a, b, d;
    ngx_str_t  text;

    text.data = field->data + 1;
    text.len = field->len - 1;

    if (ntrip_text_decimal(&text, &a) != NGX_OK
        || ntrip_text_decimal(value, &b) != NGX_OK)
    {
        return 0;
    }

    d = fabs(a - b);

    if (circle) {
        d = fmod(d, 360);
        d = ngx_min(d, 360 - d);
    }

    *distance += d * d * scale * scale;

    return 1;
}


/* of a degree of longitude there, to one of latitude */

static double
ntrip_filter_scale(ngx_str_t *line, ngx_uint_t latitude)
{
    double      number;
    ngx_str_t   rest, value;
    ngx_uint_t  i;

    rest = *line;

    for (i = 0; i < latitude; i++) {
        (void) ntrip_filter_next(&rest, ';');
    }

    value = ntrip_filter_next(&rest, ';');

    if (ntrip_text_decimal(&value, &number) != NGX_OK) {
        return 1;
    }

    return cos(number * M_PI / 180);
}


/* takes the text in front of the next separator, and that, from "rest" */

static ngx_str_t
ntrip_filter_next(ngx_str_t *rest, u_char separator)
{
    u_char     *p;
    ngx_str_t   text;

    text = *rest;
    p = rest->len ? memchr(rest->data, separator, rest->len) : NULL;

    if (p == NULL) {
        rest->len = 0;
        return text;
    }

    text.len = p - text.data;

    rest->data = p + 1;
    rest->len -= text.len + 1;

    return text;
}


static ngx_uint_t
ntrip_filter_or(ntrip_filter_walk_t *w)
{
    ngx_uint_t  good;

    good = ntrip_filter_and(w);

    while (w->error == NULL && w->p < w->last && *w->p == '|') {
        w->p++;
        good |= ntrip_filter_and(w);
    }

    return good;
}


static ngx_uint_t
ntrip_filter_and(ntrip_filter_walk_t *w)
{
    ngx_uint_t  good;

    good = ntrip_filter_not(w);

    while (w->error == NULL && w->p < w->last && *w->p == '+') {
        w->p++;
        good &= ntrip_filter_not(w);
    }

    return good;
}


static ngx_uint_t
ntrip_filter_not(ntrip_filter_walk_t *w)
{
    u_char      c;
    ngx_uint_t  good;

    c = (w->p < w->last) ? *w->p : '\0';

    if (c != '(' && (c != '!' || (w->last - w->p > 1 && w->p[1] == '='))) {
        return ntrip_filter_term(w);
    }

    if (w->depth++ == NTRIP_FILTER_DEPTH) {
        w->error = "too many parentheses in a filter";
        return 0;
    }

    w->p++;

    if (c == '!') {
        good = !ntrip_filter_not(w);

    } else {
        good = ntrip_filter_or(w);

        if (w->error == NULL && (w->p == w->last || *w->p++ != ')')) {
            w->error = "\"(\" without \")\" in a filter";
        }
    }

    w->depth--;

    return good;
}


static ngx_uint_t
ntrip_filter_term(ntrip_filter_walk_t *w)
{
    size_t     len;
    u_char    *op;
    ngx_str_t  text;

    op = w->p;

    if (w->p < w->last && *w->p == '!') {
        w->p++;
    }

    if (w->p < w->last && (*w->p == '<' || *w->p == '>')) {
        w->p++;
    }

    if (w->p < w->last && *w->p == '=') {
        w->p++;
    }

    len = w->p - op;
    text.data = w->p;

    while (w->p < w->last && *w->p != '|' && *w->p != '+' && *w->p != '('
           && *w->p != ')')
    {
        w->p++;
    }

    text.len = w->p - text.data;

    ntrip_text_trim(&text);

    if (text.len == 0) {
        w->error = "nothing to compare with in a filter";
        return 0;
    }

    if (w->p < w->last && *w->p == '(') {
        w->error = "\"(\" behind a text in a filter";
        return 0;
    }

    return ntrip_filter_compare(w, op, len, &text);
}


static ngx_uint_t
ntrip_filter_compare(ntrip_filter_walk_t *w, u_char *op, size_t len,
    ngx_str_t *text)
{
    ngx_int_t  order;

    if (len == 0 || op[0] == '=') {
        return ntrip_filter_equal(&w->value, text, w->systems);
    }

    if (op[0] == '!') {
        return !ntrip_filter_equal(&w->value, text, w->systems);
    }

    order = ntrip_filter_order(&w->value, text);

    if (order == NGX_DECLINED) {
        return 0;
    }

    if (order == 0) {
        return len == 2;
    }

    return (op[0] == '<') == (order == -1);
}


/* -1, 0 or 1 as the value is less, equal or more; NGX_DECLINED: one of them is
   no number */

static ngx_int_t
ntrip_filter_order(ngx_str_t *value, ngx_str_t *text)
{
    double  a, b;

    if (ntrip_text_decimal(value, &a) != NGX_OK
        || ntrip_text_decimal(text, &b) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    return (a < b) ? -1 : (a > b);
}


static ngx_uint_t
ntrip_filter_equal(ngx_str_t *value, ngx_str_t *text, ngx_uint_t systems)
{
    ngx_str_t  rest, part;

    if (ntrip_text_glob(text, value)
        || ntrip_filter_order(value, text) == 0)
    {
        return 1;
    }

    for (rest = *value; systems && rest.len; /* void */ ) {
        part = ntrip_filter_next(&rest, '+');

        if (ntrip_text_glob(text, &part)) {
            return 1;
        }
    }

    return 0;
}
