
/*
 * sources: ntrip_facts.c ntrip_rtcm.c ntrip_sourcetable.c ntrip_text.c
 * libs: -lm
 *
 * The first line is what an administrator has written; the rest are payloads,
 * each behind two bytes of time and two of its length.  Whatever they are: the
 * facts are in their limits, and what is made of them is one line of a
 * sourcetable with all its fields.
 */


#include "fuzz.h"
#include "ntrip_facts.h"
#include "ntrip_sourcetable.h"


static void
line(ntrip_facts_t *facts, ngx_str_t *str)
{
    size_t       i, n;
    u_char       fields[NTRIP_FACTS_STR_MAX + NTRIP_TABLE_LINE_MAX];
    u_char       buf[NTRIP_FACTS_STR_MAX + NTRIP_STR_LINE_MAX];
    ngx_str_t    mount, made;
    ntrip_out_t  out;

    ngx_str_set(&mount, "MNT");

    if (ntrip_str_check(&mount, str) != NULL) {
        return;
    }

    ntrip_out_init(&out, fields, NTRIP_FACTS_STR_MAX + str->len);
    ntrip_facts_str(&out, facts, str);
    test(!out.overflow);

    made.data = out.start;
    made.len = out.last - out.start;

    ntrip_out_init(&out, buf, sizeof(buf));
    ntrip_str_line(&out, &mount, &made, 0, facts->ntypes == 0);
    test(!out.overflow);

    n = 0;

    for (i = 0; i < (size_t) (out.last - out.start) - 2; i++) {
        n += (buf[i] == ';');
        test(buf[i] >= 0x20 || buf[i] == '\t' || str->len);
    }

    test(n >= NTRIP_STR_FIELDS - 1);
    test(memcmp(out.last - 2, CRLF, 2) == 0);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                 n;
    u_char                *end;
    uint64_t               now;
    ngx_str_t              str;
    ngx_uint_t             i;
    ntrip_facts_t          facts, earlier;
    ntrip_gather_t         gather;
    ntrip_rtcm_message_t   m;
    u_char                 frame[NTRIP_RTCM_MESSAGE_MAX];

    end = size ? memchr(data, '\n', size) : NULL;

    if (end == NULL) {
        return 0;
    }

    str = fuzz_copy(data, end - data);
    size -= end + 1 - data;
    data = end + 1;
    now = 0;

    ntrip_gather_init(&gather, now);

    while (size > 4) {
        now += data[0] << 8 | data[1];
        n = (data[2] << 8 | data[3]) & 0x3ff;
        data += 4;
        size -= 4;
        n = ngx_min(n, size);

        frame[0] = 0xd3;
        frame[1] = (u_char) (n >> 8);
        frame[2] = (u_char) n;
        memcpy(frame + 3, data, n);
        memset(frame + 3 + n, 0, 3);

        m.data = frame;
        m.len = n + 6;
        ntrip_rtcm_describe(&m);

        ntrip_gather_bytes(&gather, m.len, now);
        ntrip_gather_message(&gather, &m, now);

        data += n;
        size -= n;
    }

    ntrip_gather_facts(&gather, &facts, now);

    test(facts.ntypes <= NTRIP_FACTS_TYPES);
    test(facts.receiver_len <= NTRIP_FACTS_RECEIVER);

    for (i = 1; i < facts.ntypes; i++) {
        test(facts.types[i - 1].type < facts.types[i].type);
    }

    line(&facts, &str);

    /* what was known before a restart stays what it was, for a while */

    ntrip_gather_init(&gather, now);
    ntrip_gather_earlier(&gather, &facts);
    ntrip_gather_facts(&gather, &earlier, now);

    test(earlier.ntypes == facts.ntypes);

    for (i = 0; i < facts.ntypes; i++) {
        test(earlier.types[i].type == facts.types[i].type);
    }

    free(str.data);

    return 0;
}
