
/*
 * Fieldgate: what happens to the user that is traced.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>

#include "ngx_stream_ntrip_worker.h"


static void ngx_stream_ntrip_traced_fill(ntrip_trace_event_t *ev,
    ntrip_trace_event_e kind, const char *fmt, va_list args);
static void ngx_stream_ntrip_traced_begin(ntrip_trace_event_t *ev,
    ntrip_trace_event_e kind);


void ngx_cdecl
ngx_stream_ntrip_traced_attempt(ngx_str_t *user, ntrip_trace_event_e kind,
    ngx_uint_t status, const char *fmt, ...)
{
    va_list              args;
    ntrip_trace_event_t  ev;

    if (!ngx_stream_ntrip_traces_logins()) {
        return;
    }

    va_start(args, fmt);
    ngx_stream_ntrip_traced_fill(&ev, kind, fmt, args);
    va_end(args);

    ev.status = (uint16_t) status;

    ngx_stream_ntrip_lock_bus();
    ntrip_trace_attempt(&ngx_stream_ntrip_worker.bus->trace, user, &ev);
    ngx_stream_ntrip_unlock_bus();
}


void ngx_cdecl
ngx_stream_ntrip_traced_login(ngx_str_t *user, uint64_t login, uint32_t index,
    const char *fmt, ...)
{
    va_list              args;
    ntrip_trace_event_t  ev;

    if (!ngx_stream_ntrip_traces_logins()) {
        return;
    }

    va_start(args, fmt);
    ngx_stream_ntrip_traced_fill(&ev, NTRIP_TRACE_LOGIN, fmt, args);
    va_end(args);

    ngx_stream_ntrip_lock_bus();
    ntrip_trace_login(&ngx_stream_ntrip_worker.bus->trace, user, login, index,
                      &ev);
    ngx_stream_ntrip_unlock_bus();
}


void ngx_cdecl
ngx_stream_ntrip_traced(uint64_t login, ntrip_trace_event_e kind,
    const char *fmt, ...)
{
    va_list              args;
    ntrip_trace_event_t  ev;

    if (!ngx_stream_ntrip_traces(login)) {
        return;
    }

    va_start(args, fmt);
    ngx_stream_ntrip_traced_fill(&ev, kind, fmt, args);
    va_end(args);

    ngx_stream_ntrip_lock_bus();
    ntrip_trace_event(&ngx_stream_ntrip_worker.bus->trace, login, &ev);
    ngx_stream_ntrip_unlock_bus();
}


void ngx_cdecl
ngx_stream_ntrip_traced_source(uint64_t serial, ntrip_trace_event_e kind,
    const char *fmt, ...)
{
    va_list              args;
    ntrip_trace_event_t  ev;

    if (!ngx_stream_ntrip_traces_stream(serial)) {
        return;
    }

    va_start(args, fmt);
    ngx_stream_ntrip_traced_fill(&ev, kind, fmt, args);
    va_end(args);

    ngx_stream_ntrip_lock_bus();
    ntrip_trace_source_event(&ngx_stream_ntrip_worker.bus->trace, serial, &ev);
    ngx_stream_ntrip_unlock_bus();
}


static void
ngx_stream_ntrip_traced_fill(ntrip_trace_event_t *ev, ntrip_trace_event_e kind,
    const char *fmt, va_list args)
{
    u_char  text[NTRIP_TRACE_TEXT], *last;

    ngx_stream_ntrip_traced_begin(ev, kind);

    last = ngx_vslprintf(text, text + NTRIP_TRACE_TEXT, fmt, args);

    ntrip_trace_text(ev, text, last - text);
}


static void
ngx_stream_ntrip_traced_begin(ntrip_trace_event_t *ev, ntrip_trace_event_e kind)
{
    ngx_time_t  *tp;

    ngx_memzero(ev, sizeof(ntrip_trace_event_t));

    tp = ngx_timeofday();

    ev->time = (int64_t) tp->sec * 1000 + tp->msec;
    ev->process = (uint32_t) ngx_pid;
    ev->kind = kind;
    ev->count = 1;
}


void
ngx_stream_ntrip_traced_skipped(uint64_t login, uint64_t n)
{
    ntrip_trace_event_t  ev;

    if (!ngx_stream_ntrip_traces(login)) {
        return;
    }

    ngx_stream_ntrip_traced_begin(&ev, NTRIP_TRACE_SKIPPED);
    ev.count = n;

    ngx_stream_ntrip_lock_bus();
    ntrip_trace_event(&ngx_stream_ntrip_worker.bus->trace, login, &ev);
    ngx_stream_ntrip_unlock_bus();
}


void
ngx_stream_ntrip_traced_on(uint64_t login, uint64_t serial)
{
    if (!ngx_stream_ntrip_traces(login)) {
        return;
    }

    ngx_stream_ntrip_lock_bus();
    ntrip_trace_on(&ngx_stream_ntrip_worker.bus->trace, login, serial);
    ngx_stream_ntrip_unlock_bus();
}


/* a session says its end before its row goes */

void
ngx_stream_ntrip_traced_tick(void)
{
    uint64_t              login;
    uint32_t              index;
    ntrip_trace_t        *trace;
    ntrip_session_row_t  *row;

    trace = &ngx_stream_ntrip_worker.bus->trace;

    login = __atomic_load_n(&trace->login, __ATOMIC_RELAXED);

    if (login == 0) {
        return;
    }

    /* the row of this login: it may be another one's by now */

    ngx_stream_ntrip_lock_bus();
    index = (trace->login == login) ? (uint32_t) trace->index
                                    : NTRIP_ROW_NONE;
    ngx_stream_ntrip_unlock_bus();

    if (index >= ngx_stream_ntrip_worker.zone->sessions.n) {
        return;
    }

    row = ntrip_session_row(ngx_stream_ntrip_worker.zone, index);

    if (__atomic_load_n(&row->row.state, __ATOMIC_ACQUIRE) != NTRIP_ROW_FREE
        && __atomic_load_n(&row->login, __ATOMIC_ACQUIRE) == login)
    {
        return;
    }

    ngx_stream_ntrip_traced(login, NTRIP_TRACE_END,
                            "its row is gone: its worker has died, or "
                            "another login needed it");
}


ngx_int_t
ngx_stream_ntrip_trace_arm(ngx_str_t *user)
{
    ngx_int_t       rc;
    ntrip_trace_t  *trace;

    rc = NGX_OK;
    trace = &ngx_stream_ntrip_worker.bus->trace;

    ngx_stream_ntrip_lock_bus();

    if (user) {
        rc = ntrip_trace_arm(trace, user, ngx_time());

    } else {
        ntrip_trace_off(trace);
    }

    ngx_stream_ntrip_unlock_bus();

    return rc;
}


void
ngx_stream_ntrip_trace_copy(ntrip_trace_t *copy)
{
    ngx_stream_ntrip_lock_bus();
    *copy = ngx_stream_ntrip_worker.bus->trace;
    ngx_stream_ntrip_unlock_bus();
}
