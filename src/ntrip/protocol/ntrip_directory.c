
/*
 * Tables as a whole: see ntrip_directory.h.
 */


#include <stdlib.h>

#include "ntrip_directory.h"


static void ntrip_directory_line(ntrip_directory_t *d, ngx_str_t *line,
    u_char *text);
static int ntrip_directory_compare(const void *one, const void *two);
static ngx_int_t ntrip_directory_order(ngx_str_t *a, ngx_str_t *b);


void
ntrip_directory_size(ngx_str_t *table, ngx_uint_t *lines, size_t *size)
{
    size_t  i;

    *lines = 1;

    for (i = 0; i < table->len; i++) {
        *lines += (table->data[i] == LF);
    }

    *size = table->len + 2 * *lines;
}


ngx_int_t
ntrip_directory_read(ntrip_directory_t *d, ngx_str_t *table, u_char *text,
    ntrip_directory_mount_t *mounts)
{
    ngx_int_t            rc;
    ngx_str_t            in, line, end;
    ntrip_sourcetable_t  reader;

    d->text.data = text;
    d->text.len = 0;
    d->mounts = mounts;
    d->nmounts = 0;

    in = *table;

    ntrip_sourcetable_init(&reader);

    while ((rc = ntrip_sourcetable_next(&reader, &in, &line)) == NGX_OK) {
        ntrip_directory_line(d, &line, text);
    }

    if (rc == NGX_AGAIN) {
        ngx_str_null(&end);
        rc = ntrip_sourcetable_next(&reader, &end, &line);
    }

    qsort(d->mounts, d->nmounts, sizeof(ntrip_directory_mount_t),
          ntrip_directory_compare);

    return (rc == NGX_DONE) ? NGX_OK : NGX_DECLINED;
}


static void
ntrip_directory_line(ntrip_directory_t *d, ngx_str_t *line, u_char *text)
{
    u_char                   *p;
    ntrip_str_t               str;
    ntrip_directory_mount_t  *mount;

    if (ntrip_text_controls(line)) {
        return;
    }

    p = d->text.data + d->text.len;

    if (ntrip_str_parse(&str, line) == NGX_OK) {

        if (ntrip_mount_check(&str.field[NTRIP_STR_MOUNT]) != NULL
            || (d->declared
                && d->declared(d->data, &str.field[NTRIP_STR_MOUNT])))
        {
            return;
        }

        mount = &d->mounts[d->nmounts++];
        mount->name.len = str.field[NTRIP_STR_MOUNT].len;
        mount->name.data = p + (str.field[NTRIP_STR_MOUNT].data
                                - line->data);
        mount->gga = !ntrip_text_is(&str.field[NTRIP_STR_NMEA], "0");

    } else if (!ntrip_text_begins(line, "CAS;")
               && !ntrip_text_begins(line, "NET;"))
    {
        return;
    }

    ngx_memcpy(p, line->data, line->len);
    p += line->len;

    *p++ = CR;
    *p++ = LF;

    d->text.len = p - text;
}


/* names that are equal, case aside: in the order of the table */

static int
ntrip_directory_compare(const void *one, const void *two)
{
    ngx_int_t                 order;
    ntrip_directory_mount_t  *a, *b;

    a = (ntrip_directory_mount_t *) one;
    b = (ntrip_directory_mount_t *) two;

    order = ntrip_directory_order(&a->name, &b->name);

    return order ? (int) order : (a->name.data < b->name.data ? -1 : 1);
}


static ngx_int_t
ntrip_directory_order(ngx_str_t *a, ngx_str_t *b)
{
    ngx_int_t  order;

    order = ngx_strncasecmp(a->data, b->data, ngx_min(a->len, b->len));

    if (order == 0) {
        order = (ngx_int_t) a->len - (ngx_int_t) b->len;
    }

    return order;
}


ntrip_directory_mount_t *
ntrip_directory_find(ntrip_directory_t *d, ngx_str_t *name)
{
    ngx_int_t            n;
    ngx_uint_t           i, low, high;
    ntrip_mount_match_t  match;

    low = 0;
    high = d->nmounts;

    while (low < high) {
        i = (low + high) / 2;

        if (ntrip_directory_order(&d->mounts[i].name, name) < 0) {
            low = i + 1;

        } else {
            high = i;
        }
    }

    ntrip_mount_match_init(&match, name);

    for (i = low; i < d->nmounts; i++) {

        if (ntrip_directory_order(&d->mounts[i].name, name) != 0) {
            break;
        }

        ntrip_mount_match_add(&match, &d->mounts[i].name, (ngx_int_t) i);
    }

    n = ntrip_mount_match_result(&match);

    return (n == NGX_DECLINED) ? NULL : &d->mounts[n];
}
