
/*
 * The messages of the CWMP benchmark.
 */


#include "soap.h"
#include "bench.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>


#define SOAP_NO_ID       "U00000000-00000000"

#define SOAP_HEAD                                                             \
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"                            \
    "<soap-env:Envelope"                                                      \
    " xmlns:soap-env=\"http://schemas.xmlsoap.org/soap/envelope/\""           \
    " xmlns:soap-enc=\"http://schemas.xmlsoap.org/soap/encoding/\""           \
    " xmlns:xsd=\"http://www.w3.org/2001/XMLSchema\""                         \
    " xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\""                \
    " xmlns:cwmp=\"urn:dslforum-org:cwmp-1-0\">\n"                            \
    "<soap-env:Header><cwmp:ID soap-env:mustUnderstand=\"1\">"

#define SOAP_BODY        "</cwmp:ID></soap-env:Header>\n<soap-env:Body>\n"
#define SOAP_TAIL        "</soap-env:Body>\n</soap-env:Envelope>\n"

#define SOAP_DEVICE_ID                                                        \
    "<DeviceId>\n"                                                            \
    "<Manufacturer>Fieldgate</Manufacturer>\n"                                \
    "<OUI>0050C2</OUI>\n"                                                     \
    "<ProductClass>Bench</ProductClass>\n"                                    \
    "<SerialNumber>"

#define SOAP_EVENT                                                            \
    "</SerialNumber>\n"                                                       \
    "</DeviceId>\n"                                                           \
    "<Event soap-enc:arrayType=\"cwmp:EventStruct[1]\">\n"                    \
    "<EventStruct><EventCode>2 PERIODIC</EventCode>"                          \
    "<CommandKey></CommandKey></EventStruct>\n"                               \
    "</Event>\n"                                                              \
    "<MaxEnvelopes>1</MaxEnvelopes>\n"                                        \
    "<CurrentTime>2026-01-01T00:00:00Z</CurrentTime>\n"                       \
    "<RetryCount>0</RetryCount>\n"

#define SOAP_LIST                                                             \
    "<ParameterList soap-enc:arrayType=\"cwmp:ParameterValueStruct[00000]\">\n"
#define SOAP_LIST_END    "</ParameterList>\n"

#define SOAP_STRUCT                                                           \
    "<ParameterValueStruct>\n"                                                \
    "<Name>InternetGatewayDevice.%s</Name>\n"                                 \
    "<Value xsi:type=\"xsd:string\">%s</Value>\n"                             \
    "</ParameterValueStruct>\n"

#define SOAP_URL         "http://127.0.0.1:7547/cr/00000000"


typedef struct {
    char      *data;
    size_t     size;
    size_t     len;
} soap_text_t;


static void soap_add(soap_text_t *t, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
static void soap_fill(soap_text_t *t, size_t size, int *n);


void
soap_message_make(soap_message_t *m, int kind, size_t size)
{
    int          n, inform, url;
    char         count[8];
    size_t       list;
    soap_text_t  t;
    const char  *end;

    inform = (kind == 'U' || kind == 'N');
    url = (kind == 'U' || kind == 'G');
    end = inform ? "</cwmp:Inform>\n" : "</cwmp:GetParameterValuesResponse>\n";

    t.size = size + 1;
    t.data = bench_alloc(t.size);
    t.len = 0;

    memset(m, 0, sizeof(*m));

    soap_add(&t, "%s", SOAP_HEAD);
    m->id = t.len;
    soap_add(&t, "%s%s", SOAP_NO_ID, SOAP_BODY);

    if (inform) {
        soap_add(&t, "<cwmp:Inform>\n%s", SOAP_DEVICE_ID);
        m->serial = t.len;
        soap_add(&t, "00000000%s", SOAP_EVENT);

    } else {
        soap_add(&t, "<cwmp:GetParameterValuesResponse>\n");
    }

    list = t.len + sizeof(SOAP_LIST) - sizeof("00000]\">\n");
    soap_add(&t, "%s", SOAP_LIST);

    n = 0;
    soap_fill(&t, size / 2, &n);

    soap_add(&t, SOAP_STRUCT,
             url ? "ManagementServer.ConnectionRequestURL"
                 : "ManagementServer.X_0050C2_AnotherAddress", SOAP_URL);
    n++;

    if (url) {
        m->url_len = sizeof(SOAP_URL) - 1;
        m->url = t.len - m->url_len
                 - (sizeof("</Value>\n</ParameterValueStruct>\n") - 1);
    }

    soap_fill(&t, size - (sizeof(SOAP_LIST_END SOAP_TAIL) - 1) - strlen(end),
              &n);

    soap_add(&t, "%s%s%s", SOAP_LIST_END, end, SOAP_TAIL);

    snprintf(count, sizeof(count), "%05d", n);
    memcpy(t.data + list, count, 5);

    m->data = t.data;
    m->len = t.len;

    if (m->len != size
        || (url && memcmp(m->data + m->url, SOAP_URL, m->url_len) != 0))
    {
        bench_die("a message of %zu bytes cannot be made", size);
    }
}


static void
soap_add(soap_text_t *t, const char *fmt, ...)
{
    int      n;
    va_list  args;

    va_start(args, fmt);
    n = vsnprintf(t->data + t->len, t->size - t->len, fmt, args);
    va_end(args);

    if (n < 0 || (size_t) n >= t->size - t->len) {
        bench_die("a message of %zu bytes is too small", t->size - 1);
    }

    t->len += n;
}


/* more parameters, until the text is exactly size bytes long */

static void
soap_fill(soap_text_t *t, size_t size, int *n)
{
    char    name[64];
    size_t  left, all;

    while (t->len < size) {
        snprintf(name, sizeof(name), "LANDevice.1.Hosts.Host.%d.HostName", *n);

        left = size - t->len;
        all = sizeof(SOAP_STRUCT) - sizeof("%s%s") + strlen(name);

        if (left < all) {
            bench_die("a message of %zu bytes cannot be filled", size);
        }

        left -= all;

        /* what remains for the last one is enough for it and no more */

        all += sizeof("host-on-the-lan") - 1;
        if (left >= 2 * all) {
            left = sizeof("host-on-the-lan") - 1;
        }

        soap_add(t, SOAP_STRUCT, name, "");
        t->len -= sizeof("</Value>\n</ParameterValueStruct>\n") - 1;

        memset(t->data + t->len, 'x', left);
        t->len += left;

        soap_add(t, "</Value>\n</ParameterValueStruct>\n");
        (*n)++;
    }
}


void
soap_message_stamp(soap_message_t *m, char *data, unsigned device,
    unsigned session)
{
    soap_hex(data + m->id + 1, device);
    soap_hex(data + m->id + 10, session);

    if (m->serial) {
        soap_hex(data + m->serial, device);
    }

    if (m->url) {
        soap_hex(data + m->url + m->url_len - 8, device);
    }
}


void
soap_id(char *p, int kind, unsigned device, unsigned session)
{
    p[0] = kind;
    soap_hex(p + 1, device);
    p[9] = '-';
    soap_hex(p + 10, session);
}


void
soap_hex(char *p, unsigned n)
{
    int  i;

    for (i = 7; i >= 0; i--) {
        p[i] = "0123456789ABCDEF"[n & 15];
        n >>= 4;
    }
}


int
soap_unhex(const char *p, unsigned *n)
{
    int  i, c;

    *n = 0;

    for (i = 0; i < 8; i++) {
        c = p[i];

        if (c >= '0' && c <= '9') {
            c -= '0';

        } else if (c >= 'A' && c <= 'F') {
            c -= 'A' - 10;

        } else {
            return 0;
        }

        *n = *n << 4 | c;
    }

    return 1;
}


size_t
soap_reply_make(char *data)
{
    int     n;
    size_t  id;

    id = sizeof(SOAP_HEAD) - 1;

    n = snprintf(data, SOAP_REPLY_SIZE, "%s%s%s%s%s", SOAP_HEAD, SOAP_NO_ID,
                 SOAP_BODY, "<cwmp:InformResponse/>\n", SOAP_TAIL);

    if (n < 0 || n >= SOAP_REPLY_SIZE) {
        bench_die("a reply of %d bytes is too long", n);
    }

    memset(data + n, '\n', SOAP_REPLY_SIZE - n);

    return id;
}
