/*
 * Cuts a stream into RTCM 3 messages (RTCM 10403.x, 4.1):
 *
 *    0xD3 | 6 bits, zero | 10 bits, length n | n bytes | CRC-24Q
 *
 *   RTCM3  whole messages with a right CRC; all else is dropped and counted.
 *          0xD3 is common inside messages: after a wrong CRC the search goes
 *          on one byte further, not behind the supposed message.
 *   RAW    as it came, in pieces of at most NTRIP_RTCM_MESSAGE_MAX bytes
 *   AUTO   undecided.  The first message with a right CRC decides for RTCM3,
 *          for good; what was in front of it, the rest of a message, is
 *          dropped.  Raw is decided when
 *            NTRIP_RTCM_PROBE bytes came without a message: any run of that
 *              length of an RTCM 3 stream has a whole one, wherever it
 *              begins (the rest of the longest, and the longest); or when
 *            the first NTRIP_RTCM2_PROBE bytes are all 01xxxxxx, RTCM 2's "6
 *              of 8" format: in RTCM 3 the longest run of them is a text of
 *              127 letters, without a blank, in message 1029 and its CRC, as
 *              the next message begins with 0xD3.
 *          Then all bytes so far go out, as they came.  So RTCM 3 is never
 *          taken for anything else, and no clock is needed; other formats
 *          wait once, for their first 2057 bytes.  What begins like a page or
 *          a table, blanks and a byte order mark aside, or consists of blanks,
 *          is never taken for raw: it ends the stream.
 *
 * A message goes out with its last byte.  Only a stream that is entered in the
 * middle of a message, where a 0xD3 may look like a beginning, can be held
 * longer: until that supposed message, 1029 bytes at most, is refuted.
 *
 * The state holds no pointer: it may be copied, and be sent to another
 * process together with the connection, mode and unfinished bytes included.
 */


#ifndef _NTRIP_RTCM_H_INCLUDED_
#define _NTRIP_RTCM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NTRIP_RTCM_MESSAGE_MAX   1029
#define NTRIP_RTCM_PROBE         (2 * NTRIP_RTCM_MESSAGE_MAX - 1)
#define NTRIP_RTCM2_PROBE        131

/* mode: as configured; AUTO turns into one of the others */
#define NTRIP_RTCM_AUTO          0
#define NTRIP_RTCM_RTCM3         1
#define NTRIP_RTCM_RAW           2

/* flags of a message */
#define NTRIP_RTCM_EPOCH         0x01    /* last observations of its epoch;
                                            raw: the last piece of "in" */
#define NTRIP_RTCM_STATION       0x02    /* 1005-1008, 1033, 1230: what a
                                            newcomer needs besides */
#define NTRIP_RTCM_OBSERVATION   0x10    /* 1001-1004, 1009-1012, MSM */


typedef struct {
    ngx_uint_t    mode;
    uint64_t      messages;              /* or pieces, if raw */
    uint64_t      skipped;               /* bytes dropped */
    size_t        len;                   /* in buf[] */
    size_t        pos;                   /* of them done */
    u_char        buf[NTRIP_RTCM_PROBE];
} ntrip_rtcm_t;


typedef struct {
    u_char       *data;                  /* the frame, CRC included */
    size_t        len;
    ngx_uint_t    type;                  /* DF002; 0 if raw, or too short */
    ngx_uint_t    station;               /* DF003; 0 likewise */
    ngx_uint_t    flags;                 /* NTRIP_RTCM_* */
} ntrip_rtcm_message_t;


void ntrip_rtcm_init(ntrip_rtcm_t *f, ngx_uint_t mode);

/*
 * Takes bytes from the front of "in" and moves it on.
 *
 *   NGX_OK      the next message, or raw piece; points into "in" or "f", until
 *               the next call
 *   NGX_AGAIN   "in" is used up
 *   NGX_ERROR   AUTO: it is a page, or a table
 */
ngx_int_t ntrip_rtcm_next(ntrip_rtcm_t *f, ngx_str_t *in,
    ntrip_rtcm_message_t *m);

/* NGX_OK: data and len are a whole frame, whose CRC was checked before;
   NGX_DECLINED: they are something else */
ngx_int_t ntrip_rtcm_check(ntrip_rtcm_message_t *m);

/* of the frame that begins at p */
size_t ntrip_rtcm_frame_len(u_char *p);

/* AUTO, undecided: nothing but blanks has come, if anything */
ngx_uint_t ntrip_rtcm_blank(ntrip_rtcm_t *f);

/* sets type, station and flags of a frame whose data and len are set */
void ntrip_rtcm_describe(ntrip_rtcm_message_t *m);

/* has a frame say that no more observations of its epoch follow */
void ntrip_rtcm_end_epoch(ntrip_rtcm_message_t *m);

uint32_t ntrip_rtcm_crc(u_char *data, size_t len);


#endif /* _NTRIP_RTCM_H_INCLUDED_ */
