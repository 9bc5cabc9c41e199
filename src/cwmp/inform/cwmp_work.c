
/*
 * Fieldgate: the work on a message, in pieces.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_work.h"


void
cwmp_work_start(cwmp_work_t *w)
{
    /* only plain bytes can be searched, and only for the one name */

    w->state = (w->coded || w->named) ? CWMP_WORK_SCAN : CWMP_WORK_SEARCH;
    w->spent = 0;
    w->values = 0;
}


void
cwmp_work_next(cwmp_work_t *w)
{
    switch (w->state) {

    case CWMP_WORK_SEARCH:
        w->state = CWMP_WORK_SCAN;
        break;

    case CWMP_WORK_SCAN:
        w->state = w->values ? CWMP_WORK_ANNOUNCE : CWMP_WORK_DONE;
        break;

    case CWMP_WORK_ANNOUNCE:
        w->state = (w->in_file && !w->coded) ? CWMP_WORK_LOAD
                                             : CWMP_WORK_WRITE;
        break;

    case CWMP_WORK_LOAD:
        w->state = CWMP_WORK_WRITE;
        break;

    case CWMP_WORK_WRITE:
    case CWMP_WORK_DONE:
        w->state = CWMP_WORK_DONE;
        break;
    }
}


ngx_uint_t
cwmp_work_over(cwmp_work_t *w)
{
    return w->spent >= CWMP_WORK_PIECE;
}
