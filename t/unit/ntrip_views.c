
/*
 * sources: ntrip_view.c ntrip_ring.c ntrip_latest.c ntrip_profile.c
 * ntrip_msm.c ntrip_rtcm.c ntrip_chunked.c
 *
 * A ring through views.  What comes out is what the profile makes of all
 * messages; who goes on behind any message, with a view that has just begun,
 * gets what followed it; a buffer that is too small loses nothing; an overrun
 * loses no more than it says.  In chunks it is the same messages, one each.
 */


#include "tap.h"
#include "ntrip_view.h"


#define RING      (1 << 20)
#define MESSAGES  1500


typedef struct {
    u_char    data[NTRIP_RTCM_MESSAGE_MAX + NTRIP_VIEW_CHUNK];
    size_t    len;
    uint64_t  next;
    uint32_t  time;
} got_t;


static uint32_t       seed = 3;
static ntrip_ring_t  *ring;
static got_t          got[MESSAGES], again[MESSAGES];


static uint32_t
rnd(uint32_t n)
{
    seed = seed * 1664525 + 1013904223;

    return (seed >> 8) % n;
}


/* a message that is written to the ring; some are no RTCM 3 at all */

static void
write_one(ngx_uint_t number)
{
    u_char                buf[200];
    size_t                len;
    uint32_t              crc;
    ngx_uint_t            i, type;
    ntrip_record_t        rec;
    ntrip_rtcm_message_t  m;

    static const ngx_uint_t  types[] = {
        1004, 1012, 1074, 1077, 1087, 1097, 1127, 1005, 1230, 1019, 4094
    };

    len = 22 + rnd(120);
    type = types[rnd(11)];

    memset(buf, 0, sizeof(buf));
    buf[0] = 0xd3;
    buf[2] = (u_char) len;
    buf[3] = (u_char) (type >> 4);
    buf[4] = (u_char) (type << 4 | (number >> 8 & 15));
    buf[5] = (u_char) number;

    for (i = 25; i < 3 + len; i++) {
        buf[i] = (u_char) rnd(256);
    }

    /* both places where more observations are announced, two times of three */

    if (rnd(3)) {
        buf[3 + 51 / 8] |= 128 >> 51 % 8;
        buf[3 + 54 / 8] |= 128 >> 54 % 8;
    }

    crc = ntrip_rtcm_crc(buf, len + 3);
    buf[len + 3] = (u_char) (crc >> 16);
    buf[len + 4] = (u_char) (crc >> 8);
    buf[len + 5] = (u_char) crc;

    if (rnd(20) == 0) {
        buf[0] = 'x';
    }

    m.data = buf;
    m.len = len + 6;
    ntrip_rtcm_describe(&m);

    memset(&rec, 0, sizeof(rec));
    rec.len = (uint32_t) m.len;
    rec.time = number;
    rec.flags = (m.flags & NTRIP_RTCM_EPOCH) ? NTRIP_RECORD_EPOCH : 0;

    if (ntrip_ring_write(ring, &rec, buf) != NGX_OK) {
        abort();
    }
}


/* all that there is; "room": of the buffer at first, grows when it has to */

static ngx_uint_t
read_all(ntrip_view_t *view, uint64_t pos, got_t *out, size_t room)
{
    size_t          size;
    uint64_t        next;
    ngx_int_t       rc;
    ngx_uint_t      n;
    ntrip_record_t  rec;

    size = room;

    for (n = 0; n < MESSAGES; /* void */ ) {
        rc = ntrip_view_read(view, ring, &pos, &rec, out[n].data, size, &next);

        if (rc == NGX_AGAIN) {
            break;
        }

        if (rc == NGX_BUSY) {
            size = sizeof(out[n].data);
            continue;
        }

        if (rc == NGX_OK) {
            out[n].len = rec.len;
            out[n].next = next;
            out[n].time = (uint32_t) rec.time;
            n++;
        }

        size = room;
    }

    return n;
}


static int
same(got_t *a, got_t *b, ngx_uint_t n)
{
    ngx_uint_t  i;

    for (i = 0; i < n; i++) {
        if (a[i].len != b[i].len || a[i].next != b[i].next
            || a[i].time != b[i].time
            || memcmp(a[i].data, b[i].data, a[i].len) != 0)
        {
            return 0;
        }
    }

    return 1;
}


/* as what is in got[], each in a chunk of its own; p NULL: all messages */

static void
test_chunks(ntrip_view_t *view, ntrip_profile_t *p, uint64_t start,
    ngx_uint_t n)
{
    u_char       buf[NTRIP_RTCM_MESSAGE_MAX + NTRIP_VIEW_CHUNK];
    size_t       len;
    ngx_uint_t   i, wrong;

    ntrip_view_init(view, p, 1);
    wrong = (read_all(view, start, again, 1) != n);

    for (i = 0; i < n && !wrong; i++) {
        len = sprintf((char *) buf, "%x\r\n", (int) got[i].len);
        memcpy(buf + len, got[i].data, got[i].len);
        len += got[i].len;
        memcpy(buf + len, "\r\n", 2);

        wrong = again[i].len != len + 2 || again[i].next != got[i].next
                || again[i].time != got[i].time
                || memcmp(again[i].data, buf, len + 2) != 0;
    }

    tap_ok(!wrong, "each is a chunk");
}


static void
run(const char *text, ngx_uint_t msm4)
{
    char             *reason;
    uint64_t          start;
    ngx_str_t         list;
    ngx_uint_t        i, n, count, wrong;
    ntrip_view_t     *view;
    ntrip_profile_t   p;

    memset(&p, 0, sizeof(p));
    p.msm4 = msm4;
    list.data = (u_char *) text;
    list.len = strlen(text);

    if (list.len && ntrip_profile_list(&p, &list, &reason) != NGX_OK) {
        abort();
    }

    view = malloc(sizeof(ntrip_view_t));
    ntrip_ring_reset(ring);
    start = ntrip_ring_head(ring);

    for (i = 0; i < MESSAGES; i++) {
        write_one(i);
    }

    ntrip_view_init(view, &p, 0);
    n = read_all(view, start, got, NTRIP_RTCM_MESSAGE_MAX);

    for (i = 1, wrong = 0; i < n; i++) {
        wrong += (got[i].next <= got[i - 1].next
                  || got[i].time <= got[i - 1].time);
    }

    tap_ok(n > 100 && wrong == 0, "\"%s\"%s: %d messages, in order", text,
           msm4 ? " msm4" : "", (int) n);

    ntrip_view_init(view, &p, 0);
    tap_ok(read_all(view, start, again, 1) == n && same(got, again, n),
           "without room at first the same");

    test_chunks(view, &p, start, n);

    for (i = 0, wrong = 0; i < n; i++) {
        ntrip_view_init(view, &p, 0);
        count = read_all(view, got[i].next, again, NTRIP_RTCM_MESSAGE_MAX);
        wrong += (count != n - i - 1 || !same(got + i + 1, again, count));
    }

    if (!tap_ok(wrong == 0, "from behind each of them what follows it")) {
        printf("# wrong %d of %d\n", (int) wrong, (int) n);
    }

    free(view);
}


static void
test_all(void)
{
    uint64_t      start;
    ngx_uint_t    i;
    ntrip_view_t  view;

    ntrip_ring_reset(ring);
    start = ntrip_ring_head(ring);

    for (i = 0; i < MESSAGES; i++) {
        write_one(i);
    }

    tap_ok(read_all(NULL, start, got, NTRIP_RTCM_MESSAGE_MAX) == MESSAGES
           && got[MESSAGES - 1].next == ntrip_ring_head(ring),
           "without a profile all messages");

    test_chunks(&view, NULL, start, MESSAGES);
}


static void
test_overrun(void)
{
    u_char            buf[NTRIP_RTCM_MESSAGE_MAX];
    uint64_t          pos, next;
    ngx_int_t         rc;
    ngx_uint_t        i, lost;
    ntrip_view_t     *view;
    ntrip_record_t    rec;
    ntrip_profile_t   p;

    memset(&p, 0, sizeof(p));
    p.msm4 = 1;
    view = malloc(sizeof(ntrip_view_t));
    ntrip_view_init(view, &p, 0);

    ntrip_ring_reset(ring);
    pos = ntrip_ring_head(ring);

    do {
        write_one(0);
        rc = ntrip_view_read(view, ring, &pos, &rec, buf, sizeof(buf), &next);
    } while (!ntrip_view_holds(view));

    for (i = 0; i < RING / 64; i++) {
        write_one(i);
    }

    for (lost = 0; rc != NGX_AGAIN; lost += (rc == NGX_DECLINED)) {
        rc = ntrip_view_read(view, ring, &pos, &rec, buf, sizeof(buf), &next);

        if (rc == NGX_DECLINED && ntrip_view_holds(view)) {
            lost = 100;
        }
    }

    tap_ok(lost == 1, "an overrun is told once, and nothing is held after it");
    free(view);
}


int
main(void)
{
    ring = aligned_alloc(64, ntrip_ring_memory(RING));
    ntrip_ring_init(ring, RING);

    test_all();

    run("", 1);
    run("1074,1005", 0);
    run("1077,1087", 1);
    run("-1127", 0);
    run("-1127,-1097,-1230", 1);
    run("1012,1230", 0);

    test_overrun();

    free(ring);

    return tap_done();
}
