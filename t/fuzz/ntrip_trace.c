
/*
 * sources: ntrip_trace.c ntrip_json.c ntrip_text.c
 *
 * The input is a list of events: what happens, whose it is, and a text.  What
 * there is then is always a ring of so many, in the order of their times, and
 * JSON that fits; and nothing of another session.
 */


#include "fuzz.h"

#include "ntrip_trace.h"


static ntrip_trace_t  trace;
static u_char         json_buf[NTRIP_TRACE_JSON];


static void
check(uint64_t running)
{
    ngx_uint_t            i, n;
    ntrip_json_t          json;
    ntrip_trace_event_t  *ev;

    n = ntrip_trace_events(&trace);
    test(n <= NTRIP_TRACE_EVENTS && n <= trace.n);

    for (i = 0; i < n; i++) {
        ev = ntrip_trace_at(&trace, i);
        test(ev->count > 0 && ev->len <= NTRIP_TRACE_TEXT);
        test(ev->process == running || ev->kind < NTRIP_TRACE_STREAM);

        if (i && ev->kind < NTRIP_TRACE_COUNTED) {
            test(ev->time > ntrip_trace_at(&trace, i - 1)->time);
        }
    }

    ntrip_json_init(&json, json_buf, sizeof(json_buf), NULL, 0);
    ntrip_trace_json(&trace, &json);
    test(!json.out.overflow && json.depth == 0);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t             login, running;
    int64_t              time;
    ngx_str_t            user;
    ntrip_trace_event_t  ev;

    ngx_memzero(&trace, sizeof(ntrip_trace_t));
    running = 0;

    for (time = 1; size >= 4; time++) {
        user.data = (u_char *) (data[1] & 1 ? "anna" : "bert");
        user.len = 4;
        login = 1 + (data[1] >> 1 & 3);

        ngx_memzero(&ev, sizeof(ntrip_trace_event_t));
        ev.time = time;
        ev.process = (uint32_t) login;
        ev.count = 1;
        ev.kind = data[2] % NTRIP_TRACE_EVENT_KINDS;
        ntrip_trace_text(&ev, (u_char *) data + 4,
                         ngx_min(size - 4, (size_t) data[3]));

        switch (data[0] % 8) {

        case 0:
            test(ntrip_trace_arm(&trace, &user, time) == NGX_OK);
            break;

        case 1:
            ntrip_trace_off(&trace);
            break;

        case 2:
            ev.kind %= NTRIP_TRACE_LOGIN;
            ntrip_trace_attempt(&trace, &user, &ev);
            break;

        case 3:
            ev.kind = NTRIP_TRACE_LOGIN;
            ntrip_trace_login(&trace, &user, login, 0, &ev);

            if (trace.login) {
                running = trace.login;
            }

            break;

        case 4:
            ntrip_trace_on(&trace, login, login);
            break;

        case 5:
            if (ev.kind >= NTRIP_TRACE_NONE) {
                ntrip_trace_source_event(&trace, login, &ev);
            }

            break;

        default:
            if (ev.kind >= NTRIP_TRACE_STREAM) {
                ntrip_trace_event(&trace, login, &ev);
            }
        }

        check(running);

        data += 4;
        size -= 4;
    }

    return 0;
}
