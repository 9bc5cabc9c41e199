
/*
 * sources: ntrip_token.c ntrip_text.c
 */


#include "tap.h"
#include "ntrip_token.h"


typedef struct {
    const char   *in;
    const char   *user;                  /* NULL: refused */
    const char   *password;
    const char   *host;
    ngx_uint_t    port;
} test_t;


static const test_t  tests[] = {
    { "user:pass@rtk.example", "user", "pass", "rtk.example", 0 },
    { "user:pass@rtk.example:2101", "user", "pass", "rtk.example", 2101 },
    { "u:p:q@h", "u", "p:q", "h", 0 },
    { "u:p@q@h", "u", "p@q", "h", 0 },
    { "u@v:p@h:1", "u@v", "p", "h", 1 },
    { ":@h", "", "", "h", 0 },
    { "u:@192.0.2.1:65535", "u", "", "192.0.2.1", 65535 },
    { "u:p@[fd00::1]", "u", "p", "[fd00::1]", 0 },
    { "u:p@[::ffff:192.0.2.1]:2101", "u", "p", "[::ffff:192.0.2.1]", 2101 },

    { "", NULL, NULL, NULL, 0 },
    { "user:pass", NULL, NULL, NULL, 0 },
    { "user@host", NULL, NULL, NULL, 0 },
    { "u:p@", NULL, NULL, NULL, 0 },
    { "u:p@:2101", NULL, NULL, NULL, 0 },
    { "u:p@h:", NULL, NULL, NULL, 0 },
    { "u:p@h:0", NULL, NULL, NULL, 0 },
    { "u:p@h:65536", NULL, NULL, NULL, 0 },
    { "u:p@h:2101x", NULL, NULL, NULL, 0 },
    { "u:p@h:1:2", NULL, NULL, NULL, 0 },
    { "u:p@h/MNT", NULL, NULL, NULL, 0 },
    { "u:p@h x", NULL, NULL, NULL, 0 },
    { "u:p@fd00::1", NULL, NULL, NULL, 0 },
    { "u:p@[]", NULL, NULL, NULL, 0 },
    { "u:p@[::1", NULL, NULL, NULL, 0 },
    { "u:p@[::1]x", NULL, NULL, NULL, 0 },
    { "u:p@[g::1]", NULL, NULL, NULL, 0 },
    { "u\r:p@h", NULL, NULL, NULL, 0 },
    { "u:p@\xc3\xa9", NULL, NULL, NULL, 0 }
};


/* cut at the last '@', as the tokens of cors-relay's tb_src are */

static ngx_int_t
source(ntrip_token_t *token, ngx_str_t *text)
{
    size_t     at;
    ngx_str_t  account, server;

    for (at = text->len; at > 0 && text->data[at - 1] != '@'; at--) {
        /* void */
    }

    if (at == 0) {
        return NGX_ERROR;
    }

    account.data = text->data;
    account.len = at - 1;
    server.data = text->data + at;
    server.len = text->len - at;

    if (ntrip_token_account(token, &account) != NGX_OK) {
        return NGX_ERROR;
    }

    return ntrip_token_server(token, &server);
}


static void
test_source(const test_t *t)
{
    ngx_int_t      rc;
    ngx_str_t      text;
    ntrip_token_t  token;

    memset(&token, 0, sizeof(token));
    text = tap_str(t->in);
    rc = source(&token, &text);

    if (t->user == NULL) {
        tap_ok(rc == NGX_ERROR, "refused: '%s'", t->in);
        free(text.data);
        return;
    }

    tap_ok(rc == NGX_OK && token.port == t->port, "'%s'", t->in);
    tap_is(&token.user, t->user, "user");
    tap_is(&token.password, t->password, "password");
    tap_is(&token.host, t->host, "host");

    free(text.data);
}


static void
test_limits(void)
{
    u_char         text[600];
    size_t         i;
    ngx_str_t      s;
    ntrip_token_t  token;

    s.data = text;

    for (i = 0; i < 2; i++) {
        memset(text, 'x', sizeof(text));
        text[NTRIP_USER_MAX + i] = ':';
        s.len = NTRIP_USER_MAX + i + 2;
        tap_ok(ntrip_token_account(&token, &s) == (i ? NGX_ERROR : NGX_OK),
               "a user of %d", (int) (NTRIP_USER_MAX + i));

        memset(text, 'x', sizeof(text));
        text[1] = ':';
        s.len = NTRIP_PASSWORD_MAX + i + 2;
        tap_ok(ntrip_token_account(&token, &s) == (i ? NGX_ERROR : NGX_OK),
               "a password of %d", (int) (NTRIP_PASSWORD_MAX + i));

        memset(text, 'x', sizeof(text));
        s.len = NTRIP_HOST_MAX + i;
        tap_ok(ntrip_token_server(&token, &s) == (i ? NGX_ERROR : NGX_OK),
               "a host of %d", (int) (NTRIP_HOST_MAX + i));
    }
}


int
main(void)
{
    size_t  i;

    for (i = 0; i < sizeof(tests) / sizeof(tests[0]); i++) {
        test_source(&tests[i]);
    }

    test_limits();

    return tap_done();
}
