
/*
 * A whole connection of a CPE: the bodies of its messages, of which an Inform
 * begins a session.  The first byte says how they are cut into pieces.  The
 * rest are messages, each up to a byte 0xff, and the first byte of each says
 * whether it is deflated on its way, which cookie comes with it, and what the
 * ACS answers.
 *
 * However they are cut: the same values are found, announced and written, the
 * same is known of the device, and the session takes the same course; it never
 * has more cookies than there is room for, nor does anything else grow.
 *
 * sources: cwmp_xml.c cwmp_charset.c cwmp_message.c cwmp_parameter.c
 *          cwmp_reference.c cwmp_prefilter.c cwmp_coding.c
 *          cwmp_origin.c cwmp_host.c cwmp_label.c cwmp_policy.c cwmp_range.c
 *          cwmp_url.c cwmp_session.c cwmp_facts.c cwmp_rows.c cwmp_table.c
 * libs: -lz
 */


#include "fuzz.h"
#include "cwmp_message.h"
#include "cwmp_origin.h"
#include "cwmp_zone.h"


#define FUZZ_MAX     65536
#define FUZZ_WINDOW  512

#define FUZZ_CODED   0x01
#define FUZZ_COOKIE  0x02       /* the CPE sends the one that it has */
#define FUZZ_OTHER   0x04       /* or another one, too */
#define FUZZ_SETS    0x08       /* the ACS sets one */
#define FUZZ_STATUS  0x30


typedef struct {
    cwmp_message_t   m;
    cwmp_session_t   session;
    ngx_uint_t       asked;         /* an upstream has been */
    fuzz_buf_t       out;
} fuzz_client_t;


static ngx_int_t
fuzz_value(void *data, cwmp_value_t *value)
{
    u_char              *buf, *url;
    ngx_int_t            rc;
    ngx_str_t            text, public, sig;
    fuzz_client_t       *c;
    cwmp_origin_t        o;
    cwmp_policy_t        policy;
    cwmp_policy_spec_t   allow;
    struct sockaddr_in   client;

    c = data;

    text = value->text;
    cwmp_url_trim(&text);

    memset(&o, 0, sizeof(cwmp_origin_t));
    buf = malloc(cwmp_origin_size(text.len));
    test(buf != NULL);

    rc = cwmp_origin_parse(&o, &text, buf);

    if (rc == NGX_OK) {
        memset(&client, 0, sizeof(client));
        client.sin_family = AF_INET;
        client.sin_addr.s_addr = htonl(0xc0000207);

        memset(&policy, 0, sizeof(cwmp_policy_t));
        memset(&allow, 0, sizeof(cwmp_policy_spec_t));
        allow.port_max = 65535;
        policy.allow = &allow;
        policy.nallow = 1;

        rc = cwmp_policy_announce(&policy, &o, (struct sockaddr *) &client);
        test(rc != NGX_OK || o.socklen);

    } else {
        memset(&o, 0, sizeof(cwmp_origin_t));
    }

    ngx_str_set(&public, "http://acs-side:8080/client");
    ngx_str_set(&sig, "0123456789abcdefghij-_");
    sig.len = (rc == NGX_OK) ? sig.len : 0;

    url = malloc(cwmp_url_size(&public, &o.target, &text, &sig));
    test(url != NULL);

    fuzz_add(&c->out, &value->start, sizeof(off_t));
    fuzz_add(&c->out, &value->end, sizeof(off_t));
    fuzz_add(&c->out, url, cwmp_url_query(url, &public, &text, &sig) - url);

    free(url);
    free(buf);

    return NGX_OK;
}


/* through the inflater, with an output as small as a window */

static ngx_int_t
fuzz_inflate(cwmp_inflate_t *in, cwmp_message_t *m, ngx_str_t *piece)
{
    u_char     *p, *last, *out;
    size_t      n;
    ngx_int_t   rc;

    p = piece->data;
    last = p + piece->len;

    do {
        out = malloc(FUZZ_WINDOW);
        test(out != NULL);
        rc = cwmp_inflate(in, &p, last, out, FUZZ_WINDOW, &n);

        if (rc == NGX_OK && n) {
            rc = cwmp_message_read(m, out, n);
        }

        free(out);
    } while (rc == NGX_OK && (p < last || n == FUZZ_WINDOW));

    return rc;
}


static ngx_int_t
fuzz_read(fuzz_client_t *c, ngx_str_t *body, ngx_uint_t coded, uint32_t *seed,
    size_t most)
{
    size_t           n, k;
    ngx_int_t        rc;
    ngx_str_t        piece;
    cwmp_inflate_t   in;

    cwmp_message_init(&c->m);
    c->m.params.value_handler = fuzz_value;
    c->m.params.data = c;

    cwmp_inflate_init(&in, CWMP_CODING_DEFLATE, FUZZ_MAX, 40);
    rc = NGX_OK;

    for (n = 0; n < body->len && rc == NGX_OK; n += k) {
        k = fuzz_piece(seed, most, body->len - n);
        piece = fuzz_copy(body->data + n, k);

        rc = coded ? fuzz_inflate(&in, &c->m, &piece)
                   : cwmp_message_read(&c->m, piece.data, piece.len);

        free(piece.data);
    }

    cwmp_inflate_end(&in);
    test(in.error == 0);

    return (rc == NGX_OK) ? cwmp_message_end(&c->m) : rc;
}


/* what an Inform says; whether it is one, with a device */

static ngx_uint_t
fuzz_facts(fuzz_client_t *c)
{
    ngx_str_t        facts[CWMP_FACTS], again[CWMP_FACTS];
    ngx_uint_t       i;
    cwmp_facts_t     f;
    cwmp_message_t  *m;

    m = &c->m;

    test(m->nevents <= CWMP_MESSAGE_EVENTS_MAX);

    facts[CWMP_FACT_OUI].data = m->oui.data;
    facts[CWMP_FACT_OUI].len = m->oui.len;
    facts[CWMP_FACT_CLASS].data = m->product_class.data;
    facts[CWMP_FACT_CLASS].len = m->product_class.len;
    facts[CWMP_FACT_SERIAL].data = m->serial.data;
    facts[CWMP_FACT_SERIAL].len = m->serial.len;
    facts[CWMP_FACT_EVENTS].data = m->events;
    facts[CWMP_FACT_EVENTS].len = m->nevents;

    if (cwmp_facts_pack(&f, facts) == NGX_OK) {
        cwmp_facts_unpack(&f, again);

        for (i = 0; i < CWMP_FACTS; i++) {
            test(i == CWMP_FACT_EVENTS ? again[i].len <= facts[i].len
                                       : again[i].len == facts[i].len);
            test(ngx_memcmp(again[i].data, facts[i].data, again[i].len) == 0);
        }

        fuzz_add(&c->out, &f, sizeof(f));
    }

    return m->method.len == 6 && ngx_memcmp(m->method.data, "Inform", 6) == 0
           && cwmp_facts_known(&f);
}


static void
fuzz_claim(fuzz_client_t *c, cwmp_claim_t *claim, ngx_uint_t flags,
    ngx_uint_t inform)
{
    ngx_uint_t        i;
    cwmp_message_t   *m;

    m = &c->m;
    memset(claim, 0, sizeof(cwmp_claim_t));
    claim->post = 1;

    if (inform) {
        claim->inform = 1;
        claim->named = 1;

        for (i = 0; i < m->serial.len + m->oui.len; i++) {
            claim->device[i % CWMP_TABLE_KEY_LEN] ^=
                i < m->serial.len ? m->serial.data[i]
                                  : m->oui.data[i - m->serial.len];
        }

        claim->device[0] |= 1;
        ngx_memcpy(claim->name.key, claim->device, CWMP_TABLE_KEY_LEN);
    }

    if ((flags & FUZZ_COOKIE) && c->session.ncookies) {
        i = claim->ncookies++;
        claim->cookies[i].name = c->session.cookies[0].name;
        ngx_memcpy(claim->cookies[i].key, c->session.cookies[0].key,
                   CWMP_TABLE_KEY_LEN);
    }

    if (flags & FUZZ_OTHER) {
        i = claim->ncookies++;
        claim->cookies[i].name = 99;
        claim->cookies[i].key[0] = 99;
    }
}


static void
fuzz_recognise(fuzz_client_t *c, cwmp_claim_t *claim)
{
    cwmp_session_t  *s;

    s = &c->session;

    if (cwmp_session_recognise(s, claim, c->asked) != NGX_AGAIN) {
        return;
    }

    if (claim->ncookies && cwmp_session_named(s)
        && claim->cookies[0].name != 99)
    {
        claim->cookies[0].lead = CWMP_LEAD_SESSION;
        claim->cookies[0].session = s->name;
    }

    claim->looked = 1;

    test(cwmp_session_recognise(s, claim, c->asked) == NGX_OK);
}


/* the message goes to the ACS, which answers */

static void
fuzz_session(fuzz_client_t *c, ngx_uint_t flags, ngx_uint_t empty,
    ngx_uint_t inform)
{
    u_char                  key[CWMP_TABLE_KEY_LEN];
    ngx_uint_t              left, joined, done;
    cwmp_claim_t            claim;
    cwmp_session_t         *s;
    cwmp_session_old_t      old;
    cwmp_claim_verdict_e    verdict;
    cwmp_session_lesson_t   lesson;

    static const ngx_uint_t  status[] = { 200, 204, 401, 500 };

    s = &c->session;

    fuzz_claim(c, &claim, flags, inform);
    fuzz_recognise(c, &claim);

    verdict = claim.verdict;

    left = cwmp_session_leave(s, &claim);
    test(left == 0 || left == CWMP_SESSION_DROP);
    test(!left || verdict == CWMP_CLAIM_OTHER);

    joined = cwmp_session_join(s, &claim, &old);
    test(joined == 0 || joined == CWMP_SESSION_BEGIN);
    test(old.n <= CWMP_SESSION_COOKIES);
    test(s->state != CWMP_SESSION_NONE);
    test(!inform || cwmp_session_named(s));
    c->asked = 1;

    if (flags & FUZZ_SETS) {
        memset(key, 0, sizeof(key));
        key[0] = 1 + flags % 7;
        cwmp_session_learn(s, flags % 5, key, CWMP_LEAD_NOWHERE, &lesson);
        test(lesson.old.n <= CWMP_SESSION_COOKIES);
    }

    done = cwmp_session_event(s, cwmp_session_answered(
                                     status[(flags & FUZZ_STATUS) >> 4],
                                     empty ? CWMP_ANSWER_TO_EMPTY
                                     : inform ? CWMP_ANSWER_TO_INFORM
                                              : CWMP_ANSWER_TO_REPLY));

    test(s->ncookies <= CWMP_SESSION_COOKIES);
    test(!(done & CWMP_SESSION_END) || s->state == CWMP_SESSION_NONE);
    test(!(done & CWMP_SESSION_ADMIT)
         || (inform && s->state == CWMP_SESSION_OPEN));

    fuzz_add(&c->out, &verdict, sizeof(verdict));
    fuzz_add(&c->out, &left, sizeof(left));
    fuzz_add(&c->out, &joined, sizeof(joined));
    fuzz_add(&c->out, &done, sizeof(done));
    fuzz_add(&c->out, &s->state, sizeof(s->state));
}


static void
fuzz_message(fuzz_client_t *c, const uint8_t *data, size_t size,
    uint32_t *seed, size_t most)
{
    uLongf      len;
    ngx_int_t   rc;
    ngx_str_t   body;
    ngx_uint_t  flags, inform;

    flags = data[0];
    data++;
    size--;

    if ((flags & FUZZ_CODED) && size) {
        len = compressBound(size);
        body.data = malloc(len);
        test(body.data != NULL);
        test(compress2(body.data, &len, data, size, 1) == Z_OK);
        body.len = len;

    } else {
        body = fuzz_copy(data, size);
    }

    rc = fuzz_read(c, &body, (flags & FUZZ_CODED) && size, seed, most);
    test((rc == NGX_ERROR) == (c->m.error != 0));

    fuzz_add(&c->out, &rc, sizeof(rc));
    fuzz_add(&c->out, &c->m.error, sizeof(c->m.error));

    inform = (rc != NGX_ERROR) ? fuzz_facts(c) : 0;

    fuzz_session(c, flags, size == 0, inform);

    free(body.data);
}


static void
fuzz_connection(fuzz_buf_t *out, const uint8_t *data, size_t size,
    uint32_t seed, size_t most)
{
    size_t          n;
    fuzz_client_t  *c;

    c = calloc(1, sizeof(fuzz_client_t));
    test(c != NULL);

    while (size) {
        for (n = 0; n < size && data[n] != 0xff; n++) { /* void */ }

        if (n) {
            fuzz_message(c, data, n, &seed, most);
        }

        n = ngx_min(n + 1, size);
        data += n;
        size -= n;
    }

    *out = c->out;
    free(c);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    fuzz_buf_t  whole, cut;

    if (size < 2 || size > FUZZ_MAX) {
        return 0;
    }

    fuzz_connection(&whole, data + 1, size - 1, 0, FUZZ_MAX);

    fuzz_connection(&cut, data + 1, size - 1, data[0], data[0] % 61 + 1);
    fuzz_same(&whole, &cut);
    free(cut.data);

    if (fuzz_sample(data, size)) {
        fuzz_connection(&cut, data + 1, size - 1, 0, 1);
        fuzz_same(&whole, &cut);
        free(cut.data);
    }

    free(whole.data);

    return 0;
}
