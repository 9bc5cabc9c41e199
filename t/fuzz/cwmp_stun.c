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
