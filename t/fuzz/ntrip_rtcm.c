
/*
 * sources: ntrip_rtcm.c
 *
 * The first byte is the mode, the second says how the rest is cut.  However
 * that is, the same bytes come out; in RTCM 3 whole frames with a right CRC,
 * which are all that a slow reference finds; raw all bytes.  A stream of
 * frames made of the input comes out as it went in, in auto mode too.  What
 * begins like a page or a table never comes out in auto mode.  What takes long
 * is done with a sample.
 */


#include "fuzz.h"
#include "ntrip_rtcm.h"


/* does it begin like what nobody may get?  Another way to ask, with some of the
   words */

static ngx_uint_t
text(const uint8_t *p, size_t size)
{
    size_t  n, i;

    static const char  *words[] = { "<html", "<!doctype", "<?xml", "error",
                                    "http/", "str;", "sourcetable" };

    n = (size >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0) ? 3 : 0;

    while (n < size && p[n] && strchr(" \t\r\n\v\f", p[n])) {
        n++;
    }

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (size - n >= strlen(words[i])
            && strncasecmp((char *) p + n, words[i], strlen(words[i])) == 0)
        {
            return n < NTRIP_RTCM_PROBE - strlen(words[i]);
        }
    }

    return 0;
}


static ngx_uint_t
run(fuzz_buf_t *b, ngx_uint_t mode, const uint8_t *p, size_t size,
    uint32_t seed, size_t most)
{
    size_t                n, k;
    ngx_int_t             rc;
    ngx_str_t             piece, in;
    ntrip_rtcm_t          f, moved;
    ntrip_rtcm_message_t  m;

    ntrip_rtcm_init(&f, mode);

    for (n = 0; n < size; n += k) {
        k = fuzz_piece(&seed, most, size - n);
        piece = fuzz_copy(p + n, k);
        in = piece;

        moved = f;
        memset(&f, 0xa5, sizeof(f));
        f = moved;

        while ((rc = ntrip_rtcm_next(&f, &in, &m)) == NGX_OK) {
            test(f.mode != NTRIP_RTCM_AUTO);
            test(m.len > 0 && m.len <= NTRIP_RTCM_MESSAGE_MAX);
            test(m.type < 4096 && m.station < 4096);
            test(f.mode != NTRIP_RTCM_RTCM3
                 || (ntrip_rtcm_crc(m.data, m.len) == 0 && m.len >= 6));
            fuzz_add(b, m.data, m.len);
        }

        if (rc == NGX_ERROR) {
            test(mode == NTRIP_RTCM_AUTO && f.mode == mode && b->len == 0);
            test(ntrip_rtcm_next(&f, &in, &m) == NGX_ERROR);
            free(piece.data);

            return f.mode;
        }

        test(rc == NGX_AGAIN && in.len == 0);
        test(f.pos <= f.len && f.len <= NTRIP_RTCM_PROBE);

        free(piece.data);
    }

    if (f.mode == NTRIP_RTCM_RTCM3) {
        test(f.skipped + b->len + (f.len - f.pos) == size);

    } else if (f.mode == NTRIP_RTCM_AUTO) {
        test(b->len == 0 && size < NTRIP_RTCM_PROBE && f.len == size);

    } else {
        test(mode == NTRIP_RTCM_RAW || !text(p, size));
        test(b->len == size);
        test(size == 0 || memcmp(b->data, p, size) == 0);
    }

    return f.mode;
}


/* byte by byte over the whole input */

static void
reference(fuzz_buf_t *b, const uint8_t *p, size_t size)
{
    size_t  n, len;

    for (n = 0; size - n >= 6; /* void */ ) {
        len = (p[n + 1] << 8 | p[n + 2]) + 6;

        if (p[n] != 0xd3 || p[n + 1] > 3) {
            n++;
            continue;
        }

        if (len > size - n) {
            break;
        }

        if (ntrip_rtcm_crc((u_char *) p + n, len) != 0) {
            n++;
            continue;
        }

        fuzz_add(b, p + n, len);
        n += len;
    }
}


/* the input as payloads */

static void
frames(const uint8_t *p, size_t size, uint32_t seed, size_t most)
{
    u_char      head[3], tail[3];
    size_t      n, k, start;
    uint32_t    crc;
    fuzz_buf_t  stream = { NULL, 0, 0 }, out = { NULL, 0, 0 };

    for (n = 0; n < size; n += k) {
        k = fuzz_piece(&seed, ngx_min(most, 1023), size - n);
        start = stream.len;

        head[0] = 0xd3;
        head[1] = (u_char) (k >> 8);
        head[2] = (u_char) k;
        fuzz_add(&stream, head, 3);
        fuzz_add(&stream, p + n, k);

        crc = ntrip_rtcm_crc(stream.data + start, k + 3);
        tail[0] = (u_char) (crc >> 16);
        tail[1] = (u_char) (crc >> 8);
        tail[2] = (u_char) crc;
        fuzz_add(&stream, tail, 3);
    }

    if (size) {
        test(run(&out, NTRIP_RTCM_AUTO, stream.data, stream.len, seed, most)
             == NTRIP_RTCM_RTCM3);
        fuzz_same(&stream, &out);
    }

    free(stream.data);
    free(out.data);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t      most;
    uint32_t    seed;
    ngx_uint_t  mode, slow;
    fuzz_buf_t  whole = { NULL, 0, 0 }, cut = { NULL, 0, 0 };

    if (size < 2) {
        return 0;
    }

    mode = data[0] % 3;
    seed = data[1];
    most = 1 + (size_t) data[1] * data[1] / 16;
    data += 2;
    size -= 2;

    slow = fuzz_sample(data, size);

    run(&whole, mode, data, size, 0, slow ? 1 : 1 << 20);
    test(run(&cut, mode, data, size, seed, most) != mode
         || mode != NTRIP_RTCM_AUTO || cut.len == 0);
    fuzz_same(&whole, &cut);

    cut.len = 0;
    run(&cut, mode, data, size, seed, 1 << 20);
    fuzz_same(&whole, &cut);

    if (slow && mode == NTRIP_RTCM_RTCM3) {
        cut.len = 0;
        reference(&cut, data, size);
        fuzz_same(&whole, &cut);
    }

    if (slow) {
        frames(data, size, seed, most);
    }

    free(whole.data);
    free(cut.data);

    return 0;
}
