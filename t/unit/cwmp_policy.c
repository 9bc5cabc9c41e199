
/*
 * sources: cwmp_policy.c cwmp_range.c cwmp_origin.c cwmp_host.c cwmp_label.c
 * cwmp_url.c
 */


#include "tap.h"
#include "cwmp_policy.h"


#define nelts(a)  (sizeof(a) / sizeof(a[0]))


/* a policy from words; the caller frees its specs and text */

typedef struct {
    cwmp_policy_spec_t   allow[8];
    cwmp_policy_spec_t   deny[8];
    char                 allow_text[256];
    char                 deny_text[256];
    struct sockaddr_in   listeners[2];
    struct sockaddr_in6  listener6;
    struct sockaddr     *list[3];
    cwmp_policy_t        policy;
} test_policy_t;


/* stands for a regular expression: the pattern is a suffix of the host */

static ngx_int_t
test_match(void *regex, ngx_str_t *host)
{
    ngx_str_t  *pattern = regex;

    if (pattern->len == 5 && memcmp(pattern->data, "error", 5) == 0) {
        return NGX_ERROR;
    }

    if (host->len < pattern->len
        || memcmp(host->data + host->len - pattern->len, pattern->data,
                  pattern->len) != 0)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static ngx_uint_t
test_specs(cwmp_policy_spec_t *specs, char *text)
{
    char        *word;
    ngx_str_t    arg;
    ngx_uint_t   n;
    const char  *err;

    n = 0;

    for (word = strtok(text, " "); word; word = strtok(NULL, " ")) {
        arg.data = (u_char *) word;
        arg.len = strlen(word);

        if (cwmp_policy_parse(&specs[n], &arg, &err) == NGX_ERROR) {
            fprintf(stderr, "%s: %s\n", word, err);
            abort();
        }

        specs[n].regex = &specs[n].pattern;
        n++;
    }

    return n;
}


/* listeners: 192.168.1.1:7548, *:8080 and [fd00::1]:7548 */

static void
test_policy(test_policy_t *t, const char *allow, const char *deny)
{
    memset(t, 0, sizeof(test_policy_t));

    strcpy(t->allow_text, allow);
    strcpy(t->deny_text, deny);

    t->policy.allow = t->allow;
    t->policy.nallow = test_specs(t->allow, t->allow_text);
    t->policy.deny = t->deny;
    t->policy.ndeny = test_specs(t->deny, t->deny_text);
    t->policy.match = test_match;

    t->listeners[0].sin_family = AF_INET;
    t->listeners[0].sin_port = htons(7548);
    inet_pton(AF_INET, "192.168.1.1", &t->listeners[0].sin_addr);

    t->listeners[1].sin_family = AF_INET;
    t->listeners[1].sin_port = htons(8080);

    t->listener6.sin6_family = AF_INET6;
    t->listener6.sin6_port = htons(7548);
    inet_pton(AF_INET6, "fd00::1", &t->listener6.sin6_addr);

    t->list[0] = (struct sockaddr *) &t->listeners[0];
    t->list[1] = (struct sockaddr *) &t->listeners[1];
    t->list[2] = (struct sockaddr *) &t->listener6;

    t->policy.listeners = t->list;
    t->policy.nlisteners = 3;
}


static void
test_sockaddr(ngx_sockaddr_t *sa, const char *text)
{
    memset(sa, 0, sizeof(ngx_sockaddr_t));

    if (inet_pton(AF_INET, text, &sa->sockaddr_in.sin_addr) == 1) {
        sa->sockaddr.sa_family = AF_INET;
        sa->sockaddr_in.sin_port = htons(40000);

    } else if (inet_pton(AF_INET6, text, &sa->sockaddr_in6.sin6_addr) == 1) {
        sa->sockaddr.sa_family = AF_INET6;
        sa->sockaddr_in6.sin6_port = htons(40000);

    } else {
        sa->sockaddr.sa_family = AF_UNIX;
    }
}


typedef struct {
    const char           *arg;
    ngx_int_t             rc;
    cwmp_policy_type_e    type;
    const char           *net;      /* or the pattern */
    ngx_uint_t            bits;
    ngx_uint_t            min;
    ngx_uint_t            max;
} test_spec_t;


static test_spec_t  specs[] = {
    { "client", NGX_OK, CWMP_POLICY_CLIENT, "", 0, 0, 65535 },
    { "client:7547", NGX_OK, CWMP_POLICY_CLIENT, "", 0, 7547, 7547 },
    { "client:1-65535", NGX_OK, CWMP_POLICY_CLIENT, "", 0, 1, 65535 },
    { "10.0.0.0/8", NGX_OK, CWMP_POLICY_CIDR, "10.0.0.0", 8, 0, 65535 },
    { "10.0.0.0/8:7547", NGX_OK, CWMP_POLICY_CIDR, "10.0.0.0", 8, 7547, 7547 },
    { "10.0.0.0/8:7000-8000", NGX_OK, CWMP_POLICY_CIDR, "10.0.0.0", 8,
      7000, 8000 },
    { "10.1.2.3", NGX_OK, CWMP_POLICY_CIDR, "10.1.2.3", 32, 0, 65535 },
    { "10.1.2.3:80", NGX_OK, CWMP_POLICY_CIDR, "10.1.2.3", 32, 80, 80 },
    { "0.0.0.0/0", NGX_OK, CWMP_POLICY_CIDR, "0.0.0.0", 0, 0, 65535 },
    { "10.1.2.3/9", NGX_DONE, CWMP_POLICY_CIDR, "10.0.0.0", 9, 0, 65535 },
    { "10.0.0.01", NGX_OK, CWMP_POLICY_CIDR, "10.0.0.1", 32, 0, 65535 },
    { "fd00::/8", NGX_OK, CWMP_POLICY_CIDR, "fd00::", 8, 0, 65535 },
    { "[fd00::/8]:7547", NGX_OK, CWMP_POLICY_CIDR, "fd00::", 8, 7547, 7547 },
    { "[fd00::/8]", NGX_OK, CWMP_POLICY_CIDR, "fd00::", 8, 0, 65535 },
    { "[fd00::1]:1-2", NGX_OK, CWMP_POLICY_CIDR, "fd00::1", 128, 1, 2 },
    { "fd00::1", NGX_OK, CWMP_POLICY_CIDR, "fd00::1", 128, 0, 65535 },
    { "fd00::1/64", NGX_DONE, CWMP_POLICY_CIDR, "fd00::", 64, 0, 65535 },
    { "::ffff:10.0.0.0/104", NGX_OK, CWMP_POLICY_CIDR, "10.0.0.0", 8,
      0, 65535 },
    { "~\\.example$", NGX_OK, CWMP_POLICY_REGEX, "\\.example$", 0, 0, 65535 },
    { "~\\.example$:7547", NGX_OK, CWMP_POLICY_REGEX, "\\.example$", 0,
      7547, 7547 },
    { "~a:1-2", NGX_OK, CWMP_POLICY_REGEX, "a", 0, 1, 2 },
    { "~a:", NGX_OK, CWMP_POLICY_REGEX, "a:", 0, 0, 65535 },
    { "~^1-2", NGX_OK, CWMP_POLICY_REGEX, "^1-2", 0, 0, 65535 },
};


static const char  *bad_specs[] = {
    "", "Client", "clients", "client:", "client:0", "client:65536",
    "client:8000-7000", "client:1-", "client:1-x", "client 1", "client:-1",
    "cpe.example", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0/8",
    "10.0.0.0/8x", "0x7f.1", "10.0.0.1:",
    "10.0.0.1:99999999999999999999", "10.0.0.0/99999999999999999999",
    "fd00::/129", "[fd00::", "[fd00::]x", "[fd00::]/8", "[10.0.0.1]",
    "[10.0.0.0/8]:80", "[]", "[", "~", "~:80", "~a:2-1", "~a:0",
    "fe80::1%eth0", "/8", ":80", "all", "unix:",
};


static ngx_uint_t
test_bits(u_char *mask, size_t len)
{
    ngx_uint_t  i;

    for (i = 0; i < 8 * len && (mask[i / 8] & (0x80 >> i % 8)); i++) {
        /* void */
    }

    return i;
}


static void
test_parse(void)
{
    char                 net[INET6_ADDRSTRLEN];
    ngx_int_t            rc;
    ngx_str_t            arg, got;
    ngx_uint_t           i, bits;
    const char          *err;
    test_spec_t         *t;
    cwmp_policy_spec_t   spec;

    for (i = 0; i < nelts(specs); i++) {
        t = &specs[i];
        arg = tap_str(t->arg);
        rc = cwmp_policy_parse(&spec, &arg, &err);

        bits = 0;

        if (t->type == CWMP_POLICY_CIDR) {
            bits = (spec.cidr.family == AF_INET)
                   ? test_bits((u_char *) &spec.cidr.u.in.mask, 4)
                   : test_bits(spec.cidr.u.in6.mask.s6_addr, 16);
        }

        tap_ok(rc == t->rc && spec.type == t->type && bits == t->bits
               && spec.port_min == t->min && spec.port_max == t->max,
               "%s", t->arg);

        if (t->type == CWMP_POLICY_CIDR) {
            got.data = (u_char *) net;
            inet_ntop(spec.cidr.family, &spec.cidr.u, net, sizeof(net));
            got.len = strlen(net);
            tap_is(&got, t->net, "network");

        } else {
            tap_is(&spec.pattern, t->net, "pattern");
        }

        free(arg.data);
    }

    for (i = 0; i < nelts(bad_specs); i++) {
        arg = tap_str(bad_specs[i]);
        err = NULL;
        rc = cwmp_policy_parse(&spec, &arg, &err);

        tap_ok(rc == NGX_ERROR && err != NULL && *err, "refused: \"%s\"",
               bad_specs[i]);

        free(arg.data);
    }
}


/* results at the announcement, at the call with a secret, and without one */

typedef struct {
    const char  *allow;
    const char  *deny;
    const char  *client;
    const char  *origin;
    ngx_int_t    announce;
    ngx_int_t    call;
    ngx_int_t    open;
} test_case_t;


#define OK     NGX_OK
#define NAME   NGX_AGAIN
#define DENY   CWMP_POLICY_DENIED
#define LO     CWMP_POLICY_LOOPBACK
#define LL     CWMP_POLICY_LINK_LOCAL
#define UN     CWMP_POLICY_UNSPECIFIED
#define MC     CWMP_POLICY_MULTICAST
#define SELF   CWMP_POLICY_LISTENER
#define NO     CWMP_POLICY_NOT_ALLOWED
#define OTHER  CWMP_POLICY_NOT_CLIENT
#define CIDR   CWMP_POLICY_NO_CIDR
#define FAIL   CWMP_POLICY_REGEX_FAILED


static test_case_t  cases[] = {

    /* the client's own address; a signature stands for it later */

    { "client", "", "10.0.0.1", "10.0.0.1:7547", OK, OK, OTHER },
    { "client", "", "::ffff:10.0.0.1", "10.0.0.1:7547", OK, OK, OTHER },
    { "client", "", "10.0.0.1", "[::ffff:10.0.0.1]:7547", OK, OK, OTHER },
    { "client", "", "fd00::9", "[fd00::9]:7547", OK, OK, OTHER },
    { "client", "", "10.0.0.2", "10.0.0.1:7547", OTHER, OK, OTHER },
    { "client", "", "fd00::9", "10.0.0.1:7547", OTHER, OK, OTHER },
    { "client", "", "unix", "10.0.0.1:7547", OTHER, OK, OTHER },
    { "client", "", "unix", "cpe.example", NO, NO, NO },
    { "client:7547", "", "10.0.0.1", "10.0.0.1:7547", OK, OK, OTHER },
    { "client:7547", "", "10.0.0.1", "10.0.0.1:7548", OTHER, OTHER, OTHER },
    { "client:7000-8000", "", "10.0.0.1", "10.0.0.1:8000", OK, OK, OTHER },
    { "client:7000-8000", "", "10.0.0.1", "10.0.0.1:8001", OTHER, OTHER,
      OTHER },

    /* ranges, alternatives */

    { "10.0.0.0/8", "", "1.2.3.4", "10.9.9.9:1", OK, OK, OK },
    { "10.0.0.0/8", "", "11.0.0.1", "11.0.0.1:1", NO, NO, NO },
    { "10.0.0.0/8:7547", "", "1.2.3.4", "10.9.9.9:7547", OK, OK, OK },
    { "10.0.0.0/8:7547", "", "1.2.3.4", "10.9.9.9:7546", NO, NO, NO },
    { "10.0.0.0/8 client", "", "1.2.3.4", "1.2.3.4:7547", OK, OK, NO },
    { "10.0.0.0/8 client", "", "1.2.3.5", "1.2.3.4:7547", NO, OK, NO },
    { "10.128.0.0/9", "", "1.2.3.4", "10.127.0.1:1", NO, NO, NO },
    { "fd00::/8", "", "1.2.3.4", "[fd12::1]:7547", OK, OK, OK },
    { "fd00::/8", "", "1.2.3.4", "10.0.0.1:7547", NO, NO, NO },
    { "0.0.0.0/0", "", "1.2.3.4", "[fd12::1]:7547", NO, NO, NO },
    { "", "", "10.0.0.1", "10.0.0.1:7547", OTHER, OTHER, OTHER },

    /* deny wins */

    { "client 10.0.0.0/8", "10.0.0.1", "10.0.0.1", "10.0.0.1:7547",
      DENY, DENY, DENY },
    { "10.0.0.0/8", "10.0.0.0/8:1-1023", "1.2.3.4", "10.0.0.1:80",
      DENY, DENY, DENY },
    { "10.0.0.0/8", "10.0.0.0/8:1-1023", "1.2.3.4", "10.0.0.1:1024",
      OK, OK, OK },
    { "10.0.0.0/8", "~.1", "1.2.3.4", "10.0.0.1:80", DENY, DENY, DENY },
    { "10.0.0.0/8", "~.2", "1.2.3.4", "10.0.0.1:80", OK, OK, OK },
    { "10.0.0.0/8", "::ffff:10.0.0.1", "1.2.3.4", "10.0.0.1:80",
      DENY, DENY, DENY },
    { "10.0.0.0/8", "client", "10.0.0.1", "10.0.0.1:80", DENY, DENY, OK },
    { "10.0.0.0/8", "~error", "1.2.3.4", "10.0.0.1:80", FAIL, FAIL, FAIL },
    { "127.0.0.1", "127.0.0.0/8", "1.2.3.4", "127.0.0.1:1",
      DENY, DENY, DENY },

    /* also what IPv6 leads to, over a translator or a tunnel */

    { "::/0", "10.0.0.0/8", "1.1.1.1", "[64:ff9b::10.1.2.3]:80",
      DENY, DENY, DENY },
    { "client", "10.0.0.0/8", "64:ff9b::a01:203", "[64:ff9b::10.1.2.3]:80",
      DENY, DENY, DENY },
    { "::/0", "10.0.0.0/8", "1.1.1.1", "[2002:a01:203::1]:80",
      DENY, DENY, DENY },
    { "::/0", "10.0.0.0/8", "1.1.1.1", "[2001:0:a:b::f5fe:fdfc]:80",
      DENY, DENY, DENY },
    { "::/0", "10.0.0.0/8", "1.1.1.1", "[2001:db8::5efe:10.1.2.3]:80",
      DENY, DENY, DENY },
    { "::/0", "10.0.0.0/8", "1.1.1.1", "[2001:db8::200:5efe:10.1.2.3]:80",
      DENY, DENY, DENY },
    { "::/0", "10.0.0.0/8", "1.1.1.1", "[64:ff9b:1:a01:2:300::]:80",
      DENY, DENY, DENY },
    { "::/0", "10.0.0.0/8", "1.1.1.1", "[2001:db8::10.1.2.3]:80",
      OK, OK, OK },
    { "::/0", "10.0.0.0/8", "1.1.1.1", "[64:ff9b::11.1.2.3]:80",
      OK, OK, OK },
    { "::/0", "10.0.0.0/8:1-1023", "1.1.1.1", "[64:ff9b::10.1.2.3]:1024",
      OK, OK, OK },
    { "::/0", "2002::/16", "1.1.1.1", "10.1.2.3:80", NO, NO, NO },
    { "10.0.0.0/8", "", "1.1.1.1", "[64:ff9b::10.1.2.3]:80", NO, NO, NO },

    /* what nobody means who does not name it */

    { "client", "", "127.0.0.1", "127.0.0.1:7547", LO, LO, LO },
    { "client", "", "127.9.9.9", "127.9.9.9:7547", LO, LO, LO },
    { "client", "", "127.0.0.1", "[::ffff:127.0.0.1]:7547", LO, LO, LO },
    { "client", "", "::1", "[::1]:7547", LO, LO, LO },
    { "client", "", "::1", "[::127.0.0.1]:7547", LO, LO, LO },
    { "client", "", "::1", "[64:ff9b::127.0.0.1]:7547", LO, LO, LO },
    { "client", "", "169.254.169.254", "169.254.169.254:80", LL, LL, LL },
    { "client", "", "fe80::1", "[fe80::1]:80", LL, LL, LL },
    { "client", "", "febf::1", "[febf::1]:80", LL, LL, LL },
    { "client", "", "::1", "[64:ff9b::a9fe:a9fe]:80", LL, LL, LL },
    { "client", "", "::1", "[::ffff:0:127.0.0.1]:80", LO, LO, LO },
    { "client", "", "::1", "[::ffff:0:8.8.8.8]:80", OTHER, OK, OTHER },
    { "client", "", "::1", "[2002:7f00:1::]:80", LO, LO, LO },
    { "client", "", "::1", "[2002:7f00:1:2:3:4:5:6]:80", LO, LO, LO },
    { "client", "", "::1", "[2002:a9fe:a9fe::1]:80", LL, LL, LL },
    { "client", "", "::1", "[2002:e000:1::1]:80", MC, MC, MC },
    { "client", "", "2002:808:808::1", "[2002:808:808::1]:80",
      OK, OK, OTHER },

    /* Teredo: 127.0.0.1, 169.254.169.254 and 8.8.8.8, obscured */

    { "client", "", "::1", "[2001:0:a:b:0:63bf:80ff:fffe]:80", LO, LO, LO },
    { "client", "", "::1", "[2001:0:a:b::5601:5601]:80", LL, LL, LL },
    { "client", "", "2001:0:a:b::f7f7:f7f7", "[2001:0:a:b::f7f7:f7f7]:80",
      OK, OK, OTHER },
    { "client", "", "2001:db8::80ff:fffe", "[2001:db8::80ff:fffe]:80",
      OK, OK, OTHER },

    /* RFC 5214 */

    { "client", "", "::1", "[2001:db8::5efe:127.0.0.1]:80", LO, LO, LO },
    { "client", "", "::1", "[fd00::200:5efe:169.254.0.1]:80", LL, LL, LL },
    { "client", "", "fd00::5efe:808:808", "[fd00::5efe:808:808]:80",
      OK, OK, OTHER },

    /* RFC 8215: prefixes of 96, 64, 56 and 48 bits */

    { "client", "", "::1", "[64:ff9b:1::127.0.0.1]:80", LO, LO, LO },
    { "client", "", "::1", "[64:ff9b:1:fffe::127.0.0.1]:80", LO, LO, LO },
    { "client", "", "::1", "[64:ff9b:1:abcd:7f:0:100:0]:80", LO, LO, LO },
    { "client", "", "::1", "[64:ff9b:1:ab7f:0:1::]:80", LO, LO, LO },
    { "client", "", "::1", "[64:ff9b:1:7f00:0:100::]:80", LO, LO, LO },
    { "client", "", "::1", "[64:ff9b:1:a9fe:a9:fe00::]:80", LL, LL, LL },
    { "client", "", "::1", "[64:ff9b:1::]:80", UN, UN, UN },
    { "client", "", "64:ff9b:1::808:808", "[64:ff9b:1::8.8.8.8]:80",
      OK, OK, OTHER },
    { "client", "", "64:ff9b:1:fffe::808:808", "[64:ff9b:1:fffe::8.8.8.8]:80",
      OK, OK, OTHER },
    { "client", "", "64:ff9b:1:808:8:800::", "[64:ff9b:1:808:8:800::]:80",
      OK, OK, OTHER },
    { "client", "", "64:ff9b:2::7f00:1", "[64:ff9b:2::127.0.0.1]:80",
      OK, OK, OTHER },

    { "client", "", "0.0.0.0", "0.0.0.0:80", UN, UN, UN },
    { "client", "", "0.0.0.0", "0.1.2.3:80", UN, UN, UN },
    { "client", "", "::", "[::]:80", UN, UN, UN },
    { "client", "", "224.0.0.1", "224.0.0.1:80", MC, MC, MC },
    { "client", "", "1.1.1.1", "239.255.255.255:80", MC, MC, MC },
    { "client", "", "1.1.1.1", "255.255.255.255:80", MC, MC, MC },
    { "client", "", "1.1.1.1", "240.0.0.1:80", MC, MC, MC },
    { "client", "", "1.1.1.1", "[ff02::1]:80", MC, MC, MC },
    { "~.1", "", "127.0.0.1", "127.0.0.1:80", LO, LO, LO },

    /* a range that merely covers it does not name it */

    { "0.0.0.0/0", "", "1.1.1.1", "127.0.0.1:80", LO, LO, LO },
    { "0.0.0.0/0", "", "1.1.1.1", "169.254.169.254:80", LL, LL, LL },
    { "0.0.0.0/0", "", "1.1.1.1", "8.8.8.8:80", OK, OK, OK },
    { "126.0.0.0/7", "", "1.1.1.1", "127.0.0.1:80", LO, LO, LO },
    { "::/0", "", "1.1.1.1", "[::1]:80", LO, LO, LO },
    { "::/0", "", "1.1.1.1", "[::127.0.0.1]:80", LO, LO, LO },
    { "::/0", "", "1.1.1.1", "[fe80::1]:80", LL, LL, LL },
    { "::/0", "", "1.1.1.1", "[2001:db8::1]:80", OK, OK, OK },
    { "127.0.0.0/8", "", "1.1.1.1", "127.0.0.1:80", OK, OK, OK },
    { "127.0.0.1", "", "1.1.1.1", "127.0.0.1:80", OK, OK, OK },
    { "127.0.0.1", "", "1.1.1.1", "127.0.0.2:80", LO, LO, LO },
    { "127.0.0.1:81", "", "1.1.1.1", "127.0.0.1:80", LO, LO, LO },
    { "127.0.0.1 client", "", "127.0.0.2", "127.0.0.2:80", LO, LO, LO },
    { "::ffff:127.0.0.0/104", "", "1.1.1.1", "127.0.0.1:80", OK, OK, OK },
    { "169.254.0.0/16", "", "1.1.1.1", "169.254.1.1:80", OK, OK, OK },
    { "::1", "", "1.1.1.1", "[::1]:80", OK, OK, OK },
    { "fe80::/10", "", "1.1.1.1", "[fe80::1]:80", OK, OK, OK },
    { "::127.0.0.0/104", "", "1.1.1.1", "[::127.0.0.1]:80", OK, OK, OK },
    { "2002::/16", "", "1.1.1.1", "[2002:7f00:1::]:80", LO, LO, LO },
    { "2002:7f00::/24", "", "1.1.1.1", "[2002:7f00:1::]:80", OK, OK, OK },
    { "64:ff9b:1::/48", "", "1.1.1.1", "[64:ff9b:1:a9fe:a9:fe00::]:80",
      LL, LL, LL },
    { "64:ff9b:1:a9fe::/64", "", "1.1.1.1", "[64:ff9b:1:a9fe:a9:fe00::]:80",
      OK, OK, OK },

    /* nginx itself */

    { "client", "", "192.168.1.1", "192.168.1.1:7548", SELF, SELF, SELF },
    { "192.168.0.0/16", "", "1.1.1.1", "192.168.1.1:7548", SELF, SELF, SELF },
    { "192.168.0.0/16", "", "1.1.1.1", "192.168.1.1:7547", OK, OK, OK },
    { "::/0", "", "1.1.1.1", "[64:ff9b::192.168.1.1]:7548", SELF, SELF, SELF },
    { "::/0", "", "1.1.1.1", "[64:ff9b::192.168.1.1]:7547", OK, OK, OK },
    { "64:ff9b::c0a8:101", "", "1.1.1.1", "[64:ff9b::192.168.1.1]:7548",
      OK, OK, OK },
    { "192.168.1.1", "", "1.1.1.1", "192.168.1.1:7548", OK, OK, OK },
    { "127.0.0.0/8", "", "1.1.1.1", "127.0.0.3:8080", SELF, SELF, SELF },
    { "127.0.0.3", "", "1.1.1.1", "127.0.0.3:8080", OK, OK, OK },
    { "fd00::/8", "", "1.1.1.1", "[fd00::1]:7548", SELF, SELF, SELF },
    { "fd00::/8", "", "1.1.1.1", "[fd00::2]:7548", OK, OK, OK },
    { "10.0.0.0/8", "", "1.1.1.1", "10.0.0.1:8080", OK, OK, OK },

    /* names: only by ~regex, and only where a CIDR can check them */

    { "~.example 10.0.0.0/8", "", "10.0.0.1", "CPE.example", OK, NAME, NAME },
    { "~.example 10.0.0.0/8", "", "10.0.0.1", "cpe.test", NO, NO, NO },
    { "~.example:7547 10.0.0.0/8", "", "10.0.0.1", "cpe.example:80",
      NO, NO, NO },
    { "10.0.0.0/8 client", "", "10.0.0.1", "cpe.example", NO, NO, NO },
    { "~.example client", "", "10.0.0.1", "cpe.example", CIDR, CIDR, CIDR },
    { "~.example 10.0.0.0/8", "~evil.example", "10.0.0.1", "evil.example",
      DENY, DENY, DENY },
    { "~error 10.0.0.0/8", "", "10.0.0.1", "evil.example", FAIL, FAIL, FAIL },

    /* an address admitted by its text needs a signature */

    { "~.7", "", "1.1.1.1", "10.0.0.7:80", OK, OK, NO },
};


static void
test_cases(void)
{
    char             url[256];
    u_char           buf[cwmp_origin_size(256)];
    ngx_int_t        announce, call, open;
    ngx_str_t        s;
    ngx_uint_t       i;
    test_case_t     *c;
    test_policy_t    t;
    cwmp_origin_t    o;
    ngx_sockaddr_t   client;

    for (i = 0; i < nelts(cases); i++) {
        c = &cases[i];

        test_policy(&t, c->allow, c->deny);
        test_sockaddr(&client, c->client);

        s.len = snprintf(url, sizeof(url), "http://%s/", c->origin);
        s.data = (u_char *) url;

        if (cwmp_origin_parse(&o, &s, buf) != NGX_OK) {
            abort();
        }

        announce = cwmp_policy_announce(&t.policy, &o, &client.sockaddr);
        call = cwmp_policy_call(&t.policy, &o, CWMP_POLICY_SIGNED);
        open = cwmp_policy_call(&t.policy, &o, CWMP_POLICY_NO_SECRET);

        if (!tap_ok(announce == c->announce && call == c->call
                    && open == c->open,
                    "allow \"%s\" deny \"%s\" client %s origin %s", c->allow,
                    c->deny, c->client, c->origin))
        {
            printf("# announcement: %s\n# call: %s\n# without a secret: %s\n",
                   cwmp_policy_strerror(announce),
                   cwmp_policy_strerror(call), cwmp_policy_strerror(open));
        }

        tap_ok(cwmp_policy_call(&t.policy, &o, CWMP_POLICY_UNSIGNED)
               == CWMP_POLICY_SIGNATURE, "never without a signature");
    }
}


typedef struct {
    const char  *allow;
    const char  *deny;
    const char  *addrs;
    ngx_int_t    rc;
} test_name_t;


static test_name_t  names[] = {
    { "~.example 10.0.0.0/8", "", "10.0.0.1", OK },
    { "~.example 10.0.0.0/8", "", "10.0.0.1 10.0.0.2", OK },
    { "~.example 10.0.0.0/8", "", "::ffff:10.0.0.1", OK },
    { "~.example 10.0.0.0/8 fd00::/8", "", "10.0.0.1 fd00::2", OK },
    { "~.example 10.0.0.0/8", "", "10.0.0.1 11.0.0.1",
      CWMP_POLICY_NAME_ADDRESS },
    { "~.example client 10.0.0.0/8", "", "11.0.0.1",
      CWMP_POLICY_NAME_ADDRESS },
    { "~.example", "", "10.0.0.1", CWMP_POLICY_NAME_ADDRESS },
    { "client", "", "10.0.0.1", CWMP_POLICY_NAME_ADDRESS },
    { "~.example 10.0.0.0/8:80", "", "10.0.0.1", CWMP_POLICY_NAME_ADDRESS },
    { "~.example 10.0.0.0/8", "10.0.0.2", "10.0.0.1 10.0.0.2", DENY },
    { "~.example 0.0.0.0/0", "", "10.0.0.1 127.0.0.1", LO },
    { "~.example 0.0.0.0/0", "", "::ffff:127.0.0.1", LO },
    { "~.example 0.0.0.0/0", "", "169.254.169.254", LL },
    { "~.example ::/0", "", "::1", LO },
    { "~.example 127.0.0.1", "", "127.0.0.1", OK },
    { "~.example 192.168.0.0/16", "", "192.168.1.1", SELF },
    { "~.example 10.0.0.0/8", "", "", CWMP_POLICY_NO_ADDRESS },
    { "~.example 10.0.0.0/8", "", "unix", UN },
};


static void
test_names(void)
{
    char                 text[256], *word;
    u_char               buf[cwmp_origin_size(64)];
    ngx_str_t            s;
    ngx_uint_t           i, n;
    test_policy_t        t;
    cwmp_origin_t        o;
    ngx_sockaddr_t       sa[4];
    ngx_resolver_addr_t  addrs[4];

    ngx_str_set(&s, "http://cpe.example:7548/");

    if (cwmp_origin_parse(&o, &s, buf) != NGX_OK) {
        abort();
    }

    for (i = 0; i < nelts(names); i++) {
        test_policy(&t, names[i].allow, names[i].deny);

        memset(addrs, 0, sizeof(addrs));
        strcpy(text, names[i].addrs);
        n = 0;

        for (word = strtok(text, " "); word; word = strtok(NULL, " ")) {
            test_sockaddr(&sa[n], word);
            addrs[n].sockaddr = &sa[n].sockaddr;
            n++;
        }

        tap_ok(cwmp_policy_resolved(&t.policy, &o, addrs, n) == names[i].rc,
               "allow \"%s\" deny \"%s\" resolved %s: %s", names[i].allow,
               names[i].deny, names[i].addrs,
               cwmp_policy_strerror(names[i].rc));
    }
}


static void
test_errors(void)
{
    ngx_int_t   i, j;
    ngx_uint_t  equal;

    equal = 0;

    for (i = NGX_OK; i <= CWMP_POLICY_NO_ADDRESS; i++) {
        for (j = NGX_OK; j < i; j++) {
            equal += (strcmp(cwmp_policy_strerror(i),
                             cwmp_policy_strerror(j)) == 0);
        }
    }

    tap_ok(equal == 0, "each error has a text of its own");
}


int
main(void)
{
    test_parse();
    test_cases();
    test_names();
    test_errors();

    return tap_done();
}
