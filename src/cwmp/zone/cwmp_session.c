
/*
 * Fieldgate: the session that goes on on a CPE's connection.
 */


#include "cwmp_session.h"


typedef struct {
    cwmp_session_state_e  next;
    ngx_uint_t            actions;
} cwmp_session_step_t;


static ngx_int_t cwmp_session_compare(cwmp_session_t *s, cwmp_claim_t *claim,
    ngx_uint_t asked);
static ngx_uint_t cwmp_session_all(cwmp_session_t *s, cwmp_claim_t *claim);
static ngx_uint_t cwmp_session_own(cwmp_session_t *s, cwmp_claim_t *claim);
static ngx_uint_t cwmp_session_contradicts(cwmp_session_t *s,
    cwmp_claim_t *claim, ngx_uint_t asked);
static ngx_uint_t cwmp_session_knows(cwmp_session_t *s,
    cwmp_claim_cookie_t *claimed);
static ngx_uint_t cwmp_session_value(cwmp_session_cookie_t *cookie,
    cwmp_claim_cookie_t *claimed);
static void cwmp_session_begin(cwmp_session_t *s, cwmp_claim_t *claim);
static void cwmp_session_returned(cwmp_session_t *s, cwmp_claim_t *claim,
    cwmp_session_old_t *old);
static void cwmp_session_forget(cwmp_session_old_t *old, const u_char *key);


#define NONE  CWMP_SESSION_NONE
#define ANON  CWMP_SESSION_ANONYMOUS
#define PEND  CWMP_SESSION_PENDING
#define OPEN  CWMP_SESSION_OPEN
#define CHAL  CWMP_SESSION_CHALLENGED

#define BEGIN CWMP_SESSION_BEGIN
#define NAME  CWMP_SESSION_NAME
#define DROP  CWMP_SESSION_DROP
#define END   CWMP_SESSION_END
#define ADMIT CWMP_SESSION_ADMIT
#define SPARE (CWMP_SESSION_END|CWMP_SESSION_SPARE)


static const cwmp_session_step_t
    cwmp_session_table[CWMP_SESSION_STATES][CWMP_SESSION_EVENTS] =
{
    /* NONE */
    {
        { OPEN, BEGIN },   /* NAMED */
        { ANON, BEGIN },   /* UNNAMED */
        { PEND, BEGIN },   /* INFORM */
        { NONE, 0 },       /* OTHER */
        { NONE, 0 },       /* COOKIE */
        { NONE, 0 },       /* UNAUTHORIZED */
        { NONE, 0 },       /* ANSWER */
        { NONE, 0 },       /* ADMITTED */
        { NONE, 0 },       /* DONE */
        { NONE, 0 },       /* FAILED */
        { NONE, 0 }        /* SILENCE */
    },

    /* ANONYMOUS */
    {
        { ANON, 0 },
        { ANON, 0 },
        { ANON, 0 },
        { NONE, DROP },
        { OPEN, NAME },
        { ANON, 0 },
        { ANON, 0 },
        { ANON, 0 },
        { NONE, END },
        { NONE, END },
        { NONE, END }
    },

    /* PENDING */
    {
        { PEND, 0 },
        { PEND, 0 },
        { PEND, 0 },
        { NONE, DROP },
        { PEND, 0 },
        { PEND, 0 },
        { PEND, 0 },
        { OPEN, ADMIT },
        { NONE, SPARE },
        { NONE, END },
        { NONE, END }
    },

    /* OPEN */
    {
        { OPEN, 0 },
        { OPEN, 0 },
        { OPEN, 0 },
        { NONE, DROP },
        { OPEN, 0 },
        { CHAL, 0 },
        { OPEN, 0 },
        { OPEN, 0 },
        { NONE, SPARE },
        { NONE, END },
        { NONE, END }
    },

    /* CHALLENGED */
    {
        { CHAL, 0 },
        { CHAL, 0 },
        { CHAL, 0 },
        { NONE, DROP },
        { CHAL, 0 },
        { CHAL, 0 },
        { OPEN, 0 },
        { OPEN, 0 },
        { NONE, SPARE },
        { NONE, END },
        { NONE, END }
    }
};


ngx_uint_t
cwmp_session_event(cwmp_session_t *s, cwmp_session_event_e ev)
{
    const cwmp_session_step_t  *step;

    step = &cwmp_session_table[s->state][ev];

    s->state = step->next;

    return step->actions;
}


ngx_int_t
cwmp_session_recognise(cwmp_session_t *s, cwmp_claim_t *claim,
    ngx_uint_t asked)
{
    ngx_uint_t  i;

    if (s == NULL || s->state == CWMP_SESSION_NONE) {
        claim->verdict = CWMP_CLAIM_FREE;

    } else {
        switch (cwmp_session_compare(s, claim, asked)) {

        case NGX_AGAIN:
            return NGX_AGAIN;

        case NGX_OK:
            claim->verdict = CWMP_CLAIM_SAME;
            claim->name = s->name;
            claim->named = cwmp_session_named(s);
            return NGX_OK;

        default: /* NGX_DECLINED */
            claim->verdict = CWMP_CLAIM_OTHER;
        }
    }

    if (claim->ncookies == 0) {
        return NGX_OK;
    }

    if (!claim->looked) {
        return NGX_AGAIN;
    }

    for (i = 0; i < claim->ncookies && !claim->named; i++) {

        if (claim->cookies[i].lead == CWMP_LEAD_SESSION) {
            claim->name = claim->cookies[i].session;
            claim->named = 1;
        }
    }

    return NGX_OK;
}


/*
 * NGX_OK: a message of the session; NGX_DECLINED: of another one; NGX_AGAIN:
 * that depends on where cookies lead to.
 */

static ngx_int_t
cwmp_session_compare(cwmp_session_t *s, cwmp_claim_t *claim, ngx_uint_t asked)
{
    if (claim->inform
        && ((s->state != CWMP_SESSION_PENDING
             && s->state != CWMP_SESSION_CHALLENGED)
            || ngx_memcmp(s->device, claim->device, CWMP_TABLE_KEY_LEN) != 0
            || ngx_memcmp(s->address, claim->address, CWMP_ADDRESS_LEN) != 0))
    {
        return NGX_DECLINED;
    }

    if (s->ncookies == 0) {

        /* nobody has set one; unless nobody has looked */

        return (claim->ncookies && asked) ? NGX_DECLINED : NGX_OK;
    }

    if (cwmp_session_all(s, claim)) {
        return NGX_OK;
    }

    if (!claim->looked) {
        return NGX_AGAIN;
    }

    if (cwmp_session_own(s, claim)) {
        return NGX_OK;
    }

    return cwmp_session_contradicts(s, claim, asked) ? NGX_DECLINED : NGX_OK;
}


/* whether the claim has all of the session's cookies, and no others */

static ngx_uint_t
cwmp_session_all(cwmp_session_t *s, cwmp_claim_t *claim)
{
    ngx_uint_t  i, j;

    if (s->ncookies != claim->ncookies) {
        return 0;
    }

    for (i = 0; i < s->ncookies; i++) {

        for (j = 0; j < claim->ncookies; j++) {
            if (cwmp_session_value(&s->cookies[i], &claim->cookies[j])) {
                break;
            }
        }

        if (j == claim->ncookies) {
            return 0;
        }
    }

    return 1;
}


/*
 * Whether the claim has a cookie that only the session has.  What leads to the
 * name of one that is pending may be an earlier session's.
 */

static ngx_uint_t
cwmp_session_own(cwmp_session_t *s, cwmp_claim_t *claim)
{
    ngx_uint_t            i, j, other;
    cwmp_claim_cookie_t  *claimed;

    other = 0;

    for (j = 0; j < claim->ncookies; j++) {
        claimed = &claim->cookies[j];

        if (claimed->lead != CWMP_LEAD_SESSION) {
            continue;
        }

        if (cwmp_session_firm(s)
            && ngx_memcmp(claimed->session.key, s->name.key,
                          CWMP_TABLE_KEY_LEN)
               == 0)
        {
            return 1;
        }

        other |= !cwmp_session_knows(s, claimed);
    }

    if (other) {
        return 0;
    }

    for (i = 0; i < s->ncookies; i++) {
        for (j = 0; j < claim->ncookies && !s->cookies[i].shared; j++) {

            if (cwmp_session_value(&s->cookies[i], &claim->cookies[j])) {
                return 1;
            }
        }
    }

    return 0;
}


/* of a claim without a cookie that only the session has */

static ngx_uint_t
cwmp_session_contradicts(cwmp_session_t *s, cwmp_claim_t *claim,
    ngx_uint_t asked)
{
    ngx_uint_t              i, j, none;
    cwmp_session_cookie_t  *cookie;

    none = 1;

    for (i = 0; i < s->ncookies; i++) {
        cookie = &s->cookies[i];

        if (!cookie->shared) {
            none = 0;

            if (cookie->returned) {
                return 1;
            }
        }

        for (j = 0; j < claim->ncookies; j++) {

            if (claim->cookies[j].name == cookie->name
                && !cwmp_session_value(cookie, &claim->cookies[j]))
            {
                return 1;
            }
        }
    }

    for (j = 0; j < claim->ncookies; j++) {

        if (claim->cookies[j].lead == CWMP_LEAD_SESSION
            || (none && asked && !cwmp_session_knows(s, &claim->cookies[j])))
        {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
cwmp_session_knows(cwmp_session_t *s, cwmp_claim_cookie_t *claimed)
{
    ngx_uint_t  i;

    for (i = 0; i < s->ncookies; i++) {
        if (cwmp_session_value(&s->cookies[i], claimed)) {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
cwmp_session_value(cwmp_session_cookie_t *cookie, cwmp_claim_cookie_t *claimed)
{
    return ngx_memcmp(claimed->key, cookie->key, CWMP_TABLE_KEY_LEN) == 0
           || ngx_memcmp(claimed->key, cookie->kept, CWMP_TABLE_KEY_LEN) == 0;
}


ngx_int_t
cwmp_claim_alias(cwmp_claim_t *claim, const u_char *alias)
{
    ngx_uint_t  i;

    for (i = 0; i < claim->ncookies; i++) {

        if (claim->cookies[i].lead == CWMP_LEAD_SESSION
            && ngx_memcmp(claim->cookies[i].session.key, claim->device,
                          CWMP_TABLE_KEY_LEN)
               == 0)
        {
            return NGX_DECLINED;
        }
    }

    ngx_memcpy(claim->name.key, alias, CWMP_TABLE_KEY_LEN);

    return NGX_OK;
}


ngx_uint_t
cwmp_session_leave(cwmp_session_t *s, cwmp_claim_t *claim)
{
    ngx_uint_t  other;

    other = (claim->verdict == CWMP_CLAIM_OTHER);

    claim->verdict = CWMP_CLAIM_SAME;

    return other ? cwmp_session_event(s, CWMP_SESSION_EV_OTHER) : 0;
}


ngx_uint_t
cwmp_session_join(cwmp_session_t *s, cwmp_claim_t *claim,
    cwmp_session_old_t *old)
{
    ngx_uint_t            actions;
    cwmp_session_event_e  ev;

    old->n = 0;
    actions = 0;

    if (claim->post) {
        ev = claim->inform ? CWMP_SESSION_EV_INFORM
             : claim->named ? CWMP_SESSION_EV_NAMED
             : CWMP_SESSION_EV_UNNAMED;

        actions = cwmp_session_event(s, ev);
    }

    if (actions & CWMP_SESSION_BEGIN) {
        cwmp_session_begin(s, claim);

    } else if (s->state != CWMP_SESSION_NONE) {
        cwmp_session_returned(s, claim, old);
    }

    return actions;
}


/*
 * Its cookies come with it: another CPE's message will have others, and on
 * another connection they lead back here.
 */

static void
cwmp_session_begin(cwmp_session_t *s, cwmp_claim_t *claim)
{
    ngx_uint_t              i;
    cwmp_session_cookie_t  *cookie;

    s->name = claim->name;

    ngx_memcpy(s->address, claim->address, CWMP_ADDRESS_LEN);
    ngx_memcpy(s->device, claim->inform ? claim->device : claim->name.key,
               CWMP_TABLE_KEY_LEN);

    s->ncookies = ngx_min(claim->ncookies, CWMP_SESSION_COOKIES);

    for (i = 0; i < s->ncookies; i++) {
        cookie = &s->cookies[i];

        cookie->name = claim->cookies[i].name;
        ngx_memcpy(cookie->key, claim->cookies[i].key, CWMP_TABLE_KEY_LEN);
        ngx_memcpy(cookie->kept, cookie->key, CWMP_TABLE_KEY_LEN);
        cookie->returned = 1;

        /* or another session's, which this one's CPE has as well */

        cookie->shared = (claim->cookies[i].lead == CWMP_LEAD_SHARED
                          || (claim->cookies[i].lead == CWMP_LEAD_SESSION
                              && ngx_memcmp(claim->cookies[i].session.key,
                                            s->name.key, CWMP_TABLE_KEY_LEN)
                                 != 0));
    }
}


static void
cwmp_session_returned(cwmp_session_t *s, cwmp_claim_t *claim,
    cwmp_session_old_t *old)
{
    u_char                 *key;
    ngx_uint_t              i, j;
    cwmp_session_cookie_t  *cookie;

    for (i = 0; i < s->ncookies; i++) {
        cookie = &s->cookies[i];

        for (j = 0; j < claim->ncookies; j++) {

            if (!cwmp_session_value(cookie, &claim->cookies[j])) {
                continue;
            }

            key = claim->cookies[j].key;
            cookie->returned = 1;

            if (ngx_memcmp(cookie->kept, key, CWMP_TABLE_KEY_LEN) != 0) {
                cwmp_session_forget(old, cookie->kept);
                ngx_memcpy(cookie->kept, key, CWMP_TABLE_KEY_LEN);
            }

            break;
        }
    }
}


void
cwmp_session_adopt(cwmp_session_t *s, cwmp_claim_t *claim)
{
    if (!cwmp_session_named(s)) {
        s->state = CWMP_SESSION_OPEN;
    }

    s->name = claim->name;
    ngx_memcpy(s->device, claim->name.key, CWMP_TABLE_KEY_LEN);
}


void
cwmp_session_learn(cwmp_session_t *s, uint32_t name, const u_char *key,
    cwmp_lead_e lead, cwmp_session_lesson_t *lesson)
{
    ngx_uint_t              i;
    cwmp_session_cookie_t  *cookie;

    ngx_memzero(lesson, sizeof(cwmp_session_lesson_t));

    for (i = 0; i < s->ncookies && s->cookies[i].name != name; i++) {
        /* void */
    }

    cookie = &s->cookies[i];

    if (key == NULL) {

        if (i < s->ncookies) {
            cwmp_session_forget(&lesson->old, cookie->key);
            cwmp_session_forget(&lesson->old, cookie->kept);
            *cookie = s->cookies[--s->ncookies];
        }

        return;
    }

    if (i == CWMP_SESSION_COOKIES) {
        return;
    }

    if (i == s->ncookies) {
        s->ncookies++;

        ngx_memzero(cookie, sizeof(cwmp_session_cookie_t));
        cookie->name = name;
        ngx_memcpy(cookie->kept, key, CWMP_TABLE_KEY_LEN);

    } else if (ngx_memcmp(cookie->key, key, CWMP_TABLE_KEY_LEN) != 0) {

        if (ngx_memcmp(cookie->key, cookie->kept, CWMP_TABLE_KEY_LEN) != 0) {
            cwmp_session_forget(&lesson->old, cookie->key);
        }

        if (cookie->shared) {
            ngx_memcpy(cookie->kept, key, CWMP_TABLE_KEY_LEN);
            cookie->shared = 0;
        }
    }

    ngx_memcpy(cookie->key, key, CWMP_TABLE_KEY_LEN);

    if (s->state == CWMP_SESSION_ANONYMOUS && lead != CWMP_LEAD_NOWHERE) {
        cookie->shared = 1;
        return;
    }

    lesson->cookie = cookie;
    lesson->actions = cwmp_session_event(s, CWMP_SESSION_EV_COOKIE);

    if (lesson->actions & CWMP_SESSION_NAME) {

        /* no DeviceId: the cookie is the session's name */

        ngx_memcpy(s->name.key, key, CWMP_TABLE_KEY_LEN);
        ngx_memcpy(s->name.id, key, sizeof(s->name.id));
        ngx_memcpy(s->device, key, CWMP_TABLE_KEY_LEN);
    }
}


static void
cwmp_session_forget(cwmp_session_old_t *old, const u_char *key)
{
    ngx_memcpy(old->keys[old->n++], key, CWMP_TABLE_KEY_LEN);
}


/*
 * TR-069 3.7.1.4: the session is over when the ACS has nothing more to ask and
 * the CPE has said, by an empty POST, that neither has it: so with the 204 to
 * an empty POST, or to the reply to a request of the ACS, which it makes after
 * an empty POST only.  After an error other than 401 the CPE begins anew.
 */

cwmp_session_event_e
cwmp_session_answered(ngx_uint_t status, cwmp_answer_to_e to)
{
    if (status == 401) {
        return CWMP_SESSION_EV_UNAUTHORIZED;
    }

    if (status >= 400) {
        return CWMP_SESSION_EV_FAILED;
    }

    if (to == CWMP_ANSWER_TO_INFORM) {
        return CWMP_SESSION_EV_ADMITTED;
    }

    if (status == 204 && to != CWMP_ANSWER_TO_OTHER) {
        return CWMP_SESSION_EV_DONE;
    }

    return CWMP_SESSION_EV_ANSWER;
}
