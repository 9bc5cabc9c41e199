
/*
 * Fieldgate: the trace of one device.
 */


#include "cwmp_trace.h"


static ngx_uint_t cwmp_trace_wants(cwmp_trace_t *t, cwmp_trace_event_e kind);


ngx_int_t
cwmp_trace_arm(cwmp_trace_t *t, const ngx_str_t *id, const u_char *device,
    const u_char *url, int64_t time)
{
    if (id->len > CWMP_TRACE_ID) {
        return NGX_DECLINED;
    }

    cwmp_trace_off(t);

    ngx_memcpy(t->id, id->data, id->len);
    t->id_len = (uint32_t) id->len;

    ngx_memcpy(t->device, device, CWMP_TABLE_KEY_LEN);

    if (url) {
        ngx_memcpy(t->url, url, CWMP_TABLE_KEY_LEN);

    } else {
        ngx_memzero(t->url, CWMP_TABLE_KEY_LEN);
    }

    t->since = time;
    t->state = CWMP_TRACE_WAITING;

    return NGX_OK;
}


void
cwmp_trace_off(cwmp_trace_t *t)
{
    t->state = CWMP_TRACE_OFF;
    t->id_len = 0;
    t->n = 0;
}


void
cwmp_trace_event(cwmp_trace_t *t, const u_char *key,
    const cwmp_trace_event_t *ev)
{
    const u_char  *own;

    own = (ev->kind == CWMP_TRACE_WAKEUP) ? t->url : t->device;

    if (!cwmp_trace_wants(t, ev->kind)
        || ngx_memcmp(own, key, CWMP_TABLE_KEY_LEN) != 0)
    {
        return;
    }

    t->events[t->n % CWMP_TRACE_EVENTS] = *ev;
    t->n++;

    if (ev->kind == CWMP_TRACE_INFORM) {
        t->state = CWMP_TRACE_RUNNING;
    }

    if (ev->kind == CWMP_TRACE_LAST) {
        t->state = CWMP_TRACE_DONE;
    }
}


static ngx_uint_t
cwmp_trace_wants(cwmp_trace_t *t, cwmp_trace_event_e kind)
{
    switch (t->state) {

    case CWMP_TRACE_WAITING:
        return kind == CWMP_TRACE_INFORM || kind == CWMP_TRACE_WAKEUP;

    case CWMP_TRACE_RUNNING:
        return 1;

    default: /* CWMP_TRACE_OFF, CWMP_TRACE_DONE */
        return 0;
    }
}


void
cwmp_trace_url(cwmp_trace_t *t, const u_char *device, const u_char *url)
{
    if (ngx_memcmp(t->device, device, CWMP_TABLE_KEY_LEN) == 0) {
        ngx_memcpy(t->url, url, CWMP_TABLE_KEY_LEN);
    }
}


void
cwmp_trace_text(cwmp_trace_event_t *ev, const ngx_str_t *text)
{
    ev->len = (uint32_t) ngx_min(text->len, CWMP_TRACE_TEXT);

    if (ev->len) {
        ngx_memcpy(ev->text, text->data, ev->len);
    }
}


ngx_uint_t
cwmp_trace_copy(cwmp_trace_t *t, cwmp_trace_event_t *events)
{
    uint64_t    i;
    ngx_uint_t  n;

    i = t->n - ngx_min(t->n, CWMP_TRACE_EVENTS);

    for (n = 0; i < t->n; i++) {
        events[n++] = t->events[i % CWMP_TRACE_EVENTS];
    }

    return n;
}
