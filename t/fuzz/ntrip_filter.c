
/*
 * sources: ntrip_filter.c ntrip_sourcetable.c ntrip_text.c
 * libs: -lm
 *
 * A query, a line feed, and a table.  What comes of it are lines of the table,
 * in order, as often as there, and no more bytes than it had; a filter for
 * everything leaves all of them.
 */


#include "fuzz.h"
#include "ntrip_filter.h"


/* whether "part" is a line of "rest", which goes on behind it */

static ngx_uint_t
within(ngx_str_t *rest, ngx_str_t *part)
{
    u_char     *lf;
    ngx_str_t   line;

    while (rest->len) {
        lf = memchr(rest->data, LF, rest->len);

        line.data = rest->data;
        line.len = lf ? (size_t) (lf - rest->data) : rest->len;

        rest->len -= line.len + (lf != NULL);
        rest->data += line.len + (lf != NULL);

        ntrip_text_trim(&line);

        if (line.len == part->len
            && memcmp(line.data, part->data, part->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char          *buf, *lf;
    size_t           room;
    ngx_str_t        text, query, table, rest, line, mounts;
    ngx_uint_t       lines;
    ntrip_out_t      out;
    const char      *reason;
    ntrip_filter_t   filter;

    text = fuzz_copy(data, size);
    lf = size ? memchr(text.data, LF, size) : NULL;

    query.data = text.data;
    query.len = lf ? (size_t) (lf - text.data) : size;

    ngx_str_null(&table);

    if (lf) {
        table.data = lf + 1;
        table.len = text.data + size - table.data;
    }

    /* each line gets CR LF, if it had none */

    for (lines = 1, room = 0; room < table.len; room++) {
        lines += (table.data[room] == LF);
    }

    room = table.len + lines * 2 + sizeof(NTRIP_TABLE_END);
    buf = malloc(room);
    reason = NULL;

    if (ntrip_filter_parse(&filter, &query, &reason) == NGX_OK) {

        ngx_str_set(&mounts, "a*,*b");

        ntrip_out_init(&out, buf, room);
        ntrip_filter_table(&filter, &table, filter.auth ? &mounts : NULL,
                           &out);

        test(!out.overflow);
        test(out.last - buf >= 16);
        test(memcmp(out.last - 16, NTRIP_TABLE_END, 16) == 0);

        rest = table;

        for (line.data = buf; line.data < out.last - 16;
             line.data += line.len + 2)
        {
            lf = memchr(line.data, LF, out.last - line.data);
            test(lf != NULL && lf > line.data && lf[-1] == CR);

            line.len = lf - 1 - line.data;
            test(within(&rest, &line));
        }

    } else {
        test(reason != NULL);
    }

    free(buf);
    free(text.data);

    return 0;
}
