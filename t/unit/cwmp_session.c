
/*
 * Sessions: the table of states, and a model of CPEs, workers and ACSs that do
 * what comes to their minds, and die.
 *
 * sources: cwmp_session.c cwmp_rows.c cwmp_table.c
 */


#include "tap.h"

#include "cwmp_zone.h"


#define STEPS    400000
#define CPES     8
#define WORKERS  3
#define CLIENTS  5              /* of a worker */
#define ROWS     4096


/* what one message after the other does to the session on a connection */

typedef struct {
    const char    *name;
    const char    *steps;
} test_course_t;


/*
 * I1, I2: an Inform of a device; P: an empty POST; G: a GET.  A letter behind
 * it is the cookie, "a" and "b" being values of one name, "c" one of another.
 * =: the answer: 200, 401, 204, 500; :x sets a cookie.  Behind a blank what it
 * is: the state and the actions, BEGIN, DROP, END, NAME, SPARE, as letters.
 */

static test_course_t  courses[] = {
    { "a session", "I1 O/B =200 O/ :a O/ Pa O/ =200 O/ Pa O/ =204 N/ES" },
    { "with a challenge",
      "I1 O/B =401 C/ I1 C/ =200 O/ :a O/ Pa O/ =204 N/ES" },
    { "an Inform nobody asked for", "I1 O/B =200 O/ I1 O/DB" },
    { "another device after a challenge", "I1 O/B =401 C/ I2 O/DB" },
    { "another value of the cookie",
      "I1 O/B =200 O/ :a O/ Pa O/ =200 O/ Pb A/DB" },
    { "no cookie, where one came back", "I1 O/B =200 O/ :a O/ Pa O/ P A/DB" },
    { "no cookie, but none has come back yet", "I1 O/B =200 O/ :a O/ P O/" },
    { "a cookie, where there is none", "I1 O/B =200 O/ Pa A/DB" },
    { "a cookie of another name beside", "I1 O/B :a O/ Pac O/" },
    { "only a cookie of another name", "I1 O/B :a O/ Pa O/ Pc A/DB" },
    { "an error", "I1 O/B =500 N/E" },
    { "a POST of which nothing is known", "P A/B =200 A/ P A/ =204 N/E" },
    { "that gets a cookie", "P A/B =200 A/ :a O/N Pa O/ =204 N/ES" },
    { "and then an Inform comes", "P A/B :a O/N I1 O/DB" },
    { "204 to an Inform goes on", "I1 O/B =24I O/ Pa A/DB" },
    { "a GET begins nothing", "G N/ =200 N/ =204 N/" },
    { "a GET of somebody else ends it", "I1 O/B :a O/ Pa O/ Gb N/D" },
    { "a cookie is taken back", "I1 O/B :a O/ Pa O/ -a O/ P O/" }
};


typedef struct {
    int                    cpe;        /* whose connection this is; -1: no */
    cwmp_session_t         s;
    uint64_t               number;

    /* the pin: 0 empty, 1 busy, 2 leaving, 3 parked */
    int                    pin;
    int                    carries;    /* a CPE's session; -1: none yet */
    unsigned               asked:1;    /* there has been one */
    unsigned               held:1;
    u_char                 key[CWMP_TABLE_KEY_LEN];
    cwmp_server_t          server;
    int                    inform;     /* what is under way */
} test_client_t;


typedef struct {
    uint32_t               process;
    test_client_t          clients[CLIENTS];
} test_worker_t;


typedef struct {
    cwmp_session_cookie_t  cookie;
    unsigned               has:1;
} test_cpe_t;


static uint64_t        seed = 88172645463325252;
static ngx_msec_t      now;
static uint64_t        numbers;
static uint32_t        processes = 1000;
static test_worker_t   workers[WORKERS];
static test_cpe_t      cpes[CPES];
static cwmp_table_t   *sessions, *cookies;
static cwmp_wanted_t   list[CWMP_WANTED_MAX];
static u_char          tag[CWMP_TABLE_KEY_LEN] = { 0x5a, 0x17 };
static ngx_uint_t      begun, dropped, ended, moved, deaths, mixed, stale,
                       lost, wrong, spares;


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


static void
test_cookie(cwmp_session_cookie_t *cookie, char c)
{
    ngx_memzero(cookie, sizeof(*cookie));
    cookie->name = (c == 'c') ? 2 : 1;
    cookie->key[0] = c;
}


static const char *
test_step(cwmp_session_t *s, const char *p, ngx_uint_t *actions)
{
    u_char                 *key;
    ngx_uint_t              status;
    cwmp_claim_t            claim;
    cwmp_answer_to_e        to;
    cwmp_session_cookie_t   cookie;

    *actions = 0;

    switch (*p) {

    case '=':
        to = (p[2] == '4' && p[3] == 'I') ? CWMP_ANSWER_TO_OTHER
                                          : CWMP_ANSWER_TO_EMPTY;
        status = to == CWMP_ANSWER_TO_OTHER ? 204 : (ngx_uint_t) atoi(p + 1);
        *actions = cwmp_session_event(s, cwmp_session_answered(status, to));
        return p + 4;

    case ':':
    case '-':
        test_cookie(&cookie, p[1]);
        key = (*p == ':') ? cookie.key : NULL;
        (void) cwmp_session_learn(s, cookie.name, key, actions);
        return p + 2;
    }

    ngx_memzero(&claim, sizeof(claim));

    claim.post = (*p != 'G');

    if (*p++ == 'I') {
        claim.inform = claim.named = 1;
        claim.name.key[0] = *p++;
    }

    while (*p != ' ') {
        test_cookie(&claim.cookies[claim.ncookies++], *p++);
    }

    (void) cwmp_session_recognise(s, &claim, 1);
    *actions = cwmp_session_join(s, &claim);

    return p;
}


static void
test_courses(void)
{
    char             is[16], *q;
    ngx_uint_t       i, actions;
    const char      *p;
    cwmp_session_t   s;

    for (i = 0; i < sizeof(courses) / sizeof(courses[0]); i++) {

        ngx_memzero(&s, sizeof(s));

        for (p = courses[i].steps; *p; p += (*p == ' ')) {

            p = test_step(&s, p, &actions);

            q = is;
            *q++ = "NAOC"[s.state];
            *q++ = '/';

            if (actions & CWMP_SESSION_END)    *q++ = 'E';
            if (actions & CWMP_SESSION_SPARE)  *q++ = 'S';
            if (actions & CWMP_SESSION_DROP)   *q++ = 'D';
            if (actions & CWMP_SESSION_BEGIN)  *q++ = 'B';
            if (actions & CWMP_SESSION_NAME)   *q++ = 'N';

            *q = '\0';

            if (*p != ' ' || strncmp(p + 1, is, q - is) != 0
                || (p[1 + (q - is)] && p[1 + (q - is)] != ' '))
            {
                printf("# %s: %s before \"%s\"\n", courses[i].name, is, p);
                break;
            }

            p += 1 + (q - is);
        }

        tap_ok(*p == '\0', "%s", courses[i].name);
    }
}


/* the pin's connection is closed */

static void
test_close(test_worker_t *w, test_client_t *c)
{
    cwmp_holder_t  me = { w->process, c->number };

    c->pin = 0;
    c->carries = -1;

    if (c->held) {
        (void) cwmp_table_begin(sessions);
        cwmp_session_row_release(sessions, c->key, &me, now);
        cwmp_table_end(sessions);
        c->held = 0;
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
test_over(test_worker_t *w, test_client_t *c, ngx_uint_t actions)
{
    ngx_uint_t           i;
    cwmp_holder_t        me = { w->process, c->number };
    cwmp_session_name_t  name;

    if (actions & CWMP_SESSION_END) {
        ended++;

        (void) cwmp_table_begin(cookies);
        for (i = 0; i < c->s.ncookies; i++) {
            cwmp_cookie_row_delete(cookies, c->s.cookies[i].key, &c->s.name,
                                   now);

            if (cwmp_cookie_row_get(cookies, c->s.cookies[i].key, now, &name)
                == NGX_OK
                && ngx_memcmp(&name, &c->s.name, sizeof(name)) == 0)
            {
                stale++;
            }
        }
        cwmp_table_end(cookies);

        if (c->held) {
            (void) cwmp_table_begin(sessions);
            cwmp_session_row_delete(sessions, c->key, &me, now);
            cwmp_table_end(sessions);
            c->held = 0;
        }
    }

    if (actions & CWMP_SESSION_SPARE) {
        spares++;
    }

    test_drop(w, c);
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

        for (i = 0; i < CLIENTS; i++) {
            if (w->clients[i].number == holder.client && w->clients[i].held
                && ngx_memcmp(w->clients[i].key, key, sizeof(key)) == 0)
            {
                test_drop(w, &w->clients[i]);
            }
        }
    }

    /* the others have their time, or not */

    for (i = 0; i < WORKERS; i++) {
        if (rnd(3)) {
            test_look(&workers[i]);
        }
    }
}


static void
test_hold(test_worker_t *w, test_client_t *c)
{
    ngx_int_t       rc;
    cwmp_holder_t   me = { w->process, c->number }, before;

    if (!cwmp_session_named(&c->s)) {
        return;
    }

    if (c->held) {
        c->held = 0;
    }

    cwmp_session_row_key(c->key, c->s.name.key, tag);

    (void) cwmp_table_begin(sessions);

    rc = cwmp_session_row_hold(sessions, c->key, &me, &c->server, now,
                               now + 30000, test_alive, &before);

    if (before.process && before.process != w->process) {
        moved++;
        if (cwmp_want(list, &before, c->key, now) != NGX_OK) {
            lost++;
        }
    }

    cwmp_table_end(sessions);

    c->held = (rc != NGX_ERROR);
}


/* a CPE's message, by way of whichever connection is free */

static void
test_message(test_worker_t *w, test_client_t *c)
{
    int             cpe;
    ngx_uint_t      i, actions;
    cwmp_claim_t    claim;
    test_cpe_t     *from;

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
    from = &cpes[cpe];

    ngx_memzero(&claim, sizeof(claim));

    claim.post = 1;

    if (!from->has || rnd(6) == 0) {
        claim.inform = claim.named = 1;
        claim.name.key[0] = 'D';
        claim.name.key[1] = cpe;
    }

    if (from->has && (!claim.inform || rnd(2))) {
        claim.cookies[claim.ncookies++] = from->cookie;
    }

    if (cwmp_session_recognise(&c->s, &claim, c->asked) == NGX_DECLINED) {
        (void) cwmp_table_begin(cookies);
        claim.named = (cwmp_cookie_row_get(cookies, claim.cookies[0].key, now,
                                           &claim.name)
                       == NGX_OK);
        cwmp_table_end(cookies);
    }

    test_elsewhere(w, c, &claim);

    actions = cwmp_session_join(&c->s, &claim);

    if (actions & CWMP_SESSION_DROP) {
        dropped++;
        test_over(w, c, CWMP_SESSION_DROP);
    }

    if (actions & CWMP_SESSION_BEGIN) {
        begun++;

        if (cwmp_session_named(&c->s)) {
            (void) cwmp_table_begin(cookies);
            for (i = 0; i < c->s.ncookies; i++) {
                cwmp_cookie_row_set(cookies, c->s.cookies[i].key, &c->s.name,
                                    0, now, now + 30000, test_alive);
            }
            cwmp_table_end(cookies);
        }
    }

    /* the upstream connection: the one that is there, or a new one */

    if (c->pin == 3 && c->carries != cpe) {
        mixed++;
    }

    c->pin = 1;
    c->asked = 1;
    c->carries = cpe;
    c->inform = claim.inform;
    c->server.len = 1;

    test_hold(w, c);
}


static void
test_answer(test_worker_t *w, test_client_t *c)
{
    ngx_uint_t              actions, status;
    test_cpe_t             *to;
    cwmp_answer_to_e        kind;
    cwmp_session_cookie_t  *cookie;

    static ngx_uint_t  statuses[] = { 200, 200, 200, 401, 204, 500 };

    if (c->pin != 1 && c->pin != 2) {
        return;
    }

    to = &cpes[c->carries];
    status = statuses[rnd(6)];
    kind = c->inform ? CWMP_ANSWER_TO_OTHER : CWMP_ANSWER_TO_EMPTY;

    if (c->s.state != CWMP_SESSION_NONE) {

        actions = cwmp_session_event(&c->s,
                                     cwmp_session_answered(status, kind));

        if (actions & CWMP_SESSION_END) {
            test_over(w, c, actions);
            to->has = 0;

        } else if (status == 200 && !to->has) {

            /* as GenieACS does: with the InformResponse */

            to->has = 1;
            to->cookie.name = 1;
            to->cookie.key[0] = 'C';
            to->cookie.key[1] = c->carries;
            to->cookie.key[2]++;
            to->cookie.key[3] += !to->cookie.key[2];

            cookie = cwmp_session_learn(&c->s, 1, to->cookie.key, &actions);

            if (cookie) {
                (void) cwmp_table_begin(cookies);
                cwmp_cookie_row_set(cookies, cookie->key, &c->s.name, 1, now,
                                    now + 30000, test_alive);
                cwmp_table_end(cookies);
            }

            if (actions & CWMP_SESSION_NAME) {
                test_hold(w, c);
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

    n = cwmp_table_size(ROWS, sizeof(cwmp_session_name_t));
    cookies = cwmp_table_create(malloc(n), n, sizeof(cwmp_session_name_t));

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
    tap_ok(broken == NGX_OK, "the tables are whole");

    tap_ok(begun > 20000 && dropped > 5000 && ended > 5000 && moved > 200
           && deaths > 300 && spares > 500,
           "enough has happened: %d begun, %d dropped, %d ended, %d moved, "
           "%d spares, %d deaths", (int) begun, (int) dropped, (int) ended,
           (int) moved, (int) spares, (int) deaths);
}


static void
test_list(void)
{
    u_char          key[CWMP_TABLE_KEY_LEN];
    ngx_uint_t      i, from, n;
    cwmp_holder_t   holder;
    cwmp_wanted_t   wanted;

    ngx_memzero(list, sizeof(list));
    ngx_memzero(key, sizeof(key));

    for (i = 0; i < CWMP_WANTED_MAX; i++) {
        key[0] = i;
        key[1] = i >> 8;
        holder.process = 1 + i % 2;
        holder.client = 1000 + i;
        (void) cwmp_want(list, &holder, key, 0);
    }

    key[0] = key[1] = 0;
    holder.process = 1;
    tap_ok(cwmp_want(list, &holder, key, CWMP_WANTED_TIME - 1)
           == NGX_DECLINED, "the list is full");

    holder.client = 1000;
    tap_ok(cwmp_want(list, &holder, key, 1) == NGX_OK,
           "but has that one already");

    for (from = 0, n = 0;
         cwmp_wanted_take(list, 2, &from, &wanted) == NGX_OK;
         n++)
    {
        if (wanted.key[0] % 2 != 1 || wanted.holder.process != 2
            || wanted.holder.client != 1000u + wanted.key[0])
        {
            break;
        }
    }

    tap_ok(n == CWMP_WANTED_MAX / 2, "each takes its own, by client");
    tap_ok(cwmp_want(list, &holder, key, 1) == NGX_OK,
           "there is place again");

    holder.process = 3;

    for (i = 0; i < CWMP_WANTED_MAX; i++) {
        key[0] = i;
        key[2] = 2;
        n = cwmp_want(list, &holder, key, 2 + CWMP_WANTED_TIME);
        if (n != NGX_OK) {
            break;
        }
    }

    tap_ok(i == CWMP_WANTED_MAX, "what nobody takes is forgotten");
}


int
main(void)
{
    test_courses();
    test_list();

    ngx_memzero(list, sizeof(list));

    test_model();

    return tap_done();
}
