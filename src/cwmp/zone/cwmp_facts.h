
/*
 * Fieldgate: what a session's Inform has said, for the messages behind it,
 * which do not name the device.
 *
 * In a row of the zone, by the session's name, and with the session on its
 * connection.  A row that is gone leaves the facts to the connection.
 */


#ifndef _CWMP_FACTS_H_INCLUDED_
#define _CWMP_FACTS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_rows.h"


typedef enum {
    CWMP_FACT_OUI = 0,
    CWMP_FACT_CLASS,
    CWMP_FACT_SERIAL,
    CWMP_FACT_EVENTS            /* event codes, separated by commas */
} cwmp_fact_e;

#define CWMP_FACTS       (CWMP_FACT_EVENTS + 1)

/* bytes of all of them: those of TR-069 have 134 without the events */

#define CWMP_FACTS_SIZE  156


typedef struct {
    u_char   len[CWMP_FACTS];   /* all zero: nothing is known */
    u_char   data[CWMP_FACTS_SIZE];
} cwmp_facts_t;


typedef struct {
    cwmp_held_row_t  held;
    cwmp_facts_t     facts;
} cwmp_facts_row_t;


#define cwmp_facts_known(f)                                                   \
    ((f)->len[CWMP_FACT_OUI] || (f)->len[CWMP_FACT_SERIAL])


/*
 * Packs CWMP_FACTS strings.  Of the events the first are taken that fit.
 * NGX_DECLINED: the others do not; nothing is known.
 */
ngx_int_t cwmp_facts_pack(cwmp_facts_t *f, const ngx_str_t *facts);

/* The strings, that point into *f. */

void cwmp_facts_unpack(cwmp_facts_t *f, ngx_str_t *facts);

/*
 * The row of the session of that name: sets its facts and holds it; gets them,
 * NGX_DECLINED: there is none.  cwmp_row_release() lets go of it.  The table is
 * begun.
 */
void cwmp_facts_row_set(cwmp_table_t *t, const u_char *name,
    const cwmp_facts_t *f, const cwmp_hold_t *h);
ngx_int_t cwmp_facts_row_get(cwmp_table_t *t, const u_char *name,
    ngx_msec_t now, cwmp_facts_t *f);


#endif /* _CWMP_FACTS_H_INCLUDED_ */
