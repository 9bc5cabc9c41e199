
#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_mailbox.h"
#include "ntrip_words.h"


void
ntrip_mailbox_init(ntrip_mailbox_t *box)
{
    ngx_memzero(box, sizeof(ntrip_mailbox_t));
    box->cell[0].point = NTRIP_POINT_NONE;
    box->cell[1].point = NTRIP_POINT_NONE;
}


ngx_int_t
ntrip_mailbox_write(ntrip_mailbox_t *box, uint64_t me, uint64_t stale,
    const ntrip_mail_t *mail)
{
    uint64_t  seq, expected;

    expected = 0;

    if (!__atomic_compare_exchange_n(&box->writer, &expected, me, 0,
                                     __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
    {
        if (stale == 0 || expected != stale
            || !__atomic_compare_exchange_n(&box->writer, &expected, me, 0,
                                            __ATOMIC_ACQ_REL,
                                            __ATOMIC_ACQUIRE))
        {
            return NGX_BUSY;
        }
    }

    seq = __atomic_load_n(&box->seq, __ATOMIC_ACQUIRE) + 1;

    /* a reader still in this cell must see "seq" moved: it was, last time */

    __atomic_thread_fence(__ATOMIC_SEQ_CST);

    ntrip_words_store(&box->cell[seq & 1], mail, sizeof(ntrip_mail_t));

    __atomic_store_n(&box->seq, seq, __ATOMIC_RELEASE);
    __atomic_store_n(&box->writer, 0, __ATOMIC_RELEASE);

    return NGX_OK;
}


uint64_t
ntrip_mailbox_writer(ntrip_mailbox_t *box)
{
    return __atomic_load_n(&box->writer, __ATOMIC_ACQUIRE);
}


ngx_int_t
ntrip_mailbox_read(ntrip_mailbox_t *box, uint64_t *seq, ntrip_mail_t *mail)
{
    uint64_t    s;
    ngx_uint_t  n;

    for (n = 0; n < NTRIP_MAILBOX_TRIES; n++) {
        s = __atomic_load_n(&box->seq, __ATOMIC_ACQUIRE);

        if (s == 0 || s == *seq) {
            return NGX_AGAIN;
        }

        ntrip_words_load(mail, &box->cell[s & 1], sizeof(ntrip_mail_t));

        __atomic_thread_fence(__ATOMIC_SEQ_CST);

        if (__atomic_load_n(&box->seq, __ATOMIC_ACQUIRE) == s) {
            *seq = s;
            return NGX_OK;
        }
    }

    return NGX_BUSY;
}
