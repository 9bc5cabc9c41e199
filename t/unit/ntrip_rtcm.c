
/*
 * sources: ntrip_rtcm.c
 *
 * With the recording in $FIELDGATE_DATA, else ../shared/data, where it is.
 */


#include "tap.h"
#include "ntrip_rtcm.h"

#include <errno.h>


#define RECORDING  "station-1hz.rtcm3"

/* bytes of a receiver's prompt in front of its first message */
#define PROMPT     58


/* a message 1005 and its CRC, from the standard's own example */

static const u_char  example[] = {
    0xd3, 0x00, 0x13, 0x3e, 0xd7, 0xd3, 0x02, 0x02, 0x98, 0x0e, 0xde, 0xef,
    0x34, 0xb4, 0xbd, 0x62, 0xac, 0x09, 0x41, 0x98, 0x6f, 0x33, 0x36, 0x0b,
    0x98
};


typedef struct {
    u_char   *data;
    size_t    len;
    size_t    size;
} test_buf_t;


static uint32_t  seed = 1;


static uint32_t
rnd(uint32_t n)
{
    seed = seed * 1664525 + 1013904223;

    return (seed >> 8) % n;
}


static void
add(test_buf_t *b, const void *data, size_t len)
{
    if (b->len + len > b->size) {
        b->size = 2 * (b->len + len);
        b->data = realloc(b->data, b->size);
    }

    memcpy(b->data + b->len, data, len);
    b->len += len;
}


/* a frame with "len" bytes of payload that begins with the type and station
   and has as many 0xD3 as "fill" says */

static void
add_frame(test_buf_t *b, ngx_uint_t type, ngx_uint_t station, size_t len,
    int fill)
{
    u_char    p[NTRIP_RTCM_MESSAGE_MAX];
    size_t    i;
    uint32_t  crc;

    p[0] = 0xd3;
    p[1] = (u_char) (len >> 8);
    p[2] = (u_char) len;

    for (i = 0; i < len; i++) {
        p[3 + i] = (fill < 0) ? (u_char) rnd(256) : (u_char) fill;
    }

    if (len >= 3) {
        p[3] = (u_char) (type >> 4);
        p[4] = (u_char) ((type & 0xf) << 4 | station >> 8);
        p[5] = (u_char) station;
    }

    crc = ntrip_rtcm_crc(p, len + 3);
    p[len + 3] = (u_char) (crc >> 16);
    p[len + 4] = (u_char) (crc >> 8);
    p[len + 5] = (u_char) crc;

    add(b, p, len + 6);
}


/* all messages joined, and their lengths; pieces of 1 to "most" bytes, or all
   at once; the framer is moved between calls */

static void
run(ntrip_rtcm_t *state, test_buf_t *out, test_buf_t *lens, u_char *data,
    size_t len, size_t most)
{
    size_t                n, k;
    ngx_str_t             piece, in;
    ntrip_rtcm_t          f;
    ntrip_rtcm_message_t  m;

    out->len = 0;
    lens->len = 0;

    for (n = 0; n < len; n += k) {
        k = most ? 1 + rnd((uint32_t) most) : len;
        k = ngx_min(k, len - n);

        piece = tap_copy((char *) data + n, k);
        in = piece;

        f = *state;

        while (ntrip_rtcm_next(&f, &in, &m) == NGX_OK) {
            add(out, m.data, m.len);
            add(lens, &m.len, sizeof(m.len));
        }

        *state = f;
        memset(&f, 0xa5, sizeof(f));

        free(piece.data);
    }
}


/* feeding it in many ways gives "expected" each time */

static void
check(const char *name, ngx_uint_t mode, test_buf_t *data,
    test_buf_t *expected, ngx_uint_t becomes, uint64_t messages)
{
    int           same;
    size_t        most;
    test_buf_t    out = { NULL, 0, 0 }, lens = { NULL, 0, 0 };
    ntrip_rtcm_t  f;

    same = 1;

    for (most = 0; most < 12; most++) {
        ntrip_rtcm_init(&f, mode);
        run(&f, &out, &lens, data->data, data->len,
            most < 4 ? most : most * most * most);

        if (f.mode != becomes || out.len != expected->len
            || (out.len && memcmp(out.data, expected->data, out.len) != 0)
            || (f.mode == NTRIP_RTCM_RTCM3 && f.messages != messages))
        {
            printf("# pieces of %d: mode %d, %d of %d bytes, %d messages\n",
                   (int) most, (int) f.mode, (int) out.len,
                   (int) expected->len, (int) f.messages);
            same = 0;
        }

        if (f.mode == NTRIP_RTCM_RTCM3
            && f.skipped + out.len + (f.len - f.pos) != data->len)
        {
            printf("# bytes are not accounted for\n");
            same = 0;
        }
    }

    tap_ok(same, "%s", name);

    free(out.data);
    free(lens.data);
}


static void
test_example(void)
{
    test_buf_t            b = { NULL, 0, 0 };
    ntrip_rtcm_message_t  m;

    tap_ok(ntrip_rtcm_crc((u_char *) example, sizeof(example) - 3) == 0x360b98,
           "CRC-24Q of the standard's example");

    m.data = (u_char *) example;
    m.len = sizeof(example);
    ntrip_rtcm_describe(&m);
    tap_ok(m.type == 1005 && m.station == 2003
           && m.flags == NTRIP_RTCM_STATION, "1005 of station 2003");

    add(&b, example, sizeof(example));
    check("the example alone", NTRIP_RTCM_RTCM3, &b, &b, NTRIP_RTCM_RTCM3, 1);
    check("the example, auto", NTRIP_RTCM_AUTO, &b, &b, NTRIP_RTCM_RTCM3, 1);
    free(b.data);
}


static void
test_describe(void)
{
    size_t                i;
    u_char                p[NTRIP_RTCM_MESSAGE_MAX];
    ntrip_rtcm_message_t  m;

    static const struct {
        ngx_uint_t   type;
        size_t       len;
        int          byte;               /* of the payload, to be set */
        u_char       bit;
        ngx_uint_t   flags;
    } tests[] = {

        /* DF005 is bit 54: 0x02 of byte 6; GLONASS: bit 51, 0x10 of it */

        { 1004, 20, 6, 0x02, NTRIP_RTCM_OBSERVATION },
        { 1004, 20, 6, 0xfd, NTRIP_RTCM_OBSERVATION | NTRIP_RTCM_EPOCH },
        { 1001, 20, 6, 0x00, NTRIP_RTCM_OBSERVATION | NTRIP_RTCM_EPOCH },
        { 1012, 20, 6, 0x10, NTRIP_RTCM_OBSERVATION },
        { 1012, 20, 6, 0xef, NTRIP_RTCM_OBSERVATION | NTRIP_RTCM_EPOCH },
        { 1009, 20, 6, 0x00, NTRIP_RTCM_OBSERVATION | NTRIP_RTCM_EPOCH },
        { 1071, 20, 6, 0x02, NTRIP_RTCM_OBSERVATION },
        { 1077, 20, 6, 0x00, NTRIP_RTCM_OBSERVATION | NTRIP_RTCM_EPOCH },
        { 1087, 20, 6, 0xfd, NTRIP_RTCM_OBSERVATION | NTRIP_RTCM_EPOCH },
        { 1127, 20, 6, 0x02, NTRIP_RTCM_OBSERVATION },
        { 1137, 20, 6, 0x00, NTRIP_RTCM_OBSERVATION | NTRIP_RTCM_EPOCH },
        { 1077, 6, 0, 0, NTRIP_RTCM_OBSERVATION },
        { 1077, 7, 0, 0, NTRIP_RTCM_OBSERVATION | NTRIP_RTCM_EPOCH },
        { 1070, 20, 6, 0x00, 0 },
        { 1078, 20, 6, 0x00, 0 },
        { 1138, 20, 6, 0x00, 0 },
        { 1005, 19, 0, 0, NTRIP_RTCM_STATION },
        { 1006, 21, 0, 0, NTRIP_RTCM_STATION },
        { 1007, 21, 0, 0, NTRIP_RTCM_STATION },
        { 1008, 21, 0, 0, NTRIP_RTCM_STATION },
        { 1033, 21, 0, 0, NTRIP_RTCM_STATION },
        { 1230, 21, 0, 0, NTRIP_RTCM_STATION },
        { 1019, 21, 0, 0, 0 },
        { 1029, 21, 0, 0, 0 },
        { 4095, 3, 0, 0, 0 }
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        memset(p, 0, sizeof(p));
        p[3 + tests[i].byte] = tests[i].bit;
        p[3] = (u_char) (tests[i].type >> 4);
        p[4] = (u_char) (tests[i].type << 4 | 0x0a);
        p[5] = 0xbc;

        m.data = p;
        m.len = tests[i].len + 6;
        ntrip_rtcm_describe(&m);

        tap_ok(m.type == tests[i].type && m.station == 0xabc
               && m.flags == tests[i].flags, "type %d, flags %x",
               (int) tests[i].type, (int) tests[i].flags);
    }

    for (i = 0; i < 3; i++) {
        m.len = i + 6;
        ntrip_rtcm_describe(&m);
        tap_ok(m.type == 0 && m.station == 0 && m.flags == 0,
               "%d bytes of payload", (int) i);
    }
}


static void
test_streams(void)
{
    size_t      i, n;
    test_buf_t  data = { NULL, 0, 0 }, good = { NULL, 0, 0 };

    /* lengths of all kinds, most of the payload looking like beginnings */

    for (i = 0; i < 300; i++) {
        add_frame(&good, 1004, 1, i < 1 ? 1023 : i < 2 ? 0 : rnd(1024),
                  i % 3 == 0 ? 0xd3 : i % 3 == 1 ? 0x00 : -1);
    }

    check("300 frames", NTRIP_RTCM_RTCM3, &good, &good, NTRIP_RTCM_RTCM3, 300);
    check("300 frames, auto", NTRIP_RTCM_AUTO, &good, &good, NTRIP_RTCM_RTCM3,
          300);
    check("300 frames, raw", NTRIP_RTCM_RAW, &good, &good, NTRIP_RTCM_RAW, 0);

    /* garbage between */

    good.len = 0;

    for (i = 0; i < 200; i++) {
        n = data.len;
        add_frame(&data, 1077, 2, rnd(200), -1);
        add(&good, data.data + n, data.len - n);
        add(&data, "\xd3\x00 noise \xd3\x03\xff\xd3\xd3", rnd(15));
    }

    n = data.len;
    add_frame(&data, 1077, 2, 1023, -1);
    add_frame(&data, 1077, 2, 1023, -1);
    add(&good, data.data + n, data.len - n);

    check("200 frames and garbage", NTRIP_RTCM_RTCM3, &data, &good,
          NTRIP_RTCM_RTCM3, 202);

    /* a damaged frame: only that one is lost, what is in it is found */

    data.len = 0;
    good.len = 0;

    add_frame(&data, 1004, 1, 100, 0xd3);
    add(&good, data.data, data.len);
    n = data.len;
    add_frame(&data, 1004, 1, 1000, 0xd3);
    add(&data, example, sizeof(example));
    data.data[n + 500] ^= 1;
    memcpy(data.data + n + 700, example, sizeof(example));
    n = data.len;
    add_frame(&data, 1004, 1, 1023, -1);
    add(&good, example, sizeof(example));
    add(&good, example, sizeof(example));
    add(&good, data.data + n, data.len - n);

    check("a damaged frame", NTRIP_RTCM_RTCM3, &data, &good, NTRIP_RTCM_RTCM3,
          4);

    free(data.data);
    free(good.data);
}


/* a stream is RTCM 3 wherever in a message it begins */

static void
test_auto_offsets(void)
{
    int           same;
    size_t        i, first, most;
    test_buf_t    data = { NULL, 0, 0 }, out = { NULL, 0, 0 };
    test_buf_t    lens = { NULL, 0, 0 };
    ntrip_rtcm_t  f;

    add_frame(&data, 1029, 1, 1023, 'A');
    first = data.len;
    add_frame(&data, 1004, 1, 1023, 0xd3);
    add_frame(&data, 1004, 1, 1023, 0x00);
    add_frame(&data, 1004, 1, 1023, -1);

    same = 1;

    for (i = 200; i < first; i++) {

        /* 127 bytes of text are the longest that RTCM has; with the CRC 130
           could look like RTCM 2's 6 of 8 */

        data.data[i] = (i % 128) ? 'A' : ' ';
    }

    for (i = 1; i < first; i++) {
        for (most = 0; most < 2; most++) {
            ntrip_rtcm_init(&f, NTRIP_RTCM_AUTO);
            run(&f, &out, &lens, data.data + i, data.len - i, most * 700);

            same &= (f.mode == NTRIP_RTCM_RTCM3
                     && out.len == data.len - first
                     && memcmp(out.data, data.data + first, out.len) == 0);

            if (!same) {
                printf("# offset %d: mode %d, %d bytes\n", (int) i,
                       (int) f.mode, (int) out.len);
                i = first;
                break;
            }
        }

        if (i == 1) {
            i = 190;
        }
    }

    tap_ok(same, "auto finds RTCM 3 from each byte of the longest message");

    free(data.data);
    free(out.data);
    free(lens.data);
}


static void
test_raw(void)
{
    u_char        noise[6000];
    size_t        i;
    test_buf_t    data = { NULL, 0, 0 }, none = { NULL, 0, 0 };
    test_buf_t    out = { NULL, 0, 0 }, lens = { NULL, 0, 0 };
    ntrip_rtcm_t  f;

    for (i = 0; i < sizeof(noise); i++) {
        noise[i] = (u_char) rnd(256);
    }

    add(&data, noise, sizeof(noise));
    check("noise, auto", NTRIP_RTCM_AUTO, &data, &data, NTRIP_RTCM_RAW, 0);
    check("noise, RTCM 3", NTRIP_RTCM_RTCM3, &data, &none, NTRIP_RTCM_RTCM3,
          0);

    data.len = 0;
    add(&data, noise, NTRIP_RTCM_PROBE - 1);
    check("one byte less than the probe", NTRIP_RTCM_AUTO, &data, &none,
          NTRIP_RTCM_AUTO, 0);
    add(&data, noise, 1);
    check("the probe", NTRIP_RTCM_AUTO, &data, &data, NTRIP_RTCM_RAW, 0);

    /* a message within what looks like a longer one, at the probe's end */

    memset(noise, 0xff, sizeof(noise));
    memcpy(noise + 1500, "\xd3\x03\xff", 3);
    memcpy(noise + 1600, example, sizeof(example));
    data.len = 0;
    add(&data, noise, NTRIP_RTCM_PROBE);
    none.len = 0;
    add(&none, example, sizeof(example));
    check("a message within a supposed one", NTRIP_RTCM_AUTO, &data, &none,
          NTRIP_RTCM_RTCM3, 1);

    /* RTCM 2 */

    for (i = 0; i < sizeof(noise); i++) {
        noise[i] = (u_char) (0x40 | rnd(64));
    }

    data.len = 0;
    none.len = 0;
    add(&data, noise, NTRIP_RTCM2_PROBE - 1);
    check("130 bytes of 6 of 8", NTRIP_RTCM_AUTO, &data, &none,
          NTRIP_RTCM_AUTO, 0);
    add(&data, noise, 1);
    check("131 of them are RTCM 2", NTRIP_RTCM_AUTO, &data, &data,
          NTRIP_RTCM_RAW, 0);
    add(&data, example, sizeof(example));
    check("for good", NTRIP_RTCM_AUTO, &data, &data, NTRIP_RTCM_RAW, 0);

    /* pieces */

    data.len = 0;
    add(&data, noise, 3000);
    ntrip_rtcm_init(&f, NTRIP_RTCM_RAW);
    run(&f, &out, &lens, data.data, data.len, 0);
    tap_ok(lens.len == 3 * sizeof(size_t)
           && ((size_t *) lens.data)[0] == NTRIP_RTCM_MESSAGE_MAX
           && ((size_t *) lens.data)[2] == 3000 - 2 * NTRIP_RTCM_MESSAGE_MAX,
           "raw pieces are no longer than a message");

    free(data.data);
    free(none.data);
    free(out.data);
    free(lens.data);
}


/* what nobody may get: NGX_ERROR, however it is cut, and nothing before */

static void
test_text(void)
{
    size_t                i, n, k, step;
    ngx_str_t             in;
    ngx_int_t             rc;
    ngx_uint_t            wrong;
    ntrip_rtcm_t          f;
    ntrip_rtcm_message_t  m;

    static u_char  blanks[NTRIP_RTCM_PROBE + 1];

    static const char  *texts[] = {
        "<!DOCTYPE html><html>", "\xef\xbb\xbf \r\n\t<HTML lang=\"en\">",
        "<?xml version=\"1.0\"?>", "SOURCETABLE 200 OK\r\n", "\r\nSTR;M;M;",
        "CAS;h;2101;", "NET;n;", "ENDSOURCETABLE\r\n", "ERROR - Bad\r\n",
        "  HTTP/1.1 302 Found\r\n", "ICY 401 x\r\n"
    };

    memset(blanks, ' ', NTRIP_RTCM_PROBE);

    for (i = 0; i <= sizeof(texts) / sizeof(texts[0]); i++) {
        const char *text = (i < sizeof(texts) / sizeof(texts[0]))
                           ? texts[i] : (char *) blanks;

        wrong = 0;

        for (step = 1; step < 4096; step = step * 3 + 1) {
            ntrip_rtcm_init(&f, NTRIP_RTCM_AUTO);
            rc = NGX_AGAIN;

            for (n = 0; n < strlen(text) && rc == NGX_AGAIN; n += k) {
                k = ngx_min(step, strlen(text) - n);
                in.data = (u_char *) text + n;
                in.len = k;
                rc = ntrip_rtcm_next(&f, &in, &m);
            }

            wrong += (rc != NGX_ERROR);
        }

        tap_ok(wrong == 0, "text: %.12s", text);
    }

    ntrip_rtcm_init(&f, NTRIP_RTCM_AUTO);
    in.data = (u_char *) " \r\n";
    in.len = 3;
    rc = ntrip_rtcm_next(&f, &in, &m);
    tap_ok(rc == NGX_AGAIN && ntrip_rtcm_blank(&f), "blanks are nothing yet");

    in.data = (u_char *) "ERRATA";
    in.len = 6;
    rc = ntrip_rtcm_next(&f, &in, &m);
    tap_ok(rc == NGX_AGAIN && !ntrip_rtcm_blank(&f),
           "what only looks alike goes on");
}


static void
test_raw_flags(void)
{
    u_char                noise[1500];
    ngx_str_t             in;
    ntrip_rtcm_t          f;
    ntrip_rtcm_message_t  m;

    memset(noise, 0x55, sizeof(noise));
    in.data = noise;
    in.len = sizeof(noise);

    ntrip_rtcm_init(&f, NTRIP_RTCM_RAW);
    tap_ok(ntrip_rtcm_next(&f, &in, &m) == NGX_OK && m.flags == 0,
           "more raw data follow");
    tap_ok(ntrip_rtcm_next(&f, &in, &m) == NGX_OK
           && m.flags == NTRIP_RTCM_EPOCH && m.type == 0, "the last piece");
    tap_ok(ntrip_rtcm_next(&f, &in, &m) == NGX_AGAIN, "and no more");

    in.data = noise;
    in.len = NTRIP_RTCM2_PROBE;
    ntrip_rtcm_init(&f, NTRIP_RTCM_AUTO);
    tap_ok(ntrip_rtcm_next(&f, &in, &m) == NGX_OK
           && m.flags == NTRIP_RTCM_EPOCH && m.len == NTRIP_RTCM2_PROBE,
           "what was held is one piece");
}


/* a message is out with its last byte, whole in the caller's buffer if it came
   so */

static void
test_no_delay(void)
{
    int                   same;
    size_t                i;
    ngx_str_t             in;
    test_buf_t            data = { NULL, 0, 0 };
    ntrip_rtcm_t          f;
    ntrip_rtcm_message_t  m;

    add(&data, example, sizeof(example));
    add(&data, example, sizeof(example));

    ntrip_rtcm_init(&f, NTRIP_RTCM_AUTO);
    same = 1;

    for (i = 0; i < data.len; i++) {
        in.data = data.data + i;
        in.len = 1;

        same &= (ntrip_rtcm_next(&f, &in, &m)
                 == ((i + 1) % sizeof(example) ? NGX_AGAIN : NGX_OK));
    }

    tap_ok(same, "byte by byte, messages come with their last one");

    in.data = data.data;
    in.len = data.len;
    tap_ok(ntrip_rtcm_next(&f, &in, &m) == NGX_OK && m.data == data.data
           && ntrip_rtcm_next(&f, &in, &m) == NGX_OK
           && m.data == data.data + sizeof(example), "and are not copied");

    free(data.data);
}


static void
test_recording(void)
{
    char          path[4096];
    u_char        buf[65536];
    FILE         *file;
    const char   *dir;
    test_buf_t    data = { NULL, 0, 0 }, good = { NULL, 0, 0 };

    dir = getenv("FIELDGATE_DATA");
    snprintf(path, sizeof(path), "%s/" RECORDING, dir ? dir : "../shared/data");

    file = fopen(path, "r");

    if (file == NULL) {
        tap_ok(1, "recording # SKIP %s: %s", path, strerror(errno));
        return;
    }

    add(&data, buf, fread(buf, 1, sizeof(buf), file));
    fclose(file);

    tap_ok(data.len == 57931, "the recording");
    add(&good, data.data + PROMPT, data.len - PROMPT);

    check("429 messages of RTCM 3", NTRIP_RTCM_RTCM3, &data, &good,
          NTRIP_RTCM_RTCM3, 429);
    check("also by itself", NTRIP_RTCM_AUTO, &data, &good, NTRIP_RTCM_RTCM3,
          429);
    check("and raw", NTRIP_RTCM_RAW, &data, &data, NTRIP_RTCM_RAW, 0);

    free(data.data);
    free(good.data);
}


int
main(void)
{
    test_example();
    test_describe();
    test_streams();
    test_auto_offsets();
    test_raw();
    test_raw_flags();
    test_text();
    test_no_delay();
    test_recording();

    return tap_done();
}
