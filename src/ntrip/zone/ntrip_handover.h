
/*
 * Handing a connected socket to a worker of a newer generation: one message
 * in the SOCK_SEQPACKET pair of its slot, with the descriptors in SCM_RIGHTS:
 * a source brings its socket and its lock file, a rover its socket, and so does
 * the upload of a base station, which is the holder of its stream's row, as a
 * source is, and has what a rover and the decoders of a source have.
 *
 *     giver                              heir
 *     stops reading, writes nothing
 *     offer: heir, nonce into the row
 *     sendmsg ------------------------>  recvmsg
 *     keeps its copies                   accept under the lock: holder = me
 *     wakes the heir                     wakes the giver
 *     sees holder != me: closes          goes on with the bytes that came
 *
 * Attacks:
 *   giver killed before sendmsg: holder dead, heir alive; the sweep leaves the
 *     row alone for NTRIP_OFFER_TIMEOUT, then it is an orphan.
 *   giver killed after sendmsg: the heir accepts, the connection lives on.
 *   heir killed before accepting: the giver sees the heir dead, withdraws and
 *     goes on itself.  The copy in the pair is emptied by whoever releases
 *     or claims that slot; it cannot be accepted, its nonce no longer stands.
 *   heir killed after accepting: a dead holder, as any crash.
 *   heir slow: after NTRIP_OFFER_TIMEOUT the giver withdraws under the lock;
 *     exactly one of withdraw and accept succeeds.
 *   pair full: sendmsg says EAGAIN; the giver withdraws and tries later.
 *   slot reused between offer and sendmsg: the message names its heir; another
 *     incarnation closes the descriptors, the giver withdraws.
 *   message stolen by somebody who empties the pair of a dead slot: as heir
 *     slow.
 *   the exiting giver reaches its shutdown timeout meanwhile: it closes its
 *     copies without shutdown(), which the heir's do not notice.
 *   reload upon reload: the heir has become old itself and offers it on.
 *   kick while a rover is on its way: the giver leaves it alone; the heir
 *     reads again what was posted since the giver last read.
 *
 * The message is for processes of the same binary image: numbers as in
 * memory.  decode() checks it nevertheless.
 */


#ifndef _NTRIP_HANDOVER_H_INCLUDED_
#define _NTRIP_HANDOVER_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_protocol.h"
#include "ntrip_zone.h"


#define NTRIP_HANDOVER_MAGIC   0x4e544831
#define NTRIP_HANDOVER_SOURCE  1
#define NTRIP_HANDOVER_ROVER   2
#define NTRIP_HANDOVER_UPLOAD  3

#define NTRIP_HANDOVER_DATA    8192  /* unsent bytes of a record, at most */
#define NTRIP_HANDOVER_FDS     2

#define NTRIP_PROXY_MAX        64    /* an address in a PROXY header */


typedef struct {
    uint32_t           magic;
    uint16_t           type;         /* NTRIP_HANDOVER_SOURCE, ... */
    uint16_t           nfds;
    uint64_t           heir;         /* who may take it */
    uint64_t           nonce;
    uint32_t           index;        /* row: stream or session */
    uint64_t           serial;       /* of the row */

    /* source: its account; and upload: how its bytes are read */
    ntrip_candidate_t  candidate;
    ntrip_reply_t      reply;        /* the decoder of its body; upload: only
                                        "chunked" and "body" */
    ntrip_rtcm_t       rtcm;         /* with the unfinished message */

    /* rover */
    uint64_t           login;
    uint32_t           stream;       /* NTRIP_ROW_NONE: none */
    uint32_t           version;      /* 1, 2 */
    uint64_t           stream_serial;
    uint64_t           position;     /* in the ring: next record to send */
    uint32_t           since;        /* ms, low bits: what was sent and is not
                                        acknowledged has been there */
    uint32_t           welcomed;     /* ms, low bits: its header went */
    uint32_t           fresh;        /* it was sent no message yet */
    uint32_t           chunked;      /* it gets messages in chunks */
    uint64_t           settled;      /* ms: came to its station, of ntrip_near;
                                        0: is on none of those */
    uint64_t           started;      /* seconds since 1970 */
    uint64_t           received;     /* bytes so far, for the access log */
    uint64_t           before;       /* sent in front of the corrections */
    uint64_t           sent;
    uint64_t           messages;
    uint64_t           kicks;        /* those before it the giver has read */
    uint64_t           stored;       /* hash of the stored password */
    uint64_t           expires;      /* seconds since 1970 */
    uint32_t           max_sessions; /* of the user, 0: no limit */
    ntrip_area_t       area;         /* likewise */
    ntrip_nmea_t       nmea;         /* with the unfinished sentence */
    uint16_t           user_len;
    uint16_t           agent_len;
    uint16_t           mount_len;
    uint16_t           station_len;  /* of a base station, 0: a provider's */
    uint16_t           local_len;    /* struct sockaddr that was listened on */
    uint32_t           addr_len;     /* struct sockaddr of the rover, as
                                        realip or PROXY protocol have it */

    /* rover: what the PROXY protocol said, as text; lengths 0: nothing */
    uint16_t           proxy_src_len;
    uint16_t           proxy_dst_len;
    uint16_t           proxy_src_port;
    uint16_t           proxy_dst_port;

    /* rover: what is still to be sent of the record that has begun */
    uint32_t           len;

    u_char             user[NTRIP_USER_MAX];
    u_char             agent[NTRIP_AGENT_MAX];
    u_char             mount[NTRIP_MOUNT_MAX];
    u_char             station[NTRIP_MOUNT_MAX];
    u_char             local[NTRIP_ADDR_MAX];
    u_char             addr[NTRIP_ADDR_MAX];
    u_char             proxy_src[NTRIP_PROXY_MAX];
    u_char             proxy_dst[NTRIP_PROXY_MAX];

    u_char             data[NTRIP_HANDOVER_DATA];
} ntrip_handover_t;


/* bytes of the message to send; NGX_ERROR if len does not fit */
ssize_t ntrip_handover_size(const ntrip_handover_t *msg);

/* NGX_OK, or NGX_ERROR: "size" bytes with "nfds" descriptors are no message
   of ours.  The caller closes the descriptors. */
ngx_int_t ntrip_handover_check(const ntrip_handover_t *msg, size_t size,
    ngx_uint_t nfds);


#endif /* _NTRIP_HANDOVER_H_INCLUDED_ */
