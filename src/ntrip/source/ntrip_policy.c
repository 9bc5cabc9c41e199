
#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_protocol.h"
#include "ntrip_zone.h"
#include "ntrip_policy.h"


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
        [NTRIP_EVENT_ADOPTED] =  { NTRIP_SOURCE_LIVE,
                                   { NTRIP_DO_UNPARK } },
        [NTRIP_EVENT_IDLE] =     { NTRIP_SOURCE_LOOK,
                                   { NTRIP_DO_LINGER_NOT } },
        [NTRIP_EVENT_UNWANTED] = { NTRIP_SOURCE_END,
                                   { NTRIP_DO_FREE } },
        [NTRIP_EVENT_DISOWNED] = { NTRIP_SOURCE_END,
                                   { NTRIP_DO_FREE } },
        [NTRIP_EVENT_EXIT] =     { NTRIP_SOURCE_END,
                                   { NTRIP_DO_ORPHAN, NTRIP_DO_FREE } }
    },

    [NTRIP_SOURCE_WAIT] = {
        [NTRIP_EVENT_FREE] =     { NTRIP_SOURCE_LOOK,
                                   { NTRIP_DO_LOOK } },
        [NTRIP_EVENT_IDLE] =     { NTRIP_SOURCE_WAIT,
                                   { NTRIP_DO_LINGER_NOT } },
        [NTRIP_EVENT_UNWANTED] = { NTRIP_SOURCE_END,
                                   { NTRIP_DO_FREE } },
        [NTRIP_EVENT_EXIT] =     { NTRIP_SOURCE_END,
                                   { NTRIP_DO_ORPHAN, NTRIP_DO_FREE } }
    },

    [NTRIP_SOURCE_TURN] = {
        [NTRIP_EVENT_TURN] =     { NTRIP_SOURCE_LOGIN,
                                   { NTRIP_DO_LOGIN } },
        [NTRIP_EVENT_CHANGED] =  { NTRIP_SOURCE_RENEW,
                                   { NTRIP_DO_RENEW, NTRIP_DO_CLOSING,
                                     NTRIP_DO_SHUTDOWN } },
        [NTRIP_EVENT_CLAIMED] =  { NTRIP_SOURCE_LOOK,
                                   { NTRIP_DO_STOP, NTRIP_DO_LOOK } },
        [NTRIP_EVENT_IDLE] =     { NTRIP_SOURCE_TURN,
                                   { NTRIP_DO_LINGER } },
        [NTRIP_EVENT_UNWANTED] = { NTRIP_SOURCE_LEAVE,
                                   { NTRIP_DO_SHUTDOWN } },
        [NTRIP_EVENT_DISOWNED] = { NTRIP_SOURCE_END,
                                   { NTRIP_DO_STOP, NTRIP_DO_FREE } },
        [NTRIP_EVENT_EXIT] =     { NTRIP_SOURCE_END,
                                   { NTRIP_DO_CLOSING, NTRIP_DO_ORPHAN,
                                     NTRIP_DO_STOP, NTRIP_DO_CLOSED,
                                     NTRIP_DO_FREE } }
    },

    [NTRIP_SOURCE_LOGIN] = {
        [NTRIP_EVENT_ACCEPTED] = { NTRIP_SOURCE_LIVE,
                                   { NTRIP_DO_GOOD } },
        [NTRIP_EVENT_CLOSED] =   { NTRIP_SOURCE_LOOK,
                                   { NTRIP_DO_STOP, NTRIP_DO_MISSED,
                                     NTRIP_DO_REST, NTRIP_DO_LOOK } },
        [NTRIP_EVENT_CHANGED] =  { NTRIP_SOURCE_RENEW,
                                   { NTRIP_DO_RENEW, NTRIP_DO_CLOSING,
                                     NTRIP_DO_SHUTDOWN } },
        [NTRIP_EVENT_CLAIMED] =  { NTRIP_SOURCE_LOOK,
                                   { NTRIP_DO_STOP, NTRIP_DO_LOOK } },
        [NTRIP_EVENT_IDLE] =     { NTRIP_SOURCE_LOGIN,
                                   { NTRIP_DO_LINGER } },
        [NTRIP_EVENT_UNWANTED] = { NTRIP_SOURCE_LEAVE,
                                   { NTRIP_DO_SHUTDOWN } },
        [NTRIP_EVENT_DISOWNED] = { NTRIP_SOURCE_END,
                                   { NTRIP_DO_STOP, NTRIP_DO_FREE } },
        [NTRIP_EVENT_EXIT] =     { NTRIP_SOURCE_END,
                                   { NTRIP_DO_CLOSING, NTRIP_DO_ORPHAN,
                                     NTRIP_DO_STOP, NTRIP_DO_CLOSED,
                                     NTRIP_DO_FREE } }
    },

    [NTRIP_SOURCE_LIVE] = {
        [NTRIP_EVENT_FULL] =     { NTRIP_SOURCE_LEAVE,
                                   { NTRIP_DO_CLOSING, NTRIP_DO_FAIL,
                                     NTRIP_DO_SHUTDOWN } },
        [NTRIP_EVENT_CLOSED] =   { NTRIP_SOURCE_LOOK,
                                   { NTRIP_DO_STOP, NTRIP_DO_LOST,
                                     NTRIP_DO_REST, NTRIP_DO_LOOK } },
        [NTRIP_EVENT_CHANGED] =  { NTRIP_SOURCE_RENEW,
                                   { NTRIP_DO_RENEW, NTRIP_DO_CLOSING,
                                     NTRIP_DO_SHUTDOWN } },
        [NTRIP_EVENT_OFFER] =    { NTRIP_SOURCE_OFFERED,
                                   { NTRIP_DO_PARK } },
        [NTRIP_EVENT_CLAIMED] =  { NTRIP_SOURCE_LOOK,
                                   { NTRIP_DO_STOP, NTRIP_DO_LOOK } },
        [NTRIP_EVENT_IDLE] =     { NTRIP_SOURCE_LIVE,
                                   { NTRIP_DO_LINGER } },
        [NTRIP_EVENT_UNWANTED] = { NTRIP_SOURCE_LEAVE,
                                   { NTRIP_DO_SHUTDOWN } },
        [NTRIP_EVENT_DISOWNED] = { NTRIP_SOURCE_END,
                                   { NTRIP_DO_STOP, NTRIP_DO_FREE } },
        [NTRIP_EVENT_EXIT] =     { NTRIP_SOURCE_END,
                                   { NTRIP_DO_CLOSING, NTRIP_DO_ORPHAN,
                                     NTRIP_DO_STOP, NTRIP_DO_CLOSED,
                                     NTRIP_DO_FREE } }
    },

    /* what may belong to another worker is left alone */

    [NTRIP_SOURCE_OFFERED] = {
        [NTRIP_EVENT_KEEP] =     { NTRIP_SOURCE_LIVE,
                                   { NTRIP_DO_UNPARK } },
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


ntrip_source_event_e
ntrip_policy_wait(uint64_t now, uint64_t since, uint64_t limit, uint64_t rest,
    ngx_uint_t none, ngx_uint_t tried, uint64_t *delay)
{
    int64_t  left;

    if (!tried) {
        *delay = (rest == NTRIP_WAIT_CALL) ? 0 : rest + 1;
        return NTRIP_EVENT_BUSY;
    }

    left = (int64_t) (since + limit - now);

    if (none || left <= 0
        || (rest != NTRIP_WAIT_CALL && rest > (uint64_t) left))
    {
        return NTRIP_EVENT_NONE;
    }

    /* what is in use may be given back until the time is over */

    *delay = ngx_min(rest, (uint64_t) left) + 1;

    return NTRIP_EVENT_BUSY;
}


ngx_uint_t
ntrip_policy_reason(ngx_uint_t result)
{
    switch (result) {

    case NTRIP_REPLY_UNAUTHORIZED:
    case NTRIP_REPLY_FORBIDDEN:
        return NTRIP_REST_REFUSED;

    case NTRIP_REPLY_NOMOUNT:
        return NTRIP_REST_MOUNT;
    }

    return NTRIP_REST_FAILED;
}
