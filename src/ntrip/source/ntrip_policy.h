
/*
 * What a source does next: a table of states and events.  Whoever has a source
 * tells what has happened and carries out what the step says, in its order,
 * after he has taken the new state; an action may lead to the next event.
 *
 *   LOOK      no account: one is looked for
 *   WAIT      all are in use or rest: again at a time, or when one is free
 *   TURN      an account is leased, other logins at its host come first
 *   LOGIN     the way to the provider is under way
 *   TRIAL     the provider has accepted the login; is it good?
 *   LIVE      it is: data have come, or NTRIP_TRIAL ms have passed
 *   OFFERED   a newer worker is asked to take it
 *   RENEW     the login says goodbye, then another one is made
 *   PASS      the same, then another worker goes on with stream and account:
 *             TLS does not travel
 *   LEAVE     the same, and nothing follows: the stream has gone
 *   END       it has nothing, and is freed
 *
 * Whatever the order of events: an account is never left without having been
 * put to rest or closed, nor before its connection is; there is no connection
 * without an account; the stream is given up in one way and once.  The unit
 * test plays all orders against a model of account, connection and stream.
 */


#ifndef _NTRIP_POLICY_H_INCLUDED_
#define _NTRIP_POLICY_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


typedef enum {
    NTRIP_SOURCE_LOOK = 0,
    NTRIP_SOURCE_WAIT,
    NTRIP_SOURCE_TURN,
    NTRIP_SOURCE_LOGIN,
    NTRIP_SOURCE_TRIAL,
    NTRIP_SOURCE_LIVE,
    NTRIP_SOURCE_OFFERED,
    NTRIP_SOURCE_RENEW,
    NTRIP_SOURCE_PASS,
    NTRIP_SOURCE_LEAVE,
    NTRIP_SOURCE_END
} ntrip_source_state_e;

#define NTRIP_SOURCE_STATES  (NTRIP_SOURCE_END + 1)

/* ms; one that has lasted for so long was good, whatever came of it */
#define NTRIP_TRIAL          10000


typedef enum {
    NTRIP_EVENT_LEASED = 0,    /* an account was found */
    NTRIP_EVENT_BUSY,          /* none is free now */
    NTRIP_EVENT_NONE,          /* there is none, or not in time */
    NTRIP_EVENT_FREE,          /* one may be free */
    NTRIP_EVENT_TURN,          /* the host's turn has come */
    NTRIP_EVENT_AGAIN,         /* it has gone, and the provider is to be asked
                                  in another version of NTRIP */
    NTRIP_EVENT_ACCEPTED,      /* the provider's reply was good */
    NTRIP_EVENT_GOOD,          /* so is the login: data have come, or its time
                                  of trial is over */
    NTRIP_EVENT_FULL,          /* there is no ring for what comes */
    NTRIP_EVENT_CLOSED,        /* the connection has gone, or was never made */
    NTRIP_EVENT_CHANGED,       /* the account is no longer what it was */
    NTRIP_EVENT_OFFER,         /* an heir may take it */
    NTRIP_EVENT_PASS,          /* others are to go on, and cannot take it */
    NTRIP_EVENT_KEEP,          /* the heir did not */
    NTRIP_EVENT_TAKEN,         /* the heir did */
    NTRIP_EVENT_ADOPTED,       /* this is the heir, and has its connection */
    NTRIP_EVENT_CLAIMED,       /* the stream was an orphan, and without an
                                  account, before it was this worker's again */
    NTRIP_EVENT_IDLE,          /* no rover is left */
    NTRIP_EVENT_UNWANTED,      /* nor has one come, the stream is closed, and
                                  with it the account is closing */
    NTRIP_EVENT_DISOWNED,      /* the stream is somebody else's */
    NTRIP_EVENT_EXIT           /* the worker has to exit */
} ntrip_source_event_e;

#define NTRIP_EVENTS  (NTRIP_EVENT_EXIT + 1)


typedef enum {
    NTRIP_DO_NOTHING = 0,

    /* the account */
    NTRIP_DO_LOOK,             /* looks for one, in an event of its own */
    NTRIP_DO_WAIT,             /* arms the timer for the next look, */
    NTRIP_DO_TURN,             /* for the host's turn */
    NTRIP_DO_TRIAL,            /* for the end of the trial */
    NTRIP_DO_GOOD,             /* its failures are forgotten */
    NTRIP_DO_REST,             /* it failed, and rests for the reason */
    NTRIP_DO_CLOSING,          /* it is in use until its connection is closed */
    NTRIP_DO_CLOSED,           /* it is free */

    /* the connection */
    NTRIP_DO_LOGIN,
    NTRIP_DO_SHUTDOWN,         /* says goodbye; CLOSED follows */
    NTRIP_DO_STOP,             /* closes what there is of it */
    NTRIP_DO_PARK,             /* is parked: no timer runs, either */
    NTRIP_DO_UNPARK,
    NTRIP_DO_GIVE,             /* the other worker has it */

    /* the stream */
    NTRIP_DO_LINGER,           /* arms the timer until UNWANTED */
    NTRIP_DO_LINGER_NOT,       /* the same, with nothing to keep */
    NTRIP_DO_LIVE,             /* it may be shown and handed over */
    NTRIP_DO_MISSED,           /* the login was not good */
    NTRIP_DO_LOST,             /* it was, until now */
    NTRIP_DO_RENEW,            /* nobody is to blame that it ends */
    NTRIP_DO_FAIL,             /* its rovers are closed */
    NTRIP_DO_ORPHAN,           /* whoever has rovers of it may go on */
    NTRIP_DO_PASS,             /* the same, and the account is with it */

    NTRIP_DO_FREE
} ntrip_source_action_e;

#define NTRIP_ACTIONS_MAX  6


typedef struct {
    ntrip_source_state_e    next;
    ntrip_source_action_e   actions[NTRIP_ACTIONS_MAX];   /* up to NOTHING */
} ntrip_source_step_t;


/* the step, or NULL: the event means nothing in this state */
const ntrip_source_step_t *ntrip_policy_step(ntrip_source_state_e state,
    ntrip_source_event_e event);


/*
 * All in ms: "since" when there was data last, or the source was made; "limit"
 * that is waited for an account or a good login.  A source that was never
 * "tried" has rovers which have not got anything yet: it waits as long as they
 * do.
 */

/* is the time over, so that no account is looked for any more? */
ngx_uint_t ntrip_policy_over(uint64_t now, uint64_t since, uint64_t limit,
    ngx_uint_t tried);

/*
 * No account is free: BUSY, with *delay ms until the next look, 0: when it is
 * called; or NONE, as the time is over, or will be before the first account
 * ends a long rest.  "rest": ms until the first may be used, NTRIP_WAIT_CALL if
 * nobody knows.  "none": there is no valid account at all.
 */
ntrip_source_event_e ntrip_policy_wait(uint64_t now, uint64_t since,
    uint64_t limit, uint64_t rest, ngx_uint_t none, ngx_uint_t tried,
    uint64_t *delay);


/* how a login, or what became of it, has ended */

typedef struct {
    ngx_uint_t    result;      /* NTRIP_REPLY_*; up to NTRIP_REPLY_OK: nothing
                                  was refused */
    ngx_uint_t    status;      /* of the reply, 0: none */
    unsigned      plain:1;     /* the provider has closed the connection */
    unsigned      distrusted:1;/* with TLS it is not whom we want */
    unsigned      trial:1;     /* in TRIAL */
    unsigned      brief:1;     /* in LIVE, but within NTRIP_TRIAL */
} ntrip_policy_end_t;

/* what rests, and for how long: NTRIP_REST_* */
ngx_uint_t ntrip_policy_reason(const ntrip_policy_end_t *end);


/*
 * With several pools the next account is of the first that has one, but if what
 * the rovers have is as old as NTRIP_POOL_AGE ms by now, or as half of "max",
 * when it is too old for them: then the pool that has let them down, "used",
 * comes last.  Returns the one to begin with, of "n".
 */
#define NTRIP_POOL_AGE       3000

ngx_uint_t ntrip_policy_pool(ngx_uint_t used, ngx_uint_t n, uint64_t age,
    uint64_t max);


/*
 * Versions of NTRIP, 1 or 2, in which a provider is asked.  "wanted" is that of
 * the account, 0: whatever works; "known" has worked at its host, 0: none has
 * yet.
 */

/* the one to begin with */
ngx_uint_t ntrip_policy_version(ngx_uint_t wanted, ngx_uint_t known);

/*
 * A request in "version" was not accepted.  Providers that know no other than
 * 2.0 answer one of 1.0 with 404, 501 or a close, others with 400, 426 or 505.
 *   KEEP     it is not for the version
 *   FORGET   it may be: the next login begins anew
 *   AGAIN    it may be, and nothing is known: at once in 2.0
 */
typedef enum {
    NTRIP_VERSION_KEEP = 0,
    NTRIP_VERSION_FORGET,
    NTRIP_VERSION_AGAIN
} ntrip_policy_version_e;

ntrip_policy_version_e ntrip_policy_refused(ngx_uint_t wanted,
    ngx_uint_t known, ngx_uint_t version, const ntrip_policy_end_t *end);

/* both were tried: which end counts, that of 1.0 or that of 2.0 */
const ntrip_policy_end_t *ntrip_policy_telling(const ntrip_policy_end_t *one,
    const ntrip_policy_end_t *two);


#endif /* _NTRIP_POLICY_H_INCLUDED_ */
