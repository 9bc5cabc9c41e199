
/*
 * What messages say of their station.
 *
 * sources: ntrip_facts.c ntrip_rtcm.c ntrip_sourcetable.c
 *          ntrip_text.c
 * libs: -lm
 */


#include "tap.h"
#include "ntrip_facts.h"
#include "ntrip_sourcetable.h"


static u_char          frame[NTRIP_RTCM_MESSAGE_MAX];
static ntrip_gather_t  gather;
static ntrip_facts_t   facts;


/* a frame with "len" bytes of payload, zero but for the number */

static ntrip_rtcm_message_t
message(ngx_uint_t type, size_t len)
{
    ntrip_rtcm_message_t  m;

    memset(frame, 0, sizeof(frame));

    frame[0] = 0xd3;
    frame[1] = (u_char) (len >> 8);
    frame[2] = (u_char) len;
    frame[3] = (u_char) (type >> 4);
    frame[4] = (u_char) (type << 4);

    m.data = frame;
    m.len = len + 6;
    ntrip_rtcm_describe(&m);

    return m;
}


static void
bits(ngx_uint_t pos, ngx_uint_t n, uint64_t value)
{
    ngx_uint_t  i;

    for (i = 0; i < n; i++) {
        if (value >> (n - 1 - i) & 1) {
            frame[3 + (pos + i) / 8] |= 0x80 >> (pos + i) % 8;
        }
    }
}


static void
put(ngx_uint_t type, uint64_t now)
{
    ntrip_rtcm_message_t  m;

    m = message(type, 30);
    ntrip_gather_message(&gather, &m, now);
}


static void
is_str(const char *str, const char *expected, const char *name)
{
    u_char       buf[NTRIP_FACTS_STR_MAX + NTRIP_TABLE_LINE_MAX];
    ngx_str_t    given;
    ntrip_out_t  out;

    given.data = (u_char *) str;
    given.len = strlen(str);

    ntrip_out_init(&out, buf, sizeof(buf) - 1);
    ntrip_facts_str(&out, &facts, &given);
    *out.last = '\0';

    if (!tap_ok(strcmp((char *) buf, expected) == 0, name)) {
        printf("# got %s\n", buf);
    }
}


/* X 1114104.5999, Y -4850729.7108, Z 3975521.4643 m */

static void
test_position(void)
{
    u_char                example[] = {
        0xd3, 0x00, 0x13, 0x3e, 0xd7, 0xd3, 0x02, 0x02, 0x98, 0x0e, 0xde,
        0xef, 0x34, 0xb4, 0xbd, 0x62, 0xac, 0x09, 0x41, 0x98, 0x6f, 0x33,
        0x36, 0x0b, 0x98
    };
    ntrip_rtcm_message_t  m;

    m.data = example;
    m.len = sizeof(example);
    ntrip_rtcm_describe(&m);

    ntrip_gather_init(&gather, 0);
    ntrip_gather_message(&gather, &m, 0);
    ntrip_gather_facts(&gather, &facts, 0);

    tap_ok(facts.located == 1, "1005: it has a position");
    tap_ok(labs(facts.latitude - 388047594L) <= 1
           && labs(facts.longitude + 770647736L) <= 1
           && labs(facts.height - 114561L) <= 1,
           "1005: where it is");
    is_str("", ";RTCM 3.0;1005;;;;;38.80;-77.06;;;;;;;;", "1005: its line");

    m = message(1006, 21);
    ntrip_gather_init(&gather, 0);
    ntrip_gather_message(&gather, &m, 0);
    tap_ok(gather.facts.located == 0, "zeros are no position");

    m = message(1005, 18);
    ntrip_gather_message(&gather, &m, 0);
    tap_ok(gather.facts.located == 0, "nor is what is too short");

    /* on the equator and at a pole */

    m = message(1005, 19);
    bits(34, 38, 63781370000ULL);
    ntrip_gather_message(&gather, &m, 0);
    tap_ok(gather.facts.located && gather.facts.latitude == 0
           && gather.facts.longitude == 0 && gather.facts.height == 0,
           "on the equator");

    m = message(1005, 19);
    bits(114, 38, ((uint64_t) 1 << 38) - 63567523142ULL);
    ntrip_gather_message(&gather, &m, 0);
    tap_ok(gather.facts.latitude == -900000000
           && labs(gather.facts.height) < 2, "at the south pole");
}


static void
test_receiver(void)
{
    ntrip_rtcm_message_t  m;

    static const u_char  texts[] = "\4ANT1\0\3S12\10RX 9;\1X.\0\0";

    ntrip_gather_init(&gather, 0);

    m = message(1033, 3 + sizeof(texts));
    memcpy(frame + 6, texts, sizeof(texts));
    ntrip_gather_message(&gather, &m, 0);
    ntrip_gather_facts(&gather, &facts, 0);

    is_str("", ";RTCM 3.1;1033;;;;;;;;;RX 9  X.;;;;;",
           "1033: the receiver, without what ends a field");

    /* lengths that lead out of the message */

    m = message(1033, 8);
    memset(frame + 6, 0xff, 5);
    ntrip_gather_message(&gather, &m, 0);
    tap_ok(gather.facts.receiver_len == 8, "1033: lengths that lie");
}


static void
test_intervals(void)
{
    ngx_uint_t  i;

    ntrip_gather_init(&gather, 1000);

    for (i = 0; i < 60; i++) {
        put(1004, 1000 + i * 1000 + i % 3 * 100);
        put(1012, 1000 + i * 1000);

        if (i % 10 == 0) {
            put(1005, 1000 + i * 1000);
        }

        if (i == 3 || i == 4 || i == 50 || i == 55) {
            put(1019, 1000 + i * 1000);
        }
    }

    put(4072, 61000);
    ntrip_gather_bytes(&gather, 7500, 61000);
    ntrip_gather_facts(&gather, &facts, 61000);

    is_str("", ";RTCM 3.1;1004(1),1005(10),1012(1),1019,4072;2;GPS+GLO;;;;;;;;"
           ";;;1000;", "intervals, where they are regular");

    put(1005, 61000 + NTRIP_GATHER_FORGET);
    ntrip_gather_facts(&gather, &facts, 61000 + NTRIP_GATHER_FORGET);
    tap_ok(facts.ntypes == 1, "what no longer comes is forgotten");

    for (i = 0; i < 200; i++) {
        put(1 + i * 20, 400000);
    }

    ntrip_gather_facts(&gather, &facts, 400000);
    tap_ok(facts.ntypes == NTRIP_FACTS_TYPES, "not more types than fit");
}


static void
test_format(void)
{
    size_t                i;
    char                  text[64];
    ntrip_rtcm_message_t  m;

    static const struct {
        ngx_uint_t   type;
        const char  *line;
    } types[] = {
        { 1001, ";RTCM 3.0;1001;1;GPS" },
        { 1004, ";RTCM 3.0;1004;2;GPS" },
        { 1009, ";RTCM 3.0;1009;1;GLO" },
        { 1020, ";RTCM 3.1;1020;;" },
        { 1045, ";RTCM 3.2;1045;;" },
        { 1074, ";RTCM 3.2;1074;2;GPS" },
        { 1087, ";RTCM 3.2;1087;2;GLO" },
        { 1097, ";RTCM 3.2;1097;2;GAL" },
        { 1107, ";RTCM 3.3;1107;2;SBAS" },
        { 1117, ";RTCM 3.2;1117;2;QZS" },
        { 1127, ";RTCM 3.2;1127;2;BDS" },
        { 1137, ";RTCM 3.3;1137;2;IRS" },
        { 1230, ";RTCM 3.2;1230;;" },
        { 1042, ";RTCM 3.3;1042;;" },
        { 4094, ";;4094;;" }
    };

    for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
        ntrip_gather_init(&gather, 0);

        m = message(types[i].type, 30);
        bits(137 + 1, 1, 1);
        bits(137 + 21, 1, 1);
        ntrip_gather_message(&gather, &m, 0);
        ntrip_gather_facts(&gather, &facts, 0);

        snprintf(text, sizeof(text), "%s;;;;;;;;;;;;", types[i].line);
        is_str("", text, types[i].line);
    }

    is_str("Town;RTCM 3;;;;Net;DEU;48.1;11.6;0;0;;none;B;N;;x;y",
           "Town;RTCM 3;4094;;;Net;DEU;48.1;11.6;0;0;;none;B;N;;x;y",
           "what is given stays");
    is_str("STR;M;Town", "Town;;4094;;;;;;;;;;;;;;", "a whole line");
}


static void
test_earlier(void)
{
    ntrip_facts_t  before;

    ntrip_gather_init(&gather, 0);
    put(1005, 0);
    put(1004, 1);
    ntrip_gather_facts(&gather, &before, 1);

    ntrip_gather_init(&gather, 5000);
    ntrip_gather_earlier(&gather, &before);
    put(1004, 6000);
    ntrip_gather_facts(&gather, &facts, 6000);

    tap_ok(facts.ntypes == 2 && facts.systems == NTRIP_FACTS_GPS,
           "what was known stays");

    put(1004, 5000 + NTRIP_GATHER_FORGET);
    ntrip_gather_facts(&gather, &facts, 5000 + NTRIP_GATHER_FORGET);
    tap_ok(facts.ntypes == 1, "until it does not come");
}


int
main(void)
{
    test_position();
    test_receiver();
    test_intervals();
    test_format();
    test_earlier();

    return tap_done();
}
