
/*
 * sources: cwmp_challenge.c
 */


#include "tap.h"
#include "cwmp_challenge.h"


#define nelts(a)  (sizeof(a) / sizeof(a[0]))


/* the strongest Digest of what one or two fields offer, as text */

typedef struct {
    const char  *name;
    const char  *values[2];
    const char  *expected;
} test_select_t;


static test_select_t  selects[] = {

    { "RFC 2617, as in its example",
      { "Digest realm=\"testrealm@host.com\", qop=\"auth,auth-int\", "
        "nonce=\"dcd98b7102dd2f0e8b11d0f600bfb0c093\", "
        "opaque=\"5ccc069c403ebaf9f0171e9517f40e41\"", NULL },
      "md5 realm=testrealm@host.com "
      "nonce=dcd98b7102dd2f0e8b11d0f600bfb0c093 "
      "opaque=5ccc069c403ebaf9f0171e9517f40e41 qop=auth,auth-int digest" },

    { "RFC 2069",
      { "Digest realm=\"r\", nonce=\"n\"", NULL },
      "md5 realm=r nonce=n digest" },

    { "RFC 7616, two fields, the stronger one first",
      { "Digest realm=\"r\", qop=\"auth, auth-int\", algorithm=SHA-256, "
        "nonce=\"n\", opaque=\"o\"",
        "Digest realm=\"r\", qop=\"auth, auth-int\", algorithm=MD5, "
        "nonce=\"m\", opaque=\"o\"" },
      "sha256 realm=r nonce=n opaque=o algorithm=SHA-256 "
      "qop=auth,auth-int digest" },

    { "the stronger one last",
      { "Digest realm=\"r\", nonce=\"m\"",
        "Digest realm=\"r\", nonce=\"n\", algorithm=SHA-256-sess" },
      "sha256-sess realm=r nonce=n algorithm=SHA-256-sess digest" },

    { "the first of equals",
      { "Digest realm=\"r\", nonce=\"1\", algorithm=MD5-sess",
        "Digest realm=\"r\", nonce=\"2\", algorithm=MD5" },
      "md5-sess realm=r nonce=1 algorithm=MD5-sess digest" },

    { "several challenges in one field",
      { "Basic realm=\"b, c\", Digest realm=\"r\", nonce=\"n\", "
        "Negotiate, NTLM TlRMTVNTUAAC==, "
        "Digest realm=\"s\",nonce=\"o\",algorithm=SHA-256", NULL },
      "sha256 realm=s nonce=o algorithm=SHA-256 digest basic" },

    { "without commas, as netcwmp",
      { "Digest qop=\"auth\" nonce=\"n\" opaque=\"\" realm=\"cwmpd\"", NULL },
      "md5 realm=cwmpd nonce=n opaque= qop=auth digest" },

    { "without commas between challenges",
      { "Basic realm=\"b\" Digest realm=\"r\" nonce=\"n\" Basic realm=\"c\"",
        NULL },
      "md5 realm=r nonce=n digest basic" },

    { "tabs, spaces around \"=\", commas in front and doubled",
      { ",, Digest\trealm\t=\t\"r\" ,\t, nonce =n ,", NULL },
      "md5 realm=r nonce=n digest" },

    { "no spaces at all",
      { "Digest realm=\"r\"nonce=\"n\"opaque=\"o\"", NULL },
      "md5 realm=r nonce=n opaque=o digest" },

    { "any case",
      { "DIGEST REALM=\"R\",NONCE=\"N\",QOP=\"AUTH\",ALGORITHM=md5,"
        "STALE=TRUE", NULL },
      "md5 realm=R nonce=N algorithm=md5 qop=auth stale digest" },

    { "everything unquoted",
      { "digest realm=r,nonce=AbC+/==,qop=auth,algorithm=MD5,stale=true",
        NULL },
      "md5 realm=r nonce=AbC+/== algorithm=MD5 qop=auth stale digest" },

    { "everything quoted",
      { "Digest realm=\"r\",nonce=\"n\",algorithm=\"SHA-256\",stale=\"true\"",
        NULL },
      "sha256 realm=r nonce=n algorithm=SHA-256 stale digest" },

    { "stale=false",
      { "Digest realm=\"r\",nonce=\"n\",stale=false", NULL },
      "md5 realm=r nonce=n digest" },

    { "unquoted list of qop",
      { "Digest qop=auth-int, auth, realm=\"r\", nonce=\"n\"", NULL },
      "md5 realm=r nonce=n qop=auth,auth-int digest" },

    { "unquoted list of qop at the end",
      { "Digest realm=\"r\", nonce=\"n\", qop=auth,auth-int", NULL },
      "md5 realm=r nonce=n qop=auth,auth-int digest" },

    { "qop separated by spaces, upper case, with a stranger",
      { "Digest realm=\"r\",nonce=\"n\",qop=\" AUTH-INT\tauth-conf  Auth \"",
        NULL },
      "md5 realm=r nonce=n qop=auth,auth-int,other digest" },

    { "auth-int only",
      { "Digest realm=\"r\",nonce=\"n\",qop=\"auth-int\"", NULL },
      "md5 realm=r nonce=n qop=auth-int digest" },

    { "empty qop is none",
      { "Digest realm=\"r\",nonce=\"n\",qop=\"\"", NULL },
      "md5 realm=r nonce=n digest" },

    { "names inside of other values",
      { "Digest domain=\"/noqop=1,nonce=\\\"x\\\"\", cnonce=\"c\", "
        "realm=\"nonce=evil, qop=auth-int\", nonce=\"n\"", NULL },
      "md5 realm=nonce=evil, qop=auth-int nonce=n digest" },

    { "escapes stay",
      { "Digest realm=\"a\\\"b\\\\\", nonce=\"n\"", NULL },
      "md5 realm=a\\\"b\\\\ nonce=n digest" },

    { "escapes without quotes",
      { "Digest realm=a\\, nonce=x\\yz\\\\w, opaque=o\\", NULL },
      "md5 realm=a nonce=x\\yz\\\\w opaque=o digest" },

    { "strings without a name",
      { "Digest \"x\", realm=\"r\" \"nonce=m\" nonce=\"n\"", NULL },
      "md5 realm=r nonce=n digest" },

    { "escape in a list of qop",
      { "Digest realm=\"r\",nonce=\"n\",qop=\"auth,a\\uth-int\"", NULL },
      "Digest challenge with neither \"auth\" nor \"auth-int\" digest" },

    { "string without an end",
      { "Digest nonce=\"n\", realm=\"r, opaque=o\\", NULL },
      "md5 realm=r, opaque=o nonce=n digest" },

    { "doubled parameters: the first",
      { "Digest realm=\"r\",nonce=\"n\",realm=\"s\",nonce=\"m\"", NULL },
      "md5 realm=r nonce=n digest" },

    { "realm missing",
      { "Digest nonce=\"n\"", NULL },
      "md5 nonce=n digest" },

    { "word behind the scheme",
      { "Digest junk realm=\"r\",nonce=\"n\"", NULL },
      "md5 realm=r nonce=n digest" },

    { "parameter in front of any scheme",
      { "realm=\"x\", \"y\", =, Digest realm=\"r\",nonce=\"n\"", NULL },
      "md5 realm=r nonce=n digest" },

    { "unknown algorithm, then a known one",
      { "Digest realm=\"r\",nonce=\"1\",algorithm=SHA-512-256",
        "Digest realm=\"r\",nonce=\"2\",algorithm=MD5" },
      "md5 realm=r nonce=2 algorithm=MD5 digest" },

    { "unknown algorithm",
      { "Digest realm=\"r\",nonce=\"1\",algorithm=SHA-512-256", NULL },
      "Digest challenge with an unknown algorithm digest" },

    { "empty algorithm",
      { "Digest realm=\"r\",nonce=\"1\",algorithm=", NULL },
      "Digest challenge with an unknown algorithm digest" },

    { "unknown qop",
      { "Digest realm=\"r\",nonce=\"1\",qop=\"auth-conf\"", NULL },
      "Digest challenge with neither \"auth\" nor \"auth-int\" digest" },

    { "no nonce",
      { "Digest realm=\"r\"", NULL },
      "Digest challenge without a nonce digest" },

    { "empty nonce",
      { "Digest realm=\"r\",nonce=\"\"", NULL },
      "Digest challenge without a nonce digest" },

    { "control character",
      { "Digest realm=\"r\",nonce=\"n\r\nX: y\"", NULL },
      "Digest challenge with a control character digest" },

    { "Basic only",
      { "Basic realm=\"r\"", NULL },
      "no Digest challenge basic" },

    { "basic in lower case, behind NTLM",
      { "NTLM", "basic" },
      "no Digest challenge basic" },

    { "NTLM and Negotiate with their tokens",
      { "NTLM TlRMTVNTUAACAAAA", "Negotiate YIIFdzCCBXOg==" },
      "no Digest challenge" },

    { "nothing", { "", NULL }, "no Digest challenge" },
    { "commas", { " ,\t, ", NULL }, "no Digest challenge" },
    { "Digest of another name",
      { "Digestive realm=\"r\",nonce=\"n\"", NULL },
      "no Digest challenge" },
};


static void
test_print(ngx_str_t *out, cwmp_challenges_t *all)
{
    char              *p;
    cwmp_challenge_t  *ch;

    p = (char *) out->data;
    ch = &all->digest;

    if (all->usable) {
        p += sprintf(p, "%s%s", ch->hash == CWMP_ALGORITHM_MD5 ? "md5"
                                                               : "sha256",
                     ch->sess ? "-sess" : "");

        if (ch->has_realm) {
            p += sprintf(p, " realm=%.*s", (int) ch->realm.len,
                         ch->realm.data);
        }

        p += sprintf(p, " nonce=%.*s", (int) ch->nonce.len, ch->nonce.data);

        if (ch->has_opaque) {
            p += sprintf(p, " opaque=%.*s", (int) ch->opaque.len,
                         ch->opaque.data);
        }

        if (ch->has_algorithm) {
            p += sprintf(p, " algorithm=%.*s", (int) ch->algorithm.len,
                         ch->algorithm.data);
        }

        if (ch->has_qop) {
            p += sprintf(p, " qop=%s%s%s%s",
                         ch->qop & CWMP_QOP_AUTH ? "auth" : "",
                         (ch->qop & 3) == 3 ? "," : "",
                         ch->qop & CWMP_QOP_AUTH_INT ? "auth-int" : "",
                         ch->qop & CWMP_QOP_OTHER ? ",other" : "");
        }

        if (ch->stale) {
            p += sprintf(p, " stale");
        }

    } else {
        p += sprintf(p, "%s", cwmp_challenge_strerror(all->error));
    }

    p += sprintf(p, "%s%s", all->has_digest ? " digest" : "",
                 all->has_basic ? " basic" : "");

    out->len = p - (char *) out->data;
}


static void
test_select(void)
{
    u_char              buf[1024];
    ngx_str_t           values[2], got;
    ngx_uint_t          i, n;
    cwmp_challenges_t   all;

    got.data = buf;

    for (i = 0; i < nelts(selects); i++) {

        for (n = 0; n < 2 && selects[i].values[n]; n++) {
            values[n] = tap_str(selects[i].values[n]);
        }

        cwmp_challenge_select(&all, values, n);
        test_print(&got, &all);
        tap_is(&got, selects[i].expected, selects[i].name);

        while (n--) {
            free(values[n].data);
        }
    }

    cwmp_challenge_select(&all, NULL, 0);
    tap_ok(!all.usable && !all.has_digest && !all.has_relay
           && all.error == CWMP_CHALLENGE_NO_DIGEST, "no field at all");
}


/* what is passed on in path mode: each challenge by itself, as it came */

static void
test_next(void)
{
    ngx_str_t         value, rest;
    cwmp_challenge_t  ch;

    value = tap_str(" Basic realm=\"a, b\" ,Digest realm=\"r\" nonce=n , "
                    "NTLM abc=, DIGEST realm=\"s\", nonce=\"unended ");
    rest = value;

    tap_ok(cwmp_challenge_next(&rest, &ch) == NGX_OK
           && ch.scheme == CWMP_AUTH_BASIC, "Basic");
    tap_is(&ch.text, "Basic realm=\"a, b\"", "its text");

    tap_ok(cwmp_challenge_next(&rest, &ch) == NGX_OK
           && ch.scheme == CWMP_AUTH_DIGEST && ch.error == 0, "Digest");
    tap_is(&ch.text, "Digest realm=\"r\" nonce=n", "its text");

    tap_ok(cwmp_challenge_next(&rest, &ch) == NGX_OK
           && ch.scheme == CWMP_AUTH_OTHER
           && ch.error == CWMP_CHALLENGE_NO_DIGEST, "NTLM");
    tap_is(&ch.text, "NTLM abc=", "its text");

    tap_ok(cwmp_challenge_next(&rest, &ch) == NGX_OK
           && ch.scheme == CWMP_AUTH_DIGEST, "another Digest");
    tap_is(&ch.text, "DIGEST realm=\"s\", nonce=\"unended ", "its text");

    tap_ok(cwmp_challenge_next(&rest, &ch) == NGX_DONE, "the end");

    free(value.data);
}


typedef struct {
    const char          *value;
    cwmp_auth_scheme_e   scheme;
} test_scheme_t;


static test_scheme_t  schemes[] = {
    { "Basic YTpi", CWMP_AUTH_BASIC },
    { " bAsIc", CWMP_AUTH_BASIC },
    { "Digest username=\"x\"", CWMP_AUTH_DIGEST },
    { "\tDIGEST", CWMP_AUTH_DIGEST },
    { "Bearer x", CWMP_AUTH_OTHER },
    { "Basically", CWMP_AUTH_OTHER },
    { "", CWMP_AUTH_NONE },
    { " ", CWMP_AUTH_NONE },
};


static void
test_scheme(void)
{
    ngx_str_t   value;
    ngx_uint_t  i;

    for (i = 0; i < nelts(schemes); i++) {
        value = tap_str(schemes[i].value);
        tap_ok(cwmp_auth_scheme(&value) == schemes[i].scheme,
               "scheme of \"%s\"", schemes[i].value);
        free(value.data);
    }
}


typedef struct {
    const char  *value;
    const char  *expected;      /* NULL: as it was */
    ngx_uint_t   only;
} test_strip_t;


static test_strip_t  strips[] = {
    { "Digest realm=\"r\",qop=\"auth,auth-int\",nonce=\"n\"",
      "Digest realm=\"r\",qop=\"auth\",nonce=\"n\"", 0 },
    { "Digest qop=\"auth-int,auth\"", "Digest qop=\"auth\"", 0 },
    { "Digest qop=\"auth-int, auth\"", "Digest qop=\"auth\"", 0 },
    { "Digest qop=\" auth , auth-int \"", "Digest qop=\"auth \"", 0 },
    { "Digest qop=\"auth-int auth\"", "Digest qop=\"auth\"", 0 },
    { "Digest qop=\"auth, AUTH-INT, x\"", "Digest qop=\"auth, x\"", 0 },
    { "Digest qop=\"auth-int,auth,auth-int\"", "Digest qop=\"auth\"", 0 },
    { "digest QOP = auth,auth-int , nonce=n",
      "digest QOP = auth , nonce=n", 0 },
    { "Digest qop=auth-int, auth", "Digest qop=auth", 0 },
    { "Digest qop=\"auth=,auth-int\"", "Digest qop=\"auth=\"", 0 },
    { "Digest nonce=\"n\" qop=\"auth,auth-int\" realm=\"r\"",
      "Digest nonce=\"n\" qop=\"auth\" realm=\"r\"", 0 },

    /* several challenges, also with Basic between them */

    { "Digest nonce=\"1\", qop=\"auth,auth-int\", algorithm=SHA-256, "
      "Basic realm=\"qop=auth,auth-int\", "
      "Digest nonce=\"2\", qop=\"auth-int,auth\"",
      "Digest nonce=\"1\", qop=\"auth\", algorithm=SHA-256, "
      "Basic realm=\"qop=auth,auth-int\", "
      "Digest nonce=\"2\", qop=\"auth\"", 0 },

    { "Digest nonce=\"1\", qop=\"auth-int\", "
      "Digest nonce=\"2\", qop=\"auth-int,auth\"",
      "Digest nonce=\"1\", qop=\"auth-int\", "
      "Digest nonce=\"2\", qop=\"auth\"", 1 },

    /* what stays */

    { "Digest realm=\"r\", qop=\"auth-int\", nonce=\"n\"", NULL, 1 },
    { "Digest realm=\"r\", qop=auth-int, nonce=\"n\"", NULL, 1 },
    { "Digest realm=\"r\", qop=\"auth\", nonce=\"n\"", NULL, 0 },
    { "Digest realm=\"auth,auth-int\", nonce=\"n\"", NULL, 0 },
    { "Digest realm=\"\\\"qop=\\\"auth,auth-int\", nonce=\"n\"", NULL, 0 },
    { "Digest qop=\"auth,x\\ ,auth-int\"", NULL, 0 },
    { "Basic realm=\"r\", qop=\"auth,auth-int\"", NULL, 0 },
    { "Negotiate", NULL, 0 },
    { "", NULL, 0 },
};


static void
test_strip(void)
{
    size_t        len;
    ngx_int_t     rc;
    ngx_str_t     value, got;
    ngx_uint_t    i, only;
    const char   *expected;

    for (i = 0; i < nelts(strips); i++) {
        value = tap_str(strips[i].value);
        got.data = malloc(value.len ? value.len : 1);

        rc = cwmp_challenge_strip_auth_int(&value, got.data, &len, &only);
        got.len = len;

        expected = strips[i].expected ? strips[i].expected : strips[i].value;

        tap_is(&got, expected, strips[i].value);
        tap_ok(rc == (strips[i].expected ? NGX_OK : NGX_DECLINED),
               "%s", strips[i].expected ? "changed" : "as it was");
        tap_ok(only == strips[i].only, "auth-int only: %d", (int) only);

        free(got.data);
        free(value.data);
    }
}


int
main(void)
{
    test_select();
    test_next();
    test_scheme();
    test_strip();

    return tap_done();
}
