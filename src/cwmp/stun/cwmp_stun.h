
/*
 * Fieldgate: STUN as CPEs behind NAT speak it (TR-069 Annex G): RFC 3489, and
 * what clients of RFC 5389 need.
 *
 * Only the Binding Request is answered.  Nothing that it says but its id gets
 * into the answer, whose size is the same for all of an address family, so that
 * there is little to gain by a forged sender; it goes to the sender's address,
 * if to another port.
 *
 * CONNECTION-REQUEST-BINDING and BINDING-CHANGE (0xc001, 0xc002) say nothing
 * that is needed: each request refreshes its binding.  Credentials are neither
 * asked for nor looked at: USERNAME and MESSAGE-INTEGRITY are taken as if they
 * were not there, since anybody may learn his own address.
 */


#ifndef _CWMP_STUN_H_INCLUDED_
#define _CWMP_STUN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define CWMP_STUN_HEADER       20
#define CWMP_STUN_ID           16      /* bytes; RFC 5389: cookie and 12 */

/* a longer datagram is none of ours */
#define CWMP_STUN_REQUEST_MAX  1472

/*
 * Bytes of an answer: IPv4, IPv6.  Headers of IPv4 and UDP included, an answer
 * has twice the bytes of the smallest request, those of IPv6 2.4 times.
 */
#define CWMP_STUN_ANSWER_MAX4  (CWMP_STUN_HEADER + 4 * 12)
#define CWMP_STUN_ANSWER_MAX   (CWMP_STUN_HEADER + 4 * 24)

/* of unknown attributes that an answer names */
#define CWMP_STUN_UNKNOWN_MAX  4


/*
 * An IP address and a port, in a form of its own: equal ones are equal byte by
 * byte, also in shared memory.
 */

typedef struct {
    u_char               addr[16];     /* IPv4: the first 4, then zeros */
    uint16_t             port;         /* host byte order */
    uint16_t             family;       /* AF_INET, AF_INET6; 0: none */
} cwmp_endpoint_t;


typedef enum {
    CWMP_STUN_REQUEST = 0,      /* answer it */
    CWMP_STUN_UNKNOWN,          /* an attribute that has to be known and is
                                   not: answer that */
    CWMP_STUN_MALFORMED,        /* drop it: not STUN, or damaged */
    CWMP_STUN_OTHER,            /* drop it: no Binding Request */
    CWMP_STUN_CHANGE,           /* drop it: another address is to answer */
    CWMP_STUN_REFLECTION        /* drop it: somebody else is to be answered */
} cwmp_stun_verdict_e;


typedef struct {
    u_char               id[CWMP_STUN_ID];
    cwmp_endpoint_t      response;     /* where the answer goes */

    uint16_t             unknown[CWMP_STUN_UNKNOWN_MAX];
    ngx_uint_t           nunknown;

    unsigned             cookie:1;     /* a client of RFC 5389 */
    unsigned             elsewhere:1;  /* response is not the sender: a CPE
                                          looks how long its binding lives */
} cwmp_stun_request_t;


/*
 * Reads a datagram of any length.  Where a client of RFC 3489 does not pad its
 * attributes, which that does not ask for, they are read as they are.  *q is
 * set in full, whatever is returned.
 */
cwmp_stun_verdict_e cwmp_stun_parse(cwmp_stun_request_t *q, u_char *p,
    size_t len, cwmp_endpoint_t *from);

/*
 * Writes the answer to a CWMP_STUN_REQUEST: MAPPED-ADDRESS, with the cookie
 * XOR-MAPPED-ADDRESS, SOURCE-ADDRESS and CHANGED-ADDRESS, which are both
 * "local", as Orange's tr069agent fails without the latter.  Returns the end;
 * p has CWMP_STUN_ANSWER_MAX bytes.
 */
u_char *cwmp_stun_answer(u_char *p, cwmp_stun_request_t *q,
    cwmp_endpoint_t *from, cwmp_endpoint_t *local);

/*
 * Writes the answer to a CWMP_STUN_UNKNOWN: error 420, in no more bytes than
 * CWMP_STUN_ANSWER_MAX4.
 */
u_char *cwmp_stun_refuse(u_char *p, cwmp_stun_request_t *q);


/*
 * An IPv4 address that is mapped into an IPv6 one is taken for itself.  Of
 * another family: *e is none, NGX_DECLINED.
 */
ngx_int_t cwmp_endpoint_set(cwmp_endpoint_t *e, struct sockaddr *sa);

/* Returns the length of the address. */
socklen_t cwmp_endpoint_sockaddr(cwmp_endpoint_t *e, ngx_sockaddr_t *sa);

#define cwmp_endpoint_same(a, b)                                              \
    (ngx_memcmp(a, b, sizeof(cwmp_endpoint_t)) == 0)

/* the same address, whatever the port */

#define cwmp_endpoint_same_host(a, b)                                         \
    ((a)->family == (b)->family && ngx_memcmp((a)->addr, (b)->addr, 16) == 0)


#endif /* _CWMP_STUN_H_INCLUDED_ */
