
/*
 * sources: ntrip_console.c ntrip_token.c ntrip_sourcetable.c
 *          ntrip_text.c
 */


#include "tap.h"
#include "ntrip_console.h"


static u_char       buf[4096];
static ntrip_out_t  out;


static void
is(const char *expected, const char *name)
{
    ngx_str_t  s;

    s.data = buf;
    s.len = out.last - buf;
    tap_is(&s, expected, name);
    tap_ok(!out.overflow, "no overflow");
    ntrip_out_init(&out, buf, sizeof(buf));
}


/* NULL if the command is right, else the reply; the dump of its arguments */

static const char *
command(const char *text, char *dump)
{
    ngx_str_t                  s;
    const char                *reply;
    ntrip_console_command_t    cmd;

    s = tap_str(text);
    dump[0] = '\0';

    if (ntrip_console_parse(&cmd, s.data, s.len) != NGX_OK) {
        free(s.data);
        return NTRIP_CONSOLE_BAD_COMMAND;
    }

    if (cmd.argv[1].len != 2 || memcmp(cmd.argv[1].data, "pw", 2) != 0) {
        free(s.data);
        return NTRIP_CONSOLE_BAD_PASSWORD;
    }

    reply = ntrip_console_arguments(&cmd);

    if (reply == NULL) {
        dump += sprintf(dump, "%s %.*s %.*s %.*s %d %.*s",
                        ntrip_console_verb(cmd.verb),
                        (int) cmd.token.user.len, (char *) cmd.token.user.data,
                        (int) cmd.token.password.len,
                        (char *) cmd.token.password.data,
                        (int) cmd.token.host.len, (char *) cmd.token.host.data,
                        (int) cmd.token.port,
                        (int) cmd.mount.len, (char *) cmd.mount.data);

        if (cmd.pool.len) {
            dump += sprintf(dump, " %.*s", (int) cmd.pool.len,
                            (char *) cmd.pool.data);
        }

        if (cmd.expires.year) {
            ntrip_out_init(&out, (u_char *) dump, 64);
            ntrip_date_out(&out, &cmd.expires);
            *out.last = '\0';
            ntrip_out_init(&out, buf, sizeof(buf));
        }
    }

    free(s.data);

    return reply;
}


static void
test_commands(void)
{
    size_t       i;
    char         dump[2048];
    const char  *reply;

    static const struct {
        const char  *in;
        const char  *reply;              /* NULL: accepted */
        const char  *dump;
    } tests[] = {

        /* cors-relay's own */

        { "USER-LIST pw\r\n", NULL, "USER-LIST    0 " },
        { "USER-LIST pw", NULL, "USER-LIST    0 " },
        { "  USER-LIST\t\tpw  \n", NULL, "USER-LIST    0 " },
        { "\r\nUSER-LIST\r\npw\r\n", NULL, "USER-LIST    0 " },
        { "USER-LIST\n", "ERROR bad command\r\n", "" },
        { "USER-LIST pw x\n", "ERROR bad command\r\n", "" },
        { "USER-LIST wrong\n", "ERROR bad password\r\n", "" },
        { "USER-LIST wrong x\n", "ERROR bad command\r\n", "" },
        { "USER-LIST PW\n", "ERROR bad password\r\n", "" },
        { "", "ERROR bad command\r\n", "" },
        { " \t\r\n", "ERROR bad command\r\n", "" },

        { "USER-ADD pw u:p 2030-01-02\n", NULL,
          "USER-ADD u p  0 2030-01-02 23:59:59" },
        { "USER-ADD pw u:p 2030-01-02 03:04:05\n", NULL,
          "USER-ADD u p  0 2030-01-02 03:04:05" },
        { "USER-ADD pw u:p 2030-01-02 03:04:05 more words here\n", NULL,
          "USER-ADD u p  0 2030-01-02 03:04:05" },
        { "USER-ADD pw u:p 2030-01-02 03:04:05 6 7 8 9 10\n", NULL,
          "USER-ADD u p  0 2030-01-02 03:04:05" },
        { "USER-ADD pw a:b:c 2030-01-02\n", NULL,
          "USER-ADD a b:c  0 2030-01-02 23:59:59" },
        { "USER-ADD pw :p 2030-01-02\n", NULL,
          "USER-ADD  p  0 2030-01-02 23:59:59" },
        { "USER-ADD pw up 2030-01-02\n", "ERROR invalid token\r\n", "" },
        { "USER-ADD pw u:p\n", "ERROR bad command\r\n", "" },
        { "USER-ADD wrong up hello\n", "ERROR bad password\r\n", "" },
        { "USER-ADD pw a:b hello\n", "ERROR invalid date\r\n", "" },
        { "USER-ADD pw up hello\n", "ERROR invalid token\r\n", "" },

        { "USER-UPDATE pw u n\n", NULL, "USER-UPDATE u n  0 " },
        { "USER-UPDATE pw u\n", "ERROR bad command\r\n", "" },
        { "USER-UPDATE pw u n x\n", "ERROR bad command\r\n", "" },
        { "USER-UPDATE wrong u n\n", "ERROR bad password\r\n", "" },

        { "CLIENT-LIST pw\n", NULL, "CLIENT-LIST    0 " },
        { "CLIENT-LIST\n", "ERROR bad command\r\n", "" },
        { "CLIENT-LIST pw x\n", "ERROR bad command\r\n", "" },
        { "CLIENT-LIST x\n", "ERROR bad password\r\n", "" },

        { "SOURCE-ADD pw rtk.example u:p 2030-01-02\n", NULL,
          "SOURCE-ADD u p rtk.example 0 2030-01-02 23:59:59" },
        { "SOURCE-ADD pw rtk.example:2101 u:p 2030-01-02 00:00:00\n", NULL,
          "SOURCE-ADD u p rtk.example 2101 2030-01-02 00:00:00" },
        { "SOURCE-ADD pw [::1]:2101 u:p@q 2030-01-02\n", NULL,
          "SOURCE-ADD u p@q [::1] 2101 2030-01-02 23:59:59" },
        { "SOURCE-ADD pw rtk.example u:p\n", "ERROR bad command\r\n", "" },
        { "SOURCE-ADD x rtk.example u:p 2030-01-02\n",
          "ERROR bad password\r\n", "" },
        { "SOURCE-ADD pw rtk.example up 2030-01-02\n",
          "ERROR invalid token\r\n", "" },
        { "SOURCE-ADD pw rtk.example:x u:p 2030-01-02\n",
          "ERROR invalid server\r\n", "" },
        { "SOURCE-ADD pw rtk.example u:p 2030-1-2\n",
          "ERROR invalid date\r\n", "" },

        { "SOURCE-LIST pw\n", NULL, "SOURCE-LIST    0 " },
        { "SOURCE-LIST\n", "ERROR bad command\r\n", "" },
        { "SOURCE-LIST pw x\n", "ERROR bad command\r\n", "" },
        { "SOURCE-LIST x\n", "ERROR bad password\r\n", "" },

        /* the further ones */

        { "USER-EXPIRE pw u 2030-01-02\n", NULL,
          "USER-EXPIRE u   0 2030-01-02 23:59:59" },
        { "USER-EXPIRE pw u 2030-01-02 01:02:03\n", NULL,
          "USER-EXPIRE u   0 2030-01-02 01:02:03" },
        { "USER-EXPIRE pw u\n", "ERROR bad command\r\n", "" },
        { "USER-EXPIRE pw u never\n", "ERROR invalid date\r\n", "" },
        { "USER-DEL pw u\n", NULL, "USER-DEL u   0 " },
        { "USER-DEL pw u x\n", "ERROR bad command\r\n", "" },
        { "USER-DEL pw\n", "ERROR bad command\r\n", "" },
        { "KICK pw u\n", NULL, "KICK u   0 " },
        { "KICK pw\n", "ERROR bad command\r\n", "" },
        { "SOURCE-UPDATE pw h:1 u n\n", NULL, "SOURCE-UPDATE u n h 1 " },
        { "SOURCE-UPDATE pw h u\n", "ERROR bad command\r\n", "" },
        { "SOURCE-UPDATE pw h u n x\n", "ERROR bad command\r\n", "" },
        { "SOURCE-UPDATE pw /h u n\n", "ERROR invalid server\r\n", "" },
        { "SOURCE-DEL pw h u\n", NULL, "SOURCE-DEL u  h 0 " },
        { "SOURCE-DEL pw u\n", "ERROR bad command\r\n", "" },
        { "SOURCE-TEST pw h u\n", NULL, "SOURCE-TEST u  h 0 " },
        { "SOURCE-TEST pw h:8002 u MNT\n", NULL,
          "SOURCE-TEST u  h 8002 MNT" },
        { "SOURCE-TEST pw h\n", "ERROR bad command\r\n", "" },
        { "POOL-ADD pw west h:8002 u\n", NULL,
          "POOL-ADD u  h 8002  west" },
        { "POOL-ADD pw west h u x\n", "ERROR bad command\r\n", "" },
        { "POOL-ADD pw west h\n", "ERROR bad command\r\n", "" },
        { "POOL-ADD pw w\1 h u\n", "ERROR invalid pool\r\n", "" },
        { "POOL-ADD pw west h:x u\n", "ERROR invalid server\r\n", "" },
        { "POOL-DEL pw 12345678901234567890123456789012 h u\n", NULL,
          "POOL-DEL u  h 0  12345678901234567890123456789012" },
        { "POOL-DEL pw 123456789012345678901234567890123 h u\n",
          "ERROR invalid pool\r\n", "" },
        { "STATION-LIST pw\n", NULL, "STATION-LIST    0 " },
        { "STATION-ADD pw MNT u:p\n", NULL, "STATION-ADD u p  0 MNT" },
        { "STATION-ADD pw MNT u\n", "ERROR invalid token\r\n", "" },
        { "STATION-ADD pw M,T u:p\n", "ERROR invalid mountpoint\r\n", "" },
        { "STATION-ADD pw MNT\n", "ERROR bad command\r\n", "" },
        { "STATION-DEL pw MNT\n", NULL, "STATION-DEL    0 MNT" },
        { "STATION-DEL pw MNT x\n", "ERROR bad command\r\n", "" },
        { "STREAM-LIST pw\n", NULL, "STREAM-LIST    0 " },
        { "STREAM-LIST\n", "ERROR bad command\r\n", "" },
        { "USAGE pw\n", NULL, "USAGE    0 " },
        { "USAGE pw u1\n", NULL, "USAGE u1   0 " },
        { "TRACE pw\n", NULL, "TRACE    0 " },
        { "TRACE pw u1\n", NULL, "TRACE u1   0 " },
        { "USAGE\n", "ERROR bad command\r\n", "" },
        { "HELP pw\n", NULL, "HELP    0 " },
        { "HELP\n", "ERROR bad command\r\n", "" },

        /* none */

        { "user-list pw\n", "ERROR bad command\r\n", "" },
        { "USER-DELETE pw u\n", "ERROR bad command\r\n", "" },
        { "USER-LIS pw\n", "ERROR bad command\r\n", "" },
        { "USER-LISTS pw\n", "ERROR bad command\r\n", "" },
        { "%n%n%n%n%n\n", "ERROR bad command\r\n", "" },
        { "GET / HTTP/1.0\r\n", "ERROR bad command\r\n", "" },
        { "KICK pw \001\n", "ERROR invalid token\r\n", "" },
        { "USER-UPDATE pw u \033\n", "ERROR invalid token\r\n", "" }
    };

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        reply = command(tests[i].in, dump);

        if (!tap_ok((reply == NULL && tests[i].reply == NULL)
                    || (reply && tests[i].reply
                        && strcmp(reply, tests[i].reply) == 0),
                    "command %d: %s", (int) i, ntrip_console_verb(i % 14)))
        {
            printf("# '%s'\n# got: %s\n", tests[i].in, reply ? reply : "OK");
        }

        if (!tap_ok(strcmp(dump, tests[i].dump) == 0, "its arguments")) {
            printf("# got: '%s'\n", dump);
        }
    }
}


static void
test_limits(void)
{
    char                      dump[2048], text[2 * NTRIP_CONSOLE_MAX];
    ngx_str_t                 s;
    ntrip_console_command_t   cmd;

    memset(text, ' ', sizeof(text));
    memcpy(text, "USER-LIST pw", 12);

    s.data = (u_char *) text;
    tap_ok(ntrip_console_parse(&cmd, s.data, NTRIP_CONSOLE_MAX) == NGX_OK,
           "the longest command");
    tap_ok(ntrip_console_parse(&cmd, s.data, NTRIP_CONSOLE_MAX + 1)
           == NGX_DECLINED, "a longer one");
    tap_ok(ntrip_console_parse(&cmd, (u_char *) "USER-LIST pw\0\n", 14)
           == NGX_DECLINED, "a zero byte");

    strcpy(text, "USER-ADD pw ");
    memset(text + 12, 'u', NTRIP_USER_MAX);
    strcpy(text + 12 + NTRIP_USER_MAX, ":p 2030-01-01\n");
    tap_ok(command(text, dump) == NULL, "the longest user");

    memset(text + 12, 'u', NTRIP_USER_MAX + 1);
    strcpy(text + 13 + NTRIP_USER_MAX, ":p 2030-01-01\n");
    tap_ok(command(text, dump) != NULL, "a longer one");

    strcpy(text, "KICK pw ");
    memset(text + 8, 'u', NTRIP_USER_MAX + 1);
    strcpy(text + 9 + NTRIP_USER_MAX, "\n");
    tap_ok(command(text, dump) != NULL, "nor is it kicked");
}


static void
test_dates(void)
{
    size_t         i;
    ngx_str_t      date, time;
    ntrip_date_t   d;

    static const struct {
        const char  *date, *time, *shown;
    } tests[] = {
        { "2026-11-21", "", "2026-11-21 23:59:59" },
        { "2024-02-29", "00:00:00", "2024-02-29 00:00:00" },
        { "2000-02-29", "23:59:59", "2000-02-29 23:59:59" },
        { "0001-01-01", "09:08:07", "0001-01-01 09:08:07" },
        { "9999-12-31", "", "9999-12-31 23:59:59" },
        { "2023-02-29", "", NULL }, { "2100-02-29", "", NULL },
        { "2026-04-31", "", NULL }, { "2026-13-01", "", NULL },
        { "2026-00-01", "", NULL }, { "2026-01-00", "", NULL },
        { "2026-01-32", "", NULL }, { "0000-01-01", "", NULL },
        { "2026-1-1", "", NULL },   { "26-01-01", "", NULL },
        { "2026/01/01", "", NULL }, { "2026-01-011", "", NULL },
        { "12026-01-01", "", NULL }, { "hello", "", NULL },
        { "", "", NULL },           { "-026-01-01", "", NULL },
        { "2026-01-01", "24:00:00", NULL },
        { "2026-01-01", "23:60:00", NULL },
        { "2026-01-01", "23:59:60", NULL },
        { "2026-01-01", "23:59", NULL },
        { "2026-01-01", "3:59:00", NULL },
        { "2026-01-01", "ab:cd:ef", NULL },
        { "2026-01-01", "23-59-59", NULL },
        { "2026-01-01", "+1:00:00", NULL }
    };

    ntrip_out_init(&out, buf, sizeof(buf));

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        date = tap_str(tests[i].date);
        time = tap_str(tests[i].time);

        if (tests[i].shown == NULL) {
            tap_ok(ntrip_date_parse(&d, &date, &time) == NGX_ERROR,
                   "no date: '%s' '%s'", tests[i].date, tests[i].time);

        } else {
            tap_ok(ntrip_date_parse(&d, &date, &time) == NGX_OK, "'%s' '%s'",
                   tests[i].date, tests[i].time);
            ntrip_date_out(&out, &d);
            is(tests[i].shown, "shown");
        }

        free(date.data);
        free(time.data);
    }
}


static void
test_replies(void)
{
    size_t                   i;
    ngx_str_t                user, pass, ip;
    ntrip_date_t             d = { 2026, 11, 21, 9, 8, 7 };
    ntrip_token_t            token;
    ntrip_console_event_t    event;
    ntrip_console_stream_t   s;

    static const char  *failures[][2] = {
        { "USER-ADD", "ERROR add user failed\r\n" },
        { "USER-UPDATE", "ERROR user not found\r\n" },
        { "SOURCE-ADD", "ERROR add ntrip failed\r\n" }
    };

    static const ngx_uint_t  verbs[] = {
        NTRIP_CONSOLE_USER_ADD, NTRIP_CONSOLE_USER_UPDATE,
        NTRIP_CONSOLE_SOURCE_ADD
    };

    ntrip_out_init(&out, buf, sizeof(buf));

    for (i = 0; i < 3; i++) {
        tap_ok(strcmp(ntrip_console_verb(verbs[i]), failures[i][0]) == 0
               && strcmp(ntrip_console_failure(verbs[i]), failures[i][1]) == 0,
               "failure of %s", failures[i][0]);
    }

    ntrip_console_head(&out, NTRIP_CONSOLE_USER_ADD);
    ntrip_console_end(&out);
    is("OK USER-ADD\r\n\r\n", "USER-ADD");

    ngx_str_set(&user, "u");
    ngx_str_set(&pass, "p:q");
    ngx_str_set(&ip, "192.0.2.1");

    ntrip_console_head(&out, NTRIP_CONSOLE_USER_LIST);
    ntrip_console_user_row(&out, &user, &pass, &d);
    ngx_str_set(&pass, "*");
    ntrip_console_user_row(&out, &user, &pass, &d);
    ntrip_console_end(&out);
    is("OK USER-LIST\r\nu:p:q\t2026-11-21 09:08:07\r\n"
       "u:*\t2026-11-21 09:08:07\r\n\r\n", "USER-LIST");

    ntrip_console_head(&out, NTRIP_CONSOLE_CLIENT_LIST);
    ntrip_console_client_row(&out, &user, &pass, &ip, &d);
    ntrip_console_end(&out);
    is("OK CLIENT-LIST\r\nu:*\t192.0.2.1\t2026-11-21 09:08:07\r\n\r\n",
       "CLIENT-LIST");

    memset(&token, 0, sizeof(token));
    ngx_str_set(&token.user, "cors1");
    ngx_str_set(&token.password, "x");
    ngx_str_set(&token.host, "127.0.0.2");

    ntrip_console_head(&out, NTRIP_CONSOLE_SOURCE_LIST);
    ntrip_console_source_row(&out, &token, &d, NTRIP_CONSOLE_SOURCE_OK);
    token.port = 2101;
    ntrip_console_source_row(&out, &token, &d, NTRIP_CONSOLE_SOURCE_EXPIRED);
    ntrip_console_source_row(&out, &token, &d, NTRIP_CONSOLE_SOURCE_REFUSED);
    ntrip_console_end(&out);
    is("OK SOURCE-LIST\r\n127.0.0.2\tcors1:x\t2026-11-21 09:08:07\t?\r\n"
       "127.0.0.2:2101\tcors1:x\t2026-11-21 09:08:07\texpired\r\n"
       "127.0.0.2:2101\tcors1:x\t2026-11-21 09:08:07\trefused\r\n\r\n",
       "SOURCE-LIST");

    memset(&s, 0, sizeof(s));
    ngx_str_set(&s.mount, "MNT");
    ngx_str_set(&s.host, "h");
    ngx_str_set(&s.user, "u");
    s.port = 8002;
    s.rovers = 3;
    s.messages = 42;
    s.bytes = 12345678901ULL;

    ntrip_console_head(&out, NTRIP_CONSOLE_STREAM_LIST);
    ntrip_console_stream_row(&out, &s);
    s.located = 1;
    s.latitude = 48.1173;
    s.longitude = -11.516667;
    ntrip_console_stream_row(&out, &s);
    ntrip_console_end(&out);
    is("OK STREAM-LIST\r\nMNT\th:8002\tu\t3\t-\t42\t12345678901\r\n"
       "MNT\th:8002\tu\t3\t48.11730,-11.51667\t42\t12345678901\r\n\r\n",
       "STREAM-LIST");

    ngx_str_set(&user, "base");
    ngx_str_set(&pass, "pw");
    ntrip_console_station_row(&out, &s.mount, &user, &pass, &user);
    is("MNT\tbase:pw\tbase\r\n", "STATION-LIST");

    ngx_str_set(&user, "a\tb\r\nc\033\177");
    ntrip_console_text_row(&out, &user);
    is("a?b??c??\r\n", "a row stays a row");

    ngx_str_set(&event.text, "a\tb");
    event.time = d;
    event.worker = 7;
    event.event = "refused";
    event.count = 2;
    event.status = 401;
    ntrip_console_event_row(&out, &event);
    event.status = 0;
    ntrip_console_event_row(&out, &event);
    is("2026-11-21 09:08:07\t7\trefused\t2\t401 a?b\r\n"
       "2026-11-21 09:08:07\t7\trefused\t2\ta?b\r\n", "TRACE");

    ntrip_console_help(&out);
    is("USER-LIST pw\r\n"
       "USER-ADD pw user:password YYYY-MM-DD [HH:MM:SS]\r\n"
       "USER-UPDATE pw user password\r\n"
       "USER-EXPIRE pw user YYYY-MM-DD [HH:MM:SS]\r\n"
       "USER-DEL pw user\r\n"
       "CLIENT-LIST pw\r\n"
       "KICK pw user\r\n"
       "SOURCE-LIST pw\r\n"
       "SOURCE-ADD pw server user:password YYYY-MM-DD [HH:MM:SS]\r\n"
       "SOURCE-UPDATE pw server user password\r\n"
       "SOURCE-DEL pw server user\r\n"
       "SOURCE-TEST pw server user [mountpoint]\r\n"
       "POOL-ADD pw pool server user\r\n"
       "POOL-DEL pw pool server user\r\n"
       "STATION-LIST pw\r\n"
       "STATION-ADD pw mount name:password\r\n"
       "STATION-DEL pw mount\r\n"
       "STREAM-LIST pw\r\n"
       "USAGE pw [user]\r\n"
       "TRACE pw [user]\r\n"
       "TRACE-DEL pw\r\n"
       "HELP pw\r\n", "HELP");
}


static void
test_rows(void)
{
    u_char                   longest[5000];
    ngx_str_t                v;
    ntrip_date_t             d = { 9999, 12, 31, 23, 59, 59 };
    ntrip_token_t            token;
    ntrip_console_stream_t   s;

    memset(longest, 'x', sizeof(longest));
    v.data = longest;
    v.len = sizeof(longest);

    token.user = v;
    token.password = v;
    token.host = v;
    token.port = 65535;

    s.mount = v;
    s.host = v;
    s.port = 65535;
    s.user = v;
    s.rovers = NGX_MAX_INT_T_VALUE;
    s.located = 1;
    s.latitude = -90;
    s.longitude = -180;
    s.messages = UINT64_MAX;
    s.bytes = UINT64_MAX;

    ntrip_out_init(&out, buf, NTRIP_CONSOLE_ROW_MAX);
    ntrip_console_user_row(&out, &v, &v, &d);
    tap_ok(!out.overflow, "the longest user row");

    ntrip_out_init(&out, buf, NTRIP_CONSOLE_ROW_MAX);
    ntrip_console_client_row(&out, &v, &v, &v, &d);
    tap_ok(!out.overflow, "the longest client row");

    ntrip_out_init(&out, buf, NTRIP_CONSOLE_ROW_MAX);
    ntrip_console_source_row(&out, &token, &d, NTRIP_CONSOLE_SOURCE_REFUSED);
    tap_ok(!out.overflow, "the longest source row");

    ntrip_out_init(&out, buf, NTRIP_CONSOLE_ROW_MAX);
    ntrip_console_stream_row(&out, &s);
    tap_ok(!out.overflow, "the longest stream row");

    ntrip_out_init(&out, buf, NTRIP_CONSOLE_ROW_MAX);
    ntrip_console_help(&out);
    tap_ok(!out.overflow, "HELP");
}


/* how many bytes of what has come are the first command */

static void
test_ends(void)
{
    size_t   n;
    u_char  *p;

    static const struct {
        const char  *text;
        ngx_uint_t   last;
        size_t       len;
    } ends[] = {
        { "", 0, 0 }, { "", 1, 0 },
        { "HELP p", 0, 0 }, { "HELP p", 1, 6 },
        { "HELP p\n", 0, 7 }, { "HELP p\r\n", 0, 8 },
        { "HELP p\nHELP", 0, 7 }, { "HELP p\nHELP", 1, 7 },
        { "\nHELP p\n", 0, 1 }
    };

    for (n = 0; n < sizeof(ends) / sizeof(ends[0]); n++) {
        tap_ok(ntrip_console_command((u_char *) ends[n].text,
                                     strlen(ends[n].text), ends[n].last)
               == ends[n].len, "where a command ends, %d", (int) n);
    }

    p = calloc(1, NTRIP_CONSOLE_MAX + 1);
    tap_ok(ntrip_console_command(p, NTRIP_CONSOLE_MAX, 0) == 0,
           "as long as one may be, there may be more of it");
    tap_ok(ntrip_console_command(p, NTRIP_CONSOLE_MAX + 1, 0)
           == NTRIP_CONSOLE_MAX + 1, "and longer, it is over");
    free(p);
}


int
main(void)
{
    test_ends();
    test_commands();
    test_limits();
    test_dates();
    test_replies();
    test_rows();

    return tap_done();
}
