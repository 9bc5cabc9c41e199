
/*
 * Sessions: the table of states, as courses of what one message after the other
 * does to the session on a connection.
 *
 * sources: cwmp_session.c cwmp_rows.c cwmp_table.c
 */


#include "tap.h"

#include "cwmp_zone.h"


typedef struct {
    const char    *name;
    const char    *steps;
} test_course_t;


/*
 * I1, I2: an Inform of a device; P: an empty POST; G: a GET.  A letter behind
 * it is the cookie, "a", "b" and "d" being values of one name, "c", and "x" and
 * "y", of others; "x" leads to another session, "a" to this one.  =: the
 * answer: 200, 401, 204, 500; :x sets a cookie, -x takes it back, *x is shared
 * from now on.  Behind a blank what it is: the state and the actions, as
 * letters: END, SPARE, DROP, BEGIN, NAME, ADMIT, and FORGET if a cookie has a
 * value that counts no more.
 */

static test_course_t  courses[] = {
    { "a session",
      "I1 P/B =200 O/A :a O/ Pa O/ =200 O/ Pa O/ =204 N/ES" },
    { "with a challenge",
      "I1 P/B =401 P/ I1 P/ =200 O/A :a O/ Pa O/ =204 N/ES" },
    { "with a challenge in its middle",
      "I1 P/B =200 O/A :a O/ Pa O/ =401 C/ I1a C/ =200 O/ Pa O/ =204 N/ES" },
    { "an Inform nobody asked for", "I1 P/B =200 O/A I1 P/DB" },
    { "another device after a challenge", "I1 P/B =401 P/ I2 P/DB" },
    { "another value of the cookie",
      "I1 P/B =200 O/A :a O/ Pa O/ =200 O/ Pb A/DB" },
    { "no cookie, where one came back",
      "I1 P/B =200 O/A :a O/ Pa O/ P A/DB" },
    { "no cookie, but none has come back yet", "I1 P/B =200 O/A :a O/ P O/" },
    { "a cookie, where there is none", "I1 P/B =200 O/A Pd A/DB" },
    { "a cookie of another name beside", "I1 P/B =200 O/A :a O/ Pac O/" },
    { "only a cookie of another name",
      "I1 P/B =200 O/A :a O/ Pa O/ Pc A/DB" },
    { "a cookie that is renewed, and comes back so",
      "I1 P/B =200 O/A :a O/ Pa O/ =200 O/ :b O/ Pb O/F :d O/ Pd O/F "
      "Pb A/DB" },
    { "one that is renewed, but the CPE keeps the first",
      "I1 P/B =200 O/A :a O/ Pa O/ =200 O/ :b O/ Pa O/ :d O/F Pa O/ Pa O/" },
    { "one that is renewed before it came back",
      "I1 P/B =401 P/ :a P/ I1 P/ =200 O/A :b O/ Pa O/ Pa O/" },
    { "a shared cookie says nothing",
      "I1 P/B =200 O/A :a O/ :c O/ *c O/ Pac O/ Pa O/ Pc A/DB" },
    { "nor does it if it is all there is",
      "I1 P/B =200 O/A :c O/ Pc O/ *c O/ Pc O/ P O/" },
    { "a second cookie that matches counts",
      "I1 P/B =200 O/A :a O/ :c O/ Pac O/ =200 O/ Pbc O/" },
    { "but not a shared one",
      "I1 P/B =200 O/A :a O/ :c O/ *c O/ Pac O/ =200 O/ Pbc A/DB" },
    { "one that leads elsewhere", "I1 P/B =401 P/ :c P/ *c P/ Pcx O/DB" },
    { "beside one that leads here", "I1 P/B =200 O/A :a O/ Pax O/" },
    { "another session's cookie, which is replaced",
      "I1x P/B =200 O/A :y O/ Px O/DB" },
    { "its own of before, which is replaced, but the CPE keeps it",
      "I1d P/B =200 O/A :b O/ Pd O/ Pd O/" },
    { "an error", "I1 P/B =500 N/E" },
    { "a POST of which nothing is known", "P A/B =200 A/ P A/ =204 N/E" },
    { "that gets a cookie", "P A/B =200 A/ :a O/N Pa O/ =204 N/ES" },
    { "but not by a shared one",
      "P A/B *c A/ :c A/ :a O/N Pac O/ =204 N/ES" },
    { "and then an Inform comes", "P A/B :a O/N I1 P/DB" },
    { "204 to an Inform goes on", "I1 P/B =204 O/A Pd A/DB" },
    { "only the Inform's answer lets it in",
      "I1 P/B =401 P/ P P/ =200 P/ I1 P/ =200 O/A" },
    { "a GET begins nothing", "G N/ =200 N/ =204 N/" },
    { "a GET of somebody else ends it",
      "I1 P/B =200 O/A :a O/ Pa O/ Gb N/D" },
    { "a cookie is taken back",
      "I1 P/B =200 O/A :a O/ Pa O/ -a O/F P O/" }
};


/* the values of cookies that are shared */

static char        shared[8];
static ngx_uint_t  informed;           /* the last message was an Inform */


static uint32_t
test_name(char c)
{
    return (c == 'c') ? 2 : (c == 'x' || c == 'y') ? 3 : 1;
}


static void
test_leads(cwmp_session_t *s, cwmp_claim_t *claim)
{
    ngx_uint_t            i;
    cwmp_claim_cookie_t  *c;

    for (i = 0; i < claim->ncookies; i++) {
        c = &claim->cookies[i];

        if (strchr(shared, c->key[0])) {
            c->lead = CWMP_LEAD_SHARED;

        } else if (c->key[0] == 'x') {
            c->lead = CWMP_LEAD_SESSION;
            c->session.key[0] = 'X';

        } else if (c->key[0] == 'a' && cwmp_session_named(s)) {
            c->lead = CWMP_LEAD_SESSION;
            c->session = s->name;
        }
    }

    for (i = 0; i < s->ncookies; i++) {
        s->cookies[i].shared = (strchr(shared, s->cookies[i].key[0]) != NULL);
    }

    claim->looked = 1;
}


static const char *
test_step(cwmp_session_t *s, const char *p, ngx_uint_t *actions,
    ngx_uint_t *forgotten)
{
    u_char                  key[CWMP_TABLE_KEY_LEN];
    cwmp_claim_t            claim;
    cwmp_session_old_t      old;
    cwmp_session_lesson_t   lesson;

    *actions = 0;
    *forgotten = 0;

    switch (*p) {

    case '=':
        *actions = cwmp_session_event(s,
                       cwmp_session_answered(atoi(p + 1),
                                             informed ? CWMP_ANSWER_TO_INFORM
                                                      : CWMP_ANSWER_TO_EMPTY));
        return p + 4;

    case '*':
        strncat(shared, p + 1, 1);
        return p + 2;

    case ':':
    case '-':
        ngx_memzero(key, sizeof(key));
        key[0] = p[1];

        cwmp_session_learn(s, test_name(p[1]), (*p == ':') ? key : NULL,
                           strchr(shared, p[1]) ? CWMP_LEAD_SHARED
                                                : CWMP_LEAD_NOWHERE,
                           &lesson);

        *actions = lesson.actions;
        *forgotten = lesson.old.n;
        return p + 2;
    }

    ngx_memzero(&claim, sizeof(claim));

    claim.post = (*p != 'G');
    informed = (*p == 'I');

    if (*p++ == 'I') {
        claim.inform = claim.named = 1;
        claim.name.key[0] = claim.device[0] = *p++;
    }

    while (*p != ' ') {
        claim.cookies[claim.ncookies].name = test_name(*p);
        claim.cookies[claim.ncookies++].key[0] = *p++;
    }

    if (cwmp_session_recognise(s, &claim, 1) == NGX_AGAIN) {
        test_leads(s, &claim);
        (void) cwmp_session_recognise(s, &claim, 1);
    }

    *actions = cwmp_session_leave(s, &claim);
    *actions |= cwmp_session_join(s, &claim, &old);
    *forgotten = old.n;

    return p;
}


static void
test_courses(void)
{
    char             is[16], *q;
    ngx_uint_t       i, actions, forgotten;
    const char      *p;
    cwmp_session_t   s;

    for (i = 0; i < sizeof(courses) / sizeof(courses[0]); i++) {

        ngx_memzero(&s, sizeof(s));
        ngx_memzero(shared, sizeof(shared));

        for (p = courses[i].steps; *p; p += (*p == ' ')) {

            p = test_step(&s, p, &actions, &forgotten);

            q = is;
            *q++ = "NAPOC"[s.state];
            *q++ = '/';

            if (actions & CWMP_SESSION_END)    *q++ = 'E';
            if (actions & CWMP_SESSION_SPARE)  *q++ = 'S';
            if (actions & CWMP_SESSION_DROP)   *q++ = 'D';
            if (actions & CWMP_SESSION_BEGIN)  *q++ = 'B';
            if (actions & CWMP_SESSION_NAME)   *q++ = 'N';
            if (actions & CWMP_SESSION_ADMIT)  *q++ = 'A';
            if (forgotten)                     *q++ = 'F';

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


int
main(void)
{
    test_courses();

    return tap_done();
}
