
/*
 * The messages of the CWMP benchmark.  Load generator and ACS make the same
 * ones, so that each can compare all that the other's bytes have become.
 */


#ifndef _SOAP_H_INCLUDED_
#define _SOAP_H_INCLUDED_


#include <stddef.h>


/*
 * Kinds of message
 *
 *   U  Inform with a ConnectionRequestURL
 *   N  Inform without
 *   G  GetParameterValuesResponse with one in its middle
 *   R  GetParameterValuesResponse without
 */

#define SOAP_KINDS        "UNGR"

#define SOAP_INFORM_SIZE  4096
#define SOAP_REPLY_SIZE   520

#define SOAP_MAX_DEVICES  65536

/* of a device's session: KDDDDDDDD-SSSSSSSS, K is the kind, the rest is hex */
#define SOAP_ID_LEN       (sizeof("U00000000-00000000") - 1)


typedef struct {
    char     *data;
    size_t    len;
    size_t    id;                /* offsets in data */
    size_t    serial;
    size_t    url;               /* 0: none */
    size_t    url_len;
} soap_message_t;


void soap_message_make(soap_message_t *m, int kind, size_t size);

/* writes device and session into data, which is the message or a copy of it */
void soap_message_stamp(soap_message_t *m, char *data, unsigned device,
    unsigned session);

/* writes the id alone */
void soap_id(char *p, int kind, unsigned device, unsigned session);

/* eight hexadecimal digits */
void soap_hex(char *p, unsigned n);
int soap_unhex(const char *p, unsigned *n);      /* 0: they are none */

/* SOAP_REPLY_SIZE bytes; the return value is the offset of the id */
size_t soap_reply_make(char *data);


#endif /* _SOAP_H_INCLUDED_ */
