/*
 * sources: ntrip_ring.c ntrip_latest.c ntrip_mailbox.c ntrip_bus.c
 * libs: -lpthread
 * sanitizer: thread
 */

/*
 * Fieldgate: what workers share without a lock, by threads in place of
 * processes, so that the thread sanitizer can watch: a producer and readers of
 * a ring with the latest station message, two writers and a reader of a
 * mailbox, wakers and a sleeper, kicks, and slots that come and go while others
 * look.
 *
 * Each part goes on until everybody has seen enough: how fast is no matter.
 */


#include "unit/tap.h"

#include "ntrip_bus.h"
#include "ntrip_mailbox.h"
#include "ntrip_ring.h"

#include <pthread.h>
#include <sched.h>


#define TEST_RING     4096
#define TEST_READERS  2
#define TEST_WRITERS  2
#define TEST_ENOUGH   tap_long(5000, 4)
#define TEST_TEXT     100
#define TEST_SLOTS    4


typedef struct {
    pthread_t      thread;
    ngx_uint_t     n;
    ngx_uint_t     good;
    ngx_uint_t     bad;
    ngx_uint_t     missed;
} test_thread_t;


static union {
    ntrip_ring_t   ring;
    u_char         memory[TEST_RING + 2048];
} __attribute__((aligned(64)))  test_ring;

static ntrip_mailbox_t          test_box;
static ntrip_bus_t              test_bus;
static pthread_mutex_t          test_mutex = PTHREAD_MUTEX_INITIALIZER;
static ngx_uint_t               test_stop;     /* how many have seen enough */
static uint64_t                 test_marked[TEST_WRITERS];
static ngx_uint_t               test_awake;


static ngx_uint_t
test_stopped(ngx_uint_t n)
{
    return __atomic_load_n(&test_stop, __ATOMIC_SEQ_CST) >= n;
}


static void
test_enough(void)
{
    (void) __atomic_add_fetch(&test_stop, 1, __ATOMIC_SEQ_CST);
}


/* n threads, each with its number; the array is the caller's */

static void
test_begin(test_thread_t *threads, ngx_uint_t n, void *(*run)(void *))
{
    ngx_uint_t  i;

    for (i = 0; i < n; i++) {
        ngx_memzero(&threads[i], sizeof(test_thread_t));
        threads[i].n = i;

        if (pthread_create(&threads[i].thread, NULL, run, &threads[i]) != 0) {
            abort();
        }
    }
}


static void
test_end(test_thread_t *threads, ngx_uint_t n)
{
    ngx_uint_t  i;

    for (i = 0; i < n; i++) {
        pthread_join(threads[i].thread, NULL);
    }
}


static uint32_t
test_len(uint64_t seq)
{
    return sizeof(uint64_t) + seq * 2654435761U % 500;
}


static void
test_fill(u_char *buf, uint64_t seq, uint32_t len)
{
    uint32_t  i;

    ngx_memcpy(buf, &seq, sizeof(uint64_t));

    for (i = sizeof(uint64_t); i < len; i++) {
        buf[i] = (u_char) (seq * 31 + i * 7);
    }
}


/* each record is announced as a station message before it is written: who has
   it finds that one, or a later one, whole */

static ngx_uint_t
test_latest(uint64_t seq)
{
    u_char    buf[NTRIP_LATEST_MAX], expected[TEST_TEXT];
    size_t    len;
    uint64_t  latest;

    len = ntrip_latest_get(&test_ring.ring.latest, NTRIP_LATEST_KINDS - 1,
                           (uint64_t) -1, buf);

    if (len == 0) {
        return 1;
    }

    ngx_memcpy(&latest, buf, sizeof(uint64_t));
    test_fill(expected, latest, TEST_TEXT);

    return len == TEST_TEXT && latest >= seq
           && memcmp(buf, expected, len) == 0;
}


static void *
test_produce(void *data)
{
    u_char                buf[512], text[TEST_TEXT];
    uint64_t              seq;
    ntrip_record_t        rec;
    ntrip_rtcm_message_t  m;

    m.data = text;
    m.len = TEST_TEXT;
    m.type = 1029;
    m.station = 0;

    for (seq = 1; !test_stopped(TEST_READERS); seq++) {
        rec.len = test_len(seq);
        rec.flags = (seq % 4 == 0) ? NTRIP_RECORD_EPOCH : 0;
        rec.type = seq % 4096;
        rec.time = seq;

        test_fill(buf, seq, rec.len);
        test_fill(text, seq, TEST_TEXT);

        ntrip_latest_put(&test_ring.ring.latest, &m, test_ring.ring.head);
        (void) ntrip_ring_write(&test_ring.ring, &rec, buf);

        if (seq % 8 == 0) {
            sched_yield();
        }
    }

    return NULL;
}


static void *
test_consume(void *data)
{
    u_char          buf[512], expected[512];
    uint64_t        pos, seq, last;
    ngx_int_t       rc;
    test_thread_t  *me = data;
    ntrip_record_t  rec;

    last = 0;
    pos = ntrip_ring_head(&test_ring.ring);

    while (me->good < TEST_ENOUGH) {
        rc = ntrip_ring_read(&test_ring.ring, &pos, &rec, buf, sizeof(buf));

        if (rc == NGX_AGAIN) {
            sched_yield();
            continue;
        }

        if (rc == NGX_DECLINED) {
            me->missed++;
            continue;
        }

        ngx_memcpy(&seq, buf, sizeof(uint64_t));
        test_fill(expected, rec.time, test_len(rec.time));

        if (rc != NGX_OK || seq != rec.time || seq <= last
            || rec.len != test_len(seq) || memcmp(buf, expected, rec.len) != 0
            || !test_latest(seq))
        {
            me->bad++;
        }

        last = rec.time;
        me->good++;
    }

    test_enough();

    return NULL;
}


static void
test_rings(void)
{
    ngx_uint_t     i;
    test_thread_t  producer, readers[TEST_READERS];

    test_stop = 0;
    ntrip_ring_init(&test_ring.ring, TEST_RING);

    test_begin(readers, TEST_READERS, test_consume);
    test_begin(&producer, 1, test_produce);
    test_end(readers, TEST_READERS);
    test_end(&producer, 1);

    for (i = 0; i < TEST_READERS; i++) {
        tap_ok(readers[i].bad == 0 && readers[i].good == TEST_ENOUGH,
               "ring: reader %d has whole records in order", (int) i);
        printf("# overrun %d times\n", (int) readers[i].missed);
    }
}


static void *
test_post(void *data)
{
    uint64_t        seq;
    ntrip_mail_t    mail;
    test_thread_t  *me = data;

    for (seq = 1; !test_stopped(1); seq++) {
        ngx_memset(&mail, (int) (seq & 0xff), sizeof(ntrip_mail_t));
        mail.time = seq;
        mail.len = seq & 0xff;

        if (ntrip_mailbox_write(&test_box, me->n + 1, 0, &mail) == NGX_OK) {
            (void) __atomic_add_fetch(&me->good, 1, __ATOMIC_RELAXED);

        } else {
            me->missed++;
        }

        sched_yield();
    }

    return NULL;
}


/* one that has no turn on a busy machine is waited for */

static ngx_uint_t
test_wrote(test_thread_t *writers)
{
    ngx_uint_t  i;

    for (i = 0; i < TEST_WRITERS; i++) {
        if (__atomic_load_n(&writers[i].good, __ATOMIC_RELAXED) < 100) {
            return 0;
        }
    }

    return 1;
}


static void
test_mails(void)
{
    u_char         expected[sizeof(ntrip_mail_t)];
    uint64_t       seq;
    ngx_uint_t     good, bad;
    ntrip_mail_t   mail;
    test_thread_t  writers[TEST_WRITERS];

    seq = 0;
    good = 0;
    bad = 0;
    test_stop = 0;
    ntrip_mailbox_init(&test_box);

    test_begin(writers, TEST_WRITERS, test_post);

    while (good < TEST_ENOUGH || !test_wrote(writers)) {
        if (ntrip_mailbox_read(&test_box, &seq, &mail) != NGX_OK) {
            sched_yield();
            continue;
        }

        ngx_memset(expected, (int) (mail.time & 0xff), sizeof(expected));

        if (mail.len != (mail.time & 0xff)
            || memcmp(mail.gga, expected, NTRIP_GGA_LINE_MAX) != 0)
        {
            bad++;
        }

        good++;
    }

    test_enough();
    test_end(writers, TEST_WRITERS);

    tap_ok(bad == 0, "mailbox: every mail is whole, of both writers");
}


/* a wake-up that gets lost would leave the sleeper behind what was marked */

static void *
test_wake(void *data)
{
    ngx_uint_t      i;
    test_thread_t  *me = data;

    for (i = 0; i < TEST_ENOUGH; i++) {
        __atomic_add_fetch(&test_marked[me->n], 1, __ATOMIC_SEQ_CST);
        ntrip_bus_mark(&test_bus, 3, 64 + me->n);

        if (ntrip_bus_wake(&test_bus, 3)) {
            __atomic_store_n(&test_awake, 1, __ATOMIC_SEQ_CST);
        }
    }

    test_enough();

    return NULL;
}


static void
test_wakes(void)
{
    uint64_t       bits, seen[TEST_WRITERS];
    ngx_uint_t     i, last;
    test_thread_t  wakers[TEST_WRITERS];

    test_stop = 0;
    ngx_memzero(seen, sizeof(seen));

    test_begin(wakers, TEST_WRITERS, test_wake);

    do {
        last = test_stopped(TEST_WRITERS);

        while (__atomic_exchange_n(&test_awake, 0, __ATOMIC_SEQ_CST)) {
            ntrip_bus_asleep(&test_bus, 3);
            bits = ntrip_bus_take(&test_bus, 3, 1);

            for (i = 0; i < TEST_WRITERS; i++) {
                if (bits & (uint64_t) 1 << i) {
                    seen[i] = __atomic_load_n(&test_marked[i],
                                              __ATOMIC_SEQ_CST);
                }
            }
        }

        sched_yield();

    } while (!last);

    test_end(wakers, TEST_WRITERS);

    for (i = 0; i < TEST_WRITERS; i++) {
        tap_ok(seen[i] == TEST_ENOUGH, "bus: the last mark of waker %d is seen",
               (int) i);
    }
}


static void *
test_kick(void *data)
{
    u_char    user[NTRIP_USER_MAX];
    uint64_t  n;

    for (n = 1; !test_stopped(TEST_READERS); n++) {
        ngx_memset(user, (int) (n & 0xff), sizeof(user));

        pthread_mutex_lock(&test_mutex);
        ntrip_bus_kick(&test_bus, user, 1 + n % NTRIP_USER_MAX, n);
        pthread_mutex_unlock(&test_mutex);

        if (n % 16 == 0) {
            sched_yield();
        }
    }

    return NULL;
}


static void *
test_kicked(void *data)
{
    u_char          expected[NTRIP_USER_MAX];
    uint64_t        cursor;
    ngx_int_t       rc;
    ntrip_kick_t    kick;
    test_thread_t  *me = data;

    cursor = ntrip_bus_kick_cursor(&test_bus);

    while (me->good < TEST_ENOUGH) {
        rc = ntrip_bus_kick_read(&test_bus, &cursor, &kick);

        if (rc != NGX_OK) {
            me->missed += (rc == NGX_DECLINED);
            sched_yield();
            continue;
        }

        ngx_memset(expected, (int) (kick.below & 0xff), sizeof(expected));

        if (kick.user_len != 1 + kick.below % NTRIP_USER_MAX
            || memcmp(kick.user, expected, kick.user_len) != 0)
        {
            me->bad++;
        }

        me->good++;
    }

    test_enough();

    return NULL;
}


static void
test_kicks(void)
{
    ngx_uint_t     i;
    test_thread_t  poster, readers[TEST_READERS];

    test_stop = 0;

    test_begin(readers, TEST_READERS, test_kicked);
    test_begin(&poster, 1, test_kick);
    test_end(readers, TEST_READERS);
    test_end(&poster, 1);

    for (i = 0; i < TEST_READERS; i++) {
        tap_ok(readers[i].bad == 0, "bus: kicks are whole for reader %d",
               (int) i);
    }
}


/* workers that come and go, each alive from its claim to its release */

static void *
test_worker(void *data)
{
    uint64_t        holder;
    ngx_uint_t      i;
    test_thread_t  *me = data;

    for (i = 0; i < TEST_ENOUGH / 10; i++) {
        pthread_mutex_lock(&test_mutex);
        holder = ntrip_bus_claim(&test_bus, TEST_SLOTS, me->n, i, i);
        pthread_mutex_unlock(&test_mutex);

        if (holder == 0) {
            me->bad++;
            continue;
        }

        (void) ntrip_bus_next_login(&test_bus);
        (void) ntrip_bus_next_serial(&test_bus);

        if (!ntrip_bus_alive(&test_bus, holder)) {
            me->bad++;
        }

        sched_yield();

        pthread_mutex_lock(&test_mutex);
        me->bad += (ntrip_bus_release(&test_bus, holder) != NGX_OK);
        pthread_mutex_unlock(&test_mutex);

        if (ntrip_bus_alive(&test_bus, holder)) {
            me->bad++;
        }
    }

    test_enough();

    return NULL;
}


static void
test_slots(void)
{
    uint64_t       dead[NTRIP_SLOTS], holder;
    ngx_uint_t     i, found, bad;
    test_thread_t  workers[TEST_WRITERS];

    found = 0;
    test_stop = 0;

    test_begin(workers, TEST_WRITERS, test_worker);

    while (!test_stopped(TEST_WRITERS)) {
        holder = ntrip_bus_successor(&test_bus, TEST_SLOTS, 0, found);
        found += (holder != 0);

        if (ntrip_bus_sweep_due(&test_bus)) {
            ntrip_bus_sweep_begin(&test_bus, dead);
            ntrip_bus_sweep_end(&test_bus, dead);
        }
    }

    test_end(workers, TEST_WRITERS);

    ntrip_bus_sweep_begin(&test_bus, dead);
    ntrip_bus_sweep_end(&test_bus, dead);

    bad = 0;

    for (i = 0; i < TEST_WRITERS; i++) {
        bad += workers[i].bad;
    }

    tap_ok(bad == 0, "bus: holders are alive from claim to release");
    tap_ok(!ntrip_bus_sweep_due(&test_bus), "and swept in the end");
    printf("# %d successors\n", (int) found);
}


int
main(void)
{
    setvbuf(stdout, NULL, _IONBF, 0);

    ntrip_bus_init(&test_bus, 1);

    test_rings();
    test_mails();
    test_wakes();
    test_kicks();
    test_slots();

    return tap_done();
}
