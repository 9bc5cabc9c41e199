
/*
 * Sessions: the list of those that somebody waits for, while another holds
 * them.
 *
 * sources: cwmp_rows.c cwmp_table.c
 */


#include "tap.h"

#include "cwmp_zone.h"


static cwmp_wanted_t  list[CWMP_WANTED_MAX];


static void
test_list(void)
{
    u_char          key[CWMP_TABLE_KEY_LEN];
    ngx_uint_t      i, from, n;
    cwmp_holder_t   holder;
    cwmp_wanted_t   wanted;

    ngx_memzero(key, sizeof(key));

    for (i = 0; i < CWMP_WANTED_MAX; i++) {
        key[0] = i;
        key[1] = i >> 8;
        holder.process = 1 + i % 2;
        holder.client = 1000 + i;
        (void) cwmp_want(list, &holder, key, 0);
    }

    key[0] = key[1] = 0;
    holder.process = 1;
    tap_ok(cwmp_want(list, &holder, key, CWMP_WANTED_TIME - 1)
           == NGX_DECLINED, "the list is full");

    holder.client = 1000;
    tap_ok(cwmp_want(list, &holder, key, 1) == NGX_OK,
           "but has that one already");

    for (from = 0, n = 0;
         cwmp_wanted_take(list, 2, &from, &wanted) == NGX_OK;
         n++)
    {
        if (wanted.key[0] % 2 != 1 || wanted.holder.process != 2
            || wanted.holder.client != 1000u + wanted.key[0])
        {
            break;
        }
    }

    tap_ok(n == CWMP_WANTED_MAX / 2, "each takes its own, by client");
    tap_ok(cwmp_want(list, &holder, key, 1) == NGX_OK,
           "there is place again");

    holder.process = 3;

    for (i = 0; i < CWMP_WANTED_MAX; i++) {
        key[0] = i;
        key[2] = 2;
        n = cwmp_want(list, &holder, key, 2 + CWMP_WANTED_TIME);
        if (n != NGX_OK) {
            break;
        }
    }

    tap_ok(i == CWMP_WANTED_MAX, "what nobody takes is forgotten");
}


int
main(void)
{
    test_list();

    return tap_done();
}
