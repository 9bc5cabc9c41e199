
/*
 * sources: ntrip_token.c ntrip_text.c
 *
 * A token that is accepted is, put together from its parts again, the same
 * token.
 */


#include "fuzz.h"
#include "ntrip_token.h"


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


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char         buf[1024];
    ngx_str_t      text, again;
    ntrip_out_t    out;
    ntrip_token_t  token, second;

    text = fuzz_copy(data, size);

    if (source(&token, &text) == NGX_OK) {
        test(token.host.len > 0 && token.port <= 65535);
        test(memchr(token.user.data, ':', token.user.len) == NULL);

        ntrip_out_init(&out, buf, sizeof(buf));
        ntrip_out_str(&out, &token.user);
        ntrip_out_char(&out, ':');
        ntrip_out_str(&out, &token.password);
        ntrip_out_char(&out, '@');
        ntrip_out_str(&out, &token.host);

        if (token.port) {
            ntrip_out_char(&out, ':');
            ntrip_out_uint(&out, token.port, 1);
        }

        test(!out.overflow);

        again.data = buf;
        again.len = out.last - buf;

        test(source(&second, &again) == NGX_OK);
        test(second.user.len == token.user.len
             && second.password.len == token.password.len
             && second.host.len == token.host.len
             && second.port == token.port);

        /* all that may differ are zeros in front of the port */

        test(again.len <= text.len
             && memcmp(again.data, text.data,
                       token.user.len + token.password.len + token.host.len
                       + 2) == 0);
    }

    free(text.data);

    return 0;
}
