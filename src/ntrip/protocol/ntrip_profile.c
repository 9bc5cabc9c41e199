
/*
 * Fieldgate: which messages a mountpoint passes on.
 */


#include "ntrip_profile.h"
#include "ntrip_msm.h"


static u_char *ntrip_profile_number(u_char *p, u_char *last, ngx_uint_t *n);
static ngx_uint_t ntrip_profile_named(ntrip_profile_t *p, ngx_uint_t type);
static ngx_uint_t ntrip_profile_wanted(ntrip_profile_t *p, ngx_uint_t came,
    ngx_uint_t goes);
static size_t ntrip_profile_release(ntrip_profile_state_t *s, u_char *out);
static void ntrip_profile_end_epoch(ntrip_profile_state_t *s);
static ngx_uint_t ntrip_profile_hold(ntrip_profile_state_t *s,
    ntrip_rtcm_message_t *m);


ngx_int_t
ntrip_profile_list(ntrip_profile_t *p, ngx_str_t *list, char **reason)
{
    u_char      *pos, *last;
    ngx_uint_t   from, to, except;

    pos = list->data;
    last = pos + list->len;

    for ( ;; ) {
        except = (pos < last && *pos == '-');

        pos = ntrip_profile_number(pos + except, last, &from);
        to = from;

        if (pos && pos < last && *pos == '-') {
            pos = ntrip_profile_number(pos + 1, last, &to);
        }

        if (pos == NULL || (pos < last && *pos != ',') || from > to) {
            *reason = "is no list of message numbers and ranges";
            return NGX_ERROR;
        }

        if (from == 0 || to >= NTRIP_PROFILE_TYPES) {
            *reason = "names a message that is not within 1 to 4095";
            return NGX_ERROR;
        }

        if (p->list && p->except != except) {
            *reason = "mixes messages that are wanted with those that are not";
            return NGX_ERROR;
        }

        p->list = 1;
        p->except = except;

        for ( /* void */ ; from <= to; from++) {
            p->named[from / 32] |= (uint32_t) 1 << from % 32;
        }

        if (pos == last) {
            return NGX_OK;
        }

        pos++;
    }
}


/* decimal digits, five at most; NULL if there are none */

static u_char *
ntrip_profile_number(u_char *p, u_char *last, ngx_uint_t *n)
{
    u_char     *start;
    ngx_int_t   value;

    for (start = p; p < last && *p >= '0' && *p <= '9'; p++) { /* void */ }

    value = (p - start <= 5) ? ngx_atoi(start, p - start) : NGX_ERROR;

    if (value == NGX_ERROR) {
        return NULL;
    }

    *n = value;

    return p;
}


void
ntrip_profile_init(ntrip_profile_state_t *s)
{
    s->dropped = 0;
    s->broken = 0;

    ntrip_profile_reset(s);
}


void
ntrip_profile_reset(ntrip_profile_state_t *s)
{
    s->n = 0;
    s->len = 0;
    s->first = 0;
}


size_t
ntrip_profile_put(ntrip_profile_state_t *s, ntrip_profile_t *p,
    ntrip_rtcm_message_t *m, u_char *out)
{
    size_t                len;
    u_char                buf[NTRIP_RTCM_MESSAGE_MAX];
    ngx_int_t             rc;
    ngx_uint_t            wanted;
    ntrip_rtcm_message_t  message;

    message = *m;
    rc = p->msm4 ? ntrip_msm_reduce(&message, buf) : NGX_DECLINED;

    if (rc == NGX_ERROR) {
        s->broken++;
    }

    wanted = (rc != NGX_ERROR
              && ntrip_profile_wanted(p, m->type, message.type));

    if (!wanted) {
        s->dropped++;

        if (!(m->flags & NTRIP_RTCM_EPOCH)) {
            return 0;
        }

        ntrip_profile_end_epoch(s);

        return ntrip_profile_release(s, out);
    }

    len = 0;

    if (message.flags & NTRIP_RTCM_OBSERVATION) {
        len = ntrip_profile_release(s, out);

        if (!(message.flags & NTRIP_RTCM_EPOCH)
            && ntrip_profile_hold(s, &message))
        {
            return len;
        }

    } else if (s->len) {

        if (ntrip_profile_hold(s, &message)) {
            return 0;
        }

        len = ntrip_profile_release(s, out);
    }

    ngx_memcpy(out + len, message.data, message.len);

    return len + message.len;
}


static ngx_uint_t
ntrip_profile_named(ntrip_profile_t *p, ngx_uint_t type)
{
    return p->named[type / 32] >> type % 32 & 1;
}


static ngx_uint_t
ntrip_profile_wanted(ntrip_profile_t *p, ngx_uint_t came, ngx_uint_t goes)
{
    ngx_uint_t  named;

    if (!p->list) {
        return 1;
    }

    named = (ntrip_profile_named(p, came) || ntrip_profile_named(p, goes));

    return named != p->except;
}


static size_t
ntrip_profile_release(ntrip_profile_state_t *s, u_char *out)
{
    size_t  len;

    len = s->len;

    if (len) {
        ngx_memcpy(out, s->held, len);
    }

    ntrip_profile_reset(s);

    return len;
}


/* the observations that are held are the last ones of their epoch */

static void
ntrip_profile_end_epoch(ntrip_profile_state_t *s)
{
    ntrip_rtcm_message_t  m;

    if (s->len == 0) {
        return;
    }

    m.data = s->held;
    m.len = s->first;

    ntrip_rtcm_describe(&m);
    ntrip_rtcm_end_epoch(&m);
}


static ngx_uint_t
ntrip_profile_hold(ntrip_profile_state_t *s, ntrip_rtcm_message_t *m)
{
    if (m->len > NTRIP_PROFILE_HELD - s->len
        || s->n == NTRIP_PROFILE_MESSAGES)
    {
        return 0;
    }

    if (s->len == 0) {
        s->first = m->len;
    }

    ngx_memcpy(s->held + s->len, m->data, m->len);
    s->len += m->len;
    s->n++;

    return 1;
}
