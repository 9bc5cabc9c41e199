/*
 * What the messages of a stream say of it: where its station is, which systems
 * and carriers it observes, with which receiver, and how often which message
 * comes.  It makes the line of a base station in the sourcetable.
 *
 *     ntrip_gather_init(&gather, now);
 *
 *     ntrip_gather_bytes(&gather, len, now);         for all that comes
 *     ntrip_gather_message(&gather, &m, now);        for each message
 *
 *     ntrip_gather_facts(&gather, &facts, now);      now and then
 *     ntrip_facts_str(&out, &facts, &str);           whoever writes the table
 *
 * Positions are those of 1005 and 1006 (RTCM 10403.x, DF025 to DF027: ECEF in
 * 0.1 mm), the receiver is that of 1033 (DF228).  A type is shown with the mean
 * of its intervals, in whole seconds, unless they differ too much; one that has
 * not been seen for NTRIP_GATHER_FORGET ms is forgotten, and in a full table
 * further types are left out.
 *
 * Facts hold no pointer: they lie in shared memory.  Times are ms of any clock
 * that does not go back.  Test: t/unit/ntrip_facts.c.
 */


#ifndef _NTRIP_FACTS_H_INCLUDED_
#define _NTRIP_FACTS_H_INCLUDED_


#include "ntrip_rtcm.h"
#include "ntrip_text.h"


#define NTRIP_FACTS_TYPES      24
#define NTRIP_FACTS_RECEIVER   31

#define NTRIP_GATHER_FORGET    300000  /* ms */
#define NTRIP_GATHER_RATE      10000   /* ms that a bitrate is of, at least */

/* systems, in the order of their names in a table */
#define NTRIP_FACTS_GPS        0x01
#define NTRIP_FACTS_GLONASS    0x02
#define NTRIP_FACTS_GALILEO    0x04
#define NTRIP_FACTS_BEIDOU     0x08
#define NTRIP_FACTS_QZSS       0x10
#define NTRIP_FACTS_NAVIC      0x20
#define NTRIP_FACTS_SBAS       0x40

#define NTRIP_FACTS_INTERVAL_NONE  0xffff


typedef struct {
    uint16_t      type;
    uint16_t      interval;              /* s, rounded, 1 at least;
                                            NTRIP_FACTS_INTERVAL_NONE: there
                                            is none */
} ntrip_facts_type_t;


typedef struct {
    int32_t              latitude;       /* 1e-7 degrees, */
    int32_t              longitude;
    int32_t              height;         /* mm above the ellipsoid, */
    uint32_t             located;        /* if 1 */
    uint32_t             bitrate;        /* bit/s, 0: not yet known */
    uint16_t             systems;        /* NTRIP_FACTS_GPS, ... */
    uint16_t             bands;          /* bits, of all systems together */
    uint16_t             ntypes;
    uint16_t             receiver_len;
    u_char               receiver[NTRIP_FACTS_RECEIVER + 1];
    ntrip_facts_type_t   types[NTRIP_FACTS_TYPES];   /* by number */
} ntrip_facts_t;


typedef struct {
    uint64_t             first;
    uint64_t             last;
    uint64_t             count;
    uint64_t             shortest;       /* of its intervals, 0: none yet */
    uint64_t             longest;
} ntrip_gather_times_t;


typedef struct {
    ntrip_facts_t        facts;
    ntrip_gather_times_t times[NTRIP_FACTS_TYPES];   /* of facts.types */
    uint64_t             since;          /* of "bytes" */
    uint64_t             bytes;
} ntrip_gather_t;


void ntrip_gather_init(ntrip_gather_t *gather, uint64_t now);

void ntrip_gather_bytes(ntrip_gather_t *gather, size_t len, uint64_t now);

/* m: a whole frame, its CRC was checked; raw pieces, of type 0, say nothing */
void ntrip_gather_message(ntrip_gather_t *gather, ntrip_rtcm_message_t *m,
    uint64_t now);

/* what is known now; earlier: facts that another gather has left, which
   stay as far as this one knows nothing */
void ntrip_gather_facts(ntrip_gather_t *gather, ntrip_facts_t *facts,
    uint64_t now);
void ntrip_gather_earlier(ntrip_gather_t *gather, const ntrip_facts_t *facts);

/*
 * Appends the fields of a STR line from the identifier on, for
 * ntrip_str_line(): those that "str", what the administrator has written,
 * leaves empty are made of the facts, and are empty where nothing is known.
 * Whatever is in "facts", NTRIP_FACTS_STR_MAX + str->len bytes are enough.
 */
#define NTRIP_FACTS_STR_MAX    512

void ntrip_facts_str(ntrip_out_t *out, const ntrip_facts_t *facts,
    ngx_str_t *str);


#endif /* _NTRIP_FACTS_H_INCLUDED_ */
