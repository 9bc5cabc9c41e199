
/*
 * What a CWMP message says of itself and of its device, split in two at every
 * place.  Its parameters are in cwmp_message.c.
 *
 * sources: cwmp_xml.c cwmp_charset.c
 *          cwmp_message.c cwmp_parameter.c
 *          cwmp_reference.c
 */


#include "tap.h"

#include "cwmp_message.h"


/* none is one of a connection request */

static ngx_int_t
test_value(void *data, cwmp_value_t *value)
{
    return NGX_ERROR;
}


static ngx_uint_t
test_is(cwmp_message_id_t *id, const char *s)
{
    return id->len == strlen(s) && memcmp(id->data, s, id->len) == 0;
}


#define INFORM_HEAD                                                           \
    "<s:Envelope><s:Header><cwmp:ID>Body</cwmp:ID></s:Header><s:Body>"        \
    "<cwmp:Inform><DeviceId><Manufacturer>A&amp;B</Manufacturer>"             \
    "<OUI>00AABB</OUI><WanIPAddress>1.2.3.4</WanIPAddress>"                   \
    "<ProductClass>\n R&amp;\x01T \n</ProductClass>"                          \
    "<SerialNumber>S-1</SerialNumber>"                                        \
    "</DeviceId><Event><EventStruct><EventCode>1 BOOT</EventCode>"            \
    "<CommandKey/></EventStruct><EventStruct><CommandKey>k</CommandKey>"      \
    "</EventStruct><EventStruct><EventCode>4 VALUE CHANGE</EventCode>"        \
    "</EventStruct></Event>"

#define INFORM_TAIL  "<ParameterList>"                                        \
    "<ParameterValueStruct>"                                                  \
    "<Name>Device.DeviceInfo.SerialNumber</Name><Value>other</Value>"         \
    "</ParameterValueStruct>"                                                 \
    "</ParameterList></cwmp:Inform></s:Body></s:Envelope>"


static void
test_facts(void)
{
    size_t      first;
    ngx_int_t   rc;
    ngx_uint_t  facts_only, good, done;

    static cwmp_message_t  m;
    static const char      in[] = INFORM_HEAD INFORM_TAIL;
    static const char      events[] = "1 BOOT,4 VALUE CHANGE";

    for (facts_only = 0; facts_only < 2; facts_only++) {
        good = 1;
        done = 1;

        for (first = 1; first < sizeof(in) - 1; first++) {
            cwmp_message_init(&m);
            m.params.value_handler = test_value;
            m.facts_only = facts_only;

            rc = cwmp_message_read(&m, (u_char *) in, first);

            if (rc == NGX_OK) {
                rc = cwmp_message_read(&m, (u_char *) in + first,
                                       sizeof(in) - 1 - first);
            }

            done &= (rc == (facts_only ? NGX_DONE : NGX_OK));

            good &= test_is(&m.method, "Inform")
                    && test_is(&m.oui, "00AABB")
                    && test_is(&m.product_class, "R&?T")
                    && test_is(&m.serial, "S-1")
                    && m.nevents == sizeof(events) - 1
                    && memcmp(m.events, events, m.nevents) == 0;
        }

        tap_ok(good, "the facts of an Inform%s",
               facts_only ? ", nothing else" : "");
        tap_ok(done, "read to %s", facts_only ? "the last one" : "the end");
    }

    cwmp_message_init(&m);
    m.facts_only = 1;
    rc = cwmp_message_read(&m, (u_char *) "<E><B/><Body><x:Fault a='b'",
                           sizeof("<E><B/><Body><x:Fault a='b'") - 1);
    tap_ok(rc == NGX_OK && m.method.len == 0, "a method is not known yet");
    rc = cwmp_message_read(&m, (u_char *) ">", 1);
    tap_ok(rc == NGX_DONE && test_is(&m.method, "Fault"), "and then it is");

    cwmp_message_init(&m);
    tap_ok(cwmp_message_end(&m) == NGX_OK && m.method.len == 0,
           "an empty message has none");
}


int
main(void)
{
    test_facts();

    return tap_done();
}
