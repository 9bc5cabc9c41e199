
/*
 * The trace of one device, against a plain model of its table.
 *
 * sources: cwmp_trace.c
 */


#include "tap.h"
#include "cwmp_trace.h"


#define TEST_STEPS  20000


static cwmp_trace_t  test_trace;
static uint32_t      test_seed = 1;


static uint32_t
test_random(uint32_t n)
{
    test_seed = test_seed * 1664525 + 1013904223;

    return (test_seed >> 8) % n;
}


static u_char *
test_key(u_char n)
{
    static u_char  keys[4][CWMP_TABLE_KEY_LEN];

    ngx_memset(keys[n], n + 1, CWMP_TABLE_KEY_LEN);

    return keys[n];
}


static ngx_int_t
test_arm(u_char n, ngx_uint_t url, size_t len)
{
    ngx_str_t      id;
    static u_char  text[CWMP_TRACE_ID + 1];

    ngx_memset(text, 'a' + n, sizeof(text));

    id.data = text;
    id.len = len;

    return cwmp_trace_arm(&test_trace, &id, test_key(n),
                          url ? test_key(2 + n) : NULL, n);
}


static void
test_event(u_char n, cwmp_trace_event_e kind, int64_t time)
{
    cwmp_trace_event_t  ev;

    ngx_memzero(&ev, sizeof(cwmp_trace_event_t));

    ev.kind = kind;
    ev.time = time;

    cwmp_trace_event(&test_trace,
                     test_key(kind == CWMP_TRACE_WAKEUP ? 2 + n : n), &ev);
}


/* devices 0 and 1, of which one may be traced, and its URL known */

static void
test_model(void)
{
    u_char               n, device;
    int64_t              step, kept[TEST_STEPS];
    uint32_t             op;
    ngx_uint_t           i, count, nkept, url, wants, same;
    cwmp_trace_event_t   events[CWMP_TRACE_EVENTS];
    cwmp_trace_event_e   kind;
    cwmp_trace_state_e   state;

    state = CWMP_TRACE_OFF;
    device = 0;
    nkept = 0;
    url = 0;
    same = 0;

    for (step = 0; step < TEST_STEPS; step++) {
        op = test_random(200);
        n = test_random(2);

        if (op == 0) {
            url = test_random(2);
            device = n;
            nkept = 0;
            state = CWMP_TRACE_WAITING;
            (void) test_arm(n, url, 1 + n);

        } else if (op == 1) {
            nkept = 0;
            state = CWMP_TRACE_OFF;
            cwmp_trace_off(&test_trace);

        } else if (op < 10) {
            url |= (n == device && state != CWMP_TRACE_OFF);
            cwmp_trace_url(&test_trace, test_key(n), test_key(2 + n));

        } else {
            kind = test_random(CWMP_TRACE_EVENT_KINDS);

            wants = state == CWMP_TRACE_RUNNING
                    || (state == CWMP_TRACE_WAITING
                        && (kind == CWMP_TRACE_INFORM
                            || kind == CWMP_TRACE_WAKEUP));

            if (wants && n == device && (kind != CWMP_TRACE_WAKEUP || url)) {
                kept[nkept++] = step;

                state = (kind == CWMP_TRACE_INFORM) ? CWMP_TRACE_RUNNING
                        : (kind == CWMP_TRACE_LAST) ? CWMP_TRACE_DONE : state;
            }

            test_event(n, kind, step);
        }

        count = cwmp_trace_copy(&test_trace, events);

        if (test_trace.state != (ngx_atomic_uint_t) state
            || test_trace.n != nkept
            || count != ngx_min(nkept, CWMP_TRACE_EVENTS))
        {
            break;
        }

        for (i = 0; i < count; i++) {
            if (events[i].time != kept[nkept - count + i]) {
                break;
            }
        }

        if (i < count) {
            break;
        }

        same += (count == CWMP_TRACE_EVENTS);
    }

    tap_ok(step == TEST_STEPS, "as the model, %d steps", (int) step);
    tap_ok(same > 100, "also with a full ring");
}


int
main(void)
{
    ngx_str_t           text;
    cwmp_trace_event_t  ev;

    tap_ok(test_arm(1, 1, CWMP_TRACE_ID) == NGX_OK, "the longest id");
    tap_ok(test_trace.state == CWMP_TRACE_WAITING && test_trace.since == 1
           && test_trace.id_len == CWMP_TRACE_ID, "is waited for");
    tap_ok(test_arm(0, 0, CWMP_TRACE_ID + 1) == NGX_DECLINED, "a longer one");
    tap_ok(test_trace.since == 1, "is not, and the other one still");

    text.data = (u_char *) "123456789012345678901234567890123456789012345678x";
    text.len = CWMP_TRACE_TEXT + 1;
    cwmp_trace_text(&ev, &text);
    tap_ok(ev.len == CWMP_TRACE_TEXT && ev.text[CWMP_TRACE_TEXT - 1] == '8',
           "a text that is cut");

    text.len = 0;
    cwmp_trace_text(&ev, &text);
    tap_ok(ev.len == 0, "none");

    cwmp_trace_off(&test_trace);
    test_model();

    return tap_done();
}
