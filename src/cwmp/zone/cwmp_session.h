
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
 *
 *   NONE        nothing has begun, or it is over
 *   ANONYMOUS   a POST has begun one whose name is not known
 *   OPEN        one with a name
 *   CHALLENGED  the same; the last answer was a 401, so that the Inform comes
 *               again
 *
 *               | POST        | POST      | another |        |       |
 *               | named       | unnamed   | one's   | cookie | 401   | answer
 *   ------------+-------------+-----------+---------+--------+-------+-------
 *   NONE        | OPEN begin  | ANONYMOUS |         |        |       |
 *               |             | begin     |         |        |       |
 *   ANONYMOUS   |             |           | NONE    | OPEN   |       |
 *               |             |           | drop    | name   |       |
 *   OPEN        |             |           | NONE    |        | CHAL- |
 *               |             |           | drop    |        | LENGED|
 *   CHALLENGED  |             |           | NONE    |        |       | OPEN
 *               |             |           | drop    |        |       |
 *
 * and in each of the last three: the last answer of a session, an answer after
 * which the CPE has to begin anew, or silence for the time of "cwmp_affinity":
 * NONE, end; after the last answer of one that has a name also spare.  Where
 * nothing stands, nothing changes.
 *
 * Who says what.  A message contradicts the session of its connection, and is
 * "another one's", if
 *   it is an Inform, and no 401 has asked for it, or of another device, or the
 *     session has no name;
 *   it has another value of one of the session's cookies;
 *   it has none of the session's cookies, although one came back before;
 *   it has cookies, and the session has none although an upstream was asked.
 * So somebody in front of us may use its connections for several CPEs.
 */


#ifndef _CWMP_SESSION_H_INCLUDED_
#define _CWMP_SESSION_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_table.h"


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
} cwmp_session_cookie_t;


typedef enum {
    CWMP_SESSION_NONE = 0,
    CWMP_SESSION_ANONYMOUS,
    CWMP_SESSION_OPEN,
    CWMP_SESSION_CHALLENGED
} cwmp_session_state_e;


typedef enum {
    CWMP_SESSION_EV_NAMED = 0,  /* a POST of the session, or the first one */
    CWMP_SESSION_EV_UNNAMED,    /* the same, without a name */
    CWMP_SESSION_EV_OTHER,      /* a message that contradicts */
    CWMP_SESSION_EV_COOKIE,     /* the ACS, or nginx, has set a cookie */
    CWMP_SESSION_EV_UNAUTHORIZED,
    CWMP_SESSION_EV_ANSWER,     /* any other answer; it goes on */
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


typedef struct {
    cwmp_session_state_e   state;
    cwmp_session_name_t    name;      /* OPEN, CHALLENGED */
    ngx_uint_t             ncookies;
    cwmp_session_cookie_t  cookies[CWMP_SESSION_COOKIES];
    unsigned               returned:1;  /* one of them came back */
} cwmp_session_t;


typedef enum {
    CWMP_CLAIM_FREE = 0,        /* there is no session to compare with */
    CWMP_CLAIM_SAME,
    CWMP_CLAIM_OTHER
} cwmp_claim_verdict_e;


typedef struct {
    cwmp_session_name_t    name;      /* if it has one */
    ngx_uint_t             ncookies;
    cwmp_session_cookie_t  cookies[CWMP_CLAIM_COOKIES];
    cwmp_claim_verdict_e   verdict;

    unsigned               post:1;
    unsigned               inform:1;  /* with a DeviceId: named */
    unsigned               named:1;
} cwmp_claim_t;


typedef enum {
    CWMP_ANSWER_TO_EMPTY = 0,   /* a POST without a body */
    CWMP_ANSWER_TO_REPLY,       /* the CPE's reply to a request of the ACS */
    CWMP_ANSWER_TO_OTHER
} cwmp_answer_to_e;


/*
 * Compares the claim with the session of its connection, NULL: there is none,
 * and sets its verdict.  "asked": an upstream connection has been made for the
 * connection.  A message of the session has its name from now on.  Returns
 * NGX_OK, or NGX_DECLINED if the claim has no name, and one of its cookies may
 * lead to it.
 */
ngx_int_t cwmp_session_recognise(cwmp_session_t *s, cwmp_claim_t *claim,
    ngx_uint_t asked);

/*
 * The claim's message goes to an upstream.  Returns CWMP_SESSION_BEGIN, _DROP,
 * both (drop first) or 0.  The claim is the session's from now on, also if
 * the same message goes to another upstream afterwards.
 */
ngx_uint_t cwmp_session_join(cwmp_session_t *s, cwmp_claim_t *claim);

/*
 * An upstream asks for the name of the session that has no attachments, and
 * nobody else will know it by its connection: the claim's is its name.
 */
void cwmp_session_adopt(cwmp_session_t *s, cwmp_claim_t *claim);

/*
 * A cookie was set; "key" NULL: taken back.  Returns the cookie, NULL: there is
 * none, or no place; *actions is CWMP_SESSION_NAME or 0.
 */
cwmp_session_cookie_t *cwmp_session_learn(cwmp_session_t *s, uint32_t name,
    const u_char *key, ngx_uint_t *actions);

/*
 * What the status of an answer means to its session.
 */
cwmp_session_event_e cwmp_session_answered(ngx_uint_t status,
    cwmp_answer_to_e to);

/*
 * Changes the state by the table; returns what is to be done.
 */
ngx_uint_t cwmp_session_event(cwmp_session_t *s, cwmp_session_event_e ev);

/* a state that has a name */

#define cwmp_session_named(s)  ((s)->state >= CWMP_SESSION_OPEN)


#endif /* _CWMP_SESSION_H_INCLUDED_ */
