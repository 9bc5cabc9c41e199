
/*
 * sources: cwmp_table.c
 *
 * The input is a list of operations on a table, which is compared with a plain
 * array: what it holds, and that it never loses a row but the least recently
 * used one that nobody holds.  One operation is the death of the process in
 * the middle of a change.
 */


#include "fuzz.h"

#include "cwmp_table.h"


#define ROWS  6
#define KEYS  16


typedef struct {
    int         used;
    int         held;
    uint64_t    order;
    ngx_msec_t  expires;
    uint32_t    value;
} model_t;


static model_t       model[KEYS];
static uint64_t      clock_now;
static ngx_msec_t    now;


static u_char *
key(int n)
{
    static u_char  k[CWMP_TABLE_KEY_LEN];

    /* few buckets, so that chains are long */

    memset(k, 0, sizeof(k));
    k[0] = n & 1;
    k[15] = n;

    return k;
}


static ngx_uint_t
alive(uint32_t holder)
{
    return holder != 9;
}


static int
gone(int n)
{
    return (ngx_msec_int_t) (model[n].expires - now) <= 0;
}


static int
count(void)
{
    int  i, n;

    for (i = 0, n = 0; i < KEYS; i++) {
        n += model[i].used;
    }

    return n;
}


/* the one that has to make room; -1: all are held */

static int
victim(void)
{
    int  i, best;

    best = -1;

    for (i = 0; i < KEYS; i++) {
        if (model[i].used
            && (!model[i].held || model[i].held == 9 || gone(i))
            && (best == -1 || model[i].order < model[best].order))
        {
            best = i;
        }
    }

    return best;
}


static uint32_t *
get(cwmp_table_t *t, int n)
{
    uint32_t  *p;

    p = cwmp_table_get(t, key(n), now);

    if (model[n].used && gone(n)) {
        model[n].used = 0;
    }

    test((p != NULL) == model[n].used);

    if (p) {
        test(*p == model[n].value);
        test(cwmp_table_holder(t, p) == (uint32_t) model[n].held);
        model[n].order = ++clock_now;
    }

    return p;
}


static void
insert(cwmp_table_t *t, int n, ngx_msec_t life)
{
    int        v;
    uint32_t  *p;

    if (count() == ROWS) {
        v = victim();
        p = cwmp_table_insert(t, key(n), now, now + life, alive);

        if (v == -1) {
            test(p == NULL);
            return;
        }

        model[v].used = 0;

    } else {
        p = cwmp_table_insert(t, key(n), now, now + life, alive);
    }

    test(p != NULL && *p == 0);
    *p = ++model[n].value;

    model[n].used = 1;
    model[n].held = 0;
    model[n].expires = now + life;
    model[n].order = ++clock_now;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int              n, open;
    size_t           i, len;
    uint32_t        *p;
    cwmp_table_t    *t;
    static uint64_t  mem[512];

    memset(model, 0, sizeof(model));
    clock_now = 0;
    now = (ngx_msec_t) -200;

    len = cwmp_table_size(ROWS, sizeof(uint32_t));
    test(len <= sizeof(mem));
    t = cwmp_table_create(mem, len, sizeof(uint32_t));
    test(cwmp_table_capacity(t) == ROWS);
    test(cwmp_table_begin(t) == NGX_OK);

    open = -1;

    for (i = 0; i + 1 < size; i += 2) {
        n = data[i + 1] % KEYS;
        p = get(t, n);

        switch (data[i] % 8) {

        case 0:
        case 1:
            if (p == NULL) {
                insert(t, n, 1 + data[i] / 8 * 4);

                if (model[n].used && model[n].order == clock_now) {
                    open = n;
                }
            }
            break;

        case 2:
            if (p) {
                cwmp_table_open(t, p);
                *p = ++model[n].value;
                open = n;
            }
            break;

        case 3:
            if (p) {
                cwmp_table_delete(t, p);
                model[n].used = 0;
                open = (open == n) ? -1 : open;
            }
            break;

        case 4:
            if (p) {
                model[n].expires = now + data[i] / 8;
                cwmp_table_touch(t, p, model[n].expires);
            }
            break;

        case 5:
            if (p) {
                model[n].held = data[i] / 8 % 12;
                cwmp_table_hold(t, p, model[n].held);
            }
            break;

        case 6:
            now += data[i + 1] / KEYS;
            cwmp_table_end(t);
            test(cwmp_table_begin(t) == NGX_OK);
            open = -1;
            break;

        default:

            /* killed: the row that was open goes, all else stays */

            test(cwmp_table_begin(t) == NGX_DECLINED);

            if (open != -1) {
                model[open].used = 0;
                open = -1;
            }
            break;
        }

        test(cwmp_table_check(t) == NGX_OK);
        test(cwmp_table_used(t) == (ngx_uint_t) count());
    }

    return 0;
}
