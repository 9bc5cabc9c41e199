
/*
 * Fieldgate: the session that goes on on a CPE's connection.
 */


#include "cwmp_session.h"


typedef struct {
    cwmp_session_state_e  next;
    ngx_uint_t            actions;
} cwmp_session_step_t;


static ngx_uint_t cwmp_session_contradicts(cwmp_session_t *s,
    cwmp_claim_t *claim, ngx_uint_t asked);
static ngx_uint_t cwmp_session_has(cwmp_session_t *s, cwmp_claim_t *claim);
static void cwmp_session_begin(cwmp_session_t *s, cwmp_claim_t *claim);


#define NONE  CWMP_SESSION_NONE
#define ANON  CWMP_SESSION_ANONYMOUS
#define OPEN  CWMP_SESSION_OPEN
#define CHAL  CWMP_SESSION_CHALLENGED

#define BEGIN CWMP_SESSION_BEGIN
#define NAME  CWMP_SESSION_NAME
#define DROP  CWMP_SESSION_DROP
#define END   CWMP_SESSION_END
#define SPARE (CWMP_SESSION_END|CWMP_SESSION_SPARE)


static const cwmp_session_step_t
    cwmp_session_table[CWMP_SESSION_STATES][CWMP_SESSION_EVENTS] =
{
    /* NONE */
    {
        { OPEN, BEGIN },   /* NAMED */
        { ANON, BEGIN },   /* UNNAMED */
        { NONE, 0 },       /* OTHER */
        { NONE, 0 },       /* COOKIE */
        { NONE, 0 },       /* UNAUTHORIZED */
        { NONE, 0 },       /* ANSWER */
        { NONE, 0 },       /* DONE */
        { NONE, 0 },       /* FAILED */
        { NONE, 0 }        /* SILENCE */
    },

    /* ANONYMOUS */
    {
        { ANON, 0 },
        { ANON, 0 },
        { NONE, DROP },
        { OPEN, NAME },
        { ANON, 0 },
        { ANON, 0 },
        { NONE, END },
        { NONE, END },
        { NONE, END }
    },

    /* OPEN */
    {
        { OPEN, 0 },
        { OPEN, 0 },
        { NONE, DROP },
        { OPEN, 0 },
        { CHAL, 0 },
        { OPEN, 0 },
        { NONE, SPARE },
        { NONE, END },
        { NONE, END }
    },

    /* CHALLENGED */
    {
        { CHAL, 0 },
        { CHAL, 0 },
        { NONE, DROP },
        { CHAL, 0 },
        { CHAL, 0 },
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
    if (s == NULL || s->state == CWMP_SESSION_NONE) {
        claim->verdict = CWMP_CLAIM_FREE;

    } else if (cwmp_session_contradicts(s, claim, asked)) {
        claim->verdict = CWMP_CLAIM_OTHER;

    } else {
        claim->verdict = CWMP_CLAIM_SAME;

        claim->name = s->name;
        claim->named = cwmp_session_named(s);

        return NGX_OK;
    }

    return (claim->named || claim->ncookies == 0) ? NGX_OK : NGX_DECLINED;
}


static ngx_uint_t
cwmp_session_contradicts(cwmp_session_t *s, cwmp_claim_t *claim,
    ngx_uint_t asked)
{
    ngx_uint_t  i, j, found;

    if (claim->inform
        && (s->state != CWMP_SESSION_CHALLENGED
            || ngx_memcmp(s->name.key, claim->name.key, CWMP_TABLE_KEY_LEN)
               != 0))
    {
        return 1;
    }

    if (s->ncookies == 0) {

        /* nobody has set one; unless nobody has looked */

        return claim->ncookies && asked;
    }

    found = 0;

    for (i = 0; i < s->ncookies; i++) {
        for (j = 0; j < claim->ncookies; j++) {

            if (claim->cookies[j].name != s->cookies[i].name) {
                continue;
            }

            if (ngx_memcmp(claim->cookies[j].key, s->cookies[i].key,
                           CWMP_TABLE_KEY_LEN)
                != 0)
            {
                return 1;
            }

            found = 1;
        }
    }

    return s->returned && !found;
}


ngx_uint_t
cwmp_session_join(cwmp_session_t *s, cwmp_claim_t *claim)
{
    ngx_uint_t  actions;

    actions = 0;

    if (claim->verdict == CWMP_CLAIM_OTHER) {
        actions = cwmp_session_event(s, CWMP_SESSION_EV_OTHER);
    }

    claim->verdict = CWMP_CLAIM_SAME;

    if (claim->post) {
        actions |= cwmp_session_event(s,
                                      claim->named ? CWMP_SESSION_EV_NAMED
                                                   : CWMP_SESSION_EV_UNNAMED);
    }

    if (actions & CWMP_SESSION_BEGIN) {
        cwmp_session_begin(s, claim);

    } else if (cwmp_session_has(s, claim)) {
        s->returned = 1;
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
    s->name = claim->name;

    s->ncookies = ngx_min(claim->ncookies, CWMP_SESSION_COOKIES);
    s->returned = (s->ncookies > 0);

    ngx_memcpy(s->cookies, claim->cookies,
               s->ncookies * sizeof(cwmp_session_cookie_t));
}


static ngx_uint_t
cwmp_session_has(cwmp_session_t *s, cwmp_claim_t *claim)
{
    ngx_uint_t  i, j;

    if (s->state == CWMP_SESSION_NONE) {
        return 0;
    }

    for (i = 0; i < s->ncookies; i++) {
        for (j = 0; j < claim->ncookies; j++) {

            if (ngx_memcmp(s->cookies[i].key, claim->cookies[j].key,
                           CWMP_TABLE_KEY_LEN)
                == 0)
            {
                return 1;
            }
        }
    }

    return 0;
}


void
cwmp_session_adopt(cwmp_session_t *s, cwmp_claim_t *claim)
{
    if (!cwmp_session_named(s)) {
        s->state = CWMP_SESSION_OPEN;
    }

    s->name = claim->name;
}


cwmp_session_cookie_t *
cwmp_session_learn(cwmp_session_t *s, uint32_t name, const u_char *key,
    ngx_uint_t *actions)
{
    ngx_uint_t              i;
    cwmp_session_cookie_t  *cookie;

    *actions = 0;

    for (i = 0; i < s->ncookies && s->cookies[i].name != name; i++) {
        /* void */
    }

    if (key == NULL) {

        if (i < s->ncookies) {
            s->cookies[i] = s->cookies[--s->ncookies];
        }

        return NULL;
    }

    if (i == CWMP_SESSION_COOKIES) {
        return NULL;
    }

    cookie = &s->cookies[i];

    cookie->name = name;
    ngx_memcpy(cookie->key, key, CWMP_TABLE_KEY_LEN);

    if (i == s->ncookies) {
        s->ncookies++;
    }

    *actions = cwmp_session_event(s, CWMP_SESSION_EV_COOKIE);

    if (*actions & CWMP_SESSION_NAME) {

        /* no DeviceId: the cookie is the session's name */

        ngx_memcpy(s->name.key, key, CWMP_TABLE_KEY_LEN);
        ngx_memcpy(s->name.id, key, sizeof(s->name.id));
    }

    return cookie;
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

    if (status == 204 && to != CWMP_ANSWER_TO_OTHER) {
        return CWMP_SESSION_EV_DONE;
    }

    return CWMP_SESSION_EV_ANSWER;
}
