
/*
 * sources: ntrip_gga.c ntrip_text.c
 * libs: -lm
 *
 * The first byte says how the rest is cut.  The same sentences come out; one
 * with a position is in range, and goes upstream as a sentence with the same
 * position and a right checksum.  The input is also parsed as one sentence.
 */


#include "fuzz.h"
#include "ntrip_gga.h"

#include <math.h>


static void
parse(ngx_str_t *s)
{
    size_t            i;
    u_char            buf[NTRIP_GGA_LINE_MAX], hash[NTRIP_GEOHASH_MAX];
    double            distance;
    ngx_int_t         rc;
    ngx_str_t         line;
    ntrip_gga_t       gga, again;
    ntrip_out_t       out;
    ntrip_position_t  p, q;

    rc = ntrip_gga_parse(&gga, s);

    if (rc != NGX_OK) {
        test(rc == NGX_DECLINED || rc == NGX_ERROR);
        return;
    }

    test(gga.latitude >= -90 && gga.latitude <= 90);
    test(gga.longitude >= -180 && gga.longitude <= 180);
    test(isfinite(gga.height) && gga.quality > 0 && gga.quality < 10);
    test(*ntrip_gga_fix(gga.quality));

    ntrip_gga_position(&p, &gga);
    test(isfinite(p.x) && isfinite(p.y) && isfinite(p.z));

    ntrip_out_init(&out, hash, sizeof(hash));
    ntrip_geohash(&out, gga.latitude, gga.longitude, 99);
    test(!out.overflow && out.last == out.end);

    ntrip_out_init(&out, buf, sizeof(buf));
    ntrip_gga_line(&out, s);

    if (s->len > NTRIP_GGA_MAX) {
        return;
    }

    test(!out.overflow);

    line.data = buf;
    line.len = out.last - buf;

    for (i = 0; i + 2 < line.len; i++) {
        test(line.data[i] != LF && (i == 0 || line.data[i] != '\0'));
    }

    test(memcmp(line.data + line.len - 2, CRLF, 2) == 0);
    test(line.data[line.len - 5] == '*');
    test(ntrip_gga_parse(&again, &line) == NGX_OK);

    ntrip_gga_position(&q, &again);
    distance = ntrip_position_distance(&p, &q);
    test(distance == 0);
}


static void
run(fuzz_buf_t *b, const uint8_t *data, size_t size, uint32_t seed,
    size_t most)
{
    size_t        n, k;
    ngx_str_t     piece, in, s, copy;
    ntrip_nmea_t  state, moved;

    ntrip_nmea_init(&state);

    for (n = 0; n < size; n += k) {
        k = fuzz_piece(&seed, most, size - n);
        piece = fuzz_copy(data + n, k);
        in = piece;

        moved = state;
        memset(&state, 0xa5, sizeof(state));
        state = moved;

        while (ntrip_nmea_next(&state, &in, &s) == NGX_OK) {
            test(s.len >= 7 && s.len <= NTRIP_GGA_MAX && s.data[0] == '$');
            fuzz_add(b, s.data, s.len);
            fuzz_add(b, "|", 1);

            copy = fuzz_copy(s.data, s.len);
            parse(&copy);
            free(copy.data);
        }

        test(in.len == 0);
        free(piece.data);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t      i;
    ngx_str_t   s;
    fuzz_buf_t  whole = { NULL, 0, 0 }, cut = { NULL, 0, 0 };

    if (size == 0) {
        return 0;
    }

    run(&whole, data + 1, size - 1, 0, 1);
    run(&cut, data + 1, size - 1, data[0], data[0] + 1);
    fuzz_same(&whole, &cut);

    /* Ntrip-GGA comes without the splitter, but never with a line end */

    for (i = 1; i < size; i++) {
        if (data[i] < 0x20 || data[i] > 0x7e) {
            break;
        }
    }

    s = fuzz_copy(data + 1, i - 1);
    parse(&s);
    free(s.data);

    free(whole.data);
    free(cut.data);

    return 0;
}
