
/*
 * Fieldgate: the message in a request body.
 */


#ifndef _CWMP_MESSAGE_H_INCLUDED_
#define _CWMP_MESSAGE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_charset.h"
#include "cwmp_parameter.h"
#include "cwmp_xml.h"


/*
 * Reads a SOAP envelope of CWMP as it comes: says what it is, and has each
 * connection request URL in it reported, see cwmp_parameter.h.  An element left
 * open by the end of the input is closed there.
 */


/* longer identifiers are cut; TR-069 allows 64 characters */
#define CWMP_MESSAGE_ID_MAX       128
#define CWMP_MESSAGE_EVENTS_MAX   256


typedef enum {
    CWMP_MESSAGE_OK = 0,

    CWMP_MESSAGE_URL = CWMP_PARAMETER_TOO_LONG,
    CWMP_MESSAGE_VALUES = CWMP_PARAMETER_TOO_MANY_VALUES,
    CWMP_MESSAGE_EDITS = CWMP_PARAMETER_TOO_MANY_EDITS,
    CWMP_MESSAGE_HANDLER = CWMP_PARAMETER_HANDLER,

    CWMP_MESSAGE_AMBIGUOUS,   /* parsers would disagree, see cwmp_xml.h */
    CWMP_MESSAGE_CHARSET,     /* one that does not contain ASCII */
    CWMP_MESSAGE_DOCTYPE,
    CWMP_MESSAGE_DEPTH        /* elements nested too deeply */
} cwmp_message_error_e;


/* text of a bounded length; bytes that a log or a header cannot hold are '?' */

typedef struct {
    size_t             len;
    u_char             data[CWMP_MESSAGE_ID_MAX];
} cwmp_message_id_t;


typedef struct {

    /*
     * In, after cwmp_message_init() and before the first byte: the handlers in
     * "params", and these.
     */

    ngx_uint_t         declared;      /* Content-Type's, a cwmp_charset_e */
    unsigned           facts_only:1;  /* no URL is in it: be done as soon as
                                         the facts are known */
    off_t              names_end;     /* or: as soon as they are, and the struct
                                         of the last URL's name, which ends
                                         here, is read; 0: to the end */

    /* out, with the texts at the end */

    ngx_uint_t         error;         /* cwmp_message_error_e */
    size_t             nevents;

    /* state; depths are 0 outside such an element */

    ngx_uint_t         depth;
    ngx_uint_t         body;
    ngx_uint_t         inform;
    ngx_uint_t         device_id;
    ngx_uint_t         event;
    ngx_uint_t         fact;
    ngx_uint_t         known;         /* bits, see cwmp_message.c */

    cwmp_message_id_t *id;            /* what is read at depth "fact" */

    size_t             nhead;
    u_char             head[4];       /* until the charset is known */

    unsigned           started:1;

    cwmp_xml_t         xml;
    cwmp_parameter_t   params;        /* from "pending" on nothing is zero */

    /* texts, whose lengths are zero at first */

    cwmp_message_id_t  method;        /* first child of Body */
    cwmp_message_id_t  oui;
    cwmp_message_id_t  product_class;
    cwmp_message_id_t  serial;
    u_char             events[CWMP_MESSAGE_EVENTS_MAX];  /* EventCodes joined
                                         with ',' */

    cwmp_message_id_t  text;          /* of "id", so far and as it came */
    cwmp_message_id_t  event_code;
} cwmp_message_t;


/* m: some 7 KB, kept by the caller; nothing else is ever allocated */

void cwmp_message_init(cwmp_message_t *m);

/*
 * Reads the next len bytes; where the message is split makes no difference.
 * Returns NGX_OK, NGX_DONE if nothing more has to be read, or NGX_ERROR:
 * m->error says why; what was reported before is void.
 */

ngx_int_t cwmp_message_read(cwmp_message_t *m, u_char *p, size_t len);

/*
 * To be called after the last byte: NGX_OK or NGX_ERROR.
 */

ngx_int_t cwmp_message_end(cwmp_message_t *m);

/* why a message is not read, for the log */

const char *cwmp_message_error(ngx_uint_t error);


#include "cwmp_coding.h"
#include "cwmp_prefilter.h"
#include "cwmp_urlmap.h"


#endif /* _CWMP_MESSAGE_H_INCLUDED_ */
