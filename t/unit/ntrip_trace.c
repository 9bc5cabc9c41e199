
/*
 * The trace of one user, against a plain model of its table.
 *
 * sources: ntrip_trace.c ntrip_json.c ntrip_text.c
 */


#include "tap.h"
#include "ntrip_trace.h"


#define TEST_STEPS  200000


static ntrip_trace_t  test_trace;
static uint32_t       test_seed = 1;


static uint32_t
test_random(uint32_t n)
{
    test_seed = test_seed * 1664525 + 1013904223;

    return (test_seed >> 8) % n;
}


static ngx_str_t *
test_user(ngx_uint_t n)
{
    static ngx_str_t  users[] = { ngx_string("anna"), ngx_string("bert") };

    return &users[n];
}


static ntrip_trace_event_t
test_make(ntrip_trace_event_e kind, int64_t time)
{
    ntrip_trace_event_t  ev;

    ngx_memzero(&ev, sizeof(ntrip_trace_event_t));

    ev.kind = kind;
    ev.time = time;
    ev.count = 1;

    return ev;
}


/* of what there was: kind, time of the last one, how many */

static struct {
    uint32_t  kind;
    int64_t   time;
    uint64_t  count;
} test_kept[TEST_STEPS];

static ngx_uint_t  test_n;


static void
test_keep(uint32_t kind, int64_t time)
{
    ngx_uint_t  i;

    if (kind >= NTRIP_TRACE_COUNTED) {
        for (i = test_n; i && test_kept[i - 1].kind >= NTRIP_TRACE_COUNTED;
             i--)
        {
            if (test_kept[i - 1].kind == kind) {
                test_kept[i - 1].time = time;
                test_kept[i - 1].count++;
                return;
            }
        }
    }

    test_kept[test_n].kind = kind;
    test_kept[test_n].time = time;
    test_kept[test_n].count = 1;
    test_n++;
}


static ngx_uint_t
test_same(void)
{
    ngx_uint_t            i, n;
    ntrip_trace_event_t  *ev;

    n = ntrip_trace_events(&test_trace);

    if (test_trace.n != test_n || n != ngx_min(test_n, NTRIP_TRACE_EVENTS)) {
        return 0;
    }

    for (i = 0; i < n; i++) {
        ev = ntrip_trace_at(&test_trace, i);

        if (ev->kind != test_kept[test_n - n + i].kind
            || ev->time != test_kept[test_n - n + i].time
            || ev->count != test_kept[test_n - n + i].count)
        {
            return 0;
        }
    }

    return 1;
}


/* two users, of which one may be traced, with sessions 1 to 4 on streams 1 to
   4, as those who call see them: without the lock, then with it */

static void
test_model(void)
{
    int64_t               step;
    uint32_t              op, kind;
    uint64_t              login, stream, traced, on;
    ngx_uint_t            n, user, first, full, done, ok;
    ntrip_trace_event_t   ev;
    ntrip_trace_state_e   state;

    state = NTRIP_TRACE_OFF;
    user = 0;
    first = 0;
    traced = 0;
    on = 0;
    full = 0;
    done = 0;

    for (step = 0; step < TEST_STEPS; step++) {
        op = test_random(4000);
        op = (op < 2) ? op : 2 + op % 398;
        n = test_random(2);
        login = 1 + test_random(4);
        stream = test_random(3);

        if (op == 0) {
            ok = (ntrip_trace_arm(&test_trace, test_user(n), step) == NGX_OK
                  && test_trace.since == step);
            state = NTRIP_TRACE_WAITING;
            user = n;
            traced = on = first = test_n = 0;

        } else if (op == 1) {
            ntrip_trace_off(&test_trace);
            state = NTRIP_TRACE_OFF;
            traced = on = first = test_n = 0;
            ok = 1;

        } else if (op < 60) {
            kind = test_random(NTRIP_TRACE_LOGIN);
            ev = test_make(kind, step);
            ntrip_trace_attempt(&test_trace, test_user(n), &ev);

            if (state == NTRIP_TRACE_WAITING && n == user) {
                test_keep(kind, step);
            }

            ok = 1;

        } else if (op < 70) {
            ev = test_make(NTRIP_TRACE_LOGIN, step);
            ntrip_trace_login(&test_trace, test_user(n), login, 7, &ev);
            ok = 1;

            if (n == user && state == NTRIP_TRACE_WAITING) {
                test_keep(NTRIP_TRACE_LOGIN, step);
                state = NTRIP_TRACE_RUNNING;
                traced = login;
                on = first = 0;
                ok = (test_trace.index == 7);

            } else if (n == user && state == NTRIP_TRACE_RUNNING) {
                test_keep(NTRIP_TRACE_OTHER, step);
            }

        } else if (op < 100) {
            ntrip_trace_on(&test_trace, login, stream);

            if (login == traced) {
                on = stream;
            }

            ok = 1;

        } else if (op < 300) {
            kind = NTRIP_TRACE_STREAM + test_random(NTRIP_TRACE_EVENT_KINDS
                                                    - NTRIP_TRACE_STREAM);

            if (kind == NTRIP_TRACE_END && test_random(20)) {
                kind = NTRIP_TRACE_POSITION;
            }

            ev = test_make(kind, step);
            ok = (!!ntrip_trace_session(&test_trace, login)
                  == (login == traced));
            ntrip_trace_event(&test_trace, login, &ev);

            if (login == traced && !(kind == NTRIP_TRACE_FIRST && first)) {
                test_keep(kind, step);

                first = (kind == NTRIP_TRACE_FIRST)
                        || (first && kind != NTRIP_TRACE_STREAM);

                if (kind == NTRIP_TRACE_END) {
                    state = NTRIP_TRACE_DONE;
                    traced = on = 0;
                    done++;
                }
            }

        } else {
            kind = NTRIP_TRACE_NONE + test_random(NTRIP_TRACE_EVENT_KINDS
                                                  - NTRIP_TRACE_NONE);
            ev = test_make(kind, step);
            ok = (!!ntrip_trace_source(&test_trace, stream)
                  == (stream && stream == on));

            if (stream) {
                ntrip_trace_source_event(&test_trace, stream, &ev);

                if (stream == on) {
                    test_keep(kind, step);
                }
            }
        }

        if (!ok
            || test_trace.state != (uint64_t) state
            || !!ntrip_trace_looks(&test_trace)
               != (state == NTRIP_TRACE_WAITING
                   || state == NTRIP_TRACE_RUNNING)
            || !test_same())
        {
            break;
        }

        full += (test_n > NTRIP_TRACE_EVENTS);
    }

    tap_ok(step == TEST_STEPS, "as the model, %d steps", (int) step);
    tap_ok(full > 100 && done > 10, "also with a full ring, and to the end");
}


/* the longest one there can be */

static void
test_json(void)
{
    u_char               *buf, name[NTRIP_USER_MAX];
    ngx_str_t             user;
    ngx_uint_t            i;
    ntrip_json_t          json;
    ntrip_trace_event_t   ev;

    buf = malloc(NTRIP_TRACE_JSON);

    ngx_memset(name, 1, sizeof(name));
    user.data = name;
    user.len = sizeof(name);

    tap_ok(ntrip_trace_arm(&test_trace, &user, 1) == NGX_OK,
           "the longest name");
    user.len++;
    tap_ok(ntrip_trace_arm(&test_trace, &user, 2) == NGX_DECLINED
           && test_trace.since == 1, "a longer one: the other one still");
    user.len = 0;
    tap_ok(ntrip_trace_arm(&test_trace, &user, 2) == NGX_DECLINED, "none");

    user.len = sizeof(name);
    ev = test_make(NTRIP_TRACE_REQUEST, 1700000000123);
    ev.process = 4294967295U;
    ev.count = UINT64_MAX / 2;
    ev.status = 503;
    ntrip_trace_text(&ev, name, sizeof(name));
    tap_ok(ev.len == NTRIP_TRACE_TEXT, "a text that is cut");

    for (i = 0; i < NTRIP_TRACE_EVENTS + 1; i++) {
        ntrip_trace_attempt(&test_trace, &user, &ev);
    }

    ntrip_json_init(&json, buf, NTRIP_TRACE_JSON, NULL, 0);
    ntrip_trace_json(&test_trace, &json);
    tap_ok(!json.out.overflow && json.depth == 0, "JSON of the longest trace");
    *json.out.last = '\0';
    tap_ok(strstr((char *) buf, "\"time\":1700000000.123,\"event\":\"request\","
                                "\"count\":9223372036854775807,\"status\":503,"
                                "\"text\":\"\\u0001") != NULL, "an event");
    tap_ok(strncmp((char *) buf, "{\"state\":\"waiting\","
                                 "\"user\":\"\\u0001", 33) == 0, "its head");

    ntrip_trace_off(&test_trace);
    ntrip_json_init(&json, buf, NTRIP_TRACE_JSON, NULL, 0);
    ntrip_trace_json(&test_trace, &json);
    *json.out.last = '\0';
    tap_ok(strcmp((char *) buf, "{\"state\":\"off\",\"user\":null,"
                                "\"since\":null,\"events\":0,\"items\":[]}")
           == 0, "nobody is traced");

    free(buf);
}


int
main(void)
{
    test_model();
    ntrip_trace_off(&test_trace);
    test_json();

    return tap_done();
}
