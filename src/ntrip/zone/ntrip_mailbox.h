
/*
 * The mailbox of a stream: the newest sentence of its lead rover, from the
 * worker that has this rover to the worker that owns the source.
 *
 * Two cells and a sequence number: a writer fills the cell that is not
 * current and then makes it current.  A reader copies the current cell and
 * takes the copy only if the sequence has not moved.
 *
 * Why it holds:
 *   writer killed anywhere: the current cell is whole, readers never wait.
 *     Its hold on "writer" is broken by the next writer, which sees that the
 *     holder is not alive.
 *   two writers (the lead has just passed to a rover of another worker): the
 *     second finds "writer" taken, gives up, and comes again with its next
 *     sentence.
 *   reader slower than two writes: it sees the sequence moved and retries,
 *     at most NTRIP_MAILBOX_TRIES times; it then takes nothing and the tick
 *     or the next wake-up brings it back.
 */


#ifndef _NTRIP_MAILBOX_H_INCLUDED_
#define _NTRIP_MAILBOX_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_protocol.h"


#define NTRIP_MAILBOX_TRIES  8


/* 1e-7 degrees in both halves: one word, so that it is never torn */

typedef uint64_t  ntrip_point_t;

#define NTRIP_POINT_NONE     ((uint64_t) 0x8000000080000000ULL)

#define ntrip_point(lat, lon)                                                 \
    (((uint64_t) (uint32_t) (int32_t) (lat) << 32)                            \
     | (uint32_t) (int32_t) (lon))
#define ntrip_point_lat(p)   ((int32_t) (uint32_t) ((p) >> 32))
#define ntrip_point_lon(p)   ((int32_t) (uint32_t) (p))


typedef struct {
    uint64_t           login;        /* of the rover that it comes from */
    uint64_t           time;         /* monotonic milliseconds */
    ntrip_point_t      point;        /* where it is */
    int32_t            height;       /* millimetres above the ellipsoid */
    uint16_t           len;          /* of ntrip_gga_line() in gga[] */
    u_char             gga[NTRIP_GGA_LINE_MAX];
} ntrip_mail_t;


typedef struct {
    uint64_t           seq;          /* 0: never written; cell seq & 1 is
                                        the current one */
    uint64_t           writer;       /* holder (ntrip_bus.h) or 0 */
    ntrip_mail_t       cell[2];
} ntrip_mailbox_t;


/* zone lock held, stream row not yet published */
void ntrip_mailbox_init(ntrip_mailbox_t *box);

/*
 * Writes a mail.  "me" is the caller's holder; "stale" says that the holder
 * read by the caller from box->writer is known to be dead (0: none is).
 * NGX_OK, or NGX_BUSY: another worker is writing.  The caller then asks the
 * bus about ntrip_mailbox_writer() and calls again with it if it is dead.
 */
ngx_int_t ntrip_mailbox_write(ntrip_mailbox_t *box, uint64_t me,
    uint64_t stale, const ntrip_mail_t *mail);

uint64_t ntrip_mailbox_writer(ntrip_mailbox_t *box);

/*
 * Copies the newest mail if it is newer than *seq and stores its number
 * there; start with *seq = 0.  NGX_OK, NGX_AGAIN (nothing newer), NGX_BUSY
 * (overtaken NTRIP_MAILBOX_TRIES times).
 */
ngx_int_t ntrip_mailbox_read(ntrip_mailbox_t *box, uint64_t *seq,
    ntrip_mail_t *mail);


#endif /* _NTRIP_MAILBOX_H_INCLUDED_ */
