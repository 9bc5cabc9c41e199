
/*
 * Fieldgate: sourcetables and the names of mountpoints.
 */


#include "ntrip_sourcetable.h"


static ngx_uint_t ntrip_sourcetable_is_end(ntrip_sourcetable_t *t);
static void ntrip_str_split(ntrip_str_t *str, ngx_str_t *text,
    ngx_uint_t first);
static void ntrip_str_write(ntrip_out_t *out, ntrip_str_t *str, ngx_uint_t gga,
    ngx_uint_t raw);


void
ntrip_sourcetable_init(ntrip_sourcetable_t *t)
{
    t->len = 0;
    t->total = 0;
    t->overlong = 0;
    t->ended = 0;
}


ngx_int_t
ntrip_sourcetable_next(ntrip_sourcetable_t *t, ngx_str_t *in, ngx_str_t *line)
{
    u_char      ch;
    size_t      len;
    ngx_uint_t  overlong;

    if (in->len == 0 && ntrip_sourcetable_is_end(t)) {
        t->ended = 1;
    }

    while (in->len && !t->ended) {

        if (t->total == NTRIP_TABLE_MAX) {
            return NGX_ERROR;
        }

        ch = *in->data++;
        in->len--;
        t->total++;

        if (ch != LF) {

            if (t->len == NTRIP_TABLE_LINE_MAX) {
                t->overlong = 1;

            } else {
                t->line[t->len++] = ch;
            }

            continue;
        }

        if (ntrip_sourcetable_is_end(t)) {
            t->ended = 1;
            break;
        }

        line->data = t->line;
        line->len = t->len;

        ntrip_text_trim(line);

        len = line->len;
        overlong = t->overlong;

        t->len = 0;
        t->overlong = 0;

        if (len && !overlong) {
            return NGX_OK;
        }
    }

    return t->ended ? NGX_DONE : NGX_AGAIN;
}


static ngx_uint_t
ntrip_sourcetable_is_end(ntrip_sourcetable_t *t)
{
    ngx_str_t  line;

    line.data = t->line;
    line.len = t->len;

    ntrip_text_trim(&line);

    return !t->overlong && ntrip_text_is(&line, "ENDSOURCETABLE");
}


ngx_int_t
ntrip_str_parse(ntrip_str_t *str, ngx_str_t *line)
{
    ngx_memzero(str, sizeof(ntrip_str_t));

    if (!ntrip_text_begins(line, "STR;")) {
        return NGX_DECLINED;
    }

    ntrip_str_split(str, line, 0);

    return str->field[NTRIP_STR_MOUNT].len ? NGX_OK : NGX_DECLINED;
}

void
ntrip_str_fields(ntrip_str_t *str, ngx_str_t *text)
{
    if (ntrip_str_parse(str, text) != NGX_OK) {
        ntrip_str_split(str, text, NTRIP_STR_IDENTIFIER);
    }
}


ngx_int_t
ntrip_str_place(ntrip_str_t *str, double *latitude, double *longitude)
{
    if (ntrip_text_decimal(&str->field[NTRIP_STR_LATITUDE], latitude)
        != NGX_OK
        || ntrip_text_decimal(&str->field[NTRIP_STR_LONGITUDE], longitude)
           != NGX_OK
        || *latitude < -90 || *latitude > 90
        || *longitude < -180 || *longitude > 360
        || (*latitude == 0 && *longitude == 0))
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* the fields from "first" on; the last one takes the rest */

static void
ntrip_str_split(ntrip_str_t *str, ngx_str_t *text, ngx_uint_t first)
{
    u_char      *p, *last, *semicolon;
    ngx_uint_t   i;

    p = text->data;
    last = p + text->len;

    for (i = first; i < NTRIP_STR_FIELDS; i++) {

        semicolon = (p < last) ? memchr(p, ';', last - p) : NULL;

        if (semicolon == NULL || i == NTRIP_STR_MISC) {
            semicolon = last;
        }

        str->field[i].data = p;
        str->field[i].len = semicolon - p;
        str->nfields = i + 1;

        if (semicolon == last) {
            break;
        }

        p = semicolon + 1;
    }
}


const char *
ntrip_str_check(ngx_str_t *mount, ngx_str_t *str)
{
    ntrip_str_t  parsed;

    if (ntrip_text_controls(str)) {
        return "control character in the sourcetable line";
    }

    if (str->len + mount->len + sizeof("STR;;") > NTRIP_TABLE_LINE_MAX) {
        return "sourcetable line is too long";
    }

    if (ntrip_text_begins(str, "STR;")
        && (ntrip_str_parse(&parsed, str) != NGX_OK
            || parsed.field[NTRIP_STR_MOUNT].len != mount->len
            || ngx_memcmp(parsed.field[NTRIP_STR_MOUNT].data, mount->data,
                          mount->len) != 0))
    {
        return "sourcetable line names another mountpoint";
    }

    return NULL;
}


void
ntrip_str_line(ntrip_out_t *out, ngx_str_t *mount, ngx_str_t *str,
    ngx_uint_t gga, ngx_uint_t raw)
{
    ntrip_str_t  parsed;

    ntrip_str_fields(&parsed, str);

    parsed.field[NTRIP_STR_MOUNT] = *mount;

    ntrip_str_write(out, &parsed, gga, raw);
}


void
ntrip_str_relayed(ntrip_out_t *out, ngx_str_t *line)
{
    ntrip_str_t  parsed;

    if (ntrip_str_parse(&parsed, line) != NGX_OK) {
        return;
    }

    ngx_str_set(&parsed.field[NTRIP_STR_AUTH], "B");

    ntrip_str_write(out, &parsed, 1, 0);
}


static void
ntrip_str_write(ntrip_out_t *out, ntrip_str_t *str, ngx_uint_t gga,
    ngx_uint_t raw)
{
    ngx_str_t    value, *field;
    ngx_uint_t   i;

    /* where nothing is known: what RTCM 3 of a network usually is */

    static const char  *defaults[NTRIP_STR_FIELDS] = {
        "STR", "", "", "RTCM 3.2", "", "2", "GPS+GLO+GAL+BDS", "none",
        NTRIP_TABLE_NOWHERE, "0.00", "0.00", "0", "0", "Fieldgate", "none",
        "B", "N", "0", "none"
    };

    for (i = 0; i < NTRIP_STR_FIELDS; i++) {

        if (i) {
            ntrip_out_char(out, ';');
        }

        field = &str->field[i];

        if (i == NTRIP_STR_IDENTIFIER && field->len == 0) {
            field = &str->field[NTRIP_STR_MOUNT];

        } else if (field->len == 0) {
            value.data = (u_char *) defaults[i];

            if (gga && (i == NTRIP_STR_NMEA || i == NTRIP_STR_SOLUTION)) {
                value.data = (u_char *) "1";

            } else if (raw && i == NTRIP_STR_FORMAT) {
                value.data = (u_char *) "RAW";
            }

            value.len = ngx_strlen(value.data);
            field = &value;
        }

        ntrip_out_str(out, field);
    }

    ntrip_out_text(out, CRLF);
}


const char *
ntrip_mount_check(ngx_str_t *mount)
{
    u_char  c;
    size_t  i;

    if (mount->len == 0) {
        return "empty mountpoint";
    }

    if (mount->len > NTRIP_MOUNT_MAX) {
        return "mountpoint is too long";
    }

    for (i = 0; i < mount->len; i++) {
        c = mount->data[i];

        if (c <= 0x20 || c >= 0x7f || strchr(";,/?#%\"\\", c)) {
            return "invalid character in the mountpoint";
        }
    }

    return NULL;
}


ngx_uint_t
ntrip_mount_allowed(ngx_str_t *list, ngx_str_t *mount)
{
    u_char     *p, *last, *comma;
    ngx_str_t   name;

    p = list->data;
    last = p + list->len;

    if (list->len == 0) {
        return 1;
    }

    while (p < last) {
        comma = memchr(p, ',', last - p);

        name.data = p;
        name.len = (comma ? comma : last) - p;

        ntrip_text_trim(&name);

        if (name.len && ntrip_text_glob(&name, mount)) {
            return 1;
        }

        p = comma ? comma + 1 : last;
    }

    return 0;
}


void
ntrip_mount_match_init(ntrip_mount_match_t *m, ngx_str_t *name)
{
    m->name = *name;
    m->exact = NGX_DECLINED;
    m->folded = NGX_DECLINED;
    m->ambiguous = 0;

    ngx_str_null(&m->spelling);
}


void
ntrip_mount_match_add(ntrip_mount_match_t *m, ngx_str_t *candidate,
    ngx_int_t number)
{
    if (!ntrip_text_equal_case(&m->name, candidate)) {
        return;
    }

    if (candidate->len == 0
        || ngx_memcmp(m->name.data, candidate->data, candidate->len) == 0)
    {
        if (m->exact == NGX_DECLINED) {
            m->exact = number;
        }

        return;
    }

    if (m->folded == NGX_DECLINED) {
        m->folded = number;
        m->spelling = *candidate;
        return;
    }

    /* the same name twice, as where two networks are listed, is one name */

    if (ngx_memcmp(m->spelling.data, candidate->data, candidate->len) != 0) {
        m->ambiguous = 1;
    }
}


ngx_int_t
ntrip_mount_match_result(ntrip_mount_match_t *m)
{
    if (m->exact != NGX_DECLINED) {
        return m->exact;
    }

    return m->ambiguous ? NGX_DECLINED : m->folded;
}
