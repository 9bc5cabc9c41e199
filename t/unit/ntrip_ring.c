/* sources: ntrip_ring.c ntrip_latest.c ntrip_mailbox.c libs: */

/*
 * Fieldgate: the ring and the mailbox, alone and under kill -9.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_mailbox.h"
#include "ntrip_ring.h"

#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>


#define TEST_RING     4096
#define TEST_KILLS    (getenv("FIELDGATE_LONG") ? 200 : 60)
#define TEST_READERS  2


typedef struct {
    uint64_t         seq;
    uint64_t         stop;
    uint64_t         reads[TEST_READERS];
    uint64_t         bad[TEST_READERS];
    uint64_t         overruns[TEST_READERS];
    uint64_t         mails[TEST_READERS];
    ntrip_mailbox_t  box;
    ntrip_ring_t     ring;
} test_shared_t;


static ngx_uint_t      test_n;
static ngx_uint_t      test_failed;
static test_shared_t  *test_shared;


static void
test_ok(ngx_uint_t ok, const char *name)
{
    printf("%sok %u - %s\n", ok ? "" : "not ", (unsigned) ++test_n, name);

    if (!ok) {
        test_failed++;
    }
}


/* length and every byte follow from the number of the record */

static uint32_t
test_len(uint64_t seq)
{
    return sizeof(uint64_t) + seq * 2654435761U % 1000;
}


static void
test_fill(u_char *buf, uint64_t seq)
{
    uint32_t  i, len;

    len = test_len(seq);
    memcpy(buf, &seq, sizeof(uint64_t));

    for (i = sizeof(uint64_t); i < len; i++) {
        buf[i] = (u_char) (seq * 31 + i * 7);
    }
}


static ngx_int_t
test_write(ntrip_ring_t *ring, uint64_t seq)
{
    u_char          buf[1024];
    ntrip_record_t  rec;

    rec.len = test_len(seq);
    rec.flags = (seq % 4 == 0) ? NTRIP_RECORD_EPOCH : 0;
    rec.type = seq % 4096;
    rec.time = seq;

    test_fill(buf, seq);

    return ntrip_ring_write(ring, &rec, buf);
}


static uint64_t
test_check(const ntrip_record_t *rec, u_char *buf)
{
    u_char    expected[1024];
    uint64_t  seq;

    memcpy(&seq, buf, sizeof(uint64_t));

    if (rec->len != test_len(seq) || rec->time != seq) {
        return 0;
    }

    test_fill(expected, seq);

    return memcmp(buf, expected, rec->len) == 0 ? seq : 0;
}


static void
test_alone(ntrip_ring_t *ring)
{
    u_char          buf[1024];
    uint64_t        seq, pos, old, expected;
    ngx_int_t       rc;
    ngx_uint_t      bad;
    ntrip_record_t  rec;

    ntrip_ring_init(ring, TEST_RING);
    pos = ntrip_ring_head(ring);
    old = pos;

    test_ok(ntrip_ring_read(ring, &pos, &rec, buf, sizeof(buf)) == NGX_AGAIN,
            "an empty ring has nothing");

    bad = 0;

    for (seq = 1; seq <= 1000; seq++) {
        if (test_write(ring, seq) != NGX_OK
            || ntrip_ring_read(ring, &pos, &rec, buf, sizeof(buf)) != NGX_OK
            || test_check(&rec, buf) != seq
            || ntrip_ring_read(ring, &pos, &rec, buf, sizeof(buf))
               != NGX_AGAIN)
        {
            bad++;
        }
    }

    test_ok(bad == 0, "1000 records in order over every wrap");

    rc = ntrip_ring_read(ring, &old, &rec, buf, sizeof(buf));

    test_ok(rc == NGX_DECLINED, "a reader left behind is told so");

    /* 1000 ends an epoch, so there is nothing newer than it */

    test_ok(old == pos, "and goes on behind the newest epoch");

    (void) test_write(ring, 1001);
    (void) test_write(ring, 1002);

    old = 0;
    (void) ntrip_ring_read(ring, &old, &rec, buf, sizeof(buf));
    rc = ntrip_ring_read(ring, &old, &rec, buf, sizeof(buf));

    test_ok(rc == NGX_OK && test_check(&rec, buf) == 1001,
            "with the whole of an epoch that has begun");

    expected = pos;
    rc = ntrip_ring_read(ring, &pos, &rec, buf, 4);

    test_ok(rc == NGX_BUSY && pos == expected && rec.len == test_len(1001),
            "too small a buffer: the length, and nothing is lost");

    rec.len = ntrip_ring_max_payload(ring) + 1;

    test_ok(ntrip_ring_write(ring, &rec, buf) == NGX_DECLINED,
            "more than a quarter of the ring is refused");

    rec.len = 0;
    rec.flags = 0;
    pos = ntrip_ring_head(ring);

    test_ok(ntrip_ring_write(ring, &rec, NULL) == NGX_OK
            && ntrip_ring_read(ring, &pos, &rec, buf, sizeof(buf)) == NGX_OK
            && rec.len == 0,
            "an empty record is a record");

    expected = pos;
    old = pos - NTRIP_RING_ALIGN;
    ntrip_ring_reset(ring);

    test_ok(ntrip_ring_read(ring, &old, &rec, buf, sizeof(buf))
            == NGX_DECLINED && old == expected,
            "after a reset every old position is an overrun");

    test_ok(ntrip_ring_round(1) == NTRIP_RING_MIN
            && ntrip_ring_round(32768) == 32768
            && ntrip_ring_round(32769) == 65536,
            "sizes are rounded up to powers of two");
}


static void
test_producer(void)
{
    uint64_t      seq;
    ntrip_mail_t  mail;

    memset(&mail, 0, sizeof(ntrip_mail_t));

    for ( ;; ) {
        seq = __atomic_add_fetch(&test_shared->seq, 1, __ATOMIC_SEQ_CST);

        (void) test_write(&test_shared->ring, seq);

        mail.login = seq;
        mail.time = seq * 3;
        mail.len = sizeof(mail.gga);
        memset(mail.gga, seq % 251, sizeof(mail.gga));

        /* the only writer, hence whoever is in there is dead */

        (void) ntrip_mailbox_write(&test_shared->box, getpid(),
                                   ntrip_mailbox_writer(&test_shared->box),
                                   &mail);
    }
}


static void
test_reader(ngx_uint_t n)
{
    size_t          i;
    u_char          buf[1024];
    uint64_t        seq, last, pos, mail_seq;
    ngx_int_t       rc;
    ntrip_mail_t    mail;
    ntrip_record_t  rec;

    last = 0;
    mail_seq = 0;
    pos = ntrip_ring_head(&test_shared->ring);

    while (!__atomic_load_n(&test_shared->stop, __ATOMIC_ACQUIRE)) {
        rc = ntrip_ring_read(&test_shared->ring, &pos, &rec, buf,
                             sizeof(buf));

        if (rc == NGX_OK) {
            seq = test_check(&rec, buf);

            if (seq <= last) {
                test_shared->bad[n]++;
            }

            last = seq;
            test_shared->reads[n]++;

        } else if (rc == NGX_DECLINED) {
            test_shared->overruns[n]++;

        } else if (rc == NGX_BUSY) {
            test_shared->bad[n]++;
        }

        if (ntrip_mailbox_read(&test_shared->box, &mail_seq, &mail)
            != NGX_OK)
        {
            continue;
        }

        test_shared->mails[n]++;

        if (mail.time != mail.login * 3) {
            test_shared->bad[n]++;
        }

        for (i = 0; i < sizeof(mail.gga); i++) {
            if (mail.gga[i] != mail.login % 251) {
                test_shared->bad[n]++;
                break;
            }
        }
    }

    _exit(0);
}


static void
test_kills(void)
{
    pid_t       readers[TEST_READERS], pid;
    uint64_t    before;
    ngx_uint_t  i, k, still;

    ntrip_ring_init(&test_shared->ring, TEST_RING);
    ntrip_mailbox_init(&test_shared->box);

    for (i = 0; i < TEST_READERS; i++) {
        readers[i] = fork();

        if (readers[i] == 0) {
            test_reader(i);
        }
    }

    still = 0;

    for (k = 0; k < TEST_KILLS; k++) {
        before = __atomic_load_n(&test_shared->seq, __ATOMIC_ACQUIRE);

        pid = fork();

        if (pid == 0) {
            test_producer();
        }

        /* at least one record from each, then anywhere */

        while (__atomic_load_n(&test_shared->seq, __ATOMIC_ACQUIRE)
               < before + 2 + k * 7 % 1000)
        {
            usleep(50);
        }

        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }

    __atomic_store_n(&test_shared->stop, 1, __ATOMIC_RELEASE);

    for (i = 0; i < TEST_READERS; i++) {
        waitpid(readers[i], NULL, 0);

        printf("# reader %u: %llu records, %llu overruns, %llu mails\n",
               (unsigned) i, (unsigned long long) test_shared->reads[i],
               (unsigned long long) test_shared->overruns[i],
               (unsigned long long) test_shared->mails[i]);

        still += (test_shared->reads[i] == 0 || test_shared->mails[i] == 0);
        test_ok(test_shared->bad[i] == 0,
                "no torn record or mail, none out of order");
    }

    test_ok(still == 0, "every reader got records and mails");
}


static void
test_mailbox(void)
{
    uint64_t         seq;
    ntrip_mail_t     mail, got;
    ntrip_mailbox_t  box;

    ntrip_mailbox_init(&box);
    memset(&mail, 0, sizeof(ntrip_mail_t));
    seq = 0;

    test_ok(ntrip_mailbox_read(&box, &seq, &got) == NGX_AGAIN,
            "an empty mailbox has nothing");

    mail.login = 7;
    mail.point = ntrip_point(-123456789, 1799999999);

    test_ok(ntrip_mailbox_write(&box, 5, 0, &mail) == NGX_OK
            && ntrip_mailbox_read(&box, &seq, &got) == NGX_OK
            && got.login == 7
            && ntrip_point_lat(got.point) == -123456789
            && ntrip_point_lon(got.point) == 1799999999,
            "what was written is read");

    test_ok(ntrip_mailbox_read(&box, &seq, &got) == NGX_AGAIN, "once");

    box.writer = 9;

    test_ok(ntrip_mailbox_write(&box, 5, 0, &mail) == NGX_BUSY
            && ntrip_mailbox_write(&box, 5, 8, &mail) == NGX_BUSY,
            "a living writer is not disturbed");

    test_ok(ntrip_mailbox_write(&box, 5, 9, &mail) == NGX_OK
            && ntrip_mailbox_writer(&box) == 0,
            "a dead one's hold is broken");
}


int
main(void)
{
    size_t  size;

    setvbuf(stdout, NULL, _IONBF, 0);

    size = sizeof(test_shared_t) + ntrip_ring_memory(TEST_RING);

    test_shared = mmap(NULL, size, PROT_READ|PROT_WRITE,
                       MAP_ANON|MAP_SHARED, -1, 0);

    if (test_shared == MAP_FAILED) {
        perror("mmap");
        return 1;
    }

    test_alone(&test_shared->ring);
    test_mailbox();
    test_kills();

    printf("1..%u\n", (unsigned) test_n);

    return test_failed != 0;
}
