
/*
 * What a base station uploads, on its way into the ring of its stream.  Whoever
 * has the connection gives the bytes, as they come behind the request, and
 * hears what has become of them; sockets, times and logs are his.
 *
 *     upload = ngx_stream_ntrip_upload_create(index, serial, ...);
 *
 *     rc = ngx_stream_ntrip_upload_data(upload, &data, &why);   each read, at
 *                                                               most _size()
 *     ngx_stream_ntrip_upload_tick(upload);                     each second
 *
 *     ngx_stream_ntrip_upload_free(upload);
 *
 * Bytes become messages as those of a provider do (ntrip_rtcm.h); the rest of a
 * message, or of a chunk, waits in the upload, in a constant buffer.  What
 * nobody reads is overwritten in the ring.  What the messages say of the
 * station goes into the row once a second (ntrip_facts.h).
 */


#ifndef _NGX_STREAM_NTRIP_UPLOAD_H_INCLUDED_
#define _NGX_STREAM_NTRIP_UPLOAD_H_INCLUDED_


#include "ngx_stream_ntrip_worker.h"
#include "ntrip_protocol.h"


typedef struct ngx_stream_ntrip_upload_s  ngx_stream_ntrip_upload_t;


/* for a row of this worker's; NULL: no memory */
ngx_stream_ntrip_upload_t *ngx_stream_ntrip_upload_create(uint32_t index,
    uint64_t serial, ngx_uint_t chunked);
void ngx_stream_ntrip_upload_free(ngx_stream_ntrip_upload_t *upload);

/* how many bytes may be given at once */
size_t ngx_stream_ntrip_upload_size(ngx_stream_ntrip_upload_t *upload);

/*
 * The next bytes.  Workers that have rovers of the stream are woken.
 *   NGX_OK       messages came, or it is not yet decided what comes
 *   NGX_AGAIN    nothing of use
 *   NGX_DONE     the body has ended by its own account
 *   NGX_ERROR    it cannot go on: *why, for the log and $ntrip_result; what
 *                came before was written
 */
ngx_int_t ngx_stream_ntrip_upload_data(ngx_stream_ntrip_upload_t *upload,
    ngx_str_t *data, const char **why);

/* messages so far; bytes that were none */
uint64_t ngx_stream_ntrip_upload_messages(ngx_stream_ntrip_upload_t *upload);
uint64_t ngx_stream_ntrip_upload_skipped(ngx_stream_ntrip_upload_t *upload);

void ngx_stream_ntrip_upload_tick(ngx_stream_ntrip_upload_t *upload);

/* to and from another worker: the decoders with what is unfinished;
   "body" says something if *chunked */
void ngx_stream_ntrip_upload_save(ngx_stream_ntrip_upload_t *upload,
    ngx_uint_t *chunked, ntrip_chunked_t *body, ntrip_rtcm_t *rtcm);
void ngx_stream_ntrip_upload_restore(ngx_stream_ntrip_upload_t *upload,
    const ntrip_chunked_t *body, const ntrip_rtcm_t *rtcm);


#endif /* _NGX_STREAM_NTRIP_UPLOAD_H_INCLUDED_ */
