
/*
 * Message profiles: which messages of an RTCM 3 stream a mountpoint passes on,
 * and whether MSM5, MSM6 and MSM7 become MSM4 for it.
 *
 * A list either names what is wanted, "1005,1006,1071-1077", or what is not,
 * "-1230,-1029".  It holds for the number that a message came with and for
 * the one that it goes out with: "1074" and "1077" both name what was MSM7 and
 * becomes MSM4.
 *
 * The last message of observations of an epoch says that no others follow
 * (DF005, DF393); receivers compute at once then, and otherwise wait for what
 * comes next.  If a profile drops that message, the last one that it passes has
 * to say so.  So one with observations that announces others is held, together
 * with what comes behind it, until the next observations or the epoch's end.
 */


#ifndef _NTRIP_PROFILE_H_INCLUDED_
#define _NTRIP_PROFILE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_rtcm.h"


#define NTRIP_PROFILE_TYPES  4096

/* what is held, at most, and what one message makes come out, at most */
#define NTRIP_PROFILE_MESSAGES  16
#define NTRIP_PROFILE_HELD      (4 * NTRIP_RTCM_MESSAGE_MAX)
#define NTRIP_PROFILE_OUT       (NTRIP_PROFILE_HELD + NTRIP_RTCM_MESSAGE_MAX)


typedef struct {
    uint32_t      named[NTRIP_PROFILE_TYPES / 32];
    unsigned      list:1;                /* there is one */
    unsigned      except:1;              /* it names what is not wanted */
    unsigned      msm4:1;
} ntrip_profile_t;


/* of one stream; no pointers */

typedef struct {
    ngx_uint_t    n;                     /* messages that are held */
    size_t        len;                   /* of held[] */
    size_t        first;                 /* of them the observations */
    uint64_t      dropped;               /* messages */
    uint64_t      broken;                /* MSMs that could not be reduced,
                                            dropped as well */
    u_char        held[NTRIP_PROFILE_HELD];
} ntrip_profile_state_t;


/*
 * Adds a list to a profile that was zeroed.  NGX_ERROR, and *reason, if it is
 * none, mixes both kinds, or names a number that is not within 1 to 4095.
 */
ngx_int_t ntrip_profile_list(ntrip_profile_t *p, ngx_str_t *list,
    char **reason);

void ntrip_profile_init(ntrip_profile_state_t *s);

/* forgets what is held */
void ntrip_profile_reset(ntrip_profile_state_t *s);

/*
 * Takes the next message of the stream, a whole frame, and writes whole frames
 * to "out", of NTRIP_PROFILE_OUT bytes.  Returns how many bytes.
 * All messages come out in order, but those that are counted as dropped.
 */
size_t ntrip_profile_put(ntrip_profile_state_t *s, ntrip_profile_t *p,
    ntrip_rtcm_message_t *m, u_char *out);


#endif /* _NTRIP_PROFILE_H_INCLUDED_ */
