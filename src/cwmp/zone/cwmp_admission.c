
/*
 * Fieldgate: how many sessions may begin at an upstream.
 */


#include "cwmp_admission.h"


#define CWMP_ADMISSION_ONE      1000000   /* a session in the bucket */

/* of those that go first: seconds of the rate, and sessions at least */
#define CWMP_ADMISSION_SECONDS  10
#define CWMP_ADMISSION_LEAST    10


static uint64_t cwmp_admission_level(cwmp_admission_row_t *row,
    uint64_t rate, ngx_msec_t now);
static uint64_t cwmp_admission_count(cwmp_admission_row_t *row);
static void cwmp_admission_bury(cwmp_admission_row_t *row,
    cwmp_table_alive_pt alive);


cwmp_admission_e
cwmp_admission_judge(cwmp_admission_row_t *row,
    const cwmp_admission_limits_t *limits, ngx_uint_t first, ngx_uint_t own,
    ngx_msec_t now, cwmp_table_alive_pt alive)
{
    uint64_t  level, most;

    level = 0;

    if (limits->sessions) {
        most = limits->sessions;

        if (first) {
            most += ngx_max(limits->sessions, CWMP_ADMISSION_LEAST);
        }

        if (cwmp_admission_count(row) >= most + own) {
            cwmp_admission_bury(row, alive);

            if (cwmp_admission_count(row) >= most + own) {
                row->refused++;
                return CWMP_ADMISSION_SESSIONS;
            }
        }
    }

    if (limits->rate) {
        level = cwmp_admission_level(row, limits->rate, now)
                + CWMP_ADMISSION_ONE;

        most = (limits->burst + 1) * CWMP_ADMISSION_ONE;

        if (first) {
            most += ngx_max(limits->rate * 1000 * CWMP_ADMISSION_SECONDS,
                            CWMP_ADMISSION_LEAST * CWMP_ADMISSION_ONE);
        }

        if (level > most) {
            row->refused++;
            return CWMP_ADMISSION_RATE;
        }

        /* the time does not go back to that of a process that is behind */

        if (row->level == 0 || (ngx_msec_int_t) (now - row->last) > 0) {
            row->last = now;
        }

        row->level = level;
    }

    return CWMP_ADMISSION_PASSED;
}


/* a thousandth a second is a millionth a millisecond: nothing is rounded */

static uint64_t
cwmp_admission_level(cwmp_admission_row_t *row, uint64_t rate, ngx_msec_t now)
{
    uint64_t        leaked;
    ngx_msec_int_t  passed;

    passed = (ngx_msec_int_t) (now - row->last);

    if (row->level == 0 || passed <= 0) {
        return row->level;
    }

    /* what fills a level of that size takes no longer to leak */

    if ((uint64_t) passed > row->level / rate) {
        return 0;
    }

    leaked = rate * (uint64_t) passed;

    return row->level - leaked;
}


static uint64_t
cwmp_admission_count(cwmp_admission_row_t *row)
{
    uint64_t    n;
    ngx_uint_t  i;

    n = 0;

    for (i = 0; i < CWMP_ADMISSION_PROCESSES; i++) {
        if (row->shares[i].process) {
            n += row->shares[i].sessions;
        }
    }

    return n;
}


static void
cwmp_admission_bury(cwmp_admission_row_t *row, cwmp_table_alive_pt alive)
{
    ngx_uint_t  i;

    for (i = 0; i < CWMP_ADMISSION_PROCESSES; i++) {
        if (row->shares[i].process && !alive(row->shares[i].process)) {
            row->shares[i].process = 0;
        }
    }
}


void
cwmp_admission_share(cwmp_admission_row_t *row, uint32_t process,
    ngx_uint_t sessions, cwmp_table_alive_pt alive)
{
    ngx_uint_t               i;
    cwmp_admission_share_t  *share;

    share = NULL;

    for (i = 0; i < CWMP_ADMISSION_PROCESSES; i++) {

        if (row->shares[i].process == process) {
            share = &row->shares[i];
            goto found;
        }

        if (share == NULL && row->shares[i].process == 0) {
            share = &row->shares[i];
        }
    }

    for (i = 0; i < CWMP_ADMISSION_PROCESSES && share == NULL; i++) {
        if (!alive(row->shares[i].process)) {
            share = &row->shares[i];
        }
    }

    if (share == NULL) {
        return;
    }

    /* never the number of one with the sessions of another */

    share->process = 0;
    ngx_memory_barrier();

    share->sessions = 0;
    ngx_memory_barrier();

    share->process = process;

found:

    share->sessions = (uint32_t) sessions;
}


uint64_t
cwmp_admission_notice(cwmp_admission_row_t *row, ngx_msec_t now)
{
    uint64_t  n;

    if (row->told
        && (ngx_msec_int_t) (now - row->told) < CWMP_ADMISSION_NOTICE)
    {
        return 0;
    }

    n = row->refused;

    row->told = now ? now : 1;
    row->refused = 0;

    return n;
}


ngx_uint_t
cwmp_admission_first(const ngx_str_t *events)
{
    u_char  *p, *last;

    p = events->data;
    last = p + events->len;

    while (p < last) {

        while (p < last && (*p == ' ' || *p == ',')) {
            p++;
        }

        if (p < last
            && (*p == '6' || *p == '7' || *p == '8' || *p == 'M')
            && (p + 1 == last || p[1] == ' ' || p[1] == ',' || p[1] == '-'))
        {
            return 1;
        }

        while (p < last && *p != ',') {
            p++;
        }
    }

    return 0;
}
