
/*
 * Fieldgate: the work on a message, in pieces.
 *
 * A message may have megabytes, and inflate to more.  What becomes of it is
 * done in pieces, with the worker's other events between them.  How much a
 * piece is depends on the work done, in bytes, never on a clock.
 */


#ifndef _CWMP_WORK_H_INCLUDED_
#define _CWMP_WORK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/*
 * The unit of work is what a byte costs at worst when it is scanned, some 10 ns
 * on a processor of 3 GHz; what else is done with one costs so many of it.  A
 * step takes at most CWMP_WORK_WINDOW bytes in and gives as many out, or
 * announces one URL, and a piece ends with the step in which it reaches
 * CWMP_WORK_PIECE.  So a piece has at most CWMP_WORK_PIECE_MAX units: 2 ms
 * there, and less than the 10 ms that nobody may block a worker for on one
 * that is five times as slow.  t/unit/cwmp_work.c counts.
 */
#define CWMP_WORK_WINDOW     16384
#define CWMP_WORK_PIECE      131072
#define CWMP_WORK_PIECE_MAX  (CWMP_WORK_PIECE + 6 * CWMP_WORK_WINDOW)

#define CWMP_COST_READ       1       /* bytes of the body */
#define CWMP_COST_INFLATE    2       /* bytes that come out */
#define CWMP_COST_SCAN       1
#define CWMP_COST_DEFLATE    3       /* bytes that go in */
#define CWMP_COST_URL        4096    /* a URL judged, signed, and built */
#define CWMP_COST_REGEX      64      /* a name matched, besides its bytes */


/*
 *     state      does                             goes on with
 *
 *     SEARCH     looks for the name of the        SCAN
 *                parameter
 *     SCAN       finds the facts and the values   ANNOUNCE; DONE: no values
 *     ANNOUNCE   builds what is announced         LOAD: plain, from a file;
 *                                                 else WRITE
 *     LOAD       takes the file into memory       WRITE
 *     WRITE      writes the new body              DONE
 *
 * Any of them may fail, which is DONE with a status.
 */
typedef enum {
    CWMP_WORK_SEARCH = 0,
    CWMP_WORK_SCAN,
    CWMP_WORK_ANNOUNCE,
    CWMP_WORK_LOAD,
    CWMP_WORK_WRITE,
    CWMP_WORK_DONE
} cwmp_work_state_e;


typedef struct {
    cwmp_work_state_e    state;
    size_t               spent;      /* units of work, in this piece */
    unsigned             coded:1;    /* gzip or deflate */
    unsigned             named:1;    /* the configuration names parameters */
    unsigned             in_file:1;
    unsigned             values:1;   /* set in SCAN: there are some */
} cwmp_work_t;


/* the first state, after coded, named and in_file are set */

void cwmp_work_start(cwmp_work_t *w);

/* the state is left, since all is done that there was; values: see above */

void cwmp_work_next(cwmp_work_t *w);

/* 1: the piece is over */

ngx_uint_t cwmp_work_over(cwmp_work_t *w);


#endif /* _CWMP_WORK_H_INCLUDED_ */
