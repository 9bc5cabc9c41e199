
/*
 * A whole connection request, as a hostile CPE answers it.  Of the first two
 * bytes one has the flags of the exchange, one says how the rest is cut into
 * segments, and has another flag; the rest are its replies, each up to a byte
 * 0xff, which closes the connection, or 0xfe, which is silence; 0xfd is another
 * end, the byte behind it says which.  A datagram has no reply but such an end.
 *
 * However it answers: it is asked four times at most, and then by UDP once, if
 * it is one of those and has not answered; each Authorization field
 * is one line, a password goes out as Basic only where that is allowed, and
 * the outcome is one that the ACS understands, and the same however the
 * replies are cut.  What comes behind a reply is lost.
 *
 * sources: cwmp_exchange.c cwmp_wakeup.c cwmp_reply.c
 *          cwmp_challenge.c cwmp_digest.c
 * libs: -lcrypto
 */


#include "fuzz.h"
#include "cwmp_exchange.h"


#define FUZZ_REQUESTS  4


typedef struct {
    const uint8_t   *data;
    size_t           size;
    uint32_t         seed;
    size_t           most;          /* bytes of a segment */
} fuzz_cpe_t;


/* the exchange answers the challenge: what the request would have */

static void
fuzz_authorization(cwmp_exchange_t *x)
{
    size_t         size;
    u_char        *buf, *p, *last;
    cwmp_digest_t  d;

    memset(&d, 0, sizeof(cwmp_digest_t));
    ngx_str_set(&d.credentials.user, "a\"c\\s");
    ngx_str_set(&d.credentials.password, "secret");
    ngx_str_set(&d.method, "GET");
    ngx_str_set(&d.uri, "/x?y=1");
    ngx_str_set(&d.cnonce, "0123456789abcdef");
    d.nc = 1;

    size = cwmp_digest_size(&x->used, &d);
    buf = malloc(size);
    test(buf != NULL);

    last = cwmp_digest_header(buf, &x->used, &d);
    test(last != NULL && last <= buf + size);
    test(last[-2] == CR && last[-1] == LF);

    for (p = buf; p < last - 2; p++) {
        test(*p == '\t' || (*p >= ' ' && *p != 0x7f));
    }

    free(buf);
}


/* something happens that is no reply */

static cwmp_exchange_action_e
fuzz_event(fuzz_cpe_t *cpe, cwmp_exchange_t *x, ngx_uint_t started)
{
    ngx_uint_t  n;

    static cwmp_exchange_event_e  tcp[] = {
        CWMP_EXCHANGE_RESET, CWMP_EXCHANGE_REFUSED, CWMP_EXCHANGE_TIMEOUT,
        CWMP_EXCHANGE_UNRESOLVED, CWMP_EXCHANGE_FORBIDDEN,
        CWMP_EXCHANGE_UNCONNECTED, CWMP_EXCHANGE_INTERNAL
    };

    static cwmp_exchange_event_e  udp[] = {
        CWMP_EXCHANGE_TIMEOUT, CWMP_EXCHANGE_HEARD, CWMP_EXCHANGE_UNBOUND,
        CWMP_EXCHANGE_FORBIDDEN, CWMP_EXCHANGE_INTERNAL
    };

    n = 0;

    if (cpe->size) {
        n = *cpe->data++;
        cpe->size--;
    }

    if (x->action == CWMP_EXCHANGE_SEND_UDP) {
        return cwmp_exchange_event(x, udp[n % 5], started);
    }

    return cwmp_exchange_event(x, tcp[n % 7], started);
}


/* what is left of this reply, up to the end of the connection or the silence
   behind it */

static void
fuzz_rest(fuzz_cpe_t *cpe)
{
    while (cpe->size) {
        cpe->size--;

        if (*cpe->data++ >= 0xfd) {
            break;
        }
    }
}


/* the next reply, in segments */

static cwmp_exchange_action_e
fuzz_answer(fuzz_cpe_t *cpe, cwmp_exchange_t *x, cwmp_reply_t *r)
{
    size_t      n;
    ngx_int_t   rc;
    ngx_str_t   piece;
    ngx_uint_t  silence;

    for ( ;; ) {

        for (n = 0; n < cpe->size && cpe->data[n] < 0xfd; n++) { /* void */ }

        if (n) {
            n = fuzz_piece(&cpe->seed, cpe->most, n);
            piece = fuzz_copy(cpe->data, n);

            cpe->data += n;
            cpe->size -= n;

            rc = cwmp_reply_parse(r, piece.data, piece.len);
            free(piece.data);

        } else {
            silence = 0;

            if (cpe->size) {
                silence = (*cpe->data == 0xfe);

                if (*cpe->data == 0xfd) {
                    cpe->data++;
                    cpe->size--;

                    return fuzz_event(cpe, x, r->started);
                }

                cpe->data++;
                cpe->size--;
            }

            rc = cwmp_reply_end(r, silence);
            test(silence || rc != NGX_AGAIN);
        }

        if (rc != NGX_AGAIN) {

            if (n) {
                fuzz_rest(cpe);
            }

            return (rc == NGX_OK) ? cwmp_exchange_reply(x, r)
                                  : cwmp_exchange_bad_reply(x, r);
        }
    }
}


static void
fuzz_outcome(cwmp_exchange_t *x)
{
    ngx_uint_t  status;

    status = x->outcome.status;

    test(x->outcome.result > 0 && x->outcome.result < CWMP_WAKEUP_RESULTS);
    test(x->outcome.result != CWMP_WAKEUP_UDP || x->udp);
    test(status == 200 || status == 204 || status == 401 || status == 500
         || (status == 403 && x->outcome.result == CWMP_WAKEUP_FORBIDDEN)
         || status == 502 || status == 503);
    test(cwmp_wakeup_name(x->outcome.result) != NULL);
    test(status == 401 || x->outcome.auth == CWMP_WAKEUP_NO_AUTH);
    test(!x->keep || x->path);
}


static void
fuzz_exchange(cwmp_exchange_t *x, fuzz_cpe_t cpe)
{
    u_char                 *buf[FUZZ_REQUESTS];
    ngx_uint_t              i, n, udp;
    cwmp_reply_t            r;
    cwmp_exchange_action_e  action;

    n = 0;
    udp = 0;
    action = cwmp_exchange_start(x);

    while (action != CWMP_EXCHANGE_FINISH) {
        test(n < FUZZ_REQUESTS && !udp);
        test(action == CWMP_EXCHANGE_SEND_UDP || !x->udp_only);

        if (action == CWMP_EXCHANGE_SEND_UDP) {
            test(x->udp && x->outcome.cpe_status == 0);
            udp = 1;
            action = fuzz_event(&cpe, x, 0);
            continue;
        }

        if (action == CWMP_EXCHANGE_SEND_DIGEST) {
            test(!x->path && !x->none);
            fuzz_authorization(x);
        }

        test(action != CWMP_EXCHANGE_SEND_BASIC || (x->basic && !x->none));
        test(action != CWMP_EXCHANGE_SEND_RELAY || x->path);

        buf[n] = malloc(CWMP_REPLY_HEADER_MAX);
        cwmp_reply_init(&r, buf[n++], 0);

        action = fuzz_answer(&cpe, x, &r);
    }

    fuzz_outcome(x);

    for (i = 0; i < n; i++) {
        free(buf[i]);
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_cpe_t       cpe;
    cwmp_exchange_t  x, whole;

    if (size < 2) {
        return 0;
    }

    memset(&x, 0, sizeof(cwmp_exchange_t));
    x.path = data[0] & 1;
    x.held = (data[0] >> 1 & 1) && !x.path;
    x.none = (data[0] >> 2 & 1) && x.held;
    x.basic = data[0] >> 3 & 1;
    x.kept = (data[0] >> 4 & 1) && x.path;
    x.udp = data[0] >> 6 & 1;
    x.udp_first = data[0] >> 7;
    x.udp_only = data[1] >> 7;

    if ((data[0] & 0x20) && !x.path && !x.none) {
        x.known = 1;
        x.used.scheme = CWMP_AUTH_DIGEST;
        x.used.hash = CWMP_ALGORITHM_MD5;
        ngx_str_set(&x.used.realm, "r");
        ngx_str_set(&x.used.nonce, "known");
    }

    whole = x;

    memset(&cpe, 0, sizeof(fuzz_cpe_t));
    cpe.seed = data[1];
    cpe.most = 64;
    cpe.data = data + 2;
    cpe.size = size - 2;

    fuzz_exchange(&x, cpe);

    cpe.most = size;
    fuzz_exchange(&whole, cpe);

    test(x.outcome.result == whole.outcome.result);
    test(x.outcome.status == whole.outcome.status);
    test(x.outcome.auth == whole.outcome.auth);

    return 0;
}
