
/*
 * Fieldgate: an exchange with a CPE, as decisions.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_exchange.h"


static ngx_uint_t cwmp_exchange_is_unreachable(cwmp_exchange_t *x,
    cwmp_exchange_event_e ev);
static cwmp_exchange_action_e cwmp_exchange_challenge(cwmp_exchange_t *x,
    cwmp_reply_t *r);
static cwmp_exchange_action_e cwmp_exchange_answer(cwmp_exchange_t *x,
    cwmp_reply_t *r, cwmp_challenges_t *all);
static cwmp_exchange_action_e cwmp_exchange_resend(cwmp_exchange_t *x,
    cwmp_wakeup_result_e result);
static cwmp_exchange_action_e cwmp_exchange_finish(cwmp_exchange_t *x,
    cwmp_wakeup_result_e result);
static uint64_t cwmp_exchange_hash(ngx_str_t *nonce);


/* by cwmp_exchange_event_e */

static cwmp_wakeup_result_e  cwmp_exchange_results[] = {
    CWMP_WAKEUP_REFUSED,
    CWMP_WAKEUP_RESET,
    CWMP_WAKEUP_TIMEOUT,
    CWMP_WAKEUP_UNRESOLVED,
    CWMP_WAKEUP_FORBIDDEN,
    CWMP_WAKEUP_TIMEOUT,
    CWMP_WAKEUP_UDP,
    CWMP_WAKEUP_UDP_UNBOUND,
    CWMP_WAKEUP_INTERNAL
};


cwmp_exchange_action_e
cwmp_exchange_start(cwmp_exchange_t *x)
{
    if (x->udp && (x->udp_first || x->udp_only)) {
        x->action = CWMP_EXCHANGE_SEND_UDP;

    } else if (x->udp_only) {
        return cwmp_exchange_finish(x, CWMP_WAKEUP_UDP_UNBOUND);

    } else if (x->path) {
        x->reuse = x->kept;
        x->action = CWMP_EXCHANGE_SEND_RELAY;

    } else if (x->known) {
        x->nonce = cwmp_exchange_hash(&x->used.nonce);
        x->outcome.scheme = CWMP_AUTH_DIGEST;
        x->action = CWMP_EXCHANGE_SEND_DIGEST;

    } else {
        x->action = CWMP_EXCHANGE_SEND_PLAIN;
    }

    return x->action;
}


cwmp_exchange_action_e
cwmp_exchange_reply(cwmp_exchange_t *x, cwmp_reply_t *r)
{
    x->outcome.cpe_status = r->status;

    switch (r->status) {

    case 200:
    case 204:
        return cwmp_exchange_finish(x, CWMP_WAKEUP_OK);

    case 401:
        return cwmp_exchange_challenge(x, r);

    case 503:
        return cwmp_exchange_finish(x, CWMP_WAKEUP_BUSY);
    }

    if (r->status >= 300 && r->status < 400) {
        return cwmp_exchange_finish(x, CWMP_WAKEUP_REDIRECT);
    }

    return cwmp_exchange_finish(x, CWMP_WAKEUP_STATUS);
}


cwmp_exchange_action_e
cwmp_exchange_bad_reply(cwmp_exchange_t *x, cwmp_reply_t *r)
{
    if (r->error == CWMP_REPLY_EMPTY) {
        return cwmp_exchange_resend(x, CWMP_WAKEUP_CLOSED);
    }

    return cwmp_exchange_finish(x, CWMP_WAKEUP_BAD_REPLY);
}


cwmp_exchange_action_e
cwmp_exchange_event(cwmp_exchange_t *x, cwmp_exchange_event_e ev,
    ngx_uint_t started)
{
    if (x->action == CWMP_EXCHANGE_SEND_UDP) {
        return cwmp_exchange_finish(x, (ev == CWMP_EXCHANGE_TIMEOUT)
                                       ? CWMP_WAKEUP_UDP_SILENT
                                       : cwmp_exchange_results[ev]);
    }

    if (ev == CWMP_EXCHANGE_RESET && !started) {
        return cwmp_exchange_resend(x, CWMP_WAKEUP_RESET);
    }

    if (cwmp_exchange_is_unreachable(x, ev)) {
        x->outcome.scheme = CWMP_AUTH_NONE;
        x->reuse = 0;
        x->action = CWMP_EXCHANGE_SEND_UDP;

        return x->action;
    }

    return cwmp_exchange_finish(x, cwmp_exchange_results[ev]);
}


/*
 * The CPE is behind NAT, and nothing came through to it or from it.  One that
 * has answered once is not: it is asked no second time by other means.
 */

static ngx_uint_t
cwmp_exchange_is_unreachable(cwmp_exchange_t *x, cwmp_exchange_event_e ev)
{
    if (!x->udp || x->outcome.cpe_status) {
        return 0;
    }

    return ev == CWMP_EXCHANGE_REFUSED
           || ev == CWMP_EXCHANGE_UNCONNECTED
           || ev == CWMP_EXCHANGE_UNRESOLVED;
}


/*
 * A CPE locks out who fails too often, so credentials are sent a second time
 * only if it is the nonce that was refused: one from before that was replaced
 * by another, or one that the CPE itself calls stale, and that once.
 */

static cwmp_exchange_action_e
cwmp_exchange_challenge(cwmp_exchange_t *x, cwmp_reply_t *r)
{
    cwmp_challenges_t  all;

    cwmp_challenge_select(&all, r->auth, r->nauth);

    if (x->path) {

        if (all.has_relay) {
            x->keep = r->reusable;
            return cwmp_exchange_finish(x, CWMP_WAKEUP_CHALLENGE);
        }

        x->why = CWMP_CHALLENGE_NO_DIGEST;
        return cwmp_exchange_finish(x, CWMP_WAKEUP_UNSUPPORTED);
    }

    if (x->action == CWMP_EXCHANGE_SEND_BASIC) {
        return cwmp_exchange_finish(x, CWMP_WAKEUP_UNAUTHORIZED);
    }

    if (x->action == CWMP_EXCHANGE_SEND_DIGEST) {

        if (!x->fresh) {
            x->stale = 1;
        }

        if (x->again || (x->fresh && !(all.usable && all.digest.stale))) {
            return cwmp_exchange_finish(x, CWMP_WAKEUP_UNAUTHORIZED);
        }

        if (all.usable && !all.digest.stale
            && cwmp_exchange_hash(&all.digest.nonce) == x->nonce)
        {
            return cwmp_exchange_finish(x, CWMP_WAKEUP_UNAUTHORIZED);
        }

        x->again = x->fresh;
    }

    return cwmp_exchange_answer(x, r, &all);
}


/* where nothing is known of a CPE, it may lock out who guesses */

static cwmp_exchange_action_e
cwmp_exchange_answer(cwmp_exchange_t *x, cwmp_reply_t *r,
    cwmp_challenges_t *all)
{
    if (all->usable) {
        x->used = all->digest;
        x->nonce = cwmp_exchange_hash(&all->digest.nonce);
        x->fresh = 1;
        x->outcome.scheme = CWMP_AUTH_DIGEST;
        x->action = CWMP_EXCHANGE_SEND_DIGEST;

    } else if (x->basic && all->has_basic && !all->has_digest) {
        x->outcome.scheme = CWMP_AUTH_BASIC;
        x->action = CWMP_EXCHANGE_SEND_BASIC;

    } else {
        x->why = all->error;
        return cwmp_exchange_finish(x, CWMP_WAKEUP_UNSUPPORTED);
    }

    if (x->none) {
        return cwmp_exchange_finish(x, CWMP_WAKEUP_UNAUTHORIZED);
    }

    x->reuse = r->reusable;

    return x->action;
}


/*
 * Nothing came back: the connection may have been closed when the request was
 * on its way, as many CPEs do behind a 401.
 */

static cwmp_exchange_action_e
cwmp_exchange_resend(cwmp_exchange_t *x, cwmp_wakeup_result_e result)
{
    if (x->resent) {
        return cwmp_exchange_finish(x, result);
    }

    x->resent = 1;
    x->reuse = 0;

    return x->action;
}


/*
 * In path mode the ACS has the credentials as well, but must never be asked
 * for a password.
 */

static cwmp_exchange_action_e
cwmp_exchange_finish(cwmp_exchange_t *x, cwmp_wakeup_result_e result)
{
    if (result == CWMP_WAKEUP_OK) {
        x->remember = (x->action == CWMP_EXCHANGE_SEND_DIGEST && x->fresh);

    } else {
        x->forget = x->stale;
    }

    cwmp_outcome_set(&x->outcome, result, !x->held && !x->path);

    x->action = CWMP_EXCHANGE_FINISH;
    x->reuse = 0;

    return x->action;
}


/* FNV-1a: nonces are only compared with the one before */

static uint64_t
cwmp_exchange_hash(ngx_str_t *nonce)
{
    size_t    i;
    uint64_t  hash;

    hash = 0xcbf29ce484222325ULL;

    for (i = 0; i < nonce->len; i++) {
        hash = (hash ^ nonce->data[i]) * 0x100000001b3ULL;
    }

    return hash;
}
