
/*
 * Fieldgate: hashes that nobody outside can foresee.
 */


#include "cwmp_hash.h"


#define cwmp_hash_rotate(x, n)  (((x) << (n)) | ((x) >> (64 - (n))))


static uint64_t cwmp_hash_load(const u_char *p);
static void cwmp_hash_store(u_char *p, uint64_t word);
static void cwmp_hash_word(cwmp_hash_t *h, uint64_t word);
static void cwmp_hash_rounds(uint64_t *v, ngx_uint_t n);


void
cwmp_hash_init(cwmp_hash_t *h, const u_char *key)
{
    uint64_t  k0, k1;

    k0 = cwmp_hash_load(key);
    k1 = cwmp_hash_load(key + 8);

    h->v[0] = k0 ^ 0x736f6d6570736575ULL;
    h->v[1] = k1 ^ 0x646f72616e646f6dULL ^ 0xee;
    h->v[2] = k0 ^ 0x6c7967656e657261ULL;
    h->v[3] = k1 ^ 0x7465646279746573ULL;

    h->word = 0;
    h->len = 0;
}


void
cwmp_hash_update(cwmp_hash_t *h, const u_char *p, size_t len)
{
    const u_char  *last;

    last = p + len;

    while (h->len % 8 && p < last) {
        h->word |= (uint64_t) *p++ << (h->len++ % 8 * 8);

        if (h->len % 8 == 0) {
            cwmp_hash_word(h, h->word);
            h->word = 0;
        }
    }

    while (last - p >= 8) {
        cwmp_hash_word(h, cwmp_hash_load(p));
        h->len += 8;
        p += 8;
    }

    while (p < last) {
        h->word |= (uint64_t) *p++ << (h->len++ % 8 * 8);
    }
}


void
cwmp_hash_final(cwmp_hash_t *h, u_char *hash)
{
    uint64_t  *v;

    v = h->v;

    cwmp_hash_word(h, h->word | ((uint64_t) h->len << 56));

    v[2] ^= 0xee;
    cwmp_hash_rounds(v, 4);
    cwmp_hash_store(hash, v[0] ^ v[1] ^ v[2] ^ v[3]);

    v[1] ^= 0xdd;
    cwmp_hash_rounds(v, 4);
    cwmp_hash_store(hash + 8, v[0] ^ v[1] ^ v[2] ^ v[3]);
}


static uint64_t
cwmp_hash_load(const u_char *p)
{
    return (uint64_t) p[0] | (uint64_t) p[1] << 8 | (uint64_t) p[2] << 16
           | (uint64_t) p[3] << 24 | (uint64_t) p[4] << 32
           | (uint64_t) p[5] << 40 | (uint64_t) p[6] << 48
           | (uint64_t) p[7] << 56;
}


static void
cwmp_hash_store(u_char *p, uint64_t word)
{
    ngx_uint_t  i;

    for (i = 0; i < 8; i++) {
        p[i] = (u_char) (word >> (i * 8));
    }
}


static void
cwmp_hash_word(cwmp_hash_t *h, uint64_t word)
{
    h->v[3] ^= word;
    cwmp_hash_rounds(h->v, 2);
    h->v[0] ^= word;
}


static void
cwmp_hash_rounds(uint64_t *v, ngx_uint_t n)
{
    uint64_t  v0, v1, v2, v3;

    v0 = v[0];
    v1 = v[1];
    v2 = v[2];
    v3 = v[3];

    for ( /* void */ ; n; n--) {
        v0 += v1;
        v1 = cwmp_hash_rotate(v1, 13) ^ v0;
        v0 = cwmp_hash_rotate(v0, 32);

        v2 += v3;
        v3 = cwmp_hash_rotate(v3, 16) ^ v2;

        v0 += v3;
        v3 = cwmp_hash_rotate(v3, 21) ^ v0;

        v2 += v1;
        v1 = cwmp_hash_rotate(v1, 17) ^ v2;
        v2 = cwmp_hash_rotate(v2, 32);
    }

    v[0] = v0;
    v[1] = v1;
    v[2] = v2;
    v[3] = v3;
}
