
/*
 * sources: ntrip_latest.c ntrip_rtcm.c
 * core: src/core/ngx_string.c
 *
 * The latest of each station message: which are kept, up to what length, what
 * clears them, and from where on in the ring they are too new.
 */


#include "unit/tap.h"

#include "ntrip_latest.h"


static ntrip_latest_t  test_latest;


/* a frame of "type" from "station", of so many bytes, filled with "fill" */

static void
test_put(ngx_uint_t type, ngx_uint_t station, size_t len, u_char fill,
    uint64_t position)
{
    u_char                buf[1100];
    ntrip_rtcm_message_t  m;

    memset(buf, fill, len);

    buf[0] = 0xd3;
    buf[1] = (u_char) ((len - 6) >> 8);
    buf[2] = (u_char) (len - 6);
    buf[3] = (u_char) (type >> 4);
    buf[4] = (u_char) (type << 4 | station >> 8);
    buf[5] = (u_char) station;

    m.data = buf;
    m.len = len;

    ntrip_rtcm_describe(&m);
    ntrip_latest_put(&test_latest, &m, position);
}


/* "type fill" of each, in order */

static void
test_is(uint64_t position, const char *expected, const char *name)
{
    u_char      buf[NTRIP_LATEST_MAX], *p, out[512];
    size_t      len;
    ngx_str_t   got;
    ngx_uint_t  kind;

    p = out;

    for (kind = 0; kind < NTRIP_LATEST_KINDS; kind++) {
        len = ntrip_latest_get(&test_latest, kind, position, buf);

        if (len) {
            p += sprintf((char *) p, "%d%c ", buf[3] << 4 | buf[4] >> 4,
                         buf[len - 1]);
        }
    }

    got.data = out;
    got.len = p - out;

    tap_is(&got, expected, name);
}


int
main(void)
{
    ngx_uint_t  i;

    static const struct {
        ngx_uint_t  type;
        size_t      max;
    } longest[] = {
        { 1005, 25 }, { 1006, 27 }, { 1007, 6 + 5 + 31 },
        { 1008, 6 + 6 + 31 * 2 }, { 1033, 6 + 9 + 31 * 5 }, { 1230, 6 + 12 },
        { 1013, 6 + 9 + (31 * 29 + 7) / 8 }, { 1029, 6 + 9 + 255 }
    };

    memset(&test_latest, 0xff, sizeof(test_latest));
    ntrip_latest_init(&test_latest);
    test_is(1000, "", "at first there is none");

    test_put(1029, 5, 40, 'a', 16);
    test_put(1230, 0, 14, 'b', 64);
    test_put(1077, 5, 200, 'c', 96);
    test_put(1005, 5, 25, 'd', 320);
    test_put(1033, 5, 60, 'e', 384);
    test_is(1000, "1005d 1033e 1230b 1029a ", "station messages, in order");
    test_is(384, "1005d 1230b 1029a ", "those in front of a record");
    test_is(16, "", "of the first one, none");

    test_put(1005, 5, 25, 'f', 448);
    test_is(1000, "1005f 1033e 1230b 1029a ", "the latest one counts");
    test_is(400, "1033e 1230b 1029a ",
            "who is not behind it yet gets it with the stream");

    test_put(1006, 5, 27, 'g', 480);
    test_put(1008, 7, 40, 'h', 512);
    test_is(1000, "1005f 1006g 1008h 1033e 1230b 1029a ",
            "both forms of a kind, whatever station others name");

    test_put(1006, 6, 27, 'i', 544);
    test_is(1000, "1006i ", "another station clears all");

    test_put(1013, 6, 70, 'j', 608);
    ntrip_latest_clear(&test_latest);
    test_is(1000, "", "and so does another source");

    for (i = 0; i < sizeof(longest) / sizeof(longest[0]); i++) {
        test_put(longest[i].type, 1, longest[i].max, 'k', 700 + i);
    }

    test_is(1000, "1005k 1006k 1007k 1008k 1033k 1230k 1013k 1029k ",
            "the longest of each kind has room");

    for (i = 0; i < sizeof(longest) / sizeof(longest[0]); i++) {
        test_put(longest[i].type, 1, 1029, 'l', 800 + i);
    }

    test_is(1000, "", "what no standard allows is not kept, nor what it "
                      "replaces");

    return tap_done();
}
