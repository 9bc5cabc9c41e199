
/*
 * Fieldgate: the course of a wake-up, as decisions.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_wakeup.h"


typedef struct {
    const char           *name;
    ngx_uint_t            status;       /* 0: as it came from the CPE */
} cwmp_wakeup_outcome_t;


static cwmp_wakeup_action_e cwmp_wakeup_challenge(cwmp_wakeup_t *w,
    cwmp_reply_t *r);
static cwmp_wakeup_action_e cwmp_wakeup_answer(cwmp_wakeup_t *w,
    cwmp_reply_t *r, cwmp_challenges_t *all);
static cwmp_wakeup_action_e cwmp_wakeup_resend(cwmp_wakeup_t *w,
    cwmp_wakeup_result_e result);
static uint64_t cwmp_wakeup_hash(ngx_str_t *nonce);


/* in the order of cwmp_wakeup_result_e */

static cwmp_wakeup_outcome_t  cwmp_wakeup_outcomes[] = {
    { "none", 500 },
    { "method", 405 },
    { "bad_origin", 400 },
    { "forbidden", 403 },
    { "credentials", 401 },
    { "ok", 0 },
    { "busy", 0 },
    { "challenge", 401 },
    { "unauthorized", 401 },
    { "unsupported", 401 },
    { "redirect", 502 },
    { "status", 502 },
    { "bad_reply", 502 },
    { "unresolved", 503 },
    { "refused", 503 },
    { "reset", 503 },
    { "closed", 503 },
    { "timeout", 503 },
    { "queue", 503 },
    { "internal", 500 }
};


cwmp_wakeup_action_e
cwmp_wakeup_start(cwmp_wakeup_t *w)
{
    if (w->path) {
        w->reuse = w->kept;
        w->action = CWMP_WAKEUP_SEND_RELAY;

    } else if (w->known) {
        w->nonce = cwmp_wakeup_hash(&w->used.nonce);
        w->scheme = CWMP_AUTH_DIGEST;
        w->action = CWMP_WAKEUP_SEND_DIGEST;

    } else {
        w->action = CWMP_WAKEUP_SEND_PLAIN;
    }

    return w->action;
}


cwmp_wakeup_action_e
cwmp_wakeup_reply(cwmp_wakeup_t *w, cwmp_reply_t *r)
{
    w->cpe_status = r->status;

    switch (r->status) {

    case 200:
    case 204:
        return cwmp_wakeup_finish(w, CWMP_WAKEUP_OK);

    case 401:
        return cwmp_wakeup_challenge(w, r);

    case 503:
        return cwmp_wakeup_finish(w, CWMP_WAKEUP_BUSY);
    }

    if (r->status >= 300 && r->status < 400) {
        return cwmp_wakeup_finish(w, CWMP_WAKEUP_REDIRECT);
    }

    return cwmp_wakeup_finish(w, CWMP_WAKEUP_STATUS);
}


cwmp_wakeup_action_e
cwmp_wakeup_bad_reply(cwmp_wakeup_t *w, cwmp_reply_t *r)
{
    if (r->error == CWMP_REPLY_EMPTY) {
        return cwmp_wakeup_resend(w, CWMP_WAKEUP_CLOSED);
    }

    return cwmp_wakeup_finish(w, CWMP_WAKEUP_BAD_REPLY);
}


cwmp_wakeup_action_e
cwmp_wakeup_event(cwmp_wakeup_t *w, cwmp_wakeup_event_e ev,
    ngx_uint_t started)
{
    switch (ev) {

    case CWMP_WAKEUP_EV_RESET:

        if (!started) {
            return cwmp_wakeup_resend(w, CWMP_WAKEUP_RESET);
        }

        return cwmp_wakeup_finish(w, CWMP_WAKEUP_RESET);

    case CWMP_WAKEUP_EV_REFUSED:
        return cwmp_wakeup_finish(w, CWMP_WAKEUP_REFUSED);

    case CWMP_WAKEUP_EV_TIMEOUT:
        return cwmp_wakeup_finish(w, CWMP_WAKEUP_TIMEOUT);

    case CWMP_WAKEUP_EV_UNRESOLVED:
        return cwmp_wakeup_finish(w, CWMP_WAKEUP_UNRESOLVED);

    default: /* CWMP_WAKEUP_EV_INTERNAL */
        return cwmp_wakeup_finish(w, CWMP_WAKEUP_INTERNAL);
    }
}


cwmp_wakeup_action_e
cwmp_wakeup_finish(cwmp_wakeup_t *w, cwmp_wakeup_result_e result)
{
    w->action = CWMP_WAKEUP_FINISH;
    w->reuse = 0;
    w->result = result;
    w->auth = CWMP_WAKEUP_NO_AUTH;

    w->status = cwmp_wakeup_outcomes[result].status;

    if (w->status == 0) {
        w->status = w->cpe_status;
    }

    switch (result) {

    case CWMP_WAKEUP_CHALLENGE:
        w->auth = CWMP_WAKEUP_CPE_DIGEST;
        break;

    case CWMP_WAKEUP_UNAUTHORIZED:
    case CWMP_WAKEUP_UNSUPPORTED:

        /*
         * The ACS can do something about it only if the credentials are its
         * own; in path mode it must never be asked for a password.
         */

        if (w->held || w->path) {
            w->status = 502;
            break;
        }

        /* fall through */

    case CWMP_WAKEUP_CREDENTIALS:
        w->auth = CWMP_WAKEUP_OUR_BASIC;
        break;

    default:
        break;
    }

    return w->action;
}


const char *
cwmp_wakeup_name(cwmp_wakeup_result_e result)
{
    return cwmp_wakeup_outcomes[result].name;
}


/*
 * A CPE locks out who fails too often, so credentials are sent a second time
 * only if it is the nonce that was refused: one from before that was replaced
 * by another, or one that the CPE itself calls stale, and that once.
 */

static cwmp_wakeup_action_e
cwmp_wakeup_challenge(cwmp_wakeup_t *w, cwmp_reply_t *r)
{
    cwmp_challenges_t  all;

    cwmp_challenge_select(&all, r->auth, r->nauth);

    if (w->path) {

        if (all.has_relay) {
            w->keep = r->reusable;
            return cwmp_wakeup_finish(w, CWMP_WAKEUP_CHALLENGE);
        }

        w->why = CWMP_CHALLENGE_NO_DIGEST;
        return cwmp_wakeup_finish(w, CWMP_WAKEUP_UNSUPPORTED);
    }

    if (w->action == CWMP_WAKEUP_SEND_BASIC) {
        return cwmp_wakeup_finish(w, CWMP_WAKEUP_UNAUTHORIZED);
    }

    if (w->action == CWMP_WAKEUP_SEND_DIGEST) {

        if (!w->fresh) {
            w->drop = 1;
        }

        if (w->again || (w->fresh && !(all.usable && all.digest.stale))) {
            return cwmp_wakeup_finish(w, CWMP_WAKEUP_UNAUTHORIZED);
        }

        if (all.usable && !all.digest.stale
            && cwmp_wakeup_hash(&all.digest.nonce) == w->nonce)
        {
            return cwmp_wakeup_finish(w, CWMP_WAKEUP_UNAUTHORIZED);
        }

        w->again = w->fresh;
    }

    return cwmp_wakeup_answer(w, r, &all);
}


static cwmp_wakeup_action_e
cwmp_wakeup_answer(cwmp_wakeup_t *w, cwmp_reply_t *r, cwmp_challenges_t *all)
{
    if (all->usable) {
        w->used = all->digest;
        w->nonce = cwmp_wakeup_hash(&all->digest.nonce);
        w->fresh = 1;
        w->scheme = CWMP_AUTH_DIGEST;
        w->action = CWMP_WAKEUP_SEND_DIGEST;

    } else if (w->basic && all->has_basic && !all->has_digest) {
        w->scheme = CWMP_AUTH_BASIC;
        w->action = CWMP_WAKEUP_SEND_BASIC;

    } else {
        w->why = all->error;
        return cwmp_wakeup_finish(w, CWMP_WAKEUP_UNSUPPORTED);
    }

    w->reuse = r->reusable;

    return w->action;
}


/*
 * Nothing came back: the connection may have been closed when the request was
 * on its way, as many CPEs do behind a 401.
 */

static cwmp_wakeup_action_e
cwmp_wakeup_resend(cwmp_wakeup_t *w, cwmp_wakeup_result_e result)
{
    if (w->resent) {
        return cwmp_wakeup_finish(w, result);
    }

    w->resent = 1;
    w->reuse = 0;

    return w->action;
}


/* FNV-1a: nonces are only compared with the one before */

static uint64_t
cwmp_wakeup_hash(ngx_str_t *nonce)
{
    size_t    i;
    uint64_t  hash;

    hash = 0xcbf29ce484222325ULL;

    for (i = 0; i < nonce->len; i++) {
        hash = (hash ^ nonce->data[i]) * 0x100000001b3ULL;
    }

    return hash;
}
