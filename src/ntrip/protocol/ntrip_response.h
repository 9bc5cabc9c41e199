/*
 * The replies to rovers, base stations and browsers.
 *
 * The form (ntrip_request.h) decides.  A 1.0 client looks for "ICY 200 OK",
 * "SOURCETABLE 200 OK" or "401" and takes any other HTTP reply for an error
 * or, worse, for corrections (RTKLIB, AgOpenGPS); QField and MAVProxy want a
 * blank line behind ICY.  2.0 clients compare "Content-Type: gnss/data" with
 * its case (BKG ntripclient), u-center wants the table's Content-Length.
 */


#ifndef _NTRIP_RESPONSE_H_INCLUDED_
#define _NTRIP_RESPONSE_H_INCLUDED_


#include "ntrip_request.h"
#include "ntrip_text.h"


/* any reply header, and any error reply as a whole, is shorter */
#define NTRIP_RESPONSE_MAX    1024


/*
 * All of these append to "out"; "now" is in seconds since 1970.
 */

/*
 * The rover, or the base, is welcome.  A SOURCE gets the 1.0 form whatever
 * else it says.  With "chunked" (2.0 only, ignored otherwise) the coding is
 * announced.
 */
void ntrip_response_ok(ntrip_out_t *out, ngx_uint_t form, time_t now,
    ngx_uint_t chunked);

/* the header in front of a sourcetable of "length" bytes, ENDSOURCETABLE
   included; 1.0 and 2.0 only: a browser gets ntrip_response_page() */
void ntrip_response_sourcetable(ntrip_out_t *out, ngx_uint_t form, time_t now,
    size_t length);

/* the sourcetable as a page: header and body; needs
   ntrip_response_page_size(table) bytes at most */
void ntrip_response_page(ntrip_out_t *out, time_t now, ngx_str_t *table);
size_t ntrip_response_page_size(ngx_str_t *table);

/*
 * An error, header and body: 400, 401, 403, 404, 409, 501, 503.
 *
 * 401 is in full form in each version, with the mountpoint as realm.  1.0
 * knows no other HTTP error:
 *   SOURCE          "ERROR - ..." lines; bases compare their text
 *   GET, 400        HTTP/1.0, as only a person will read it
 *   GET, 501        likewise
 *   GET, 404        the caller sends the sourcetable
 *   GET, 403, 409, 503
 *                   nothing is appended: closing is the answer, since rovers
 *                   take 401 for ever (SparkFun) and a table for a typing
 *                   error
 *
 * "mount" may be empty.
 */
void ntrip_response_error(ntrip_out_t *out, ngx_uint_t method,
    ngx_uint_t form, ngx_uint_t status, time_t now, ngx_str_t *mount);

/* the status that answers an NTRIP_REQUEST_* error; 0: close silently, the
   peer does not speak any protocol of ours */
ngx_uint_t ntrip_response_status(ngx_uint_t request_error);


#endif /* _NTRIP_RESPONSE_H_INCLUDED_ */
