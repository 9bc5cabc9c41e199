
/*
 * Fieldgate: the session that goes on on a CPE's connection: which messages are
 * its own, and what begins and ends it.
 *
 * session   What is known of the CPE's session on one client connection.
 *
 * claim     What a message says of the session that it belongs to: the
 *           DeviceId, if it is an Inform, and cookies.
 *
 * A session has a name that all workers know it by: made of the DeviceId, or
 * of the first cookie that the ACS gives to one whose DeviceId is not known.
 * A DeviceId is no secret: who has it alone, while somebody else has a session
 * of that name, gets a name of his own until the ACS has let him in.
 *
 *   NONE        nothing has begun, or it is over
 *   ANONYMOUS   a POST has begun one whose name is not known
 *   PENDING     an Inform has begun one that the ACS has not let in yet: there
 *               is no answer, or a 401, after which the Inform comes again
 *   OPEN        one with a name, that has been let in
 *   CHALLENGED  the same; the last answer was a 401, so that the Inform comes
 *               again
 *
 *            | POST    | POST    |         | an-   |      |      |      | let
 *            | named   | unnamed | Inform  | other | cook-|      | ans- | in:
 *            |         |         |         | one's | ie   | 401  | wer  | Inf.
 *   ---------+---------+---------+---------+-------+------+------+------+------
 *   NONE     | OPEN    | ANONYM. | PENDING |       |      |      |      |
 *            | begin   | begin   | begin   |       |      |      |      |
 *   ANONYM.  |         |         |         | NONE  | OPEN |      |      |
 *            |         |         |         | drop  | name |      |      |
 *   PENDING  |         |         |         | NONE  |      |      |      | OPEN
 *            |         |         |         | drop  |      |      |      | admit
 *   OPEN     |         |         |         | NONE  |      | CHAL-|      |
 *            |         |         |         | drop  |      | LENG.|      |
 *   CHALLENG.|         |         |         | NONE  |      |      | OPEN | OPEN
 *            |         |         |         | drop  |      |      |      |
 *
 * and in each of the last four: the last answer of a session, an answer after
 * which the CPE has to begin anew, or silence for the time of "cwmp_affinity":
 * NONE, end; after the last answer of one that has a name also spare.  Where
 * nothing stands, nothing changes.
 *
 * Cookies.  The ACS may renew one with each answer, and the CPE keep an old
 * value: of each the latest one counts, and the one that the CPE has sent last,
 * or else the first.  One that two sessions have, as a balancer's "route",
 * names neither of them: it is shared, which the zone knows.  One that an
 * Inform had with it, and the ACS has replaced at once, may well be another
 * session's.
 *
 * Who says what.  A message contradicts the session of its connection, and is
 * "another one's", if
 *   it is an Inform, and no 401 has asked for it, or of another device or from
 *     another address, or the session has no name;
 *   it has cookies, and the session has none although an upstream was asked;
 * or if it has no cookie that only this session has, but
 *   one that leads to another session, or another value of one of this one's,
 *   or any that it has not got, where all that it has are shared;
 *   or none, although one came back before.
 * So somebody in front of us may use its connections for several CPEs.
 */


#ifndef _CWMP_SESSION_H_INCLUDED_
#define _CWMP_SESSION_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_table.h"


/* a digest of the address that a message comes from */
#define CWMP_ADDRESS_LEN      8

/* cookies that a session is known by */
#define CWMP_SESSION_COOKIES  4

/* cookies of a message that are looked at */
#define CWMP_CLAIM_COOKIES    8


typedef struct {
    u_char                key[CWMP_TABLE_KEY_LEN];
    u_char                id[16];     /* $cwmp_session */
} cwmp_session_name_t;


typedef struct {
    uint32_t              name;       /* CRC of the cookie's name */
    u_char                key[CWMP_TABLE_KEY_LEN];  /* of name and value */
    u_char                kept[CWMP_TABLE_KEY_LEN]; /* what came back last */
    unsigned              returned:1; /* it came back */
    unsigned              shared:1;   /* when it was looked up last */
} cwmp_session_cookie_t;


/* where a cookie leads to */

typedef enum {
    CWMP_LEAD_NOWHERE = 0,
    CWMP_LEAD_SESSION,
    CWMP_LEAD_SHARED
} cwmp_lead_e;


typedef struct {
    uint32_t              name;
    u_char                key[CWMP_TABLE_KEY_LEN];
    cwmp_lead_e           lead;       /* if it was looked up */
    cwmp_session_name_t   session;    /* CWMP_LEAD_SESSION */
} cwmp_claim_cookie_t;


typedef enum {
    CWMP_SESSION_NONE = 0,
    CWMP_SESSION_ANONYMOUS,
    CWMP_SESSION_PENDING,
    CWMP_SESSION_OPEN,
    CWMP_SESSION_CHALLENGED
} cwmp_session_state_e;


typedef enum {
    CWMP_SESSION_EV_NAMED = 0,  /* a POST of the session, or the first one */
    CWMP_SESSION_EV_UNNAMED,    /* the same, without a name */
    CWMP_SESSION_EV_INFORM,     /* the same, an Inform */
    CWMP_SESSION_EV_OTHER,      /* a message that contradicts */
    CWMP_SESSION_EV_COOKIE,     /* the ACS, or nginx, has set a cookie */
    CWMP_SESSION_EV_UNAUTHORIZED,
    CWMP_SESSION_EV_ANSWER,     /* any other answer; it goes on */
    CWMP_SESSION_EV_ADMITTED,   /* the same, to an Inform */
    CWMP_SESSION_EV_DONE,       /* its last answer */
    CWMP_SESSION_EV_FAILED,     /* an error: the CPE begins anew */
    CWMP_SESSION_EV_SILENCE
} cwmp_session_event_e;

#define CWMP_SESSION_STATES   (CWMP_SESSION_CHALLENGED + 1)
#define CWMP_SESSION_EVENTS   (CWMP_SESSION_EV_SILENCE + 1)


/* what is to be done, by the caller */

#define CWMP_SESSION_BEGIN    0x01  /* the cookies lead to its name, if any */
#define CWMP_SESSION_NAME     0x02  /* it has got a name: hold its rows */
#define CWMP_SESSION_DROP     0x04  /* close its upstream connections */
#define CWMP_SESSION_END      0x08  /* the same, and delete its rows */
#define CWMP_SESSION_SPARE    0x10  /* but keep that of the last answer */
#define CWMP_SESSION_ADMIT    0x20  /* it has been let in: its rows are firm,
                                       and in the device's name */


typedef struct {
    cwmp_session_state_e   state;
    cwmp_session_name_t    name;      /* PENDING, OPEN, CHALLENGED */
    u_char                 device[CWMP_TABLE_KEY_LEN];  /* name.key, when it
                                                           has been let in */
    u_char                 address[CWMP_ADDRESS_LEN];   /* it began from */
    ngx_uint_t             ncookies;
    cwmp_session_cookie_t  cookies[CWMP_SESSION_COOKIES];
} cwmp_session_t;


typedef enum {
    CWMP_CLAIM_FREE = 0,        /* there is no session to compare with */
    CWMP_CLAIM_SAME,
    CWMP_CLAIM_OTHER
} cwmp_claim_verdict_e;


typedef struct {
    cwmp_session_name_t    name;      /* if it has one */
    u_char                 device[CWMP_TABLE_KEY_LEN];  /* of an Inform */
    u_char                 address[CWMP_ADDRESS_LEN];
    ngx_uint_t             ncookies;
    cwmp_claim_cookie_t    cookies[CWMP_CLAIM_COOKIES];
    cwmp_claim_verdict_e   verdict;

    unsigned               looked:1;  /* where its cookies lead to is known */
    unsigned               post:1;
    unsigned               inform:1;  /* with a DeviceId: named */
    unsigned               named:1;
} cwmp_claim_t;


typedef enum {
    CWMP_ANSWER_TO_EMPTY = 0,   /* a POST without a body */
    CWMP_ANSWER_TO_REPLY,       /* the CPE's reply to a request of the ACS */
    CWMP_ANSWER_TO_INFORM,      /* by the ACS itself */
    CWMP_ANSWER_TO_OTHER
} cwmp_answer_to_e;


/* values that count no more: their rows are to be deleted */

typedef struct {
    ngx_uint_t             n;
    u_char                 keys[CWMP_SESSION_COOKIES][CWMP_TABLE_KEY_LEN];
} cwmp_session_old_t;


/* what is to be done when a cookie was set, or taken back */

typedef struct {
    cwmp_session_cookie_t *cookie;    /* set its row; NULL: none */
    ngx_uint_t             actions;   /* CWMP_SESSION_NAME or 0 */
    cwmp_session_old_t     old;
} cwmp_session_lesson_t;


/*
 * Compares the claim with the session of its connection, NULL: there is none,
 * and sets its verdict.  "asked": an upstream connection has been made for the
 * connection.  A message of the session has its name from now on, another one
 * that of the first cookie that leads to a session, if it is no Inform.
 * Returns NGX_OK, or NGX_AGAIN: call it again when the cookies of both have
 * been looked up, with claim->looked set.
 */
ngx_int_t cwmp_session_recognise(cwmp_session_t *s, cwmp_claim_t *claim,
    ngx_uint_t asked);

/*
 * An Inform of a device of which somebody else has a session: "alias" is its
 * name until it has been let in.  Nothing is changed if a cookie that has been
 * looked up leads to that session: NGX_DECLINED.
 */
ngx_int_t cwmp_claim_alias(cwmp_claim_t *claim, const u_char *alias);

/*
 * The claim's message goes to an upstream.  First it may leave another one's
 * session: CWMP_SESSION_DROP or 0.  Then it joins: CWMP_SESSION_BEGIN or 0.
 * The claim is the session's from now on, also if the same message goes to
 * another upstream afterwards.
 */
ngx_uint_t cwmp_session_leave(cwmp_session_t *s, cwmp_claim_t *claim);
ngx_uint_t cwmp_session_join(cwmp_session_t *s, cwmp_claim_t *claim,
    cwmp_session_old_t *old);

/*
 * An upstream asks for the name of the session that has no attachments, and
 * nobody else will know it by its connection: the claim's is its name.
 */
void cwmp_session_adopt(cwmp_session_t *s, cwmp_claim_t *claim);

/*
 * A cookie was set; "key" NULL: taken back.  "lead": where it leads to, which
 * matters if the session is anonymous: it gets no name that others have.
 */
void cwmp_session_learn(cwmp_session_t *s, uint32_t name, const u_char *key,
    cwmp_lead_e lead, cwmp_session_lesson_t *lesson);

/*
 * What the status of an answer means to its session.
 */
cwmp_session_event_e cwmp_session_answered(ngx_uint_t status,
    cwmp_answer_to_e to);

/*
 * Changes the state by the table; returns what is to be done.
 */
ngx_uint_t cwmp_session_event(cwmp_session_t *s, cwmp_session_event_e ev);

/* a state that has a name, and one that the ACS has let in */

#define cwmp_session_named(s)  ((s)->state >= CWMP_SESSION_PENDING)
#define cwmp_session_firm(s)   ((s)->state >= CWMP_SESSION_OPEN)


#endif /* _CWMP_SESSION_H_INCLUDED_ */
