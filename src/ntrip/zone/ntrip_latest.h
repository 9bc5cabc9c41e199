
/*
 * The latest of each station message of a stream, beside its ring: what a
 * rover that has just come needs before it can use an epoch, and would else
 * wait for half a minute for.
 *
 *     1005, 1006         where the antenna is
 *     1007, 1008, 1033   which antenna, which receiver
 *     1230, 1013, 1029   biases of GLONASS, what is sent when, texts
 *
 * One producer, no lock.  A place is valid while "position" is not zero: the
 * producer zeroes it, writes the message, then the position of its record in
 * the ring, which no other record ever has.  A reader copies the message and
 * looks at the position again.
 *
 * They are those of one station from one source: another source, or another
 * number of a station in 1005 or 1006, clears them all.  The producer puts a
 * message here before it is in the ring: so a reader that has a record from
 * there never finds an older one here.
 *
 *   producer killed anywhere: the place is empty, or whole; a message whose
 *     record was not written any more is cleared with the next source, which
 *     the next producer begins with.
 */


#ifndef _NTRIP_LATEST_H_INCLUDED_
#define _NTRIP_LATEST_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_protocol.h"


/* kinds of them, in the order in which they are given to a rover */
#define NTRIP_LATEST_KINDS  8

/* bytes of the longest one of all kinds, and of the longest of each together:
   one that is longer than its standard allows is not kept */
#define NTRIP_LATEST_MAX    288
#define NTRIP_LATEST_ALL    832


typedef struct {
    uint64_t           position;     /* of its record; 0: there is none */
    uint32_t           len;
    uint32_t           station;
} ntrip_latest_place_t;


typedef struct {
    ntrip_latest_place_t  places[NTRIP_LATEST_KINDS];
    u_char                data[NTRIP_LATEST_ALL];   /* aligned to 8 bytes */
} ntrip_latest_t;


/* nobody writes: none are there */
void ntrip_latest_init(ntrip_latest_t *latest);

/* the producer: another source begins */
void ntrip_latest_clear(ntrip_latest_t *latest);

/* the producer: keeps the message, if it is one of them, whose record will be
   at this position */
void ntrip_latest_put(ntrip_latest_t *latest, ntrip_rtcm_message_t *m,
    uint64_t position);

/*
 * Copies the message of a kind into "buf", of NTRIP_LATEST_MAX bytes, if its
 * record is before "position".  Returns its length; 0: there is none.
 */
size_t ntrip_latest_get(ntrip_latest_t *latest, ngx_uint_t kind,
    uint64_t position, u_char *buf);


#endif /* _NTRIP_LATEST_H_INCLUDED_ */
