
/*
 * A view of a stream: its ring as the rovers of mountpoints with one profile
 * see it (ntrip_profile.h), or those who get it in chunks; without either, as
 * it is.  A chunk is a whole message, so whatever is true of where messages
 * begin and end holds for chunks.
 *
 * Each message that comes out has the position behind its own record, whenever
 * it came out: who goes on there, with a view that has just begun, gets what
 * follows it, be it in another worker.  t/unit/ntrip_views.c
 */


#ifndef _NTRIP_VIEW_H_INCLUDED_
#define _NTRIP_VIEW_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_protocol.h"
#include "ntrip_zone.h"


/* messages that are held or on their way out */
#define NTRIP_VIEW_MESSAGES  (NTRIP_PROFILE_MESSAGES + 1)

/* bytes that a buffer needs besides a message's for a chunk of it */
#define NTRIP_VIEW_CHUNK  (NTRIP_CHUNK_HEAD + sizeof(CRLF) - 1)


typedef struct {
    uint64_t                next;     /* position behind its record */
    uint32_t                time;     /* of arrival */
} ntrip_view_message_t;


/* no pointers but that to the profile */

typedef struct {
    ntrip_profile_t        *profile;  /* NULL: all messages */
    ngx_uint_t              chunked;
    ntrip_profile_state_t   state;
    ntrip_view_message_t    messages[NTRIP_VIEW_MESSAGES];
    ngx_uint_t              n;        /* of them, oldest first */
    size_t                  len;      /* of out[] */
    size_t                  pos;      /* of it taken */
    u_char                  out[NTRIP_PROFILE_OUT];
} ntrip_view_t;


void ntrip_view_init(ntrip_view_t *view, ntrip_profile_t *profile,
    ngx_uint_t chunked);

/* nothing is held: for a reader that goes on elsewhere */
void ntrip_view_reset(ntrip_view_t *view);

/* whether messages were read that have not come out */
#define ntrip_view_holds(view)  ((view)->n != 0)

/*
 * What the view makes of a message out of turn, of "len" bytes at "data", at
 * "out", which has room for NTRIP_VIEW_CHUNK bytes more; 0: nothing.  NULL:
 * the message.
 */
size_t ntrip_view_message(ntrip_view_t *view, u_char *data, size_t len,
    u_char *out);

/*
 * As ntrip_ring_read(), through the view; NULL: all messages.  *next is the
 * position behind the record of the message that was copied; *pos may be
 * further.  Besides that:
 *
 *   NGX_DONE      a record was read, nothing comes of it for now; its flags
 *                 are in "rec"
 *   NGX_DECLINED  what was held is lost, too
 */
ngx_int_t ntrip_view_read(ntrip_view_t *view, ntrip_ring_t *ring,
    uint64_t *pos, ntrip_record_t *rec, u_char *buf, size_t size,
    uint64_t *next);


#endif /* _NTRIP_VIEW_H_INCLUDED_ */
