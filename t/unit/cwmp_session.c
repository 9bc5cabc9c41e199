
/*
 * Sessions: a model of CPEs, workers and ACSs that do what comes to their
 * minds, and die.  The table of states is in cwmp_course.c.
 *
 * sources: cwmp_session.c cwmp_rows.c cwmp_table.c
 */


#include "tap.h"

#include "cwmp_zone.h"


#define STEPS    400000
#define CPES     8              /* and one more that pretends to be each */
#define WORKERS  3
#define CLIENTS  5              /* of a worker */
#define ROWS     4096


typedef struct {
    int                    cpe;        /* whose connection this is; -1: no */
    int                    address;    /* of the message under way */
    cwmp_session_t         s;
    uint64_t               number;

    /* the pin: 0 empty, 1 busy, 2 leaving, 3 parked */
    int                    pin;
    int                    carries;    /* a CPE's session; -1: none yet */
    unsigned               asked:1;    /* there has been one */
    unsigned               held:1;
    unsigned               carried:1;
    u_char                 key[CWMP_TABLE_KEY_LEN];
    cwmp_server_t          server;
    int                    inform;     /* what is under way */
} test_client_t;


typedef struct {
    uint32_t               process;
    test_client_t          clients[CLIENTS];
} test_worker_t;


typedef struct {
    u_char                 cookie[CWMP_TABLE_KEY_LEN];
    unsigned               has:1;
    unsigned               lang:1;     /* a cookie that everybody gets */
} test_cpe_t;


static uint64_t        seed = 88172645463325252;
static ngx_msec_t      now;
static uint64_t        numbers;
static uint32_t        processes = 1000;
static test_worker_t   workers[WORKERS];
static test_cpe_t      cpes[2 * CPES];
static cwmp_table_t   *sessions, *cookies;
static cwmp_wanted_t   list[CWMP_WANTED_MAX];
static u_char          tag[CWMP_TABLE_KEY_LEN] = { 0x5a, 0x17 };
static ngx_uint_t      begun, dropped, ended, moved, deaths, mixed, stale,
                       lost, wrong, spares, pretended, touched, admitted,
                       recalled, strayed, renewed;
static u_char          lang[CWMP_TABLE_KEY_LEN] = { 'L' };


static uint32_t
rnd(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;

    return (seed >> 11) % n;
}


static ngx_uint_t
test_alive(uint32_t process)
{
    ngx_uint_t  i;

    for (i = 0; i < WORKERS; i++) {
        if (workers[i].process == process) {
            return 1;
        }
    }

    return 0;
}


static void test_drop_held(test_worker_t *w, uint64_t client,
    const u_char *key);


/* the pin's connection is closed */

static void
test_close(test_worker_t *w, test_client_t *c)
{
    ngx_uint_t     i;
    cwmp_holder_t  me = { w->process, c->number };

    c->pin = 0;
    c->carries = -1;

    if (c->held) {
        (void) cwmp_table_begin(sessions);
        cwmp_row_release(sessions, c->key, &me, now, 0);
        cwmp_table_end(sessions);
        c->held = 0;

        (void) cwmp_table_begin(cookies);
        for (i = 0; i < c->s.ncookies; i++) {
            cwmp_row_release(cookies, c->s.cookies[i].key, &me, now, 0);
            cwmp_row_release(cookies, c->s.cookies[i].kept, &me, now, 0);
        }
        cwmp_table_end(cookies);
    }
}


static void
test_drop(test_worker_t *w, test_client_t *c)
{
    if (c->pin == 1) {
        c->pin = 2;

    } else if (c->pin == 3) {
        test_close(w, c);
    }
}


static void
test_forget(test_client_t *c)
{
    ngx_uint_t           i;
    cwmp_session_name_t  name;

    (void) cwmp_table_begin(cookies);

    for (i = 0; i < c->s.ncookies; i++) {
        cwmp_cookie_row_delete(cookies, c->s.cookies[i].key, &c->s.name, now);
        cwmp_cookie_row_delete(cookies, c->s.cookies[i].kept, &c->s.name, now);

        if (cwmp_cookie_row_get(cookies, c->s.cookies[i].key, now, &name)
            == CWMP_LEAD_SESSION
            && ngx_memcmp(&name, &c->s.name, sizeof(name)) == 0)
        {
            stale++;
        }
    }

    cwmp_table_end(cookies);
}


static void
test_delete(test_worker_t *w, test_client_t *c)
{
    cwmp_holder_t  me = { w->process, c->number };

    if (c->held) {
        (void) cwmp_table_begin(sessions);
        cwmp_row_release(sessions, c->key, &me, now, 1);
        cwmp_table_end(sessions);
        c->held = 0;
    }
}


static void
test_over(test_worker_t *w, test_client_t *c, ngx_uint_t actions)
{
    if (actions & CWMP_SESSION_END) {
        ended++;

        test_forget(c);
        test_delete(w, c);
    }

    if (actions & CWMP_SESSION_SPARE) {
        spares++;
    }

    test_drop(w, c);
}


static void
test_hold_init(test_worker_t *w, test_client_t *c, cwmp_hold_t *h)
{
    ngx_memzero(h, sizeof(cwmp_hold_t));

    h->me.process = w->process;
    h->me.client = c->number;
    ngx_memcpy(h->address, c->s.address, CWMP_ADDRESS_LEN);
    h->firm = cwmp_session_firm(&c->s);
    h->now = now;
    h->expires = now + 30000;
    h->alive = test_alive;
}


static void
test_cookie(test_worker_t *w, test_client_t *c, cwmp_session_cookie_t *cookie)
{
    cwmp_hold_t  h;

    test_hold_init(w, c, &h);

    (void) cwmp_table_begin(cookies);
    cookie->shared = (cwmp_cookie_row_set(cookies, cookie->key, &c->s.name,
                                          &h)
                      == NGX_DECLINED);
    (void) cwmp_cookie_row_set(cookies, cookie->kept, &c->s.name, &h);
    cwmp_table_end(cookies);
}


static void
test_old(test_client_t *c, cwmp_session_old_t *old)
{
    ngx_uint_t  i;

    (void) cwmp_table_begin(cookies);
    for (i = 0; i < old->n; i++) {
        cwmp_cookie_row_delete(cookies, old->keys[i], &c->s.name, now);
    }
    cwmp_table_end(cookies);

    renewed += old->n;
}


/* each worker looks at the list, as it does every few milliseconds */

static void
test_look(test_worker_t *w)
{
    ngx_uint_t      i, from;
    cwmp_wanted_t   wanted;

    for (from = 0;
         cwmp_wanted_take(list, w->process, &from, &wanted) == NGX_OK;
         /* void */ )
    {
        for (i = 0; i < CLIENTS; i++) {
            if (w->clients[i].held
                && w->clients[i].number == wanted.holder.client
                && ngx_memcmp(w->clients[i].key, wanted.key,
                              sizeof(wanted.key))
                   == 0)
            {
                test_drop(w, &w->clients[i]);
            }
        }
    }
}


/* whether another connection holds the session's row; it is asked to close */

static void
test_elsewhere(test_worker_t *w, test_client_t *c, cwmp_claim_t *claim)
{
    u_char          key[CWMP_TABLE_KEY_LEN];
    ngx_uint_t      i;
    cwmp_holder_t   me = { w->process, c->number }, holder;

    if (!claim->named) {
        return;
    }

    cwmp_session_row_key(key, claim->name.key, tag);

    (void) cwmp_table_begin(sessions);

    (void) cwmp_session_row_find(sessions, key, &me, now, test_alive,
                                 &holder);

    if (holder.process && holder.process != w->process
        && cwmp_want(list, &holder, key, now) != NGX_OK)
    {
        lost++;
    }

    cwmp_table_end(sessions);

    if (holder.process == w->process) {

        test_drop_held(w, holder.client, key);
    }

    /* the others have their time, or not */

    for (i = 0; i < WORKERS; i++) {
        if (rnd(3)) {
            test_look(&workers[i]);
        }
    }
}


/* closes what the worker's client of that number holds by the key */

static void
test_drop_held(test_worker_t *w, uint64_t client, const u_char *key)
{
    ngx_uint_t  i;

    for (i = 0; i < CLIENTS; i++) {
        if (w->clients[i].number == client && w->clients[i].held
            && ngx_memcmp(w->clients[i].key, key, CWMP_TABLE_KEY_LEN) == 0)
        {
            test_drop(w, &w->clients[i]);
        }
    }
}


static void
test_hold(test_worker_t *w, test_client_t *c)
{
    ngx_int_t       rc;
    ngx_uint_t      i;
    cwmp_hold_t     h;
    cwmp_holder_t   before;

    if (!cwmp_session_named(&c->s)) {
        return;
    }

    if (c->held) {
        c->held = 0;
    }

    test_hold_init(w, c, &h);
    cwmp_session_row_key(c->key, c->s.name.key, tag);

    (void) cwmp_table_begin(sessions);

    rc = cwmp_session_row_hold(sessions, c->key, &h, &c->server, &before);

    if (before.process && before.process != w->process) {
        moved++;
        if (cwmp_want(list, &before, c->key, now) != NGX_OK) {
            lost++;
        }
    }

    cwmp_table_end(sessions);

    (void) cwmp_table_begin(cookies);
    for (i = 0; i < c->s.ncookies; i++) {
        cwmp_cookie_row_touch(cookies, c->s.cookies[i].key, &c->s.name, &h);
        cwmp_cookie_row_touch(cookies, c->s.cookies[i].kept, &c->s.name, &h);
    }
    cwmp_table_end(cookies);

    if (before.process == w->process) {
        test_drop_held(w, before.client, c->key);
    }

    c->held = (rc != NGX_ERROR);
}


static void
test_look_up(cwmp_session_t *cs, cwmp_claim_t *claim)
{
    ngx_uint_t           i;
    cwmp_session_name_t  name;

    (void) cwmp_table_begin(cookies);

    for (i = 0; i < claim->ncookies; i++) {
        claim->cookies[i].lead = cwmp_cookie_row_get(cookies,
                                                 claim->cookies[i].key, now,
                                                 &claim->cookies[i].session);
    }

    for (i = 0; i < cs->ncookies; i++) {
        cs->cookies[i].shared = (cwmp_cookie_row_get(cookies,
                                                     cs->cookies[i].key, now,
                                                     &name)
                                 == CWMP_LEAD_SHARED);
    }

    cwmp_table_end(cookies);

    claim->looked = 1;
}


/* an Inform of somebody else's device: is named apart, unless a cookie knows */

static void
test_claim(cwmp_claim_t *claim)
{
    u_char      key[CWMP_TABLE_KEY_LEN];
    ngx_uint_t  foreign;

    cwmp_session_row_key(key, claim->device, tag);

    (void) cwmp_table_begin(sessions);
    foreign = cwmp_session_row_foreign(sessions, key, claim->address, now);
    cwmp_table_end(sessions);

    if (foreign) {
        ngx_memcpy(key, claim->device, CWMP_TABLE_KEY_LEN);
        key[8] = claim->address[0];

        (void) cwmp_claim_alias(claim, key);
    }
}


/* what the zone and the workers have of a CPE's session, as a number */

static uint64_t
test_state_of(int cpe)
{
    u_char               key[CWMP_TABLE_KEY_LEN], name[CWMP_TABLE_KEY_LEN];
    uint64_t             sum;
    ngx_uint_t           i, j;
    test_client_t       *c;
    cwmp_session_row_t  *row;

    ngx_memzero(name, sizeof(name));
    name[0] = 'D';
    name[1] = cpe;

    cwmp_session_row_key(key, name, tag);

    (void) cwmp_table_begin(sessions);
    row = cwmp_table_get(sessions, key, now);
    sum = row ? row->held.client * 31 + row->address[0] * 7
                + cwmp_table_holder(sessions, row)
              : 0;
    cwmp_table_end(sessions);

    for (i = 0; i < WORKERS; i++) {
        for (j = 0; j < CLIENTS; j++) {
            c = &workers[i].clients[j];

            if (c->carries == cpe) {
                sum = sum * 131 + c->pin * 5 + c->s.state;
            }
        }
    }

    return sum;
}


/* a CPE's message, by way of whichever connection is free */

static void
test_message(test_worker_t *w, test_client_t *c)
{
    int                  cpe;
    uint64_t             before;
    ngx_uint_t           i, actions, known, pretends;
    test_cpe_t          *from;
    cwmp_claim_t         claim;
    cwmp_session_old_t   old;

    if (c->pin == 1 || c->pin == 2) {
        return;
    }

    /* mostly its own; or a balancer uses its connections for all */

    if (c->cpe == -1) {
        c->cpe = rnd(CPES);
        c->number = ++numbers;
        c->asked = 0;
        ngx_memzero(&c->s, sizeof(c->s));
    }

    cpe = rnd(5) ? c->cpe : (int) rnd(CPES);
    pretends = (rnd(6) == 0);

    if (pretends && c->carries >= 0 && c->carries < CPES
        && c->s.state != CWMP_SESSION_NONE)
    {
        /* who sends something on another one's connection can end that */
        return;
    }

    from = &cpes[pretends ? cpe + CPES : cpe];
    c->address = pretends ? 100 : 1 + cpe;

    ngx_memzero(&claim, sizeof(claim));

    claim.post = 1;
    claim.address[0] = c->address;

    if (!from->has || rnd(6) == 0) {
        claim.inform = claim.named = 1;
        claim.name.key[0] = claim.device[0] = 'D';
        claim.name.key[1] = claim.device[1] = cpe;
    }

    if (from->lang) {
        claim.cookies[claim.ncookies].name = 2;
        ngx_memcpy(claim.cookies[claim.ncookies++].key, lang, sizeof(lang));
    }

    if (from->has && (!claim.inform || rnd(2))) {
        claim.cookies[claim.ncookies].name = 1;
        ngx_memcpy(claim.cookies[claim.ncookies++].key, from->cookie,
                   sizeof(from->cookie));
    }

    if (cwmp_session_recognise(&c->s, &claim, c->asked) == NGX_AGAIN) {
        test_look_up(&c->s, &claim);
        (void) cwmp_session_recognise(&c->s, &claim, c->asked);
    }

    if (!claim.inform && claim.verdict != CWMP_CLAIM_SAME && claim.named) {
        recalled++;

        /* a name made of a cookie will do, too */

        strayed += (claim.name.key[0] == 'D' && claim.name.key[1] != cpe);
    }

    for (i = 0; i < WORKERS; i++) {
        test_look(&workers[i]);
    }

    known = 0;
    before = test_state_of(cpe);

    if (claim.inform && claim.verdict != CWMP_CLAIM_SAME) {
        test_claim(&claim);
        known = (ngx_memcmp(claim.name.key, claim.device, CWMP_TABLE_KEY_LEN)
                 != 0);
    }

    test_elsewhere(w, c, &claim);

    if (cwmp_session_leave(&c->s, &claim) & CWMP_SESSION_DROP) {
        dropped++;
        test_over(w, c, CWMP_SESSION_DROP);
    }

    actions = cwmp_session_join(&c->s, &claim, &old);

    test_old(c, &old);

    if (actions & CWMP_SESSION_BEGIN) {
        begun++;
        c->carried = 1;
    }

    /* the upstream connection: the one that is there, or a new one */

    if (pretends) {
        cpe += CPES;
    }

    if (c->pin == 3 && c->carries != cpe) {
        mixed++;
    }

    c->pin = 1;
    c->asked = 1;
    c->carries = cpe;
    c->inform = claim.inform;
    c->server.len = 1;

    test_hold(w, c);

    if (pretends && known) {
        pretended++;
        touched += (test_state_of(cpe - CPES) != before);
    }
}


static void
test_admit(test_worker_t *w, test_client_t *c)
{
    admitted++;

    if (ngx_memcmp(c->s.name.key, c->s.device, CWMP_TABLE_KEY_LEN) != 0) {
        test_forget(c);
        test_delete(w, c);
        ngx_memcpy(c->s.name.key, c->s.device, CWMP_TABLE_KEY_LEN);
    }

    c->carried = 1;

    test_hold(w, c);
}


static void
test_learn(test_worker_t *w, test_client_t *c, uint32_t name,
    const u_char *key)
{
    cwmp_lead_e            lead;
    cwmp_session_lesson_t  lesson;

    (void) cwmp_table_begin(cookies);
    lead = cwmp_cookie_row_held(cookies, key, now, test_alive);
    cwmp_table_end(cookies);

    cwmp_session_learn(&c->s, name, key, lead, &lesson);

    test_old(c, &lesson.old);

    if (lesson.cookie) {
        test_cookie(w, c, lesson.cookie);
    }

    if (lesson.actions & CWMP_SESSION_NAME) {
        test_hold(w, c);
    }
}


static void
test_answer(test_worker_t *w, test_client_t *c)
{
    u_char             key[CWMP_TABLE_KEY_LEN];
    ngx_uint_t         i, actions, status;
    test_cpe_t        *to;
    cwmp_answer_to_e   kind;

    static uint32_t    values;
    static ngx_uint_t  statuses[] = { 200, 200, 200, 401, 204, 500 };

    if (c->pin != 1 && c->pin != 2) {
        return;
    }

    /* who pretends to be another one has no password */

    to = &cpes[c->carries];
    status = (c->carries < CPES) ? statuses[rnd(6)] : rnd(3) ? 401 : 500;
    kind = c->inform ? CWMP_ANSWER_TO_INFORM : CWMP_ANSWER_TO_EMPTY;

    if (c->s.state != CWMP_SESSION_NONE) {

        actions = cwmp_session_event(&c->s,
                                     cwmp_session_answered(status, kind));

        if (actions & CWMP_SESSION_ADMIT) {
            test_admit(w, c);
        }

        if (actions & CWMP_SESSION_END) {
            test_over(w, c, actions);
            to->has = 0;

        } else if (status == 200) {

            test_learn(w, c, 2, lang);
            to->lang = 1;

            /* as GenieACS does: with the InformResponse; or again */

            if (!to->has || rnd(4) == 0) {

                ngx_memzero(key, sizeof(key));
                key[0] = 'C';
                key[1] = c->carries;
                values++;
                ngx_memcpy(&key[4], &values, sizeof(values));

                test_learn(w, c, 1, key);

                if (!to->has || rnd(2)) {
                    ngx_memcpy(to->cookie, key, sizeof(key));
                }

                to->has = 1;
            }
        }

        if (c->carried && cwmp_session_firm(&c->s)) {
            c->carried = 0;

            for (i = 0; i < c->s.ncookies; i++) {
                test_cookie(w, c, &c->s.cookies[i]);
            }
        }
    }

    if (c->pin == 1 && c->s.state != CWMP_SESSION_NONE && rnd(10)) {
        c->pin = 3;

    } else {
        test_close(w, c);
    }
}


static void
test_invariants(void)
{
    ngx_uint_t      i, j, n, k, l;
    cwmp_table_t   *t;
    cwmp_holder_t   holder;
    test_client_t  *c, *o;

    static cwmp_holder_t  nobody;

    t = sessions;

    for (i = 0; i < WORKERS; i++) {
        test_look(&workers[i]);
    }

    for (i = 0; i < WORKERS; i++) {
        for (j = 0; j < CLIENTS; j++) {

            c = &workers[i].clients[j];

            if (!c->held) {
                continue;
            }

            /* who holds a row is there, and has a connection for it */

            (void) cwmp_table_begin(t);
            (void) cwmp_session_row_find(t, c->key, &nobody, now, test_alive,
                                         &holder);
            cwmp_table_end(t);

            n = 0;

            for (k = 0; k < WORKERS; k++) {
                for (l = 0; l < CLIENTS; l++) {

                    o = &workers[k].clients[l];

                    if (o->held && workers[k].process == holder.process
                        && o->number == holder.client)
                    {
                        n++;
                    }

                    /* and whoever else has one is told to go */

                    if (o != c && o->held && o->pin == 3 && c->pin == 3
                        && ngx_memcmp(o->key, c->key, sizeof(c->key)) == 0)
                    {
                        wrong++;
                    }
                }
            }

            if ((holder.process && n != 1) || c->pin == 0) {
                wrong++;
            }
        }
    }
}


static void
test_die(test_worker_t *w)
{
    ngx_uint_t  i;

    deaths++;

    w->process = ++processes;

    for (i = 0; i < CLIENTS; i++) {
        ngx_memzero(&w->clients[i], sizeof(test_client_t));
        w->clients[i].cpe = -1;
        w->clients[i].carries = -1;
    }
}


static void
test_model(void)
{
    ngx_uint_t      i, n;
    ngx_int_t       broken;
    test_worker_t  *w;
    test_client_t  *c;

    n = cwmp_table_size(ROWS, sizeof(cwmp_session_row_t));
    sessions = cwmp_table_create(malloc(n), n, sizeof(cwmp_session_row_t));

    n = cwmp_table_size(ROWS, sizeof(cwmp_cookie_row_t));
    cookies = cwmp_table_create(malloc(n), n, sizeof(cwmp_cookie_row_t));

    for (i = 0; i < WORKERS; i++) {
        test_die(&workers[i]);
    }

    broken = 0;

    for (i = 0; i < STEPS; i++) {

        w = &workers[rnd(WORKERS)];
        c = &w->clients[rnd(CLIENTS)];
        now += rnd(10);

        switch (rnd(20)) {

        case 0:
            test_drop(w, c);                 /* the ACS closes */
            break;

        case 1:
            if (c->pin != 1 && c->pin != 2) {
                test_close(w, c);            /* the CPE does */
                c->cpe = -1;
            }
            break;

        case 2:
            if (c->pin == 3) {
                n = cwmp_session_event(&c->s, CWMP_SESSION_EV_SILENCE);
                if (n) {
                    test_over(w, c, n);
                }
            }
            break;

        case 3:
            if (rnd(50) == 0) {
                test_die(w);
            }
            break;

        default:
            if (rnd(2)) {
                test_message(w, c);
            } else {
                test_answer(w, c);
            }
        }

        if (i % 16 == 0) {
            test_invariants();
        }

        if (i % 4096 == 0) {
            broken |= cwmp_table_check(sessions) | cwmp_table_check(cookies);
        }
    }

    tap_ok(mixed == 0, "an upstream connection carries one CPE's session: %d",
           (int) mixed);
    tap_ok(stale == 0, "no cookie leads to a session that is over");
    tap_ok(wrong == 0, "a row is held by one that has its connection: %d",
           (int) wrong);
    tap_ok(lost == 0, "nobody was asked in vain");
    tap_ok(touched == 0, "who is not let in touches nobody's session: %d of %d",
           (int) touched, (int) pretended);
    tap_ok(strayed == 0, "a cookie leads to its own session: %d of %d",
           (int) strayed, (int) recalled);
    tap_ok(broken == NGX_OK, "the tables are whole");

    tap_ok(begun > 20000 && dropped > 5000 && ended > 5000 && moved > 200
           && deaths > 300 && spares > 500 && pretended > 1000
           && recalled > 1000 && renewed > 1000,
           "enough has happened: %d begun, %d dropped, %d ended, %d moved, "
           "%d spares, %d deaths", (int) begun, (int) dropped, (int) ended,
           (int) moved, (int) spares, (int) deaths);
}


int
main(void)
{
    test_model();

    return tap_done();
}
