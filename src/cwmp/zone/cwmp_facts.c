
/*
 * Fieldgate: what a session's Inform has said.
 */


#include "cwmp_facts.h"


ngx_int_t
cwmp_facts_pack(cwmp_facts_t *f, const ngx_str_t *facts)
{
    u_char      *p;
    size_t       left, len;
    ngx_uint_t   i;

    ngx_memzero(f, sizeof(cwmp_facts_t));

    p = f->data;
    left = CWMP_FACTS_SIZE;

    for (i = 0; i < CWMP_FACTS; i++) {
        len = facts[i].len;

        if (i == CWMP_FACT_EVENTS && len > left) {

            /* up to a comma, which has to fit in to be one that ends a code */

            for (len = left; len > 0 && facts[i].data[len] != ','; len--) {
                /* void */
            }
        }

        if (len > left) {
            ngx_memzero(f, sizeof(cwmp_facts_t));
            return NGX_DECLINED;
        }

        if (len) {
            p = ngx_cpymem(p, facts[i].data, len);
        }

        f->len[i] = (u_char) len;
        left -= len;
    }

    return NGX_OK;
}


void
cwmp_facts_unpack(cwmp_facts_t *f, ngx_str_t *facts)
{
    u_char      *p;
    ngx_uint_t   i;

    p = f->data;

    for (i = 0; i < CWMP_FACTS; i++) {
        facts[i].data = p;
        facts[i].len = f->len[i];
        p += f->len[i];
    }
}


void
cwmp_facts_row_set(cwmp_table_t *t, const u_char *name, const cwmp_facts_t *f,
    const cwmp_hold_t *h)
{
    cwmp_facts_row_t  *row;

    row = cwmp_table_get(t, name, h->now);

    if (row == NULL) {
        row = cwmp_table_insert(t, name, h->now, h->expires, h->alive);

        if (row == NULL) {
            return;
        }
    }

    if (ngx_memcmp(&row->facts, f, sizeof(cwmp_facts_t)) != 0) {
        cwmp_table_open(t, row);
        row->facts = *f;
    }

    cwmp_row_hold(t, &row->held, h);
}


ngx_int_t
cwmp_facts_row_get(cwmp_table_t *t, const u_char *name, ngx_msec_t now,
    cwmp_facts_t *f)
{
    cwmp_facts_row_t  *row;

    row = cwmp_table_get(t, name, now);

    if (row == NULL) {
        return NGX_DECLINED;
    }

    *f = row->facts;

    return NGX_OK;
}
