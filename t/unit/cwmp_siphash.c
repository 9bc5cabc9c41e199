
/*
 * Fieldgate: SipHash-2-4-128 against the authors' test vectors: key and input
 * are the bytes 0, 1, 2...
 *
 * sources: src/cwmp/cwmp_siphash.c
 */


#include "tap.h"

#include "cwmp_siphash.h"


static struct {
    size_t       len;
    const char  *hash;
} vectors[] = {
    {  0, "a3817f04ba25a8e66df67214c7550293" },
    {  1, "da87c1d86b99af44347659119b22fc45" },
    {  7, "a1f1ebbed8dbc153c0b84aa61ff08239" },
    {  8, "3b62a9ba6258f5610f83e264f31497b4" },
    { 15, "5493e99933b0a8117e08ec0f97cfc3d9" },
    { 16, "6ee2a4ca67b054bbfd3315bf85230577" },
    { 63, "5150d1772f50834a503e069a973fbd7c" }
};


/* the input in two pieces */

static const char *
hash(u_char *data, size_t len, size_t split)
{
    size_t           i;
    u_char           key[CWMP_SIPHASH_KEY_LEN], out[CWMP_SIPHASH_LEN];
    static char      text[2 * CWMP_SIPHASH_LEN + 1];
    cwmp_siphash_t   sip;

    for (i = 0; i < sizeof(key); i++) {
        key[i] = i;
    }

    cwmp_siphash_init(&sip, key);
    cwmp_siphash_update(&sip, data, split);
    cwmp_siphash_update(&sip, data + split, len - split);
    cwmp_siphash_final(&sip, out);

    for (i = 0; i < sizeof(out); i++) {
        sprintf(text + 2 * i, "%02x", out[i]);
    }

    return text;
}


int
main(void)
{
    size_t      i, n, split;
    char        data[64];
    ngx_str_t   input;
    ngx_uint_t  bad;

    for (i = 0; i < sizeof(data); i++) {
        data[i] = i;
    }

    for (n = 0; n < sizeof(vectors) / sizeof(vectors[0]); n++) {
        input = tap_copy(data, vectors[n].len);
        bad = 0;

        for (split = 0; split <= input.len; split++) {
            bad += strcmp(hash(input.data, input.len, split),
                          vectors[n].hash) != 0;
        }

        tap_ok(bad == 0, "%d bytes, split anywhere", (int) input.len);
        free(input.data);
    }

    return tap_done();
}
