
/*
 * sources: ntrip_profile.c ntrip_msm.c ntrip_rtcm.c
 *
 * Lists; random streams through random profiles, against a model that knows
 * whole epochs.
 */


#include "tap.h"
#include "ntrip_profile.h"


#define MESSAGES  400


typedef struct {
    u_char                data[NTRIP_RTCM_MESSAGE_MAX];
    ntrip_rtcm_message_t  m;
} message_t;


static uint32_t   seed = 7;
static message_t  messages[MESSAGES];


static uint32_t
rnd(uint32_t n)
{
    seed = seed * 1664525 + 1013904223;

    return (seed >> 8) % n;
}


static void
test_lists(void)
{
    char             *reason;
    ngx_int_t         rc;
    ngx_str_t         s;
    ngx_uint_t        i, j, named;
    ntrip_profile_t   p;

    static const struct {
        const char   *list;
        ngx_int_t     rc;
        ngx_uint_t    named, except;
    } lists[] = {
        { "1005", NGX_OK, 1, 0 },
        { "1005,1006,1074", NGX_OK, 3, 0 },
        { "1071-1137", NGX_OK, 67, 0 },
        { "1,4095,1-2", NGX_OK, 3, 0 },
        { "1005,1005", NGX_OK, 1, 0 },
        { "-1230,-1029", NGX_OK, 2, 1 },
        { "-1001-1004,-1230", NGX_OK, 5, 1 },
        { "", NGX_ERROR, 0, 0 },
        { ",", NGX_ERROR, 0, 0 },
        { "1005,", NGX_ERROR, 0, 0 },
        { ",1005", NGX_ERROR, 0, 0 },
        { "-", NGX_ERROR, 0, 0 },
        { "--1005", NGX_ERROR, 0, 0 },
        { "1005-", NGX_ERROR, 0, 0 },
        { "1005-1007-1009", NGX_ERROR, 0, 0 },
        { "1007-1005", NGX_ERROR, 0, 0 },
        { "0", NGX_ERROR, 0, 0 },
        { "4096", NGX_ERROR, 0, 0 },
        { "1-4096", NGX_ERROR, 0, 0 },
        { "001005", NGX_ERROR, 0, 0 },
        { "100000000000000000000", NGX_ERROR, 0, 0 },
        { "1005 1006", NGX_ERROR, 0, 0 },
        { "MSM4", NGX_ERROR, 0, 0 },
        { "1005,-1006", NGX_ERROR, 0, 0 },
        { "-1005,1006", NGX_ERROR, 0, 0 },
    };

    for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        memset(&p, 0, sizeof(p));
        reason = NULL;
        s = tap_copy(lists[i].list, strlen(lists[i].list));
        rc = ntrip_profile_list(&p, &s, &reason);
        free(s.data);

        for (named = 0, j = 0; j < NTRIP_PROFILE_TYPES; j++) {
            named += p.named[j / 32] >> j % 32 & 1;
        }

        tap_ok(rc == lists[i].rc
               && (rc == NGX_ERROR ? reason != NULL
                                   : reason == NULL && p.list
                                     && named == lists[i].named
                                     && p.except == lists[i].except),
               "\"%s\"%s", lists[i].list, rc == NGX_OK ? "" : " is refused");
    }
}


static void
seal(message_t *msg, ngx_uint_t type, size_t len)
{
    uint32_t  crc;

    msg->data[0] = 0xd3;
    msg->data[1] = len >> 8;
    msg->data[2] = len;
    msg->data[3] = type >> 4;
    msg->data[4] = (type & 15) << 4 | (msg->data[4] & 15);

    crc = ntrip_rtcm_crc(msg->data, len + 3);
    msg->data[len + 3] = crc >> 16;
    msg->data[len + 4] = crc >> 8;
    msg->data[len + 5] = crc;

    msg->m.data = msg->data;
    msg->m.len = len + 6;
    ntrip_rtcm_describe(&msg->m);
}


/* epochs of up to five observations, with others between; MSM without cells */

static void
make(size_t longest)
{
    size_t      len;
    ngx_uint_t  i, j, left;

    static const ngx_uint_t  types[] = {
        1004, 1012, 1074, 1077, 1087, 1097, 1125, 1006
    };
    static const ngx_uint_t  others[] = { 1005, 1006, 1019, 1033, 1230, 4095 };

    for (i = 0, left = 0; i < MESSAGES; i++) {
        len = 22 + rnd(longest - 22);

        memset(messages[i].data, 0, sizeof(messages[i].data));

        for (j = 3; j < 3 + len; j++) {
            messages[i].data[j] = rnd(256);
        }

        /* no satellites */

        memset(&messages[i].data[3 + 9], 0, 13);

        if (rnd(3) == 0) {
            seal(&messages[i], others[rnd(6)], len);
            continue;
        }

        if (left == 0) {
            left = 1 + rnd(5);
        }

        left--;
        seal(&messages[i], types[rnd(7)], len);

        if ((messages[i].m.flags & NTRIP_RTCM_EPOCH ? 0 : 1) != (left ? 1 : 0))
        {
            messages[i].data[3 + (messages[i].m.type == 1012 ? 51 : 54) / 8]
                ^= 128 >> (messages[i].m.type == 1012 ? 51 : 54) % 8;
            seal(&messages[i], messages[i].m.type, len);
        }
    }
}


static ngx_uint_t
wanted(ntrip_profile_t *p, ngx_uint_t type)
{
    ngx_uint_t  named, msm4 = type;

    if (p->msm4 && type > 1070 && type < 1138
        && type % 10 >= 5 && type % 10 <= 7)
    {
        msm4 = type - type % 10 + 4;
    }

    named = (p->named[type / 32] >> type % 32 & 1)
            || (p->named[msm4 / 32] >> msm4 % 32 & 1);

    return !p->list || (p->except ? !named : named);
}


/* what is expected: number and last-of-epoch bit of each, in order */

static ngx_uint_t
model(ntrip_profile_t *p, ngx_uint_t *expected)
{
    ngx_int_t   last;
    ngx_uint_t  i, n, type;

    for (i = 0, n = 0, last = -1; i < MESSAGES; i++) {
        type = messages[i].m.type;

        if (wanted(p, type)) {
            expected[n] = i << 1;

            if (messages[i].m.flags & NTRIP_RTCM_OBSERVATION) {
                last = n;
            }

            n++;
        }

        if (messages[i].m.flags & NTRIP_RTCM_EPOCH) {
            if (last >= 0) {
                expected[last] |= 1;
            }

            last = -1;
        }
    }

    return n;
}


static void
run(ngx_uint_t round)
{
    size_t                 len, pos, total;
    u_char                 out[NTRIP_PROFILE_OUT];
    ngx_str_t              list;
    ngx_uint_t             i, n, got, wrong, expected[MESSAGES];
    char                  *reason;
    ntrip_profile_t        p;
    ntrip_rtcm_message_t   m, *in;
    ntrip_profile_state_t  s, moved;

    static const char  *lists[] = {
        "", "1005,1006,1004", "1077,1087", "1074,1084", "-1097,-1125",
        "-1012", "1005,1006", "-1001-1137", "1124,1012,1230"
    };

    memset(&p, 0, sizeof(p));
    list.data = (u_char *) lists[round % 9];
    list.len = strlen(lists[round % 9]);

    if (list.len && ntrip_profile_list(&p, &list, &reason) != NGX_OK) {
        abort();
    }

    p.msm4 = round / 9 % 2;

    make(round % 5 == 4 ? 1000 : 120);
    n = model(&p, expected);

    ntrip_profile_init(&s);
    got = wrong = 0;
    total = 0;

    for (i = 0; i < MESSAGES; i++) {
        len = ntrip_profile_put(&s, &p, &messages[i].m, out);

        moved = s;
        memset(&s, 0xa5, sizeof(s));
        s = moved;

        for (pos = 0; pos < len; pos += m.len, got++) {
            m.data = out + pos;
            m.len = (m.data[1] << 8 | m.data[2]) + 6;
            ntrip_rtcm_describe(&m);

            if (got >= n || m.len > len - pos
                || ntrip_rtcm_crc(m.data, m.len) != 0)
            {
                wrong++;
                break;
            }

            in = &messages[expected[got] >> 1].m;

            wrong += (m.station != in->station);
            wrong += (m.type != in->type
                      && (!p.msm4 || m.type / 10 != in->type / 10
                          || m.type % 10 != 4));

            /* only where there was no room to hold it */

            if (!(m.flags & NTRIP_RTCM_EPOCH) != !(expected[got] & 1)
                && (m.flags & NTRIP_RTCM_OBSERVATION))
            {
                wrong += (round % 5 != 4 || !(expected[got] & 1));
            }
        }

        total += len;
    }

    /* what is held at the end is the rest */

    for (pos = 0; pos < s.len; got++) {
        pos += (s.held[pos + 1] << 8 | s.held[pos + 2]) + 6;
    }

    if (!tap_ok(wrong == 0 && got == n && s.broken == 0
                && s.dropped == MESSAGES - n,
                "\"%s\"%s", lists[round % 9], p.msm4 ? ", msm4" : ""))
    {
        printf("# wrong %d, %d messages, not %d\n", (int) wrong, (int) got,
               (int) n);
    }
}


static void
test_broken(void)
{
    u_char                 out[NTRIP_PROFILE_OUT];
    size_t                 first, second;
    message_t              *a = &messages[0], *b = &messages[1];
    ntrip_profile_t        p;
    ntrip_profile_state_t  s;

    memset(&p, 0, sizeof(p));
    p.msm4 = 1;
    ntrip_profile_init(&s);

    memset(a, 0, sizeof(*a));
    a->data[3 + 6] = 2;
    seal(a, 1074, 30);

    memset(b, 0, sizeof(*b));
    memset(b->data + 3 + 9, 0xff, 4);
    seal(b, 1087, 30);

    first = ntrip_profile_put(&s, &p, &a->m, out);
    second = ntrip_profile_put(&s, &p, &b->m, out);

    tap_ok(first == 0 && second == 36 && s.broken == 1 && s.dropped == 1
           && (out[3 + 6] & 2) == 0,
           "MSM that lies about its cells is dropped, and ends its epoch");
}


int
main(void)
{
    ngx_uint_t  i;

    test_lists();

    for (i = 0; i < 90; i++) {
        run(i);
    }

    test_broken();

    return tap_done();
}
