
/*
 * sources: cwmp_exchange.c cwmp_wakeup.c cwmp_reply.c
 *          cwmp_challenge.c
 *
 * Whole exchanges: what the CPE does, and what is done next.
 */


#include "tap.h"
#include "cwmp_exchange.h"


#define nelts(a)  (sizeof(a) / sizeof(a[0]))


typedef struct {
    const char    *in;          /* NULL: the start */
    const char    *out;
} test_step_t;


typedef struct {
    const char    *name;
    const char    *flags;
    test_step_t    steps[8];
} test_exchange_t;


#define OK       "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
#define NO       "HTTP/1.1 401 x\r\nContent-Length: 0\r\n"
#define CLOSE    "Connection: close\r\n"
#define D(n)     "WWW-Authenticate: Digest realm=\"r\",nonce=\"" n "\"\r\n"
#define STALE(n)  "WWW-Authenticate: Digest realm=\"r\",nonce=\"" n "\"," \
                  "stale=TRUE\r\n"
#define BAD      "WWW-Authenticate: Digest realm=\"r\",nonce=\"1\"," \
                 "algorithm=SHA-512-256\r\n"
#define BASIC    "WWW-Authenticate: Basic realm=\"r\"\r\n"
#define NTLM     "WWW-Authenticate: NTLM\r\n"
#define END      "\r\n"


static test_exchange_t  exchanges[] = {

    { "no credentials wanted", "", {
        { NULL, "plain, new" },
        { OK, "ok 200" } } },

    { "UDP, when nobody listens", "nat", {
        { NULL, "plain, new" },
        { "REFUSED", "udp, new" },
        { "HEARD", "udp 200" } } },

    { "UDP, when there is no connection", "nat", {
        { NULL, "plain, new" },
        { "UNCONNECTED", "udp, new" },
        { "TIMEOUT", "udp_silent 503" } } },

    { "UDP, when the name has no address", "nat known", {
        { NULL, "digest 0, new" },
        { "UNRESOLVED", "udp, new" },
        { "UNBOUND", "udp_unbound 503" } } },

    { "no UDP without a binding", "first", {
        { NULL, "plain, new" },
        { "UNCONNECTED", "timeout 503" } } },

    { "no UDP behind a connection that broke", "nat", {
        { NULL, "plain, new" },
        { "RST", "plain, new" },
        { "RST", "reset 503" } } },

    { "no UDP behind an answer", "nat", {
        { NULL, "plain, new" },
        { NO CLOSE D("1") END, "digest 1, new" },
        { "REFUSED", "refused 503" } } },

    { "no UDP at the end of the time", "nat", {
        { NULL, "plain, new" },
        { "TIMEOUT", "timeout 503" } } },

    { "UDP first", "nat first", {
        { NULL, "udp, new" },
        { "HEARD", "udp 200" } } },

    { "UDP only", "nat only", {
        { NULL, "udp, new" },
        { "INTERNAL", "internal 500" } } },

    { "UDP only, without a binding", "only", {
        { NULL, "udp_unbound 503" } } },

    { "204", "", {
        { NULL, "plain, new" },
        { "HTTP/1.1 204 x\r\n\r\n", "ok 204" } } },

    { "Digest on the same connection", "", {
        { NULL, "plain, new" },
        { NO D("1") END, "digest 1, same" },
        { OK, "ok 200, remember" } } },

    { "Digest, closed behind the 401", "", {
        { NULL, "plain, new" },
        { NO CLOSE D("1") END, "digest 1, new" },
        { OK, "ok 200, remember" } } },

    { "Digest, closed behind the 401 without saying so", "", {
        { NULL, "plain, new" },
        { NO D("1") END, "digest 1, same" },
        { "EOF", "digest 1, new" },
        { OK, "ok 200, remember" } } },

    { "Digest, reset behind the 401", "", {
        { NULL, "plain, new" },
        { NO D("1") END, "digest 1, same" },
        { "RST", "digest 1, new" },
        { "HTTP/1.1 204 x\r\n\r\n", "ok 204, remember" } } },

    { "Digest, 401 not framed", "", {
        { NULL, "plain, new" },
        { "HTTP/1.1 401 x\r\n" D("1") END, "digest 1, new" },
        { OK, "ok 200, remember" } } },

    { "the stronger challenge", "", {
        { NULL, "plain, new" },
        { NO D("1") "WWW-Authenticate: Digest realm=\"r\",nonce=\"2\","
          "algorithm=SHA-256\r\n" END, "digest 2, same" },
        { OK, "ok 200, remember" } } },

    { "wrong credentials", "", {
        { NULL, "plain, new" },
        { NO D("1") END, "digest 1, same" },
        { NO D("2") END, "unauthorized 401 basic" } } },

    { "wrong credentials held here", "held", {
        { NULL, "plain, new" },
        { NO D("1") END, "digest 1, same" },
        { NO D("2") END, "unauthorized 502" } } },

    { "stale: one more round", "", {
        { NULL, "plain, new" },
        { NO D("1") END, "digest 1, same" },
        { NO STALE("2") END, "digest 2, same" },
        { OK, "ok 200, remember" } } },

    { "stale: not more than one", "", {
        { NULL, "plain, new" },
        { NO D("1") END, "digest 1, same" },
        { NO STALE("2") END, "digest 2, same" },
        { NO STALE("3") END, "unauthorized 401 basic" } } },

    { "stale without a usable challenge", "", {
        { NULL, "plain, new" },
        { NO D("1") END, "digest 1, same" },
        { NO END, "unauthorized 401 basic" } } },

    /* a nonce from before */

    { "known nonce", "known", {
        { NULL, "digest 0, new" },
        { OK, "ok 200" } } },

    { "known nonce, stale", "known", {
        { NULL, "digest 0, new" },
        { NO STALE("1") END, "digest 1, same" },
        { OK, "ok 200, remember" } } },

    { "known nonce, refused without a word", "known", {
        { NULL, "digest 0, new" },
        { NO CLOSE D("1") END, "digest 1, new" },
        { NO D("2") END, "unauthorized 401 basic, forget" } } },

    { "known nonce, then stale", "known", {
        { NULL, "digest 0, new" },
        { NO D("1") END, "digest 1, same" },
        { NO STALE("2") END, "digest 2, same" },
        { NO STALE("3") END, "unauthorized 401 basic, forget" } } },

    { "known nonce is still the CPE's: the credentials are wrong", "known", {
        { NULL, "digest 0, new" },
        { NO D("0") END, "unauthorized 401 basic, forget" } } },

    { "known nonce, the CPE offers something else now", "known", {
        { NULL, "digest 0, new" },
        { NO NTLM END, "unsupported 401 basic, forget" } } },

    { "known nonce, closed", "known", {
        { NULL, "digest 0, new" },
        { "EOF", "digest 0, new" },
        { OK, "ok 200" } } },

    { "held, but none for this CPE", "held none", {
        { NULL, "plain, new" },
        { NO D("1") END, "unauthorized 502" } } },

    { "held, but none for this CPE, nor wanted", "held none", {
        { NULL, "plain, new" },
        { OK, "ok 200" } } },

    { "held, but none for this CPE, which wants something else", "held none", {
        { NULL, "plain, new" },
        { NO NTLM END, "unsupported 502" } } },

    /* other schemes */

    { "Basic is not sent", "", {
        { NULL, "plain, new" },
        { NO BASIC END, "unsupported 401 basic" } } },

    { "Basic is not sent, held", "held", {
        { NULL, "plain, new" },
        { NO BASIC END, "unsupported 502" } } },

    { "Basic if allowed", "basic", {
        { NULL, "plain, new" },
        { NO BASIC END, "basic, same" },
        { OK, "ok 200" } } },

    { "Basic refused", "basic", {
        { NULL, "plain, new" },
        { NO CLOSE BASIC END, "basic, new" },
        { NO BASIC END, "unauthorized 401 basic" } } },

    { "Digest rather than Basic", "basic", {
        { NULL, "plain, new" },
        { NO BASIC D("1") END, "digest 1, same" },
        { NO BASIC END, "unauthorized 401 basic" } } },

    { "no Basic where there is a Digest of another kind", "basic", {
        { NULL, "plain, new" },
        { NO BASIC BAD END, "unsupported 401 basic" } } },

    { "unknown algorithm", "", {
        { NULL, "plain, new" },
        { NO BAD END, "unsupported 401 basic" } } },

    { "NTLM", "basic", {
        { NULL, "plain, new" },
        { NO NTLM END, "unsupported 401 basic" } } },

    { "401 without a challenge", "", {
        { NULL, "plain, new" },
        { NO END, "unsupported 401 basic" } } },

    /* other statuses */

    { "503", "", {
        { NULL, "plain, new" },
        { "HTTP/1.1 503 x\r\n\r\n", "busy 503" } } },

    { "503 to the credentials", "", {
        { NULL, "plain, new" },
        { NO D("1") END, "digest 1, same" },
        { "HTTP/1.1 503 x\r\n\r\n", "busy 503" } } },

    { "302", "", {
        { NULL, "plain, new" },
        { "HTTP/1.1 302 x\r\nLocation: http://127.0.0.1/\r\n\r\n",
          "redirect 502" } } },

    { "307 to the credentials", "", {
        { NULL, "plain, new" },
        { NO D("1") END, "digest 1, same" },
        { "HTTP/1.1 307 x\r\nLocation: /\r\n\r\n", "redirect 502" } } },

    { "404", "", {
        { NULL, "plain, new" },
        { "HTTP/1.1 404 x\r\n\r\n", "status 502" } } },

    { "202", "", {
        { NULL, "plain, new" },
        { "HTTP/1.1 202 x\r\n\r\n", "status 502" } } },

    { "407", "", {
        { NULL, "plain, new" },
        { "HTTP/1.1 407 x\r\n\r\n", "status 502" } } },

    { "101", "", {
        { NULL, "plain, new" },
        { "HTTP/1.1 101 x\r\n\r\n", "status 502" } } },

    { "no HTTP", "", {
        { NULL, "plain, new" },
        { "SSH-2.0-x\r\n", "bad_reply 502" } } },

    { "torn header", "", {
        { NULL, "plain, new" },
        { "HTTP/1.1 20", "bad_reply 502" } } },

    /* the transport */

    { "refused", "", {
        { NULL, "plain, new" },
        { "REFUSED", "refused 503" } } },

    { "closed without a byte, twice", "", {
        { NULL, "plain, new" },
        { "EOF", "plain, new" },
        { "EOF", "closed 503" } } },

    { "reset without a byte, twice", "", {
        { NULL, "plain, new" },
        { "RST", "plain, new" },
        { "RST", "reset 503" } } },

    { "reset, then refused", "", {
        { NULL, "plain, new" },
        { "RST", "plain, new" },
        { "REFUSED", "refused 503" } } },

    { "one resend for all legs", "", {
        { NULL, "plain, new" },
        { "RST", "plain, new" },
        { NO D("1") END, "digest 1, same" },
        { "EOF", "closed 503" } } },

    { "reset within the reply", "", {
        { NULL, "plain, new" },
        { "RST+", "reset 503" } } },

    { "silent", "", {
        { NULL, "plain, new" },
        { "TIMEOUT", "timeout 503" } } },

    { "silent behind the credentials", "", {
        { NULL, "plain, new" },
        { NO D("1") END, "digest 1, same" },
        { "TIMEOUT", "timeout 503" } } },

    { "unresolvable", "", {
        { NULL, "plain, new" },
        { "UNRESOLVED", "unresolved 503" } } },

    { "forbidden", "", {
        { NULL, "plain, new" },
        { "FORBIDDEN", "forbidden 403" } } },

    { "internal", "", {
        { NULL, "plain, new" },
        { "INTERNAL", "internal 500" } } },

    /* path mode */

    { "path: challenge passed on, connection kept", "path", {
        { NULL, "relay, new" },
        { NO D("1") BASIC END, "challenge 401 cpe, keep" } } },

    { "path: challenge passed on, connection closed", "path", {
        { NULL, "relay, new" },
        { NO CLOSE D("1") END, "challenge 401 cpe" } } },

    { "path: a Digest that only the ACS may know", "path", {
        { NULL, "relay, new" },
        { NO BAD END, "challenge 401 cpe, keep" } } },

    { "path: second leg", "path kept", {
        { NULL, "relay, same" },
        { OK, "ok 200" } } },

    { "path: second leg, closed meanwhile", "path kept", {
        { NULL, "relay, same" },
        { "EOF", "relay, new" },
        { OK, "ok 200" } } },

    { "path: second leg refused", "path kept", {
        { NULL, "relay, same" },
        { NO STALE("2") END, "challenge 401 cpe, keep" } } },

    { "path: no Digest", "path basic", {
        { NULL, "relay, new" },
        { NO BASIC END, "unsupported 502" } } },

    { "path: 503", "path", {
        { NULL, "relay, new" },
        { "HTTP/1.1 503 x\r\n\r\n", "busy 503" } } },
};


static ngx_uint_t
test_has(const char *flags, const char *flag)
{
    return strstr(flags, flag) != NULL;
}


static cwmp_exchange_action_e
test_event(cwmp_exchange_t *x, const char *in, u_char *buf)
{
    ngx_int_t      rc;
    ngx_uint_t     i;
    cwmp_reply_t   r;

    static struct {
        const char           *name;
        cwmp_exchange_event_e   ev;
        ngx_uint_t            started;
    } events[] = {
        { "RST", CWMP_EXCHANGE_RESET, 0 },
        { "RST+", CWMP_EXCHANGE_RESET, 1 },
        { "REFUSED", CWMP_EXCHANGE_REFUSED, 0 },
        { "TIMEOUT", CWMP_EXCHANGE_TIMEOUT, 0 },
        { "UNRESOLVED", CWMP_EXCHANGE_UNRESOLVED, 0 },
        { "FORBIDDEN", CWMP_EXCHANGE_FORBIDDEN, 0 },
        { "INTERNAL", CWMP_EXCHANGE_INTERNAL, 0 },
        { "UNCONNECTED", CWMP_EXCHANGE_UNCONNECTED, 0 },
        { "HEARD", CWMP_EXCHANGE_HEARD, 0 },
        { "UNBOUND", CWMP_EXCHANGE_UNBOUND, 0 },
    };

    if (in == NULL) {
        return cwmp_exchange_start(x);
    }

    for (i = 0; i < nelts(events); i++) {
        if (strcmp(in, events[i].name) == 0) {
            return cwmp_exchange_event(x, events[i].ev, events[i].started);
        }
    }

    cwmp_reply_init(&r, buf, 0);

    if (strcmp(in, "EOF") == 0) {
        rc = cwmp_reply_end(&r, 0);

    } else {
        rc = cwmp_reply_parse(&r, (u_char *) in, strlen(in));

        if (rc == NGX_AGAIN) {
            rc = cwmp_reply_end(&r, 0);
        }
    }

    return (rc == NGX_OK) ? cwmp_exchange_reply(x, &r)
                          : cwmp_exchange_bad_reply(x, &r);
}


static void
test_print(char *p, cwmp_exchange_t *x)
{
    static const char  *actions[] = { "plain", "digest", "basic", "relay",
                                     "udp" };
    static const char  *auths[] = { "", " basic", " cpe" };

    if (x->action == CWMP_EXCHANGE_FINISH) {
        p += sprintf(p, "%s %d%s%s", cwmp_wakeup_name(x->outcome.result),
                     (int) x->outcome.status, auths[x->outcome.auth],
                     x->keep ? ", keep" : "");

    } else {
        p += sprintf(p, "%s", actions[x->action]);

        if (x->action == CWMP_EXCHANGE_SEND_DIGEST) {
            p += sprintf(p, " %.*s", (int) x->used.nonce.len,
                         (char *) x->used.nonce.data);
        }

        p += sprintf(p, "%s", x->reuse ? ", same" : ", new");
    }

    if (x->remember || x->forget) {
        sprintf(p, x->remember ? ", remember" : ", forget");
    }
}


static void
test_exchanges(void)
{
    char                   out[256], name[256];
    u_char                *buf;
    ngx_str_t              got, old;
    ngx_uint_t             i, n;
    test_exchange_t       *t;
    cwmp_exchange_t          x;
    cwmp_exchange_action_e   action;

    buf = malloc(CWMP_REPLY_HEADER_MAX);

    for (i = 0; i < nelts(exchanges); i++) {
        t = &exchanges[i];

        memset(&x, 0, sizeof(cwmp_exchange_t));

        x.path = test_has(t->flags, "path");
        x.held = test_has(t->flags, "held");
        x.none = test_has(t->flags, "none");
        x.basic = test_has(t->flags, "basic");
        x.kept = test_has(t->flags, "kept");
        x.known = test_has(t->flags, "known");
        x.udp = test_has(t->flags, "nat");
        x.udp_first = test_has(t->flags, "first");
        x.udp_only = test_has(t->flags, "only");

        if (x.known) {
            ngx_str_set(&old, "Digest realm=\"r\", nonce=\"0\"");
            (void) cwmp_challenge_next(&old, &x.used);
        }

        for (n = 0; n < 8 && t->steps[n].out; n++) {
            action = test_event(&x, t->steps[n].in, buf);
            test_print(out, &x);

            snprintf(name, sizeof(name), "%s, step %d", t->name, (int) n);

            got.data = (u_char *) out;
            got.len = strlen(out);
            tap_is(&got, t->steps[n].out, name);

            if (action != x.action) {
                tap_ok(0, "the action is returned");
            }
        }

        tap_ok(x.action == CWMP_EXCHANGE_FINISH, "%s: the end", t->name);
    }

    free(buf);
}


/* what is found before any call */

static void
test_outcomes(void)
{
    ngx_uint_t       i;
    cwmp_outcome_t   o;

    static struct {
        cwmp_wakeup_result_e   result;
        ngx_uint_t             own;
        ngx_uint_t             status;
        cwmp_wakeup_auth_e     auth;
    } results[] = {
        { CWMP_WAKEUP_METHOD, 1, 405, CWMP_WAKEUP_NO_AUTH },
        { CWMP_WAKEUP_BAD_ORIGIN, 1, 400, CWMP_WAKEUP_NO_AUTH },
        { CWMP_WAKEUP_FORBIDDEN, 1, 403, CWMP_WAKEUP_NO_AUTH },
        { CWMP_WAKEUP_CREDENTIALS, 1, 401, CWMP_WAKEUP_OURS },
        { CWMP_WAKEUP_UNAUTHORIZED, 1, 401, CWMP_WAKEUP_OURS },
        { CWMP_WAKEUP_UNAUTHORIZED, 0, 502, CWMP_WAKEUP_NO_AUTH },
        { CWMP_WAKEUP_UNRESOLVED, 1, 503, CWMP_WAKEUP_NO_AUTH },
        { CWMP_WAKEUP_QUEUE, 0, 503, CWMP_WAKEUP_NO_AUTH },
        { CWMP_WAKEUP_INTERNAL, 1, 500, CWMP_WAKEUP_NO_AUTH },
    };

    for (i = 0; i < nelts(results); i++) {
        memset(&o, 0, sizeof(cwmp_outcome_t));

        cwmp_outcome_set(&o, results[i].result, results[i].own);

        tap_ok(o.result == results[i].result && o.status == results[i].status
               && o.auth == results[i].auth,
               "%s: %d", cwmp_wakeup_name(o.result), (int) o.status);
    }

    for (i = 0; i < CWMP_WAKEUP_RESULTS; i++) {
        tap_ok(cwmp_wakeup_name(i) != NULL, "name %s", cwmp_wakeup_name(i));
    }
}


int
main(void)
{
    test_exchanges();
    test_outcomes();

    return tap_done();
}
