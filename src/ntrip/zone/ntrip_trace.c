
/*
 * Fieldgate: the trace of one user.
 */


#include "ntrip_trace.h"


static ngx_uint_t ntrip_trace_user(ntrip_trace_t *t, const ngx_str_t *user);
static void ntrip_trace_put(ntrip_trace_t *t, const ntrip_trace_event_t *ev);
static ntrip_trace_event_t *ntrip_trace_same(ntrip_trace_t *t,
    const ntrip_trace_event_t *ev);
static void ntrip_trace_json_event(ntrip_trace_event_t *ev,
    ntrip_json_t *json);


static const char  *ntrip_trace_states[] = {
    "off", "waiting", "running", "done"
};


/* in the order of ntrip_trace_event_e */

static const char  *ntrip_trace_kinds[NTRIP_TRACE_EVENT_KINDS] = {
    "request", "wait", "refused", "login", "other", "stream", "moved", "first",
    "worker", "end", "none", "account", "live", "closed", "position",
    "unusable", "sent", "skipped"
};


ngx_int_t
ntrip_trace_arm(ntrip_trace_t *t, const ngx_str_t *user, int64_t time)
{
    if (user->len == 0 || user->len > NTRIP_USER_MAX) {
        return NGX_DECLINED;
    }

    ntrip_trace_off(t);

    ngx_memcpy(t->user, user->data, user->len);
    t->user_len = user->len;
    t->since = time;

    __atomic_store_n(&t->state, NTRIP_TRACE_WAITING, __ATOMIC_RELEASE);

    return NGX_OK;
}


void
ntrip_trace_off(ntrip_trace_t *t)
{
    __atomic_store_n(&t->state, NTRIP_TRACE_OFF, __ATOMIC_RELEASE);
    __atomic_store_n(&t->login, 0, __ATOMIC_RELAXED);
    __atomic_store_n(&t->stream, 0, __ATOMIC_RELAXED);

    t->user_len = 0;
    t->first = 0;
    t->n = 0;
}


static ngx_uint_t
ntrip_trace_user(ntrip_trace_t *t, const ngx_str_t *user)
{
    return user->len == t->user_len
           && ngx_memcmp(user->data, t->user, user->len) == 0;
}


void
ntrip_trace_attempt(ntrip_trace_t *t, const ngx_str_t *user,
    const ntrip_trace_event_t *ev)
{
    if (t->state == NTRIP_TRACE_WAITING && ntrip_trace_user(t, user)) {
        ntrip_trace_put(t, ev);
    }
}


void
ntrip_trace_login(ntrip_trace_t *t, const ngx_str_t *user, uint64_t login,
    uint32_t index, const ntrip_trace_event_t *ev)
{
    ntrip_trace_event_t  other;

    if (!ntrip_trace_user(t, user)) {
        return;
    }

    switch (t->state) {

    case NTRIP_TRACE_WAITING:
        ntrip_trace_put(t, ev);

        t->index = index;
        t->first = 0;

        __atomic_store_n(&t->stream, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&t->login, login, __ATOMIC_RELAXED);
        __atomic_store_n(&t->state, NTRIP_TRACE_RUNNING, __ATOMIC_RELEASE);
        return;

    case NTRIP_TRACE_RUNNING:
        other = *ev;
        other.kind = NTRIP_TRACE_OTHER;
        ntrip_trace_put(t, &other);
        return;

    default: /* NTRIP_TRACE_OFF, NTRIP_TRACE_DONE */
        return;
    }
}


void
ntrip_trace_event(ntrip_trace_t *t, uint64_t login,
    const ntrip_trace_event_t *ev)
{
    if (t->state != NTRIP_TRACE_RUNNING || t->login != login) {
        return;
    }

    switch (ev->kind) {

    case NTRIP_TRACE_FIRST:
        if (t->first) {
            return;
        }

        t->first = 1;
        break;

    case NTRIP_TRACE_STREAM:
        t->first = 0;
        break;
    }

    ntrip_trace_put(t, ev);

    if (ev->kind == NTRIP_TRACE_END) {
        __atomic_store_n(&t->state, NTRIP_TRACE_DONE, __ATOMIC_RELEASE);
        __atomic_store_n(&t->login, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&t->stream, 0, __ATOMIC_RELAXED);
    }
}


void
ntrip_trace_source_event(ntrip_trace_t *t, uint64_t serial,
    const ntrip_trace_event_t *ev)
{
    if (t->state == NTRIP_TRACE_RUNNING && t->stream == serial) {
        ntrip_trace_put(t, ev);
    }
}


void
ntrip_trace_on(ntrip_trace_t *t, uint64_t login, uint64_t serial)
{
    if (t->state == NTRIP_TRACE_RUNNING && t->login == login) {
        __atomic_store_n(&t->stream, serial, __ATOMIC_RELAXED);
    }
}


static void
ntrip_trace_put(ntrip_trace_t *t, const ntrip_trace_event_t *ev)
{
    uint64_t              count;
    ntrip_trace_event_t  *old;

    old = ntrip_trace_same(t, ev);

    if (old) {
        count = old->count;
        *old = *ev;
        old->count += count;
        return;
    }

    t->events[t->n % NTRIP_TRACE_EVENTS] = *ev;
    t->n++;
}


/* what is counted with it: of its kind, behind all that are not counted */

static ntrip_trace_event_t *
ntrip_trace_same(ntrip_trace_t *t, const ntrip_trace_event_t *ev)
{
    uint64_t              i;
    ngx_uint_t            looked;
    ntrip_trace_event_t  *old;

    if (ev->kind < NTRIP_TRACE_COUNTED) {
        return NULL;
    }

    i = t->n;

    for (looked = NTRIP_TRACE_COUNTED;
         looked < NTRIP_TRACE_EVENT_KINDS;
         looked++)
    {
        if (i == 0) {
            return NULL;
        }

        old = &t->events[--i % NTRIP_TRACE_EVENTS];

        if (old->kind < NTRIP_TRACE_COUNTED) {
            return NULL;
        }

        if (old->kind == ev->kind) {
            return old;
        }
    }

    return NULL;
}


void
ntrip_trace_text(ntrip_trace_event_t *ev, u_char *text, size_t len)
{
    ev->len = (uint16_t) ngx_min(len, NTRIP_TRACE_TEXT);

    if (ev->len) {
        ngx_memcpy(ev->text, text, ev->len);
    }
}


ngx_uint_t
ntrip_trace_events(ntrip_trace_t *copy)
{
    return (ngx_uint_t) ngx_min(copy->n, NTRIP_TRACE_EVENTS);
}


ntrip_trace_event_t *
ntrip_trace_at(ntrip_trace_t *copy, ngx_uint_t i)
{
    return &copy->events[(copy->n - ntrip_trace_events(copy) + i)
                         % NTRIP_TRACE_EVENTS];
}


const char *
ntrip_trace_state(ntrip_trace_t *copy)
{
    return ntrip_trace_states[ngx_min(copy->state, NTRIP_TRACE_DONE)];
}


const char *
ntrip_trace_kind(ntrip_trace_event_t *ev)
{
    return ntrip_trace_kinds[ngx_min(ev->kind, NTRIP_TRACE_EVENT_KINDS - 1)];
}


void
ntrip_trace_json(ntrip_trace_t *copy, ntrip_json_t *json)
{
    ngx_str_t   user;
    ngx_uint_t  i;

    ntrip_json_open(json, NULL, '{');
    ntrip_json_text(json, "state", ntrip_trace_state(copy));

    if (copy->state == NTRIP_TRACE_OFF) {
        ntrip_json_null(json, "user");
        ntrip_json_null(json, "since");

    } else {
        user.data = copy->user;
        user.len = ngx_min(copy->user_len, NTRIP_USER_MAX);
        ntrip_json_str(json, "user", &user);
        ntrip_json_int(json, "since", copy->since);
    }

    ntrip_json_int(json, "events", (int64_t) copy->n);
    ntrip_json_open(json, "items", '[');

    for (i = 0; i < ntrip_trace_events(copy); i++) {
        ntrip_trace_json_event(ntrip_trace_at(copy, i), json);
    }

    ntrip_json_close(json, ']');
    ntrip_json_close(json, '}');
}


static void
ntrip_trace_json_event(ntrip_trace_event_t *ev, ntrip_json_t *json)
{
    ngx_str_t  text;

    ntrip_json_open(json, NULL, '{');
    ntrip_json_fixed(json, "time", (double) ev->time / 1000, 3);
    ntrip_json_text(json, "event", ntrip_trace_kind(ev));
    ntrip_json_int(json, "count", (int64_t) ev->count);

    if (ev->status) {
        ntrip_json_int(json, "status", ev->status);

    } else {
        ntrip_json_null(json, "status");
    }

    text.data = ev->text;
    text.len = ngx_min(ev->len, NTRIP_TRACE_TEXT);
    ntrip_json_str(json, "text", &text);

    ntrip_json_int(json, "worker", ev->process);
    ntrip_json_close(json, '}');
}
