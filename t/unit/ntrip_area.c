
/*
 * sources: ntrip_area.c ntrip_text.c
 * libs: -lm
 */


#include "tap.h"
#include "ntrip_area.h"


typedef struct {
    const char   *text;
    ngx_uint_t    kind;
    int           latitude;
    int           longitude;
    int           metres;
} test_t;


static const test_t  tests[] = {
    { "", NTRIP_AREA_ANYWHERE, 0, 0, 0 },
    { "  ", NTRIP_AREA_ANYWHERE, 0, 0, 0 },
    { "48.1,11.6,30", NTRIP_AREA_CIRCLE, 481000000, 116000000, 30000 },
    { " 48.1 , 11.6 , 30 ", NTRIP_AREA_CIRCLE, 481000000, 116000000, 30000 },
    { "-33.86,-70.5,0.5", NTRIP_AREA_CIRCLE, -338600000, -705000000, 500 },
    { "90,180,20038", NTRIP_AREA_CIRCLE, 900000000, 1800000000, 20038000 },
    { "+1,.5,1.", NTRIP_AREA_CIRCLE, 10000000, 5000000, 1000 },

    { "48.1,11.6", NTRIP_AREA_NOWHERE, 0, 0, 0 },
    { "48.1,11.6,", NTRIP_AREA_NOWHERE, 0, 0, 0 },
    { "48.1,11.6,30,", NTRIP_AREA_NOWHERE, 0, 0, 0 },
    { "48.1,11.6,30,1", NTRIP_AREA_NOWHERE, 0, 0, 0 },
    { "48.1,11.6,30km", NTRIP_AREA_NOWHERE, 0, 0, 0 },
    { "48.1;11.6;30", NTRIP_AREA_NOWHERE, 0, 0, 0 },
    { "48,1,11,6,30", NTRIP_AREA_NOWHERE, 0, 0, 0 },
    { "90.1,0,1", NTRIP_AREA_NOWHERE, 0, 0, 0 },
    { "0,180.1,1", NTRIP_AREA_NOWHERE, 0, 0, 0 },
    { "0,0,0", NTRIP_AREA_NOWHERE, 0, 0, 0 },
    { "0,0,-1", NTRIP_AREA_NOWHERE, 0, 0, 0 },
    { "0,0,20039", NTRIP_AREA_NOWHERE, 0, 0, 0 },
    { "0,0,nan", NTRIP_AREA_NOWHERE, 0, 0, 0 },
    { "0,0,1e3", NTRIP_AREA_NOWHERE, 0, 0, 0 },
    { ",,", NTRIP_AREA_NOWHERE, 0, 0, 0 },
    { "Munich", NTRIP_AREA_NOWHERE, 0, 0, 0 },
    { "-,0,1", NTRIP_AREA_NOWHERE, 0, 0, 0 },
    { "0,.,1", NTRIP_AREA_NOWHERE, 0, 0, 0 },
    { "0,1.1.1,1", NTRIP_AREA_NOWHERE, 0, 0, 0 }
};


int
main(void)
{
    ngx_str_t      text;
    ngx_uint_t     i;
    ntrip_area_t   area;
    const test_t  *t;

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        t = &tests[i];

        text.data = (u_char *) t->text;
        text.len = strlen(t->text);

        ntrip_area_parse(&area, &text);

        tap_ok(area.kind == t->kind
               && area.latitude == t->latitude
               && area.longitude == t->longitude
               && area.metres == (uint32_t) t->metres, "\"%s\"", t->text);
    }

    return tap_done();
}
