/* sources: ntrip_policy.c */

/*
 * Fieldgate: the policy of a source, in every order of events that its account,
 * its connection and its stream allow.  From each place that can be reached
 * each event that can happen there is tried: no action may be out of place,
 * something must be under way, and the end must be near.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_protocol.h"
#include "ntrip_zone.h"
#include "ntrip_policy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "unit/tap.h"


#define TEST_PLACES   (1 << 16)


typedef enum { NO_ACCOUNT = 0, HELD, ENDING } test_account_e;

typedef enum { NO_CONNECTION = 0, UP, PARKED, BYE } test_connection_e;

typedef enum { OWNED = 0, OTHERS, CLOSED, FAILED, ORPHAN } test_stream_e;


/* a source, and all that it has */

typedef struct {
    ntrip_source_state_e   state;
    test_account_e         account;
    test_connection_e      connection;
    test_stream_e          stream;
    unsigned               accepted:1;
    unsigned               good:1;
    unsigned               lock:1;         /* of a file, for the account */
    unsigned               look:1;         /* posted */
    unsigned               timer:1;
    unsigned               linger:1;
    unsigned               freed:1;
} test_world_t;


typedef struct {
    test_world_t           world;
    uint32_t               from;           /* index of a place, */
    ntrip_source_event_e   event;          /* and what led here from there */
    ngx_uint_t             done;           /* END is reached from here */
} test_place_t;


static test_place_t   test_places[TEST_PLACES];
static uint32_t       test_n;
static const char    *test_wrong;
static ngx_uint_t     test_taken[NTRIP_SOURCE_STATES][NTRIP_EVENTS];


static const char  *test_states[] = {
    "LOOK", "WAIT", "TURN", "LOGIN", "TRIAL", "LIVE", "OFFERED", "RENEW",
    "PASS", "LEAVE", "END"
};

static const char  *test_events[] = {
    "LEASED", "BUSY", "NONE", "FREE", "TURN", "AGAIN", "ACCEPTED", "GOOD",
    "FULL", "CLOSED", "CHANGED", "OFFER", "PASS", "KEEP", "TAKEN", "ADOPTED",
    "CLAIMED", "IDLE", "UNWANTED", "DISOWNED", "EXIT"
};


static void
test_expect(int good, const char *wrong)
{
    if (!good && test_wrong == NULL) {
        test_wrong = wrong;
    }
}


static void
test_account(test_world_t *w, ntrip_source_action_e action)
{
    switch (action) {

    case NTRIP_DO_LOOK:
        test_expect(w->account == NO_ACCOUNT, "looks, but has an account");
        w->look = 1;
        break;

    case NTRIP_DO_WAIT:
        test_expect(w->account == NO_ACCOUNT, "waits, but has an account");
        w->timer = 1;
        break;

    case NTRIP_DO_TURN:
        test_expect(w->account == HELD, "its turn, but no account");
        w->timer = 1;
        break;

    case NTRIP_DO_TRIAL:
        test_expect(w->connection == UP && w->accepted,
                    "on trial without a login");
        w->timer = 1;
        break;

    case NTRIP_DO_GOOD:
        test_expect(w->connection == UP && w->accepted,
                    "good without a login");
        test_expect(w->good, "forgiven before it was good");
        break;

    case NTRIP_DO_REST:
        test_expect(w->connection == NO_CONNECTION && !w->lock,
                    "the account goes before the connection");
        test_expect(w->account != ENDING, "rests, but is closing");
        w->account = NO_ACCOUNT;
        break;

    case NTRIP_DO_CLOSING:
        if (w->stream == OWNED) {
            test_expect(w->account == HELD, "closes what it has not");
            w->account = ENDING;
        }

        break;

    default: /* NTRIP_DO_CLOSED */
        test_expect(w->connection == NO_CONNECTION && !w->lock,
                    "the account is free before the connection is closed");
        test_expect(w->account == ENDING || w->stream == OTHERS,
                    "frees what is not closing");
        w->account = NO_ACCOUNT;
        break;
    }
}


static void
test_connection(test_world_t *w, ntrip_source_action_e action)
{
    switch (action) {

    case NTRIP_DO_LOGIN:
        test_expect(w->account == HELD, "logs in without an account");
        test_expect(w->connection == NO_CONNECTION, "logs in twice");
        w->connection = UP;
        w->accepted = 0;
        w->good = 0;
        w->lock = 1;
        break;

    case NTRIP_DO_SHUTDOWN:
        test_expect(w->connection == UP || w->connection == NO_CONNECTION,
                    "says goodbye twice");
        test_expect(w->account == ENDING
                    || (w->state == NTRIP_SOURCE_PASS && w->account == HELD)
                    || w->stream == OTHERS,
                    "says goodbye with an account that is not closing");
        w->connection = BYE;
        break;

    case NTRIP_DO_STOP:
        w->connection = NO_CONNECTION;
        w->lock = 0;
        break;

    case NTRIP_DO_PARK:
        test_expect(w->connection == PARKED, "nothing is parked");
        w->timer = 0;
        w->linger = 0;
        break;

    case NTRIP_DO_UNPARK:
        test_expect(w->connection == PARKED, "goes on without a connection");
        w->connection = UP;
        w->accepted = 1;
        w->good = 0;
        break;

    default: /* NTRIP_DO_GIVE */
        test_expect(w->connection == PARKED, "gives what it has not");
        test_expect(w->stream == OTHERS, "gives a connection that it needs");
        w->connection = NO_CONNECTION;
        break;
    }
}


static void
test_stream(test_world_t *w, ntrip_source_action_e action)
{
    switch (action) {

    case NTRIP_DO_LINGER:
    case NTRIP_DO_LINGER_NOT:
        w->linger = 1;
        break;

    case NTRIP_DO_LIVE:
        test_expect(w->connection == UP && w->accepted,
                    "live without a login");
        break;

    case NTRIP_DO_MISSED:
        test_expect(!w->good, "it was good, and is not counted so");
        break;

    case NTRIP_DO_LOST:
        test_expect(w->good, "it was not good, and is counted so");
        break;

    case NTRIP_DO_FAIL:
        test_expect(w->account != HELD, "fails with an account");
        test_expect(w->stream == OWNED, "fails what it has not");
        w->stream = FAILED;
        break;

    case NTRIP_DO_ORPHAN:
        if (w->stream == OWNED) {
            test_expect(w->account != HELD, "an orphan with an account");
            w->stream = ORPHAN;
        }

        break;

    case NTRIP_DO_PASS:
        if (w->stream == OWNED) {
            test_expect(w->account == HELD, "passes on what it has not");
            test_expect(w->connection == NO_CONNECTION && !w->lock,
                        "passes on what it still uses");
            w->account = NO_ACCOUNT;
            w->stream = ORPHAN;
        }

        break;

    case NTRIP_DO_FREE:
        test_expect(w->state == NTRIP_SOURCE_END, "freed before its end");
        test_expect(w->connection == NO_CONNECTION, "leaves a connection");
        test_expect(w->account == NO_ACCOUNT, "leaves an account");
        test_expect(w->stream != OWNED, "leaves a stream");
        w->freed = 1;
        break;

    default:
        break;
    }
}


static void
test_step(test_world_t *w, ntrip_source_event_e event)
{
    ngx_uint_t                  i;
    const ntrip_source_step_t  *step;

    step = ntrip_policy_step(w->state, event);

    if (step == NULL) {
        return;
    }

    test_taken[w->state][event] = 1;

    /* the timer is that of the state */

    w->timer = (w->state == step->next) ? w->timer : 0;
    w->state = step->next;

    for (i = 0; i < NTRIP_ACTIONS_MAX && step->actions[i]; i++) {
        test_expect(!w->freed, "goes on when it is freed");

        if (step->actions[i] <= NTRIP_DO_CLOSED) {
            test_account(w, step->actions[i]);

        } else if (step->actions[i] <= NTRIP_DO_GIVE) {
            test_connection(w, step->actions[i]);

        } else {
            test_stream(w, step->actions[i]);
        }
    }
}


/* something must be under way that leads to the next event */

static void
test_alive(test_world_t *w)
{
    switch (w->state) {

    case NTRIP_SOURCE_LOOK:
        test_expect(w->look && w->connection == NO_CONNECTION, "stuck");
        break;

    case NTRIP_SOURCE_WAIT:
        test_expect(w->timer && w->connection == NO_CONNECTION, "stuck");
        break;

    case NTRIP_SOURCE_TURN:
        test_expect(w->timer && w->connection == NO_CONNECTION, "stuck");
        break;

    case NTRIP_SOURCE_LOGIN:
        test_expect(w->connection == UP && !w->accepted, "stuck");
        break;

    case NTRIP_SOURCE_TRIAL:
        test_expect(w->connection == UP && w->accepted && w->timer, "stuck");
        break;

    case NTRIP_SOURCE_LIVE:
        test_expect(w->connection == UP && w->accepted, "stuck");
        break;

    case NTRIP_SOURCE_OFFERED:
        test_expect(w->connection == PARKED, "stuck");
        break;

    case NTRIP_SOURCE_RENEW:
    case NTRIP_SOURCE_PASS:
    case NTRIP_SOURCE_LEAVE:
        test_expect(w->connection == BYE, "stuck");
        break;

    case NTRIP_SOURCE_END:
        test_expect(w->freed, "ended, but not freed");
        break;
    }
}


/* may the event happen here?  What has happened to the world then */

static ngx_uint_t
test_may(test_world_t *w, ntrip_source_event_e event)
{
    ngx_uint_t  looks;

    looks = w->look && w->state == NTRIP_SOURCE_LOOK;

    switch (event) {

    case NTRIP_EVENT_LEASED:
    case NTRIP_EVENT_BUSY:
    case NTRIP_EVENT_NONE:
        if (!looks || w->stream != OWNED) {
            return 0;
        }

        w->look = 0;
        w->account = (event == NTRIP_EVENT_LEASED) ? HELD : NO_ACCOUNT;
        return 1;

    case NTRIP_EVENT_DISOWNED:
        w->look = looks ? 0 : w->look;
        return w->stream == OTHERS
               && (looks
                   || w->state == NTRIP_SOURCE_TURN
                   || w->state == NTRIP_SOURCE_LOGIN
                   || w->state == NTRIP_SOURCE_TRIAL
                   || w->state == NTRIP_SOURCE_LIVE);

    case NTRIP_EVENT_FREE:
        return 1;

    case NTRIP_EVENT_TURN:
        return w->state == NTRIP_SOURCE_TURN && w->stream == OWNED;

    case NTRIP_EVENT_AGAIN:
        if (w->state != NTRIP_SOURCE_LOGIN || w->accepted
            || w->stream != OWNED)
        {
            return 0;
        }

        w->connection = NO_CONNECTION;
        return 1;

    case NTRIP_EVENT_ACCEPTED:
        if (w->connection != UP || w->accepted) {
            return 0;
        }

        w->accepted = 1;
        return 1;

    case NTRIP_EVENT_GOOD:
        if (w->connection != UP || !w->accepted || w->stream != OWNED) {
            return 0;
        }

        w->good = 1;
        return 1;

    case NTRIP_EVENT_FULL:
        return w->connection == UP && w->accepted && w->stream == OWNED;

    case NTRIP_EVENT_CLOSED:
        if (w->connection != UP && w->connection != BYE) {
            return 0;
        }

        w->connection = NO_CONNECTION;
        return 1;

    case NTRIP_EVENT_CHANGED:
        return w->account == HELD && w->stream == OWNED;

    case NTRIP_EVENT_OFFER:
        if ((w->state != NTRIP_SOURCE_TRIAL && w->state != NTRIP_SOURCE_LIVE)
            || w->connection != UP)
        {
            return 0;
        }

        w->connection = PARKED;
        return 1;

    case NTRIP_EVENT_PASS:
        return (w->state == NTRIP_SOURCE_TRIAL
                || w->state == NTRIP_SOURCE_LIVE)
               && w->connection == UP;

    case NTRIP_EVENT_KEEP:
        return w->stream == OWNED;

    case NTRIP_EVENT_TAKEN:
        if (w->state != NTRIP_SOURCE_OFFERED) {
            return 0;
        }

        w->stream = OTHERS;
        w->account = NO_ACCOUNT;
        return 1;

    case NTRIP_EVENT_ADOPTED:
        return 0;

    case NTRIP_EVENT_CLAIMED:
        if (w->stream != OTHERS) {
            return 0;
        }

        w->stream = OWNED;
        return 1;

    case NTRIP_EVENT_IDLE:
        return w->stream == OWNED;

    case NTRIP_EVENT_UNWANTED:
        if (!w->linger || w->stream != OWNED) {
            return 0;
        }

        w->linger = 0;
        w->stream = CLOSED;
        w->account = (w->account == HELD) ? ENDING : w->account;
        return 1;

    case NTRIP_EVENT_EXIT:
        return w->connection != PARKED && w->state != NTRIP_SOURCE_LEAVE;
    }

    return 0;
}


static void
test_reach(test_world_t *w, uint32_t from, ntrip_source_event_e event)
{
    uint32_t  i;

    for (i = 0; i < test_n; i++) {
        if (memcmp(&test_places[i].world, w, sizeof(test_world_t)) == 0) {
            return;
        }
    }

    if (test_n == TEST_PLACES) {
        abort();
    }

    test_places[test_n].world = *w;
    test_places[test_n].from = from;
    test_places[test_n].event = event;
    test_n++;
}


static void
test_path(uint32_t i)
{
    if (test_places[i].from != i) {
        test_path(test_places[i].from);
        printf("# %s ->\n", test_events[test_places[i].event]);
    }

    printf("# %s, account %d, connection %d, stream %d\n",
           test_states[test_places[i].world.state],
           test_places[i].world.account, test_places[i].world.connection,
           test_places[i].world.stream);
}


static int
test_explore(void)
{
    uint32_t      i;
    ngx_uint_t    event;
    test_world_t  w;

    for (i = 0; i < test_n; i++) {

        /* somebody thought that this worker was dead */

        w = test_places[i].world;

        if (w.freed) {
            continue;
        }

        if (w.stream == OWNED) {
            w.stream = OTHERS;
            w.account = (w.account == HELD) ? NO_ACCOUNT : w.account;
            test_reach(&w, i, NTRIP_EVENT_DISOWNED);
        }

        for (event = 0; event < NTRIP_EVENTS; event++) {
            w = test_places[i].world;

            if (!test_may(&w, event)) {
                continue;
            }

            test_step(&w, event);
            test_alive(&w);

            if (test_wrong) {
                test_path(i);
                printf("# %s: %s\n", test_events[event], test_wrong);
                return 0;
            }

            test_reach(&w, i, event);
        }
    }

    return 1;
}


/* every state comes to an end when the worker exits, or nobody is left */

static int
test_ends(void)
{
    uint32_t              i;
    ngx_uint_t            n;
    test_world_t          w;
    ntrip_source_event_e  event;

    static const ntrip_source_event_e  way[] = {
        NTRIP_EVENT_DISOWNED, NTRIP_EVENT_NONE, NTRIP_EVENT_KEEP,
        NTRIP_EVENT_EXIT, NTRIP_EVENT_CLOSED, NTRIP_EVENT_TAKEN
    };

    for (i = 0; i < test_n; i++) {
        w = test_places[i].world;

        for (n = 0; !w.freed && n < 4 * sizeof(way) / sizeof(way[0]); n++) {
            event = way[n % (sizeof(way) / sizeof(way[0]))];

            if (test_may(&w, event)) {
                test_step(&w, event);
            }
        }

        if (!w.freed) {
            test_path(i);
            return 0;
        }
    }

    return 1;
}


static void
test_wait(void)
{
    uint64_t  delay;

    delay = 0;

    tap_ok(ntrip_policy_wait(5000, 1000, 60000, 300, 0, 1, &delay)
           == NTRIP_EVENT_BUSY && delay == 301,
           "waits until the first rest is over");
    tap_ok(ntrip_policy_wait(5000, 1000, 60000, NTRIP_WAIT_CALL, 0, 1, &delay)
           == NTRIP_EVENT_BUSY && delay == 56001,
           "until the limit when nobody knows");
    tap_ok(ntrip_policy_wait(5000, 1000, 60000, 56000, 0, 1, &delay)
           == NTRIP_EVENT_BUSY && delay == 56001, "as long as that");
    tap_ok(ntrip_policy_wait(59000, 1000, 60000, NTRIP_REST_SHORT, 0, 1,
                             &delay) == NTRIP_EVENT_BUSY && delay == 2001,
           "to the end for a rest that is short, as others may be over before");
    tap_ok(ntrip_policy_wait(5000, 1000, 60000, 56001, 0, 1, &delay)
           == NTRIP_EVENT_NONE, "but not for a rest that is longer");
    tap_ok(ntrip_policy_wait(61000, 1000, 60000, NTRIP_WAIT_CALL, 0, 1,
                             &delay) == NTRIP_EVENT_NONE,
           "nor longer than the limit");
    tap_ok(ntrip_policy_wait(5000, 1000, 60000, NTRIP_WAIT_CALL, 1, 1,
                             &delay) == NTRIP_EVENT_NONE,
           "not at all for an account that there is not");
    tap_ok(ntrip_policy_wait(99000, 1000, 60000, 56001, 0, 0, &delay)
           == NTRIP_EVENT_BUSY && delay == 56002
           && ntrip_policy_wait(99000, 1000, 60000, NTRIP_WAIT_CALL, 1, 0,
                                &delay) == NTRIP_EVENT_BUSY && delay == 0,
           "as long as its rovers if it was never tried");
}


static ngx_uint_t
test_reason(ngx_uint_t result, ngx_uint_t status, const char *how)
{
    ntrip_policy_end_t  end;

    memset(&end, 0, sizeof(ntrip_policy_end_t));

    end.result = result;
    end.status = status;
    end.plain = (strchr(how, 'p') != NULL);
    end.trial = (strchr(how, 't') != NULL);
    end.brief = (strchr(how, 'b') != NULL);

    return ntrip_policy_reason(&end);
}


static void
test_reasons(void)
{
    tap_ok(test_reason(NTRIP_REPLY_UNAUTHORIZED, 401, "") == NTRIP_REST_REFUSED
           && test_reason(NTRIP_REPLY_FORBIDDEN, 403, "")
              == NTRIP_REST_REFUSED,
           "401 and 403 are the account's fault");
    tap_ok(test_reason(NTRIP_REPLY_NOMOUNT, 404, "") == NTRIP_REST_MOUNT
           && test_reason(NTRIP_REPLY_NOMOUNT, 200, "") == NTRIP_REST_MOUNT,
           "404 and a table are the mountpoint's");
    tap_ok(test_reason(NTRIP_REPLY_BUSY, 409, "") == NTRIP_REST_BUSY
           && test_reason(NTRIP_REPLY_BUSY, 503, "") == NTRIP_REST_BUSY
           && test_reason(NTRIP_REPLY_FAILED, 500, "") == NTRIP_REST_BUSY,
           "so are 409 and 5xx");
    tap_ok(test_reason(NTRIP_REPLY_OK, 200, "t") == NTRIP_REST_DROPPED
           && test_reason(NTRIP_REPLY_OK, 200, "tp") == NTRIP_REST_DROPPED,
           "accepted, and ended before it was good: the place's");
    tap_ok(test_reason(NTRIP_REPLY_OK, 200, "bp") == NTRIP_REST_BRIEF
           && test_reason(NTRIP_REPLY_OK, 200, "b") == NTRIP_REST_BRIEF,
           "good, but not for long: both");
    tap_ok(test_reason(0, 0, "p") == NTRIP_REST_LOST
           && test_reason(NTRIP_REPLY_OK, 200, "p") == NTRIP_REST_LOST,
           "closed by the provider: nobody's");
    tap_ok(test_reason(0, 0, "") == NTRIP_REST_FAILED
           && test_reason(NTRIP_REPLY_OK, 200, "") == NTRIP_REST_FAILED
           && test_reason(NTRIP_REPLY_BUSY, 0, "p") == NTRIP_REST_FAILED
           && test_reason(NTRIP_REPLY_BUSY, 429, "") == NTRIP_REST_FAILED
           && test_reason(NTRIP_REPLY_GARBAGE, 0, "") == NTRIP_REST_FAILED,
           "anything else is a failure");
}


static void
test_pools(void)
{
    tap_ok(ntrip_policy_pool(0, 2, NTRIP_POOL_AGE - 1, 10000) == 0
           && ntrip_policy_pool(1, 2, 0, 10000) == 0,
           "pools: in order as long as nobody notices");
    tap_ok(ntrip_policy_pool(0, 3, NTRIP_POOL_AGE, 10000) == 1
           && ntrip_policy_pool(1, 3, 20000, 10000) == 2
           && ntrip_policy_pool(2, 3, 20000, 10000) == 0,
           "then the next one");
    tap_ok(ntrip_policy_pool(0, 2, 500, 1000) == 1
           && ntrip_policy_pool(0, 2, 499, 1000) == 0,
           "before that, if what they have is soon too old");
    tap_ok(ntrip_policy_pool(0, 1, 20000, 10000) == 0, "one alone is the next");
}


static ntrip_policy_version_e
test_refused(ngx_uint_t wanted, ngx_uint_t known, ngx_uint_t version,
    ngx_uint_t status)
{
    ntrip_policy_end_t  end;

    memset(&end, 0, sizeof(ntrip_policy_end_t));

    end.plain = 1;
    end.status = status;
    end.result = (status == 401) ? NTRIP_REPLY_UNAUTHORIZED
                 : (status == 404) ? NTRIP_REPLY_NOMOUNT
                 : status ? NTRIP_REPLY_FAILED : 0;

    return ntrip_policy_refused(wanted, known, version, &end);
}


static void
test_versions(void)
{
    ngx_uint_t          i, again, kept, forgotten, other;
    ntrip_policy_end_t  none, page;

    static const ngx_uint_t  refusals[] = { 0, 400, 404, 426, 501, 505 };

    tap_ok(ntrip_policy_version(0, 0) == 1 && ntrip_policy_version(0, 1) == 1
           && ntrip_policy_version(0, 2) == 2, "what has worked, else 1.0");
    tap_ok(ntrip_policy_version(1, 2) == 1 && ntrip_policy_version(2, 1) == 2,
           "or what the account says");

    again = 0;
    kept = 0;
    forgotten = 0;
    other = 0;

    for (i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
        again += test_refused(0, 0, 1, refusals[i]) == NTRIP_VERSION_AGAIN;
        forgotten += test_refused(0, 1, 1, refusals[i])
                     == NTRIP_VERSION_FORGET;
        kept += test_refused(1, 0, 1, refusals[i]) == NTRIP_VERSION_KEEP
                && test_refused(2, 0, 2, refusals[i]) == NTRIP_VERSION_KEEP;
        other += test_refused(0, 2, 2, refusals[i]) == NTRIP_VERSION_FORGET;
    }

    tap_ok(again == i, "what a provider of 2.0 says to 1.0: once more");
    tap_ok(forgotten == i, "not where 1.0 has worked, until the next login");
    tap_ok(kept == i, "nor where the account says which");
    tap_ok(other == i - 2
           && test_refused(0, 2, 2, 404) == NTRIP_VERSION_KEEP
           && test_refused(0, 2, 2, 0) == NTRIP_VERSION_KEEP,
           "404 and a close in 2.0 are not for the version");
    tap_ok(test_refused(0, 0, 1, 401) == NTRIP_VERSION_KEEP
           && test_refused(0, 0, 1, 200) == NTRIP_VERSION_KEEP
           && test_refused(0, 0, 1, 503) == NTRIP_VERSION_KEEP,
           "nor is anything else");

    memset(&none, 0, sizeof(ntrip_policy_end_t));
    memset(&page, 0, sizeof(ntrip_policy_end_t));
    none.plain = 1;
    page.result = NTRIP_REPLY_NOMOUNT;
    page.status = 404;

    tap_ok(ntrip_policy_telling(&page, &none) == &page
           && ntrip_policy_telling(&none, &page) == &page
           && ntrip_policy_telling(&none, &none) == &none,
           "an answer tells more than none");
    none.status = 404;
    none.result = NTRIP_REPLY_NOMOUNT;
    tap_ok(ntrip_policy_telling(&page, &none) == &none,
           "of two answers the later one counts");
}


int
main(void)
{
    ngx_uint_t    state, event, unused;
    test_world_t  w;

    /* one that looks for an account, and one that is handed over to here */

    memset(&w, 0, sizeof(test_world_t));
    w.look = 1;
    test_reach(&w, 0, NTRIP_EVENT_FREE);

    memset(&w, 0, sizeof(test_world_t));
    w.account = HELD;
    w.connection = PARKED;
    w.lock = 1;
    test_step(&w, NTRIP_EVENT_ADOPTED);
    test_alive(&w);
    test_reach(&w, test_n, NTRIP_EVENT_ADOPTED);

    tap_ok(test_wrong == NULL && test_explore(), "no action is out of place");
    tap_ok(test_n > 50, "%u places", test_n);
    tap_ok(test_ends(), "each comes to an end");

    unused = 0;

    for (state = 0; state < NTRIP_SOURCE_STATES; state++) {
        for (event = 0; event < NTRIP_EVENTS; event++) {
            if (ntrip_policy_step(state, event) && !test_taken[state][event]) {
                printf("# %s, %s\n", test_states[state], test_events[event]);
                unused++;
            }
        }
    }

    tap_ok(unused == 0, "every step of the table is taken somewhere");

    test_wait();
    test_reasons();
    test_versions();
    test_pools();

    return tap_done();
}
