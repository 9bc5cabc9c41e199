
/*
 * What happens again and again is logged once in a while, with how often: the
 * first time at once, then what has come since, when the time is over.
 *
 * Pure, and without a lock of its own: a counter that is shared needs the lock
 * of its zone.  Test: t/unit/ntrip_seldom.c.
 */


#ifndef _NTRIP_SELDOM_H_INCLUDED_
#define _NTRIP_SELDOM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NTRIP_SELDOM  60000          /* ms from one line to the next */

typedef struct {
    uint64_t           logged;       /* when, monotonic ms; 0: never */
    uint64_t           missed;       /* since then */
} ntrip_seldom_t;


/* it has happened; returns how often since the last line, if one is due now:
   else 0 */
uint64_t ntrip_seldom_count(ntrip_seldom_t *seldom, uint64_t now);

/* the same without its having happened */
uint64_t ntrip_seldom_due(ntrip_seldom_t *seldom, uint64_t now);


#endif /* _NTRIP_SELDOM_H_INCLUDED_ */
