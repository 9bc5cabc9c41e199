
/*
 * sources: ntrip_sourcetable.c ntrip_text.c
 *
 * The first byte says how the rest is cut.  As a provider's table, the same
 * lines come out; as a mountpoint, a 0 byte and its str="...", what the check
 * accepts makes one line of 19 fields that names the mountpoint.
 */


#include "fuzz.h"
#include "ntrip_sourcetable.h"


/* as a caster shows it that relays: all fields, and its own authentication */

static void
relayed(ngx_str_t *line)
{
    u_char       buf[NTRIP_STR_LINE_MAX];
    ngx_str_t    made;
    ntrip_out_t  out;
    ntrip_str_t  str;

    ntrip_out_init(&out, buf, sizeof(buf));
    ntrip_str_relayed(&out, line);
    test(!out.overflow);

    made.data = buf;
    made.len = out.last - buf - 2;

    test(ntrip_str_parse(&str, &made) == NGX_OK);
    test(str.nfields == NTRIP_STR_FIELDS);
    test(ntrip_text_is(&str.field[NTRIP_STR_AUTH], "B"));

    made.data++;
    made.len--;

    ntrip_out_init(&out, buf, sizeof(buf));
    ntrip_str_relayed(&out, &made);
    test(out.last == buf);
}


static void
run(fuzz_buf_t *b, const uint8_t *data, size_t size, uint32_t seed,
    size_t most)
{
    size_t               n, k;
    double               latitude, longitude;
    ngx_int_t            rc;
    ngx_str_t            piece, in, line;
    ngx_uint_t           i;
    ntrip_str_t          str;
    ntrip_sourcetable_t  t;

    ntrip_sourcetable_init(&t);
    rc = NGX_AGAIN;

    for (n = 0; n < size && rc == NGX_AGAIN; n += k) {
        k = fuzz_piece(&seed, most, size - n);
        piece = fuzz_copy(data + n, k);
        in = piece;

        while ((rc = ntrip_sourcetable_next(&t, &in, &line)) == NGX_OK) {
            test(line.len > 0 && line.len <= NTRIP_TABLE_LINE_MAX);
            fuzz_add(b, line.data, line.len);
            fuzz_add(b, "\n", 1);

            if (ntrip_str_parse(&str, &line) != NGX_OK) {
                continue;
            }

            if (ntrip_str_place(&str, &latitude, &longitude) == NGX_OK) {
                test(latitude >= -90 && latitude <= 90);
                test(longitude >= -180 && longitude <= 360);
            }

            test(str.nfields > 1 && str.nfields <= NTRIP_STR_FIELDS);
            relayed(&line);

            for (i = 0; i < str.nfields; i++) {
                test(str.field[i].data >= line.data
                     && str.field[i].data + str.field[i].len
                        <= line.data + line.len);
            }
        }

        free(piece.data);
    }

    if (rc == NGX_AGAIN) {
        in.data = NULL;
        in.len = 0;
        rc = ntrip_sourcetable_next(&t, &in, &line);
        test(rc != NGX_OK);
    }

    fuzz_add(b, &rc, sizeof(rc));
}


static void
declare(const uint8_t *data, size_t size)
{
    u_char               buf[NTRIP_STR_LINE_MAX];
    size_t               n;
    ngx_str_t            mount, text, line;
    ngx_uint_t           i;
    ntrip_out_t          out;
    ntrip_str_t          str;
    ntrip_mount_match_t  m;

    for (n = 0; n < size && data[n]; n++) {
        /* void */
    }

    mount = fuzz_copy(data, n);
    text = fuzz_copy(data + n + (n < size), size - n - (n < size));

    if (ntrip_mount_check(&mount) == NULL
        && ntrip_str_check(&mount, &text) == NULL)
    {
        ntrip_out_init(&out, buf, sizeof(buf));
        ntrip_str_line(&out, &mount, &text, size & 1, size & 2);
        test(!out.overflow);

        line.data = buf;
        line.len = out.last - buf - 2;
        test(memcmp(line.data + line.len, CRLF, 2) == 0);
        test(memchr(line.data, LF, line.len) == NULL);

        test(ntrip_str_parse(&str, &line) == NGX_OK);
        test(str.nfields == NTRIP_STR_FIELDS);

        for (i = 0; i < NTRIP_STR_FIELDS; i++) {
            test(str.field[i].len || i == NTRIP_STR_DETAILS);
        }

        ntrip_mount_match_init(&m, &mount);
        ntrip_mount_match_add(&m, &str.field[NTRIP_STR_MOUNT], 7);
        test(m.exact == 7 && ntrip_mount_match_result(&m) == 7);

        ntrip_mount_match_init(&m, &text);
        ntrip_mount_match_add(&m, &mount, 7);
        test(ntrip_text_equal_case(&mount, &text)
             || ntrip_mount_match_result(&m) == NGX_DECLINED);

        line.len = 0;
        test(ntrip_mount_allowed(&line, &mount));
        test(ntrip_mount_allowed(&mount, &mount));
        (void) ntrip_mount_allowed(&text, &mount);
    }

    free(mount.data);
    free(text.data);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_buf_t  whole = { NULL, 0, 0 }, cut = { NULL, 0, 0 };

    if (size == 0) {
        return 0;
    }

    run(&whole, data + 1, size - 1, 0, 1);
    run(&cut, data + 1, size - 1, data[0], data[0] + 1);
    fuzz_same(&whole, &cut);

    declare(data + 1, size - 1);

    free(whole.data);
    free(cut.data);

    return 0;
}
