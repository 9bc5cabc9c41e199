
/*
 * sources: cwmp_facts.c cwmp_rows.c cwmp_table.c
 */


#include "tap.h"
#include "cwmp_facts.h"


static ngx_uint_t
test_alive(uint32_t holder)
{
    return holder != 0;
}


static void
test_set(ngx_str_t *facts, const char *oui, const char *class,
    const char *serial, const char *events)
{
    ngx_uint_t   i;
    const char  *text[] = { oui, class, serial, events };

    for (i = 0; i < CWMP_FACTS; i++) {
        facts[i].data = (u_char *) text[i];
        facts[i].len = strlen(text[i]);
    }
}


static ngx_uint_t
test_is(ngx_str_t *s, const char *text)
{
    return s->len == strlen(text) && memcmp(s->data, text, s->len) == 0;
}


static void
test_pack(void)
{
    char           serial[CWMP_FACTS_SIZE + 1], events[301];
    ngx_str_t      in[CWMP_FACTS], out[CWMP_FACTS];
    ngx_uint_t     n, torn, short_of;
    cwmp_facts_t   f;

    test_set(in, "00D09E", "Box", "S1", "0 BOOTSTRAP,1 BOOT");
    tap_ok(cwmp_facts_pack(&f, in) == NGX_OK && cwmp_facts_known(&f),
           "packed");
    cwmp_facts_unpack(&f, out);
    tap_ok(test_is(&out[0], "00D09E") && test_is(&out[1], "Box")
           && test_is(&out[2], "S1") && test_is(&out[3], "0 BOOTSTRAP,1 BOOT"),
           "and unpacked");

    test_set(in, "", "", "", "");
    (void) cwmp_facts_pack(&f, in);
    tap_ok(!cwmp_facts_known(&f), "of an Inform that says nothing");

    /* any length of the serial, and events that have to be cut */

    for (n = 0; n < 300; n++) {
        events[n] = "1 BOOT,"[n % 7];
    }

    events[300] = '\0';
    torn = short_of = 0;

    for (n = 1; n <= CWMP_FACTS_SIZE; n++) {
        memset(serial, 's', n);
        serial[n] = '\0';

        test_set(in, "", "", serial, events);

        if (cwmp_facts_pack(&f, in) != NGX_OK) {
            torn++;
        }

        cwmp_facts_unpack(&f, out);

        torn += !test_is(&out[2], serial);
        torn += (out[3].len && (out[3].len + 1) % 7 != 0);
        torn += (memcmp(out[3].data, events, out[3].len) != 0);
        short_of += (n + out[3].len + 7 <= CWMP_FACTS_SIZE);
    }

    tap_ok(torn == 0, "events are cut between two codes");
    tap_ok(short_of == 0, "and only those that do not fit");

    test_set(in, "00D09E", "", serial, "1 BOOT");
    tap_ok(cwmp_facts_pack(&f, in) == NGX_DECLINED && !cwmp_facts_known(&f),
           "a device id that is too long");
}


static void
test_rows(void)
{
    size_t         size;
    u_char         a[CWMP_TABLE_KEY_LEN] = "a", b[CWMP_TABLE_KEY_LEN] = "b";
    ngx_str_t      in[CWMP_FACTS];
    cwmp_hold_t    h;
    cwmp_facts_t   one, two, f;
    cwmp_table_t  *t;
    cwmp_holder_t  other = { 7, 2 };

    size = cwmp_table_size(8, sizeof(cwmp_facts_row_t));
    t = cwmp_table_create(malloc(size), size, sizeof(cwmp_facts_row_t));

    test_set(in, "1", "", "1", "");
    (void) cwmp_facts_pack(&one, in);
    test_set(in, "2", "", "2", "");
    (void) cwmp_facts_pack(&two, in);

    memset(&h, 0, sizeof(h));
    h.me.process = 7;
    h.me.client = 1;
    h.expires = 100;
    h.alive = test_alive;

    (void) cwmp_table_begin(t);

    tap_ok(cwmp_facts_row_get(t, a, 0, &f) == NGX_DECLINED, "no row");

    cwmp_facts_row_set(t, a, &one, &h);
    tap_ok(cwmp_facts_row_get(t, a, 0, &f) == NGX_OK
           && memcmp(&f, &one, sizeof(f)) == 0
           && cwmp_facts_row_get(t, b, 0, &f) == NGX_DECLINED,
           "a row, of one session");

    h.now = 50;
    h.expires = 150;
    cwmp_facts_row_set(t, a, &two, &h);
    tap_ok(cwmp_facts_row_get(t, a, 149, &f) == NGX_OK
           && memcmp(&f, &two, sizeof(f)) == 0, "its next Inform");

    cwmp_row_release(t, a, &other, 60, 1);
    tap_ok(cwmp_facts_row_get(t, a, 60, &f) == NGX_OK, "not another's to end");
    cwmp_row_release(t, a, &h.me, 60, 0);
    cwmp_row_release(t, a, &h.me, 60, 1);
    tap_ok(cwmp_facts_row_get(t, a, 60, &f) == NGX_OK,
           "nor its own, when it has let go");
    tap_ok(cwmp_facts_row_get(t, a, 150, &f) == NGX_DECLINED, "until its time");

    cwmp_facts_row_set(t, a, &one, &h);
    cwmp_row_release(t, a, &h.me, 60, 1);
    tap_ok(cwmp_facts_row_get(t, a, 60, &f) == NGX_DECLINED, "its end");

    cwmp_table_end(t);
    free(t);
}


int
main(void)
{
    test_pack();
    test_rows();

    return tap_done();
}
