
/*
 * sources: ntrip_area.c ntrip_text.c
 *
 * Any text is an area, none, or one that nobody is within.
 */


#include "fuzz.h"
#include "ntrip_area.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t        blanks;
    ngx_str_t     text;
    ntrip_area_t  area;

    text = fuzz_copy(data, size);

    ntrip_area_parse(&area, &text);

    /* nothing but blanks is none, as if there were no text */

    for (blanks = 0; blanks < size; blanks++) {
        if (data[blanks] != ' ' && data[blanks] != '\t') {
            break;
        }
    }

    test(blanks < size || area.kind == NTRIP_AREA_ANYWHERE);

    if (area.kind == NTRIP_AREA_CIRCLE) {
        test(area.latitude >= -900000000 && area.latitude <= 900000000);
        test(area.longitude >= -1800000000 && area.longitude <= 1800000000);

    }

    free(text.data);

    return 0;
}
