
/*
 * Copies to and from shared memory that somebody else may read or write at
 * the same time, and which the caller throws away when it was so: word by
 * word, each of them an atomic access, so that neither the compiler nor the
 * language takes it for a mistake (t/unit/ntrip_threads.c, under the thread
 * sanitizer).  Order is the caller's matter: fences and the word that is
 * written last.
 *
 * "shared" is aligned to 8 bytes, the other side need not be.
 */


#ifndef _NTRIP_WORDS_H_INCLUDED_
#define _NTRIP_WORDS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef uint64_t __attribute__((may_alias))  ntrip_word_t;


static ngx_inline void
ntrip_words_store(void *shared, const void *src, size_t len)
{
    u_char        *byte;
    uint64_t       value;
    const u_char  *p;
    ntrip_word_t  *word;

    p = src;
    word = shared;

    for ( /* void */ ; len >= sizeof(value); len -= sizeof(value)) {
        ngx_memcpy(&value, p, sizeof(value));
        __atomic_store_n(word++, value, __ATOMIC_RELAXED);
        p += sizeof(value);
    }

    for (byte = (u_char *) word; len; len--) {
        __atomic_store_n(byte++, *p++, __ATOMIC_RELAXED);
    }
}


static ngx_inline void
ntrip_words_load(void *dst, const void *shared, size_t len)
{
    u_char              *p;
    uint64_t             value;
    const u_char        *byte;
    const ntrip_word_t  *word;

    p = dst;
    word = shared;

    for ( /* void */ ; len >= sizeof(value); len -= sizeof(value)) {
        value = __atomic_load_n(word++, __ATOMIC_RELAXED);
        ngx_memcpy(p, &value, sizeof(value));
        p += sizeof(value);
    }

    for (byte = (const u_char *) word; len; len--) {
        *p++ = __atomic_load_n(byte++, __ATOMIC_RELAXED);
    }
}


#endif /* _NTRIP_WORDS_H_INCLUDED_ */
