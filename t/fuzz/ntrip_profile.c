
/*
 * sources: ntrip_profile.c ntrip_msm.c ntrip_rtcm.c
 *
 * The first line is a list; the rest are payloads, each behind its length.
 * Whatever they are: whole frames with a right CRC come out, as many as went in
 * less those that were dropped, none longer than it was.
 */


#include "fuzz.h"
#include "ntrip_profile.h"


static ngx_uint_t
frames(u_char *p, size_t len)
{
    size_t      n;
    ngx_uint_t  count;

    for (count = 0; len; count++) {
        test(len >= 6 && p[0] == 0xd3 && p[1] < 4);

        n = (p[1] << 8 | p[2]) + 6;
        test(n <= len && ntrip_rtcm_crc(p, n) == 0);

        p += n;
        len -= n;
    }

    return count;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char                   *reason;
    size_t                  n, in, out;
    u_char                 *end, *frame, *to;
    uint32_t                crc;
    ngx_str_t               list;
    ngx_uint_t              given, taken;
    ntrip_profile_t         p;
    ntrip_rtcm_message_t    m;
    ntrip_profile_state_t  *s;

    end = size ? memchr(data, '\n', size) : NULL;

    if (end == NULL || end == data) {
        return 0;
    }

    memset(&p, 0, sizeof(p));
    p.msm4 = data[0] & 1;
    list = fuzz_copy(data + 1, end - data - 1);
    reason = NULL;

    test((ntrip_profile_list(&p, &list, &reason) == NGX_OK)
         == (reason == NULL));
    free(list.data);

    size -= end + 1 - data;
    data = end + 1;

    s = malloc(sizeof(*s));
    test(s != NULL);
    ntrip_profile_init(s);

    to = malloc(NTRIP_PROFILE_OUT);
    test(to != NULL);

    given = taken = 0;
    in = out = 0;

    while (size > 2) {
        n = (data[0] << 8 | data[1]) & 0x3ff;
        n = ngx_min(n, size - 2);

        frame = malloc(n + 6);
        test(frame != NULL);

        frame[0] = 0xd3;
        frame[1] = (u_char) (n >> 8);
        frame[2] = (u_char) n;
        memcpy(frame + 3, data + 2, n);

        crc = ntrip_rtcm_crc(frame, n + 3);
        frame[n + 3] = (u_char) (crc >> 16);
        frame[n + 4] = (u_char) (crc >> 8);
        frame[n + 5] = (u_char) crc;

        m.data = frame;
        m.len = n + 6;
        ntrip_rtcm_describe(&m);

        given++;
        in += m.len;

        n = ntrip_profile_put(s, &p, &m, to);
        test(n <= NTRIP_PROFILE_OUT);

        taken += frames(to, n);
        out += n;
        test(out <= in);

        free(frame);

        n = (data[0] << 8 | data[1]) & 0x3ff;
        n = ngx_min(n, size - 2) + 2;
        data += n;
        size -= n;
    }

    test(s->len <= NTRIP_PROFILE_HELD && s->broken <= s->dropped);
    test(taken + frames(s->held, s->len) + s->dropped == given);

    free(to);
    free(s);

    return 0;
}
