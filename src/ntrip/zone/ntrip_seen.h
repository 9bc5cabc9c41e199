
/*
 * What has come on a stream lately, for its status: messages by their types,
 * and how regular epochs are.  It is a part of the stream's row; only the
 * owner writes, without a lock, and a reader's copy may be torn by one message.
 */


#ifndef _NTRIP_SEEN_H_INCLUDED_
#define _NTRIP_SEEN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* a provider sends some 20; of more, those that come first are counted */
#define NTRIP_SEEN_TYPES     24


typedef struct {
    uint16_t           type;         /* of RTCM 3; 0: what is none, raw */
    uint16_t           spare;
    uint32_t           count;        /* 0: the entry is free */
    uint32_t           last;         /* low bits of monotonic ms */
    uint32_t           interval;     /* mean, in 1/16 ms; 0: not known yet */
} ntrip_seen_type_t;


typedef struct {
    uint32_t           epochs;       /* 0: none yet */
    uint32_t           last;         /* end of the last one, low bits of
                                        monotonic ms */
    uint32_t           interval;     /* between two: mean, 0: not known yet,
                                        and the mean of what they differ from
                                        it by; 1/16 ms */
    uint32_t           jitter;
    ntrip_seen_type_t  types[NTRIP_SEEN_TYPES];
} ntrip_seen_t;


/* one more message; "epoch": the last of its epoch */
void ntrip_seen_message(ntrip_seen_t *seen, uint64_t now, ngx_uint_t type,
    ngx_uint_t epoch);

/* messages a second, 0: not known yet; of one that does not come any more it
   goes down to 0 */
double ntrip_seen_rate(const ntrip_seen_type_t *type, uint64_t now);

/* ms since the end of the last epoch; 0 too when "now" is a moment before it */
uint32_t ntrip_seen_age(const ntrip_seen_t *seen, uint64_t now);


#endif /* _NTRIP_SEEN_H_INCLUDED_ */
