
/*
 * sources: ntrip_gga_form.c ntrip_gga.c ntrip_text.c
 * libs: -lm
 *
 * The first byte says in which form, the second how coarse, the rest is a
 * sentence.  What goes upstream is a sentence with a right checksum, and the
 * position that it is to have.
 */


#include "fuzz.h"
#include "ntrip_gga_form.h"

#include <math.h>


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t        i;
    u_char        buf[NTRIP_GGA_LINE_MAX], made[NTRIP_GGA_FORM_MAX];
    ngx_str_t     s, line;
    ngx_uint_t    form, round;
    ntrip_gga_t   gga, again;
    ntrip_out_t   out;

    if (size < 2 || size - 2 > NTRIP_GGA_MAX) {
        return 0;
    }

    /* without line ends, as the splitter gives it */

    for (i = 2; i < size; i++) {
        if (data[i] < 0x20 || data[i] > 0x7e) {
            return 0;
        }
    }

    form = data[0] % 2;
    round = data[1] * 40;

    s = fuzz_copy(data + 2, size - 2);

    if (ntrip_gga_parse(&gga, &s) == NGX_OK) {
        ntrip_out_init(&out, buf, sizeof(buf));
        ntrip_gga_line(&out, &s);
        test(!out.overflow);

        line.data = buf;
        line.len = out.last - buf;

        ntrip_gga_round(&gga, round);
        test(gga.latitude >= -90 && gga.latitude <= 90);
        test(gga.longitude >= -180 && gga.longitude <= 180);

        ntrip_out_init(&out, made, sizeof(made));
        ntrip_gga_form(&out, &line, &gga, round != 0, form);
        test(!out.overflow);

        line.data = made;
        line.len = out.last - made;

        test(memcmp(line.data + line.len - 2, CRLF, 2) == 0);
        test(form == NTRIP_GGA_AS_IS || memcmp(line.data, "$GPGGA,", 7) == 0);
        test(ntrip_gga_parse(&again, &line) == NGX_OK);
        test(fabs(again.latitude - gga.latitude) < 1e-6);
        test(fabs(again.longitude - gga.longitude) < 1e-6
             || fabs(again.longitude - gga.longitude) > 360 - 1e-6);
    }

    free(s.data);

    return 0;
}
