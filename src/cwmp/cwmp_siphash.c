
/*
 * Fieldgate: SipHash-2-4 with 128 bits of output.
 */


#include "cwmp_siphash.h"


#define cwmp_siphash_rotate(x, n)  (((x) << (n)) | ((x) >> (64 - (n))))


static uint64_t cwmp_siphash_read(const u_char *p);
static void cwmp_siphash_write(u_char *p, uint64_t word);
static void cwmp_siphash_rounds(cwmp_siphash_t *sip, ngx_uint_t n);
static void cwmp_siphash_word(cwmp_siphash_t *sip, uint64_t word);


void
cwmp_siphash_init(cwmp_siphash_t *sip, const u_char *key)
{
    uint64_t  k0, k1;

    k0 = cwmp_siphash_read(key);
    k1 = cwmp_siphash_read(key + 8);

    sip->v[0] = k0 ^ 0x736f6d6570736575;
    sip->v[1] = k1 ^ 0x646f72616e646f6d ^ 0xee;     /* 128 bits of output */
    sip->v[2] = k0 ^ 0x6c7967656e657261;
    sip->v[3] = k1 ^ 0x7465646279746573;

    sip->word = 0;
    sip->len = 0;
}


void
cwmp_siphash_update(cwmp_siphash_t *sip, const u_char *data, size_t len)
{
    uint64_t       word;
    ngx_uint_t     shift;
    const u_char  *last;

    last = data + len;

    /* what does not fill a word yet keeps its length in this loop */

    shift = sip->len % 8 * 8;

    while (last - data >= 8) {
        word = cwmp_siphash_read(data);
        cwmp_siphash_word(sip, sip->word | word << shift);
        sip->word = shift ? word >> (64 - shift) : 0;

        data += 8;
        sip->len += 8;
    }

    while (data < last) {
        sip->word |= (uint64_t) *data++ << (sip->len++ % 8 * 8);

        if (sip->len % 8 == 0) {
            cwmp_siphash_word(sip, sip->word);
            sip->word = 0;
        }
    }
}


void
cwmp_siphash_final(cwmp_siphash_t *sip, u_char *hash)
{
    uint64_t  *v;

    v = sip->v;

    cwmp_siphash_word(sip, sip->word | (uint64_t) sip->len << 56);

    v[2] ^= 0xee;
    cwmp_siphash_rounds(sip, 4);
    cwmp_siphash_write(hash, v[0] ^ v[1] ^ v[2] ^ v[3]);

    v[1] ^= 0xdd;
    cwmp_siphash_rounds(sip, 4);
    cwmp_siphash_write(hash + 8, v[0] ^ v[1] ^ v[2] ^ v[3]);
}


static uint64_t
cwmp_siphash_read(const u_char *p)
{
    return (uint64_t) p[0] | (uint64_t) p[1] << 8
           | (uint64_t) p[2] << 16 | (uint64_t) p[3] << 24
           | (uint64_t) p[4] << 32 | (uint64_t) p[5] << 40
           | (uint64_t) p[6] << 48 | (uint64_t) p[7] << 56;
}


static void
cwmp_siphash_write(u_char *p, uint64_t word)
{
    ngx_uint_t  i;

    for (i = 0; i < 8; i++) {
        p[i] = word >> (i * 8);
    }
}


static void
cwmp_siphash_rounds(cwmp_siphash_t *sip, ngx_uint_t n)
{
    uint64_t  v0, v1, v2, v3;

    v0 = sip->v[0];
    v1 = sip->v[1];
    v2 = sip->v[2];
    v3 = sip->v[3];

    while (n--) {
        v0 += v1;
        v1 = cwmp_siphash_rotate(v1, 13) ^ v0;
        v0 = cwmp_siphash_rotate(v0, 32);
        v2 += v3;
        v3 = cwmp_siphash_rotate(v3, 16) ^ v2;
        v0 += v3;
        v3 = cwmp_siphash_rotate(v3, 21) ^ v0;
        v2 += v1;
        v1 = cwmp_siphash_rotate(v1, 17) ^ v2;
        v2 = cwmp_siphash_rotate(v2, 32);
    }

    sip->v[0] = v0;
    sip->v[1] = v1;
    sip->v[2] = v2;
    sip->v[3] = v3;
}


static void
cwmp_siphash_word(cwmp_siphash_t *sip, uint64_t word)
{
    sip->v[3] ^= word;
    cwmp_siphash_rounds(sip, 2);
    sip->v[0] ^= word;
}
