
/*
 * The ring of a stream: whole messages from one producer to the workers.
 *
 * Positions are absolute byte counts and never wrap; a record starts at a
 * multiple of NTRIP_RING_ALIGN.  The producer first moves "tail" past what
 * it is about to overwrite, then writes the record, then publishes "head".
 * A reader copies a record and looks at "tail" again: if its position has
 * been passed meanwhile, the copy may be torn and is thrown away.  Nobody
 * takes a lock.
 *
 * Why it holds:
 *   producer killed anywhere: "head" is not yet moved, so the half-written
 *     record does not exist; "tail" is at most too far, and costs readers
 *     that were that far behind a jump.  The next owner just goes on.
 *   reader killed: it owns nothing here.
 *   two producers: excluded by the ownership of the stream (ntrip_stream.h),
 *     checked before each write with ntrip_stream_owned().
 *   newcomer: sets its worker's bit in the stream, then loads "head"; the
 *     producer stores "head", then loads the bits.  Both with a full fence:
 *     either the producer sees the bit or the newcomer sees the record.
 */


#ifndef _NTRIP_RING_H_INCLUDED_
#define _NTRIP_RING_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_latest.h"


#define NTRIP_RING_ALIGN     16
#define NTRIP_RING_MIN       4096

/* record flags */
#define NTRIP_RECORD_EPOCH   0x01    /* last message of its epoch */


typedef struct {
    uint32_t           len;          /* bytes of payload, 0 is legal */
    uint16_t           flags;        /* NTRIP_RECORD_* */
    uint16_t           type;         /* RTCM message number, 0 if unknown */
    uint64_t           time;         /* monotonic milliseconds of arrival */
} ntrip_record_t;


typedef struct {
    uint64_t           size;         /* bytes of data[], power of two */
    uint8_t            pad0[56];

    uint64_t           head;         /* next record goes here */
    uint64_t           epoch;        /* after the newest record with
                                        NTRIP_RECORD_EPOCH: where a reader
                                        that was overrun goes on */
    uint8_t            pad1[48];

    uint64_t           tail;         /* bytes before it may be overwritten */
    uint8_t            pad2[56];

    ntrip_latest_t     latest;       /* of the producer, as the data are */

    u_char             data[1];      /* aligned: see ntrip_words.h */
} ntrip_ring_t;


/* bytes of memory for a ring of "size" bytes of data, multiple of 64 */
size_t ntrip_ring_memory(size_t size);

/* the power of two that is used for a configured ring size */
size_t ntrip_ring_round(size_t size);

/* longest payload that a ring takes: a quarter of it, so that a reader that
   is one record behind is never overrun by one write */
size_t ntrip_ring_max_payload(ntrip_ring_t *ring);

/* lays out an empty ring in memory that nobody reads; no position is 0 */
void ntrip_ring_init(ntrip_ring_t *ring, size_t size);

/* empties a ring: positions go on, so that no old position becomes valid.
   Zone lock held, stream row not yet published. */
void ntrip_ring_reset(ntrip_ring_t *ring);

/*
 * Appends a record.  Only the owner of the stream calls it.  NGX_OK, or
 * NGX_DECLINED if rec->len exceeds ntrip_ring_max_payload() (cut a raw
 * stream before; an RTCM message always fits).
 */
ngx_int_t ntrip_ring_write(ntrip_ring_t *ring, const ntrip_record_t *rec,
    const u_char *payload);

/* a newcomer's position: the boundary after the newest record.  To be called
   after the worker's bit was set in the stream. */
uint64_t ntrip_ring_head(ntrip_ring_t *ring);

/*
 * Copies the record at *pos into "rec" and up to "size" bytes of payload
 * into "buf", and moves *pos behind it.
 *   NGX_OK        a whole record was copied
 *   NGX_AGAIN     no record there yet
 *   NGX_BUSY      rec->len exceeds "size": *pos unchanged, give more room
 *   NGX_DECLINED  overrun: *pos was moved to the newest epoch that is still
 *                 there, else to the head; messages are lost, none is torn
 */
ngx_int_t ntrip_ring_read(ntrip_ring_t *ring, uint64_t *pos,
    ntrip_record_t *rec, u_char *buf, size_t size);


#endif /* _NTRIP_RING_H_INCLUDED_ */
