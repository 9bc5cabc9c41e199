
/*
 * sources: ntrip_token.c ntrip_text.c
 *
 * A token that is accepted is, put together from its parts again, the same
 * token.
 */


#include "fuzz.h"
#include "ntrip_token.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char         buf[1024];
    ngx_str_t      text, again;
    ntrip_out_t    out;
    ntrip_token_t  token, second;

    text = fuzz_copy(data, size);

    if (ntrip_token_source(&token, &text) == NGX_OK) {
        test(token.host.len > 0 && token.port <= 65535);
        test(memchr(token.user.data, ':', token.user.len) == NULL);

        ntrip_out_init(&out, buf, sizeof(buf));
        ntrip_out_str(&out, &token.user);
        ntrip_out_char(&out, ':');
        ntrip_out_str(&out, &token.password);
        ntrip_out_char(&out, '@');
        ntrip_token_out_server(&out, &token.host, token.port);
        test(!out.overflow);

        again.data = buf;
        again.len = out.last - buf;

        test(ntrip_token_source(&second, &again) == NGX_OK);
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
