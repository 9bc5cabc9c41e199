
/*
 * sources: ntrip_sink.c ntrip_backlog.c ntrip_view.c ntrip_ring.c
 * ntrip_latest.c ntrip_chunked.c
 * ntrip_profile.c ntrip_msm.c ntrip_rtcm.c
 *
 * What rovers get of a backlog, against a plain model, without nginx: the
 * kernel takes as much as it likes, time passes, rovers come, go, and go on
 * elsewhere.  What one gets are whole records, in order; none begins to be
 * sent that is too old; what is left out was too old, too much, or lost, and
 * is counted to the message; who is to be closed skips nothing.  Who has just
 * come gets the latest station messages first, in their order, none of which
 * is in what follows at once.  In chunks the same, and a record is a chunk.
 *
 * SEED in the environment repeats a run.
 */


#include "unit/tap.h"

#include "ntrip_sink.h"


#define TEST_RING     32768
#define TEST_SINKS    6
#define TEST_STEPS    4000
#define TEST_RUNS     tap_long(16, 5)
#define TEST_HEAD     6              /* length and number of a record */
#define TEST_MAX      900
#define TEST_AGE      2000
#define TEST_RECORDS  65536          /* in a run, at most */
#define TEST_STATION  24             /* bytes of a station message */
#define TEST_CHUNK    12             /* around a record */

#define TEST_LINE_SIZE  1
#define TEST_LINE_DATA  2
#define TEST_LINE_END   3

#define test_within(t)  ((t)->have || (t)->line)


typedef struct {
    ntrip_sink_t   sink;
    ngx_uint_t     there;
    u_char         head[TEST_HEAD];
    uint32_t       have;             /* bytes of the record at hand */
    uint32_t       line;             /* TEST_LINE_*, of a chunk; 0: in none */
    uint32_t       size;             /* of it, to come */
    uint32_t       seq;              /* of the last one that has begun */
    uint64_t       bytes;            /* got */
    uint64_t       messages;
    uint64_t       skipped;          /* that may be missing now, as it says */
    ngx_uint_t     anew;             /* the next record, behind so many bytes
                                        that it brought, may be any */
    uint64_t       rest;
    uint64_t       begun;            /* where the record at hand has */
    ngx_uint_t     merged;           /* records that have one mark */
    ngx_uint_t     must;             /* it had to leave a buffer */
    uint32_t       first[NTRIP_LATEST_KINDS];   /* station messages that it */
    ngx_uint_t     nfirst;                      /* has to get now */
    ngx_uint_t     got;
} test_sink_t;


static ngx_log_t        test_log;
static ntrip_backlog_t  test_backlog;
static ntrip_view_t     test_view;
static ngx_uint_t       test_chunked;
static test_sink_t      test_sinks[TEST_SINKS];
static uint32_t         test_time[TEST_RECORDS];
static u_char           test_copied[TEST_RECORDS];
static uint32_t         test_kinds[TEST_RECORDS];   /* 1 and its kind, or 0 */
static uint32_t         test_source;                /* its first record */
static uint32_t         test_seq, test_now;
static ngx_uint_t       test_bad, test_skips, test_slow, test_moves,
                        test_partial, test_drops, test_lost, test_firsts,
                        test_waits;
static uint64_t         test_random_state;

static union {
    ntrip_ring_t        ring;
    u_char              memory[TEST_RING + 2048];
} __attribute__((aligned(64)))  test_ring;


void *
ngx_alloc(size_t size, ngx_log_t *log)
{
    return malloc(size);
}


void *
ngx_calloc(size_t size, ngx_log_t *log)
{
    return calloc(1, size);
}


static ngx_uint_t
test_random(ngx_uint_t n)
{
    test_random_state ^= test_random_state >> 12;
    test_random_state ^= test_random_state << 25;
    test_random_state ^= test_random_state >> 27;

    return (ngx_uint_t) ((test_random_state * 2685821657736338717ULL) >> 33)
           % n;
}


static void
test_expect(int good, const char *wrong, test_sink_t *t)
{
    if (!good && test_bad++ < 5) {
        printf("# %s: rover %d, record %d\n", wrong, (int) (t - test_sinks),
               (int) t->seq);
    }
}


static void
test_record(void)
{
    u_char                buf[TEST_MAX];
    uint16_t              len;
    ngx_uint_t            kind;
    ntrip_record_t        rec;
    ntrip_rtcm_message_t  m;

    static ngx_uint_t  types[] = { 1005, 1006, 1007, 1008, 1033, 1230, 1013,
                                   1029, 1077, 1087, 4095, 0 };

    if (++test_seq == TEST_RECORDS) {
        abort();
    }

    kind = test_random(8) ? NTRIP_LATEST_KINDS + test_random(4)
                          : test_random(NTRIP_LATEST_KINDS);
    len = (kind < NTRIP_LATEST_KINDS)
          ? TEST_STATION
          : (uint16_t) (TEST_HEAD + test_random(TEST_MAX - TEST_HEAD));

    memset(buf, test_seq & 0xff, len);
    memcpy(buf, &len, 2);
    memcpy(buf + 2, &test_seq, 4);

    rec.len = len;
    rec.flags = NTRIP_RECORD_EPOCH;
    rec.type = 1077;
    rec.time = test_now;

    test_time[test_seq] = test_now;
    test_kinds[test_seq] = (kind < NTRIP_LATEST_KINDS) ? 1 + kind : 0;

    m.data = buf;
    m.len = len;
    m.type = types[kind];

    if (test_random(500) == 0) {
        test_source = test_seq;
        ntrip_latest_clear(&test_ring.ring.latest);
    }

    m.station = test_source;

    ntrip_latest_put(&test_ring.ring.latest, &m, test_ring.ring.head);

    if (ntrip_ring_write(&test_ring.ring, &rec, buf) != NGX_OK) {
        abort();
    }
}


/* the number of the record that begins there */

static uint32_t
test_seq_at(u_char *data)
{
    uint32_t  seq;

    if (test_chunked) {
        data = (u_char *) strchr((char *) data, '\n') + 1;
    }

    memcpy(&seq, data + 2, 4);

    return seq;
}


/* a record begins; those before it that were copied here are missing */

static void
test_begins(test_sink_t *t, uint32_t seq)
{
    uint32_t  i, missing;

    if (t->got < t->nfirst) {
        test_expect(seq == t->first[t->got], "another station message", t);
        t->got++;
        return;
    }

    missing = 0;

    for (i = t->seq + 1; i < seq; i++) {
        missing += test_copied[i];
    }

    test_expect(seq > t->seq, "a record came twice", t);
    test_expect(t->anew || missing == t->skipped,
                "other records are missing than it says", t);

    if (t->begun >= t->rest) {
        t->anew = 0;
    }

    t->skipped = 0;
    t->seq = seq;
}


/* a byte of the chunk around a record: its size, or CRLF, behind which it is
   whole */

static ngx_uint_t
test_around(test_sink_t *t, u_char c)
{
    if (t->line == TEST_LINE_DATA) {

        if (t->size) {
            t->size--;
            return 0;
        }

        t->line = TEST_LINE_END;
    }

    switch (c) {

    case '\r':
        return 1;

    case '\n':
        if (t->line == TEST_LINE_END) {
            t->line = 0;
            t->have = 0;
            t->messages++;
            return 1;
        }

        t->line = TEST_LINE_DATA;
        return 1;

    default:
        t->size = t->line ? t->size * 16 : 0;
        t->size += (c > '9') ? c - 'a' + 10 : c - '0';
        t->line = TEST_LINE_SIZE;
        return 1;
    }
}


static void
test_got(test_sink_t *t, u_char *data, size_t n)
{
    size_t    i;
    uint16_t  len;
    uint32_t  seq;

    t->bytes += n;

    for (i = 0; i < n; i++) {

        if (!test_within(t)) {
            t->begun = t->bytes - n + i;
        }

        if (test_chunked && test_around(t, data[i])) {
            continue;
        }

        if (t->have < TEST_HEAD) {
            t->head[t->have++] = data[i];

            if (t->have == TEST_HEAD) {
                memcpy(&seq, t->head + 2, 4);
                test_begins(t, seq);
            }

        } else {
            memcpy(&seq, t->head + 2, 4);
            t->have++;
            test_expect(data[i] == (seq & 0xff), "a byte is wrong", t);
        }

        memcpy(&len, t->head, 2);

        if (t->have < TEST_HEAD || t->have != len) {
            continue;
        }

        if (test_chunked) {
            test_expect(t->size == 0, "a chunk is longer than its record", t);
            continue;
        }

        t->have = 0;
        t->messages++;
    }
}


static void
test_trim(void)
{
    ngx_uint_t    i;
    test_sink_t  *t;

    while (ntrip_backlog_trim(&test_backlog) == NGX_BUSY) {
        test_drops++;

        for (i = 0; i < TEST_SINKS; i++) {
            t = &test_sinks[i];

            if (t->there && ntrip_sink_in_first(&test_backlog, &t->sink)) {
                t->must = 1;
                (void) ntrip_sink_too_slow(&t->sink);
            }
        }

        ntrip_backlog_drop(&test_backlog);
    }
}


/* the ring goes into the backlog, and that to all who have everything */

static void
test_copy(void)
{
    size_t      before;
    uint32_t    seq;
    ngx_int_t   rc;
    ngx_uint_t  flags;

    for ( ;; ) {
        before = test_backlog.pending;
        rc = ntrip_backlog_read(&test_backlog, &test_ring.ring, &flags);

        if (rc == NGX_AGAIN) {
            return;
        }

        if (rc == NGX_DECLINED) {
            test_lost++;
            continue;
        }

        seq = test_seq_at(test_backlog.last->data + test_backlog.last->used
                          - (test_backlog.pending - before));
        test_copied[seq] = 1;
    }
}


/*
 * A new one may have its first epoch.  The station messages that it has to get
 * are the latest of this source, but those that the epoch comes behind.
 */

static ngx_int_t
test_first(test_sink_t *t, ngx_uint_t ready)
{
    uint32_t      i, next, latest[NTRIP_LATEST_KINDS];
    uint32_t      offset;
    ngx_int_t     rc;
    ngx_uint_t    k;
    ntrip_buf_t  *b;

    b = t->sink.buf;
    offset = t->sink.offset;

    if (b == NULL) {
        b = ntrip_backlog_find(&test_backlog, 0, &offset);

    } else {
        offset = b->resume;
        b = b->next;
    }

    next = test_seq_at(b->data + offset);
    ngx_memzero(latest, sizeof(latest));

    for (i = ngx_max(test_source, 1); i <= test_seq; i++) {
        if (test_kinds[i]) {
            latest[test_kinds[i] - 1] = i;
        }
    }

    rc = ntrip_sink_begin(&test_backlog, &t->sink, &test_ring.ring.latest,
                          ready, test_now);

    if (rc == NGX_BUSY) {
        test_waits++;
        test_expect(!ready && t->sink.state == NTRIP_SINK_NEW,
                    "it waits for nothing", t);
        return rc;
    }

    t->nfirst = 0;
    t->got = 0;

    for (k = 0; k < NTRIP_LATEST_KINDS; k++) {
        if (latest[k] && latest[k] < next) {
            t->first[t->nfirst++] = latest[k];
        }
    }

    test_firsts += t->nfirst;
    test_expect(t->nfirst == 0 || (ready && rc == NGX_AGAIN),
                "station messages come too early", t);

    t->seq = next - 1;
    t->anew = 0;

    return rc;
}


static void
test_flush(void)
{
    size_t         size, n, k, part;
    uint32_t       offset;
    ngx_uint_t     i, j, niov;
    ntrip_buf_t   *b;
    test_sink_t   *t;
    struct iovec   iov[NTRIP_BACKLOG_IOVS];

    test_copy();

    while (test_backlog.pending) {
        niov = ntrip_backlog_gather(&test_backlog, iov, &size);

        for (i = 0; i < TEST_SINKS; i++) {
            t = &test_sinks[i];

            if (t->there
                && t->sink.state == NTRIP_SINK_NEW
                && t->sink.buf == NULL)
            {
                (void) test_first(t, test_random(2));
            }

            if (!t->there || t->sink.state != NTRIP_SINK_SYNC) {
                continue;
            }

            n = test_random(3) ? size : test_random(size);

            for (j = 0, k = n; j < niov && k; j++, k -= part) {
                part = ngx_min(k, iov[j].iov_len);
                test_got(t, iov[j].iov_base, part);
            }

            if (n < size) {
                test_partial++;
                b = ntrip_backlog_find(&test_backlog, n, &offset);
                ntrip_sink_block(&test_backlog, &t->sink, b, offset);
            }
        }

        (void) ntrip_backlog_sync(&test_backlog, size);
    }

    test_trim();
}


/* of records that have one mark for all none counts before the last, and their
   rest as one elsewhere */

static ngx_uint_t
test_merged(test_sink_t *t)
{
    return t->sink.buf && !t->sink.buf->listed
           && t->sink.buf->n == NTRIP_BUF_RECORDS;
}


static void
test_leave(test_sink_t *t)
{
    uint64_t  bytes, messages;

    ntrip_sink_totals(&test_backlog, &t->sink, &bytes, &messages);
    test_expect(bytes == t->bytes, "the bytes are wrong", t);

    t->merged |= test_merged(t);

    test_expect(messages == t->messages
                || (t->merged && messages < t->messages),
                "the messages are wrong", t);

    ntrip_sink_leave(&test_backlog, &t->sink);
    t->there = 0;
}


/* how old the record is that comes next, if none has begun */

static ngx_uint_t
test_too_old(test_sink_t *t)
{
    uint32_t      i;
    ntrip_buf_t  *b;

    b = t->sink.buf;
    i = (uint32_t) ntrip_buf_mark(b, t->sink.offset);

    return i < b->n && (int32_t) (test_now - b->marks[i].time) > TEST_AGE;
}


static void
test_writable(test_sink_t *t, ngx_uint_t all)
{
    size_t              n;
    uint32_t            seq;
    ngx_uint_t          old;
    ntrip_step_e        rc;
    ntrip_step_t        step;
    ntrip_sink_state_e  state;

    if (t->sink.state == NTRIP_SINK_NEW
        && test_first(t, all || test_random(2)) == NGX_BUSY)
    {
        return;
    }

    while (t->sink.buf) {
        state = t->sink.state;
        old = test_too_old(t);

        rc = ntrip_sink_next(&test_backlog, &t->sink, TEST_AGE, test_now,
                             &step);

        t->skipped += step.skipped;

        if (step.skipped && t->got < t->nfirst) {
            t->skipped -= t->nfirst - t->got;
            t->got = t->nfirst;
        }

        test_skips += (step.skipped > 0);

        test_expect(step.skipped == 0 || !t->sink.close,
                    "it is to be closed, and skips", t);
        test_expect(step.skipped == 0 || old || state == NTRIP_SINK_SKIP,
                    "it skips what is not too old", t);

        if (rc == NTRIP_STEP_CLOSE) {
            test_slow++;
            test_expect(t->sink.close && (old || t->must),
                        "it is closed without a reason", t);
            test_leave(t);
            return;
        }

        if (rc == NTRIP_STEP_DONE) {
            test_expect(!test_within(t), "it is cut off within a record", t);
            t->must = 0;
            return;
        }

        test_expect(step.len > 0 && step.len <= NTRIP_BACKLOG_FLUSH,
                    "the size of a write", t);

        if (!test_within(t) && t->got == t->nfirst) {
            seq = test_seq_at(step.data);
            test_expect((int32_t) (test_now - test_time[seq]) <= TEST_AGE,
                        "a record begins too late", t);
        }

        n = all || test_random(3) ? step.len : test_random(step.len);
        test_got(t, step.data, n);

        if (n == 0) {
            return;
        }

        ntrip_sink_sent(&test_backlog, &t->sink, n);

        if (n < step.len) {
            test_partial++;
            return;
        }
    }
}


static void
test_join(test_sink_t *t)
{
    ngx_memzero(t, sizeof(test_sink_t));

    t->sink.close = test_random(2);
    t->sink.first = test_random(2);
    t->there = 1;
    t->anew = 1;

    ntrip_sink_join(&test_backlog, &t->sink, test_now);
}


/* it goes on in a worker that is as far as this one, or a little further */

static void
test_move(test_sink_t *t)
{
    u_char         rest[TEST_MAX + TEST_CHUNK];
    ngx_uint_t     overruns, skips;
    ntrip_place_t  place;

    if (ntrip_sink_final(&t->sink)) {
        return;
    }

    test_moves++;

    ntrip_sink_place(&test_backlog, &t->sink, &place);

    if (place.len > sizeof(rest)) {

        /* of records that have one mark: it stays */

        return;
    }

    if (place.len) {
        memcpy(rest, place.rest, place.len);
        place.rest = rest;
    }

    t->merged |= test_merged(t) || t->got < t->nfirst;
    skips = (t->sink.state == NTRIP_SINK_SKIP);

    ntrip_sink_leave(&test_backlog, &t->sink);
    t->there = 0;

    test_flush();

    if (place.fresh) {
        test_expect(t->messages == 0 && !test_within(t),
                    "it is new again", t);
        test_join(t);
        return;
    }

    ntrip_sink_join(&test_backlog, &t->sink, test_now);
    t->there = 1;
    t->must = 0;
    t->bytes = 0;
    t->messages = 0;
    t->rest = place.len;
    t->begun = 0;

    if (ntrip_sink_return(&test_backlog, &t->sink, &test_ring.ring, &place,
                          test_now, &overruns)
        == NGX_ERROR)
    {
        abort();
    }

    if (skips || overruns) {
        t->anew = 1;
        t->skipped = 0;
    }
}


static void
test_step(void)
{
    ngx_uint_t    i;
    test_sink_t  *t;

    t = &test_sinks[test_random(TEST_SINKS)];

    switch (test_random(8)) {

    case 0:
    case 1:
        for (i = test_random(test_random(30) ? 8 : 80); i; i--) {
            test_record();
        }

        test_flush();
        return;

    case 2:
        test_now += (uint32_t) test_random(400);
        return;

    case 3:
        if (!t->there) {
            test_join(t);
        }

        return;

    case 4:
        if (t->there && t->sink.buf == NULL && test_random(8) == 0) {
            test_leave(t);
        }

        return;

    case 5:
        if (t->there && test_random(6) == 0 && test_backlog.pending == 0) {
            test_move(t);
        }

        return;

    default:
        if (t->there && t->sink.buf) {
            test_writable(t, 0);
            test_trim();
        }
    }
}


static void
test_run(uint64_t seed)
{
    ngx_uint_t  i;

    test_random_state = seed * 88172645463325252ULL + 1;
    test_seq = 0;
    test_source = 0;
    test_now = (uint32_t) -100000;

    ntrip_ring_init(&test_ring.ring, TEST_RING);
    ngx_memzero(test_sinks, sizeof(test_sinks));
    ngx_memzero(test_copied, sizeof(test_copied));
    ntrip_backlog_init(&test_backlog, ntrip_ring_head(&test_ring.ring),
                       &test_log);

    test_chunked = test_random(2);

    if (test_chunked) {
        ntrip_view_init(&test_view, NULL, 1);
        test_backlog.view = &test_view;
    }

    for (i = 0; i < TEST_STEPS && test_bad == 0; i++) {
        test_step();
    }

    for (i = 0; i < TEST_SINKS; i++) {
        if (test_sinks[i].there && test_sinks[i].sink.buf) {
            test_writable(&test_sinks[i], 1);
        }

        if (test_sinks[i].there) {
            test_leave(&test_sinks[i]);
        }
    }

    test_expect(test_backlog.behind == 0, "somebody is counted as behind",
                test_sinks);

    ntrip_backlog_free(&test_backlog);

    if (test_bad) {
        printf("# SEED=%d\n", (int) seed);
    }
}


/* how long the kernel has had what it has: at least so long, and no longer
   than since the look before */

static void
test_looks(void)
{
    uint32_t      sent, acked, now, age, oldest, before, since, i;
    ngx_uint_t    good;
    ntrip_sink_t  s;

    static uint32_t  at[100000];     /* when each byte was sent */

    ngx_memzero(&s, sizeof(ntrip_sink_t));
    ntrip_backlog_init(&test_backlog, 1, &test_log);
    ntrip_sink_join(&test_backlog, &s, 0);

    good = 1;
    sent = 0;
    acked = 0;
    now = 0;
    before = 0;
    since = 0;

    while (sent < 99000) {
        now += (uint32_t) test_random(300);

        for (i = (uint32_t) test_random(3) ? 40 : 0; i; i--) {
            at[sent++] = now;
        }

        if (test_random(4)) {
            acked += (uint32_t) test_random(sent - acked + 1);
        }

        test_backlog.sent = sent;

        if (test_random(2)) {
            continue;
        }

        age = ntrip_sink_look(&test_backlog, &s, sent - acked, now);

        if (s.since != since) {
            before = since;
            since = s.since;
        }

        if (acked == sent) {
            good &= (age == 0);
            continue;
        }

        oldest = now - at[acked];
        good &= (age <= oldest && oldest <= now - before);
    }

    tap_ok(good, "for how long the kernel has had something");
}


int
main(void)
{
    char        *seed;
    ngx_uint_t   i;

    setvbuf(stdout, NULL, _IONBF, 0);

    seed = getenv("SEED");

    if (seed) {
        test_run((uint64_t) atoi(seed));

    } else {
        for (i = 1; i <= TEST_RUNS && test_bad == 0; i++) {
            test_run(i);
        }
    }

    tap_ok(test_bad == 0, "whole records in order, none too old, all counted");
    tap_ok(test_skips >= 100 && test_slow >= 100 && test_moves >= 1000
           && test_partial >= 1000 && test_drops >= 10 && test_lost >= 10
           && test_firsts >= 300 && test_waits >= 100,
           "and everything has happened");

    printf("# %d partial writes, %d skips, %d too slow, %d moves, %d buffers "
           "left, %d overruns, %d station messages, %d waits for them\n",
           (int) test_partial, (int) test_skips,
           (int) test_slow, (int) test_moves, (int) test_drops,
           (int) test_lost, (int) test_firsts, (int) test_waits);

    test_looks();

    return tap_done();
}
