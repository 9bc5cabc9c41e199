
#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_protocol.h"
#include "ntrip_zone.h"
#include "ntrip_policy.h"


/* with an account, and the stream's: what is the same wherever that is */

#define ntrip_policy_leased(state)                                            \
                                                                              \
        [NTRIP_EVENT_CHANGED] =  { NTRIP_SOURCE_RENEW,                        \
                                   { NTRIP_DO_RENEW, NTRIP_DO_CLOSING,        \
                                     NTRIP_DO_SHUTDOWN } },                   \
        [NTRIP_EVENT_CLAIMED] =  { NTRIP_SOURCE_LOOK,                         \
                                   { NTRIP_DO_STOP, NTRIP_DO_LOOK } },        \
        [NTRIP_EVENT_IDLE] =     { state,                                     \
                                   { NTRIP_DO_LINGER } },                     \
        [NTRIP_EVENT_UNWANTED] = { NTRIP_SOURCE_LEAVE,                        \
                                   { NTRIP_DO_SHUTDOWN } },                   \
        [NTRIP_EVENT_DISOWNED] = { NTRIP_SOURCE_END,                          \
                                   { NTRIP_DO_STOP, NTRIP_DO_FREE } },        \
        [NTRIP_EVENT_EXIT] =     { NTRIP_SOURCE_END,                          \
                                   { NTRIP_DO_CLOSING, NTRIP_DO_ORPHAN,       \
                                     NTRIP_DO_STOP, NTRIP_DO_CLOSED,          \
                                     NTRIP_DO_FREE } }

/* accepted, too */

#define ntrip_policy_accepted(state)                                          \
                                                                              \
        [NTRIP_EVENT_FULL] =     { NTRIP_SOURCE_LEAVE,                        \
                                   { NTRIP_DO_CLOSING, NTRIP_DO_FAIL,         \
                                     NTRIP_DO_SHUTDOWN } },                   \
        [NTRIP_EVENT_OFFER] =    { NTRIP_SOURCE_OFFERED,                      \
                                   { NTRIP_DO_PARK } },                       \
        [NTRIP_EVENT_PASS] =     { NTRIP_SOURCE_PASS,                         \
                                   { NTRIP_DO_SHUTDOWN } },                   \
        ntrip_policy_leased(state)

/* without an account: what is the same whether one is looked for or not */

#define ntrip_policy_bare(state)                                              \
                                                                              \
        [NTRIP_EVENT_IDLE] =     { state,                                     \
                                   { NTRIP_DO_LINGER_NOT } },                 \
        [NTRIP_EVENT_UNWANTED] = { NTRIP_SOURCE_END,                          \
                                   { NTRIP_DO_FREE } },                       \
        [NTRIP_EVENT_EXIT] =     { NTRIP_SOURCE_END,                          \
                                   { NTRIP_DO_ORPHAN, NTRIP_DO_FREE } }


/* a cell without actions that stays in LOOK is none: the event is ignored */

static const ntrip_source_step_t
    ntrip_policy_steps[NTRIP_SOURCE_STATES][NTRIP_EVENTS] =
{
    [NTRIP_SOURCE_LOOK] = {
        [NTRIP_EVENT_LEASED] =   { NTRIP_SOURCE_TURN,
                                   { NTRIP_DO_TURN } },
        [NTRIP_EVENT_BUSY] =     { NTRIP_SOURCE_WAIT,
                                   { NTRIP_DO_WAIT } },
        [NTRIP_EVENT_NONE] =     { NTRIP_SOURCE_END,
                                   { NTRIP_DO_FAIL, NTRIP_DO_FREE } },
        [NTRIP_EVENT_ADOPTED] =  { NTRIP_SOURCE_TRIAL,
                                   { NTRIP_DO_UNPARK, NTRIP_DO_TRIAL } },
        [NTRIP_EVENT_DISOWNED] = { NTRIP_SOURCE_END,
                                   { NTRIP_DO_FREE } },
        ntrip_policy_bare(NTRIP_SOURCE_LOOK)
    },

    [NTRIP_SOURCE_WAIT] = {
        [NTRIP_EVENT_FREE] =     { NTRIP_SOURCE_LOOK,
                                   { NTRIP_DO_LOOK } },
        ntrip_policy_bare(NTRIP_SOURCE_WAIT)
    },

    [NTRIP_SOURCE_TURN] = {
        [NTRIP_EVENT_TURN] =     { NTRIP_SOURCE_LOGIN,
                                   { NTRIP_DO_LOGIN } },
        ntrip_policy_leased(NTRIP_SOURCE_TURN)
    },

    [NTRIP_SOURCE_LOGIN] = {
        [NTRIP_EVENT_AGAIN] =    { NTRIP_SOURCE_TURN,
                                   { NTRIP_DO_STOP, NTRIP_DO_TURN } },
        [NTRIP_EVENT_ACCEPTED] = { NTRIP_SOURCE_TRIAL,
                                   { NTRIP_DO_LIVE, NTRIP_DO_TRIAL } },
        [NTRIP_EVENT_CLOSED] =   { NTRIP_SOURCE_LOOK,
                                   { NTRIP_DO_STOP, NTRIP_DO_MISSED,
                                     NTRIP_DO_REST, NTRIP_DO_LOOK } },
        ntrip_policy_leased(NTRIP_SOURCE_LOGIN)
    },

    /* one that is taken over, or was nearly, is on trial again */

    [NTRIP_SOURCE_TRIAL] = {
        [NTRIP_EVENT_GOOD] =     { NTRIP_SOURCE_LIVE,
                                   { NTRIP_DO_GOOD } },
        [NTRIP_EVENT_CLOSED] =   { NTRIP_SOURCE_LOOK,
                                   { NTRIP_DO_STOP, NTRIP_DO_MISSED,
                                     NTRIP_DO_REST, NTRIP_DO_LOOK } },
        ntrip_policy_accepted(NTRIP_SOURCE_TRIAL)
    },

    [NTRIP_SOURCE_LIVE] = {
        [NTRIP_EVENT_CLOSED] =   { NTRIP_SOURCE_LOOK,
                                   { NTRIP_DO_STOP, NTRIP_DO_LOST,
                                     NTRIP_DO_REST, NTRIP_DO_LOOK } },
        ntrip_policy_accepted(NTRIP_SOURCE_LIVE)
    },

    /* what may belong to another worker is left alone */

    [NTRIP_SOURCE_OFFERED] = {
        [NTRIP_EVENT_KEEP] =     { NTRIP_SOURCE_TRIAL,
                                   { NTRIP_DO_UNPARK, NTRIP_DO_TRIAL } },
        [NTRIP_EVENT_CLAIMED] =  { NTRIP_SOURCE_LOOK,
                                   { NTRIP_DO_STOP, NTRIP_DO_LOOK } },
        [NTRIP_EVENT_TAKEN] =    { NTRIP_SOURCE_END,
                                   { NTRIP_DO_GIVE, NTRIP_DO_FREE } }
    },

    [NTRIP_SOURCE_RENEW] = {
        [NTRIP_EVENT_CLOSED] =   { NTRIP_SOURCE_LOOK,
                                   { NTRIP_DO_STOP, NTRIP_DO_CLOSED,
                                     NTRIP_DO_LOOK } },
        [NTRIP_EVENT_IDLE] =     { NTRIP_SOURCE_RENEW,
                                   { NTRIP_DO_LINGER } },
        [NTRIP_EVENT_UNWANTED] = { NTRIP_SOURCE_LEAVE,
                                   { NTRIP_DO_NOTHING } },
        [NTRIP_EVENT_EXIT] =     { NTRIP_SOURCE_END,
                                   { NTRIP_DO_ORPHAN, NTRIP_DO_STOP,
                                     NTRIP_DO_CLOSED, NTRIP_DO_FREE } }
    },

    [NTRIP_SOURCE_PASS] = {
        [NTRIP_EVENT_CLOSED] =   { NTRIP_SOURCE_END,
                                   { NTRIP_DO_STOP, NTRIP_DO_PASS,
                                     NTRIP_DO_FREE } },
        [NTRIP_EVENT_CLAIMED] =  { NTRIP_SOURCE_LOOK,
                                   { NTRIP_DO_STOP, NTRIP_DO_LOOK } },
        [NTRIP_EVENT_IDLE] =     { NTRIP_SOURCE_PASS,
                                   { NTRIP_DO_LINGER } },
        [NTRIP_EVENT_UNWANTED] = { NTRIP_SOURCE_LEAVE,
                                   { NTRIP_DO_NOTHING } },
        [NTRIP_EVENT_EXIT] =     { NTRIP_SOURCE_END,
                                   { NTRIP_DO_CLOSING, NTRIP_DO_ORPHAN,
                                     NTRIP_DO_STOP, NTRIP_DO_CLOSED,
                                     NTRIP_DO_FREE } }
    },

    [NTRIP_SOURCE_LEAVE] = {
        [NTRIP_EVENT_CLOSED] =   { NTRIP_SOURCE_END,
                                   { NTRIP_DO_STOP, NTRIP_DO_CLOSED,
                                     NTRIP_DO_FREE } }
    }
};


const ntrip_source_step_t *
ntrip_policy_step(ntrip_source_state_e state, ntrip_source_event_e event)
{
    const ntrip_source_step_t  *step;

    step = &ntrip_policy_steps[state][event];

    if (step->next == NTRIP_SOURCE_LOOK
        && step->actions[0] == NTRIP_DO_NOTHING)
    {
        return NULL;
    }

    return step;
}


ngx_uint_t
ntrip_policy_over(uint64_t now, uint64_t since, uint64_t limit,
    ngx_uint_t tried)
{
    return tried && (int64_t) (since + limit - now) <= 0;
}


ntrip_source_event_e
ntrip_policy_wait(uint64_t now, uint64_t since, uint64_t limit, uint64_t rest,
    ngx_uint_t none, ngx_uint_t tried, uint64_t *delay)
{
    uint64_t  left;

    if (!tried) {
        *delay = (rest == NTRIP_WAIT_CALL) ? 0 : rest + 1;
        return NTRIP_EVENT_BUSY;
    }

    if (none || ntrip_policy_over(now, since, limit, tried)) {
        return NTRIP_EVENT_NONE;
    }

    left = since + limit - now;

    if (rest != NTRIP_WAIT_CALL && rest > left && rest > NTRIP_REST_SHORT) {
        return NTRIP_EVENT_NONE;
    }

    /* what is in use may be given back until the time is over */

    *delay = ngx_min(rest, left) + 1;

    return NTRIP_EVENT_BUSY;
}


ngx_uint_t
ntrip_policy_reason(const ntrip_policy_end_t *end)
{
    if (end->distrusted) {
        return NTRIP_REST_TLS;
    }

    if (end->trial) {
        return NTRIP_REST_DROPPED;
    }

    if (end->result <= NTRIP_REPLY_OK) {
        return end->brief ? NTRIP_REST_BRIEF
                          : end->plain ? NTRIP_REST_LOST : NTRIP_REST_FAILED;
    }

    switch (end->result) {

    case NTRIP_REPLY_UNAUTHORIZED:
    case NTRIP_REPLY_FORBIDDEN:
        return NTRIP_REST_REFUSED;

    case NTRIP_REPLY_NOMOUNT:
        return NTRIP_REST_MOUNT;
    }

    return (end->status == 409 || end->status >= 500) ? NTRIP_REST_BUSY
                                                      : NTRIP_REST_FAILED;
}


ngx_uint_t
ntrip_policy_pool(ngx_uint_t used, ngx_uint_t n, uint64_t age, uint64_t max)
{
    return (n > 1 && age >= ngx_min(max / 2, NTRIP_POOL_AGE))
           ? (used + 1) % n : 0;
}


ngx_uint_t
ntrip_policy_version(ngx_uint_t wanted, ngx_uint_t known)
{
    return wanted ? wanted : known ? known : 1;
}


ntrip_policy_version_e
ntrip_policy_refused(ngx_uint_t wanted, ngx_uint_t known, ngx_uint_t version,
    const ntrip_policy_end_t *end)
{
    ngx_uint_t  closed;

    closed = (end->result == 0 && end->plain && !end->distrusted);

    switch (end->status) {

    case 400:
    case 426:
    case 501:
    case 505:
        break;

    default:

        /* one that speaks 2.0 says so of a mountpoint, or of a place */

        if (version != 1 || (end->status != 404 && !closed)) {
            return NTRIP_VERSION_KEEP;
        }
    }

    if (wanted) {
        return NTRIP_VERSION_KEEP;
    }

    return (version == 1 && known == 0) ? NTRIP_VERSION_AGAIN
                                        : NTRIP_VERSION_FORGET;
}


const ntrip_policy_end_t *
ntrip_policy_telling(const ntrip_policy_end_t *one,
    const ntrip_policy_end_t *two)
{
    return (two->result == 0 && one->result != 0) ? one : two;
}
