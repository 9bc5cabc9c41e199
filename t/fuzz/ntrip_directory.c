
/*
 * sources: ntrip_directory.c ntrip_sourcetable.c ntrip_text.c
 *
 * A whole table, in memory of just the size that was asked for: what comes out
 * is lines of STR, CAS and NET, of which each mountpoint is found, as it is
 * written and in capitals.
 */


#include "fuzz.h"
#include "ntrip_directory.h"


static void
lines(ntrip_directory_t *d)
{
    u_char     *p, *end, *last;
    ngx_str_t   line;
    ngx_uint_t  n;

    p = d->text.data;
    last = p + d->text.len;
    n = 0;

    while (p < last) {
        end = memchr(p, LF, last - p);
        test(end && end > p && end[-1] == CR);

        line.data = p;
        line.len = end - 1 - p;

        test(!ntrip_text_controls(&line));
        test(ntrip_text_begins(&line, "STR;")
             || ntrip_text_begins(&line, "CAS;")
             || ntrip_text_begins(&line, "NET;"));

        n += ntrip_text_begins(&line, "STR;");
        p = end + 1;
    }

    test(n == d->nmounts);
}


static void
mounts(ntrip_directory_t *d)
{
    u_char                    upper[NTRIP_MOUNT_MAX];
    ngx_str_t                 name;
    ngx_uint_t                i, k;
    ntrip_directory_mount_t  *m;

    for (i = 0; i < d->nmounts; i++) {
        name = d->mounts[i].name;

        test(name.data >= d->text.data
             && name.data + name.len <= d->text.data + d->text.len);
        test(name.len <= NTRIP_MOUNT_MAX);

        m = ntrip_directory_find(d, &name);
        test(m && m->name.len == name.len
             && memcmp(m->name.data, name.data, name.len) == 0);

        for (k = 0; k < name.len; k++) {
            upper[k] = ngx_toupper(name.data[k]);
        }

        name.data = upper;
        m = ntrip_directory_find(d, &name);
        test(m == NULL || m->name.len == name.len);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                    bytes;
    u_char                   *text;
    ngx_str_t                 table;
    ngx_uint_t                n;
    ntrip_directory_t         d;
    ntrip_directory_mount_t  *places;

    memset(&d, 0, sizeof(d));

    table = fuzz_copy(data, size);

    ntrip_directory_size(&table, &n, &bytes);

    text = malloc(bytes);
    places = malloc(n * sizeof(ntrip_directory_mount_t));

    (void) ntrip_directory_read(&d, &table, text, places);

    test(d.nmounts <= n && d.text.len <= bytes);

    lines(&d);
    mounts(&d);

    free(places);
    free(text);
    free(table.data);

    return 0;
}
