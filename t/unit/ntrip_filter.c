
/*
 * sources: ntrip_filter.c ntrip_sourcetable.c ntrip_text.c
 * libs: -lm
 */


#include "tap.h"
#include "ntrip_filter.h"


typedef struct {
    const char   *query;
    const char   *lines;                 /* the first letter of each that is
                                            wanted; NULL: refused */
    const char   *mounts;
} test_t;


/* by the letter that the second field of each begins with */

static const char  table[] =
    "CAS;caster.example;2101;Fieldgate;ACME;1;DEU;50.00;8.00;0.0.0.0;0;x" CRLF
    "NET;ACME;ACME;B;N;https://acme.example;none;none;none" CRLF
    "STR;MUC;Munich;RTCM 3.2;1005(10),1077(1);2;GPS+GLO+GAL;ACME;DEU;48.14;"
        "11.58;0;0;x;none;B;N;9600;a;b" CRLF
    "STR;VIE;Vienna;RTCM 3.2;1074(1);2;GPS+GLO;ACME;AUT;48.21;16.37;1;1;x;"
        "none;B;Y;5000;none" CRLF
    "STR;fiji;Suva;RTCM 3.0;1004(1);1;GPS;;FJI;-17.00;179.90;0;0;x;none;N;N;"
        "2400;none" CRLF
    "STR;Oslo;Oslo (N);RTCM 2.3;1(1);0;GPS;none;NOR;59.91;10.75;0;0;x;none;N;"
        "N;1200;none" CRLF
    "STR;short;Sparse" CRLF
    "ENDSOURCETABLE" CRLF;


static const test_t  tests[] = {
    { "", "cAMVfOs", NULL },
    { "x=1&y", "cAMVfOs", NULL },

    /* lines and texts */
    { "STR", "MVfOs", NULL },
    { "STR;", "MVfOs", NULL },
    { "str;;;;;;;;deu", "M", NULL },
    { "CAS", "c", NULL },
    { "NET;acme", "A", NULL },
    { "filter=STR;;;;;;;;DEU|AUT", "MV", NULL },
    { "filterSTR;;;;;;;;DEU|AUT", "MV", NULL },
    { "filter", "cAMVfOs", NULL },
    { "filter=STR;!MUC", "VfOs", NULL },
    { "filter=STR;!=MUC", "VfOs", NULL },
    { "filter=STR;=MUC", "M", NULL },
    { "filter=STR;!(MUC|VIE)", "fOs", NULL },
    { "filter=STR;!MUC+!VIE", "fOs", NULL },
    { "filter=STR;!!MUC", "M", NULL },
    { "filter=STR;(MUC|VIE)+!VIE|Oslo", "MO", NULL },
    { "filter=STR;;;RTCM 3*", "MVf", NULL },
    { "filter=STR;;;RTCM%203.2", "MV", NULL },
    { "filter=STR;;;;*1077*", "M", NULL },
    { "filter=STR;*i*", "Vf", NULL },
    { "filter=STR;;;!RTCM 3*", "Os", NULL },
    { "filter=STR;;;;;;;;;;;;;;;;;;a%3Bb", NULL, NULL },
    { "match=STR;;;;;;;;;;;;;;;;;;a", "", NULL },

    /* numbers */
    { "filter=STR;;;;;;;;;>48.2", "VO", NULL },
    { "filter=STR;;;;;;;;;>=48.21", "VO", NULL },
    { "filter=STR;;;;;;;;;<48.21", "Mf", NULL },
    { "filter=STR;;;;;;;;;<=48.21", "MVf", NULL },
    { "filter=STR;;;;;;;;;>48+<49;>15", "V", NULL },
    { "filter=STR;;;;;;;;;!>48", "fs", NULL },
    { "filter=STR;;;;;;;;;48.140", "M", NULL },
    { "filter=STR;;;;;;;;;=-17", "f", NULL },
    { "filter=STR;>1", "", NULL },
    { "filter=;;;;;1|2", "cMVf", NULL },

    /* navigation systems */
    { "filter=STR;;;;;;GPS+GLO", "MV", NULL },
    { "filter=STR;;;;;;GLO", "MV", NULL },
    { "filter=STR;;;;;;GPS+!GLO", "fO", NULL },
    { "match=STR;;;;;;GPS+GLO", "V", NULL },

    /* the nearest ones */
    { "filter=STR;;;;;;;;;~48;~12", "M", NULL },
    { "filter=STR;;;;;;;;;~48;~14.1", "V", NULL },
    { "filter=STR;;;;;;;;;~-17;~-179.9", "f", NULL },
    { "filter=STR;;;;;;;;!DEU;~48;~12", "V", NULL },
    { "filter=STR;;;;;;;;;~90", "O", NULL },
    { "filter=;;;;;;;~50", "c", NULL },
    { "filter=STR;~1", "", NULL },

    /* as it is written */
    { "match=STR;muc", "M", NULL },
    { "matchSTR;;Oslo (N)", "O", NULL },
    { "match=STR;*", "", NULL },
    { "match=STR;;;;;;;;;48.1400", "M", NULL },
    { "match=STR;;Sparse", "s", NULL },

    /* several */
    { "filter=STR;;;;;;;;DEU|NOR&match=STR;Oslo", "O", NULL },
    { "STR;M*&STR;*C", "M", NULL },

    /* a user's */
    { "auth", "cAMO", "MUC,oslo" },
    { "auth=1&filter=STR", "MV", "MUC, v*" },
    { "auth=1&filter=STR", "MVfOs", "" },
    { "filter=STR&auth", "", "nothing" },

    /* strict */
    { "strict&STR;MUC", "M", NULL },
    { "strict=0&x", "cAMVfOs", NULL },
    { "strict&match=;MUC", NULL, NULL },
    { "x&strict=1", NULL, NULL },

    /* no filters */
    { "filter=STR;(MUC", NULL, NULL },
    { "filter=STR;MUC)", NULL, NULL },
    { "filter=STR;()", NULL, NULL },
    { "filter=STR;|MUC", NULL, NULL },
    { "filter=STR;MUC|", NULL, NULL },
    { "filter=STR;MUC+", NULL, NULL },
    { "filter=STR;!", NULL, NULL },
    { "filter=STR;=", NULL, NULL },
    { "filter=STR;>=", NULL, NULL },
    { "filter=STR;a(b)", NULL, NULL },
    { "filter=STR;~", NULL, NULL },
    { "filter=STR;~x", NULL, NULL },
    { "filter=STR;;;;;;;;;;;;;;;;;;;x;y", NULL, NULL },
    { "filter=STR;!!!!!!!!!!!!!!!!!x", NULL, NULL },
    { "filter=STR;((((((((((((((((((x))))))))))))))))))", NULL, NULL },
    { "filter=%", NULL, NULL },
    { "filter=%0", NULL, NULL },
    { "filter=%zz", NULL, NULL },
    { "filter=%00", NULL, NULL },
    { "auth=2", NULL, NULL },
    { "strict=x", NULL, NULL },
    { "a&STR&STR&STR&STR&STR&STR&STR&STR&STR", NULL, NULL },
};


static void
test_one(const test_t *t)
{
    char            copy[1024], wanted[64], *w;
    u_char          buf[sizeof(table) + 64];
    ngx_int_t       rc;
    ngx_str_t       query, text, mounts, line;
    ntrip_out_t     out;
    const char     *reason;
    ntrip_filter_t  filter;

    strcpy(copy, t->query);

    query.data = (u_char *) copy;
    query.len = strlen(copy);
    reason = NULL;

    rc = ntrip_filter_parse(&filter, &query, &reason);

    if (t->lines == NULL) {
        tap_ok(rc == NGX_ERROR && reason, "\"%s\": %s", t->query,
               reason ? reason : "taken");
        return;
    }

    if (rc != NGX_OK) {
        tap_ok(0, "\"%s\": %s", t->query, reason);
        return;
    }

    text.data = (u_char *) table;
    text.len = sizeof(table) - 1;

    if (t->mounts) {
        mounts.data = (u_char *) t->mounts;
        mounts.len = strlen(t->mounts);
    }

    ntrip_out_init(&out, buf, sizeof(table) - 1);
    ntrip_filter_table(&filter, &text, t->mounts ? &mounts : NULL, &out);

    w = wanted;

    for (line.data = buf; line.data < out.last; line.data += line.len + 1) {
        line.len = (u_char *) memchr(line.data, LF, out.last - line.data)
                   - line.data;

        if (line.data[3] == ';') {
            *w++ = (char) line.data[4];
        }
    }

    *w = '\0';

    tap_ok(strcmp(wanted, t->lines) == 0 && !out.overflow
           && filter.auth == (t->mounts != NULL)
           && out.last - buf >= 16
           && memcmp(out.last - 16, "ENDSOURCETABLE" CRLF, 16) == 0,
           "\"%s\": \"%s\"", t->query, wanted);
}


int
main(void)
{
    char            buf[1024];
    ngx_str_t       query, pattern, text;
    ngx_uint_t      i;
    const char     *reason;
    ntrip_filter_t  filter;

    static const struct {
        const char  *pattern;
        const char  *text;
        ngx_uint_t   fits;
    } globs[] = {
        { "", "", 1 }, { "", "a", 0 }, { "*", "", 1 }, { "*", "abc", 1 },
        { "a", "A", 1 }, { "a*", "a", 1 }, { "*a", "bca", 1 },
        { "a*c", "abbc", 1 }, { "a*c", "abcd", 0 }, { "*b*", "abc", 1 },
        { "**", "x", 1 }, { "a*b*c", "aXbXbc", 1 }, { "*ab", "aab", 1 },
        { "ab", "abc", 0 }, { "abc", "ab", 0 }, { "*a*a", "aa", 1 },
        { "*a*a", "a", 0 }
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        test_one(&tests[i]);
    }

    memset(buf, 'x', sizeof(buf));
    memcpy(buf, "filter=STR;", 11);
    query.data = (u_char *) buf;
    query.len = 600;

    tap_ok(ntrip_filter_parse(&filter, &query, &reason) == NGX_ERROR,
           "a long one: %s", reason);

    for (i = 0; i < sizeof(globs) / sizeof(globs[0]); i++) {
        pattern.data = (u_char *) globs[i].pattern;
        pattern.len = strlen(globs[i].pattern);
        text.data = (u_char *) globs[i].text;
        text.len = strlen(globs[i].text);

        tap_ok(ntrip_text_glob(&pattern, &text) == globs[i].fits,
               "\"%s\" and \"%s\"", globs[i].pattern, globs[i].text);
    }

    return tap_done();
}
