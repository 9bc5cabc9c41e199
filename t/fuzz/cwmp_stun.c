/*
 * Fieldgate: datagrams to the STUN server.  The first byte says which sender:
 * nobody else is ever answered, an answer has the request's id and is no longer
 * than that of the shortest request may be.
 *
 * sources: cwmp_stun.c
 * libs:
 */

#include "fuzz.h"
#include "cwmp_stun.h"


/* as a socket has it, and as one that takes both families has IPv4 */

static void
same(cwmp_endpoint_t *e)
{
    ngx_sockaddr_t    sa, mapped;
    cwmp_endpoint_t   back;

    test(cwmp_endpoint_sockaddr(e, &sa)
         == (e->family == AF_INET ? sizeof(struct sockaddr_in)
                                  : sizeof(struct sockaddr_in6)));
    test(cwmp_endpoint_set(&back, &sa.sockaddr) == NGX_OK);
    test(cwmp_endpoint_same(&back, e));

    if (e->family == AF_INET) {
        memset(&mapped, 0, sizeof(mapped));
        mapped.sockaddr_in6.sin6_family = AF_INET6;
        mapped.sockaddr_in6.sin6_port = sa.sockaddr_in.sin_port;
        memset(&mapped.sockaddr_in6.sin6_addr.s6_addr[10], 0xff, 2);
        memcpy(&mapped.sockaddr_in6.sin6_addr.s6_addr[12], e->addr, 4);

        test(cwmp_endpoint_set(&back, &mapped.sockaddr) == NGX_OK);
        test(cwmp_endpoint_same(&back, e));
    }

    sa.sockaddr.sa_family = AF_UNIX;
    test(cwmp_endpoint_set(&back, &sa.sockaddr) == NGX_DECLINED);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char               answer[CWMP_STUN_ANSWER_MAX], *p;
    ngx_str_t            s;
    cwmp_endpoint_t      from;
    cwmp_stun_request_t  q;
    cwmp_stun_verdict_e  verdict;

    if (size < 1) {
        return 0;
    }

    memset(&from, 0, sizeof(cwmp_endpoint_t));
    from.family = (data[0] & 1) ? AF_INET6 : AF_INET;
    from.port = 40000;
    memset(from.addr, 'a', (data[0] & 1) ? 16 : 4);

    s = fuzz_copy(data + 1, size - 1);

    verdict = cwmp_stun_parse(&q, s.data, s.len, &from);

    switch (verdict) {

    case CWMP_STUN_REQUEST:
        test(cwmp_endpoint_same_host(&q.response, &from));
        test(q.response.port != 0);
        test(q.elsewhere == !cwmp_endpoint_same(&q.response, &from));
        same(&q.response);

        p = cwmp_stun_answer(answer, &q, &from, &from);
        break;

    case CWMP_STUN_UNKNOWN:
        test(q.nunknown > 0 && q.nunknown <= CWMP_STUN_UNKNOWN_MAX);

        p = cwmp_stun_refuse(answer, &q);
        break;

    default:
        free(s.data);
        return 0;
    }

    test(s.len >= CWMP_STUN_HEADER && s.len <= CWMP_STUN_REQUEST_MAX);
    test(p - answer <= ((data[0] & 1) ? CWMP_STUN_ANSWER_MAX
                                      : CWMP_STUN_ANSWER_MAX4));
    test((answer[2] << 8 | answer[3]) == p - answer - CWMP_STUN_HEADER);
    test(memcmp(answer + 4, s.data + 4, CWMP_STUN_ID) == 0);
    test((answer[0] << 8 | answer[1]) != 0x0001);

    free(s.data);

    return 0;
}
