
/*
 * What is remembered of devices; and looking at rows without using them.
 *
 * sources: cwmp_device.c cwmp_facts.c cwmp_rows.c cwmp_table.c
 */


#include "tap.h"
#include "cwmp_device.h"


#define TEST_ROWS  4


static u_char         test_memory[8192] __attribute__((aligned(8)));
static cwmp_table_t  *test_table;


static u_char *
test_key(u_char n)
{
    static u_char  key[CWMP_TABLE_KEY_LEN];

    ngx_memset(key, n, CWMP_TABLE_KEY_LEN);

    return key;
}


static void
test_inform(u_char n, ngx_msec_t now, int64_t time, const char *origin)
{
    u_char        url[CWMP_TABLE_KEY_LEN];
    ngx_str_t     text;
    cwmp_facts_t  facts;

    ngx_memzero(&facts, sizeof(cwmp_facts_t));
    facts.len[CWMP_FACT_OUI] = n;
    ngx_memset(url, n, sizeof(url));

    text.data = (u_char *) origin;
    text.len = origin ? strlen(origin) : 0;

    (void) cwmp_table_begin(test_table);
    cwmp_device_row_set(test_table, test_key(n), now, time, &facts,
                        origin ? &text : NULL, url);
    cwmp_table_end(test_table);
}


static cwmp_device_row_t *
test_row(u_char n, ngx_msec_t now)
{
    return cwmp_table_peek(test_table, test_key(n), now);
}


static void
test_devices(void)
{
    size_t              i;
    ngx_uint_t          n;
    cwmp_device_row_t  *row;
    char                origin[CWMP_DEVICE_ORIGIN + 9];

    test_table = cwmp_table_create(test_memory,
                                   cwmp_table_size(TEST_ROWS,
                                                   sizeof(cwmp_device_row_t)),
                                   sizeof(cwmp_device_row_t));

    test_inform(1, 1000, 77, "10.0.0.1:7547");
    row = test_row(1, 1000);
    tap_ok(row && row->informed == 77 && row->informs == 1
           && row->origin_len == 13 && row->facts.len[CWMP_FACT_OUI] == 1,
           "a device");

    test_inform(1, 2000, 88, NULL);
    row = test_row(1, 2000);
    tap_ok(row && row->informed == 88 && row->informs == 2
           && row->origin_len == 13,
           "comes again, without an origin: it keeps its own");

    for (i = 0; i < sizeof(origin) - 1; i++) {
        origin[i] = 'x';
    }

    origin[i] = '\0';

    test_inform(1, 3000, 99, origin);
    row = test_row(1, 3000);
    tap_ok(row && row->origin_len == CWMP_DEVICE_ORIGIN, "a long one is cut");

    tap_ok(test_row(1, 3000 + CWMP_DEVICE_TTL - 1) != NULL, "a week later");
    tap_ok(test_row(1, 3000 + CWMP_DEVICE_TTL) == NULL, "it is forgotten");

    for (i = 2; i <= TEST_ROWS; i++) {
        test_inform(i, 4000, i, "a:1");
    }

    /* looked at, which is no use of it */

    tap_ok(test_row(1, 5000) != NULL, "full");

    for (i = n = 0; i < cwmp_table_capacity(test_table); i++) {
        row = cwmp_table_at(test_table, i, 5000);

        if (row && row->facts.len[CWMP_FACT_OUI] == cwmp_table_key(row)[0]) {
            n++;
        }
    }

    tap_ok(n == TEST_ROWS, "all rows, by their places");
    tap_ok(cwmp_table_at(test_table, i, 5000) == NULL, "behind the last");

    test_inform(TEST_ROWS + 1, 6000, 1, "a:1");
    tap_ok(test_row(1, 6000) == NULL && test_row(TEST_ROWS + 1, 6000) != NULL,
           "the one that has been silent for longest makes room");
    tap_ok(cwmp_table_check(test_table) == NGX_OK, "in order");
}


static void
test_woken(void)
{
    cwmp_woken_row_t  woken, *row;

    test_table = cwmp_table_create(test_memory,
                                   cwmp_table_size(TEST_ROWS,
                                                   sizeof(cwmp_woken_row_t)),
                                   sizeof(cwmp_woken_row_t));

    woken.time = 5;
    woken.result = 3;
    woken.took = 250;

    (void) cwmp_table_begin(test_table);
    cwmp_woken_row_set(test_table, test_key(1), 1000, &woken);
    woken.result = 4;
    cwmp_woken_row_set(test_table, test_key(1), 1000, &woken);
    cwmp_table_end(test_table);

    row = cwmp_table_peek(test_table, test_key(1), 1000);
    tap_ok(row && row->time == 5 && row->result == 4 && row->took == 250,
           "the last wake-up");
    tap_ok(cwmp_table_used(test_table) == 1, "one row");
}


int
main(void)
{
    test_devices();
    test_woken();

    return tap_done();
}
